/*
 * deferred_lock.h - one at a time, without blocking: who wants the lock gets a Deferred.
 *
 * It keeps order between callbacks on one reactor thread. Threads keep order with solo/thread.h.
 *
 * Source: Twisted's DeferredLock.
 */
#ifndef SOLO_DEFERRED_LOCK_H
#define SOLO_DEFERRED_LOCK_H

#include <solo/deferred.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;
struct solo_deferred_lock;

/* Makes one that nobody holds. -EINVAL, -ENOMEM. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_lock_create(struct solo_reactor *reactor,
                                                            struct solo_deferred_lock **ret_lock);

/* Ends it. Accepts NULL. -EBUSY: somebody holds it. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_lock_destroy(struct solo_deferred_lock *lock);

/*
 * Gives a Deferred that fires with the lock as its value when it is the caller's: now, or once others let go of it,
 * first come first served. Cancelled before that, it is out of the queue. -ENOMEM.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_lock_acquire(struct solo_deferred_lock *lock,
                                                             struct solo_deferred **ret_deferred);

/*
 * Lets go of it. Whoever waits first has it before this returns; only inside the callback of one who was just given it
 * does the next have to wait for that callback's end. -EPERM: nobody holds it.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_lock_release(struct solo_deferred_lock *lock);

/*
 * Acquires it, calls fn(arg), and lets go of it when the result of fn is there, be it a failure; the Deferred gets that
 * result. Cancelled while it waits for its turn, fn is never called. -EINVAL, -ENOMEM.
 * Runs: fn on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_lock_run(struct solo_deferred_lock *lock, solo_maybe_fn fn, void *arg,
                                                         struct solo_deferred **ret_deferred);

/* Whether somebody holds it or waits for it. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_lock_is_locked(struct solo_deferred_lock *lock, bool *ret_locked);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_deferred_lock_run(lock, fn, arg, ret_deferred)                                                            \
    (SOLO__RUNS_ON_REACTOR(solo_maybe_fn, fn, (void *)0), solo_deferred_lock_run(lock, fn, arg, ret_deferred))
#endif

#ifdef __cplusplus
}
#endif
#endif
