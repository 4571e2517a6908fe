/*
 * test_world.c - one conformance suite for every backend of solo/world.h.
 *
 * Each function below states a claim about any world. It is run as the suite world_os on the calling thread, and as
 * the suite world_sim as virtual thread 0 of a simulation: on fibers in the plain schedule and in some random ones,
 * and on the token carrier. A backend of your own belongs in on_sim's place.
 */
#include "runner.h"
#include "self.h"
#include <solo/sim.h>
#include <solo/thread.h>
#include <solo/world.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MS = 1000000, LOOPBACK = 0x7f000001 };

/* ---- Helpers ---- */

/* The calls as they are made most. */
static int open_listener(struct solo_world *in, uint32_t host, uint16_t port, int *ret_fd)
{
    const struct solo_address local = {.family = SOLO_INET, .port = port, .host = host};
    return in->network->open(in, SOLO_OPEN_LISTENER, &local, NULL, ret_fd);
}

static int open_stream(struct solo_world *in, uint32_t host, uint16_t port, int *ret_fd)
{
    const struct solo_address remote = {.family = SOLO_INET, .port = port, .host = host};
    return in->network->open(in, SOLO_OPEN_STREAM, NULL, &remote, ret_fd);
}

static uint16_t port_of(struct solo_world *in, int fd)
{
    struct solo_address local = {.family = SOLO_FAMILY_NONE};
    CU_ASSERT_EQUAL(in->network->query(in, fd, SOLO_QUERY_LOCAL, &local), 0);
    CU_ASSERT_EQUAL(local.family, SOLO_INET);
    return local.port;
}

static struct solo_thread *start(struct solo_world *world, void (*fn)(void *arg), void *arg)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(solo__thread_start(world, SOLO__ROLE_CHILD, NULL, 0, fn, arg, &thread), 0);
    return thread;
}

static void reap(struct solo_thread *thread)
{
    CU_ASSERT_EQUAL(solo__thread_reap(thread), 0);
}

static struct solo_poller *open_poller(struct solo_world *world)
{
    struct solo_poller *poller = NULL;
    CU_ASSERT_EQUAL(world->poll->open(world, &poller), 0);
    return poller;
}

/* A point where a simulated scheduler may switch. */
static void point(struct solo_world *world)
{
    solo__announce(world, SOLO_PROBE_YIELD, SOLO_ACCESS_NONE, 0, 0);
}

/* Waits until the descriptor can be read or written; returns what is ready. */
static uint32_t await(struct solo_world *world, int fd, uint32_t events)
{
    struct solo_poller *poller = open_poller(world);
    struct solo_ready ready = {0, 0};
    bool woken;
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fd, events, 1), 0);
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, SOLO_NEVER, &ready, 1, &woken), 1);
    CU_ASSERT_EQUAL(ready.key, 1);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fd, 0, 1), 0);
    world->poll->close(world, poller);
    return ready.events;
}

/* How many of one watched descriptor are ready now: 0 or 1. */
static int ready_now(struct solo_world *world, struct solo_poller *poller, struct solo_ready *ret_ready)
{
    bool woken = true;
    int count = world->poll->wait(world, poller, 0, ret_ready, 1, &woken);
    CU_ASSERT_FALSE(woken);
    return count;
}

struct connection {
    int listener, client, server;
    uint16_t port;
};

static struct connection connect_pair(struct solo_world *world)
{
    struct connection c = {-1, -1, -1, 0};
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, 0, &c.listener), 0);
    c.port = port_of(world, c.listener);
    CU_ASSERT_EQUAL(open_stream(world, LOOPBACK, c.port, &c.client), 0);
    (void)await(world, c.listener, SOLO_READABLE);
    CU_ASSERT_EQUAL(world->network->accept(world, c.listener, NULL, &c.server), 0);
    (void)await(world, c.client, SOLO_WRITABLE);
    CU_ASSERT_EQUAL(world->network->query(world, c.client, SOLO_QUERY_CONNECTED, NULL), 0);
    return c;
}

static void close_all(struct solo_world *world, struct connection c)
{
    int fds[] = {c.client, c.server, c.listener};
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0) {
            (void)world->network->close(world, fds[i], SOLO_CLOSE_WHOLE);
        }
    }
}

static void write_all(struct solo_world *world, int fd, const char *text)
{
    CU_ASSERT_EQUAL(world->network->write(world, fd, text, strlen(text), NULL), (ptrdiff_t)strlen(text));
}

/* Reads exactly `size` bytes, waiting for them. */
static void read_exactly(struct solo_world *world, int fd, char *buffer, size_t size)
{
    while (size > 0) {
        ptrdiff_t got = world->network->read(world, fd, buffer, size, NULL);
        if (got == -EAGAIN) {
            (void)await(world, fd, SOLO_READABLE);
            continue;
        }
        CU_ASSERT_TRUE(got > 0);
        if (got <= 0) {
            return;
        }
        buffer += got;
        size -= (size_t)got;
    }
}

/* Reads once there is something to know: bytes, the end or an error. */
static ptrdiff_t read_something(struct solo_world *world, int fd, char *buffer, size_t size)
{
    ptrdiff_t got;
    while ((got = world->network->read(world, fd, buffer, size, NULL)) == -EAGAIN) {
        (void)await(world, fd, SOLO_READABLE);
    }
    return got;
}

/* ---- Clock ---- */

static void clock__never_goes_back(struct solo_world *world)
{
    uint64_t last = world->clock->now_ns(world);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = world->clock->now_ns(world);
        CU_ASSERT_TRUE(now >= last);
        last = now;
    }
}

static void clock__sleep_returns_at_its_time_or_later(struct solo_world *world)
{
    uint64_t until = world->clock->now_ns(world) + MS;
    world->clock->sleep_until(world, until);
    CU_ASSERT_TRUE(world->clock->now_ns(world) >= until);
}

static void clock__sleeping_until_the_past_returns(struct solo_world *world)
{
    uint64_t now = world->clock->now_ns(world);
    world->clock->sleep_until(world, 0);
    world->clock->sleep_until(world, now);
    CU_ASSERT_TRUE(world->clock->now_ns(world) >= now);
}

/* ---- Threads and locks ---- */

struct child {
    struct solo_world *world;
    struct solo_thread *seen_self;
    struct solo_world *seen_world;
    bool in_stack;
    int value;
};

static void child_main(void *arg)
{
    struct child *child = arg;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    child->seen_self = solo__self;
    child->seen_world = solo_world_current();
    child->in_stack = solo__self != NULL && solo__self->stack_low < here && here < solo__self->stack_high;
    point(child->world);
    child->value = 42;
}

