/*
 * oracle_work.c - SOLO011: accepted work that a stop threw away without a word; and SOLO008: Deferreds that can
 * never fire.
 *
 * Work counts as lost when it never ran and nobody was told: it had no done function, or not even that was called.
 * Delayed calls and hooks left over at a stop are how programs end, and do not count. Nothing is said before every
 * reactor of the program has run and stopped, and nothing about what a full table may have missed.
 */
#include "oracle_internal.h"

static struct oracles *const all = &solo__oracles;

static const char *queue_text(unsigned queue)
{
    switch (queue) {
    case SOLO_QUEUE_THREAD_CALL: return "thread call";
    case SOLO_QUEUE_POOL: return "job";
    case SOLO_QUEUE_BLOCKING: return "blocking call";
    case SOLO_QUEUE_WORKER: return "piece of work";
    default: return NULL;
    }
}

static bool must_not_be_lost(const struct oracle_thing *call)
{
    return call->state == ORACLE_ACCEPTED && queue_text(call->queue) != NULL;
}

/* Any reactor that has run is enough here: the drop itself says that this call's reactor closes. */
static bool a_reactor_has_run(void)
{
    for (unsigned i = 0; i < all->reactor_count; i++) {
        if (all->reactors[i].has_run) {
            return true;
        }
    }
    return false;
}

void solo__oracle_work_dropped(const struct solo_event *event, const struct oracle_thing *call)
{
    if ((int)event->value == SOLO_ECLOSING && must_not_be_lost(call) &&
        (call->queue == SOLO_QUEUE_WORKER || a_reactor_has_run())) {
        if (all->lost_count++ == 0) {
            all->lost_first = *call;
        }
    }
}

static void report_lost(void)
{
    const struct oracle_thing *first = &all->lost_first;
    struct solo_event here = {.step = first->step, .now_ns = all->now_ns, .thread = first->thread};
    struct solo_violation *violation = solo__oracle_find(SOLO011_WORK_LOST, NULL, &here);
    if (violation == NULL) {
        return;
    }
    violation->object_id = first->id;
    solo_object_name(first->id, violation->object, sizeof violation->object);
    violation->job[0] = violation->queued_by[0] = violation->role[0] = '\0';
    violation->queued_stack.count = 0;
    violation->amount = all->lost_count;
    if (all->lost_count == 1) {
        ORACLE_TEXT(violation->text, "accepted work was lost: %s, a %s of `%s`, never ran and nobody was told",
                    violation->object, queue_text(first->queue), violation->thread);
    } else {
        ORACLE_TEXT(violation->text,
                    "accepted work was lost: %llu calls, first %s of `%s`, never ran and nobody was told",
                    (unsigned long long)all->lost_count, violation->object, violation->thread);
    }
    ORACLE_TEXT(violation->help, "%s",
                "stop only when the work is done, or give each call a done function: it gets SOLO_ECLOSING");
}

static void report_unfired(const struct oracle_thing *first, unsigned count)
{
    struct solo_event here = {.step = first->step, .now_ns = all->now_ns, .thread = first->thread};
    struct solo_violation *violation = solo__oracle_find(SOLO008_DEFERRED, NULL, &here);
    if (violation == NULL) {
        return;
    }
    violation->object_id = first->id;
    solo_object_name(first->id, violation->object, sizeof violation->object);
    violation->job[0] = violation->queued_by[0] = violation->role[0] = '\0';
    violation->queued_stack.count = 0;
    violation->amount = count;
    ORACLE_TEXT(violation->text, "%s never fired though the run ended%s", violation->object,
                count > 1 ? ", and it is not the only one" : "");
    ORACLE_TEXT(violation->help, "%s",
                "fire every Deferred on each path, also with solo_failure(...) when there is an error, and release it");
}

void solo__oracle_work_end(int ending)
{
    bool over = ending != SOLO_ENDING_QUIET && !all->hush && solo__oracle_reactors_are_over();
    const struct oracle_thing *unfired = NULL;
    unsigned unfired_count = 0;
    for (unsigned i = 0; over && i < SOLO__ORACLE_THINGS && all->calls_open + all->deferreds_open != 0; i++) {
        const struct oracle_thing *thing = &all->things[i];
        if (thing->epoch != all->epoch || thing->state == ORACLE_FREE) {
            continue;
        }
        if (thing->queue == SOLO__ORACLE_DEFERRED) {
            unfired = unfired == NULL || thing->id < unfired->id ? thing : unfired;
            unfired_count++;
        } else if (must_not_be_lost(thing) && thing->queue != SOLO_QUEUE_WORKER) {
            if (all->lost_count++ == 0 || thing->step < all->lost_first.step) {
                all->lost_first = *thing;
            }
        }
    }
    if (all->lost_count != 0) {
        report_lost();
    }
    if (unfired != NULL) {
        report_unfired(unfired, unfired_count);
    }
}
