/*
 * stack.c - two threads take from a stack that is linked by indices, with compare-and-exchange. One gives back what it
 * took first, and the other, which has looked at the same top before all that, takes it for unchanged. A number that
 * changes with each operation tells.
 *
 * usage: stack [fixed]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { NODES = 3, NONE = NODES };

static atomic_uint top = NONE; /* the index, and above it how many operations there were */
static unsigned next[NODES];
static atomic_int taken[NODES], twice;
static unsigned fixed;

static unsigned follow(unsigned before, unsigned index)
{
    return index | (fixed ? (before | 0xff) + 1 : 0);
}

static unsigned pop(void)
{
    unsigned seen = atomic_load(&top);
    while ((seen & 0xff) != NONE) {
        unsigned index = seen & 0xff;
        if (atomic_compare_exchange_strong(&top, &seen, follow(seen, next[index]))) {
            if (atomic_fetch_add(&taken[index], 1) != 0) {
                atomic_store(&twice, 1);
            }
            return index;
        }
    }
    return NONE;
}

static void push(unsigned index)
{
    unsigned seen = atomic_load(&top);
    atomic_store(&taken[index], 0);
    do {
        next[index] = seen & 0xff;
    } while (!atomic_compare_exchange_strong(&top, &seen, follow(seen, index)));
}

static void *take(void *arg)
{
    (void)pop();
    return arg;
}

static void *take_two_and_give_one_back(void *arg)
{
    unsigned first = pop();
    (void)pop();
    if (first != NONE) {
        push(first);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    for (unsigned i = 0; i < NODES; i++) {
        push(i);
    }
    pthread_create(&threads[0], NULL, take, NULL);
    pthread_create(&threads[1], NULL, take_two_and_give_one_back, NULL);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    while (pop() != NONE) {
    }
    return atomic_load(&twice);
}
