/*
 * oracle.c - one subscriber to the probe that keeps what the oracles share and tells each what concerns it.
 *
 * In world sim one virtual thread runs at a time, so no lock is needed, and none is wanted: a lock here would order the
 * program's threads for a race detector. In world os events come from many threads at once and take turns at `turn`.
 */
#include "oracle_internal.h"
#include "annotate.h"
#include "call_site.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct oracles solo__oracles;
static struct oracles *const all = &solo__oracles;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* ---- Tables ---- */

struct oracle_thread *solo__oracle_thread(unsigned number)
{
    if (number >= SOLO__ORACLE_THREADS_MAX) {
        return NULL;
    }
    struct oracle_thread *thread = &all->threads[number];
    if (thread->epoch != all->epoch) {
        thread->epoch = all->epoch;
        thread->callback_depth = 0;
        thread->in_loop = 0;
        thread->wait_kind = SOLO_WAIT_NONE;
        thread->call_queue = 0;
        thread->call = 0;
        thread->sleep_until_ns = 0;
        thread->wait_stack.count = 0;
        all->threads_seen = number >= all->threads_seen ? number + 1 : all->threads_seen;
    }
    return thread;
}

struct oracle_reactor *solo__oracle_reactor(uint32_t id)
{
    for (unsigned i = 0; i < all->reactor_count; i++) {
        if (all->reactors[i].id == id) {
            return &all->reactors[i];
        }
    }
    if (id == 0 || all->reactor_count == SOLO__ORACLE_REACTORS_MAX) {
        all->hush = true;
        return NULL;
    }
    struct oracle_reactor *reactor = &all->reactors[all->reactor_count++];
    *reactor = (struct oracle_reactor){.id = id};
    return reactor;
}

static inline unsigned thing_slot(uint32_t id, unsigned i)
{
    return ((id & 0xffffff) + (id >> 24) * 512 + i) & (SOLO__ORACLE_THINGS - 1);
}

struct oracle_thing *solo__oracle_thing(uint32_t id)
{
    for (unsigned i = 0; i < SOLO__ORACLE_WINDOW; i++) {
        struct oracle_thing *thing = &all->things[thing_slot(id, i)];
        if (thing->id == id && thing->epoch == all->epoch && thing->state != ORACLE_FREE) {
            return thing;
        }
    }
    return NULL;
}

static void open_thing(const struct solo_event *event, uint8_t queue)
{
    for (unsigned i = 0; i < SOLO__ORACLE_WINDOW; i++) {
        struct oracle_thing *thing = &all->things[thing_slot(event->object, i)];
        if (thing->epoch != all->epoch || thing->state == ORACLE_FREE) {
            *thing =
                (struct oracle_thing){event->object, all->epoch, queue, ORACLE_ACCEPTED, event->thread, event->step};
            return;
        }
    }
    all->hush = true;
}

struct oracle_thread *solo__oracle_holder(uint32_t mutex)
{
    const struct oracle_mutex *slot = &all->mutexes[mutex & (SOLO__ORACLE_MUTEXES - 1)];
    return slot->id == mutex && slot->epoch == all->epoch ? solo__oracle_thread(slot->holder) : NULL;
}

bool solo__oracle_rests(const struct oracle_thread *thread, uint64_t now_ns)
{
    return thread->wait_kind != SOLO_WAIT_NONE || thread->sleep_until_ns > now_ns;
}

bool solo__oracle_reactors_are_over(void)
{
    bool has_run = false;
    for (unsigned i = 0; i < all->reactor_count; i++) {
        const struct oracle_reactor *reactor = &all->reactors[i];
        if (!reactor->destroyed && reactor->state != SOLO_REACTOR_STOPPED) {
            return false;
        }
        has_run |= reactor->has_run;
    }
    return has_run;
}

/* ---- Findings ---- */

