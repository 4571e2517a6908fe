/*
 * test_shards.c - exhaustive searches that are divided: the shards together run the schedules of one search, each once,
 * and what they found is what one search finds.
 */
#define _GNU_SOURCE
#include "division.h"
#include "possible.h"
#include "support.h"
#include <errno.h>
#include <solo/access.h>
#include <solo/explore.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

static struct solo_report report, other; /* too large for the stack */
static struct runner_output output;

static const char *program(void)
{
    return runner_build_path("tests/plain/lost_update");
}

static const char *solo(void)
{
    return runner_build_path("bin/solo");
}

/* ---- What is searched ---- */

static long counter;

static void add_one(void *arg)
{
    (void)arg;
    long seen = SOLO_READ(counter);
    solo_yield();
    SOLO_WRITE(counter, seen + 1);
}

static void add_in_threads(unsigned count)
{
    struct solo_thread *threads[4];
    counter = 0;
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(add_one, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static void two_add(void *arg)
{
    (void)arg;
    add_in_threads(2);
}

static void three_add(void *arg)
{
    (void)arg;
    add_in_threads(3);
}

static const char *is_two(void *arg)
{
    (void)arg;
    return counter == 2 ? NULL : "an update was lost";
}

static const char *is_three(void *arg)
{
    static const char *const words[] = {"none was kept", "one was kept", "two were kept", NULL};
    (void)arg;
    return words[counter & 3];
}

static struct solo_mutex *locks[2];

static void lock_both(void *arg)
{
    unsigned first = arg != NULL;
    (void)solo_mutex_lock(locks[first]);
    (void)solo_mutex_lock(locks[!first]);
    (void)solo_mutex_unlock(locks[!first]);
    (void)solo_mutex_unlock(locks[first]);
}

static void lock_in_threads(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&locks[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(lock_both, i == 0 ? NULL : &locks, &threads[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static void call(void *arg)
{
    (void)arg;
}

static void stop_it(void *arg)
{
    (void)solo_reactor_stop(arg);
}

static void call_from_thread(void *arg)
{
    (void)solo_reactor_call_from_thread(arg, call, NULL, NULL);
    (void)solo_reactor_call_from_thread(arg, stop_it, arg, NULL);
}

static void run_reactor(void *arg)
{
    struct solo_reactor *reactor;
    struct solo_thread *thread;
    (void)arg;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(call_from_thread, reactor, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    (void)solo_thread_join(thread);
    solo_reactor_destroy(reactor);
}

static void single(void *arg)
{
    (void)arg;
    counter = 3;
}

static const struct solo_scenario two = {.name = "two", .body = two_add, .invariant = is_two};
static const struct solo_scenario three = {.name = "three", .body = three_add, .invariant = is_three};
static const struct solo_scenario locking = {.name = "locking", .body = lock_in_threads};
static const struct solo_scenario looping = {.name = "looping", .body = run_reactor};
static const struct solo_scenario lonely = {.name = "lonely", .body = single};

static struct solo_explore_options options_for(const char *strategy)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = strategy;
    options.shrink = false;
    return options;
}

/* ---- Sets of schedules ---- */

enum { SET_MAX = 40000 };

struct set {
    unsigned count;
    uint64_t hashes[SET_MAX];
};

static struct set whole, together;

static void add(struct set *set, uint64_t hash)
{
    CU_ASSERT_TRUE_FATAL(set->count < SET_MAX);
    set->hashes[set->count++] = hash & ~UINT64_C(1);
}

static int compare(const void *one, const void *other_one)
{
    const uint64_t *a = one;
    const uint64_t *b = other_one;
    return *a < *b ? -1 : *a > *b;
}

/* Not only the same hashes, but each as often. */
static void check_equal(struct set *one, struct set *two_sets)
{
    qsort(one->hashes, one->count, sizeof one->hashes[0], compare);
    qsort(two_sets->hashes, two_sets->count, sizeof two_sets->hashes[0], compare);
    CU_ASSERT_EQUAL(one->count, two_sets->count);
    CU_ASSERT_TRUE(one->count == two_sets->count &&
                   memcmp(one->hashes, two_sets->hashes, one->count * sizeof one->hashes[0]) == 0);
}

/* One search without the explorer. */
static void search_alone(const struct solo_scenario *scenario, const char *strategy_name)
{
    size_t size;
    const struct solo_strategy *strategy = solo_strategy_find(strategy_name, &size);
    struct solo__dfs_state *state = calloc(1, size);
    struct solo_sim_options options = {.strategy = strategy, .strategy_state = state, .let_time_pass = true};
    struct solo_sim *sim;
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(strategy, state, solo_strategy_argument(strategy_name, 2)), 0);
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    whole.count = 0;
    while (solo_sim_run(sim, 1, scenario->body, scenario->arg) >= 0) {
        if (!solo__dfs_is_repeat(state)) {
            add(&whole, solo_sim_get_log(sim)->trace_hash);
        }
    }
    CU_ASSERT_TRUE(state->finished);
    solo_sim_destroy(sim);
    free(state);
    solo_violation_reset();
}

/* A shard's schedules; none of them twice. */
static void add_shard(void)
{
    for (uint64_t i = 0; i < report.distinct; i++) {
        CU_ASSERT_EQUAL(report.traces[i] & 1, 0);
        add(&together, report.traces[i]);
    }
    CU_ASSERT_EQUAL(report.distinct, report.schedules);
    free(report.traces);
    free(report.seen_orders);
    report.traces = report.seen_orders = NULL;
}

static void check_shards(const struct solo_scenario *scenario, const char *strategy, unsigned shards, unsigned jobs)
{
    struct solo_explore_options options = options_for(strategy);
    uint64_t failing = 0;
    options.jobs = jobs;
    together.count = 0;
    for (options.shard = 1, options.shards = shards; options.shard <= shards; options.shard++) {
        CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &report), 0);
        CU_ASSERT_TRUE(report.search.finished);
        failing += report.failing;
        add_shard();
    }
    check_equal(&whole, &together);
    CU_ASSERT_EQUAL(failing, other.failing);
}

/* The shards of a search against one search, which goes on from schedule to schedule. */
static void check_search(const struct solo_scenario *scenario, const char *strategy)
{
    static const unsigned shards[] = {1, 2, 3, 7};
    struct solo_explore_options options = options_for(strategy);
    search_alone(scenario, strategy);
    CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &other), 0);
    printf("%s, %s: %s\n", scenario->name, strategy, other.evidence);
    CU_ASSERT_EQUAL(other.schedules, whole.count);
    for (unsigned i = 0; i < sizeof shards / sizeof shards[0]; i++) {
        check_shards(scenario, strategy, shards[i], i == 2 ? 2 : 0);
    }
}

static void test_shards__of_an_unbounded_search_together_run_what_one_search_runs(void)
{
    check_search(&two, "dfs:4294967295");
    check_search(&locking, "dfs:4294967295");
    check_search(&lonely, "dfs:4294967295");
}

static void test_shards__of_a_search_bounded_by_delays_together_run_what_one_search_runs(void)
{
    check_search(&two, "dfs:0");
    check_search(&two, "dfs:1");
    check_search(&two, "dfs:5");
    check_search(&three, "dfs:2");
    check_search(&locking, "dfs:3");
    check_search(&looping, "dfs:2");
    check_search(&lonely, "dfs:2");
}

static void test_shards__of_a_search_bounded_by_preemptions_together_run_what_one_search_runs(void)
{
    check_search(&two, "preempt:0");
    check_search(&two, "preempt:1");
    check_search(&three,
                 SOLO__SET_MAX > 8192 ? "preempt:1" : "preempt:0"); /* what it is compared with must hold them */
    check_search(&locking, "preempt:3");
    check_search(&looping, "preempt:1");
}

static void test_shards__a_bound_that_nothing_reaches_is_everything(void)
{
    struct solo_explore_options options = options_for("dfs:60");
    CU_ASSERT_EQUAL_FATAL(solo_explore(&two, &options, &other), 0);
    search_alone(&two, "dfs:4294967295");
    CU_ASSERT_EQUAL(other.schedules, whole.count);
    check_shards(&two, "dfs:60", 3, 0);
    CU_ASSERT_TRUE(report.search.complete);
    check_shards(&two, "preempt:60", 2, 0);
    CU_ASSERT_TRUE(report.search.complete);
}

/* ---- Jobs ---- */

static void check_same(const struct solo_report *one, const struct solo_report *two_reports)
{
    CU_ASSERT_EQUAL(one->verdict, two_reports->verdict);
    CU_ASSERT_EQUAL(one->schedules, two_reports->schedules);
    CU_ASSERT_EQUAL(one->distinct, two_reports->distinct);
    CU_ASSERT_EQUAL(one->orders, two_reports->orders);
    CU_ASSERT_EQUAL(one->failing, two_reports->failing);
    CU_ASSERT_EQUAL(one->steps, two_reports->steps);
    CU_ASSERT_EQUAL(one->choices, two_reports->choices);
    CU_ASSERT_EQUAL(one->exhausted, two_reports->exhausted);
    CU_ASSERT_STRING_EQUAL(one->evidence, two_reports->evidence);
    CU_ASSERT_EQUAL_FATAL(one->finding_count, two_reports->finding_count);
    for (unsigned i = 0; i < one->finding_count; i++) {
        CU_ASSERT_STRING_EQUAL(one->findings[i].token, two_reports->findings[i].token);
        CU_ASSERT_TRUE(two_reports->findings[i].reproduced);
        CU_ASSERT_EQUAL(one->findings[i].schedules, two_reports->findings[i].schedules);
        CU_ASSERT_EQUAL(one->findings[i].first_schedule, two_reports->findings[i].first_schedule);
    }
}

static void check_jobs(const struct solo_scenario *scenario, const struct solo_explore_options *given)
{
    struct solo_explore_options options = *given;
    CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &report), 0);
    printf("%s, %s: %s\n", scenario->name, options.strategy, report.evidence);
    for (options.jobs = 1; options.jobs <= 4; options.jobs += 3) {
        CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &other), 0);
        check_same(&report, &other);
    }
}

