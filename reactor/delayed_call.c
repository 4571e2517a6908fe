/*
 * delayed_call.c - calls at a later time.
 *
 * A heap with four children a node, ordered by (due time, sequence), holds the calls to come; each call knows its
 * place, so that taking it out costs O(log n). A pass moves what is due into its batch, a list in firing order,
 * before it runs anything; what a running call sets, even for now, goes to the heap and waits for the next pass. A
 * call of the batch can still be cancelled or moved.
 *
 * Memory. Each call has its own, and while it is active it owns a slot. Heap and slots have one capacity, so a call
 * that was accepted always finds room in the heap again.
 *
 * An id is generation << 32 | slot. Slots are used again in order of release, the longest unused first, and remember
 * of their last 64 users whether they ran: older ids are said to have run.
 */
#include "reactor_internal.h"
#include <assert.h>
#include <string.h>

enum { ARITY = 4, CAPACITY_MIN = 16, CAPACITY_MAX = 1 << 30 };
enum { IN_BATCH = 0xffffffffu };

struct solo__delayed_call {
    struct solo__call call;
    uint64_t due_ns;
    uint32_t slot;
    uint32_t place;                             /* in the heap, or IN_BATCH */
    struct solo__delayed_call *previous, *next; /* in the batch */
};

struct solo__heap_entry {
    uint64_t due_ns;
    uint64_t sequence;
    struct solo__delayed_call *call;
};

struct solo__slot {
    struct solo__delayed_call *call; /* NULL: free */
    uint64_t unran;                  /* bit k: the user k generations ago never ran */
    uint32_t generation;             /* of the present user, or of the next one; never 0 */
    uint32_t next_free;              /* slot + 1; 0: the last one */
};

/* ---- The heap ---- */

static bool is_before(const struct solo__heap_entry *a, const struct solo__heap_entry *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->sequence < b->sequence;
}

static void place(struct solo__delayed_calls *delayed, uint32_t at, struct solo__heap_entry entry)
{
    delayed->heap[at] = entry;
    entry.call->place = at;
}

static void sift_up(struct solo__delayed_calls *delayed, uint32_t at, struct solo__heap_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / ARITY;
        if (!is_before(&entry, &delayed->heap[parent])) {
            break;
        }
        place(delayed, at, delayed->heap[parent]);
        at = parent;
    }
    place(delayed, at, entry);
}

static uint32_t first_child(const struct solo__delayed_calls *delayed, uint32_t at)
{
    uint32_t child = at * ARITY + 1;
    uint32_t end = delayed->count - child < ARITY ? delayed->count : child + ARITY;
    uint32_t first = child;
    for (child++; child < end; child++) {
        if (is_before(&delayed->heap[child], &delayed->heap[first])) {
            first = child;
        }
    }
    return first;
}

static void sift_down(struct solo__delayed_calls *delayed, uint32_t at, struct solo__heap_entry entry)
{
    while (at * ARITY + 1 < delayed->count) { /* it has children */
        uint32_t child = first_child(delayed, at);
        if (!is_before(&delayed->heap[child], &entry)) {
            break;
        }
        place(delayed, at, delayed->heap[child]);
        at = child;
    }
    place(delayed, at, entry);
}

static void heap_add(struct solo__delayed_calls *delayed, struct solo__delayed_call *call)
{
    struct solo__heap_entry entry = {call->due_ns, delayed->sequence++, call};
    sift_up(delayed, delayed->count++, entry);
}

static void heap_take(struct solo__delayed_calls *delayed, uint32_t at)
{
    struct solo__heap_entry last = delayed->heap[--delayed->count];
    if (at == delayed->count) {
        return;
    }
    if (at > 0 && is_before(&last, &delayed->heap[(at - 1) / ARITY])) {
        sift_up(delayed, at, last);
    } else {
        sift_down(delayed, at, last);
    }
}

/* ---- The batch ---- */

