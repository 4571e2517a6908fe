/*
 * world_os_poll.c - poll and wake of world os: epoll, and an eventfd for wakes.
 *
 * Wakes coalesce in `woken`: only the thread that turns it from 0 to 1 writes to the eventfd. The eventfd is watched
 * for edges: each write is reported once, without anybody reading it. The poll turns `woken` back after it was told, so
 * a wake that comes later writes again, and one that came before is the one that is reported now. Both are
 * read-modify-writes, so what a waker did before its wake is seen by the thread that consumes it
 * (test_world__wakes_from_a_thread_are_never_lost).
 */
#define _GNU_SOURCE
#include "world_os.h"
#include <assert.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000 };

#ifdef SOLO_TORTURE
enum { BATCH_MAX = 2 };
#else
enum { BATCH_MAX = 64 };
#endif

#define WAKE_KEY UINT64_MAX /* of the eventfd: no user's key */

struct solo_poller {
    int epoll;
    int event;
    int woken;        /* 1: a wake is on its way */
    unsigned signals; /* how many it watches */
    int spinning;     /* 1: the poll looks at `woken` by itself and needs no write */
    struct os_spin spin;
};

static int os_open(struct solo_world *world, struct solo_poller **ret_poller)
{
    struct epoll_event wake = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_KEY};
    struct solo_poller *poller = world->memory->allocate(world, sizeof(*poller));
    int error;
    if (poller == NULL) {
        return -ENOMEM;
    }
    poller->woken = poller->spinning = 0;
    poller->spin = (struct os_spin){0, 0};
    poller->signals = 0;
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    poller->event = poller->epoll < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller->event < 0 || epoll_ctl(poller->epoll, EPOLL_CTL_ADD, poller->event, &wake) < 0) {
        error = -errno;
        world->poll->close(world, poller);
        return error;
    }
    *ret_poller = poller;
    return 0;
}

static void os_close(struct solo_world *world, struct solo_poller *poller)
{
    if (poller == NULL) {
        return;
    }
    if (poller->event >= 0) {
        (void)close(poller->event);
    }
    if (poller->epoll >= 0) {
        (void)close(poller->epoll);
    }
    world->memory->release(world, poller);
}

static int os_watch(struct solo_world *world, struct solo_poller *poller, int fd, uint32_t events, uint64_t key)
{
    struct epoll_event event = {.data.u64 = key};
    (void)world;
    assert(key != WAKE_KEY);
    if (events == 0) {
        return epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, NULL) == 0 || errno == ENOENT ? 0 : -errno;
    }
    event.events = ((events & SOLO_READABLE) != 0 ? EPOLLIN : 0u) | ((events & SOLO_WRITABLE) != 0 ? EPOLLOUT : 0u);
    if (epoll_ctl(poller->epoll, EPOLL_CTL_MOD, fd, &event) == 0) {
        return 0;
    }
    if (errno == ENOENT && epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
        return 0;
    }
    return -errno;
}

/* epoll counts in milliseconds: rounded up, so that a timer is never early and a poll never spins. */
static int timeout_ms(uint64_t deadline_ns)
{
    uint64_t now_ns, left_ms;
    if (deadline_ns == 0) {
        return 0;
    }
    if (deadline_ns == SOLO_NEVER) {
        return -1;
    }
    now_ns = solo__os_now_ns();
    if (deadline_ns <= now_ns) {
        return 0;
    }
    left_ms = (deadline_ns - now_ns - 1) / NS_PER_MS + 1;
    return left_ms < INT32_MAX ? (int)left_ms : INT32_MAX;
}

static uint32_t translate(uint32_t events)
{
    return ((events & EPOLLIN) != 0 ? SOLO_READABLE : 0u) | ((events & EPOLLOUT) != 0 ? SOLO_WRITABLE : 0u) |
           ((events & (EPOLLHUP | EPOLLERR)) != 0 ? SOLO_HANGUP : 0u);
}

/* The kernel promises no order; in the torture build there is none. */
static void shuffle(struct solo_ready *ready, int count)
{
#ifdef SOLO_TORTURE
    static uint32_t dice = 1;
    for (int left = count; left > 1; left--) {
        uint32_t roll = __atomic_add_fetch(&dice, 0x9e3779b9u, __ATOMIC_RELAXED);
        struct solo_ready *other = &ready[(roll ^ roll >> 15) % (uint32_t)left];
        struct solo_ready last = ready[left - 1];
        ready[left - 1] = *other;
        *other = last;
    }
#else
    (void)ready;
    (void)count;
#endif
}

/*
 * Returns whether there was a wake. The report of one that was consumed before it was written comes late and says no.
 */
static bool consume_wake(struct solo_poller *poller)
{
    SOLO__LOOK_AWAY();
    bool woken = __atomic_exchange_n(&poller->woken, 0, __ATOMIC_ACQ_REL) != 0;
    SOLO__LOOK_AGAIN();
    return woken;
}

/*
 * epoll_wait, without a function around it; an error as a negative code. Returning from a function is slow right after
 * a system call, probably because the processor has forgotten where to: some percent of a poll that finds nothing
 * (docs/performance.md). libc's also makes itself a place where threads can be cancelled, which the kit's are not.
 */
