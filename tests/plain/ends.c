/*
 * ends.c - the ways in which a program ends. Appends a line to the file named LOG: its descriptors, which are the same
 * in every schedule.
 *
 * usage: ends return|exit|_exit|quick_exit|handler|destructor|late-destructor
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *way = "";

static void *pass(void *arg)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void note_descriptors(void)
{
    int fds[2];
    char line[64];
    const char *log = getenv("LOG");
    int file = log != NULL ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (file >= 0 && pipe(fds) == 0) {
        int size = snprintf(line, sizeof line, "%d %d %d\n", file, fds[0], fds[1]);
        if (write(file, line, (size_t)size) != size) {
            abort();
        }
    }
}

static void say_goodbye(void)
{
    printf("goodbye\n");
    if (strcmp(way, "handler") == 0) {
        abort();
    }
}

static void say_a_quick_goodbye(void)
{
    (void)!write(STDOUT_FILENO, "a quick goodbye\n", 16);
}

__attribute__((destructor)) static void destroy(void)
{
    if (strcmp(way, "destructor") == 0) {
        _exit(7);
    }
    if (strcmp(way, "late-destructor") == 0) {
        abort();
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    way = argc > 1 ? argv[1] : "";
    atexit(say_goodbye);
    (void)at_quick_exit(say_a_quick_goodbye);
    note_descriptors();
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, pass, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    if (strcmp(way, "exit") == 0) {
        exit(3);
    }
    if (strcmp(way, "_exit") == 0) {
        _exit(4);
    }
    if (strcmp(way, "quick_exit") == 0) {
        quick_exit(4);
    }
    return strcmp(way, "return") == 0 ? 2 : 0;
}
