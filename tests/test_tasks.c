/* test_tasks.c - looping calls, calls later as Deferreds, cooperative tasks, and programs as one Deferred. */
#include "refusing_world.h"
#include "worlds.h"
#include <signal.h>
#include <stdlib.h>

static struct solo_reactor *the_reactor;
static struct solo_looping_call *the_loop;
static uint64_t began, counts[16], times[16];
static unsigned turns, turns_max;
static int ended;
static uint64_t slow_ns;
static struct solo_deferred *inner;
static int turn_status;
static bool turn_waits;

static struct solo_result note_value(struct solo_result result, void *arg)
{
    ended = 1;
    (void)arg;
    return result;
}

static struct solo_result note_failure(struct solo_result result, void *arg)
{
    ended = result.status;
    (void)arg;
    return solo_value(NULL);
}

static void watch_end(struct solo_deferred *deferred)
{
    ended = 0;
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_value, note_failure, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

static SOLO_REACTOR_ONLY struct solo_result take_turn(uint64_t count, void *arg)
{
    CU_ASSERT_PTR_EQUAL(arg, &the_loop);
    times[turns % 16] = solo_now() - began;
    counts[turns++ % 16] = count;
    if (turns == 2 && slow_ns > 0) {
        solo_sleep(slow_ns);
    }
    if (turns == turns_max) {
        CU_ASSERT_EQUAL(solo_looping_call_stop(the_loop), 0);
        CU_ASSERT_EQUAL(ended, 0); /* not inside the turn */
        CU_ASSERT_EQUAL(solo_reactor_stop(the_reactor), 0);
    }
    if (turn_waits && turns == 1) {
        CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &inner), 0);
        return solo_wait_for(inner);
    }
    return turn_status < 0 ? solo_failure(turn_status) : solo_value(NULL);
}

static void begin(void)
{
    turns = turns_max = 0;
    slow_ns = 0;
    turn_status = ended = 0;
    turn_waits = false;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_looping_call_create(the_reactor, take_turn, &the_loop, &the_loop), 0);
}

static void finish(void)
{
    CU_ASSERT_EQUAL(solo_looping_call_release(the_loop), 0);
    worlds_destroy(the_reactor);
}

static void start(uint64_t interval_ns, bool now)
{
    struct solo_deferred *deferred = NULL;
    began = solo_now();
    CU_ASSERT_EQUAL(solo_looping_call_start(the_loop, interval_ns, now, &deferred), 0);
    watch_end(deferred);
}

static void start_now(void *arg)
{
    (void)arg;
    start(10 * WORLDS_MS, true);
}

static void start_later(void *arg)
{
    (void)arg;
    start(10 * WORLDS_MS, false);
}

/* ---- Looping calls ---- */

static void intervals_body(void)
{
    begin();
    turns_max = 4;
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, start_now, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(turns, 4);
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(counts[i], 1);
        CU_ASSERT_EQUAL(times[i], i * 10 * WORLDS_MS);
    }
    CU_ASSERT_EQUAL(ended, 1);
    finish();
}

static void test_tasks__a_loop_keeps_to_multiples_of_its_interval(void)
{
    worlds_run_sim(intervals_body, WORLDS_SEEDS);
}

static void both_worlds_body(void)
{
    bool running = true;
    begin();
    turns_max = 3;
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, start_later, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(turns, 3);
    CU_ASSERT_TRUE(times[0] >= 10 * WORLDS_MS);
    CU_ASSERT_TRUE(counts[0] >= 1 && counts[0] <= times[0] / (10 * WORLDS_MS)); /* of the time of the pass */
    CU_ASSERT_EQUAL(ended, 1);
    CU_ASSERT_EQUAL(solo_looping_call_running(the_loop, &running), 0);
    CU_ASSERT_FALSE(running);
    finish();
}

static void test_tasks__a_loop_starts_later_if_asked(void)
{
    worlds_run(both_worlds_body);
}

