/* test_by_time.c - SOLO009: order obtained by sleeping, and programs that are wrong or right for other reasons. */
#include "runner.h"
#include <solo/explore.h>
#include <solo/report.h>
#include <solo/solo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

static struct solo_report report; /* too large for the stack */
static struct solo_replay replay;
static _Atomic int filled, used;

static void fill(void *arg)
{
    (void)arg;
    solo_yield();
    solo_yield();
    filled = 1;
}

static struct solo_thread *begin(void)
{
    struct solo_thread *thread;
    filled = used = 0;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fill, NULL, &thread), 0);
    return thread;
}

static void use_after_sleep(void *arg)
{
    (void)arg;
    struct solo_thread *thread = begin();
    solo_sleep(100 * MS);
    used = filled;
    solo_thread_join(thread);
}

static void use_after_join(void *arg)
{
    (void)arg;
    struct solo_thread *thread = begin();
    solo_sleep(100 * MS);
    solo_thread_join(thread);
    used = filled;
}

/* No sleep at all: it loses whenever the other is not fast enough to be before it. */
static void use_at_once(void *arg)
{
    (void)arg;
    struct solo_thread *thread = begin();
    solo_yield();
    solo_yield();
    solo_yield();
    solo_yield();
    used = filled;
    solo_thread_join(thread);
}

/* The sleep is there, and the plain schedule is wrong already. */
static void use_before(void *arg)
{
    (void)arg;
    struct solo_thread *thread = begin();
    used = filled;
    solo_sleep(100 * MS);
    solo_thread_join(thread);
}

static const char *is_used(void *arg)
{
    (void)arg;
    return used == 1 ? NULL : "the cache was empty";
}

static struct solo_scenario scenario = {.name = "cache", .invariant = is_used};

static void explore(void (*body)(void *arg))
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "random";
    options.schedules_max = 300;
    scenario.body = body;
    CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &report), 0);
    for (unsigned i = 0; i < report.finding_count; i++) {
        printf("%u: %s\n", report.findings[i].violation.id, report.findings[i].violation.text);
    }
}

static void test_by_time__what_sleeps_until_it_must_be_done_is_found(void)
{
    explore(use_after_sleep);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_violation *violation = &report.findings[0].violation;
    CU_ASSERT_EQUAL(violation->id, SOLO009_ORDER_BY_SLEEPING);
    CU_ASSERT_STRING_EQUAL(violation->text, "the cache was empty: only because a thread was slow while time passed");
    CU_ASSERT_PTR_NOT_NULL(strstr(violation->help, "never a longer sleep"));
    CU_ASSERT_EQUAL(report.findings[0].deviations, 1);
    CU_ASSERT_TRUE(report.findings[0].reproduced);
}

static void test_by_time__its_token_says_the_same(void)
{
    struct solo_explore_options options;
    char why[SOLO_EVIDENCE_MAX];
    explore(use_after_sleep);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    solo_explore_defaults(&options);
    CU_ASSERT_EQUAL_FATAL(
        solo_replay_scenario(&scenario, report.findings[0].token, &options, true, false, &replay, why), 0);
    CU_ASSERT_EQUAL_FATAL(replay.violation_count, 1);
    CU_ASSERT_EQUAL(replay.violations[0].id, SOLO009_ORDER_BY_SLEEPING);
    CU_ASSERT_STRING_EQUAL(replay.violations[0].text, report.findings[0].violation.text);
    CU_ASSERT_STRING_EQUAL(replay.token, report.findings[0].token); /* of that run, not of the plain one after it */
}

static void test_by_time__what_joins_is_not(void)
{
    explore(use_after_join);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.finding_count, 0);
}

static void test_by_time__a_lost_update_is_not_called_so(void)
{
    explore(use_at_once);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO_NO_VIOLATION);
    CU_ASSERT_STRING_EQUAL(report.findings[0].violation.text, "the cache was empty");
}

static void test_by_time__what_is_wrong_in_the_plain_schedule_is_not_called_so(void)
{
    struct solo_explore_options options;
    char why[SOLO_EVIDENCE_MAX], token[SOLO_TOKEN_MAX];
    explore(use_before);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO_NO_VIOLATION);
    /* Nor in a schedule of it where time passes earlier. */
    explore(use_after_sleep);
    strcpy(token, report.findings[0].token);
    solo_explore_defaults(&options);
    scenario.body = use_before;
    CU_ASSERT_EQUAL_FATAL(solo_replay_scenario(&scenario, token, &options, false, false, &replay, why), 0);
    CU_ASSERT_EQUAL_FATAL(replay.violation_count, 1);
    CU_ASSERT_EQUAL(replay.violations[0].id, SOLO_NO_VIOLATION);
}

static void test_by_time__it_is_explained(void)
{
    const struct solo_diagnostic *diagnostic = solo_diagnostic_find(SOLO009_ORDER_BY_SLEEPING);
    CU_ASSERT_PTR_NOT_NULL_FATAL(diagnostic);
    CU_ASSERT_PTR_NOT_NULL(strstr(diagnostic->wrong, "SOLO009"));
}

void suite_by_time(void)
{
    SOLO_SUITE("by_time");
    SOLO_TEST(test_by_time__what_sleeps_until_it_must_be_done_is_found);
    SOLO_TEST(test_by_time__its_token_says_the_same);
    SOLO_TEST(test_by_time__what_joins_is_not);
    SOLO_TEST(test_by_time__a_lost_update_is_not_called_so);
    SOLO_TEST(test_by_time__what_is_wrong_in_the_plain_schedule_is_not_called_so);
    SOLO_TEST(test_by_time__it_is_explained);
}
