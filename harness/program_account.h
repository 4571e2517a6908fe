/* program_account.h - what one schedule of a program adds to an exploration. */
#ifndef SOLO__PROGRAM_ACCOUNT_H
#define SOLO__PROGRAM_ACCOUNT_H

#include "region.h"

/*
 * After a schedule of an exploration has ended. `twin`, if the schedule is to be run twice, does so: 0 or the kit's
 * error. NULL: that is not done here, and the schedule is none of those (solo__twin_is_due).
 */
int solo__program_account(struct solo__region *region, int (*twin)(void *arg), void *arg);

#endif
