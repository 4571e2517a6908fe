/*
 * test_lock_explored.c - SOLO016: what becomes of locks taken in a circle when it is explored: alone, in jobs, in
 * shards, and by searches that try everything.
 */
#include "judged.h"
#include <solo/explore.h>
#include <solo/merge.h>
#include <stdlib.h>

static struct solo_report report; /* too large for the stack */
static struct solo_replay replay;

static struct solo_explore_options defaults(uint64_t schedules)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.schedules_max = schedules;
    return options;
}

static void explore(void (*body)(void *), const struct solo_explore_options *options)
{
    struct solo_scenario scenario = {.name = "locks", .body = body};
    CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, options, &report), 0);
    printf("%s\n", report.evidence);
    for (unsigned i = 0; i < report.finding_count; i++) {
        printf("  %s: %s\n  %s\n", report.findings[i].signature, report.findings[i].violation.text,
               report.findings[i].token);
    }
}

static void free_two(void *arg)
{
    (void)arg;
    make_locks();
    take_beside(take, "01", 0);
    destroy_locks();
}

static void test_lock_explored__one_schedule_is_enough_to_direct_others_at_the_deadlock(void)
{
    struct solo_explore_options options = defaults(0);
    options.strategy = "fifo";
    explore(free_two, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1); /* and no warning about what was reached */
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
    CU_ASSERT(report.findings[0].reproduced);
    CU_ASSERT_STRING_EQUAL(report.findings[0].found_by, "locks");
    CU_ASSERT_EQUAL(report.cycle_count, 1);
    CU_ASSERT_EQUAL(report.cycles[0], report.findings[0].violation.cycle);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "; 200 more directed at locks taken in a circle"));
    CU_ASSERT_EQUAL(report.schedules, 201);
    CU_ASSERT_EQUAL(report.failing, report.findings[0].schedules);
}

static void test_lock_explored__a_deadlock_that_was_reached_is_said_once(void)
{
    struct solo_explore_options options = defaults(200);
    explore(free_two, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
    CU_ASSERT_NOT_EQUAL(report.findings[0].passing_token[0], '\0'); /* a warning does not keep it from passing */
    CU_ASSERT_PTR_NULL(strstr(report.evidence, "directed"));
    CU_ASSERT_EQUAL(report.schedules, 200);
}

/* Whoever is first takes both, and only if it was the first thread the second one does so too, the other way round. */
static _Atomic int first_is_done;

static void forwards_and_say(void *arg)
{
    (void)arg;
    take("01");
    first_is_done = 1;
}

static void never_meet(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    first_is_done = 0;
    make_locks();
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(forwards_and_say, NULL, &thread), 0);
    solo_yield();
    (void)solo_sleep(1000);
    if (first_is_done) {
        take("10");
    }
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    destroy_locks();
}

static void test_lock_explored__what_no_schedule_reached_is_a_warning_whose_token_shows_it(void)
{
    struct solo_explore_options options = defaults(100);
    explore(never_meet, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL(report.failing, 0);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_EQUAL(finding->violation.id, SOLO016_LOCK_ORDER);
    CU_ASSERT(finding->reproduced);
    CU_ASSERT_EQUAL(finding->deviations, 0);
    struct solo_scenario scenario = {.name = "locks", .body = never_meet};
    char why[SOLO_EVIDENCE_MAX];
    CU_ASSERT_EQUAL(solo_replay_scenario(&scenario, finding->token, &options, true, false, &replay, why), 0);
    CU_ASSERT_EQUAL(replay.diverged_at, 0);
    CU_ASSERT_EQUAL_FATAL(replay.violation_count, 1);
    CU_ASSERT_EQUAL(replay.violations[0].id, SOLO016_LOCK_ORDER);
    CU_ASSERT_EQUAL(replay.violations[0].cycle, finding->violation.cycle);
}

static void test_lock_explored__when_every_schedule_was_tried_nothing_is_possible_any_more(void)
{
    static const char *const searches[] = {"dpor", "dfs"};
    for (unsigned i = 0; i < 2; i++) {
        struct solo_explore_options options = defaults(0);
        options.strategy = searches[i];
        options.delay_bound = SOLO_DELAY_UNBOUNDED;
        options.let_time_pass = false;
        explore(never_meet, &options);
        CU_ASSERT(report.exhausted);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        CU_ASSERT_EQUAL(report.finding_count, 0);
    }
    struct solo_explore_options options = defaults(0);
    options.strategy = "dfs:0";
    explore(never_meet, &options); /* exhausted within its bound is not every schedule */
    CU_ASSERT(report.exhausted);
    CU_ASSERT_EQUAL(report.finding_count, 1);
}

/* Two circles at different places; only one of them can close. */
static void other_forwards(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[2]), 0);
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[3]), 0);
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[3]), 0);
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[2]), 0);
    first_is_done = 1;
}

static void other_backwards(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[3]), 0);
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[2]), 0);
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[2]), 0);
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[3]), 0);
}

