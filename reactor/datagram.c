/*
 * datagram.c - a port that datagrams come to and leave from.
 *
 * At most DATAGRAMS_MAX are received in one pass, so that a flood starves nobody. There is no queue: what the network
 * does not take, the writer hears of at once.
 */
#include "transport_internal.h"
#include <solo/datagram.h>

enum { DATAGRAMS_MAX = 16 };

struct solo_datagram_port {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo__watch watch; /* of its descriptor, watch.fd */
    struct solo__closable closable;
    struct solo_datagram_protocol *protocol;
    struct solo_address local;
    void *buffer;          /* SOLO_DATAGRAM_MAX bytes */
    bool stopping;         /* the descriptor is gone; stopped is on its way or was called */
    struct solo__call end; /* carries stopped to a later pass */
};

static struct solo_world *world_of(const struct solo_datagram_port *port)
{
    return port->reactor->world;
}

/* ---- The I/O step ---- */

static void deliver(struct solo_datagram_port *port, size_t size, const struct solo_address *from)
{
    struct solo_datagram_protocol *protocol = port->protocol;
    uint32_t id = port->object.id;
    if (protocol->ops != NULL && protocol->ops->datagram_received != NULL) {
        solo__callback_begin(port->reactor, id);
        protocol->ops->datagram_received(protocol, port->buffer, size, from);
        solo__callback_end(port->reactor, id);
    }
}

static void refused(struct solo_datagram_port *port)
{
    struct solo_datagram_protocol *protocol = port->protocol;
    uint32_t id = port->object.id;
    if (protocol->ops != NULL && protocol->ops->connection_refused != NULL) {
        solo__callback_begin(port->reactor, id);
        protocol->ops->connection_refused(protocol);
        solo__callback_end(port->reactor, id);
    }
}

static void on_ready(struct solo__watch *watch, uint32_t ready)
{
    struct solo_datagram_port *port = SOLO__CONTAINER(watch, struct solo_datagram_port, watch);
    struct solo_world *world = world_of(port);
    (void)ready;
    for (int i = 0; i < DATAGRAMS_MAX && !port->stopping; i++) {
        struct solo_address from = {.family = SOLO_FAMILY_NONE};
        ptrdiff_t got = world->network->read(world, watch->fd, port->buffer, SOLO_DATAGRAM_MAX, &from);
        if (got >= 0) {
            deliver(port, (size_t)got, &from);
        } else if (got == -ECONNREFUSED) {
            refused(port);
        } else {
            return;
        }
    }
}

/* ---- The end ---- */

static void close_descriptor(struct solo_datagram_port *port)
{
    struct solo_world *world = world_of(port);
    port->stopping = true;
    (void)solo__reactor_watch(port->reactor, &port->watch, 0);
    solo__reactor_unlink(port->reactor, &port->closable);
    (void)world->network->close(world, port->watch.fd, SOLO_CLOSE_WHOLE);
}

static void release(struct solo_datagram_port *port)
{
    struct solo_world *world = world_of(port);
    world->memory->release(world, port->buffer);
    solo__object_end(port);
}

static void stopped(struct solo_datagram_port *port)
{
    struct solo_datagram_protocol *protocol = port->protocol;
    struct solo_reactor *reactor = port->reactor;
    uint32_t id = port->object.id;
    solo__callback_begin(reactor, id);
    if (protocol->ops != NULL && protocol->ops->stopped != NULL) {
        protocol->ops->stopped(protocol);
    }
    solo__callback_end(reactor, id);
    release(port);
}

static void serve_end(struct solo__call *call, int status)
{
    (void)status; /* it must happen, closing or not */
    stopped(SOLO__CONTAINER(call, struct solo_datagram_port, end));
}

static void close_with_reactor(struct solo__closable *closable, int reason)
{
    struct solo_datagram_port *port = SOLO__CONTAINER(closable, struct solo_datagram_port, closable);
    (void)reason;
    close_descriptor(port);
    stopped(port);
}

/* ---- Opening ---- */

static int open_descriptor(struct solo_datagram_port *port, const struct solo_address *local,
                           const struct solo_address *remote)
{
    struct solo_world *world = world_of(port);
    int error = world->network->open(world, SOLO_OPEN_DATAGRAM, local, remote, &port->watch.fd);
    if (error < 0) {
        return error;
    }
    error = world->network->query(world, port->watch.fd, SOLO_QUERY_LOCAL, &port->local);
    error = error < 0 ? error : solo__reactor_watch(port->reactor, &port->watch, SOLO_READABLE);
    if (error < 0) {
        (void)world->network->close(world, port->watch.fd, SOLO_CLOSE_WHOLE);
    }
    return error;
}

