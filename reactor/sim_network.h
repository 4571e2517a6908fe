/*
 * sim_network.h - what the files of the simulated network share: descriptors, streams, and the ports they meet at.
 *
 * Whoever touches these has told race detectors to look away (SOLO_ANNOTATE_IGNORE_BEGIN): the network's own memory
 * is touched by every virtual thread, one at a time.
 */
#ifndef SOLO__SIM_NETWORK_H
#define SOLO__SIM_NETWORK_H

#include "sim_pipe.h"
#include "sim_world.h"

struct sim_watch; /* sim_poll.c */

enum {
    SIM_FIRST_FD = 3,
    SIM_EPHEMERAL_FIRST = 49152,
    SIM_OPEN_MAX = 4096,    /* descriptors open at one time */
    SIM_TABLE_MAX = 1 << 14 /* places for them, a power of two */
};

enum sim_kind { SIM_LISTENER = 1, SIM_STREAM, SIM_DATAGRAM };
enum sim_space { SIM_TCP = 1, SIM_NAMES, SIM_UDP, SIM_TCP6, SIM_UDP6 }; /* each has its own ports or names */
enum sim_stage { SIM_CONNECTING = 1, SIM_CONNECTED, SIM_REFUSED };

/* Datagrams on their way to one socket, in order of arrival. Zeroed is empty. */
struct sim_mail {
    struct sim_datagram *first, *last;
    uint32_t count;
};

struct sim_descriptor {
    int fd; /* -1: not accepted yet */
    uint32_t object;
    uint8_t kind;
    uint8_t stage;      /* of a stream */
    bool ended;         /* the other side sends no more: after `in` comes the end of the stream */
    bool write_ended;   /* this side has said that it sends no more */
    bool told;          /* has written to a closed other side, which TCP answers so that the next write fails */
    bool is_server;     /* this end of a connection was made by a listener */
    int error;          /* after `in` comes this error; 0: none */
    uint16_t port;      /* local; 0: a pair, or a UNIX stream */
    uint16_t peer_port; /* of a datagram socket's only partner, or of a server's end; 0: none */
    struct sim_watch *watches;
    struct sim_descriptor *peer; /* the other end; NULL: closed, or none yet */
    struct sim_pipe in;
    struct sim_mail mail;        /* datagrams that have arrived */
    uint32_t chunk_choices;      /* asked so far for reads of `in` */
    struct sim_service *service; /* a listener's or datagram socket's, or the one that a stream was made at */
    struct sim_descriptor *next; /* in a service's or listener's queue */
};

struct sim_queue {
    struct sim_descriptor *first, *last;
    uint32_t count;
};

/* A port number or UNIX name that somebody has spoken of. */
struct sim_service {
    struct sim_service *next;
    uint32_t object;
    uint8_t space; /* enum sim_space */
    bool stale;    /* of a UNIX name: its listener is gone, the name is still in the file system */
    uint16_t port;
    char *path;                      /* of a UNIX name; NULL: a port */
    struct sim_descriptor *listener; /* or the datagram socket; NULL: nobody is there */
    struct sim_queue queue;          /* ends to be accepted; those past BACKLOG_MAX are not connected yet */
    struct sim_queue hopeful;        /* ends of peer scripts that wait until somebody listens */
};

/* Everything of one run. */
struct sim_network {
    struct sim_descriptor **table; /* by place; NULL: nobody, or closed */
    uint32_t next;                 /* the number after SIM_FIRST_FD to be given next, if its place is free */
    uint32_t capacity, open;
    struct sim_service *services;
    uint16_t ephemeral;
    struct sim_rings rings;
    struct sim_datagram *spare; /* datagrams that have been read */
};

/* ---- Ports and names (sim_service.c) ---- */

/* The service of a port or name, made at its first mention; NULL without memory. */
struct sim_service *sim__service_of(struct solo_world *world, enum sim_space space, const struct solo_address *address);

/* Announces an operation on a port or name and returns its service. */
struct sim_service *sim__service_begin(struct solo_world *world, enum solo_probe_kind kind, enum sim_space space,
                                       const struct solo_address *address);

/* Chooses the port if `local` leaves it open. 0, -EADDRNOTAVAIL or -EADDRINUSE. */
int sim__service_choose_port(struct solo_world *world, enum sim_space space, struct solo_address *local);

/* The next port for the end of a client; 0 without memory. */
uint16_t sim__service_next_port(struct solo_world *world);

/* Whether the host is this machine; any UNIX name is. */
bool sim__is_local(const struct solo_address *address);

