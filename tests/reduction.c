/* reduction.c - plain depth-first search and the one with reduction, on the same body. */
#include "reduction.h"
#include "runner.h"
#include "strategy.h"
#include <solo/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTCOMES_MAX = 8192, PLAIN_MIN = 2000, TENTH = 10 };

struct search {
    uint64_t outcomes[OUTCOMES_MAX];
    unsigned outcome_count;
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

static bool has(const struct search *search, uint64_t outcome)
{
    for (unsigned i = 0; i < search->outcome_count; i++) {
        if (search->outcomes[i] == outcome) {
            return true;
        }
    }
    return false;
}

static void add(struct search *search, uint64_t outcome)
{
    if (!has(search, outcome) && search->outcome_count < OUTCOMES_MAX) {
        search->outcomes[search->outcome_count++] = outcome;
    }
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
    search->outcome_count = search->schedules = search->given_up = 0;
    search->ended = false;
    while (search->schedules < max && !search->ended) {
        measured->begin(sim);
        int ending = solo_sim_run(sim, 1, measured->body, NULL);
        search->ended = ending < 0;
        search->schedules += ending >= 0;
        search->given_up += ending == SOLO_ENDING_DIVERGED;
        if (ending >= 0 && ending != SOLO_ENDING_DIVERGED) {
            add(search, reduction_mix(measured->outcome(), (uint64_t)ending));
        }
    }
    solo_sim_destroy(sim);
    free(state);
}

/* Outcomes of one that the other has not. */
static unsigned count_missed(const struct search *one, const struct search *other)
{
    unsigned missed = 0;
    for (unsigned i = 0; i < one->outcome_count; i++) {
        missed += !has(other, one->outcomes[i]);
    }
    return missed;
}

void reduction_measure(const struct reduction_case *measured)
{
    run(&reduced, "dpor", measured, reduction_wanted());
    run(&plain, "dfs", measured, reduced.ended ? reduction_wanted() * TENTH : PLAIN_MIN);
    unsigned missed = reduced.ended ? count_missed(&plain, &reduced) : 0;
    unsigned invented = plain.ended ? count_missed(&reduced, &plain) : 0;
    FILE *rows = fopen(getenv("SOLO_TESTS_REDUCTION_ROWS"), "a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    (void)fprintf(rows, "%s\t%s%u\t%s%u\t%u\t%u\t%u\t%u\n", CU_get_current_test()->pName, plain.ended ? "" : ">",
                  plain.schedules, reduced.ended ? "" : ">", reduced.schedules, reduced.given_up, plain.outcome_count,
                  missed, invented);
    CU_ASSERT_EQUAL(fclose(rows), 0);
}
