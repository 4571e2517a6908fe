/*
 * transport.h - TCP and UNIX streams: ports, connectors, transports, and the protocols that they call.
 *
 * You prepare a factory; the reactor calls everything. For each connection the factory builds one protocol; it gets
 * connection_made once, data_received for every piece that arrives (of any size), and connection_lost exactly once,
 * as its last call. The port or connector borrows the factory until `stopped` is called.
 *
 * What a protocol writes is collected while its callback runs and leaves as one system call when that returns; what
 * is written elsewhere leaves at the end of that step of the pass. More than the network takes waits in the transport:
 * a producer (producer.h) is told when to hold back.
 *
 * A transport belongs to the kit and is reference-counted: the reactor holds one reference until connection_lost;
 * take one more (solo_transport_ref, any thread) to keep the handle in queued work. After connection_lost it refuses
 * use with SOLO_ECLOSED, and SOLO012.
 */
#ifndef SOLO_TRANSPORT_H
#define SOLO_TRANSPORT_H

#include <solo/address.h>
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
 * For a protocol that wants to go on in one direction when the other has ended; see
 * solo_transport_set_half_close. Either may be NULL. When both directions have ended, connection_lost is called.
 */
struct solo_half_close_ops {
    /* The other side sends no more. It may still be written to. */
    void (*read_connection_lost)(struct solo_protocol *protocol);
    /* Everything written before solo_transport_lose_write_connection has been sent, and the end after it. */
    void (*write_connection_lost)(struct solo_protocol *protocol);
};

/* ---- Ports ---- */

/*
 * Listens at `local`, a host and port (0: a free one) or a UNIX name, from this call on. `port` lives until the
 * factory's stopped, and a UNIX name goes with it. -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, -ENOMEM, -EINVAL,
 * SOLO_ECLOSING: a stop has come to the connections. ret_port may be NULL.
 * Instead: solo_reactor_call_from_thread with a function that listens
 * Runs: the factory's functions on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_listen(struct solo_reactor *reactor, const struct solo_address *local,
                                                      struct solo_factory *factory, struct solo_port **ret_port);

/* The same at 127.0.0.1:port. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_listen_tcp(struct solo_reactor *reactor, uint16_t port,
                                                          struct solo_factory *factory, struct solo_port **ret_port);

/*
 * The same at a UNIX name. -ENAMETOOLONG. -EADDRINUSE: somebody listens there, or the file is left from somebody who
 * did.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_listen_unix(struct solo_reactor *reactor, const char *path,
                                                           struct solo_factory *factory, struct solo_port **ret_port);

/* The number it listens on; 0 for a UNIX name. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_port_get_number(struct solo_port *port, uint16_t *ret_number);

/* Where it listens. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_port_get_address(struct solo_port *port, struct solo_address *ret_address);

/*
 * Stops listening; the factory's stopped is called in a later pass. Connections live on. SOLO_ECLOSED: stopped
 * before.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_port_stop_listening(struct solo_port *port);

/* ---- Connectors ---- */

struct solo_connect_options {
    const struct solo_address *local; /* where to come from; NULL: wherever */
    uint64_t timeout_ns; /* for all of it; then connection_failed says -ETIMEDOUT. 0: the network's own patience */
    uint64_t each_ns;    /* of a name: for one address, while there are others left; 0: 5 s */
};

