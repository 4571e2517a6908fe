/*
 * test_interrupt.c - explorations that are stopped, stand still or find their files taken.
 */
#define _GNU_SOURCE
#include "process.h"
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <solo/explore.h>
#include <solo/solo.h>
#include <solo/token.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

static struct solo_report report; /* too large for the stack */
static struct runner_output output;

/* ---- The watchdog ---- */

static void test_interrupt__a_child_that_does_nothing_for_too_long_is_given_up(void)
{
    struct solo__patience patience;
    uint64_t now = 5 * SECOND;
    bool over = false;
    solo__patience_begin(&patience, now);
    for (; !over && now < 60 * SECOND; now += SECOND / 10) {
        over = solo__patience_is_over(&patience, now, false, true, 10 * SECOND);
    }
    CU_ASSERT_TRUE(over);
    CU_ASSERT(now > 15 * SECOND && now <= 15 * SECOND + SECOND / 2);
    solo__patience_begin(&patience, now);
    CU_ASSERT_FALSE(solo__patience_is_over(&patience, now + SECOND, false, false, 10 * SECOND));
    CU_ASSERT_TRUE(solo__patience_is_over(&patience, now + 16 * SECOND / 10, false, false, 10 * SECOND)); /* asleep */
}

static void test_interrupt__a_child_that_goes_on_is_never_given_up(void)
{
    struct solo__patience patience;
    bool over = false;
    solo__patience_begin(&patience, 0);
    for (uint64_t now = 0; now < 100 * SECOND; now += SECOND / 10) {
        over = over || solo__patience_is_over(&patience, now, now % SECOND == 0, true, 2 * SECOND);
    }
    CU_ASSERT_FALSE(over);
}

/* Ctrl-Z stops both, and the child has had no chance when the watchdog looks again. */
static void test_interrupt__time_in_which_the_watchdog_itself_stood_still_does_not_count(void)
{
    struct solo__patience patience;
    solo__patience_begin(&patience, 0);
    CU_ASSERT_FALSE(solo__patience_is_over(&patience, SECOND / 10, false, true, 10 * SECOND));
    CU_ASSERT_FALSE(solo__patience_is_over(&patience, 3600 * SECOND, false, false, 10 * SECOND));
    CU_ASSERT_FALSE(solo__patience_is_over(&patience, 3600 * SECOND + SECOND / 10, false, false, 10 * SECOND));
    bool over = false;
    for (uint64_t now = 3600 * SECOND; now < 3620 * SECOND; now += SECOND / 10) {
        over = over || solo__patience_is_over(&patience, now, false, true, 10 * SECOND);
    }
    CU_ASSERT_TRUE(over); /* from then on it does */
}

/* ---- Ctrl-C while schedules are shortened ---- */

enum { SCHEDULES = 30 };

static unsigned *runs; /* of all processes together */
static unsigned stop_at;
static int value;

static void change(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 6; i++) {
        int seen = __atomic_load_n(&value, __ATOMIC_RELAXED); /* no race: there is to be one finding */
        solo_yield();
        __atomic_store_n(&value, seen + 1, __ATOMIC_RELAXED);
    }
}

static void change_in_threads(void *arg)
{
    struct solo_thread *threads[4];
    (void)arg;
    value = 0;
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(change, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        (void)solo_thread_join(threads[i]);
    }
    if (++*runs == stop_at) {
        solo_explore_stop(); /* as a handler of SIGINT would */
    }
}

static const char *is_right(void *arg)
{
    (void)arg;
    return value >= 15 ? NULL : "updates were lost";
}

