/*
 * reconnector.h - a client that connects again, later and later, until it is told to stop.
 *
 * Each attempt is a connector of its own (transport.h). When it fails, or its connection is lost, the next one is made
 * after a delay that grows from failure to failure and is scattered at random, so that a thousand clients of a server
 * that restarts do not all come back in the same second. A connection that was made sets the delay back.
 *
 * Source of the idea: Twisted's ReconnectingClientFactory; the defaults are its.
 */
#ifndef SOLO_RECONNECTOR_H
#define SOLO_RECONNECTOR_H

#include <solo/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reconnector;

/* A field that is 0 stands for its default. */
struct solo_reconnect_options {
    uint64_t delay_ns;       /* before the second attempt; default 1 s */
    uint64_t delay_max_ns;   /* default 1 hour */
    unsigned growth_percent; /* of the delay with each failure, at least 100; default 272 */
    unsigned jitter_percent; /* how far the delay may be off in either direction, at most 100; default 12 */
    bool exact;              /* no jitter at all */
    unsigned failures_max;   /* attempts that may fail in a row; default: no limit */
    uint64_t timeout_ns;     /* of one attempt; default: the network's own patience */
};

/*
 * Begins to connect to `remote`. For each attempt that fails the factory's connection_failed is called, for each
 * connection build_protocol; stopped comes last and once: when it was stopped, when the limit of failures is reached,
 * when there is no memory for another attempt (after connection_failed(-ENOMEM)), or when the reactor ends. `options`
 * may be NULL and is not kept. ret_reconnector may be NULL; it lives until stopped. -EINVAL, -ENOMEM, SOLO_ECLOSING.
 * Runs: the factory's functions on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_connect_retrying(struct solo_reactor *reactor,
                                                                const struct solo_address *remote,
                                                                const struct solo_reconnect_options *options,
                                                                struct solo_factory *factory,
                                                                struct solo_reconnector **ret_reconnector);

/* How many attempts have failed since the last connection, and the delay before the next one, without its jitter. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reconnector_get_failures(struct solo_reconnector *reconnector,
                                                                unsigned *ret_failures, uint64_t *ret_delay_ns);

/*
 * No more attempts: gives up the one under way, or loses the connection; the factory's stopped is called in a later
 * pass. Calling it again before that is fine. SOLO_ECLOSED: it has ended.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reconnector_stop(struct solo_reconnector *reconnector);

#ifdef __cplusplus
}
#endif
#endif