struct solo_violation *solo__oracle_find(unsigned id, const char *function, const struct solo_event *event)
{
    if (all->finding_count == SOLO__ORACLE_FINDINGS_MAX) {
        return NULL;
    }
    struct solo_violation *violation = &all->findings[all->finding_count++];
    solo_violation_begin(violation, id, function);
    violation->stack.count = 0; /* that of this very oracle: whoever found it knows a better one */
    if (event != NULL) {
        violation->step = event->step;
        violation->now_ns = event->now_ns;
        violation->thread_number = event->thread;
        solo_thread_name_of(event->thread, violation->thread, sizeof violation->thread);
    }
    return violation;
}

void solo__oracle_text(char *field, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(field, size, format, arguments);
    va_end(arguments);
}

const char *solo__oracle_waiting_function(unsigned wait_kind)
{
    switch (wait_kind) {
    case SOLO_WAIT_MUTEX: return "solo_mutex_lock";
    case SOLO_WAIT_CONDITION: return "solo_condition_wait";
    case SOLO_WAIT_SEMAPHORE: return "solo_semaphore_wait";
    case SOLO_WAIT_JOIN: return "solo_thread_join";
    case SOLO_WAIT_SLEEP: return "solo_sleep";
    case SOLO_WAIT_RESULT: return "solo_blocking_call_from_thread";
    case SOLO_WAIT_DRAIN: return "solo_reactor_destroy";
    default: return NULL;
    }
}

static void deliver_findings(void)
{
    unsigned count = all->finding_count;
    all->finding_count = 0;
    for (unsigned i = 0; i < count; i++) {
        (void)solo_violation_report(&all->findings[i]);
    }
}

/*
 * World os: a program may run for days, so a finding is told at once, and without the lock, for the sink may take
 * its time.
 */
static void deliver_now(void)
{
    struct solo_violation violation;
    for (;;) {
        pthread_mutex_lock(&turn);
        bool found = all->finding_count != 0;
        if (found) {
            violation = all->findings[--all->finding_count];
        }
        pthread_mutex_unlock(&turn);
        if (!found) {
            return;
        }
        (void)solo_violation_report(&violation);
    }
}

/* ---- What the events say about threads, calls and reactors ---- */

static void on_call_begun(const struct solo_event *event, struct oracle_thread *thread)
{
    struct oracle_thing *call = solo__oracle_thing(event->object);
    if (call == NULL || call->state != ORACLE_ACCEPTED) {
        return;
    }
    call->state = ORACLE_BEGUN;
    if (call->queue == SOLO_QUEUE_POOL) {
        all->jobs_queued--;
    }
    if (thread != NULL && thread->call == 0) {
        thread->call = event->object;
        thread->call_queue = call->queue;
    }
}

static void close_call(struct oracle_thing *call)
{
    if (call->state == ORACLE_ACCEPTED && call->queue == SOLO_QUEUE_POOL) {
        all->jobs_queued--;
    }
    call->state = ORACLE_FREE;
    all->calls_open--;
}

/*
 * The call's function returned, or its done function ran, or nobody will hear of it again: whichever comes first
 * ends it.
 */
static void on_call_over(const struct solo_event *event, struct oracle_thread *thread)
{
    if (thread != NULL && thread->call == event->object) {
        thread->call = 0;
        thread->call_queue = 0;
    }
    struct oracle_thing *call = solo__oracle_thing(event->object);
    if (call == NULL) {
        return;
    }
    if (event->kind == SOLO_PROBE_CALL_DROPPED) {
        solo__oracle_work_dropped(event, call);
    }
    close_call(call);
}

static void on_call_accepted(const struct solo_event *event)
{
    open_thing(event, (uint8_t)event->value);
    all->calls_open++;
    if (event->value == SOLO_QUEUE_POOL) {
        all->jobs_queued++;
    } else if (event->value == SOLO_QUEUE_THREAD_CALL || event->value == SOLO_QUEUE_BLOCKING) {
        all->unwoken_call = event->object;
        all->unwoken_by = event->thread;
        all->unwoken_step = event->step;
    }
}

static void on_deferred_over(const struct solo_event *event)
{
    struct oracle_thing *deferred = solo__oracle_thing(event->object);
    if (deferred != NULL) {
        deferred->state = ORACLE_FREE;
        all->deferreds_open--;
    }
}

