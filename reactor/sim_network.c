/*
 * sim_network.c - the network of the simulated world: IPv4 byte streams in memory.
 *
 * Invariants. Both ends of a connection share one object id and every operation on it counts as a write: what one end
 * does changes what the other sees. A port number keeps one object id from its first mention on, whoever listens
 * there: LISTEN, CONNECT and ACCEPT speak of it. Every operation is announced before it is done, here and not by the
 * callers.
 *
 * What it is like. A connection exists as soon as it is asked for and somebody listens (up to BACKLOG_MAX are waiting
 * to be accepted, more have to wait for that). Nobody listening is a refusal, except to a peer script, which waits
 * until somebody does: it stands for a client that comes when the server is up. A buffer holds SIM_PIPE_MAX bytes in
 * each direction. Closing with bytes unread resets the other side, as TCP does. What is written to an other side that
 * has closed is lost; the write after that fails, and on a pair the first one does. With a budget of faults a connect
 * may be refused.
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include <string.h>

enum { BACKLOG_MAX = 128, LOOPBACK_NET = 127 };
enum { FAULT_REFUSED = 0x72656675 }; /* tag of the fault choice */

/* ---- Ports ---- */

/* The service of a port, made at its first mention; NULL without memory. */
static struct sim_service *service_of(struct solo_world *world, uint16_t port)
{
    struct sim_network *network = sim__network_of(world);
    struct sim_service *service = network != NULL ? network->services : NULL;
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
static struct sim_service *begin_service(struct solo_world *world, enum solo_probe_kind kind, uint16_t port)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_service *service = service_of(world, port);
    uint32_t object = service != NULL ? service->object : 0;
    SOLO_ANNOTATE_IGNORE_END();
    core_announce(core_of(world), kind, SOLO_ACCESS_WRITE, object, port);
    return service;
}

static uint16_t next_ephemeral(struct solo_world *world)
{
    struct sim_network *network = sim__network_of(world);
    if (network == NULL) {
        return 0;
    }
    uint16_t port = network->ephemeral;
    network->ephemeral = port == UINT16_MAX ? SIM_EPHEMERAL_FIRST : (uint16_t)(port + 1);
    return port;
}

static bool is_local(uint32_t address)
{
    return address == 0 || address >> 24 == LOOPBACK_NET;
}

/* ---- Connecting ---- */

/* Joins a client's end with a fresh end for the server, which goes into the service's queue. */
static int join(struct solo_world *world, struct sim_service *service, struct sim_descriptor *client)
{
    struct sim_descriptor *server = sim__descriptor_make(world, SIM_STREAM, client->object, service->port);
    if (server == NULL) {
        return -ENOMEM;
    }
    client->peer = server;
    client->service = service;
    server->peer = client;
    server->stage = SIM_CONNECTED;
    client->stage = service->queue.count < BACKLOG_MAX ? SIM_CONNECTED : SIM_CONNECTING;
    sim__queue_append(&service->queue, server);
    sim__descriptor_notify(world, service->listener);
    sim__descriptor_notify(world, client);
    return 0;
}

static void refuse(struct sim_descriptor *client, int error)
{
    client->stage = SIM_REFUSED;
    client->error = error;
    client->peer = NULL;
}

static int open_connection(struct solo_world *world, uint32_t address, struct sim_service *service, int *ret_fd)
{
    struct sim_network *network = sim__network_of(world);
    int error = sim__descriptors_reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    struct sim_descriptor *client =
        sim__descriptor_make(world, SIM_STREAM, solo__object_next_id(world, SOLO__STREAM), next_ephemeral(world));
    if (client == NULL) {
        return -ENOMEM;
    }
    if (is_local(address) && service->listener != NULL) {
        error = join(world, service, client);
        if (error < 0) {
            return error;
        }
    } else if (is_local(address) && solo__self->role == SOLO__ROLE_PEER) {
        client->stage = SIM_CONNECTING;
        client->service = service;
        sim__queue_append(&service->hopeful, client);
    } else {
        refuse(client, -ECONNREFUSED);
    }
    *ret_fd = sim__descriptor_number(network, client);
    return 0;
}

