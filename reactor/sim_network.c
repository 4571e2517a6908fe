/*
 * sim_network.c - the network of the simulated world: IPv4 byte streams in memory.
 *
 * Invariants. A descriptor number is given once in a schedule, from 3 on, so a stale number is -EBADF and never somebody
 * else's. Both ends of a connection share one object id and every operation on it counts as a write: what one end does
 * changes what the other sees. A port number keeps one object id from its first mention on, whoever listens there: LISTEN,
 * CONNECT and ACCEPT speak of it. Every operation is announced before it is done, here and not by the callers.
 *
 * What it is like. A connection exists as soon as it is asked for and somebody listens (up to BACKLOG_MAX are waiting to be
 * accepted, more have to wait for that). Nobody listening is a refusal, except to a peer script, which waits until somebody
 * does: it stands for a client that comes when the server is up. A buffer holds SIM_PIPE_MAX bytes in each direction. What arrived
 * before the end of a stream, or before a reset, can still be read. Closing with bytes unread resets the other side, as TCP
 * does. What is written to an other side that has closed is lost; the write after that fails, and on a pair the first one does.
 *
 * What may be chosen. How many bytes a read gets: all that is there and fits, or one, or half. It is asked in the first
 * CHUNK_CHOICES_MAX reads of each direction that have two bytes or more, so that the choices of a schedule stay few, and not
 * for peer scripts, to which it makes no difference. With a budget of faults: a reset, a short read, a refused connect.
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include "sim_pipe.h"
#include <string.h>

enum {
    FIRST_FD = 3,
    OPEN_MAX = 1024, /* descriptors open at one time */
    TABLE_FIRST = 16,
    BACKLOG_MAX = 128,
    CHUNK_CHOICES_MAX = 4,
    EPHEMERAL_FIRST = 49152,
    LOOPBACK_NET = 127,
};

/* Tags of the fault choices. */
enum { FAULT_RESET = 0x72657374, FAULT_SHORT_READ = 0x73687274, FAULT_REFUSED = 0x72656675 };

enum kind { LISTENER = 1, STREAM };
enum stage { CONNECTING = 1, CONNECTED, REFUSED };

struct sim_descriptor {
    int fd; /* -1: not accepted yet */
    uint32_t object;
    uint8_t kind;
    uint8_t stage; /* of a stream */
    bool closed;
    bool ended;                  /* the other side is closed: after `in` comes the end of the stream */
    bool told;                   /* has written to a closed other side, which TCP answers so that the next write fails */
    int error;                   /* after `in` comes this error; 0: none */
    uint16_t port;               /* local */
    struct sim_watch *watches;
    struct sim_descriptor *peer; /* the other end; NULL: closed, or none yet */
    struct sim_pipe in;
    uint32_t chunk_choices;      /* asked so far for reads of `in` */
    struct service *service;     /* a listener's, or the one that a stream waits for */
    struct sim_descriptor *next; /* in a service's or listener's queue */
};

struct queue {
    struct sim_descriptor *first, *last;
    uint32_t count;
};

/* A port number that somebody has spoken of. */
struct service {
    struct service *next;
    uint32_t object;
    uint16_t port;
    struct sim_descriptor *listener; /* NULL: nobody listens */
    struct queue queue;              /* ends to be accepted; those past BACKLOG_MAX are not connected yet */
    struct queue hopeful;            /* ends of peer scripts that wait until somebody listens */
};

struct sim_network {
    struct sim_descriptor **table; /* by fd - FIRST_FD; NULL once closed */
    uint32_t used, capacity, open;
    struct service *services;
    uint16_t ephemeral;
    struct sim_rings rings;
};

/* ---- Descriptors ---- */

static struct sim_network *network_of(struct solo_world *world)
{
    struct sim_world *sim = sim_world_of(world);
    if (sim->network == NULL) {
        struct sim_network *network = core_allocate(sim->core, sizeof *network);
        if (network == NULL) {
            return NULL;
        }
        memset(network, 0, sizeof *network);
        network->ephemeral = EPHEMERAL_FIRST;
        sim->network = network;
    }
    return sim->network;
}

