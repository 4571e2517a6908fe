/*
 * job_callback.c - a job whose result is told to a function, on the worker that made it.
 *
 * Invariant: on_result is called by whoever turns `told` first: the worker after the work, or the reactor thread if the
 * work never runs, or does not end before the pool does.
 */
#include "pool_internal.h"

struct callback_job {
    struct solo__job job; /* first */
    solo_work_fn work;
    solo_result_fn on_result;
    bool told; /* atomic */
};

static void tell(struct callback_job *callback_job, struct solo_result result)
{
    struct solo__call *call = &callback_job->job.call;
    if (__atomic_exchange_n(&callback_job->told, true, __ATOMIC_RELAXED)) {
        return;
    }
    /* The reactor may be gone: this worker was left behind, or is about to be told so. */
    solo__announce(callback_job->job.pool->object.world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_WRITE,
                   call->provenance.object, (uint64_t)(int64_t)result.status);
    solo__argument_forget(callback_job->job.pool->object.world, call->provenance.object);
    callback_job->on_result(result, call->arg);
}

static void run(struct solo__job *job)
{
    struct callback_job *callback_job = (struct callback_job *)job;
    tell(callback_job, solo__job_result(callback_job->work(job->call.arg)));
}

static void end(struct solo__job *job, int status)
{
    if (status < 0) {
        tell((struct callback_job *)job, solo_failure(status));
    }
}

int solo_pool_call_in_thread_with_callback(struct solo_pool *pool, solo_work_fn work, void *arg,
                                           solo_result_fn on_result, unsigned *ret_number)
{
    SOLO__LIVE_OBJECT(solo_pool_call_in_thread_with_callback, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    if (work == NULL || on_result == NULL) {
        return -EINVAL;
    }

    struct callback_job *callback_job = solo__job_make(pool, sizeof *callback_job, NULL, arg, NULL,
                                                       __builtin_frame_address(0), __builtin_return_address(0));
    if (callback_job == NULL) {
        return -ENOMEM;
    }
    callback_job->job.run = run;
    callback_job->job.end = end;
    callback_job->work = work;
    callback_job->on_result = on_result;
    callback_job->told = false;
    return solo__job_queue(&callback_job->job, ret_number);
}
