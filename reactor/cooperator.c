/*
 * cooperator.c - long work in steps, in slices of passes.
 *
 * The ring holds the tasks that can make a step: those that have not ended, are not paused and wait for no Deferred. As
 * long as it is not empty a delayed call is to come, the tick; the last one to leave takes it back. A task that leaves
 * the ring while the tick goes round it is seen by `next`. Memory is taken for the tick alone, when the first task
 * joins; if there is none, that task ends with -ENOMEM.
 */
#include "deferred_internal.h"
#include "reactor_internal.h"
#include <solo/cooperator.h>

#define SLICE_NS UINT64_C(10000000)
enum { STEPS_MAX = 1000 };
enum { RUNNING = 1 }; /* a task's status until it has ended: then 0, or a failure */

struct solo_task {
    struct solo__object object;
    struct solo_cooperator *cooperator; /* NULL once it has ended */
    struct solo_reactor *reactor;
    solo_task_fn fn;
    void *arg;
    struct solo_task *previous, *next;         /* in the ring, NULL: it is not there */
    struct solo_task *all_previous, *all_next; /* of the cooperator's that have not ended */
    struct waiter *waiters, **last;            /* in the order in which they asked */
    struct solo_deferred *waits_for;           /* kept */
    struct solo__pair_node node;               /* in its chain */
    unsigned pauses;
    int status;
    bool held; /* its user has it */
    bool in_step;
};

struct waiter {
    struct waiter *next;
    struct solo_deferred *deferred; /* kept */
};

struct solo_cooperator {
    struct solo__object object;
    struct solo_reactor *reactor;
    uint64_t slice_ns;
    unsigned steps_max;
    struct solo_task *ring; /* whose turn it is; NULL: nobody can make a step */
    struct solo_task *all;
    solo_delayed_call_id tick;
    bool ticks;       /* the tick is to come */
    unsigned telling; /* ends of its tasks that are being told */
    bool in_tick, stopped;
    bool held;
};

static void release_cooperator_if_unused(struct solo_cooperator *cooperator)
{
    if (!cooperator->held && !cooperator->in_tick && cooperator->telling == 0 && cooperator->all == NULL) {
        solo__object_end(cooperator);
    }
}

/* ---- The ring ---- */

static void end_task(struct solo_task *task, int status);
static void go_round(void *arg);

static void tick_done(int status, void *arg)
{
    struct solo_cooperator *cooperator = arg;
    if (status == SOLO_ECLOSING && cooperator->ticks) { /* the reactor has ended */
        cooperator->ticks = false;
        cooperator->stopped = true;
        cooperator->in_tick = true;
        while (cooperator->all != NULL) {
            end_task(cooperator->all, SOLO_ECLOSING);
        }
        cooperator->in_tick = false;
        release_cooperator_if_unused(cooperator);
    }
}

static int set_tick(struct solo_cooperator *cooperator)
{
    int error = solo_reactor_call_later(cooperator->reactor, 0, go_round, cooperator, tick_done, &cooperator->tick);
    cooperator->ticks = error == 0;
    return error;
}

/* The task comes last in the round. */
static void join(struct solo_cooperator *cooperator, struct solo_task *task)
{
    struct solo_task *first = cooperator->ring;
    if (first == NULL) {
        task->previous = task->next = task;
        cooperator->ring = task;
    } else {
        task->next = first;
        task->previous = first->previous;
        first->previous->next = task;
        first->previous = task;
    }
    if (!cooperator->ticks && !cooperator->in_tick) {
        int error = set_tick(cooperator);
        if (error < 0) {
            end_task(task, error);
        }
    }
}

static void leave(struct solo_cooperator *cooperator, struct solo_task *task)
{
    if (task->next == NULL) {
        return;
    }
    if (task->next == task) {
        cooperator->ring = NULL;
    } else {
        task->previous->next = task->next;
        task->next->previous = task->previous;
        cooperator->ring = cooperator->ring == task ? task->next : cooperator->ring;
    }
    task->previous = task->next = NULL;
    if (cooperator->ring == NULL && cooperator->ticks) {
        cooperator->ticks = false;
        (void)solo_delayed_call_cancel(cooperator->reactor, cooperator->tick);
    }
}

/* In the ring or not, as its state says. */
static void sort_in(struct solo_task *task)
{
    bool can = task->status == RUNNING && task->pauses == 0 && task->waits_for == NULL;
    if (can && task->next == NULL) {
        join(task->cooperator, task);
    } else if (!can) {
        leave(task->cooperator, task);
    }
}

/* ---- The end of a task ---- */

static void release_task_if_unused(struct solo_task *task)
{
    if (!task->held && task->status != RUNNING && !task->in_step && task->waits_for == NULL) {
        solo__object_end(task);
    }
}

