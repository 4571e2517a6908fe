/*
 * tokens.c - what is left of the tokens: deviations from the plain schedule, found and shrunk.
 *
 * Each shape is explored as a scenario until it fails, and what is found is shrunk and replayed in a fresh process as
 * for any user. A shape of the size of account, deadlock and stack (8 to 43 points), which is at most four threads and
 * 50 points, is to need at most four deviations; every token is to show its finding again.
 */
#include "bench.h"
#include <stdio.h>
#include <string.h>

enum {
    TOKEN_SEEDS = 5,
    TOKEN_SCHEDULES = 10000,
    SMALL_THREADS_MAX = 4,
    SMALL_POINTS_MAX = 50,
    SMALL_DEVIATIONS_MAX = 4
};

static struct solo_report report; /* too large for the stack */
static const struct shape *shape_now;

static void set_up(void *arg)
{
    (void)arg;
    shape_failed = false;
}

static void body(void *arg)
{
    (void)arg;
    shape_now->body(false);
}

static const char *invariant(void *arg)
{
    (void)arg;
    return shape_failed ? "the shape's own check fails" : NULL;
}

struct tally {
    unsigned found, lost, most, most_before;
};

static void find_and_shrink(unsigned seed, struct tally *tally)
{
    struct solo_scenario scenario = {.name = shape_now->name, .set_up = set_up, .body = body, .invariant = invariant};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = bench.strategy;
    options.seed = (uint64_t)seed * 1000003;
    options.schedules_max = bench.schedules != 0 ? bench.schedules : TOKEN_SCHEDULES;
    options.stop_at_first = true;
    options.steps_max = BENCH_STEPS_MAX;
    if (solo_explore(&scenario, &options, &report) < 0 || report.finding_count == 0) {
        return;
    }
    const struct solo_finding *finding = &report.findings[0];
    tally->found++;
    tally->lost += !finding->reproduced;
    tally->most = finding->deviations > tally->most ? finding->deviations : tally->most;
    tally->most_before =
        finding->deviations_found > tally->most_before ? finding->deviations_found : tally->most_before;
}

static bool measure(const struct shape *shape, unsigned seeds)
{
    struct tally tally = {0, 0, 0, 0};
    shape_now = shape;
    for (unsigned seed = 0; seed < seeds; seed++) {
        bench_progress("tokens", shape->name, bench.strategy);
        find_and_shrink(seed, &tally);
    }
    bool small = shape->threads <= SMALL_THREADS_MAX && shape->points <= SMALL_POINTS_MAX;
    bool too_long = small && tally.most > SMALL_DEVIATIONS_MAX;
    printf("%-26s %3d threads, found %u of %u, at most %u deviations, shrunk to %u%s%s\n", shape->name, shape->threads,
           tally.found, seeds, tally.most_before, tally.most, too_long ? ": too many" : "",
           tally.lost != 0 ? ", not all reproduced" : "");
    (void)fflush(stdout);
    return !too_long && tally.lost == 0;
}

bool bench_tokens(void)
{
    unsigned broken = 0, seeds = bench.seeds < TOKEN_SEEDS ? bench.seeds : TOKEN_SEEDS;
    for (unsigned i = 0; i < shape_count; i++) {
        if (bench_wants(shapes[i].name)) {
            broken += !measure(&shapes[i], seeds);
        }
    }
    printf("tokens: too long or not reproduced for %u shapes\n", broken);
    return broken == 0;
}
