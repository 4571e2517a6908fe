/*
 * schedules.c - how many schedules a second the public API makes: schedules.fiber, schedules.tsan, schedules.token.
 *
 * A reactor and a pool of three workers are created; three jobs each add one to a plain counter three times, with a
 * point between the read and the write, and make a thread call each time (nine in all); the ninth stops the reactor; it
 * is destroyed. Guard, provenance, oracles and trace hash are on, with a fresh seed each. How many schedules lost an
 * update and how many traces were distinct must not depend on the carrier.
 *
 * usage: schedules fiber|token SCHEDULES
 */
#include "harness/oracle.h"
#include <solo/explore.h>
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORKERS = 3, ROUNDS = 3, TRACES = 1 << 18, TRACES_COUNTED = 20000 };

static struct solo_reactor *reactor;
static volatile int counter;
static int notes;
static uint64_t traces[TRACES];

static SOLO_REACTOR_ONLY void note(void *arg)
{
    (void)arg;
    if (++notes == WORKERS * ROUNDS) {
        (void)solo_reactor_stop(reactor);
    }
}

static SOLO_POOL_ONLY void job(void *arg)
{
    (void)arg;
    for (int round = 0; round < ROUNDS; round++) {
        int seen = counter;
        solo_yield();
        counter = seen + 1;
        (void)solo_reactor_call_from_thread(reactor, note, NULL, NULL);
    }
}

static void body(void *arg)
{
    struct solo_reactor_options options = {.pool_max = WORKERS};
    (void)arg;
    counter = notes = 0;
    if (solo_reactor_create(&options, &reactor) < 0) {
        abort();
    }
    for (int i = 0; i < WORKERS; i++) {
        (void)solo_reactor_call_in_thread(reactor, job, NULL, NULL);
    }
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
}

static bool is_new(uint64_t hash)
{
    for (uint64_t at = hash % TRACES;; at = (at + 1) % TRACES) {
        if (traces[at] == hash) {
            return false;
        }
        if (traces[at] == 0) {
            traces[at] = hash;
            return true;
        }
    }
}

int main(int argc, char **argv)
{
    bool token = argc > 1 && strcmp(argv[1], "token") == 0;
    uint64_t schedules = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
    size_t state_size;
    const struct solo_strategy *strategy = solo_strategy_find("random", &state_size);
    struct solo_sim_options options = {.carrier = token ? SOLO_CARRIER_TOKEN : SOLO_CARRIER_FIBER,
                                       .strategy = strategy,
                                       .strategy_state = calloc(1, state_size)};
    struct solo_sim *sim;
    struct timespec from, to;
    uint64_t lost = 0, distinct = 0;
    if (solo_sim_create(&options, &sim) < 0) {
        return 3;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint64_t i = 0; i < schedules; i++) {
        solo_oracles_begin();
        int ending = solo_sim_run(sim, i, body, NULL);
        solo_oracles_end(ending);
        if (ending != SOLO_ENDING_RETURNED || notes != WORKERS * ROUNDS) {
            fprintf(stderr, "schedule %lu ended with %d after %d thread calls\n", (unsigned long)i, ending, notes);
            return 1;
        }
        if (i < TRACES_COUNTED) { /* the same seeds on both carriers */
            lost += counter < WORKERS * ROUNDS;
            distinct += is_new(solo_sim_get_log(sim)->trace_hash);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%.0f\tschedules/s\tlost %lu distinct %lu events %lu\n", (double)schedules / seconds, (unsigned long)lost,
           (unsigned long)distinct, (unsigned long)solo_sim_get_log(sim)->events_count);
    solo_sim_destroy(sim);
    free(options.strategy_state);
    return 0;
}
