/*
 * pool_internal.h - the pool's own data: jobs, workers, and how they meet.
 *
 * Everything under `lock` is changed under it; the lock is a leaf (no announcement, no user code, no other lock while
 * it is held). A job is in exactly one place: the queue, a worker (given to it or running), the held list, or the
 * reactor's queue of calls, where its report waits. job.c accepts, cancels and ends jobs, pool.c makes workers,
 * pool_worker.c is a worker's life, pool_stop.c ends the pool, pool_life.c makes pools beside the reactor's own,
 * pool_dump.c says what goes on, pool_control.c is the remote control. Jobs that are more than a function and its done
 * are defer.c, job_callback.c and job_multiple.c.
 */
#ifndef SOLO__POOL_INTERNAL_H
#define SOLO__POOL_INTERNAL_H

#include "context_internal.h"
#include "reactor_internal.h"
#include <solo/pool_control.h>
#include <stddef.h>

struct solo__job {
    struct solo_pool *pool;
    void (*run)(struct solo__job *job); /* what a worker does */
    void (*end)(struct solo__job *job,
                int status);           /* tells whoever waits: 0 it ran, else it never will; frees nothing */
    struct solo__job *next, *previous; /* in the queue or the held list */
    struct solo_context *context;      /* of whoever queued it; kept until the job is released */
    unsigned number;                   /* in order of acceptance, from 1 */
    unsigned ran_on;                   /* number of the worker it was given to */
    enum solo_job_state state;
    int status;             /* what its end says: 0 it ran, else why it never will */
    bool reports;           /* somebody waits for its end: it must come back to the reactor thread */
    bool report_asked;      /* complete_job came before the end: do not hold the report */
    struct solo__call call; /* last, because what it keeps last may be cut off. Served, it ends the job and frees it */
};

static inline struct solo__job *solo__job_of(struct solo__call *call)
{
    return (struct solo__job *)(void *)((char *)call - offsetof(struct solo__job, call));
}

/* Numbers come round (from 4,294,967,295 to 1): of two jobs that are there, the one that was accepted first. */
static inline bool solo__job_is_older(unsigned number, unsigned other)
{
    return (int)(number - other) < 0;
}

/* Jobs in order of acceptance. */
struct solo__job_list {
    struct solo__job *first, *last;
};

enum { SOLO__CLAIM_MAX = 64 };

/*
 * A worker may claim several jobs at once, so as not to come to the lock for each. Those it has not begun are any other
 * worker's for the asking, and go back to the queue whenever somebody wants to see it (solo__pool_recall).
 */
struct solo__pool_worker {
    struct solo__pool_worker *next; /* in pool->workers by number, in pool->ended or in pool->abandoned */
    struct solo_pool *pool;
    struct solo_thread *thread; /* its own; set by itself before it does anything */
    struct solo__job *job;      /* given to it or running, NULL: idle. Of another worker: after solo__pool_recall */
    /*
     * Atomic. Low half: how many of `claimed` it has begun, which only it raises. High half: how many there are, which
     * only who holds the lock lowers.
     */
    uint64_t claim;
    unsigned counted;      /* of those it has begun, how many are in pool->ran */
    unsigned claims_max;   /* how many it may claim: the more, the shorter its last ones were */
    struct solo_gate gate; /* where it alone sleeps */
    uint64_t since_ns;     /* when its job was given to it or begun */
    unsigned number;       /* pool#N, the lowest free one */
    unsigned holders;      /* abandoned: it and the stop that gave it up; the last one frees it and its job */
    unsigned ran;          /* how many jobs its last claim were, when it was through with them */
    unsigned seen;         /* the last job's number when it went to sleep */
    bool sleeping;         /* cleared by whoever wakes it */
    bool watches;          /* asleep, and will wake up by itself */
    bool slept;            /* since its last claim */
    bool fast;             /* busy, and counted in pool->fast */
    bool running;          /* its job has begun: it can no longer be taken back */
    bool between;          /* atomic: it may have begun its next claimed job and not have reported the last one yet */
    bool abandoned;        /* the pool ended without it: it must touch neither reactor nor report */
    struct solo__job *claimed[SOLO__CLAIM_MAX]; /* changed by it, under the lock; last, because it is not cleared */
};

struct solo_pool {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo__pool_part part;
    bool chooses;                      /* its world has a chooser */
    char name[SOLO_POOL_NAME_MAX + 1]; /* pool/NAME#1; "": pool#1 */

