/*
 * test_plain_lock_order.c - SOLO016 in pthread programs: tests/plain/lock_order.c, explored as it is.
 */
#include "plain.h"
#include <solo/tool_report.h>

/* A library built for a compiler's detector does not load into a program without it. */
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
enum { CAN_BE_LOADED = 0, PROGRAM_SCHEDULES = 0 };
#elif defined(SOLO_VALGRIND)
enum { CAN_BE_LOADED = 1, PROGRAM_SCHEDULES = 10 };
#else
enum { CAN_BE_LOADED = 1, PROGRAM_SCHEDULES = 60 };
#endif

static void explore_program(const char *file, const char *what, const char *strategy)
{
    struct solo_explore_options options = defaults();
    options.schedules_max = PROGRAM_SCHEDULES;
    options.strategy = strategy;
    options.shrink = false;
    explore(program(file, what), &options);
}

static void test_plain_lock_order__circles_of_pthread_locks_are_reached_from_one_schedule(void)
{
    static const char *const circles[] = {"two", "three", "posted-too-early", "reader-and-writer"};
    for (unsigned i = 0; i < sizeof circles / sizeof circles[0]; i++) {
        explore_program("lock_order", circles[i], "fifo");
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
        CU_ASSERT(report.findings[0].reproduced);
    }
}

static void test_plain_lock_order__what_keeps_pthreads_apart_is_no_circle(void)
{
    static const char *const twins[] = {"one-order", "one-thread",  "gate",    "joined",  "posted",
                                        "pipe",      "locked-flag", "readers", "attempt", "deadline"};
    for (unsigned i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        explore_program("lock_order", twins[i], "portfolio");
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        CU_ASSERT_EQUAL(report.finding_count, 0);
        CU_ASSERT_PTR_NULL(strstr(report.evidence, "directed"));
    }
}

static void test_plain_lock_order__half_a_gate_is_none(void)
{
    explore_program("lock_order", "half-a-gate", "portfolio");
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
}

static void test_plain_lock_order__pthread_locks_are_named_with_their_places(void)
{
    explore_program("lock_order", "flag", "fifo");
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL(report.failing, 0);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_EQUAL(finding->violation.id, SOLO016_LOCK_ORDER);
    CU_ASSERT(finding->reproduced);
    CU_ASSERT_STRING_EQUAL(finding->violation.function, "pthread_mutex_lock");
    CU_ASSERT_STRING_EQUAL(finding->violation.text,
                           "possible deadlock: `main/2` takes `first` (lock_order.c:33) while it holds `second`, and "
                           "`main/1` takes `second` (lock_order.c:33) while it holds `first`");
    CU_ASSERT_STRING_EQUAL(finding->detail.frames[0].function, "take");
    CU_ASSERT_STRING_EQUAL(finding->detail.owner_frames[0].function, "take");
}

static void test_plain_lock_order__with_points_at_memory_accesses_a_flag_is_seen(void)
{
    if (!is_there(program("lock_order.gcc", NULL)[0])) {
        return;
    }
    explore_program("lock_order.gcc", "flag", "portfolio");
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    explore_program("lock_order.gcc", "two", "fifo");
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
}

static void test_plain_lock_order__a_warning_hides_no_exit_status(void)
{
    explore_program("lock_order", "exit-1", "fifo");
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 2);
    CU_ASSERT_STRING_EQUAL(report.findings[0].violation.text, "the program exited with status 1");
    CU_ASSERT_EQUAL(report.findings[1].violation.id, SOLO016_LOCK_ORDER);
    CU_ASSERT_EQUAL(report.failing, report.schedules);
}

/* ---- Detectors ---- */

static void test_plain_lock_order__what_threadsanitizer_says_of_locks_is_no_race(void)
{
    if (!is_there(program("lock_order.tsan", NULL)[0])) {
        return;
    }
    explore_program("lock_order.tsan", "two", "fifo");
    bool said = false;
    for (unsigned i = 0; i < report.finding_count; i++) {
        const struct solo_finding *finding = &report.findings[i];
        CU_ASSERT_NOT_EQUAL(finding->violation.id, SOLO017_DATA_RACE);
        if (finding->violation.from_tool == SOLO_TOOL_TSAN) {
            said = true;
            CU_ASSERT_EQUAL(finding->violation.id, SOLO016_LOCK_ORDER);
            CU_ASSERT(finding->reproduced);
            CU_ASSERT_PTR_NOT_NULL(strstr(finding->violation.text, "takes locks in the opposite order"));
            CU_ASSERT_STRING_EQUAL(finding->detail.frames[0].function, "take");
        }
    }
    CU_ASSERT(said);
    explore_program("lock_order.tsan", "one-order", "fifo");
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
}

void suite_plain_lock_order(void)
{
    SOLO_SUITE("plain_lock_order");
    if (!CAN_BE_LOADED) {
        return; /* as test_plain.c tests */
    }
    SOLO_TEST(test_plain_lock_order__circles_of_pthread_locks_are_reached_from_one_schedule);
    SOLO_TEST(test_plain_lock_order__what_keeps_pthreads_apart_is_no_circle);
    SOLO_TEST(test_plain_lock_order__half_a_gate_is_none);
    SOLO_TEST(test_plain_lock_order__pthread_locks_are_named_with_their_places);
    SOLO_TEST(test_plain_lock_order__with_points_at_memory_accesses_a_flag_is_seen);
    SOLO_TEST(test_plain_lock_order__a_warning_hides_no_exit_status);
    SOLO_TEST(test_plain_lock_order__what_threadsanitizer_says_of_locks_is_no_race);
}
