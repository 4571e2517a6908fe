/*
 * test_lock_order.c - SOLO016: locks taken in a circle are found where threads can meet, and nowhere else.
 *
 * With the kit's own locks bodies run with the oracles around them, in both worlds. What becomes of a circle when it is
 * explored is test_lock_explored.c's; pthread programs are test_plain_lock_order.c's.
 */
#include "judged.h"
#include <errno.h>

/*
 * One thread for each text, all alive together; in world os too each is done before the next one begins, and nothing
 * that the kit sees says so: what is possible must not depend on luck.
 */
static _Atomic unsigned turn;

struct part {
    const char *text;
    unsigned number;
};

static void take_in_turn(void *arg)
{
    const struct part *part = arg;
    while (turn != part->number) {
        (void)solo_sleep(1000);
    }
    take((void *)(uintptr_t)part->text);
    turn++;
}

static void take_all(const char *const texts[], unsigned count)
{
    struct solo_thread *threads[8];
    struct part parts[8];
    turn = 0;
    make_locks();
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct part){texts[i], i};
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(take_in_turn, &parts[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    destroy_locks();
}

#define TAKE_ALL(...)                                                                                                  \
    do {                                                                                                               \
        static const char *const texts[] = {__VA_ARGS__};                                                              \
        (void)arg;                                                                                                     \
        take_all(texts, sizeof texts / sizeof texts[0]);                                                               \
    } while (0)

static void two(void *arg)
{
    TAKE_ALL("01", "10");
}

static void test_lock_order__both_orders_by_two_threads_are_found(void)
{
    run_in_both(two, 1);
    const struct solo_violation *violation = &seen.violations[0];
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_mutex_lock");
    CU_ASSERT(violation->step > 0);
    run_in_sim(two, SOLO_CARRIER_FIBER);
    CU_ASSERT_STRING_EQUAL(violation->text, "possible deadlock: `main/2` takes mutex#1 while it holds mutex#2, and "
                                            "`main/1` takes mutex#2 while it holds mutex#1");
    CU_ASSERT_STRING_EQUAL(violation->thread, "main/2");
    CU_ASSERT_STRING_EQUAL(violation->object, "mutex#1");
    struct solo_frame_text frame;
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&violation->stack, &frame, 1), 1);
    CU_ASSERT_STRING_EQUAL(frame.function, "take");
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&violation->owner_stack, &frame, 1), 1);
    CU_ASSERT_STRING_EQUAL(frame.function, "take");
}

static void one_order(void *arg)
{
    TAKE_ALL("01", "01");
}

static void test_lock_order__one_order_is_fine(void)
{
    run_in_both(one_order, 0);
}

static void one_thread(void *arg)
{
    TAKE_ALL("01 10", "0 1");
}

static void test_lock_order__both_orders_by_one_thread_are_fine(void)
{
    run_in_both(one_thread, 0);
}

static void three(void *arg)
{
    TAKE_ALL("01", "12", "20");
}

static void four(void *arg)
{
    TAKE_ALL("01", "12", "23", "30");
}

static void open_chain(void *arg)
{
    TAKE_ALL("01", "12", "23", "03");
}

static void test_lock_order__a_circle_of_more_threads_is_found_once(void)
{
    run_in_both(three, 1);
    run_in_both(four, 1);
}

static void test_lock_order__a_chain_without_a_circle_is_fine(void)
{
    run_in_both(open_chain, 0);
}

static void gate(void *arg)
{
    TAKE_ALL("901", "910");
}

static void gate_of_two(void *arg)
{
    TAKE_ALL("901", "912", "920");
}

static void different_gates(void *arg)
{
    TAKE_ALL("801", "910");
}

static void test_lock_order__a_lock_that_all_hold_besides_keeps_them_apart(void)
{
    run_in_both(gate, 0);
    run_in_both(gate_of_two, 0);
}

static void test_lock_order__a_lock_of_one_thread_keeps_nobody_apart(void)
{
    run_in_both(different_gates, 1);
}

static void one_after_the_other(void *arg)
{
    (void)arg;
    make_locks();
    let_another(take, "01");
    take("10");
    let_another(take, "01");
    destroy_locks();
}

