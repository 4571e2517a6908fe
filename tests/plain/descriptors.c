/*
 * descriptors.c - what the kernel says of descriptors between threads, checked with assert under whatever schedule.
 *
 * usage: descriptors TOPIC
 */
#define _GNU_SOURCE
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { LARGE = 200 << 10 };

static int fds[2];
static char large[LARGE];

static void *write_large(void *arg)
{
    memset(large, 'x', sizeof large);
    assert(write(fds[1], large, sizeof large) == sizeof large); /* more than a pipe holds */
    assert(close(fds[1]) == 0);
    return arg;
}

static time_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec;
}

static void pipes(void)
{
    pthread_t thread;
    char buffer[4096];
    ssize_t got, all = 0;
    assert(pipe(fds) == 0);
    assert((fcntl(fds[0], F_GETFL) & O_NONBLOCK) == 0);
    assert(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 && (fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
    assert(read(fds[0], buffer, 1) == -1 && errno == EAGAIN);
    assert(fcntl(fds[0], F_SETFL, 0) == 0);
    assert(pthread_create(&thread, NULL, write_large, NULL) == 0);
    int copy = dup(fds[0]);
    close(fds[0]);
    while ((got = read(copy, buffer, sizeof buffer)) > 0) {
        all += got;
    }
    assert(got == 0 && all == LARGE);
    assert(pthread_join(thread, NULL) == 0);
}

static void *answer(void *arg)
{
    char text[8] = "";
    assert(recv(fds[1], text, sizeof text, 0) == 4 && strcmp(text, "why") == 0);
    assert(send(fds[1], "so", 3, 0) == 3);
    assert(shutdown(fds[1], SHUT_WR) == 0);
    return arg;
}

static void sockets(void)
{
    pthread_t thread;
    char text[8] = "";
    struct pollfd fd;
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    assert(pthread_create(&thread, NULL, answer, NULL) == 0);
    assert(write(fds[0], "why", 4) == 4);
    fd = (struct pollfd){fds[0], POLLIN, 0};
    assert(poll(&fd, 1, -1) == 1 && (fd.revents & POLLIN) != 0);
    assert(read(fds[0], text, 3) == 3 && strcmp(text, "so") == 0);
    assert(read(fds[0], text, sizeof text) == 0);
    assert(pthread_join(thread, NULL) == 0);
}

/* In pieces, as many as the reader may find. */
static void *send_pieces(void *arg)
{
    for (int i = 0; i < 4; i++) {
        assert(send(fds[1], "ab", 2, 0) == 2);
    }
    assert(shutdown(fds[1], SHUT_WR) == 0);
    return arg;
}

/* Of a stream, whoever wants to wait for all of it does; a message is one, however long. */
static void whole(void)
{
    pthread_t thread;
    char text[16] = "";
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    assert(pthread_create(&thread, NULL, send_pieces, NULL) == 0);
    assert(recv(fds[0], text, 5, MSG_WAITALL) == 5 && strcmp(text, "ababa") == 0);
    assert(recv(fds[0], text, sizeof text, MSG_WAITALL) == 3);
    assert(recv(fds[0], text, sizeof text, MSG_WAITALL) == 0);
    assert(pthread_join(thread, NULL) == 0);
    assert(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
    assert(pthread_create(&thread, NULL, send_pieces, NULL) == 0);
    assert(recv(fds[0], text, sizeof text, MSG_WAITALL) == 2);
    assert(pthread_join(thread, NULL) == 0);
}

static char halves[2][100000];
static const struct iovec parts[2] = {{halves[0], sizeof halves[0]}, {halves[1], sizeof halves[1] - 1}};
enum { PARTS = sizeof halves - 1 };

static void *write_parts(void *arg)
{
    assert(writev(fds[1], parts, 2) == PARTS);
    assert(close(fds[1]) == 0);
    return arg;
}

static void *send_parts(void *arg)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = 2};
    assert(sendmsg(fds[1], &message, 0) == PARTS);
    assert(close(fds[1]) == 0);
    return arg;
}

static void read_parts(void *(*write_fn)(void *))
{
    pthread_t thread;
    static char buffer[30000];
    ssize_t got, all = 0;
    assert(pthread_create(&thread, NULL, write_fn, NULL) == 0);
    while ((got = read(fds[0], buffer, sizeof buffer)) > 0) {
        all += got;
    }
    assert(got == 0 && all == PARTS);
    assert(pthread_join(thread, NULL) == 0);
}

/* More than there is room for, in several parts. */
static void gathered(void)
{
    assert(pipe(fds) == 0);
    read_parts(write_parts);
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    read_parts(send_parts);
    struct msghdr message = {.msg_iov = (struct iovec[2]){{halves[0], 3}, {halves[1], 2}}, .msg_iovlen = 2};
    pthread_t thread;
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    assert(pthread_create(&thread, NULL, send_pieces, NULL) == 0);
    assert(recvmsg(fds[0], &message, MSG_WAITALL) == 5);
    assert(strcmp(halves[0], "aba") == 0 && strcmp(halves[1], "ba") == 0);
    assert(pthread_join(thread, NULL) == 0);
}

static void *close_it(void *arg)
{
    assert(close(fds[0]) == 0);
    return arg;
}

/* Whoever is about to read hears that it is closed. */
static void closed(void)
{
    pthread_t thread;
    char byte;
    assert(pipe(fds) == 0);
    assert(write(fds[1], "x", 1) == 1);
    assert(pthread_create(&thread, NULL, close_it, NULL) == 0);
    ssize_t got = read(fds[0], &byte, 1);
    assert(got == 1 || errno == EBADF);
    assert(pthread_join(thread, NULL) == 0);
}

/* What a socket's own time limits say. */
static void limits(void)
{
    const struct timeval reading = {3, 0}, writing = {2, 500000};
    static char much[1 << 20];
    char text[4];
    time_t began = now();
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    assert(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &reading, sizeof reading) == 0);
    assert(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &writing, sizeof writing) == 0);
    assert(recv(fds[0], text, sizeof text, 0) == -1 && errno == EAGAIN);
    assert(now() - began >= 3);
    assert(write(fds[1], "ab", 2) == 2);
    assert(recv(fds[0], text, sizeof text, MSG_WAITALL) == 2);
    assert(now() - began >= 6);
    ssize_t sent = write(fds[0], much, sizeof much);
    assert(sent > 0 && sent < (ssize_t)sizeof much);
    assert(write(fds[0], much, sizeof much) == -1 && errno == EAGAIN);
    assert(now() - began >= 11);
}

