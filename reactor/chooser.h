/* chooser.h - asking the chooser from engine code, which runs in any world. */
#ifndef SOLO__CHOOSER_H
#define SOLO__CHOOSER_H

#include <solo/choice.h>
#include <solo/world.h>

/* Whether this world has a chooser. Where it has none there is no need to write the options down. */
bool solo__world_chooses(const struct solo_world *world);

/* Returns the index of the option to take: 0 in world os, the chooser's answer in world sim. Never switches threads. */
size_t solo__choose(struct solo_world *world, enum solo_choice_kind kind, const struct solo_option *const *options,
                    size_t count);

#endif
