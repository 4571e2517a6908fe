/*
 * reactor.c - one thread that calls everything.
 *
 * This is the file to read first. `pass` is the reactor: everything else gives it work (thread_call.c,
 * delayed_call.c, descriptor.c, transport.c), says when it starts and stops (lifecycle.c, trigger.c), or sees to it
 * that only one thread is ever here (guard.c).
 *
 * What a running call queues waits for the next pass. So whoever queues himself again and again starves neither
 * delayed calls nor I/O, and the loop can be reasoned about one pass at a time.
 * (test_thread_call__what_a_running_call_queues_waits_for_the_next_pass)
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"
#include <solo/pool.h>

/* ---- The pass ---- */

/* Until when the poll may sleep; 0: not at all. */
static inline uint64_t poll_deadline(struct solo_reactor *reactor, uint64_t limit_ns)
{
    if (limit_ns == 0) {
        return 0;
    }
    uint64_t due_ns = solo__delayed_calls_next(reactor);
    uint64_t stop_ns = solo__lifecycle_deadline(reactor);
    uint64_t deadline_ns = due_ns < stop_ns ? due_ns : stop_ns;
    deadline_ns = deadline_ns < limit_ns ? deadline_ns : limit_ns;
    bool is_due = deadline_ns != SOLO_NEVER && (deadline_ns == 0 || deadline_ns <= solo__reactor_now(reactor));
    return is_due || reactor->unsent.first != NULL || !solo__reactor_may_sleep(reactor) ? 0 : deadline_ns;
}

/*
 * Waits until there is something to do, and reads the clock: the only place where the loop does either. Where it
 * neither waited nor found anything, nobody may ever ask for the time: it is then read when somebody does, in the next
 * pass at the latest.
 */
static inline __attribute__((always_inline)) size_t poll(struct solo_reactor *reactor, uint64_t limit_ns,
                                                         struct solo_ready *ready)
{
    struct solo_world *world = reactor->world;
    uint32_t id = reactor->object.id;
    uint64_t deadline_ns = poll_deadline(reactor, limit_ns);
    bool woken = false;

    bool no_limit = deadline_ns == SOLO_NEVER || deadline_ns == solo__lifecycle_deadline(reactor);
    solo__announce(world, SOLO_PROBE_POLL, no_limit ? SOLO_ACCESS_WAIT : SOLO_ACCESS_WRITE, id, deadline_ns);
    if (deadline_ns != 0) { /* nobody wants to see a stop give up */
        solo__self->patient = deadline_ns == solo__lifecycle_deadline(reactor);
    }
    int count = world->poll->wait(world, reactor->poller, deadline_ns, ready, SOLO__READY_MAX, &woken);
    reactor->now_known = false;
    if (count > 0 || woken || deadline_ns != 0) {
        (void)solo__reactor_now(reactor);
    }
    if (deadline_ns != 0) {
        solo__self->patient = false;
        solo__reactor_is_awake(reactor);
    }
    if (woken) {
        solo__announce(world, SOLO_PROBE_WAKE_SEEN, SOLO_ACCESS_WRITE, id, 0);
    }
    solo__announce(world, SOLO_PROBE_POLLED, SOLO_ACCESS_WRITE, id, count > 0 ? (uint64_t)count : 0);
    return count > 0 ? (size_t)count : 0;
}

/* Calls the watches of what is ready. One that is forgotten meanwhile is not called: see solo__reactor_watch. */
static void serve_ready(struct solo_reactor *reactor, struct solo_ready *ready, size_t count)
{
    reactor->ready = ready;
    reactor->ready_count = count;
    for (size_t i = 0; i < count; i++) {
        struct solo__watch *watch = (struct solo__watch *)(uintptr_t)ready[i].key;
        uint32_t events = watch != NULL ? ready[i].events & (watch->events | SOLO_HANGUP) : 0;
        if (events != 0) {
            watch->fn(watch, events);
        }
    }
    reactor->ready_count = 0;
}

