/*
 * deferred.c - a result that is not there yet: its life, and the pairs of callbacks that wait for it.
 *
 * Two kinds of reference keep a Deferred: the public one (`held`), which its user gives up or hands to a chain, and
 * those of the kit (`keepers`): who will fire it, the chain that waits for it, and the inner one that it waits for.
 *
 * Memory is taken only when a Deferred is made, and when a pair is added for which it has no room. A reactor uses the
 * memory of its ended Deferreds again, the oldest first and only once DEFERREDS_QUARANTINE others have ended, so that
 * a use after the end is still named. World sim gives every Deferred memory of its own.
 */
#include "annotate.h"
#include "deferred_private.h"
#include <stddef.h>
#include <string.h>

/* ---- Memory ---- */

#ifdef SOLO_TORTURE
enum { DEFERREDS_QUARANTINE = 4 };
#else
enum { DEFERREDS_QUARANTINE = 256 };
#endif
enum { DEFERREDS_KEPT_MAX = 2 * DEFERREDS_QUARANTINE };

/* What memory checkers may see of an ended one: its header and the link. */
static void poison(struct solo_deferred *deferred)
{
    SOLO_ANNOTATE_POISON(&deferred->reactor, deferred->object.size - offsetof(struct solo_deferred, reactor));
    (void)deferred;
}

static struct solo_deferred *take_oldest(struct solo_reactor *reactor)
{
    struct solo__deferreds *ended = &reactor->deferreds;
    struct solo_deferred *deferred = ended->oldest;
    ended->oldest = deferred->next_ended;
    ended->count--;
    SOLO_ANNOTATE_UNPOISON(&deferred->object + 1, deferred->object.size - sizeof deferred->object);
    return deferred;
}

/* Memory for one, that of the oldest ended one if there are enough of them. `mine`: the caller owns the reactor. */
static inline struct solo_deferred *allocate(struct solo_reactor *reactor, bool mine, size_t size)
{
    struct solo_world *world = reactor->world;
    if (reactor->deferreds.count <= DEFERREDS_QUARANTINE || !mine) {
        return world->memory->allocate(world, size);
    }
    struct solo_deferred *deferred = take_oldest(reactor);
    if (__builtin_expect(deferred->object.size != size, 0)) {
        world->memory->release(world, deferred);
        return world->memory->allocate(world, size);
    }
    return deferred;
}

/* Takes ids by the dozen where nobody can tell: who listens sees them in order of making, whatever the reactor. */
static inline uint32_t next_id(struct solo_reactor *reactor, bool mine)
{
    enum { SET_ASIDE = 64 };
    struct solo__deferreds *deferreds = &reactor->deferreds;
    if (!mine || solo__world_is_heard(reactor->world)) {
        return solo__object_next_id(reactor->world, SOLO__DEFERRED);
    }
    if (deferreds->object_next == deferreds->object_end) {
        deferreds->object_next = solo__object_next_ids(reactor->world, SOLO__DEFERRED, SET_ASIDE);
        deferreds->object_end = deferreds->object_next + SET_ASIDE;
    }
    return deferreds->object_next++;
}

/* It has ended: keeps its memory for another, if its reactor is there and the caller owns it. */
static void keep_memory(struct solo_deferred *deferred)
{
    struct solo_reactor *reactor = deferred->reactor;
    if (!solo__object_is_alive(&reactor->object, SOLO__REACTOR) || reactor->in_sim ||
        solo__owner_thread(&reactor->owner) != solo__self) {
        solo__object_end(deferred);
        return;
    }
    struct solo__deferreds *ended = &reactor->deferreds;
    if (ended->count == DEFERREDS_KEPT_MAX) {
        struct solo_deferred *oldest = take_oldest(reactor);
        oldest->object.world->memory->release(oldest->object.world, oldest);
    }
    __atomic_store_n(&deferred->object.state, SOLO__ENDED, __ATOMIC_RELAXED);
    deferred->next_ended = NULL;
    if (ended->oldest == NULL) {
        ended->oldest = deferred;
    } else {
        ended->newest->next_ended = deferred;
    }
    ended->newest = deferred;
    ended->count++;
    poison(deferred);
}

