/* defer_later.c - a call at a later time whose result is a Deferred's. The delayed call keeps the Deferred. */
#include "deferred_internal.h"
#include "reactor_internal.h"
#include <solo/looping_call.h>

struct later {
    struct solo_reactor *reactor;
    solo_later_fn fn; /* may be NULL */
    void *arg;
    struct solo_deferred *deferred;
    solo_delayed_call_id call;
    bool cancelled; /* by its Deferred, which fires itself */
};

static void its_time(void *arg)
{
    struct later *later = arg;
    struct solo_result result = later->fn != NULL ? later->fn(later->arg) : solo_value(NULL);
    (void)solo__deferred_fire(later->deferred, result.status > 0 ? solo_failure(-EINVAL) : result);
}

static void call_done(int status, void *arg)
{
    struct later *later = arg;
    struct solo_world *world = later->reactor->world;
    struct solo_deferred *deferred = later->deferred;
    if (status < 0 && !later->cancelled) {
        (void)solo__deferred_fire(deferred, solo_failure(status));
    }
    world->memory->release(world, later);
    solo__deferred_drop(deferred);
}

static void cancel(struct solo_deferred *deferred, void *arg)
{
    struct later *later = arg;
    (void)deferred;
    later->cancelled = true;
    (void)solo_delayed_call_cancel(later->reactor, later->call); /* it runs: then its result is swallowed */
}

int solo_defer_later(struct solo_reactor *reactor, uint64_t delay_ns, solo_later_fn fn, void *arg,
                     struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_defer_later, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_defer_later, &reactor->owner, reactor);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }

    struct solo_world *world = reactor->world;
    struct later *later = world->memory->allocate(world, sizeof *later);
    if (later == NULL) {
        return -ENOMEM;
    }
    *later = (struct later){reactor, fn, arg, NULL, 0, false};
    int error = solo__deferred_make(reactor, cancel, later, __builtin_frame_address(0), __builtin_return_address(0),
                                    &later->deferred);
    if (error < 0) {
        world->memory->release(world, later);
        return error;
    }
    error = solo_reactor_call_later(reactor, delay_ns, its_time, later, call_done, &later->call);
    if (error < 0) {
        solo__deferred_keep(later->deferred);
        (void)solo__deferred_fire(later->deferred, solo_value(NULL)); /* nobody has seen it */
        solo__deferred_release(later->deferred);
        solo__deferred_drop(later->deferred);
        world->memory->release(world, later);
        return error;
    }
    solo__deferred_keep(later->deferred);
    *ret_deferred = later->deferred;
    return 0;
}