static void threads__a_thread_runs_as_itself_and_join_waits_for_it(struct solo_world *world)
{
    struct child child = {.world = world};
    struct solo_thread *thread = start(world, child_main, &child);
    reap(thread);
    CU_ASSERT_EQUAL(child.value, 42);
    CU_ASSERT_PTR_EQUAL(child.seen_self, thread);
    CU_ASSERT_PTR_EQUAL(child.seen_world, world);
    CU_ASSERT_TRUE(child.in_stack);
}

static void threads__each_has_a_number_of_its_own(struct solo_world *world)
{
    struct child children[3];
    struct solo_thread *threads[3];
    unsigned numbers[4] = {solo__self_get()->number};
    for (int i = 0; i < 3; i++) {
        children[i] = (struct child){.world = world};
        threads[i] = start(world, child_main, &children[i]);
        numbers[i + 1] = threads[i]->number;
    }
    for (int i = 0; i < 3; i++) {
        reap(threads[i]);
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
            CU_ASSERT_NOT_EQUAL(numbers[i], numbers[j]);
        }
    }
}

struct counter {
    struct solo_world *world;
    struct solo_lock lock;
    long value;
};

enum { COUNTS = 200 };

static void count_up(void *arg)
{
    struct counter *counter = arg;
    struct solo_world *world = counter->world;
    for (int i = 0; i < COUNTS; i++) {
        point(world);
        world->threads->enter(world, &counter->lock);
        counter->value++;
        world->threads->leave(world, &counter->lock);
    }
}

static void threads__a_leaf_lock_lets_one_in_at_a_time(struct solo_world *world)
{
    struct counter counter = {.world = world};
    struct solo_thread *threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = start(world, count_up, &counter);
    }
    for (int i = 0; i < 3; i++) {
        reap(threads[i]);
    }
    CU_ASSERT_EQUAL(counter.value, 3 * COUNTS);
}

static const struct solo_wait why_condition = {SOLO_WAIT_CONDITION, 0, NULL};

/* A hall with two gates: guests wait at one for tickets, the host at the other for news of them. */
struct hall {
    struct solo_world *world;
    struct solo_lock lock;
    struct solo_gate guests, host;
    int waiting, tickets, entered;
};

static void guest_main(void *arg)
{
    struct hall *hall = arg;
    const struct solo_thread_table *threads = hall->world->threads;
    threads->enter(hall->world, &hall->lock);
    hall->waiting++;
    threads->wake(hall->world, &hall->host, false);
    while (hall->tickets == 0) {
        (void)threads->wait(hall->world, &hall->guests, &hall->lock, &why_condition, SOLO_NEVER);
    }
    hall->tickets--;
    hall->entered++;
    threads->wake(hall->world, &hall->host, false);
    threads->leave(hall->world, &hall->lock);
}

/* With the lock held: waits until *count is `value`. */
static void host_waits(struct hall *hall, const int *count, int value)
{
    while (*count != value) {
        (void)hall->world->threads->wait(hall->world, &hall->host, &hall->lock, &why_condition, SOLO_NEVER);
    }
}

static void threads__wake_lets_one_waiter_go_on(struct solo_world *world)
{
    struct hall hall = {.world = world};
    struct solo_thread *guests[3];
    for (int i = 0; i < 3; i++) {
        guests[i] = start(world, guest_main, &hall);
    }
    world->threads->enter(world, &hall.lock);
    host_waits(&hall, &hall.waiting, 3);
    for (int i = 1; i <= 3; i++) {
        hall.tickets = 1;
        world->threads->wake(world, &hall.guests, false);
        host_waits(&hall, &hall.entered, i);
        CU_ASSERT_EQUAL(hall.tickets, 0);
    }
    world->threads->leave(world, &hall.lock);
    for (int i = 0; i < 3; i++) {
        reap(guests[i]);
    }
}

static void threads__wake_all_lets_every_waiter_go_on(struct solo_world *world)
{
    struct hall hall = {.world = world};
    struct solo_thread *guests[3];
    for (int i = 0; i < 3; i++) {
        guests[i] = start(world, guest_main, &hall);
    }
    world->threads->enter(world, &hall.lock);
    host_waits(&hall, &hall.waiting, 3);
    hall.tickets = 3;
    world->threads->wake(world, &hall.guests, true);
    host_waits(&hall, &hall.entered, 3);
    world->threads->leave(world, &hall.lock);
    for (int i = 0; i < 3; i++) {
        reap(guests[i]);
    }
    CU_ASSERT_EQUAL(hall.entered, 3);
}

/* Waits at a gate that nobody wakes; returns when it has timed out. */
static void wait_in_vain(struct solo_world *world, struct solo_gate *gate, struct solo_lock *lock, uint64_t deadline_ns)
{
    int result;
    while ((result = world->threads->wait(world, gate, lock, &why_condition, deadline_ns)) == 0) {
    }
    CU_ASSERT_EQUAL(result, -ETIMEDOUT);
    CU_ASSERT_TRUE(world->clock->now_ns(world) >= deadline_ns);
}

static void threads__a_wait_times_out_at_its_deadline(struct solo_world *world)
{
    struct hall hall = {.world = world};
    world->threads->enter(world, &hall.lock);
    wait_in_vain(world, &hall.host, &hall.lock, world->clock->now_ns(world) + MS);
    wait_in_vain(world, &hall.host, &hall.lock, world->clock->now_ns(world));
    wait_in_vain(world, &hall.host, &hall.lock, 0);
    world->threads->leave(world, &hall.lock);
}

static void threads__a_wake_that_nobody_waits_for_is_forgotten(struct solo_world *world)
{
    struct hall hall = {.world = world};
    world->threads->enter(world, &hall.lock);
    world->threads->wake(world, &hall.host, false);
    world->threads->wake(world, &hall.host, true);
    wait_in_vain(world, &hall.host, &hall.lock, world->clock->now_ns(world));
    world->threads->leave(world, &hall.lock);
}

struct seen {
    struct solo_event events[2];
    int count;
};

enum { MARK = 7770077 };

static void see(const struct solo_event *event, void *arg)
{
    struct seen *seen = arg;
    if (event->kind == SOLO_PROBE_TIMER_SET && event->value == MARK && seen->count < 2) {
        seen->events[seen->count++] = *event;
    }
}

