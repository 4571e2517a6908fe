/*
 * program_protocol.h - what the explorer and the fork server in a program say to each other.
 *
 * One sequenced-packet socket. The server says HELLO; the explorer answers with the descriptors of region, output and
 * (for a person who steps) questions; the server says READY or REFUSED. Then each RUN is one schedule, as
 * region->request says, and is answered with DONE. GO_ON is any number of them, up to one for which the server does
 * not account by itself. Either side ends it by closing.
 */
#ifndef SOLO__PROGRAM_PROTOCOL_H
#define SOLO__PROGRAM_PROTOCOL_H

#include <stdint.h>
#include <sys/types.h>

enum solo__message_kind {
    SOLO__HELLO = 1,
    SOLO__SETUP,
    SOLO__READY,
    SOLO__REFUSED,
    SOLO__RUN,
    SOLO__GO_ON,
    SOLO__DONE
};

struct solo__message {
    uint64_t magic; /* SOLO__REGION_MAGIC */
    uint32_t kind;
    int32_t result; /* of HELLO: -ENOTSUP if the program has a race detector that does not hear of libsolo's order */
    uint32_t accounted; /* of DONE: nothing is left to account for */
    char text[256];     /* the program's name, of HELLO; why, of REFUSED */
};

enum { SOLO__FDS = 3 }; /* region, output, questions; the last two may be missing */

/* Sends a message, with descriptors if fds is not NULL (-1 in it: not given). 0 or a negative errno. */
int solo__message_send(int fd, const struct solo__message *message, const int *fds);

/* Receives one; -EPROTO at the end or if it is not one of ours. fds may be NULL; filled with -1 where none came. */
int solo__message_receive(int fd, struct solo__message *ret_message, int *ret_fds);

#endif
