/*
 * timer_queue.h - which delayed call is due next, among one or millions.
 *
 * A call is known by a small number, its slot. The order is (due time, sequence), where the sequence counts every
 * setting: exact, and the same in every run. Nothing here asks for memory but solo__timer_queue_grow, nothing reads a
 * clock, and nothing knows what a call is for.
 */
#ifndef SOLO__TIMER_QUEUE_H
#define SOLO__TIMER_QUEUE_H

#include <solo/reactor.h>

enum { SOLO__TIMERS_FIRST_BITS = 4, SOLO__TIMER_CHUNKS_MAX = 26 }; /* chunk c holds 2^(FIRST_BITS + c) slots */

struct solo__provenance;

/* What is in a slot: one line of the cache, in chunks that never move. */
struct solo__timer {
    uint64_t due_ns;
    uint64_t sequence; /* of its last setting */
    uint32_t place;    /* where it is: timer_queue.c */
    /* The rest is delayed_call.c's. */
    uint32_t generation; /* of the present user, or of the next one; never 0 */
    solo_call_fn fn;
    void *arg;
    solo_done_fn done;
    union {
        void *return_address;          /* where it was set */
        struct solo__provenance *full; /* the same and more; if no thread is given */
    } origin;
    uint64_t who; /* numbers of its own object id and of the thread's that set it, and which users never ran */
};

_Static_assert(sizeof(struct solo__timer) == 64, "a timer is one line of the cache");

enum { SOLO__TIMER_NOT_SET = 0x7fffffff }; /* its place while the queue does not know it; else the queue's matter */

struct solo__timer_entry { /* of the heap */
    uint64_t due_ns;
    uint64_t sequence;
    uint32_t slot;
};

/* Of the wheel and of the batch: another setting has come since if the stamp is not the end of the timer's sequence. */
struct solo__timer_mark {
    uint64_t due_ns;
    uint32_t slot;
    uint32_t stamp;
};

enum { SOLO__TIMER_TICK_BITS = 20, SOLO__TIMER_LEVELS = 8, SOLO__TIMER_BUCKETS = 64, SOLO__TIMER_BUCKET_BITS = 6 };
enum { SOLO__TIMER_MARKS = 31, SOLO__TIMER_BLOCK_SIZE = 512 };

struct solo__timer_block { /* lies at a multiple of its size */
    struct solo__timer_block *next;
    uint64_t unused;
    struct solo__timer_mark marks[SOLO__TIMER_MARKS];
};

_Static_assert(sizeof(struct solo__timer_block) == SOLO__TIMER_BLOCK_SIZE, "blocks fill lines of the cache");

struct solo__timer_bucket {
    struct solo__timer_mark *end; /* of what is in the first block; NULL, or its end if that is full: see BLOCK_SIZE */
    struct solo__timer_block *first; /* the newest */
    struct solo__timer_block *last;
    uint64_t soonest_ns; /* no timer here is due before; exact unless `inexact` */
    uint32_t count;      /* timers; 0: the bucket is empty */
    uint32_t stale;      /* marks of timers that have left */
    bool inexact;        /* the soonest one may have left */
};

struct solo__timer_wheel {
    uint64_t occupied[SOLO__TIMER_LEVELS]; /* by bucket */
    struct solo__timer_bucket buckets[SOLO__TIMER_LEVELS * SOLO__TIMER_BUCKETS];
    struct solo__timer_block *free;              /* blocks that were used before */
    struct solo__timer_block *fresh, *fresh_end; /* blocks that never were, of the chunk that is being used up */
    unsigned fresh_chunk;
    uint32_t stale; /* marks, in all buckets */
    uint64_t since; /* all marks were set with this sequence or a later one */
    struct solo__timer_mark *buffers[2];
    uint32_t buffered; /* in the first of them */
};

struct solo__timer_queue {
    struct solo__timer *chunks[SOLO__TIMER_CHUNKS_MAX];
    uint32_t capacity; /* slots there are */
    unsigned chunks_count;
    uint64_t sequence;               /* of the next setting */
    uint64_t horizon_ns;             /* what is due before is in the heap, the rest in the wheel, if there is one */
    uint64_t wheel_soonest_ns;       /* nothing in the wheel is due before */
    struct solo__timer_wheel *wheel; /* NULL: so few timers that the heap alone is quicker */
    uint32_t heap_count, wheel_count, batch_count; /* timers that are set there */
    uint32_t batch_first, batch_end;
    struct solo__timer_mark *batch; /* what was taken, in order: from batch_first to batch_end */
    struct solo__timer_entry *heap;
    void *chunk_memory[SOLO__TIMER_CHUNKS_MAX];
    struct {
        void *memory;
        struct solo__timer_block *first;
        size_t count;
    } blocks[SOLO__TIMER_CHUNKS_MAX]; /* of the wheel, as many as a chunk needs */
};

static inline struct solo__timer *solo__timer_of(const struct solo__timer_queue *queue, uint32_t slot)
{
    uint32_t from_first = slot + (1u << SOLO__TIMERS_FIRST_BITS);
    unsigned top = 31u - (unsigned)__builtin_clz(from_first);
    return &queue->chunks[top - SOLO__TIMERS_FIRST_BITS][from_first - (1u << top)];
}

