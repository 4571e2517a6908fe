/*
 * reactor_internal.h - what the files of the engine share: the reactor itself, accepted calls, watches, and the hooks
 * by which the pool and the transports take part in a reactor's life.
 *
 * Everything here belongs to the reactor thread, except what is said to be under `lock` or for any thread. `lock` is
 * a leaf: no announcement, no user code and no other lock while it is held.
 */
#ifndef SOLO__REACTOR_INTERNAL_H
#define SOLO__REACTOR_INTERNAL_H

#include "argument.h"
#include "guard.h"
#include "object.h"
#include "provenance.h"
#include "self.h"
#include "timer_queue.h"
#include <solo/delayed_call.h>
#include <solo/reactor.h>
#include <solo/thread_call.h>

struct solo_pool;
struct solo_transport;

/* ---- Accepted calls ---- */

/*
 * One accepted call, for whichever queue: one allocation, with everything in it that running, firing, cancelling and
 * handing back will need. Others embed it as their first member.
 *
 * serve(call, 0) is its turn; serve(call, SOLO_ECLOSING) says that its turn never comes. Each call is served exactly
 * once, on the reactor thread or in destroy, and serving ends with its memory given back. What must happen in either
 * case (a finished job's report, a connection_lost) ignores the status.
 */
struct solo__call {
    struct solo__call *next;
    void (*serve)(struct solo__call *call, int status);
    struct solo_reactor *reactor;
    solo_call_fn fn;
    solo_done_fn done; /* NULL: nobody asked */
    void *arg;
    struct solo__provenance provenance; /* provenance.object is the call's id */
};

struct solo__call_list {
    struct solo__call *first, *last;
};

/*
 * Takes `size` bytes (a struct that begins with struct solo__call) and fills in the call with a fresh id of `kind`;
 * what comes after it is not cleared. serve is solo__call_serve. NULL when memory is refused. Any thread.
 */
void *solo__call_make(struct solo_reactor *reactor, size_t size, enum solo__object_kind kind, solo_call_fn fn,
                      void *arg, solo_done_fn done, void *frame, void *return_address);

/* The same for memory that the caller has. */
void solo__call_init(struct solo__call *call, struct solo_reactor *reactor, enum solo__object_kind kind,
                     solo_call_fn fn, void *arg, solo_done_fn done, void *frame, void *return_address);

/* The usual serve: fn, done, and release; or done with the status. */
void solo__call_serve(struct solo__call *call, int status);

/* Its pieces, for calls that are more than fn and done. Around them, a serve says solo__callback_begin and _end. */
/* fn comes next: CALL_BEGUN, and solo__self->work says whose it is. Returns what it said before, for the end. */
const struct solo__provenance *solo__call_begun(struct solo__call *call);
void solo__call_ended(struct solo__call *call, const struct solo__provenance *outer_work);
void solo__call_done(struct solo__call *call, int status); /* HANDED_BACK and done(status, arg), or DROPPED */
void solo__call_release(struct solo__call *call);          /* gives back the memory that solo__call_make took */

/* It was announced, and then the queue did not take it: says that the public call returns `status` instead of done. */
void solo__call_refused(struct solo__call *call, int status);

/* Tells the probe that the caller is about to accept `call`; a scheduling point. */
static inline void solo__call_announce(const struct solo__call *call, enum solo_queue queue);

static inline void solo__call_list_append(struct solo__call_list *list, struct solo__call *call)
{
    call->next = NULL;
    if (list->last != NULL) {
        list->last->next = call;
    } else {
        list->first = call;
    }
    list->last = call;
}

static inline struct solo__call *solo__call_list_pop(struct solo__call_list *list)
{
    struct solo__call *call = list->first;
    if (call != NULL) {
        list->first = call->next;
        if (list->first == NULL) {
            list->last = NULL;
        }
    }
    return call;
}

/* ---- Watches: how a part of the kit waits for a descriptor ---- */

/* Embedded in what it serves; lives as long as it is watched. One watch a descriptor. */
struct solo__watch {
    int fd;
    uint32_t events; /* SOLO_READABLE | SOLO_WRITABLE; 0: not watched */
    /* Called in the pass's I/O step with what is ready, which may include SOLO_HANGUP. */
    void (*fn)(struct solo__watch *watch, uint32_t ready);
};

/*
 * From now on waits for `events` of watch->fd; 0 forgets the watch, and then its fn is not called again, even if it
 * was ready in this very poll. -EBADF, -ENOMEM, -EPERM; forgetting always works.
 */
