/*
 * test_call_out.c - SOLO016: a lock that is held while the kit calls what somebody else registered, and what is called
 * there has to wait. Each condition of the rule (oracle_call_out.c) has a program that differs in nothing else and is
 * silent. What calls back at all is test_call_back.c's.
 */
#include "calls_out.h"
#include <errno.h>

/* ---- It takes another lock ---- */

static void takes_another(void *arg)
{
    (void)arg;
    vary(takes, "1", "0 1");
}

static void test_call_out__a_callback_that_takes_another_lock_is_found(void)
{
    run_in_both(takes_another, 1);
    run_in_sim(takes_another, SOLO_CARRIER_FIBER);
    const struct solo_violation *violation = &seen.violations[0];
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_mutex_lock");
    CU_ASSERT_STRING_EQUAL(violation->text,
                           "lock held while calling out: `main` holds mutex#1 and calls the kit, where "
                           "a callback of deferred#1, registered by `main`, takes mutex#2");
    CU_ASSERT_PTR_NOT_NULL(strstr(violation->help, "solo_reactor_call_from_thread"));
    CU_ASSERT_STRING_EQUAL(violation->thread, "main");
    CU_ASSERT_STRING_EQUAL(violation->object, "mutex#1");
    CU_ASSERT_STRING_EQUAL(violation->job, "deferred#1");
    CU_ASSERT_STRING_EQUAL(violation->queued_by, "main");
    CU_ASSERT(violation->step > 0);
    CU_ASSERT_EQUAL(violation->amount, 1);
}

/* The innermost function on it that is not the kit's. */
static const char *function_on(const struct solo_stack *stack)
{
    static struct solo_frame_text frame;
    return solo_symbolize_stack(stack, &frame, 1) == 1 ? frame.function : "";
}

static void test_call_out__it_says_where_the_lock_was_taken_and_the_callback_registered(void)
{
    solo_oracles_name_places(true);
    run_in_sim(takes_another, SOLO_CARRIER_FIBER);
    solo_oracles_name_places(false);
    const struct solo_violation *violation = &seen.violations[0];
    CU_ASSERT_STRING_EQUAL(function_on(&violation->stack), "take");
    CU_ASSERT_STRING_EQUAL(function_on(&violation->owner_stack), "lock");
    CU_ASSERT_STRING_EQUAL(function_on(&violation->queued_stack), "add");
    CU_ASSERT_STRING_EQUAL(violation->owner, "main");
    CU_ASSERT_STRING_EQUAL(violation->owner_bound, "solo_mutex_lock");
    unsigned places = 0;
    for (const char *at = violation->text; *at != '\0'; at++) {
        places += strncmp(at, " (calls_out.h:", 14) == 0 || strncmp(at, " (judged.h:", 11) == 0;
    }
    CU_ASSERT_EQUAL(places, 4); /* taken, called, registered, takes */
}

static void unlocks_first(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    let_another(take, "0 1");
    lock(0);
    unlock(0);
    fire();
    tear_down();
}

static void test_call_out__who_unlocks_first_is_fine(void)
{
    run_in_both(unlocks_first, 0);
}

static void only_computes(void *arg)
{
    (void)arg;
    vary(computes, NULL, "0 1");
}

static void test_call_out__a_callback_that_only_computes_is_fine(void)
{
    run_in_both(only_computes, 0);
}

static void nobody_else_takes_0(void *arg)
{
    (void)arg;
    vary(takes, "1", "1");
}

static void nobody_else_takes_1(void *arg)
{
    (void)arg;
    vary(takes, "1", "0");
}

static void test_call_out__locks_of_one_thread_keep_nobody_waiting(void)
{
    run_in_both(nobody_else_takes_0, 0);
    run_in_both(nobody_else_takes_1, 0);
}

static void the_order_is_known(void *arg)
{
    (void)arg;
    vary(takes, "1", "01");
}

static void test_call_out__an_order_that_is_taken_without_a_callback_too_is_known(void)
{
    run_in_both(the_order_is_known, 0);
}

static void one_of_two_orders_is_known(void *arg)
{
    (void)arg;
    vary(takes, "2", "01 02 2"); /* 01 is of no help, 02 is */
}

static void another_order_is_known(void *arg)
{
    (void)arg;
    vary(takes, "2", "01 2");
}

