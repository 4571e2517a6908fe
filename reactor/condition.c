/*
 * condition.c - the condition of solo/thread.h.
 *
 * A waiter notes how many signals there have been, lets go of the mutex, and waits unless the number has changed by
 * then: so a signal between the two steps is not lost. It may then end a wait that another waiter was woken for as
 * well, which is a return without a signal and allowed. A condition orders nothing by itself; its mutex does.
 */
#include "guard.h"
#include "mutex.h"
#include <solo/thread.h>

struct solo_condition {
    struct solo__object object;
    struct solo_lock lock; /* a leaf; guards the rest */
    struct solo_gate gate;
    uint64_t signals;
    uint32_t waiters;
};

int solo_condition_create(struct solo_condition **ret_condition)
{
    if (ret_condition == NULL) {
        return -EINVAL;
    }

    struct solo_world *world = solo__self_get()->object.world;
    struct solo_condition *condition =
        solo__object_make(world, SOLO__CONDITION, sizeof *condition, __builtin_return_address(0));
    if (condition == NULL) {
        return -ENOMEM;
    }
    *ret_condition = condition;
    return 0;
}

int solo_condition_destroy(struct solo_condition *condition)
{
    if (condition == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_condition_destroy, condition, SOLO__CONDITION, SOLO006_USE_AFTER_END);

    struct solo_world *world = condition->object.world;
    world->threads->enter(world, &condition->lock);
    bool busy = condition->waiters > 0;
    world->threads->leave(world, &condition->lock);
    if (busy) {
        return -EBUSY;
    }
    solo__announce(world, SOLO_PROBE_OBJECT_ENDED, SOLO_ACCESS_WRITE, condition->object.id, 0);
    solo__object_end(condition);
    return 0;
}

static uint64_t begin_to_wait(struct solo_condition *condition, struct solo_world *world)
{
    world->threads->enter(world, &condition->lock);
    uint64_t signals = condition->signals;
    condition->waiters++;
    world->threads->leave(world, &condition->lock);
    return signals;
}

static int wait_for_signal(struct solo_condition *condition, struct solo_world *world, uint64_t signals,
                           uint64_t deadline_ns)
{
    const struct solo_wait why = {SOLO_WAIT_CONDITION, condition->object.id, NULL};
    int result = 0;
    world->threads->enter(world, &condition->lock);
    if (condition->signals == signals) {
        result = world->threads->wait(world, &condition->gate, &condition->lock, &why, deadline_ns);
    }
    if (condition->signals != signals) {
        result = 0; /* the signal came in time after all */
    }
    condition->waiters--;
    world->threads->leave(world, &condition->lock);
    return result;
}

int solo_condition_wait(struct solo_condition *condition, struct solo_mutex *mutex, uint64_t timeout_ns)
{
    SOLO__LIVE_OBJECT(solo_condition_wait, condition, SOLO__CONDITION, SOLO006_USE_AFTER_END);
    SOLO__LIVE_OBJECT(solo_condition_wait, mutex, SOLO__MUTEX, SOLO006_USE_AFTER_END);

    struct solo_world *world = condition->object.world;
    uint32_t id = condition->object.id;
    uint64_t now_ns = timeout_ns == SOLO_NEVER ? 0 : world->clock->now_ns(world);
    uint64_t deadline_ns = timeout_ns < SOLO_NEVER - now_ns ? now_ns + timeout_ns : SOLO_NEVER;
    solo__announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, id, 0);
    uint64_t signals = begin_to_wait(condition, world);
    int result = solo__mutex_give(mutex);
    if (result < 0) {
        world->threads->enter(world, &condition->lock);
        condition->waiters--;
        world->threads->leave(world, &condition->lock);
        return result;
    }
    solo__announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, id, SOLO_WAIT_CONDITION);
    result = wait_for_signal(condition, world, signals, deadline_ns);
    solo__announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, id, (uint64_t)(int64_t)result);
    (void)solo__mutex_take(mutex);
    solo__announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, id, (uint64_t)(int64_t)result);
    return result;
}

static void wake(struct solo_condition *condition, bool everybody)
{
    struct solo_world *world = condition->object.world;
    solo__announce(world, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, condition->object.id, everybody ? 2 : 1);
    world->threads->enter(world, &condition->lock);
    condition->signals++;
    world->threads->wake(world, &condition->gate, everybody);
    world->threads->leave(world, &condition->lock);
}

int solo_condition_signal(struct solo_condition *condition)
{
    SOLO__LIVE_OBJECT(solo_condition_signal, condition, SOLO__CONDITION, SOLO006_USE_AFTER_END);

    wake(condition, false);
    return 0;
}

int solo_condition_broadcast(struct solo_condition *condition)
{
    SOLO__LIVE_OBJECT(solo_condition_broadcast, condition, SOLO__CONDITION, SOLO006_USE_AFTER_END);

    wake(condition, true);
    return 0;
}
