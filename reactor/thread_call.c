/*
 * thread_call.c - the queue by which any thread speaks to the reactor thread.
 *
 * First in, first out. A pass takes what is queued when it begins, as one batch; what comes later waits for the next
 * pass, so a call that queues itself again starves nobody.
 *
 * The queue is a stack without a lock, newest call first, which the reactor thread takes whole with one exchange and
 * turns round. All of its state is in one word, reactor->inbox: the newest call, whether the reactor may sleep, and
 * what it still takes. So a post is one compare and exchange, and sees all three as they were at one instant.
 *
 * No wake-up is lost: the reactor says SLEEPS only while the queue is empty, before it polls; the post that finds it
 * takes it away with the same exchange and wakes the poll. Between saying so and polling the wake stays pending in the
 * poller. No wake-up is wasted either: of many posts to a sleeping reactor only the first one wakes it, and of posts
 * to one that is awake, none. (test_thread_call__no_schedule_loses_a_wake_up)
 *
 * Who wakes the poll still needs the poller when the call that it has just posted may already have ended the reactor.
 * Hence destroy waits until as many wakes were sent as are owed; until then it is a matter of nanoseconds.
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"

enum post { POST_BLOCKING = SOLO__DRAINING, POST_CALL = SOLO__CLOSED, POST_FORCED = SOLO__GONE };

/*
 * The words of this file order nothing for race detectors: what one thread happens to see of another's calls would
 * hide races of programs. Each call is annotated on its own.
 */
#define LOOK_AWAY() SOLO_ANNOTATE_IGNORE_BEGIN()
#define LOOK_AGAIN() SOLO_ANNOTATE_IGNORE_END()

static struct solo__call *newest(uintptr_t inbox)
{
    return (struct solo__call *)(inbox & ~(uintptr_t)SOLO__INBOX_BITS);
}

