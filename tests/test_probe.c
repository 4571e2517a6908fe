/* test_probe.c - who is told what happens. */
#include <solo/probe.h>
#include "self.h"
#include "worlds.h"
#include <solo/thread.h>

struct told {
    unsigned count;
    struct solo_event last;
};

static void tell(const struct solo_event *event, void *arg)
{
    struct told *told = arg;
    if (event->kind == SOLO_PROBE_HAPPENED) { /* the first announcement of a thread is that it begins */
        told->count++;
        told->last = *event;
    }
}

static void tell_another(const struct solo_event *event, void *arg)
{
    tell(event, arg);
}

static void announce(enum solo_probe_kind kind, uint64_t value)
{
    solo__announce(solo_world_current(), kind, SOLO_ACCESS_WRITE, 7, value);
}

static void a_subscriber_is_told_everything(void)
{
    struct told told = {0};
    (void)solo_now(); /* gives the main thread its identity, if this is the first call */
    CU_ASSERT_EQUAL(solo_probe_subscribe(tell, &told), 0);
    announce(SOLO_PROBE_HAPPENED, 42);
    CU_ASSERT_EQUAL(told.count, 1);
    CU_ASSERT_EQUAL(told.last.value, 42);
    CU_ASSERT_EQUAL(told.last.object, 7);
    CU_ASSERT_EQUAL(told.last.access, SOLO_ACCESS_WRITE);
    CU_ASSERT_EQUAL(told.last.thread, 0);
    uint64_t step = told.last.step;
    announce(SOLO_PROBE_HAPPENED, 43);
    CU_ASSERT_EQUAL(told.last.step, step + 1);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &told), 0);
    announce(SOLO_PROBE_HAPPENED, 44);
    CU_ASSERT_EQUAL(told.count, 2);
}

static void test_probe__a_subscriber_is_told_everything_until_it_unsubscribes(void)
{
    worlds_run(a_subscriber_is_told_everything);
}

static void test_probe__subscribers_are_told_apart_by_function_and_argument(void)
{
    struct told first = {0}, second = {0}, third = {0};
    CU_ASSERT_EQUAL(solo_probe_subscribe(tell, &first), 0);
    CU_ASSERT_EQUAL(solo_probe_subscribe(tell, &second), 0);
    CU_ASSERT_EQUAL(solo_probe_subscribe(tell_another, &third), 0);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &second), 0);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &third), -ENOENT);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &second), -ENOENT);
    announce(SOLO_PROBE_HAPPENED, 1);
    CU_ASSERT_EQUAL(first.count, 1);
    CU_ASSERT_EQUAL(second.count, 0);
    CU_ASSERT_EQUAL(third.count, 1);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &first), 0);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell_another, &third), 0);
}

static void test_probe__eight_may_subscribe_and_a_place_that_was_left_is_free_again(void)
{
    struct told told[9] = {{0}};
    int before = solo__probe_watched;
    for (int i = before; i < 8; i++) {
        CU_ASSERT_EQUAL(solo_probe_subscribe(tell, &told[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_probe_subscribe(tell, &told[8]), -ENOSPC);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &told[7]), 0);
    CU_ASSERT_EQUAL(solo_probe_subscribe(tell, &told[8]), 0);
    announce(SOLO_PROBE_HAPPENED, 1);
    CU_ASSERT_EQUAL(told[7].count, 0);
    CU_ASSERT_EQUAL(told[8].count, 1);
    for (int i = before; i < 7; i++) {
        CU_ASSERT_EQUAL(told[i].count, 1);
        CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &told[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(tell, &told[8]), 0);
    CU_ASSERT_EQUAL(solo__probe_watched, before);
}

static void test_probe__nobody_is_no_subscriber(void)
{
    CU_ASSERT_EQUAL(solo_probe_subscribe(NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(NULL, NULL), -ENOENT);
}

static void count_atomically(const struct solo_event *event, void *arg)
{
    if (event->kind == SOLO_PROBE_HAPPENED) {
        __atomic_add_fetch((unsigned *)arg, 1, __ATOMIC_RELAXED);
    }
}

enum { THREADS = 4, EACH = 200 };

static void announce_many(void *arg)
{
    struct told told = {0};
    (void)arg;
    for (int i = 0; i < EACH; i++) {
        announce(SOLO_PROBE_HAPPENED, 1);
        CU_ASSERT_EQUAL(solo_probe_subscribe(count_atomically, &told.count), 0);
        CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_atomically, &told.count), 0);
    }
}

static void announce_only(void *arg)
{
    (void)arg;
    for (int i = 0; i < EACH; i++) {
        announce(SOLO_PROBE_HAPPENED, 1);
    }
}

static void events_of_all_threads_are_told(void)
{
    struct solo_thread *threads[THREADS];
    unsigned count = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_atomically, &count), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(announce_only, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    CU_ASSERT_EQUAL(count, THREADS * EACH);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_atomically, &count), 0);
}

