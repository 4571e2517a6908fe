/*
 * deadlock.c - two threads take two locks. In opposite orders they can end up waiting for each other.
 *
 * usage: deadlock [fixed]
 */
#include <pthread.h>
#include <string.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;

static void take_both(pthread_mutex_t *a, pthread_mutex_t *b)
{
    pthread_mutex_lock(a);
    pthread_mutex_lock(b);
    pthread_mutex_unlock(b);
    pthread_mutex_unlock(a);
}

static void *in_order(void *arg)
{
    (void)arg;
    take_both(&first, &second);
    return NULL;
}

static void *in_opposite_order(void *arg)
{
    (void)arg;
    take_both(&second, &first);
    return NULL;
}

int main(int argc, char **argv)
{
    int fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    pthread_t one, other;
    pthread_create(&one, NULL, in_order, NULL);
    pthread_create(&other, NULL, fixed ? in_order : in_opposite_order, NULL);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    return 0;
}