int solo__reactor_watch(struct solo_reactor *reactor, struct solo__watch *watch, uint32_t events);
/* What this very poll reported for it is not served. */
void solo__reactor_forget_ready(struct solo_reactor *reactor, const struct solo__watch *watch);

/* ---- Closables: what the reactor must close when it stops ---- */

/* Embedded in ports, connectors and transports, and linked until their last callback has been made. */
struct solo__closable {
    struct solo__closable *next;
    struct solo__closable **link; /* what points here; NULL: not linked */
    /*
     * The reactor ends: lose it now. Called once, after the during-shutdown triggers or in destroy, already unlinked.
     */
    void (*close)(struct solo__closable *closable, int reason);
};

void solo__reactor_link(struct solo_reactor *reactor, struct solo__closable *closable);
void solo__reactor_unlink(struct solo_reactor *reactor, struct solo__closable *closable); /* not linked: nothing */

/* ---- The pools' part in the reactor's life ---- */

/* How a reactor speaks to a pool: on the reactor thread, but for start and begin_stop (solo__reactor_attach_pool). */
struct solo__pool_ops {
    /* The reactor runs: start the minimum, and workers for what waits. A second time it does nothing. */
    void (*start)(struct solo_pool *pool);
    /* Take no new jobs; go on with the backlog. At the latest right before finish, maybe without start. As start. */
    void (*begin_stop)(struct solo_pool *pool);
    /* Nothing is queued or running, and every finished job's report has been posted. */
    bool (*is_drained)(struct solo_pool *pool);
    /*
     * Hands back what has not begun (SOLO_ECLOSING), waits for running jobs until deadline_ns, reports those that do
     * not end (SOLO004 or SOLO011, with names), joins every worker that ended. Returns how many workers were left
     * behind. Called once.
     */
    size_t (*finish)(struct solo_pool *pool, uint64_t deadline_ns);
    /* Frees it. Called last in destroy, unless a worker was left behind. */
    void (*destroy)(struct solo_pool *pool);
};

/* Embedded in a pool: its place among those of its reactor, newest first. */
struct solo__pool_part {
    struct solo__pool_part *next; /* under the reactor's lock */
    const struct solo__pool_ops *ops;
    struct solo_pool *pool;
    bool finished;
};

/*
 * Any thread: makes a pool the reactor's own, unless it has one already. Returns the pool it has now: if that is
 * another one, the caller frees its own. A reactor that runs starts it here; one that stops calls begin_stop here.
 */
struct solo_pool *solo__reactor_attach_pool(struct solo_reactor *reactor, struct solo__pool_part *part);
/* Any thread: one more pool beside that one. A reactor that runs starts it here. SOLO_ECLOSING: it stops, or has. */
int solo__reactor_add_pool(struct solo_reactor *reactor, struct solo__pool_part *part);
/* Reactor thread: forgets a pool that has finished. */
void solo__reactor_forget_pool(struct solo_reactor *reactor, struct solo__pool_part *part);

/* ---- Transports with something to send (transport_write.c) ---- */

struct solo__unsent {
    struct solo_transport *first, *last; /* in the order in which they had something to send */
    uint64_t round;                      /* how many times the list was sent */
};

/* Sends what the transports' users wrote, one system call for each of them. */
void solo__transports_send(struct solo_reactor *reactor);

/* ---- Deferreds, as far as deferred.h does not say it (deferred.c) ---- */

/* If it has a result, moves it to *ret_result (a failure counts as handled) and leaves none. Never allocates. */
bool solo__deferred_take(struct solo_deferred *deferred, struct solo_result *ret_result);

/* ---- The reactor ---- */

enum { SOLO__PHASES = 3, SOLO__READY_MAX = 64, SOLO__POOL_MAX_DEFAULT = 10 };
#define SOLO__DRAIN_MAX_DEFAULT_NS UINT64_C(60000000000)

/* What the low bits of reactor->inbox say: SLEEPS, and a level, which only rises. */
enum solo__inbox {
    SOLO__OPEN = 0,
    SOLO__DRAINING, /* no new blocking calls */
    SOLO__CLOSED,   /* no new calls */
    SOLO__GONE,     /* destroyed: not even forced ones */
    SOLO__LEVEL = 3,
    SOLO__SLEEPS = 4, /* the poll may sleep: the next post must wake it */
    SOLO__INBOX_BITS = 7,
};

