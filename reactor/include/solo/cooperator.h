/*
 * cooperator.h - long work on the reactor thread, a step at a time, so that everybody else has his turn as well.
 *
 * Each task is a function that does one step a call. The cooperator goes round its tasks, one step each, until its
 * slice of the pass is used up, and goes on in the next pass. So thread calls, delayed calls and I/O are served in
 * between, however long the work is.
 *
 * The slice is a time, and a number of steps, because in a simulation computing takes no time: whichever comes first.
 *
 * Source: Twisted's task.Cooperator and CooperativeTask.
 */
#ifndef SOLO_COOPERATOR_H
#define SOLO_COOPERATOR_H

#include <solo/deferred.h>
#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_cooperator;
struct solo_task;

struct solo_cooperator_options {
    uint64_t slice_ns;  /* 0: 10 ms */
    unsigned steps_max; /* in one pass; 0: 1000 */
};

/* What a step says. */
enum { SOLO_TASK_DONE = 0, SOLO_TASK_MORE = 1 };

/*
 * One step. SOLO_TASK_MORE: there is another one; if *ret_wait_for was set, only after that Deferred has a value (it
 * then belongs to the task). SOLO_TASK_DONE: the task has come to its end. Negative: it ends with that failure, and so
 * it does with one of the Deferred.
 */
typedef int (*solo_task_fn)(void *arg, struct solo_deferred **ret_wait_for);

/* Makes one without tasks. `options` may be NULL. -EINVAL, -ENOMEM. SOLO_ECLOSING: the reactor has stopped. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_cooperator_create(struct solo_reactor *reactor,
                                                         const struct solo_cooperator_options *options,
                                                         struct solo_cooperator **ret_cooperator);

/* Stops all tasks, and gives it up. Its tasks live until they are released. Accepts NULL. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_cooperator_release(struct solo_cooperator *cooperator);

/*
 * Ends all tasks with SOLO_ECLOSING; no more are taken. SOLO_ECLOSING: it was stopped before, or by its reactor's end.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_cooperator_stop(struct solo_cooperator *cooperator);

/*
 * Adds a task, whose first step is in the next pass. Whoever has it releases it. -EINVAL, -ENOMEM. SOLO_ECLOSING: the
 * cooperator was stopped.
 * Runs: fn on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_cooperator_add(struct solo_cooperator *cooperator, solo_task_fn fn, void *arg,
                                                      struct solo_task **ret_task);

/* Gives it up; it goes on until it ends. Accepts NULL. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_task_release(struct solo_task *task);

/*
 * No step until it was resumed as often as paused. A task that has ended: SOLO_EALREADYCALLED (it came to its end),
 * SOLO_EALREADYCANCELLED (it was stopped), or its failure; the same for resume and stop.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_task_pause(struct solo_task *task);

/* Undoes one pause. -EINVAL: it is not paused. Errors as for pause. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_task_resume(struct solo_task *task);

/* Ends it: it makes no further step, and whoever waits for it gets SOLO_ECANCELLED. Errors as for pause. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_task_stop(struct solo_task *task);

/*
 * A Deferred that gets the task's arg at its end, or the failure with which it ends; at once if it has ended. As often
 * as wanted. -EINVAL, -ENOMEM.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_task_when_done(struct solo_task *task, struct solo_deferred **ret_deferred);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_cooperator_add(cooperator, fn, arg, ret_task)                                                             \
    (SOLO__RUNS_ON_REACTOR(solo_task_fn, fn, (void *)0, (struct solo_deferred **)0),                                   \
     solo_cooperator_add(cooperator, fn, arg, ret_task))
#endif

#ifdef __cplusplus
}
#endif
#endif
