/*
 * connector.c - one attempt to connect, and the connection it makes. A host name is looked up first (names.c), and then
 * its addresses are tried one after the other (candidates.c), until one is connected or all have failed.
 *
 * Everything that it will need, the transport included, is taken when the program asks. Whatever is known at once (a
 * refusal, no descriptor left) is reported in a later pass all the same: the program never hears of it inside its own
 * call. Either connection_failed is called, or the protocol gets its connection; in both cases the factory's stopped
 * comes last and once.
 */
#include "candidates.h"
#include "deferred_internal.h"
#include "transport_internal.h"
#include <solo/names.h>
#include <string.h>

/* How long one address of a name is tried before the next one, unless the program says how long. */
#define EACH_NS UINT64_C(5000000000)

enum stage { CONNECTING = 0, CONNECTED, ENDING, LOOKING_UP };

struct solo_connector {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo__closable closable; /* linked while looking up and connecting */
    struct solo_factory *factory;
    struct solo_transport *transport; /* its own until it is connected, then the reactor's */
    enum stage stage;
    struct solo_deferred *look_up;      /* of the host; NULL: none, or not wanted any more */
    struct solo__pair_node answer;      /* in its chain */
    bool awaits_answer;                 /* it is: a resolver may give one long after nobody wants it */
    bool given_up;                      /* while its protocol was being built */
    struct solo__candidates candidates; /* what a look-up has found and was not tried yet; empty: there was none */
    struct solo_address local;          /* where to come from */
    bool has_local;
    uint64_t deadline_ns;         /* of the whole attempt; SOLO_NEVER: none */
    uint64_t each_ns;             /* patience with one address while there are others */
    int reason;                   /* of the failure to come */
    solo_delayed_call_id timeout; /* of this address, or of the whole; 0: none is set */
    struct solo__call end;        /* carries the failure to a later pass */
};

/* As long as an answer may come, its memory stays; but whoever uses it hears that it has ended. */
static void end_object(struct solo_connector *connector)
{
    bool waits = connector->awaits_answer;
    __atomic_store_n(&connector->object.state, waits ? SOLO__ENDED : SOLO__ALIVE, __ATOMIC_RELAXED);
    if (!waits) {
        solo__object_end(connector);
    }
}

