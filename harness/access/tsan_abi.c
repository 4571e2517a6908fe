/*
 * tsan_abi.c - what a program calls that was compiled with -fsanitize=thread, without ThreadSanitizer.
 *
 * `solo cc` links this (libsolo-access.a) instead of the detector. Each access is announced to libsolo-interpose.so if
 * that is loaded; else these functions do nothing but what an atomic operation has to do. Nothing else of the kit is
 * needed, so the program runs by itself as it would have.
 */
#include <stddef.h>
#include <stdint.h>

/* Nobody's, unless the explorer has loaded it before the program. */
extern void solo_interpose_access(const void *address, size_t size, int writes) __attribute__((weak));

#define ABI __attribute__((visibility("default")))

static inline void announce(const volatile void *address, size_t size, int writes)
{
    if (solo_interpose_access != NULL) {
        solo_interpose_access((const void *)(uintptr_t)address, size, writes);
    }
}

ABI void __tsan_init(void);
ABI void __tsan_init(void) {}

ABI void __tsan_func_entry(void *return_address);
ABI void __tsan_func_entry(void *return_address)
{
    (void)return_address;
}

ABI void __tsan_func_exit(void);
ABI void __tsan_func_exit(void) {}

#define PLAIN(name, size, writes)                                                                                      \
    ABI void __tsan_##name(void *address);                                                                             \
    ABI void __tsan_##name(void *address)                                                                              \
    {                                                                                                                  \
        announce(address, (size), (writes));                                                                           \
    }
#define PLAIN_SIZE(size)                                                                                               \
    PLAIN(read##size, size, 0)                                                                                         \
    PLAIN(write##size, size, 1)                                                                                        \
    PLAIN(read_write##size, size, 1)                                                                                   \
    PLAIN(unaligned_read##size, size, 0)                                                                               \
    PLAIN(unaligned_write##size, size, 1)                                                                              \
    PLAIN(unaligned_read_write##size, size, 1)                                                                         \
    PLAIN(volatile_read##size, size, 0)                                                                                \
    PLAIN(volatile_write##size, size, 1)                                                                               \
    PLAIN(unaligned_volatile_read##size, size, 0)                                                                      \
    PLAIN(unaligned_volatile_write##size, size, 1)
PLAIN_SIZE(1)
PLAIN_SIZE(2)
PLAIN_SIZE(4)
PLAIN_SIZE(8)
PLAIN_SIZE(16)
PLAIN(vptr_read, sizeof(void *), 0)

ABI void __tsan_vptr_update(void **address, void *value);
ABI void __tsan_vptr_update(void **address, void *value)
{
    (void)value;
    announce(address, sizeof *address, 1);
}

ABI void __tsan_read_range(void *address, size_t size);
ABI void __tsan_read_range(void *address, size_t size)
{
    announce(address, size, 0);
}

ABI void __tsan_write_range(void *address, size_t size);
ABI void __tsan_write_range(void *address, size_t size)
{
    announce(address, size, 1);
}

/* One thread runs at a time, and hand-overs order everything: the strongest order is as good as any other. */
#define FETCH(bits, type, name)                                                                                        \
    ABI type __tsan_atomic##bits##_fetch_##name(volatile type *address, type value, int order);                        \
    ABI type __tsan_atomic##bits##_fetch_##name(volatile type *address, type value, int order)                         \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        announce(address, sizeof *address, 1);                                                                         \
        return __atomic_fetch_##name(address, value, __ATOMIC_SEQ_CST);                                                \
    }
#define COMPARE(bits, type, strength, weak)                                                                            \
    ABI int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *address, type *expected, type value,      \
                                                              int order, int failure);                                 \
    ABI int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *address, type *expected, type value,      \
                                                              int order, int failure)                                  \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        (void)failure;                                                                                                 \
        announce(address, sizeof *address, 1);                                                                         \
        return __atomic_compare_exchange_n(address, expected, value, (weak), __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);      \
    }
#define ATOMIC(bits, type)                                                                                             \
    ABI type __tsan_atomic##bits##_load(const volatile type *address, int order);                                      \
    ABI type __tsan_atomic##bits##_load(const volatile type *address, int order)                                       \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        announce(address, sizeof *address, 0);                                                                         \
        return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                             \
    }                                                                                                                  \
    ABI void __tsan_atomic##bits##_store(volatile type *address, type value, int order);                               \
    ABI void __tsan_atomic##bits##_store(volatile type *address, type value, int order)                                \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        announce(address, sizeof *address, 1);                                                                         \
        __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                            \
    }                                                                                                                  \
    ABI type __tsan_atomic##bits##_exchange(volatile type *address, type value, int order);                            \
    ABI type __tsan_atomic##bits##_exchange(volatile type *address, type value, int order)                             \
    {                                                                                                                  \
        (void)order;                                                                                                   \
        announce(address, sizeof *address, 1);                                                                         \
        return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);                                                  \
    }                                                                                                                  \
    FETCH(bits, type, add)                                                                                             \
    FETCH(bits, type, sub)                                                                                             \
    FETCH(bits, type, and)                                                                                             \
    FETCH(bits, type, or)                                                                                              \
    FETCH(bits, type, xor)                                                                                             \
    FETCH(bits, type, nand)                                                                                            \
    COMPARE(bits, type, strong, 0)                                                                                     \
    COMPARE(bits, type, weak, 1)                                                                                       \
    ABI type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type value, int order,  \
                                                        int failure);                                                  \
    ABI type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type value, int order,  \
                                                        int failure)                                                   \
    {                                                                                                                  \
        (void)__tsan_atomic##bits##_compare_exchange_strong(address, &expected, value, order, failure);                \
        return expected;                                                                                               \
    }
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

ABI void __tsan_atomic_thread_fence(int order);
ABI void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

ABI void __tsan_atomic_signal_fence(int order);
ABI void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