static void threads__an_announcement_reaches_the_subscribers(struct solo_world *world)
{
    struct seen seen = {.count = 0};
    uint64_t before = world->clock->now_ns(world);
    solo__announce(world, SOLO_PROBE_TIMER_SET, SOLO_ACCESS_WRITE, 5, MARK);
    CU_ASSERT_EQUAL(solo_probe_subscribe(see, &seen), 0);
    solo__announce(world, SOLO_PROBE_TIMER_SET, SOLO_ACCESS_WRITE, 5, MARK);
    solo__announce(world, SOLO_PROBE_TIMER_SET, SOLO_ACCESS_READ, 6, MARK);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(see, &seen), 0);
    solo__announce(world, SOLO_PROBE_TIMER_SET, SOLO_ACCESS_WRITE, 5, MARK);
    CU_ASSERT_EQUAL(seen.count, 2);
    CU_ASSERT_EQUAL(seen.events[0].object, 5);
    CU_ASSERT_EQUAL(seen.events[0].access, SOLO_ACCESS_WRITE);
    CU_ASSERT_EQUAL(seen.events[0].thread, solo__self_get()->number);
    CU_ASSERT_TRUE(seen.events[0].now_ns >= before);
    CU_ASSERT_EQUAL(seen.events[1].object, 6);
    CU_ASSERT_TRUE(seen.events[1].step > seen.events[0].step);
}

/* ---- Poll and wake ---- */

static void poll__a_wake_before_the_wait_is_seen(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    bool woken = false;
    world->poll->wake(world, poller);
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, SOLO_NEVER, NULL, 0, &woken), 0);
    CU_ASSERT_TRUE(woken);
    world->poll->close(world, poller);
}

static void poll__many_wakes_count_as_one(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    struct solo_ready ready;
    bool woken = false;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
            world->poll->wake(world, poller);
        }
        CU_ASSERT_EQUAL(world->poll->wait(world, poller, SOLO_NEVER, &ready, 1, &woken), 0);
        CU_ASSERT_TRUE(woken);
        CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 0);
    }
    world->poll->close(world, poller);
}

static void poll__a_watched_signal_is_reported_once(struct solo_world *world)
{
    enum { USR1 = 10 };
    struct solo_poller *poller = open_poller(world), *other = open_poller(world);
    struct solo_ready ready = {0, 0};
    bool woken = false;
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, poller, USR1, true, 77), 0);
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, other, USR1, true, 78), -EBUSY);
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, other, USR1, false, 78), -ENOENT);
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, other, 0, true, 78), -EINVAL);
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, other, 9, true, 78), -EINVAL); /* it cannot be caught */
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(world->poll->raise_signal(world, USR1), 0);
    }
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, SOLO_NEVER, &ready, 1, &woken), 1);
    CU_ASSERT_EQUAL(ready.key, 77);
    CU_ASSERT_EQUAL(ready.events, SOLO_READABLE);
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 0);
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, poller, USR1, false, 0), 0);
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, other, USR1, true, 78), 0);
    CU_ASSERT_EQUAL(ready_now(world, other, &ready), 0);
    CU_ASSERT_EQUAL(world->poll->watch_signal(world, other, USR1, false, 0), 0);
    world->poll->close(world, poller);
    world->poll->close(world, other);
}

static void poll__deadline_0_does_not_wait(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    struct solo_ready ready;
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 0);
    world->poll->close(world, poller);
}

static void poll__returns_with_nothing_at_its_deadline(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    struct solo_ready ready;
    bool woken = true;
    uint64_t deadline = world->clock->now_ns(world) + MS;
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, deadline, &ready, 1, &woken), 0);
    CU_ASSERT_FALSE(woken);
    CU_ASSERT_TRUE(world->clock->now_ns(world) >= deadline);
    world->poll->close(world, poller);
}

static void poll__readiness_is_a_level(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    struct solo_ready ready = {0, 0};
    int fds[2];
    char byte;
    CU_ASSERT_EQUAL(world->network->pair(world, fds), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[0], SOLO_READABLE, 77), 0);
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 0);
    write_all(world, fds[1], "x");
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 1);
        CU_ASSERT_EQUAL(ready.key, 77);
        CU_ASSERT_EQUAL(ready.events, SOLO_READABLE);
    }
    CU_ASSERT_EQUAL(world->network->read(world, fds[0], &byte, 1, NULL), 1);
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 0);
    (void)world->network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, fds[1], SOLO_CLOSE_WHOLE);
    world->poll->close(world, poller);
}

static void poll__interest_can_be_changed_and_forgotten(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    struct solo_ready ready = {0, 0};
    int fds[2];
    CU_ASSERT_EQUAL(world->network->pair(world, fds), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[0], SOLO_WRITABLE, 1), 0);
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 1);
    CU_ASSERT_EQUAL(ready.events, SOLO_WRITABLE);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[0], SOLO_READABLE, 2), 0);
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 0);
    write_all(world, fds[1], "x");
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 1);
    CU_ASSERT_EQUAL(ready.key, 2);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[0], SOLO_READABLE | SOLO_WRITABLE, 3), 0);
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 1);
    CU_ASSERT_EQUAL(ready.events, SOLO_READABLE | SOLO_WRITABLE);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[0], 0, 3), 0);
    CU_ASSERT_EQUAL(ready_now(world, poller, &ready), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[0], 0, 3), 0);
    (void)world->network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, fds[1], SOLO_CLOSE_WHOLE);
    world->poll->close(world, poller);
}

static void poll__a_descriptor_that_does_not_exist_is_refused(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, -1, SOLO_READABLE, 1), -EBADF);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, 1 << 20, SOLO_READABLE, 1), -EBADF);
    world->poll->close(world, poller);
}

static void poll__more_ready_than_room_are_reported_in_turn(struct solo_world *world)
{
    struct solo_poller *poller = open_poller(world);
    int fds[3][2];
    bool served[3] = {false, false, false};
    bool woken = false;
    for (uint64_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(world->network->pair(world, fds[i]), 0);
        CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[i][0], SOLO_READABLE, i), 0);
        write_all(world, fds[i][1], "x");
    }
    world->poll->wake(world, poller);
    for (int i = 0; i < 3 || !woken;) {
        struct solo_ready ready = {0, 0};
        bool now_woken = false;
        char byte;
        int count = world->poll->wait(world, poller, SOLO_NEVER, &ready, 1, &now_woken);
        woken = woken || now_woken;
        if (count == 1) {
            CU_ASSERT_FALSE(served[ready.key]);
            served[ready.key] = true;
            CU_ASSERT_EQUAL(world->network->read(world, fds[ready.key][0], &byte, 1, NULL), 1);
            i++;
        } else {
            CU_ASSERT_TRUE(now_woken);
        }
    }
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(served[i]);
        (void)world->network->close(world, fds[i][0], SOLO_CLOSE_WHOLE);
        (void)world->network->close(world, fds[i][1], SOLO_CLOSE_WHOLE);
    }
    world->poll->close(world, poller);
}

static void poll__a_lost_partner_is_a_hangup_or_readable(struct solo_world *world)
{
    int fds[2];
    char byte;
    CU_ASSERT_EQUAL(world->network->pair(world, fds), 0);
    (void)world->network->close(world, fds[1], SOLO_CLOSE_WHOLE);
    CU_ASSERT_NOT_EQUAL(await(world, fds[0], SOLO_READABLE) & (SOLO_READABLE | SOLO_HANGUP), 0);
    CU_ASSERT_EQUAL(world->network->read(world, fds[0], &byte, 1, NULL), 0);
    (void)world->network->close(world, fds[0], SOLO_CLOSE_WHOLE);
}

