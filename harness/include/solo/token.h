/*
 * token.h - one line of text that replays a schedule.
 *
 *     solo1.2.lost-update.sync.9f3a12bc.3T1_T2x4_12J1-57-9c3e-aZ81...
 *     |     | |           |    |        |              |  |    one check character for each choice
 *     |     | |           |    |        |              |  check over all choices; "open" after a crash
 *     |     | |           |    |        |              choices in the schedule
 *     |     | |           |    |        deviations from the plain schedule, "plain" if there are none
 *     |     | |           |    fingerprint of scenario name, limits and choice schema
 *     |     | |           granularity of scheduling points: sync or access
 *     |     | scenario: letters, digits, '-' and '_'
 *     |     choice schema (SOLO_CHOICE_SCHEMA)
 *     format
 *
 * Answers are deviations from the plain schedule, never a seed. A deviation is written as how many plain answers come
 * before it (left out if none), the kind of choice, the option taken, and "xN" if the same thing is done N times in a
 * row. Kinds: T thread, W waiter, R ready descriptor, J job, K worker, C chunk, F fault.
 *
 * Checks tell a strict replay the first choice that no longer fits. There is one character for each choice of a
 * schedule with up to SOLO_TOKEN_CHECKS_MAX of them, and for every second, third, ... choice of a longer one.
 *
 * Only letters, digits and . - _ occur, so a token needs no quoting. A token of more than SOLO_TOKEN_PRINT_MAX
 * characters goes to a file and is printed as @file; whatever takes a token takes that too.
 */
#ifndef SOLO_TOKEN_H
#define SOLO_TOKEN_H

#include <solo/choice.h>
#include <solo/contract.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SOLO_TOKEN_PRINT_MAX = 200,       /* longer ones go to a file */
    SOLO_TOKEN_FILE_MAX = 16 << 20,   /* bytes in such a file */
    SOLO_TOKEN_CHECKS_MAX = 64,       /* check characters in one token */
    SOLO_TOKEN_CHOICES_MAX = 1 << 20, /* choices in one schedule */
    SOLO_SCENARIO_NAME_MAX = 64,      /* with its end */
    SOLO_TOKEN_WHY_MAX = 256,         /* room for one sentence */
};

enum solo_granularity {
    SOLO_GRANULARITY_SYNC = 0, /* scheduling points at announced operations */
    SOLO_GRANULARITY_ACCESS,   /* and at every memory access: not in this build */
};

/* What a token is only valid together with. */
struct solo_limits {
    uint64_t steps_max;
    uint32_t faults_max;
    bool let_time_pass;
};

struct solo_deviation {
    uint32_t index;  /* of the choice, from 0 */
    uint16_t chosen; /* option taken, at least 1 */
    uint8_t kind;    /* enum solo_choice_kind */
    uint8_t reserved;
};

struct solo_token {
    char scenario[SOLO_SCENARIO_NAME_MAX];
    uint32_t choice_schema;
    uint32_t fingerprint;
    enum solo_granularity granularity;
    uint32_t choices;   /* in the whole schedule */
    bool open;          /* the schedule ended in a crash or was killed: it may go on where it did not crash */
    uint16_t end_check; /* check of the last choice */
    uint32_t spacing;   /* choices per check character */
    char checks[SOLO_TOKEN_CHECKS_MAX + 1];
    uint32_t deviation_count;
    struct solo_deviation *deviations; /* in order of index; owned */
};

/* The fingerprint of what must be the same when a token is used. */
SOLO_ANY_THREAD SOLO_PUBLIC uint32_t solo_token_fingerprint(const char *scenario, const struct solo_limits *limits);

/*
 * Makes a token from recorded answers. `open`: the schedule did not end by itself. -EINVAL: NULL, or a bad scenario
 * name. -E2BIG: more than SOLO_TOKEN_CHOICES_MAX choices. -ENOMEM. solo_token_finish releases it.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_token_make(const char *scenario, const struct solo_limits *limits,
                                                const struct solo_answer *answers, uint32_t answers_count, bool open,
                                                struct solo_token *ret_token);

/*
 * Reads a token's text, or "@file". -EINVAL, and one sentence in `why`; -ENOMEM. Never crashes, whatever the text is.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_token_parse(const char *text, struct solo_token *ret_token,
                                                 char why[SOLO_TOKEN_WHY_MAX]);

/* Whether this token fits scenario and limits: 0, or -EINVAL and one sentence in `why`. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_token_check(const struct solo_token *token, const char *scenario,
                                                 const struct solo_limits *limits, char why[SOLO_TOKEN_WHY_MAX]);

/* The token's text; free it. NULL: out of memory. Parsing it gives an equal token. */
SOLO_ANY_THREAD SOLO_PUBLIC char *solo_token_text(const struct solo_token *token);

/* Releases what a token owns; NULL and zeroed ones are fine. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_token_finish(struct solo_token *token);

/*
 * How to print a token: `text` itself if it is short, else "@<directory>/<name>", where it has just been written.
 * `directory` NULL: the current one. The file's name follows from the text. -EINVAL; -ENAMETOOLONG: not enough room;
 * else the error of writing.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_token_print(const char *text, const char *directory, char *buffer, size_t size);

/* 1 if this is a scenario name that a token can carry: 1 to 63 letters, digits, '-' and '_'. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_scenario_name_is_valid(const char *name);

/* The check character of a rolling check, as in struct solo_choice. */
SOLO_ANY_THREAD SOLO_PUBLIC char solo_token_check_character(uint16_t check);

/* The letter of a choice kind, '?' if unknown. */
SOLO_ANY_THREAD SOLO_PUBLIC char solo_token_kind_letter(unsigned kind);

#ifdef __cplusplus
}
#endif
#endif
