/*
 * dependence.h - which operations commute: what each event touches, and in what way.
 *
 * Two transitions depend if they touch the same key and not both only read it. Keys are objects of the program (locks,
 * conditions, semaphores, words of memory), and one key for each part of the kit whose order matters as a whole: the
 * loops with their queues, timers, wake-ups and descriptors; the pools; the threads' numbers; and memory that nobody
 * announces, which a yield is taken to write and a beginning thread to read. Plain memory that is touched elsewhere
 * without being announced is not seen (solo/access.h).
 */
#ifndef SOLO__DEPENDENCE_H
#define SOLO__DEPENDENCE_H

#include <solo/probe.h>
#include <stdbool.h>

enum { SOLO__KEY_LOOP = 1, SOLO__KEY_POOL, SOLO__KEY_THREADS, SOLO__KEY_MEMORY, SOLO__TOUCHES_MAX = 3 };

struct solo__touch {
    uint32_t key; /* an object id, or one of the above, which are no ids */
    bool writes;
};

/* What the event touches. `works`: its thread is a worker of a pool. Returns how many. */
unsigned solo__touches(const struct solo_event *event, bool works, struct solo__touch touches[SOLO__TOUCHES_MAX]);

/* What all that a transition touches amounts to: a bit for each key, by its hash. Different keys may share a bit. */
struct solo__footprint {
    uint64_t reads, writes;
};

static inline bool solo__footprints_conflict(const struct solo__footprint *a, const struct solo__footprint *b)
{
    return (a->writes & (b->reads | b->writes)) != 0 || (a->reads & b->writes) != 0;
}

#endif
