/*
 * strategy_dpor.c - the search of dpor.h: the path, who sleeps, and what each step touches.
 *
 * Invariant: nodes[0 .. depth) are the choices of the schedule that ran last; what lies before it in the order of the
 * search has been tried, or is equivalent to something that has. The path survives the schedule, and a crash.
 */
#include "draw.h"
#include "strategy.h"
#include <string.h>

enum { NOBODY = 0xfffe };
#define EVERYTHING ((struct solo__footprint){UINT64_MAX, UINT64_MAX})

/* ---- Steps ---- */

/* The step under way is over: whoever slept and depends on it wakes. */
static void finish_step(struct solo__dpor_state *state)
{
    if (state->running == NOBODY) {
        return;
    }
    const struct solo__footprint *done = &state->footprint;
    uint32_t node = state->step_count != 0 ? state->steps[state->step_count - 1].node : 0;
    if (node != 0 && node <= state->depth) {
        const struct solo__dpor_node *at = &state->nodes[node - 1];
        struct solo__dpor_option *option = &state->options[at->first_option + at->chosen];
        option->footprint.reads |= done->reads;
        option->footprint.writes |= done->writes;
    }
    for (uint32_t i = 0; i < state->thread_count; i++) {
        struct solo__dpor_thread *thread = &state->threads[i];
        if (thread->asleep && (state->running == SOLO__DPOR_TIME || state->running == i ||
                               solo__footprints_conflict(&thread->footprint, done))) {
            thread->asleep = 0;
        }
    }
    state->running = NOBODY;
}

/* Notes which threads can run at this decision; one that could not before was let go by the step that was last. */
static void note_enabled(struct solo__dpor_state *state, uint16_t thread)
{
    struct solo__dpor_thread *known = &state->threads[thread];
    bool ran_last = state->step_count != 0 && state->steps[state->step_count - 1].thread == thread;
    if (known->enabled_at != state->decisions - 1 && !ran_last) {
        known->woken_by = state->step_count;
    }
    known->enabled_at = state->decisions;
    state->thread_count = thread >= state->thread_count ? thread + 1u : state->thread_count;
}

static void begin_step(struct solo__dpor_state *state, uint16_t thread)
{
    if (state->running != NOBODY || state->pending_node == 0) { /* nobody was asked: nobody else could run */
        finish_step(state);
        state->decisions++;
        if (thread != SOLO__DPOR_TIME) {
            note_enabled(state, thread);
        }
        state->pending_node = 0;
    }
    state->running = thread;
    state->footprint = (struct solo__footprint){0, 0};
    if (state->step_count == SOLO__DPOR_STEPS_MAX) {
        state->cut = 1;
        return;
    }
    struct solo__dpor_step *step = &state->steps[state->step_count++];
    *step = (struct solo__dpor_step){.node = state->pending_node, .first_touch = state->touch_count, .thread = thread};
    state->pending_node = 0;
    if (thread != SOLO__DPOR_TIME) {
        struct solo__dpor_thread *known = &state->threads[thread];
        state->redundant |= known->asleep;
        step->number = ++known->steps;
        step->after = known->woken_by;
        known->woken_by = 0;
        known->last = state->step_count;
    }
}

/* ---- What a step touches ---- */

static uint32_t *slot_of(struct solo__dpor_state *state, uint32_t key)
{
    uint32_t slot = (key * UINT32_C(0x9e3779b1)) >> 16 & (SOLO__DPOR_SLOTS - 1);
    for (uint32_t tries = 0; tries < SOLO__DPOR_SLOTS; tries++, slot = (slot + 1) & (SOLO__DPOR_SLOTS - 1)) {
        if (state->slots[slot].key == key) {
            return &state->slots[slot].last;
        }
        if (state->slots[slot].key == 0) {
            state->slots[slot].key = key;
            return &state->slots[slot].last;
        }
    }
    return NULL;
}

static void add_touch(struct solo__dpor_state *state, const struct solo__touch *touch)
{
    uint32_t *last = slot_of(state, touch->key);
    if (last == NULL || state->touch_count == SOLO__DPOR_TOUCHES_MAX || state->step_count == 0) {
        state->cut = 1;
        return;
    }
    state->touches[state->touch_count] =
        (struct solo__dpor_touch){touch->key, state->step_count - 1, *last, touch->writes};
    *last = ++state->touch_count;
}

/* The bit of a key. Words of memory are known by their address, because their numbers depend on the schedule. */
static void leave_footprint(struct solo__dpor_state *state, const struct solo_event *event,
                            const struct solo__touch *touch)
{
    uint64_t key = touch->key;
    if (event->kind == SOLO_PROBE_ACCESS_READ || event->kind == SOLO_PROBE_ACCESS_WRITE) {
        uint32_t number = event->object & 0xffffff;
        uint32_t word = number < SOLO__DPOR_WORDS_MAX ? state->word_of[number] : 0;
        if (word == 0) {
            state->footprint = EVERYTHING;
            return;
        }
        key = (UINT64_C(1) << 32) + word;
    }
    uint64_t bit = UINT64_C(1) << (key * UINT64_C(0x9e3779b97f4a7c15) >> 58);
    state->footprint.reads |= touch->writes ? 0 : bit;
    state->footprint.writes |= touch->writes ? bit : 0;
}

