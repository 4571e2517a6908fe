/* turns.c - a schedule as turns: which thread runs until it has done how much. */
#include "turns.h"
#include <string.h>

static bool counts(const struct solo_event *event)
{
    return event->kind != SOLO_PROBE_CHOICE && event->kind != SOLO_PROBE_TIME && event->thread < SOLO_SIM_THREADS_MAX;
}

/* ---- Reading ---- */

static bool add_turn(struct solo__turns *turns, uint16_t thread, uint32_t until)
{
    if (turns->count != 0 && turns->turns[turns->count - 1].thread == thread && thread != SOLO__TURN_OF_TIME) {
        turns->turns[turns->count - 1].until = until;
        return true;
    }
    if (turns->count == SOLO__TURNS_MAX) {
        return false;
    }
    turns->turns[turns->count++] = (struct solo__turn){thread, 0, until};
    return true;
}

static bool add_other(struct solo__turns *turns, const struct solo_event *choice)
{
    if (turns->others_count == SOLO__TURNS_MAX) {
        return false;
    }
    turns->others[turns->others_count++] =
        (struct solo__other_answer){(uint16_t)choice->value, (uint8_t)choice->object, 0};
    return true;
}

bool solo__turns_read(struct solo__turns *turns, const struct solo_event *events, uint32_t events_max,
                      uint64_t events_count)
{
    bool chosen = false, fits = events_count <= events_max;
    memset(turns, 0, sizeof *turns);
    for (uint64_t i = 0; i < events_count && fits; i++) {
        const struct solo_event *event = &events[i & (events_max - 1)];
        if (counts(event)) {
            fits = add_turn(turns, event->thread, ++turns->done[event->thread]);
        } else if (event->kind == SOLO_PROBE_CHOICE && event->object != SOLO_CHOICE_THREAD) {
            fits = add_other(turns, event);
        } else if (event->kind == SOLO_PROBE_TIME && chosen) {
            fits = add_turn(turns, SOLO__TURN_OF_TIME, 0);
        }
        chosen = event->kind == SOLO_PROBE_CHOICE && event->object == SOLO_CHOICE_THREAD;
    }
    return fits;
}

/* ---- Following ---- */

void solo__turns_begin(struct solo__turns *turns)
{
    turns->next = turns->others_next = 0;
    memset(turns->done, 0, sizeof turns->done);
}

void solo__turns_step(struct solo__turns *turns, const struct solo_event *event)
{
    if (counts(event)) {
        turns->done[event->thread]++;
    }
}

/* The option that this turn wants; choice->count if it is not offered. */
static size_t option_of(const struct solo__turn *turn, const struct solo_choice *choice)
{
    bool time = turn->thread == SOLO__TURN_OF_TIME;
    size_t option = 0;
    while (option < choice->count) {
        bool is_time = choice->options[option]->tag == SOLO_TAG_TIME;
        if (is_time == time && (time || choice->options[option]->thread == turn->thread)) {
            break;
        }
        option++;
    }
    return option;
}

static size_t choose_thread(struct solo__turns *turns, const struct solo_choice *choice)
{
    while (turns->next < turns->count) {
        const struct solo__turn *turn = &turns->turns[turns->next];
        bool time = turn->thread == SOLO__TURN_OF_TIME;
        bool over = !time && turns->done[turn->thread] >= turn->until;
        size_t option = over ? choice->count : option_of(turn, choice);
        turns->next += time || option == choice->count;
        if (option < choice->count) {
            return option;
        }
    }
    return 0;
}

size_t solo__turns_choose(struct solo__turns *turns, const struct solo_choice *choice)
{
    if (choice->kind == SOLO_CHOICE_THREAD) {
        return choose_thread(turns, choice);
    }
    if (turns->others_next == turns->others_count || turns->others[turns->others_next].kind != choice->kind) {
        return 0;
    }
    uint16_t chosen = turns->others[turns->others_next++].chosen;
    return chosen < choice->count ? chosen : 0;
}

/* ---- Changing ---- */

void solo__turns_drop(struct solo__turns *turns, uint32_t first, uint32_t length)
{
    uint32_t after = first + length;
    memmove(&turns->turns[first], &turns->turns[after], (turns->count - after) * sizeof turns->turns[0]);
    turns->count -= length;
}

bool solo__turns_join(struct solo__turns *turns, uint32_t index)
{
    struct solo__turn *turn = &turns->turns[index];
    for (uint32_t i = index + 1; i < turns->count && turn->thread != SOLO__TURN_OF_TIME; i++) {
        if (turns->turns[i].thread == turn->thread) {
            turn->until = turns->turns[i].until;
            solo__turns_drop(turns, i, 1);
            return true;
        }
    }
    return false;
}