    struct solo__call *inbox; /* atomic: the newest job accepted and not yet in the queue; IS_CLOSED: no more of them */
    bool attentive;           /* atomic: whoever puts something there must come to the lock and see to it */

    struct solo_lock lock;          /* guards all that follows */
    struct solo__job_list queue;    /* accepted, not given to a worker */
    struct solo__job_list finished; /* ran, report held */
    struct solo__pool_worker *workers, *ended, *abandoned;
    size_t queued;
    unsigned worker_count;   /* in `workers`: alive, or about to start */
    unsigned busy, sleeping; /* of those */
    unsigned fast;           /* of the busy ones, those whose jobs have been very short */
    bool quick;              /* its last jobs took next to no time */
    bool lingers;            /* one of them has nothing to do and stays awake */
    bool watched;            /* world os: one of the sleeping ones wakes up by itself and looks after the others */
    unsigned min, max;
    unsigned leaving;     /* how many workers shall still quit for want of work; never more than there are */
    unsigned last_number; /* of jobs */
    uint64_t accepted, ran, handed_back;
    bool started, closing, finishing, held;
    bool note_posted;
    bool stop_asked, stop_told; /* by solo_pool_stop: somebody wants to know, and does */
    solo_done_fn stop_done;     /* who wants to know; may be NULL */
    void *stop_arg;
    unsigned reporting;          /* who reports to the reactor or reaps, and is no worker: the end waits for them */
    struct solo_gate gate;       /* the stop waits here */
    struct solo__call note;      /* posted when the pool has drained: wakes the reactor */
    struct solo_pool *next_kept; /* among the pools that abandoned workers and so live for ever */
};

static inline void solo__pool_enter(struct solo_pool *pool)
{
    pool->object.world->threads->enter(pool->object.world, &pool->lock);
}

static inline bool solo__pool_is_attentive(const struct solo_pool *pool)
{
    return __atomic_load_n(&pool->attentive, __ATOMIC_SEQ_CST);
}

/*
 * With the lock held: says whether whoever queues a job has to come to the lock. True: somebody has to, and has been
 * there in the meantime without knowing.
 */
bool solo__pool_attend(struct solo_pool *pool);
/* Attends, and sees to what it finds. */
void solo__pool_leave(struct solo_pool *pool);

/* With or without the lock: whether the inbox has a job. */
bool solo__pool_has_mail(const struct solo_pool *pool);
/* With the lock held: what is in the inbox goes to the queue. */
void solo__pool_settle(struct solo_pool *pool);
/* With the lock held: the same, and what workers have claimed and not begun: now all is where it can be seen. */
void solo__pool_recall(struct solo_pool *pool);
/* With the lock held: what workers claimed before `since_ns` and have not begun. They are not fast any more. */
void solo__pool_recall_old(struct solo_pool *pool, uint64_t since_ns);
/* With the lock held: nothing is put in the inbox any more. */
void solo__pool_close_inbox(struct solo_pool *pool);
/* Any thread, with or without the lock: false if it is closed. */
bool solo__pool_put(struct solo_pool *pool, struct solo__job *job);
/*
 * With the lock held: how many jobs workers have claimed and not begun; to another worker: those of one that has most.
 */
size_t solo__pool_claimed(const struct solo_pool *pool);
void solo__pool_steal(struct solo_pool *pool, struct solo__pool_worker *worker);
/* With the lock held: further jobs from the queue, for a worker that has just been given one. */
void solo__pool_claim_more(struct solo_pool *pool, struct solo__pool_worker *worker);
/* Its worker: the next claimed job, now begun; NULL: none is left. */
struct solo__job *solo__pool_advance(struct solo__pool_worker *worker);
/* With the lock held: how many of its claimed jobs the worker has begun. */
unsigned solo__pool_begun(const struct solo__pool_worker *worker);

/* ---- job.c ---- */

/* A job for this pool, not yet accepted: `size` bytes that begin with struct solo__job. NULL: no memory. */
void *solo__job_make(struct solo_pool *pool, size_t size, solo_call_fn fn, void *arg, solo_done_fn done, void *frame,
                     void *return_address);

/* First half of acceptance. SOLO_ECLOSING, or -EAGAIN, -ENOMEM: no worker can be started; then the job is freed. */
int solo__job_admit(struct solo__job *job);
/*
 * Second half: queues the job, and wakes or starts a worker for it; ret_number may be NULL. SOLO_ECLOSING (freed too):
 * closed since then.
 */
int solo__job_accept(struct solo__job *job, unsigned *ret_number);

