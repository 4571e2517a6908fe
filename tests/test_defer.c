/* test_defer.c - defer to thread: results, cancels and shutdowns. */
#include "worlds.h"
#include <solo/pool_control.h>

static struct solo_reactor *reactor;
static int begun;
static struct solo_semaphore *inside, *leave;

static struct solo_semaphore *make_semaphore(void)
{
    struct solo_semaphore *semaphore = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &semaphore), 0);
    return semaphore;
}

static void begin(unsigned max)
{
    struct solo_reactor_options options = {.pool_max = max};
    begun = 0;
    inside = make_semaphore();
    leave = make_semaphore();
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
}

static void end(void)
{
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
}

static struct solo_deferred *defer(solo_work_fn work, void *arg)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_defer_to_thread(reactor, work, arg, &deferred), 0);
    return deferred;
}

static void stop(void *arg)
{
    (void)arg;
    worlds_stop(reactor);
}

static void run(void)
{
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
}

/* ---- Callbacks ---- */

static struct {
    int values, failures, status;
    void *value;
    bool on_reactor;
} seen;

static struct solo_result on_value(struct solo_result result, void *arg)
{
    seen.values++;
    seen.value = result.value;
    (void)solo_reactor_is_reactor_thread(reactor, &seen.on_reactor);
    if (arg != NULL) {
        stop(NULL);
    }
    return solo_value(NULL);
}

static struct solo_result on_failure(struct solo_result result, void *arg)
{
    seen.failures++;
    seen.status = result.status;
    (void)solo_reactor_is_reactor_thread(reactor, &seen.on_reactor);
    if (arg != NULL) {
        stop(NULL);
    }
    return solo_value(NULL);
}

/* Looks at the result and lets the Deferred go at once; with `stops` the reactor stops then. */
static void listen_to(struct solo_deferred *deferred, bool stops)
{
    memset(&seen, 0, sizeof seen);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, on_value, on_failure, stops ? &seen : NULL), 0);
}

static void listen_and_release(struct solo_deferred *deferred, bool stops)
{
    listen_to(deferred, stops);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

static void saw(int values, int failures, int status)
{
    CU_ASSERT_EQUAL(seen.values, values);
    CU_ASSERT_EQUAL(seen.failures, failures);
    CU_ASSERT_EQUAL(seen.status, status);
}

/* ---- Work ---- */

static struct solo_result echo(void *arg)
{
    (void)__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
    return solo_value(arg);
}

static struct solo_result fail(void *arg)
{
    (void)__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
    return solo_failure(*(int *)arg);
}

static struct solo_result stay(void *arg)
{
    (void)__atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
    (void)solo_semaphore_post(inside);
    (void)solo_semaphore_wait(leave, SOLO_NEVER);
    return solo_value(arg);
}

/* ---- Results ---- */

static void value_body(void)
{
    int thing;
    begin(2);
    listen_and_release(defer(echo, &thing), true);
    run();
    saw(1, 0, 0);
    CU_ASSERT_PTR_EQUAL(seen.value, &thing);
    CU_ASSERT(seen.on_reactor);
    CU_ASSERT_EQUAL(begun, 1);
    end();
}

static void test_defer__the_result_comes_to_the_reactor_thread_even_if_the_user_let_go(void)
{
    worlds_run(value_body);
}

static void failure_body(void)
{
    int status = -ENOENT;
    begin(2);
    listen_and_release(defer(fail, &status), true);
    run();
    saw(0, 1, -ENOENT);
    CU_ASSERT(seen.on_reactor);
    end();
}

static void test_defer__a_failure_goes_to_the_errback(void)
{
    worlds_run(failure_body);
}

static void bad_status_body(void)
{
    int status = 7;
    begin(1);
    listen_and_release(defer(fail, &status), true);
    run();
    saw(0, 1, -EINVAL);
    end();
}

static void test_defer__a_status_that_is_neither_success_nor_failure_is_a_failure(void)
{
    worlds_run(bad_status_body);
}

static struct solo_result wait_for_arg(void *arg)
{
    return solo_wait_for(arg);
}

static void wait_for_body(void)
{
    struct solo_deferred *inner = NULL;
    begin(1);
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &inner), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, solo_value(NULL)), 0);
    listen_and_release(defer(wait_for_arg, inner), true); /* gives its reference away: it is not leaked */
    run();
    saw(0, 1, -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_release(inner), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 1);
    end();
}

