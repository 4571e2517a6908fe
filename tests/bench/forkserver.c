/*
 * forkserver.c - schedules of an unmodified program through the fork server, against a bare loop that forks and creates
 * the same threads (tests/plain/fork_loop.c), in turns in one run: programs.forkserver is the ratio.
 *
 * usage: forkserver SCHEDULES
 */
#include <solo/explore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 4 };

static struct solo_report report;

/* How many a second a loop of our own does. */
static double bare(const char *folder, const char *count)
{
    char command[512];
    double speed = 0;
    snprintf(command, sizeof command, "%s/tests/plain/fork_loop %s", folder, count);
    FILE *said = popen(command, "r");
    if (said == NULL || fscanf(said, "%lf", &speed) != 1 || pclose(said) != 0) {
        fprintf(stderr, "%s failed\n", command);
        exit(1);
    }
    return speed;
}

static double explored(const char *folder, const char *count)
{
    char path[512];
    char *argv[] = {path, (char *)"fixed", NULL};
    struct solo_explore_options options;
    snprintf(path, sizeof path, "%s/tests/plain/lost_update", folder);
    solo_explore_defaults(&options);
    options.strategy = "random";
    options.schedules_max = strtoull(count, NULL, 10);
    if (solo_explore_program(argv, &options, &report) < 0 || report.verdict != SOLO_VERDICT_CLEAN) {
        fprintf(stderr, "%s: %s\n", path, report.evidence);
        exit(1);
    }
    return (double)report.schedules * 1e9 / (double)report.wall_ns;
}

int main(int argc, char **argv)
{
    const char *count = argc > 1 ? argv[1] : "1000";
    const char *folder = getenv("PLAIN") != NULL ? getenv("PLAIN") : "build/plain";
    double loop = 0, schedules = 0;
    for (unsigned i = 0; i < TURNS; i++) {
        loop += 1 / bare(folder, count);
        schedules += 1 / explored(folder, count);
    }
    printf("%.3f\tof a bare fork loop\tdistinct %llu\n", loop / schedules, (unsigned long long)report.distinct);
    return 0;
}
