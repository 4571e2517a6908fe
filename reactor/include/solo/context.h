/*
 * context.h - what belongs to the work at hand and follows it from thread to thread.
 *
 * A context is one value under a key, in front of the context it was made in. A thread has one context at a time:
 * solo_context_call puts one in place for one function. A job of a pool remembers the context of whoever queued it:
 * its function sees it on the worker, and so does what is told of its end (done, on_result, a Deferred's callbacks).
 * Nothing else inherits it: a thread call or a delayed call runs in the context that the reactor runs in.
 *
 * A context never changes, so threads share it without a lock; its values are the business of whoever put them there.
 *
 * Source: Twisted's twisted.python.context. Different on purpose: all of the nested contexts reach the job, not the
 * innermost alone, and they reach its callback too.
 */
#ifndef SOLO_CONTEXT_H
#define SOLO_CONTEXT_H

#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_context;

/*
 * Makes a context: the caller's present one, with `value` under `key` in front of it. The key is an address that is the
 * caller's own, such as that of a static variable. It lives until nobody has it any more: the caller, a thread that is
 * inside it, a context made in it, a job that has not been ended. Then forget(value) is called, once, unless it is
 * NULL. -EINVAL: key or ret_context is NULL; -ENOMEM.
 * Runs: forget on whichever thread lets go last.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_context_create(const void *key, void *value, void (*forget)(void *value),
                                                    struct solo_context **ret_context);

/* Gives up the caller's hold on it. Accepts NULL. -EINVAL; SOLO_ECLOSED, and SOLO006: it has ended. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_context_release(struct solo_context *context);

/*
 * Runs fn(arg) at once, in this thread, inside the context; afterwards the thread is where it was before. -EINVAL;
 * SOLO_ECLOSED, and SOLO006: it has ended. It takes no memory.
 * Runs: fn in the calling thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_context_call(struct solo_context *context, solo_call_fn fn, void *arg);

/* The innermost value under this key in the calling thread's context, or NULL. It takes no lock. */
SOLO_ANY_THREAD SOLO_PUBLIC void *solo_context_get(const void *key);

#ifdef __cplusplus
}
#endif
#endif
