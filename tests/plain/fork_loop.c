/*
 * fork_loop.c - what a schedule costs at least: a process that forks a child for each, which creates the threads of
 * lost_update.c, joins them and ends. Prints how many a second. For tests/bench/forkserver.c.
 *
 * usage: fork_loop N
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *add(void *arg)
{
    pthread_mutex_lock(&lock);
    counter++;
    pthread_mutex_unlock(&lock);
    return arg;
}

static int body(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, add, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    return counter == 2 ? 0 : 1;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 1000;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < count; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            exit(body());
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            return 1;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.1f\n", (double)count / ((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9));
    return 0;
}
