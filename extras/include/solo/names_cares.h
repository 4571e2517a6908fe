/*
 * names_cares.h - a resolver that needs no thread: c-ares, on the reactor's own descriptors and delayed calls.
 *
 * In libsolo-cares. It asks name servers itself, so a pool full of slow work keeps nobody from connecting. World os
 * only: a simulated world has no sockets of the system, and its names are solo_sim_add_name's.
 *
 *     struct solo_cares *cares;
 *     solo_cares_create(reactor, NULL, &cares);
 *     solo_reactor_install_resolver(reactor, solo_cares_resolver(cares), NULL);
 */
#ifndef SOLO_NAMES_CARES_H
#define SOLO_NAMES_CARES_H

#include <solo/names.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_cares;

/*
 * Makes one for this reactor. `servers`: who is asked, as "127.0.0.1:5353,10.0.0.1", or NULL: whom the system asks. How
 * often and how long is c-ares's default; the reactor's limit for look-ups holds as well. -EINVAL, -ENOMEM; -ENOTSUP: a
 * simulated world.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_cares_create(struct solo_reactor *reactor, const char *servers,
                                                    struct solo_cares **ret_cares);

/* What solo_reactor_install_resolver wants. Lives as long as `cares`. NULL for NULL. */
SOLO_ANY_THREAD SOLO_PUBLIC struct solo_resolver *solo_cares_resolver(struct solo_cares *cares);

/*
 * Ends it: look-ups under way fail with SOLO_ECLOSED before this returns. Install another resolver first. Call it
 * before the reactor is destroyed, and not in a callback of a look-up's Deferred: -EBUSY. Accepts NULL.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_cares_destroy(struct solo_cares *cares);

#ifdef __cplusplus
}
#endif
#endif
