/*
 * getaddrinfo.c - the blocking look-up of names, in the pool: `getaddrinfo NAME...` says what each name is.
 *
 * The reactor goes on meanwhile: it counts how often it was called while names were looked up.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <solo/solo.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { NAMES_MAX = 16, TICK_NS = 1000000 };

struct look_up {
    const char *name;
    char address[INET6_ADDRSTRLEN];
    int error;  /* of getaddrinfo */
    int status; /* of the job */
};

static struct solo_reactor *reactor;
static struct look_up look_ups[NAMES_MAX];
static int count, finished;
static unsigned ticks;

/* ---- On the pool ---- */

static void look_up(void *arg)
{
    struct look_up *this = arg;
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    this->error = getaddrinfo(this->name, NULL, &hints, &found);
    if (this->error == 0) {
        const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)found->ai_addr;
        (void)inet_ntop(AF_INET, &address->sin_addr, this->address, sizeof this->address);
        freeaddrinfo(found);
    }
}

/* ---- On the reactor thread ---- */

static void done(int status, void *arg)
{
    ((struct look_up *)arg)->status = status;
    if (++finished == count) {
        (void)solo_reactor_stop(reactor);
    }
}

static void tick(void *arg)
{
    ticks++;
    if (finished < count) {
        (void)solo_reactor_call_later(reactor, TICK_NS, tick, arg, NULL, NULL);
    }
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return 2;
    }
    for (int i = 1; i < argc && count < NAMES_MAX; i++) {
        look_ups[count].name = argv[i];
        if (solo_reactor_call_in_thread(reactor, look_up, &look_ups[count], done) < 0) {
            return 2;
        }
        count++;
    }
    if (count == 0) {
        return 2;
    }
    (void)solo_reactor_call_later(reactor, 0, tick, NULL, NULL, NULL);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    for (int i = 0; i < count; i++) {
        bool found = look_ups[i].status == 0 && look_ups[i].error == 0;
        failed += !found;
        printf("%s: %s\n", look_ups[i].name, found ? look_ups[i].address : "not found");
    }
    printf("the reactor was %s\n", ticks > 0 ? "never held up" : "held up");
    return failed;
}
