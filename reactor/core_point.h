/*
 * core_point.h - a scheduling point: who runs next, and what is written down of it. Included by core.c and
 * core_access.c.
 *
 * Exploring means passing points, some hundreds in each schedule, so all of it is inline in the two functions that
 * announce them; the rare ways (nobody can run, time may pass, somebody watches) are out of line in core.c.
 */
#ifndef SOLO__CORE_POINT_H
#define SOLO__CORE_POINT_H

#include "core_ready.h"

void solo__probe_deliver(const struct solo_event *event);

/* ---- Events and the trace hash ---- */

static inline uint64_t mix(uint64_t hash, uint64_t now_mixed, const struct solo_event *event)
{
    uint64_t what = event->object | (uint64_t)event->kind << 32 | (uint64_t)event->thread << 40;
    hash = (hash ^ what) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
    hash = (hash ^ (event->value + now_mixed)) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

/* `tells`: the strategy hears of it. */
static inline void record(struct core *core, unsigned thread, enum solo_probe_kind kind, enum solo_access access,
                          uint32_t object, uint64_t value, bool tells)
{
    struct solo_sim_log *log = core->log;
    uint64_t before = log->events_count;
    const struct solo_event event = {before + 1,       core->now_ns,  value,          object,
                                     (uint16_t)thread, (uint8_t)kind, (uint8_t)access};
    log->trace_hash = mix(log->trace_hash, core->now_mixed, &event);
    log->events_count = before + 1;
    if (log->events_max != 0) {
        log->events[before & (log->events_max - 1)] = event;
    }
    if (tells && core->step != NULL) {
        struct solo_event told = event;
        core_quiet_begin(core);
        core->step(core->strategy_state, &told);
        core_quiet_end(core);
    }
    if (__builtin_expect(solo__probe_watched != 0, 0)) {
        struct solo_event told = event;
        core_quiet_begin(core);
        solo__probe_deliver(&told);
        core_quiet_end(core);
    }
    if (__builtin_expect(before + 1 >= core->steps_max && !core->closing, 0)) {
        core_end(core, SOLO_ENDING_STEPS);
    }
}

/* ---- The chooser ---- */

static inline uint16_t roll(uint32_t *check, const struct solo_option *const *options, size_t count, unsigned kind)
{
    uint32_t sum = *check * UINT32_C(0x01000193) ^ (kind << 16 | (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct solo_option *option = options[i];
        sum = (sum ^ option->tag ^ (uint32_t)option->operation << 24 ^ option->object) * UINT32_C(0x9e3779b1);
        sum ^= sum >> 15;
    }
    *check = sum;
    return (uint16_t)(sum >> 16 ^ sum);
}

/* Asks the strategy. */
static inline size_t ask(struct core *core, enum solo_choice_kind kind, const struct solo_option *const *options,
                         size_t count, uint16_t check)
{
    const struct solo_sim_log *log = core->log;
    struct solo_choice choice = {kind, core->current->index, log->answers_count, log->events_count, check, options,
                                 count};
    core_quiet_begin(core);
    size_t chosen = core->strategy->choose(core->strategy_state, &choice);
    core_quiet_end(core);
    if (__builtin_expect(chosen >= count, 0)) {
        core_end(core, SOLO_ENDING_DIVERGED);
    }
    return chosen;
}

/* `asks`: it is the strategy that answers, if there is one; otherwise plainly. At least two options. */
static inline size_t choose(struct core *core, enum solo_choice_kind kind, const struct solo_option *const *options,
                            size_t count, bool asks)
{
    struct solo_sim_log *log = core->log;
    uint16_t check = roll(&log->check, options, count, kind);
    size_t chosen = asks && core->strategy != NULL ? ask(core, kind, options, count, check) : 0;
    uint32_t index = log->answers_count++;
    if (index < log->answers_max) {
        log->answers[index] = (struct solo_answer){(uint16_t)chosen, (uint16_t)count, (uint8_t)kind, 0, check};
    }
    log->deviations += chosen != 0;
    record(core, core->current->index, SOLO_PROBE_CHOICE, SOLO_ACCESS_NONE, (uint32_t)kind, chosen,
           asks && core->hears_choices);
    return chosen;
}

/* ---- Who runs next ---- */

/* The same where nobody can run, or time may pass. */
struct core_thread *core_pick_with_time(struct core *core, struct core_thread *current);

/*
 * Returns who runs next: a thread, or home when the run has ended. `current` has just reached a point, blocked or
 * ended. What can be chosen are the runnable threads and, where it may pass, time. `passes`: `current` goes on, and
 * nobody is asked.
 */
static inline struct core_thread *pick(struct core *core, struct core_thread *current, bool passes)
{
    uint32_t count = core->ready_count;
    if (count == 0 || (core->timed_count != 0 && core->let_time_pass)) {
        return core_pick_with_time(core, current);
    }
    if (count == 1 || core->closing) {
        return core->threads[core->ready[0]->thread];
    }
    uint32_t taken = (uint32_t)choose(core, SOLO_CHOICE_THREAD, core->ready, count, !passes);
    struct core_thread *next = core->threads[core->ready[taken]->thread];
    if (taken != 0) {
        ready_put_first(core, current, taken);
    }
    return next;
}

static inline void reschedule(struct core *core, struct core_thread *current, bool passes)
{
    struct core_thread *next = pick(core, current, passes);
    if (next != current) {
        core_switch(core, current, next);
    }
}

#endif
