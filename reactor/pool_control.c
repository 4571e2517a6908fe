/*
 * pool_control.c - the remote control of a pool: hold, list, start this job on that worker, let it report now.
 *
 * It uses the pool's own moves (give, wake, report), so what a test arranges by hand is something the pool could have
 * done.
 */
#include "pool_internal.h"
#include "sanitizer/annotate.h"

static void announce(struct solo_pool *pool, enum solo_access access, unsigned number)
{
    solo__announce(pool->object.world, SOLO_PROBE_POOL_DIRECTED, access, pool->object.id, number);
}

/* Jobs start and are reported, or not, because of what comes now. */
static void announce_direction(struct solo_pool *pool, unsigned number)
{
    announce(pool, SOLO_ACCESS_WRITE, number);
    SOLO_ANNOTATE_HAPPENS_BEFORE(&pool->held);
}

/* Takes the oldest held report off the list, to be posted; NULL: none is left, or the pool is held again. */
static struct solo__job *next_held(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    struct solo__job *job = pool->held ? NULL : pool->finished.first;
    if (job != NULL) {
        solo__job_list_remove(&pool->finished, job);
        pool->reporting++;
    }
    solo__pool_leave(pool);
    return job;
}

int solo_pool_hold(struct solo_pool *pool, bool hold)
{
    SOLO__LIVE_OBJECT(solo_pool_hold, pool, SOLO__POOL, SOLO006_USE_AFTER_END);

    announce_direction(pool, 0);
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    pool->held = hold;
    solo__pool_wake_for_queue(pool);
    solo__pool_leave(pool);
    struct solo__job *job;
    while ((job = next_held(pool)) != NULL) {
        SOLO_ANNOTATE_HAPPENS_AFTER(job);
        solo__pool_report_held(pool, job);
    }
    return 0;
}

/* ---- Listing ---- */

/* Takes `job` for the best one so far if it is younger than `after` (0: any is) and older than that. */
static void consider(const struct solo__job *job, unsigned worker, enum solo_job_state state, unsigned after,
                     struct solo_pool_job *best)
{
    if ((after == 0 || solo__job_is_older(after, job->number)) &&
        (best->number == 0 || solo__job_is_older(job->number, best->number))) {
        *best = (struct solo_pool_job){job->number, worker, state};
    }
}

/* With the lock held: the oldest job younger than number `after`, where it is, and on which worker. */
static bool next_in_order(const struct solo_pool *pool, unsigned after, const struct solo__job **queue_at,
                          struct solo_pool_job *ret_job)
{
    struct solo_pool_job best = {0, 0, SOLO_JOB_QUEUED};
    while (after != 0 && *queue_at != NULL && !solo__job_is_older(after, (*queue_at)->number)) {
        *queue_at = (*queue_at)->next;
    }
    if (*queue_at != NULL) {
        consider(*queue_at, 0, SOLO_JOB_QUEUED, after, &best);
    }
    for (const struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (worker->job != NULL) {
            consider(worker->job, worker->number, SOLO_JOB_STARTED, after, &best);
        }
    }
    for (const struct solo__job *job = pool->finished.first; job != NULL; job = job->next) {
        consider(job, job->ran_on, SOLO_JOB_FINISHED, after, &best);
    }
    *ret_job = best;
    return best.number != 0;
}

int solo_pool_jobs(struct solo_pool *pool, struct solo_pool_job *jobs, size_t jobs_max, size_t *ret_count)
{
    SOLO__LIVE_OBJECT(solo_pool_jobs, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    if (ret_count == NULL || (jobs == NULL && jobs_max > 0)) {
        return -EINVAL;
    }

    size_t count = 0;
    struct solo_pool_job job = {0, 0, SOLO_JOB_QUEUED};
    announce(pool, SOLO_ACCESS_READ, 0);
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    const struct solo__job *queue_at = pool->queue.first;
    while (next_in_order(pool, job.number, &queue_at, &job)) {
        if (count < jobs_max) {
            jobs[count] = job;
        }
        count++;
    }
    solo__pool_leave(pool);
    *ret_count = count;
    return 0;
}

/* ---- Starting ---- */

/* An idle worker with this number, or with any number if it is 0. */
static struct solo__pool_worker *find_idle(const struct solo_pool *pool, unsigned number)
{
    struct solo__pool_worker *worker = pool->workers;
    while (worker != NULL && (worker->job != NULL || (number != 0 && worker->number != number))) {
        worker = worker->next;
    }
    return worker;
}

static bool may_be_made(const struct solo_pool *pool, unsigned number)
{
    for (const struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (worker->number == number) {
            return false;
        }
    }
    return pool->started && !pool->finishing && pool->worker_count < pool->max && number <= pool->max;
}

int solo_pool_start_job(struct solo_pool *pool, unsigned number, unsigned worker)
{
    SOLO__LIVE_OBJECT(solo_pool_start_job, pool, SOLO__POOL, SOLO006_USE_AFTER_END);

    announce_direction(pool, number);
    for (;;) {
        solo__pool_enter(pool);
        solo__pool_recall(pool);
        struct solo__job *job = solo__pool_find_queued(pool, number);
        struct solo__pool_worker *idle = find_idle(pool, worker);
        bool makes = job != NULL && idle == NULL && may_be_made(pool, worker);
        if (job != NULL && idle != NULL) {
            solo__pool_give(pool, idle, job);
            solo__pool_wake_worker(pool, idle);
        }
        solo__pool_leave(pool);
        if (job == NULL) {
            return -ENOENT;
        }
        if (idle != NULL) {
            return 0;
        }
        if (!makes || solo__pool_add_worker(pool, true) < 0) {
            return -EBUSY;
        }
    }
}

/* ---- Completing ---- */

/* With the lock held: a held job to report now (*ret_held), or one still running that will not be held. */
static int find_started(struct solo_pool *pool, unsigned number, struct solo__job **ret_held)
{
    for (struct solo__job *job = pool->finished.first; job != NULL; job = job->next) {
        if (job->number == number) {
            solo__job_list_remove(&pool->finished, job);
            pool->reporting++;
            *ret_held = job;
            return 0;
        }
    }
    for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (worker->job != NULL && worker->job->number == number) {
            worker->job->report_asked = true;
            return 0;
        }
    }
    return -ENOENT;
}

int solo_pool_complete_job(struct solo_pool *pool, unsigned number)
{
    SOLO__LIVE_OBJECT(solo_pool_complete_job, pool, SOLO__POOL, SOLO006_USE_AFTER_END);

    announce_direction(pool, number);
    struct solo__job *held = NULL;
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    int status = find_started(pool, number, &held);
    solo__pool_leave(pool);
    if (held != NULL) {
        SOLO_ANNOTATE_HAPPENS_AFTER(held);
        solo__pool_report_held(pool, held);
    }
    return status;
}
