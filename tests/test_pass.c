/*
 * test_pass.c - where a strategy is not asked (choice.h, struct solo_pass): never where its answer could matter, and
 * what it would have answered is what happens.
 */
#include "runner.h"
#include "strategy.h"
#include <solo/access.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

static long words[4];

static void read_word(unsigned number)
{
    solo_access_read(&words[number], sizeof words[number]);
}

static void write_word(unsigned number)
{
    solo_access_write(&words[number], sizeof words[number]);
}

static void run_threads(unsigned count, void (*fn)(void *arg))
{
    struct solo_thread *threads[8];
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
}

/* ---- A strategy that gives one pass at the beginning, and counts what it hears ---- */

static struct {
    struct solo_pass pass, first;
    bool renews;             /* gives it again at each choice */
    unsigned asked_at_words; /* choices that a thread with the turn asked for at a word */
    unsigned told_of_words, told_of_choices;
} script;

static int script_begin(void *state, uint64_t seed)
{
    (void)state;
    (void)seed;
    script.pass = script.first;
    script.asked_at_words = script.told_of_words = script.told_of_choices = 0;
    return 0;
}

static size_t script_choose(void *state, const struct solo_choice *choice)
{
    (void)state;
    script.asked_at_words += choice->options[0]->address != 0 && choice->options[0]->thread == choice->thread;
    if (script.renews) {
        script.pass.left = script.first.left;
    }
    return 0;
}

static void script_step(void *state, const struct solo_event *event)
{
    (void)state;
    script.told_of_words += event->kind == SOLO_PROBE_ACCESS_READ || event->kind == SOLO_PROBE_ACCESS_WRITE;
    script.told_of_choices += event->kind == SOLO_PROBE_CHOICE;
}

static struct solo_pass *script_find_pass(void *state)
{
    (void)state;
    return &script.pass;
}

static struct solo_strategy scripted = {.name = "scripted",
                                        .begin = script_begin,
                                        .choose = script_choose,
                                        .step = script_step,
                                        .find_pass = script_find_pass,
                                        .skips_choices = true};

/* Runs one schedule, in which the first word touched is told `word` of. Returns how many answers were recorded. */
static uint32_t follow_script(uint8_t word, uint32_t left, bool renews, void (*body)(void *arg))
{
    struct solo_sim_options options = {.strategy = &scripted, .strategy_state = &script, .let_time_pass = true};
    struct solo_sim *sim;
    memset(&script, 0, sizeof script);
    script.first.left = left;
    script.first.word[1] = word;
    script.renews = renews;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 0, body, NULL), SOLO_ENDING_RETURNED);
    uint32_t answers = solo_sim_get_log(sim)->answers_count;
    solo_sim_destroy(sim);
    return answers;
}

/* Thread 1 and thread 2 touch the first word five times each, one after the other in the plain schedule. */
static void touch_first_word(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 5; i++) {
        write_word(0);
    }
}

static void two_threads(void *arg)
{
    (void)arg;
    run_threads(2, touch_first_word);
}

/* While main sleeps time can pass. */
static void sleep_meanwhile(void *arg)
{
    struct solo_thread *thread[2];
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(touch_first_word, NULL, &thread[i]), 0);
    }
    solo_sleep(MS);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(thread[i]), 0);
    }
}

static void test_pass__a_thread_with_a_word_of_its_own_asks_nobody_there(void)
{
    uint32_t answers = follow_script(0, 100, true, two_threads);
    CU_ASSERT_EQUAL(script.asked_at_words, 5); /* thread 2 is alone when it comes to them */
    CU_ASSERT_EQUAL(script.told_of_words, 10);

    CU_ASSERT_EQUAL(follow_script(1 + 1, 100, true, two_threads), answers); /* answers are recorded all the same */
    CU_ASSERT_EQUAL(script.asked_at_words, 0);
    CU_ASSERT_EQUAL(script.told_of_words, 5);
    CU_ASSERT_EQUAL(script.pass.used, 5);
}

static void test_pass__who_does_not_want_to_be_told_of_choices_is_not(void)
{
    (void)follow_script(0, 100, true, two_threads);
    CU_ASSERT_EQUAL(script.told_of_choices, 0);
    scripted.skips_choices = false;
    CU_ASSERT_EQUAL(follow_script(0, 100, true, two_threads), script.told_of_choices);
    CU_ASSERT_TRUE(script.told_of_choices > 0);
    scripted.skips_choices = true;
}

