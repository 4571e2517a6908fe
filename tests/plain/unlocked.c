/*
 * unlocked.c - two threads add to a counter without a lock; or with an atomic addition.
 *
 * usage: unlocked [fixed]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static int plain;
static atomic_int counted;
static int fixed;

static void *add(void *arg)
{
    if (fixed) {
        atomic_fetch_add(&counted, 1);
    } else {
        plain++;
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, add, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    return plain + atomic_load(&counted) == 2 ? 0 : 1;
}
