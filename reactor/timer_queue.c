/*
 * timer_queue.c - which delayed call is due next, among one or millions.
 *
 * Three places. The heap (timer_heap.h) holds what is due before the horizon, and everything while timers are
 * few. The wheel holds the rest: eight levels of 64 buckets, a bucket of level 0 being one tick of about a millisecond,
 * one of level n all of level n - 1. The level of a timer is told by the highest bit in which its due time differs from
 * the horizon, so all of one level are due before all of the next, and where a timer is follows from when it is due.
 * The batch holds what a pass has taken. As the horizon moves on, a bucket of a higher level is spread over the lower
 * ones, and one of level 0 is sorted (timer_sort.c) and goes to the batch, or to the heap as far as it is not due yet.
 * So each timer is moved a few times in its life, and only the order within one tick is ever sorted.
 *
 * Memory is what costs. A bucket is a chain of blocks of entries that are written and read one after the other, and to
 * spread them looks at no timer. Nor does taking a timer out look for its entry: it stays behind, and is known to be
 * stale because the timer's sequence or place has changed. A bucket without timers gives its blocks back; when there
 * are twice as many entries as slots, all stale ones are swept out, which costs each setting two looks at an entry at
 * most. A bucket never has more blocks than its entries fill, but for one: so there are always enough (timer_room.c).
 *
 * Where a timer is out of its own words: `place` is its index in the heap, IN_WHEEL, or IN_BATCH; IN_WHEEL and due
 * before the horizon is in the batch as well.
 */
#include "timer_heap.h"
#include <assert.h>
#include <string.h>

enum { LOOK_MAX = 64 }; /* so many are looked through for the soonest */

/* ---- The wheel ---- */

static inline unsigned shift_of(unsigned level)
{
    return TICK_BITS + level * BUCKET_BITS;
}

static inline unsigned bucket_at(uint64_t time_ns, unsigned level)
{
    return level * BUCKETS + ((unsigned)(time_ns >> shift_of(level)) & (BUCKETS - 1));
}

/* When the time of the bucket begins. */
static uint64_t start_of(const struct solo__timer_queue *queue, unsigned number)
{
    unsigned shift = shift_of(number / BUCKETS);
    unsigned above = shift + BUCKET_BITS;
    uint64_t upper = above < 64 ? queue->horizon_ns >> above << above : 0;
    return upper | (uint64_t)(number % BUCKETS) << shift;
}

static struct solo__timer_block *block_take(struct solo__timer_queue *queue)
{
    struct solo__timer_wheel *wheel = queue->wheel;
    struct solo__timer_block *block = wheel->free;
    if (block != NULL) {
        wheel->free = block->next;
        __builtin_prefetch(wheel->free, 1); /* for next time */
        return block;
    }
    while (wheel->fresh == wheel->fresh_end) {
        assert(wheel->fresh_chunk < queue->chunks_count); /* there are always enough */
        wheel->fresh = queue->blocks[wheel->fresh_chunk].first;
        wheel->fresh_end = wheel->fresh + queue->blocks[wheel->fresh_chunk].count;
        wheel->fresh_chunk++;
    }
    return wheel->fresh++;
}

void solo__timer_queue_touch(struct solo__timer_queue *queue)
{
    struct solo__timer_wheel *wheel = queue->wheel;
    while (wheel != NULL && (wheel->fresh < wheel->fresh_end || wheel->fresh_chunk < queue->chunks_count)) {
        struct solo__timer_block *block = wheel->free;
        wheel->free = NULL;
        struct solo__timer_block *fresh = block_take(queue);
        fresh->next = block;
        wheel->free = fresh;
    }
}

void solo__timer_bucket_extend(struct solo__timer_queue *queue, struct solo__timer_bucket *bucket)
{
    struct solo__timer_wheel *wheel = queue->wheel;
    struct solo__timer_block *block = block_take(queue);
    if (bucket->count == 0) { /* it is empty, for an empty one has no blocks */
        unsigned number = (unsigned)(bucket - wheel->buckets);
        wheel->occupied[number / BUCKETS] |= UINT64_C(1) << number % BUCKETS;
        bucket->soonest_ns = SOLO_NEVER;
        bucket->inexact = false;
        bucket->last = block;
    }
    block->next = bucket->first;
    bucket->first = block;
    bucket->end = block->marks;
}

