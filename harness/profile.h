/*
 * profile.h - what earlier schedules showed of a program: its threads, the objects they share, and its places.
 *
 * Strategies that weigh their choices ask it how much each thread still has to do, which objects several threads touch,
 * and at which places of the program a thread can stand. It is fed with every option and event of a schedule and lies
 * in shared memory with the strategy's state, so: no pointers.
 *
 * Names must not depend on the schedule. A thread is known by its path (which thread started it, as which of its
 * children), a word of memory by its address, which is compared and never ordered or drawn from, any other object by
 * its id. A place is the operation that a thread is about to do, with the two points that it passed before: threads
 * that run the same code come to the same places, and so are treated alike.
 *
 * Memory that only one thread touches makes no places.
 *
 * Learning takes longer than choosing, and most schedules of a program show what the ones before them showed. So once
 * there have been SOLO__LEARNS_FIRST, a schedule that taught nothing is followed by some that are not learnt from, ever
 * more of them, up to SOLO__REST_MAX. In these the profile still knows each thread's path, place and what it has left,
 * but counts nothing. An object that is new, or new to a thread, ends such a rest.
 */
#ifndef SOLO__PROFILE_H
#define SOLO__PROFILE_H

#include <solo/choice.h>
#include <solo/probe.h>
#include <solo/sim.h>
#include <stdbool.h>

#if defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { SOLO__PLACES_MAX = 128, SOLO__OBJECTS_MAX = 128, SOLO__COUNTS_MAX = 512, SOLO__TRAIL_MAX = 256 };
#else
enum { SOLO__PLACES_MAX = 1024, SOLO__OBJECTS_MAX = 1024, SOLO__COUNTS_MAX = 4096, SOLO__TRAIL_MAX = 4096 };
#endif
enum { SOLO__LEARNS_FIRST = 100, SOLO__REST_MAX = 16 }; /* one less than a prime: in step with no round of members */
enum { SOLO__PATHS_MAX = 256, SOLO__STARTS_MAX = SOLO_SIM_THREADS_MAX };

#define SOLO__NO_INDEX 0xffffu

/* A thread, by how it came to be. The table's last entry stands for all that did not fit. */
struct solo__path {
    uint64_t hash;
    uint32_t points;  /* it passes so many in a schedule, as far as was seen */
    uint32_t subtree; /* and so many with all that it starts */
    uint32_t passed;  /* in the schedule under way */
    int32_t left;     /* of the subtree, without children that were met: they have taken theirs along */
    uint16_t parent;  /* SOLO__NO_INDEX: none */
};

struct solo__shared {
    uint64_t key;
    uint32_t accesses;   /* in a schedule, as far as was seen */
    uint16_t last_path;  /* the thread that touched it last */
    uint16_t last_count; /* where that one's accesses are counted, SOLO__NO_INDEX if nowhere */
    uint8_t several;     /* more than one did */
    uint8_t written;
    uint8_t contended; /* both */
    uint8_t interest;  /* calls with a contract, or state of a loop */
    uint16_t holder;   /* of a lock: its thread + 1, 0 if nobody; of the schedule `held_in` */
    uint32_t held_in;
    uint64_t guards; /* locks that were held at every access so far, a bit for each; counted while others run */
};

struct solo__place {
    uint64_t hash;
    uint16_t object;   /* of the operation, SOLO__NO_INDEX if none */
    uint8_t operation; /* enum solo_probe_kind */
    uint8_t interest;
    uint8_t locked;    /* a thread that came here held a lock */
    uint32_t held;     /* how often strategy hold has made threads wait here */
    uint64_t visitors; /* which paths come here: bit number modulo 64 */
};

/* How often a thread touches an object. */
struct solo__count {
    uint16_t path, object; /* both + 1; 0: free */
    uint32_t seen;         /* in a schedule, as far as was seen */
    uint32_t now;          /* in the schedule under way */
    uint32_t schedule;     /* in which `now` counts */
};

/* A point of the first schedule: its places are known when it is over, because then it is known what is shared. */
struct solo__trail {
    uint16_t thread, object;
    uint8_t operation, access;
};

/*
 * What is known of a thread's next operation. It is the same in every choice until the thread has done it, so it is
 * looked up once and not in each. All zero: nothing yet.
 */
struct solo__ahead {
    uint32_t version; /* the place is right while the profile has this version + 1 */
    uint32_t id;      /* of the object, as in the option */
    uint16_t object;  /* index, if `named` */
    uint16_t place;
    uint8_t offered; /* it was among the options */
    uint8_t named;
    uint8_t operation, access; /* if `named` */
};

struct solo__profile {
    uint32_t schedules; /* begun */
    uint8_t learns;     /* from the schedule under way; see above */
    uint8_t hears_all;  /* of that schedule */
    uint32_t learnt;    /* schedules that it has learnt from, those that ended */
    uint32_t rest;      /* schedules that it will not learn from before the next that it does */
    uint32_t rest_next; /* and so many after that one, if it teaches nothing */
    uint32_t known;     /* `version` when it last learnt from a schedule */
    uint32_t version;   /* changes when a place may be another one than it was: places or contention are new */
    uint32_t path_count, object_count, place_count, count_count;
    struct solo__path paths[SOLO__PATHS_MAX];
    struct solo__shared objects[SOLO__OBJECTS_MAX];
    struct solo__place places[SOLO__PLACES_MAX];
    struct solo__count counts[SOLO__COUNTS_MAX];
    uint32_t trail_count;
    struct solo__trail trail[SOLO__TRAIL_MAX];
    uint64_t last_key; /* of the object that was looked for last, which is often the next one too; 0: none yet */
    uint16_t last_object;
    uint16_t object_slots[SOLO__OBJECTS_MAX * 2]; /* index + 1, by hash of key */
    uint16_t place_slots[SOLO__PLACES_MAX * 2];   /* index + 1, by hash */

