/* semaphore.c - sem_*. The first use of a semaphore that was set before any schedule began takes its value from it. */
#define _GNU_SOURCE
#include "interpose.h"
#include "sanitizer/annotate.h"
#include <limits.h>
#include <semaphore.h>

static struct interpose_object *semaphore_of(sem_t *semaphore)
{
    struct interpose_object *object = interpose_object(INTERPOSE_SEMAPHORE, semaphore);
    if (object->fresh) {
        int value = 0;
        (void)NEXT(sem_getvalue)(semaphore, &value);
        object->fresh = false;
        object->semaphore.value = value > 0 ? (unsigned)value : 0;
    }
    return object;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* deadline_ns 0: do not wait. 0, or a positive error. */
static int take(struct solo_world *world, sem_t *semaphore, uint64_t deadline_ns)
{
    struct interpose_object *object = semaphore_of(semaphore);
    int result = 0;
    interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, object->id, 0);
    if (object->semaphore.value == 0 && deadline_ns != 0) {
        interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, SOLO_WAIT_SEMAPHORE);
        while (object->semaphore.value == 0 && result == 0) {
            result = interpose_wait(world, object, deadline_ns);
        }
        result = object->semaphore.value != 0 ? 0 : result;
        interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, (uint64_t)(int64_t)result);
    }
    if (object->semaphore.value == 0) {
        if (deadline_ns == 0) {
            interpose_idle(world);
        }
        return deadline_ns == 0 ? EAGAIN : -result;
    }
    interpose_busy();
    object->semaphore.value--;
    SOLO_ANNOTATE_HAPPENS_AFTER(semaphore);
    interpose_announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, object->id, 0);
    return 0;
}

static int wait_until(struct solo_world *world, sem_t *semaphore, clockid_t clock, const struct timespec *at)
{
    uint64_t deadline_ns;
    if (!interpose_deadline(clock, at, &deadline_ns)) {
        return fail(EINVAL);
    }
    int error = take(world, semaphore, deadline_ns != 0 ? deadline_ns : 1);
    return error == 0 ? 0 : fail(error);
}

INTERPOSED int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    int result = NEXT(sem_init)(semaphore, shared, value);
    if (result == 0 && WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_SEMAPHORE, semaphore);
    }
    return result;
}

INTERPOSED int sem_destroy(sem_t *semaphore)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_SEMAPHORE, semaphore);
    }
    return NEXT(sem_destroy)(semaphore);
}

INTERPOSED int sem_wait(sem_t *semaphore)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(sem_wait)(semaphore);
    }
    (void)take(world, semaphore, SOLO_NEVER);
    return 0;
}

INTERPOSED int sem_trywait(sem_t *semaphore)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(sem_trywait)(semaphore);
    }
    int error = take(world, semaphore, 0);
    return error == 0 ? 0 : fail(error);
}

INTERPOSED int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? wait_until(world, semaphore, CLOCK_REALTIME, at) : NEXT(sem_timedwait)(semaphore, at);
}

INTERPOSED int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? wait_until(world, semaphore, clock, at) : NEXT(sem_clockwait)(semaphore, clock, at);
}

INTERPOSED int sem_post(sem_t *semaphore)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(sem_post)(semaphore);
    }
    struct interpose_object *object = semaphore_of(semaphore);
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, object->id, 1);
    if (object->semaphore.value == SEM_VALUE_MAX) {
        return fail(EOVERFLOW);
    }
    SOLO_ANNOTATE_HAPPENS_BEFORE(semaphore);
    object->semaphore.value++;
    interpose_wake(world, object, false);
    return 0;
}

INTERPOSED int sem_getvalue(sem_t *restrict semaphore, int *restrict ret_value)
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(sem_getvalue)(semaphore, ret_value);
    }
    *ret_value = (int)semaphore_of(semaphore)->semaphore.value;
    return 0;
}
