/* test_mutex.c - the mutex of solo/thread.h, in both worlds. */
#include "self.h"
#include "worlds.h"
#include <solo/thread.h>

static struct solo_mutex *make(void)
{
    struct solo_mutex *mutex = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&mutex), 0);
    return mutex;
}

static void lock(struct solo_mutex *mutex)
{
    CU_ASSERT_EQUAL(solo_mutex_lock(mutex), 0);
}

static void unlock(struct solo_mutex *mutex)
{
    CU_ASSERT_EQUAL(solo_mutex_unlock(mutex), 0);
}

static struct solo_thread *start(solo_thread_fn fn, void *arg)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, arg, &thread), 0);
    return thread;
}

static void join(struct solo_thread *thread)
{
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

/* ---- Mutual exclusion ---- */

enum { THREADS = 4, EACH = 6 };

struct counter {
    struct solo_mutex *mutex;
    unsigned value;
};

static void count(void *arg)
{
    struct counter *counter = arg;
    for (int i = 0; i < EACH; i++) {
        lock(counter->mutex);
        unsigned value = counter->value;
        solo_yield(); /* whoever got in between would lose an update */
        counter->value = value + 1;
        unlock(counter->mutex);
    }
}

static void count_unprotected(void *arg)
{
    struct counter *counter = arg;
    for (int i = 0; i < EACH; i++) { /* atomic, so that no race detector minds; the count is wrong all the same */
        unsigned value = __atomic_load_n(&counter->value, __ATOMIC_RELAXED);
        solo_yield();
        __atomic_store_n(&counter->value, value + 1, __ATOMIC_RELAXED);
    }
}

static unsigned count_together(solo_thread_fn fn, struct solo_mutex *mutex)
{
    struct counter counter = {mutex, 0};
    struct solo_thread *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = start(fn, &counter);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        join(threads[i]);
    }
    return counter.value;
}

static void no_update_is_lost(void)
{
    struct solo_mutex *mutex = make();
    CU_ASSERT_EQUAL(count_together(count, mutex), THREADS * EACH);
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), 0);
}

static void test_mutex__no_update_is_lost_under_it(void)
{
    worlds_run(no_update_is_lost);
}

static unsigned lost;

static void updates_are_lost(void)
{
    lost += count_together(count_unprotected, NULL) < THREADS * EACH;
}

static void test_mutex__without_it_updates_are_lost(void)
{
    worlds_run_sim(updates_are_lost, 20);
    CU_ASSERT_TRUE(lost > 10);
}

/* ---- Who holds it ---- */

static void only_the_holder_may_unlock_and_only_others_may_lock(void)
{
    struct solo_mutex *mutex = make();
    CU_ASSERT_EQUAL(solo_mutex_unlock(mutex), -EPERM);
    lock(mutex);
    CU_ASSERT_EQUAL(solo_mutex_lock(mutex), -EDEADLK);
    unlock(mutex);
    CU_ASSERT_EQUAL(solo_mutex_unlock(mutex), -EPERM);
    lock(mutex);
    unlock(mutex);
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), 0);
}

static void test_mutex__only_its_holder_may_unlock_it_and_only_others_may_lock_it(void)
{
    worlds_run(only_the_holder_may_unlock_and_only_others_may_lock);
}

static void try_to_unlock(void *arg)
{
    CU_ASSERT_EQUAL(solo_mutex_unlock(arg), -EPERM);
}

static void nobody_unlocks_for_the_holder(void)
{
    struct solo_mutex *mutex = make();
    lock(mutex);
    join(start(try_to_unlock, mutex));
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), -EBUSY);
    unlock(mutex);
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), 0);
}

static void test_mutex__nobody_unlocks_or_destroys_it_under_its_holder(void)
{
    worlds_run(nobody_unlocks_for_the_holder);
}

/* ---- Waiting ---- */

struct queue {
    struct solo_mutex *mutex;
    unsigned through;
};

