/* deferred_made.c - Deferreds that have their result from the beginning. */
#include "deferred_private.h"

static int make_fired(struct solo_reactor *reactor, struct solo_result result, void *frame, void *return_address,
                      struct solo_deferred **ret_deferred)
{
    struct solo_deferred *deferred;
    int status = solo__deferred_make(reactor, NULL, NULL, frame, return_address, &deferred);
    if (status < 0) {
        return status;
    }
    solo__deferred_fire_from(deferred, result, frame, return_address);
    *ret_deferred = deferred;
    return 0;
}

int solo_deferred_succeed(struct solo_reactor *reactor, void *value, struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_deferred_succeed, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_succeed, &reactor->owner, reactor);

    return make_fired(reactor, solo_value(value), __builtin_frame_address(0), __builtin_return_address(0),
                      ret_deferred);
}

int solo_deferred_fail(struct solo_reactor *reactor, int status, struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_deferred_fail, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (status >= 0 || ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_fail, &reactor->owner, reactor);

    return make_fired(reactor, solo_failure(status), __builtin_frame_address(0), __builtin_return_address(0),
                      ret_deferred);
}

int solo_maybe_deferred(struct solo_reactor *reactor, solo_maybe_fn fn, void *arg, struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_maybe_deferred, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (fn == NULL || ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_maybe_deferred, &reactor->owner, reactor);

    struct solo_deferred *deferred;
    void *frame = __builtin_frame_address(0);
    void *return_address = __builtin_return_address(0);
    int status = solo__deferred_make(reactor, NULL, NULL, frame, return_address, &deferred);
    if (status < 0) {
        return status;
    }
    struct solo_result result = fn(arg);
    struct solo_deferred *through = result.wait_for;
    if (through != NULL && solo__deferred_is_alive(through) && through->held && through->reactor == reactor) {
        solo__deferred_fire_from(deferred, solo_value(NULL), frame, return_address); /* nobody ever saw it */
        solo__deferred_release(deferred);
        *ret_deferred = through;
        return 0;
    }
    solo__deferred_fire_from(deferred, result.status > 0 ? solo_failure(-EINVAL) : result, frame, return_address);
    *ret_deferred = deferred;
    return 0;
}
