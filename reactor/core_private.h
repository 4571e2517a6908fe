/* core_private.h - the scheduler core as its carriers see it. Included by core*.c only. */
#ifndef SOLO__CORE_PRIVATE_H
#define SOLO__CORE_PRIVATE_H

#include "core.h"
#include "annotate.h"
#include "sim_world.h"
#include <pthread.h>
#include <setjmp.h>

enum { CORE_WORDS = (SOLO_SIM_THREADS_MAX + 63) / 64 };

enum core_state {
    CORE_FREE = 0, /* the slot's carrier waits for work */
    CORE_RUNNABLE,
    CORE_BLOCKED,
    CORE_DRIVING, /* in solo_clock_advance: goes on when everybody else is at rest */
    CORE_ENDED,
};

struct core_thread {
    struct core *core;
    struct solo_option *pending; /* what it is about to do, as offered to the chooser; one of core->pending */
    struct solo_thread *self;
    struct core_gate *gate;      /* where it waits, NULL if nowhere */
    struct core_thread *next;    /* in that gate */
    const struct solo_wait *why; /* NULL, the waiter's own, or `reason` if that is on its stack */
    struct solo_wait reason;
    uint64_t deadline_ns; /* SOLO_NEVER: none */
    uint16_t index;       /* slot, and number of the thread in events */
    uint8_t state;        /* enum core_state */
    bool timed_out;
    bool patient;   /* its deadline is reached only when nobody can run */
    bool own_stack; /* the process's main thread after solo_sim_enter: has no pooled carrier */
    bool at_base;   /* its carrier has unwound: nothing of a run is left on its stack */

    /* Fiber carrier. */
    void *stack_pointer;
    char *stack; /* lowest usable byte */
    size_t stack_size;
    void *tsan_fiber;
    void *asan_fake_stack;
    unsigned valgrind_stack;

    /* Token carrier. */
    uint32_t turn;  /* futex: 1 while it is this thread's turn */
    bool began;     /* it has had a turn in this run */
    bool abandoned; /* unwind to `base` instead of going on */
    bool quit;      /* end the pthread */
    bool left;      /* the pthread has nothing left to do but to end: core_token_leave */
    pthread_t pthread;
    bool has_pthread;
    jmp_buf base;
};

/* The words of memory that were touched in this run: core_access.c. */
struct core_words {
    struct core_word *table;
    size_t mask; /* slots - 1 */
    size_t count;
};

struct core {
    struct core_thread *current; /* NULL while home runs */
    uint64_t timed[CORE_WORDS];  /* threads with a deadline */
    unsigned timed_count;
    uint32_t ready_count;
    const struct solo_option *ready[SOLO_SIM_THREADS_MAX + 1]; /* who can run: core_ready.h; and room for time */
    struct solo_option pending[SOLO_SIM_THREADS_MAX];          /* by number of thread */
    unsigned used;                                             /* slots handed out in this run: 0 .. used - 1 */
    unsigned alive;
    uint64_t now_ns;
    uint64_t now_mixed; /* the same, as the trace hash takes it in */
    struct solo_sim_log *log;
    uint64_t steps_max;
    uint64_t keeps_from; /* the first event that is kept or may be one too many: 0 if all are kept, or steps_max */
    const struct solo_strategy *strategy;
    void *strategy_state;
    void (*step)(void *state, const struct solo_event *event); /* the strategy's, NULL if it has none */
    bool hears_choices;                                        /* `step` wants SOLO_PROBE_CHOICE too */
    struct solo_pass *pass;                                    /* the strategy's, or no_pass */
    struct solo_pass no_pass;
    struct core_thread *driver; /* in solo_clock_advance, NULL if nobody is */
    uint64_t driver_until_ns;
    uint32_t faults_left;
    bool let_time_pass;
    bool manual;
    bool entered;          /* solo_sim_enter: there is no home to go back to */
    bool visible_handover; /* for the self-test of the sanitizer bridges: hides every race on purpose */
    uint8_t carrier;
    bool running;
    bool closing; /* the ending is decided; only reporting is left */
    struct solo_option time_option;
    struct core_thread *threads[SOLO_SIM_THREADS_MAX];
    struct core_thread home;
    struct core_words words;
    int *errno_of_carrier; /* fibers: of the thread that carries them all */
    void *quiet_fiber;     /* ThreadSanitizer's context for the chooser and the probes */
    unsigned quiet_depth;
    char end_marker; /* race detectors: everything in a run happens before what follows it */