static void skip_body(void)
{
    begin();
    turns_max = 4;
    slow_ns = 35 * WORLDS_MS; /* the second turn, from 10 to 45 ms */
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, start_now, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(times[1], 10 * WORLDS_MS);
    CU_ASSERT_EQUAL(counts[1], 1);
    /* The pass of the second turn keeps its time, so the next one is due at 20 ms; it is late, and told of it. */
    CU_ASSERT_EQUAL(times[2], 45 * WORLDS_MS);
    CU_ASSERT_EQUAL(counts[2], 3);
    CU_ASSERT_EQUAL(times[3], 50 * WORLDS_MS);
    CU_ASSERT_EQUAL(counts[3], 1);
    finish();
}

static void test_tasks__a_loop_skips_what_a_slow_turn_missed_and_says_how_many(void)
{
    worlds_run_sim(skip_body, WORLDS_SEEDS);
}

static void zero_turns(void *arg)
{
    (void)arg;
    start(0, true);
    CU_ASSERT_EQUAL(turns, 1);
}

static void zero_body(void)
{
    begin();
    turns_max = 5;
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, zero_turns, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(turns, 5);
    CU_ASSERT_EQUAL(counts[0] + counts[1] + counts[4], 3);
    finish();
}

static void test_tasks__a_loop_without_interval_has_a_turn_a_pass(void)
{
    worlds_run(zero_body);
}

static void fire_inner(void *status)
{
    int code = (int)(intptr_t)status;
    CU_ASSERT_EQUAL(turns, 1); /* it held back the next turn */
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, code < 0 ? solo_failure(code) : solo_value(NULL)), 0);
}

/* The wait begins with the loop, so that even a slow start of the reactor leaves it its length. */
static void start_and_fire_later(void *arg)
{
    start_now(arg);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 33 * WORLDS_MS, fire_inner, NULL, NULL, NULL), 0);
}

static void waits_body(void)
{
    begin();
    turn_waits = true;
    turns_max = 2;
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, start_and_fire_later, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(turns, 2);
    CU_ASSERT_TRUE(worlds.sim == NULL || times[1] == 40 * WORLDS_MS);
    CU_ASSERT_TRUE(counts[1] >= 4);
    CU_ASSERT_EQUAL(ended, 1);
    finish();
}

static void test_tasks__a_loop_waits_for_the_deferred_of_a_turn(void)
{
    worlds_run(waits_body);
}

static void stop_while_waiting(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_looping_call_stop(the_loop), 0);
    CU_ASSERT_EQUAL(solo_looping_call_stop(the_loop), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(ended, 0); /* the turn is not over */
    fire_inner((void *)(intptr_t)turn_status);
    CU_ASSERT_EQUAL(ended, turn_status < 0 ? turn_status : 1);
}

static void stopped_waiting_body(void)
{
    for (int round = 0; round < 2; round++) {
        begin();
        turn_waits = true;
        turn_status = round == 0 ? 0 : -EIO;
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, start_now, NULL, NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, stop_while_waiting, NULL, NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
        CU_ASSERT_EQUAL(turns, 1);
        finish();
    }
}

static void test_tasks__a_loop_stopped_while_it_waits_ends_with_the_result(void)
{
    worlds_run(stopped_waiting_body);
}

static void fails_body(void)
{
    bool running = true;
    begin();
    turn_status = -EIO;
    start(10 * WORLDS_MS, true);
    CU_ASSERT_EQUAL(ended, -EIO);
    CU_ASSERT_EQUAL(solo_looping_call_running(the_loop, &running), 0);
    CU_ASSERT_FALSE(running);
    turn_status = 0;
    start(10 * WORLDS_MS, false); /* and it can be started again */
    CU_ASSERT_EQUAL(solo_looping_call_stop(the_loop), 0);
    CU_ASSERT_EQUAL(ended, 1);
    CU_ASSERT_EQUAL(turns, 1);
    finish();
}

static void test_tasks__a_failure_ends_a_loop_for_good(void)
{
    worlds_run(fails_body);
}

static void reset_loop(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_looping_call_reset(the_loop), 0);
}

