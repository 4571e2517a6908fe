/*
 * datagram.h - UDP: messages that arrive whole or not at all.
 *
 * You prepare a protocol; the reactor calls it. A datagram may be lost, arrive twice or overtake another one; in world
 * sim that happens only with a budget of faults. Nothing is queued: a write goes to the network at once, or fails.
 */
#ifndef SOLO_DATAGRAM_H
#define SOLO_DATAGRAM_H

#include <solo/address.h>
#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_datagram_port;
struct solo_datagram_protocol;

enum { SOLO_DATAGRAM_MAX = 65507 }; /* bytes of one */

/* What the reactor calls, all on the reactor thread. Any of them may be NULL. */
struct solo_datagram_ops {
    /* The bytes and the address are valid until it returns; size may be 0. */
    void (*datagram_received)(struct solo_datagram_protocol *protocol, const void *data, size_t size,
                              const struct solo_address *from);
    /* A connected port: nobody is at the other end, at least not now. */
    void (*connection_refused)(struct solo_datagram_protocol *protocol);
    /* The last call. The protocol may be freed here. */
    void (*stopped)(struct solo_datagram_protocol *protocol);
};

/* Embed it as the first member of your protocol. You set ops; the kit sets port before listen returns. */
struct solo_datagram_protocol {
    const struct solo_datagram_ops *ops;
    struct solo_datagram_port *port; /* valid until stopped */
};

/*
 * Receives at `local` (port 0: a free one) from this call on. With `remote`, which may be NULL, the port is connected:
 * it hears nobody else, and writes go there. The protocol is borrowed until stopped. ret_port may be NULL. -EADDRINUSE,
 * -EADDRNOTAVAIL, -EACCES, -EMFILE, -ENOMEM, -EINVAL, SOLO_ECLOSING.
 * Instead: solo_reactor_call_from_thread with a function that listens
 * Runs: the functions of ops on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_listen_datagram(struct solo_reactor *reactor,
                                                               const struct solo_address *local,
                                                               const struct solo_address *remote,
                                                               struct solo_datagram_protocol *protocol,
                                                               struct solo_datagram_port **ret_port);

/* The same at 127.0.0.1:port, not connected. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_listen_udp(struct solo_reactor *reactor, uint16_t port,
                                                          struct solo_datagram_protocol *protocol,
                                                          struct solo_datagram_port **ret_port);

/*
 * Sends one datagram, to `to` or, if that is NULL, to whom the port is connected. -EAGAIN: the system takes none now,
 * and it was not sent. -EDESTADDRREQ: not connected, and no address. -EMSGSIZE. -ECONNREFUSED: an earlier one found
 * nobody. -EINVAL, -ENOMEM, SOLO_ECLOSED (stopped).
 * Instead: solo_reactor_call_from_thread with a function that writes
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_datagram_write(struct solo_datagram_port *port, const void *data, size_t size,
                                                      const struct solo_address *to);

/* Where it receives. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_datagram_get_address(struct solo_datagram_port *port,
                                                            struct solo_address *ret_address);

/* Whether it may send to broadcast addresses. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_datagram_set_broadcast(struct solo_datagram_port *port, bool on);

/* Receives no more from now on; the protocol's stopped is called in a later pass. SOLO_ECLOSED: stopped before. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_datagram_stop_listening(struct solo_datagram_port *port);

#ifdef __cplusplus
}
#endif
#endif
