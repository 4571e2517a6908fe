/*
 * readers.c - two threads read under one lock. The first waits under it for what main does when it has written, and
 * main wants to write: a deadlock, unless the first lets go before it waits.
 *
 * usage: readers [fixed]
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static sem_t reading, written;
static int fixed;

static void *read_and_wait(void *arg)
{
    pthread_rwlock_rdlock(&shared);
    sem_post(&reading);
    if (fixed) {
        pthread_rwlock_unlock(&shared);
    }
    sem_wait(&written);
    if (!fixed) {
        pthread_rwlock_unlock(&shared);
    }
    return arg;
}

static void *read_once(void *arg)
{
    pthread_rwlock_rdlock(&shared);
    pthread_rwlock_unlock(&shared);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t one, other;
    fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    sem_init(&reading, 0, 0);
    sem_init(&written, 0, 0);
    pthread_create(&one, NULL, read_and_wait, NULL);
    sem_wait(&reading);
    pthread_create(&other, NULL, read_once, NULL);
    pthread_join(other, NULL);
    pthread_rwlock_wrlock(&shared);
    pthread_rwlock_unlock(&shared);
    sem_post(&written);
    pthread_join(one, NULL);
    return 0;
}
