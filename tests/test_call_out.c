/*
 * test_call_out.c - SOLO016: a lock that is held while the kit calls what somebody else registered, and what is called
 * there has to wait. Each condition of the rule (oracle_call_out.c) has a program that differs in nothing else and is
 * silent.
 */
#include "judged.h"
#include <errno.h>

static struct solo_reactor *reactor;
static struct solo_deferred *deferred;
static struct solo_semaphore *semaphore;

/* ---- What is called ---- */

static struct solo_result computes(struct solo_result previous, void *arg)
{
    (void)arg;
    return previous;
}

/* Callbacks, cancellers and jobs that take what `arg` names. */
static struct solo_result takes(struct solo_result previous, void *arg)
{
    take(arg);
    return previous;
}

static struct solo_result asks_for_0(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[0]), -EDEADLK);
    return previous;
}

static struct solo_result waits(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, SOLO_NEVER), 0);
    return previous;
}

/* ---- Who calls ---- */

static void set_up(void)
{
    make_locks();
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &semaphore), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
}

static void tear_down(void)
{
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), 0);
    destroy_locks();
}

static void add(solo_callback_fn callback, const char *arg)
{
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, callback, NULL, (void *)(uintptr_t)arg), 0);
}

static void lock(unsigned which)
{
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[which]), 0);
}

static void unlock(unsigned which)
{
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[which]), 0);
}

static void fire(void)
{
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(NULL)), 0);
}

static void fire_under_0(void)
{
    lock(0);
    fire();
    unlock(0);
}

/* Each variation adds one callback and fires, with another thread that takes these locks, one after the other. */
static void vary(solo_callback_fn callback, const char *arg, const char *others)
{
    set_up();
    add(callback, arg);
    let_another(take, others);
    fire_under_0();
    tear_down();
}

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
        places += strncmp(at, " (test_call_out.c:", 18) == 0 || strncmp(at, " (judged.h:", 11) == 0;
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

static struct solo_result takes_twice(struct solo_result previous, void *arg)
{
    for (unsigned i = 0; i < 2; i++) {
        take(arg);
    }
    return previous;
}

static void again_and_again(void *arg)
{
    (void)arg;
    vary(takes_twice, "1", "0 1");
}

static void test_call_out__what_happens_again_is_said_once(void)
{
    run_in_both(again_and_again, 1);
}

/* ---- It asks for the lock of its caller ---- */

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

/* In the loop that is a finding of its own, with a lock or without. */
static void fire_and_stop(void *arg)
{
    (void)arg;
    fire_under_0();
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

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

static void runs_the_loop_under_a_lock(void *arg)
{
    (void)arg;
    set_up();
    add(takes, "1");
    let_another(take, "0 1");
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, fire_only, NULL, NULL, NULL), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    unlock(0);
    tear_down();
}

static void test_call_out__a_lock_that_the_loop_runs_under_is_the_loops(void)
{
    run_in_both(fires_in_the_loop, 1);
    run_in_both(runs_the_loop_under_a_lock, 0);
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
    let_another(take, "0 1 2");
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, fire_under_2, NULL, NULL, NULL), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    unlock(0);
    tear_down();
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
    let_another(take, "0 1");
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, give_back_and_fire, NULL, NULL, NULL), 0);
    lock(0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    unlock(0);
    tear_down();
}

static void test_call_out__a_lock_that_is_taken_inside_the_loop_is_not_the_loops(void)
{
    run_in_sim(takes_one_more_in_the_loop, SOLO_CARRIER_FIBER);
    expect_warning(1);
    CU_ASSERT_STRING_EQUAL(seen.violations[0].object, "mutex#3");
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

static void take_1(void *arg)
{
    (void)arg;
    take((void *)(uintptr_t) "1");
}

static void keeps_it_between_callbacks(void *arg)
{
    (void)arg;
    set_up();
    let_another(take, "0 1");
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, keep_0, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, take_1, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, give_0_back, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    fire();
    tear_down();
}

static void test_call_out__callbacks_that_the_loop_runs_one_after_the_other_do_not_call_each_other(void)
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

static void test_call_out__a_canceller_is_a_callback(void)
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

static void test_call_out__what_is_handed_over_by_the_call_itself_is_no_stranger(void)
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

static void test_call_out__whoever_waits_for_a_turn_or_goes_on_in_steps_is_called(void)
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

static void test_call_out__callbacks_begin_and_end(void)
{
    run_in_both(through_another_deferred, 1);
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

static void test_call_out__done_functions_that_destroy_runs_are_callbacks(void)
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

static void test_call_out__the_done_function_of_a_cancelled_call_is_a_callback(void)
{
    run_in_both(cancels_a_delayed_call, 1);
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

static void test_call_out__work_of_a_lock_worker_is_its_callers_own(void)
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
        unlock(2);
        fire();
        CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
        CU_ASSERT_EQUAL_FATAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
    }
    add(takes, "1");
    let_another(take, "0 1");
    fire_under_0();
    tear_down();
}

static void test_call_out__more_registrations_than_it_remembers_make_it_silent(void)
{
    run_in_sim(many_registered, SOLO_CARRIER_FIBER);
    expect_warning(0);
    run_in_sim(many_registered_and_called, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

/* ---- What is told is no part of a schedule ---- */

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

static void test_call_out__what_subscribers_are_told_of_callbacks_is_in_no_trace(void)
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
    SOLO_TEST(test_call_out__what_happens_again_is_said_once);
    SOLO_TEST(test_call_out__a_callback_that_is_refused_its_callers_lock_is_found);
    SOLO_TEST(test_call_out__a_callback_that_waits_for_another_thread_is_found);
    SOLO_TEST(test_call_out__a_callback_that_waits_in_the_loop_blocks_the_reactor_and_no_more);
    SOLO_TEST(test_call_out__a_lock_that_the_loop_runs_under_is_the_loops);
    SOLO_TEST(test_call_out__a_lock_that_is_taken_inside_the_loop_is_not_the_loops);
    SOLO_TEST(test_call_out__callbacks_that_the_loop_runs_one_after_the_other_do_not_call_each_other);
    SOLO_TEST(test_call_out__a_canceller_is_a_callback);
    SOLO_TEST(test_call_out__what_is_handed_over_by_the_call_itself_is_no_stranger);
    SOLO_TEST(test_call_out__whoever_waits_for_a_turn_or_goes_on_in_steps_is_called);
    SOLO_TEST(test_call_out__callbacks_begin_and_end);
    SOLO_TEST(test_call_out__done_functions_that_destroy_runs_are_callbacks);
    SOLO_TEST(test_call_out__the_done_function_of_a_cancelled_call_is_a_callback);
    SOLO_TEST(test_call_out__work_of_a_lock_worker_is_its_callers_own);
    SOLO_TEST(test_call_out__more_registrations_than_it_remembers_make_it_silent);
    SOLO_TEST(test_call_out__what_subscribers_are_told_of_callbacks_is_in_no_trace);
}
