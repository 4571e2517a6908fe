/* scenario.h - the two halves of exploring a scenario: the explorer's process and its child. */
#ifndef SOLO__SCENARIO_H
#define SOLO__SCENARIO_H

#include "subject.h"

/* The life of a child; never returns. */
void solo__scenario_child(struct solo__subject *subject, int life_fd) __attribute__((noreturn));

/* Whether the child for this request waits for another schedule after its first. */
bool solo__scenario_child_stays(const struct solo__region *region);

/* A detector reports a race once in a process: the next schedule that shows it needs another one. */
bool solo__scenario_child_is_spent(const struct solo__outcome *outcome);

#endif
