/* access.c - accesses to shared memory as scheduling points, in world sim. */
#include <solo/access.h>
#include "sim_world.h"
#include <stdint.h>

enum { WORD_SIZE = 8 };

static void announce_words(enum solo_probe_kind kind, enum solo_access access, const volatile void *address,
                           size_t size)
{
    struct core *core = core_current();
    if (core == NULL || address == NULL || size == 0) {
        return;
    }

    uintptr_t first = (uintptr_t)address;
    uintptr_t last = first + (size - 1);
    while (last / WORD_SIZE != first / WORD_SIZE) {
        uintptr_t next = (first / WORD_SIZE + 1) * WORD_SIZE;
        core_access(core, kind, access, first, (uint32_t)(next - first));
        first = next;
    }
    core_access(core, kind, access, first, (uint32_t)(last - first + 1));
}

void solo_access_read(const volatile void *address, size_t size)
{
    announce_words(SOLO_PROBE_ACCESS_READ, SOLO_ACCESS_READ, address, size);
}

void solo_access_write(const volatile void *address, size_t size)
{
    announce_words(SOLO_PROBE_ACCESS_WRITE, SOLO_ACCESS_WRITE, address, size);
}
