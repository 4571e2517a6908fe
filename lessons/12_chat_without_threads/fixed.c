/*
 * A chat server with no thread and no lock in it. The reactor calls build_client for each connection and data_received
 * for each piece that arrives; every function returns quickly, and all of them run on one thread.
 *
 * usage: PROGRAM [PORT]      "/shutdown" from any client stops the server
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_SIZE = 256 };

struct chat;

struct client {
    struct solo_protocol protocol; /* first: the reactor hands this back to us */
    struct chat *chat;
    struct client *next;
    char line[LINE_MAX_SIZE]; /* the line that is arriving */
    size_t used;
};

struct chat {
    struct solo_factory factory; /* first, for the same reason */
    struct solo_reactor *reactor;
    struct client *clients;
};

static SOLO_REACTOR_ONLY void say_to_others(struct client *client, const char *line)
{
    char message[LINE_MAX_SIZE + 2];
    int size = snprintf(message, sizeof message, "%s\n", line);
    for (struct client *other = client->chat->clients; other != NULL; other = other->next) {
        if (other != client) {
            if (solo_transport_write(other->protocol.transport, message, (size_t)size) == 0) {
                solo_happened("line passed on");
            }
        }
    }
}

/* Somebody has come: everybody is told how many are here now. */
static SOLO_REACTOR_ONLY void connection_made(struct solo_protocol *protocol)
{
    struct client *client = (struct client *)protocol;
    char line[64];
    int people = 0;
    for (struct client *other = client->chat->clients; other != NULL; other = other->next) {
        people++;
    }
    int size = snprintf(line, sizeof line, "* %d people are here\n", people);
    for (struct client *other = client->chat->clients; other != NULL; other = other->next) {
        if (other->protocol.transport != NULL) {
            (void)solo_transport_write(other->protocol.transport, line, (size_t)size);
        }
    }
}

static SOLO_REACTOR_ONLY void line_received(struct client *client, const char *line)
{
    if (strcmp(line, "/shutdown") == 0) {
        (void)solo_reactor_stop(client->chat->reactor);
    } else {
        say_to_others(client, line);
    }
}

static SOLO_REACTOR_ONLY void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct client *client = (struct client *)protocol;
    const char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || client->used == sizeof client->line - 1) {
            client->line[client->used] = '\0';
            client->used = 0;
            line_received(client, client->line);
        } else {
            client->line[client->used++] = bytes[i];
        }
    }
}

static SOLO_REACTOR_ONLY void connection_lost(struct solo_protocol *protocol, int reason)
{
    struct client *client = (struct client *)protocol;
    (void)reason;
    for (struct client **at = &client->chat->clients; *at != NULL; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            break;
        }
    }
    free(client);
}

static const struct solo_protocol_ops client_ops = {connection_made, data_received, connection_lost};

static SOLO_REACTOR_ONLY struct solo_protocol *build_client(struct solo_factory *factory)
{
    struct chat *chat = (struct chat *)factory;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    client->protocol.ops = &client_ops;
    client->chat = chat;
    client->next = chat->clients;
    chat->clients = client;
    return &client->protocol;
}

SOLO_SET_UP int main(int argc, char **argv)
{
    static struct chat chat = {.factory = {.build_protocol = build_client}};
    struct solo_port *port;
    uint16_t number = argc > 1 ? (uint16_t)atoi(argv[1]) : 8007;

    solo_must_happen("line passed on", 1);
    if (solo_reactor_create(NULL, &chat.reactor) < 0) {
        return 1;
    }
    int error = solo_reactor_listen_tcp(chat.reactor, number, &chat.factory, &port);
    if (error < 0) {
        fprintf(stderr, "cannot listen on port %u: %s\n", number, solo_error_text(error));
        return 1;
    }
    (void)solo_port_get_number(port, &number);
    printf("chat: listening on port %u\n", number);
    fflush(stdout);
    error = solo_reactor_run(chat.reactor);
    (void)solo_reactor_destroy(chat.reactor);
    return error < 0;
}
