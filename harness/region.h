/*
 * region.h - the memory that the explorer shares with its children.
 *
 * Everything that must survive a child's crash lies here: the log with answers and events, the violations of the
 * schedule in flight, the strategy's state, and the ledger of what was seen so far. There are no pointers into it,
 * because it lies at another address in a program that was started (log.answers and log.events are set by whoever
 * writes the log). It is sparse: only what is touched takes memory.
 *
 * Only one process writes at a time: the child while a schedule runs, the explorer when no child is alive.
 */
#ifndef SOLO__REGION_H
#define SOLO__REGION_H

#include "order.h"
#include "strategy.h"
#include <solo/detail.h>
#include <solo/explore.h>

enum {
    SOLO__ANSWERS_MAX = SOLO__CHOICES_MAX,
#if defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
    SOLO__EVENTS_MAX = 1 << 12,      /* kept of a replay */
    SOLO__TWIN_EVENTS_MAX = 1 << 10, /* kept of a schedule that is run twice */
    SOLO__SET_MAX = 1 << 12,         /* slots for trace hashes */
#else
    SOLO__EVENTS_MAX = 1 << 20, /* more than the default steps_max */
    SOLO__TWIN_EVENTS_MAX = 1 << 16,
    SOLO__SET_MAX = 1 << 21,
#endif
    SOLO__UNIT_MAX = 128, /* schedules of a unit: unit.h */
    SOLO__SIGNATURE_MAX = 128,
    SOLO__VIOLATIONS_MAX = 16, /* kept of one schedule */
    SOLO__THREAD_NAME_MAX = 24,
    SOLO__PATH_MAX = 4096,
};

enum solo__mode {
    SOLO__EXPLORE = 1, /* the strategy that the request names */
    SOLO__REPLAY,      /* region->strategy.replay */
    SOLO__STEP,        /* region->strategy.interactive */
    SOLO__TWIN,        /* region->twin, written to region->twin_log: the same schedule once more */
};

/* What the child is to do. */
struct solo__request {
    uint32_t mode;     /* enum solo__mode */
    char strategy[16]; /* of SOLO__EXPLORE, without its argument */
    uint32_t strategy_argument;
    uint64_t seed;
    uint64_t schedules_max; /* SOLO__EXPLORE: stop after so many */
    uint64_t distinct_max;  /* or so many different ones; 0: no matter */
    uint64_t unending_max;  /* or when so many were ended by a limit, and no other one was there; 0: no matter */
    uint64_t steps_max;
    uint64_t watchdog_ns;
    uint32_t faults_max;
    uint32_t carrier;
    uint32_t granularity; /* enum solo_granularity */
    uint32_t policy;
    uint32_t let_time_pass;
    uint32_t stop_at_first;
    uint32_t twin_every;              /* run every n-th schedule twice and compare; 0: none */
    uint32_t dependences;             /* of the trace that the explorer writes */
    uint32_t comes_in_pieces;         /* more will be asked for: a child that is done with it waits */
    uint32_t keep_events;             /* keep events, thread names and details */
    char target[SOLO__SIGNATURE_MAX]; /* stop when this is found; "": no matter */
    char peer_file[SOLO__PATH_MAX];   /* "" if none */
};

/* What had to happen in a schedule, and how often it did. */
struct solo__counter {
    char name[SOLO_EXPECT_NAME_MAX];
    uint32_t wanted, happened;
};

/* One schedule, as its child leaves it. */
struct solo__outcome {
    uint64_t number;             /* of the schedule, from 1; the watchdog looks whether it moves */
    uint32_t running;            /* the schedule is in flight: after a crash this is what is left */
    uint32_t ending;             /* enum solo_ending */
    uint32_t diverged_at;        /* strict replay, or a search that met another choice than before; 0 if none */
    int32_t signal;              /* that killed the child, 0 if none */
    int32_t exit_status;         /* of a program or a child that called exit */
    uint32_t exited;             /* exit_status says something */
    uint32_t killed;             /* by the watchdog */
    uint32_t last_words;         /* `dying` was filled in */
    struct solo_violation dying; /* made by the dying child itself: thread, job, stack */
    uint32_t details_taken;      /* of the violations, from the first on */
    uint32_t violation_count;    /* may be larger than what is kept */
    struct solo_violation violations[SOLO__VIOLATIONS_MAX];
    struct solo_detail details[SOLO__VIOLATIONS_MAX];
    uint32_t counter_count; /* of solo_must_happen; 0 if the schedule did not end by itself */
    struct solo__counter counters[SOLO_EXPECT_MAX];
    uint32_t thread_count; /* names known: the highest number + 1 */
    char thread_names[SOLO_SIM_THREADS_MAX][SOLO__THREAD_NAME_MAX];
};

