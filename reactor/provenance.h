/*
 * provenance.h - who queued a piece of work, and from where.
 *
 * Kept inside every queued callback. In world sim, and under `solo run`, up to SOLO__FRAMES frames found by walking
 * frame pointers (about 10 ns); otherwise the one return address of the public call.
 */
#ifndef SOLO__PROVENANCE_H
#define SOLO__PROVENANCE_H

#include <solo/violation.h>
#include <stdint.h>

enum { SOLO__FRAMES = 8 };

struct solo_thread;

struct solo__provenance {
    uint32_t object;               /* the id of the queued work itself */
    uint16_t thread;               /* number of the thread that queued it */
    uint16_t count;                /* frames kept */
    struct solo_thread *by;        /* that thread; valid while its world keeps thread objects (quarantine) */
    uint64_t frames[SOLO__FRAMES]; /* last: who keeps one only may take less memory (solo__provenance_is_full) */
};

/*
 * Fills `provenance` for work `object` queued by the caller; `frame` is __builtin_frame_address(0) of the public
 * function.
 */
void solo__provenance_take(struct solo__provenance *provenance, uint32_t object, void *frame, void *return_address);

/* Copies the caller's own stack for a violation: as solo__provenance_take, but always a full walk. */
void solo__stack_take(struct solo_stack *stack, void *frame, void *return_address);

/* Whether full frames are kept in world os too (SOLO_PROVENANCE=full, set by `solo run`). */
extern int solo__provenance_full;

#endif
