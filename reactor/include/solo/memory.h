/*
 * memory.h - telling the kit that memory was given back.
 *
 * Until queued work has run, its argument belongs to it. The kit cannot see who gives it back; whoever does can say so
 * here, and work that then runs with that argument is SOLO005. Under the harness (`solo`, and every program that is
 * linked to libsolo-harness) free and realloc say it by themselves; an allocator of the program's own, which hands out
 * pieces of larger blocks, says it where it takes a piece back.
 */
#ifndef SOLO_MEMORY_H
#define SOLO_MEMORY_H

#include <solo/contract.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The `size` bytes at `memory` may be given to somebody else from now on. Queued work whose argument lies in them, and
 * which runs after this, is reported as SOLO005. NULL or 0 bytes: nothing happens. Costs a load and a branch while no
 * queued work is watched: it is watched in world sim, and in world os while somebody listens to the probe; at most 256
 * pieces of work at a time, and nothing is said about those beyond.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_memory_released(const void *memory, size_t size);

#ifdef __cplusplus
}
#endif
#endif
