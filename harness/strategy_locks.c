/*
 * strategy_locks.c - whoever holds a lock and is about to take another one waits until nobody else can go on.
 *
 * Locks that are taken in a circle are a deadlock once each of the threads stands before its second lock. So all are
 * let come that far, whatever the locks are, and those who wait elsewhere go on in any order. In all schedules but the
 * first one some of the waiting is left out, because a thread may have to pass through one pair of locks to come to
 * another.
 */
#include "draw.h"
#include "sampling.h"
#include <string.h>

enum { PASSES_IN = 4 }; /* one time in so many it goes on at once */

static void begin(struct solo__sampling_state *state)
{
    memset(&state->locks, 0, sizeof state->locks);
    state->locks.seed = solo__draw(&state->random);
    state->patience = 0; /* letting time pass would only let them miss each other */
}

/* The same answer as long as the thread stands there. */
static bool waits(const struct solo__sampling_state *state, const struct solo_option *option)
{
    const struct solo__locks *locks = &state->locks;
    if (option->operation != SOLO_PROBE_LOCK || locks->held[option->thread] == 0) {
        return false;
    }
    uint64_t place = locks->seed ^ ((uint64_t)option->thread << 32 | locks->taken[option->thread]);
    return state->begun == 1 || solo__draw(&place) % PASSES_IN != 0;
}

static size_t choose(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    size_t free_one = 0, waiting_one = 0;
    uint32_t free_seen = 0, waiting_seen = 0;
    for (size_t i = 0; i < threads; i++) {
        bool is_waiting = waits(state, choice->options[i]);
        uint32_t *seen = is_waiting ? &waiting_seen : &free_seen;
        if (solo__draw_below(solo__draw(&state->random), ++*seen) == 0) { /* each of them is as likely */
            *(is_waiting ? &waiting_one : &free_one) = i;
        }
    }
    return free_seen != 0 ? free_one : waiting_one;
}

static void step(struct solo__sampling_state *state, const struct solo_event *event, uint16_t object)
{
    struct solo__locks *locks = &state->locks;
    (void)object;
    if (event->kind == SOLO_PROBE_LOCKED) {
        locks->taken[event->thread]++;
        locks->held[event->thread]++;
    } else if (event->kind == SOLO_PROBE_UNLOCK && locks->held[event->thread] != 0) {
        locks->held[event->thread]--;
    }
}

const struct solo__sampler_table solo__sample_locks = {.name = "locks", .begin = begin, .choose = choose, .step = step};
