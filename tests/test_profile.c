/*
 * test_profile.c - what strategies learn from earlier schedules: nothing that is remembered may differ from what a new
 * look would show.
 */
#include "runner.h"
#include "strategy.h"
#include <solo/access.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

/* ---- A strategy whose profile is looked at behind its back ---- */

static struct {
    const struct solo_strategy *strategy;
    struct solo__sampling_state *state;
    unsigned looks, remembered, wrong_places, wrong_objects;
    unsigned begun, learnt_late;       /* schedules; and those after the first that are learnt from */
    unsigned options[2], at_places[2]; /* threads that could go on, and that stood at a known place; while it learns */
} lab;

static bool counts_places;
static bool looks_away; /* a look at what the strategy does not want to know is a surprise to the profile */

static int lab_begin(void *state, uint64_t seed)
{
    int begun = lab.strategy->begin(state, seed);
    lab.learnt_late += lab.begun++ >= SOLO__LEARNS_FIRST && lab.state->profile.learns;
    return begun;
}

/* Whether what is known of the thread's next operation is what a new look shows. */
static void look_again(struct solo__profile *profile, const struct solo_option *option)
{
    struct solo__ahead *ahead = &profile->ahead[option->thread];
    lab.remembered += ahead->version == profile->version + 1;
    uint16_t place = solo__profile_place(profile, option);
    uint16_t object = solo__profile_object(profile, option);
    struct solo__ahead kept = *ahead;
    memset(ahead, 0, sizeof *ahead);
    lab.wrong_places += solo__profile_place(profile, option) != place;
    lab.wrong_objects += solo__profile_object(profile, option) != object;
    *ahead = kept;
    lab.looks++;
}

/* Whether the thread stands at a place; counted for schedules that are learnt from, and for those that are not. */
static void count_place(struct solo__profile *profile, const struct solo_option *option)
{
    lab.options[profile->learns]++;
    lab.at_places[profile->learns] += solo__profile_place(profile, option) != SOLO__NO_INDEX;
}

static size_t lab_choose(void *state, const struct solo_choice *choice)
{
    size_t chosen = lab.strategy->choose(state, choice);
    for (size_t i = 0; counts_places && choice->kind == SOLO_CHOICE_THREAD && i < choice->count; i++) {
        if (choice->options[i]->tag != SOLO_TAG_TIME) {
            count_place(&lab.state->profile, choice->options[i]);
        }
    }
    for (size_t i = 0; !looks_away && choice->kind == SOLO_CHOICE_THREAD && i < choice->count; i++) {
        if (choice->options[i]->tag != SOLO_TAG_TIME) {
            look_again(&lab.state->profile, choice->options[i]);
        }
    }
    return chosen;
}

static void lab_step(void *state, const struct solo_event *event)
{
    lab.strategy->step(state, event);
}

static void explore(const char *name, unsigned schedules, unsigned seed, void (*body)(void *arg))
{
    static const struct solo_strategy watched = {
        .name = "watched", .begin = lab_begin, .choose = lab_choose, .step = lab_step};
    struct solo_sim *sim;
    size_t size = 0;
    memset(&lab, 0, sizeof lab);
    lab.strategy = solo_strategy_find(name, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lab.strategy);
    lab.state = calloc(1, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lab.state);
    CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(lab.strategy, lab.state, 0), 0);
    struct solo_sim_options options = {.strategy = &watched, .strategy_state = lab.state, .let_time_pass = true};
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    for (unsigned i = 0; i < schedules; i++) {
        CU_ASSERT_EQUAL(solo_sim_run(sim, seed + i, body, NULL), SOLO_ENDING_RETURNED);
    }
    solo_sim_destroy(sim);
}

/* ---- A program whose words become shared at different times ---- */

enum { THREADS = 5, WORDS = 4 };

static struct solo_mutex *mutex;
static long words[WORDS], own[THREADS], late;
static unsigned numbers[THREADS], turn;

static void touch(void *arg)
{
    unsigned number = *(const unsigned *)arg;
    solo_access_write(&own[number], sizeof own[number]);
    for (unsigned i = number % WORDS; i < WORDS; i++) {
        solo_access_read(&words[i], sizeof words[i]);
        (void)solo_mutex_lock(mutex);
        solo_access_write(&words[i], sizeof words[i]);
        (void)solo_mutex_unlock(mutex);
    }
    if (number == 0) {
        solo_sleep(1000);
        solo_access_write(&own[1], sizeof own[1]);
    }
}

