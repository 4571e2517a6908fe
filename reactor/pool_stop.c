/*
 * pool_stop.c - the end of a pool, without losing work and without hanging.
 *
 * begin_stop closes the door; the workers run the backlog while the reactor's loop keeps turning, and each quits when
 * nothing is left. finish comes when the pool has drained, or when the time for that is over, or in destroy without
 * any stop: it hands back what has not begun, waits for what runs until its deadline, and abandons the rest by name.
 * An abandoned worker may still touch its job and the pool, so they live until it comes back, which may be never.
 */
#include "pool_internal.h"
#include "sanitizer/annotate.h"
#include <solo/thread.h>

/* ---- Reports ---- */

/* What an abandoned worker waits for, if it waits; it may go on at any moment: this is a glance and not a promise. */
__attribute__((no_sanitize("thread"))) static void add_waiter(struct solo_violation *violation,
                                                              const struct solo__pool_worker *worker)
{
    const struct solo_wait *why = __atomic_load_n(&worker->thread->wait, __ATOMIC_RELAXED);
    if (why == NULL || violation->waiter_count == SOLO_WAITERS_MAX) {
        return;
    }
    struct solo_waiter *waiter = &violation->waiters[violation->waiter_count++];
    const struct solo_thread *holder = why->holder;
    waiter->wait_kind = (uint32_t)why->kind;
    (void)solo__thread_print_name(worker->thread, waiter->thread, sizeof waiter->thread);
    (void)solo_object_name(why->object, waiter->object, sizeof waiter->object);
    if (holder != NULL) {
        (void)solo__thread_print_name(holder, waiter->holder, sizeof waiter->holder);
    }
    if (why->kind != SOLO_WAIT_SLEEP) {
        violation->id = SOLO004_DEADLOCK;
    }
}

/* `never_began` says in words what was still queued; the jobs themselves may have been handed back since. */
static __attribute__((noinline, cold)) void report(struct solo_pool *pool, size_t queued, const char *never_began)
{
    struct solo_violation violation;
    char running[SOLO_VIOLATION_TEXT_MAX / 2];
    struct solo__text text = {running, sizeof running, 0, 0};
    running[0] = '\0';
    solo__violation_begin(&violation, SOLO011_WORK_LOST, SOLO__FN_NONE, pool, __builtin_frame_address(0),
                          __builtin_return_address(0));
    violation.amount = queued;
    for (const struct solo__pool_worker *worker = pool->abandoned; worker != NULL; worker = worker->next) {
        violation.amount++;
        add_waiter(&violation, worker);
    }
    solo__text_add_running(&text, pool->abandoned);
    const char *and = running[0] != '\0' && queued > 0 ? "; " : "";
    solo__violation_text(violation.text, "the pool did not finish its work in time: %s%s%s%s", running, and,
                         queued > 0 ? "never began: " : "", never_began);
    if (violation.id == SOLO004_DEADLOCK) {
        solo__violation_text(violation.help,
                             "a job must not wait for another job of its pool or for what ends before the pool; let "
                             "it wait with a limit, or let the reactor tell it to stop");
    } else {
        solo__violation_text(violation.help,
                             "make jobs end when the reactor stops (a flag that a before-shutdown trigger sets), or "
                             "raise drain_max_ns");
    }
    solo_violation_report(&violation);
}

/* ---- The reactor's hooks ---- */

static void start(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    bool starts = !pool->started && !pool->closing;
    pool->started = pool->started || starts;
    solo__pool_leave(pool);
    if (starts) {
        (void)solo__pool_start_needed(pool);
    }
}

/* Ends what has not begun: on the reactor thread, one at a time, because a done function may cancel the next. */
static void hand_back_queue(struct solo_pool *pool)
{
    for (;;) {
        solo__pool_enter(pool);
        struct solo__job *job = pool->queue.first;
        if (job != NULL) {
            solo__pool_withdraw(pool, job, SOLO_ECLOSING);
        }
        solo__pool_leave(pool);
        if (job == NULL) {
            return;
        }
        SOLO_ANNOTATE_HAPPENS_AFTER(job);
        solo__job_hand_back(job);
    }
}

void solo__pool_begin_stop(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    bool was_closing = pool->closing;
    pool->closing = true;
    solo__pool_close_inbox(pool);
    solo__pool_wake_all(pool);
    solo__pool_leave(pool);
    if (was_closing) {
        return;
    }
    (void)solo__pool_start_needed(pool);
    solo__pool_enter(pool);
    bool nobody = pool->worker_count == 0;
    solo__pool_leave(pool);
    if (nobody) {
        hand_back_queue(pool);
    }
}

bool solo__pool_is_drained(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    bool drained = pool->queued == 0 && pool->worker_count == 0 && pool->finished.first == NULL;
    solo__pool_leave(pool);
    return drained;
}

/* The reports that a remote control still holds; their jobs ran. */
static void report_held(struct solo_pool *pool)
{
    for (;;) {
        solo__pool_enter(pool);
        struct solo__job *job = pool->finished.first;
        if (job != NULL) {
            solo__job_list_remove(&pool->finished, job);
        }
        solo__pool_leave(pool);
        if (job == NULL) {
            return;
        }
        SOLO_ANNOTATE_HAPPENS_AFTER(job);
        job->call.serve(&job->call, 0);
    }
}

static struct solo_thread *somebody_busy(const struct solo_pool *pool)
{
    for (const struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (worker->job != NULL) {
            return worker->thread;
        }
    }
    return NULL;
}