static void test_pass__it_is_for_the_thread_that_is_named_or_for_anyone(void)
{
    (void)follow_script(2 + 1, 100, true, two_threads);
    CU_ASSERT_EQUAL(script.asked_at_words, 5);
    CU_ASSERT_EQUAL(script.told_of_words, 5); /* thread 2 has no choices, and its own are not told */
    CU_ASSERT_EQUAL(script.pass.used, 0);

    (void)follow_script(SOLO_PASS_ANYONE, 100, true, two_threads);
    CU_ASSERT_EQUAL(script.asked_at_words, 0);
    CU_ASSERT_EQUAL(script.told_of_words, 0);

    (void)follow_script(SOLO_PASS_ANYONE_TELLS, 100, true, two_threads);
    CU_ASSERT_EQUAL(script.asked_at_words, 0);
    CU_ASSERT_EQUAL(script.told_of_words, 10);
}

static void test_pass__it_lasts_for_as_many_choices_as_it_says(void)
{
    (void)follow_script(SOLO_PASS_ANYONE, 3, true, two_threads);
    CU_ASSERT_EQUAL(script.asked_at_words, 1); /* three pass, the fourth is asked and gives the pass again */
    CU_ASSERT_EQUAL(script.pass.used, 4);
}

static void test_pass__where_nobody_else_can_run_it_does_not_end(void)
{
    CU_ASSERT_EQUAL(follow_script(SOLO_PASS_ANYONE, 0, false, touch_first_word), 0);
    CU_ASSERT_EQUAL(script.told_of_words, 0);
    CU_ASSERT_EQUAL(script.pass.used, 0); /* there was no choice */
    (void)follow_script(0, 0, false, touch_first_word);
    CU_ASSERT_EQUAL(script.told_of_words, 5);
}

static void test_pass__it_ends_when_somebody_else_becomes_able_to_run(void)
{
    (void)follow_script(SOLO_PASS_ANYONE, 100, false, two_threads); /* given before the threads are started */
    CU_ASSERT_EQUAL(script.asked_at_words, 5);
    CU_ASSERT_EQUAL(script.pass.used, 0);
}

static void test_pass__where_time_can_pass_there_is_none(void)
{
    (void)follow_script(SOLO_PASS_ANYONE, 100, true, sleep_meanwhile);
    CU_ASSERT_EQUAL(script.asked_at_words, 10);
    CU_ASSERT_EQUAL(script.pass.used, 0);
}

static void test_pass__the_limit_of_steps_holds_on_the_way(void)
{
    script.first = (struct solo_pass){.left = 100, .word = {[1] = SOLO_PASS_ANYONE}};
    script.renews = true;
    for (uint64_t limit = 3; limit < 30; limit++) {
        struct solo_sim_options options = {.strategy = &scripted, .strategy_state = &script, .steps_max = limit};
        struct solo_sim *sim;
        CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
        CU_ASSERT_EQUAL(solo_sim_run(sim, 0, two_threads, NULL), SOLO_ENDING_STEPS);
        CU_ASSERT_EQUAL(solo_sim_get_log(sim)->events_count, limit);
        solo_sim_destroy(sim);
    }
    CU_ASSERT_TRUE(script.pass.used > 0);
}

/* ---- The strategies that give passes, and the same without them ---- */

static struct solo_mutex *mutex;
static struct solo_condition *changed;
static unsigned arrived;

/* Threads share every word, wait for locks and for each other, and yield. */
static void share(void *arg)
{
    (void)arg;
    read_word(0);
    write_word(1);
    (void)solo_mutex_lock(mutex);
    write_word(2);
    read_word(1);
    write_word(0);
    if (++arrived == 3) {
        (void)solo_condition_broadcast(changed);
    }
    while (arrived < 3) {
        (void)solo_condition_wait(changed, mutex, SOLO_NEVER);
    }
    (void)solo_mutex_unlock(mutex);
    write_word(1);
    solo_yield();
    read_word(2);
    write_word(3);
    (void)solo_mutex_lock(mutex);
    write_word(2);
    (void)solo_mutex_unlock(mutex);
    write_word(0);
    read_word(3);
}

static void share_all(void *arg)
{
    (void)arg;
    arrived = 0;
    CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&mutex), 0);
    CU_ASSERT_EQUAL_FATAL(solo_condition_create(&changed), 0);
    run_threads(3, share);
}

/* Threads take a lock in turn, and touch what they share with it and without. */
static void take_turns(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        write_word(0);
        (void)solo_mutex_lock(mutex);
        write_word(1);
        (void)solo_mutex_unlock(mutex);
        write_word(2);
        read_word(0);
    }
}

static void take_turns_all(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&mutex), 0);
    run_threads(3, take_turns);
}

enum { SCHEDULES = 400 };

static const struct solo_strategy *counted;
static uint64_t asked;

static size_t count_choose(void *state, const struct solo_choice *choice)
{
    asked++;
    return counted->choose(state, choice);
}

