/*
 * test_explore.c - scenarios explored, replayed and shrunk.
 *
 * The programs are tiny, so the number of their schedules is known, and each has a twin that is right.
 */
#include "runner.h"
#include <errno.h>
#include <signal.h>
#include <solo/expect.h>
#include <solo/explore.h>
#include <solo/solo.h>
#include <solo/token.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static struct solo_report report; /* too large for the stack */
static struct solo_replay replay;
static char why[SOLO_EVIDENCE_MAX];

/* ---- Programs ---- */

static _Atomic int counter; /* a lost update and no data race: detectors have nothing to say */

static void add_twice(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        int seen = counter;
        solo_yield();
        counter = seen + 1;
    }
}

static void run_two(solo_thread_fn one, solo_thread_fn two)
{
    struct solo_thread *threads[2];
    CU_ASSERT_EQUAL(solo_thread_create(one, NULL, &threads[0]), 0);
    CU_ASSERT_EQUAL(solo_thread_create(two, NULL, &threads[1]), 0);
    solo_thread_join(threads[0]);
    solo_thread_join(threads[1]);
}

static void count_to_four(void *arg)
{
    (void)arg;
    run_two(add_twice, add_twice);
}

static void clear_counter(void *arg)
{
    (void)arg;
    counter = 0;
}

static const char *is_four(void *arg)
{
    static char text[64];
    (void)arg;
    snprintf(text, sizeof text, "the counter is %d, not 4", counter);
    return counter == 4 ? NULL : text;
}

/* One thing happens in every schedule, twice; the other only where no update was lost. */
static void count_and_say(void *arg)
{
    CU_ASSERT_EQUAL(solo_must_happen("both ended", 1), 0);
    CU_ASSERT_EQUAL(solo_must_happen("four reached", 1), 0);
    count_to_four(arg);
    (void)solo_happened("both ended");
    (void)solo_happened("both ended");
    if (counter == 4) {
        (void)solo_happened("four reached");
    }
}

static const struct solo_scenario said = {.name = "said", .set_up = clear_counter, .body = count_and_say};

static const struct solo_scenario lost_update = {
    .name = "lost-update", .set_up = clear_counter, .body = count_to_four, .invariant = is_four};

static struct solo_mutex *first_mutex, *second_mutex;

static void add_twice_locked(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        solo_mutex_lock(first_mutex);
        int seen = counter;
        solo_yield();
        counter = seen + 1;
        solo_mutex_unlock(first_mutex);
    }
}

static void count_to_four_locked(void *arg)
{
    (void)arg;
    solo_mutex_create(&first_mutex);
    run_two(add_twice_locked, add_twice_locked);
}

static const struct solo_scenario locked = {
    .name = "locked", .set_up = clear_counter, .body = count_to_four_locked, .invariant = is_four};

static void lock_both(struct solo_mutex *one, struct solo_mutex *two)
{
    solo_mutex_lock(one);
    solo_mutex_lock(two);
    solo_mutex_unlock(two);
    solo_mutex_unlock(one);
}

static void lock_forwards(void *arg)
{
    (void)arg;
    lock_both(first_mutex, second_mutex);
}

static void lock_backwards(void *arg)
{
    (void)arg;
    lock_both(second_mutex, first_mutex);
}

static void make_mutexes(void)
{
    solo_mutex_create(&first_mutex);
    solo_mutex_create(&second_mutex);
}

static void lock_both_ways(void *arg)
{
    (void)arg;
    make_mutexes();
    run_two(lock_forwards, lock_backwards);
}

static void lock_one_way(void *arg)
{
    (void)arg;
    make_mutexes();
    run_two(lock_forwards, lock_forwards);
}

static const struct solo_scenario both_ways = {.name = "both-ways", .body = lock_both_ways};
static const struct solo_scenario one_way = {.name = "one-way", .body = lock_one_way};

static void crash_on_lost_update(void *arg)
{
    count_to_four(arg);
    if (counter == 2) {
        raise(SIGSEGV);
    }
}

static const struct solo_scenario crashing = {
    .name = "crashing", .set_up = clear_counter, .body = crash_on_lost_update};

/* A death that no sanitizer takes time for. */
static void abort_on_lost_update(void *arg)
{
    count_to_four(arg);
    if (counter == 2) {
        abort();
    }
}

static const struct solo_scenario aborting = {
    .name = "aborting", .set_up = clear_counter, .body = abort_on_lost_update};

static void hang_on_lost_update(void *arg)
{
    count_to_four(arg);
    while (counter == 2) {
        __asm__ volatile("" ::: "memory"); /* no scheduling point: nobody can take its turn away */
    }
}

static const struct solo_scenario hanging = {.name = "hanging", .set_up = clear_counter, .body = hang_on_lost_update};

static void never_end(void *arg)
{
    (void)arg;
    for (;;) {
        solo_yield();
    }
}

static const struct solo_scenario endless = {.name = "endless", .body = never_end};

/* ---- Helpers ---- */

/* The signal itself, or what a sanitizer made of it. */
static bool is_segmentation_fault(const struct solo_violation *violation)
{
    return violation->id == SOLO018_MEMORY && (violation->from_tool != 0 || strstr(violation->text, "SIGSEGV") != NULL);
}

static struct solo_explore_options defaults(const char *strategy)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = strategy;
    return options;
}

static struct solo_explore_options everything(void)
{
    struct solo_explore_options options = defaults("dfs");
    options.delay_bound = SOLO_DELAY_UNBOUNDED;
    return options;
}

static void explore(const struct solo_scenario *scenario, const struct solo_explore_options *options)
{
    CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, options, &report), 0);
    printf("%s: %s\n", scenario->name, report.evidence);
    for (unsigned i = 0; i < report.finding_count; i++) {
        printf("  %s: %s\n  %s\n", report.findings[i].signature, report.findings[i].violation.text,
               report.findings[i].token);
    }
}

static int replay_token(const struct solo_scenario *scenario, const char *token,
                        const struct solo_explore_options *options)
{
    free(replay.trace);
    replay.trace = NULL;
    why[0] = '\0';
    return solo_replay_scenario(scenario, token, options, true, true, &replay, why);
}

/* ---- How many schedules there are ---- */

static void yield_once(void *arg)
{
    (void)arg;
    solo_yield();
}

static void yield_in_two_threads(void *arg)
{
    (void)arg;
    run_two(yield_once, yield_once);
}

