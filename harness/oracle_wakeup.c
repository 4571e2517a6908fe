/*
 * oracle_wakeup.c - SOLO014: work is queued, the reactor sleeps in its poll, and no wake-up is in flight.
 *
 * A call is announced before it is queued, and from there until it is queued and the wake-up was sent no other
 * thread runs; so the very next event tells: it is the wake-up, or there is none. Which reactor a call is for is
 * not said; so a finding needs every reactor that lives to be asleep without a wake-up. In world os, where threads
 * really run at once, it is silent.
 */
#include "oracle_internal.h"

static struct oracles *const all = &solo__oracles;

static const struct oracle_reactor *who_sleeps_through_it(uint64_t now_ns)
{
    const struct oracle_reactor *sleeper = NULL;
    for (unsigned i = 0; i < all->reactor_count; i++) {
        const struct oracle_reactor *reactor = &all->reactors[i];
        if (reactor->destroyed || reactor->state == SOLO_REACTOR_STOPPED) {
            continue;
        }
        if (!reactor->polling || reactor->wake_in_flight || reactor->poll_deadline_ns <= now_ns) {
            return NULL;
        }
        sleeper = sleeper == NULL ? reactor : sleeper;
    }
    return sleeper;
}

static void report(const struct oracle_reactor *sleeper, uint32_t call)
{
    struct solo_event here = {.step = all->unwoken_step, .now_ns = all->now_ns, .thread = all->unwoken_by};
    struct solo_violation *violation = solo__oracle_find(SOLO014_LOST_WAKEUP, NULL, &here);
    if (violation == NULL) {
        return;
    }
    char name[SOLO_VIOLATION_NAME_MAX];
    violation->object_id = sleeper->id;
    solo_object_name(sleeper->id, violation->object, sizeof violation->object);
    solo_thread_name_of(sleeper->thread, violation->owner, sizeof violation->owner);
    solo_stack_take(&violation->stack);
    ORACLE_TEXT(violation->text, "lost wake-up: %s is queued, %s sleeps in its poll, and no wake-up is on its way",
                solo_object_name(call, name, sizeof name), violation->object);
    ORACLE_TEXT(violation->help, "%s",
                "queue first, then wake; and clear the wake-up before looking at the queue, never after");
}

void solo__oracle_wakeup_check(const struct solo_event *event)
{
    uint32_t call = all->unwoken_call;
    all->unwoken_call = 0;
    bool answered = event->kind == SOLO_PROBE_WAKE_SENT || event->object == call; /* woken; or refused, or begun */
    if (!all->in_sim || answered || all->lost_wakeup_found || all->hush) {
        return;
    }
    const struct oracle_reactor *sleeper = who_sleeps_through_it(all->now_ns);
    if (sleeper != NULL) {
        all->lost_wakeup_found = true;
        report(sleeper, call);
    }
}

/* The call was the last thing that happened. */
void solo__oracle_wakeup_end(void)
{
    if (all->unwoken_call != 0) {
        struct solo_event nothing = {.kind = SOLO_PROBE_NONE};
        solo__oracle_wakeup_check(&nothing);
    }
}
