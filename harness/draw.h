/*
 * draw.h - random numbers for strategies, and the draws that all of them make alike.
 *
 * Questions about values (which waiter, which job, how many bytes) have no threads to order: every strategy that
 * samples answers them evenly. A fault, and letting time pass, are rare, because a schedule that fails every
 * allocation, or lets every timeout run out, sees little else.
 */
#ifndef SOLO__DRAW_H
#define SOLO__DRAW_H

#include <solo/choice.h>
#include <stdbool.h>

enum { SOLO__RARE = 8 }; /* one time in so many */

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, also 0, 1, 2, ... */
static inline uint64_t solo__draw(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Unbiased enough: the bias of a 32-bit product is below 1 in 10 million for counts up to 400. */
static inline size_t solo__draw_below(uint64_t random, size_t count)
{
    return (size_t)((random >> 32) * (uint64_t)count >> 32);
}

/* Whether the last option lets time pass. */
static inline bool solo__offers_time(const struct solo_choice *choice)
{
    return choice->kind == SOLO_CHOICE_THREAD && choice->options[choice->count - 1]->tag == SOLO_TAG_TIME;
}

/* How many options are threads. */
static inline size_t solo__thread_options(const struct solo_choice *choice)
{
    return choice->count - solo__offers_time(choice);
}

/* An answer to a question that is not about threads. */
static inline size_t solo__draw_value(uint64_t *random, const struct solo_choice *choice)
{
    uint64_t drawn = solo__draw(random);
    if (choice->kind == SOLO_CHOICE_FAULT) {
        return drawn % SOLO__RARE == 0 ? 1 + solo__draw_below(drawn, choice->count - 1) : 0;
    }
    return solo__draw_below(drawn, choice->count);
}

/*
 * How willing a schedule is to let time pass: never, now and then, often. Drawn once a schedule, since bugs that need a
 * timeout and bugs that need none are found by different schedules.
 */
static inline uint32_t solo__draw_patience(uint64_t *random)
{
    static const uint32_t one_in[] = {0, 64, SOLO__RARE, 2};
    return one_in[solo__draw_below(solo__draw(random), sizeof one_in / sizeof one_in[0])];
}

/* Whether time passes now, in a schedule of this patience. */
static inline bool solo__draw_time(uint64_t *random, uint32_t patience, const struct solo_choice *choice)
{
    return solo__offers_time(choice) && patience != 0 && solo__draw(random) % patience == 0;
}

#endif
