/*
 * class_size.h - how many plain schedules are alike: those that differ from the one that ran only in the order of what
 * commutes (harness/dependence.h).
 *
 * What a schedule did is a partial order of turns, and every order of them that respects it is a schedule of its own:
 * where two of them part, one thread goes first in the one and another in the other, and that is a choice of plain
 * search. So the orders are counted, for all numbers of turns that the threads may have done so far. Time passes where
 * nobody can run, so it parts what comes before from what comes after; and main's last turn ends the run.
 *
 * Turns that only find out that their thread has to wait are counted in two ways: with all of them, each between what
 * made it fail and what ended the wait; and without those whose thread went on before time passed, as if it had come
 * when it could go on at once. All these schedules are alike for the search, and none is of both kinds. There are more:
 * with some of those turns, or with others. They are not counted, nor is what the tables below have no room for. Where
 * it is not announced what a thread waits for, more turns are ordered than need be. So what is counted are never too
 * many.
 */
#ifndef SOLO_TESTS_CLASS_SIZE_H
#define SOLO_TESTS_CLASS_SIZE_H

#include "recorder.h"

struct class_size {
    double alike;    /* at least so many schedules, this one included */
    uint64_t number; /* of the class: equal for schedules that are alike, as the search sees it */
};

/* Of the schedule that has just ended, once for each: one of the two. -1: it is too long. */
int class_size_of(struct recorder *recorder, struct class_size *ret_size);
int class_number_of(struct recorder *recorder, uint64_t *ret_number);

#endif
