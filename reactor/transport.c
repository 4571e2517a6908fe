/*
 * transport.c - one connection: what arrives, and exactly one connection_lost. What it sends is in transport_write.c.
 *
 * Losing. Whatever ends a connection, its descriptor is closed first (`closed`), then connection_lost is called: in
 * the I/O step right away, but for a call of the program in a later pass, so never inside the call that caused it.
 * The call that carries it there is part of the transport: losing takes no memory. When the other side takes no more
 * bytes, what it sent before is still delivered: the connection is lost when reading comes to its end, which is then
 * near.
 *
 * A connection that is being lost, or whose writing is to end, waits for two things: an empty outbox, and no producer.
 * solo__transport_emptied is where both are seen.
 *
 * Source of the behaviours: Twisted's twisted.internet.tcp.Connection and abstract.FileDescriptor.
 */
#include "transport_internal.h"

enum {
    READ_MAX = 16 * 1024, /* bytes that one data_received gets at most */
    DRAIN_READS_MAX = 4,  /* reads before a close, see drain */
};

static struct solo_world *world_of(const struct solo_transport *transport)
{
    return transport->reactor->world;
}

static void set_state(struct solo_transport *transport, enum solo_transport_state state)
{
    transport->state = state;
    solo__announce(world_of(transport), SOLO_PROBE_TRANSPORT_STATE, SOLO_ACCESS_WRITE, transport->object.id, state);
}

int solo__transport_rewatch(struct solo_transport *transport)
{
    uint32_t events = transport->read_paused || transport->read_ended ? 0 : SOLO_READABLE;
    if (transport->in_memory || transport->closed) {
        return 0;
    }
    return solo__reactor_watch(transport->reactor, &transport->watch,
                               events | (transport->blocked ? SOLO_WRITABLE : 0));
}

/* ---- Losing ---- */

static int reason_of(ptrdiff_t error)
{
    return error == -ECONNRESET || error == -EPIPE ? SOLO_ECONNLOST : (int)error;
}

/* Gives up the descriptor. */
static void close_stream(struct solo_transport *transport, bool abort)
{
    struct solo_world *world = world_of(transport);
    solo__transport_forget_unsent(transport);
    solo__reactor_unlink(transport->reactor, &transport->closable);
    transport->closed = true;
    transport->outbox.count = 0;
    if (!transport->in_memory) {
        (void)solo__reactor_watch(transport->reactor, &transport->watch, 0);
        (void)world->network->close(world, transport->watch.fd, abort ? SOLO_CLOSE_ABORT : SOLO_CLOSE_WHOLE);
    }
}

/*
 * Reads away what nobody will read: closing a stream with bytes unread makes TCP reset it, and what was sent may be
 * lost.
 */
static void drain(struct solo_transport *transport)
{
    struct solo_world *world = world_of(transport);
    char buffer[READ_MAX];
    for (int i = 0; i < DRAIN_READS_MAX && !transport->read_ended && !transport->in_memory; i++) {
        if (world->network->read(world, transport->watch.fd, buffer, sizeof buffer, NULL) <= 0) {
            return;
        }
    }
}

/* The last call of the protocol. The transport may be gone afterwards. */
static void lost(struct solo_transport *transport, int reason)
{
    struct solo_protocol *protocol = transport->protocol;
    struct solo_connector *connector = transport->connector;
    uint32_t id = transport->object.id;
    struct solo_reactor *reactor = transport->reactor;

    set_state(transport, SOLO_TRANSPORT_LOST);
    solo__producer_stop(transport);
    transport->protocol = NULL;
    solo__callback_begin(reactor, id);
    if (protocol->ops != NULL && protocol->ops->connection_lost != NULL) {
        protocol->ops->connection_lost(protocol, reason);
    }
    solo__callback_end(reactor, id);
    if (connector != NULL) {
        solo__connector_lost(connector);
    }
    solo__transport_unref(transport);
}

/* Ends it from the I/O step. */
void solo__transport_lose_now(struct solo_transport *transport, int reason, bool abort)
{
    transport->reason = reason;
    close_stream(transport, abort);
    lost(transport, reason);
}