void solo__deferreds_end(struct solo_reactor *reactor)
{
    while (reactor->deferreds.count > 0) {
        bool quarantined = reactor->deferreds.count <= DEFERREDS_QUARANTINE;
        struct solo_deferred *deferred = take_oldest(reactor);
        if (quarantined) {
            deferred->object.state = SOLO__ALIVE;
            solo__object_end(deferred);
        } else {
            reactor->world->memory->release(reactor->world, deferred);
        }
    }
}

/* ---- Life ---- */

int solo__deferred_make(struct solo_reactor *reactor, solo_canceller_fn canceller, void *arg, void *frame,
                        void *return_address, struct solo_deferred **ret_deferred)
{
    /* Short enough for a few plain stores: the one instruction that clears any length takes far longer. */
    enum { CLEARED = offsetof(struct solo_deferred, waiting_for) };
    struct solo_world *world = reactor->world;
    bool mine = solo__owner_thread(&reactor->owner) == solo__self; /* policy `report` lets other threads in */
    bool full = solo__provenance_full != 0 || reactor->in_sim;
    size_t size = sizeof(struct solo_deferred) + (full ? SOLO__ORIGINS * sizeof(struct solo__provenance) : 0);
    struct solo_deferred *deferred = allocate(reactor, mine, size);
    if (deferred == NULL) {
        return -ENOMEM;
    }
    solo__object_begin_as(&deferred->object, next_id(reactor, mine), world, SOLO__DEFERRED, size, return_address);
    deferred->reactor = reactor;
    deferred->canceller = canceller;
    deferred->canceller_arg = arg;
    deferred->fired_at = (struct solo__origin){NULL, NULL};
    deferred->provenance = full ? (struct solo__provenance *)(deferred + 1) : NULL;
    memset((char *)deferred + CLEARED, 0, offsetof(struct solo_deferred, pairs) - CLEARED);
    deferred->held = true;
    solo__deferred_note(deferred, &deferred->made, SOLO__OF_MADE, frame, return_address);
    deferred->quick_for = full ? solo__deferred_nobody(deferred) : deferred->made.by;
    solo__announce(world, SOLO_PROBE_DEFERRED_MADE, SOLO_ACCESS_WRITE, deferred->object.id, 0);
    *ret_deferred = deferred;
    return 0;
}

static int how_it_ends(const struct solo_deferred *deferred)
{
    if (!deferred->fired) {
        return SOLO__ENDED_UNFIRED;
    }
    if (deferred->ran != solo__deferred_added(deferred)) {
        return SOLO__ENDED_PAUSED;
    }
    if (deferred->result.status >= 0 || (deferred->cancelled && deferred->result.status == SOLO_ECANCELLED)) {
        return SOLO__ENDED_CLEAN;
    }
    return SOLO__ENDED_UNHANDLED;
}

/* The pairs that never ran: the kit's own are told. */
static __attribute__((noinline)) void drop_pairs(struct solo_deferred *deferred)
{
    struct solo_world *world = deferred->object.world;
    deferred->keepers++; /* what they do about it must not end it again */
    while (deferred->first != NULL) {
        struct solo__pair_node *node = deferred->first;
        deferred->first = node->next;
        if (node->dropped != NULL) {
            node->dropped(node->arg);
        } else {
            world->memory->release(world, node);
        }
    }
    deferred->keepers--;
}

static void end(struct solo_deferred *deferred, void *frame, void *return_address)
{
    int how = how_it_ends(deferred);
    if (how != SOLO__ENDED_CLEAN) {
        solo__deferred_report_ended(deferred, how, frame, return_address);
    }
    solo__announce(deferred->object.world, SOLO_PROBE_DEFERRED_ENDED, SOLO_ACCESS_WRITE, deferred->object.id,
                   (uint64_t)how);
    if (deferred->first != NULL) {
        drop_pairs(deferred);
    }
    keep_memory(deferred);
}

void solo__deferred_end_if_unused(struct solo_deferred *deferred, void *frame, void *return_address)
{
    if (!deferred->held && deferred->keepers == 0) {
        end(deferred, frame, return_address);
    }
}

void solo__deferred_keep(struct solo_deferred *deferred)
{
    deferred->keepers++;
}

