/*
 * solo_explore.c - `solo explore`: a program under many schedules.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include <solo/token.h>
#include <solo/trace.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTION_ALL = OPTION_OWN,
    OPTION_FIRST,
    OPTION_NO_SHRINK,
    OPTION_SHOW,
    OPTION_JOBS,
    OPTION_SHARD,
    OPTION_CHECKPOINT,
    FULL_REPORTS_MAX = 3
};

static const struct option long_options[] = {
    COMMAND_COMMON_OPTIONS,
    COMMAND_SCHEDULE_OPTIONS,
    {"strategy", required_argument, NULL, OPTION_STRATEGY},
    {"schedules", required_argument, NULL, OPTION_SCHEDULES},
    {"bound", required_argument, NULL, OPTION_BOUND},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"twice", required_argument, NULL, OPTION_TWICE},
    {"all", no_argument, NULL, OPTION_ALL},
    {"first", no_argument, NULL, OPTION_FIRST},
    {"no-shrink", no_argument, NULL, OPTION_NO_SHRINK},
    {"show", no_argument, NULL, OPTION_SHOW},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"shard", required_argument, NULL, OPTION_SHARD},
    {"checkpoint", required_argument, NULL, OPTION_CHECKPOINT},
    {NULL, 0, NULL, 0},
};

struct request {
    struct command_options options;
    bool all;  /* every finding in full */
    bool show; /* the plain schedule's trace as well */
};

static int print_help(void)
{
    printf("usage: solo explore [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
           "\n"
           "Runs the program in the simulated world, under one schedule after the other, and reports each\n"
           "defect once: with the shortest schedule that shows it, and the command that replays it.\n"
           "\n"
           "  --strategy S[:N]     portfolio, random, pct, pos, urw, surw, hold, locks, fifo (one schedule: the\n"
           "                       plain one), dfs, preempt, dpor (exhaustive); help tells what each does (portfolio)\n"
           "  --schedules N        stop after N schedules (1,000 distinct ones, or the end of the search);\n"
           "                       with --shard: all shards together, but of dfs, preempt and dpor each of them\n"
           "  --bound B            dfs, preempt: at most B delays, or preemptions, a schedule (2)\n"
           "  --seed S             of the first schedule; those of the others follow from it (1)\n"
           "  --first              stop at the first failing schedule\n"
           "  --no-shrink          print tokens as they were found, not the shortest ones\n"
           "  --all                every finding in full; else the first %d, the others in one line\n"
           "  --show               the trace of the plain schedule as well, also if all pass\n"
           "                       (\"<- N\": depends on step N)\n"
           "  --twice N            run every N-th schedule twice and compare the traces (0: never)\n"
           "  --jobs N             N processes share the work; the result is the same for every N\n"
           "  --shard K/N          do the K-th of N shares; `solo merge` puts their --format json together\n"
           "                       (of dfs, preempt and dpor a share of the search)\n"
           "  --format junit|sarif for continuous integration; also text and json\n"
           "  --checkpoint FILE    save what is known there now and then, and go on from it if it is there\n"
           "%s%s%s",
           FULL_REPORTS_MAX, command_help_schedule, command_help_common, command_help_explored_code);
    return EXIT_CLEAN;
}

static bool take_jobs(struct solo_explore_options *explore, const char *text)
{
    uint64_t jobs = 0;
    bool fine = command_number("explore", "--jobs", text, 1, SOLO_JOBS_MAX, &jobs);
    explore->jobs = (unsigned)jobs;
    return fine;
}

/* "2/5": both from 1. */
static bool take_shard(struct solo_explore_options *explore, const char *text)
{
    const char *slash = strchr(text, '/');
    char *end = NULL;
    unsigned long shard = strtoul(text, &end, 10);
    bool fine = text[0] >= '0' && text[0] <= '9' && end == slash && slash != NULL && slash[1] >= '0' && slash[1] <= '9';
    unsigned long shards = fine ? strtoul(slash + 1, &end, 10) : 0;
    if (!fine || *end != '\0' || shards > SOLO_SHARDS_MAX || shard < 1 || shard > shards) {
        (void)command_wrong("explore", "--shard: '%s' is not K/N with K from 1 to N, and N at most %d", text,
                            SOLO_SHARDS_MAX);
        return false;
    }
    explore->shard = (unsigned)shard;
    explore->shards = (unsigned)shards;
    return true;
}

/* Takes the options. -1: go on; else the exit code. */
static int take_options(int argc, char **argv, struct request *request)
{
    struct command_options *options = &request->options;
    command_defaults(options);
    int option;
    while ((option = command_next_option("explore", argc, argv, long_options, options)) != -1) {
        switch (option) {
        case OPTION_HELP: return print_help();
        case OPTION_ALL: request->all = true; break;
        case OPTION_FIRST: options->explore.stop_at_first = true; break;
        case OPTION_NO_SHRINK: options->explore.shrink = false; break;
        case OPTION_SHOW: request->show = true; break;
        case OPTION_CHECKPOINT: options->explore.checkpoint_file = optarg; break;
        case OPTION_JOBS:
            if (!take_jobs(&options->explore, optarg)) {
                return EXIT_USAGE;
            }
            break;
        case OPTION_SHARD:
            if (!take_shard(&options->explore, optarg)) {
                return EXIT_USAGE;
            }
            break;
        default: return EXIT_USAGE;
        }
    }
    if (options->has_bound && strcmp(options->explore.strategy, "dfs") != 0 &&
        strcmp(options->explore.strategy, "preempt") != 0) {
        return command_wrong("explore", "--bound is for the strategies dfs and preempt, not for '%s'",
                             options->explore.strategy);
    }
    return command_take_program("explore", argc, argv, options) ? -1 : EXIT_USAGE;
}

