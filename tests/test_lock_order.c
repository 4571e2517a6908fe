/*
 * test_lock_order.c - SOLO016: locks taken in a circle are found where threads can meet, and nowhere else.
 *
 * With the kit's own locks bodies run with the oracles around them, in both worlds. Pthread programs are
 * test_plain_lock_order.c's.
 */
#include "runner.h"
#include "oracle.h"
#include <errno.h>
#include <solo/explore.h>
#include <solo/merge.h>
#include <solo/report.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

static struct solo_report report; /* too large for the stack */
static struct solo_replay replay;

/* ---- The kit's own locks ---- */

static struct {
    unsigned count;
    struct solo_violation violations[8];
} seen;

static void sink(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    if (seen.count < 8) {
        seen.violations[seen.count] = *violation;
    }
    seen.count++;
    printf("%s\n", violation->text);
}

static void on_ending(int ending, void *arg)
{
    (void)arg;
    solo_oracles_end(ending);
}

static void begin(void)
{
    seen.count = 0;
    solo_violation_reset();
    (void)solo_violation_set_sink(sink, NULL);
    solo_oracles_begin();
}

/* The plain schedule. */
static void run_in_sim(void (*body)(void *), enum solo_carrier carrier)
{
    struct solo_sim_options options = {.carrier = carrier, .steps_max = 20000};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, on_ending, NULL);
    begin();
    CU_ASSERT(solo_sim_run(sim, 1, body, NULL) >= 0);
    (void)solo_violation_set_sink(NULL, NULL);
    solo_sim_destroy(sim);
}

static void run_in_os(void (*body)(void *))
{
    begin();
    body(NULL);
    solo_oracles_end(SOLO_ENDING_NONE);
    (void)solo_violation_set_sink(NULL, NULL);
}

static void expect_warning(unsigned count)
{
    CU_ASSERT_EQUAL(seen.count, count);
    for (unsigned i = 0; i < seen.count && i < 8; i++) {
        CU_ASSERT_EQUAL(seen.violations[i].id, SOLO016_LOCK_ORDER);
        CU_ASSERT_NOT_EQUAL(seen.violations[i].cycle, 0);
    }
}

static void run_in_both(void (*body)(void *), unsigned count)
{
    run_in_sim(body, SOLO_CARRIER_FIBER);
    expect_warning(count);
    run_in_sim(body, SOLO_CARRIER_TOKEN);
    expect_warning(count);
    run_in_os(body);
    expect_warning(count);
}

enum { LOCKS = 10 };
static struct solo_mutex *locks[LOCKS];

static void make_locks(void)
{
    for (unsigned i = 0; i < LOCKS; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&locks[i]), 0);
    }
}

static void destroy_locks(void)
{
    for (unsigned i = 0; i < LOCKS; i++) {
        CU_ASSERT_EQUAL(solo_mutex_destroy(locks[i]), 0);
    }
}

/* "01 10": takes 0 and within it 1, then the other way round. */
static void take(void *arg)
{
    for (const char *at = arg; *at != '\0'; at++) {
        const char *first = at;
        for (; *at != ' ' && *at != '\0'; at++) {
            CU_ASSERT_EQUAL(solo_mutex_lock(locks[*at - '0']), 0);
        }
        for (const char *held = at; held != first; held--) {
            CU_ASSERT_EQUAL(solo_mutex_unlock(locks[held[-1] - '0']), 0);
        }
        if (*at == '\0') {
            break;
        }
    }
}

/*
 * One thread for each text, all alive together; in world os too each is done before the next one begins, and nothing
 * that the kit sees says so: what is possible must not depend on luck.
 */
static _Atomic unsigned turn;

struct part {
    const char *text;
    unsigned number;
};

static void take_in_turn(void *arg)
{
    const struct part *part = arg;
    while (turn != part->number) {
        (void)solo_sleep(1000);
    }
    take((void *)(uintptr_t)part->text);
    turn++;
}

static void take_all(const char *const texts[], unsigned count)
{
    struct solo_thread *threads[8];
    struct part parts[8];
    turn = 0;
    make_locks();
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct part){texts[i], i};
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(take_in_turn, &parts[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    destroy_locks();
}

#define TAKE_ALL(...)                                                                                                  \
    do {                                                                                                               \
        static const char *const texts[] = {__VA_ARGS__};                                                              \
        (void)arg;                                                                                                     \
        take_all(texts, sizeof texts / sizeof texts[0]);                                                               \
    } while (0)

static void two(void *arg)
{
    TAKE_ALL("01", "10");
}

static void test_lock_order__both_orders_by_two_threads_are_found(void)
{
    run_in_both(two, 1);
    const struct solo_violation *violation = &seen.violations[0];
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_mutex_lock");
    CU_ASSERT(violation->step > 0);
    run_in_sim(two, SOLO_CARRIER_FIBER);
    CU_ASSERT_STRING_EQUAL(violation->text, "possible deadlock: `main/2` takes mutex#1 while it holds mutex#2, and "
                                            "`main/1` takes mutex#2 while it holds mutex#1");
    CU_ASSERT_STRING_EQUAL(violation->thread, "main/2");
    CU_ASSERT_STRING_EQUAL(violation->object, "mutex#1");
    struct solo_frame_text frame;
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&violation->stack, &frame, 1), 1);
    CU_ASSERT_STRING_EQUAL(frame.function, "take");
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&violation->owner_stack, &frame, 1), 1);
    CU_ASSERT_STRING_EQUAL(frame.function, "take");
}