static void test_shards__jobs_give_to_the_schedule_what_one_search_gives(void)
{
    static const char *const strategies[] = {"dfs:2", "preempt:1", "dfs:4294967295"};
    for (unsigned i = 0; i < 3; i++) {
        struct solo_explore_options options = options_for(strategies[i]);
        check_jobs(i < 2 ? &three : &two, &options);
        options.stop_at_first = true;
        check_jobs(&three, &options);
        CU_ASSERT_EQUAL(report.failing, 1);
    }
}

static void test_shards__jobs_stop_at_the_limit_of_one_search(void)
{
    static const uint64_t limits[] = {1, 63, 1100};
    for (unsigned i = 0; i < 3; i++) {
        struct solo_explore_options options = options_for("dfs:4294967295");
        options.schedules_max = limits[i];
        check_jobs(&three, &options);
        CU_ASSERT_EQUAL(report.schedules, limits[i]);
        options.strategy = "preempt:9";
        check_jobs(&three, &options);
        CU_ASSERT_EQUAL(report.schedules, limits[i]);
    }
}

static void crash_on_lost_update(void *arg)
{
    two_add(arg);
    if (counter != 2) {
        abort();
    }
}

static void test_shards__a_crash_in_a_job_ends_one_schedule_and_no_part(void)
{
    static const struct solo_scenario crashing = {.name = "crashing", .body = crash_on_lost_update};
    struct solo_explore_options options = options_for("dfs:1");
    check_jobs(&crashing, &options);
    CU_ASSERT_EQUAL(report.finding_count, 1);
    CU_ASSERT_TRUE(report.exhausted);
}

