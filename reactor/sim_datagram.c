/*
 * sim_datagram.c - UDP in the simulated world.
 *
 * Whatever is about a socket counts as an operation on its port: a write is announced as one on the port it goes to, a
 * read as one on the reader's own.
 *
 * What it is like. A datagram arrives whole and at once, in the order in which all were sent, unless the receiver has
 * MAIL_MAX waiting: then it is lost, as it is where nobody is. A connected socket, which hears only its partner, learns
 * in its next call that nobody is there. With a budget of faults a datagram may be lost, arrive twice, or overtake the
 * one before it.
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include <string.h>

enum { MAIL_MAX = 128, DATAGRAM_MAX = 65507 };
enum {
    FAULT_LOST = 0x6c6f7374,
    FAULT_TWICE = 0x74776963,
    FAULT_OVERTAKES = 0x6f766572
}; /* tags of the fault choices */

struct sim_datagram {
    struct sim_datagram *next;
    char *data; /* a ring of `capacity` bytes */
    uint32_t size, capacity;
    uint16_t from; /* port */
};

/* ---- Opening and closing ---- */

static int open_at(struct solo_world *world, struct sim_service *service, uint16_t peer_port, int *ret_fd)
{
    struct sim_network *network = sim__network_of(world);
    if (service->listener != NULL) {
        return -EADDRINUSE;
    }
    int error = sim__descriptors_reserve(world, network, 1);
    if (error < 0) {
        return error;
    }
    struct sim_descriptor *socket = sim__descriptor_make(world, SIM_DATAGRAM, service->object, service->port);
    if (socket == NULL) {
        return -ENOMEM;
    }
    socket->service = service;
    socket->peer_port = peer_port;
    service->listener = socket;
    *ret_fd = sim__descriptor_number(network, socket);
    return 0;
}

