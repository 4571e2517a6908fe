/*
 * test_call_back.c - SOLO016: which calls run callbacks before they return, and are calls out under a lock, and which
 * are none: the loop's, and those that bring their callback with them.
 */
#include "calls_out.h"

/* ---- The loop ---- */

static void fire_only(void *arg)
{
    (void)arg;
    fire();
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

static void run_the_loop(solo_call_fn fn)
{
    set_up();
    add(takes, "1");
    let_another(take, "0 1");
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, fn, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    tear_down();
}

static void fires_in_the_loop(void *arg)
{
    (void)arg;
    run_the_loop(fire_and_stop);
}

static void run_the_loop_under_0(solo_call_fn fn, const char *others)
{
    let_another(take, others);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, fn, NULL, NULL, NULL), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    unlock(0);
    tear_down();
}

static void runs_the_loop_under_a_lock(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    run_the_loop_under_0(fire_only, "0 1");
}

/* Another lock comes and goes. */
static void use_2_and_fire(void *arg)
{
    take((void *)(uintptr_t) "2");
    fire_only(arg);
}

static void uses_another_in_the_loop(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    run_the_loop_under_0(use_2_and_fire, "0 1");
}

/* A loop inside the loop, under a lock that was taken between them. */
static struct solo_reactor *inner_loop;

static void fire_in_the_inner_loop(void *arg)
{
    CU_ASSERT_EQUAL(solo_deferred_fire(arg, solo_value(NULL)), 0);
    CU_ASSERT_EQUAL(solo_reactor_stop(inner_loop), 0);
}

static void run_another_loop_under_0(void *arg)
{
    struct solo_deferred *another;
    (void)arg;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &inner_loop), 0);
    CU_ASSERT_EQUAL_FATAL(solo_deferred_create(inner_loop, NULL, NULL, &another), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(another, takes, NULL, (void *)(uintptr_t) "1"), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(inner_loop, 0, fire_in_the_inner_loop, another, NULL, NULL), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_reactor_run(inner_loop), 0);
    unlock(0);
    CU_ASSERT_EQUAL(solo_deferred_release(another), 0);
    CU_ASSERT_EQUAL(solo_reactor_destroy(inner_loop), 0);
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

static void runs_a_loop_inside_the_loop(void *arg)
{
    (void)arg;
    set_up();
    fire();
    let_another(take, "0 1");
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, run_another_loop_under_0, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    tear_down();
}

static void test_call_back__a_lock_that_the_loop_runs_under_is_the_loops(void)
{
    run_in_both(fires_in_the_loop, 1);
    run_in_both(runs_the_loop_under_a_lock, 0);
    run_in_both(uses_another_in_the_loop, 0);
    run_in_both(runs_a_loop_inside_the_loop, 0);
}

/* One more lock, taken inside the loop: that one counts. */
static void fire_under_2(void *arg)
{
    (void)arg;
    lock(2);
    fire();
    unlock(2);
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

static void takes_one_more_in_the_loop(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    run_the_loop_under_0(fire_under_2, "0 1 2");
}

static void takes_one_more_that_is_meant(void *arg)
{
    (void)arg;
    set_up();
    lock(2);
    add(takes, "1");
    unlock(2);
    run_the_loop_under_0(fire_under_2, "0 1 2");
}

/* The loop's lock is given back inside it and is not the loop's any more. */
static void give_back_and_fire(void *arg)
{
    unlock(0);
    fire_under_0();
    lock(0);
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
    (void)arg;
}

static void gives_the_loops_lock_back(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    run_the_loop_under_0(give_back_and_fire, "0 1");
}

static void test_call_back__a_lock_that_is_taken_inside_the_loop_is_not_the_loops(void)
{
    run_in_sim(takes_one_more_in_the_loop, SOLO_CARRIER_FIBER);
    expect_warning(1);
    CU_ASSERT_STRING_EQUAL(seen.violations[0].object, "mutex#3");
    run_in_sim(takes_one_more_that_is_meant, SOLO_CARRIER_FIBER);
    expect_warning(0);
    run_in_both(gives_the_loops_lock_back, 1);
}

/* Taken in one callback of the loop, given back in a later one: those between are not called by whoever took it. */
static void keep_0(void *arg)
{
    (void)arg;
    lock(0);
}

static void give_0_back(void *arg)
{
    (void)arg;
    unlock(0);
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

static void fire_between(void *arg)
{
    (void)arg;
    fire();
}

static void keeps_it_between_callbacks(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    let_another(take, "0 1");
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, keep_0, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, fire_between, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, give_0_back, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    tear_down();
}

static void test_call_back__callbacks_that_the_loop_runs_one_after_the_other_do_not_call_each_other(void)
{
    run_in_both(keeps_it_between_callbacks, 0);
}

/* ---- What else calls back before it returns ---- */

static void canceller(struct solo_deferred *cancelled, void *arg)
{
    (void)cancelled;
    take(arg);
}

static struct solo_result swallows(struct solo_result previous, void *arg)
{
    (void)previous;
    (void)arg;
    return solo_value(NULL);
}

static void cancel_under_0(bool made_under_it)
{
    set_up();
    let_another(take, "0 1");
    fire();
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    if (made_under_it) {
        lock(0);
    }
    CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, canceller, (void *)(uintptr_t) "1", &deferred), 0);
    if (made_under_it) {
        unlock(0);
    }
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, NULL, swallows, NULL), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    unlock(0);
    tear_down();
}

