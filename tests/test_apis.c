/*
 * test_apis.c - blocking libraries of others on the kit: SQLite on a worker of its own, libcurl and getaddrinfo in a
 * pool; the same programs in both worlds. They are tests/apis/<library>.c.
 */
#include "runner.h"
#include "support.h"
#include <solo/explore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct runner_output output;
static struct solo_report report; /* too large for the stack */

/* Its path; the test is skipped where the library is not installed. */
static const char *program(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "tests/apis/%s", name);
    snprintf(path, sizeof path, "%s", runner_build_path(path));
    return path;
}

static bool is_there(const char *name)
{
    return access(program(name), X_OK) == 0;
}

static void run(const char *name, const char *arguments, int status)
{
    support_shell(&output, "%s %s", program(name), arguments);
    CU_ASSERT_EQUAL(output.status, status);
}

static bool said(const char *text)
{
    return strstr(output.text, text) != NULL;
}

/* Explores the program in world sim: `schedules` random ones, all of which end well. */
static void explore(const char *name, const char *first, const char *second, unsigned schedules)
{
    struct solo_explore_options options;
    char *argv[] = {(char *)program(name), (char *)first, first != NULL ? (char *)second : NULL, NULL};
    solo_explore_defaults(&options);
    options.strategy = "random";
    options.schedules_max = schedules;
    CU_ASSERT_EQUAL_FATAL(solo_explore_program(argv, &options, &report), 0);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, schedules);
    for (unsigned i = 0; i < report.finding_count; i++) {
        printf("%s: %s\n", report.findings[i].violation.text, report.findings[i].output);
    }
}

enum { SCHEDULES = 20 };

static void test_apis__sqlite_on_its_own_worker_answers_every_request_once(void)
{
    if (!is_there("sqlite")) {
        SOLO_SKIP("libsqlite3-dev is not installed");
    }
    run("sqlite", "", 0);
    CU_ASSERT(said("open: 30 rows, sum 465, 0 failed\n"));
    explore("sqlite", NULL, NULL, SCHEDULES);
}

static void test_apis__sqlite_behind_a_lock_answers_the_same(void)
{
    if (!is_there("sqlite")) {
        SOLO_SKIP("libsqlite3-dev is not installed");
    }
    run("sqlite", "lock", 0);
    CU_ASSERT(said("open: 30 rows, sum 465, 0 failed\n"));
    explore("sqlite", "lock", NULL, SCHEDULES);
}

static void test_apis__curl_in_a_pool_of_its_own_fetches_what_there_is_and_says_what_there_is_not(void)
{
    char here[512], missing[600];
    if (!is_there("curl")) {
        SOLO_SKIP("libcurl4-openssl-dev is not installed");
    }
    snprintf(here, sizeof here, "file://%s", support_write_file("page", "twelve bytes"));
    snprintf(missing, sizeof missing, "%s %s-that-is-not", here, here);
    run("curl", missing, 1);
    CU_ASSERT(said("1: fetched, 12 bytes, code 0\n"));
    CU_ASSERT(said("2: failed, 0 bytes, code 0\n"));
    explore("curl", here, here, SCHEDULES);
}

static void test_apis__curl_is_served_by_the_reactor_that_waits_for_it(void)
{
    if (!is_there("curl")) {
        SOLO_SKIP("libcurl4-openssl-dev is not installed");
    }
    run("curl", "serve", 0);
    CU_ASSERT_EQUAL(support_count(output.text, "fetched, 12 bytes, code 200\n"), 4);
}

static void test_apis__names_are_looked_up_in_the_pool_and_the_reactor_goes_on(void)
{
    support_shell(&output, "getent ahostsv4 localhost");
    if (output.status != 0) {
        SOLO_SKIP("this machine knows no localhost");
    }
    run("getaddrinfo", "127.0.0.1 localhost", 0);
    CU_ASSERT(said("127.0.0.1: 127.0.0.1\nlocalhost: 127.0.0.1\n"));
    CU_ASSERT(said("the reactor was never held up\n"));
    run("getaddrinfo", "::1", 1); /* of the other family */
    CU_ASSERT(said("::1: not found\n"));
    explore("getaddrinfo", "127.0.0.1", "localhost", SCHEDULES);
}

void suite_apis(void)
{
    SOLO_SUITE("apis");
    SOLO_TEST(test_apis__sqlite_on_its_own_worker_answers_every_request_once);
    SOLO_TEST(test_apis__sqlite_behind_a_lock_answers_the_same);
    SOLO_TEST(test_apis__curl_in_a_pool_of_its_own_fetches_what_there_is_and_says_what_there_is_not);
    SOLO_TEST(test_apis__curl_is_served_by_the_reactor_that_waits_for_it);
    SOLO_TEST(test_apis__names_are_looked_up_in_the_pool_and_the_reactor_goes_on);
}
