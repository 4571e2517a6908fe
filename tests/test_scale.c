/*
 * test_scale.c - explorations by several processes, in parts, and gone on with after they were killed: the result is
 * always the one that a single process has.
 */
#include "support.h"
#include "unit.h"
#include <errno.h>
#include <jansson.h>
#include <solo/explore.h>
#include <solo/merge.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

static struct solo_report report, other; /* too large for the stack */
static struct runner_output output;

static const char *program(void)
{
    return runner_build_path("tests/programs/misbehave");
}

static const char *solo(void)
{
    return runner_build_path("bin/solo");
}

/* ---- Units ---- */

static void test_scale__every_schedule_is_in_exactly_one_unit_of_one_shard(void)
{
    static const uint64_t totals[] = {0, 1, 127, 128, 129, 1000, 1280};
    for (unsigned t = 0; t < sizeof totals / sizeof totals[0]; t++) {
        for (uint64_t shards = 1; shards <= 12; shards++) {
            unsigned char seen[2000] = {0};
            uint64_t all = 0;
            for (uint64_t shard = 0; shard < shards; shard++) {
                struct solo__units units = {totals[t], shard, shards};
                uint64_t first = 0;
                uint32_t size = solo__unit_size(&units, 0, &first);
                for (uint64_t i = 0; size != 0; size = solo__unit_size(&units, ++i, &first)) {
                    all += size;
                    for (uint32_t s = 0; s < size; s++) {
                        seen[first + s]++;
                    }
                }
            }
            CU_ASSERT_EQUAL(all, totals[t]);
            CU_ASSERT_EQUAL(memchr(seen, 2, sizeof seen), NULL);
        }
    }
}

static void test_scale__the_last_unit_of_the_largest_exploration_overflows_nothing(void)
{
    struct solo__units units = {UINT64_MAX, 0, 3};
    uint64_t first = 0;
    CU_ASSERT_EQUAL(solo__unit_size(&units, UINT64_MAX, &first), 0);
    CU_ASSERT_EQUAL(solo__unit_size(&units, UINT64_MAX / 2, &first), 0);
    CU_ASSERT_EQUAL(solo__unit_size(&units, 1, &first), SOLO__UNIT_MAX);
    CU_ASSERT_EQUAL(first, 3 * SOLO__UNIT_MAX);
}

/* ---- Jobs ---- */

static _Atomic int counter;

static void add_one(void *arg)
{
    (void)arg;
    int seen = counter;
    solo_yield();
    counter = seen + 1;
}

static void add_in_threads(void *arg)
{
    struct solo_thread *threads[3];
    (void)arg;
    counter = 0;
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(add_one, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        solo_thread_join(threads[i]);
    }
}

static const char *is_three(void *arg)
{
    (void)arg;
    return counter == 3 ? NULL : "an update was lost";
}

static void crash_on_lost_update(void *arg)
{
    add_in_threads(arg);
    if (counter != 3) {
        abort();
    }
}

static const struct solo_scenario losing = {.name = "losing", .body = add_in_threads, .invariant = is_three};
static const struct solo_scenario passing = {.name = "passing", .body = add_in_threads};
static const struct solo_scenario crashing = {.name = "crashing", .body = crash_on_lost_update};

static struct solo_explore_options defaults(unsigned jobs)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.jobs = jobs;
    options.schedules_max = 300;
    return options;
}

