/*
 * required.h - what a program declared with solo_must_happen, and how often it happened over all explored schedules.
 *
 * The child writes the counters of its schedule to the outcome when the schedule ends; whoever accounts for it keeps
 * the least. So a pass shows that it was not a pass of nothing.
 */
#ifndef SOLO__REQUIRED_H
#define SOLO__REQUIRED_H

#include "region.h"

/* In the child, at the end of a schedule: writes down what had to happen and how often it did. */
void solo__required_take(struct solo__outcome *outcome);

/* After a schedule that counts: adds its outcome's counters to the ledger. */
void solo__required_account(struct solo__ledger *ledger, const struct solo__outcome *outcome);

/* Adds what another ledger's schedules did, as if they had come after this one's. */
void solo__required_merge(struct solo__ledger *ledger, const struct solo__ledger *other);

#endif
