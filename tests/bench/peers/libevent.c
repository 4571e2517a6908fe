/* libevent.c - the workloads of peer.h on libevent; with its locks only where another thread takes part. */
#include "peer.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/thread.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

static struct event_base *base;
static struct event *async;
static unsigned long left;

static void base_make(bool threads)
{
    if (threads) {
        (void)evthread_use_pthreads();
    }
    base = event_base_new();
    if (base == NULL) {
        peer_fail("event_base_new");
    }
}

/* ---- w1: a queue under a mutex and an event that any thread makes active ---- */

static struct peer_queue queue = PEER_QUEUE(queue);

static void count_one(void *arg)
{
    (void)arg;
    if (--left == 0) {
        (void)event_base_loopbreak(base);
    }
}

static void serve_queue(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    peer_queue_serve(&queue);
}

static void post_many(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        peer_queue_post(&queue, count_one, NULL);
        event_active(async, EV_READ, 0);
    }
}

static double w1(unsigned long count, unsigned number)
{
    struct peer_threads threads;
    base_make(true);
    async = event_new(base, -1, EV_PERSIST, serve_queue, NULL);
    left = count / number * number;
    peer_threads_make(&threads, number, count, post_many);
    double from = peer_threads_go(&threads);
    (void)event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    event_free(async);
    event_base_free(base);
    return (double)(count / number * number) / seconds;
}

/* ---- w2 ---- */

static sem_t answered;
static bool on_one_core;

static void answer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (--left == 0) {
        (void)event_base_loopbreak(base);
    }
    (void)sem_post(&answered);
}

static void ask_many(unsigned long count)
{
    peer_pin(on_one_core ? 0 : 1);
    for (unsigned long i = 0; i < count; i++) {
        event_active(async, EV_READ, 0);
        (void)sem_wait(&answered);
    }
}

static double w2(unsigned long count, bool one_core)
{
    struct peer_threads threads;
    on_one_core = one_core;
    peer_pin(0);
    base_make(true);
    async = event_new(base, -1, EV_PERSIST, answer, NULL);
    (void)sem_init(&answered, 0, 0);
    left = count;
    peer_threads_make(&threads, 1, count, ask_many);
    double from = peer_threads_go(&threads);
    (void)event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    event_free(async);
    event_base_free(base);
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

/* ---- w3: with a pool of our own, which reports through the queue ---- */

static unsigned long to_submit;

static void job(void *arg)
{
    (void)arg;
}

static void job_done(void *arg)
{
    (void)arg;
    if (to_submit > 0) {
        to_submit--;
        peer_pool_submit(job, NULL);
    }
    if (--left == 0) {
        (void)event_base_loopbreak(base);
    }
}

static void report(void)
{
    peer_queue_post(&queue, job_done, NULL);
    event_active(async, EV_READ, 0);
}

static double w3(unsigned long count, unsigned long window)
{
    base_make(true);
    async = event_new(base, -1, EV_PERSIST, serve_queue, NULL);
    left = count;
    to_submit = count - window;
    peer_pool_start(report);
    double from = peer_seconds();
    for (unsigned long i = 0; i < window; i++) {
        peer_pool_submit(job, NULL);
    }
    (void)event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    double seconds = peer_seconds() - from;
    peer_pool_stop();
    event_free(async);
    event_base_free(base);
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

/* ---- w4 ---- */

static struct event **timers;

static void fired(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    left--;
}

static double insert(unsigned long count)
{
    peer_clock_hold();
    base_make(false);
    timers = malloc(count * sizeof *timers);
    for (unsigned long i = 0; i < count; i++) {
        timers[i] = evtimer_new(base, fired, NULL);
    }
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        uint64_t delay_us = peer_delay_ns(i) / 1000;
        struct timeval delay = {(time_t)(delay_us / 1000000), (suseconds_t)(delay_us % 1000000)};
        (void)evtimer_add(timers[i], &delay);
    }
    return peer_seconds() - from;
}

static void end_timers(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        event_free(timers[i]);
    }
    free(timers);
    event_base_free(base);
}

static double w4_insert(unsigned long count, unsigned number)
{
    double seconds = insert(count);
    (void)number;
    end_timers(count);
    return (double)count / seconds;
}

static double w4_cancel(unsigned long count, unsigned number)
{
    (void)number;
    (void)insert(count);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)evtimer_del(timers[i]);
    }
    double seconds = peer_seconds() - from;
    end_timers(count);
    return (double)count / seconds;
}

static double w4_fire(unsigned long count, unsigned number)
{
    (void)number;
    (void)insert(count);
    left = count;
    double from = peer_seconds();
    for (int step = 0; step < PEER_STEPS; step++) {
        peer_clock_advance(PEER_SPAN_NS / PEER_STEPS);
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
    }
    double seconds = peer_seconds() - from;
    if (left != 0) {
        peer_fail("timers left");
    }
    end_timers(count);
    return (double)count / seconds;
}

/* ---- w5 ---- */

static void never(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static double w5(unsigned long count, unsigned number)
{
    int fds[2];
    (void)number;
    base_make(false);
    if (pipe(fds) < 0) {
        peer_fail("pipe");
    }
    struct event *reader = event_new(base, fds[0], EV_READ | EV_PERSIST, never, NULL);
    (void)event_add(reader, NULL);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
    }
    double seconds = peer_seconds() - from;
    event_free(reader);
    event_base_free(base);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return (double)count / seconds;
}

/* ---- w6: bufferevents ---- */

static void echo(struct bufferevent *connection, void *arg)
{
    (void)arg;
    (void)bufferevent_write_buffer(connection, bufferevent_get_input(connection));
}

static void ended(struct bufferevent *connection, short what, void *arg)
{
    (void)arg;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        bufferevent_free(connection);
        if (peer_echo_closed()) {
            (void)event_base_loopbreak(base);
        }
    }
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size, void *arg)
{
    int one = 1;
    (void)listener;
    (void)address;
    (void)size;
    (void)arg;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(connection, echo, NULL, ended, NULL);
    (void)bufferevent_enable(connection, EV_READ | EV_WRITE);
    peer_echo_opened();
}

static double w6(unsigned long count, unsigned number)
{
    uint16_t port;
    int fd = peer_listen(&port);
    base_make(false);
    struct evconnlistener *listener = evconnlistener_new(base, accepted, NULL, LEV_OPT_CLOSE_ON_FREE, 0, fd);
    peer_echo_begin(number);
    peer_client_start(port, number, count);
    (void)event_base_dispatch(base);
    peer_client_wait();
    evconnlistener_free(listener);
    event_base_free(base);
    return peer_echo_ns(count);
}

const struct peer_workload peer_workloads[] = {
    {"w1.malloc.p", "callbacks/s", 1000000, w1},
    {"w2.pingpong", "ns", 20000, w2_pingpong},
    {"w2.cross", "ns", 4000, w2_cross},
    {"w3.flood", "jobs/s", 200000, w3_flood},
    {"w3.win", "jobs/s", 100000, w3_win},
    {"w4.insert", "timers/s", 1000000, w4_insert},
    {"w4.cancel", "timers/s", 1000000, w4_cancel},
    {"w4.fire", "timers/s", 1000000, w4_fire},
    {"w5.iter", "turns/s", 300000, w5},
    {"w6.echo.", "ns", 10000, w6},
    {NULL, NULL, 0, NULL},
};
