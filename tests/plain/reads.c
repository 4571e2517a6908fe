/*
 * reads.c - two threads read lines from standard input, one after the other. Fails with the words that are in it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char words[64];

static void *read_line(void *arg)
{
    char line[32];
    pthread_mutex_lock(&lock);
    if (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        strcat(strcat(words, line), " ");
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, read_line, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%s", words);
    return strcmp(words, "") == 0 ? 0 : 7;
}
