/* test_trigger.c - what is called when the reactor starts up and shuts down, and what holds it up. */
#include "worlds.h"

static struct solo_reactor *the_reactor;
static struct solo_deferred *held;
static solo_trigger_id ids[4];

static struct solo_deferred *note_trigger(void *arg)
{
    note_call(arg);
    return NULL;
}

static solo_trigger_id add(enum solo_phase phase, enum solo_system_event event, solo_trigger_fn fn, const char *letter)
{
    solo_trigger_id id = 0;
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, phase, event, fn, (void *)letter, NULL, &id), 0);
    CU_ASSERT_NOT_EQUAL(id, 0);
    return id;
}

static solo_trigger_id add_note(enum solo_phase phase, enum solo_system_event event, const char *letter)
{
    return add(phase, event, note_trigger, letter);
}

/* ---- Order ---- */

static void order_body(void)
{
    the_reactor = worlds_reactor();
    add_note(SOLO_AFTER, SOLO_SHUTDOWN, "6");
    add_note(SOLO_DURING, SOLO_SHUTDOWN, "5");
    add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "4");
    add_note(SOLO_AFTER, SOLO_STARTUP, "3");
    add_note(SOLO_DURING, SOLO_STARTUP, "2");
    add_note(SOLO_BEFORE, SOLO_STARTUP, "1");
    add_note(SOLO_BEFORE, SOLO_STARTUP, "a");
    add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "b");
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "t", NULL), 0);
    worlds_run_to_end(the_reactor);
    noted("1a23t4b56");
    worlds_destroy(the_reactor);
    noted("1a23t4b56");
}

static void test_trigger__phases_come_in_order_and_triggers_in_order_of_registration(void)
{
    worlds_run(order_body);
}

static struct solo_deferred *add_more(void *arg)
{
    note_call(arg);
    add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "b");
    add_note(SOLO_DURING, SOLO_SHUTDOWN, "d");
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_STARTUP, note_trigger, "x", NULL, NULL),
                    SOLO_ECLOSING);
    return NULL;
}

static void while_firing_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_SHUTDOWN, add_more, "a");
    add_note(SOLO_DURING, SOLO_SHUTDOWN, "c");
    worlds_run_to_end(the_reactor);
    noted("abcd");
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_AFTER, SOLO_SHUTDOWN, note_trigger, "x", NULL, NULL),
                    SOLO_ECLOSING);
    worlds_destroy(the_reactor);
}

static void test_trigger__added_while_its_event_fires_is_part_of_it(void)
{
    worlds_run(while_firing_body);
}

static struct solo_deferred *stop_in_trigger(void *arg)
{
    note_call(arg);
    worlds_stop(the_reactor);
    return NULL;
}

static void stop_in_startup_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_STARTUP, stop_in_trigger, "b");
    add_note(SOLO_AFTER, SOLO_STARTUP, "a");
    add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "s");
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "t", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("bats");
    worlds_destroy(the_reactor);
}

static void test_trigger__a_stop_during_startup_shuts_down_in_the_first_pass(void)
{
    worlds_run(stop_in_startup_body);
}

/* ---- Removing, and done ---- */

static void remove_body(void)
{
    the_reactor = worlds_reactor();
    ids[0] = add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "a");
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, note_trigger, "b", note_done, &ids[1]), 0);
    ids[2] = add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "c");
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, ids[1]), 0);
    noted("Cb");
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, ids[1]), -ENOENT);
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, 0), -ENOENT);
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, ids[2]), 0);
    ids[3] = add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "d");
    worlds_run_to_end(the_reactor);
    noted("Cbad");
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, ids[0]), -ENOENT);
    worlds_destroy(the_reactor);
}

static void test_trigger__removed_does_not_fire_and_cannot_be_removed_again(void)
{
    worlds_run(remove_body);
}

static struct solo_deferred *remove_next(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, ids[0]), -ENOENT); /* itself: it fires */
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, ids[1]), 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(the_reactor, ids[2]), 0);
    return NULL;
}

static void remove_while_firing_body(void)
{
    the_reactor = worlds_reactor();
    ids[0] = add(SOLO_BEFORE, SOLO_SHUTDOWN, remove_next, "a");
    ids[1] = add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "b");
    ids[2] = add_note(SOLO_AFTER, SOLO_SHUTDOWN, "c");
    add_note(SOLO_AFTER, SOLO_SHUTDOWN, "d");
    worlds_run_to_end(the_reactor);
    noted("ad");
    worlds_destroy(the_reactor);
}