/* Both halves. On failure the job is freed. ret_number may be NULL. */
int solo__job_queue(struct solo__job *job, unsigned *ret_number);

/* What solo_pool_call_in_thread does, for the public functions that do the same. */
int solo__job_queue_call(struct solo_pool *pool, solo_call_fn fn, void *arg, solo_done_fn done, void *frame,
                         void *return_address, unsigned *ret_number);

/* What a job's work returned, if it is a result that a job may have; else the failure -EINVAL. */
struct solo_result solo__job_result(struct solo_result result);

/* Gives back its memory, and lets go of its context: no lock is held. */
void solo__job_release(struct solo__job *job);

/* Reactor thread: tells whoever waits, as a callback. The job stays. */
void solo__job_end(struct solo__job *job, int status);
/* The same for a job that was withdrawn; it is freed. */
void solo__job_hand_back(struct solo__job *job);

void solo__job_list_add(struct solo__job_list *list, struct solo__job *job);       /* where it belongs */
void solo__job_list_add_first(struct solo__job_list *list, struct solo__job *job); /* the same, for an old one */
void solo__job_list_remove(struct solo__job_list *list, struct solo__job *job);

/* ---- pool.c ---- */

/* The reactor's pool, made now if it has none. Any thread. -ENOMEM. */
int solo__pool_of(struct solo_reactor *reactor, void *created_at, struct solo_pool **ret_pool);

/* A pool of this reactor that is not attached to it yet. NULL: no memory. Any thread. */
struct solo_pool *solo__pool_make(struct solo_reactor *reactor, void *created_at);

/* Starts workers as long as there is work or a minimum for them. Any thread, outside the lock. */
int solo__pool_start_needed(struct solo_pool *pool);
/*
 * Starts a worker if there may be one more; `any`: whether it is needed or not. 1: started; 0: no more than there are.
 * If that fails and none is alive, hands the queue back.
 */
int solo__pool_add_worker(struct solo_pool *pool, bool any);

/* With the lock held. */
bool solo__pool_may_add_worker(const struct solo_pool *pool); /* there is room for one more */
bool solo__pool_wants_worker(const struct solo_pool *pool);   /* and more to do than workers for it */
bool solo__pool_should_wake(const struct solo_pool *pool);    /* if work came now, a sleeping worker should be woken */
void solo__pool_wake_for_queue(struct solo_pool *pool);       /* sleeping workers, as many as the queue needs */
void solo__pool_wake_worker(struct solo_pool *pool, struct solo__pool_worker *worker);
void solo__pool_wake_all(struct solo_pool *pool);
void solo__pool_unlink_worker(struct solo_pool *pool, struct solo__pool_worker *worker);
void solo__pool_unqueue(struct solo_pool *pool, struct solo__job *job);
/* Off the queue for good, handed back with this status: nobody else finds it there any more. */
void solo__pool_withdraw(struct solo_pool *pool, struct solo__job *job, int status);
struct solo__job *solo__pool_find_queued(const struct solo_pool *pool, unsigned number);
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
/* Any thread: posts the note if that is so. */
void solo__pool_note_drained(struct solo_pool *pool);

/* Joins workers that have ended and frees them. */
void solo__pool_reap(struct solo_pool *pool);

/* Gives up one hold on an abandoned worker; the last one frees it with its job. */
void solo__pool_drop(struct solo_pool *pool, struct solo__pool_worker *worker);

/* ---- pool_dump.c ---- */

/* A text that is written piece by piece, cut off at its end, and always terminated. */
struct solo__text {
    char *buffer;
    size_t size, used;
    size_t length; /* of all that was added, cut off or not */
};

void solo__text_add(struct solo__text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "pool#2 runs job#5 (queued by main), ...": of those workers that have a job, from `worker` on. */
void solo__text_add_running(struct solo__text *text, const struct solo__pool_worker *worker);
/* With the lock held: "job#6 (queued by main), ...". */
void solo__text_add_queue(struct solo__text *text, const struct solo_pool *pool);

/* ---- pool_stop.c ---- */

/* Closes the door, and once more does nothing. Reactor thread, or before the reactor knows the pool. */
void solo__pool_begin_stop(struct solo_pool *pool);
bool solo__pool_is_drained(struct solo_pool *pool);
/* Tells whoever asked for the stop, once. Reactor thread; the pool may be gone afterwards. */
void solo__pool_tell_stopped(struct solo_pool *pool, int status);

extern const struct solo__pool_ops solo__pool_ops;

#endif
