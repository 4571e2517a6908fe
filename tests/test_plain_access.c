/*
 * test_plain_access.c - programs that know nothing of the kit, built by `solo cc`, by a compiler for a detector, or
 * from C++.
 */
#include "plain.h"
#include <errno.h>

#if defined(SOLO_VALGRIND) || defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_TORTURE)
enum { HAS_ACCESS_PROGRAMS = 0 };
#else
enum { HAS_ACCESS_PROGRAMS = 1 };
#endif

/* ---- C++ ---- */

static void test_plain_access__threads_of_cxx_are_the_same_threads(void)
{
#ifdef SOLO_TSAN
    SOLO_SKIP("a kit built for ThreadSanitizer explores programs that use it, and no others");
#endif
    struct solo_explore_options options = defaults();
    if (is_there(program("standard", NULL)[0])) {
        explore(program("standard", NULL), &options);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        explore(program("standard", "lost"), &options);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_STRING_EQUAL(report.findings[0].violation.text, "the program exited with status 1");
    }
}

/* Nobody who reads a report has written std::thread::join. */
static void test_plain_access__places_are_the_programs_and_not_those_of_the_cxx_library(void)
{
#ifdef SOLO_TSAN
    SOLO_SKIP("a kit built for ThreadSanitizer explores programs that use it, and no others");
#endif
    struct solo_explore_options options = defaults();
    if (is_there(program("standard", NULL)[0])) {
        explore(program("standard", "alone"), &options);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
        CU_ASSERT_STRING_EQUAL(report.findings[0].detail.frames[0].file, "tests/plain/standard.cc");
        const char *text = report.findings[0].violation.text;
        const char *end = strstr(text, "end of `main/1` (standard.cc:");
        CU_ASSERT_PTR_NOT_NULL_FATAL(end);
        CU_ASSERT_PTR_NOT_NULL(strstr(end, "waits in pthread_cond_wait for `changed` (standard.cc:"));
    }
}

/* Whatever builds it: also beside the detector, which would wait for the initialiser inside the kernel. */
static void check_statics(const char *name)
{
    struct solo_explore_options options = defaults();
    if (!is_there(program(name, NULL)[0])) {
        return;
    }
    explore(program(name, "once"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_TRUE(report.distinct > 1);
    explore(program(name, "throws"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    explore(program(name, "fixed"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    explore(program(name, "deadlock"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
    CU_ASSERT_TRUE(report.findings[0].reproduced);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text,
                                  "`main/2`, which waits in __cxa_guard_acquire for `guard variable for "
                                  "table()::table` (statics.cc:38), which is up to `main/1`"));
}

static void test_plain_access__a_static_variable_of_cxx_is_initialised_once(void)
{
#ifdef SOLO_TSAN
    SOLO_SKIP("a kit built for ThreadSanitizer explores programs that use it, and no others");
#endif
    if (is_there(program("statics", NULL)[0])) {
        check_statics("statics");
        CU_ASSERT_EQUAL(report.findings[0].detail.frames[0].line, 26); /* not in the header with std::lock_guard */
    }
    if (HAS_ACCESS_PROGRAMS) {
        check_statics("statics.tsan");
    }
}

/* ---- Memory accesses ---- */

static void check_accesses(const char *name)
{
    if (is_there(program(name, NULL)[0])) {
        struct solo_explore_options options = defaults();
        check_twins(name, SOLO_NO_VIOLATION, "exited with status 1");
        explore(program(name, NULL), &options);
        CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].token, ".access."));
        CU_ASSERT_EQUAL(replay_token(program(name, NULL), report.findings[0].token, &options), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, "access-read"));
        CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, "memory#1"));
        options.granularity = SOLO_WANT_SYNC;
        explore(program(name, NULL), &options);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN); /* nothing happens between two calls */
    }
}

static void test_plain_access__an_unlocked_counter_loses_an_update_between_its_accesses(void)
{
    if (!HAS_ACCESS_PROGRAMS) {
        runner_skip("solo cc is for the plain build");
        return;
    }
    check_accesses("unlocked.gcc");
    check_accesses("unlocked.clang");
}

