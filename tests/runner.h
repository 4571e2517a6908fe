/*
 * runner.h - what a suite needs: registration, CUnit's assertions, and a few helpers.
 *
 * Each tests/test_<x>.c defines `void suite_<x>(void)`; the build collects them by file name:
 *
 *     static void test_clock__never_goes_back(void) { CU_ASSERT(...); }
 *
 *     void suite_clock(void)
 *     {
 *         SOLO_SUITE("clock");
 *         SOLO_TEST(test_clock__never_goes_back);
 *     }
 *
 * Every test runs in a forked child of its own, so a crash or a hang is one failed test and no state leaks from one
 * test into the next. A test that makes no assertion fails. What a test prints is shown only if it fails.
 */
#ifndef SOLO_TESTS_RUNNER_H
#define SOLO_TESTS_RUNNER_H

#include <CUnit/CUnit.h>
#include <stddef.h>
#include <stdint.h>

/* The tests that follow belong to this suite. The name is borrowed for ever. */
#define SOLO_SUITE(name) runner_suite(name)
/* Adds a function to the suite under its own name: "clock.test_clock__never_goes_back" for filters. */
#define SOLO_TEST(fn) runner_test(#fn, fn)
/*
 * Ends the test as skipped: it cannot run here, for this reason (a literal). It counts neither as passed nor as failed.
 */
#define SOLO_SKIP(reason)                                                                                              \
    do {                                                                                                               \
        runner_skip(reason);                                                                                           \
        return;                                                                                                        \
    } while (0)

void runner_suite(const char *name);
void runner_test(const char *name, void (*fn)(void));
void runner_skip(const char *reason);

/* The seed of this run (--seed), for tests that draw random cases. The replay line of a failed test repeats it. */
uint64_t runner_seed(void);

/* A path in the build folder, such as runner_build_path("bin/solo"). Owned by the runner; a ring of 16. */
const char *runner_build_path(const char *name);
/* A path in a folder that is this test's own and empty when the test starts, under the build folder. */
const char *runner_scratch_path(const char *name);

/* How a command ended and what it said. */
struct runner_output {
    int status;       /* exit status, or minus the signal that killed it */
    size_t size;      /* of what it printed to standard output and standard error together */
    char text[65536]; /* of it, as much as fits, terminated */
};

/* Runs argv (ends with NULL; argv[0] is looked up in PATH) to its end, with `input` (may be NULL) on standard input. */
void runner_command(struct runner_output *output, const char *const argv[], const char *input);

#endif
