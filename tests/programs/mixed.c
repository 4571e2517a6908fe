/*
 * mixed.c - a program that uses both: a reactor of libsolo, and threads and a lock of the C library.
 *
 * Two pthreads add to a counter and tell the reactor when they are done. Reading under the lock and writing back under
 * the lock again loses an update; one section does not.
 *
 * usage: mixed [fixed]
 */
#include <pthread.h>
#include <solo/solo.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;
static bool fixed;
static struct solo_reactor *reactor;
static pthread_t threads[2];
static unsigned done; /* on the reactor thread */

static SOLO_REACTOR_ONLY void note_done(void *arg)
{
    (void)arg;
    if (++done == 2) {
        (void)solo_reactor_stop(reactor);
    }
}

static void *add(void *arg)
{
    pthread_mutex_lock(&lock);
    int seen = counter;
    if (!fixed) {
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
    }
    counter = seen + 1;
    pthread_mutex_unlock(&lock);
    (void)solo_reactor_call_from_thread(reactor, note_done, NULL, NULL);
    return arg;
}

static SOLO_REACTOR_ONLY void start(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, add, NULL);
    }
}

SOLO_SET_UP int main(int argc, char **argv)
{
    fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    if (solo_reactor_create(NULL, &reactor) < 0 || solo_reactor_call_when_running(reactor, start, NULL, NULL) < 0 ||
        solo_reactor_run(reactor) < 0) {
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    (void)solo_reactor_destroy(reactor);
    printf("the counter is %d\n", counter);
    return counter == 2 ? 0 : 1;
}
