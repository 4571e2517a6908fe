/*
 * sizes.c - is a shape as large as the program that it is named after?
 *
 * The list of the programs studied gives threads and scheduling points of most. What it counts as a point fits one
 * rule exactly for fourteen of them: starts, joins, locks, unlocks, waits, signals, and accesses that race, less one.
 * The same is counted here, in the plain schedule. Accesses race if two threads touch the same memory, one of them to
 * write, with no lock in common; main's only count while others may run.
 */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_MAX = 1 << 16, ACCESSES_MAX = 8192, LOCKS_MAX = 64, FREE_POINTS = 4, SAME_MIN = 22 };

static struct solo_event events[EVENTS_MAX];

static struct access {
    uint32_t object;
    uint16_t thread;
    bool writes, races;
    uint64_t locks; /* held: a bit for each */
} accesses[ACCESSES_MAX];

struct size {
    unsigned threads, points, races, shared; /* accesses */
};

static unsigned bit_of(uint32_t mutex, uint32_t *mutexes, unsigned *count)
{
    for (unsigned i = 0; i < *count; i++) {
        if (mutexes[i] == mutex) {
            return i;
        }
    }
    mutexes[*count] = mutex;
    return *count < LOCKS_MAX - 1 ? (*count)++ : *count;
}

static bool is_race(const struct access *one, const struct access *other)
{
    return one->object == other->object && one->thread != other->thread && (one->writes || other->writes) &&
           (one->locks & other->locks) == 0;
}

static bool is_shared(const struct access *one, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (accesses[i].object == one->object && accesses[i].thread != one->thread) {
            return true;
        }
    }
    return false;
}

static unsigned count_races(unsigned count)
{
    unsigned races = 0;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (is_race(&accesses[i], &accesses[j])) {
                accesses[i].races = accesses[j].races = true;
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        races += accesses[i].races;
    }
    return races;
}

static bool is_access(const struct solo_event *event)
{
    return event->kind == SOLO_PROBE_ACCESS_READ || event->kind == SOLO_PROBE_ACCESS_WRITE;
}

static bool is_synchronisation(const struct solo_event *event)
{
    return event->kind == SOLO_PROBE_THREAD_START || event->kind == SOLO_PROBE_THREAD_JOIN ||
           event->kind == SOLO_PROBE_LOCK || event->kind == SOLO_PROBE_UNLOCK || event->kind == SOLO_PROBE_WAIT ||
           event->kind == SOLO_PROBE_SIGNAL;
}

static struct size size_up(uint64_t count)
{
    struct size size = {1, 0, 0, 0};
    uint64_t held[SOLO_SIM_THREADS_MAX] = {0};
    uint32_t mutexes[LOCKS_MAX];
    unsigned mutex_count = 0, noted = 0;
    bool is_joining = false;
    for (uint64_t i = 0; i < count && i < EVENTS_MAX; i++) {
        const struct solo_event *event = &events[i];
        size.points += is_synchronisation(event);
        size.threads += event->kind == SOLO_PROBE_THREAD_START;
        is_joining |= event->kind == SOLO_PROBE_THREAD_JOIN;
        if (event->kind == SOLO_PROBE_LOCKED) {
            held[event->thread] |= UINT64_C(1) << bit_of(event->object, mutexes, &mutex_count);
        } else if (event->kind == SOLO_PROBE_UNLOCK) {
            held[event->thread] &= ~(UINT64_C(1) << bit_of(event->object, mutexes, &mutex_count));
        }
        bool alone = event->thread == 0 && (size.threads == 1 || is_joining);
        if (is_access(event) && !alone && noted < ACCESSES_MAX) {
            accesses[noted++] = (struct access){event->object, event->thread, event->kind == SOLO_PROBE_ACCESS_WRITE,
                                                false, held[event->thread]};
        }
    }
    size.races = count_races(noted);
    size.points += size.races - 1;
    for (unsigned i = 0; i < noted; i++) {
        size.shared += is_shared(&accesses[i], noted);
    }
    return size;
}

/* As many threads, and as many points up to a tenth or a few: our main joins everybody, theirs does not always. */
static bool is_same(const struct size *ours, const struct shape *shape)
{
    unsigned theirs = (unsigned)shape->points;
    unsigned apart = ours->points > theirs ? ours->points - theirs : theirs - ours->points;
    return ours->threads == (unsigned)shape->threads &&
           (shape->points == SHAPE_UNKNOWN || apart <= FREE_POINTS || apart <= theirs / 10);
}

static bool measure(const struct shape *shape)
{
    struct solo_answer answer;
    struct solo_sim_log log = {.events = events, .events_max = EVENTS_MAX, .answers = &answer, .answers_max = 1};
    struct bench_search search;
    bool failed;
    bench_search_begin(&search, "fifo", &log);
    (void)bench_search_next(&search, 1, shape, false, &failed);
    struct size size = size_up(log.events_count);
    bench_search_end(&search);
    bool same = is_same(&size, shape);
    printf("%-24s threads %u/%d  points %u/", shape->name, size.threads, shape->threads, size.points);
    if (shape->points == SHAPE_UNKNOWN) {
        printf("n.a.");
    } else {
        printf("%d", shape->points);
    }
    printf("  shared accesses %u, %u of them race%s\n", size.shared, size.races, same ? "" : "  not the same size");
    return same;
}

bool bench_sizes(void)
{
    unsigned wanted = 0, same = 0;
    for (unsigned i = 0; i < shape_count; i++) {
        if (bench_wants(shapes[i].name)) {
            wanted++;
            same += measure(&shapes[i]);
        }
    }
    printf("sizes: %u of %u shapes have the threads and points of what they are named after\n", same, wanted);
    return same == wanted || same >= SAME_MIN; /* one that is not does not count, and so many are to */
}
