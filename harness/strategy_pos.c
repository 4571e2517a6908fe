/*
 * strategy_pos.c - partial order sampling (Yuan, Yang, Gu, CAV 2018).
 *
 * Not threads but the operations they are about to do draw priorities; the highest one is done. When it is done, its
 * thread's next operation draws anew, and so do all that conflict with it: the order of operations that commute is
 * drawn once, and no schedule is likelier because it has more ways to write it down.
 */
#include "draw.h"
#include "sampling.h"

static void begin(struct solo__sampling_state *state)
{
    state->pos.threads = 0;
}

static size_t choose(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    struct solo__pos *pos = &state->pos;
    size_t best = 0;
    for (size_t i = 0; i < threads; i++) {
        const struct solo_option *option = choice->options[i];
        int64_t *priority = &state->priorities[option->thread];
        if (*priority == 0) {
            *priority = 1 + (int64_t)(solo__draw(&state->random) >> 2);
            pos->pending[option->thread].object = option->object;
            pos->pending[option->thread].access = option->access;
            pos->threads = option->thread >= pos->threads ? option->thread + 1u : pos->threads;
        }
        if (*priority > state->priorities[choice->options[best]->thread]) {
            best = i;
        }
    }
    return best;
}

static void step(struct solo__sampling_state *state, const struct solo_event *event, uint16_t object)
{
    (void)object;
    state->priorities[event->thread] = 0;
    if (event->object == 0 || event->access == SOLO_ACCESS_NONE) {
        return;
    }
    for (uint32_t i = 0; i < state->pos.threads; i++) {
        if (state->pos.pending[i].object == event->object &&
            ((state->pos.pending[i].access | event->access) & SOLO_ACCESS_WRITE) != 0) {
            state->priorities[i] = 0;
        }
    }
}

/* It was ready to go on, and draws anew for that. */
static void asked(struct solo__sampling_state *state, uint16_t thread)
{
    state->priorities[thread] = 0;
}

const struct solo__sampler_table solo__sample_pos = {
    .name = "pos", .begin = begin, .choose = choose, .step = step, .asked = asked};
