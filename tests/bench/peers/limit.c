/*
 * limit.c - the workloads of peer.h by hand: each with as little as it can be done with, on the system's calls. No
 * library has all of it at once; it shows what there is to win.
 */
#define _GNU_SOURCE
#include "peer.h"
#include <errno.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- A stack that many push to and one takes whole; its head says that the taker sleeps ---- */

#define SLEEPS ((struct peer_item *)1)

static struct {
    struct peer_item *head __attribute__((aligned(128)));
    uint32_t bell __attribute__((aligned(128)));
} stack;

static void futex(uint32_t *word, int operation, uint32_t value)
{
    (void)syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void push(struct peer_item *first, struct peer_item *last)
{
    struct peer_item *head = __atomic_load_n(&stack.head, __ATOMIC_RELAXED);
    do {
        last->next = head == SLEEPS ? NULL : head;
    } while (!__atomic_compare_exchange_n(&stack.head, &head, first, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    if (head == SLEEPS) {
        __atomic_store_n(&stack.bell, 1, __ATOMIC_RELEASE);
        futex(&stack.bell, FUTEX_WAKE, 1);
    }
}

/* What is there, in order of arrival; sleeps until there is something. */
static struct peer_item *take(void)
{
    for (;;) {
        struct peer_item *taken = __atomic_exchange_n(&stack.head, NULL, __ATOMIC_ACQUIRE);
        if (taken != NULL && taken != SLEEPS) {
            struct peer_item *ordered = NULL;
            while (taken != NULL) {
                struct peer_item *next = taken->next;
                taken->next = ordered;
                ordered = taken;
                taken = next;
            }
            return ordered;
        }
        struct peer_item *empty = NULL;
        __atomic_store_n(&stack.bell, 0, __ATOMIC_RELAXED);
        if (__atomic_compare_exchange_n(&stack.head, &empty, SLEEPS, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            while (__atomic_load_n(&stack.bell, __ATOMIC_ACQUIRE) == 0) {
                futex(&stack.bell, FUTEX_WAIT, 0);
            }
        }
    }
}

static unsigned long left;

static void count_one(void *arg)
{
    (void)arg;
    left--;
}

static void serve_until_done(bool frees)
{
    while (left > 0) {
        for (struct peer_item *item = take(), *next; item != NULL; item = next) {
            next = item->next;
            item->fn(item->arg);
            if (frees) {
                free(item);
            }
        }
    }
}

static void post_with_malloc(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        struct peer_item *item = malloc(sizeof *item);
        item->fn = count_one;
        item->arg = NULL;
        push(item, item);
    }
}

enum { BATCH = 64 };

/* One block of memory for each 64, which nobody gives back before the end. */
static void post_in_batches(unsigned long count)
{
    for (unsigned long i = 0; i < count; i += BATCH) {
        struct peer_item *items = malloc(BATCH * sizeof *items);
        for (int at = 0; at < BATCH; at++) {
            items[at] = (struct peer_item){at > 0 ? &items[at - 1] : NULL, count_one, NULL};
        }
        push(&items[BATCH - 1], &items[0]);
    }
}

static double w1(unsigned long count, unsigned number, void (*post)(unsigned long count), bool frees)
{
    struct peer_threads threads;
    count -= count % (number * BATCH);
    left = count;
    stack.head = NULL;
    peer_threads_make(&threads, number, count, post);
    double from = peer_threads_go(&threads);
    serve_until_done(frees);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    return (double)count / seconds;
}

static double w1_malloc(unsigned long count, unsigned number)
{
    return w1(count, number, post_with_malloc, true);
}

static double w1_batch(unsigned long count, unsigned number)
{
    return w1(count, number, post_in_batches, false);
}

/* ---- w2: two futexes, and nothing else ---- */

static uint32_t asked __attribute__((aligned(128))), answered __attribute__((aligned(128)));
static bool on_one_core;

static void ring(uint32_t *bell)
{
    __atomic_store_n(bell, 1, __ATOMIC_RELEASE);
    futex(bell, FUTEX_WAKE, 1);
}

static void wait_for(uint32_t *bell)
{
    while (__atomic_load_n(bell, __ATOMIC_ACQUIRE) == 0) {
        futex(bell, FUTEX_WAIT, 0);
    }
    __atomic_store_n(bell, 0, __ATOMIC_RELAXED);
}

static void ask_many(unsigned long count)
{
    peer_pin(on_one_core ? 0 : 1);
    for (unsigned long i = 0; i < count; i++) {
        ring(&asked);
        wait_for(&answered);
    }
}

static double w2(unsigned long count, bool one_core)
{
    struct peer_threads threads;
    on_one_core = one_core;
    peer_pin(0);
    peer_threads_make(&threads, 1, count, ask_many);
    double from = peer_threads_go(&threads);
    for (unsigned long i = 0; i < count; i++) {
        wait_for(&asked);
        ring(&answered);
    }
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    return seconds * 1e9 / (double)count;
}

static double w2_pingpong(unsigned long count, unsigned number)
{
    (void)number;
    return w2(count, true);
}

static double w2_cross(unsigned long count, unsigned number)
{
    (void)number;
    return w2(count, false);
}

/* ---- w3: one array of jobs, claimed 64 at a time; reports go back as one chain for each claim ---- */

enum { CLAIM = 64 };

static struct {
    struct peer_item *jobs;
    unsigned long submitted __attribute__((aligned(128)));
    unsigned long claimed __attribute__((aligned(128)));
    uint32_t bell;
    uint32_t sleepers;
    bool stops;
} pool;

static bool claim(unsigned long *ret_from, unsigned long *ret_to)
{
    unsigned long from = __atomic_load_n(&pool.claimed, __ATOMIC_RELAXED), to;
    do {
        unsigned long submitted = __atomic_load_n(&pool.submitted, __ATOMIC_ACQUIRE);
        if (from >= submitted) {
            return false;
        }
        to = from + CLAIM < submitted ? from + CLAIM : submitted;
    } while (!__atomic_compare_exchange_n(&pool.claimed, &from, to, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    *ret_from = from;
    *ret_to = to;
    return true;
}

static void empty(void *arg)
{
    (void)arg;
}

static void *worker_main(void *arg)
{
    unsigned long from, to;
    while (!__atomic_load_n(&pool.stops, __ATOMIC_ACQUIRE)) {
        uint32_t bell = __atomic_load_n(&pool.bell, __ATOMIC_ACQUIRE);
        if (!claim(&from, &to)) {
            (void)__atomic_add_fetch(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
            if (__atomic_load_n(&pool.submitted, __ATOMIC_SEQ_CST) ==
                __atomic_load_n(&pool.claimed, __ATOMIC_SEQ_CST)) {
                futex(&pool.bell, FUTEX_WAIT, bell);
            }
            (void)__atomic_sub_fetch(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
            continue;
        }
        for (unsigned long i = from; i < to; i++) {
            pool.jobs[i].fn(pool.jobs[i].arg);
            pool.jobs[i].fn = count_one;
            pool.jobs[i].next = i > from ? &pool.jobs[i - 1] : NULL;
        }
        push(&pool.jobs[to - 1], &pool.jobs[from]);
    }
    return arg;
}

static void submit(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        pool.jobs[pool.submitted + i].fn = empty;
        pool.jobs[pool.submitted + i].arg = NULL;
    }
    __atomic_store_n(&pool.submitted, pool.submitted + count, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&pool.sleepers, __ATOMIC_SEQ_CST) > 0) {
        (void)__atomic_add_fetch(&pool.bell, 1, __ATOMIC_RELEASE);
        futex(&pool.bell, FUTEX_WAKE, 1);
    }
}

static double w3(unsigned long count, unsigned long window)
{
    pthread_t workers[PEER_WORKERS];
    memset(&pool, 0, sizeof pool);
    stack.head = NULL;
    pool.jobs = malloc(count * sizeof *pool.jobs);
    memset(pool.jobs, 1, count * sizeof *pool.jobs);
    left = count;
    for (unsigned i = 0; i < PEER_WORKERS; i++) {
        (void)pthread_create(&workers[i], NULL, worker_main, NULL);
    }
    double from = peer_seconds();
    submit(window);
    while (left > 0) {
        unsigned long before = left;
        for (struct peer_item *item = take(); item != NULL; item = item->next) {
            item->fn(item->arg);
        }
        unsigned long more = before - left, unsent = count - pool.submitted;
        if (unsent > 0) {
            submit(more < unsent ? more : unsent);
        }
    }
    double seconds = peer_seconds() - from;
    __atomic_store_n(&pool.stops, true, __ATOMIC_RELEASE);
    (void)__atomic_add_fetch(&pool.bell, 1, __ATOMIC_RELEASE);
    futex(&pool.bell, FUTEX_WAKE, PEER_WORKERS);
    for (unsigned i = 0; i < PEER_WORKERS; i++) {
        (void)pthread_join(workers[i], NULL);
    }
    free(pool.jobs);
    return (double)count / seconds;
}

static double w3_flood(unsigned long count, unsigned number)
{
    (void)number;
    return w3(count, count);
}

static double w3_win(unsigned long count, unsigned number)
{
    return w3(count, number);
}

/* ---- w5 ---- */

static double w5(unsigned long count, unsigned number)
{
    int fds[2], epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN}, ready[64];
    (void)number;
    if (pipe(fds) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) < 0) {
        peer_fail("epoll");
    }
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)epoll_wait(epoll, ready, 64, 0);
    }
    double seconds = peer_seconds() - from;
    (void)close(epoll);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return (double)count / seconds;
}

/* ---- w6 ---- */

static void accept_all(int epoll, int listener)
{
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        peer_echo_opened();
    }
}

