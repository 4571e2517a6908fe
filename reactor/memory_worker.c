/*
 * memory_worker.c - a worker that does nothing by itself: a test double.
 *
 * Work queues until somebody asks for exactly one piece of it. After quit what was accepted can still be performed;
 * destroy hands back what is left.
 */
#include "worker_internal.h"
#include "guard.h"

static int accept(struct solo_worker *worker, struct solo__work *work)
{
    solo__worker_enter(worker);
    int status = worker->has_quit ? SOLO_EALREADYQUIT : 0;
    if (status == 0) {
        solo__work_push(worker, work);
    }
    solo__worker_leave(worker);
    return status;
}

static void nothing(struct solo_worker *worker)
{
    (void)worker;
}

static const struct solo__worker_kind memory_worker = {accept, nothing, nothing, true, NULL};

int solo_memory_worker_create(struct solo_worker **ret_worker)
{
    if (ret_worker == NULL) {
        return -EINVAL;
    }

    struct solo_worker *worker = solo__worker_make(&memory_worker, __builtin_return_address(0));
    if (worker == NULL) {
        return -ENOMEM;
    }
    *ret_worker = worker;
    return 0;
}

/* Takes one piece of work and becomes its runner; *ret_outer is who was, for work that performs more work. */
static struct solo__work *take(struct solo_worker *worker, struct solo_thread **ret_outer)
{
    struct solo_thread *self = solo__self_get();
    solo__worker_enter(worker);
    struct solo__work *work = solo__work_pop(worker);
    if (work != NULL) {
        *ret_outer = worker->runner;
        worker->runner = self;
    }
    solo__worker_leave(worker);
    return work;
}

int solo_worker_perform(struct solo_worker *worker, bool *ret_ran)
{
    SOLO__LIVE_OBJECT(solo_worker_perform, worker, SOLO__WORKER, SOLO006_USE_AFTER_END);
    if (!worker->kind->performs) {
        return -EINVAL;
    }

    struct solo_thread *outer;
    struct solo__work *work = take(worker, &outer);
    if (work != NULL) {
        solo__work_run(worker, work);
        solo__worker_enter(worker);
        worker->runner = outer;
        solo__worker_leave(worker);
    }
    if (ret_ran != NULL) {
        *ret_ran = work != NULL;
    }
    return 0;
}
