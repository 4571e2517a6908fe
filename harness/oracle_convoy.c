/*
 * oracle_convoy.c - SOLO010: jobs that wait for one lock occupy the pool.
 *
 * Two or more pool jobs wait for a mutex whose holder sleeps or waits itself, every worker has a job, and more jobs are
 * queued: while time passes, nobody else's job runs. Short contention never counts, because no time passes in it; nor
 * does a holder that is merely slow.
 */
#include "oracle_internal.h"
#include <string.h>

static struct oracles *const all = &solo__oracles;

/* Whether every pool worker that lives has a job; a worker just started and still on its way has none. */
static bool pool_is_full(void)
{
    char name[SOLO_VIOLATION_NAME_MAX];
    for (unsigned i = 0; i < SOLO__ORACLE_THREADS_MAX; i++) {
        solo_thread_name_of(i, name, sizeof name);
        if (name[0] == '?') {
            return true; /* past the last thread */
        }
        const struct oracle_thread *thread = &all->threads[i];
        bool has_job = thread->epoch == all->epoch && thread->call_queue == SOLO_QUEUE_POOL;
        bool is_worker = strncmp(name, "pool#", 5) == 0 || strncmp(name, "pool/", 5) == 0;
        if (is_worker && !has_job) {
            return false;
        }
    }
    return true;
}

static unsigned jobs_waiting_for(uint32_t mutex, struct solo_violation *violation)
{
    unsigned count = 0;
    for (unsigned i = 0; i < all->threads_seen; i++) {
        const struct oracle_thread *thread = &all->threads[i];
        if (thread->epoch != all->epoch || thread->call_queue != SOLO_QUEUE_POOL ||
            thread->wait_kind != SOLO_WAIT_MUTEX || thread->wait_object != mutex) {
            continue;
        }
        if (violation != NULL && count < SOLO_WAITERS_MAX) {
            struct solo_waiter *waiter = &violation->waiters[count];
            solo_thread_name_of(i, waiter->thread, sizeof waiter->thread);
            solo_object_name(mutex, waiter->object, sizeof waiter->object);
            waiter->wait_kind = SOLO_WAIT_MUTEX;
            violation->waiter_count = count + 1;
        }
        count++;
    }
    return count;
}

static void report(const struct solo_event *event, const struct oracle_thread *waiter,
                   const struct oracle_thread *holder)
{
    struct solo_event here = *event;
    here.thread = (uint16_t)(waiter - all->threads);
    struct solo_violation *violation = solo__oracle_find(SOLO010_LOCK_CONVOY, "solo_mutex_lock", &here);
    if (violation == NULL) {
        return;
    }
    char holder_name[SOLO_VIOLATION_NAME_MAX];
    solo_thread_name_of((unsigned)(holder - all->threads), holder_name, sizeof holder_name);
    unsigned waiting = jobs_waiting_for(waiter->wait_object, violation);
    for (uint32_t i = 0; i < violation->waiter_count; i++) {
        ORACLE_TEXT(violation->waiters[i].holder, "%s", holder_name);
    }
    violation->stack = waiter->wait_stack;
    violation->object_id = waiter->wait_object;
    solo_object_name(waiter->wait_object, violation->object, sizeof violation->object);
    ORACLE_TEXT(violation->role, "pool worker");
    solo_object_name(waiter->call, violation->job, sizeof violation->job);
    violation->queued_by[0] = '\0';
    violation->queued_stack.count = 0;
    violation->amount = waiting;
    ORACLE_TEXT(violation->text, "lock convoy: %u jobs wait for %s, the pool is full, and %u more job%s cannot start",
                waiting, violation->object, all->jobs_queued, all->jobs_queued == 1 ? "" : "s");
    ORACLE_TEXT(
        violation->help, "%s",
        "do not line up behind a lock in the pool: give the work in order to one worker (solo_thread_worker_create)");
}

void solo__oracle_convoy_time(const struct solo_event *event)
{
    if (all->hush || event->now_ns <= all->now_ns) {
        return;
    }
    for (unsigned i = 0; i < all->threads_seen; i++) {
        const struct oracle_thread *thread = &all->threads[i];
        if (thread->epoch != all->epoch || thread->call_queue != SOLO_QUEUE_POOL ||
            thread->wait_kind != SOLO_WAIT_MUTEX || thread->wait_given_ns != 0) {
            continue;
        }
        const struct oracle_thread *holder = solo__oracle_holder(thread->wait_object);
        if (holder != NULL && solo__oracle_rests(holder, all->now_ns) &&
            jobs_waiting_for(thread->wait_object, NULL) >= 2 && pool_is_full()) {
            report(event, thread, holder);
            all->convoy_found = true;
            return;
        }
    }
}
