/*
 * child.h - what every process does that runs schedules: it writes violations, thread names and last words to the
 * shared region.
 *
 * Around one schedule: solo__child_begin; the simulation runs, and its ending hook lets the oracles speak;
 * solo__child_end.
 */
#ifndef SOLO__CHILD_H
#define SOLO__CHILD_H

#include "region.h"

/* Before children are forked: what would cost each of them some time is done once. */
void solo__child_warm_up(void);
/* The same for children that name what they find: reads debug information. */
void solo__child_warm_up_names(void);

/* Deadly signals are taken note of from now on: once, in a process that runs schedules or in one that forks such. */
void solo__child_prepare_last_words(struct solo__region *region);

/* Once in a process that will run schedules for this region: policy, violation sink, last words, thread names. */
void solo__child_prepare(struct solo__region *region);

/* A simulation as the region's request asks for, writing region->log. 0, -EINVAL or -ENOMEM. */
int solo__child_create_sim(struct solo__region *region, const struct solo_strategy *strategy,
                           struct solo_sim **ret_sim);
/* Another, answering as region->twin says and writing region->twin_log. */
int solo__child_create_twin(struct solo__region *region, struct solo_sim **ret_sim);

/* The ending hook of these simulations: lets the oracles speak. `arg` is the region. */
void solo__child_ending(int ending, void *arg);

/* A schedule begins: nothing is left of the one before. */
void solo__child_begin(struct solo__region *region);
/* It has ended by itself. */
void solo__child_end(struct solo__region *region);

/*
 * Resolves what the schedule's violations point at, where events are kept: while the world of the schedule is still
 * there.
 */
void solo__child_take_details(struct solo__region *region);

/*
 * After a single schedule, in a process with the same code as the child's (its parent): adds what the ending says, and
 * the details that the child could not give any more.
 */
void solo__child_account_for(struct solo__region *region);

/* While muted, violations are not written down. */
void solo__child_mute(bool mute);

/* The strategy that the request names, with its state in the region. */
const struct solo_strategy *solo__child_strategy(struct solo__region *region);

/* Standard output and error go to this descriptor, standard input is empty, if it is no file. fd -1: to nowhere. */
void solo__child_redirect(int fd);
/* Whether standard input is a file with something in it, of which nobody has read anything. */
bool solo__child_has_input(void);
/* For one schedule: the file, which has an offset that all would share, from its beginning; or nothing. */
void solo__child_reopen_input(bool empty);

/* A file in memory for what a schedule prints, of limited size: writing more fails. -1: none to be had. */
int solo__capture_create(void);
/* Begins again at its start. */
void solo__capture_rewind(int fd);
/* What was printed, cut to fit. */
void solo__capture_read(int fd, char output[SOLO_OUTPUT_MAX]);

#endif