struct waker {
    struct solo_world *world;
    struct solo_poller *poller;
    struct solo_lock lock;
    int sent;
};

enum { WAKES = 300 };

static void wake_often(void *arg)
{
    struct waker *waker = arg;
    struct solo_world *world = waker->world;
    for (int i = 0; i < WAKES; i++) {
        point(world);
        world->threads->enter(world, &waker->lock);
        waker->sent++;
        world->threads->leave(world, &waker->lock);
        point(world);
        world->poll->wake(world, waker->poller);
    }
}

/* The queue of a reactor in small: whatever was put in before a wake is seen after the wait. A lost wake hangs here. */
static void poll__wakes_from_a_thread_are_never_lost(struct solo_world *world)
{
    struct waker waker = {.world = world, .poller = open_poller(world)};
    struct solo_thread *threads[2];
    int seen = 0;
    for (int i = 0; i < 2; i++) {
        threads[i] = start(world, wake_often, &waker);
    }
    while (seen < 2 * WAKES) {
        struct solo_ready ready;
        bool woken = false;
        CU_ASSERT_EQUAL(world->poll->wait(world, waker.poller, SOLO_NEVER, &ready, 1, &woken), 0);
        CU_ASSERT_TRUE(woken);
        world->threads->enter(world, &waker.lock);
        seen = waker.sent;
        world->threads->leave(world, &waker.lock);
    }
    for (int i = 0; i < 2; i++) {
        reap(threads[i]);
    }
    world->poll->close(world, waker.poller);
}

/* ---- Network ---- */

static void network__port_0_finds_a_free_port(struct solo_world *world)
{
    int first = -1, second = -1;
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, 0, &first), 0);
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, 0, &second), 0);
    int first_port = port_of(world, first);
    int second_port = port_of(world, second);
    CU_ASSERT_TRUE(first_port > 0);
    CU_ASSERT_TRUE(second_port > 0);
    CU_ASSERT_NOT_EQUAL(first_port, second_port);
    (void)world->network->close(world, first, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, second, SOLO_CLOSE_WHOLE);
}

static void network__a_port_in_use_is_refused_until_it_is_closed(struct solo_world *world)
{
    int first = -1, second = -1;
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, 0, &first), 0);
    uint16_t port = port_of(world, first);
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, port, &second), -EADDRINUSE);
    CU_ASSERT_EQUAL(second, -1);
    (void)world->network->close(world, first, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, port, &second), 0);
    (void)world->network->close(world, second, SOLO_CLOSE_WHOLE);
}

static void network__accept_without_a_caller_would_block(struct solo_world *world)
{
    int listener = -1, accepted = -1;
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, 0, &listener), 0);
    CU_ASSERT_EQUAL(world->network->accept(world, listener, NULL, &accepted), -EAGAIN);
    CU_ASSERT_EQUAL(accepted, -1);
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE);
}

static void network__bytes_arrive_in_order_both_ways(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    char buffer[8] = "";
    write_all(world, c.client, "hel");
    write_all(world, c.client, "lo");
    write_all(world, c.server, "world");
    read_exactly(world, c.server, buffer, 5);
    CU_ASSERT_NSTRING_EQUAL(buffer, "hello", 5);
    read_exactly(world, c.client, buffer, 5);
    CU_ASSERT_NSTRING_EQUAL(buffer, "world", 5);
    close_all(world, c);
}

static void network__reading_nothing_would_block(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    char byte;
    CU_ASSERT_EQUAL(world->network->read(world, c.client, &byte, 1, NULL), -EAGAIN);
    CU_ASSERT_EQUAL(world->network->read(world, c.server, &byte, 1, NULL), -EAGAIN);
    close_all(world, c);
}

static void network__what_one_read_leaves_the_next_one_gets(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    char buffer[8] = "";
    write_all(world, c.client, "abcde");
    read_exactly(world, c.server, buffer, 2);
    CU_ASSERT_NSTRING_EQUAL(buffer, "ab", 2);
    CU_ASSERT_NOT_EQUAL(await(world, c.server, SOLO_READABLE) & SOLO_READABLE, 0);
    read_exactly(world, c.server, buffer, 3);
    CU_ASSERT_NSTRING_EQUAL(buffer, "cde", 3);
    close_all(world, c);
}

static void network__a_closed_stream_ends_after_its_last_byte(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    char byte = 0;
    write_all(world, c.client, "z");
    (void)world->network->close(world, c.client, SOLO_CLOSE_WHOLE);
    c.client = -1;
    read_exactly(world, c.server, &byte, 1);
    CU_ASSERT_EQUAL(byte, 'z');
    CU_ASSERT_EQUAL(read_something(world, c.server, &byte, 1), 0);
    CU_ASSERT_EQUAL(read_something(world, c.server, &byte, 1), 0);
    close_all(world, c);
}

static void network__an_aborted_stream_is_reset(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    char byte;
    (void)world->network->close(world, c.client, SOLO_CLOSE_ABORT);
    c.client = -1;
    CU_ASSERT_EQUAL(read_something(world, c.server, &byte, 1), -ECONNRESET);
    close_all(world, c);
}

static void network__writing_to_a_closed_stream_fails_in_the_end(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    ptrdiff_t result = 1;
    (void)world->network->close(world, c.server, SOLO_CLOSE_WHOLE);
    c.server = -1;
    for (int i = 0; i < 1000 && (result > 0 || result == -EAGAIN); i++) {
        (void)await(world, c.client, SOLO_READABLE | SOLO_WRITABLE);
        result = world->network->write(world, c.client, "x", 1, NULL);
    }
    CU_ASSERT_TRUE(result == -EPIPE || result == -ECONNRESET);
    close_all(world, c);
}

static void network__a_closed_port_refuses(struct solo_world *world)
{
    int listener = -1, client = -1;
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, 0, &listener), 0);
    uint16_t port = port_of(world, listener);
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(open_stream(world, LOOPBACK, port, &client), 0);
    CU_ASSERT_NOT_EQUAL(await(world, client, SOLO_WRITABLE) & (SOLO_WRITABLE | SOLO_HANGUP), 0);
    CU_ASSERT_EQUAL(world->network->query(world, client, SOLO_QUERY_CONNECTED, NULL), -ECONNREFUSED);
    (void)world->network->close(world, client, SOLO_CLOSE_WHOLE);
}

/* Byte i of the endless text that the flood test sends. */
static char flood_byte(size_t i)
{
    return (char)(i * 31 + i / 251);
}