static void test_call_out__another_order_that_is_known_is_of_no_help(void)
{
    run_in_both(one_of_two_orders_is_known, 0);
    run_in_both(another_order_is_known, 1);
}

static void registered_under_it(void *arg)
{
    (void)arg;
    set_up();
    lock(0);
    add(takes, "1");
    unlock(0);
    let_another(take, "0 1");
    fire_under_0();
    tear_down();
}

static void registered_under_another(void *arg)
{
    (void)arg;
    set_up();
    lock(2);
    add(takes, "1");
    unlock(2);
    let_another(take, "0 1");
    fire_under_0();
    tear_down();
}

/* The eleventh has no room in the Deferred itself. */
static void add_twelve(bool last_under_it)
{
    set_up();
    for (unsigned i = 0; i < 12; i++) {
        bool under_it = i < 11 || last_under_it;
        if (under_it) {
            lock(0);
        }
        add(i < 11 ? computes : takes, "1");
        if (under_it) {
            unlock(0);
        }
    }
    let_another(take, "0 1");
    fire_under_0();
    tear_down();
}

static void all_twelve_under_it(void *arg)
{
    (void)arg;
    add_twelve(true);
}

static void eleven_under_it(void *arg)
{
    (void)arg;
    add_twelve(false);
}

static void test_call_out__who_registers_a_callback_with_the_lock_held_means_it(void)
{
    run_in_both(registered_under_it, 0);
    run_in_both(registered_under_another, 1);
    run_in_both(all_twelve_under_it, 0);
    run_in_both(eleven_under_it, 1);
}

/* Two locks are held, and whoever registered the callback held one of them. */
static void two_held_one_meant(void *arg)
{
    (void)arg;
    set_up();
    lock(2);
    add(takes, "1");
    unlock(2);
    let_another(take, "0 1 2");
    lock(0);
    lock(2);
    fire();
    unlock(2);
    unlock(0);
    tear_down();
}

static void test_call_out__of_two_locks_it_is_the_one_that_was_not_meant(void)
{
    run_in_both(two_held_one_meant, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.violations[0].text, "` holds mutex#"));
    run_in_sim(two_held_one_meant, SOLO_CARRIER_FIBER);
    CU_ASSERT_STRING_EQUAL(seen.violations[0].object, "mutex#1");
}

/* The callback lets go of its caller's lock while it takes the other. */
static struct solo_result lets_go_meanwhile(struct solo_result previous, void *arg)
{
    unlock(0);
    take(arg);
    lock(0);
    take(arg); /* under a lock of its own now */
    return previous;
}

static void lets_go(void *arg)
{
    (void)arg;
    vary(lets_go_meanwhile, "1", "0 1");
}

static void test_call_out__a_callback_that_lets_go_of_the_lock_is_fine(void)
{
    run_in_both(lets_go, 0);
}

static void in_a_circle(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    struct solo_thread *thread;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(take, (void *)(uintptr_t) "10", &thread), 0);
    (void)solo_sleep(1000000);
    fire_under_0();
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    tear_down();
}

static void test_call_out__locks_in_a_circle_are_said_once(void)
{
    run_in_sim(in_a_circle, SOLO_CARRIER_FIBER);
    expect_warning(1);
    CU_ASSERT_STRING_EQUAL(seen.violations[0].text,
                           "possible deadlock: `main` takes mutex#2 in a callback while it holds mutex#1, and `main/1` "
                           "takes mutex#1 while it holds mutex#2");
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.violations[0].help, "unlock before a call that runs callbacks"));
    CU_ASSERT_EQUAL(seen.violations[0].amount, 0);
}

static struct solo_result takes_many(struct solo_result previous, void *arg)
{
    for (unsigned i = 0; i < 20; i++) {
        take(arg); /* their order is known */
    }
    take((void *)(uintptr_t) "8");
    take((void *)(uintptr_t) "9");
    return previous;
}

static void again_and_again(void *arg)
{
    (void)arg;
    vary(takes_many, "1 2", "01 02 8 9");
}

static void in_two_places(void *arg)
{
    struct solo_deferred *another;
    (void)arg;
    set_up();
    add(takes, "1");
    CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, NULL, NULL, &another), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(another, takes, NULL, (void *)(uintptr_t) "1"), 0);
    let_another(take, "0 1");
    fire_under_0();
    lock(0);
    CU_ASSERT_EQUAL(solo_deferred_fire(another, solo_value(NULL)), 0);
    unlock(0);
    CU_ASSERT_EQUAL(solo_deferred_release(another), 0);
    tear_down();
}

