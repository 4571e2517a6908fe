/*
 * A method that blocks for two seconds, and a heartbeat that should not notice. The method runs right where it is
 * called: on the reactor thread.
 */
#include <solo/solo.h>
#include <stdio.h>

#define SECOND UINT64_C(1000000000)

static struct solo_reactor *reactor;
static int beats;

static SOLO_REACTOR_ONLY void heartbeat(void *arg)
{
    (void)arg;
    printf("beat %d\n", ++beats);
    if (beats < 5) {
        (void)solo_reactor_call_later(reactor, SECOND / 2, heartbeat, NULL, NULL, NULL);
    } else {
        (void)solo_reactor_stop(reactor);
    }
}

/* The blocking API that this lesson is about: it sleeps, and nothing can be done about that. */
static SOLO_REACTOR_ONLY void silly_blocking_method(void *arg)
{
    solo_sleep(2 * SECOND);
    printf("%s\n", (const char *)arg);
    solo_happened("the blocking method ran");
}

static SOLO_REACTOR_ONLY void begin(void *arg)
{
    (void)arg;
    (void)solo_reactor_call_later(reactor, SECOND / 2, heartbeat, NULL, NULL, NULL);
    silly_blocking_method("2 seconds have passed");
}

SOLO_SET_UP int main(void)
{
    solo_must_happen("the blocking method ran", 1);
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    (void)solo_reactor_call_when_running(reactor, begin, NULL, NULL);
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