    /* Of the schedule under way, by number of thread. */
    struct solo__ahead ahead[SOLO_SIM_THREADS_MAX];
    uint32_t met_count;                     /* threads that were seen */
    uint8_t met[SOLO_SIM_THREADS_MAX];      /* it was */
    uint16_t path_of[SOLO_SIM_THREADS_MAX]; /* index; 0, main's, while it was not seen */
    uint16_t children[SOLO_SIM_THREADS_MAX];
    uint8_t locks[SOLO_SIM_THREADS_MAX];      /* that it holds */
    uint64_t held[SOLO_SIM_THREADS_MAX];      /* the same, a bit for each: by the object's index, modulo 64 */
    uint8_t has_started;                      /* a thread was started: nobody is alone any more */
    uint64_t recent[SOLO_SIM_THREADS_MAX][2]; /* the last points that it passed, latest first */
    struct {
        uint32_t object; /* the thread's */
        uint16_t parent;
        uint64_t hash;
    } starts[SOLO__STARTS_MAX]; /* threads that were started and not seen yet */
    uint32_t start_count;
    uint16_t memory[SOLO__OBJECTS_MAX]; /* the schedule's n-th word of memory: index of its object + 1 */
};

/* The word of memory that an id stands for: the schedule's n-th. */
static inline uint32_t solo__profile_word(uint32_t object)
{
    return object & 0xffffff;
}

/*
 * A profile without anything in it is zeroed memory. A schedule begins, and has ended, however it did. `hears_all`:
 * even while it does not learn it will be told of every point but those on memory that only one thread touches.
 */
void solo__profile_begin(struct solo__profile *profile, bool hears_all);
void solo__profile_end(struct solo__profile *profile);

/* What the strategy is told: before it chooses among `threads` threads, and every event. */
void solo__profile_meet(struct solo__profile *profile, const struct solo_choice *choice, size_t threads);
static inline void solo__profile_options(struct solo__profile *profile, const struct solo_choice *choice,
                                         size_t threads)
{
    if (profile->learns || profile->start_count != 0) { /* else there is nobody new */
        solo__profile_meet(profile, choice, threads);
    }
}
/* Returns the index of what a point touched; SOLO__NO_INDEX if it is none, or memory that was never an option. */
uint16_t solo__profile_event(struct solo__profile *profile, const struct solo_event *event);

/* Index of the thread's path; 0, main's, for one that was not seen. */
static inline uint16_t solo__profile_path(const struct solo__profile *profile, uint16_t thread)
{
    return profile->path_of[thread];
}

/* Index of the option's object, SOLO__NO_INDEX if none; of its place. The option is the thread's present one. */
uint16_t solo__profile_find_object(struct solo__profile *profile, const struct solo_option *option);
uint16_t solo__profile_find_place(struct solo__profile *profile, const struct solo_option *option);

static inline uint16_t solo__profile_object(struct solo__profile *profile, const struct solo_option *option)
{
    const struct solo__ahead *ahead = &profile->ahead[option->thread];
    return ahead->named ? ahead->object : solo__profile_find_object(profile, option);
}

static inline uint16_t solo__profile_place(struct solo__profile *profile, const struct solo_option *option)
{
    const struct solo__ahead *ahead = &profile->ahead[option->thread];
    return ahead->version == profile->version + 1 ? ahead->place : solo__profile_find_place(profile, option);
}

/* Whether different threads touch the object, and one of them writes. */
static inline bool solo__profile_is_contended(const struct solo__profile *profile, uint16_t object)
{
    return object != SOLO__NO_INDEX && profile->objects[object].contended;
}

/* Whether the option is on memory that its thread, as far as is known, is the only one to touch. */
bool solo__profile_is_own(struct solo__profile *profile, const struct solo_option *option);

/*
 * Whether some lock was held at every access to it: then the order of those accesses is the order in which the lock was
 * taken, and nothing is to be gained from looking at the object itself.
 */
static inline bool solo__profile_is_guarded(const struct solo__profile *profile, uint16_t object)
{
    return object != SOLO__NO_INDEX && profile->objects[object].guards != 0;
}

/* Whether the option would take a lock that another thread holds now. */
bool solo__profile_is_held(struct solo__profile *profile, const struct solo_option *option);

/* How many points the path's thread has yet to pass, with all that it has yet to start; at least 1. */
static inline uint32_t solo__profile_left(const struct solo__profile *profile, uint16_t path)
{
    return profile->paths[path].left > 1 ? (uint32_t)profile->paths[path].left : 1;
}
/* How often each path's thread touches the object in a schedule, with all that it starts. */
void solo__profile_sum_on(const struct solo__profile *profile, uint16_t object, int32_t sums[SOLO__PATHS_MAX]);

/*
 * Operations that decide what becomes of a loop and of its work: where wrong-thread calls, lost wake-ups and lost work
 * are.
 */
bool solo__operation_is_interesting(unsigned operation);

#endif
