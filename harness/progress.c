/*
 * progress.c - how far an exploration is, in one line that is written again and again.
 *
 * The time that is left is a guess from the speed so far: the exploration may end sooner, when everything was seen.
 */
#include "subject.h"

/* The part that is done of what would be done at most, from 0 to 1. */
static double part_done(const struct solo__ledger *ledger, const struct solo__request *request, unsigned shards)
{
    double wanted = (double)request->schedules_max;
    if (shards > 1 && solo__strategy_samples(request->strategy)) { /* of a search each may have so many */
        wanted /= shards;
    }
    double part = wanted > 0 ? (double)ledger->schedules / wanted : 0;
    double by_distinct =
        request->distinct_max != 0 ? (double)ledger->traces.distinct / (double)request->distinct_max : 0;
    part = by_distinct > part ? by_distinct : part;
    return part < 1 ? part : 1;
}

static void print_time(FILE *out, double seconds)
{
    if (seconds < 100) {
        fprintf(out, ", about %.0f s left", seconds);
    } else if (seconds < 6000) {
        fprintf(out, ", about %.0f min left", seconds / 60);
    } else {
        fprintf(out, ", about %.1f h left", seconds / 3600);
    }
}

void solo__subject_tick(void *arg)
{
    const struct solo__subject *subject = arg;
    if (subject->progress == NULL || subject->region->request.mode != SOLO__EXPLORE) {
        return;
    }
    const struct solo__ledger *ledger = &subject->region->ledger;
    double part = part_done(ledger, &subject->region->request, subject->shards);
    double seconds = (double)(solo__wall_ns() - subject->begun_ns) / 1e9;
    double now = (double)(ledger->schedules - subject->begun_with);
    fprintf(subject->progress, "\r%llu schedules, %llu distinct, %llu failing, %.0f %%",
            (unsigned long long)ledger->schedules, (unsigned long long)ledger->traces.distinct,
            (unsigned long long)ledger->failing, part * 100);
    if (now > 0 && part > 0) {
        print_time(subject->progress, seconds / now * (double)ledger->schedules * (1 - part) / part);
    }
    fputs("\033[K", subject->progress);
    fflush(subject->progress);
}