/* How many slots there are with so many chunks more. */
static inline size_t solo__timer_queue_capacity(const struct solo__timer_queue *queue, unsigned more)
{
    return ((size_t)1 << (SOLO__TIMERS_FIRST_BITS + queue->chunks_count + more)) - (1u << SOLO__TIMERS_FIRST_BITS);
}

/* Makes room for one chunk more; or -ENOMEM, and nothing has changed. */
int solo__timer_queue_grow(struct solo__timer_queue *queue, struct solo_world *world, uint64_t now_ns);
/* Uses all memory that there is once, so that setting timers meets no page that has to be made first. */
void solo__timer_queue_touch(struct solo__timer_queue *queue);
void solo__timer_queue_end(struct solo__timer_queue *queue, struct solo_world *world);

/* Sets a timer that is not set; after all that are due at the same time. */
static inline void solo__timer_queue_add(struct solo__timer_queue *queue, uint32_t slot, struct solo__timer *timer,
                                         uint64_t due_ns, uint64_t now_ns);

/* Takes out a timer that is set or in the batch. */
void solo__timer_queue_remove(struct solo__timer_queue *queue, struct solo__timer *timer);

/*
 * When to look again: the first due time, or SOLO_NEVER. It may say earlier after timers were taken out, but only where
 * very many are due at about the same time.
 */
uint64_t solo__timer_queue_next(struct solo__timer_queue *queue);

/* The batch is empty: moves all that is due at now_ns there, in order. */
void solo__timer_queue_take(struct solo__timer_queue *queue, uint64_t now_ns);

/* Takes the first timer out of the batch; NULL: it is empty. */
struct solo__timer *solo__timer_queue_pop(struct solo__timer_queue *queue, uint32_t *ret_slot);

/* Calls fn(slot, arg) for the first `count` timers in order, of the batch and then of the others. */
void solo__timer_queue_list(struct solo__timer_queue *queue, size_t count, void (*fn)(uint32_t slot, void *arg),
                            void *arg);

static inline size_t solo__timer_queue_count(const struct solo__timer_queue *queue)
{
    return (size_t)queue->batch_count + queue->heap_count + queue->wheel_count;
}

/* ---- Setting a timer: inline, because it is what programs do most ---- */

enum { SOLO__TIMER_IN_WHEEL = SOLO__TIMER_NOT_SET - 1 }; /* or on its way to the batch */

/* Where the usual way ends: into the heap, or the first one into the wheel. */
void solo__timer_queue_add_slowly(struct solo__timer_queue *queue, uint32_t slot, struct solo__timer *timer,
                                  uint64_t now_ns);
/* A bucket whose first block is full, or that has none, gets another; an empty one comes into being. */
void solo__timer_bucket_extend(struct solo__timer_queue *queue, struct solo__timer_bucket *bucket);

/* The bucket of what is due then: told by the highest bit in which that differs from the horizon. */
static inline unsigned solo__timer_bucket_of(const struct solo__timer_queue *queue, uint64_t due_ns)
{
    uint64_t differs = (due_ns ^ queue->horizon_ns) >> SOLO__TIMER_TICK_BITS | 1;
    unsigned level = (63u - (unsigned)__builtin_clzll(differs)) / SOLO__TIMER_BUCKET_BITS;
    unsigned shift = SOLO__TIMER_TICK_BITS + level * SOLO__TIMER_BUCKET_BITS;
    return level * SOLO__TIMER_BUCKETS + ((unsigned)(due_ns >> shift) & (SOLO__TIMER_BUCKETS - 1));
}

/* The mark of a timer comes into the bucket of its time. */
static inline void solo__timer_wheel_mark(struct solo__timer_queue *queue, struct solo__timer_mark mark)
{
    struct solo__timer_bucket *bucket = &queue->wheel->buckets[solo__timer_bucket_of(queue, mark.due_ns)];
    if (__builtin_expect(((uintptr_t)bucket->end & (SOLO__TIMER_BLOCK_SIZE - 1)) == 0, 0)) {
        solo__timer_bucket_extend(queue, bucket);
    }
    if (mark.due_ns < bucket->soonest_ns) {
        bucket->soonest_ns = mark.due_ns;
        bucket->inexact = false;
    }
    *bucket->end++ = mark;
    __builtin_prefetch(bucket->end + 3, 1); /* the next line of the cache, for when it is its turn */
    bucket->count++;
}

static inline void solo__timer_queue_add(struct solo__timer_queue *queue, uint32_t slot, struct solo__timer *timer,
                                         uint64_t due_ns, uint64_t now_ns)
{
    timer->due_ns = due_ns;
    timer->sequence = queue->sequence++;
    if (__builtin_expect(queue->wheel_count == 0 || due_ns < queue->horizon_ns, 0)) {
        solo__timer_queue_add_slowly(queue, slot, timer, now_ns);
        return;
    }
    timer->place = SOLO__TIMER_IN_WHEEL;
    queue->wheel_count++;
    solo__timer_wheel_mark(queue, (struct solo__timer_mark){due_ns, slot, (uint32_t)timer->sequence});
    if (due_ns < queue->wheel_soonest_ns) {
        queue->wheel_soonest_ns = due_ns;
    }
}

#endif
