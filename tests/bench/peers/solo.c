/* solo.c - the workloads of peer.h on this kit, as shipped: world os, libsolo.so, nothing turned off. */
#include "peer.h"
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct solo_reactor *reactor;
static unsigned long left;

static void reactor_make_with(size_t timers_max)
{
    struct solo_reactor_options options = {
        .pool_min = PEER_WORKERS, .pool_max = PEER_WORKERS, .delayed_calls_reserve = timers_max};
    if (solo_reactor_create(&options, &reactor) < 0) {
        peer_fail("solo_reactor_create");
    }
}

static void reactor_make(void)
{
    reactor_make_with(0);
}

static void reactor_end(void)
{
    if (solo_reactor_destroy(reactor) < 0) {
        peer_fail("solo_reactor_destroy");
    }
}

/* ---- w1 ---- */

static SOLO_REACTOR_ONLY void count_one(void *arg)
{
    (void)arg;
    if (--left == 0) {
        (void)solo_reactor_crash(reactor); /* returns after this pass */
    }
}

static void post_many(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        if (solo_reactor_call_from_thread(reactor, count_one, NULL, NULL) < 0) {
            peer_fail("solo_reactor_call_from_thread");
        }
    }
}

static double w1_with(unsigned long count, unsigned number, void (*post)(unsigned long count))
{
    struct peer_threads threads;
    reactor_make();
    left = count / number * number;
    peer_threads_make(&threads, number, count, post);
    double from = peer_threads_go(&threads);
    (void)solo_reactor_run(reactor);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    reactor_end();
    return (double)(count / number * number) / seconds;
}

static double w1(unsigned long count, unsigned number)
{
    return w1_with(count, number, post_many);
}

enum { BATCH = 64 };

static void post_batches(unsigned long count)
{
    struct solo_thread_call calls[BATCH];
    for (int i = 0; i < BATCH; i++) {
        calls[i] = (struct solo_thread_call){count_one, NULL, NULL};
    }
    for (unsigned long i = 0; i < count; i += BATCH) {
        if (solo_reactor_call_many_from_thread(reactor, calls, count - i < BATCH ? count - i : BATCH) < 0) {
            peer_fail("solo_reactor_call_many_from_thread");
        }
    }
}

static double w1_batch(unsigned long count, unsigned number)
{
    return w1_with(count, number, post_batches);
}

static double w1_provenance(unsigned long count, unsigned number)
{
    peer_with("SOLO_PROVENANCE", "full");
    return w1(count, number);
}

/* ---- w2 ---- */

static SOLO_REACTOR_ONLY struct solo_result answer(void *arg)
{
    if (--left == 0) {
        (void)solo_reactor_crash(reactor);
    }
    return solo_value(arg);
}

static bool on_one_core;

static void ask_many(unsigned long count)
{
    peer_pin(on_one_core ? 0 : 1);
    for (unsigned long i = 0; i < count; i++) {
        if (solo_blocking_call_from_thread(reactor, answer, NULL, NULL) < 0) {
            peer_fail("solo_blocking_call_from_thread");
        }
    }
}

