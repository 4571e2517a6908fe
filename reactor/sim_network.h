/*
 * sim_network.h - what the simulated poll sees of the simulated network.
 *
 * Whoever calls these has told race detectors to look away (SOLO_ANNOTATE_IGNORE_BEGIN): the network's own memory is touched by
 * every virtual thread, one at a time.
 */
#ifndef SOLO__SIM_NETWORK_H
#define SOLO__SIM_NETWORK_H

#include "sim_world.h"

struct sim_watch;      /* sim_poll.c */
struct sim_descriptor; /* sim_network.c */

/* The open descriptor with that number, or NULL. */
struct sim_descriptor *sim__descriptor_find(struct solo_world *world, int fd);

/* What it is ready for, SOLO_READABLE and so on, whoever asks. */
uint32_t sim__descriptor_ready(const struct sim_descriptor *descriptor);

uint32_t sim__descriptor_object(const struct sim_descriptor *descriptor);

/* The head of the list of its watches, linked by their next. */
struct sim_watch **sim__descriptor_watches(struct sim_descriptor *descriptor);

/* It may have become ready: wakes the pollers that wait for it. */
void sim__poll_notify(struct core *core, struct sim_watch *watches, uint32_t ready);

/* It is closed: its watches are forgotten. */
void sim__poll_forget(struct sim_watch *watches);

#endif
