/*
 * dpor.h - exhaustive search that tries each order of dependent operations once.
 *
 * A schedule is a path of choices; between two of them run transitions: what one thread does from where it is resumed
 * to its next point. Schedules that differ only in the order of transitions that commute are equivalent, and one of
 * each class is enough. After each schedule its races are looked for: pairs of transitions that depend and that nothing
 * else orders. The first one of each could have come second, so where it was chosen another thread is to be tried as
 * well (source sets: Abdulla, Aronis, Jonsson, Sagonas, POPL 2014). A thread whose alternatives were all tried sleeps
 * until something that depends on what it is about to do is done (Godefroid 1996); a schedule in which only sleepers
 * could go on is given up, because it would repeat what was seen.
 *
 * Choices of values (which waiter, which job, how many bytes), faults, and letting time pass, which nothing commutes
 * with, are all tried. If time may pass while somebody can run, it is a transition that races with all before it: then
 * whoever sets the next time limit is tried before them. Idle workers with the same past are not told apart.
 */
#ifndef SOLO__DPOR_H
#define SOLO__DPOR_H

#include "dependence.h"
#include <solo/sim.h>

#if defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { SOLO__DPOR_NODES_MAX = 1 << 10, SOLO__DPOR_OPTIONS_MAX = 1 << 12, SOLO__DPOR_STEPS_MAX = 1 << 11 };
enum { SOLO__DPOR_TOUCHES_MAX = 1 << 12, SOLO__DPOR_CLOCKS_MAX = 1 << 15, SOLO__DPOR_WORDS_MAX = 1 << 9 };
#else
enum { SOLO__DPOR_NODES_MAX = 1 << 15, SOLO__DPOR_OPTIONS_MAX = 1 << 18, SOLO__DPOR_STEPS_MAX = 1 << 16 };
enum { SOLO__DPOR_TOUCHES_MAX = 1 << 18, SOLO__DPOR_CLOCKS_MAX = 1 << 21, SOLO__DPOR_WORDS_MAX = 1 << 12 };
#endif
enum {
    SOLO__DPOR_THREADS = SOLO_SIM_THREADS_MAX,
    SOLO__DPOR_TIME = 0xffff,
    SOLO__DPOR_NOBODY = 0xfffe,
    SOLO__DPOR_SLOTS = 1 << 10
};
enum { SOLO__DPOR_SERVICES = 32 };

/* A choice on the path. Its options lie together, from first_option on. */
struct solo__dpor_node {
    uint32_t first_option;
    uint16_t count, chosen, check;
    uint8_t kind;
};

struct solo__dpor_option {
    uint16_t thread; /* SOLO__DPOR_TIME: lets time pass; of a value: 0 */
    uint8_t wanted;  /* to be tried, or being tried */
    uint8_t done;    /* tried, with everything that can follow */
    uint8_t asleep;  /* trying it here repeats what was seen */
    uint64_t past;   /* of an idle worker; 0: of nobody who could stand for another one */
    struct solo__footprint footprint;
};

/* What one thread did from where it was resumed to its next point. */
struct solo__dpor_step {
    uint32_t node;             /* where it was chosen, + 1; 0: nobody else could run */
    uint32_t number;           /* among its thread's, from 1 */
    uint32_t first_touch;      /* what it touches: up to the next step's */
    uint32_t after, after_too; /* steps + 1 that let it run at all: who woke it, whose end it waited for; 0: none */
    uint16_t thread;           /* SOLO__DPOR_TIME */
};

struct solo__dpor_touch {
    uint32_t key, step;
    uint32_t previous; /* touch of the same key before it, + 1 */
    uint8_t way;       /* enum solo__way */
    uint8_t takes, gives, waits;
    uint8_t in_vain; /* enum solo__dpor_vain */
};

/* Attempts (dependence.h): of something that others took, or of what nobody can take away. */
enum solo__dpor_vain { SOLO__DPOR_DONE, SOLO__DPOR_TRIED, SOLO__DPOR_NOTHING };

