/*
 * test_order.c - the fingerprint of a schedule: equal exactly if nothing that depends on each other has changed places.
 */
#include "order.h"
#include "runner.h"
#include <solo/explore.h>
#include <solo/report.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

static struct solo_report report; /* too large for the stack */

/* ---- From events ---- */

enum { A = 1, B = 2 }; /* objects */

struct step {
    uint16_t thread;
    uint8_t kind, access;
    uint32_t object;
    uint64_t value;
};

static struct solo__order order;

static uint64_t fingerprint(const struct step *steps, size_t count)
{
    solo__order_begin(&order);
    for (size_t i = 0; i < count; i++) {
        struct solo_event event = {.step = i + 1,
                                   .now_ns = 1000 * i,
                                   .thread = steps[i].thread,
                                   .kind = steps[i].kind,
                                   .access = steps[i].access,
                                   .object = steps[i].object,
                                   .value = steps[i].value};
        solo__order_event(&order, &event);
    }
    return order.fingerprint;
}

#define FINGERPRINT(...)                                                                                               \
    fingerprint((const struct step[]){__VA_ARGS__}, sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))
#define WRITES(thread, object)                                                                                         \
    {                                                                                                                  \
        thread, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, object, 0                                                        \
    }
#define READS(thread, object)                                                                                          \
    {                                                                                                                  \
        thread, SOLO_PROBE_ACCESS_READ, SOLO_ACCESS_READ, object, 0                                                    \
    }
#define DOES(thread, kind, object, value)                                                                              \
    {                                                                                                                  \
        thread, SOLO_PROBE_##kind, SOLO_ACCESS_NONE, object, value                                                     \
    }

static void test_order__accesses_to_different_objects_may_change_places(void)
{
    CU_ASSERT_EQUAL(FINGERPRINT(WRITES(0, A), WRITES(1, B)), FINGERPRINT(WRITES(1, B), WRITES(0, A)));
}

static void test_order__accesses_to_one_object_may_not_if_one_writes(void)
{
    uint64_t one = FINGERPRINT(WRITES(0, A), WRITES(0, A), WRITES(1, A));
    CU_ASSERT_NOT_EQUAL(one, FINGERPRINT(WRITES(0, A), WRITES(1, A), WRITES(0, A)));
    CU_ASSERT_NOT_EQUAL(FINGERPRINT(WRITES(0, A), WRITES(0, A), READS(1, A)),
                        FINGERPRINT(WRITES(0, A), READS(1, A), WRITES(0, A)));
    CU_ASSERT_EQUAL(one, FINGERPRINT(WRITES(0, A), WRITES(0, A), WRITES(1, A)));
}

static void test_order__reads_between_two_writes_may_change_places(void)
{
    CU_ASSERT_EQUAL(FINGERPRINT(WRITES(0, A), READS(1, A), READS(2, A), WRITES(0, A)),
                    FINGERPRINT(WRITES(0, A), READS(2, A), READS(1, A), WRITES(0, A)));
    CU_ASSERT_NOT_EQUAL(FINGERPRINT(WRITES(0, A), READS(1, A), WRITES(0, A), READS(2, A)),
                        FINGERPRINT(WRITES(0, A), READS(1, A), READS(2, A), WRITES(0, A)));
}

static void test_order__who_reads_a_word_first_is_no_difference(void)
{
    CU_ASSERT_EQUAL(FINGERPRINT(WRITES(0, B), READS(0, A), WRITES(1, 3), WRITES(1, 3), READS(1, A)),
                    FINGERPRINT(WRITES(1, 3), WRITES(1, 3), READS(1, A), WRITES(0, B), READS(0, A)));
}

static void test_order__numbers_of_objects_and_times_are_no_difference(void)
{
    CU_ASSERT_EQUAL(FINGERPRINT(WRITES(0, A), WRITES(0, B), WRITES(1, A)),
                    FINGERPRINT(WRITES(0, 7), WRITES(0, 9), WRITES(1, 7)));
    CU_ASSERT_EQUAL(FINGERPRINT(WRITES(0, A), DOES(0, TIME, 0, 5), WRITES(1, A)),
                    FINGERPRINT(WRITES(0, A), WRITES(1, A)));
    CU_ASSERT_EQUAL(FINGERPRINT(DOES(0, SLEEP, 0, 5)), FINGERPRINT(DOES(0, SLEEP, 0, 6)));
}

static void test_order__results_are_a_difference(void)
{
    CU_ASSERT_NOT_EQUAL(FINGERPRINT(DOES(0, WAITED, A, 0)), FINGERPRINT(DOES(0, WAITED, A, 1)));
    CU_ASSERT_NOT_EQUAL(FINGERPRINT(DOES(0, READ, A, 10)), FINGERPRINT(DOES(0, READ, A, 11)));
}

static void test_order__waiting_for_a_lock_is_no_difference_having_it_is(void)
{
    CU_ASSERT_EQUAL(
        FINGERPRINT(DOES(0, LOCK, A, 0), DOES(0, BLOCK, A, 4), DOES(0, UNBLOCK, A, 0), DOES(0, LOCKED, A, 0)),
        FINGERPRINT(DOES(0, LOCK, A, 0), DOES(0, LOCKED, A, 0)));
}

static void test_order__a_schedule_without_room_for_objects_is_counted_all_the_same(void)
{
    solo__order_begin(&order);
    for (uint32_t i = 1; i <= 3 * SOLO__ORDER_OBJECTS; i++) {
        struct solo_event event = {.kind = SOLO_PROBE_SIGNAL, .access = SOLO_ACCESS_WRITE, .object = i};
        solo__order_event(&order, &event);
    }
    CU_ASSERT_EQUAL(order.object_count, SOLO__ORDER_OBJECTS / 4 * 3);
    CU_ASSERT_EQUAL(order.points, 3 * SOLO__ORDER_OBJECTS);
    CU_ASSERT_NOT_EQUAL(order.fingerprint, 0);
}

