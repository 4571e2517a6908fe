/*
 * self.h - who the calling thread is.
 *
 * solo__self is the one thread-local variable of the kit. The carrier rewrites it at every switch, so the guard is a
 * load and a compare. A thread that the kit did not start has NULL there until it first meets a slow path, which gives
 * it an identity of its own (role foreign) that ends with it.
 */
#ifndef SOLO__SELF_H
#define SOLO__SELF_H

#include "object.h"
#include "provenance.h"

enum solo__role {
    SOLO__ROLE_MAIN = 0,
    SOLO__ROLE_CHILD,
    SOLO__ROLE_POOL,
    SOLO__ROLE_WORKER,
    SOLO__ROLE_FOREIGN,
    SOLO__ROLE_PEER
};

enum { SOLO__GROUP_MAX = 15 };

struct solo_thread {
    struct solo__object object;
    struct solo_thread *parent;      /* who started it; NULL for main and foreign threads */
    uint16_t number;                 /* of this thread in its world: the `thread` of events */
    uint8_t role;                    /* enum solo__role */
    uint8_t ended;                   /* its function has returned */
    uint8_t joined;                  /* somebody has asked to join it */
    uint8_t patient;                 /* its next deadline is a last resort: the chooser does not let time pass to it */
    uint32_t label;                  /* main/LABEL, pool#LABEL, worker#LABEL, foreign#LABEL, peer#LABEL */
    char group[SOLO__GROUP_MAX + 1]; /* pool/GROUP#LABEL: of a pool with a name; "" */
    uint32_t children;               /* how many it has started */
    void (*fn)(void *arg);
    void *arg;
    void *backend;                       /* core thread or pthread */
    struct solo_lock lock;               /* guards ended and gate */
    struct solo_gate gate;               /* joiners */
    const struct solo_wait *wait;        /* why it waits now, NULL while it runs; for dumps */
    const struct solo__provenance *work; /* the accepted call it is running, NULL outside */
    struct solo_context *context;        /* context.h; kept by whoever put it there */
    const struct solo__owner *serves;    /* of the reactor whose pool this worker is in: it never becomes that owner */
    struct solo_reactor *inside;         /* the reactor whose loop this thread is in, innermost; NULL outside */
    uint32_t callback_depth;             /* > 0 inside a reactor callback */
    uintptr_t loop_frame;                /* of the function that entered that loop (argument.h) */
    uint32_t unit, unit_depth;       /* how many units have ended, and whether it is in one; unit is read by others */
    uint32_t unit_object;            /* what that unit is about */
    uintptr_t unit_top;              /* above all frames of that unit */
    uintptr_t stack_low, stack_high; /* bounds for frame walks; 0 until known */
    struct solo_thread *next, *previous;   /* in its world's list of threads */
    struct solo__call_batch *run;          /* to which its next thread call may be added; kept (call_batch.c) */
    const struct solo__call *posted;       /* its last thread call: an address to compare with */
    uint32_t call_ids_next, call_ids_left; /* ids for thread calls that were set aside for it: solo__call_id */
    uint32_t job_ids_next, job_ids_left;   /* the same for jobs: job.c */
    uint32_t pins;   /* who needs this memory although the thread may have ended: owners and children */
    uint8_t evicted; /* out of quarantine: the last pin gives the memory back */
};

extern __thread struct solo_thread *solo__self __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The caller's identity, made now if it has none. Never NULL. */
struct solo_thread *solo__self_get(void);

/* Makes a thread object and starts it in `world`; parent is the caller. `group` is copied; NULL: none. */
int solo__thread_start(struct solo_world *world, enum solo__role role, const char *group, uint32_t label,
                       void (*fn)(void *arg), void *arg, struct solo_thread **ret_thread);

/* What a backend runs on the new thread, with solo__self set: announces, runs fn, marks ended, wakes joiners. */
void solo__thread_main(struct solo_thread *thread);

/* Whether its function has returned. */
bool solo__thread_has_ended(struct solo_thread *thread);

/* The second half of it, for a thread whose function will not return: announces, marks ended, wakes joiners. */
void solo__thread_ended(struct solo_thread *thread);

/* Waits for its end and releases it: join without the checks. */
int solo__thread_reap(struct solo_thread *thread);

/* A thread that the kit did not start has ended: its identity does too. Called by the os backend on that thread. */
void solo__thread_left(struct solo_thread *thread);

/* Quarantine lets go of an ended thread's memory. */
void solo__thread_evict(struct solo_thread *thread);

/* Keeps the thread object's memory, so that it can be named and its address is given to nobody else. */
void solo__thread_pin(struct solo_thread *thread);
void solo__thread_unpin(struct solo_thread *thread);

/*
 * Prints the name of thread number `number`, or of the thread with object id `id`, in `world`. False: unknown, nothing
 * printed.
 */
bool solo__thread_print_number(struct solo_world *world, unsigned number, char *buffer, size_t size);
bool solo__thread_print_id(struct solo_world *world, uint32_t id, char *buffer, size_t size);

/* The thread object with this id; if it is gone, one that has no name. */
struct solo_thread *solo__thread_of_id(struct solo_world *world, uint32_t id);

/* "main/1" and so on. */
const char *solo__thread_print_name(const struct solo_thread *thread, char *buffer, size_t size);
const char *solo__role_text(const struct solo_thread *thread);

/* ---- Announcements ---- */

extern int solo__probe_watched __attribute__((visibility("hidden"))); /* subscribers, counted; read without order */
extern struct os_world solo__os_world;

static inline bool solo__world_is_os(const struct solo_world *world)
{
    return (const void *)world == (const void *)&solo__os_world;
}

/* In world os nobody hears an announcement unless there is a subscriber; every other world is always told. */
static inline bool solo__world_is_heard(const struct solo_world *world)
{
    return __builtin_expect(!solo__world_is_os(world) || __atomic_load_n(&solo__probe_watched, __ATOMIC_RELAXED) != 0,
                            0);
}

/* Announces an operation of the caller in this world: the kit's one probe call. */
static inline void solo__announce(struct solo_world *world, enum solo_probe_kind kind, enum solo_access access,
                                  uint32_t object, uint64_t value)
{
    if (solo__world_is_heard(world)) {
        world->threads->announce(world, kind, access, object, value);
    }
}

/* Tells subscribers, and nobody else, of a kind that is marked [told]. */
void solo__probe_tell(struct solo_world *world, enum solo_probe_kind kind, uint32_t object, uint64_t value);

/* Whether work that this thread queues keeps all of its frames: in world sim, and under SOLO_PROVENANCE=full. */
static inline bool solo__provenance_is_full(const struct solo_thread *self)
{
    return solo__provenance_full != 0 || !solo__world_is_os(self->object.world);
}

#endif