static void serve_loss(struct solo__call *call, int status)
{
    struct solo_transport *transport = SOLO__CONTAINER(call, struct solo_transport, loss);
    const struct solo__provenance *outer_work = solo__self->work;
    (void)status; /* it must happen, closing or not */
    if (call->provenance.object != 0) {
        solo__self->work = &call->provenance;
    }
    lost(transport, transport->reason);
    solo__self->work = outer_work;
}

void solo__transport_lose_later(struct solo_transport *transport, int reason, bool abort, void *frame,
                                void *return_address)
{
    close_stream(transport, abort);
    transport->reason = reason;
    transport->loss.serve = serve_loss;
    transport->loss.reactor = transport->reactor;
    if (frame != NULL) {
        solo__provenance_take(&transport->loss.provenance, transport->object.id, frame, return_address);
    }
    solo__reactor_later(transport->reactor, &transport->loss);
}

/* With `later`, whose call it was is known from when it was made, if it was one. */
static void lose(struct solo_transport *transport, int reason, bool abort, bool later)
{
    if (later) {
        solo__transport_lose_later(transport, reason, abort, NULL, NULL);
    } else {
        solo__transport_lose_now(transport, reason, abort);
    }
}

/* The reactor ends: one last try to send what is queued, without waiting. */
static void close_with_reactor(struct solo__closable *closable, int reason)
{
    struct solo_transport *transport = SOLO__CONTAINER(closable, struct solo_transport, closable);
    struct solo_world *world = world_of(transport);
    struct solo__outbox *outbox = &transport->outbox;
    if (outbox->count > 0 && !transport->in_memory) {
        (void)world->network->write(world, transport->watch.fd, outbox->data + outbox->start, outbox->count, NULL);
    }
    solo__transport_lose_now(transport, reason, false);
}

void solo__transport_sending_failed(struct solo_transport *transport, ptrdiff_t error, bool later)
{
    bool was_open = transport->state == SOLO_TRANSPORT_OPEN;
    transport->outbox.count = 0;
    transport->blocked = false;
    solo__transport_forget_unsent(transport);
    if (was_open) {
        set_state(transport, SOLO_TRANSPORT_CLOSING);
    }
    transport->broken =
        was_open && !transport->read_ended && !transport->read_paused && (error == -EPIPE || error == -ECONNRESET);
    if (!transport->broken || solo__transport_rewatch(transport) < 0) {
        lose(transport, reason_of(error), true, later);
        return;
    }
    solo__producer_stop(transport);
}

/* ---- Half of a connection ends ---- */

typedef void (*half_close_fn)(struct solo_protocol *protocol);

static void tell_half(struct solo_transport *transport, half_close_fn fn)
{
    if (fn != NULL) {
        solo__callback_begin(transport->reactor, transport->object.id);
        fn(transport->protocol);
        solo__callback_end(transport->reactor, transport->object.id);
    }
}

/* Everything is sent, and writing was to end then. */
static void finish_writing(struct solo_transport *transport, bool later)
{
    struct solo_world *world = world_of(transport);
    const struct solo_half_close_ops *ops = transport->half_close;
    int error = transport->in_memory ? 0 : world->network->close(world, transport->watch.fd, SOLO_CLOSE_WRITING);
    transport->write_ended = true;
    if (error < 0) {
        lose(transport, SOLO_ECONNLOST, true, later);
        return;
    }
    if (ops != NULL) {
        tell_half(transport, ops->write_connection_lost);
    }
    if (transport->read_ended && !transport->closed) {
        lose(transport, SOLO_ECONNDONE, false, later);
    }
}

void solo__transport_emptied(struct solo_transport *transport, bool later)
{
    if (transport->broken || solo__producer_resume(transport)) {
        return;
    }
    if (transport->state == SOLO_TRANSPORT_CLOSING) {
        drain(transport);
        lose(transport, transport->reason, false, later);
    } else if (transport->write_ending && !transport->write_ended) {
        finish_writing(transport, later);
    }
}

