/* transport_option.c - what a transport can be asked and told besides its bytes; references, from any thread. */
#include "transport_internal.h"

/* ---- References: any thread ---- */

int solo_transport_ref(struct solo_transport *transport)
{
    SOLO__LIVE_OBJECT(solo_transport_ref, transport, SOLO__TRANSPORT, SOLO012_TRANSPORT_AFTER_LOST);

    solo__transport_ref(transport);
    return 0;
}

int solo_transport_unref(struct solo_transport *transport)
{
    SOLO__LIVE_OBJECT(solo_transport_unref, transport, SOLO__TRANSPORT, SOLO012_TRANSPORT_AFTER_LOST);

    solo__transport_unref(transport);
    return 0;
}

int solo_transport_get_reactor(struct solo_transport *transport, struct solo_reactor **ret_reactor)
{
    SOLO__LIVE_OBJECT(solo_transport_get_reactor, transport, SOLO__TRANSPORT, SOLO012_TRANSPORT_AFTER_LOST);
    if (ret_reactor == NULL) {
        return -EINVAL;
    }

    *ret_reactor = transport->reactor;
    return 0;
}

/* ---- Reactor-only functions ---- */

int solo_transport_get_state(struct solo_transport *transport, enum solo_transport_state *ret_state)
{
    SOLO__TRANSPORT_CHECK(solo_transport_get_state, transport);
    if (ret_state == NULL) {
        return -EINVAL;
    }

    *ret_state = transport->state;
    return 0;
}

int solo_transport_get_host(struct solo_transport *transport, struct solo_address *ret_address)
{
    SOLO__TRANSPORT_CHECK(solo_transport_get_host, transport);
    if (ret_address == NULL) {
        return -EINVAL;
    }
    if (transport->closed) {
        return SOLO_ECLOSED;
    }

    struct solo_world *world = transport->reactor->world;
    if (transport->in_memory) {
        *ret_address = (struct solo_address){.family = SOLO_FAMILY_NONE};
        return 0;
    }
    return world->network->query(world, transport->watch.fd, SOLO_QUERY_LOCAL, ret_address);
}

int solo_transport_get_peer(struct solo_transport *transport, struct solo_address *ret_address)
{
    SOLO__TRANSPORT_CHECK(solo_transport_get_peer, transport);
    if (ret_address == NULL) {
        return -EINVAL;
    }

    *ret_address = transport->peer;
    return 0;
}

/* A closed connection that has not heard of it yet takes every option. */
static int set_option(struct solo_transport *transport, enum solo_option_name what, bool on)
{
    struct solo_world *world = transport->reactor->world;
    if (transport->closed) {
        return 0;
    }
    return transport->in_memory ? -EOPNOTSUPP : world->network->set(world, transport->watch.fd, what, on);
}

int solo_transport_set_no_delay(struct solo_transport *transport, bool on)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_set_no_delay, transport);

    return set_option(transport, SOLO_SET_NO_DELAY, on);
}

int solo_transport_set_keep_alive(struct solo_transport *transport, bool on)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_set_keep_alive, transport);

    return set_option(transport, SOLO_SET_KEEP_ALIVE, on);
}
