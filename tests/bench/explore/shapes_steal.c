/*
 * shapes_steal.c - work-stealing queues: a worker puts and takes at one end, a thief takes at the other.
 *
 * Carriers load a wagon and unload it again, and a thief takes from the other end what was loaded first. The protocol
 * is the one of Cilk-5 (Frigo, Leiserson, Randall, PLDI 1998): both ends move without a lock, whoever moves one looks
 * at the other only then, and where they meet a lock decides. 3 threads.
 */
#include "shape.h"

static struct solo_mutex *mutex;
static bool is_twin;

/*
 * ---- interlocked and plain: the worker fills the last place, from which the thief is still taking ----
 *
 * The thief moves its end before it has the crate in its hands. So one place has to stay free, and the worker does not
 * leave one. In the interlocked variant every look at an end is a read and write in one step.
 */

enum { PLACES = 4, LOADS_MAX = 6, CRATES_EACH = 5, CRATES_MAX = LOADS_MAX * CRATES_EACH };

static struct {
    bool interlocked;
    int loads, attempts;
    int own;                /* points of the worker's own for each crate; fitted: docs/explore-benchmarks.md */
    shape_word front, back; /* crates front .. back - 1 are on the wagon, each at its number modulo PLACES */
    shape_word places[PLACES];
    shape_word handled[CRATES_MAX + 1];
} wagon;

static shape_word look(const shape_word *end)
{
    if (wagon.interlocked) {
        solo_access_write(end, sizeof *end);
    } else {
        solo_access_read(end, sizeof *end);
    }
    return *end;
}

static void handle(shape_word crate)
{
    if (crate != 0) {
        ADD(wagon.handled[crate], 1);
    }
}

/* A crate that does not fit is carried on at once. */
static void load(shape_word crate)
{
    shape_word at = look(&wagon.back);
    long kept_free = is_twin ? 1 : 0;
    if (at - look(&wagon.front) >= PLACES - kept_free) {
        handle(crate);
        return;
    }
    SET(wagon.places[at % PLACES], crate);
    SET(wagon.back, at + 1);
}

/* The crate that was loaded last; 0: there is none. */
static shape_word unload(void)
{
    shape_word at = look(&wagon.back) - 1;
    SET(wagon.back, at);
    if (look(&wagon.front) <= at) {
        return GET(wagon.places[at % PLACES]);
    }
    LOCK(mutex); /* the thief is at the same crate, or there is none */
    bool is_mine = look(&wagon.front) <= at;
    shape_word crate = is_mine ? GET(wagon.places[at % PLACES]) : 0;
    if (!is_mine) {
        SET(wagon.back, at + 1);
    }
    UNLOCK(mutex);
    return crate;
}

static void carry(struct shape_thread *self)
{
    shape_word crate = 0;
    for (int i = 0; i < wagon.loads; i++) {
        for (int j = 0; j < CRATES_EACH; j++) {
            shape_own(self, wagon.own);
            load(++crate);
        }
        for (shape_word last = unload(); last != 0; last = unload()) {
            shape_own(self, wagon.own);
            handle(last);
        }
    }
}

static shape_word steal(void)
{
    shape_word crate = 0;
    LOCK(mutex);
    shape_word at = look(&wagon.front);
    SET(wagon.front, at + 1);
    if (at < look(&wagon.back)) {
        crate = GET(wagon.places[at % PLACES]);
    } else {
        SET(wagon.front, at);
    }
    UNLOCK(mutex);
    return crate;
}

static void thieve(struct shape_thread *self)
{
    for (int i = 0; i < wagon.attempts; i++) {
        shape_turn(self);
        handle(steal());
    }
}

static void run_wagon(bool twin, bool interlocked, int loads, int attempts, int own)
{
    is_twin = twin;
    (void)shape_main();
    mutex = shape_mutex();
    wagon.interlocked = interlocked;
    wagon.loads = loads;
    wagon.attempts = attempts;
    wagon.own = own;
    wagon.front = wagon.back = 0;
    for (int i = 0; i <= loads * CRATES_EACH; i++) {
        wagon.handled[i] = 0;
    }
    shape_start(thieve, 0);
    shape_start(carry, 0);
    shape_join();
    for (int i = 1; i <= loads * CRATES_EACH; i++) {
        shape_check(wagon.handled[i] == 1);
    }
}

void steal_interlocked(bool twin)
{
    run_wagon(twin, true, 4, 6, 4);
}

void steal_plain(bool twin)
{
    run_wagon(twin, false, 6, 4, 2);
}

/*
 * ---- with state: both write down what they are doing, and look at the other's note before they write their own ----
 *
 * Whoever is at the wagon has said so in its note, notes it in a common log as well, and turns back if the other one's
 * note says the same. Looking first and writing second, both can be there at once; it shows only while they are. The
 * second variant is the same over a longer day.
 */

/* Of each: how often it comes, what it notes there, and points of its own before it comes (fitted). */
static unsigned visits, moves;
static int own_before;
enum { AWAY = 0, COMING, THERE, LOG = 8 };

static struct {
    shape_word notes[2];
    shape_word at_wagon; /* who believes to be alone there */
    shape_word log[LOG]; /* what was done last, by either */
    shape_word logged;
} yard;

static void write_down(unsigned who, int what)
{
    shape_word at = GET(yard.logged);
    SET(yard.log[at % LOG], what * 2 + (shape_word)who);
    SET(yard.logged, at + 1);
}

/* Whether the wagon is free for `who`; its note says that it is there. */
static bool come(unsigned who)
{
    if (is_twin) {
        LOCK(mutex);
    }
    bool is_free = GET(yard.notes[1 - who]) != THERE;
    if (is_free) {
        SET(yard.notes[who], THERE);
    }
    if (is_twin) {
        UNLOCK(mutex);
    }
    return is_free;
}

static void visit(struct shape_thread *self)
{
    unsigned who = self->number;
    write_down(who, COMING);
    if (come(who)) {
        SET(yard.at_wagon, (shape_word)who);
        shape_check(GET(yard.at_wagon) == (shape_word)who);
        for (unsigned i = 0; i < moves; i++) {
            write_down(who, THERE);
        }
        SET(yard.notes[who], AWAY);
    }
}

static void visit_often(struct shape_thread *self)
{
    for (unsigned i = 0; i < visits; i++) {
        shape_own(self, own_before);
        visit(self);
    }
}

static void run_yard(bool twin, unsigned visits_each, unsigned moves_each, int own_each)
{
    is_twin = twin;
    (void)shape_main();
    mutex = shape_mutex();
    visits = visits_each;
    moves = moves_each;
    own_before = own_each;
    yard.notes[0] = yard.notes[1] = AWAY;
    yard.logged = 0;
    shape_start(visit_often, 0);
    shape_start(visit_often, 1);
    shape_join();
}

void steal_interlocked_state(bool twin)
{
    run_yard(twin, 9, 10, 0);
}

void steal_state(bool twin)
{
    run_yard(twin, 42, 7, 2);
}
