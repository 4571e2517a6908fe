/*
 * solo_print.c - what a single schedule showed, as `solo replay`, `solo step` and `solo run --world sim` print it.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include <signal.h>
#include <solo/trace.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = sizeof(((struct solo_replay *)0)->violations) / sizeof(struct solo_violation) };

static struct solo_report_context context_of(const struct command_options *options, const struct solo_replay *replay,
                                             unsigned index, const char *token)
{
    struct solo_report_context context = {
        .detail = &replay->details[index],
        .world = "sim",
        .argv = options->program,
        .input = options->input[0] != '\0' ? options->input : NULL,
        .options = options->replay_options,
        .token = token[0] != '\0' ? token : NULL,
        .output = replay->output,
        .colour = options->colour,
        .full = options->full,
    };
    return context;
}

/* How it ended, in one line that is the same every time. */
static void print_ending(FILE *out, const struct command_options *options, const struct solo_replay *replay,
                         const char *token)
{
    fprintf(out, "ending: %s", options->stopped ? "stopped by you" : solo_ending_text(replay->ending));
    if (replay->signal != 0) {
        fprintf(out, ", killed by SIG%s", sigabbrev_np(replay->signal) != NULL ? sigabbrev_np(replay->signal) : "?");
    } else if (replay->ending == SOLO_ENDING_RETURNED) {
        fprintf(out, ", exit status %d", replay->exit_status);
    }
    fprintf(out, "; %llu steps, trace %016llx, %u finding%s\n", (unsigned long long)replay->steps,
            (unsigned long long)replay->trace_hash, replay->violation_count, replay->violation_count == 1 ? "" : "s");
    if (token[0] != '\0') {
        fprintf(out, "schedule: %s\n", token);
    }
}

int command_report_replay(const struct command_options *options, const struct solo_replay *replay, const char *token)
{
    unsigned kept = replay->violation_count < KEPT ? replay->violation_count : KEPT;
    if (options->json) {
        struct solo_report *report = calloc(1, sizeof *report);
        struct solo_report_context *contexts = calloc(KEPT, sizeof *contexts);
        if (report == NULL || contexts == NULL) {
            free(report);
            free(contexts);
            return command_failed("", "out of memory");
        }
        report->verdict = kept != 0 ? SOLO_VERDICT_FINDINGS : SOLO_VERDICT_CLEAN;
        report->schedules = report->distinct = 1;
        report->failing = kept != 0;
        report->steps = replay->steps;
        report->finding_count = kept;
        (void)snprintf(report->evidence, sizeof report->evidence, "one schedule, which ended as: %s",
                       solo_ending_text(replay->ending));
        for (unsigned i = 0; i < kept; i++) {
            report->findings[i].violation = replay->violations[i];
            contexts[i] = context_of(options, replay, i, token);
        }
        (void)solo_report_explored_json(stdout, report, contexts);
        free(report);
        free(contexts);
    } else {
        for (unsigned i = 0; i < kept; i++) {
            struct solo_report_context context = context_of(options, replay, i, token);
            (void)solo_report_text(stdout, &replay->violations[i], &context);
            fputc('\n', stdout);
        }
        print_ending(stdout, options, replay, token);
    }
    return kept != 0 ? EXIT_FINDINGS : EXIT_CLEAN;
}
