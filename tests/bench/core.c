/*
 * core.c - how many schedules a second the scheduler core makes alone: schedules.core.
 *
 * Three workers, nine points each, set-up and end included, a fresh seed each. Each worker adds one to a plain counter
 * three times, with points around the read and the write, so that updates are lost in some schedules; how many, and how
 * many distinct traces there were, must not depend on the carrier.
 *
 * usage: core fiber|token SCHEDULES
 */
#include "sim_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORKERS = 3, ROUNDS = 3, TRACES = 1 << 18, TRACES_COUNTED = 20000 };

static struct core *core;
static volatile int counter;
static int finished;
static struct core_gate all_finished;
static const struct solo_wait why = {SOLO_WAIT_JOIN, 0, NULL};
static uint64_t lost, traces[TRACES], distinct;

static size_t choose(void *state, const struct solo_choice *choice)
{
    uint64_t *random = state;
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (size_t)((*random >> 32) * choice->count >> 32);
}

static int begin(void *state, uint64_t seed)
{
    *(uint64_t *)state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return 0;
}

static const struct solo_strategy random_walk = {.name = "random", .begin = begin, .choose = choose};

static void worker(void *arg)
{
    (void)arg;
    for (int round = 0; round < ROUNDS; round++) {
        core_announce(core, SOLO_PROBE_ACCESS_READ, SOLO_ACCESS_READ, 1, 0);
        int seen = counter;
        core_announce(core, SOLO_PROBE_ACCESS_WRITE, SOLO_ACCESS_WRITE, 1, 0);
        counter = seen + 1;
        core_announce(core, SOLO_PROBE_YIELD, SOLO_ACCESS_NONE, 0, 0);
    }
    if (++finished == WORKERS) {
        core_wake(core, &all_finished, false);
    }
}

static void body(void *arg)
{
    struct solo_thread *threads = arg;
    core = core_current();
    counter = finished = 0;
    memset(&all_finished, 0, sizeof all_finished);
    for (int i = 0; i < WORKERS; i++) {
        threads[i] = (struct solo_thread){.object = {.world = core_world(core), .id = (uint32_t)i + 1},
                                          .role = SOLO__ROLE_WORKER,
                                          .label = (uint32_t)i + 1,
                                          .fn = worker};
        core_thread_start(core, &threads[i]);
    }
    core_wait(core, &all_finished, &why, SOLO_NEVER);
}

static void count_trace(uint64_t hash)
{
    for (uint64_t at = hash % TRACES;; at = (at + 1) % TRACES) {
        if (traces[at] == hash) {
            return;
        }
        if (traces[at] == 0) {
            traces[at] = hash;
            distinct++;
            return;
        }
    }
}

int main(int argc, char **argv)
{
    bool token = argc > 1 && strcmp(argv[1], "token") == 0;
    uint64_t schedules = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
    uint64_t random = 1;
    struct solo_sim_options options = {.carrier = token ? SOLO_CARRIER_TOKEN : SOLO_CARRIER_FIBER,
                                       .strategy = &random_walk,
                                       .strategy_state = &random};
    struct solo_sim *sim;
    struct solo_thread threads[WORKERS];
    struct timespec from, to;
    if (solo_sim_create(&options, &sim) < 0) {
        return 3;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint64_t i = 0; i < schedules; i++) {
        solo_sim_run(sim, i, body, threads);
        if (i < TRACES_COUNTED) { /* the same seeds on both carriers */
            lost += counter < WORKERS * ROUNDS;
            count_trace(solo_sim_get_log(sim)->trace_hash);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%.0f\tschedules/s\tlost %lu distinct %lu events %lu\n", (double)schedules / seconds, (unsigned long)lost,
           (unsigned long)distinct, (unsigned long)solo_sim_get_log(sim)->events_count);
    solo_sim_destroy(sim);
    return 0;
}
