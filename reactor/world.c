/* world.c - which world the caller lives in, and what the kit asks of any world beyond its tables. */
#include "names_internal.h"
#include "self.h"
#include "sim_world.h"
#include "world_os.h"

struct solo_world *solo_world_current(void)
{
    return solo__self != NULL ? solo__self->object.world : &solo__os_world.world;
}

struct solo__object_ids *solo__world_ids(struct solo_world *world)
{
    return sim__is_sim(world) ? &sim_world_of(world)->ids : &solo__os_world.ids;
}

int solo__world_look_up(struct solo_world *world, const char *name, struct solo_addresses *ret_addresses)
{
    return solo__world_is_sim(world) ? sim__look_up(world, name, ret_addresses) : solo__os_look_up(name, ret_addresses);
}