static void tell(struct solo_task *task, struct solo_deferred *deferred)
{
    (void)solo__deferred_fire(deferred, task->status < 0 ? solo_failure(task->status) : solo_value(task->arg));
    solo__deferred_drop(deferred);
}

static void end_task(struct solo_task *task, int status)
{
    struct solo_cooperator *cooperator = task->cooperator;
    struct solo_world *world = task->object.world;
    task->status = status;
    leave(cooperator, task);
    task->cooperator = NULL;
    *(task->all_previous != NULL ? &task->all_previous->all_next : &cooperator->all) = task->all_next;
    if (task->all_next != NULL) {
        task->all_next->all_previous = task->all_previous;
    }
    bool was_in_step = task->in_step;
    task->in_step = true; /* nobody frees it meanwhile, nor the cooperator */
    cooperator->telling++;
    while (task->waiters != NULL) {
        struct waiter *waiter = task->waiters;
        struct solo_deferred *deferred = waiter->deferred;
        task->waiters = waiter->next;
        world->memory->release(world, waiter);
        tell(task, deferred);
    }
    cooperator->telling--;
    task->in_step = was_in_step;
    release_task_if_unused(task);
    release_cooperator_if_unused(cooperator);
}

/* ---- Steps ---- */

static struct solo_result result_is_there(struct solo_result previous, void *arg)
{
    struct solo_task *task = arg;
    struct solo_deferred *inner = task->waits_for;
    task->waits_for = NULL;
    if (task->status != RUNNING) {
        release_task_if_unused(task);
    } else if (previous.status < 0) {
        end_task(task, previous.status);
    } else {
        sort_in(task);
    }
    solo__deferred_drop(inner);
    return solo_value(NULL);
}

/* Cannot be: it is kept until its result is there. */
static void result_never_comes(void *arg)
{
    (void)arg;
}

static void wait_for(struct solo_task *task, struct solo_deferred *deferred)
{
    if (!solo__deferred_is_alive(deferred) || !solo__deferred_take_over(deferred)) {
        end_task(task, -EINVAL);
        return;
    }
    task->waits_for = deferred;
    sort_in(task);
    solo__deferred_append(deferred, &task->node, result_is_there, result_never_comes, task);
}

static void step(struct solo_task *task)
{
    struct solo_deferred *deferred = NULL;
    task->in_step = true;
    int status = task->fn(task->arg, &deferred);
    task->in_step = false;
    if (task->status != RUNNING) { /* it was stopped meanwhile */
        if (deferred != NULL && solo__deferred_is_alive(deferred)) {
            solo__deferred_release(deferred);
        }
        release_task_if_unused(task);
    } else if (status == SOLO_TASK_MORE && deferred != NULL) {
        wait_for(task, deferred);
    } else if (status != SOLO_TASK_MORE) {
        end_task(task, status > 0 ? -EINVAL : status);
    }
}

static void go_round(void *arg)
{
    struct solo_cooperator *cooperator = arg;
    struct solo_world *world = cooperator->reactor->world;
    uint64_t until_ns = solo__add_ns(world->clock->now_ns(world), cooperator->slice_ns);
    unsigned steps = 0;
    cooperator->ticks = false;
    cooperator->in_tick = true;
    while (cooperator->ring != NULL && steps++ < cooperator->steps_max) {
        struct solo_task *task = cooperator->ring;
        cooperator->ring = task->next; /* the one after it, if it stays */
        step(task);
        if (world->clock->now_ns(world) >= until_ns) {
            break;
        }
    }
    cooperator->in_tick = false;
    if (cooperator->ring != NULL) {
        int error = set_tick(cooperator);
        while (error < 0 && cooperator->ring != NULL) {
            end_task(cooperator->ring, error);
        }
    }
    release_cooperator_if_unused(cooperator);
}

/* ---- The public functions ---- */

#define LADDER(function, object, kind)                                                                                 \
    SOLO__LIVE_OBJECT(function, object, kind, SOLO006_USE_AFTER_END);                                                  \
    SOLO__OBJECT((object)->reactor, SOLO__REACTOR);                                                                    \
    SOLO__REACTOR_ONLY(function, &(object)->reactor->owner, object)

