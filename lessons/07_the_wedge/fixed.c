/*
 * The same sums without a job that waits for another job. A job makes a pair of numbers; when it has ended, the reactor
 * submits the job that adds them. Each job can end by itself, so a pool of any size, even one, gets through.
 */
#include <solo/solo.h>
#include <stdio.h>

enum { POOL_SIZE = 2 };

struct pair {
    int a, b;
};

static struct solo_reactor *reactor;
static struct pair pairs[POOL_SIZE];
static int sums;

static SOLO_REACTOR_ONLY void summed(int status, void *arg)
{
    (void)status;
    (void)arg;
    solo_happened("sum printed");
    if (++sums == POOL_SIZE) {
        (void)solo_reactor_stop(reactor);
    }
}

static SOLO_POOL_ONLY void add(void *arg)
{
    const struct pair *pair = arg;
    printf("sum %d\n", pair->a + pair->b);
}

static SOLO_POOL_ONLY void make_pair(void *arg)
{
    struct pair *pair = arg;
    pair->a = 1;
    pair->b = 2;
}

static SOLO_REACTOR_ONLY void pair_made(int status, void *arg)
{
    if (status == 0) {
        (void)solo_reactor_call_in_thread(reactor, add, arg, summed);
    }
}

SOLO_SET_UP int main(void)
{
    struct solo_reactor_options options = {.pool_max = POOL_SIZE};
    solo_must_happen("sum printed", POOL_SIZE);
    if (solo_reactor_create(&options, &reactor) < 0) {
        return 1;
    }
    for (int i = 0; i < POOL_SIZE; i++) {
        (void)solo_reactor_call_in_thread(reactor, make_pair, &pairs[i], pair_made);
    }
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
