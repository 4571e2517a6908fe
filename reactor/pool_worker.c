/*
 * pool_worker.c - the life of a pool worker: take a job, run it, report it, until there is no more need.
 *
 * One lock round to take a job, one to be done with it. Between JOB_WANTED and CALL_BEGUN nothing can intervene in
 * world sim, so which job a worker takes is decided at that point alone.
 *
 * A worker whose job outlived the pool's end was abandoned: when it comes back at last it touches nothing but its own
 * memory and the pool's, which is kept for it, and goes unjoined.
 */
#include "chooser.h"
#include "pool_internal.h"
#include "sanitizer/annotate.h"

enum { OPTIONS_MAX = 32 }; /* the oldest queued jobs, among which the chooser picks */

/* ---- Taking ---- */

static struct solo__job *choose_job(struct solo_pool *pool)
{
    const struct solo_option *options[OPTIONS_MAX];
    struct solo__job *jobs[OPTIONS_MAX];
    size_t count = 0;
    for (struct solo__job *job = pool->queue.first; job != NULL && count < OPTIONS_MAX; job = job->next) {
        options[count] = &job->option;
        jobs[count++] = job;
    }
    return jobs[solo__choose(pool->object.world, SOLO_CHOICE_JOB, options, count)];
}

/* With the lock held. */
static void take(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    if (pool->held || pool->queued == 0) {
        return;
    }
    bool chooses = pool->chooses && pool->queued > 1;
    solo__pool_give(pool, worker, chooses ? choose_job(pool) : pool->queue.first);
}

static bool must_quit(const struct solo_pool *pool)
{
    return pool->finishing || pool->worker_count > pool->max ||
           (pool->queued == 0 && (pool->closing || pool->leaving > 0));
}

static void sleep_until_woken(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo_world *world = pool->object.world;
    const struct solo_wait why = {SOLO_WAIT_JOB, pool->object.id, NULL};
    worker->sleeping = true;
    pool->sleeping++;
    while (worker->sleeping) {
        (void)world->threads->wait(world, &worker->gate, &pool->lock, &why, SOLO_NEVER);
    }
}

bool solo__pool_has_just_drained(struct solo_pool *pool)
{
    if (!pool->closing || pool->finishing || pool->note_posted || pool->worker_count > 0 || pool->queued > 0 ||
        pool->finished.first != NULL) {
        return false;
    }
    pool->note_posted = true;
    return true;
}

/* Takes the worker out of the pool, to be joined by whoever comes by. True: the last, the reactor should know. */
static bool depart(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    pool->leaving -= pool->leaving > 0;
    solo__pool_unlink_worker(pool, worker);
    worker->next = pool->ended;
    pool->ended = worker;
    return solo__pool_has_just_drained(pool);
}

/* The next job to run, or NULL: the worker has left the pool. */
static struct solo__job *next_job(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo_world *world = pool->object.world;
    bool drained = false;
    solo__announce(world, SOLO_PROBE_JOB_WANTED, SOLO_ACCESS_WRITE, pool->object.id, 0);
    solo__pool_enter(pool);
    worker->thread = solo__self;
    while (worker->job == NULL && !must_quit(pool)) {
        take(pool, worker);
        if (worker->job == NULL) {
            sleep_until_woken(pool, worker);
        }
    }
    if (pool->finishing) {
        solo__pool_take_back(pool, worker);
    }
    struct solo__job *job = worker->job;
    worker->running = job != NULL;
    if (job != NULL) {
        worker->since_ns = world->clock->now_ns(world);
    }
    if (job == NULL) {
        drained = depart(pool, worker);
    }
    solo__pool_leave(pool);
    if (drained) {
        (void)solo__reactor_post(pool->reactor, &pool->note, true);
    }
    return job;
}

/* ---- Running and reporting ---- */

