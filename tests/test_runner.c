/*
 * test_runner.c - the runner's self-test: drives solo-tests as a command on a suite of bad tests.
 */
#include "runner_private.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The fixture: one test for each way to go wrong, and good ones between them ---- */

static void fixture_passes(void)
{
    CU_ASSERT(runner_seed() > 0);
}

static void fixture_fails(void)
{
    printf("seed %llu\n", (unsigned long long)runner_seed());
    CU_ASSERT_EQUAL(1 + 1, 3);
    CU_ASSERT(1 == 1);
}

static void fixture_crashes(void)
{
    signal(SIGSEGV, SIG_DFL); /* also where a sanitizer has a handler */
    raise(SIGSEGV);
}

static void fixture_hangs(void)
{
    for (;;) {
        pause();
    }
}

static void fixture_hangs_and_does_not_answer(void)
{
    signal(SIGQUIT, SIG_IGN);
    fixture_hangs();
}

static void fixture_asserts_nothing(void) {}

static void fixture_exits(void)
{
    CU_ASSERT(1 == 1);
    exit(0);
}

static void fixture_prints_what_xml_cannot_hold(void)
{
    printf("<&>\001\033[1m ]]> \xff caf\xc3\xa9\n");
    CU_FAIL("<tag> & \"quotes\" ]]> \002");
}

static void fixture_is_skipped(void)
{
    SOLO_SKIP("not here");
}

static void fixture_uses_scratch(void)
{
    FILE *file = fopen(runner_scratch_path("left-behind"), "wx"); /* x: must not exist */
    CU_ASSERT_FATAL(file != NULL);
    fclose(file);
}

void runner_add_fixture(void)
{
    SOLO_SUITE("fixture");
    SOLO_TEST(fixture_passes);
    SOLO_TEST(fixture_fails);
    SOLO_TEST(fixture_crashes);
    SOLO_TEST(fixture_hangs);
    SOLO_TEST(fixture_hangs_and_does_not_answer);
    SOLO_TEST(fixture_asserts_nothing);
    SOLO_TEST(fixture_exits);
    SOLO_TEST(fixture_prints_what_xml_cannot_hold);
    SOLO_TEST(fixture_is_skipped);
    SOLO_TEST(fixture_uses_scratch);
    SOLO_SUITE("another");
    SOLO_TEST(fixture_passes);
}

/* ---- The tests ---- */

static struct runner_output output;

/* Runs the runner on its fixture with up to four more arguments. */
static void run_fixture(const char *a, const char *b, const char *c, const char *d)
{
    const char *argv[] = {runner_build_path("bin/solo-tests"), "--fixture", "--timeout", "5", a, b, c, d, NULL};
    runner_command(&output, argv, NULL);
}

static bool said(const char *text)
{
    return strstr(output.text, text) != NULL;
}

static unsigned times_said(const char *text)
{
    unsigned times = 0;
    for (const char *at = output.text; (at = strstr(at, text)) != NULL; at += strlen(text)) {
        times++;
    }
    return times;
}

static void test_runner__passing_tests_exit_0(void)
{
    run_fixture("fixture_passes", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT(said("2 passed, 0 failed\n"));
}

static void test_runner__failure_shows_place_output_seed_and_replay(void)
{
    run_fixture("--seed", "77", "fixture.fixture_fails", NULL);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("tests/test_runner.c:"));
    CU_ASSERT(said("CU_ASSERT_EQUAL(1 + 1,3)"));
    CU_ASSERT(said("    | seed 77\n"));
    CU_ASSERT(said("/bin/solo-tests --seed 77 --fixture fixture.fixture_fails\n"));
    CU_ASSERT(said("0 passed, 1 failed\n"));
}

static void test_runner__replay_line_replays(void)
{
    run_fixture("--seed", "77", "fixture.fixture_fails", NULL);
    char *line = strstr(output.text, "replay: ");
    CU_ASSERT_FATAL(line != NULL);
    line += strlen("replay: ");
    line[strcspn(line, "\n")] = '\0';
    char command[8192];
    snprintf(command, sizeof command, "%s", line);
    const char *argv[] = {"sh", "-c", command, NULL};
    runner_command(&output, argv, NULL);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("    | seed 77\n"));
}

