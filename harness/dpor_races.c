/*
 * dpor_races.c - which orders of the schedule that ran could have been the other way round.
 *
 * Clocks say what comes before what: for each step, how many steps of each thread are ordered before it by its own
 * thread, by who let it run, by the end of a thread that it joined, by time, and by conflicts. Steps are gone through
 * in order; of the earlier steps that one conflicts with, the latest first, each that is not yet ordered before it
 * makes a race.
 */
#include "dpor.h"
#include <string.h>

enum { CANDIDATES_MAX = 512 };

static uint32_t *clock_of(struct solo__dpor_state *state, uint32_t step)
{
    return &state->clocks[(size_t)step * state->thread_count];
}

static void join_clock(struct solo__dpor_state *state, uint32_t *clock, uint32_t step_plus_one)
{
    if (step_plus_one != 0) {
        const uint32_t *other = clock_of(state, step_plus_one - 1);
        for (uint32_t i = 0; i < state->thread_count; i++) {
            clock[i] = other[i] > clock[i] ? other[i] : clock[i];
        }
    }
}

/* ---- What to try because of a race ---- */

struct order {
    uint32_t
        first[SOLO__DPOR_THREADS]; /* each thread's first step after the race's first one that it does not order, + 1 */
};

static void list_free_steps(struct solo__dpor_state *state, uint32_t one, uint32_t two, struct order *order)
{
    const struct solo__dpor_step *earlier = &state->steps[one];
    memset(order->first, 0, state->thread_count * sizeof order->first[0]);
    for (uint32_t i = one + 1; i <= two; i++) {
        uint16_t thread = state->steps[i].thread;
        bool is_free = i == two || clock_of(state, i)[earlier->thread] < earlier->number;
        if (is_free && thread != SOLO__DPOR_TIME && order->first[thread] == 0) {
            order->first[thread] = i + 1;
        }
    }
}

/* Whether the thread's first free step can be the first of them all. */
static bool can_begin(struct solo__dpor_state *state, const struct order *order, uint16_t thread)
{
    if (thread == SOLO__DPOR_TIME || order->first[thread] == 0) {
        return false;
    }
    const uint32_t *clock = clock_of(state, order->first[thread] - 1);
    for (uint32_t other = 0; other < state->thread_count; other++) {
        uint32_t first = order->first[other];
        if (other != thread && first != 0 && first < order->first[thread] &&
            clock[other] >= state->steps[first - 1].number) {
            return false;
        }
    }
    return true;
}

static void want_all(struct solo__dpor_state *state, const struct solo__dpor_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        state->options[node->first_option + i].wanted = 1;
    }
}

/* Of idle workers with the same past the first one stands for all. */
static void want(struct solo__dpor_state *state, const struct solo__dpor_node *node, uint32_t index)
{
    struct solo__dpor_option *options = &state->options[node->first_option];
    uint32_t first = index;
    for (uint32_t i = 0; i < node->count && options[index].past != 0; i++) {
        if (options[i].past == options[index].past && options[i].thread < options[first].thread) {
            first = i;
        }
    }
    options[first].wanted = 1;
}

static void try_the_other_way(struct solo__dpor_state *state, uint32_t one, uint32_t two)
{
    uint32_t number = state->steps[one].node;
    if (number == 0 || number > state->depth) {
        return; /* nobody else could run then */
    }
    const struct solo__dpor_node *node = &state->nodes[number - 1];
    struct order order;
    list_free_steps(state, one, two, &order);
    uint32_t choice = UINT32_MAX;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct solo__dpor_option *option = &state->options[node->first_option + i];
        if (!can_begin(state, &order, option->thread)) {
            continue;
        }
        if (option->wanted || option->done || option->asleep) {
            return;
        }
        if (choice == UINT32_MAX || option->thread == state->steps[two].thread) {
            choice = i;
        }
    }
    if (choice != UINT32_MAX) {
        want(state, node, choice);
    } else {
        want_all(state, node);
    }
}

/* ---- Races ---- */

/* Earlier steps that conflict with this one, as far as none is known to be before another; latest first. */
static uint32_t list_conflicts(const struct solo__dpor_state *state, uint32_t step, uint32_t *candidates)
{
    uint32_t count = 0;
    uint32_t end = step + 1 < state->step_count ? state->steps[step + 1].first_touch : state->touch_count;
    for (uint32_t t = state->steps[step].first_touch; t < end; t++) {
        bool writes = state->touches[t].writes;
        for (uint32_t at = state->touches[t].previous; at != 0; at = state->touches[at - 1].previous) {
            const struct solo__dpor_touch *other = &state->touches[at - 1];
            bool conflicts = (writes || other->writes) && other->step != step &&
                             state->steps[other->step].thread != state->steps[step].thread;
            if (conflicts && count < CANDIDATES_MAX) {
                uint32_t i = count++;
                for (; i > 0 && candidates[i - 1] < other->step; i--) {
                    candidates[i] = candidates[i - 1];
                }
                candidates[i] = other->step;
            }
            if (other->writes && other->step != step) {
                break; /* what is before it, it is after */
            }
        }
    }
    return count;
}

static void order_step(struct solo__dpor_state *state, uint32_t index, uint32_t *last, uint32_t last_time)
{
    const struct solo__dpor_step *step = &state->steps[index];
    uint32_t candidates[CANDIDATES_MAX];
    uint32_t *clock = clock_of(state, index);
    join_clock(state, clock, last[step->thread]);
    join_clock(state, clock, step->after);
    join_clock(state, clock, step->after_too);
    join_clock(state, clock, last_time);
    clock[step->thread] = step->number;
    uint32_t count = list_conflicts(state, index, candidates);
    for (uint32_t i = 0; i < count; i++) {
        const struct solo__dpor_step *other = &state->steps[candidates[i]];
        if (clock[other->thread] < other->number) {
            try_the_other_way(state, candidates[i], index);
            join_clock(state, clock, candidates[i] + 1);
        }
    }
    last[step->thread] = index + 1;
}

static void order_time(struct solo__dpor_state *state, uint32_t index, const uint32_t *last)
{
    for (uint32_t i = 0; i < state->thread_count; i++) {
        join_clock(state, clock_of(state, index), last[i]);
    }
}

/* The end of main, or a crash, comes after everything, so whoever could run then has to be tried before it. */
static void try_before_the_end(struct solo__dpor_state *state)
{
    uint32_t node = state->step_count != 0 ? state->steps[state->step_count - 1].node : 0;
    if (node != 0 && node <= state->depth && !state->came_to_rest) {
        want_all(state, &state->nodes[node - 1]);
    }
}

void solo__dpor_find_races(struct solo__dpor_state *state)
{
    uint32_t last[SOLO__DPOR_THREADS] = {0};
    uint32_t last_time = 0;
    if ((size_t)state->step_count * state->thread_count > SOLO__DPOR_CLOCKS_MAX) {
        state->cut = 1;
        state->step_count = SOLO__DPOR_CLOCKS_MAX / state->thread_count;
    }
    memset(state->clocks, 0, (size_t)state->step_count * state->thread_count * sizeof state->clocks[0]);
    for (uint32_t i = 0; i < state->step_count; i++) {
        if (state->steps[i].thread == SOLO__DPOR_TIME) {
            order_time(state, i, last);
            last_time = i + 1;
        } else {
            order_step(state, i, last, last_time);
        }
    }
    try_before_the_end(state);
}
