/*
 * timer_queue_private.h - what the files of the timer queue share: its sizes, the order of its timers, and ticks.
 */
#ifndef SOLO__TIMER_QUEUE_PRIVATE_H
#define SOLO__TIMER_QUEUE_PRIVATE_H

#include "timer_queue.h"

enum { LEVELS = SOLO__TIMER_LEVELS, BUCKETS = SOLO__TIMER_BUCKETS, MARKS = SOLO__TIMER_MARKS, LINE = 64 };
enum { TICK_BITS = SOLO__TIMER_TICK_BITS, BUCKET_BITS = SOLO__TIMER_BUCKET_BITS, BLOCK_SIZE = SOLO__TIMER_BLOCK_SIZE };
enum { NOT_SET = SOLO__TIMER_NOT_SET, IN_WHEEL = SOLO__TIMER_IN_WHEEL, IN_BATCH = NOT_SET - 2 };
#define TICK_NS (UINT64_C(1) << TICK_BITS)
#define LAST_NS (SOLO_NEVER - 2 * TICK_NS) /* from here on there may be no tick after this one */

/* So few need no wheel; as many are sorted at once, more by the heap. */
#ifdef SOLO_TORTURE
enum { FEW_MAX = 32, SORTED_MAX = 4 };
#define STAMPS_MAX 100u
#else
enum { FEW_MAX = 1024, SORTED_MAX = 4096 };
#define STAMPS_MAX UINT32_MAX
#endif

__extension__ typedef unsigned __int128 key_type;

static inline uint64_t tick_after(uint64_t time_ns)
{
    return (time_ns | (TICK_NS - 1)) + 1;
}

/* The first bucket in time that has a timer; there is one. */
static inline unsigned first_bucket(const struct solo__timer_wheel *wheel)
{
    unsigned level = 0;
    while (wheel->occupied[level] == 0) {
        level++;
    }
    return level * BUCKETS + (unsigned)__builtin_ctzll(wheel->occupied[level]);
}

/* timer_queue.c. What is due from the horizon on goes from the heap back to the wheel. */
void solo__timer_wheel_refill(struct solo__timer_queue *queue);

/* timer_sort.c. Sorts the first buffer, with the help of the other; returns the one that has the result. */
const struct solo__timer_mark *solo__timer_sort(const struct solo__timer_queue *queue);

#endif
