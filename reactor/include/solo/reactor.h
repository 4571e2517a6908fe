/*
 * reactor.h - the reactor: one thread that calls everything.
 *
 * One pass, in this order: thread calls queued when the pass began, first in first out; delayed calls due at `now`,
 * by due time and then by creation; shutdown if stop was asked for; one poll, sleeping at most until the next due
 * time; I/O callbacks. A call queued by a running call waits for the next pass, so nothing can starve timers or I/O.
 * The clock is read once a pass, when the poll returns.
 *
 * Ownership. A new reactor is unbound: the first reactor-only call records its thread, and a reactor-only call from
 * another thread is SOLO001 "in set-up". solo_reactor_run binds it to its caller and releases it on return;
 * solo_reactor_hand_over gives it to whichever thread calls next. There may be several reactors, each with its owner.
 *
 * Life: created, running, stopping, stopped. Source of the behaviours: Twisted's IReactorCore; docs/differences.md
 * has the list of what is different on purpose.
 */
#ifndef SOLO_REACTOR_H
#define SOLO_REACTOR_H

#include <solo/deferred.h>
#include <solo/error.h>
#include <solo/world.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;

typedef void (*solo_call_fn)(void *arg);
/*
 * Ends an accepted call: exactly once, on the reactor thread, or in solo_reactor_destroy if that thread never runs
 * again. status 0: fn ran. SOLO_ECANCELLED, SOLO_ECLOSING: it never will. Afterwards `arg` belongs to the caller
 * again.
 */
typedef void (*solo_done_fn)(int status, void *arg);

enum solo_reactor_state {
    SOLO_REACTOR_CREATED = 0,
    SOLO_REACTOR_RUNNING,
    SOLO_REACTOR_STOPPING,
    SOLO_REACTOR_STOPPED,
    SOLO_REACTOR_CRASHED,
};

struct solo_reactor_options {
    struct solo_world *world; /* NULL: the world the caller lives in */
    unsigned pool_min;        /* default 0 */
    unsigned pool_max;        /* default 10; 0 means the default */
    uint64_t drain_max_ns;    /* how long a stop waits for jobs and triggers, world time; 0 means 60 s */
    bool stops_on_signals; /* while it runs, SIGINT and SIGTERM ask it to stop; a second one does what it did before */
    /*
     * Delayed calls for which there is memory from the start, beforehand touched: up to so many at a time are set
     * without asking the system for any. Default 0: it grows as needed.
     */
    size_t delayed_calls_reserve;
};

/*
 * Creates an unbound reactor. `options` may be NULL. It lives until solo_reactor_destroy. -EINVAL: ret_reactor is
 * NULL, or the pool's limits make no sense (pool.h). -ENOMEM, -EMFILE.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_create(const struct solo_reactor_options *options,
                                                    struct solo_reactor **ret_reactor);

/*
 * Ends the reactor: what is still queued is handed back with SOLO_ECLOSING, connections are lost, the pool is joined
 * (work that cannot end within drain_max_ns is SOLO004 or SOLO011, and its worker is left behind). Accepts NULL.
 * SOLO_EALREADYRUNNING: the loop runs. A wrong-thread destroy frees nothing.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_destroy(struct solo_reactor *reactor);

/*
 * Binds the reactor to the caller, fires the startup triggers and runs passes until stop or crash. Returns 0 after a
 * stop or crash. SOLO_EALREADYRUNNING, and SOLO015 inside a callback. SOLO_ENOTRESTARTABLE once stop was asked for;
 * after a crash it may run again.
 * Runs: every callback registered with the reactor on the calling thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_run(struct solo_reactor *reactor);

/*
 * Asks for an orderly shutdown, which begins at the end of this pass: before-triggers (a Deferred holds the phase),
 * the pool drains while the loop turns, during-triggers, connections lost (and from then on no new ones:
 * SOLO_ECLOSING), after-triggers; then run returns. Thread calls that were queued before the drain ended still run;
 * what comes later, and the delayed calls that are left, get done(SOLO_ECLOSING). After drain_max_ns the stop goes on
 * without what it waits for, and says so (SOLO004, SOLO011). A startup that is still held up is over.
 * SOLO_ENOTRUNNING: it does not run, or stop was asked for already.
 * Instead: solo_reactor_call_from_thread with a function that calls solo_reactor_stop
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_stop(struct solo_reactor *reactor);

/*
 * Makes run return after this pass, without triggers or draining; thread calls and delayed calls are kept.
 * SOLO_ENOTRUNNING: it does not run, or crashed already.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_crash(struct solo_reactor *reactor);

/*
 * Does one pass and one poll of at most delay_ns; without startup triggers, and `running` stays as it is. Inside a
 * callback: SOLO_EALREADYRUNNING, and SOLO015. SOLO_ENOTRESTARTABLE: it has stopped.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_iterate(struct solo_reactor *reactor, uint64_t delay_ns);

/* Whether it runs: true from the during-startup phase until the during-shutdown phase. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_is_running(struct solo_reactor *reactor, bool *ret_running);

/* Whether the caller owns the reactor now. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_is_reactor_thread(struct solo_reactor *reactor, bool *ret_is);

/* Where a reactor keeps who owns it. To be read by solo_affinity_is_here only. */
struct solo_affinity {
    struct solo_thread *owner;
};

