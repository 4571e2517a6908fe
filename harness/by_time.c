/*
 * by_time.c - order obtained by sleeping or by the clock.
 *
 * Computing costs no virtual time, so the plain schedule is that of a machine that is infinitely fast: whoever sleeps
 * for longer always comes later. Where a check holds then, and fails only because a deadline was reached while somebody
 * still had something to do, nothing but speed kept the order.
 */
#include "by_time.h"
#include <string.h>

static const struct solo_event *event_at(const struct solo__region *region, uint64_t index)
{
    return &region->events[index & (SOLO__EVENTS_MAX - 1)];
}

bool solo__by_time(const struct solo__region *region)
{
    uint64_t count = region->log.events_count;
    uint32_t deviations = 0;
    bool whole = region->log.ending == SOLO_ENDING_RETURNED || region->log.ending == SOLO_ENDING_QUIET;
    if (!whole || count > SOLO__EVENTS_MAX) {
        return false; /* it did not come to its end, or its beginning is not known any more */
    }
    for (uint64_t i = 0; i < count; i++) {
        const struct solo_event *event = event_at(region, i);
        if (event->kind != SOLO_PROBE_CHOICE || event->value == 0) {
            continue;
        }
        bool passes =
            event->object == SOLO_CHOICE_THREAD && i + 1 < count && event_at(region, i + 1)->kind == SOLO_PROBE_TIME;
        if (!passes) {
            return false;
        }
        deviations++;
    }
    return deviations != 0 && deviations == region->log.deviations;
}

void solo__by_time_mark(struct solo_violation *violation)
{
    char text[sizeof violation->text];
    if (violation->id != SOLO_NO_VIOLATION) {
        return;
    }
    memcpy(text, violation->text, sizeof text);
    violation->id = SOLO009_ORDER_BY_SLEEPING;
    snprintf(violation->text, sizeof violation->text, "%.*s: only because a thread was slow while time passed",
             (int)sizeof violation->text - 60, text);
    snprintf(violation->help, sizeof violation->help,
             "let what must come first say that it is done: a Deferred, a thread call, a join, never a longer sleep");
}