/*
 * The same program counted without the kit. A turn goes from one scheduling point to the next. Main stands before
 * starting the second thread, before each join, or waits in a join, after which it needs a turn to go on. A thread
 * takes two turns: to its yield, and to its end.
 */
enum place { BEFORE_START, BEFORE_JOIN_1, IN_JOIN_1, AFTER_JOIN_1, BEFORE_JOIN_2, IN_JOIN_2, AFTER_JOIN_2, DONE };

struct model {
    enum place main;
    unsigned left[2]; /* turns of each thread */
};

static struct model after_turn_of_main(struct model model)
{
    static const enum place next[] = {BEFORE_JOIN_1, IN_JOIN_1, IN_JOIN_1, BEFORE_JOIN_2, IN_JOIN_2, IN_JOIN_2, DONE};
    bool nothing_to_wait_for =
        (model.main == BEFORE_JOIN_1 && model.left[0] == 0) || (model.main == BEFORE_JOIN_2 && model.left[1] == 0);
    if (nothing_to_wait_for) {
        model.main = model.main == BEFORE_JOIN_1 ? BEFORE_JOIN_2 : DONE;
    } else {
        model.main = next[model.main];
    }
    return model;
}

static struct model after_turn_of_thread(struct model model, unsigned thread)
{
    static const enum place joins[] = {IN_JOIN_1, IN_JOIN_2};
    if (--model.left[thread] == 0 && model.main == joins[thread]) {
        model.main++;
    }
    return model;
}

static unsigned model_schedules(struct model model)
{
    unsigned count = 0;
    if (model.main == DONE) {
        return 1;
    }
    if (model.main != IN_JOIN_1 && model.main != IN_JOIN_2) {
        count += model_schedules(after_turn_of_main(model));
    }
    for (unsigned thread = 0; thread < 2; thread++) {
        bool started = thread == 0 || model.main != BEFORE_START;
        if (started && model.left[thread] != 0) {
            count += model_schedules(after_turn_of_thread(model, thread));
        }
    }
    return count;
}

static void test_explore__exhaustive_search_counts_all_interleavings(void)
{
    static const struct solo_scenario yields = {.name = "yields", .body = yield_in_two_threads};
    struct solo_explore_options options = everything();
    explore(&yields, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_TRUE(report.exhausted);
    CU_ASSERT_EQUAL(report.schedules, report.distinct);
    CU_ASSERT_EQUAL(report.schedules, model_schedules((struct model){BEFORE_START, {2, 2}}));
    CU_ASSERT_EQUAL(report.failing, 0);
}

static void test_explore__all_schedules_of_a_correct_program_pass(void)
{
    struct solo_explore_options options = everything();
    explore(&locked, &options);
    char expected[64];
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.finding_count, 0);
    CU_ASSERT_TRUE(report.schedules > 100);
    snprintf(expected, sizeof expected, "all %llu schedules passed", (unsigned long long)report.schedules);
    if (report.schedules >= 1000) {
        snprintf(expected, sizeof expected, "all %llu,%03llu schedules passed",
                 (unsigned long long)report.schedules / 1000, (unsigned long long)report.schedules % 1000);
    }
    CU_ASSERT_STRING_EQUAL(report.evidence, expected);
}

static void test_explore__lock_order_is_silent_when_it_is_the_same(void)
{
    struct solo_explore_options options = everything();
    explore(&one_way, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_TRUE(report.exhausted);
}

static void test_explore__a_bound_gives_part_of_everything(void)
{
    struct solo_explore_options options = everything();
    explore(&lost_update, &options);
    uint64_t all = report.schedules;
    uint64_t failing = report.failing;
    uint64_t before = 0;
    options.shrink = false;
    for (options.delay_bound = 0; options.delay_bound < 16; options.delay_bound++) {
        explore(&lost_update, &options);
        CU_ASSERT_EQUAL(report.schedules, report.distinct);
        CU_ASSERT_TRUE(report.schedules >= before);
        CU_ASSERT_TRUE(report.exhausted);
        before = report.schedules;
    }
    CU_ASSERT_EQUAL(before, all);
    CU_ASSERT_EQUAL(report.failing, failing);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "tried"));
    options.delay_bound = 1;
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL(strncmp(report.evidence, "exhausted at delay bound 1: ", 28), 0);
}

static void test_explore__random_meets_what_the_search_meets(void)
{
    struct solo_explore_options options = everything();
    explore(&lost_update, &options);
    uint64_t all = report.schedules;
    options = defaults("random");
    options.schedules_max = 20000;
    explore(&lost_update, &options);
    CU_ASSERT_TRUE(report.distinct <= all);
    CU_ASSERT_TRUE(report.distinct > all - all / 20);
    CU_ASSERT_EQUAL(report.schedules, 20000);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "20,000 schedules"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "Good-Turing"));
}

static void test_explore__stops_at_a_thousand_different_ones_by_default(void)
{
    struct solo_explore_options options = defaults("random");
    explore(&locked, &options);
    CU_ASSERT_TRUE(report.distinct == 1000 || report.schedules == 10000);
    CU_ASSERT_EQUAL(report.failing, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "no failure"));
}

static void test_explore__fifo_is_the_plain_schedule(void)
{
    struct solo_explore_options options = defaults("fifo");
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL(report.schedules, 1);
    CU_ASSERT_EQUAL(report.choices != 0, true);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_STRING_EQUAL(report.evidence, "the plain schedule passed; no other was tried");
}

/* ---- What is found ---- */

static void test_explore__tells_what_had_to_happen_and_in_how_many_schedules(void)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "dfs";
    options.shrink = false;
    CU_ASSERT_EQUAL_FATAL(solo_explore(&said, &options, &report), 0);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL_FATAL(report.required_count, 2);
    const struct solo_required *both = &report.required[0], *four = &report.required[1];
    CU_ASSERT_STRING_EQUAL(both->name, "both ended");
    CU_ASSERT_EQUAL(both->wanted, 1);
    CU_ASSERT_EQUAL(both->least, 2);
    CU_ASSERT_EQUAL(both->schedules, report.schedules);
    CU_ASSERT_STRING_EQUAL(four->name, "four reached");
    CU_ASSERT_EQUAL(four->least, 0);
    CU_ASSERT_EQUAL(four->schedules, report.schedules - report.failing);
    CU_ASSERT_TRUE(report.failing > 0 && report.failing < report.schedules);
}

