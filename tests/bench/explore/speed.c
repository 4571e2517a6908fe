/* speed.c - how many schedules and events a second: about a second of processor time for each shape, or N schedules. */
#include "bench.h"
#include <stdio.h>
#include <time.h>

enum { BATCH = 100, GOAL = 100000 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Returns schedules a second. */
static double measure(const struct shape *shape)
{
    struct bench_search search;
    uint64_t schedules = 0, events = 0;
    bench_search_begin(&search, bench.strategy, NULL);
    double from = now_s(), spent;
    do {
        for (unsigned i = 0; i < BATCH; i++) {
            bool failed;
            (void)bench_search_next(&search, schedules++, shape, false, &failed);
            events += solo_sim_get_log(search.sim)->events_count;
        }
        spent = now_s() - from;
    } while (bench.schedules != 0 ? schedules < bench.schedules : spent < 1);
    bench_search_end(&search);
    printf("%-24s %9.0f schedules/s  %5.0f events each  %6.1f million events/s\n", shape->name,
           (double)schedules / spent, (double)events / (double)schedules, (double)events / spent / 1e6);
    return (double)schedules / spent;
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