/* Explores; writes down each schedule's trace. Returns how many of its choices the strategy was not asked for. */
static uint64_t explore(const char *name, bool with_passes, void (*body)(void *arg), uint64_t traces[SCHEDULES])
{
    size_t size;
    counted = solo_strategy_find(name, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(counted);
    void *state = calloc(1, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(counted, state, 0), 0);
    struct solo_strategy strategy = *counted;
    strategy.choose = count_choose;
    if (!with_passes) {
        strategy.find_pass = NULL;
    }
    struct solo_sim_options options = {.strategy = &strategy, .strategy_state = state};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    uint64_t answers = 0;
    asked = 0;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        CU_ASSERT_EQUAL(solo_sim_run(sim, i, body, NULL), SOLO_ENDING_RETURNED);
        traces[i] = solo_sim_get_log(sim)->trace_hash;
        answers += solo_sim_get_log(sim)->answers_count;
    }
    solo_sim_destroy(sim);
    free(state);
    return answers - asked;
}

static unsigned count_different(const uint64_t traces[SCHEDULES])
{
    unsigned different = 0;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        bool seen = false;
        for (unsigned j = 0; j < i && !seen; j++) {
            seen = traces[j] == traces[i];
        }
        different += !seen;
    }
    return different;
}

static void expect_the_same_schedules(const char *name)
{
    static void (*const bodies[])(void *arg) = {share_all, take_turns_all};
    static uint64_t with[SCHEDULES], without[SCHEDULES];
    for (unsigned i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        CU_ASSERT_TRUE(explore(name, true, bodies[i], with) > SCHEDULES);
        CU_ASSERT_EQUAL(explore(name, false, bodies[i], without), 0);
        CU_ASSERT_EQUAL(memcmp(with, without, sizeof with), 0);
        CU_ASSERT_TRUE(count_different(with) > SCHEDULES / 10);
    }
}

static void test_pass__on_words_that_are_shared_surw_answers_what_it_would_have(void)
{
    expect_the_same_schedules("surw");
}

static void test_pass__on_words_that_are_shared_hold_answers_what_it_would_have(void)
{
    expect_the_same_schedules("hold");
}

static void test_pass__on_words_that_are_shared_the_portfolio_answers_what_it_would_have(void)
{
    expect_the_same_schedules("portfolio");
}

/* ---- A thread that spins, and looks at nothing but a word of its own ---- */

static bool is_over;

__attribute__((no_sanitize("thread"))) static bool see_whether_it_is_over(void)
{
    read_word(0);
    return is_over;
}

static void spin(void *arg)
{
    (void)arg;
    while (!see_whether_it_is_over()) {
    }
}

__attribute__((no_sanitize("thread"))) static void end_it(void *arg)
{
    (void)arg;
    write_word(1);
    is_over = true;
}

__attribute__((no_sanitize("thread"))) static void spin_until_it_is_over(void *arg)
{
    struct solo_thread *spinner, *other;
    (void)arg;
    is_over = false;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(spin, NULL, &spinner), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(end_it, NULL, &other), 0);
    CU_ASSERT_EQUAL(solo_thread_join(other), 0);
    CU_ASSERT_EQUAL(solo_thread_join(spinner), 0);
}

static void test_pass__a_thread_that_spins_gives_way_all_the_same(void)
{
    static const char *const names[] = {"surw", "hold", "portfolio"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size;
        const struct solo_strategy *strategy = solo_strategy_find(names[i], &size);
        void *state = calloc(1, size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(state);
        CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(strategy, state, 0), 0);
        struct solo_sim_options options = {.strategy = strategy, .strategy_state = state, .steps_max = 20000};
        struct solo_sim *sim;
        CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
        for (unsigned seed = 0; seed < SCHEDULES; seed++) {
            CU_ASSERT_EQUAL(solo_sim_run(sim, seed, spin_until_it_is_over, NULL), SOLO_ENDING_RETURNED);
        }
        solo_sim_destroy(sim);
        free(state);
    }
}

void suite_pass(void)
{
    SOLO_SUITE("pass");
    SOLO_TEST(test_pass__a_thread_with_a_word_of_its_own_asks_nobody_there);
    SOLO_TEST(test_pass__who_does_not_want_to_be_told_of_choices_is_not);
    SOLO_TEST(test_pass__it_is_for_the_thread_that_is_named_or_for_anyone);
    SOLO_TEST(test_pass__it_lasts_for_as_many_choices_as_it_says);
    SOLO_TEST(test_pass__where_nobody_else_can_run_it_does_not_end);
    SOLO_TEST(test_pass__it_ends_when_somebody_else_becomes_able_to_run);
    SOLO_TEST(test_pass__where_time_can_pass_there_is_none);
    SOLO_TEST(test_pass__the_limit_of_steps_holds_on_the_way);
    SOLO_TEST(test_pass__on_words_that_are_shared_surw_answers_what_it_would_have);
    SOLO_TEST(test_pass__on_words_that_are_shared_hold_answers_what_it_would_have);
    SOLO_TEST(test_pass__on_words_that_are_shared_the_portfolio_answers_what_it_would_have);
    SOLO_TEST(test_pass__a_thread_that_spins_gives_way_all_the_same);
}
