/* test_turns.c - schedules as turns: read, followed, changed; and what they make of long tokens. */
#include "runner.h"
#include "turns.h"
#include <solo/access.h>
#include <solo/explore.h>
#include <solo/thread.h>
#include <stdlib.h>
#include <string.h>

static struct solo__turns turns; /* too large for the stack */

/* ---- Reading ---- */

enum { EVENTS_MAX = 64 };
static struct solo_event events[EVENTS_MAX];
static uint64_t events_count;

static void add(uint16_t thread, enum solo_probe_kind kind, uint32_t object, uint64_t value)
{
    events[events_count++ % EVENTS_MAX] =
        (struct solo_event){.thread = thread, .kind = (uint8_t)kind, .object = object, .value = value};
}

static void read_some(void)
{
    events_count = 0;
    add(0, SOLO_PROBE_YIELD, 0, 0);
    add(0, SOLO_PROBE_CHOICE, SOLO_CHOICE_THREAD, 1);
    add(1, SOLO_PROBE_YIELD, 0, 0);
    add(1, SOLO_PROBE_CHOICE, SOLO_CHOICE_JOB, 2);
    add(1, SOLO_PROBE_YIELD, 0, 0);
    add(1, SOLO_PROBE_CHOICE, SOLO_CHOICE_THREAD, 1);
    add(1, SOLO_PROBE_TIME, 0, 5);
    add(0, SOLO_PROBE_YIELD, 0, 0);
    add(0, SOLO_PROBE_TIME, 0, 9); /* nobody could run: not chosen */
    add(1, SOLO_PROBE_YIELD, 0, 0);
    CU_ASSERT_TRUE(solo__turns_read(&turns, events, EVENTS_MAX, events_count));
}

static void expect_turn(uint32_t index, unsigned thread, uint32_t until)
{
    CU_ASSERT_FATAL(index < turns.count);
    CU_ASSERT_EQUAL(turns.turns[index].thread, thread);
    CU_ASSERT_EQUAL(turns.turns[index].until, until);
}

static void test_turns__a_run_is_read_as_who_ran_until_it_had_done_how_much(void)
{
    read_some();
    CU_ASSERT_EQUAL(turns.count, 5);
    expect_turn(0, 0, 1);
    expect_turn(1, 1, 2);
    expect_turn(2, SOLO__TURN_OF_TIME, 0);
    expect_turn(3, 0, 2);
    expect_turn(4, 1, 3);
    CU_ASSERT_EQUAL(turns.others_count, 1);
    CU_ASSERT_EQUAL(turns.others[0].kind, SOLO_CHOICE_JOB);
    CU_ASSERT_EQUAL(turns.others[0].chosen, 2);
}

static void test_turns__more_than_is_kept_is_not_read(void)
{
    read_some();
    CU_ASSERT_FALSE(solo__turns_read(&turns, events, 8, events_count));
    struct solo_event *many = calloc(4 * SOLO__TURNS_MAX, sizeof *many);
    CU_ASSERT_PTR_NOT_NULL_FATAL(many);
    for (unsigned i = 0; i < 4 * SOLO__TURNS_MAX; i++) {
        many[i].kind = SOLO_PROBE_YIELD;
        many[i].thread = i % 2;
    }
    CU_ASSERT_TRUE(solo__turns_read(&turns, many, 4 * SOLO__TURNS_MAX, SOLO__TURNS_MAX));
    CU_ASSERT_FALSE(solo__turns_read(&turns, many, 4 * SOLO__TURNS_MAX, SOLO__TURNS_MAX + 1));
    free(many);
}

/* ---- Changing ---- */

static void test_turns__a_turn_goes_on_into_the_next_of_its_thread(void)
{
    read_some();
    CU_ASSERT_TRUE(solo__turns_join(&turns, 0));
    CU_ASSERT_EQUAL(turns.count, 4);
    expect_turn(0, 0, 2);
    expect_turn(1, 1, 2);
    expect_turn(3, 1, 3);
    CU_ASSERT_FALSE(solo__turns_join(&turns, 2)); /* time */
    CU_ASSERT_FALSE(solo__turns_join(&turns, 0)); /* its last */
    solo__turns_drop(&turns, 1, 2);
    CU_ASSERT_EQUAL(turns.count, 2);
    expect_turn(1, 1, 3);
}

