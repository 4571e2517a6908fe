/*
 * thread.c - pthread_create, join, detach, exit: the program's threads are virtual threads of the simulation.
 *
 * Each has a pthread of its own, made by the token carrier, so pthread_self and thread-local variables are what the
 * program expects. What a thread leaves behind (thread_local variables, keys) is run while it still has the turn, and
 * its pthread then stays parked: what the C library does when a pthread ends would be in nobody's order.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_stack_end; /* of the dynamic linker */

static __thread struct interpose_thread *self __attribute__((tls_model("initial-exec")));
static __thread struct interpose_thread *creating __attribute__((tls_model("initial-exec")));

static struct interpose_thread *joinable; /* newest first */
static unsigned alive;                    /* besides main */
static pthread_t main_handle;
static struct interpose_object *nobody; /* where a main thread waits that has called pthread_exit */
static pthread_key_t leave_key;         /* its destructor runs when a stack has unwound to its end */
static bool has_leave_key;

struct interpose_thread *interpose_self(void)
{
    if (self == NULL) { /* main, or a thread of the kit's own that runs the program's code */
        self = interpose_allocate(sizeof *self);
        self->handle = NEXT(pthread_self)();
        self->stack_top = __libc_stack_end;
    }
    return self;
}

unsigned interpose_threads_alive(void)
{
    return alive;
}

/* ---- The end of a thread ---- */

static void forget(struct interpose_thread *thread)
{
    struct interpose_thread **place = &joinable;
    while (*place != NULL && *place != thread) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = thread->next;
    }
}

/* Runs on the thread, with the turn: the last of the program's code that it runs. */
static void finish(struct interpose_thread *thread)
{
    if (thread->finished) {
        return;
    }
    interpose_run_destructors(thread);
    thread->finished = true;
    alive--;
    if (thread->detached) {
        forget(thread);
    }
    struct solo_world *world = solo_model_world();
    if (world != NULL) {
        interpose_mutexes_leave(world);
    }
    if (alive == 0 && nobody != NULL && world != NULL) {
        interpose_wake(world, nobody, true);
    }
}

/* pthread_exit: the stack has unwound, and the C library is about to end the pthread. */
static void leave(void *arg)
{
    struct interpose_thread *thread = arg;
    if (!thread->finished && solo_model_world() != NULL) {
        finish(thread);
        (void)solo_model_leave();
    }
}

/* The detector's reports then call it as the explorer does. */
static void tell_name(void)
{
    char name[16]; /* the kernel's limit */
    (void)pthread_setname_np(pthread_self(), solo_thread_name(name, sizeof name));
}

static void thread_main(void *arg)
{
    struct interpose_thread *thread = arg;
    self = thread;
    thread->stack_top = __builtin_frame_address(0);
    if (thread->wrapped != NULL) {
        tell_name();
    }
    (void)NEXT(pthread_setspecific)(leave_key, thread);
    if (thread->start_c11 != NULL) {
        thread->result = (void *)(intptr_t)thread->start_c11(thread->arg);
    } else {
        thread->result = thread->start(thread->arg);
    }
    finish(thread);
}

/* ---- What the other files need ---- */

int interpose_thread_create(struct solo_world *world, struct interpose_thread *thread)
{
    (void)world;
    if (!has_leave_key) {
        has_leave_key = NEXT(pthread_key_create)(&leave_key, leave) == 0;
    }
    interpose_busy();
    creating = thread;
    int result = solo_thread_create(thread_main, thread, &thread->thread);
    creating = NULL;
    if (result < 0) {
        return EAGAIN;
    }
    alive++;
    if (!thread->detached) {
        thread->next = joinable;
        joinable = thread;
    }
    return 0;
}

static struct interpose_thread *find(pthread_t handle)
{
    struct interpose_thread *thread = joinable;
    while (thread != NULL && thread->handle != handle) {
        thread = thread->next;
    }
    return thread;
}

int interpose_thread_join(pthread_t handle, void **ret_result)
{
    struct interpose_thread *thread = find(handle);
    interpose_busy();
    if (handle == interpose_self()->handle) {
        return EDEADLK;
    }
    if (thread == NULL && handle == main_handle) {
        interpose_refuse("pthread_join", "nobody can wait for the end of main");
    }
    if (thread == NULL) {
        return ESRCH;
    }
    if (thread->joined) {
        return EINVAL;
    }
    thread->joined = true;
    (void)solo_thread_join(thread->thread);
    forget(thread);
    if (ret_result != NULL) {
        *ret_result = thread->result;
    }
    return 0;
}

int interpose_thread_detach(pthread_t handle)
{
    struct interpose_thread *thread = handle == interpose_self()->handle ? self : find(handle);
    if (thread == NULL) {
        return ESRCH;
    }
    if (thread->detached || thread->joined) {
        return EINVAL;
    }
    thread->detached = true;
    forget(thread);
    return 0;
}

/* ---- What programs call ---- */

/*
 * The detector's beginning of a thread has nothing to do with turns: it meets its creator inside of the detector. What
 * it then calls is the carrier, which waits for its turn.
 */
static void *begin_wrapped(void *arg)
{
    struct interpose_thread *thread = arg;
    self = thread;
    return thread->wrapper(thread->wrapped);
}

