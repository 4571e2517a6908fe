/*
 * delayed_call.h - calls at a later time, on the reactor thread.
 *
 * Due means due_ns <= now, where now is the time of the pass. Calls due in one pass run by due time, equal times in
 * creation order. What a running call sets, even for now, waits for the next pass.
 *
 * A handle is an id with a generation, not a pointer: it can be kept and compared for ever, and is refused once the
 * call has begun (SOLO_EALREADYCALLED) or will never run (SOLO_EALREADYCANCELLED: cancelled or handed back). Which of
 * the two is remembered until its slot had 16 more users; then the answer is SOLO_EALREADYCALLED. -EINVAL: never
 * given.
 *
 * Cost: setting, moving and cancelling take constant time, firing sorts what is due within a millisecond; about 90
 * bytes a call, kept for later calls until the reactor ends. Millions are fine.
 */
#ifndef SOLO_DELAYED_CALL_H
#define SOLO_DELAYED_CALL_H

#include <solo/reactor.h>
#include <solo/violation.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t solo_delayed_call_id; /* never 0 */

/*
 * Accepts fn(arg) to run once, delay_ns after the time of this pass. done and ret_id may be NULL. What is left at the
 * end of the reactor gets done(SOLO_ECLOSING). -EINVAL, -ENOMEM, SOLO_ECLOSING after the reactor stopped.
 * Instead: solo_reactor_call_from_thread with a function that calls solo_reactor_call_later
 * Runs: fn, done on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_call_later(struct solo_reactor *reactor, uint64_t delay_ns,
                                                          solo_call_fn fn, void *arg, solo_done_fn done,
                                                          solo_delayed_call_id *ret_id);

/*
 * Takes the call back; done gets SOLO_ECANCELLED before this returns. SOLO_EALREADYCALLED (also from within),
 * SOLO_EALREADYCANCELLED.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_delayed_call_cancel(struct solo_reactor *reactor, solo_delayed_call_id id);

/* Due delay_ns from now; it counts as created anew among equal times. Errors as for cancel. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_delayed_call_reset(struct solo_reactor *reactor, solo_delayed_call_id id,
                                                          uint64_t delay_ns);

/*
 * Due delta_ns after the time it is due now; negative moves it earlier. Order among equal times, and errors, as for
 * reset.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_delayed_call_delay(struct solo_reactor *reactor, solo_delayed_call_id id,
                                                          int64_t delta_ns);

/* When it is due. Errors as for cancel. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_delayed_call_time(struct solo_reactor *reactor, solo_delayed_call_id id,
                                                         uint64_t *ret_due_ns);

/* Whether it is still to run: false once it began, was cancelled or handed back. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_delayed_call_active(struct solo_reactor *reactor, solo_delayed_call_id id,
                                                           bool *ret_active);

/* What is known of a call that is to come. The stack is as deep as provenance.h says: one frame, or eight. */
struct solo_delayed_call_origin {
    uint32_t object; /* its id in events and reports: "delayed-call#3" */
    uint64_t due_ns;
    solo_call_fn fn;
    void *arg;
    char set_by[SOLO_VIOLATION_NAME_MAX]; /* the thread that set it */
    struct solo_stack set_at;             /* where it was set */
};

/*
 * Says of an active call who set it, and where: for a list of what a reactor still waits for. Full stacks are kept in
 * world sim, and in world os with SOLO_PROVENANCE=full in the environment; else it is the one return address. Errors as
 * for cancel; -EINVAL also if ret_origin is NULL. Source: Twisted's DelayedCall.debug.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_delayed_call_describe(struct solo_reactor *reactor, solo_delayed_call_id id,
                                                             struct solo_delayed_call_origin *ret_origin);

/* Writes up to ids_max ids of active calls in firing order and sets *ret_count to how many there are in all. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_delayed_calls(struct solo_reactor *reactor, solo_delayed_call_id *ids,
                                                             size_t ids_max, size_t *ret_count);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_reactor_call_later(reactor, delay_ns, fn, arg, done, ret_id)                                              \
    (SOLO__RUNS_ON_REACTOR(solo_call_fn, fn, (void *)0), SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0),      \
     solo_reactor_call_later(reactor, delay_ns, fn, arg, done, ret_id))
#endif

#ifdef __cplusplus
}
#endif
#endif