static void check_same(const struct solo_report *one, const struct solo_report *two)
{
    CU_ASSERT_EQUAL(one->verdict, two->verdict);
    CU_ASSERT_EQUAL(one->schedules, two->schedules);
    CU_ASSERT_EQUAL(one->distinct, two->distinct);
    CU_ASSERT_EQUAL(one->failing, two->failing);
    CU_ASSERT_EQUAL(one->steps, two->steps);
    CU_ASSERT_EQUAL(one->choices, two->choices);
    CU_ASSERT_STRING_EQUAL(one->evidence, two->evidence);
    CU_ASSERT_EQUAL_FATAL(one->finding_count, two->finding_count);
    for (unsigned i = 0; i < one->finding_count; i++) {
        CU_ASSERT_STRING_EQUAL(one->findings[i].signature, two->findings[i].signature);
        CU_ASSERT_STRING_EQUAL(one->findings[i].token, two->findings[i].token);
        CU_ASSERT_STRING_EQUAL(one->findings[i].passing_token, two->findings[i].passing_token);
        CU_ASSERT_EQUAL(one->findings[i].schedules, two->findings[i].schedules);
        CU_ASSERT_EQUAL(one->findings[i].first_schedule, two->findings[i].first_schedule);
        CU_ASSERT_EQUAL(one->findings[i].deviations_found, two->findings[i].deviations_found);
    }
}

static void check_jobs(const struct solo_scenario *scenario, const struct solo_explore_options *given)
{
    static const unsigned jobs[] = {1, 2, 5};
    struct solo_explore_options options = *given;
    options.jobs = 0;
    CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &report), 0);
    printf("%s: %s\n", scenario->name, report.evidence);
    for (unsigned i = 0; i < 3; i++) {
        options.jobs = jobs[i];
        CU_ASSERT_EQUAL_FATAL(solo_explore(scenario, &options, &other), 0);
        check_same(&report, &other);
    }
}

static void test_scale__any_number_of_jobs_gives_the_same_result(void)
{
    struct solo_explore_options options = defaults(0);
    options.strategy = "random";
    check_jobs(&losing, &options);
    CU_ASSERT_EQUAL(report.schedules, 300);
    CU_ASSERT_EQUAL(report.finding_count, 1);
    check_jobs(&passing, &options);
    CU_ASSERT_EQUAL(report.finding_count, 0);
}

static void test_scale__the_first_failure_is_the_first_for_any_number_of_jobs(void)
{
    struct solo_explore_options options = defaults(0);
    options.strategy = "random";
    options.stop_at_first = true;
    check_jobs(&losing, &options);
    CU_ASSERT_EQUAL(report.failing, 1);
}

static void test_scale__a_crash_in_one_job_is_a_finding_like_any_other(void)
{
    struct solo_explore_options options = defaults(0);
    options.strategy = "random";
    options.schedules_max = 150;
    options.shrink = false;
    check_jobs(&crashing, &options);
    CU_ASSERT_EQUAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.schedules, 150);
}

static void yield_often(void *arg)
{
    for (unsigned i = 0; i < 12; i++) {
        solo_yield();
    }
    add_in_threads(arg);
}

/* It has 1,000 distinct schedules in the middle of a unit. */
static void test_scale__the_limit_on_distinct_schedules_is_met_exactly(void)
{
    static const struct solo_scenario scenario = {.name = "many", .body = yield_often};
    struct solo_explore_options options = defaults(0);
    options.strategy = "random";
    options.schedules_max = 0;
    check_jobs(&scenario, &options);
    CU_ASSERT_TRUE(report.distinct == 1000 || report.schedules == 10000);
    CU_ASSERT_NOT_EQUAL(report.schedules % SOLO__UNIT_MAX, 0);
}

static void test_scale__every_strategy_gives_the_same_for_all_numbers_of_jobs(void)
{
    struct solo_explore_options options = defaults(1);
    for (unsigned i = 0; solo_strategy_at(i) != NULL; i++) {
        options.strategy = solo_strategy_at(i);
        options.jobs = 1;
        CU_ASSERT_EQUAL_FATAL(solo_explore(&losing, &options, &report), 0);
        options.jobs = 3;
        CU_ASSERT_EQUAL_FATAL(solo_explore(&losing, &options, &other), 0);
        check_same(&report, &other);
    }
}

static void test_scale__a_program_without_a_choice_is_run_once(void)
{
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    SOLO_SKIP("a sanitizer's kit does not load into a plain program");
#endif
    support_shell(&output, "%s explore --jobs 2 /bin/true", solo());
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "evidence: the only schedule passed"));
}