static void reset_body(void)
{
    begin();
    turns_max = 2;
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, start_later, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 8 * WORLDS_MS, reset_loop, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(times[0], 18 * WORLDS_MS);
    CU_ASSERT_EQUAL(times[1], 28 * WORLDS_MS);
    CU_ASSERT_EQUAL(counts[0] + counts[1], 2);
    finish();
}

static void test_tasks__a_reset_loop_counts_from_there(void)
{
    worlds_run_sim(reset_body, 1);
}

static void misuse_body(void)
{
    struct solo_deferred *deferred = NULL;
    struct solo_looping_call *other = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_looping_call_create(the_reactor, NULL, NULL, &other), -EINVAL);
    CU_ASSERT_EQUAL(solo_looping_call_create(the_reactor, take_turn, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_looping_call_start(the_loop, 1, false, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_looping_call_stop(the_loop), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(solo_looping_call_reset(the_loop), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(solo_looping_call_running(the_loop, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_looping_call_release(NULL), 0);
    start(10 * WORLDS_MS, false);
    CU_ASSERT_EQUAL(solo_looping_call_start(the_loop, 1, false, &deferred), SOLO_EALREADYRUNNING);
    finish(); /* released while it runs, it is ended by the reactor's end */
    CU_ASSERT_EQUAL(ended, SOLO_ECLOSING);
}

static void test_tasks__a_released_loop_goes_on_until_the_reactor_ends(void)
{
    worlds_run(misuse_body);
}

static void cancel_loop_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_looping_call_start(the_loop, 10 * WORLDS_MS, false, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    watch_end(deferred);
    CU_ASSERT_EQUAL(ended, 1);
    CU_ASSERT_EQUAL(solo_looping_call_stop(the_loop), SOLO_ENOTRUNNING);
    finish();
}

static void test_tasks__to_cancel_its_deferred_stops_a_loop(void)
{
    worlds_run(cancel_loop_body);
}

/* ---- A fake clock ---- */

static uint64_t fake_turns, fake_last; /* that another thread looks at */

static SOLO_REACTOR_ONLY struct solo_result take_fake_turn(uint64_t count, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(count, 1);
    __atomic_add_fetch(&fake_turns, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&fake_last, solo_now() - began, __ATOMIC_RELAXED);
    return solo_value(NULL);
}

static void expect_fake_turns(uint64_t count, uint64_t last_ns)
{
    CU_ASSERT_EQUAL(__atomic_load_n(&fake_turns, __ATOMIC_RELAXED), count);
    CU_ASSERT_EQUAL(__atomic_load_n(&fake_last, __ATOMIC_RELAXED), last_ns);
}

static void manual_main(void *arg)
{
    struct solo_deferred *deferred = NULL;
    (void)arg;
    began = solo_now();
    CU_ASSERT_EQUAL(solo_looping_call_start(the_loop, 10 * WORLDS_MS, false, &deferred), 0);
    watch_end(deferred);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    worlds_destroy(the_reactor);
}

static void stop_from_outside(void *arg)
{
    CU_ASSERT_EQUAL(solo_looping_call_stop(the_loop), 0);
    CU_ASSERT_EQUAL(solo_looping_call_release(the_loop), 0);
    worlds_stop(arg);
}

static void test_main(void *arg)
{
    struct solo_thread *thread = NULL;
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_looping_call_create(the_reactor, take_fake_turn, NULL, &the_loop), 0);
    CU_ASSERT_EQUAL(solo_reactor_hand_over(the_reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(manual_main, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_clock_settle(), 0);
    CU_ASSERT_EQUAL(solo_clock_advance(9 * WORLDS_MS), 0);
    expect_fake_turns(0, 0);
    CU_ASSERT_EQUAL(solo_clock_advance(3 * WORLDS_MS), 0);
    expect_fake_turns(1, 10 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_clock_advance(25 * WORLDS_MS), 0); /* through 20 and 30 ms, not all at its end */
    expect_fake_turns(3, 30 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, stop_from_outside, the_reactor, NULL), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(ended, 1);
}

static void test_tasks__a_fake_clock_steps_through_every_due_time(void)
{
    struct solo_sim_options options = {.clock = SOLO_CLOCK_MANUAL};
    struct solo_sim *sim = NULL;
    fake_turns = fake_last = 0;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 1, test_main, NULL), SOLO_ENDING_RETURNED);
    solo_sim_destroy(sim);
}

/* ---- Later ---- */

static struct solo_result give(void *arg)
{
    note('g');
    return turn_status < 0 ? solo_failure(turn_status) : solo_value(arg);
}

static struct solo_result check_value(struct solo_result result, void *arg)
{
    CU_ASSERT_PTR_EQUAL(result.value, arg);
    ended = 1;
    return result;
}

static void later_body(void)
{
    struct solo_deferred *deferred = NULL;
    the_reactor = worlds_reactor();
    turn_status = ended = 0;
    CU_ASSERT_EQUAL(solo_defer_later(the_reactor, 0, give, &ended, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_defer_later(the_reactor, 0, give, &ended, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, check_value, NULL, &ended), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    CU_ASSERT_EQUAL(ended, 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(ended, 1);
    CU_ASSERT_EQUAL(solo_defer_later(the_reactor, 0, NULL, &ended, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, check_value, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    turn_status = -EIO;
    CU_ASSERT_EQUAL(solo_defer_later(the_reactor, 0, give, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    watch_end(deferred);
    CU_ASSERT_EQUAL(ended, -EIO);
    CU_ASSERT_EQUAL(solo_defer_later(the_reactor, 0, give, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    watch_end(deferred);
    CU_ASSERT_EQUAL(ended, SOLO_ECANCELLED);
    size_t count = 7;
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, NULL, 0, &count), 0);
    CU_ASSERT_EQUAL(count, 0);
    noted("gg");
    CU_ASSERT_EQUAL(solo_defer_later(the_reactor, 1, give, NULL, &deferred), 0);
    watch_end(deferred);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(ended, SOLO_ECLOSING);
}

static void test_tasks__a_call_later_gives_its_result_to_a_deferred(void)
{
    worlds_run(later_body);
}

/* ---- Cooperation ---- */

static struct solo_cooperator *the_cooperator;
static struct solo_task *tasks[4];

struct work {
    char letter;
    unsigned steps; /* left */
    int status;     /* of the last one */
    bool waits;     /* in the first step */
};

static SOLO_REACTOR_ONLY int step(void *arg, struct solo_deferred **ret_wait_for)
{
    struct work *work = arg;
    note(work->letter);
    if (work->waits) {
        work->waits = false;
        CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &inner), 0);
        *ret_wait_for = inner;
    }
    return --work->steps > 0 ? SOLO_TASK_MORE : work->status;
}

static void begin_work(unsigned steps_max)
{
    struct solo_cooperator_options options = {.slice_ns = UINT64_C(3600000000000), .steps_max = steps_max};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_cooperator_create(the_reactor, &options, &the_cooperator), 0);
}

static void finish_work(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_task_release(tasks[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_cooperator_release(the_cooperator), 0);
    size_t left = 7;
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, NULL, 0, &left), 0);
    CU_ASSERT_EQUAL(left, 0);
    worlds_destroy(the_reactor);
}

static void add(unsigned which, struct work *work)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_cooperator_add(the_cooperator, step, work, &tasks[which]), 0);
    CU_ASSERT_EQUAL(solo_task_when_done(tasks[which], &deferred), 0);
    watch_end(deferred);
}

static void pass(void)
{
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
}

static void turns_body(void)
{
    struct work a = {'a', 3, 0, false}, b = {'b', 5, 0, false};
    begin_work(4);
    add(0, &a);
    add(1, &b);
    noted("");
    pass();
    noted("abab"); /* as many steps as one pass has */
    pass();
    noted("abababbb");
    CU_ASSERT_EQUAL(ended, 1);
    pass();
    noted("abababbb");
    CU_ASSERT_EQUAL(solo_task_stop(tasks[0]), SOLO_EALREADYCALLED);
    CU_ASSERT_EQUAL(solo_task_pause(tasks[0]), SOLO_EALREADYCALLED);
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_task_when_done(tasks[0], &deferred), 0); /* at once */
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, check_value, NULL, &a), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    finish_work(2);
}

static void test_tasks__cooperating_tasks_take_turns_within_a_slice_of_the_pass(void)
{
    worlds_run(turns_body);
}

static void pause_body(void)
{
    struct work a = {'a', 100, 0, false}, b = {'b', 100, 0, false};
    begin_work(2);
    add(0, &a);
    add(1, &b);
    CU_ASSERT_EQUAL(solo_task_pause(tasks[0]), 0);
    CU_ASSERT_EQUAL(solo_task_pause(tasks[0]), 0);
    pass();
    noted("bb");
    CU_ASSERT_EQUAL(solo_task_resume(tasks[0]), 0);
    pass();
    noted("bbbb"); /* pauses nest */
    CU_ASSERT_EQUAL(solo_task_resume(tasks[0]), 0);
    CU_ASSERT_EQUAL(solo_task_resume(tasks[0]), -EINVAL);
    pass();
    noted("bbbbba");
    CU_ASSERT_EQUAL(solo_task_stop(tasks[0]), 0);
    CU_ASSERT_EQUAL(ended, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(solo_task_resume(tasks[0]), SOLO_EALREADYCANCELLED);
    CU_ASSERT_EQUAL(solo_task_pause(tasks[1]), 0);
    size_t left = 7;
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, NULL, 0, &left), 0);
    CU_ASSERT_EQUAL(left, 0); /* nobody can make a step: nothing is to come */
    finish_work(2);
}

static void test_tasks__pauses_nest_and_a_stopped_task_stays_stopped(void)
{
    worlds_run(pause_body);
}

static void wait_body(void)
{
    struct work a = {'a', 2, 0, true}, b = {'b', 3, 0, true};
    begin_work(1);
    add(0, &a);
    pass();
    pass();
    noted("a");
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, solo_value(NULL)), 0);
    pass();
    noted("aa");
    CU_ASSERT_EQUAL(ended, 1);
    add(1, &b);
    pass();
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, solo_failure(-EIO)), 0);
    CU_ASSERT_EQUAL(ended, -EIO);
    CU_ASSERT_EQUAL(solo_task_stop(tasks[1]), -EIO);
    pass();
    noted("aab");
    finish_work(2);
}

