/*
 * server.c - the chat server: rooms, their last lines, and who is in them.
 *
 * A member stands at a number of its room's lines (`next`): those before it were handed to its transport. As long as it
 * is not paused it stands at the end. When its producer is paused it stays where it is, and when it is resumed it goes
 * on from there, over the lines that the room still has. Who has not moved for HISTORY lines is reset.
 */
#include "chat.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY = 64, HIGH_WATER = 4 * 1024, NUMBER_SIZE = 24 };

struct line {
    size_t size;
    char text[];
};

struct room {
    struct line *lines[HISTORY]; /* by number, modulo HISTORY */
    uint64_t next;               /* the number of the next line */
    struct member *members;
};

/* One connection. */
struct member {
    struct solo_protocol protocol;
    struct solo_producer producer;
    struct chat_server *server;
    struct chat_reader reader;
    struct room *room;            /* NULL: not joined */
    struct member *newer, **link; /* in the room */
    uint64_t next;
    bool paused, leaving, gone; /* leaving: has said quit. gone: nothing is sent any more */
};

struct chat_server {
    struct solo_factory factory;
    const struct chat_options *options;
    struct solo_port *port;
    struct room *rooms;
    unsigned members, lines; /* that exist */
    uint64_t connections, said, slow, kicked;
};

static struct member *member_of(struct solo_protocol *protocol)
{
    return (struct member *)(void *)protocol; /* its first member */
}

static void leave_room(struct member *member)
{
    if (member->room != NULL) {
        *member->link = member->newer;
        if (member->newer != NULL) {
            member->newer->link = member->link;
        }
        member->room = NULL;
    }
}

static void reset(struct member *member)
{
    member->gone = true;
    (void)solo_transport_abort_connection(member->protocol.transport);
}

static void tell(struct member *member, const char *text, size_t size)
{
    if (!member->gone && solo_transport_write(member->protocol.transport, text, size) < 0) {
        reset(member);
    }
}

/* It has heard everything, and wants to go. */
static void say_bye(struct member *member)
{
    char text[NUMBER_SIZE + 8];
    int size = snprintf(text, sizeof text, "bye %llu\n", (unsigned long long)member->next);
    tell(member, text, (size_t)size);
    leave_room(member);
    if (!member->gone) {
        member->gone = true;
        (void)solo_transport_unregister_producer(member->protocol.transport);
        (void)solo_transport_lose_connection(member->protocol.transport);
    }
}

/* Hands over what it has not got yet, as long as it may. */
static void pass_on(struct member *member)
{
    struct room *room = member->room;
    while (!member->paused && !member->gone && member->next < room->next) {
        const struct line *line = room->lines[member->next++ % HISTORY];
        tell(member, line->text, line->size);
    }
    if (member->leaving && !member->paused && !member->gone && member->next == room->next) {
        say_bye(member);
    }
}

/* ---- What clients ask for ---- */

static struct line *make_line(struct chat_server *server, uint64_t number, const char *words, size_t size)
{
    char start[NUMBER_SIZE];
    int start_size = snprintf(start, sizeof start, "%llu ", (unsigned long long)number);
    struct line *line = malloc(sizeof *line + (size_t)start_size + size + 1);
    if (line != NULL) {
        line->size = (size_t)start_size + size + 1;
        memcpy(line->text, start, (size_t)start_size);
        memcpy(line->text + start_size, words, size);
        line->text[line->size - 1] = '\n';
        server->lines++;
    }
    return line;
}

static void free_line(struct chat_server *server, struct line *line)
{
    if (line != NULL) {
        server->lines--;
        free(line);
    }
}

static void say(struct member *speaker, const char *words, size_t size)
{
    struct chat_server *server = speaker->server;
    struct room *room = speaker->room;
    struct line *line = make_line(server, room->next, words, size);
    if (line == NULL) {
        reset(speaker);
        return;
    }
    struct line **place = &room->lines[room->next % HISTORY];
    free_line(server, *place);
    *place = line;
    room->next++;
    server->said++;
    for (struct member *member = room->members, *newer; member != NULL; member = newer) {
        newer = member->newer;
        if (member->paused && server->options->drops_when_slow) {
            member->next = room->next; /* the bug: it will never get this one */
        } else if (!member->gone && room->next - member->next > HISTORY) {
            server->kicked++;
            reset(member);
        } else {
            pass_on(member);
        }
    }
}

