/* test_deferred_timeout.c - timeouts, and Deferreds that are made with their result. */
#include "deferreds.h"

/* Runs the reactor for a while of its own time. */
static void run_for(uint64_t ms)
{
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, ms * WORLDS_MS, worlds_stop, reactor, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
}

static size_t timers(void)
{
    size_t count = 0;
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(reactor, NULL, 0, &count), 0);
    return count;
}

static void time_out(struct solo_deferred *deferred, int status)
{
    CU_ASSERT_EQUAL(solo_deferred_add_timeout(deferred, WORLDS_MS, status), 0);
}

static void late_body(void)
{
    begin();
    struct solo_deferred *plain = make(), *own = make();
    time_out(plain, 0);
    time_out(own, -EHOSTUNREACH);
    run_for(5);
    CU_ASSERT_EQUAL(status_of(plain), -ETIMEDOUT);
    CU_ASSERT_EQUAL(status_of(own), -EHOSTUNREACH);
    fire(plain, solo_value(NULL)); /* the one firing that nobody could stop is swallowed */
    release_handled(plain);
    release_handled(own);
    end();
}

static void test_timeout__a_late_result_is_a_failure_of_its_own(void)
{
    worlds_run(late_body);
}

static void unhandled_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    time_out(deferred, 0);
    release(deferred); /* the timer keeps it */
    run_for(5);
    worlds_expect(SOLO008_DEFERRED, 1); /* a cancel is no surprise to who cancelled, a timeout is */
    end();
}

static void test_timeout__that_nobody_handles_is_found(void)
{
    worlds_run(unhandled_body);
}

static void in_time_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    time_out(deferred, 0);
    CU_ASSERT_EQUAL(timers(), 1);
    fire(deferred, solo_value("v"));
    CU_ASSERT_EQUAL(timers(), 0);
    CU_ASSERT_EQUAL(status_of(deferred), 0);
    time_out(deferred, 0); /* it has a result: there is nothing to wait for */
    CU_ASSERT_EQUAL(timers(), 0);
    release(deferred);
    end();
}

static void test_timeout__a_result_in_time_ends_the_timer(void)
{
    worlds_run(in_time_body);
}

static void cancel_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    time_out(deferred, 0);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    CU_ASSERT_EQUAL(timers(), 0);
    CU_ASSERT_EQUAL(status_of(deferred), SOLO_ECANCELLED);
    release(deferred);
    end();
}

static void test_timeout__a_cancel_by_the_user_stays_a_cancel_and_ends_the_timer(void)
{
    worlds_run(cancel_body);
}

static void give_value(struct solo_deferred *deferred, void *arg)
{
    fire(deferred, solo_value(arg));
}

static void success_body(void)
{
    struct solo_deferred *given = NULL, *eaten = make();
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, give_value, "v", &given), 0);
    time_out(given, 0);
    CU_ASSERT_EQUAL(solo_deferred_add(eaten, NULL, handle_it, NULL), 0);
    time_out(eaten, 0);
    run_for(5);
    CU_ASSERT_EQUAL(status_of(given), 0);
    CU_ASSERT_EQUAL(status_of(eaten), 0);
    release(given);
    release(eaten);
}

static void whole_success_body(void)
{
    begin();
    success_body();
    end();
}

static void test_timeout__a_canceller_or_an_errback_added_before_can_make_it_a_success(void)
{
    worlds_run(whole_success_body);
}

static void two_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    CU_ASSERT_EQUAL(solo_deferred_add_timeout(deferred, 50 * WORLDS_MS, -EHOSTUNREACH), 0);
    CU_ASSERT_EQUAL(solo_deferred_add_timeout(deferred, WORLDS_MS, -ENETUNREACH), 0);
    run_for(5);
    CU_ASSERT_EQUAL(status_of(deferred), -ENETUNREACH); /* each turns its own cancel only */
    release_handled(deferred);
    end();
}

static void test_timeout__of_several_the_first_due_tells_the_failure(void)
{
    worlds_run(two_body);
}

static struct solo_result wait_for_it(struct solo_result previous, void *arg)
{
    (void)previous;
    return solo_wait_for(arg);
}

static void inner_body(void)
{
    begin();
    struct solo_deferred *outer = make(), *inner = make();
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    time_out(outer, 0);
    fire(outer, solo_value(NULL));
    run_for(5);
    CU_ASSERT_EQUAL(status_of(outer), -ETIMEDOUT);
    release_handled(outer);
    end();
}

static void test_timeout__of_a_chain_that_waits_cancels_the_inner_one(void)
{
    worlds_run(inner_body);
}

static void reactor_ends_body(void)
{
    begin();
    struct solo_deferred *held = make();
    time_out(held, 0);
    struct solo_deferred *gone = make();
    time_out(gone, 0);
    release(gone);
    end(); /* nothing is cancelled; what only the timers kept ends unfired */
    CU_ASSERT_EQUAL(solo_violation_count(SOLO008_DEFERRED), 1);
    release(held);
    worlds_expect(SOLO008_DEFERRED, 2);
}

