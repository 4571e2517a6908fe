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

enum { CONFLICTS_MAX = 512 };

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
    } else if (state->steps[two].thread != SOLO__DPOR_TIME) { /* time is tried wherever it could pass */
        want_all(state, node);
    }
}

/* ---- Races ---- */

struct conflict {
    uint32_t step;     /* the earlier one */
    uint32_t reverses; /* what is to come second instead, + 1: that step, or the lock before its unlock; 0: nothing */
};

struct conflicts {
    struct conflict list[CONFLICTS_MAX]; /* latest first */
    uint32_t count;
};

static void add_conflict(struct conflicts *conflicts, struct conflict conflict)
{
    struct conflict *list = conflicts->list;
    uint32_t at = conflicts->count;
    while (at > 0 && list[at - 1].step < conflict.step) {
        at--;
    }
    if (at > 0 && list[at - 1].step == conflict.step) {
        list[at - 1].reverses = list[at - 1].reverses > conflict.reverses ? list[at - 1].reverses : conflict.reverses;
        return;
    }
    if (conflicts->count == CONFLICTS_MAX) {
        return;
    }
    memmove(&list[at + 1], &list[at], (conflicts->count - at) * sizeof *list);
    list[at] = conflict;
    conflicts->count++;
}

/* The step + 1 in which what this touch gives was taken; 0: not in this schedule. */
static uint32_t taken_in(const struct solo__dpor_state *state, const struct solo__dpor_touch *gift)
{
    uint16_t thread = state->steps[gift->step].thread;
    for (uint32_t at = gift->previous; at != 0; at = state->touches[at - 1].previous) {
        const struct solo__dpor_touch *touch = &state->touches[at - 1];
        if (touch->takes && state->steps[touch->step].thread == thread) {
            return touch->step + 1;
        }
    }
    return 0;
}

/*
 * Earlier touches of this one's key that it conflicts with. Those of one way that follow each other commute, and each
 * of them comes after all that went before; so with the first change of way after a conflict there is nothing more.
 */
static void list_conflicts_of(const struct solo__dpor_state *state, const struct solo__dpor_touch *touch,
                              struct conflicts *conflicts)
{
    unsigned way = UINT8_MAX; /* of the conflicts found */
    uint32_t step = 0;        /* of the last of them */
    for (uint32_t at = touch->previous; at != 0; at = state->touches[at - 1].previous) {
        const struct solo__dpor_touch *other = &state->touches[at - 1];
        if (other->step == touch->step || other->in_vain != SOLO__DPOR_DONE) {
            continue;
        }
        if (way != UINT8_MAX && other->step != step && (other->way != way || way == SOLO__WRITES)) {
            return;
        }
        if (solo__ways_conflict(touch->way, other->way)) {
            way = other->way;
            step = other->step;
            if (state->steps[step].thread != state->steps[touch->step].thread) {
                bool lets_through = other->gives && touch->waits;
                add_conflict(conflicts, (struct conflict){step, lets_through ? taken_in(state, other) : step + 1});
            }
        }
    }
}

/* Earlier steps that conflict with this one, as far as none is known to be before another; latest first. */
static void list_conflicts(const struct solo__dpor_state *state, uint32_t step, struct conflicts *conflicts)
{
    uint32_t end = step + 1 < state->step_count ? state->steps[step + 1].first_touch : state->touch_count;
    conflicts->count = 0;
    for (uint32_t t = state->steps[step].first_touch; t < end; t++) {
        if (state->touches[t].in_vain != SOLO__DPOR_NOTHING) {
            list_conflicts_of(state, &state->touches[t], conflicts);
        }
    }
}

static void order_step(struct solo__dpor_state *state, uint32_t index, uint32_t *last, uint32_t last_time)
{
    const struct solo__dpor_step *step = &state->steps[index];
    struct conflicts conflicts;
    uint32_t *clock = clock_of(state, index);
    join_clock(state, clock, last[step->thread]);
    join_clock(state, clock, step->after);
    join_clock(state, clock, step->after_too);
    join_clock(state, clock, last_time);
    clock[step->thread] = step->number;
    list_conflicts(state, index, &conflicts);
    for (uint32_t i = 0; i < conflicts.count; i++) {
        const struct conflict *conflict = &conflicts.list[i];
        const struct solo__dpor_step *other = &state->steps[conflict->step];
        if (clock[other->thread] < other->number) {
            if (conflict->reverses != 0 && clock[other->thread] < state->steps[conflict->reverses - 1].number) {
                try_the_other_way(state, conflict->reverses - 1, index);
            }
            join_clock(state, clock, conflict->step + 1);
        }
    }
    last[step->thread] = index + 1;
}

/*
 * Time comes after all that was done. What did not have to be done for it to pass could have come after it: but then
 * whoever set the time limit has to be first.
 */
static void order_time(struct solo__dpor_state *state, uint32_t index, uint32_t last_time)
{
    uint32_t *clock = clock_of(state, index);
    join_clock(state, clock, last_time);
    for (uint32_t i = index; i > last_time; i--) {
        const struct solo__dpor_step *step = &state->steps[i - 1];
        if (clock[step->thread] < step->number) {
            if (state->time_may_pass) {
                try_the_other_way(state, i - 1, index);
            }
            join_clock(state, clock, i);
        }
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
            order_time(state, i, last_time);
            last_time = i + 1;
        } else {
            order_step(state, i, last, last_time);
        }
    }
    try_before_the_end(state);
}
