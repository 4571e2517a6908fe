/* test_access.c - accesses to shared memory as scheduling points. */
#include "runner.h"
#include <solo/access.h>
#include <solo/explore.h>
#include <solo/thread.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int value;
    int other;
} shared __attribute__((aligned(8)));
static long wide[4] __attribute__((aligned(8)));

static struct solo_event seen[64];
static unsigned seen_count;

static void remember(const struct solo_event *event, void *arg)
{
    (void)arg;
    if ((event->kind == SOLO_PROBE_ACCESS_READ || event->kind == SOLO_PROBE_ACCESS_WRITE) && seen_count < 64) {
        seen[seen_count++] = *event;
    }
}

static int run(void (*body)(void *arg))
{
    struct solo_sim_options options = {.carrier = SOLO_CARRIER_FIBER};
    struct solo_sim *sim;
    seen_count = 0;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_probe_subscribe(remember, NULL), 0);
    int ending = solo_sim_run(sim, 1, body, NULL);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(remember, NULL), 0);
    solo_sim_destroy(sim);
    return ending;
}

static void read_and_write(void *arg)
{
    (void)arg;
    SOLO_WRITE(shared.value, 7);
    int value = SOLO_READ(shared.value);
    CU_ASSERT_EQUAL(value, 7);
    SOLO_WRITE(wide[2], SOLO_READ(wide[0]) + 1);
}

static void test_access__each_is_an_event_with_its_kind_and_word(void)
{
    wide[0] = 4;
    CU_ASSERT_EQUAL(run(read_and_write), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL_FATAL(seen_count, 4);
    CU_ASSERT_EQUAL(seen[0].kind, SOLO_PROBE_ACCESS_WRITE);
    CU_ASSERT_EQUAL(seen[0].access, SOLO_ACCESS_WRITE);
    CU_ASSERT_EQUAL(seen[1].kind, SOLO_PROBE_ACCESS_READ);
    CU_ASSERT_EQUAL(seen[1].access, SOLO_ACCESS_READ);
    CU_ASSERT_EQUAL(seen[1].object, seen[0].object);
    CU_ASSERT_NOT_EQUAL(seen[2].object, seen[0].object); /* the value is read before its target is announced */
    CU_ASSERT_EQUAL(seen[2].kind, SOLO_PROBE_ACCESS_READ);
    CU_ASSERT_EQUAL(wide[2], 5);
}

static void test_access__words_are_named_in_the_order_of_first_accesses(void)
{
    char name[32];
    for (unsigned i = 0; i < 2; i++) { /* anew in each schedule */
        CU_ASSERT_EQUAL(run(read_and_write), SOLO_ENDING_RETURNED);
        CU_ASSERT_STRING_EQUAL(solo_object_name(seen[0].object, name, sizeof name), "memory#1");
        CU_ASSERT_STRING_EQUAL(solo_object_name(seen[2].object, name, sizeof name), "memory#2");
        CU_ASSERT_STRING_EQUAL(solo_object_name(seen[3].object, name, sizeof name), "memory#3");
    }
}

static void touch_ranges(void *arg)
{
    (void)arg;
    solo_access_read(&shared.value, sizeof shared.value);
    solo_access_read(&shared.other, sizeof shared.other); /* in the same word */
    solo_access_write(wide, sizeof wide);
    solo_access_write((char *)wide + 7, 2); /* the end of one and the beginning of the next */
    solo_access_read(wide, 0);
    solo_access_read(NULL, 8);
}

static void test_access__one_point_for_each_word_of_eight_bytes(void)
{
    CU_ASSERT_EQUAL(run(touch_ranges), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL_FATAL(seen_count, 8);
    CU_ASSERT_EQUAL(seen[0].object, seen[1].object);
    for (unsigned i = 3; i < 6; i++) {
        CU_ASSERT_NOT_EQUAL(seen[i].object, seen[i - 1].object);
    }
    CU_ASSERT_EQUAL(seen[6].object, seen[2].object);
    CU_ASSERT_EQUAL(seen[7].object, seen[3].object);
}

enum { MANY = 5000 };

static void touch_many(void *arg)
{
    (void)arg;
    static long many[MANY];
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            solo_access_read(&many[i], sizeof many[i]);
        }
    }
}

