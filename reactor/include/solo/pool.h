/*
 * pool.h - pools of worker threads.
 *
 * Each reactor has a pool of its own, made on first use (solo_reactor_get_thread_pool) and ended with it. More of them
 * can be made beside it, so that one kind of blocking work cannot keep out another: they are called the same way, and
 * their results come back to the same reactor thread.
 *
 * A worker is started when work arrives, none is idle and there are fewer than max; min workers are started with the
 * pool. Queued jobs are taken first in first out by default, but with several workers no order of execution is
 * promised, and in world sim the chooser decides which of the 32 oldest queued jobs a worker takes and which idle
 * worker is woken for one. Raising max starts waiting work at once. Jobs must not wait for other jobs of the pool:
 * `max` such jobs wedge it (SOLO004); solo_pool_dump says what each worker is doing.
 *
 * A job has a number within its pool, in order of acceptance from 1, which comes round after 4,294,967,295 of them.
 * Its context (context.h) is that of whoever queued it.
 *
 * Source: Twisted's twisted.python.threadpool.ThreadPool. Different on purpose: nothing blocks while a pool stops, a
 * job that never runs is handed back, and a queued one can be cancelled.
 */
#ifndef SOLO_POOL_H
#define SOLO_POOL_H

#include <solo/thread_call.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_pool;

struct solo_pool_statistics {
    unsigned min, max;                   /* limits in force */
    unsigned workers;                    /* threads alive */
    unsigned idle, busy;                 /* idle + busy == workers */
    size_t queued;                       /* jobs accepted and not begun */
    uint64_t accepted, ran, handed_back; /* since creation; handed back: cancelled ones too */
};

enum { SOLO_POOL_WORKERS_MAX = 128, SOLO_POOL_NAME_MAX = 15 };

/* The reactor's pool, made on first use. It lives as long as the reactor; do not keep it longer. -EINVAL, -ENOMEM. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_get_thread_pool(struct solo_reactor *reactor, struct solo_pool **ret_pool);

/*
 * Sets the maximum. -EINVAL: below the minimum, 0, or above SOLO_POOL_WORKERS_MAX; nothing changed. Idle workers above
 * it quit at once, busy ones when they finish.
 * Instead: solo_reactor_call_from_thread with a function that suggests the size
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_suggest_thread_pool_size(struct solo_reactor *reactor, unsigned max);

/* Sets both limits at once. -EINVAL: min > max, max 0 or above SOLO_POOL_WORKERS_MAX; nothing changed. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pool_adjust_size(struct solo_pool *pool, unsigned min, unsigned max);

/*
 * Starts up to `count` more workers, idle ones if there is no work for them; *ret_started, which may be NULL, says how
 * many. Fewer: max is reached, or a thread was refused. -EAGAIN, -ENOMEM: the first thread was refused.
 * SOLO_ENOTRUNNING: the pool has not started, or has stopped.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pool_grow(struct solo_pool *pool, unsigned count, unsigned *ret_started);

/*
 * Lets up to `count` workers quit, down to the minimum: idle ones at once, busy ones when they find no queued job
 * after their own. The limits stay, so new work may start workers again, and that takes back what busy ones still owe.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pool_shrink(struct solo_pool *pool, unsigned count);

/* A consistent snapshot. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_get_statistics(struct solo_pool *pool,
                                                         struct solo_pool_statistics *ret_statistics);

/* The job that the calling worker runs, as a number from 1; 0 on any other thread. */
SOLO_ANY_THREAD SOLO_PUBLIC unsigned solo_pool_current_job(void);

/* ---- Jobs for a given pool ---- */

/*
 * As solo_reactor_call_in_thread (thread_call.h) for any pool; *ret_number, which may be NULL, is the job's number.
 * Runs: fn on a pool worker; done on the reactor thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_call_in_thread(struct solo_pool *pool, solo_call_fn fn, void *arg,
                                                         solo_done_fn done, unsigned *ret_number);

/* What becomes of a job's work: result.status 0 and its value, or the failure. */
typedef void (*solo_result_fn)(struct solo_result result, void *arg);

