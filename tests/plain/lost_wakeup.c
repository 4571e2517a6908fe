/*
 * lost_wakeup.c - a thread waits until another says that it is ready. A signal that comes before the wait is lost,
 * unless the waiter looks at the flag under the lock first.
 *
 * usage: lost_wakeup [fixed]
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool ready;
static bool looks_first;

static void *say_so(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    ready = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    looks_first = argc > 1 && strcmp(argv[1], "fixed") == 0;
    pthread_create(&thread, NULL, say_so, NULL);
    pthread_mutex_lock(&lock);
    if (!looks_first) {
        pthread_cond_wait(&changed, &lock);
    }
    while (!ready) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    return 0;
}
