/*
 * context_internal.h - how queued work keeps the context of whoever queued it.
 */
#ifndef SOLO__CONTEXT_INTERNAL_H
#define SOLO__CONTEXT_INTERNAL_H

#include "self.h"
#include <solo/context.h>

struct solo_context {
    struct solo__object object;
    struct solo_context *outer; /* kept by this one; NULL: the outermost */
    const void *key;
    void *value;
    void (*forget)(void *value);
    uint32_t holders; /* atomic */
};

/* Keeps the calling thread's context for later; NULL if it has none. */
struct solo_context *solo__context_keep(struct solo_context *context);
/* Gives one up, and those it kept; NULL is fine. It may run a forget function: no lock is held. */
void solo__context_drop(struct solo_context *context);

/* Puts a context in place for the calling thread, which keeps it or has it kept; returns the one before. */
static inline struct solo_context *solo__context_enter(struct solo_context *context)
{
    struct solo_context *before = solo__self->context;
    solo__self->context = context;
    return before;
}

#endif
