/*
 * world_os_network.c - the network of world os: real IPv4 stream sockets, never blocking, never inherited by a child.
 */
#define _GNU_SOURCE
#include "world_os.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How many bytes one call moves at most: in the torture build, as few as a network may. */
#ifdef SOLO_TORTURE
static const size_t read_max = 16, write_max = 64;
#else
static const size_t read_max = SIZE_MAX, write_max = SIZE_MAX;
#endif

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct sockaddr_in address_of(uint32_t address, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    return name;
}

/* Closes the descriptor and returns the error as it was before. */
static int failed(int fd)
{
    int error = -errno;
    (void)close(fd);
    return error;
}

/* Small messages leave at once: a dialogue of short lines must not wait for delayed acknowledgements. */
static void set_no_delay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int os_listen(struct solo_world *world, uint32_t address, uint16_t port, int *ret_fd)
{
    struct sockaddr_in name = address_of(address, port);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)world;
    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, SOMAXCONN) < 0) {
        return failed(fd);
    }
    *ret_fd = fd;
    return 0;
}

static int os_accept(struct solo_world *world, int fd, int *ret_fd)
{
    int accepted;
    (void)world;
    do {
        accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (accepted < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (accepted < 0) {
        return -errno;
    }
    set_no_delay(accepted);
    *ret_fd = accepted;
    return 0;
}

static int os_connect(struct solo_world *world, uint32_t address, uint16_t port, int *ret_fd)
{
    struct sockaddr_in name = address_of(address, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)world;
    if (fd < 0) {
        return -errno;
    }
    set_no_delay(fd);
    if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 && errno != EINPROGRESS && errno != EINTR) {
        return failed(fd);
    }
    *ret_fd = fd;
    return 0;
}

static ptrdiff_t os_read(struct solo_world *world, int fd, void *buffer, size_t size)
{
    ssize_t got;
    (void)world;
    do {
        got = read(fd, buffer, smaller(size, read_max));
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static ptrdiff_t os_write(struct solo_world *world, int fd, const void *data, size_t size)
{
    ssize_t put;
    (void)world;
    do {
        put = send(fd, data, smaller(size, write_max), MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put;
}

static void os_close(struct solo_world *world, int fd, bool abort)
{
    (void)world;
    if (abort) {
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    (void)close(fd);
}

static int os_pair(struct solo_world *world, int ret_fds[2])
{
    int fds[2];
    (void)world;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) {
        return -errno;
    }
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return 0;
}

static int query_port(int fd)
{
    struct sockaddr_in name = {0};
    socklen_t size = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &size) < 0) {
        return -errno;
    }
    return name.sin_family == AF_INET ? ntohs(name.sin_port) : -EINVAL;
}

/* The kernel tells why a connect failed once; asked again it only knows that there is no connection. */
static int query_connected(int fd)
{
    struct pollfd decided = {.fd = fd, .events = POLLOUT};
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof(peer);
    int error = 0;
    socklen_t error_size = sizeof(error);
    if (poll(&decided, 1, 0) == 0) {
        return -EINPROGRESS;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) < 0) {
        return -errno;
    }
    if (error != 0) {
        return -error;
    }
    return getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0 ? 0 : -errno;
}

static int os_query(struct solo_world *world, int fd, enum solo_query what)
{
    (void)world;
    switch (what) {
    case SOLO_QUERY_PORT: return query_port(fd);
    case SOLO_QUERY_CONNECTED: return query_connected(fd);
    default: return -EINVAL;
    }
}

const struct solo_network_table solo__os_network_table = {os_listen, os_accept, os_connect, os_read,
                                                          os_write,  os_close,  os_pair,    os_query};
