/*
 * many_choices.c - a server that makes the chooser answer every kind of question: threads, bytes in pieces, several
 * ready descriptors, jobs, workers, waiters. It ends with status 1, so that each of its schedules is a finding with a
 * token.
 *
 * Used by tests/bench/replay. Play tests/programs/many_choices.peers with it.
 */
#include <solo/solo.h>
#include <stdlib.h>

enum { CLIENTS = 2, LINES = 3 };

static struct solo_reactor *reactor;
static struct solo_mutex *mutex;
static int served, gone;

static SOLO_POOL_ONLY void serve(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(mutex);
    solo_yield();
    served++;
    (void)solo_mutex_unlock(mutex);
}

static SOLO_REACTOR_ONLY void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    const char *bytes = data;
    (void)solo_transport_write(protocol->transport, data, size);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            (void)solo_reactor_call_in_thread(reactor, serve, NULL, NULL);
        }
    }
}

static SOLO_REACTOR_ONLY void connection_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
    if (++gone == CLIENTS) {
        (void)solo_reactor_stop(reactor);
    }
}

static const struct solo_protocol_ops ops = {NULL, data_received, connection_lost};

static SOLO_REACTOR_ONLY struct solo_protocol *build_protocol(struct solo_factory *factory)
{
    struct solo_protocol *protocol = calloc(1, sizeof *protocol);
    (void)factory;
    if (protocol != NULL) {
        protocol->ops = &ops;
    }
    return protocol;
}

SOLO_SET_UP int main(void)
{
    static struct solo_factory factory = {.build_protocol = build_protocol};
    if (solo_mutex_create(&mutex) < 0 || solo_reactor_create(NULL, &reactor) < 0 ||
        solo_reactor_listen_tcp(reactor, 8007, &factory, NULL) < 0) {
        return 3;
    }
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    return served == CLIENTS * LINES ? 1 : 2;
}
