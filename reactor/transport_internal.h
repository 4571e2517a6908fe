/*
 * transport_internal.h - what the files about connections share: transport.c (the I/O step and losing),
 * transport_write.c (what is to be sent), producer.c, transport_option.c, port.c, connector.c and string_transport.c.
 *
 * A transport is prepared first and opened when there is a connection, so that a connector takes all its memory when
 * it is asked to connect.
 */
#ifndef SOLO__TRANSPORT_INTERNAL_H
#define SOLO__TRANSPORT_INTERNAL_H

#include "reactor_internal.h"
#include "sanitizer/annotate.h"
#include <solo/producer.h>
#include <solo/transport.h>

/* Bytes accepted and not sent yet: data[start .. start + count). Empty, it keeps only a little memory. */
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
    bool in_memory;      /* it has no descriptor: string_transport.c */
    bool closed;         /* the descriptor is gone; connection_lost is on its way or was called */
    bool read_paused;
    bool read_ended;   /* the other side sends no more */
    bool write_ending; /* lose_write_connection was called */
    bool write_ended;  /* and has taken effect */
    bool broken;       /* nothing can be sent any more; what has arrived is still delivered */
    bool blocked;      /* the network takes no more for now: waits until the descriptor is writable */
    char called;       /* nobody's but a race detector's: SOLO_ANNOTATE_CALL_ON */
    const struct solo_half_close_ops *half_close; /* NULL: the end of reading is the end */
    uint64_t accepted;                            /* bytes taken by write */
    struct solo__outbox outbox;

    struct solo_producer *producer; /* NULL: none */
    enum solo_producer_kind producer_kind;
    bool producer_paused;
    size_t high_water;

    struct solo_transport *unsent_next, *unsent_previous; /* in the reactor's list of those with something to send */
    uint64_t unsent_round;                                /* of the sending that will serve it; 0: not in the list */
    struct solo_address peer;
    struct solo__call loss; /* carries connection_lost to a later pass */
};

#define SOLO__CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/*
 * The rungs of a function on a transport: a transport, its reactor alive, the right thread. Its own state comes last:
 * only the reactor thread may look.
 */
#define SOLO__TRANSPORT_CHECK(function, transport)                                                                     \
    SOLO__LIVE_OBJECT(function, transport, SOLO__TRANSPORT, SOLO012_TRANSPORT_AFTER_LOST);                             \
    SOLO__OBJECT((transport)->reactor, SOLO__REACTOR);                                                                 \
    SOLO__REACTOR_ONLY(function, &(transport)->reactor->owner, transport);                                             \
    SOLO_ANNOTATE_CALL_ON(&(transport)->called)

/* And not lost. */
#define SOLO__TRANSPORT_CHECK_NOT_LOST(function, transport)                                                            \
    SOLO__TRANSPORT_CHECK(function, transport);                                                                        \
    if ((transport)->state == SOLO_TRANSPORT_LOST) {                                                                   \
        solo__violation_after_end(SOLO012_TRANSPORT_AFTER_LOST, SOLO__FN_##function, (transport),                      \
                                  __builtin_frame_address(0), __builtin_return_address(0));                            \
        return SOLO_ECLOSED;                                                                                           \
    }

/* ---- transport.c ---- */

/* Prepares a transport that is not connected. NULL: no memory. */
struct solo_transport *solo__transport_make(struct solo_reactor *reactor, void *created_at);

/*
 * Takes over a connected descriptor: builds the protocol and calls connection_made. Where the factory wants none, or
 * the descriptor cannot be watched, drops the connection and the transport, and returns false.
 */
bool solo__transport_open(struct solo_transport *transport, int fd, struct solo_factory *factory);

/* The connection begins: connection_made. What it writes is sent afterwards. */
void solo__transport_begin(struct solo_transport *transport, struct solo_protocol *protocol);

/* As solo_transport_lose_connection, for one that is not lost. */
void solo__transport_lose(struct solo_transport *transport, void *frame, void *return_address);

/* Closes it; connection_lost(reason) comes in a later pass. With `frame` this call of the program is why. */
void solo__transport_lose_later(struct solo_transport *transport, int reason, bool abort, void *frame,
                                void *return_address);

/* Closes it and calls connection_lost(reason), in the I/O step. */
void solo__transport_lose_now(struct solo_transport *transport, int reason, bool abort);

/*
 * Sending failed with `error`: closes it, or, while what has arrived is still to be read up to its end, waits for that.
 * `later` as in solo__transport_emptied.
 */
void solo__transport_sending_failed(struct solo_transport *transport, ptrdiff_t error, bool later);

/*
 * Everything is sent: the producer may go on, or what waited for it happens. `later`: connection_lost may not be called
 * in this pass, because what was sent was asked for in it.
 */
void solo__transport_emptied(struct solo_transport *transport, bool later);

/* Watches its descriptor for what it waits for now. 0 or an error, and then the watch is as before. */
int solo__transport_rewatch(struct solo_transport *transport);

/* Bytes, or the end of them, have arrived. */
void solo__transport_deliver(struct solo_transport *transport, const void *data, size_t size);
void solo__transport_end_of_stream(struct solo_transport *transport);

void solo__transport_ref(struct solo_transport *transport);
void solo__transport_unref(struct solo_transport *transport);

/* ---- transport_write.c ---- */

/* What of it is unsent is sent at the end of this step of the pass, at the latest. */
void solo__transport_send_soon(struct solo_transport *transport);

/* Sends it now, if it waits for that; connection_lost is not called inside. */
void solo__transport_send_now(struct solo_transport *transport);

/* Sends as much as the network takes. 0, or why sending is over. */
ptrdiff_t solo__transport_send_some(struct solo_transport *transport);

/* The first `size` bytes of the outbox have left. */
void solo__outbox_sent(struct solo__outbox *outbox, size_t size);

/* It is closed: nothing of it will be sent. */
void solo__transport_forget_unsent(struct solo_transport *transport);

/* ---- producer.c ---- */

/* After a write: too much waits, so a push producer is paused. */
void solo__producer_pause_if_full(struct solo_transport *transport);

/* If there is a producer that waits for an empty outbox, resumes it and returns true. */
bool solo__producer_resume(struct solo_transport *transport);

/* Tells the producer, if there is one, that the transport takes no more. */
void solo__producer_stop(struct solo_transport *transport);

/* ---- string_transport.c ---- */

struct solo_transport *solo__string_transport_make(struct solo_reactor *reactor, void *created_at);

/* connection_made. */
void solo__string_transport_begin(struct solo_transport *transport, struct solo_protocol *protocol);

/* The first `size` bytes of what was written have left. */
void solo__string_transport_take(struct solo_transport *transport, size_t size);

/* ---- connector.c ---- */

/* Its transport has had connection_lost. */
void solo__connector_lost(struct solo_connector *connector);

#endif
