/*
 * trace.h - every event of one schedule, as text.
 *
 *     solo-trace 1
 *     scenario lost-update
 *     choice-schema 2
 *     step ns thread kind object value
 *     1 0 main thread-begin thread#1 0
 *     2 0 main choice thread 1
 *     ...
 *     ending returned
 *     hash 3f0c9a5b77e01d24
 *
 * One line per event: number, virtual time, thread, kind, object, value. In a choice the object is the kind of choice
 * and the value the option taken. Values are signed: a status is a negative number, "never" is -1. Nothing in it
 * depends on addresses, flavour or carrier, so equal schedules have equal traces, byte for byte.
 *
 * With dependences each line also ends with "<- N": the last earlier event of another thread on the same object where
 * at least one of the two writes; "<- -" if there is none. Events of one thread are always ordered, so those are left
 * out.
 */
#ifndef SOLO_TRACE_H
#define SOLO_TRACE_H

#include <solo/probe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SOLO_TRACE_VERSION = 1, SOLO_TRACE_NAME_MAX = 24, SOLO_TRACE_LINE_MAX = 192 };

struct solo_trace {
    const char *scenario;
    const struct solo_event *events; /* oldest first */
    size_t count;
    uint64_t left_out;                               /* events before these that were not kept */
    const char (*thread_names)[SOLO_TRACE_NAME_MAX]; /* by thread number; "" is unknown */
    unsigned thread_count;
    int ending; /* enum solo_ending */
    uint64_t hash;
};

/* Writes the trace. -EINVAL; -EIO: the file could not be written; -ENOMEM (with dependences). */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_trace_write(FILE *to, const struct solo_trace *trace, bool with_dependences);

/* One event's line without line end into a buffer of SOLO_TRACE_LINE_MAX bytes; returns it. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_trace_line(const struct solo_trace *trace, const struct solo_event *event,
                                                        char *buffer);

/*
 * The dependent predecessor of each event, as the index + 1 in `events`, 0 if there is none, into `ret_predecessors`
 * (room for count). -EINVAL, -ENOMEM.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_trace_predecessors(const struct solo_event *events, size_t count,
                                                        uint32_t *ret_predecessors);

/* A line that was read back. */
struct solo_trace_entry {
    uint64_t step, now_ns;
    int64_t value;
    char thread[SOLO_TRACE_NAME_MAX];
    char kind[32];
    char object[64];
};

/* Reads one event line. 0; 1: a line of head or foot; -EINVAL: neither. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_trace_parse_line(const char *line, struct solo_trace_entry *ret_entry);

/* "returned", "quiet", "deadlock", "steps", "diverged", "none". */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_ending_text(int ending);

/* "thread", "waiter", "ready", ... */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_choice_kind_text(unsigned kind);

#ifdef __cplusplus
}
#endif
#endif
