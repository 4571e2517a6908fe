/* test_call_batch.c - many thread calls at once, and runs of single ones: order, hand-back, and who queued what. */
#include "refusing_world.h"
#include "worlds.h"
#include <stdlib.h>

static struct solo_reactor *reactor;

/* ---- Many at once ---- */

static void in_order_body(void)
{
    const struct solo_thread_call calls[] = {
        {note_call, "b", note_done}, {note_call, "c", NULL}, {note_call, "d", note_done}};
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "a", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, 3), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "e", NULL), 0);
    noted("");
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    noted("ab=bcd=de");
    worlds_destroy(reactor);
}

static void test_call_batch__many_run_in_order_and_in_one_pass_each_with_its_done(void)
{
    worlds_run(in_order_body);
}

enum { TEAMS = 3, TEAM = 4, TURNS = 5 };

static unsigned seen[TEAMS], team_now, place_now;
static bool torn;

/* The argument says whose it is and its place among those that were queued together. */
static void check_place(void *arg)
{
    unsigned team = (unsigned)(uintptr_t)arg / TEAM, place = (unsigned)(uintptr_t)arg % TEAM;
    torn = torn || (place > 0 && (team != team_now || place != place_now + 1));
    team_now = team;
    place_now = place;
    if (++seen[team] == TEAM * TURNS && seen[0] + seen[1] + seen[2] == TEAMS * TEAM * TURNS) {
        worlds_stop(reactor);
    }
}

static void post_team(void *arg)
{
    struct solo_thread_call calls[TEAM];
    for (unsigned i = 0; i < TEAM; i++) {
        calls[i] = (struct solo_thread_call){check_place, (void *)((uintptr_t)arg * TEAM + i), NULL};
    }
    for (int turn = 0; turn < TURNS; turn++) {
        if (solo_reactor_call_many_from_thread(reactor, calls, TEAM) != 0) {
            abort();
        }
        memset(&calls[TEAM - 1], 0, sizeof calls[0]); /* it is ours again */
        calls[TEAM - 1] = (struct solo_thread_call){check_place, (void *)((uintptr_t)arg * TEAM + TEAM - 1), NULL};
    }
}

static void together_body(void)
{
    struct solo_thread *threads[TEAMS];
    reactor = worlds_reactor();
    memset(seen, 0, sizeof seen);
    torn = false;
    for (uintptr_t i = 0; i < TEAMS; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(post_team, (void *)i, &threads[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_FALSE(torn);
    for (int i = 0; i < TEAMS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
        CU_ASSERT_EQUAL(seen[i], TEAM * TURNS);
    }
    worlds_destroy(reactor);
}

static void test_call_batch__nobody_elses_call_comes_between_those_queued_together(void)
{
    worlds_run(together_body);
}

static void refused_body(void)
{
    static struct solo_thread_call calls[SOLO_THREAD_CALLS_MAX + 1];
    reactor = worlds_reactor();
    for (int i = 0; i <= SOLO_THREAD_CALLS_MAX; i++) {
        calls[i] = (struct solo_thread_call){note_call, "a", note_done};
    }
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, SOLO_THREAD_CALLS_MAX + 1), SOLO_ELIMIT);
    calls[2].fn = NULL;
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, 3), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(NULL, calls, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, NULL, 0), 0);
    worlds_run_to_end(reactor);
    noted("");
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, 1), SOLO_ECLOSING);
    worlds_destroy(reactor);
    noted("");
}

static void test_call_batch__all_or_none_are_accepted(void)
{
    worlds_run(refused_body);
}

static unsigned counted;

static void count_call(void *arg)
{
    (void)arg;
    counted++;
}

