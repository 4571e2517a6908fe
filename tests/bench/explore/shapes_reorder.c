/*
 * shapes_reorder.c - reorder: some threads set two variables one after the other, and others read them as a pair.
 *
 * Painters paint the front of a sign and then its back; whoever walks around it expects both sides painted, or neither.
 * S painters and C walkers and main, no lock; 2 S + 3 C accesses, all of which race.
 */
#include "shape.h"

static struct solo_mutex *mutex;
static bool is_twin;
static shape_word front, back;

enum { OWN_START = 12 }; /* fitted: docs/explore-benchmarks.md */

static void paint(struct shape_thread *self)
{
    (void)self;
    if (is_twin) {
        LOCK(mutex);
    }
    SET(front, 1);
    SET(back, -1);
    if (is_twin) {
        UNLOCK(mutex);
    }
}

static void walk_around(struct shape_thread *self)
{
    (void)self;
    if (is_twin) {
        LOCK(mutex);
    }
    bool is_bare = GET(front) == 0;
    if (is_bare) {
        shape_check(GET(back) == 0);
    } else {
        shape_check(GET(front) == 1 && GET(back) == -1);
    }
    if (is_twin) {
        UNLOCK(mutex);
    }
}

static void reorder(bool twin, unsigned painters, unsigned walkers)
{
    is_twin = twin;
    (void)shape_main();
    mutex = shape_mutex();
    front = back = 0;
    shape_start_many(paint, painters, OWN_START);
    shape_start_many(walk_around, walkers, OWN_START);
    shape_join();
}

void reorder_3(bool twin)
{
    reorder(twin, 2, 1);
}

void reorder_4(bool twin)
{
    reorder(twin, 3, 1);
}

void reorder_5(bool twin)
{
    reorder(twin, 4, 1);
}

void reorder_10(bool twin)
{
    reorder(twin, 9, 1);
}

void reorder_20(bool twin)
{
    reorder(twin, 10, 10);
}

void reorder_50(bool twin)
{
    reorder(twin, 49, 1);
}

void reorder_100(bool twin)
{
    reorder(twin, 99, 1);
}