static inline int wait_for_events(int epoll, struct epoll_event *events, int count, int timeout)
{
#if defined(__x86_64__) && !defined(SOLO_TSAN) && !defined(__clang_analyzer__) /* it sees no system call in this */
    register long fourth __asm__("r10") = timeout;
    long result = SYS_epoll_wait;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"((long)epoll), "S"(events), "d"((long)count), "r"(fourth)
                     : "rcx", "r11", "memory");
    return (int)result;
#else
    int result = epoll_wait(epoll, events, count, timeout);
    return result < 0 ? -errno : result;
#endif
}

static bool is_woken(const void *arg)
{
    const struct solo_poller *poller = arg;
    return __atomic_load_n(&poller->woken, __ATOMIC_RELAXED) != 0;
}

/*
 * Waits for a wake without sleeping, for a moment. Who wakes says so first and asks whether anybody spins second; the
 * poll stops spinning first and looks for a wake second: so one of them sees the other.
 */
static void spin(struct solo_poller *poller)
{
    SOLO__LOOK_AWAY();
    __atomic_store_n(&poller->spinning, 1, __ATOMIC_SEQ_CST);
    (void)solo__os_spin(&poller->spin, is_woken, poller);
    __atomic_store_n(&poller->spinning, 0, __ATOMIC_SEQ_CST);
    SOLO__LOOK_AGAIN();
}

/* What epoll told becomes what is ready, and whether there was a wake. Returns how many are ready. */
static __attribute__((noinline)) int sort_out(struct solo_poller *poller, const struct epoll_event *events, int got,
                                              struct solo_ready *ready, int batch, bool *ret_woken)
{
    int filled = 0;
    /* Look at `woken` too: in a full batch the eventfd may be missing. */
    bool look = is_woken(poller);
    for (int i = 0; i < got; i++) {
        if (events[i].data.u64 == WAKE_KEY) {
            look = true;
        } else if (filled < batch) {
            ready[filled].key = events[i].data.u64;
            ready[filled].events = translate(events[i].events);
            if (poller->signals > 0) {
                solo__os_signal_seen(poller, ready[filled].key);
            }
            filled++;
        }
    }
    *ret_woken = look && consume_wake(poller);
    shuffle(ready, filled);
    return filled;
}

static __attribute__((noinline)) int wait_until(struct solo_poller *poller, uint64_t deadline_ns,
                                                struct solo_ready *ready, int batch, bool *ret_woken)
{
    struct epoll_event events[BATCH_MAX];
    for (;;) {
        if (solo__os_spin_ns != 0 && deadline_ns != 0) {
            spin(poller);
        }
        int timeout = __atomic_load_n(&poller->woken, __ATOMIC_SEQ_CST) != 0 ? 0 : timeout_ms(deadline_ns);
        int got = wait_for_events(poller->epoll, events, batch > 0 ? batch : 1, timeout);
        bool woken = false;
        if (got < 0 && got != -EINTR) {
            return got;
        }
        int filled = sort_out(poller, events, got, ready, batch, &woken);
        if (filled > 0 || woken || (timeout == 0 && got >= 0)) {
            *ret_woken = woken;
            return filled;
        }
    }
}

/* A look that finds nothing is what a busy loop does most, so it has a way of its own. */
static int os_wait(struct solo_world *world, struct solo_poller *poller, uint64_t deadline_ns, struct solo_ready *ready,
                   size_t ready_max, bool *ret_woken)
{
    struct epoll_event events[BATCH_MAX];
    int batch = ready_max < BATCH_MAX ? (int)ready_max : BATCH_MAX;
    (void)world;
    if (deadline_ns == 0) {
        int got = wait_for_events(poller->epoll, events, batch > 0 ? batch : 1, 0);
        if (__builtin_expect(got == 0 && !is_woken(poller), 1)) {
            *ret_woken = false;
            return 0;
        }
        if (got >= 0) {
            return sort_out(poller, events, got, ready, batch, ret_woken);
        }
    }
    return wait_until(poller, deadline_ns, ready, batch, ret_woken);
}

static void os_wake(struct solo_world *world, struct solo_poller *poller)
{
    static const uint64_t one = 1;
    (void)world;
    SOLO__LOOK_AWAY();
    if (__atomic_exchange_n(&poller->woken, 1, __ATOMIC_SEQ_CST) == 0 &&
        __atomic_load_n(&poller->spinning, __ATOMIC_SEQ_CST) == 0) {
        (void)!write(poller->event, &one, sizeof(one));
    }
    SOLO__LOOK_AGAIN();
}

static int os_watch_signal(struct solo_world *world, struct solo_poller *poller, int number, bool wanted, uint64_t key)
{
    int error = solo__os_watch_signal(poller, poller->epoll, number, wanted, key);
    (void)world;
    if (error == 0) {
        poller->signals += wanted ? 1 : -1u;
    }
    return error;
}

const struct solo_poll_table solo__os_poll_table = {
    os_open, os_close, os_watch, os_wait, os_wake, os_watch_signal, solo__os_raise_signal};