int sim__datagram_open(struct solo_world *world, const struct solo_address *local, const struct solo_address *remote,
                       int *ret_fd)
{
    struct solo_address at = *local;
    if (local->family == SOLO_UNIX || (remote != NULL && (remote->family != local->family || remote->port == 0))) {
        return -EINVAL;
    }
    enum sim_space space = local->family == SOLO_INET6 ? SIM_UDP6 : SIM_UDP;
    int error = sim__service_choose_port(world, space, &at);
    if (error < 0) {
        return error;
    }
    struct sim_service *service = sim__service_begin(world, SOLO_PROBE_LISTEN, space, &at);
    if (service == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = open_at(world, service, remote != NULL ? remote->port : 0, ret_fd);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

static struct sim_datagram *take_first(struct sim_mail *mail)
{
    struct sim_datagram *datagram = mail->first;
    mail->first = datagram->next;
    mail->last = mail->first != NULL ? mail->last : NULL;
    mail->count--;
    return datagram;
}

static void give_back(struct sim_network *network, struct sim_datagram *datagram)
{
    sim__ring_give_back(&network->rings, datagram->data, datagram->capacity);
    datagram->next = network->spare;
    network->spare = datagram;
}

void sim__datagram_close(struct solo_world *world, struct sim_descriptor *socket)
{
    while (socket->mail.count > 0) {
        give_back(sim__network_of(world), take_first(&socket->mail));
    }
    socket->service->listener = NULL;
}

/* ---- Reading ---- */

ptrdiff_t sim__datagram_read(struct solo_world *world, struct sim_descriptor *socket, void *buffer, size_t size,
                             struct solo_address *ret_from)
{
    int error = socket->error;
    socket->error = 0;
    if (error != 0 || socket->mail.count == 0) {
        SOLO_ANNOTATE_IGNORE_END();
        return error != 0 ? error : -EAGAIN;
    }
    struct sim_datagram *datagram = take_first(&socket->mail);
    size_t got = datagram->size < size ? datagram->size : size;
    SOLO_ANNOTATE_IGNORE_END();
    SOLO_ANNOTATE_HAPPENS_AFTER(&socket->mail);
    sim__buffer_written(buffer, got);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    if (got > 0) {
        memcpy(buffer, datagram->data, got);
    }
    if (ret_from != NULL) {
        *ret_from = sim__address_at(socket->service->space, datagram->from);
    }
    give_back(sim__network_of(world), datagram);
    SOLO_ANNOTATE_IGNORE_END();
    return (ptrdiff_t)got;
}

/* ---- Writing ---- */

/* What happens to a datagram on its way. */
struct fate {
    bool lost, twice, overtakes;
};

/* NULL without memory. */
static struct sim_datagram *make(struct solo_world *world, const void *data, size_t size, uint16_t from)
{
    struct sim_network *network = sim__network_of(world);
    uint32_t capacity = SIM_PIPE_FIRST;
    while (capacity < size) {
        capacity *= 2;
    }
    char *ring = sim__ring_take(&network->rings, core_of(world), capacity);
    if (ring == NULL) {
        return NULL;
    }
    struct sim_datagram *datagram = network->spare;
    if (datagram != NULL) {
        network->spare = datagram->next;
    } else {
        datagram = core_allocate(core_of(world), sizeof *datagram);
    }
    if (datagram == NULL) {
        sim__ring_give_back(&network->rings, ring, capacity);
        return NULL;
    }
    if (size > 0) {
        memcpy(ring, data, size);
    }
    *datagram = (struct sim_datagram){NULL, ring, (uint32_t)size, capacity, from};
    return datagram;
}

/* Puts it at the end of the mail, or before the last one there. */
static void put(struct sim_mail *mail, struct sim_datagram *datagram, bool overtakes)
{
    struct sim_datagram **link = &mail->first;
    while (*link != NULL && !(overtakes && *link == mail->last)) {
        link = &(*link)->next;
    }
    datagram->next = *link;
    *link = datagram;
    if (datagram->next == NULL) {
        mail->last = datagram;
    }
    mail->count++;
}

static void arrive(struct solo_world *world, struct sim_descriptor *socket, struct sim_descriptor *to, const void *data,
                   size_t size, struct fate fate)
{
    for (int copies = fate.twice ? 2 : 1; copies > 0 && to->mail.count < MAIL_MAX; copies--) {
        struct sim_datagram *datagram = make(world, data, size, socket->port);
        if (datagram == NULL) {
            return; /* what the network has no room for is lost */
        }
        put(&to->mail, datagram, fate.overtakes);
    }
    sim__descriptor_notify(world, to);
}

/* Brings it to whoever is at the port. */
static ptrdiff_t deliver(struct solo_world *world, struct sim_descriptor *socket, const struct sim_service *service,
                         const void *data, size_t size, struct fate fate)
{
    int error = socket->error;
    if (error != 0) {
        socket->error = 0;
        return error;
    }
    struct sim_descriptor *to = service->listener;
    if (fate.lost) {
        return (ptrdiff_t)size;
    }
    if (to == NULL) {
        socket->error = socket->peer_port != 0 ? -ECONNREFUSED : 0;
        sim__descriptor_notify(world, socket);
    } else if (to->peer_port == 0 || to->peer_port == socket->port) {
        arrive(world, socket, to, data, size, fate);
    }
    return (ptrdiff_t)size;
}

static struct fate fate_of(struct core *core, uint32_t object)
{
    struct fate fate = {.lost = core_fault(core, FAULT_LOST, object)};
    fate.twice = !fate.lost && core_fault(core, FAULT_TWICE, object);
    fate.overtakes = !fate.lost && core_fault(core, FAULT_OVERTAKES, object);
    return fate;
}

/* Where it goes: 0, or why it goes nowhere. */
static int destination(const struct sim_descriptor *socket, const struct solo_address *to, size_t size,
                       struct solo_address *ret_to)
{
    if (size > DATAGRAM_MAX) {
        return -EMSGSIZE;
    }
    if (to != NULL && (to->family != sim__address_at(socket->service->space, 0).family || to->port == 0)) {
        return -EINVAL;
    }
    if (to == NULL && socket->peer_port == 0) {
        return -EDESTADDRREQ;
    }
    *ret_to = to != NULL ? *to : sim__address_at(socket->service->space, socket->peer_port);
    return 0;
}

ptrdiff_t sim__datagram_write(struct solo_world *world, int fd, const void *data, size_t size,
                              const struct solo_address *to)
{
    struct solo_address target = {0};
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_descriptor *socket = sim__descriptor_find(world, fd);
    int error = destination(socket, to, size, &target);
    SOLO_ANNOTATE_IGNORE_END();
    if (error < 0) {
        return error;
    }
    const struct sim_service *service =
        sim__service_begin(world, SOLO_PROBE_WRITE, target.family == SOLO_INET6 ? SIM_UDP6 : SIM_UDP, &target);
    if (service == NULL) {
        return -ENOMEM;
    }
    struct fate fate = fate_of(core_of(world), service->object);
    sim__buffer_read(data, size);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    socket = sim__descriptor_find(world, fd); /* it may have been closed meanwhile */
    bool is_open = socket != NULL;
    ptrdiff_t result = is_open ? (ptrdiff_t)size : -EBADF;
    struct sim_descriptor *receiver = service->listener;
    SOLO_ANNOTATE_IGNORE_END();
    if (receiver != NULL) {
        SOLO_ANNOTATE_HAPPENS_BEFORE(&receiver->mail);
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    if (is_open && sim__is_local(&target)) {
        result = deliver(world, socket, service, data, size, fate);
    }
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}
