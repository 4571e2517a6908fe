/*
 * clock.c - the program's clocks show the world's time, and its sleeps take none of ours.
 *
 * A look at the clock is no scheduling point. A program that looks again and again waits for time to pass: see
 * interpose_idle.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <sched.h>
#include <sys/time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
/* When world time is 0: some night in 2024; and some time after this machine was started. */
#define REALTIME_S UINT64_C(1704067200)
#define MONOTONIC_S UINT64_C(10000)

enum {
    LOOKS_MAX = 32,         /* at the clock, in a row, before it counts as waiting */
    IDLE_DOUBLINGS_MAX = 20 /* of the pause of a microsecond */
};

static uint64_t base_s(clockid_t clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI: return REALTIME_S;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME: return MONOTONIC_S;
    default: return 0; /* processor time: as if the program computed all the time */
    }
}

static uint64_t now_of(struct solo_world *world)
{
    return world->clock->now_ns(world);
}

static struct timespec as_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)};
}

static bool is_valid(const struct timespec *time)
{
    return time->tv_nsec >= 0 && time->tv_nsec < (long)SECOND_NS;
}

static uint64_t as_ns(const struct timespec *time)
{
    if (time->tv_sec < 0) {
        return 0;
    }
    return (uint64_t)time->tv_sec < SOLO_NEVER / SECOND_NS - 1
               ? (uint64_t)time->tv_sec * SECOND_NS + (uint64_t)time->tv_nsec
               : SOLO_NEVER;
}

bool interpose_deadline(clockid_t clock, const struct timespec *at, uint64_t *ret_deadline_ns)
{
    if (!is_valid(at)) {
        return false;
    }
    uint64_t ns = as_ns(at);
    uint64_t base_ns = base_s(clock) * SECOND_NS;
    *ret_deadline_ns = ns == SOLO_NEVER ? SOLO_NEVER : ns > base_ns ? ns - base_ns : 0;
    return true;
}

void interpose_sleep_until(struct solo_world *world, uint64_t until_ns)
{
    interpose_announce(world, SOLO_PROBE_SLEEP, SOLO_ACCESS_NONE, 0, until_ns);
    if (now_of(world) < until_ns) {
        interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, 0, SOLO_WAIT_SLEEP);
        world->clock->sleep_until(world, until_ns);
        interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, 0, 0);
    }
}

void interpose_idle(struct solo_world *world)
{
    struct interpose_thread *self = interpose_self();
    unsigned calls = self->idle_calls++;
    if (calls == 0) {
        interpose_announce(world, SOLO_PROBE_YIELD, SOLO_ACCESS_NONE, 0, 0);
        return;
    }
    uint64_t pause_ns = UINT64_C(1000) << (calls < IDLE_DOUBLINGS_MAX ? calls : IDLE_DOUBLINGS_MAX);
    interpose_sleep_until(world, now_of(world) + pause_ns);
    self->idle_calls = calls + 1;
}

static void look(struct solo_world *world)
{
    struct interpose_thread *self = interpose_self();
    if (++self->looks >= LOOKS_MAX) {
        self->looks = 0;
        interpose_idle(world);
    }
}

static int sleep_for(struct solo_world *world, uint64_t duration_ns)
{
    uint64_t now = now_of(world);
    if (duration_ns == 0) {
        interpose_idle(world);
        return 0;
    }
    interpose_busy();
    interpose_sleep_until(world, duration_ns < SOLO_NEVER - now ? now + duration_ns : SOLO_NEVER);
    return 0;
}

int interpose_nanosleep(struct solo_world *world, const struct timespec *duration)
{
    return is_valid(duration) && duration->tv_sec >= 0 ? sleep_for(world, as_ns(duration)) : EINVAL;
}

/* ---- What programs call ---- */

INTERPOSED int clock_gettime(clockid_t clock, struct timespec *now)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(clock_gettime)(clock, now);
    }
    look(world);
    *now = as_timespec(base_s(clock) * SECOND_NS + now_of(world));
    return 0;
}

INTERPOSED int timespec_get(struct timespec *now, int base)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL || base != TIME_UTC) {
        return NEXT(timespec_get)(now, base);
    }
    look(world);
    *now = as_timespec(REALTIME_S * SECOND_NS + now_of(world));
    return base;
}

INTERPOSED int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(gettimeofday)(now, zone);
    }
    look(world);
    uint64_t ns = now_of(world);
    *now = (struct timeval){.tv_sec = (time_t)(REALTIME_S + ns / SECOND_NS),
                            .tv_usec = (suseconds_t)(ns % SECOND_NS / 1000)};
    return 0;
}

INTERPOSED time_t time(time_t *ret_now)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(time)(ret_now);
    }
    look(world);
    time_t now = (time_t)(REALTIME_S + now_of(world) / SECOND_NS);
    if (ret_now != NULL) {
        *ret_now = now;
    }
    return now;
}

INTERPOSED clock_t clock(void)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(clock)();
    }
    look(world);
    return (clock_t)(now_of(world) / (SECOND_NS / CLOCKS_PER_SEC));
}

INTERPOSED unsigned sleep(unsigned seconds)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? (unsigned)sleep_for(world, seconds * SECOND_NS) : NEXT(sleep)(seconds);
}

INTERPOSED int usleep(useconds_t microseconds)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? sleep_for(world, microseconds * UINT64_C(1000)) : NEXT(usleep)(microseconds);
}

INTERPOSED int nanosleep(const struct timespec *duration, struct timespec *left)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(nanosleep)(duration, left);
    }
    int error = interpose_nanosleep(world, duration);
    errno = error != 0 ? error : errno;
    return error != 0 ? -1 : 0;
}

INTERPOSED int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    struct solo_world *world = WORLD_OF_CALLER();
    uint64_t until_ns;
    if (world == NULL) {
        return NEXT(clock_nanosleep)(clock, flags, time, left);
    }
    if ((flags & TIMER_ABSTIME) == 0) {
        return interpose_nanosleep(world, time);
    }
    if (!interpose_deadline(clock, time, &until_ns)) {
        return EINVAL;
    }
    interpose_busy();
    interpose_sleep_until(world, until_ns);
    return 0;
}

INTERPOSED int sched_yield(void)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL || interpose_is_ending()) { /* who looks for leaks at the end waits for a process of its own */
        return NEXT(sched_yield)();
    }
    interpose_idle(world);
    return 0;
}