/* ---- Reduction ---- */

/* Every part of the search with reduction, once for each number of shards: the findings of one search. */
static void check_reduced(const struct solo_scenario *scenario)
{
    static const unsigned shards[] = {1, 2, 3, 7};
    struct solo_explore_options options = options_for("dpor");
    uint64_t undivided_max = solo__division_undivided_max;
    CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &other), 0);
    solo__division_undivided_max = 0;
    for (unsigned i = 0; i < sizeof shards / sizeof shards[0]; i++) {
        unsigned seen = 0;
        uint64_t schedules = 0;
        options.jobs = i & 1 ? 2 : 0;
        for (options.shard = 1, options.shards = shards[i]; options.shard <= shards[i]; options.shard++) {
            CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &report), 0);
            CU_ASSERT_TRUE(report.search.finished);
            schedules += report.schedules;
            for (unsigned f = 0; f < report.finding_count; f++) {
                bool known = false;
                for (unsigned o = 0; o < other.finding_count; o++) {
                    bool same = strcmp(other.findings[o].signature, report.findings[f].signature) == 0;
                    known = known || same;
                    seen |= same ? 1u << o : 0;
                }
                bool possible = solo__is_possible(&report.findings[f].violation); /* all shards together settle that */
                CU_ASSERT_TRUE(known || possible);
                CU_ASSERT_TRUE(report.findings[f].reproduced || possible);
            }
            free(report.traces);
            free(report.seen_orders);
        }
        printf("%s in %u: %llu schedules, of one search %llu\n", scenario->name, shards[i],
               (unsigned long long)schedules, (unsigned long long)other.schedules);
        CU_ASSERT_EQUAL(seen, (1u << other.finding_count) - 1);
        CU_ASSERT_TRUE(schedules >= other.schedules || other.finding_count == 0);
    }
    solo__division_undivided_max = undivided_max;
}

