/*
 * thread_call.c - the queue by which any thread speaks to the reactor thread.
 *
 * First in, first out. A pass takes what is queued when it begins, as one batch; what comes later waits for the next
 * pass, so a call that queues itself again starves nobody.
 *
 * No wake-up is lost: the reactor sets `may_sleep` under the lock, and only while the queue is empty, before it
 * polls; a post that finds it set clears it and wakes the poll, under the same lock. Between setting and polling the
 * wake stays pending in the poller. No wake-up is wasted either: of many posts to a sleeping reactor only the first
 * one wakes it, and of posts to one that is awake, none. (test_thread_call__no_schedule_loses_a_wake_up)
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"

enum post { POST_CALL, POST_BLOCKING, POST_FORCED };

/* Whether the queue takes it; with the lock held. */
static bool is_refused(const struct solo_reactor *reactor, enum post post)
{
    switch (post) {
    case POST_BLOCKING: return reactor->closed || reactor->draining;
    case POST_CALL: return reactor->closed;
    default: return reactor->gone;
    }
}

static int post_as(struct solo_reactor *reactor, struct solo__call *call, enum post post)
{
    struct solo_world *world = reactor->object.world;
    uint32_t id = reactor->object.id;
    if (reactor->object.state != SOLO__ALIVE) {
        return SOLO_ECLOSED; /* it ended since the caller looked: while the call was being announced */
    }

    SOLO_ANNOTATE_HAPPENS_BEFORE(call);
    world->threads->enter(world, &reactor->lock);
    bool refused = is_refused(reactor, post);
    bool wakes = !refused && reactor->may_sleep;
    if (!refused) {
        solo__call_list_append(&reactor->queue, call);
        reactor->blocking += post == POST_BLOCKING;
    }
    if (wakes) {
        reactor->may_sleep = false;
        world->poll->wake(world,
                          reactor->poller); /* with the lock held: once it is left, this call may end the reactor */
    }
    world->threads->leave(world, &reactor->lock);

    if (wakes) {
        solo__announce(world, SOLO_PROBE_WAKE_SENT, SOLO_ACCESS_WRITE, id, 0);
    }
    return refused ? SOLO_ECLOSING : 0;
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

bool solo__thread_calls_queued(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    bool queued = reactor->queue.first != NULL;
    world->threads->leave(world, &reactor->lock);
    return queued;
}

bool solo__reactor_may_sleep(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    bool may_sleep = reactor->queue.first == NULL;
    reactor->may_sleep = may_sleep;
    world->threads->leave(world, &reactor->lock);
    return may_sleep;
}

void solo__reactor_is_awake(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    reactor->may_sleep = false;
    world->threads->leave(world, &reactor->lock);
}

/* ---- Serving ---- */

static struct solo__call_list take(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    struct solo__call_list taken = reactor->queue;
    reactor->queue = (struct solo__call_list){NULL, NULL};
    world->threads->leave(world, &reactor->lock);
    return taken;
}

static void serve(struct solo__call_list *list, int status)
{
    while (list->first != NULL) {
        SOLO_ANNOTATE_HAPPENS_AFTER(list->first); /* before its first field is read */
        struct solo__call *call = solo__call_list_pop(list);
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

/*
 * What is served here may post once more by force: hence rounds, until one finds nothing. `flag` is set from the
 * first on.
 */
static void close_queue(struct solo_reactor *reactor, bool *flag)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    *flag = true;
    world->threads->leave(world, &reactor->lock);
    struct solo__call_list left = take(reactor);
    while (left.first != NULL) {
        serve(&left, SOLO_ECLOSING);
        left = take(reactor);
    }
}

void solo__thread_calls_close(struct solo_reactor *reactor)
{
    close_queue(reactor, &reactor->closed);
}

void solo__thread_calls_end(struct solo_reactor *reactor)
{
    solo__thread_calls_close(reactor);
    close_queue(reactor, &reactor->gone);
}

/* ---- The public function ---- */

int solo_reactor_call_from_thread(struct solo_reactor *reactor, solo_call_fn fn, void *arg, solo_done_fn done)
{
    SOLO__LIVE_OBJECT(solo_reactor_call_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (fn == NULL) {
        return -EINVAL;
    }

    struct solo__call *call = solo__call_make(reactor, sizeof *call, SOLO__CALL, fn, arg, done,
                                              __builtin_frame_address(0), __builtin_return_address(0));
    if (call == NULL) {
        return -ENOMEM;
    }
    solo__call_announce(call, SOLO_QUEUE_THREAD_CALL);
    int error = solo__reactor_post(reactor, call, false);
    if (error < 0) {
        solo__call_refused(call, error);
        solo__call_release(call);
    }
    if (error == SOLO_ECLOSED) {
        SOLO__LIVE_OBJECT(solo_reactor_call_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    }
    return error;
}
