/* step.h - questions of the interactive strategy, from the child that runs the schedule to whoever answers them. */
#ifndef SOLO__STEP_H
#define SOLO__STEP_H

#include "subject.h"

/* In the child: choices are put to the other end of `fd`. Does nothing unless the request's mode is SOLO__STEP. */
void solo__step_listen(struct solo__region *region, int fd);

/* One run after another until somebody is content with one: undo begins again with one answer less. */
int solo__step_run(struct solo__subject *subject, solo_step_fn step, void *arg);

#endif
