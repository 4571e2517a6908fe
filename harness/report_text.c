/*
 * report_text.c - a finding as text for a person.
 *
 * The parts are written to pages of lines first. What must be there (first line, place, notes, help, replay line)
 * is counted, and the lanes get what is left of the 30 lines.
 */
#include "report_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WAITERS_SHOWN_MAX = 6 };

/* ---- The first line ---- */

const char *solo__report_id(const struct solo_violation *violation, char id[8])
{
    return violation->id != SOLO_NO_VIOLATION ? solo_violation_name(violation->id, id) : "check";
}

const char *solo_report_headline(const struct solo_violation *violation, char *buffer, size_t size)
{
    char id[8];
    if (violation->id == SOLO001_WRONG_THREAD && violation->function[0] != '\0' && violation->thread[0] != '\0') {
        (void)snprintf(buffer, size, "error[SOLO001]: `%s` called on `%s`, but it is %s", violation->function,
                       violation->thread, solo_contract_kind_name(violation->contract)); /* the rest is in the notes */
    } else {
        (void)snprintf(buffer, size, "%s[%s]: %s", solo__severity(violation), solo__report_id(violation, id),
                       solo__report_or(violation->text, solo_violation_title(violation->id)));
    }
    for (char *c = buffer; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ') {
            *c = ' ';
        }
    }
    return buffer;
}

static void write_head(struct solo__page *page, const struct solo_violation *violation)
{
    char line[SOLO__LINE_MAX];
    solo__page_cut(page, solo_report_headline(violation, line, sizeof line));
}

/* ---- The place ---- */

static void label_of(const struct solo_violation *violation, char *label, size_t size)
{
    const char *thread = solo__report_or(violation->thread, "an unknown thread");
    if (violation->job[0] != '\0') {
        (void)snprintf(label, size, "runs on %s, inside %s", thread, violation->job);
    } else {
        (void)snprintf(label, size, "runs on %s", thread);
    }
}

static void write_place(struct solo__page *page, const struct solo_violation *violation,
                        const struct solo_report_context *context)
{
    char label[160];
    const struct solo_detail *detail = context->detail;
    if (detail == NULL || detail->frame_count == 0) {
        return;
    }
    const struct solo_frame_text *frame = &detail->frames[0];
    unsigned column = solo__report_column(frame, violation->function, context->source_directory);
    label_of(violation, label, sizeof label);
    if (column != 0) {
        solo__page_line(page, "   --> %s:%d:%u", frame->file, (int)frame->line, column);
        solo__report_excerpt(page, frame, violation->function, label, context->source_directory);
    } else if (frame->file[0] != '\0') {
        solo__page_line(page, "   --> %s:%d in %s, which %s", frame->file, (int)frame->line, frame->function, label);
    } else {
        solo__page_line(page, "   --> %s, which %s", frame->function, label);
    }
}

/* ---- Who waits for whom ---- */

static void write_waiters(struct solo__page *page, const struct solo_violation *violation, bool full)
{
    uint32_t count = violation->waiter_count < SOLO_WAITERS_MAX ? violation->waiter_count : SOLO_WAITERS_MAX;
    uint32_t shown = full || count <= WAITERS_SHOWN_MAX ? count : WAITERS_SHOWN_MAX;
    if (count == 0) {
        return;
    }
    solo__page_line(page, "     = %-20s %-38s %s", "who waits", "for what", "held by");
    for (uint32_t i = 0; i < shown; i++) {
        const struct solo_waiter *waiter = &violation->waiters[i];
        char what[SOLO_VIOLATION_NAME_MAX + 48];
        bool named = waiter->object[0] != '\0' && waiter->object[0] != '-';
        bool says_it_all = named && waiter->wait_kind >= SOLO_WAIT_MUTEX && waiter->wait_kind <= SOLO_WAIT_SEMAPHORE;
        (void)snprintf(what, sizeof what, "%s%s%s", says_it_all ? "" : solo_wait_kind_text(waiter->wait_kind),
                       named && !says_it_all ? ": " : "", named ? waiter->object : "");
        solo__page_line(page, "       %-20s %-38s %s", waiter->thread, what, solo__report_or(waiter->holder, "-"));
    }
    if (shown < count) {
        solo__page_line(page, "       and %u more", (unsigned)(count - shown));
    }
}

/* ---- Notes ---- */

/* "look_up (chat.c:41)" */
static const char *place_text(const struct solo_frame_text *frame, char *buffer, size_t size)
{
    if (frame->file[0] != '\0') {
        (void)snprintf(buffer, size, "%s (%s:%d)", frame->function, frame->file, (int)frame->line);
    } else {
        (void)snprintf(buffer, size, "%s", frame->function);
    }
    return buffer;
}

