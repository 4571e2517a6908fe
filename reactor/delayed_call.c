/*
 * delayed_call.c - calls at a later time.
 *
 * timer_queue.c knows which call is next. A pass takes what is due into its batch before it runs anything; what a
 * running call sets, even for now, waits for the next pass. A call of the batch can still be cancelled or moved.
 *
 * A call lives in a slot of one line of the cache. Slots are given back by destroy, so where calls come and go none of
 * them costs an allocation. Who set it is one return address, or, where full stacks are kept, a block of its own.
 *
 * An id is generation << 32 | slot. Slots are used again in order of release, the longest unused first, and remember
 * of their last 16 users whether they ran: older ids are said to have run.
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"
#include <string.h>

/*
 * timer->who, in one word: bits 0 to 23 are the number of its object id; 24 to 47 that of the thread which set it, 0 if
 * origin is `full`; bit 48 + k is set if the slot's user k + 1 generations ago never ran.
 */
enum { BY = 24, UNRAN = 48, NUMBER = 0xffffff };

static inline uint32_t object_of(const struct solo__timer *timer)
{
    return solo__object_id_of(SOLO__DELAYED_CALL, (uint32_t)timer->who & NUMBER);
}

static inline uint32_t by_number(const struct solo__timer *timer)
{
    return (uint32_t)(timer->who >> BY) & NUMBER;
}

static inline void set_who(struct solo__timer *timer, uint32_t object, uint32_t by)
{
    timer->who = timer->who >> UNRAN << UNRAN | (uint64_t)(by & NUMBER) << BY | (object & NUMBER);
}

/* ---- Slots and ids ---- */

static inline struct solo__timer *timer_of(const struct solo__delayed_calls *delayed, uint32_t slot)
{
    return solo__timer_of(&delayed->queue, slot);
}

static inline bool has_room(const struct solo__delayed_calls *delayed)
{
    return delayed->free_count > 0 || delayed->slots_used < delayed->queue.capacity;
}

/* There is no room: no slot is free. The ring grows with the queue. */
static __attribute__((noinline, cold)) int grow(struct solo_reactor *reactor, uint64_t now_ns)
{
    struct solo__delayed_calls *delayed = &reactor->delayed;
    struct solo_world *world = reactor->world;
    size_t size = solo__timer_queue_capacity(&delayed->queue, 1) * sizeof delayed->free[0];
    struct solo__timer **ring = world->memory->allocate(world, size);
    if (ring == NULL || solo__timer_queue_grow(&delayed->queue, world, now_ns) < 0) {
        world->memory->release(world, ring);
        return -ENOMEM;
    }
    SOLO_ANNOTATE_PRIVATE(ring, size);
    world->memory->release(world, delayed->free);
    delayed->free = ring;
    delayed->free_first = 0;
    return 0;
}

int solo__delayed_calls_reserve(struct solo_reactor *reactor, size_t count)
{
    struct solo__delayed_calls *delayed = &reactor->delayed;
    while (delayed->queue.capacity < count) {
        if (grow(reactor, solo__reactor_now(reactor)) < 0) {
            return -ENOMEM;
        }
    }
    for (; count > 0 && delayed->slots_used < delayed->queue.capacity; delayed->slots_used++) {
        struct solo__timer *timer = timer_of(delayed, delayed->slots_used);
        timer->place = SOLO__TIMER_NOT_SET;
        timer->generation = 1;
        timer->sequence = delayed->slots_used;
        timer->who = 0;
        delayed->free[delayed->free_count++] = timer;
    }
    solo__timer_queue_touch(&delayed->queue);
    return 0;
}

/* So far ahead of its turn a slot is asked for from memory: those used before lie anywhere. */
enum { AHEAD = 8 };

/* While there are slots that never were used, so many rest: an id is to be told from its slot's later ones for long. */
enum { RESTING = 32 };

/* A free slot, there being one: the longest unused one, or one that never was used. */
static inline struct solo__timer *slot_take(struct solo__delayed_calls *delayed, uint32_t *ret_slot)
{
    if (__builtin_expect(delayed->free_count <= RESTING, 0) && delayed->slots_used < delayed->queue.capacity) {
        struct solo__timer *timer = timer_of(delayed, *ret_slot = delayed->slots_used++);
        __builtin_prefetch(timer + 2 * AHEAD, 1);
        timer->place = SOLO__TIMER_NOT_SET;
        timer->generation = 1;
        timer->who = 0;
        return timer;
    }
    uint32_t at = delayed->free_first, ahead = at + AHEAD;
    struct solo__timer *timer = delayed->free[at];
    delayed->free_first = at + 1 < delayed->queue.capacity ? at + 1 : 0;
    if (delayed->free_count-- > AHEAD && ahead < delayed->queue.capacity) {
        __builtin_prefetch(delayed->free[ahead], 1);
    }
    *ret_slot = (uint32_t)timer->sequence;
    return timer;
}

