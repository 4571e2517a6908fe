/* test_trace.c - traces as text, and dependent predecessors. */
#include "runner.h"
#include <errno.h>
#include <solo/sim.h>
#include <solo/trace.h>
#include <stdlib.h>
#include <string.h>

enum { A = 3 << 24 | 1, B = 3 << 24 | 2 }; /* two objects, whatever they are */

static struct solo_event event(uint64_t step, unsigned thread, unsigned kind, uint32_t object, enum solo_access access)
{
    return (struct solo_event){step, step * 10, 0, object, (uint16_t)thread, (uint8_t)kind, (uint8_t)access};
}

static const char names[2][SOLO_TRACE_NAME_MAX] = {"main", "main/1"};

static char *write_text(const struct solo_trace *trace, bool with_dependences)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    CU_ASSERT_EQUAL(solo_trace_write(to, trace, with_dependences), 0);
    fclose(to);
    return text;
}

static void test_trace__has_one_line_per_event_between_head_and_foot(void)
{
    struct solo_event events[] = {event(1, 0, SOLO_PROBE_YIELD, 0, SOLO_ACCESS_NONE),
                                  event(2, 0, SOLO_PROBE_CHOICE, SOLO_CHOICE_JOB, SOLO_ACCESS_NONE),
                                  event(3, 1, SOLO_PROBE_CALL_HANDED_BACK, 0, SOLO_ACCESS_NONE)};
    events[1].value = 2;
    events[2].value = (uint64_t)(int64_t)-2003;
    struct solo_trace trace = {.scenario = "case",
                               .events = events,
                               .count = 3,
                               .thread_names = names,
                               .thread_count = 2,
                               .ending = SOLO_ENDING_RETURNED,
                               .hash = 0xabcdef};
    char *text = write_text(&trace, false);
    CU_ASSERT_STRING_EQUAL(text, "solo-trace 1\nscenario case\nchoice-schema 2\nstep ns thread kind object value\n"
                                 "1 10 main yield - 0\n"
                                 "2 20 main choice job 2\n"
                                 "3 30 main/1 call-handed-back - -2003\n"
                                 "ending returned\nhash 0000000000abcdef\n");
    free(text);
}

static void test_trace__unknown_threads_and_kinds_do_not_crash(void)
{
    struct solo_event events[] = {event(1, 77, 250, 0xffffffff, SOLO_ACCESS_WRITE),
                                  event(2, 1, SOLO_PROBE_CHOICE, 99, SOLO_ACCESS_NONE)};
    struct solo_trace trace = {
        .scenario = "case", .events = events, .count = 2, .thread_names = names, .thread_count = 2};
    char *text = write_text(&trace, true);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "1 10 ? ? "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 20 main/1 choice ? 0 <- -"));
    free(text);
}

static void test_trace__says_what_was_left_out(void)
{
    struct solo_trace trace = {.scenario = "case", .left_out = 1234, .ending = SOLO_ENDING_STEPS};
    char *text = write_text(&trace, true);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nleft-out 1234\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nending steps\n"));
    free(text);
}

static void test_trace__lines_read_back(void)
{
    struct solo_event one = event(17, 1, SOLO_PROBE_LOCK, A, SOLO_ACCESS_WRITE);
    one.value = UINT64_MAX;
    struct solo_trace trace = {
        .scenario = "case", .events = &one, .count = 1, .thread_names = names, .thread_count = 2};
    char line[SOLO_TRACE_LINE_MAX];
    struct solo_trace_entry entry;
    CU_ASSERT_EQUAL(solo_trace_parse_line(solo_trace_line(&trace, &one, line), &entry), 0);
    CU_ASSERT_EQUAL(entry.step, 17);
    CU_ASSERT_EQUAL(entry.now_ns, 170);
    CU_ASSERT_EQUAL(entry.value, -1);
    CU_ASSERT_STRING_EQUAL(entry.thread, "main/1");
    CU_ASSERT_STRING_EQUAL(entry.kind, "lock");
}

static void test_trace__head_and_foot_are_told_from_events(void)
{
    static const char *const around[] = {
        "solo-trace 1", "scenario x",   "choice-schema 2",      "step ns thread kind object value",
        "left-out 3",   "ending quiet", "hash 0011223344556677"};
    struct solo_trace_entry entry;
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        CU_ASSERT_EQUAL(solo_trace_parse_line(around[i], &entry), 1);
    }
    CU_ASSERT_EQUAL(solo_trace_parse_line("", &entry), -EINVAL);
    CU_ASSERT_EQUAL(solo_trace_parse_line("nonsense", &entry), -EINVAL);
    CU_ASSERT_EQUAL(solo_trace_parse_line("1 2 main", &entry), -EINVAL);
    CU_ASSERT_EQUAL(solo_trace_parse_line(NULL, &entry), -EINVAL);
}

static void test_trace__refuses_what_is_no_trace(void)
{
    struct solo_trace trace = {.scenario = NULL};
    CU_ASSERT_EQUAL(solo_trace_write(NULL, &trace, false), -EINVAL);
    CU_ASSERT_EQUAL(solo_trace_write(stderr, NULL, false), -EINVAL);
    CU_ASSERT_EQUAL(solo_trace_write(stderr, &trace, false), -EINVAL);
    trace.scenario = "case";
    trace.count = 1;
    CU_ASSERT_EQUAL(solo_trace_write(stderr, &trace, false), -EINVAL);
}

static void test_trace__every_ending_has_a_word(void)
{
    for (int ending = SOLO_ENDING_NONE; ending <= SOLO_ENDING_DIVERGED; ending++) {
        CU_ASSERT_STRING_NOT_EQUAL(solo_ending_text(ending), "?");
    }
    CU_ASSERT_STRING_EQUAL(solo_ending_text(-1), "?");
    CU_ASSERT_STRING_EQUAL(solo_ending_text(99), "?");
}

