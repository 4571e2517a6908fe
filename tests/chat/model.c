/* model.c - what the clients of some rooms must hear. */
#define _GNU_SOURCE
#include "chat.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One number of a room: who said it, and which of its lines that was. */
struct heard {
    uint32_t speaker, nth; /* speaker: the client's number and one more; 0: nobody has heard it yet */
};

/* One line of a client. */
struct said {
    uint32_t session; /* of the client */
    bool heard, sure; /* somebody heard it; somebody must */
};

struct chat_model {
    unsigned clients, rooms;
    uint64_t lines_max, said_max; /* of a room, of a client */
    struct heard *lines;          /* of each room, by number */
    uint64_t *lines_end;          /* of each room: one past the highest number heard */
    struct said *said;            /* of each client */
    uint64_t *said_count;
    uint32_t *sessions;
    uint64_t deliveries, resets, departures;
    char why[CHAT_WHY_MAX];
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct chat_model *model, const char *format, ...)
{
    if (model->why[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(model->why, sizeof model->why, format, arguments);
        va_end(arguments);
    }
    return false;
}

/* Memory that is there from the beginning: what grows later is somebody else's. */
static void *take(size_t count, size_t size)
{
    void *memory = malloc(count * size);
    if (memory != NULL) {
        explicit_bzero(memory, count * size);
    }
    return memory;
}

struct chat_model *chat_model_create(const struct chat_options *options)
{
    struct chat_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        return NULL;
    }
    uint64_t acts = options->duration_ns / options->act_ns + 16;
    model->clients = options->clients;
    model->rooms = options->rooms;
    model->said_max = acts * 4;
    model->lines_max = (options->clients / options->rooms + 1) * acts * 2;
    model->lines = take(model->rooms * model->lines_max, sizeof *model->lines);
    model->lines_end = take(model->rooms, sizeof *model->lines_end);
    model->said = take(model->clients * model->said_max, sizeof *model->said);
    model->said_count = take(model->clients, sizeof *model->said_count);
    model->sessions = take(model->clients, sizeof *model->sessions);
    if (model->lines == NULL || model->lines_end == NULL || model->said == NULL || model->said_count == NULL ||
        model->sessions == NULL) {
        chat_model_free(model);
        return NULL;
    }
    return model;
}

void chat_model_free(struct chat_model *model)
{
    if (model != NULL) {
        free(model->lines);
        free(model->lines_end);
        free(model->said);
        free(model->said_count);
        free(model->sessions);
        free(model);
    }
}

const char *chat_model_why(const struct chat_model *model)
{
    return model->why;
}

static struct said *said_by(struct chat_model *model, unsigned client)
{
    return &model->said[client * model->said_max];
}

void chat_model_said(struct chat_model *model, unsigned client)
{
    uint64_t nth = model->said_count[client]++;
    if (nth < model->said_max) {
        said_by(model, client)[nth].session = model->sessions[client];
    } else {
        (void)wrong(model, "the model has room for %llu lines of a client", (unsigned long long)model->said_max);
    }
}

void chat_model_joins(const struct chat_model *model, struct chat_session *session, unsigned room)
{
    *session = (struct chat_session){.least = model->lines_end[room]};
}

bool chat_model_joined(struct chat_model *model, struct chat_session *session, unsigned client, unsigned room,
                       uint64_t number)
{
    if (session->joined) {
        return wrong(model, "client %u was let in twice", client);
    }
    session->joined = true;
    session->next = number;
    return number >= session->least ||
           wrong(model, "client %u joined room %u at number %llu, but %llu was heard before that", client, room,
                 (unsigned long long)number, (unsigned long long)session->least - 1);
}

