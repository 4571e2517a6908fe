/*
 * sim_descriptor.c - the descriptors of the simulated network: their numbers, when they are ready, and how an
 * operation on one is announced.
 *
 * A number is given once in a schedule, from 3 on, so a stale number is -EBADF and never somebody else's.
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include <string.h>

enum { TABLE_FIRST = 16 };

struct sim_network *sim__network_of(struct solo_world *world)
{
    struct sim_world *sim = sim_world_of(world);
    if (sim->network == NULL) {
        struct sim_network *network = core_allocate(sim->core, sizeof *network);
        if (network == NULL) {
            return NULL;
        }
        memset(network, 0, sizeof *network);
        network->ephemeral = SIM_EPHEMERAL_FIRST;
        sim->network = network;
    }
    return sim->network;
}

struct sim_descriptor *sim__descriptor_find(struct solo_world *world, int fd)
{
    const struct sim_network *network = sim_world_of(world)->network;
    uint32_t place = sim__place_of(fd);
    if (network == NULL || fd < SIM_FIRST_FD || place >= network->capacity) {
        return NULL;
    }
    struct sim_descriptor *descriptor = network->table[place];
    return descriptor != NULL && descriptor->fd == fd ? descriptor : NULL;
}

struct sim_descriptor *sim__descriptor_make(struct solo_world *world, enum sim_kind kind, uint32_t object,
                                            uint16_t port)
{
    struct sim_descriptor *descriptor = sim__memory_take(world, sizeof *descriptor);
    if (descriptor != NULL) {
        memset(descriptor, 0, sizeof *descriptor);
        descriptor->fd = -1;
        descriptor->object = object;
        descriptor->kind = (uint8_t)kind;
        descriptor->port = port;
    }
    return descriptor;
}

void sim__descriptor_free(struct solo_world *world, struct sim_descriptor *descriptor)
{
    sim__memory_release(world, descriptor);
}

static bool grow_table(struct solo_world *world, struct sim_network *network)
{
    uint32_t capacity = network->capacity > 0 ? network->capacity * 2 : TABLE_FIRST;
    struct sim_descriptor **table = core_allocate(core_of(world), capacity * sizeof(struct sim_descriptor *));
    if (table == NULL) {
        return false;
    }
    memset(table, 0, capacity * sizeof(struct sim_descriptor *));
    if (network->capacity > 0) {
        memcpy(table, network->table, network->capacity * sizeof(struct sim_descriptor *));
    }
    network->table = table;
    network->capacity = capacity;
    return true;
}

int sim__descriptors_reserve(struct solo_world *world, struct sim_network *network, uint32_t count)
{
    if (network->open + count > SIM_OPEN_MAX) {
        return -EMFILE;
    }
    if (network->capacity < SIM_TABLE_MAX && network->next + count > network->capacity && !grow_table(world, network)) {
        return -ENOMEM;
    }
    return 0;
}

int sim__descriptor_number(struct sim_network *network, struct sim_descriptor *descriptor)
{
    while (network->table[network->next & (network->capacity - 1)] != NULL) { /* open for as long as the table is */
        network->next++;
    }
    network->table[network->next & (network->capacity - 1)] = descriptor;
    network->open++;
    descriptor->fd = (int)network->next++ + SIM_FIRST_FD;
    return descriptor->fd;
}

/* ---- Readiness ---- */

void sim__queue_append(struct sim_queue *queue, struct sim_descriptor *descriptor)
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

struct sim_descriptor *sim__queue_pop(struct sim_queue *queue)
{
    struct sim_descriptor *descriptor = queue->first;
    if (descriptor != NULL) {
        queue->first = descriptor->next;
        queue->last = queue->first != NULL ? queue->last : NULL;
        queue->count--;
    }
    return descriptor;
}

void sim__queue_take_out(struct sim_queue *queue, struct sim_descriptor *descriptor)
{
    struct sim_queue rest = {NULL, NULL, 0};
    for (struct sim_descriptor *at = sim__queue_pop(queue); at != NULL; at = sim__queue_pop(queue)) {
        if (at != descriptor) {
            sim__queue_append(&rest, at);
        }
    }
    *queue = rest;
}

static uint32_t stream_ready(const struct sim_descriptor *stream)
{
    uint32_t ready = 0;
    if (stream->stage == SIM_CONNECTING) {
        return 0;
    }
    if (stream->stage == SIM_REFUSED || stream->error != 0) {
        return SOLO_READABLE | SOLO_WRITABLE | SOLO_HANGUP;
    }
    if (stream->in.count > 0 || stream->ended) {
        ready |= SOLO_READABLE;
    }
    if (stream->peer == NULL || stream->write_ended || stream->peer->in.count < SIM_PIPE_MAX) {
        ready |= SOLO_WRITABLE;
    }
    return ready;
}

uint32_t sim__descriptor_ready(const struct sim_descriptor *descriptor)
{
    if (descriptor->kind == SIM_STREAM) {
        return stream_ready(descriptor);
    }
    if (descriptor->kind == SIM_DATAGRAM) {
        bool has_news = descriptor->mail.count > 0 || descriptor->error != 0;
        return SOLO_WRITABLE | (has_news ? SOLO_READABLE : 0u) | (descriptor->error != 0 ? SOLO_HANGUP : 0u);
    }
    return descriptor->service->queue.first != NULL ? SOLO_READABLE : 0;
}

void sim__descriptor_notify(struct solo_world *world, const struct sim_descriptor *descriptor)
{
    if (descriptor != NULL && descriptor->watches != NULL) {
        sim__poll_notify(core_of(world), descriptor->watches, sim__descriptor_ready(descriptor));
    }
}

/* ---- Announcing ---- */

struct sim_descriptor *sim__descriptor_begin(struct solo_world *world, int fd, enum solo_probe_kind kind,
                                             uint64_t value)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    const struct sim_descriptor *announced = sim__descriptor_find(world, fd);
    uint32_t object = 0;
    if (announced != NULL) {
        bool at_service = kind == SOLO_PROBE_ACCEPT && announced->service != NULL;
        object = at_service ? announced->service->object : announced->object;
    }
    SOLO_ANNOTATE_IGNORE_END();
    if (announced == NULL) {
        return NULL;
    }
    core_announce(core_of(world), kind, SOLO_ACCESS_WRITE, object, value);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_descriptor *descriptor = sim__descriptor_find(world, fd); /* it may have been closed meanwhile */
    if (descriptor == NULL) {
        SOLO_ANNOTATE_IGNORE_END();
    }
    return descriptor;
}