static void test_explore__finds_a_lost_update_and_shrinks_it(void)
{
    struct solo_explore_options options = defaults("random");
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_EQUAL(finding->violation.id, SOLO_NO_VIOLATION);
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->violation.text, "the counter is "));
    CU_ASSERT_TRUE(finding->deviations >= 1);
    CU_ASSERT_TRUE(finding->deviations <= 2);
    CU_ASSERT_TRUE(finding->deviations <= finding->deviations_found);
    CU_ASSERT_TRUE(finding->reproduced);
    CU_ASSERT_EQUAL(finding->schedules, report.failing);
    CU_ASSERT_TRUE(strlen(finding->token) <= SOLO_TOKEN_PRINT_MAX);
}

/* Two orders are needed: nothing fails with one deviation, so two are the fewest. */
static void step_a(void *arg)
{
    (void)arg;
    solo_yield();
    counter = counter == 0 ? 1 : counter;
    solo_yield();
    counter = counter == 2 ? 3 : counter;
}

static void step_b(void *arg)
{
    (void)arg;
    solo_yield();
    counter = counter == 1 ? 2 : counter;
    solo_yield();
    counter = counter == 3 ? 4 : counter;
}

static void ping_pong(void *arg)
{
    (void)arg;
    run_two(step_a, step_b);
}

static const char *is_not_four(void *arg)
{
    return is_four(arg) == NULL ? "they took turns" : NULL;
}

static void test_explore__shrinks_to_the_fewest_deviations_that_any_schedule_has(void)
{
    static const struct solo_scenario scenario = {
        .name = "ping-pong", .set_up = clear_counter, .body = ping_pong, .invariant = is_not_four};
    struct solo_explore_options options = defaults("dfs");
    options.shrink = false;
    unsigned fewest = 0;
    do {
        options.delay_bound = fewest++;
        explore(&scenario, &options);
    } while (report.finding_count == 0 && fewest < 10);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    fewest = report.findings[0].deviations;
    CU_ASSERT_TRUE(fewest >= 2);
    for (uint64_t seed = 1; seed < 100; seed += 40) {
        options = defaults("random");
        options.seed = seed;
        options.stop_at_first = true;
        explore(&scenario, &options);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_TRUE(report.findings[0].deviations <= fewest);
        CU_ASSERT_TRUE(report.findings[0].reproduced);
    }
}

static void test_explore__pairs_a_failing_schedule_with_a_passing_one(void)
{
    struct solo_explore_options options = defaults("random");
    explore(&lost_update, &options);
    const struct solo_finding finding = report.findings[0];
    CU_ASSERT_NOT_EQUAL_FATAL(finding.passing_token[0], '\0');
    CU_ASSERT_EQUAL(replay_token(&lost_update, finding.passing_token, &options), 0);
    CU_ASSERT_EQUAL(replay.violation_count, 0);
    CU_ASSERT_EQUAL(replay.diverged_at, 0);
    CU_ASSERT_EQUAL(replay_token(&lost_update, finding.token, &options), 0);
    CU_ASSERT_EQUAL(replay.violation_count, 1);
}

/* Where the plain schedule itself fails, the nearest passing one has one choice made otherwise. */
static void set_to_two(void *arg)
{
    (void)arg;
    counter = 2;
}

static void set_to_one(void *arg)
{
    (void)arg;
    counter = 1;
}

static void set_in_turn(void *arg)
{
    (void)arg;
    run_two(set_to_one, set_to_two);
}

static const char *is_one(void *arg)
{
    (void)arg;
    return counter == 1 ? NULL : "the last one was not the first one";
}

static void test_explore__pairs_a_failing_plain_schedule_too(void)
{
    static const struct solo_scenario scenario = {.name = "plain-fails", .body = set_in_turn, .invariant = is_one};
    struct solo_explore_options options = defaults("random");
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].deviations, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].token, ".plain-"));
    CU_ASSERT_NOT_EQUAL(report.findings[0].passing_token[0], '\0');
}

static void test_explore__finds_a_deadlock_with_who_waits_for_what(void)
{
    struct solo_explore_options options = defaults("random");
    explore(&both_ways, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_violation *violation = &report.findings[0].violation;
    CU_ASSERT_EQUAL(violation->id, SOLO004_DEADLOCK);
    CU_ASSERT_TRUE(violation->waiter_count >= 2);
    CU_ASSERT_TRUE(report.findings[0].deviations <= 2);
    CU_ASSERT_EQUAL(replay_token(&both_ways, report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_DEADLOCK);
}

static void test_explore__a_crash_keeps_its_schedule(void)
{
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 10;
    explore(&crashing, &options);
    CU_ASSERT_EQUAL(report.schedules, 10);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_TRUE(is_segmentation_fault(&finding->violation));
    CU_ASSERT_TRUE(finding->deviations <= 2);
    CU_ASSERT_TRUE(finding->reproduced);
    CU_ASSERT_STRING_EQUAL(finding->violation.thread, "main");
    CU_ASSERT_EQUAL(replay_token(&crashing, finding->token, &options), 0);
    CU_ASSERT_TRUE(replay.signal == SIGSEGV || replay.violations[0].from_tool != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.token, "-open-"));
}

static void test_explore__a_search_goes_on_after_crashes(void)
{
    struct solo_explore_options options = defaults("dfs");
    options.shrink = false;
    explore(&lost_update, &options);
    uint64_t all = report.schedules;
    explore(&aborting, &options);
    CU_ASSERT_EQUAL(report.schedules, all);
    CU_ASSERT_TRUE(report.exhausted);
    CU_ASSERT_TRUE(report.failing > 3);
}

static void test_explore__a_hang_is_killed_and_keeps_its_schedule(void)
{
    struct solo_explore_options options = defaults("random");
    options.watchdog_ns = 100 * MS;
    explore(&hanging, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "unmodelled block after step "));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "incomplete"));
    CU_ASSERT_TRUE(report.findings[0].violation.stack.count > 0);
    CU_ASSERT_EQUAL(replay_token(&hanging, report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.signal, SIGKILL);
    CU_ASSERT_EQUAL(replay.violation_count, 1);
}

/* ---- One defect, whichever thread meets it ---- */

static int went;
static struct solo_semaphore *ticket;
static struct solo_mutex *never_released;

static void take_ticket(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(ticket, SOLO_NEVER);
}

__attribute__((no_sanitize("thread"))) static void take_ticket_or_lock(void *arg)
{
    (void)arg;
    if (went++ == 0) {
        (void)solo_semaphore_wait(ticket, SOLO_NEVER);
    } else {
        (void)solo_mutex_lock(never_released);
    }
}