static void limit_body(void)
{
    struct solo_thread_call *calls = malloc(SOLO_THREAD_CALLS_MAX * sizeof *calls);
    reactor = worlds_reactor();
    counted = 0;
    for (int i = 0; i < SOLO_THREAD_CALLS_MAX; i++) {
        calls[i] = (struct solo_thread_call){count_call, NULL, NULL};
    }
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, SOLO_THREAD_CALLS_MAX), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    CU_ASSERT_EQUAL(counted, SOLO_THREAD_CALLS_MAX);
    worlds_destroy(reactor);
    free(calls);
}

static void test_call_batch__as_many_as_the_limit_allows(void)
{
    worlds_run_os(limit_body);
    worlds_run_sim(limit_body, 1);
}

static void handed_back_body(void)
{
    const struct solo_thread_call calls[] = {
        {note_call, "a", note_done}, {note_call, "b", NULL}, {note_call, "c", note_done}};
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, 3), 0);
    worlds_destroy(reactor);
    noted("XaXc");
}

static void test_call_batch__each_done_is_told_when_the_reactor_never_runs(void)
{
    worlds_run(handed_back_body);
}

static void no_memory_body(void)
{
    const struct solo_thread_call calls[] = {{note_call, "a", note_done}, {note_call, "b", note_done}};
    reactor = NULL;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    int status = solo_reactor_call_many_from_thread(reactor, calls, 2);
    CU_ASSERT_TRUE(status == 0 || status == -ENOMEM);
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    if (status == 0) {
        noted("a=ab=b");
    } else {
        noted("");
    }
    worlds_destroy(reactor);
}

static void test_call_batch__without_memory_none_is_accepted(void)
{
    refusing_run(no_memory_body, REFUSE_MEMORY);
}

static unsigned accepted, begun, ended, handed_back, wakes;
static uint32_t name;

static void count_event(const struct solo_event *event, void *arg)
{
    (void)arg;
    if (event->kind == SOLO_PROBE_CALL_ACCEPTED) {
        accepted++;
        name = event->object;
    }
    begun += event->kind == SOLO_PROBE_CALL_BEGUN && event->object == name;
    ended += event->kind == SOLO_PROBE_CALL_ENDED && event->object == name;
    handed_back += event->kind == SOLO_PROBE_CALL_HANDED_BACK || event->kind == SOLO_PROBE_CALL_DROPPED;
    wakes += event->kind == SOLO_PROBE_WAKE_SENT;
}

static void one_name_body(void)
{
    const struct solo_thread_call calls[] = {{note_call, "a", note_done}, {note_call, "b", NULL}};
    accepted = begun = ended = handed_back = wakes = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_event, NULL), 0);
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, 2), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    CU_ASSERT_EQUAL(accepted, 1);
    CU_ASSERT_EQUAL(begun, 1);
    CU_ASSERT_EQUAL(ended, 1);
    CU_ASSERT_EQUAL(wakes, 0);
    CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(reactor, calls, 2), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(handed_back, 2); /* one was told of its end, the other one was dropped */
    noted("a=abXa");
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_event, NULL), 0);
}

static void test_call_batch__the_probe_hears_of_one_call(void)
{
    worlds_run(one_name_body);
}

/* ---- Runs of single calls: world os only ---- */

enum { LETTERS = 200 };

static unsigned expected;
static bool out_of_order;

static void expect_next(void *arg)
{
    out_of_order = out_of_order || (unsigned)(uintptr_t)arg != expected;
    expected++;
}

static void run_body(void)
{
    reactor = worlds_reactor();
    expected = 0;
    out_of_order = false;
    for (uintptr_t i = 0; i < LETTERS; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, expect_next, (void *)i, NULL), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    CU_ASSERT_EQUAL(expected, LETTERS);
    CU_ASSERT_FALSE(out_of_order);
    worlds_destroy(reactor);
}

static void test_call_batch__a_long_run_keeps_its_order(void)
{
    worlds_run(run_body);
}

enum { PLAYERS = 3, BALLS = 300 };

static struct solo_semaphore *turn_of[PLAYERS];

