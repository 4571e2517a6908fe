/*
 * Thirty look-ups and a pool of ten. The pool is asked how it does, and the worker that finds it too small makes it
 * larger.
 */
#include <solo/solo.h>
#include <stdio.h>

enum { LOOKUPS = 30 };
#define MILLISECOND UINT64_C(1000000)

static struct solo_reactor *reactor;
static int looked_up;

static void print_pool(const char *when)
{
    struct solo_pool *pool;
    struct solo_pool_statistics now;
    if (solo_reactor_get_thread_pool(reactor, &pool) == 0 && solo_pool_get_statistics(pool, &now) == 0) {
        printf("%s: at least %u, at most %u workers\n", when, now.min, now.max);
    }
}

static SOLO_POOL_ONLY void suggest_thirty(void)
{
    if (solo_reactor_suggest_thread_pool_size(reactor, LOOKUPS) == 0) {
        print_pool("after");
        solo_happened("pool resized");
    }
}

static SOLO_POOL_ONLY void look_up(void *arg)
{
    if (arg != NULL) { /* the first one finds that it takes long */
        suggest_thirty();
    }
    solo_sleep(100 * MILLISECOND);
}

static SOLO_REACTOR_ONLY void done(int status, void *arg)
{
    (void)status;
    (void)arg;
    if (++looked_up == LOOKUPS) {
        (void)solo_reactor_stop(reactor);
    }
}

SOLO_SET_UP int main(void)
{
    solo_must_happen("pool resized", 1);
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    print_pool("before");
    for (int i = 0; i < LOOKUPS; i++) {
        (void)solo_reactor_call_in_thread(reactor, look_up, i == 0 ? &looked_up : NULL, done);
    }
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
