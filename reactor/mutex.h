/*
 * mutex.h - the mutex of solo/thread.h, for the condition that has to let go of one and take it again.
 *
 * `lock` is a leaf and guards all other fields; nobody holds it while a program's code runs. The mutex is free while
 * holder is NULL. Unlocking frees it and wakes one waiter, which then has to take it like anybody else.
 */
#ifndef SOLO__MUTEX_H
#define SOLO__MUTEX_H

#include "self.h"

struct solo_mutex {
    struct solo__object object;
    struct solo_lock lock;
    struct solo_gate gate;
    struct solo_thread *holder;
    struct solo_wait why; /* of everybody who waits here; its holder is kept up to date */
    uint32_t waiters;
};

/* Takes it, waiting as long as it takes. -EDEADLK: the caller holds it. Announces LOCKED, but not LOCK. */
int solo__mutex_take(struct solo_mutex *mutex);

/* Lets go of it. -EPERM: the caller does not hold it. Announces UNLOCK, which is no scheduling point. */
int solo__mutex_give(struct solo_mutex *mutex);

#endif
