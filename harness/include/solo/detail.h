/*
 * detail.h - what only the process that made a finding can say about it: names, functions and source lines.
 *
 * A violation holds addresses and numbers. The process that made it resolves them, with the world's threads and
 * objects still alive, into a solo_detail: no pointers, so it can lie beside the violation in shared memory or
 * travel through a socket. Whoever prints the report (report.h) needs nothing else.
 */
#ifndef SOLO_DETAIL_H
#define SOLO_DETAIL_H

#include <solo/probe.h>
#include <solo/violation.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SOLO_DETAIL_FRAMES_MAX = 8, /* frames kept of each stack, innermost first */
    SOLO_DETAIL_STEPS_MAX = 32, /* last events kept that a reader wants to see */
};

/* One return address in words. */
struct solo_frame_text {
    char function[64]; /* "look_up", or "chat+0x1234" where nothing better is known */
    char file[128];    /* relative to the working directory where it lies below it; "" if unknown */
    int32_t line;      /* 0 if unknown */
};

/* One event in words. */
struct solo_step_text {
    uint64_t step, now_ns, value;
    uint32_t object;
    uint16_t thread;
    uint8_t kind; /* enum solo_probe_kind */
    uint8_t access;
    char thread_name[24];
    char object_name[32];
};

struct solo_detail {
    uint32_t frame_count, owner_frame_count, queued_frame_count, step_count;
    struct solo_frame_text frames[SOLO_DETAIL_FRAMES_MAX];        /* of violation->stack */
    struct solo_frame_text owner_frames[SOLO_DETAIL_FRAMES_MAX];  /* of violation->owner_stack */
    struct solo_frame_text queued_frames[SOLO_DETAIL_FRAMES_MAX]; /* of violation->queued_stack */
    struct solo_step_text steps[SOLO_DETAIL_STEPS_MAX];           /* oldest first */
};

/*
 * Resolves a stack of this process. Frames inside the kit and the C library are left out, so that the first one is
 * the user's; a stack without any other frame is given whole. Returns how many of `frames` it filled, at most
 * `max`. The first call of a process reads debug information and takes milliseconds.
 */
SOLO_ANY_THREAD SOLO_PUBLIC size_t solo_symbolize_stack(const struct solo_stack *stack, struct solo_frame_text *frames,
                                                        size_t max);

/*
 * Fills in the detail of a violation of this process: its three stacks, and the last events up to violation->step
 * out of the ring (as in struct solo_sim_log: event n at n & (events_max - 1), events_count delivered so far;
 * events_max 0: none). Call it while the world of the run is still alive: in the violation sink, or in the ending
 * hook.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_detail_take(struct solo_detail *detail, const struct solo_violation *violation,
                                                  const struct solo_event *events, uint32_t events_max,
                                                  uint64_t events_count);

#ifdef __cplusplus
}
#endif
#endif
