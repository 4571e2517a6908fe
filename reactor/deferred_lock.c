/* deferred_lock.c - the lock of callbacks; deferred_tokens.c has how it works. */
#include "deferred_tokens.h"
#include <solo/deferred_lock.h>

struct solo_deferred_lock {
    struct solo__tokens tokens;
};

int solo_deferred_lock_create(struct solo_reactor *reactor, struct solo_deferred_lock **ret_lock)
{
    SOLO__LIVE_OBJECT(solo_deferred_lock_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (ret_lock == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_lock_create, &reactor->owner, reactor);

    struct solo_deferred_lock *lock = solo__tokens_make(reactor, 1, SOLO__DEFERRED_LOCK, __builtin_return_address(0));
    if (lock == NULL) {
        return -ENOMEM;
    }
    *ret_lock = lock;
    return 0;
}

int solo_deferred_lock_destroy(struct solo_deferred_lock *lock)
{
    if (lock == NULL) {
        return 0;
    }
    SOLO__END_LADDER(solo_deferred_lock_destroy, SOLO__DEFERRED_LOCK, lock, lock->tokens.reactor);

    return solo__tokens_destroy(&lock->tokens);
}

int solo_deferred_lock_acquire(struct solo_deferred_lock *lock, struct solo_deferred **ret_deferred)
{
    SOLO__TOKENS_LADDER(solo_deferred_lock_acquire, SOLO__DEFERRED_LOCK, lock);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }

    return solo__tokens_acquire(&lock->tokens, __builtin_frame_address(0), __builtin_return_address(0), ret_deferred);
}

int solo_deferred_lock_release(struct solo_deferred_lock *lock)
{
    SOLO__TOKENS_LADDER(solo_deferred_lock_release, SOLO__DEFERRED_LOCK, lock);

    return solo__tokens_release(&lock->tokens);
}

int solo_deferred_lock_run(struct solo_deferred_lock *lock, solo_maybe_fn fn, void *arg,
                           struct solo_deferred **ret_deferred)
{
    SOLO__TOKENS_LADDER(solo_deferred_lock_run, SOLO__DEFERRED_LOCK, lock);
    if (fn == NULL || ret_deferred == NULL) {
        return -EINVAL;
    }

    return solo__tokens_run(&lock->tokens, fn, arg, __builtin_frame_address(0), __builtin_return_address(0),
                            ret_deferred);
}

int solo_deferred_lock_is_locked(struct solo_deferred_lock *lock, bool *ret_locked)
{
    SOLO__TOKENS_LADDER(solo_deferred_lock_is_locked, SOLO__DEFERRED_LOCK, lock);
    if (ret_locked == NULL) {
        return -EINVAL;
    }

    *ret_locked = lock->tokens.free == 0 || lock->tokens.first != NULL;
    return 0;
}