static void test_trigger__may_remove_one_that_has_not_fired(void)
{
    worlds_run(remove_while_firing_body);
}

static void done_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, SOLO_DURING, SOLO_STARTUP, note_trigger, "a", note_done, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "h", note_done), 0);
    worlds_run_to_end(the_reactor);
    noted("a=ah=h");
    worlds_destroy(the_reactor);
    noted("a=ah=h");
}

static void test_trigger__done_comes_once_right_after_the_trigger(void)
{
    worlds_run(done_body);
}

static void arguments_body(void)
{
    the_reactor = worlds_reactor();
    solo_trigger_id id = 7;
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(NULL, SOLO_BEFORE, SOLO_STARTUP, note_trigger, NULL, NULL, &id), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_STARTUP, NULL, NULL, NULL, &id), -EINVAL);
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, (enum solo_phase)3, SOLO_STARTUP, note_trigger, NULL, NULL, &id),
        -EINVAL);
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, (enum solo_system_event)2, note_trigger, NULL, NULL, &id),
        -EINVAL);
    CU_ASSERT_EQUAL(id, 7);
    CU_ASSERT_EQUAL(solo_reactor_remove_trigger(NULL, 1), -EINVAL);
    worlds_destroy(the_reactor);
}

static void test_trigger__bad_arguments_are_refused(void)
{
    worlds_run(arguments_body);
}

/* ---- Holding ---- */

static struct solo_deferred *hold(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &held), 0);
    return held;
}

static void fire_held(void *arg)
{
    bool running = false;
    note_call(arg);
    CU_ASSERT_EQUAL(solo_reactor_is_running(the_reactor, &running), 0);
    CU_ASSERT_EQUAL(running, *(const char *)arg == 'f');
    CU_ASSERT_EQUAL(solo_deferred_fire(held, solo_value(NULL)), 0);
}

/*
 * Delayed calls of these tests are set in the trigger that holds, all from one reading of the clock: on a machine of
 * any speed they come after the hold and in order.
 */
static void later(unsigned ms, solo_call_fn fn, void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, ms * WORLDS_MS, fn, arg, NULL, NULL), 0);
}

static struct solo_deferred *hold_a_while(void *arg)
{
    later(2, fire_held, "f");
    return hold(arg);
}

static void hold_shutdown_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_SHUTDOWN, hold_a_while, "h");
    add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "b");
    add_note(SOLO_DURING, SOLO_SHUTDOWN, "d");
    worlds_run_to_end(the_reactor); /* the loop turns on: the delayed call comes */
    noted("hbfd");
    worlds_destroy(the_reactor);
}

static void test_trigger__a_deferred_holds_up_the_shutdown_while_the_loop_turns(void)
{
    worlds_run(hold_shutdown_body);
}

static struct solo_deferred *hold_a_while_then_stop(void *arg)
{
    later(2, fire_held, "F");
    later(4, worlds_stop, the_reactor);
    return hold(arg);
}

static void hold_startup_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_STARTUP, hold_a_while_then_stop, "h");
    add_note(SOLO_AFTER, SOLO_STARTUP, "a");
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("hFa");
    worlds_destroy(the_reactor);
}

static void test_trigger__a_deferred_holds_up_the_startup_while_the_loop_turns(void)
{
    worlds_run(hold_startup_body);
}

static void stop_wins_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_STARTUP, hold, "h");
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_AFTER, SOLO_STARTUP, note_trigger, "a", note_done, NULL),
                    0);
    add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "s");
    worlds_run_to_end(the_reactor);
    noted("hXas");
    worlds_destroy(the_reactor);
    worlds_expect(SOLO008_DEFERRED, 1); /* the Deferred never fired */
}

static void test_trigger__a_stop_ends_a_startup_that_is_held_up(void)
{
    worlds_run(stop_wins_body);
}

static struct solo_deferred *hold_fired(void *arg)
{
    hold(arg);
    CU_ASSERT_EQUAL(solo_deferred_fire(held, solo_value(NULL)), 0);
    return held;
}

static void fired_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_SHUTDOWN, hold_fired, "h");
    add_note(SOLO_DURING, SOLO_SHUTDOWN, "d");
    worlds_run_to_end(the_reactor);
    noted("hd");
    worlds_destroy(the_reactor);
}

static void test_trigger__a_deferred_that_has_fired_holds_up_nothing(void)
{
    worlds_run(fired_body);
}

static void fail_held(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_deferred_fire(held, solo_failure(-EIO)), 0);
}

