/*
 * shrink.c - fewest deviations from the plain schedule.
 *
 * Cut the tail, then delta debugging over the deviations (Zeller, Hildebrandt 2002), then lower options. If more than a
 * few are left the schedule is taken as turns (turns.h), and turns are left out and joined, which a list of answers
 * does not let one do: every answer after it would mean something else. Then a short search below: all schedules with
 * fewer delays, as many as the rest of the budget allows. Every candidate is replayed leniently, in a process of its
 * own, and accepted only if a violation with the same signature shows. What was accepted is replaced by what really
 * ran, so deviations that no longer fit disappear by themselves.
 */
#include "shrink_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Schedules ---- */

void solo__schedule_release(struct solo__schedule *schedule)
{
    free(schedule->answers);
    memset(schedule, 0, sizeof *schedule);
}

int solo__schedule_copy(struct solo__schedule *schedule, const struct solo_answer *answers, uint32_t count, bool open)
{
    struct solo_answer *copy = malloc((count + (size_t)1) * sizeof *copy);
    if (copy == NULL) {
        return -ENOMEM;
    }
    memcpy(copy, answers, count * sizeof *copy);
    solo__schedule_release(schedule);
    schedule->answers = copy;
    schedule->answers_count = count;
    schedule->open = open;
    for (uint32_t i = 0; i < count; i++) {
        schedule->deviations += copy[i].chosen != 0;
    }
    return 0;
}

bool solo__shrink_copy_run(struct shrinking *shrinking, struct solo__schedule *schedule)
{
    const struct solo__region *region = shrinking->subject->region;
    if (region->log.answers_count > SOLO__ANSWERS_MAX) {
        return false;
    }
    bool open = region->outcome.running || region->log.ending == SOLO_ENDING_NONE;
    shrinking->error = solo__schedule_copy(schedule, region->answers, region->log.answers_count, open);
    return shrinking->error == 0;
}

void solo__shrink_list(struct shrinking *shrinking)
{
    const struct solo__schedule *best = shrinking->best;
    shrinking->count = 0;
    for (uint32_t i = 0; i < best->answers_count; i++) {
        const struct solo_answer *answer = &best->answers[i];
        if (answer->chosen != 0) {
            shrinking->deviations[shrinking->count++] = (struct solo_deviation){i, answer->chosen, answer->kind, 0};
        }
    }
}

/* ---- Trying ---- */

bool solo__shrink_take_run(struct shrinking *shrinking)
{
    if (solo__subject_is_stopped(shrinking->subject)) {
        shrinking->runs_left = 0;
    }
    if (shrinking->runs_left == 0 || shrinking->error != 0) {
        return false;
    }
    shrinking->runs_left--;
    return true;
}

bool solo__shrink_run(struct shrinking *shrinking, const struct solo_deviation *deviations, uint32_t count)
{
    struct solo__subject *subject = shrinking->subject;
    if (!solo__shrink_take_run(shrinking)) {
        return false;
    }
    subject->region->request.mode = SOLO__REPLAY;
    solo__replay_load_deviations(&subject->region->strategy.replay, deviations, count);
    shrinking->error = subject->run(subject);
    if (subject->region->outcome.killed) {
        shrinking->runs_left = 0; /* each of these takes as long as the watchdog waits */
    }
    return shrinking->error == 0;
}

bool solo__shrink_keep(struct shrinking *shrinking)
{
    const struct solo__region *region = shrinking->subject->region;
    if (region->outcome.killed || solo__outcome_find(&region->outcome, shrinking->signature) < 0 ||
        region->log.deviations > shrinking->count || !solo__shrink_copy_run(shrinking, shrinking->best)) {
        return false;
    }
    solo__shrink_list(shrinking);
    return true;
}

/* Runs these deviations; if they show it with fewer deviations, or smaller ones, they become the best. */
static bool accept(struct shrinking *shrinking, const struct solo_deviation *deviations, uint32_t count)
{
    return solo__shrink_run(shrinking, deviations, count) && solo__shrink_keep(shrinking);
}

/* ---- The steps ---- */

/* The shortest beginning of the deviations that still shows it, by halving. */
static void cut_tail(struct shrinking *shrinking)
{
    uint32_t shows_not = 0;
    if (shrinking->count == 0 || accept(shrinking, NULL, 0)) {
        return;
    }
    while (shrinking->count - shows_not > 1 && shrinking->runs_left != 0 && shrinking->error == 0) {
        uint32_t middle = shows_not + (shrinking->count - shows_not) / 2;
        memcpy(shrinking->candidate, shrinking->deviations, middle * sizeof *shrinking->candidate);
        if (!accept(shrinking, shrinking->candidate, middle)) {
            shows_not = middle;
        } else if (shrinking->count <= shows_not) {
            return; /* what ran had fewer still */
        }
    }
}

static uint32_t without(struct shrinking *shrinking, uint32_t first, uint32_t length)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < shrinking->count; i++) {
        if (i < first || i >= first + length) {
            shrinking->candidate[count++] = shrinking->deviations[i];
        }
    }
    return count;
}

