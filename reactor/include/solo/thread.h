/*
 * thread.h - threads, locks and sleep for programs, equal in both worlds.
 *
 * In world os these are pthreads and real time. In world sim they are virtual threads that hand over only at announced
 * points, and virtual time, which costs nothing. Every call works on the world its caller lives in. A thread is named
 * by how it came to be: "main", "main/1" (the first thread that main started), "pool#2".
 */
#ifndef SOLO_THREAD_H
#define SOLO_THREAD_H

#include <solo/error.h>
#include <solo/probe.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_thread;
struct solo_mutex;
struct solo_condition;
struct solo_semaphore;

typedef void (*solo_thread_fn)(void *arg);

/*
 * Starts a thread that runs fn(arg) and must be joined once. The caller keeps `arg` alive until fn is done with it.
 * -EINVAL: fn or ret_thread is NULL. -EAGAIN: no more threads. -ENOMEM. Creation happens before fn.
 * Runs: fn on the new thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_thread_create(solo_thread_fn fn, void *arg, struct solo_thread **ret_thread);

/*
 * Waits until the thread has ended, then releases it. -EINVAL: NULL. -EDEADLK: a thread that joins itself.
 * SOLO_ECLOSED: joined before. Everything the thread did happens before the return. On a reactor thread the time it
 * waits is SOLO002.
 * Blocks.
 */
SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_thread_join(struct solo_thread *thread);

/*
 * Lets any other thread go first: a scheduling point and nothing else in world sim, a hint without promise in world os.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_yield(void);

/*
 * Sleeps for at least duration_ns of world time. On a reactor thread the time is SOLO002.
 * Instead: solo_reactor_call_later
 * Blocks.
 */
SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_sleep(uint64_t duration_ns);

/* World time in nanoseconds, from an arbitrary start; virtual in world sim. */
SOLO_ANY_THREAD SOLO_PUBLIC uint64_t solo_now(void);

/* Fills the buffer with random bytes of the caller's world: reproducible in world sim. -EINVAL: NULL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_random(void *buffer, size_t size);

/* The caller's name ("main/1") into a buffer of `size` bytes, cut to fit; returns buffer. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_thread_name(char *buffer, size_t size);

/* The name of thread number `number` of the caller's world, for readers of events; "?" if unknown. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_thread_name_of(unsigned number, char *buffer, size_t size);

/* The name of an object id of an event or violation, such as "transport#2"; "-" for 0. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_object_name(uint32_t object, char *buffer, size_t size);

/* A mutex that only its holder may unlock. -EINVAL, -ENOMEM; destroy accepts NULL and returns -EBUSY while held. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_mutex_create(struct solo_mutex **ret_mutex);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_mutex_destroy(struct solo_mutex *mutex);
/* -EDEADLK: the caller holds it. Waiters are woken one at a time; which one is not promised. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_mutex_lock(struct solo_mutex *mutex);
/* -EPERM: the caller does not hold it. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_mutex_unlock(struct solo_mutex *mutex);

/* A condition variable. destroy accepts NULL and returns -EBUSY while somebody waits. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_condition_create(struct solo_condition **ret_condition);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_condition_destroy(struct solo_condition *condition);
/*
 * With the mutex held: unlocks it, waits for a signal or for timeout_ns (SOLO_NEVER: no limit), locks it again. 0 or
 * -ETIMEDOUT. It may return without a signal: check what you wait for in a loop. -EPERM: the caller does not hold the
 * mutex.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_condition_wait(struct solo_condition *condition, struct solo_mutex *mutex,
                                                    uint64_t timeout_ns);
/* Wakes one waiter, or all of them. A signal that nobody waits for is forgotten. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_condition_signal(struct solo_condition *condition);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_condition_broadcast(struct solo_condition *condition);

/* A counting semaphore. -EINVAL, -ENOMEM; destroy accepts NULL and returns -EBUSY while somebody waits. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_semaphore_create(unsigned count, struct solo_semaphore **ret_semaphore);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_semaphore_destroy(struct solo_semaphore *semaphore);
/* Takes one, waiting up to timeout_ns (0: do not wait, SOLO_NEVER: no limit). 0 or -ETIMEDOUT. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_semaphore_wait(struct solo_semaphore *semaphore, uint64_t timeout_ns);
/* Gives one. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_semaphore_post(struct solo_semaphore *semaphore);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_thread_create(fn, arg, ret_thread)                                                                        \
    (SOLO__RUNS_ON_NEW_THREAD(solo_thread_fn, fn, (void *)0), solo_thread_create(fn, arg, ret_thread))
#endif

#ifdef __cplusplus
}
#endif
#endif