void solo__deferred_drop(struct solo_deferred *deferred)
{
    deferred->keepers--;
    solo__deferred_end_if_unused(deferred, __builtin_frame_address(0), __builtin_return_address(0));
}

void solo__deferred_release(struct solo_deferred *deferred)
{
    deferred->held = false;
    solo__deferred_end_if_unused(deferred, __builtin_frame_address(0), __builtin_return_address(0));
}

bool solo__deferred_take_over(struct solo_deferred *deferred)
{
    if (!deferred->held) {
        return false;
    }
    deferred->held = false;
    deferred->keepers++;
    return true;
}

void solo__deferred_give_back(struct solo_deferred *deferred)
{
    deferred->held = true;
    deferred->keepers--;
}

bool solo__deferred_is_alive(const struct solo_deferred *deferred)
{
    return solo__object_check(deferred, SOLO__DEFERRED) == 0;
}

/* ---- Results ---- */

/* A result that comes too late still owns the Deferred it speaks of. */
static void discard(struct solo_result result)
{
    if (solo__deferred_is_alive(result.wait_for) && result.wait_for->held) {
        solo__deferred_release(result.wait_for);
    }
}

int solo__deferred_fire(struct solo_deferred *deferred, struct solo_result result)
{
    if (deferred->fired) {
        deferred->swallow = false;
        discard(result);
        return SOLO_EALREADYCALLED;
    }
    solo__deferred_fire_from(deferred, result, __builtin_frame_address(0), __builtin_return_address(0));
    return 0;
}

bool solo__deferred_has_result(const struct solo_deferred *deferred, struct solo_result *ret_result)
{
    bool has = deferred->fired && deferred->waiting_for == NULL && deferred->paused == 0;
    if (has && ret_result != NULL) {
        *ret_result = deferred->result;
    }
    return has;
}

bool solo__deferred_take(struct solo_deferred *deferred, struct solo_result *ret_result)
{
    if (!solo__deferred_has_result(deferred, ret_result)) {
        return false;
    }
    deferred->result = solo_value(NULL);
    return true;
}

/* It is the work of whoever made the Deferred. */
static void call_canceller(struct solo_deferred *deferred)
{
    struct solo_thread *self = solo__self;
    const struct solo__provenance *outer_work = self->work;
    if (deferred->provenance != NULL) {
        self->work = &deferred->provenance[SOLO__OF_MADE];
    }
    solo__deferred_tell(deferred, SOLO_PROBE_PAIR_BEGUN, SOLO_PROBE_CANCELLER);
    deferred->canceller(deferred, deferred->canceller_arg);
    solo__deferred_tell(deferred, SOLO_PROBE_PAIR_ENDED, SOLO_PROBE_CANCELLER);
    self->work = outer_work;
}

void solo__deferred_cancel_from(struct solo_deferred *deferred, void *frame, void *return_address)
{
    deferred->cancelled = true;
    while (deferred->waiting_for != NULL) {
        deferred = deferred->waiting_for;
        deferred->cancelled = true;
    }
    if (deferred->fired || deferred->cancelling) {
        return;
    }
    solo__deferred_keep(deferred);
    if (deferred->canceller != NULL) {
        deferred->cancelling = true;
        call_canceller(deferred);
        deferred->cancelling = false;
    } else {
        deferred->swallow = true;
    }
    if (!deferred->fired) {
        solo__deferred_fire_from(deferred, solo_failure(SOLO_ECANCELLED), frame, return_address);
    }
    solo__deferred_drop(deferred);
}

void solo__deferred_cancel(struct solo_deferred *deferred)
{
    solo__deferred_cancel_from(deferred, __builtin_frame_address(0), __builtin_return_address(0));
}

/* ---- Pairs ---- */

static void append(struct solo_deferred *deferred, struct solo__pair_node *node)
{
    deferred->simple_end = 0;
    node->next = NULL;
    node->number = solo__deferred_added(deferred);
    deferred->added_beside++;
    if (deferred->last != NULL) {
        deferred->last->next = node;
    } else {
        deferred->first = node;
    }
    deferred->last = node;
}

