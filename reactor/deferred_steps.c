/*
 * deferred_steps.c - a step function that is called again with the result it asked for.
 *
 * Two Deferreds. The `chain` is the kit's alone: each step is one callback of it, and waiting is what any callback does
 * that returns another Deferred. The `deferred` is the program's, and gets the result at the end; so what the program
 * adds to it does not come between two steps.
 */
#include "deferred_private.h"
#include <solo/deferred_steps.h>

struct steps {
    struct solo__pair_node node;
    struct solo_deferred *chain;
    struct solo_deferred *deferred; /* NULL once it has its result, or was cancelled */
    solo_steps_fn fn;
    void *arg;
    unsigned step;
};

static void step_dropped(void *arg);

static void end(struct steps *steps, struct solo_result result)
{
    struct solo_deferred *chain = steps->chain, *deferred = steps->deferred;
    chain->object.world->memory->release(chain->object.world, steps);
    if (deferred != NULL) {
        (void)solo__deferred_fire(deferred, result);
        solo__deferred_drop(deferred);
    }
    solo__deferred_drop(chain);
}

static struct solo_result step(struct solo_result previous, void *arg)
{
    struct steps *steps = arg;
    struct solo_result result = steps->fn(&steps->step, previous, steps->arg);
    if (result.wait_for == NULL) {
        end(steps, result.status > 0 ? solo_failure(-EINVAL) : result);
        return solo_value(NULL);
    }
    solo__deferred_append(steps->chain, &steps->node, step, step_dropped, steps);
    return result;
}

/* Cannot be: the chain is kept until its last step. */
static void step_dropped(void *arg)
{
    end(arg, solo_failure(SOLO_ECLOSED));
}

static void cancel(struct solo_deferred *deferred, void *arg)
{
    struct steps *steps = arg;
    struct solo_deferred *chain = steps->chain;
    solo__deferred_keep(chain);
    solo__deferred_cancel(chain); /* that is: what it waits for; its step may be the last, and end all this */
    if (!deferred->fired) {
        steps->deferred = NULL;
        solo__deferred_drop(deferred);
    }
    solo__deferred_drop(chain);
}

int solo_deferred_steps(struct solo_reactor *reactor, solo_steps_fn fn, void *arg, struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_deferred_steps, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (fn == NULL || ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_steps, &reactor->owner, reactor);

    void *frame = __builtin_frame_address(0);
    void *return_address = __builtin_return_address(0);
    struct solo_world *world = reactor->world;
    struct steps *steps = world->memory->allocate(world, sizeof *steps);
    if (steps == NULL) {
        return -ENOMEM;
    }
    int status = solo__deferred_make(reactor, cancel, steps, frame, return_address, &steps->deferred);
    if (status < 0) {
        world->memory->release(world, steps);
        return status;
    }
    status = solo__deferred_make(reactor, NULL, NULL, frame, return_address, &steps->chain);
    if (status < 0) {
        solo__deferred_fire_from(steps->deferred, solo_value(NULL), frame, return_address);
        solo__deferred_release(steps->deferred);
        world->memory->release(world, steps);
        return status;
    }
    steps->fn = fn;
    steps->arg = arg;
    steps->step = 0;
    solo__deferred_keep(steps->deferred);
    (void)solo__deferred_take_over(steps->chain);
    *ret_deferred = steps->deferred;
    struct solo_deferred *chain = steps->chain;
    solo__deferred_append(chain, &steps->node, step, step_dropped, steps);
    solo__deferred_fire_from(chain, solo_value(NULL), frame, return_address);
    return 0;
}
