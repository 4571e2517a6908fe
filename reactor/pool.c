/*
 * pool.c - a pool of worker threads: workers for its jobs, sizes and statistics.
 *
 * Invariant, whenever the lock is free: every queued job has an idle worker of its own that is awake and on its way to
 * the queue, or no worker sleeps and there are as many as there may be (or another one is just being started, or the
 * pool is held). solo__pool_wake_for_queue and solo__pool_start_needed restore it after each change. Whoever finishes
 * or starts looks at the queue before it sleeps, so nobody needs to be woken for it.
 */
#include "chooser.h"
#include "pool_internal.h"
#include "sanitizer/annotate.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

/* ---- Workers ---- */

bool solo__pool_may_add_worker(const struct solo_pool *pool)
{
    return pool->started && !pool->finishing && pool->worker_count < pool->max;
}

bool solo__pool_wants_worker(const struct solo_pool *pool)
{
    if (!solo__pool_may_add_worker(pool)) {
        return false;
    }
    return pool->queued > pool->worker_count - pool->busy || (pool->worker_count < pool->min && !pool->closing);
}

/* Links the worker in at the lowest free number. */
static void link_worker(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo__pool_worker **link = &pool->workers;
    unsigned number = 1;
    while (*link != NULL && (*link)->number == number) {
        link = &(*link)->next;
        number++;
    }
    worker->number = number;
    worker->next = *link;
    *link = worker;
    pool->worker_count++;
    pool->leaving -= pool->leaving > 0; /* one that was to go is wanted after all */
}

void solo__pool_unlink_worker(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo__pool_worker **link = &pool->workers;
    while (*link != worker) {
        link = &(*link)->next;
    }
    *link = worker->next;
    pool->worker_count--;
    pool->leaving -= pool->leaving > pool->worker_count;
    if (pool->finishing) {
        pool->object.world->threads->wake(pool->object.world, &pool->gate, true);
    }
}

/* Starts the thread of a linked worker, or takes the worker out again. */
static int start_worker(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo_world *world = pool->object.world;
    struct solo_thread *thread;
    int status = solo__thread_start(world, SOLO__ROLE_POOL, pool->name[0] != '\0' ? pool->name : NULL, worker->number,
                                    solo__pool_worker_main, worker, &thread);
    if (status < 0) {
        solo__pool_enter(pool);
        solo__pool_take_back(pool, worker);
        solo__pool_unlink_worker(pool, worker);
        solo__pool_leave(pool);
        world->memory->release(world, worker);
    }
    return status < 0 ? status : 1;
}

/* With the lock held: the oldest queued job if nobody is there to run it, off the queue. */
static struct solo__job *next_hopeless(struct solo_pool *pool, int status)
{
    struct solo__job *job = pool->worker_count == 0 ? pool->queue.first : NULL;
    if (job != NULL) {
        solo__pool_withdraw(pool, job, status);
        pool->reporting++;
    }
    return job;
}

/* No worker could be started. The queue is left to those there are; with none it is handed back. */
static void give_up_queue(struct solo_pool *pool, int status)
{
    for (;;) {
        solo__pool_enter(pool);
        struct solo__job *job = next_hopeless(pool, status);
        solo__pool_leave(pool);
        if (job == NULL) {
            return;
        }
        SOLO_ANNOTATE_HAPPENS_AFTER(job);
        (void)solo__reactor_post(pool->reactor, &job->call, true);
        solo__pool_has_reported(pool);
    }
}

static int add_worker(struct solo_pool *pool, bool any)
{
    struct solo_world *world = pool->object.world;
    struct solo__pool_worker *worker = world->memory->allocate(world, sizeof *worker);
    if (worker == NULL) {
        return -ENOMEM;
    }
    memset(worker, 0, offsetof(struct solo__pool_worker, claimed));
    worker->pool = pool;
    worker->claims_max = 1;
    solo__pool_enter(pool);
    bool added = any ? solo__pool_may_add_worker(pool) : solo__pool_wants_worker(pool);
    if (added) {
        link_worker(pool, worker);
    }
    solo__pool_leave(pool);
    if (!added) { /* somebody else was quicker */
        world->memory->release(world, worker);
        return 0;
    }
    return start_worker(pool, worker);
}

int solo__pool_add_worker(struct solo_pool *pool, bool any)
{
    solo__pool_reap(pool);
    int status = add_worker(pool, any);
    if (status < 0) {
        give_up_queue(pool, status);
        solo__pool_note_drained(pool); /* the worker that was not to be may have been all that a stop waited for */
    }
    return status;
}

int solo__pool_start_needed(struct solo_pool *pool)
{
    for (;;) {
        solo__pool_enter(pool);
        solo__pool_settle(pool);
        bool wanted = solo__pool_wants_worker(pool);
        solo__pool_leave(pool);
        int status = wanted ? solo__pool_add_worker(pool, false) : 0;
        if (!wanted || status < 0) {
            return status;
        }
    }
}

void solo__pool_wake_worker(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    if (worker->sleeping) {
        worker->sleeping = false;
        pool->sleeping--;
        pool->object.world->threads->wake(pool->object.world, &worker->gate, false);
    }
}

