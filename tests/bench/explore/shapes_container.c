/* shapes_container.c - a producer and a consumer: circular buffer, queue, stack, bounded buffer, string buffer. */
#include "shape.h"
#include <stddef.h>

static struct solo_mutex *mutex;
static bool is_twin;

/*
 * ---- circular buffer and queue: two flags say whose turn it is; the consumer takes its own count for the item's ----
 */

enum { ITEMS_MAX = 24 };

static int items[ITEMS_MAX], stored[ITEMS_MAX];
static unsigned next_in, next_out, amount;
static bool may_send, may_receive;

static void send_some(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        LOCK(mutex);
        if (GET(may_send)) {
            if (GET(next_in) < ITEMS_MAX) {
                unsigned at = GET(next_in);
                SET(items[at], (int)(is_twin ? at : i));
                SET(next_in, at + 1);
            }
            SET(may_send, false);
            SET(may_receive, true);
        }
        UNLOCK(mutex);
    }
}

static void receive_some(unsigned rounds)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < rounds; i++) {
        LOCK(mutex);
        if (GET(may_receive)) {
            int got = -1;
            if (GET(next_in) > 0 && GET(next_out) < ITEMS_MAX) {
                unsigned at = GET(next_out);
                SET(next_out, at + 1);
                got = GET(items[at]);
            }
            shape_check(got == (int)(is_twin ? taken : i));
            taken++;
            SET(may_receive, false);
            SET(may_send, true);
        }
        UNLOCK(mutex);
    }
}

static void send_seven(void *arg)
{
    (void)arg;
    send_some(7);
}

static void receive_seven(void *arg)
{
    (void)arg;
    receive_some(7);
}

static void prepare(bool twin)
{
    is_twin = twin;
    mutex = shape_mutex();
    next_in = next_out = amount = 0;
    may_send = true;
    may_receive = false;
    for (unsigned i = 0; i < ITEMS_MAX; i++) {
        items[i] = stored[i] = 0;
    }
}

void circular_buffer(bool twin)
{
    struct shape_crew crew = {.count = 0};
    prepare(twin);
    shape_start(&crew, send_seven, NULL);
    shape_start(&crew, receive_seven, NULL);
    shape_join(&crew);
}

static void put(int value)
{
    SET(items[GET(next_in)], value);
    ADD(amount, 1);
    ADD(next_in, 1);
}

static int take(void)
{
    int value = GET(items[GET(next_out)]);
    ADD(amount, -1u);
    ADD(next_out, 1);
    return value;
}

enum { QUEUE_ROUNDS = 20 };

static void fill_queue(void *arg)
{
    (void)arg;
    int value = 0;
    LOCK(mutex);
    put(value);
    SET(stored[0], value);
    shape_check(GET(next_out) != GET(next_in));
    UNLOCK(mutex);
    for (unsigned i = 0; i < QUEUE_ROUNDS - 1; i++) {
        LOCK(mutex);
        if (GET(may_send)) {
            value++;
            put(value);
            SET(stored[is_twin ? value : (int)i + 1], value);
            SET(may_send, false);
            SET(may_receive, true);
        }
        UNLOCK(mutex);
    }
}

static void empty_queue(void *arg)
{
    (void)arg;
    unsigned taken = 0;
    for (unsigned i = 0; i < QUEUE_ROUNDS; i++) {
        LOCK(mutex);
        if (GET(may_receive)) {
            int got = take();
            shape_check(got == GET(stored[is_twin ? taken : i]));
            taken++;
            SET(may_receive, false);
            SET(may_send, true);
        }
        UNLOCK(mutex);
    }
}

void queue(bool twin)
{
    struct shape_crew crew = {.count = 0};
    prepare(twin);
    shape_start(&crew, fill_queue, NULL);
    shape_start(&crew, empty_queue, NULL);
    shape_join(&crew);
}

/* ---- stack: once something was pushed, whoever pops believes that there always is something ---- */

enum { STACK_MAX = 10 };

static int top;
static bool was_pushed;

static void push_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < STACK_MAX; i++) {
        LOCK(mutex);
        shape_check(GET(top) != STACK_MAX);
        SET(items[GET(top)], i);
        ADD(top, 1);
        SET(was_pushed, true);
        UNLOCK(mutex);
    }
}

