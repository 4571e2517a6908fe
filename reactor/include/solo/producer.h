/*
 * producer.h - back-pressure: who makes bytes is told when to hold back and when to go on.
 *
 * A push producer writes whenever it has something: it is paused when more than the high-water mark waits to be sent,
 * and resumed when all of it has left. A pull producer writes only when it is resumed, once for each resume. One
 * producer a transport. While one is registered, losing the connection waits for it: the transport takes what it
 * still writes, and closes when it is unregistered. When the connection is lost first, it is stopped, before
 * connection_lost.
 *
 * Reading has its own brake: solo_transport_pause_producing makes the transport stop reading, and then the other side
 * is held back by the network. A proxy registers, at each of its two transports, a producer that pauses and resumes the
 * other one.
 */
#ifndef SOLO_PRODUCER_H
#define SOLO_PRODUCER_H

#include <solo/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_producer;

enum { SOLO_HIGH_WATER_DEFAULT = 64 * 1024 }; /* bytes waiting to be sent above which a push producer is paused */

/*
 * All on the reactor thread, pause and stop also inside solo_transport_write. Any may be NULL, for a pull producer all
 * but resume.
 */
struct solo_producer_ops {
    void (*pause)(struct solo_producer *producer);
    void (*resume)(struct solo_producer *producer);
    /* The connection takes no more. The producer is unregistered by then, and may be freed here. */
    void (*stop)(struct solo_producer *producer);
};

/* Embed it in your producer. */
struct solo_producer {
    const struct solo_producer_ops *ops;
};

enum solo_producer_kind { SOLO_PUSH = 0, SOLO_PULL };

/*
 * From now on this producer writes to the transport; it is borrowed until unregistered or stopped. A pull producer is
 * resumed first inside this call (as in Twisted), then whenever everything has been sent; a push producer is paused
 * inside this call if too much waits already. -EINVAL. -EEXIST: there is one. SOLO_ECLOSED: the connection is lost, and
 * the producer has been stopped.
 * Runs: the functions of ops on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_register_producer(struct solo_transport *transport,
                                                                   struct solo_producer *producer,
                                                                   enum solo_producer_kind kind);

/* It writes no more; what it wrote is sent. -ENOENT: there is none. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_unregister_producer(struct solo_transport *transport);

/* Pauses a push producer when more than so many bytes wait. Takes effect with the next write. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_set_high_water(struct solo_transport *transport, size_t size);

/*
 * Stops reading: no data_received, and no end of the connection is noticed by reading, until it is resumed. Calling it
 * again is fine. SOLO_ECLOSED (lost, SOLO012).
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_pause_producing(struct solo_transport *transport);

/* Goes on reading. -ENOMEM: it is still paused. SOLO_ECLOSED (lost, SOLO012). */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_resume_producing(struct solo_transport *transport);

#ifdef __cplusplus
}
#endif
#endif
