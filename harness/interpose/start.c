/*
 * start.c - how the program begins and ends.
 *
 * At the end of a process the dynamic linker runs what each loaded library has registered for that. For the libraries
 * that only the harness needs that would cost each schedule as much as its fork, so it is done for the others only.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <link.h>
#include <solo/sim.h>
#include <string.h>

typedef int (*main_fn)(int argc, char **argv, char **variables);
typedef void (*end_fn)(void);

static end_fn linker_end;

/* Runs what one object has registered, last first. */
static int end_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    const ElfW(Dyn) *entry = NULL;
    const end_fn *functions = NULL;
    size_t count = 0;
    (void)size;
    (void)arg;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        }
    }
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        functions = entry->d_tag == DT_FINI_ARRAY ? (const end_fn *)(info->dlpi_addr + entry->d_un.d_ptr) : functions;
        count = entry->d_tag == DT_FINI_ARRAYSZ ? entry->d_un.d_val / sizeof *functions : count;
    }
    while (functions != NULL && count > 0) {
        functions[--count]();
    }
    return strstr(info->dlpi_name, "/libsolo-harness.so") != NULL; /* what comes after it was loaded for it */
}

static void end(void)
{
    if (solo_sim_current() != NULL) {
        (void)dl_iterate_phdr(end_object, NULL);
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
