/*
 * thread_call.h - into the reactor thread and out of it.
 *
 * Accepting work: a call that returns 0 has accepted fn(arg) and will run it at most once, on the thread its contract
 * names; done(status, arg), where given, runs exactly once (see solo_done_fn). Acceptance is the last point where
 * memory can be refused. A call that returns an error accepted nothing.
 *
 * Source: Twisted's IReactorFromThreads, IReactorInThreads and twisted.internet.threads.
 */
#ifndef SOLO_THREAD_CALL_H
#define SOLO_THREAD_CALL_H

#include <solo/deferred.h>
#include <solo/reactor.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Work whose result is wanted. Run by the pool it must not return solo_wait_for; run by the reactor it may. */
typedef struct solo_result (*solo_work_fn)(void *arg);

/*
 * Queues fn(arg) for the reactor thread and wakes it; never runs it inside this call, even on the reactor thread.
 * Calls run in the order they were accepted, those accepted during a pass in the next one. Before run they are kept.
 * done may be NULL. -EINVAL; -ENOMEM; SOLO_ECLOSING: the reactor has stopped, or takes its last calls. What the caller
 * did before happens before fn.
 * Runs: fn, done on the reactor thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_call_from_thread(struct solo_reactor *reactor, solo_call_fn fn, void *arg,
                                                              solo_done_fn done);

/* One of several calls. done may be NULL. */
struct solo_thread_call {
    solo_call_fn fn;
    void *arg;
    solo_done_fn done;
};

enum { SOLO_THREAD_CALLS_MAX = 65536 }; /* in one solo_reactor_call_many_from_thread */

/*
 * Queues calls[0] to calls[count - 1] for the reactor thread, in this order and with nobody else's in between; at most
 * one wake-up and one piece of memory for all of them. All or none are accepted. They run in one pass, each with its
 * done as in solo_reactor_call_from_thread; a report or a trace has one name for all of them. The array may be reused
 * at once. -EINVAL: also when a fn is NULL; nothing is queued. -ENOMEM. SOLO_ELIMIT: more than SOLO_THREAD_CALLS_MAX.
 * SOLO_ECLOSING: the reactor has stopped, or takes its last calls.
 * Runs: each fn and done on the reactor thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_call_many_from_thread(struct solo_reactor *reactor,
                                                                   const struct solo_thread_call *calls, size_t count);

/*
 * Queues fn(arg) for the next free worker of the reactor's pool, which is made on first use and started when the
 * reactor runs. done may be NULL. -EINVAL; -ENOMEM; -EAGAIN: the first worker cannot be started; SOLO_ECLOSING: the
 * pool is stopping. Should a stop leave the job behind because it does not end (SOLO004, SOLO011), then done gets
 * SOLO_ECLOSING while fn may still use arg; should no worker be startable once the job is queued, then it gets -EAGAIN
 * or -ENOMEM.
 * Runs: fn on a pool worker; done on the reactor thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_reactor_call_in_thread(struct solo_reactor *reactor, solo_call_fn fn, void *arg,
                                                            solo_done_fn done);

/*
 * Runs work(arg) on a pool worker and gives a Deferred that fires on the reactor thread with its result. Cancelling it
 * fails it with SOLO_ECANCELLED; a job not yet begun is then never run. At shutdown a job that never runs fails it
 * with SOLO_ECLOSING. The caller releases the Deferred. Errors as for solo_reactor_call_in_thread; they make no
 * Deferred.
 * Runs: work on a pool worker.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_defer_to_thread(struct solo_reactor *reactor, solo_work_fn work, void *arg,
                                                       struct solo_deferred **ret_deferred);

/* One of several pieces of work that are queued together. */
struct solo_work {
    solo_work_fn fn;
    void *arg;
};

/*
 * Queues `count` pieces of work, copied from `works`, as one job: one worker runs them in order. The first that fails
 * ends it, and those after it are not run. done(status, arg), which may be NULL, gets 0 if all of them ran, the failure
 * if one failed, and else what solo_reactor_call_in_thread says. Values are dropped. -EINVAL: nothing to run, or a
 * piece without a function. Errors as for solo_reactor_call_in_thread.
 * Runs: works on a pool worker; done on the reactor thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_call_multiple_in_thread(struct solo_reactor *reactor,
                                                             const struct solo_work *works, size_t count,
                                                             solo_done_fn done, void *arg);

/*
 * Runs work(arg) on the reactor thread and waits for its result; if work returns solo_wait_for(deferred), for that
 * one's result. Returns the result's status, and its value in *ret_value (which may be NULL) on success.
 * SOLO_EONREACTOR, and SOLO003: called on the reactor thread, where it would wait for itself; nothing was accepted.
 * SOLO_ECLOSING: the reactor stopped before it could serve the call, or its pool drains already. -EINVAL. It takes no
 * memory.
 * Runs: work on the reactor thread.
 * Blocks.
 */
SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_blocking_call_from_thread(struct solo_reactor *reactor, solo_work_fn work,
                                                                   void *arg, void **ret_value);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_reactor_call_from_thread(reactor, fn, arg, done)                                                          \
    (SOLO__RUNS_ON_REACTOR(solo_call_fn, fn, (void *)0), SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0),      \
     solo_reactor_call_from_thread(reactor, fn, arg, done))
#define solo_reactor_call_in_thread(reactor, fn, arg, done)                                                            \
    (SOLO__RUNS_ON_POOL(solo_call_fn, fn, (void *)0), SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0),         \
     solo_reactor_call_in_thread(reactor, fn, arg, done))
#define solo_call_multiple_in_thread(reactor, works, count, done, arg)                                                 \
    (SOLO__RUNS_ON_REACTOR(solo_done_fn, done, 0, (void *)0),                                                          \
     solo_call_multiple_in_thread(reactor, works, count, done, arg))
#define solo_defer_to_thread(reactor, work, arg, ret_deferred)                                                         \
    (SOLO__RUNS_ON_POOL(solo_work_fn, work, (void *)0), solo_defer_to_thread(reactor, work, arg, ret_deferred))
#define solo_blocking_call_from_thread(reactor, work, arg, ret_value)                                                  \
    (SOLO__RUNS_ON_REACTOR(solo_work_fn, work, (void *)0),                                                             \
     solo_blocking_call_from_thread(reactor, work, arg, ret_value))
#endif

#ifdef __cplusplus
}
#endif
#endif
