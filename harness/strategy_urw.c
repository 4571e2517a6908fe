/*
 * strategy_urw.c - uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025).
 *
 * A random walk prefers schedules in which threads end early: they leave few choices. Here each thread is drawn with a
 * weight of what it still has to do, with all that it has yet to start, as far as earlier schedules showed. If those
 * counts are right and nothing blocks, every interleaving is equally likely.
 */
#include "draw.h"
#include "sampling.h"

static uint32_t weight(const struct solo__sampling_state *state, const struct solo_option *option)
{
    return solo__profile_left(&state->profile, solo__profile_path(&state->profile, option->thread));
}

static size_t choose(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    uint64_t all = 0;
    for (size_t i = 0; i < threads; i++) {
        all += weight(state, choice->options[i]);
    }
    uint64_t drawn = all > 0 ? solo__draw(&state->random) % all : 0;
    size_t chosen = 0;
    while (chosen + 1 < threads && drawn >= weight(state, choice->options[chosen])) {
        drawn -= weight(state, choice->options[chosen++]);
    }
    return chosen;
}

const struct solo__sampler_table solo__sample_urw = {.name = "urw", .choose = choose, .wants_profile = true};
