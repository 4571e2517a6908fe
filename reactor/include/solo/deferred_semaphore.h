/*
 * deferred_semaphore.h - so many at a time, without blocking: who wants a token gets a Deferred.
 *
 * Source: Twisted's DeferredSemaphore.
 */
#ifndef SOLO_DEFERRED_SEMAPHORE_H
#define SOLO_DEFERRED_SEMAPHORE_H

#include <solo/deferred.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;
struct solo_deferred_semaphore;

/* Makes one with so many tokens, all free. -EINVAL: none. -ENOMEM. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_semaphore_create(struct solo_reactor *reactor, size_t tokens,
                                                                 struct solo_deferred_semaphore **ret_semaphore);

/* Ends it. Accepts NULL. -EBUSY: somebody holds a token. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_semaphore_destroy(struct solo_deferred_semaphore *semaphore);

/*
 * Gives a Deferred that fires with the semaphore as its value when one of its tokens is the caller's: now, or once
 * others let go of it, first come first served. Cancelled before that, it is out of the queue. -ENOMEM.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_semaphore_acquire(struct solo_deferred_semaphore *semaphore,
                                                                  struct solo_deferred **ret_deferred);

/*
 * Lets go of it. Whoever waits first has it before this returns; only inside the callback of one who was just given it
 * does the next have to wait for that callback's end. -EPERM: no token is held.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_semaphore_release(struct solo_deferred_semaphore *semaphore);

/*
 * Acquires it, calls fn(arg), and lets go of it when the result of fn is there, be it a failure; the Deferred gets that
 * result. Cancelled while it waits for its turn, fn is never called. -EINVAL, -ENOMEM.
 * Runs: fn on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_semaphore_run(struct solo_deferred_semaphore *semaphore,
                                                              solo_maybe_fn fn, void *arg,
                                                              struct solo_deferred **ret_deferred);

/* How many tokens are free now. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_semaphore_free(struct solo_deferred_semaphore *semaphore,
                                                               size_t *ret_free);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_deferred_semaphore_run(semaphore, fn, arg, ret_deferred)                                                  \
    (SOLO__RUNS_ON_REACTOR(solo_maybe_fn, fn, (void *)0), solo_deferred_semaphore_run(semaphore, fn, arg, ret_deferred))
#endif

#ifdef __cplusplus
}
#endif
#endif