/* The blocks of a bucket that is empty now, until the last of them is given back. */
struct blocks {
    struct solo__timer_block *first, *last;
    const struct solo__timer_mark *end; /* of the first one's */
};

static struct blocks detach(struct solo__timer_wheel *wheel, unsigned number)
{
    struct solo__timer_bucket *bucket = &wheel->buckets[number];
    struct blocks blocks = {bucket->first, bucket->last, bucket->end};
    wheel->stale -= bucket->stale;
    wheel->occupied[number / BUCKETS] &= ~(UINT64_C(1) << number % BUCKETS);
    memset(bucket, 0, sizeof *bucket);
    return blocks;
}

/* Gives back the first block, which has been read; the others are full. */
static inline void next_block(struct solo__timer_wheel *wheel, struct blocks *blocks)
{
    struct solo__timer_block *block = blocks->first;
    blocks->first = block->next;
    if (blocks->first != NULL && blocks->first->next != NULL) {
        const char *ahead = (const char *)blocks->first->next;
        for (unsigned i = 0; i < BLOCK_SIZE; i += LINE) {
            __builtin_prefetch(ahead + i);
        }
    }
    blocks->end = blocks->first != NULL ? blocks->first->marks + MARKS : NULL;
    block->next = wheel->free;
    wheel->free = block;
}

static inline bool is_current(const struct solo__timer *timer, const struct solo__timer_mark *mark)
{
    return timer->place == IN_WHEEL && (uint32_t)timer->sequence == mark->stamp;
}

/* Timers lie anywhere: asks for all of a block at once. */
static inline void fetch_timers(const struct solo__timer_queue *queue, const struct blocks *blocks)
{
    for (const struct solo__timer_mark *mark = blocks->first->marks; mark < blocks->end; mark++) {
        __builtin_prefetch(solo__timer_of(queue, mark->slot));
    }
}

/* Spreads a bucket over those of the lower levels. */
static void spread(struct solo__timer_queue *queue, unsigned number)
{
    bool has_stale = queue->wheel->buckets[number].stale > 0;
    struct blocks blocks = detach(queue->wheel, number);
    for (; blocks.first != NULL; next_block(queue->wheel, &blocks)) {
        if (has_stale) {
            fetch_timers(queue, &blocks);
        }
        for (const struct solo__timer_mark *mark = blocks.first->marks; mark < blocks.end; mark++) {
            if (!has_stale || is_current(solo__timer_of(queue, mark->slot), mark)) {
                solo__timer_wheel_mark(queue, *mark);
            }
        }
    }
}

static void to_heap(struct solo__timer_queue *queue, const struct solo__timer_mark *mark,
                    const struct solo__timer *timer)
{
    heap_add(queue, (struct solo__timer_entry){mark->due_ns, timer->sequence, mark->slot});
}

/* Empties a bucket: its timers leave the wheel for the heap. */
static void drain(struct solo__timer_queue *queue, unsigned number)
{
    struct blocks blocks = detach(queue->wheel, number);
    for (; blocks.first != NULL; next_block(queue->wheel, &blocks)) {
        fetch_timers(queue, &blocks);
        for (const struct solo__timer_mark *mark = blocks.first->marks; mark < blocks.end; mark++) {
            const struct solo__timer *timer = solo__timer_of(queue, mark->slot);
            if (is_current(timer, mark)) {
                queue->wheel_count--;
                to_heap(queue, mark, timer);
            }
        }
    }
}

/* Empties a bucket into the buffer, which has room, stale marks and all: no timer is looked at. */
static void drain_to_buffer(struct solo__timer_queue *queue, unsigned number)
{
    struct solo__timer_wheel *wheel = queue->wheel;
    struct blocks blocks = detach(wheel, number);
    wheel->buffered = 0;
    for (; blocks.first != NULL; next_block(wheel, &blocks)) {
        size_t count = (size_t)(blocks.end - blocks.first->marks);
        memcpy(wheel->buffers[0] + wheel->buffered, blocks.first->marks, count * sizeof(struct solo__timer_mark));
        wheel->buffered += (uint32_t)count;
    }
}

