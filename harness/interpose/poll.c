/* poll.c - poll, select and epoll_wait: waiting for several descriptors, until a moment of virtual time. */
#define _GNU_SOURCE
#include "descriptor.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#define SECOND_NS UINT64_C(1000000000)

enum { SAID_MAX = 8 }; /* descriptors of a poll that are announced one by one */

static uint64_t after(struct solo_world *world, uint64_t duration_ns)
{
    uint64_t now_ns = world->clock->now_ns(world);
    return duration_ns < SOLO_NEVER - now_ns ? now_ns + duration_ns : SOLO_NEVER;
}

static uint64_t after_ms(struct solo_world *world, int timeout_ms)
{
    return timeout_ms < 0 ? SOLO_NEVER : after(world, (uint64_t)timeout_ms * 1000000);
}

static uint64_t after_timespec(struct solo_world *world, const struct timespec *timeout)
{
    return timeout == NULL ? SOLO_NEVER
                           : after(world, (uint64_t)timeout->tv_sec * SECOND_NS + (uint64_t)timeout->tv_nsec);
}

/* Each is read by this; the first is what the thread is said to wait for. */
static uint32_t announce(struct solo_world *world, const struct pollfd *fds, nfds_t count)
{
    uint32_t first = 0;
    unsigned said = 0;
    for (nfds_t i = 0; i < count && said < SAID_MAX; i++) {
        const struct interpose_descriptor *descriptor = interpose_descriptor(fds[i].fd);
        if (descriptor != NULL) {
            first = first != 0 ? first : descriptor->id;
            interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_READ, descriptor->id, 0);
            said++;
        }
    }
    if (said == 0) {
        interpose_announce(world, SOLO_PROBE_YIELD, SOLO_ACCESS_NONE, 0, 0);
    }
    return first;
}

static int poll_until(struct solo_world *world, struct pollfd *fds, nfds_t count, uint64_t deadline_ns)
{
    bool waits = deadline_ns > world->clock->now_ns(world);
    uint32_t object = announce(world, fds, count);
    int ready = interpose_descriptors_wait(world, fds, count, object, deadline_ns);
    if (ready == 0 && !waits) {
        interpose_idle(world);
    } else {
        interpose_busy();
    }
    return ready;
}

INTERPOSED int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? poll_until(world, fds, count, after_ms(world, timeout_ms))
                         : NEXT(poll)(fds, count, timeout_ms);
}

INTERPOSED int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room);
INTERPOSED int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (room / sizeof *fds < count) {
        abort();
    }
    return world != NULL ? poll_until(world, fds, count, after_ms(world, timeout_ms))
                         : NEXT(poll)(fds, count, timeout_ms);
}

INTERPOSED int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? poll_until(world, fds, count, after_timespec(world, timeout))
                         : NEXT(ppoll)(fds, count, timeout, mask);
}

/* ---- select ---- */

static bool is_in(int fd, const fd_set *set)
{
    return set != NULL && FD_ISSET(fd, set);
}

static int keep(int fd, fd_set *set, bool ready)
{
    if (set != NULL && !ready) {
        FD_CLR(fd, set);
    }
    return set != NULL && ready;
}

static int select_until(struct solo_world *world, int limit, fd_set *to_read, fd_set *to_write, fd_set *except,
                        uint64_t deadline_ns)
{
    struct pollfd fds[FD_SETSIZE];
    nfds_t count = 0;
    for (int fd = 0; fd < limit && fd < FD_SETSIZE; fd++) {
        short events = (short)((is_in(fd, to_read) ? POLLIN : 0) | (is_in(fd, to_write) ? POLLOUT : 0) |
                               (is_in(fd, except) ? POLLPRI : 0));
        if (events != 0) {
            fds[count++] = (struct pollfd){fd, events, 0};
        }
    }
    int result = poll_until(world, fds, count, deadline_ns), ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        short got = fds[i].revents;
        bool in_read = is_in(fds[i].fd, to_read), in_write = is_in(fds[i].fd, to_write);
        if (got & POLLNVAL) {
            errno = EBADF;
            return -1;
        }
        ready += in_read ? keep(fds[i].fd, to_read, (got & (POLLIN | POLLHUP | POLLERR)) != 0) : 0;
        ready += in_write ? keep(fds[i].fd, to_write, (got & (POLLOUT | POLLERR)) != 0) : 0;
        ready += is_in(fds[i].fd, except) ? keep(fds[i].fd, except, (got & POLLPRI) != 0) : 0;
    }
    return result < 0 ? result : ready;
}

INTERPOSED int select(int limit, fd_set *restrict to_read, fd_set *restrict to_write, fd_set *restrict except,
                      struct timeval *restrict timeout)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(select)(limit, to_read, to_write, except, timeout);
    }
    uint64_t deadline_ns =
        timeout == NULL ? SOLO_NEVER
                        : after(world, (uint64_t)timeout->tv_sec * SECOND_NS + (uint64_t)timeout->tv_usec * 1000);
    return select_until(world, limit, to_read, to_write, except, deadline_ns);
}

INTERPOSED int pselect(int limit, fd_set *restrict to_read, fd_set *restrict to_write, fd_set *restrict except,
                       const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? select_until(world, limit, to_read, to_write, except, after_timespec(world, timeout))
                         : NEXT(pselect)(limit, to_read, to_write, except, timeout, mask);
}

/* ---- epoll ---- */

static int epoll_until(struct solo_world *world, int epoll, struct epoll_event *events, int max, uint64_t deadline_ns)
{
    struct pollfd fd = {epoll, POLLIN, 0};
    uint32_t object = interpose_descriptor(epoll)->id;
    bool waits = deadline_ns > world->clock->now_ns(world);
    interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, object, 0);
    interpose_timers_fire(world);
    int ready = NEXT(epoll_wait)(epoll, events, max, 0);
    while (ready == 0 && interpose_descriptors_wait(world, &fd, 1, object, deadline_ns) > 0) {
        ready = NEXT(epoll_wait)(epoll, events, max, 0);
    }
    if (ready == 0 && !waits) {
        interpose_idle(world);
    } else {
        interpose_busy();
    }
    return ready;
}

#define WORLD_OF(fd) (interpose_descriptor(fd) != NULL ? WORLD_OF_CALLER() : NULL)

INTERPOSED int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
    struct solo_world *world = WORLD_OF(epoll);
    return world != NULL ? epoll_until(world, epoll, events, max, after_ms(world, timeout_ms))
                         : NEXT(epoll_wait)(epoll, events, max, timeout_ms);
}

INTERPOSED int epoll_pwait(int epoll, struct epoll_event *events, int max, int timeout_ms, const sigset_t *mask)
{
    struct solo_world *world = WORLD_OF(epoll);
    return world != NULL ? epoll_until(world, epoll, events, max, after_ms(world, timeout_ms))
                         : NEXT(epoll_pwait)(epoll, events, max, timeout_ms, mask);
}

INTERPOSED int epoll_pwait2(int epoll, struct epoll_event *events, int max, const struct timespec *timeout,
                            const sigset_t *mask)
{
    struct solo_world *world = WORLD_OF(epoll);
    return world != NULL ? epoll_until(world, epoll, events, max, after_timespec(world, timeout))
                         : NEXT(epoll_pwait2)(epoll, events, max, timeout, mask);
}