/* One of the two threads waits for ever. */
__attribute__((no_sanitize("thread"))) static void join_two(void (*fn)(void *), bool with_lock)
{
    struct solo_thread *threads[2];
    went = 0;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(!with_lock, &ticket), 0);
    if (with_lock) {
        CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&never_released), 0);
        (void)solo_mutex_lock(never_released);
    }
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static void one_ticket(void *arg)
{
    (void)arg;
    join_two(take_ticket, false);
}

static void no_ticket_and_no_lock(void *arg)
{
    (void)arg;
    join_two(take_ticket_or_lock, true);
}

static void test_explore__whichever_thread_is_joined_in_vain_it_is_one_defect(void)
{
    static const struct solo_scenario tickets = {.name = "tickets", .body = one_ticket};
    static const struct solo_scenario either = {.name = "either", .body = no_ticket_and_no_lock};
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 60;
    explore(&tickets, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK);
    CU_ASSERT_EQUAL(report.findings[0].schedules, 60);
    CU_ASSERT_TRUE(report.findings[0].reproduced);
    explore(&either, &options); /* the first that is joined waits for the one or for the other */
    CU_ASSERT_EQUAL(report.finding_count, 2);
}

/* Each of them takes as long as it may, and shows nothing new. */
static void test_explore__where_no_schedule_ends_few_are_enough(void)
{
    static const char words[] = "; incomplete: none of the first 50 schedules came to its end, so no more were tried";
    for (unsigned jobs = 0; jobs < 3; jobs++) {
        struct solo_explore_options options = defaults("random");
        options.steps_max = 200;
        options.jobs = jobs;
        options.schedules_max = 400;
        explore(&endless, &options);
        CU_ASSERT_EQUAL(report.schedules, 50);
        CU_ASSERT_EQUAL(report.failing, 50);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
        CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, words));
    }
}

__attribute__((no_sanitize("thread"))) static void go(void *arg)
{
    (void)arg;
    solo_yield();
    went = 1;
}

__attribute__((no_sanitize("thread"))) static void end_sometimes(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    went = 0;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(go, NULL, &thread), 0);
    solo_yield();
    solo_yield();
    while (!went) {
        solo_yield(); /* until it is ended */
    }
    (void)solo_thread_join(thread);
}

static void test_explore__where_one_schedule_ends_the_others_are_tried(void)
{
    static const struct solo_scenario ends_sometimes = {.name = "ends-sometimes", .body = end_sometimes};
    struct solo_explore_options options = defaults("random");
    options.steps_max = 12;
    options.schedules_max = 400;
    explore(&ends_sometimes, &options);
    CU_ASSERT_EQUAL(report.schedules, 400);
    CU_ASSERT(report.failing > 100);
    CU_ASSERT(report.failing < 400);
}

static void test_explore__too_many_steps_end_a_schedule(void)
{
    struct solo_explore_options options = defaults("random");
    options.steps_max = 500;
    options.schedules_max = 3;
    explore(&endless, &options);
    CU_ASSERT_EQUAL(report.schedules, 3);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "within 500 steps"));
    CU_ASSERT_EQUAL(replay_token(&endless, report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_STEPS);
    CU_ASSERT_EQUAL(replay.steps, 500);
}

static void exit_on_lost_update(void *arg)
{
    count_to_four(arg);
    if (counter == 2) {
        exit(7);
    }
}

static void test_explore__exit_in_the_middle_is_a_finding(void)
{
    static const struct solo_scenario scenario = {
        .name = "exits", .set_up = clear_counter, .body = exit_on_lost_update};
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 15;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "exit with status 7"));
    CU_ASSERT_TRUE(report.findings[0].reproduced);
}

static void forget_to_happen(void *arg)
{
    (void)arg;
    solo_must_happen("greeting", 1);
}

static void test_explore__what_must_happen_is_checked_in_each_schedule(void)
{
    static const struct solo_scenario scenario = {.name = "vacuous", .body = forget_to_happen};
    struct solo_explore_options options = defaults("fifo");
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO013_NEVER_HAPPENED);
}

static void print_and_fail(void *arg)
{
    count_to_four(arg);
    printf("the counter is now %d\n", counter);
}

static void test_explore__a_finding_shows_what_was_printed(void)
{
    static const struct solo_scenario scenario = {
        .name = "printing", .set_up = clear_counter, .body = print_and_fail, .invariant = is_four};
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 20;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(strncmp(report.findings[0].output, "the counter is now ", 19), 0);
    CU_ASSERT_EQUAL(strlen(report.findings[0].output), 21);
}

static void print_very_much(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 300000; i++) {
        printf("0123456789\n");
    }
}

static const char *never_good(void *arg)
{
    (void)arg;
    return "it is never good";
}

static void test_explore__output_is_cut(void)
{
    static const struct solo_scenario scenario = {.name = "verbose", .body = print_very_much, .invariant = never_good};
    struct solo_explore_options options = defaults("fifo");
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const char *text = report.findings[0].output;
    CU_ASSERT_EQUAL(strlen(text), SOLO_OUTPUT_MAX - 1);
    CU_ASSERT_STRING_EQUAL(text + strlen(text) - 34, "\n[... the rest found no room ...]\n");
}

static void print_some_and_a_last_word(void *arg)
{
    (void)arg;
    printf("first word\n");
    for (unsigned i = 0; i < 3000; i++) {
        printf("0123456789\n");
    }
    printf("last word\n");
}

