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

/*
 * Keeps a compiler from making a call of memmove of the loop that it stands in. In a program that was built with
 * ThreadSanitizer memmove is the detector's, which would take the list for the program's memory.
 */
#define IN_A_LOOP(index) __asm__("" : "+r"(index))

/* The first `count` options move one place back, to make room; or all but the first come forward. */
static inline void ready_move_back(const struct solo_option **ready, uint32_t count)
{
    for (uint32_t i = count; i > 0; i--) {
        IN_A_LOOP(i);
        ready[i] = ready[i - 1];
    }
}

static inline void ready_come_forward(const struct solo_option **ready, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        IN_A_LOOP(i);
        ready[i - 1] = ready[i];
    }
}

/* The thread has become runnable. */
static inline void ready_add(struct core *core, const struct core_thread *thread)
{
    const struct solo_option **ready = core->ready, *option = thread->pending;
    const struct solo_option *first = core->current != NULL ? core->current->pending : NULL;
    uint32_t at = core->ready_count++;
    core->pass->left = 0;
    if (option == first) {
        ready_move_back(ready, at);
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
        ready_come_forward(core->ready, core->ready_count--);
    }
}

/* It will be the turn of the option at `at`, which comes first. Who came first until now goes back among the others. */
static inline void ready_put_first(struct core *core, const struct core_thread *current, uint32_t at)
{
    const struct solo_option **ready = core->ready, *taken = ready[at], *before = ready[0];
    if (before != current->pending) {
        ready_move_back(ready, at);
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
