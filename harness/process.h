/* process.h - a child process: started, watched, and never left behind. */
#ifndef SOLO__PROCESS_H
#define SOLO__PROCESS_H

#include "region.h"
#include <sys/types.h>

struct solo__watch {
    struct solo__region *region;           /* its outcome.number moves while all is well */
    uint64_t watchdog_ns;                  /* limit of one schedule; 0: none */
    int guest_fd;                          /* readable: call `serve`; -1: none */
    int (*serve)(int guest_fd, void *arg); /* negative: kill the child */
    void (*tick)(void *arg);               /* every now and then; may be NULL */
    void *arg;
};

/* Forks. In the child it returns 0, and the child dies with its parent. -1 and errno as fork. */
pid_t solo__process_fork(void);

/*
 * Waits until the child has ended; kills it when one schedule takes longer than the watchdog allows. Fills in the
 * outcome's signal, exit_status, exited and killed.
 */
void solo__process_watch(pid_t pid, const struct solo__watch *watch);

/*
 * Ends a child as a forked copy should: what it measured for its tools is kept, the parent's buffers are not written
 * again.
 */
void solo__process_leave(int status) __attribute__((noreturn));

uint64_t solo__wall_ns(void);

/* The signal that asks a child that hangs to say where it is. */
int solo__process_ask_signal(void);

#endif
