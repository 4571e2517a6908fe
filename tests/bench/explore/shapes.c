/* shapes.c - the list of shapes, and what their bodies share. */
#include "shape.h"
#include <stdlib.h>

enum { NEVER = SHAPE_NEVER, UNKNOWN = SHAPE_UNKNOWN };

const struct shape shapes[] = {
    /* name, body, threads, random walk, POS, PCT-3, best; NEVER: in fewer than half of the published runs */
    {"stringbuffer", stringbuffer, 3, 2243, 23, 281, 8, {5, 12, 2}},
    {"account", account, 4, 18, 4, 4, 1, {1, 2, 1}},
    {"bluetooth_driver", bluetooth_driver, 3, 215, 36, 112, 9, {1, 5, 2}},
    {"carter", carter, 5, 1, 2, 5, 1, {0, 0, 0}},
    {"circular_buffer", circular_buffer, 3, 4, 2, 9, 2, {1, 20, 0}},
    {"deadlock", deadlock, 3, 3, 4, 13, 1, {0, 0, 0}},
    {"lazy", lazy, 4, 21, 5, 5, 2, {0, 2, 3}},
    {"queue", queue, 3, 1, 1, 3, 1, {0, 0, 0}},
    {"reorder_3", reorder_3, 4, NEVER, 86, 185, 6, {3, 20, 1}},
    {"reorder_4", reorder_4, 5, NEVER, 533, 554, 6, {3, 20, 1}},
    {"reorder_5", reorder_5, 6, NEVER, 2169, 647, 6, {3, 20, 1}},
    {"reorder_10", reorder_10, 11, NEVER, NEVER, 3225, 6, {3, 20, 1}},
    {"reorder_20", reorder_20, 21, NEVER, NEVER, 3005, 6, {0, 3, 0}},
    {"reorder_50", reorder_50, 51, NEVER, NEVER, NEVER, 6, {3, 20, 1}},
    {"reorder_100", reorder_100, 101, NEVER, NEVER, NEVER, 6, {3, 20, 1}},
    {"stack", stack, 3, 176, 2, 3, 1, {2, 64, 0}},
    {"token_ring", token_ring, 5, 13, 9, 8, 2, {0, 0, 0}},
    {"twostage", twostage, 3, 464, 15, 13, 4, {2, 8, 1}},
    {"twostage_20", twostage_20, 21, NEVER, 156, 159, 6, {2, 8, 1}},
    {"twostage_50", twostage_50, 51, NEVER, 1637, 1676, 20, {2, 8, 1}},
    {"twostage_100", twostage_100, 101, NEVER, NEVER, NEVER, 56, {2, 8, 1}},
    {"wronglock", wronglock, 9, 36, 10, 51, 1, {20, 20, 1}},
    {"wronglock_3", wronglock_3, 5, 36, 11, 58, 1, {5, 8, 0}},
    {"steal_interlocked", steal_interlocked, 3, NEVER, 14, 48, 1, {0, 8, 2}},
    {"steal_interlocked_state", steal_interlocked_state, 3, 26, 5, 907, 5, {0, 0, 0}},
    {"steal_state", steal_state, 3, UNKNOWN, 6, 842, 1, {0, 0, 0}},
    {"steal_plain", steal_plain, 3, UNKNOWN, 12, 48, 6, {0, 0, 0}},
    {"bounded_buffer", bounded_buffer, 5, 7, 5, 20, 5, {0, 0, 0}},
    {"quicksort", quicksort, 3, 3442, 3004, 4714, 27, {0, 0, 0}},
};
const unsigned shape_count = sizeof shapes / sizeof shapes[0];

bool shape_failed;
struct shape_own shape_own_now;

/*
 * Words of a thread's own. Fibers share thread-local storage, so a thread knows its word by where its stack is: the
 * address of a local variable is near the one of the variable in which its function began.
 */
static uint64_t own_words[SOLO_SIM_THREADS_MAX][8];
static struct beginning {
    solo_thread_fn fn;
    void *arg;
    const char *stack;
} beginnings[SOLO_SIM_THREADS_MAX];
static unsigned begun;

static unsigned me(void)
{
    char here;
    unsigned nearest = 0;
    uintptr_t best = UINTPTR_MAX;
    for (unsigned i = 1; i <= begun; i++) {
        uintptr_t distance = (uintptr_t)(beginnings[i].stack - &here);
        if (beginnings[i].stack != NULL && distance < best) {
            best = distance;
            nearest = i;
        }
    }
    return best < 4096 ? nearest : 0;
}

void shape_own(int count)
{
    if (count > 0) {
        uint64_t *word = own_words[me()];
        for (int i = 0; i < count; i++) {
            SOLO_WRITE(*word, 1);
        }
    }
}

static void begin(void *arg)
{
    struct beginning *beginning = arg;
    char here;
    beginning->stack = &here;
    shape_own(shape_own_now.prologue);
    beginning->fn(beginning->arg);
}

void shape_start(struct shape_crew *crew, solo_thread_fn fn, void *arg)
{
    if (crew->count == 0) {
        begun = 0;
    }
    struct beginning *beginning = &beginnings[++begun];
    *beginning = (struct beginning){fn, arg, NULL};
    if (solo_thread_create(begin, beginning, &crew->threads[crew->count++]) < 0) {
        abort();
    }
    shape_own(shape_own_now.starter);
}

void shape_join(struct shape_crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        (void)solo_thread_join(crew->threads[i]);
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