/* ---- Dependences ---- */

static void check_predecessors(const struct solo_event *events, size_t count, const uint32_t *expected)
{
    uint32_t found[32];
    CU_ASSERT_EQUAL_FATAL(solo_trace_predecessors(events, count, found), 0);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(found[i], expected[i]);
    }
}

static void test_trace__two_operations_on_one_object_depend_unless_both_read(void)
{
    struct solo_event events[] = {
        event(1, 0, SOLO_PROBE_READ, A, SOLO_ACCESS_READ),   event(2, 1, SOLO_PROBE_READ, A, SOLO_ACCESS_READ),
        event(3, 0, SOLO_PROBE_WRITE, A, SOLO_ACCESS_WRITE), event(4, 1, SOLO_PROBE_READ, A, SOLO_ACCESS_READ),
        event(5, 2, SOLO_PROBE_READ, B, SOLO_ACCESS_READ),   event(6, 2, SOLO_PROBE_WRITE, A, SOLO_ACCESS_WRITE),
    };
    static const uint32_t expected[] = {0, 0, 2, 3, 0, 4};
    check_predecessors(events, 6, expected);
}

static void test_trace__events_of_one_thread_are_no_predecessors(void)
{
    struct solo_event events[] = {
        event(1, 0, SOLO_PROBE_WRITE, A, SOLO_ACCESS_WRITE), event(2, 1, SOLO_PROBE_WRITE, A, SOLO_ACCESS_WRITE),
        event(3, 1, SOLO_PROBE_WRITE, A, SOLO_ACCESS_WRITE), event(4, 1, SOLO_PROBE_READ, A, SOLO_ACCESS_READ),
        event(5, 0, SOLO_PROBE_READ, A, SOLO_ACCESS_READ),
    };
    static const uint32_t expected[] = {0, 1, 1, 1, 3};
    check_predecessors(events, 5, expected);
}

static void test_trace__events_without_object_or_access_depend_on_nothing(void)
{
    struct solo_event events[] = {
        event(1, 0, SOLO_PROBE_YIELD, 0, SOLO_ACCESS_WRITE),
        event(2, 1, SOLO_PROBE_YIELD, 0, SOLO_ACCESS_WRITE),
        event(3, 0, SOLO_PROBE_WRITE, A, SOLO_ACCESS_NONE),
        event(4, 1, SOLO_PROBE_WRITE, A, SOLO_ACCESS_WRITE),
        event(5, 0, SOLO_PROBE_CHOICE, SOLO_CHOICE_WAITER, SOLO_ACCESS_WRITE),
        event(6, 1, SOLO_PROBE_CHOICE, SOLO_CHOICE_WAITER, SOLO_ACCESS_WRITE),
    };
    static const uint32_t expected[] = {0, 0, 0, 0, 0, 0};
    check_predecessors(events, 6, expected);
}

/* The same answer as the definition read aloud, on random events. */
static void test_trace__predecessors_follow_their_definition(void)
{
    enum { COUNT = 400 };
    static struct solo_event events[COUNT];
    static uint32_t found[COUNT];
    uint32_t state = (uint32_t)runner_seed() | 1;
    for (uint32_t i = 0; i < COUNT; i++) {
        state = state * 1664525u + 1013904223u;
        events[i] = event(i + 1, state >> 28 & 3, SOLO_PROBE_WRITE, (state >> 20 & 7) != 0 ? A + (state >> 20 & 7) : 0,
                          (enum solo_access)(state >> 16 & 3));
    }
    CU_ASSERT_EQUAL_FATAL(solo_trace_predecessors(events, COUNT, found), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t expected = 0;
        for (uint32_t j = 0; j < i && events[i].object != 0 && events[i].access != 0; j++) {
            bool writes = ((events[i].access | events[j].access) & SOLO_ACCESS_WRITE) != 0 && events[j].access != 0;
            if (events[j].object == events[i].object && events[j].thread != events[i].thread && writes) {
                expected = j + 1;
            }
        }
        CU_ASSERT_EQUAL(found[i], expected);
    }
}

static void test_trace__predecessors_are_printed(void)
{
    struct solo_event events[] = {event(5, 0, SOLO_PROBE_WRITE, A, SOLO_ACCESS_WRITE),
                                  event(6, 1, SOLO_PROBE_READ, A, SOLO_ACCESS_READ)};
    struct solo_trace trace = {
        .scenario = "case", .events = events, .count = 2, .thread_names = names, .thread_count = 2};
    char *text = write_text(&trace, true);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "0 <- -\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "0 <- 5\n"));
    free(text);
}

void suite_trace(void)
{
    SOLO_SUITE("trace");
    SOLO_TEST(test_trace__has_one_line_per_event_between_head_and_foot);
    SOLO_TEST(test_trace__unknown_threads_and_kinds_do_not_crash);
    SOLO_TEST(test_trace__says_what_was_left_out);
    SOLO_TEST(test_trace__lines_read_back);
    SOLO_TEST(test_trace__head_and_foot_are_told_from_events);
    SOLO_TEST(test_trace__refuses_what_is_no_trace);
    SOLO_TEST(test_trace__every_ending_has_a_word);
    SOLO_TEST(test_trace__two_operations_on_one_object_depend_unless_both_read);
    SOLO_TEST(test_trace__events_of_one_thread_are_no_predecessors);
    SOLO_TEST(test_trace__events_without_object_or_access_depend_on_nothing);
    SOLO_TEST(test_trace__predecessors_follow_their_definition);
    SOLO_TEST(test_trace__predecessors_are_printed);
}
