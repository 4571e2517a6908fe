/*
 * main.c - small programs with a known ordering bug each, and how the explorer does on them: `make bench-explore`.
 *
 * usage: explore [--PART] [--strategy NAME] [--seeds N] [--schedules N] [SHAPE...]
 *
 * Without a part all of them are measured, one after the other. Exit status: 0 if each showed what it was to show.
 */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bench bench = {.strategy = "portfolio", .seeds = 20};

static const struct part {
    const char *name;
    bool (*run)(void);
} parts[] = {
    {"sizes", bench_sizes},     {"twins", bench_twins},   {"speed", bench_speed},
    {"figures", bench_figures}, {"tokens", bench_tokens},
};

enum { PARTS = sizeof parts / sizeof parts[0] };

bool bench_wants(const char *name)
{
    for (unsigned i = 0; i < bench.name_count; i++) {
        if (strcmp(bench.names[i], name) == 0) {
            return true;
        }
    }
    return bench.name_count == 0;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void bench_progress(const char *part, const char *name, const char *what)
{
    static double from;
    from = from != 0 ? from : now_s();
    if (isatty(STDERR_FILENO)) {
        (void)fprintf(stderr, "\r\033[K%4.0f s  %s: %s, %s\r", now_s() - from, part, name, what);
    }
}

/* A number from 1 to max. */
static bool read_number(const char *text, unsigned max, unsigned *ret_number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *ret_number = (unsigned)value;
    return *end == '\0' && value >= 1 && value <= max;
}

/* An option with its value; false: it is none, or a bad value. */
static bool read_option(const char *option, const char *value)
{
    if (strcmp(option, "--strategy") == 0) {
        bench.strategy = value;
        return solo_strategy_find(value, NULL) != NULL;
    }
    if (strcmp(option, "--seeds") == 0) {
        return read_number(value, BENCH_SEEDS_MAX, &bench.seeds);
    }
    return strcmp(option, "--schedules") == 0 && read_number(value, UINT32_MAX, &bench.schedules);
}

static const struct part *find_part(const char *option)
{
    for (unsigned i = 0; i < PARTS; i++) {
        if (strncmp(option, "--", 2) == 0 && strcmp(option + 2, parts[i].name) == 0) {
            return &parts[i];
        }
    }
    return NULL;
}

static bool run_all(void)
{
    bool shown[PARTS], all = true;
    double from = now_s();
    for (unsigned i = 0; i < PARTS; i++) {
        shown[i] = parts[i].run();
        (void)fflush(stdout);
        all &= shown[i];
    }
    printf("bench-explore: %.0f s, %.0f s of processor time;", now_s() - from, (double)clock() / CLOCKS_PER_SEC);
    for (unsigned i = 0; i < PARTS; i++) {
        printf(" %s %s%s", parts[i].name, shown[i] ? "ok" : "NOT SHOWN", i + 1 < PARTS ? "," : "\n");
    }
    return all;
}

int main(int argc, char **argv)
{
    const struct part *part = NULL;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        const struct part *named = find_part(argv[at]);
        if (named != NULL) {
            part = named;
        } else if (at + 1 == argc || !read_option(argv[at], argv[at + 1])) {
            (void)fprintf(stderr, "explore: %s: no such part or option, or a bad value\n", argv[at]);
            return 2;
        } else {
            at++;
        }
    }
    bench.names = argv + at;
    bench.name_count = (unsigned)(argc - at);
    bool shown = part != NULL ? part->run() : run_all();
    return shown ? 0 : 1;
}
