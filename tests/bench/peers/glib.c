/*
 * glib.c - the workloads of peer.h on GLib's main loop and thread pool. It looks at every source in every turn, so its
 * timers are fewer.
 */
#define _GNU_SOURCE
#include "peer.h"
#include <glib-unix.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static GMainLoop *loop;
static unsigned long left;

static void loop_make(void)
{
    loop = g_main_loop_new(NULL, FALSE);
}

static void loop_end(void)
{
    g_main_loop_unref(loop);
}

/* ---- w1: a source for each call ---- */

static gboolean count_one(gpointer arg)
{
    (void)arg;
    if (--left == 0) {
        g_main_loop_quit(loop);
    }
    return G_SOURCE_REMOVE;
}

static void post(GSourceFunc fn)
{
    (void)g_idle_add_full(G_PRIORITY_DEFAULT, fn, NULL, NULL);
}

static void post_many(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        post(count_one);
    }
}

static double w1(unsigned long count, unsigned number)
{
    struct peer_threads threads;
    loop_make();
    left = count / number * number;
    peer_threads_make(&threads, number, count, post_many);
    double from = peer_threads_go(&threads);
    g_main_loop_run(loop);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    loop_end();
    return (double)(count / number * number) / seconds;
}

/* ---- w2 ---- */

static sem_t answered;
static bool on_one_core;

static gboolean answer(gpointer arg)
{
    (void)count_one(arg);
    (void)sem_post(&answered);
    return G_SOURCE_REMOVE;
}

static void ask_many(unsigned long count)
{
    peer_pin(on_one_core ? 0 : 1);
    for (unsigned long i = 0; i < count; i++) {
        post(answer);
        (void)sem_wait(&answered);
    }
}

static double w2(unsigned long count, bool one_core)
{
    struct peer_threads threads;
    on_one_core = one_core;
    peer_pin(0);
    loop_make();
    (void)sem_init(&answered, 0, 0);
    left = count;
    peer_threads_make(&threads, 1, count, ask_many);
    double from = peer_threads_go(&threads);
    g_main_loop_run(loop);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
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

static GThreadPool *pool;
static unsigned long to_submit;

static gboolean job_done(gpointer arg)
{
    if (to_submit > 0) {
        to_submit--;
        (void)g_thread_pool_push(pool, &left, NULL);
    }
    return count_one(arg);
}

static void job(gpointer data, gpointer arg)
{
    (void)data;
    (void)arg;
    post(job_done);
}

static double w3(unsigned long count, unsigned long window)
{
    loop_make();
    pool = g_thread_pool_new(job, NULL, PEER_WORKERS, TRUE, NULL);
    left = count;
    to_submit = count - window;
    double from = peer_seconds();
    for (unsigned long i = 0; i < window; i++) {
        (void)g_thread_pool_push(pool, &left, NULL);
    }
    g_main_loop_run(loop);
    double seconds = peer_seconds() - from;
    g_thread_pool_free(pool, FALSE, TRUE);
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

/* ---- w4: one source a timer ---- */

static GSource **timers;

static gboolean fired(gpointer arg)
{
    (void)arg;
    left--;
    return G_SOURCE_REMOVE;
}

static double insert(unsigned long count)
{
    peer_clock_hold();
    timers = malloc(count * sizeof *timers);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        timers[i] = g_timeout_source_new((guint)(peer_delay_ns(i) / 1000000));
        g_source_set_callback(timers[i], fired, NULL, NULL);
        (void)g_source_attach(timers[i], NULL);
    }
    return peer_seconds() - from;
}

static void end_timers(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        g_source_destroy(timers[i]);
        g_source_unref(timers[i]);
    }
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
        g_source_destroy(timers[i]);
    }
    double seconds = peer_seconds() - from;
    end_timers(count);
    return (double)count / seconds;
}

enum { STEPS = 20 };

static double w4_fire(unsigned long count, unsigned number)
{
    (void)number;
    (void)insert(count);
    left = count;
    double from = peer_seconds();
    for (int step = 0; step < STEPS; step++) {
        peer_clock_advance(PEER_SPAN_NS / STEPS);
        (void)g_main_context_iteration(NULL, FALSE);
    }
    double seconds = peer_seconds() - from;
    if (left != 0) {
        peer_fail("timers left");
    }
    end_timers(count);
    return (double)count / seconds;
}

/* ---- w5 ---- */

static gboolean never(gint fd, GIOCondition what, gpointer arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    return G_SOURCE_CONTINUE;
}

static double w5(unsigned long count, unsigned number)
{
    int fds[2];
    (void)number;
    if (pipe(fds) < 0) {
        peer_fail("pipe");
    }
    guint source = g_unix_fd_add(fds[0], G_IO_IN, never, NULL);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)g_main_context_iteration(NULL, FALSE);
    }
    double seconds = peer_seconds() - from;
    (void)g_source_remove(source);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return (double)count / seconds;
}

/* ---- w6 ---- */

static gboolean received(gint fd, GIOCondition what, gpointer arg)
{
    char buffer[4096];
    ssize_t size = read(fd, buffer, sizeof buffer);
    (void)what;
    (void)arg;
    if (size > 0) {
        (void)!write(fd, buffer, (size_t)size);
        return G_SOURCE_CONTINUE;
    }
    (void)close(fd);
    if (peer_echo_closed()) {
        g_main_loop_quit(loop);
    }
    return G_SOURCE_REMOVE;
}

static gboolean accepted(gint listener, GIOCondition what, gpointer arg)
{
    int one = 1, fd;
    (void)what;
    (void)arg;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        (void)g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, received, NULL);
        peer_echo_opened();
    }
    return G_SOURCE_CONTINUE;
}

static double w6(unsigned long count, unsigned number)
{
    uint16_t port;
    int fd = peer_listen(&port);
    loop_make();
    guint listener = g_unix_fd_add(fd, G_IO_IN, accepted, NULL);
    peer_echo_begin(number);
    peer_client_start(port, number, count);
    g_main_loop_run(loop);
    peer_client_wait();
    (void)g_source_remove(listener);
    (void)close(fd);
    loop_end();
    return peer_echo_ns(count);
}

/* ---- w7 ---- */

static double w7(unsigned long count, unsigned number)
{
    GMainContext *context = g_main_context_default();
    unsigned long yes = 0;
    (void)number;
    (void)g_main_context_acquire(context);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        yes += g_main_context_is_owner(context) != FALSE;
    }
    double seconds = peer_seconds() - from;
    g_main_context_release(context);
    return yes == count ? seconds * 1e9 / (double)count : 0;
}

const struct peer_workload peer_workloads[] = {
    {"w1.malloc.p", "callbacks/s", 100000, w1},   {"w2.pingpong", "ns", 20000, w2_pingpong},
    {"w2.cross", "ns", 4000, w2_cross},           {"w3.flood", "jobs/s", 100000, w3_flood},
    {"w3.win", "jobs/s", 50000, w3_win},          {"w4.insert", "timers/s", 100000, w4_insert},
    {"w4.cancel", "timers/s", 100000, w4_cancel}, {"w4.fire", "timers/s", 100000, w4_fire},
    {"w5.iter", "turns/s", 200000, w5},           {"w6.echo.", "ns", 10000, w6},
    {"w7.affinity", "ns", 5000000, w7},           {NULL, NULL, 0, NULL},
};
