/*
 * selftest_run.c - the self-test of the bridges to race detectors: is the scheduler invisible, and is the mutex
 * visible?
 *
 * For one detector and carrier it starts the program of selftest.c N times with the planted race and N times with the
 * locked twin, each a fresh process with a seed of its own. The race must be found N times in N and the twin must be
 * silent N times in N. With --visible the hand-over between virtual threads is shown to the detector on purpose,
 * which orders everything and hides the race: then this self-test must fail, and whoever runs it checks that it does.
 *
 *     sanitizer-selftest-run [--visible] tsan-fiber|tsan-token|helgrind|drd N PROGRAM [SUPPRESSIONS]
 *
 * Exit code: 0 all as it should be, 1 not so, 2 usage, 3 a program could not be run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <solo/tool_report.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const struct row {
    const char *name, *carrier, *valgrind_tool;
} rows[] = {
    {"tsan-fiber", "fiber", NULL},
    {"tsan-token", "token", NULL},
    {"helgrind", "token", "helgrind"},
    {"drd", "token", "drd"},
};

static const struct row *row_of(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static __attribute__((noreturn)) void give_up(const char *what, const char *why)
{
    fprintf(stderr, "sanitizer-selftest: %s: %s\n", what, why);
    exit(3);
}

/* Runs a program to its end with standard error thrown away, and reads what it prints. Returns its exit code. */
static int run(char *const argv[], char *output, size_t size)
{
    posix_spawn_file_actions_t actions;
    int ends[2], status = 0;
    pid_t pid;
    size_t used = 0;
    ssize_t got;
    if (pipe(ends) < 0) {
        give_up("pipe", strerror(errno));
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
    int error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (error != 0) {
        give_up(argv[0], strerror(error));
    }
    while ((got = read(ends[0], output + used, size - 1 - used)) > 0) {
        used += (size_t)got;
    }
    output[used] = '\0';
    (void)close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void count_race(const struct solo_violation *violation, const struct solo_detail *detail, void *arg)
{
    (void)detail;
    *(unsigned *)arg += violation->id == SOLO017_DATA_RACE;
}

struct programs {
    char *tested;
    const char *suppressions; /* for valgrind */
};

/* Whether the detector of this row reported a race in one fresh process. */
static bool finds(const struct row *row, const struct programs *programs, char *variant, unsigned seed_number)
{
    char *program = programs->tested;
    char seed[16], output[256], tool[32], file[256], xml[280], suppressions[280], why[SOLO_TOOL_WHY_MAX] = "";
    unsigned races = 0;
    int code;
    (void)snprintf(seed, sizeof seed, "%u", seed_number);
    if (row->valgrind_tool == NULL) {
        char *argv[] = {program, variant, (char *)row->carrier, seed, NULL};
        code = run(argv, output, sizeof output);
        if ((code != 0 && code != 66) || sscanf(output, "races %u", &races) != 1) {
            give_up(program, "did not run to its end");
        }
        return races > 0;
    }
    (void)snprintf(tool, sizeof tool, "--tool=%s", row->valgrind_tool);
    (void)snprintf(file, sizeof file, "%s.%s.%ld.xml", program, row->valgrind_tool, (long)getpid());
    (void)snprintf(xml, sizeof xml, "--xml-file=%s", file);
    (void)snprintf(suppressions, sizeof suppressions, "--suppressions=%s", programs->suppressions);
    char *argv[] = {"valgrind", tool,    "--xml=yes",          xml,  suppressions,
                    program,    variant, (char *)row->carrier, seed, NULL};
    code = run(argv, output, sizeof output);
    if (code != 0 || solo_tool_report_read(file, count_race, &races, NULL, why) < 0) {
        give_up(program, why[0] != '\0' ? why : "did not run to its end under valgrind");
    }
    (void)unlink(file);
    return races > 0;
}

static unsigned count_found(const struct row *row, const struct programs *programs, char *variant, unsigned times)
{
    unsigned found = 0;
    for (unsigned seed = 1; seed <= times; seed++) {
        found += finds(row, programs, variant, seed);
    }
    return found;
}

int main(int argc, char **argv)
{
    bool visible = argc > 1 && strcmp(argv[1], "--visible") == 0;
    argv += visible;
    argc -= visible;
    const struct row *row = argc == 4 || argc == 5 ? row_of(argv[1]) : NULL;
    unsigned long times = row != NULL ? strtoul(argv[2], NULL, 10) : 0;
    if (times == 0 || times > 100000) {
        fprintf(stderr, "usage: sanitizer-selftest-run [--visible] tsan-fiber|tsan-token|helgrind|drd N PROGRAM "
                        "[SUPPRESSIONS]\n");
        return 2;
    }
    if (visible) {
        (void)setenv("SOLO_VISIBLE_HANDOVER", "1", 1);
    }
    struct programs programs = {argv[3], argc == 5 ? argv[4] : "/dev/null"};
    unsigned found = count_found(row, &programs, "race", (unsigned)times);
    unsigned false_alarms = count_found(row, &programs, "locked", (unsigned)times);
    printf("%-10s planted race found %u in %lu, locked twin reported %u in %lu%s\n", row->name, found, times,
           false_alarms, times, visible ? ", with a visible hand-over" : "");
    return found == times && false_alarms == 0 ? 0 : 1;
}
