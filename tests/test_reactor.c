/* test_reactor.c - the reactor's life, its pass, who owns it, and what it refuses. */
#include "worlds.h"
#include <stdlib.h>

static struct solo_reactor *the_reactor;
static int got;

static void post(solo_call_fn fn, void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, fn, arg, NULL), 0);
}

static struct solo_deferred *note_trigger(void *arg)
{
    note_call(arg);
    return NULL;
}

/* ---- Making and ending ---- */

static void create_body(void)
{
    struct solo_reactor *reactor = NULL;
    struct solo_reactor_options options = {.pool_min = 2, .pool_max = 1};
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), -EINVAL);
    options = (struct solo_reactor_options){.pool_max = SOLO_POOL_WORKERS_MAX + 1};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), -EINVAL);
    CU_ASSERT_PTR_NULL(reactor);
    options = (struct solo_reactor_options){.pool_max = SOLO_POOL_WORKERS_MAX};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_reactor_destroy(NULL), 0);
}

static void test_reactor__create_checks_its_options_and_destroy_takes_null(void)
{
    worlds_run(create_body);
}

static void null_body(void)
{
    bool flag = true;
    uint64_t now = 7;
    CU_ASSERT_EQUAL(solo_reactor_run(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_iterate(NULL, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_stop(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_crash(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_hand_over(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_now(NULL, &now), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_is_running(NULL, &flag), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_is_reactor_thread(NULL, &flag), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(NULL, note_call, NULL, NULL), -EINVAL);
    CU_ASSERT_TRUE(flag);
    CU_ASSERT_EQUAL(now, 7);
    struct solo_reactor *reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_is_running(reactor, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_is_reactor_thread(reactor, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(reactor, NULL, NULL, NULL), -EINVAL);
    worlds_destroy(reactor);
}

static void test_reactor__null_is_refused_everywhere(void)
{
    worlds_run(null_body);
}

static void not_a_reactor_body(void)
{
    uint64_t zeroes[64];
    memset(zeroes, 0, sizeof zeroes);
    CU_ASSERT_EQUAL(solo_reactor_run((struct solo_reactor *)zeroes), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_destroy((struct solo_reactor *)zeroes), -EINVAL);
}

static void test_reactor__what_is_no_reactor_is_refused(void)
{
    worlds_run(not_a_reactor_body);
}

static void after_destroy_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "a", note_done), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), SOLO_ECLOSED);
    noted("");
    worlds_expect(SOLO006_USE_AFTER_END, 3);
}

static void test_reactor__use_after_destroy_is_named(void)
{
    worlds_run(after_destroy_body);
}

static void everything_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    solo_trigger_id trigger = 0;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "t", note_done), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, note_call, "d", note_done, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(reactor, note_call, "h", note_done), 0);
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(reactor, SOLO_DURING, SOLO_SHUTDOWN, note_trigger, "s", note_done, &trigger), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, note_call, "p", note_done), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(worlds.noted, 10); /* each of the five once, none of them run */
    for (const char *letter = "tdhsp"; *letter != '\0'; letter++) {
        char handed_back[3] = {'X', *letter, '\0'};
        CU_ASSERT_PTR_NOT_NULL(strstr(worlds.notes, handed_back));
    }
}

static void test_reactor__destroy_hands_back_everything_once(void)
{
    worlds_run(everything_body);
}

/* ---- Run and stop ---- */

static void stop_twice(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), SOLO_ENOTRUNNING);
    note('s');
    (void)arg;
}

static void stop_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), SOLO_ENOTRUNNING);
    post(stop_twice, NULL);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), SOLO_ENOTRESTARTABLE);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), SOLO_ENOTRESTARTABLE);
    noted("s");
    worlds_destroy(the_reactor);
}

static void test_reactor__stop_works_once_and_only_while_it_runs(void)
{
    worlds_run(stop_body);
}

static void rest_of_pass(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, note_trigger, "b", NULL, NULL),
                    0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, "d", NULL, NULL), 0);
    post(worlds_stop, the_reactor);
    post(note_call, "t");
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("tdb");
    worlds_destroy(the_reactor);
}