static void test_tasks__a_task_waits_for_the_deferred_of_a_step(void)
{
    worlds_run(wait_body);
}

static void stop_body(void)
{
    struct work a = {'a', 9, 0, false}, b = {'b', 2, -EIO, false};
    struct solo_task *task = NULL;
    begin_work(2);
    CU_ASSERT_EQUAL(solo_cooperator_add(the_cooperator, NULL, NULL, &task), -EINVAL);
    CU_ASSERT_EQUAL(solo_cooperator_add(the_cooperator, step, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_cooperator_create(the_reactor, NULL, NULL), -EINVAL);
    add(0, &b);
    pass();
    CU_ASSERT_EQUAL(ended, -EIO);
    add(1, &a);
    CU_ASSERT_EQUAL(solo_cooperator_stop(the_cooperator), 0);
    CU_ASSERT_EQUAL(ended, SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_cooperator_stop(the_cooperator), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_cooperator_add(the_cooperator, step, &a, &task), SOLO_ECLOSING);
    pass();
    noted("bb");
    finish_work(2);
}

static struct solo_result give_up_cooperator(struct solo_result result, void *arg)
{
    (void)arg;
    ended = result.status;
    CU_ASSERT_EQUAL(solo_task_release(tasks[0]), 0);
    CU_ASSERT_EQUAL(solo_cooperator_release(the_cooperator), 0);
    return solo_value(NULL);
}

static void add_last_of_all(struct work *work)
{
    struct solo_deferred *deferred = NULL;
    begin_work(4);
    CU_ASSERT_EQUAL(solo_cooperator_add(the_cooperator, step, work, &tasks[0]), 0);
    CU_ASSERT_EQUAL(solo_task_when_done(tasks[0], &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, give_up_cooperator, give_up_cooperator, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

static void last_of_all_body(void)
{
    struct work a = {'a', 2, 0, false};
    add_last_of_all(&a);
    CU_ASSERT_EQUAL(solo_task_stop(tasks[0]), 0);
    CU_ASSERT_EQUAL(ended, SOLO_ECANCELLED);
    worlds_destroy(the_reactor);
    a = (struct work){'a', 2, 0, false};
    add_last_of_all(&a);
    pass();
    pass();
    CU_ASSERT_EQUAL(ended, 0);
    worlds_destroy(the_reactor);
    a = (struct work){'a', 2, 0, true};
    add_last_of_all(&a);
    pass();
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, solo_failure(-EIO)), 0);
    CU_ASSERT_EQUAL(ended, -EIO);
    worlds_destroy(the_reactor);
}

static void test_tasks__whoever_hears_of_a_task_s_end_may_give_up_the_cooperator(void)
{
    worlds_run(last_of_all_body);
}

static void after_reactor_body(void)
{
    struct work a = {'a', 2, 0, true};
    begin();
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_looping_call_release(the_loop), 0);
    begin_work(4);
    CU_ASSERT_EQUAL(solo_cooperator_add(the_cooperator, step, &a, &tasks[0]), 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_cooperator_stop(the_cooperator), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_task_stop(tasks[0]), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_cooperator_release(the_cooperator), 0);
    CU_ASSERT_EQUAL(solo_task_release(tasks[0]), 0);
}

static void test_tasks__can_be_given_up_after_their_reactor(void)
{
    worlds_run(after_reactor_body);
}

static void test_tasks__a_stopped_cooperator_ends_its_tasks_and_takes_no_more(void)
{
    worlds_run(stop_body);
}

static void reactor_end_body(void)
{
    struct work a = {'a', 9, 0, false};
    begin_work(2);
    add(0, &a);
    CU_ASSERT_EQUAL(solo_task_release(tasks[0]), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(ended, SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_cooperator_release(the_cooperator), 0);
    worlds_destroy(the_reactor);
}

static void test_tasks__the_end_of_the_reactor_ends_its_tasks(void)
{
    worlds_run(reactor_end_body);
}

/* ---- Programs ---- */

static struct solo_deferred *program(struct solo_reactor *reactor, void *arg)
{
    struct solo_deferred *deferred = NULL;
    bool running = false;
    CU_ASSERT_EQUAL(solo_reactor_is_running(reactor, &running), 0);
    CU_ASSERT_TRUE(running);
    CU_ASSERT_EQUAL(solo_defer_later(reactor, 5 * WORLDS_MS, give, arg, &deferred), 0);
    return deferred;
}

static struct solo_deferred *short_program(struct solo_reactor *reactor, void *arg)
{
    (void)reactor;
    (void)arg;
    note('s');
    return NULL;
}

static void raise_interrupt(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_signal_raise(SIGINT), 0);
}

static struct solo_deferred *endless_program(struct solo_reactor *reactor, void *arg)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(
        solo_reactor_call_later(reactor, 0, arg == NULL ? raise_interrupt : worlds_stop, reactor, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
    return deferred;
}

static void react_body(void)
{
    turn_status = 0;
    CU_ASSERT_EQUAL(solo_react(NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_react(NULL, program, NULL), 0);
    CU_ASSERT_EQUAL(solo_react(NULL, short_program, NULL), 0);
    turn_status = -EIO;
    CU_ASSERT_EQUAL(solo_react(NULL, program, NULL), 1);
    worlds_expect(SOLO008_DEFERRED, 1); /* nobody handled it */
    CU_ASSERT_EQUAL(solo_react(NULL, endless_program, NULL), 128 + SIGINT);
    CU_ASSERT_EQUAL(solo_react(NULL, endless_program, &ended), 0);
    noted("gsg");
}

static void test_tasks__a_program_runs_until_its_deferred_has_a_result(void)
{
    worlds_run(react_body);
}

/* ---- Memory ---- */

static void torture_body(void)
{
    struct solo_deferred *deferred = NULL;
    struct work a = {'a', 3, 0, false};
    struct solo_deferred *done = NULL;
    the_loop = NULL;
    the_cooperator = NULL;
    tasks[0] = NULL;
    turns = turns_max = 0;
    turn_status = 0;
    if (solo_reactor_create(NULL, &the_reactor) < 0) {
        return;
    }
    if (solo_looping_call_create(the_reactor, take_turn, &the_loop, &the_loop) == 0 &&
        solo_looping_call_start(the_loop, 0, true, &deferred) == 0) {
        (void)solo_deferred_add(deferred, NULL, note_failure, NULL);
        (void)solo_deferred_cancel(deferred); /* a failure that finds no memory for its errback is handled so */
        (void)solo_deferred_release(deferred);
    }
    if (solo_defer_later(the_reactor, 0, NULL, NULL, &deferred) == 0) {
        (void)solo_deferred_release(deferred);
    }
    if (solo_cooperator_create(the_reactor, NULL, &the_cooperator) == 0 &&
        solo_cooperator_add(the_cooperator, step, &a, &tasks[0]) == 0 && solo_task_when_done(tasks[0], &done) == 0) {
        (void)solo_deferred_release(done);
    }
    (void)solo_reactor_iterate(the_reactor, 0);
    (void)solo_looping_call_release(the_loop);
    (void)solo_task_release(tasks[0]);
    (void)solo_cooperator_release(the_cooperator);
    worlds_destroy(the_reactor);
    worlds.expected = worlds.found; /* a failure for want of memory that nobody could be told of is reported */
}

static void test_tasks__whichever_allocation_is_refused_nothing_is_lost(void)
{
    CU_ASSERT_TRUE(refusing_run(torture_body, REFUSE_FOR_GOOD) >= 10);
}

void suite_tasks(void);
void suite_tasks(void)
{
    SOLO_SUITE("tasks");
    SOLO_TEST(test_tasks__a_loop_keeps_to_multiples_of_its_interval);
    SOLO_TEST(test_tasks__a_loop_starts_later_if_asked);
    SOLO_TEST(test_tasks__a_loop_skips_what_a_slow_turn_missed_and_says_how_many);
    SOLO_TEST(test_tasks__a_loop_without_interval_has_a_turn_a_pass);
    SOLO_TEST(test_tasks__a_loop_waits_for_the_deferred_of_a_turn);
    SOLO_TEST(test_tasks__a_loop_stopped_while_it_waits_ends_with_the_result);
    SOLO_TEST(test_tasks__a_failure_ends_a_loop_for_good);
    SOLO_TEST(test_tasks__a_reset_loop_counts_from_there);
    SOLO_TEST(test_tasks__a_released_loop_goes_on_until_the_reactor_ends);
    SOLO_TEST(test_tasks__to_cancel_its_deferred_stops_a_loop);
    SOLO_TEST(test_tasks__a_fake_clock_steps_through_every_due_time);
    SOLO_TEST(test_tasks__a_call_later_gives_its_result_to_a_deferred);
    SOLO_TEST(test_tasks__cooperating_tasks_take_turns_within_a_slice_of_the_pass);
    SOLO_TEST(test_tasks__pauses_nest_and_a_stopped_task_stays_stopped);
    SOLO_TEST(test_tasks__a_task_waits_for_the_deferred_of_a_step);
    SOLO_TEST(test_tasks__a_stopped_cooperator_ends_its_tasks_and_takes_no_more);
    SOLO_TEST(test_tasks__whoever_hears_of_a_task_s_end_may_give_up_the_cooperator);
    SOLO_TEST(test_tasks__can_be_given_up_after_their_reactor);
    SOLO_TEST(test_tasks__the_end_of_the_reactor_ends_its_tasks);
    SOLO_TEST(test_tasks__a_program_runs_until_its_deferred_has_a_result);
    SOLO_TEST(test_tasks__whichever_allocation_is_refused_nothing_is_lost);
}