static void cancels(void *arg)
{
    (void)arg;
    cancel_under_0(false);
}

static void cancels_what_was_made_under_the_lock(void *arg)
{
    (void)arg;
    cancel_under_0(true);
}

static void test_call_back__a_canceller_is_a_callback(void)
{
    run_in_both(cancels, 1);
    run_in_sim(cancels, SOLO_CARRIER_FIBER);
    CU_ASSERT_STRING_EQUAL(seen.violations[0].job, "deferred#2"); /* the work of who made it */
    run_in_both(cancels_what_was_made_under_the_lock, 0);
}

static void unpauses(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    let_another(take, "0 1");
    CU_ASSERT_EQUAL(solo_deferred_pause(deferred), 0);
    fire_under_0();
    lock(0);
    CU_ASSERT_EQUAL(solo_deferred_unpause(deferred), 0);
    unlock(0);
    tear_down();
}

/* Added to one that was fired it runs inside the add, under the lock that its adder holds. */
static void adds_to_a_fired_one(void *arg)
{
    (void)arg;
    set_up();
    let_another(take, "0 1");
    fire();
    lock(0);
    add(takes, "1");
    unlock(0);
    tear_down();
}

static struct solo_result takes_at_once(void *arg)
{
    take(arg);
    return solo_value(NULL);
}

static void calls_what_it_hands_over(void *arg)
{
    struct solo_deferred *done;
    (void)arg;
    set_up();
    let_another(take, "0 1");
    fire();
    lock(0);
    CU_ASSERT_EQUAL(solo_maybe_deferred(reactor, takes_at_once, (void *)(uintptr_t) "1", &done), 0);
    unlock(0);
    CU_ASSERT_EQUAL(solo_deferred_release(done), 0);
    tear_down();
}

static void test_call_back__what_is_handed_over_by_the_call_itself_is_no_stranger(void)
{
    run_in_both(unpauses, 1);
    run_in_both(adds_to_a_fired_one, 0);
    run_in_both(calls_what_it_hands_over, 0);
}

/* Somebody waits for a Deferred lock, and runs where it is let go of. */
static void lets_go_of_a_deferred_lock(void *arg)
{
    struct solo_deferred_lock *turn;
    struct solo_deferred *first, *done;
    (void)arg;
    set_up();
    let_another(take, "0 1");
    fire();
    CU_ASSERT_EQUAL_FATAL(solo_deferred_lock_create(reactor, &turn), 0);
    CU_ASSERT_EQUAL(solo_deferred_lock_acquire(turn, &first), 0);
    CU_ASSERT_EQUAL(solo_deferred_lock_run(turn, takes_at_once, (void *)(uintptr_t) "1", &done), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_deferred_lock_release(turn), 0);
    unlock(0);
    CU_ASSERT_EQUAL(solo_deferred_release(first), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(done), 0);
    CU_ASSERT_EQUAL(solo_deferred_lock_destroy(turn), 0);
    tear_down();
}

/* The next step of a function in steps. */
static struct solo_result step(unsigned *at, struct solo_result previous, void *arg)
{
    (void)previous;
    if ((*at)++ == 0) {
        struct solo_deferred *inner = deferred;
        CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
        return solo_wait_for(inner);
    }
    take(arg);
    return solo_value(NULL);
}

static void goes_on_in_steps(void *arg)
{
    struct solo_deferred *inner, *done;
    (void)arg;
    set_up();
    let_another(take, "0 1");
    inner = deferred;
    CU_ASSERT_EQUAL(solo_deferred_steps(reactor, step, (void *)(uintptr_t) "1", &done), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, solo_value(NULL)), 0);
    unlock(0);
    fire();
    CU_ASSERT_EQUAL(solo_deferred_release(done), 0);
    tear_down();
}

static void test_call_back__whoever_waits_for_a_turn_or_goes_on_in_steps_is_called(void)
{
    run_in_both(lets_go_of_a_deferred_lock, 1);
    run_in_both(goes_on_in_steps, 1);
}