static void test_reactor__the_pass_is_finished_before_the_first_shutdown_trigger(void)
{
    worlds_run(rest_of_pass);
}

/* ---- Crash ---- */

static void crash(void *arg)
{
    bool running = true;
    note('c');
    CU_ASSERT_EQUAL(solo_reactor_crash(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_is_running(the_reactor, &running), 0);
    CU_ASSERT_FALSE(running);
    CU_ASSERT_EQUAL(solo_reactor_crash(the_reactor), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), SOLO_ENOTRUNNING);
    (void)arg;
}

static void crash_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_crash(the_reactor), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, note_trigger, "b", NULL, NULL),
                    0);
    post(crash, NULL);
    post(note_call, "t");
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("ct"); /* the pass was finished, no trigger fired */

    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "h", NULL), 0);
    post(note_call, "u");
    worlds_run_to_end(the_reactor);
    noted("cthub");
    worlds_destroy(the_reactor);
}

static void test_reactor__after_a_crash_it_may_run_again(void)
{
    worlds_run(crash_body);
}

static void stop_and_crash(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_crash(the_reactor), 0);
    (void)arg;
}

static void crash_in_stop_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, note_trigger, "b", note_done, NULL), 0);
    post(stop_and_crash, NULL);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("");
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), SOLO_ENOTRESTARTABLE);
    worlds_destroy(the_reactor);
    noted("Xb");
}

static void test_reactor__a_crash_during_a_stop_ends_it_but_not_for_another_run(void)
{
    worlds_run(crash_in_stop_body);
}

/* ---- Re-entry ---- */

static void run_again(void *arg)
{
    got = solo_reactor_run(the_reactor);
    (void)arg;
}

static void iterate_again(void *arg)
{
    got = solo_reactor_iterate(the_reactor, 0);
    (void)arg;
}

static void destroy_now(void *arg)
{
    got = solo_reactor_destroy(the_reactor);
    (void)arg;
}

static void hand_over_now(void *arg)
{
    got = solo_reactor_hand_over(the_reactor);
    (void)arg;
}

static void run_within_body(void)
{
    the_reactor = worlds_reactor();
    post(run_again, NULL);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(got, SOLO_EALREADYRUNNING);
    worlds_destroy(the_reactor);
    worlds_expect(SOLO015_LOOP_REENTERED, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO015_LOOP_REENTERED)->function, "solo_reactor_run");
}

static void test_reactor__run_inside_a_callback_is_refused_and_reported(void)
{
    worlds_run(run_within_body);
}

static void iterate_within_body(void)
{
    the_reactor = worlds_reactor();
    post(iterate_again, NULL);
    post(note_call, "n");
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(got, SOLO_EALREADYRUNNING);
    noted("n"); /* once: the batch was not run a second time */
    worlds_destroy(the_reactor);
    worlds_expect(SOLO015_LOOP_REENTERED, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO015_LOOP_REENTERED)->function, "solo_reactor_iterate");
}

static void test_reactor__iterate_inside_a_callback_is_refused_and_reported(void)
{
    worlds_run(iterate_within_body);
}

/* A callback of the reactor runs another one's loop, and a callback of that one runs the first again. */
static struct solo_reactor *the_other_reactor;

static void run_the_other(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_run(the_other_reactor), 0);
}

static void run_the_first_and_stop(void *arg)
{
    (void)arg;
    got = solo_reactor_run(the_reactor);
    CU_ASSERT_EQUAL(solo_reactor_stop(the_other_reactor), 0);
}

static void run_within_another_body(void)
{
    the_reactor = worlds_reactor();
    the_other_reactor = worlds_reactor();
    post(run_the_other, NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_other_reactor, run_the_first_and_stop, NULL, NULL), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(got, SOLO_EALREADYRUNNING);
    worlds_destroy(the_other_reactor);
    worlds_destroy(the_reactor);
    worlds_expect(SOLO015_LOOP_REENTERED, 1);
}

static void test_reactor__run_inside_a_callback_of_a_reactor_that_it_runs_is_reported_too(void)
{
    worlds_run(run_within_another_body);
}

