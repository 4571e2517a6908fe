/*
 * port.c - a listening port: accepts connections and gives each a transport and a protocol.
 *
 * At most ACCEPTS_MAX connections are accepted in one pass, so that a crowd at the door does not starve those inside.
 * When the process is out of descriptors or memory, accepting would fail in every pass; the port stops looking for
 * PAUSE_NS and goes on serving the connections it has.
 */
#include "transport_internal.h"

enum { ACCEPTS_MAX = 16 };
#define PAUSE_NS UINT64_C(100000000)

struct solo_port {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo__watch watch; /* of its descriptor, watch.fd */
    struct solo__closable closable;
    struct solo_factory *factory;
    solo_delayed_call_id pause; /* 0: it is not pausing */
    struct solo_address local;
    bool stopping;         /* the descriptor is gone; the factory's stopped is on its way or was called */
    struct solo__call end; /* carries stopped to a later pass */
};

static void end_pause(void *arg)
{
    struct solo_port *port = arg;
    port->pause = 0;
    (void)solo__reactor_watch(port->reactor, &port->watch, SOLO_READABLE);
}

/*
 * Without memory for a delayed call it goes on trying in every pass. A listener is never writable; were it forgotten
 * instead, watching it again might be refused too, and nobody would ever be let in
 * (test_torture__whatever_the_network_refuses_every_connection_is_lost_once).
 */
static void begin_pause(struct solo_port *port)
{
    if (port->pause != 0) {
        return; /* the network would not look away either */
    }
    if (solo_reactor_call_later(port->reactor, PAUSE_NS, end_pause, port, NULL, &port->pause) == 0) {
        (void)solo__reactor_watch(port->reactor, &port->watch, SOLO_WRITABLE);
    }
}

