/*
 * reconnector.c - attempts to connect, one after the other.
 *
 * It stands between each connector and the program's factory as a factory of its own. At any time there is an attempt
 * (`connector`), or a delayed call that will make the next one (`retry`), or the end is on its way.
 */
#include "transport_internal.h"
#include <solo/reconnector.h>

#define SECOND_NS UINT64_C(1000000000)

struct solo_reconnector {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo_factory between;    /* what the connectors see */
    struct solo_factory *factory;   /* the program's */
    struct solo__closable closable; /* linked while it waits for the next attempt */
    struct solo_address remote;
    struct solo_reconnect_options options; /* with every default filled in */
    struct solo_connector *connector;      /* of the attempt or connection under way; NULL: none */
    solo_delayed_call_id retry;            /* 0: none */
    uint64_t delay_ns;                     /* before the next attempt */
    unsigned failures;                     /* since the last connection */
    bool stopping;
    struct solo__call end; /* carries stopped to a later pass */
};

static struct solo_reconnector *of_factory(struct solo_factory *between)
{
    return SOLO__CONTAINER(between, struct solo_reconnector, between);
}

static void ended(struct solo_reconnector *reconnector)
{
    struct solo_factory *factory = reconnector->factory;
    struct solo_reactor *reactor = reconnector->reactor;
    uint32_t id = reconnector->object.id;
    solo__reactor_unlink(reactor, &reconnector->closable);
    if (factory->stopped != NULL) {
        solo__callback_begin(reactor, id);
        factory->stopped(factory);
        solo__callback_end(reactor, id);
    }
    solo__object_end(reconnector);
}

/* ---- The next attempt ---- */

static uint64_t grown(uint64_t delay_ns, const struct solo_reconnect_options *options)
{
    if (delay_ns > options->delay_max_ns / options->growth_percent * 100) {
        return options->delay_max_ns;
    }
    uint64_t next_ns = delay_ns / 100 * options->growth_percent + delay_ns % 100 * options->growth_percent / 100;
    return next_ns < options->delay_max_ns ? next_ns : options->delay_max_ns;
}

/* The delay, somewhere between `jitter` below and above it. */
static uint64_t scattered(struct solo_reconnector *reconnector)
{
    struct solo_world *world = reconnector->reactor->world;
    uint64_t delay_ns = reconnector->delay_ns, dice = 0;
    uint64_t width_ns = delay_ns / 100 * reconnector->options.jitter_percent;
    if (reconnector->options.exact || width_ns == 0) {
        return delay_ns;
    }
    world->memory->random(world, &dice, sizeof dice);
    return delay_ns - width_ns + dice % (2 * width_ns + 1);
}

static int attempt(struct solo_reconnector *reconnector)
{
    const struct solo_connect_options options = {.timeout_ns = reconnector->options.timeout_ns};
    return solo_reactor_connect(reconnector->reactor, &reconnector->remote, &options, &reconnector->between,
                                &reconnector->connector);
}

static void tell_failure(struct solo_reconnector *reconnector, int reason)
{
    struct solo_factory *factory = reconnector->factory;
    if (factory->connection_failed != NULL) {
        solo__callback_begin(reconnector->reactor, reconnector->object.id);
        factory->connection_failed(factory, reason);
        solo__callback_end(reconnector->reactor, reconnector->object.id);
    }
}

/* There will be no other attempt, because this is refused. */
static void give_up(struct solo_reconnector *reconnector, int reason)
{
    reconnector->stopping = true;
    tell_failure(reconnector, reason);
    ended(reconnector);
}

static void on_retry(void *arg)
{
    struct solo_reconnector *reconnector = arg;
    reconnector->retry = 0;
    solo__reactor_unlink(reconnector->reactor, &reconnector->closable);
    int error = attempt(reconnector);
    if (error < 0) {
        give_up(reconnector, error);
    }
}

static void retry_later(struct solo_reconnector *reconnector)
{
    int error = solo_reactor_call_later(reconnector->reactor, scattered(reconnector), on_retry, reconnector, NULL,
                                        &reconnector->retry);
    if (error < 0) {
        give_up(reconnector, error);
        return;
    }
    solo__reactor_link(reconnector->reactor, &reconnector->closable);
    reconnector->delay_ns = grown(reconnector->delay_ns, &reconnector->options);
}

/* ---- What the connectors call ---- */

static struct solo_protocol *build(struct solo_factory *between)
{
    struct solo_reconnector *reconnector = of_factory(between);
    reconnector->failures = 0;
    reconnector->delay_ns = reconnector->options.delay_ns;
    return reconnector->factory->build_protocol(reconnector->factory);
}

static void failed(struct solo_factory *between, int reason)
{
    struct solo_reconnector *reconnector = of_factory(between);
    reconnector->failures++;
    if (reconnector->options.failures_max != 0 && reconnector->failures >= reconnector->options.failures_max) {
        reconnector->stopping = true;
    }
    tell_failure(reconnector, reason);
}