/* Lets go of all stale marks. */
static __attribute__((noinline, cold)) void sweep(struct solo__timer_queue *queue)
{
    for (unsigned number = 0; number < LEVELS * BUCKETS; number++) {
        if (queue->wheel->buckets[number].stale > 0) {
            spread(queue, number); /* back into the same one */
        }
    }
}

/* A timer leaves the wheel. Its mark stays, unless it was the last one of its bucket. */
static inline void wheel_unlink(struct solo__timer_queue *queue, const struct solo__timer *timer)
{
    struct solo__timer_wheel *wheel = queue->wheel;
    unsigned number = solo__timer_bucket_of(queue, timer->due_ns);
    struct solo__timer_bucket *bucket = &wheel->buckets[number];
    queue->wheel_count--;
    bucket->stale++;
    wheel->stale++;
    if (--bucket->count == 0) {
        struct blocks blocks = detach(wheel, number);
        blocks.last->next = wheel->free;
        wheel->free = blocks.first;
    } else {
        bucket->inexact |= timer->due_ns == bucket->soonest_ns;
        if (wheel->stale > queue->capacity) {
            sweep(queue);
        }
    }
}

/*
 * The horizon has come to this time. A bucket of a higher level that begins right here belongs to the lower levels now,
 * the highest one first.
 */
static void move_horizon(struct solo__timer_queue *queue, uint64_t horizon_ns)
{
    queue->horizon_ns = horizon_ns;
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        unsigned number = bucket_at(horizon_ns, level);
        bool begins = (horizon_ns & ((UINT64_C(1) << shift_of(level)) - 1)) == 0;
        if (begins && queue->wheel->buckets[number].count > 0) {
            spread(queue, number);
        }
    }
}

/* ---- The batch ---- */

/* Order in which they are due. */
static inline void batch_append(struct solo__timer_queue *queue, uint32_t slot)
{
    struct solo__timer *timer = solo__timer_of(queue, slot);
    timer->place = IN_BATCH;
    queue->batch[queue->batch_end++] = (struct solo__timer_mark){timer->due_ns, slot, (uint32_t)timer->sequence};
    queue->batch_count++;
}

/* The timer that the batch has at this place; NULL if it was taken out. */
static inline struct solo__timer *batch_at(const struct solo__timer_queue *queue, uint32_t at)
{
    struct solo__timer *timer = solo__timer_of(queue, queue->batch[at].slot);
    bool is_there = timer->place == IN_BATCH || timer->place == IN_WHEEL;
    return is_there && (uint32_t)timer->sequence == queue->batch[at].stamp ? timer : NULL;
}

/* It has room for all timers, and not for the stale marks that come along with them: those go if it gets tight. */
static __attribute__((noinline, cold)) void batch_tidy(struct solo__timer_queue *queue)
{
    uint32_t kept = 0;
    for (uint32_t at = 0; at < queue->batch_end; at++) {
        if (batch_at(queue, at) != NULL) {
            queue->batch[kept++] = queue->batch[at];
        }
    }
    queue->batch_end = kept;
}

static inline bool batch_is_tight(const struct solo__timer_queue *queue, uint32_t more)
{
    return queue->batch_end + (uint64_t)more > queue->capacity;
}

/* So far ahead of its turn a timer is asked for from memory. */
enum { AHEAD = 8 };

struct solo__timer *solo__timer_queue_pop(struct solo__timer_queue *queue, uint32_t *ret_slot)
{
    while (queue->batch_first < queue->batch_end) {
        uint32_t at = queue->batch_first++;
        if (at + AHEAD < queue->batch_end) {
            __builtin_prefetch(solo__timer_of(queue, queue->batch[at + AHEAD].slot));
        }
        struct solo__timer *timer = batch_at(queue, at);
        if (timer != NULL) {
            queue->batch_count--;
            timer->place = SOLO__TIMER_NOT_SET;
            *ret_slot = queue->batch[at].slot;
            return timer;
        }
    }
    queue->batch_first = queue->batch_end = 0;
    return NULL;
}

