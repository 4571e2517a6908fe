/*
 * guard.c - what the thread check costs a call: guard.ns.
 *
 * Calls one exported reactor-only function of the shared library, and of the same library built without the check,
 * through pointers that the compiler knows nothing about; 15 rounds, interleaved. The function is solo_reactor_stop on
 * a reactor that does not run: it ends right after its checks, so that nothing hides their cost. In each round both
 * take turns in short slices, of which the fastest counts, because slower ones were disturbed. The figure is the median
 * of the 15 differences; the noise is half the range of the middle three quarters of them.
 *
 * usage: guard [CALLS]   in each slice
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <solo/reactor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, SLICES = 20, DROPPED = 2 };

struct library {
    int (*create)(const struct solo_reactor_options *options, struct solo_reactor **ret_reactor);
    int (*stop)(struct solo_reactor *reactor);
    struct solo_reactor *reactor;
};

/* Opens <build>/<name> and creates a reactor there; each library has a kit of its own. */
static struct library open_library(const char *name)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 64);
    struct library library = {0};
    path[size > 0 ? size : 0] = '\0';
    strcpy(strrchr(path, '/') + 1, name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        fprintf(stderr, "guard: %s\n", dlerror());
        exit(3);
    }
    *(void **)&library.create = dlsym(handle, "solo_reactor_create");
    *(void **)&library.stop = dlsym(handle, "solo_reactor_stop");
    if (library.create(NULL, &library.reactor) < 0 ||
        library.stop(library.reactor) != SOLO_ENOTRUNNING) { /* the first call binds */
        fprintf(stderr, "guard: %s: no reactor\n", path);
        exit(3);
    }
    return library;
}

static double ns_per_call(const struct library *library, long calls)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < calls; i++) {
        (void)library->stop(library->reactor);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / (double)calls;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The difference of the fastest slices of each. */
static double difference_ns(const struct library *checked, const struct library *unchecked, long calls)
{
    double with = ns_per_call(checked, calls), without = ns_per_call(unchecked, calls);
    for (int slice = 1; slice < SLICES; slice++) {
        double one = ns_per_call(checked, calls), other = ns_per_call(unchecked, calls);
        with = one < with ? one : with;
        without = other < without ? other : without;
    }
    return with - without;
}

int main(int argc, char **argv)
{
    long calls = argc > 1 ? atol(argv[1]) : 200000;
    struct library checked = open_library("../lib/libsolo.so"), unchecked = open_library("libsolo-unguarded.so");
    double difference[ROUNDS];

    for (int round = 0; round < ROUNDS; round++) {
        difference[round] = difference_ns(&checked, &unchecked, calls);
    }
    qsort(difference, ROUNDS, sizeof difference[0], by_value);
    printf("%.2f\tns\tnoise %.2f\n", difference[ROUNDS / 2],
           (difference[ROUNDS - 1 - DROPPED] - difference[DROPPED]) / 2);
    return 0;
}
