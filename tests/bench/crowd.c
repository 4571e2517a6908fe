/*
 * crowd.c - how many connections are held at the same time in world os: bench/crowd [CONNECTIONS] (20,000).
 *
 * A server is a process with one reactor; a process of its own connects to it, waits until all connections of all
 * servers are open at the same time, then sends one byte on each and waits for its echo, then closes them. There is one
 * server if the limit of descriptors allows it, else as many as it takes. Prints the nanoseconds that one connection
 * took from its connect to its end, for all of them together; fails if one byte is lost, or if they were not all open
 * at once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SPARE_DESCRIPTORS = 16, PARTS_MAX = 64, PATIENCE_S = 300, SOURCE_PORTS = 4096 };

/* What all processes see. */
static struct common {
    unsigned long open_now, open_most; /* atomic */
    uint16_t ports[PARTS_MAX];         /* atomic; 0: not listening yet */
} * common;

static struct solo_reactor *reactor;
static unsigned long wanted, share, lost_count; /* connections: in all; of this server, and lost there */

static _Noreturn void fail(const char *what)
{
    perror(what);
    _exit(1);
}

/* ---- The server ---- */

static void on_made(struct solo_protocol *protocol)
{
    (void)protocol;
    unsigned long open_now = __atomic_add_fetch(&common->open_now, 1, __ATOMIC_SEQ_CST);
    unsigned long most = __atomic_load_n(&common->open_most, __ATOMIC_SEQ_CST);
    while (open_now > most && !__atomic_compare_exchange_n(&common->open_most, &most, open_now, false, __ATOMIC_SEQ_CST,
                                                           __ATOMIC_SEQ_CST)) {
    }
}

static void on_data(struct solo_protocol *protocol, const void *data, size_t size)
{
    (void)solo_transport_write(protocol->transport, data, size);
}

static void on_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
    (void)__atomic_sub_fetch(&common->open_now, 1, __ATOMIC_SEQ_CST);
    if (++lost_count == share) {
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

static int be_server(unsigned part)
{
    static struct solo_factory factory = {.build_protocol = build};
    struct solo_port *listener = NULL;
    uint16_t port = 0;
    if (solo_reactor_create(NULL, &reactor) < 0 || solo_reactor_listen_tcp(reactor, 0, &factory, &listener) < 0 ||
        solo_port_get_number(listener, &port) < 0) {
        fail("listen");
    }
    __atomic_store_n(&common->ports[part], port, __ATOMIC_SEQ_CST);
    int status = solo_reactor_run(reactor) == 0 ? 0 : 1;
    (void)solo_reactor_destroy(reactor);
    return status;
}

/* ---- The clients ---- */

static void wait_a_little(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/*
 * From several addresses of this machine: the more ports of one are taken, the longer the system looks for a free one.
 */
static int connect_to(uint16_t port, unsigned long number)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number / SOURCE_PORTS))};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof from) < 0 ||
        connect(fd, (const struct sockaddr *)&at, sizeof at) < 0) {
        fail("connect");
    }
    return fd;
}

static int be_clients(unsigned part)
{
    int *fds = calloc(share, sizeof *fds);
    char byte;
    if (fds == NULL) {
        fail("calloc");
    }
    while (__atomic_load_n(&common->ports[part], __ATOMIC_SEQ_CST) == 0) {
        wait_a_little();
    }
    for (unsigned long i = 0; i < share; i++) {
        fds[i] = connect_to(common->ports[part], i);
    }
    while (__atomic_load_n(&common->open_most, __ATOMIC_SEQ_CST) < wanted) {
        wait_a_little();
    }
    for (unsigned long i = 0; i < share; i++) {
        if (send(fds[i], "x", 1, 0) != 1) {
            fail("send");
        }
    }
    for (unsigned long i = 0; i < share; i++) {
        if (recv(fds[i], &byte, 1, 0) != 1 || byte != 'x') {
            fail("recv");
        }
    }
    free(fds);
    return 0; /* its end closes them all */
}

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* How many connections one process may hold. */
static unsigned long raise_limit(void)
{
    struct rlimit files, more;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
        fail("getrlimit");
    }
    more.rlim_cur = more.rlim_max = wanted + SPARE_DESCRIPTORS;
    if (files.rlim_max >= more.rlim_max || setrlimit(RLIMIT_NOFILE, &more) < 0) { /* which takes a privilege */
        files.rlim_cur = files.rlim_max;
        more = files;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return (unsigned long)more.rlim_cur - SPARE_DESCRIPTORS;
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    unsigned long max = raise_limit(), parts = (wanted + max - 1) / max;
    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (wanted == 0 || parts > PARTS_MAX || common == MAP_FAILED) {
        fail("crowd");
    }
    double begun_ns = now_ns();
    for (unsigned long i = 0; i < parts * 2; i++) { /* a server and its clients, in turn */
        pid_t child = fork();
        unsigned part = (unsigned)i / 2;
        if (child < 0) {
            fail("fork");
        }
        if (child == 0) {
            (void)alarm(PATIENCE_S); /* whoever waits for others that have failed */
            share = wanted / parts + (part < wanted % parts);
            _exit(i % 2 == 0 ? be_server(part) : be_clients(part));
        }
    }
    int status, failures = 0;
    for (unsigned long i = 0; i < parts * 2; i++) {
        failures += wait(&status) < 0 || status != 0;
    }
    double took_ns = now_ns() - begun_ns;
    printf("%.0f\tns\tconnections %lu servers %lu\n", took_ns / (double)wanted, common->open_most, parts);
    return failures == 0 && common->open_most == wanted ? 0 : 1;
}
