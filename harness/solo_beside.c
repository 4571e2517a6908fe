/*
 * solo_beside.c - two schedules of one program side by side, from where they part: `solo replay --beside TOKEN`.
 *
 * Above all for a schedule that fails and the nearest one that passes, which `solo explore --full` names.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 46, BEFORE = 2, LINES = 24 };

struct lines {
    char **texts; /* into the trace, which is cut up */
    size_t count;
};

/* The events of a trace: the lines that begin with a number. */
static bool cut_up(char *trace, struct lines *lines)
{
    size_t room = 0;
    for (const char *c = trace; *c != '\0'; c++) {
        room += *c == '\n';
    }
    lines->texts = calloc(room + 1, sizeof *lines->texts);
    char *rest = trace;
    for (char *line = strsep(&rest, "\n"); line != NULL && lines->texts != NULL; line = strsep(&rest, "\n")) {
        if (line[0] >= '0' && line[0] <= '9' && lines->count <= room) {
            lines->texts[lines->count++] = line;
        }
    }
    return lines->texts != NULL;
}

/* "17 main lock mutex#1": a line without its time and value. */
static void shorten(const char *line, char *text, size_t size)
{
    char step[24] = "", thread[32] = "", kind[32] = "", object[48] = "", value[32] = "";
    (void)sscanf(line, "%23s %*s %31s %31s %47s %31s", step, thread, kind, object, value);
    bool told = strcmp(kind, "choice") == 0 || strcmp(object, "-") == 0;
    (void)snprintf(text, size, "%5s %-10s %s %s%s%s", step, thread, kind, strcmp(object, "-") != 0 ? object : "",
                   told && strcmp(value, "0") != 0 ? " " : "", told && strcmp(value, "0") != 0 ? value : "");
}

static size_t common_beginning(const struct lines *one, const struct lines *two)
{
    size_t at = 0;
    while (at < one->count && at < two->count && strcmp(one->texts[at], two->texts[at]) == 0) {
        at++;
    }
    return at;
}

static void print_row(const struct lines *one, const struct lines *two, size_t at, size_t parting)
{
    char left[160] = "", right[160] = "";
    if (at < one->count) {
        shorten(one->texts[at], left, sizeof left);
    }
    if (at < two->count) {
        shorten(two->texts[at], right, sizeof right);
    }
    printf("%-*.*s %c %.*s\n", COLUMN, COLUMN, left, at >= parting ? '|' : ' ', COLUMN, right);
}

static void print_columns(const struct lines *one, const struct lines *two)
{
    size_t parting = common_beginning(one, two);
    size_t first = parting > BEFORE ? parting - BEFORE : 0;
    size_t longest = one->count > two->count ? one->count : two->count;
    size_t last = longest - first > LINES ? first + LINES : longest;
    printf("%-*s   %s\n", COLUMN, "this schedule", "the other one");
    if (first != 0) {
        printf("  (%zu step%s alike)\n", first, first == 1 ? "" : "s");
    }
    for (size_t at = first; at < last; at++) {
        print_row(one, two, at, parting);
    }
    if (last != longest) {
        printf("  (%zu more step%s; --trace has them)\n", longest - last, longest - last == 1 ? "" : "s");
    }
    fputc('\n', stdout);
}

int command_print_beside(const struct command_options *options, const struct solo_replay *replay, const char *token)
{
    char why[SOLO_EVIDENCE_MAX] = "";
    struct lines one = {0}, two = {0};
    struct solo_replay *other = calloc(1, sizeof *other);
    char *trace = replay->trace != NULL ? strdup(replay->trace) : NULL;
    if (other == NULL || trace == NULL) {
        free(other);
        free(trace);
        return command_failed("replay", "out of memory");
    }
    int error = solo_replay_program(options->program, token, &options->explore, false, true, other, why);
    int code = error < 0 ? command_explorer_error("replay", error, options, why) : -1;
    if (code < 0 && other->trace != NULL && cut_up(trace, &one) && cut_up(other->trace, &two)) {
        print_columns(&one, &two);
    }
    free(one.texts);
    free(two.texts);
    free(trace);
    free(other->trace);
    free(other);
    return code;
}
