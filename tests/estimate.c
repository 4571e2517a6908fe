/* estimate.c - schedules that are drawn, and what their odds and their likes amount to. */
#include "estimate.h"
#include "class_size.h"
#include "draw.h"
#include <math.h>
#include <solo/sim.h>
#include <stdlib.h>
#include <string.h>

/* ---- Drawing ---- */

/* A strategy's state. */
struct walk {
    const struct recorder *recorder;
    uint64_t random;
    double surprise;                    /* -log of the probability of all that was answered in this schedule */
    double turns[SOLO_SIM_THREADS_MAX]; /* of each thread, in all schedules drawn before */
    unsigned draws;
    bool only_arrivals;
};

static int begin(void *opaque, uint64_t seed)
{
    struct walk *walk = opaque;
    walk->random = seed;
    walk->surprise = 0;
    return 0;
}

/* What there may be left of it to do: in doubt a little. */
static double weigh(const struct walk *walk, const struct solo_option *option)
{
    if (option->tag == SOLO_TAG_TIME || walk->draws == 0) {
        return 1;
    }
    double left = walk->turns[option->thread] / walk->draws - walk->recorder->record->threads[option->thread].steps;
    return left > 0 ? left + 1 : 1;
}

static size_t choose(void *opaque, const struct solo_choice *choice)
{
    struct walk *walk = opaque;
    uint64_t random = solo__draw(&walk->random);
    walk->only_arrivals &= choice->kind == SOLO_CHOICE_READY || choice->kind == SOLO_CHOICE_CHUNK;
    if (choice->kind != SOLO_CHOICE_THREAD) {
        walk->surprise += log((double)choice->count);
        return solo__draw_below(random, choice->count);
    }
    double sum = 0;
    for (size_t i = 0; i < choice->count; i++) {
        sum += weigh(walk, choice->options[i]);
    }
    double drawn = (double)(random >> 11) / (double)(UINT64_C(1) << 53) * sum;
    size_t chosen = 0;
    double weight = weigh(walk, choice->options[0]);
    while (drawn >= weight && chosen + 1 < choice->count) {
        drawn -= weight;
        weight = weigh(walk, choice->options[++chosen]);
    }
    walk->surprise += log(sum / weight);
    return chosen;
}

static const struct solo_strategy strategy_walk = {.name = "walk", .begin = begin, .choose = choose};

static void learn(struct walk *walk)
{
    for (uint32_t i = 0; i < SOLO_SIM_THREADS_MAX; i++) {
        walk->turns[i] += walk->recorder->record->threads[i].steps;
    }
    walk->draws++;
}

/* ---- What the draws amount to ---- */

struct draw {
    double surprise, alike;
};

struct sums {
    double weights, squares, classes;
};

/* Weights are relative to the greatest, which would not fit into a number. */
static struct sums sum_up(const struct draw *draws, unsigned first, unsigned end, double greatest)
{
    struct sums sums = {0, 0, 0};
    for (unsigned i = first; i < end; i++) {
        double weight = exp(draws[i].surprise - greatest);
        sums.weights += weight;
        sums.squares += weight * weight;
        sums.classes += weight / draws[i].alike;
    }
    return sums;
}

static void conclude(const struct draw *draws, struct estimate *estimate)
{
    double greatest = 0;
    estimate->least_alike = INFINITY;
    for (unsigned i = 0; i < estimate->draws; i++) {
        greatest = fmax(greatest, draws[i].surprise);
        estimate->least_alike = fmin(estimate->least_alike, draws[i].alike);
    }
    struct sums all = sum_up(draws, 0, estimate->draws, greatest);
    estimate->schedules = all.weights / estimate->draws * exp(greatest);
    estimate->classes = all.classes / estimate->draws * exp(greatest);
    estimate->share = all.classes / all.weights;
    estimate->effective = all.weights * all.weights / all.squares;
    estimate->lowest = INFINITY;
    for (unsigned i = 0; i < ESTIMATE_BATCHES; i++) {
        struct sums batch = sum_up(draws, estimate->draws * i / ESTIMATE_BATCHES,
                                   estimate->draws * (i + 1) / ESTIMATE_BATCHES, greatest);
        estimate->lowest = fmin(estimate->lowest, batch.classes / batch.weights);
        estimate->highest = fmax(estimate->highest, batch.classes / batch.weights);
    }
}

/* ---- Running ---- */