static void note_stack(struct solo__page *page, const struct solo_detail *detail, bool full)
{
    char text[SOLO__LINE_MAX] = "", place[224];
    uint32_t shown = full || detail->frame_count <= 3 ? detail->frame_count : 3;
    for (uint32_t i = 1; i < shown; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%s", i > 1 ? ", from " : "",
                       place_text(&detail->frames[i], place, sizeof place));
    }
    if (text[0] != '\0') {
        solo__page_note(page, "note", "called from %s%s", text, shown < detail->frame_count ? ", ..." : "");
    }
}

static void note_owner(struct solo__page *page, const struct solo_violation *violation,
                       const struct solo_detail *detail)
{
    char place[224];
    if (violation->owner[0] == '\0' || violation->object[0] == '\0') {
        return;
    }
    bool placed = detail != NULL && detail->owner_frame_count != 0;
    solo__page_note(page, "note", "%s belongs to `%s`%s%s%s%s", violation->object, violation->owner,
                    violation->owner_bound[0] != '\0' ? ", by " : "", violation->owner_bound, placed ? " in " : "",
                    placed ? place_text(&detail->owner_frames[0], place, sizeof place) : "");
}

static void note_queued(struct solo__page *page, const struct solo_violation *violation,
                        const struct solo_detail *detail)
{
    char place[224];
    if (violation->queued_by[0] == '\0') {
        return;
    }
    bool placed = detail != NULL && detail->queued_frame_count != 0;
    solo__page_note(page, "note", "%s was queued by `%s`%s%s", solo__report_or(violation->job, "this work"),
                    violation->queued_by, placed ? " in " : "",
                    placed ? place_text(&detail->queued_frames[0], place, sizeof place) : "");
}

static void note_policy(struct solo__page *page, const struct solo_violation *violation)
{
    if (violation->id != SOLO001_WRONG_THREAD && violation->id != SOLO007_CONFINED_SHARED) {
        return;
    }
    if (violation->in_set_up != 0) {
        solo__page_note(page, "note",
                        "the reactor has not run yet: until then it belongs to the thread that called it first");
    }
    if (violation->policy == SOLO_POLICY_REPORT) {
        solo__page_note(page, "note", "the call was let through (policy report)");
    } else if (violation->policy == SOLO_POLICY_REFUSE && violation->id == SOLO001_WRONG_THREAD) {
        solo__page_note(page, "note", "the call returned SOLO_EWRONGTHREAD and had no effect");
    }
}

static const char *tool_name(unsigned tool)
{
    static const char *const names[] = {"the kit", "ThreadSanitizer", "helgrind",
                                        "drd",     "memcheck",        "AddressSanitizer"};
    return tool < sizeof names / sizeof names[0] ? names[tool] : "another tool";
}

static size_t line_around(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n') {
        at--;
    }
    return at;
}

/* Whoever ends a program on purpose says why, and mostly just before. */
static void note_last_line(struct solo__page *page, const struct solo_violation *violation, const char *output)
{
    bool ended_itself = strstr(violation->text, "SIGABRT") != NULL || strstr(violation->text, "exited with") != NULL ||
                        strstr(violation->text, "exit with") != NULL;
    if (output == NULL || violation->from_tool != 0 || !ended_itself) {
        return;
    }
    size_t end = strlen(output);
    while (end > 0 && (unsigned char)output[end - 1] <= ' ') {
        end--;
    }
    size_t begin = line_around(output, end);
    size_t indent = strspn(output + begin, " \t");
    if (indent != 0 && begin > 1) { /* it goes on with the line before, as what() of an exception does */
        size_t above = line_around(output, begin - 1);
        solo__page_note(page, "note", "it said last: %.*s %.*s", (int)(begin - 1 - above), output + above,
                        (int)(end - begin - indent), output + begin + indent);
    } else if (begin < end) {
        solo__page_note(page, "note", "it said last: %.*s", (int)(end - begin - indent), output + begin + indent);
    }
}

static void write_notes(struct solo__page *page, const struct solo_violation *violation,
                        const struct solo_report_context *context)
{
    char headline[SOLO__LINE_MAX], failing[32], schedules[32];
    if (strlen(solo_report_headline(violation, headline, sizeof headline)) > SOLO_REPORT_COLUMNS_MAX) {
        solo__page_note(page, "note", "%s", solo__report_or(violation->text, solo_violation_title(violation->id)));
    }
    if (!context->full) {
        note_last_line(page, violation, context->output);
    }
    if (context->detail != NULL) {
        note_stack(page, context->detail, context->full);
    }
    if (violation->contract_file[0] != '\0' && violation->contract != SOLO_CONTRACT_ANY_THREAD) {
        solo__page_note(page, "note", "contract of %s: %s (%s:%u)", violation->function,
                        solo_contract_kind_name(violation->contract), violation->contract_file,
                        (unsigned)violation->contract_line);
    }
    note_owner(page, violation, context->detail);
    note_queued(page, violation, context->detail);
    note_policy(page, violation);
    if (violation->from_tool != 0) {
        solo__page_note(page, "note", "found by %s", tool_name(violation->from_tool));
    }
    if (violation->count > 1) {
        solo__page_note(page, "note", "the same call site did it %s times in this run",
                        solo__report_number(violation->count, failing, sizeof failing));
    }
    if (context->schedules != 0) {
        solo__page_note(
            page, "note", "%s of %s explored schedule%s show%s it%s%s%s",
            solo__report_number(context->failing, failing, sizeof failing),
            solo__report_number(context->schedules, schedules, sizeof schedules), context->schedules == 1 ? "" : "s",
            context->failing == 1 ? "s" : "", context->found_by != NULL ? "; strategy " : "",
            context->found_by != NULL ? context->found_by : "", context->found_by != NULL ? " found it first" : "");
    }
}

