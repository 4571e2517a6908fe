/*
 * test_shutdown.c - an orderly stop from end to end: what is finished, what is handed back, what is refused, in which
 * order; and that no refused allocation and no schedule leaves anything behind.
 */
#include "refusing_world.h"
#include <stdatomic.h>
#include <stdlib.h>

static struct solo_reactor *the_reactor;

static struct solo_deferred *note_trigger(void *arg)
{
    note_call(arg);
    return NULL;
}

static void add_note(enum solo_phase phase, const char *letter)
{
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, phase, SOLO_SHUTDOWN, note_trigger, (void *)letter, NULL, NULL), 0);
}

/* ---- The pool ---- */

static void work(void *arg)
{
    (void)arg;
    solo_sleep(2 * WORLDS_MS); /* time enough for the reactor to shut down, if it did not wait */
}

static void add_job(const char *letter)
{
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, work, (void *)letter, note_done), 0);
}

static void run_two_jobs(void)
{
    struct solo_reactor_options options = {.pool_max = 1};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    add_job("1");
    add_job("2");
    add_note(SOLO_BEFORE, "b");
    add_note(SOLO_DURING, "d");
    add_note(SOLO_AFTER, "a");
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, note_call, "t", NULL, NULL), 0);
    worlds_run_to_end(the_reactor);
    worlds_destroy(the_reactor);
}

static void exact_drain_body(void)
{
    run_two_jobs();
    noted("bt=1=2da"); /* the delayed call came while the backlog was run */
}

static void drain_body(void)
{
    run_two_jobs();
    CU_ASSERT_EQUAL(worlds.noted, 8);
    CU_ASSERT_STRING_EQUAL(worlds.notes + 6,
                           "da"); /* whatever the order of the jobs, the during-triggers come after them */
}

static void test_shutdown__the_pool_runs_its_backlog_while_the_loop_turns(void)
{
    worlds_simulate(exact_drain_body, SOLO_CARRIER_FIBER, false, 1);
    worlds_run(drain_body);
}

static void call_back(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, arg, note_done), 0);
}

static int dawdled;

static void dawdle(void *arg)
{
    for (int i = 0; i < 6; i++) {
        solo_yield(); /* the job may begin or end while the reactor is in the pass that looks whether it did */
    }
    if (++dawdled < 4) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, dawdle, arg, NULL), 0);
    }
}

static void last_words_body(void)
{
    the_reactor = worlds_reactor();
    dawdled = 0;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, dawdle, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, call_back, "c", NULL), 0);
    worlds_run_to_end(the_reactor);
    noted("c=c");
    worlds_destroy(the_reactor);
}

static void test_shutdown__what_a_draining_job_calls_on_the_reactor_thread_is_still_run(void)
{
    worlds_run(last_words_body);
    worlds_run_sim(last_words_body, 2000);
}

static void call_for_ever(void *arg)
{
    note('c');
    (void)solo_reactor_call_from_thread(the_reactor, call_for_ever, arg, NULL);
}

static void for_ever_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, call_for_ever, NULL, NULL), 0);
    uint64_t start = solo_now();
    worlds_run_to_end(the_reactor);
    CU_ASSERT_TRUE(solo_now() - start < UINT64_C(30000) * WORLDS_MS); /* not by the time limit of the drain */
    noted("cc");                                                      /* one more pass, and the third is handed back */
    worlds_destroy(the_reactor);
}

static void test_shutdown__a_call_that_queues_itself_for_ever_does_not_hold_it_up(void)
{
    worlds_run(for_ever_body);
}

static int refused;

static void add_late_job(void *arg)
{
    refused = solo_reactor_call_in_thread(the_reactor, work, arg, note_done);
}

static void drain_refuses_body(void)
{
    the_reactor = worlds_reactor();
    add_job("1");
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, add_late_job, "2", NULL, NULL), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(refused, SOLO_ECLOSING);
    worlds_destroy(the_reactor);
    noted("=1");
}

static void test_shutdown__the_draining_pool_takes_no_new_jobs(void)
{
    worlds_run_sim(drain_refuses_body, 50);
}

static struct solo_result answer(void *arg)
{
    note('w');
    return solo_value(arg);
}

static int asked;

static void ask_from_job(void *arg)
{
    (void)arg;
    asked = solo_blocking_call_from_thread(the_reactor, answer, NULL, NULL);
}

