/*
 * sim_names.c - the look-up of host names in a simulated world: from the names that this schedule was given.
 *
 * The list is touched by every virtual thread, one at a time; race detectors are told to look away.
 */
#include "annotate.h"
#include "names_internal.h"
#include "sim_world.h"
#include <string.h>

struct sim_name {
    struct sim_name *next;
    struct solo_addresses addresses; /* none: there is no such name */
    uint64_t latency_ns;
    char name[];
};

/* What points at the name; at NULL if it is unknown. */
static const struct sim_name *find(struct sim_world *world, const char *name)
{
    const struct sim_name *at = world->names;
    while (at != NULL && !solo__names_equal(at->name, name)) {
        at = at->next;
    }
    return at;
}

int sim__look_up(struct solo_world *world, const char *name, struct solo_addresses *ret_addresses)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    const struct sim_name *found = find(sim_world_of(world), name);
    struct solo_addresses addresses = {0};
    uint64_t latency_ns = 0;
    if (found != NULL) {
        addresses = found->addresses;
        latency_ns = found->latency_ns;
    }
    SOLO_ANNOTATE_IGNORE_END();
    if (latency_ns > 0) {
        world->clock->sleep_until(world, world->clock->now_ns(world) + latency_ns);
    }
    if (addresses.count + addresses.count6 == 0) {
        return SOLO_ENAME;
    }
    *ret_addresses = addresses;
    return 0;
}

int solo_sim_add_name(const char *name, const struct solo_addresses *addresses, uint64_t latency_ns)
{
    struct solo_world *world = solo_world_current();
    if (name == NULL || *name == '\0' || strnlen(name, SOLO_NAME_MAX + 1) > SOLO_NAME_MAX ||
        (addresses != NULL && !solo__addresses_fit(addresses))) {
        return -EINVAL;
    }
    if (!sim__is_sim(world)) {
        return -ENOTSUP;
    }

    struct sim_name *made = world->memory->allocate(world, sizeof *made + strlen(name) + 1);
    if (made == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    strcpy(made->name, name); /* NOLINT: there is room, right above */
    made->addresses = addresses != NULL ? *addresses : (struct solo_addresses){.count = 0};
    made->latency_ns = latency_ns;
    made->next = sim_world_of(world)->names;
    sim_world_of(world)->names = made;
    SOLO_ANNOTATE_IGNORE_END();
    return 0;
}
