/*
 * searches.h - runs a small program under the exhaustive searches, plainly and with reduction, and compares what the
 * schedules leave behind. Programs sum that up in one number, with put().
 */
#ifndef SOLO_TESTS_SEARCHES_H
#define SOLO_TESTS_SEARCHES_H

#include "runner.h"
#include "strategy.h"
#include <solo/sim.h>
#include <solo/thread.h>
#include <stdlib.h>
#include <string.h>

enum { OUTCOMES_MAX = 4096, SCHEDULES_MAX = 300000, SAMPLES_MAX = 5000 };

static uint64_t outcome; /* of the schedule that just ended, as far as the program says */

static inline void put(uint64_t value)
{
    outcome = (outcome ^ value) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* Each thread is told its number. */
static inline void start_and_join(const solo_thread_fn *threads, unsigned count)
{
    struct solo_thread *started[8];
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(threads[i], (void *)(uintptr_t)i, &started[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        (void)solo_thread_join(started[i]);
    }
}

struct found {
    uint64_t outcomes[OUTCOMES_MAX];
    unsigned count;
    unsigned schedules; /* given-up ones included */
    unsigned given_up;
    bool ended;
};

static inline void add_outcome(struct found *found, uint64_t value)
{
    for (unsigned i = 0; i < found->count; i++) {
        if (found->outcomes[i] == value) {
            return;
        }
    }
    if (found->count < OUTCOMES_MAX) {
        found->outcomes[found->count++] = value;
    }
}

static inline void search_up_to(unsigned schedules_max, const char *name, void (*body)(void *arg), bool let_time_pass,
                                struct found *found)
{
    size_t size;
    const struct solo_strategy *strategy = solo_strategy_find(name, &size);
    void *state = calloc(1, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(strategy, state, SOLO_DELAY_UNBOUNDED), 0);
    if (strategy == &solo__strategy_dpor) {
        ((struct solo__dpor_state *)state)->time_may_pass = let_time_pass;
    }
    struct solo_sim_options options = {
        .strategy = strategy, .strategy_state = state, .let_time_pass = let_time_pass, .steps_max = 20000};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    memset(found, 0, sizeof *found);
    while (found->schedules < schedules_max) {
        outcome = 0;
        int ending = solo_sim_run(sim, 1 + found->schedules, body, NULL);
        if (ending < 0) {
            found->ended = true;
            break;
        }
        found->schedules++;
        if (ending == SOLO_ENDING_DIVERGED) {
            found->given_up++;
        } else {
            put((uint64_t)ending);
            add_outcome(found, outcome);
        }
    }
    solo_sim_destroy(sim);
    free(state);
}

static inline void search(const char *name, void (*body)(void *arg), bool let_time_pass, struct found *found)
{
    search_up_to(solo__strategy_samples(name) ? SAMPLES_MAX : SCHEDULES_MAX, name, body, let_time_pass, found);
}

static inline bool is_in(const struct found *found, uint64_t value)
{
    for (unsigned i = 0; i < found->count; i++) {
        if (found->outcomes[i] == value) {
            return true;
        }
    }
    return false;
}

static struct found plain, reduced;

/*
 * Both searches end with the same outcomes; the reduced one needs at most one schedule in `fraction` of the plain
 * one's.
 */
static inline void compare(void (*body)(void *arg), bool let_time_pass, unsigned fraction)
{
    search("dfs", body, let_time_pass, &plain);
    search("dpor", body, let_time_pass, &reduced);
    CU_ASSERT_TRUE(plain.ended);
    CU_ASSERT_TRUE(reduced.ended);
    unsigned missed = 0;
    for (unsigned i = 0; i < plain.count; i++) {
        missed += !is_in(&reduced, plain.outcomes[i]);
    }
    CU_ASSERT_EQUAL(missed, 0);
    CU_ASSERT_EQUAL(reduced.count, plain.count);
    CU_ASSERT_TRUE((uint64_t)reduced.schedules * fraction <= plain.schedules);
}

#endif
