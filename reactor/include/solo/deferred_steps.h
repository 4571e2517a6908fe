/*
 * deferred_steps.h - several waits written as one function.
 *
 * C cannot suspend a function, but it can call one again. A step function is called with the number of its next step
 * and the result of the wait that the step before asked for; what it returns says how it goes on:
 *
 *     static struct solo_result transfer(unsigned *step, struct solo_result previous, void *arg)
 *     {
 *         struct transfer *t = arg;                 (what has to outlive a wait)
 *         switch ((*step)++) {
 *         case 0:
 *             return solo_wait_for(look_up(t->name));
 *         case 1:
 *             if (previous.status < 0) {
 *                 return previous;                  (the end: a failure)
 *             }
 *             return solo_wait_for(send(t, previous.value));
 *         default:
 *             return previous;                      (the end: a value or a failure)
 *         }
 *     }
 *
 * *step is the function's own: 0 at first, and the kit never changes it; setting it back makes a loop. There are no
 * macros in this, no hidden stack, and nothing that a debugger does not show. Code that may block, on a pool or a
 * foreign thread, is simpler still: solo_blocking_call_from_thread waits for a Deferred there.
 *
 * Source of the idea: Twisted's inlineCallbacks.
 */
#ifndef SOLO_DEFERRED_STEPS_H
#define SOLO_DEFERRED_STEPS_H

#include <solo/deferred.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;

typedef struct solo_result (*solo_steps_fn)(unsigned *step, struct solo_result previous, void *arg);

/*
 * Calls fn for the first time before this returns, and again each time what it waits for has a result, until it returns
 * a result of its own: the Deferred has that. Cancelling the Deferred cancels what is waited for; the step function
 * sees that failure, and its Deferred fails with SOLO_ECANCELLED unless it has ended at that. `arg` is the function's
 * until it ended. -EINVAL, -ENOMEM: it was not called. Waiting takes no memory.
 * Runs: fn on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_steps(struct solo_reactor *reactor, solo_steps_fn fn, void *arg,
                                                      struct solo_deferred **ret_deferred);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_deferred_steps(reactor, fn, arg, ret_deferred)                                                            \
    (SOLO__RUNS_ON_REACTOR(solo_steps_fn, fn, (unsigned *)0, solo_value((void *)0), (void *)0),                        \
     solo_deferred_steps(reactor, fn, arg, ret_deferred))
#endif

#ifdef __cplusplus
}
#endif
#endif
