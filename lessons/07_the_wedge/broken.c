/*
 * blocker takes two numbers from a queue and prints their sum; unblocker puts two numbers into it. Both are jobs of one
 * pool. Its size is X, and X blockers are submitted before the unblockers.
 */
#include <solo/solo.h>
#include <stdio.h>

enum { POOL_SIZE = 2, NUMBERS_MAX = 16 };

/* A queue whose get waits until there is something to get. */
static struct solo_mutex *mutex;
static struct solo_condition *not_empty;
static int numbers[NUMBERS_MAX];
static int first, last;

static struct solo_reactor *reactor;
static int sums;

static void put(int number)
{
    (void)solo_mutex_lock(mutex);
    numbers[last++ % NUMBERS_MAX] = number;
    (void)solo_mutex_unlock(mutex);
    (void)solo_condition_signal(not_empty);
}

static int get(void)
{
    (void)solo_mutex_lock(mutex);
    while (first == last) {
        (void)solo_condition_wait(not_empty, mutex, SOLO_NEVER);
    }
    int number = numbers[first++ % NUMBERS_MAX];
    (void)solo_mutex_unlock(mutex);
    return number;
}

static SOLO_REACTOR_ONLY void summed(int status, void *arg)
{
    (void)status;
    (void)arg;
    solo_happened("sum printed");
    if (++sums == POOL_SIZE) {
        (void)solo_reactor_stop(reactor);
    }
}

static SOLO_POOL_ONLY void blocker(void *arg)
{
    (void)arg;
    int a = get();
    int b = get();
    printf("sum %d\n", a + b);
}

static SOLO_POOL_ONLY void unblocker(void *arg)
{
    (void)arg;
    put(1);
    put(2);
}

SOLO_SET_UP int main(void)
{
    struct solo_reactor_options options = {.pool_max = POOL_SIZE};
    solo_must_happen("sum printed", POOL_SIZE);
    if (solo_mutex_create(&mutex) < 0 || solo_condition_create(&not_empty) < 0 ||
        solo_reactor_create(&options, &reactor) < 0) {
        return 1;
    }
    for (int i = 0; i < POOL_SIZE; i++) {
        (void)solo_reactor_call_in_thread(reactor, blocker, NULL, summed);
    }
    for (int i = 0; i < POOL_SIZE; i++) {
        (void)solo_reactor_call_in_thread(reactor, unblocker, NULL, NULL);
    }
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
