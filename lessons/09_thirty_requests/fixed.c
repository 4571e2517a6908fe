/*
 * Thirty requests on one connection whose blocking API wants them one at a time. A worker of its own does them in
 * order, with no lock, and each tells the reactor when it is done. The pool stays free for the host name.
 */
#include <solo/solo.h>
#include <stdio.h>

enum { REQUESTS = 30 };
#define MILLISECOND UINT64_C(1000000)

static struct solo_reactor *reactor;
static int answered;

static SOLO_REACTOR_ONLY void request_done(void *arg)
{
    (void)arg;
    solo_happened("request answered");
    if (++answered == REQUESTS) {
        (void)solo_reactor_stop(reactor);
    }
}

/* Runs on the connection's own worker. */
static void request(void *arg)
{
    (void)arg;
    solo_sleep(10 * MILLISECOND); /* the blocking call */
    (void)solo_reactor_call_from_thread(reactor, request_done, NULL, NULL);
}

static SOLO_POOL_ONLY void look_up_name(void *arg)
{
    (void)arg;
    solo_sleep(5 * MILLISECOND);
}

static SOLO_REACTOR_ONLY void name_found(int status, void *arg)
{
    (void)status;
    (void)arg;
    printf("name found after %d of %d requests\n", answered, REQUESTS);
    solo_happened("name found");
}

SOLO_SET_UP int main(void)
{
    struct solo_worker *connection;
    solo_must_happen("request answered", REQUESTS);
    solo_must_happen("name found", 1);
    if (solo_thread_worker_create(&connection) < 0 || solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    for (int i = 0; i < REQUESTS; i++) {
        (void)solo_worker_do(connection, request, NULL, NULL);
    }
    (void)solo_reactor_call_in_thread(reactor, look_up_name, NULL, name_found);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    return solo_worker_destroy(connection) < 0;
}
