/*
 * model.h - for libraries that bring another interface into the simulated world, such as pthreads or descriptors.
 *
 * Such a library keeps its own objects and does its waiting, waking and announcing through the tables of solo/world.h.
 * What it needs besides is here: names for its objects, who the caller is, and a thread that ends without returning.
 * harness/interpose is one.
 */
#ifndef SOLO_MODEL_H
#define SOLO_MODEL_H

#include <pthread.h>
#include <solo/world.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an object is: the word before the number of its name, "rwlock#1". */
enum solo_model_kind {
    SOLO_MODEL_MUTEX = 1,
    SOLO_MODEL_CONDITION,
    SOLO_MODEL_SEMAPHORE,
    SOLO_MODEL_RWLOCK,
    SOLO_MODEL_BARRIER,
    SOLO_MODEL_ONCE,
    SOLO_MODEL_FUTEX,
    SOLO_MODEL_FILE,
    SOLO_MODEL_PIPE,
    SOLO_MODEL_SOCKET,
    SOLO_MODEL_EVENTFD,
    SOLO_MODEL_TIMERFD,
    SOLO_MODEL_EPOLL,
    SOLO_MODEL_MEMORY,
    SOLO_MODEL_KINDS
};

/*
 * The simulated world that the caller lives in, while its schedule goes on; NULL outside a simulation, and once the
 * schedule's ending is decided, when nobody may wait any more.
 */
SOLO_ANY_THREAD SOLO_PUBLIC struct solo_world *solo_model_world(void);

/* The calling thread as other threads' waits name it (struct solo_wait). Never NULL. */
SOLO_ANY_THREAD SOLO_PUBLIC struct solo_thread *solo_model_self(void);

/*
 * A new object id of this kind in the caller's world, for events, waits and names. It costs no memory and need not be
 * given back. 0: an unknown kind.
 */
SOLO_ANY_THREAD SOLO_PUBLIC uint32_t solo_model_object(enum solo_model_kind kind);

/*
 * Whether it is the calling thread's turn, and so the one that runs or blocks; true outside of simulations. For signal
 * handlers.
 */
SOLO_ANY_THREAD SOLO_PUBLIC bool solo_model_has_turn(void);

/* As pthread_create and pthread_join. A thread may begin with code of create_fn's own, which then calls fn(arg). */
typedef int (*solo_model_create_fn)(pthread_t *ret_pthread, const pthread_attr_t *attributes, void *(*fn)(void *arg),
                                    void *arg);
typedef int (*solo_model_join_fn)(pthread_t pthread, void **ret_result);

/*
 * What the token carrier makes and joins its threads with from now on, for a library that takes the place of the C
 * library's functions. To be set before any simulation begins; NULL: those of the C library.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_model_set_pthreads(solo_model_create_fn create_fn, solo_model_join_fn join_fn);

/*
 * Whether this build of the library says to ThreadSanitizer what order its calls put threads in; without that a program
 * built for the detector and linked with it would seem to have races wherever work is handed over.
 */
SOLO_ANY_THREAD SOLO_PUBLIC bool solo_model_tells_tsan(void);

/*
 * Ends the calling virtual thread, which has unwound its stack by other means than returning (pthread_exit) and has
 * nothing of the program's left to run. Returns when its carrier is to end too, which may be never: the caller then
 * only returns. -EINVAL: not a thread of a simulation on the token carrier, or its main thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_model_leave(void);

/*
 * Ends the process as _exit(status) does, and before that its schedule, as the end of main would: for programs that
 * leave without exit. Outside a simulation that lasts as long as its process it is _exit.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_model_exit(int status) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