/* ---- Back-pressure ---- */

static struct member *member_of_producer(struct solo_producer *producer)
{
    return (struct member *)(void *)((char *)producer - offsetof(struct member, producer));
}

static void on_pause(struct solo_producer *producer)
{
    struct member *member = member_of_producer(producer);
    member->paused = true;
    member->server->slow++;
}

static void on_resume(struct solo_producer *producer)
{
    struct member *member = member_of_producer(producer);
    member->paused = false;
    pass_on(member);
}

static void on_stop(struct solo_producer *producer)
{
    member_of_producer(producer)->gone = true;
}

static void join(struct member *member, uint64_t number)
{
    static const struct solo_producer_ops producer_ops = {on_pause, on_resume, on_stop};
    struct chat_server *server = member->server;
    char text[NUMBER_SIZE + 8];
    if (number >= server->options->rooms) {
        reset(member);
        return;
    }
    struct room *room = &server->rooms[number];
    member->room = room;
    member->next = room->next;
    member->link = &room->members;
    member->newer = room->members;
    if (room->members != NULL) {
        room->members->link = &member->newer;
    }
    room->members = member;
    member->producer.ops = &producer_ops;
    (void)solo_transport_set_high_water(member->protocol.transport, HIGH_WATER);
    (void)solo_transport_register_producer(member->protocol.transport, &member->producer, SOLO_PUSH);
    int size = snprintf(text, sizeof text, "room %llu\n", (unsigned long long)room->next);
    tell(member, text, (size_t)size);
}

static bool on_line(void *arg, const char *line, size_t size)
{
    struct member *member = arg;
    uint64_t number;
    if (size > 4 && memcmp(line, "say ", 4) == 0 && member->room != NULL) {
        say(member, line + 4, size - 4);
    } else if (size > 5 && memcmp(line, "join ", 5) == 0 && member->room == NULL &&
               (line += 5, chat_number(&line, &number))) {
        join(member, number);
    } else if (size == 4 && memcmp(line, "quit", 4) == 0 && member->room != NULL) {
        member->leaving = true;
        pass_on(member);
    } else {
        reset(member);
    }
    return !member->gone && !member->leaving;
}

static void on_data(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct member *member = member_of(protocol);
    if (!member->gone && !member->leaving) {
        chat_read(&member->reader, data, size, on_line, member);
    }
}

static void on_lost(struct solo_protocol *protocol, int reason)
{
    struct member *member = member_of(protocol);
    (void)reason;
    leave_room(member);
    member->server->members--;
    chat_reader_end(&member->reader);
    free(member);
}

static struct solo_protocol *build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {NULL, on_data, on_lost};
    struct chat_server *server = (struct chat_server *)(void *)factory; /* its first member */
    struct member *member = calloc(1, sizeof *member);
    if (member == NULL) {
        return NULL;
    }
    member->protocol.ops = &ops;
    member->server = server;
    server->members++;
    server->connections++;
    return &member->protocol;
}

/* ---- Life ---- */

int chat_server_create(const struct chat_options *options, struct solo_reactor *reactor,
                       struct chat_server **ret_server)
{
    struct chat_server *server = calloc(1, sizeof *server);
    struct room *rooms = calloc(options->rooms, sizeof *rooms);
    if (server == NULL || rooms == NULL) {
        free(server);
        free(rooms);
        return -ENOMEM;
    }
    server->factory.build_protocol = build;
    server->options = options;
    server->rooms = rooms;
    *ret_server = server;
    return solo_reactor_listen_tcp(reactor, CHAT_PORT, &server->factory, &server->port);
}

void chat_server_add(const struct chat_server *server, struct chat_result *result)
{
    result->connections += server->connections;
    result->said += server->said;
    result->slow += server->slow;
    result->kicked += server->kicked;
}

void chat_server_close(struct chat_server *server)
{
    (void)solo_port_stop_listening(server->port);
}

unsigned chat_server_free(struct chat_server *server)
{
    unsigned members = server->members;
    for (unsigned i = 0; i < server->options->rooms; i++) {
        for (unsigned j = 0; j < HISTORY; j++) {
            free_line(server, server->rooms[i].lines[j]);
        }
    }
    unsigned left = members + server->lines;
    free(server->rooms);
    free(server);
    return left;
}