struct session {
    struct recorder *recorder;
    struct solo_sim *sim;
};

static void close_session(struct session *session)
{
    solo_sim_destroy(session->sim);
    recorder_end(session->recorder);
}

static bool open_session(const struct solo_strategy *leader, void *leader_state, struct session *session)
{
    *session = (struct session){recorder_make(leader, leader_state), NULL};
    struct solo_sim_options options = {.strategy = &recorder_strategy, .strategy_state = session->recorder};
    if (session->recorder == NULL || solo_sim_create(&options, &session->sim) < 0) {
        close_session(session);
        return false;
    }
    return true;
}

static int run(struct session *session, const struct reduction_case *measured, uint64_t seed)
{
    measured->begin(session->sim);
    return solo_sim_run(session->sim, seed, measured->body, NULL);
}

bool estimate_draw(const struct reduction_case *measured, unsigned count, struct estimate *ret_estimate)
{
    struct walk walk = {.only_arrivals = true};
    struct estimate estimate = {.draws = count};
    struct session session;
    struct draw *draws = calloc(count, sizeof *draws);
    bool opened = draws != NULL && open_session(&strategy_walk, &walk, &session);
    if (opened) {
        walk.recorder = session.recorder;
        for (unsigned i = 0; i < count; i++) {
            struct class_size size = {.alike = 1};
            (void)run(&session, measured, i + 1);
            estimate.uncounted += class_size_of(session.recorder, &size) < 0;
            draws[i] = (struct draw){walk.surprise, size.alike};
            learn(&walk);
        }
        conclude(draws, &estimate);
        estimate.only_arrivals = walk.only_arrivals;
        close_session(&session);
        *ret_estimate = estimate;
    }
    free(draws);
    return opened;
}

/* ---- Classes ---- */

struct class
{
    uint64_t number;
    double most; /* that a member counts */
    unsigned members;
};

struct classes {
    struct class *slots;
    unsigned room, count;
};

static void add_member(struct classes *classes, const struct class_size *size)
{
    unsigned slot = (unsigned)(size->number >> 32) % classes->room;
    while (classes->slots[slot].members != 0 && classes->slots[slot].number != size->number) {
        slot = (slot + 1) % classes->room;
    }
    struct class *class = &classes->slots[slot];
    classes->count += class->members == 0;
    class->number = size->number;
    class->most = fmax(class->most, size->alike);
    class->members++;
}

static void compare_counts(const struct classes *classes, struct estimate_tally *tally)
{
    for (unsigned i = 0; i < classes->room; i++) {
        const struct class *class = &classes->slots[i];
        tally->overcounted += class->members < class->most;
        tally->exact += class->members != 0 && class->most == class->members;
    }
}

static void tally_all(struct session *session, const struct reduction_case *measured, unsigned max,
                      struct classes *classes, struct estimate_tally *tally)
{
    bool counts = session->recorder->leader == &solo__strategy_dfs;
    while (tally->schedules < max) {
        struct class_size size = {.alike = 1};
        int ending = run(session, measured, 1);
        if (ending < 0) {
            tally->ended = true;
            break;
        }
        tally->schedules++;
        if (ending == SOLO_ENDING_DIVERGED) {
            continue;
        }
        if ((counts ? class_size_of(session->recorder, &size) : class_number_of(session->recorder, &size.number)) ==
            0) {
            add_member(classes, &size);
        }
    }
}

bool estimate_tally(const char *search, const struct reduction_case *measured, unsigned max,
                    struct estimate_tally *ret_tally)
{
    size_t size;
    const struct solo_strategy *strategy = solo_strategy_find(search, &size);
    void *state = calloc(1, size);
    struct classes classes = {calloc(max * 2 + 1, sizeof *classes.slots), max * 2 + 1, 0};
    struct estimate_tally tally = {.ended = false};
    struct session session;
    bool opened = state != NULL && classes.slots != NULL &&
                  solo_strategy_prepare(strategy, state, SOLO_DELAY_UNBOUNDED) == 0 &&
                  open_session(strategy, state, &session);
    if (opened) {
        tally_all(&session, measured, max, &classes, &tally);
        close_session(&session);
        tally.classes = classes.count;
        if (tally.ended && strategy == &solo__strategy_dfs) {
            compare_counts(&classes, &tally);
        }
        *ret_tally = tally;
    }
    free(classes.slots);
    free(state);
    return opened;
}