static void batch_append(struct solo__delayed_calls *delayed, struct solo__delayed_call *call)
{
    call->place = IN_BATCH;
    call->next = NULL;
    call->previous = delayed->due_last;
    if (delayed->due_last != NULL) {
        delayed->due_last->next = call;
    } else {
        delayed->due_first = call;
    }
    delayed->due_last = call;
}

static void batch_take(struct solo__delayed_calls *delayed, struct solo__delayed_call *call)
{
    if (call->previous != NULL) {
        call->previous->next = call->next;
    } else {
        delayed->due_first = call->next;
    }
    if (call->next != NULL) {
        call->next->previous = call->previous;
    } else {
        delayed->due_last = call->previous;
    }
}

static void take_out(struct solo__delayed_calls *delayed, struct solo__delayed_call *call)
{
    if (call->place == IN_BATCH) {
        batch_take(delayed, call);
    } else {
        heap_take(delayed, call->place);
    }
}

/* ---- Slots and ids ---- */

/* Gives heap and slots room for more. */
static int grow(struct solo_reactor *reactor)
{
    struct solo__delayed_calls *delayed = &reactor->delayed;
    struct solo_world *world = reactor->world;
    uint32_t capacity = delayed->capacity == 0 ? CAPACITY_MIN : delayed->capacity * 2;
    if (delayed->capacity >= CAPACITY_MAX) {
        return -ENOMEM;
    }
    struct solo__heap_entry *heap = world->memory->allocate(world, capacity * sizeof *heap);
    struct solo__slot *slots = world->memory->allocate(world, capacity * sizeof *slots);
    if (heap == NULL || slots == NULL) {
        world->memory->release(world, heap);
        world->memory->release(world, slots);
        return -ENOMEM;
    }
    if (delayed->capacity > 0) {
        memcpy(heap, delayed->heap, delayed->count * sizeof *heap);
        memcpy(slots, delayed->slots, delayed->slots_used * sizeof *slots);
    }
    world->memory->release(world, delayed->heap);
    world->memory->release(world, delayed->slots);
    delayed->heap = heap;
    delayed->slots = slots;
    delayed->capacity = capacity;
    return 0;
}

/* A free slot, there being one: the longest unused one, or one that never was used. */
static uint32_t slot_take(struct solo__delayed_calls *delayed)
{
    if (delayed->slots_used < delayed->capacity) {
        delayed->slots[delayed->slots_used] = (struct solo__slot){NULL, 0, 1, 0};
        return delayed->slots_used++;
    }
    uint32_t slot = delayed->free_first - 1;
    delayed->free_first = delayed->slots[slot].next_free;
    if (delayed->free_first == 0) {
        delayed->free_last = 0;
    }
    return slot;
}

/* The slot's call is over: its id is refused from here on. */
static void slot_release(struct solo__delayed_calls *delayed, uint32_t number, bool ran)
{
    struct solo__slot *slot = &delayed->slots[number];
    slot->call = NULL;
    slot->unran = slot->unran << 1 | (ran ? 0 : 1);
    slot->generation = slot->generation == UINT32_MAX ? 1 : slot->generation + 1;
    slot->next_free = 0;
    if (delayed->free_last != 0) {
        delayed->slots[delayed->free_last - 1].next_free = number + 1;
    } else {
        delayed->free_first = number + 1;
    }
    delayed->free_last = number + 1;
}

static solo_delayed_call_id id_of(const struct solo__delayed_calls *delayed, const struct solo__delayed_call *call)
{
    return (uint64_t)delayed->slots[call->slot].generation << 32 | call->slot;
}

/* The active call of this id, or why there is none. */
static int find(const struct solo__delayed_calls *delayed, solo_delayed_call_id id,
                struct solo__delayed_call **ret_call)
{
    uint32_t number = (uint32_t)id;
    uint32_t generation = (uint32_t)(id >> 32);
    if (number >= delayed->slots_used || generation == 0) {
        return -EINVAL;
    }
    const struct solo__slot *slot = &delayed->slots[number];
    uint32_t age = slot->generation - generation;
    if (age == 0 && slot->call != NULL) {
        *ret_call = slot->call;
        return 0;
    }
    if (age == 0) {
        return -EINVAL; /* that user has yet to come */
    }
    return age <= 64 && (slot->unran >> (age - 1) & 1) ? SOLO_EALREADYCANCELLED : SOLO_EALREADYCALLED;
}

