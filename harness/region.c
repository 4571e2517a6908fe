/* region.c - making, finding and clearing the shared region. */
#define _GNU_SOURCE
#include "region.h"
#include "annotate.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct solo__region *map(int fd)
{
    void *memory = mmap(NULL, sizeof(struct solo__region), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

struct solo__region *solo__region_create(int *ret_fd)
{
    int fd = memfd_create("solo-region", MFD_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    struct solo__region *region = ftruncate(fd, (off_t)sizeof *region) == 0 ? map(fd) : NULL;
    if (region == NULL || ret_fd == NULL) {
        close(fd);
    } else {
        *ret_fd = fd;
    }
    if (region != NULL) {
        region->magic = SOLO__REGION_MAGIC;
    }
    return region;
}

struct solo__region *solo__region_open(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || status.st_size != (off_t)sizeof(struct solo__region)) {
        return NULL;
    }
    struct solo__region *region = map(fd);
    if (region != NULL && region->magic != SOLO__REGION_MAGIC) {
        solo__region_destroy(region);
        return NULL;
    }
#ifdef SOLO_ANNOTATE_HARNESS
    if (region == NULL) {
        return NULL;
    }
    /* The explorer's alone: memcheck looks for pointers in whatever may be touched, whenever a process ends. */
    SOLO_ANNOTATE_POISON(region->finding_answers, sizeof region->finding_answers);
    SOLO_ANNOTATE_POISON(region->traces, sizeof region->traces);
    SOLO_ANNOTATE_POISON(region->orders, sizeof region->orders);
#endif
    return region;
}

void solo__region_destroy(struct solo__region *region)
{
    if (region != NULL) {
        munmap(region, sizeof *region);
    }
}

static uint64_t set_slots(uint64_t wanted)
{
    uint64_t slots = 1024;
    while (slots < wanted && slots < SOLO__SET_MAX) {
        slots *= 2;
    }
    return slots;
}

void solo__region_clear_ledger(struct solo__region *region, uint64_t set_size)
{
    memset(&region->ledger, 0, sizeof region->ledger);
    region->ledger.set_mask = set_slots(set_size) - 1;
    memset(region->traces, 0, (region->ledger.set_mask + 1) * sizeof region->traces[0]);
    memset(region->orders, 0, (region->ledger.set_mask + 1) * sizeof region->orders[0]);
}
