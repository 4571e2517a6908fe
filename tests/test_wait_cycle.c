/* test_wait_cycle.c - who waits for whom: the circle comes first, and the sentence goes along it. */
#include "runner.h"
#include "wait_cycle.h"
#include <solo/probe.h>
#include <stdio.h>
#include <string.h>

static struct solo_waiter waiters[SOLO_WAITERS_MAX];
static uint32_t count;

static void begin(void)
{
    memset(waiters, 0, sizeof waiters);
    count = 0;
}

static void add(const char *thread, unsigned kind, const char *object, const char *holder)
{
    struct solo_waiter *waiter = &waiters[count++];
    waiter->wait_kind = kind;
    snprintf(waiter->thread, sizeof waiter->thread, "%s", thread);
    snprintf(waiter->object, sizeof waiter->object, "%s", object);
    snprintf(waiter->holder, sizeof waiter->holder, "%s", holder);
}

static const char *order(void)
{
    static char text[64];
    for (uint32_t i = 0; i < count; i++) {
        text[i] = waiters[i].thread[0];
    }
    text[count] = '\0';
    return text;
}

static void no_place(const char *thread, char *buffer, size_t size)
{
    (void)thread;
    buffer[0] = '\0';
    (void)size;
}

static void a_place(const char *thread, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s.c:1", thread);
}

static const char *sentence(void (*place_of)(const char *thread, char *buffer, size_t size))
{
    static char text[512];
    solo__wait_sentence(waiters, count, place_of, text, sizeof text);
    printf("%s\n", text);
    return text;
}

static void test_wait_cycle__those_who_wait_for_each_other_come_first_in_their_order(void)
{
    begin();
    add("m", SOLO_WAIT_JOIN, "a", "a");
    add("c", SOLO_WAIT_MUTEX, "mutex#1", "a");
    add("x", SOLO_WAIT_MUTEX, "mutex#1", "a");
    add("a", SOLO_WAIT_MUTEX, "mutex#2", "b");
    add("b", SOLO_WAIT_MUTEX, "mutex#3", "c");
    CU_ASSERT_EQUAL(solo__wait_cycle_first(waiters, count), 3);
    CU_ASSERT_STRING_EQUAL(order(), "cabmx");
    CU_ASSERT_STRING_EQUAL(sentence(no_place), "`c` waits in solo_mutex_lock for mutex#1, held by `a`, which waits in "
                                               "solo_mutex_lock for mutex#2, held by `b`, which waits in "
                                               "solo_mutex_lock for mutex#3, held by `c`");
}

static void test_wait_cycle__who_holds_what_it_waits_for_is_a_circle_alone(void)
{
    begin();
    add("m", SOLO_WAIT_JOIN, "a", "a");
    add("a", SOLO_WAIT_MUTEX, "mutex#1", "a");
    CU_ASSERT_EQUAL(solo__wait_cycle_first(waiters, count), 1);
    CU_ASSERT_STRING_EQUAL(order(), "am");
    CU_ASSERT_STRING_EQUAL(sentence(a_place), "`a` waits in solo_mutex_lock for mutex#1 (a.c:1), held by `a`");
}

static void test_wait_cycle__without_one_nothing_is_moved_and_the_sentence_ends_where_nobody_is_known(void)
{
    begin();
    add("m", SOLO_WAIT_JOIN, "a", "a");
    add("a", SOLO_WAIT_SEMAPHORE, "semaphore#1", "");
    add("b", SOLO_WAIT_MUTEX, "mutex#1", "gone");
    CU_ASSERT_EQUAL(solo__wait_cycle_first(waiters, count), 0);
    CU_ASSERT_STRING_EQUAL(order(), "mab");
    CU_ASSERT_STRING_EQUAL(
        sentence(no_place),
        "`m` waits in solo_thread_join for the end of `a`, which waits in solo_semaphore_wait for semaphore#1");
    CU_ASSERT_EQUAL(solo__wait_cycle_first(waiters, 0), 0);
}

static void test_wait_cycle__a_circle_beside_which_others_run_into_it_is_found(void)
{
    begin();
    add("x", SOLO_WAIT_JOIN, "a", "a"); /* leads into the circle, and is not of it */
    add("a", SOLO_WAIT_RESULT, "call#1", "b");
    add("b", SOLO_WAIT_JOIN, "a", "a");
    CU_ASSERT_EQUAL(solo__wait_cycle_first(waiters, count), 2);
    CU_ASSERT_STRING_EQUAL(order(), "abx");
    CU_ASSERT_STRING_EQUAL(sentence(no_place), "`a` waits in solo_blocking_call_from_thread for call#1, which is up to "
                                               "`b`, which waits in solo_thread_join for the end of `a`");
}

static void test_wait_cycle__a_long_circle_is_cut_and_a_name_is_enough(void)
{
    begin();
    add("a", SOLO_WAIT_MUTEX, "`first` (mutex#1)", "b");
    add("b", SOLO_WAIT_MUTEX, "-", "c");
    add("c", SOLO_WAIT_MUTEX, "mutex#3", "d");
    add("d", SOLO_WAIT_MUTEX, "mutex#4", "e");
    add("e", SOLO_WAIT_MUTEX, "mutex#5", "a");
    CU_ASSERT_EQUAL(solo__wait_cycle_first(waiters, count), 5);
    const char *text = sentence(no_place);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "for `first`, held by `b`, which"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "for a mutex, held by `c`"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "mutex#4, held by `e`"));
    CU_ASSERT_PTR_NULL(strstr(text, "mutex#5"));
}

void suite_wait_cycle(void)
{
    SOLO_SUITE("wait_cycle");
    SOLO_TEST(test_wait_cycle__those_who_wait_for_each_other_come_first_in_their_order);
    SOLO_TEST(test_wait_cycle__who_holds_what_it_waits_for_is_a_circle_alone);
    SOLO_TEST(test_wait_cycle__without_one_nothing_is_moved_and_the_sentence_ends_where_nobody_is_known);
    SOLO_TEST(test_wait_cycle__a_circle_beside_which_others_run_into_it_is_found);
    SOLO_TEST(test_wait_cycle__a_long_circle_is_cut_and_a_name_is_enough);
}