/*
 * For checks in hot paths, the same question inline and without a call: ask once for a reactor's affinity, which is
 * valid until the reactor is destroyed, and then solo_affinity_is_here. -EINVAL.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_get_affinity(struct solo_reactor *reactor,
                                                          const struct solo_affinity **ret_affinity);

/* The calling thread as solo_affinity_is_here sees it; NULL until it has called the kit. */
extern SOLO_PUBLIC __attribute__((tls_model("initial-exec"))) __thread struct solo_thread *solo_affinity_self;

/* Whether the caller owns that reactor now. Any thread. */
static inline int solo_affinity_is_here(const struct solo_affinity *affinity)
{
    const struct solo_thread *self = solo_affinity_self;
    return self == __atomic_load_n(&affinity->owner, __ATOMIC_RELAXED) && self != (void *)0;
}

/* The owner gives the reactor away: the next thread that makes a reactor-only call owns it. SOLO_EALREADYRUNNING. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_hand_over(struct solo_reactor *reactor);

/* The time of this pass, in nanoseconds of the reactor's world; outside the loop, the time now. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_now(struct solo_reactor *reactor, uint64_t *ret_now_ns);

/*
 * Before run: queues fn(arg) as a startup trigger, first in first out. While running: fn is called in the next pass.
 * SOLO_ECLOSING: the reactor is stopping or has stopped. (Twisted calls it at once when running, in whichever thread
 * asks.)
 * Instead: solo_reactor_call_from_thread
 * Runs: fn, done on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_call_when_running(struct solo_reactor *reactor, solo_call_fn fn,
                                                                 void *arg, solo_done_fn done);

/* ---- System event triggers: three phases each, in order of registration within a phase. ---- */

enum solo_phase { SOLO_BEFORE = 0, SOLO_DURING, SOLO_AFTER };
enum solo_system_event { SOLO_STARTUP = 0, SOLO_SHUTDOWN };
typedef uint64_t solo_trigger_id;
/*
 * A before-trigger may return a Deferred (it then belongs to the reactor), which holds the phase until it fires; else
 * NULL.
 */
typedef struct solo_deferred *(*solo_trigger_fn)(void *arg);

/*
 * Adds a trigger; each fires at most once. ret_id may be NULL. done as for thread calls, or NULL. -EINVAL: phase,
 * event or fn. SOLO_ECLOSING: that phase of that event is over.
 * Runs: fn, done on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_add_trigger(struct solo_reactor *reactor, enum solo_phase phase,
                                                           enum solo_system_event event, solo_trigger_fn fn, void *arg,
                                                           solo_done_fn done, solo_trigger_id *ret_id);

/* Takes back a trigger that has not fired; its done gets SOLO_ECANCELLED. -ENOENT: fired, removed or unknown. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_remove_trigger(struct solo_reactor *reactor, solo_trigger_id id);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_reactor_call_when_running(reactor, fn, arg, done)                                                         \
    (SOLO__RUNS_ON_REACTOR(solo_call_fn, fn, (void *)0), SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0),      \
     solo_reactor_call_when_running(reactor, fn, arg, done))
#define solo_reactor_add_trigger(reactor, phase, event, fn, arg, done, ret_id)                                         \
    (SOLO__RUNS_ON_REACTOR(solo_trigger_fn, fn, (void *)0), SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0),   \
     solo_reactor_add_trigger(reactor, phase, event, fn, arg, done, ret_id))
#endif

#ifdef __cplusplus
}
#endif
#endif
