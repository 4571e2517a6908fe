/*
 * inbox.c - a loop of the program's own that other threads wake through an eventfd, which tells the kit what it does
 * with its queue if the kit is there (solo/inbox.h). It is linked with nothing of the kit's.
 *
 * late      it looks at the queue and only then takes the wake-up back: what is queued in between is lost
 * one       whoever finds the queue filled does not wake, and the loop takes one piece at a time
 * fixed     it takes the wake-up back first
 * thrifty   whoever finds the queue filled does not wake, and the loop takes all
 *
 * usage: inbox [WHAT]
 */
#define SOLO_INBOX_WEAK
#include <pthread.h>
#include <solo/inbox.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WORKERS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned queued;
static int wake_fd;
static bool always_wakes, takes_all, is_late;
static struct solo_inbox inbox;

static void say(enum solo_inbox_step step, unsigned count)
{
    if (solo_inbox_say != NULL) {
        solo_inbox_say(&inbox, step, count);
    }
}

static void *work(void *arg)
{
    uint64_t one = 1;
    say(SOLO_INBOX_GIVING, 0);
    pthread_mutex_lock(&lock);
    bool wakes = queued++ == 0 || always_wakes;
    pthread_mutex_unlock(&lock);
    if (wakes) {
        say(SOLO_INBOX_WAKING, 0);
        (void)!write(wake_fd, &one, sizeof one);
    }
    say(SOLO_INBOX_GIVEN, 1);
    return arg;
}

static unsigned take(void)
{
    pthread_mutex_lock(&lock);
    unsigned taken = takes_all || queued < 1 ? queued : 1;
    queued -= taken;
    pthread_mutex_unlock(&lock);
    say(SOLO_INBOX_TAKEN, taken);
    return taken;
}

static void take_wakeup(void)
{
    uint64_t count;
    say(SOLO_INBOX_WOKEN, 0);
    (void)!read(wake_fd, &count, sizeof count);
}

static void loop(int epoll_fd)
{
    struct epoll_event event;
    for (unsigned done = 0; done < WORKERS;) {
        say(SOLO_INBOX_SLEEPING, 0);
        epoll_wait(epoll_fd, &event, 1, -1);
        if (is_late) {
            done += take();
            take_wakeup();
        } else {
            take_wakeup();
            done += take();
        }
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "late";
    pthread_t threads[WORKERS];
    is_late = strcmp(what, "late") == 0;
    takes_all = strcmp(what, "one") != 0;
    always_wakes = is_late || strcmp(what, "fixed") == 0;
    wake_fd = eventfd(0, EFD_NONBLOCK);
    int epoll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event);
    for (int i = 0; i < WORKERS; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    loop(epoll_fd);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}
