/*
 * strategy_random.c - a seeded random walk.
 *
 * Every option is equally likely, with two exceptions: letting time pass, and a fault, are taken one time in RARE,
 * because a walk that lets every timeout run out, or fails every allocation, sees little else. The seed is the
 * schedule's own, so schedule n of a run is the same whatever came before it.
 */
#include "strategy.h"

enum { RARE = 8 };

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, also 0, 1, 2, ... */
static inline uint64_t next(struct solo__random_state *state)
{
    uint64_t z = state->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int begin(void *state, uint64_t seed)
{
    ((struct solo__random_state *)state)->random = seed;
    return 0;
}

/* Unbiased enough: the bias of a 32-bit product is below 1 in 10 million for counts up to 400. */
static inline size_t below(uint64_t random, size_t count)
{
    return (size_t)((random >> 32) * (uint64_t)count >> 32);
}

static size_t choose(void *state, const struct solo_choice *choice)
{
    uint64_t random = next(state);
    if (choice->kind == SOLO_CHOICE_FAULT) {
        return random % RARE == 0 ? 1 + below(random, choice->count - 1) : 0;
    }
    if (choice->kind == SOLO_CHOICE_THREAD && choice->options[choice->count - 1]->tag == SOLO_TAG_TIME) {
        return random % RARE == 0 ? choice->count - 1 : below(random, choice->count - 1);
    }
    return below(random, choice->count);
}

const struct solo_strategy solo__strategy_random = {"random", begin, choose, NULL, NULL};
