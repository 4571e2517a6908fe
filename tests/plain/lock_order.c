/*
 * lock_order.c - locks taken in a circle, and all that keeps such a circle from being one.
 *
 * In "flag" and its like the threads take two locks in both orders and never meet, which only memory knows: no explorer
 * of calls can tell that from a program where they meet once in a million times.
 *
 * usage: lock_order [WHAT]
 */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t shelf = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t flag_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t turn;
static int pipe_ends[2];
static atomic_int done;
static int locked_done;

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
    assert(pthread_mutex_lock(one) == 0);
    assert(pthread_mutex_lock(other) == 0);
    assert(pthread_mutex_unlock(other) == 0);
    assert(pthread_mutex_unlock(one) == 0);
}

typedef void *(*thread_fn)(void *arg);

static void run_both(thread_fn one, thread_fn other)
{
    pthread_t threads[2];
    assert(pthread_create(&threads[0], NULL, one, NULL) == 0);
    assert(pthread_create(&threads[1], NULL, other, NULL) == 0);
    assert(pthread_join(threads[0], NULL) == 0);
    assert(pthread_join(threads[1], NULL) == 0);
}

static void *forwards(void *arg)
{
    take(&first, &second);
    return arg;
}

static void *backwards(void *arg)
{
    take(&second, &first);
    return arg;
}

/* ---- Both orders, and nothing keeps them apart ---- */

static void circle_of_two(void)
{
    run_both(forwards, backwards);
}

static void *second_third(void *arg)
{
    take(&second, &third);
    return arg;
}

static void *third_first(void *arg)
{
    take(&third, &first);
    return arg;
}

static void circle_of_three(void)
{
    pthread_t one;
    assert(pthread_create(&one, NULL, forwards, NULL) == 0);
    run_both(second_third, third_first);
    assert(pthread_join(one, NULL) == 0);
}

/* ---- One order ---- */

static void one_order(void)
{
    run_both(forwards, forwards);
}

/* ---- Both orders, by one thread ---- */

static void *forwards_and_backwards(void *arg)
{
    take(&first, &second);
    take(&second, &first);
    return arg;
}

static void *alone(void *arg)
{
    pthread_mutex_lock(&first);
    pthread_mutex_unlock(&first);
    return arg;
}

static void one_thread(void)
{
    run_both(forwards_and_backwards, alone);
}

/* ---- Behind a gate ---- */

