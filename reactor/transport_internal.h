/*
 * transport_internal.h - what ports and connectors know of transports, and transports of connectors.
 *
 * A transport is prepared first and opened when there is a connection, so that a connector takes all its memory when
 * it is asked to connect.
 */
#ifndef SOLO__TRANSPORT_INTERNAL_H
#define SOLO__TRANSPORT_INTERNAL_H

#include "reactor_internal.h"
#include <solo/transport.h>

/* Bytes accepted and not sent yet: data[start .. start + count). It keeps its memory until the transport is lost. */
struct solo__outbox {
    char *data;
    size_t start, count, capacity;
};

struct solo_transport {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo__watch watch; /* of its descriptor, watch.fd */
    struct solo__closable closable;
    struct solo_protocol *protocol;   /* NULL before connection_made and after connection_lost */
    struct solo_connector *connector; /* who made it; NULL: a port */
    enum solo_transport_state state;
    int reason;          /* of the loss, once it is known */
    uint32_t references; /* atomic; one is the reactor's, until connection_lost */
    bool closed;         /* the descriptor is gone; connection_lost is on its way or was called */
    bool read_ended;     /* the other side sends no more */
    bool broken;         /* nothing can be sent any more; what has arrived is still delivered */
    uint64_t accepted;   /* bytes taken by write */
    struct solo__outbox outbox;
    struct solo__call loss; /* carries connection_lost to a later pass */
};

#define SOLO__CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Prepares a transport that is not connected. NULL: no memory. */
struct solo_transport *solo__transport_make(struct solo_reactor *reactor, void *created_at);

/*
 * Takes over a connected descriptor: builds the protocol and calls connection_made. Where the factory wants none, or
 * the descriptor cannot be watched, drops the connection and the transport, and returns false.
 */
bool solo__transport_open(struct solo_transport *transport, int fd, struct solo_factory *factory);

/* As solo_transport_lose_connection, for one that is not lost. */
void solo__transport_lose(struct solo_transport *transport, void *frame, void *return_address);

void solo__transport_ref(struct solo_transport *transport);
void solo__transport_unref(struct solo_transport *transport);

/* Its transport has had connection_lost. */
void solo__connector_lost(struct solo_connector *connector);

#endif
