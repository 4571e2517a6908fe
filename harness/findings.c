/*
 * findings.c - defects of the ledger made into findings.
 *
 * Each is shrunk, and replayed strictly in a fresh process, from which its violation, details and output are taken. So
 * what a report shows is what its token shows.
 */
#include "findings.h"
#include "by_time.h"
#include "child.h"
#include "ledger.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHRINK_RUNS_SCENARIO = 4000,
    SHRINK_RUNS_PROGRAM = 500,
    SHRUNK_FINDINGS_MAX = 8,
};

struct solo_limits solo__limits_of(const struct solo__region *region)
{
    return (struct solo_limits){region->request.steps_max, region->request.faults_max,
                                region->request.let_time_pass != 0};
}

/* ---- Tokens ---- */

char *solo__schedule_token(const struct solo__subject *subject, const struct solo__schedule *schedule)
{
    struct solo_limits limits = solo__limits_of(subject->region);
    struct solo_token token;
    if (solo_token_make(subject->name, &limits, schedule->answers, schedule->answers_count, schedule->open, &token) <
        0) {
        return NULL;
    }
    token.granularity = (enum solo_granularity)subject->region->request.granularity;
    char *text = solo_token_text(&token);
    solo_token_finish(&token);
    return text;
}

/* Into a field of SOLO_TOKEN_MAX characters: the text, or the file it had to go to. */
static void store_token(char *field, const char *text, const char *directory)
{
    field[0] = '\0';
    if (text != NULL && strlen(text) < SOLO_TOKEN_MAX) {
        strcpy(field, text);
    } else if (text != NULL && solo_token_print(text, directory, field, SOLO_TOKEN_MAX) < 0) {
        field[0] = '\0';
    }
}

static void store_schedule(const struct solo__subject *subject, const struct solo__schedule *schedule, char *field,
                           const char *directory)
{
    char *text = schedule->answers != NULL ? solo__schedule_token(subject, schedule) : NULL;
    store_token(field, text, directory);
    free(text);
}

/* Runs a schedule strictly, with all there is to know about it. */
static int run_strictly(struct solo__subject *subject, const struct solo__schedule *schedule)
{
    struct solo_limits limits = solo__limits_of(subject->region);
    struct solo_token token;
    int result =
        solo_token_make(subject->name, &limits, schedule->answers, schedule->answers_count, schedule->open, &token);
    if (result < 0) {
        return result;
    }
    subject->region->request.mode = SOLO__REPLAY;
    subject->region->request.keep_events = 1;
    result = solo__replay_load(&subject->region->strategy.replay, &token, true);
    solo_token_finish(&token);
    result = result == 0 ? subject->run(subject) : result;
    subject->region->request.keep_events = 0;
    return result;
}

/* ---- Findings ---- */

/* A defect taken out of the ledger, because what follows uses the region again. */
struct defect {
    struct solo__defect known;
    struct solo__schedule schedule;
};