/* Where the reactor is in its life; finer than enum solo_reactor_state. */
enum solo__stage {
    SOLO__STAGE_IDLE = 0, /* not started, or crashed: it may run */
    SOLO__STAGE_STARTING, /* before-startup triggers hold */
    SOLO__STAGE_RUNNING,
    SOLO__STAGE_STOPPING, /* before-shutdown triggers hold */
    SOLO__STAGE_DRAINING, /* the pool and the blocking calls end their work */
    SOLO__STAGE_STOPPED,
};

struct solo__trigger;    /* trigger.c */
struct solo__descriptor; /* descriptor.c */
struct solo__host;       /* names.c */
struct solo_resolver;
struct solo__blocking_call; /* blocking_call.c */

struct solo__trigger_list {
    struct solo__trigger *first, *last;
};

/* What a reactor keeps for the Deferreds to come (deferred.c). */
struct solo__deferreds {
    struct solo_deferred *oldest, *newest; /* ended ones whose memory will be used again, in the order of their ends */
    size_t count;
    uint32_t object_next, object_end; /* object ids that were taken in advance */
};

/* Delayed calls, by slot. delayed_call.c has the invariants. */
struct solo__delayed_calls {
    struct solo__timer_queue queue;   /* when each is due, and this pass's batch */
    uint32_t slots_used;              /* slots that were ever used */
    struct solo__timer **free;        /* queue of free slots, a ring as long as there are slots */
    uint32_t free_first, free_count;  /* the first of them, and how many */
    uint32_t object_next, object_end; /* object ids that were taken in advance */
};

struct solo_reactor {
    struct solo__object object;
    struct solo__owner owner;
    struct solo_world *world;
    struct solo_poller *poller;
    bool in_sim; /* the world is a simulation */

    /* The life. */
    enum solo__stage stage;
    bool running;    /* from the during-startup phase until the during-shutdown phase; any thread reads it */
    bool looping;    /* inside run or iterate */
    bool started;    /* inside run, and neither crashed nor at the end of a stop: passes go on */
    bool stop_asked; /* ever: stop was called */
    bool crashed;    /* in this run: the pass under way is the last, and its poll does not sleep */
    unsigned pool_min, pool_max;
    uint64_t drain_max_ns;
    uint64_t drain_deadline_ns; /* of the shutdown under way; SOLO_NEVER before */
    uint64_t now_ns;            /* the time of this pass: solo__reactor_now */
    bool now_known;             /* it has been read */
    uint64_t passes;
    size_t workers_left; /* pool workers that did not end in time: they keep the reactor's memory */
    bool last_pass;      /* the drain has ended, and what was queued then is served in this pass */
    bool disconnected;   /* a stop has begun to lose connections: no new ones */

    /* Work of the reactor thread. */
    struct solo__call_list batch; /* the thread calls of this pass */
    struct solo__delayed_calls delayed;
    struct solo__trigger_list triggers[2][SOLO__PHASES]; /* by event and phase */
    struct solo__trigger_list held;                      /* fired before-triggers whose Deferred has no result yet */
    uint64_t trigger_ids;
    struct solo__signal *signals; /* that it watches */
    bool stops_on_signals;
    int stop_signal; /* that asked for the stop; 0: none */
    bool phase_over[2][SOLO__PHASES];
    struct solo__descriptor **descriptors; /* by descriptor number */
    size_t descriptors_size;
    struct solo__closable *closables;
    struct solo__unsent unsent;             /* empty while the poll sleeps */
    struct solo__blocking_call *unanswered; /* blocking calls whose work returned a Deferred without a result */
    struct solo_ready *ready;               /* what the present poll reported and is not served yet */
    size_t ready_count;
    struct solo__deferreds deferreds;

    uint32_t wakes_owed; /* posts that found SOLO__SLEEPS: each wakes the poll once */

    /* Names. */
    struct solo_resolver *resolver; /* NULL: the pool */
    uint64_t resolve_timeout_ns;    /* 0: the default */
    struct solo__host *hosts;
    size_t hosts_count;

    /* Under lock. */
    struct solo_lock lock;
    bool draining;                 /* no new jobs */
    struct solo_pool *pool;        /* its own: set once */
    struct solo__pool_part *pools; /* that one and the others */
    bool pools_started;

    /* Atomic, apart from what only the reactor thread writes. thread_call.c has the invariants. */
    char apart[64];
    uintptr_t inbox;     /* the newest call accepted and not taken by a pass + enum solo__inbox */
    uint32_t wakes_sent; /* of those owed */
    char apart_too[64];
};

