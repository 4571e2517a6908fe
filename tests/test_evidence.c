/*
 * test_evidence.c - what an exploration says about itself is no more than what it has seen.
 */
#include "ledger.h"
#include "support.h"
#include <solo/explore.h>
#include <solo/merge.h>
#include <solo/report.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

static struct solo_report report; /* too large for the stack */

/* ---- Sets that are full ---- */

/* Counts so many different schedules into a set of 1,024 slots, of which three quarters are used. */
static void count_different(struct solo__region *region, uint64_t schedules, char text[SOLO_EVIDENCE_MAX])
{
    solo__region_clear_ledger(region, 1024);
    strcpy(region->request.strategy, "random");
    for (uint64_t i = 1; i <= schedules; i++) {
        region->ledger.schedules = i;
        region->ledger.choices++;
        solo__ledger_count_trace(region, i * UINT64_C(0x9e3779b97f4a7c15));
        solo__ledger_count_order(region, UINT64_C(0x100));
    }
    solo__evidence(region, text);
    printf("%s\n", text);
}

static void test_evidence__where_not_all_schedules_were_told_apart_no_chance_is_named(void)
{
    char text[SOLO_EVIDENCE_MAX];
    struct solo__region *region = solo__region_create(NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(region);
    count_different(region, 700, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "700 distinct"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "a new schedule: about 100%, a new order: under 0.1%"));
    count_different(region, 20000, text); /* all of them new; 765 found room */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "more than 765 distinct"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "a new schedule: not known, a new order: under 0.1%"));
    solo__region_destroy(region);
}

/* ---- More defects than are told apart ---- */

static unsigned nth; /* schedule of this process */

static void two_threads(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    if (solo_thread_create((void (*)(void *))solo_yield, NULL, &thread) == 0) {
        solo_yield();
        (void)solo_thread_join(thread);
    }
}

/* Another sentence each time, without a number: another defect. */
static const char *find_something_new(void *arg)
{
    static char text[64];
    (void)arg;
    nth++;
    (void)snprintf(text, sizeof text, "wrong in the way %c%c", 'a' + (int)(nth / 26 % 26), 'a' + (int)(nth % 26));
    return text;
}

static void explore(const struct solo_scenario *scenario, uint64_t schedules)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "random";
    options.schedules_max = schedules;
    options.shrink = false;
    CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &report), 0);
}

static char *text_of_report(void)
{
    static char text[4096];
    char *written = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&written, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    CU_ASSERT_EQUAL(solo_report_explored_text(memory, &report, false), 0);
    (void)fclose(memory);
    (void)snprintf(text, sizeof text, "%s", written);
    free(written);
    printf("%s", text);
    return text;
}

static void test_evidence__defects_that_found_no_room_are_counted_and_told(void)
{
    static const struct solo_scenario many = {.name = "many", .body = two_threads, .invariant = find_something_new};
    explore(&many, 40);
    CU_ASSERT_EQUAL(report.finding_count, SOLO_FINDINGS_MAX);
    CU_ASSERT_EQUAL(report.failing, 40);
    CU_ASSERT_EQUAL(report.unlisted, 40 - SOLO_FINDINGS_MAX);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_of_report(), "\nnot listed: 8 violations of more defects than these\n"));
}

static void test_evidence__where_all_found_room_nothing_is_said_about_it(void)
{
    static const struct solo_scenario few = {.name = "few", .body = two_threads, .invariant = find_something_new};
    explore(&few, 30);
    CU_ASSERT_EQUAL(report.finding_count, 30);
    CU_ASSERT_EQUAL(report.unlisted, 0);
    CU_ASSERT_PTR_NULL(strstr(text_of_report(), "not listed"));
}

static void merge_two(const char *one, const char *two, char text[4096])
{
    char why[SOLO_EVIDENCE_MAX];
    enum solo_verdict verdict;
    unsigned findings;
    const char *const files[] = {support_write_file("one.json", one), support_write_file("two.json", two)};
    FILE *out = fmemopen(text, 4096, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(solo_merge(files, 2, false, out, &verdict, &findings, why), 0);
    (void)fclose(out);
    printf("%s", text);
}

#define SHARD(number, rest)                                                                                            \
    "{\"schema\": \"solo.report.1\", \"verdict\": \"clean\", \"schedules\": 100, \"choices\": 100, \"distinct\": 1, "  \
    "\"shard\": {\"number\": " #number ", \"of\": 2, \"exploration\": \"e\", \"orders\": \"\", \"traces\": "           \
    "\"00000000000000" #number "0\"" rest

static void test_evidence__merged_it_keeps_what_the_shards_could_not_tell(void)
{
    char text[4096];
    merge_two(SHARD(1, "}}"), SHARD(2, "}}"), text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "200 schedules, 2 distinct, 0 failing"));
    merge_two(SHARD(1, ", \"traces_full\": true}, \"unlisted\": 3}"), SHARD(2, "}, \"unlisted\": 4}"), text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "not listed: 7 violations"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "200 schedules, more than 2 distinct, 0 failing"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "not known"));
}

/* ---- Nothing to choose ---- */

static void do_nothing(void *arg)
{
    (void)arg;
}

static void test_evidence__the_only_schedule_is_everything(void)
{
    static const struct solo_scenario nothing = {.name = "nothing", .body = do_nothing};
    explore(&nothing, 1);
    CU_ASSERT_STRING_EQUAL(report.evidence, "the only schedule passed");
    CU_ASSERT_TRUE(report.exhausted);
    static const struct solo_scenario some = {.name = "some", .body = two_threads};
    explore(&some, 1);
    CU_ASSERT_FALSE(report.exhausted);
}

void suite_evidence(void)
{
    SOLO_SUITE("evidence");
    SOLO_TEST(test_evidence__where_not_all_schedules_were_told_apart_no_chance_is_named);
    SOLO_TEST(test_evidence__defects_that_found_no_room_are_counted_and_told);
    SOLO_TEST(test_evidence__where_all_found_room_nothing_is_said_about_it);
    SOLO_TEST(test_evidence__merged_it_keeps_what_the_shards_could_not_tell);
    SOLO_TEST(test_evidence__the_only_schedule_is_everything);
}