static int take_defects(const struct solo__region *region, struct defect *defects)
{
    for (uint32_t i = 0; i < region->ledger.defect_count; i++) {
        defects[i].known = region->ledger.defects[i];
        uint32_t count = defects[i].known.answers_count;
        if (count <= SOLO__ANSWERS_MAX && solo__schedule_copy(&defects[i].schedule, region->finding_answers[i], count,
                                                              defects[i].known.open != 0) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

int solo__findings_mark_by_time(struct solo__subject *subject, struct solo_violation *violation)
{
    struct solo__region *region = subject->region;
    char signature[SOLO__SIGNATURE_MAX];
    if (violation->id != SOLO_NO_VIOLATION || !solo__by_time(region)) {
        return 0;
    }
    solo__signature(violation, signature);
    region->request.mode = SOLO__REPLAY;
    region->request.keep_events = 0;
    solo__replay_load_deviations(&region->strategy.replay, NULL, 0);
    int result = subject->run(subject);
    if (result == 0 && solo__outcome_find(&region->outcome, signature) < 0) {
        solo__by_time_mark(violation);
    }
    return result;
}

/* Replays the schedule; if it shows the finding again, the finding is filled in from that run. */
static int reproduce(struct solo__subject *subject, const struct solo__schedule *schedule, struct solo_finding *finding)
{
    const struct solo__outcome *outcome = &subject->region->outcome;
    if (schedule->answers == NULL) {
        return 0;
    }
    int result = run_strictly(subject, schedule);
    if (result == -E2BIG) {
        return 0; /* found, but too long to be written down */
    }
    int found = result == 0 && outcome->diverged_at == 0 ? solo__outcome_find(outcome, finding->signature) : -1;
    if (found >= 0) {
        finding->reproduced = true;
        finding->violation = outcome->violations[found];
        finding->detail = outcome->details[found];
        finding->deviations = schedule->deviations;
        solo__capture_read(subject->output_fd, finding->output);
        result = solo__findings_mark_by_time(subject, &finding->violation);
    }
    return result;
}

static bool is_worth_shrinking(const struct defect *defect, unsigned index)
{
    bool hangs = defect->known.open != 0 && defect->known.violation.id == SOLO_NO_VIOLATION;
    return index < SHRUNK_FINDINGS_MAX && defect->schedule.answers != NULL && !hangs;
}

static int make_finding(struct solo__subject *subject, const struct solo_explore_options *options,
                        struct defect *defect, unsigned index, struct solo_finding *finding)
{
    finding->violation = defect->known.violation;
    finding->schedules = defect->known.schedules;
    finding->first_schedule = defect->known.first_schedule;
    finding->deviations_found = defect->known.deviations;
    finding->deviations = defect->known.deviations;
    strcpy(finding->signature, defect->known.signature);
    strcpy(finding->found_by, defect->known.found_by);
    struct solo__schedule original = {0};
    struct solo__schedule passing = {0};
    int result = 0;
    if (options->shrink && is_worth_shrinking(defect, index) && !solo__subject_is_stopped(subject)) {
        unsigned runs = subject->scenario != NULL ? SHRINK_RUNS_SCENARIO : SHRINK_RUNS_PROGRAM;
        result = solo__schedule_copy(&original, defect->schedule.answers, defect->schedule.answers_count,
                                     defect->schedule.open);
        if (result == 0) {
            result = solo__shrink(subject, finding->signature, runs, &defect->schedule, &passing);
        }
    }
    if (result == 0) {
        result = reproduce(subject, &defect->schedule, finding);
    }
    if (result == 0 && !finding->reproduced && original.answers != NULL) { /* better the one that was found */
        struct solo__schedule shrunk = defect->schedule;
        defect->schedule = original;
        original = shrunk;
        result = reproduce(subject, &defect->schedule, finding);
    }
    store_schedule(subject, &defect->schedule, finding->token, options->token_directory);
    store_schedule(subject, &passing, finding->passing_token, options->token_directory);
    solo__schedule_release(&original);
    solo__schedule_release(&passing);
    return result;
}

static void show_progress(FILE *progress, unsigned number, unsigned count)
{
    if (progress != NULL) {
        fprintf(progress, "\rfinding %u of %u: looking for a short schedule that shows it\033[K", number, count);
        fflush(progress);
    }
}

int solo__findings_make(struct solo__subject *subject, const struct solo_explore_options *options,
                        struct solo_report *report)
{
    unsigned count = subject->region->ledger.defect_count;
    struct defect *defects = calloc(count + (size_t)1, sizeof *defects);
    int result = defects != NULL ? take_defects(subject->region, defects) : -ENOMEM;
    for (unsigned pass = 0; pass < 2; pass++) { /* warnings come last */
        for (unsigned i = 0; i < count && result == 0; i++) {
            if (solo__is_possible(&defects[i].known.violation) == (pass == 1)) {
                unsigned made = report->finding_count++;
                show_progress(options->progress, made + 1, count);
                result = make_finding(subject, options, &defects[i], made, &report->findings[made]);
            }
        }
    }
    for (unsigned i = 0; i < count && defects != NULL; i++) {
        solo__schedule_release(&defects[i].schedule);
    }
    free(defects);
    return result;
}