/* The slot's call is over: its id is refused from here on. While it is free, the slot knows its number. */
static inline void slot_release(struct solo__delayed_calls *delayed, uint32_t slot, struct solo__timer *timer, bool ran)
{
    uint32_t at = delayed->free_first + delayed->free_count++;
    delayed->free[at < delayed->queue.capacity ? at : at - delayed->queue.capacity] = timer;
    timer->sequence = slot;
    timer->who = (timer->who >> UNRAN << 1 | (ran ? 0 : 1)) << UNRAN;
    timer->generation = timer->generation == UINT32_MAX ? 1 : timer->generation + 1;
}

static inline solo_delayed_call_id id_of(const struct solo__timer *timer, uint32_t slot)
{
    return (uint64_t)timer->generation << 32 | slot;
}

/* Why no call that is to come has this id. */
static __attribute__((noinline, cold)) int why_not(const struct solo__timer *timer, uint32_t generation)
{
    uint32_t age = timer->generation - generation;
    if (age == 0) {
        return -EINVAL; /* that user has yet to come */
    }
    return age <= 16 && (timer->who >> (UNRAN + age - 1) & 1) != 0 ? SOLO_EALREADYCANCELLED : SOLO_EALREADYCALLED;
}

/* The active call with this id, or why there is none. */
static inline int find(const struct solo__delayed_calls *delayed, solo_delayed_call_id id,
                       struct solo__timer **ret_timer)
{
    uint32_t slot = (uint32_t)id;
    uint32_t generation = (uint32_t)(id >> 32);
    if (slot >= delayed->slots_used || generation == 0) {
        return -EINVAL;
    }
    struct solo__timer *timer = timer_of(delayed, slot);
    if (timer->generation != generation || timer->place == SOLO__TIMER_NOT_SET) {
        return why_not(timer, generation);
    }
    *ret_timer = timer;
    return 0;
}

/* ---- Who set it ---- */

/*
 * Ids for probes and reports: in world os a few are set aside, because all reactors count them together; while somebody
 * listens they are in order.
 */
static inline uint32_t next_object(struct solo_reactor *reactor)
{
    enum { SET_ASIDE = 64 };
    struct solo__delayed_calls *delayed = &reactor->delayed;
    if (solo__world_is_heard(reactor->world)) {
        return solo__object_next_id(reactor->world, SOLO__DELAYED_CALL);
    }
    if (delayed->object_next == delayed->object_end) {
        delayed->object_next = solo__object_next_ids(reactor->world, SOLO__DELAYED_CALL, SET_ASIDE);
        delayed->object_end = delayed->object_next + SET_ASIDE;
    }
    return delayed->object_next++;
}

/* The thread that set it: nearly always the caller. */
static inline struct solo_thread *set_by(const struct solo_reactor *reactor, const struct solo__timer *timer)
{
    uint32_t id = solo__object_id_of(SOLO__THREAD, by_number(timer));
    return solo__self->object.id == id ? solo__self : solo__thread_of_id(reactor->object.world, id);
}

/* What queued it, put together in `room` where it is not kept in full. */
static inline const struct solo__provenance *
provenance_of(const struct solo_reactor *reactor, const struct solo__timer *timer, struct solo__provenance *room)
{
    if (by_number(timer) == 0) {
        return timer->origin.full;
    }
    room->object = object_of(timer);
    room->by = set_by(reactor, timer);
    room->thread = room->by->number;
    room->count = 1;
    room->frames[0] = (uint64_t)(uintptr_t)timer->origin.return_address;
    return room;
}

/* ---- The pass ---- */

void solo__delayed_calls_take(struct solo_reactor *reactor)
{
    solo__timer_queue_take(&reactor->delayed.queue, reactor->now_ns);
}

/* fn, done and what is told around them, of a copy: the call has left its slot. */
static inline void serve(struct solo_reactor *reactor, const struct solo__timer *call, int status)
{
    struct solo_world *world = reactor->object.world;
    struct solo_thread *self = solo__self;
    const struct solo__provenance *outer_work = self->work;
    struct solo__provenance room;
    const struct solo__provenance *work = provenance_of(reactor, call, &room);
    uint32_t object = object_of(call);

    solo__callback_begin(reactor, object);
    if (status < 0) {
        solo__argument_forget(world, object);
    } else {
        self->work = work;
        solo__announce(world, SOLO_PROBE_CALL_BEGUN, SOLO_ACCESS_WRITE, object, 0);
        solo__argument_run(world, object);
        call->fn(call->arg);
        solo__announce(world, SOLO_PROBE_CALL_ENDED, SOLO_ACCESS_WRITE, object, 0);
        self->work = outer_work;
    }
    if (call->done != NULL) {
        solo__announce(world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_WRITE, object, (uint64_t)(int64_t)status);
        self->work = work;
        call->done(status, call->arg);
        self->work = outer_work;
    } else if (status < 0) {
        solo__announce(world, SOLO_PROBE_CALL_DROPPED, SOLO_ACCESS_WRITE, object, (uint64_t)(int64_t)status);
    }
    if (by_number(call) == 0) {
        world->memory->release(world, call->origin.full);
    }
    solo__callback_end(reactor, object);
}