/* The other side sends no more, and the protocol wants to hear of it. */
static void end_reading(struct solo_transport *transport)
{
    tell_half(transport, transport->half_close->read_connection_lost);
    if (transport->closed) {
        return;
    }
    if (transport->write_ended) {
        solo__transport_lose_now(transport, SOLO_ECONNDONE, false);
        return;
    }
    (void)solo__transport_rewatch(transport);
    solo__transport_send_now(transport);
}

void solo__transport_end_of_stream(struct solo_transport *transport)
{
    transport->read_ended = true;
    if (transport->half_close != NULL && transport->state == SOLO_TRANSPORT_OPEN) {
        end_reading(transport);
        return;
    }
    if (transport->state == SOLO_TRANSPORT_OPEN || transport->broken) {
        solo__producer_stop(transport);
    }
    if (transport->closed) {
        return;
    }
    if (transport->outbox.count == 0 && transport->producer == NULL) {
        solo__transport_lose_now(transport, transport->broken ? SOLO_ECONNLOST : SOLO_ECONNDONE, false);
        return;
    }
    if (transport->state == SOLO_TRANSPORT_OPEN) { /* the other side may still want what is queued */
        transport->reason = SOLO_ECONNDONE;
        set_state(transport, SOLO_TRANSPORT_CLOSING);
    }
    (void)solo__transport_rewatch(transport);
}

/* ---- The I/O step ---- */

void solo__transport_deliver(struct solo_transport *transport, const void *data, size_t size)
{
    struct solo_protocol *protocol = transport->protocol;
    bool wanted = transport->state == SOLO_TRANSPORT_OPEN || transport->broken;
    if (!wanted || protocol->ops == NULL || protocol->ops->data_received == NULL) {
        return;
    }
    solo__callback_begin(transport->reactor, transport->object.id);
    protocol->ops->data_received(protocol, data, size);
    solo__callback_end(transport->reactor, transport->object.id);
    solo__transport_send_now(transport);
}

static void receive(struct solo_transport *transport)
{
    struct solo_world *world = world_of(transport);
    char buffer[READ_MAX];
    ptrdiff_t got = world->network->read(world, transport->watch.fd, buffer, sizeof buffer, NULL);
    if (got > 0) {
        solo__transport_deliver(transport, buffer, (size_t)got);
    } else if (got == 0) {
        solo__transport_end_of_stream(transport);
    } else if (got != -EAGAIN) {
        solo__transport_lose_now(transport, reason_of(got), true);
    }
}

/* It waited until it may send again. */
static void go_on_sending(struct solo_transport *transport)
{
    ptrdiff_t error = solo__transport_send_some(transport);
    if (error < 0) {
        solo__transport_sending_failed(transport, error, false);
    } else if (transport->outbox.count == 0) {
        solo__transport_emptied(transport, false);
    }
}

static void on_ready(struct solo__watch *watch, uint32_t ready)
{
    struct solo_transport *transport = SOLO__CONTAINER(watch, struct solo_transport, watch);
    solo__transport_ref(transport);
    if ((ready & (SOLO_READABLE | SOLO_HANGUP)) != 0 && !transport->read_ended && !transport->read_paused) {
        receive(transport);
    }
    if ((ready & (SOLO_WRITABLE | SOLO_HANGUP)) != 0 && !transport->closed && transport->blocked) {
        go_on_sending(transport);
    }
    solo__transport_unref(transport);
}

/* ---- Making ---- */

struct solo_transport *solo__transport_make(struct solo_reactor *reactor, void *created_at)
{
    struct solo_transport *transport =
        solo__object_make(reactor->world, SOLO__TRANSPORT, sizeof *transport, created_at);
    if (transport != NULL) {
        transport->reactor = reactor;
        transport->references = 1;
        transport->watch.fd = -1;
        transport->high_water = SOLO_HIGH_WATER_DEFAULT;
    }
    return transport;
}

/* Nobody wants this connection. */
static void drop(struct solo_transport *transport)
{
    transport->state = SOLO_TRANSPORT_LOST;
    close_stream(transport, false);
    solo__transport_unref(transport);
}

