/*
 * spin.c - a thread waits for a flag, and for a lock made of one, by looking again and again. A lock that is tested and
 * then set lets two in; one that does both at once does not.
 *
 * usage: spin [fixed]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static atomic_bool started, locked;
static atomic_int inside, most;
static bool fixed;

static void enter(void)
{
    if (fixed) {
        while (atomic_exchange(&locked, true)) {
        }
    } else {
        while (atomic_load(&locked)) {
        }
        atomic_store(&locked, true);
    }
}

static void meet(void)
{
    enter();
    int now = atomic_fetch_add(&inside, 1) + 1;
    if (now > atomic_load(&most)) {
        atomic_store(&most, now);
    }
    atomic_fetch_sub(&inside, 1);
    atomic_store(&locked, false);
}

static void *other(void *arg)
{
    atomic_store(&started, true);
    meet();
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    pthread_create(&thread, NULL, other, NULL);
    while (!atomic_load(&started)) {
    }
    meet();
    pthread_join(thread, NULL);
    return atomic_load(&most) == 1 ? 0 : 1;
}
