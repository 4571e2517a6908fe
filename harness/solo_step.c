/*
 * solo_step.c - `solo step`: be the scheduler.
 *
 * At each choice it lists who could go on and what each is about to do, and why the others cannot. Undo runs the
 * schedule again with one answer less. It reads lines, so it works in a pipe as well; at the end of its input it
 * answers plainly.
 */
#include "solo_command.h"
#include <ctype.h>
#include <solo/thread.h>
#include <solo/trace.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRACE_LINES = 20 };

static const struct option long_options[] = {
    COMMAND_COMMON_OPTIONS,
    COMMAND_SCHEDULE_OPTIONS,
    {NULL, 0, NULL, 0},
};

static int print_help(void)
{
    printf("usage: solo step [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
           "\n"
           "Runs the program in the simulated world and asks you at every choice: who goes next, which waiter is\n"
           "woken, how many bytes arrive. Option 0 is what the plain schedule does.\n"
           "\n"
           "  NUMBER  take that option        Enter   take option 0\n"
           "  u       undo the last answer    t       the last events    T   all events\n"
           "  p       plainly to the end      q       end the run here   ?   this help\n"
           "\n"
           "%s%s",
           command_help_schedule, command_help_common);
    return EXIT_CLEAN;
}

static const char *question_of(enum solo_choice_kind kind)
{
    static const char *const questions[SOLO_CHOICE_KINDS] = {
        [SOLO_CHOICE_THREAD] = "who goes next?",
        [SOLO_CHOICE_WAITER] = "who is woken?",
        [SOLO_CHOICE_READY] = "which descriptor is reported next?",
        [SOLO_CHOICE_JOB] = "which job does the worker take?",
        [SOLO_CHOICE_WORKER] = "which worker gets the job?",
        [SOLO_CHOICE_CHUNK] = "how many bytes arrive?",
        [SOLO_CHOICE_FAULT] = "does it go wrong here?",
    };
    return kind < SOLO_CHOICE_KINDS ? questions[kind] : "what happens?";
}

static bool is_idle(unsigned wait_kind)
{
    return wait_kind <= SOLO_WAIT_PEER;
}

static void print_waiters(const struct solo_step_view *view)
{
    for (size_t i = 0; i < view->waiter_count; i++) {
        const struct solo_waiter *waiter = &view->waiters[i];
        bool named = waiter->object[0] != '\0' && waiter->object[0] != '-';
        printf("       %s: %s for %s%s%s%s%s%s\n", waiter->thread,
               is_idle(waiter->wait_kind) ? "idle, waits" : "blocked, waits", solo_wait_kind_text(waiter->wait_kind),
               named ? " (" : "", named ? waiter->object : "", named ? ")" : "",
               waiter->holder[0] != '\0' ? ", held by " : "", waiter->holder);
    }
}

static void print_view(const struct solo_step_view *view)
{
    printf("\nchoice %u, step %llu, %llu.%03llu ms: %s\n", view->index + 1, (unsigned long long)view->step,
           (unsigned long long)(view->now_ns / 1000000), (unsigned long long)(view->now_ns / 1000 % 1000),
           question_of(view->kind));
    for (size_t i = 0; i < view->option_count; i++) {
        printf("  %3zu  %s\n", i, view->options[i].text);
    }
    print_waiters(view);
}

static void print_trace(const struct solo_trace *trace, size_t lines_max)
{
    char line[SOLO_TRACE_LINE_MAX];
    size_t first = trace->count > lines_max ? trace->count - lines_max : 0;
    for (size_t i = first; i < trace->count; i++) {
        printf("    %s\n", solo_trace_line(trace, &trace->events[i], line));
    }
}

/* The first word of a line of input; false at the end of it. */
static bool read_word(char *word, size_t size)
{
    char line[256];
    if (fgets(line, sizeof line, stdin) == NULL) {
        return false;
    }
    if (strchr(line, '\n') == NULL) {
        for (int c = getc(stdin); c != EOF && c != '\n'; c = getc(stdin)) {
        }
    }
    const char *start = line + strspn(line, " \t\r\n");
    (void)snprintf(word, size, "%.*s", (int)strcspn(start, " \t\r\n"), start);
    return true;
}

static bool is_number(const char *word)
{
    return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0' && strlen(word) < 6;
}

static long ask(const struct solo_step_view *view, void *arg)
{
    char word[32];
    bool *stopped = arg;
    print_view(view);
    for (;;) {
        printf("[0-%zu u t p q ?] ", view->option_count - 1);
        fflush(stdout);
        if (!read_word(word, sizeof word)) {
            printf("(end of input: plainly to the end)\n");
            return SOLO_STEP_PLAIN;
        }
        if (!isatty(STDIN_FILENO)) {
            printf("%s\n", word); /* so that the output reads as a session would */
        }
        if (word[0] == '\0') {
            return 0;
        } else if (is_number(word) && strtoul(word, NULL, 10) < view->option_count) {
            return strtol(word, NULL, 10);
        } else if (is_number(word)) {
            printf("there are %zu options, 0 to %zu\n", view->option_count, view->option_count - 1);
        } else if (strcmp(word, "u") == 0) {
            return SOLO_STEP_UNDO;
        } else if (strcmp(word, "p") == 0) {
            return SOLO_STEP_PLAIN;
        } else if (strcmp(word, "q") == 0) {
            *stopped = true;
            return SOLO_STEP_STOP;
        } else if (strcmp(word, "t") == 0 || strcmp(word, "T") == 0) {
            print_trace(view->trace, word[0] == 't' ? TRACE_LINES : SIZE_MAX);
        } else {
            printf("a number takes that option; u undo, t trace, T whole trace, p plainly to the end, q quit\n");
        }
    }
}

int command_step(int argc, char **argv)
{
    struct command_options options;
    char why[SOLO_EVIDENCE_MAX] = "";
    command_defaults(&options);
    options.explore.progress = NULL;
    int option = command_next_option("step", argc, argv, long_options, &options);
    if (option != -1) {
        return option == OPTION_HELP ? print_help() : EXIT_USAGE;
    }
    if (!command_take_program("step", argc, argv, &options)) {
        return EXIT_USAGE;
    }
    struct solo_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL) {
        return command_failed("step", "out of memory");
    }
    int error = solo_step_program(options.program, &options.explore, ask, &options.stopped, replay, why);
    int code;
    if (error < 0) {
        code = command_explorer_error("step", error, why);
    } else {
        if (replay->output[0] != '\0' && !options.json) {
            printf("\nit printed:\n%s", replay->output);
        }
        fputc('\n', stdout);
        code = command_report_replay(&options, replay, replay->token);
    }
    free(replay->trace);
    free(replay);
    return code;
}
