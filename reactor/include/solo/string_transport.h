/*
 * string_transport.h - connections in memory, for tests of protocols.
 *
 * A string transport is a transport without a network: the test holds its other end. What the protocol writes stays
 * there to be looked at until the test takes it, so back-pressure, half-close and losing work as on a slow network;
 * what the protocol receives is what the test says. Everything declared in transport.h and producer.h works on it. The
 * calls below call the protocol inside, as the I/O step of a pass does; what the program asks for (lose_connection,
 * abort_connection) still comes in a later pass: solo_reactor_iterate(reactor, 0).
 *
 * A pump joins two protocols, a client's and a server's, with two string transports, and moves bytes between them when
 * told to, as many at a time as told: whole conversations without a loop, byte by byte if that is where the bug is.
 *
 * Source of the idea: Twisted's StringTransport and IOPump.
 */
#ifndef SOLO_STRING_TRANSPORT_H
#define SOLO_STRING_TRANSPORT_H

#include <solo/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_pump;

/*
 * Connects the protocol: connection_made is called inside. The reactor gives the transport its thread and its later
 * passes, and loses it when it ends. The handle is valid until connection_lost, or as long as you hold a reference.
 * -EINVAL, -ENOMEM, SOLO_ECLOSING.
 * Runs: the protocol's functions on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_string_transport_create(struct solo_reactor *reactor,
                                                               struct solo_protocol *protocol,
                                                               struct solo_transport **ret_transport);

/*
 * What the protocol wrote and nobody has taken yet, in one piece; the transport's own, until the next call on it.
 * -EINVAL: also for a transport that is not in memory. SOLO_ECLOSED (lost, SOLO012).
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_string_transport_get_value(struct solo_transport *transport,
                                                                  const void **ret_data, size_t *ret_size);

/*
 * The network takes the first `size` bytes of it, or all if there are fewer. When nothing is left, what waits for that
 * happens: a producer is resumed, writing ends, the connection is lost. -EINVAL, SOLO_ECLOSED (lost, SOLO012).
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_string_transport_take(struct solo_transport *transport, size_t size);

/*
 * Bytes arrive: data_received is called inside. -EAGAIN: reading is paused. -EPIPE: the end has arrived before.
 * SOLO_ECLOSING: the transport has been closed. -EINVAL, SOLO_ECLOSED (lost, SOLO012).
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_string_transport_receive(struct solo_transport *transport, const void *data,
                                                                size_t size);

/*
 * The other side has closed: read_connection_lost or connection_lost is called inside, or connection_lost after what
 * was written has been taken. Errors as for receive.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_string_transport_receive_end(struct solo_transport *transport);

/* The network fails: connection_lost(reason) is called inside. -EINVAL, SOLO_ECLOSING, SOLO_ECLOSED (lost, SOLO012). */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_string_transport_fail(struct solo_transport *transport, int reason);

/* ---- A pump ---- */

enum { SOLO_PUMP_STEPS_MAX = 1000000 }; /* of one flush */

/*
 * Connects the two protocols, the server's first. It must be destroyed before the reactor. -EINVAL, -ENOMEM,
 * SOLO_ECLOSING.
 * Runs: the protocols' functions on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pump_create(struct solo_reactor *reactor, struct solo_protocol *client,
                                                   struct solo_protocol *server, struct solo_pump **ret_pump);

/*
 * Moves at most `chunk_max` bytes (0: all) from the client to the server, then as many back; an end, or a reset, is
 * moved when its bytes have been. ret_moved (may be NULL): how many bytes and ends that were; 0: there is nothing to
 * do.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pump_step(struct solo_pump *pump, size_t chunk_max, size_t *ret_moved);

/* Steps until nothing moves. SOLO_ELIMIT: the two did not come to rest in SOLO_PUMP_STEPS_MAX steps. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pump_flush(struct solo_pump *pump, size_t chunk_max);

/* Whether either side is still connected. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pump_is_connected(struct solo_pump *pump, bool *ret_connected);

/*
 * Ends the pump, after what is still connected has had connection_lost(SOLO_ECONNLOST). Accepts NULL. -EBUSY: called by
 * one of its protocols inside a call of this pump, which goes on; end it when that has returned.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_pump_destroy(struct solo_pump *pump);

#ifdef __cplusplus
}
#endif
#endif
