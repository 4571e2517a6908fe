/* test_condition.c - the condition of solo/thread.h, in both worlds. */
#include "self.h"
#include "worlds.h"
#include <solo/thread.h>

/* A mutex, a condition and what they are about. */
struct monitor {
    struct solo_mutex *mutex;
    struct solo_condition *changed;
    struct solo_semaphore *there; /* posted by whoever is about to wait, with the mutex held */
    unsigned items, taken;
    bool open;
};

static struct monitor make(void)
{
    struct monitor monitor = {0};
    CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&monitor.mutex), 0);
    CU_ASSERT_EQUAL_FATAL(solo_condition_create(&monitor.changed), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &monitor.there), 0);
    return monitor;
}

static void destroy(struct monitor *monitor)
{
    CU_ASSERT_EQUAL(solo_condition_destroy(monitor->changed), 0);
    CU_ASSERT_EQUAL(solo_mutex_destroy(monitor->mutex), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(monitor->there), 0);
}

static void enter(struct monitor *monitor)
{
    CU_ASSERT_EQUAL(solo_mutex_lock(monitor->mutex), 0);
}

static void leave(struct monitor *monitor)
{
    CU_ASSERT_EQUAL(solo_mutex_unlock(monitor->mutex), 0);
}

static int wait(struct monitor *monitor, uint64_t timeout_ns)
{
    return solo_condition_wait(monitor->changed, monitor->mutex, timeout_ns);
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

/* ---- Signals ---- */

static void take_item(void *arg)
{
    struct monitor *monitor = arg;
    enter(monitor);
    while (monitor->items == 0) {
        CU_ASSERT_EQUAL(wait(monitor, SOLO_NEVER), 0);
    }
    monitor->items--;
    monitor->taken++;
    leave(monitor);
}

enum { TAKERS = 4 };

static void every_item_is_taken(void)
{
    struct monitor monitor = make();
    struct solo_thread *takers[TAKERS];
    for (unsigned i = 0; i < TAKERS; i++) {
        takers[i] = start(take_item, &monitor);
    }
    for (unsigned i = 0; i < TAKERS; i++) {
        enter(&monitor);
        monitor.items++;
        CU_ASSERT_EQUAL(solo_condition_signal(monitor.changed), 0);
        leave(&monitor);
    }
    for (unsigned i = 0; i < TAKERS; i++) {
        join(takers[i]);
    }
    CU_ASSERT_EQUAL(monitor.taken, TAKERS);
    CU_ASSERT_EQUAL(monitor.items, 0);
    destroy(&monitor);
}

static void test_condition__every_signal_reaches_somebody_who_waits(void)
{
    worlds_run(every_item_is_taken);
}

static void signals_without_the_mutex(void)
{
    struct monitor monitor = make();
    struct solo_thread *taker = start(take_item, &monitor);
    enter(&monitor);
    monitor.items++;
    leave(&monitor);
    CU_ASSERT_EQUAL(solo_condition_signal(monitor.changed), 0);
    join(taker);
    CU_ASSERT_EQUAL(monitor.taken, 1);
    destroy(&monitor);
}

static void test_condition__a_signal_may_be_given_without_the_mutex_and_is_not_lost(void)
{
    worlds_run(signals_without_the_mutex);
}

static void pass_the_gate(void *arg)
{
    struct monitor *monitor = arg;
    enter(monitor);
    CU_ASSERT_EQUAL(solo_semaphore_post(monitor->there), 0);
    while (!monitor->open) {
        CU_ASSERT_EQUAL(wait(monitor, SOLO_NEVER), 0);
    }
    monitor->taken++;
    leave(monitor);
}

static void a_broadcast_wakes_all(void)
{
    struct monitor monitor = make();
    struct solo_thread *threads[TAKERS];
    for (unsigned i = 0; i < TAKERS; i++) {
        threads[i] = start(pass_the_gate, &monitor);
    }
    for (unsigned i = 0; i < TAKERS; i++) {
        CU_ASSERT_EQUAL(solo_semaphore_wait(monitor.there, SOLO_NEVER), 0);
    }
    enter(&monitor);
    monitor.open = true;
    CU_ASSERT_EQUAL(solo_condition_broadcast(monitor.changed), 0);
    leave(&monitor);
    for (unsigned i = 0; i < TAKERS; i++) {
        join(threads[i]);
    }
    CU_ASSERT_EQUAL(monitor.taken, TAKERS);
    destroy(&monitor);
}

static void test_condition__a_broadcast_wakes_everybody(void)
{
    worlds_run(a_broadcast_wakes_all);
}

static void wait_once(void *arg)
{
    struct monitor *monitor = arg;
    enter(monitor);
    CU_ASSERT_EQUAL(wait(monitor, SOLO_NEVER), 0);
    monitor->taken++;
    leave(monitor);
}

static void a_signal_wakes_one(void)
{
    struct monitor monitor = make();
    struct solo_thread *a = start(wait_once, &monitor), *b = start(wait_once, &monitor);
    solo_sleep(1);
    CU_ASSERT_EQUAL(solo_condition_signal(monitor.changed), 0);
    solo_sleep(1);
    CU_ASSERT_EQUAL(monitor.taken, 1);
    CU_ASSERT_EQUAL(solo_condition_signal(monitor.changed), 0);
    join(a);
    join(b);
    CU_ASSERT_EQUAL(monitor.taken, 2);
    destroy(&monitor);
}

static void test_condition__a_signal_wakes_one_waiter(void)
{
    worlds_run_sim(a_signal_wakes_one, WORLDS_SEEDS);
}

static void nobody_waits(void)
{
    struct monitor monitor = make();
    CU_ASSERT_EQUAL(solo_condition_signal(monitor.changed), 0);
    CU_ASSERT_EQUAL(solo_condition_broadcast(monitor.changed), 0);
    enter(&monitor);
    CU_ASSERT_EQUAL(wait(&monitor, 1000), -ETIMEDOUT);
    leave(&monitor);
    destroy(&monitor);
}

static void test_condition__a_signal_that_nobody_waits_for_is_forgotten(void)
{
    worlds_run_sim(nobody_waits, WORLDS_SEEDS); /* in world os a wait may end without a signal */
}

/* ---- Time ---- */

static void a_wait_without_signal_times_out(void)
{
    struct monitor monitor = make();
    uint64_t from_ns = solo_now();
    enter(&monitor);
    int result = 0;
    while (result == 0) { /* a wait may end for nothing */
        result = wait(&monitor, 2000);
    }
    CU_ASSERT_EQUAL(result, -ETIMEDOUT);
    CU_ASSERT_EQUAL(solo_mutex_lock(monitor.mutex), -EDEADLK); /* it is ours again */
    leave(&monitor);
    CU_ASSERT_TRUE(solo_now() - from_ns >= 2000);
    CU_ASSERT_TRUE(worlds.sim == NULL || solo_now() - from_ns == 2000);
    destroy(&monitor);
}

static void test_condition__a_wait_times_out_with_the_mutex_held_again(void)
{
    worlds_run(a_wait_without_signal_times_out);
}

static void signal_later(void *arg)
{
    struct monitor *monitor = arg;
    solo_sleep(500);
    enter(monitor);
    monitor->open = true;
    CU_ASSERT_EQUAL(solo_condition_signal(monitor->changed), 0);
    leave(monitor);
}

static void a_signal_in_time_is_no_timeout(void)
{
    struct monitor monitor = make();
    struct solo_thread *other = start(signal_later, &monitor);
    enter(&monitor);
    CU_ASSERT_EQUAL(wait(&monitor, 1000), 0);
    CU_ASSERT_TRUE(monitor.open);
    CU_ASSERT_EQUAL(solo_now(), 500);
    leave(&monitor);
    join(other);
    destroy(&monitor);
}

static void test_condition__a_signal_in_time_is_no_timeout(void)
{
    worlds_run_sim(a_signal_in_time_is_no_timeout, WORLDS_SEEDS);
}

static void zero_and_huge_timeouts(void)
{
    struct monitor monitor = make();
    enter(&monitor);
    int result = wait(&monitor, 0);
    CU_ASSERT_TRUE(result == -ETIMEDOUT || (worlds.sim == NULL && result == 0));
    leave(&monitor);
    struct solo_thread *other = start(signal_later, &monitor);
    enter(&monitor);
    while (!monitor.open) {
        CU_ASSERT_EQUAL(wait(&monitor, SOLO_NEVER - 1), 0);
    }
    leave(&monitor);
    join(other);
    destroy(&monitor);
}

static void test_condition__a_timeout_may_be_nothing_or_nearly_for_ever(void)
{
    worlds_run(zero_and_huge_timeouts);
}

/* ---- Bad use ---- */

static void the_mutex_must_be_held(void)
{
    struct monitor monitor = make();
    CU_ASSERT_EQUAL(wait(&monitor, SOLO_NEVER), -EPERM);
    destroy(&monitor); /* nobody waits */
}

static void test_condition__the_mutex_must_be_held(void)
{
    worlds_run(the_mutex_must_be_held);
}

static void not_while_somebody_waits(void)
{
    struct monitor monitor = make();
    struct solo_thread *thread = start(pass_the_gate, &monitor);
    CU_ASSERT_EQUAL(solo_semaphore_wait(monitor.there, SOLO_NEVER), 0);
    enter(&monitor); /* it let go of the mutex to wait */
    CU_ASSERT_EQUAL(solo_condition_destroy(monitor.changed), -EBUSY);
    monitor.open = true;
    CU_ASSERT_EQUAL(solo_condition_signal(monitor.changed), 0);
    leave(&monitor);
    join(thread);
    destroy(&monitor);
}

static void test_condition__it_is_not_destroyed_while_somebody_waits(void)
{
    worlds_run(not_while_somebody_waits);
}

static void after_its_end(void)
{
    struct monitor monitor = make();
    CU_ASSERT_EQUAL(solo_condition_destroy(monitor.changed), 0);
    CU_ASSERT_EQUAL(solo_condition_signal(monitor.changed), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_condition_broadcast(monitor.changed), SOLO_ECLOSED);
    enter(&monitor);
    CU_ASSERT_EQUAL(wait(&monitor, 0), SOLO_ECLOSED);
    leave(&monitor);
    CU_ASSERT_EQUAL(solo_condition_destroy(monitor.changed), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 4);
    CU_ASSERT_EQUAL(solo_mutex_destroy(monitor.mutex), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(monitor.there), 0);
}

static void test_condition__use_after_destroy_is_solo006(void)
{
    worlds_run(after_its_end);
}

static void bad_arguments(void)
{
    struct monitor monitor = make();
    CU_ASSERT_EQUAL(solo_condition_create(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_condition_destroy(NULL), 0);
    CU_ASSERT_EQUAL(solo_condition_signal(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_condition_broadcast(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_condition_wait(NULL, monitor.mutex, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_condition_wait(monitor.changed, NULL, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_condition_signal((struct solo_condition *)(void *)monitor.mutex), -EINVAL);
    destroy(&monitor);
}

static void test_condition__what_is_no_condition_is_refused(void)
{
    worlds_run(bad_arguments);
}

/* ---- What is announced ---- */

static void write_down(const struct solo_event *event, void *arg)
{
    char *seen = arg;
    size_t used = strlen(seen);
    if (event->kind == SOLO_PROBE_WAITED) {
        snprintf(seen + used, 256 - used, "waited=%d ", (int)event->value);
    } else if (event->kind != SOLO_PROBE_TIME) {
        snprintf(seen + used, 256 - used, "%s ", solo_probe_kind_text(event->kind));
    }
}

static void waiting_is_announced(void)
{
    struct monitor monitor = make();
    char seen[256] = "";
    enter(&monitor);
    CU_ASSERT_EQUAL(solo_probe_subscribe(write_down, seen), 0);
    CU_ASSERT_EQUAL(wait(&monitor, 10), -ETIMEDOUT);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(write_down, seen), 0);
    leave(&monitor);
    CU_ASSERT_EQUAL(strncmp(seen, "wait unlock block unblock locked waited=-110 ", sizeof seen), 0);
    destroy(&monitor);
}

static void test_condition__the_steps_of_a_wait_are_announced(void)
{
    worlds_run_sim(waiting_is_announced, 1);
}

void suite_condition(void)
{
    SOLO_SUITE("condition");
    SOLO_TEST(test_condition__every_signal_reaches_somebody_who_waits);
    SOLO_TEST(test_condition__a_signal_may_be_given_without_the_mutex_and_is_not_lost);
    SOLO_TEST(test_condition__a_broadcast_wakes_everybody);
    SOLO_TEST(test_condition__a_signal_wakes_one_waiter);
    SOLO_TEST(test_condition__a_signal_that_nobody_waits_for_is_forgotten);
    SOLO_TEST(test_condition__a_wait_times_out_with_the_mutex_held_again);
    SOLO_TEST(test_condition__a_signal_in_time_is_no_timeout);
    SOLO_TEST(test_condition__a_timeout_may_be_nothing_or_nearly_for_ever);
    SOLO_TEST(test_condition__the_mutex_must_be_held);
    SOLO_TEST(test_condition__it_is_not_destroyed_while_somebody_waits);
    SOLO_TEST(test_condition__use_after_destroy_is_solo006);
    SOLO_TEST(test_condition__what_is_no_condition_is_refused);
    SOLO_TEST(test_condition__the_steps_of_a_wait_are_announced);
}
