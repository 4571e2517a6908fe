/*
 * access.c - memory accesses as scheduling points, in programs built by `solo cc`.
 *
 * A program so built calls solo_interpose_access before each load, store and atomic operation; by itself it has no such
 * function and calls nothing. Memory is looked at in words of eight bytes, numbered by first use. A thread's own stack
 * is its own until another thread has touched that word. While there is only one thread nothing is announced.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <solo/token.h>

enum {
    WORD = 8,
    WORDS_MAX = 8,         /* of one access that are announced */
    SLOTS = 1 << 20,       /* for words that were touched; a power of two */
    SPIN_ACCESSES_MAX = 64 /* to the same few words in a row, before it counts as waiting */
};

struct slot {
    uintptr_t word; /* 0: free */
    uint32_t id;
};

static struct slot *slots;
static unsigned slots_used;
static bool wanted;

/* Set by the harness when a schedule begins: enum solo_granularity. */
INTERPOSED void solo_interpose_begin(unsigned granularity);
INTERPOSED void solo_interpose_begin(unsigned granularity)
{
    wanted = granularity == SOLO_GRANULARITY_ACCESS;
}

static struct slot *slot_of(uintptr_t word)
{
    if (slots == NULL) {
        slots = interpose_allocate(SLOTS * sizeof *slots);
    }
    uint64_t at = (uint64_t)word * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    while (slots[at % SLOTS].word != 0 && slots[at % SLOTS].word != word) {
        at++;
    }
    return &slots[at % SLOTS];
}

static uint32_t number(struct slot *slot, uintptr_t word)
{
    if (slot->word == 0) {
        if (++slots_used > SLOTS / 4 * 3) {
            interpose_refuse(NULL, "the program touches more memory than can be told apart: --granularity sync");
        }
        *slot = (struct slot){word, solo_model_object(SOLO_MODEL_MEMORY)};
    }
    return slot->id;
}

static bool is_own_stack(const struct interpose_thread *self, uintptr_t address)
{
    return address >= (uintptr_t)__builtin_frame_address(0) && address < (uintptr_t)self->stack_top;
}

/* A loop that waits for memory to change touches the same few words again and again. */
static void look_for_spin(struct solo_world *world, struct interpose_thread *self, uint32_t id)
{
    for (unsigned i = 0; i < INTERPOSE_RECENT; i++) {
        if (self->recent[i] == id) {
            if (++self->repeats >= SPIN_ACCESSES_MAX) {
                self->repeats = 0;
                interpose_idle(world);
            }
            return;
        }
    }
    self->recent[self->recent_next++ % INTERPOSE_RECENT] = id;
    self->repeats = 0;
    self->idle_calls = 0;
}

INTERPOSED void solo_interpose_access(const void *address, size_t size, int writes);
INTERPOSED void solo_interpose_access(const void *address, size_t size, int writes)
{
    struct solo_world *world = wanted && interpose_threads_alive() != 0 ? solo_model_world() : NULL;
    if (world == NULL || size == 0) {
        return;
    }
    struct interpose_thread *self = interpose_self();
    bool own = is_own_stack(self, (uintptr_t)address);
    uintptr_t first = (uintptr_t)address / WORD, last = ((uintptr_t)address + size - 1) / WORD;
    for (uintptr_t word = first; word <= last && word - first < WORDS_MAX; word++) {
        struct slot *slot = slot_of(word);
        if (own && slot->word == 0) {
            continue;
        }
        uint32_t id = number(slot, word);
        look_for_spin(world, self, id);
        interpose_announce(world, writes ? SOLO_PROBE_ACCESS_WRITE : SOLO_PROBE_ACCESS_READ,
                           writes ? SOLO_ACCESS_WRITE : SOLO_ACCESS_READ, id, 0);
    }
}