static void on_block(const struct solo_event *event, struct oracle_thread *thread)
{
    thread->wait_kind = (uint8_t)event->value;
    thread->wait_object = event->object;
    thread->wait_since_ns = event->now_ns;
    thread->wait_given_ns = 0;
    thread->excused_ns = 0;
    if (event->value > SOLO_WAIT_PEER) {
        solo_stack_take(&thread->wait_stack);
        if (all->names_places) {
            solo__call_site_complete(&thread->wait_stack);
        }
    }
    if (solo__oracle_is_wait(thread->wait_kind)) {
        all->stalled_threads += thread->callback_depth != 0;
        all->mutex_waiters += event->value == SOLO_WAIT_MUTEX && thread->call_queue == SOLO_QUEUE_POOL;
    }
}

static void on_unblock(const struct solo_event *event, struct oracle_thread *thread)
{
    if (solo__oracle_is_wait(thread->wait_kind)) {
        all->stalled_threads -= thread->callback_depth != 0;
        all->mutex_waiters -= thread->wait_kind == SOLO_WAIT_MUTEX && thread->call_queue == SOLO_QUEUE_POOL;
        solo__oracle_blocked_unblock(event, thread);
    }
    thread->wait_kind = SOLO_WAIT_NONE;
}

static void on_reactor(const struct solo_event *event, struct oracle_thread *thread)
{
    struct oracle_reactor *reactor = solo__oracle_reactor(event->object);
    if (reactor == NULL) {
        return;
    }
    switch (event->kind) {
    case SOLO_PROBE_REACTOR_STATE:
        reactor->state = (uint8_t)event->value;
        reactor->has_run |= event->value == SOLO_REACTOR_RUNNING;
        if (thread != NULL) {
            thread->in_loop = event->value == SOLO_REACTOR_RUNNING || event->value == SOLO_REACTOR_STOPPING;
        }
        break;
    case SOLO_PROBE_PASS:
        reactor->thread = event->thread;
        if (thread != NULL) {
            thread->in_loop = 1;
        }
        break;
    case SOLO_PROBE_POLL:
        reactor->thread = event->thread;
        reactor->polling = true;
        reactor->poll_deadline_ns = event->value;
        break;
    case SOLO_PROBE_POLLED: reactor->polling = false; break;
    case SOLO_PROBE_WAKE_SENT: reactor->wake_in_flight = true; break;
    case SOLO_PROBE_WAKE_SEEN: reactor->wake_in_flight = false; break;
    default: break;
    }
}

static void on_object_ended(const struct solo_event *event)
{
    for (unsigned i = 0; i < all->reactor_count; i++) {
        all->reactors[i].destroyed |= all->reactors[i].id == event->object;
    }
}

static void on_time(const struct solo_event *event)
{
    if (all->stalled_threads != 0) {
        solo__oracle_blocked_time(event, all->thread_choice_step + 1 == event->step);
    }
    if (all->mutex_waiters >= 2 && all->jobs_queued != 0 && !all->convoy_found) {
        solo__oracle_convoy_time(event);
    }
}

static void on_locked(const struct solo_event *event)
{
    if (!all->lock_used) {
        all->lock_used = true;
        all->kinds |= solo__oracle_call_out_kinds & ~(UINT64_C(1) << SOLO_PROBE_LOCK);
    }
    solo__oracle_call_out_locked(event);
    solo__oracle_lock_taken(event);
}

static void first_event(void)
{
    all->known_world = true;
    all->in_sim = solo_sim_current() != NULL;
    all->budget_ns = all->budget_configured ? all->configured_budget_ns : all->in_sim ? 0 : SOLO_NEVER;
}

