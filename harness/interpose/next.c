/*
 * next.c - whose call it is: the program's, then it is modelled; or the kit's, then the C library does it.
 *
 * Before the first schedule the kit's libraries are led past this one: their tables of addresses get those of the C
 * library. Until then it is told by where the call returns to. That would not do later: a callback of the program that
 * the kit calls may end by jumping to one of our functions, which then returns to the kit. What this library needs from
 * the C library itself it takes by NEXT.
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
static bool harness_seen, led_past;

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

/* ---- The kit's own calls ---- */

static bool is_kits(const char *path)
{
    const char *name = strrchr(path, '/');
    return name != NULL && strncmp(name, "/libsolo", 8) == 0 && strncmp(name, "/libsolo-interpose", 18) != 0;
}

static void *next_called(const char *name)
{
    for (unsigned i = 0; i < INTERPOSE_NEXT_COUNT; i++) {
        if (strcmp(next_names[i], name) == 0) {
            return nexts[i];
        }
    }
    return NULL;
}

struct tables {
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * calls, *data;
    size_t calls_size, data_size;
};

static void lead(const struct dl_phdr_info *info, const struct tables *tables, const ElfW(Rela) * entry, size_t size)
{
    for (size_t i = 0; entry != NULL && i < size / sizeof *entry; i++) {
        unsigned kind = ELF64_R_TYPE(entry[i].r_info);
        const ElfW(Sym) *symbol = &tables->symbols[ELF64_R_SYM(entry[i].r_info)];
        void *next = kind == R_X86_64_JUMP_SLOT || kind == R_X86_64_GLOB_DAT
                         ? next_called(tables->names + symbol->st_name)
                         : NULL;
        if (next != NULL) {
            *(void **)(info->dlpi_addr + entry[i].r_offset) = next;
        }
    }
}

/* The part that the dynamic linker has made read-only. */
static void protect(const struct dl_phdr_info *info, int protection)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_GNU_RELRO) {
            uintptr_t from = (info->dlpi_addr + segment->p_vaddr) & ~(uintptr_t)4095;
            uintptr_t to = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(uintptr_t)4095;
            (void)mprotect((void *)from, to - from, protection);
        }
    }
}

static int lead_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct tables tables = {.symbols = NULL};
    const ElfW(Dyn) *entry = NULL;
    (void)size;
    (void)arg;
    for (unsigned i = 0; is_kits(info->dlpi_name) && i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        }
    }
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB: tables.symbols = (const ElfW(Sym) *)entry->d_un.d_ptr; break;
        case DT_STRTAB: tables.names = (const char *)entry->d_un.d_ptr; break;
        case DT_JMPREL: tables.calls = (const ElfW(Rela) *)entry->d_un.d_ptr; break;
        case DT_PLTRELSZ: tables.calls_size = entry->d_un.d_val; break;
        case DT_RELA: tables.data = (const ElfW(Rela) *)entry->d_un.d_ptr; break;
        case DT_RELASZ: tables.data_size = entry->d_un.d_val; break;
        default: break;
        }
    }
    if (tables.symbols != NULL && tables.names != NULL) {
        protect(info, PROT_READ | PROT_WRITE);
        lead(info, &tables, tables.calls, tables.calls_size);
        lead(info, &tables, tables.data, tables.data_size);
        protect(info, PROT_READ);
    }
    return 0;
}

/*
 * What a program may lack is not asked for by name: a look-up in vain leaves memory behind that who looks for leaks may
 * come upon.
 */
extern void __tsan_init(void) __attribute__((weak));
extern void __cxa_throw(void) __attribute__((weak));

bool interpose_has_detector(void)
{
    return __tsan_init != NULL;
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
        bool is_cxx = strncmp(next_names[i], "__cxa_guard_", 12) == 0;
        nexts[i] = !is_cxx || __cxa_throw != NULL ? find(next_names[i]) : NULL;
    }
    (void)interpose_is_kit(NULL);
    (void)interpose_self();
    (void)interpose_allocate(0);
    interpose_note_ends();
    interpose_threads_prepare();
    interpose_leave_quickly();
    if (!interpose_has_detector()) { /* what the kit forks and exits by is the detector's there */
        (void)dl_iterate_phdr(lead_object, NULL);
        led_past = true;
    }
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    if (!is_kits(info->dlpi_name)) {
        return 0;
    }
    harness_seen = harness_seen || strstr(info->dlpi_name, "/libsolo-inside.so") != NULL;
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
    if (led_past) {
        return false;
    }
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
