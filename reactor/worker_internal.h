/*
 * worker_internal.h - what the three kinds of worker share.
 *
 * A piece of work is one allocation, made when it is accepted. It is in exactly one place: nowhere yet, in its
 * worker's queue, or running. Lock order: a worker's lock is a leaf, nothing is called while it is held.
 */
#ifndef SOLO__WORKER_INTERNAL_H
#define SOLO__WORKER_INTERNAL_H

#include "argument.h"
#include "object.h"
#include "self.h"
#include <solo/thread.h>
#include <solo/worker.h>

struct solo__work {
    struct solo__work *next; /* in the worker's queue */
    /*
     * NULL: a user's work, made and freed by worker.c. Else the kit's own, and its memory somebody else's: 0 its turn
     * has come, negative it never will. Not touched after that.
     */
    void (*serve)(struct solo__work *work, int status);
    solo_call_fn fn;
    solo_done_fn done; /* may be NULL */
    void *arg;
    struct solo__provenance provenance;
};

/* How one kind of worker differs. */
struct solo__worker_kind {
    /* Takes over the work, or SOLO_EALREADYQUIT and the work stays the caller's. */
    int (*accept)(struct solo_worker *worker, struct solo__work *work);
    /* The worker has just quit for the first time; called with its lock held. */
    void (*quit)(struct solo_worker *worker);
    /* Waits until nobody uses the worker any more and lets go of what the kind holds. */
    void (*finish)(struct solo_worker *worker);
    bool performs; /* solo_worker_perform is for this kind */
    /* It has quit: whether finish would wait for nothing. NULL: it never does. */
    bool (*is_over)(struct solo_worker *worker);
};

struct solo_worker {
    struct solo__object object;
    const struct solo__worker_kind *kind;
    struct solo_lock lock; /* guards everything below */
    struct solo_gate gate; /* its thread waits for work (thread worker); destroy waits for users (lock worker) */
    struct solo__work *first, *last;
    bool has_quit;
    unsigned users;             /* lock worker: threads between acceptance and the end of their work */
    struct solo_thread *runner; /* who runs its work now; thread worker: its thread */
    struct solo_mutex *mutex;   /* lock worker */
};

/* Makes a worker in the caller's world. NULL: no memory. */
struct solo_worker *solo__worker_make(const struct solo__worker_kind *kind, void *created_at);

/* Gives the worker a piece of the kit's own work: no announcement, no memory. SOLO_EALREADYQUIT: it was not taken. */
int solo__worker_give(struct solo_worker *worker, struct solo__work *work);

/* Whether a worker that has quit has done so for good: to destroy it will not wait. */
bool solo__worker_is_over(struct solo_worker *worker);

/* Whether the caller runs its work. */
bool solo__worker_runs_here(struct solo_worker *worker);

/* A violation about work that was given to a worker or team after it had quit; returns SOLO_EALREADYQUIT. */
int solo__refuse_after_quit(void *object, unsigned function, void *frame, void *return_address);

/* Runs the work in this thread, ends it and frees it. */
void solo__work_run(struct solo_worker *worker, struct solo__work *work);

/* With the lock held: to the end of the queue; from its start, or NULL. */
void solo__work_push(struct solo_worker *worker, struct solo__work *work);
struct solo__work *solo__work_pop(struct solo_worker *worker);

static inline void solo__worker_enter(struct solo_worker *worker)
{
    worker->object.world->threads->enter(worker->object.world, &worker->lock);
}

static inline void solo__worker_leave(struct solo_worker *worker)
{
    worker->object.world->threads->leave(worker->object.world, &worker->lock);
}

#endif
