/*
 * signal.h - the process's signals, as callbacks on the reactor thread.
 *
 * A signal interrupts whichever thread happens to run, where hardly any function may be called. Here the reactor's poll
 * reports it, and its callback is one like any other: in the I/O step of a pass, with nothing else under way. Several
 * of one number that come before the callback has run count as one.
 *
 * Each number has one reactor of the process at a time, whoever asks first; while it is watched, what was set up for it
 * before has no effect, and afterwards is restored. In world os that is a handler for the process; children that are
 * forked and not executed share it. In world sim a signal comes from solo_signal_raise or from a peer's line
 * `signal INT`; one that nobody watches has no effect there.
 *
 * solo_reactor_options.stops_on_signals makes SIGINT and SIGTERM ask for an orderly stop. By convention a program that
 * was stopped so ends with 128 + the signal's number, as it would have without a handler: see
 * solo_reactor_stop_signal.
 *
 * Source: Twisted's _SignalReactorMixin; the descriptor that the handler writes to is D. J. Bernstein's self-pipe
 * trick.
 */
#ifndef SOLO_SIGNAL_H
#define SOLO_SIGNAL_H

#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*solo_signal_fn)(int number, void *arg);

/*
 * From now on fn(number, arg) is called on the reactor thread after the signal has come. -EBUSY: some reactor watches
 * it already. -EINVAL: fn is NULL, or the signal cannot be caught. -ENOMEM, -EMFILE. SOLO_ECLOSING: it has stopped.
 * Instead: solo_reactor_call_from_thread with a function that adds it
 * Runs: fn on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_add_signal(struct solo_reactor *reactor, int number, solo_signal_fn fn,
                                                          void *arg);

/* From when it returns fn is not called again, and the signal does what it did before. -ENOENT: it is not watched. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_remove_signal(struct solo_reactor *reactor, int number);

/*
 * The signal that asked the reactor to stop (see stops_on_signals), 0 if none did. -EINVAL: ret_number is NULL. For the
 * exit status: 128 + number.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_stop_signal(struct solo_reactor *reactor, int *ret_number);

/* Sends the signal to this process; in a simulation, to the schedule. -EINVAL: there is no such signal. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_signal_raise(int number);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_reactor_add_signal(reactor, number, fn, arg)                                                              \
    (SOLO__RUNS_ON_REACTOR(solo_signal_fn, fn, 0, (void *)0), solo_reactor_add_signal(reactor, number, fn, arg))
#endif

#ifdef __cplusplus
}
#endif
#endif
