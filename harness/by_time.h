/* by_time.h - SOLO009: a failure that only needs a thread to be slow. */
#ifndef SOLO__BY_TIME_H
#define SOLO__BY_TIME_H

#include "region.h"

/*
 * After a schedule whose events were kept: whether all that it does otherwise than the plain one is to let time pass
 * while a thread could have gone on.
 */
bool solo__by_time(const struct solo__region *region);

/* A failed check of the program's own, which the plain schedule does not show, becomes SOLO009. */
void solo__by_time_mark(struct solo_violation *violation);

#endif
