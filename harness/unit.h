/*
 * unit.h - an exploration cut into units, so that several processes or machines can share it.
 *
 * A unit is SOLO__UNIT_MAX schedules that follow each other. It begins with a fresh strategy and the seed that its
 * first schedule has, and knows nothing of other units: who runs it and when does not matter. Units are put together in
 * their order, and what an exploration stops at is looked for in that order too. So its result depends on nothing but
 * its options, however many processes took part.
 */
#ifndef SOLO__UNIT_H
#define SOLO__UNIT_H

#include "region.h"

/* Which units there are: a shard's own, of an exploration with so many schedules. */
struct solo__units {
    uint64_t schedules_max;
    uint64_t shard, shards; /* from 0; 1 shard: all units */
};

/* How many schedules the index-th of these units has; 0: there is none. Its first schedule, from 0, in *ret_first. */
uint32_t solo__unit_size(const struct solo__units *units, uint64_t index, uint64_t *ret_first);

/*
 * How many schedules of the unit that `unit` has just run are wanted: all, or as many as `whole` needs to have
 * distinct_max distinct traces (0: no matter).
 */
uint64_t solo__unit_wanted(const struct solo__region *whole, const struct solo__region *unit, uint64_t distinct_max);

/* Adds what a unit saw, as if its schedules had come after those of `whole`. */
void solo__unit_merge(struct solo__region *whole, const struct solo__region *unit);
/* Adds only what it found, and none of its schedules. */
void solo__unit_merge_findings(struct solo__region *whole, const struct solo__region *unit);

#endif
