/*
 * pool_internal.h - the pool's own data: jobs, workers, and how they meet.
 *
 * Everything under `lock` is changed under it; the lock is a leaf (no announcement, no user code, no other lock while
 * it is held). A job is in exactly one place: the queue, a worker (given to it or running), the held list, or the
 * reactor's queue of calls, where its report waits. job.c accepts and ends jobs, pool.c makes workers, pool_worker.c
 * is a worker's life, pool_stop.c ends the pool, pool_control.c is the remote control.
 */
#ifndef SOLO__POOL_INTERNAL_H
#define SOLO__POOL_INTERNAL_H

#include "reactor_internal.h"
#include <solo/pool_control.h>

struct solo__job {
    struct solo__call call; /* first. Serving it ends the job on the reactor thread and frees it */
    struct solo_pool *pool;
    void (*run)(struct solo__job *job); /* what a worker does */
    void (*end)(struct solo__job *job,
                int status);           /* tells whoever waits: 0 it ran, else it never will; frees nothing */
    struct solo__job *next, *previous; /* in the queue or the held list */
    struct solo_option option;         /* as offered to the chooser */
    unsigned number;                   /* in order of acceptance, from 1 */
    unsigned ran_on;                   /* number of the worker it was given to */
    enum solo_job_state state;
    int status;        /* what its end says: 0 it ran, else why it never will */
    bool reports;      /* somebody waits for its end: it must come back to the reactor thread */
    bool report_asked; /* complete_job came before the end: do not hold the report */
};

/* Jobs in order of number. */
struct solo__job_list {
    struct solo__job *first, *last;
};

struct solo__pool_worker {
    struct solo__pool_worker *next; /* in pool->workers by number, in pool->ended or in pool->abandoned */
    struct solo_pool *pool;
    struct solo_thread *thread; /* its own; set by itself before it does anything */
    struct solo__job *job;      /* given to it or running, NULL: idle */
    struct solo_gate gate;      /* where it alone sleeps */
    unsigned number;            /* pool#N, the lowest free one */
    unsigned holders;           /* abandoned: it and the stop that gave it up; the last one frees it and its job */
    bool sleeping;              /* cleared by whoever wakes it */
    bool running;               /* its job has begun: it can no longer be taken back */
    bool abandoned;             /* the pool ended without it: it must touch neither reactor nor report */
};

struct solo_pool {
    struct solo__object object;
    struct solo_reactor *reactor;
    bool chooses; /* its world has a chooser */

    struct solo_lock lock;          /* guards all that follows */
    struct solo__job_list queue;    /* accepted, not given to a worker */
    struct solo__job_list finished; /* ran, report held */
    struct solo__pool_worker *workers, *ended, *abandoned;
    size_t queued;
    unsigned worker_count;   /* in `workers`: alive, or about to start */
    unsigned busy, sleeping; /* of those */
    unsigned min, max;
    unsigned last_number; /* of jobs */
    uint64_t accepted, ran, handed_back;
    bool started, closing, finishing, held;
    bool note_posted;
    unsigned reporting;          /* reports on their way to the reactor that no worker carries */
    struct solo_gate gate;       /* the stop waits here */
    struct solo__call note;      /* posted when the pool has drained: wakes the reactor */
    struct solo_pool *next_kept; /* among the pools that abandoned workers and so live for ever */
};

static inline void solo__pool_enter(struct solo_pool *pool)
{
    pool->object.world->threads->enter(pool->object.world, &pool->lock);
}

static inline void solo__pool_leave(struct solo_pool *pool)
{
    pool->object.world->threads->leave(pool->object.world, &pool->lock);
}

/* ---- job.c ---- */

/* A job for this pool, not yet accepted: `size` bytes that begin with struct solo__job. NULL: no memory. */
void *solo__job_make(struct solo_pool *pool, size_t size, solo_call_fn fn, void *arg, solo_done_fn done, void *frame,
                     void *return_address);

/* First half of acceptance. SOLO_ECLOSING, or -EAGAIN, -ENOMEM: no worker can be started; then the job is freed. */
int solo__job_admit(struct solo__job *job);
/* Second half: queues the job, and wakes or starts a worker for it. SOLO_ECLOSING (freed too): closed since then. */
int solo__job_accept(struct solo__job *job);

/* Reactor thread: tells whoever waits, as a callback. The job stays. */
void solo__job_end(struct solo__job *job, int status);
/* The same for a job that never began and is in no list any more; it is freed. */
void solo__job_hand_back(struct solo__job *job, int status);

void solo__job_list_add(struct solo__job_list *list, struct solo__job *job); /* in order of number */
void solo__job_list_remove(struct solo__job_list *list, struct solo__job *job);

/* ---- pool.c ---- */

/* The reactor's pool, made now if it has none. Any thread. -ENOMEM. */
int solo__pool_of(struct solo_reactor *reactor, void *created_at, struct solo_pool **ret_pool);

/* Starts workers as long as there is work or a minimum for them. Any thread, outside the lock. */
int solo__pool_grow(struct solo_pool *pool);
/*
 * Starts a worker if there may be one more; `any`: whether it is needed or not. If that fails and none is alive, hands
 * the queue back.
 */
int solo__pool_add_worker(struct solo_pool *pool, bool any);

/* With the lock held. */
bool solo__pool_wants_worker(const struct solo_pool *pool); /* there is more to do than workers for it, and room */
void solo__pool_wake_for_queue(struct solo_pool *pool);     /* sleeping workers, as many as the queue needs */
void solo__pool_wake_worker(struct solo_pool *pool, struct solo__pool_worker *worker);
void solo__pool_wake_all(struct solo_pool *pool);
void solo__pool_unlink_worker(struct solo_pool *pool, struct solo__pool_worker *worker);
void solo__pool_unqueue(struct solo_pool *pool, struct solo__job *job);
/* Gives a queued job to an idle worker. take_back: what was given and has not begun, if there is one. */
void solo__pool_give(struct solo_pool *pool, struct solo__pool_worker *worker, struct solo__job *job);
void solo__pool_take_back(struct solo_pool *pool, struct solo__pool_worker *worker);

/* ---- pool_worker.c ---- */

void solo__pool_worker_main(void *worker);

/* Tells the reactor thread that a job has run; frees it if nobody waits for that. */
void solo__job_report(struct solo__job *job);

/* Reports one held job that the caller took off the held list, with pool->reporting counted up for it. */
void solo__pool_report_held(struct solo_pool *pool, struct solo__job *job);

/* What pool->reporting counted has been posted. */
void solo__pool_has_reported(struct solo_pool *pool);

/* With the lock held: no work is left and no worker; true once, and then the caller posts pool->note. */
bool solo__pool_has_just_drained(struct solo_pool *pool);

/* Joins workers that have ended and frees them. */
void solo__pool_reap(struct solo_pool *pool);

/* Gives up one hold on an abandoned worker; the last one frees it with its job. */
void solo__pool_drop(struct solo_pool *pool, struct solo__pool_worker *worker);

/* ---- pool_stop.c ---- */

extern const struct solo__pool_ops solo__pool_ops;

#endif
