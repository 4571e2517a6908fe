/*
 * looping_call.c - a function again and again, at an interval.
 *
 * While a loop runs exactly one of three things is to come, and brings the next turn: its delayed call, the end of the
 * turn under way, or the result of the Deferred that a turn returned. `running` is false as soon as there will be no
 * further turn; the loop is over once none of the three is left, and only then does its own Deferred get a result.
 */
#include "deferred_internal.h"
#include "reactor_internal.h"
#include <solo/looping_call.h>

struct solo_looping_call {
    struct solo__object object;
    struct solo_reactor *reactor;
    solo_loop_fn fn;
    void *arg;
    uint64_t interval_ns, start_ns;
    uint64_t turns_ago; /* the multiple of the interval at which the last turn was */
    solo_delayed_call_id call;
    struct solo_deferred *deferred;  /* of start; NULL: it does not run and is over */
    struct solo_deferred *waits_for; /* what a turn returned, kept; NULL: nothing */
    struct solo__pair_node node;     /* in its chain */
    bool held;                       /* its user has it */
    bool running;
    bool is_called; /* the delayed call is to come */
};

static void release_if_unused(struct solo_looping_call *loop)
{
    if (!loop->held && loop->deferred == NULL) {
        solo__object_end(loop);
    }
}

/* Nothing is to come any more. */
static void end(struct solo_looping_call *loop, int status)
{
    struct solo_deferred *deferred = loop->deferred;
    loop->running = false;
    loop->deferred = NULL;
    (void)solo__deferred_fire(deferred, status < 0 ? solo_failure(status) : solo_value(NULL));
    solo__deferred_drop(deferred);
    release_if_unused(loop);
}

static void turn(struct solo_looping_call *loop);

static void its_time(void *arg)
{
    struct solo_looping_call *loop = arg;
    loop->is_called = false;
    turn(loop);
}

static void call_done(int status, void *arg)
{
    struct solo_looping_call *loop = arg;
    if (status < 0 && loop->is_called) { /* it never ran, and nobody stopped the loop */
        loop->is_called = false;
        end(loop, status);
    }
}

/* Sets the next turn: the first multiple after now. */
static void set_next(struct solo_looping_call *loop)
{
    uint64_t now_ns = solo__reactor_now(loop->reactor);
    uint64_t delay_ns = 0;
    if (loop->interval_ns > 0) {
        delay_ns = loop->interval_ns - (now_ns - loop->start_ns) % loop->interval_ns;
    }
    int error = solo_reactor_call_later(loop->reactor, delay_ns, its_time, loop, call_done, &loop->call);
    loop->is_called = error == 0;
    if (error < 0) {
        end(loop, error);
    }
}

/* A turn and what it waited for are over. */
static void go_on(struct solo_looping_call *loop, int status)
{
    if (status < 0 || !loop->running) {
        end(loop, status);
    } else {
        set_next(loop);
    }
}

static struct solo_result result_is_there(struct solo_result previous, void *arg)
{
    struct solo_looping_call *loop = arg;
    struct solo_deferred *inner = loop->waits_for;
    loop->waits_for = NULL;
    go_on(loop, previous.status);
    solo__deferred_drop(inner);
    return solo_value(NULL); /* a failure has become the loop's */
}

/* Cannot be: it is kept until its result is there. */
static void result_never_comes(void *arg)
{
    (void)arg;
}

static uint64_t count_intervals(struct solo_looping_call *loop)
{
    if (loop->interval_ns == 0) {
        return 1;
    }
    uint64_t turns = (solo__reactor_now(loop->reactor) - loop->start_ns) / loop->interval_ns;
    uint64_t count = turns - loop->turns_ago;
    loop->turns_ago = turns;
    return count;
}

static void turn(struct solo_looping_call *loop)
{
    uint64_t count = count_intervals(loop);
    struct solo_result result = loop->fn(count == 0 ? 1 : count, loop->arg); /* 0: the turn with which it started */
    if (result.wait_for == NULL) {
        go_on(loop, result.status > 0 ? -EINVAL : result.status);
    } else if (!solo__deferred_is_alive(result.wait_for) || !solo__deferred_take_over(result.wait_for)) {
        go_on(loop, -EINVAL);
    } else {
        loop->waits_for = result.wait_for;
        solo__deferred_append(result.wait_for, &loop->node, result_is_there, result_never_comes, loop);
    }
}

