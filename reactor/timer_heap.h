/*
 * timer_heap.h - the heap of the timer queue: four children a node, and each timer knows its place.
 *
 * For timer_queue.c alone, and a header so that setting and taking a timer stay one function each.
 */
#ifndef SOLO__TIMER_HEAP_H
#define SOLO__TIMER_HEAP_H

#include "timer_queue_private.h"

enum { ARITY = 4 };

static inline bool is_before(const struct solo__timer_entry *a, const struct solo__timer_entry *b)
{
    return ((key_type)a->due_ns << 64 | a->sequence) < ((key_type)b->due_ns << 64 | b->sequence);
}

static inline void place(struct solo__timer_queue *queue, uint32_t at, struct solo__timer_entry entry)
{
    queue->heap[at] = entry;
    solo__timer_of(queue, entry.slot)->place = at;
}

static inline void sift_up(struct solo__timer_queue *queue, uint32_t at, struct solo__timer_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / ARITY;
        if (!is_before(&entry, &queue->heap[parent])) {
            break;
        }
        place(queue, at, queue->heap[parent]);
        at = parent;
    }
    place(queue, at, entry);
}

static inline uint32_t first_child(const struct solo__timer_queue *queue, uint32_t at)
{
    uint32_t child = at * ARITY + 1;
    uint32_t end = queue->heap_count - child < ARITY ? queue->heap_count : child + ARITY;
    uint32_t first = child;
    for (child++; child < end; child++) {
        if (is_before(&queue->heap[child], &queue->heap[first])) {
            first = child;
        }
    }
    return first;
}

static inline void sift_down(struct solo__timer_queue *queue, uint32_t at, struct solo__timer_entry entry)
{
    while (at * ARITY + 1 < queue->heap_count) { /* it has children */
        uint32_t child = first_child(queue, at);
        if (!is_before(&queue->heap[child], &entry)) {
            break;
        }
        place(queue, at, queue->heap[child]);
        at = child;
    }
    place(queue, at, entry);
}

static inline void heap_add(struct solo__timer_queue *queue, struct solo__timer_entry entry)
{
    sift_up(queue, queue->heap_count++, entry);
}

static inline void heap_take(struct solo__timer_queue *queue, uint32_t at)
{
    struct solo__timer_entry last = queue->heap[--queue->heap_count];
    if (at == queue->heap_count) {
        return;
    }
    if (at > 0 && is_before(&last, &queue->heap[(at - 1) / ARITY])) {
        sift_up(queue, at, last);
    } else {
        sift_down(queue, at, last);
    }
}

/* Puts the heap into firing order, which is a heap as well: takes out the first again and again, and turns it round. */
static inline void heap_sort(struct solo__timer_queue *queue)
{
    uint32_t count = queue->heap_count;
    while (queue->heap_count > 1) {
        struct solo__timer_entry first = queue->heap[0];
        heap_take(queue, 0);
        queue->heap[queue->heap_count] = first;
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        struct solo__timer_entry entry = queue->heap[i];
        place(queue, i, queue->heap[count - 1 - i]);
        place(queue, count - 1 - i, entry);
    }
    if (count % 2 == 1) {
        place(queue, count / 2, queue->heap[count / 2]);
    }
    queue->heap_count = count;
}

#endif
