/*
 * names.c - host names: what is known at once, and who is asked for the rest.
 *
 * What is known never takes memory beyond its Deferred, and never a thread: a full pool does not keep a program from
 * connecting to what it knows.
 */
#include "names_internal.h"
#include "deferred_private.h"
#include <solo/address.h>
#include <string.h>

#define RESOLVE_TIMEOUT_NS UINT64_C(60000000000)

/* A name that was set. */
struct solo__host {
    struct solo__host *next;
    struct solo_addresses addresses;
    char name[];
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool solo__names_equal(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool solo__addresses_fit(const struct solo_addresses *addresses)
{
    return addresses->count <= SOLO_ADDRESSES_MAX && addresses->count6 <= SOLO_ADDRESSES_MAX;
}

/* ---- What is known ---- */

/* What points at this host; at NULL if it was not set. */
static struct solo__host **find_host(struct solo_reactor *reactor, const char *name)
{
    struct solo__host **link = &reactor->hosts;
    while (*link != NULL && !solo__names_equal((*link)->name, name)) {
        link = &(*link)->next;
    }
    return link;
}

bool solo__name_is_known(struct solo_reactor *reactor, const char *name, struct solo_addresses *ret_addresses)
{
    struct solo_address literal = {.family = SOLO_INET};
    const struct solo__host *host = *find_host(reactor, name);
    if (host != NULL) {
        *ret_addresses = host->addresses;
        return true;
    }
    if (solo__names_equal(name, "localhost")) {
        literal.host = SOLO_LOOPBACK;
    } else if (*name != '\0' && solo_address_inet(name, 0, &literal) < 0 && solo_address_inet6(name, 0, &literal) < 0) {
        return false;
    }
    ret_addresses->count = literal.family == SOLO_INET;
    ret_addresses->count6 = literal.family == SOLO_INET6;
    ret_addresses->addresses[0] = literal.host;
    memcpy(ret_addresses->addresses6[0], literal.host6, sizeof literal.host6);
    return true;
}

void solo__names_end(struct solo_reactor *reactor)
{
    while (reactor->hosts != NULL) {
        struct solo__host *host = reactor->hosts;
        reactor->hosts = host->next;
        reactor->world->memory->release(reactor->world, host);
    }
}

int solo_reactor_set_host(struct solo_reactor *reactor, const char *name, const struct solo_addresses *addresses)
{
    SOLO__LIVE_OBJECT(solo_reactor_set_host, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (name == NULL || *name == '\0' || strnlen(name, SOLO_NAME_MAX + 1) > SOLO_NAME_MAX ||
        (addresses != NULL && !solo__addresses_fit(addresses))) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_set_host, &reactor->owner, reactor);

    struct solo_world *world = reactor->world;
    struct solo__host **link = find_host(reactor, name), *host = *link;
    if (addresses == NULL || addresses->count + addresses->count6 == 0) {
        if (host != NULL) {
            *link = host->next;
            reactor->hosts_count--;
            world->memory->release(world, host);
        }
        return 0;
    }
    if (host == NULL) {
        if (reactor->hosts_count == SOLO_HOSTS_MAX) {
            return SOLO_ELIMIT;
        }
        host = world->memory->allocate(world, sizeof *host + strlen(name) + 1);
        if (host == NULL) {
            return -ENOMEM;
        }
        strcpy(host->name, name); /* NOLINT: there is room, right above */
        host->next = NULL;
        *link = host;
        reactor->hosts_count++;
    }
    host->addresses = *addresses;
    return 0;
}

/* ---- Who is asked ---- */

int solo_reactor_install_resolver(struct solo_reactor *reactor, struct solo_resolver *resolver,
                                  struct solo_resolver **ret_previous)
{
    SOLO__LIVE_OBJECT(solo_reactor_install_resolver, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (resolver != NULL && resolver->resolve == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_install_resolver, &reactor->owner, reactor);

    if (ret_previous != NULL) {
        *ret_previous = reactor->resolver;
    }
    reactor->resolver = resolver;
    return 0;
}

int solo_reactor_set_resolve_timeout(struct solo_reactor *reactor, uint64_t timeout_ns)
{
    SOLO__LIVE_OBJECT(solo_reactor_set_resolve_timeout, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_set_resolve_timeout, &reactor->owner, reactor);

    reactor->resolve_timeout_ns = timeout_ns;
    return 0;
}

static int resolve_known(struct solo_reactor *reactor, struct solo_addresses *addresses, void *frame,
                         void *return_address, struct solo_deferred **ret_deferred)
{
    struct solo_deferred *deferred;
    int status = solo__deferred_make(reactor, NULL, NULL, frame, return_address, &deferred);
    if (status < 0) {
        return status;
    }
    solo__deferred_fire_from(deferred, solo_value(addresses), frame, return_address);
    *ret_deferred = deferred;
    return 0;
}

/* Asks the resolver, and sees to it that there is an answer in time. */
static int ask(struct solo_reactor *reactor, const char *name, struct solo_addresses *addresses, void *frame,
               void *return_address, struct solo_deferred **ret_deferred)
{
    struct solo_resolver *resolver = reactor->resolver;
    struct solo_deferred *deferred = NULL;
    addresses->count = addresses->count6 = 0; /* a resolver may know one family only */
    int status = resolver != NULL ? resolver->resolve(resolver, reactor, name, addresses, &deferred)
                                  : solo__pool_resolve(reactor, name, addresses, frame, return_address, &deferred);
    if (status < 0) {
        return status;
    }
    uint64_t timeout_ns = reactor->resolve_timeout_ns != 0 ? reactor->resolve_timeout_ns : RESOLVE_TIMEOUT_NS;
    status = solo_deferred_add_timeout(deferred, timeout_ns, 0);
    if (status < 0) {
        (void)solo_deferred_cancel(deferred);
        (void)solo_deferred_release(deferred);
        return status;
    }
    *ret_deferred = deferred;
    return 0;
}

int solo_resolve(struct solo_reactor *reactor, const char *name, struct solo_addresses *addresses,
                 struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_resolve, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (name == NULL || addresses == NULL || ret_deferred == NULL || strnlen(name, SOLO_NAME_MAX + 1) > SOLO_NAME_MAX) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_resolve, &reactor->owner, reactor);

    void *frame = __builtin_frame_address(0);
    void *return_address = __builtin_return_address(0);
    struct solo_addresses known;
    if (!solo__name_is_known(reactor, name, &known)) {
        return ask(reactor, name, addresses, frame, return_address, ret_deferred);
    }
    int status = resolve_known(reactor, addresses, frame, return_address, ret_deferred);
    if (status == 0) {
        *addresses = known; /* before anybody can have added a callback */
    }
    return status;
}