struct sim_descriptor *sim__descriptor_find(struct solo_world *world, int fd)
{
    const struct sim_network *network = sim_world_of(world)->network;
    uint32_t index = (uint32_t)fd - FIRST_FD;
    return network != NULL && fd >= FIRST_FD && index < network->used ? network->table[index] : NULL;
}

uint32_t sim__descriptor_object(const struct sim_descriptor *descriptor)
{
    return descriptor->object;
}

struct sim_watch **sim__descriptor_watches(struct sim_descriptor *descriptor)
{
    return &descriptor->watches;
}

static struct sim_descriptor *make(struct solo_world *world, enum kind kind, uint32_t object, uint16_t port)
{
    struct sim_descriptor *descriptor = core_allocate(core_of(world), sizeof *descriptor);
    if (descriptor != NULL) {
        memset(descriptor, 0, sizeof *descriptor);
        descriptor->fd = -1;
        descriptor->object = object;
        descriptor->kind = (uint8_t)kind;
        descriptor->port = port;
    }
    return descriptor;
}

static bool grow_table(struct solo_world *world, struct sim_network *network)
{
    uint32_t capacity = network->capacity > 0 ? network->capacity * 2 : TABLE_FIRST;
    struct sim_descriptor **table = core_allocate(core_of(world), capacity * sizeof(struct sim_descriptor *));
    if (table == NULL) {
        return false;
    }
    if (network->used > 0) {
        memcpy(table, network->table, network->used * sizeof(struct sim_descriptor *));
    }
    network->table = table;
    network->capacity = capacity;
    return true;
}

/* Room for `count` more descriptors. 0, -EMFILE or -ENOMEM. */
static int reserve(struct solo_world *world, struct sim_network *network, uint32_t count)
{
    if (network->open + count > OPEN_MAX) {
        return -EMFILE;
    }
    if (network->used + count > network->capacity && !grow_table(world, network)) {
        return -ENOMEM;
    }
    return 0;
}

/* Gives it the next number; there is room. */
static int number(struct sim_network *network, struct sim_descriptor *descriptor)
{
    network->table[network->used] = descriptor;
    network->open++;
    descriptor->fd = (int)network->used++ + FIRST_FD;
    return descriptor->fd;
}

/* ---- Readiness ---- */

static void append(struct queue *queue, struct sim_descriptor *descriptor)
{
    descriptor->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = descriptor;
    } else {
        queue->first = descriptor;
    }
    queue->last = descriptor;
    queue->count++;
}

static struct sim_descriptor *pop(struct queue *queue)
{
    struct sim_descriptor *descriptor = queue->first;
    if (descriptor != NULL) {
        queue->first = descriptor->next;
        queue->last = queue->first != NULL ? queue->last : NULL;
        queue->count--;
    }
    return descriptor;
}

static void take_out(struct queue *queue, struct sim_descriptor *descriptor)
{
    struct queue rest = {NULL, NULL, 0};
    for (struct sim_descriptor *at = pop(queue); at != NULL; at = pop(queue)) {
        if (at != descriptor) {
            append(&rest, at);
        }
    }
    *queue = rest;
}

static uint32_t stream_ready(const struct sim_descriptor *stream)
{
    uint32_t ready = 0;
    if (stream->stage == CONNECTING) {
        return 0;
    }
    if (stream->stage == REFUSED || stream->error != 0) {
        return SOLO_READABLE | SOLO_WRITABLE | SOLO_HANGUP;
    }
    if (stream->in.count > 0 || stream->ended) {
        ready |= SOLO_READABLE;
    }
    if (stream->peer == NULL || stream->peer->in.count < SIM_PIPE_MAX) {
        ready |= SOLO_WRITABLE;
    }
    return ready;
}

uint32_t sim__descriptor_ready(const struct sim_descriptor *descriptor)
{
    if (descriptor->kind == STREAM) {
        return stream_ready(descriptor);
    }
    return descriptor->service->queue.first != NULL ? SOLO_READABLE : 0;
}

static void notify(struct solo_world *world, const struct sim_descriptor *descriptor)
{
    if (descriptor != NULL && descriptor->watches != NULL) {
        sim__poll_notify(core_of(world), descriptor->watches, sim__descriptor_ready(descriptor));
    }
}

/* ---- Announcing ---- */

/*
 * Announces an operation on an open descriptor, then tells race detectors to look away. NULL: it is not open (any more), and
 * they do not look away.
 */
