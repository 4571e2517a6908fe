/* shapes.c - the list of shapes, and what their bodies share. */
#include "shape.h"
#include <stdlib.h>

enum { NEVER = SHAPE_NEVER, UNKNOWN = SHAPE_UNKNOWN };

const struct shape shapes[] = {
    /* name, body, threads, points, random walk, POS, PCT-3, best; NEVER: in fewer than half of the published runs */
    {"stringbuffer", stringbuffer, 2, 10, 2243, 23, 281, 8},
    {"account", account, 4, 8, 18, 4, 4, 1},
    {"bluetooth_driver", bluetooth_driver, 2, 13, 215, 36, 112, 9},
    {"carter", carter, 5, 19, 1, 2, 5, 1},
    {"circular_buffer", circular_buffer, 3, 31, 4, 2, 9, 2},
    {"deadlock", deadlock, 3, 11, 3, 4, 13, 1},
    {"lazy", lazy, 4, 11, 21, 5, 5, 2},
    {"queue", queue, 3, 83, 1, 1, 3, 1},
    {"reorder_3", reorder_3, 4, 12, NEVER, 86, 185, 6},
    {"reorder_4", reorder_4, 5, 16, NEVER, 533, 554, 6},
    {"reorder_5", reorder_5, 6, 20, NEVER, 2169, 647, 6},
    {"reorder_10", reorder_10, 11, 40, NEVER, NEVER, 3225, 6},
    {"reorder_20", reorder_20, 21, 89, NEVER, NEVER, 3005, 6},
    {"reorder_50", reorder_50, 51, UNKNOWN, NEVER, NEVER, NEVER, 6},
    {"reorder_100", reorder_100, 101, UNKNOWN, NEVER, NEVER, NEVER, 6},
    {"stack", stack, 3, 43, 176, 2, 3, 1},
    {"token_ring", token_ring, 5, 11, 13, 9, 8, 2},
    {"twostage", twostage, 3, 11, 464, 15, 13, 4},
    {"twostage_20", twostage_20, 21, UNKNOWN, NEVER, 156, 159, 6},
    {"twostage_50", twostage_50, 51, UNKNOWN, NEVER, 1637, 1676, 20},
    {"twostage_100", twostage_100, 101, 792, NEVER, NEVER, NEVER, 56},
    {"wronglock", wronglock, 9, 49, 36, 10, 51, 1},
    {"wronglock_3", wronglock_3, 5, 25, 36, 11, 58, 1},
    {"steal_interlocked", steal_interlocked, 3, 169, NEVER, 14, 48, 1},
    {"steal_interlocked_state", steal_interlocked_state, 3, 660, 26, 5, 907, 5},
    {"steal_state", steal_state, 3, 2406, UNKNOWN, 6, 842, 1},
    {"steal_plain", steal_plain, 3, 161, UNKNOWN, 12, 48, 6},
    {"bounded_buffer", bounded_buffer, 5, UNKNOWN, 7, 5, 20, 5},
    {"quicksort", quicksort, 3, 81, 3442, 3004, 4714, 27},
};
const unsigned shape_count = sizeof shapes / sizeof shapes[0];

bool shape_failed;

/* The threads of this schedule; [0] is main. Static, so that their own memory lies where it lay in the last one. */
static struct shape_thread threads[SOLO_SIM_THREADS_MAX];
static unsigned thread_count;
static bool started_in_loop;

struct shape_thread *shape_main(void)
{
    thread_count = 1;
    started_in_loop = false;
    return &threads[0];
}

static void begin(void *arg)
{
    struct shape_thread *self = arg;
    shape_own(self, SHAPE_OWN_ENTRY);
    self->fn(self);
}

static void start(shape_fn fn, unsigned number)
{
    struct shape_thread *made = &threads[thread_count++];
    made->fn = fn;
    made->number = number;
    if (solo_thread_create(begin, made, &made->thread) < 0) {
        abort();
    }
}

void shape_start(shape_fn fn, unsigned number)
{
    start(fn, number);
    shape_own(&threads[0], SHAPE_OWN_START);
}

void shape_start_many(shape_fn fn, unsigned count, int own)
{
    started_in_loop = true;
    for (unsigned i = 0; i < count; i++) {
        shape_own(&threads[0], own);
        start(fn, i);
    }
}

void shape_join(void)
{
    for (unsigned i = 1; i < thread_count; i++) {
        shape_own(&threads[0], started_in_loop ? SHAPE_OWN_JOIN : 0);
        (void)solo_thread_join(threads[i].thread);
    }
}

struct solo_mutex *shape_mutex(void)
{
    struct solo_mutex *mutex;
    if (solo_mutex_create(&mutex) < 0) {
        abort();
    }
    return mutex;
}

struct solo_condition *shape_condition(void)
{
    struct solo_condition *condition;
    if (solo_condition_create(&condition) < 0) {
        abort();
    }
    return condition;
}