void solo__pool_wake_all(struct solo_pool *pool)
{
    for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        solo__pool_wake_worker(pool, worker);
    }
}

/*
 * Which sleeping worker gets the next job: the lowest number, one that watches only if there is no other; or what the
 * chooser says.
 */
static struct solo__pool_worker *choose_worker(struct solo_pool *pool)
{
    struct solo__pool_worker *sleepers[SOLO_POOL_WORKERS_MAX];
    struct solo_option records[SOLO_POOL_WORKERS_MAX];
    const struct solo_option *options[SOLO_POOL_WORKERS_MAX];
    size_t count = 0;
    for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (worker->sleeping) {
            records[count] = (struct solo_option){.tag = worker->number,
                                                  .thread = worker->thread->number,
                                                  .operation = SOLO_PROBE_JOB_WANTED,
                                                  .access = SOLO_ACCESS_WRITE,
                                                  .object = pool->object.id};
            options[count] = &records[count];
            sleepers[count++] = worker;
        }
        if (count > 0 && (pool->chooses ? pool->sleeping == 1 : !sleepers[count - 1]->watches)) {
            return sleepers[count - 1];
        }
    }
    assert(count > 0);
    return sleepers[pool->chooses ? solo__choose(pool->object.world, SOLO_CHOICE_WORKER, options, count) : 0];
}

/*
 * Nobody is awake and idle. In world os it is enough that a worker does very short jobs and will be back at once, if
 * another one sees to it that this stays true.
 */
bool solo__pool_should_wake(const struct solo_pool *pool)
{
    return pool->sleeping > 0 && pool->worker_count == pool->busy + pool->sleeping &&
           !(pool->watched && pool->fast > 0);
}

void solo__pool_wake_for_queue(struct solo_pool *pool)
{
    if (pool->held) {
        return;
    }
    if (!pool->chooses) { /* one at a time: it wakes the next when it has seen what there is */
        if (solo__pool_should_wake(pool) && pool->queued + solo__pool_claimed(pool) > 0) {
            solo__pool_wake_worker(pool, choose_worker(pool));
        }
        return;
    }
    while (pool->sleeping > 0 && pool->queued > pool->worker_count - pool->busy - pool->sleeping) {
        solo__pool_wake_worker(pool, choose_worker(pool));
    }
}

void solo__pool_unqueue(struct solo_pool *pool, struct solo__job *job)
{
    solo__job_list_remove(&pool->queue, job);
    pool->queued--;
    if (pool->closing && pool->queued == 0) {
        solo__pool_wake_all(pool); /* whoever waited for more may go */
    }
}

void solo__pool_withdraw(struct solo_pool *pool, struct solo__job *job, int status)
{
    solo__pool_unqueue(pool, job);
    pool->handed_back++;
    job->state = SOLO_JOB_FINISHED;
    job->status = status;
}

void solo__pool_take_back(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    if (worker->job != NULL) {
        worker->job->state = SOLO_JOB_QUEUED;
        solo__job_list_add_first(&pool->queue, worker->job);
        pool->queued++;
        worker->job = NULL;
        worker->claim = 0;
        pool->busy--;
    }
}

/* ---- The pool ---- */

/* Its coming has woken the reactor, which asks in each pass whether the pool has drained. */
static void note_seen(struct solo__call *call, int status)
{
    struct solo_pool *pool = (struct solo_pool *)((char *)call - offsetof(struct solo_pool, note));
    (void)status;
    solo__pool_enter(pool);
    pool->note_posted = false;
    bool tells = pool->stop_asked && !pool->finishing;
    solo__pool_leave(pool);
    if (tells) {
        solo__pool_tell_stopped(pool, 0);
    }
}

/* Whoever finds the pool later does so without being ordered after this thread: detectors must not see these writes. */
struct solo_pool *solo__pool_make(struct solo_reactor *reactor, void *created_at)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct solo_pool *pool = solo__object_make(reactor->world, SOLO__POOL, sizeof *pool, created_at);
    if (pool != NULL) {
        SOLO_ANNOTATE_PRIVATE(pool, sizeof *pool);
        pool->reactor = reactor;
        pool->part = (struct solo__pool_part){NULL, &solo__pool_ops, pool, false};
        pool->chooses = solo__world_is_sim(reactor->world);
        pool->attentive = true;
        pool->min = reactor->pool_min;
        pool->max = reactor->pool_max;
        pool->note.serve = note_seen;
        pool->note.reactor = reactor;
        pool->note.provenance.object = pool->object.id;
    }
    SOLO_ANNOTATE_IGNORE_END();
    return pool;
}

int solo__pool_of(struct solo_reactor *reactor, void *created_at, struct solo_pool **ret_pool)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct solo_pool *pool = __atomic_load_n(&reactor->pool, __ATOMIC_ACQUIRE);
    SOLO_ANNOTATE_IGNORE_END();
    if (pool == NULL) {
        struct solo_pool *made = solo__pool_make(reactor, created_at);
        if (made == NULL) {
            return -ENOMEM;
        }
        pool = solo__reactor_attach_pool(reactor, &made->part);
        if (pool != made) { /* another thread was quicker */
            solo__object_end(made);
        }
    }
    *ret_pool = pool;
    return 0;
}

