/*
 * shape.h - small programs with one known ordering bug each, after the programs that the field measures its tools by.
 *
 * Each has the number of threads, the locks and the accesses to shared memory of the program that it is named after,
 * and none of its text. Every access is a scheduling point. What is wrong is said with shape_check; a deadlock says
 * itself. `twin` is the same program without the bug.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include <solo/access.h>
#include <solo/sim.h>
#include <solo/delayed_call.h>
#include <solo/thread.h>
#include <solo/world.h>
#include <stdbool.h>

enum { SHAPE_NEVER = 0, SHAPE_UNKNOWN = -1 };

struct shape {
    const char *name;
    void (*body)(bool twin);
    unsigned threads; /* main included, as the field counts them */
    /*
     * Mean schedules to the first failure, as published for the random walk, POS and PCT with d = 3
     * (research: SURW, ASPLOS 2025, raw data); and the smallest of all published columns.
     */
    int random, pos, pct3, best;
    /*
     * Tools that were measured make a point of every access, those to a thread's own stack included, and code that is
     * not optimised has many. These stand for them: so many points on its own memory a thread passes before its first
     * operation, main passes after each thread that it starts, and each passes before every operation on shared memory.
     */
    struct shape_own {
        int prologue, starter, between;
    } own;
};

extern const struct shape shapes[];
extern const unsigned shape_count;

extern bool shape_failed;
static inline void shape_check(bool holds)
{
    shape_failed = shape_failed || !holds;
}

/* Threads by number, so that a body reads like a list. */
struct shape_crew {
    struct solo_thread *threads[SOLO_SIM_THREADS_MAX];
    unsigned count;
};
void shape_start(struct shape_crew *crew, solo_thread_fn fn, void *arg);
void shape_join(struct shape_crew *crew);

/* A mutex of this schedule. */
struct solo_mutex *shape_mutex(void);

/* So many points on memory that only the calling thread touches. */
void shape_own(int count);
extern struct shape_own shape_own_now;

#define LOCK(mutex) ((void)solo_mutex_lock(mutex))
#define UNLOCK(mutex) ((void)solo_mutex_unlock(mutex))
#define GET(variable) (shape_own(shape_own_now.between), SOLO_READ(variable))
#define SET(variable, value)                                                                                           \
    do {                                                                                                               \
        shape_own(shape_own_now.between);                                                                              \
        SOLO_WRITE(variable, value);                                                                                   \
    } while (0)
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
