/*
 * deferred_internal.h - Deferreds for kit use, on the reactor thread and without the entry ladder.
 *
 * Whoever will fire a Deferred later (the pool, a trigger phase, a blocking call) keeps it: the user may release the
 * public reference first, and the callbacks still have to run.
 */
#ifndef SOLO__DEFERRED_INTERNAL_H
#define SOLO__DEFERRED_INTERNAL_H

#include "provenance.h"
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

/* Takes over the public reference: from now on the caller keeps it. False: it was released or given away before. */
bool solo__deferred_take_over(struct solo_deferred *deferred);
/* Undoes it. */
void solo__deferred_give_back(struct solo_deferred *deferred);

/* Fires; SOLO_EALREADYCALLED, without a word, if it was fired before (such as by a cancel). Never allocates. */
int solo__deferred_fire(struct solo_deferred *deferred, struct solo_result result);

/* As solo_deferred_cancel. */
void solo__deferred_cancel(struct solo_deferred *deferred);

/* For a canceller: whether it is called because a timeout has passed. */
bool solo__deferred_is_late(const struct solo_deferred *deferred);

/* As solo_deferred_add. */
int solo__deferred_add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, void *arg);

/*
 * A pair in a node of its own. The kit's have a `dropped` and lie in memory of their owner, who may use it again as
 * soon as the callback begins. Each is called exactly once: the callback, or dropped if the Deferred ended without.
 */
struct solo__pair_node {
    struct solo__pair_node *next;
    uint32_t number;
    solo_callback_fn callback;
    solo_callback_fn errback;
    void *arg;
    void (*dropped)(void *arg); /* NULL: the node belongs to the Deferred */
    struct solo__provenance provenance;
};

/* Adds the kit's pair: `both` runs on a value and on a failure. Never allocates. */
void solo__deferred_append(struct solo_deferred *deferred, struct solo__pair_node *node, solo_callback_fn both,
                           void (*dropped)(void *arg), void *arg);

/* Whether this is a Deferred that is alive; for what a user's function returned. */
bool solo__deferred_is_alive(const struct solo_deferred *deferred);

/* As solo_deferred_has_result. */
bool solo__deferred_has_result(const struct solo_deferred *deferred, struct solo_result *ret_result);

#endif