static void go_through(void *arg)
{
    struct queue *queue = arg;
    lock(queue->mutex);
    queue->through++;
    unlock(queue->mutex);
}

static void everybody_gets_through(void)
{
    struct queue queue = {make(), 0};
    struct solo_thread *threads[THREADS];
    lock(queue.mutex);
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = start(go_through, &queue);
    }
    solo_yield();
    CU_ASSERT_EQUAL(queue.through, 0);
    unlock(queue.mutex);
    for (unsigned i = 0; i < THREADS; i++) {
        join(threads[i]);
    }
    CU_ASSERT_EQUAL(queue.through, THREADS);
    CU_ASSERT_EQUAL(solo_mutex_destroy(queue.mutex), 0);
}

static void test_mutex__everybody_who_waits_gets_through(void)
{
    worlds_run(everybody_gets_through);
}

struct crossing {
    struct solo_mutex *mine, *other;
    struct solo_semaphore *i_am_in, *they_are_in;
};

static void cross(void *arg)
{
    struct crossing *crossing = arg;
    lock(crossing->mine);
    CU_ASSERT_EQUAL(solo_semaphore_post(crossing->i_am_in), 0);
    CU_ASSERT_EQUAL(solo_semaphore_wait(crossing->they_are_in, SOLO_NEVER), 0);
    (void)solo_mutex_lock(crossing->other); /* never returns */
}

static void deadlock(void *arg)
{
    struct solo_mutex *a = make(), *b = make();
    struct solo_semaphore *first = NULL, *second = NULL;
    (void)arg;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &first), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &second), 0);
    struct crossing here = {a, b, first, second}, there = {b, a, second, first};
    (void)start(cross, &there);
    cross(&here);
}

static struct solo_waiter waiters[4];
static size_t waiter_count;

static void look_at_waiters(int ending, void *arg)
{
    bool is_deadlock = false;
    (void)arg;
    CU_ASSERT_EQUAL(ending, SOLO_ENDING_DEADLOCK);
    waiter_count = solo_sim_waiters(waiters, 4, &is_deadlock);
    CU_ASSERT_TRUE(is_deadlock);
}

static void test_mutex__a_deadlock_says_who_waits_for_what_and_who_holds_it(void)
{
    struct solo_sim_options options = {.carrier = SOLO_CARRIER_FIBER};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, look_at_waiters, NULL);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 1, deadlock, NULL), SOLO_ENDING_DEADLOCK);
    CU_ASSERT_EQUAL_FATAL(waiter_count, 2);
    CU_ASSERT_STRING_EQUAL(waiters[0].thread, "main");
    CU_ASSERT_STRING_EQUAL(waiters[0].object, "mutex#2");
    CU_ASSERT_STRING_EQUAL(waiters[0].holder, "main/1");
    CU_ASSERT_EQUAL(waiters[0].wait_kind, SOLO_WAIT_MUTEX);
    CU_ASSERT_STRING_EQUAL(waiters[1].thread, "main/1");
    CU_ASSERT_STRING_EQUAL(waiters[1].object, "mutex#1");
    CU_ASSERT_STRING_EQUAL(waiters[1].holder, "main");
    solo_sim_destroy(sim);
}

/* Three want it; the second to get it keeps it. Those who waited for the first now wait for the second. */
static void keep_it(void *arg)
{
    lock(arg);
    (void)solo_sleep(SOLO_NEVER - 1);
}

static void wait_in_vain(void *arg)
{
    (void)solo_mutex_lock(arg);
}

static void the_holder_is_kept_up_to_date(void)
{
    struct solo_mutex *mutex = make();
    struct solo_waiter now[4];
    lock(mutex);
    (void)start(keep_it, mutex);
    solo_sleep(1);
    (void)start(wait_in_vain, mutex);
    solo_sleep(1);
    CU_ASSERT_EQUAL(solo_sim_waiters(now, 4, NULL), 2);
    CU_ASSERT_STRING_EQUAL(now[1].holder, "main");
    unlock(mutex);
    solo_sleep(1);
    CU_ASSERT_EQUAL(solo_sim_waiters(now, 4, NULL), 2);
    CU_ASSERT_STRING_EQUAL(now[1].thread, "main/2");
    CU_ASSERT_STRING_EQUAL(now[1].holder, "main/1");
}

