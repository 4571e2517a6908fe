/* test_thread_call.c - calls from threads into the reactor thread: order, wake-ups, hand-back, and blocking calls. */
#include "worlds.h"
#include <stdlib.h>

/* ---- Order ---- */

static void order_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    const char *letters = "abcdefghij";
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, (void *)&letters[i], NULL), 0);
    }
    noted(""); /* never inside the call, even on the thread that will run it */
    worlds_run_to_end(reactor);
    noted("abcdefghij");
    worlds_destroy(reactor);
}

static void test_thread_call__calls_queued_before_run_are_kept_and_run_in_order(void)
{
    worlds_run(order_body);
}

static struct solo_reactor *the_reactor;

static void queue_b(void *arg)
{
    note('a');
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "b", NULL), 0);
    (void)arg;
}

static void next_pass_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, queue_b, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "c", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("ac");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("acb");
    worlds_destroy(the_reactor);
}

static void test_thread_call__what_a_running_call_queues_waits_for_the_next_pass(void)
{
    worlds_run(next_pass_body);
}

static unsigned turns;

static void queue_myself(void *arg)
{
    turns++;
    if (turns < 100000) {
        (void)solo_reactor_call_from_thread(the_reactor, queue_myself, arg, NULL);
    }
}

static void stop_and_note(void *arg)
{
    note('t');
    worlds_stop(the_reactor);
    turns = 100000;
    (void)arg;
}

static void starve_body(void)
{
    the_reactor = worlds_reactor();
    turns = 0;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, queue_myself, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, stop_and_note, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("t");
    worlds_destroy(the_reactor);
}

static void test_thread_call__a_call_that_queues_itself_starves_no_delayed_call(void)
{
    worlds_run(starve_body);
}

static void delayed_after_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, note_call, "d", NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "t", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(reactor, note_call, "h", NULL), 0);
    worlds_run_to_end(reactor);
    noted("htd");
    worlds_destroy(reactor);
}

static void test_thread_call__calls_come_after_hooks_and_before_delayed_calls(void)
{
    worlds_run(delayed_after_body);
}

/* ---- Done ---- */

static void done_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "a", note_done), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "b", note_done), 0);
    worlds_run_to_end(reactor);
    noted("a=ab=b");
    worlds_destroy(reactor);
    noted("a=ab=b");
}

static void test_thread_call__done_comes_once_right_after_the_call(void)
{
    worlds_run(done_body);
}

static void never_run_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "a", note_done), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "b", note_done), 0);
    worlds_destroy(reactor);
    noted("XaXb");
}

static void test_thread_call__destroy_hands_back_what_never_ran(void)
{
    worlds_run(never_run_body);
}

static void refused_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    worlds_run_to_end(reactor);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "a", note_done), SOLO_ECLOSING);
    worlds_destroy(reactor);
    noted("");
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(NULL, note_call, NULL, NULL), -EINVAL);
}

static void test_thread_call__a_stopped_reactor_takes_none_and_says_so(void)
{
    worlds_run(refused_body);
}

static void bad_argument_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, NULL, NULL, note_done), -EINVAL);
    worlds_destroy(reactor);
    noted("");
}

static void test_thread_call__a_call_without_function_is_refused_where_it_is_made(void)
{
    worlds_run(bad_argument_body);
}

/* ---- Other threads ---- */

enum { POSTERS = 3, POSTS = 4 };

struct poster {
    unsigned number;
    struct solo_thread *thread;
};

static unsigned last_of[POSTERS];
static unsigned arrived;

struct post {
    unsigned poster, number;
};
static struct post posts[POSTERS][POSTS];

static void arrive(void *arg)
{
    const struct post *post = arg;
    CU_ASSERT_EQUAL(last_of[post->poster] + 1, post->number); /* each thread's own calls stay in order */
    last_of[post->poster] = post->number;
    solo_yield(); /* others may post while the reactor is in the middle of its batch */
    if (++arrived == POSTERS * POSTS) {
        worlds_stop(the_reactor);
    }
}

static void post_all(void *arg)
{
    const struct poster *poster = arg;
    for (unsigned i = 0; i < POSTS; i++) {
        posts[poster->number][i] = (struct post){poster->number, i + 1};
        if (solo_reactor_call_from_thread(the_reactor, arrive, &posts[poster->number][i], NULL) != 0) {
            abort();
        }
    }
}

