/*
 * crew_worker.h - one of the processes that run the units of an exploration.
 *
 * It is a copy of the explorer's process with a region and a program of its own; it gets orders over a socket and
 * leaves when that closes. What it saw lies in its region until the next order.
 */
#ifndef SOLO__CREW_WORKER_H
#define SOLO__CREW_WORKER_H

#include "crew.h"

enum solo__crew_worker_state { SOLO__WORKER_IDLE, SOLO__WORKER_BUSY, SOLO__WORKER_DONE };

struct solo__crew_worker {
    struct solo__subject subject; /* opened here, run there */
    enum solo__crew_worker_state state;
    uint64_t unit;
    pid_t pid; /* 0: not started */
    int fd;    /* the line to it */
};

enum solo__crew_order_kind {
    SOLO__CREW_UNIT,     /* run schedules with these seeds */
    SOLO__CREW_PART,     /* begin with this part of a search */
    SOLO__CREW_FRONTIER, /* begin where the strategy of the whole is */
    SOLO__CREW_GO_ON,    /* with the search, adding to what was seen */
    SOLO__CREW_GO_AHEAD, /* with the search; what was seen so far is taken */
};

/* Without padding: it is sent as it lies in memory. */
struct solo__crew_order {
    uint64_t kind;        /* enum solo__crew_order_kind */
    uint64_t first;       /* of a unit: its first schedule; of a part: its number among the shard's */
    uint64_t size, round; /* schedules, at most; the round of a part */
};

enum { SOLO__WORKERS_MAX = 2 * SOLO_JOBS_MAX + 8 };

/*
 * Starts one for the plan's exploration; the lines to the others are closed in it. 0 or a negative errno; clean up with
 * solo__crew_worker_dismiss unless it failed before worker->pid was set.
 */
int solo__crew_worker_start(struct solo__crew_worker *worker, const struct solo__subject *whole,
                            const struct solo__crew_plan *plan, const struct solo__crew_worker *others,
                            unsigned other_count);
/* Gives an order. 0 or -EPIPE. */
int solo__crew_worker_order(struct solo__crew_worker *worker, const struct solo__crew_order *order);
/* It has said something: done, or gone. 0 or the kit's error. */
int solo__crew_worker_hear(struct solo__crew_worker *worker);
/* Ends it; what it is doing nobody wants any more. */
void solo__crew_worker_dismiss(struct solo__crew_worker *worker);

#endif
