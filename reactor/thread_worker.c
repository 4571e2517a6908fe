/*
 * thread_worker.c - a worker with a thread of its own, worker#N.
 *
 * Its thread takes the oldest work until the worker has quit and the queue is empty. Nothing but destroy joins it.
 * Different from Twisted's on purpose: no work can kill the thread, so nothing accepted later is lost.
 */
#include "worker_internal.h"
#include "guard.h"

enum { NUMBER_BITS = 24 };

/* The next work, or NULL when the worker has quit and everything accepted is done. */
static struct solo__work *next_work(struct solo_worker *worker)
{
    struct solo_world *world = worker->object.world;
    const struct solo_wait why = {SOLO_WAIT_JOB, worker->object.id, NULL};
    struct solo__work *work;
    solo__announce(world, SOLO_PROBE_JOB_WANTED, SOLO_ACCESS_WAIT, worker->object.id, 0);
    solo__worker_enter(worker);
    while ((work = solo__work_pop(worker)) == NULL && !worker->has_quit) {
        (void)world->threads->wait(world, &worker->gate, &worker->lock, &why, SOLO_NEVER);
    }
    solo__worker_leave(worker);
    return work;
}

static void thread_main(void *arg)
{
    struct solo_worker *worker = arg;
    struct solo__work *work;
    while ((work = next_work(worker)) != NULL) {
        solo__work_run(worker, work);
    }
}

static int accept(struct solo_worker *worker, struct solo__work *work)
{
    solo__worker_enter(worker);
    int status = worker->has_quit ? SOLO_EALREADYQUIT : 0;
    if (status == 0) {
        solo__work_push(worker, work);
        worker->object.world->threads->wake(worker->object.world, &worker->gate, false);
    }
    solo__worker_leave(worker);
    return status;
}

static void quit(struct solo_worker *worker)
{
    worker->object.world->threads->wake(worker->object.world, &worker->gate, false);
}

static void finish(struct solo_worker *worker)
{
    (void)solo__thread_reap(worker->runner);
}

static bool is_over(struct solo_worker *worker)
{
    return solo__thread_has_ended(worker->runner);
}

static const struct solo__worker_kind thread_worker = {accept, quit, finish, false, is_over};

int solo_thread_worker_create(struct solo_worker **ret_worker)
{
    if (ret_worker == NULL) {
        return -EINVAL;
    }

    struct solo_worker *worker = solo__worker_make(&thread_worker, __builtin_return_address(0));
    if (worker == NULL) {
        return -ENOMEM;
    }
    uint32_t label = worker->object.id & ((1u << NUMBER_BITS) - 1);
    struct solo_thread *thread;
    int status = solo__thread_start(worker->object.world, SOLO__ROLE_WORKER, NULL, label, thread_main, worker, &thread);
    if (status < 0) {
        solo__object_end(worker);
        return status;
    }
    solo__worker_enter(worker);
    worker->runner = thread;
    solo__worker_leave(worker);
    *ret_worker = worker;
    return 0;
}