/* A defect as the ledger keeps it; its answers are in region->finding_answers. */
struct solo__defect {
    struct solo_violation violation;
    char signature[SOLO__SIGNATURE_MAX];
    char found_by[16]; /* solo_strategy_member */
    uint64_t schedules, first_schedule, steps;
    uint32_t answers_count; /* of the schedule with the fewest deviations */
    uint32_t deviations;
    uint32_t open; /* that schedule did not end by itself */
};

/* Hashes that were seen; the slots are in the region. */
struct solo__seen {
    uint64_t distinct;
    uint64_t singletons; /* of those, seen once */
    uint32_t full;       /* `distinct` is only a lower bound */
};

/* How far a search is that is cut into parts: what its strategy's state would say if it were not. */
struct solo__search {
    uint64_t division;   /* its hash; 0: there is none */
    uint32_t part_begun; /* the first part that is not done was left in the middle: the strategy's state says where */
    uint32_t round, refused, cut, finished, complete; /* as in struct solo__dfs_state, for all parts together */
};

struct solo__ledger {
    uint64_t next; /* number of schedules begun, repeats included: the seed follows from it */
    uint64_t schedules, failing, steps, choices;
    struct solo__seen traces;
    struct solo__seen orders; /* fingerprints of order.h */
    uint32_t threads_most;    /* in a schedule */
    uint32_t points_most;
    uint64_t killed;                     /* by the watchdog */
    uint64_t unending;                   /* stopped by steps_max */
    uint64_t lost;                       /* violations that did not fit into the table of defects */
    uint64_t directed, directed_failing; /* schedules besides, of a shard of a search (lock_orders.c) */
    uint32_t stop;                       /* nothing more to do */
    uint32_t asked_to_stop;              /* by solo_explore_stop: the exploration ends after the schedule in flight */
    uint32_t strategy_ended;
    uint32_t target_found;
    uint32_t defect_count;
    uint64_t set_mask; /* slots in use - 1, of each set */
    struct solo__search search;
    struct solo__defect defects[SOLO_FINDINGS_MAX];
    uint32_t required_count;
    struct solo_required required[SOLO_EXPECT_MAX];
    uint32_t cycle_count; /* circles of locks (violation.cycle) that were reached */
    uint64_t cycles[SOLO_CYCLES_MAX];
};

/* A choice put to somebody outside: see step.c. */
struct solo__question {
    uint32_t kind, thread, index, option_count, waiter_count;
    uint64_t step, now_ns;
    struct solo_step_option options[SOLO_STEP_OPTIONS_MAX];
    struct solo_waiter waiters[SOLO_WAITERS_MAX];
};

struct solo__region {
    uint64_t magic;       /* kit version and size: parent and program must agree */
    int32_t child_result; /* how the child's own work went: 0, or the kit's error */
    struct solo__request request;
    struct solo__outcome outcome;
    struct solo__ledger ledger;
    struct solo_sim_log log;
    struct solo_sim_log twin_log;
    struct solo__question question;
    struct solo__order order;
    uint64_t unit_traces[SOLO__UNIT_MAX]; /* trace hashes of the first schedules of the ledger, in their order */
    uint64_t unit_orders[SOLO__UNIT_MAX]; /* and their fingerprints */
    uint64_t traces[SOLO__SET_MAX];       /* trace hashes; bit 0: seen more than once; 0: free */
    uint64_t orders[SOLO__SET_MAX];       /* fingerprints, likewise */
    union solo__strategy_state strategy;
    struct solo__replay_state twin;
    struct solo_answer answers[SOLO__ANSWERS_MAX];
    struct solo_answer twin_answers[SOLO__ANSWERS_MAX];
    struct solo_event events[SOLO__EVENTS_MAX];
    struct solo_event twin_events[SOLO__TWIN_EVENTS_MAX];
    struct solo_answer finding_answers[SOLO_FINDINGS_MAX][SOLO__ANSWERS_MAX];
};

#define SOLO__REGION_MAGIC                                                                                             \
    (UINT64_C(0x534f4c4f00000000) + (uint64_t)SOLO_CHOICE_SCHEMA * 0x1000003 + sizeof(struct solo__region))

/* A new zeroed region; its descriptor in *ret_fd (-1 in ret_fd is not asked for). NULL: no memory. */
struct solo__region *solo__region_create(int *ret_fd);
/* The region behind a descriptor that a parent sent. NULL: it is not one. */
struct solo__region *solo__region_open(int fd);
void solo__region_destroy(struct solo__region *region);

/* Forgets what was seen: a new exploration. set_size is rounded up to a power of two within SOLO__SET_MAX. */
void solo__region_clear_ledger(struct solo__region *region, uint64_t set_size);

#endif
