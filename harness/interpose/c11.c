/* c11.c - threads.h: the same things under the names and results of C11. The C library has the same objects beneath. */
#define _GNU_SOURCE
#include "interpose.h"
#include <threads.h>

/* Its functions of pthread.h are those of this library. */
static int as_result(int error)
{
    switch (error) {
    case 0: return thrd_success;
    case EBUSY: return thrd_busy;
    case ETIMEDOUT: return thrd_timedout;
    case ENOMEM: return thrd_nomem;
    default: return thrd_error;
    }
}

INTERPOSED int thrd_create(thrd_t *handle, thrd_start_t start, void *arg)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(thrd_create)(handle, start, arg);
    }
    if (interpose_has_detector()) {
        interpose_refuse("thrd_create",
                         "ThreadSanitizer does not know threads that begin this way; pthread_create does");
    }
    struct interpose_thread *thread = interpose_allocate(sizeof *thread);
    thread->start_c11 = start;
    thread->arg = arg;
    int result = interpose_thread_create(world, thread);
    if (result == 0) {
        *handle = thread->handle;
    }
    return result == EAGAIN ? thrd_nomem : as_result(result);
}

INTERPOSED int thrd_join(thrd_t handle, int *ret_result)
{
    void *result = NULL;
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(thrd_join)(handle, ret_result);
    }
    int error = interpose_thread_join(handle, &result);
    if (error == 0 && ret_result != NULL) {
        *ret_result = (int)(intptr_t)result;
    }
    return as_result(error);
}

INTERPOSED int thrd_detach(thrd_t handle)
{
    return WORLD_OF_CALLER() != NULL ? as_result(interpose_thread_detach(handle)) : NEXT(thrd_detach)(handle);
}

INTERPOSED void thrd_yield(void)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL) {
        interpose_idle(world);
    } else {
        NEXT(thrd_yield)();
    }
}

INTERPOSED int thrd_sleep(const struct timespec *duration, struct timespec *left)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_nanosleep(world, duration) == 0 ? 0 : -2 : NEXT(thrd_sleep)(duration, left);
}

INTERPOSED void thrd_exit(int result)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_thread_exit((void *)(intptr_t)result);
    }
    NEXT(thrd_exit)(result);
    __builtin_unreachable();
}

INTERPOSED int mtx_init(mtx_t *mutex, int type)
{
    int result = NEXT(mtx_init)(mutex, type);
    if (result == thrd_success && WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_MUTEX, mutex);
    }
    return result;
}

INTERPOSED void mtx_destroy(mtx_t *mutex)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_MUTEX, mutex);
    } else {
        NEXT(mtx_destroy)(mutex);
    }
}

static struct interpose_object *mutex_of(mtx_t *mutex)
{
    return interpose_mutex((pthread_mutex_t *)mutex);
}

INTERPOSED int mtx_lock(mtx_t *mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? as_result(interpose_mutex_lock(world, mutex_of(mutex), SOLO_NEVER)) : NEXT(mtx_lock)(mutex);
}

INTERPOSED int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    uint64_t deadline_ns;
    if (world == NULL) {
        return NEXT(mtx_timedlock)(mutex, at);
    }
    return interpose_deadline(CLOCK_REALTIME, at, &deadline_ns)
               ? as_result(interpose_mutex_lock(world, mutex_of(mutex), deadline_ns))
               : thrd_error;
}

INTERPOSED int mtx_trylock(mtx_t *mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? as_result(interpose_mutex_trylock(world, mutex_of(mutex))) : NEXT(mtx_trylock)(mutex);
}

INTERPOSED int mtx_unlock(mtx_t *mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? as_result(interpose_mutex_release(world, mutex_of(mutex))) : NEXT(mtx_unlock)(mutex);
}

INTERPOSED int cnd_init(cnd_t *condition)
{
    int result = NEXT(cnd_init)(condition);
    if (result == thrd_success && WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_CONDITION, condition);
    }
    return result;
}

INTERPOSED void cnd_destroy(cnd_t *condition)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_CONDITION, condition);
    } else {
        NEXT(cnd_destroy)(condition);
    }
}

INTERPOSED int cnd_signal(cnd_t *condition)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_condition_wake(world, condition, false) : NEXT(cnd_signal)(condition);
}

INTERPOSED int cnd_broadcast(cnd_t *condition)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_condition_wake(world, condition, true) : NEXT(cnd_broadcast)(condition);
}

INTERPOSED int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? as_result(interpose_condition_wait(world, condition, (pthread_mutex_t *)mutex, SOLO_NEVER))
                         : NEXT(cnd_wait)(condition, mutex);
}

INTERPOSED int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    uint64_t deadline_ns;
    if (world == NULL) {
        return NEXT(cnd_timedwait)(condition, mutex, at);
    }
    return interpose_deadline(CLOCK_REALTIME, at, &deadline_ns)
               ? as_result(interpose_condition_wait(world, condition, (pthread_mutex_t *)mutex, deadline_ns))
               : thrd_error;
}

INTERPOSED int tss_create(tss_t *ret_key, tss_dtor_t destructor)
{
    return as_result(interpose_key_create(ret_key, destructor));
}

INTERPOSED void tss_delete(tss_t key)
{
    interpose_key_delete(key);
}

INTERPOSED int tss_set(tss_t key, void *value)
{
    return as_result(interpose_key_set(key, value));
}

INTERPOSED void *tss_get(tss_t key)
{
    return interpose_key_get(key);
}