static void test_shards__with_reduction_together_find_what_one_search_finds(void)
{
    check_reduced(&two);
    check_reduced(&three);
    check_reduced(&locking);
    check_reduced(&looping);
    check_reduced(&lonely);
}

/* Programs that are drawn: fewer where each schedule takes longer. */
#if defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { DRAWN_MAX = 2 };
#else
enum { DRAWN_MAX = 12 };
#endif
enum { DRAWN_THREADS_MAX = 3, DRAWN_OPERATIONS = 3 };

static unsigned drawn_threads;
static uint64_t drawn; /* what the threads do follows from it */
static long words[2];

static void run_drawn(void *arg)
{
    uint64_t random = drawn + (uint64_t)(uintptr_t)arg * 1000;
    for (unsigned i = 0; i < DRAWN_OPERATIONS; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        unsigned which = (random >> 40) & 1;
        switch ((random >> 33) % 3) {
        case 0: (void)SOLO_READ(words[which]); break;
        case 1: SOLO_WRITE(words[which], 1); break;
        default:
            (void)solo_mutex_lock(locks[which]);
            (void)solo_mutex_unlock(locks[which]);
            break;
        }
    }
}

static void drawn_program(void *arg)
{
    struct solo_thread *threads[DRAWN_THREADS_MAX];
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&locks[i]), 0);
    }
    for (uintptr_t i = 0; i < drawn_threads; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(run_drawn, (void *)i, &threads[i]), 0);
    }
    for (unsigned i = 0; i < drawn_threads; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static void count_orders(struct set *set)
{
    unsigned distinct = 0;
    qsort(set->hashes, set->count, sizeof set->hashes[0], compare);
    for (unsigned i = 0; i < set->count; i++) {
        if (i == 0 || set->hashes[i] != set->hashes[i - 1]) {
            set->hashes[distinct++] = set->hashes[i];
        }
    }
    set->count = distinct;
}

/*
 * Who touched what before whom: the shards meet each order that one search meets, of two threads without reduction, of
 * three, which would take minutes, with it.
 */
static void test_shards__with_reduction_together_meet_every_order(void)
{
    static const struct solo_scenario scenario = {.name = "drawn", .body = drawn_program};
    uint64_t undivided_max = solo__division_undivided_max;
    unsigned schedules = 0;
    solo__division_undivided_max = 0;
    for (drawn = 1; drawn <= DRAWN_MAX; drawn++) {
        drawn_threads = 2 + (drawn & 1);
        struct solo_explore_options options = options_for(drawn_threads == 2 ? "dfs" : "dpor");
        options.let_time_pass = false;
        options.delay_bound = SOLO_DELAY_UNBOUNDED;
        CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &other), 0);
        CU_ASSERT_TRUE(other.exhausted);
        options.strategy = "dpor";
        together.count = 0;
        for (options.shard = 1, options.shards = 3; options.shard <= 3; options.shard++) {
            CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &report), 0);
            CU_ASSERT_TRUE(report.search.finished);
            schedules += (unsigned)report.schedules;
            for (uint64_t i = 0; i < report.orders; i++) {
                add(&together, report.seen_orders[i]);
            }
            free(report.traces);
            free(report.seen_orders);
        }
        count_orders(&together);
        CU_ASSERT_EQUAL(together.count, other.orders);
        printf("program %u: %u of %llu orders; %llu schedules, in shards %u\n", (unsigned)drawn, together.count,
               (unsigned long long)other.orders, (unsigned long long)other.schedules, schedules);
        schedules = 0;
    }
    solo__division_undivided_max = undivided_max;
}