/* Whether the host is one of those that never answer: 192.0.2.0/24 and 2001:db8::/32, which documentation uses. */
bool sim__is_silent(const struct solo_address *address);

/* This machine's address at a port of that space. */
struct solo_address sim__address_at(unsigned space, uint16_t port);

/* ---- Descriptors (sim_descriptor.c) ---- */

/* The network of this run, made at its first use; NULL without memory. */
struct sim_network *sim__network_of(struct solo_world *world);

/*
 * Where a number is kept, and in which order the plain schedule takes what is ready. Numbers are given once, places
 * again and again, once more numbers have been given than there are places.
 */
static inline uint32_t sim__place_of(int fd)
{
    return ((uint32_t)fd - SIM_FIRST_FD) & (SIM_TABLE_MAX - 1);
}

/* A descriptor without a number; NULL without memory. Who forgets the last of it frees it. */
struct sim_descriptor *sim__descriptor_make(struct solo_world *world, enum sim_kind kind, uint32_t object,
                                            uint16_t port);

void sim__descriptor_free(struct solo_world *world, struct sim_descriptor *descriptor);

/* Room for `count` more descriptors. 0, -EMFILE or -ENOMEM. */
int sim__descriptors_reserve(struct solo_world *world, struct sim_network *network, uint32_t count);

/* Gives it the next number; there is room. */
int sim__descriptor_number(struct sim_network *network, struct sim_descriptor *descriptor);

/* The open descriptor with that number, or NULL. */
struct sim_descriptor *sim__descriptor_find(struct solo_world *world, int fd);

/* What it is ready for, SOLO_READABLE and so on, whoever asks. */
uint32_t sim__descriptor_ready(const struct sim_descriptor *descriptor);

/* It may have become ready; NULL is fine. */
void sim__descriptor_notify(struct solo_world *world, const struct sim_descriptor *descriptor);

/*
 * Announces an operation on an open descriptor, then tells race detectors to look away. NULL: it is not open (any
 * more), and they do not look away.
 */
struct sim_descriptor *sim__descriptor_begin(struct solo_world *world, int fd, enum solo_probe_kind kind,
                                             uint64_t value);

void sim__queue_append(struct sim_queue *queue, struct sim_descriptor *descriptor);
struct sim_descriptor *sim__queue_pop(struct sim_queue *queue);
void sim__queue_take_out(struct sim_queue *queue, struct sim_descriptor *descriptor);

/* ---- Streams (sim_stream.c): read, write and pair are the network table's ---- */

ptrdiff_t sim__stream_read(struct solo_world *world, int fd, void *buffer, size_t size, struct solo_address *ret_from);
ptrdiff_t sim__stream_write(struct solo_world *world, int fd, const void *data, size_t size,
                            const struct solo_address *to);
int sim__stream_pair(struct solo_world *world, int ret_fds[2]);

/* The connection is broken: both ends get `error` after what has arrived there. */
void sim__stream_reset(struct solo_world *world, struct sim_descriptor *stream, int error);

/* The other end learns that this one goes, after what is on its way: the end of the stream, or a reset. */
void sim__stream_leave(struct solo_world *world, struct sim_descriptor *stream, bool abort);

/* Ends what it sends. 0 or -ENOTCONN. */
int sim__stream_end_writing(struct solo_world *world, struct sim_descriptor *stream);

/* Race detectors look at the program's own buffer, although they look away from the network. */
void sim__buffer_read(const void *data, size_t size);
void sim__buffer_written(void *buffer, size_t size);

/* ---- Datagrams (sim_datagram.c) ---- */

int sim__datagram_open(struct solo_world *world, const struct solo_address *local, const struct solo_address *remote,
                       int *ret_fd);

/* What arrived first. READ has been announced, and race detectors look away; on return they look again. */
ptrdiff_t sim__datagram_read(struct solo_world *world, struct sim_descriptor *socket, void *buffer, size_t size,
                             struct solo_address *ret_from);
/* The whole operation, its announcement included. */
ptrdiff_t sim__datagram_write(struct solo_world *world, int fd, const void *data, size_t size,
                              const struct solo_address *to);
void sim__datagram_close(struct solo_world *world, struct sim_descriptor *socket);

/* ---- Poll (sim_poll.c) ---- */

/* Tells the pollers that watch for what has become ready, and wakes them. */
void sim__poll_notify(struct core *core, struct sim_watch *watches, uint32_t ready);

/* The descriptor is closed: its watches are forgotten. */
void sim__poll_forget(struct solo_world *world, struct sim_watch *watches);

#endif