static __attribute__((noinline)) int add_node(struct solo_deferred *deferred, solo_callback_fn callback,
                                              solo_callback_fn errback, void *arg, void *frame, void *return_address)
{
    struct solo_world *world = deferred->object.world;
    struct solo__pair_node *node = world->memory->allocate(world, sizeof *node);
    if (node == NULL) {
        return -ENOMEM;
    }
    node->callback = callback;
    node->errback = errback;
    node->arg = arg;
    node->dropped = NULL;
    solo__provenance_take(&node->provenance, deferred->object.id, frame, return_address);
    append(deferred, node);
    return 0;
}

static inline void write_pair(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback,
                              void *arg, void *return_address)
{
    struct solo__pair *pair = &deferred->pairs[deferred->inline_next];
    deferred->inline_next++;
    pair->callback = callback;
    pair->errback = errback;
    pair->arg = arg;
    pair->from = return_address;
}

/* It matters only where another thread adds the pair than the one that made the Deferred. */
static void note_other(struct solo_deferred *deferred, unsigned index, struct solo_thread *by)
{
    if (by != deferred->made.by) {
        deferred->pairs_by[index] = by;
        deferred->inline_by_others |= 1U << index;
        deferred->simple_end = 0;
    }
}

static inline void run_if_fired(struct solo_deferred *deferred)
{
    if (deferred->fired && !deferred->running && deferred->waiting_for == NULL && deferred->paused == 0) {
        solo__deferred_run(deferred);
    }
}

/* Adds a pair in whatever state it is. */
static __attribute__((noinline)) int add(struct solo_deferred *deferred, solo_callback_fn callback,
                                         solo_callback_fn errback, void *arg, void *frame, void *return_address)
{
    if (deferred->inline_first == deferred->inline_next) {
        deferred->added_beside += deferred->inline_next;
        deferred->inline_first = deferred->inline_next = deferred->inline_by_others = 0;
        deferred->simple_end = 0; /* who runs it now counts on */
    }
    unsigned index = deferred->inline_next;
    if (index < SOLO__PAIRS_INLINE) {
        write_pair(deferred, callback, errback, arg, return_address);
        deferred->simple_end = deferred->simple_end != 0 ? deferred->inline_next : 0;
        note_other(deferred, index, solo__self_get());
        if (deferred->provenance != NULL) {
            solo__provenance_take(&deferred->provenance[SOLO__OF_PAIRS + index], deferred->object.id, frame,
                                  return_address);
        }
    } else {
        int status = add_node(deferred, callback, errback, arg, frame, return_address);
        if (status < 0) {
            return status;
        }
    }
    solo__deferred_tell(deferred, SOLO_PROBE_PAIR_ADDED, solo__deferred_added(deferred) - 1);
    run_if_fired(deferred);
    return 0;
}

int solo__deferred_add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, void *arg)
{
    return add(deferred, callback, errback, arg, __builtin_frame_address(0), __builtin_return_address(0));
}

void solo__deferred_append(struct solo_deferred *deferred, struct solo__pair_node *node, solo_callback_fn both,
                           void (*dropped)(void *arg), void *arg)
{
    node->callback = both;
    node->errback = both;
    node->arg = arg;
    node->dropped = dropped;
    solo__provenance_take(&node->provenance, deferred->object.id, __builtin_frame_address(0),
                          __builtin_return_address(0));
    append(deferred, node);
    solo__deferred_tell(deferred, SOLO_PROBE_PAIR_ADDED, node->number);
    run_if_fired(deferred);
}

/* ---- The public functions ---- */

int solo__deferred_check(struct solo_deferred *deferred, unsigned function, void *frame, void *return_address)
{
    int status = solo__object_check(deferred, SOLO__DEFERRED);
    if (status == SOLO_ECLOSED) {
        solo__violation_after_end(SOLO006_USE_AFTER_END, function, deferred, frame, return_address);
    }
    if (status == 0) {
        status = solo__object_check(deferred->reactor, SOLO__REACTOR);
    }
    if (status == 0 && solo__owner_thread(&deferred->reactor->owner) != solo__self_get()) {
        status = solo__guard_slow(&deferred->reactor->owner, function, deferred, frame, return_address);
    }
    return status;
}

