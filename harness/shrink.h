/* shrink.h - a failing schedule made as plain as possible, and the nearest one that passes. */
#ifndef SOLO__SHRINK_H
#define SOLO__SHRINK_H

#include "subject.h"

/* A schedule that ran: its answers, on the heap. */
struct solo__schedule {
    struct solo_answer *answers;
    uint32_t answers_count;
    uint32_t deviations;
    bool open; /* it did not end by itself */
};

/* The answers of the schedule that just ran, or of any others; released before if it held some. 0 or -ENOMEM. */
int solo__schedule_copy(struct solo__schedule *schedule, const struct solo_answer *answers, uint32_t count, bool open);
void solo__schedule_release(struct solo__schedule *schedule);

/*
 * Replaces `schedule` by one with fewer deviations that shows a violation with the same signature, as far as runs_max
 * runs get, and puts a passing one that is one answer away into `passing` (left empty if none was met). 0, or the kit's
 * error.
 */
int solo__shrink(struct solo__subject *subject, const char *signature, unsigned runs_max,
                 struct solo__schedule *schedule, struct solo__schedule *passing);

#endif