static void pop_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < STACK_MAX; i++) {
        LOCK(mutex);
        if (GET(was_pushed) && !(is_twin && GET(top) == 0)) {
            bool empty = GET(top) == 0;
            shape_check(!empty);
            if (!empty) {
                ADD(top, -1);
                (void)GET(items[GET(top)]);
            }
        }
        UNLOCK(mutex);
    }
}

void stack(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    mutex = shape_mutex();
    top = 0;
    was_pushed = false;
    shape_start(&crew, push_all, NULL);
    shape_start(&crew, pop_all, NULL);
    shape_join(&crew);
}

/* ---- bounded buffer: a consumer waits until there is an item, lets go of the lock once, and takes the item ---- */

enum { SLOTS = 3, EACH = 4 };

static struct solo_condition *not_full, *not_empty;
static unsigned head, rear, waiting_full, waiting_empty, valid;

static void produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < EACH; i++) {
        (void)GET(valid);
        LOCK(mutex);
        if ((GET(rear) + 1) % SLOTS == GET(head)) {
            ADD(waiting_full, 1);
            while ((GET(rear) + 1) % SLOTS == GET(head)) {
                (void)solo_condition_wait(not_full, mutex, SOLO_NEVER);
            }
            ADD(waiting_full, -1u);
        }
        SET(items[GET(rear)], i);
        SET(rear, (GET(rear) + 1) % SLOTS);
        if (GET(waiting_empty) > 0) {
            (void)solo_condition_signal(not_empty);
        }
        UNLOCK(mutex);
    }
}

static void wait_for_item(void)
{
    if (GET(head) == GET(rear)) {
        ADD(waiting_empty, 1);
        while (GET(head) == GET(rear)) {
            (void)solo_condition_wait(not_empty, mutex, SOLO_NEVER);
        }
        ADD(waiting_empty, -1u);
    }
}

static void consume(void *arg)
{
    (void)arg;
    for (int i = 0; i < EACH; i++) {
        (void)GET(valid);
        LOCK(mutex);
        wait_for_item();
        if (!is_twin) {
            UNLOCK(mutex);
            LOCK(mutex);
        }
        bool empty = GET(head) == GET(rear);
        shape_check(!empty);
        if (!empty) {
            (void)GET(items[GET(head)]);
            SET(head, (GET(head) + 1) % SLOTS);
        }
        if (GET(waiting_full) > 0) {
            (void)solo_condition_signal(not_full);
        }
        UNLOCK(mutex);
        if (empty) {
            return;
        }
    }
}

void bounded_buffer(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    mutex = shape_mutex();
    (void)solo_condition_create(&not_full);
    (void)solo_condition_create(&not_empty);
    head = rear = waiting_full = waiting_empty = 0;
    shape_start(&crew, produce, NULL);
    shape_start(&crew, produce, NULL);
    shape_start(&crew, consume, NULL);
    shape_start(&crew, consume, NULL);
    shape_join(&crew);
}

/* ---- string buffer: one appends another to itself: asks for the length, makes room, and then copies that much ---- */

enum { TEXT_MAX = 16 };

static char text[TEXT_MAX], copy[TEXT_MAX];
static unsigned length, room;

static void erase(void)
{
    LOCK(mutex);
    unsigned count = GET(length);
    shape_check(count <= GET(room));
    for (unsigned i = 0; i < count; i++) {
        SET(text[i], 0);
    }
    SET(length, 0);
    UNLOCK(mutex);
}

static void append(unsigned count)
{
    LOCK(mutex);
    unsigned at = GET(length);
    for (unsigned i = 0; i < count; i++) {
        SET(text[at + i], 'a');
    }
    SET(length, at + count);
    UNLOCK(mutex);
}

static void erase_and_append(void *arg)
{
    (void)arg;
    erase();
    append(3);
}

static void copy_out(void *arg)
{
    (void)arg;
    LOCK(mutex);
    unsigned count = GET(length);
    if (!is_twin) {
        UNLOCK(mutex);
        LOCK(mutex);
    }
    bool fits = count <= GET(length);
    shape_check(fits);
    for (unsigned i = 0; i < count && fits; i++) {
        SET(copy[i], GET(text[i]));
    }
    UNLOCK(mutex);
}

void stringbuffer(bool twin)
{
    struct shape_crew crew = {.count = 0};
    is_twin = twin;
    mutex = shape_mutex();
    length = 3;
    room = TEXT_MAX;
    shape_start(&crew, erase_and_append, NULL);
    shape_start(&crew, copy_out, NULL);
    shape_join(&crew);
}
