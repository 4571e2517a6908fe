/*
 * chat.c - hours of simulated chat under many seeds: bench/chat [SEEDS [CLIENTS [HOURS]]] (3, 1,000, 8).
 *
 * tests/chat/chat.h says what is simulated and checked. Prints virtual hours of all seeds together for each second of
 * this machine, and what was counted. Fails with the seed and what was wrong: a line was lost, something was left, a
 * seed had less than a million deliveries, or memory grew between the end of the first eighth of the time and the last.
 * What is in use may grow by IN_USE_MAX (buffers that have not yet met their longest line), what the system gave by
 * RESIDENT_MAX (the largest that every size of block ever needed at once, and the simulation's quarantine).
 */
#include "tests/chat/chat.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { IN_USE_MAX = 2 << 20, RESIDENT_MAX = 8 << 20, DELIVERIES_MIN = 1000000 };

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool grew(unsigned long seed, const char *what, size_t early, size_t late, size_t max)
{
    if (late > early && late - early > max) {
        fprintf(stderr, "chat: seed %lu: %s grew from %zu to %zu bytes\n", seed, what, early, late);
        return true;
    }
    return false;
}

/* Whether it was as it must be. */
static bool check(unsigned long seed, const struct chat_result *result)
{
    const struct chat_memory *early = &result->early, *late = &result->late;
    if (result->deliveries < DELIVERIES_MIN || result->slow == 0 || result->resets == 0) {
        fprintf(stderr, "chat: seed %lu: %llu deliveries, %llu resets, %llu times slow\n", seed,
                (unsigned long long)result->deliveries, (unsigned long long)result->resets,
                (unsigned long long)result->slow);
        return false;
    }
    return !grew(seed, "the heap", early->heap, late->heap, IN_USE_MAX) &&
           !grew(seed, "what the kit uses", early->kit.in_use, late->kit.in_use, IN_USE_MAX) &&
           !grew(seed, "what the run took", early->kit.taken, late->kit.taken, RESIDENT_MAX) &&
           !grew(seed, "the process", early->resident, late->resident, RESIDENT_MAX);
}

static void add(struct chat_result *all, const struct chat_result *one)
{
    all->deliveries += one->deliveries;
    all->said += one->said;
    all->resets += one->resets;
    all->kicked += one->kicked;
    all->slow += one->slow;
    all->connections += one->connections;
}

int main(int argc, char **argv)
{
    unsigned long seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : 3;
    unsigned clients = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000;
    unsigned long hours = argc > 3 ? strtoul(argv[3], NULL, 10) : 8;
    const struct chat_options options = {.clients = clients,
                                         .rooms = 20,
                                         .machines = 4,
                                         .duration_ns = hours * 3600 * CHAT_SECOND_NS,
                                         .act_ns = 22 * 60 * CHAT_SECOND_NS,
                                         .long_one_in = 12,
                                         .faults = 50};
    struct chat_result all = {0}, result;
    double from_s = now_s();
    for (unsigned long seed = 1; seed <= seeds; seed++) {
        if (isatty(STDERR_FILENO)) {
            fprintf(stderr, "\rseed %lu of %lu ", seed, seeds);
        }
        if (chat_run(&options, seed, &result) < 0) {
            fprintf(stderr, "chat: seed %lu: %s\n", seed, result.why);
            return 1;
        }
        if (!check(seed, &result)) {
            return 1;
        }
        add(&all, &result);
    }
    printf("%.1f\thours/s\tseeds %lu deliveries %llu said %llu connections %llu resets %llu kicked %llu slow %llu\n",
           (double)(hours * seeds) / (now_s() - from_s), seeds, (unsigned long long)all.deliveries,
           (unsigned long long)all.said, (unsigned long long)all.connections, (unsigned long long)all.resets,
           (unsigned long long)all.kicked, (unsigned long long)all.slow);
    return 0;
}
