/*
 * subject.h - what is explored: a scenario in one process, or a program behind a fork server.
 *
 * Both do two things with the shared region: run schedules of a strategy until the ledger says enough, and run one
 * schedule as region->request and region->strategy say. Everything above (tokens, shrinking, evidence, the report)
 * knows no more.
 */
#ifndef SOLO__SUBJECT_H
#define SOLO__SUBJECT_H

#include "process.h"
#include "program_file.h"
#include "region.h"

/* How a program can be started. */
enum solo__start {
    SOLO__START_PLAIN = 0, /* as the user would */
    SOLO__START_QUIET,     /* AddressSanitizer looks up no names for reports that nobody reads: 0.3 s each */
    SOLO__START_OTHER,     /* with all that a program must not depend on changed, for schedules that are run twice */
    SOLO__STARTS
};

/* A running program under test, stopped before its main. */
struct solo__server {
    pid_t pid; /* 0: not started */
    int control_fd;
    bool ready; /* it has the region */
};

struct solo__subject {
    struct solo__region *region;
    char name[SOLO_SCENARIO_NAME_MAX]; /* for tokens */
    int output_fd;                     /* what a single schedule prints; -1: nothing is kept */
    int ask_fd;                        /* the explorer's end of the line to the interactive strategy; -1: none */
    int answer_fd;                     /* the child's end */
    int (*serve)(int fd, void *arg);   /* answers questions from ask_fd */
    void *serve_arg;
    FILE *progress;
    uint64_t begun_ns;      /* wall clock, for progress */
    uint64_t begun_with;    /* schedules that were known then, from a checkpoint */
    uint32_t shard, shards; /* from 1; 0: not cut into shards */
    uint32_t stop_asked;    /* by solo_explore_stop; what it does is in the ledger */

    /* Runs schedules of request.strategy until solo__ledger_is_enough. 0, or the error of the kit itself. */
    int (*explore)(struct solo__subject *subject);
    /* Runs one schedule; outcome and log say what happened, closed. 0, or the error of the kit itself. */
    int (*run)(struct solo__subject *subject);
    /* Makes `name` final before anything runs; NULL: it is. */
    int (*get_ready)(struct solo__subject *subject);
    /* Ends what the subject keeps running. */
    void (*finish)(struct solo__subject *subject);

    const struct solo_scenario *scenario; /* of a scenario */
    pid_t child;                          /* that runs its schedules; 0: none now */
    int life_fd;                          /* the line to it */

    char *const *argv; /* of a program */
    struct solo__program_file file;
    int region_fd;
    struct solo__server servers[SOLO__STARTS];
    char why[SOLO_EVIDENCE_MAX]; /* why a program or its peer script was refused, "" if nothing was said */
};

/*
 * Sets up a subject; its region's request must be filled in before it runs. Clean up with solo__subject_finish, always.
 */
int solo__scenario_open(struct solo__subject *subject, const struct solo_scenario *scenario);
int solo__program_open(struct solo__subject *subject, char *const argv[]);
void solo__subject_finish(struct solo__subject *subject);
/* Another subject for the same scenario or program, with a region of its own. Clean up as above. */
int solo__subject_copy(struct solo__subject *copy, const struct solo__subject *subject);

/* Shows how far an exploration is, with a guess at the time that is left. */
void solo__subject_tick(void *subject);

/* Whether solo_explore_stop was called: no more schedules than what is known needs. */
bool solo__subject_is_stopped(const struct solo__subject *subject);

/* Crashes and hangs after which an exploration gives up. */
enum { SOLO__KILLED_MAX = 3 };

/* Schedules, the first ones, none of which comes to its end: whoever draws more learns nothing, slowly. */
enum { SOLO__UNENDING_MAX = 50 };

#endif
