/*
 * transport.h - TCP: ports, connectors, transports, and the protocols that they call.
 *
 * You prepare a factory; the reactor calls everything. For each connection the factory builds one protocol; it gets
 * connection_made once, data_received for every piece that arrives (of any size), and connection_lost exactly once,
 * as its last call. The port or connector borrows the factory until `stopped` is called.
 *
 * A transport belongs to the kit and is reference-counted: the reactor holds one reference until connection_lost;
 * take one more (solo_transport_ref, any thread) to keep the handle in queued work. After connection_lost it refuses
 * use with SOLO_ECLOSED, and SOLO012.
 */
#ifndef SOLO_TRANSPORT_H
#define SOLO_TRANSPORT_H

#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_transport;
struct solo_port;
struct solo_connector;
struct solo_protocol;
struct solo_factory;

enum solo_transport_state { SOLO_TRANSPORT_OPEN = 0, SOLO_TRANSPORT_CLOSING, SOLO_TRANSPORT_LOST };

enum { SOLO_WRITE_BUFFER_MAX = 64 * 1024 * 1024 }; /* bytes queued in one transport */

/* What the reactor calls, all on the reactor thread. Any of them may be NULL. */
struct solo_protocol_ops {
    void (*connection_made)(struct solo_protocol *protocol);
    void (*data_received)(struct solo_protocol *protocol, const void *data, size_t size);
    /* reason: SOLO_ECONNDONE, SOLO_ECONNLOST, or a negated errno. The protocol may be freed here. */
    void (*connection_lost)(struct solo_protocol *protocol, int reason);
};

/*
 * Embed it as the first member of your protocol. The factory sets ops; the kit sets transport before connection_made.
 */
struct solo_protocol {
    const struct solo_protocol_ops *ops;
    struct solo_transport *transport;
};

/* Embed it in your factory. */
struct solo_factory {
    /* Returns a new protocol for a connection, or NULL to drop it. */
    struct solo_protocol *(*build_protocol)(struct solo_factory *factory);
    /*
     * A connector could not connect; reason is a negated errno, SOLO_ECANCELLED after solo_connector_disconnect, or
     * SOLO_ECONNLOST when the reactor ended first. May be NULL.
     */
    void (*connection_failed)(struct solo_factory *factory, int reason);
    /* The port or connector is done with this factory. May be NULL. */
    void (*stopped)(struct solo_factory *factory);
};

/*
 * Listens on 127.0.0.1:port (0: a free one) from this call on. `port` lives until the factory's stopped. -EADDRINUSE,
 * -EACCES, -EMFILE, -ENOMEM, -EINVAL, SOLO_ECLOSING. ret_port may be NULL.
 * Instead: solo_reactor_call_from_thread with a function that listens
 * Runs: the factory's functions on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_listen_tcp(struct solo_reactor *reactor, uint16_t port,
                                                          struct solo_factory *factory, struct solo_port **ret_port);

/* The number it listens on. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_port_get_number(struct solo_port *port, uint16_t *ret_number);

/*
 * Stops listening; the factory's stopped is called in a later pass. Connections live on. SOLO_ECLOSED: stopped
 * before.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_port_stop_listening(struct solo_port *port);

/*
 * Begins to connect to an IPv4 literal ("127.0.0.1"). Success or failure is never reported inside this call.
 * ret_connector may be NULL; the connector lives until the factory's stopped. -EINVAL: not an IPv4 literal, or port 0.
 * -ENOMEM, SOLO_ECLOSING. Everything that connecting needs is taken here.
 * Runs: the factory's functions on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_connect_tcp(struct solo_reactor *reactor, const char *host,
                                                           uint16_t port, struct solo_factory *factory,
                                                           struct solo_connector **ret_connector);

/* Gives up connecting, or loses the connection it made. SOLO_ECLOSED: it has ended. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_connector_disconnect(struct solo_connector *connector);

/*
 * Copies the bytes and sends them after those written before. All or nothing: on an error none was accepted. After
 * lose_connection, bytes are refused with SOLO_ECLOSING (Twisted still takes them). -EINVAL, -ENOMEM, SOLO_ECLOSED
 * (lost, SOLO012), SOLO_ELIMIT (more than SOLO_WRITE_BUFFER_MAX queued). If the other side turns out to take no more,
 * what was accepted is lost with the connection; what it sent before is still received, then connection_lost is called.
 * Instead: solo_reactor_call_from_thread with a function that writes
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_write(struct solo_transport *transport, const void *data, size_t size);

/*
 * Closes after what was written has been sent; nothing is received any more. connection_lost(SOLO_ECONNDONE) comes in a
 * later pass. SOLO_ECLOSED (lost, SOLO012). Calling it again before that is fine.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_lose_connection(struct solo_transport *transport);

/*
 * Closes at once; unsent bytes are dropped and the peer sees a reset. connection_lost(SOLO_ECONNLOST) comes in a
 * later pass.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_abort_connection(struct solo_transport *transport);

/* OPEN, CLOSING or LOST. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_get_state(struct solo_transport *transport,
                                                           enum solo_transport_state *ret_state);

/* The reactor it belongs to. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_transport_get_reactor(struct solo_transport *transport,
                                                           struct solo_reactor **ret_reactor);

/*
 * Takes or gives back a reference; the handle stays valid as long as somebody holds one. -EINVAL, SOLO_ECLOSED (no
 * reference left).
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_transport_ref(struct solo_transport *transport);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_transport_unref(struct solo_transport *transport);

#ifdef __cplusplus
}
#endif
#endif