static double w2(unsigned long count, bool one_core)
{
    struct peer_threads threads;
    on_one_core = one_core;
    peer_pin(0);
    reactor_make();
    left = count;
    peer_threads_make(&threads, 1, count, ask_many);
    double from = peer_threads_go(&threads);
    (void)solo_reactor_run(reactor);
    double seconds = peer_seconds() - from;
    peer_threads_join(&threads);
    reactor_end();
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

/* Waiting without sleeping, for up to 50 microseconds. */
static double w2_spin(unsigned long count, unsigned number)
{
    (void)number;
    peer_with("SOLO_SPIN_NS", "50000");
    return w2(count, false);
}

/* ---- w3 ---- */

static unsigned long to_submit;

static SOLO_POOL_ONLY void job(void *arg)
{
    (void)arg;
}

static SOLO_REACTOR_ONLY void reported(int status, void *arg);

static SOLO_REACTOR_ONLY void submit(void)
{
    if (solo_reactor_call_in_thread(reactor, job, NULL, reported) < 0) {
        peer_fail("solo_reactor_call_in_thread");
    }
}

static SOLO_REACTOR_ONLY void reported(int status, void *arg)
{
    (void)status;
    (void)arg;
    if (to_submit > 0) {
        to_submit--;
        submit();
    }
    if (--left == 0) {
        (void)solo_reactor_crash(reactor);
    }
}

static SOLO_REACTOR_ONLY void submit_first(void *arg)
{
    for (unsigned long i = 0; i < *(unsigned long *)arg; i++) {
        submit();
    }
}

static double w3(unsigned long count, unsigned long window)
{
    reactor_make();
    left = count;
    to_submit = count - window;
    (void)solo_reactor_call_when_running(reactor, submit_first, &window, NULL);
    double from = peer_seconds();
    (void)solo_reactor_run(reactor);
    double seconds = peer_seconds() - from;
    reactor_end();
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

static solo_delayed_call_id *timers;

static SOLO_REACTOR_ONLY void fired(void *arg)
{
    (void)arg;
    left--;
}

struct timing {
    unsigned long count;
    double insert, cancel;
    bool cancels;
    bool grows; /* without room beforehand */
};

static SOLO_REACTOR_ONLY void set_timers(void *arg)
{
    struct timing *timing = arg;
    double from = peer_seconds();
    for (unsigned long i = 0; i < timing->count; i++) {
        if (solo_reactor_call_later(reactor, peer_delay_ns(i), fired, NULL, NULL, &timers[i]) < 0) {
            peer_fail("solo_reactor_call_later");
        }
    }
    double then = peer_seconds();
    timing->insert = then - from;
    for (unsigned long i = 0; timing->cancels && i < timing->count; i++) {
        (void)solo_delayed_call_cancel(reactor, timers[i]);
    }
    timing->cancel = peer_seconds() - then;
}

/*
 * In a callback, where the time stands still as it does for the others. The room for the timers is made before the
 * clock starts, and so are the timers of libuv, libevent and libev, in memory of their programs; GLib makes them while
 * it runs. Ours is also the room for the queue. libuv's queue needs none of its own; libev's and libevent's array of
 * timers grows while the clock runs. w4.grow is the same without room beforehand.
 */
static void begin_timers(struct timing *timing)
{
    peer_clock_hold();
    reactor_make_with(timing->grows ? 0 : timing->count);
    timers = malloc(timing->count * sizeof *timers);
    memset(timers, 1, timing->count * sizeof *timers);
    (void)solo_reactor_call_from_thread(reactor, set_timers, timing, NULL);
    (void)solo_reactor_iterate(reactor, 0);
}

static void end_timers(void)
{
    reactor_end();
    free(timers);
}

static double w4_insert(unsigned long count, unsigned number)
{
    struct timing timing = {count, 0, 0, false, false};
    (void)number;
    begin_timers(&timing);
    end_timers();
    return (double)count / timing.insert;
}

static double w4_grow(unsigned long count, unsigned number)
{
    struct timing timing = {count, 0, 0, false, true};
    (void)number;
    begin_timers(&timing);
    end_timers();
    return (double)count / timing.insert;
}

static double w4_cancel(unsigned long count, unsigned number)
{
    struct timing timing = {count, 0, 0, true, false};
    (void)number;
    begin_timers(&timing);
    end_timers();
    return (double)count / timing.cancel;
}

static double w4_fire(unsigned long count, unsigned number)
{
    struct timing timing = {count, 0, 0, false, false};
    (void)number;
    left = count;
    begin_timers(&timing);
    double from = peer_seconds();
    for (int step = 0; step < PEER_STEPS; step++) {
        peer_clock_advance(PEER_SPAN_NS / PEER_STEPS);
        (void)solo_reactor_iterate(reactor, 0);
    }
    double seconds = peer_seconds() - from;
    if (left != 0) {
        peer_fail("timers left");
    }
    end_timers();
    return (double)count / seconds;
}

/* ---- w5 ---- */

static SOLO_REACTOR_ONLY void never(int fd, void *arg)
{
    (void)fd;
    (void)arg;
}

static double w5(unsigned long count, unsigned number)
{
    int fds[2];
    (void)number;
    reactor_make();
    if (pipe(fds) < 0 || solo_reactor_add_reader(reactor, fds[0], never, NULL) < 0) {
        peer_fail("solo_reactor_add_reader");
    }
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        (void)solo_reactor_iterate(reactor, 0);
    }
    double seconds = peer_seconds() - from;
    (void)solo_reactor_remove_reader(reactor, fds[0]);
    reactor_end();
    (void)close(fds[0]);
    (void)close(fds[1]);
    return (double)count / seconds;
}

/* ---- w6 ---- */

static SOLO_REACTOR_ONLY void made(struct solo_protocol *protocol)
{
    (void)protocol;
    peer_echo_opened();
}

static SOLO_REACTOR_ONLY void received(struct solo_protocol *protocol, const void *data, size_t size)
{
    (void)solo_transport_write(protocol->transport, data, size);
}

static SOLO_REACTOR_ONLY void lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
    if (peer_echo_closed()) {
        (void)solo_reactor_stop(reactor);
    }
}

