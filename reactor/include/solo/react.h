/*
 * react.h - a whole program as one Deferred: run a reactor until it has a result.
 *
 *     static SOLO_REACTOR_ONLY struct solo_deferred *program(struct solo_reactor *reactor, void *arg);
 *     int main(void) { return solo_react(NULL, program, NULL); }
 *
 * Exit status: 0 after a value, 1 after a failure, 128 + the signal's number if SIGINT or SIGTERM stopped it.
 *
 * Source: Twisted's task.react.
 */
#ifndef SOLO_REACT_H
#define SOLO_REACT_H

#include <solo/deferred.h>
#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The program: called once, on the running reactor. Its Deferred belongs to solo_react; NULL: it is over already. */
typedef struct solo_deferred *(*solo_program_fn)(struct solo_reactor *reactor, void *arg);

/*
 * Makes a reactor, runs it, calls `program`, stops the reactor in order when the program's Deferred has a result, and
 * destroys it. Returns the exit status; a failure that the program did not handle is reported (SOLO008). If somebody
 * else stops or crashes the reactor, the Deferred is cancelled: 0, if that was not a signal. SIGINT and SIGTERM stop
 * it, also where `options` do not say so; `options` may be NULL. Negative: there was no reactor to run, for the reasons
 * of solo_reactor_create; -EINVAL: program is NULL.
 * Blocks.
 * Runs: program on the reactor thread.
 */
SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_react(const struct solo_reactor_options *options, solo_program_fn program,
                                               void *arg);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_react(options, program, arg)                                                                              \
    (SOLO__RUNS_ON_REACTOR(solo_program_fn, program, (struct solo_reactor *)0, (void *)0),                             \
     solo_react(options, program, arg))
#endif

#ifdef __cplusplus
}
#endif
#endif
