/*
 * argument.h - the arguments of queued work: does what they point at still live when the work runs? (SOLO005)
 *
 * Whoever accepts work says keep, whoever runs it says run, and what ends without running is forgotten. That a piece
 * of memory has died is known, never guessed: it was given back (solo_memory_released), or it lies in the stack of the
 * thread that queued the work, in the frames of a job or callback that has ended since, or of a thread that has, or
 * below the function from which the running loop was entered. An argument in a frame of which nothing is known, such
 * as that of a thread's own function that still runs, is taken to live.
 */
#ifndef SOLO__ARGUMENT_H
#define SOLO__ARGUMENT_H

#include "self.h"

extern unsigned solo__arguments_kept; /* how many are watched; read without order */

/* Out of line: the halves of the functions below. */
void solo__argument_watch(struct solo_world *world, uint32_t work, const void *argument, uintptr_t frame);
void solo__argument_check(struct solo_world *world, uint32_t work);
void solo__argument_drop(struct solo_world *world, uint32_t work);

/* `work`, an object id, is about to be accepted by the caller. Called by the public function or below it. */
static inline void solo__argument_keep(struct solo_world *world, uint32_t work, const void *argument)
{
    if (argument != NULL && solo__world_is_heard(world)) {
        solo__argument_watch(world, work, argument, (uintptr_t)__builtin_frame_address(0));
    }
}

/* It begins on this thread: reports a dead argument. */
static inline void solo__argument_run(struct solo_world *world, uint32_t work)
{
    if (__builtin_expect(__atomic_load_n(&solo__arguments_kept, __ATOMIC_RELAXED) != 0, 0)) {
        solo__argument_check(world, work);
    }
}

/* It will not run. */
static inline void solo__argument_forget(struct solo_world *world, uint32_t work)
{
    if (__builtin_expect(__atomic_load_n(&solo__arguments_kept, __ATOMIC_RELAXED) != 0, 0)) {
        solo__argument_drop(world, work);
    }
}

/* Nobody else looks in between: around a fork, or the child could find the table held by a thread that it has not. */
void solo__arguments_hold(void);
void solo__arguments_let_go(void);

/* A new schedule begins in this world, and what is left of the one before means nothing in it. */
void solo__arguments_clear(const struct solo_world *world);

/*
 * Around each piece of work and each callback: the outermost one on a thread is a unit, whose frames all lie below the
 * frame of the caller and are dead when it ends.
 */
static inline void solo__unit_begin(struct solo_world *world, uint32_t object)
{
    if (solo__world_is_heard(world)) {
        struct solo_thread *self = solo__self;
        if (self->unit_depth++ == 0) {
            self->unit_object = object;
            self->unit_top = (uintptr_t)__builtin_frame_address(0);
        }
    }
}

static inline void solo__unit_end(struct solo_world *world)
{
    struct solo_thread *self = solo__self;
    if (solo__world_is_heard(world) && self->unit_depth > 0 && --self->unit_depth == 0) {
        __atomic_store_n(&self->unit, self->unit + 1, __ATOMIC_RELAXED);
    }
}

#endif
