/*
 * deferred.h - a result that is not there yet.
 *
 * A Deferred is fired once, with a value or with a failure. Callbacks run in order of addition, each given what the
 * one before returned; a failure goes to the errbacks until one returns a value again. Added after firing, they run
 * at once, inside the add; added from inside a running callback, after the present ones. Returning
 * solo_wait_for(inner) suspends the chain until inner has a result. All of it happens on the thread that owns the
 * Deferred's reactor.
 *
 * Life: made by solo_deferred_create or returned by a call that says so; whoever has it releases it once, or gives it
 * away with solo_wait_for. A Deferred that ends with a failure that nobody handled, or never fired, is SOLO008, with
 * where it was made (queued_by, queued_stack) and first fired (owner_stack). The failure SOLO_ECANCELLED of one that
 * was cancelled counts as handled.
 *
 * Returning solo_wait_for with a Deferred that waits for this one, or for itself, makes the result the failure
 * -EDEADLK; with one that was released or given away before, -EINVAL; both with SOLO008. After the chain took its
 * result, the inner Deferred has none left: callbacks added to it later get NULL, and its failure counts as handled.
 *
 * Source: Twisted's twisted.internet.defer.
 */
#ifndef SOLO_DEFERRED_H
#define SOLO_DEFERRED_H

#include <solo/error.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;
struct solo_deferred;

/* What a callback, a job or a blocking call returns: a value, a failure, or another Deferred to wait for. */
struct solo_result {
    int status;                     /* 0, or a negative code: a failure */
    void *value;                    /* of a success; may be NULL. Who owns it is the caller's matter */
    struct solo_deferred *wait_for; /* not NULL: the result will be this one's; the chain takes over the reference */
};

static inline struct solo_result solo_value(void *value)
{
    struct solo_result result = {0, value, (struct solo_deferred *)0};
    return result;
}

static inline struct solo_result solo_failure(int status)
{
    struct solo_result result = {status, (void *)0, (struct solo_deferred *)0};
    return result;
}

static inline struct solo_result solo_wait_for(struct solo_deferred *deferred)
{
    struct solo_result result = {0, (void *)0, deferred};
    return result;
}

typedef struct solo_result (*solo_callback_fn)(struct solo_result previous, void *arg);
typedef struct solo_result (*solo_maybe_fn)(void *arg);
typedef void (*solo_canceller_fn)(struct solo_deferred *deferred, void *arg);

/* Makes an unfired Deferred of this reactor. The canceller may be NULL. -EINVAL, -ENOMEM. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_create(struct solo_reactor *reactor, solo_canceller_fn canceller,
                                                       void *arg, struct solo_deferred **ret_deferred);

/* The same, fired already: with a value, or with a failure (-EINVAL: `status` is not negative). -ENOMEM. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_succeed(struct solo_reactor *reactor, void *value,
                                                        struct solo_deferred **ret_deferred);
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_fail(struct solo_reactor *reactor, int status,
                                                     struct solo_deferred **ret_deferred);

/*
 * Calls fn(arg) before this returns and gives a Deferred in any case: fired with the value or the failure that fn
 * returned, or the very one that it returned with solo_wait_for. -EINVAL, -ENOMEM: fn was not called. For what fn must
 * not return see solo_deferred_fire: the Deferred then has the failure -EINVAL.
 * Runs: fn on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_maybe_deferred(struct solo_reactor *reactor, solo_maybe_fn fn, void *arg,
                                                      struct solo_deferred **ret_deferred);

/*
 * Gives up the caller's reference. Callbacks already added still run when it fires. Accepts NULL.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_release(struct solo_deferred *deferred);

/*
 * Adds a pair: on a value `callback`, on a failure `errback`; either may be NULL and then passes the result on. The
 * first ten that wait need no memory; beyond those, -ENOMEM.
 * Runs: callback, errback on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_add(struct solo_deferred *deferred, solo_callback_fn callback,
                                                    solo_callback_fn errback, void *arg);

/*
 * Fires with a result (value, failure, or another Deferred's). SOLO_EALREADYCALLED, and SOLO008, if it was fired
 * before; the first firing after a cancel without canceller is swallowed. -EINVAL: a positive status.
 * Instead: solo_reactor_call_from_thread with a function that fires it
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_fire(struct solo_deferred *deferred, struct solo_result result);

/*
 * Unfired: calls the canceller; if that does not fire it, fails it with SOLO_ECANCELLED. Waiting for an inner
 * Deferred: cancels that one. Fired: nothing.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_cancel(struct solo_deferred *deferred);

/*
 * Cancels it delay_ns from now, if it has no result by then; callbacks added after this one see the failure
 * `timeout_status` (0: -ETIMEDOUT) instead of SOLO_ECANCELLED. A cancel by anybody else stays what it is, and a value
 * that the canceller gives, or that an errback added before makes of it, is a success. The timer ends with the first
 * result that gets here; on one that has a result there is none. At the end of the reactor nothing is cancelled.
 * -EINVAL: a positive status. -ENOMEM, SOLO_ECLOSING.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_add_timeout(struct solo_deferred *deferred, uint64_t delay_ns,
                                                            int timeout_status);

/*
 * Its chain stands still until as many solo_deferred_unpause calls have been made; fired meanwhile, it only keeps the
 * result. Released for good while it is paused, with callbacks that have not run, it is SOLO008. SOLO_ELIMIT: 2^32
 * pauses.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_pause(struct solo_deferred *deferred);

/* Takes back one pause; the last one lets the chain go on before this returns. -EINVAL: it is not paused. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_unpause(struct solo_deferred *deferred);

/* Whether it has a result now, and is not paused; if so and ret_result is not NULL, a copy of it. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_has_result(struct solo_deferred *deferred, bool *ret_has,
                                                           struct solo_result *ret_result);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_deferred_add(deferred, callback, errback, arg)                                                            \
    (SOLO__RUNS_ON_REACTOR(solo_callback_fn, callback, solo_value((void *)0), (void *)0),                              \
     SOLO__RUNS_ON_REACTOR(solo_callback_fn, errback, solo_value((void *)0), (void *)0),                               \
     solo_deferred_add(deferred, callback, errback, arg))
#define solo_maybe_deferred(reactor, fn, arg, ret_deferred)                                                            \
    (SOLO__RUNS_ON_REACTOR(solo_maybe_fn, fn, (void *)0), solo_maybe_deferred(reactor, fn, arg, ret_deferred))
#endif

#ifdef __cplusplus
}
#endif
#endif