static void test_explore__of_much_output_both_ends_are_kept(void)
{
    static const struct solo_scenario scenario = {
        .name = "verbose", .body = print_some_and_a_last_word, .invariant = never_good};
    struct solo_explore_options options = defaults("fifo");
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const char *text = report.findings[0].output;
    CU_ASSERT_EQUAL(strlen(text), SOLO_OUTPUT_MAX - 1);
    CU_ASSERT_EQUAL(strncmp(text, "first word\n0123456789\n", 22), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n[... cut here ...]\n"));
    CU_ASSERT_STRING_EQUAL(text + strlen(text) - 21, "0123456789\nlast word\n");
}

static void test_explore__the_same_options_give_the_same_report(void)
{
    static struct solo_report first;
    struct solo_explore_options options = defaults("random");
    explore(&lost_update, &options);
    first = report;
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL(first.schedules, report.schedules);
    CU_ASSERT_EQUAL(first.distinct, report.distinct);
    CU_ASSERT_EQUAL(first.failing, report.failing);
    CU_ASSERT_EQUAL(first.steps, report.steps);
    CU_ASSERT_STRING_EQUAL(first.findings[0].token, report.findings[0].token);
    CU_ASSERT_STRING_EQUAL(first.findings[0].passing_token, report.findings[0].passing_token);
    options.seed = 99;
    explore(&lost_update, &options);
    CU_ASSERT_NOT_EQUAL(first.steps, report.steps);
}

static void test_explore__both_carriers_see_the_same(void)
{
    static struct solo_report fibers;
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 300;
    explore(&lost_update, &options);
    fibers = report;
    options.carrier = SOLO_CARRIER_TOKEN;
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL(fibers.distinct, report.distinct);
    CU_ASSERT_EQUAL(fibers.failing, report.failing);
    CU_ASSERT_EQUAL(fibers.steps, report.steps);
    CU_ASSERT_STRING_EQUAL(fibers.findings[0].token, report.findings[0].token);
}

static void test_explore__stops_at_the_first_failure_if_asked(void)
{
    struct solo_explore_options options = defaults("random");
    options.stop_at_first = true;
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL(report.failing, 1);
    CU_ASSERT_EQUAL(report.schedules, report.findings[0].first_schedule);
}

/* ---- Replay ---- */

static void test_replay__a_token_gives_the_same_trace_every_time_and_on_both_carriers(void)
{
    struct solo_explore_options options = defaults("random");
    options.shrink = false;
    options.schedules_max = 5;
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL_FATAL(replay_token(&lost_update, report.findings[0].token, &options), 0);
    char *first = strdup(replay.trace);
    uint64_t hash = replay.trace_hash;
    for (unsigned i = 0; i < 10; i++) { /* each in a process of its own */
        options.carrier = i % 2 == 0 ? SOLO_CARRIER_FIBER : SOLO_CARRIER_TOKEN;
        CU_ASSERT_EQUAL_FATAL(replay_token(&lost_update, report.findings[0].token, &options), 0);
        CU_ASSERT_STRING_EQUAL(first, replay.trace);
        CU_ASSERT_EQUAL(hash, replay.trace_hash);
    }
    free(first);
}

static void test_replay__the_run_has_the_token_it_was_made_from(void)
{
    struct solo_explore_options options = defaults("random");
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL_FATAL(replay_token(&lost_update, report.findings[0].token, &options), 0);
    CU_ASSERT_STRING_EQUAL(replay.token, report.findings[0].token);
}

static void test_replay__the_trace_names_threads_and_objects(void)
{
    struct solo_explore_options options = defaults("fifo");
    CU_ASSERT_EQUAL(replay_token(&locked, "solo1.2.locked.sync.00000000.plain-0-0000", &options), -EINVAL);
    explore(&both_ways, &options);
    options = defaults("random");
    explore(&both_ways, &options);
    CU_ASSERT_EQUAL_FATAL(replay_token(&both_ways, report.findings[0].token, &options), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, " main/1 lock mutex#1 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, " main/2 lock mutex#2 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, "\nending deadlock\n"));
    CU_ASSERT_PTR_NULL(strstr(replay.trace, " ? "));
}

static void count_otherwise(void *arg)
{
    (void)arg;
    solo_yield();
    count_to_four(arg);
    solo_yield();
}

static void test_replay__strict_stops_where_the_program_changed(void)
{
    struct solo_scenario changed = lost_update;
    changed.body = count_otherwise;
    struct solo_explore_options options = defaults("random");
    explore(&lost_update, &options);
    CU_ASSERT_EQUAL(replay_token(&lost_update, report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_RETURNED);
    void (*const bodies[])(void *arg) = {count_otherwise, lock_one_way};
    for (unsigned i = 0; i < 2; i++) {
        changed.body = bodies[i];
        CU_ASSERT_EQUAL(replay_token(&changed, report.findings[0].token, &options), 0);
        CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_DIVERGED);
        CU_ASSERT_NOT_EQUAL(replay.diverged_at, 0);
        free(replay.trace);
        CU_ASSERT_EQUAL(solo_replay_scenario(&changed, report.findings[0].token, &options, false, true, &replay, why),
                        0);
        CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_RETURNED);
    }
}

static unsigned more_yields;

static void yield_then_more(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3 + more_yields; i++) {
        solo_yield();
    }
}

static void yield_some(void *arg)
{
    (void)arg;
    run_two(yield_then_more, yield_once);
}

static void test_replay__strict_names_the_choice_at_the_end_of_a_shorter_or_longer_schedule(void)
{
    static const struct solo_scenario scenario = {.name = "yields", .body = yield_some, .invariant = never_good};
    struct solo_explore_options options = defaults("fifo");
    options.shrink = false;
    more_yields = 2;
    explore(&scenario, &options);
    char token[SOLO_TOKEN_MAX];
    strcpy(token, report.findings[0].token);
    more_yields = 0;
    CU_ASSERT_EQUAL(replay_token(&scenario, token, &options), 0);
    CU_ASSERT_NOT_EQUAL(replay.diverged_at, 0);
    uint64_t at = replay.diverged_at;
    more_yields = 4;
    CU_ASSERT_EQUAL(replay_token(&scenario, token, &options), 0);
    CU_ASSERT_NOT_EQUAL(replay.diverged_at, 0);
    CU_ASSERT_TRUE(replay.diverged_at > at);
}

static void test_replay__refuses_what_is_not_for_this_scenario(void)
{
    struct solo_explore_options options = defaults("random");
    explore(&lost_update, &options);
    const char *token = report.findings[0].token;
    CU_ASSERT_EQUAL(replay_token(&locked, token, &options), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "lost-update"));
    options.let_time_pass = false;
    CU_ASSERT_EQUAL(replay_token(&lost_update, token, &options), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "limits"));
    CU_ASSERT_EQUAL(replay_token(&lost_update, "rubbish", &options), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "not a token"));
    CU_ASSERT_EQUAL(replay_token(&lost_update, "@/nowhere/at/all", &options), -EINVAL);
    CU_ASSERT_EQUAL(replay_token(&lost_update, NULL, &options), -EINVAL);
    CU_ASSERT_NOT_EQUAL(why[0], '\0');
}