static void serve_batch(struct solo_reactor *reactor, int status)
{
    struct solo__timer *timer;
    uint32_t slot;
    while ((timer = solo__timer_queue_pop(&reactor->delayed.queue, &slot)) != NULL) {
        struct solo__timer call = *timer;
        slot_release(&reactor->delayed, slot, timer, status == 0);
        serve(reactor, &call, status);
    }
}

void solo__delayed_calls_run(struct solo_reactor *reactor)
{
    serve_batch(reactor, 0);
}

void solo__delayed_calls_close(struct solo_reactor *reactor)
{
    solo__timer_queue_take(&reactor->delayed.queue, SOLO_NEVER); /* a pass runs its batch to the end: it is empty */
    serve_batch(reactor, SOLO_ECLOSING);
}

void solo__delayed_calls_end(struct solo_reactor *reactor)
{
    solo__delayed_calls_close(reactor);
    reactor->world->memory->release(reactor->world, reactor->delayed.free);
    solo__timer_queue_end(&reactor->delayed.queue, reactor->world);
}

/* ---- The public functions ---- */

static inline void announce_due(const struct solo_reactor *reactor, uint32_t object, uint64_t due_ns)
{
    solo__announce(reactor->world, SOLO_PROBE_TIMER_SET, SOLO_ACCESS_WRITE, object, due_ns);
}

/* Room for one call more, and where its full provenance goes if it is kept. */
static int make_room(struct solo_reactor *reactor, uint64_t now_ns, struct solo__provenance **ret_full)
{
    struct solo_world *world = reactor->world;
    if (!has_room(&reactor->delayed) && grow(reactor, now_ns) < 0) {
        return -ENOMEM;
    }
    if (solo__provenance_is_full(solo__self)) {
        *ret_full = world->memory->allocate(world, sizeof **ret_full);
        return *ret_full != NULL ? 0 : -ENOMEM;
    }
    return 0;
}

int solo_reactor_call_later(struct solo_reactor *reactor, uint64_t delay_ns, solo_call_fn fn, void *arg,
                            solo_done_fn done, solo_delayed_call_id *ret_id)
{
    SOLO__LIVE_OBJECT(solo_reactor_call_later, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_call_later, &reactor->owner, reactor);
    if (fn == NULL) {
        return -EINVAL;
    }
    if (solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo__delayed_calls *delayed = &reactor->delayed;
    struct solo__provenance *full = NULL;
    uint64_t now_ns = solo__reactor_now(reactor);
    if (make_room(reactor, now_ns, &full) < 0) {
        return -ENOMEM;
    }
    uint32_t slot; /* taken before anything is announced: whoever gets his turn there has another */
    struct solo__timer *timer = slot_take(delayed, &slot);
    uint32_t object = next_object(reactor);
    timer->fn = fn;
    timer->arg = arg;
    timer->done = done;
    if (full != NULL) {
        solo__provenance_take(full, object, __builtin_frame_address(0), __builtin_return_address(0));
        timer->origin.full = full;
        set_who(timer, object, 0);
    } else {
        timer->origin.return_address = __builtin_return_address(0);
        set_who(timer, object, solo__self->object.id);
    }
    uint64_t due_ns = solo__add_ns(now_ns, delay_ns);
    if (solo__world_is_heard(reactor->world)) {
        solo__announce(reactor->world, SOLO_PROBE_CALL_ACCEPTED, SOLO_ACCESS_WRITE, object, SOLO_QUEUE_DELAYED);
        solo__argument_keep(reactor->world, object, arg);
        announce_due(reactor, object, due_ns);
    }
    solo__timer_queue_add(&delayed->queue, slot, timer, due_ns, now_ns);
    if (ret_id != NULL) {
        *ret_id = id_of(timer, slot);
    }
    return 0;
}

int solo_delayed_call_cancel(struct solo_reactor *reactor, solo_delayed_call_id id)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_cancel, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_cancel, &reactor->owner, reactor);
    struct solo__timer *timer = NULL;
    int error = find(&reactor->delayed, id, &timer);
    if (error < 0) {
        return error;
    }

    solo__announce(reactor->world, SOLO_PROBE_TIMER_CANCELLED, SOLO_ACCESS_WRITE, object_of(timer), 0);
    struct solo__timer call = *timer;
    solo__timer_queue_remove(&reactor->delayed.queue, timer);
    slot_release(&reactor->delayed, (uint32_t)id, timer, false);
    serve(reactor, &call, SOLO_ECANCELLED);
    return 0;
}

