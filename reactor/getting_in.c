/*
 * getting_in.c - how `solo` gets into a program: before its main, and before it has any thread.
 *
 * `solo` starts the program with two variables in its environment: the harness library, and a descriptor to talk
 * through. The library's solo_harness_main turns this process into a server that forks one child per schedule; in each
 * child it returns, and main runs as virtual thread 0. Without the variables nothing happens and the program runs in
 * world os.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef void (*harness_main_fn)(int control_fd);

/* The program's own children must not take themselves for it. */
static void clear(void)
{
    unsetenv("SOLO_CONTROL");
    unsetenv("SOLO_HARNESS");
}

static __attribute__((noreturn)) void give_up(const char *why)
{
    fprintf(stderr, "solo: cannot load the harness: %s\n", why != NULL ? why : "unknown error");
    _exit(127);
}

static __attribute__((constructor)) void get_in(void)
{
    const char *control = getenv("SOLO_CONTROL");
    const char *harness = getenv("SOLO_HARNESS");
    if (control == NULL || harness == NULL) {
        return;
    }
    int control_fd = atoi(control);
    void *library = dlopen(harness, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        give_up(dlerror());
    }
    harness_main_fn harness_main = (harness_main_fn)dlsym(library, "solo_harness_main");
    if (harness_main == NULL) {
        give_up(dlerror());
    }
    clear();
    harness_main(control_fd);
}
