/*
 * detail.c - what the process that made a finding says about it in words: its stacks, and the last events with names.
 */
#include <solo/detail.h>
#include <solo/thread.h>
#include <stdbool.h>
#include <string.h>

/* What helps to see how a run got where it is; the rest is bookkeeping. */
static bool is_worth_reading(const struct solo_event *event)
{
    switch (event->kind) {
    case SOLO_PROBE_NONE:
    case SOLO_PROBE_THREAD_BEGIN:
    case SOLO_PROBE_LOCKED:
    case SOLO_PROBE_WAITED:
    case SOLO_PROBE_UNBLOCK:
    case SOLO_PROBE_PASS:
    case SOLO_PROBE_POLLED:
    case SOLO_PROBE_WAKE_SENT:
    case SOLO_PROBE_WAKE_SEEN:
    case SOLO_PROBE_JOB_WANTED:
    case SOLO_PROBE_JOB_FINISHED:
    case SOLO_PROBE_CALLBACK_BEGUN:
    case SOLO_PROBE_CALLBACK_ENDED:
    case SOLO_PROBE_OBJECT_MADE:
    case SOLO_PROBE_OBJECT_ENDED:
    case SOLO_PROBE_EXPECTED:
    case SOLO_PROBE_CONTRACT:
    case SOLO_PROBE_VIOLATION:
    case SOLO_PROBE_CHOICE:
    case SOLO_PROBE_TIME:
    case SOLO_PROBE_PAIR_ADDED:
    case SOLO_PROBE_PAIR_BEGUN:
    case SOLO_PROBE_PAIR_ENDED: return false;
    case SOLO_PROBE_BLOCK:
        return event->value > SOLO_WAIT_PEER && event->value != SOLO_WAIT_SLEEP; /* sleep was said already */
    default: return true;
    }
}

static void put_in_words(struct solo_step_text *step, const struct solo_event *event)
{
    memset(step, 0, sizeof *step);
    step->step = event->step;
    step->now_ns = event->now_ns;
    step->value = event->value;
    step->object = event->object;
    step->thread = event->thread;
    step->kind = event->kind;
    step->access = event->access;
    solo_thread_name_of(event->thread, step->thread_name, sizeof step->thread_name);
    if (event->object != 0) {
        solo_object_name(event->object, step->object_name, sizeof step->object_name);
    }
}

static void take_steps(struct solo_detail *detail, uint64_t last_step, const struct solo_event *events,
                       uint32_t events_max, uint64_t events_count)
{
    uint64_t oldest = events_count > events_max ? events_count - events_max : 0;
    uint32_t place = SOLO_DETAIL_STEPS_MAX;
    for (uint64_t n = events_count; n > oldest && place > 0; n--) {
        const struct solo_event *event = &events[(n - 1) & (events_max - 1)];
        if (event->step <= last_step && is_worth_reading(event)) {
            put_in_words(&detail->steps[--place], event);
        }
    }
    detail->step_count = SOLO_DETAIL_STEPS_MAX - place;
    memmove(detail->steps, &detail->steps[place], detail->step_count * sizeof detail->steps[0]);
}

void solo_detail_take(struct solo_detail *detail, const struct solo_violation *violation,
                      const struct solo_event *events, uint32_t events_max, uint64_t events_count)
{
    if (detail == NULL || violation == NULL) {
        return;
    }
    detail->frame_count = (uint32_t)solo_symbolize_stack(&violation->stack, detail->frames, SOLO_DETAIL_FRAMES_MAX);
    detail->owner_frame_count =
        (uint32_t)solo_symbolize_stack(&violation->owner_stack, detail->owner_frames, SOLO_DETAIL_FRAMES_MAX);
    detail->queued_frame_count =
        (uint32_t)solo_symbolize_stack(&violation->queued_stack, detail->queued_frames, SOLO_DETAIL_FRAMES_MAX);
    detail->step_count = 0;
    if (events != NULL && events_max != 0) {
        take_steps(detail, violation->step != 0 ? violation->step : UINT64_MAX, events, events_max, events_count);
    }
}