/* Each queues a few calls, then lets the next one do so: whose call came before whose is known to all. */
static void play(void *arg)
{
    uintptr_t player = (uintptr_t)arg;
    for (uintptr_t ball = player; ball < BALLS; ball += PLAYERS) {
        CU_ASSERT_EQUAL(solo_semaphore_wait(turn_of[player], SOLO_NEVER), 0);
        for (uintptr_t i = 0; i <= ball % 8; i++) {
            if (solo_reactor_call_from_thread(reactor, expect_next, (void *)(ball * 8 + i), NULL) != 0) {
                abort();
            }
        }
        for (uintptr_t i = ball % 8 + 1; i < 8; i++) {
            const struct solo_thread_call call = {expect_next, (void *)(ball * 8 + i), NULL};
            if (solo_reactor_call_many_from_thread(reactor, &call, 1) != 0) {
                abort();
            }
        }
        CU_ASSERT_EQUAL(solo_semaphore_post(turn_of[(player + 1) % PLAYERS]), 0);
    }
}

static void watch_the_end(void *arg)
{
    if (expected < BALLS * 8) {
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 1000, watch_the_end, arg, NULL, NULL), 0);
    } else {
        worlds_stop(reactor);
    }
}

static void known_order_body(void)
{
    struct solo_thread *threads[PLAYERS];
    reactor = worlds_reactor();
    expected = 0;
    out_of_order = false;
    for (uintptr_t i = 0; i < PLAYERS; i++) {
        CU_ASSERT_EQUAL(solo_semaphore_create(i == 0, &turn_of[i]), 0);
    }
    for (uintptr_t i = 0; i < PLAYERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(play, (void *)i, &threads[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(reactor, watch_the_end, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(expected, BALLS * 8);
    CU_ASSERT_FALSE(out_of_order);
    for (int i = 0; i < PLAYERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    for (int i = 0; i < PLAYERS; i++) {
        CU_ASSERT_EQUAL(solo_semaphore_destroy(turn_of[i]), 0);
    }
    worlds_destroy(reactor);
}

static void test_call_batch__calls_of_several_threads_run_in_the_order_that_the_threads_know_of(void)
{
    worlds_run_os(known_order_body);
}

enum { RUNNERS = 4, EACH = 20000 };

static unsigned last_of[RUNNERS], arrived;

static void arrive(void *arg)
{
    unsigned runner = (unsigned)(uintptr_t)arg / EACH, which = (unsigned)(uintptr_t)arg % EACH;
    out_of_order = out_of_order || which != last_of[runner]++;
    if (++arrived == RUNNERS * EACH) {
        worlds_stop(reactor);
    }
}

static void post_each(void *arg)
{
    for (uintptr_t i = 0; i < EACH; i++) {
        if (solo_reactor_call_from_thread(reactor, arrive, (void *)((uintptr_t)arg * EACH + i), NULL) != 0) {
            abort();
        }
    }
}

static void stress_body(void)
{
    struct solo_thread *threads[RUNNERS];
    reactor = worlds_reactor();
    memset(last_of, 0, sizeof last_of);
    arrived = 0;
    out_of_order = false;
    for (uintptr_t i = 0; i < RUNNERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(post_each, (void *)i, &threads[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(arrived, RUNNERS * EACH);
    CU_ASSERT_FALSE(out_of_order);
    for (int i = 0; i < RUNNERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    worlds_destroy(reactor);
}

static void test_call_batch__threads_at_once_lose_nothing_and_each_keeps_its_order(void)
{
    worlds_run_os(stress_body);
}

static void run_handed_back_body(void)
{
    static const char letters[] = "abcdefghijklmnop";
    char wanted[3 * sizeof letters] = "";
    reactor = worlds_reactor();
    for (const char *letter = letters; *letter != '\0'; letter++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, (void *)letter, note_done), 0);
        snprintf(wanted + strlen(wanted), 3, "X%c", *letter);
    }
    worlds_destroy(reactor);
    noted(wanted);
}

static void test_call_batch__a_run_that_never_runs_is_handed_back_one_by_one(void)
{
    worlds_run(run_handed_back_body);
}

static void enter_again(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), SOLO_EALREADYRUNNING);
}

static __attribute__((noinline)) void queue_from_here(void)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, enter_again, NULL, NULL), 0);
}

static void whose_body(void)
{
    reactor = worlds_reactor();
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "a", NULL), 0);
    }
    queue_from_here();
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "b", NULL), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    noted("aaaaaaaaaabbbbbbbbbb");
    worlds_expect(SOLO015_LOOP_REENTERED, 1);
    const struct solo_violation *violation = worlds_finding(SOLO015_LOOP_REENTERED);
    CU_ASSERT_STRING_EQUAL(violation->queued_by, "main");
    CU_ASSERT_EQUAL(violation->queued_stack.count, 1);
    uintptr_t queued_at = violation->queued_stack.frames[0];
    CU_ASSERT_TRUE(queued_at > (uintptr_t)queue_from_here && queued_at < (uintptr_t)queue_from_here + 256);
    worlds_destroy(reactor);
}