static void *post_three(void *arg)
{
    for (int i = 0; i < 3; i++) {
        assert(eventfd_write(fds[0], 1) == 0);
    }
    return arg;
}

static void eventfds(void)
{
    pthread_t thread;
    eventfd_t value, sum = 0;
    fds[0] = eventfd(0, EFD_SEMAPHORE);
    assert(pthread_create(&thread, NULL, post_three, NULL) == 0);
    while (sum < 3) {
        assert(eventfd_read(fds[0], &value) == 0 && value == 1);
        sum += value;
    }
    assert(pthread_join(thread, NULL) == 0);
    struct pollfd fd = {fds[0], POLLIN, 0};
    assert(poll(&fd, 1, 0) == 0);
}

static void timeouts(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct timeval second = {1, 0};
    fd_set set;
    time_t began = now();
    assert(pipe(fds) == 0);
    struct pollfd fd = {fds[0], POLLIN, 0};
    assert(poll(&fd, 1, 100000) == 0);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[0], &event) == 0);
    assert(epoll_wait(epoll_fd, &event, 1, 100000) == 0);
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    assert(select(fds[0] + 1, &set, NULL, NULL, &second) == 0 && !FD_ISSET(fds[0], &set));
    assert(poll(NULL, 0, 1000) == 0);
    assert(now() - began >= 202);
    assert(write(fds[1], "x", 1) == 1);
    FD_SET(fds[0], &set);
    assert(select(fds[0] + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(fds[0], &set));
}

static void timers(void)
{
    uint64_t count;
    time_t began = now();
    struct itimerspec every = {{10, 0}, {5, 0}}, once = {{0, 0}, {3, 0}}, left;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    assert(timerfd_settime(fd, 0, &every, NULL) == 0);
    assert(read(fd, &count, sizeof count) == sizeof count && count >= 1);
    assert(now() - began >= 5);
    sleep(100);
    assert(read(fd, &count, sizeof count) == sizeof count && count >= 10);
    assert(timerfd_settime(fd, 0, &once, &left) == 0 && left.it_interval.tv_sec == 10);
    struct pollfd poll_fd = {fd, POLLIN, 0};
    assert(poll(&poll_fd, 1, -1) == 1);
    assert(timerfd_gettime(fd, &left) == 0 && left.it_value.tv_sec == 0);
    assert(close(fd) == 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } topics[] = {
        {"pipes", pipes},   {"sockets", sockets},   {"whole", whole},       {"limits", limits}, {"gathered", gathered},
        {"closed", closed}, {"eventfds", eventfds}, {"timeouts", timeouts}, {"timers", timers},
    };
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (argc > 1 && strcmp(argv[1], topics[i].name) == 0) {
            topics[i].fn();
            return 0;
        }
    }
    return 2;
}