static void start_and_join(void (*fn)(void *arg))
{
    struct solo_thread *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CU_ASSERT_EQUAL(solo_thread_create(fn, &numbers[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
}

static void share(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_create(&mutex), 0);
    start_and_join(touch);
}

/* Threads count in turn and by nothing but the simulation in order, which is a race to any detector. */
__attribute__((no_sanitize("thread"))) static unsigned take_turn(void)
{
    return turn++;
}

/* In the plain schedule threads come here in order; out of order they touch a word that nobody has touched before. */
static void touch_late(void *arg)
{
    unsigned number = *(const unsigned *)arg;
    solo_yield();
    if (take_turn() != number) {
        for (unsigned i = 0; i < 3; i++) {
            solo_access_write(&late, sizeof late);
        }
    }
}

static void share_late(void *arg)
{
    (void)arg;
    turn = 0;
    start_and_join(touch_late);
}

/* From a certain schedule on, threads do something that they have not done before. */
enum { TURNS = SOLO__LEARNS_FIRST + 150 };
static unsigned schedules_run;
static void (*do_something_new)(unsigned number);

static void touch_new_word(unsigned number)
{
    (void)number;
    solo_access_write(&late, sizeof late);
}

static void touch_word_of_another(unsigned number)
{
    if (number == 3) {
        solo_access_write(&own[2], sizeof own[2]);
    }
}

static void touch_known_words_in_new_order(unsigned number)
{
    (void)number;
    for (unsigned i = WORDS; i-- > 0;) {
        solo_access_read(&words[i], sizeof words[i]);
    }
}

static void touch_and_turn(void *arg)
{
    touch(arg);
    if (schedules_run > TURNS) {
        do_something_new(*(const unsigned *)arg);
    }
}

static void share_and_turn(void *arg)
{
    (void)arg;
    schedules_run++;
    CU_ASSERT_EQUAL(solo_mutex_create(&mutex), 0);
    start_and_join(touch_and_turn);
}

/* ---- Claims ---- */

static void test_profile__what_is_remembered_of_a_thread_is_what_a_new_look_shows(void)
{
    static const char *const names[] = {"hold", "surw", "urw", "portfolio"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        explore(names[i], 60, 0, share);
        CU_ASSERT_TRUE(lab.looks > 1000);
        CU_ASSERT_TRUE(lab.remembered > lab.looks / 2);
        CU_ASSERT_EQUAL(lab.wrong_places, 0);
        CU_ASSERT_EQUAL(lab.wrong_objects, 0);
        free(lab.state);
    }
}

/*
 * A word that becomes shared while a thread stands before it makes a place of where that thread stands. It does so only
 * once in what is explored, so much is explored a little.
 */
static void test_profile__what_others_change_meanwhile_is_seen(void)
{
    unsigned places = 0, wrong = 0;
    for (unsigned i = 0; i < 100; i++) {
        explore("urw", 6, 1000 * i, share_late);
        wrong += lab.wrong_places + lab.wrong_objects;
        for (uint32_t place = 0; place < lab.state->profile.place_count; place++) {
            places += lab.state->profile.places[place].operation == SOLO_PROBE_ACCESS_WRITE;
        }
        free(lab.state);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(places >= 100); /* the plain schedule, from which most places are known, has none of these */
}

static unsigned count_contended(void)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < lab.state->profile.object_count; i++) {
        count += solo__profile_is_contended(&lab.state->profile, (uint16_t)i);
    }
    return count;
}

/* A thread reads and writes each word from its number on, whoever touched the word before. */
static void test_profile__each_thread_is_counted_for_itself(void)
{
    explore("surw", 40, 0, share);
    const struct solo__profile *profile = &lab.state->profile;
    unsigned twice = 0, oftener = 0;
    for (uint32_t slot = 0; slot < SOLO__COUNTS_MAX; slot++) {
        const struct solo__count *count = &profile->counts[slot];
        bool is_memory = count->object != 0 && profile->objects[count->object - 1].key >> 63 != 0;
        twice += is_memory && count->seen == 2;
        oftener += is_memory && count->seen > 2;
    }
    CU_ASSERT_EQUAL(twice, 2 + 3 + 4 + 5);
    CU_ASSERT_EQUAL(oftener, 0);
    CU_ASSERT_EQUAL(count_contended(),
                    WORDS + 2); /* the words, the one of thread 1 that thread 0 writes, and the lock */
    free(lab.state);
}

static void test_profile__schedules_that_teach_nothing_are_seldom_learnt_from(void)
{
    static const char *const names[] = {"hold", "surw", "portfolio"};
    looks_away = true;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        explore(names[i], SOLO__LEARNS_FIRST + 340, 0, share);
        CU_ASSERT_TRUE(lab.learnt_late >= 20); /* one in seventeen when all is quiet */
        CU_ASSERT_TRUE(lab.learnt_late <= 60);
        free(lab.state);
    }
    looks_away = false;
}

