/*
 * rwlock.c - pthread_rwlock_*: one writer or any number of readers.
 *
 * Whoever is woken tries again, so both orders of a waiting reader and a waiting writer are reached. A reader that
 * already holds it may read again. With a lock that prefers writers (an attribute of the C library's) new readers wait
 * behind a waiting writer.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include "sanitizer/annotate.h"

static struct interpose_object *rwlock_of(const pthread_rwlock_t *rwlock)
{
    return interpose_object(INTERPOSE_RWLOCK, rwlock);
}

static bool prefers_writers(const struct interpose_object *object)
{
    const pthread_rwlock_t *rwlock = object->address;
    return rwlock->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

static bool is_free(const struct interpose_object *object, bool to_write)
{
    if (to_write) {
        return object->rwlock.writer == NULL && object->rwlock.readers == 0;
    }
    return object->rwlock.writer == NULL && (object->rwlock.writers_waiting == 0 || !prefers_writers(object));
}

/* One of the readers changes: `from` is not `to` any more, NULL being nobody. */
static void change_reader(struct interpose_object *object, struct solo_thread *from, struct solo_thread *to)
{
    struct solo_thread **reading = object->rwlock.reading;
    unsigned at = 0;
    while (at < INTERPOSE_READERS && reading[at] != from) {
        at++;
    }
    if (at < INTERPOSE_READERS) {
        reading[at] = to;
    }
    for (at = 0; at + 1 < INTERPOSE_READERS && reading[at] == NULL;) {
        at++;
    }
    object->why.holder = reading[at]; /* one of them, for whoever is told who holds it */
}

static void take(struct solo_world *world, struct interpose_object *object, bool to_write, bool patient)
{
    if (to_write) {
        object->rwlock.writer = object->why.holder = solo_model_self();
    } else {
        object->rwlock.readers++;
        change_reader(object, NULL, solo_model_self());
    }
    SOLO_ANNOTATE_LOCK_ACQUIRED(object->address);
    interpose_announce(world, SOLO_PROBE_LOCKED, to_write ? SOLO_ACCESS_WRITE : SOLO_ACCESS_READ, object->id, !patient);
}

static int wait_until_free(struct solo_world *world, struct interpose_object *object, bool to_write,
                           uint64_t deadline_ns)
{
    int result = 0;
    interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, SOLO_WAIT_MUTEX);
    object->rwlock.writers_waiting += to_write;
    while (!is_free(object, to_write) && result == 0) {
        result = interpose_wait(world, object, deadline_ns);
    }
    object->rwlock.writers_waiting -= to_write;
    result = is_free(object, to_write) ? 0 : result;
    if (result != 0 && to_write && object->rwlock.writers_waiting == 0) {
        interpose_wake(world, object, true); /* it gives up: readers that waited behind it may go on */
    }
    interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, (uint64_t)(int64_t)result);
    return -result;
}

/* deadline_ns 0: do not wait, EBUSY. */
static int lock(struct solo_world *world, pthread_rwlock_t *rwlock, bool to_write, uint64_t deadline_ns)
{
    struct interpose_object *object = rwlock_of(rwlock);
    interpose_announce(world, SOLO_PROBE_LOCK, to_write ? SOLO_ACCESS_WRITE : SOLO_ACCESS_READ, object->id,
                       deadline_ns == 0);
    if (object->rwlock.writer == solo_model_self() && deadline_ns != 0) {
        return EDEADLK;
    }
    if (!is_free(object, to_write) && deadline_ns == 0) {
        interpose_idle(world);
        return EBUSY;
    }
    interpose_busy();
    int result = is_free(object, to_write) ? 0 : wait_until_free(world, object, to_write, deadline_ns);
    if (result == 0) {
        take(world, object, to_write, deadline_ns == SOLO_NEVER);
    }
    return result;
}

static int lock_until(struct solo_world *world, pthread_rwlock_t *rwlock, bool to_write, clockid_t clock,
                      const struct timespec *at)
{
    uint64_t deadline_ns;
    if (!interpose_deadline(clock, at, &deadline_ns)) {
        return EINVAL;
    }
    return lock(world, rwlock, to_write, deadline_ns != 0 ? deadline_ns : 1);
}

static int unlock(struct solo_world *world, pthread_rwlock_t *rwlock)
{
    struct interpose_object *object = rwlock_of(rwlock);
    bool writes = object->rwlock.writer != NULL;
    if (!writes && object->rwlock.readers == 0) {
        return 0; /* undefined; this is what the C library does */
    }
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_UNLOCK, writes ? SOLO_ACCESS_WRITE : SOLO_ACCESS_READ, object->id, 0);
    SOLO_ANNOTATE_LOCK_RELEASED(object->address);
    if (writes) {
        object->rwlock.writer = object->why.holder = NULL;
    } else {
        object->rwlock.readers--;
        change_reader(object, solo_model_self(), NULL);
    }
    if (object->rwlock.readers == 0) {
        interpose_wake(world, object, true);
    }
    return 0;
}

INTERPOSED int pthread_rwlock_init(pthread_rwlock_t *restrict rwlock, const pthread_rwlockattr_t *restrict attributes)
{
    int result = NEXT(pthread_rwlock_init)(rwlock, attributes);
    if (result == 0 && WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_RWLOCK, rwlock);
    }
    return result;
}

INTERPOSED int pthread_rwlock_destroy(pthread_rwlock_t *rwlock)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_RWLOCK, rwlock);
    }
    return NEXT(pthread_rwlock_destroy)(rwlock);
}

INTERPOSED int pthread_rwlock_rdlock(pthread_rwlock_t *rwlock)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock(world, rwlock, false, SOLO_NEVER) : NEXT(pthread_rwlock_rdlock)(rwlock);
}

INTERPOSED int pthread_rwlock_wrlock(pthread_rwlock_t *rwlock)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock(world, rwlock, true, SOLO_NEVER) : NEXT(pthread_rwlock_wrlock)(rwlock);
}

INTERPOSED int pthread_rwlock_tryrdlock(pthread_rwlock_t *rwlock)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock(world, rwlock, false, 0) : NEXT(pthread_rwlock_tryrdlock)(rwlock);
}

INTERPOSED int pthread_rwlock_trywrlock(pthread_rwlock_t *rwlock)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock(world, rwlock, true, 0) : NEXT(pthread_rwlock_trywrlock)(rwlock);
}

INTERPOSED int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict rwlock, const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock_until(world, rwlock, false, CLOCK_REALTIME, at)
                         : NEXT(pthread_rwlock_timedrdlock)(rwlock, at);
}

INTERPOSED int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict rwlock, const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock_until(world, rwlock, true, CLOCK_REALTIME, at)
                         : NEXT(pthread_rwlock_timedwrlock)(rwlock, at);
}

INTERPOSED int pthread_rwlock_clockrdlock(pthread_rwlock_t *restrict rwlock, clockid_t clock,
                                          const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock_until(world, rwlock, false, clock, at)
                         : NEXT(pthread_rwlock_clockrdlock)(rwlock, clock, at);
}

INTERPOSED int pthread_rwlock_clockwrlock(pthread_rwlock_t *restrict rwlock, clockid_t clock,
                                          const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? lock_until(world, rwlock, true, clock, at)
                         : NEXT(pthread_rwlock_clockwrlock)(rwlock, clock, at);
}

INTERPOSED int pthread_rwlock_unlock(pthread_rwlock_t *rwlock)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? unlock(world, rwlock) : NEXT(pthread_rwlock_unlock)(rwlock);
}
