/* libuv.c - the workloads of peer.h on libuv, written as its documentation would have it. */
#include "peer.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static uv_loop_t loop;
static uv_async_t async;
static unsigned long left;

static void loop_make(void)
{
    if (uv_loop_init(&loop) != 0) {
        peer_fail("uv_loop_init");
    }
}

static void loop_end(void)
{
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* the close callbacks */
    if (uv_loop_close(&loop) != 0) {
        peer_fail("uv_loop_close");
    }
}

/* ---- w1: a queue under a mutex and an async handle ---- */

static struct peer_queue queue = PEER_QUEUE(queue);

static void count_one(void *arg)
{
    (void)arg;
    if (--left == 0) {
        uv_close((uv_handle_t *)&async, NULL);
    }
}

static void serve_queue(uv_async_t *handle)
{
    (void)handle;
    peer_queue_serve(&queue);
}

static void post_many(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        peer_queue_post(&queue, count_one, NULL);
        (void)uv_async_send(&async);
    }
}

static double w1(unsigned long count, unsigned number)
{
    struct peer_threads threads;
    loop_make();
    (void)uv_async_init(&loop, &async, serve_queue);
    left = count / number * number;
    peer_threads_make(&threads, number, count, post_many);
    double from = peer_threads_go(&threads);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    loop_end();
    return (double)(count / number * number) / seconds;
}

/* ---- w2 ---- */

static uv_sem_t answered;

static void answer(uv_async_t *handle)
{
    bool last = --left == 0;
    if (last) {
        uv_close((uv_handle_t *)handle, NULL);
    }
    uv_sem_post(&answered);
}

static bool on_one_core;

static void ask_many(unsigned long count)
{
    peer_pin(on_one_core ? 0 : 1);
    for (unsigned long i = 0; i < count; i++) {
        (void)uv_async_send(&async);
        uv_sem_wait(&answered);
    }
}

static double w2(unsigned long count, bool one_core)
{
    struct peer_threads threads;
    on_one_core = one_core;
    peer_pin(0);
    loop_make();
    (void)uv_async_init(&loop, &async, answer);
    (void)uv_sem_init(&answered, 0);
    left = count;
    peer_threads_make(&threads, 1, count, ask_many);
    double from = peer_threads_go(&threads);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    uv_sem_destroy(&answered);
    loop_end();
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

/* ---- w3 ---- */

static unsigned long to_submit;

static void job(uv_work_t *work)
{
    (void)work;
}

static void reported(uv_work_t *work, int status)
{
    (void)status;
    left--;
    if (to_submit > 0) {
        to_submit--;
        (void)uv_queue_work(&loop, work, job, reported);
    } else {
        free(work);
    }
}

static double w3(unsigned long count, unsigned long window)
{
    loop_make();
    left = count;
    to_submit = count - window;
    double from = peer_seconds();
    for (unsigned long i = 0; i < window; i++) {
        uv_work_t *work = malloc(sizeof *work);
        (void)uv_queue_work(&loop, work, job, reported);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    double seconds = peer_seconds() - from;
    loop_end();
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

static uv_timer_t *timers;

static void fired(uv_timer_t *timer)
{
    (void)timer;
    left--;
}

static double insert(unsigned long count)
{
    peer_clock_hold();
    loop_make();
    timers = malloc(count * sizeof *timers);
    memset(timers, 1, count * sizeof *timers); /* page faults are no part of it */
    for (unsigned long i = 0; i < count; i++) {
        (void)uv_timer_init(&loop, &timers[i]);
    }
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)uv_timer_start(&timers[i], fired, peer_delay_ns(i) / 1000000, 0);
    }
    return peer_seconds() - from;
}

static void end_timers(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        uv_close((uv_handle_t *)&timers[i], NULL);
    }
    loop_end();
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
        (void)uv_timer_stop(&timers[i]);
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
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    double seconds = peer_seconds() - from;
    if (left != 0) {
        peer_fail("timers left");
    }
    end_timers(count);
    return (double)count / seconds;
}

/* ---- w5 ---- */

static void never(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

static double w5(unsigned long count, unsigned number)
{
    int fds[2];
    uv_poll_t poll;
    (void)number;
    loop_make();
    if (pipe(fds) < 0) {
        peer_fail("pipe");
    }
    (void)uv_poll_init(&loop, &poll, fds[0]);
    (void)uv_poll_start(&poll, UV_READABLE, never);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    double seconds = peer_seconds() - from;
    uv_close((uv_handle_t *)&poll, NULL);
    loop_end();
    (void)close(fds[0]);
    (void)close(fds[1]);
    return (double)count / seconds;
}

/* ---- w6 ---- */

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_buf_t out;
    char buffer[4096];
};

static uv_tcp_t listener;

static void closed(uv_handle_t *handle)
{
    free(handle);
    if (peer_echo_closed()) {
        uv_close((uv_handle_t *)&listener, NULL);
    }
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct connection *connection = (struct connection *)handle;
    (void)suggested;
    *ret_buffer = uv_buf_init(connection->buffer, sizeof connection->buffer);
}

static void written(uv_write_t *request, int status)
{
    (void)request;
    (void)status;
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *connection = (struct connection *)stream;
    if (size < 0) {
        uv_close((uv_handle_t *)stream, closed);
        return;
    }
    connection->out = uv_buf_init(buffer->base, (unsigned)size);
    (void)uv_write(&connection->write, stream, &connection->out, 1, written);
}

static void accepted(uv_stream_t *server, int status)
{
    struct connection *connection = malloc(sizeof *connection);
    (void)status;
    (void)uv_tcp_init(&loop, &connection->tcp);
    if (uv_accept(server, (uv_stream_t *)&connection->tcp) != 0) {
        peer_fail("uv_accept");
    }
    (void)uv_tcp_nodelay(&connection->tcp, 1);
    (void)uv_read_start((uv_stream_t *)&connection->tcp, lend, received);
    peer_echo_opened();
}

static double w6(unsigned long count, unsigned number)
{
    uint16_t port;
    int fd = peer_listen(&port);
    loop_make();
    (void)uv_tcp_init(&loop, &listener);
    (void)uv_tcp_open(&listener, fd);
    (void)uv_listen((uv_stream_t *)&listener, 4096, accepted);
    peer_echo_begin(number);
    peer_client_start(port, number, count);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    peer_client_wait();
    loop_end();
    return peer_echo_ns(count);
}

/* ---- w7 ---- */

static double w7(unsigned long count, unsigned number)
{
    uv_thread_t owner = uv_thread_self();
    unsigned long yes = 0;
    (void)number;
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        uv_thread_t self = uv_thread_self();
        yes += uv_thread_equal(&self, &owner) != 0;
    }
    double seconds = peer_seconds() - from;
    return yes == count ? seconds * 1e9 / (double)count : 0;
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
    {"w7.affinity", "ns", 20000000, w7},
    {NULL, NULL, 0, NULL},
};
