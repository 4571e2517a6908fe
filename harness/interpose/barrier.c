/* barrier.c - pthread_barrier_*: whoever comes last lets all of them go on. */
#define _GNU_SOURCE
#include "interpose.h"
#include "sanitizer/annotate.h"

INTERPOSED int pthread_barrier_init(pthread_barrier_t *restrict barrier,
                                    const pthread_barrierattr_t *restrict attributes, unsigned count)
{
    int result = NEXT(pthread_barrier_init)(barrier, attributes, count);
    if (result == 0 && !interpose_is_kit(__builtin_return_address(0)) && solo_model_world() != NULL) {
        interpose_object_forget(INTERPOSE_BARRIER, barrier);
        interpose_object(INTERPOSE_BARRIER, barrier)->barrier.count = count;
    }
    return result;
}

INTERPOSED int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_object_forget(INTERPOSE_BARRIER, barrier);
    }
    return NEXT(pthread_barrier_destroy)(barrier);
}

static void open_it(struct solo_world *world, struct interpose_object *object)
{
    object->barrier.arrived = 0;
    object->barrier.generation++;
    interpose_announce(world, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, object->id, 2);
    interpose_wake(world, object, true);
}

static void wait_for_others(struct solo_world *world, struct interpose_object *object)
{
    uint64_t generation = object->barrier.generation;
    interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, SOLO_WAIT_BARRIER);
    while (object->barrier.generation == generation) {
        (void)interpose_wait(world, object, SOLO_NEVER);
    }
    interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, 0);
}

INTERPOSED int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(pthread_barrier_wait)(barrier);
    }
    struct interpose_object *object = interpose_object(INTERPOSE_BARRIER, barrier);
    if (object->barrier.count == 0) {
        return EINVAL; /* it was never set up in this schedule */
    }
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, object->id, 0);
    SOLO_ANNOTATE_HAPPENS_BEFORE(barrier);
    bool last = ++object->barrier.arrived == object->barrier.count;
    if (last) {
        open_it(world, object);
    } else {
        wait_for_others(world, object);
    }
    SOLO_ANNOTATE_HAPPENS_AFTER(barrier);
    interpose_announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, object->id, 0);
    return last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}
