/*
 * sim.h - the simulated world: virtual threads, a virtual clock, an in-memory network, and one chooser.
 *
 * Two ways in. A scenario is a function that runs many times in one process (solo_sim_run). A whole program has its
 * main become virtual thread 0 (solo_sim_enter), which is what `solo explore` does to a program before its main.
 *
 * Virtual threads run one at a time and hand over only at announced points (probe.h). Two carriers run identical
 * schedules: fibers on one thread (fast), and real threads passing a token (for thread-local storage, helgrind and
 * drd). A run ends when its main function returns, or at quiescence: nobody can run and no deadline is left. That is
 * success if everybody who waits is idle (a reactor in its poll, a worker without a job, a peer), else a deadlock
 * (SOLO004).
 */
#ifndef SOLO_SIM_H
#define SOLO_SIM_H

#include <solo/choice.h>
#include <solo/error.h>
#include <solo/violation.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_sim;

enum { SOLO_SIM_THREADS_MAX = 200 };

enum solo_carrier { SOLO_CARRIER_FIBER = 0, SOLO_CARRIER_TOKEN };

enum solo_clock_mode {
    SOLO_CLOCK_AUTOJUMP = 0, /* when nobody can run, time moves to the next deadline */
    SOLO_CLOCK_MANUAL,       /* time moves only in solo_clock_advance */
};

enum solo_ending {
    SOLO_ENDING_NONE = 0,   /* still running; after a crash this is what is left */
    SOLO_ENDING_RETURNED,   /* the main function returned, or the program called exit */
    SOLO_ENDING_QUIET,      /* quiescence, and everybody who waits is idle */
    SOLO_ENDING_DEADLOCK,   /* quiescence, and somebody waits for what nobody will give */
    SOLO_ENDING_STEPS,      /* steps_max was reached */
    SOLO_ENDING_DIVERGED,   /* the strategy gave up: a strict replay no longer fits */
    SOLO_ENDING_UNMODELLED, /* the program called something that the simulation cannot model */
};

/* Where a run is written down, each answer before it takes effect. The memory is the caller's and may be shared. */
struct solo_sim_log {
    struct solo_answer *answers; /* room for answers_max; what does not fit is counted but not kept */
    struct solo_event
        *events; /* ring of events_max (a power of two, or 0): the last events, event n at n & (max - 1) */
    uint32_t answers_max;
    uint32_t events_max;
    uint32_t answers_count;
    uint32_t ending; /* enum solo_ending */
    uint64_t events_count;
    uint64_t trace_hash; /* over every event but plain answers; equal for equal schedules, on both carriers */
    uint64_t now_ns;
    uint32_t deviations; /* answers other than 0 */
};

struct solo_sim_options {
    enum solo_carrier carrier;
    enum solo_clock_mode clock;
    const struct solo_strategy *strategy; /* NULL: the plain schedule */
    void *strategy_state;
    bool let_time_pass;       /* offer "let time pass" while others can run; never to the end of a stop's patience */
    uint64_t steps_max;       /* 0: one million events */
    uint32_t faults_max;      /* budget of fault choices; 0: never asked */
    struct solo_sim_log *log; /* NULL: the simulation keeps its own, without events */
};

/* Makes a simulation with pooled stacks or threads. It lives until solo_sim_destroy. -EINVAL, -ENOMEM. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_sim_create(const struct solo_sim_options *options, struct solo_sim **ret_sim);
SOLO_ANY_THREAD SOLO_PUBLIC void solo_sim_destroy(struct solo_sim *sim);

/*
 * Runs one schedule: fn(arg) is virtual thread 0, "main". Returns the ending (enum solo_ending), or SOLO_ECLOSING if
 * the strategy has nothing left to try. All virtual threads and kit objects of the run are gone when it returns; memory
 * that the program took from malloc is its own matter. -EBUSY: called inside a run.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_sim_run(struct solo_sim *sim, uint64_t seed, void (*fn)(void *arg), void *arg);

/* What a run wrote: the log given in the options, or the simulation's own. Valid until destroy. */
SOLO_ANY_THREAD SOLO_PUBLIC const struct solo_sim_log *solo_sim_get_log(const struct solo_sim *sim);

/* The memory of the present run, in bytes. */
struct solo_sim_memory {
    size_t taken;  /* from the system, for the run; it never shrinks before the run ends */
    size_t in_use; /* taken by the kit's objects and not released; threads and connections included */
};

/*
 * How much memory the run has taken so far. What is released waits in quarantine until some 4 MiB were released after
 * it, and is then used again: so in a run of many virtual hours `taken` hardly grows any more.
 * -EINVAL.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_sim_get_memory(const struct solo_sim *sim, struct solo_sim_memory *ret_memory);

/*
 * Turns the calling thread into virtual thread 0 of a schedule that lasts until the process ends. at_end(ending, arg)
 * is called exactly once: from exit, or at quiescence, where it must not return. One simulation a process may be
 * entered.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_sim_enter(struct solo_sim *sim, uint64_t seed,
                                               void (*at_end)(int ending, void *arg), void *arg);

/* The simulation the caller lives in; NULL in world os. */
SOLO_ANY_THREAD SOLO_PUBLIC struct solo_sim *solo_sim_current(void);

/* Ends the running schedule here; does not return. For strategies' harness and failed checks of a scenario. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_sim_end(int ending) __attribute__((noreturn));

/* Fills in who waits for what now; returns how many there are. Sets *ret_deadlock if one of them is not idle. */
SOLO_ANY_THREAD SOLO_PUBLIC size_t solo_sim_waiters(struct solo_waiter *waiters, size_t waiters_max,
                                                    bool *ret_deadlock);

typedef void (*solo_sim_ending_fn)(int ending, void *arg);
/*
 * What the simulation does when a watched schedule ends at a deadlock: called before the ending takes effect. NULL:
 * nothing.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_sim_set_ending_hook(struct solo_sim *sim, solo_sim_ending_fn hook, void *arg);

/*
 * Manual clock: moves virtual time by duration_ns, stopping at every deadline on the way and letting everybody who can
 * run come to rest there, before it returns. -EINVAL: not in a simulation with a manual clock.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_clock_advance(uint64_t duration_ns);

/* Lets every other thread come to rest without moving time. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_clock_settle(void);

/*
 * Starts a virtual thread with role "peer" that runs fn(arg): the clients of a simulated server. It is joined by nobody
 * and its waits are idle. -EINVAL: not in a simulation; -EAGAIN.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_sim_start_peer(void (*fn)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
