/* shapes_few.c - a few threads, a few variables: account, lazy, token ring, wrong lock, bluetooth driver. */
#include "shape.h"

static struct solo_mutex *first, *second;
static bool is_twin;

/*
 * ---- account: two threads change a level and say so; a third compares it with a sum in which one sign is wrong ----
 *
 * A tank is filled and drained; the keeper's book has what was filled on the wrong side, which shows only if both have
 * been at work when the keeper looks. 4 threads, 3 critical sections, 14 accesses, none of which races.
 */

static struct {
    shape_word level, at_first, filled, drained;
    shape_word filling_over, draining_over;
} tank;

static void fill(struct shape_thread *self)
{
    (void)self;
    LOCK(first);
    ADD(tank.level, GET(tank.filled));
    SET(tank.filling_over, true);
    UNLOCK(first);
}

static void drain(struct shape_thread *self)
{
    (void)self;
    LOCK(first);
    ADD(tank.level, -GET(tank.drained));
    SET(tank.draining_over, true);
    UNLOCK(first);
}

static void compare_with_book(struct shape_thread *self)
{
    (void)self;
    LOCK(first);
    if (GET(tank.filling_over) && GET(tank.draining_over)) {
        shape_word filled = GET(tank.filled);
        shape_word book = GET(tank.at_first) + (is_twin ? filled : -filled) - GET(tank.drained);
        shape_check(GET(tank.level) == book);
    }
    UNLOCK(first);
}

void account(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    first = shape_mutex();
    tank.at_first = tank.level = 50;
    tank.filled = 20;
    tank.drained = 5;
    tank.filling_over = tank.draining_over = false;
    shape_start(compare_with_book, 0);
    shape_start(drain, 0);
    shape_start(fill, 0);
    shape_join();
}

/*
 * ---- lazy: two threads add to a sum, and a third believes that not both have ----
 *
 * A ferry waits for passengers: whoever inspects it takes for granted that it is not full yet. 4 threads, 3 critical
 * sections, 5 accesses, none of which races.
 */

enum { FERRY_SEATS = 3 };
static shape_word aboard;

static void board(struct shape_thread *self)
{
    LOCK(first);
    ADD(aboard, self->number);
    UNLOCK(first);
}

static void inspect(struct shape_thread *self)
{
    (void)self;
    LOCK(first);
    shape_word seen = GET(aboard);
    shape_check(is_twin ? seen <= FERRY_SEATS : seen < FERRY_SEATS);
    UNLOCK(first);
}

void lazy(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    first = shape_mutex();
    aboard = 0;
    shape_start(inspect, 0);
    shape_start(board, 2);
    shape_start(board, 1);
    shape_join();
}

/*
 * ---- token ring: each copies from its neighbour once; that does not make them equal ----
 *
 * Three clocks are set by their neighbours, the first of which runs ahead by a tick. A fourth thread that finds all of
 * them set believes that they agree. 5 threads, 4 critical sections, 14 accesses, none of which races.
 */

static shape_word clocks[3];
static shape_word is_set[3];

static void set_clock(struct shape_thread *self)
{
    unsigned mine = self->number;
    LOCK(first);
    shape_word seen = GET(clocks[(mine + 2) % 3]);
    SET(clocks[mine], mine == 0 ? (seen + 1) % 4 : seen);
    SET(is_set[mine], true);
    UNLOCK(first);
}

static void compare_clocks(struct shape_thread *self)
{
    (void)self;
    LOCK(first);
    bool all_set = GET(is_set[0]) && GET(is_set[1]) && GET(is_set[2]);
    if (all_set && !is_twin) {
        shape_check(GET(clocks[0]) == GET(clocks[1]) && GET(clocks[1]) == GET(clocks[2]));
    }
    UNLOCK(first);
}

void token_ring(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    first = shape_mutex();
    clocks[0] = clocks[2] = 1;
    clocks[1] = 2;
    is_set[0] = is_set[1] = is_set[2] = false;
    shape_start(set_clock, 0);
    shape_start(set_clock, 1);
    shape_start(set_clock, 2);
    shape_start(compare_clocks, 0);
    shape_join();
}

/*
 * ---- wrong lock: one thread guards a number with one lock, all others with another one ----
 *
 * The first thread takes a ticket and checks that nobody else did meanwhile: two reads, a write, a read. The others
 * take theirs under the other lock. 1 + N + main threads, N + 1 critical sections, 4 + 2 N accesses that race.
 */

enum { OWN_START_TICKET = 9 }; /* fitted: docs/explore-benchmarks.md */
static shape_word next_ticket;

static void take_ticket_alone(struct shape_thread *self)
{
    (void)self;
    LOCK(first);
    shape_word mine = GET(next_ticket);
    ADD(next_ticket, 1);
    shape_check(GET(next_ticket) == mine + 1);
    UNLOCK(first);
}

static void take_ticket(struct shape_thread *self)
{
    (void)self;
    struct solo_mutex *mutex = is_twin ? first : second;
    LOCK(mutex);
    ADD(next_ticket, 1);
    UNLOCK(mutex);
}

static void take_tickets(bool twin, unsigned others)
{
    is_twin = twin;
    (void)shape_main();
    first = shape_mutex();
    second = shape_mutex();
    next_ticket = 0;
    shape_start_many(take_ticket_alone, 1, OWN_START_TICKET);
    shape_start_many(take_ticket, others, OWN_START_TICKET);
    shape_join();
}

void wronglock(bool twin)
{
    take_tickets(twin, 7);
}

void wronglock_3(bool twin)
{
    take_tickets(twin, 3);
}

/*
 * ---- bluetooth driver: whoever enters looks whether it is being closed, and only then counts itself in ----
 *
 * A museum at closing time: the guard puts up the sign, counts itself out, and if nobody is left locks up. A visitor
 * who looked at the door before the sign, and is counted after, stands in the dark. 2 threads (main is the visitor),
 * 3 critical sections; sign, count and dark race.
 */

enum { OWN_GUARD = 3, OWN_VISITOR = 2 }; /* fitted: docs/explore-benchmarks.md */
static shape_word inside, closing, empty, dark;

static void go_out(void)
{
    LOCK(first);
    ADD(inside, -1);
    shape_word left = GET(inside);
    UNLOCK(first);
    if (left == 0) {
        SET(empty, true);
    }
}

static void close_museum(struct shape_thread *self)
{
    if (is_twin) {
        LOCK(first);
    }
    SET(closing, true);
    if (is_twin) {
        UNLOCK(first);
    }
    shape_own(self, OWN_GUARD);
    go_out();
    if (GET(empty)) {
        SET(dark, true);
    }
}

/* Looks at the sign and counts itself in; in the twin in one piece. */
static bool go_in(void)
{
    if (is_twin) {
        LOCK(first);
    }
    bool is_open = !GET(closing);
    if (!is_twin && is_open) {
        LOCK(first);
    }
    if (is_open) {
        ADD(inside, 1);
    }
    if (is_twin || is_open) {
        UNLOCK(first);
    }
    return is_open;
}

void bluetooth_driver(bool twin)
{
    is_twin = twin;
    struct shape_thread *self = shape_main();
    first = shape_mutex();
    inside = 1; /* the guard */
    closing = empty = dark = false;
    shape_start(close_museum, 0);
    shape_own(self, OWN_VISITOR);
    if (go_in()) {
        shape_check(!GET(dark));
        go_out();
    }
    shape_join();
}
