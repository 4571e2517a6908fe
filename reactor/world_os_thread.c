/*
 * world_os_thread.c - threads, leaf locks, gates and announcements of world os: pthreads.
 *
 * A zeroed pthread mutex is the default one in glibc, so struct solo_lock holds it as it is. A gate is a futex of its
 * own: it counts the times that it was rung. Who waits reads the count under the lock and sleeps while it stays the
 * same, so no ringing is missed.
 *
 * A gate is rung under its lock, and whoever wakes up wants that lock first. So the ringing is only noted down, and
 * the system is told of it once the lock has been left: otherwise the woken thread would run into the lock and sleep
 * again, at the price of two more switches. By then the gate may be gone: to ring at an address where nobody waits
 * does nothing.
 */
#define _GNU_SOURCE
#include "argument.h"
#include "self.h"
#include "world_os.h"
#include <assert.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

/* Delivers an event to the subscribers (probe.c). */
void solo__probe_deliver(const struct solo_event *event);

static pthread_mutex_t *mutex_of(struct solo_lock *lock)
{
    static_assert(sizeof(pthread_mutex_t) <= sizeof(struct solo_lock), "a mutex fits a leaf lock");
    return (pthread_mutex_t *)(void *)lock->storage;
}

struct os_gate {
    uint32_t rung;    /* counts up; the futex */
    uint32_t waiters; /* between the lock's leaving and its entering again */
    uint32_t asleep;  /* those of them that the system has to wake; atomic */
};

static struct os_gate *gate_of(struct solo_gate *gate)
{
    static_assert(sizeof(struct os_gate) <= sizeof(struct solo_gate), "a futex fits a gate");
    return (struct os_gate *)(void *)gate->storage;
}

/* What this thread has rung under the lock that it is in. */
static __thread struct {
    uint32_t *futex; /* NULL: nothing */
    int waiters;     /* to be woken */
} to_ring __attribute__((tls_model("initial-exec")));

static void ring(void)
{
    uint32_t *futex = to_ring.futex;
    to_ring.futex = NULL;
    (void)syscall(SYS_futex, futex, FUTEX_WAKE_PRIVATE, to_ring.waiters, NULL, NULL, 0);
}

/* ---- Forks ---- */

__attribute__((constructor)) static void follow_forks(void)
{
    (void)pthread_atfork(solo__arguments_hold, solo__arguments_let_go, solo__arguments_let_go);
}

/* ---- Waiting without sleeping ---- */

uint64_t solo__os_spin_ns;

__attribute__((constructor)) static void read_environment(void)
{
    const char *wanted = getenv("SOLO_SPIN_NS");
    cpu_set_t processors;
    CPU_ZERO(&processors);
    if (wanted != NULL && sched_getaffinity(0, sizeof(processors), &processors) == 0 && CPU_COUNT(&processors) > 1) {
        solo__os_spin_ns = strtoull(wanted, NULL, 10);
    }
}

/* After FAILURES_MAX times in vain most waits sleep at once; one in SKIPS tries again. */
bool solo__os_spin(struct os_spin *spin, bool (*is_over)(const void *arg), const void *arg)
{
    enum { FAILURES_MAX = 4, SKIPS = 32, LOOKS = 64 };
    if (spin->skip > 0) {
        spin->skip--;
        return is_over(arg);
    }
    for (uint64_t until_ns = solo__os_now_ns() + solo__os_spin_ns; solo__os_now_ns() < until_ns;) {
        for (int i = 0; i < LOOKS; i++) {
            if (is_over(arg)) {
                spin->failures = 0;
                return true;
            }
#ifdef __x86_64__
            __builtin_ia32_pause();
#endif
        }
    }
    if (++spin->failures >= FAILURES_MAX) {
        spin->skip = SKIPS;
    }
    return is_over(arg);
}

static uint16_t next_number(void)
{
    static uint32_t given; /* comes round after 65,535 threads: numbers are for reports, not for identity */
    return (uint16_t)(1 + __atomic_fetch_add(&given, 1, __ATOMIC_RELAXED) % UINT16_MAX);
}

uint16_t solo__os_thread_number(void)
{
    return getpid() == gettid() ? 0 : next_number();
}

void solo__os_stack_bounds(uintptr_t *ret_low, uintptr_t *ret_high)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &low, &size) != 0) {
            low = NULL;
            size = 0;
        }
        (void)pthread_attr_destroy(&attributes);
    }
    *ret_low = (uintptr_t)low;
    *ret_high = (uintptr_t)low + size;
}

static pthread_key_t adopted;
static pthread_once_t adopted_once = PTHREAD_ONCE_INIT;

static void leave_adopted(void *thread)
{
    solo__thread_left(thread);
}

static void make_adopted(void)
{
    if (pthread_key_create(&adopted, leave_adopted) != 0) {
        abort(); /* 1,024 keys are in use, and without one the ends of threads would go unseen */
    }
}

void solo__os_adopt_thread(struct solo_thread *thread)
{
    (void)pthread_once(&adopted_once, make_adopted);
    (void)pthread_setspecific(adopted, thread);
}

/* Debuggers and race detectors show this name. */
static void name_thread(const struct solo_thread *thread)
{
    char name[16]; /* the kernel's limit */
    (void)pthread_setname_np(pthread_self(), solo__thread_print_name(thread, name, sizeof(name)));
}

static void *thread_main(void *arg)
{
    struct solo_thread *thread = arg;
    /* Not in os_start: a quick thread may be joined, by somebody else, before the one that started it goes on. */
    thread->backend = (void *)pthread_self();
    solo__self = thread;
    solo__os_stack_bounds(&thread->stack_low, &thread->stack_high);
    name_thread(thread);
    solo__thread_main(thread);
    return NULL;
}