int solo_reactor_get_thread_pool(struct solo_reactor *reactor, struct solo_pool **ret_pool)
{
    SOLO__LIVE_OBJECT(solo_reactor_get_thread_pool, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (ret_pool == NULL) {
        return -EINVAL;
    }

    return solo__pool_of(reactor, __builtin_return_address(0), ret_pool);
}

/* ---- Sizes and statistics ---- */

/* With the lock held: lets idle workers see that they are too many, the highest numbers first. */
static void quit_idle(struct solo_pool *pool, unsigned count)
{
    for (; count > 0; count--) {
        struct solo__pool_worker *last = NULL;
        for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
            last = worker->sleeping ? worker : last;
        }
        if (last == NULL) {
            return;
        }
        solo__pool_wake_worker(pool, last);
    }
}

static int adjust(struct solo_pool *pool, bool keep_min, unsigned min, unsigned max)
{
    if (max == 0 || max > SOLO_POOL_WORKERS_MAX) {
        return -EINVAL;
    }
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    min = keep_min ? pool->min : min;
    bool valid = min <= max;
    if (valid) {
        unsigned spare = pool->worker_count > min ? pool->worker_count - min : 0;
        pool->min = min;
        pool->max = max;
        pool->leaving = pool->leaving < spare ? pool->leaving : spare;
        quit_idle(pool, pool->worker_count > max ? pool->worker_count - max : 0);
    }
    solo__pool_leave(pool);
    if (!valid) {
        return -EINVAL;
    }
    (void)solo__pool_start_needed(pool); /* refused threads are tried for again with the next job */
    return 0;
}

int solo_reactor_suggest_thread_pool_size(struct solo_reactor *reactor, unsigned max)
{
    SOLO__LIVE_OBJECT(solo_reactor_suggest_thread_pool_size, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_suggest_thread_pool_size, &reactor->owner, reactor);

    struct solo_pool *pool;
    int status = solo__pool_of(reactor, __builtin_return_address(0), &pool);
    return status < 0 ? status : adjust(pool, true, 0, max);
}

int solo_pool_adjust_size(struct solo_pool *pool, unsigned min, unsigned max)
{
    SOLO__LIVE_OBJECT(solo_pool_adjust_size, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(pool->reactor, SOLO__REACTOR);
    SOLO__REACTOR_ONLY(solo_pool_adjust_size, &pool->reactor->owner, pool);

    return adjust(pool, false, min, max);
}

int solo_pool_grow(struct solo_pool *pool, unsigned count, unsigned *ret_started)
{
    SOLO__LIVE_OBJECT(solo_pool_grow, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(pool->reactor, SOLO__REACTOR);
    SOLO__REACTOR_ONLY(solo_pool_grow, &pool->reactor->owner, pool);
    solo__pool_enter(pool);
    bool runs = pool->started && !pool->closing;
    solo__pool_leave(pool);
    if (!runs) {
        return SOLO_ENOTRUNNING;
    }

    unsigned started = 0;
    int status = 1;
    while (started < count && status > 0) {
        status = solo__pool_add_worker(pool, true);
        started += status > 0;
    }
    if (status < 0 && started == 0) {
        return status;
    }
    if (ret_started != NULL) {
        *ret_started = started;
    }
    return 0;
}

int solo_pool_shrink(struct solo_pool *pool, unsigned count)
{
    SOLO__LIVE_OBJECT(solo_pool_shrink, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(pool->reactor, SOLO__REACTOR);
    SOLO__REACTOR_ONLY(solo_pool_shrink, &pool->reactor->owner, pool);

    solo__pool_enter(pool);
    solo__pool_recall(pool);
    unsigned stay = pool->min + pool->leaving;
    unsigned spare = pool->worker_count > stay ? pool->worker_count - stay : 0;
    count = count < spare ? count : spare;
    pool->leaving += count;
    quit_idle(pool, count);
    solo__pool_leave(pool);
    return 0;
}

int solo_pool_get_statistics(struct solo_pool *pool, struct solo_pool_statistics *ret_statistics)
{
    SOLO__LIVE_OBJECT(solo_pool_get_statistics, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    if (ret_statistics == NULL) {
        return -EINVAL;
    }

    solo__pool_enter(pool);
    solo__pool_recall(pool);
    *ret_statistics = (struct solo_pool_statistics){
        pool->min,      pool->max, pool->worker_count, pool->worker_count - pool->busy, pool->busy, pool->queued,
        pool->accepted, pool->ran, pool->handed_back};
    solo__pool_leave(pool);
    return 0;
}

unsigned solo_pool_current_job(void)
{
    struct solo_thread *self = solo__self;
    if (self == NULL || self->role != SOLO__ROLE_POOL) {
        return 0;
    }
    const struct solo__pool_worker *worker = self->arg;
    return worker->job != NULL ? worker->job->number : 0;
}
