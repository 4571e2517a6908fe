/*
 * choice.h - what may be chosen in the simulated world, and who chooses.
 *
 * Everything that could go either way in world `sim` asks one chooser. Each option is a record, never a bare position.
 * Option 0 is always the plain, fault-free answer: the running thread goes on, else the lowest thread; first in first
 * out; everything at once. The schedule that answers 0 everywhere is called the plain schedule.
 *
 * A strategy is four functions. They are called on the stack of whichever virtual thread reached the choice; they must
 * not call the kit, block, or depend on anything but their state and arguments. Only choices with two or more options
 * are recorded as answers. For speed a strategy can say where it need not be called (struct solo_pass).
 */
#ifndef SOLO_CHOICE_H
#define SOLO_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Part of every token; raised when a choice kind, an option order or a scheduling point changes meaning. */
enum { SOLO_CHOICE_SCHEMA = 2 };

enum solo_choice_kind {
    SOLO_CHOICE_THREAD = 0, /* which virtual thread runs next, or let time pass */
    SOLO_CHOICE_WAITER,     /* which waiter a wake-up goes to */
    SOLO_CHOICE_READY,      /* which ready descriptor is reported next */
    SOLO_CHOICE_JOB,        /* which queued job a worker takes */
    SOLO_CHOICE_WORKER,     /* which idle worker gets a new job */
    SOLO_CHOICE_CHUNK,      /* how many bytes one read delivers */
    SOLO_CHOICE_FAULT,      /* whether a fault happens; asked only with a budget */
    SOLO_CHOICE_KINDS
};

/*
 * What an option or an event does to its object. Two operations on one object depend unless both are reads. WAIT is a
 * WRITE that waits as long as it takes and tries again when it is woken, so that its waiting changes nothing.
 */
enum solo_access { SOLO_ACCESS_NONE = 0, SOLO_ACCESS_READ = 1, SOLO_ACCESS_WRITE = 2, SOLO_ACCESS_WAIT = 6 };

/* One thing that could be done next. 32 bytes; pointer-free except for the address range of memory accesses. */
struct solo_option {
    uint32_t tag;    /* stable within the schedule: thread id, waiter's thread id, descriptor, job number, byte count */
    uint16_t thread; /* the virtual thread concerned */
    uint8_t operation; /* enum solo_probe_kind: what that thread is about to do */
    uint8_t access;    /* enum solo_access */
    uint32_t object;   /* object id (solo_object_name prints it), 0 if none */
    uint32_t contract; /* 1 + index in the contract table of the call about to be made, 0 if none */
    uintptr_t address; /* start of the memory range about to be touched, 0 if none; never recorded */
    uint32_t size;     /* of that range */
    uint32_t reserved;
};

#define SOLO_TAG_TIME 0xffffffffu /* the tag of "let time pass to the next deadline" */

struct solo_choice {
    enum solo_choice_kind kind;
    uint16_t thread;                          /* who asks */
    uint32_t index;                           /* how many choices were recorded before this one */
    uint64_t step;                            /* events executed so far */
    uint16_t check;                           /* over every event so far and `count` */
    const struct solo_option *const *options; /* options[0] is the plain answer */
    size_t count;                             /* at least 2 */
};

/* An answer as recorded; 8 bytes. The log's answers are written before they take effect. */
struct solo_answer {
    uint16_t chosen; /* index of the option taken */
    uint16_t count;  /* how many there were */
    uint8_t kind;    /* enum solo_choice_kind */
    uint8_t reserved;
    uint16_t check; /* the choice's */
};

struct solo_event; /* probe.h */

/*
 * Where a strategy does not want to be asked, in the schedule under way. A thread that has the turn and is about to
 * touch the schedule's n-th word of memory goes on without choose being called if no other thread can run, or `left` is
 * above 0 and none became able to run since choose was called last; if time cannot pass; and if word[n] is one of
 * these: its number + 1, or one of the two below. The plain answer is recorded as ever, and if there was a choice
 * `left` falls and `used` rises by one.
 *
 * A strategy gives such a pass where its answer would be the plain one; or where a word is touched by one thread only:
 * then whoever could have gone first can go first at that thread's next point just as well.
 */
enum { SOLO_PASS_WORDS = 1024, SOLO_PASS_ANYONE_TELLS = 254, SOLO_PASS_ANYONE = 255 };

struct solo_pass {
    uint32_t left;                 /* set to 0 by whatever lets another thread run */
    uint32_t used;                 /* counted up; set back by nobody but the strategy */
    uint8_t word[SOLO_PASS_WORDS]; /* with SOLO_PASS_ANYONE_TELLS step is called as ever, with the others it is not */
};

struct solo_strategy {
    const char *name;
    /*
     * A new schedule begins. Returns 0, or 1 if the strategy has nothing left to try. `seed` is fresh for each
     * schedule.
     */
    int (*begin)(void *state, uint64_t seed);
    /*
     * Returns the index of the option to take; choice->count or more gives up: the run ends with SOLO_ENDING_DIVERGED.
     */
    size_t (*choose)(void *state, const struct solo_choice *choice);
    /*
     * Told of every executed event, also where there was one option, but for what find_pass and skips_choices leave
     * out. May be NULL.
     */
    void (*step)(void *state, const struct solo_event *event);
    /* The schedule has ended with this ending (enum solo_ending). May be NULL. */
    void (*end)(void *state, int ending);
    /* Where the state keeps its pass, filled in by begin, choose and step. NULL: it has none, and is always asked. */
    struct solo_pass *(*find_pass)(void *state);
    bool skips_choices; /* step is not told of SOLO_PROBE_CHOICE: half of all events, which choose knows already */
};

#ifdef __cplusplus
}
#endif
#endif