static void test_profile__a_schedule_that_is_not_learnt_from_has_the_same_places(void)
{
    looks_away = counts_places = true;
    explore("hold", 2 * SOLO__LEARNS_FIRST, 0, share);
    looks_away = counts_places = false;
    CU_ASSERT_TRUE(lab.options[0] > 1000);
    CU_ASSERT_TRUE(lab.at_places[1] > lab.options[1] / 2);
    double learnt = lab.at_places[1] / (double)lab.options[1], rested = lab.at_places[0] / (double)lab.options[0];
    CU_ASSERT_TRUE(rested > learnt * 0.9);
    free(lab.state);
}

/* What is known after so many schedules. */
static struct known {
    unsigned contended, places;
} explore_turn(const char *name, void (*something_new)(unsigned number), unsigned schedules)
{
    schedules_run = 0;
    do_something_new = something_new;
    looks_away = true;
    explore(name, schedules, 0, share_and_turn);
    looks_away = false;
    struct known known = {count_contended(), lab.state->profile.place_count};
    free(lab.state);
    return known;
}

/* It is met in one schedule, and learnt in that or the next one. */
static void expect_contention(const char *name, void (*something_new)(unsigned number))
{
    unsigned before = explore_turn(name, something_new, TURNS).contended;
    CU_ASSERT_EQUAL(explore_turn(name, something_new, TURNS + 2).contended, before + 1);
}

static void test_profile__what_is_new_later_is_learnt_at_once(void)
{
    static const char *const names[] = {"hold", "surw"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        expect_contention(names[i], touch_new_word);
        expect_contention(names[i], touch_word_of_another);
    }
}

static void test_profile__new_ways_among_what_is_known_are_learnt_before_long(void)
{
    static const char *const names[] = {"hold", "surw"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsigned before = explore_turn(names[i], touch_known_words_in_new_order, TURNS).places;
        unsigned after = explore_turn(names[i], touch_known_words_in_new_order, TURNS + SOLO__REST_MAX + 2).places;
        CU_ASSERT_TRUE(after > before);
    }
}

static void sleep_somewhere_new(unsigned number)
{
    if (number == 3) {
        solo_yield(); /* makes another place of what follows */
        solo_sleep(1000);
    }
}

/* Nobody is held where time passes, wherever that is, and whenever it was seen first. */
static void test_profile__what_is_said_of_a_place_is_said_of_one_that_is_new(void)
{
    unsigned sleeps = 0, held = 0;
    schedules_run = 0;
    do_something_new = sleep_somewhere_new;
    looks_away = true;
    explore("hold", TURNS + 100, 0, share_and_turn);
    looks_away = false;
    for (uint32_t i = 0; i < lab.state->profile.place_count; i++) {
        const struct solo__place *place = &lab.state->profile.places[i];
        sleeps += place->operation == SOLO_PROBE_SLEEP;
        held += place->operation == SOLO_PROBE_SLEEP ? place->held : 0;
    }
    CU_ASSERT_TRUE(sleeps >= 2);
    CU_ASSERT_EQUAL(held, 0);
    free(lab.state);
}

void suite_profile(void)
{
    SOLO_SUITE("profile");
    SOLO_TEST(test_profile__what_is_remembered_of_a_thread_is_what_a_new_look_shows);
    SOLO_TEST(test_profile__what_others_change_meanwhile_is_seen);
    SOLO_TEST(test_profile__each_thread_is_counted_for_itself);
    SOLO_TEST(test_profile__schedules_that_teach_nothing_are_seldom_learnt_from);
    SOLO_TEST(test_profile__a_schedule_that_is_not_learnt_from_has_the_same_places);
    SOLO_TEST(test_profile__what_is_said_of_a_place_is_said_of_one_that_is_new);
    SOLO_TEST(test_profile__what_is_new_later_is_learnt_at_once);
    SOLO_TEST(test_profile__new_ways_among_what_is_known_are_learnt_before_long);
}
