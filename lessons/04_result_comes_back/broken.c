/*
 * A long calculation in the pool, and its result back on the reactor thread: so it was meant. The worker fires the
 * Deferred itself, and a Deferred runs its callbacks in whichever thread fires it.
 */
#include <solo/solo.h>
#include <stdio.h>

static struct solo_reactor *reactor;

static SOLO_POOL_ONLY void do_long_calculation(void *arg)
{
    struct solo_deferred *deferred = arg;
    static int three = 3;
    (void)solo_deferred_fire(deferred, solo_value(&three));
}

static SOLO_REACTOR_ONLY struct solo_result print_result(struct solo_result result, void *arg)
{
    (void)arg;
    printf("the result is %d\n", *(int *)result.value);
    solo_happened("result printed");
    (void)solo_reactor_stop(reactor);
    return result;
}

static SOLO_REACTOR_ONLY void begin(void *arg)
{
    struct solo_deferred *deferred;
    (void)arg;
    if (solo_deferred_create(reactor, NULL, NULL, &deferred) == 0) {
        (void)solo_deferred_add(deferred, print_result, NULL, NULL);
        (void)solo_reactor_call_in_thread(reactor, do_long_calculation, deferred, NULL);
    }
}

SOLO_SET_UP int main(void)
{
    solo_must_happen("result printed", 1);
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    (void)solo_reactor_call_when_running(reactor, begin, NULL, NULL);
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
