/*
 * A thread that asks the reactor and waits for the answer: solo_blocking_call_from_thread runs get_page on the reactor
 * thread. get_page returns a Deferred, so the thread gets what that Deferred is fired with: a page, or a failure. At
 * the end the thread stops the reactor.
 */
#include <solo/solo.h>
#include <stdio.h>
#include <string.h>

#define MILLISECOND UINT64_C(1000000)

struct request {
    const char *url;
    struct solo_deferred *page;
};

static struct solo_reactor *reactor;

static SOLO_REACTOR_ONLY void page_arrived(void *arg)
{
    struct request *request = arg;
    int missing = strcmp(request->url, "/missing") == 0;
    (void)solo_deferred_fire(request->page, missing ? solo_failure(-ENOENT) : solo_value("<h1>hello</h1>"));
}

/* Runs on the reactor thread and returns at once: the page comes later. */
static SOLO_REACTOR_ONLY struct solo_result get_page(void *arg)
{
    struct request *request = arg;
    if (solo_deferred_create(reactor, NULL, NULL, &request->page) < 0 ||
        solo_reactor_call_later(reactor, 20 * MILLISECOND, page_arrived, request, NULL, NULL) < 0) {
        return solo_failure(-ENOMEM);
    }
    return solo_wait_for(request->page);
}

static SOLO_POOL_ONLY void in_thread(void *arg)
{
    const char *urls[] = {"/", "/missing"};
    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        struct request request = {urls[i], NULL};
        void *page;
        int error = solo_blocking_call_from_thread(reactor, get_page, &request, &page);
        if (error < 0) {
            printf("%s: %s\n", urls[i], solo_error_text(error));
            solo_happened("error branch taken");
        } else {
            printf("%s: %s\n", urls[i], (const char *)page);
            solo_happened("page fetched");
        }
    }
    (void)solo_reactor_stop(reactor);
}

SOLO_SET_UP int main(void)
{
    solo_must_happen("page fetched", 1);
    solo_must_happen("error branch taken", 1);
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    (void)solo_reactor_call_in_thread(reactor, in_thread, NULL, NULL);
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