/* False at the last end. */
static bool answer(int fd)
{
    char buffer[4096];
    ssize_t size = read(fd, buffer, sizeof buffer);
    if (size > 0) {
        (void)!write(fd, buffer, (size_t)size);
        return true;
    }
    if (size < 0 && errno == EAGAIN) {
        return true;
    }
    (void)close(fd);
    return !peer_echo_closed();
}

static double w6(unsigned long count, unsigned number)
{
    uint16_t port;
    int listener = peer_listen(&port), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[64];
    bool goes_on = true;
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    peer_echo_begin(number);
    peer_client_start(port, number, count);
    while (goes_on) {
        int got = epoll_wait(epoll, ready, 64, -1);
        for (int i = 0; i < got; i++) {
            if (ready[i].data.fd == listener) {
                accept_all(epoll, listener);
            } else {
                goes_on = answer(ready[i].data.fd) && goes_on;
            }
        }
    }
    peer_client_wait();
    (void)close(listener);
    (void)close(epoll);
    return peer_echo_ns(count);
}

/* ---- w7 ---- */

static __thread const void *self;

static double w7(unsigned long count, unsigned number)
{
    static const void *owner = &owner;
    unsigned long yes = 0;
    (void)number;
    self = owner;
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        __asm__ volatile("" ::: "memory");
        yes += self == owner;
    }
    double seconds = peer_seconds() - from;
    return yes == count ? seconds * 1e9 / (double)count : 0;
}

