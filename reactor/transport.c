/*
 * transport.c - one connection: bytes out in order, bytes in to the protocol, and exactly one connection_lost.
 *
 * Writing. While nothing is queued a write goes to the network at once, which costs one system call and no wait; what
 * does not fit is queued, and as long as anything is queued, everything is. Room for the whole write is made before
 * the first byte is sent, so a write is taken whole or not at all.
 *
 * Losing. Whatever ends a connection, its descriptor is closed first (`closed`), then connection_lost is called: in
 * the I/O step right away, but for a call of the program in a later pass, so never inside the call that caused it.
 * The call that carries it there is part of the transport: losing takes no memory. When the other side takes no more
 * bytes, what it sent before is still delivered: the connection is lost when reading comes to its end, which is then
 * near.
 *
 * Source of the behaviours: Twisted's twisted.internet.tcp.Connection and abstract.FileDescriptor.
 */
#include "transport_internal.h"
#include <string.h>

enum {
    READ_MAX = 16 * 1024, /* bytes that one data_received gets at most */
    DRAIN_READS_MAX = 4,  /* reads before a close, see drain */
    OUTBOX_FIRST = 256,
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

/* ---- Outbox ---- */

/* Makes room for `size` more bytes. false: no memory; nothing has changed. */
static bool make_room(struct solo_transport *transport, size_t size)
{
    struct solo__outbox *outbox = &transport->outbox;
    size_t wanted = outbox->count + size;
    if (wanted <= outbox->capacity - outbox->start) {
        return true;
    }
    if (wanted <= outbox->capacity / 2) { /* moving costs less than what was sent since the last move */
        memmove(outbox->data, outbox->data + outbox->start, outbox->count);
        outbox->start = 0;
        return true;
    }
    struct solo_world *world = world_of(transport);
    size_t capacity = outbox->capacity > OUTBOX_FIRST ? outbox->capacity : OUTBOX_FIRST;
    while (capacity < wanted * 2) {
        capacity *= 2;
    }
    char *data = world->memory->allocate(world, capacity);
    if (data == NULL) {
        return false;
    }
    if (outbox->count > 0) {
        memcpy(data, outbox->data + outbox->start, outbox->count);
    }
    world->memory->release(world, outbox->data);
    *outbox = (struct solo__outbox){data, 0, outbox->count, capacity};
    return true;
}

static void append(struct solo__outbox *outbox, const char *data, size_t size)
{
    memcpy(outbox->data + outbox->start + outbox->count, data, size);
    outbox->count += size;
}

static void sent(struct solo__outbox *outbox, size_t size)
{
    outbox->count -= size;
    outbox->start = outbox->count > 0 ? outbox->start + size : 0;
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
    (void)solo__reactor_watch(transport->reactor, &transport->watch, 0);
    solo__reactor_unlink(transport->reactor, &transport->closable);
    transport->closed = true;
    transport->outbox.count = 0;
    (void)world->network->close(world, transport->watch.fd, abort ? SOLO_CLOSE_ABORT : SOLO_CLOSE_WHOLE);
}

/*
 * Reads away what nobody will read: closing a stream with bytes unread makes TCP reset it, and what was sent may be
 * lost.
 */
static void drain(struct solo_transport *transport)
{
    struct solo_world *world = world_of(transport);
    char buffer[READ_MAX];
    for (int i = 0; i < DRAIN_READS_MAX && !transport->read_ended; i++) {
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
static void lose_now(struct solo_transport *transport, int reason, bool abort)
{
    close_stream(transport, abort);
    lost(transport, reason);
}

static void serve_loss(struct solo__call *call, int status)
{
    struct solo_transport *transport = SOLO__CONTAINER(call, struct solo_transport, loss);
    const struct solo__provenance *outer_work = solo__self->work;
    (void)status; /* it must happen, closing or not */
    solo__self->work = &call->provenance;
    lost(transport, transport->reason);
    solo__self->work = outer_work;
}

/* Ends it from a call of the program, which the provenance remembers. */
static void lose_later(struct solo_transport *transport, int reason, bool abort, void *frame, void *return_address)
{
    close_stream(transport, abort);
    transport->reason = reason;
    transport->loss.serve = serve_loss;
    transport->loss.reactor = transport->reactor;
    solo__provenance_take(&transport->loss.provenance, transport->object.id, frame, return_address);
    solo__reactor_later(transport->reactor, &transport->loss);
}

/* The reactor ends: one last try to send what is queued, without waiting. */
static void close_with_reactor(struct solo__closable *closable, int reason)
{
    struct solo_transport *transport = SOLO__CONTAINER(closable, struct solo_transport, closable);
    struct solo_world *world = world_of(transport);
    struct solo__outbox *outbox = &transport->outbox;
    if (outbox->count > 0) {
        (void)world->network->write(world, transport->watch.fd, outbox->data + outbox->start, outbox->count, NULL);
    }
    lose_now(transport, reason, false);
}

/*
 * Sending failed with `error`. Returns true if the connection can only be closed now; false if what has arrived is
 * still to be read, up to its end.
 */
static bool sending_failed(struct solo_transport *transport, ptrdiff_t error)
{
    bool was_open = transport->state == SOLO_TRANSPORT_OPEN;
    transport->outbox.count = 0;
    if (was_open) {
        set_state(transport, SOLO_TRANSPORT_CLOSING);
    }
    transport->broken = was_open && !transport->read_ended && (error == -EPIPE || error == -ECONNRESET);
    return !transport->broken || solo__reactor_watch(transport->reactor, &transport->watch, SOLO_READABLE) < 0;
}

/* ---- The I/O step ---- */

/* Everything is sent and the connection was to be closed then. */
static void finish_closing(struct solo_transport *transport)
{
    drain(transport);
    lose_now(transport, transport->reason, false);
}

static void on_end_of_stream(struct solo_transport *transport)
{
    transport->read_ended = true;
    if (transport->outbox.count == 0) {
        lose_now(transport, transport->broken ? SOLO_ECONNLOST : SOLO_ECONNDONE, false);
        return;
    }
    if (transport->state == SOLO_TRANSPORT_OPEN) { /* the other side may still want what is queued */
        transport->reason = SOLO_ECONNDONE;
        set_state(transport, SOLO_TRANSPORT_CLOSING);
    }
    (void)solo__reactor_watch(transport->reactor, &transport->watch, SOLO_WRITABLE);
}

static void deliver(struct solo_transport *transport, const char *data, size_t size)
{
    struct solo_protocol *protocol = transport->protocol;
    bool wanted = transport->state == SOLO_TRANSPORT_OPEN || transport->broken;
    if (!wanted || protocol->ops == NULL || protocol->ops->data_received == NULL) {
        return;
    }
    solo__callback_begin(transport->reactor, transport->object.id);
    protocol->ops->data_received(protocol, data, size);
    solo__callback_end(transport->reactor, transport->object.id);
}

static void receive(struct solo_transport *transport)
{
    struct solo_world *world = world_of(transport);
    char buffer[READ_MAX];
    ptrdiff_t got = world->network->read(world, transport->watch.fd, buffer, sizeof buffer, NULL);
    if (got > 0) {
        deliver(transport, buffer, (size_t)got);
    } else if (got == 0) {
        on_end_of_stream(transport);
    } else if (got != -EAGAIN) {
        lose_now(transport, reason_of(got), true);
    }
}

static void flush(struct solo_transport *transport)
{
    struct solo_world *world = world_of(transport);
    struct solo__outbox *outbox = &transport->outbox;
    ptrdiff_t put =
        world->network->write(world, transport->watch.fd, outbox->data + outbox->start, outbox->count, NULL);
    if (put == -EAGAIN) {
        return;
    }
    if (put < 0) {
        if (sending_failed(transport, put)) {
            lose_now(transport, reason_of(put), true);
        }
        return;
    }
    sent(outbox, (size_t)put);
    if (outbox->count > 0) {
        return;
    }
    if (transport->state == SOLO_TRANSPORT_CLOSING) {
        finish_closing(transport);
    } else {
        (void)solo__reactor_watch(transport->reactor, &transport->watch, SOLO_READABLE);
    }
}

static void on_ready(struct solo__watch *watch, uint32_t ready)
{
    struct solo_transport *transport = SOLO__CONTAINER(watch, struct solo_transport, watch);
    solo__transport_ref(transport);
    if ((ready & (SOLO_READABLE | SOLO_HANGUP)) != 0 && !transport->read_ended) {
        receive(transport);
    }
    if ((ready & (SOLO_WRITABLE | SOLO_HANGUP)) != 0 && !transport->closed && transport->outbox.count > 0) {
        flush(transport);
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

bool solo__transport_open(struct solo_transport *transport, int fd, struct solo_factory *factory)
{
    struct solo_reactor *reactor = transport->reactor;
    uint32_t id = transport->object.id;
    transport->watch.fd = fd;
    transport->watch.fn = on_ready;
    if (solo__reactor_watch(reactor, &transport->watch, SOLO_READABLE) < 0) {
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
    protocol->transport = transport;
    transport->protocol = protocol;
    transport->closable.close = close_with_reactor;
    solo__reactor_link(reactor, &transport->closable);
    set_state(transport, SOLO_TRANSPORT_OPEN);
    if (protocol->ops != NULL && protocol->ops->connection_made != NULL) {
        protocol->ops->connection_made(protocol);
    }
    solo__callback_end(reactor, id);
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
    if (__atomic_sub_fetch(&transport->references, 1, __ATOMIC_ACQ_REL) == 0) {
        world->memory->release(world, transport->outbox.data);
        solo__object_end(transport);
    }
}

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

/*
 * The rungs: a transport, its reactor alive, the right thread. Its own state comes last: only the reactor thread may
 * look.
 */
#define CHECK(function, transport)                                                                                     \
    SOLO__LIVE_OBJECT(function, transport, SOLO__TRANSPORT, SOLO012_TRANSPORT_AFTER_LOST);                             \
    SOLO__OBJECT((transport)->reactor, SOLO__REACTOR);                                                                 \
    SOLO__REACTOR_ONLY(function, &(transport)->reactor->owner, transport)

/* And not lost. */
#define CHECK_NOT_LOST(function, transport)                                                                            \
    CHECK(function, transport);                                                                                        \
    if ((transport)->state == SOLO_TRANSPORT_LOST) {                                                                   \
        solo__violation_after_end(SOLO012_TRANSPORT_AFTER_LOST, SOLO__FN_##function, (transport),                      \
                                  __builtin_frame_address(0), __builtin_return_address(0));                            \
        return SOLO_ECLOSED;                                                                                           \
    }

/* Sends as much as the network takes at once; returns how much, or the error. */
static ptrdiff_t send_at_once(struct solo_transport *transport, const void *data, size_t size)
{
    struct solo_world *world = world_of(transport);
    if (transport->outbox.count > 0) {
        return 0;
    }
    ptrdiff_t put = world->network->write(world, transport->watch.fd, data, size, NULL);
    return put == -EAGAIN ? 0 : put;
}

int solo_transport_write(struct solo_transport *transport, const void *data, size_t size)
{
    CHECK_NOT_LOST(solo_transport_write, transport);
    if (data == NULL && size > 0) {
        return -EINVAL;
    }
    if (transport->state != SOLO_TRANSPORT_OPEN) {
        return SOLO_ECLOSING;
    }
    if (size > SOLO_WRITE_BUFFER_MAX - transport->outbox.count) {
        return SOLO_ELIMIT;
    }
    if (size == 0) {
        return 0;
    }

    if (!make_room(transport, size)) {
        return -ENOMEM;
    }
    transport->accepted += size;
    bool was_empty = transport->outbox.count == 0;
    ptrdiff_t put = send_at_once(transport, data, size);
    ptrdiff_t error = put < 0 ? put : 0;
    if (error == 0 && (size_t)put < size) {
        append(&transport->outbox, (const char *)data + put, size - (size_t)put);
        if (was_empty) {
            error = solo__reactor_watch(transport->reactor, &transport->watch, SOLO_READABLE | SOLO_WRITABLE);
        }
    }
    if (error < 0 && sending_failed(transport, error)) { /* what was accepted goes down with the connection */
        lose_later(transport, reason_of(error), true, __builtin_frame_address(0), __builtin_return_address(0));
    }
    return 0;
}

void solo__transport_lose(struct solo_transport *transport, void *frame, void *return_address)
{
    if (transport->state != SOLO_TRANSPORT_OPEN) {
        if (transport->broken && !transport->closed) { /* what is still to be read is not wanted */
            lose_later(transport, SOLO_ECONNLOST, false, frame, return_address);
        }
        return;
    }
    transport->reason = SOLO_ECONNDONE;
    set_state(transport, SOLO_TRANSPORT_CLOSING);
    if (transport->outbox.count == 0) {
        drain(transport);
        lose_later(transport, SOLO_ECONNDONE, false, frame, return_address);
    }
}

int solo_transport_lose_connection(struct solo_transport *transport)
{
    CHECK_NOT_LOST(solo_transport_lose_connection, transport);

    solo__transport_lose(transport, __builtin_frame_address(0), __builtin_return_address(0));
    return 0;
}

int solo_transport_abort_connection(struct solo_transport *transport)
{
    CHECK_NOT_LOST(solo_transport_abort_connection, transport);

    if (!transport->closed) {
        set_state(transport, SOLO_TRANSPORT_CLOSING);
        lose_later(transport, SOLO_ECONNLOST, true, __builtin_frame_address(0), __builtin_return_address(0));
    }
    return 0;
}

int solo_transport_get_state(struct solo_transport *transport, enum solo_transport_state *ret_state)
{
    CHECK(solo_transport_get_state, transport);
    if (ret_state == NULL) {
        return -EINVAL;
    }

    *ret_state = transport->state;
    return 0;
}
