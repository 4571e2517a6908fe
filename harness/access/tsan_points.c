/*
 * tsan_points.c - memory accesses as scheduling points beside the real ThreadSanitizer: `solo cc --tsan`.
 *
 * clang calls __sanitizer_cov_load4 and its like before each plain access, and after it the detector's own function: so
 * other threads run before the access is taken note of. Atomic operations are the detector's alone; the linker leads
 * them here first (--wrap). As in tsan_abi.c, nothing happens unless the explorer has loaded libsolo-interpose.so.
 */
#include "points.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern void solo_interpose_access(const void *address, size_t size, int writes) __attribute__((weak));

#define ABI __attribute__((visibility("default")))

static inline void announce(const volatile void *address, size_t size, int writes)
{
    if (solo_interpose_access != NULL) {
        solo_interpose_access((const void *)(uintptr_t)address, size, writes);
    }
}

#define PLAIN(name, size, writes)                                                                                      \
    ABI void __sanitizer_cov_##name##size(void *address);                                                              \
    ABI void __sanitizer_cov_##name##size(void *address)                                                               \
    {                                                                                                                  \
        announce(address, (size), (writes));                                                                           \
    }
#define PLAIN_SIZE(size)                                                                                               \
    PLAIN(load, size, 0)                                                                                               \
    PLAIN(store, size, 1)
PLAIN_SIZE(1)
PLAIN_SIZE(2)
PLAIN_SIZE(4)
PLAIN_SIZE(8)
PLAIN_SIZE(16)

/* The detector does this one by itself, and would wait inside the kernel. */
extern bool solo_interpose_once(int *flag, void (*fn)(void)) __attribute__((weak));
int __real_pthread_once(int *flag, void (*fn)(void));
int __wrap_pthread_once(int *flag, void (*fn)(void));
int __wrap_pthread_once(int *flag, void (*fn)(void))
{
    bool done = solo_interpose_once != NULL && solo_interpose_once(flag, fn);
    return done ? 0 : __real_pthread_once(flag, fn);
}

/* And so it does these, with which C++ initialises the static variables of a function. */
extern int solo_interpose_guard_acquire(void *guard) __attribute__((weak));
extern bool solo_interpose_guard_end(void *guard, bool is_there) __attribute__((weak));
int __real___cxa_guard_acquire(void *guard);
void __real___cxa_guard_release(void *guard);
void __real___cxa_guard_abort(void *guard);
int __wrap___cxa_guard_acquire(void *guard);
void __wrap___cxa_guard_release(void *guard);
void __wrap___cxa_guard_abort(void *guard);
int __wrap___cxa_guard_acquire(void *guard)
{
    int result = solo_interpose_guard_acquire != NULL ? solo_interpose_guard_acquire(guard) : -1;
    return result >= 0 ? result : __real___cxa_guard_acquire(guard);
}

void __wrap___cxa_guard_release(void *guard)
{
    if (solo_interpose_guard_end == NULL || !solo_interpose_guard_end(guard, true)) {
        __real___cxa_guard_release(guard);
    }
}

void __wrap___cxa_guard_abort(void *guard)
{
    if (solo_interpose_guard_end == NULL || !solo_interpose_guard_end(guard, false)) {
        __real___cxa_guard_abort(guard);
    }
}

#define CHANGE(bits, type, name)                                                                                       \
    type __real___tsan_atomic##bits##_##name(volatile type *address, type value, int order);                           \
    type __wrap___tsan_atomic##bits##_##name(volatile type *address, type value, int order);                           \
    type __wrap___tsan_atomic##bits##_##name(volatile type *address, type value, int order)                            \
    {                                                                                                                  \
        announce(address, sizeof *address, 1);                                                                         \
        return __real___tsan_atomic##bits##_##name(address, value, order);                                             \
    }
#define COMPARE(bits, type, strength)                                                                                  \
    int __real___tsan_atomic##bits##_compare_exchange_##strength(volatile type *address, type *expected, type value,   \
                                                                 int order, int failure);                              \
    int __wrap___tsan_atomic##bits##_compare_exchange_##strength(volatile type *address, type *expected, type value,   \
                                                                 int order, int failure);                              \
    int __wrap___tsan_atomic##bits##_compare_exchange_##strength(volatile type *address, type *expected, type value,   \
                                                                 int order, int failure)                               \
    {                                                                                                                  \
        announce(address, sizeof *address, 1);                                                                         \
        return __real___tsan_atomic##bits##_compare_exchange_##strength(address, expected, value, order, failure);     \
    }
#define ATOMIC(bits, type)                                                                                             \
    type __real___tsan_atomic##bits##_load(const volatile type *address, int order);                                   \
    type __wrap___tsan_atomic##bits##_load(const volatile type *address, int order);                                   \
    type __wrap___tsan_atomic##bits##_load(const volatile type *address, int order)                                    \
    {                                                                                                                  \
        announce(address, sizeof *address, 0);                                                                         \
        return __real___tsan_atomic##bits##_load(address, order);                                                      \
    }                                                                                                                  \
    void __real___tsan_atomic##bits##_store(volatile type *address, type value, int order);                            \
    void __wrap___tsan_atomic##bits##_store(volatile type *address, type value, int order);                            \
    void __wrap___tsan_atomic##bits##_store(volatile type *address, type value, int order)                             \
    {                                                                                                                  \
        announce(address, sizeof *address, 1);                                                                         \
        __real___tsan_atomic##bits##_store(address, value, order);                                                     \
    }                                                                                                                  \
    ACCESS_CHANGES(CHANGE, bits, type)                                                                                 \
    COMPARE(bits, type, strong)                                                                                        \
    COMPARE(bits, type, weak)                                                                                          \
    type __real___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type value,          \
                                                           int order, int failure);                                    \
    type __wrap___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type value,          \
                                                           int order, int failure);                                    \
    type __wrap___tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type value,          \
                                                           int order, int failure)                                     \
    {                                                                                                                  \
        announce(address, sizeof *address, 1);                                                                         \
        return __real___tsan_atomic##bits##_compare_exchange_val(address, expected, value, order, failure);            \
    }
ACCESS_SIZES(ATOMIC)
