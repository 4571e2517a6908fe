/* order.c - the fingerprint of a schedule's order of accesses, event by event. */
#include "order.h"
#include <stdbool.h>

static const bool is_point[] = {
#define IS_POINT(name, text, point) point,
    SOLO_PROBE_KINDS(IS_POINT)
#undef IS_POINT
};

static inline uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

/* What only says how the scheduler went about it. */
static bool is_no_difference(unsigned kind)
{
    switch (kind) {
    case SOLO_PROBE_CHOICE:
    case SOLO_PROBE_TIME:
    case SOLO_PROBE_PASS:
    case SOLO_PROBE_LOCK: /* LOCKED is when it happens */
    case SOLO_PROBE_BLOCK:
    case SOLO_PROBE_UNBLOCK:
    case SOLO_PROBE_PAIR_ADDED: /* [told] */
    case SOLO_PROBE_PAIR_BEGUN:
    case SOLO_PROBE_PAIR_ENDED: return true;
    default: return false;
    }
}

/* Kinds whose value is a result; of the others it is a time, a number or an index. */
static bool has_result(unsigned kind)
{
    switch (kind) {
    case SOLO_PROBE_WAITED:
    case SOLO_PROBE_CALL_HANDED_BACK:
    case SOLO_PROBE_CALL_DROPPED:
    case SOLO_PROBE_DEFERRED_FIRED:
    case SOLO_PROBE_READ:
    case SOLO_PROBE_WRITE:
    case SOLO_PROBE_TRANSPORT_STATE:
    case SOLO_PROBE_REACTOR_STATE:
    case SOLO_PROBE_VIOLATION: return true;
    default: return false;
    }
}

/* Nobody makes a word of memory. Which one it is follows from what its thread did and read until then. */
static bool is_word(unsigned kind)
{
    return kind == SOLO_PROBE_ACCESS_READ || kind == SOLO_PROBE_ACCESS_WRITE;
}

void solo__order_begin(struct solo__order *order)
{
    order->schedule++;
    order->fingerprint = 0;
    order->threads = 0;
    order->points = 0;
    order->object_count = 0;
}

/* Index of the object; -1: there are too many. One that is new gets the name of who touches it first. */
static int find_object(struct solo__order *order, uint32_t id, uint64_t toucher)
{
    uint32_t slot = (id * 0x9e3779b1u) >> 20;
    for (;; slot = (slot + 1) & (SOLO__ORDER_OBJECTS - 1)) {
        if (order->object[slot].schedule != order->schedule) {
            if (order->object_count == SOLO__ORDER_OBJECTS / 4 * 3) {
                return -1;
            }
            order->object_count++;
            order->object[slot].schedule = order->schedule;
            order->object[slot].id = id;
            order->object[slot].name = mix(toucher, 1);
            order->object[slot].written = 0;
            order->object[slot].read = 0;
            return (int)slot;
        }
        if (order->object[slot].id == id) {
            return (int)slot;
        }
    }
}

static uint64_t pass_object(struct solo__order *order, const struct solo_event *event, uint64_t hash)
{
    int at = find_object(order, event->object, hash);
    if (at < 0) {
        return hash;
    }
    if (!is_word(event->kind)) {
        hash = mix(hash, order->object[at].name);
    }
    if (event->kind == SOLO_PROBE_THREAD_BEGIN) {
        hash = mix(hash, order->object[at].written); /* its start */
    } else if (event->access == SOLO_ACCESS_READ) {
        hash = mix(hash, order->object[at].written);
        order->object[at].read += hash;
    } else if ((event->access & SOLO_ACCESS_WRITE) != 0) {
        hash = mix(mix(hash, order->object[at].written), order->object[at].read);
        order->object[at].written = hash;
        order->object[at].read = 0;
    }
    return hash;
}

void solo__order_event(struct solo__order *order, const struct solo_event *event)
{
    unsigned number = event->thread;
    unsigned kind = event->kind;
    if (number >= SOLO_SIM_THREADS_MAX || kind >= SOLO_PROBE_KIND_COUNT) {
        return;
    }
    if (order->thread[number].schedule != order->schedule) {
        order->thread[number].schedule = order->schedule;
        order->thread[number].hash = 0;
        order->threads++;
    }
    order->points += is_point[kind];
    if (is_no_difference(kind)) {
        return;
    }
    uint64_t hash = mix(order->thread[number].hash, kind);
    if (has_result(kind)) {
        hash = mix(hash, event->value);
    }
    if (event->object != 0) {
        hash = pass_object(order, event, hash);
    }
    order->thread[number].hash = hash;
    order->fingerprint += mix(hash, 2);
}
