/* twin.c - comparing two runs of one schedule. */
#include "twin.h"
#include "ledger.h"
#include <solo/trace.h>

bool solo__twin_is_due(const struct solo__region *region, uint64_t number)
{
    uint32_t every = region->request.twin_every;
    return every != 0 && number % every == 0;
}

void solo__twin_keep_events(struct solo__region *region)
{
    if (region->request.twin_every != 0 && !region->request.keep_events) {
        region->log.events_max = solo__twin_is_due(region, region->outcome.number + 1) ? SOLO__TWIN_EVENTS_MAX : 0;
    }
}

static bool same_event(const struct solo_event *a, const struct solo_event *b)
{
    return a->step == b->step && a->now_ns == b->now_ns && a->value == b->value && a->object == b->object &&
           a->thread == b->thread && a->kind == b->kind && a->access == b->access;
}

/* How many events both runs have in common from the beginning; the ring holds all of them, or the answer is 0. */
static uint64_t common_events(const struct solo__region *region, uint64_t both)
{
    uint64_t at = 0;
    while (at < both && same_event(&region->events[at], &region->twin_events[at])) {
        at++;
    }
    return at;
}

/* A trace line from its thread on. */
static const char *without_numbers(const char *line)
{
    for (unsigned spaces = 0; spaces < 2; line++) {
        spaces += *line == ' ';
    }
    return line;
}

void solo__twin_compare(struct solo__region *region)
{
    const struct solo_sim_log *first = &region->log;
    const struct solo_sim_log *second = &region->twin_log;
    if (first->trace_hash == second->trace_hash && first->events_count == second->events_count) {
        return;
    }
    if (first->events_count > SOLO__TWIN_EVENTS_MAX || second->events_count > SOLO__TWIN_EVENTS_MAX) {
        solo__outcome_add(&region->outcome, SOLO019_NONDETERMINISM, "the same schedule gave two traces");
        return;
    }
    uint64_t both = first->events_count < second->events_count ? first->events_count : second->events_count;
    uint64_t at = common_events(region, both);
    if (at == both) {
        solo__outcome_add(&region->outcome, SOLO019_NONDETERMINISM,
                          "the same schedule gave two traces: one ends after step %llu, the other goes on",
                          (unsigned long long)both);
        return;
    }
    struct solo_trace trace = {.thread_names = (const char(*)[SOLO_TRACE_NAME_MAX])region->outcome.thread_names,
                               .thread_count = region->outcome.thread_count};
    char one[SOLO_TRACE_LINE_MAX];
    char two[SOLO_TRACE_LINE_MAX];
    solo__outcome_add(&region->outcome, SOLO019_NONDETERMINISM,
                      "the same schedule gave two traces: step %llu was \"%s\", then \"%s\"",
                      (unsigned long long)at + 1, without_numbers(solo_trace_line(&trace, &region->events[at], one)),
                      without_numbers(solo_trace_line(&trace, &region->twin_events[at], two)));
}
