/*
 * A chat server with a slow directory. Every line a client sends goes to the other clients. "/whois NAME" asks a
 * directory that blocks, so the question goes to a pool worker, and the answer comes back to the client who asked.
 *
 * usage: PROGRAM [PORT]      "/shutdown" from any client stops the server
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_SIZE = 256, DIRECTORY_NS = 50 * 1000 * 1000 };

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

/* One question to the directory: it owns its text and a reference to the client's transport. */
struct question {
    struct solo_reactor *reactor;
    struct solo_transport *transport;
    char name[LINE_MAX_SIZE];
    char answer[LINE_MAX_SIZE + 32];
};

static void question_free(int status, void *arg)
{
    struct question *question = arg;
    (void)status;
    (void)solo_transport_unref(question->transport);
    free(question);
}

/* Runs on a pool worker, because the directory blocks. */
static SOLO_POOL_ONLY void ask_directory(void *arg)
{
    struct question *question = arg;
    solo_sleep(DIRECTORY_NS);
    snprintf(question->answer, sizeof question->answer, "* %.200s is in room %zu\n", question->name,
             strlen(question->name));
    if (solo_transport_write(question->transport, question->answer, strlen(question->answer)) == 0) {
        solo_happened("answer given");
    }
}

static SOLO_REACTOR_ONLY void whois(struct client *client, const char *name)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        return;
    }
    question->reactor = client->chat->reactor;
    question->transport = client->protocol.transport;
    snprintf(question->name, sizeof question->name, "%s", name);
    (void)solo_transport_ref(question->transport);
    if (solo_reactor_call_in_thread(question->reactor, ask_directory, question, question_free) < 0) {
        question_free(SOLO_ECLOSING, question);
    }
}

static SOLO_REACTOR_ONLY void say_to_others(struct client *client, const char *line)
{
    char message[LINE_MAX_SIZE + 2];
    int size = snprintf(message, sizeof message, "%s\n", line);
    for (struct client *other = client->chat->clients; other != NULL; other = other->next) {
        if (other != client) {
            (void)solo_transport_write(other->protocol.transport, message, (size_t)size);
        }
    }
}

static SOLO_REACTOR_ONLY void line_received(struct client *client, const char *line)
{
    if (strncmp(line, "/whois ", 7) == 0) {
        whois(client, line + 7);
    } else if (strcmp(line, "/shutdown") == 0) {
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

static const struct solo_protocol_ops client_ops = {NULL, data_received, connection_lost};

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

    solo_must_happen("answer given", 1);
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
