/*
 * strategy_pct.c - probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).
 *
 * Each thread draws a priority above all change points; the highest one runs. At d - 1 choices, drawn evenly from as
 * many as schedules have had so far, the thread that would run next falls below everybody else. With n threads and k
 * choices a defect of depth d is found with probability at least 1 / (n k^(d-1)). The depth is given, or goes round
 * from 1 to SOLO__PCT_DEPTHS, because nobody knows it. A thread that yields or sleeps has said that others should go
 * first: it falls below them too.
 */
#include "draw.h"
#include "sampling.h"

enum { FIRST_GUESS = 64 }; /* of the number of choices, before a schedule was seen */

static void begin(struct solo__sampling_state *state)
{
    struct solo__pct *pct = &state->pct;
    uint32_t depth = state->argument != 0 ? state->argument : 1 + pct->begun % SOLO__PCT_DEPTHS;
    uint32_t length = state->longest != 0 ? state->longest : FIRST_GUESS;
    pct->begun++;
    pct->lowest = 0;
    pct->change_count = depth - 1;
    for (uint32_t i = 0; i < pct->change_count; i++) {
        pct->changes[i] = 1 + (uint32_t)solo__draw_below(solo__draw(&state->random), length);
    }
}

static size_t highest(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    size_t best = 0;
    for (size_t i = 0; i < threads; i++) {
        int64_t *priority = &state->priorities[choice->options[i]->thread];
        if (*priority == 0) {
            *priority = 1 + (int64_t)(solo__draw(&state->random) >> 2);
        }
        if (*priority > state->priorities[choice->options[best]->thread]) {
            best = i;
        }
    }
    return best;
}

static bool is_change(const struct solo__sampling_state *state)
{
    for (uint32_t i = 0; i < state->pct.change_count; i++) {
        if (state->pct.changes[i] == state->choices) {
            return true;
        }
    }
    return false;
}

static size_t choose(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    size_t best = highest(state, choice, threads);
    if (is_change(state)) {
        state->priorities[choice->options[best]->thread] = --state->pct.lowest;
        best = highest(state, choice, threads);
    }
    return best;
}

static void step(struct solo__sampling_state *state, const struct solo_event *event, uint16_t object)
{
    (void)object;
    if (event->kind == SOLO_PROBE_YIELD || event->kind == SOLO_PROBE_SLEEP) {
        state->priorities[event->thread] = --state->pct.lowest;
    }
}

const struct solo__sampler_table solo__sample_pct = {.name = "pct", .begin = begin, .choose = choose, .step = step};
