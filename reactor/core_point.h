/*
 * core_point.h - a scheduling point: who runs next, and what is written down of it. Included by core.c and
 * core_access.c.
 *
 * Exploring means passing points, some hundreds in each schedule, so all of it is inline in the functions that
 * announce them; the rare ways (nobody can run, time may pass, somebody watches) are out of line in core.c.
 */
#ifndef SOLO__CORE_POINT_H
#define SOLO__CORE_POINT_H

#include "core_ready.h"

void solo__probe_deliver(const struct solo_event *event);

/* The event is kept, if events are; it was the last one that is allowed, if it was; the answer is told, like others. */
void core_keep_event(struct core *core, const struct solo_event *event);
void core_limit_events(struct core *core);
void core_tell_answer(struct core *core, enum solo_choice_kind kind, size_t chosen, bool tells);

/* ---- Events and the trace hash ---- */

/* One multiplication for most events, whose value is 0. */
static inline uint64_t mix(uint64_t hash, const struct core *core, unsigned thread, enum solo_probe_kind kind,
                           uint32_t object, uint64_t value)
{
    uint64_t what = object | (uint64_t)kind << 32 | (uint64_t)thread << 40;
    hash = (hash ^ (what + core->now_mixed)) * UINT64_C(0x9e3779b97f4a7c15);
    if (value != 0) {
        hash = (hash ^ hash >> 29 ^ value) * UINT64_C(0xbf58476d1ce4e5b9);
    }
    return hash ^ hash >> 32;
}

/* Whether the event of this number is kept or watched, or may be one too many; the strategy aside. */
static inline bool is_noted(const struct core *core, uint64_t number)
{
    return __builtin_expect(number >= core->keeps_from || solo__probe_watched != 0, 0);
}

/* Whoever has to hear of the event hears of it. It is the last one, and counted. `tells`: the strategy too. */
static inline void tell(struct core *core, unsigned thread, enum solo_probe_kind kind, enum solo_access access,
                        uint32_t object, uint64_t value, bool tells)
{
    uint64_t number = core->log->events_count;
    struct solo_event event = {number, core->now_ns, value, object, (uint16_t)thread, (uint8_t)kind, (uint8_t)access};
    bool is_kept = number >= core->keeps_from;
    if (__builtin_expect(is_kept, 0)) {
        core_keep_event(core, &event);
    }
    if (tells && core->step != NULL) {
        core_quiet_begin(core);
        core->step(core->strategy_state, &event);
        core_quiet_end(core);
    }
    if (__builtin_expect(solo__probe_watched != 0, 0)) {
        core_quiet_begin(core);
        solo__probe_deliver(&event);
        core_quiet_end(core);
    }
    if (__builtin_expect(is_kept, 0)) {
        core_limit_events(core);
    }
}

/* The strategy hears of it. */
static inline void record(struct core *core, unsigned thread, enum solo_probe_kind kind, enum solo_access access,
                          uint32_t object, uint64_t value)
{
    core->log->trace_hash = mix(core->log->trace_hash, core, thread, kind, object, value);
    core->log->events_count++;
    tell(core, thread, kind, access, object, value, true);
}

/* ---- The chooser ---- */

/*
 * What a replay compares at a choice: all that has happened, and how much is offered now. What a thread was about to do
 * is an event as soon as it has done it.
 */
static inline uint16_t check_of(const struct solo_sim_log *log, size_t count)
{
    return (uint16_t)(log->trace_hash >> 48 ^ count);
}

static inline void write_answer(struct solo_sim_log *log, enum solo_choice_kind kind, size_t count, uint16_t check,
                                size_t chosen)
{
    uint32_t index = log->answers_count++;
    if (index < log->answers_max) {
        log->answers[index] = (struct solo_answer){(uint16_t)chosen, (uint16_t)count, (uint8_t)kind, 0, check};
    }
}

/* The answer is an event too, which the hash takes in if it is not the plain one. */
static inline void record_answer(struct core *core, enum solo_choice_kind kind, size_t count, uint16_t check,
                                 size_t chosen, bool tells)
{
    struct solo_sim_log *log = core->log;
    unsigned thread = core->current->index;
    write_answer(log, kind, count, check, chosen);
    if (chosen != 0) {
        log->deviations++;
        log->trace_hash = mix(log->trace_hash, core, thread, SOLO_PROBE_CHOICE, (uint32_t)kind, chosen);
    }
    log->events_count++;
    if (tells || is_noted(core, log->events_count)) {
        core_tell_answer(core, kind, chosen, tells);
    }
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

/* At least two options. */
static inline size_t choose(struct core *core, enum solo_choice_kind kind, const struct solo_option *const *options,
                            size_t count)
{
    uint16_t check = check_of(core->log, count);
    size_t chosen = core->strategy != NULL ? ask(core, kind, options, count, check) : 0;
    record_answer(core, kind, count, check, chosen, core->hears_choices);
    return chosen;
}

/* ---- Who runs next ---- */

/* The same where nobody can run, or time may pass. */
struct core_thread *core_pick_with_time(struct core *core, struct core_thread *current);

/*
 * Returns who runs next: a thread, or home when the run has ended. `current` has just reached a point, blocked or
 * ended. What can be chosen are the runnable threads and, where it may pass, time.
 */
static inline struct core_thread *pick(struct core *core, struct core_thread *current)
{
    uint32_t count = core->ready_count;
    if (count == 0 || (core->timed_count != 0 && core->let_time_pass)) {
        return core_pick_with_time(core, current);
    }
    if (count == 1 || core->closing) {
        return core->threads[core->ready[0]->thread];
    }
    uint32_t taken = (uint32_t)choose(core, SOLO_CHOICE_THREAD, core->ready, count);
    struct core_thread *next = core->threads[core->ready[taken]->thread];
    if (taken != 0) {
        ready_put_first(core, current, taken);
    }
    return next;
}

static inline void reschedule(struct core *core, struct core_thread *current)
{
    struct core_thread *next = pick(core, current);
    if (next != current) {
        core_switch(core, current, next);
    }
}

#endif
