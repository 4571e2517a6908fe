/* mutex.c - the mutex of solo/thread.h. mutex.h has its invariant. */
#include "mutex.h"
#include "annotate.h"
#include "guard.h"
#include <solo/thread.h>

int solo_mutex_create(struct solo_mutex **ret_mutex)
{
    if (ret_mutex == NULL) {
        return -EINVAL;
    }

    struct solo_world *world = solo__self_get()->object.world;
    struct solo_mutex *mutex = solo__object_make(world, SOLO__MUTEX, sizeof *mutex, __builtin_return_address(0));
    if (mutex == NULL) {
        return -ENOMEM;
    }
    mutex->why = (struct solo_wait){SOLO_WAIT_MUTEX, mutex->object.id, NULL};
    SOLO_ANNOTATE_LOCK_CREATE(mutex);
    *ret_mutex = mutex;
    return 0;
}

int solo_mutex_destroy(struct solo_mutex *mutex)
{
    if (mutex == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_mutex_destroy, mutex, SOLO__MUTEX, SOLO006_USE_AFTER_END);

    struct solo_world *world = mutex->object.world;
    world->threads->enter(world, &mutex->lock);
    bool busy = mutex->holder != NULL || mutex->waiters > 0;
    world->threads->leave(world, &mutex->lock);
    if (busy) {
        return -EBUSY;
    }
    solo__announce(world, SOLO_PROBE_OBJECT_ENDED, SOLO_ACCESS_WRITE, mutex->object.id, 0);
    SOLO_ANNOTATE_LOCK_DESTROY(mutex);
    solo__object_end(mutex);
    return 0;
}

/* With the internal lock held. */
static void wait_for_it(struct solo_mutex *mutex, struct solo_world *world)
{
    mutex->waiters++;
    while (mutex->holder != NULL) {
        (void)world->threads->wait(world, &mutex->gate, &mutex->lock, &mutex->why, SOLO_NEVER);
    }
    mutex->waiters--;
}

static void set_holder(struct solo_mutex *mutex, struct solo_thread *holder)
{
    mutex->holder = holder;
    mutex->why.holder = holder;
}

/* Takes it if it is free or `wait`. 1: it is somebody else's. */
static int try_to_take(struct solo_mutex *mutex, struct solo_thread *self, bool wait)
{
    struct solo_world *world = mutex->object.world;
    int result = 0;
    world->threads->enter(world, &mutex->lock);
    if (mutex->holder == self) {
        result = -EDEADLK;
    } else if (mutex->holder != NULL && !wait) {
        result = 1;
    } else {
        wait_for_it(mutex, world);
        set_holder(mutex, self);
    }
    world->threads->leave(world, &mutex->lock);
    return result;
}

int solo__mutex_take(struct solo_mutex *mutex)
{
    struct solo_world *world = mutex->object.world;
    struct solo_thread *self = solo__self_get();
    uint32_t id = mutex->object.id;
    int result = try_to_take(mutex, self, false);
    if (result == 1) {
        solo__announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, id, SOLO_WAIT_MUTEX);
        result = try_to_take(mutex, self, true);
        solo__announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, id, 0);
    }
    if (result == 0) {
        SOLO_ANNOTATE_LOCK_ACQUIRED(mutex);
        solo__announce(world, SOLO_PROBE_LOCKED, SOLO_ACCESS_WRITE, id, 0);
    }
    return result;
}

static bool is_held_by(struct solo_mutex *mutex, const struct solo_thread *self)
{
    struct solo_world *world = mutex->object.world;
    world->threads->enter(world, &mutex->lock);
    bool held = mutex->holder == self;
    world->threads->leave(world, &mutex->lock);
    return held;
}

int solo__mutex_give(struct solo_mutex *mutex)
{
    struct solo_world *world = mutex->object.world;
    if (!is_held_by(mutex, solo__self_get())) {
        return -EPERM;
    }
    solo__announce(world, SOLO_PROBE_UNLOCK, SOLO_ACCESS_WRITE, mutex->object.id, 0);
    SOLO_ANNOTATE_LOCK_RELEASED(mutex);
    world->threads->enter(world, &mutex->lock);
    set_holder(mutex, NULL);
    world->threads->wake(world, &mutex->gate, false);
    world->threads->leave(world, &mutex->lock);
    return 0;
}

int solo_mutex_lock(struct solo_mutex *mutex)
{
    SOLO__LIVE_OBJECT(solo_mutex_lock, mutex, SOLO__MUTEX, SOLO006_USE_AFTER_END);

    solo__announce(mutex->object.world, SOLO_PROBE_LOCK, SOLO_ACCESS_WAIT, mutex->object.id, 0);
    return solo__mutex_take(mutex);
}

int solo_mutex_unlock(struct solo_mutex *mutex)
{
    SOLO__LIVE_OBJECT(solo_mutex_unlock, mutex, SOLO__MUTEX, SOLO006_USE_AFTER_END);

    return solo__mutex_give(mutex);
}