/* ---- Programs that know nothing of the kit, by the command ---- */

/* A sanitizer's kit does not load into a plain program. */
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
#define SKIP_PLAIN() SOLO_SKIP("a sanitizer's kit does not load into a plain program")
#else
#define SKIP_PLAIN()
#endif

static bool says(const char *text)
{
    bool found = strstr(output.text, text) != NULL;
    if (!found) {
        printf("'%s' is missing in:\n%s\n", text, output.text);
    }
    return found;
}

/* One file for each of `shards` shards, one of one search, and one of one search with jobs. */
static void explore_program(const char *strategy, const char *argument, unsigned shards)
{
    support_shell(
        &output,
        "cd %s && rm -f *.json; for k in $(seq %u); do %s explore --strategy %s --shard $k/%u --format json %s "
        "%s > $k.json; done; %s explore --strategy %s --format json %s %s > whole.json; "
        "%s explore --strategy %s --jobs 3 --format json %s %s > jobs.json; true",
        runner_scratch_path(""), shards, solo(), strategy, shards, program(), argument, solo(), strategy, program(),
        argument, solo(), strategy, program(), argument);
    CU_ASSERT_EQUAL_FATAL(output.status, 0);
    CU_ASSERT_STRING_EQUAL(output.text, "");
}

static int merge_files(const char *arguments)
{
    support_shell(&output, "cd %s && %s merge %s", runner_scratch_path(""), solo(), arguments);
    return output.status;
}

static void check_program(const char *strategy, const char *argument, unsigned shards)
{
    explore_program(strategy, argument, shards);
    CU_ASSERT_EQUAL(merge_files("--format json [0-9].json | cmp - whole.json"), 0);
    CU_ASSERT_EQUAL(merge_files("--format json [0-9].json | cmp - jobs.json"), 0);
    CU_ASSERT_STRING_EQUAL(output.text, "");
}

