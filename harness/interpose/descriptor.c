/* descriptor.c - which descriptors are ours, who waits for them, and their making and ending. */
#define _GNU_SOURCE
#include "descriptor.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

struct waiter {
    struct waiter *next;
    struct pollfd *fds;
    nfds_t count;
    struct solo_lock lock;
    struct solo_gate gate;
};

static struct interpose_descriptor descriptors[INTERPOSE_DESCRIPTORS_MAX];
static int descriptors_used; /* 1 + the highest */
static struct waiter *waiters;

struct interpose_descriptor *interpose_descriptor(int fd)
{
    return fd >= 0 && fd < descriptors_used && descriptors[fd].id != 0 ? &descriptors[fd] : NULL;
}

int interpose_descriptor_add(int fd, uint32_t id, bool nonblocking)
{
    if (fd >= INTERPOSE_DESCRIPTORS_MAX) {
        interpose_refuse(NULL, "there are more open descriptors than the simulation knows");
    }
    if (fd >= 0) {
        descriptors[fd] = (struct interpose_descriptor){.id = id, .nonblocking = nonblocking};
        descriptors_used = fd >= descriptors_used ? fd + 1 : descriptors_used;
    }
    return fd;
}

void interpose_descriptor_announce(struct solo_world *world, enum solo_probe_kind kind, enum solo_access access, int fd,
                                   uint64_t value)
{
    const struct interpose_descriptor *descriptor = &descriptors[fd];
    interpose_busy();
    if (descriptor->watcher != 0) {
        interpose_announce(world, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, descriptor->watcher, 1);
    }
    interpose_announce(world, kind, access, descriptor->id, value);
    interpose_timers_fire(world);
}

/* ---- Waiting ---- */

void interpose_descriptors_changed(struct solo_world *world)
{
    for (struct waiter *waiter = waiters; waiter != NULL; waiter = waiter->next) {
        if (NEXT(poll)(waiter->fds, waiter->count, 0) > 0) {
            world->threads->enter(world, &waiter->lock);
            world->threads->wake(world, &waiter->gate, true);
            world->threads->leave(world, &waiter->lock);
        }
    }
}

static uint64_t next_timer(void)
{
    uint64_t next_ns = SOLO_NEVER;
    for (int fd = 0; fd < descriptors_used; fd++) {
        const struct interpose_timer *timer = descriptors[fd].id != 0 ? descriptors[fd].timer : NULL;
        next_ns = timer != NULL && timer->due_ns < next_ns ? timer->due_ns : next_ns;
    }
    return next_ns;
}

static void wait_once(struct solo_world *world, struct pollfd *fds, nfds_t count, uint32_t object, uint64_t deadline_ns)
{
    const struct solo_wait why = {SOLO_WAIT_DESCRIPTOR, object, NULL};
    struct waiter waiter = {.next = waiters, .fds = fds, .count = count};
    uint64_t timer_ns = next_timer();
    waiters = &waiter;
    world->threads->enter(world, &waiter.lock);
    (void)world->threads->wait(world, &waiter.gate, &waiter.lock, &why,
                               timer_ns < deadline_ns ? timer_ns : deadline_ns);
    world->threads->leave(world, &waiter.lock);
    struct waiter **place = &waiters;
    while (*place != &waiter) {
        place = &(*place)->next;
    }
    *place = waiter.next;
}

int interpose_descriptors_wait(struct solo_world *world, struct pollfd *fds, nfds_t count, uint32_t object,
                               uint64_t deadline_ns)
{
    bool blocked = false;
    int ready;
    for (;;) {
        interpose_timers_fire(world);
        ready = NEXT(poll)(fds, count, 0);
        if (ready != 0 || world->clock->now_ns(world) >= deadline_ns) {
            break;
        }
        if (!blocked) {
            interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object, SOLO_WAIT_DESCRIPTOR);
            blocked = true;
        }
        wait_once(world, fds, count, object, deadline_ns);
    }
    if (blocked) {
        interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object,
                           ready != 0 ? 0 : (uint64_t)(int64_t)-ETIMEDOUT);
    }
    return ready;
}

/* ---- Making ---- */

static int add_pair(int fds[2], enum solo_model_kind kind, bool nonblocking)
{
    uint32_t id = solo_model_object(kind);
    (void)interpose_descriptor_add(fds[0], id, nonblocking);
    (void)interpose_descriptor_add(fds[1], id, nonblocking);
    return 0;
}

INTERPOSED int pipe2(int fds[2], int flags)
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(pipe2)(fds, flags);
    }
    int result = NEXT(pipe2)(fds, flags | O_NONBLOCK);
    return result == 0 ? add_pair(fds, SOLO_MODEL_PIPE, (flags & O_NONBLOCK) != 0) : result;
}

INTERPOSED int pipe(int fds[2])
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(pipe)(fds);
    }
    int result = NEXT(pipe2)(fds, O_NONBLOCK);
    return result == 0 ? add_pair(fds, SOLO_MODEL_PIPE, false) : result;
}

