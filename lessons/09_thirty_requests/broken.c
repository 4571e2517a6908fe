/*
 * Thirty requests on one connection whose blocking API wants them one at a time. Each is a job of the pool, and the
 * jobs share a lock. Meanwhile somebody wants a host name looked up, which the pool does too.
 */
#include <solo/solo.h>
#include <stdio.h>

enum { REQUESTS = 30 };
#define MILLISECOND UINT64_C(1000000)

static struct solo_reactor *reactor;
static struct solo_mutex *connection;
static int answered;

static SOLO_POOL_ONLY void request(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(connection);
    solo_sleep(10 * MILLISECOND); /* the blocking call */
    (void)solo_mutex_unlock(connection);
}

static SOLO_REACTOR_ONLY void request_done(int status, void *arg)
{
    (void)status;
    (void)arg;
    solo_happened("request answered");
    if (++answered == REQUESTS) {
        (void)solo_reactor_stop(reactor);
    }
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
    solo_must_happen("request answered", REQUESTS);
    solo_must_happen("name found", 1);
    if (solo_mutex_create(&connection) < 0 || solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    for (int i = 0; i < REQUESTS; i++) {
        (void)solo_reactor_call_in_thread(reactor, request, NULL, request_done);
    }
    (void)solo_reactor_call_in_thread(reactor, look_up_name, NULL, name_found);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    return solo_mutex_destroy(connection) < 0;
}
