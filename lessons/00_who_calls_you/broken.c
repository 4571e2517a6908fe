/*
 * The smallest server: a protocol and a factory on port 8007. You call none of your own code. Every time somebody
 * connects, the reactor asks the factory for a protocol; every time some data comes, it calls that protocol's
 * data_received, with a piece of any size. Each complete line is answered.
 *
 * usage: PROGRAM [PORT]
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[64]; /* the line that is arriving */
static size_t used;

static SOLO_REACTOR_ONLY void answer(struct solo_protocol *protocol, const char *what)
{
    char text[80];
    int size = snprintf(text, sizeof text, "you said %s\n", what);
    if (solo_transport_write(protocol->transport, text, (size_t)size) == 0) {
        solo_happened("line answered");
    }
}

/* Some data has come: a whole line, half of one, or two and a half. */
static SOLO_REACTOR_ONLY void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    const char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || used == sizeof line - 1) {
            line[used] = '\0';
            used = 0;
            answer(protocol, line);
        } else {
            line[used++] = bytes[i];
        }
    }
}

static SOLO_REACTOR_ONLY void connection_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
}

static const struct solo_protocol_ops my_ops = {NULL, data_received, connection_lost};

static SOLO_REACTOR_ONLY struct solo_protocol *build_protocol(struct solo_factory *factory)
{
    struct solo_protocol *mine = calloc(1, sizeof *mine);
    (void)factory;
    if (mine != NULL) {
        mine->ops = &my_ops;
    }
    return mine;
}

SOLO_SET_UP int main(int argc, char **argv)
{
    static struct solo_factory factory = {.build_protocol = build_protocol};
    struct solo_reactor *reactor;
    solo_must_happen("line answered", 2);
    if (solo_reactor_create(NULL, &reactor) < 0 ||
        solo_reactor_listen_tcp(reactor, argc > 1 ? (uint16_t)atoi(argv[1]) : 8007, &factory, NULL) < 0) {
        fprintf(stderr, "cannot listen\n");
        return 1;
    }
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