static void touch_all(struct solo__dpor_state *state, const struct solo_event *event)
{
    struct solo__touch touches[SOLO__TOUCHES_MAX];
    unsigned count = solo__touches(event, state->threads[event->thread].works != 0, touches);
    for (unsigned i = 0; i < count; i++) {
        if (touches[i].key != 0) {
            add_touch(state, &touches[i]);
            leave_footprint(state, event, &touches[i]);
        }
    }
}

static bool is_point(unsigned kind)
{
    return solo_probe_kind_is_point(kind) != 0;
}

/* Whoever goes on after a wait goes on with what it waited in. */
static void touch_again(struct solo__dpor_state *state, const struct solo_event *event)
{
    uint8_t point = state->threads[event->thread].point;
    if (point == SOLO_PROBE_LOCK || point == SOLO_PROBE_WAIT || point == SOLO_PROBE_ACCESS_READ ||
        point == SOLO_PROBE_ACCESS_WRITE || point == SOLO_PROBE_SIGNAL) {
        return; /* the events that follow name the object */
    }
    struct solo_event before = {.kind = point, .thread = event->thread, .value = SOLO_QUEUE_WORKER};
    touch_all(state, &before);
}

static void note_past(struct solo__dpor_thread *thread, const struct solo_event *event)
{
    if (event->kind == SOLO_PROBE_THREAD_BEGIN) {
        thread->object = event->object;
    }
    uint64_t what = event->kind | (uint64_t)(event->object == thread->object ? 0 : event->object) << 8;
    thread->past = (thread->past ^ what) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    thread->works |= event->kind == SOLO_PROBE_JOB_WANTED;
    thread->point = is_point(event->kind) ? event->kind : thread->point;
}

/* The step that joins a thread comes after its end, whichever of the two waited. */
static void note_join(struct solo__dpor_state *state, const struct solo_event *event)
{
    for (uint32_t i = 0; i < state->thread_count; i++) {
        if (state->threads[i].object == event->object && state->step_count != 0) {
            state->steps[state->step_count - 1].after_too = state->threads[i].last;
        }
    }
}

static void step(void *opaque, const struct solo_event *event)
{
    struct solo__dpor_state *state = opaque;
    if (event->kind == SOLO_PROBE_TIME) {
        begin_step(state, SOLO__DPOR_TIME);
        return;
    }
    if (event->kind == SOLO_PROBE_CHOICE || event->thread >= SOLO__DPOR_THREADS) {
        return;
    }
    if (state->running != event->thread || is_point(event->kind)) {
        begin_step(state, event->thread);
        if (!is_point(event->kind)) {
            touch_again(state, event);
        }
    }
    note_past(&state->threads[event->thread], event);
    touch_all(state, event);
    if (event->kind == SOLO_PROBE_THREAD_JOIN) {
        note_join(state, event);
    }
}

/* ---- The path ---- */

static bool is_idle_worker(const struct solo__dpor_state *state, const struct solo_option *option)
{
    return option->operation == SOLO_PROBE_JOB_WANTED ||
           (state->threads[option->thread].works && state->threads[option->thread].point == SOLO_PROBE_JOB_WANTED);
}

static void learn_words(struct solo__dpor_state *state, const struct solo_option *option)
{
    uint32_t number = option->object & 0xffffff;
    if (option->address == 0 || number >= SOLO__DPOR_WORDS_MAX || state->word_of[number] != 0) {
        return;
    }
    uint32_t i = 0;
    while (i < state->word_count && state->words[i] != option->address / 8) {
        i++;
    }
    if (i == state->word_count && i < SOLO__DPOR_WORDS_MAX) {
        state->words[state->word_count++] = option->address / 8;
    }
    state->word_of[number] = i < SOLO__DPOR_WORDS_MAX ? i + 1 : 0;
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
        made.footprint = (struct solo__footprint){0, 0};
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

static size_t choose(void *opaque, const struct solo_choice *choice)
{
    struct solo__dpor_state *state = opaque;
    bool of_threads = choice->kind == SOLO_CHOICE_THREAD;
    if (of_threads) {
        finish_step(state);
        state->decisions++;
        for (size_t i = 0; i < solo__thread_options(choice); i++) {
            note_enabled(state, choice->options[i]->thread);
            learn_words(state, choice->options[i]);
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

static void clear_schedule(struct solo__dpor_state *state)
{
    state->position = 0;
    state->step_count = state->touch_count = state->thread_count = 0;
    state->decisions = state->pending_node = 0;
    state->running = NOBODY;
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
        finish_step(state);
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

const struct solo_strategy solo__strategy_dpor = {"dpor", begin, choose, step, end};
