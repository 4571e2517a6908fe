/*
 * The smallest server: a protocol and a factory on port 8007. You call none of your own code. Every time somebody
 * connects, the reactor asks the factory for a protocol; every time some data comes, it calls that protocol's
 * data_received, with a piece of any size. What belongs to one connection is kept in its own protocol. Each complete
 * line is answered.
 *
 * usage: PROGRAM [PORT]
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct my_protocol {
    struct solo_protocol protocol; /* first: the reactor hands this back to us */
    char line[64];                 /* the line that is arriving on this connection */
    size_t used;
};

static SOLO_REACTOR_ONLY void answer(struct solo_protocol *protocol, const char *line)
{
    char text[80];
    int size = snprintf(text, sizeof text, "you said %s\n", line);
    if (solo_transport_write(protocol->transport, text, (size_t)size) == 0) {
        solo_happened("line answered");
    }
}

/* Some data has come: a whole line, half of one, or two and a half. */
static SOLO_REACTOR_ONLY void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct my_protocol *mine = (struct my_protocol *)protocol;
    const char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || mine->used == sizeof mine->line - 1) {
            mine->line[mine->used] = '\0';
            mine->used = 0;
            answer(protocol, mine->line);
        } else {
            mine->line[mine->used++] = bytes[i];
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
    struct my_protocol *mine = calloc(1, sizeof *mine);
    (void)factory;
    if (mine == NULL) {
        return NULL;
    }
    mine->protocol.ops = &my_ops;
    return &mine->protocol;
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
