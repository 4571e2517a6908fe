/*
 * twin.h - the same schedule twice: determinism is checked, not hoped for.
 *
 * The first run keeps its events. The second one gives the same answers and writes region->twin_log. Different hashes
 * are SOLO019, with the first step that differs.
 */
#ifndef SOLO__TWIN_H
#define SOLO__TWIN_H

#include "region.h"

/* Whether schedule `number` is to be run twice. */
bool solo__twin_is_due(const struct solo__region *region, uint64_t number);

/* Before a schedule of an exploration, where its log is set up: it keeps its events if it will be run twice. */
void solo__twin_keep_events(struct solo__region *region);

/* After both runs: adds SOLO019 to the outcome if they differ. */
void solo__twin_compare(struct solo__region *region);

#endif
