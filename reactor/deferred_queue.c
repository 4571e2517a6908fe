/*
 * deferred_queue.c - items in order from who puts to who gets.
 *
 * Invariant: not both items and getters wait.
 */
#include "deferred_private.h"
#include "deferred_tokens.h"
#include <solo/deferred_queue.h>

/* An item or a getter that waits. */
struct entry {
    struct entry *next, *previous;
    struct entries *in; /* where it waits */
    struct solo_world *world;
    struct solo_deferred *deferred; /* of a getter */
    void *item;                     /* of an item */
};

struct entries {
    struct entry *first, *last;
    size_t count, max;
};

struct solo_deferred_queue {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct entries items, getters;
};

static void append(struct entries *entries, struct entry *entry)
{
    entry->in = entries;
    entry->next = NULL;
    entry->previous = entries->last;
    *(entries->last != NULL ? &entries->last->next : &entries->first) = entry;
    entries->last = entry;
    entries->count++;
}

/* Out of its list and gone; returns what it was. */
static struct entry take(struct entry *entry)
{
    struct entry taken = *entry;
    struct entries *entries = taken.in;
    *(taken.previous != NULL ? &taken.previous->next : &entries->first) = taken.next;
    *(taken.next != NULL ? &taken.next->previous : &entries->last) = taken.previous;
    entries->count--;
    taken.world->memory->release(taken.world, entry);
    return taken;
}

static void move(struct entries *from, struct entries *to)
{
    *to = *from;
    for (struct entry *entry = to->first; entry != NULL; entry = entry->next) {
        entry->in = to;
    }
}

static struct entry *make_entry(struct solo_deferred_queue *queue)
{
    struct entry *entry = queue->object.world->memory->allocate(queue->object.world, sizeof *entry);
    if (entry != NULL) {
        entry->world = queue->object.world;
        entry->deferred = NULL;
        entry->item = NULL;
    }
    return entry;
}

static void answer(struct entry getter, struct solo_result result)
{
    (void)solo__deferred_fire(getter.deferred, result);
    solo__deferred_drop(getter.deferred);
}

static void cancel(struct solo_deferred *deferred, void *arg)
{
    (void)take(arg);
    solo__deferred_drop(deferred);
}

/* ---- The public functions ---- */

#define QUEUE_LADDER(function, queue)                                                                                  \
    SOLO__LIVE_OBJECT(function, (queue), SOLO__DEFERRED_QUEUE, SOLO006_USE_AFTER_END);                                 \
    SOLO__OBJECT((queue)->reactor, SOLO__REACTOR);                                                                     \
    SOLO__REACTOR_ONLY(function, &(queue)->reactor->owner, (queue))

int solo_deferred_queue_create(struct solo_reactor *reactor, size_t size_max, size_t backlog_max,
                               struct solo_deferred_queue **ret_queue)
{
    SOLO__LIVE_OBJECT(solo_deferred_queue_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (ret_queue == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_queue_create, &reactor->owner, reactor);

    struct solo_deferred_queue *queue =
        solo__object_make(reactor->world, SOLO__DEFERRED_QUEUE, sizeof *queue, __builtin_return_address(0));
    if (queue == NULL) {
        return -ENOMEM;
    }
    queue->reactor = reactor;
    queue->items.max = size_max;
    queue->getters.max = backlog_max;
    *ret_queue = queue;
    return 0;
}

int solo_deferred_queue_destroy(struct solo_deferred_queue *queue, solo_item_fn drop, void *arg)
{
    if (queue == NULL) {
        return 0;
    }
    SOLO__END_LADDER(solo_deferred_queue_destroy, SOLO__DEFERRED_QUEUE, queue, queue->reactor);
    if (queue->items.count > 0 && drop == NULL) {
        return -EBUSY;
    }

    struct entries items, getters;
    move(&queue->items, &items);
    move(&queue->getters, &getters);
    solo__object_end(queue); /* nobody can put or get any more */
    while (items.first != NULL) {
        drop(take(items.first).item, arg);
    }
    while (getters.first != NULL) { /* one that is told may cancel the others */
        answer(take(getters.first), solo_failure(SOLO_ECLOSED));
    }
    return 0;
}

int solo_deferred_queue_put(struct solo_deferred_queue *queue, void *item)
{
    QUEUE_LADDER(solo_deferred_queue_put, queue);

    if (queue->getters.first != NULL) {
        answer(take(queue->getters.first), solo_value(item));
        return 0;
    }
    if (queue->items.count >= queue->items.max) {
        return SOLO_ELIMIT;
    }
    struct entry *entry = make_entry(queue);
    if (entry == NULL) {
        return -ENOMEM;
    }
    entry->item = item;
    append(&queue->items, entry);
    return 0;
}

/* An item is there: the Deferred has it when it is given. */
static int get_now(struct solo_deferred_queue *queue, void *frame, void *return_address,
                   struct solo_deferred **ret_deferred)
{
    struct solo_deferred *deferred;
    int status = solo__deferred_make(queue->reactor, NULL, NULL, frame, return_address, &deferred);
    if (status < 0) {
        return status;
    }
    struct entry item = take(queue->items.first);
    solo__deferred_fire_from(deferred, solo_value(item.item), frame, return_address);
    *ret_deferred = deferred;
    return 0;
}

static int get_later(struct solo_deferred_queue *queue, void *frame, void *return_address,
                     struct solo_deferred **ret_deferred)
{
    struct entry *entry = make_entry(queue);
    if (entry == NULL) {
        return -ENOMEM;
    }
    int status = solo__deferred_make(queue->reactor, cancel, entry, frame, return_address, &entry->deferred);
    if (status < 0) {
        queue->object.world->memory->release(queue->object.world, entry);
        return status;
    }
    solo__deferred_keep(entry->deferred);
    append(&queue->getters, entry);
    *ret_deferred = entry->deferred;
    return 0;
}

int solo_deferred_queue_get(struct solo_deferred_queue *queue, struct solo_deferred **ret_deferred)
{
    QUEUE_LADDER(solo_deferred_queue_get, queue);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }

    void *frame = __builtin_frame_address(0);
    void *return_address = __builtin_return_address(0);
    if (queue->items.first != NULL) {
        return get_now(queue, frame, return_address, ret_deferred);
    }
    if (queue->getters.count >= queue->getters.max) {
        return SOLO_ELIMIT;
    }
    return get_later(queue, frame, return_address, ret_deferred);
}

int solo_deferred_queue_size(struct solo_deferred_queue *queue, size_t *ret_size)
{
    QUEUE_LADDER(solo_deferred_queue_size, queue);
    if (ret_size == NULL) {
        return -EINVAL;
    }

    *ret_size = queue->items.count;
    return 0;
}