/* One pass of the loop, with one poll that sleeps until limit_ns at most. Inline: see wait_for_events. */
static inline __attribute__((always_inline)) void pass(struct solo_reactor *reactor, uint64_t limit_ns)
{
    struct solo_ready ready[SOLO__READY_MAX];

    solo__announce(reactor->world, SOLO_PROBE_PASS, SOLO_ACCESS_NONE, reactor->object.id, ++reactor->passes);

    /* What is to be run in this pass is fixed now, and so is its time, if there is anything. */
    bool has_delayed = solo__delayed_calls_next(reactor) != SOLO_NEVER;
    if (solo__thread_calls_queued(reactor) || has_delayed) {
        (void)solo__reactor_now(reactor);
        solo__thread_calls_take(reactor);
    }
    if (has_delayed) {
        solo__delayed_calls_take(reactor);
    }

    /* Thread calls first, as they were accepted; then what is due, by due time and then by creation. */
    if (reactor->batch.first != NULL) {
        solo__thread_calls_run(reactor);
    }
    if (has_delayed) {
        solo__delayed_calls_run(reactor);
    }
    if (reactor->unanswered != NULL) {
        solo__blocking_calls_answer(reactor);
    }

    /* Startup that waited, or shutdown if it was asked for; the last step of a shutdown ends the loop. */
    if (solo__lifecycle_moves(reactor)) {
        solo__lifecycle_step(reactor);
        if (reactor->stage == SOLO__STAGE_STOPPED) {
            return;
        }
    }

    /* What all of them wrote leaves; one poll, sleeping until the next due time at most, and what it found. */
    if (reactor->unsent.first != NULL) {
        solo__transports_send(reactor);
    }
    size_t count = poll(reactor, limit_ns, ready);
    if (count > 0) {
        serve_ready(reactor, ready, count);
        if (reactor->unsent.first != NULL) {
            solo__transports_send(reactor);
        }
    }
}

/* ---- Being in the loop ---- */

/* What the thread was doing when it entered this loop: the callback of another reactor, or nothing. */
struct outer {
    struct solo_reactor *inside;
    uint32_t callback_depth;
    uintptr_t loop_frame;
};

static struct outer enter_loop(struct solo_reactor *reactor, void *frame)
{
    struct solo_thread *self = solo__self;
    struct outer outer = {self->inside, self->callback_depth, self->loop_frame};
    self->inside = reactor;
    self->callback_depth = 0;
    self->loop_frame = (uintptr_t)frame;
    reactor->looping = true;
    reactor->crashed = false;
    reactor->now_known = false;
    return outer;
}

static void leave_loop(struct solo_reactor *reactor, struct outer outer)
{
    reactor->looping = false;
    solo__self->inside = outer.inside;
    solo__self->callback_depth = outer.callback_depth;
    solo__self->loop_frame = outer.loop_frame;
}

/*
 * The loop runs already: SOLO015 if it is entered again on its own thread, from one of its callbacks, or from that of
 * another reactor whose loop one of its callbacks has entered.
 */
static __attribute__((noinline, cold)) int refuse_entry(struct solo_reactor *reactor, unsigned function, void *frame,
                                                        void *return_address)
{
    if (solo__owner_thread(&reactor->owner) == solo__self) {
        struct solo_violation violation;
        solo__violation_begin(&violation, SOLO015_LOOP_REENTERED, function, reactor, frame, return_address);
        solo__violation_text(violation.text, "the reactor's loop was entered again from one of its own callbacks");
        solo__violation_text(violation.help,
                             "return from the callback; queue what is to come next with solo_reactor_call_later");
        solo_violation_report(&violation);
    }
    return SOLO_EALREADYRUNNING;
}

