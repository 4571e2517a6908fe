/*
 * lifecycle.c - how a reactor starts, stops, crashes and ends.
 *
 *     idle -> starting -> running -> stopping -> draining -> stopped
 *      ^ |                  |            |           |          ^
 *      +-|----- crash ------+------------+-----------+          |
 *        +------------------------ destroy ---------------------+
 *
 * Nothing here waits, but for destroy: each pass asks whether the present stage is done and goes on to the next one,
 * so thread calls, delayed calls and I/O are served all through a stop. What does not end by `drain_deadline_ns` is
 * left behind and named.
 */
#include "reactor_internal.h"

static void announce_state(struct solo_reactor *reactor, enum solo_reactor_state state)
{
    solo__announce(reactor->world, SOLO_PROBE_REACTOR_STATE, SOLO_ACCESS_WRITE, reactor->object.id, state);
}

static void set_running(struct solo_reactor *reactor, bool running)
{
    __atomic_store_n(&reactor->running, running, __ATOMIC_RELAXED);
}

static void fire_phase(struct solo_reactor *reactor, enum solo_system_event event, enum solo_phase phase)
{
    solo__triggers_fire(reactor, event, phase);
    solo__triggers_finish(reactor, event, phase);
}

/* Whether the before-phase has no trigger left, neither to fire nor to wait for. */
static bool before_is_done(struct solo_reactor *reactor, enum solo_system_event event)
{
    solo__triggers_fire(reactor, event, SOLO_BEFORE);
    return !solo__triggers_hold(reactor);
}

/* ---- The pools ---- */

/* With the lock held. */
static void link_pool(struct solo_reactor *reactor, struct solo__pool_part *part)
{
    part->next = reactor->pools;
    reactor->pools = part;
}

struct solo_pool *solo__reactor_attach_pool(struct solo_reactor *reactor, struct solo__pool_part *part)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    bool is_new = reactor->pool == NULL;
    if (is_new) {
        __atomic_store_n(&reactor->pool, part->pool, __ATOMIC_RELEASE); /* read without the lock: solo__pool_of */
        link_pool(reactor, part);
    }
    struct solo_pool *has = reactor->pool;
    bool starts = is_new && reactor->pools_started; /* the reactor was up already */
    bool stops = is_new && reactor->draining;
    world->threads->leave(world, &reactor->lock);

    if (stops) {
        part->ops->begin_stop(part->pool);
    } else if (starts) {
        part->ops->start(part->pool);
    }
    return has;
}

int solo__reactor_add_pool(struct solo_reactor *reactor, struct solo__pool_part *part)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    bool refused = reactor->draining;
    bool starts = reactor->pools_started;
    if (!refused) {
        link_pool(reactor, part);
    }
    world->threads->leave(world, &reactor->lock);
    if (!refused && starts) {
        part->ops->start(part->pool);
    }
    return refused ? SOLO_ECLOSING : 0;
}

void solo__reactor_forget_pool(struct solo_reactor *reactor, struct solo__pool_part *part)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    struct solo__pool_part **link = &reactor->pools;
    while (*link != part) {
        link = &(*link)->next;
    }
    *link = part->next;
    world->threads->leave(world, &reactor->lock);
}

/* The newest pool. Those behind it stay where they are for as long as the reactor thread looks. */
static struct solo__pool_part *first_pool(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    struct solo__pool_part *first = reactor->pools;
    world->threads->leave(world, &reactor->lock);
    return first;
}

static void start_pools(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    struct solo__pool_part *part = reactor->pools_started ? NULL : reactor->pools;
    reactor->pools_started = true;
    world->threads->leave(world, &reactor->lock);
    for (; part != NULL; part = part->next) {
        part->ops->start(part->pool);
    }
}

/* From here on new jobs and new blocking calls are refused. */
static void refuse_new_work(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    world->threads->enter(world, &reactor->lock);
    struct solo__pool_part *part = reactor->draining ? NULL : reactor->pools;
    reactor->draining = true;
    world->threads->leave(world, &reactor->lock);
    solo__thread_calls_drain(reactor);
    for (; part != NULL; part = part->next) {
        part->ops->begin_stop(part->pool);
    }
}

static void finish_pools(struct solo_reactor *reactor, uint64_t deadline_ns)
{
    for (struct solo__pool_part *part = first_pool(reactor); part != NULL; part = part->next) {
        if (!part->finished) {
            part->finished = true;
            reactor->workers_left += part->ops->finish(part->pool, deadline_ns);
        }
    }
}

static bool pools_are_drained(struct solo_reactor *reactor)
{
    struct solo__pool_part *part = first_pool(reactor);
    while (part != NULL && part->ops->is_drained(part->pool)) {
        part = part->next;
    }
    return part == NULL;
}

void solo__lifecycle_destroy_pools(struct solo_reactor *reactor)
{
    struct solo__pool_part *next;
    for (struct solo__pool_part *part = reactor->pools; part != NULL; part = next) {
        next = part->next;
        part->ops->destroy(part->pool);
    }
}

/*
 * Whether jobs and blocking calls have come to their end. What they and the last callbacks have queued for the
 * reactor thread still gets its turn: one more pass, and only one, or a call that queues itself would hold up the
 * stop.
 */
static bool is_drained(struct solo_reactor *reactor)
{
    if (!pools_are_drained(reactor) || solo__blocking_calls_pending(reactor)) {
        return false;
    }
    bool had_last_pass = reactor->last_pass;
    reactor->last_pass = true;
    return had_last_pass || !solo__thread_calls_queued(reactor);
}

/* ---- Connections ---- */