/* ---- Time goes on ---- */

/* What is due in the heap goes to the batch. */
static void take_from_heap(struct solo__timer_queue *queue, uint64_t now_ns)
{
    if (batch_is_tight(queue, queue->heap_count)) {
        batch_tidy(queue);
    }
    while (queue->heap_count > 0 && queue->heap[0].due_ns <= now_ns) {
        uint32_t slot = queue->heap[0].slot;
        heap_take(queue, 0);
        batch_append(queue, slot);
    }
}

/*
 * A bucket of one tick, of which at least the beginning is due, is dissolved. Nothing in the heap is due. Timers that
 * go to the batch are not looked at before it is their turn, but as long as they are in the wheel by their own word,
 * being due before the horizon says that they have left.
 */
static void take_bucket(struct solo__timer_queue *queue, unsigned number, uint64_t now_ns)
{
    const struct solo__timer_bucket *bucket = &queue->wheel->buckets[number];
    uint32_t count = bucket->count;
    if (bucket->count + bucket->stale > SORTED_MAX) {
        drain(queue, number);
        take_from_heap(queue, now_ns);
        return;
    }
    drain_to_buffer(queue, number);
    queue->wheel_count -= count;
    bool is_tight = batch_is_tight(queue, queue->wheel->buffered);
    if (is_tight) {
        batch_tidy(queue);
    }
    const struct solo__timer_mark *sorted = solo__timer_sort(queue), *end = sorted + queue->wheel->buffered;
    const struct solo__timer_mark *mark = sorted;
    for (; mark < end && mark->due_ns <= now_ns; mark++) {
        if (!is_tight || is_current(solo__timer_of(queue, mark->slot), mark)) {
            queue->batch[queue->batch_end++] = *mark;
        }
    }
    for (; mark < end; mark++) {
        const struct solo__timer *timer = solo__timer_of(queue, mark->slot);
        if (is_current(timer, mark)) {
            to_heap(queue, mark, timer);
            count--;
        }
    }
    queue->batch_count += count;
}

static void take_from_wheel(struct solo__timer_queue *queue, uint64_t now_ns)
{
    struct solo__timer_wheel *wheel = queue->wheel;
    while (queue->wheel_count > 0) {
        unsigned number = first_bucket(wheel);
        uint64_t start_ns = start_of(queue, number);
        if (start_ns > now_ns) {
            break;
        }
        if (number < BUCKETS) {
            take_bucket(queue, number, now_ns);
            move_horizon(queue, start_ns + TICK_NS);
        } else {
            queue->horizon_ns = start_ns;
            spread(queue, number);
        }
    }
    if (queue->horizon_ns < tick_after(now_ns)) {
        move_horizon(queue, tick_after(now_ns));
    }
    queue->wheel_soonest_ns = queue->wheel_count > 0 ? wheel->buckets[first_bucket(wheel)].soonest_ns : SOLO_NEVER;
}

/* Everything to the heap, until refill. */
static void empty_wheel(struct solo__timer_queue *queue)
{
    while (queue->wheel_count > 0) {
        drain(queue, first_bucket(queue->wheel));
    }
}

void solo__timer_wheel_refill(struct solo__timer_queue *queue)
{
    uint32_t count = queue->heap_count;
    queue->heap_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct solo__timer_entry entry = queue->heap[i];
        if (entry.due_ns < queue->horizon_ns || queue->horizon_ns == SOLO_NEVER) {
            heap_add(queue, entry);
        } else {
            solo__timer_of(queue, entry.slot)->place = IN_WHEEL;
            queue->wheel_count++;
            solo__timer_wheel_mark(queue,
                                   (struct solo__timer_mark){entry.due_ns, entry.slot, (uint32_t)entry.sequence});
        }
    }
}