static size_t write_until_full(struct solo_world *world, int fd, size_t sent)
{
    for (;;) {
        char block[4096];
        for (size_t i = 0; i < sizeof(block); i++) {
            block[i] = flood_byte(sent + i);
        }
        ptrdiff_t put = world->network->write(world, fd, block, sizeof(block), NULL);
        if (put < 0) {
            CU_ASSERT_EQUAL(put, -EAGAIN);
            return sent;
        }
        CU_ASSERT_TRUE(put > 0);
        sent += (size_t)put;
    }
}

static void network__a_full_stream_would_block_and_loses_nothing(struct solo_world *world)
{
    int fds[2];
    size_t sent, received = 0, wrong = 0;
    CU_ASSERT_EQUAL(world->network->pair(world, fds), 0);
    sent = write_until_full(world, fds[0], 0);
    CU_ASSERT_TRUE(sent > 0);
    while (received < sent) {
        char block[1000];
        ptrdiff_t got = read_something(world, fds[1], block, sizeof(block));
        CU_ASSERT_TRUE(got > 0);
        if (got <= 0) {
            break;
        }
        for (ptrdiff_t i = 0; i < got; i++) {
            wrong += block[i] != flood_byte(received++);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_NOT_EQUAL(await(world, fds[0], SOLO_WRITABLE) & SOLO_WRITABLE, 0);
    CU_ASSERT_TRUE(world->network->write(world, fds[0], "x", 1, NULL) == 1);
    (void)world->network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, fds[1], SOLO_CLOSE_WHOLE);
}

static void network__a_pair_is_connected_both_ways(struct solo_world *world)
{
    int fds[2] = {-1, -1};
    char byte = 0;
    CU_ASSERT_EQUAL(world->network->pair(world, fds), 0);
    CU_ASSERT_NOT_EQUAL(fds[0], fds[1]);
    write_all(world, fds[0], "a");
    write_all(world, fds[1], "b");
    read_exactly(world, fds[0], &byte, 1);
    CU_ASSERT_EQUAL(byte, 'b');
    read_exactly(world, fds[1], &byte, 1);
    CU_ASSERT_EQUAL(byte, 'a');
    (void)world->network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(read_something(world, fds[1], &byte, 1), 0);
    (void)world->network->close(world, fds[1], SOLO_CLOSE_WHOLE);
}

static void network__a_descriptor_that_does_not_exist_is_refused(struct solo_world *world)
{
    char byte;
    int fd = -1;
    CU_ASSERT_EQUAL(world->network->read(world, 1 << 20, &byte, 1, NULL), -EBADF);
    CU_ASSERT_EQUAL(world->network->write(world, 1 << 20, "x", 1, NULL), -EBADF);
    CU_ASSERT_EQUAL(world->network->accept(world, 1 << 20, NULL, &fd), -EBADF);
    CU_ASSERT_EQUAL(world->network->query(world, 1 << 20, SOLO_QUERY_LOCAL, NULL), -EBADF);
    CU_ASSERT_EQUAL(world->network->close(world, 1 << 20, SOLO_CLOSE_WHOLE), -EBADF);
    CU_ASSERT_EQUAL(world->network->close(world, 1 << 20, SOLO_CLOSE_WRITING), -EBADF);
    CU_ASSERT_EQUAL(world->network->set(world, 1 << 20, SOLO_SET_NO_DELAY, 1), -EBADF);
}

static void network__an_unknown_question_is_refused(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    CU_ASSERT_EQUAL(world->network->query(world, c.client, (enum solo_query)99, NULL), -EINVAL);
    CU_ASSERT_EQUAL(port_of(world, c.server), c.port);
    close_all(world, c);
}

static void network__each_end_knows_both_addresses(struct solo_world *world)
{
    const struct solo_address local = {.family = SOLO_INET, .host = LOOPBACK};
    struct solo_address at = {0}, own = {0}, peer = {0}, accepted = {0};
    int listener = -1, client = -1, server = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &local, NULL, &listener), 0);
    CU_ASSERT_EQUAL(world->network->query(world, listener, SOLO_QUERY_LOCAL, &at), 0);
    CU_ASSERT_EQUAL(at.host, LOOPBACK);
    CU_ASSERT_EQUAL(world->network->query(world, listener, SOLO_QUERY_PEER, &peer), -ENOTCONN);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, NULL, &at, &client), 0);
    CU_ASSERT_NOT_EQUAL(await(world, listener, SOLO_READABLE) & SOLO_READABLE, 0);
    CU_ASSERT_EQUAL(world->network->accept(world, listener, &accepted, &server), 0);
    (void)await(world, client, SOLO_WRITABLE);
    CU_ASSERT_EQUAL(world->network->query(world, client, SOLO_QUERY_LOCAL, &own), 0);
    CU_ASSERT_EQUAL(world->network->query(world, client, SOLO_QUERY_PEER, &peer), 0);
    CU_ASSERT_EQUAL(memcmp(&own, &accepted, sizeof own), 0);
    CU_ASSERT_EQUAL(memcmp(&peer, &at, sizeof peer), 0);
    CU_ASSERT_EQUAL(world->network->query(world, server, SOLO_QUERY_LOCAL, &own), 0);
    CU_ASSERT_EQUAL(memcmp(&own, &at, sizeof own), 0);
    CU_ASSERT_EQUAL(world->network->query(world, server, SOLO_QUERY_PEER, &peer), 0);
    CU_ASSERT_EQUAL(memcmp(&peer, &accepted, sizeof peer), 0);
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, client, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, server, SOLO_CLOSE_WHOLE);
}

static void network__a_client_may_come_from_an_address_of_its_own(struct solo_world *world)
{
    struct solo_address from = {.family = SOLO_INET, .host = LOOPBACK}, at = from, accepted = {0};
    int listener = -1, client = -1, server = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &from, NULL, &client), 0);
    from.port = port_of(world, client); /* nobody has it once this is closed */
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &at, NULL, &listener), 0);
    at.port = port_of(world, listener);
    int taken = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, &from, &at, &taken), -EADDRINUSE);
    (void)world->network->close(world, client, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, &from, &at, &client), 0);
    (void)await(world, listener, SOLO_READABLE);
    CU_ASSERT_EQUAL(world->network->accept(world, listener, &accepted, &server), 0);
    CU_ASSERT_EQUAL(accepted.port, from.port);
    (void)world->network->close(world, client, SOLO_CLOSE_ABORT);
    (void)world->network->close(world, server, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE);
}