static void test_defer__work_that_returns_a_deferred_is_a_failure(void)
{
    worlds_run(wait_for_body);
}

static void several_body(void)
{
    int things[4];
    begin(2);
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 4; i++) {
        struct solo_deferred *deferred = defer(echo, &things[i]);
        CU_ASSERT_EQUAL(solo_deferred_add(deferred, on_value, on_failure, NULL), 0);
        CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    }
    worlds_run_to_end(reactor); /* stops at once: the drain brings all results home */
    saw(4, 0, 0);
    end();
}

static void test_defer__results_in_flight_when_the_reactor_stops_still_arrive(void)
{
    worlds_run(several_body);
}

static void bad_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin(1);
    CU_ASSERT_EQUAL(solo_defer_to_thread(NULL, echo, NULL, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_defer_to_thread(reactor, NULL, NULL, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_defer_to_thread(reactor, echo, NULL, NULL), -EINVAL);
    CU_ASSERT_PTR_NULL(deferred);
    end();
}

static void test_defer__bad_arguments_are_refused(void)
{
    worlds_run(bad_body);
}

static int refused;

static void defer_on_worker(void *arg)
{
    struct solo_deferred *deferred = NULL;
    (void)arg;
    refused = solo_defer_to_thread(reactor, echo, NULL, &deferred);
    CU_ASSERT_PTR_NULL(deferred);
}

static void then_stop(int status, void *arg)
{
    (void)status;
    stop(arg);
}

static void wrong_thread_body(void)
{
    begin(1);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, defer_on_worker, NULL, then_stop), 0);
    run();
    CU_ASSERT_EQUAL(refused, SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(begun, 0);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    end();
}

static void test_defer__on_a_worker_it_is_refused(void)
{
    worlds_run(wrong_thread_body);
}

/* ---- Cancelling ---- */

static void cancel_queued_body(void)
{
    struct solo_pool *pool = NULL;
    struct solo_pool_statistics now;
    begin(1);
    struct solo_deferred *deferred = defer(echo, NULL); /* the reactor does not run: it waits */
    listen_to(deferred, false);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    saw(0, 1, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0); /* nothing more to cancel */
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
    CU_ASSERT_EQUAL(now.queued, 0);
    CU_ASSERT_EQUAL(now.handed_back, 1);
    worlds_run_to_end(reactor);
    CU_ASSERT_EQUAL(begun, 0);
    saw(0, 1, SOLO_ECANCELLED);
    end();
}

static void test_defer__cancelled_before_it_begins_the_work_never_runs(void)
{
    worlds_run(cancel_queued_body);
}

static struct solo_deferred *running;

static void cancel_running(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_cancel(running), 0);
    saw(0, 1, SOLO_ECANCELLED); /* at once */
    CU_ASSERT_EQUAL(solo_deferred_release(running), 0);
    (void)solo_semaphore_post(leave); /* the late result finds nobody */
    stop(NULL);
}

static void cancel_when_in(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(inside, SOLO_NEVER);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, cancel_running, NULL, NULL), 0);
}

static void cancel_running_body(void)
{
    struct solo_thread *canceller = NULL;
    begin(1);
    running = defer(stay, &running);
    listen_to(running, false);
    CU_ASSERT_EQUAL(solo_thread_create(cancel_when_in, NULL, &canceller), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(canceller), 0);
    CU_ASSERT_EQUAL(begun, 1);
    saw(0, 1, SOLO_ECANCELLED);
    end();
}

static void test_defer__cancelled_while_it_runs_it_fails_at_once_and_the_late_result_is_dropped(void)
{
    worlds_run(cancel_running_body);
}

/* Whenever the cancel comes, the callbacks run once: with the value or with the cancel. */
static void cancel_now(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_cancel(running), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(running), 0);
    stop(NULL);
}

