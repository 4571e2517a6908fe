/*
 * test_last_words.c - what the oracles have found before a program crashes is not lost with it.
 */
#include "runner.h"
#include <signal.h>
#include <solo/explore.h>
#include <solo/solo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

static struct solo_report report; /* too large for the stack */
static struct solo_reactor *reactor;

struct course {
    bool sleeps, crashes;
};

static SOLO_REACTOR_ONLY void serve(void *arg)
{
    const struct course *course = arg;
    if (course->sleeps) {
        solo_sleep(100 * MS);
    }
}

static SOLO_REACTOR_ONLY void end(void *arg)
{
    const struct course *course = arg;
    if (course->crashes) {
        abort();
    }
    (void)solo_reactor_stop(reactor);
}

static SOLO_SET_UP void run_reactor(void *arg)
{
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    (void)solo_reactor_call_later(reactor, MS, serve, arg, NULL, NULL);
    (void)solo_reactor_call_later(reactor, 500 * MS, end, arg, NULL, NULL);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
}

static void explore(struct course *course)
{
    struct solo_scenario scenario = {.name = "course", .body = run_reactor, .arg = course};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "fifo";
    CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &report), 0);
    for (unsigned i = 0; i < report.finding_count; i++) {
        printf("%u: %s\n", report.findings[i].violation.id, report.findings[i].violation.text);
    }
}

static unsigned count(unsigned id)
{
    unsigned found = 0;
    for (unsigned i = 0; i < report.finding_count; i++) {
        found += report.findings[i].violation.id == id && report.findings[i].reproduced;
    }
    return found;
}

static void test_last_words__a_finding_before_a_crash_is_kept_beside_it(void)
{
    explore(&(struct course){.sleeps = true, .crashes = true});
    CU_ASSERT_EQUAL(report.finding_count, 2);
    CU_ASSERT_EQUAL(count(SOLO002_REACTOR_BLOCKED), 1);
    CU_ASSERT_EQUAL(count(SOLO018_MEMORY), 1);
}

static void test_last_words__without_a_crash_it_is_the_same_finding(void)
{
    explore(&(struct course){.sleeps = true, .crashes = false});
    CU_ASSERT_EQUAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(count(SOLO002_REACTOR_BLOCKED), 1);
}

static void test_last_words__a_crash_alone_is_one_finding(void)
{
    explore(&(struct course){.sleeps = false, .crashes = true});
    CU_ASSERT_EQUAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(count(SOLO018_MEMORY), 1);
}

static void test_last_words__without_either_there_is_none(void)
{
    explore(&(struct course){.sleeps = false, .crashes = false});
    CU_ASSERT_EQUAL(report.finding_count, 0);
}

void suite_last_words(void)
{
    SOLO_SUITE("last_words");
    SOLO_TEST(test_last_words__a_finding_before_a_crash_is_kept_beside_it);
    SOLO_TEST(test_last_words__without_a_crash_it_is_the_same_finding);
    SOLO_TEST(test_last_words__a_crash_alone_is_one_finding);
    SOLO_TEST(test_last_words__without_either_there_is_none);
}