/* ---- The pass ---- */

uint64_t solo__delayed_calls_next(const struct solo_reactor *reactor)
{
    return reactor->delayed.count > 0 ? reactor->delayed.heap[0].due_ns : SOLO_NEVER;
}

void solo__delayed_calls_take(struct solo_reactor *reactor)
{
    struct solo__delayed_calls *delayed = &reactor->delayed;
    while (delayed->count > 0 && delayed->heap[0].due_ns <= reactor->now_ns) {
        struct solo__delayed_call *call = delayed->heap[0].call;
        heap_take(delayed, 0);
        batch_append(delayed, call);
    }
}

/* Its turn has come, or it never will. */
static void serve(struct solo__delayed_calls *delayed, struct solo__delayed_call *call, int status)
{
    take_out(delayed, call);
    slot_release(delayed, call->slot, status == 0);
    solo__call_serve(&call->call, status);
}

void solo__delayed_calls_run(struct solo_reactor *reactor)
{
    struct solo__delayed_calls *delayed = &reactor->delayed;
    while (delayed->due_first != NULL) {
        serve(delayed, delayed->due_first, 0);
    }
}

void solo__delayed_calls_close(struct solo_reactor *reactor)
{
    struct solo__delayed_calls *delayed = &reactor->delayed;
    assert(delayed->due_first == NULL); /* a pass runs its batch to the end */
    while (delayed->count > 0) {
        serve(delayed, delayed->heap[0].call, SOLO_ECLOSING);
    }
}

void solo__delayed_calls_end(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    solo__delayed_calls_close(reactor);
    if (reactor->delayed.capacity > 0) {
        world->memory->release(world, reactor->delayed.heap);
        world->memory->release(world, reactor->delayed.slots);
    }
}

/* ---- The public functions ---- */

static void announce_due(const struct solo__delayed_call *call)
{
    solo__announce(call->call.reactor->world, SOLO_PROBE_TIMER_SET, SOLO_ACCESS_WRITE, call->call.provenance.object,
                   call->due_ns);
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
    if (delayed->free_first == 0 && delayed->slots_used == delayed->capacity && grow(reactor) < 0) {
        return -ENOMEM;
    }
    struct solo__delayed_call *call = solo__call_make(reactor, sizeof *call, SOLO__DELAYED_CALL, fn, arg, done,
                                                      __builtin_frame_address(0), __builtin_return_address(0));
    if (call == NULL) {
        return -ENOMEM;
    }
    call->due_ns = solo__add_ns(solo__reactor_now(reactor), delay_ns);
    solo__call_announce(&call->call, SOLO_QUEUE_DELAYED);
    announce_due(call);
    call->slot = slot_take(delayed);
    delayed->slots[call->slot].call = call;
    heap_add(delayed, call);
    if (ret_id != NULL) {
        *ret_id = id_of(delayed, call);
    }
    return 0;
}

int solo_delayed_call_cancel(struct solo_reactor *reactor, solo_delayed_call_id id)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_cancel, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_cancel, &reactor->owner, reactor);
    struct solo__delayed_call *call;
    int error = find(&reactor->delayed, id, &call);
    if (error < 0) {
        return error;
    }

    solo__announce(reactor->world, SOLO_PROBE_TIMER_CANCELLED, SOLO_ACCESS_WRITE, call->call.provenance.object, 0);
    take_out(&reactor->delayed, call);
    slot_release(&reactor->delayed, call->slot, false);
    solo__call_serve(&call->call, SOLO_ECANCELLED);
    return 0;
}