static void *gated_forwards(void *arg)
{
    pthread_mutex_lock(&gate);
    take(&first, &second);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *gated_backwards(void *arg)
{
    pthread_mutex_lock(&gate);
    take(&second, &first);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void behind_a_gate(void)
{
    run_both(gated_forwards, gated_backwards);
}

/* It is let go of too early. */
static void *gated_until_the_first(void *arg)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_lock(&second);
    pthread_mutex_unlock(&gate);
    pthread_mutex_lock(&first);
    pthread_mutex_unlock(&first);
    pthread_mutex_unlock(&second);
    return arg;
}

static void behind_half_a_gate(void)
{
    run_both(gated_forwards, gated_until_the_first);
}

/* ---- One after the other ---- */

static void joined(void)
{
    pthread_t thread;
    assert(pthread_create(&thread, NULL, forwards, NULL) == 0);
    assert(pthread_join(thread, NULL) == 0);
    take(&second, &first);
    assert(pthread_create(&thread, NULL, forwards, NULL) == 0);
    assert(pthread_join(thread, NULL) == 0);
}

static void *forwards_then_post(void *arg)
{
    take(&first, &second);
    sem_post(&turn);
    return arg;
}

static void *wait_then_backwards(void *arg)
{
    sem_wait(&turn);
    take(&second, &first);
    return arg;
}

static void posted(void)
{
    sem_init(&turn, 0, 0);
    run_both(forwards_then_post, wait_then_backwards);
}

/* It is posted while the first lock is held. */
static void *post_between(void *arg)
{
    pthread_mutex_lock(&first);
    sem_post(&turn);
    pthread_mutex_lock(&second);
    pthread_mutex_unlock(&second);
    pthread_mutex_unlock(&first);
    return arg;
}

static void posted_too_early(void)
{
    sem_init(&turn, 0, 0);
    run_both(post_between, wait_then_backwards);
}

static void *forwards_then_write(void *arg)
{
    take(&first, &second);
    assert(write(pipe_ends[1], "x", 1) == 1);
    return arg;
}

static void *read_then_backwards(void *arg)
{
    char byte;
    assert(read(pipe_ends[0], &byte, 1) == 1);
    take(&second, &first);
    return arg;
}

static void by_a_pipe(void)
{
    assert(pipe(pipe_ends) == 0);
    run_both(forwards_then_write, read_then_backwards);
}

static void *forwards_then_flag(void *arg)
{
    take(&first, &second);
    pthread_mutex_lock(&flag_lock);
    locked_done = 1;
    pthread_mutex_unlock(&flag_lock);
    return arg;
}

static void *backwards_if_flagged(void *arg)
{
    pthread_mutex_lock(&flag_lock);
    int is_done = locked_done;
    pthread_mutex_unlock(&flag_lock);
    if (is_done) {
        take(&second, &first);
    }
    return arg;
}

static void by_a_flag_with_a_lock(void)
{
    run_both(forwards_then_flag, backwards_if_flagged);
}

/* ---- Only memory keeps them apart ---- */

static void *forwards_then_atomic(void *arg)
{
    take(&first, &second);
    atomic_store(&done, 1);
    return arg;
}

static void *backwards_if_atomic(void *arg)
{
    usleep(1000);
    if (atomic_load(&done)) {
        take(&second, &first);
    }
    return arg;
}

static void by_a_flag(void)
{
    run_both(forwards_then_atomic, backwards_if_atomic);
}

/* ---- Readers ---- */

static void read_both(pthread_rwlock_t *one, pthread_rwlock_t *other)
{
    pthread_rwlock_rdlock(one);
    pthread_rwlock_rdlock(other);
    pthread_rwlock_unlock(other);
    pthread_rwlock_unlock(one);
}

static void *read_forwards(void *arg)
{
    read_both(&shelf, &table);
    return arg;
}

static void *read_backwards(void *arg)
{
    read_both(&table, &shelf);
    return arg;
}

static void readers(void)
{
    run_both(read_forwards, read_backwards);
}

static void *write_backwards(void *arg)
{
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_wrlock(&shelf);
    pthread_rwlock_unlock(&shelf);
    pthread_rwlock_unlock(&table);
    return arg;
}

static void reader_and_writer(void)
{
    run_both(read_forwards, write_backwards);
}

/* ---- Who does not wait for ever ---- */

static void *try_backwards(void *arg)
{
    pthread_mutex_lock(&second);
    if (pthread_mutex_trylock(&first) == 0) {
        pthread_mutex_unlock(&first);
    }
    pthread_mutex_unlock(&second);
    return arg;
}

static void attempt(void)
{
    run_both(forwards, try_backwards);
}

static void *backwards_for_a_while(void *arg)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_mutex_lock(&second);
    if (pthread_mutex_timedlock(&first, &until) == 0) {
        pthread_mutex_unlock(&first);
    }
    pthread_mutex_unlock(&second);
    return arg;
}

static void deadline(void)
{
    run_both(forwards, backwards_for_a_while);
}

/* ---- A fault of its own ---- */

static void and_exit_1(void)
{
    run_both(forwards_then_atomic, backwards_if_atomic);
    exit(1);
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"two", circle_of_two},
    {"three", circle_of_three},
    {"one-order", one_order},
    {"one-thread", one_thread},
    {"gate", behind_a_gate},
    {"half-a-gate", behind_half_a_gate},
    {"joined", joined},
    {"posted", posted},
    {"posted-too-early", posted_too_early},
    {"pipe", by_a_pipe},
    {"locked-flag", by_a_flag_with_a_lock},
    {"flag", by_a_flag},
    {"readers", readers},
    {"reader-and-writer", reader_and_writer},
    {"attempt", attempt},
    {"deadline", deadline},
    {"exit-1", and_exit_1},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "two";
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (strcmp(programs[i].name, name) == 0) {
            programs[i].run();
            return 0;
        }
    }
    return 2;
}