/* They look at what threads share, and of a program that is built for accesses that is its memory. */
static void test_plain_access__strategies_that_learn_from_schedules_know_words_of_memory(void)
{
    static const char *const strategies[] = {"hold", "surw"};
    static const char *const names[] = {"unlocked.gcc", "unlocked.clang", "stack.gcc", "stack.clang"};
    if (!HAS_ACCESS_PROGRAMS) {
        runner_skip("solo cc is for the plain build");
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        const char *name = names[i / 2];
        struct solo_explore_options options = defaults();
        options.strategy = strategies[i % 2];
        if (is_there(program(name, NULL)[0])) {
            explore(program(name, NULL), &options);
            CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
            explore(program(name, "fixed"), &options);
            CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        }
    }
}

static void test_plain_access__a_spin_on_a_flag_ends_and_a_lock_that_tests_first_is_none(void)
{
    if (!HAS_ACCESS_PROGRAMS) {
        runner_skip("solo cc is for the plain build");
        return;
    }
    struct solo_explore_options options = defaults();
    const char *const names[] = {"spin.gcc", "spin.clang"};
    for (unsigned i = 0; i < 2; i++) {
        if (is_there(program(names[i], NULL)[0])) {
            options.schedules_max = 300;
            explore(program(names[i], NULL), &options);
            CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
            CU_ASSERT_STRING_EQUAL(report.findings[0].violation.text, "the program exited with status 1");
            CU_ASSERT_TRUE(report.findings[0].reproduced);
            explore(program(names[i], "fixed"), &options);
            CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        }
    }
}

static void test_plain_access__an_access_token_needs_a_build_with_accesses(void)
{
#ifdef SOLO_TSAN
    SOLO_SKIP("a kit built for ThreadSanitizer explores programs that use it, and no others");
#endif
    struct solo_explore_options options = defaults();
    CU_ASSERT_EQUAL(replay_token(program("unlocked", NULL), "solo1.2.unlocked.access.00000000.plain-0-0000", &options),
                    -ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "rebuild it with `solo cc -o unlocked ...`"));
    options.granularity = SOLO_WANT_ACCESS;
    CU_ASSERT_EQUAL(solo_explore_program(program("unlocked", NULL), &options, &report), -ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "solo cc"));
}

/* ---- ThreadSanitizer beside them ---- */

/* A program that is not there, or not for this flavour, is skipped. */
static bool has_detector(const char *name)
{
    if (!HAS_ACCESS_PROGRAMS) {
        runner_skip("solo cc is for the plain build");
        return false;
    }
    return is_there(program(name, NULL)[0]);
}