static void iterate_within_iterate_body(void)
{
    the_reactor = worlds_reactor();
    post(iterate_again, NULL);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(got, SOLO_EALREADYRUNNING);
    worlds_destroy(the_reactor);
    worlds_expect(SOLO015_LOOP_REENTERED, 1);
}

static void test_reactor__iterate_inside_iterate_is_refused_and_reported(void)
{
    worlds_run(iterate_within_iterate_body);
}

static void destroy_within_body(void)
{
    the_reactor = worlds_reactor();
    post(destroy_now, NULL);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(got, SOLO_EALREADYRUNNING);
    worlds_destroy(the_reactor);
}

static void test_reactor__destroy_inside_a_callback_is_refused(void)
{
    worlds_run(destroy_within_body);
}

static void run_another(void *arg)
{
    struct solo_reactor *another = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(another, note_call, "i", NULL), 0);
    worlds_run_to_end(another);
    worlds_destroy(another);
    note('o');
    (void)arg;
}

static void two_reactors_body(void)
{
    the_reactor = worlds_reactor();
    post(run_another, NULL);
    worlds_run_to_end(the_reactor);
    noted("io");
    worlds_destroy(the_reactor);
}

static void test_reactor__another_reactor_may_run_inside_a_callback(void)
{
    worlds_run(two_reactors_body);
}

/* ---- Iterate ---- */

static void see_not_running(void *arg)
{
    bool running = true;
    CU_ASSERT_EQUAL(solo_reactor_is_running(the_reactor, &running), 0);
    CU_ASSERT_FALSE(running);
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), SOLO_ENOTRUNNING);
    note('i');
    (void)arg;
}

static void iterate_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "h", NULL), 0);
    post(see_not_running, NULL);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("i"); /* no startup trigger */
    worlds_destroy(the_reactor);
}

static void test_reactor__iterate_does_one_pass_without_starting_up(void)
{
    worlds_run(iterate_body);
}

static void iterate_time_body(void)
{
    the_reactor = worlds_reactor();
    uint64_t before = solo_now();
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 30 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(solo_now(), before + 30 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 10 * WORLDS_MS, note_call, "d", NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 30 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(solo_now(), before + 40 * WORLDS_MS);
    noted(""); /* it became due in the poll, after this pass's delayed calls */
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(solo_now(), before + 40 * WORLDS_MS);
    noted("d");
    worlds_destroy(the_reactor);
}

static void test_reactor__iterate_polls_for_its_delay_at_most(void)
{
    worlds_run_sim(iterate_time_body, 3);
}

/* ---- Time ---- */

static uint64_t first_now;

static void remember_and_dawdle(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &first_now), 0);
    solo_sleep(WORLDS_MS);
    (void)arg;
}

static void compare_now(void *arg)
{
    uint64_t now = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &now), 0);
    CU_ASSERT_EQUAL(now, first_now);
    note('n');
    (void)arg;
}

static void one_clock_body(void)
{
    the_reactor = worlds_reactor();
    post(remember_and_dawdle, NULL);
    post(compare_now, NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, compare_now, NULL, NULL, NULL), 0);
    worlds_run_to_end(the_reactor);
    noted("nn");
    worlds_destroy(the_reactor);
}

static void test_reactor__all_callbacks_of_a_pass_see_one_time(void)
{
    worlds_run(one_clock_body);
}

/* How often the loop asks its world for the time, and for what is ready. */
static struct solo_world *counted_world;
static const struct solo_clock_table *real_clock;
static const struct solo_poll_table *real_poll;
static unsigned clocks, polls;

static uint64_t counting_now(struct solo_world *world)
{
    clocks++;
    return real_clock->now_ns(world);
}

static int counting_wait(struct solo_world *world, struct solo_poller *poller, uint64_t deadline_ns,
                         struct solo_ready *ready, size_t ready_max, bool *ret_woken)
{
    polls++;
    return real_poll->wait(world, poller, deadline_ns, ready, ready_max, ret_woken);
}

static void count_from_here(void)
{
    static struct solo_clock_table clock;
    static struct solo_poll_table poll;
    counted_world = solo_world_current();
    real_clock = counted_world->clock;
    real_poll = counted_world->poll;
    clock = *real_clock;
    clock.now_ns = counting_now;
    counted_world->clock = &clock;
    poll = *real_poll;
    poll.wait = counting_wait;
    counted_world->poll = &poll;
    clocks = polls = 0;
}