static void test_scale__wrong_numbers_are_refused(void)
{
    struct solo_explore_options options = defaults(SOLO_JOBS_MAX + 1);
    CU_ASSERT_EQUAL(solo_explore(&losing, &options, &report), -EINVAL);
    options = defaults(1);
    options.shard = 1;
    CU_ASSERT_EQUAL(solo_explore(&losing, &options, &report), -EINVAL);
    options.shards = 3;
    options.shard = 0;
    CU_ASSERT_EQUAL(solo_explore(&losing, &options, &report), -EINVAL);
    options.shard = 4;
    CU_ASSERT_EQUAL(solo_explore(&losing, &options, &report), -EINVAL);
    options.shards = SOLO_SHARDS_MAX + 1;
    CU_ASSERT_EQUAL(solo_explore(&losing, &options, &report), -EINVAL);
}

static void test_scale__a_single_schedule_has_no_shards_and_says_so(void)
{
    struct solo_explore_options options = defaults(1);
    options.strategy = "fifo";
    options.shard = 1;
    options.shards = 2;
    CU_ASSERT_EQUAL(solo_explore(&losing, &options, &report), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "has no shards"));
}

/* ---- Progress ---- */

static void test_scale__progress_says_how_far_it_is_and_how_long_it_may_take(void)
{
    char *text = NULL;
    size_t size = 0;
    struct solo_explore_options options = defaults(2);
    options.progress = open_memstream(&text, &size);
    CU_ASSERT_EQUAL_FATAL(solo_explore(&losing, &options, &report), 0);
    (void)fclose(options.progress);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " %, about 0 s left") != NULL ? text : strstr(text, "300 schedules, "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " failing, "));
    CU_ASSERT_STRING_EQUAL(text + size - 4, "\r\033[K");
    free(text);
}

/* ---- Checkpoints ---- */

static void test_scale__whoever_kills_it_at_any_time_loses_nothing(void)
{
    const char *file = runner_scratch_path("checkpoint");
    support_shell(&output, "%s explore --jobs 2 --schedules 1500 %s exit > %s", solo(), program(),
                  runner_scratch_path("whole"));
    CU_ASSERT_EQUAL(output.status, 1);
    support_shell(
        &output,
        "for i in 1 2 3; do rm -f %s.seen; %s explore --jobs 2 --checkpoint %s --schedules 1500 %s exit > %s.seen &\n"
        "while ! [ -s %s ] && kill -0 $!; do :; done; kill -9 $!; wait; done 2> /dev/null\n"
        "%s explore --jobs 3 --checkpoint %s --schedules 1500 %s exit > %s && cat %s.seen",
        file, solo(), file, program(), file, file, solo(), file, program(), runner_scratch_path("resumed"), file);
    CU_ASSERT_EQUAL(output.status, 1);
    support_shell(&output, "cmp %s %s", runner_scratch_path("whole"), runner_scratch_path("resumed"));
    CU_ASSERT_EQUAL(output.status, 0);
    support_shell(&output, "%s explore --checkpoint %s --schedules 1500 %s exit | cmp - %s", solo(), file, program(),
                  runner_scratch_path("whole"));
    CU_ASSERT_EQUAL(output.status, 0); /* all was done: it is said again */
}

/* The schedules are run in two goes: the first process ends itself in the middle. */
static void check_resumed(const char *strategy)
{
    struct solo_explore_options options = defaults(0);
    options.strategy = strategy;
    options.schedules_max = 3000;
    CU_ASSERT_EQUAL_FATAL(solo_explore(&losing, &options, &report), 0);
    options.checkpoint_file = runner_scratch_path(strategy);
    support_shell(&output, "rm -f %s", options.checkpoint_file);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_explore(&losing, &options, &other), 0);
        check_same(&report, &other);
    }
}

static void test_scale__a_finished_exploration_is_told_again_from_its_checkpoint(void)
{
    check_resumed("random");
    check_resumed("dfs");
    check_resumed("fifo");
}

