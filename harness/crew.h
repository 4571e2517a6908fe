/*
 * crew.h - several processes that run the units of one exploration, or the parts of one search.
 *
 * This process gives them out and puts together what the workers (crew_worker.h) saw, in the order of the units: so the
 * result does not depend on who was how fast.
 */
#ifndef SOLO__CREW_H
#define SOLO__CREW_H

#include "division.h"
#include "subject.h"
#include "unit.h"

enum {
    SOLO__CREW_PIECE = 1024, /* schedules of a part of a search that are put together at a time */
    /* That a worker may be ahead with a part whose turn has not come: half of what its set of traces can hold. */
    SOLO__CREW_AHEAD_MAX = SOLO__SET_MAX / 2 < (1 << 17) ? SOLO__SET_MAX / 2 - SOLO__CREW_PIECE : 1 << 17
};

/* How far an exploration by units is, and what is to be done after each one. */
struct solo__crew_plan {
    struct solo__units units;              /* of a strategy that draws schedules */
    const struct solo__division *division; /* of a search: its units are the parts, once a round; NULL: no search */
    uint64_t done;                         /* units that are in the ledger of the whole */
    unsigned jobs;
    /*
     * Called after each unit, or piece of a part, that was added; `found`: with a defect that was not known, or nothing
     * comes after it that may be saved. Negative ends it all. May be NULL.
     */
    int (*saved)(struct solo__subject *subject, const struct solo__crew_plan *plan, bool found, void *arg);
    void *arg;
};

/*
 * Runs the units that are not done, until the ledger of `whole` has enough. Its request and the state of its strategy
 * say what each begins with; of a search that state says where its unit that is not done was left. 0, or the kit's
 * error.
 */
int solo__crew_explore(struct solo__subject *whole, struct solo__crew_plan *plan);

#endif
