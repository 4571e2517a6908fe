/*
 * getting_in.c - how `solo` gets into a program: before its main, and before it has any thread.
 *
 * `solo` starts the program with two variables in its environment: the harness library, and a descriptor to talk
 * through. A third names the program, where it does not use this library by itself and has it loaded by the dynamic
 * linker: any other program on the way to it, such as env, leaves the variables as they are. The library's
 * solo_harness_main turns this process into a server that forks one child per schedule; in each child it returns, and
 * main runs as virtual thread 0. Without the variables nothing happens and the program runs in world os.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*harness_main_fn)(int control_fd);

/* The program's own children must not take themselves for it. */
static void clear(void)
{
    unsetenv("SOLO_CONTROL");
    unsetenv("SOLO_HARNESS");
    unsetenv("SOLO_PROGRAM");
}

/* Whether this process is the program that `solo` wants. */
static bool is_wanted(void)
{
    const char *wanted = getenv("SOLO_PROGRAM");
    char path[4096];
    ssize_t length = wanted != NULL ? readlink("/proc/self/exe", path, sizeof path) : 0;
    return wanted == NULL || ((size_t)length == strlen(wanted) && memcmp(path, wanted, (size_t)length) == 0);
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
    if (control == NULL || harness == NULL || !is_wanted()) {
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
