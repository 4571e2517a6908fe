/*
 * worlds.h - runs the body of a test in both worlds, with the same code.
 *
 * worlds_run runs it once in world os, then in world sim: in the plain schedule, in random ones on fibers, and in
 * some on the token carrier. A sim run that does not come to its end (a deadlock, a lost wake-up) fails the test.
 * Around each run findings are caught and counted: what a body does not expect fails it.
 *
 *     static void body(void) { ...; worlds_expect(SOLO015_LOOP_REENTERED, 1); }
 *     static void test_reactor__...(void) { worlds_run(body); }
 *
 * Bodies write down what they see with note('a') and compare the order with noted("abc"). Both are for the reactor
 * thread.
 */
#ifndef SOLO_TESTS_WORLDS_H
#define SOLO_TESTS_WORLDS_H

#include "reduction.h"
#include "runner.h"
#include <solo/sim.h>
#include <solo/solo.h>
#include <stdio.h>
#include <string.h>

typedef void (*worlds_fn)(void);

enum { WORLDS_FINDINGS_MAX = 32, WORLDS_SEEDS = 25, WORLDS_TOKEN_SEEDS = 3 };
#define WORLDS_MS UINT64_C(1000000)

/* What this run has seen. */
static struct {
    worlds_fn body;
    struct solo_sim *sim; /* NULL: world os */
    unsigned found;
    struct solo_violation findings[WORLDS_FINDINGS_MAX];
    unsigned expected;
    size_t noted;
    char notes[4096];
} worlds;

static inline void note(char c)
{
    if (worlds.noted + 1 < sizeof worlds.notes) {
        worlds.notes[worlds.noted++] = c;
        worlds.notes[worlds.noted] = '\0';
    }
}

/* As a call: its argument is a string whose first character is noted. */
static inline void note_call(void *arg)
{
    note(*(const char *)arg);
}

/* As a done function: '=' if it ran, 'C' for cancelled, 'X' for closing, then the argument's first character. */
static inline void note_done(int status, void *arg)
{
    note(status == 0 ? '=' : status == SOLO_ECANCELLED ? 'C' : status == SOLO_ECLOSING ? 'X' : '?');
    note(*(const char *)arg);
}

#define noted(text) CU_ASSERT_STRING_EQUAL(worlds.notes, text)

/* Exactly `count` findings of this kind were made in this run, so far. Say it once for each kind. */
static inline void worlds_expect(unsigned id, unsigned count)
{
    CU_ASSERT_EQUAL(solo_violation_count(id), count);
    for (unsigned i = 0; i < worlds.found && i < WORLDS_FINDINGS_MAX; i++) {
        worlds.expected += worlds.findings[i].id == id;
    }
}

/* The first finding of this kind; never NULL. */
static inline const struct solo_violation *worlds_finding(unsigned id)
{
    static const struct solo_violation none;
    for (unsigned i = 0; i < worlds.found && i < WORLDS_FINDINGS_MAX; i++) {
        if (worlds.findings[i].id == id) {
            return &worlds.findings[i];
        }
    }
    return &none;
}

static inline void worlds_catch(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    if (worlds.found < WORLDS_FINDINGS_MAX) {
        worlds.findings[worlds.found] = *violation;
    }
    worlds.found++;
}

static inline void worlds_begin(struct solo_sim *sim)
{
    worlds.sim = sim;
    worlds.found = worlds.expected = 0;
    worlds.noted = 0;
    worlds.notes[0] = '\0';
    solo_violation_reset();
    solo_violation_set_sink(worlds_catch, NULL);
}

static inline void worlds_end(void)
{
    if (worlds.found != worlds.expected) {
        for (unsigned i = 0; i < worlds.found && i < WORLDS_FINDINGS_MAX; i++) {
            printf("finding SOLO%03u: %s\n", worlds.findings[i].id, worlds.findings[i].text);
        }
    }
    CU_ASSERT_EQUAL(worlds.found, worlds.expected);
}

/* ---- A strategy of dice, as small as can be ---- */

static inline int worlds_dice_begin(void *state, uint64_t seed)
{
    *(uint64_t *)state = seed;
    return 0;
}

static inline size_t worlds_dice_choose(void *state, const struct solo_choice *choice)
{
    uint64_t *dice = (uint64_t *)state;
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(*dice >> 33) % choice->count;
}

static inline void worlds_main(void *arg)
{
    (void)arg;
    worlds.body();
}

static inline void worlds_simulate(worlds_fn body, enum solo_carrier carrier, bool random, uint64_t seeds)
{
    static const struct solo_strategy dice = {.name = "dice", .begin = worlds_dice_begin, .choose = worlds_dice_choose};
    uint64_t state = 0;
    struct solo_sim_options options = {.carrier = carrier, .strategy = random ? &dice : NULL, .strategy_state = &state};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        worlds.body = body;
        worlds_begin(sim);
        int ending = solo_sim_run(sim, seed, worlds_main, NULL);
        if (ending != SOLO_ENDING_RETURNED) {
            printf("seed %llu ended with %d, noted \"%s\"\n", (unsigned long long)seed, ending, worlds.notes);
        }
        CU_ASSERT_EQUAL(ending, SOLO_ENDING_RETURNED);
        worlds_end();
    }
    solo_sim_destroy(sim);
}

/* What the run has left behind. */
static inline uint64_t worlds_outcome(void)
{
    uint64_t outcome = reduction_mix_text(0, worlds.notes);
    for (unsigned i = 0; i < worlds.found && i < WORLDS_FINDINGS_MAX; i++) {
        outcome = reduction_mix(outcome, worlds.findings[i].id);
    }
    return outcome;
}

static inline void worlds_reduce(worlds_fn body)
{
    static const struct reduction_case measured = {worlds_main, worlds_begin, worlds_outcome};
    worlds.body = body;
    reduction_measure(&measured);
}

/* Only in world os. */
static inline void worlds_run_os(worlds_fn body)
{
    worlds_begin(NULL);
    body();
    worlds_end();
}

/* Only in world sim: the plain schedule, and `seeds` random ones on fibers. */
static inline void worlds_run_sim(worlds_fn body, uint64_t seeds)
{
    worlds_simulate(body, SOLO_CARRIER_FIBER, false, 1);
    worlds_simulate(body, SOLO_CARRIER_FIBER, true, seeds);
}

static inline void worlds_run(worlds_fn body)
{
    if (reduction_wanted() != 0) {
        worlds_reduce(body);
        return;
    }
    worlds_run_os(body);
    worlds_run_sim(body, WORLDS_SEEDS);
    worlds_simulate(body, SOLO_CARRIER_TOKEN, true, WORLDS_TOKEN_SEEDS);
}

/* ---- What nearly every body needs ---- */

static inline struct solo_reactor *worlds_reactor(void)
{
    struct solo_reactor *reactor = NULL;
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, &reactor), 0);
    return reactor;
}

/* As a call: stops the reactor that is its argument. */
static inline void worlds_stop(void *reactor)
{
    CU_ASSERT_EQUAL(solo_reactor_stop((struct solo_reactor *)reactor), 0);
}

/* Runs until everything queued so far, and what it queues for the same time, has run. */
static inline void worlds_run_to_end(struct solo_reactor *reactor)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, worlds_stop, reactor, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
}

static inline void worlds_destroy(struct solo_reactor *reactor)
{
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
}

#endif