static void check_refused(const char *arguments, const char *expected)
{
    support_shell(&output, "cd %s && %s explore %s", runner_scratch_path(""), solo(), arguments);
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
    bool says = strstr(output.text, expected) != NULL;
    if (!says) {
        printf("'%s' is missing in: %s", expected, output.text);
    }
    CU_ASSERT_TRUE(says);
}

static void test_scale__a_checkpoint_of_something_else_is_refused_in_one_line(void)
{
    char arguments[2048];
    support_shell(
        &output,
        "cd %s && cp %s program && cp program twin && %s explore --checkpoint c --schedules 20 ./program nothing",
        runner_scratch_path(""), program(), solo());
    CU_ASSERT_EQUAL(output.status, 0);
    check_refused("--checkpoint c --schedules 20 ./twin nothing", "it is of another program, program");
    check_refused("--checkpoint c --schedules 20 ./program exit", "the program or its arguments have changed");
    check_refused("--checkpoint c --schedules 21 ./program nothing", "made with other options");
    check_refused("--checkpoint c --schedules 20 --seed 2 ./program nothing", "made with other options");
    check_refused("--checkpoint c --schedules 20 --shard 1/2 ./program nothing", "made with other options");
    check_refused("--checkpoint /nonexistent/c ./program nothing", "cannot be written: No such file or directory");
    check_refused("--checkpoint . ./program nothing", "checkpoint .: ");
    (void)snprintf(arguments, sizeof arguments, "--checkpoint %s ./program nothing",
                   support_write_file("words", "words\n"));
    check_refused(arguments, "it is not a checkpoint");
    support_shell(
        &output,
        "cd %s && head -c -1 c > short && (cat c; echo) > long && (printf x; tail -c +2 c) > else && "
        "(head -c 16 c; printf '\\7'; tail -c +18 c) > version && (head -c -20 c; tail -c 20 c | tr '\\0' 'x') > bits",
        runner_scratch_path(""));
    check_refused("--checkpoint short --schedules 20 ./program nothing", "it is damaged");
    check_refused("--checkpoint long --schedules 20 ./program nothing", "it is damaged");
    check_refused("--checkpoint bits --schedules 20 ./program nothing", "it is damaged");
    check_refused("--checkpoint else --schedules 20 ./program nothing", "it is not a checkpoint");
    check_refused("--checkpoint version --schedules 20 ./program nothing", "another version");
    support_shell(&output, "cd %s && echo >> program", runner_scratch_path(""));
    check_refused("--checkpoint c --schedules 20 ./program nothing", "the program or its arguments have changed");
}

static void test_scale__unknown_jobs_and_shards_are_refused_in_one_line(void)
{
    static const char *const shards[] = {"0/2",  "3/2", "2",    "a/b",     "1/",  "/2",
                                         "1/2x", "1/0", "-1/2", "1/70000", "1 /2"};
    char arguments[2048];
    for (unsigned i = 0; i < sizeof shards / sizeof shards[0]; i++) {
        (void)snprintf(arguments, sizeof arguments, "--shard '%s' %s", shards[i], program());
        check_refused(arguments, "is not K/N");
    }
    (void)snprintf(arguments, sizeof arguments, "--jobs 0 %s", program());
    check_refused(arguments, "'0' is not a number from 1 to 256");
    (void)snprintf(arguments, sizeof arguments, "--strategy fifo --shard 1/2 %s", program());
    check_refused(arguments, "has no shards");
    (void)snprintf(arguments, sizeof arguments, "--jobs 2 /etc/passwd");
    check_refused(arguments, "it may not be executed");
}

/* ---- Shards ---- */

/* One file for each of `shards` shards and one of the whole. */
static void explore_shards(unsigned shards, const char *argument)
{
    support_shell(
        &output,
        "cd %s && for k in $(seq %u); do %s explore --shard $k/%u --schedules 700 --format json %s %s > $k.json; done;"
        "%s explore --schedules 700 --jobs 2 --format json %s %s > whole.json; true",
        runner_scratch_path(""), shards, solo(), shards, program(), argument, solo(), program(), argument);
    CU_ASSERT_EQUAL_FATAL(output.status, 0);
    CU_ASSERT_STRING_EQUAL(output.text, "");
}

