/*
 * test_two_writers.c - the classic bug with and without a lock: the guard finds both, a race detector only what is not
 * ordered.
 *
 * Under policy `report` the wrong call goes through, so that ThreadSanitizer sees what it does
 * (tests/programs/two_writers.c).
 */
#include "runner.h"
#include "support.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <solo/explore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A call let through from the wrong thread leaves the text in the transport, and the reactor sends it later, outside
 * the program's lock. Only a build that watches the engine itself sees that.
 */
#define OWN_RACES "this build sees the engine's own accesses too"

enum { RUNS = 50, RUNS_UNDER_TSAN = 5 };

static struct solo_report report; /* too large for the stack */
static struct runner_output output;

static const char *program(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "tests/programs/%s", name);
    return runner_build_path(path);
}

/* A guest who wants both greetings. */
static const char *guest(unsigned port)
{
    char text[128];
    (void)snprintf(text, sizeof text, "peer guest\nconnect %u\nexpect \"hello\\nhello\\n\"\nexpect-close\n", port);
    return support_write_file("guest.peer", text);
}

/* A port of loopback that nobody listens on now. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&address, size) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* ---- World sim ---- */

static void explore(const char *how, const char *strategy, enum solo_carrier carrier)
{
    char *argv[] = {(char *)program("two_writers"), (char *)how, NULL};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = strategy;
    options.schedules_max = 60;
    options.delay_bound = 2;
    options.carrier = carrier;
    options.policy = SOLO_POLICY_REPORT;
    options.shrink = false;
    options.peer_file = guest(8007);
    CU_ASSERT_EQUAL_FATAL(solo_explore_program(argv, &options, &report), 0);
    printf("%s: %s\n", how, report.evidence);
    for (unsigned i = 0; i < report.finding_count; i++) {
        printf("  %lu schedules: %s\n", (unsigned long)report.findings[i].schedules, report.findings[i].violation.text);
    }
}

/* In how many schedules this was found, of the finding that most of them show. */
static uint64_t schedules_with(unsigned id)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < report.finding_count; i++) {
        if (report.findings[i].violation.id == id && report.findings[i].schedules > most) {
            most = report.findings[i].schedules;
        }
    }
    return most;
}

static void test_two_writers__every_schedule_shows_the_wrong_thread_locked_or_not(void)
{
    explore("locked", "dfs", SOLO_CARRIER_FIBER);
    CU_ASSERT_EQUAL(schedules_with(SOLO001_WRONG_THREAD), report.schedules);
    explore("locked", "random", SOLO_CARRIER_FIBER);
    CU_ASSERT_EQUAL(schedules_with(SOLO001_WRONG_THREAD), report.schedules);
    explore("unlocked", "dfs", SOLO_CARRIER_FIBER);
    CU_ASSERT_EQUAL(schedules_with(SOLO001_WRONG_THREAD), report.schedules);
    explore("unlocked", "random", SOLO_CARRIER_TOKEN);
    CU_ASSERT_EQUAL(schedules_with(SOLO001_WRONG_THREAD), report.schedules);
    CU_ASSERT_EQUAL(report.schedules, 60);
}

static void test_two_writers__with_a_lock_there_is_no_race_in_any_schedule(void)
{
#ifndef SOLO_TSAN
    SOLO_SKIP("data races are found in a ThreadSanitizer build");
#endif
#ifdef SOLO_ENGINE_WATCHED
    SOLO_SKIP(OWN_RACES);
#endif
    explore("locked", "random", SOLO_CARRIER_FIBER);
    CU_ASSERT_EQUAL(report.finding_count, 1); /* the wrong thread, and nothing else */
    explore("locked", "random", SOLO_CARRIER_TOKEN);
    CU_ASSERT_EQUAL(report.finding_count, 1);
}

static void test_two_writers__without_the_lock_it_is_a_race_as_well(void)
{
#ifndef SOLO_TSAN
    SOLO_SKIP("data races are found in a ThreadSanitizer build");
#endif
    explore("unlocked", "dfs", SOLO_CARRIER_FIBER);
    CU_ASSERT(schedules_with(SOLO017_DATA_RACE) > report.schedules / 2);
    uint64_t on_fibers = schedules_with(SOLO017_DATA_RACE);
    explore("unlocked", "dfs", SOLO_CARRIER_TOKEN);
    CU_ASSERT_EQUAL(schedules_with(SOLO017_DATA_RACE), on_fibers);
}

/* ---- World os ---- */

static void run_in_os(const char *how)
{
    char port[16];
    (void)snprintf(port, sizeof port, "%u", free_port());
    const char *argv[] = {runner_build_path("bin/solo"),
                          "run",
                          "--policy",
                          "report",
                          "--peer",
                          guest((unsigned)atoi(port)),
                          "--budget-ms",
                          "60000",
                          "--",
                          program("two_writers"),
                          how,
                          port,
                          NULL};
    runner_command(&output, argv, NULL);
    if (strstr(output.text, "error[SOLO001]") == NULL) {
        printf("%s\n", output.text);
    }
}

static void test_two_writers__every_real_run_shows_the_wrong_thread(void)
{
#ifdef SOLO_TSAN
    enum { COUNT = RUNS_UNDER_TSAN };
#else
    enum { COUNT = RUNS };
#endif
    for (int i = 0; i < COUNT; i++) {
        run_in_os(i % 2 == 0 ? "locked" : "unlocked");
        CU_ASSERT_EQUAL(output.status, 1);
        /* Whether the client is served is left to luck, with the lock as well: nobody wakes a reactor that polls. */
        CU_ASSERT_EQUAL(support_count(output.text, "error[SOLO001]"), 1);
    }
}

static void test_two_writers__the_race_is_found_in_real_runs_too(void)
{
#ifndef SOLO_TSAN
    SOLO_SKIP("data races are found in a ThreadSanitizer build");
#endif
#ifdef SOLO_ENGINE_WATCHED
    SOLO_SKIP(OWN_RACES);
#endif
    for (int i = 0; i < RUNS_UNDER_TSAN; i++) {
        run_in_os("locked");
        CU_ASSERT_EQUAL(support_count(output.text, "error[SOLO017]"), 0);
        run_in_os("unlocked");
        CU_ASSERT(support_count(output.text, "error[SOLO017]") >= 1);
    }
}

void suite_two_writers(void)
{
    SOLO_SUITE("two_writers");
    SOLO_TEST(test_two_writers__every_schedule_shows_the_wrong_thread_locked_or_not);
    SOLO_TEST(test_two_writers__with_a_lock_there_is_no_race_in_any_schedule);
    SOLO_TEST(test_two_writers__without_the_lock_it_is_a_race_as_well);
    SOLO_TEST(test_two_writers__every_real_run_shows_the_wrong_thread);
    SOLO_TEST(test_two_writers__the_race_is_found_in_real_runs_too);
}
