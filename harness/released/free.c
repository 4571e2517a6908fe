/*
 * free.c - free and realloc, so that the kit hears of memory that is given back (solo/memory.h).
 *
 * A program that is linked to libsolo-harness finds these two before the C library's; one that uses only libsolo and is
 * started by `solo` gets them by libsolo-released.so, loaded before anything else of its own. Programs with
 * AddressSanitizer or ThreadSanitizer tell it by the hooks of those (sanitizer/released.h). Under valgrind, which
 * replaces both wherever they are defined, nobody hears; memcheck sees the use itself.
 */
#define _GNU_SOURCE
#include <solo/memory.h>
#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* A program that was started with this library and has no libsolo, such as a shell, has nobody to tell. */
#pragma weak solo_memory_released

static void (*next_free)(void *memory);
static void *(*next_realloc)(void *memory, size_t size);

static __thread bool looking __attribute__((tls_model("initial-exec")));

/*
 * The C library has both. Looking may itself free what an earlier look left behind, its error's text: that little is
 * not given back. Two threads that look at the same time find the same.
 */
static __attribute__((constructor)) void find_next(void)
{
    looking = true;
    void *found = dlsym(RTLD_NEXT, "realloc");
    __atomic_store_n((void **)&next_realloc, found, __ATOMIC_RELAXED);
    found = dlsym(RTLD_NEXT, "free");
    __atomic_store_n((void **)&next_free, found, __ATOMIC_RELAXED);
    looking = false;
}

/* False: this is a call from inside the look. */
static bool is_ready(void)
{
    bool ready = __atomic_load_n((void **)&next_free, __ATOMIC_RELAXED) != NULL;
    if (__builtin_expect(!ready && !looking, 0)) {
        find_next();
        return true;
    }
    return ready;
}

static void say(const void *memory, size_t size)
{
    if (&solo_memory_released != NULL) {
        solo_memory_released(memory, size);
    }
}

SOLO_PUBLIC void free(void *memory)
{
    if (!is_ready()) {
        return;
    }
    if (memory != NULL) {
        say(memory, malloc_usable_size(memory));
    }
    next_free(memory);
}

/* A block that stays where it was is the same block still. */
SOLO_PUBLIC void *realloc(void *memory, size_t size)
{
    if (!is_ready()) {
        return NULL;
    }
    size_t had = memory != NULL ? malloc_usable_size(memory) : 0;
    uintptr_t before = (uintptr_t)memory;
    void *after = next_realloc(memory, size);
    if (before != 0 && (uintptr_t)after != before && (after != NULL || size == 0)) {
        say((const void *)before, had);
    }
    return after;
}