static void move_to(struct solo_reactor *reactor, struct solo__delayed_call *call, uint64_t due_ns)
{
    take_out(&reactor->delayed, call);
    call->due_ns = due_ns;
    announce_due(call);
    heap_add(&reactor->delayed, call);
}

int solo_delayed_call_reset(struct solo_reactor *reactor, solo_delayed_call_id id, uint64_t delay_ns)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_reset, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_reset, &reactor->owner, reactor);
    struct solo__delayed_call *call;
    int error = find(&reactor->delayed, id, &call);
    if (error < 0) {
        return error;
    }

    move_to(reactor, call, solo__add_ns(solo__reactor_now(reactor), delay_ns));
    return 0;
}

int solo_delayed_call_delay(struct solo_reactor *reactor, solo_delayed_call_id id, int64_t delta_ns)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_delay, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_delay, &reactor->owner, reactor);
    struct solo__delayed_call *call;
    int error = find(&reactor->delayed, id, &call);
    if (error < 0) {
        return error;
    }

    uint64_t back_ns = (uint64_t)0 - (uint64_t)delta_ns;
    if (delta_ns >= 0) {
        move_to(reactor, call, solo__add_ns(call->due_ns, (uint64_t)delta_ns));
    } else {
        move_to(reactor, call, back_ns < call->due_ns ? call->due_ns - back_ns : 0);
    }
    return 0;
}

int solo_delayed_call_time(struct solo_reactor *reactor, solo_delayed_call_id id, uint64_t *ret_due_ns)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_time, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_time, &reactor->owner, reactor);
    struct solo__delayed_call *call;
    int error = ret_due_ns == NULL ? -EINVAL : find(&reactor->delayed, id, &call);
    if (error < 0) {
        return error;
    }

    *ret_due_ns = call->due_ns;
    return 0;
}

int solo_delayed_call_active(struct solo_reactor *reactor, solo_delayed_call_id id, bool *ret_active)
{
    SOLO__LIVE_OBJECT(solo_delayed_call_active, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_delayed_call_active, &reactor->owner, reactor);
    struct solo__delayed_call *call;
    int error = ret_active == NULL ? -EINVAL : find(&reactor->delayed, id, &call);
    if (error == -EINVAL) {
        return error;
    }

    *ret_active = error == 0;
    return 0;
}

/*
 * Puts the heap into firing order, which is a heap as well: takes the first one out, over and over, and turns the
 * result round.
 */
static void sort(struct solo__delayed_calls *delayed)
{
    uint32_t count = delayed->count;
    while (delayed->count > 1) {
        struct solo__heap_entry first = delayed->heap[0];
        heap_take(delayed, 0);
        delayed->heap[delayed->count] = first;
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        struct solo__heap_entry entry = delayed->heap[i];
        place(delayed, i, delayed->heap[count - 1 - i]);
        place(delayed, count - 1 - i, entry);
    }
    if (count % 2 == 1) {
        place(delayed, count / 2, delayed->heap[count / 2]);
    }
    delayed->count = count;
}

int solo_reactor_delayed_calls(struct solo_reactor *reactor, solo_delayed_call_id *ids, size_t ids_max,
                               size_t *ret_count)
{
    SOLO__LIVE_OBJECT(solo_reactor_delayed_calls, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_delayed_calls, &reactor->owner, reactor);
    if (ret_count == NULL || (ids == NULL && ids_max > 0)) {
        return -EINVAL;
    }

    struct solo__delayed_calls *delayed = &reactor->delayed;
    size_t count = 0;
    for (const struct solo__delayed_call *call = delayed->due_first; call != NULL; call = call->next, count++) {
        if (count < ids_max) {
            ids[count] = id_of(delayed, call);
        }
    }
    if (count < ids_max) {
        sort(delayed);
    }
    for (uint32_t i = 0; i < delayed->count; i++, count++) {
        if (count < ids_max) {
            ids[count] = id_of(delayed, delayed->heap[i].call);
        }
    }
    *ret_count = count;
    return 0;
}
