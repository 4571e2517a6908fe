/*
 * runner_private.h - what the runner's own files share.
 *
 * runner.c has the command line, the registry of tests and the closing lines; runner_process.c runs tests in children;
 * runner_junit.c writes the XML; runner_support.c is what tests call.
 */
#ifndef SOLO_TESTS_RUNNER_PRIVATE_H
#define SOLO_TESTS_RUNNER_PRIVATE_H

#include "runner.h"
#include <stdbool.h>

enum { RUNNER_MESSAGES_MAX = 8192, RUNNER_OUTPUT_MAX = 16384, RUNNER_TESTS_MAX = 4096, RUNNER_SKIPS_MAX = 32 };

enum runner_state { RUNNER_WAITING = 0, RUNNER_RUNNING, RUNNER_PASSED, RUNNER_FAILED, RUNNER_SKIPPED };

/* What a child tells; in memory shared with it, so that a crash keeps what was written before it. */
struct runner_verdict {
    bool finished;
    unsigned asserts, asserts_failed;
    const char *skipped; /* the reason, a literal: same address in parent and child */
    char messages[RUNNER_MESSAGES_MAX];
};

struct runner_test {
    const char *suite;
    const char *name;
    CU_pSuite cunit_suite;
    CU_pTest cunit_test;
    bool selected;
    enum runner_state state;
    double seconds;
    unsigned asserts, asserts_failed;
    char *messages; /* one per line, why it failed or was skipped; NULL if none. Kept until the process ends */
    char *output;   /* what it printed, the end of it; NULL if nothing */
};

struct runner_options {
    const char *program; /* argv[0] */
    uint64_t seed;
    unsigned jobs;
    double timeout_s;
    bool fork, verbose, list, fixture;
    const char *junit_file;
    char **filters;
    int filter_count;
    const char *skips[RUNNER_SKIPS_MAX];
    int skip_count;
};

extern struct runner_options runner_options;
extern struct runner_test runner_tests[RUNNER_TESTS_MAX];
extern unsigned runner_test_count;
extern struct runner_verdict *runner_verdict; /* of the test that this process runs, NULL outside one */

/* Registers every suite_<x>; generated from the file names. */
void runner_add_suites(void);
/* The suite that the runner's self-test drives; in test_runner.c. */
void runner_add_fixture(void);

/* Runs every selected test; calls on_done(test) for each, in order of registration. 0, or -1: interrupted. */
int runner_run_all(void (*on_done)(struct runner_test *test));

/* 0, or -1 after printing why. */
int runner_write_junit(const char *file);

/* Makes the scratch folder of a test anew; later calls of runner_scratch_path are in it. */
void runner_scratch_begin(const struct runner_test *test);
void runner_scratch_end(void);

#endif
