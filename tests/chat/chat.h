/*
 * chat.h - hours of simulated chat, checked line by line: a server, its clients, and a model of what they must hear.
 *
 * The server (server.c) and the clients (client.c) are ordinary programs on the public interface. The server numbers
 * the lines of each room and passes them on to everybody in it. A client that reads slowly holds up nobody: its
 * producer is paused, and it gets what it missed when it reads on; one that falls too far behind is reset. Clients
 * talk, read slowly, are reset, leave in order, and come back.
 *
 * The model (model.c) knows nothing of the server. Whoever joins a room is told the number of the next line; from
 * there on every number must come, none twice, and every client of the room must hear the same line under the same
 * number, in the order in which its speaker said it. Who leaves in order must have heard everything up to the number
 * that the server names last, and whatever it said must have been heard.
 *
 * Rooms belong to machines: a machine is a virtual thread with a reactor of its own and the clients of some rooms. So
 * nothing here is shared between threads.
 */
#ifndef CHAT_H
#define CHAT_H

#include <solo/sim.h>
#include <solo/solo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHAT_PORT = 8007, CHAT_MACHINES_MAX = 16, CHAT_LINE_MAX = 16 * 1024, CHAT_WHY_MAX = 200 };

#define CHAT_SECOND_NS UINT64_C(1000000000)

struct chat_options {
    unsigned clients, rooms, machines;
    uint64_t duration_ns;
    uint64_t act_ns;      /* from one thing that a client does to its next, in the mean */
    unsigned long_one_in; /* every fifth room has long lines, one in so many */
    unsigned faults;      /* how many operations of the network may fail: resets, short reads, refusals */
    bool drops_when_slow; /* a broken server: who is slow misses lines */
};

/* At one time. */
struct chat_memory {
    size_t heap;                /* bytes that malloc has handed out */
    size_t resident;            /* of the process */
    struct solo_sim_memory kit; /* of the simulation */
};

struct chat_result {
    uint64_t deliveries; /* lines that clients heard, each checked */
    uint64_t said;       /* lines that the server took */
    uint64_t unheard;    /* of those: everybody was reset before */
    uint64_t connections, resets, departures, kicked;
    uint64_t slow;                  /* times that the server's producer was paused */
    struct chat_memory early, late; /* after an eighth of the time, and at its end */
    unsigned left;                  /* objects of server and clients that were not freed */
    size_t kit_left;                /* bytes of kit objects that were not released */
    uint64_t events;                /* of the schedule */
    char why[CHAT_WHY_MAX];         /* what went wrong first; "" if nothing did */
};

/* One schedule. 0, or -EPROTO: ret_result->why says what the model, or the simulation, found. */
int chat_run(const struct chat_options *options, uint64_t seed, struct chat_result *ret_result);

/* ---- Lines (chat.c) ---- */

/* Dice: the next number of a stream, below `limit`. */
uint64_t chat_dice(uint64_t *state, uint64_t limit);

/* Calls fn for each whole line of what has arrived; its end, a new line, is at line[size]. false: it wants no more. */
typedef bool (*chat_line_fn)(void *arg, const char *line, size_t size);
struct chat_reader {
    char *begun; /* of a line that came in pieces; NULL: none has begun */
    size_t size;
};
void chat_reader_end(struct chat_reader *reader);
void chat_read(struct chat_reader *reader, const char *data, size_t size, chat_line_fn fn, void *arg);

/* A number at the start of *line; moves past it and the space after it. False: there is none. */
bool chat_number(const char **line, uint64_t *ret_number);

/* What a client says: the same for everybody who knows its number and how many lines it said before. */
const char *chat_words(unsigned client, uint64_t nth, bool is_long, size_t *ret_size);

/* ---- The model (model.c): of the rooms of one machine ---- */

struct chat_model;
struct chat_model *chat_model_create(const struct chat_options *options);
void chat_model_free(struct chat_model *model);

/* One connection of a client, from asking to join to its end. */
struct chat_session {
    bool joined, said_bye;
    uint64_t least; /* every number below this one was given before it asked */
    uint64_t next;  /* the number that must come */
};

/* What the clients do and hear. Each says false if that must not be; chat_model_why says why. */
void chat_model_joins(const struct chat_model *model, struct chat_session *session, unsigned room);
void chat_model_said(struct chat_model *model, unsigned client);
bool chat_model_joined(struct chat_model *model, struct chat_session *session, unsigned client, unsigned room,
                       uint64_t number);
bool chat_model_heard(struct chat_model *model, struct chat_session *session, unsigned room, const char *line,
                      size_t size);
bool chat_model_bye(struct chat_model *model, struct chat_session *session, unsigned client, uint64_t number);
bool chat_model_lost(struct chat_model *model, const struct chat_session *session, unsigned client, int reason);

/* At the end: whatever is known only then. Adds to ret_result, and says in it why if something is wrong. */
void chat_model_finish(struct chat_model *model, struct chat_result *ret_result);
const char *chat_model_why(const struct chat_model *model);

/* ---- The server (server.c): on the thread that calls ---- */

struct chat_server;
int chat_server_create(const struct chat_options *options, struct solo_reactor *reactor,
                       struct chat_server **ret_server);
void chat_server_add(const struct chat_server *server, struct chat_result *result); /* its counts */
void chat_server_close(struct chat_server *server);
unsigned chat_server_free(struct chat_server *server); /* objects that were left */

/* ---- The clients of a machine (client.c) ---- */

struct chat_machine;
int chat_machine_create(const struct chat_options *options, unsigned number, uint64_t seed,
                        struct chat_machine **ret_machine);
void chat_machine_run(struct chat_machine *machine); /* on a thread of its own, until all have left */
void chat_machine_add(const struct chat_machine *machine, struct chat_result *result);
unsigned chat_machine_free(struct chat_machine *machine);

#endif