static unsigned explore_and_count(unsigned stop)
{
    static const struct solo_scenario losing = {.name = "losing", .body = change_in_threads, .invariant = is_right};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "random";
    options.schedules_max = SCHEDULES;
    runs = mmap(NULL, sizeof *runs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(runs != MAP_FAILED);
    stop_at = stop;
    CU_ASSERT_EQUAL_FATAL(solo_explore(&losing, &options, &report), 0);
    printf("%u runs: %s\n", *runs, report.evidence);
    return *runs;
}

static void test_interrupt__asked_to_stop_while_it_shortens_it_tells_what_it_has(void)
{
    unsigned whole = explore_and_count(0);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_FATAL(whole > SCHEDULES + 30);
    CU_ASSERT(explore_and_count(SCHEDULES + 10) <= SCHEDULES + 14);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_TRUE(report.findings[0].reproduced);
    CU_ASSERT_EQUAL(report.schedules, SCHEDULES);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_PTR_NULL(strstr(report.evidence, "stopped by request")); /* the exploration itself was whole */
}

/* ---- Signals to everybody ---- */

/* Starts an exploration as the leader of a group; it has begun when its first checkpoint is there. */
static pid_t start_exploring(const char *checkpoint, const char *said, const char *strategy, const char *jobs)
{
    const char *solo = runner_build_path("bin/solo"), *program = runner_build_path("tests/programs/misbehave");
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)setpgid(0, 0);
        (void)signal(SIGINT, SIG_DFL); /* whoever runs the tests in the background ignores it, and so would it */
        (void)signal(SIGHUP, SIG_DFL);
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        (void)execl(solo, solo, "explore", "--schedules", "100000000", "--strategy", strategy, "--checkpoint",
                    checkpoint, "--jobs", jobs, program, "crowd", (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && access(checkpoint, F_OK) < 0 && waitpid(pid, NULL, WNOHANG) == 0) {
        (void)sched_yield();
    }
    return pid;
}

/* As `timeout` and a terminal do it. What was explored until then is told. */
static void check_signal_to_the_group(int signal, const char *strategy, const char *jobs)
{
    char name[64];
    int status = -1;
    (void)snprintf(name, sizeof name, "signal-%d-%s-%s", signal, strategy, jobs);
    const char *said = runner_scratch_path("said");
    pid_t pid = start_exploring(runner_scratch_path(name), said, strategy, jobs);
    CU_ASSERT_FATAL(pid > 0);
    CU_ASSERT_EQUAL(killpg(pid, signal), 0);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    const char *text = support_read_file(said);
    printf("%s: %s\n", name, text);
    CU_ASSERT_TRUE_FATAL(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 3);
    CU_ASSERT_TRUE(strncmp(text, "verdict: incomplete\n", 20) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "stopped")); /* by request, on this line or the next */
}

static void test_interrupt__a_signal_to_the_whole_group_ends_it_with_what_it_has(void)
{
    check_signal_to_the_group(SIGINT, "portfolio", "1");
    check_signal_to_the_group(SIGTERM, "portfolio", "1");
    check_signal_to_the_group(SIGHUP, "portfolio", "1");
    check_signal_to_the_group(SIGINT, "portfolio", "2");
    check_signal_to_the_group(SIGTERM, "portfolio", "2");
}

static void test_interrupt__a_signal_to_the_whole_group_ends_a_divided_search_with_what_it_has(void)
{
    check_signal_to_the_group(SIGINT, "dfs:1000", "2");
    check_signal_to_the_group(SIGTERM, "dfs:1000", "2");
    check_signal_to_the_group(SIGHUP, "preempt:1000", "2");
    check_signal_to_the_group(SIGINT, "dpor", "2");
}

/*
 * The second one ends the command at once, if the first has not done so yet. Either way nobody is left: all that were
 * started have the end of a pipe.
 */
static void check_second_signal(const char *strategy, const char *jobs, bool group)
{
    int ends[2], status = -1;
    char name[64], byte;
    (void)snprintf(name, sizeof name, "second-%s-%s-%d", strategy, jobs, group);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t pid = start_exploring(runner_scratch_path(name), runner_scratch_path("said"), strategy, jobs);
    close(ends[1]);
    CU_ASSERT_FATAL(pid > 0);
    for (int i = 0; i < 2; i++) {
        (void)(group ? killpg(pid, SIGINT) : kill(pid, SIGINT)); /* the second may find nobody */
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGINT : WEXITSTATUS(status) == 3);
    CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    support_shell(&output, "ls -A %s | grep -v -x -e said -e 'second-.*[01]' -e 'second-.*[01].new'",
                  runner_scratch_path(""));
    CU_ASSERT_STRING_EQUAL(output.text,
                           ""); /* but for a checkpoint that was being written, which the next one takes over */
}

static void test_interrupt__a_second_signal_leaves_nobody_behind(void)
{
    static const char *const strategies[] = {"portfolio", "dfs", "dpor"};
    for (unsigned i = 0; i < 3; i++) {
        check_second_signal(strategies[i], "1", true);
        check_second_signal(strategies[i], "2", true);
        check_second_signal(strategies[i], "2", false);
    }
}