static void wake_body(void)
{
    struct poster posters[POSTERS];
    the_reactor = worlds_reactor();
    memset(last_of, 0, sizeof last_of);
    arrived = 0;
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i].number = i;
        CU_ASSERT_EQUAL(solo_thread_create(post_all, &posters[i], &posters[i].thread), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor),
                    0); /* with nothing else to wake it: a lost wake-up would end the schedule here */
    CU_ASSERT_EQUAL(arrived, POSTERS * POSTS);
    for (unsigned i = 0; i < POSTERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(posters[i].thread), 0);
    }
    worlds_destroy(the_reactor);
}

static void test_thread_call__no_schedule_loses_a_wake_up(void)
{
    worlds_run(wake_body);
    worlds_run_sim(wake_body, 3000);
}

/* The narrowest place of all: a call that comes after the batch was taken, and before the poll. */
static void post_during_callback(void *arg)
{
    (void)arg;
    if (solo_reactor_call_from_thread(the_reactor, worlds_stop, the_reactor, NULL) != 0) {
        abort();
    }
}

static void let_another_thread_post(void *arg)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(solo_thread_create(post_during_callback, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    (void)arg;
}

static void during_batch_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, let_another_thread_post, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(worlds.found, 0);
}

static void test_thread_call__queued_between_batch_and_poll_keeps_the_reactor_from_sleeping(void)
{
    worlds_run(during_batch_body);
}

enum { MANY = 100000 };

static void count_one(void *arg)
{
    unsigned *count = arg;
    (*count)++;
}

static void post_many(void *arg)
{
    for (unsigned i = 0; i < MANY; i++) {
        if (solo_reactor_call_from_thread(the_reactor, count_one, arg, NULL) != 0) {
            abort();
        }
    }
    if (solo_reactor_call_from_thread(the_reactor, worlds_stop, the_reactor, NULL) != 0) {
        abort();
    }
}

static void many_body(void)
{
    struct solo_thread *thread = NULL;
    unsigned count = 0;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(post_many, &count, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(count, MANY);
    worlds_destroy(the_reactor);
}

static void test_thread_call__a_hundred_thousand_calls_lose_nothing(void)
{
    worlds_run_os(many_body);
}

/* A thread posts the stop and the reactor may be gone before the post returns. */
static void post_stop(void *arg)
{
    if (solo_reactor_call_from_thread(the_reactor, worlds_stop, the_reactor, NULL) != 0) {
        abort();
    }
    (void)arg;
}

static void gone_body(void)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(post_stop, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

static void test_thread_call__the_reactor_may_end_before_the_post_returns(void)
{
    worlds_run(gone_body);
}

/* ---- The events that tell of it ---- */

static unsigned accepted, begun, ended, handed_back, wakes_sent, wakes_seen;

static void count_event(const struct solo_event *event, void *arg)
{
    (void)arg;
    accepted += event->kind == SOLO_PROBE_CALL_ACCEPTED;
    begun += event->kind == SOLO_PROBE_CALL_BEGUN;
    ended += event->kind == SOLO_PROBE_CALL_ENDED;
    handed_back += event->kind == SOLO_PROBE_CALL_HANDED_BACK;
    wakes_sent += event->kind == SOLO_PROBE_WAKE_SENT;
    wakes_seen += event->kind == SOLO_PROBE_WAKE_SEEN;
}

static void events_body(void)
{
    accepted = begun = ended = handed_back = wakes_sent = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_event, NULL), 0);
    struct solo_reactor *reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "a", note_done), 0);
    worlds_run_to_end(reactor);
    CU_ASSERT_EQUAL(accepted, 2);
    CU_ASSERT_EQUAL(begun, 2);
    CU_ASSERT_EQUAL(ended, 2);
    CU_ASSERT_EQUAL(handed_back, 1);
    CU_ASSERT_EQUAL(wakes_sent, 0); /* nobody slept, so nobody had to be woken */
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_event, NULL), 0);
}

static void test_thread_call__each_call_is_told_to_the_probe_and_no_wake_is_sent_for_nothing(void)
{
    worlds_run(events_body);
}

static int ends[2];

static void post_from_reader(int fd, void *arg)
{
    char byte;
    CU_ASSERT_EQUAL(solo_stream_read(fd, &byte, 1), 1);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, worlds_stop, the_reactor, NULL), 0);
    (void)arg;
}

static void reader_body(void)
{
    wakes_sent = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_event, NULL), 0);
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_stream_pair(ends), 0);
    CU_ASSERT_EQUAL(solo_stream_write(ends[1], "x", 1), 1);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], post_from_reader, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(wakes_sent, 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_stream_close(ends[0]), 0);
    CU_ASSERT_EQUAL(solo_stream_close(ends[1]), 0);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_event, NULL), 0);
}

