/*
 * world_os_signal.c - signals in world os: a handler that writes to an eventfd of the signal's own, which its poller
 * watches.
 *
 * The table is the process's. Its descriptors are made when a number is first watched and are never closed, so that a
 * handler which is still under way on another thread writes to nothing else. `mutex` guards everything but what the
 * handler reads: the descriptor, which is set once and then stays.
 */
#define _GNU_SOURCE
#include "world_os.h"
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static_assert(SOLO_SIGINT == SIGINT && SOLO_SIGTERM == SIGTERM && SOLO_SIGNAL_MAX < NSIG, "numbers are the system's");

static struct {
    int event_plus_1; /* 0: none yet */
    struct solo_poller *poller;
    uint64_t key;
    struct sigaction before;
} watched[SOLO_SIGNAL_MAX + 1];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int number)
{
    static const uint64_t one = 1;
    int before = errno;
    (void)!write(__atomic_load_n(&watched[number].event_plus_1, __ATOMIC_RELAXED) - 1, &one, sizeof one);
    errno = before;
}

static void enter(void)
{
    SOLO__LOOK_AWAY();
    (void)pthread_mutex_lock(&mutex);
}

static void leave(void)
{
    (void)pthread_mutex_unlock(&mutex);
    SOLO__LOOK_AGAIN();
}

static int make_event(int number)
{
    if (watched[number].event_plus_1 == 0) {
        int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event < 0) {
            return -errno;
        }
        __atomic_store_n(&watched[number].event_plus_1, event + 1, __ATOMIC_RELAXED);
    }
    return watched[number].event_plus_1 - 1;
}

static int begin(struct solo_poller *poller, int epoll, int number, uint64_t key)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    uint64_t count;
    if (watched[number].poller != NULL) {
        return -EBUSY;
    }
    int fd = make_event(number);
    if (fd < 0) {
        return fd;
    }
    (void)!read(fd, &count, sizeof count); /* what came for an earlier one */
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        return -errno;
    }
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, &watched[number].before) < 0) {
        int error = -errno;
        (void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        return error;
    }
    watched[number].poller = poller;
    watched[number].key = key;
    return 0;
}

/* A handler that somebody put in the place of ours stays. */
static void end(int epoll, int number)
{
    struct sigaction now;
    if (sigaction(number, NULL, &now) == 0 && now.sa_handler == on_signal) {
        (void)sigaction(number, &watched[number].before, NULL);
    }
    (void)epoll_ctl(epoll, EPOLL_CTL_DEL, watched[number].event_plus_1 - 1, NULL);
    watched[number].poller = NULL;
}

int solo__os_watch_signal(struct solo_poller *poller, int epoll, int number, bool wanted, uint64_t key)
{
    int error = 0;
    if (number < 1 || number > SOLO_SIGNAL_MAX) {
        return -EINVAL;
    }
    enter();
    if (wanted) {
        error = begin(poller, epoll, number, key);
    } else if (watched[number].poller == poller) {
        end(epoll, number);
    } else {
        error = -ENOENT;
    }
    leave();
    return error;
}

void solo__os_signal_seen(const struct solo_poller *poller, uint64_t key)
{
    uint64_t count;
    enter();
    for (int number = 1; number <= SOLO_SIGNAL_MAX; number++) {
        if (watched[number].poller == poller && watched[number].key == key) {
            (void)!read(watched[number].event_plus_1 - 1, &count, sizeof count);
        }
    }
    leave();
}

int solo__os_raise_signal(struct solo_world *world, int number)
{
    (void)world;
    return kill(getpid(), number) == 0 ? 0 : -errno;
}
