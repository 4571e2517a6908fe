/*
 * A path is a value: anybody may build one and use it, in any thread, as long as it is not shared. Here a worker is
 * given the reactor's own path to work with, and the reactor goes on using it.
 */
#include <solo/solo.h>
#include <stdio.h>
#include <string.h>

struct path {
    struct solo_confined confined; /* states that one thread at a time uses it */
    char text[64];
};

static struct solo_reactor *reactor;

static void path_set(struct path *path, const char *text)
{
    (void)solo_confined_bind(&path->confined, "path");
    snprintf(path->text, sizeof path->text, "%s", text);
}

static void path_add(struct path *path, const char *name)
{
    if (solo_confined_use(&path->confined) == 0) {
        size_t used = strlen(path->text);
        snprintf(path->text + used, sizeof path->text - used, "/%s", name);
        solo_happened("path extended");
    }
}

static SOLO_POOL_ONLY void list_mail(void *arg)
{
    struct path *path = arg;
    path_add(path, "mail");
    printf("worker: %s\n", path->text);
}

static SOLO_REACTOR_ONLY void listed(int status, void *arg)
{
    (void)status;
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

static SOLO_REACTOR_ONLY void begin(void *arg)
{
    struct path *home = arg;
    path_set(home, "/home/alice");
    (void)solo_reactor_call_in_thread(reactor, list_mail, home, listed);
    path_add(home, "notes");
    printf("reactor: %s\n", home->text);
}

SOLO_SET_UP int main(void)
{
    static struct path home;
    solo_must_happen("path extended", 2);
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return 1;
    }
    (void)solo_reactor_call_when_running(reactor, begin, &home, NULL);
    (void)solo_reactor_run(reactor);
    return solo_reactor_destroy(reactor) < 0;
}
