/*
 * core_run.c - one run of the scheduler core after another: its memory, its beginning and end, and the public face,
 * sim.h.
 *
 * A run starts from nothing: ids, time, network and arena are reset, and carriers are pooled. It ends at home, the
 * thread that called solo_sim_run, which takes down what did not end by itself; or, after solo_sim_enter, with the
 * process.
 */
#define _GNU_SOURCE
#include "argument.h"
#include "core_private.h"
#include <solo/thread.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEPS_MAX_DEFAULT = 1000000 };
#define ARENA_SIZE ((size_t)256 << 20)
enum { ARENA_STEP = 64 << 10, ARENA_KEPT = 1 << 20 };

/* ---- Memory and randomness of a run ---- */

void *core_allocate(struct core *core, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (__builtin_expect(size > (size_t)(core->arena_ready - core->arena_next), 0)) {
        if (size > (size_t)(core->arena_end - core->arena_next)) {
            return NULL;
        }
        size_t step = (size + ARENA_STEP - 1) / ARENA_STEP * ARENA_STEP;
        step =
            step > (size_t)(core->arena_end - core->arena_ready) ? (size_t)(core->arena_end - core->arena_ready) : step;
        SOLO_ANNOTATE_PRIVATE(core->arena_ready, step);
        core->arena_ready += step;
    }
    void *memory = core->arena_next;
    core->arena_next += size;
    return memory;
}

static void arena_reset(struct core *core)
{
    size_t used = (size_t)(core->arena_next - core->arena);
    SOLO_ANNOTATE_UNPOISON(core->arena, used);
    if (used > ARENA_KEPT) {
        madvise(core->arena + ARENA_KEPT, used - ARENA_KEPT, MADV_DONTNEED);
    }
    core->arena_next = core->arena;
}