static void test_replay__gives_details_of_a_violation(void)
{
    struct solo_explore_options options = defaults("random");
    explore(&both_ways, &options);
    CU_ASSERT_TRUE(report.findings[0].detail.step_count > 0);
    CU_ASSERT_EQUAL(replay_token(&both_ways, report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL_FATAL(replay.violation_count, 1);
    CU_ASSERT_TRUE(replay.details[0].step_count > 0);
    CU_ASSERT_STRING_NOT_EQUAL(replay.details[0].steps[0].thread_name, "");
}

/* ---- Determinism ---- */

static unsigned *calls; /* in memory that set_up does not clear */

static void yield_by_history(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < *calls % 2; i++) {
        solo_yield();
    }
}

static void depend_on_history(void *arg)
{
    (void)arg;
    ++*calls;
    run_two(yield_by_history, yield_once);
}

static void test_determinism__a_schedule_that_differs_the_second_time_is_solo019(void)
{
    static unsigned memory;
    static const struct solo_scenario scenario = {.name = "history", .body = depend_on_history};
    struct solo_explore_options options = defaults("random");
    calls = &memory;
    options.twice_every = 5;
    options.schedules_max = 20;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO019_NONDETERMINISM);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "step "));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "\"main/1 "));
}

static void test_determinism__a_search_notices_it_by_itself(void)
{
    static unsigned memory;
    static const struct solo_scenario scenario = {.name = "history", .body = depend_on_history};
    struct solo_explore_options options = everything();
    calls = &memory;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO019_NONDETERMINISM);
    CU_ASSERT_FALSE(report.exhausted);
}

static void test_determinism__deterministic_programs_pass_the_check(void)
{
    struct solo_explore_options options = defaults("random");
    options.twice_every = 1;
    options.schedules_max = 500;
    explore(&locked, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, 500);
}

/* ---- Being the scheduler ---- */

struct script {
    const long *answers;
    unsigned count, next, asked, waiters;
    char seen[4096];
};

static long follow_script(const struct solo_step_view *view, void *arg)
{
    struct script *script = arg;
    script->asked++;
    script->waiters += (unsigned)view->waiter_count;
    size_t length = strlen(script->seen);
    snprintf(script->seen + length, sizeof script->seen - length, "%s|%s\n", view->thread, view->options[1].text);
    CU_ASSERT_TRUE(view->option_count >= 2);
    CU_ASSERT_EQUAL(view->trace->count, view->step);
    return script->next < script->count ? script->answers[script->next++] : SOLO_STEP_PLAIN;
}

static void test_step__the_answers_are_followed(void)
{
    static const long answers[] = {0, 0, 0, 1};
    struct script script = {.answers = answers, .count = 4};
    struct solo_explore_options options = defaults("random");
    CU_ASSERT_EQUAL_FATAL(solo_step_scenario(&lost_update, &options, follow_script, &script, &replay, why), 0);
    CU_ASSERT_EQUAL(script.asked, 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.token, ".3T1-"));
    CU_ASSERT_EQUAL(replay.violation_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(script.seen, "main|main/1: thread-begin"));
    CU_ASSERT_TRUE(script.waiters > 0);
}

static void test_step__undo_asks_again(void)
{
    static const long answers[] = {0, 1, SOLO_STEP_UNDO, 0, 0, SOLO_STEP_UNDO, SOLO_STEP_UNDO, 0, 0, 1};
    struct script script = {.answers = answers, .count = 10};
    struct solo_explore_options options = defaults("random");
    CU_ASSERT_EQUAL_FATAL(solo_step_scenario(&lost_update, &options, follow_script, &script, &replay, why), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.token, ".3T1-"));
    CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_RETURNED);
}

static void test_step__undo_at_the_first_choice_asks_again(void)
{
    static const long answers[] = {SOLO_STEP_UNDO, SOLO_STEP_UNDO, 0};
    struct script script = {.answers = answers, .count = 3};
    struct solo_explore_options options = defaults("random");
    CU_ASSERT_EQUAL_FATAL(solo_step_scenario(&lost_update, &options, follow_script, &script, &replay, why), 0);
    CU_ASSERT_EQUAL(script.asked, 4);
    CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_RETURNED);
}

static void test_step__stop_ends_the_run(void)
{
    static const long answers[] = {0, SOLO_STEP_STOP};
    struct script script = {.answers = answers, .count = 2};
    struct solo_explore_options options = defaults("random");
    CU_ASSERT_EQUAL_FATAL(solo_step_scenario(&lost_update, &options, follow_script, &script, &replay, why), 0);
    CU_ASSERT_EQUAL(replay.ending, SOLO_ENDING_DIVERGED);
    CU_ASSERT_EQUAL(solo_step_scenario(&lost_update, &options, NULL, &script, &replay, why), -EINVAL);
}

/* ---- Bad input ---- */

static void test_explore__refuses_bad_options(void)
{
    struct solo_explore_options options = defaults("no-such");
    struct solo_scenario bad = lost_update;
    CU_ASSERT_EQUAL(solo_explore(&lost_update, &options, &report), -EINVAL);
    options = defaults("random");
    CU_ASSERT_EQUAL(solo_explore(NULL, &options, &report), -EINVAL);
    CU_ASSERT_EQUAL(solo_explore(&lost_update, NULL, &report), -EINVAL);
    CU_ASSERT_EQUAL(solo_explore(&lost_update, &options, NULL), -EINVAL);
    bad.name = "two words";
    CU_ASSERT_EQUAL(solo_explore(&bad, &options, &report), -EINVAL);
    bad.name = NULL;
    CU_ASSERT_EQUAL(solo_explore(&bad, &options, &report), -EINVAL);
    bad = lost_update;
    bad.body = NULL;
    CU_ASSERT_EQUAL(solo_explore(&bad, &options, &report), -EINVAL);
    options.carrier = (enum solo_carrier)7;
    CU_ASSERT_EQUAL(solo_explore(&lost_update, &options, &report), -EINVAL);
}

static int inner_result;

static void explore_inside(void *arg)
{
    (void)arg;
    struct solo_explore_options options = defaults("fifo");
    inner_result = solo_explore(&lost_update, &options, &report);
}

static void test_explore__is_refused_inside_a_simulation(void)
{
    struct solo_sim_options options = {.steps_max = 1000};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 0, explore_inside, NULL), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(inner_result, -EINVAL);
    solo_sim_destroy(sim);
}

/* ---- A reactor in it ---- */

static struct solo_reactor *reactor;

static void stop_reactor(void *arg)
{
    (void)arg;
    solo_happened("stopped");
    solo_reactor_stop(reactor);
}