static int create_wrapped(pthread_t *handle, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
    struct interpose_thread *thread = creating;
    interpose_keys_reserve(thread);
    *thread->wrapped = (struct interpose_wrapped){start, arg};
    return NEXT(pthread_create)(handle, attributes, begin_wrapped, thread);
}

/* The carrier makes the pthread of `creating`: it gets what the program asked for, but can always be joined. */
static int create_carrier(pthread_t *handle, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
    pthread_attr_t wanted;
    if (creating == NULL) {
        return NEXT(pthread_create)(handle, attributes, start, arg);
    }
    if (creating->attributes != NULL) {
        memcpy(&wanted, creating->attributes, sizeof wanted);
        (void)pthread_attr_setdetachstate(&wanted, PTHREAD_CREATE_JOINABLE);
    }
    const pthread_attr_t *given = creating->attributes != NULL ? &wanted : NULL;
    int result = creating->wrapped != NULL ? create_wrapped(handle, given, start, arg)
                                           : NEXT(pthread_create)(handle, given, start, arg);
    creating->handle = *handle;
    return result;
}

void interpose_threads_prepare(void)
{
    main_handle = NEXT(pthread_self)();
    solo_model_set_pthreads(create_carrier, NEXT(pthread_join));
}

INTERPOSED int pthread_create(pthread_t *handle, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return create_carrier(handle, attributes, start, arg);
    }
    if (interpose_has_detector() && attributes == NULL) { /* one of its own, which touches nothing of the program's */
        return NEXT(pthread_create)(handle, attributes, start, arg);
    }
    int state = PTHREAD_CREATE_JOINABLE;
    struct interpose_thread *thread = interpose_allocate(sizeof *thread);
    if (attributes != NULL) {
        (void)pthread_attr_getdetachstate(attributes, &state);
    }
    thread->start = start;
    thread->arg = arg;
    if (interpose_has_detector()) {
        thread->wrapper = start;
        thread->wrapped = arg;
        thread->start = thread->wrapped->fn;
        thread->arg = thread->wrapped->arg;
    }
    thread->attributes = attributes;
    thread->detached = state == PTHREAD_CREATE_DETACHED;
    int result = interpose_thread_create(world, thread);
    if (result == 0) {
        *handle = thread->handle;
    }
    return result;
}

INTERPOSED int pthread_join(pthread_t handle, void **ret_result)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_thread_join(handle, ret_result) : NEXT(pthread_join)(handle, ret_result);
}

INTERPOSED int pthread_tryjoin_np(pthread_t handle, void **ret_result)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(pthread_tryjoin_np)(handle, ret_result);
    }
    struct interpose_thread *thread = find(handle);
    if (thread != NULL && !thread->finished) {
        interpose_idle(world);
    }
    return thread != NULL && !thread->finished ? EBUSY : interpose_thread_join(handle, ret_result);
}

static int join_until(struct solo_world *world, pthread_t handle, void **ret_result, clockid_t clock,
                      const struct timespec *at)
{
    uint64_t deadline_ns;
    if (!interpose_deadline(clock, at, &deadline_ns)) {
        return EINVAL;
    }
    struct interpose_thread *thread = find(handle);
    interpose_busy();
    while (thread != NULL && !thread->finished && world->clock->now_ns(world) < deadline_ns) {
        interpose_idle(world);
    }
    return thread != NULL && !thread->finished ? ETIMEDOUT : interpose_thread_join(handle, ret_result);
}

INTERPOSED int pthread_timedjoin_np(pthread_t handle, void **ret_result, const struct timespec *at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? join_until(world, handle, ret_result, CLOCK_REALTIME, at)
                         : NEXT(pthread_timedjoin_np)(handle, ret_result, at);
}

INTERPOSED int pthread_clockjoin_np(pthread_t handle, void **ret_result, clockid_t clock, const struct timespec *at)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? join_until(world, handle, ret_result, clock, at)
                         : NEXT(pthread_clockjoin_np)(handle, ret_result, clock, at);
}

INTERPOSED int pthread_detach(pthread_t handle)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? interpose_thread_detach(handle) : NEXT(pthread_detach)(handle);
}

/* The process lives until its other threads have ended. */
static void exit_main(struct solo_world *world)
{
    interpose_run_destructors(interpose_self());
    if (alive != 0) {
        static char place;
        nobody = interpose_object(INTERPOSE_FUTEX, &place);
        nobody->why = (struct solo_wait){SOLO_WAIT_JOIN, 0, NULL};
        interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, 0, SOLO_WAIT_JOIN);
        while (alive != 0) {
            (void)interpose_wait(world, nobody, SOLO_NEVER);
        }
        interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, 0, 0);
    }
    exit(0);
}

void interpose_thread_exit(void *result)
{
    struct interpose_thread *thread = interpose_self();
    interpose_busy();
    if (thread->thread == NULL) {
        exit_main(solo_model_world());
    }
    thread->result = result;
    NEXT(pthread_exit)(result);
    abort();
}

INTERPOSED void pthread_exit(void *result)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_thread_exit(result);
    }
    NEXT(pthread_exit)(result);
    abort();
}