static struct sim_descriptor *begin(struct solo_world *world, int fd, enum solo_probe_kind kind, uint64_t value)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_descriptor *descriptor = sim__descriptor_find(world, fd);
    uint32_t object = descriptor == NULL ? 0 : kind == SOLO_PROBE_ACCEPT ? descriptor->service->object : descriptor->object;
    SOLO_ANNOTATE_IGNORE_END();
    if (descriptor == NULL) {
        return NULL;
    }
    core_announce(core_of(world), kind, SOLO_ACCESS_WRITE, object, value);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    if (descriptor->closed) {
        SOLO_ANNOTATE_IGNORE_END();
        return NULL;
    }
    return descriptor;
}

/* The service of a port, made at its first mention; NULL without memory. */
static struct service *service_of(struct solo_world *world, uint16_t port)
{
    struct sim_network *network = network_of(world);
    struct service *service = network != NULL ? network->services : NULL;
    while (service != NULL && service->port != port) {
        service = service->next;
    }
    if (service != NULL || network == NULL) {
        return service;
    }
    service = core_allocate(core_of(world), sizeof *service);
    if (service == NULL) {
        return NULL;
    }
    memset(service, 0, sizeof *service);
    service->port = port;
    service->object = solo__object_next_id(world, SOLO__STREAM);
    service->next = network->services;
    network->services = service;
    return service;
}

/* Announces LISTEN or CONNECT on a port and returns its service. */
static struct service *begin_service(struct solo_world *world, enum solo_probe_kind kind, uint16_t port)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct service *service = service_of(world, port);
    uint32_t object = service != NULL ? service->object : 0;
    SOLO_ANNOTATE_IGNORE_END();
    core_announce(core_of(world), kind, SOLO_ACCESS_WRITE, object, port);
    return service;
}

static uint16_t next_ephemeral(struct solo_world *world)
{
    struct sim_network *network = network_of(world);
    if (network == NULL) {
        return 0;
    }
    uint16_t port = network->ephemeral;
    network->ephemeral = port == UINT16_MAX ? EPHEMERAL_FIRST : (uint16_t)(port + 1);
    return port;
}

static bool is_local(uint32_t address)
{
    return address == 0 || address >> 24 == LOOPBACK_NET;
}

/* ---- Connecting ---- */

/* Joins a client's end with a fresh end for the server, which goes into the service's queue. */
static int join(struct solo_world *world, struct service *service, struct sim_descriptor *client)
{
    struct sim_descriptor *server = make(world, STREAM, client->object, service->port);
    if (server == NULL) {
        return -ENOMEM;
    }
    client->peer = server;
    client->service = service;
    server->peer = client;
    server->stage = CONNECTED;
    client->stage = service->queue.count < BACKLOG_MAX ? CONNECTED : CONNECTING;
    append(&service->queue, server);
    notify(world, service->listener);
    notify(world, client);
    return 0;
}

static void refuse(struct sim_descriptor *client, int error)
{
    client->stage = REFUSED;
    client->error = error;
    client->peer = NULL;
}

static int open_connection(struct solo_world *world, uint32_t address, struct service *service, int *ret_fd)
{
    struct sim_network *network = network_of(world);
    int error = reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    struct sim_descriptor *client =
        make(world, STREAM, solo__object_next_id(world, SOLO__STREAM), next_ephemeral(world));
    if (client == NULL) {
        return -ENOMEM;
    }
    if (is_local(address) && service->listener != NULL) {
        error = join(world, service, client);
        if (error < 0) {
            return error;
        }
    } else if (is_local(address) && solo__self->role == SOLO__ROLE_PEER) {
        client->stage = CONNECTING;
        client->service = service;
        append(&service->hopeful, client);
    } else {
        refuse(client, -ECONNREFUSED);
    }
    *ret_fd = number(network, client);
    return 0;
}

