/*
 * event_loop.c - a loop in epoll_wait that other threads wake through an eventfd when they have queued something.
 * Whoever looks at the queue first and then takes the wake-up loses what is queued in between.
 *
 * usage: event_loop [fixed]
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WORKERS = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int queued, handled;
static int wake_fd;

static void *work(void *arg)
{
    uint64_t one = 1;
    (void)arg;
    pthread_mutex_lock(&lock);
    queued++;
    pthread_mutex_unlock(&lock);
    return write(wake_fd, &one, sizeof one) == sizeof one ? NULL : &wake_fd;
}

static void take_all(void)
{
    pthread_mutex_lock(&lock);
    handled += queued;
    queued = 0;
    pthread_mutex_unlock(&lock);
}

static void take_wakeup(void)
{
    uint64_t count;
    (void)!read(wake_fd, &count, sizeof count);
}

int main(int argc, char **argv)
{
    bool fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    pthread_t threads[WORKERS];
    wake_fd = eventfd(0, EFD_NONBLOCK);
    int epoll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event);
    for (int i = 0; i < WORKERS; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    while (handled < WORKERS) {
        epoll_wait(epoll_fd, &event, 1, -1);
        if (fixed) {
            take_wakeup();
            take_all();
        } else {
            take_all();
            take_wakeup();
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}