/* One callback, which is meant, fires another Deferred, whose is not. */
static struct solo_result fires_another(struct solo_result previous, void *arg)
{
    CU_ASSERT_EQUAL(solo_deferred_fire(arg, solo_value(NULL)), 0);
    return previous;
}

static void through_another_deferred(void *arg)
{
    struct solo_deferred *outer;
    (void)arg;
    set_up();
    add(takes, "1");
    let_another(take, "0 1");
    CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, NULL, NULL, &outer), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_deferred_add(outer, fires_another, NULL, deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(outer, solo_value(NULL)), 0);
    unlock(0);
    CU_ASSERT_EQUAL(solo_deferred_release(outer), 0);
    tear_down();
}

/* Inside a strange callback one of its own begins and ends. */
static struct solo_result calls_its_own(struct solo_result previous, void *arg)
{
    struct solo_deferred *own;
    CU_ASSERT_EQUAL(solo_deferred_succeed(reactor, NULL, &own), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(own, computes, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(own), 0);
    take(arg);
    return previous;
}

static void after_one_of_its_own(void *arg)
{
    (void)arg;
    vary(calls_its_own, "1", "0 1");
}

/* What runs after the callback has returned is its caller's own. */
static void takes_it_itself_afterwards(void *arg)
{
    (void)arg;
    set_up();
    add(computes, NULL);
    let_another(take, "0 1");
    lock(0);
    fire();
    take((void *)(uintptr_t) "1");
    unlock(0);
    tear_down();
}

static void test_call_back__callbacks_begin_and_end(void)
{
    run_in_both(through_another_deferred, 1);
    run_in_both(after_one_of_its_own, 1);
    run_in_both(takes_it_itself_afterwards, 0);
}

/* ---- The end of a reactor ---- */

static void never(void *arg)
{
    (void)arg;
    CU_FAIL("it never ran");
}

static void done_takes_1(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, SOLO_ECLOSING);
    take(arg);
}

static void destroy_under_0(bool accepted_under_it)
{
    set_up();
    let_another(take, "0 1");
    fire();
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    if (accepted_under_it) {
        lock(0);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, never, (void *)(uintptr_t) "1", done_takes_1), 0);
    if (accepted_under_it) {
        unlock(0);
    }
    lock(0);
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    unlock(0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), 0);
    destroy_locks();
}

static void destroys(void *arg)
{
    (void)arg;
    destroy_under_0(false);
}

static void destroys_what_was_accepted_under_the_lock(void *arg)
{
    (void)arg;
    destroy_under_0(true);
}

static void test_call_back__done_functions_that_destroy_runs_are_callbacks(void)
{
    run_in_both(destroys, 1);
    run_in_both(destroys_what_was_accepted_under_the_lock, 0);
}

static void done_takes_1_too(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, SOLO_ECANCELLED);
    take(arg);
}

static void cancels_a_delayed_call(void *arg)
{
    solo_delayed_call_id id;
    (void)arg;
    set_up();
    let_another(take, "0 1");
    fire();
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 1000, never, (void *)(uintptr_t) "1", done_takes_1_too, &id), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(reactor, id), 0);
    unlock(0);
    tear_down();
}

static void test_call_back__the_done_function_of_a_cancelled_call_is_a_callback(void)
{
    run_in_both(cancels_a_delayed_call, 1);
}

/* ---- Where nothing tells who registered it ---- */

static void made(struct solo_protocol *protocol)
{
    (void)protocol;
    take((void *)(uintptr_t) "1");
}

static void makes_a_connection(void *arg)
{
    static const struct solo_protocol_ops ops = {.connection_made = made};
    struct solo_protocol protocol = {&ops, NULL};
    struct solo_transport *transport;
    (void)arg;
    set_up();
    let_another(take, "0 1");
    fire();
    lock(0);
    CU_ASSERT_EQUAL_FATAL(solo_string_transport_create(reactor, &protocol, &transport), 0);
    unlock(0);
    tear_down();
}

static void test_call_back__callbacks_of_transports_are_not_looked_at(void)
{
    run_in_both(makes_a_connection, 0);
}

/* ---- Locks of the kit ---- */

static void take_named(void *arg)
{
    take(arg);
}

