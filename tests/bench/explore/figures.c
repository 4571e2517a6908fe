/*
 * figures.c - how many schedules it takes to find the bug of each shape, against what was published.
 *
 * A shape agrees if our own random walk, POS and PCT-3 need about as many schedules as published, a third to three
 * times: then it is neither easier nor harder than the program that it is named after. "Never" was published where
 * fewer than half of the runs found the bug, and agrees with the same. The strategy under test is then held to the best
 * published column, or to 10 schedules. Every schedule counts, also those that only look.
 */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEDULES = 10000, GOAL_MIN = 10, AS_GOOD_MIN = 22, AS_GOOD_OF = 29, WORDS = 64 };

static const char *const calibration[] = {"random", "pos", "pct:3"};

/* How many runs found it, the mean over those, and the median with those that did not as infinite. */
struct figures {
    unsigned runs, found, median, worst;
    double mean;
    char by[WORDS];
};

static int compare(const void *a, const void *b)
{
    unsigned one = *(const unsigned *)a, other = *(const unsigned *)b;
    return (one > other) - (one < other);
}

static void add_word(char words[WORDS], const char *word)
{
    if (strstr(words, word) == NULL && strlen(words) + strlen(word) + 2 < WORDS) {
        strcat(strcat(words, words[0] != '\0' ? "," : ""), word);
    }
}

/* `gives_up`: no more runs once half of all have found nothing, because that is all there is to know. */
static struct figures measure(const char *strategy, const struct shape *shape, bool gives_up)
{
    unsigned firsts[BENCH_SEEDS_MAX];
    struct figures figures = {0};
    unsigned schedules = bench.schedules != 0 ? bench.schedules : SCHEDULES;
    bench_progress("figures", shape->name, strategy);
    while (figures.runs < bench.seeds && !(gives_up && 2 * (figures.runs - figures.found) >= bench.seeds)) {
        struct bench_trial trial = bench_try(strategy, figures.runs, shape, false, schedules);
        firsts[figures.runs++] = trial.first != 0 ? trial.first : UINT32_MAX;
        figures.found += trial.first != 0;
        figures.mean += trial.first;
        add_word(figures.by, trial.by);
    }
    qsort(firsts, figures.runs, sizeof firsts[0], compare);
    figures.mean /= figures.found != 0 ? figures.found : 1;
    figures.median = firsts[figures.runs / 2];
    figures.worst = firsts[figures.runs - 1];
    return figures;
}

static bool agrees(const struct figures *ours, int published)
{
    if (published == SHAPE_UNKNOWN) {
        return true;
    }
    if (published == SHAPE_NEVER) {
        return 2 * (ours->runs - ours->found) >= bench.seeds;
    }
    return ours->found > bench.seeds / 2 && ours->mean <= 3.0 * published && 3.0 * ours->mean >= published;
}

static bool print_column(const char *strategy, const struct shape *shape, int published)
{
    struct figures ours = measure(strategy, shape, true);
    bool agree = agrees(&ours, published);
    if (ours.found == 0) {
        printf("  %s -", strategy);
    } else {
        printf("  %s %.0f", strategy, ours.mean);
    }
    if (ours.found < ours.runs) {
        printf("(%u of %u)", ours.found, ours.runs);
    }
    if (published == SHAPE_UNKNOWN) {
        printf("/n.a.");
    } else if (published == SHAPE_NEVER) {
        printf("/-");
    } else {
        printf("/%d", published);
    }
    printf("%s", agree ? "" : "!");
    return agree;
}

static bool print_columns(const struct shape *shape)
{
    const int published[] = {shape->random, shape->pos, shape->pct3};
    bool agree = true;
    for (unsigned i = 0; i < sizeof published / sizeof published[0]; i++) {
        agree &= print_column(calibration[i], shape, published[i]);
    }
    return agree;
}

/* In every run, and with a median as good as the best that was published. */
struct verdict {
    bool found, good, agrees;
};

static struct verdict print_row(const struct shape *shape)
{
    struct figures figures = measure(bench.strategy, shape, false);
    unsigned goal = shape->best > GOAL_MIN ? (unsigned)shape->best : GOAL_MIN;
    struct verdict verdict = {.found = figures.found == bench.seeds};
    verdict.good = verdict.found && figures.median <= goal;
    if (figures.median == UINT32_MAX) {
        printf("%-24s median -!", shape->name);
    } else {
        printf("%-24s median %u%s", shape->name, figures.median, figures.median <= goal ? "" : "!");
    }
    printf(" (goal %u)", goal);
    if (verdict.found) {
        printf(" worst %u by %s;", figures.worst, figures.by);
    } else {
        printf(" found %u of %u!;", figures.found, bench.seeds);
    }
    verdict.agrees = print_columns(shape);
    printf("%s\n", verdict.agrees ? "" : "  does not agree");
    (void)fflush(stdout);
    return verdict;
}

bool bench_figures(void)
{
    unsigned wanted = 0, agree = 0, found = 0, good = 0, good_and_agree = 0;
    for (unsigned i = 0; i < shape_count; i++) {
        if (bench_wants(shapes[i].name)) {
            struct verdict verdict = print_row(&shapes[i]);
            wanted++;
            agree += verdict.agrees;
            found += verdict.found;
            good += verdict.good;
            good_and_agree += verdict.good && verdict.agrees;
        }
    }
    printf("figures: %u of %u shapes agree with what was published; %s found %u in every run, %u as fast as the best "
           "published, %u of which agree\n",
           agree, wanted, bench.strategy, found, good, good_and_agree);
    bool whole = wanted == AS_GOOD_OF;
    return found == wanted && (whole ? good_and_agree >= AS_GOOD_MIN : good == wanted);
}
