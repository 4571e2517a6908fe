/*
 * mutex.c - pthread_mutex_*: normal, recursive, error-checking and robust, with attempts and time limits.
 *
 * A mutex is free while it has no holder. Unlocking frees it and wakes one waiter, chosen, which then has to take it
 * like anybody else. A thread that locks a normal mutex twice waits for itself, as it would, and is found waiting.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include "sanitizer/annotate.h"
#include <limits.h>

/* Of the kind in the C library's mutex; the rest says what the simulation need not know. */
enum { TYPE_MASK = 3, ROBUST = 16 };

static bool some_are_robust;

struct interpose_object *interpose_mutex(const pthread_mutex_t *mutex)
{
    struct interpose_object *object = interpose_object(INTERPOSE_MUTEX, mutex);
    if (object->mutex.holder == NULL) { /* what its initialiser says, also if its memory was another mutex before */
        object->mutex.type = mutex->__data.__kind & TYPE_MASK;
        object->mutex.robust = (mutex->__data.__kind & ROBUST) != 0;
        some_are_robust = some_are_robust || object->mutex.robust;
    }
    return object;
}

static void set_holder(struct interpose_object *object, struct solo_thread *holder)
{
    object->mutex.holder = holder;
    object->why.holder = holder;
    object->mutex.depth = holder != NULL;
}

/* `patient`: it would have waited for ever. */
static int take(struct solo_world *world, struct interpose_object *object, bool patient)
{
    if (object->mutex.broken) {
        return ENOTRECOVERABLE;
    }
    set_holder(object, solo_model_self());
    SOLO_ANNOTATE_LOCK_ACQUIRED(object->address);
    interpose_announce(world, SOLO_PROBE_LOCKED, SOLO_ACCESS_WRITE, object->id, !patient);
    return object->mutex.left ? EOWNERDEAD : 0;
}

/* The caller holds it already. */
static int take_again(struct interpose_object *object)
{
    if (object->mutex.depth == UINT_MAX) {
        return EAGAIN;
    }
    object->mutex.depth++;
    return 0;
}

static int wait_until_free(struct solo_world *world, struct interpose_object *object, uint64_t deadline_ns)
{
    int result = 0;
    interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, SOLO_WAIT_MUTEX);
    while (object->mutex.holder != NULL && result == 0) {
        result = interpose_wait(world, object, deadline_ns);
    }
    result = object->mutex.holder != NULL ? result : 0;
    interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, (uint64_t)(int64_t)result);
    return -result;
}

int interpose_mutex_lock(struct solo_world *world, struct interpose_object *object, uint64_t deadline_ns)
{
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_LOCK, deadline_ns == SOLO_NEVER ? SOLO_ACCESS_WAIT : SOLO_ACCESS_WRITE,
                       object->id, 0);
    if (object->mutex.holder == solo_model_self() && object->mutex.type == PTHREAD_MUTEX_RECURSIVE) {
        return take_again(object);
    }
    if (object->mutex.holder == solo_model_self() && object->mutex.type == PTHREAD_MUTEX_ERRORCHECK) {
        return EDEADLK;
    }
    int result = object->mutex.holder != NULL ? wait_until_free(world, object, deadline_ns) : 0;
    return result == 0 ? take(world, object, deadline_ns == SOLO_NEVER) : result;
}

int interpose_mutex_lock_again(struct solo_world *world, struct interpose_object *object)
{
    int result = object->mutex.holder != NULL ? wait_until_free(world, object, SOLO_NEVER) : 0;
    return result == 0 ? take(world, object, true) : result;
}

int interpose_mutex_trylock(struct solo_world *world, struct interpose_object *object)
{
    interpose_announce(world, SOLO_PROBE_LOCK, SOLO_ACCESS_WRITE, object->id, 1);
    unsigned *in_vain = &interpose_self()->in_vain;
    if (object->mutex.holder == NULL) {
        interpose_busy();
        *in_vain -= *in_vain != 0;
        return take(world, object, false);
    }
    if (object->mutex.holder == solo_model_self() && object->mutex.type == PTHREAD_MUTEX_RECURSIVE) {
        return take_again(object);
    }
    *in_vain += 2;
    interpose_idle(world);
    return EBUSY;
}

/*
 * Threads that take one lock and try another, and let go of the first where that is held, may do so for ever if each is
 * interrupted where it holds one. Whoever has often tried in vain waits for a moment where it holds less: after an
 * unlock, and longer each time, until it gets what it wants.
 */
static void back_off(struct solo_world *world)
{
    enum { IN_VAIN_MAX = 32, DOUBLINGS_MAX = 10 };
    unsigned in_vain = interpose_self()->in_vain;
    if (in_vain >= IN_VAIN_MAX) {
        unsigned doublings = (in_vain - IN_VAIN_MAX) / 2;
        uint64_t pause_ns = UINT64_C(1000) << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
        interpose_sleep_until(world, world->clock->now_ns(world) + pause_ns);
    }
}

