/*
 * connector.c - one attempt to connect, and the connection it makes. A host name is looked up first (names.c).
 *
 * Everything that it will need, the transport included, is taken when the program asks. Whatever is known at once (a
 * refusal, no descriptor left) is reported in a later pass all the same: the program never hears of it inside its own
 * call. Either connection_failed is called, or the protocol gets its connection; in both cases the factory's stopped
 * comes last and once.
 */
#include "deferred_internal.h"
#include "transport_internal.h"
#include <solo/names.h>
#include <string.h>

enum stage { CONNECTING = 0, CONNECTED, ENDING, LOOKING_UP };

struct solo_connector {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo__closable closable; /* linked while looking up and connecting */
    struct solo_factory *factory;
    struct solo_transport *transport; /* its own until it is connected, then the reactor's */
    enum stage stage;
    struct solo_deferred *look_up; /* of the host; NULL: none, or over */
    struct solo_addresses addresses;
    uint16_t port;                /* where a look-up leads */
    int reason;                   /* of the failure to come */
    solo_delayed_call_id timeout; /* 0: none is set */
    struct solo__call end;        /* carries the failure to a later pass */
};

static void end(struct solo_connector *connector)
{
    struct solo_factory *factory = connector->factory;
    if (factory->stopped != NULL) {
        solo__callback_begin(connector->reactor, connector->object.id);
        factory->stopped(factory);
        solo__callback_end(connector->reactor, connector->object.id);
    }
    solo__object_end(connector);
}

void solo__connector_lost(struct solo_connector *connector)
{
    end(connector);
}

static void failed(struct solo_connector *connector, int reason)
{
    struct solo_factory *factory = connector->factory;
    connector->stage = ENDING;
    solo__transport_unref(connector->transport);
    if (factory->connection_failed != NULL) {
        solo__callback_begin(connector->reactor, connector->object.id);
        factory->connection_failed(factory, reason);
        solo__callback_end(connector->reactor, connector->object.id);
    }
    end(connector);
}

static void serve_failure(struct solo__call *call, int status)
{
    struct solo_connector *connector = SOLO__CONTAINER(call, struct solo_connector, end);
    (void)status; /* it must happen, closing or not */
    failed(connector, connector->reason);
}

static void fail_later(struct solo_connector *connector, int reason)
{
    connector->stage = ENDING;
    connector->reason = reason;
    connector->end.serve = serve_failure;
    connector->end.reactor = connector->reactor;
    solo__reactor_later(connector->reactor, &connector->end);
}

static void stop_timeout(struct solo_connector *connector)
{
    if (connector->timeout != 0) {
        (void)solo_delayed_call_cancel(connector->reactor, connector->timeout);
        connector->timeout = 0;
    }
}

/* Gives up the descriptor of an attempt. */
static void give_up(struct solo_connector *connector)
{
    struct solo_world *world = connector->reactor->world;
    struct solo__watch *watch = &connector->transport->watch;
    stop_timeout(connector);
    (void)solo__reactor_watch(connector->reactor, watch, 0);
    solo__reactor_unlink(connector->reactor, &connector->closable);
    (void)world->network->close(world, watch->fd, SOLO_CLOSE_WHOLE);
}

static void on_decided(struct solo__watch *watch, uint32_t ready)
{
    struct solo_transport *transport = SOLO__CONTAINER(watch, struct solo_transport, watch);
    struct solo_connector *connector = transport->connector;
    struct solo_world *world = connector->reactor->world;
    (void)ready;
    int error = world->network->query(world, watch->fd, SOLO_QUERY_CONNECTED, NULL);
    if (error == -EINPROGRESS) {
        return;
    }
    if (error < 0) {
        give_up(connector);
        failed(connector, error);
        return;
    }
    connector->stage = CONNECTED;
    stop_timeout(connector);
    solo__reactor_unlink(connector->reactor, &connector->closable);
    if (!solo__transport_open(transport, watch->fd, connector->factory)) {
        end(connector);
    }
}

