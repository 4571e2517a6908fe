/*
 * interpose.h - the library that puts an unmodified program's threads into the simulated world.
 *
 * libsolo-interpose.so is loaded before the program (LD_PRELOAD) and defines the functions through which a program
 * meets other threads, time and chance: pthread_*, sem_*, sleep, clock_gettime, read on a pipe. Called on a virtual
 * thread they are done here, over the tables of the world (solo/world.h); called by anybody else (the kit itself, a
 * process that is no schedule, after the end) they go on to the C library as if this library were not there.
 *
 * The program's own objects are never written to, but for what it can see (a handle, a once flag): what a mutex is
 * doing is kept in a side table by its address. So static initialisers need no care, and two threads never meet inside
 * the C library. Objects are numbered by first use, and no address enters a trace.
 *
 * All of this runs on the token carrier: one thread at a time has the turn and gives it up only where it announces or
 * waits, so nothing here needs a lock.
 */
#ifndef SOLO__INTERPOSE_H
#define SOLO__INTERPOSE_H

#include "next_names.h"
#include <errno.h>
#include <pthread.h>
#include <solo/model.h>
#include <solo/thread.h>
#include <time.h>

/* A function that programs reach instead of the C library's. */
#define INTERPOSED __attribute__((visibility("default")))

/* The C library's own function of this name, which is listed in next_names.h. */
#define NEXT(name) ((__typeof__(&name))interpose_next(INTERPOSE_NEXT_##name))
void *interpose_next(enum interpose_next_name name);
void *interpose_next_by_name(const char *name);

/* The world of the calling virtual thread; NULL if this call is none of ours. To be asked by an INTERPOSED function. */
#define WORLD_OF_CALLER() interpose_world(__builtin_return_address(0))
struct solo_world *interpose_world(const void *caller);

/* Whether this address lies in the code of the kit. */
bool interpose_is_kit(const void *address);

/* Cleared memory that stays until the process ends; not the program's heap, whose addresses must not change. */
void *interpose_allocate(size_t size);

/*
 * The program called something that the simulation cannot model: says so ("fork: ...") and ends the schedule.
 * `call` may be NULL: then `why` says it all.
 */
void interpose_refuse(const char *call, const char *why) __attribute__((noreturn));

/* Looks for what the program's objects want to be run at its end. */
void interpose_note_ends(void);

/* Whether that is being run: the program's own exit handlers have been. */
bool interpose_is_ending(void);

/* ---- Objects ---- */

enum interpose_kind {
    INTERPOSE_MUTEX,
    INTERPOSE_CONDITION,
    INTERPOSE_RWLOCK,
    INTERPOSE_SEMAPHORE,
    INTERPOSE_BARRIER,
    INTERPOSE_ONCE,
    INTERPOSE_FUTEX,
    INTERPOSE_FILE,
    INTERPOSE_KINDS
};

enum { INTERPOSE_READERS = 8 };

struct interpose_object {
    struct interpose_object *next;
    const void *address;
    enum interpose_kind kind;
    uint32_t id;
    struct solo_lock lock; /* nobody contends for it: the world's tables want one */
    struct solo_gate gate;
    struct solo_wait why; /* of everybody who waits here, kept up to date */
    uint32_t waiters;
    bool fresh; /* a condition or semaphore whose state nobody has filled in yet */
    union {
        struct {
            struct solo_thread *holder; /* NULL: free */
            unsigned depth;             /* how often the holder has locked it */
            int type;                   /* PTHREAD_MUTEX_NORMAL, ... */
            bool robust;                /* whoever locks it next hears that its holder ended */
            bool left, broken;          /* the holder ended; and nobody has made good what it left */
        } mutex;
        struct {
            uint64_t signals;
            clockid_t clock;
        } condition;
        struct {
            struct solo_thread *writer;
            unsigned readers, writers_waiting;
            struct solo_thread *reading[INTERPOSE_READERS]; /* as many of them as find room, NULL between them */
        } rwlock;
        struct {
            unsigned value;
        } semaphore;
        struct {
            unsigned count, arrived;
            uint64_t generation;
        } barrier;
        struct {
            struct solo_thread *runner; /* NULL: nobody initialises */
        } once;
    };
};

/* The object at an address, made if this is its first use. */
struct interpose_object *interpose_object(enum interpose_kind kind, const void *address);
/* The mutex with the lowest number above `id` that this thread holds and that is robust; NULL: none. */
struct interpose_object *interpose_object_left(const struct solo_thread *holder, uint32_t id);
/* The same as interpose_object, or NULL if it was never used. */
struct interpose_object *interpose_object_known(enum interpose_kind kind, const void *address);
/* It begins, or ends, its life: whatever was known of that address is forgotten. */
void interpose_object_forget(enum interpose_kind kind, const void *address);

/* ---- Events and waiting ---- */

static inline void interpose_announce(struct solo_world *world, enum solo_probe_kind kind, enum solo_access access,
                                      uint32_t object, uint64_t value)
{
    world->threads->announce(world, kind, access, object, value);
}