static void network__writing_can_end_before_reading(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    char byte = 0;
    write_all(world, c.client, "q");
    CU_ASSERT_EQUAL(world->network->close(world, c.client, SOLO_CLOSE_WRITING), 0);
    CU_ASSERT_EQUAL(world->network->write(world, c.client, "x", 1, NULL), -EPIPE);
    read_exactly(world, c.server, &byte, 1);
    CU_ASSERT_EQUAL(byte, 'q');
    CU_ASSERT_EQUAL(read_something(world, c.server, &byte, 1), 0);
    write_all(world, c.server, "a");
    read_exactly(world, c.client, &byte, 1);
    CU_ASSERT_EQUAL(byte, 'a');
    CU_ASSERT_EQUAL(world->network->read(world, c.client, &byte, 1, NULL), -EAGAIN);
    CU_ASSERT_EQUAL(world->network->close(world, c.server, SOLO_CLOSE_WHOLE), 0);
    c.server = -1;
    CU_ASSERT_EQUAL(read_something(world, c.client, &byte, 1), 0);
    close_all(world, c);
}

static void network__options_are_of_the_descriptors_that_have_them(struct solo_world *world)
{
    struct connection c = connect_pair(world);
    const struct solo_address any = {.family = SOLO_INET, .host = LOOPBACK};
    int fds[2] = {-1, -1}, datagram = -1;
    CU_ASSERT_EQUAL(world->network->pair(world, fds), 0);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_DATAGRAM, &any, NULL, &datagram), 0);
    for (int value = 0; value < 2; value++) {
        CU_ASSERT_EQUAL(world->network->set(world, c.client, SOLO_SET_NO_DELAY, value), 0);
        CU_ASSERT_EQUAL(world->network->set(world, c.server, SOLO_SET_KEEP_ALIVE, value), 0);
        CU_ASSERT_EQUAL(world->network->set(world, datagram, SOLO_SET_BROADCAST, value), 0);
        CU_ASSERT_EQUAL(world->network->set(world, fds[0], SOLO_SET_NO_DELAY, value), -EOPNOTSUPP);
        CU_ASSERT_EQUAL(world->network->set(world, fds[0], SOLO_SET_KEEP_ALIVE, value), -EOPNOTSUPP);
        CU_ASSERT_EQUAL(world->network->set(world, datagram, SOLO_SET_NO_DELAY, value), -EOPNOTSUPP);
        CU_ASSERT_EQUAL(world->network->set(world, c.client, SOLO_SET_BROADCAST, value), -EOPNOTSUPP);
    }
    CU_ASSERT_EQUAL(world->network->set(world, c.client, (enum solo_option_name)99, 1), -EINVAL);
    (void)world->network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, fds[1], SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, datagram, SOLO_CLOSE_WHOLE);
    close_all(world, c);
}

/* ---- UNIX names ---- */

static struct solo_address name_of(const char *name)
{
    struct solo_address address = {.family = SOLO_UNIX};
    (void)snprintf(address.path, sizeof address.path, "/tmp/solo-test-%d-%s", (int)getpid(), name);
    return address;
}

static void network__a_unix_name_is_listened_on_and_connected_to(struct solo_world *world)
{
    const struct solo_address name = name_of("a");
    struct solo_address own = {0}, peer = {0};
    int listener = -1, second = -1, client = -1, server = -1;
    char byte = 0;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &name, NULL, &listener), 0);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &name, NULL, &second), -EADDRINUSE);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, NULL, &name, &client), 0);
    (void)await(world, listener, SOLO_READABLE);
    CU_ASSERT_EQUAL(world->network->accept(world, listener, &peer, &server), 0);
    CU_ASSERT_EQUAL(peer.family, SOLO_UNIX);
    CU_ASSERT_STRING_EQUAL(peer.path, "");
    (void)await(world, client, SOLO_WRITABLE);
    CU_ASSERT_EQUAL(world->network->query(world, client, SOLO_QUERY_CONNECTED, NULL), 0);
    CU_ASSERT_EQUAL(world->network->query(world, client, SOLO_QUERY_PEER, &peer), 0);
    CU_ASSERT_STRING_EQUAL(peer.path, name.path);
    CU_ASSERT_EQUAL(world->network->query(world, server, SOLO_QUERY_LOCAL, &own), 0);
    CU_ASSERT_STRING_EQUAL(own.path, name.path);
    write_all(world, client, "u");
    read_exactly(world, server, &byte, 1);
    CU_ASSERT_EQUAL(byte, 'u');
    (void)world->network->close(world, client, SOLO_CLOSE_ABORT); /* there are no resets here */
    CU_ASSERT_EQUAL(read_something(world, server, &byte, 1), 0);
    (void)world->network->close(world, server, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, listener, SOLO_CLOSE_NAME);
}

static void network__a_unix_name_outlives_its_listener_unless_it_is_taken_away(struct solo_world *world)
{
    const struct solo_address name = name_of("b");
    int listener = -1, client = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, NULL, &name, &client), -ENOENT);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &name, NULL, &listener), 0);
    (void)world->network->close(world, listener, SOLO_CLOSE_NAME);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, NULL, &name, &client), -ENOENT);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &name, NULL, &listener), 0);
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, NULL, &name, &client), -ECONNREFUSED);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &name, NULL, &listener), -EADDRINUSE);
    (void)remove(name.path);
}

/* ---- Datagrams ---- */

static int open_datagram(struct solo_world *world, const struct solo_address *remote, struct solo_address *ret_local)
{
    const struct solo_address local = {.family = SOLO_INET, .host = LOOPBACK};
    int fd = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_DATAGRAM, &local, remote, &fd), 0);
    CU_ASSERT_EQUAL(world->network->query(world, fd, SOLO_QUERY_LOCAL, ret_local), 0);
    CU_ASSERT_TRUE(ret_local->port > 0);
    return fd;
}

