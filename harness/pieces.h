/*
 * pieces.h - an exploration in pieces: units that several processes or machines share, or the parts of a search. After
 * each piece what is known can be saved.
 */
#ifndef SOLO__PIECES_H
#define SOLO__PIECES_H

#include "subject.h"

/* Whether these options want it. */
bool solo__pieces_wanted(const struct solo_explore_options *options);

/*
 * Explores as the region's request says, from the checkpoint on if there is one. 0, -EINVAL with the reason in
 * subject->why, or the kit's error.
 */
int solo__pieces_explore(struct solo__subject *subject, const struct solo_explore_options *options);

/* After a shard: what whoever puts shards together has to know. 0 or -ENOMEM. */
int solo__pieces_describe(const struct solo__subject *subject, struct solo_report *report);

#endif
