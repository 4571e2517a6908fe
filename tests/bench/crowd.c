/*
 * crowd.c - how many connections one reactor of world os holds at the same time: bench/crowd [CONNECTIONS] (20,000).
 *
 * A child process connects them all, then sends one byte on each and waits for its echo, then closes them. Prints the
 * nanoseconds that one connection took from its connect to its end, for all of them together; fails if one byte is
 * lost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct solo_reactor *reactor;
static unsigned long wanted, made, open_now, open_most, lost_count;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- The server ---- */

static void on_made(struct solo_protocol *protocol)
{
    (void)protocol;
    made++;
    open_now++;
    open_most = open_now > open_most ? open_now : open_most;
}

static void on_data(struct solo_protocol *protocol, const void *data, size_t size)
{
    (void)solo_transport_write(protocol->transport, data, size);
}

static void on_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
    open_now--;
    if (++lost_count == wanted) {
        (void)solo_reactor_stop(reactor);
    }
}

static struct solo_protocol *build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {on_made, on_data, on_lost};
    struct solo_protocol *protocol = calloc(1, sizeof *protocol);
    (void)factory;
    if (protocol != NULL) {
        protocol->ops = &ops;
    }
    return protocol;
}

/* ---- The clients ---- */

static int connect_to(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) < 0) {
        fail("connect");
    }
    return fd;
}

static _Noreturn void be_clients(uint16_t port)
{
    int *fds = calloc(wanted, sizeof *fds);
    char byte;
    if (fds == NULL) {
        fail("calloc");
    }
    for (unsigned long i = 0; i < wanted; i++) {
        fds[i] = connect_to(port);
    }
    for (unsigned long i = 0; i < wanted; i++) {
        if (send(fds[i], "x", 1, 0) != 1) {
            fail("send");
        }
    }
    for (unsigned long i = 0; i < wanted; i++) {
        if (recv(fds[i], &byte, 1, 0) != 1 || byte != 'x') {
            fail("recv");
        }
    }
    _exit(0); /* closes them all */
}

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    static struct solo_factory factory = {.build_protocol = build};
    struct solo_port *listener = NULL;
    uint16_t port = 0;
    int status = 1;
    wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    struct rlimit files;
    if (wanted == 0 || getrlimit(RLIMIT_NOFILE, &files) < 0) {
        fail("getrlimit");
    }
    files.rlim_cur = wanted + 100;
    files.rlim_max = files.rlim_max > files.rlim_cur ? files.rlim_max : files.rlim_cur;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
        fail("so many descriptors in one process");
    }
    if (solo_reactor_create(NULL, &reactor) < 0 || solo_reactor_listen_tcp(reactor, 0, &factory, &listener) < 0 ||
        solo_port_get_number(listener, &port) < 0) {
        fail("listen");
    }
    double begun_ns = now_ns();
    pid_t clients = fork();
    if (clients == 0) {
        be_clients(port);
    }
    if (clients < 0 || solo_reactor_run(reactor) < 0) {
        fail("run");
    }
    double took_ns = now_ns() - begun_ns;
    (void)waitpid(clients, &status, 0);
    (void)solo_reactor_destroy(reactor);
    fprintf(stderr, "%lu connections, %lu at the same time\n", made, open_most);
    printf("%.0f\tns\n", took_ns / (double)wanted);
    return status == 0 && open_most == wanted ? 0 : 1;
}
