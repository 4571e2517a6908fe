/*
 * world_os_network.c - the network of world os: real sockets over IPv4, IPv6 and UNIX names, never blocking, never
 * inherited by a child. An IPv6 socket never speaks IPv4, whatever the system would have it do.
 */
#define _GNU_SOURCE
#include "world_os.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many of `size` bytes one call moves: in the torture build, as few as a network may. A datagram stays whole. */
#ifdef SOLO_TORTURE
enum { READ_MAX = 16, WRITE_MAX = 64 };

static size_t at_most(int fd, size_t size, size_t max)
{
    int type = 0;
    socklen_t length = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM ? size : smaller(size, max);
}
#else
#define at_most(fd, size, max) (size)
#endif

/* An address as the kernel takes it. */
struct name {
    union {
        struct sockaddr any;
        struct sockaddr_in inet;
        struct sockaddr_in6 inet6;
        struct sockaddr_un local;
    } as;
    socklen_t size;
};

static struct name name_of(const struct solo_address *address)
{
    struct name name = {.size = 0};
    if (address->family == SOLO_UNIX) {
        name.as.local.sun_family = AF_UNIX;
        memcpy(name.as.local.sun_path, address->path, sizeof(name.as.local.sun_path));
        name.size = sizeof(name.as.local);
    } else if (address->family == SOLO_INET6) {
        name.as.inet6.sin6_family = AF_INET6;
        name.as.inet6.sin6_port = htons(address->port);
        memcpy(&name.as.inet6.sin6_addr, address->host6, sizeof(address->host6));
        name.size = sizeof(name.as.inet6);
    } else {
        name.as.inet.sin_family = AF_INET;
        name.as.inet.sin_port = htons(address->port);
        name.as.inet.sin_addr.s_addr = htonl(address->host);
        name.size = sizeof(name.as.inet);
    }
    return name;
}

static struct name empty_name(void)
{
    struct name name = {.size = sizeof(name.as)};
    return name;
}

/* A name in the file system may fill the kernel's structure and then has no zero at its end; ours has room for it. */
static void address_of(const struct name *name, struct solo_address *ret_address)
{
    if (ret_address == NULL) {
        return;
    }
    memset(ret_address, 0, sizeof(*ret_address));
    if (name->as.any.sa_family == AF_INET) {
        ret_address->family = SOLO_INET;
        ret_address->port = ntohs(name->as.inet.sin_port);
        ret_address->host = ntohl(name->as.inet.sin_addr.s_addr);
    } else if (name->as.any.sa_family == AF_INET6) {
        ret_address->family = SOLO_INET6;
        ret_address->port = ntohs(name->as.inet6.sin6_port);
        memcpy(ret_address->host6, &name->as.inet6.sin6_addr, sizeof(ret_address->host6));
    } else if (name->as.any.sa_family == AF_UNIX) {
        size_t length = name->size > offsetof(struct sockaddr_un, sun_path)
                            ? name->size - offsetof(struct sockaddr_un, sun_path)
                            : 0;
        ret_address->family = SOLO_UNIX;
        memcpy(ret_address->path, name->as.local.sun_path, smaller(length, SOLO_ADDRESS_PATH_MAX));
    }
}

/* Closes the descriptor and returns the error as it was before. */
static int failed(int fd)
{
    int error = -errno;
    (void)close(fd);
    return error;
}

/* Small messages leave at once: a dialogue of short lines must not wait for delayed acknowledgements. */
static int set_no_delay(int fd, int on)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 ? 0 : -errno;
}

static bool is_known(const struct solo_address *address)
{
    return address == NULL || (address->family >= SOLO_INET && address->family <= SOLO_INET6);
}

/* The system's name of a family. */
static int family_of(unsigned family)
{
    return family == SOLO_UNIX ? AF_UNIX : family == SOLO_INET6 ? AF_INET6 : AF_INET;
}

/* A socket of that type and family, bound to `local` unless that is NULL. */
static int open_socket(int type, unsigned of_family, const struct solo_address *local)
{
    int family = family_of(of_family);
    int on = 1;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) {
        return failed(fd);
    }
    if (family != AF_UNIX && type == SOCK_STREAM && local != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) {
        return failed(fd);
    }
    if (local != NULL) {
        struct name name = name_of(local);
        if (bind(fd, &name.as.any, name.size) < 0) {
            return failed(fd);
        }
    }
    return fd;
}

static int begin_connect(int fd, const struct solo_address *remote)
{
    struct name name = name_of(remote);
    if (connect(fd, &name.as.any, name.size) < 0 && errno != EINPROGRESS && errno != EINTR) {
        return failed(fd);
    }
    return fd;
}

static int open_as(enum solo_open kind, const struct solo_address *local, const struct solo_address *remote)
{
    int fd;
    switch (kind) {
    case SOLO_OPEN_LISTENER:
        fd = open_socket(SOCK_STREAM, local->family, local);
        return fd < 0 || listen(fd, SOMAXCONN) == 0 ? fd : failed(fd);
    case SOLO_OPEN_STREAM:
        fd = open_socket(SOCK_STREAM, remote->family, local);
        if (fd >= 0 && remote->family != SOLO_UNIX) {
            (void)set_no_delay(fd, 1);
        }
        return fd < 0 ? fd : begin_connect(fd, remote);
    default:
        fd = open_socket(SOCK_DGRAM, local->family, local);
        return fd < 0 || remote == NULL ? fd : begin_connect(fd, remote);
    }
}

