/*
 * program_children.h - the fork server's children: one for each schedule, forked ahead and buried later.
 *
 * A child waits at its line until it is let go, so the next one can be forked while another runs. One that has said
 * that its schedule is over still has to be taken down by the system, which takes about as long as the schedule did:
 * nobody waits for that.
 */
#ifndef SOLO__PROGRAM_CHILDREN_H
#define SOLO__PROGRAM_CHILDREN_H

#include "region.h"
#include <sys/types.h>

/* The server's end of a child. */
struct solo__child {
    pid_t pid; /* 0: there is none */
    int line;
};

/*
 * Once in the server. Children have their line at the same descriptor, so that those of the program are the same in
 * each; control_fd is none of their business.
 */
void solo__children_begin(int control_fd);

/* Forks a child that waits. True: this is the child, and it was let go. pid -1: errno says why. */
bool solo__children_fork(struct solo__child *ret_child);

/* The schedule of this child begins. False: it is not there any more. */
bool solo__children_let_go(const struct solo__child *child);

/* Waits until its schedule is over, however it ends, and forgets it. watchdog_ns 0: as long as it takes. */
void solo__children_watch(struct solo__child *child, struct solo__region *region, uint64_t watchdog_ns);

/* It is not needed. */
void solo__children_drop(struct solo__child *child);

/* In a child: its schedule is over, all of it is in the region, and it writes nothing any more. It ends at once. */
void solo__children_say_done(int status) __attribute__((noreturn));

#endif
