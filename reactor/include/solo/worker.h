/*
 * worker.h - do and quit: a place where work is done in order.
 *
 * The answer to "thirty requests on one connection": one worker does them one after another, and no pool thread waits
 * for a lock. Three kinds share one interface: a thread worker has a thread of its own; a lock worker runs the work at
 * once in the caller's thread with its lock held; a memory worker queues until somebody calls solo_worker_perform (a
 * test double).
 *
 * Source: Twisted's twisted._threads.IWorker, ThreadWorker, LockWorker, MemoryWorker. Different on purpose: work
 * accepted before quit is always done or handed back, never lost.
 */
#ifndef SOLO_WORKER_H
#define SOLO_WORKER_H

#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_worker;

/* Each lives until solo_worker_destroy. -EINVAL, -ENOMEM, -EAGAIN (no thread). */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_thread_worker_create(struct solo_worker **ret_worker);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_lock_worker_create(struct solo_worker **ret_worker);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_memory_worker_create(struct solo_worker **ret_worker);

/*
 * Accepts fn(arg) to run once in the worker's context, in order of acceptance. done(status, arg), which may be NULL,
 * runs in the same context right after it, or in quit or destroy with SOLO_ECLOSING. SOLO_EALREADYQUIT, and SOLO006:
 * the worker has quit. A lock worker called from within its own work runs the new work after the present one. -EINVAL,
 * -ENOMEM.
 * Runs: fn, done in the worker's context.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_worker_do(struct solo_worker *worker, solo_call_fn fn, void *arg,
                                               solo_done_fn done);

/* No more work is accepted; what was accepted is still done. SOLO_EALREADYQUIT: it has quit before. Does not wait. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_worker_quit(struct solo_worker *worker);

/*
 * Memory workers: runs exactly one accepted piece of work in the caller's thread; *ret_ran says whether there was one.
 * -EINVAL for another kind of worker. ret_ran may be NULL.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_worker_perform(struct solo_worker *worker, bool *ret_ran);

/*
 * Quits if need be, waits for a thread worker's accepted work, hands back what a memory worker still holds, and frees
 * it. Accepts NULL. -EDEADLK: called from within its own work.
 * Blocks.
 */
SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_worker_destroy(struct solo_worker *worker);

#ifdef __cplusplus
}
#endif
#endif
