/*
 * test_check_verb.c - `solo check`: one schedule under several tools.
 *
 * Programs for ThreadSanitizer and for helgrind are other builds; where those are not there, their rows say what they
 * need.
 */
#define _GNU_SOURCE
#include "support.h"
#include <dirent.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct runner_output output;
static char token[4096];

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    unsigned count = 0;
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    CU_ASSERT_EQUAL(folder != NULL ? closedir(folder) : -1, 0);
    return count == 2; /* itself and its parent */
}

static const char *solo(void)
{
    return runner_build_path("bin/solo");
}

static const char *program(void)
{
    return runner_build_path("tests/programs/misbehave");
}

static bool says(const char *text)
{
    bool found = strstr(output.text, text) != NULL;
    if (!found) {
        printf("'%s' is missing in:\n%s\n", text, output.text);
    }
    return found;
}

/* The token of the first thing that soon goes wrong with this argument; the plain schedule's if nothing does. */
static void find_token(const char *argument)
{
    support_shell(
        &output,
        "(%s explore --first --schedules 20 %s %s; %s run --world sim %s %s) 2>&1 | grep -o 'solo1\\.[^ ]*' | head -1",
        solo(), program(), argument, solo(), program(), argument);
    output.text[strcspn(output.text, "\n")] = '\0';
    CU_ASSERT_EQUAL_FATAL(strncmp(output.text, "solo1.", 6), 0);
    strcpy(token, output.text);
}

/* `path`: where valgrind is looked for. */
static void check_with(const char *path, const char *options, const char *argument)
{
    support_shell(&output, "PATH=%s TMPDIR=%s %s check %s %s %s %s", path, runner_scratch_path(""), solo(), token,
                  options, program(), argument);
}

/* Without valgrind, which takes its time. */
static void check(const char *options, const char *argument)
{
    check_with("/nonexistent", options, argument);
}

static bool has_valgrind(void)
{
    support_shell(&output, "valgrind --version");
    return output.status == 0;
}

static void test_check_verb__a_clean_schedule_is_clean_under_memcheck_too(void)
{
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    SOLO_SKIP("valgrind does not run a sanitizer's program");
#endif
    find_token("nothing");
    bool valgrind = has_valgrind();
    check_with("$PATH", "", "nothing");
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_TRUE(says("tool       schedule   findings\nplain      same       none\n"));
    CU_ASSERT_TRUE(says("tsan       not run    needs --tsan PROGRAM, built with -fsanitize=thread\n"));
    CU_ASSERT_TRUE(says("asan       not run    needs --asan PROGRAM, built with -fsanitize=address\n"));
    CU_ASSERT_TRUE(
        says(valgrind ? "helgrind   not run    needs --valgrind PROGRAM, with the libsolo of make FLAVOUR=valgrind\n"
                      : "valgrind is not installed\n"));
    CU_ASSERT_TRUE(!valgrind || says("memcheck   same       none\nagreement: 2 runs, one schedule (trace "));
    support_shell(&output, "ls -A %s", runner_scratch_path(""));
    CU_ASSERT_STRING_EQUAL(output.text, ""); /* no file is left */
}

static void test_check_verb__findings_of_the_kit_are_the_same_in_every_run(void)
{
    find_token("exit");
    check("", "exit");
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_TRUE(says("plain      same       check\n"));
    CU_ASSERT_TRUE(says("memcheck   not run    valgrind is not installed\n"));
    check("--format json", "exit");
    CU_ASSERT_EQUAL(output.status, 1);
    json_t *root = json_loads(output.text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "schema")), "solo.check.1");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "schedule")), token);
    CU_ASSERT_TRUE(json_is_true(json_object_get(root, "agreement")));
    const json_t *runs = json_object_get(root, "runs");
    CU_ASSERT_EQUAL(json_array_size(runs), 6);
    const json_t *plain = json_array_get(runs, 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(plain, "kit"), "check")), 1);
    CU_ASSERT_TRUE(json_is_true(json_object_get(plain, "same_schedule")));
    CU_ASSERT_TRUE(json_is_false(json_object_get(json_array_get(runs, 1), "ran")));
    json_decref(root);
}

