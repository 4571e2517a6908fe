/* recorder.c - see recorder.h. */
#include "recorder.h"
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

bool recorder_belongs_to_history(const struct solo_event *event)
{
    switch (event->kind) {
    case SOLO_PROBE_BLOCK:
    case SOLO_PROBE_UNBLOCK:
    case SOLO_PROBE_TIME:
    case SOLO_PROBE_WAKE_SENT:
    case SOLO_PROBE_WAKE_SEEN: return false;
    case SOLO_PROBE_CHOICE: return event->object == SOLO_CHOICE_READY || event->object == SOLO_CHOICE_CHUNK;
    default: return true;
    }
}

/* ---- Notes ---- */

static void mark(struct recorder *recorder, uint32_t step, enum recorder_mark mark)
{
    if (step < RECORDER_STEPS_MAX) {
        recorder->marks[step] |= (uint8_t)mark;
    }
}

static void note_gift(struct recorder *recorder, const struct solo_event *event)
{
    uint32_t count = recorder->gift_count;
    if ((event->kind == SOLO_PROBE_CALL_ACCEPTED || event->kind == SOLO_PROBE_WORKER_QUIT) &&
        count < RECORDER_GIFTS_MAX) {
        recorder->gifts[count].object = event->object;
        recorder->gifts[count].step = recorder->record->latest;
        recorder->gifts[count].number = mix(recorder->histories[event->thread], event->thread);
        recorder->gift_count++;
    }
}

/* The first gift of this name, + 1: of two ends of one worker the second is refused. 0: none. */
static uint32_t gift_of(const struct recorder *recorder, uint32_t object)
{
    uint32_t i = 0;
    while (i < recorder->gift_count && recorder->gifts[i].object != object) {
        i++;
    }
    return i < recorder->gift_count ? i + 1 : 0;
}

/* What has become of the wish of a worker that is alone with its queue: work, or the end. */
static void note_end_of_wish(struct recorder *recorder, const struct solo_event *event)
{
    uint32_t wish = recorder->wishes[event->thread].step, latest = recorder->record->latest;
    uint32_t object = event->kind == SOLO_PROBE_CALL_BEGUN ? event->object : recorder->wishes[event->thread].object;
    uint32_t gift = gift_of(recorder, object);
    if (wish != latest) {
        mark(recorder, wish - 1, RECORDER_LATER);
    }
    if (gift != 0) {
        recorder->record->steps[latest - 1].after_too = recorder->gifts[gift - 1].step;
    }
    recorder->wishes[event->thread].step = 0;
}

static void note(struct recorder *recorder, const struct solo_event *event)
{
    uint32_t latest = recorder->record->latest;
    if (event->kind == SOLO_PROBE_BLOCK) {
        if (event->value == SOLO_WAIT_JOIN) {
            mark(recorder, latest - 1, RECORDER_LATER);
            recorder->record->steps[latest - 1].after_too = 0; /* that end is still to come */
        }
        return;
    }
    if (recorder->wishes[event->thread].step != 0) {
        note_end_of_wish(recorder, event);
    }
    if (event->kind == SOLO_PROBE_JOB_WANTED && (event->access & SOLO_ACCESS_WAIT) == SOLO_ACCESS_WAIT) {
        recorder->wishes[event->thread].step = latest;
        recorder->wishes[event->thread].object = event->object;
    }
    if (event->kind == SOLO_PROBE_WORKER_QUIT) {
        mark(recorder, latest - 1, RECORDER_LAST);
    }
    note_gift(recorder, event);
}

static void add_to_history(struct recorder *recorder, const struct solo_event *event)
{
    uint64_t *history = &recorder->histories[event->thread];
    uint32_t gift = event->kind == SOLO_PROBE_CALL_BEGUN ? gift_of(recorder, event->object) : 0;
    *history = mix(*history, event->kind);
    if (gift != 0) {
        *history = mix(*history, recorder->gifts[gift - 1].number);
    } else if (event->kind == SOLO_PROBE_CHOICE) {
        *history = mix(*history, event->value);
    }
}

/* ---- The strategy ---- */

static int begin(void *opaque, uint64_t seed)
{
    struct recorder *recorder = opaque;
    recorder->record->begun = recorder->record->depth = recorder->record->cut = 0;
    recorder->gift_count = 0;
    memset(recorder->histories, 0, sizeof recorder->histories);
    memset(recorder->marks, 0, sizeof recorder->marks);
    memset(recorder->wishes, 0, sizeof recorder->wishes);
    (void)solo__strategy_dpor.begin(recorder->record, seed);
    return recorder->leader->begin(recorder->leader_state, seed);
}

/* The search takes it for its first schedule, in which nobody sleeps, and is told what was chosen. */
static size_t choose(void *opaque, const struct solo_choice *choice)
{
    struct recorder *recorder = opaque;
    struct solo__dpor_state *record = recorder->record;
    size_t chosen = recorder->leader->choose(recorder->leader_state, choice);
    (void)solo__strategy_dpor.choose(record, choice);
    if (record->depth != 0 && !record->cut && chosen < choice->count) {
        record->nodes[record->depth - 1].chosen = (uint16_t)chosen;
    }
    return chosen;
}

static void step(void *opaque, const struct solo_event *event)
{
    struct recorder *recorder = opaque;
    solo__strategy_dpor.step(recorder->record, event);
    if (recorder->leader->step != NULL) {
        recorder->leader->step(recorder->leader_state, event);
    }
    if (event->thread >= SOLO_SIM_THREADS_MAX) {
        return;
    }
    if (recorder->record->latest != 0 && event->kind != SOLO_PROBE_CHOICE && event->kind != SOLO_PROBE_TIME) {
        note(recorder, event);
    }
    if (recorder_belongs_to_history(event)) {
        add_to_history(recorder, event);
    }
}

static void end(void *opaque, int ending)
{
    struct recorder *recorder = opaque;
    recorder->ending = ending;
    solo__dpor_finish_step(recorder->record, true);
    solo__strategy_dpor.end(recorder->record, ending);
    if (recorder->leader->end != NULL) {
        recorder->leader->end(recorder->leader_state, ending);
    }
}

const struct solo_strategy recorder_strategy = {
    .name = "recorder", .begin = begin, .choose = choose, .step = step, .end = end};

struct recorder *recorder_make(const struct solo_strategy *leader, void *leader_state)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL) {
        return NULL;
    }
    recorder->leader = leader;
    recorder->leader_state = leader_state;
    recorder->record = calloc(1, sizeof *recorder->record);
    if (recorder->record == NULL ||
        solo_strategy_prepare(&solo__strategy_dpor, recorder->record, SOLO_DELAY_UNBOUNDED) < 0) {
        recorder_end(recorder);
        return NULL;
    }
    return recorder;
}

void recorder_end(struct recorder *recorder)
{
    if (recorder != NULL) {
        free(recorder->record);
        free(recorder);
    }
}
