/*
 * runner.c - the command line of solo-tests, its registry of tests, and its closing lines.
 *
 * CUnit keeps suites, tests and assertions; how tests are run and reported is ours (see runner_private.h), because
 * CUnit has no isolation, no filter, no time limit, and an exit status that hides failures.
 */
#define _GNU_SOURCE
#include "runner_private.h"
#include <CUnit/TestDB.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct runner_options runner_options = {.seed = 1, .timeout_s = 60, .fork = true};
struct runner_test runner_tests[RUNNER_TESTS_MAX];
unsigned runner_test_count;

static CU_pSuite current_suite;

enum { EXIT_USAGE = 2, EXIT_FAILURES_MAX = 125 };

static const char usage[] =
    "usage: solo-tests [options] [filter...]\n"
    "  A filter is a suite, a whole test name (suite.test), or a part of one; no filter means all.\n"
    "  --skip FILTER   leave out what this filter selects; may be repeated\n"
    "  --list          print the names of the selected tests and stop\n"
    "  --seed N        seed of tests that draw random cases (default 1; `random` draws one)\n"
    "  --junit FILE    also write JUnit XML\n"
    "  --jobs N        tests at a time (default: one per processor)\n"
    "  --timeout S     seconds until a test counts as hung (default 60)\n"
    "  --no-fork       run the tests in this process, for a debugger\n"
    "  --verbose       one line per test\n"
    "Exit status: the number of failed tests, at most 125; 2 with one line on bad usage.\n";

static _Noreturn void die(const char *format, const char *what)
{
    fprintf(stderr, "solo-tests: ");
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    exit(EXIT_USAGE);
}

/* ---- Registry ---- */

void runner_suite(const char *name)
{
    current_suite = CU_add_suite(name, NULL, NULL);
    if (current_suite == NULL) {
        die("suite registered twice: %s", name);
    }
}

void runner_test(const char *name, void (*fn)(void))
{
    if (current_suite == NULL) {
        die("test without a suite: %s", name);
    }
    CU_pTest cunit_test = CU_add_test(current_suite, name, fn);
    if (cunit_test == NULL || CU_get_error() == CUE_DUP_TEST) {
        die("test registered twice: %s", name);
    }
    if (runner_test_count == RUNNER_TESTS_MAX) {
        die("more tests than RUNNER_TESTS_MAX at %s", name);
    }
    runner_tests[runner_test_count++] = (struct runner_test){
        .suite = current_suite->pName, .name = name, .cunit_suite = current_suite, .cunit_test = cunit_test};
}

uint64_t runner_seed(void)
{
    return runner_options.seed;
}

/* ---- Selection ---- */

static const char *full_name(const struct runner_test *test)
{
    static char name[512];
    snprintf(name, sizeof name, "%s.%s", test->suite, test->name);
    return name;
}

/* Sets what a filter names exactly, else every test that contains it. */
static void select_by(const char *filter, bool selected)
{
    unsigned exact = 0, found = 0;
    for (unsigned i = 0; i < runner_test_count; i++) {
        if (strcmp(runner_tests[i].suite, filter) == 0 || strcmp(full_name(&runner_tests[i]), filter) == 0) {
            runner_tests[i].selected = selected;
            exact++;
        }
    }
    for (unsigned i = 0; exact == 0 && i < runner_test_count; i++) {
        if (strstr(full_name(&runner_tests[i]), filter) != NULL) {
            runner_tests[i].selected = selected;
            found++;
        }
    }
    if (exact + found == 0) {
        die("no test matches %s", filter);
    }
}

static void select_tests(void)
{
    for (unsigned i = 0; runner_options.filter_count == 0 && i < runner_test_count; i++) {
        runner_tests[i].selected = true;
    }
    for (int f = 0; f < runner_options.filter_count; f++) {
        select_by(runner_options.filters[f], true);
    }
    for (int f = 0; f < runner_options.skip_count; f++) {
        select_by(runner_options.skips[f], false);
        printf("left out: %s\n", runner_options.skips[f]);
    }
}

static void list_tests(void)
{
    for (unsigned i = 0; i < runner_test_count; i++) {
        if (runner_tests[i].selected) {
            puts(full_name(&runner_tests[i]));
        }
    }
}

/* ---- Reporting ---- */

static void print_indented(const char *text, const char *prefix)
{
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        printf("%s%.*s\n", prefix, (int)line, text);
        text += line + (text[line] == '\n');
    }
}

static void print_failure(const struct runner_test *test)
{
    printf("FAILED %s (%.2f s)\n", full_name(test), test->seconds);
    if (test->messages != NULL) {
        print_indented(test->messages, "    ");
    }
    if (test->output != NULL) {
        printf("    what it printed:\n");
        print_indented(test->output, "    | ");
    }
    printf("    replay: %s --seed %llu%s%s %s\n", runner_options.program, (unsigned long long)runner_options.seed,
           runner_options.fork ? "" : " --no-fork", runner_options.fixture ? " --fixture" : "", full_name(test));
}

struct tally {
    unsigned passed, failed, skipped, asserts, asserts_failed, suites;
    double seconds;
};

static void count(struct tally *tally, const struct runner_test *test)
{
    tally->passed += test->state == RUNNER_PASSED;
    tally->failed += test->state == RUNNER_FAILED;
    tally->skipped += test->state == RUNNER_SKIPPED;
    tally->asserts += test->asserts;
    tally->asserts_failed += test->asserts_failed;
    tally->seconds += test->seconds;
}

