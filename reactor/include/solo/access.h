/*
 * access.h - saying that shared memory is about to be touched.
 *
 * In world sim threads hand over at announced points only, so a bug that lies between two accesses to plain memory is
 * out of reach unless the accesses are points too. A scenario says so itself with the calls below; a program has its
 * compiler say it. In world os they do nothing.
 *
 * Memory is told apart by words of eight bytes: accesses to one word depend on each other unless both read. An access
 * that lies in several words is one point for each.
 */
#ifndef SOLO_ACCESS_H
#define SOLO_ACCESS_H

#include <solo/contract.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A scheduling point before `size` bytes at `address` are read: other threads may run first. Nothing is read here. The
 * word is named in traces by the order of first accesses in the schedule ("memory#1"), never by its address. Size 0,
 * a NULL address and world os: nothing happens.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_access_read(const volatile void *address, size_t size);

/* The same before they are written, or read and written in one atomic step. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_access_write(const volatile void *address, size_t size);

/* The value of a shared variable, and setting it, each with its point. */
#define SOLO_READ(variable) (solo_access_read(&(variable), sizeof(variable)), (variable))
#define SOLO_WRITE(variable, value)                                                                                    \
    do {                                                                                                               \
        __typeof__((variable) + 0) solo_value_ = (value);                                                              \
        solo_access_write(&(variable), sizeof(variable));                                                              \
        (variable) = solo_value_;                                                                                      \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