static void count_to_here(void)
{
    counted_world->clock = real_clock;
    counted_world->poll = real_poll;
}

static void ask_twice(void *arg)
{
    uint64_t first = 0, second = 1;
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &first), 0);
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &second), 0);
    CU_ASSERT_EQUAL(first, second);
    note('t');
    (void)arg;
}

enum { IDLE_TURNS = 100 };

static void frugal_body(void)
{
    the_reactor = worlds_reactor();
    count_from_here();
    for (int i = 0; i < IDLE_TURNS; i++) {
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    }
    CU_ASSERT_EQUAL(polls, IDLE_TURNS);
    CU_ASSERT_EQUAL(clocks, 0); /* nobody asked */

    post(ask_twice, NULL);
    post(ask_twice, NULL);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(polls, IDLE_TURNS + 1);
    CU_ASSERT_EQUAL(clocks, 1);

    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 3600 * 1000 * WORLDS_MS, ask_twice, NULL, NULL, NULL), 0);
    clocks = polls = 0;
    for (int i = 0; i < IDLE_TURNS; i++) {
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    }
    CU_ASSERT_EQUAL(polls, IDLE_TURNS);
    CU_ASSERT_EQUAL(clocks, IDLE_TURNS); /* whether it is due */
    count_to_here();
    noted("tt");
    worlds_destroy(the_reactor);
}

static void test_reactor__a_pass_polls_once_and_reads_the_clock_once_at_most(void)
{
    worlds_run(frugal_body);
}

static void set_up_time_body(void)
{
    the_reactor = worlds_reactor();
    uint64_t first = 0, second = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &first), 0);
    solo_sleep(3 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &second), 0);
    CU_ASSERT_EQUAL(second, first + 3 * WORLDS_MS);
    worlds_destroy(the_reactor);
}

static void test_reactor__outside_the_loop_now_is_now(void)
{
    worlds_run_sim(set_up_time_body, 3);
}

/* ---- Running ---- */

static void check_running(void *arg)
{
    bool running = false;
    CU_ASSERT_EQUAL(solo_reactor_is_running(the_reactor, &running), 0);
    note(running ? '+' : '-');
    note_call(arg);
}

static struct solo_deferred *check_running_trigger(void *arg)
{
    check_running(arg);
    return NULL;
}

static void add_check(enum solo_phase phase, enum solo_system_event event, const char *letter)
{
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, phase, event, check_running_trigger, (void *)letter, NULL, NULL), 0);
}

static void running_body(void)
{
    the_reactor = worlds_reactor();
    add_check(SOLO_BEFORE, SOLO_STARTUP, "b");
    add_check(SOLO_DURING, SOLO_STARTUP, "d");
    add_check(SOLO_AFTER, SOLO_STARTUP, "a");
    add_check(SOLO_BEFORE, SOLO_SHUTDOWN, "B");
    add_check(SOLO_DURING, SOLO_SHUTDOWN, "D");
    add_check(SOLO_AFTER, SOLO_SHUTDOWN, "A");
    check_running("0");
    post(check_running, "t");
    worlds_run_to_end(the_reactor);
    check_running("1");
    noted("-0-b+d+a+t+B-D-A-1");
    worlds_destroy(the_reactor);
}

static void test_reactor__runs_from_during_startup_until_during_shutdown(void)
{
    worlds_run(running_body);
}

static void queue_when_running(void *arg)
{
    note('q');
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "w", note_done), 0);
    noted("abq"); /* not at once */
    (void)arg;
}

static void refuse_when_running(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "z", NULL), SOLO_ECLOSING);
    (void)arg;
}

static void when_running_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "a", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "b", NULL), 0);
    post(queue_when_running, NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, refuse_when_running, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("abqw=w");
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "z", NULL), SOLO_ECLOSING);
    worlds_destroy(the_reactor);
}

static void test_reactor__call_when_running_waits_for_the_start_or_for_the_next_pass(void)
{
    worlds_run(when_running_body);
}

