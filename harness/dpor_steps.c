/*
 * dpor_steps.c - the steps of the schedule under way: whose turn it was, who let whom go on, and what each touches.
 *
 * What a step touches is known when it is over. A worker's wish for a job is granted or not; a thread that has to wait
 * for what it wanted has done nothing (dependence.h). Who has to wait is seen by who cannot be chosen any more.
 */
#include "dpor.h"
#include <solo/reactor.h>

/* ---- What a step touches ---- */

static struct solo__dpor_slot *slot_of(struct solo__dpor_state *state, uint32_t key)
{
    uint32_t slot = (key * UINT32_C(0x9e3779b1)) >> 16 & (SOLO__DPOR_SLOTS - 1);
    for (uint32_t tries = 0; tries < SOLO__DPOR_SLOTS; tries++, slot = (slot + 1) & (SOLO__DPOR_SLOTS - 1)) {
        if (state->slots[slot].key == key) {
            return &state->slots[slot];
        }
        if (state->slots[slot].key == 0) {
            state->slots[slot].key = key;
            return &state->slots[slot];
        }
    }
    return NULL;
}

static void add_touch(struct solo__dpor_state *state, const struct solo__touch *touch)
{
    struct solo__dpor_slot *slot = slot_of(state, touch->key);
    if (slot == NULL || state->touch_count == SOLO__DPOR_TOUCHES_MAX || state->step_count == 0) {
        state->cut = 1;
        return;
    }
    state->touches[state->touch_count] = (struct solo__dpor_touch){.key = touch->key,
                                                                   .step = state->step_count - 1,
                                                                   .previous = slot->last,
                                                                   .way = touch->way,
                                                                   .takes = touch->takes,
                                                                   .gives = touch->gives,
                                                                   .waits = touch->waits};
    slot->last = ++state->touch_count;
}

/* The number of a name, + 1; a new one has the next. 0: the table is full, and of its names one more is none. */
static uint32_t number_of(struct solo__dpor_state *state, uintptr_t name)
{
    uint32_t i = 0;
    while (i < state->word_count && state->words[i] != name) {
        i++;
    }
    if (i == state->word_count && i < SOLO__DPOR_WORDS_MAX) {
        state->words[state->word_count++] = name;
    }
    return i < SOLO__DPOR_WORDS_MAX ? i + 1 : 0;
}

/* Keys have names that no word of memory has. Without a number of its own a key shares that of others. */
static void leave_key(struct solo__dpor_state *state, uint32_t key, unsigned way)
{
    struct solo__dpor_slot *slot = slot_of(state, key);
    if (slot != NULL && slot->name == 0) {
        slot->name = number_of(state, UINTPTR_MAX - key);
    }
    solo__footprint_touch(&state->footprint, slot != NULL && slot->name != 0 ? slot->name : key, way);
}

/* Words of memory are known by their address, because their numbers depend on the schedule. */
static void leave_footprint(struct solo__dpor_state *state, const struct solo_event *event,
                            const struct solo__touch *touch)
{
    if (event->kind != SOLO_PROBE_ACCESS_READ && event->kind != SOLO_PROBE_ACCESS_WRITE) {
        leave_key(state, touch->key, touch->way);
        return;
    }
    uint32_t number = event->object & 0xffffff;
    uint32_t word = number < SOLO__DPOR_WORDS_MAX ? state->word_of[number] : 0;
    if (word == 0) {
        state->footprint = solo__footprint_of_all();
    } else {
        solo__footprint_touch(&state->footprint, word, touch->way);
    }
}

void solo__dpor_learn_word(struct solo__dpor_state *state, const struct solo_option *option)
{
    uint32_t number = option->object & 0xffffff;
    if (option->address == 0 || number >= SOLO__DPOR_WORDS_MAX || state->word_of[number] != 0) {
        return;
    }
    state->word_of[number] = number_of(state, option->address / 8);
}

static bool is_service(const struct solo__dpor_state *state, uint32_t object)
{
    uint32_t i = 0;
    while (i < state->service_count && state->services[i] != object) {
        i++;
    }
    return i < state->service_count || i == SOLO__DPOR_SERVICES;
}

