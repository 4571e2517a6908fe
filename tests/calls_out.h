/*
 * calls_out.h - a Deferred with one callback, and a thread beside that takes locks: what the tests of locks held while
 * calling out (SOLO016) vary.
 */
#ifndef SOLO_TESTS_CALLS_OUT_H
#define SOLO_TESTS_CALLS_OUT_H

#include "judged.h"

static struct solo_reactor *reactor;
static struct solo_deferred *deferred;
static struct solo_semaphore *semaphore;

/* ---- What is called ---- */

static inline struct solo_result computes(struct solo_result previous, void *arg)
{
    (void)arg;
    return previous;
}

/* Callbacks, cancellers and jobs that take what `arg` names. */
static inline struct solo_result takes(struct solo_result previous, void *arg)
{
    take(arg);
    return previous;
}

static inline struct solo_result waits(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, SOLO_NEVER), 0);
    return previous;
}

/* ---- Who calls ---- */

static inline void set_up(void)
{
    make_locks();
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &semaphore), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
}

static inline void tear_down(void)
{
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), 0);
    destroy_locks();
}

static inline void add(solo_callback_fn callback, const char *arg)
{
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, callback, NULL, (void *)(uintptr_t)arg), 0);
}

static inline void lock(unsigned which)
{
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[which]), 0);
}

static inline void unlock(unsigned which)
{
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[which]), 0);
}

static inline void fire(void)
{
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(NULL)), 0);
}

static inline void fire_under_0(void)
{
    lock(0);
    fire();
    unlock(0);
}

/* Each variation adds one callback and fires, with another thread that takes these locks, one after the other. */
static inline void vary(solo_callback_fn callback, const char *arg, const char *others)
{
    set_up();
    add(callback, arg);
    let_another(take, others);
    fire_under_0();
    tear_down();
}

/* The same as a call of the loop, which is its last. */
static inline void fire_and_stop(void *arg)
{
    (void)arg;
    fire_under_0();
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

#endif
