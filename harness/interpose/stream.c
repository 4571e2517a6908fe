/*
 * stream.c - bytes through a descriptor: read, write and their many names.
 *
 * The kernel is asked first; when it would have blocked, the thread waits in the simulated world and asks again.
 */
#define _GNU_SOURCE
#include "descriptor.h"
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct transfer {
    ssize_t (*attempt)(const struct transfer *transfer);
    int fd;
    bool writes;
    bool whole; /* a blocking call goes on until all of it is written, or read */
    void *data;
    size_t size;
    int flags;
    const struct iovec *parts;
    int part_count;
    struct msghdr *message;
    /* Filled in by move. */
    uint32_t id; /* of its object */
    bool waits;
    uint64_t deadline_ns; /* 0: not known yet */
};

static bool would_block(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* When a blocking call gives up: sockets can have a limit. */
static uint64_t deadline_of(struct solo_world *world, const struct transfer *transfer)
{
    struct timeval limit = {0, 0};
    socklen_t size = sizeof limit;
    int option = transfer->writes ? SO_SNDTIMEO : SO_RCVTIMEO;
    if (getsockopt(transfer->fd, SOL_SOCKET, option, &limit, &size) < 0 || (limit.tv_sec == 0 && limit.tv_usec == 0)) {
        return SOLO_NEVER;
    }
    return world->clock->now_ns(world) + (uint64_t)limit.tv_sec * UINT64_C(1000000000) + (uint64_t)limit.tv_usec * 1000;
}

/* Tries until it need not wait any more, or has waited long enough: the last attempt's result. */
static ssize_t attempt(struct solo_world *world, struct transfer *transfer)
{
    struct pollfd fd = {transfer->fd, transfer->writes ? POLLOUT : POLLIN, 0};
    ssize_t result = transfer->attempt(transfer);
    bool in_time = transfer->waits;
    while (would_block(result) && in_time) {
        transfer->deadline_ns = transfer->deadline_ns != 0 ? transfer->deadline_ns : deadline_of(world, transfer);
        in_time = interpose_descriptors_wait(world, &fd, 1, transfer->id, transfer->deadline_ns) != 0;
        result = transfer->attempt(transfer);
    }
    if (would_block(result) && !transfer->waits) {
        interpose_idle(world);
        errno = EAGAIN;
    }
    return result;
}

static ssize_t move(struct solo_world *world, struct transfer *transfer)
{
    const struct interpose_descriptor *descriptor = interpose_descriptor(transfer->fd);
    ssize_t moved = 0;
    transfer->id = descriptor->id; /* now: somebody may close it before the next step */
    transfer->waits = !descriptor->nonblocking && (transfer->flags & MSG_DONTWAIT) == 0;
    interpose_descriptor_announce(world, transfer->writes ? SOLO_PROBE_WRITE : SOLO_PROBE_READ, SOLO_ACCESS_WRITE,
                                  transfer->fd, transfer->size);
    for (;;) {
        ssize_t result = attempt(world, transfer);
        if (result < 0) {
            return moved != 0 ? moved : result;
        }
        interpose_descriptors_changed(world);
        moved += result;
        if (!transfer->whole || !transfer->waits || result == 0 || (size_t)result >= transfer->size) {
            return moved;
        }
        transfer->data = (char *)transfer->data + result;
        transfer->size -= (size_t)result;
    }
}

/* The part behind its first bytes. As much as was moved of it, 0 also if the descriptor is closed by now. */
static size_t move_rest(struct solo_world *world, const struct transfer *first, const struct iovec *part, size_t before,
                        ssize_t (*attempt_at_one)(const struct transfer *transfer))
{
    struct transfer rest = *first;
    rest.attempt = attempt_at_one;
    rest.whole = true;
    rest.data = (char *)part->iov_base + before;
    rest.size = part->iov_len - before;
    ssize_t moved = interpose_descriptor(rest.fd) != NULL ? move(world, &rest) : 0;
    return moved > 0 ? (size_t)moved : 0;
}

/* Several parts at once. What the first attempt leaves of a whole follows one after the other. */
static ssize_t move_parts(struct solo_world *world, struct transfer *transfer, const struct iovec *parts, size_t count,
                          ssize_t (*attempt_at_one)(const struct transfer *transfer))
{
    bool whole = transfer->whole;
    transfer->whole = false;
    ssize_t first = move(world, transfer);
    size_t moved = first > 0 ? (size_t)first : 0, end = 0;
    for (size_t i = 0; i < count && first > 0 && whole && transfer->waits; i++) {
        size_t begin = end;
        end += parts[i].iov_len;
        if (moved < end) {
            moved += move_rest(world, transfer, &parts[i], moved - begin, attempt_at_one);
        }
        if (moved < end) {
            break;
        }
    }
    return first > 0 ? (ssize_t)moved : first;
}

/* The world, if this descriptor is one of ours. */
#define WORLD_OF(fd) (interpose_descriptor(fd) != NULL ? WORLD_OF_CALLER() : NULL)

static ssize_t do_read(const struct transfer *transfer)
{
    return NEXT(read)(transfer->fd, transfer->data, transfer->size);
}

static ssize_t do_write(const struct transfer *transfer)
{
    return NEXT(write)(transfer->fd, transfer->data, transfer->size);
}

static ssize_t read_it(struct solo_world *world, int fd, void *data, size_t size)
{
    return move(world, &(struct transfer){.attempt = do_read, .fd = fd, .data = data, .size = size});
}

static ssize_t write_it(struct solo_world *world, int fd, const void *data, size_t size)
{
    return move(world, &(struct transfer){.attempt = do_write,
                                          .fd = fd,
                                          .writes = true,
                                          .whole = true,
                                          .data = (void *)(uintptr_t)data,
                                          .size = size});
}

INTERPOSED ssize_t read(int fd, void *data, size_t size)
{
    struct solo_world *world = WORLD_OF(fd);
    return world != NULL ? read_it(world, fd, data, size) : NEXT(read)(fd, data, size);
}

INTERPOSED ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
INTERPOSED ssize_t __read_chk(int fd, void *data, size_t size, size_t room)
{
    struct solo_world *world = WORLD_OF(fd);
    if (size > room) {
        abort();
    }
    return world != NULL ? read_it(world, fd, data, size) : NEXT(read)(fd, data, size);
}

INTERPOSED ssize_t write(int fd, const void *data, size_t size)
{
    struct solo_world *world = WORLD_OF(fd);
    return world != NULL ? write_it(world, fd, data, size) : NEXT(write)(fd, data, size);
}

INTERPOSED int eventfd_read(int fd, eventfd_t *ret_value)
{
    struct solo_world *world = WORLD_OF(fd);
    if (world == NULL) {
        return NEXT(eventfd_read)(fd, ret_value);
    }
    return read_it(world, fd, ret_value, sizeof *ret_value) == (ssize_t)sizeof *ret_value ? 0 : -1;
}

INTERPOSED int eventfd_write(int fd, eventfd_t value)
{
    struct solo_world *world = WORLD_OF(fd);
    if (world == NULL) {
        return NEXT(eventfd_write)(fd, value);
    }
    return write_it(world, fd, &value, sizeof value) == (ssize_t)sizeof value ? 0 : -1;
}

static ssize_t do_readv(const struct transfer *transfer)
{
    return NEXT(readv)(transfer->fd, transfer->parts, transfer->part_count);
}

static ssize_t do_writev(const struct transfer *transfer)
{
    return NEXT(writev)(transfer->fd, transfer->parts, transfer->part_count);
}

INTERPOSED ssize_t readv(int fd, const struct iovec *parts, int count)
{
    struct solo_world *world = WORLD_OF(fd);
    return world != NULL
               ? move(world, &(struct transfer){.attempt = do_readv, .fd = fd, .parts = parts, .part_count = count})
               : NEXT(readv)(fd, parts, count);
}

INTERPOSED ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct solo_world *world = WORLD_OF(fd);
    return world != NULL ? move_parts(world,
                                      &(struct transfer){.attempt = do_writev,
                                                         .fd = fd,
                                                         .writes = true,
                                                         .whole = true,
                                                         .parts = parts,
                                                         .part_count = count},
                                      parts, count > 0 ? (size_t)count : 0, do_write)
                         : NEXT(writev)(fd, parts, count);
}