static void move_to(struct solo_reactor *reactor, solo_delayed_call_id id, struct solo__timer *timer, uint64_t due_ns)
{
    struct solo__timer_queue *queue = &reactor->delayed.queue;
    announce_due(reactor, object_of(timer), due_ns);
    solo__timer_queue_remove(queue, timer);
    solo__timer_queue_add(queue, (uint32_t)id, timer, due_ns, reactor->now_ns);
}

int solo_delayed_call_reset(struct solo_reactor *reactor, solo_delayed_call_id id, uint64_t delay_ns)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_reset, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_reset, &reactor->owner, reactor);
    struct solo__timer *timer = NULL;
    int error = find(&reactor->delayed, id, &timer);
    if (error < 0) {
        return error;
    }

    move_to(reactor, id, timer, solo__add_ns(solo__reactor_now(reactor), delay_ns));
    return 0;
}

int solo_delayed_call_delay(struct solo_reactor *reactor, solo_delayed_call_id id, int64_t delta_ns)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_delay, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_delay, &reactor->owner, reactor);
    struct solo__timer *timer = NULL;
    int error = find(&reactor->delayed, id, &timer);
    if (error < 0) {
        return error;
    }

    uint64_t due_ns = timer->due_ns;
    uint64_t back_ns = (uint64_t)0 - (uint64_t)delta_ns;
    if (delta_ns >= 0) {
        move_to(reactor, id, timer, solo__add_ns(due_ns, (uint64_t)delta_ns));
    } else {
        move_to(reactor, id, timer, back_ns < due_ns ? due_ns - back_ns : 0);
    }
    return 0;
}

int solo_delayed_call_time(struct solo_reactor *reactor, solo_delayed_call_id id, uint64_t *ret_due_ns)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_time, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_time, &reactor->owner, reactor);
    struct solo__timer *timer = NULL;
    int error = ret_due_ns == NULL ? -EINVAL : find(&reactor->delayed, id, &timer);
    if (error < 0) {
        return error;
    }

    *ret_due_ns = timer->due_ns;
    return 0;
}

int solo_delayed_call_active(struct solo_reactor *reactor, solo_delayed_call_id id, bool *ret_active)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_active, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_active, &reactor->owner, reactor);
    struct solo__timer *timer = NULL;
    int error = ret_active == NULL ? -EINVAL : find(&reactor->delayed, id, &timer);
    if (error == -EINVAL) {
        return error;
    }

    *ret_active = error == 0;
    return 0;
}

int solo_delayed_call_describe(struct solo_reactor *reactor, solo_delayed_call_id id,
                               struct solo_delayed_call_origin *ret_origin)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_describe, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_describe, &reactor->owner, reactor);
    struct solo__timer *timer = NULL;
    int error = ret_origin == NULL ? -EINVAL : find(&reactor->delayed, id, &timer);
    if (error < 0) {
        return error;
    }

    struct solo__provenance room;
    const struct solo__provenance *set = provenance_of(reactor, timer, &room);
    memset(ret_origin, 0, sizeof *ret_origin);
    ret_origin->object = object_of(timer);
    ret_origin->due_ns = timer->due_ns;
    ret_origin->fn = timer->fn;
    ret_origin->arg = timer->arg;
    solo__thread_print_name(set->by, ret_origin->set_by, sizeof ret_origin->set_by);
    ret_origin->set_at.count = set->count;
    memcpy(ret_origin->set_at.frames, set->frames, set->count * sizeof set->frames[0]);
    return 0;
}

struct listing {
    const struct solo__delayed_calls *delayed;
    solo_delayed_call_id *next;
};

static void list_one(uint32_t slot, void *arg)
{
    struct listing *listing = arg;
    *listing->next++ = id_of(timer_of(listing->delayed, slot), slot);
}

int solo_reactor_delayed_calls(struct solo_reactor *reactor, solo_delayed_call_id *ids, size_t ids_max,
                               size_t *ret_count)
{
    SOLO__LIVE_OBJECT(solo_reactor_delayed_calls, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_delayed_calls, &reactor->owner, reactor);
    if (ret_count == NULL || (ids == NULL && ids_max > 0)) {
        return -EINVAL;
    }

    struct listing listing = {&reactor->delayed, ids};
    solo__timer_queue_list(&reactor->delayed.queue, ids_max, list_one, &listing);
    *ret_count = solo__timer_queue_count(&reactor->delayed.queue);
    return 0;
}