static void job_asks_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, ask_from_job, "j", note_done), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_TRUE(asked == 0 || asked == SOLO_ECLOSING);
    worlds_destroy(the_reactor);
    CU_ASSERT_STRING_EQUAL(worlds.notes, asked == 0 ? "w=j" : "=j");
}

static void test_shutdown__a_job_that_blocks_on_the_reactor_never_hangs_the_stop(void)
{
    worlds_run(job_asks_body);
    worlds_run_sim(job_asks_body, 2000);
}

static void ask_late(void *arg)
{
    (void)arg;
    solo_sleep(2 * WORLDS_MS); /* the drain has begun, and waits for this job */
    asked = solo_blocking_call_from_thread(the_reactor, answer, NULL, NULL);
}

static void job_asks_late_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, ask_late, "j", note_done), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(asked, SOLO_ECLOSING);
    worlds_destroy(the_reactor);
    noted("=j");
}

static void test_shutdown__blocking_calls_are_refused_from_the_drain_on(void)
{
    worlds_run_sim(job_asks_late_body, 50);
}

static struct solo_deferred *holding;

static struct solo_deferred *hold_for_a_while(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &holding), 0);
    return holding;
}

static void let_go(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_deferred_fire(holding, solo_value(NULL)), 0);
}

static void served_while_held_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, hold_for_a_while, "h", NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, ask_late, "j", note_done), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 4 * WORLDS_MS, let_go, "l", NULL, NULL), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(asked, 0);
    worlds_destroy(the_reactor);
    noted("hw=jl");
}

static void test_shutdown__blocking_calls_are_served_while_before_triggers_hold(void)
{
    worlds_run_sim(served_while_held_body, 50);
}

static struct solo_semaphore *never;

static void block_for_ever(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(never, SOLO_NEVER);
}

static void stuck_body(void)
{
    struct solo_reactor_options options = {.drain_max_ns = 10 * WORLDS_MS};
    CU_ASSERT_EQUAL(solo_semaphore_create(0, &never), 0);
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, block_for_ever, "j", note_done), 0);
    add_note(SOLO_AFTER, "a");
    worlds_run_to_end(the_reactor); /* comes back */
    worlds_destroy(the_reactor);
    CU_ASSERT_PTR_NOT_NULL(strchr(worlds.notes, 'a'));
    CU_ASSERT_EQUAL(solo_violation_count(SOLO004_DEADLOCK) + solo_violation_count(SOLO011_WORK_LOST), 1);
    worlds.expected = worlds.found;
}

static void test_shutdown__a_job_that_never_ends_is_named_and_left_behind(void)
{
    worlds_run_sim(stuck_body, 20);
    worlds_run_os(stuck_body);
}

/* ---- Deferreds that never fire ---- */

static struct solo_deferred *hold_for_ever(void *arg)
{
    struct solo_deferred *deferred = NULL;
    note_call(arg);
    CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &deferred), 0);
    return deferred;
}

static void held_body(void)
{
    struct solo_reactor_options options = {.drain_max_ns = 10 * WORLDS_MS};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, hold_for_ever, "h", NULL, NULL),
                    0);
    add_note(SOLO_DURING, "d");
    uint64_t start = solo_now();
    worlds_run_to_end(the_reactor);
    CU_ASSERT_TRUE(solo_now() >= start + 10 * WORLDS_MS);
    noted("hd");
    worlds_destroy(the_reactor);
    worlds_expect(SOLO011_WORK_LOST, 1);
    worlds_expect(SOLO008_DEFERRED, 1);
    CU_ASSERT_NSTRING_EQUAL(worlds_finding(SOLO011_WORK_LOST)->job, "trigger#", 8);
}

static void test_shutdown__a_trigger_that_holds_too_long_is_named_and_the_stop_goes_on(void)
{
    worlds_run(held_body);
}

static void crash_held(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_crash(the_reactor), 0);
    (void)arg;
}

/* The crash is set once the hold is on: on a machine of any speed it comes after it. */
static struct solo_deferred *hold_until_crash(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, crash_held, NULL, NULL, NULL), 0);
    return hold_for_ever(arg);
}

static void crash_while_held_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(
        solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, hold_until_crash, "h", NULL, NULL), 0);
    add_note(SOLO_DURING, "d");
    worlds_run_to_end(the_reactor);
    noted("h");
    worlds_destroy(the_reactor);
    worlds_expect(SOLO008_DEFERRED, 1);
}

