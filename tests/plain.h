/*
 * plain.h - programs of tests/plain, which know nothing of the kit, explored and replayed.
 */
#ifndef SOLO_TESTS_PLAIN_H
#define SOLO_TESTS_PLAIN_H

#include "explored.h"
#include <sys/stat.h>

static inline char **program(const char *name, const char *argument)
{
    return program_in("plain", name, argument);
}

static inline struct solo_explore_options defaults(void)
{
    struct solo_explore_options options;
    solo_explore_defaults(&options);
#if defined(SOLO_VALGRIND) || defined(SOLO_ASAN) || defined(SOLO_TSAN)
    options.schedules_max = 20;
#else
    options.schedules_max = 100;
#endif
    return options;
}

/* The bug is found with this id, its token shows it again in a fresh process, and its twin has none. */
static inline void check_twins(const char *name, unsigned id, const char *words)
{
    struct solo_explore_options options = defaults();
    explore(program(name, NULL), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_FINDINGS);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, id);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, words));
    CU_ASSERT_TRUE(report.findings[0].reproduced);
    CU_ASSERT_EQUAL(replay_token(program(name, NULL), report.findings[0].token, &options), 0);
    CU_ASSERT_EQUAL(replay.diverged_at, 0);
    CU_ASSERT_EQUAL_FATAL(replay.violation_count, 1);
    CU_ASSERT_EQUAL(replay.violations[0].id, id);
    explore(program(name, "fixed"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, options.schedules_max);
}

/* Where there is no such compiler there is no such program. */
static inline bool is_there(const char *path)
{
    struct stat status;
    bool there = stat(path, &status) == 0 && status.st_size != 0;
    if (!there) {
        runner_skip("no compiler has built this program");
    }
    return there;
}

#endif