static void touch_all(struct solo__dpor_state *state, const struct solo_event *event)
{
    struct solo__touch touches[SOLO__TOUCHES_MAX];
    const struct solo__dpor_thread *thread = &state->threads[event->thread];
    struct solo__toucher who = {.works = thread->works != 0,
                                .ends_loop = thread->ends_loop != 0,
                                .serves = event->kind == SOLO_PROBE_CLOSE && is_service(state, event->object)};
    unsigned count = solo__touches(event, &who, touches);
    for (unsigned i = 0; i < count; i++) {
        if (touches[i].key != 0) {
            add_touch(state, &touches[i]);
            leave_footprint(state, event, &touches[i]);
        }
    }
}

/* The thread's wish for a job has come to this. */
static void touch_wish(struct solo__dpor_state *state, struct solo__dpor_thread *thread, enum solo__wish wish,
                       uint32_t job)
{
    struct solo__touch touches[SOLO__TOUCHES_MAX];
    unsigned count = solo__touches_of_wish(wish, thread->wants, job, touches);
    for (unsigned i = 0; i < count; i++) {
        touches[i].way = thread->sees_many ? SOLO__WRITES : touches[i].way;
        add_touch(state, &touches[i]);
        if (!touches[i].waits) {
            leave_key(state, touches[i].key, touches[i].way);
        } else if (!state->cut) {
            state->touches[state->touch_count - 1].in_vain = SOLO__DPOR_TRIED;
        }
    }
    thread->sees_many = 0;
    thread->wants = wish == SOLO__WISH_WAITS ? thread->wants : 0;
    thread->serves = wish <= SOLO__WISH_WAITS ? thread->serves : 0;
}

/* Whether somebody else is known to work for the pool. One that has not come so far is not known. */
static enum solo__wish leaving(const struct solo__dpor_state *state, const struct solo__dpor_thread *thread)
{
    for (uint32_t i = 0; i < state->thread_count; i++) {
        if (&state->threads[i] != thread && state->threads[i].serves == thread->serves) {
            return SOLO__WISH_LEFT;
        }
    }
    return SOLO__WISH_LEFT_LAST;
}

/* The step under way has written this as well, without saying so. */
static void touch_key(struct solo__dpor_state *state, uint32_t key)
{
    const struct solo__touch touch = {.key = key, .way = SOLO__WRITES};
    add_touch(state, &touch);
    leave_key(state, touch.key, touch.way);
}

/* ---- The end of a step ---- */

/* If all that the step did was to try something that it now waits for, it has done nothing. */
static void forget_attempt(struct solo__dpor_state *state)
{
    uint32_t first = state->steps[state->latest - 1].first_touch;
    bool in_vain = first < state->touch_count;
    for (uint32_t i = first; i < state->touch_count; i++) {
        in_vain = in_vain && state->touches[i].waits != 0;
    }
    for (uint32_t i = first; in_vain && i < state->touch_count; i++) {
        bool may_be_taken = state->touches[i].key != SOLO__KEY_INBOX && state->touches[i].key != SOLO__KEY_READINESS;
        state->touches[i].in_vain = may_be_taken ? SOLO__DPOR_TRIED : SOLO__DPOR_NOTHING;
    }
    if (in_vain) {
        state->footprint = (struct solo__footprint){.reads = {0}};
    }
}

/* Who waits in the kit's own places, which nobody announces: for the workers of a pool, if it has a loop. */
static bool waits_for_pool(const struct solo__dpor_thread *thread)
{
    return thread->loops && thread->blocked_on == 0 && thread->point != SOLO_PROBE_POLL;
}

static void finish_wish(struct solo__dpor_state *state, struct solo__dpor_thread *thread, bool blocks)
{
    if (thread->wants != 0 && state->steps[state->latest - 1].thread == state->running) {
        touch_wish(state, thread, blocks ? SOLO__WISH_WAITS : leaving(state, thread), 0);
    } else if (blocks && waits_for_pool(thread)) {
        touch_key(state, SOLO__KEY_QUEUES);
    } else if (blocks) {
        forget_attempt(state);
    }
}

/* Whoever was woken for what this step has taken away will try in vain, without a word. */
static void note_silent_attempts(struct solo__dpor_state *state)
{
    struct solo__touch touch = {.key = state->took, .way = SOLO__WRITES};
    for (uint32_t i = 0; i < state->thread_count && state->took != 0; i++) {
        struct solo__dpor_thread *thread = &state->threads[i];
        if (i == state->running || thread->blocked_on != state->took || thread->enabled_at != state->decisions ||
            state->step_count == SOLO__DPOR_STEPS_MAX) {
            continue;
        }
        state->steps[state->step_count++] = (struct solo__dpor_step){
            .first_touch = state->touch_count, .thread = (uint16_t)i, .number = ++thread->steps};
        thread->last = state->step_count;
        add_touch(state, &touch);
        if (!state->cut) {
            state->touches[state->touch_count - 1].in_vain = SOLO__DPOR_TRIED;
        }
    }
}