int solo_cooperator_create(struct solo_reactor *reactor, const struct solo_cooperator_options *options,
                           struct solo_cooperator **ret_cooperator)
{
    SOLO__LIVE_OBJECT(solo_cooperator_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_cooperator_create, &reactor->owner, reactor);
    if (ret_cooperator == NULL) {
        return -EINVAL;
    }
    if (solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo_cooperator *cooperator =
        solo__object_make(reactor->world, SOLO__COOPERATOR, sizeof *cooperator, __builtin_return_address(0));
    if (cooperator == NULL) {
        return -ENOMEM;
    }
    cooperator->reactor = reactor;
    cooperator->slice_ns = options != NULL && options->slice_ns != 0 ? options->slice_ns : SLICE_NS;
    cooperator->steps_max = options != NULL && options->steps_max != 0 ? options->steps_max : STEPS_MAX;
    cooperator->held = true;
    *ret_cooperator = cooperator;
    return 0;
}

static void stop_all(struct solo_cooperator *cooperator)
{
    bool was_in_tick = cooperator->in_tick;
    cooperator->stopped = true;
    cooperator->in_tick = true; /* nobody frees it meanwhile */
    while (cooperator->all != NULL) {
        end_task(cooperator->all, SOLO_ECLOSING);
    }
    cooperator->in_tick = was_in_tick;
}

int solo_cooperator_stop(struct solo_cooperator *cooperator)
{
    LADDER(solo_cooperator_stop, cooperator, SOLO__COOPERATOR);
    if (cooperator->stopped) {
        return SOLO_ECLOSING;
    }

    stop_all(cooperator);
    return 0;
}

int solo_cooperator_release(struct solo_cooperator *cooperator)
{
    if (cooperator == NULL) {
        return 0;
    }
    SOLO__END_LADDER(solo_cooperator_release, SOLO__COOPERATOR, cooperator, cooperator->reactor);
    if (!cooperator->held) {
        return SOLO_ECLOSED;
    }

    stop_all(cooperator);
    cooperator->held = false;
    release_cooperator_if_unused(cooperator);
    return 0;
}

int solo_cooperator_add(struct solo_cooperator *cooperator, solo_task_fn fn, void *arg, struct solo_task **ret_task)
{
    LADDER(solo_cooperator_add, cooperator, SOLO__COOPERATOR);
    if (fn == NULL || ret_task == NULL) {
        return -EINVAL;
    }
    if (cooperator->stopped || solo__reactor_is_over(cooperator->reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo_task *task =
        solo__object_make(cooperator->object.world, SOLO__TASK, sizeof *task, __builtin_return_address(0));
    if (task == NULL) {
        return -ENOMEM;
    }
    if (!cooperator->ticks && !cooperator->in_tick && set_tick(cooperator) < 0) {
        solo__object_end(task);
        return -ENOMEM;
    }
    task->cooperator = cooperator;
    task->reactor = cooperator->reactor;
    task->fn = fn;
    task->arg = arg;
    task->last = &task->waiters;
    task->status = RUNNING;
    task->held = true;
    task->all_next = cooperator->all;
    if (task->all_next != NULL) {
        task->all_next->all_previous = task;
    }
    cooperator->all = task;
    join(cooperator, task);
    *ret_task = task;
    return 0;
}

int solo_task_release(struct solo_task *task)
{
    if (task == NULL) {
        return 0;
    }
    SOLO__END_LADDER(solo_task_release, SOLO__TASK, task, task->reactor);
    if (!task->held) {
        return SOLO_ECLOSED;
    }

    task->held = false;
    release_task_if_unused(task);
    return 0;
}

/* Why a task that has ended cannot be changed any more. */
static int why_ended(const struct solo_task *task)
{
    return task->status == 0                 ? SOLO_EALREADYCALLED
           : task->status == SOLO_ECANCELLED ? SOLO_EALREADYCANCELLED
                                             : task->status;
}

int solo_task_pause(struct solo_task *task)
{
    LADDER(solo_task_pause, task, SOLO__TASK);
    if (task->status != RUNNING) {
        return why_ended(task);
    }

    task->pauses++;
    sort_in(task);
    return 0;
}

int solo_task_resume(struct solo_task *task)
{
    LADDER(solo_task_resume, task, SOLO__TASK);
    if (task->status != RUNNING) {
        return why_ended(task);
    }
    if (task->pauses == 0) {
        return -EINVAL;
    }

    task->pauses--;
    sort_in(task);
    return 0;
}

int solo_task_stop(struct solo_task *task)
{
    LADDER(solo_task_stop, task, SOLO__TASK);
    if (task->status != RUNNING) {
        return why_ended(task);
    }

    end_task(task, SOLO_ECANCELLED);
    return 0;
}

int solo_task_when_done(struct solo_task *task, struct solo_deferred **ret_deferred)
{
    LADDER(solo_task_when_done, task, SOLO__TASK);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }

    struct solo_world *world = task->object.world;
    struct waiter *waiter = world->memory->allocate(world, sizeof *waiter);
    if (waiter == NULL) {
        return -ENOMEM;
    }
    int error = solo__deferred_make(task->reactor, NULL, NULL, __builtin_frame_address(0), __builtin_return_address(0),
                                    &waiter->deferred);
    if (error < 0) {
        world->memory->release(world, waiter);
        return error;
    }
    *ret_deferred = waiter->deferred;
    solo__deferred_keep(waiter->deferred);
    waiter->next = NULL;
    if (task->status == RUNNING) {
        *task->last = waiter;
        task->last = &waiter->next;
    } else {
        world->memory->release(world, waiter);
        tell(task, *ret_deferred);
    }
    return 0;
}