static int os_open(struct solo_world *world, enum solo_open kind, const struct solo_address *local,
                   const struct solo_address *remote, int *ret_fd)
{
    const struct solo_address *needed = kind == SOLO_OPEN_STREAM ? remote : local;
    (void)world;
    if (needed == NULL || !is_known(local) || !is_known(remote) || kind < SOLO_OPEN_LISTENER ||
        kind > SOLO_OPEN_DATAGRAM || (kind == SOLO_OPEN_DATAGRAM && needed->family == SOLO_UNIX) ||
        (local != NULL && remote != NULL && local->family != remote->family)) {
        return -EINVAL;
    }
    int fd = open_as(kind, local, remote);
    if (fd < 0) {
        return fd;
    }
    *ret_fd = fd;
    return 0;
}

static int os_accept(struct solo_world *world, int fd, struct solo_address *ret_peer, int *ret_fd)
{
    struct name peer;
    int accepted;
    (void)world;
    do {
        peer = empty_name();
        accepted = accept4(fd, &peer.as.any, &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (accepted < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (accepted < 0) {
        return -errno;
    }
    if (peer.as.any.sa_family != AF_UNIX) {
        (void)set_no_delay(accepted, 1);
    }
    address_of(&peer, ret_peer);
    *ret_fd = accepted;
    return 0;
}

static ptrdiff_t os_read(struct solo_world *world, int fd, void *buffer, size_t size, struct solo_address *ret_from)
{
    struct name from = empty_name();
    ssize_t got;
    (void)world;
    do {
        got = ret_from == NULL ? read(fd, buffer, at_most(fd, size, READ_MAX))
                               : recvfrom(fd, buffer, at_most(fd, size, READ_MAX), 0, &from.as.any, &from.size);
    } while (got < 0 && errno == EINTR);
    if (got >= 0 && ret_from != NULL && from.size > 0) {
        address_of(&from, ret_from);
    }
    return got < 0 ? -errno : got;
}

static ptrdiff_t os_write(struct solo_world *world, int fd, const void *data, size_t size,
                          const struct solo_address *to)
{
    struct name name = to != NULL ? name_of(to) : empty_name();
    ssize_t put;
    (void)world;
    do {
        put = to == NULL ? send(fd, data, at_most(fd, size, WRITE_MAX), MSG_NOSIGNAL)
                         : sendto(fd, data, size, MSG_NOSIGNAL, &name.as.any, name.size);
    } while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put;
}

/* The name of a UNIX listener in the file system. */
static void remove_name(int fd)
{
    struct name name = empty_name();
    struct solo_address address;
    if (getsockname(fd, &name.as.any, &name.size) == 0 && name.as.any.sa_family == AF_UNIX) {
        address_of(&name, &address);
        (void)unlink(address.path);
    }
}

static int os_close(struct solo_world *world, int fd, enum solo_close how)
{
    (void)world;
    if (how == SOLO_CLOSE_WRITING) {
        return shutdown(fd, SHUT_WR) == 0 ? 0 : -errno;
    }
    if (how == SOLO_CLOSE_ABORT) {
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    } else if (how == SOLO_CLOSE_NAME) {
        remove_name(fd);
    }
    return close(fd) == 0 ? 0 : -errno;
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

/* The kernel tells why a connect failed once; asked again it only knows that there is no connection. */
static int query_connected(int fd)
{
    struct pollfd decided = {.fd = fd, .events = POLLOUT};
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof(peer);
    int error = 0;
    socklen_t error_size = sizeof(error);
    if (poll(&decided, 1, 0) <= 0) { /* interrupted: whoever waits will ask again */
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

static int os_query(struct solo_world *world, int fd, enum solo_query what, struct solo_address *ret_address)
{
    struct name name = empty_name();
    int failure;
    (void)world;
    switch (what) {
    case SOLO_QUERY_CONNECTED: return query_connected(fd);
    case SOLO_QUERY_LOCAL: failure = getsockname(fd, &name.as.any, &name.size); break;
    case SOLO_QUERY_PEER: failure = getpeername(fd, &name.as.any, &name.size); break;
    default: return -EINVAL;
    }
    if (failure != 0) {
        return -errno;
    }
    address_of(&name, ret_address);
    return 0;
}

/* Whether it is an Internet socket of this type. */
static bool is_socket(int fd, int type)
{
    int its_family = 0, its_type = 0;
    socklen_t size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &its_family, &size) == 0 &&
           (its_family == AF_INET || its_family == AF_INET6) &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &its_type, &size) == 0 && its_type == type;
}

static int os_set(struct solo_world *world, int fd, enum solo_option_name what, int value)
{
    int type = what == SOLO_SET_BROADCAST ? SOCK_DGRAM : SOCK_STREAM;
    int failure;
    (void)world;
    if (what != SOLO_SET_NO_DELAY && what != SOLO_SET_KEEP_ALIVE && what != SOLO_SET_BROADCAST) {
        return -EINVAL;
    }
    if (fcntl(fd, F_GETFD) < 0) {
        return -errno;
    }
    if (!is_socket(fd, type)) {
        return -EOPNOTSUPP;
    }
    value = value != 0;
    switch (what) {
    case SOLO_SET_NO_DELAY: return set_no_delay(fd, value);
    case SOLO_SET_KEEP_ALIVE: failure = setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(value)); break;
    default: failure = setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &value, sizeof(value)); break;
    }
    return failure == 0 ? 0 : -errno;
}

const struct solo_network_table solo__os_network_table = {os_open,  os_accept, os_read,  os_write,
                                                          os_close, os_pair,   os_query, os_set};