static void test_shutdown__a_crash_ends_a_stop_that_is_held_up(void)
{
    worlds_run(crash_while_held_body);
}

/* ---- The last round ---- */

static struct solo_deferred *queue_last_calls(void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "t", note_done), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, "l", note_done, NULL), 0);
    return NULL;
}

static void last_round_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_AFTER, SOLO_SHUTDOWN, queue_last_calls, "a", NULL, NULL),
                    0);
    worlds_run_to_end(the_reactor);
    noted("aXtXl"); /* before run returned */
    worlds_destroy(the_reactor);
    noted("aXtXl");
}

static void test_shutdown__calls_that_come_too_late_are_handed_back_before_run_returns(void)
{
    worlds_run(last_round_body);
}

static void try_all(int status, void *arg)
{
    note_done(status, arg);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "1", NULL), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, "2", NULL, NULL), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, note_call, "3", NULL), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, note_call, "4", NULL), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_AFTER, SOLO_SHUTDOWN, note_trigger, "5", NULL, NULL),
                    SOLO_ECLOSING);
}

static void nothing_new_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 60000 * WORLDS_MS, note_call, "l", try_all, NULL), 0);
    worlds_run_to_end(the_reactor);
    worlds_destroy(the_reactor);
    noted("Xl");
}

static void test_shutdown__nothing_is_accepted_while_things_are_handed_back(void)
{
    worlds_run(nothing_new_body);
}

static void try_all_in_destroy_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "t", try_all), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, "l", try_all, NULL), 0);
    worlds_destroy(the_reactor);
    noted("XtXl");
}

static void test_shutdown__nothing_is_accepted_while_destroy_hands_back(void)
{
    worlds_run(try_all_in_destroy_body);
}

/* ---- Every schedule ---- */

enum { WORKERS = 3 };

/* Only counted on the reactor thread, but for `queued`. */
static struct {
    atomic_uint queued;
    unsigned done;
} tally;

static void count_done(int status, void *arg)
{
    CU_ASSERT_TRUE(status == 0 || status == SOLO_ECLOSING);
    tally.done++;
    (void)arg;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void queue_some(void *arg)
{
    for (int i = 0; i < 3; i++) {
        int status = solo_reactor_call_from_thread(the_reactor, nothing, arg, count_done);
        if (status == 0) {
            atomic_fetch_add_explicit(&tally.queued, 1, memory_order_relaxed);
        } else if (status != SOLO_ECLOSING) {
            abort();
        }
    }
}

static void exactly_once_body(void)
{
    struct solo_thread *thread = NULL;
    tally.done = 0;
    atomic_store(&tally.queued, 0);
    the_reactor = worlds_reactor();
    for (int i = 0; i < WORKERS; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, queue_some, NULL, NULL), 0);
    }
    CU_ASSERT_EQUAL(solo_thread_create(queue_some, NULL, &thread), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(tally.done, atomic_load(&tally.queued));
}

static void test_shutdown__in_every_schedule_each_accepted_call_is_done_exactly_once(void)
{
    worlds_run(exactly_once_body);
    worlds_run_sim(exactly_once_body, 3000);
}

/* ---- Every refused allocation ---- */

static unsigned accepted_calls, ended_calls;

static void count_end(int status, void *arg)
{
    (void)status;
    (void)arg;
    ended_calls++;
}

/* ---- What is called back in destroy may still speak of what has ended ---- */

static solo_delayed_call_id watchdog;
static struct solo_semaphore *has_begun, *may_end;

static void wait_to_end(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_semaphore_post(has_begun), 0);
    CU_ASSERT_EQUAL(solo_semaphore_wait(may_end, SOLO_NEVER), 0);
}

/* One of the two has not begun: it is handed back before the pool is waited for, and lets the other one end. */
static void call_off(int status, void *arg)
{
    bool active = true;
    uint64_t due_ns = 7;
    size_t left = 7;
    note_done(status, arg);
    if (status < 0) {
        CU_ASSERT_EQUAL(solo_semaphore_post(may_end), 0);
        return;
    }
    CU_ASSERT_EQUAL(solo_delayed_call_active(the_reactor, watchdog, &active), 0);
    CU_ASSERT_FALSE(active);
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, watchdog, &due_ns), SOLO_EALREADYCANCELLED);
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, watchdog), SOLO_EALREADYCANCELLED);
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, NULL, 0, &left), 0);
    CU_ASSERT_EQUAL(left, 0);
}