static SOLO_REACTOR_ONLY struct solo_protocol *build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {
        .connection_made = made, .data_received = received, .connection_lost = lost};
    struct solo_protocol *protocol = calloc(1, sizeof *protocol);
    (void)factory;
    protocol->ops = &ops;
    return protocol;
}

static double w6(unsigned long count, unsigned number)
{
    static struct solo_factory factory = {.build_protocol = build};
    struct solo_port *listener;
    uint16_t port;
    reactor_make();
    if (solo_reactor_listen_tcp(reactor, 0, &factory, &listener) < 0 || solo_port_get_number(listener, &port) < 0) {
        peer_fail("solo_reactor_listen_tcp");
    }
    peer_echo_begin(number);
    peer_client_start(port, number, count);
    (void)solo_reactor_run(reactor);
    peer_client_wait();
    reactor_end();
    return peer_echo_ns(count);
}

/* ---- w7 ---- */

static double w7(unsigned long count, unsigned number)
{
    const struct solo_affinity *affinity;
    unsigned long yes = 0;
    (void)number;
    reactor_make();
    (void)solo_reactor_iterate(reactor, 0); /* from the first call on it is ours */
    if (solo_reactor_get_affinity(reactor, &affinity) < 0) {
        peer_fail("solo_reactor_get_affinity");
    }
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        __asm__ volatile("" ::: "memory");
        yes += solo_affinity_is_here(affinity) != 0;
    }
    double seconds = peer_seconds() - from;
    reactor_end();
    return yes == count ? seconds * 1e9 / (double)count : 0;
}

static double w7_function(unsigned long count, unsigned number)
{
    unsigned long yes = 0;
    (void)number;
    reactor_make();
    (void)solo_reactor_iterate(reactor, 0);
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        bool is = false;
        (void)solo_reactor_is_reactor_thread(reactor, &is);
        yes += is;
    }
    double seconds = peer_seconds() - from;
    reactor_end();
    return yes == count ? seconds * 1e9 / (double)count : 0;
}

/* ---- w8 ---- */

enum { CALLBACKS = 10 };

static SOLO_REACTOR_ONLY struct solo_result pass_on(struct solo_result result, void *arg)
{
    (void)arg;
    left++;
    return result;
}

static double w8(unsigned long count, unsigned number)
{
    (void)number;
    reactor_make();
    left = 0;
    double from = peer_seconds();
    for (unsigned long i = 0; i < count; i++) {
        struct solo_deferred *deferred;
        if (solo_deferred_create(reactor, NULL, NULL, &deferred) < 0) {
            peer_fail("solo_deferred_create");
        }
        for (int at = 0; at < CALLBACKS; at++) {
            (void)solo_deferred_add(deferred, pass_on, NULL, NULL);
        }
        (void)solo_deferred_fire(deferred, solo_value(NULL));
        (void)solo_deferred_release(deferred);
    }
    double seconds = peer_seconds() - from;
    reactor_end();
    return left == count * CALLBACKS ? (double)count / seconds : 0;
}

const struct peer_workload peer_workloads[] = {
    {"w1.malloc.p", "callbacks/s", 1000000, w1},
    {"w1.batch.p", "callbacks/s", 2000000, w1_batch},
    {"w1.provenance.p", "callbacks/s", 1000000, w1_provenance},
    {"w2.pingpong", "ns", 20000, w2_pingpong},
    {"w2.cross", "ns", 4000, w2_cross},
    {"w2.spin", "ns", 4000, w2_spin},
    {"w3.flood", "jobs/s", 200000, w3_flood},
    {"w3.win", "jobs/s", 100000, w3_win},
    {"w4.insert", "timers/s", 1000000, w4_insert},
    {"w4.grow", "timers/s", 1000000, w4_grow},
    {"w4.cancel", "timers/s", 1000000, w4_cancel},
    {"w4.fire", "timers/s", 1000000, w4_fire},
    {"w5.iter", "turns/s", 300000, w5},
    {"w6.echo.", "ns", 10000, w6},
    {"w7.affinity", "ns", 50000000, w7},
    {"w7.function", "ns", 20000000, w7_function},
    {"w8.deferred", "deferreds/s", 1000000, w8},
    {NULL, NULL, 0, NULL},
};