static int sim_connect(struct solo_world *world, uint32_t address, uint16_t port, int *ret_fd)
{
    struct sim_service *service = begin_service(world, SOLO_PROBE_CONNECT, port);
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

static int open_listener(struct solo_world *world, struct sim_service *service, uint16_t port, int *ret_fd)
{
    struct sim_network *network = sim__network_of(world);
    if (service->listener != NULL) {
        return -EADDRINUSE;
    }
    int error = sim__descriptors_reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    struct sim_descriptor *listener = sim__descriptor_make(world, SIM_LISTENER, service->object, port);
    if (listener == NULL) {
        return -ENOMEM;
    }
    listener->service = service;
    service->listener = listener;
    for (struct sim_descriptor *client = sim__queue_pop(&service->hopeful); client != NULL;
         client = sim__queue_pop(&service->hopeful)) {
        if (join(world, service, client) < 0) {
            refuse(client, -ECONNREFUSED);
            sim__descriptor_notify(world, client);
        }
    }
    *ret_fd = sim__descriptor_number(network, listener);
    return 0;
}

/* A free port for a listener that asked for 0. */
static uint16_t free_port(struct solo_world *world)
{
    for (unsigned tries = 0; tries <= UINT16_MAX - SIM_EPHEMERAL_FIRST; tries++) {
        uint16_t port = next_ephemeral(world);
        const struct sim_service *service = port != 0 ? service_of(world, port) : NULL;
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
    struct sim_service *service = begin_service(world, SOLO_PROBE_LISTEN, port);
    if (service == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = open_listener(world, service, port, ret_fd);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* One place in the backlog is free: who waits at its end is connected now. */
static void advance_backlog(struct solo_world *world, const struct sim_service *service)
{
    struct sim_descriptor *server = service->queue.first;
    for (unsigned i = 0; server != NULL; server = server->next, i++) {
        if (i < BACKLOG_MAX && server->peer != NULL && server->peer->stage == SIM_CONNECTING) {
            server->peer->stage = SIM_CONNECTED;
            sim__descriptor_notify(world, server->peer);
        }
    }
}

static int take_connection(struct solo_world *world, struct sim_descriptor *listener, int *ret_fd)
{
    if (listener->kind != SIM_LISTENER) {
        return -EINVAL;
    }
    if (listener->service->queue.first == NULL) {
        return -EAGAIN;
    }
    struct sim_network *network = sim__network_of(world);
    int error = sim__descriptors_reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    struct sim_descriptor *server = sim__queue_pop(&listener->service->queue);
    if (listener->service->queue.count >= BACKLOG_MAX) {
        advance_backlog(world, listener->service);
    }
    *ret_fd = sim__descriptor_number(network, server);
    return 0;
}

static int sim_accept(struct solo_world *world, int fd, int *ret_fd)
{
    struct sim_descriptor *listener = sim__descriptor_begin(world, fd, SOLO_PROBE_ACCEPT, 0);
    if (listener == NULL) {
        return -EBADF;
    }
    int result = take_connection(world, listener, ret_fd);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* ---- Closing ---- */

static void close_stream(struct solo_world *world, struct sim_descriptor *stream, bool abort)
{
    if (stream->stage == SIM_CONNECTING && stream->peer == NULL) {
        sim__queue_take_out(&stream->service->hopeful, stream);
    } else if (stream->stage == SIM_CONNECTING) {
        sim__queue_take_out(&stream->service->queue, stream->peer);
        stream->peer = NULL;
    }
    sim__stream_leave(world, stream, abort);
    sim__pipe_free(&sim__network_of(world)->rings, &stream->in);
}

/* Who was never accepted is reset, or refused if it was not even connected. */
static void close_listener(struct solo_world *world, struct sim_descriptor *listener)
{
    struct sim_service *service = listener->service;
    service->listener = NULL;
    for (struct sim_descriptor *server = sim__queue_pop(&service->queue); server != NULL;
         server = sim__queue_pop(&service->queue)) {
        struct sim_descriptor *client = server->peer;
        if (client != NULL && client->stage == SIM_CONNECTING) {
            refuse(client, -ECONNREFUSED);
            sim__descriptor_notify(world, client);
        } else {
            sim__stream_leave(world, server, true);
        }
        sim__pipe_free(&sim__network_of(world)->rings, &server->in);
    }
}

static void sim_close(struct solo_world *world, int fd, bool abort)
{
    struct sim_descriptor *descriptor = sim__descriptor_begin(world, fd, SOLO_PROBE_CLOSE, abort);
    if (descriptor == NULL) {
        return;
    }
    struct sim_network *network = sim__network_of(world);
    sim__poll_forget(descriptor->watches);
    descriptor->watches = NULL;
    descriptor->closed = true;
    network->table[fd - SIM_FIRST_FD] = NULL;
    network->open--;
    if (descriptor->kind == SIM_LISTENER) {
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
    if (descriptor->kind != SIM_STREAM) {
        return -ENOTCONN;
    }
    return descriptor->stage == SIM_CONNECTING ? -EINPROGRESS : descriptor->error;
}

static int sim_query(struct solo_world *world, int fd, enum solo_query what)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = answer(sim__descriptor_find(world, fd), what);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

const struct solo_network_table sim__network_table = {sim_listen,        sim_accept, sim_connect,      sim__stream_read,
                                                      sim__stream_write, sim_close,  sim__stream_pair, sim_query};
