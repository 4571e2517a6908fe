/*
 * client.c - clients of the chat, all on one machine's reactor.
 *
 * A client has one reconnector for all its life, and does something now and then (`act`): it says some lines, stops
 * reading for a while, quits in order, or is reset. It does so at whole beats, so that many do at the same time. When
 * time is up everybody quits, and stays away.
 */
#include "chat.h"
#include <solo/producer.h>
#include <solo/reconnector.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_ROOM_EACH = 5, BEATS = 128, SLOW_BEATS_MIN = BEATS / 2, SLOW_BEATS_MORE = BEATS * 3 / 2 };

struct client {
    struct solo_protocol protocol;
    struct solo_factory factory;
    struct chat_machine *machine;
    struct chat_reader reader;
    struct chat_session session;
    struct solo_reconnector *reconnector; /* NULL: it stays away */
    unsigned number, room;
    uint64_t dice;
    uint64_t said;                           /* lines, ever */
    bool connected, quitting, slow, leaving; /* leaving: for good */
    solo_delayed_call_id act, read_on;       /* 0: none */
};

struct chat_machine {
    const struct chat_options *options;
    struct solo_reactor *reactor;
    struct chat_model *model;
    struct client *clients;
    unsigned count, here; /* here: have a reconnector */
    unsigned connected;
    unsigned number;
    bool failed;
};

/* Something was wrong: whatever comes now is of no interest. */
static void stop_all(struct chat_machine *machine)
{
    machine->failed = true;
    (void)solo_reactor_stop(machine->reactor);
}

static void expect(struct client *client, bool is_right)
{
    if (!is_right && !client->machine->failed) {
        stop_all(client->machine);
    }
}

/* ---- What a client does ---- */

static uint64_t beat_ns(const struct client *client)
{
    return client->machine->options->act_ns / BEATS;
}

static bool is_talking(const struct client *client)
{
    return client->connected && client->session.joined && !client->quitting;
}

static void send_line(struct client *client, const char *text, size_t size)
{
    if (solo_transport_write(client->protocol.transport, text, size) < 0) {
        (void)solo_transport_abort_connection(client->protocol.transport);
    }
}

static void say_one(struct client *client)
{
    char text[CHAT_LINE_MAX];
    bool is_long =
        client->room % LONG_ROOM_EACH == 0 && chat_dice(&client->dice, client->machine->options->long_one_in) == 0;
    size_t words_size;
    const char *words = chat_words(client->number, client->said, is_long, &words_size);
    int start = snprintf(text, sizeof text, "say %u %llu ", client->number, (unsigned long long)client->said);
    memcpy(text + start, words, words_size);
    text[(size_t)start + words_size] = '\n';
    client->said++;
    chat_model_said(client->machine->model, client->number);
    send_line(client, text, (size_t)start + words_size + 1);
}

static void read_on(void *arg)
{
    struct client *client = arg;
    client->read_on = 0;
    if (client->slow && client->connected) {
        (void)solo_transport_resume_producing(client->protocol.transport);
    }
    client->slow = false;
}

static void read_now(struct client *client)
{
    if (client->read_on != 0) {
        (void)solo_delayed_call_cancel(client->machine->reactor, client->read_on);
        read_on(client);
    }
}

static void be_slow(struct client *client)
{
    uint64_t beats = SLOW_BEATS_MIN + chat_dice(&client->dice, SLOW_BEATS_MORE);
    if (client->slow || solo_transport_pause_producing(client->protocol.transport) < 0) {
        return;
    }
    client->slow = true;
    (void)solo_reactor_call_later(client->machine->reactor, beats * beat_ns(client), read_on, client, NULL,
                                  &client->read_on);
}

static void quit(struct client *client)
{
    client->quitting = true;
    read_now(client);
    send_line(client, "quit\n", 5);
}

static void act_later(struct client *client);

static void act(void *arg)
{
    struct client *client = arg;
    client->act = 0;
    act_later(client);
    if (!is_talking(client)) {
        return;
    }
    switch (chat_dice(&client->dice, 16)) {
    case 0: (void)solo_transport_abort_connection(client->protocol.transport); break;
    case 1: quit(client); break;
    case 2:
    case 3: be_slow(client); break;
    default:
        for (uint64_t lines = 1 + chat_dice(&client->dice, 4); lines > 0; lines--) {
            say_one(client);
        }
    }
}

static void act_later(struct client *client)
{
    uint64_t now_ns = 0;
    uint64_t delay_ns = 1 + chat_dice(&client->dice, 2 * client->machine->options->act_ns);
    (void)solo_reactor_now(client->machine->reactor, &now_ns);
    uint64_t at_ns = (now_ns + delay_ns) / beat_ns(client) * beat_ns(client) + beat_ns(client);
    (void)solo_reactor_call_later(client->machine->reactor, at_ns - now_ns, act, client, NULL, &client->act);
}

/* Time is up. */
static void leave(struct client *client)
{
    client->leaving = true;
    if (client->act != 0) {
        (void)solo_delayed_call_cancel(client->machine->reactor, client->act);
        client->act = 0;
    }
    if (is_talking(client)) {
        quit(client);
    } else if (!client->connected && client->reconnector != NULL) {
        (void)solo_reconnector_stop(client->reconnector);
    }
}