static int merge_files(const char *arguments)
{
    support_shell(&output, "cd %s && %s merge %s", runner_scratch_path(""), solo(), arguments);
    return output.status;
}

static bool says(const char *text)
{
    bool found = strstr(output.text, text) != NULL;
    if (!found) {
        printf("'%s' is missing in:\n%s\n", text, output.text);
    }
    return found;
}

static void test_scale__shards_together_say_what_one_process_says(void)
{
    explore_shards(3, "exit");
    CU_ASSERT_EQUAL(merge_files("--format json 3.json 1.json 2.json | cmp - whole.json"), 0);
    CU_ASSERT_EQUAL(merge_files("2.json 3.json 1.json"), 1);
    CU_ASSERT_TRUE(says("error[check]: the program exited with status 3\n"));
    CU_ASSERT_TRUE(says("of 700 explored schedules show it\n"));
    CU_ASSERT_TRUE(says("replay:\nsolo replay solo1."));
    CU_ASSERT_TRUE(says("verdict: findings, 1 finding\nevidence: 700 schedules, "));
}

static void test_scale__a_missing_shard_is_named_and_a_pass_without_it_is_none(void)
{
    explore_shards(4, "nothing");
    CU_ASSERT_EQUAL(merge_files("1.json 2.json 3.json 4.json"), 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: 700 schedules, "));
    CU_ASSERT_EQUAL(merge_files("3.json 1.json"), 3);
    CU_ASSERT_TRUE(says("verdict: incomplete\n"));
    CU_ASSERT_TRUE(says("shard 2, 4 of 4"));
}

static void check_merge_refused(const char *arguments, const char *expected)
{
    CU_ASSERT_EQUAL(merge_files(arguments), 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
    CU_ASSERT_TRUE(says(expected));
}

/* A hang proves nothing, so the verdict is incomplete; but it was reported, so a script has to look at it. */
static void test_scale__a_merged_hang_has_the_exit_status_of_an_explored_one(void)
{
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    SOLO_SKIP("a sanitizer's kit does not load into a plain program");
#endif
    support_shell(&output, "cd %s && %s explore --steps 50 --schedules 200 %s endless", runner_scratch_path(""), solo(),
                  runner_build_path("tests/plain/unmodelled"));
    printf("%s", output.text);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_TRUE(says("verdict: incomplete, 1 finding\n"));
    for (int i = 1; i <= 2; i++) {
        support_shell(&output,
                      "cd %s && %s explore --steps 50 --schedules 200 --shard %d/2 --format json %s endless > %d.json",
                      runner_scratch_path(""), solo(), i, runner_build_path("tests/plain/unmodelled"), i);
        CU_ASSERT_EQUAL(output.status, 1);
    }
    support_shell(&output, "cd %s && %s merge 1.json 2.json", runner_scratch_path(""), solo());
    printf("%s", output.text);
    CU_ASSERT_TRUE(says("verdict: incomplete, 1 finding\n"));
    CU_ASSERT_EQUAL(output.status, 1);
}

static void test_scale__what_does_not_belong_together_is_not_merged(void)
{
    explore_shards(2, "nothing");
    support_shell(&output, "cd %s && %s explore --shard 2/2 --schedules 701 --format json %s nothing > more.json",
                  runner_scratch_path(""), solo(), program());
    support_shell(
        &output,
        "cd %s && %s explore --shard 2/2 --schedules 700 --format json %s exit > words.json; echo { > half.json",
        runner_scratch_path(""), solo(), runner_build_path("lessons/01_wrong_thread/fixed"));
    check_merge_refused("", "no file given");
    check_merge_refused("1.json 1.json", "1.json: this shard was there already");
    check_merge_refused("1.json more.json", "more.json: belongs to another exploration");
    check_merge_refused("1.json words.json", "words.json: belongs to another exploration");
    check_merge_refused("whole.json", "whole.json: not a result of `solo explore --shard K/N --format json`");
    check_merge_refused("none.json", "none.json: ");
    check_merge_refused("1.json half.json", "half.json: ");
    enum solo_verdict verdict;
    unsigned findings;
    char why[SOLO_EVIDENCE_MAX];
    CU_ASSERT_EQUAL(solo_merge(NULL, 1, false, stdout, &verdict, &findings, why), -EINVAL);
}

/* ---- The recipe ---- */

/* The block behind the remark that begins this way, as a file of the test's own. */
static const char *recipe(const char *remark, const char *name)
{
    static char block[4096];
    const char *text = support_read_file("docs/scale.md");
    const char *found = text != NULL ? strstr(text, remark) : NULL;
    const char *fence = found != NULL ? strstr(found, "\n```") : NULL;
    const char *code = fence != NULL ? strchr(fence + 1, '\n') + 1 : NULL;
    const char *end = code != NULL ? strstr(code, "```") : NULL;
    CU_ASSERT_TRUE_FATAL(end != NULL &&
                         snprintf(block, sizeof block, "%.*s", (int)(end - code), code) < (int)sizeof block);
    return support_write_file(name, block);
}

/* A folder with a program called chat; `commands` run there, with `solo` in PATH. */
static int run_recipe(const char *commands)
{
    support_shell(&output, "cd %s && rm -f *.json && cp %s chat && PATH=%s:$PATH && export PATH && set -e\n%s",
                  runner_scratch_path(""), program(), runner_build_path("bin"), commands);
    printf("%s\n", output.text);
    return output.status;
}

static bool is_installed(const char *command)
{
    support_shell(&output, "%s", command);
    return output.status == 0;
}

/* They are text: what they call is tested in every flavour already. */
#if defined(SOLO_VALGRIND) || defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_TORTURE)
#define SKIP_RECIPE() SOLO_SKIP("recipes are run where schedules are quick")
#else
#define SKIP_RECIPE()
#endif

static void test_scale__the_recipe_for_gnu_parallel_works_as_it_is_written(void)
{
    SKIP_RECIPE();
    char commands[1024];
    const char *script = recipe("<!-- tests/test_scale.c runs this one -->", "parallel.sh");
    if (!is_installed("parallel --version")) {
        SOLO_SKIP("GNU parallel is not installed");
    }
    (void)snprintf(commands, sizeof commands, "HOME=$PWD; export HOME; sh -e %s", script);
    CU_ASSERT_EQUAL(run_recipe(commands), 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: 1,200 schedules, "));
}

/* Slurm sets these variables in each task of an array. */
static void test_scale__the_recipe_for_slurm_works_in_the_environment_of_its_tasks(void)
{
    SKIP_RECIPE();
    char commands[2048];
    const char *script = recipe("<!-- tests/test_scale.c runs this one in each task", "slurm.sh");
    (void)snprintf(commands, sizeof commands,
                   "sed 's/1000000/1200/' %s > task.sh\n"
                   "grep -q '^#SBATCH --array=1-[0-9]* ' task.sh\n"
                   "for id in 1 2 3; do SLURM_ARRAY_TASK_ID=$id SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=3 "
                   "SLURM_ARRAY_TASK_COUNT=3 sh task.sh; done\n"
                   "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_COUNT=3 "
                   "sh task.sh # it was put back into the queue\n"
                   "solo merge shard-*.json",
                   script);
    CU_ASSERT_EQUAL(run_recipe(commands), 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: 1,200 schedules, "));
}

/* The controller sets this variable in each pod of an indexed job. */
static void test_scale__the_recipe_for_kubernetes_works_for_each_index(void)
{
    SKIP_RECIPE();
    char commands[2048];
    const char *job = recipe("<!-- tests/test_scale.c reads this one and runs its script for each index", "job.yaml");
    if (!is_installed("yq --version")) {
        SOLO_SKIP("yq is not installed: nothing reads YAML");
    }
    (void)snprintf(commands, sizeof commands,
                   "[ \"$(yq -r '.kind + .spec.completionMode' %s)\" = JobIndexed ]\n"
                   "yq -r '.spec.template.spec.containers[0].args[0]' %s | sed \"s/1000000/2400/; s=/results=$PWD=g\""
                   " > pod.sh\n"
                   "n=$(yq -r .spec.completions %s)\n"
                   "for i in $(seq 0 $((n - 1))); do JOB_COMPLETION_INDEX=$i sh pod.sh; done\n"
                   "[ \"$(ls | grep -c '^[0-9]*[.]json$')\" = \"$n\" ]\n"
                   "solo merge [0-9]*.json",
                   job, job, job);
    CU_ASSERT_EQUAL(run_recipe(commands), 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: 2,400 schedules, "));
}

static void test_scale__the_recipe_for_a_matrix_works_for_each_shard(void)
{
    SKIP_RECIPE();
    char commands[2048];
    const char *jobs = recipe("<!-- tests/test_scale.c reads this one and runs its scripts for each shard", "ci.yaml");
    if (!is_installed("yq --version")) {
        SOLO_SKIP("yq is not installed: nothing reads YAML");
    }
    (void)snprintf(commands, sizeof commands,
                   "yq -r '.jobs.explore.steps[0].run' %s | sed s/100000/1200/ > explore.sh\n"
                   "for k in $(yq -r '.jobs.explore.strategy.matrix.shard[]' %s); do\n"
                   "sed 's/${{ matrix.shard }}/'$k'/g' explore.sh > step.sh; sh -e step.sh; done\n"
                   "yq -r '.jobs.verdict.steps[0].run' %s > verdict.sh; sh -e verdict.sh",
                   jobs, jobs, jobs);
    CU_ASSERT_EQUAL(run_recipe(commands), 0);
    CU_ASSERT_TRUE(says("verdict: clean\nevidence: 1,200 schedules, "));
}

void suite_scale(void)
{
    SOLO_SUITE("scale");
    SOLO_TEST(test_scale__every_schedule_is_in_exactly_one_unit_of_one_shard);
    SOLO_TEST(test_scale__the_last_unit_of_the_largest_exploration_overflows_nothing);
    SOLO_TEST(test_scale__any_number_of_jobs_gives_the_same_result);
    SOLO_TEST(test_scale__the_first_failure_is_the_first_for_any_number_of_jobs);
    SOLO_TEST(test_scale__a_crash_in_one_job_is_a_finding_like_any_other);
    SOLO_TEST(test_scale__the_limit_on_distinct_schedules_is_met_exactly);
    SOLO_TEST(test_scale__every_strategy_gives_the_same_for_all_numbers_of_jobs);
    SOLO_TEST(test_scale__a_program_without_a_choice_is_run_once);
    SOLO_TEST(test_scale__wrong_numbers_are_refused);
    SOLO_TEST(test_scale__a_single_schedule_has_no_shards_and_says_so);
    SOLO_TEST(test_scale__progress_says_how_far_it_is_and_how_long_it_may_take);
    SOLO_TEST(test_scale__whoever_kills_it_at_any_time_loses_nothing);
    SOLO_TEST(test_scale__a_finished_exploration_is_told_again_from_its_checkpoint);
    SOLO_TEST(test_scale__a_checkpoint_of_something_else_is_refused_in_one_line);
    SOLO_TEST(test_scale__unknown_jobs_and_shards_are_refused_in_one_line);
    SOLO_TEST(test_scale__shards_together_say_what_one_process_says);
    SOLO_TEST(test_scale__a_missing_shard_is_named_and_a_pass_without_it_is_none);
    SOLO_TEST(test_scale__a_merged_hang_has_the_exit_status_of_an_explored_one);
    SOLO_TEST(test_scale__what_does_not_belong_together_is_not_merged);
    SOLO_TEST(test_scale__the_recipe_for_gnu_parallel_works_as_it_is_written);
    SOLO_TEST(test_scale__the_recipe_for_slurm_works_in_the_environment_of_its_tasks);
    SOLO_TEST(test_scale__the_recipe_for_kubernetes_works_for_each_index);
    SOLO_TEST(test_scale__the_recipe_for_a_matrix_works_for_each_shard);
}
