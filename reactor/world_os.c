/*
 * world_os.c - the world of real time, threads, sockets and memory: its clock table, randomness, and the world itself.
 *
 * This file and its siblings world_os_thread.c, world_os_poll.c, world_os_network.c and world_os_memory.c are the only
 * ones that call the operating system. There is one such world in a process and nothing to make or to end.
 */
#define _GNU_SOURCE
#include "world_os.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

uint64_t solo__os_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t os_now_ns(struct solo_world *world)
{
    (void)world;
    return solo__os_now_ns();
}

static void os_sleep_until(struct solo_world *world, uint64_t until_ns)
{
    struct timespec until = {(time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S)};
    (void)world;
    if (until_ns == 0) {
        (void)sched_yield();
        return;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

static void os_random(struct solo_world *world, void *buffer, size_t size)
{
    char *next = buffer;
    (void)world;
    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);
        if (got > 0) {
            next += got;
            size -= (size_t)got;
        } else if (errno != EINTR) {
            abort(); /* a kernel without getrandom: weaker bytes would be a silent surprise */
        }
    }
}

static const struct solo_clock_table os_clock_table = {os_now_ns, os_sleep_until};
static const struct solo_memory_table os_memory_table = {solo__os_allocate, solo__os_release, os_random};

struct os_world solo__os_world = {
    .world = {"os", &os_clock_table, &solo__os_thread_table, &solo__os_poll_table, &solo__os_network_table,
              &os_memory_table},
};

struct solo_world *solo_world_os(void)
{
    return &solo__os_world.world;
}