static void one_order(void *arg)
{
    TAKE_ALL("01", "01");
}

static void test_lock_order__one_order_is_fine(void)
{
    run_in_both(one_order, 0);
}

static void one_thread(void *arg)
{
    TAKE_ALL("01 10", "0 1");
}

static void test_lock_order__both_orders_by_one_thread_are_fine(void)
{
    run_in_both(one_thread, 0);
}

static void three(void *arg)
{
    TAKE_ALL("01", "12", "20");
}

static void four(void *arg)
{
    TAKE_ALL("01", "12", "23", "30");
}

static void open_chain(void *arg)
{
    TAKE_ALL("01", "12", "23", "03");
}

static void test_lock_order__a_circle_of_more_threads_is_found_once(void)
{
    run_in_both(three, 1);
    run_in_both(four, 1);
}

static void test_lock_order__a_chain_without_a_circle_is_fine(void)
{
    run_in_both(open_chain, 0);
}

static void gate(void *arg)
{
    TAKE_ALL("901", "910");
}

static void gate_of_two(void *arg)
{
    TAKE_ALL("901", "912", "920");
}

static void different_gates(void *arg)
{
    TAKE_ALL("801", "910");
}

static void test_lock_order__a_lock_that_all_hold_besides_keeps_them_apart(void)
{
    run_in_both(gate, 0);
    run_in_both(gate_of_two, 0);
}

static void test_lock_order__a_lock_of_one_thread_keeps_nobody_apart(void)
{
    run_in_both(different_gates, 1);
}

/* By another thread, which is joined. */
static void let_another(solo_thread_fn fn, void *arg)
{
    struct solo_thread *thread;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, arg, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

/* Another thread does that, and this one takes 1 and 0 beside it, after a while. */
static void take_beside(solo_thread_fn fn, void *arg, uint64_t while_ns)
{
    struct solo_thread *thread;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, arg, &thread), 0);
    if (while_ns > 0) {
        (void)solo_sleep(while_ns);
    }
    take("10");
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

static void one_after_the_other(void *arg)
{
    (void)arg;
    make_locks();
    let_another(take, "01");
    take("10");
    let_another(take, "01");
    destroy_locks();
}

/* The same, but for who is joined when. */
static void one_beside_the_other(void *arg)
{
    (void)arg;
    make_locks();
    take_beside(take, "01", 1000000);
    destroy_locks();
}

static void test_lock_order__start_and_join_keep_threads_apart(void)
{
    run_in_both(one_after_the_other, 0);
}

