/*
 * main.c - how many schedules each strategy needs for each shape: `make bench-explore`.
 *
 * A shape counts if our own random walk, POS and PCT-3 need about as many schedules as published, a third to three
 * times: then it is neither easier nor harder than the program it is named after. "Never" agrees with "not in half of
 * the runs". The portfolio is then held to the best published column. Every schedule counts, also those that only look.
 *
 * usage: explore [--strategy NAME] [--seeds N] [--schedules N] [--only] [--twins] [--speed] [--fit] [SHAPE...]
 */
#include "shape.h"
#include <solo/explore.h>
#include <solo/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEEDS_MAX = 100, STEPS_MAX = 20000, AS_GOOD_MIN = 22 };

static unsigned seeds = 20;
static unsigned budget = 10000;
static const char *const calibration[] = {"random", "pos", "pct:3"};

struct trial {
    unsigned first; /* number of the schedule that failed first; 0: none did */
    const char *by;
};

static const struct shape *running;
static const struct shape_own *fitted; /* instead of the shape's own, while looking for it */
static bool running_twin;

static void body(void *arg)
{
    (void)arg;
    running->body(running_twin);
}

static bool run_one(struct solo_sim *sim, uint64_t seed)
{
    shape_failed = false;
    int ending = solo_sim_run(sim, seed, body, NULL);
    if (ending < 0) {
        return false;
    }
    return shape_failed || ending == SOLO_ENDING_DEADLOCK || ending == SOLO_ENDING_STEPS;
}

/* Runs schedules until one fails or the budget is spent. */
static struct trial try(const char *name, unsigned seed, const struct shape *shape, bool twin)
{
    size_t size;
    const struct solo_strategy *strategy = solo_strategy_find(name, &size);
    void *state = calloc(1, size);
    struct solo_sim_options options = {
        .strategy = strategy, .strategy_state = state, .steps_max = STEPS_MAX, .let_time_pass = true};
    struct solo_sim *sim;
    struct trial trial = {0, ""};
    if (state == NULL || solo_strategy_prepare(strategy, state, solo_strategy_argument(name, 0)) < 0 ||
        solo_sim_create(&options, &sim) < 0) {
        abort();
    }
    running = shape;
    running_twin = twin;
    shape_own_now = fitted != NULL ? *fitted : shape->own;
    for (unsigned i = 0; i < budget && trial.first == 0; i++) {
        if (run_one(sim, (uint64_t)seed * 1000003 + i)) {
            trial.first = i + 1;
            trial.by = solo_strategy_member(strategy, state);
        }
    }
    solo_sim_destroy(sim);
    free(state);
    return trial;
}

static int compare(const void *a, const void *b)
{
    unsigned one = *(const unsigned *)a, other = *(const unsigned *)b;
    return (one > other) - (one < other);
}

/* How many seeds found it, the mean over those, and the median with those that did not as infinite. */
struct figures {
    unsigned found, median, worst;
    double mean;
};

static struct figures measure(const char *name, const struct shape *shape, char by[64])
{
    unsigned firsts[SEEDS_MAX];
    struct figures figures = {0, 0, 0, 0};
    by[0] = '\0';
    for (unsigned i = 0; i < seeds; i++) {
        struct trial trial = try(name, i, shape, false);
        firsts[i] = trial.first != 0 ? trial.first : UINT32_MAX;
        figures.found += trial.first != 0;
        figures.mean += trial.first;
        if (strstr(by, trial.by) == NULL && strlen(by) + strlen(trial.by) + 2 < 64) {
            strcat(strcat(by, by[0] != '\0' ? "," : ""), trial.by);
        }
    }
    qsort(firsts, seeds, sizeof firsts[0], compare);
    figures.mean /= figures.found != 0 ? figures.found : 1;
    figures.median = firsts[seeds / 2];
    figures.worst = firsts[seeds - 1];
    return figures;
}

/* A third to three times of what was published. */
static bool agrees(const struct figures *ours, int published)
{
    if (published == SHAPE_UNKNOWN) {
        return true;
    }
    if (published == SHAPE_NEVER) {
        return ours->found <= seeds / 2;
    }
    return ours->found > seeds / 2 && ours->mean <= 3.0 * published && 3.0 * ours->mean >= published;
}

static void print_published(int published)
{
    if (published == SHAPE_UNKNOWN) {
        printf("/n.a.");
    } else if (published == SHAPE_NEVER) {
        printf("/-");
    } else {
        printf("/%d", published);
    }
}

static bool calibrate(const struct shape *shape)
{
    const int published[] = {shape->random, shape->pos, shape->pct3};
    bool counts = true;
    for (unsigned i = 0; i < 3; i++) {
        char by[64];
        struct figures ours = measure(calibration[i], shape, by);
        bool agree = agrees(&ours, published[i]);
        printf("  %s %.0f(%u)", calibration[i], ours.mean, ours.found);
        print_published(published[i]);
        printf("%s", agree ? "" : "!");
        counts = counts && agree;
    }
    return counts;
}

static bool is_wanted(const struct shape *shape, char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], shape->name) == 0) {
            return true;
        }
    }
    return count == 0;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every strategy, some thousand schedules of each twin: none may fail. */