int solo_deferred_create(struct solo_reactor *reactor, solo_canceller_fn canceller, void *arg,
                         struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_deferred_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_create, &reactor->owner, reactor);

    return solo__deferred_make(reactor, canceller, arg, __builtin_frame_address(0), __builtin_return_address(0),
                               ret_deferred);
}

/* The ladder of release, out of line. */
static __attribute__((noinline)) int release_check(struct solo_deferred *deferred, void *frame, void *return_address)
{
    int status = solo__object_check(deferred, SOLO__DEFERRED);
    if (status == 0 && solo__object_check(deferred->reactor, SOLO__REACTOR) == 0) { /* else any thread may give it up */
        status = solo__deferred_check(deferred, SOLO__FN_solo_deferred_release, frame, return_address);
    }
    if (status == SOLO_ECLOSED || (status == 0 && !deferred->held)) {
        solo__violation_after_end(SOLO006_USE_AFTER_END, SOLO__FN_solo_deferred_release, deferred, frame,
                                  return_address);
        return SOLO_ECLOSED;
    }
    return status;
}

int solo_deferred_release(struct solo_deferred *deferred)
{
    if (deferred == NULL) {
        return 0;
    }
    if (__builtin_expect(!solo__deferred_is_plain_call(deferred) || !deferred->held, 0)) {
        int status = release_check(deferred, __builtin_frame_address(0), __builtin_return_address(0));
        if (status < 0) {
            return status;
        }
    }

    deferred->held = false;
    solo__deferred_end_if_unused(deferred, __builtin_frame_address(0), __builtin_return_address(0));
    return 0;
}

static __attribute__((noinline)) int add_checked(struct solo_deferred *deferred, solo_callback_fn callback,
                                                 solo_callback_fn errback, void *arg, void *frame, void *return_address)
{
    int status = solo__deferred_check(deferred, SOLO__FN_solo_deferred_add, frame, return_address);
    return status < 0 ? status : add(deferred, callback, errback, arg, frame, return_address);
}

int solo_deferred_add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, void *arg)
{
    if (__builtin_expect(solo__deferred_is_plain_quick_call(deferred) && deferred->inline_next < SOLO__PAIRS_INLINE,
                         1)) {
        write_pair(deferred, callback, errback, arg, __builtin_return_address(0));
        return 0;
    }
    return add_checked(deferred, callback, errback, arg, __builtin_frame_address(0), __builtin_return_address(0));
}
int solo_deferred_fire(struct solo_deferred *deferred, struct solo_result result)
{
    SOLO__DEFERRED_LADDER(solo_deferred_fire, deferred);
    if (result.status > 0) {
        return -EINVAL;
    }

    if (!deferred->fired) {
        solo__deferred_fire_with(deferred, &result, __builtin_frame_address(0), __builtin_return_address(0));
        return 0;
    }
    discard(result);
    if (deferred->swallow) {
        deferred->swallow = false;
        return 0;
    }
    solo__deferred_report_twice(deferred, __builtin_frame_address(0), __builtin_return_address(0));
    return SOLO_EALREADYCALLED;
}

int solo_deferred_cancel(struct solo_deferred *deferred)
{
    SOLO__DEFERRED_LADDER(solo_deferred_cancel, deferred);

    solo__deferred_cancel_from(deferred, __builtin_frame_address(0), __builtin_return_address(0));
    return 0;
}

int solo_deferred_pause(struct solo_deferred *deferred)
{
    SOLO__DEFERRED_LADDER(solo_deferred_pause, deferred);
    if (deferred->paused == UINT32_MAX) {
        return SOLO_ELIMIT;
    }

    deferred->paused++;
    deferred->simple_end = 0;
    return 0;
}

int solo_deferred_unpause(struct solo_deferred *deferred)
{
    SOLO__DEFERRED_LADDER(solo_deferred_unpause, deferred);
    if (deferred->paused == 0) {
        return -EINVAL;
    }

    deferred->paused--;
    run_if_fired(deferred);
    return 0;
}

int solo_deferred_has_result(struct solo_deferred *deferred, bool *ret_has, struct solo_result *ret_result)
{
    SOLO__DEFERRED_LADDER(solo_deferred_has_result, deferred);
    if (ret_has == NULL) {
        return -EINVAL;
    }

    *ret_has = solo__deferred_has_result(deferred, ret_result);
    return 0;
}
