/*
 * report_explored.c - the lines after the findings of an exploration. What differs from run to run, such as speed,
 * is not here.
 */
#include "report_internal.h"
#include <errno.h>
#include <stdlib.h>

/* What had to happen and did: without it a pass proves nothing. */
static void add_required(struct solo__page *page, const struct solo_required *required, uint64_t schedules)
{
    char text[256], met[32], all[32];
    if (required->schedules == schedules) {
        (void)snprintf(text, sizeof text, "\"%s\" happened in every schedule (at least %u, wanted %u)", required->name,
                       (unsigned)required->least, (unsigned)required->wanted);
    } else {
        (void)snprintf(text, sizeof text, "\"%s\" happened often enough in %s of %s schedules (at least %u, wanted %u)",
                       required->name, solo__report_number(required->schedules, met, sizeof met),
                       solo__report_number(schedules, all, sizeof all), (unsigned)required->least,
                       (unsigned)required->wanted);
    }
    solo__page_wrapped(page, "required: ", 10, text);
}

/* n k^(d-1), or 0 where that is more than anybody tries. */
static uint64_t pct_schedules(const struct solo_report *report, unsigned depth)
{
    uint64_t schedules = report->threads;
    for (unsigned i = 1; i < depth; i++) {
        if (schedules > UINT64_C(1000000000000) / report->points) {
            return 0;
        }
        schedules *= report->points;
    }
    return schedules;
}

/*
 * What PCT (Burckhardt and others, 2010) would guarantee here: a figure for how hard this program is to sample. It
 * holds where the depth is given and no time passes early: without a depth strategy pct goes round from 1 to 5, and in
 * three of four schedules it lets time pass now and then, whatever the priorities are.
 */
static void add_bound(struct solo__page *page, const struct solo_report *report)
{
    char text[256], number[32];
    if (!report->sampled || report->threads < 2 || report->points == 0) {
        return;
    }
    size_t length = (size_t)snprintf(
        text, sizeof text, "of %u threads with %u steps `--strategy pct:D --time idle` shows a defect of depth D =",
        (unsigned)report->threads, (unsigned)report->points);
    for (unsigned depth = 1; depth <= 3 && pct_schedules(report, depth) != 0; depth++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s %u in 1 of %s", depth == 1 ? "" : ",",
                                   depth, solo__report_number(pct_schedules(report, depth), number, sizeof number));
    }
    (void)snprintf(text + length, sizeof text - length, " schedules or oftener");
    solo__page_wrapped(page, "bound: ", 7, text);
}

int solo_report_explored_text(FILE *out, const struct solo_report *report, bool colour)
{
    char schedules[32], distinct[32], failing[32], steps[32];
    if (out == NULL || report == NULL) {
        return -EINVAL;
    }
    static const char *const verdicts[] = {"clean", "findings", "incomplete", "incomplete"};
    const char *verdict = verdicts[report->verdict & 3];
    const char *on = !colour ? "" : report->verdict == SOLO_VERDICT_CLEAN ? "\033[1;32m" : "\033[1;31m";
    fprintf(out, "verdict: %s%s%s", on, verdict, colour ? "\033[0m" : "");
    if (report->finding_count != 0) {
        fprintf(out, ", %u finding%s", report->finding_count, report->finding_count == 1 ? "" : "s");
    }
    fputc('\n', out);
    if (report->unlisted != 0) {
        fprintf(out, "not listed: %s violation%s of more defects than these\n",
                solo__report_number(report->unlisted, failing, sizeof failing), report->unlisted == 1 ? "" : "s");
    }
    struct solo__page *page = calloc(1, sizeof *page);
    if (page == NULL) {
        return -ENOMEM;
    }
    solo__page_wrapped(page, "evidence: ", 10, report->evidence);
    add_bound(page, report);
    for (unsigned i = 0; i < report->required_count && i < SOLO_EXPECT_MAX; i++) {
        add_required(page, &report->required[i], report->schedules);
    }
    for (unsigned i = 0; i < page->count; i++) {
        fprintf(out, "%s\n", page->lines[i]);
    }
    free(page);
    fprintf(out, "explored: %s schedule%s, %s%s distinct, %s failing, %s steps\n",
            solo__report_number(report->schedules, schedules, sizeof schedules), report->schedules == 1 ? "" : "s",
            report->traces_full ? "more than " : "", solo__report_number(report->distinct, distinct, sizeof distinct),
            solo__report_number(report->failing, failing, sizeof failing),
            solo__report_number(report->steps, steps, sizeof steps));
    return ferror(out) ? -EIO : 0;
}
