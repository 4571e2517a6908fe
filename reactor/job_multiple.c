/*
 * job_multiple.c - several pieces of work as one job: in order, on one worker, until one fails.
 */
#include "pool_internal.h"
#include <string.h>

struct multiple_job {
    struct solo__job job; /* first */
    int failure;          /* of the piece that ended it, or 0 */
    size_t count;
    struct solo_work works[];
};

static void run(struct solo__job *job)
{
    struct multiple_job *multiple = (struct multiple_job *)job;
    for (size_t i = 0; i < multiple->count && multiple->failure == 0; i++) {
        const struct solo_work *work = &multiple->works[i];
        multiple->failure = solo__job_result(work->fn(work->arg)).status;
    }
}

static void end(struct solo__job *job, int status)
{
    struct multiple_job *multiple = (struct multiple_job *)job;
    solo__call_done(&job->call, status < 0 ? status : multiple->failure);
}

static bool are_good(const struct solo_work *works, size_t count)
{
    bool good = count > 0 && count <= (SIZE_MAX - sizeof(struct multiple_job)) / sizeof *works;
    for (size_t i = 0; good && i < count; i++) {
        good = works[i].fn != NULL;
    }
    return good;
}

int solo_call_multiple_in_thread(struct solo_reactor *reactor, const struct solo_work *works, size_t count,
                                 solo_done_fn done, void *arg)
{
    SOLO__LIVE_OBJECT(solo_call_multiple_in_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (works == NULL || !are_good(works, count)) {
        return -EINVAL;
    }

    struct solo_pool *pool;
    int status = solo__pool_of(reactor, __builtin_return_address(0), &pool);
    if (status < 0) {
        return status;
    }
    struct multiple_job *multiple = solo__job_make(pool, sizeof *multiple + count * sizeof *works, NULL, arg, done,
                                                   __builtin_frame_address(0), __builtin_return_address(0));
    if (multiple == NULL) {
        return -ENOMEM;
    }
    multiple->job.run = run;
    multiple->job.end = end;
    multiple->failure = 0;
    multiple->count = count;
    memcpy(multiple->works, works, count * sizeof *works);
    return solo__job_queue(&multiple->job, NULL);
}
