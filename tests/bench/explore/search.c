/* search.c - schedules of one shape under one strategy. */
#include "bench.h"
#include <stdlib.h>

static struct {
    const struct shape *shape;
    bool twin;
} running;

static void body(void *arg)
{
    (void)arg;
    running.shape->body(running.twin);
}

void bench_search_begin(struct bench_search *search, const char *strategy, struct solo_sim_log *log)
{
    size_t size;
    search->strategy = solo_strategy_find(strategy, &size);
    search->state = calloc(1, size);
    struct solo_sim_options options = {.strategy = search->strategy,
                                       .strategy_state = search->state,
                                       .steps_max = BENCH_STEPS_MAX,
                                       .let_time_pass = true,
                                       .log = log};
    unsigned argument = solo_strategy_argument(strategy, 0);
    if (search->state == NULL || solo_strategy_prepare(search->strategy, search->state, argument) < 0 ||
        solo_sim_create(&options, &search->sim) < 0) {
        abort();
    }
}

void bench_search_end(struct bench_search *search)
{
    solo_sim_destroy(search->sim);
    free(search->state);
}

int bench_search_next(struct bench_search *search, uint64_t seed, const struct shape *shape, bool twin,
                      bool *ret_failed)
{
    running.shape = shape;
    running.twin = twin;
    shape_failed = false;
    int ending = solo_sim_run(search->sim, seed, body, NULL);
    *ret_failed = ending >= 0 && (shape_failed || ending == SOLO_ENDING_DEADLOCK || ending == SOLO_ENDING_STEPS);
    return ending;
}

struct bench_trial bench_try(const char *strategy, unsigned seed, const struct shape *shape, bool twin,
                             unsigned schedules)
{
    struct bench_search search;
    struct bench_trial trial = {0, ""};
    bool failed = false;
    bench_search_begin(&search, strategy, NULL);
    for (unsigned i = 0; i < schedules && !failed; i++) {
        if (bench_search_next(&search, (uint64_t)seed * 1000003 + i, shape, twin, &failed) < 0) {
            break; /* everything was tried */
        }
        if (failed) {
            trial = (struct bench_trial){i + 1, solo_strategy_member(search.strategy, search.state)};
        }
    }
    bench_search_end(&search);
    return trial;
}
