/*
 * shapes_steal.c - work-stealing queues: one thread pushes and pops at the tail, another steals at the head.
 *
 * After the protocol of Cilk-5 (Frigo, Leiserson, Randall, PLDI 1998): head and tail move without a lock, each side
 * looks at the other's after it has moved its own, and only where they meet a lock decides. Variants differ in what is
 * wrong: the owner believes in one slot more than there is, and overwrites an item that is being stolen; or a thief
 * moves the head without the lock. The variants with state also write down where each thread is, in shared memory.
 */
#include "shape.h"

enum { SLOTS_FIRST = 2, SLOTS_MAX = 8, ITEMS = 4, ATTEMPTS = 2, LOG = 4 };

static struct {
    bool room_for_one_more; /* the bug: the owner believes in a slot that there is not */
    bool interlocked;       /* every access to head and tail is a compare and exchange */
    bool notes;             /* both write down where they are */
} bug;

static struct solo_mutex *mutex;
static long head, tail, mask;
static int slots[2][SLOTS_MAX];
static unsigned table; /* which of the two is in use */
static int done[ITEMS + 1];
static int notes[2][LOG];
static unsigned depth[2];

static void note(unsigned who, int what)
{
    if (bug.notes) {
        unsigned at = GET(depth[who]) % LOG;
        SET(notes[who][at], what);
        SET(depth[who], at + 1);
    }
}

static long get(const long *variable)
{
    if (bug.interlocked) {
        solo_access_write(variable, sizeof *variable);
    } else {
        solo_access_read(variable, sizeof *variable);
    }
    return *variable;
}

static void put(long *variable, long value)
{
    solo_access_write(variable, sizeof *variable);
    *variable = value;
}

static void begin_anew(void)
{
    long from = get(&head);
    long count = get(&tail) - from;
    from &= GET(mask);
    put(&head, from);
    put(&tail, from + count);
    if (count >= GET(mask)) {
        unsigned other = 1 - table;
        for (long i = 0; i < count; i++) {
            SET(slots[other][i], GET(slots[table][(from + i) & mask]));
        }
        SET(table, other);
        SET(mask, mask * 2 + 1);
        put(&head, 0);
        put(&tail, count);
    }
}

static void push(int item)
{
    long at = get(&tail);
    note(0, 1);
    if (at < get(&head) + GET(mask) + bug.room_for_one_more) {
        SET(slots[GET(table)][at & mask], item);
        put(&tail, at + 1);
        return;
    }
    LOCK(mutex);
    begin_anew();
    at = get(&tail);
    SET(slots[table][at & mask], item);
    put(&tail, at + 1);
    UNLOCK(mutex);
}

static int pop_locked(void)
{
    int item = 0;
    LOCK(mutex);
    long at = get(&tail) - 1;
    put(&tail, at);
    if (get(&head) <= at) {
        item = GET(slots[table][at & mask]);
    } else {
        put(&tail, at + 1);
    }
    if (get(&head) > at) {
        put(&head, 0);
        put(&tail, 0);
        item = 0;
    }
    UNLOCK(mutex);
    return item;
}

static int pop(void)
{
    long at = get(&tail) - 1;
    note(0, 2);
    put(&tail, at);
    note(0, 3);
    if (get(&head) <= at) {
        return GET(slots[GET(table)][at & mask]);
    }
    put(&tail, at + 1);
    return pop_locked();
}

static int steal(void)
{
    int item = 0;
    LOCK(mutex);
    note(1, 1);
    long at = get(&head);
    put(&head, at + 1);
    note(1, 2);
    if (at < get(&tail)) {
        item = GET(slots[GET(table)][at & GET(mask)]);
    } else {
        put(&head, at);
    }
    note(1, 3);
    UNLOCK(mutex);
    return item;
}

static void work(int item)
{
    if (item != 0) {
        ADD(done[item], 1);
    }
}

static void thief(void *arg)
{
    (void)arg;
    for (int i = 0; i < ATTEMPTS; i++) {
        work(steal());
    }
}

static void owner(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS / 2; i++) {
        push(2 * i + 1);
        push(2 * i + 2);
        work(pop());
    }
    for (int i = 0; i < ITEMS / 2; i++) {
        work(pop());
    }
}

static void run(void)
{
    struct shape_crew crew = {.count = 0};
    mutex = shape_mutex();
    head = tail = 0;
    mask = SLOTS_FIRST - 1;
    table = 0;
    for (int i = 0; i <= ITEMS; i++) {
        done[i] = 0;
    }
    depth[0] = depth[1] = 0;
    shape_start(&crew, thief, NULL);
    shape_start(&crew, owner, NULL);
    shape_join(&crew);
    for (int i = 1; i <= ITEMS; i++) {
        shape_check(done[i] == 1);
    }
}

static void run_variant(bool twin, bool interlocked, bool with_notes)
{
    bug.room_for_one_more = !twin;
    bug.interlocked = interlocked;
    bug.notes = with_notes;
    run();
}

void steal_interlocked(bool twin)
{
    run_variant(twin, true, false);
}

void steal_plain(bool twin)
{
    run_variant(twin, false, false);
}

void steal_interlocked_state(bool twin)
{
    run_variant(twin, true, true);
}

void steal_state(bool twin)
{
    run_variant(twin, false, true);
}