/* The same, but for who is joined when. */
static void one_beside_the_other(void *arg)
{
    (void)arg;
    make_locks();
    take_beside(take, "01", 1000000);
    destroy_locks();
}

static void test_lock_order__start_and_join_keep_threads_apart(void)
{
    run_in_both(one_after_the_other, 0);
}

static void test_lock_order__a_sleep_keeps_nobody_apart(void)
{
    run_in_sim(one_beside_the_other, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

/* ---- Queued work ---- */

static struct solo_reactor *reactor;

static void stop(void *arg)
{
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

static void backwards_and_stop(void *arg)
{
    take("10");
    stop(arg);
}

static void forwards_and_call(void *arg)
{
    take("01");
    (void)solo_reactor_call_from_thread(reactor, backwards_and_stop, arg, NULL);
}

static void call_and_forwards(void *arg)
{
    (void)solo_reactor_call_from_thread(reactor, backwards_and_stop, arg, NULL);
    take("01");
}

static void run_reactor(void (*job)(void *arg))
{
    make_locks();
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, job, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    destroy_locks();
}

static void job_before_call(void *arg)
{
    (void)arg;
    run_reactor(forwards_and_call);
}

static void job_beside_call(void *arg)
{
    (void)arg;
    run_reactor(call_and_forwards);
}

static void test_lock_order__work_that_was_queued_after_it_comes_after_it(void)
{
    run_in_both(job_before_call, 0);
}

static void test_lock_order__work_that_was_queued_before_it_may_meet_it(void)
{
    run_in_sim(job_beside_call, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

/* ---- Too much of it ---- */

static void ten_deep(void *arg)
{
    TAKE_ALL("0123456789", "9876543210");
}

static void test_lock_order__more_locks_than_it_remembers_make_it_silent(void)
{
    run_in_both(ten_deep, 0);
}

static void many_times(void *arg)
{
    for (int i = 0; i < 400; i++) {
        take(arg);
    }
}

static void two_many_times(void *arg)
{
    (void)arg;
    make_locks();
    take_beside(many_times, "01 02 03 12 13 23", 1000000);
    destroy_locks();
}

static void test_lock_order__what_is_taken_again_and_again_takes_no_room(void)
{
    run_in_sim(two_many_times, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

static void unlock_what_another_holds(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[0]), -EPERM);
}

static void with_refused_unlock(void *arg)
{
    (void)arg;
    make_locks();
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[0]), 0);
    let_another(unlock_what_another_holds, NULL);
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[0]), 0);
    take_beside(take, "01", 1000000);
    destroy_locks();
}

static void test_lock_order__an_unlock_that_is_refused_changes_nothing(void)
{
    run_in_sim(with_refused_unlock, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

void suite_lock_order(void)
{
    SOLO_SUITE("lock_order");
    SOLO_TEST(test_lock_order__both_orders_by_two_threads_are_found);
    SOLO_TEST(test_lock_order__one_order_is_fine);
    SOLO_TEST(test_lock_order__both_orders_by_one_thread_are_fine);
    SOLO_TEST(test_lock_order__a_circle_of_more_threads_is_found_once);
    SOLO_TEST(test_lock_order__a_chain_without_a_circle_is_fine);
    SOLO_TEST(test_lock_order__a_lock_that_all_hold_besides_keeps_them_apart);
    SOLO_TEST(test_lock_order__a_lock_of_one_thread_keeps_nobody_apart);
    SOLO_TEST(test_lock_order__start_and_join_keep_threads_apart);
    SOLO_TEST(test_lock_order__a_sleep_keeps_nobody_apart);
    SOLO_TEST(test_lock_order__work_that_was_queued_after_it_comes_after_it);
    SOLO_TEST(test_lock_order__work_that_was_queued_before_it_may_meet_it);
    SOLO_TEST(test_lock_order__more_locks_than_it_remembers_make_it_silent);
    SOLO_TEST(test_lock_order__what_is_taken_again_and_again_takes_no_room);
    SOLO_TEST(test_lock_order__an_unlock_that_is_refused_changes_nothing);
}