static struct solo_datagram_port *make(struct solo_reactor *reactor, struct solo_datagram_protocol *protocol,
                                       void *created_at)
{
    struct solo_world *world = reactor->world;
    struct solo_datagram_port *port = solo__object_make(world, SOLO__DATAGRAM_PORT, sizeof *port, created_at);
    if (port == NULL) {
        return NULL;
    }
    port->reactor = reactor;
    port->protocol = protocol;
    port->watch.fn = on_ready;
    port->closable.close = close_with_reactor;
    port->buffer = world->memory->allocate(world, SOLO_DATAGRAM_MAX);
    if (port->buffer == NULL) {
        solo__object_end(port);
        return NULL;
    }
    return port;
}

static int listen_at(struct solo_reactor *reactor, const struct solo_address *local, const struct solo_address *remote,
                     struct solo_datagram_protocol *protocol, struct solo_datagram_port **ret_port, void *created_at)
{
    if (!solo__reactor_takes_connections(reactor)) {
        return SOLO_ECLOSING;
    }
    struct solo_datagram_port *port = make(reactor, protocol, created_at);
    if (port == NULL) {
        return -ENOMEM;
    }
    int error = open_descriptor(port, local, remote);
    if (error < 0) {
        release(port);
        return error;
    }
    solo__reactor_link(reactor, &port->closable);
    protocol->port = port;
    if (ret_port != NULL) {
        *ret_port = port;
    }
    return 0;
}

int solo_reactor_listen_datagram(struct solo_reactor *reactor, const struct solo_address *local,
                                 const struct solo_address *remote, struct solo_datagram_protocol *protocol,
                                 struct solo_datagram_port **ret_port)
{
    SOLO__LIVE_OBJECT(solo_reactor_listen_datagram, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (local == NULL || protocol == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_listen_datagram, &reactor->owner, reactor);

    return listen_at(reactor, local, remote, protocol, ret_port, __builtin_return_address(0));
}

int solo_reactor_listen_udp(struct solo_reactor *reactor, uint16_t number, struct solo_datagram_protocol *protocol,
                            struct solo_datagram_port **ret_port)
{
    const struct solo_address local = {.family = SOLO_INET, .port = number, .host = SOLO_LOOPBACK};
    SOLO__LIVE_OBJECT(solo_reactor_listen_udp, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (protocol == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_listen_udp, &reactor->owner, reactor);

    return listen_at(reactor, &local, NULL, protocol, ret_port, __builtin_return_address(0));
}

/* ---- Functions on a port ---- */

/* Their rungs. */
#define CHECK(function, port)                                                                                          \
    SOLO__LIVE_OBJECT(function, port, SOLO__DATAGRAM_PORT, SOLO006_USE_AFTER_END);                                     \
    SOLO__OBJECT((port)->reactor, SOLO__REACTOR);                                                                      \
    SOLO__REACTOR_ONLY(function, &(port)->reactor->owner, port);                                                       \
    if ((port)->stopping) {                                                                                            \
        return SOLO_ECLOSED;                                                                                           \
    }

int solo_datagram_write(struct solo_datagram_port *port, const void *data, size_t size, const struct solo_address *to)
{
    CHECK(solo_datagram_write, port);
    if ((data == NULL && size > 0) ||
        (to != NULL && ((to->family != SOLO_INET && to->family != SOLO_INET6) || to->port == 0))) {
        return -EINVAL;
    }

    struct solo_world *world = world_of(port);
    ptrdiff_t put = world->network->write(world, port->watch.fd, data, size, to);
    return put < 0 ? (int)put : 0;
}

int solo_datagram_get_address(struct solo_datagram_port *port, struct solo_address *ret_address)
{
    CHECK(solo_datagram_get_address, port);
    if (ret_address == NULL) {
        return -EINVAL;
    }

    *ret_address = port->local;
    return 0;
}

int solo_datagram_set_broadcast(struct solo_datagram_port *port, bool on)
{
    CHECK(solo_datagram_set_broadcast, port);

    struct solo_world *world = world_of(port);
    return world->network->set(world, port->watch.fd, SOLO_SET_BROADCAST, on);
}

int solo_datagram_stop_listening(struct solo_datagram_port *port)
{
    CHECK(solo_datagram_stop_listening, port);

    close_descriptor(port);
    port->end.serve = serve_end;
    port->end.reactor = port->reactor;
    solo__reactor_later(port->reactor, &port->end);
    return 0;
}