static void dispatch(const struct solo_event *event)
{
    struct oracle_thread *thread;
    if (all->unwoken_call != 0) {
        solo__oracle_wakeup_check(event);
    }
    if (all->lock_orders) {
        thread = solo__oracle_thread(event->thread);
        solo__oracle_lock_order_event(event, thread != NULL ? thread->wait_kind : SOLO_WAIT_NONE);
    }
    if (all->lock_used && (solo__oracle_call_out_kinds >> event->kind & 1) != 0) {
        solo__oracle_call_out_event(event, solo__oracle_thread(event->thread));
    }
    switch (event->kind) {
    case SOLO_PROBE_CALL_ACCEPTED: on_call_accepted(event); break;
    case SOLO_PROBE_CALL_BEGUN: on_call_begun(event, solo__oracle_thread(event->thread)); break;
    case SOLO_PROBE_CALL_ENDED:
    case SOLO_PROBE_CALL_HANDED_BACK:
    case SOLO_PROBE_CALL_DROPPED: on_call_over(event, solo__oracle_thread(event->thread)); break;
    case SOLO_PROBE_DEFERRED_MADE:
        open_thing(event, SOLO__ORACLE_DEFERRED);
        all->deferreds_open++;
        break;
    case SOLO_PROBE_DEFERRED_FIRED:
    case SOLO_PROBE_DEFERRED_ENDED: on_deferred_over(event); break;
    case SOLO_PROBE_REACTOR_STATE:
    case SOLO_PROBE_PASS:
    case SOLO_PROBE_POLL:
    case SOLO_PROBE_POLLED:
    case SOLO_PROBE_WAKE_SENT:
    case SOLO_PROBE_WAKE_SEEN: on_reactor(event, solo__oracle_thread(event->thread)); break;
    case SOLO_PROBE_OBJECT_ENDED: on_object_ended(event); break;
    case SOLO_PROBE_CALLBACK_BEGUN:
    case SOLO_PROBE_CALLBACK_ENDED:
        if ((thread = solo__oracle_thread(event->thread)) != NULL) {
            solo__oracle_blocked_callback(event, thread);
        }
        break;
    case SOLO_PROBE_SLEEP:
        if ((thread = solo__oracle_thread(event->thread)) != NULL) {
            thread->sleep_until_ns = event->value;
            solo__oracle_blocked_sleep(event, thread);
        }
        break;
    case SOLO_PROBE_BLOCK:
        if ((thread = solo__oracle_thread(event->thread)) != NULL) {
            on_block(event, thread);
        }
        break;
    case SOLO_PROBE_UNBLOCK:
        if ((thread = solo__oracle_thread(event->thread)) != NULL) {
            on_unblock(event, thread);
        }
        break;
    case SOLO_PROBE_LOCKED:
        all->mutexes[event->object & (SOLO__ORACLE_MUTEXES - 1)] =
            (struct oracle_mutex){event->object, all->epoch, event->thread};
        on_locked(event);
        break;
    case SOLO_PROBE_UNLOCK:
        all->mutexes[event->object & (SOLO__ORACLE_MUTEXES - 1)].id = 0;
        solo__oracle_blocked_given(event);
        solo__oracle_call_out_unlock(event);
        solo__oracle_lock_given(event);
        break;
    case SOLO_PROBE_SIGNAL:
    case SOLO_PROBE_THREAD_END: solo__oracle_blocked_given(event); break;
    case SOLO_PROBE_TIME: on_time(event); break;
    case SOLO_PROBE_INBOX: solo__oracle_inbox_event(event); break;
    default: break;
    }
    all->now_ns = event->now_ns;
}

/*
 * The kinds that dispatch does something about; in world sim time moves only at TIME, so the others need not be
 * looked at.
 */
#define KIND(name) (UINT64_C(1) << SOLO_PROBE_##name)
static const uint64_t watched_kinds =
    KIND(CALL_ACCEPTED) | KIND(CALL_BEGUN) | KIND(CALL_ENDED) | KIND(CALL_HANDED_BACK) | KIND(CALL_DROPPED) |
    KIND(DEFERRED_MADE) | KIND(DEFERRED_FIRED) | KIND(DEFERRED_ENDED) | KIND(REACTOR_STATE) | KIND(PASS) | KIND(POLL) |
    KIND(POLLED) | KIND(WAKE_SENT) | KIND(WAKE_SEEN) | KIND(OBJECT_ENDED) | KIND(CALLBACK_BEGUN) |
    KIND(CALLBACK_ENDED) | KIND(SLEEP) | KIND(BLOCK) | KIND(UNBLOCK) | KIND(LOCKED) | KIND(UNLOCK) | KIND(SIGNAL) |
    KIND(THREAD_END) | KIND(TIME) | KIND(INBOX);