static void test_thread_call__from_a_reader_needs_no_wake(void)
{
    worlds_run(reader_body);
}

static void sent_is_seen_body(void)
{
    wakes_sent = wakes_seen = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_event, NULL), 0);
    wake_body();
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_event, NULL), 0);
    CU_ASSERT_TRUE(wakes_seen <= wakes_sent);
    CU_ASSERT_TRUE(wakes_sent <= POSTERS * POSTS);
}

static void test_thread_call__no_more_wakes_are_sent_than_calls_and_none_is_seen_that_was_not_sent(void)
{
    worlds_run_sim(sent_is_seen_body, 200);
}

/* ---- Blocking calls ---- */

static struct solo_result give(void *arg)
{
    note('w');
    return solo_value(arg);
}

static struct solo_result fail(void *arg)
{
    (void)arg;
    return solo_failure(-EPIPE);
}

static struct solo_deferred *pending;

static struct solo_result give_later(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &pending), 0);
    return solo_wait_for(pending);
}

static void fire_pending(void *arg)
{
    note('f');
    CU_ASSERT_EQUAL(solo_deferred_fire(pending, solo_value(arg)), 0);
}

static void fail_pending(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_fire(pending, solo_failure(-EIO)), 0);
}

struct asker {
    solo_work_fn work;
    void *arg;
    int status;
    void *value;
    struct solo_thread *thread;
};

static void ask(void *arg)
{
    struct asker *asker = arg;
    asker->status = solo_blocking_call_from_thread(the_reactor, asker->work, asker->arg, &asker->value);
}

static void ask_and_stop(void *arg)
{
    ask(arg);
    post_stop(NULL);
}

static void join(struct asker *asker)
{
    CU_ASSERT_EQUAL(solo_thread_join(asker->thread), 0);
}

static void value_body(void)
{
    struct asker asker = {give, "v", 1, NULL, NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask_and_stop, &asker, &asker.thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, 0);
    CU_ASSERT_STRING_EQUAL(asker.value, "v");
    worlds_destroy(the_reactor);
    noted("w");
}

static void test_blocking_call__returns_the_value(void)
{
    worlds_run(value_body);
}

static void failure_body(void)
{
    struct asker asker = {fail, NULL, 0, "untouched", NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask_and_stop, &asker, &asker.thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, -EPIPE);
    CU_ASSERT_STRING_EQUAL(asker.value, "untouched");
    worlds_destroy(the_reactor);
}

static void test_blocking_call__returns_the_failure_and_leaves_the_value_alone(void)
{
    worlds_run(failure_body);
}

static struct solo_result give_later_and_fire(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, fire_pending, arg, NULL, NULL), 0);
    return give_later(arg);
}

static void deferred_body(void)
{
    struct asker asker = {give_later_and_fire, "v", 1, NULL, NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask_and_stop, &asker, &asker.thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, 0);
    CU_ASSERT_STRING_EQUAL(asker.value, "v");
    worlds_destroy(the_reactor);
    noted("f");
}

static void test_blocking_call__waits_for_a_deferred(void)
{
    worlds_run(deferred_body);
}

static struct solo_result give_later_and_fail(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, fail_pending, arg, NULL, NULL), 0);
    return give_later(arg);
}

static void deferred_failure_body(void)
{
    struct asker asker = {give_later_and_fail, NULL, 1, NULL, NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask_and_stop, &asker, &asker.thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, -EIO);
    worlds_destroy(the_reactor);
}

static void test_blocking_call__a_deferreds_failure_is_the_callers_and_counts_as_handled(void)
{
    worlds_run(deferred_failure_body);
}

static struct solo_result give_released(void *arg)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(arg)), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    return solo_wait_for(deferred);
}

static void released_body(void)
{
    struct asker asker = {give_released, NULL, 1, NULL, NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask_and_stop, &asker, &asker.thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, -EINVAL);
    worlds_destroy(the_reactor);
}

static void test_blocking_call__a_deferred_that_was_released_is_no_answer(void)
{
    worlds_run(released_body);
}

/* Two threads wait for two Deferreds, which fire in the other order. */
static struct solo_deferred *two[2];
static int made;

static struct solo_result give_one_of_two(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &two[made]), 0);
    return solo_wait_for(two[made++]);
}

