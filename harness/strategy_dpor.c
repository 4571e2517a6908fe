/*
 * strategy_dpor.c - the search of dpor.h: the path, and who sleeps.
 *
 * Invariant: nodes[0 .. depth) are the choices of the schedule that ran last; what lies before it in the order of the
 * search has been tried, or is equivalent to something that has. The path survives the schedule, and a crash.
 */
#include "draw.h"
#include "strategy.h"
#include <string.h>

enum { JOBS_TOLD_APART = 32 };

/* ---- The path ---- */

static bool is_idle_worker(const struct solo__dpor_state *state, const struct solo_option *option)
{
    return option->operation == SOLO_PROBE_JOB_WANTED ||
           (state->threads[option->thread].works && state->threads[option->thread].point == SOLO_PROBE_JOB_WANTED);
}

static struct solo__dpor_option option_of(const struct solo__dpor_state *state, const struct solo_choice *choice,
                                          size_t index)
{
    const struct solo_option *option = choice->options[index];
    struct solo__dpor_option made = {.thread = SOLO__DPOR_TIME, .wanted = 1};
    bool names_thread = choice->kind == SOLO_CHOICE_THREAD || choice->kind == SOLO_CHOICE_WORKER;
    if (option->tag != SOLO_TAG_TIME && option->thread < SOLO__DPOR_THREADS) {
        made.thread = option->thread;
        made.past = names_thread && is_idle_worker(state, option) ? state->threads[option->thread].past | 1 : 0;
    }
    if (choice->kind == SOLO_CHOICE_THREAD && made.thread != SOLO__DPOR_TIME) {
        made.wanted = 0;
        made.asleep = state->threads[made.thread].asleep;
        made.footprint = (struct solo__footprint){.reads = {0}};
    }
    return made;
}

/* Of workers that are alike the first one is enough. */
static void drop_likes(struct solo__dpor_option *options, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i && options[i].past != 0; j++) {
            if (options[j].past == options[i].past) {
                options[i].wanted = 0;
            }
        }
    }
}

static void want_everybody(struct solo__dpor_state *state, const struct solo__dpor_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        state->options[node->first_option + i].wanted = 1;
    }
}

/* The node's next option that is wanted, neither done nor asleep. False: there is none. */
static bool take_next(struct solo__dpor_state *state, struct solo__dpor_node *node)
{
    for (uint16_t i = 0; i < node->count; i++) {
        struct solo__dpor_option *option = &state->options[node->first_option + i];
        if (option->wanted && !option->done && !option->asleep) {
            node->chosen = i;
            if (node->kind == SOLO_CHOICE_THREAD && option->thread == SOLO__DPOR_TIME) {
                want_everybody(state, node); /* nothing commutes with time */
            }
            return true;
        }
    }
    return false;
}

static bool backtrack(struct solo__dpor_state *state)
{
    for (; state->depth > state->floor; state->depth--) {
        struct solo__dpor_node *node = &state->nodes[state->depth - 1];
        state->options[node->first_option + node->chosen].done = 1;
        if (take_next(state, node)) {
            return true;
        }
    }
    return false;
}

/* A new choice at the end of the path. Returns its number + 1, 0: the tables are full. */
static uint32_t extend(struct solo__dpor_state *state, const struct solo_choice *choice)
{
    uint32_t first = 0;
    if (state->depth > 0) {
        first = state->nodes[state->depth - 1].first_option + state->nodes[state->depth - 1].count;
    }
    if (state->depth == SOLO__DPOR_NODES_MAX || first + choice->count > SOLO__DPOR_OPTIONS_MAX) {
        state->cut = 1;
        return 0;
    }
    struct solo__dpor_node *node = &state->nodes[state->depth++];
    *node = (struct solo__dpor_node){first, (uint16_t)choice->count, 0, choice->check, (uint8_t)choice->kind};
    for (size_t i = 0; i < choice->count; i++) {
        state->options[first + i] = option_of(state, choice, i);
    }
    if (choice->kind == SOLO_CHOICE_WORKER) {
        drop_likes(&state->options[first], choice->count);
    }
    state->position = state->depth;
    return state->depth;
}

/* The first thread that does not sleep; false if all do. */
static bool take_first(struct solo__dpor_state *state, struct solo__dpor_node *node)
{
    for (uint16_t i = 0; i < node->count; i++) {
        struct solo__dpor_option *option = &state->options[node->first_option + i];
        if (!option->asleep && option->thread != SOLO__DPOR_TIME) {
            option->wanted = 1;
            node->chosen = i;
            return true;
        }
    }
    return take_next(state, node);
}

