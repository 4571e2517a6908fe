/*
 * once.c - pthread_once, call_once and the static variables of functions in C++: the first caller initialises, the
 * others wait.
 *
 * The program's flag is set as the C library would set it, because headers of C++ look at it, and a guard as the C++
 * library would, because compilers do. An initialiser that ends by an exception leaves it to the next caller.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include "sanitizer/annotate.h"
#include <threads.h>

enum { FLAG_DONE = 2 }; /* in the C library's flag */

/* The flag says it, not what is known of its address: a flag in memory that was freed may have been another one. */
static bool is_done(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE) == FLAG_DONE;
}

/*
 * A detector is told what an initialiser did before everybody else's next step, also one that was left in the middle.
 */
static void tell_end(void *flag)
{
    SOLO_ANNOTATE_HAPPENS_BEFORE(flag);
    if (interpose_has_detector()) {
        ((void (*)(void *))interpose_detectors("__tsan_release"))(flag);
    }
}

static void tell_seen(void *flag)
{
    SOLO_ANNOTATE_HAPPENS_AFTER(flag);
    if (interpose_has_detector()) {
        ((void (*)(void *))interpose_detectors("__tsan_acquire"))(flag);
    }
}

static void set_runner(struct interpose_object *object, struct solo_thread *runner)
{
    object->once.runner = object->why.holder = runner;
}

struct attempt {
    struct solo_world *world;
    struct interpose_object *object;
    void *flag;
};

/* Runs when the initialiser has returned, and also when it is left by an exception or by pthread_exit. */
static void end_attempt(struct attempt *attempt)
{
    set_runner(attempt->object, NULL);
    tell_end(attempt->flag);
    if (solo_model_world() != NULL) {
        interpose_wake(attempt->world, attempt->object, true);
    }
}

static void initialise(struct solo_world *world, struct interpose_object *object, int *flag, void (*fn)(void))
{
    set_runner(object, solo_model_self());
    struct attempt attempt __attribute__((cleanup(end_attempt), unused)) = {world, object, flag};
    tell_seen(flag);
    fn();
    __atomic_store_n(flag, FLAG_DONE, __ATOMIC_RELEASE);
}

static void wait_for_runner(struct solo_world *world, struct interpose_object *object)
{
    interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, (uint64_t)object->why.kind);
    while (object->once.runner != NULL) {
        (void)interpose_wait(world, object, SOLO_NEVER);
    }
    interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, 0);
}

/* From now on, until the next scheduling point, nobody initialises. */
static void wait_until_nobody_runs(struct solo_world *world, struct interpose_object *object)
{
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, object->id, 0);
    while (object->once.runner != NULL) {
        wait_for_runner(world, object);
    }
}

static void once(struct solo_world *world, int *flag, void (*fn)(void))
{
    if (!is_done(flag)) {
        struct interpose_object *object = interpose_object(INTERPOSE_ONCE, flag);
        wait_until_nobody_runs(world, object);
        if (!is_done(flag)) {
            initialise(world, object, flag, fn);
        }
        interpose_announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, object->id, 0);
    }
    tell_seen(flag);
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

/* ---- Static variables of functions, in C++ ---- */

/* Eight bytes for each, cleared; the first byte says that the variable is there, and compiled code asks only that. */
static bool is_initialised(const void *guard)
{
    return __atomic_load_n((const char *)guard, __ATOMIC_ACQUIRE) != 0;
}

static struct interpose_object *object_of(const void *guard)
{
    struct interpose_object *object = interpose_object(INTERPOSE_ONCE, guard);
    object->why.kind = SOLO_WAIT_STATIC;
    return object;
}

static int acquire(struct solo_world *world, void *guard)
{
    if (!is_initialised(guard)) {
        struct interpose_object *object = object_of(guard);
        wait_until_nobody_runs(world, object);
        tell_seen(guard);
        if (!is_initialised(guard)) {
            set_runner(object, solo_model_self());
            return 1;
        }
        interpose_announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, object->id, 0);
    }
    tell_seen(guard);
    return 0;
}

/* The variable is there, or its initialiser was left by an exception and the next caller begins anew. */
static void end_initialiser(struct solo_world *world, void *guard, bool is_there)
{
    struct interpose_object *object = object_of(guard);
    if (is_there) {
        __atomic_store_n((char *)guard, 1, __ATOMIC_RELEASE);
    }
    end_attempt(&(struct attempt){world, object, guard});
    interpose_announce(world, SOLO_PROBE_WAITED, SOLO_ACCESS_NONE, object->id, 0);
}

/* Of the C++ library, which many programs have not. */
INTERPOSED int __cxa_guard_acquire(void *guard);
INTERPOSED void __cxa_guard_release(void *guard);
INTERPOSED void __cxa_guard_abort(void *guard);

INTERPOSED int __cxa_guard_acquire(void *guard)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? acquire(world, guard) : NEXT(__cxa_guard_acquire)(guard);
}

INTERPOSED void __cxa_guard_release(void *guard)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL) {
        end_initialiser(world, guard, true);
        return;
    }
    NEXT(__cxa_guard_release)(guard);
}

INTERPOSED void __cxa_guard_abort(void *guard)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL) {
        end_initialiser(world, guard, false);
        return;
    }
    NEXT(__cxa_guard_abort)(guard);
}

/*
 * The same from a program built by `solo cc --tsan`, past the detector. Acquiring: -1 if nobody has the turn yet, or
 * any more.
 */
INTERPOSED int solo_interpose_guard_acquire(void *guard);
INTERPOSED int solo_interpose_guard_acquire(void *guard)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? acquire(world, guard) : -1;
}

INTERPOSED bool solo_interpose_guard_end(void *guard, bool is_there);
INTERPOSED bool solo_interpose_guard_end(void *guard, bool is_there)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL) {
        end_initialiser(world, guard, is_there);
    }
    return world != NULL;
}
