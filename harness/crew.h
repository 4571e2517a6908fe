/*
 * crew.h - several processes that run the units of one exploration.
 *
 * Each worker is a copy of this process with a region and a program of its own; it gets units over a socket and leaves
 * when that closes. This process puts the units together, in their order.
 */
#ifndef SOLO__CREW_H
#define SOLO__CREW_H

#include "subject.h"
#include "unit.h"

/* How far an exploration by units is, and what is to be done after each one. */
struct solo__crew_plan {
    struct solo__units units;
    uint64_t done; /* units that are in the ledger of the whole */
    unsigned jobs;
    /*
     * Called after each unit that was added; `found`: with a defect that was not known, or nothing comes after it that
     * may be saved. Negative ends it all. May be NULL.
     */
    int (*saved)(struct solo__subject *subject, const struct solo__crew_plan *plan, bool found, void *arg);
    void *arg;
};

/*
 * Runs the units that are not done, until the ledger of `whole` has enough. Its request and the state of its strategy
 * say what each begins with. 0, or the kit's error.
 */
int solo__crew_explore(struct solo__subject *whole, struct solo__crew_plan *plan);

#endif
