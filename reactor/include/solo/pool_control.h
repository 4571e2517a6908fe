/*
 * pool_control.h - a pool whose workers do what a test or a lesson says.
 *
 * While a pool is held, no worker takes a job by itself and no finished job is reported by itself: start_job lets one
 * queued job begin on a worker, complete_job lets one finished job report. Released, everything goes on. It works in
 * both worlds; in world sim, where "everybody is at rest" can be waited for (solo_clock_settle), it makes one exact
 * order.
 */
#ifndef SOLO_POOL_CONTROL_H
#define SOLO_POOL_CONTROL_H

#include <solo/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum solo_job_state { SOLO_JOB_QUEUED = 0, SOLO_JOB_STARTED, SOLO_JOB_FINISHED };

struct solo_pool_job {
    unsigned number;           /* in order of acceptance, from 1 */
    unsigned worker;           /* worker number from 1, 0 while queued */
    enum solo_job_state state; /* FINISHED: its function returned and its report is held */
};

/* Holds or releases the pool. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_hold(struct solo_pool *pool, bool hold);

/* Writes up to jobs_max jobs (queued, running, held finished) in order of acceptance; *ret_count: how many in all. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_jobs(struct solo_pool *pool, struct solo_pool_job *jobs, size_t jobs_max,
                                               size_t *ret_count);

/*
 * Lets job `number` begin on worker `worker` (0: any idle one), which is started if it may be and is not there yet.
 * -ENOENT: no such queued job. -EBUSY: that worker is not idle, or there can be none because the reactor does not run
 * or max is reached.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_start_job(struct solo_pool *pool, unsigned number, unsigned worker);

/* Lets finished job `number` report; one that is still running reports as soon as it finishes. -ENOENT: not started. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_complete_job(struct solo_pool *pool, unsigned number);

#ifdef __cplusplus
}
#endif
#endif