int solo_reactor_run(struct solo_reactor *reactor)
{
    SOLO__LIVE_OBJECT(solo_reactor_run, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_run, &reactor->owner, reactor);
    if (reactor->looping) {
        return refuse_entry(reactor, SOLO__FN_solo_reactor_run, __builtin_frame_address(0),
                            __builtin_return_address(0));
    }
    if (reactor->stop_asked) {
        return SOLO_ENOTRESTARTABLE;
    }

    solo__owner_bind(&reactor->owner, solo__self, "solo_reactor_run", __builtin_frame_address(0),
                     __builtin_return_address(0));
    struct outer outer = enter_loop(reactor, __builtin_frame_address(0));
    solo__lifecycle_start(reactor);
    do {
        pass(reactor, SOLO_NEVER);
    } while (reactor->started);
    leave_loop(reactor, outer);
    solo__owner_release(&reactor->owner);
    return 0;
}

int solo_reactor_iterate(struct solo_reactor *reactor, uint64_t delay_ns)
{
    SOLO__LIVE_OBJECT(solo_reactor_iterate, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_iterate, &reactor->owner, reactor);
    if (reactor->looping) {
        return refuse_entry(reactor, SOLO__FN_solo_reactor_iterate, __builtin_frame_address(0),
                            __builtin_return_address(0));
    }
    if (solo__reactor_is_over(reactor)) {
        return SOLO_ENOTRESTARTABLE;
    }

    struct outer outer = enter_loop(reactor, __builtin_frame_address(0));
    pass(reactor, delay_ns > 0 ? solo__add_ns(solo__reactor_now(reactor), delay_ns) : 0);
    leave_loop(reactor, outer);
    return 0;
}

int solo_reactor_stop(struct solo_reactor *reactor)
{
    SOLO__LIVE_OBJECT(solo_reactor_stop, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_stop, &reactor->owner, reactor);
    if (!reactor->started || reactor->stop_asked) {
        return SOLO_ENOTRUNNING;
    }

    reactor->stop_asked = true;
    return 0;
}

int solo_reactor_crash(struct solo_reactor *reactor)
{
    SOLO__LIVE_OBJECT(solo_reactor_crash, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_crash, &reactor->owner, reactor);
    if (!reactor->started) {
        return SOLO_ENOTRUNNING;
    }

    solo__lifecycle_crash(reactor);
    return 0;
}

int solo_reactor_call_when_running(struct solo_reactor *reactor, solo_call_fn fn, void *arg, solo_done_fn done)
{
    SOLO__LIVE_OBJECT(solo_reactor_call_when_running, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_call_when_running, &reactor->owner, reactor);
    if (fn == NULL) {
        return -EINVAL;
    }
    if (reactor->stop_asked || solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }

    void *frame = __builtin_frame_address(0);
    if (!reactor->running) {
        return solo__trigger_add_hook(reactor, fn, arg, done, frame, __builtin_return_address(0));
    }
    struct solo__call *call =
        solo__call_make(reactor, sizeof *call, SOLO__CALL, fn, arg, done, frame, __builtin_return_address(0));
    if (call == NULL) {
        return -ENOMEM;
    }
    solo__call_announce(call, SOLO_QUEUE_HOOK);
    solo__reactor_later(reactor, call);
    return 0;
}

/* ---- Making and ending ---- */

