/* fair.c - when a strategy's preference has to give way. */
#include "fair.h"
#include "draw.h"

void solo__fair_begin(struct solo__fair *fair)
{
    *fair = (struct solo__fair){.thread = UINT16_MAX};
}

/* The next thread after fair->turn, in the order of numbers, round and round, but not the one that gives way. */
static size_t next_in_turn(struct solo__fair *fair, const struct solo_choice *choice, size_t threads)
{
    size_t lowest = choice->count;
    size_t next = choice->count;
    for (size_t i = 0; i < threads; i++) {
        uint16_t thread = choice->options[i]->thread;
        if (thread == fair->thread) {
            continue;
        }
        if (lowest == choice->count || thread < choice->options[lowest]->thread) {
            lowest = i;
        }
        if (thread > fair->turn && (next == choice->count || thread < choice->options[next]->thread)) {
            next = i;
        }
    }
    next = next != choice->count ? next : lowest;
    if (next != choice->count) {
        fair->turn = choice->options[next]->thread;
    }
    return next;
}

size_t solo__fair_demand(struct solo__fair *fair, const struct solo_choice *choice)
{
    if (choice->kind != SOLO_CHOICE_THREAD) {
        return choice->count;
    }
    size_t threads = solo__thread_options(choice);
    if (threads < choice->count && fair->still >= SOLO__FAIR_STILL_MAX) {
        return choice->count - 1;
    }
    if (fair->picks < SOLO__FAIR_PICKS_MAX && fair->yields < SOLO__FAIR_YIELDS_MAX) {
        return choice->count;
    }
    size_t other = next_in_turn(fair, choice, threads);
    bool only_spins = other == choice->count && fair->yields >= SOLO__FAIR_YIELDS_MAX;
    return only_spins && threads < choice->count ? choice->count - 1 : other; /* who waits for it, waits for time */
}
