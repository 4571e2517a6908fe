/*
 * A chat server that wants to serve everybody at once: each line is passed on by a pool worker, and a lock keeps the
 * list of clients safe from the workers and the reactor.
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
    struct solo_mutex *lock; /* guards the list of clients */
    struct client *clients;
};

/* A line on its way from one client to the others. */
struct message {
    struct chat *chat;
    const struct client *from;
    char text[LINE_MAX_SIZE + 2];
};

static SOLO_POOL_ONLY void pass_on(void *arg)
{
    struct message *message = arg;
    (void)solo_mutex_lock(message->chat->lock);
    for (struct client *other = message->chat->clients; other != NULL; other = other->next) {
        if (other != message->from) {
            if (solo_transport_write(other->protocol.transport, message->text, strlen(message->text)) == 0) {
                solo_happened("line passed on");
            }
        }
    }
    (void)solo_mutex_unlock(message->chat->lock);
}

static SOLO_REACTOR_ONLY void message_free(int status, void *arg)
{
    (void)status;
    free(arg);
}

static SOLO_REACTOR_ONLY void say_to_others(struct client *client, const char *line)
{
    struct message *message = calloc(1, sizeof *message);
    if (message == NULL) {
        return;
    }
    message->chat = client->chat;
    message->from = client;
    snprintf(message->text, sizeof message->text, "%s\n", line);
    if (solo_reactor_call_in_thread(client->chat->reactor, pass_on, message, message_free) < 0) {
        free(message);
    }
}

/* Somebody has come: everybody is told how many are here now. */
static SOLO_REACTOR_ONLY void connection_made(struct solo_protocol *protocol)
{
    struct client *client = (struct client *)protocol;
    char line[64];
    int people = 0;
    (void)solo_mutex_lock(client->chat->lock);
    for (struct client *other = client->chat->clients; other != NULL; other = other->next) {
        people++;
    }
    snprintf(line, sizeof line, "* %d people are here", people);
    (void)solo_mutex_unlock(client->chat->lock);
    (void)solo_transport_write(protocol->transport, line, strlen(line));
    say_to_others(client, line);
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
    (void)solo_mutex_lock(client->chat->lock);
    for (struct client **at = &client->chat->clients; *at != NULL; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            break;
        }
    }
    (void)solo_mutex_unlock(client->chat->lock);
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
    (void)solo_mutex_lock(chat->lock);
    client->next = chat->clients;
    chat->clients = client;
    (void)solo_mutex_unlock(chat->lock);
    return &client->protocol;
}

SOLO_SET_UP int main(int argc, char **argv)
{
    static struct chat chat = {.factory = {.build_protocol = build_client}};
    struct solo_port *port;
    uint16_t number = argc > 1 ? (uint16_t)atoi(argv[1]) : 8007;

    solo_must_happen("line passed on", 1);
    if (solo_mutex_create(&chat.lock) < 0 || solo_reactor_create(NULL, &chat.reactor) < 0) {
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