static void wait_for_running(struct solo_pool *pool, uint64_t deadline_ns)
{
    struct solo_world *world = pool->object.world;
    struct solo_wait why = {SOLO_WAIT_DRAIN, pool->object.id, NULL};
    int status = 0;
    solo__pool_enter(pool);
    while (pool->busy > 0 && status == 0) {
        why.holder = somebody_busy(pool);
        status = world->threads->wait(world, &pool->gate, &pool->lock, &why, deadline_ns);
    }
    solo__pool_leave(pool);
}

/*
 * A worker that has claimed jobs begins one before it has reported the last. Nobody could report that one if the worker
 * were given up then. It needs no more than its turn; and it does not wake the pool for it, so it is looked for again.
 */
static void wait_for_reports(struct solo_pool *pool)
{
    enum { LOOK_AGAIN_NS = 1000000 };
    struct solo_world *world = pool->object.world;
    const struct solo_wait why = {SOLO_WAIT_DRAIN, pool->object.id, NULL};
    solo__pool_enter(pool);
    for (const struct solo__pool_worker *worker = pool->workers; worker != NULL;) {
        if (worker->running && __atomic_load_n(&worker->between, __ATOMIC_ACQUIRE)) {
            (void)world->threads->wait(world, &pool->gate, &pool->lock, &why,
                                       world->clock->now_ns(world) + LOOK_AGAIN_NS);
            worker = pool->workers;
        } else {
            worker = worker->next;
        }
    }
    solo__pool_leave(pool);
}

/* Moves workers whose job runs on out of the pool; returns how many. */
static unsigned abandon_running(struct solo_pool *pool)
{
    unsigned count = 0;
    solo__pool_enter(pool);
    struct solo__pool_worker *next;
    for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = next) {
        next = worker->next;
        if (worker->running) {
            solo__pool_unlink_worker(pool, worker);
            pool->busy--;
            pool->fast -= worker->fast;
            pool->handed_back++;
            worker->abandoned = true;
            worker->holders = 2;
            worker->next = pool->abandoned;
            pool->abandoned = worker;
            count++;
        }
    }
    solo__pool_leave(pool);
    return count;
}

/* Their jobs have failed as far as anybody will ever know. The jobs' memory stays: the workers still use it. */
static void fail_abandoned(struct solo_pool *pool)
{
    struct solo__pool_worker *worker = pool->abandoned;
    pool->abandoned = NULL;
    while (worker != NULL) {
        struct solo__pool_worker *next = worker->next;
        solo__job_end(worker->job, SOLO_ECLOSING);
        solo__pool_drop(pool, worker);
        worker = next;
    }
}

/* Idle workers, and those between a job and its report: they need no more than their turn. */
static void wait_for_leaving(struct solo_pool *pool)
{
    struct solo_world *world = pool->object.world;
    const struct solo_wait why = {SOLO_WAIT_DRAIN, pool->object.id, NULL};
    solo__pool_enter(pool);
    while (pool->worker_count > 0 || pool->reporting > 0) {
        (void)world->threads->wait(world, &pool->gate, &pool->lock, &why, SOLO_NEVER);
    }
    solo__pool_leave(pool);
}

/* A worker left behind may look at the pool at any time, and its job at the reactor: they are kept for ever. */
static void keep(struct solo_pool *pool)
{
    static struct solo_pool *kept;
    pool->next_kept = __atomic_load_n(&kept, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&kept, &pool->next_kept, pool, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
}

void solo__pool_tell_stopped(struct solo_pool *pool, int status)
{
    struct solo_reactor *reactor = pool->reactor;
    uint32_t id = pool->object.id;
    if (!pool->stop_asked || pool->stop_told) {
        return;
    }
    pool->stop_told = true;
    if (pool->stop_done != NULL) {
        solo__callback_begin(reactor, id);
        pool->stop_done(status, pool->stop_arg);
        solo__callback_end(reactor, id);
    }
}

static size_t finish(struct solo_pool *pool, uint64_t deadline_ns)
{
    struct solo_world *world = pool->object.world;
    char never_began[SOLO_VIOLATION_TEXT_MAX / 2];
    struct solo__text text = {never_began, sizeof never_began, 0, 0};
    never_began[0] = '\0';
    solo__pool_enter(pool);
    pool->closing = true;
    pool->finishing = true;
    solo__pool_close_inbox(pool);
    solo__pool_recall(pool);
    size_t queued = pool->queued;
    solo__text_add_queue(&text, pool);
    solo__pool_wake_all(pool);
    solo__pool_leave(pool);

    bool late = queued > 0 && world->clock->now_ns(world) >= deadline_ns;
    hand_back_queue(pool);
    report_held(pool);
    wait_for_running(pool, deadline_ns);
    wait_for_reports(pool);
    unsigned left = abandon_running(pool);
    if (left > 0 || late) {
        report(pool, queued, never_began);
    }
    fail_abandoned(pool);
    wait_for_leaving(pool);
    hand_back_queue(pool); /* what a remote control gave to a worker that had not begun it */
    solo__pool_reap(pool);
    if (left > 0 && !pool->chooses) {
        keep(pool);
    }
    solo__pool_tell_stopped(pool, left > 0 ? SOLO_ECLOSING : 0);
    return left;
}

static void destroy(struct solo_pool *pool)
{
    solo__object_end(pool);
}

const struct solo__pool_ops solo__pool_ops = {start, solo__pool_begin_stop, solo__pool_is_drained, finish, destroy};
