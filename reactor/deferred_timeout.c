/*
 * deferred_timeout.c - a Deferred is cancelled when its result is late.
 *
 * Two things know of a timeout, its delayed call and its pair in the chain; whichever is done with it last gives the
 * memory back. While the call is to come, it keeps the Deferred: it will fire it.
 */
#include "deferred_private.h"

struct timeout {
    struct solo__pair_node node;
    struct solo_deferred *deferred;
    solo_delayed_call_id call;
    int status;     /* what a cancel by this timeout is turned into */
    bool timed_out; /* it has cancelled the Deferred */
    bool is_called; /* its delayed call is still to come, or runs */
    bool is_paired; /* its pair has not run */
};

static void release_if_done(struct timeout *timeout)
{
    struct solo_world *world = timeout->deferred->object.world;
    if (!timeout->is_called && !timeout->is_paired) {
        world->memory->release(world, timeout);
    }
}

static void time_is_up(void *arg)
{
    struct timeout *timeout = arg;
    timeout->timed_out = true;
    struct solo_deferred *innermost = timeout->deferred;
    while (innermost->waiting_for != NULL) {
        innermost = innermost->waiting_for;
    }
    innermost->late = true;
    solo__deferred_cancel(timeout->deferred);
}

bool solo__deferred_is_late(const struct solo_deferred *deferred)
{
    return deferred->late;
}

static void call_done(int status, void *arg)
{
    struct timeout *timeout = arg;
    struct solo_deferred *deferred = timeout->deferred;
    (void)status;
    timeout->is_called = false;
    release_if_done(timeout);
    solo__deferred_drop(deferred);
}

static struct solo_result result_is_there(struct solo_result previous, void *arg)
{
    struct timeout *timeout = arg;
    struct solo_reactor *reactor = timeout->deferred->reactor;
    if (timeout->timed_out && previous.status == SOLO_ECANCELLED) {
        previous.status = timeout->status;
    }
    timeout->is_paired = false;
    if (timeout->is_called && !timeout->timed_out) {
        (void)solo_delayed_call_cancel(reactor, timeout->call); /* call_done gives the memory back */
    } else {
        release_if_done(timeout);
    }
    return previous;
}

/* The Deferred ended without a result: only once the delayed call no longer keeps it. */
static void pair_dropped(void *arg)
{
    struct timeout *timeout = arg;
    timeout->is_paired = false;
    release_if_done(timeout);
}

int solo_deferred_add_timeout(struct solo_deferred *deferred, uint64_t delay_ns, int timeout_status)
{
    SOLO__DEFERRED_LADDER(solo_deferred_add_timeout, deferred);
    if (timeout_status > 0) {
        return -EINVAL;
    }

    if (solo__deferred_has_result(deferred, NULL) && !deferred->running) {
        return 0;
    }
    struct solo_world *world = deferred->object.world;
    struct timeout *timeout = world->memory->allocate(world, sizeof *timeout);
    if (timeout == NULL) {
        return -ENOMEM;
    }
    timeout->deferred = deferred;
    timeout->status = timeout_status != 0 ? timeout_status : -ETIMEDOUT;
    timeout->timed_out = false;
    timeout->is_called = timeout->is_paired = true;
    int status = solo_reactor_call_later(deferred->reactor, delay_ns, time_is_up, timeout, call_done, &timeout->call);
    if (status < 0) {
        world->memory->release(world, timeout);
        return status;
    }
    solo__deferred_keep(deferred);
    solo__deferred_append(deferred, &timeout->node, result_is_there, pair_dropped, timeout);
    return 0;
}