static int check_twins(char *const *names, int count)
{
    int alarms = 0;
    for (unsigned s = 0; s < shape_count; s++) {
        for (unsigned i = 0; is_wanted(&shapes[s], names, count) && solo_strategy_at(i) != NULL; i++) {
            struct trial trial = try(solo_strategy_at(i), 7, &shapes[s], true);
            if (trial.first != 0) {
                printf("false alarm: %s under %s, schedule %u\n", shapes[s].name, solo_strategy_at(i), trial.first);
                alarms++;
            }
        }
    }
    printf("twins: %u shapes, %d false alarms\n", shape_count, alarms);
    return alarms != 0;
}

static void measure_speed(const char *name, const struct shape *shape)
{
    double from = now_s();
    unsigned done = 0;
    size_t size;
    const struct solo_strategy *strategy = solo_strategy_find(name, &size);
    void *state = calloc(1, size);
    struct solo_sim_options options = {.strategy = strategy, .strategy_state = state, .steps_max = STEPS_MAX};
    struct solo_sim *sim;
    if (state == NULL || solo_strategy_prepare(strategy, state, 0) < 0 || solo_sim_create(&options, &sim) < 0) {
        abort();
    }
    running = shape;
    running_twin = false;
    for (; done < 100000; done++) {
        (void)run_one(sim, done);
    }
    printf("speed: %s under %s: %.0f schedules/s\n", shape->name, name, done / (now_s() - from));
    solo_sim_destroy(sim);
    free(state);
}

/* ---- Looking for the points on threads' own memory that make a shape agree ---- */

/* By what factor ours is off at most, over the three columns. */
static double distance(const struct figures *ours, int published)
{
    if (published == SHAPE_UNKNOWN || (published == SHAPE_NEVER && ours->found <= seeds / 2)) {
        return 1;
    }
    if (published == SHAPE_NEVER || ours->found == 0) {
        return 2.0 * budget / (ours->found == 0 ? published : ours->mean + 1);
    }
    double ratio = ours->mean / published;
    return ratio < 1 ? 1 / ratio : ratio;
}

static double distance_of(const struct shape *shape)
{
    const int published[] = {shape->random, shape->pos, shape->pct3};
    double worst = 1;
    for (unsigned i = 0; i < 3 && worst < 12; i++) {
        char by[64];
        struct figures ours = measure(calibration[i], shape, by);
        double off = distance(&ours, published[i]);
        worst = off > worst ? off : worst;
    }
    return worst;
}

static void fit(const struct shape *shape)
{
    static const int steps[] = {0, 2, 5, 8, 12, 20, 30, 45, 60, 90};
    double best = 1e9;
    for (unsigned i = 0; i < 10 * 10 * 4; i++) {
        struct shape_own own = {steps[i / 40], steps[i / 4 % 10], (int)(i % 4)};
        fitted = &own;
        double worst = distance_of(shape);
        if (worst < best) {
            best = worst;
            printf("%s {%d, %d, %d} off by %.1f\n", shape->name, own.prologue, own.starter, own.between, worst);
            fflush(stdout);
        }
    }
    fitted = NULL;
}

int main(int argc, char **argv)
{
    const char *strategy = "portfolio";
    bool twins = false, speed = false, fidelity = true, fits = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--twins") == 0) {
            twins = true;
        } else if (strcmp(argv[at], "--speed") == 0) {
            speed = true;
        } else if (strcmp(argv[at], "--fit") == 0) {
            fits = true;
        } else if (strcmp(argv[at], "--only") == 0) {
            fidelity = false;
        } else if (at + 1 < argc && strcmp(argv[at], "--strategy") == 0) {
            strategy = argv[++at];
        } else if (at + 1 < argc && strcmp(argv[at], "--seeds") == 0) {
            seeds = (unsigned)atoi(argv[++at]);
        } else if (at + 1 < argc && strcmp(argv[at], "--schedules") == 0) {
            budget = (unsigned)atoi(argv[++at]);
        }
    }
    if (solo_strategy_find(strategy, NULL) == NULL || seeds == 0 || seeds > SEEDS_MAX) {
        return 2;
    }
    if (twins) {
        return check_twins(argv + at, argc - at);
    }
    unsigned counted = 0, all_found = 0, as_good = 0;
    for (unsigned s = 0; s < shape_count; s++) {
        const struct shape *shape = &shapes[s];
        if (!is_wanted(shape, argv + at, argc - at)) {
            continue;
        }
        if (fits) {
            fit(shape);
            continue;
        }
        if (speed) {
            measure_speed(strategy, shape);
            continue;
        }
        char by[64];
        struct figures figures = measure(strategy, shape, by);
        unsigned goal = shape->best > 10 ? (unsigned)shape->best : 10;
        bool good = figures.median <= goal;
        printf("%-24s median %u%s (goal %u) worst %u found %u by %s;", shape->name, figures.median, good ? "" : "!",
               goal, figures.worst, figures.found, by);
        bool counts = !fidelity || calibrate(shape);
        printf("%s\n", counts ? "" : "  does not count");
        fflush(stdout);
        counted += counts;
        all_found += counts && figures.found == seeds;
        as_good += counts && good && figures.found == seeds;
    }
    if (!speed && !fits) {
        printf("%u of %u shapes count; found in every run: %u; as good as the best published: %u\n", counted,
               shape_count, all_found, as_good);
    }
    bool whole = at == argc && seeds >= 20 && fidelity && !speed && !fits && strcmp(strategy, "portfolio") == 0;
    return whole && (as_good < AS_GOOD_MIN || all_found < counted);
}
