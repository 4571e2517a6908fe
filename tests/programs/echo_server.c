/*
 * echo_server.c - echoes what its clients send, line by line, and stops after one of them has said "stop". With the
 * argument "mute" it forgets to answer the second line of a connection; with "thread" a thread of its own writes to the
 * first client.
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct echo {
    struct solo_protocol protocol; /* first, as the kit asks */
    unsigned messages;
    char message[64]; /* begun and not yet ended by a newline */
    size_t size;
};

static struct solo_reactor *reactor;
static struct solo_port *port;
static bool mute, from_thread;
static struct solo_thread *writer;
static struct solo_transport *first_client;
static int write_result;

static void write_now(void *arg)
{
    int *result = arg;
    *result = solo_transport_write(first_client, "hello\n", 6);
}

static void connection_made(struct solo_protocol *protocol)
{
    if (from_thread && writer == NULL) {
        first_client = protocol->transport;
        solo_transport_ref(first_client);
        solo_thread_create(write_now, &write_result, &writer);
    }
}

static void message_received(struct echo *echo)
{
    echo->messages++;
    if (echo->size == 5 && memcmp(echo->message, "stop\n", 5) == 0) {
        solo_reactor_stop(reactor);
    } else if (!mute || echo->messages != 2) {
        solo_transport_write(echo->protocol.transport, echo->message, echo->size);
    }
}

static void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct echo *echo = (struct echo *)protocol;
    const char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        echo->message[echo->size++] = bytes[i];
        if (bytes[i] == '\n' || echo->size == sizeof echo->message) {
            message_received(echo);
            echo->size = 0;
        }
    }
}

static void connection_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
}

static const struct solo_protocol_ops ops = {connection_made, data_received, connection_lost};

static struct solo_protocol *build(struct solo_factory *factory)
{
    struct echo *echo = calloc(1, sizeof *echo);
    (void)factory;
    echo->protocol.ops = &ops;
    return &echo->protocol;
}

int main(int argc, char **argv)
{
    static struct solo_factory factory = {.build_protocol = build};
    mute = argc > 1 && strcmp(argv[1], "mute") == 0;
    from_thread = argc > 1 && strcmp(argv[1], "thread") == 0;
    if (solo_reactor_create(NULL, &reactor) < 0 || solo_reactor_listen_tcp(reactor, 8007, &factory, &port) < 0) {
        return 1;
    }
    solo_reactor_run(reactor);
    if (writer != NULL) {
        solo_thread_join(writer);
        solo_transport_unref(first_client);
    }
    solo_reactor_destroy(reactor);
    return 0;
}