static struct solo_deferred *hold_then_fail(void *arg)
{
    later(1, fail_held, "f");
    return hold(arg);
}

static void failure_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_SHUTDOWN, hold_then_fail, "h");
    add_note(SOLO_DURING, SOLO_SHUTDOWN, "d");
    worlds_run_to_end(the_reactor);
    noted("hfd");
    worlds_destroy(the_reactor);
    worlds_expect(SOLO008_DEFERRED, 1);
}

static void test_trigger__a_failed_deferred_does_not_stop_the_shutdown_and_is_reported(void)
{
    worlds_run(failure_body);
}

static struct solo_deferred *first, *second;

static struct solo_deferred *hold_first(void *arg)
{
    first = hold(arg);
    return first;
}

static void fire_first(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_deferred_fire(first, solo_value(NULL)), 0);
    add_note(SOLO_BEFORE, SOLO_SHUTDOWN, "l"); /* the phase is not over: it is part of it */
}

static void fire_second(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_deferred_fire(second, solo_value(NULL)), 0);
}

static struct solo_deferred *hold_second(void *arg)
{
    later(2, fire_first, "f");
    later(1, fire_second, "s");
    second = hold(arg);
    return second;
}

static void several_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_BEFORE, SOLO_SHUTDOWN, hold_first, "1");
    add(SOLO_BEFORE, SOLO_SHUTDOWN, hold_second, "2");
    add_note(SOLO_DURING, SOLO_SHUTDOWN, "d");
    worlds_run_to_end(the_reactor);
    noted("12sfld");
    worlds_destroy(the_reactor);
}

static void test_trigger__the_phase_ends_with_the_last_of_several_deferreds(void)
{
    worlds_run(several_body);
}

static struct solo_deferred *hold_during(void *arg)
{
    return hold_fired(arg);
}

static void not_before_body(void)
{
    the_reactor = worlds_reactor();
    add(SOLO_DURING, SOLO_SHUTDOWN, hold_during, "d");
    add(SOLO_AFTER, SOLO_SHUTDOWN, hold_during, "a");
    worlds_run_to_end(the_reactor);
    noted("da");
    worlds_destroy(the_reactor);
}

static void test_trigger__a_deferred_of_another_phase_is_released_and_holds_up_nothing(void)
{
    worlds_run(not_before_body);
}

static void crash_it(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_crash(the_reactor), 0);
    (void)arg;
}

static void reopen_body(void)
{
    the_reactor = worlds_reactor();
    add_note(SOLO_BEFORE, SOLO_STARTUP, "a");
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, crash_it, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    add_note(SOLO_BEFORE, SOLO_STARTUP, "b");
    add_note(SOLO_AFTER, SOLO_STARTUP, "c");
    worlds_run_to_end(the_reactor);
    noted("abc"); /* each once */
    worlds_destroy(the_reactor);
}

static void test_trigger__after_a_crash_startup_takes_triggers_again(void)
{
    worlds_run(reopen_body);
}

void suite_trigger(void);
void suite_trigger(void)
{
    SOLO_SUITE("trigger");
    SOLO_TEST(test_trigger__phases_come_in_order_and_triggers_in_order_of_registration);
    SOLO_TEST(test_trigger__added_while_its_event_fires_is_part_of_it);
    SOLO_TEST(test_trigger__a_stop_during_startup_shuts_down_in_the_first_pass);
    SOLO_TEST(test_trigger__removed_does_not_fire_and_cannot_be_removed_again);
    SOLO_TEST(test_trigger__may_remove_one_that_has_not_fired);
    SOLO_TEST(test_trigger__done_comes_once_right_after_the_trigger);
    SOLO_TEST(test_trigger__bad_arguments_are_refused);
    SOLO_TEST(test_trigger__a_deferred_holds_up_the_shutdown_while_the_loop_turns);
    SOLO_TEST(test_trigger__a_deferred_holds_up_the_startup_while_the_loop_turns);
    SOLO_TEST(test_trigger__a_stop_ends_a_startup_that_is_held_up);
    SOLO_TEST(test_trigger__a_deferred_that_has_fired_holds_up_nothing);
    SOLO_TEST(test_trigger__a_failed_deferred_does_not_stop_the_shutdown_and_is_reported);
    SOLO_TEST(test_trigger__the_phase_ends_with_the_last_of_several_deferreds);
    SOLO_TEST(test_trigger__a_deferred_of_another_phase_is_released_and_holds_up_nothing);
    SOLO_TEST(test_trigger__after_a_crash_startup_takes_triggers_again);
}
