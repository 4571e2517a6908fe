/* process.h - a child process: started, watched, and never left behind. */
#ifndef SOLO__PROCESS_H
#define SOLO__PROCESS_H

#include "region.h"
#include <sys/types.h>

/* How long a child has made no progress. What this process was not awake itself (Ctrl-Z) is nobody's delay. */
struct solo__patience {
    uint64_t since_ns, awake_ns; /* when the last schedule began, and when the child was seen awake last */
    uint64_t looked_ns;          /* when this process looked last */
};

void solo__patience_begin(struct solo__patience *patience, uint64_t now_ns);
/*
 * Looks again: has a schedule ended since, and does the child do something? True: it has gone on for longer than the
 * watchdog allows, or sleeps for good.
 */
bool solo__patience_is_over(struct solo__patience *patience, uint64_t now_ns, bool went_on, bool is_awake,
                            uint64_t watchdog_ns);

struct solo__watch {
    struct solo__region *region;           /* its outcome.number moves while all is well */
    uint64_t watchdog_ns;                  /* limit of one schedule; 0: none */
    int life_fd;                           /* the line to the child: it says something there, or is gone */
    int guest_fd;                          /* readable: call `serve`; -1: none */
    int (*serve)(int guest_fd, void *arg); /* negative: kill the child */
    void (*tick)(void *arg);               /* every now and then; may be NULL */
    void *arg;
};

/*
 * Forks. In the child it returns 0, and the child dies with its parent. -1 and errno as fork. *ret_life_fd is the
 * process's end of a line between the two, which is closed when either is gone; NULL: none is wanted.
 */
pid_t solo__process_fork(int *ret_life_fd);

/* In the child: tells the parent that the schedule is done, and waits to be told to go on. False: it shall end. */
bool solo__process_report(int life_fd);

/* In the parent, to such a child. */
bool solo__process_go_on(int life_fd);

/*
 * Waits until the child has ended, and fills in the outcome's signal, exit_status, exited and killed; kills it when one
 * schedule takes longer than the watchdog allows. False: it lives, and has reported that its schedule is done.
 */
bool solo__process_watch(pid_t pid, const struct solo__watch *watch);

/*
 * Ends a child as a forked copy should: what it measured for its tools is kept, the parent's buffers are not written
 * again.
 */
void solo__process_leave(int status) __attribute__((noreturn));

uint64_t solo__wall_ns(void);

/* The signal that asks a child that hangs to say where it is. */
int solo__process_ask_signal(void);

#endif