static void stop_from_thread(void *arg)
{
    (void)arg;
    solo_reactor_call_from_thread(reactor, stop_reactor, NULL, NULL);
}

static void run_reactor(solo_thread_fn other)
{
    struct solo_thread *thread;
    solo_must_happen("stopped", 1);
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, &reactor), 0);
    solo_reactor_hand_over(reactor);
    CU_ASSERT_EQUAL(solo_thread_create(other, NULL, &thread), 0);
    solo_reactor_run(reactor);
    solo_thread_join(thread);
    solo_reactor_destroy(reactor);
}

static void stopped_from_thread(void *arg)
{
    (void)arg;
    run_reactor(stop_from_thread);
}

static void test_explore__a_reactor_that_is_stopped_through_a_call_is_clean(void)
{
    static const struct solo_scenario scenario = {.name = "stop", .body = stopped_from_thread};
    struct solo_explore_options options = defaults("dfs");
    options.delay_bound = 3;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_TRUE(report.exhausted);
    CU_ASSERT_TRUE(report.schedules >= 3); /* accepted before the first pass, before the poll, during the poll */
}

static void stop_directly(void *arg)
{
    (void)arg;
    solo_reactor_stop(reactor);
    stop_from_thread(arg);
}

static void stopped_directly(void *arg)
{
    (void)arg;
    run_reactor(stop_directly);
}

static void test_explore__a_reactor_that_is_stopped_by_a_thread_is_solo001(void)
{
    static const struct solo_scenario scenario = {.name = "wrong-stop", .body = stopped_directly};
    struct solo_explore_options options = defaults("random");
    options.schedules_max = 100;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    bool found = false;
    for (unsigned i = 0; i < report.finding_count; i++) {
        found = found || (report.findings[i].violation.id == SOLO001_WRONG_THREAD &&
                          strcmp(report.findings[i].violation.function, "solo_reactor_stop") == 0);
        CU_ASSERT_TRUE(report.findings[i].reproduced);
    }
    CU_ASSERT_TRUE(found);
}

/* ---- Asking it to stop ---- */

static void count_nothing(void *arg)
{
    (void)arg;
}

static void ask_to_stop(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    (void)solo_thread_create(count_nothing, NULL, &thread);
    solo_yield();
    (void)solo_thread_join(thread);
    solo_explore_stop(); /* as a handler of SIGINT would, while this schedule is in flight */
}

static void test_explore__asked_to_stop_it_ends_after_the_schedule_in_flight(void)
{
    static const struct solo_scenario stopping = {.name = "stopping", .body = ask_to_stop};
    struct solo_explore_options options = defaults("random");
    explore(&stopping, &options);
    CU_ASSERT_EQUAL(report.schedules, 1);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "stopped by request"));
    solo_explore_stop(); /* outside an exploration it does nothing */
}

/* ---- Invariants ---- */

static void test_explore__the_invariant_is_not_asked_after_a_deadlock(void)
{
    struct solo_scenario scenario = both_ways;
    scenario.invariant = never_good;
    struct solo_explore_options options = everything();
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 2);
    CU_ASSERT_EQUAL(report.failing, report.schedules);
    CU_ASSERT_EQUAL(report.findings[0].schedules + report.findings[1].schedules, report.schedules);
}

/* ---- Time, faults, policies, limits ---- */

static _Atomic bool late;

static void sleep_then_set(void *arg)
{
    (void)arg;
    solo_sleep(10 * MS);
    late = true;
}

static void yield_then_look(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        solo_yield();
    }
    counter = late ? 1 : 4;
}

static void race_with_time(void *arg)
{
    (void)arg;
    late = false;
    run_two(sleep_then_set, yield_then_look);
}

static const char *is_in_time(void *arg)
{
    (void)arg;
    return counter == 4 ? NULL : "ten milliseconds were not enough";
}

static void test_explore__time_may_pass_while_others_can_run(void)
{
    static const struct solo_scenario scenario = {.name = "in-time", .body = race_with_time, .invariant = is_in_time};
    struct solo_explore_options options = everything();
    options.let_time_pass = false;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    uint64_t without = report.schedules;
    options.let_time_pass = true;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_TRUE(report.schedules > without);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_TRUE(report.findings[0].deviations <= 2);
    options = defaults("random");
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.finding_count, 1);
}

static int made;

static void make_three_mutexes(void *arg)
{
    (void)arg;
    made = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct solo_mutex *mutex;
        made += solo_mutex_create(&mutex) == 0;
    }
}

static const char *has_three(void *arg)
{
    (void)arg;
    return made == 3 ? NULL : "a mutex was refused";
}

static void test_explore__faults_happen_only_with_a_budget(void)
{
    static const struct solo_scenario scenario = {
        .name = "three-mutexes", .body = make_three_mutexes, .invariant = has_three};
    struct solo_explore_options options = everything();
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.schedules, 1);
    CU_ASSERT_EQUAL(report.choices, 0);
    CU_ASSERT_STRING_EQUAL(report.evidence, "the only schedule passed");
    options.faults_max = 1;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.schedules, 4); /* none, or one of three */
    CU_ASSERT_EQUAL(report.failing, 3);
    CU_ASSERT_EQUAL(report.findings[0].deviations, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].token, "F1-"));
    options.faults_max = 3;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(report.schedules, 8);
}

static void test_explore__a_token_with_faults_needs_their_budget(void)
{
    static const struct solo_scenario scenario = {
        .name = "three-mutexes", .body = make_three_mutexes, .invariant = has_three};
    struct solo_explore_options options = everything();
    options.faults_max = 1;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL(replay_token(&scenario, report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.violation_count, 1);
    options.faults_max = 0;
    CU_ASSERT_EQUAL(replay_token(&scenario, report.findings[0].token, &options), -EINVAL);
}

static void test_explore__under_policy_abort_the_violation_is_the_finding(void)
{
    static const struct solo_scenario scenario = {.name = "wrong-stop", .body = stopped_directly};
    struct solo_explore_options options = defaults("fifo");
    options.policy = SOLO_POLICY_ABORT;
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO001_WRONG_THREAD);
    CU_ASSERT_EQUAL(report.findings[0].violation.policy, SOLO_POLICY_ABORT);
}

static void yield_often(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 6000; i++) {
        solo_yield();
    }
}

static void yield_very_often(void *arg)
{
    (void)arg;
    run_two(yield_often, yield_often);
}

