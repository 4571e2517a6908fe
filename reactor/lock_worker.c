/*
 * lock_worker.c - a worker that runs work at once in the caller's thread, one at a time.
 *
 * Work given from within its own work is queued and runs after the present one, still under the lock: recursion
 * unwinds into a loop, first in first out. (test_worker__lock_worker_runs_nested_work_after_the_present_one)
 */
#include "worker_internal.h"
#include "guard.h"
#include "sanitizer/annotate.h"

/* Whether the work was taken by the caller's own outer do; else the caller is counted as a user, or refused. */
static int admit(struct solo_worker *worker, struct solo__work *work, bool *ret_nested)
{
    int status = 0;
    struct solo_thread *self = solo__self_get();
    solo__worker_enter(worker);
    *ret_nested = worker->runner == self;
    if (worker->has_quit) {
        status = SOLO_EALREADYQUIT;
    } else if (*ret_nested) {
        solo__work_push(worker, work);
    } else {
        worker->users++;
    }
    solo__worker_leave(worker);
    return status;
}

/* The caller holds the mutex. Sets who runs, or takes the next nested work; at the end of those nobody runs. */
static void set_runner(struct solo_worker *worker, struct solo_thread *runner)
{
    solo__worker_enter(worker);
    worker->runner = runner;
    solo__worker_leave(worker);
}

static struct solo__work *next_nested(struct solo_worker *worker)
{
    solo__worker_enter(worker);
    struct solo__work *work = solo__work_pop(worker);
    if (work == NULL) {
        worker->runner = NULL;
    }
    solo__worker_leave(worker);
    return work;
}

static void leave_worker(struct solo_worker *worker)
{
    SOLO_ANNOTATE_HAPPENS_BEFORE(&worker->users);
    solo__worker_enter(worker);
    worker->users--;
    if (worker->users == 0) {
        worker->object.world->threads->wake(worker->object.world, &worker->gate, true);
    }
    solo__worker_leave(worker);
}

static int accept(struct solo_worker *worker, struct solo__work *work)
{
    bool nested;
    int status = admit(worker, work, &nested);
    if (status < 0 || nested) {
        return status;
    }
    (void)solo_mutex_lock(worker->mutex); /* -EDEADLK is impossible: whoever holds it is the runner, and nested */
    set_runner(worker, solo__self);
    do {
        solo__work_run(worker, work);
    } while ((work = next_nested(worker)) != NULL);
    (void)solo_mutex_unlock(worker->mutex);
    leave_worker(worker);
    return 0;
}

static void quit(struct solo_worker *worker)
{
    (void)worker; /* whoever runs its work goes on to the end of it */
}

static void finish(struct solo_worker *worker)
{
    struct solo_world *world = worker->object.world;
    struct solo_wait why = {SOLO_WAIT_DRAIN, worker->object.id, NULL};
    solo__worker_enter(worker);
    while (worker->users > 0) {
        why.holder = worker->runner;
        (void)world->threads->wait(world, &worker->gate, &worker->lock, &why, SOLO_NEVER);
    }
    solo__worker_leave(worker);
    SOLO_ANNOTATE_HAPPENS_AFTER(&worker->users);
    (void)solo_mutex_destroy(worker->mutex);
}

static const struct solo__worker_kind lock_worker = {accept, quit, finish, false, NULL};

int solo_lock_worker_create(struct solo_worker **ret_worker)
{
    if (ret_worker == NULL) {
        return -EINVAL;
    }

    struct solo_worker *worker = solo__worker_make(&lock_worker, __builtin_return_address(0));
    if (worker == NULL) {
        return -ENOMEM;
    }
    int status = solo_mutex_create(&worker->mutex);
    if (status < 0) {
        solo__object_end(worker);
        return status;
    }
    *ret_worker = worker;
    return 0;
}
