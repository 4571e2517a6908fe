/* sim_pipe.h - bytes on their way to one end of a simulated stream. */
#ifndef SOLO__SIM_PIPE_H
#define SOLO__SIM_PIPE_H

#include "core.h"

enum {
    SIM_PIPE_FIRST = 512,     /* a power of two */
    SIM_PIPE_MAX = 64 * 1024, /* bytes that one direction holds */
    SIM_PIPE_SIZES = 8,       /* from SIM_PIPE_FIRST to SIM_PIPE_MAX, doubling */
};

/* Zeroed is empty. */
struct sim_pipe {
    char *data;        /* a ring of `capacity`, a power of two; NULL until the first byte */
    uint32_t capacity; /* grows with what is in it; a large one is given back when it is empty */
    uint32_t start, count;
};

/* Rings of pipes that have ended, by size; the arena itself gives nothing back. Zeroed is empty. */
struct sim_rings {
    void *spare[SIM_PIPE_SIZES]; /* linked by their first word */
};

/* A ring of `capacity` bytes, a power of two from SIM_PIPE_FIRST to SIM_PIPE_MAX; NULL without memory. */
char *sim__ring_take(struct sim_rings *rings, struct core *core, uint32_t capacity);
void sim__ring_give_back(struct sim_rings *rings, char *ring, uint32_t capacity);

/* Puts in as much as fits, and as there is memory for; returns how much that was. */
uint32_t sim__pipe_put(struct sim_rings *rings, struct core *core, struct sim_pipe *pipe, const char *data,
                       size_t size);

/* Takes `size` bytes out; they are there. */
void sim__pipe_take(struct sim_rings *rings, struct sim_pipe *pipe, char *to, uint32_t size);

/* Empties it and gives its ring back. */
void sim__pipe_free(struct sim_rings *rings, struct sim_pipe *pipe);

#endif
