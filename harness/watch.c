/*
 * watch.c - inside a program that `solo run` started in world os.
 *
 * Findings are resolved in the thread that makes them, because only there its world, names and code are at hand;
 * they are rare, and each call site is reported once. The last events are kept in a ring, written under a lock.
 */
#define _GNU_SOURCE
#include "watch.h"
#include "oracle.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <solo/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RING = 1024, REST_MS = 50, REST_ROUNDS_MAX = 40 };

static int control = -1;
static uint64_t base_ns;
static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static struct solo_event ring[RING];
static uint64_t ring_count;
static pthread_mutex_t message_lock = PTHREAD_MUTEX_INITIALIZER;
static struct solo__watch_message message; /* under message_lock: too large for a stack */
static struct solo_event snapshot[RING];   /* under message_lock */

static void keep_event(const struct solo_event *event, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&ring_lock);
    struct solo_event *place = &ring[ring_count++ & (RING - 1)];
    *place = *event;
    place->step = ring_count; /* events of several threads may arrive in another order than they were counted */
    pthread_mutex_unlock(&ring_lock);
}

static void send_message(uint32_t kind)
{
    message.magic = SOLO__WATCH_MAGIC;
    message.kind = kind;
    message.base_ns = base_ns;
    (void)!send(control, &message, sizeof message, MSG_NOSIGNAL);
}

static void sink(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&message_lock);
    pthread_mutex_lock(&ring_lock);
    memcpy(snapshot, ring, sizeof ring);
    uint64_t count = ring_count;
    pthread_mutex_unlock(&ring_lock);
    message.violation = *violation;
    message.violation.step = count;
    solo_detail_take(&message.detail, &message.violation, snapshot, RING, count);
    send_message(SOLO__WATCH_FINDING);
    pthread_mutex_unlock(&message_lock);
}

static void finish(int ending)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    if (pthread_mutex_trylock(&once) != 0) {
        return; /* main returned while the peers were done: one of them is enough */
    }
    solo_oracles_end(ending);
    pthread_mutex_lock(&message_lock);
    for (unsigned id = 0; id < 20; id++) {
        message.counts[id] = id != 0 ? solo_violation_count(id) : 0;
    }
    send_message(SOLO__WATCH_END);
    pthread_mutex_unlock(&message_lock);
}

static void at_exit(void)
{
    finish(SOLO_ENDING_NONE);
}

static uint64_t events_so_far(void)
{
    pthread_mutex_lock(&ring_lock);
    uint64_t count = ring_count;
    pthread_mutex_unlock(&ring_lock);
    return count;
}

/* The peers are done: a server would go on for ever, so it is ended when nothing happens in it any more. */
static void *wait_for_end(void *arg)
{
    char byte;
    (void)arg;
    if (recv(control, &byte, 1, 0) != 1) {
        return NULL; /* the command is gone; the program goes on without it */
    }
    uint64_t before = UINT64_MAX;
    for (int round = 0; round < REST_ROUNDS_MAX && events_so_far() != before; round++) {
        before = events_so_far();
        nanosleep(&(struct timespec){.tv_nsec = REST_MS * 1000000L}, NULL);
    }
    finish(SOLO_ENDING_QUIET);
    fflush(NULL);
    _exit(0);
}

void solo__watch_begin(int control_fd)
{
    pthread_t thread;
    control = control_fd;
    (void)fcntl(control, F_SETFD, FD_CLOEXEC);
    base_ns = solo_now();
    (void)solo_probe_subscribe(keep_event, NULL);
    (void)solo_violation_set_sink(sink, NULL);
    solo_oracles_begin();
    send_message(SOLO__WATCH_HELLO);
    (void)atexit(at_exit);
    sigset_t all_signals, before;
    sigfillset(&all_signals);
    pthread_sigmask(SIG_SETMASK, &all_signals, &before); /* signals are the program's own */
    if (pthread_create(&thread, NULL, wait_for_end, NULL) == 0) {
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