/* Pushes the call; *ret_before is what was there. False: not any more, from the level of `post` on. */
static bool push(struct solo_reactor *reactor, struct solo__call *call, enum post post, uintptr_t *ret_before)
{
    uintptr_t before = __atomic_load_n(&reactor->inbox, __ATOMIC_RELAXED);
    bool taken = false;
    LOOK_AWAY();
    while (!taken && (before & SOLO__LEVEL) < (uintptr_t)post) {
        call->next = newest(before);
        taken = __atomic_compare_exchange_n(&reactor->inbox, &before, (uintptr_t)call | (before & SOLO__LEVEL), true,
                                            __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    }
    LOOK_AGAIN();
    *ret_before = before;
    return taken;
}

static void wake(struct solo_reactor *reactor, struct solo_world *world, uint32_t id)
{
    world->poll->wake(world, reactor->poller);
    LOOK_AWAY();
    (void)__atomic_add_fetch(&reactor->wakes_sent, 1, __ATOMIC_RELEASE); /* from here on the reactor may end */
    LOOK_AGAIN();
    solo__announce(world, SOLO_PROBE_WAKE_SENT, SOLO_ACCESS_WRITE, id, 0);
}

static int post_as(struct solo_reactor *reactor, struct solo__call *call, enum post post)
{
    struct solo_world *world = reactor->object.world;
    uint32_t id = reactor->object.id;
    uintptr_t before;
    if (reactor->object.state != SOLO__ALIVE) {
        return SOLO_ECLOSED; /* it ended since the caller looked: while the call was being announced */
    }

    SOLO_ANNOTATE_HAPPENS_BEFORE(call);
    if (!push(reactor, call, post, &before)) {
        return SOLO_ECLOSING;
    }
    if ((before & SOLO__SLEEPS) != 0) {
        wake(reactor, world, id);
    }
    return 0;
}

int solo__reactor_post(struct solo_reactor *reactor, struct solo__call *call, bool forced)
{
    return post_as(reactor, call, forced ? POST_FORCED : POST_CALL);
}

int solo__reactor_post_blocking(struct solo_reactor *reactor, struct solo__call *call)
{
    return post_as(reactor, call, POST_BLOCKING);
}

void solo__reactor_later(struct solo_reactor *reactor, struct solo__call *call)
{
    (void)solo__reactor_post(reactor, call, true);
}

/* ---- On the reactor thread ---- */

static uintptr_t look(struct solo_reactor *reactor)
{
    LOOK_AWAY();
    uintptr_t inbox = __atomic_load_n(&reactor->inbox, __ATOMIC_ACQUIRE);
    LOOK_AGAIN();
    return inbox;
}

bool solo__reactor_is_newest(struct solo_reactor *reactor, const struct solo__call *call)
{
    LOOK_AWAY();
    uintptr_t inbox = __atomic_load_n(&reactor->inbox, __ATOMIC_RELAXED);
    LOOK_AGAIN();
    return newest(inbox) == call && (inbox & SOLO__LEVEL) < (uintptr_t)POST_CALL;
}

/* Nobody but the reactor thread takes calls, so those that are there stay. */
bool solo__thread_calls_include(struct solo_reactor *reactor, void (*serve)(struct solo__call *call, int status))
{
    LOOK_AWAY();
    const struct solo__call *call = newest(__atomic_load_n(&reactor->inbox, __ATOMIC_ACQUIRE));
    while (call != NULL && call->serve != serve) {
        call = call->next;
    }
    LOOK_AGAIN();
    return call != NULL;
}

bool solo__reactor_may_sleep(struct solo_reactor *reactor)
{
    uintptr_t inbox = look(reactor);
    LOOK_AWAY();
    bool may_sleep = newest(inbox) == NULL && __atomic_compare_exchange_n(&reactor->inbox, &inbox, inbox | SOLO__SLEEPS,
                                                                          false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    LOOK_AGAIN();
    return may_sleep;
}

void solo__reactor_is_awake(struct solo_reactor *reactor)
{
    LOOK_AWAY();
    uintptr_t before = __atomic_fetch_and(&reactor->inbox, ~(uintptr_t)SOLO__SLEEPS, __ATOMIC_RELAXED);
    LOOK_AGAIN();
    reactor->wakes_owed += (before & SOLO__SLEEPS) == 0;
}

bool solo__reactor_sleeps(const struct solo_reactor *reactor)
{
    LOOK_AWAY();
    uintptr_t inbox = __atomic_load_n(&reactor->inbox, __ATOMIC_RELAXED);
    LOOK_AGAIN();
    return (inbox & SOLO__SLEEPS) != 0;
}

/* Takes all that is queued, oldest first. */
static struct solo__call_list take(struct solo_reactor *reactor)
{
    struct solo__call_list taken = {NULL, NULL};
    if (!solo__thread_calls_queued(reactor)) {
        return taken;
    }
    LOOK_AWAY();
    uintptr_t inbox = __atomic_fetch_and(&reactor->inbox, (uintptr_t)SOLO__LEVEL, __ATOMIC_ACQUIRE);
    taken.last = newest(inbox);
    for (struct solo__call *call = taken.last; call != NULL;) {
        struct solo__call *next = call->next;
        solo__call_batch_take(call);
        call->next = taken.first;
        taken.first = call;
        call = next;
    }
    LOOK_AGAIN();
    return taken;
}

static void raise_level(struct solo_reactor *reactor, enum solo__inbox level)
{
    LOOK_AWAY();
    uintptr_t inbox = __atomic_load_n(&reactor->inbox, __ATOMIC_RELAXED);
    while ((inbox & SOLO__LEVEL) < (uintptr_t)level &&
           !__atomic_compare_exchange_n(&reactor->inbox, &inbox, (inbox & ~(uintptr_t)SOLO__LEVEL) | level, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    LOOK_AGAIN();
}

void solo__thread_calls_drain(struct solo_reactor *reactor)
{
    raise_level(reactor, SOLO__DRAINING);
}

/* Whoever has yet to wake the poll needs it. */
static void wait_for_wakes(struct solo_reactor *reactor)
{
    enum { A_MOMENT_NS = 1000 };
    struct solo_world *world = reactor->world;
    for (;;) {
        LOOK_AWAY();
        uint32_t sent = __atomic_load_n(&reactor->wakes_sent, __ATOMIC_ACQUIRE);
        LOOK_AGAIN();
        if (sent == reactor->wakes_owed) {
            return;
        }
        world->clock->sleep_until(world, world->clock->now_ns(world) + A_MOMENT_NS);
    }
}

/* ---- Serving ---- */

static void serve(struct solo__call_list *list, int status)
{
    while (list->first != NULL) {
        SOLO_ANNOTATE_HAPPENS_AFTER(list->first); /* before its first field is read */
        struct solo__call *call = solo__call_list_pop(list);
        __builtin_prefetch(list->first);
        call->serve(call, status);
    }
}

void solo__thread_calls_take(struct solo_reactor *reactor)
{
    reactor->batch = take(reactor);
}

void solo__thread_calls_run(struct solo_reactor *reactor)
{
    serve(&reactor->batch, 0);
}

/* What is served here may post once more by force: hence rounds, until one finds nothing. */
static void close_queue(struct solo_reactor *reactor, enum solo__inbox level)
{
    raise_level(reactor, level);
    struct solo__call_list left = take(reactor);
    while (left.first != NULL) {
        serve(&left, SOLO_ECLOSING);
        left = take(reactor);
    }
}

void solo__thread_calls_close(struct solo_reactor *reactor)
{
    close_queue(reactor, SOLO__CLOSED);
}

void solo__thread_calls_end(struct solo_reactor *reactor)
{
    solo__thread_calls_close(reactor);
    close_queue(reactor, SOLO__GONE);
    wait_for_wakes(reactor);
}
