/*
 * schedules.c - libFuzzer drives the schedules of a scenario: its bytes are the answers to the chooser's questions.
 *
 * An example to copy, and a test: two threads add to a counter without a lock, one addition is lost in some schedules,
 * and the fuzzer finds one. What it prints then is a token, which replays the schedule without any fuzzer; the file
 * that it leaves has the bytes. With the word "locked" in FUZZ_SCENARIO the threads take a lock, and there is nothing
 * to find.
 */
#include <solo/access.h>
#include <solo/explore.h>
#include <solo/solo.h>
#include <solo/token.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS_MAX = 4096, STEPS_MAX = 10000 };

static int counter;
static struct solo_mutex *mutex;
static bool locked;

static void add(void *arg)
{
    (void)arg;
    if (locked) {
        (void)solo_mutex_lock(mutex);
    }
    SOLO_WRITE(counter, SOLO_READ(counter) + 1);
    if (locked) {
        (void)solo_mutex_unlock(mutex);
    }
}

static void add_twice(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    counter = 0;
    (void)solo_mutex_create(&mutex);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_create(add, NULL, &threads[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

/* Made once: a simulation keeps its stacks from one input to the next. */
static struct {
    const struct solo_strategy *strategy;
    void *state;
    struct solo_sim *sim;
    struct solo_sim_log log;
    struct solo_answer answers[ANSWERS_MAX];
} fuzz;

static void prepare(void)
{
    const char *scenario = getenv("FUZZ_SCENARIO");
    size_t size;
    locked = scenario != NULL && strcmp(scenario, "locked") == 0;
    fuzz.strategy = solo_strategy_find("bytes", &size);
    fuzz.state = calloc(1, size);
    fuzz.log.answers = fuzz.answers;
    fuzz.log.answers_max = ANSWERS_MAX;
    struct solo_sim_options options = {
        .strategy = fuzz.strategy, .strategy_state = fuzz.state, .steps_max = STEPS_MAX, .log = &fuzz.log};
    if (fuzz.state == NULL || solo_strategy_prepare(fuzz.strategy, fuzz.state, 0) < 0 ||
        solo_sim_create(&options, &fuzz.sim) < 0) {
        abort();
    }
}

static void print_token(void)
{
    struct solo_limits limits = {.steps_max = STEPS_MAX};
    struct solo_token token;
    if (solo_token_make("additions", &limits, fuzz.answers, fuzz.log.answers_count, false, &token) == 0) {
        char *text = solo_token_text(&token);
        printf("an addition was lost: %s\n", text != NULL ? text : "?");
        fflush(stdout);
        free(text);
        solo_token_finish(&token);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (fuzz.sim == NULL) {
        prepare();
    }
    (void)solo_strategy_bytes(fuzz.strategy, fuzz.state, bytes, size);
    (void)solo_sim_run(fuzz.sim, 0, add_twice, NULL);
    if (counter != 2) {
        print_token();
        abort();
    }
    return 0;
}
