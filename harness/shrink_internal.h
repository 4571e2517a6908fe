/* shrink_internal.h - what the two halves of shrinking share: by answers (shrink.c), and by turns (shrink_turns.c). */
#ifndef SOLO__SHRINK_INTERNAL_H
#define SOLO__SHRINK_INTERNAL_H

#include "ledger.h"
#include "shrink.h"

struct shrinking {
    struct solo__subject *subject;
    const char *signature;
    unsigned runs_left;
    struct solo__schedule *best;
    struct solo_deviation *deviations; /* of best */
    uint32_t count;
    struct solo_deviation *candidate; /* room for as many */
    int error;
};

/* The deviations of the best, anew. */
void solo__shrink_list(struct shrinking *shrinking);

/* Takes one run from those that are left. False: there is none, or somebody asked to stop. */
bool solo__shrink_take_run(struct shrinking *shrinking);

/* Runs these deviations. False: nothing ran. */
bool solo__shrink_run(struct shrinking *shrinking, const struct solo_deviation *deviations, uint32_t count);

/* The schedule that just ran; false if it cannot be kept. */
bool solo__shrink_copy_run(struct shrinking *shrinking, struct solo__schedule *schedule);

/* Whether the run that just ended shows the defect with no more deviations than the best; it becomes the best then. */
bool solo__shrink_keep(struct shrinking *shrinking);

/* By answers: leaves out what can be left out, and then takes lower options where those do. */
void solo__shrink_drop(struct shrinking *shrinking);

/* By turns: from the best on, and then from `original` in other orders. */
void solo__shrink_turns(struct shrinking *shrinking, const struct solo__schedule *original);

#endif