/* An attempt, or its connection, has ended. */
static void stopped(struct solo_factory *between)
{
    struct solo_reconnector *reconnector = of_factory(between);
    reconnector->connector = NULL;
    if (reconnector->stopping || !solo__reactor_takes_connections(reconnector->reactor)) {
        ended(reconnector);
    } else {
        retry_later(reconnector);
    }
}

static void close_with_reactor(struct solo__closable *closable, int reason)
{
    struct solo_reconnector *reconnector = SOLO__CONTAINER(closable, struct solo_reconnector, closable);
    (void)reason;
    (void)solo_delayed_call_cancel(reconnector->reactor, reconnector->retry);
    ended(reconnector);
}

/* ---- Public functions ---- */

static struct solo_reconnect_options with_defaults(const struct solo_reconnect_options *options)
{
    struct solo_reconnect_options all = options != NULL ? *options : (struct solo_reconnect_options){.delay_ns = 0};
    all.delay_ns = all.delay_ns != 0 ? all.delay_ns : SECOND_NS;
    all.delay_max_ns = all.delay_max_ns != 0 ? all.delay_max_ns : 3600 * SECOND_NS;
    all.growth_percent = all.growth_percent != 0 ? all.growth_percent : 272;
    all.jitter_percent = all.jitter_percent != 0 ? all.jitter_percent : 12;
    return all;
}

int solo_reactor_connect_retrying(struct solo_reactor *reactor, const struct solo_address *remote,
                                  const struct solo_reconnect_options *options, struct solo_factory *factory,
                                  struct solo_reconnector **ret_reconnector)
{
    struct solo_reconnect_options all = with_defaults(options);
    SOLO__LIVE_OBJECT(solo_reactor_connect_retrying, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (remote == NULL || factory == NULL || factory->build_protocol == NULL || all.growth_percent < 100 ||
        all.jitter_percent > 100 || all.delay_ns > all.delay_max_ns) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_reactor_connect_retrying, &reactor->owner, reactor);
    if (!solo__reactor_takes_connections(reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo_reconnector *reconnector =
        solo__object_make(reactor->world, SOLO__RECONNECTOR, sizeof *reconnector, __builtin_return_address(0));
    if (reconnector == NULL) {
        return -ENOMEM;
    }
    reconnector->reactor = reactor;
    reconnector->between = (struct solo_factory){build, failed, stopped};
    reconnector->factory = factory;
    reconnector->closable.close = close_with_reactor;
    reconnector->remote = *remote;
    reconnector->options = all;
    reconnector->delay_ns = all.delay_ns;
    int error = attempt(reconnector);
    if (error < 0) {
        solo__object_end(reconnector);
        return error;
    }
    if (ret_reconnector != NULL) {
        *ret_reconnector = reconnector;
    }
    return 0;
}

/* The rungs of a function on a reconnector. */
#define CHECK(function, reconnector)                                                                                   \
    SOLO__LIVE_OBJECT(function, reconnector, SOLO__RECONNECTOR, SOLO006_USE_AFTER_END);                                \
    SOLO__OBJECT((reconnector)->reactor, SOLO__REACTOR);                                                               \
    SOLO__REACTOR_ONLY(function, &(reconnector)->reactor->owner, reconnector)

int solo_reconnector_get_failures(struct solo_reconnector *reconnector, unsigned *ret_failures, uint64_t *ret_delay_ns)
{
    CHECK(solo_reconnector_get_failures, reconnector);
    if (ret_failures == NULL || ret_delay_ns == NULL) {
        return -EINVAL;
    }

    *ret_failures = reconnector->failures;
    *ret_delay_ns = reconnector->delay_ns;
    return 0;
}

static void serve_end(struct solo__call *call, int status)
{
    (void)status; /* it must happen, closing or not */
    ended(SOLO__CONTAINER(call, struct solo_reconnector, end));
}

int solo_reconnector_stop(struct solo_reconnector *reconnector)
{
    CHECK(solo_reconnector_stop, reconnector);
    if (reconnector->stopping) {
        return 0;
    }

    reconnector->stopping = true;
    if (reconnector->connector != NULL) {
        return solo_connector_disconnect(reconnector->connector);
    }
    if (reconnector->retry != 0) { /* else it is called from connection_failed, and `stopped` comes next */
        (void)solo_delayed_call_cancel(reconnector->reactor, reconnector->retry);
        reconnector->retry = 0;
        solo__reactor_unlink(reconnector->reactor, &reconnector->closable);
        reconnector->end.serve = serve_end;
        reconnector->end.reactor = reconnector->reactor;
        solo__reactor_later(reconnector->reactor, &reconnector->end);
    }
    return 0;
}