static int os_start(struct solo_world *world, struct solo_thread *thread)
{
    pthread_t handle;
    (void)world;
    static_assert(sizeof(pthread_t) <= sizeof(thread->backend), "a thread handle fits the backend pointer");
    thread->number = next_number();
    if (pthread_create(&handle, NULL, thread_main, thread) != 0) {
        return -EAGAIN;
    }
    return 0;
}

static int os_join(struct solo_world *world, struct solo_thread *thread)
{
    (void)world;
    if (thread == solo__self) {
        return -pthread_detach(pthread_self());
    }
    return -pthread_join((pthread_t)thread->backend, NULL);
}

static void os_enter(struct solo_world *world, struct solo_lock *lock)
{
    SOLO__LOOK_AWAY();
    int error = pthread_mutex_lock(mutex_of(lock));
    (void)world;
    assert(error == 0);
}

static void os_leave(struct solo_world *world, struct solo_lock *lock)
{
    int error = pthread_mutex_unlock(mutex_of(lock));
    (void)world;
    assert(error == 0);
    if (to_ring.futex != NULL) {
        ring();
    }
    SOLO__LOOK_AGAIN();
}

struct ringing {
    const struct os_gate *gate;
    uint32_t rung;
};

static bool has_rung(const void *arg)
{
    const struct ringing *ringing = arg;
    return __atomic_load_n(&ringing->gate->rung, __ATOMIC_ACQUIRE) != ringing->rung;
}

/*
 * Waits while the gate is rung for the `rung`th time, until the deadline at most. 0, or an errno. Who rings counts up
 * first and asks whether anybody sleeps second; who waits says that he sleeps first, and the system looks at the count
 * second: so one of them sees the other.
 */
static int sleep_at(struct os_gate *gate, uint32_t rung, uint64_t deadline_ns)
{
    static __thread struct os_spin spin __attribute__((tls_model("initial-exec")));
    const struct ringing ringing = {gate, rung};
    if (solo__os_spin_ns != 0 && solo__os_spin(&spin, has_rung, &ringing)) {
        return 0;
    }
    (void)__atomic_add_fetch(&gate->asleep, 1, __ATOMIC_SEQ_CST);
    struct timespec deadline = {(time_t)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)};
    long result = syscall(SYS_futex, &gate->rung, FUTEX_WAIT_BITSET_PRIVATE, rung,
                          deadline_ns != SOLO_NEVER ? &deadline : NULL, NULL, FUTEX_BITSET_MATCH_ANY);
    int error = result < 0 ? errno : 0;
    (void)__atomic_sub_fetch(&gate->asleep, 1, __ATOMIC_SEQ_CST);
    return error;
}

static int os_wait(struct solo_world *world, struct solo_gate *gate, struct solo_lock *lock,
                   const struct solo_wait *why, uint64_t deadline_ns)
{
    struct os_gate *at = gate_of(gate);
    struct solo_thread *self = solo__self;
    uint32_t rung = at->rung;
    if (self != NULL) {
        __atomic_store_n(&self->wait, why, __ATOMIC_RELAXED); /* reports glance at it */
    }
    at->waiters++;
    os_leave(world, lock);
    int error = sleep_at(at, rung, deadline_ns);
    os_enter(world, lock);
    at->waiters--;
    if (self != NULL) {
        __atomic_store_n(&self->wait, NULL, __ATOMIC_RELAXED);
    }
    return error == ETIMEDOUT ? -ETIMEDOUT : 0;
}

static void os_wake(struct solo_world *world, struct solo_gate *gate, bool all)
{
    struct os_gate *at = gate_of(gate);
    (void)world;
    if (at->waiters == 0) {
        return;
    }
    (void)__atomic_add_fetch(&at->rung, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&at->asleep, __ATOMIC_SEQ_CST) == 0) {
        return;
    }
    if (to_ring.futex != NULL && to_ring.futex != &at->rung) {
        ring(); /* two gates under one lock */
    }
    to_ring.waiters = all || to_ring.futex != NULL ? INT_MAX : 1;
    to_ring.futex = &at->rung;
}

static __attribute__((noinline)) void deliver(enum solo_probe_kind kind, enum solo_access access, uint32_t object,
                                              uint64_t value)
{
    static uint64_t steps;                      /* a running count over all threads of the process */
    uint16_t thread = solo__self_get()->number; /* first: to get an identity is an event of its own */
    struct solo_event event = {
        .step = __atomic_add_fetch(&steps, 1, __ATOMIC_RELAXED),
        .now_ns = solo__os_now_ns(),
        .value = value,
        .object = object,
        .thread = thread,
        .kind = (uint8_t)kind,
        .access = (uint8_t)access,
    };
    SOLO__LOOK_AWAY(); /* the locks of who subscribes order nothing either */
    solo__probe_deliver(&event);
    SOLO__LOOK_AGAIN();
}

static void os_announce(struct solo_world *world, enum solo_probe_kind kind, enum solo_access access, uint32_t object,
                        uint64_t value)
{
    (void)world;
    if (__builtin_expect(__atomic_load_n(&solo__probe_watched, __ATOMIC_RELAXED) != 0, 0)) {
        deliver(kind, access, object, value);
    }
}

const struct solo_thread_table solo__os_thread_table = {os_start, os_join, os_enter,   os_leave,
                                                        os_wait,  os_wake, os_announce};