static void one_closes_one_not(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    first_is_done = 0;
    make_locks();
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(take, "01", &threads[0]), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(other_forwards, NULL, &threads[1]), 0);
    (void)solo_sleep(1000);
    if (first_is_done) {
        other_backwards(NULL);
    }
    take("10");
    CU_ASSERT_EQUAL(solo_thread_join(threads[0]), 0);
    CU_ASSERT_EQUAL(solo_thread_join(threads[1]), 0);
    destroy_locks();
}

static void test_lock_explored__of_two_circles_one_is_reached_and_the_other_stays_possible(void)
{
    struct solo_explore_options options = defaults(300);
    explore(one_closes_one_not, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 2);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK); /* errors first */
    CU_ASSERT_EQUAL(report.findings[1].violation.id, SOLO016_LOCK_ORDER);
    CU_ASSERT_NOT_EQUAL(report.findings[0].violation.cycle, report.findings[1].violation.cycle);
}

static void test_lock_explored__a_warning_does_not_stop_the_search(void)
{
    struct solo_explore_options options = defaults(50);
    options.stop_at_first = true;
    explore(never_meet, &options);
    CU_ASSERT(report.schedules >= 50);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO016_LOCK_ORDER);
}

static void test_lock_explored__jobs_and_checkpoints_lose_none(void)
{
#ifdef SOLO_VALGRIND
    SOLO_SKIP("hundreds of schedules in several processes take too long under valgrind");
#endif
    struct solo_explore_options options = defaults(300);
    options.jobs = 1;
    explore(never_meet, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    static struct solo_finding alone;
    alone = report.findings[0];
    options.jobs = 2;
    explore(never_meet, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_STRING_EQUAL(report.findings[0].signature, alone.signature);
    CU_ASSERT_EQUAL(report.findings[0].schedules, alone.schedules);
    options.checkpoint_file = runner_scratch_path("checkpoint");
    explore(never_meet, &options);
    CU_ASSERT_EQUAL(report.findings[0].schedules, alone.schedules);
    explore(never_meet, &options); /* goes on from its end */
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_STRING_EQUAL(report.findings[0].signature, alone.signature);
    options.checkpoint_file = NULL;
    explore(free_two, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
}

/* ---- Shards ---- */

/* Leaves the report of an exploration in a file, as `solo merge` reads it, and nothing of it in memory. */
static void write_report(const char *path, struct solo_report_context *contexts)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(solo_report_explored_json(file, &report, contexts), 0);
    fclose(file);
    free(report.traces);
    free(report.seen_orders);
    free(contexts);
}

static void write_shard(const char *path, void (*body)(void *), unsigned shard, bool reached_elsewhere)
{
    struct solo_explore_options options = defaults(256);
    struct solo_report_context *contexts = calloc(SOLO_FINDINGS_MAX, sizeof *contexts);
    options.shard = shard;
    options.shards = 2;
    explore(body, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO016_LOCK_ORDER);
    if (reached_elsewhere) {
        report.cycle_count = 1;
        report.cycles[0] = report.findings[0].violation.cycle;
        report.finding_count = 0;
    }
    write_report(path, contexts);
}

static void check_merged(bool reached_elsewhere, const char *wanted, const char *unwanted)
{
    char one[512], other[512], why[SOLO_EVIDENCE_MAX];
    static char text[1 << 16];
    enum solo_verdict verdict;
    unsigned findings = 99;
    snprintf(one, sizeof one, "%s", runner_scratch_path("one.json"));
    snprintf(other, sizeof other, "%s", runner_scratch_path("other.json"));
    write_shard(one, never_meet, 1, false);
    write_shard(other, never_meet, 2, reached_elsewhere);
    const char *const files[] = {one, other};
    FILE *out = fmemopen(text, sizeof text, "w");
    CU_ASSERT_EQUAL(solo_merge(files, 2, false, out, &verdict, &findings, why), 0);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted));
    CU_ASSERT_PTR_NULL(strstr(text, unwanted));
    CU_ASSERT_EQUAL(findings, !reached_elsewhere);
    CU_ASSERT_EQUAL(verdict,
                    reached_elsewhere ? SOLO_VERDICT_CLEAN : SOLO_VERDICT_FINDINGS); /* nothing else is there */
}

static void test_lock_explored__shards_put_together_leave_out_what_one_of_them_reached(void)
{
#ifdef SOLO_VALGRIND
    SOLO_SKIP("hundreds of schedules in several processes take too long under valgrind");
#endif
    check_merged(false, "warning[SOLO016]: possible deadlock", "error[SOLO016]");
    check_merged(true, "verdict: ", "SOLO016");
}

/* ---- Shards of a search ---- */

enum { SHARDS = 3 };

static struct solo_explore_options share(const char *strategy, unsigned shard)
{
    struct solo_explore_options options = defaults(0);
    options.strategy = strategy;
    options.shard = shard;
    options.shards = SHARDS;
    return options;
}