uint64_t core_random(struct core *core)
{
    uint64_t z = core->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct solo_world *core_world(struct core *core)
{
    return &core->world.world;
}

struct core *core_of(struct solo_world *world)
{
    return sim_world_of(world)->core;
}

/* ---- A run ---- */

static int begin_run(struct core *core, uint64_t seed)
{
    if (core->strategy != NULL && core->strategy->begin != NULL &&
        core->strategy->begin(core->strategy_state, seed) != 0) {
        return SOLO_ECLOSING;
    }
    bool passes = core->strategy != NULL && core->strategy->find_pass != NULL;
    core->pass = passes ? core->strategy->find_pass(core->strategy_state) : &core->no_pass;
    struct solo_sim_log *log = core->log;
    log->answers_count = 0;
    log->ending = SOLO_ENDING_NONE;
    log->events_count = 0;
    log->trace_hash = UINT64_C(0x534f4c4f);
    log->now_ns = 0;
    log->deviations = 0;
    core->keeps_from = log->events_max != 0 ? 0 : core->steps_max;
    core->used = 0;
    core->alive = 0;
    core->now_ns = core->now_mixed = 0;
    core->driver = NULL;
    core->closing = false;
    core->faults_left = core->faults_max;
    core->random = UINT64_C(0x5eed);
    core->current = NULL;
    core->ready_count = 0;
    core->timed_count = 0;
    memset(core->timed, 0, sizeof core->timed);
    core_forget_words(core);
    sim__world_begin(&core->world);
    core->running = true;
    return 0;
}

static struct solo_thread *make_main(struct core *core, void (*fn)(void *arg), void *arg)
{
    struct solo_thread *self = solo__object_make(core_world(core), SOLO__THREAD, sizeof *self, NULL);
    if (self != NULL) {
        self->role = SOLO__ROLE_MAIN;
        self->fn = fn;
        self->arg = arg;
    }
    return self;
}

/* What is left of threads that did not end is taken down, so that the next run starts from pooled carriers. */
static void finish_run(struct core *core)
{
    for (unsigned i = 0; i < core->used; i++) {
        struct core_thread *thread = core->threads[i];
        if (thread->at_base) {
            continue;
        }
        if (core->carrier == SOLO_CARRIER_FIBER) {
            core_fiber_abandon(core, thread);
        } else {
            core_token_abandon(core, thread);
        }
        thread->at_base = true;
    }
    SOLO_ANNOTATE_HAPPENS_AFTER(&core->end_marker);
    solo__arguments_clear(&core->world.world);
    arena_reset(core);
    core->running = false;
    if (core->strategy != NULL && core->strategy->end != NULL) {
        core->strategy->end(core->strategy_state, (int)core->log->ending);
    }
}

static int run(struct core *core, uint64_t seed, void (*fn)(void *arg), void *arg)
{
    if (core->running || core_current() != NULL) {
        return -EBUSY;
    }
    int begun = begin_run(core, seed);
    if (begun != 0) {
        return begun;
    }
    struct solo_thread *self = make_main(core, fn, arg);
    int started = self != NULL ? core_thread_start(core, self) : -ENOMEM;
    if (started < 0) {
        core->running = false;
        return started;
    }
    core->home.self = solo__self;
    core->errno_of_carrier = &errno;
    core_switch(core, &core->home, core->threads[0]);
    core->current = NULL;
    finish_run(core);
    return (int)core->log->ending;
}

/* ---- The public face: sim.h ---- */

struct solo_sim {
    struct core core;
};

static struct core *entered; /* the simulation that this process's main lives in, NULL if none */

static void at_exit(void)
{
    struct core *core = entered;
    if (core != NULL && core->running && !core->closing && core_current() == core) {
        core->closing = true;
        core->pass = &core->no_pass;
        if (core->ending_hook != NULL) {
            core->ending_hook(SOLO_ENDING_RETURNED, core->ending_hook_arg);
        }
        core->log->ending = SOLO_ENDING_RETURNED;
        core->at_end(SOLO_ENDING_RETURNED, core->at_end_arg);
    }
}

void core_exit(int status)
{
    at_exit();
    _exit(status);
}

static void take_over_caller(struct core *core, struct solo_thread *self)
{
    struct core_thread *thread = core_slot(core);
    core_thread_reset(thread, self);
    thread->own_stack = true;
    thread->at_base = false;
    core->ready[core->ready_count++] = thread->pending;
    core->alive++;
    struct solo_thread *os_self = solo__self_get();
    self->stack_low = os_self->stack_low;
    self->stack_high = os_self->stack_high;
    if (core->carrier == SOLO_CARRIER_FIBER) {
        core_fiber_make(core, thread);
    }
    core->errno_of_carrier = &errno;
    core->current = thread;
    solo__self = self;
}

int solo_sim_enter(struct solo_sim *sim, uint64_t seed, void (*at_end_fn)(int ending, void *arg), void *arg)
{
    if (sim == NULL || at_end_fn == NULL) {
        return -EINVAL;
    }
    if (entered != NULL || core_current() != NULL) {
        return -EBUSY;
    }
    struct core *core = &sim->core;
    int begun = begin_run(core, seed);
    if (begun != 0) {
        return begun;
    }
    struct solo_thread *self = make_main(core, NULL, NULL);
    if (self == NULL) {
        return -ENOMEM;
    }
    core->entered = true;
    core->at_end = at_end_fn;
    core->at_end_arg = arg;
    take_over_caller(core, self);
    entered = core;
    atexit(at_exit);
    return 0;
}

static void init(struct core *core, const struct solo_sim_options *options)
{
    core->carrier = (uint8_t)options->carrier;
    core->manual = options->clock == SOLO_CLOCK_MANUAL;
    core->strategy = options->strategy;
    core->strategy_state = options->strategy_state;
    core->step = options->strategy != NULL ? options->strategy->step : NULL;
    core->hears_choices = core->step != NULL && !options->strategy->skips_choices;
    core->let_time_pass = options->let_time_pass && !core->manual;
    core->steps_max = options->steps_max != 0 ? options->steps_max : STEPS_MAX_DEFAULT;
    core->faults_max = options->faults_max;
    core->log = options->log != NULL ? options->log : &core->own_log;
    core->visible_handover = getenv("SOLO_VISIBLE_HANDOVER") != NULL;
    core->time_option = (struct solo_option){.tag = SOLO_TAG_TIME, .operation = SOLO_PROBE_TIME};
    core->home.core = core;
    core->home.index = UINT16_MAX;
    core->home.own_stack = true;
    sim__world_init(&core->world, core);
}

int solo_sim_create(const struct solo_sim_options *options, struct solo_sim **ret_sim)
{
    if (options == NULL || ret_sim == NULL || options->carrier > SOLO_CARRIER_TOKEN ||
        (options->log != NULL && (options->log->events_max & (options->log->events_max - 1)) != 0)) {
        return -EINVAL;
    }
    struct solo_sim *sim = calloc(1, sizeof *sim);
    char *arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sim == NULL || arena == MAP_FAILED) {
        free(sim);
        return -ENOMEM;
    }
    SOLO_ANNOTATE_PRIVATE(sim, sizeof *sim);
    init(&sim->core, options);
    sim->core.arena = sim->core.arena_next = sim->core.arena_ready = arena;
    sim->core.arena_end = arena + ARENA_SIZE;
    if (options->carrier == SOLO_CARRIER_TOKEN) {
        core_token_pin();
    }
    *ret_sim = sim;
    return 0;
}