static void test_order__nothing_of_the_schedule_before_is_left(void)
{
    uint64_t first = FINGERPRINT(WRITES(1, A), WRITES(2, A));
    (void)FINGERPRINT(WRITES(2, A), WRITES(1, A), WRITES(3, B));
    CU_ASSERT_EQUAL(FINGERPRINT(WRITES(1, A), WRITES(2, A)), first);
    CU_ASSERT_EQUAL(order.threads, 2);
    CU_ASSERT_EQUAL(order.points, 2);
}

/* ---- Of whole programs: all schedules, and how many orders they have ---- */

static struct solo_mutex *mutexes[2];

static void run_two(solo_thread_fn one, solo_thread_fn two)
{
    struct solo_thread *threads[2];
    CU_ASSERT_EQUAL(solo_mutex_create(&mutexes[0]), 0);
    CU_ASSERT_EQUAL(solo_mutex_create(&mutexes[1]), 0);
    CU_ASSERT_EQUAL(solo_thread_create(one, NULL, &threads[0]), 0);
    CU_ASSERT_EQUAL(solo_thread_create(two, NULL, &threads[1]), 0);
    solo_thread_join(threads[0]);
    solo_thread_join(threads[1]);
}

static void lock_twice(struct solo_mutex *mutex)
{
    for (unsigned i = 0; i < 2; i++) {
        solo_mutex_lock(mutex);
        solo_mutex_unlock(mutex);
    }
}

static void lock_first(void *arg)
{
    (void)arg;
    lock_twice(mutexes[0]);
}

static void lock_second(void *arg)
{
    (void)arg;
    lock_twice(mutexes[1]);
}

static void yield_twice(void *arg)
{
    (void)arg;
    solo_yield();
    solo_yield();
}

static void yield_only(void *arg)
{
    (void)arg;
    run_two(yield_twice, yield_twice);
}

static void lock_different_ones(void *arg)
{
    (void)arg;
    run_two(lock_first, lock_second);
}

static void lock_the_same(void *arg)
{
    (void)arg;
    run_two(lock_first, lock_first);
}

static void explore_all(void (*body)(void *arg))
{
    struct solo_scenario scenario = {.name = "orders", .body = body};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "dfs";
    options.delay_bound = SOLO_DELAY_UNBOUNDED;
    CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &report), 0);
    printf("%s, %llu orders\n", report.evidence, (unsigned long long)report.orders);
    CU_ASSERT_TRUE(report.exhausted);
}

static void test_order__threads_that_share_nothing_have_one(void)
{
    explore_all(yield_only);
    CU_ASSERT_TRUE(report.distinct > 20);
    CU_ASSERT_EQUAL(report.orders, 1);
    explore_all(lock_different_ones);
    CU_ASSERT_TRUE(report.distinct > 20);
    CU_ASSERT_EQUAL(report.orders, 1);
}

/* Two turns each: 4 choose 2. */
static void test_order__two_threads_with_two_turns_each_at_one_lock_have_six(void)
{
    explore_all(lock_the_same);
    CU_ASSERT_TRUE(report.distinct > 20);
    CU_ASSERT_EQUAL(report.orders, 6);
    CU_ASSERT_EQUAL(report.threads, 3);
}

/* A text that was broken into lines, as one line. */
static void join_lines(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        char c = *from == '\n' ? ' ' : *from;
        if (c != ' ' || to == text || to[-1] != ' ') {
            *to++ = c;
        }
    }
    *to = '\0';
}

static void test_order__a_sample_says_how_many_orders_it_has_seen_and_how_hard_it_is(void)
{
    struct solo_scenario scenario = {.name = "orders", .body = lock_the_same};
    struct solo_explore_options options;
    char *text = NULL;
    size_t size = 0;
    solo_explore_defaults(&options);
    CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &report), 0);
    CU_ASSERT_EQUAL(report.orders, 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, ", 6 orders of synchronisation, no failure; "));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, ", a new order: under 0.1% (Good-Turing)"));
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(solo_report_explored_text(out, &report, false), 0);
    (void)fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nbound: of 3 threads with "));
    join_lines(text);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "`--strategy pct:D --time idle` shows a defect of depth D = 1 in 1 of 3, 2 in "));
    free(text);
}

void suite_order(void)
{
    SOLO_SUITE("order");
    SOLO_TEST(test_order__accesses_to_different_objects_may_change_places);
    SOLO_TEST(test_order__accesses_to_one_object_may_not_if_one_writes);
    SOLO_TEST(test_order__reads_between_two_writes_may_change_places);
    SOLO_TEST(test_order__who_reads_a_word_first_is_no_difference);
    SOLO_TEST(test_order__numbers_of_objects_and_times_are_no_difference);
    SOLO_TEST(test_order__results_are_a_difference);
    SOLO_TEST(test_order__waiting_for_a_lock_is_no_difference_having_it_is);
    SOLO_TEST(test_order__a_schedule_without_room_for_objects_is_counted_all_the_same);
    SOLO_TEST(test_order__nothing_of_the_schedule_before_is_left);
    SOLO_TEST(test_order__threads_that_share_nothing_have_one);
    SOLO_TEST(test_order__two_threads_with_two_turns_each_at_one_lock_have_six);
    SOLO_TEST(test_order__a_sample_says_how_many_orders_it_has_seen_and_how_hard_it_is);
}