static void close_with_reactor(struct solo__closable *closable, int reason)
{
    struct solo_connector *connector = SOLO__CONTAINER(closable, struct solo_connector, closable);
    give_up(connector);
    failed(connector, reason);
}

static void on_timeout(void *arg)
{
    struct solo_connector *connector = arg;
    connector->timeout = 0;
    give_up(connector);
    failed(connector, -ETIMEDOUT);
}

/* Begins to connect. An error of the network is the attempt's, not the call's. */
static int begin(struct solo_connector *connector, const struct solo_address *remote,
                 const struct solo_connect_options *options)
{
    struct solo_world *world = connector->reactor->world;
    struct solo__watch *watch = &connector->transport->watch;
    int error = 0;
    if (options->timeout_ns != 0) {
        error = solo_reactor_call_later(connector->reactor, options->timeout_ns, on_timeout, connector, NULL,
                                        &connector->timeout);
        if (error < 0) {
            return error;
        }
    }
    error = world->network->open(world, SOLO_OPEN_STREAM, options->local, remote, &watch->fd);
    if (error < 0) {
        stop_timeout(connector);
        fail_later(connector, error);
        return 0;
    }
    watch->fn = on_decided;
    error = solo__reactor_watch(connector->reactor, watch, SOLO_WRITABLE);
    if (error < 0) {
        stop_timeout(connector);
        (void)world->network->close(world, watch->fd, SOLO_CLOSE_WHOLE);
        return error;
    }
    connector->closable.close = close_with_reactor;
    solo__reactor_link(connector->reactor, &connector->closable);
    return 0;
}

static struct solo_connector *make(struct solo_reactor *reactor, struct solo_factory *factory, void *created_at)
{
    struct solo_connector *connector =
        solo__object_make(reactor->world, SOLO__CONNECTOR, sizeof *connector, created_at);
    if (connector == NULL) {
        return NULL;
    }
    connector->reactor = reactor;
    connector->factory = factory;
    connector->transport = solo__transport_make(reactor, created_at);
    if (connector->transport == NULL) {
        solo__object_end(connector);
        return NULL;
    }
    connector->transport->connector = connector;
    return connector;
}

static const struct solo_connect_options no_options;

/* The host's addresses are known, or never will be. Whatever comes of it, it is not reported in here. */
static struct solo_result looked_up(struct solo_result result, void *arg)
{
    struct solo_connector *connector = arg;
    struct solo_deferred *look_up = connector->look_up;
    connector->look_up = NULL;
    if (connector->stage == LOOKING_UP) {
        int error = result.status;
        solo__reactor_unlink(connector->reactor, &connector->closable);
        if (error == 0) {
            struct solo_address *remote = &connector->transport->peer;
            *remote = (struct solo_address){
                .family = SOLO_INET, .port = connector->port, .host = connector->addresses.addresses[0]};
            connector->stage = CONNECTING;
            error = begin(connector, remote, &no_options);
        }
        if (error < 0) {
            fail_later(connector, error);
        }
    }
    solo__deferred_release(look_up);
    return solo_value(NULL);
}

/* Nobody will connect to what is looked up. */
static void stop_look_up(struct solo_connector *connector)
{
    connector->stage = ENDING;
    solo__reactor_unlink(connector->reactor, &connector->closable);
    solo__deferred_cancel(connector->look_up);
}

static void close_look_up(struct solo__closable *closable, int reason)
{
    struct solo_connector *connector = SOLO__CONTAINER(closable, struct solo_connector, closable);
    stop_look_up(connector);
    failed(connector, reason);
}

static int connect_to_name(struct solo_reactor *reactor, const char *host, uint16_t port, struct solo_factory *factory,
                           struct solo_connector **ret_connector, void *created_at)
{
    if (solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }
    struct solo_connector *connector = make(reactor, factory, created_at);
    if (connector == NULL) {
        return -ENOMEM;
    }
    int error = solo_resolve(reactor, host, &connector->addresses, &connector->look_up);
    if (error < 0) {
        solo__transport_unref(connector->transport);
        solo__object_end(connector);
        return error;
    }
    connector->port = port;
    connector->stage = LOOKING_UP;
    connector->closable.close = close_look_up;
    solo__reactor_link(reactor, &connector->closable);
    if (ret_connector != NULL) {
        *ret_connector = connector;
    }
    (void)solo__deferred_add(connector->look_up, looked_up, looked_up, connector); /* it has room for that */
    return 0;
}

