/* sim_pipe.c - a ring of bytes that grows with what is in it, so that an idle connection costs next to nothing. */
#include "sim_pipe.h"
#include <string.h>

static unsigned size_class(uint32_t capacity)
{
    return (unsigned)__builtin_ctz(capacity / SIM_PIPE_FIRST);
}

char *sim__ring_take(struct sim_rings *rings, struct core *core, uint32_t capacity)
{
    void **spare = &rings->spare[size_class(capacity)];
    char *ring = *spare;
    if (ring == NULL) {
        return core_allocate(core, capacity);
    }
    memcpy(spare, ring, sizeof *spare);
    return ring;
}

void sim__ring_give_back(struct sim_rings *rings, char *ring, uint32_t capacity)
{
    void **spare = &rings->spare[size_class(capacity)];
    memcpy(ring, spare, sizeof *spare);
    *spare = ring;
}

/* Copies the next `size` bytes, without taking them out. */
static void copy_out(const struct sim_pipe *pipe, char *to, uint32_t size)
{
    uint32_t until_end = pipe->capacity - pipe->start;
    uint32_t first = size < until_end ? size : until_end;
    memcpy(to, pipe->data + pipe->start, first);
    memcpy(to + first, pipe->data, size - first);
}

/* Makes the ring hold `wanted` bytes in all, or SIM_PIPE_MAX, if memory can be had. */
static void grow(struct sim_rings *rings, struct core *core, struct sim_pipe *pipe, size_t wanted)
{
    uint32_t capacity = pipe->capacity > 0 ? pipe->capacity : SIM_PIPE_FIRST;
    while (capacity < wanted && capacity < SIM_PIPE_MAX) {
        capacity *= 2;
    }
    if (capacity == pipe->capacity) {
        return;
    }
    char *data = sim__ring_take(rings, core, capacity);
    if (data == NULL) {
        return;
    }
    if (pipe->data != NULL) {
        copy_out(pipe, data, pipe->count);
        sim__ring_give_back(rings, pipe->data, pipe->capacity);
    }
    pipe->data = data;
    pipe->capacity = capacity;
    pipe->start = 0;
}

uint32_t sim__pipe_put(struct sim_rings *rings, struct core *core, struct sim_pipe *pipe, const char *data, size_t size)
{
    if (size > pipe->capacity - pipe->count) {
        grow(rings, core, pipe, pipe->count + size);
    }
    uint32_t room = pipe->capacity - pipe->count;
    uint32_t put = size < room ? (uint32_t)size : room;
    if (put == 0) {
        return 0;
    }
    uint32_t end = (pipe->start + pipe->count) & (pipe->capacity - 1);
    uint32_t first = put < pipe->capacity - end ? put : pipe->capacity - end;
    memcpy(pipe->data + end, data, first);
    memcpy(pipe->data, data + first, put - first);
    pipe->count += put;
    return put;
}

void sim__pipe_take(struct sim_rings *rings, struct sim_pipe *pipe, char *to, uint32_t size)
{
    copy_out(pipe, to, size);
    pipe->start = (pipe->start + size) & (pipe->capacity - 1);
    pipe->count -= size;
    if (pipe->count == 0 && pipe->capacity > SIM_PIPE_FIRST) {
        sim__pipe_free(rings, pipe);
    }
}

void sim__pipe_free(struct sim_rings *rings, struct sim_pipe *pipe)
{
    if (pipe->data != NULL) {
        sim__ring_give_back(rings, pipe->data, pipe->capacity);
    }
    memset(pipe, 0, sizeof *pipe);
}
