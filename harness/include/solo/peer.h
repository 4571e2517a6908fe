/*
 * peer.h - peer scripts: the clients of a server under test.
 *
 * A peer script is text, one command a line; '#' begins a comment. The same script plays in both worlds: in world sim
 * each peer is a virtual thread on the virtual network, in world os a thread with a real socket on the loopback
 * interface.
 *
 *     peer NAME           a peer begins; the lines up to the next `peer` are its own
 *     connect PORT        waits until somebody listens there, and connects
 *     send "TEXT"         with C escapes: \n \r \t \0 \\ \" \xHH
 *     expect "TEXT"       waits until exactly this text has arrived next
 *     await "TEXT"        waits until this text has arrived, whatever comes before it
 *     expect-close        waits until the other side has closed, and nothing came before that
 *     await-close         the same, whatever came before that
 *     close               closes the connection
 *     abort               closes it with a reset
 *     close-write         ends what it sends; what the other side sends can still be expected
 *     signal NAME         sends the program a signal: INT, TERM, CHLD, HUP, USR1, USR2 or a number
 *     wait MS             lets so much world time pass, in milliseconds
 *     repeat N ... end    plays the lines in between N times; may be nested
 *
 * After its last line a peer closes its connection. A peer that waits for a server or for bytes is idle: a simulation
 * comes to rest around it, and what it still waits for is then unmet (SOLO013). A script that cannot go right, such
 * as one that sends before it connects, is refused when it is read.
 */
#ifndef SOLO_PEER_H
#define SOLO_PEER_H

#include <solo/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_peers;

enum {
    SOLO_PEERS_MAX = 64,         /* peers of one script */
    SOLO_PEER_LINES_MAX = 10000, /* lines of one script */
    SOLO_PEER_NAME_MAX = 32,
    SOLO_PEER_TEXT_MAX = 4096, /* bytes of one text */
    SOLO_PEER_REPEAT_MAX = 1000000,
    SOLO_PEER_NESTING_MAX = 8,
    SOLO_PEER_WHY_MAX = 256,
};

/*
 * Reads a script. -EINVAL: "FILE:LINE: what is wrong" is in `why`. -ENOENT, -EACCES, ...: it cannot be read, and
 * `why` says so. -ENOMEM. It lives until solo_peers_free.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_peers_load(const char *path, struct solo_peers **ret_peers,
                                                char why[SOLO_PEER_WHY_MAX]);

/* As load, from `size` bytes of text; `path` is only for messages. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_peers_parse(const char *path, const char *text, size_t size,
                                                 struct solo_peers **ret_peers, char why[SOLO_PEER_WHY_MAX]);

/* Accepts NULL. Not while peers are playing: join them, or let the simulation's run end, first. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_peers_free(struct solo_peers *peers);

struct solo_peers_options {
    uint16_t port;        /* not 0: connect there, whatever port the script says; for servers that chose a free port */
    int port_shift;       /* added to every port of the script */
    uint64_t patience_ns; /* how long one line may wait, world time; 0: for ever */
};

/*
 * Starts every peer in the caller's world, each from its first line, and forgets what they did before. `options` may
 * be NULL. One script plays once at a time. -EINVAL, -EAGAIN (no more threads; those that started play on).
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_peers_start(struct solo_peers *peers, const struct solo_peers_options *options);

/*
 * World os: waits until every peer has finished or failed, and releases their threads. In world sim it returns at
 * once.
 */
SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_peers_join(struct solo_peers *peers);

enum solo_peer_state {
    SOLO_PEER_PLAYING = 0, /* or waiting for what is still to come */
    SOLO_PEER_FINISHED,    /* played to its end */
    SOLO_PEER_FAILED,      /* got something else than it expected */
};

struct solo_peer_status {
    const char *name; /* as long as the script */
    enum solo_peer_state state;
    unsigned line;                /* where it is, or failed; 0: not started */
    char text[SOLO_PEER_WHY_MAX]; /* "" if finished, else one sentence: what is unmet */
};

/* How many peers the script has. */
SOLO_ANY_THREAD SOLO_PUBLIC size_t solo_peers_count(const struct solo_peers *peers);

/* The status of peer `index`. -ENOENT past the last one. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_peers_status(const struct solo_peers *peers, size_t index,
                                                  struct solo_peer_status *ret_status);

/* Whether all of them have finished; if not, *ret_unmet (may be NULL) is the first that has not. */
SOLO_ANY_THREAD SOLO_PUBLIC bool solo_peers_finished(const struct solo_peers *peers,
                                                     struct solo_peer_status *ret_unmet);

#ifdef __cplusplus
}
#endif
#endif
