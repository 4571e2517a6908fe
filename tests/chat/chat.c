/* chat.c - one schedule of chat: the server on the main thread, the clients' machines on others; and what all share. */
#define _GNU_SOURCE
#include "chat.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Dice, lines and words ---- */

uint64_t chat_dice(uint64_t *state, uint64_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint64_t)(((unsigned __int128)*state * limit) >> 64);
}

bool chat_number(const char **line, uint64_t *ret_number)
{
    const char *at = *line;
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (uint64_t)(*at - '0');
    }
    bool is_number = at != *line && (*at == ' ' || *at == '\n');
    *ret_number = number;
    *line = *at == ' ' ? at + 1 : at;
    return is_number;
}

/* A line that has begun goes on; what is too long for one is cut, and the model will find it wrong. */
static void keep(struct chat_reader *reader, const char *data, size_t size)
{
    size_t room = CHAT_LINE_MAX - reader->size;
    size_t more = size < room ? size : room;
    char *begun = more > 0 ? realloc(reader->begun, reader->size + more) : NULL;
    if (begun != NULL) {
        memcpy(begun + reader->size, data, more);
        reader->begun = begun;
        reader->size += more;
    }
}

void chat_reader_end(struct chat_reader *reader)
{
    free(reader->begun);
    *reader = (struct chat_reader){0};
}

