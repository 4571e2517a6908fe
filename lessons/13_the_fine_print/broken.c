/*
 * The example of the old manual, read literally. It begins with an init call that is said to make things thread-safe,
 * and its call_from_thread hands over one argument to a function that takes two: the message comes along, the protocol
 * does not.
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct delivery {
    struct solo_protocol *some_protocol;
    const char *message;
};

static struct solo_reactor *reactor;

/* Once it switched locks on; for a long time it has done nothing. No init call changes which thread may do what. */
static void threadable_init(void) {}

static SOLO_REACTOR_ONLY void not_thread_safe(void *arg)
{
    struct delivery *delivery = arg;
    struct solo_transport *transport = delivery->some_protocol != NULL ? delivery->some_protocol->transport : NULL;
    if (solo_transport_write(transport, delivery->message, strlen(delivery->message)) == 0) {
        solo_happened("message written");
    }
}

static SOLO_REACTOR_ONLY void delivered(int status, void *arg)
{
    (void)status;
    free(arg);
}

/* May be called from whatever thread you want. */
static void call_from_whatever_thread_you_want(void *arg)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);
    (void)arg;
    if (delivery == NULL) {
        return;
    }
    delivery->message = "a message: hello\n";
    if (solo_reactor_call_from_thread(reactor, not_thread_safe, delivery, delivered) < 0) {
        free(delivery);
    }
}

static SOLO_REACTOR_ONLY void connection_made(struct solo_protocol *protocol)
{
    (void)solo_reactor_call_in_thread(reactor, call_from_whatever_thread_you_want, protocol, NULL);
}

static const struct solo_protocol_ops ops = {connection_made, NULL, NULL};

static SOLO_REACTOR_ONLY struct solo_protocol *build_protocol(struct solo_factory *factory)
{
    static struct solo_protocol only = {&ops, NULL}; /* one client is enough for this lesson */
    (void)factory;
    return only.transport == NULL ? &only : NULL;
}

SOLO_SET_UP int main(int argc, char **argv)
{
    static struct solo_factory factory = {.build_protocol = build_protocol};
    threadable_init();
    solo_must_happen("message written", 1);
    if (solo_reactor_create(NULL, &reactor) < 0 ||
        solo_reactor_listen_tcp(reactor, argc > 1 ? (uint16_t)atoi(argv[1]) : 8007, &factory, NULL) < 0) {
        fprintf(stderr, "cannot listen\n");
        return 1;
    }
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
