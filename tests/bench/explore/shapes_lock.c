/* shapes_lock.c - locks in the wrong order, and two stages under two locks: deadlock, carter, two stages. */
#include "shape.h"

static struct solo_mutex *first, *second;
static bool is_twin;

/*
 * ---- deadlock: two locks, taken in both orders ----
 *
 * Two neighbours lend each other salt: each holds on to its own jar while it reaches for the other one. 3 threads, 4
 * critical sections, 4 accesses.
 */

static shape_word salt[2];

static void lend_salt(struct shape_thread *self)
{
    unsigned mine = is_twin ? 0 : self->number;
    LOCK(mine == 0 ? first : second);
    LOCK(mine == 0 ? second : first);
    ADD(salt[self->number], -1);
    UNLOCK(mine == 0 ? second : first);
    UNLOCK(mine == 0 ? first : second);
}

void deadlock(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    first = shape_mutex();
    second = shape_mutex();
    salt[0] = salt[1] = 5;
    shape_start(lend_salt, 0);
    shape_start(lend_salt, 1);
    shape_join();
}

/*
 * ---- carter: the first of a party takes the hall's key while it holds the book, and the last one puts it back ----
 *
 * Two parties share a hall, whose key is with whichever came first. Whoever is first of its party waits for the key
 * with the book in hand, and those inside need the book to leave. Two threads have nothing to do. 5 threads, 6 critical
 * sections, 12 accesses, none of which races.
 */

static shape_word present[2];

static void visit_hall(struct shape_thread *self)
{
    shape_word *party = &present[self->number];
    LOCK(first);
    ADD(*party, 1);
    bool was_first = GET(*party) == 1;
    if (was_first && !is_twin) {
        LOCK(second);
    }
    UNLOCK(first);
    if (was_first && is_twin) {
        LOCK(second);
    }
    LOCK(first);
    ADD(*party, -1);
    if (GET(*party) == 0) {
        UNLOCK(second);
    }
    UNLOCK(first);
}

static void look_on(struct shape_thread *self)
{
    (void)self;
}

void carter(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    first = shape_mutex();
    second = shape_mutex();
    present[0] = present[1] = 0;
    shape_start(visit_hall, 0);
    shape_start(visit_hall, 1);
    shape_start(look_on, 0);
    shape_start(look_on, 1);
    shape_join();
}

/*
 * ---- two stages: one value is set under one lock, and only later a second one that belongs to it under another ----
 *
 * Bakers note the order that they take and, in another book, the loaf that goes with it. A clerk who finds an order
 * believes that its loaf is in the other book. As many clerks as bakers, and main; 2 critical sections and 3 accesses
 * each, which race only if there are two bakers or more.
 */

enum { OWN_START_BAKERY = 1 }; /* fitted: docs/explore-benchmarks.md */
static int own_deliver;        /* the same */
static shape_word last_order, last_loaf;

static void bake(struct shape_thread *self)
{
    (void)self;
    LOCK(first);
    SET(last_order, 1);
    if (!is_twin) {
        UNLOCK(first);
    }
    LOCK(second);
    SET(last_loaf, GET(last_order) + 1);
    UNLOCK(second);
    if (is_twin) {
        UNLOCK(first);
    }
}

static void deliver(struct shape_thread *self)
{
    shape_own(self, own_deliver);
    LOCK(first);
    shape_word order = GET(last_order);
    UNLOCK(first);
    if (order == 0) {
        return;
    }
    shape_own(self, own_deliver);
    LOCK(second);
    shape_word loaf = GET(last_loaf);
    UNLOCK(second);
    shape_check(loaf == order + 1);
}

static void two_stages(bool twin, unsigned bakers, unsigned clerks, int own)
{
    is_twin = twin;
    (void)shape_main();
    first = shape_mutex();
    second = shape_mutex();
    last_order = last_loaf = 0;
    own_deliver = own;
    shape_start_many(bake, bakers, OWN_START_BAKERY);
    shape_start_many(deliver, clerks, OWN_START_BAKERY);
    shape_join();
}

void twostage(bool twin)
{
    two_stages(twin, 1, 1, 3);
}

void twostage_20(bool twin)
{
    two_stages(twin, 10, 10, 2);
}

void twostage_50(bool twin)
{
    two_stages(twin, 25, 25, 2);
}

void twostage_100(bool twin)
{
    two_stages(twin, 99, 1, 2);
}