/* Called for each test in order; the last one of a suite prints that suite's line. */
static void on_done(struct runner_test *test)
{
    static struct tally suite;

    count(&suite, test);
    if (test->state == RUNNER_FAILED) {
        print_failure(test);
    } else if (test->state == RUNNER_SKIPPED) {
        printf("skipped %s: %s\n", full_name(test), test->messages);
    } else if (runner_options.verbose) {
        printf("ok     %s (%.2f s)\n", full_name(test), test->seconds);
    }
    for (struct runner_test *next = test + 1; next < runner_tests + runner_test_count; next++) {
        if (next->selected && next->suite == test->suite) {
            return;
        }
    }
    printf("%-24s %4u passed", test->suite, suite.passed);
    if (suite.failed > 0) {
        printf(", %u failed", suite.failed);
    }
    if (suite.skipped > 0) {
        printf(", %u skipped", suite.skipped);
    }
    printf("  (%.2f s)\n", suite.seconds);
    fflush(stdout);
    suite = (struct tally){0};
}

static struct tally tally_all(void)
{
    struct tally all = {0};
    const char *suite = NULL;
    for (unsigned i = 0; i < runner_test_count; i++) {
        if (runner_tests[i].state >= RUNNER_PASSED) {
            count(&all, &runner_tests[i]);
            all.suites += suite == NULL || strcmp(suite, runner_tests[i].suite) != 0;
            suite = runner_tests[i].suite;
        }
    }
    return all;
}

/* CUnit's closing table, and one line that both people and scripts can read. */
static void print_summary(const struct tally *all, double elapsed_s)
{
    unsigned suites = CU_get_registry()->uiNumberOfSuites, ran = all->passed + all->failed;
    printf("\nRun Summary:    Type  Total    Ran Passed Failed Inactive\n");
    printf("              suites %6u %6u    n/a %6u %8u\n", suites, all->suites, 0u, suites - all->suites);
    printf("               tests %6u %6u %6u %6u %8u\n", runner_test_count, ran, all->passed, all->failed,
           runner_test_count - ran);
    printf("             asserts %6u %6u %6u %6u      n/a\n", all->asserts, all->asserts,
           all->asserts - all->asserts_failed, all->asserts_failed);
    printf("\nElapsed time = %8.3f seconds, seed %llu\n", elapsed_s, (unsigned long long)runner_options.seed);
    printf("%u passed, %u failed\n", all->passed, all->failed);
}

/* ---- Command line ---- */

static double number(const char *text, const char *option)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0) || value > 1e6) {
        die("not a usable number after %s", option);
    }
    return value;
}

static uint64_t seed(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (strcmp(text, "random") == 0 && getrandom(&value, sizeof value, 0) == sizeof value) {
        return value >> 32;
    }
    if (*text < '0' || *text > '9' || *end != '\0') {
        die("not a seed: %s", text);
    }
    return value;
}

static void add_skip(const char *filter)
{
    if (runner_options.skip_count == RUNNER_SKIPS_MAX) {
        die("more than RUNNER_SKIPS_MAX times --skip, at %s", filter);
    }
    runner_options.skips[runner_options.skip_count++] = filter;
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"list", 0, NULL, 'l'},    {"seed", 1, NULL, 's'},    {"junit", 1, NULL, 'x'},   {"jobs", 1, NULL, 'j'},
        {"timeout", 1, NULL, 't'}, {"no-fork", 0, NULL, 'n'}, {"verbose", 0, NULL, 'v'}, {"help", 0, NULL, 'h'},
        {"skip", 1, NULL, 'k'},    {"fixture", 0, NULL, 'f'}, /* of the runner's self-test */
        {NULL, 0, NULL, 0},
    };
    struct runner_options *o = &runner_options;
    o->program = argv[0];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    o->jobs = processors > 0 ? (unsigned)processors : 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'l': o->list = true; break;
        case 's': o->seed = seed(optarg); break;
        case 'x': o->junit_file = optarg; break;
        case 'j': o->jobs = (unsigned)number(optarg, "--jobs"); break;
        case 't': o->timeout_s = number(optarg, "--timeout"); break;
        case 'n': o->fork = false; break;
        case 'v': o->verbose = true; break;
        case 'k': add_skip(optarg); break;
        case 'f': o->fixture = true; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: exit(EXIT_USAGE); /* getopt has said why */
        }
    }
    o->filters = argv + optind;
    o->filter_count = argc - optind;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        die("%s", CU_get_error_msg());
    }
    if (runner_options.fixture) {
        runner_add_fixture();
    } else {
        runner_add_suites();
    }
    select_tests();
    if (runner_options.list) {
        list_tests();
        return 0;
    }

    double begun_s = now_s();
    int interrupted = runner_run_all(on_done);
    struct tally all = tally_all();
    print_summary(&all, now_s() - begun_s);
    if (runner_options.junit_file != NULL && runner_write_junit(runner_options.junit_file) < 0) {
        return EXIT_FAILURES_MAX;
    }
    if (interrupted < 0) {
        fprintf(stderr, "solo-tests: interrupted\n");
        return EXIT_FAILURES_MAX;
    }
    return all.failed < EXIT_FAILURES_MAX ? (int)all.failed : EXIT_FAILURES_MAX;
}
