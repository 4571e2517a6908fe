/*
 * once.c - pthread_once and call_once: the first caller initialises, the others wait.
 *
 * The program's flag is set as the C library would set it, because headers of C++ look at it. An initialiser that ends
 * by an exception leaves it to the next caller.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include "sanitizer/annotate.h"
#include <threads.h>

enum { FLAG_DONE = 2 }; /* in the C library's flag */

/* ThreadSanitizer is told what an initialiser did before everybody else's next step. */
static void tell_detector(const char *function, int *flag)
{
    if (interpose_has_detector()) {
        ((void (*)(void *))interpose_detectors(function))(flag);
    }
}

struct attempt {
    struct solo_world *world;
    struct interpose_object *object;
};

/* Runs when the initialiser has returned, and also when it is left by an exception or by pthread_exit. */
static void end_attempt(struct attempt *attempt)
{
    struct interpose_object *object = attempt->object;
    object->once.runner = object->why.holder = NULL;
    if (solo_model_world() != NULL) {
        interpose_wake(attempt->world, object, true);
    }
}

static void initialise(struct solo_world *world, struct interpose_object *object, int *flag, void (*fn)(void))
{
    object->once.runner = object->why.holder = solo_model_self();
    struct attempt attempt __attribute__((cleanup(end_attempt), unused)) = {world, object};
    fn();
    SOLO_ANNOTATE_HAPPENS_BEFORE(flag);
    tell_detector("__tsan_release", flag);
    object->once.done = true;
    __atomic_store_n(flag, FLAG_DONE, __ATOMIC_RELEASE);
}

static void wait_for_runner(struct solo_world *world, struct interpose_object *object)
{
    interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, SOLO_WAIT_ONCE);
    while (object->once.runner != NULL) {
        (void)interpose_wait(world, object, SOLO_NEVER);
    }
    interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, 0);
}

static void once(struct solo_world *world, int *flag, void (*fn)(void))
{
    if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) != FLAG_DONE) {
        struct interpose_object *object = interpose_object(INTERPOSE_ONCE, flag);
        interpose_busy();
        interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, object->id, 0);
        while (object->once.runner != NULL) {
            wait_for_runner(world, object);
        }
        if (!object->once.done) {
            initialise(world, object, flag, fn);
        }
        interpose_announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, object->id, 0);
    }
    SOLO_ANNOTATE_HAPPENS_AFTER(flag);
    tell_detector("__tsan_acquire", flag);
}

INTERPOSED int pthread_once(pthread_once_t *flag, void (*fn)(void))
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(pthread_once)(flag, fn);
    }
    once(world, flag, fn);
    return 0;
}

INTERPOSED void call_once(once_flag *flag, void (*fn)(void))
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        NEXT(call_once)(flag, fn);
        return;
    }
    once(world, (int *)flag, fn);
}

/*
 * From a program built by `solo cc --tsan`: the detector does it all by itself and waits inside the kernel, so it is
 * not asked. False: nobody has the turn yet, or any more.
 */
INTERPOSED bool solo_interpose_once(int *flag, void (*fn)(void));
INTERPOSED bool solo_interpose_once(int *flag, void (*fn)(void))
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL) {
        once(world, flag, fn);
    }
    return world != NULL;
}