/* Waits at the object's gate until woken or deadline_ns. 0 or -ETIMEDOUT. May wake for nothing. Announces nothing. */
int interpose_wait(struct solo_world *world, struct interpose_object *object, uint64_t deadline_ns);
void interpose_wake(struct solo_world *world, struct interpose_object *object, bool all);

/* ---- Threads ---- */

enum { INTERPOSE_RECENT = 4 };

struct interpose_cleanup; /* thread_local.c: what a thread_local variable's end calls */
struct interpose_value;   /* thread_local.c: what a thread keeps under a key */

struct interpose_thread {
    struct interpose_thread *next; /* of those that can still be joined */
    struct solo_thread *thread;    /* NULL: main, which is joined by nobody */
    pthread_t handle;
    void *(*start)(void *arg);
    int (*start_c11)(void *arg); /* instead of `start` */
    void *arg;
    void *result;
    const pthread_attr_t *attributes;  /* while it is being created */
    struct interpose_wrapped *wrapped; /* by ThreadSanitizer; NULL: the C library begins with it itself */
    void *(*wrapper)(void *arg);       /* what the detector would begin with, and end the thread in */
    bool detached, joined, finished;
    unsigned idle_calls; /* how often in a row it yielded or tried in vain */
    unsigned looks;      /* at the clock, in a row */
    unsigned in_vain;    /* attempts at locks that were held, less those at others (mutex.c) */
    const void *stack_top;
    unsigned repeats; /* accesses to recently touched memory, in a row */
    unsigned recent_next;
    uintptr_t recent[INTERPOSE_RECENT]; /* words of memory touched last */
    struct interpose_cleanup *cleanups;
    struct interpose_value *values; /* of pthread_setspecific; NULL: it set none */
};

/* The calling virtual thread. Never NULL. */
struct interpose_thread *interpose_self(void);

/*
 * ThreadSanitizer, in a program built by `solo cc --tsan`, takes each pthread function first and then calls ours. It
 * begins threads with a function of its own, whose argument begins with the program's function and argument, and goes
 * on only once that function has run on the new thread.
 */
struct interpose_wrapped {
    void *(*fn)(void *arg);
    void *arg;
};
bool interpose_has_detector(void);
/* One of its functions. */
void *interpose_detectors(const char *function);

/* Before any schedule: how the token carrier makes threads. */
void interpose_threads_prepare(void);

/* Makes room for what the thread keeps under keys, while somebody else still has the turn. */
void interpose_keys_reserve(struct interpose_thread *thread);

/* Runs what the thread's keys and thread_local variables want at its end. */
void interpose_run_destructors(struct interpose_thread *thread);

/* How many threads of the program are alive besides main. */
unsigned interpose_threads_alive(void);

/* Before any code of the program's: quick_exit ends the schedule like any other end. */
void interpose_leave_quickly(void);

int interpose_thread_create(struct solo_world *world, struct interpose_thread *thread);
int interpose_thread_join(pthread_t handle, void **ret_result);
int interpose_thread_detach(pthread_t handle);
void interpose_thread_exit(void *result) __attribute__((noreturn));

/* ---- Time ---- */

/* The instant of a clock in world time: 0 if it is past, SOLO_NEVER if it is far. False: no such time. */
bool interpose_deadline(clockid_t clock, const struct timespec *at, uint64_t *ret_deadline_ns);
void interpose_sleep_until(struct solo_world *world, uint64_t until_ns);

/*
 * The thread did something that only makes sense again and again (a yield, a look at the clock, an attempt): from the
 * second time in a row on it sleeps, longer and longer, so that whoever it waits for gets on in every schedule.
 */
void interpose_idle(struct solo_world *world);
/* It did something else. */
static inline void interpose_busy(void)
{
    struct interpose_thread *self = interpose_self();
    self->idle_calls = self->looks = self->repeats = 0;
}

int interpose_nanosleep(struct solo_world *world, const struct timespec *duration);

/* ---- What pthread.h and threads.h have in common; positive errors ---- */

struct interpose_object *interpose_mutex(const pthread_mutex_t *mutex);
/* As the functions of pthread.h, with positive errors. */
int interpose_mutex_lock(struct solo_world *world, struct interpose_object *mutex, uint64_t deadline_ns);
int interpose_mutex_trylock(struct solo_world *world, struct interpose_object *mutex);
/* After a wait that let go of it: the same, without a scheduling point before it. */
int interpose_mutex_lock_again(struct solo_world *world, struct interpose_object *mutex);
int interpose_mutex_unlock(struct solo_world *world, struct interpose_object *mutex);
/* The same, by a program that may have to back off. */
int interpose_mutex_release(struct solo_world *world, struct interpose_object *mutex);
/* The calling thread ends: the robust mutexes that it holds are left to others. */
void interpose_mutexes_leave(struct solo_world *world);

int interpose_condition_wait(struct solo_world *world, const void *condition, const pthread_mutex_t *mutex,
                             uint64_t deadline_ns);
int interpose_condition_wake(struct solo_world *world, const void *condition, bool all);

int interpose_key_create(unsigned *ret_key, void (*destructor)(void *value));
int interpose_key_delete(unsigned key);
int interpose_key_set(unsigned key, const void *value);
void *interpose_key_get(unsigned key);

#endif
