/*
 * provenance.c - who queued a piece of work, and from where: a bounded walk along saved frame pointers.
 *
 * A frame pointer points at the caller's frame pointer, and the return address lies right above it. The walk stays
 * inside the thread's stack and only ever goes up, so code without frame pointers can make it end early or name a
 * wrong frame, never crash. A thread whose stack bounds are unknown keeps the one return address that it was given.
 */
#include "provenance.h"
#include "self.h"
#include <stdlib.h>
#include <string.h>

int solo__provenance_full;

__attribute__((constructor)) static void read_environment(void)
{
    const char *wanted = getenv("SOLO_PROVENANCE");
    solo__provenance_full = wanted != NULL && strcmp(wanted, "full") == 0;
}

/* Reads words of the stack that belong to no variable: not a matter for memory checkers. */
__attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined"))) static unsigned
walk(const struct solo_thread *self, uint64_t *frames, unsigned frames_max, const void *frame,
     const void *return_address)
{
    unsigned count = 0;
    uintptr_t at = (uintptr_t)frame;
    uintptr_t last = self->stack_high - 2 * sizeof at; /* where the outermost frame can be */
    frames[count++] = (uint64_t)(uintptr_t)return_address;
    if (self->stack_low == 0 || at < self->stack_low || at > last || at % sizeof at != 0) {
        return count;
    }
    while (count < frames_max) {
        uintptr_t above = ((const uintptr_t *)at)[0];
        if (above <= at || above > last || above % sizeof above != 0) {
            break;
        }
        uintptr_t address = ((const uintptr_t *)above)[1];
        if (address == 0) {
            break;
        }
        frames[count++] = address;
        at = above;
    }
    return count;
}

void solo__provenance_take(struct solo__provenance *provenance, uint32_t object, void *frame, void *return_address)
{
    struct solo_thread *self = solo__self_get();
    provenance->object = object;
    provenance->thread = self->number;
    provenance->by = self;
    if (solo__provenance_is_full(self)) {
        provenance->count = (uint16_t)walk(self, provenance->frames, SOLO__FRAMES, frame, return_address);
    } else {
        provenance->frames[0] = (uint64_t)(uintptr_t)return_address;
        provenance->count = 1;
    }
}

void solo__stack_take(struct solo_stack *stack, void *frame, void *return_address)
{
    memset(stack, 0, sizeof *stack);
    stack->count = walk(solo__self_get(), stack->frames, SOLO_STACK_MAX, frame, return_address);
}
