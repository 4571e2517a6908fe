/*
 * watch.h - `solo run` in world os: the program runs as itself, and the harness inside it reports what it sees.
 *
 * One sequenced-packet socket. The program sends a message for each finding, complete with names and source lines,
 * and one when it ends by itself. The command sends one byte when the peers are done: then the program ends as soon
 * as it is at rest.
 */
#ifndef SOLO__WATCH_H
#define SOLO__WATCH_H

#include <solo/detail.h>
#include <solo/violation.h>
#include <stdint.h>

enum solo__watch_kind { SOLO__WATCH_HELLO = 1, SOLO__WATCH_FINDING, SOLO__WATCH_END };

struct solo__watch_message {
    uint64_t magic;
    uint32_t kind;
    uint32_t reserved;
    uint64_t base_ns;                /* world time when the program began */
    uint32_t counts[20];             /* of END: findings by id, repeats included */
    struct solo_violation violation; /* of FINDING */
    struct solo_detail detail;
};

#define SOLO__WATCH_MAGIC (UINT64_C(0x534f57) << 32 | sizeof(struct solo__watch_message))

/* The environment variable that asks for it. */
#define SOLO__WATCH_VARIABLE "SOLO_WATCH"

/* In the program, before main: from now on findings go to this socket. Returns; main runs as it would. */
void solo__watch_begin(int control_fd);

#endif
