/*
 * sim_memory.h - the memory of one run of world sim: taken from the run's arena, and used again late or never.
 *
 * What is released waits in quarantine, so that use after the end is named and nothing new comes to stand where
 * something old was. A short run never leaves it. In a long one (hours of virtual time) the quarantine is full one
 * day: then what has waited longest is used again, and the run grows no further.
 */
#ifndef SOLO__SIM_MEMORY_H
#define SOLO__SIM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct solo_world;

#ifdef SOLO_TORTURE
enum { SIM_QUARANTINE_MAX = 256 << 10 };
#else
enum { SIM_QUARANTINE_MAX = 4 << 20 }; /* bytes */
#endif

/* Sizes of blocks: every 16 bytes up to 1,024, then four between one power of two and the next, up to 2^28. */
enum { SIM_CLASSES = 64 + 18 * 4 };

struct sim_block; /* what stands before each piece of memory */

/* Zeroed is empty. */
struct sim_memory {
    struct sim_block *spare[SIM_CLASSES]; /* out of quarantine */
    struct sim_block *oldest, *newest;    /* in quarantine */
    size_t waiting;                       /* bytes in quarantine */
    size_t in_use;                        /* bytes that were taken and not released */
};

/* As struct solo_memory_table's allocate and release, without faults: NULL only when the arena is full. */
void *sim__memory_take(struct solo_world *world, size_t size);
void sim__memory_release(struct solo_world *world, void *memory);

#endif