static void test_lock_order__a_sleep_keeps_nobody_apart(void)
{
    run_in_sim(one_beside_the_other, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

/* ---- Queued work ---- */

static struct solo_reactor *reactor;

static void stop(void *arg)
{
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

static void backwards_and_stop(void *arg)
{
    take("10");
    stop(arg);
}

static void forwards_and_call(void *arg)
{
    take("01");
    (void)solo_reactor_call_from_thread(reactor, backwards_and_stop, arg, NULL);
}

static void call_and_forwards(void *arg)
{
    (void)solo_reactor_call_from_thread(reactor, backwards_and_stop, arg, NULL);
    take("01");
}

static void run_reactor(void (*job)(void *arg))
{
    make_locks();
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, job, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    destroy_locks();
}

static void job_before_call(void *arg)
{
    (void)arg;
    run_reactor(forwards_and_call);
}

static void job_beside_call(void *arg)
{
    (void)arg;
    run_reactor(call_and_forwards);
}

static void test_lock_order__work_that_was_queued_after_it_comes_after_it(void)
{
    run_in_both(job_before_call, 0);
}

static void test_lock_order__work_that_was_queued_before_it_may_meet_it(void)
{
    run_in_sim(job_beside_call, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

/* ---- Explored ---- */

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

static void test_lock_order__one_schedule_is_enough_to_direct_others_at_the_deadlock(void)
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

static void test_lock_order__a_deadlock_that_was_reached_is_said_once(void)
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

static void test_lock_order__what_no_schedule_reached_is_a_warning_whose_token_shows_it(void)
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

static void test_lock_order__when_every_schedule_was_tried_nothing_is_possible_any_more(void)
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

static void test_lock_order__of_two_circles_one_is_reached_and_the_other_stays_possible(void)
{
    struct solo_explore_options options = defaults(300);
    explore(one_closes_one_not, &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 2);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO004_DEADLOCK); /* errors first */
    CU_ASSERT_EQUAL(report.findings[1].violation.id, SOLO016_LOCK_ORDER);
    CU_ASSERT_NOT_EQUAL(report.findings[0].violation.cycle, report.findings[1].violation.cycle);
}

static void test_lock_order__a_warning_does_not_stop_the_search(void)
{
    struct solo_explore_options options = defaults(50);
    options.stop_at_first = true;
    explore(never_meet, &options);
    CU_ASSERT(report.schedules >= 50);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO016_LOCK_ORDER);
}

static void test_lock_order__jobs_and_checkpoints_lose_none(void)
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

/* ---- Too much of it ---- */

static void ten_deep(void *arg)
{
    TAKE_ALL("0123456789", "9876543210");
}

static void test_lock_order__more_locks_than_it_remembers_make_it_silent(void)
{
    run_in_both(ten_deep, 0);
}

static void many_times(void *arg)
{
    for (int i = 0; i < 400; i++) {
        take(arg);
    }
}

static void two_many_times(void *arg)
{
    (void)arg;
    make_locks();
    take_beside(many_times, "01 02 03 12 13 23", 1000000);
    destroy_locks();
}

static void test_lock_order__what_is_taken_again_and_again_takes_no_room(void)
{
    run_in_sim(two_many_times, SOLO_CARRIER_FIBER);
    expect_warning(1);
}

static void unlock_what_another_holds(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[0]), -EPERM);
}

static void with_refused_unlock(void *arg)
{
    (void)arg;
    make_locks();
    CU_ASSERT_EQUAL(solo_mutex_lock(locks[0]), 0);
    let_another(unlock_what_another_holds, NULL);
    CU_ASSERT_EQUAL(solo_mutex_unlock(locks[0]), 0);
    take_beside(take, "01", 1000000);
    destroy_locks();
}

static void test_lock_order__an_unlock_that_is_refused_changes_nothing(void)
{
    run_in_sim(with_refused_unlock, SOLO_CARRIER_FIBER);
    expect_warning(1);
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

static void test_lock_order__shards_put_together_leave_out_what_one_of_them_reached(void)
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
static void test_lock_order__a_share_of_a_bounded_search_is_directed_at_the_deadlock_too(void)
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
static void test_lock_order__shares_that_tried_everything_together_hold_nothing_for_possible(void)
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
static void test_lock_order__a_bounded_search_leaves_what_it_did_not_reach_possible(void)
{
    static char text[1 << 16];
    CU_ASSERT_EQUAL(write_search(never_meet, "dfs:0", SOLO016_LOCK_ORDER, NULL), 1);
    CU_ASSERT_EQUAL(merge_search(SHARDS, text, sizeof text), SOLO_VERDICT_FINDINGS);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "warning[SOLO016]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "; 200 more directed at locks"));
}

void suite_lock_order(void)
{
    SOLO_SUITE("lock_order");
    SOLO_TEST(test_lock_order__both_orders_by_two_threads_are_found);
    SOLO_TEST(test_lock_order__one_order_is_fine);
    SOLO_TEST(test_lock_order__both_orders_by_one_thread_are_fine);
    SOLO_TEST(test_lock_order__a_circle_of_more_threads_is_found_once);
    SOLO_TEST(test_lock_order__a_chain_without_a_circle_is_fine);
    SOLO_TEST(test_lock_order__a_lock_that_all_hold_besides_keeps_them_apart);
    SOLO_TEST(test_lock_order__a_lock_of_one_thread_keeps_nobody_apart);
    SOLO_TEST(test_lock_order__start_and_join_keep_threads_apart);
    SOLO_TEST(test_lock_order__a_sleep_keeps_nobody_apart);
    SOLO_TEST(test_lock_order__work_that_was_queued_after_it_comes_after_it);
    SOLO_TEST(test_lock_order__work_that_was_queued_before_it_may_meet_it);
    SOLO_TEST(test_lock_order__one_schedule_is_enough_to_direct_others_at_the_deadlock);
    SOLO_TEST(test_lock_order__a_deadlock_that_was_reached_is_said_once);
    SOLO_TEST(test_lock_order__what_no_schedule_reached_is_a_warning_whose_token_shows_it);
    SOLO_TEST(test_lock_order__when_every_schedule_was_tried_nothing_is_possible_any_more);
    SOLO_TEST(test_lock_order__of_two_circles_one_is_reached_and_the_other_stays_possible);
    SOLO_TEST(test_lock_order__a_warning_does_not_stop_the_search);
    SOLO_TEST(test_lock_order__jobs_and_checkpoints_lose_none);
    SOLO_TEST(test_lock_order__more_locks_than_it_remembers_make_it_silent);
    SOLO_TEST(test_lock_order__what_is_taken_again_and_again_takes_no_room);
    SOLO_TEST(test_lock_order__an_unlock_that_is_refused_changes_nothing);
    SOLO_TEST(test_lock_order__shards_put_together_leave_out_what_one_of_them_reached);
    SOLO_TEST(test_lock_order__a_share_of_a_bounded_search_is_directed_at_the_deadlock_too);
    SOLO_TEST(test_lock_order__shares_that_tried_everything_together_hold_nothing_for_possible);
    SOLO_TEST(test_lock_order__a_bounded_search_leaves_what_it_did_not_reach_possible);
}