static void network__datagrams_arrive_whole_with_their_sender(struct solo_world *world)
{
    struct solo_address at_a = {0}, at_b = {0}, from = {0};
    int a = open_datagram(world, NULL, &at_a), b = open_datagram(world, NULL, &at_b), taken = -1;
    char text[16] = "";
    CU_ASSERT_EQUAL(world->network->read(world, b, text, sizeof text, &from), -EAGAIN);
    CU_ASSERT_EQUAL(world->network->write(world, a, "one", 3, &at_b), 3);
    CU_ASSERT_EQUAL(world->network->write(world, a, "", 0, &at_b), 0);
    CU_ASSERT_EQUAL(world->network->write(world, a, "three", 5, &at_b), 5);
    CU_ASSERT_NOT_EQUAL(await(world, b, SOLO_READABLE) & SOLO_READABLE, 0);
    CU_ASSERT_EQUAL(world->network->read(world, b, text, sizeof text, &from), 3);
    CU_ASSERT_EQUAL(memcmp(text, "one", 3), 0);
    CU_ASSERT_EQUAL(memcmp(&from, &at_a, sizeof from), 0);
    CU_ASSERT_EQUAL(world->network->read(world, b, text, sizeof text, &from), 0);
    CU_ASSERT_EQUAL(world->network->read(world, b, text, 2, &from), 2); /* the rest of it is gone */
    CU_ASSERT_EQUAL(world->network->read(world, b, text, sizeof text, &from), -EAGAIN);
    CU_ASSERT_EQUAL(world->network->write(world, b, "back", 4, &from), 4);
    CU_ASSERT_NOT_EQUAL(await(world, a, SOLO_READABLE) & SOLO_READABLE, 0);
    CU_ASSERT_EQUAL(world->network->read(world, a, text, sizeof text, &from), 4);
    CU_ASSERT_EQUAL(from.port, at_b.port);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_DATAGRAM, &at_a, NULL, &taken), -EADDRINUSE);
    CU_ASSERT_EQUAL(world->network->write(world, a, "x", 1, NULL), -EDESTADDRREQ);
    CU_ASSERT_EQUAL(world->network->query(world, a, SOLO_QUERY_PEER, NULL), -ENOTCONN);
    (void)world->network->close(world, b, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(world->network->write(world, a, "nobody", 6, &at_b), 6);
    CU_ASSERT_EQUAL(world->network->read(world, a, text, sizeof text, &from), -EAGAIN);
    (void)world->network->close(world, a, SOLO_CLOSE_WHOLE);
}

static void network__a_connected_datagram_socket_hears_only_its_partner(struct solo_world *world)
{
    struct solo_address at_a = {0}, at_b = {0}, at_c = {0}, peer = {0};
    int b = open_datagram(world, NULL, &at_b), a = open_datagram(world, &at_b, &at_a);
    int c = open_datagram(world, NULL, &at_c);
    char text[16] = "";
    CU_ASSERT_EQUAL(world->network->query(world, a, SOLO_QUERY_PEER, &peer), 0);
    CU_ASSERT_EQUAL(peer.port, at_b.port);
    CU_ASSERT_EQUAL(world->network->write(world, a, "hello", 5, NULL), 5);
    (void)await(world, b, SOLO_READABLE);
    CU_ASSERT_EQUAL(world->network->read(world, b, text, sizeof text, &peer), 5);
    CU_ASSERT_EQUAL(peer.port, at_a.port);
    CU_ASSERT_EQUAL(world->network->write(world, c, "not you", 7, &at_a), 7);
    CU_ASSERT_EQUAL(world->network->write(world, b, "you", 3, &at_a), 3);
    (void)await(world, a, SOLO_READABLE);
    CU_ASSERT_EQUAL(world->network->read(world, a, text, sizeof text, NULL), 3);
    (void)world->network->close(world, b, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(world->network->write(world, a, "gone", 4, NULL), 4);
    (void)await(world, a, SOLO_READABLE);
    CU_ASSERT_EQUAL(world->network->read(world, a, text, sizeof text, NULL), -ECONNREFUSED);
    CU_ASSERT_EQUAL(world->network->read(world, a, text, sizeof text, NULL), -EAGAIN);
    (void)world->network->close(world, a, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, c, SOLO_CLOSE_WHOLE);
}

static void network__datagrams_have_a_greatest_size(struct solo_world *world)
{
    static char most[65508];
    struct solo_address at_a = {0}, at_b = {0}, from = {0};
    int a = open_datagram(world, NULL, &at_a), b = open_datagram(world, NULL, &at_b);
    CU_ASSERT_EQUAL(world->network->write(world, a, most, 65508, &at_b), -EMSGSIZE);
    CU_ASSERT_EQUAL(world->network->write(world, a, most, 65507, &at_b), 65507);
    (void)await(world, b, SOLO_READABLE);
    CU_ASSERT_EQUAL(world->network->read(world, b, most, sizeof most, &from), 65507);
    (void)world->network->close(world, a, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, b, SOLO_CLOSE_WHOLE);
}

static void network__what_cannot_be_opened_is_refused(struct solo_world *world)
{
    const struct solo_address inet = {.family = SOLO_INET, .host = LOOPBACK}, none = {0};
    const struct solo_address name = name_of("c");
    int fd = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, NULL, &inet, &fd), -EINVAL);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, &inet, NULL, &fd), -EINVAL);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &none, NULL, &fd), -EINVAL);
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_DATAGRAM, &name, NULL, &fd), -EINVAL);
    CU_ASSERT_EQUAL(world->network->open(world, (enum solo_open)99, &inet, &inet, &fd), -EINVAL);
    CU_ASSERT_EQUAL(fd, -1);
}

/* ---- Memory and randomness ---- */

static void memory__blocks_are_aligned_and_apart(struct solo_world *world)
{
    char *first = world->memory->allocate(world, 100);
    char *second = world->memory->allocate(world, 100);
    CU_ASSERT_PTR_NOT_NULL(first);
    CU_ASSERT_PTR_NOT_NULL(second);
    CU_ASSERT_EQUAL((uintptr_t)first % _Alignof(max_align_t), 0);
    CU_ASSERT_EQUAL((uintptr_t)second % _Alignof(max_align_t), 0);
    memset(first, 1, 100);
    memset(second, 2, 100);
    CU_ASSERT_EQUAL(first[0] + first[99], 2);
    world->memory->release(world, first);
    world->memory->release(world, second);
    world->memory->release(world, NULL);
}

static void memory__random_fills_every_byte(struct solo_world *world)
{
    unsigned char seen[13] = {0};
    unsigned char bytes[13];
    bool all = false;
    for (int round = 0; round < 1000 && !all; round++) {
        all = true;
        world->memory->random(world, bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seen[i] |= bytes[i];
            all = all && seen[i] == 0xff;
        }
    }
    CU_ASSERT_TRUE(all);
    world->memory->random(world, bytes, 0);
}

/* ---- Both worlds ---- */