static void test_shards__of_an_unmodified_program_merge_into_the_bytes_of_one_search(void)
{
    SKIP_PLAIN();
    check_program("dfs:3", "", 3);
    CU_ASSERT_EQUAL(merge_files("[0-9].json"), 1);
    CU_ASSERT_TRUE(says("evidence: exhausted at delay bound 3: "));
    CU_ASSERT_TRUE(says("replay:\nsolo replay solo1."));
    check_program("preempt:2", "", 7);
    check_program("dfs:60", "fixed", 2);
    CU_ASSERT_EQUAL(merge_files("[0-9].json"), 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: all "));
}

static void test_shards__one_that_is_missing_takes_the_claim_away(void)
{
    SKIP_PLAIN();
    explore_program("dfs:2", "fixed", 3);
    CU_ASSERT_EQUAL(merge_files("1.json 3.json"), 3);
    CU_ASSERT_TRUE(says("verdict: incomplete\nevidence: not exhausted: "));
    CU_ASSERT_TRUE(says("missing: shard 2 of 3"));
    CU_ASSERT_EQUAL(merge_files("2.json 1.json 3.json"), 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: exhausted at delay bound 2: "));
    support_shell(&output, "cd %s && cat 2.json", runner_scratch_path(""));
    CU_ASSERT_TRUE(says("\"evidence\": \"shard 2 of 3 alone: "));
    CU_ASSERT_TRUE(says("\"exhausted\": false"));
}

static void test_shards__one_that_met_its_limit_takes_the_claim_away(void)
{
    SKIP_PLAIN();
    explore_program("dfs:3", "fixed", 3);
    support_shell(&output,
                  "cd %s && for k in 1 2 3; do %s explore --strategy dfs:3 --shard $k/3 --schedules 9 --format json %s "
                  "fixed > $k.json; done",
                  runner_scratch_path(""), solo(), program());
    CU_ASSERT_EQUAL(merge_files("[0-9].json"), 0);
    CU_ASSERT_TRUE(says("evidence: exhausted at delay bound 2, in bound 3 not: 27 schedules tried, no failure"));
}

static void test_shards__more_than_there_are_parts_have_nothing_to_do(void)
{
    SKIP_PLAIN();
    support_shell(&output, "%s explore --strategy dfs --shard 7/7 /bin/true", solo());
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_TRUE(says("evidence: shard 7 of 7 alone: no schedule of the search was dealt to it"));
    support_shell(&output,
                  "cd %s && rm -f *.json; for k in 1 2 3; do %s explore --strategy dpor --shard $k/3 --format json "
                  "/bin/true > $k.json; done; %s merge 1.json 2.json 3.json",
                  runner_scratch_path(""), solo(), solo());
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: the only schedule passed"));
}

static void test_shards__together_with_jobs_and_a_terminal_say_how_far_they_are(void)
{
    char *text = NULL;
    size_t size = 0;
    struct solo_explore_options options = options_for("dfs:2");
    options.jobs = 2;
    options.shard = options.shards = 2;
    options.progress = open_memstream(&text, &size);
    CU_ASSERT_EQUAL_FATAL(solo_explore(&three, &options, &report), 0);
    (void)fclose(options.progress);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " schedules, "));
    CU_ASSERT_STRING_EQUAL(text + size - 4, "\r\033[K");
    free(text);
    free(report.traces);
    free(report.seen_orders);
}

static void test_shards__of_other_searches_are_not_merged(void)
{
    SKIP_PLAIN();
    explore_program("dfs:2", "fixed", 2);
    support_shell(&output,
                  "cd %s && %s explore --strategy dfs:1 --shard 2/2 --format json %s fixed > bound.json; "
                  "sed 's/division [0-9a-f]*/division 0123456789abcdef/' 2.json > division.json",
                  runner_scratch_path(""), solo(), program());
    CU_ASSERT_EQUAL(merge_files("1.json bound.json"), 2);
    CU_ASSERT_EQUAL(merge_files("1.json division.json"), 2);
    CU_ASSERT_TRUE(says("division.json: belongs to another exploration than the files before it\n"));
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
}

/* ---- Interrupted ---- */

struct interruption {
    unsigned left; /* signs of life before it */
};

static ssize_t interrupt(void *cookie, const char *text, size_t size)
{
    struct interruption *interruption = cookie;
    (void)text;
    if (interruption->left > 0 && --interruption->left == 0) {
        solo_explore_stop();
    }
    return (ssize_t)size;
}

static void explore_interrupted(const struct solo_scenario *scenario, struct solo_explore_options options,
                                unsigned signs)
{
    struct interruption interruption = {signs};
    options.progress = fopencookie(&interruption, "w", (cookie_io_functions_t){NULL, interrupt, NULL, NULL});
    CU_ASSERT_PTR_NOT_NULL_FATAL(options.progress);
    CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &report), 0);
    (void)fclose(options.progress);
}

