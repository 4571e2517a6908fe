/*
 * solo_command.h - what the verbs of the `solo` command share.
 *
 * One file per verb: solo_<verb>.c has its main, its options and its help. Exit codes are for scripts: 0 clean, 1
 * findings, 2 usage, 3 the kit itself failed, or was ended before it could tell. A bad option, token or file is one
 * line on standard error.
 */
#ifndef SOLO__COMMAND_H
#define SOLO__COMMAND_H

#include <getopt.h>
#include <solo/report.h>
#include <stdbool.h>
#include <stdint.h>

enum { EXIT_CLEAN = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_KIT_FAILED = 3 };

#define SOLO_COMMAND_VERSION "0.1.0"

/* A verb: argv[0] is its name. Returns the exit code. */
typedef int (*command_verb_fn)(int argc, char **argv);

int command_run(int argc, char **argv);
int command_explore(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_step(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_merge(int argc, char **argv);
int command_check(int argc, char **argv);
int command_cc(int argc, char **argv);

/* Options that several verbs understand. */
struct command_options {
    struct solo_explore_options explore;
    bool in_os; /* --world os */
    bool json;
    bool junit, sarif; /* only where the verb has findings of an exploration */
    bool colour;
    bool full;
    bool stopped; /* solo step: the user ended the run, so its ending says nothing */
    uint64_t budget_ms;
    bool has_budget, has_bound;
    char *const *program;                /* argv of the program under test, ends with NULL */
    char input[4096];                    /* the file that is its standard input, "" if that is none */
    char replay_options[4 * 4096 + 256]; /* those of the above that a replay needs too */
};

/* Values of long options without a letter. */
enum command_option {
    OPTION_HELP = 256,
    OPTION_WORLD,
    OPTION_POLICY,
    OPTION_PEER,
    OPTION_BUDGET,
    OPTION_FORMAT,
    OPTION_COLOUR,
    OPTION_STRATEGY,
    OPTION_SCHEDULES,
    OPTION_BOUND,
    OPTION_SEED,
    OPTION_CARRIER,
    OPTION_FAULTS,
    OPTION_STEPS,
    OPTION_TIME,
    OPTION_WATCHDOG,
    OPTION_TWICE,
    OPTION_FULL,
    OPTION_GRANULARITY,
    OPTION_OWN, /* the first one that only the verb itself knows */
};

/* A verb's options, for getopt_long. */
#define COMMAND_COMMON_OPTIONS                                                                                         \
    {"help", no_argument, NULL, OPTION_HELP}, {"color", required_argument, NULL, OPTION_COLOUR},                       \
        {"full", no_argument, NULL, OPTION_FULL},                                                                      \
    {                                                                                                                  \
        "format", required_argument, NULL, OPTION_FORMAT                                                               \
    }
#define COMMAND_SCHEDULE_OPTIONS                                                                                       \
    {"policy", required_argument, NULL, OPTION_POLICY}, {"peer", required_argument, NULL, OPTION_PEER},                \
        {"carrier", required_argument, NULL, OPTION_CARRIER}, {"faults", required_argument, NULL, OPTION_FAULTS},      \
        {"steps", required_argument, NULL, OPTION_STEPS}, {"time", required_argument, NULL, OPTION_TIME},              \
        {"granularity", required_argument, NULL, OPTION_GRANULARITY},                                                  \
    {                                                                                                                  \
        "watchdog-s", required_argument, NULL, OPTION_WATCHDOG                                                         \
    }

/*
 * Sets the defaults: explorer's own, world sim, text, colour if standard output is a terminal and NO_COLOR is not
 * set.
 */
void command_defaults(struct command_options *options);

/*
 * Reads the next option of `verb`. Returns it if the verb itself must handle it (value in optarg), -1 when there
 * are no more, and -2 when it was wrong, which has been said. What is common is put into `options`.
 */
int command_next_option(const char *verb, int argc, char **argv, const struct option *long_options,
                        struct command_options *options);

/*
 * What follows the options: the program. False, and a line on standard error, if there is none. Loads the peer file
 * once.
 */
bool command_take_program(const char *verb, int argc, char **argv, struct command_options *options);

/* One line on standard error: "solo VERB: ...". Returns EXIT_USAGE. */
int command_wrong(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and EXIT_KIT_FAILED. */
int command_failed(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says why the explorer returned this error. Returns the exit code: is it the user's, or the kit's? */
int command_explorer_error(const char *verb, int error, const char *why);

/*
 * The exit code of an exploration, or of several put together: whatever was reported is a finding, also where the
 * verdict is incomplete because of it.
 */
int command_explored_code(enum solo_verdict verdict, unsigned findings);

/* A number between min and max. False, and a line on standard error, if it is not. */
bool command_number(const char *verb, const char *option, const char *text, uint64_t min, uint64_t max,
                    uint64_t *ret_value);

/* Writes the reports of what a replay or a step saw, and how it ended. Returns EXIT_CLEAN or EXIT_FINDINGS. */
int command_report_replay(const struct command_options *options, const struct solo_replay *replay, const char *token);

/*
 * Writes a C file with a CUnit test that fails as long as the schedule of the token shows what the replay showed.
 * False, and a line on standard error, if it cannot.
 */
bool command_emit_test(const struct command_options *options, const char *token, const struct solo_replay *replay,
                       const char *path);

/* A finding and the nearest schedule that passes, in short, side by side from where they part. */
void command_print_passing(const struct command_options *options, const struct solo_finding *finding);

/*
 * Runs another token and prints its steps beside those of the replay, which has its trace, from where they part. -1, or
 * the exit code of what went wrong.
 */
int command_print_beside(const struct command_options *options, const struct solo_replay *replay, const char *token);

/* The text of every verb's --help about the options above. */
extern const char command_help_common[];
extern const char command_help_schedule[];
/* What command_explored_code returns. */
extern const char command_help_explored_code[];

#endif