static void test_runner__crash_is_one_failed_test(void)
{
    run_fixture("fixture_crashes", "fixture_passes", NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("FAILED fixture.fixture_crashes"));
    CU_ASSERT(said("crashed: Segmentation fault"));
    CU_ASSERT(said("2 passed, 1 failed\n"));
}

static void test_runner__hang_is_one_failed_test(void)
{
    run_fixture("--timeout", "0.2", "fixture.fixture_hangs", "fixture_passes");
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("hung: killed after 0.2 s"));
    CU_ASSERT(said("| hung, with the main thread at"));
#ifndef SOLO_TSAN /* its own call stands between, and has no name */
    CU_ASSERT(said("pause") || said("solo-tests("));
#endif
    CU_ASSERT(said("2 passed, 1 failed\n"));
}

static void test_runner__hang_that_does_not_answer_is_killed(void)
{
    run_fixture("--timeout", "0.2", "fixture_hangs_and_does_not_answer", NULL);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("hung: killed after 0.2 s"));
}

static void test_runner__test_without_assertion_fails(void)
{
    run_fixture("fixture_asserts_nothing", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("made no assertion"));
    run_fixture("--no-fork", "fixture_asserts_nothing", NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("made no assertion"));
}

static void test_runner__test_that_exits_fails(void)
{
    run_fixture("fixture_exits", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(said("ended the process with exit status 0"));
}

static void test_runner__skipped_test_is_neither_passed_nor_failed(void)
{
    run_fixture("fixture_is_skipped", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT(said("skipped fixture.fixture_is_skipped: not here"));
    CU_ASSERT(said("0 passed, 0 failed\n"));
}

static void test_runner__scratch_folder_is_new_for_each_run(void)
{
    for (int round = 0; round < 2; round++) {
        run_fixture("fixture_uses_scratch", NULL, NULL, NULL);
        CU_ASSERT_EQUAL(output.status, 0);
    }
}

static void test_runner__order_of_output_does_not_depend_on_jobs(void)
{
    char one[sizeof output.text];
    run_fixture("--list", NULL, NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_EQUAL(times_said("\n"), 11);
    run_fixture("--verbose", "--jobs", "1", "_passes");
    snprintf(one, sizeof one, "%s", output.text);
    run_fixture("--verbose", "--jobs", "8", "_passes");
    CU_ASSERT_EQUAL(strncmp(one, output.text, strlen("ok     fixture.fixture_passes")), 0);
    CU_ASSERT(strstr(output.text, "ok     fixture.") < strstr(output.text, "ok     another."));
}

static void test_runner__closing_lines_add_up(void)
{
    run_fixture("--timeout", "0.2", NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 7);
    CU_ASSERT(said("Run Summary:    Type  Total    Ran Passed Failed Inactive\n"));
    CU_ASSERT(said("              suites      2      2    n/a      0        0\n"));
    CU_ASSERT(said("               tests     11     10      3      7        1\n"));
    CU_ASSERT(said("3 passed, 7 failed\n"));
    CU_ASSERT_EQUAL(times_said(" failed\n"), 1);
    CU_ASSERT_EQUAL(times_said("replay: "), 7);
}

static void test_runner__what_is_left_out_is_said(void)
{
    run_fixture("--skip", "another", "fixture_passes", NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT(said("left out: another\n"));
    CU_ASSERT(said("1 passed, 0 failed\n"));
    run_fixture("--skip", "no-such-test", NULL, NULL);
    CU_ASSERT_EQUAL(output.status, 2);
}

static void test_runner__bad_usage_is_one_line_and_exit_2(void)
{
    static const char *const bad[][2] = {{"--seed", "x"},      {"--seed", "-1"},     {"--jobs", "0"},
                                         {"--timeout", "nan"}, {"--nonsense", NULL}, {"no-such-test", NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        run_fixture(bad[i][0], bad[i][1], NULL, NULL);
        CU_ASSERT_EQUAL(output.status, 2);
        CU_ASSERT_EQUAL(times_said("\n"), 1);
    }
}

/* The first element of this name below `node`, and how many there are. */
static xmlNodePtr find(xmlNodePtr node, const char *name, unsigned *count)
{
    xmlNodePtr first = NULL;
    for (; node != NULL; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0) {
            first = first != NULL ? first : node;
            ++*count;
        }
        xmlNodePtr below = find(node->children, name, count);
        first = first != NULL ? first : below;
    }
    return first;
}

static unsigned count_of(xmlDocPtr document, const char *name)
{
    unsigned count = 0;
    find(xmlDocGetRootElement(document), name, &count);
    return count;
}

static void test_runner__junit_parses_and_tells_the_same(void)
{
    const char *file = runner_scratch_path("results.xml");
    run_fixture("--timeout", "1", "--junit", file);
    CU_ASSERT_EQUAL(output.status, 7);
    xmlDocPtr document = xmlReadFile(file, NULL, XML_PARSE_NONET);
    CU_ASSERT_FATAL(document != NULL);
    CU_ASSERT_EQUAL(count_of(document, "testsuite"), 2);
    CU_ASSERT_EQUAL(count_of(document, "testcase"), 11);
    CU_ASSERT_EQUAL(count_of(document, "failure"), 7);
    CU_ASSERT_EQUAL(count_of(document, "skipped"), 1);
    xmlChar *failures = xmlGetProp(xmlDocGetRootElement(document), BAD_CAST "failures");
    CU_ASSERT_STRING_EQUAL((char *)failures, "7");
    xmlFree(failures);
    xmlFreeDoc(document);
    xmlCleanupParser();
}

static void test_runner__junit_keeps_text_and_replaces_control_characters(void)
{
    const char *file = runner_scratch_path("results.xml");
    unsigned count = 0;
    run_fixture("--junit", file, "fixture_prints", NULL);
    xmlDocPtr document = xmlReadFile(file, NULL, XML_PARSE_NONET);
    CU_ASSERT_FATAL(document != NULL);
    xmlChar *text = xmlNodeGetContent(find(xmlDocGetRootElement(document), "system-out", &count));
    CU_ASSERT_STRING_EQUAL((char *)text, "<&>??[1m ]]> ? caf\xc3\xa9\n");
    xmlFree(text);
    text = xmlNodeGetContent(find(xmlDocGetRootElement(document), "failure", &count));
    CU_ASSERT(strstr((char *)text, "<tag> & ") != NULL);
    xmlFree(text);
    xmlFreeDoc(document);
    xmlCleanupParser();
}

static void test_runner__junit_that_cannot_be_written_is_an_error(void)
{
    run_fixture("--junit", runner_scratch_path("no/such/folder.xml"), "fixture_passes", NULL);
    CU_ASSERT_EQUAL(output.status, 125);
    CU_ASSERT(said("cannot write"));
}

static void test_runner__command_that_is_not_there_is_status_127(void)
{
    const char *argv[] = {"no-such-command-anywhere", NULL};
    runner_command(&output, argv, NULL);
    CU_ASSERT_EQUAL(output.status, 127);
    CU_ASSERT(said("ENOENT"));
}

void suite_runner(void)
{
    SOLO_SUITE("runner");
    SOLO_TEST(test_runner__passing_tests_exit_0);
    SOLO_TEST(test_runner__failure_shows_place_output_seed_and_replay);
    SOLO_TEST(test_runner__replay_line_replays);
    SOLO_TEST(test_runner__crash_is_one_failed_test);
    SOLO_TEST(test_runner__hang_is_one_failed_test);
    SOLO_TEST(test_runner__hang_that_does_not_answer_is_killed);
    SOLO_TEST(test_runner__test_without_assertion_fails);
    SOLO_TEST(test_runner__test_that_exits_fails);
    SOLO_TEST(test_runner__skipped_test_is_neither_passed_nor_failed);
    SOLO_TEST(test_runner__scratch_folder_is_new_for_each_run);
    SOLO_TEST(test_runner__order_of_output_does_not_depend_on_jobs);
    SOLO_TEST(test_runner__closing_lines_add_up);
    SOLO_TEST(test_runner__what_is_left_out_is_said);
    SOLO_TEST(test_runner__bad_usage_is_one_line_and_exit_2);
    SOLO_TEST(test_runner__junit_parses_and_tells_the_same);
    SOLO_TEST(test_runner__junit_keeps_text_and_replaces_control_characters);
    SOLO_TEST(test_runner__junit_that_cannot_be_written_is_an_error);
    SOLO_TEST(test_runner__command_that_is_not_there_is_status_127);
}
