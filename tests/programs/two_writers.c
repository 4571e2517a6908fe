/*
 * two_writers.c - a server that greets each client twice: once from the reactor and once, wrongly, from a pool worker.
 *
 * "locked" puts a lock around both calls: then they are no data race, and still a call on the wrong thread. "unlocked"
 * does not. Guarded calls are refused unless the policy is `report`.
 *
 * usage: PROGRAM locked|unlocked [PORT]      one client is served, then the server stops
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct solo_reactor *reactor;
static struct solo_mutex *mutex; /* NULL: no lock */
static struct solo_transport *client;
static unsigned left; /* greetings that are not over; on the reactor thread */

static void greet(const char *text)
{
    if (mutex != NULL) {
        (void)solo_mutex_lock(mutex);
    }
    (void)solo_transport_write(client, text, strlen(text));
    if (mutex != NULL) {
        (void)solo_mutex_unlock(mutex);
    }
}

static void greet_from_worker(void *arg)
{
    (void)arg;
    greet("hello\n");
}

static SOLO_REACTOR_ONLY void greet_from_reactor(void *arg)
{
    (void)arg;
    greet("hello\n");
}

static SOLO_REACTOR_ONLY void greeted(int status, void *arg)
{
    (void)status;
    (void)arg;
    if (--left == 0) {
        (void)solo_transport_lose_connection(client);
    }
}

static SOLO_REACTOR_ONLY void connection_made(struct solo_protocol *protocol)
{
    client = protocol->transport;
    left = 2;
    (void)solo_reactor_call_in_thread(reactor, greet_from_worker, NULL, greeted);
    (void)solo_reactor_call_from_thread(reactor, greet_from_reactor, NULL, greeted);
}

static SOLO_REACTOR_ONLY void connection_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
    (void)solo_reactor_stop(reactor);
}

static const struct solo_protocol_ops ops = {connection_made, NULL, connection_lost};

static SOLO_REACTOR_ONLY struct solo_protocol *build_protocol(struct solo_factory *factory)
{
    struct solo_protocol *protocol = calloc(1, sizeof *protocol);
    (void)factory;
    if (protocol != NULL) {
        protocol->ops = &ops;
    }
    return protocol;
}

SOLO_SET_UP int main(int argc, char **argv)
{
    static struct solo_factory factory = {.build_protocol = build_protocol};
    uint16_t number = argc > 2 ? (uint16_t)atoi(argv[2]) : 8007;
    struct solo_port *port;
    if (argc < 2 || (strcmp(argv[1], "locked") == 0 && solo_mutex_create(&mutex) < 0) ||
        solo_reactor_create(NULL, &reactor) < 0 || solo_reactor_listen_tcp(reactor, number, &factory, &port) < 0 ||
        solo_port_get_number(port, &number) < 0) {
        return 3;
    }
    printf("listening on port %u\n", number);
    fflush(stdout);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    return 0;
}