#undef KIND
_Static_assert(SOLO_PROBE_KIND_COUNT <= 64, "a kind is a bit");

static __attribute__((noinline)) void on_watched_event(const struct solo_event *event)
{
    if (__builtin_expect(!all->known_world, 0)) {
        first_event();
    }
    if (all->in_sim) {
        dispatch(event);
        return;
    }
    pthread_mutex_lock(&turn);
    if (all->watching) {
        dispatch(event);
    }
    bool found = all->watching && all->finding_count != 0;
    pthread_mutex_unlock(&turn);
    if (__builtin_expect(found, 0)) {
        deliver_now();
    }
}

/* Most events end here, in a few instructions. */
static void on_event(const struct solo_event *event, void *arg)
{
    (void)arg;
    if ((all->kinds >> event->kind & 1) != 0 || all->unwoken_call != 0) {
        on_watched_event(event);
    } else if (event->kind == SOLO_PROBE_CHOICE && event->object == SOLO_CHOICE_THREAD) {
        all->thread_choice_step = event->step;
    }
}

/* ---- Begin and end ---- */

static void first_use(void)
{
    const char *budget = getenv("SOLO_BUDGET_NS");
    if (budget != NULL && !all->budget_configured) {
        solo_oracles_set_budget_ns(strtoull(budget, NULL, 10));
    }
    SOLO_ANNOTATE_PRIVATE(all, sizeof *all);
    solo__oracle_lock_order_prepare();
    solo__oracle_call_out_prepare();
    all->subscribed = solo_probe_subscribe(on_event, NULL) == 0;
}

void solo_oracles_begin(void)
{
    if (!all->subscribed) {
        first_use();
    }
    all->epoch++;
    all->known_world = false;
    all->hush = false;
    all->thread_choice_step = 0;
    all->now_ns = 0;
    all->stalled_threads = 0;
    all->mutex_waiters = 0;
    all->jobs_queued = 0;
    all->calls_open = 0;
    all->deferreds_open = 0;
    all->lost_count = 0;
    all->unwoken_call = 0;
    all->lost_wakeup_found = false;
    all->convoy_found = false;
    all->lock_orders = false;
    all->lock_used = false;
    all->reactor_count = 0;
    all->finding_count = 0;
    all->threads_seen = 0;
    all->watching = true;
    all->kinds = watched_kinds;
}

static void make_last_findings(int ending)
{
    solo__oracle_wakeup_end();
    solo__oracle_blocked_end();
    if (ending == SOLO_ENDING_DEADLOCK) {
        if (!solo__oracle_inbox_deadlock()) {
            solo__oracle_deadlock_end();
        }
        return; /* what else might have happened is no matter */
    }
    if (ending != SOLO_ENDING_STEPS) {
        solo__oracle_work_end(ending);
        solo__oracle_expect_end();
    }
    solo__oracle_lock_order_end();
    solo__oracle_call_out_end();
}

void solo_oracles_end(int ending)
{
    if (!all->watching) {
        return;
    }
    bool others_run = all->known_world && !all->in_sim;
    if (others_run) {
        pthread_mutex_lock(&turn);
    }
    all->watching = false;
    all->kinds = 0;
    if (ending != SOLO_ENDING_DIVERGED) {
        make_last_findings(ending);
    }
    all->unwoken_call = 0;
    if (others_run) {
        pthread_mutex_unlock(&turn);
    }
    deliver_findings();
}

void solo_oracles_die(void (*keep)(const struct solo_violation *violation, void *arg), void *arg)
{
    if (!all->watching || !all->in_sim) {
        return; /* in world os nothing is held back */
    }
    all->watching = false;
    all->kinds = 0;
    for (unsigned i = 0; i < all->finding_count; i++) {
        keep(&all->findings[i], arg);
    }
    all->finding_count = 0;
}

void solo_oracles_set_budget_ns(uint64_t budget_ns)
{
    all->configured_budget_ns = budget_ns;
    all->budget_configured = true;
}

void solo_oracles_name_places(bool wanted)
{
    all->names_places = wanted;
}
