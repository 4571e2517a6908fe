/*
 * sim_network.c - the network of the simulated world: byte streams in memory, over IPv4, IPv6 and UNIX names.
 *
 * Invariants. Both ends of a connection share one object id and every operation on it counts as a write: what one end
 * does changes what the other sees. Every operation is announced before it is done, here and not by the callers.
 *
 * What it is like. A connection exists as soon as it is asked for and somebody listens (up to BACKLOG_MAX are waiting
 * to be accepted, more have to wait for that). Nobody listening is a refusal, except to a peer script, which waits
 * until somebody does: it stands for a client that comes when the server is up. Other machines refuse, and those of the
 * documentation's networks (sim__is_silent) never answer. IPv4 and IPv6 have ports of their own. A buffer holds
 * SIM_PIPE_MAX bytes in each direction. Closing with bytes unread resets the other side, as TCP does. What is written
 * to an other side that has closed is lost; the write after that fails, and on a pair the first one does. With a budget
 * of faults a connect may be refused.
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include <string.h>

enum { BACKLOG_MAX = 128 };
enum { FAULT_REFUSED = 0x72656675 }; /* tag of the fault choice */

/* ---- Connecting ---- */

/* Joins a client's end with a fresh end for the server, which goes into the service's queue. */
static int join(struct solo_world *world, struct sim_service *service, struct sim_descriptor *client)
{
    struct sim_descriptor *server = sim__descriptor_make(world, SIM_STREAM, client->object, service->port);
    if (server == NULL) {
        return -ENOMEM;
    }
    client->peer = server;
    client->service = server->service = service;
    server->peer = client;
    server->is_server = true;
    server->peer_port = client->port;
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

/* Why the client of a UNIX name fails at once, or 0. */
static int name_error(const struct sim_service *service)
{
    if (service->listener == NULL) {
        return service->stale ? -ECONNREFUSED : -ENOENT;
    }
    return service->queue.count < BACKLOG_MAX ? 0 : -EAGAIN;
}

static int open_connection(struct solo_world *world, struct sim_service *service, const struct solo_address *remote,
                           uint16_t local_port, int *ret_fd)
{
    struct sim_network *network = sim__network_of(world);
    bool is_name = service->space == SIM_NAMES;
    bool is_peer = solo__self->role == SOLO__ROLE_PEER;
    int error = is_name && !is_peer ? name_error(service) : 0;
    error = error != 0 ? error : sim__descriptors_reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    uint32_t object = solo__object_next_id(world, SOLO__STREAM);
    uint16_t port = is_name ? 0 : local_port != 0 ? local_port : sim__service_next_port(world);
    struct sim_descriptor *client = sim__descriptor_make(world, SIM_STREAM, object, port);
    if (client == NULL) {
        return -ENOMEM;
    }
    client->service = service;
    if (sim__is_local(remote) && service->listener != NULL) {
        error = join(world, service, client);
        if (error < 0) {
            return error;
        }
    } else if (sim__is_local(remote) && is_peer) {
        client->stage = SIM_CONNECTING;
        sim__queue_append(&service->hopeful, client);
    } else if (sim__is_silent(remote)) {
        client->stage = SIM_CONNECTING;
    } else {
        refuse(client, -ECONNREFUSED);
    }
    *ret_fd = sim__descriptor_number(network, client);
    return 0;
}

static enum sim_space space_of(const struct solo_address *address)
{
    return address->family == SOLO_UNIX ? SIM_NAMES : address->family == SOLO_INET6 ? SIM_TCP6 : SIM_TCP;
}

/* Whether a client may be at this address of its own. */
static int check_own(struct solo_world *world, const struct solo_address *local, const struct solo_address *remote)
{
    if (local->family == SOLO_UNIX || local->family != remote->family) {
        return -EINVAL;
    }
    if (!sim__is_local(local)) {
        return -EADDRNOTAVAIL;
    }
    const struct sim_service *service = local->port != 0 ? sim__service_of(world, space_of(local), local) : NULL;
    return service != NULL && service->listener != NULL ? -EADDRINUSE : 0;
}

static int connect_stream(struct solo_world *world, const struct solo_address *local, const struct solo_address *remote,
                          int *ret_fd)
{
    struct sim_service *service = sim__service_begin(world, SOLO_PROBE_CONNECT, space_of(remote), remote);
    if (service == NULL) {
        return -ENOMEM;
    }
    if (core_fault(core_of(world), FAULT_REFUSED, remote->port)) {
        return -ECONNREFUSED;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = local != NULL ? check_own(world, local, remote) : 0;
    if (result == 0) {
        result = open_connection(world, service, remote, local != NULL ? local->port : 0, ret_fd);
    }
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

static int open_listener(struct solo_world *world, struct sim_service *service, uint16_t port, int *ret_fd)
{
    struct sim_network *network = sim__network_of(world);
    if (service->listener != NULL || service->stale) {
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

static int listen_at(struct solo_world *world, const struct solo_address *local, int *ret_fd)
{
    struct solo_address at = *local;
    enum sim_space space = space_of(local);
    int error = space != SIM_NAMES ? sim__service_choose_port(world, space, &at) : 0;
    if (error < 0) {
        return error;
    }
    struct sim_service *service = sim__service_begin(world, SOLO_PROBE_LISTEN, space, &at);
    if (service == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = open_listener(world, service, at.port, ret_fd);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

static bool is_known(const struct solo_address *address)
{
    return address == NULL || address->family == SOLO_INET || address->family == SOLO_INET6 ||
           (address->family == SOLO_UNIX && *address->path != 0);
}

static int sim_open(struct solo_world *world, enum solo_open kind, const struct solo_address *local,
                    const struct solo_address *remote, int *ret_fd)
{
    const struct solo_address *needed = kind == SOLO_OPEN_STREAM ? remote : local;
    if (needed == NULL || !is_known(local) || !is_known(remote)) {
        return -EINVAL;
    }
    switch (kind) {
    case SOLO_OPEN_LISTENER: return listen_at(world, local, ret_fd);
    case SOLO_OPEN_STREAM: return connect_stream(world, local, remote, ret_fd);
    case SOLO_OPEN_DATAGRAM: return sim__datagram_open(world, local, remote, ret_fd);
    default: return -EINVAL;
    }
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

static void address_of_client(const struct sim_descriptor *server, struct solo_address *ret_address)
{
    *ret_address = sim__address_at(server->service != NULL ? server->service->space : SIM_NAMES, server->peer_port);
}

static int take_connection(struct solo_world *world, struct sim_descriptor *listener, struct solo_address *ret_peer,
                           int *ret_fd)
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
    if (ret_peer != NULL) {
        address_of_client(server, ret_peer);
    }
    *ret_fd = sim__descriptor_number(network, server);
    return 0;
}

static int sim_accept(struct solo_world *world, int fd, struct solo_address *ret_peer, int *ret_fd)
{
    struct sim_descriptor *listener = sim__descriptor_begin(world, fd, SOLO_PROBE_ACCEPT, 0);
    if (listener == NULL) {
        return -EBADF;
    }
    int result = take_connection(world, listener, ret_peer, ret_fd);
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
        sim__descriptor_free(world, stream->peer);
        stream->peer = NULL;
    }
    sim__stream_leave(world, stream, abort);
    sim__pipe_free(&sim__network_of(world)->rings, &stream->in);
}

/* Who was never accepted is reset, or refused if it was not even connected. */
static void close_listener(struct solo_world *world, struct sim_descriptor *listener, bool take_name)
{
    struct sim_service *service = listener->service;
    service->listener = NULL;
    service->stale = service->space == SIM_NAMES && !take_name;
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
        sim__descriptor_free(world, server);
    }
}

/* The last of a descriptor whose CLOSE was announced. */
static void close_whole(struct solo_world *world, struct sim_descriptor *descriptor, enum solo_close how)
{
    struct sim_network *network = sim__network_of(world);
    sim__poll_forget(world, descriptor->watches);
    descriptor->watches = NULL;
    network->table[sim__place_of(descriptor->fd)] = NULL;
    network->open--;
    switch (descriptor->kind) {
    case SIM_LISTENER: close_listener(world, descriptor, how == SOLO_CLOSE_NAME); break;
    case SIM_STREAM: close_stream(world, descriptor, how == SOLO_CLOSE_ABORT && descriptor->port != 0); break;
    default: sim__datagram_close(world, descriptor); break;
    }
    sim__descriptor_free(world, descriptor);
}

static int sim_close(struct solo_world *world, int fd, enum solo_close how)
{
    struct sim_descriptor *descriptor = sim__descriptor_begin(world, fd, SOLO_PROBE_CLOSE, how);
    int result = 0;
    if (descriptor == NULL) {
        return -EBADF;
    }
    if (how == SOLO_CLOSE_WRITING) {
        result = sim__stream_end_writing(world, descriptor);
    } else {
        close_whole(world, descriptor, how);
    }
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* ---- Questions and options ---- */

static int is_connected(const struct sim_descriptor *descriptor)
{
    if (descriptor->kind != SIM_STREAM) {
        return -ENOTCONN;
    }
    return descriptor->stage == SIM_CONNECTING ? -EINPROGRESS : descriptor->error;
}

static void address_of_service(const struct sim_service *service, struct solo_address *ret_address)
{
    *ret_address = sim__address_at(service->space, service->port);
    if (service->space == SIM_NAMES) {
        strcpy(ret_address->path, service->path);
    }
}

/* The address of one end: `server` says which, the listener's or the client's. */
static void address_of_end(const struct sim_descriptor *stream, bool server, struct solo_address *ret_address)
{
    if (stream->service == NULL) { /* a pair has no names */
        *ret_address = (struct solo_address){.family = SOLO_UNIX};
    } else if (server) {
        address_of_service(stream->service, ret_address);
    } else if (stream->is_server) {
        address_of_client(stream, ret_address);
    } else {
        *ret_address = sim__address_at(stream->service->space, stream->port);
    }
}

static int address_of_peer(const struct sim_descriptor *descriptor, struct solo_address *ret_address)
{
    if (descriptor->kind == SIM_DATAGRAM && descriptor->peer_port != 0) {
        *ret_address = sim__address_at(descriptor->service->space, descriptor->peer_port);
        return 0;
    }
    if (descriptor->kind != SIM_STREAM || descriptor->stage != SIM_CONNECTED || descriptor->error != 0) {
        return -ENOTCONN;
    }
    address_of_end(descriptor, !descriptor->is_server, ret_address);
    return 0;
}

static int answer(const struct sim_descriptor *descriptor, enum solo_query what, struct solo_address *ret_address)
{
    struct solo_address unwanted;
    ret_address = ret_address != NULL ? ret_address : &unwanted;
    if (descriptor == NULL) {
        return -EBADF;
    }
    switch (what) {
    case SOLO_QUERY_CONNECTED: return is_connected(descriptor);
    case SOLO_QUERY_LOCAL:
        address_of_end(descriptor, descriptor->kind != SIM_STREAM || descriptor->is_server, ret_address);
        return 0;
    case SOLO_QUERY_PEER: return address_of_peer(descriptor, ret_address);
    default: return -EINVAL;
    }
}

static int sim_query(struct solo_world *world, int fd, enum solo_query what, struct solo_address *ret_address)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = answer(sim__descriptor_find(world, fd), what, ret_address);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* Nothing waits here to go with the next write, and no connection goes away unnoticed: options change nothing. */
static int sim_set(struct solo_world *world, int fd, enum solo_option_name what, int value)
{
    (void)value;
    if (what != SOLO_SET_NO_DELAY && what != SOLO_SET_KEEP_ALIVE && what != SOLO_SET_BROADCAST) {
        return -EINVAL;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    const struct sim_descriptor *descriptor = sim__descriptor_find(world, fd);
    bool exists = descriptor != NULL;
    bool takes_it = exists && (what == SOLO_SET_BROADCAST ? descriptor->kind == SIM_DATAGRAM
                                                          : descriptor->kind != SIM_DATAGRAM && descriptor->port != 0);
    SOLO_ANNOTATE_IGNORE_END();
    return takes_it ? 0 : exists ? -EOPNOTSUPP : -EBADF;
}

const struct solo_network_table sim__network_table = {sim_open,  sim_accept,       sim__stream_read, sim__stream_write,
                                                      sim_close, sim__stream_pair, sim_query,        sim_set};
