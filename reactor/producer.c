/*
 * producer.c - who writes to a transport is paused while too much waits there, and goes on when all of it has left.
 *
 * A transport asks three things of this file: to pause after a write, to resume when its outbox is empty, and to stop
 * when it takes no more. A producer is forgotten before it is stopped, so it hears nothing afterwards.
 */
#include "transport_internal.h"

typedef void (*producer_fn)(struct solo_producer *producer);

static void tell(struct solo_transport *transport, struct solo_producer *producer, producer_fn fn)
{
    if (fn != NULL) {
        solo__callback_begin(transport->reactor, transport->object.id);
        fn(producer);
        solo__callback_end(transport->reactor, transport->object.id);
    }
}

void solo__producer_pause_if_full(struct solo_transport *transport)
{
    struct solo_producer *producer = transport->producer;
    if (producer == NULL || transport->producer_kind != SOLO_PUSH || transport->producer_paused ||
        transport->outbox.count <= transport->high_water) {
        return;
    }
    transport->producer_paused = true;
    tell(transport, producer, producer->ops->pause);
}

bool solo__producer_resume(struct solo_transport *transport)
{
    struct solo_producer *producer = transport->producer;
    if (producer == NULL) {
        return false;
    }
    if (transport->producer_kind == SOLO_PULL || transport->producer_paused) {
        transport->producer_paused = false;
        tell(transport, producer, producer->ops->resume);
    }
    return true;
}

void solo__producer_stop(struct solo_transport *transport)
{
    struct solo_producer *producer = transport->producer;
    if (producer != NULL) {
        transport->producer = NULL;
        transport->producer_paused = false;
        tell(transport, producer, producer->ops->stop);
    }
}

int solo_transport_register_producer(struct solo_transport *transport, struct solo_producer *producer,
                                     enum solo_producer_kind kind)
{
    SOLO__TRANSPORT_CHECK(solo_transport_register_producer, transport);
    if (producer == NULL || producer->ops == NULL || (kind != SOLO_PUSH && kind != SOLO_PULL)) {
        return -EINVAL;
    }
    if (transport->producer != NULL) {
        return -EEXIST;
    }

    if (transport->closed || transport->broken) {
        tell(transport, producer, producer->ops->stop);
        return SOLO_ECLOSED;
    }
    transport->producer = producer;
    transport->producer_kind = kind;
    transport->producer_paused = false;
    if (kind == SOLO_PUSH) {
        solo__producer_pause_if_full(transport);
    } else if (transport->outbox.count == 0) {
        (void)solo__producer_resume(transport);
    }
    return 0;
}

int solo_transport_unregister_producer(struct solo_transport *transport)
{
    SOLO__TRANSPORT_CHECK(solo_transport_unregister_producer, transport);
    if (transport->producer == NULL) {
        return -ENOENT;
    }

    transport->producer = NULL;
    transport->producer_paused = false;
    solo__transport_send_soon(transport); /* what waited for it happens then */
    return 0;
}

int solo_transport_set_high_water(struct solo_transport *transport, size_t size)
{
    SOLO__TRANSPORT_CHECK(solo_transport_set_high_water, transport);

    transport->high_water = size;
    return 0;
}

int solo_transport_pause_producing(struct solo_transport *transport)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_pause_producing, transport);

    transport->read_paused = true;
    return solo__transport_rewatch(transport);
}

int solo_transport_resume_producing(struct solo_transport *transport)
{
    SOLO__TRANSPORT_CHECK_NOT_LOST(solo_transport_resume_producing, transport);

    bool was_paused = transport->read_paused;
    transport->read_paused = false;
    int error = solo__transport_rewatch(transport);
    transport->read_paused = error < 0 && was_paused;
    return error;
}