static void run(struct solo_pool *pool, struct solo__job *job)
{
    struct solo_world *world = pool->object.world; /* the reactor may be gone when the job returns */
    SOLO_ANNOTATE_HAPPENS_AFTER(job);
    SOLO_ANNOTATE_HAPPENS_AFTER(&pool->held); /* a remote control may have let it begin */
    uint32_t id = job->call.provenance.object;
    solo__self->work = &job->call.provenance;
    solo__self->context = job->context;
    solo__announce(world, SOLO_PROBE_CALL_BEGUN, SOLO_ACCESS_WRITE, id, 0);
    job->run(job);
    solo__announce(world, SOLO_PROBE_CALL_ENDED, SOLO_ACCESS_WRITE, id, 0);
    solo__self->work = NULL;
    solo__self->context = NULL;
    SOLO_ANNOTATE_HAPPENS_BEFORE(job);
}

void solo__job_report(struct solo__job *job)
{
    if (!job->reports) {
        solo__job_release(job);
        return;
    }
    solo__announce(job->pool->object.world, SOLO_PROBE_JOB_FINISHED, SOLO_ACCESS_WRITE, job->call.provenance.object, 0);
    (void)solo__reactor_post(job->call.reactor, &job->call,
                             true); /* the stop waits for this worker: it cannot be refused */
}

void solo__pool_has_reported(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    pool->reporting--;
    if (pool->finishing) {
        pool->object.world->threads->wake(pool->object.world, &pool->gate, true);
    }
    solo__pool_leave(pool);
}

void solo__pool_report_held(struct solo_pool *pool, struct solo__job *job)
{
    solo__job_report(job);
    solo__pool_enter(pool);
    bool drained = solo__pool_has_just_drained(pool);
    solo__pool_leave(pool);
    if (drained) {
        (void)solo__reactor_post(pool->reactor, &pool->note, true);
    }
    solo__pool_has_reported(pool);
}

/* The job has ended: says so in the pool's books. What becomes of its report: */
enum outcome { REPORT, HOLD, ABANDONED };

static enum outcome finish(struct solo_pool *pool, struct solo__pool_worker *worker, struct solo__job *job)
{
    enum outcome outcome = ABANDONED;
    solo__pool_enter(pool);
    if (!worker->abandoned) {
        outcome = pool->held && !job->report_asked && !pool->finishing ? HOLD : REPORT;
        job->state = SOLO_JOB_FINISHED;
        worker->job = NULL;
        worker->running = false;
        pool->busy--;
        pool->ran++;
        if (outcome == HOLD) {
            solo__job_list_add(&pool->finished, job);
        }
        if (pool->finishing) {
            pool->object.world->threads->wake(pool->object.world, &pool->gate, true);
        }
    }
    solo__pool_leave(pool);
    return outcome;
}

void solo__pool_worker_main(void *arg)
{
    struct solo__pool_worker *worker = arg;
    struct solo_pool *pool = worker->pool;
    struct solo__job *job;
    SOLO_ANNOTATE_HAPPENS_BEFORE(&pool->ended); /* for whoever reaps: what the thread did that made this worker */
    solo__self->serves = &pool->reactor->owner;
    while ((job = next_job(pool, worker)) != NULL) {
        run(pool, job);
        enum outcome outcome = finish(pool, worker, job);
        if (outcome == ABANDONED) {
            solo__pool_drop(pool, worker);
            (void)pool->object.world->threads->join(pool->object.world, solo__self); /* nobody else will */
            return;
        }
        if (outcome == REPORT) {
            SOLO_ANNOTATE_HAPPENS_AFTER(&pool->held); /* a remote control may have let it report */
            solo__job_report(job);
        }
    }
}

/* ---- After the end ---- */

void solo__pool_reap(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    struct solo__pool_worker *worker = pool->ended;
    pool->ended = NULL;
    solo__pool_leave(pool);
    if (worker != NULL) {
        SOLO_ANNOTATE_HAPPENS_AFTER(&pool->ended);
    }
    while (worker != NULL) {
        struct solo__pool_worker *next = worker->next;
        (void)solo__thread_reap(worker->thread);
        pool->object.world->memory->release(pool->object.world, worker);
        worker = next;
    }
}

void solo__pool_drop(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo_world *world = pool->object.world;
    solo__pool_enter(pool);
    bool last = --worker->holders == 0;
    solo__pool_leave(pool);
    if (last) {
        solo__job_release(worker->job);
        world->memory->release(world, worker);
    }
}
