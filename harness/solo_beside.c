/*
 * solo_beside.c - two schedules of one program side by side, from where they part: `solo replay --beside TOKEN`.
 *
 * Above all for a schedule that fails and the nearest one that passes, which `solo explore` prints in short: what the
 * threads did, each thread in a lane of its own, without the kit's bookkeeping.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 46, BEFORE = 2, LINES = 24, LINES_SHORT = 12, LANES_MAX = 8, LANE = 3 };

struct lines {
    char **texts; /* into the trace, which is cut up */
    size_t count;
};

/* What is about the kit and not about the program. */
static bool is_bookkeeping(const char *line)
{
    static const char *const kinds[] = {"choice",         "pass",         "poll",           "polled",    "unblock",
                                        "locked",         "waited",       "wake-sent",      "wake-seen", "thread-begin",
                                        "job-wanted",     "job-finished", "callback-begun", "contract",  "violation",
                                        "callback-ended", "object-made",  "object-ended",   "time",      "expected"};
    char kind[32] = "";
    (void)sscanf(line, "%*s %*s %*s %31s", kind);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The events of a trace: the lines that begin with a number. */
static bool cut_up(char *trace, bool in_short, struct lines *lines)
{
    size_t room = 0;
    for (const char *c = trace; *c != '\0'; c++) {
        room += *c == '\n';
    }
    lines->texts = calloc(room + 1, sizeof *lines->texts);
    char *rest = trace;
    for (char *line = strsep(&rest, "\n"); line != NULL && lines->texts != NULL; line = strsep(&rest, "\n")) {
        if (line[0] >= '0' && line[0] <= '9' && lines->count <= room && !(in_short && is_bookkeeping(line))) {
            lines->texts[lines->count++] = line;
        }
    }
    return lines->texts != NULL;
}

/* "17 main lock mutex#1": a line without its time, and without its value unless there is no object. */
static void shorten(const char *line, char *text, size_t size)
{
    char step[24] = "", thread[32] = "", kind[32] = "", object[48] = "", value[32] = "";
    (void)sscanf(line, "%23s %*s %31s %31s %47s %31s", step, thread, kind, object, value);
    bool is_choice = strcmp(kind, "choice") == 0;
    if (strcmp(object, "-") != 0) {
        bool told = is_choice && strcmp(value, "0") != 0;
        (void)snprintf(text, size, "%5s %-10s %s %s%s%s", step, thread, kind, object, told ? " " : "",
                       told ? value : "");
        return;
    }
    const char *what = strcmp(value, "0") == 0      ? ""
                       : strcmp(kind, "block") == 0 ? solo_wait_kind_text((unsigned)strtoul(value, NULL, 10))
                                                    : value;
    (void)snprintf(text, size, "%5s %-10s %s%s%s", step, thread, kind, what[0] != '\0' ? " " : "", what);
}

static size_t common_beginning(const struct lines *one, const struct lines *two)
{
    size_t at = 0;
    while (at < one->count && at < two->count && strcmp(one->texts[at], two->texts[at]) == 0) {
        at++;
    }
    return at;
}

/* By first appearance: the lane of each thread, in both schedules the same. */
struct lanes {
    unsigned count;
    char names[LANES_MAX][32];
};

static unsigned lane_of(struct lanes *lanes, const char *line)
{
    char thread[32] = "";
    (void)sscanf(line, "%*s %*s %31s", thread);
    unsigned lane = 0;
    while (lane < lanes->count && strcmp(lanes->names[lane], thread) != 0) {
        lane++;
    }
    if (lane == lanes->count && lane < LANES_MAX) {
        memcpy(lanes->names[lanes->count++], thread, sizeof thread);
    }
    return lane < LANES_MAX ? lane : LANES_MAX - 1;
}

/* In a lane there is no need to see the step's number. */
static void fill_cell(const struct lines *lines, size_t at, struct lanes *lanes, char *text, size_t size)
{
    text[0] = '\0';
    if (at < lines->count && lanes != NULL) {
        char words[160];
        shorten(lines->texts[at], words, sizeof words);
        (void)snprintf(text, size, "%*s%s", (int)(lane_of(lanes, lines->texts[at]) * LANE), "", words + 6);
    } else if (at < lines->count) {
        shorten(lines->texts[at], text, size);
    }
}

static void print_row(const struct lines *one, const struct lines *two, size_t at, size_t parting, struct lanes *lanes)
{
    char left[224], right[224];
    fill_cell(one, at, lanes, left, sizeof left);
    fill_cell(two, at, lanes, right, sizeof right);
    char row[2 * COLUMN + 8];
    int length =
        snprintf(row, sizeof row, "%-*.*s %c %.*s", COLUMN, COLUMN, left, at >= parting ? '|' : ' ', COLUMN, right);
    while (length > 0 && row[length - 1] == ' ') {
        length--;
    }
    printf("%.*s\n", length, row);
}

static void print_columns(const struct lines *one, const struct lines *two, const char *other, bool in_short)
{
    struct lanes lanes = {0};
    size_t parting = common_beginning(one, two);
    size_t first = parting > BEFORE ? parting - BEFORE : 0;
    size_t longest = one->count > two->count ? one->count : two->count;
    size_t lines = in_short ? LINES_SHORT : LINES;
    size_t last = longest - first > lines ? first + lines : longest;
    printf("%-*s   %s\n", COLUMN, "this schedule", other);
    if (first != 0) {
        printf("  (%zu step%s alike)\n", first, first == 1 ? "" : "s");
    }
    for (size_t at = first; at < last; at++) {
        print_row(one, two, at, parting, in_short ? &lanes : NULL);
    }
    if (last != longest) {
        printf("  (%zu more step%s; %s)\n", longest - last, longest - last == 1 ? "" : "s",
               in_short ? "replay --beside shows them" : "--trace has them");
    }
    fputc('\n', stdout);
}

void command_print_passing(const struct command_options *options, const struct solo_finding *finding)
{
    char why[SOLO_EVIDENCE_MAX] = "";
    struct lines one = {0}, two = {0};
    struct solo_replay *runs = calloc(2, sizeof *runs);
    bool both = runs != NULL;
    for (unsigned i = 0; both && i < 2; i++) {
        const char *token = i == 0 ? finding->token : finding->passing_token;
        both = solo_replay_program(options->program, token, &options->explore, false, true, &runs[i], why) == 0 &&
               runs[i].trace != NULL;
    }
    if (both && cut_up(runs[0].trace, true, &one) && cut_up(runs[1].trace, true, &two)) {
        print_columns(&one, &two, "the nearest one that passes", true);
    }
    free(one.texts);
    free(two.texts);
    for (unsigned i = 0; runs != NULL && i < 2; i++) {
        free(runs[i].trace);
    }
    free(runs);
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
    int code = error < 0 ? command_explorer_error("replay", error, why) : -1;
    if (code < 0 && other->trace != NULL && cut_up(trace, false, &one) && cut_up(other->trace, false, &two)) {
        print_columns(&one, &two, "the other one", false);
    }
    free(one.texts);
    free(two.texts);
    free(trace);
    free(other->trace);
    free(other);
    return code;
}