static void cancel_anyhow(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, cancel_now, NULL, NULL), 0);
}

static void cancel_race_body(void)
{
    struct solo_thread *canceller = NULL;
    begin(1);
    running = defer(echo, NULL);
    listen_to(running, false);
    CU_ASSERT_EQUAL(solo_thread_create(cancel_anyhow, NULL, &canceller), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(canceller), 0);
    CU_ASSERT_EQUAL(seen.values + seen.failures, 1);
    CU_ASSERT(seen.values == 1 ? begun == 1 : seen.status == SOLO_ECANCELLED);
    end();
}

static void test_defer__however_cancel_and_result_race_the_chain_runs_once(void)
{
    worlds_run_os(cancel_race_body);
    worlds_run_sim(cancel_race_body, 300);
}

/* ---- Shutdown ---- */

static void never_run_body(void)
{
    begin(1);
    listen_and_release(defer(echo, NULL), false);
    worlds_destroy(reactor);
    saw(0, 1, SOLO_ECLOSING);
    CU_ASSERT_EQUAL(begun, 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
}

static void test_defer__work_that_never_runs_fails_with_closing(void)
{
    worlds_run(never_run_body);
}

static void try_late(void *arg)
{
    struct solo_deferred *deferred = NULL;
    (void)arg;
    refused = solo_defer_to_thread(reactor, echo, NULL, &deferred);
    CU_ASSERT_PTR_NULL(deferred);
    (void)solo_semaphore_post(leave);
}

/* As a call: stops, and calls the argument's function in the next pass, when the pool drains. */
static void stop_then(void *fn)
{
    stop(NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, *(solo_call_fn *)fn, NULL, NULL, NULL), 0);
}

static void closing_body(void)
{
    begin(1);
    refused = 0;
    listen_and_release(defer(stay, NULL), false);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_then, &(solo_call_fn){try_late}, NULL), 0);
    run();
    CU_ASSERT_EQUAL(refused, SOLO_ECLOSING);
    saw(1, 0, 0);
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_defer_to_thread(reactor, echo, NULL, &deferred), SOLO_ECLOSING);
    CU_ASSERT_PTR_NULL(deferred);
    end();
}

static void test_defer__a_stopping_pool_refuses_it_and_no_deferred_is_made(void)
{
    worlds_run(closing_body);
}

static struct solo_result cancel_other(struct solo_result result, void *arg)
{
    CU_ASSERT_EQUAL(result.status, SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_deferred_cancel(arg), 0);
    return solo_value(NULL);
}

static void cancel_while_handing_back_body(void)
{
    begin(1);
    struct solo_deferred *first = defer(echo, NULL);
    struct solo_deferred *second = defer(echo, NULL);
    CU_ASSERT_EQUAL(solo_deferred_add(first, NULL, cancel_other, second), 0);
    listen_to(second, false);
    CU_ASSERT_EQUAL(solo_deferred_release(first), 0);
    worlds_destroy(reactor);
    saw(0, 1, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(solo_deferred_release(second), 0); /* its reactor is gone, it is not */
    CU_ASSERT_EQUAL(solo_semaphore_destroy(inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
}

static void test_defer__one_handed_back_may_cancel_the_next(void)
{
    worlds_run(cancel_while_handing_back_body);
}

static void stop_when_in(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(inside, SOLO_NEVER);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
}

static struct solo_semaphore *came_back;

static struct solo_result stay_and_tell(void *arg)
{
    struct solo_result result = stay(arg);
    (void)solo_semaphore_post(came_back);
    return result;
}

static void wedged_body(void)
{
    struct solo_thread *stopper = NULL;
    struct solo_reactor_options options = {.pool_max = 1, .drain_max_ns = WORLDS_MS};
    begun = 0;
    inside = make_semaphore();
    leave = make_semaphore();
    came_back = make_semaphore();
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    listen_and_release(defer(stay_and_tell, NULL), false);
    CU_ASSERT_EQUAL(solo_thread_create(stop_when_in, NULL, &stopper), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(stopper), 0);
    worlds_destroy(reactor);
    saw(0, 1, SOLO_ECLOSING);
    worlds_expect(SOLO004_DEADLOCK, 1);
    (void)solo_semaphore_post(leave); /* it comes back to a reactor that is gone */
    (void)solo_semaphore_wait(came_back, SOLO_NEVER);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(came_back), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
}

static void test_defer__work_left_behind_by_a_stop_fails_with_closing(void)
{
    worlds_run(wedged_body);
}

/* ---- With the remote control: a report that is held is a result that is not there yet ---- */

static struct solo_pool *the_pool;

static void look_and_release(void *arg)
{
    (void)arg;
    bool has = true;
    CU_ASSERT_EQUAL(solo_deferred_has_result(running, &has, NULL), 0);
    CU_ASSERT(!has);
    CU_ASSERT_EQUAL(solo_pool_hold(the_pool, false), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(running), 0);
}

static void direct(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_start_job(the_pool, 1, 1), 0);
    (void)solo_semaphore_wait(inside, SOLO_NEVER);
    (void)solo_semaphore_post(leave);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, look_and_release, NULL, NULL), 0);
}

