/* reduction.c - plain depth-first search and the one with reduction, on the same body. */
#include "reduction.h"
#include "estimate.h"
#include "recorder.h"
#include "runner.h"
#include "strategy.h"
#include <solo/probe.h>
#include <solo/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SET_MAX = 1 << 15, PLAIN_MIN = 2000, TENTH = 10, ESTIMATED_MIN = 100, COUNTED_MAX = 5000 };

struct set {
    uint64_t members[SET_MAX];
    unsigned count;
};

struct search {
    struct set outcomes, histories;
    unsigned schedules; /* given-up ones included */
    unsigned given_up;  /* because they would have repeated what was seen */
    bool ended;
};

static struct search plain, reduced;

unsigned reduction_wanted(void)
{
    const char *text = getenv("SOLO_TESTS_REDUCTION");
    return text != NULL && getenv("SOLO_TESTS_REDUCTION_ROWS") != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
}

uint64_t reduction_mix(uint64_t outcome, uint64_t value)
{
    return (outcome ^ value) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

uint64_t reduction_mix_text(uint64_t outcome, const char *text)
{
    for (; *text != '\0'; text++) {
        outcome = reduction_mix(outcome, (unsigned char)*text);
    }
    return outcome;
}

static bool has(const struct set *set, uint64_t member)
{
    for (unsigned i = 0; i < set->count; i++) {
        if (set->members[i] == member) {
            return true;
        }
    }
    return false;
}

static void add(struct set *set, uint64_t member)
{
    if (!has(set, member) && set->count < SET_MAX) {
        set->members[set->count++] = member;
    }
}

/* Members of one that the other has not. */
static unsigned count_missed(const struct set *one, const struct set *other)
{
    unsigned missed = 0;
    for (unsigned i = 0; i < one->count; i++) {
        missed += !has(other, one->members[i]);
    }
    return missed;
}

/* ---- Histories ---- */

/*
 * What each thread did, in its order, without how long it waited for it: which threads came first is not in it, nor are
 * numbers that are given in the order of asking.
 */
static struct {
    uint64_t threads[SOLO_SIM_THREADS_MAX];
} history;

static void take_event(const struct solo_event *event, void *arg)
{
    (void)arg;
    bool has_time = event->kind == SOLO_PROBE_POLL || event->kind == SOLO_PROBE_SLEEP ||
                    event->kind == SOLO_PROBE_TIMER_SET || event->kind == SOLO_PROBE_PASS;
    if (event->thread < SOLO_SIM_THREADS_MAX && recorder_belongs_to_history(event)) {
        uint64_t *thread = &history.threads[event->thread];
        *thread = reduction_mix(reduction_mix(*thread, event->kind), has_time ? 0 : event->value);
    }
}

/* Threads are not told apart: which of several like ones did it makes no difference. */
static uint64_t whole_history(void)
{
    uint64_t whole = 0;
    for (unsigned i = 0; i < SOLO_SIM_THREADS_MAX; i++) {
        whole += reduction_mix(history.threads[i], 1);
    }
    return whole;
}

static void run(struct search *search, const char *name, const struct reduction_case *measured, unsigned max)
{
    size_t size;
    const struct solo_strategy *strategy = solo_strategy_find(name, &size);
    void *state = calloc(1, size);
    struct solo_sim_options options = {.strategy = strategy, .strategy_state = state};
    struct solo_sim *sim = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(strategy, state, SOLO_DELAY_UNBOUNDED), 0);
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL_FATAL(solo_probe_subscribe(take_event, NULL), 0);
    search->outcomes.count = search->histories.count = search->schedules = search->given_up = 0;
    search->ended = false;
    while (search->schedules < max && !search->ended) {
        measured->begin(sim);
        memset(&history, 0, sizeof history);
        int ending = solo_sim_run(sim, 1, measured->body, NULL);
        search->ended = ending < 0;
        search->schedules += ending >= 0;
        search->given_up += ending == SOLO_ENDING_DIVERGED;
        if (ending >= 0 && ending != SOLO_ENDING_DIVERGED) {
            add(&search->outcomes, reduction_mix(measured->outcome(), (uint64_t)ending));
            add(&search->histories, whole_history());
        }
    }
    (void)solo_probe_unsubscribe(take_event, NULL);
    solo_sim_destroy(sim);
    free(state);
}

/*
 * What SOLO_TESTS_ESTIMATE adds to a row: in how many classes of schedules more were counted than there are, and
 * whether they were all looked at; how many schedules the search with reduction needs for each class that it meets; and
 * what the draws say.
 */
static void add_estimate(FILE *rows, const struct reduction_case *measured, unsigned draws)
{
    struct estimate estimate;
    struct estimate_tally by_reduction, by_plain;
    unsigned most = reduction_wanted() < COUNTED_MAX ? reduction_wanted() : COUNTED_MAX;
    CU_ASSERT_TRUE_FATAL(estimate_tally("dfs", measured, most, &by_plain));
    (void)fprintf(rows, "\t%u\t%d", by_plain.overcounted, by_plain.ended);
    if (plain.ended && plain.schedules < ESTIMATED_MIN) {
        return;
    }
    CU_ASSERT_TRUE_FATAL(estimate_tally("dpor", measured, reduction_wanted(), &by_reduction));
    CU_ASSERT_TRUE_FATAL(estimate_draw(measured, draws, &estimate));
    unsigned classes = by_reduction.classes != 0 ? by_reduction.classes : 1;
    (void)fprintf(rows, "\t%.4f\t%u\t%.6e\t%.6e\t%.6e\t%.6e\t%.6e\t%.1f\t%.6e\t%d",
                  (double)by_reduction.schedules / classes, estimate.uncounted, estimate.schedules, estimate.classes,
                  estimate.share, estimate.lowest, estimate.highest, estimate.effective, estimate.least_alike,
                  estimate.only_arrivals);
}

void reduction_measure(const struct reduction_case *measured)
{
    const char *text = getenv("SOLO_TESTS_ESTIMATE");
    unsigned draws = text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
    run(&reduced, "dpor", measured, reduction_wanted());
    run(&plain, "dfs", measured, reduced.ended ? reduction_wanted() * TENTH : PLAIN_MIN);
    unsigned missed = reduced.ended ? count_missed(&plain.outcomes, &reduced.outcomes) : 0;
    unsigned invented = plain.ended ? count_missed(&reduced.outcomes, &plain.outcomes) : 0;
    FILE *rows = fopen(getenv("SOLO_TESTS_REDUCTION_ROWS"), "a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    (void)fprintf(rows, "%s\t%s%u\t%s%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u", CU_get_current_test()->pName,
                  plain.ended ? "" : ">", plain.schedules, reduced.ended ? "" : ">", reduced.schedules,
                  reduced.given_up, plain.outcomes.count, missed, invented, plain.histories.count,
                  reduced.histories.count, reduced.ended ? count_missed(&plain.histories, &reduced.histories) : 0);
    if (draws != 0) {
        add_estimate(rows, measured, draws);
    }
    (void)fputc('\n', rows);
    CU_ASSERT_EQUAL(fclose(rows), 0);
}