/* ---- Following ---- */

static const struct solo_option thread_0 = {.tag = 10, .thread = 0}, thread_1 = {.tag = 11, .thread = 1},
                                time_option = {.tag = SOLO_TAG_TIME};

static size_t choose(enum solo_choice_kind kind, const struct solo_option *a, const struct solo_option *b)
{
    const struct solo_option *options[] = {a, b};
    struct solo_choice choice = {.kind = kind, .options = options, .count = 2};
    return solo__turns_choose(&turns, &choice);
}

static void step(uint16_t thread)
{
    struct solo_event event = {.thread = thread, .kind = SOLO_PROBE_YIELD};
    solo__turns_step(&turns, &event);
}

static void test_turns__are_followed_by_threads_and_not_by_numbers(void)
{
    read_some();
    solo__turns_begin(&turns);
    step(0);
    CU_ASSERT_EQUAL(choose(SOLO_CHOICE_THREAD, &thread_0, &thread_1), 1);
    step(1);
    CU_ASSERT_EQUAL(choose(SOLO_CHOICE_THREAD, &thread_1, &thread_0), 0); /* its turn is not over */
    CU_ASSERT_EQUAL(choose(SOLO_CHOICE_JOB, &thread_1, &thread_0), 0);    /* there are but two, and 2 was chosen */
    step(1);
    CU_ASSERT_EQUAL(choose(SOLO_CHOICE_THREAD, &thread_1, &time_option), 1);
    CU_ASSERT_EQUAL(choose(SOLO_CHOICE_THREAD, &thread_1, &time_option), 0); /* thread 0 cannot: its turn is lost */
    step(1);
    CU_ASSERT_EQUAL(choose(SOLO_CHOICE_THREAD, &thread_0, &thread_1), 0); /* none is left: plainly */
}

/* ---- What they are for ---- */

static int stage, seen_at_half;

/* Twenty steps; it matters that the other one looks in the middle of them. */
static void go_through_stages(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 20; i++) {
        SOLO_WRITE(stage, (int)i);
    }
}

static void look_twice(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 10; i++) {
        solo_yield();
    }
    int first = SOLO_READ(stage);
    int second = SOLO_READ(stage);
    seen_at_half = first == 7 && second > 12;
}

static void body(void *arg)
{
    struct solo_thread *threads[2];
    stage = seen_at_half = 0;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(go_through_stages, arg, &threads[0]), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(look_twice, arg, &threads[1]), 0);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static const char *invariant(void *arg)
{
    (void)arg;
    return seen_at_half ? "it was seen half done" : NULL;
}

static struct solo_report report; /* too large for the stack */

static void test_turns__what_a_random_walk_finds_by_many_switches_needs_a_few(void)
{
    static struct solo_scenario scenario = {.name = "stages", .body = body, .invariant = invariant};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct solo_explore_options options;
        solo_explore_defaults(&options);
        options.strategy = "random";
        options.seed = seed * 1000000;
        options.schedules_max = 20000;
        options.stop_at_first = true;
        CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &report), 0);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        printf("from %u to %u: %s\n", report.findings[0].deviations_found, report.findings[0].deviations,
               report.findings[0].token);
        CU_ASSERT(report.findings[0].deviations <= 4);
        CU_ASSERT_TRUE(report.findings[0].reproduced);
    }
}

void suite_turns(void)
{
    SOLO_SUITE("turns");
    SOLO_TEST(test_turns__a_run_is_read_as_who_ran_until_it_had_done_how_much);
    SOLO_TEST(test_turns__more_than_is_kept_is_not_read);
    SOLO_TEST(test_turns__a_turn_goes_on_into_the_next_of_its_thread);
    SOLO_TEST(test_turns__are_followed_by_threads_and_not_by_numbers);
    SOLO_TEST(test_turns__what_a_random_walk_finds_by_many_switches_needs_a_few);
}