/*
 * Begins to connect to `remote`. Success or failure is never reported inside this call: -ECONNREFUSED, -ETIMEDOUT,
 * -ENOENT (no such UNIX name), ... come through connection_failed. `options` may be NULL and is not kept. ret_connector
 * may be NULL; the connector lives until the factory's stopped. -EINVAL: no address, or port 0. -ENOMEM,
 * SOLO_ECLOSING: as for solo_reactor_listen. Everything that connecting needs is taken here.
 * Runs: the factory's functions on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_connect(struct solo_reactor *reactor, const struct solo_address *remote,
                                                       const struct solo_connect_options *options,
                                                       struct solo_factory *factory,
                                                       struct solo_connector **ret_connector);

/*
 * The same to a host: a literal ("127.0.0.1", "::1", "[::1]"), or a name, which is looked up first (names.h). A name's
 * addresses are tried one after the other, IPv6 and IPv4 in turn, until one is connected: the next one begins when one
 * has failed, or was not decided within 5 s; connection_failed gives the reason of the last one. No such name, no
 * answer and no free thread are failures as any other of the attempt. -EINVAL: no name, or port 0.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_connect_tcp(struct solo_reactor *reactor, const char *host,
                                                           uint16_t port, struct solo_factory *factory,
                                                           struct solo_connector **ret_connector);

/*
 * The same with options, which may be NULL: timeout_ns limits the look-up and all addresses together, each_ns one of
 * them. With `local` only addresses of its family can be connected. Memory for limits beyond the first is taken when an
 * address is tried: -ENOMEM may be the reason that connection_failed gives.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_connect_host(struct solo_reactor *reactor, const char *host,
                                                            uint16_t port, const struct solo_connect_options *options,
                                                            struct solo_factory *factory,
                                                            struct solo_connector **ret_connector);

/* The same to a UNIX name. -ENAMETOOLONG. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_connect_unix(struct solo_reactor *reactor, const char *path,
                                                            struct solo_factory *factory,
                                                            struct solo_connector **ret_connector);

/* Gives up connecting, or loses the connection it made. SOLO_ECLOSED: it has ended. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_connector_disconnect(struct solo_connector *connector);

/* ---- Writing ---- */

/*
 * Copies the bytes and sends them after those written before. All or nothing: on an error none was accepted. After
 * lose_connection or lose_write_connection bytes are refused with SOLO_ECLOSING (Twisted still takes them), except from
 * a registered producer, which may finish. -EINVAL, -ENOMEM, SOLO_ECLOSED (lost, SOLO012), SOLO_ELIMIT (more than
 * SOLO_WRITE_BUFFER_MAX queued). If the other side turns out to take no more, what was accepted is lost with the
 * connection; what it sent before is still received, then connection_lost is called.
 * Instead: solo_reactor_call_from_thread with a function that writes
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_write(struct solo_transport *transport, const void *data, size_t size);

/* How many bytes are accepted and not sent yet. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_get_unsent(struct solo_transport *transport, size_t *ret_size);

/* ---- Losing ---- */

/*
 * Closes after what was written has been sent and any producer is unregistered; nothing is received any more.
 * connection_lost(SOLO_ECONNDONE) comes in a later pass. SOLO_ECLOSED (lost, SOLO012). Calling it again before that is
 * fine.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_lose_connection(struct solo_transport *transport);

/*
 * Ends what is sent, after what was written and when any producer is unregistered; the other side reads the end and may
 * go on writing. Calling it again is fine. SOLO_ECLOSING: the connection is being closed. SOLO_ECLOSED (lost, SOLO012).
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_lose_write_connection(struct solo_transport *transport);

/*
 * From now on the protocol hears of each direction that ends, and the connection lives on in the other one. `ops` is
 * borrowed until connection_lost; NULL: as before, the end of what the other side sends is the end of the connection.
 * SOLO_ECLOSED (lost, SOLO012).
 * Runs: the functions of ops on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_set_half_close(struct solo_transport *transport,
                                                                const struct solo_half_close_ops *ops);

/*
 * Closes at once; unsent bytes are dropped and the peer sees a reset. connection_lost(SOLO_ECONNLOST) comes in a
 * later pass.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_abort_connection(struct solo_transport *transport);

/* ---- Questions and options ---- */

/* OPEN, CLOSING or LOST. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_get_state(struct solo_transport *transport,
                                                           enum solo_transport_state *ret_state);

/*
 * The address of this end and of the other one. Of a transport in memory the family is SOLO_FAMILY_NONE. SOLO_ECLOSED:
 * the descriptor is gone, so that this end has no address any more. -EINVAL.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_get_host(struct solo_transport *transport,
                                                          struct solo_address *ret_address);
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_get_peer(struct solo_transport *transport,
                                                          struct solo_address *ret_address);

/*
 * Whether small writes leave at once (as they do unless turned off) or wait to go with the next one while the other
 * side has not acknowledged the last. SOLO_ECLOSED (lost, SOLO012). -EOPNOTSUPP: not a TCP connection.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_set_no_delay(struct solo_transport *transport, bool on);

/*
 * Whether the system tries an idle connection now and then, so that one whose other side has vanished is lost. Errors
 * as above.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_transport_set_keep_alive(struct solo_transport *transport, bool on);

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
