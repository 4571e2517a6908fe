/*
 * used.c - one thread lets go of a block of memory that another still uses, each under the lock: who comes first
 * decides.
 *
 * usage: used [fixed]
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *block;
static bool fixed;

static void *use(void *arg)
{
    pthread_mutex_lock(&lock);
    if (block != NULL) {
        block[0]++;
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *let_go(void *arg)
{
    pthread_mutex_lock(&lock);
    free(block);
    if (fixed) {
        block = NULL;
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t user, other;
    fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    block = calloc(1, 10);
    pthread_create(&user, NULL, use, NULL);
    pthread_create(&other, NULL, let_go, NULL);
    pthread_join(user, NULL);
    pthread_join(other, NULL);
    return 0;
}
