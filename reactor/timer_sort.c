/*
 * timer_sort.c - sorts what is due within one tick: short runs by insertion, and then merges them.
 */
#include "timer_queue_private.h"
#include <string.h>

enum { RUN = 8 }; /* so many are sorted by insertion */

/*
 * How marks are compared. The ends of sequences do, counted from a sequence that all of the wheel have come after, as
 * long as not too many have been set since then; else the timers are asked. A stale mark may come anywhere among those
 * of its time.
 */
struct order {
    const struct solo__timer_queue *queue;
    uint32_t since;
    bool asks;
};

static inline __attribute__((always_inline)) bool
mark_is_before(const struct order *order, const struct solo__timer_mark *a, const struct solo__timer_mark *b)
{
    if (order->asks) {
        return a->due_ns != b->due_ns
                   ? a->due_ns < b->due_ns
                   : solo__timer_of(order->queue, a->slot)->sequence < solo__timer_of(order->queue, b->slot)->sequence;
    }
    return ((key_type)a->due_ns << 32 | (a->stamp - order->since)) <
           ((key_type)b->due_ns << 32 | (b->stamp - order->since));
}

static inline void sort_run(const struct order *order, struct solo__timer_mark *marks, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct solo__timer_mark mark = marks[i];
        uint32_t at = i;
        for (; at > 0 && mark_is_before(order, &mark, &marks[at - 1]); at--) {
            marks[at] = marks[at - 1];
        }
        marks[at] = mark;
    }
}

/* Merges two sorted runs that lie one after the other. */
static inline void merge(const struct order *order, const struct solo__timer_mark *from, uint32_t middle, uint32_t end,
                         struct solo__timer_mark *to)
{
    uint32_t left = 0, right = middle;
    while (left < middle && right < end) {
        bool takes_right = mark_is_before(order, &from[right], &from[left]);
        *to++ = from[takes_right ? right : left];
        right += takes_right;
        left += !takes_right;
    }
    memcpy(to, &from[left], (middle - left) * sizeof *to);
    memcpy(to + (middle - left), &from[right], (end - right) * sizeof *to);
}

static inline __attribute__((always_inline)) const struct solo__timer_mark *
sort_by(struct order order, struct solo__timer_mark *const buffers[2], uint32_t count)
{
    struct solo__timer_mark *from = buffers[0], *to = buffers[1];
    for (uint32_t i = 0; i < count; i += RUN) {
        sort_run(&order, from + i, count - i < RUN ? count - i : RUN);
    }
    for (uint32_t run = RUN; run < count; run *= 2) {
        for (uint32_t i = 0; i < count; i += 2 * run) {
            uint32_t left = count - i;
            merge(&order, from + i, left < run ? left : run, left < 2 * run ? left : 2 * run, to + i);
        }
        struct solo__timer_mark *other = from;
        from = to;
        to = other;
    }
    return from;
}

const struct solo__timer_mark *solo__timer_sort(const struct solo__timer_queue *queue)
{
    const struct solo__timer_wheel *wheel = queue->wheel;
    struct order order = {queue, (uint32_t)wheel->since, false};
    if (queue->sequence - wheel->since <= STAMPS_MAX) {
        return sort_by(order, wheel->buffers, wheel->buffered);
    }
    order.asks = true;
    return sort_by(order, wheel->buffers, wheel->buffered);
}
