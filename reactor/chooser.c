/* chooser.c - the one chooser, as far as the caller's world has one. */
#include "chooser.h"
#include "core.h"

size_t solo__choose(struct solo_world *world, enum solo_choice_kind kind, const struct solo_option *const *options,
                    size_t count)
{
    return solo__world_is_sim(world) ? core_choose(core_of(world), kind, options, count) : 0;
}
