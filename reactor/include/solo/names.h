/*
 * names.h - host names to addresses, without blocking the reactor.
 *
 * solo_resolve answers in this order: the empty name, IPv4 and IPv6 literals, "localhost" (127.0.0.1) and the hosts
 * that were set are known at once and touch nothing; everything else goes to the reactor's resolver. By default that is
 * the system's look-up, which blocks, in the reactor's pool; solo/names_cares.h, in a library of its own, has one that
 * needs no thread; and a program may install its own.
 *
 * In a simulated world there is no name server: the system's look-up answers from the names that solo_sim_add_name gave
 * to this schedule, and takes the virtual time that was given there.
 *
 * A look-up ends within the reactor's limit (60 s unless set): with -ETIMEDOUT; or, if no thread of the pool was free
 * for it all that time, with SOLO_EPOOLFULL, which is then the cause and no slow name server.
 *
 * Source: Twisted's IReactorPluggableNameResolver. IPv4 addresses are in host order: 0x7f000001 is
 * 127.0.0.1.
 */
#ifndef SOLO_NAMES_H
#define SOLO_NAMES_H

#include <solo/deferred.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;

enum {
    SOLO_NAME_MAX = 253,      /* characters of a name */
    SOLO_ADDRESSES_MAX = 16,  /* kept of one name and family; more are dropped */
    SOLO_HOSTS_MAX = 1 << 16, /* names that can be set */
};

struct solo_addresses {
    size_t count;
    uint32_t addresses[SOLO_ADDRESSES_MAX]; /* IPv4, in the order of preference */
    size_t count6;
    uint8_t addresses6[SOLO_ADDRESSES_MAX][16]; /* IPv6, likewise */
};

/* Embed it in your resolver. */
struct solo_resolver {
    /*
     * Begins to look up `name`, which is valid during the call only, and gives a Deferred: a value, once *addresses is
     * filled in, or a failure (SOLO_ENAME: there is no such name). *addresses stays until the Deferred has fired. What
     * it returns is returned by solo_resolve. Called on the reactor thread.
     */
    int (*resolve)(struct solo_resolver *resolver, struct solo_reactor *reactor, const char *name,
                   struct solo_addresses *addresses, struct solo_deferred **ret_deferred);
};

/*
 * Looks up `name`. The Deferred has the value `addresses`, filled in with one address or more of either
 * family, or a failure: SOLO_ENAME
 * (no such name), -ETIMEDOUT, SOLO_EPOOLFULL, SOLO_ECLOSING, or what the resolver says. *addresses must stay until it
 * has fired and is not touched afterwards. Cancelling it ends the wait; a look-up that is under way in the pool goes on
 * to nobody. -EINVAL: longer than SOLO_NAME_MAX. -ENOMEM, SOLO_ECLOSING, and what the pool or the resolver says.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_resolve(struct solo_reactor *reactor, const char *name,
                                               struct solo_addresses *addresses, struct solo_deferred **ret_deferred);

/*
 * From now on `resolver` looks up what is not known at once; it is borrowed until another is installed or the reactor
 * ends. NULL: the pool again. *ret_previous, which may be NULL, is the one before; NULL: the pool.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_install_resolver(struct solo_reactor *reactor,
                                                                struct solo_resolver *resolver,
                                                                struct solo_resolver **ret_previous);

/* How long a look-up may take, counted from solo_resolve. 0: 60 s. Does not change those under way. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_set_resolve_timeout(struct solo_reactor *reactor, uint64_t timeout_ns);

/*
 * From now on this reactor knows the addresses of `name`, whatever a name server says. `addresses` is copied; NULL or
 * none of them: it knows them no more. Upper and lower case are the same. -EINVAL, -ENOMEM, SOLO_ELIMIT
 * (SOLO_HOSTS_MAX).
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_set_host(struct solo_reactor *reactor, const char *name,
                                                        const struct solo_addresses *addresses);

/*
 * In a simulated world: what the system's look-up of `name` answers from now on in this schedule, after latency_ns of
 * virtual time. No addresses, or NULL: SOLO_ENAME after that time, as for a name that was never given. Last given,
 * first found. -ENOTSUP: the caller does not live in a simulation. -EINVAL, -ENOMEM.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_sim_add_name(const char *name, const struct solo_addresses *addresses,
                                                  uint64_t latency_ns);

#ifdef __cplusplus
}
#endif
#endif
