/* names_internal.h - look-ups as the files of the engine and of the worlds share them. */
#ifndef SOLO__NAMES_INTERNAL_H
#define SOLO__NAMES_INTERNAL_H

#include <solo/names.h>
#include <solo/world.h>

/* The system's look-up, which blocks: 0 with at least one address, SOLO_ENAME, or another failure. */
int solo__world_look_up(struct solo_world *world, const char *name, struct solo_addresses *ret_addresses);
int solo__os_look_up(const char *name, struct solo_addresses *ret_addresses);
int sim__look_up(struct solo_world *world, const char *name, struct solo_addresses *ret_addresses);

/* names_pool.c: the default resolver. */
int solo__pool_resolve(struct solo_reactor *reactor, const char *name, struct solo_addresses *addresses, void *frame,
                       void *return_address, struct solo_deferred **ret_deferred);

/* names.c. Whether upper and lower case aside these are the same name. */
bool solo__names_equal(const char *a, const char *b);
/* Whether there are no more of them than there can be. */
bool solo__addresses_fit(const struct solo_addresses *addresses);
/* Whether `name` is known without a resolver. */
bool solo__name_is_known(struct solo_reactor *reactor, const char *name, struct solo_addresses *ret_addresses);

#endif
