/* peer.c - main of every program that is measured, and what they share; peer.h says what the workloads are. */
#define _GNU_SOURCE
#include "peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void peer_fail(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(3);
}

double peer_seconds(void)
{
    struct timespec now;
    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now); /* past the clock of clock.c */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void peer_pin(unsigned processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

/* ---- Threads ---- */

static void *thread_main(void *arg)
{
    struct peer_threads *threads = arg;
    (void)pthread_barrier_wait(&threads->start);
    threads->post(threads->each);
    return NULL;
}

void peer_threads_make(struct peer_threads *threads, unsigned how_many, unsigned long count,
                       void (*post)(unsigned long count))
{
    threads->count = how_many;
    threads->each = count / how_many;
    threads->post = post;
    (void)pthread_barrier_init(&threads->start, NULL, how_many + 1);
    for (unsigned i = 0; i < how_many; i++) {
        errno = pthread_create(&threads->threads[i], NULL, thread_main, threads);
        if (errno != 0) {
            peer_fail("pthread_create");
        }
    }
}

double peer_threads_go(struct peer_threads *threads)
{
    double from = peer_seconds();
    (void)pthread_barrier_wait(&threads->start);
    return from;
}

void peer_threads_join(struct peer_threads *threads)
{
    for (unsigned i = 0; i < threads->count; i++) {
        (void)pthread_join(threads->threads[i], NULL);
    }
    (void)pthread_barrier_destroy(&threads->start);
}

/* ---- Queue ---- */

static struct peer_item *make_item(void (*fn)(void *arg), void *arg)
{
    struct peer_item *item = malloc(sizeof *item);
    if (item == NULL) {
        peer_fail("malloc");
    }
    item->next = NULL;
    item->fn = fn;
    item->arg = arg;
    return item;
}

void peer_queue_post(struct peer_queue *queue, void (*fn)(void *arg), void *arg)
{
    struct peer_item *item = make_item(fn, arg);
    (void)pthread_mutex_lock(&queue->mutex);
    *queue->end = item;
    queue->end = &item->next;
    (void)pthread_mutex_unlock(&queue->mutex);
}

void peer_queue_serve(struct peer_queue *queue)
{
    (void)pthread_mutex_lock(&queue->mutex);
    struct peer_item *item = queue->first;
    queue->first = NULL;
    queue->end = &queue->first;
    (void)pthread_mutex_unlock(&queue->mutex);
    while (item != NULL) {
        struct peer_item *next = item->next;
        item->fn(item->arg);
        free(item);
        item = next;
    }
}

/* ---- Pool ---- */

static struct {
    struct peer_queue jobs;
    pthread_cond_t wanted;
    pthread_t workers[PEER_WORKERS];
    void (*report)(void);
    bool stops;
} pool = {PEER_QUEUE(pool.jobs), PTHREAD_COND_INITIALIZER, {0}, NULL, false};

static void *worker_main(void *arg)
{
    (void)arg;
    for (;;) {
        (void)pthread_mutex_lock(&pool.jobs.mutex);
        while (pool.jobs.first == NULL && !pool.stops) {
            (void)pthread_cond_wait(&pool.wanted, &pool.jobs.mutex);
        }
        struct peer_item *job = pool.jobs.first;
        if (job != NULL) {
            pool.jobs.first = job->next;
            if (pool.jobs.first == NULL) {
                pool.jobs.end = &pool.jobs.first;
            }
        }
        (void)pthread_mutex_unlock(&pool.jobs.mutex);
        if (job == NULL) {
            return NULL;
        }
        job->fn(job->arg);
        free(job);
        pool.report();
    }
}

void peer_pool_start(void (*report)(void))
{
    pool.report = report;
    pool.stops = false;
    for (unsigned i = 0; i < PEER_WORKERS; i++) {
        errno = pthread_create(&pool.workers[i], NULL, worker_main, NULL);
        if (errno != 0) {
            peer_fail("pthread_create");
        }
    }
}

void peer_pool_submit(void (*fn)(void *arg), void *arg)
{
    peer_queue_post(&pool.jobs, fn, arg);
    (void)pthread_cond_signal(&pool.wanted);
}

void peer_pool_stop(void)
{
    (void)pthread_mutex_lock(&pool.jobs.mutex);
    pool.stops = true;
    (void)pthread_mutex_unlock(&pool.jobs.mutex);
    (void)pthread_cond_broadcast(&pool.wanted);
    for (unsigned i = 0; i < PEER_WORKERS; i++) {
        (void)pthread_join(pool.workers[i], NULL);
    }
}

/* ---- Timers ---- */

uint64_t peer_delay_ns(unsigned long which)
{
    uint64_t mixed = (which + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
    return (1 + ((mixed >> 32) * (PEER_SPAN_NS / 1000000 - 1) >> 32)) * 1000000;
}

/* In clock.c, which main preloads where a workload is about timers. */
void peer_clock_set(uint64_t now_ns) __attribute__((weak));
static uint64_t held_ns;

void peer_clock_hold(void)
{
    if (peer_clock_set == NULL) {
        fprintf(stderr, "%s: without its clock\n", program_invocation_short_name);
        exit(3);
    }
    held_ns = UINT64_C(1000000000000);
    peer_clock_set(held_ns);
}

void peer_clock_advance(uint64_t ns)
{
    held_ns += ns;
    peer_clock_set(held_ns);
}

static char **arguments;

void peer_with(const char *variable, const char *value)
{
    const char *set = getenv(variable);
    if (set == NULL || strcmp(set, value) != 0) {
        (void)setenv(variable, value, 1);
        (void)execv("/proc/self/exe", arguments);
        peer_fail("execv");
    }
}

/* A clock that stands still goes in front of the system's. */
static void preload_clock(void)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 32);
    if (size < 0) {
        peer_fail("readlink");
    }
    path[size] = '\0';
    strcpy(strrchr(path, '/') + 1, "libclock.so");
    peer_with("LD_PRELOAD", path);
}

