/*
 * futex.c - waiting and waking by address, as std::future and std::atomic::wait do, through syscall().
 *
 * Everything else that a program asks of the kernel by number goes there, but for what would start or wait for
 * something that no schedule decides.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <limits.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Any type will do: the kernel takes six words. */
struct call {
    long number;
    long words[6];
};

static long fail(int error)
{
    errno = error;
    return -1;
}

/* A time limit is relative for FUTEX_WAIT and a moment for the others. */
static bool deadline_of(struct solo_world *world, int operation, const struct timespec *limit,
                        uint64_t *ret_deadline_ns)
{
    if (limit == NULL) {
        *ret_deadline_ns = SOLO_NEVER;
        return true;
    }
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        *ret_deadline_ns =
            world->clock->now_ns(world) + (uint64_t)limit->tv_sec * UINT64_C(1000000000) + (uint64_t)limit->tv_nsec;
        return limit->tv_sec >= 0 && limit->tv_nsec >= 0 && limit->tv_nsec < 1000000000;
    }
    clockid_t clock = (operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    return interpose_deadline(clock, limit, ret_deadline_ns);
}

static long wait_for_wake(struct solo_world *world, const int *address, int expected, uint64_t deadline_ns)
{
    struct interpose_object *object = interpose_object(INTERPOSE_FUTEX, address);
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_WAIT, SOLO_ACCESS_WRITE, object->id, 0);
    if (__atomic_load_n(address, __ATOMIC_SEQ_CST) != expected) {
        return fail(EAGAIN);
    }
    interpose_announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, object->id, SOLO_WAIT_FUTEX);
    int result = interpose_wait(world, object, deadline_ns);
    interpose_announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, object->id, (uint64_t)(int64_t)result);
    return result < 0 ? fail(ETIMEDOUT) : 0;
}

static long wake(struct solo_world *world, const int *address, int count)
{
    struct interpose_object *object = interpose_object(INTERPOSE_FUTEX, address);
    interpose_busy();
    interpose_announce(world, SOLO_PROBE_SIGNAL, SOLO_ACCESS_WRITE, object->id, count > 1 ? 2 : 1);
    int waiters = (int)object->waiters;
    if (count >= waiters) {
        interpose_wake(world, object, true);
        return waiters;
    }
    for (int i = 0; i < count; i++) {
        interpose_wake(world, object, false);
    }
    return count;
}

static long futex(struct solo_world *world, const struct call *call)
{
    const int *address = (const int *)call->words[0];
    int operation = (int)call->words[1];
    uint64_t deadline_ns;
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return deadline_of(world, operation, (const struct timespec *)call->words[3], &deadline_ns)
                   ? wait_for_wake(world, address, (int)call->words[2], deadline_ns)
                   : fail(EINVAL);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: return wake(world, address, (int)call->words[2]);
    default: interpose_refuse("futex", "only waiting and waking are known of it");
    }
}

static long by_number(struct solo_world *world, const struct call *call)
{
    switch (call->number) {
    case SYS_futex: return futex(world, call);
    case SYS_getrandom:
        world->memory->random(world, (void *)call->words[0], (size_t)call->words[1]);
        return call->words[1];
    case SYS_clone:
    case SYS_clone3:
    case SYS_fork:
    case SYS_vfork: interpose_refuse("clone", "a thread or process that the C library does not know has no turn");
    case SYS_io_uring_setup: interpose_refuse("io_uring_setup", "the kernel would work while no thread has the turn");
    default:
        return NEXT(syscall)(call->number, call->words[0], call->words[1], call->words[2], call->words[3],
                             call->words[4], call->words[5]);
    }
}

INTERPOSED long syscall(long number, ...)
{
    struct call call = {.number = number};
    va_list arguments;
    va_start(arguments, number);
    for (unsigned i = 0; i < 6; i++) {
        call.words[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? by_number(world, &call)
                         : NEXT(syscall)(number, call.words[0], call.words[1], call.words[2], call.words[3],
                                         call.words[4], call.words[5]);
}