static ssize_t do_recv(const struct transfer *transfer)
{
    return NEXT(recv)(transfer->fd, transfer->data, transfer->size, transfer->flags);
}

static ssize_t do_send(const struct transfer *transfer)
{
    return NEXT(send)(transfer->fd, transfer->data, transfer->size, transfer->flags);
}

static ssize_t do_recvmsg(const struct transfer *transfer)
{
    return NEXT(recvmsg)(transfer->fd, transfer->message, transfer->flags);
}

static ssize_t do_sendmsg(const struct transfer *transfer)
{
    return NEXT(sendmsg)(transfer->fd, transfer->message, transfer->flags);
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* Whether to wait for all of it: of a message there is no more, and what is only looked at stays. */
static bool wants_all(int fd, int flags)
{
    return (flags & MSG_WAITALL) != 0 && (flags & MSG_PEEK) == 0 && is_stream(fd);
}

static ssize_t recv_it(struct solo_world *world, int fd, void *data, size_t size, int flags)
{
    return move(
        world,
        &(struct transfer){
            .attempt = do_recv, .fd = fd, .whole = wants_all(fd, flags), .data = data, .size = size, .flags = flags});
}

INTERPOSED ssize_t recv(int fd, void *data, size_t size, int flags)
{
    struct solo_world *world = WORLD_OF(fd);
    return world != NULL ? recv_it(world, fd, data, size, flags) : NEXT(recv)(fd, data, size, flags);
}

/* Nobody in a pair has an address. */
INTERPOSED ssize_t recvfrom(int fd, void *restrict data, size_t size, int flags, struct sockaddr *restrict address,
                            socklen_t *restrict ret_size)
{
    struct solo_world *world = WORLD_OF(fd);
    if (world == NULL) {
        return NEXT(recvfrom)(fd, data, size, flags, address, ret_size);
    }
    if (ret_size != NULL) {
        *ret_size = 0;
    }
    return recv_it(world, fd, data, size, flags);
}

INTERPOSED ssize_t send(int fd, const void *data, size_t size, int flags)
{
    struct solo_world *world = WORLD_OF(fd);
    return world != NULL ? move(world, &(struct transfer){.attempt = do_send,
                                                          .fd = fd,
                                                          .writes = true,
                                                          .whole = true,
                                                          .data = (void *)(uintptr_t)data,
                                                          .size = size,
                                                          .flags = flags})
                         : NEXT(send)(fd, data, size, flags);
}

INTERPOSED ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct solo_world *world = WORLD_OF(fd);
    return world != NULL ? move_parts(world,
                                      &(struct transfer){.attempt = do_recvmsg,
                                                         .fd = fd,
                                                         .whole = wants_all(fd, flags),
                                                         .message = message,
                                                         .flags = flags},
                                      message->msg_iov, message->msg_iovlen, do_recv)
                         : NEXT(recvmsg)(fd, message, flags);
}

