/*
 * speed.c - how many schedules and events a second: about a second of processor time for each shape, or N schedules.
 *
 * It is measured in ten parts, of which the fastest counts: what else goes on in the machine only takes away.
 */
#include "bench.h"
#include <stdio.h>
#include <time.h>

enum { BATCH = 100, PARTS = 10, GOAL = 100000 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Runs on for a part of what is to be measured. */
static struct part {
    double spent_s;
    uint64_t schedules, events;
} measure_part(struct bench_search *search, const struct shape *shape, uint64_t number)
{
    struct part part = {0, 0, 0};
    double from = now_s();
    do {
        for (unsigned i = 0; i < BATCH; i++) {
            bool failed;
            (void)bench_search_next(search, number + part.schedules++, shape, false, &failed);
            part.events += solo_sim_get_log(search->sim)->events_count;
        }
        part.spent_s = now_s() - from;
    } while (bench.schedules != 0 ? part.schedules < bench.schedules / PARTS : part.spent_s < 1.0 / PARTS);
    return part;
}

/* Returns schedules a second. */
static double measure(const struct shape *shape)
{
    struct bench_search search;
    struct part best = {0, 0, 0};
    uint64_t schedules = 0, events = 0;
    bench_search_begin(&search, bench.strategy, NULL);
    for (unsigned i = 0; i < PARTS; i++) {
        struct part part = measure_part(&search, shape, schedules);
        schedules += part.schedules;
        events += part.events;
        if (i == 0 || (double)part.schedules * best.spent_s > (double)best.schedules * part.spent_s) {
            best = part;
        }
    }
    bench_search_end(&search);
    double speed = (double)best.schedules / best.spent_s;
    printf("%-24s %9.0f schedules/s  %5.0f events each  %6.1f million events/s\n", shape->name, speed,
           (double)events / (double)schedules, (double)best.events / best.spent_s / 1e6);
    return speed;
}

bool bench_speed(void)
{
    unsigned shapes_seen = 0, fast = 0;
    for (unsigned i = 0; i < shape_count; i++) {
        if (bench_wants(shapes[i].name)) {
            bench_progress("speed", shapes[i].name, bench.strategy);
            shapes_seen++;
            fast += measure(&shapes[i]) >= GOAL;
        }
    }
    printf("speed: %u of %u shapes at %u schedules/s or more under %s\n", fast, shapes_seen, (unsigned)GOAL,
           bench.strategy);
    return fast == shapes_seen;
}
