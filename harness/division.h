/*
 * division.h - a search cut into parts, so that several processes or machines can share it.
 *
 * Whoever takes part makes the same division by itself, from nothing but the program and the options: it runs a few
 * schedules that do not count, the scouts, to see what choices there are, and cuts where the largest part seems to be,
 * until there are enough parts. Parts are dealt out to the shards like cards. Their hash tells whether two divisions
 * are the same one.
 *
 * Of the strategies of strategy_dfs.c a part is a stretch of the order in which the search tries its paths
 * (division_dfs.c). So the parts together run each of its schedules once, and, put together in their order, give what
 * one search gives, whoever ran them and when. A search in rounds has all parts once a round.
 *
 * Of dpor a part is all that lies below some first choices (division_dpor.c), and the parts together may run more
 * schedules than one search.
 */
#ifndef SOLO__DIVISION_H
#define SOLO__DIVISION_H

#include "subject.h"

enum { SOLO__PARTS_MIN = 64, SOLO__PARTS_MAX = 4096, SOLO__PARTS_A_SHARD = 16 };

/* One of the parts. */
struct solo__part {
    struct solo__dfs_path first;  /* of a search by strategy_dfs.c: where it begins; it ends where the next one does */
    struct solo__dpor_path below; /* of dpor */
};

struct solo__division {
    bool reduced; /* of dpor */
    struct solo__part *parts;
    uint32_t count;
    uint32_t shard, shards; /* from 0; 1 shard: all parts */
    uint64_t hash;
    struct solo__dfs_entry **seen; /* what the paths of `first` point into */
    uint32_t seen_count;
    uintptr_t *words; /* of dpor: those that its footprints are made of */
    uint32_t word_count;
};

/*
 * Divides the search that the subject's request names. Scouts run in a copy of the subject. 0, or the kit's error;
 * clean up with solo__division_finish, always.
 */
int solo__division_make(const struct solo__subject *subject, struct solo__division *division);
void solo__division_finish(struct solo__division *division);

/* Schedules of a search with dpor that is one part, because it ends so soon. Tests make it small. */
extern uint64_t solo__division_undivided_max;

/* How many parts are the shard's own. */
uint64_t solo__division_own(const struct solo__division *division);
/* Makes the strategy's state of the region ready for the shard's index-th part in this round. */
void solo__division_begin(const struct solo__division *division, struct solo__region *region, uint64_t index,
                          uint32_t round);
/* Lets the strategy's state say of the whole search what it would say if nobody had cut it. */
void solo__division_sum_up(struct solo__region *region);
/* Copies the state of a search between two schedules. */
void solo__division_copy_state(struct solo__region *to, const struct solo__region *from);

/* ---- For the two ways to divide ---- */

struct solo__scouting {
    const struct solo__subject *whole;
    struct solo__subject scout;
    struct solo__division *division;
    uint32_t wanted; /* parts */
    bool ended;      /* no more scouts: one was killed, or somebody asked to stop */
};

/* Has the scout run so many schedules that count, from the state that its strategy is in. 0, or the kit's error. */
int solo__scouting_run(struct solo__scouting *scouting, uint64_t schedules);
/* Makes room for parts. */
int solo__scouting_reserve(struct solo__scouting *scouting, uint32_t count);
int solo__division_of_paths(struct solo__scouting *scouting);
int solo__division_of_orders(struct solo__scouting *scouting);

#endif
