/*
 * oracle_inbox.c - SOLO014 for queues of the program's own (solo/inbox.h).
 *
 * Work is counted when whoever queued it is done with all it does for that, and a wake-up is on its way from the moment
 * it is about to be sent until the loop is about to take it back. So a step between saying and doing can only make a
 * loss look like none. One that was taken for none is found when nobody can go on any more.
 */
#include "oracle_internal.h"
#include <solo/inbox.h>
#include <string.h>

enum { INBOXES_MAX = 16 };

struct inbox {
    uint32_t id;
    uint16_t sleeper;
    bool asleep, wake_in_flight;
    unsigned giving;        /* threads that are about to queue something */
    int64_t pieces;         /* that were given, less those that were taken */
    struct solo_event last; /* of those that may lose something */
    struct solo_stack stack;
    bool woke[SOLO__ORACLE_THREADS_MAX]; /* in what this thread is giving */
};

static struct oracles *const all = &solo__oracles;
static struct {
    uint32_t epoch;
    unsigned count;
    struct inbox list[INBOXES_MAX];
} inboxes;

static struct inbox *find(uint32_t id)
{
    if (inboxes.epoch != all->epoch) {
        inboxes.epoch = all->epoch;
        inboxes.count = 0;
    }
    for (unsigned i = 0; i < inboxes.count; i++) {
        if (inboxes.list[i].id == id) {
            return &inboxes.list[i];
        }
    }
    if (inboxes.count == INBOXES_MAX) {
        return NULL;
    }
    struct inbox *inbox = &inboxes.list[inboxes.count++];
    memset(inbox, 0, sizeof *inbox);
    inbox->id = id;
    return inbox;
}

static bool is_lost(const struct inbox *inbox)
{
    return inbox->asleep && inbox->giving == 0 && inbox->pieces > 0;
}

static void report(const struct inbox *inbox)
{
    char sleeper[SOLO_VIOLATION_NAME_MAX];
    struct solo_violation *violation = solo__oracle_find(SOLO014_LOST_WAKEUP, NULL, &inbox->last);
    all->lost_wakeup_found = true;
    if (violation == NULL) {
        return;
    }
    violation->stack = inbox->stack;
    violation->object_id = inbox->id;
    violation->amount = (uint64_t)inbox->pieces;
    violation->role[0] = violation->job[0] = violation->queued_by[0] = '\0';
    violation->queued_stack.count = 0;
    solo_object_name(inbox->id, violation->object, sizeof violation->object);
    ORACLE_TEXT(violation->text,
                "lost wake-up: %lld piece%s of work %s in %s, `%s` sleeps, and no wake-up is on its way",
                (long long)inbox->pieces, inbox->pieces == 1 ? "" : "s", inbox->pieces == 1 ? "lies" : "lie",
                violation->object, solo_thread_name_of(inbox->sleeper, sleeper, sizeof sleeper));
    ORACLE_TEXT(violation->help, "%s",
                "queue first, then wake; and take the wake-up back before looking at the queue, never after");
}

static void take_step(struct inbox *inbox, const struct solo_event *event)
{
    int64_t count = (int64_t)(event->value >> 8);
    bool *woke = &inbox->woke[event->thread];
    switch ((enum solo_inbox_step)(event->value & 0xff)) {
    case SOLO_INBOX_GIVING:
        inbox->giving++;
        *woke = false;
        break;
    case SOLO_INBOX_WAKING: inbox->wake_in_flight = *woke = true; break;
    case SOLO_INBOX_GIVEN:
        inbox->giving -= inbox->giving != 0;
        inbox->pieces += count;
        inbox->wake_in_flight = inbox->wake_in_flight || *woke; /* the loop may have been told before it was sent */
        *woke = false;
        break;
    case SOLO_INBOX_SLEEPING:
        inbox->asleep = true;
        inbox->sleeper = event->thread;
        break;
    case SOLO_INBOX_WOKEN: inbox->asleep = inbox->wake_in_flight = false; break;
    case SOLO_INBOX_TAKEN:
        inbox->asleep = false;
        inbox->pieces -= count;
        break;
    default: break;
    }
}

void solo__oracle_inbox_event(const struct solo_event *event)
{
    struct inbox *inbox = event->thread < SOLO__ORACLE_THREADS_MAX ? find(event->object) : NULL;
    if (inbox == NULL || !all->in_sim) {
        return;
    }
    take_step(inbox, event);
    if (is_lost(inbox)) {
        inbox->last = *event;
        solo_stack_take(&inbox->stack);
        if (!inbox->wake_in_flight && !all->lost_wakeup_found) {
            report(inbox);
        }
    }
}

bool solo__oracle_inbox_deadlock(void)
{
    for (unsigned i = 0; inboxes.epoch == all->epoch && i < inboxes.count; i++) {
        if (is_lost(&inboxes.list[i])) {
            if (!all->lost_wakeup_found) {
                report(&inboxes.list[i]);
            }
            return true;
        }
    }
    return false;
}
