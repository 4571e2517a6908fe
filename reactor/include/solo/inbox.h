/*
 * inbox.h - a queue of the program's own, for which a loop of its own sleeps: so that a lost wake-up is found.
 *
 * The kit knows of its own reactor when work is queued and no wake-up is on its way (SOLO014). Of a loop that the
 * program wrote, on an eventfd, a pipe, a condition or libuv, it sees only who sleeps. Where the program says what it
 * does, in six places, a lost wake-up is found at the very step that loses it, in world sim, and the loop need not stay
 * asleep for it:
 *
 *     solo_inbox_say(&inbox, SOLO_INBOX_GIVING, 0);        who queues, on any thread
 *     push(work);
 *     solo_inbox_say(&inbox, SOLO_INBOX_WAKING, 0);        only if it wakes the loop
 *     write(eventfd, ...);
 *     solo_inbox_say(&inbox, SOLO_INBOX_GIVEN, 1);
 *
 *     solo_inbox_say(&inbox, SOLO_INBOX_SLEEPING, 0);      the loop
 *     epoll_wait(...);
 *     solo_inbox_say(&inbox, SOLO_INBOX_WOKEN, 0);
 *     read(eventfd, ...);
 *     taken = pop_all();
 *     solo_inbox_say(&inbox, SOLO_INBOX_TAKEN, taken);
 *
 * Nothing here queues or wakes. A program that is not linked with libsolo can say it too: with SOLO_INBOX_WEAK defined
 * before this header is included, solo_inbox_say is NULL unless the explorer runs the program.
 */
#ifndef SOLO_INBOX_H
#define SOLO_INBOX_H

#include <solo/contract.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Put one beside the queue. Zero it before it is used first, in each schedule. */
struct solo_inbox {
    uint32_t object; /* id for reports, given at first use */
    uint32_t reserved;
};

enum solo_inbox_step {
    SOLO_INBOX_GIVING = 1, /* the caller is about to queue something */
    SOLO_INBOX_WAKING,     /* and about to wake the loop */
    SOLO_INBOX_GIVEN,      /* it has queued `count` pieces of work, and woken the loop if it wanted to */
    SOLO_INBOX_SLEEPING,   /* the loop has looked at the queue, and is about to sleep until it is woken */
    SOLO_INBOX_WOKEN,      /* it is awake, and about to take back the wake-ups that were sent so far */
    SOLO_INBOX_TAKEN,      /* it has taken `count` pieces of work */
    SOLO_INBOX_STEPS
};

#ifdef SOLO_INBOX_WEAK
#pragma weak solo_inbox_say
#endif

/*
 * States a step of the protocol above; count is of GIVEN and TAKEN, 0 otherwise. A scheduling point in world sim: other
 * threads may run before it returns. SOLO014 if this step leaves work in the queue of a loop that sleeps while nobody
 * is giving and no wake-up is on its way; with several who queue, the last of them is meant. A loop that sleeps with a
 * time limit does not say SLEEPING. A NULL inbox or an unknown step says nothing. At most 16 inboxes are watched.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_inbox_say(struct solo_inbox *inbox, enum solo_inbox_step step, unsigned count);

#ifdef __cplusplus
}
#endif
#endif
