/*
 * pool_life.c - pools beside the reactor's own: made, started, stopped and destroyed by their user.
 *
 * A reactor keeps a list of its pools and treats all of them alike when it starts, stops and ends (lifecycle.c). A user
 * who stops one earlier is told by the pool's note: it comes to the reactor thread when the last worker has left
 * (pool_worker.c), or right away if there was none.
 */
#include "pool_internal.h"
#include "sanitizer/annotate.h"
#include <stdio.h>
#include <string.h>

enum { NUMBER_MASK = 0xffffff }; /* of an object id: its number among pools */

static bool is_good(const struct solo_pool_options *options, unsigned max)
{
    if (options->min > max || max > SOLO_POOL_WORKERS_MAX) {
        return false;
    }
    return options->name == NULL || (options->name[0] != '\0' && strlen(options->name) <= SOLO_POOL_NAME_MAX);
}

int solo_pool_create(struct solo_reactor *reactor, const struct solo_pool_options *options, struct solo_pool **ret_pool)
{
    static const struct solo_pool_options defaults;
    SOLO__LIVE_OBJECT(solo_pool_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (options == NULL) {
        options = &defaults;
    }
    unsigned max = options->max != 0 ? options->max : SOLO__POOL_MAX_DEFAULT;
    if (ret_pool == NULL || !is_good(options, max)) {
        return -EINVAL;
    }

    struct solo_pool *pool = solo__pool_make(reactor, __builtin_return_address(0));
    if (pool == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    pool->min = options->min;
    pool->max = max;
    if (options->name != NULL) {
        snprintf(pool->name, sizeof pool->name, "%s", options->name);
    } else {
        snprintf(pool->name, sizeof pool->name, "%u", pool->object.id & NUMBER_MASK);
    }
    SOLO_ANNOTATE_IGNORE_END();
    int status = solo__reactor_add_pool(reactor, &pool->part);
    if (status < 0) {
        solo__object_end(pool);
        return status;
    }
    *ret_pool = pool;
    return 0;
}

int solo_pool_start(struct solo_pool *pool)
{
    SOLO__LIVE_OBJECT(solo_pool_start, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(pool->reactor, SOLO__REACTOR);
    SOLO__REACTOR_ONLY(solo_pool_start, &pool->reactor->owner, pool);
    solo__pool_enter(pool);
    int status = pool->closing ? SOLO_EALREADYQUIT : pool->started ? SOLO_EALREADYRUNNING : 0;
    solo__pool_leave(pool);
    if (status < 0) {
        return status;
    }

    pool->part.ops->start(pool);
    return 0;
}

/* Nobody is left who would post the note. */
static bool posts_note_itself(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    bool posts = solo__pool_has_just_drained(pool);
    solo__pool_leave(pool);
    return posts;
}

int solo_pool_stop(struct solo_pool *pool, solo_done_fn done, void *arg)
{
    SOLO__LIVE_OBJECT(solo_pool_stop, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(pool->reactor, SOLO__REACTOR);
    SOLO__REACTOR_ONLY(solo_pool_stop, &pool->reactor->owner, pool);
    solo__pool_enter(pool);
    bool first = !pool->closing;
    if (first) {
        pool->stop_asked = true;
        pool->stop_done = done;
        pool->stop_arg = arg;
    }
    solo__pool_leave(pool);
    if (!first) {
        return SOLO_EALREADYQUIT;
    }

    solo__pool_begin_stop(pool);
    if (posts_note_itself(pool)) {
        solo__reactor_later(pool->reactor, &pool->note);
    }
    return 0;
}

int solo_pool_destroy(struct solo_pool *pool)
{
    if (pool == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_pool_destroy, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    SOLO__OBJECT(pool->reactor, SOLO__REACTOR);
    SOLO__REACTOR_ONLY(solo_pool_destroy, &pool->reactor->owner, pool);
    if (pool == pool->reactor->pool) {
        return -EINVAL;
    }
    if (!pool->stop_told || pool->part.finished) {
        return -EBUSY;
    }

    pool->part.finished = true;
    (void)pool->part.ops->finish(pool, 0); /* joins the workers that have left */
    solo__reactor_forget_pool(pool->reactor, &pool->part);
    pool->part.ops->destroy(pool);
    return 0;
}
