/*
 * semaphore.c - the counting semaphore of solo/thread.h. What is done before a post happens before what follows the
 * wait that takes it.
 */
#include "annotate.h"
#include "guard.h"
#include <limits.h>
#include <solo/thread.h>

struct solo_semaphore {
    struct solo__object object;
    struct solo_lock lock; /* a leaf; guards the rest */
    struct solo_gate gate;
    unsigned count;
    uint32_t waiters;
};

int solo_semaphore_create(unsigned count, struct solo_semaphore **ret_semaphore)
{
    if (ret_semaphore == NULL) {
        return -EINVAL;
    }

    struct solo_world *world = solo__self_get()->object.world;
    struct solo_semaphore *semaphore =
        solo__object_make(world, SOLO__SEMAPHORE, sizeof *semaphore, __builtin_return_address(0));
    if (semaphore == NULL) {
        return -ENOMEM;
    }
    semaphore->count = count;
    *ret_semaphore = semaphore;
    return 0;
}

int solo_semaphore_destroy(struct solo_semaphore *semaphore)
{
    if (semaphore == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_semaphore_destroy, semaphore, SOLO__SEMAPHORE, SOLO006_USE_AFTER_END);

    struct solo_world *world = semaphore->object.world;
    world->threads->enter(world, &semaphore->lock);
    bool busy = semaphore->waiters > 0;
    world->threads->leave(world, &semaphore->lock);
    if (busy) {
        return -EBUSY;
    }
    solo__announce(world, SOLO_PROBE_OBJECT_ENDED, SOLO_ACCESS_WRITE, semaphore->object.id, 0);
    SOLO_ANNOTATE_LOCK_DESTROY(semaphore);
    solo__object_end(semaphore);
    return 0;
}

/* Takes one if there is one or comes before deadline_ns (0: at once). */
static bool take(struct solo_semaphore *semaphore, struct solo_world *world, uint64_t deadline_ns)
{
    const struct solo_wait why = {SOLO_WAIT_SEMAPHORE, semaphore->object.id, NULL};
    int result = deadline_ns == 0 ? -ETIMEDOUT : 0;
    world->threads->enter(world, &semaphore->lock);
    semaphore->waiters++;
    while (semaphore->count == 0 && result == 0) {
        result = world->threads->wait(world, &semaphore->gate, &semaphore->lock, &why, deadline_ns);
    }
    semaphore->waiters--;
    bool taken = semaphore->count > 0;
    semaphore->count -= taken;
    world->threads->leave(world, &semaphore->lock);
    return taken;
}

int solo_semaphore_wait(struct solo_semaphore *semaphore, uint64_t timeout_ns)
{
    SOLO__LIVE_OBJECT(solo_semaphore_wait, semaphore, SOLO__SEMAPHORE, SOLO006_USE_AFTER_END);

    struct solo_world *world = semaphore->object.world;
    uint32_t id = semaphore->object.id;
    uint64_t now_ns = timeout_ns == SOLO_NEVER ? 0 : world->clock->now_ns(world);
    uint64_t deadline_ns = timeout_ns < SOLO_NEVER - now_ns ? now_ns + timeout_ns : SOLO_NEVER;
    solo__announce(world, SOLO_PROBE_WAIT, timeout_ns == SOLO_NEVER ? SOLO_ACCESS_WAIT : SOLO_ACCESS_WRITE, id, 0);
    bool taken = take(semaphore, world, 0);
    if (!taken && timeout_ns != 0) {
        solo__announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, id, SOLO_WAIT_SEMAPHORE);
        taken = take(semaphore, world, deadline_ns);
        solo__announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, id, taken ? 0 : (uint64_t)(int64_t)-ETIMEDOUT);
    }
    if (taken) {
        SOLO_ANNOTATE_HAPPENS_AFTER(semaphore);
    }
    solo__announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, id, taken ? 0 : (uint64_t)(int64_t)-ETIMEDOUT);
    return taken ? 0 : -ETIMEDOUT;
}

int solo_semaphore_post(struct solo_semaphore *semaphore)
{
    SOLO__LIVE_OBJECT(solo_semaphore_post, semaphore, SOLO__SEMAPHORE, SOLO006_USE_AFTER_END);

    struct solo_world *world = semaphore->object.world;
    solo__announce(world, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, semaphore->object.id, 1);
    SOLO_ANNOTATE_HAPPENS_BEFORE(semaphore);
    world->threads->enter(world, &semaphore->lock);
    bool full = semaphore->count == UINT_MAX;
    semaphore->count += !full;
    world->threads->wake(world, &semaphore->gate, false);
    world->threads->leave(world, &semaphore->lock);
    return full ? SOLO_ELIMIT : 0;
}
