/*
 * turns.h - a schedule as turns: which thread runs until it has done how much.
 *
 * Answers by number mean something else as soon as one before them changes. Turns do not: each says how far its thread
 * gets, counted in that thread's own events, so that a turn left out or moved leaves the others what they were.
 */
#ifndef SOLO__TURNS_H
#define SOLO__TURNS_H

#include <solo/probe.h>
#include <solo/sim.h>
#include <stdbool.h>

enum { SOLO__TURNS_MAX = 4096, SOLO__TURN_OF_TIME = 0xffff };

struct solo__turn {
    uint16_t thread; /* SOLO__TURN_OF_TIME: the chooser let time pass */
    uint16_t reserved;
    uint32_t until; /* it has executed so many events */
};

/* What is chosen besides who runs next: in order, with the kind of choice. */
struct solo__other_answer {
    uint16_t chosen;
    uint8_t kind;
    uint8_t reserved;
};

struct solo__turns {
    uint32_t count; /* 0: no turns are followed */
    uint32_t others_count;
    uint32_t next, others_next;
    uint32_t done[SOLO_SIM_THREADS_MAX]; /* events that each thread has executed */
    struct solo__turn turns[SOLO__TURNS_MAX];
    struct solo__other_answer others[SOLO__TURNS_MAX];
};

/* Reads the turns of a run from all of its events. False: there are too many to be kept. */
bool solo__turns_read(struct solo__turns *turns, const struct solo_event *events, uint32_t events_max,
                      uint64_t events_count);

/* As a strategy: at the beginning, for each choice, after each event. */
void solo__turns_begin(struct solo__turns *turns);
size_t solo__turns_choose(struct solo__turns *turns, const struct solo_choice *choice);
void solo__turns_step(struct solo__turns *turns, const struct solo_event *event);

/* Leaves out `length` turns: what they did is done when their threads' next turns come, or in the plain order. */
void solo__turns_drop(struct solo__turns *turns, uint32_t first, uint32_t length);

/* Lets the turn go on into the next one of its thread, which falls away. False: it has none. */
bool solo__turns_join(struct solo__turns *turns, uint32_t index);

#endif
