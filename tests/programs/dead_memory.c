/*
 * dead_memory.c - a job tells the reactor what it found, in memory of the job's own.
 *
 *     local     a local variable of the job, which ends            heap     freed by the job
 *     waits     the same, and the job waits for the answer         done     freed by the done function
 */
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    const char *text;
};

static struct solo_reactor *reactor;
static const char *way;

static SOLO_REACTOR_ONLY void print(void *arg)
{
    const struct answer *answer = arg;
    printf("found: %.5s\n", way[0] == 'l' || way[0] == 'h' ? "?" : answer->text); /* dead memory is left alone */
}

static SOLO_REACTOR_ONLY struct solo_result print_and_answer(void *arg)
{
    print(arg);
    return solo_value(NULL);
}

static void give_back(int status, void *arg)
{
    (void)status;
    free(arg);
}

static SOLO_POOL_ONLY void look_up(void *arg)
{
    struct answer local = {"local"};
    struct answer *heap = malloc(sizeof *heap);
    (void)arg;
    if (heap == NULL) {
        return;
    }
    heap->text = "heap";
    if (strcmp(way, "local") == 0) {
        (void)solo_reactor_call_from_thread(reactor, print, &local, NULL);
    } else if (strcmp(way, "waits") == 0) {
        (void)solo_blocking_call_from_thread(reactor, print_and_answer, &local, NULL);
    } else if (strcmp(way, "heap") == 0) {
        (void)solo_reactor_call_from_thread(reactor, print, heap, NULL);
    } else if (solo_reactor_call_from_thread(reactor, print, heap, give_back) == 0) {
        return;
    }
    free(heap);
    printf("looked up\n");
}

static SOLO_REACTOR_ONLY void stop(int status, void *arg)
{
    (void)status;
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

int main(int argc, char **argv)
{
    way = argc > 1 ? argv[1] : "waits";
    if (solo_reactor_create(NULL, &reactor) < 0 || solo_reactor_call_in_thread(reactor, look_up, NULL, stop) < 0) {
        return 9;
    }
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