static void end(struct solo_connector *connector)
{
    struct solo_factory *factory = connector->factory;
    if (factory->stopped != NULL) {
        solo__callback_begin(connector->reactor, connector->object.id);
        factory->stopped(factory);
        solo__callback_end(connector->reactor, connector->object.id);
    }
    end_object(connector);
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

static int next_candidate(struct solo_connector *connector, int error);

/* This address has failed: the next one is tried, or that was it. */
static void failed_here(struct solo_connector *connector, int error)
{
    give_up(connector);
    error = next_candidate(connector, error);
    if (error < 0) {
        failed(connector, error);
    }
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
        failed_here(connector, error);
        return;
    }
    connector->stage = CONNECTED;
    stop_timeout(connector);
    solo__reactor_unlink(connector->reactor, &connector->closable);
    if (!solo__transport_open(transport, watch->fd, connector->factory)) {
        end(connector);
    } else if (connector->given_up) {
        solo__transport_lose(transport, __builtin_frame_address(0), connector->object.created_at);
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
    if (solo__reactor_now(connector->reactor) >= connector->deadline_ns) {
        give_up(connector);
        failed(connector, -ETIMEDOUT);
    } else {
        failed_here(connector, -ETIMEDOUT);
    }
}

/* Limits the attempt at one address: by the end of the whole, and by patience if there are others. 0 or an error. */
static int start_timeout(struct solo_connector *connector)
{
    uint64_t now_ns = solo__reactor_now(connector->reactor), until_ns = connector->deadline_ns;
    if (solo__candidates_left(&connector->candidates) > 0) {
        uint64_t patience_ns = solo__add_ns(now_ns, connector->each_ns);
        until_ns = patience_ns < until_ns ? patience_ns : until_ns;
    }
    if (until_ns == SOLO_NEVER) {
        return 0;
    }
    return solo_reactor_call_later(connector->reactor, until_ns > now_ns ? until_ns - now_ns : 0, on_timeout, connector,
                                   NULL, &connector->timeout);
}

static void set_options(struct solo_connector *connector, const struct solo_connect_options *options)
{
    uint64_t now_ns = solo__reactor_now(connector->reactor);
    connector->deadline_ns = options->timeout_ns != 0 ? solo__add_ns(now_ns, options->timeout_ns) : SOLO_NEVER;
    connector->each_ns = options->each_ns != 0 ? options->each_ns : EACH_NS;
    connector->has_local = options->local != NULL;
    if (options->local != NULL) {
        connector->local = *options->local;
    }
}

/* Begins to connect to the transport's peer. 0, or why it has failed already; *ret_refused: the kit's own error. */
static int begin(struct solo_connector *connector, bool *ret_refused)
{
    struct solo_world *world = connector->reactor->world;
    struct solo__watch *watch = &connector->transport->watch;
    int error = start_timeout(connector);
    *ret_refused = true;
    if (error < 0) {
        return error;
    }
    error = world->network->open(world, SOLO_OPEN_STREAM, connector->has_local ? &connector->local : NULL,
                                 &connector->transport->peer, &watch->fd);
    if (error < 0) {
        stop_timeout(connector);
        *ret_refused = false;
        return error;
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

/* Begins with the next address that does not fail at once. 0, or, if there is none, why the last one has failed. */
static int next_candidate(struct solo_connector *connector, int error)
{
    bool refused;
    while (error < 0 && solo__candidates_left(&connector->candidates) > 0) {
        connector->transport->peer = solo__candidates_next(&connector->candidates);
        error = begin(connector, &refused);
    }
    return error;
}

/* One with everything that it will need, and nothing begun. SOLO_ECLOSING, -ENOMEM. */
static int make(struct solo_reactor *reactor, const struct solo_connect_options *options, struct solo_factory *factory,
                void *created_at, struct solo_connector **ret_connector)
{
    if (!solo__reactor_takes_connections(reactor)) {
        return SOLO_ECLOSING;
    }
    struct solo_connector *connector =
        solo__object_make(reactor->world, SOLO__CONNECTOR, sizeof *connector, created_at);
    if (connector == NULL) {
        return -ENOMEM;
    }
    connector->reactor = reactor;
    connector->factory = factory;
    connector->transport = solo__transport_make(reactor, created_at);
    if (connector->transport == NULL) {
        solo__object_end(connector);
        return -ENOMEM;
    }
    connector->transport->connector = connector;
    set_options(connector, options);
    *ret_connector = connector;
    return 0;
}

/* Nothing has come of it, and nobody has seen it. */
static void unmake(struct solo_connector *connector)
{
    solo__transport_unref(connector->transport);
    solo__object_end(connector);
}

/* ---- Names ---- */

/* Nobody will connect to what is looked up, or it is over. */
static void forget_look_up(struct solo_connector *connector)
{
    struct solo_deferred *look_up = connector->look_up;
    connector->look_up = NULL;
    if (look_up != NULL) {
        solo__deferred_release(look_up);
    }
}

/* The host's addresses are known, or never will be. Whatever comes of it, it is not reported in here. */
static void found(struct solo_connector *connector, int error)
{
    solo__reactor_unlink(connector->reactor, &connector->closable);
    if (error == 0) {
        connector->stage = CONNECTING;
        error = next_candidate(connector, SOLO_ENAME); /* which stays if there is not one address */
    }
    if (error < 0) {
        fail_later(connector, error);
    }
}

/* There will be no other answer. */
static void answered(struct solo_connector *connector)
{
    connector->awaits_answer = false;
    forget_look_up(connector);
    if (connector->object.state == SOLO__ENDED) {
        end_object(connector);
    }
}

static struct solo_result looked_up(struct solo_result result, void *arg)
{
    struct solo_connector *connector = arg;
    if (connector->stage == LOOKING_UP) {
        found(connector, result.status);
    }
    answered(connector);
    return solo_value(NULL);
}

static void never_looked_up(void *arg)
{
    answered(arg);
}

/* A resolver may take its time, or go on by another way: its answer finds nobody. */
static void stop_look_up(struct solo_connector *connector)
{
    connector->stage = ENDING;
    solo__reactor_unlink(connector->reactor, &connector->closable);
    solo__deferred_cancel(connector->look_up);
    forget_look_up(connector);
}

static void close_look_up(struct solo__closable *closable, int reason)
{
    struct solo_connector *connector = SOLO__CONTAINER(closable, struct solo_connector, closable);
    stop_look_up(connector);
    failed(connector, reason);
}

/* Asks for the addresses. A look-up that takes too long says why, when there was no thread for it. */
static int look_up(struct solo_connector *connector, const char *host, uint64_t timeout_ns)
{
    int error = solo_resolve(connector->reactor, host, &connector->candidates.addresses, &connector->look_up);
    if (error == 0 && timeout_ns != 0) {
        error = solo_deferred_add_timeout(connector->look_up, timeout_ns, 0);
        if (error < 0) {
            solo__deferred_cancel(connector->look_up);
            solo__deferred_release(connector->look_up);
        }
    }
    return error;
}

static int connect_to_name(struct solo_reactor *reactor, const char *host, uint16_t port,
                           const struct solo_connect_options *options, struct solo_factory *factory,
                           struct solo_connector **ret_connector, void *created_at)
{
    struct solo_connector *connector;
    int error = make(reactor, options, factory, created_at, &connector);
    if (error < 0) {
        return error;
    }
    connector->candidates.port = port;
    error = look_up(connector, host, options->timeout_ns);
    if (error < 0) {
        unmake(connector);
        return error;
    }
    connector->stage = LOOKING_UP;
    connector->closable.close = close_look_up;
    solo__reactor_link(reactor, &connector->closable);
    if (ret_connector != NULL) {
        *ret_connector = connector;
    }
    connector->awaits_answer = true;
    solo__deferred_append(connector->look_up, &connector->answer, looked_up, never_looked_up, connector);
    return 0;
}

static int connect_to(struct solo_reactor *reactor, const struct solo_address *remote,
                      const struct solo_connect_options *options, struct solo_factory *factory,
                      struct solo_connector **ret_connector, void *created_at)
{
    struct solo_connector *connector;
    bool refused;
    int error = make(reactor, options, factory, created_at, &connector);
    if (error < 0) {
        return error;
    }
    connector->transport->peer = *remote;
    error = begin(connector, &refused);
    if (error < 0 && refused) {
        unmake(connector);
        return error;
    }
    if (error < 0) {
        fail_later(connector, error);
    }
    if (ret_connector != NULL) {
        *ret_connector = connector;
    }
    return 0;
}

/* ---- The public functions ---- */

static const struct solo_connect_options no_options;

static bool is_factory(const struct solo_factory *factory)
{
    return factory != NULL && factory->build_protocol != NULL;
}

/* Whether one can connect there. */
static bool is_remote(const struct solo_address *address)
{
    if (address == NULL) {
        return false;
    }
    return address->family == SOLO_UNIX
               ? *address->path != '\0'
               : (address->family == SOLO_INET || address->family == SOLO_INET6) && address->port != 0;
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

    return connect_to(reactor, remote, options != NULL ? options : &no_options, factory, ret_connector,
                      __builtin_return_address(0));
}

/* Whether one can be asked to connect there. */
static bool is_host(const char *host, uint16_t port)
{
    return host != NULL && *host != '\0' && strnlen(host, SOLO_NAME_MAX + 1) <= SOLO_NAME_MAX && port != 0;
}

/* A literal needs no look-up. */
static int connect_to_host(struct solo_reactor *reactor, const char *host, uint16_t port,
                           const struct solo_connect_options *options, struct solo_factory *factory,
                           struct solo_connector **ret_connector, void *created_at)
{
    struct solo_address remote;
    if (solo_address_inet(host, port, &remote) < 0 && solo_address_inet6(host, port, &remote) < 0) {
        return connect_to_name(reactor, host, port, options, factory, ret_connector, created_at);
    }
    return connect_to(reactor, &remote, options, factory, ret_connector, created_at);
}

int solo_reactor_connect_tcp(struct solo_reactor *reactor, const char *host, uint16_t port,
                             struct solo_factory *factory, struct solo_connector **ret_connector)
{
    SOLO__LIVE_OBJECT(solo_reactor_connect_tcp, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (!is_host(host, port) || !is_factory(factory)) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_connect_tcp, &reactor->owner, reactor);

    return connect_to_host(reactor, host, port, &no_options, factory, ret_connector, __builtin_return_address(0));
}

int solo_reactor_connect_host(struct solo_reactor *reactor, const char *host, uint16_t port,
                              const struct solo_connect_options *options, struct solo_factory *factory,
                              struct solo_connector **ret_connector)
{
    SOLO__LIVE_OBJECT(solo_reactor_connect_host, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (!is_host(host, port) || !is_factory(factory)) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_connect_host, &reactor->owner, reactor);

    return connect_to_host(reactor, host, port, options != NULL ? options : &no_options, factory, ret_connector,
                           __builtin_return_address(0));
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

    return connect_to(reactor, &remote, &no_options, factory, ret_connector, __builtin_return_address(0));
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
    } else if (connector->stage == CONNECTED && connector->transport->protocol == NULL) {
        connector->given_up = true; /* there is nothing to lose yet */
    } else if (connector->stage == CONNECTED) {
        solo__transport_lose(connector->transport, __builtin_frame_address(0), __builtin_return_address(0));
    }
    return 0;
}