static void fire_both(void *arg)
{
    if (made < 2) { /* not both have asked: come back */
        CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, fire_both, arg, NULL, NULL), 0);
        return;
    }
    CU_ASSERT_EQUAL(solo_deferred_fire(two[1], solo_value("2")), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, worlds_stop, the_reactor, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(two[0], solo_failure(-EIO)), 0);
}

static void two_askers_body(void)
{
    struct asker askers[2] = {{give_one_of_two, NULL, 1, NULL, NULL}, {give_one_of_two, NULL, 1, NULL, NULL}};
    the_reactor = worlds_reactor();
    made = 0;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(ask, &askers[i], &askers[i].thread), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, fire_both, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&askers[0]);
    join(&askers[1]);
    CU_ASSERT_EQUAL(askers[0].status + askers[1].status, -EIO); /* one of each, whoever was first */
    worlds_destroy(the_reactor);
}

static void test_blocking_call__two_threads_wait_for_two_deferreds(void)
{
    worlds_run(two_askers_body);
}

/* A program that does this has a race; the kit names it where it can. */
static int ended_status;

static void call_ended_reactor(void *arg)
{
    ended_status = solo_reactor_call_from_thread(the_reactor, note_call, arg, NULL);
}

static void ask_ended_reactor(void *arg)
{
    ended_status = solo_blocking_call_from_thread(the_reactor, give, arg, NULL);
}

static void ended_meanwhile(solo_thread_fn fn)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(fn, "a", &thread), 0);
    solo_yield();
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_TRUE(ended_status == 0 || ended_status == SOLO_ECLOSING || ended_status == SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, ended_status == SOLO_ECLOSED);
    noted("");
}

static void call_ended_body(void)
{
    ended_meanwhile(call_ended_reactor);
}

static void ask_ended_body(void)
{
    ended_meanwhile(ask_ended_reactor);
}

static void test_thread_call__to_a_reactor_that_ends_meanwhile_is_named_in_every_schedule(void)
{
#ifdef SOLO_TSAN
    SOLO_SKIP("the program of this test has a race, and TSan says so");
#endif
    worlds_run_sim(call_ended_body, 500);
    worlds_run_sim(ask_ended_body, 500);
}

static struct solo_result give_fired(void *arg)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_create(the_reactor, NULL, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(arg)), 0);
    return solo_wait_for(deferred);
}

static void fired_body(void)
{
    struct asker asker = {give_fired, "v", 1, NULL, NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask_and_stop, &asker, &asker.thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, 0);
    CU_ASSERT_STRING_EQUAL(asker.value, "v");
    worlds_destroy(the_reactor);
}

static void test_blocking_call__a_deferred_that_has_fired_answers_at_once(void)
{
    worlds_run(fired_body);
}

static void ask_here(void *arg)
{
    (void)arg;
    void *value = "untouched";
    CU_ASSERT_EQUAL(solo_blocking_call_from_thread(the_reactor, give, NULL, &value), SOLO_EONREACTOR);
    CU_ASSERT_STRING_EQUAL(value, "untouched");
}

static void on_reactor_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, ask_here, NULL, NULL), 0);
    worlds_run_to_end(the_reactor);
    worlds_destroy(the_reactor);
    noted("");
    worlds_expect(SOLO003_BLOCKING_CALL_ON_REACTOR, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO003_BLOCKING_CALL_ON_REACTOR)->function,
                           "solo_blocking_call_from_thread");
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO003_BLOCKING_CALL_ON_REACTOR)->thread, "main");
}

static void test_blocking_call__on_the_reactor_thread_is_refused_and_reported(void)
{
    worlds_run(on_reactor_body);
}

static void never_runs_body(void)
{
    struct asker asker = {give, NULL, 1, NULL, NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask, &asker, &asker.thread), 0);
    solo_sleep(WORLDS_MS); /* virtual time moves when everybody else is at rest: the call waits now */
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, note_call, "a", note_done), 0);
    worlds_destroy(the_reactor);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, SOLO_ECLOSING);
    noted("Xa");
}

static void test_blocking_call__to_a_reactor_that_never_runs_is_released_by_destroy(void)
{
    worlds_run_sim(never_runs_body, 50);
}

static struct solo_result give_never_and_stop(void *arg)
{
    worlds_stop(the_reactor);
    return give_later(arg);
}

