/*
 * leak.c - two threads hand a block of memory to whoever comes last: where the second looks before the first has let
 * go, nobody frees it.
 *
 * usage: leak [fixed]
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users = 2;
static char *block;
static bool fixed;

static void *let_go(void *arg)
{
    pthread_mutex_lock(&lock);
    bool last = users == 1;
    if (!fixed) {
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
    }
    users--;
    pthread_mutex_unlock(&lock);
    if (last) {
        free(block);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    block = malloc(100);
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, let_go, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    block = NULL;
    return 0;
}