int solo_reactor_create(const struct solo_reactor_options *options, struct solo_reactor **ret_reactor)
{
    static const struct solo_reactor_options defaults;
    if (options == NULL) {
        options = &defaults;
    }
    unsigned pool_max = options->pool_max != 0 ? options->pool_max : SOLO__POOL_MAX_DEFAULT;
    if (ret_reactor == NULL || options->pool_min > pool_max || pool_max > SOLO_POOL_WORKERS_MAX) {
        return -EINVAL;
    }

    struct solo_world *world = options->world != NULL ? options->world : solo_world_current();
    struct solo_reactor *reactor =
        solo__object_make(world, SOLO__REACTOR, sizeof *reactor, __builtin_return_address(0));
    if (reactor == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_PRIVATE(reactor, sizeof *reactor);
    reactor->world = world;
    reactor->in_sim = solo__world_is_sim(world);
    reactor->stops_on_signals = options->stops_on_signals;
    reactor->pool_min = options->pool_min;
    reactor->pool_max = pool_max;
    reactor->drain_max_ns = options->drain_max_ns != 0 ? options->drain_max_ns : SOLO__DRAIN_MAX_DEFAULT_NS;
    reactor->drain_deadline_ns = SOLO_NEVER;
    int error = world->poll->open(world, &reactor->poller);
    if (error == 0 && solo__delayed_calls_reserve(reactor, options->delayed_calls_reserve) < 0) {
        error = -ENOMEM;
        world->poll->close(world, reactor->poller);
        solo__delayed_calls_end(reactor);
    }
    if (error < 0) {
        solo__object_end(reactor);
        return error;
    }
    *ret_reactor = reactor;
    return 0;
}

int solo_reactor_destroy(struct solo_reactor *reactor)
{
    if (reactor == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_reactor_destroy, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_destroy, &reactor->owner, reactor);
    if (reactor->looping) {
        return SOLO_EALREADYRUNNING;
    }

    solo__call_batch_leave(solo__self);
    solo__lifecycle_end(reactor);
    solo__delayed_calls_end(reactor); /* which the last of those that were called could still ask about */
    solo__descriptors_end(reactor);
    solo__signals_end(reactor);
    solo__deferreds_end(reactor);
    solo__names_end(reactor);
    reactor->world->poll->close(reactor->world, reactor->poller);
    solo__owner_release(&reactor->owner);
    if (reactor->workers_left > 0) {
        reactor->object.state = SOLO__ENDED; /* a worker that was left behind may still look at it */
        return 0;
    }
    solo__lifecycle_destroy_pools(reactor);
    solo__object_end(reactor);
    return 0;
}

/* ---- Questions ---- */

uint64_t solo__reactor_read_clock(struct solo_reactor *reactor)
{
    reactor->now_ns = reactor->world->clock->now_ns(reactor->world);
    reactor->now_known = true;
    return reactor->now_ns;
}

int solo_reactor_now(struct solo_reactor *reactor, uint64_t *ret_now_ns)
{
    SOLO__LIVE_OBJECT(solo_reactor_now, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_now, &reactor->owner, reactor);
    if (ret_now_ns == NULL) {
        return -EINVAL;
    }

    *ret_now_ns = solo__reactor_now(reactor);
    return 0;
}

int solo_reactor_is_running(struct solo_reactor *reactor, bool *ret_running)
{
    SOLO__OBJECT(reactor, SOLO__REACTOR);
    if (ret_running == NULL) {
        return -EINVAL;
    }

    *ret_running = __atomic_load_n(&reactor->running, __ATOMIC_RELAXED);
    return 0;
}

int solo_reactor_is_reactor_thread(struct solo_reactor *reactor, bool *ret_is)
{
    SOLO__OBJECT(reactor, SOLO__REACTOR);
    if (ret_is == NULL) {
        return -EINVAL;
    }

    *ret_is = solo__self != NULL && solo__owner_thread(&reactor->owner) == solo__self;
    return 0;
}

int solo_reactor_get_affinity(struct solo_reactor *reactor, const struct solo_affinity **ret_affinity)
{
    SOLO__OBJECT(reactor, SOLO__REACTOR);
    if (ret_affinity == NULL) {
        return -EINVAL;
    }

    _Static_assert(offsetof(struct solo__owner, thread) == 0, "an owner begins as an affinity");
    *ret_affinity = (const struct solo_affinity *)(const void *)&reactor->owner;
    return 0;
}

int solo_reactor_hand_over(struct solo_reactor *reactor)
{
    SOLO__LIVE_OBJECT(solo_reactor_hand_over, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_hand_over, &reactor->owner, reactor);
    if (reactor->looping) {
        return SOLO_EALREADYRUNNING;
    }

    solo__owner_release(&reactor->owner);
    return 0;
}