static int sim_connect(struct solo_world *world, uint32_t address, uint16_t port, int *ret_fd)
{
    struct service *service = begin_service(world, SOLO_PROBE_CONNECT, port);
    if (service == NULL) {
        return -ENOMEM;
    }
    if (core_fault(core_of(world), FAULT_REFUSED, port)) {
        return -ECONNREFUSED;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = open_connection(world, address, service, ret_fd);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

static int open_listener(struct solo_world *world, struct service *service, uint16_t port, int *ret_fd)
{
    struct sim_network *network = network_of(world);
    if (service->listener != NULL) {
        return -EADDRINUSE;
    }
    int error = reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    struct sim_descriptor *listener = make(world, LISTENER, service->object, port);
    if (listener == NULL) {
        return -ENOMEM;
    }
    listener->service = service;
    service->listener = listener;
    for (struct sim_descriptor *client = pop(&service->hopeful); client != NULL; client = pop(&service->hopeful)) {
        if (join(world, service, client) < 0) {
            refuse(client, -ECONNREFUSED);
            notify(world, client);
        }
    }
    *ret_fd = number(network, listener);
    return 0;
}

/* A free port for a listener that asked for 0. */
static uint16_t free_port(struct solo_world *world)
{
    for (unsigned tries = 0; tries <= UINT16_MAX - EPHEMERAL_FIRST; tries++) {
        uint16_t port = next_ephemeral(world);
        const struct service *service = port != 0 ? service_of(world, port) : NULL;
        if (service != NULL && service->listener == NULL) {
            return port;
        }
    }
    return 0;
}

static int sim_listen(struct solo_world *world, uint32_t address, uint16_t port, int *ret_fd)
{
    if (!is_local(address)) {
        return -EADDRNOTAVAIL;
    }
    if (port == 0) {
        SOLO_ANNOTATE_IGNORE_BEGIN();
        port = free_port(world);
        SOLO_ANNOTATE_IGNORE_END();
        if (port == 0) {
            return -EADDRINUSE;
        }
    }
    struct service *service = begin_service(world, SOLO_PROBE_LISTEN, port);
    if (service == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = open_listener(world, service, port, ret_fd);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* One place in the backlog is free: who waits at its end is connected now. */
static void advance_backlog(struct solo_world *world, const struct service *service)
{
    struct sim_descriptor *server = service->queue.first;
    for (unsigned i = 0; server != NULL; server = server->next, i++) {
        if (i < BACKLOG_MAX && server->peer != NULL && server->peer->stage == CONNECTING) {
            server->peer->stage = CONNECTED;
            notify(world, server->peer);
        }
    }
}

static int take_connection(struct solo_world *world, struct sim_descriptor *listener, int *ret_fd)
{
    if (listener->kind != LISTENER) {
        return -EINVAL;
    }
    if (listener->service->queue.first == NULL) {
        return -EAGAIN;
    }
    struct sim_network *network = network_of(world);
    int error = reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    struct sim_descriptor *server = pop(&listener->service->queue);
    if (listener->service->queue.count >= BACKLOG_MAX) {
        advance_backlog(world, listener->service);
    }
    *ret_fd = number(network, server);
    return 0;
}

static int sim_accept(struct solo_world *world, int fd, int *ret_fd)
{
    struct sim_descriptor *listener = begin(world, fd, SOLO_PROBE_ACCEPT, 0);
    if (listener == NULL) {
        return -EBADF;
    }
    int result = take_connection(world, listener, ret_fd);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

static int sim_pair(struct solo_world *world, int ret_fds[2])
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_network *network = network_of(world);
    int result = network != NULL ? reserve(world, network, 2) : -ENOMEM;
    if (result == 0) {
        uint32_t object = solo__object_next_id(world, SOLO__STREAM);
        struct sim_descriptor *one = make(world, STREAM, object, 0);
        struct sim_descriptor *other = make(world, STREAM, object, 0);
        if (one == NULL || other == NULL) {
            result = -ENOMEM;
        } else {
            one->peer = other;
            other->peer = one;
            one->stage = other->stage = CONNECTED;
            ret_fds[0] = number(network, one);
            ret_fds[1] = number(network, other);
        }
    }
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* ---- Bytes ---- */

/* The connection is broken: both ends get `error` after what has arrived there. */
static void reset(struct solo_world *world, struct sim_descriptor *stream, int error)
{
    struct sim_descriptor *peer = stream->peer;
    stream->error = error;
    stream->peer = NULL;
    if (peer != NULL) {
        peer->error = error;
        peer->peer = NULL;
        notify(world, peer);
    }
}

/* Why nothing can be read or written, or 0. */
static int not_connected(const struct sim_descriptor *stream)
{
    if (stream->kind != STREAM) {
        return -ENOTCONN;
    }
    return stream->stage == CONNECTED ? 0 : stream->stage == CONNECTING ? -EAGAIN : stream->error;
}

/* How much a read gets; the chooser is asked in the first few reads of a stream that have a choice. */
static uint32_t choose_chunk(struct core *core, struct sim_descriptor *stream, uint32_t most)
{
    const uint32_t sizes[] = {most, 1, most / 2};
    struct solo_option records[3];
    const struct solo_option *options[3];
    size_t count = most < 2 ? 1 : most < 4 ? 2 : 3;
    if (count == 1 || stream->chunk_choices >= CHUNK_CHOICES_MAX || solo__self->role == SOLO__ROLE_PEER) {
        return core_fault(core, FAULT_SHORT_READ, stream->object) ? 1 : most;
    }
    stream->chunk_choices++;
    for (size_t i = 0; i < count; i++) {
        records[i] = (struct solo_option){.tag = sizes[i],
                                          .thread = solo__self->number,
                                          .operation = SOLO_PROBE_READ,
                                          .access = SOLO_ACCESS_WRITE,
                                          .object = stream->object};
        options[i] = &records[i];
    }
    return sizes[core_choose(core, SOLO_CHOICE_CHUNK, options, count)];
}

#if defined(SOLO_TSAN)
/* Exported by the runtime, in no public header: the program's own buffer is looked at although detectors look away. */
void __tsan_read_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);
#define BUFFER_READ(address, size) __tsan_read_range((void *)(uintptr_t)(address), (size))
#define BUFFER_WRITTEN(address, size) __tsan_write_range((address), (size))
#else
#define BUFFER_READ(address, size) ((void)0)
#define BUFFER_WRITTEN(address, size) ((void)0)
#endif

static ptrdiff_t read_stream(struct solo_world *world, struct sim_descriptor *stream, void *buffer, uint32_t size)
{
    bool was_full = stream->in.count == SIM_PIPE_MAX;
    sim__pipe_take(&stream->in, buffer, size);
    if (was_full) {
        notify(world, stream->peer);
    }
    return (ptrdiff_t)size;
}

/* What a read has to say when nothing is there to be read. */
static ptrdiff_t nothing_to_read(const struct sim_descriptor *stream)
{
    return stream->error != 0 ? stream->error : stream->ended ? 0 : -EAGAIN;
}

static ptrdiff_t sim_read(struct solo_world *world, int fd, void *buffer, size_t size)
{
    struct core *core = core_of(world);
    struct sim_descriptor *stream = begin(world, fd, SOLO_PROBE_READ, size);
    if (stream == NULL) {
        return -EBADF;
    }
    ptrdiff_t result = not_connected(stream);
    uint32_t most = stream->in.count < size ? stream->in.count : (uint32_t)size;
    if (result == 0 && most == 0) {
        result = size == 0 ? 0 : nothing_to_read(stream);
    }
    SOLO_ANNOTATE_IGNORE_END();
    if (result < 0 || most == 0) {
        return result;
    }
    if (core_fault(core, FAULT_RESET, stream->object)) {
        SOLO_ANNOTATE_IGNORE_BEGIN();
        stream->in.count = 0;
        reset(world, stream, -ECONNRESET);
        SOLO_ANNOTATE_IGNORE_END();
        return -ECONNRESET;
    }
    uint32_t chunk = choose_chunk(core, stream, most);
    SOLO_ANNOTATE_HAPPENS_AFTER(&stream->in);
    BUFFER_WRITTEN(buffer, chunk);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    result = read_stream(world, stream, buffer, chunk);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

static ptrdiff_t write_stream(struct solo_world *world, struct sim_descriptor *stream, const void *data, size_t size)
{
    int error = not_connected(stream);
    if (error != 0) {
        return error;
    }
    if (stream->error != 0) {
        return stream->error;
    }
    if (size == 0) {
        return 0;
    }
    if (stream->peer == NULL) {
        bool is_pair = stream->port == 0;
        bool fails = stream->told || is_pair;
        stream->told = true;
        return fails ? -EPIPE : (ptrdiff_t)size;
    }
    uint32_t put = sim__pipe_put(&network_of(world)->rings, core_of(world), &stream->peer->in, data, size);
    if (put == 0) {
        return -EAGAIN;
    }
    notify(world, stream->peer);
    return (ptrdiff_t)put;
}

static ptrdiff_t sim_write(struct solo_world *world, int fd, const void *data, size_t size)
{
    struct sim_descriptor *stream = begin(world, fd, SOLO_PROBE_WRITE, size);
    if (stream == NULL) {
        return -EBADF;
    }
    struct sim_descriptor *peer = stream->peer;
    uint32_t object = stream->object;
    SOLO_ANNOTATE_IGNORE_END();
    if (peer != NULL && core_fault(core_of(world), FAULT_RESET, object)) {
        SOLO_ANNOTATE_IGNORE_BEGIN();
        reset(world, stream, -ECONNRESET);
        SOLO_ANNOTATE_IGNORE_END();
        return -ECONNRESET;
    }
    BUFFER_READ(data, size);
    if (peer != NULL) {
        SOLO_ANNOTATE_HAPPENS_BEFORE(&peer->in);
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    ptrdiff_t result = write_stream(world, stream, data, size);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* ---- Closing ---- */

/* The other end learns it, after what is on its way: the end of the stream, or a reset. */
static void leave(struct solo_world *world, struct sim_descriptor *stream, bool abort)
{
    struct sim_descriptor *peer = stream->peer;
    if (peer == NULL) {
        return;
    }
    if (abort || stream->in.count > 0) {
        reset(world, stream, -ECONNRESET);
        return;
    }
    stream->peer = NULL;
    peer->peer = NULL;
    peer->ended = true;
    notify(world, peer);
}

static void close_stream(struct solo_world *world, struct sim_descriptor *stream, bool abort)
{
    if (stream->stage == CONNECTING && stream->peer == NULL) {
        take_out(&stream->service->hopeful, stream);
    } else if (stream->stage == CONNECTING) {
        take_out(&stream->service->queue, stream->peer);
        stream->peer = NULL;
    }
    leave(world, stream, abort);
    sim__pipe_free(&network_of(world)->rings, &stream->in);
}

/* Who was never accepted is reset, or refused if it was not even connected. */
static void close_listener(struct solo_world *world, struct sim_descriptor *listener)
{
    struct service *service = listener->service;
    service->listener = NULL;
    for (struct sim_descriptor *server = pop(&service->queue); server != NULL; server = pop(&service->queue)) {
        struct sim_descriptor *client = server->peer;
        if (client != NULL && client->stage == CONNECTING) {
            refuse(client, -ECONNREFUSED);
            notify(world, client);
        } else {
            leave(world, server, true);
        }
        sim__pipe_free(&network_of(world)->rings, &server->in);
    }
}

static void sim_close(struct solo_world *world, int fd, bool abort)
{
    struct sim_descriptor *descriptor = begin(world, fd, SOLO_PROBE_CLOSE, abort);
    if (descriptor == NULL) {
        return;
    }
    struct sim_network *network = network_of(world);
    sim__poll_forget(descriptor->watches);
    descriptor->watches = NULL;
    descriptor->closed = true;
    network->table[fd - FIRST_FD] = NULL;
    network->open--;
    if (descriptor->kind == LISTENER) {
        close_listener(world, descriptor);
    } else {
        close_stream(world, descriptor, abort);
    }
    SOLO_ANNOTATE_IGNORE_END();
}

static int answer(const struct sim_descriptor *descriptor, enum solo_query what)
{
    if (descriptor == NULL) {
        return -EBADF;
    }
    if (what == SOLO_QUERY_PORT) {
        return descriptor->port != 0 ? descriptor->port : -EINVAL;
    }
    if (what != SOLO_QUERY_CONNECTED) {
        return -EINVAL;
    }
    if (descriptor->kind != STREAM) {
        return -ENOTCONN;
    }
    return descriptor->stage == CONNECTING ? -EINPROGRESS : descriptor->error;
}

static int sim_query(struct solo_world *world, int fd, enum solo_query what)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = answer(sim__descriptor_find(world, fd), what);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

const struct solo_network_table sim__network_table = {sim_listen, sim_accept, sim_connect, sim_read,
                                                      sim_write,  sim_close,  sim_pair,    sim_query};
