/*
 * transport_write.c - what a transport has to send.
 *
 * A write copies the bytes into the outbox, and the transport joins the reactor's list of those with something to
 * send. What a callback of its own protocol wrote leaves when that callback returns (transport.c); the rest of the list
 * is sent before the poll and after what the poll found has been served. So many writes are one system call, and a
 * request that is answered where it is read costs one read and one write. Much at once leaves at once: copying it would
 * gain nothing. What the network does not take waits until the descriptor is writable.
 *
 * Room for the whole write is made before the first byte is sent, so a write is taken whole or not at all.
 */
#include "transport_internal.h"
#include <string.h>

enum {
    OUTBOX_FIRST = 256,
    OUTBOX_KEPT = 4096,  /* the largest that is kept while nothing is in it */
    AT_ONCE = 32 * 1024, /* bytes that do not wait for company */
};

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
    struct solo_world *world = transport->reactor->world;
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

void solo__outbox_sent(struct solo__outbox *outbox, size_t size)
{
    outbox->count -= size;
    outbox->start = outbox->count > 0 ? outbox->start + size : 0;
}

/* Whoever was slow once, or sent much, does not hold so much for ever. */
static void give_back_if_large(struct solo_transport *transport)
{
    struct solo__outbox *outbox = &transport->outbox;
    if (outbox->count == 0 && outbox->capacity > OUTBOX_KEPT) {
        struct solo_world *world = transport->reactor->world;
        world->memory->release(world, outbox->data);
        *outbox = (struct solo__outbox){NULL, 0, 0, 0};
    }
}

/* ---- Sending ---- */

/* Bytes that the network took, at once or from the outbox; or why it takes none any more. */
static ptrdiff_t give(struct solo_transport *transport, const char *data, size_t size)
{
    struct solo_world *world = transport->reactor->world;
    if (transport->in_memory) {
        return 0;
    }
    ptrdiff_t put = world->network->write(world, transport->watch.fd, data, size, NULL);
    return put == -EAGAIN ? 0 : put;
}

ptrdiff_t solo__transport_send_some(struct solo_transport *transport)
{
    struct solo__outbox *outbox = &transport->outbox;
    if (outbox->count > 0) {
        ptrdiff_t put = give(transport, outbox->data + outbox->start, outbox->count);
        if (put < 0) {
            return put;
        }
        solo__outbox_sent(outbox, (size_t)put);
        give_back_if_large(transport);
    }
    transport->blocked = outbox->count > 0;
    return solo__transport_rewatch(transport);
}

/* The turn of one that is in the list, or would be. */
static void send_out(struct solo_transport *transport)
{
    solo__transport_forget_unsent(transport);
    solo__transport_ref(transport);
    ptrdiff_t error = solo__transport_send_some(transport);
    if (error < 0) {
        solo__transport_sending_failed(transport, error, true);
    } else if (transport->outbox.count == 0) {
        solo__transport_emptied(transport, true);
    }
    solo__transport_unref(transport);
}

/* ---- The reactor's list of those with something to send ---- */

void solo__transport_send_soon(struct solo_transport *transport)
{
    struct solo__unsent *unsent = &transport->reactor->unsent;
    if (transport->unsent_round != 0 || transport->blocked || transport->closed) {
        return;
    }
    transport->unsent_round = unsent->round + 1;
    transport->unsent_next = NULL;
    transport->unsent_previous = unsent->last;
    *(unsent->last != NULL ? &unsent->last->unsent_next : &unsent->first) = transport;
    unsent->last = transport;
}

void solo__transport_forget_unsent(struct solo_transport *transport)
{
    struct solo__unsent *unsent = &transport->reactor->unsent;
    struct solo_transport *next = transport->unsent_next, *previous = transport->unsent_previous;
    if (transport->unsent_round == 0) {
        return;
    }
    *(previous != NULL ? &previous->unsent_next : &unsent->first) = next;
    *(next != NULL ? &next->unsent_previous : &unsent->last) = previous;
    transport->unsent_round = 0;
}

void solo__transport_send_now(struct solo_transport *transport)
{
    if (transport->unsent_round != 0) {
        send_out(transport);
    }
}

/* Those that join while it sends, because a producer went on, have their turn in the next round. */
void solo__transports_send(struct solo_reactor *reactor)
{
    struct solo__unsent *unsent = &reactor->unsent;
    unsent->round++;
    while (unsent->first != NULL && unsent->first->unsent_round <= unsent->round) {
        send_out(unsent->first);
    }
}

/* ---- Writing ---- */

/* Whether bytes are still taken; from a producer also while the connection waits for it to end. */
static bool takes_bytes(const struct solo_transport *transport)
{
    if (transport->closed || transport->broken) {
        return false;
    }
    return transport->producer != NULL || (transport->state == SOLO_TRANSPORT_OPEN && !transport->write_ending);
}

/* With room for it: sends it or keeps it. 0, or why sending is over. */
static ptrdiff_t accept_bytes(struct solo_transport *transport, const char *data, size_t size)
{
    struct solo__outbox *outbox = &transport->outbox;
    ptrdiff_t put = 0;
    if (outbox->count == 0 && size >= AT_ONCE) {
        put = give(transport, data, size);
        if (put < 0) {
            return put;
        }
    }
    append(outbox, data + put, size - (size_t)put);
    return !transport->blocked && outbox->count >= AT_ONCE ? solo__transport_send_some(transport) : 0;
}

int solo_transport_write(struct solo_transport *transport, const void *data, size_t size)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_write, transport);
    if (data == NULL && size > 0) {
        return -EINVAL;
    }
    if (!takes_bytes(transport)) {
        return SOLO_ECLOSING;
    }
    if (size > SOLO_WRITE_BUFFER_MAX - transport->outbox.count) {
        return SOLO_ELIMIT;
    }
    if (size == 0) {
        return 0;
    }

    SOLO_ANNOTATE_READS(data, size);
    SOLO_ANNOTATE_IGNORE_BEGIN(); /* the outbox is the engine's own, also where it is reached through memcpy */
    bool has_room = make_room(transport, size);
    ptrdiff_t error = has_room ? accept_bytes(transport, data, size) : 0;
    SOLO_ANNOTATE_IGNORE_END();
    if (!has_room) {
        return -ENOMEM;
    }
    transport->accepted += size;
    if (error < 0) { /* what was accepted goes down with the connection */
        solo__provenance_take(&transport->loss.provenance, transport->object.id, __builtin_frame_address(0),
                              __builtin_return_address(0));
        solo__transport_sending_failed(transport, error, true);
        return 0;
    }
    solo__transport_send_soon(transport); /* also if all has left: a producer may wait to hear of that */
    solo__producer_pause_if_full(transport);
    return 0;
}

int solo_transport_get_unsent(struct solo_transport *transport, size_t *ret_size)
{
    SOLO__TRANSPORT_CHECK(solo_transport_get_unsent, transport);
    if (ret_size == NULL) {
        return -EINVAL;
    }

    *ret_size = transport->outbox.count;
    return 0;
}