/* ---- w8: room for the callbacks inside, and a list of free ones ---- */

enum { CALLBACKS = 10 };

struct deferred {
    struct deferred *next;
    unsigned count;
    void *(*callbacks[CALLBACKS + 2])(void *value, void *arg);
    void *args[CALLBACKS + 2];
};

static struct deferred *spare;

static __attribute__((noinline)) struct deferred *deferred_make(void)
{
    struct deferred *deferred = spare;
    if (deferred != NULL) {
        spare = deferred->next;
    } else {
        deferred = malloc(sizeof *deferred);
    }
    deferred->count = 0;
    return deferred;
}

static __attribute__((noinline)) void deferred_add(struct deferred *deferred, void *(*fn)(void *value, void *arg))
{
    deferred->callbacks[deferred->count] = fn;
    deferred->args[deferred->count++] = NULL;
}

static __attribute__((noinline)) void deferred_fire(struct deferred *deferred, void *value)
{
    for (unsigned i = 0; i < deferred->count; i++) {
        value = deferred->callbacks[i](value, deferred->args[i]);
    }
    deferred->next = spare;
    spare = deferred;
}

static void *pass_on(void *value, void *arg)
{
    (void)arg;
    left++;
    return value;
}

static double w8(unsigned long count, unsigned number)
{
    (void)number;
    left = 0;
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        struct deferred *deferred = deferred_make();
        for (int at = 0; at < CALLBACKS; at++) {
            deferred_add(deferred, pass_on);
        }
        deferred_fire(deferred, NULL);
    }
    double seconds = peer_seconds() - from;
    return left == count * CALLBACKS ? (double)count / seconds : 0;
}

const struct peer_workload peer_workloads[] = {
    {"w1.malloc.p", "callbacks/s", 1000000, w1_malloc},
    {"w1.batch.p", "callbacks/s", 2000000, w1_batch},
    {"w2.pingpong", "ns", 20000, w2_pingpong},
    {"w2.cross", "ns", 4000, w2_cross},
    {"w3.flood", "jobs/s", 1000000, w3_flood},
    {"w3.win", "jobs/s", 200000, w3_win},
    {"w5.iter", "turns/s", 300000, w5},
    {"w6.echo.", "ns", 10000, w6},
    {"w7.affinity", "ns", 50000000, w7},
    {"w8.deferred", "deferreds/s", 2000000, w8},
    {NULL, NULL, 0, NULL},
};