static void test_call_out__each_call_is_said_once_whatever_happens_in_it(void)
{
    run_in_both(again_and_again, 1);
    run_in_both(in_two_places, 2);
}

/* ---- It asks for the lock of its caller ---- */

static struct solo_result asks_for_0(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[0]), -EDEADLK);
    return previous;
}

static void asks_again(void *arg)
{
    (void)arg;
    vary(asks_for_0, NULL, "2");
}

static struct solo_result takes_0_of_its_own(struct solo_result previous, void *arg)
{
    (void)arg;
    lock(0);
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[0]), -EDEADLK);
    unlock(0);
    return previous;
}

static void asks_for_its_own(void *arg)
{
    (void)arg;
    set_up();
    add(takes_0_of_its_own, NULL);
    lock(2);
    fire();
    unlock(2);
    tear_down();
}

static void test_call_out__a_callback_that_is_refused_its_callers_lock_is_found(void)
{
    run_in_both(asks_again, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.violations[0].text, "asks for it once more and is refused"));
    run_in_both(asks_for_its_own, 0);
}

/* ---- It waits for something else ---- */

static void gives(void *arg)
{
    CU_ASSERT_EQUAL(solo_sleep(1000000), 0);
    CU_ASSERT_EQUAL(solo_semaphore_post(semaphore), 0);
    take(arg);
}

static void wait_under_0(const char *others)
{
    struct solo_thread *thread;
    set_up();
    add(waits, NULL);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(gives, (void *)(uintptr_t)others, &thread), 0);
    fire_under_0();
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    tear_down();
}

static void waits_in_a_callback(void *arg)
{
    (void)arg;
    wait_under_0("0");
}

static void nobody_else_takes_0_meanwhile(void *arg)
{
    (void)arg;
    wait_under_0("1");
}

static void has_not_to_wait(void *arg)
{
    (void)arg;
    set_up();
    add(waits, NULL);
    CU_ASSERT_EQUAL(solo_semaphore_post(semaphore), 0);
    let_another(take, "0");
    fire_under_0();
    tear_down();
}

static void test_call_out__a_callback_that_waits_for_another_thread_is_found(void)
{
    run_in_sim(waits_in_a_callback, SOLO_CARRIER_FIBER);
    expect_warning(1);
    CU_ASSERT_STRING_EQUAL(seen.violations[0].function, "solo_semaphore_wait");
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.violations[0].text, "waits for a semaphore"));
    run_in_sim(nobody_else_takes_0_meanwhile, SOLO_CARRIER_FIBER);
    expect_warning(0);
    run_in_sim(has_not_to_wait, SOLO_CARRIER_FIBER);
    expect_warning(0);
}

static struct solo_result sleeps(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_sleep(1000), 0);
    return previous;
}

static void only_sleeps(void *arg)
{
    (void)arg;
    vary(sleeps, NULL, "0");
}

static void holds_1_for_a_while(void *arg)
{
    take(arg);
    lock(1);
    CU_ASSERT_EQUAL(solo_sleep(1000000), 0);
    unlock(1);
}

/* It waits for a lock that it may take there. */
static void waits_for_a_known_lock(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    set_up();
    add(takes, "1");
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(holds_1_for_a_while, (void *)(uintptr_t) "01", &thread), 0);
    CU_ASSERT_EQUAL(solo_sleep(1000), 0);
    fire_under_0();
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    tear_down();
}

static void test_call_out__a_callback_that_sleeps_or_waits_for_a_known_lock_is_fine(void)
{
    run_in_sim(only_sleeps, SOLO_CARRIER_FIBER);
    expect_warning(0);
    run_in_sim(waits_for_a_known_lock, SOLO_CARRIER_FIBER);
    expect_warning(0);
}