void solo__dpor_finish_step(struct solo__dpor_state *state, bool blocks)
{
    if (state->running == SOLO__DPOR_NOBODY) {
        return;
    }
    if (state->running != SOLO__DPOR_TIME && state->latest != 0 && !state->cut) {
        state->threads[state->running].blocked = blocks;
        finish_wish(state, &state->threads[state->running], blocks);
    }
    const struct solo__footprint *done = &state->footprint;
    uint32_t node = state->latest != 0 ? state->steps[state->latest - 1].node : 0;
    if (node != 0 && node <= state->depth) {
        const struct solo__dpor_node *at = &state->nodes[node - 1];
        solo__footprint_add(&state->options[at->first_option + at->chosen].footprint, done);
    }
    for (uint32_t i = 0; i < state->thread_count; i++) {
        struct solo__dpor_thread *thread = &state->threads[i];
        if (thread->asleep && (state->running == SOLO__DPOR_TIME || state->running == i ||
                               solo__footprints_conflict(&thread->footprint, done))) {
            thread->asleep = 0;
        }
    }
    if (state->running != SOLO__DPOR_TIME && !state->cut) {
        note_silent_attempts(state);
    }
    state->running = SOLO__DPOR_NOBODY;
}

/*
 * The thread can go on: somebody did something to its pool, or to what its loop polls. Of two that may both wake a loop
 * only the first one does, and the loop may go on before the second. So to wake it is no mere addition to what is
 * ready: else, as the loop is after whoever woke it, nobody would ask for the other one to be first.
 */
void solo__dpor_note_wake(struct solo__dpor_state *state, uint16_t thread)
{
    struct solo__dpor_thread *known = &state->threads[thread];
    bool by_others =
        state->running != SOLO__DPOR_NOBODY && state->running != SOLO__DPOR_TIME && state->running != thread;
    if (known->blocked && by_others && known->point == SOLO_PROBE_POLL) {
        touch_key(state, SOLO__KEY_READINESS);
    } else if (known->blocked && by_others && known->wants != 0 && !state->threads[state->running].works) {
        touch_key(state, SOLO__KEY_QUEUES);
    }
    known->blocked = 0;
}

/* Notes which threads can run at this decision; one that could not before was let go by the step that was last. */
void solo__dpor_note_enabled(struct solo__dpor_state *state, uint16_t thread)
{
    struct solo__dpor_thread *known = &state->threads[thread];
    bool ran_last = state->latest != 0 && state->steps[state->latest - 1].thread == thread;
    if (known->enabled_at != state->decisions - 1 && !ran_last) {
        known->woken_by = state->latest;
    }
    known->enabled_at = state->decisions;
    state->thread_count = thread >= state->thread_count ? thread + 1u : state->thread_count;
}

/* Whether the next step is what was chosen; else whoever was chosen has gone back to sleep without a word. */
static bool is_pending(const struct solo__dpor_state *state, uint16_t thread)
{
    if (state->pending_node == 0) {
        return false;
    }
    const struct solo__dpor_node *node = &state->nodes[state->pending_node - 1];
    return state->options[node->first_option + node->chosen].thread == thread;
}

static void begin_step(struct solo__dpor_state *state, uint16_t thread)
{
    if (state->running != SOLO__DPOR_NOBODY ||
        !is_pending(state, thread)) { /* nobody was asked: nobody else could run */
        if (thread != SOLO__DPOR_TIME) {
            solo__dpor_note_wake(state, thread);
        }
        solo__dpor_finish_step(state, state->running != thread);
        state->decisions++;
        if (thread != SOLO__DPOR_TIME) {
            solo__dpor_note_enabled(state, thread);
        }
        state->pending_node = 0;
    }
    state->running = thread;
    state->took = 0;
    state->footprint = (struct solo__footprint){.reads = {0}};
    if (state->step_count == SOLO__DPOR_STEPS_MAX) {
        state->cut = 1;
        return;
    }
    struct solo__dpor_step *step = &state->steps[state->step_count++];
    *step = (struct solo__dpor_step){.node = state->pending_node, .first_touch = state->touch_count, .thread = thread};
    state->pending_node = 0;
    state->latest = state->step_count;
    if (thread != SOLO__DPOR_TIME) {
        struct solo__dpor_thread *known = &state->threads[thread];
        state->redundant |= known->asleep;
        step->number = ++known->steps;
        step->after = known->woken_by;
        known->woken_by = 0;
        known->last = state->step_count;
    }
}

