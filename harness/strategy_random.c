/*
 * strategy_random.c - a seeded random walk.
 *
 * Every option is equally likely, but for time and faults (draw.h). The seed is the schedule's own, so schedule n of a
 * run is the same whatever came before it.
 */
#include "draw.h"
#include "strategy.h"

static int begin(void *state, uint64_t seed)
{
    ((struct solo__random_state *)state)->random = seed;
    return 0;
}

static size_t choose(void *state, const struct solo_choice *choice)
{
    struct solo__random_state *walk = state;
    if (!solo__offers_time(choice)) {
        return solo__draw_value(&walk->random, choice);
    }
    uint64_t random = solo__draw(&walk->random);
    return random % SOLO__RARE == 0 ? choice->count - 1 : solo__draw_below(random, choice->count - 1);
}

const struct solo_strategy solo__strategy_random = {.name = "random", .begin = begin, .choose = choose};

/* ---- As a member of the portfolio ---- */

static size_t choose_thread(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    (void)choice;
    return solo__draw_below(solo__draw(&state->random), threads);
}

const struct solo__sampler_table solo__sample_random = {.name = "random", .choose = choose_thread};
