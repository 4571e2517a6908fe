/* sim_world.h - the simulated world as its backend files see it. */
#ifndef SOLO__SIM_WORLD_H
#define SOLO__SIM_WORLD_H

#include "core.h"
#include "sim_memory.h"

struct sim_network; /* sim_network.c */
struct sim_name;    /* sim_names.c */

struct sim_world {
    struct solo_world world; /* first, so that a world is a sim_world */
    struct core *core;
    struct solo__object_ids ids;
    struct sim_memory memory;
    struct sim_network *network; /* of this run; NULL until its first use */
    struct sim_signal {
        struct solo_poller *poller; /* who watches it; NULL: nobody */
        uint64_t key;
        bool pending;
    } signals[SOLO_SIGNAL_MAX + 1];
    struct sim_name *names; /* that this run was given, last one first (sim_names.c) */
};

static inline struct sim_world *sim_world_of(struct solo_world *world)
{
    return (struct sim_world *)world;
}

extern const struct solo_poll_table sim__poll_table;
extern const struct solo_network_table sim__network_table;

/* Fills in the tables; called once per simulation. */
void sim__world_init(struct sim_world *world, struct core *core);

/* A schedule begins: ids start over, the network is empty. */
void sim__world_begin(struct sim_world *world);

extern const char sim__name[] __attribute__((visibility("hidden")));

/* Whether this world is a simulation: by its name, because tests put tables of their own in place of the others. */
static inline bool sim__is_sim(const struct solo_world *world)
{
    return world->name == sim__name;
}

/* The core the caller runs on; NULL outside a simulation. Asked at every access to shared memory. */
static inline struct core *core_current(void)
{
    struct solo_thread *self = solo__self;
    return self != NULL && sim__is_sim(self->object.world) ? sim_world_of(self->object.world)->core : NULL;
}

#endif
