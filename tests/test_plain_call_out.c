/*
 * test_plain_call_out.c - SOLO016 where a program holds a lock of the C library, or of the kit, and fires a Deferred:
 * tests/programs/calls_out.c, explored and reported as `solo explore` does it.
 */
#include "explored.h"
#include "support.h"

#ifdef SOLO_TSAN
enum { CAN_BE_LOADED = 0, PROGRAM_SCHEDULES = 0 };
#elif defined(SOLO_VALGRIND) || defined(SOLO_ASAN)
enum { CAN_BE_LOADED = 1, PROGRAM_SCHEDULES = 10 };
#else
enum { CAN_BE_LOADED = 1, PROGRAM_SCHEDULES = 60 };
#endif

static struct solo_explore_options defaults(void)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.schedules_max = PROGRAM_SCHEDULES;
    return options;
}

static void explore_variation(const char *what)
{
    struct solo_explore_options options = defaults();
    explore(program_in("programs", "calls_out", what), &options);
}

static void test_plain_call_out__a_lock_of_the_c_library_is_named_with_all_places(void)
{
    explore_variation(NULL);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL(report.failing, 0); /* a warning: nothing came of it */
    CU_ASSERT_PTR_NULL(strstr(report.evidence, "directed"));
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_EQUAL(finding->violation.id, SOLO016_LOCK_ORDER);
    CU_ASSERT(finding->reproduced);
    CU_ASSERT_EQUAL(finding->deviations, 0);
    CU_ASSERT_STRING_EQUAL(finding->violation.function, "pthread_mutex_lock");
    CU_ASSERT_STRING_EQUAL(finding->violation.text,
                           "lock held while calling out: `main` holds `book` (calls_out.c:44) and calls the kit "
                           "(calls_out.c:133), where a callback of deferred#1, registered by `main` (calls_out.c:147), "
                           "takes `log_lock` (calls_out.c:77)");
    CU_ASSERT_STRING_EQUAL(finding->detail.frames[0].function, "write_to_log");
    CU_ASSERT_STRING_EQUAL(finding->detail.owner_frames[0].function, "lock_book");
    CU_ASSERT_STRING_EQUAL(finding->detail.queued_frames[0].function, "main");
}

static void test_plain_call_out__who_unlocks_or_does_not_wait_is_fine(void)
{
    static const char *const twins[] = {"unlocked",       "attempt",     "deadline", "readers",
                                        "readers-of-log", "reads-again", "recursive"};
    for (unsigned i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        explore_variation(twins[i]);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        CU_ASSERT_EQUAL(report.finding_count, 0);
    }
}

static void test_plain_call_out__readers_make_a_writer_wait(void)
{
    explore_variation("one-writer");
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO016_LOCK_ORDER);
}

/* Who made a lock that may be asked for twice has asked for the answer. */
static void test_plain_call_out__only_the_kits_own_lock_is_refused_against_its_will(void)
{
    explore_variation("error-check");
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    explore_variation("kit");
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_STRING_EQUAL(report.findings[0].violation.function, "solo_mutex_lock");
    CU_ASSERT_STRING_EQUAL(report.findings[0].violation.owner_bound, "solo_mutex_lock");
}

/* That it was seen stays true when there is nothing more to see. */
static void test_plain_call_out__a_search_of_every_schedule_leaves_it_as_it_is(void)
{
    struct solo_explore_options options = defaults();
    options.strategy = "dpor";
    options.schedules_max = 0;
    options.let_time_pass = false;
    explore(program_in("programs", "calls_out", NULL), &options);
    CU_ASSERT(report.exhausted);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL(report.finding_count, 1);
}

static void test_plain_call_out__the_report_says_what_to_do_instead(void)
{
    struct runner_output output;
    const char *solo = runner_build_path("bin/solo");
    const char *program = runner_build_path("tests/programs/calls_out");
    support_shell(&output, "%s explore --schedules 5 %s", solo, program);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "warning[SOLO016]: lock held while calling out: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "`book` belongs to `main`, by pthread_mutex_lock in lock_book"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "deferred#1 was queued by `main` in main"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "unlock first and call then"));
    support_shell(&output, "%s explore --format json --schedules 5 %s", solo, program);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "\"severity\": \"warning\""));
    CU_ASSERT_PTR_NULL(strstr(output.text, "\"cycle\": ")); /* it is none */
    support_shell(&output, "%s run %s kit", solo, program);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "warning[SOLO016]: lock held while calling out: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "note: mutex#1 belongs to `main`, by solo_mutex_lock in lock_book"));
    support_shell(&output, "%s run %s unlocked", solo, program);
    CU_ASSERT_EQUAL(output.status, 0);
}

void suite_plain_call_out(void)
{
    SOLO_SUITE("plain_call_out");
    if (!CAN_BE_LOADED) {
        return; /* threads of both kinds are refused there: test_program.c */
    }
    SOLO_TEST(test_plain_call_out__a_lock_of_the_c_library_is_named_with_all_places);
    SOLO_TEST(test_plain_call_out__who_unlocks_or_does_not_wait_is_fine);
    SOLO_TEST(test_plain_call_out__readers_make_a_writer_wait);
    SOLO_TEST(test_plain_call_out__only_the_kits_own_lock_is_refused_against_its_will);
    SOLO_TEST(test_plain_call_out__a_search_of_every_schedule_leaves_it_as_it_is);
    SOLO_TEST(test_plain_call_out__the_report_says_what_to_do_instead);
}
