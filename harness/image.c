/*
 * image.c - image.h.
 *
 * Linux copies the page table of a mapping only if the mapping has pages of its own. So each segment of code gets one:
 * its last page is written to, with what it holds. Where that is forbidden nothing changes.
 */
#define _GNU_SOURCE
#include "image.h"
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

enum { PAGE = 4096 };

static void keep(uintptr_t from, uintptr_t to, bool executable)
{
    int protection = PROT_READ | (executable ? PROT_EXEC : 0);
    void *start = (void *)from;
    (void)madvise(start, to - from, MADV_POPULATE_READ);
    if (mprotect(start, to - from, protection | PROT_WRITE) == 0) {
        volatile char *byte = (volatile char *)to - 1;
        char held = *byte;
        *byte = held;
        (void)mprotect(start, to - from, protection);
    }
}

static int keep_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    bool is_file = info->dlpi_name[0] == '\0' || strchr(info->dlpi_name, '/') != NULL; /* the other is the kernel's */
    for (unsigned i = 0; is_file && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & (PF_R | PF_W)) == PF_R) {
            uintptr_t from = (info->dlpi_addr + segment->p_vaddr) / PAGE * PAGE;
            uintptr_t to = (info->dlpi_addr + segment->p_vaddr + segment->p_filesz + PAGE - 1) / PAGE * PAGE;
            keep(from, to, (segment->p_flags & PF_X) != 0);
        }
    }
    return 0;
}

void solo__image_keep_code(void)
{
    (void)dl_iterate_phdr(keep_object, NULL);
}