/* ---- Who owns it ---- */

static void stop_from_here(void *arg)
{
    got = solo_reactor_stop(arg);
    if (solo_reactor_call_from_thread(arg, worlds_stop, arg, NULL) != 0) {
        abort();
    }
}

static void wrong_thread_body(void)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_hand_over(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "r", NULL), 0); /* main owns it now */
    CU_ASSERT_EQUAL(solo_thread_create(stop_from_here, the_reactor, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(got, SOLO_EWRONGTHREAD);
    worlds_destroy(the_reactor);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->function, "solo_reactor_stop");
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->owner, "main");
    CU_ASSERT_NSTRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->thread, "main/", 5);
}

static void test_reactor__a_wrong_thread_stop_has_no_effect_and_is_reported(void)
{
    worlds_run(wrong_thread_body);
}

static void destroy_from_here(void *arg)
{
    got = solo_reactor_destroy(arg);
}

static void wrong_destroy_body(void)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, "a", note_done, NULL), 0);
    CU_ASSERT_EQUAL(solo_thread_create(destroy_from_here, the_reactor, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(got, SOLO_EWRONGTHREAD);
    noted("");
    worlds_run_to_end(the_reactor); /* it is whole */
    noted("a=a");
    worlds_destroy(the_reactor);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    CU_ASSERT_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->in_set_up, 1);
}

static void test_reactor__a_wrong_thread_destroy_frees_nothing(void)
{
    worlds_run(wrong_destroy_body);
}

static void is_owner(bool expected)
{
    bool is = !expected;
    CU_ASSERT_EQUAL(solo_reactor_is_reactor_thread(the_reactor, &is), 0);
    CU_ASSERT_EQUAL(is, expected);
}

static void check_owner(void *arg)
{
    is_owner(true);
    hand_over_now(arg);
    CU_ASSERT_EQUAL(got, SOLO_EALREADYRUNNING);
    is_owner(true);
}

static void run_there(void *arg)
{
    got = solo_reactor_run(arg);
}

static void owner_body(void)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    is_owner(false); /* unbound */
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, check_owner, NULL, NULL, NULL), 0);
    is_owner(true); /* by the first call */
    CU_ASSERT_EQUAL(solo_reactor_hand_over(the_reactor), 0);
    is_owner(false);
    post(worlds_stop, the_reactor);
    CU_ASSERT_EQUAL(solo_thread_create(run_there, the_reactor, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(got, 0);
    is_owner(false); /* run released it */
    worlds_destroy(the_reactor);
}

static void test_reactor__run_binds_and_releases_and_hand_over_lets_another_thread_run_it(void)
{
    worlds_run(owner_body);
}

static const struct solo_affinity *affinity;

/* What the function says, which the inline question must say too. */
static bool asked_both_ways(void)
{
    bool is = false;
    CU_ASSERT_EQUAL(solo_reactor_is_reactor_thread(the_reactor, &is), 0);
    CU_ASSERT_EQUAL(solo_affinity_is_here(affinity) != 0, is);
    return is;
}

static void ask_from_elsewhere(void *arg)
{
    *(bool *)arg = asked_both_ways();
}

static void ask_in_the_loop(void *arg)
{
    struct solo_thread *thread = NULL;
    bool elsewhere = true;
    CU_ASSERT_TRUE(asked_both_ways());
    CU_ASSERT_EQUAL(solo_thread_create(ask_from_elsewhere, &elsewhere, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_FALSE(elsewhere);
    CU_ASSERT_TRUE(asked_both_ways());
    note('a');
    (void)arg;
}

static void affinity_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_get_affinity(the_reactor, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_get_affinity(NULL, &affinity), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_get_affinity(the_reactor, &affinity), 0);
    CU_ASSERT_FALSE(asked_both_ways()); /* nobody's yet */
    post(ask_in_the_loop, NULL);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_FALSE(asked_both_ways()); /* nobody's again */
    noted("a");
    worlds_destroy(the_reactor);
}

static void test_reactor__the_inline_question_whose_thread_it_is_has_the_same_answer(void)
{
    worlds_run(affinity_body);
}

/* ---- Two reactors on two threads ---- */

static struct solo_reactor *two[2];
static unsigned passed; /* how often the token went over */

static SOLO_REACTOR_ONLY void pass_on(void *arg)
{
    unsigned here = (unsigned)(uintptr_t)arg;
    bool is = false;
    CU_ASSERT_EQUAL(solo_reactor_is_reactor_thread(two[here], &is), 0);
    CU_ASSERT_TRUE(is);
    CU_ASSERT_EQUAL(solo_reactor_is_reactor_thread(two[1 - here], &is), 0);
    CU_ASSERT_FALSE(is);
    if (++passed < 10) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(two[1 - here], pass_on, (void *)(uintptr_t)(1 - here), NULL), 0);
    } else {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(two[1 - here], worlds_stop, two[1 - here], NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_stop(two[here]), 0);
    }
}

