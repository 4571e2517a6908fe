/*
 * sampling.h - strategies that draw schedules: what they share, and what each keeps.
 *
 * All of them work on one state, whose profile any of them may read: so a portfolio can change from one to the next
 * between schedules, and what one has seen informs the others. A member answers choices of threads only; faults, values
 * and time are answered alike for all (sampling.c), unless the member wants the plain answers.
 */
#ifndef SOLO__SAMPLING_H
#define SOLO__SAMPLING_H

#include "fair.h"
#include "profile.h"

enum {
    SOLO__PCT_DEPTHS = 5,     /* depths that are tried in turn */
    SOLO__PCT_DEPTH_MAX = 64, /* that can be asked for */
    SOLO__STEER = 4,          /* strategy surw looks at interesting objects one time in so many */
};

enum solo__sampler {
    SOLO__SAMPLE_PLAIN = 0, /* the plain schedule, with another seed for nothing */
    SOLO__SAMPLE_RANDOM,
    SOLO__SAMPLE_PCT,
    SOLO__SAMPLE_POS,
    SOLO__SAMPLE_URW,
    SOLO__SAMPLE_SURW,
    SOLO__SAMPLE_HOLD,
    SOLO__SAMPLE_LOCKS, /* not in the portfolio: for what lock_orders.c directs */
    SOLO__SAMPLERS
};

struct solo__pct {
    uint32_t begun;
    uint32_t change_count;
    uint32_t changes[SOLO__PCT_DEPTH_MAX]; /* numbers of choices */
    int64_t lowest;                        /* priority of who fell last: below 0 */
};

struct solo__pos {
    uint32_t threads; /* highest number that was an option + 1 */
    struct {
        uint32_t object, access;
    } pending[SOLO_SIM_THREADS_MAX]; /* what the priority was drawn for */
};

struct solo__surw {
    uint16_t object;               /* whose operations are ordered evenly; SOLO__NO_INDEX: none */
    uint16_t intended;             /* path of who touches it next; SOLO__NO_INDEX: to be drawn */
    int32_t left[SOLO__PATHS_MAX]; /* how often each path will touch it yet */
    uint32_t met_count;            /* threads that have taken their share */
    uint8_t met[SOLO_SIM_THREADS_MAX];
};

struct solo__hold {
    uint16_t places[2];                 /* where threads wait; SOLO__NO_INDEX: nowhere */
    uint16_t plain;                     /* the others run in the plain order */
    uint8_t been[SOLO_SIM_THREADS_MAX]; /* the thread has waited, and gone on */
    uint32_t sorted;                    /* how much the profile had learnt when the bands were found */
    uint8_t bands[SOLO__PLACES_MAX];    /* of each place: strategy_hold.c */
};

struct solo__locks {
    uint64_t seed;
    uint32_t taken[SOLO_SIM_THREADS_MAX]; /* locks, so far */
    uint16_t held[SOLO_SIM_THREADS_MAX];
};

struct solo__sampling_state {
    uint16_t sampler;  /* enum solo__sampler, of the schedule under way */
    uint8_t rotates;   /* the portfolio: the sampler changes */
    uint8_t profiles;  /* the profile is kept in this schedule */
    uint8_t passes;    /* passes are honoured in this schedule */
    uint32_t argument; /* of the strategy: PCT's depth; 0: none */
    uint32_t begun;    /* schedules */
    uint32_t choices;  /* about threads, in this schedule */
    uint32_t longest;  /* most choices of a schedule so far */
    uint64_t random;
    uint32_t patience; /* solo__draw_patience */
    struct solo__fair fair;
    struct solo_pass pass;
    int64_t priorities[SOLO_SIM_THREADS_MAX]; /* 0: not drawn */
    struct solo__pct pct;
    struct solo__pos pos;
    struct solo__surw surw;
    struct solo__hold hold;
    struct solo__locks locks;
    struct solo__profile profile;
};

/* One way to draw schedules. */
struct solo__sampler_table {
    const char *name;
    void (*begin)(struct solo__sampling_state *state); /* may be NULL */
    /* The thread to run among the first `threads` options. */
    size_t (*choose)(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads);
    /*
     * Told of every event but choices; `object` is the profile's index of what a point touched, else SOLO__NO_INDEX.
     * May be NULL.
     */
    void (*step)(struct solo__sampling_state *state, const struct solo_event *event, uint16_t object);
    /* This thread asked for a choice, about threads or anything else, which has been answered. May be NULL. */
    void (*asked)(struct solo__sampling_state *state, uint16_t thread);
    bool wants_profile;
    bool misses_words; /* its passes leave step out on words that several threads touch */
    /*
     * What a pass says of a word that several threads touch, by the profile's index (choice.h): 0 to be asked. NULL:
     * always asked, of any word.
     */
    uint8_t (*pass)(const struct solo__sampling_state *state, uint16_t object);
    /*
     * Whether the thread that has the turn keeps it before this point, as long as its pass is good: what others are
     * about to do was compared when it got the turn. Not NULL if `pass` is not.
     */
    bool (*stays)(struct solo__sampling_state *state, const struct solo_option *option);
};

extern const struct solo__sampler_table solo__sample_random, solo__sample_pct, solo__sample_pos, solo__sample_urw,
    solo__sample_surw, solo__sample_hold, solo__sample_locks;

/* Makes a state ready. */
void solo__sampling_prepare(struct solo__sampling_state *state, enum solo__sampler sampler, bool rotates,
                            uint32_t argument);
/* The functions of every strategy that samples. */
int solo__sampling_begin(void *state, uint64_t seed);
size_t solo__sampling_choose(void *state, const struct solo_choice *choice);
void solo__sampling_step(void *state, const struct solo_event *event);
struct solo_pass *solo__sampling_find_pass(void *state);

/* Name of the sampler that drew the last schedule. */
const char *solo__sampling_name(const struct solo__sampling_state *state);

#endif
