/*
 * selftest.c - a planted race, and its locked twin, in the simulated world.
 *
 * Two threads take turns at reading and writing one counter; `locked` holds a mutex around each turn. The scheduler
 * hands over between the read and the write, so the threads never really run at the same time: a detector finds the
 * race only if it does not see the scheduler, and leaves the twin alone only if it sees the mutex. selftest_run.c
 * tries both many times, each time in a fresh process.
 *
 *     sanitizer-selftest race|locked fiber|token SEED     prints how many SOLO017 ThreadSanitizer's hook delivered
 */
#include <solo/sim.h>
#include <solo/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 2, ROUNDS = 3 };

static int counter;
static struct solo_mutex *mutex; /* NULL: the planted race */
static int races;

static void count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (mutex != NULL) {
            (void)solo_mutex_lock(mutex);
        }
        int seen = counter;
        solo_yield();
        counter = seen + 1;
        if (mutex != NULL) {
            (void)solo_mutex_unlock(mutex);
        }
    }
}

static void body(void *arg)
{
    struct solo_thread *threads[WORKERS];
    if (*(const int *)arg) {
        (void)solo_mutex_create(&mutex);
    }
    for (int i = 0; i < WORKERS; i++) {
        if (solo_thread_create(count_up, NULL, &threads[i]) < 0) {
            abort();
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        (void)solo_thread_join(threads[i]);
    }
    (void)solo_mutex_destroy(mutex);
}

static int dice_begin(void *state, uint64_t seed)
{
    *(uint64_t *)state = seed;
    return 0;
}

static size_t dice_choose(void *state, const struct solo_choice *choice)
{
    uint64_t *dice = state;
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(*dice >> 33) % choice->count;
}

static void count_race(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    races += violation->id == SOLO017_DATA_RACE;
}

int main(int argc, char **argv)
{
    static const struct solo_strategy dice = {.name = "dice", .begin = dice_begin, .choose = dice_choose};
    uint64_t state = 0;
    struct solo_sim_options options = {.strategy = &dice, .strategy_state = &state};
    struct solo_sim *sim;
    if (argc != 4) {
        fprintf(stderr, "usage: %s race|locked fiber|token SEED\n", argv[0]);
        return 2;
    }
    int locked = strcmp(argv[1], "locked") == 0;
    options.carrier = strcmp(argv[2], "token") == 0 ? SOLO_CARRIER_TOKEN : SOLO_CARRIER_FIBER;
    (void)solo_violation_set_sink(count_race, NULL);
    if (solo_sim_create(&options, &sim) < 0 ||
        solo_sim_run(sim, strtoull(argv[3], NULL, 10), body, &locked) != SOLO_ENDING_RETURNED) {
        fprintf(stderr, "%s: the simulation did not run to its end\n", argv[0]);
        return 3;
    }
    solo_sim_destroy(sim);
    printf("races %d\n", races);
    return 0;
}