void solo__timer_queue_take(struct solo__timer_queue *queue, uint64_t now_ns)
{
    assert(queue->batch_first == queue->batch_end);
    queue->batch_first = queue->batch_end = 0;
    take_from_heap(queue, now_ns);
    if (queue->wheel_count == 0 || now_ns < queue->wheel_soonest_ns) {
        return;
    }
    take_from_wheel(queue, now_ns < LAST_NS ? now_ns : LAST_NS - 1);
    if (now_ns >= LAST_NS) {
        empty_wheel(queue);
        queue->horizon_ns = SOLO_NEVER;
        take_from_heap(queue, now_ns);
    }
}

/* ---- Setting and taking out ---- */

void solo__timer_queue_add_slowly(struct solo__timer_queue *queue, uint32_t slot, struct solo__timer *timer,
                                  uint64_t now_ns)
{
    if (queue->wheel_count == 0 && queue->horizon_ns <= now_ns && now_ns < LAST_NS) {
        queue->horizon_ns = tick_after(now_ns); /* the wheel is empty: it may go on at once */
    }
    if (queue->wheel == NULL || timer->due_ns < queue->horizon_ns || queue->horizon_ns == SOLO_NEVER) {
        heap_add(queue, (struct solo__timer_entry){timer->due_ns, timer->sequence, slot});
        return;
    }
    timer->place = IN_WHEEL;
    queue->wheel_count++;
    queue->wheel_soonest_ns = timer->due_ns; /* the first one */
    queue->wheel->since = timer->sequence;
    solo__timer_wheel_mark(queue, (struct solo__timer_mark){timer->due_ns, slot, (uint32_t)timer->sequence});
}

void solo__timer_queue_remove(struct solo__timer_queue *queue, struct solo__timer *timer)
{
    uint32_t place_before = timer->place;
    timer->place = SOLO__TIMER_NOT_SET;
    if (place_before == IN_WHEEL && timer->due_ns >= queue->horizon_ns) {
        wheel_unlink(queue, timer);
    } else if (place_before == IN_WHEEL || place_before == IN_BATCH) {
        queue->batch_count--;
    } else {
        heap_take(queue, place_before);
    }
}

/* Finds the soonest one again, if it may have been taken out and there are not too many to look through. */
static void look_through(const struct solo__timer_queue *queue, struct solo__timer_bucket *bucket)
{
    if (!bucket->inexact || bucket->count + bucket->stale > LOOK_MAX) {
        return;
    }
    const struct solo__timer_mark *end = bucket->end;
    bucket->inexact = false;
    bucket->soonest_ns = SOLO_NEVER;
    for (const struct solo__timer_block *block = bucket->first; block != NULL; block = block->next) {
        for (const struct solo__timer_mark *mark = block->marks; mark < end; mark++) {
            if (mark->due_ns < bucket->soonest_ns && is_current(solo__timer_of(queue, mark->slot), mark)) {
                bucket->soonest_ns = mark->due_ns;
            }
        }
        end = block->next != NULL ? block->next->marks + MARKS : NULL;
    }
}

uint64_t solo__timer_queue_next(struct solo__timer_queue *queue)
{
    if (queue->heap_count > 0) {
        return queue->heap[0].due_ns;
    }
    if (queue->wheel_count == 0) {
        return SOLO_NEVER;
    }
    struct solo__timer_bucket *bucket = &queue->wheel->buckets[first_bucket(queue->wheel)];
    look_through(queue, bucket);
    queue->wheel_soonest_ns = bucket->soonest_ns;
    return bucket->soonest_ns;
}

void solo__timer_queue_list(struct solo__timer_queue *queue, size_t count, void (*fn)(uint32_t slot, void *arg),
                            void *arg)
{
    for (uint32_t at = queue->batch_first; at < queue->batch_end && count > 0; at++) {
        if (batch_at(queue, at) != NULL) {
            fn(queue->batch[at].slot, arg);
            count--;
        }
    }
    bool needs_wheel = count > queue->heap_count && queue->wheel_count > 0;
    if (needs_wheel) {
        empty_wheel(queue);
    }
    if (count > 0) {
        heap_sort(queue);
    }
    for (uint32_t i = 0; i < queue->heap_count && count > 0; i++, count--) {
        fn(queue->heap[i].slot, arg);
    }
    if (needs_wheel) {
        solo__timer_wheel_refill(queue);
    }
}
