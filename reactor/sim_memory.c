/*
 * sim_memory.c - blocks of the run's arena by size, and the quarantine of those that were released.
 *
 * A block goes from the arena to its user, to the end of the quarantine, to the spare blocks of its size, to a user
 * again. Race detectors are told that what was done with it before its release happens before what its next user does;
 * otherwise they would take the two for one.
 */
#include "sim_memory.h"
#include "annotate.h"
#include "sim_world.h"
#include <assert.h>

struct sim_block {
    struct sim_block *next; /* in quarantine, or spare */
    size_t size;            /* of what follows: the largest of its class */
};

enum { GRAIN = 16, FINE_MAX = 1024, FINE_CLASSES = FINE_MAX / GRAIN, STEPS = 4 };

_Static_assert(sizeof(struct sim_block) % 16 == 0, "what follows is aligned for everything");

/* The smallest class that holds `size` bytes. */
static size_t class_of(size_t size)
{
    if (size <= FINE_MAX) {
        return size == 0 ? 0 : (size - 1) / GRAIN;
    }
    unsigned doubling = 63 - (unsigned)__builtin_clzll(size - 1); /* 10 for 1,025 to 2,048 */
    size_t step = ((size - 1) >> (doubling - 2)) & (STEPS - 1);
    return FINE_CLASSES + (doubling - 10) * STEPS + step;
}

static size_t size_of(size_t size_class)
{
    if (size_class < FINE_CLASSES) {
        return (size_class + 1) * GRAIN;
    }
    size_t coarse = size_class - FINE_CLASSES;
    return (STEPS + 1 + coarse % STEPS) << (coarse / STEPS + 8);
}

static struct sim_block *take_spare(struct sim_memory *memory, size_t size_class)
{
    struct sim_block *block = memory->spare[size_class];
    if (block != NULL) {
        memory->spare[size_class] = block->next;
        SOLO_ANNOTATE_UNPOISON(block + 1, block->size);
    }
    return block;
}

static struct sim_block *take_fresh(struct solo_world *world, size_t size)
{
    struct sim_block *block = core_allocate(core_of(world), sizeof *block + size);
    if (block != NULL) {
        block->size = size;
    }
    return block;
}

void *sim__memory_take(struct solo_world *world, size_t size)
{
    struct sim_memory *memory = &sim_world_of(world)->memory;
    size_t size_class = class_of(size);
    if (size_class >= SIM_CLASSES) {
        return NULL;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_block *used = take_spare(memory, size_class);
    struct sim_block *block = used != NULL ? used : take_fresh(world, size_of(size_class));
    memory->in_use += block != NULL ? block->size : 0;
    SOLO_ANNOTATE_IGNORE_END();
    if (used != NULL) {
        SOLO_ANNOTATE_HAPPENS_AFTER(used);
    }
    return block != NULL ? block + 1 : NULL;
}

/* The block that has waited longest may be used again. */
static void let_out(struct sim_memory *memory)
{
    struct sim_block *block = memory->oldest;
    size_t size_class = class_of(block->size);
    memory->oldest = block->next;
    memory->newest = memory->oldest != NULL ? memory->newest : NULL;
    memory->waiting -= block->size;
    block->next = memory->spare[size_class];
    memory->spare[size_class] = block;
}

void sim__memory_release(struct solo_world *world, void *released)
{
    struct sim_memory *memory = &sim_world_of(world)->memory;
    if (released == NULL) {
        return;
    }
    struct sim_block *block = (struct sim_block *)released - 1;
    SOLO_ANNOTATE_HAPPENS_BEFORE(block);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    assert(memory->in_use >= block->size);
    block->next = NULL;
    *(memory->newest != NULL ? &memory->newest->next : &memory->oldest) = block;
    memory->newest = block;
    memory->in_use -= block->size;
    memory->waiting += block->size;
    while (memory->oldest != NULL && memory->waiting > SIM_QUARANTINE_MAX) {
        let_out(memory);
    }
    SOLO_ANNOTATE_IGNORE_END();
}
