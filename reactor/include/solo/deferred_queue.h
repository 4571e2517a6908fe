/*
 * deferred_queue.h - items handed from who puts to who gets, in order, without blocking.
 *
 * Either items wait for getters or getters for items, never both. Both waits have a limit.
 *
 * Source: Twisted's DeferredQueue.
 */
#ifndef SOLO_DEFERRED_QUEUE_H
#define SOLO_DEFERRED_QUEUE_H

#include <solo/deferred.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;

struct solo_deferred_queue;

typedef void (*solo_item_fn)(void *item, void *arg);

/*
 * Makes an empty one, in which at most size_max items and backlog_max getters wait; SIZE_MAX is no limit. -EINVAL,
 * -ENOMEM.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_queue_create(struct solo_reactor *reactor, size_t size_max,
                                                             size_t backlog_max,
                                                             struct solo_deferred_queue **ret_queue);

/*
 * Ends it: getters that wait fail with SOLO_ECLOSED, and drop(item, arg) is called for each item that nobody got, in
 * order. -EBUSY: there are such items, and drop is NULL. Accepts NULL.
 * Runs: drop on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_queue_destroy(struct solo_deferred_queue *queue, solo_item_fn drop,
                                                              void *arg);

/*
 * Gives the item to who waits first, whose callbacks run before this returns; if nobody does, it waits. SOLO_ELIMIT:
 * size_max items wait (Twisted: QueueOverflow). -ENOMEM.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_queue_put(struct solo_deferred_queue *queue, void *item);

/*
 * Gives a Deferred that fires with the next item as its value. Cancelled before that, it loses no item. SOLO_ELIMIT:
 * backlog_max getters wait (Twisted: QueueUnderflow). -ENOMEM.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_queue_get(struct solo_deferred_queue *queue,
                                                          struct solo_deferred **ret_deferred);

/* How many items wait. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_queue_size(struct solo_deferred_queue *queue, size_t *ret_size);

#ifdef __cplusplus
}
#endif
#endif
