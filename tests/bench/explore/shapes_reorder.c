/*
 * shapes_reorder.c - reorder: N - 1 threads set two variables one after the other, and one thread reads them as a pair.
 */
#include "shape.h"

static struct solo_mutex *mutex;
static bool is_twin;
static int a, b;

static void set_both(void *arg)
{
    (void)arg;
    if (is_twin) {
        LOCK(mutex);
    }
    SET(a, 1);
    SET(b, -1);
    if (is_twin) {
        UNLOCK(mutex);
    }
}

static void check_both(void *arg)
{
    (void)arg;
    if (is_twin) {
        LOCK(mutex);
    }
    shape_check((GET(a) == 0 && GET(b) == 0) || (GET(a) == 1 && GET(b) == -1));
    if (is_twin) {
        UNLOCK(mutex);
    }
}

static void reorder(bool twin, unsigned setters)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    mutex = shape_mutex();
    a = b = 0;
    for (unsigned i = 0; i < setters; i++) {
        shape_start(&crew, set_both, NULL);
    }
    shape_start(&crew, check_both, NULL);
    shape_join(&crew);
}

void reorder_3(bool twin)
{
    reorder(twin, 2);
}

void reorder_4(bool twin)
{
    reorder(twin, 3);
}

void reorder_5(bool twin)
{
    reorder(twin, 4);
}

void reorder_10(bool twin)
{
    reorder(twin, 9);
}

void reorder_20(bool twin)
{
    reorder(twin, 19);
}

void reorder_50(bool twin)
{
    reorder(twin, 49);
}

void reorder_100(bool twin)
{
    reorder(twin, 99);
}
