/*
 * core.c - the scheduler core of world sim. core.h says what it promises.
 *
 * One invariant carries everything: `core->current` is the only thread that runs kit or program code, and it changes
 * only in core_switch. A thread is runnable, or blocked (in a gate, or until a deadline, or both), or driving the
 * clock, or ended. Whoever reaches a scheduling point picks the next thread and switches to it directly; there is no
 * scheduler thread.
 *
 * Cost: a point with nobody else runnable is about 10 ns; a switch on fibers about 40 ns.
 */
#include "core_point.h"
#include <stdlib.h>
#include <unistd.h>

static const bool kind_is_point[SOLO_PROBE_KIND_COUNT] = {
#define POINT(name, text, point) point,
    SOLO_PROBE_KINDS(POINT)
#undef POINT
};

/* ---- Small sets of threads ---- */

static inline void set_add(uint64_t *set, unsigned index)
{
    set[index / 64] |= UINT64_C(1) << (index % 64);
}

static inline void set_remove(uint64_t *set, unsigned index)
{
    set[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

static inline unsigned words_used(const struct core *core)
{
    return (core->used + 63) / 64;
}

/* ---- Events ---- */

void core_keep_event(struct core *core, const struct solo_event *event)
{
    struct solo_sim_log *log = core->log;
    if (log->events_max != 0) {
        log->events[(event->step - 1) & (log->events_max - 1)] = *event;
    }
}

void core_limit_events(struct core *core)
{
    if (core->log->events_count >= core->steps_max && !core->closing) {
        core_end(core, SOLO_ENDING_STEPS);
    }
}

void core_tell_answer(struct core *core, enum solo_choice_kind kind, size_t chosen, bool tells)
{
    tell(core, core->current->index, SOLO_PROBE_CHOICE, SOLO_ACCESS_NONE, (uint32_t)kind, chosen, tells);
}

/* ---- The chooser ---- */

size_t core_choose(struct core *core, enum solo_choice_kind kind, const struct solo_option *const *options,
                   size_t count)
{
    return count < 2 || core->closing ? 0 : choose(core, kind, options, count);
}

bool core_fault(struct core *core, uint32_t tag, uint32_t object)
{
    if (core->faults_left == 0 || core->current == NULL) { /* main itself is made by nobody */
        return false;
    }
    struct solo_option no = {.tag = 0, .thread = core->current->index, .object = object};
    struct solo_option yes = {.tag = tag, .thread = core->current->index, .object = object};
    const struct solo_option *options[] = {&no, &yes};
    if (core_choose(core, SOLO_CHOICE_FAULT, options, 2) == 0) {
        return false;
    }
    core->faults_left--;
    return true;
}

/* ---- Time and rest ---- */

/* The next deadline; with `patient`, also those that are a last resort. SOLO_NEVER: none. */
static uint64_t earliest_deadline(const struct core *core, bool patient)
{
    uint64_t earliest = SOLO_NEVER;
    for (unsigned word = 0; word < words_used(core); word++) {
        for (uint64_t bits = core->timed[word]; bits != 0; bits &= bits - 1) {
            const struct core_thread *thread = core->threads[word * 64 + (unsigned)__builtin_ctzll(bits)];
            if (thread->deadline_ns < earliest && (patient || !thread->patient)) {
                earliest = thread->deadline_ns;
            }
        }
    }
    return earliest;
}

static void gate_unlink(struct core_gate *gate, struct core_thread *thread)
{
    struct core_thread *previous = NULL;
    for (struct core_thread *at = gate->first; at != thread; at = at->next) {
        previous = at;
    }
    if (previous != NULL) {
        previous->next = thread->next;
    } else {
        gate->first = thread->next;
    }
    if (gate->last == thread) {
        gate->last = previous;
    }
    gate->count--;
}

static void unblock(struct core *core, struct core_thread *thread, bool timed_out)
{
    if (thread->gate != NULL) {
        gate_unlink(thread->gate, thread);
        thread->gate = NULL;
    }
    if (thread->deadline_ns != SOLO_NEVER) {
        thread->deadline_ns = SOLO_NEVER;
        set_remove(core->timed, thread->index);
        core->timed_count--;
    }
    thread->timed_out = timed_out;
    thread->state = CORE_RUNNABLE;
    ready_add(core, thread);
}

static void move_time(struct core *core, uint64_t now_ns)
{
    core->now_ns = now_ns;
    core->now_mixed = now_ns * UINT64_C(0xd6e8feb86659fd93);
    core->log->now_ns = now_ns;
    record(core, core->current->index, SOLO_PROBE_TIME, SOLO_ACCESS_NONE, 0, now_ns);
    for (unsigned word = 0; word < words_used(core); word++) {
        for (uint64_t bits = core->timed[word]; bits != 0; bits &= bits - 1) {
            struct core_thread *thread = core->threads[word * 64 + (unsigned)__builtin_ctzll(bits)];
            if (thread->deadline_ns <= now_ns) {
                unblock(core, thread, true);
            }
        }
    }
}

/* Nobody can run. Moves time or lets the driver go on; false at quiescence. */
static bool rest(struct core *core)
{
    uint64_t earliest = earliest_deadline(core, true);
    if (core->driver != NULL) {
        if (earliest <= core->driver_until_ns) {
            move_time(core, earliest);
            return true;
        }
        if (core->now_ns < core->driver_until_ns) {
            move_time(core, core->driver_until_ns);
        }
        unblock(core, core->driver, false);
        core->driver = NULL;
        return true;
    }
    if (core->manual || earliest == SOLO_NEVER) {
        return false;
    }
    move_time(core, earliest);
    return true;
}

bool core_wait_is_idle(const struct core_thread *thread)
{
    unsigned kind = thread->why != NULL ? (unsigned)thread->why->kind : SOLO_WAIT_NONE;
    return kind == SOLO_WAIT_POLL || kind == SOLO_WAIT_JOB || kind == SOLO_WAIT_PEER;
}

static int quiescence(const struct core *core)
{
    for (unsigned i = 0; i < core->used; i++) {
        const struct core_thread *thread = core->threads[i];
        if (thread->state == CORE_BLOCKED && thread->deadline_ns == SOLO_NEVER && !core_wait_is_idle(thread)) {
            return SOLO_ENDING_DEADLOCK;
        }
    }
    return SOLO_ENDING_QUIET;
}

/* ---- Who runs next ---- */

/* The ending is decided: tells the hook. After it there is nothing left but to go home. */
static void close_run(struct core *core, int ending)
{
    core->closing = true;
    core->pass = &core->no_pass; /* there are no more choices */
    if (core->ending_hook != NULL) {
        core_quiet_begin(core);
        core->ending_hook(ending, core->ending_hook_arg);
        core_quiet_end(core);
    }
    core->log->ending = (uint32_t)ending;
    if (core->entered) {
        core->at_end(ending, core->at_end_arg);
        _exit(0);
    }
}

void core_end(struct core *core, int ending)
{
    close_run(core, ending);
    core_switch(core, core->current, &core->home);
    abort(); /* nobody switches back into a run that has ended */
}

struct core_thread *core_pick_with_time(struct core *core, struct core_thread *current)
{
    for (;;) {
        uint32_t count = core->ready_count;
        if (count == 0) {
            if (!rest(core)) {
                close_run(core, quiescence(core));
                return &core->home;
            }
            continue;
        }
        if (core->timed_count != 0 && core->let_time_pass && earliest_deadline(core, false) != SOLO_NEVER) {
            core->ready[count++] = &core->time_option;
        }
        uint32_t taken = (uint32_t)core_choose(core, SOLO_CHOICE_THREAD, core->ready, count);
        if (taken < core->ready_count) {
            struct core_thread *next = core->threads[core->ready[taken]->thread];
            if (taken != 0) {
                ready_put_first(core, current, taken);
            }
            return next;
        }
        move_time(core, earliest_deadline(core, false));
    }
}

static __attribute__((noinline)) void announce_point(struct core *core, enum solo_probe_kind kind,
                                                     enum solo_access access, uint32_t object, uint64_t value)
{
    struct core_thread *current = core->current;
    struct solo_option *pending = current->pending;
    pending->operation = (uint8_t)kind;
    pending->access = (uint8_t)access;
    pending->object = object;
    pending->contract = kind == SOLO_PROBE_CONTRACT ? (uint32_t)value + 1 : 0;
    pending->address = 0;
    pending->size = 0;
    reschedule(core, current);
    record(core, current->index, kind, access, object, value);
}

void core_announce(struct core *core, enum solo_probe_kind kind, enum solo_access access, uint32_t object,
                   uint64_t value)
{
    if (kind_is_point[kind] && !core->closing) {
        announce_point(core, kind, access, object, value);
    } else {
        record(core, core->current->index, kind, access, object, value);
    }
}

static bool is_on_stack(const struct solo_thread *thread, const void *address)
{
    return (uintptr_t)address >= thread->stack_low && (uintptr_t)address < thread->stack_high;
}

int core_wait(struct core *core, struct core_gate *gate, const struct solo_wait *why, uint64_t deadline_ns)
{
    struct core_thread *current = core->current;
    if (deadline_ns <= core->now_ns) {
        return -ETIMEDOUT;
    }
    if (gate != NULL) {
        current->gate = gate;
        current->next = NULL;
        if (gate->last != NULL) {
            gate->last->next = current;
        } else {
            gate->first = current;
        }
        gate->last = current;
        gate->count++;
    }
    if (deadline_ns != SOLO_NEVER) {
        current->deadline_ns = deadline_ns;
        current->patient = current->self->patient != 0 || (why != NULL && why->kind == SOLO_WAIT_DRAIN);
        set_add(core->timed, current->index);
        core->timed_count++;
    }
    if (is_on_stack(current->self, why)) {
        current->reason = *why; /* whoever runs meanwhile reads it, and a race detector watches this thread's stack */
        why = &current->reason;
    }
    current->why = why;
    current->self->wait = why;
    current->state = CORE_BLOCKED;
    current->pending->address = 0; /* the access that it announced last is over */
    current->pending->size = 0;
    ready_drop(core, current);
    reschedule(core, current);
    current->why = NULL;
    current->self->wait = NULL;
    return current->timed_out ? -ETIMEDOUT : 0;
}

void core_wake(struct core *core, struct core_gate *gate, bool all)
{
    if (all) {
        while (gate->first != NULL) {
            unblock(core, gate->first, false);
        }
        return;
    }
    if (gate->first == NULL) {
        return;
    }
    struct core_thread *waiter = gate->first;
    if (gate->count > 1) {
        const struct solo_option *options[SOLO_SIM_THREADS_MAX];
        size_t count = 0;
        for (struct core_thread *at = gate->first; at != NULL; at = at->next) {
            options[count++] = at->pending;
        }
        waiter = core->threads[options[core_choose(core, SOLO_CHOICE_WAITER, options, count)]->thread];
    }
    unblock(core, waiter, false);
}

void core_sleep_until(struct core *core, uint64_t until_ns)
{
    static const struct solo_wait why = {SOLO_WAIT_SLEEP, 0, NULL};
    (void)core_wait(core, NULL, &why, until_ns);
}

uint64_t core_now(const struct core *core)
{
    return core->now_ns;
}

/* Lets everybody else come to rest, moving time up to until_ns, before the caller goes on. */
int core_drive(struct core *core, uint64_t until_ns)
{
    struct core_thread *current = core->current;
    if (core->driver != NULL) {
        return -EBUSY;
    }
    core->driver = current;
    core->driver_until_ns = until_ns;
    current->state = CORE_DRIVING;
    ready_drop(core, current);
    reschedule(core, current);
    return 0;
}

/* ---- Threads ---- */

struct core_thread *core_slot(struct core *core)
{
    if (core->used < SOLO_SIM_THREADS_MAX) {
        struct core_thread *thread = core->threads[core->used];
        if (thread == NULL) {
            thread = calloc(1, sizeof *thread);
            if (thread == NULL) {
                return NULL;
            }
            SOLO_ANNOTATE_PRIVATE(thread, sizeof *thread);
            thread->core = core;
            thread->index = (uint16_t)core->used;
            thread->pending = &core->pending[core->used];
            thread->pending->tag = thread->pending->thread = thread->index;
            thread->at_base = true;
            core->threads[core->used] = thread;
        }
        core->used++;
        return thread;
    }
    for (unsigned i = 1; i < SOLO_SIM_THREADS_MAX; i++) {
        if (core->threads[i]->state == CORE_ENDED && core->threads[i]->at_base) {
            return core->threads[i];
        }
    }
    return NULL;
}

void core_thread_reset(struct core_thread *thread, struct solo_thread *self)
{
    thread->self = self;
    thread->gate = NULL;
    thread->why = NULL;
    thread->deadline_ns = SOLO_NEVER;
    thread->timed_out = false;
    thread->pending->operation = SOLO_PROBE_THREAD_BEGIN;
    thread->pending->access = SOLO_ACCESS_NONE;
    thread->pending->object = self->object.id;
    thread->pending->contract = 0;
    thread->pending->address = 0;
    thread->pending->size = 0;
    thread->state = CORE_RUNNABLE;
    self->backend = thread;
    self->number = thread->index;
}

const struct solo_thread *core_thread_numbered(const struct core *core, unsigned number)
{
    return number < core->used ? core->threads[number]->self : NULL;
}

int core_thread_start(struct core *core, struct solo_thread *self)
{
    struct core_thread *thread = core_slot(core);
    if (thread == NULL) {
        return -EAGAIN;
    }
    int made = core->carrier == SOLO_CARRIER_FIBER ? core_fiber_make(core, thread) : core_token_make(core, thread);
    if (made < 0) {
        thread->state = CORE_ENDED;
        return made;
    }
    core_thread_reset(thread, self);
    thread->at_base = false;
    thread->began = false;
    self->stack_low = (uintptr_t)thread->stack;
    self->stack_high = (uintptr_t)thread->stack + thread->stack_size;
    ready_add(core, thread);
    core->alive++;
    SOLO_ANNOTATE_HAPPENS_BEFORE(self);
    if (core->carrier == SOLO_CARRIER_FIBER) {
        core_fiber_ready(core, thread);
    }
    return 0;
}

void core_thread_body(struct core *core, struct core_thread *thread)
{
    (void)core; /* only race detectors ask for it */
    SOLO_ANNOTATE_HAPPENS_AFTER(thread->self);
    solo__thread_main(thread->self);
    SOLO_ANNOTATE_HAPPENS_BEFORE(&core->end_marker);
}

bool core_has_turn(const struct core *core, const struct solo_thread *thread)
{
    return core->current != NULL && core->current->self == thread;
}

bool core_is_closing(const struct core *core)
{
    return core->closing;
}

int core_thread_leave(struct core *core)
{
    struct core_thread *thread = core->current;
    if (core->carrier != SOLO_CARRIER_TOKEN || !thread->has_pthread) {
        return -EINVAL;
    }
    solo__thread_ended(thread->self);
    SOLO_ANNOTATE_HAPPENS_BEFORE(&core->end_marker);
    core_token_leave(core, thread);
    return 0;
}

struct core_thread *core_next_after_end(struct core *core, struct core_thread *thread)
{
    thread->state = CORE_ENDED;
    ready_drop(core, thread);
    core->alive--;
    if (core->closing) {
        return &core->home;
    }
    if (thread->index == 0) {
        close_run(core, SOLO_ENDING_RETURNED);
        return &core->home;
    }
    return pick(core, thread);
}
