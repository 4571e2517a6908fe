/*
 * deferred_tokens.c - tokens that callbacks wait for: first come, first served.
 *
 * Invariant: outside solo__tokens_release nobody waits while a token is free. A release inside the callback of somebody
 * who was just given a token leaves the giving to the release that is under way, so that any number of waiters needs
 * the same stack.
 */
#include "deferred_tokens.h"

struct solo__token_waiter {
    struct solo__token_waiter *next, *previous;
    struct solo__tokens *tokens;
    struct solo_deferred *deferred;
};

void *solo__tokens_make(struct solo_reactor *reactor, size_t limit, enum solo__object_kind kind, void *created_at)
{
    struct solo__tokens *tokens = solo__object_make(reactor->world, kind, sizeof *tokens, created_at);
    if (tokens != NULL) {
        tokens->reactor = reactor;
        tokens->free = tokens->limit = limit;
    }
    return tokens;
}

int solo__tokens_destroy(struct solo__tokens *tokens)
{
    if (tokens->free != tokens->limit || tokens->granting) {
        return -EBUSY;
    }
    solo__object_end(tokens);
    return 0;
}

/* ---- Waiting ---- */

/* Takes it out of the queue and gives its memory back; returns its Deferred, which is still kept. */
static struct solo_deferred *take(struct solo__token_waiter *waiter)
{
    struct solo__tokens *tokens = waiter->tokens;
    struct solo_deferred *deferred = waiter->deferred;
    *(waiter->previous != NULL ? &waiter->previous->next : &tokens->first) = waiter->next;
    *(waiter->next != NULL ? &waiter->next->previous : &tokens->last) = waiter->previous;
    tokens->object.world->memory->release(tokens->object.world, waiter);
    return deferred;
}

static void cancel(struct solo_deferred *deferred, void *arg)
{
    (void)take(arg);
    solo__deferred_drop(deferred);
}

static int wait(struct solo__tokens *tokens, void *frame, void *return_address, struct solo_deferred **ret_deferred)
{
    struct solo_world *world = tokens->object.world;
    struct solo__token_waiter *waiter = world->memory->allocate(world, sizeof *waiter);
    if (waiter == NULL) {
        return -ENOMEM;
    }
    int status = solo__deferred_make(tokens->reactor, cancel, waiter, frame, return_address, &waiter->deferred);
    if (status < 0) {
        world->memory->release(world, waiter);
        return status;
    }
    solo__deferred_keep(waiter->deferred);
    waiter->tokens = tokens;
    waiter->next = NULL;
    waiter->previous = tokens->last;
    *(tokens->last != NULL ? &tokens->last->next : &tokens->first) = waiter;
    tokens->last = waiter;
    *ret_deferred = waiter->deferred;
    return 0;
}

/* ---- Acquire, release, run ---- */

int solo__tokens_acquire(struct solo__tokens *tokens, void *frame, void *return_address,
                         struct solo_deferred **ret_deferred)
{
    if (tokens->free == 0 || tokens->first != NULL) {
        return wait(tokens, frame, return_address, ret_deferred);
    }
    struct solo_deferred *deferred;
    int status = solo__deferred_make(tokens->reactor, NULL, NULL, frame, return_address, &deferred);
    if (status < 0) {
        return status;
    }
    tokens->free--;
    solo__deferred_fire_from(deferred, solo_value(tokens), frame, return_address);
    *ret_deferred = deferred;
    return 0;
}

int solo__tokens_release(struct solo__tokens *tokens)
{
    if (tokens->free == tokens->limit) {
        return -EPERM;
    }
    tokens->free++;
    if (tokens->granting) {
        return 0;
    }
    tokens->granting = true;
    while (tokens->free > 0 && tokens->first != NULL) {
        struct solo_deferred *deferred = take(tokens->first);
        tokens->free--;
        (void)solo__deferred_fire(deferred, solo_value(tokens));
        solo__deferred_drop(deferred);
    }
    tokens->granting = false;
    return 0;
}

/* Called with a token held: two pairs of the kit in the chain of the Deferred that was given for the acquire. */
struct run {
    struct solo__pair_node call, let_go;
    struct solo__tokens *tokens;
    solo_maybe_fn fn;
    void *arg;
    bool holds;
};

static struct solo_result call(struct solo_result previous, void *arg)
{
    struct run *run = arg;
    if (previous.status < 0) {
        return previous; /* cancelled: it was never given a token */
    }
    run->holds = true;
    struct solo_result result = run->fn(run->arg);
    return result.status > 0 ? solo_failure(-EINVAL) : result;
}

static struct solo_result let_go(struct solo_result previous, void *arg)
{
    struct run *run = arg;
    struct solo__tokens *tokens = run->tokens;
    bool holds = run->holds;
    tokens->object.world->memory->release(tokens->object.world, run);
    if (holds) {
        (void)solo__tokens_release(tokens);
    }
    return previous;
}

static void call_dropped(void *arg)
{
    (void)arg; /* let_go comes right behind it */
}

static void let_go_dropped(void *arg)
{
    (void)let_go(solo_failure(SOLO_ECLOSED), arg);
}

int solo__tokens_run(struct solo__tokens *tokens, solo_maybe_fn fn, void *arg, void *frame, void *return_address,
                     struct solo_deferred **ret_deferred)
{
    struct solo_world *world = tokens->object.world;
    struct run *run = world->memory->allocate(world, sizeof *run);
    if (run == NULL) {
        return -ENOMEM;
    }
    struct solo_deferred *deferred;
    int status = solo__tokens_acquire(tokens, frame, return_address, &deferred);
    if (status < 0) {
        world->memory->release(world, run);
        return status;
    }
    run->tokens = tokens;
    run->fn = fn;
    run->arg = arg;
    run->holds = false;
    deferred->paused++; /* both pairs are there before either runs */
    solo__deferred_append(deferred, &run->call, call, call_dropped, run);
    solo__deferred_append(deferred, &run->let_go, let_go, let_go_dropped, run);
    deferred->paused--;
    if (deferred->fired) {
        solo__deferred_run(deferred);
    }
    *ret_deferred = deferred;
    return 0;
}