static void leave_all(void *arg)
{
    struct chat_machine *machine = arg;
    for (unsigned i = 0; i < machine->count; i++) {
        leave(&machine->clients[i]);
    }
}

/* ---- What a client hears ---- */

static bool on_line(void *arg, const char *line, size_t size)
{
    struct client *client = arg;
    struct chat_model *model = client->machine->model;
    const char *rest = line;
    uint64_t number;
    if (*line >= '0' && *line <= '9') {
        expect(client, chat_model_heard(model, &client->session, client->room, line, size));
    } else if (size > 5 && memcmp(line, "room ", 5) == 0 && (rest += 5, chat_number(&rest, &number))) {
        expect(client, chat_model_joined(model, &client->session, client->number, client->room, number));
        if (client->leaving) {
            quit(client);
        }
    } else if (size > 4 && memcmp(line, "bye ", 4) == 0 && (rest += 4, chat_number(&rest, &number))) {
        expect(client, chat_model_bye(model, &client->session, client->number, number));
    } else {
        expect(client, chat_model_heard(model, &client->session, client->room, line, size)); /* it is none */
    }
    return !client->machine->failed;
}

static void on_data(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct client *client = (struct client *)(void *)protocol; /* its first member */
    chat_read(&client->reader, data, size, on_line, client);
}

static void on_made(struct solo_protocol *protocol)
{
    struct client *client = (struct client *)(void *)protocol;
    char text[32];
    int size = snprintf(text, sizeof text, "join %u\n", client->room);
    chat_model_joins(client->machine->model, &client->session, client->room);
    send_line(client, text, (size_t)size);
}

static void on_lost(struct solo_protocol *protocol, int reason)
{
    struct client *client = (struct client *)(void *)protocol;
    if (!client->machine->failed) {
        expect(client, chat_model_lost(client->machine->model, &client->session, client->number, reason));
    }
    client->connected = false;
    client->quitting = false;
    chat_reader_end(&client->reader);
    read_now(client);
    if (client->leaving) {
        (void)solo_reconnector_stop(client->reconnector);
    }
}

static struct client *client_of(struct solo_factory *factory)
{
    return (struct client *)(void *)((char *)factory - offsetof(struct client, factory));
}

static struct solo_protocol *build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {on_made, on_data, on_lost};
    struct client *client = client_of(factory);
    client->protocol.ops = &ops;
    client->connected = true;
    return &client->protocol;
}

static void on_stopped(struct solo_factory *factory)
{
    struct client *client = client_of(factory);
    struct chat_machine *machine = client->machine;
    client->reconnector = NULL;
    if (--machine->here == 0) {
        (void)solo_reactor_stop(machine->reactor);
    }
}

/* ---- The machine ---- */

int chat_machine_create(const struct chat_options *options, unsigned number, uint64_t seed,
                        struct chat_machine **ret_machine)
{
    struct chat_machine *machine = calloc(1, sizeof *machine);
    struct client *clients = calloc(options->clients, sizeof *clients);
    struct chat_model *model = chat_model_create(options);
    if (machine == NULL || clients == NULL || model == NULL) {
        free(machine);
        free(clients);
        chat_model_free(model);
        return -ENOMEM;
    }
    *machine = (struct chat_machine){.options = options, .model = model, .clients = clients, .number = number};
    for (unsigned i = 0; i < options->clients; i++) {
        unsigned room = i % options->rooms;
        if (room % options->machines == number) {
            struct client *client = &clients[machine->count++];
            client->machine = machine;
            client->number = i;
            client->room = room;
            client->dice = (seed * options->clients + i + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
            client->factory.build_protocol = build;
            client->factory.stopped = on_stopped;
        }
    }
    *ret_machine = machine;
    return 0;
}

static void begin(struct chat_machine *machine)
{
    const struct solo_address server = {.family = SOLO_INET, .port = CHAT_PORT, .host = SOLO_LOOPBACK};
    for (unsigned i = 0; i < machine->count; i++) {
        struct client *client = &machine->clients[i];
        if (solo_reactor_connect_retrying(machine->reactor, &server, NULL, &client->factory, &client->reconnector) ==
            0) {
            machine->here++;
            act_later(client);
        }
    }
}

void chat_machine_run(struct chat_machine *machine)
{
    if (solo_reactor_create(NULL, &machine->reactor) < 0) {
        return;
    }
    begin(machine);
    if (machine->here == machine->count &&
        solo_reactor_call_later(machine->reactor, machine->options->duration_ns, leave_all, machine, NULL, NULL) == 0) {
        (void)solo_reactor_run(machine->reactor);
    }
    (void)solo_reactor_destroy(machine->reactor);
}

void chat_machine_add(const struct chat_machine *machine, struct chat_result *result)
{
    chat_model_finish(machine->model, result);
}

unsigned chat_machine_free(struct chat_machine *machine)
{
    unsigned left = machine->here;
    for (unsigned i = 0; i < machine->count; i++) {
        chat_reader_end(&machine->clients[i].reader);
    }
    chat_model_free(machine->model);
    free(machine->clients);
    free(machine);
    return left;
}