static void test_timeout__the_end_of_the_reactor_cancels_nothing(void)
{
    worlds_run(reactor_ends_body);
}

static void refused_body(void)
{
    struct solo_deferred *deferred = NULL;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    if (solo_deferred_create(reactor, NULL, NULL, &deferred) == 0) {
        int status = solo_deferred_add_timeout(deferred, WORLDS_MS, 0);
        CU_ASSERT_TRUE(status == 0 || status == -ENOMEM);
        CU_ASSERT_EQUAL(solo_deferred_add_timeout(deferred, WORLDS_MS, 1), -EINVAL);
        fire(deferred, solo_value(NULL));
        release(deferred);
    }
    worlds_destroy(reactor);
}

static void test_timeout__refused_memory_it_was_not_added(void)
{
    CU_ASSERT_TRUE(refusing_run(refused_body, REFUSE_FOR_GOOD) >= 2 + 1 + 2);
}

/* ---- Made with a result ---- */

static struct solo_deferred *given;
static struct solo_result to_give;

static struct solo_result give(void *arg)
{
    note(*(const char *)arg);
    return to_give;
}

static struct solo_deferred *maybe(struct solo_result result)
{
    struct solo_deferred *deferred = NULL;
    to_give = result;
    CU_ASSERT_EQUAL(solo_maybe_deferred(reactor, give, "m", &deferred), 0);
    return deferred;
}

static void maybe_body(void)
{
    begin();
    struct solo_deferred *value = maybe(solo_value("v"));
    CU_ASSERT_STRING_EQUAL(value_of(value), "v");
    release(value);
    struct solo_deferred *failure = maybe(solo_failure(-EIO));
    CU_ASSERT_EQUAL(status_of(failure), -EIO);
    release_handled(failure);
    given = make();
    CU_ASSERT_PTR_EQUAL(maybe(solo_wait_for(given)), given);
    fire(given, solo_value(NULL));
    release(given);
    struct solo_deferred *wrong = maybe(solo_failure(1));
    CU_ASSERT_EQUAL(status_of(wrong), -EINVAL);
    release_handled(wrong);
    noted("mmmm");
    end();
}

static void test_maybe_deferred__gives_a_deferred_whatever_the_function_returns(void)
{
    worlds_run(maybe_body);
}

static void fired_body(void)
{
    begin();
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_succeed(reactor, "v", &deferred), 0);
    CU_ASSERT_STRING_EQUAL(value_of(deferred), "v");
    add_note(deferred, "a");
    release(deferred);
    CU_ASSERT_EQUAL(solo_deferred_fail(reactor, -EIO, &deferred), 0);
    add_note(deferred, "b");
    release(deferred);
    noted("a!");
    CU_ASSERT_EQUAL(solo_deferred_fail(reactor, 0, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_succeed(reactor, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_maybe_deferred(reactor, NULL, NULL, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_succeed(NULL, NULL, &deferred), -EINVAL);
    end();
}

static void test_maybe_deferred__one_can_be_made_with_its_result(void)
{
    worlds_run(fired_body);
}

static void stacks_body(void)
{
    begin();
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_fail(reactor, -EIO, &deferred), 0);
    release(deferred);
    worlds_expect(SOLO008_DEFERRED, 1);
    const struct solo_violation *found = worlds_finding(SOLO008_DEFERRED);
    CU_ASSERT_TRUE(found->queued_stack.count >= 1); /* made */
    CU_ASSERT_TRUE(found->owner_stack.count >= 1);  /* first fired */
    CU_ASSERT_TRUE(found->stack.count >= 1);        /* released */
    CU_ASSERT_STRING_EQUAL(found->owner_bound, "first fired");
    end();
}

static void test_maybe_deferred__a_failure_dropped_is_found_with_where_it_was_made_and_fired(void)
{
    worlds_run(stacks_body);
}

void suite_deferred_timeout(void)
{
    SOLO_SUITE("deferred_timeout");
    SOLO_TEST(test_timeout__a_late_result_is_a_failure_of_its_own);
    SOLO_TEST(test_timeout__that_nobody_handles_is_found);
    SOLO_TEST(test_timeout__a_result_in_time_ends_the_timer);
    SOLO_TEST(test_timeout__a_cancel_by_the_user_stays_a_cancel_and_ends_the_timer);
    SOLO_TEST(test_timeout__a_canceller_or_an_errback_added_before_can_make_it_a_success);
    SOLO_TEST(test_timeout__of_several_the_first_due_tells_the_failure);
    SOLO_TEST(test_timeout__of_a_chain_that_waits_cancels_the_inner_one);
    SOLO_TEST(test_timeout__the_end_of_the_reactor_cancels_nothing);
    SOLO_TEST(test_timeout__refused_memory_it_was_not_added);
    SOLO_TEST(test_maybe_deferred__gives_a_deferred_whatever_the_function_returns);
    SOLO_TEST(test_maybe_deferred__one_can_be_made_with_its_result);
    SOLO_TEST(test_maybe_deferred__a_failure_dropped_is_found_with_where_it_was_made_and_fired);
}