static void crash(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_crash(the_reactor), 0);
}

static void watchdog_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1};
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &has_begun), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &may_end), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &the_reactor), 0);
    for (int i = 0; i < 100; i++) { /* more than one chunk of them */
        CU_ASSERT_EQUAL(
            solo_reactor_call_later(the_reactor, SOLO_NEVER / 2, note_call, "w", i == 0 ? note_done : NULL, &watchdog),
            0);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, wait_to_end, "j", call_off), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, wait_to_end, "j", call_off), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, crash, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_semaphore_wait(has_begun, SOLO_NEVER), 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(has_begun), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(may_end), 0);
    noted("XjXw=j");
}

static void test_shutdown__a_job_that_ends_in_destroy_may_call_off_its_delayed_call(void)
{
    worlds_run(watchdog_body);
}

static void took(int status)
{
    CU_ASSERT_TRUE(status == 0 || status == -ENOMEM);
    accepted_calls += status == 0;
}

/* Uses everything of the reactor's own that takes memory, and ends in order. */
static void use_everything(void)
{
    struct solo_reactor *reactor = NULL;
    int status = solo_reactor_create(NULL, &reactor);
    accepted_calls = ended_calls = 0;
    if (status < 0) {
        CU_ASSERT_EQUAL(status, -ENOMEM);
        return;
    }
    took(solo_reactor_call_from_thread(reactor, nothing, NULL, count_end));
    took(solo_reactor_call_later(reactor, 0, nothing, NULL, count_end, NULL));
    took(solo_reactor_call_when_running(reactor, nothing, NULL, count_end));
    took(solo_reactor_add_trigger(reactor, SOLO_DURING, SOLO_SHUTDOWN, note_trigger, "d", count_end, NULL));
    for (int i = 0; i < 40; i++) { /* more than the first table of delayed calls holds */
        took(solo_reactor_call_later(reactor, 0, nothing, NULL, count_end, NULL));
    }
    if (solo_reactor_call_from_thread(reactor, worlds_stop, reactor, NULL) == 0) {
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(accepted_calls, ended_calls);
}

static void test_shutdown__whichever_allocation_is_refused_what_was_accepted_is_done_once(void)
{
    CU_ASSERT_TRUE(refusing_run(use_everything, REFUSE_FOR_GOOD) >=
                   2 + 4 + 2 * 4); /* 41 delayed calls fill two chunks */
}

void suite_shutdown(void);
void suite_shutdown(void)
{
    SOLO_SUITE("shutdown");
    SOLO_TEST(test_shutdown__the_pool_runs_its_backlog_while_the_loop_turns);
    SOLO_TEST(test_shutdown__what_a_draining_job_calls_on_the_reactor_thread_is_still_run);
    SOLO_TEST(test_shutdown__a_call_that_queues_itself_for_ever_does_not_hold_it_up);
    SOLO_TEST(test_shutdown__the_draining_pool_takes_no_new_jobs);
    SOLO_TEST(test_shutdown__a_job_that_blocks_on_the_reactor_never_hangs_the_stop);
    SOLO_TEST(test_shutdown__blocking_calls_are_refused_from_the_drain_on);
    SOLO_TEST(test_shutdown__blocking_calls_are_served_while_before_triggers_hold);
    SOLO_TEST(test_shutdown__a_job_that_never_ends_is_named_and_left_behind);
    SOLO_TEST(test_shutdown__a_trigger_that_holds_too_long_is_named_and_the_stop_goes_on);
    SOLO_TEST(test_shutdown__a_crash_ends_a_stop_that_is_held_up);
    SOLO_TEST(test_shutdown__calls_that_come_too_late_are_handed_back_before_run_returns);
    SOLO_TEST(test_shutdown__nothing_is_accepted_while_things_are_handed_back);
    SOLO_TEST(test_shutdown__nothing_is_accepted_while_destroy_hands_back);
    SOLO_TEST(test_shutdown__a_job_that_ends_in_destroy_may_call_off_its_delayed_call);
    SOLO_TEST(test_shutdown__in_every_schedule_each_accepted_call_is_done_exactly_once);
    SOLO_TEST(test_shutdown__whichever_allocation_is_refused_what_was_accepted_is_done_once);
}