/* A long token goes to a file, and the report names that. */
static const char *printable(const char *token, char *buffer, size_t size)
{
    return token[0] != '\0' && solo_token_print(token, NULL, buffer, size) == 0 ? buffer : token;
}

struct contexts {
    struct solo_report_context contexts[SOLO_FINDINGS_MAX];
    char tokens[SOLO_FINDINGS_MAX][512]; /* as printed */
};

static struct contexts *contexts_of(const struct command_options *options, const struct solo_report *report)
{
    struct contexts *all = calloc(1, sizeof *all);
    for (unsigned i = 0; all != NULL && i < report->finding_count; i++) {
        const struct solo_finding *finding = &report->findings[i];
        all->contexts[i] = (struct solo_report_context){
            .detail = &finding->detail,
            .world = "sim",
            .argv = options->program,
            .input = options->input[0] != '\0' ? options->input : NULL,
            .options = options->replay_options,
            .token =
                finding->token[0] != '\0' ? printable(finding->token, all->tokens[i], sizeof all->tokens[i]) : NULL,
            .passing_token = finding->passing_token[0] != '\0' ? finding->passing_token : NULL,
            .schedules = report->schedules + report->directed,
            .failing = finding->schedules,
            .found_by = strcmp(options->explore.strategy, "portfolio") == 0 ? finding->found_by : NULL,
            .output = finding->output,
            .colour = options->colour,
            .full = options->full,
        };
    }
    return all;
}

static void print_findings(const struct request *request, const struct solo_report *report,
                           const struct solo_report_context *contexts)
{
    char line[256];
    for (unsigned i = 0; i < report->finding_count; i++) {
        const struct solo_finding *finding = &report->findings[i];
        if (!request->all && i >= FULL_REPORTS_MAX) {
            printf("%s\n", solo_report_headline(&finding->violation, line, sizeof line));
            continue;
        }
        (void)solo_report_text(stdout, &finding->violation, &contexts[i]);
        if (!finding->reproduced && finding->token[0] != '\0') {
            printf("warning: a replay of this token did not show it again (solo explain SOLO019)\n");
        }
        fputc('\n', stdout);
        if (i == 0 && finding->reproduced && finding->passing_token[0] != '\0') {
            command_print_passing(&request->options, finding);
        }
    }
    if (!request->all && report->finding_count > FULL_REPORTS_MAX) {
        printf("(%u more findings in one line each; --all shows them in full)\n\n",
               report->finding_count - FULL_REPORTS_MAX);
    }
}

/* The number that is not the same every run goes where it does not disturb a comparison of outputs. */
static void print_speed(const struct solo_report *report)
{
    if (report->wall_ns != 0 && isatty(STDERR_FILENO)) {
        double seconds = (double)report->wall_ns / 1e9;
        fprintf(stderr, "speed: %.0f schedules/s (%.2f s)\n", (double)report->schedules / seconds, seconds);
    }
}

static long answer_plainly(const struct solo_step_view *view, void *arg)
{
    (void)view;
    (void)arg;
    return SOLO_STEP_PLAIN;
}

/* The plain schedule, made into a token and replayed with its trace. */
static void show_plain_schedule(const struct command_options *options)
{
    char why[SOLO_EVIDENCE_MAX] = "";
    struct solo_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL) {
        return;
    }
    if (solo_step_program(options->program, &options->explore, answer_plainly, NULL, replay, why) == 0) {
        char token[SOLO_TOKEN_MAX];
        memcpy(token, replay->token, sizeof token);
        free(replay->trace);
        memset(replay, 0, sizeof *replay);
        struct solo_explore_options explore = options->explore;
        explore.dependences = true;
        if (solo_replay_program(options->program, token, &explore, false, true, replay, why) == 0) {
            printf("the plain schedule: %s\n%s\n", token, replay->trace != NULL ? replay->trace : "");
        }
    }
    free(replay->trace);
    free(replay);
}

static int print_all(const struct request *request, const struct solo_report *report)
{
    const struct command_options *options = &request->options;
    struct contexts *all = contexts_of(options, report);
    if (all == NULL) {
        return command_failed("explore", "out of memory");
    }
    if (options->json) {
        (void)solo_report_explored_json(stdout, report, all->contexts);
    } else if (options->junit) {
        (void)solo_report_explored_junit(stdout, options->program[0], report, all->contexts);
    } else if (options->sarif) {
        (void)solo_report_explored_sarif(stdout, options->program[0], report, all->contexts);
    } else {
        print_findings(request, report, all->contexts);
        if (request->show) {
            show_plain_schedule(options);
        }
        (void)solo_report_explored_text(stdout, report, options->colour);
        print_speed(report);
    }
    free(all);
    return command_explored_code(report->verdict, report->finding_count);
}

/*
 * The first Ctrl-C ends the exploration with what it has found; a second one ends the command, and so does one before
 * it has begun.
 */
static void on_interrupt(int signal_number)
{
    if (!solo_explore_stop()) {
        (void)raise(signal_number); /* which has its usual effect by now */
    }
}

static void catch_interrupts(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before, action = {.sa_handler = on_interrupt, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) { /* nohup stays as it is */
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

int command_explore(int argc, char **argv)
{
    struct request request = {.all = false};
    int code = take_options(argc, argv, &request);
    if (code >= 0) {
        return code;
    }
    struct solo_report *report = calloc(1, sizeof *report);
    if (report == NULL) {
        return command_failed("explore", "out of memory");
    }
    catch_interrupts();
    int error = solo_explore_program(request.options.program, &request.options.explore, report);
    code = error < 0 ? command_explorer_error("explore", error, report->evidence) : print_all(&request, report);
    free(report->traces);
    free(report->seen_orders);
    free(report);
    return code;
}
