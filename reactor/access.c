/* access.c - accesses to shared memory as scheduling points, in world sim. */
#include <solo/access.h>
#include "sim_world.h"
#include <stdint.h>

enum { WORD_SIZE = 8 };

/* More than one word: each is a point. */
static __attribute__((noinline)) void announce_words(struct core *core, enum solo_probe_kind kind,
                                                     enum solo_access access, uintptr_t first, uintptr_t last)
{
    while (last / WORD_SIZE != first / WORD_SIZE) {
        uintptr_t next = (first / WORD_SIZE + 1) * WORD_SIZE;
        core_access(core, kind, access, first, (uint32_t)(next - first));
        first = next;
    }
    core_access(core, kind, access, first, (uint32_t)(last - first + 1));
}

static inline void announce(enum solo_probe_kind kind, enum solo_access access, const volatile void *address,
                            size_t size)
{
    struct core *core = core_current();
    if (core == NULL || address == NULL) {
        return;
    }

    uintptr_t first = (uintptr_t)address;
    if (__builtin_expect(size - 1 < WORD_SIZE - first % WORD_SIZE, 1)) { /* and not 0 */
        core_access(core, kind, access, first, (uint32_t)size);
    } else if (size != 0) {
        announce_words(core, kind, access, first, first + (size - 1));
    }
}

void solo_access_read(const volatile void *address, size_t size)
{
    announce(SOLO_PROBE_ACCESS_READ, SOLO_ACCESS_READ, address, size);
}

void solo_access_write(const volatile void *address, size_t size)
{
    announce(SOLO_PROBE_ACCESS_WRITE, SOLO_ACCESS_WRITE, address, size);
}
