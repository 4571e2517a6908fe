/*
 * start.c - how the program begins and ends.
 *
 * At the end of a process the dynamic linker looks at each loaded object for what it has registered for that. This
 * touches so much memory that it would cost each schedule as much as its fork, so it is found out once, before.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <link.h>
#include <solo/sim.h>
#include <string.h>

typedef int (*main_fn)(int argc, char **argv, char **variables);
typedef void (*end_fn)(void);

static end_fn linker_end;

enum { ENDS_MAX = 256 };

/* Where the kit's own coverage is measured, that is written down at its end. */
#ifdef SOLO_COVERAGE
enum { RUNS_ALL = 1 };
#else
enum { RUNS_ALL = 0 };
#endif

/* What was registered by the program's objects; those of the kit have nothing to do. */
static struct {
    end_fn *functions;
    size_t count;
} ends[ENDS_MAX];
static unsigned ends_used;
static unsigned long long objects_added; /* since the process began, as far as `ends` knows */

static bool is_kits(const char *name)
{
    const char *base = strrchr(name, '/');
    return base != NULL && (strncmp(base, "/libsolo", 8) == 0 || strncmp(base, "/libgcc_s.", 10) == 0);
}

static void note_end(const struct dl_phdr_info *info)
{
    const ElfW(Dyn) *entry = NULL;
    end_fn *functions = NULL;
    size_t count = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        }
    }
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        functions = entry->d_tag == DT_FINI_ARRAY ? (end_fn *)(info->dlpi_addr + entry->d_un.d_ptr) : functions;
        count = entry->d_tag == DT_FINI_ARRAYSZ ? entry->d_un.d_val / sizeof *functions : count;
    }
    if (functions != NULL && ends_used < ENDS_MAX) {
        ends[ends_used].functions = functions;
        ends[ends_used++].count = count;
    }
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    objects_added = info->dlpi_adds;
    if (RUNS_ALL || !is_kits(info->dlpi_name)) {
        note_end(info);
    }
    return 0;
}

void interpose_note_ends(void)
{
    ends_used = 0;
    (void)dl_iterate_phdr(note_object, NULL);
}

/* Asks the first object only. */
static int look_for_more(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(bool *)arg = info->dlpi_adds != objects_added;
    return 1;
}

static void run_ends(void)
{
    bool more = false;
    (void)dl_iterate_phdr(look_for_more, &more);
    if (more) { /* the program has loaded something since */
        interpose_note_ends();
    }
    for (unsigned i = 0; i < ends_used; i++) {
        while (ends[i].count > 0) {
            ends[i].functions[--ends[i].count]();
        }
    }
}

static bool is_ending;

bool interpose_is_ending(void)
{
    return is_ending;
}

static void end(void)
{
    if (solo_sim_current() != NULL) {
        is_ending = true;
        run_ends();
    } else if (linker_end != NULL) {
        linker_end();
    }
}

INTERPOSED int __libc_start_main(main_fn program, int argc, char **argv, void (*init)(void), end_fn fini,
                                 end_fn linker_fini, void *stack_end);
INTERPOSED int __libc_start_main(main_fn program, int argc, char **argv, void (*init)(void), end_fn fini,
                                 end_fn linker_fini, void *stack_end)
{
    linker_end = linker_fini;
    return NEXT(__libc_start_main)(program, argc, argv, init, fini, end, stack_end);
}