/* Stopped again and again, then let go on to the end with other numbers of jobs. */
static void check_interrupted(const char *strategy)
{
    struct solo_explore_options options = options_for(strategy);
    options.jobs = 1;
    CU_ASSERT_EQUAL_FATAL(solo_explore(&three, &options, &other), 0);
    options.checkpoint_file = runner_scratch_path(strategy);
    (void)remove(options.checkpoint_file);
    unsigned stopped = 0;
    uint64_t last = 0;
    for (unsigned i = 0; i < 4; i++) {
        options.jobs = i % 3;
        explore_interrupted(&three, options, 3);
        stopped += report.stopped;
        CU_ASSERT_TRUE(report.schedules >= last || i > 0);
        last = report.schedules;
    }
    CU_ASSERT_TRUE(stopped > 0);
    options.jobs = 2;
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_explore(&three, &options, &report), 0);
        check_same(&other, &report);
    }
}

static void test_shards__a_search_that_is_interrupted_ends_as_if_it_had_not_been(void)
{
    uint64_t undivided_max = solo__division_undivided_max;
    solo__division_undivided_max = 0;
    check_interrupted("dfs:3");
    check_interrupted("preempt:2");
    check_interrupted("dpor");
    solo__division_undivided_max = undivided_max;
}

static void test_shards__one_that_is_killed_goes_on_from_its_checkpoint(void)
{
    SKIP_PLAIN();
    const char *file = runner_scratch_path("killed");
    support_shell(&output, "%s explore --strategy dfs:4 --shard 2/3 --format json %s > %s", solo(), program(),
                  runner_scratch_path("expected"));
    CU_ASSERT_EQUAL(output.status, 1);
    support_shell(&output,
                  "for i in 1 2; do %s explore --strategy dfs:4 --shard 2/3 --checkpoint %s %s > /dev/null &\n"
                  "while ! [ -s %s ] && kill -0 $!; do :; done; kill -9 $!; wait; done 2> /dev/null\n"
                  "%s explore --strategy dfs:4 --shard 2/3 --jobs 2 --checkpoint %s --format json %s | cmp - %s",
                  solo(), file, program(), file, solo(), file, program(), runner_scratch_path("expected"));
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_STRING_EQUAL(output.text, "");
}

void suite_shards(void)
{
    SOLO_SUITE("shards");
    SOLO_TEST(test_shards__of_an_unbounded_search_together_run_what_one_search_runs);
    SOLO_TEST(test_shards__of_a_search_bounded_by_delays_together_run_what_one_search_runs);
    SOLO_TEST(test_shards__of_a_search_bounded_by_preemptions_together_run_what_one_search_runs);
    SOLO_TEST(test_shards__a_bound_that_nothing_reaches_is_everything);
    SOLO_TEST(test_shards__jobs_give_to_the_schedule_what_one_search_gives);
    SOLO_TEST(test_shards__jobs_stop_at_the_limit_of_one_search);
    SOLO_TEST(test_shards__a_crash_in_a_job_ends_one_schedule_and_no_part);
    SOLO_TEST(test_shards__with_reduction_together_find_what_one_search_finds);
    SOLO_TEST(test_shards__with_reduction_together_meet_every_order);
    SOLO_TEST(test_shards__of_an_unmodified_program_merge_into_the_bytes_of_one_search);
    SOLO_TEST(test_shards__one_that_is_missing_takes_the_claim_away);
    SOLO_TEST(test_shards__one_that_met_its_limit_takes_the_claim_away);
    SOLO_TEST(test_shards__more_than_there_are_parts_have_nothing_to_do);
    SOLO_TEST(test_shards__together_with_jobs_and_a_terminal_say_how_far_they_are);
    SOLO_TEST(test_shards__of_other_searches_are_not_merged);
    SOLO_TEST(test_shards__a_search_that_is_interrupted_ends_as_if_it_had_not_been);
    SOLO_TEST(test_shards__one_that_is_killed_goes_on_from_its_checkpoint);
}