void chat_read(struct chat_reader *reader, const char *data, size_t size, chat_line_fn fn, void *arg)
{
    const char *end = data + size, *stop;
    bool goes_on = true;
    while (goes_on && data < end && (stop = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        size_t length = (size_t)(stop - data);
        if (reader->begun == NULL) {
            goes_on = fn(arg, data, length);
        } else {
            keep(reader, data, length + 1); /* with its end, where a number at the end of the line stops */
            goes_on = fn(arg, reader->begun, reader->size - 1);
            chat_reader_end(reader);
        }
        data = stop + 1;
    }
    if (goes_on && data < end) {
        keep(reader, data, (size_t)(end - data));
    }
}

/* Words are cut from one long text, so that checking them is one comparison. */
const char *chat_words(unsigned client, uint64_t nth, bool is_long, size_t *ret_size)
{
    enum { TEXT = 64 * 1024, SHORT = 16, SHORT_MORE = 96, LONG = 6 * 1024, LONG_MORE = 4 * 1024 };
    static char text[TEXT];
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    if (text[0] == '\0') {
        for (size_t i = TEXT; i-- > 0;) { /* the first one last */
            text[i] = (char)('a' + chat_dice(&state, 26));
        }
    }
    state = (client + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (nth + 1) * UINT64_C(0xbf58476d1ce4e5b9);
    (void)chat_dice(&state, 1);
    *ret_size = is_long ? LONG + chat_dice(&state, LONG_MORE) : SHORT + chat_dice(&state, SHORT_MORE);
    return text + chat_dice(&state, TEXT - LONG - LONG_MORE);
}

/* ---- The schedule ---- */

/*
 * Random schedules of different temper: in some a thread goes on as long as it can, in others it hardly ever does. What
 * may fail is left alone but for the network, and there it is rare, so that it is spread over the hours.
 */
struct temper {
    uint64_t dice, seed;
    unsigned stays; /* of 64 */
};

static int temper_begin(void *state, uint64_t seed)
{
    static const unsigned stays[] = {0, 32, 56, 62};
    struct temper *temper = state;
    temper->seed = seed;
    temper->dice = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    temper->stays = stays[seed % 4];
    return 0;
}

static bool is_network_fault(uint32_t tag)
{
    return tag == 0x72656675 || tag == 0x72657374 || tag == 0x73687274; /* a refusal, a reset, a short read */
}

static size_t temper_choose(void *state, const struct solo_choice *choice)
{
    enum { ONE_FAULT_IN = 200000 };
    struct temper *temper = state;
    if (choice->kind == SOLO_CHOICE_FAULT) {
        return is_network_fault(choice->options[1]->tag) && chat_dice(&temper->dice, ONE_FAULT_IN) == 0;
    }
    if (choice->kind == SOLO_CHOICE_THREAD && chat_dice(&temper->dice, 64) < temper->stays) {
        return 0;
    }
    return (size_t)chat_dice(&temper->dice, choice->count);
}

static const struct solo_strategy temper_strategy = {.name = "temper", .begin = temper_begin, .choose = temper_choose};

/* ---- One run ---- */

struct run {
    const struct chat_options *options;
    struct chat_result *result;
    uint64_t seed;
    struct solo_sim *sim;
    struct solo_reactor *reactor; /* the server's */
    struct chat_server *server;
    struct chat_machine *machines[CHAT_MACHINES_MAX];
    unsigned ended;
    bool begun;
};

static void measure(struct run *run, struct chat_memory *memory)
{
    struct mallinfo2 heap = mallinfo2();
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2) {
        resident = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    memory->heap = heap.uordblks + heap.hblkhd;
    memory->resident = resident * (size_t)sysconf(_SC_PAGESIZE);
    (void)solo_sim_get_memory(run->sim, &memory->kit);
}

static void measure_early(void *arg)
{
    struct run *run = arg;
    measure(run, &run->result->early);
}

static void measure_late(void *arg)
{
    struct run *run = arg;
    measure(run, &run->result->late);
}

/* On the server's reactor. */
static void machine_ended(void *arg)
{
    struct run *run = arg;
    if (++run->ended == run->options->machines) {
        chat_server_close(run->server);
        (void)solo_reactor_stop(run->reactor);
    }
}

struct machine_thread {
    struct run *run;
    struct chat_machine *machine;
    struct solo_thread *thread;
};

static void run_machine(void *arg)
{
    struct machine_thread *thread = arg;
    chat_machine_run(thread->machine);
    (void)solo_reactor_call_from_thread(thread->run->reactor, machine_ended, thread->run, NULL);
}

static void serve(struct run *run)
{
    struct machine_thread threads[CHAT_MACHINES_MAX];
    const struct chat_options *options = run->options;
    if (solo_reactor_call_later(run->reactor, options->duration_ns / 8, measure_early, run, NULL, NULL) < 0 ||
        solo_reactor_call_later(run->reactor, options->duration_ns - 1, measure_late, run, NULL, NULL) < 0) {
        return;
    }
    for (unsigned i = 0; i < options->machines; i++) {
        threads[i] = (struct machine_thread){run, run->machines[i], NULL};
        if (solo_thread_create(run_machine, &threads[i], &threads[i].thread) < 0) {
            return;
        }
    }
    run->begun = solo_reactor_run(run->reactor) == 0;
    for (unsigned i = 0; i < options->machines; i++) {
        (void)solo_thread_join(threads[i].thread);
    }
}

static void body(void *arg)
{
    struct run *run = arg;
    struct solo_sim_memory before, after;
    (void)solo_sim_get_memory(run->sim, &before);
    bool made = solo_reactor_create(NULL, &run->reactor) == 0 &&
                chat_server_create(run->options, run->reactor, &run->server) == 0;
    for (unsigned i = 0; i < run->options->machines; i++) {
        made = made && chat_machine_create(run->options, i, run->seed, &run->machines[i]) == 0;
    }
    if (made) {
        serve(run);
    }
    (void)solo_reactor_destroy(run->reactor);
    (void)solo_sim_get_memory(run->sim, &after);
    run->result->kit_left = after.in_use - before.in_use;
}

static void add_up(struct run *run)
{
    struct chat_result *result = run->result;
    for (unsigned i = 0; i < run->options->machines && run->machines[i] != NULL; i++) {
        chat_machine_add(run->machines[i], result);
        result->left += chat_machine_free(run->machines[i]);
    }
    if (run->server != NULL) {
        chat_server_add(run->server, result);
        result->left += chat_server_free(run->server);
    }
}

int chat_run(const struct chat_options *options, uint64_t seed, struct chat_result *ret_result)
{
    struct temper temper = {0};
    struct run run = {.options = options, .result = ret_result, .seed = seed};
    const struct solo_sim_options sim_options = {.strategy = &temper_strategy,
                                                 .strategy_state = &temper,
                                                 .steps_max = UINT64_C(1) << 40,
                                                 .faults_max = options->faults};
    size_t size;
    (void)chat_words(0, 0, false, &size); /* the text is there before there are threads */
    *ret_result = (struct chat_result){0};
    if (options->machines > CHAT_MACHINES_MAX || solo_sim_create(&sim_options, &run.sim) < 0) {
        return -EINVAL;
    }
    int ending = solo_sim_run(run.sim, seed, body, &run);
    ret_result->events = solo_sim_get_log(run.sim)->events_count;
    add_up(&run);
    solo_sim_destroy(run.sim);
    if (ret_result->why[0] == '\0' && (ending != SOLO_ENDING_RETURNED || !run.begun)) {
        snprintf(ret_result->why, sizeof ret_result->why, "the schedule ended with %d, not in order", ending);
    }
    if (ret_result->why[0] == '\0' && ret_result->left > 0) {
        snprintf(ret_result->why, sizeof ret_result->why, "%u objects were left", ret_result->left);
    }
    return ret_result->why[0] == '\0' ? 0 : -EPROTO;
}