static void gives_work_to_a_lock_worker(void *arg)
{
    struct solo_worker *worker;
    (void)arg;
    set_up();
    let_another(take, "0 1");
    fire();
    CU_ASSERT_EQUAL_FATAL(solo_lock_worker_create(&worker), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_worker_do(worker, take_named, (void *)(uintptr_t) "1", NULL), 0);
    unlock(0);
    CU_ASSERT_EQUAL(solo_worker_quit(worker), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    tear_down();
}

static void test_call_back__work_of_a_lock_worker_is_its_callers_own(void)
{
    run_in_both(gives_work_to_a_lock_worker, 0);
}

/* ---- Too much of it ---- */

static void many_registered(void *arg)
{
    (void)arg;
    set_up();
    lock(2);
    for (unsigned i = 0; i < 600; i++) {
        add(computes, NULL);
    }
    unlock(2);
    add(takes, "1");
    let_another(take, "0 1");
    fire_under_0();
    tear_down();
}

static void many_registered_and_called(void *arg)
{
    (void)arg;
    set_up();
    for (unsigned i = 0; i < 600; i++) {
        lock(2);
        add(computes, NULL);
        CU_ASSERT_EQUAL(solo_deferred_add(deferred, NULL, computes, NULL), 0); /* never called */
        fire();
        CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
        CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
        unlock(2);
    }
    add(takes, "1");
    let_another(take, "0 1");
    fire_under_0();
    tear_down();
}

/* One after the other, to a Deferred that was fired, and delayed calls that are taken back. */
static void many_added_and_taken_back(void *arg)
{
    struct solo_deferred *fired;
    solo_delayed_call_id id;
    (void)arg;
    set_up();
    CU_ASSERT_EQUAL_FATAL(solo_deferred_succeed(reactor, NULL, &fired), 0);
    for (unsigned i = 0; i < 600; i++) {
        lock(2);
        CU_ASSERT_EQUAL(solo_deferred_add(fired, computes, NULL, NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 1000, never, NULL, NULL, &id), 0);
        CU_ASSERT_EQUAL(solo_delayed_call_cancel(reactor, id), 0);
        unlock(2);
    }
    CU_ASSERT_EQUAL(solo_deferred_release(fired), 0);
    add(takes, "1");
    let_another(take, "0 1");
    fire_under_0();
    tear_down();
}

static void test_call_back__more_registrations_than_it_remembers_make_it_silent(void)
{
    run_in_sim(many_registered, SOLO_CARRIER_FIBER);
    expect_warning(0);
    run_in_sim(many_registered_and_called, SOLO_CARRIER_FIBER);
    expect_warning(1);
    run_in_sim(many_added_and_taken_back, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

/* ---- What is told is no part of a schedule ---- */

static void only_computes(void *arg)
{
    (void)arg;
    vary(computes, NULL, "0 1");
}

static uint64_t told;

static void count_told(const struct solo_event *event, void *arg)
{
    const struct solo_sim_log *log = solo_sim_get_log(solo_sim_current());
    (void)arg;
    if (event->kind == SOLO_PROBE_PAIR_ADDED || event->kind == SOLO_PROBE_PAIR_BEGUN ||
        event->kind == SOLO_PROBE_PAIR_ENDED) {
        told++;
        CU_ASSERT_FALSE(solo_probe_kind_is_point(event->kind));
        CU_ASSERT_EQUAL(event->step, log != NULL ? log->events_count : 0);
    }
}

static void test_call_back__what_subscribers_are_told_of_callbacks_is_in_no_trace(void)
{
    run_in_sim(only_computes, SOLO_CARRIER_FIBER);
    uint64_t events = seen.events;
    uint64_t none = seen.trace_hash;
    told = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_told, NULL), 0);
    run_in_sim(only_computes, SOLO_CARRIER_FIBER);
    CU_ASSERT_EQUAL(told, 3);
    CU_ASSERT_EQUAL(seen.events, events);
    CU_ASSERT_EQUAL(seen.trace_hash, none);
    run_in_os(only_computes);
    CU_ASSERT_EQUAL(told, 6);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_told, NULL), 0);
}

void suite_call_back(void)
{
    SOLO_SUITE("call_back");
    SOLO_TEST(test_call_back__a_lock_that_the_loop_runs_under_is_the_loops);
    SOLO_TEST(test_call_back__a_lock_that_is_taken_inside_the_loop_is_not_the_loops);
    SOLO_TEST(test_call_back__callbacks_that_the_loop_runs_one_after_the_other_do_not_call_each_other);
    SOLO_TEST(test_call_back__a_canceller_is_a_callback);
    SOLO_TEST(test_call_back__what_is_handed_over_by_the_call_itself_is_no_stranger);
    SOLO_TEST(test_call_back__whoever_waits_for_a_turn_or_goes_on_in_steps_is_called);
    SOLO_TEST(test_call_back__callbacks_begin_and_end);
    SOLO_TEST(test_call_back__done_functions_that_destroy_runs_are_callbacks);
    SOLO_TEST(test_call_back__the_done_function_of_a_cancelled_call_is_a_callback);
    SOLO_TEST(test_call_back__callbacks_of_transports_are_not_looked_at);
    SOLO_TEST(test_call_back__work_of_a_lock_worker_is_its_callers_own);
    SOLO_TEST(test_call_back__more_registrations_than_it_remembers_make_it_silent);
    SOLO_TEST(test_call_back__what_subscribers_are_told_of_callbacks_is_in_no_trace);
}
