/*
 * shrink_turns.c - fewer turns: a schedule as who runs until it has done how much, of which turns are left out or
 * joined.
 *
 * What then ran is what counts: a run that shows the defect with no more deviations than the best becomes the best.
 */
#include "draw.h"
#include "shrink_internal.h"
#include <stdlib.h>

/* With no more deviations than these nothing more is tried: from the best on, from the beginning. */
enum { FEW_DEVIATIONS = 2, FEW_ENOUGH = 3 };

/* ---- From the best on ---- */

/* As accept, for turns: no more deviations than now, because fewer turns are a gain by themselves. */
static bool accept_turns(struct shrinking *shrinking, const struct solo__turns *turns)
{
    struct solo__subject *subject = shrinking->subject;
    struct solo__replay_state *replay = &subject->region->strategy.replay;
    if (!solo__shrink_take_run(shrinking)) {
        return false;
    }
    subject->region->request.mode = SOLO__REPLAY;
    solo__replay_load_deviations(replay, NULL, 0);
    replay->turns = *turns;
    replay->by_turns = 1;
    shrinking->error = subject->run(subject);
    replay->by_turns = 0;
    return shrinking->error == 0 && solo__shrink_keep(shrinking);
}

/* Runs the best once more with its events, and takes the turns from them. */
static bool read_turns(struct shrinking *shrinking, struct solo__turns *turns)
{
    struct solo__region *region = shrinking->subject->region;
    region->request.keep_events = 1;
    bool ran = solo__shrink_run(shrinking, shrinking->deviations, shrinking->count);
    region->request.keep_events = 0;
    return ran && solo__turns_read(turns, region->events, SOLO__EVENTS_MAX, region->log.events_count);
}

/* Leaves out runs of turns, longer ones first. True: some could be. */
static bool drop_turns(struct shrinking *shrinking, struct solo__turns *turns, struct solo__turns *candidate)
{
    bool smaller = false;
    for (uint32_t length = turns->count / 2; length > 0; length /= 2) {
        for (uint32_t first = 0; first + length <= turns->count && shrinking->runs_left != 0;) {
            *candidate = *turns;
            solo__turns_drop(candidate, first, length);
            if (accept_turns(shrinking, candidate)) {
                *turns = *candidate;
                smaller = true;
            } else {
                first += length;
            }
        }
    }
    return smaller;
}

static bool join_turns(struct shrinking *shrinking, struct solo__turns *turns, struct solo__turns *candidate)
{
    bool smaller = false;
    for (uint32_t i = 0; i < turns->count && shrinking->runs_left != 0;) {
        *candidate = *turns;
        if (solo__turns_join(candidate, i) && accept_turns(shrinking, candidate)) {
            *turns = *candidate;
            smaller = true;
        } else {
            i++;
        }
    }
    return smaller;
}

/* Turn by turn, then deviation by deviation, each of which may leave something to the other. */
static void merge_turns(struct shrinking *shrinking)
{
    struct solo__turns *turns = calloc(2, sizeof *turns);
    uint32_t before = UINT32_MAX;
    while (turns != NULL && shrinking->count > FEW_DEVIATIONS && shrinking->count < before && shrinking->error == 0) {
        before = shrinking->count;
        if (!read_turns(shrinking, &turns[0])) {
            break;
        }
        for (bool smaller = true; smaller && shrinking->count > FEW_DEVIATIONS;) {
            smaller = drop_turns(shrinking, &turns[0], &turns[1]);
            smaller = join_turns(shrinking, &turns[0], &turns[1]) || smaller;
        }
        solo__shrink_drop(shrinking);
    }
    free(turns);
}

/* ---- From the beginning again, in other orders ---- */

/* What is left out first decides where the way down ends; so it is gone several times, each time by other dice. */
enum { TRIES_MAX = 12, WAYS_MAX = 64 };

static uint32_t roll(uint64_t *dice, uint32_t count)
{
    return (uint32_t)solo__draw_below(solo__draw(dice), count);
}

/* Leaves out and joins what the dice say, until it has failed often in a row. */
static void roll_turns(struct shrinking *shrinking, struct solo__turns *turns, struct solo__turns *candidate,
                       uint64_t *dice)
{
    for (uint32_t failed = 0; turns->count > 1 && failed < TRIES_MAX + 2 * turns->count && shrinking->runs_left != 0;) {
        uint32_t first = roll(dice, turns->count);
        uint32_t most = turns->count - first < turns->count / 2 + 1 ? turns->count - first : turns->count / 2 + 1;
        *candidate = *turns;
        bool changed = true;
        if (roll(dice, 2) == 0) {
            changed = solo__turns_join(candidate, first);
        } else {
            solo__turns_drop(candidate, first, 1 + roll(dice, 1 + roll(dice, most)));
        }
        if (changed && accept_turns(shrinking, candidate)) {
            *turns = *candidate;
            failed = 0;
        } else {
            failed++;
        }
    }
}

/* One way down from `original`; where it ends becomes the best if that is lower. */
static void go_down(struct shrinking *shrinking, const struct solo__schedule *original,
                    const struct solo__turns *original_turns, struct solo__turns room[2], uint64_t *dice)
{
    struct solo__schedule schedule = {0};
    struct shrinking way = *shrinking;
    way.best = &schedule;
    way.error = solo__schedule_copy(&schedule, original->answers, original->answers_count, original->open);
    if (way.error == 0) {
        solo__shrink_list(&way);
        room[0] = *original_turns;
        roll_turns(&way, &room[0], &room[1], dice);
        solo__shrink_drop(&way);
    }
    shrinking->runs_left = way.runs_left;
    shrinking->error = way.error;
    if (way.error == 0 && schedule.deviations < shrinking->best->deviations) {
        struct solo__schedule best = *shrinking->best;
        *shrinking->best = schedule;
        schedule = best;
    }
    solo__schedule_release(&schedule);
    solo__shrink_list(shrinking);
}

/* With half of what is left of the budget: the other half is for the search below. */
static void go_down_other_ways(struct shrinking *shrinking, const struct solo__schedule *original)
{
    struct solo__turns *turns = calloc(3, sizeof *turns);
    struct shrinking first = *shrinking;
    uint64_t dice = 1;
    unsigned kept = shrinking->runs_left / 2;
    struct solo__schedule copy = {0};
    first.best = &copy;
    if (turns != NULL && shrinking->count > FEW_ENOUGH && shrinking->error == 0 &&
        solo__schedule_copy(&copy, original->answers, original->answers_count, original->open) == 0) {
        solo__shrink_list(&first);
        bool fits = read_turns(&first, &turns[0]);
        shrinking->error = first.error;
        for (unsigned ways = 0; fits && ways < WAYS_MAX && shrinking->count > FEW_ENOUGH && shrinking->error == 0 &&
                                shrinking->runs_left > kept;
             ways++) {
            go_down(shrinking, original, &turns[0], &turns[1], &dice);
        }
    }
    solo__shrink_list(shrinking);
    solo__schedule_release(&copy);
    free(turns);
}

void solo__shrink_turns(struct shrinking *shrinking, const struct solo__schedule *original)
{
    merge_turns(shrinking);
    go_down_other_ways(shrinking, original);
}
