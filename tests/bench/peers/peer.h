/*
 * peer.h - what the programs that are measured against each other share: one program a library, the same workloads.
 *
 *     PROGRAM WORKLOAD [COUNT [REPEATS]]     prints the median of the repeats: value, a tab, unit
 *
 * w1.malloc.pN    N threads queue COUNT functions for the loop's thread, memory for each included: callbacks a second
 * w1.batch.pN     the same, 64 at a time, where there is a call for that
 * w1.provenance.pN  as w1.malloc, with the whole stack of who queued each call (SOLO_PROVENANCE=full)
 * w2.pingpong     a thread asks the loop's thread for an answer and waits for it, COUNT times, on one core: ns a trip
 * w2.cross        the same on two cores
 * w2.spin         the same again, with waiting that looks for a moment before it sleeps (SOLO_SPIN_NS)
 * w3.flood        COUNT empty jobs for four workers, each reported to the loop's thread: jobs a second
 * w3.win64        the same with 64 on their way at any time
 * w4.insert       COUNT timers of 0 to 10 seconds are set: timers a second
 * w4.grow         the same where the library has not been told beforehand how many there will be
 * w4.cancel       and cancelled, in order of setting
 * w4.fire         or all fire, in 1,000 steps of the clock
 * w5.iter         one turn of a loop that has nothing to do and does not sleep: turns a second
 * w6.echo.N       an echo server answers N clients, 64 bytes at a time: processor time a request, ns
 * w7.affinity     whether the caller is on the loop's thread: ns
 * w7.function     the same by a function of the library, where there is a quicker way as well
 * w8.deferred     a deferred result is made, gets ten callbacks and fires: a second
 */
#ifndef SOLO_TESTS_PEER_H
#define SOLO_TESTS_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_workload {
    const char *name;    /* "w6.echo.": what comes after it is the number that `run` gets */
    const char *unit;    /* "../s" is the better the more, "ns" the less */
    unsigned long count; /* unless the caller says another one */
    double (*run)(unsigned long count, unsigned number);
};

/* Defined by each program; the last one has no name. */
extern const struct peer_workload peer_workloads[];

/* Seconds of real time, also while the clock is a made-up one. */
double peer_seconds(void);

/* Starts the program again unless this variable of its environment has this value. */
void peer_with(const char *variable, const char *value);

/* Says what went wrong and ends the program. */
void peer_fail(const char *what) __attribute__((noreturn));

/* The calling thread stays on this processor; where it may not, it stays where it is. */
void peer_pin(unsigned processor);

/* ---- Threads that post: made, then let go together, then joined ---- */

enum { PEER_THREADS_MAX = 16 };

struct peer_threads {
    pthread_t threads[PEER_THREADS_MAX];
    pthread_barrier_t start;
    unsigned count;
    unsigned long each;
    void (*post)(unsigned long count);
};

/* `post` is called once on each thread, with its part of the count. */
void peer_threads_make(struct peer_threads *threads, unsigned how_many, unsigned long count,
                       void (*post)(unsigned long count));
double peer_threads_go(struct peer_threads *threads); /* returns when, in seconds */
void peer_threads_join(struct peer_threads *threads);

/* ---- The usual idiom of loops without a queue of calls: a list under a mutex, and one wake-up ---- */

struct peer_item {
    struct peer_item *next;
    void (*fn)(void *arg);
    void *arg;
};

struct peer_queue {
    pthread_mutex_t mutex;
    struct peer_item *first, **end;
};

#define PEER_QUEUE(queue)                                                                                              \
    {                                                                                                                  \
        PTHREAD_MUTEX_INITIALIZER, NULL, &(queue).first                                                                \
    }

/* With memory for the item. */
void peer_queue_post(struct peer_queue *queue, void (*fn)(void *arg), void *arg);
/* Calls all that is queued now, in order, and frees it. */
void peer_queue_serve(struct peer_queue *queue);

/* ---- A pool of four workers, for libraries without one: jobs in, reports out ---- */

enum { PEER_WORKERS = 4 };

/* `report` is called on the worker that has run the job. */
void peer_pool_start(void (*report)(void));
void peer_pool_submit(void (*fn)(void *arg), void *arg);
void peer_pool_stop(void);

/* ---- Timers: the delays that all programs use, and the clock that only moves by hand ---- */

enum { PEER_STEPS = 1000 };
#define PEER_SPAN_NS UINT64_C(10000000000)

uint64_t peer_delay_ns(unsigned long which); /* 0 to 10 seconds, whole milliseconds */
void peer_clock_hold(void);
void peer_clock_advance(uint64_t ns);

/* ---- Echo: a client in a process of its own, and what the server has used ---- */

enum { PEER_MESSAGE = 64 };

/* A listening socket of the loopback interface that does not block. */
int peer_listen(uint16_t *ret_port);
/* Starts the client: `connections` at once, `requests` in all, then all are closed. */
void peer_client_start(uint16_t port, unsigned connections, unsigned long requests);
void peer_client_wait(void);
double peer_cpu_seconds(void); /* of this process so far */

/*
 * Accounts for a server: each new connection, each of its ends. Time is taken from when all are there to when the first
 * one leaves. True at the last end.
 */
void peer_echo_begin(unsigned connections);
void peer_echo_opened(void);
bool peer_echo_closed(void);
double peer_echo_ns(unsigned long requests);

#endif
