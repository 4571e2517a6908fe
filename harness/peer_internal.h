/* peer_internal.h - a peer script in memory: what the parser makes and the player plays. */
#ifndef SOLO__PEER_INTERNAL_H
#define SOLO__PEER_INTERNAL_H

#include <solo/peer.h>
#include <solo/thread.h>
#include <solo/world.h>

enum solo__peer_command {
    SOLO__PEER_CONNECT,
    SOLO__PEER_SEND,
    SOLO__PEER_EXPECT,
    SOLO__PEER_AWAIT,
    SOLO__PEER_EXPECT_CLOSE,
    SOLO__PEER_AWAIT_CLOSE,
    SOLO__PEER_CLOSE,
    SOLO__PEER_ABORT,
    SOLO__PEER_CLOSE_WRITE,
    SOLO__PEER_WAIT,
    SOLO__PEER_SIGNAL,
    SOLO__PEER_REPEAT,
    SOLO__PEER_END,
};

struct solo__peer_line {
    enum solo__peer_command command;
    unsigned line;   /* in the file */
    uint64_t number; /* port, milliseconds, signal, times; of END: index of its REPEAT; of REPEAT: times */
    char *text;      /* of SEND, EXPECT and AWAIT; owned */
    size_t size;
};

struct solo__peer {
    struct solo_peers *peers;
    char name[SOLO_PEER_NAME_MAX];
    size_t first, count; /* its lines */

    /* One play. Written by its thread; `state` last, with release. */
    struct solo_thread *thread;   /* world os, until joined */
    int state;                    /* enum solo_peer_state */
    unsigned line;                /* 0: not started */
    size_t at;                    /* index of the present line */
    size_t progress;              /* bytes of it that have arrived */
    char text[SOLO_PEER_WHY_MAX]; /* why it failed */
};

struct solo_peers {
    char *path;
    struct solo__peer_line *lines;
    size_t line_count;
    struct solo__peer peers[SOLO_PEERS_MAX];
    size_t count;
    struct solo_peers_options options;
};

/* "send", ...; for messages. */
const char *solo__peer_command_name(enum solo__peer_command command);

#endif
