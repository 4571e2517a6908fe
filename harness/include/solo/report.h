/*
 * report.h - what a finding looks like to a person and to a program.
 *
 * A report is a violation, the detail that its process resolved, and what the caller knows around it: which
 * program, which schedule, how many schedules. The writers look at nothing else but the source file, so a report
 * can be tested without running anything. The text fits 30 lines of 96 columns, its first line stands alone, the
 * same finding gives the same bytes, and no meaning is carried by colour alone.
 */
#ifndef SOLO_REPORT_H
#define SOLO_REPORT_H

#include <solo/detail.h>
#include <solo/explore.h>
#include <solo/violation.h>
#include <stdbool.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SOLO_REPORT_COLUMNS_MAX = 96, SOLO_REPORT_LINES_MAX = 30 };

/* Everything is borrowed for the call; a field that does not apply is zero. */
struct solo_report_context {
    const struct solo_detail *detail; /* source lines, stacks in words, last steps */
    const char *world;                /* "os" or "sim" */
    char *const *argv;                /* the program, ends with NULL: for the replay line */
    const char *options;              /* more options of the replay line, such as "--peer chat.peer" */
    const char *input;                /* file that is the program's standard input; NULL: none */
    const char *token;                /* replays it; as printed, so perhaps "@file" */
    const char *passing_token;        /* the nearest schedule without it */
    uint64_t schedules;               /* explored in all; 0: nothing was explored */
    uint64_t failing;                 /* how many of them show this finding */
    const char *found_by;             /* the strategy of a portfolio that found it first; NULL: not worth a word */
    uint64_t base_ns;                 /* the clock column starts here */
    const char *source_directory;     /* where relative source files are looked for; NULL: here */
    const char *output;               /* what the program printed in that schedule */
    bool colour;
    bool full; /* no limit on lines: all steps, whole stacks, the output */
};

/* Writes the report of one finding. 0; -EINVAL; -EIO: writing failed. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_report_text(FILE *out, const struct solo_violation *violation,
                                                 const struct solo_report_context *context);

/*
 * Its first line without the newline and without colour, "error[SOLO001]: ..." or, of what may do harm and has not,
 * "warning[SOLO016]: ...", cut to fit; returns buffer.
 */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_report_headline(const struct solo_violation *violation, char *buffer,
                                                             size_t size);

/*
 * Writes one finding as a JSON object and a newline. Keys, each left out where it does not apply:
 *
 *     id, severity, title, message, count, api, contract {word, declared_at {file, line}},
 *     location {file, line, function}, stack [{file, line, function}], thread {name, role, number},
 *     job {name, queued_by, stack}, object {name, owner, owner_bound, stack}, policy, world, step, clock_ns, amount,
 *     waiters [{thread, waits_for, kind, held_by}], cycle, steps [{step, clock_ns, thread, kind, object, value}],
 *     explored {total, failing}, schedule, passing_schedule, replay, help [], tool, fingerprint
 *
 * `severity` is "error", or "warning" for SOLO016. `fingerprint` names the defect and not the schedule: the same for
 * every schedule that shows it.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_report_json(FILE *out, const struct solo_violation *violation,
                                                 const struct solo_report_context *context);

/*
 * Writes what an exploration found as one JSON document: {"schema": "solo.report.1", "verdict", "evidence",
 * "schedules", "distinct", "orders", "threads", "points", "failing", "unlisted", "steps", "choices", "exhausted",
 * "shard": {number, of, unfinished, directed, directed_failing, stopped, traces_full, orders_full, exploration, traces,
 * orders, cycles}, "required": [{name, wanted, least, schedules}], "findings": [as above, with deviations and
 * signature]}. contexts: one for each finding. `shard` only for one: what solo_merge needs.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_report_explored_json(FILE *out, const struct solo_report *report,
                                                          const struct solo_report_context *contexts);

/*
 * The same for continuous integration: as JUnit XML, in which the exploration is one test case and each finding one
 * that failed, with its whole report; and as SARIF 2.1.0, in which each finding is a result at its place. contexts: one
 * for each finding; `name` is what was explored.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_report_explored_junit(FILE *out, const char *name,
                                                           const struct solo_report *report,
                                                           const struct solo_report_context *contexts);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_report_explored_sarif(FILE *out, const char *name,
                                                           const struct solo_report *report,
                                                           const struct solo_report_context *contexts);

/*
 * Writes the lines after the findings: the verdict, the evidence, what had to happen, and the statistics that are the
 * same every run.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_report_explored_text(FILE *out, const struct solo_report *report, bool colour);

/* A word as a shell needs it, in single quotes where it must be. Free it; NULL: out of memory. */
SOLO_ANY_THREAD SOLO_PUBLIC char *solo_report_shell_word(const char *word);

/* "solo replay solo1... -- ./chat", in lines of at most 96 columns that a shell reads as one. -ENAMETOOLONG. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_report_replay_line(const struct solo_report_context *context, char *buffer,
                                                        size_t size);

/* What `solo explain` says about an id. Texts live for ever; lines end with a newline and fit 80 columns. */
struct solo_diagnostic {
    unsigned id;
    const char *what;  /* what happened and why it matters */
    const char *wrong; /* the smallest code that does it */
    const char *right; /* and how it is done */
    const char *tools; /* what it was found with, and what other tools say */
};

/*
 * The diagnostic with this id, NULL if the kit makes no such finding. solo_diagnostic_at lists them, NULL past the
 * end.
 */
SOLO_ANY_THREAD SOLO_PUBLIC const struct solo_diagnostic *solo_diagnostic_find(unsigned id);
SOLO_ANY_THREAD SOLO_PUBLIC const struct solo_diagnostic *solo_diagnostic_at(unsigned index);

#ifdef __cplusplus
}
#endif
#endif
