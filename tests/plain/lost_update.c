/*
 * lost_update.c - two threads add to a counter. Reading it under the lock and writing it back under the lock again
 * loses an update; one section does not.
 *
 * usage: lost_update [fixed]
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *add_in_two_sections(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    int seen = counter;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
    counter = seen + 1;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *add_in_one(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    counter++;
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(int argc, char **argv)
{
    void *(*add)(void *) = argc > 1 && strcmp(argv[1], "fixed") == 0 ? add_in_one : add_in_two_sections;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, add, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("the counter is %d\n", counter);
    return counter == 2 ? 0 : 1;
}