static void unfired_body(void)
{
    struct asker asker = {give_never_and_stop, NULL, 1, NULL, NULL};
    struct solo_reactor_options options = {.drain_max_ns = 5 * WORLDS_MS};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_create(ask, &asker, &asker.thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    join(&asker);
    CU_ASSERT_EQUAL(asker.status, SOLO_ECLOSING);
    worlds_destroy(the_reactor);
    worlds_expect(SOLO011_WORK_LOST, 1);
    worlds_expect(SOLO008_DEFERRED, 1); /* nobody had it any more, and it was never fired */
}

static void test_blocking_call__a_deferred_that_never_fires_is_named_and_the_caller_released(void)
{
    worlds_run(unfired_body);
}

static void accepted_at_stop_body(void)
{
    struct asker asker = {give, "v", 1, NULL, NULL};
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(ask, &asker, &asker.thread), 0);
    worlds_run_to_end(the_reactor);
    join(&asker);
    CU_ASSERT_TRUE(asker.status == 0 || asker.status == SOLO_ECLOSING); /* served or refused: never a hang */
    CU_ASSERT_EQUAL(worlds.noted, asker.status == 0 ? 1 : 0);
    worlds_destroy(the_reactor);
}

static void test_blocking_call__at_a_stop_is_served_or_refused_in_every_schedule(void)
{
    worlds_run_sim(accepted_at_stop_body, 2000);
}

static void bad_blocking_body(void)
{
    struct solo_reactor *reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_blocking_call_from_thread(reactor, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_blocking_call_from_thread(NULL, give, NULL, NULL), -EINVAL);
    worlds_destroy(reactor);
}

static void test_blocking_call__bad_arguments_are_refused(void)
{
    worlds_run(bad_blocking_body);
}

void suite_thread_call(void);
void suite_thread_call(void)
{
    SOLO_SUITE("thread_call");
    SOLO_TEST(test_thread_call__calls_queued_before_run_are_kept_and_run_in_order);
    SOLO_TEST(test_thread_call__what_a_running_call_queues_waits_for_the_next_pass);
    SOLO_TEST(test_thread_call__a_call_that_queues_itself_starves_no_delayed_call);
    SOLO_TEST(test_thread_call__calls_come_after_hooks_and_before_delayed_calls);
    SOLO_TEST(test_thread_call__done_comes_once_right_after_the_call);
    SOLO_TEST(test_thread_call__destroy_hands_back_what_never_ran);
    SOLO_TEST(test_thread_call__a_stopped_reactor_takes_none_and_says_so);
    SOLO_TEST(test_thread_call__a_call_without_function_is_refused_where_it_is_made);
    SOLO_TEST(test_thread_call__no_schedule_loses_a_wake_up);
    SOLO_TEST(test_thread_call__queued_between_batch_and_poll_keeps_the_reactor_from_sleeping);
    SOLO_TEST(test_thread_call__from_a_reader_needs_no_wake);
    SOLO_TEST(test_thread_call__a_hundred_thousand_calls_lose_nothing);
    SOLO_TEST(test_thread_call__the_reactor_may_end_before_the_post_returns);
    SOLO_TEST(test_thread_call__each_call_is_told_to_the_probe_and_no_wake_is_sent_for_nothing);
    SOLO_TEST(test_thread_call__no_more_wakes_are_sent_than_calls_and_none_is_seen_that_was_not_sent);
    SOLO_TEST(test_blocking_call__returns_the_value);
    SOLO_TEST(test_blocking_call__returns_the_failure_and_leaves_the_value_alone);
    SOLO_TEST(test_blocking_call__waits_for_a_deferred);
    SOLO_TEST(test_blocking_call__a_deferreds_failure_is_the_callers_and_counts_as_handled);
    SOLO_TEST(test_blocking_call__a_deferred_that_has_fired_answers_at_once);
    SOLO_TEST(test_blocking_call__a_deferred_that_was_released_is_no_answer);
    SOLO_TEST(test_blocking_call__two_threads_wait_for_two_deferreds);
    SOLO_TEST(test_thread_call__to_a_reactor_that_ends_meanwhile_is_named_in_every_schedule);
    SOLO_TEST(test_blocking_call__on_the_reactor_thread_is_refused_and_reported);
    SOLO_TEST(test_blocking_call__to_a_reactor_that_never_runs_is_released_by_destroy);
    SOLO_TEST(test_blocking_call__a_deferred_that_never_fires_is_named_and_the_caller_released);
    SOLO_TEST(test_blocking_call__at_a_stop_is_served_or_refused_in_every_schedule);
    SOLO_TEST(test_blocking_call__bad_arguments_are_refused);
}