static inline void solo__call_announce(const struct solo__call *call, enum solo_queue queue)
{
    struct solo_world *world = call->reactor->world; /* the reactor may end while others have their turn */
    solo__announce(world, SOLO_PROBE_CALL_ACCEPTED, SOLO_ACCESS_WRITE, call->provenance.object, queue);
    solo__argument_keep(world, call->provenance.object, call->arg);
}

/*
 * Any thread: appends a call to the thread-call queue and wakes the reactor if it may sleep. SOLO_ECLOSING: not
 * accepted, because the reactor takes nothing new; a forced post, the hand-back of accepted work, is refused only
 * once destroy has done its last round. SOLO_ECLOSED: the reactor has ended. Never allocates, never announces a
 * scheduling point.
 */
int solo__reactor_post(struct solo_reactor *reactor, struct solo__call *call, bool forced);

/* Reactor thread: serves the call in the next pass, or in the last round of a stop or destroy. Never fails. */
void solo__reactor_later(struct solo_reactor *reactor, struct solo__call *call);

/* Around everything that the reactor thread calls and does not know. `object` is what is being served. */
static inline void solo__callback_begin(struct solo_reactor *reactor, uint32_t object)
{
    solo__self->callback_depth++;
    solo__unit_begin(reactor->world, object);
    solo__announce(reactor->world, SOLO_PROBE_CALLBACK_BEGUN, SOLO_ACCESS_NONE, object, 0);
}

static inline void solo__callback_end(struct solo_reactor *reactor, uint32_t object)
{
    solo__announce(reactor->world, SOLO_PROBE_CALLBACK_ENDED, SOLO_ACCESS_NONE, object, 0);
    solo__unit_end(reactor->world);
    solo__self->callback_depth--;
}

/* Whether the reactor no longer takes anything new. */
static inline bool solo__reactor_is_over(const struct solo_reactor *reactor)
{
    return reactor->stage == SOLO__STAGE_STOPPED;
}

/* Whether it takes new ports, connectors and transports: what comes back as soon as it is lost would hold up a stop. */
static inline bool solo__reactor_takes_connections(const struct solo_reactor *reactor)
{
    return !reactor->disconnected && !solo__reactor_is_over(reactor);
}

/* A time plus a delay, SOLO_NEVER if that is beyond all times. */
static inline uint64_t solo__add_ns(uint64_t time_ns, uint64_t delay_ns)
{
    return delay_ns > SOLO_NEVER - time_ns ? SOLO_NEVER : time_ns + delay_ns;
}

/* The time of this pass; outside the loop there is no pass, and the clock is read. */
uint64_t solo__reactor_read_clock(struct solo_reactor *reactor);
static inline uint64_t solo__reactor_now(struct solo_reactor *reactor)
{
    return reactor->looping && reactor->now_known ? reactor->now_ns : solo__reactor_read_clock(reactor);
}

/* ---- Between the files of the engine ---- */

/* thread_call.c. take fixes the batch of this pass, run serves it. */
void solo__thread_calls_take(struct solo_reactor *reactor);
void solo__thread_calls_run(struct solo_reactor *reactor);
static inline bool solo__thread_calls_queued(const struct solo_reactor *reactor)
{
    return (__atomic_load_n(&reactor->inbox, __ATOMIC_RELAXED) & ~(uintptr_t)SOLO__INBOX_BITS) != 0;
}
/* Whether one with this serve function is in the queue. */
bool solo__thread_calls_include(struct solo_reactor *reactor, void (*serve)(struct solo__call *call, int status));
/* From now on it takes no blocking calls. */
void solo__thread_calls_drain(struct solo_reactor *reactor);
/* close: no more are taken, and what is left is served with SOLO_ECLOSING. end: from now on not even forced ones. */
void solo__thread_calls_close(struct solo_reactor *reactor);
void solo__thread_calls_end(struct solo_reactor *reactor);
/* Any thread: whether this call is the newest in the queue, which still takes calls. */
bool solo__reactor_is_newest(struct solo_reactor *reactor, const struct solo__call *call);
/* Right before the poll: false if a call is queued; else the next post will wake it, until is_awake. */
bool solo__reactor_may_sleep(struct solo_reactor *reactor);
void solo__reactor_is_awake(struct solo_reactor *reactor);
/* Any thread: whether nothing is queued and its poll may sleep; as soon as it is known, it may be otherwise. */
bool solo__reactor_sleeps(const struct solo_reactor *reactor);
/* As solo__reactor_post, but refused from the drain on. */
int solo__reactor_post_blocking(struct solo_reactor *reactor, struct solo__call *call);