/* Whether accept will fail until something is given back. */
static bool is_shortage(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

static void welcome(struct solo_port *port, int fd, const struct solo_address *peer)
{
    struct solo_world *world = port->reactor->world;
    struct solo_transport *transport = solo__transport_make(port->reactor, port->object.created_at);
    if (transport == NULL) {
        (void)world->network->close(world, fd, SOLO_CLOSE_ABORT);
        return;
    }
    transport->peer = *peer;
    (void)solo__transport_open(transport, fd, port->factory);
}

static void on_ready(struct solo__watch *watch, uint32_t ready)
{
    struct solo_port *port = SOLO__CONTAINER(watch, struct solo_port, watch);
    struct solo_world *world = port->reactor->world;
    (void)ready;
    for (int i = 0; i < ACCEPTS_MAX && !port->stopping; i++) {
        struct solo_address peer;
        int fd = -1;
        int error = world->network->accept(world, port->watch.fd, &peer, &fd);
        if (error == 0) {
            welcome(port, fd, &peer);
        } else if (is_shortage(error)) {
            begin_pause(port);
            return;
        } else if (error != -ECONNABORTED) {
            return;
        }
    }
}

static void close_door(struct solo_port *port)
{
    struct solo_world *world = port->reactor->world;
    port->stopping = true;
    if (port->pause != 0) {
        (void)solo_delayed_call_cancel(port->reactor, port->pause);
        port->pause = 0;
    }
    (void)solo__reactor_watch(port->reactor, &port->watch, 0);
    solo__reactor_unlink(port->reactor, &port->closable);
    (void)world->network->close(world, port->watch.fd, SOLO_CLOSE_NAME);
}

static void stopped(struct solo_port *port)
{
    struct solo_factory *factory = port->factory;
    struct solo_reactor *reactor = port->reactor;
    uint32_t id = port->object.id;
    solo__callback_begin(reactor, id);
    if (factory->stopped != NULL) {
        factory->stopped(factory);
    }
    solo__callback_end(reactor, id);
    solo__object_end(port);
}

static void serve_end(struct solo__call *call, int status)
{
    (void)status; /* it must happen, closing or not */
    stopped(SOLO__CONTAINER(call, struct solo_port, end));
}

static void close_with_reactor(struct solo__closable *closable, int reason)
{
    struct solo_port *port = SOLO__CONTAINER(closable, struct solo_port, closable);
    (void)reason;
    close_door(port);
    stopped(port);
}

/* Opens the descriptor and watches it. */
static int open_door(struct solo_port *port, const struct solo_address *local)
{
    struct solo_world *world = port->reactor->world;
    int error = world->network->open(world, SOLO_OPEN_LISTENER, local, NULL, &port->watch.fd);
    if (error < 0) {
        return error;
    }
    error = world->network->query(world, port->watch.fd, SOLO_QUERY_LOCAL, &port->local);
    error = error < 0 ? error : solo__reactor_watch(port->reactor, &port->watch, SOLO_READABLE);
    if (error < 0) {
        (void)world->network->close(world, port->watch.fd, SOLO_CLOSE_NAME);
    }
    return error;
}

static int listen_at(struct solo_reactor *reactor, const struct solo_address *local, struct solo_factory *factory,
                     struct solo_port **ret_port, void *created_at)
{
    if (!solo__reactor_takes_connections(reactor)) {
        return SOLO_ECLOSING;
    }
    struct solo_port *port = solo__object_make(reactor->world, SOLO__PORT, sizeof *port, created_at);
    if (port == NULL) {
        return -ENOMEM;
    }
    port->reactor = reactor;
    port->factory = factory;
    port->watch.fn = on_ready;
    int error = open_door(port, local);
    if (error < 0) {
        solo__object_end(port);
        return error;
    }
    port->closable.close = close_with_reactor;
    solo__reactor_link(reactor, &port->closable);
    if (ret_port != NULL) {
        *ret_port = port;
    }
    return 0;
}

static bool is_factory(const struct solo_factory *factory)
{
    return factory != NULL && factory->build_protocol != NULL;
}

int solo_reactor_listen(struct solo_reactor *reactor, const struct solo_address *local, struct solo_factory *factory,
                        struct solo_port **ret_port)
{
    SOLO__LIVE_OBJECT(solo_reactor_listen, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (local == NULL || !is_factory(factory)) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_listen, &reactor->owner, reactor);

    return listen_at(reactor, local, factory, ret_port, __builtin_return_address(0));
}

int solo_reactor_listen_tcp(struct solo_reactor *reactor, uint16_t number, struct solo_factory *factory,
                            struct solo_port **ret_port)
{
    const struct solo_address local = {.family = SOLO_INET, .port = number, .host = SOLO_LOOPBACK};
    SOLO__LIVE_OBJECT(solo_reactor_listen_tcp, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (!is_factory(factory)) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_listen_tcp, &reactor->owner, reactor);

    return listen_at(reactor, &local, factory, ret_port, __builtin_return_address(0));
}

int solo_reactor_listen_unix(struct solo_reactor *reactor, const char *path, struct solo_factory *factory,
                             struct solo_port **ret_port)
{
    struct solo_address local;
    SOLO__LIVE_OBJECT(solo_reactor_listen_unix, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    int error = is_factory(factory) ? solo_address_unix(path, &local) : -EINVAL;
    if (error < 0) {
        return error;
    }
    SOLO__REACTOR_ONLY(solo_reactor_listen_unix, &reactor->owner, reactor);

    return listen_at(reactor, &local, factory, ret_port, __builtin_return_address(0));
}

/* The rungs of a function on a port. */
#define CHECK(function, port)                                                                                          \
    SOLO__LIVE_OBJECT(function, port, SOLO__PORT, SOLO006_USE_AFTER_END);                                              \
    SOLO__OBJECT((port)->reactor, SOLO__REACTOR);                                                                      \
    SOLO__REACTOR_ONLY(function, &(port)->reactor->owner, port)

int solo_port_get_number(struct solo_port *port, uint16_t *ret_number)
{
    CHECK(solo_port_get_number, port);
    if (ret_number == NULL) {
        return -EINVAL;
    }

    *ret_number = port->local.port;
    return 0;
}

int solo_port_get_address(struct solo_port *port, struct solo_address *ret_address)
{
    CHECK(solo_port_get_address, port);
    if (ret_address == NULL) {
        return -EINVAL;
    }

    *ret_address = port->local;
    return 0;
}

int solo_port_stop_listening(struct solo_port *port)
{
    CHECK(solo_port_stop_listening, port);
    if (port->stopping) {
        return SOLO_ECLOSED;
    }

    close_door(port);
    port->end.serve = serve_end;
    port->end.reactor = port->reactor;
    solo__reactor_later(port->reactor, &port->end);
    return 0;
}
