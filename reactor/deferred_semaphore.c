/* deferred_semaphore.c - the semaphore of callbacks; deferred_tokens.c has how it works. */
#include "deferred_tokens.h"
#include <solo/deferred_semaphore.h>

struct solo_deferred_semaphore {
    struct solo__tokens tokens;
};

int solo_deferred_semaphore_create(struct solo_reactor *reactor, size_t tokens,
                                   struct solo_deferred_semaphore **ret_semaphore)
{
    SOLO__LIVE_OBJECT(solo_deferred_semaphore_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (tokens == 0 || ret_semaphore == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_semaphore_create, &reactor->owner, reactor);

    struct solo_deferred_semaphore *semaphore =
        solo__tokens_make(reactor, tokens, SOLO__DEFERRED_SEMAPHORE, __builtin_return_address(0));
    if (semaphore == NULL) {
        return -ENOMEM;
    }
    *ret_semaphore = semaphore;
    return 0;
}

int solo_deferred_semaphore_destroy(struct solo_deferred_semaphore *semaphore)
{
    if (semaphore == NULL) {
        return 0;
    }
    SOLO__END_LADDER(solo_deferred_semaphore_destroy, SOLO__DEFERRED_SEMAPHORE, semaphore, semaphore->tokens.reactor);

    return solo__tokens_destroy(&semaphore->tokens);
}

int solo_deferred_semaphore_acquire(struct solo_deferred_semaphore *semaphore, struct solo_deferred **ret_deferred)
{
    SOLO__TOKENS_LADDER(solo_deferred_semaphore_acquire, SOLO__DEFERRED_SEMAPHORE, semaphore);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }

    return solo__tokens_acquire(&semaphore->tokens, __builtin_frame_address(0), __builtin_return_address(0),
                                ret_deferred);
}

int solo_deferred_semaphore_release(struct solo_deferred_semaphore *semaphore)
{
    SOLO__TOKENS_LADDER(solo_deferred_semaphore_release, SOLO__DEFERRED_SEMAPHORE, semaphore);

    return solo__tokens_release(&semaphore->tokens);
}

int solo_deferred_semaphore_run(struct solo_deferred_semaphore *semaphore, solo_maybe_fn fn, void *arg,
                                struct solo_deferred **ret_deferred)
{
    SOLO__TOKENS_LADDER(solo_deferred_semaphore_run, SOLO__DEFERRED_SEMAPHORE, semaphore);
    if (fn == NULL || ret_deferred == NULL) {
        return -EINVAL;
    }

    return solo__tokens_run(&semaphore->tokens, fn, arg, __builtin_frame_address(0), __builtin_return_address(0),
                            ret_deferred);
}

int solo_deferred_semaphore_free(struct solo_deferred_semaphore *semaphore, size_t *ret_free)
{
    SOLO__TOKENS_LADDER(solo_deferred_semaphore_free, SOLO__DEFERRED_SEMAPHORE, semaphore);
    if (ret_free == NULL) {
        return -EINVAL;
    }

    *ret_free = semaphore->tokens.free;
    return 0;
}