#define CONFORMANCE(X)                                                                                                 \
    X(clock__never_goes_back)                                                                                          \
    X(clock__sleep_returns_at_its_time_or_later)                                                                       \
    X(clock__sleeping_until_the_past_returns)                                                                          \
    X(threads__a_thread_runs_as_itself_and_join_waits_for_it)                                                          \
    X(threads__each_has_a_number_of_its_own)                                                                           \
    X(threads__a_leaf_lock_lets_one_in_at_a_time)                                                                      \
    X(threads__wake_lets_one_waiter_go_on)                                                                             \
    X(threads__wake_all_lets_every_waiter_go_on)                                                                       \
    X(threads__a_wait_times_out_at_its_deadline)                                                                       \
    X(threads__a_wake_that_nobody_waits_for_is_forgotten)                                                              \
    X(threads__an_announcement_reaches_the_subscribers)                                                                \
    X(poll__a_wake_before_the_wait_is_seen)                                                                            \
    X(poll__many_wakes_count_as_one)                                                                                   \
    X(poll__a_watched_signal_is_reported_once)                                                                         \
    X(poll__deadline_0_does_not_wait)                                                                                  \
    X(poll__returns_with_nothing_at_its_deadline)                                                                      \
    X(poll__readiness_is_a_level)                                                                                      \
    X(poll__interest_can_be_changed_and_forgotten)                                                                     \
    X(poll__a_descriptor_that_does_not_exist_is_refused)                                                               \
    X(poll__more_ready_than_room_are_reported_in_turn)                                                                 \
    X(poll__a_lost_partner_is_a_hangup_or_readable)                                                                    \
    X(poll__wakes_from_a_thread_are_never_lost)                                                                        \
    X(network__port_0_finds_a_free_port)                                                                               \
    X(network__a_port_in_use_is_refused_until_it_is_closed)                                                            \
    X(network__accept_without_a_caller_would_block)                                                                    \
    X(network__bytes_arrive_in_order_both_ways)                                                                        \
    X(network__reading_nothing_would_block)                                                                            \
    X(network__what_one_read_leaves_the_next_one_gets)                                                                 \
    X(network__a_closed_stream_ends_after_its_last_byte)                                                               \
    X(network__an_aborted_stream_is_reset)                                                                             \
    X(network__writing_to_a_closed_stream_fails_in_the_end)                                                            \
    X(network__a_closed_port_refuses)                                                                                  \
    X(network__a_full_stream_would_block_and_loses_nothing)                                                            \
    X(network__a_pair_is_connected_both_ways)                                                                          \
    X(network__a_descriptor_that_does_not_exist_is_refused)                                                            \
    X(network__an_unknown_question_is_refused)                                                                         \
    X(network__each_end_knows_both_addresses)                                                                          \
    X(network__a_client_may_come_from_an_address_of_its_own)                                                           \
    X(network__writing_can_end_before_reading)                                                                         \
    X(network__options_are_of_the_descriptors_that_have_them)                                                          \
    X(network__a_unix_name_is_listened_on_and_connected_to)                                                            \
    X(network__a_unix_name_outlives_its_listener_unless_it_is_taken_away)                                              \
    X(network__datagrams_arrive_whole_with_their_sender)                                                               \
    X(network__a_connected_datagram_socket_hears_only_its_partner)                                                     \
    X(network__datagrams_have_a_greatest_size)                                                                         \
    X(network__what_cannot_be_opened_is_refused)                                                                       \
    X(memory__blocks_are_aligned_and_apart)                                                                            \
    X(memory__random_fills_every_byte)

typedef void (*claim_fn)(struct solo_world *world);

/* The smallest strategy there is: dice. */
static int dice_begin(void *state, uint64_t seed)
{
    *(uint64_t *)state = seed;
    return 0;
}

static size_t dice_choose(void *state, const struct solo_choice *choice)
{
    uint64_t *dice = state;
    *dice = *dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (size_t)(*dice >> 33) % choice->count;
}

static const struct solo_strategy dice = {.name = "dice", .begin = dice_begin, .choose = dice_choose};

static void run_claim(void *arg)
{
    claim_fn claim = *(claim_fn *)arg;
    claim(solo_world_current());
}

static void simulate(claim_fn claim, enum solo_carrier carrier, const struct solo_strategy *strategy, uint64_t seeds)
{
    uint64_t state = 0;
    struct solo_sim_options options = {.carrier = carrier, .strategy = strategy, .strategy_state = &state};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL(solo_sim_create(&options, &sim), 0);
    for (uint64_t seed = 1; sim != NULL && seed <= seeds; seed++) {
        CU_ASSERT_EQUAL(solo_sim_run(sim, seed, run_claim, &claim), SOLO_ENDING_RETURNED);
    }
    solo_sim_destroy(sim);
}

static void on_os(claim_fn claim)
{
    claim(solo_world_os());
}

static void on_sim(claim_fn claim)
{
    simulate(claim, SOLO_CARRIER_FIBER, NULL, 1);
    simulate(claim, SOLO_CARRIER_FIBER, &dice, 20);
    simulate(claim, SOLO_CARRIER_TOKEN, &dice, 3);
}

#define DEFINE(claim)                                                                                                  \
    static void test_world_os__##claim(void)                                                                           \
    {                                                                                                                  \
        on_os(claim);                                                                                                  \
    }                                                                                                                  \
    static void test_world_sim__##claim(void)                                                                          \
    {                                                                                                                  \
        on_sim(claim);                                                                                                 \
    }
CONFORMANCE(DEFINE)

/* ---- What only world os promises ---- */

static void test_world_os__is_the_world_of_a_thread_that_the_kit_did_not_start(void)
{
    CU_ASSERT_PTR_EQUAL(solo_world_current(), solo_world_os());
    CU_ASSERT_STRING_EQUAL(solo_world_os()->name, "os");
}

static void test_world_os__a_regular_file_cannot_be_polled(void)
{
    struct solo_world *world = solo_world_os();
    struct solo_poller *poller = open_poller(world);
    FILE *file = fopen(runner_scratch_path("file"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fileno(file), SOLO_READABLE, 1), -EPERM);
    fclose(file);
    world->poll->close(world, poller);
}

/* What a program starts must not find the kit's descriptors open. */
static void test_world_os__descriptors_are_not_inherited(void)
{
    struct solo_world *world = solo_world_os();
    struct connection c = connect_pair(world);
    int fds[2];
    CU_ASSERT_EQUAL(world->network->pair(world, fds), 0);
    int all[] = {c.listener, c.client, c.server, fds[0], fds[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        CU_ASSERT_NOT_EQUAL(fcntl(all[i], F_GETFD) & FD_CLOEXEC, 0);
        CU_ASSERT_NOT_EQUAL(fcntl(all[i], F_GETFL) & O_NONBLOCK, 0);
    }
    close_all(world, c);
    (void)world->network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, fds[1], SOLO_CLOSE_WHOLE);
}

static void test_world_os__main_has_number_0(void)
{
    CU_ASSERT_EQUAL(solo__self_get()->number, 0);
}

void suite_world(void)
{
    SOLO_SUITE("world_os");
#define ADD_OS(claim) SOLO_TEST(test_world_os__##claim);
    CONFORMANCE(ADD_OS)
    SOLO_TEST(test_world_os__is_the_world_of_a_thread_that_the_kit_did_not_start);
    SOLO_TEST(test_world_os__main_has_number_0);
    SOLO_TEST(test_world_os__a_regular_file_cannot_be_polled);
    SOLO_TEST(test_world_os__descriptors_are_not_inherited);
    SOLO_SUITE("world_sim");
#define ADD_SIM(claim) SOLO_TEST(test_world_sim__##claim);
    CONFORMANCE(ADD_SIM)
}
