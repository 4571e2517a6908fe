/*
 * shape.h - small programs with one known ordering bug each, in the shape of programs that the field measures its
 * tools by.
 *
 * A shape has the number of threads, the locks and the accesses to shared memory of the program that it is named after
 * (docs/explore-benchmarks.md says what was counted and how), tells a story of its own, and shares no text with it.
 * Every access is a scheduling point. What is wrong is said with shape_check; a deadlock says itself. `twin` is the
 * same program without the bug.
 *
 * Tools whose figures were published made a point of nearly every access to memory, those to a thread's own variables
 * included, and measured code that was not optimised. So shapes pass points on memory of their own where such code
 * does: by one rule for all of them (SHAPE_OWN_*), and more only where a shape says so. They make it harder to find a
 * bug, never easier: nobody else touches that memory.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include <solo/access.h>
#include <solo/delayed_call.h>
#include <solo/sim.h>
#include <solo/thread.h>
#include <solo/world.h>
#include <stdbool.h>
#include <stdint.h>

enum { SHAPE_NEVER = 0, SHAPE_UNKNOWN = -1 };

struct shape {
    const char *name;
    void (*body)(bool twin);
    /*
     * Of the program that it is named after (research: SCTBench's list of the programs studied): threads, main
     * included, and scheduling points, which are starts, joins, locks, unlocks, waits, signals and accesses that race.
     */
    int threads, points;
    /*
     * Mean schedules to the first failure, as published for the random walk, POS and PCT with d = 3
     * (research: SURW, ASPLOS 2025, raw data); and the smallest of all published columns.
     */
    int random, pos, pct3, best;
};

extern const struct shape shapes[];
extern const unsigned shape_count;

extern bool shape_failed;
static inline void shape_check(bool holds)
{
    shape_failed = shape_failed || !holds;
}

/* A shared variable: a word of memory each, because accesses to one word conflict. */
typedef int64_t shape_word;

/* ---- Threads of a shape ---- */

struct shape_thread {
    void (*fn)(struct shape_thread *self);
    unsigned number; /* what it is told, so that threads with the same function can differ */
    uint64_t own;    /* memory that only this thread touches */
    struct solo_thread *thread;
};
typedef void (*shape_fn)(struct shape_thread *self);

/* So many points on memory of the thread's own. */
static inline void shape_own(struct shape_thread *self, int count)
{
    for (int i = 0; i < count; i++) {
        SOLO_WRITE(self->own, 1);
    }
}

enum {
    SHAPE_OWN_ENTRY = 3, /* a thread stores what it was told, and sets up its variables */
    SHAPE_OWN_TURN = 2,  /* a loop compares its counter and moves it on */
    SHAPE_OWN_START = 1, /* main keeps the new thread's handle */
    SHAPE_OWN_JOIN = 12, /* a loop that joins threads: counter, limit, handle, what came back */
};
static inline void shape_turn(struct shape_thread *self)
{
    shape_own(self, SHAPE_OWN_TURN);
}

/* Main, before it starts anybody. */
struct shape_thread *shape_main(void);
/* Starts a thread; by main, one statement after the other. */
void shape_start(shape_fn fn, unsigned number);
/* Starts so many, in a loop in which main passes so many points of its own for each; they are told 0, 1, ... */
void shape_start_many(shape_fn fn, unsigned count, int own);
/* Joins all of them; in a loop, if they were started in one. */
void shape_join(void);

/* A mutex and a condition of this schedule. */
struct solo_mutex *shape_mutex(void);
struct solo_condition *shape_condition(void);

#define LOCK(mutex) ((void)solo_mutex_lock(mutex))
#define UNLOCK(mutex) ((void)solo_mutex_unlock(mutex))
#define GET(variable) SOLO_READ(variable)
#define SET(variable, value) SOLO_WRITE(variable, value)
#define ADD(variable, value) SET(variable, GET(variable) + (value))

void account(bool twin);
void lazy(bool twin);
void deadlock(bool twin);
void carter(bool twin);
void token_ring(bool twin);
void bluetooth_driver(bool twin);
void wronglock(bool twin);
void wronglock_3(bool twin);
void circular_buffer(bool twin);
void queue(bool twin);
void stack(bool twin);
void bounded_buffer(bool twin);
void stringbuffer(bool twin);
void quicksort(bool twin);
void reorder_3(bool twin);
void reorder_4(bool twin);
void reorder_5(bool twin);
void reorder_10(bool twin);
void reorder_20(bool twin);
void reorder_50(bool twin);
void reorder_100(bool twin);
void twostage(bool twin);
void twostage_20(bool twin);
void twostage_50(bool twin);
void twostage_100(bool twin);
void steal_interlocked(bool twin);
void steal_interlocked_state(bool twin);
void steal_state(bool twin);
void steal_plain(bool twin);

#endif
