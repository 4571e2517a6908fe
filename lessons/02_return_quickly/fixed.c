/*
 * A server whose greeting takes three seconds to make. connection_made must return quickly: it lets a worker make the
 * greeting and promises to send it later, so that the others are served meanwhile. Every byte is echoed.
 *
 * usage: PROGRAM [PORT]
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static struct solo_reactor *reactor;

static SOLO_POOL_ONLY struct solo_result make_greeting(void *arg)
{
    (void)arg;
    solo_sleep(3 * SECOND);
    return solo_value("welcome\n");
}

static SOLO_REACTOR_ONLY struct solo_result send_greeting(struct solo_result result, void *arg)
{
    struct solo_transport *transport = arg;
    const char *greeting = result.value;
    enum solo_transport_state state;
    if (solo_transport_get_state(transport, &state) == 0 &&
        state == SOLO_TRANSPORT_OPEN) { /* they may have left meanwhile */
        (void)solo_transport_write(transport, greeting, strlen(greeting));
    }
    (void)solo_transport_unref(transport);
    return solo_value(NULL);
}

static SOLO_REACTOR_ONLY struct solo_result no_greeting(struct solo_result result, void *arg)
{
    (void)result;
    (void)solo_transport_unref(arg);
    return solo_value(NULL);
}

static SOLO_REACTOR_ONLY void connection_made(struct solo_protocol *protocol)
{
    struct solo_deferred *greeting;
    if (solo_defer_to_thread(reactor, make_greeting, NULL, &greeting) == 0) {
        (void)solo_transport_ref(protocol->transport);
        (void)solo_deferred_add(greeting, send_greeting, no_greeting, protocol->transport);
        (void)solo_deferred_release(greeting);
    }
}

static SOLO_REACTOR_ONLY void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    if (solo_transport_write(protocol->transport, data, size) == 0) {
        solo_happened("echoed");
    }
}

static SOLO_REACTOR_ONLY void connection_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
}

static const struct solo_protocol_ops echo_ops = {connection_made, data_received, connection_lost};

static SOLO_REACTOR_ONLY struct solo_protocol *build_echo(struct solo_factory *factory)
{
    struct solo_protocol *protocol = calloc(1, sizeof *protocol);
    (void)factory;
    if (protocol != NULL) {
        protocol->ops = &echo_ops;
    }
    return protocol;
}

SOLO_SET_UP int main(int argc, char **argv)
{
    static struct solo_factory factory = {.build_protocol = build_echo};
    solo_must_happen("echoed", 2);
    if (solo_reactor_create(NULL, &reactor) < 0 ||
        solo_reactor_listen_tcp(reactor, argc > 1 ? (uint16_t)atoi(argv[1]) : 8007, &factory, NULL) < 0) {
        fprintf(stderr, "cannot listen\n");
        return 1;
    }
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
