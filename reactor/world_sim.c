/*
 * world_sim.c - the simulated world: its tables of clock, threads and memory, over the scheduler core.
 *
 * Poll and network are in sim_poll.c and sim_network.c. A leaf lock costs nothing here: virtual threads switch only at
 * announcements and waits, and none is made while a leaf lock is held. Race detectors are told to look away meanwhile:
 * the kit's own critical sections would otherwise either be reported, or order the program's accesses and hide its
 * races.
 */
#include "annotate.h"
#include "argument.h"
#include "sim_world.h"
#include <string.h>

static struct core *core_in(struct solo_world *world)
{
    return sim_world_of(world)->core;
}

static uint64_t clock_now(struct solo_world *world)
{
    return core_now(core_in(world));
}

static void clock_sleep_until(struct solo_world *world, uint64_t until_ns)
{
    core_sleep_until(core_in(world), until_ns);
}

const char sim__name[] = "sim";

static const struct solo_clock_table clock_table = {clock_now, clock_sleep_until};

static int thread_start(struct solo_world *world, struct solo_thread *thread)
{
    return core_thread_start(core_in(world), thread);
}

static int thread_join(struct solo_world *world, struct solo_thread *thread)
{
    (void)world;
    (void)thread; /* what a carrier holds for it stays with the slot */
    return 0;
}

static void lock_enter(struct solo_world *world, struct solo_lock *lock)
{
    (void)world;
    (void)lock;
    SOLO_ANNOTATE_IGNORE_BEGIN();
}

static void lock_leave(struct solo_world *world, struct solo_lock *lock)
{
    (void)world;
    (void)lock;
    SOLO_ANNOTATE_IGNORE_END();
}

_Static_assert(sizeof(struct core_gate) <= sizeof(struct solo_gate), "a core gate fits into a gate");

static int gate_wait(struct solo_world *world, struct solo_gate *gate, struct solo_lock *lock,
                     const struct solo_wait *why, uint64_t deadline_ns)
{
    (void)lock;
    SOLO_ANNOTATE_IGNORE_END();
    int result = core_wait(core_in(world), (struct core_gate *)gate, why, deadline_ns);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    return result;
}

static void gate_wake(struct solo_world *world, struct solo_gate *gate, bool all)
{
    core_wake(core_in(world), (struct core_gate *)gate, all);
}

static void announce(struct solo_world *world, enum solo_probe_kind kind, enum solo_access access, uint32_t object,
                     uint64_t value)
{
    core_announce(core_in(world), kind, access, object, value);
}

static const struct solo_thread_table thread_table = {thread_start, thread_join, lock_enter, lock_leave,
                                                      gate_wait,    gate_wake,   announce};

static void *memory_allocate(struct solo_world *world, size_t size)
{
    struct core *core = core_in(world);
    return core_fault(core, (uint32_t)size, 0) ? NULL : sim__memory_take(world, size);
}

static void memory_random(struct solo_world *world, void *buffer, size_t size)
{
    unsigned char *to = buffer;
    while (size > 0) {
        uint64_t word = core_random(core_in(world));
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(to, &word, part);
        to += part;
        size -= part;
    }
}

static const struct solo_memory_table memory_table = {memory_allocate, sim__memory_release, memory_random};

void sim__world_init(struct sim_world *world, struct core *core)
{
    world->world = (struct solo_world){sim__name,        &clock_table,        &thread_table,
                                       &sim__poll_table, &sim__network_table, &memory_table};
    world->core = core;
}

void sim__world_begin(struct sim_world *world)
{
    memset(&world->ids, 0, sizeof world->ids);
    solo__arguments_clear(&world->world);
    memset(&world->memory, 0, sizeof world->memory);
    world->network = NULL;
    memset(world->signals, 0, sizeof world->signals);
    world->names = NULL;
}
