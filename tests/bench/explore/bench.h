/*
 * bench.h - the parts of `make bench-explore`, and what they share.
 *
 * A part measures one thing for every shape that is wanted, prints a row for each and a line at its end, and returns
 * whether what it was to show was shown.
 */
#ifndef BENCH_H
#define BENCH_H

#include "shape.h"
#include <solo/explore.h>
#include <stdint.h>

enum { BENCH_SEEDS_MAX = 100, BENCH_STEPS_MAX = 20000 };

/* What the command line says. */
struct bench {
    const char *strategy;
    unsigned seeds;
    unsigned schedules; /* that a run may have; 0: as many as the part thinks right */
    char *const *names; /* of the shapes that are wanted; none: all are */
    unsigned name_count;
};
extern struct bench bench;

bool bench_wants(const char *name);
/* A line on the terminal that says where the work is; nothing where nobody looks. */
void bench_progress(const char *part, const char *name, const char *what);

/* ---- Schedules of a shape ---- */

/* A simulation under a strategy, and the state that the strategy needs. */
struct bench_search {
    const struct solo_strategy *strategy;
    void *state;
    struct solo_sim *sim;
};
void bench_search_begin(struct bench_search *search, const char *strategy, struct solo_sim_log *log);
void bench_search_end(struct bench_search *search);
/* One schedule. Returns its ending, or SOLO_ECLOSING; sets *ret_failed. */
int bench_search_next(struct bench_search *search, uint64_t seed, const struct shape *shape, bool twin,
                      bool *ret_failed);

/* Schedules until one fails, at most so many. */
struct bench_trial {
    unsigned first; /* number of the one that failed; 0: none did */
    const char *by; /* what drew it */
};
struct bench_trial bench_try(const char *strategy, unsigned seed, const struct shape *shape, bool twin,
                             unsigned schedules);

/* ---- The parts ---- */

bool bench_sizes(void);   /* sizes.c: threads and scheduling points of each shape, and of what it is named after */
bool bench_twins(void);   /* twins.c: no strategy reports anything about the passing twins */
bool bench_speed(void);   /* speed.c: schedules and events a second */
bool bench_figures(void); /* figures.c: schedules to the first failure, against the published figures */
bool bench_tokens(void);  /* tokens.c: deviations that are left of what is found */

#endif
