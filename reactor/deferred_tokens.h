/*
 * deferred_tokens.h - what the lock and the semaphore of callbacks share: tokens, and who waits for one.
 *
 * Embedded as the first member of the public object. All of it belongs to the reactor thread.
 */
#ifndef SOLO__DEFERRED_TOKENS_H
#define SOLO__DEFERRED_TOKENS_H

#include "deferred_private.h"

struct solo__token_waiter;

struct solo__tokens {
    struct solo__object object;
    struct solo_reactor *reactor;
    size_t free, limit;
    struct solo__token_waiter *first, *last; /* who waits, in order of arrival */
    bool granting;                           /* waiters are being given what is free */
};

/* Makes the object, with `limit` free tokens. NULL when memory is refused. */
void *solo__tokens_make(struct solo_reactor *reactor, size_t limit, enum solo__object_kind kind, void *created_at);

/* What the public functions of both do, after their ladders. */
int solo__tokens_destroy(struct solo__tokens *tokens);
int solo__tokens_acquire(struct solo__tokens *tokens, void *frame, void *return_address,
                         struct solo_deferred **ret_deferred);
int solo__tokens_release(struct solo__tokens *tokens);
int solo__tokens_run(struct solo__tokens *tokens, solo_maybe_fn fn, void *arg, void *frame, void *return_address,
                     struct solo_deferred **ret_deferred);

/* The rungs of the ladder but one: a destroy. */
#define SOLO__TOKENS_LADDER(function, kind, tokens_)                                                                   \
    SOLO__LIVE_OBJECT(function, (tokens_), (kind), SOLO006_USE_AFTER_END);                                             \
    SOLO__OBJECT((tokens_)->tokens.reactor, SOLO__REACTOR);                                                            \
    SOLO__REACTOR_ONLY(function, &(tokens_)->tokens.reactor->owner, (tokens_))

#endif