static int connect_to(struct solo_reactor *reactor, const struct solo_address *remote,
                      const struct solo_connect_options *options, struct solo_factory *factory,
                      struct solo_connector **ret_connector, void *created_at)
{
    if (solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }
    struct solo_connector *connector = make(reactor, factory, created_at);
    if (connector == NULL) {
        return -ENOMEM;
    }
    connector->transport->peer = *remote;
    int error = begin(connector, remote, options != NULL ? options : &no_options);
    if (error < 0) {
        solo__transport_unref(connector->transport);
        solo__object_end(connector);
        return error;
    }
    if (ret_connector != NULL) {
        *ret_connector = connector;
    }
    return 0;
}

static bool is_factory(const struct solo_factory *factory)
{
    return factory != NULL && factory->build_protocol != NULL;
}

/* Whether one can connect there. */
static bool is_remote(const struct solo_address *address)
{
    return address != NULL &&
           (address->family == SOLO_INET ? address->port != 0 : address->family == SOLO_UNIX && *address->path != '\0');
}

int solo_reactor_connect(struct solo_reactor *reactor, const struct solo_address *remote,
                         const struct solo_connect_options *options, struct solo_factory *factory,
                         struct solo_connector **ret_connector)
{
    SOLO__LIVE_OBJECT(solo_reactor_connect, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (!is_remote(remote) || !is_factory(factory)) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_connect, &reactor->owner, reactor);

    return connect_to(reactor, remote, options, factory, ret_connector, __builtin_return_address(0));
}

int solo_reactor_connect_tcp(struct solo_reactor *reactor, const char *host, uint16_t port,
                             struct solo_factory *factory, struct solo_connector **ret_connector)
{
    struct solo_address remote;
    SOLO__LIVE_OBJECT(solo_reactor_connect_tcp, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (host == NULL || *host == '\0' || strnlen(host, SOLO_NAME_MAX + 1) > SOLO_NAME_MAX || port == 0 ||
        !is_factory(factory)) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_connect_tcp, &reactor->owner, reactor);

    if (solo_address_inet(host, port, &remote) < 0) {
        return connect_to_name(reactor, host, port, factory, ret_connector, __builtin_return_address(0));
    }
    return connect_to(reactor, &remote, NULL, factory, ret_connector, __builtin_return_address(0));
}

int solo_reactor_connect_unix(struct solo_reactor *reactor, const char *path, struct solo_factory *factory,
                              struct solo_connector **ret_connector)
{
    struct solo_address remote;
    SOLO__LIVE_OBJECT(solo_reactor_connect_unix, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    int error = is_factory(factory) ? solo_address_unix(path, &remote) : -EINVAL;
    if (error < 0) {
        return error;
    }
    SOLO__REACTOR_ONLY(solo_reactor_connect_unix, &reactor->owner, reactor);

    return connect_to(reactor, &remote, NULL, factory, ret_connector, __builtin_return_address(0));
}

int solo_connector_disconnect(struct solo_connector *connector)
{
    SOLO__LIVE_OBJECT(solo_connector_disconnect, connector, SOLO__CONNECTOR, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(connector->reactor, SOLO__REACTOR);
    SOLO__REACTOR_ONLY(solo_connector_disconnect, &connector->reactor->owner, connector);

    if (connector->stage == LOOKING_UP) {
        stop_look_up(connector);
        fail_later(connector, SOLO_ECANCELLED);
    } else if (connector->stage == CONNECTING) {
        give_up(connector);
        fail_later(connector, SOLO_ECANCELLED);
    } else if (connector->stage == CONNECTED) {
        solo__transport_lose(connector->transport, __builtin_frame_address(0), __builtin_return_address(0));
    }
    return 0;
}
