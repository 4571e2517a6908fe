/*
 * signal.c - signals of the process as callbacks, and the two that stop a reactor.
 *
 * A signal that is watched is a watch whose key the poll reports; the world sees to the rest. The two that stop are let
 * go of as soon as one of them has come: who sends a second one means it.
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"
#include <solo/signal.h>

struct solo__signal {
    struct solo__watch watch; /* first; its descriptor is the signal's number */
    struct solo__signal *next;
    struct solo_reactor *reactor;
    solo_signal_fn fn;
    void *arg;
    struct solo__provenance provenance;
};

static void serve(struct solo__watch *watch, uint32_t ready)
{
    struct solo__signal *signal = (struct solo__signal *)watch;
    struct solo_reactor *reactor = signal->reactor;
    struct solo_thread *self = solo__self;
    const struct solo__provenance *outer_work = self->work;
    struct solo__provenance provenance = signal->provenance; /* the callback may remove it */
    (void)ready;
    solo__callback_begin(reactor, provenance.object);
    self->work = &provenance;
    signal->fn(signal->watch.fd, signal->arg);
    self->work = outer_work;
    solo__callback_end(reactor, provenance.object);
}

static int add(struct solo_reactor *reactor, int number, solo_signal_fn fn, void *arg, void *frame,
               void *return_address)
{
    struct solo_world *world = reactor->world;
    struct solo__signal *signal = world->memory->allocate(world, sizeof *signal);
    if (signal == NULL) {
        return -ENOMEM;
    }
    SOLO_ANNOTATE_PRIVATE(signal, sizeof *signal);
    signal->watch = (struct solo__watch){number, SOLO_READABLE, serve};
    signal->reactor = reactor;
    signal->fn = fn;
    signal->arg = arg;
    int error = world->poll->watch_signal(world, reactor->poller, number, true, (uintptr_t)&signal->watch);
    if (error < 0) {
        world->memory->release(world, signal);
        return error;
    }
    solo__provenance_take(&signal->provenance, solo__object_next_id(world, SOLO__READER), frame, return_address);
    signal->next = reactor->signals;
    reactor->signals = signal;
    return 0;
}

static void end(struct solo__signal **link)
{
    struct solo__signal *signal = *link;
    struct solo_reactor *reactor = signal->reactor;
    struct solo_world *world = reactor->world;
    *link = signal->next;
    (void)world->poll->watch_signal(world, reactor->poller, signal->watch.fd, false, 0);
    solo__reactor_forget_ready(reactor, &signal->watch);
    world->memory->release(world, signal);
}

static struct solo__signal **find(struct solo_reactor *reactor, int number)
{
    struct solo__signal **link = &reactor->signals;
    while (*link != NULL && (*link)->watch.fd != number) {
        link = &(*link)->next;
    }
    return link;
}

void solo__signals_end(struct solo_reactor *reactor)
{
    while (reactor->signals != NULL) {
        end(&reactor->signals);
    }
}

/* ---- The signals that stop ---- */

static void stop_on(int number, void *arg)
{
    struct solo_reactor *reactor = arg;
    if (solo_reactor_stop(reactor) == 0) {
        reactor->stop_signal = number;
    }
    solo__signals_end_stopping(reactor);
}

void solo__signals_begin_stopping(struct solo_reactor *reactor)
{
    if (reactor->stops_on_signals) {
        void *here = __builtin_return_address(0);
        /* Whoever came first keeps them; so does a program that added one of them itself. */
        (void)add(reactor, SOLO_SIGINT, stop_on, reactor, __builtin_frame_address(0), here);
        (void)add(reactor, SOLO_SIGTERM, stop_on, reactor, __builtin_frame_address(0), here);
    }
}

void solo__signals_end_stopping(struct solo_reactor *reactor)
{
    static const int numbers[] = {SOLO_SIGINT, SOLO_SIGTERM};
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct solo__signal **link = find(reactor, numbers[i]);
        if (*link != NULL && (*link)->fn == stop_on) {
            end(link);
        }
    }
}

/* ---- The public functions ---- */

int solo_reactor_add_signal(struct solo_reactor *reactor, int number, solo_signal_fn fn, void *arg)
{
    SOLO__LIVE_OBJECT(solo_reactor_add_signal, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_add_signal, &reactor->owner, reactor);
    if (fn == NULL) {
        return -EINVAL;
    }
    if (solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }

    return add(reactor, number, fn, arg, __builtin_frame_address(0), __builtin_return_address(0));
}

int solo_reactor_remove_signal(struct solo_reactor *reactor, int number)
{
    SOLO__LIVE_OBJECT(solo_reactor_remove_signal, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_remove_signal, &reactor->owner, reactor);
    struct solo__signal **link = find(reactor, number);
    if (*link == NULL) {
        return -ENOENT;
    }

    end(link);
    return 0;
}

int solo_reactor_stop_signal(struct solo_reactor *reactor, int *ret_number)
{
    SOLO__LIVE_OBJECT(solo_reactor_stop_signal, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_stop_signal, &reactor->owner, reactor);
    if (ret_number == NULL) {
        return -EINVAL;
    }

    *ret_number = reactor->stop_signal;
    return 0;
}

int solo_signal_raise(int number)
{
    struct solo_world *world = solo_world_current();
    if (number < 1 || number > SOLO_SIGNAL_MAX) {
        return -EINVAL;
    }

    solo__announce(world, SOLO_PROBE_SIGNAL_SENT, SOLO_ACCESS_WRITE, 0, (uint64_t)number);
    return world->poll->raise_signal(world, number);
}
