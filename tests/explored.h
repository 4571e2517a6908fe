/*
 * explored.h - whole programs, explored and replayed as `solo explore` and `solo replay` do it, and what came of it.
 */
#ifndef SOLO_TESTS_EXPLORED_H
#define SOLO_TESTS_EXPLORED_H

#include "runner.h"
#include <solo/explore.h>
#include <solo/token.h>
#include <stdlib.h>
#include <string.h>

static struct solo_report report; /* too large for the stack */
static struct solo_replay replay;
static char why[SOLO_EVIDENCE_MAX];

/* The command line of tests/<folder>/<name> of the build folder; the next call writes over it. */
static inline char **program_in(const char *folder, const char *name, const char *argument)
{
    static char path[512];
    static char *argv[3];
    snprintf(path, sizeof path, "tests/%s/%s", folder, name);
    strcpy(path, runner_build_path(path));
    argv[0] = path;
    argv[1] = (char *)(uintptr_t)argument;
    argv[2] = NULL;
    return argv;
}

static inline void explore(char **argv, const struct solo_explore_options *options)
{
    int result = solo_explore_program(argv, options, &report);
    printf("%s %s: %d, %s\n", argv[0], argv[1] != NULL ? argv[1] : "", result, report.evidence);
    CU_ASSERT_EQUAL_FATAL(result, 0);
    for (unsigned i = 0; i < report.finding_count; i++) {
        const struct solo_finding *finding = &report.findings[i];
        printf("  %s: %s\n  %s\n  %s\n", finding->signature, finding->violation.text, finding->token, finding->output);
    }
}

static inline int replay_token(char **argv, const char *token, const struct solo_explore_options *options)
{
    free(replay.trace);
    replay.trace = NULL;
    return solo_replay_program(argv, token, options, true, true, &replay, why);
}

#endif