/* In the loop that is a finding of its own, with a lock or without. */
static void waits_in_the_loop(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    set_up();
    add(waits, NULL);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(gives, (void *)(uintptr_t) "0", &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, fire_and_stop, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    tear_down();
}

static void test_call_out__a_callback_that_waits_in_the_loop_blocks_the_reactor_and_no_more(void)
{
    run_in_sim(waits_in_the_loop, SOLO_CARRIER_FIBER);
    CU_ASSERT_EQUAL_FATAL(seen.count, 1);
    CU_ASSERT_EQUAL(seen.violations[0].id, SOLO002_REACTOR_BLOCKED);
}

/* ---- Too much of it ---- */

/* Another thread takes locks in so many orders, but for those of 0 and 1. */
static void with_orders(unsigned count)
{
    static char text[4 * LOCKS * LOCKS];
    char *at = text;
    for (unsigned i = 0; i < LOCKS * LOCKS && count > 0; i++) {
        unsigned first = i / LOCKS, second = i % LOCKS;
        if (first != second && first + second != 1) {
            at += sprintf(at, "%u%u ", first, second);
            count--;
        }
    }
    strcpy(at, "0 1");
    vary(takes, "1", text);
}

static void sixty_orders(void *arg)
{
    (void)arg;
    with_orders(60);
}

static void seventy_orders(void *arg)
{
    (void)arg;
    with_orders(70);
}

static void in_six_places(void *arg)
{
    struct solo_deferred *six[6];
    (void)arg;
    set_up();
    fire();
    let_another(take, "0 1");
    for (unsigned i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, NULL, NULL, &six[i]), 0);
        CU_ASSERT_EQUAL(solo_deferred_add(six[i], takes, NULL, (void *)(uintptr_t) "1"), 0);
    }
    lock(0);
    (void)solo_deferred_fire(six[0], solo_value(NULL));
    (void)solo_deferred_fire(six[1], solo_value(NULL));
    (void)solo_deferred_fire(six[2], solo_value(NULL));
    (void)solo_deferred_fire(six[3], solo_value(NULL));
    (void)solo_deferred_fire(six[4], solo_value(NULL));
    (void)solo_deferred_fire(six[5], solo_value(NULL));
    unlock(0);
    for (unsigned i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(solo_deferred_release(six[i]), 0);
    }
    tear_down();
}

static void test_call_out__a_schedule_has_room_for_other_findings(void)
{
    run_in_sim(in_six_places, SOLO_CARRIER_FIBER);
    expect_warning(4);
}

static void test_call_out__more_orders_than_it_remembers_make_it_silent(void)
{
    run_in_sim(sixty_orders, SOLO_CARRIER_FIBER);
    expect_warning(1);
    run_in_sim(seventy_orders, SOLO_CARRIER_FIBER);
    expect_warning(0);
}

void suite_call_out(void)
{
    SOLO_SUITE("call_out");
    SOLO_TEST(test_call_out__a_callback_that_takes_another_lock_is_found);
    SOLO_TEST(test_call_out__it_says_where_the_lock_was_taken_and_the_callback_registered);
    SOLO_TEST(test_call_out__who_unlocks_first_is_fine);
    SOLO_TEST(test_call_out__a_callback_that_only_computes_is_fine);
    SOLO_TEST(test_call_out__locks_of_one_thread_keep_nobody_waiting);
    SOLO_TEST(test_call_out__an_order_that_is_taken_without_a_callback_too_is_known);
    SOLO_TEST(test_call_out__another_order_that_is_known_is_of_no_help);
    SOLO_TEST(test_call_out__who_registers_a_callback_with_the_lock_held_means_it);
    SOLO_TEST(test_call_out__of_two_locks_it_is_the_one_that_was_not_meant);
    SOLO_TEST(test_call_out__a_callback_that_lets_go_of_the_lock_is_fine);
    SOLO_TEST(test_call_out__locks_in_a_circle_are_said_once);
    SOLO_TEST(test_call_out__each_call_is_said_once_whatever_happens_in_it);
    SOLO_TEST(test_call_out__a_callback_that_is_refused_its_callers_lock_is_found);
    SOLO_TEST(test_call_out__a_callback_that_waits_for_another_thread_is_found);
    SOLO_TEST(test_call_out__a_callback_that_sleeps_or_waits_for_a_known_lock_is_fine);
    SOLO_TEST(test_call_out__a_callback_that_waits_in_the_loop_blocks_the_reactor_and_no_more);
    SOLO_TEST(test_call_out__a_schedule_has_room_for_other_findings);
    SOLO_TEST(test_call_out__more_orders_than_it_remembers_make_it_silent);
}
