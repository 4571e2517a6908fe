/*
 * solo_verify.h - one cell of the matrix of `solo verify`: one or two entry points, each called once in a context.
 *
 * The call's codes come back from the exploring child in shared memory; findings come back as in every exploration.
 */
#ifndef SOLO__COMMAND_VERIFY_H
#define SOLO__COMMAND_VERIFY_H

#include <solo/explore.h>
#include <solo/extension.h>
#include <solo/token.h>

enum verify_context { VERIFY_REACTOR = 0, VERIFY_WORKER, VERIFY_FOREIGN, VERIFY_CONTEXTS };

enum verify_verdict {
    VERIFY_UNTRIED = 0,
    VERIFY_AS_DECLARED, /* allowed, and it worked */
    VERIFY_REFUSED,     /* not allowed, and every call was refused */
    /* From here on a breach, in order of importance. */
    VERIFY_REFUSES,      /* allowed by its contract, but it refuses */
    VERIFY_NOT_ENFORCED, /* not allowed, and it did not refuse */
    VERIFY_BLOCKS,       /* it blocked the reactor */
    VERIFY_FINDING,      /* another finding: see the id */
    VERIFY_RACE,
    VERIFY_DEADLOCK,
    VERIFY_CRASH,
};

struct verify_call {
    const struct solo_extension_entry *entry;
    enum verify_context context;
};

/* What the calls of a cell returned, counted over all schedules; in shared memory. */
struct verify_tally {
    uint64_t ran[2], refused[2];
    int last_code[2];
    bool has_run[2];  /* in the schedule that runs now */
    int set_up_error; /* of the extension's set_up; 0: none */
};

struct verify_cell {
    const struct solo_extension *extension;
    struct verify_call calls[2];
    unsigned call_count; /* 1 or 2 */
    struct verify_tally *tally;
    char name[SOLO_VIOLATION_NAME_MAX * 2]; /* "counter_add@worker+counter_show@reactor" */
    char scenario[SOLO_SCENARIO_NAME_MAX];  /* the same in letters that a token may have, cut to what it can hold */
    enum verify_verdict verdict;
    unsigned finding_id; /* of VERIFY_FINDING */
    uint64_t schedules;
    char token[SOLO_TOKEN_MAX]; /* of the schedule that shows the verdict; the plain one where all show it */
    bool has_finding;
    struct solo_finding finding; /* the one that decided */
};

/* Whether its contract lets this entry point be called there. */
bool verify_allows(enum solo_contract_kind contract, enum verify_context context);

/* Names the cell; false if its name does not fit. */
bool verify_name(struct verify_cell *cell);

/* The scenario that a cell is explored or replayed as; it borrows the cell. */
struct solo_scenario verify_scenario(struct verify_cell *cell);

/* Explores the cell and judges it. `report` is room for the exploration. 0 or the explorer's error. */
int verify_cell(struct verify_cell *cell, const struct solo_explore_options *options, struct solo_report *report);

/* Judges the cell by one schedule. As solo_replay_scenario; set-up's own error is in the tally. */
int verify_replay(struct verify_cell *cell, const char *token, const struct solo_explore_options *options,
                  struct solo_replay *replay, char why[SOLO_EVIDENCE_MAX]);

/* Whether the matrix calls it a broken promise. */
bool verify_is_breach(const struct verify_cell *cell);

const char *verify_verdict_text(const struct verify_cell *cell, char *buffer, size_t size);
const char *verify_context_text(enum verify_context context);

#endif