static void test_plain_access__a_data_race_in_an_explored_schedule_is_a_finding_with_its_token(void)
{
    struct solo_explore_options options = defaults();
    if (!has_detector("unlocked.tsan")) {
        return;
    }
    options.schedules_max = 30;
    explore(program("unlocked.tsan", NULL), &options);
    CU_ASSERT_TRUE_FATAL(report.finding_count > 0);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_EQUAL(finding->violation.id, SOLO017_DATA_RACE);
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->violation.text, "main/1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->violation.text, "main/2"));
    CU_ASSERT_STRING_EQUAL(finding->detail.frames[0].function, "add");
    CU_ASSERT_TRUE(finding->reproduced);
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->token, ".access."));
    char token[SOLO_TOKEN_MAX];
    strcpy(token, finding->token);
    CU_ASSERT_EQUAL_FATAL(replay_token(program("unlocked.tsan", NULL), token, &options), 0);
    CU_ASSERT_EQUAL(replay.diverged_at, 0);
    CU_ASSERT_TRUE_FATAL(replay.violation_count > 0);
    CU_ASSERT_EQUAL(replay.violations[0].id, SOLO017_DATA_RACE);
    explore(program("unlocked.tsan", "fixed"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_TRUE(report.distinct > 1);
}

/* What the detector takes first reaches the simulation all the same: nothing waits in the kernel. */
static void test_plain_access__the_detector_stands_between_and_nothing_else_changes(void)
{
    static const char *const topics[] = {"onces", "rwlocks", "many-threads", "main-leaves", "timed-wait"};
    struct solo_explore_options options = defaults();
    if (!has_detector("primitives.tsan") || !is_there(program("lost_wakeup.tsan", NULL)[0])) {
        return;
    }
    options.schedules_max = 20;
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        explore(program("primitives.tsan", topics[i]), &options);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    }
    explore(program("lost_wakeup.tsan", NULL), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
    explore(program("lost_wakeup.tsan", "fixed"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    explore(program("primitives.tsan", "c11"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "unmodelled call `thrd_create`"));
}

/* ---- Programs that their own compiler built with a sanitizer ---- */

static const char *const address_builds[] = {"gcc-address", "clang-address"};
static const char *const thread_builds[] = {"gcc-thread", "clang-thread"};

/* "lost_update" built in this way; NULL if it is not there, or not for this flavour. */
static const char *built(const char *name, const char *how)
{
    static char full[64];
    if (!HAS_ACCESS_PROGRAMS) {
        runner_skip("these programs are for the plain kit; in a sanitizer's flavour all are built with it");
        return NULL;
    }
    (void)snprintf(full, sizeof full, "%s.%s", name, how);
    return is_there(program(full, NULL)[0]) ? full : NULL;
}

static void test_plain_access__a_sanitizer_stands_beside_and_nothing_else_changes(void)
{
    for (unsigned i = 0; i < 4; i++) {
        const char *name = built("lost_update", i < 2 ? address_builds[i] : thread_builds[i - 2]);
        if (name == NULL) {
            return;
        }
        check_twins(name, SOLO_NO_VIOLATION, "exited with status 1");
        CU_ASSERT_TRUE(report.distinct > 5);
    }
}

/* Whoever looks for leaks at the end waits for a process of its own: that takes no step of the schedule. */
static void test_plain_access__a_leak_in_some_schedules_is_found_in_those(void)
{
    for (unsigned i = 0; i < 2; i++) {
        const char *name = built("leak", address_builds[i]);
        if (name == NULL) {
            return;
        }
        check_twins(name, SOLO018_MEMORY, "a sanitizer found an error");
        CU_ASSERT_TRUE(report.steps < 100 * report.schedules);
    }
}

static void test_plain_access__memory_used_after_free_is_explained_by_the_sanitizer(void)
{
    for (unsigned i = 0; i < 2; i++) {
        const char *name = built("used", address_builds[i]);
        if (name == NULL) {
            return;
        }
        check_twins(name, SOLO018_MEMORY, "heap-use-after-free: a read of 1 byte by main/");
        CU_ASSERT_STRING_EQUAL(replay.details[0].frames[0].function, "use");
        CU_ASSERT_STRING_EQUAL(replay.details[0].owner_frames[0].function, "let_go");
    }
}

/* libsolo in it as well. */
static char **with_libsolo(const char *name, const char *how, const char *argument)
{
    static char path[512];
    static char *argv[3];
    char below[64];
    (void)snprintf(below, sizeof below, "tests/programs/%s.%s", name, how);
    strcpy(path, runner_build_path(below));
    argv[0] = path;
    argv[1] = (char *)argument;
    argv[2] = NULL;
    return argv;
}

static void test_plain_access__threads_beside_libsolo_are_found_with_a_sanitizer_as_without(void)
{
    struct solo_explore_options options = defaults();
    for (unsigned i = 0; i < 2; i++) {
        if (!HAS_ACCESS_PROGRAMS || !is_there(with_libsolo("mixed", address_builds[i], NULL)[0])) {
            runner_skip("these programs are for the plain kit; test_program has those of a sanitizer's flavour");
            return;
        }
        explore(with_libsolo("mixed", address_builds[i], NULL), &options);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_STRING_EQUAL(report.findings[0].violation.text, "the program exited with status 1");
        CU_ASSERT_TRUE(report.findings[0].reproduced);
        explore(with_libsolo("mixed", address_builds[i], "fixed"), &options);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        CU_ASSERT_TRUE(report.distinct > 5);
    }
}

/* What AddressSanitizer's allocator takes back is told to libsolo, which was not built for it. */
static void test_plain_access__what_a_sanitizer_frees_is_dead_memory_for_queued_work(void)
{
    struct solo_explore_options options = defaults();
    for (unsigned i = 0; i < 2; i++) {
        if (!HAS_ACCESS_PROGRAMS || !is_there(with_libsolo("dead_memory", address_builds[i], NULL)[0])) {
            runner_skip("these programs are for the plain kit");
            return;
        }
        options.schedules_max = 20;
        explore(with_libsolo("dead_memory", address_builds[i], "heap"), &options);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO005_DEAD_MEMORY);
        explore(with_libsolo("dead_memory", address_builds[i], "done"), &options);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    }
}

static void check_refused(const char *program_name, const char *words)
{
    struct solo_explore_options options = defaults();
    for (unsigned i = 0; i < 2; i++) {
        char **argv = with_libsolo(program_name, thread_builds[i], NULL);
        if (!HAS_ACCESS_PROGRAMS || !is_there(argv[0])) {
            runner_skip("these programs are for the plain kit");
            return;
        }
        CU_ASSERT_EQUAL(solo_explore_program(argv, &options, &report), -ENOTSUP);
        printf("%s\n", report.evidence);
        CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, words));
        CU_ASSERT_PTR_NULL(strchr(report.evidence, '\n'));
    }
}