/*
 * Queues work(arg), and then on_result(result, arg) in the same worker thread, which still counts as busy with it.
 * Exactly once: for a job that never runs it is called with the failure SOLO_ECANCELLED or SOLO_ECLOSING (also -EAGAIN
 * or -ENOMEM, see solo_reactor_call_in_thread), and then on the reactor thread. Errors as for solo_pool_call_in_thread.
 * Runs: work on a pool worker; on_result on that worker, or on the reactor thread if work never runs.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_call_in_thread_with_callback(struct solo_pool *pool, solo_work_fn work,
                                                                       void *arg, solo_result_fn on_result,
                                                                       unsigned *ret_number);

/*
 * As solo_defer_to_thread (thread_call.h) for any pool of the reactor.
 * Runs: work on a pool worker.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_defer_to_thread_pool(struct solo_pool *pool, solo_work_fn work, void *arg,
                                                            struct solo_deferred **ret_deferred);

/*
 * Takes back a job that no worker has begun. Whoever waits for it is told on the reactor thread, after this returned:
 * done(SOLO_ECANCELLED), on_result or the Deferred with that failure, exactly once. SOLO_EALREADYCALLED: it has begun,
 * has ended or was taken back before; nothing changed. -EINVAL: no job had this number. It takes no memory. Cost: it
 * looks through the queue from its nearer end.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_cancel(struct solo_pool *pool, unsigned number);

/* ---- What is going on in it ---- */

struct solo_pool_worker {
    unsigned number;      /* from 1, the lowest free one when it was started */
    unsigned job;         /* number of the job it runs; 0: idle */
    char thread[32];      /* its name: "pool#1", "pool/NAME#1" */
    char queued_by[32];   /* the thread that queued the job; "" when idle */
    uint64_t queued_from; /* return address of the call that queued it; 0 when idle */
    uint64_t since_ns;    /* world time when the job began, up to 10 ms early; 0 when idle */
};

/* Writes up to workers_max workers in order of number; *ret_count: how many there are in all. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_workers(struct solo_pool *pool, struct solo_pool_worker *workers,
                                                  size_t workers_max, size_t *ret_count);

/*
 * Writes in words what each worker is doing, since when and for whom, and what is queued: a line each, cut off where
 * `buffer` ends, and always terminated. *ret_length, which may be NULL: how long all of it is. It allocates nothing
 * and waits for nobody, so it can be called when everything else has come to a stop. -EINVAL.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_dump(struct solo_pool *pool, char *buffer, size_t size, size_t *ret_length);

/* ---- Pools beside the reactor's own ---- */

struct solo_pool_options {
    const char *name;  /* at most SOLO_POOL_NAME_MAX characters, copied; workers are "pool/NAME#N". NULL: a number */
    unsigned min, max; /* max 0 means 10 */
};

/*
 * Makes a pool whose results come to this reactor. `options` may be NULL. It is started when the reactor runs, or by
 * solo_pool_start, and ends with the reactor unless solo_pool_destroy ends it before. -EINVAL: the name is too long or
 * empty, or the limits make no sense; -ENOMEM; SOLO_ECLOSING: the reactor takes no new work.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_create(struct solo_reactor *reactor, const struct solo_pool_options *options,
                                                 struct solo_pool **ret_pool);

/*
 * Starts the minimum, and workers for the jobs that wait. What they report waits until the reactor runs.
 * SOLO_EALREADYRUNNING: it has started. SOLO_EALREADYQUIT: it was stopped; a stopped pool does not start again.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pool_start(struct solo_pool *pool);

/*
 * From now on no job is accepted (SOLO_ECLOSING). Those accepted still run, and each worker quits when none is left;
 * one that was never started hands them back now. Then done(0, arg), which may be NULL, is called on the reactor
 * thread; or done(SOLO_ECLOSING, arg) if the reactor ended first. Does not wait, takes no memory. SOLO_EALREADYQUIT:
 * it was stopped before, or the reactor stops it.
 * Runs: done on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pool_stop(struct solo_pool *pool, solo_done_fn done, void *arg);

/*
 * Frees a pool that has stopped, from within the done function of solo_pool_stop or later. Accepts NULL. -EBUSY: it
 * has not come to that, or the reactor is ending it. -EINVAL: it is the reactor's own, which ends with it.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pool_destroy(struct solo_pool *pool);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_pool_call_in_thread(pool, fn, arg, done, ret_number)                                                      \
    (SOLO__RUNS_ON_POOL(solo_call_fn, fn, (void *)0), SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0),         \
     solo_pool_call_in_thread(pool, fn, arg, done, ret_number))
#define solo_pool_call_in_thread_with_callback(pool, work, arg, on_result, ret_number)                                 \
    (SOLO__RUNS_ON_POOL(solo_work_fn, work, (void *)0),                                                                \
     solo_pool_call_in_thread_with_callback(pool, work, arg, on_result, ret_number))
#define solo_defer_to_thread_pool(pool, work, arg, ret_deferred)                                                       \
    (SOLO__RUNS_ON_POOL(solo_work_fn, work, (void *)0), solo_defer_to_thread_pool(pool, work, arg, ret_deferred))
#define solo_pool_stop(pool, done, arg)                                                                                \
    (SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0), solo_pool_stop(pool, done, arg))
#endif

#ifdef __cplusplus
}
#endif
#endif