/* ---- Echo ---- */

double peer_cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int peer_listen(uint16_t *ret_port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        peer_fail("listen");
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int connect_one(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        peer_fail("connect");
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* Every connection has one request on its way; a piece of an answer is waited for until it is whole. */
static void client(uint16_t port, unsigned connections, unsigned long requests)
{
    static char message[PEER_MESSAGE];
    struct epoll_event events[256];
    int epoll = epoll_create1(0);
    unsigned *received = calloc(connections + 4096, sizeof *received);
    int *fds = calloc(connections, sizeof *fds);
    unsigned long sent = 0, answered = 0;
    for (unsigned i = 0; i < connections; i++) {
        fds[i] = connect_one(port);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event);
    }
    for (unsigned i = 0; i < connections && sent < requests; i++, sent++) {
        if (write(fds[i], message, sizeof message) != sizeof message) {
            peer_fail("write");
        }
    }
    while (answered < requests) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            unsigned which = events[i].data.u32;
            ssize_t got = read(fds[which], message, sizeof message - received[which]);
            if (got <= 0) {
                peer_fail("read");
            }
            received[which] += (unsigned)got;
            if (received[which] == sizeof message) {
                received[which] = 0;
                answered++;
                if (sent < requests) {
                    sent++;
                    (void)!write(fds[which], message, sizeof message);
                }
            }
        }
    }
    _exit(0); /* closes them all */
}

static pid_t client_pid;

void peer_client_start(uint16_t port, unsigned connections, unsigned long requests)
{
    client_pid = fork();
    if (client_pid == 0) {
        client(port, connections, requests);
    }
    if (client_pid < 0) {
        peer_fail("fork");
    }
}

void peer_client_wait(void)
{
    int status;
    if (waitpid(client_pid, &status, 0) != client_pid || status != 0) {
        fprintf(stderr, "%s: the client failed\n", program_invocation_short_name);
        exit(3);
    }
}

static struct {
    unsigned wanted, open;
    double from, to;
} echo;

void peer_echo_begin(unsigned connections)
{
    echo.wanted = connections;
    echo.open = 0;
    echo.from = echo.to = 0;
}

void peer_echo_opened(void)
{
    if (++echo.open == echo.wanted) {
        echo.from = peer_cpu_seconds();
    }
}

bool peer_echo_closed(void)
{
    if (echo.to == 0) {
        echo.to = peer_cpu_seconds();
    }
    return --echo.open == 0;
}

double peer_echo_ns(unsigned long requests)
{
    return (echo.to - echo.from) * 1e9 / (double)requests;
}

/* ---- Main ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const struct peer_workload *find(const char *name, unsigned *ret_number)
{
    for (const struct peer_workload *workload = peer_workloads; workload->name != NULL; workload++) {
        size_t size = strlen(workload->name);
        if (strncmp(name, workload->name, size) == 0 && strspn(name + size, "0123456789") == strlen(name + size)) {
            *ret_number = (unsigned)atoi(name + size);
            return workload;
        }
    }
    fprintf(stderr, "%s: no workload %s\n", program_invocation_short_name, name);
    exit(2);
}

int main(int argc, char **argv)
{
    unsigned number;
    if (argc < 2) {
        fprintf(stderr, "usage: %s WORKLOAD [COUNT [REPEATS]]\n", program_invocation_short_name);
        return 2;
    }
    arguments = argv;
    const struct peer_workload *workload = find(argv[1], &number);
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : workload->count;
    /* The first posts of a process pay for its memory; timers take long, and are warm within one run. */
    int repeats = argv[1][1] == '1' ? 5 : argv[1][1] == '4' ? 1 : 3;
    if (argc > 3) {
        repeats = atoi(argv[3]);
    }
    double values[64];
    if (strncmp(workload->name, "w4.", 3) == 0) {
        preload_clock();
    }
    repeats = repeats < 1 ? 1 : repeats > 64 ? 64 : repeats;
    for (int i = 0; i < repeats; i++) {
        values[i] = workload->run(count, number);
    }
    qsort(values, (size_t)repeats, sizeof values[0], by_value);
    printf("%.*f\t%s\n", values[repeats / 2] < 1000 ? 2 : 0, values[repeats / 2], workload->unit);
    return 0;
}