static void test_call_batch__a_finding_names_who_queued_the_call_within_a_run(void)
{
    worlds_run_os(whose_body);
}

static void add_while_served(void *arg)
{
    note(*(const char *)arg);
    if (*(const char *)arg != 'z') {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, note_call, "z", NULL), 0);
    }
}

static void next_pass_body(void)
{
    reactor = worlds_reactor();
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, add_while_served, "a", NULL), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    noted("aaaaaa");
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    noted("aaaaaazzzzzz");
    worlds_destroy(reactor);
}

static void test_call_batch__what_a_running_call_adds_waits_for_the_next_pass(void)
{
    worlds_run(next_pass_body);
}

static struct solo_reactor *two[2];

static void alternate_body(void)
{
    two[0] = worlds_reactor();
    two[1] = worlds_reactor();
    for (int i = 0; i < 40; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(two[i / 5 % 2], note_call, i / 5 % 2 == 0 ? "l" : "r", NULL), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_iterate(two[0], 0), 0);
    noted("llllllllllllllllllll");
    worlds_destroy(two[0]);
    CU_ASSERT_EQUAL(solo_reactor_iterate(two[1], 0), 0);
    noted("llllllllllllllllllllrrrrrrrrrrrrrrrrrrrr");
    worlds_destroy(two[1]);
}

static void test_call_batch__each_reactor_gets_its_own_calls(void)
{
    worlds_run(alternate_body);
}

void suite_call_batch(void);
void suite_call_batch(void)
{
    SOLO_SUITE("call_batch");
    SOLO_TEST(test_call_batch__many_run_in_order_and_in_one_pass_each_with_its_done);
    SOLO_TEST(test_call_batch__nobody_elses_call_comes_between_those_queued_together);
    SOLO_TEST(test_call_batch__all_or_none_are_accepted);
    SOLO_TEST(test_call_batch__as_many_as_the_limit_allows);
    SOLO_TEST(test_call_batch__each_done_is_told_when_the_reactor_never_runs);
    SOLO_TEST(test_call_batch__without_memory_none_is_accepted);
    SOLO_TEST(test_call_batch__the_probe_hears_of_one_call);
    SOLO_TEST(test_call_batch__a_long_run_keeps_its_order);
    SOLO_TEST(test_call_batch__calls_of_several_threads_run_in_the_order_that_the_threads_know_of);
    SOLO_TEST(test_call_batch__threads_at_once_lose_nothing_and_each_keeps_its_order);
    SOLO_TEST(test_call_batch__a_run_that_never_runs_is_handed_back_one_by_one);
    SOLO_TEST(test_call_batch__a_finding_names_who_queued_the_call_within_a_run);
    SOLO_TEST(test_call_batch__what_a_running_call_adds_waits_for_the_next_pass);
    SOLO_TEST(test_call_batch__each_reactor_gets_its_own_calls);
}
