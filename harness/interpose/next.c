/*
 * next.c - whose call it is: the program's, then it is modelled; or the kit's, then the C library does it.
 *
 * That is told by where the call returns to. This library does not count as the kit: a function of the program that it
 * calls (a thread's, a destructor) may end by jumping to one of ours, which then returns to us. What it needs from the
 * C library itself it takes by NEXT.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RANGES_MAX = 8, ARENA_STEP = 256 << 10 };

static struct {
    uintptr_t from, to;
} ranges[RANGES_MAX];
static unsigned range_count;
static bool harness_seen;

static const char *const next_names[INTERPOSE_NEXT_COUNT] = {
#define NAME(name) #name,
    INTERPOSE_NEXT_NAMES(NAME)
#undef NAME
};
static void *nexts[INTERPOSE_NEXT_COUNT];

/* Symbols of which the C library keeps an old version that dlsym would find first. */
static const char *version_of(const char *name)
{
    return strncmp(name, "pthread_cond_", 13) == 0 ? "GLIBC_2.3.2" : NULL;
}

static void *find(const char *name)
{
    const char *version = version_of(name);
    void *next = version != NULL ? dlvsym(RTLD_NEXT, name, version) : NULL;
    return next != NULL ? next : dlsym(RTLD_NEXT, name);
}

void *interpose_next_by_name(const char *name)
{
    void *next = find(name);
    if (next == NULL) {
        const char *const texts[] = {"solo: the C library has no ", name, "\n"};
        for (unsigned i = 0; i < 3; i++) {
            (void)!NEXT(write)(STDERR_FILENO, texts[i], strlen(texts[i]));
        }
        abort();
    }
    return next;
}

void *interpose_next(enum interpose_next_name name)
{
    if (__builtin_expect(nexts[name] == NULL, 0)) {
        nexts[name] = interpose_next_by_name(next_names[name]);
    }
    return nexts[name];
}

bool interpose_has_detector(void)
{
    static int has = -1;
    if (has < 0) {
        has = dlsym(RTLD_DEFAULT, "__tsan_init") != NULL;
    }
    return has != 0;
}

void *interpose_detectors(const char *function)
{
    return dlsym(RTLD_DEFAULT, function);
}

/* Called by the harness before the first schedule: what each of them would have to find out, once for all. */
INTERPOSED void solo_interpose_warm_up(void);
INTERPOSED void solo_interpose_warm_up(void)
{
    for (unsigned i = 0; i < INTERPOSE_NEXT_COUNT; i++) {
        nexts[i] = find(next_names[i]);
    }
    (void)interpose_is_kit(NULL);
    (void)interpose_has_detector();
    (void)interpose_self();
    (void)interpose_allocate(0);
    interpose_note_ends();
    interpose_threads_prepare();
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char *name = strrchr(info->dlpi_name, '/');
    (void)size;
    (void)arg;
    if (name == NULL || strncmp(name, "/libsolo", 8) != 0 || strncmp(name, "/libsolo-interpose", 18) == 0) {
        return 0;
    }
    harness_seen = harness_seen || strncmp(name, "/libsolo-inside.so", 18) == 0;
    for (unsigned i = 0; i < info->dlpi_phnum && range_count < RANGES_MAX; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0) {
            ranges[range_count].from = info->dlpi_addr + segment->p_vaddr;
            ranges[range_count].to = ranges[range_count].from + segment->p_memsz;
            range_count++;
        }
    }
    return 0;
}

bool interpose_is_kit(const void *address)
{
    if (!harness_seen) { /* it is loaded before any schedule begins, but not before the first call of all */
        range_count = 0;
        dl_iterate_phdr(note_object, NULL);
    }
    for (unsigned i = 0; i < range_count; i++) {
        if ((uintptr_t)address >= ranges[i].from && (uintptr_t)address < ranges[i].to) {
            return true;
        }
    }
    return false;
}

struct solo_world *interpose_world(const void *caller)
{
    struct solo_world *world = solo_model_world();
    return world != NULL && !interpose_is_kit(caller) ? world : NULL;
}

void *interpose_allocate(size_t size)
{
    static char *at, *end;
    size = (size + 15) & ~(size_t)15;
    if (at == NULL || size > (size_t)(end - at)) {
        size_t step = size > ARENA_STEP ? size : ARENA_STEP;
        void *memory = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            interpose_refuse(NULL, "there is no memory left for what the simulation knows of its objects");
        }
        at = memory;
        end = at + step;
    }
    void *memory = at;
    at += size;
    return memory;
}