static void raise_curtain(void *arg)
{
    CU_ASSERT_EQUAL(solo_thread_create(direct, NULL, arg), 0);
}

static void held_body(void)
{
    struct solo_thread *director = NULL;
    begin(1);
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, &the_pool), 0);
    CU_ASSERT_EQUAL(solo_pool_hold(the_pool, true), 0);
    running = defer(stay, NULL);
    listen_to(running, true);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, raise_curtain, &director, NULL), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(director), 0);
    saw(1, 0, 0);
    end();
}

static void test_defer__a_held_report_is_no_result_yet(void)
{
    worlds_run(held_body);
}

/* Taken back by its number first: the worker's end of it and the Deferred's come together later. */
static void taken_back_body(void)
{
    struct solo_pool *pool = NULL;
    struct solo_pool_statistics now;
    begin(1);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    struct solo_deferred *deferred = defer(echo, NULL), *last = defer(echo, NULL);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, 1), 0);
    listen_to(deferred, false);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    saw(0, 1, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
    CU_ASSERT_EQUAL(now.queued, 1);
    CU_ASSERT_EQUAL(now.handed_back, 1);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    listen_and_release(last, true);
    run();
    saw(1, 0, 0);
    end();
}

static void test_defer__one_taken_back_by_number_may_be_cancelled_as_well(void)
{
    worlds_run(taken_back_body);
}

void suite_defer(void)
{
    SOLO_SUITE("defer");
    SOLO_TEST(test_defer__the_result_comes_to_the_reactor_thread_even_if_the_user_let_go);
    SOLO_TEST(test_defer__a_failure_goes_to_the_errback);
    SOLO_TEST(test_defer__a_status_that_is_neither_success_nor_failure_is_a_failure);
    SOLO_TEST(test_defer__work_that_returns_a_deferred_is_a_failure);
    SOLO_TEST(test_defer__results_in_flight_when_the_reactor_stops_still_arrive);
    SOLO_TEST(test_defer__bad_arguments_are_refused);
    SOLO_TEST(test_defer__on_a_worker_it_is_refused);
    SOLO_TEST(test_defer__cancelled_before_it_begins_the_work_never_runs);
    SOLO_TEST(test_defer__cancelled_while_it_runs_it_fails_at_once_and_the_late_result_is_dropped);
    SOLO_TEST(test_defer__however_cancel_and_result_race_the_chain_runs_once);
    SOLO_TEST(test_defer__work_that_never_runs_fails_with_closing);
    SOLO_TEST(test_defer__a_stopping_pool_refuses_it_and_no_deferred_is_made);
    SOLO_TEST(test_defer__one_handed_back_may_cancel_the_next);
    SOLO_TEST(test_defer__one_taken_back_by_number_may_be_cancelled_as_well);
    SOLO_TEST(test_defer__work_left_behind_by_a_stop_fails_with_closing);
    SOLO_TEST(test_defer__a_held_report_is_no_result_yet);
}