void solo__transport_begin(struct solo_transport *transport, struct solo_protocol *protocol)
{
    protocol->transport = transport;
    transport->protocol = protocol;
    transport->closable.close = close_with_reactor;
    solo__reactor_link(transport->reactor, &transport->closable);
    set_state(transport, SOLO_TRANSPORT_OPEN);
    if (protocol->ops != NULL && protocol->ops->connection_made != NULL) {
        protocol->ops->connection_made(protocol);
    }
}

bool solo__transport_open(struct solo_transport *transport, int fd, struct solo_factory *factory)
{
    struct solo_reactor *reactor = transport->reactor;
    uint32_t id = transport->object.id;
    transport->watch.fd = fd;
    transport->watch.fn = on_ready;
    if (solo__transport_rewatch(transport) < 0) {
        drop(transport);
        return false;
    }
    solo__callback_begin(reactor, id);
    struct solo_protocol *protocol = factory->build_protocol(factory);
    if (protocol == NULL) {
        solo__callback_end(reactor, id);
        drop(transport);
        return false;
    }
    solo__transport_begin(transport, protocol);
    solo__callback_end(reactor, id);
    solo__transport_send_now(transport);
    return true;
}

/* ---- References: any thread ---- */

void solo__transport_ref(struct solo_transport *transport)
{
    __atomic_fetch_add(&transport->references, 1, __ATOMIC_RELAXED);
}

void solo__transport_unref(struct solo_transport *transport)
{
    struct solo_world *world = transport->object.world;
    SOLO_ANNOTATE_HAPPENS_BEFORE(&transport->references);
    if (__atomic_sub_fetch(&transport->references, 1, __ATOMIC_ACQ_REL) == 0) {
        SOLO_ANNOTATE_HAPPENS_AFTER(&transport->references);
        world->memory->release(world, transport->outbox.data);
        solo__object_end(transport);
    }
}

/* ---- Losing, asked for by the program ---- */

void solo__transport_lose(struct solo_transport *transport, void *frame, void *return_address)
{
    if (transport->state != SOLO_TRANSPORT_OPEN) {
        if (transport->broken && !transport->closed) { /* what is still to be read is not wanted */
            solo__transport_lose_later(transport, SOLO_ECONNLOST, false, frame, return_address);
        }
        return;
    }
    transport->reason = SOLO_ECONNDONE;
    set_state(transport, SOLO_TRANSPORT_CLOSING);
    if (transport->outbox.count == 0 && transport->producer == NULL) {
        drain(transport);
        solo__transport_lose_later(transport, SOLO_ECONNDONE, false, frame, return_address);
        return;
    }
    solo__provenance_take(&transport->loss.provenance, transport->object.id, frame, return_address);
}

int solo_transport_lose_connection(struct solo_transport *transport)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_lose_connection, transport);

    solo__transport_lose(transport, __builtin_frame_address(0), __builtin_return_address(0));
    return 0;
}

int solo_transport_abort_connection(struct solo_transport *transport)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_abort_connection, transport);

    if (!transport->closed) {
        set_state(transport, SOLO_TRANSPORT_CLOSING);
        solo__transport_lose_later(transport, SOLO_ECONNLOST, true, __builtin_frame_address(0),
                                   __builtin_return_address(0));
    }
    return 0;
}

int solo_transport_lose_write_connection(struct solo_transport *transport)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_lose_write_connection, transport);
    if (transport->state != SOLO_TRANSPORT_OPEN) {
        return SOLO_ECLOSING;
    }

    if (!transport->write_ending) {
        transport->write_ending = true;
        solo__provenance_take(&transport->loss.provenance, transport->object.id, __builtin_frame_address(0),
                              __builtin_return_address(0));
        solo__transport_send_soon(transport);
    }
    return 0;
}

int solo_transport_set_half_close(struct solo_transport *transport, const struct solo_half_close_ops *ops)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_set_half_close, transport);

    transport->half_close = ops;
    return 0;
}
