/*
 * test_program.c - whole programs, their main unchanged, explored behind a fork server.
 *
 * The programs are tests/programs/<name>.c.
 */
#include "explored.h"
#include "support.h"
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static char **program(const char *name, const char *argument)
{
    return program_in("programs", name, argument);
}

static struct solo_explore_options defaults(const char *strategy)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = strategy;
    options.schedules_max = 100;
    return options;
}

/* ---- What is found ---- */

static void test_program__a_program_that_cannot_fail_passes(void)
{
    struct solo_explore_options options = defaults("random");
    explore(program("misbehave", "nothing"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, 100);
    CU_ASSERT_TRUE(report.distinct > 50);
    CU_ASSERT_EQUAL(report.finding_count, 0);
}

static void test_program__a_failing_exit_status_is_found_and_shrunk(void)
{
    struct solo_explore_options options = defaults("random");
    explore(program("misbehave", "exit"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_STRING_EQUAL(finding->violation.text, "the program exited with status 3");
    CU_ASSERT_TRUE(finding->deviations <= 2);
    CU_ASSERT_TRUE(finding->reproduced);
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->token, ".misbehave."));
    CU_ASSERT_STRING_EQUAL(finding->output, "the counter is 2\ngoodbye\n");
    CU_ASSERT_NOT_EQUAL(finding->passing_token[0], '\0');
}

static void test_program__its_output_is_captured_with_what_atexit_prints(void)
{
    struct solo_explore_options options = defaults("fifo");
    explore(program("misbehave", "exit"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, 1);
}

static void test_program__a_crash_keeps_its_schedule(void)
{
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 20;
    explore(program("misbehave", "crash"), &options);
    CU_ASSERT_EQUAL(report.schedules, 20);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO018_MEMORY);
    bool by_tool = report.findings[0].violation.from_tool != 0; /* a sanitizer takes the signal first */
    CU_ASSERT_TRUE(by_tool || strstr(report.findings[0].violation.text, "SIGSEGV") != NULL);
    CU_ASSERT_EQUAL(replay_token(program("misbehave", "crash"), report.findings[0].token, &options), 0);
    CU_ASSERT_TRUE(by_tool || replay.signal == SIGSEGV);
    CU_ASSERT_EQUAL_FATAL(replay.violation_count, 1);
    CU_ASSERT_STRING_EQUAL(replay.violations[0].thread, "main");
}

static void test_program__an_abort_is_found(void)
{
    struct solo_explore_options options = defaults("random");
    options.stop_at_first = true;
    explore(program("misbehave", "abort"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "SIGABRT"));
}

static void test_program__a_hang_is_killed(void)
{
    struct solo_explore_options options = defaults("random");
    options.watchdog_ns = 150 * MS;
    explore(program("misbehave", "hang"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "unmodelled block"));
    CU_ASSERT_TRUE(report.findings[0].violation.stack.count > 0);
}

static void test_program__leaving_without_exit_is_found(void)
{
    struct solo_explore_options options = defaults("random");
    explore(program("misbehave", "leave"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "exit with status 0 in the middle"));
}

static void test_program__a_deadlock_is_found(void)
{
    struct solo_explore_options options = defaults("random");
    explore(program("misbehave", "deadlock"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
    CU_ASSERT_EQUAL(replay_token(program("misbehave", "deadlock"), report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_DEADLOCK);
}

/* The same program in four ways: two with dead memory, and the twin of each, which waits or frees in time. */
static void test_program__an_argument_that_dies_too_early_is_found(void)
{
    static const char *const broken[] = {"local", "heap"}, *const fixed[] = {"waits", "done"};
    for (unsigned i = 0; i < 2; i++) {
        struct solo_explore_options options = defaults("random");
        explore(program("dead_memory", broken[i]), &options);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO005_DEAD_MEMORY);
        CU_ASSERT_TRUE(report.findings[0].reproduced);
        CU_ASSERT_STRING_EQUAL(report.findings[0].violation.thread, "pool#1");
        CU_ASSERT_STRING_EQUAL(report.findings[0].detail.frames[0].function, "look_up");
        CU_ASSERT_EQUAL(replay_token(program("dead_memory", broken[i]), report.findings[0].token, &options), 0);
        CU_ASSERT_EQUAL(replay.violations[0].id, SOLO005_DEAD_MEMORY);
        explore(program("dead_memory", fixed[i]), &options);
        CU_ASSERT_EQUAL(report.finding_count, 0);
    }
}

static void test_program__a_search_can_be_exhausted(void)
{
    struct solo_explore_options options = defaults("dfs");
    options.schedules_max = 0;
    explore(program("misbehave", "exit"), &options);
    CU_ASSERT_TRUE(report.exhausted);
    CU_ASSERT_EQUAL(report.schedules, report.distinct);
    CU_ASSERT_EQUAL(strncmp(report.evidence, "exhausted at delay bound 2: ", 28), 0);
}

/* The tree is the same as that of the same code in one process. */
static void test_program__a_search_goes_on_after_crashes(void)
{
    struct solo_explore_options options = defaults("dfs");
    options.schedules_max = 0;
    options.shrink = false;
    explore(program("misbehave", "exit"), &options);
    uint64_t schedules = report.schedules;
    uint64_t failing = report.failing;
    explore(program("misbehave", "abort"), &options);
    CU_ASSERT_EQUAL(report.schedules, schedules);
    CU_ASSERT_EQUAL(report.failing, failing);
    CU_ASSERT_TRUE(report.exhausted);
}

static void test_program__both_carriers_see_the_same(void)
{
    static struct solo_report fibers;
    struct solo_explore_options options = defaults("random");
    explore(program("misbehave", "exit"), &options);
    fibers = report;
    options.carrier = SOLO_CARRIER_TOKEN;
    explore(program("misbehave", "exit"), &options);
    CU_ASSERT_EQUAL(fibers.distinct, report.distinct);
    CU_ASSERT_EQUAL(fibers.failing, report.failing);
    CU_ASSERT_EQUAL(fibers.steps, report.steps);
    CU_ASSERT_STRING_EQUAL(fibers.findings[0].token, report.findings[0].token);
}

/* ---- Replay ---- */

static void test_program__a_token_gives_the_same_trace_in_every_process_and_environment(void)
{
    struct solo_explore_options options = defaults("random");
    options.shrink = false;
    explore(program("misbehave", "exit"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL_FATAL(replay_token(program("misbehave", "exit"), report.findings[0].token, &options), 0);
    char *first = strdup(replay.trace);
    for (unsigned i = 0; i < 6; i++) {
        options.carrier = i % 2 == 0 ? SOLO_CARRIER_FIBER : SOLO_CARRIER_TOKEN;
        setenv("SOMETHING_ELSE", i % 3 == 0 ? "0123456789012345678901234567890123456789" : "", 1);
        CU_ASSERT_EQUAL_FATAL(replay_token(program("misbehave", "exit"), report.findings[0].token, &options), 0);
        CU_ASSERT_STRING_EQUAL(first, replay.trace);
        CU_ASSERT_EQUAL(replay.exit_status, 3);
    }
    free(first);
}

static void test_program__tokens_of_others_are_refused(void)
{
    struct solo_explore_options options = defaults("random");
    CU_ASSERT_EQUAL(replay_token(program("misbehave", "exit"), "solo1.2.other.sync.00000000.plain-0-0000", &options),
                    -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "\"other\""));
    CU_ASSERT_EQUAL(replay_token(program("misbehave", "exit"), "", &options), -EINVAL);
}

static void test_program__strict_replay_of_another_argument_diverges(void)
{
    struct solo_explore_options options = defaults("random");
    explore(program("misbehave", "deadlock"), &options);
    CU_ASSERT_EQUAL(replay_token(program("misbehave", "address"), report.findings[0].token, &options), 0);
    CU_ASSERT_NOT_EQUAL(replay.diverged_at, 0);
}

/* `env` is such a wrapper: it becomes the program, which keeps its own name. */
static void test_program__a_wrapper_does_not_change_the_token(void)
{
    struct solo_explore_options options = defaults("random");
    explore(program("misbehave", "exit"), &options);
    char token[SOLO_TOKEN_MAX];
    strcpy(token, report.findings[0].token);
    char *argv[] = {(char *)"env", program("misbehave", "exit")[0], (char *)"exit", NULL};
    explore(argv, &options);
    CU_ASSERT_STRING_EQUAL(report.findings[0].token, token);
    CU_ASSERT_EQUAL(replay_token(argv, token, &options), 0);
    CU_ASSERT_EQUAL(replay.exit_status, 3);
}

/* ---- Being the scheduler ---- */

static long third_is_other(const struct solo_step_view *view, void *arg)
{
    ++*(unsigned *)arg;
    return view->index == 3 ? 1 : view->index > 3 ? SOLO_STEP_PLAIN : 0;
}

static void test_program__somebody_else_may_choose(void)
{
    struct solo_explore_options options = defaults("random");
    unsigned asked = 0;
    int result = solo_step_program(program("misbehave", "exit"), &options, third_is_other, &asked, &replay, why);
    CU_ASSERT_EQUAL(result, 0);
    CU_ASSERT_EQUAL(asked, 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.token, ".3T1-"));
    CU_ASSERT_EQUAL(replay.exit_status, 3);
}

/* ---- Peers ---- */

static const char two_messages[] =
    "peer one\nconnect 8007\nsend \"a\\n\"\nexpect \"a\\n\"\nsend \"b\\n\"\nexpect \"b\\n\"\n"
    "send \"stop\\n\"\nexpect-close\n";

static void test_program__a_server_is_explored_with_peers(void)
{
    struct solo_explore_options options = defaults("random");
    options.peer_file = support_write_file("two.peer", two_messages);
    explore(program("echo_server", NULL), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_TRUE(report.distinct > 1);
}

static void test_program__a_peer_that_still_waits_is_solo013(void)
{
    struct solo_explore_options options = defaults("random");
    options.peer_file = support_write_file("two.peer", two_messages);
    options.schedules_max = 10;
    explore(program("echo_server", "mute"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO013_NEVER_HAPPENED);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "peer one"));
    CU_ASSERT_EQUAL(report.failing, report.schedules);
}

static void test_program__a_thread_that_writes_to_a_client_is_solo001(void)
{
    struct solo_explore_options options = defaults("random");
    options.peer_file = support_write_file("stop.peer", "peer one\nconnect 8007\nsend \"stop\\n\"\n");
    explore(program("echo_server", "thread"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_TRUE(report.finding_count >= 1);
    bool found = false;
    for (unsigned i = 0; i < report.finding_count; i++) {
        const struct solo_finding *finding = &report.findings[i];
        if (finding->violation.id == SOLO001_WRONG_THREAD &&
            strcmp(finding->violation.function, "solo_transport_write") == 0) {
            found = true;
            for (unsigned j = 0; j < finding->detail.frame_count; j++) {
                printf("    %s %s:%d\n", finding->detail.frames[j].function, finding->detail.frames[j].file,
                       (int)finding->detail.frames[j].line);
            }
            CU_ASSERT_TRUE(finding->reproduced);
            CU_ASSERT_TRUE(finding->detail.frame_count > 0);
            CU_ASSERT_STRING_EQUAL(finding->detail.frames[0].function, "write_now");
        }
    }
    CU_ASSERT_TRUE(found);
}

static void test_program__a_bad_peer_script_is_refused_with_its_line(void)
{
    struct solo_explore_options options = defaults("random");
    options.peer_file = support_write_file("bad.peer", "peer one\ndance\n");
    CU_ASSERT_EQUAL(solo_explore_program(program("echo_server", NULL), &options, &report), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "bad.peer:2"));
    options.peer_file = "/nowhere/at/all";
    CU_ASSERT_EQUAL(solo_explore_program(program("echo_server", NULL), &options, &report), -ENOENT);
}

/* ---- Determinism ---- */

static void test_program__what_depends_on_addresses_is_solo019(void)
{
    struct solo_explore_options options = defaults("random");
    options.twice_every = 2;
    options.schedules_max = 12;
    explore(program("misbehave", "address"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO019_NONDETERMINISM);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "two traces: "));
}

static void test_program__a_deterministic_program_passes_the_check(void)
{
    struct solo_explore_options options = defaults("random");
    options.twice_every = 2;
    explore(program("misbehave", "nothing"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, 100);
}

/* ---- Programs that cannot be explored ---- */

static void check_refused(char **argv, int expected, const char *words)
{
    struct solo_explore_options options = defaults("random");
    int result = solo_explore_program(argv, &options, &report);
    printf("%s: %d, %s\n", argv[0], result, report.evidence);
    CU_ASSERT_EQUAL(result, expected);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, words));
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
}

static void test_program__a_missing_program_is_refused(void)
{
    check_refused(program("no_such_program", NULL), -ENOENT, "no such program");
    char *argv[] = {(char *)"no-such-command-anywhere", NULL};
    check_refused(argv, -ENOENT, ": no such program");
}

static void test_program__what_cannot_be_executed_is_refused(void)
{
    char *argv[] = {(char *)support_write_file("text", "just text\n"), NULL};
    check_refused(argv, -EACCES, "it may not be executed");
    CU_ASSERT_EQUAL(chmod(argv[0], 0755), 0);
    check_refused(argv, -ENOEXEC, "not a program");
    char *folder[] = {(char *)"/", NULL};
    check_refused(folder, -EACCES, "may not be executed");
}

static void test_program__a_script_that_starts_no_program_is_refused(void)
{
    char *argv[] = {(char *)support_write_file("script", "#!/bin/sh\ntrue\n"), NULL};
    CU_ASSERT_EQUAL(chmod(argv[0], 0755), 0);
    check_refused(argv, -EPROTO, "before its first schedule");
}

static void test_program__refuses_bad_arguments(void)
{
    struct solo_explore_options options = defaults("random");
    char *none[] = {NULL};
    char *empty[] = {(char *)"", NULL};
    CU_ASSERT_EQUAL(solo_explore_program(NULL, &options, &report), -EINVAL);
    CU_ASSERT_EQUAL(solo_explore_program(none, &options, &report), -EINVAL);
    CU_ASSERT_EQUAL(solo_explore_program(empty, &options, &report), -EINVAL);
    CU_ASSERT_EQUAL(solo_explore_program(program("misbehave", NULL), NULL, &report), -EINVAL);
    options.strategy = "no-such";
    CU_ASSERT_EQUAL(solo_explore_program(program("misbehave", NULL), &options, &report), -EINVAL);
}

/* Nothing of it: the variables, the descriptors, or a child. */
static void test_program__leaves_nothing_behind(void)
{
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 5;
    explore(program("misbehave", "exit"), &options);
    int before = dup(0);
    close(before);
    explore(program("misbehave", "exit"), &options);
    int after = dup(0);
    close(after);
    CU_ASSERT_EQUAL(before, after);
    CU_ASSERT_PTR_NULL(getenv("SOLO_CONTROL"));
}

/* Without the explorer the same binary is an ordinary program. */
static void test_program__the_same_binary_runs_by_itself(void)
{
    static struct runner_output output;
    char **argv = program("misbehave", "nothing");
    runner_command(&output, (const char *const *)argv, NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "the counter is "));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "goodbye\n"));
}

