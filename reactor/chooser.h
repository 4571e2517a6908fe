/* chooser.h - asking the chooser from engine code, which runs in any world. */
#ifndef SOLO__CHOOSER_H
#define SOLO__CHOOSER_H

#include <solo/choice.h>
#include <solo/world.h>

/*
 * Returns the index of the option to take: 0 in world os, the chooser's answer in world sim. Never switches threads.
 * Whether options need to be written down at all, solo__world_is_sim says (object.h).
 */
size_t solo__choose(struct solo_world *world, enum solo_choice_kind kind, const struct solo_option *const *options,
                    size_t count);

#endif