/* ---- Help and replay ---- */

static void write_command(struct solo__page *page, const char *label, const struct solo_report_context *context)
{
    char command[8192];
    if (solo_report_replay_line(context, command, sizeof command) < 0) {
        return;
    }
    solo__page_line(page, "%s:", label);
    for (char *line = command; line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        solo__page_line(page, "%s", line);
        line = end;
    }
}

static void write_replay(struct solo__page *page, const struct solo_report_context *context)
{
    write_command(page, "replay", context);
    if (context->full && context->passing_token != NULL) {
        struct solo_report_context passing = *context;
        passing.token = context->passing_token;
        write_command(page, "the nearest schedule that passes", &passing);
    }
}

static void write_help(struct solo__page *page, const struct solo_violation *violation)
{
    char id[8];
    solo_violation_name(violation->id, id);
    if (violation->help[0] != '\0') {
        solo__page_wrapped(page, "help: ", 6, violation->help);
    }
    if (solo_diagnostic_find(violation->id) != NULL) {
        solo__page_line(page, "help: solo explain %s", id);
    }
}

static void write_summary(struct solo__page *page, const struct solo_violation *violation,
                          const struct solo_report_context *context)
{
    char id[8], place[160] = "";
    const struct solo_detail *detail = context->detail;
    if (detail != NULL && detail->frame_count != 0 && detail->frames[0].file[0] != '\0') {
        (void)snprintf(place, sizeof place, " %s:%d", detail->frames[0].file, (int)detail->frames[0].line);
    }
    solo__page_line(page, "summary: %s%s%s%s%s%s", solo__report_id(violation, id), place,
                    violation->function[0] != '\0' ? " " : "", violation->function,
                    violation->thread[0] != '\0' ? " " : "", violation->thread);
}

/* ---- All of it ---- */

static void print_line(FILE *out, const char *line, bool colour, bool is_head)
{
    const char *colon = is_head ? strchr(line, ':') : NULL;
    if (colour && colon != NULL) {
        fprintf(out, "\033[1;31m%.*s\033[0m\033[1m%s\033[0m\n", (int)(colon - line), line, colon);
    } else {
        fprintf(out, "%s\n", line);
    }
}

static void print_page(FILE *out, const struct solo__page *page, bool colour, bool is_head)
{
    for (unsigned i = 0; i < page->count; i++) {
        print_line(out, page->lines[i], colour, is_head && i == 0);
    }
}

/* The program's output in that schedule, line by line behind a bar. */
static void write_output(struct solo__page *page, const char *output)
{
    if (output == NULL || output[0] == '\0') {
        return;
    }
    solo__page_line(page, "     = output of the program in this schedule");
    while (*output != '\0') {
        size_t length = strcspn(output, "\n");
        solo__page_line(page, "     | %.*s", (int)length, output);
        output += length + (output[length] == '\n');
    }
}

int solo_report_text(FILE *out, const struct solo_violation *violation, const struct solo_report_context *context)
{
    if (out == NULL || violation == NULL || context == NULL) {
        return -EINVAL;
    }
    struct solo__page *pages = calloc(3, sizeof *pages);
    if (pages == NULL) {
        return -ENOMEM;
    }
    struct solo__page *top = &pages[0], *lanes = &pages[1], *bottom = &pages[2];
    write_head(top, violation);
    write_place(top, violation, context);
    write_waiters(top, violation, context->full);
    write_notes(bottom, violation, context);
    if (context->full) {
        write_output(bottom, context->output);
    }
    write_help(bottom, violation);
    write_replay(bottom, context);
    write_summary(bottom, violation, context);
    unsigned needed = top->count + bottom->count;
    unsigned left = context->full                    ? SOLO_DETAIL_STEPS_MAX + 4
                    : needed < SOLO_REPORT_LINES_MAX ? SOLO_REPORT_LINES_MAX - needed
                                                     : 0;
    solo__report_lanes(lanes, violation, context, left);
    print_page(out, top, context->colour, true);
    print_page(out, lanes, false, false);
    print_page(out, bottom, false, false);
    free(pages);
    return ferror(out) ? -EIO : 0;
}
