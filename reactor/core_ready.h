/*
 * core_ready.h - the runnable threads, as the options that a choice among them offers. Included by core.c only.
 *
 * The list is kept and not made anew for each choice: the thread whose turn it is comes first while it can run, all
 * others by number. So what a point costs does not depend on how many threads there are, but for the chooser.
 *
 * Options of one core lie in one array, by number, which makes comparing their addresses comparing their numbers.
 */
#ifndef SOLO__CORE_READY_H
#define SOLO__CORE_READY_H

#include "core_private.h"
#include <string.h>

/* The thread has become runnable. */
static inline void ready_add(struct core *core, const struct core_thread *thread)
{
    const struct solo_option **ready = core->ready, *option = thread->pending;
    const struct solo_option *first = core->current != NULL ? core->current->pending : NULL;
    uint32_t at = core->ready_count++;
    if (option == first) {
        memmove(&ready[1], &ready[0], at * sizeof ready[0]);
        at = 0;
    }
    while (at > 0 && ready[at - 1] > option && ready[at - 1] != first) {
        ready[at] = ready[at - 1];
        at--;
    }
    ready[at] = option;
}

/* The thread whose turn it is blocks or ends. */
static inline void ready_drop(struct core *core, const struct core_thread *current)
{
    if (core->ready_count != 0 && core->ready[0] == current->pending) {
        core->ready_count--;
        memmove(&core->ready[0], &core->ready[1], core->ready_count * sizeof core->ready[0]);
    }
}

/* It will be the turn of the option at `at`, which comes first. Who came first until now goes back among the others. */
static inline void ready_put_first(struct core *core, const struct core_thread *current, uint32_t at)
{
    const struct solo_option **ready = core->ready, *taken = ready[at], *before = ready[0];
    if (before != current->pending) {
        memmove(&ready[1], &ready[0], at * sizeof ready[0]);
        ready[0] = taken;
        return;
    }
    for (; at > 1 && ready[at - 1] > before; at--) {
        ready[at] = ready[at - 1];
    }
    for (; at + 1 < core->ready_count && ready[at + 1] < before; at++) {
        ready[at] = ready[at + 1];
    }
    ready[at] = before;
    ready[0] = taken;
}

#endif