    char *arena, *arena_next, *arena_ready, *arena_end;
    uint64_t random;
    struct sim_world world;
    struct solo_sim_log own_log;
    uint32_t faults_max;
    solo_sim_ending_fn ending_hook;
    void *ending_hook_arg;
    void (*at_end)(int ending, void *arg);
    void *at_end_arg;
};

/* Carriers. make: the slot's first use. ready: `thread` will run core_thread_body when switched to. */
int core_fiber_make(struct core *core, struct core_thread *thread);
void core_fiber_ready(struct core *core, struct core_thread *thread);
void core_fiber_switch(struct core *core, struct core_thread *from, struct core_thread *to);
void core_fiber_abandon(struct core *core, struct core_thread *thread);
void core_fiber_free(struct core_thread *thread);
void core_fiber_finish(struct core *core);

int core_token_make(struct core *core, struct core_thread *thread);
void core_token_switch(struct core *core, struct core_thread *from, struct core_thread *to);
void core_token_abandon(struct core *core, struct core_thread *thread);
void core_token_free(struct core_thread *thread);
void core_token_pin(void);
/* The thread has ended with nothing on its stack to go back to; returns when its carrier is to end. */
void core_token_leave(struct core *core, struct core_thread *thread);

/* A run begins: it has touched no memory. */
void core_forget_words(struct core *core);

/* The ending is decided here; does not come back. */
void core_end(struct core *core, int ending) __attribute__((noreturn));
/* A slot for a new thread, NULL if SOLO_SIM_THREADS_MAX are alive; and its state at the start of its life. */
struct core_thread *core_slot(struct core *core);
void core_thread_reset(struct core_thread *thread, struct solo_thread *self);
/* Lets everybody else come to rest, moving time up to until_ns, before the caller goes on. */
int core_drive(struct core *core, uint64_t until_ns);
bool core_wait_is_idle(const struct core_thread *thread);

/* Runs the thread's function and gives up the turn for good; a carrier calls it on the thread's own stack. */
void core_thread_body(struct core *core, struct core_thread *thread);
/* After it has given up its turn for good: who runs next. */
struct core_thread *core_next_after_end(struct core *core, struct core_thread *ended);

/*
 * Between these two the chooser and the probe's subscribers run, on the program's stack but not as part of it: race
 * detectors look away. On fibers that is a context of its own with accesses ignored for good, 8 ns a pair instead of
 * 120.
 */
#ifdef SOLO_TSAN
void core_fiber_quiet_begin(struct core *core);
void core_fiber_quiet_end(struct core *core);
static inline void core_quiet_begin(struct core *core)
{
    if (core->quiet_fiber == NULL) {
        SOLO_ANNOTATE_IGNORE_BEGIN();
    } else if (core->quiet_depth++ == 0) {
        core_fiber_quiet_begin(core);
    }
}
static inline void core_quiet_end(struct core *core)
{
    if (core->quiet_fiber == NULL) {
        SOLO_ANNOTATE_IGNORE_END();
    } else if (--core->quiet_depth == 0) {
        core_fiber_quiet_end(core);
    }
}
#else
#define core_quiet_begin(core) SOLO_ANNOTATE_IGNORE_BEGIN()
#define core_quiet_end(core) SOLO_ANNOTATE_IGNORE_END()
#endif

/* Gives the turn from one thread to another; returns when `from` gets it back. */
static inline void core_switch(struct core *core, struct core_thread *from, struct core_thread *to)
{
    core->current = to;
    if (core->carrier == SOLO_CARRIER_FIBER) {
        core_fiber_switch(core, from, to);
    } else {
        core_token_switch(core, from, to);
    }
}

#endif
