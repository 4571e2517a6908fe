/*
 * shapes_sort.c - quicksort by two workers: whoever splits its part hands one half to an idle worker.
 *
 * The bug: the worker is marked as busy before its lock is taken, so one that looks just then runs off with a part that
 * it was not given yet, is idle again, and sleeps through its real work.
 */
#include "shape.h"

enum { WORKERS = 2, ITEMS = 32, SPLIT_MIN = 4, SMALL = 7 };
enum state { IDLE, BUSY, END };

static struct worker {
    enum state state;
    int from, count;
    struct solo_mutex *mutex;
    struct solo_condition *changed;
} workers[WORKERS];
static struct solo_mutex *book;
static int idle;
static bool is_twin;
static int items[ITEMS];

static void swap(int i, int j)
{
    int one = GET(items[i]);
    int other = GET(items[j]);
    SET(items[i], other);
    SET(items[j], one);
}

static void sort_small(int from, int count)
{
    for (int i = from + 1; i < from + count; i++) {
        for (int j = i; j > from && GET(items[j - 1]) > GET(items[j]); j--) {
            swap(j - 1, j);
        }
    }
}

/* An idle worker, marked as busy, with its mutex locked; NULL: there is none. */
static struct worker *engage(void)
{
    LOCK(book);
    for (int i = 0; i < WORKERS; i++) {
        struct worker *worker = &workers[i];
        if (GET(worker->state) != IDLE) {
            continue;
        }
        ADD(idle, -1);
        if (is_twin) {
            LOCK(worker->mutex);
        }
        SET(worker->state, BUSY);
        if (!is_twin) {
            LOCK(worker->mutex);
        }
        UNLOCK(book);
        return worker;
    }
    UNLOCK(book);
    return NULL;
}

static void give(struct worker *worker, int from, int count)
{
    SET(worker->from, from);
    SET(worker->count, count);
    (void)solo_condition_signal(worker->changed);
    UNLOCK(worker->mutex);
}

/* Where the upper part begins, after all smaller items have been brought below it. */
static int partition(int from, int count)
{
    swap(from, from + count / 2);
    int pivot = GET(items[from]);
    int low = from;
    for (int i = from + 1; i < from + count; i++) {
        if (GET(items[i]) < pivot) {
            swap(++low, i);
        }
    }
    swap(from, low);
    return low;
}

static void sort(int from, int count)
{
    while (count >= SMALL) {
        int middle = partition(from, count);
        int below = middle - from;
        int above = count - below - 1;
        struct worker *other = below > SPLIT_MIN && above > SPLIT_MIN ? engage() : NULL;
        if (other != NULL) {
            give(other, from, below);
        } else {
            sort(from, below);
        }
        from = middle + 1;
        count = above;
    }
    sort_small(from, count);
}

static void end_others(const struct worker *self)
{
    for (int i = 0; i < WORKERS; i++) {
        if (&workers[i] != self) {
            LOCK(workers[i].mutex);
            SET(workers[i].state, END);
            (void)solo_condition_signal(workers[i].changed);
            UNLOCK(workers[i].mutex);
        }
    }
}

static void serve(void *arg)
{
    struct worker *self = arg;
    for (;;) {
        LOCK(self->mutex);
        while (GET(self->state) == IDLE) {
            (void)solo_condition_wait(self->changed, self->mutex, SOLO_NEVER);
        }
        UNLOCK(self->mutex);
        if (GET(self->state) == END) {
            return;
        }
        int from = GET(self->from);
        sort(from, GET(self->count));
        LOCK(book);
        SET(self->state, IDLE);
        ADD(idle, 1);
        bool last = GET(idle) == WORKERS;
        if (last) {
            end_others(self);
        }
        UNLOCK(book);
        if (last) {
            return;
        }
    }
}

void quicksort(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    book = shape_mutex();
    for (int i = 0; i < ITEMS; i++) {
        items[i] = (i * 37 + 11) % ITEMS; /* 37 and 32 have no common divisor: each number once */
    }
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.mutex = shape_mutex()};
        (void)solo_condition_create(&workers[i].changed);
    }
    idle = WORKERS;
    for (int i = 0; i < WORKERS; i++) {
        shape_start(&crew, serve, &workers[i]);
    }
    LOCK(workers[0].mutex);
    SET(workers[0].state, BUSY);
    ADD(idle, -1);
    give(&workers[0], 0, ITEMS);
    shape_join(&crew);
    for (int i = 1; i < ITEMS; i++) {
        shape_check(items[i - 1] <= items[i]);
    }
}
