/*
 * timer_room.c - the memory of a timer queue: chunks of slots, each with its share of all the rest.
 *
 * A queue grows by doubling, all of it or nothing. Slots and blocks never move; the heap and the batch do.
 */
#include "timer_queue_private.h"
#include "sanitizer/annotate.h"
#include <assert.h>
#include <string.h>

/* What grow asks for: all of it or nothing. */
struct room {
    void *chunk, *blocks;
    struct solo__timer_entry *heap;
    struct solo__timer_mark *batch;
    struct solo__timer_wheel *wheel; /* the first one, if it is time for it */
    uint32_t slots, capacity;        /* more, and in all */
    size_t blocks_count;
};

static void room_release(struct solo_world *world, const struct room *room)
{
    world->memory->release(world, room->chunk);
    world->memory->release(world, room->blocks);
    world->memory->release(world, room->heap);
    world->memory->release(world, room->batch);
    world->memory->release(world, room->wheel);
}

static bool room_take(struct solo_world *world, struct room *room, bool has_wheel, bool wants_wheel)
{
    const struct solo_memory_table *memory = world->memory;
    room->chunk = memory->allocate(world, room->slots * sizeof(struct solo__timer) + LINE - 1);
    room->heap = memory->allocate(world, room->capacity * sizeof *room->heap);
    room->batch = memory->allocate(world, room->capacity * sizeof *room->batch);
    if (wants_wheel) {
        room->blocks_count = 2 * (size_t)room->capacity / MARKS + LEVELS * BUCKETS + 2;
        room->wheel = memory->allocate(world, sizeof *room->wheel + 2 * SORTED_MAX * sizeof(struct solo__timer_mark));
    } else if (has_wheel) {
        room->blocks_count = 2 * (size_t)room->slots / MARKS + 1;
    }
    if (room->blocks_count > 0) {
        room->blocks = memory->allocate(world, room->blocks_count * BLOCK_SIZE + BLOCK_SIZE - 1);
    }
    return room->chunk != NULL && room->heap != NULL && room->batch != NULL &&
           (room->blocks_count == 0 || room->blocks != NULL) && (!wants_wheel || room->wheel != NULL);
}

/* The wheel takes over from the heap. */
static void begin_wheel(struct solo__timer_queue *queue, struct solo__timer_wheel *wheel, uint64_t now_ns)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->buffers[0] = (struct solo__timer_mark *)(wheel + 1);
    wheel->buffers[1] = wheel->buffers[0] + SORTED_MAX;
    wheel->fresh_chunk = queue->chunks_count - 1;
    wheel->since = 0; /* what the heap hands over is older than anything that is set from now on */
    queue->wheel = wheel;
    queue->horizon_ns = now_ns < LAST_NS ? tick_after(now_ns) : SOLO_NEVER;
    solo__timer_wheel_refill(queue);
    queue->wheel_soonest_ns = queue->wheel_count > 0 ? wheel->buckets[first_bucket(wheel)].soonest_ns : SOLO_NEVER;
}

static void *align(void *memory, uintptr_t size)
{
    return (void *)(((uintptr_t)memory + size - 1) & ~(size - 1));
}

static void replace(struct solo_world *world, void **array, void *bigger, size_t used)
{
    if (used > 0) {
        memcpy(bigger, *array, used);
    }
    world->memory->release(world, *array);
    *array = bigger;
}

int solo__timer_queue_grow(struct solo__timer_queue *queue, struct solo_world *world, uint64_t now_ns)
{
    struct room room = {.slots = 1u << (SOLO__TIMERS_FIRST_BITS + queue->chunks_count)};
    if (queue->chunks_count == SOLO__TIMER_CHUNKS_MAX) {
        return -ENOMEM;
    }
    room.capacity = queue->capacity + room.slots;
    bool wants_wheel = queue->wheel == NULL && room.capacity > FEW_MAX;
    if (!room_take(world, &room, queue->wheel != NULL, wants_wheel)) {
        room_release(world, &room);
        return -ENOMEM;
    }
    SOLO_ANNOTATE_PRIVATE(room.chunk, room.slots * sizeof(struct solo__timer));
    SOLO_ANNOTATE_PRIVATE(room.heap, room.capacity * sizeof *room.heap);
    replace(world, (void **)&queue->heap, room.heap, queue->heap_count * sizeof *room.heap);
    replace(world, (void **)&queue->batch, room.batch, queue->batch_end * sizeof *room.batch);
    queue->chunk_memory[queue->chunks_count] = room.chunk;
    queue->chunks[queue->chunks_count] = align(room.chunk, LINE);
    queue->blocks[queue->chunks_count].memory = room.blocks;
    queue->blocks[queue->chunks_count].first = align(room.blocks, BLOCK_SIZE);
    queue->blocks[queue->chunks_count].count = room.blocks_count;
    queue->chunks_count++;
    queue->capacity = room.capacity;
    if (wants_wheel) {
        begin_wheel(queue, room.wheel, now_ns);
    }
    return 0;
}

void solo__timer_queue_end(struct solo__timer_queue *queue, struct solo_world *world)
{
    assert(solo__timer_queue_count(queue) == 0);
    for (unsigned i = 0; i < queue->chunks_count; i++) {
        world->memory->release(world, queue->chunk_memory[i]);
        world->memory->release(world, queue->blocks[i].memory);
    }
    world->memory->release(world, queue->heap);
    world->memory->release(world, queue->batch);
    world->memory->release(world, queue->wheel);
}
