/*
 * condition.c - pthread_cond_*.
 *
 * Letting go of the mutex and beginning to wait are one step, as they must be: nothing is announced in between that is
 * a scheduling point. A signal wakes one waiter, chosen; one that nobody waits for is forgotten, and a thread that
 * waits for it then is found waiting for ever.
 */
#define _GNU_SOURCE
#include "interpose.h"

static struct interpose_object *condition_of(const void *condition)
{
    struct interpose_object *object = interpose_object(INTERPOSE_CONDITION, condition);
    if (object->fresh) { /* of a static initialiser */
        object->fresh = false;
        object->condition.clock = CLOCK_REALTIME;
    }
    return object;
}

static int wait_for_signal(struct solo_world *world, struct interpose_object *object, uint64_t deadline_ns)
{
    uint64_t signals = object->condition.signals;
    int result = interpose_wait(world, object, deadline_ns);
    return object->condition.signals != signals ? 0 : result; /* it came in time after all */
}

int interpose_condition_wait(struct solo_world *world, const void *condition, const pthread_mutex_t *mutex,
                             uint64_t deadline_ns)
{
    struct interpose_object *object = condition_of(condition);
    struct interpose_object *lock = interpose_mutex(mutex);
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, object->id, 0);
    int result = interpose_mutex_unlock(world, lock);
    if (result != 0) {
        return result;
    }
    interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, SOLO_WAIT_CONDITION);
    result = wait_for_signal(world, object, deadline_ns);
    interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, (uint64_t)(int64_t)result);
    int locked = interpose_mutex_lock_again(world, lock);
    interpose_announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, object->id, (uint64_t)(int64_t)result);
    return locked != 0 ? locked : -result;
}

int interpose_condition_wake(struct solo_world *world, const void *condition, bool all)
{
    struct interpose_object *object = condition_of(condition);
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, object->id, all ? 2 : 1);
    object->condition.signals++;
    interpose_wake(world, object, all);
    return 0;
}

INTERPOSED int pthread_cond_init(pthread_cond_t *restrict condition, const pthread_condattr_t *restrict attributes)
{
    int result = NEXT(pthread_cond_init)(condition, attributes);
    if (result == 0 && WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_CONDITION, condition);
        struct interpose_object *object = condition_of(condition);
        if (attributes != NULL) {
            (void)pthread_condattr_getclock(attributes, &object->condition.clock);
        }
    }
    return result;
}

INTERPOSED int pthread_cond_destroy(pthread_cond_t *condition)
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(pthread_cond_destroy)(condition);
    }
    interpose_object_forget(INTERPOSE_CONDITION, condition);
    return 0; /* the real one was never used */
}

INTERPOSED int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_condition_wait(world, condition, mutex, SOLO_NEVER)
                         : NEXT(pthread_cond_wait)(condition, mutex);
}

static int wait_on_clock(struct solo_world *world, pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                         const struct timespec *at)
{
    uint64_t deadline_ns;
    return interpose_deadline(clock, at, &deadline_ns) ? interpose_condition_wait(world, condition, mutex, deadline_ns)
                                                       : EINVAL;
}

INTERPOSED int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                      const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? wait_on_clock(world, condition, mutex, condition_of(condition)->condition.clock, at)
                         : NEXT(pthread_cond_timedwait)(condition, mutex, at);
}

INTERPOSED int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                      clockid_t clock, const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? wait_on_clock(world, condition, mutex, clock, at)
                         : NEXT(pthread_cond_clockwait)(condition, mutex, clock, at);
}

INTERPOSED int pthread_cond_signal(pthread_cond_t *condition)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_condition_wake(world, condition, false) : NEXT(pthread_cond_signal)(condition);
}

INTERPOSED int pthread_cond_broadcast(pthread_cond_t *condition)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_condition_wake(world, condition, true) : NEXT(pthread_cond_broadcast)(condition);
}