/* Threads and locks of the C library in a program that has a reactor: one schedule for both. */
static void test_program__pthreads_beside_the_kit_are_scheduled_with_it(void)
{
    struct solo_explore_options options = defaults("portfolio");
#ifdef SOLO_TSAN
    CU_ASSERT_EQUAL(solo_explore_program(program("mixed", NULL), &options, &report), -ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "calls pthreads beside libsolo"));
    return;
#endif
    explore(program("mixed", NULL), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_STRING_EQUAL(report.findings[0].violation.text, "the program exited with status 1");
    CU_ASSERT_TRUE(report.findings[0].reproduced);
    CU_ASSERT_EQUAL_FATAL(replay_token(program("mixed", NULL), report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.diverged_at, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, "main/2 lock mutex#1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, "main callback-begun call#1"));
    options.twice_every = 10;
    explore(program("mixed", "fixed"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
}

void suite_program(void)
{
    SOLO_SUITE("program");
    SOLO_TEST(test_program__pthreads_beside_the_kit_are_scheduled_with_it);
    SOLO_TEST(test_program__a_program_that_cannot_fail_passes);
    SOLO_TEST(test_program__a_failing_exit_status_is_found_and_shrunk);
    SOLO_TEST(test_program__its_output_is_captured_with_what_atexit_prints);
    SOLO_TEST(test_program__a_crash_keeps_its_schedule);
    SOLO_TEST(test_program__an_abort_is_found);
    SOLO_TEST(test_program__a_hang_is_killed);
    SOLO_TEST(test_program__leaving_without_exit_is_found);
    SOLO_TEST(test_program__a_deadlock_is_found);
    SOLO_TEST(test_program__an_argument_that_dies_too_early_is_found);
    SOLO_TEST(test_program__a_search_can_be_exhausted);
    SOLO_TEST(test_program__a_search_goes_on_after_crashes);
    SOLO_TEST(test_program__both_carriers_see_the_same);
    SOLO_TEST(test_program__a_token_gives_the_same_trace_in_every_process_and_environment);
    SOLO_TEST(test_program__tokens_of_others_are_refused);
    SOLO_TEST(test_program__strict_replay_of_another_argument_diverges);
    SOLO_TEST(test_program__a_wrapper_does_not_change_the_token);
    SOLO_TEST(test_program__somebody_else_may_choose);
    SOLO_TEST(test_program__a_server_is_explored_with_peers);
    SOLO_TEST(test_program__a_peer_that_still_waits_is_solo013);
    SOLO_TEST(test_program__a_thread_that_writes_to_a_client_is_solo001);
    SOLO_TEST(test_program__a_bad_peer_script_is_refused_with_its_line);
    SOLO_TEST(test_program__what_depends_on_addresses_is_solo019);
    SOLO_TEST(test_program__a_deterministic_program_passes_the_check);
    SOLO_TEST(test_program__a_missing_program_is_refused);
    SOLO_TEST(test_program__what_cannot_be_executed_is_refused);
    SOLO_TEST(test_program__a_script_that_starts_no_program_is_refused);
    SOLO_TEST(test_program__refuses_bad_arguments);
    SOLO_TEST(test_program__leaves_nothing_behind);
    SOLO_TEST(test_program__the_same_binary_runs_by_itself);
}