/*
 * call_batch.c. take fixes what a pass will serve of it, if this is a batch; leave: the thread adds to none any more.
 */
void solo__call_batch_take(struct solo__call *call);
void solo__call_batch_leave(struct solo_thread *thread);

/* blocking_call.c. answer: those whose Deferred has a result now; give_up: SOLO_ECLOSING to the others of them. */
void solo__blocking_calls_answer(struct solo_reactor *reactor);
void solo__blocking_calls_give_up(struct solo_reactor *reactor, bool report);
/* Whether one was accepted and is not answered. */
bool solo__blocking_calls_pending(struct solo_reactor *reactor);

/* delayed_call.c. take fixes the batch of this pass (due at now_ns), run serves it; close hands back what is left. */
void solo__delayed_calls_take(struct solo_reactor *reactor);
/* For a new reactor: makes room for so many, so that they will not need memory. -ENOMEM. */
int solo__delayed_calls_reserve(struct solo_reactor *reactor, size_t count);
void solo__delayed_calls_run(struct solo_reactor *reactor);
/* Due time of the next; SOLO_NEVER if there is none. */
static inline uint64_t solo__delayed_calls_next(struct solo_reactor *reactor)
{
    struct solo__timer_queue *queue = &reactor->delayed.queue;
    return queue->heap_count == 0 && queue->wheel_count == 0 ? SOLO_NEVER : solo__timer_queue_next(queue);
}
void solo__delayed_calls_close(struct solo_reactor *reactor);
void solo__delayed_calls_end(struct solo_reactor *reactor);

/* trigger.c. hold: whether a Deferred has no result yet; let_go stops waiting, and `report` says for which. */
void solo__triggers_fire(struct solo_reactor *reactor, enum solo_system_event event, enum solo_phase phase);
bool solo__triggers_hold(struct solo_reactor *reactor);
void solo__triggers_let_go(struct solo_reactor *reactor, bool report);
/*
 * open: all phases take triggers again; finish: this one takes no more; close: none does, and what is left is handed
 * back.
 */
void solo__triggers_open(struct solo_reactor *reactor, enum solo_system_event event);
void solo__triggers_finish(struct solo_reactor *reactor, enum solo_system_event event, enum solo_phase phase);
void solo__triggers_close(struct solo_reactor *reactor, enum solo_system_event event);
/* call_when_running before run: an after-startup trigger without an id. */
int solo__trigger_add_hook(struct solo_reactor *reactor, solo_call_fn fn, void *arg, solo_done_fn done, void *frame,
                           void *return_address);

/* deferred.c: gives back the memory that the reactor keeps for its Deferreds. */
void solo__deferreds_end(struct solo_reactor *reactor);

/* names.c: the hosts that were set are given back. */
void solo__names_end(struct solo_reactor *reactor);

/* descriptor.c */
void solo__descriptors_end(struct solo_reactor *reactor);

/* signal.c. Those that stop, while it runs; end: all, in destroy. */
void solo__signals_begin_stopping(struct solo_reactor *reactor);
void solo__signals_end_stopping(struct solo_reactor *reactor);
void solo__signals_end(struct solo_reactor *reactor);

/* lifecycle.c. The step is made in every pass, at the latest at the deadline; end is for destroy. */
void solo__lifecycle_start(struct solo_reactor *reactor);
void solo__lifecycle_step(struct solo_reactor *reactor);
/* Whether there is a step to make: not so while it simply runs. */
static inline bool solo__lifecycle_moves(const struct solo_reactor *reactor)
{
    return reactor->stop_asked || (reactor->stage != SOLO__STAGE_RUNNING && reactor->stage != SOLO__STAGE_IDLE);
}
/* Until when the present stage may last, and with it the poll; 0 after a crash. */
static inline uint64_t solo__lifecycle_deadline(const struct solo_reactor *reactor)
{
    bool waits = reactor->stage == SOLO__STAGE_STOPPING || reactor->stage == SOLO__STAGE_DRAINING;
    return reactor->crashed ? 0 : waits ? reactor->drain_deadline_ns : SOLO_NEVER;
}
void solo__lifecycle_crash(struct solo_reactor *reactor);
void solo__lifecycle_end(struct solo_reactor *reactor);
void solo__lifecycle_destroy_pools(struct solo_reactor *reactor);

#endif
