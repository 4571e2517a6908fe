/*
 * stdio.c - a FILE that a program locks itself (flockfile) and keeps over a scheduling point.
 *
 * The C library's own lock in a FILE is taken and given back within each call, where no other thread can run. With
 * flockfile a program holds it longer, and the C library would then block inside of itself: so flockfile is a lock of
 * the simulated world as well, and the calls below wait for that one first. Any other call on such a FILE blocks
 * unmodelled, which the explorer names.
 */
#define _GNU_SOURCE
#define __NO_INLINE__ 1 /* the C library's header defines some of these as inline functions otherwise */
#include "interpose.h"
#include <stdarg.h>
#include <stdio.h>

static struct interpose_object *lock_of(FILE *file)
{
    struct interpose_object *object = interpose_object(INTERPOSE_FILE, file);
    object->mutex.type = PTHREAD_MUTEX_RECURSIVE;
    return object;
}

INTERPOSED void flockfile(FILE *file)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL) {
        (void)interpose_mutex_lock(world, lock_of(file), SOLO_NEVER);
    }
    NEXT(flockfile)(file);
}

INTERPOSED int ftrylockfile(FILE *file)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL && interpose_mutex_trylock(world, lock_of(file)) != 0) {
        return -1;
    }
    return NEXT(ftrylockfile)(file);
}

INTERPOSED void funlockfile(FILE *file)
{
    struct solo_world *world = WORLD_OF_CALLER();
    NEXT(funlockfile)(file);
    if (world != NULL) {
        (void)interpose_mutex_unlock(world, lock_of(file));
    }
}

/* Waits while another thread has locked this FILE by itself. */
static void pass(struct solo_world *world, FILE *file)
{
    struct interpose_object *object = world != NULL ? interpose_object_known(INTERPOSE_FILE, file) : NULL;
    if (object != NULL && object->mutex.holder != NULL && object->mutex.holder != solo_model_self()) {
        (void)interpose_mutex_lock(world, object, SOLO_NEVER);
        (void)interpose_mutex_unlock(world, object);
    }
}

#define PASS(file) pass(WORLD_OF_CALLER(), (file))

/* ---- Writing ---- */

INTERPOSED int vfprintf(FILE *restrict file, const char *restrict format, va_list arguments)
{
    PASS(file);
    return NEXT(vfprintf)(file, format, arguments);
}

INTERPOSED int fprintf(FILE *restrict file, const char *restrict format, ...)
{
    va_list arguments;
    PASS(file);
    va_start(arguments, format);
    int result = NEXT(vfprintf)(file, format, arguments);
    va_end(arguments);
    return result;
}

INTERPOSED int printf(const char *restrict format, ...)
{
    va_list arguments;
    PASS(stdout);
    va_start(arguments, format);
    int result = NEXT(vfprintf)(stdout, format, arguments);
    va_end(arguments);
    return result;
}

INTERPOSED int vprintf(const char *restrict format, va_list arguments)
{
    PASS(stdout);
    return NEXT(vfprintf)(stdout, format, arguments);
}

/* Of programs that were compiled with _FORTIFY_SOURCE. */
INTERPOSED int __vfprintf_chk(FILE *restrict file, int flag, const char *restrict format, va_list arguments);
INTERPOSED int __vfprintf_chk(FILE *restrict file, int flag, const char *restrict format, va_list arguments)
{
    PASS(file);
    return NEXT(__vfprintf_chk)(file, flag, format, arguments);
}

INTERPOSED int __fprintf_chk(FILE *restrict file, int flag, const char *restrict format, ...);
INTERPOSED int __fprintf_chk(FILE *restrict file, int flag, const char *restrict format, ...)
{
    va_list arguments;
    PASS(file);
    va_start(arguments, format);
    int result = NEXT(__vfprintf_chk)(file, flag, format, arguments);
    va_end(arguments);
    return result;
}

INTERPOSED int __printf_chk(int flag, const char *restrict format, ...);
INTERPOSED int __printf_chk(int flag, const char *restrict format, ...)
{
    va_list arguments;
    PASS(stdout);
    va_start(arguments, format);
    int result = NEXT(__vfprintf_chk)(stdout, flag, format, arguments);
    va_end(arguments);
    return result;
}

INTERPOSED int puts(const char *text)
{
    PASS(stdout);
    return NEXT(puts)(text);
}

INTERPOSED int fputs(const char *restrict text, FILE *restrict file)
{
    PASS(file);
    return NEXT(fputs)(text, file);
}

INTERPOSED int fputc(int c, FILE *file)
{
    PASS(file);
    return NEXT(fputc)(c, file);
}

INTERPOSED int(putc)(int c, FILE *file)
{
    PASS(file);
    return NEXT(fputc)(c, file);
}

INTERPOSED int(putchar)(int c)
{
    PASS(stdout);
    return NEXT(fputc)(c, stdout);
}

INTERPOSED size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict file)
{
    PASS(file);
    return NEXT(fwrite)(data, size, count, file);
}

INTERPOSED int fflush(FILE *file)
{
    if (file != NULL) {
        PASS(file);
    }
    return NEXT(fflush)(file);
}

/* ---- Reading ---- */

INTERPOSED char *fgets(char *restrict buffer, int size, FILE *restrict file)
{
    PASS(file);
    return NEXT(fgets)(buffer, size, file);
}

INTERPOSED int fgetc(FILE *file)
{
    PASS(file);
    return NEXT(fgetc)(file);
}

INTERPOSED int(getc)(FILE *file)
{
    PASS(file);
    return NEXT(fgetc)(file);
}

INTERPOSED size_t fread(void *restrict buffer, size_t size, size_t count, FILE *restrict file)
{
    PASS(file);
    return NEXT(fread)(buffer, size, count, file);
}