static void drop_deviations(struct shrinking *shrinking)
{
    uint32_t parts = 2;
    while (shrinking->count > 0 && shrinking->runs_left != 0 && shrinking->error == 0) {
        parts = parts < shrinking->count ? parts : shrinking->count;
        uint32_t length = (shrinking->count + parts - 1) / parts;
        bool smaller = false;
        for (uint32_t first = 0; first < shrinking->count && !smaller; first += length) {
            uint32_t before = shrinking->count;
            uint32_t count = without(shrinking, first, length);
            smaller = accept(shrinking, shrinking->candidate, count) && shrinking->count < before;
        }
        if (smaller) {
            parts = parts > 2 ? parts - 1 : 2;
        } else if (parts >= shrinking->count) {
            return;
        } else {
            parts *= 2;
        }
    }
}

static void lower_options(struct shrinking *shrinking)
{
    for (uint32_t i = 0; i < shrinking->count; i++) {
        if (shrinking->deviations[i].chosen > 1) {
            memcpy(shrinking->candidate, shrinking->deviations, shrinking->count * sizeof *shrinking->candidate);
            shrinking->candidate[i].chosen = 1;
            (void)accept(shrinking, shrinking->candidate, shrinking->count);
        }
    }
}

void solo__shrink_drop(struct shrinking *shrinking)
{
    drop_deviations(shrinking);
    lower_options(shrinking);
}

/* All schedules with fewer delays than the best has deviations, simplest first. */
static void search_below(struct shrinking *shrinking)
{
    struct solo__region *region = shrinking->subject->region;
    if (shrinking->count < 2 || shrinking->runs_left == 0 || shrinking->error != 0) {
        return;
    }
    struct solo__request saved = region->request;
    region->request.mode = SOLO__EXPLORE;
    strcpy(region->request.strategy, solo__strategy_dfs.name);
    strcpy(region->request.target, shrinking->signature);
    region->request.schedules_max = shrinking->runs_left;
    region->request.distinct_max = 0;
    region->request.stop_at_first = 0;
    region->request.twin_every = 0;
    solo__region_clear_ledger(region, 0);
    (void)solo_strategy_prepare(&solo__strategy_dfs, &region->strategy, shrinking->count - 1);
    shrinking->error = shrinking->subject->explore(shrinking->subject);
    region->request = saved;
    for (uint32_t i = 0; i < region->ledger.defect_count && shrinking->error == 0; i++) {
        const struct solo__defect *defect = &region->ledger.defects[i];
        if (strcmp(defect->signature, shrinking->signature) == 0 && defect->deviations < shrinking->count &&
            defect->answers_count <= SOLO__ANSWERS_MAX) {
            shrinking->error = solo__schedule_copy(shrinking->best, region->finding_answers[i], defect->answers_count,
                                                   defect->open != 0);
            solo__shrink_list(shrinking);
        }
    }
}

/* ---- The nearest passing schedule ---- */

/* A warning fails no schedule: one that passes does not show it either. */
static bool passes(struct shrinking *shrinking, uint32_t count, struct solo__schedule *passing)
{
    const struct solo__outcome *outcome = &shrinking->subject->region->outcome;
    return solo__shrink_run(shrinking, shrinking->candidate, count) && solo__outcome_reached(outcome) == 0 &&
           solo__outcome_find(outcome, shrinking->signature) < 0 && solo__shrink_copy_run(shrinking, passing);
}

enum { FLIPS_MAX = 32 };

/* One deviation taken back, the last one first; or, where the plain schedule fails, one choice made otherwise. */
static void find_passing(struct shrinking *shrinking, struct solo__schedule *passing)
{
    shrinking->runs_left = shrinking->runs_left > FLIPS_MAX ? shrinking->runs_left : FLIPS_MAX;
    for (uint32_t i = shrinking->count; i > 0; i--) {
        uint32_t count = without(shrinking, i - 1, 1);
        if (passes(shrinking, count, passing)) {
            return;
        }
    }
    const struct solo__schedule *best = shrinking->best;
    for (uint32_t i = best->answers_count, tried = 0; shrinking->count == 0 && i > 0 && tried < FLIPS_MAX;
         i--, tried++) {
        shrinking->candidate[0] = (struct solo_deviation){i - 1, 1, best->answers[i - 1].kind, 0};
        if (passes(shrinking, 1, passing)) {
            return;
        }
    }
}

int solo__shrink(struct solo__subject *subject, const char *signature, unsigned runs_max,
                 struct solo__schedule *schedule, struct solo__schedule *passing)
{
    struct shrinking shrinking = {.subject = subject, .signature = signature, .runs_left = runs_max, .best = schedule};
    size_t room = (size_t)schedule->deviations + 1;
    shrinking.deviations = calloc(room, sizeof *shrinking.deviations);
    shrinking.candidate = calloc(room, sizeof *shrinking.candidate);
    if (shrinking.deviations != NULL && shrinking.candidate != NULL) {
        struct solo__schedule original = {0};
        shrinking.error = solo__schedule_copy(&original, schedule->answers, schedule->answers_count, schedule->open);
        solo__shrink_list(&shrinking);
        cut_tail(&shrinking);
        solo__shrink_drop(&shrinking);
        solo__shrink_turns(&shrinking, &original);
        solo__schedule_release(&original);
        search_below(&shrinking);
        find_passing(&shrinking, passing);
    } else {
        shrinking.error = -ENOMEM;
    }
    free(shrinking.deviations);
    free(shrinking.candidate);
    return shrinking.error;
}
