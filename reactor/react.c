/* react.c - a whole program as one Deferred. All of it is on the stack of the one call. */
#include "deferred_internal.h"
#include "reactor_internal.h"
#include <solo/react.h>
#include <solo/signal.h>

struct program {
    struct solo_reactor *reactor;
    solo_program_fn fn;
    void *arg;
    struct solo_deferred *deferred; /* kept; NULL: over before it began */
    struct solo__pair_node node;    /* in its chain */
    bool has_result;
    int status;
};

/* The failure stays in the chain, so that nobody's is reported as such. */
static struct solo_result result_is_there(struct solo_result previous, void *arg)
{
    struct program *program = arg;
    program->has_result = true;
    program->status = previous.status;
    (void)solo_reactor_stop(program->reactor); /* it may be stopping already */
    return previous;
}

/* Cannot be: it is kept until the end. */
static void result_never_comes(void *arg)
{
    (void)arg;
}

static void begin(void *arg)
{
    struct program *program = arg;
    struct solo_deferred *deferred = program->fn(program->reactor, program->arg);
    if (deferred == NULL) {
        (void)solo_reactor_stop(program->reactor);
    } else if (!solo__deferred_is_alive(deferred) || !solo__deferred_take_over(deferred)) {
        program->status = -EINVAL;
        (void)solo_reactor_stop(program->reactor);
    } else {
        program->deferred = deferred;
        solo__deferred_append(deferred, &program->node, result_is_there, result_never_comes, program);
    }
}

/* Runs it to its end; returns the exit status. */
static int run(struct program *program)
{
    int number = 0, error = solo_reactor_call_when_running(program->reactor, begin, program, NULL);
    if (error == 0) {
        error = solo_reactor_run(program->reactor);
    }
    (void)solo_reactor_stop_signal(program->reactor, &number);
    if (program->deferred != NULL && !program->has_result) {
        solo__deferred_cancel(program->deferred);
        program->status = 0; /* what somebody else ended has not failed */
    }
    if (program->deferred != NULL) {
        solo__deferred_drop(program->deferred);
    }
    return error < 0 ? error : number != 0 ? 128 + number : program->status < 0 ? 1 : 0;
}

int solo_react(const struct solo_reactor_options *options, solo_program_fn fn, void *arg)
{
    struct solo_reactor_options with_signals = {0};
    if (fn == NULL) {
        return -EINVAL;
    }

    if (options != NULL) {
        with_signals = *options;
    }
    with_signals.stops_on_signals = true;
    struct program program = {.fn = fn, .arg = arg};
    int error = solo_reactor_create(&with_signals, &program.reactor);
    if (error < 0) {
        return error;
    }
    int status = run(&program);
    (void)solo_reactor_destroy(program.reactor);
    return status;
}
