/*
 * pool.h - a pool of worker threads.
 *
 * A worker is started when work arrives, none is idle and there are fewer than max; min workers are started with the
 * pool. Queued jobs are taken first in first out by default, but with several workers no order of execution is
 * promised, and in world sim the chooser decides which of the 32 oldest queued jobs a worker takes and which idle
 * worker is woken for one. Raising max starts waiting work at once. Jobs must not wait for other jobs of the pool:
 * `max` such jobs wedge it (SOLO004).
 *
 * The pool belongs to its reactor (solo_reactor_get_thread_pool) and ends with it.
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
    uint64_t accepted, ran, handed_back; /* since creation */
};

enum { SOLO_POOL_WORKERS_MAX = 128 };

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

/* A consistent snapshot. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_pool_get_statistics(struct solo_pool *pool,
                                                         struct solo_pool_statistics *ret_statistics);

/* The job that the calling worker runs, as a number from 1; 0 on any other thread. */
SOLO_ANY_THREAD SOLO_PUBLIC unsigned solo_pool_current_job(void);

#ifdef __cplusplus
}
#endif
#endif