void solo_sim_destroy(struct solo_sim *sim)
{
    if (sim == NULL || sim->core.entered || sim->core.running) {
        return;
    }
    for (unsigned i = 0; i < SOLO_SIM_THREADS_MAX && sim->core.threads[i] != NULL; i++) {
        if (sim->core.carrier == SOLO_CARRIER_FIBER) {
            core_fiber_free(sim->core.threads[i]);
        } else {
            core_token_free(sim->core.threads[i]);
        }
        free(sim->core.threads[i]);
    }
    core_fiber_finish(&sim->core);
    munmap(sim->core.arena, ARENA_SIZE);
    free(sim);
}

int solo_sim_run(struct solo_sim *sim, uint64_t seed, void (*fn)(void *arg), void *arg)
{
    if (sim == NULL || fn == NULL) {
        return -EINVAL;
    }
    return run(&sim->core, seed, fn, arg);
}

const struct solo_sim_log *solo_sim_get_log(const struct solo_sim *sim)
{
    return sim != NULL ? sim->core.log : NULL;
}

int solo_sim_get_memory(const struct solo_sim *sim, struct solo_sim_memory *ret_memory)
{
    if (sim == NULL || ret_memory == NULL) {
        return -EINVAL;
    }

    ret_memory->taken = (size_t)(sim->core.arena_next - sim->core.arena);
    ret_memory->in_use = sim->core.world.memory.in_use;
    return 0;
}

struct solo_sim *solo_sim_current(void)
{
    return (struct solo_sim *)core_current(); /* its first member */
}

void solo_sim_end(int ending)
{
    struct core *core = core_current();
    if (core == NULL) {
        abort();
    }
    core_end(core, ending);
}

void solo_sim_set_ending_hook(struct solo_sim *sim, solo_sim_ending_fn hook, void *arg)
{
    if (sim != NULL) {
        sim->core.ending_hook = hook;
        sim->core.ending_hook_arg = arg;
    }
}

size_t solo_sim_waiters(struct solo_waiter *waiters, size_t waiters_max, bool *ret_deadlock)
{
    struct core *core = core_current();
    size_t count = 0;
    for (unsigned i = 0; core != NULL && i < core->used; i++) {
        const struct core_thread *thread = core->threads[i];
        if (thread->state != CORE_BLOCKED) {
            continue;
        }
        if (ret_deadlock != NULL && thread->deadline_ns == SOLO_NEVER && !core_wait_is_idle(thread)) {
            *ret_deadlock = true;
        }
        if (count < waiters_max) {
            struct solo_waiter *waiter = &waiters[count];
            memset(waiter, 0, sizeof *waiter);
            solo__thread_print_name(thread->self, waiter->thread, sizeof waiter->thread);
            if (thread->why != NULL) {
                waiter->wait_kind = thread->why->kind;
                solo_object_name(thread->why->object, waiter->object, sizeof waiter->object);
                if (thread->why->holder != NULL) {
                    solo__thread_print_name(thread->why->holder, waiter->holder, sizeof waiter->holder);
                }
            }
        }
        count++;
    }
    return count;
}

int solo_clock_advance(uint64_t duration_ns)
{
    struct core *core = core_current();
    if (core == NULL || !core->manual || duration_ns > SOLO_NEVER - core->now_ns) {
        return -EINVAL;
    }
    return core_drive(core, core->now_ns + duration_ns);
}

int solo_clock_settle(void)
{
    struct core *core = core_current();
    return core != NULL ? core_drive(core, core->now_ns) : -EINVAL;
}

int solo_sim_start_peer(void (*fn)(void *arg), void *arg)
{
    struct core *core = core_current();
    if (core == NULL || fn == NULL) {
        return -EINVAL;
    }
    struct solo_thread *thread;
    uint32_t label =
        core->world.ids.next[SOLO__NO_OBJECT]++ + 1; /* that kind has no objects: its counter numbers peers */
    return solo__thread_start(core_world(core), SOLO__ROLE_PEER, NULL, label, fn, arg, &thread);
}