static void test_mutex__those_who_still_wait_know_the_new_holder(void)
{
    worlds_simulate(the_holder_is_kept_up_to_date, SOLO_CARRIER_FIBER, false, 1);
}

/* ---- What is announced ---- */

static void write_down(const struct solo_event *event, void *arg)
{
    char *seen = arg;
    size_t used = strlen(seen);
    if (event->kind != SOLO_PROBE_CHOICE && event->kind != SOLO_PROBE_THREAD_BEGIN && used < 200) {
        snprintf(seen + used, 256 - used, "%u:%s ", event->thread, solo_probe_kind_text(event->kind));
    }
}

static void locking_is_announced(void)
{
    char seen[256] = "";
    struct queue queue = {make(), 0};
    lock(queue.mutex);
    struct solo_thread *thread = start(go_through, &queue);
    CU_ASSERT_EQUAL(solo_probe_subscribe(write_down, seen), 0);
    solo_sleep(1);
    unlock(queue.mutex);
    join(thread);
    CU_ASSERT_EQUAL(solo_mutex_destroy(queue.mutex), 0);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(write_down, seen), 0);
    CU_ASSERT_STRING_EQUAL(seen, "0:sleep 0:block 1:lock 1:block 1:time 0:unblock 0:unlock 0:thread-join 0:block "
                                 "1:unblock 1:locked 1:unlock 1:thread-end 0:unblock 0:object-ended ");
}

static void test_mutex__waiting_locking_and_unlocking_are_announced(void)
{
    worlds_simulate(locking_is_announced, SOLO_CARRIER_FIBER, false, 1);
}

/* ---- Bad use ---- */

static void after_its_end(void)
{
    struct solo_mutex *mutex = make();
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), 0);
    CU_ASSERT_EQUAL(solo_mutex_lock(mutex), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_mutex_unlock(mutex), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 3);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO006_USE_AFTER_END)->function, "solo_mutex_lock");
}

static void test_mutex__use_after_destroy_is_solo006(void)
{
    worlds_run(after_its_end);
}

static void bad_arguments(void)
{
    struct solo_semaphore *semaphore = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &semaphore), 0);
    CU_ASSERT_EQUAL(solo_mutex_create(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_mutex_lock(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_mutex_unlock(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_mutex_destroy(NULL), 0);
    CU_ASSERT_EQUAL(solo_mutex_lock((struct solo_mutex *)(void *)semaphore), -EINVAL);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), 0);
}

static void test_mutex__what_is_no_mutex_is_refused(void)
{
    worlds_run(bad_arguments);
}

void suite_mutex(void)
{
    SOLO_SUITE("mutex");
    SOLO_TEST(test_mutex__no_update_is_lost_under_it);
    SOLO_TEST(test_mutex__without_it_updates_are_lost);
    SOLO_TEST(test_mutex__only_its_holder_may_unlock_it_and_only_others_may_lock_it);
    SOLO_TEST(test_mutex__nobody_unlocks_or_destroys_it_under_its_holder);
    SOLO_TEST(test_mutex__everybody_who_waits_gets_through);
    SOLO_TEST(test_mutex__a_deadlock_says_who_waits_for_what_and_who_holds_it);
    SOLO_TEST(test_mutex__those_who_still_wait_know_the_new_holder);
    SOLO_TEST(test_mutex__waiting_locking_and_unlocking_are_announced);
    SOLO_TEST(test_mutex__use_after_destroy_is_solo006);
    SOLO_TEST(test_mutex__what_is_no_mutex_is_refused);
}