/* Its token goes to a file; where even that is not kept (small limits), there is none and nothing breaks. */
static void test_explore__a_very_long_schedule_has_its_token_in_a_file(void)
{
    static const struct solo_scenario scenario = {.name = "long", .body = yield_very_often, .invariant = never_good};
    struct solo_explore_options options = defaults("random");
    options.shrink = false;
    options.schedules_max = 1;
    options.token_directory = runner_scratch_path(".");
    explore(&scenario, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    const struct solo_finding *finding = &report.findings[0];
    CU_ASSERT_TRUE(report.choices > 10000);
    CU_ASSERT_EQUAL(finding->reproduced, finding->token[0] != '\0');
    if (finding->token[0] != '\0') {
        CU_ASSERT_EQUAL(finding->token[0], '@');
        CU_ASSERT_EQUAL(replay_token(&scenario, finding->token, &options), 0);
        CU_ASSERT_EQUAL(replay.violation_count, 1);
        CU_ASSERT_EQUAL(replay.diverged_at, 0);
    }
    options.shrink = true;
    explore(&scenario, &options);
    CU_ASSERT_TRUE(report.findings[0].deviations == 0 || report.findings[0].token[0] == '\0');
}

static void test_explore__a_trace_keeps_the_last_events_of_a_very_long_schedule(void)
{
    static const struct solo_scenario scenario = {.name = "long", .body = yield_very_often};
    struct solo_explore_options options = defaults("random");
    struct script script = {.count = 0};
    CU_ASSERT_EQUAL_FATAL(solo_step_scenario(&scenario, &options, follow_script, &script, &replay, why), 0);
    CU_ASSERT_TRUE(replay.steps > 12000);
    CU_ASSERT_EQUAL(script.asked, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, " main thread-end "));
    CU_ASSERT_PTR_NOT_NULL(strstr(replay.trace, "\nending returned\n"));
}

void suite_explore(void)
{
    SOLO_SUITE("explore");
    SOLO_TEST(test_explore__exhaustive_search_counts_all_interleavings);
    SOLO_TEST(test_explore__all_schedules_of_a_correct_program_pass);
    SOLO_TEST(test_explore__lock_order_is_silent_when_it_is_the_same);
    SOLO_TEST(test_explore__a_bound_gives_part_of_everything);
    SOLO_TEST(test_explore__random_meets_what_the_search_meets);
    SOLO_TEST(test_explore__stops_at_a_thousand_different_ones_by_default);
    SOLO_TEST(test_explore__fifo_is_the_plain_schedule);
    SOLO_TEST(test_explore__tells_what_had_to_happen_and_in_how_many_schedules);
    SOLO_TEST(test_explore__finds_a_lost_update_and_shrinks_it);
    SOLO_TEST(test_explore__shrinks_to_the_fewest_deviations_that_any_schedule_has);
    SOLO_TEST(test_explore__pairs_a_failing_schedule_with_a_passing_one);
    SOLO_TEST(test_explore__pairs_a_failing_plain_schedule_too);
    SOLO_TEST(test_explore__finds_a_deadlock_with_who_waits_for_what);
    SOLO_TEST(test_explore__a_crash_keeps_its_schedule);
    SOLO_TEST(test_explore__a_search_goes_on_after_crashes);
    SOLO_TEST(test_explore__a_hang_is_killed_and_keeps_its_schedule);
    SOLO_TEST(test_explore__whichever_thread_is_joined_in_vain_it_is_one_defect);
    SOLO_TEST(test_explore__where_no_schedule_ends_few_are_enough);
    SOLO_TEST(test_explore__where_one_schedule_ends_the_others_are_tried);
    SOLO_TEST(test_explore__too_many_steps_end_a_schedule);
    SOLO_TEST(test_explore__exit_in_the_middle_is_a_finding);
    SOLO_TEST(test_explore__what_must_happen_is_checked_in_each_schedule);
    SOLO_TEST(test_explore__a_finding_shows_what_was_printed);
    SOLO_TEST(test_explore__output_is_cut);
    SOLO_TEST(test_explore__of_much_output_both_ends_are_kept);
    SOLO_TEST(test_explore__the_same_options_give_the_same_report);
    SOLO_TEST(test_explore__both_carriers_see_the_same);
    SOLO_TEST(test_explore__stops_at_the_first_failure_if_asked);
    SOLO_TEST(test_replay__a_token_gives_the_same_trace_every_time_and_on_both_carriers);
    SOLO_TEST(test_replay__the_run_has_the_token_it_was_made_from);
    SOLO_TEST(test_replay__the_trace_names_threads_and_objects);
    SOLO_TEST(test_replay__strict_stops_where_the_program_changed);
    SOLO_TEST(test_replay__strict_names_the_choice_at_the_end_of_a_shorter_or_longer_schedule);
    SOLO_TEST(test_replay__refuses_what_is_not_for_this_scenario);
    SOLO_TEST(test_replay__gives_details_of_a_violation);
    SOLO_TEST(test_determinism__a_schedule_that_differs_the_second_time_is_solo019);
    SOLO_TEST(test_determinism__a_search_notices_it_by_itself);
    SOLO_TEST(test_determinism__deterministic_programs_pass_the_check);
    SOLO_TEST(test_step__the_answers_are_followed);
    SOLO_TEST(test_step__undo_asks_again);
    SOLO_TEST(test_step__undo_at_the_first_choice_asks_again);
    SOLO_TEST(test_step__stop_ends_the_run);
    SOLO_TEST(test_explore__refuses_bad_options);
    SOLO_TEST(test_explore__is_refused_inside_a_simulation);
    SOLO_TEST(test_explore__a_reactor_that_is_stopped_through_a_call_is_clean);
    SOLO_TEST(test_explore__a_reactor_that_is_stopped_by_a_thread_is_solo001);
    SOLO_TEST(test_explore__asked_to_stop_it_ends_after_the_schedule_in_flight);
    SOLO_TEST(test_explore__the_invariant_is_not_asked_after_a_deadlock);
    SOLO_TEST(test_explore__time_may_pass_while_others_can_run);
    SOLO_TEST(test_explore__faults_happen_only_with_a_budget);
    SOLO_TEST(test_explore__a_token_with_faults_needs_their_budget);
    SOLO_TEST(test_explore__under_policy_abort_the_violation_is_the_finding);
    SOLO_TEST(test_explore__a_very_long_schedule_has_its_token_in_a_file);
    SOLO_TEST(test_explore__a_trace_keeps_the_last_events_of_a_very_long_schedule);
}
