/*
 * reduction.h - instead of testing: how many schedules does plain depth-first search need for the body of a test, and
 * how many the search with reduction?
 *
 * With SOLO_TESTS_REDUCTION=N and SOLO_TESTS_REDUCTION_ROWS=FILE in the environment worlds_run does this, and adds a
 * row to the file for each body; N is how many schedules the search with reduction may have, and plain search has ten
 * times as many. What a schedule leaves behind is its ending, what its test noted, and the findings; both searches have
 * to leave the same behind. Histories are counted as well: what each thread did, in its order. Two schedules with
 * different ones are different for somebody, so no search that is to see each history can try fewer schedules.
 * tests/bench/reduction adds the rows up. With SOLO_TESTS_ESTIMATE=DRAWS rows go on with what schedules that are drawn
 * tell of bodies whose searches do not end (estimate.h).
 */
#ifndef SOLO_TESTS_REDUCTION_H
#define SOLO_TESTS_REDUCTION_H

#include <stdbool.h>
#include <stdint.h>

struct solo_sim;

/* How a body is run: `begin` before each schedule, `outcome` after it, a number for all that it left behind. */
struct reduction_case {
    void (*body)(void *arg);
    void (*begin)(struct solo_sim *sim);
    uint64_t (*outcome)(void);
};

/* How many schedules plain search may have; 0: tests are to be run as ever. */
unsigned reduction_wanted(void);
void reduction_measure(const struct reduction_case *measured);

/* Adds a value, or a text, to a number for what a schedule left behind. */
uint64_t reduction_mix(uint64_t outcome, uint64_t value);
uint64_t reduction_mix_text(uint64_t outcome, const char *text);

#endif
