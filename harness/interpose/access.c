/*
 * access.c - memory accesses as scheduling points, in programs built by `solo cc`.
 *
 * A program so built calls solo_interpose_access before each load, store and atomic operation; by itself it has no such
 * function and calls nothing. Memory is looked at in words of eight bytes, numbered by first use. A thread's own stack
 * is its own until another thread has touched that word. While there is only one thread nothing is announced.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <solo/access.h>
#include <solo/token.h>

enum {
    WORD = 8,
    WORDS_MAX = 8,         /* of one access that are announced */
    SLOTS = 1 << 20,       /* for words that were touched; a power of two */
    SPIN_ACCESSES_MAX = 64 /* to the same few words in a row, before it counts as waiting */
};

static uintptr_t *slots; /* words, 0: free */
static unsigned slots_used;
static bool wanted;

/* Set by the harness when a schedule begins: enum solo_granularity. */
INTERPOSED void solo_interpose_begin(unsigned granularity);
INTERPOSED void solo_interpose_begin(unsigned granularity)
{
    wanted = granularity == SOLO_GRANULARITY_ACCESS;
}

static uintptr_t *slot_of(uintptr_t word)
{
    if (slots == NULL) {
        slots = interpose_allocate(SLOTS * sizeof *slots);
    }
    uint64_t at = (uint64_t)word * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    while (slots[at % SLOTS] != 0 && slots[at % SLOTS] != word) {
        at++;
    }
    return &slots[at % SLOTS];
}

static void note_word(uintptr_t *slot, uintptr_t word)
{
    if (*slot == 0 && ++slots_used > SLOTS / 4 * 3) {
        interpose_refuse(NULL, "the program touches more memory than can be told apart: --granularity sync");
    }
    *slot = word;
}

static bool is_own_stack(const struct interpose_thread *self, uintptr_t address)
{
    return address >= (uintptr_t)__builtin_frame_address(0) && address < (uintptr_t)self->stack_top;
}

/* A loop that waits for memory to change touches the same few words again and again. */
static void look_for_spin(struct solo_world *world, struct interpose_thread *self, uintptr_t word)
{
    for (unsigned i = 0; i < INTERPOSE_RECENT; i++) {
        if (self->recent[i] == word) {
            if (++self->repeats >= SPIN_ACCESSES_MAX) {
                self->repeats = 0;
                interpose_idle(world);
            }
            return;
        }
    }
    self->recent[self->recent_next++ % INTERPOSE_RECENT] = word;
    self->repeats = 0;
    self->idle_calls = 0;
}

/* The part of an access that lies in this word. Strategies know words by their addresses, so these go along. */
static void announce_part(uintptr_t word, uintptr_t first, uintptr_t last, bool writes)
{
    uintptr_t from = word * WORD > first ? word * WORD : first;
    uintptr_t to = word * WORD + (WORD - 1) < last ? word * WORD + (WORD - 1) : last;
    (writes ? solo_access_write : solo_access_read)((const volatile void *)from, to - from + 1);
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
    uintptr_t first = (uintptr_t)address, last = first + size - 1;
    for (uintptr_t word = first / WORD; word <= last / WORD && word - first / WORD < WORDS_MAX; word++) {
        uintptr_t *slot = slot_of(word);
        if (own && *slot == 0) {
            continue;
        }
        note_word(slot, word);
        look_for_spin(world, self, word);
        announce_part(word, first, last, writes != 0);
    }
}
