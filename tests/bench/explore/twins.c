/* twins.c - the passing twins: none may fail, whatever draws or searches its schedules. */
#include "bench.h"
#include <stdio.h>

enum { TWIN_SCHEDULES = 1000, TWIN_SEED = 7 };

/* How many strategies have something to say about the twin. */
static unsigned count_alarms(const struct shape *shape)
{
    unsigned alarms = 0;
    for (unsigned i = 0; solo_strategy_at(i) != NULL; i++) {
        const char *strategy = solo_strategy_at(i);
        bench_progress("twins", shape->name, strategy);
        unsigned schedules = bench.schedules != 0 ? bench.schedules : TWIN_SCHEDULES;
        struct bench_trial trial = bench_try(strategy, TWIN_SEED, shape, true, schedules);
        if (trial.first != 0) {
            printf("false alarm: %s under %s, schedule %u\n", shape->name, strategy, trial.first);
            alarms++;
        }
    }
    return alarms;
}

bool bench_twins(void)
{
    unsigned twins = 0, alarms = 0;
    for (unsigned i = 0; i < shape_count; i++) {
        if (bench_wants(shapes[i].name)) {
            twins++;
            alarms += count_alarms(&shapes[i]);
        }
    }
    printf("twins: %u, each under every strategy; false alarms: %u\n", twins, alarms);
    return alarms == 0;
}
