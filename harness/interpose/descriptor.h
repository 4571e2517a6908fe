/*
 * descriptor.h - descriptors through which the program's own threads meet: pipes, socket pairs, eventfd, timerfd,
 * epoll.
 *
 * They are real, so the kernel keeps their state and their rules. Only waiting is done here: all of them are
 * non-blocking beneath, and a call that would have blocked waits in the simulated world until another thread's call has
 * made the descriptor ready. Whoever changes the state of one looks, with a real poll that does not wait, which waiters
 * can go on.
 */
#ifndef SOLO__INTERPOSE_DESCRIPTOR_H
#define SOLO__INTERPOSE_DESCRIPTOR_H

#include "interpose.h"
#include <poll.h>

enum { INTERPOSE_DESCRIPTORS_MAX = 4096 };

struct interpose_timer {
    clockid_t clock;
    uint64_t due_ns;      /* SOLO_NEVER: not armed */
    uint64_t interval_ns; /* 0: once */
};

struct interpose_descriptor {
    uint32_t id;      /* of its object; 0: not one of ours. Both ends of a pair have the same */
    uint32_t watcher; /* of the epoll that watches it, 0: none */
    bool nonblocking; /* as the program sees it */
    bool is_epoll;
    struct interpose_timer *timer; /* of a timerfd */
};

/* NULL: the kernel may do with it what it likes. */
struct interpose_descriptor *interpose_descriptor(int fd);

/* Takes note of a descriptor that the kernel just made, non-blocking. Returns fd. */
int interpose_descriptor_add(int fd, uint32_t id, bool nonblocking);

/* A program is about to use it: announces that, and to who watches it. */
void interpose_descriptor_announce(struct solo_world *world, enum solo_probe_kind kind, enum solo_access access, int fd,
                                   uint64_t value);

/* Something became readable, writable or closed: wakes who can go on. */
void interpose_descriptors_changed(struct solo_world *world);

/* Waits until one is ready (then > 0) or until deadline_ns (0). `object`: what is said to be waited for. */
int interpose_descriptors_wait(struct solo_world *world, struct pollfd *fds, nfds_t count, uint32_t object,
                               uint64_t deadline_ns);

/* Lets timers go off that are due. */
void interpose_timers_fire(struct solo_world *world);

#endif
