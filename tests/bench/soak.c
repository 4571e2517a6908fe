/*
 * soak.c - ten million thread calls from eight threads, each run exactly once, in the order of each thread.
 *
 *     soak [CALLS [THREADS]]     prints calls run per second; exit status 1 if any was lost, doubled or out of order
 *
 * Each thread also queues a job of the pool for every 64 of its calls; every job is reported exactly once too. Not a
 * test: it takes its time. (`make bench FIGURES=soak.calls`)
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS_MAX = 64, JOB_EACH = 64 };

struct source {
    struct solo_thread *thread;
    uintptr_t count, next; /* calls to queue; the one to be run next, on the reactor thread */
    uint64_t wrong;        /* run out of order, or twice */
    uint64_t jobs, reports;
    unsigned number;
};

static struct solo_reactor *reactor;
static struct source sources[THREADS_MAX];
static unsigned source_count, ended;
static uint64_t jobs_run; /* atomic */

/* An argument is the number of the source and the number of the call in one word. */
enum { SOURCE_BITS = 6 };

static void call(void *arg)
{
    uintptr_t word = (uintptr_t)arg;
    struct source *source = &sources[word & ((1u << SOURCE_BITS) - 1)];
    source->wrong += word >> SOURCE_BITS != source->next;
    source->next++;
}

static void job(void *arg)
{
    (void)arg;
    (void)__atomic_add_fetch(&jobs_run, 1, __ATOMIC_RELAXED);
}

static void reported(int status, void *arg)
{
    struct source *source = arg;
    source->reports++;
    source->wrong += status != 0;
}

static void one_ended(void *arg)
{
    (void)arg;
    if (++ended == source_count) {
        (void)solo_reactor_stop(reactor); /* drains the pool first */
    }
}

static void queue_all(void *arg)
{
    struct source *source = arg;
    for (uintptr_t i = 0; i < source->count; i++) {
        while (solo_reactor_call_from_thread(reactor, call, (void *)(i << SOURCE_BITS | source->number), NULL) < 0) {
            (void)solo_yield(); /* no memory just now */
        }
        if (i % JOB_EACH == 0 && solo_reactor_call_in_thread(reactor, job, source, reported) == 0) {
            source->jobs++;
        }
    }
    (void)solo_reactor_call_from_thread(reactor, one_ended, source, NULL);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000, jobs = 0, bad = 0;
    source_count = argc > 2 ? (unsigned)atoi(argv[2]) : 8;
    if (source_count == 0 || source_count > THREADS_MAX || solo_reactor_create(NULL, &reactor) < 0) {
        return 2;
    }
    uint64_t from_ns = solo_now();
    for (unsigned i = 0; i < source_count; i++) {
        sources[i] = (struct source){.number = i, .count = count / source_count};
        if (solo_thread_create(queue_all, &sources[i], &sources[i].thread) < 0) {
            return 2;
        }
    }
    (void)solo_reactor_run(reactor);
    double seconds = (double)(solo_now() - from_ns) / 1e9;
    for (unsigned i = 0; i < source_count; i++) {
        (void)solo_thread_join(sources[i].thread);
        bad += sources[i].wrong + (sources[i].next != sources[i].count) + (sources[i].reports != sources[i].jobs);
        jobs += sources[i].jobs;
    }
    (void)solo_reactor_destroy(reactor);
    bad += jobs_run != jobs;
    if (bad > 0) {
        fprintf(stderr, "soak: %llu were lost, doubled or out of order\n", (unsigned long long)bad);
        return 1;
    }
    printf("%.0f\tcalls/s\n", (double)(count / source_count * source_count) / seconds);
    return 0;
}
