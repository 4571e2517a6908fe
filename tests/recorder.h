/*
 * recorder.h - a strategy that lets another one decide, and writes down what the schedule did as the search with
 * reduction sees it (harness/dpor.h): turns, what each touched, and who let whom go on.
 *
 * It notes some things that the search has no need to know, because it never reverses them: that a join which waits is
 * a join that could have come later, and likewise a wish of a worker that is alone with its queue; and which gift such
 * a worker took.
 */
#ifndef SOLO_TESTS_RECORDER_H
#define SOLO_TESTS_RECORDER_H

#include "strategy.h"

#if defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { RECORDER_STEPS_MAX = 1 << 11 };
#else
enum { RECORDER_STEPS_MAX = 1 << 12 };
#endif
enum { RECORDER_GIFTS_MAX = 1 << 10 };

/* Of a step, beyond what the search notes. */
enum recorder_mark {
    RECORDER_LATER = 1, /* its thread only finds out that it has to wait */
    RECORDER_LAST = 2   /* it may have to wait for all others that use what it ends, unseen */
};

struct recorder {
    const struct solo_strategy *leader; /* who decides */
    void *leader_state;
    struct solo__dpor_state *record;
    uint64_t histories[SOLO_SIM_THREADS_MAX]; /* of what each thread did, in its order */
    int ending;
    uint8_t marks[RECORDER_STEPS_MAX]; /* enum recorder_mark, of each step */
    struct {
        uint32_t step, object; /* + 1; 0: it wishes nothing */
    } wishes[SOLO_SIM_THREADS_MAX];
    struct {
        uint32_t object, step;   /* + 1 */
        uint64_t number;         /* the same whoever was given ids first */
    } gifts[RECORDER_GIFTS_MAX]; /* work that was accepted, and ends of workers */
    uint32_t gift_count;
};

extern const struct solo_strategy recorder_strategy;

/* NULL: no memory. The leader and its state are the caller's. */
struct recorder *recorder_make(const struct solo_strategy *leader, void *leader_state);
void recorder_end(struct recorder *recorder);

/* Whether the event is part of what its thread did, whoever else came before it. */
bool recorder_belongs_to_history(const struct solo_event *event);

#endif
