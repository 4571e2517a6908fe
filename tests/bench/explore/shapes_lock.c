/* shapes_lock.c - locks in the wrong order, and two stages under two locks: deadlock, carter, two stages. */
#include "shape.h"

static struct solo_mutex *first, *second;
static bool is_twin;
static int counter;

/* ---- deadlock: two locks, taken in both orders ---- */

static void forwards(void *arg)
{
    (void)arg;
    LOCK(first);
    LOCK(second);
    ADD(counter, 1);
    UNLOCK(second);
    UNLOCK(first);
}

static void backwards(void *arg)
{
    (void)arg;
    LOCK(is_twin ? first : second);
    LOCK(is_twin ? second : first);
    ADD(counter, -1);
    UNLOCK(is_twin ? second : first);
    UNLOCK(is_twin ? first : second);
}

void deadlock(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    second = shape_mutex();
    counter = 1;
    shape_start(&crew, forwards, NULL);
    shape_start(&crew, backwards, NULL);
    shape_join(&crew);
}

/* ---- carter: the first of each kind takes the lock for its kind while it holds the book's lock ---- */

static int kinds[2];

static void visit(void *arg)
{
    int *kind = arg;
    LOCK(first);
    ADD(*kind, 1);
    if (GET(*kind) == 1 && !is_twin) {
        LOCK(second);
    }
    UNLOCK(first);
    if (is_twin) {
        LOCK(second);
        UNLOCK(second);
    }
    LOCK(first);
    ADD(*kind, -1);
    if (GET(*kind) == 0 && !is_twin) {
        UNLOCK(second);
    }
    UNLOCK(first);
}

static void idle(void *arg)
{
    (void)arg;
}

void carter(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    second = shape_mutex();
    kinds[0] = kinds[1] = 0;
    shape_start(&crew, visit, &kinds[0]);
    shape_start(&crew, visit, &kinds[1]);
    shape_start(&crew, idle, NULL);
    shape_start(&crew, idle, NULL);
    shape_join(&crew);
}

/* ---- two stages: a writer sets one value, lets go, and then sets the second one after it ---- */

static int stages[2];

static void write_both(void *arg)
{
    (void)arg;
    LOCK(first);
    SET(stages[0], 1);
    if (!is_twin) {
        UNLOCK(first);
    }
    LOCK(second);
    SET(stages[1], GET(stages[0]) + 1);
    UNLOCK(second);
    if (is_twin) {
        UNLOCK(first);
    }
}

static void read_both(void *arg)
{
    (void)arg;
    LOCK(first);
    if (GET(stages[0]) == 0) {
        UNLOCK(first);
        return;
    }
    int one = GET(stages[0]);
    UNLOCK(first);
    LOCK(second);
    int two = GET(stages[1]);
    UNLOCK(second);
    shape_check(two == one + 1);
}

static void two_stages(bool twin, unsigned writers, unsigned readers)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    second = shape_mutex();
    stages[0] = stages[1] = 0;
    for (unsigned i = 0; i < writers; i++) {
        shape_start(&crew, write_both, NULL);
    }
    for (unsigned i = 0; i < readers; i++) {
        shape_start(&crew, read_both, NULL);
    }
    shape_join(&crew);
}

void twostage(bool twin)
{
    two_stages(twin, 1, 1);
}

void twostage_20(bool twin)
{
    two_stages(twin, 19, 1);
}

void twostage_50(bool twin)
{
    two_stages(twin, 49, 1);
}

void twostage_100(bool twin)
{
    two_stages(twin, 99, 1);
}