/* ThreadSanitizer has to hear from libsolo how it hands work over; that of this build says nothing. */
static void test_plain_access__a_race_detector_that_libsolo_does_not_speak_to_is_refused(void)
{
    check_refused("dead_memory", "link it with the libsolo that `make FLAVOUR=tsan` builds");
}

static void test_plain_access__a_race_detector_over_threads_of_both_kinds_is_refused(void)
{
    check_refused("mixed", "calls pthreads beside libsolo and is built with ThreadSanitizer");
}

void suite_plain_access(void);
void suite_plain_access(void)
{
    SOLO_SUITE("plain_access");
    SOLO_TEST(test_plain_access__threads_of_cxx_are_the_same_threads);
    SOLO_TEST(test_plain_access__places_are_the_programs_and_not_those_of_the_cxx_library);
    SOLO_TEST(test_plain_access__a_static_variable_of_cxx_is_initialised_once);
    SOLO_TEST(test_plain_access__an_unlocked_counter_loses_an_update_between_its_accesses);
    SOLO_TEST(test_plain_access__strategies_that_learn_from_schedules_know_words_of_memory);
    SOLO_TEST(test_plain_access__a_spin_on_a_flag_ends_and_a_lock_that_tests_first_is_none);
    SOLO_TEST(test_plain_access__an_access_token_needs_a_build_with_accesses);
    SOLO_TEST(test_plain_access__a_data_race_in_an_explored_schedule_is_a_finding_with_its_token);
    SOLO_TEST(test_plain_access__the_detector_stands_between_and_nothing_else_changes);
    SOLO_TEST(test_plain_access__a_sanitizer_stands_beside_and_nothing_else_changes);
    SOLO_TEST(test_plain_access__a_leak_in_some_schedules_is_found_in_those);
    SOLO_TEST(test_plain_access__memory_used_after_free_is_explained_by_the_sanitizer);
    SOLO_TEST(test_plain_access__threads_beside_libsolo_are_found_with_a_sanitizer_as_without);
    SOLO_TEST(test_plain_access__what_a_sanitizer_frees_is_dead_memory_for_queued_work);
    SOLO_TEST(test_plain_access__a_race_detector_that_libsolo_does_not_speak_to_is_refused);
    SOLO_TEST(test_plain_access__a_race_detector_over_threads_of_both_kinds_is_refused);
}
