/* shapes_counter.c - a few threads, a few variables: account, lazy, token ring, wrong lock, bluetooth driver. */
#include "shape.h"

static struct solo_mutex *first, *second;
static bool is_twin;

/* ---- account: the total is looked at against what it was before, and the sign of one booking is wrong ---- */

static int balance, paid_in, paid_out, opening;
static bool in_done, out_done;

static void pay_in(void *arg)
{
    (void)arg;
    LOCK(first);
    SET(balance, GET(balance) + GET(paid_in));
    SET(in_done, true);
    UNLOCK(first);
}

static void pay_out(void *arg)
{
    (void)arg;
    LOCK(first);
    SET(balance, GET(balance) - GET(paid_out));
    SET(out_done, true);
    UNLOCK(first);
}

static void audit(void *arg)
{
    (void)arg;
    LOCK(first);
    if (GET(in_done) && GET(out_done)) {
        int expected = GET(opening) + (is_twin ? GET(paid_in) : -GET(paid_in)) - GET(paid_out);
        shape_check(GET(balance) == expected);
    }
    UNLOCK(first);
}

void account(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    SET(opening, 10);
    SET(paid_in, 3);
    SET(paid_out, 4);
    SET(balance, GET(opening));
    in_done = out_done = false;
    shape_start(&crew, audit, NULL);
    shape_start(&crew, pay_in, NULL);
    shape_start(&crew, pay_out, NULL);
    shape_join(&crew);
}

/* ---- lazy: two threads add, and the third believes that not both have ---- */

static int sum;

static void add(void *arg)
{
    LOCK(first);
    ADD(sum, *(const int *)arg);
    UNLOCK(first);
}

static void look_at_sum(void *arg)
{
    (void)arg;
    LOCK(first);
    shape_check(GET(sum) < 3 || is_twin);
    UNLOCK(first);
}

void lazy(bool twin)
{
    static const int one = 1, two = 2;
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    sum = 0;
    shape_start(&crew, look_at_sum, NULL);
    shape_start(&crew, add, (void *)(uintptr_t)&two);
    shape_start(&crew, add, (void *)(uintptr_t)&one);
    shape_join(&crew);
}

/* ---- token ring: each of three copies from its neighbour once, in any order; that does not make them equal ---- */

static int ring[3];
static bool passed[3];

static void pass_on(void *arg)
{
    unsigned self = (unsigned)(uintptr_t)arg;
    LOCK(first);
    int seen = GET(ring[(self + 2) % 3]);
    SET(ring[self], self == 0 ? (seen + 1) % 4 : seen);
    SET(passed[self], true);
    UNLOCK(first);
}

static void compare_ring(void *arg)
{
    (void)arg;
    LOCK(first);
    if (GET(passed[0]) && GET(passed[1]) && GET(passed[2])) {
        shape_check((GET(ring[0]) == GET(ring[1]) && GET(ring[1]) == GET(ring[2])) || is_twin);
    }
    UNLOCK(first);
}

void token_ring(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    ring[0] = ring[2] = 1;
    ring[1] = 2;
    passed[0] = passed[1] = passed[2] = false;
    for (uintptr_t i = 0; i < 3; i++) {
        shape_start(&crew, pass_on, (void *)i);
    }
    shape_start(&crew, compare_ring, NULL);
    shape_join(&crew);
}

/* ---- wrong lock: one thread guards the value with one lock, the others with another one ---- */

static int value;

static void count_and_check(void *arg)
{
    (void)arg;
    LOCK(first);
    int seen = GET(value);
    ADD(value, 1);
    shape_check(GET(value) == seen + 1);
    UNLOCK(first);
}

static void count_elsewhere(void *arg)
{
    (void)arg;
    struct solo_mutex *mutex = is_twin ? first : second;
    LOCK(mutex);
    ADD(value, 1);
    UNLOCK(mutex);
}

static void count_with(bool twin, unsigned others)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    second = shape_mutex();
    value = 0;
    shape_start(&crew, count_and_check, NULL);
    for (unsigned i = 0; i < others; i++) {
        shape_start(&crew, count_elsewhere, NULL);
    }
    shape_join(&crew);
}

void wronglock(bool twin)
{
    count_with(twin, 7);
}

void wronglock_3(bool twin)
{
    count_with(twin, 3);
}

/* ---- bluetooth driver: a request looks whether the driver stops, and then counts itself in ---- */

static int pending;
static bool stopping, drained, gone;

static bool enter(void)
{
    if (is_twin) {
        LOCK(first);
        bool refused = GET(stopping);
        if (!refused) {
            ADD(pending, 1);
        }
        UNLOCK(first);
        return !refused;
    }
    if (GET(stopping)) {
        return false;
    }
    LOCK(first);
    ADD(pending, 1);
    UNLOCK(first);
    return true;
}

static void leave(void)
{
    LOCK(first);
    ADD(pending, -1);
    int left = GET(pending);
    UNLOCK(first);
    if (left == 0) {
        SET(drained, true);
    }
}

static void request(void *arg)
{
    (void)arg;
    bool entered = enter();
    if (entered) {
        shape_check(!GET(gone));
    }
    if (entered || !is_twin) {
        leave();
    }
}

static void stop_driver(void *arg)
{
    (void)arg;
    if (is_twin) {
        LOCK(first);
    }
    SET(stopping, true);
    if (is_twin) {
        UNLOCK(first);
    }
    leave();
    if (GET(drained)) {
        SET(gone, true);
    }
}

void bluetooth_driver(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    first = shape_mutex();
    pending = 1;
    stopping = drained = gone = false;
    shape_start(&crew, stop_driver, NULL);
    shape_start(&crew, request, NULL);
    shape_join(&crew);
}
