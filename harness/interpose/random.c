/*
 * random.c - chance comes from the world, so that a schedule has the same each time.
 *
 * /dev/urandom and /dev/random are opened as files in memory with random bytes of the world's.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { DEVICE_SIZE = 64 << 10 };

INTERPOSED ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(getrandom)(buffer, size, flags);
    }
    world->memory->random(world, buffer, size);
    return (ssize_t)size;
}

INTERPOSED int getentropy(void *buffer, size_t size)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL || size > 256) {
        return NEXT(getentropy)(buffer, size);
    }
    world->memory->random(world, buffer, size);
    return 0;
}

static uint32_t word(struct solo_world *world)
{
    uint32_t value;
    world->memory->random(world, &value, sizeof value);
    return value;
}

INTERPOSED uint32_t arc4random(void)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? word(world) : NEXT(arc4random)();
}

INTERPOSED void arc4random_buf(void *buffer, size_t size)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL) {
        world->memory->random(world, buffer, size);
    } else {
        NEXT(arc4random_buf)(buffer, size);
    }
}

INTERPOSED uint32_t arc4random_uniform(uint32_t bound)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL) {
        return NEXT(arc4random_uniform)(bound);
    }
    return bound < 2 ? 0 : (uint32_t)((uint64_t)word(world) * bound >> 32);
}

/* std::random_device asks the processor itself. */
INTERPOSED unsigned random_device_value(void *device) __asm__("_ZNSt13random_device9_M_getvalEv");
INTERPOSED unsigned random_device_value(void *device)
{
    typedef unsigned (*value_fn)(void *device);
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL ? word(world) : ((value_fn)interpose_next_by_name("_ZNSt13random_device9_M_getvalEv"))(device);
}

static bool is_random_device(const char *path)
{
    return strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0;
}

static int open_device(struct solo_world *world)
{
    static unsigned char bytes[DEVICE_SIZE];
    int fd = memfd_create("random", MFD_CLOEXEC);
    world->memory->random(world, bytes, sizeof bytes);
    if (fd >= 0 && (NEXT(write)(fd, bytes, sizeof bytes) < 0 || lseek(fd, 0, SEEK_SET) < 0)) {
        NEXT(close)(fd);
        fd = -1;
    }
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

INTERPOSED int open(const char *path, int flags, ...)
{
    struct solo_world *world = WORLD_OF_CALLER();
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return world != NULL && is_random_device(path) ? open_device(world) : NEXT(open)(path, flags, mode);
}

INTERPOSED int open64(const char *path, int flags, ...)
{
    struct solo_world *world = WORLD_OF_CALLER();
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return world != NULL && is_random_device(path) ? open_device(world) : NEXT(open64)(path, flags, mode);
}

INTERPOSED FILE *fopen(const char *restrict path, const char *restrict mode)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL && is_random_device(path) ? fdopen(open_device(world), "r") : NEXT(fopen)(path, mode);
}

INTERPOSED FILE *fopen64(const char *restrict path, const char *restrict mode)
{
    struct solo_world *world = WORLD_OF_CALLER();
    return world != NULL && is_random_device(path) ? fdopen(open_device(world), "r") : NEXT(fopen64)(path, mode);
}