INTERPOSED int socketpair(int domain, int type, int protocol, int fds[2])
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(socketpair)(domain, type, protocol, fds);
    }
    int result = NEXT(socketpair)(domain, type | SOCK_NONBLOCK, protocol, fds);
    return result == 0 ? add_pair(fds, SOLO_MODEL_SOCKET, (type & SOCK_NONBLOCK) != 0) : result;
}

INTERPOSED int eventfd(unsigned value, int flags)
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(eventfd)(value, flags);
    }
    int fd = NEXT(eventfd)(value, flags | EFD_NONBLOCK);
    return fd < 0 ? fd
                  : interpose_descriptor_add(fd, solo_model_object(SOLO_MODEL_EVENTFD), (flags & EFD_NONBLOCK) != 0);
}

static int add_epoll(int fd)
{
    if (interpose_descriptor_add(fd, fd >= 0 ? solo_model_object(SOLO_MODEL_EPOLL) : 0, false) >= 0) {
        descriptors[fd].is_epoll = true;
    }
    return fd;
}

INTERPOSED int epoll_create1(int flags)
{
    return WORLD_OF_CALLER() == NULL ? NEXT(epoll_create1)(flags) : add_epoll(NEXT(epoll_create1)(flags));
}

INTERPOSED int epoll_create(int size)
{
    return WORLD_OF_CALLER() == NULL ? NEXT(epoll_create)(size) : add_epoll(NEXT(epoll_create)(size));
}

INTERPOSED int socket(int domain, int type, int protocol)
{
    if (WORLD_OF_CALLER() != NULL) {
        interpose_refuse("socket", "what another process sends is decided by no schedule; a socketpair between the "
                                   "program's own threads is");
    }
    return NEXT(socket)(domain, type, protocol);
}

INTERPOSED FILE *fdopen(int fd, const char *mode)
{
    if (WORLD_OF_CALLER() != NULL && interpose_descriptor(fd) != NULL) {
        interpose_refuse("fdopen", "the C library would wait for this descriptor inside of itself");
    }
    return NEXT(fdopen)(fd, mode);
}

/* ---- Copies, flags and ends ---- */

static int copy(int from, int to)
{
    if (to >= 0) {
        struct interpose_descriptor *descriptor = interpose_descriptor(from);
        if (descriptor != NULL) {
            struct interpose_descriptor same = *descriptor;
            (void)interpose_descriptor_add(to, same.id, same.nonblocking);
            descriptors[to] = same;
        } else if (to < descriptors_used) {
            descriptors[to].id = 0;
        }
    }
    return to;
}

INTERPOSED int dup(int fd)
{
    return WORLD_OF_CALLER() == NULL ? NEXT(dup)(fd) : copy(fd, NEXT(dup)(fd));
}

INTERPOSED int dup2(int fd, int to)
{
    return WORLD_OF_CALLER() == NULL ? NEXT(dup2)(fd, to) : copy(fd, NEXT(dup2)(fd, to));
}

INTERPOSED int dup3(int fd, int to, int flags)
{
    return WORLD_OF_CALLER() == NULL ? NEXT(dup3)(fd, to, flags) : copy(fd, NEXT(dup3)(fd, to, flags));
}

static int control(int fd, int command, void *argument)
{
    struct interpose_descriptor *descriptor = interpose_descriptor(fd);
    int flags = (int)(intptr_t)argument;
    switch (descriptor != NULL ? command : -1) {
    case F_GETFL: {
        int all = NEXT(fcntl)(fd, F_GETFL);
        return descriptor->nonblocking ? all : all & ~O_NONBLOCK;
    }
    case F_SETFL:
        descriptor->nonblocking = (flags & O_NONBLOCK) != 0;
        return NEXT(fcntl)(fd, F_SETFL, flags | O_NONBLOCK);
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: return copy(fd, NEXT(fcntl)(fd, command, argument));
    default: return NEXT(fcntl)(fd, command, argument);
    }
}

INTERPOSED int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return WORLD_OF_CALLER() == NULL ? NEXT(fcntl)(fd, command, argument) : control(fd, command, argument);
}

INTERPOSED int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return WORLD_OF_CALLER() == NULL ? NEXT(fcntl)(fd, command, argument) : control(fd, command, argument);
}

INTERPOSED int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    struct interpose_descriptor *descriptor = WORLD_OF_CALLER() != NULL ? interpose_descriptor(fd) : NULL;
    if (descriptor != NULL && request == FIONBIO) {
        descriptor->nonblocking = *(const int *)argument != 0;
        return 0;
    }
    return NEXT(ioctl)(fd, request, argument);
}

INTERPOSED int close(int fd)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL || interpose_descriptor(fd) == NULL) {
        return NEXT(close)(fd);
    }
    interpose_descriptor_announce(world, SOLO_PROBE_CLOSE, SOLO_ACCESS_WRITE, fd, 0);
    descriptors[fd].id = 0;
    int result = NEXT(close)(fd);
    interpose_descriptors_changed(world);
    return result;
}

