/* world.c - which world the caller lives in, and what the kit asks of any world beyond its tables. */
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
