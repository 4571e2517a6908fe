/*
 * A long calculation in the pool, and its result back on the reactor thread. solo_defer_to_thread gives a Deferred at
 * once; the reactor fires it with the result, so print_result runs where callbacks belong.
 */
#include <solo/solo.h>
#include <stdio.h>

static struct solo_reactor *reactor;

static SOLO_POOL_ONLY struct solo_result do_long_calculation(void *arg)
{
    (void)arg;
    static int three = 3;
    return solo_value(&three);
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
    if (solo_defer_to_thread(reactor, do_long_calculation, NULL, &deferred) == 0) {
        (void)solo_deferred_add(deferred, print_result, NULL, NULL);
        (void)solo_deferred_release(deferred);
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
