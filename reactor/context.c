/*
 * context.c - a context is a link in a chain that only grows inwards: each keeps the one that it was made in.
 *
 * Holders are counted, and whoever is the last to let go ends it. What the holders did with the value happens before
 * forget(value), so the count is released by each and acquired by the last.
 */
#include "context_internal.h"
#include "guard.h"
#include "sanitizer/annotate.h"

struct solo_context *solo__context_keep(struct solo_context *context)
{
    if (context != NULL) {
        (void)__atomic_add_fetch(&context->holders, 1, __ATOMIC_RELAXED);
    }
    return context;
}

/* Lets go; whether it was the last holder. */
static bool let_go(struct solo_context *context)
{
    SOLO_ANNOTATE_HAPPENS_BEFORE(context);
    if (__atomic_sub_fetch(&context->holders, 1, __ATOMIC_ACQ_REL) > 0) {
        return false;
    }
    SOLO_ANNOTATE_HAPPENS_AFTER(context);
    return true;
}

void solo__context_drop(struct solo_context *context)
{
    while (context != NULL && let_go(context)) {
        struct solo_context *outer = context->outer;
        if (context->forget != NULL) {
            context->forget(context->value);
        }
        solo__object_end(context);
        context = outer; /* which this one kept */
    }
}

int solo_context_create(const void *key, void *value, void (*forget)(void *value), struct solo_context **ret_context)
{
    if (key == NULL || ret_context == NULL) {
        return -EINVAL;
    }

    struct solo_thread *self = solo__self_get();
    struct solo_context *context =
        solo__object_make(self->object.world, SOLO__CONTEXT, sizeof *context, __builtin_return_address(0));
    if (context == NULL) {
        return -ENOMEM;
    }
    context->outer = solo__context_keep(self->context);
    context->key = key;
    context->value = value;
    context->forget = forget;
    context->holders = 1;
    *ret_context = context;
    return 0;
}

int solo_context_release(struct solo_context *context)
{
    if (context == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_context_release, context, SOLO__CONTEXT, SOLO006_USE_AFTER_END);

    solo__context_drop(context);
    return 0;
}

int solo_context_call(struct solo_context *context, solo_call_fn fn, void *arg)
{
    SOLO__LIVE_OBJECT(solo_context_call, context, SOLO__CONTEXT, SOLO006_USE_AFTER_END);
    if (fn == NULL) {
        return -EINVAL;
    }

    struct solo_thread *self = solo__self_get();
    struct solo_context *before = self->context;
    self->context = solo__context_keep(context);
    fn(arg);
    self->context = before;
    solo__context_drop(context);
    return 0;
}

void *solo_context_get(const void *key)
{
    const struct solo_thread *self = solo__self;
    const struct solo_context *context = self != NULL ? self->context : NULL;
    while (context != NULL && context->key != key) {
        context = context->outer;
    }
    return context != NULL ? context->value : NULL;
}
