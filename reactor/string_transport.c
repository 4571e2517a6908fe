/* string_transport.c - a transport whose other end is held by a test. */
#include "transport_internal.h"
#include <solo/string_transport.h>

struct solo_transport *solo__string_transport_make(struct solo_reactor *reactor, void *created_at)
{
    struct solo_transport *transport = solo__transport_make(reactor, created_at);
    if (transport != NULL) {
        transport->in_memory = true;
    }
    return transport;
}

void solo__string_transport_begin(struct solo_transport *transport, struct solo_protocol *protocol)
{
    uint32_t id = transport->object.id;
    struct solo_reactor *reactor = transport->reactor;
    solo__callback_begin(reactor, id);
    solo__transport_begin(transport, protocol);
    solo__callback_end(reactor, id);
}

int solo_string_transport_create(struct solo_reactor *reactor, struct solo_protocol *protocol,
                                 struct solo_transport **ret_transport)
{
    SOLO__LIVE_OBJECT(solo_string_transport_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (protocol == NULL || ret_transport == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_string_transport_create, &reactor->owner, reactor);
    if (!solo__reactor_takes_connections(reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo_transport *transport = solo__string_transport_make(reactor, __builtin_return_address(0));
    if (transport == NULL) {
        return -ENOMEM;
    }
    *ret_transport = transport; /* connection_made may look for it there */
    solo__string_transport_begin(transport, protocol);
    return 0;
}

/* The rungs of a function on a string transport. */
#define CHECK(function, transport)                                                                                     \
    SOLO__TRANSPORT_CHECK_NOT_LOST(function, transport);                                                               \
    if (!(transport)->in_memory) {                                                                                     \
        return -EINVAL;                                                                                                \
    }

int solo_string_transport_get_value(struct solo_transport *transport, const void **ret_data, size_t *ret_size)
{
    CHECK(solo_string_transport_get_value, transport);
    if (ret_data == NULL || ret_size == NULL) {
        return -EINVAL;
    }

    const struct solo__outbox *outbox = &transport->outbox;
    *ret_data = outbox->data != NULL ? outbox->data + outbox->start : "";
    *ret_size = outbox->count;
    return 0;
}

void solo__string_transport_take(struct solo_transport *transport, size_t size)
{
    struct solo__outbox *outbox = &transport->outbox;
    solo__transport_forget_unsent(transport);
    if (outbox->count > 0) {
        solo__outbox_sent(outbox, size < outbox->count ? size : outbox->count);
    }
    transport->blocked = outbox->count > 0;
    if (!transport->blocked && !transport->closed) {
        solo__transport_ref(transport);
        solo__transport_emptied(transport, true);
        solo__transport_unref(transport);
    }
}

int solo_string_transport_take(struct solo_transport *transport, size_t size)
{
    CHECK(solo_string_transport_take, transport);

    solo__string_transport_take(transport, size);
    return 0;
}

/* Why nothing can arrive there, or 0. */
static int cannot_receive(const struct solo_transport *transport)
{
    return transport->closed ? SOLO_ECLOSING : transport->read_ended ? -EPIPE : transport->read_paused ? -EAGAIN : 0;
}

int solo_string_transport_receive(struct solo_transport *transport, const void *data, size_t size)
{
    CHECK(solo_string_transport_receive, transport);
    if (data == NULL && size > 0) {
        return -EINVAL;
    }
    int error = cannot_receive(transport);
    if (error < 0 || size == 0) {
        return error;
    }

    solo__transport_ref(transport);
    solo__transport_deliver(transport, data, size);
    solo__transport_unref(transport);
    return 0;
}

int solo_string_transport_receive_end(struct solo_transport *transport)
{
    CHECK(solo_string_transport_receive_end, transport);
    int error = cannot_receive(transport);
    if (error < 0) {
        return error;
    }

    solo__transport_ref(transport);
    solo__transport_end_of_stream(transport);
    solo__transport_unref(transport);
    return 0;
}

int solo_string_transport_fail(struct solo_transport *transport, int reason)
{
    CHECK(solo_string_transport_fail, transport);
    if (reason >= 0) {
        return -EINVAL;
    }
    if (transport->closed) {
        return SOLO_ECLOSING;
    }

    solo__transport_lose_now(transport, reason, true);
    return 0;
}