static void stop(struct solo_looping_call *loop)
{
    loop->running = false;
    if (loop->is_called) {
        loop->is_called = false;
        (void)solo_delayed_call_cancel(loop->reactor, loop->call);
        end(loop, 0);
    }
}

static void cancel(struct solo_deferred *deferred, void *arg)
{
    (void)deferred;
    stop(arg);
}

/* ---- The public functions ---- */

#define LADDER(function, loop)                                                                                         \
    SOLO__LIVE_OBJECT(function, loop, SOLO__LOOPING_CALL, SOLO006_USE_AFTER_END);                                      \
    SOLO__OBJECT((loop)->reactor, SOLO__REACTOR);                                                                      \
    SOLO__REACTOR_ONLY(function, &(loop)->reactor->owner, loop)

int solo_looping_call_create(struct solo_reactor *reactor, solo_loop_fn fn, void *arg,
                             struct solo_looping_call **ret_loop)
{
    SOLO__LIVE_OBJECT(solo_looping_call_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_looping_call_create, &reactor->owner, reactor);
    if (fn == NULL || ret_loop == NULL) {
        return -EINVAL;
    }
    if (solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo_looping_call *loop =
        solo__object_make(reactor->world, SOLO__LOOPING_CALL, sizeof *loop, __builtin_return_address(0));
    if (loop == NULL) {
        return -ENOMEM;
    }
    loop->reactor = reactor;
    loop->fn = fn;
    loop->arg = arg;
    loop->held = true;
    *ret_loop = loop;
    return 0;
}

int solo_looping_call_release(struct solo_looping_call *loop)
{
    if (loop == NULL) {
        return 0;
    }
    SOLO__END_LADDER(solo_looping_call_release, SOLO__LOOPING_CALL, loop, loop->reactor);
    if (!loop->held) {
        return SOLO_ECLOSED;
    }

    loop->held = false;
    release_if_unused(loop);
    return 0;
}

int solo_looping_call_start(struct solo_looping_call *loop, uint64_t interval_ns, bool now,
                            struct solo_deferred **ret_deferred)
{
    LADDER(solo_looping_call_start, loop);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }
    if (loop->deferred != NULL) {
        return SOLO_EALREADYRUNNING;
    }
    if (solo__reactor_is_over(loop->reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo_deferred *deferred;
    int error = solo__deferred_make(loop->reactor, cancel, loop, __builtin_frame_address(0),
                                    __builtin_return_address(0), &deferred);
    if (error < 0) {
        return error;
    }
    solo__deferred_keep(deferred);
    loop->deferred = deferred;
    loop->interval_ns = interval_ns;
    loop->start_ns = solo__reactor_now(loop->reactor);
    loop->turns_ago = 0;
    loop->running = true;
    *ret_deferred = deferred;
    if (now) {
        turn(loop);
    } else {
        set_next(loop);
    }
    return 0;
}

int solo_looping_call_stop(struct solo_looping_call *loop)
{
    LADDER(solo_looping_call_stop, loop);
    if (!loop->running) {
        return SOLO_ENOTRUNNING;
    }

    stop(loop);
    return 0;
}

int solo_looping_call_reset(struct solo_looping_call *loop)
{
    LADDER(solo_looping_call_reset, loop);
    if (!loop->running) {
        return SOLO_ENOTRUNNING;
    }

    loop->start_ns = solo__reactor_now(loop->reactor);
    loop->turns_ago = 0;
    if (loop->is_called) {
        (void)solo_delayed_call_reset(loop->reactor, loop->call, loop->interval_ns);
    }
    return 0;
}

int solo_looping_call_running(struct solo_looping_call *loop, bool *ret_running)
{
    LADDER(solo_looping_call_running, loop);
    if (ret_running == NULL) {
        return -EINVAL;
    }

    *ret_running = loop->running;
    return 0;
}
