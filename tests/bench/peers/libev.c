/* libev.c - the workloads of peer.h on libev; connections are read and written as its documentation does, by hand. */
#define _GNU_SOURCE
#include "peer.h"
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ev_loop *loop;
static ev_async async;
static unsigned long left;

static void loop_make(void)
{
    loop = ev_loop_new(EVFLAG_AUTO);
    if (loop == NULL) {
        peer_fail("ev_loop_new");
    }
}

/* ---- w1: a queue under a mutex and an async watcher ---- */

static struct peer_queue queue = PEER_QUEUE(queue);

static void count_one(void *arg)
{
    (void)arg;
    if (--left == 0) {
        ev_break(loop, EVBREAK_ALL);
    }
}

static void serve_queue(struct ev_loop *in, ev_async *watcher, int events)
{
    (void)in;
    (void)watcher;
    (void)events;
    peer_queue_serve(&queue);
}

static void post_many(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        peer_queue_post(&queue, count_one, NULL);
        ev_async_send(loop, &async);
    }
}

static double w1(unsigned long count, unsigned number)
{
    struct peer_threads threads;
    loop_make();
    ev_async_init(&async, serve_queue);
    ev_async_start(loop, &async);
    left = count / number * number;
    peer_threads_make(&threads, number, count, post_many);
    double from = peer_threads_go(&threads);
    (void)ev_run(loop, 0);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    ev_async_stop(loop, &async);
    ev_loop_destroy(loop);
    return (double)(count / number * number) / seconds;
}

/* ---- w2 ---- */

static sem_t answered;
static bool on_one_core;

static void answer(struct ev_loop *in, ev_async *watcher, int events)
{
    (void)watcher;
    (void)events;
    if (--left == 0) {
        ev_break(in, EVBREAK_ALL);
    }
    (void)sem_post(&answered);
}

static void ask_many(unsigned long count)
{
    peer_pin(on_one_core ? 0 : 1);
    for (unsigned long i = 0; i < count; i++) {
        ev_async_send(loop, &async);
        (void)sem_wait(&answered);
    }
}

static double w2(unsigned long count, bool one_core)
{
    struct peer_threads threads;
    on_one_core = one_core;
    peer_pin(0);
    loop_make();
    ev_async_init(&async, answer);
    ev_async_start(loop, &async);
    (void)sem_init(&answered, 0, 0);
    left = count;
    peer_threads_make(&threads, 1, count, ask_many);
    double from = peer_threads_go(&threads);
    (void)ev_run(loop, 0);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    ev_async_stop(loop, &async);
    ev_loop_destroy(loop);
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
        ev_break(loop, EVBREAK_ALL);
    }
}

static void report(void)
{
    peer_queue_post(&queue, job_done, NULL);
    ev_async_send(loop, &async);
}

static double w3(unsigned long count, unsigned long window)
{
    loop_make();
    ev_async_init(&async, serve_queue);
    ev_async_start(loop, &async);
    left = count;
    to_submit = count - window;
    peer_pool_start(report);
    double from = peer_seconds();
    for (unsigned long i = 0; i < window; i++) {
        peer_pool_submit(job, NULL);
    }
    (void)ev_run(loop, 0);
    double seconds = peer_seconds() - from;
    peer_pool_stop();
    ev_async_stop(loop, &async);
    ev_loop_destroy(loop);
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

static ev_timer *timers;

static void fired(struct ev_loop *in, ev_timer *timer, int events)
{
    (void)in;
    (void)timer;
    (void)events;
    left--;
}

static double insert(unsigned long count)
{
    peer_clock_hold();
    loop_make();
    timers = malloc(count * sizeof *timers);
    for (unsigned long i = 0; i < count; i++) {
        ev_timer_init(&timers[i], fired, (double)peer_delay_ns(i) / 1e9, 0.);
    }
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        ev_timer_start(loop, &timers[i]);
    }
    return peer_seconds() - from;
}

static void end_timers(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        ev_timer_stop(loop, &timers[i]);
    }
    ev_loop_destroy(loop);
    free(timers);
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
        ev_timer_stop(loop, &timers[i]);
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
        (void)ev_run(loop, EVRUN_NOWAIT);
    }
    peer_clock_advance(PEER_SPAN_NS / PEER_STEPS); /* its times are doubles: the last ones may be a hair late */
    (void)ev_run(loop, EVRUN_NOWAIT);
    double seconds = peer_seconds() - from;
    if (left != 0) {
        peer_fail("timers left");
    }
    end_timers(count);
    return (double)count / seconds;
}

/* ---- w5 ---- */

static void never(struct ev_loop *in, ev_io *io, int events)
{
    (void)in;
    (void)io;
    (void)events;
}

static double w5(unsigned long count, unsigned number)
{
    int fds[2];
    ev_io io;
    (void)number;
    loop_make();
    if (pipe(fds) < 0) {
        peer_fail("pipe");
    }
    ev_io_init(&io, never, fds[0], EV_READ);
    ev_io_start(loop, &io);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)ev_run(loop, EVRUN_NOWAIT);
    }
    double seconds = peer_seconds() - from;
    ev_io_stop(loop, &io);
    ev_loop_destroy(loop);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return (double)count / seconds;
}

/* ---- w6 ---- */

static void received(struct ev_loop *in, ev_io *io, int events)
{
    char buffer[4096];
    ssize_t size = read(io->fd, buffer, sizeof buffer);
    (void)events;
    if (size > 0) {
        if (write(io->fd, buffer, (size_t)size) != size) {
            peer_fail("write");
        }
    } else if (size == 0 || errno != EAGAIN) {
        ev_io_stop(in, io);
        (void)close(io->fd);
        free(io);
        if (peer_echo_closed()) {
            ev_break(in, EVBREAK_ALL);
        }
    }
}

static void accepted(struct ev_loop *in, ev_io *listener, int events)
{
    int one = 1, fd;
    (void)events;
    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        ev_io *io = malloc(sizeof *io);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        ev_io_init(io, received, fd, EV_READ);
        ev_io_start(in, io);
        peer_echo_opened();
    }
}

static double w6(unsigned long count, unsigned number)
{
    uint16_t port;
    ev_io listener;
    int fd = peer_listen(&port);
    loop_make();
    ev_io_init(&listener, accepted, fd, EV_READ);
    ev_io_start(loop, &listener);
    peer_echo_begin(number);
    peer_client_start(port, number, count);
    (void)ev_run(loop, 0);
    peer_client_wait();
    ev_io_stop(loop, &listener);
    ev_loop_destroy(loop);
    (void)close(fd);
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