/* What is known of a thread in the schedule under way. */
struct solo__dpor_thread {
    uint32_t object; /* its own */
    uint32_t last;   /* its last step, + 1 */
    uint32_t steps;
    uint32_t woken_by;   /* step + 1, for its next step */
    uint32_t enabled_at; /* decision at which it could run last, + 1 */
    uint64_t past;       /* hash over its events: equal for workers that have done the same */
    uint32_t point_object;
    uint32_t wants;      /* the pool that it wants a job of, not knowing yet whether it gets one; 0: none */
    uint32_t serves;     /* the pool that it has wanted jobs of; 0: none, or it has left */
    uint32_t blocked_on; /* the mutex or semaphore that it waits for */
    uint8_t point;       /* kind of its last point */
    uint8_t asleep;
    uint8_t blocked;                  /* it sleeps in the kit, or has been woken and has not gone on yet */
    uint8_t works;                    /* it is a worker */
    uint8_t loops;                    /* it is in a loop, or was */
    uint8_t ends_loop;                /* that loop is stopping */
    uint8_t sees_many;                /* more jobs than can be told apart */
    struct solo__footprint footprint; /* of what it would do, if it sleeps */
};

/* What is known of a key in the schedule under way. */
struct solo__dpor_slot {
    uint32_t key;
    uint32_t last; /* touch + 1 */
    uint32_t name; /* its number, + 1; 0: it has not been asked for */
};

struct solo__dpor_state {
    uint32_t begun;
    uint32_t finished;  /* everything was tried */
    uint32_t cut;       /* a table was full: not everything was */
    uint32_t redundant; /* the schedule repeats what was seen: given up, or not to be counted */
    uint32_t diverged_at;
    uint64_t pruned; /* schedules given up */
    uint32_t floor;  /* choices of the path that stay as they are: of one part of a divided search (division.h) */
    uint32_t depth, position;
    uint32_t option_count, step_count, touch_count;
    uint32_t thread_count;
    uint32_t decisions;               /* of who runs, those without a choice included */
    uint32_t pending_node;            /* the choice that the next step follows from, + 1; 0: none was made */
    uint32_t latest;                  /* step + 1 that some thread really did last */
    uint32_t took;                    /* the mutex or semaphore that the step under way has got; 0: none */
    uint16_t running;                 /* thread of the step under way */
    uint8_t came_to_rest;             /* nobody could run in the end */
    struct solo__footprint footprint; /* of the step under way */
    struct solo__dpor_thread threads[SOLO__DPOR_THREADS];
    struct solo__dpor_node nodes[SOLO__DPOR_NODES_MAX];
    struct solo__dpor_option options[SOLO__DPOR_OPTIONS_MAX];
    struct solo__dpor_step steps[SOLO__DPOR_STEPS_MAX];
    struct solo__dpor_touch touches[SOLO__DPOR_TOUCHES_MAX];
    uint32_t services[SOLO__DPOR_SERVICES]; /* addresses that were listened at, or connected to */
    uint32_t service_count;
    struct solo__dpor_slot slots[SOLO__DPOR_SLOTS]; /* by key */
    uint32_t clocks[SOLO__DPOR_CLOCKS_MAX]; /* of each step: how many steps of each thread come before it, or are it */
    /* Names of what is touched, in the order in which they were first seen: where a word of memory lies, or a key. */
    uintptr_t words[SOLO__DPOR_WORDS_MAX];
    uint32_t word_count;
    uint32_t word_of[SOLO__DPOR_WORDS_MAX]; /* the schedule's n-th word: index + 1 */
    uint32_t time_may_pass;                 /* also while somebody can run; set by whoever knows, and when it is seen */
};

/* The choices that a part of a divided search begins with; their options one after the other. */
struct solo__dpor_path {
    uint32_t length, option_count;
    struct solo__dpor_node *nodes;
    struct solo__dpor_option *options;
};

/* Lets the state search what lies below this path, and nothing else. Words that it knows it goes on knowing. */
void solo__dpor_begin_part(struct solo__dpor_state *state, const struct solo__dpor_path *path);

/* An event of the schedule under way. */
void solo__dpor_step(struct solo__dpor_state *state, const struct solo_event *event);
/* The step under way is over: whoever slept and depends on it wakes. `blocks`: its thread cannot go on. */
void solo__dpor_finish_step(struct solo__dpor_state *state, bool blocks);
/* The thread can go on: before the step that may have let it is over, and at the decision after that. */
void solo__dpor_note_wake(struct solo__dpor_state *state, uint16_t thread);
void solo__dpor_note_enabled(struct solo__dpor_state *state, uint16_t thread);
/* Words of memory have numbers that depend on the schedule; options say their addresses. */
void solo__dpor_learn_word(struct solo__dpor_state *state, const struct solo_option *option);

/* Looks for the races of the schedule that ran, and marks what is to be tried because of them. */
void solo__dpor_find_races(struct solo__dpor_state *state);

#endif