static void run_second(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_run(two[1]), 0);
    worlds_destroy(two[1]);
}

static void two_threads_body(void)
{
    struct solo_thread *thread = NULL;
    passed = 0;
    two[0] = worlds_reactor();
    two[1] = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(two[1], pass_on, (void *)1, NULL), 0); /* set up here... */
    CU_ASSERT_EQUAL(solo_reactor_hand_over(two[1]), 0);                                   /* ... and given away */
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(run_second, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(two[0]), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(passed, 10);
    worlds_destroy(two[0]);
}

static void test_reactor__two_may_run_on_two_threads_and_call_each_other(void)
{
    worlds_run(two_threads_body);
}

void suite_reactor(void);
void suite_reactor(void)
{
    SOLO_SUITE("reactor");
    SOLO_TEST(test_reactor__create_checks_its_options_and_destroy_takes_null);
    SOLO_TEST(test_reactor__null_is_refused_everywhere);
    SOLO_TEST(test_reactor__what_is_no_reactor_is_refused);
    SOLO_TEST(test_reactor__use_after_destroy_is_named);
    SOLO_TEST(test_reactor__destroy_hands_back_everything_once);
    SOLO_TEST(test_reactor__stop_works_once_and_only_while_it_runs);
    SOLO_TEST(test_reactor__the_pass_is_finished_before_the_first_shutdown_trigger);
    SOLO_TEST(test_reactor__after_a_crash_it_may_run_again);
    SOLO_TEST(test_reactor__a_crash_during_a_stop_ends_it_but_not_for_another_run);
    SOLO_TEST(test_reactor__run_inside_a_callback_is_refused_and_reported);
    SOLO_TEST(test_reactor__iterate_inside_a_callback_is_refused_and_reported);
    SOLO_TEST(test_reactor__run_inside_a_callback_of_a_reactor_that_it_runs_is_reported_too);
    SOLO_TEST(test_reactor__iterate_inside_iterate_is_refused_and_reported);
    SOLO_TEST(test_reactor__destroy_inside_a_callback_is_refused);
    SOLO_TEST(test_reactor__another_reactor_may_run_inside_a_callback);
    SOLO_TEST(test_reactor__iterate_does_one_pass_without_starting_up);
    SOLO_TEST(test_reactor__iterate_polls_for_its_delay_at_most);
    SOLO_TEST(test_reactor__the_inline_question_whose_thread_it_is_has_the_same_answer);
    SOLO_TEST(test_reactor__all_callbacks_of_a_pass_see_one_time);
    SOLO_TEST(test_reactor__a_pass_polls_once_and_reads_the_clock_once_at_most);
    SOLO_TEST(test_reactor__outside_the_loop_now_is_now);
    SOLO_TEST(test_reactor__runs_from_during_startup_until_during_shutdown);
    SOLO_TEST(test_reactor__call_when_running_waits_for_the_start_or_for_the_next_pass);
    SOLO_TEST(test_reactor__a_wrong_thread_stop_has_no_effect_and_is_reported);
    SOLO_TEST(test_reactor__a_wrong_thread_destroy_frees_nothing);
    SOLO_TEST(test_reactor__two_may_run_on_two_threads_and_call_each_other);
    SOLO_TEST(test_reactor__run_binds_and_releases_and_hand_over_lets_another_thread_run_it);
}