/* ---- Events ---- */

static bool is_point(unsigned kind)
{
    return solo_probe_kind_is_point(kind) != 0;
}

/* Whoever goes on after a wait goes on with what it waited in. */
static void touch_again(struct solo__dpor_state *state, const struct solo_event *event)
{
    uint8_t point = state->threads[event->thread].point;
    if (point == SOLO_PROBE_LOCK || point == SOLO_PROBE_WAIT || point == SOLO_PROBE_ACCESS_READ ||
        point == SOLO_PROBE_ACCESS_WRITE || point == SOLO_PROBE_SIGNAL || point == SOLO_PROBE_JOB_WANTED) {
        return; /* the events that follow name the object */
    }
    struct solo_event before = {
        .kind = point, .thread = event->thread, .object = state->threads[event->thread].point_object};
    touch_all(state, &before);
    if (waits_for_pool(&state->threads[event->thread])) {
        touch_key(state, SOLO__KEY_QUEUES);
    }
}

static void note_past(struct solo__dpor_thread *thread, const struct solo_event *event)
{
    if (event->kind == SOLO_PROBE_THREAD_BEGIN) {
        thread->object = event->object;
    }
    uint64_t what = event->kind | (uint64_t)(event->object == thread->object ? 0 : event->object) << 8;
    thread->past = (thread->past ^ what) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    thread->works |= event->kind == SOLO_PROBE_JOB_WANTED;
    thread->loops |= event->kind == SOLO_PROBE_PASS;
    if (is_point(event->kind)) {
        thread->point = event->kind;
        thread->point_object = event->object;
    }
    if (event->kind == SOLO_PROBE_REACTOR_STATE) {
        thread->ends_loop = event->value == SOLO_REACTOR_STOPPING;
    }
    if (event->kind == SOLO_PROBE_BLOCK) {
        thread->blocked_on = event->value == SOLO_WAIT_MUTEX || event->value == SOLO_WAIT_SEMAPHORE ? event->object : 1;
    } else if (event->kind == SOLO_PROBE_UNBLOCK) {
        thread->blocked_on = 0;
    }
}

/* What this event says of an earlier wish for a job, and which wish it is itself. */
static void note_wish(struct solo__dpor_state *state, const struct solo_event *event)
{
    struct solo__dpor_thread *thread = &state->threads[event->thread];
    bool alone = (event->access & SOLO_ACCESS_WAIT) == SOLO_ACCESS_WAIT; /* with its queue: dependence.h */
    if (thread->wants != 0) {
        bool took = event->kind == SOLO_PROBE_CALL_BEGUN;
        touch_wish(state, thread, took ? SOLO__WISH_TOOK : leaving(state, thread), event->object);
    }
    if (event->kind == SOLO_PROBE_JOB_WANTED) {
        thread->wants = thread->serves = alone ? 0 : event->object;
    }
}

static void note_service(struct solo__dpor_state *state, const struct solo_event *event)
{
    bool connects =
        event->kind == SOLO_PROBE_LISTEN || event->kind == SOLO_PROBE_CONNECT || event->kind == SOLO_PROBE_ACCEPT;
    if (connects && !is_service(state, event->object)) {
        state->services[state->service_count++] = event->object;
    }
}

static void note_taking(struct solo__dpor_state *state, const struct solo_event *event)
{
    if (event->kind == SOLO_PROBE_LOCKED || (event->kind == SOLO_PROBE_WAITED && event->value == 0)) {
        state->took = event->object;
    }
}

/* The step that joins a thread comes after its end, whichever of the two waited. */
static void note_join(struct solo__dpor_state *state, const struct solo_event *event)
{
    for (uint32_t i = 0; i < state->thread_count; i++) {
        if (state->threads[i].object == event->object && state->latest != 0) {
            state->steps[state->latest - 1].after_too = state->threads[i].last;
        }
    }
}

void solo__dpor_step(struct solo__dpor_state *state, const struct solo_event *event)
{
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
    note_wish(state, event);
    note_service(state, event);
    note_taking(state, event);
    touch_all(state, event);
    if (event->kind == SOLO_PROBE_THREAD_JOIN) {
        note_join(state, event);
    }
}
