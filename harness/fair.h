/*
 * fair.h - no thread waits for ever because a strategy prefers another one.
 *
 * A thread that spins until somebody else acts can only go on if that somebody gets a turn, and one that waits for a
 * deadline only if time passes. Strategies with preferences would starve them. So: a thread that was preferred so often
 * in a row, or yielded so often, gives way once to each of the others in turn; and where so many choices were made
 * while the virtual clock stood still, it moves on. The counts are of choices and virtual time, never of real time, so
 * replays agree.
 */
#ifndef SOLO__FAIR_H
#define SOLO__FAIR_H

#include <solo/choice.h>
#include <solo/probe.h>
#include <stdbool.h>

enum {
    SOLO__FAIR_PICKS_MAX = 2000,  /* of one thread in a row, while another one could run */
    SOLO__FAIR_YIELDS_MAX = 16,   /* of the same, where it yielded each time */
    SOLO__FAIR_STILL_MAX = 10000, /* choices while time could have passed and did not */
};

struct solo__fair {
    uint16_t thread; /* picked last */
    uint16_t turn;   /* whose turn it is when the thread has to give way */
    uint32_t picks;  /* in a row */
    uint32_t yields; /* in a row */
    uint32_t still;
};

void solo__fair_begin(struct solo__fair *fair);
/* The option that fairness demands; choice->count: the strategy is free to choose. */
size_t solo__fair_demand(struct solo__fair *fair, const struct solo_choice *choice);
/* Told of what was taken among threads. `offers_time`: the last option lets time pass. */
static inline void solo__fair_took(struct solo__fair *fair, const struct solo_choice *choice, size_t taken,
                                   bool offers_time)
{
    const struct solo_option *option = choice->options[taken];
    if (offers_time && taken + 1 == choice->count) {
        fair->still = fair->picks = fair->yields = 0;
        return;
    }
    fair->still += offers_time;
    bool same = option->thread == fair->thread;
    fair->picks = same ? fair->picks + 1 : 0;
    fair->yields = option->operation != SOLO_PROBE_YIELD ? 0 : same ? fair->yields + 1 : 1;
    fair->thread = option->thread;
}

/* Whether it demands nothing, whatever is offered. */
static inline bool solo__fair_is_content(const struct solo__fair *fair)
{
    return fair->picks < SOLO__FAIR_PICKS_MAX && fair->yields < SOLO__FAIR_YIELDS_MAX &&
           fair->still < SOLO__FAIR_STILL_MAX;
}

#endif