/* Whoever takes it out has it under a number of which nothing is known here, and nobody who waits would hear of it. */
static void refuse_descriptors(const struct msghdr *message)
{
    int fd;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR((struct msghdr *)message, part)) {
        bool has_some = part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS;
        for (size_t at = CMSG_LEN(0); has_some && at + sizeof fd <= part->cmsg_len; at += sizeof fd) {
            memcpy(&fd, (const char *)part + at, sizeof fd);
            if (interpose_descriptor(fd) != NULL) {
                interpose_refuse("sendmsg", "a descriptor that goes through a socket comes out under another number");
            }
        }
    }
}

INTERPOSED ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct solo_world *world = WORLD_OF(fd);
    if (world != NULL) {
        refuse_descriptors(message);
    }
    return world != NULL ? move_parts(world,
                                      &(struct transfer){.attempt = do_sendmsg,
                                                         .fd = fd,
                                                         .writes = true,
                                                         .whole = is_stream(fd),
                                                         .message = (struct msghdr *)(uintptr_t)message,
                                                         .flags = flags},
                                      message->msg_iov, message->msg_iovlen, do_send)
                         : NEXT(sendmsg)(fd, message, flags);
}

INTERPOSED int shutdown(int fd, int how)
{
    struct solo_world *world = WORLD_OF(fd);
    if (world == NULL) {
        return NEXT(shutdown)(fd, how);
    }
    interpose_descriptor_announce(world, SOLO_PROBE_CLOSE, SOLO_ACCESS_WRITE, fd, 0);
    int result = NEXT(shutdown)(fd, how);
    interpose_descriptors_changed(world);
    return result;
}
