/*
 * released.h - memory that a program with AddressSanitizer or ThreadSanitizer gives back, told to the kit
 * (solo/memory.h). Part of the hooks of both: in such a program free is the runtime's.
 */
#ifndef SOLO__RELEASED_H
#define SOLO__RELEASED_H

#include <solo/memory.h>

/* sanitizer/allocator_interface.h, which gcc's include folder has and clang's may not. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_allocated)(const volatile void *memory, size_t size),
                                              void (*on_released)(const volatile void *memory));
size_t __sanitizer_get_allocated_size(const volatile void *memory);

#ifdef SOLO_HOOK_INSIDE
#pragma weak __sanitizer_install_malloc_and_free_hooks
#pragma weak __sanitizer_get_allocated_size
#endif

static void hook_allocated(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

static void hook_released(const volatile void *memory)
{
    if (memory != NULL) {
        solo_memory_released((const void *)memory, __sanitizer_get_allocated_size(memory));
    }
}

__attribute__((constructor)) static void install_released_hook(void)
{
#ifdef SOLO_HOOK_INSIDE
    extern void __asan_init(void) __attribute__((weak));
    if (__asan_init == NULL || __sanitizer_install_malloc_and_free_hooks == NULL) {
        return;
    }
#endif
    (void)__sanitizer_install_malloc_and_free_hooks(hook_allocated, hook_released);
}

#endif
