/*
 * deferred_internal.h - Deferreds for kit use, on the reactor thread and without the entry ladder.
 *
 * Whoever will fire a Deferred later (the pool, a trigger phase, a blocking call) keeps it: the user may release the
 * public reference first, and the callbacks still have to run.
 */
#ifndef SOLO__DEFERRED_INTERNAL_H
#define SOLO__DEFERRED_INTERNAL_H

#include <solo/deferred.h>

/*
 * Makes one with its public reference. `frame` and `return_address` are those of the public function that was called.
 */
int solo__deferred_make(struct solo_reactor *reactor, solo_canceller_fn canceller, void *arg, void *frame,
                        void *return_address, struct solo_deferred **ret_deferred);

/* A reference of the kit's own, beside the public one. */
void solo__deferred_keep(struct solo_deferred *deferred);
void solo__deferred_drop(struct solo_deferred *deferred);

/* Gives up the public reference where the kit has taken it over: from a trigger or as wait_for of a blocking call. */
void solo__deferred_release(struct solo_deferred *deferred);

/* Fires; SOLO_EALREADYCALLED, without a word, if it was fired before (such as by a cancel). Never allocates. */
int solo__deferred_fire(struct solo_deferred *deferred, struct solo_result result);

/* As solo_deferred_add. */
int solo__deferred_add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, void *arg);

/* Whether this is a Deferred that is alive; for what a user's function returned. */
bool solo__deferred_is_alive(const struct solo_deferred *deferred);

/* As solo_deferred_has_result. */
bool solo__deferred_has_result(const struct solo_deferred *deferred, struct solo_result *ret_result);

#endif