/* Another program's run cannot agree: the row says why, and the verdict is not clean. */
static void test_check_verb__a_run_that_cannot_be_made_is_no_agreement(void)
{
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    SOLO_SKIP("valgrind does not run a sanitizer's program");
#endif
    char options[1024];
    find_token("nothing");
    (void)snprintf(options, sizeof options, "--tsan %s --asan /nonexistent/program",
                   runner_build_path("tests/programs/echo_server"));
    check(options, "nothing");
    CU_ASSERT_EQUAL(output.status, 3);
    CU_ASSERT_TRUE(says("tsan       failed     this token is for \"misbehave\", not for \"echo_server\""));
    CU_ASSERT_TRUE(says("asan       failed     "));
}

/* The same file as another build: what is under test here is that its row is compared. */
static void test_check_verb__a_build_that_takes_the_same_schedule_agrees(void)
{
    char options[1024];
    find_token("exit");
    (void)snprintf(options, sizeof options, "--tsan %s", program());
    check(options, "exit");
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_TRUE(says("tsan       same       check\n"));
}

/* ---- Ctrl-C ---- */

/* Starts a check that would take minutes; it has begun when its folder is there. */
static pid_t start_check(void)
{
    const char *path = runner_scratch_path("");
    pid_t pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        (void)signal(SIGINT, SIG_DFL); /* whoever runs the tests in the background ignores it */
        (void)setenv("TMPDIR", path, 1);
        (void)execl(solo(), solo(), "check", token, "--watchdog-s", "1000", program(), "hang", (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && is_empty(path) && waitpid(pid, NULL, WNOHANG) == 0) {
        (void)sched_yield();
    }
    return pid;
}

static void check_ended_by(int signal, bool group, unsigned times)
{
    int status = 0;
    pid_t pid = start_check();
    CU_ASSERT_FATAL(pid > 0);
    for (unsigned i = 0; i < times; i++) {
        CU_ASSERT_EQUAL(group ? killpg(pid, signal) : kill(pid, signal), 0);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_EQUAL(WTERMSIG(status), signal);
    CU_ASSERT_TRUE(is_empty(runner_scratch_path("")));
}

static void test_check_verb__whoever_ends_it_finds_no_file_left(void)
{
    support_shell(&output, "%s explore --first --watchdog-s 1 %s hang | grep -o 'solo1\\.[^ ]*' | head -1", solo(),
                  program());
    output.text[strcspn(output.text, "\n")] = '\0';
    strcpy(token, output.text);
    check_ended_by(SIGINT, true, 1);
    check_ended_by(SIGINT, true, 2);
    check_ended_by(SIGTERM, false, 1);
    check_ended_by(SIGTERM, false, 3);
}

static void test_check_verb__wrong_usage_is_one_line(void)
{
    static const struct {
        const char *arguments, *expected;
    } cases[] = {
        {"", "no token given"},
        {"abc ./program", "not a token"},
        {"solo1.2.misbehave.sync.1b8982a0.3T1-6-648c-nmXIGa", "no program given"},
        {"--tsan", "needs a value"},
        {"solo1.2.misbehave.sync.1b8982a0.3T1-6-648c-nmXIGa --bogus x", "unknown option '--bogus'"},
        {"solo1.2.misbehave.sync.1b8982a0.3T1-6-648c-nmXIGa /nonexistent/program", "no such program"},
        {"solo1.2.misbehave.sync.1b8982a0.3T1-6-648c-nmXIGa /bin/sh $(seq 256)", "at most 256 words, not 257"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        support_shell(&output, "%s check %s", solo(), cases[i].arguments);
        CU_ASSERT_EQUAL(output.status, 2);
        CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
        CU_ASSERT_TRUE(says(cases[i].expected));
    }
}

void suite_check_verb(void)
{
    SOLO_SUITE("check_verb");
    SOLO_TEST(test_check_verb__a_clean_schedule_is_clean_under_memcheck_too);
    SOLO_TEST(test_check_verb__findings_of_the_kit_are_the_same_in_every_run);
    SOLO_TEST(test_check_verb__a_run_that_cannot_be_made_is_no_agreement);
    SOLO_TEST(test_check_verb__a_build_that_takes_the_same_schedule_agrees);
    SOLO_TEST(test_check_verb__whoever_ends_it_finds_no_file_left);
    SOLO_TEST(test_check_verb__wrong_usage_is_one_line);
}
