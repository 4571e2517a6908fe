/*
 * deferred_private.h - the Deferred itself, for the files that make, run and report it.
 *
 * A Deferred has room for SOLO__PAIRS_INLINE pairs in its own memory, filled from the front, and anew when none of them
 * waits any more; other pairs are nodes of a list. Pairs are numbered in order of addition: solo__deferred_added is the
 * number of the next one, `ran` that of the next one to run.
 */
#ifndef SOLO__DEFERRED_PRIVATE_H
#define SOLO__DEFERRED_PRIVATE_H

#include "deferred_internal.h"
#include "guard.h"
#include "reactor_internal.h"

enum { SOLO__PAIRS_INLINE = 10 };

/* Where something was done, and by whom; all that is kept where full provenance is not wanted. */
struct solo__origin {
    void *from; /* return address of the public call */
    struct solo_thread *by;
};

/* A callback and an errback that wait for their turn. */
struct solo__pair {
    solo_callback_fn callback;
    solo_callback_fn errback;
    void *arg;
    void *from; /* return address of the call that added it */
};

struct solo_deferred {
    struct solo__object object;
    struct solo_deferred *next_ended; /* among those whose memory the reactor will use again */
    struct solo_reactor *reactor;
    solo_canceller_fn canceller;
    void *canceller_arg;
    struct solo__origin made, fired_at;
    struct solo__provenance *provenance; /* NULL, or right behind this: of made, of fired_at, of each inline pair */
    struct solo_result result;           /* valid once fired and while not waiting; its wait_for is always NULL */
    struct solo_thread *quick_for;       /* who adds a pair by writing it down: who made it; `nobody` where there is
                                            more to it */

    bool held; /* the public reference */

    /* From here to `pairs` zero in a new one: CLEARED in deferred.c. */
    struct solo_deferred *waiting_for; /* the inner Deferred that suspends this chain */
    struct solo_deferred *waiter;      /* the outer Deferred whose chain waits for this one */
    struct solo__pair_node *first, *last;
    uint32_t simple_end;                /* while it runs: inline pairs before this one are all there is to run */
    uint32_t inline_by_others;          /* those added by another thread than made.by: bits */
    uint32_t inline_next, inline_first; /* of `pairs`, used from the front and once */
    uint32_t added_beside;              /* pairs that were added and are not in `pairs` now */
    uint32_t paused;                    /* pauses that nobody has taken back */
    uint32_t ran;
    uint32_t waiter_turn; /* the waiter gets the result before the pair of this number */
    uint32_t keepers;     /* references of the kit */
    bool fired;
    bool running;
    bool cancelled;  /* somebody asked for it: its failure SOLO_ECANCELLED is no surprise */
    bool cancelling; /* the canceller runs */
    bool late;       /* it is a timeout that cancels it */
    bool swallow;    /* the next firing comes too late and is ignored */
    struct solo__pair pairs[SOLO__PAIRS_INLINE];
    struct solo_thread *pairs_by[SOLO__PAIRS_INLINE]; /* who added them, for inline_by_others */
};

enum { SOLO__OF_MADE = 0, SOLO__OF_FIRED, SOLO__OF_PAIRS, SOLO__ORIGINS = SOLO__OF_PAIRS + SOLO__PAIRS_INLINE };

/* How a Deferred ended: values of DEFERRED_ENDED. */
enum { SOLO__ENDED_CLEAN = 0, SOLO__ENDED_UNHANDLED = 1, SOLO__ENDED_UNFIRED = 2, SOLO__ENDED_PAUSED = 3 };

/* deferred_chain.c. The chain goes on, as far as it can. */
void solo__deferred_run(struct solo_deferred *deferred);
/* Fires one that has not fired. */
void solo__deferred_fire_from(struct solo_deferred *deferred, struct solo_result result, void *frame,
                              void *return_address);
void solo__deferred_fire_with(struct solo_deferred *deferred, const struct solo_result *result, void *frame,
                              void *return_address);

/* deferred.c. The ladder of `function`, out of line. */
int solo__deferred_check(struct solo_deferred *deferred, unsigned function, void *frame, void *return_address);
/* Ends it if nobody has it any more. */
void solo__deferred_end_if_unused(struct solo_deferred *deferred, void *frame, void *return_address);
void solo__deferred_cancel_from(struct solo_deferred *deferred, void *frame, void *return_address);

/* deferred_report.c: SOLO008. */
void solo__deferred_report_twice(struct solo_deferred *deferred, void *frame, void *return_address);
void solo__deferred_report_ended(struct solo_deferred *deferred, int how, void *frame, void *return_address);
void solo__deferred_report_bad_wait(struct solo_deferred *outer, bool circular);

/* How many pairs were ever added: the number of the next one. */
static inline uint32_t solo__deferred_added(const struct solo_deferred *deferred)
{
    return deferred->added_beside + deferred->inline_next;
}

/* For quick_for: no thread has this address. */
static inline struct solo_thread *solo__deferred_nobody(struct solo_deferred *deferred)
{
    return (struct solo_thread *)(void *)deferred;
}

/* Who does this now: `index` is one of the above where full provenance is kept. */
static inline void solo__deferred_note(struct solo_deferred *deferred, struct solo__origin *origin, unsigned index,
                                       void *frame, void *return_address)
{
    origin->from = return_address;
    origin->by = solo__self != NULL ? solo__self : solo__self_get();
    if (__builtin_expect(deferred->provenance != NULL, 0)) {
        solo__provenance_take(&deferred->provenance[index], deferred->object.id, frame, return_address);
    }
}

/* Told where full provenance is kept; elsewhere it costs a look. */
static inline void solo__deferred_tell(const struct solo_deferred *deferred, enum solo_probe_kind kind, uint64_t which)
{
    if (__builtin_expect(deferred->provenance != NULL, 0)) {
        solo__probe_tell(deferred->object.world, kind, deferred->object.id, which);
    }
}

/* Alive, its reactor alive, and the caller its owner: all that the ladder asks, in a few instructions. */
static inline bool solo__deferred_is_plain_call(const struct solo_deferred *deferred)
{
    const struct solo_thread *self = solo__self;
    return deferred != NULL && solo__object_is_alive(&deferred->object, SOLO__DEFERRED) &&
           solo__object_is_alive(&deferred->reactor->object, SOLO__REACTOR) &&
           solo__owner_thread(&deferred->reactor->owner) == self && self != NULL;
}

/* The same, and it is the one for whom adding a pair is quick: that one is never NULL. */
static inline bool solo__deferred_is_plain_quick_call(const struct solo_deferred *deferred)
{
    const struct solo_thread *self = solo__self;
    return deferred != NULL && solo__object_is_alive(&deferred->object, SOLO__DEFERRED) &&
           solo__object_is_alive(&deferred->reactor->object, SOLO__REACTOR) &&
           solo__owner_thread(&deferred->reactor->owner) == self && deferred->quick_for == self;
}

/* The rungs of every function on a Deferred but release: alive, its reactor alive, the right thread. */
#define SOLO__DEFERRED_LADDER(function, deferred)                                                                      \
    do {                                                                                                               \
        if (__builtin_expect(!solo__deferred_is_plain_call(deferred), 0)) {                                            \
            int solo__e = solo__deferred_check((deferred), SOLO__FN_##function, __builtin_frame_address(0),            \
                                               __builtin_return_address(0));                                           \
            if (solo__e < 0) {                                                                                         \
                return solo__e;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