static uint32_t objects[2 * MANY];
static unsigned object_count;

static void remember_object(const struct solo_event *event, void *arg)
{
    (void)arg;
    if (event->kind == SOLO_PROBE_ACCESS_READ && object_count < 2 * MANY) {
        objects[object_count++] = event->object;
    }
}

static void test_access__thousands_of_words_keep_their_names(void)
{
    struct solo_sim_options options = {.carrier = SOLO_CARRIER_FIBER};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_probe_subscribe(remember_object, NULL), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 1, touch_many, NULL), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(remember_object, NULL), 0);
    solo_sim_destroy(sim);
    CU_ASSERT_EQUAL_FATAL(object_count, 2 * MANY);
    unsigned wrong = 0;
    for (unsigned i = 0; i < MANY; i++) {
        wrong += objects[i] != objects[i + MANY] || (i > 0 && objects[i] != objects[i - 1] + 1);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_access__does_nothing_in_world_os(void)
{
    seen_count = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(remember, NULL), 0);
    touch_ranges(NULL);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(remember, NULL), 0);
    CU_ASSERT_EQUAL(seen_count, 0);
}

/* ---- What they are for ---- */

static int count;
static struct solo_mutex *mutex;

static void add_one(void *arg)
{
    if (arg != NULL) {
        (void)solo_mutex_lock(mutex);
    }
    SOLO_WRITE(count, SOLO_READ(count) + 1);
    if (arg != NULL) {
        (void)solo_mutex_unlock(mutex);
    }
}

static void add_two_times(void *arg)
{
    struct solo_thread *threads[2];
    count = 0;
    (void)solo_mutex_create(&mutex);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(add_one, arg, &threads[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static const char *is_two(void *arg)
{
    (void)arg;
    return count == 2 ? NULL : "an addition was lost";
}

static void explore_additions(void *arg, enum solo_verdict expected)
{
    static struct solo_report report;
    struct solo_scenario scenario = {.name = "additions", .body = add_two_times, .invariant = is_two, .arg = arg};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "dfs";
    CU_ASSERT_EQUAL(solo_explore(&scenario, &options, &report), 0);
    CU_ASSERT_EQUAL(report.verdict, expected);
    for (unsigned i = 0; i < report.finding_count; i++) {
        CU_ASSERT_TRUE(report.findings[i].reproduced);
        CU_ASSERT_TRUE(report.findings[i].deviations <= 4);
    }
}

static void test_access__a_lost_addition_to_plain_memory_is_found(void)
{
#ifdef SOLO_TSAN /* it finds the race itself */
    CU_PASS("the race is ThreadSanitizer's");
#else
    explore_additions(NULL, SOLO_VERDICT_FINDINGS);
#endif
}

static void test_access__with_a_lock_none_is_lost(void)
{
    static int locked;
    explore_additions(&locked, SOLO_VERDICT_CLEAN);
}

void suite_access(void)
{
    SOLO_SUITE("access");
    SOLO_TEST(test_access__each_is_an_event_with_its_kind_and_word);
    SOLO_TEST(test_access__words_are_named_in_the_order_of_first_accesses);
    SOLO_TEST(test_access__one_point_for_each_word_of_eight_bytes);
    SOLO_TEST(test_access__thousands_of_words_keep_their_names);
    SOLO_TEST(test_access__does_nothing_in_world_os);
    SOLO_TEST(test_access__a_lost_addition_to_plain_memory_is_found);
    SOLO_TEST(test_access__with_a_lock_none_is_lost);
}
