/*
 * defer.c - defer to thread: a job of the pool whose result comes back as a Deferred.
 *
 * Invariant: `deferred` belongs to the reactor thread. It is set until the job has ended or its user cancelled it, and
 * only then does the job keep it alive. The worker writes `result` and nothing else; the job's report carries it over.
 */
#include "deferred_internal.h"
#include "pool_internal.h"
#include "sanitizer/annotate.h"

struct deferred_job {
    struct solo__job job; /* first */
    solo_work_fn work;
    struct solo_result result;
    struct solo_deferred *deferred; /* NULL: cancelled, nobody wants the result any more */
};

static void run(struct solo__job *job)
{
    struct deferred_job *deferred_job = (struct deferred_job *)job;
    deferred_job->result = deferred_job->work(job->call.arg);
}

/* What the Deferred gets. One returned from a worker cannot be waited for: it is let go on its own thread. */
static struct solo_result result_of(const struct deferred_job *deferred_job)
{
    struct solo_deferred *returned = deferred_job->result.wait_for;
    if (returned != NULL && solo__deferred_is_alive(returned)) {
        (void)solo_deferred_release(returned);
    }
    return solo__job_result(deferred_job->result);
}

static void announce_end(const struct solo__job *job, int status)
{
    struct solo_world *world = job->pool->object.world;
    uint32_t id = job->call.provenance.object;
    solo__announce(world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_WRITE, id, (uint64_t)(int64_t)status);
    solo__argument_forget(world, id);
}

static void end(struct solo__job *job, int status)
{
    struct deferred_job *deferred_job = (struct deferred_job *)job;
    struct solo_deferred *deferred = deferred_job->deferred;
    struct solo_result result = status < 0 ? solo_failure(status) : result_of(deferred_job);
    if (deferred != NULL || status < 0) {
        announce_end(job, status);
    }
    if (deferred == NULL) {
        return;
    }
    deferred_job->deferred = NULL;
    (void)solo__deferred_fire(deferred, result);
    solo__deferred_drop(deferred);
}

/* Not begun: it never will. Begun: its result will find nobody. Either way the Deferred fails when this returns. */
static void cancel(struct solo_deferred *deferred, void *arg)
{
    struct deferred_job *deferred_job = arg;
    struct solo__job *job = &deferred_job->job;
    struct solo_pool *pool = job->pool;
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    bool queued = job->state == SOLO_JOB_QUEUED;
    if (queued) {
        solo__pool_withdraw(pool, job, SOLO_ECANCELLED);
    }
    solo__pool_leave(pool);
    deferred_job->deferred = NULL;
    if (queued) {
        announce_end(job, SOLO_ECANCELLED);
        solo__job_release(job);
    }
    solo__deferred_drop(deferred);
}

static struct deferred_job *make(struct solo_pool *pool, solo_work_fn work, void *arg, void *frame,
                                 void *return_address)
{
    struct deferred_job *deferred_job =
        solo__job_make(pool, sizeof *deferred_job, NULL, arg, NULL, frame, return_address);
    if (deferred_job != NULL) {
        deferred_job->job.run = run;
        deferred_job->job.end = end;
        deferred_job->job.reports = true;
        deferred_job->work = work;
        deferred_job->deferred = NULL;
    }
    return deferred_job;
}

/* The pool has admitted the job: gives it its Deferred and queues it. Whatever fails, nothing was accepted. */
static int accept(struct solo_pool *pool, struct deferred_job *deferred_job, void *frame, void *return_address,
                  struct solo_deferred **ret_deferred)
{
    struct solo_deferred *deferred;
    int status = solo__deferred_make(pool->reactor, cancel, deferred_job, frame, return_address, &deferred);
    if (status < 0) {
        solo__job_release(&deferred_job->job);
        return status;
    }
    solo__deferred_keep(deferred);
    deferred_job->deferred = deferred;
    status = solo__job_accept(&deferred_job->job, NULL);
    if (status < 0) { /* only if another thread was let into this call by policy `report` */
        (void)solo__deferred_fire(deferred, solo_value(NULL));
        solo__deferred_drop(deferred);
        solo__deferred_release(deferred);
        return status;
    }
    *ret_deferred = deferred;
    return 0;
}

static int defer(struct solo_pool *pool, solo_work_fn work, void *arg, void *frame, void *return_address,
                 struct solo_deferred **ret_deferred)
{
    struct deferred_job *deferred_job = make(pool, work, arg, frame, return_address);
    if (deferred_job == NULL) {
        return -ENOMEM;
    }
    int status = solo__job_admit(&deferred_job->job);
    return status < 0 ? status : accept(pool, deferred_job, frame, return_address, ret_deferred);
}

int solo_defer_to_thread(struct solo_reactor *reactor, solo_work_fn work, void *arg,
                         struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_defer_to_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (work == NULL || ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_defer_to_thread, &reactor->owner, reactor);

    struct solo_pool *pool;
    int status = solo__pool_of(reactor, __builtin_return_address(0), &pool);
    if (status < 0) {
        return status;
    }
    return defer(pool, work, arg, __builtin_frame_address(0), __builtin_return_address(0), ret_deferred);
}

int solo_defer_to_thread_pool(struct solo_pool *pool, solo_work_fn work, void *arg, struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_defer_to_thread_pool, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(pool->reactor, SOLO__REACTOR);
    if (work == NULL || ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_defer_to_thread_pool, &pool->reactor->owner, pool);

    return defer(pool, work, arg, __builtin_frame_address(0), __builtin_return_address(0), ret_deferred);
}
