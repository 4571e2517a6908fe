/*
 * core.h - the scheduler core of world sim.
 *
 * Virtual threads run one at a time. A thread gives up its turn only in core_announce (at kinds that are points),
 * core_wait and core_sleep_until, or by ending; the next one is chosen there, on the stack of the thread that got
 * there, and switched to directly. Everything between two such calls is atomic. This translation unit and the two
 * carriers are never instrumented by a race detector, and the hand-over is invisible to it: only the synchronisation
 * that programs really have is annotated (sanitizer/annotate.h). tests/sanitizer breaks if that is wrong.
 */
#ifndef SOLO__CORE_H
#define SOLO__CORE_H

#include "self.h"
#include <solo/model.h>
#include <solo/sim.h>

struct core;        /* one simulation's scheduler */
struct core_thread; /* one virtual thread */

/* The waiters of something, in order of arrival. Zeroed is empty. */
struct core_gate {
    struct core_thread *first, *last;
    uint32_t count;
};

/* As struct solo_thread_table's announce. */
void core_announce(struct core *core, enum solo_probe_kind kind, enum solo_access access, uint32_t object,
                   uint64_t value);

/* The same for `size` bytes of memory within one word of eight: the word is the object. */
void core_access(struct core *core, enum solo_probe_kind kind, enum solo_access access, uintptr_t address,
                 uint32_t size);

/* Blocks the caller until it is woken or time reaches deadline_ns. 0 or -ETIMEDOUT. */
int core_wait(struct core *core, struct core_gate *gate, const struct solo_wait *why, uint64_t deadline_ns);

/* Makes one waiter (chosen among them) or all of them able to run. Does not switch. */
void core_wake(struct core *core, struct core_gate *gate, bool all);

void core_sleep_until(struct core *core, uint64_t until_ns);
uint64_t core_now(const struct core *core);

/* Asks the chooser; returns an index below count. With count 1 it is not asked. Never switches. */
size_t core_choose(struct core *core, enum solo_choice_kind kind, const struct solo_option *const *options,
                   size_t count);

/* Asks whether a fault happens here: false without asking when the budget is spent. */
bool core_fault(struct core *core, uint32_t tag, uint32_t object);

/*
 * Makes a virtual thread for a thread object and lets it run from the next point on. -EAGAIN: SOLO_SIM_THREADS_MAX are
 * alive.
 */
int core_thread_start(struct core *core, struct solo_thread *thread);

/* Whether it is this thread's turn. */
bool core_has_turn(const struct core *core, const struct solo_thread *thread);

/* As solo_model_exit. */
void core_exit(int status) __attribute__((noreturn));

/* As solo_model_leave. */
int core_thread_leave(struct core *core);

/* The ending is decided, and nobody may wait any more. */
bool core_is_closing(const struct core *core);

/* The thread object of a number of this run; NULL if there is none. */
const struct solo_thread *core_thread_numbered(const struct core *core, unsigned number);

/* Bump allocation from the run's arena; nothing is given back before the run ends. NULL: out of memory. Not cleared. */
void *core_allocate(struct core *core, size_t size);

/* A random number of the run's own stream (not the strategy's). */
uint64_t core_random(struct core *core);

/* The world of a core, and the core of a sim world. */
struct solo_world *core_world(struct core *core);
struct core *core_of(struct solo_world *world);

/* What the token carrier makes and joins its threads with; NULL: the C library. */
void core_token_use(solo_model_create_fn create_fn, solo_model_join_fn join_fn);

#endif
