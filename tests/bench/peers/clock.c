/* clock.c - a clock in front of the system's, preloaded where a workload is about timers: it moves by hand only. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#pragma GCC visibility push(default)

static uint64_t held_ns; /* 0: not yet, the system's own */

void peer_clock_set(uint64_t now_ns);
void peer_clock_set(uint64_t now_ns)
{
    held_ns = now_ns;
}

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    if (held_ns == 0) {
        return (int)syscall(SYS_clock_gettime, clock, ret_now);
    }
    ret_now->tv_sec = (time_t)(held_ns / 1000000000);
    ret_now->tv_nsec = (long)(held_ns % 1000000000);
    return 0;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    ret_now->tv_sec = now.tv_sec;
    ret_now->tv_usec = now.tv_nsec / 1000;
    return 0;
}