static void put_to_sleep(struct solo__dpor_state *state, const struct solo__dpor_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const struct solo__dpor_option *option = &state->options[node->first_option + i];
        if (option->done && option->thread != SOLO__DPOR_TIME) {
            state->threads[option->thread].asleep = 1;
            state->threads[option->thread].footprint = option->footprint;
        }
    }
}

static size_t give_up(struct solo__dpor_state *state, const struct solo_choice *choice)
{
    state->redundant = 1;
    return choice->count;
}

/* The step that led here is over. */
static void finish_before(struct solo__dpor_state *state, const struct solo_choice *choice)
{
    bool blocks = true;
    for (size_t i = 0; i < solo__thread_options(choice); i++) {
        solo__dpor_note_wake(state, choice->options[i]->thread);
        blocks = blocks && choice->options[i]->thread != state->running;
    }
    solo__dpor_finish_step(state, blocks);
}

static size_t choose(void *opaque, const struct solo_choice *choice)
{
    struct solo__dpor_state *state = opaque;
    bool of_threads = choice->kind == SOLO_CHOICE_THREAD;
    if (choice->kind == SOLO_CHOICE_JOB && choice->count >= JOBS_TOLD_APART) {
        state->threads[choice->thread].sees_many = 1;
    }
    if (of_threads) {
        state->time_may_pass |= solo__thread_options(choice) < choice->count;
        finish_before(state, choice);
        state->decisions++;
        for (size_t i = 0; i < solo__thread_options(choice); i++) {
            solo__dpor_note_enabled(state, choice->options[i]->thread);
            solo__dpor_learn_word(state, choice->options[i]);
        }
        state->pending_node = 0;
        if (state->redundant) {
            return give_up(state, choice);
        }
    }
    uint32_t number = state->position < state->depth ? ++state->position : extend(state, choice);
    if (number == 0) {
        state->pending_node = 0;
        return 0;
    }
    struct solo__dpor_node *node = &state->nodes[number - 1];
    if (node->count != choice->count || node->check != choice->check || node->kind != choice->kind) {
        state->diverged_at = choice->index + 1;
        return choice->count;
    }
    if (of_threads && state->position == state->depth && !state->options[node->first_option + node->chosen].wanted &&
        !take_first(state, node)) {
        state->depth--;
        return give_up(state, choice);
    }
    if (of_threads) {
        put_to_sleep(state, node);
        state->pending_node = number;
    }
    return node->chosen;
}

/* ---- A schedule ---- */

static void step(void *opaque, const struct solo_event *event)
{
    solo__dpor_step(opaque, event);
}

static void clear_schedule(struct solo__dpor_state *state)
{
    state->position = 0;
    state->step_count = state->touch_count = state->thread_count = state->service_count = 0;
    state->latest = state->took = 0;
    state->decisions = state->pending_node = 0;
    state->running = SOLO__DPOR_NOBODY;
    state->redundant = 0;
    state->came_to_rest = 0;
    memset(state->threads, 0, sizeof state->threads);
    memset(state->slots, 0, sizeof state->slots);
    memset(state->word_of, 0, sizeof state->word_of);
}

void solo__dpor_begin_part(struct solo__dpor_state *state, const struct solo__dpor_path *path)
{
    state->begun = state->finished = state->cut = state->diverged_at = 0;
    state->depth = state->floor = path->length;
    if (path->length != 0) {
        memcpy(state->nodes, path->nodes, path->length * sizeof path->nodes[0]);
        memcpy(state->options, path->options, path->option_count * sizeof path->options[0]);
    }
    clear_schedule(state);
}

static int begin(void *opaque, uint64_t seed)
{
    struct solo__dpor_state *state = opaque;
    (void)seed;
    if (state->finished || state->diverged_at != 0) {
        return 1;
    }
    if (state->begun) {
        solo__dpor_finish_step(state, true);
        state->pruned += state->redundant;
        solo__dpor_find_races(state);
        if (!backtrack(state)) {
            state->finished = 1;
            return 1;
        }
    }
    state->begun = 1;
    clear_schedule(state);
    return 0;
}

static void end(void *opaque, int ending)
{
    struct solo__dpor_state *state = opaque;
    state->came_to_rest = ending == SOLO_ENDING_QUIET || ending == SOLO_ENDING_DEADLOCK || state->redundant;
    if (state->position < state->depth && state->diverged_at == 0) {
        state->diverged_at = state->position + 1;
    }
}

const struct solo_strategy solo__strategy_dpor = {
    .name = "dpor", .begin = begin, .choose = choose, .step = step, .end = end};