/* Returns how many of them have this to report. */
static unsigned write_search(void (*body)(void *), const char *strategy, unsigned id, const char *found_by)
{
    unsigned having = 0;
    for (unsigned shard = 1; shard <= SHARDS; shard++) {
        struct solo_explore_options options = share(strategy, shard);
        struct solo_report_context *contexts = calloc(SOLO_FINDINGS_MAX, sizeof *contexts);
        char name[16];
        snprintf(name, sizeof name, "%u.json", shard);
        explore(body, &options);
        contexts[0].schedules = report.schedules + report.directed;
        contexts[0].failing = report.findings[0].schedules;
        having += report.finding_count == 1 && report.findings[0].violation.id == id &&
                  (found_by == NULL || strcmp(report.findings[0].found_by, found_by) == 0);
        write_report(runner_scratch_path(name), contexts);
    }
    return having;
}

/* Puts together the first of them, or all. */
static enum solo_verdict merge_search(unsigned count, char *text, size_t size)
{
    char paths[SHARDS][512], why[SOLO_EVIDENCE_MAX];
    const char *files[SHARDS];
    enum solo_verdict verdict = SOLO_VERDICT_INCOMPLETE;
    unsigned findings;
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u.json", i + 1);
        snprintf(paths[i], sizeof paths[i], "%s", runner_scratch_path(name));
        files[i] = paths[i];
    }
    FILE *out = fmemopen(text, size, "w");
    CU_ASSERT_EQUAL(solo_merge(files, count, false, out, &verdict, &findings, why), 0);
    fclose(out);
    printf("%s", text);
    return verdict;
}

/* One schedule is the whole search. Whoever has it sees the circle, and what lies beyond the bound is looked at. */
static void test_lock_explored__a_share_of_a_bounded_search_is_directed_at_the_deadlock_too(void)
{
    static char text[1 << 16];
    CU_ASSERT_EQUAL(write_search(free_two, "dfs:0", SOLO004_DEADLOCK, "locks"), 1);
    CU_ASSERT_EQUAL(merge_search(SHARDS, text, sizeof text), SOLO_VERDICT_FINDINGS);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "error[SOLO004]"));
    CU_ASSERT_PTR_NULL(strstr(text, "SOLO016"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "evidence: exhausted at delay bound 0: 1 schedule, no failure; 200 more directed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " of 201 explored schedules show it"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nexplored: 1 schedule, 1 distinct, 0 failing, "));
}

/* What one of them holds for possible all of them together know to be impossible; two of them do not. */
static void test_lock_explored__shares_that_tried_everything_together_hold_nothing_for_possible(void)
{
    static char text[1 << 16];
    CU_ASSERT(write_search(never_meet, "dfs:4294967295", SOLO016_LOCK_ORDER, NULL) != 0);
    CU_ASSERT_EQUAL(merge_search(SHARDS, text, sizeof text), SOLO_VERDICT_CLEAN);
    CU_ASSERT_PTR_NULL(strstr(text, "SOLO016"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "verdict: clean\nevidence: all "));
    CU_ASSERT_PTR_NULL(strstr(text, "directed"));
    CU_ASSERT_EQUAL(merge_search(SHARDS - 1, text, sizeof text), SOLO_VERDICT_FINDINGS);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "warning[SOLO016]"));
}

/* Beyond the bound nobody has looked, and those that were directed did not get there. */
static void test_lock_explored__a_bounded_search_leaves_what_it_did_not_reach_possible(void)
{
    static char text[1 << 16];
    CU_ASSERT_EQUAL(write_search(never_meet, "dfs:0", SOLO016_LOCK_ORDER, NULL), 1);
    CU_ASSERT_EQUAL(merge_search(SHARDS, text, sizeof text), SOLO_VERDICT_FINDINGS);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "warning[SOLO016]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "; 200 more directed at locks"));
}

void suite_lock_explored(void)
{
    SOLO_SUITE("lock_explored");
    SOLO_TEST(test_lock_explored__one_schedule_is_enough_to_direct_others_at_the_deadlock);
    SOLO_TEST(test_lock_explored__a_deadlock_that_was_reached_is_said_once);
    SOLO_TEST(test_lock_explored__what_no_schedule_reached_is_a_warning_whose_token_shows_it);
    SOLO_TEST(test_lock_explored__when_every_schedule_was_tried_nothing_is_possible_any_more);
    SOLO_TEST(test_lock_explored__of_two_circles_one_is_reached_and_the_other_stays_possible);
    SOLO_TEST(test_lock_explored__a_warning_does_not_stop_the_search);
    SOLO_TEST(test_lock_explored__jobs_and_checkpoints_lose_none);
    SOLO_TEST(test_lock_explored__shards_put_together_leave_out_what_one_of_them_reached);
    SOLO_TEST(test_lock_explored__a_share_of_a_bounded_search_is_directed_at_the_deadlock_too);
    SOLO_TEST(test_lock_explored__shares_that_tried_everything_together_hold_nothing_for_possible);
    SOLO_TEST(test_lock_explored__a_bounded_search_leaves_what_it_did_not_reach_possible);
}
