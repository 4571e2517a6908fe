/*
 * looping_call.h - a function again and again, at an interval; and a function once, later, as a Deferred.
 *
 * A loop keeps to multiples of its interval, counted from its start: a slow turn does not shift the ones after it. What
 * was missed is skipped, and the function is told how many intervals have gone by since its last turn. A turn that is
 * due exactly now goes to the next multiple. With interval 0 there is one turn a pass.
 *
 * The time is that of the reactor's world: in a simulation with a manual clock (sim.h) that is a fake clock, moved by
 * solo_clock_advance through every due time on the way.
 *
 * Life: made by create, given up by release; a loop that runs goes on after its release, until it ends.
 *
 * Source: Twisted's task.LoopingCall and task.deferLater.
 */
#ifndef SOLO_LOOPING_CALL_H
#define SOLO_LOOPING_CALL_H

#include <solo/deferred.h>
#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_looping_call;

/*
 * One turn. `count` intervals have gone by since the last one: 1, or more if some were missed. A value: the loop goes
 * on. A failure: it ends with that. solo_wait_for: it goes on once that Deferred has a value, at the next multiple.
 */
typedef struct solo_result (*solo_loop_fn)(uint64_t count, void *arg);

/* Makes a loop that does not run. -EINVAL, -ENOMEM. SOLO_ECLOSING: the reactor has stopped. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_looping_call_create(struct solo_reactor *reactor, solo_loop_fn fn, void *arg,
                                                           struct solo_looping_call **ret_loop);

/* Gives it up. If it runs, it goes on until it ends. Accepts NULL. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_looping_call_release(struct solo_looping_call *loop);

/*
 * Starts it: the first turn is before this returns if `now`, else one interval later. The Deferred gets the value NULL
 * when the loop is stopped, or the failure that ended it: of a turn; SOLO_ECLOSING with the reactor; -ENOMEM if there
 * was no memory for the next turn. To cancel it stops the loop. SOLO_EALREADYRUNNING, SOLO_ECLOSING, -EINVAL, -ENOMEM.
 * Runs: the loop's function on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_looping_call_start(struct solo_looping_call *loop, uint64_t interval_ns,
                                                          bool now, struct solo_deferred **ret_deferred);

/*
 * Ends it: there is no further turn. The Deferred gets its value before this returns; called from a turn, after that
 * turn; while a turn's Deferred has no result, when that has one. A failure of either is still the loop's.
 * SOLO_ENOTRUNNING.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_looping_call_stop(struct solo_looping_call *loop);

/* As if it had been started now: the next turn is one interval from here, and is told of one. SOLO_ENOTRUNNING. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_looping_call_reset(struct solo_looping_call *loop);

/* Whether it was started, and has neither ended nor been stopped. -EINVAL. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_looping_call_running(struct solo_looping_call *loop, bool *ret_running);

typedef struct solo_result (*solo_later_fn)(void *arg);

/*
 * Calls fn(arg), delay_ns from now; the Deferred gets what it returns. fn may be NULL: the value NULL. To cancel it
 * takes the call back. SOLO_ECLOSING if the reactor ends first. -EINVAL, -ENOMEM, SOLO_ECLOSING.
 * Runs: fn on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_defer_later(struct solo_reactor *reactor, uint64_t delay_ns, solo_later_fn fn,
                                                   void *arg, struct solo_deferred **ret_deferred);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_looping_call_create(reactor, fn, arg, ret_loop)                                                           \
    (SOLO__RUNS_ON_REACTOR(solo_loop_fn, fn, 0, (void *)0), solo_looping_call_create(reactor, fn, arg, ret_loop))
#define solo_defer_later(reactor, delay_ns, fn, arg, ret_deferred)                                                     \
    (SOLO__RUNS_ON_REACTOR(solo_later_fn, fn, (void *)0), solo_defer_later(reactor, delay_ns, fn, arg, ret_deferred))
#endif

#ifdef __cplusplus
}
#endif
#endif