/* ---- Checkpoints ---- */

static void explore_with_checkpoint(const char *name)
{
    support_shell(&output, "cd %s && %s explore --schedules 20 --checkpoint %s %s nothing", runner_scratch_path(""),
                  runner_build_path("bin/solo"), name, runner_build_path("tests/programs/misbehave"));
    printf("%s", output.text);
}

static void check_refused(const char *name, const char *expected)
{
    explore_with_checkpoint(name);
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, expected));
}

static void test_interrupt__a_checkpoint_that_cannot_be_written_says_why(void)
{
    CU_ASSERT_EQUAL_FATAL(symlink("/dev/full", runner_scratch_path("full.new")), 0);
    check_refused("full", "checkpoint full: cannot be written: No space left on device");
}

static void test_interrupt__a_pipe_is_no_checkpoint_and_no_hang(void)
{
    CU_ASSERT_EQUAL_FATAL(mkfifo(runner_scratch_path("pipe"), 0600), 0);
    CU_ASSERT_EQUAL_FATAL(mkfifo(runner_scratch_path("other.new"), 0600), 0);
    check_refused("pipe", "it is not a checkpoint");
    check_refused("other", "cannot be written");
}

static void test_interrupt__two_explorations_do_not_write_one_checkpoint_at_once(void)
{
    int fd = open(runner_scratch_path("shared.new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_EQUAL_FATAL(flock(fd, LOCK_EX), 0);
    check_refused("shared", "another exploration is writing it");
    close(fd); /* whoever is killed holds no lock any more */
    explore_with_checkpoint("shared");
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_EQUAL(access(runner_scratch_path("shared.new"), F_OK), -1);
    CU_ASSERT_EQUAL(access(runner_scratch_path("shared"), F_OK), 0);
}

/* ---- Tokens from a pipe ---- */

static void *write_late(void *arg)
{
    int fd = *(int *)arg;
    CU_ASSERT_EQUAL(write(fd, "not a", 5), 5);
    CU_ASSERT_EQUAL(write(fd, " token\n", 7), 7);
    close(fd);
    return NULL;
}

static void test_interrupt__a_token_file_may_be_a_pipe_whose_writer_comes_late(void)
{
    int ends[2];
    char path[64], why[SOLO_TOKEN_WHY_MAX];
    struct solo_token token;
    pthread_t writer;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    (void)snprintf(path, sizeof path, "@/proc/self/fd/%d", ends[0]);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&writer, NULL, write_late, &ends[1]), 0);
    CU_ASSERT_EQUAL(solo_token_parse(path, &token, why), -EINVAL);
    CU_ASSERT_STRING_EQUAL(why, "not a token: it must begin with \"solo1.\""); /* so it was read */
    CU_ASSERT_EQUAL(pthread_join(writer, NULL), 0);
    close(ends[0]);
}

void suite_interrupt(void)
{
    SOLO_SUITE("interrupt");
    SOLO_TEST(test_interrupt__a_child_that_does_nothing_for_too_long_is_given_up);
    SOLO_TEST(test_interrupt__a_child_that_goes_on_is_never_given_up);
    SOLO_TEST(test_interrupt__time_in_which_the_watchdog_itself_stood_still_does_not_count);
    SOLO_TEST(test_interrupt__asked_to_stop_while_it_shortens_it_tells_what_it_has);
    SOLO_TEST(test_interrupt__a_signal_to_the_whole_group_ends_it_with_what_it_has);
    SOLO_TEST(test_interrupt__a_signal_to_the_whole_group_ends_a_divided_search_with_what_it_has);
    SOLO_TEST(test_interrupt__a_second_signal_leaves_nobody_behind);
    SOLO_TEST(test_interrupt__a_checkpoint_that_cannot_be_written_says_why);
    SOLO_TEST(test_interrupt__a_pipe_is_no_checkpoint_and_no_hang);
    SOLO_TEST(test_interrupt__two_explorations_do_not_write_one_checkpoint_at_once);
    SOLO_TEST(test_interrupt__a_token_file_may_be_a_pipe_whose_writer_comes_late);
}