static void test_probe__events_of_all_threads_are_told(void)
{
    worlds_run(events_of_all_threads_are_told);
}

static void test_probe__subscribing_while_others_listen_loses_nothing(void)
{
    unsigned count = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_atomically, &count), 0);
    announce_many(NULL);
    CU_ASSERT_EQUAL(count, EACH);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_atomically, &count), 0);
}

static void note_the_thread(const struct solo_event *event, void *arg)
{
    char name[32];
    if (event->kind == SOLO_PROBE_HAPPENED) {
        CU_ASSERT_STRING_EQUAL(solo_thread_name_of(event->thread, name, sizeof name), "main/1");
        ++*(unsigned *)arg;
    }
}

static void announce_once(void *arg)
{
    (void)arg;
    announce(SOLO_PROBE_HAPPENED, 1);
}

static void an_event_names_its_thread(void)
{
    struct solo_thread *thread = NULL;
    unsigned count = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(note_the_thread, &count), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(announce_once, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(note_the_thread, &count), 0);
}

static void test_probe__an_event_leads_to_the_name_of_its_thread_while_it_is_told(void)
{
    worlds_run(an_event_names_its_thread);
}

static void test_probe__every_kind_has_a_text_of_its_own(void)
{
    for (unsigned kind = 0; kind < SOLO_PROBE_KIND_COUNT; kind++) {
        for (unsigned other = 0; other < kind; other++) {
            CU_ASSERT_STRING_NOT_EQUAL(solo_probe_kind_text(kind), solo_probe_kind_text(other));
        }
    }
    CU_ASSERT_STRING_EQUAL(solo_probe_kind_text(SOLO_PROBE_CALL_ACCEPTED), "call-accepted");
    CU_ASSERT_STRING_EQUAL(solo_probe_kind_text(SOLO_PROBE_KIND_COUNT), "?");
}

static void test_probe__points_are_where_a_thread_may_be_preempted(void)
{
    CU_ASSERT_EQUAL(solo_probe_kind_is_point(SOLO_PROBE_LOCK), 1);
    CU_ASSERT_EQUAL(solo_probe_kind_is_point(SOLO_PROBE_CONTRACT), 1);
    CU_ASSERT_EQUAL(solo_probe_kind_is_point(SOLO_PROBE_LOCKED), 0);
    CU_ASSERT_EQUAL(solo_probe_kind_is_point(SOLO_PROBE_NONE), 0);
    CU_ASSERT_EQUAL(solo_probe_kind_is_point(SOLO_PROBE_KIND_COUNT), 0);
}

static void test_probe__every_wait_has_words_of_its_own(void)
{
    for (unsigned kind = 0; kind < SOLO_WAIT_KINDS; kind++) {
        CU_ASSERT_STRING_NOT_EQUAL(solo_wait_kind_text(kind), "?");
        for (unsigned other = 0; other < kind; other++) {
            CU_ASSERT_STRING_NOT_EQUAL(solo_wait_kind_text(kind), solo_wait_kind_text(other));
        }
    }
    CU_ASSERT_STRING_EQUAL(solo_wait_kind_text(SOLO_WAIT_MUTEX), "a mutex");
    CU_ASSERT_STRING_EQUAL(solo_wait_kind_text(SOLO_WAIT_KINDS), "?");
}

void suite_probe(void)
{
    SOLO_SUITE("probe");
    SOLO_TEST(test_probe__a_subscriber_is_told_everything_until_it_unsubscribes);
    SOLO_TEST(test_probe__subscribers_are_told_apart_by_function_and_argument);
    SOLO_TEST(test_probe__eight_may_subscribe_and_a_place_that_was_left_is_free_again);
    SOLO_TEST(test_probe__nobody_is_no_subscriber);
    SOLO_TEST(test_probe__events_of_all_threads_are_told);
    SOLO_TEST(test_probe__subscribing_while_others_listen_loses_nothing);
    SOLO_TEST(test_probe__an_event_leads_to_the_name_of_its_thread_while_it_is_told);
    SOLO_TEST(test_probe__every_kind_has_a_text_of_its_own);
    SOLO_TEST(test_probe__points_are_where_a_thread_may_be_preempted);
    SOLO_TEST(test_probe__every_wait_has_words_of_its_own);
}
