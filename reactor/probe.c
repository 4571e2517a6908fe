/*
 * probe.c - who is told what happens.
 *
 * A slot of the table is taken, then filled, then published by its function, so a delivery that runs meanwhile sees a
 * whole subscription or none. Deliveries read without locks. Race detectors do not look at this file
 * (reactor/module.mk): telling a subscriber must not order the threads that announce.
 */
#include "annotate.h"
#include "self.h"
#include <solo/sim.h>
#include <stddef.h>

enum { SUBSCRIBERS_MAX = 8 };

struct subscriber {
    solo_probe_fn fn; /* NULL: not published */
    void *arg;
    int taken;
};

static struct subscriber subscribers[SUBSCRIBERS_MAX];
static size_t slots_used; /* slots that were ever published; a delivery looks no further */
int solo__probe_watched;

__attribute__((constructor)) static void begin(void)
{
    SOLO_ANNOTATE_PRIVATE(subscribers, sizeof subscribers);
    SOLO_ANNOTATE_PRIVATE(&solo__probe_watched, sizeof solo__probe_watched);
}

void solo__probe_deliver(const struct solo_event *event);

void solo__probe_deliver(const struct solo_event *event)
{
    size_t used = __atomic_load_n(&slots_used, __ATOMIC_RELAXED);
    solo_probe_fn first = __atomic_load_n(&subscribers[0].fn, __ATOMIC_ACQUIRE);
    if (used == 1 && first != NULL) { /* mostly there is one, which is then jumped to */
        first(event, subscribers[0].arg);
        return;
    }
    for (size_t i = 0; i < used; i++) {
        solo_probe_fn fn = __atomic_load_n(&subscribers[i].fn, __ATOMIC_ACQUIRE);
        if (fn != NULL) {
            fn(event, subscribers[i].arg);
        }
    }
}

void solo__probe_tell(struct solo_world *world, enum solo_probe_kind kind, uint32_t object, uint64_t value)
{
    if (__atomic_load_n(&solo__probe_watched, __ATOMIC_RELAXED) == 0) {
        return;
    }
    const struct solo_sim_log *log = solo_sim_get_log(solo_sim_current());
    const struct solo_event event = {
        .step = log != NULL ? log->events_count : 0,
        .now_ns = world->clock->now_ns(world),
        .value = value,
        .object = object,
        .thread = solo__self_get()->number,
        .kind = (uint8_t)kind,
        .access = SOLO_ACCESS_NONE,
    };
    SOLO_ANNOTATE_IGNORE_BEGIN();
    solo__probe_deliver(&event);
    SOLO_ANNOTATE_IGNORE_END();
}

int solo_probe_subscribe(solo_probe_fn fn, void *arg)
{
    if (fn == NULL) {
        return -EINVAL;
    }

    for (size_t i = 0; i < SUBSCRIBERS_MAX; i++) {
        struct subscriber *subscriber = &subscribers[i];
        if (__atomic_exchange_n(&subscriber->taken, 1, __ATOMIC_ACQUIRE) == 0) {
            subscriber->arg = arg;
            __atomic_store_n(&subscriber->fn, fn, __ATOMIC_RELEASE);
            size_t used = __atomic_load_n(&slots_used, __ATOMIC_RELAXED);
            while (used <= i &&
                   !__atomic_compare_exchange_n(&slots_used, &used, i + 1, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
            }
            __atomic_add_fetch(&solo__probe_watched, 1, __ATOMIC_RELEASE);
            return 0;
        }
    }
    return -ENOSPC;
}

int solo_probe_unsubscribe(solo_probe_fn fn, void *arg)
{
    for (size_t i = 0; fn != NULL && i < SUBSCRIBERS_MAX; i++) {
        struct subscriber *subscriber = &subscribers[i];
        if (__atomic_load_n(&subscriber->fn, __ATOMIC_ACQUIRE) == fn && subscriber->arg == arg) {
            __atomic_store_n(&subscriber->fn, NULL, __ATOMIC_RELEASE);
            __atomic_sub_fetch(&solo__probe_watched, 1, __ATOMIC_RELEASE);
            __atomic_store_n(&subscriber->taken, 0, __ATOMIC_RELEASE);
            return 0;
        }
    }
    return -ENOENT;
}

const char *solo_probe_kind_text(unsigned kind)
{
    static const char *const texts[] = {
#define TEXT(name, text, point) text,
        SOLO_PROBE_KINDS(TEXT)
#undef TEXT
    };
    return kind < SOLO_PROBE_KIND_COUNT ? texts[kind] : "?";
}

int solo_probe_kind_is_point(unsigned kind)
{
    static const char points[] = {
#define POINT(name, text, point) point,
        SOLO_PROBE_KINDS(POINT)
#undef POINT
    };
    return kind < SOLO_PROBE_KIND_COUNT ? points[kind] : 0;
}

const char *solo_wait_kind_text(unsigned wait_kind)
{
    static const char *const texts[SOLO_WAIT_KINDS] = {
        [SOLO_WAIT_NONE] = "nothing",
        [SOLO_WAIT_POLL] = "something to do",
        [SOLO_WAIT_JOB] = "a job",
        [SOLO_WAIT_PEER] = "the other side",
        [SOLO_WAIT_MUTEX] = "a mutex",
        [SOLO_WAIT_CONDITION] = "a condition",
        [SOLO_WAIT_SEMAPHORE] = "a semaphore",
        [SOLO_WAIT_JOIN] = "a thread to end",
        [SOLO_WAIT_SLEEP] = "time to pass",
        [SOLO_WAIT_RESULT] = "a result from the reactor",
        [SOLO_WAIT_DRAIN] = "jobs to end",
        [SOLO_WAIT_BARRIER] = "the others at a barrier",
        [SOLO_WAIT_ONCE] = "an initialisation",
        [SOLO_WAIT_DESCRIPTOR] = "a descriptor",
        [SOLO_WAIT_FUTEX] = "a futex",
        [SOLO_WAIT_STATIC] = "a static variable to be initialised",
    };
    return wait_kind < SOLO_WAIT_KINDS ? texts[wait_kind] : "?";
}