bool chat_model_heard(struct chat_model *model, struct chat_session *session, unsigned room, const char *line,
                      size_t size)
{
    const char *at = line;
    uint64_t number, client, nth;
    if (!session->joined || session->said_bye || !chat_number(&at, &number) || !chat_number(&at, &client) ||
        !chat_number(&at, &nth)) {
        return wrong(model, "room %u: not a line, or not the time for one: %.40s", room, line);
    }
    if (number != session->next) {
        return wrong(model, "room %u: number %llu came, not %llu: %lld lines were lost", room,
                     (unsigned long long)number, (unsigned long long)session->next,
                     (long long)(number - session->next));
    }
    session->next++;
    if (number >= model->lines_max || client >= model->clients || nth >= model->said_count[client]) {
        return wrong(model, "room %u: number %llu was never said: %.40s", room, (unsigned long long)number, line);
    }
    size_t words_size, came = size - (size_t)(at - line);
    const char *words = chat_words((unsigned)client, nth, came > 1024, &words_size);
    if (came != words_size || memcmp(at, words, came) != 0) {
        return wrong(model, "room %u: number %llu came with other words", room, (unsigned long long)number);
    }
    struct heard *heard = &model->lines[room * model->lines_max + number];
    if (heard->speaker == 0) {
        struct said *said = &said_by(model, (unsigned)client)[nth];
        if (said->heard) {
            return wrong(model, "room %u: line %llu of client %llu came under two numbers", room,
                         (unsigned long long)nth, (unsigned long long)client);
        }
        said->heard = true;
        *heard = (struct heard){(uint32_t)client + 1, (uint32_t)nth};
    }
    if (heard->speaker != client + 1 || heard->nth != nth) {
        return wrong(model, "room %u: two clients heard different lines under number %llu", room,
                     (unsigned long long)number);
    }
    model->lines_end[room] = number + 1 > model->lines_end[room] ? number + 1 : model->lines_end[room];
    model->deliveries++;
    return true;
}

/* Whatever it said in this session was taken by the server before. */
bool chat_model_bye(struct chat_model *model, struct chat_session *session, unsigned client, uint64_t number)
{
    struct said *said = said_by(model, client);
    if (!session->joined || session->said_bye) {
        return wrong(model, "client %u got a bye that it did not ask for", client);
    }
    session->said_bye = true;
    for (uint64_t nth = model->said_count[client]; nth-- > 0 && said[nth].session == model->sessions[client];) {
        said[nth].sure = true;
    }
    return number == session->next || wrong(model, "client %u has heard up to number %llu, the server speaks of %llu",
                                            client, (unsigned long long)session->next, (unsigned long long)number);
}

bool chat_model_lost(struct chat_model *model, const struct chat_session *session, unsigned client, int reason)
{
    model->sessions[client]++;
    model->departures += session->said_bye;
    model->resets += !session->said_bye;
    return session->said_bye || reason != SOLO_ECONNDONE ||
           wrong(model, "client %u: the connection ended in order, without a bye", client);
}

/* ---- At the end ---- */

/* The numbers that nobody heard; and whether each speaker's lines are in its order. */
static uint64_t check_room(struct chat_model *model, unsigned room, uint32_t *last_nth)
{
    uint64_t unheard = 0;
    memset(last_nth, 0, model->clients * sizeof *last_nth);
    for (uint64_t number = 0; number < model->lines_end[room]; number++) {
        const struct heard *heard = &model->lines[room * model->lines_max + number];
        if (heard->speaker == 0) {
            unheard++;
        } else if (heard->nth + 1 <= last_nth[heard->speaker - 1]) {
            (void)wrong(model, "room %u: client %u is heard out of its order at number %llu", room, heard->speaker - 1,
                        (unsigned long long)number);
        } else {
            last_nth[heard->speaker - 1] = heard->nth + 1;
        }
    }
    return unheard;
}

/* How many lines were not heard although a later one of the same connection was. */
static uint64_t check_client(struct chat_model *model, unsigned client)
{
    const struct said *said = said_by(model, client);
    uint64_t missing = 0;
    bool later = false;
    for (uint64_t nth = model->said_count[client]; nth-- > 0;) {
        later = later && said[nth].session == said[nth + 1].session;
        missing += later && !said[nth].heard;
        later |= said[nth].heard;
        if (said[nth].sure && !said[nth].heard) {
            (void)wrong(model, "line %llu of client %u was heard by nobody", (unsigned long long)nth, client);
        }
    }
    return missing;
}

void chat_model_finish(struct chat_model *model, struct chat_result *result)
{
    uint32_t *last_nth = calloc(model->clients, sizeof *last_nth);
    uint64_t unheard = 0, missing = 0;
    for (unsigned room = 0; room < model->rooms && last_nth != NULL; room++) {
        unheard += check_room(model, room, last_nth);
    }
    free(last_nth);
    for (unsigned client = 0; client < model->clients; client++) {
        missing += check_client(model, client);
    }
    if (missing > unheard) {
        (void)wrong(model, "%llu lines were lost between two others of their speaker", (unsigned long long)missing);
    }
    result->deliveries += model->deliveries;
    result->unheard += unheard;
    result->resets += model->resets;
    result->departures += model->departures;
    if (result->why[0] == '\0') {
        memcpy(result->why, model->why, sizeof result->why);
    }
}
