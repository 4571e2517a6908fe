/* report_internal.h - what the text writer's files share: pages of lines, words for events, source excerpts. */
#ifndef SOLO__REPORT_INTERNAL_H
#define SOLO__REPORT_INTERNAL_H

#include "possible.h"
#include <solo/report.h>

enum { SOLO__PAGE_LINES_MAX = 256, SOLO__LINE_MAX = 512, SOLO__FINGERPRINT_MAX = 20 };

/* Lines of text in the making; what does not fit is left out. */
struct solo__page {
    unsigned count;
    char lines[SOLO__PAGE_LINES_MAX][SOLO__LINE_MAX];
};

/* "SOLO001", or "check" for a check of the program's own. */
const char *solo__report_id(const struct solo_violation *violation, char id[8]);

/* Names the defect and not the schedule; returns digits. `detail` may be NULL. */
const char *solo__report_fingerprint(const struct solo_violation *violation, const struct solo_detail *detail,
                                     char digits[SOLO__FINGERPRINT_MAX]);

/* Adds a line, cut to 96 columns with "..." at the end. */
void solo__page_cut(struct solo__page *page, const char *text);

/* Adds a text in up to three lines of 96 columns: the first one begins with `start`, all are indented by `indent`. */
void solo__page_wrapped(struct solo__page *page, const char *start, size_t indent, const char *text);

/* Adds a formatted line, cut to 96 columns with "..." at the end. */
void solo__page_line(struct solo__page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds "   = note: text", broken into as many lines as it needs. */
void solo__page_note(struct solo__page *page, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 1254 as "1,254". */
const char *solo__report_number(uint64_t number, char *buffer, size_t size);

/* "120 ms", "2.5 s", "0 ms": at most 9 characters for anything under 1,000 s. */
const char *solo__report_time(uint64_t ns, char *buffer, size_t size);

/* "queues call#1", "sleeps until 2 s": what an event did, in at most `size` bytes. */
const char *solo__report_words(const struct solo_step_text *step, uint64_t base_ns, char *buffer, size_t size);

/*
 * Adds the code as written, with a caret under what is meant and `label` behind it. Nothing if the file cannot be
 * read.
 */
void solo__report_excerpt(struct solo__page *page, const struct solo_frame_text *frame, const char *function,
                          const char *label, const char *directory);

/* The column of the caret, from 1; 0 if the source cannot be read. */
unsigned solo__report_column(const struct solo_frame_text *frame, const char *function, const char *directory);

/* Adds the last steps as lanes in at most `lines` lines. */
void solo__report_lanes(struct solo__page *page, const struct solo_violation *violation,
                        const struct solo_report_context *context, unsigned lines);

/* Whose thread a finding concerns is in nobody's words "main" when it is empty. */
static inline const char *solo__report_or(const char *text, const char *otherwise)
{
    return text[0] != '\0' ? text : otherwise;
}

#endif
