/*
 * sim_stream.c - bytes in the simulated network, from one end of a connection to the other.
 *
 * Each end has a pipe of bytes that have arrived. What arrived before the end of a stream, or before a reset, can
 * still be read.
 *
 * What may be chosen. How many bytes a read gets: all that is there and fits, or one, or half. It is asked in the
 * first CHUNK_CHOICES_MAX reads of each direction that have two bytes or more, so that the choices of a schedule stay
 * few, and not for peer scripts, to which it makes no difference. With a budget of faults: a reset, a short read.
 *
 * What the program did before a write happens before what it does after reading those bytes, as with real sockets.
 * Its own buffers are looked at by race detectors; the network's are not.
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"

enum { CHUNK_CHOICES_MAX = 4 };
enum { FAULT_RESET = 0x72657374, FAULT_SHORT_READ = 0x73687274 }; /* tags of the fault choices */

/* The connection is broken: both ends get `error` after what has arrived there. */
void sim__stream_reset(struct solo_world *world, struct sim_descriptor *stream, int error)
{
    struct sim_descriptor *peer = stream->peer;
    stream->error = error;
    stream->peer = NULL;
    if (peer != NULL) {
        peer->error = error;
        peer->peer = NULL;
        sim__descriptor_notify(world, peer);
    }
    sim__descriptor_notify(world, stream);
}

/* Why nothing can be read or written, or 0. */
static int not_connected(const struct sim_descriptor *stream)
{
    if (stream->kind != SIM_STREAM) {
        return -ENOTCONN;
    }
    return stream->stage == SIM_CONNECTED ? 0 : stream->stage == SIM_CONNECTING ? -EAGAIN : stream->error;
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
#else
#define __tsan_read_range(address, size) ((void)(address), (void)(size))
#define __tsan_write_range(address, size) ((void)(address), (void)(size))
#endif

void sim__buffer_read(const void *data, size_t size)
{
    __tsan_read_range((void *)(uintptr_t)data, size);
}

void sim__buffer_written(void *buffer, size_t size)
{
    __tsan_write_range(buffer, size);
}

static ptrdiff_t read_stream(struct solo_world *world, struct sim_descriptor *stream, void *buffer, uint32_t size)
{
    bool was_full = stream->in.count == SIM_PIPE_MAX;
    sim__pipe_take(&sim__network_of(world)->rings, &stream->in, buffer, size);
    if (was_full) {
        sim__descriptor_notify(world, stream->peer);
    }
    return (ptrdiff_t)size;
}

/* What a read has to say when nothing is there to be read. */
static ptrdiff_t nothing_to_read(const struct sim_descriptor *stream)
{
    return stream->error != 0 ? stream->error : stream->ended ? 0 : -EAGAIN;
}

ptrdiff_t sim__stream_read(struct solo_world *world, int fd, void *buffer, size_t size, struct solo_address *ret_from)
{
    struct core *core = core_of(world);
    struct sim_descriptor *stream = sim__descriptor_begin(world, fd, SOLO_PROBE_READ, size);
    if (stream == NULL) {
        return -EBADF;
    }
    if (stream->kind == SIM_DATAGRAM) {
        return sim__datagram_read(world, stream, buffer, size, ret_from);
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
        sim__stream_reset(world, stream, -ECONNRESET);
        SOLO_ANNOTATE_IGNORE_END();
        return -ECONNRESET;
    }
    uint32_t chunk = choose_chunk(core, stream, most);
    SOLO_ANNOTATE_HAPPENS_AFTER(&stream->in);
    sim__buffer_written(buffer, chunk);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    result = read_stream(world, stream, buffer, chunk);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* Whether that is a datagram socket: a write to one is announced as one at its destination. */
static bool is_datagram(struct solo_world *world, int fd)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    const struct sim_descriptor *descriptor = sim__descriptor_find(world, fd);
    bool result = descriptor != NULL && descriptor->kind == SIM_DATAGRAM;
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
    if (stream->write_ended) {
        return -EPIPE;
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
    uint32_t put = sim__pipe_put(&sim__network_of(world)->rings, core_of(world), &stream->peer->in, data, size);
    if (put == 0) {
        return -EAGAIN;
    }
    sim__descriptor_notify(world, stream->peer);
    return (ptrdiff_t)put;
}

ptrdiff_t sim__stream_write(struct solo_world *world, int fd, const void *data, size_t size,
                            const struct solo_address *to)
{
    if (is_datagram(world, fd)) {
        return sim__datagram_write(world, fd, data, size, to);
    }
    struct sim_descriptor *stream = sim__descriptor_begin(world, fd, SOLO_PROBE_WRITE, size);
    if (stream == NULL) {
        return -EBADF;
    }
    struct sim_descriptor *peer = stream->peer;
    uint32_t object = stream->object;
    SOLO_ANNOTATE_IGNORE_END();
    if (peer != NULL && core_fault(core_of(world), FAULT_RESET, object)) {
        SOLO_ANNOTATE_IGNORE_BEGIN();
        sim__stream_reset(world, stream, -ECONNRESET);
        SOLO_ANNOTATE_IGNORE_END();
        return -ECONNRESET;
    }
    sim__buffer_read(data, size);
    if (peer != NULL) {
        SOLO_ANNOTATE_HAPPENS_BEFORE(&peer->in);
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    ptrdiff_t result = write_stream(world, stream, data, size);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* The other end learns it, after what is on its way: the end of the stream, or a reset. */
void sim__stream_leave(struct solo_world *world, struct sim_descriptor *stream, bool abort)
{
    struct sim_descriptor *peer = stream->peer;
    if (peer == NULL) {
        return;
    }
    if (abort || stream->in.count > 0) {
        sim__stream_reset(world, stream, -ECONNRESET);
        return;
    }
    stream->peer = NULL;
    peer->peer = NULL;
    peer->ended = true;
    sim__descriptor_notify(world, peer);
}

int sim__stream_end_writing(struct solo_world *world, struct sim_descriptor *stream)
{
    if (stream->kind != SIM_STREAM || stream->stage != SIM_CONNECTED || stream->error != 0) {
        return -ENOTCONN;
    }
    stream->write_ended = true;
    if (stream->peer != NULL) {
        stream->peer->ended = true;
        sim__descriptor_notify(world, stream->peer);
    }
    sim__descriptor_notify(world, stream); /* it need not wait for room any more */
    return 0;
}

int sim__stream_pair(struct solo_world *world, int ret_fds[2])
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_network *network = sim__network_of(world);
    int result = network != NULL ? sim__descriptors_reserve(world, network, 2) : -ENOMEM;
    if (result == 0) {
        uint32_t object = solo__object_next_id(world, SOLO__STREAM);
        struct sim_descriptor *one = sim__descriptor_make(world, SIM_STREAM, object, 0);
        struct sim_descriptor *other = sim__descriptor_make(world, SIM_STREAM, object, 0);
        if (one == NULL || other == NULL) {
            result = -ENOMEM;
        } else {
            one->peer = other;
            other->peer = one;
            one->stage = other->stage = SIM_CONNECTED;
            ret_fds[0] = sim__descriptor_number(network, one);
            ret_fds[1] = sim__descriptor_number(network, other);
        }
    }
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}
