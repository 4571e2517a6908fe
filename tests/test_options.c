/*
 * test_options.c - what a choice among threads offers, and in which order.
 *
 * The scheduler core keeps its list of options from one choice to the next, so each choice of many schedules is looked
 * at: who asks comes first if it can go on, all others by number, each once, and time last.
 */
#include "runner.h"
#include "draw.h"
#include <solo/access.h>
#include <solo/sim.h>
#include <solo/solo.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* ---- A random walk that looks at what it is offered ---- */

static struct {
    uint64_t random;
    unsigned choices, most, without_asker, with_time; /* what there was to look at */
    unsigned wrong_first, wrong_order, wrong_time;
} walk;

static int walk_begin(void *state, uint64_t seed)
{
    (void)state;
    walk.random = seed;
    return 0;
}

static void look_at(const struct solo_choice *choice)
{
    size_t threads = solo__thread_options(choice);
    bool asker_offered = false;
    for (size_t i = 0; i < threads; i++) {
        const struct solo_option *option = choice->options[i];
        asker_offered |= option->thread == choice->thread;
        walk.wrong_time += option->tag == SOLO_TAG_TIME;
        walk.wrong_order += i > 1 && option->thread <= choice->options[i - 1]->thread;
        walk.wrong_order += i > 0 && option->thread == choice->options[0]->thread;
    }
    walk.wrong_first += asker_offered && choice->options[0]->thread != choice->thread;
    walk.wrong_order += !asker_offered && threads > 1 && choice->options[1]->thread < choice->options[0]->thread;
    walk.choices++;
    walk.without_asker += !asker_offered;
    walk.with_time += threads < choice->count;
    walk.most = threads > walk.most ? (unsigned)threads : walk.most;
}

static size_t walk_choose(void *state, const struct solo_choice *choice)
{
    (void)state;
    if (choice->kind == SOLO_CHOICE_THREAD) {
        look_at(choice);
    }
    return solo__draw_below(solo__draw(&walk.random), choice->count);
}

static const struct solo_strategy strategy = {.name = "walk", .begin = walk_begin, .choose = walk_choose};

static int run(enum solo_carrier carrier, unsigned schedules, void (*body)(void *arg))
{
    struct solo_sim_options options = {
        .strategy = &strategy, .strategy_state = &walk, .let_time_pass = true, .carrier = carrier};
    struct solo_sim *sim;
    int ending = SOLO_ENDING_RETURNED;
    memset(&walk, 0, sizeof walk);
    if (solo_sim_create(&options, &sim) < 0) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < schedules && ending == SOLO_ENDING_RETURNED; i++) {
        ending = solo_sim_run(sim, i, body, NULL);
    }
    solo_sim_destroy(sim);
    return ending;
}

static void expect_order(void)
{
    CU_ASSERT_EQUAL(walk.wrong_first, 0);
    CU_ASSERT_EQUAL(walk.wrong_order, 0);
    CU_ASSERT_EQUAL(walk.wrong_time, 0);
}

/* ---- Programs ---- */

enum { THREADS = 12 };

static struct solo_mutex *mutex;
static struct solo_condition *changed;
static unsigned arrived;

/* Blocks for a lock, for time, for others; goes on among others that can. */
static void come_and_go(void *arg)
{
    (void)arg;
    solo_yield();
    (void)solo_mutex_lock(mutex);
    solo_yield();
    if (++arrived == THREADS) {
        (void)solo_condition_broadcast(changed);
    }
    while (arrived < THREADS) {
        (void)solo_condition_wait(changed, mutex, SOLO_NEVER);
    }
    (void)solo_mutex_unlock(mutex);
    solo_sleep(MS);
    solo_yield();
}

static void start_and_join_all(void (*fn)(void *arg))
{
    struct solo_thread *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(fn, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
}

static void crowd(void *arg)
{
    (void)arg;
    arrived = 0;
    CU_ASSERT_EQUAL(solo_mutex_create(&mutex), 0);
    CU_ASSERT_EQUAL(solo_condition_create(&changed), 0);
    start_and_join_all(come_and_go);
}

static void yield_once(void *arg)
{
    (void)arg;
    solo_yield();
}

/* More threads than have numbers, one generation after the other: numbers are used again. */
static void generations(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < SOLO_SIM_THREADS_MAX / THREADS + 2; i++) {
        start_and_join_all(yield_once);
    }
}

static void sleep_a_little(void *arg)
{
    (void)arg;
    solo_sleep(MS);
    solo_yield();
}

/* Whoever moves a manual clock goes on only when nobody else can. */
static void driver(void *arg)
{
    struct solo_thread *sleepers[2];
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(sleep_a_little, NULL, &sleepers[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_clock_advance(MS / 2), 0);
    CU_ASSERT_EQUAL(solo_clock_advance(MS), 0);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(sleepers[i]), 0);
    }
}

/* ---- Claims ---- */

static void test_options__who_asks_comes_first_and_the_others_by_number(void)
{
    CU_ASSERT_EQUAL(run(SOLO_CARRIER_FIBER, 100, crowd), SOLO_ENDING_RETURNED);
    expect_order();
    CU_ASSERT_TRUE(walk.most >= 8); /* there was something to put in order */
    CU_ASSERT_TRUE(walk.without_asker > 100);
    CU_ASSERT_TRUE(walk.with_time > 100);
}

static void test_options__they_are_the_same_on_pthreads(void)
{
    CU_ASSERT_EQUAL(run(SOLO_CARRIER_FIBER, 3, crowd), SOLO_ENDING_RETURNED);
    unsigned choices = walk.choices;
    unsigned without_asker = walk.without_asker;
    CU_ASSERT_EQUAL(run(SOLO_CARRIER_TOKEN, 3, crowd), SOLO_ENDING_RETURNED);
    expect_order();
    CU_ASSERT_EQUAL(walk.choices, choices);
    CU_ASSERT_EQUAL(walk.without_asker, without_asker);
}

static void test_options__a_number_that_is_used_again_comes_in_its_place(void)
{
    CU_ASSERT_EQUAL(run(SOLO_CARRIER_FIBER, 2, generations), SOLO_ENDING_RETURNED);
    expect_order();
    CU_ASSERT_TRUE(walk.choices > SOLO_SIM_THREADS_MAX);
}

static void test_options__who_moves_the_clock_is_offered_when_it_is_done(void)
{
    struct solo_sim_options options = {
        .strategy = &strategy, .strategy_state = &walk, .clock = SOLO_CLOCK_MANUAL, .carrier = SOLO_CARRIER_FIBER};
    struct solo_sim *sim;
    memset(&walk, 0, sizeof walk);
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    for (unsigned i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(solo_sim_run(sim, i, driver, NULL), SOLO_ENDING_RETURNED);
    }
    solo_sim_destroy(sim);
    expect_order();
    CU_ASSERT_TRUE(walk.choices > 0);
}

void suite_options(void)
{
    SOLO_SUITE("options");
    SOLO_TEST(test_options__who_asks_comes_first_and_the_others_by_number);
    SOLO_TEST(test_options__they_are_the_same_on_pthreads);
    SOLO_TEST(test_options__a_number_that_is_used_again_comes_in_its_place);
    SOLO_TEST(test_options__who_moves_the_clock_is_offered_when_it_is_done);
}
