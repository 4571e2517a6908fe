/*
 * The helper of the last lesson, wanted from a callback. A callback already is on the reactor thread: it does not wait,
 * it adds what is to happen next to the Deferred and returns.
 */
#include <solo/solo.h>
#include <stdio.h>

#define MILLISECOND UINT64_C(1000000)

static struct solo_reactor *reactor;

static SOLO_REACTOR_ONLY void page_arrived(void *arg)
{
    (void)solo_deferred_fire(arg, solo_value("<h1>hello</h1>"));
}

static SOLO_REACTOR_ONLY struct solo_result get_page(void *arg)
{
    struct solo_deferred *page;
    (void)arg;
    if (solo_deferred_create(reactor, NULL, NULL, &page) < 0 ||
        solo_reactor_call_later(reactor, 20 * MILLISECOND, page_arrived, page, NULL, NULL) < 0) {
        return solo_failure(-ENOMEM);
    }
    return solo_wait_for(page);
}

static SOLO_REACTOR_ONLY struct solo_result show(struct solo_result result, void *arg)
{
    printf("%s\n", (const char *)result.value);
    solo_happened("page shown");
    (void)solo_deferred_release(arg); /* ours until it has fired */
    (void)solo_reactor_stop(reactor);
    return result;
}

static SOLO_REACTOR_ONLY void button_pressed(void *arg)
{
    struct solo_deferred *page = get_page(arg).wait_for;
    if (page != NULL) {
        (void)solo_deferred_add(page, show, NULL, page);
    }
}

SOLO_SET_UP int main(void)
{
    solo_must_happen("page shown", 1);
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    (void)solo_reactor_call_when_running(reactor, button_pressed, NULL, NULL);
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