int interpose_mutex_release(struct solo_world *world, struct interpose_object *object)
{
    int result = interpose_mutex_unlock(world, object);
    if (result == 0) {
        back_off(world);
    }
    return result;
}

int interpose_mutex_unlock(struct solo_world *world, struct interpose_object *object)
{
    bool mine = object->mutex.holder == solo_model_self();
    bool checks = object->mutex.type == PTHREAD_MUTEX_RECURSIVE || object->mutex.type == PTHREAD_MUTEX_ERRORCHECK;
    if (object->mutex.holder == NULL || !mine) {
        if (checks) {
            return EPERM;
        }
        if (object->mutex.holder == NULL) {
            return 0; /* undefined; this is what the C library does */
        }
    }
    if (object->mutex.depth > 1) {
        object->mutex.depth--;
        return 0;
    }
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_UNLOCK, SOLO_ACCESS_WRITE, object->id, 0);
    SOLO_ANNOTATE_LOCK_RELEASED(object->address);
    set_holder(object, NULL);
    object->mutex.broken = object->mutex.left; /* nobody has called it consistent */
    interpose_wake(world, object, object->mutex.broken);
    return 0;
}

void interpose_mutexes_leave(struct solo_world *world)
{
    struct interpose_object *object = some_are_robust ? interpose_object_left(solo_model_self(), 0) : NULL;
    for (; object != NULL; object = interpose_object_left(solo_model_self(), object->id)) {
        SOLO_ANNOTATE_LOCK_RELEASED(object->address);
        set_holder(object, NULL);
        object->mutex.left = true;
        interpose_wake(world, object, false);
    }
}

INTERPOSED int pthread_mutex_consistent(pthread_mutex_t *mutex)
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(pthread_mutex_consistent)(mutex);
    }
    struct interpose_object *object = interpose_mutex(mutex);
    if (!object->mutex.robust || !object->mutex.left || object->mutex.holder != solo_model_self()) {
        return EINVAL;
    }
    object->mutex.left = false;
    return 0;
}

INTERPOSED int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    int result = NEXT(pthread_mutex_init)(mutex, attributes);
    if (result == 0 && WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_MUTEX, mutex);
    }
    return result;
}

INTERPOSED int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    if (WORLD_OF_CALLER() != NULL) {
        struct interpose_object *object = interpose_object_known(INTERPOSE_MUTEX, mutex);
        if (object != NULL && object->mutex.holder != NULL) {
            return EBUSY;
        }
        interpose_object_forget(INTERPOSE_MUTEX, mutex);
    }
    return NEXT(pthread_mutex_destroy)(mutex);
}

INTERPOSED int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_mutex_lock(world, interpose_mutex(mutex), SOLO_NEVER)
                         : NEXT(pthread_mutex_lock)(mutex);
}

INTERPOSED int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_mutex_trylock(world, interpose_mutex(mutex)) : NEXT(pthread_mutex_trylock)(mutex);
}

static int lock_until(struct solo_world *world, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at)
{
    uint64_t deadline_ns;
    return interpose_deadline(clock, at, &deadline_ns)
               ? interpose_mutex_lock(world, interpose_mutex(mutex), deadline_ns)
               : EINVAL;
}

INTERPOSED int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock_until(world, mutex, CLOCK_REALTIME, at) : NEXT(pthread_mutex_timedlock)(mutex, at);
}

INTERPOSED int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock_until(world, mutex, clock, at) : NEXT(pthread_mutex_clocklock)(mutex, clock, at);
}

INTERPOSED int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_mutex_release(world, interpose_mutex(mutex)) : NEXT(pthread_mutex_unlock)(mutex);
}

/* A spin lock is a mutex for which one waits in a hurry. */
INTERPOSED int pthread_spin_init(pthread_spinlock_t *spin, int shared)
{
    int result = NEXT(pthread_spin_init)(spin, shared);
    if (result == 0 && WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_MUTEX, (const void *)spin);
    }
    return result;
}

static struct interpose_object *spin_of(const pthread_spinlock_t *spin)
{
    return interpose_object(INTERPOSE_MUTEX, (const void *)spin);
}

INTERPOSED int pthread_spin_destroy(pthread_spinlock_t *spin)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_MUTEX, (const void *)spin);
    }
    return NEXT(pthread_spin_destroy)(spin);
}

INTERPOSED int pthread_spin_lock(pthread_spinlock_t *spin)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_mutex_lock(world, spin_of(spin), SOLO_NEVER) : NEXT(pthread_spin_lock)(spin);
}

INTERPOSED int pthread_spin_trylock(pthread_spinlock_t *spin)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_mutex_trylock(world, spin_of(spin)) : NEXT(pthread_spin_trylock)(spin);
}

INTERPOSED int pthread_spin_unlock(pthread_spinlock_t *spin)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_mutex_release(world, spin_of(spin)) : NEXT(pthread_spin_unlock)(spin);
}
