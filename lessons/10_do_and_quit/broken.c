/*
 * A log writer with a thread of its own: a worker. One thread writes three lines while the program shuts the log down.
 * Whoever comes after quit is told so, with a code that nobody looks at.
 */
#include <solo/solo.h>
#include <stdio.h>

static struct solo_worker *log_writer;
static const char *const lines[] = {"one", "two", "three"};

/* Runs in the worker's context. */
static void write_line(void *arg)
{
    printf("log: %s\n", (const char *)arg);
    solo_happened("line written");
}

static void produce(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 3; i++) {
        (void)solo_worker_do(log_writer, write_line, (void *)lines[i], NULL);
    }
}

int main(void)
{
    struct solo_thread *producer;
    solo_must_happen("line written", 3);
    if (solo_thread_worker_create(&log_writer) < 0 || solo_thread_create(produce, NULL, &producer) < 0) {
        return 1;
    }
    (void)solo_worker_quit(log_writer);
    (void)solo_thread_join(producer);
    return solo_worker_destroy(log_writer) < 0;
}