/* ---- Timers: an eventfd that the passing of virtual time writes to ---- */

void interpose_timers_fire(struct solo_world *world)
{
    uint64_t now_ns = world->clock->now_ns(world);
    bool fired = false;
    for (int fd = 0; fd < descriptors_used; fd++) {
        struct interpose_timer *timer = descriptors[fd].id != 0 ? descriptors[fd].timer : NULL;
        if (timer == NULL || timer->due_ns > now_ns) {
            continue;
        }
        uint64_t times = timer->interval_ns != 0 ? 1 + (now_ns - timer->due_ns) / timer->interval_ns : 1;
        timer->due_ns = timer->interval_ns != 0 ? timer->due_ns + times * timer->interval_ns : SOLO_NEVER;
        fired = NEXT(write)(fd, &times, sizeof times) > 0 || fired;
    }
    if (fired) {
        interpose_descriptors_changed(world);
    }
}

INTERPOSED int timerfd_create(clockid_t clock, int flags)
{
    if (WORLD_OF_CALLER() == NULL) {
        return NEXT(timerfd_create)(clock, flags);
    }
    int fd = NEXT(eventfd)(0, EFD_NONBLOCK | ((flags & TFD_CLOEXEC) != 0 ? EFD_CLOEXEC : 0));
    if (interpose_descriptor_add(fd, solo_model_object(SOLO_MODEL_TIMERFD), (flags & TFD_NONBLOCK) != 0) >= 0) {
        descriptors[fd].timer = interpose_allocate(sizeof *descriptors[fd].timer);
        *descriptors[fd].timer = (struct interpose_timer){.clock = clock, .due_ns = SOLO_NEVER};
    }
    return fd;
}

static uint64_t as_ns(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * SECOND_NS + (uint64_t)time->tv_nsec;
}

static struct timespec as_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)};
}

static struct itimerspec what_is_left(struct solo_world *world, const struct interpose_timer *timer)
{
    uint64_t now_ns = world->clock->now_ns(world);
    uint64_t left_ns = timer->due_ns == SOLO_NEVER ? 0 : timer->due_ns > now_ns ? timer->due_ns - now_ns : 1;
    return (struct itimerspec){.it_interval = as_timespec(timer->interval_ns), .it_value = as_timespec(left_ns)};
}

INTERPOSED int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    struct solo_world *world = WORLD_OF_CALLER();
    struct interpose_descriptor *descriptor = world != NULL ? interpose_descriptor(fd) : NULL;
    if (descriptor == NULL || descriptor->timer == NULL) {
        return NEXT(timerfd_settime)(fd, flags, value, old);
    }
    struct interpose_timer *timer = descriptor->timer;
    uint64_t unread, due_ns = SOLO_NEVER;
    interpose_descriptor_announce(world, SOLO_PROBE_WRITE, SOLO_ACCESS_WRITE, fd, 0);
    if (old != NULL) {
        *old = what_is_left(world, timer);
    }
    if (as_ns(&value->it_value) != 0 && (flags & TFD_TIMER_ABSTIME) != 0) {
        (void)interpose_deadline(timer->clock, &value->it_value, &due_ns);
    } else if (as_ns(&value->it_value) != 0) {
        due_ns = world->clock->now_ns(world) + as_ns(&value->it_value);
    }
    (void)!NEXT(read)(fd, &unread, sizeof unread);
    timer->due_ns = due_ns;
    timer->interval_ns = as_ns(&value->it_interval);
    for (struct waiter *waiter = waiters; waiter != NULL; waiter = waiter->next) { /* their next deadline is another */
        world->threads->wake(world, &waiter->gate, true);
    }
    return 0;
}

INTERPOSED int timerfd_gettime(int fd, struct itimerspec *value)
{
    struct solo_world *world = WORLD_OF_CALLER();
    struct interpose_descriptor *descriptor = world != NULL ? interpose_descriptor(fd) : NULL;
    if (descriptor == NULL || descriptor->timer == NULL) {
        return NEXT(timerfd_gettime)(fd, value);
    }
    *value = what_is_left(world, descriptor->timer);
    return 0;
}

INTERPOSED int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL || interpose_descriptor(epoll) == NULL) {
        return NEXT(epoll_ctl)(epoll, operation, fd, event);
    }
    interpose_descriptor_announce(world, SOLO_PROBE_WRITE, SOLO_ACCESS_WRITE, epoll, 0);
    int result = NEXT(epoll_ctl)(epoll, operation, fd, event);
    struct interpose_descriptor *descriptor = interpose_descriptor(fd);
    if (result == 0 && descriptor != NULL) {
        descriptor->watcher = operation != EPOLL_CTL_DEL ? descriptors[epoll].id : 0;
    }
    interpose_descriptors_changed(world);
    return result;
}