void solo__reactor_link(struct solo_reactor *reactor, struct solo__closable *closable)
{
    closable->next = reactor->closables;
    closable->link = &reactor->closables;
    if (closable->next != NULL) {
        closable->next->link = &closable->next;
    }
    reactor->closables = closable;
}

void solo__reactor_unlink(struct solo_reactor *reactor, struct solo__closable *closable)
{
    (void)reactor;
    if (closable->link == NULL) {
        return;
    }
    *closable->link = closable->next;
    if (closable->next != NULL) {
        closable->next->link = closable->link;
    }
    closable->link = NULL;
}

static void lose_connections(struct solo_reactor *reactor)
{
    reactor->disconnected = true;
    while (reactor->closables != NULL) {
        struct solo__closable *closable = reactor->closables;
        solo__reactor_unlink(reactor, closable);
        closable->close(closable, SOLO_ECONNLOST);
    }
}

/* ---- Starting ---- */

static void finish_startup(struct solo_reactor *reactor)
{
    solo__triggers_finish(reactor, SOLO_STARTUP, SOLO_BEFORE);
    reactor->stage = SOLO__STAGE_RUNNING;
    set_running(reactor, true);
    announce_state(reactor, SOLO_REACTOR_RUNNING);
    solo__signals_begin_stopping(reactor);
    fire_phase(reactor, SOLO_STARTUP, SOLO_DURING);
    start_pools(reactor);
    fire_phase(reactor, SOLO_STARTUP, SOLO_AFTER);
}

void solo__lifecycle_start(struct solo_reactor *reactor)
{
    reactor->stage = SOLO__STAGE_STARTING;
    reactor->started = true;
    if (before_is_done(reactor, SOLO_STARTUP)) {
        finish_startup(reactor);
    }
}

/* ---- Stopping ---- */

static void begin_shutdown(struct solo_reactor *reactor)
{
    solo__triggers_let_go(reactor, false); /* a startup that still waits is over */
    solo__triggers_close(reactor, SOLO_STARTUP);
    reactor->stage = SOLO__STAGE_STOPPING;
    reactor->drain_deadline_ns = solo__add_ns(solo__reactor_now(reactor), reactor->drain_max_ns);
    announce_state(reactor, SOLO_REACTOR_STOPPING);
}

static void begin_drain(struct solo_reactor *reactor)
{
    solo__triggers_let_go(reactor, true);
    solo__triggers_finish(reactor, SOLO_SHUTDOWN, SOLO_BEFORE);
    reactor->stage = SOLO__STAGE_DRAINING;
    refuse_new_work(reactor);
}

static void finish_shutdown(struct solo_reactor *reactor)
{
    solo__blocking_calls_give_up(reactor, true);
    finish_pools(reactor, reactor->drain_deadline_ns);
    set_running(reactor, false);
    fire_phase(reactor, SOLO_SHUTDOWN, SOLO_DURING);
    lose_connections(reactor);
    fire_phase(reactor, SOLO_SHUTDOWN, SOLO_AFTER);

    solo__signals_end_stopping(reactor);
    reactor->stage = SOLO__STAGE_STOPPED;
    reactor->started = false;
    solo__thread_calls_close(reactor);
    solo__delayed_calls_close(reactor);
    announce_state(reactor, SOLO_REACTOR_STOPPED);
}

void solo__lifecycle_step(struct solo_reactor *reactor)
{
    bool late = reactor->drain_deadline_ns != SOLO_NEVER && solo__reactor_now(reactor) >= reactor->drain_deadline_ns;
    if (reactor->stage == SOLO__STAGE_STARTING && before_is_done(reactor, SOLO_STARTUP)) {
        finish_startup(reactor);
    }
    if (reactor->stop_asked && (reactor->stage == SOLO__STAGE_STARTING || reactor->stage == SOLO__STAGE_RUNNING)) {
        begin_shutdown(reactor);
    }
    if (reactor->stage == SOLO__STAGE_STOPPING && (before_is_done(reactor, SOLO_SHUTDOWN) || late)) {
        begin_drain(reactor);
    }
    if (reactor->stage == SOLO__STAGE_DRAINING && (is_drained(reactor) || late)) {
        finish_shutdown(reactor);
    }
}

/* ---- Ending without a stop ---- */

void solo__lifecycle_crash(struct solo_reactor *reactor)
{
    reactor->crashed = true;
    reactor->started = false;
    reactor->stage = SOLO__STAGE_IDLE;
    set_running(reactor, false);
    solo__signals_end_stopping(reactor);
    solo__triggers_let_go(reactor, false);
    solo__triggers_open(reactor, SOLO_STARTUP);
    announce_state(reactor, SOLO_REACTOR_CRASHED);
}

void solo__lifecycle_end(struct solo_reactor *reactor)
{
    bool was_stopped = reactor->stage == SOLO__STAGE_STOPPED;
    reactor->stage = SOLO__STAGE_STOPPED;
    refuse_new_work(reactor);
    solo__thread_calls_close(reactor); /* releases blocking calls, so that the pool can end */
    solo__blocking_calls_give_up(reactor, false);
    finish_pools(reactor, solo__add_ns(solo__reactor_now(reactor), reactor->drain_max_ns));
    solo__triggers_close(reactor, SOLO_STARTUP);
    solo__triggers_close(reactor, SOLO_SHUTDOWN);
    lose_connections(reactor);
    solo__delayed_calls_close(reactor);
    solo__thread_calls_end(reactor);
    finish_pools(reactor, 0); /* one that a done function asked for just now */
    if (!was_stopped) {
        announce_state(reactor, SOLO_REACTOR_STOPPED);
    }
}
