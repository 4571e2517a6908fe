/*
 * core_fiber.c - the fiber carrier: virtual threads as hand-written fibers on one thread of the operating system.
 *
 * Never instrumented. ThreadSanitizer is told of each switch without synchronisation (flag 1), so that it sees the
 * program's own ordering and not the scheduler's. Thread-local storage is shared by all fibers; errno is saved over a
 * switch.
 */
#define _GNU_SOURCE
#include "core_private.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef SOLO_VALGRIND
#include <valgrind/valgrind.h>
#endif
#ifdef SOLO_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SOLO_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
enum { TSAN_SWITCH_WITHOUT_SYNC = 1 };
#endif

enum { STACK_SIZE = 256 << 10, GUARD_SIZE = 4096 };

/*
 * Saves the callee-saved registers and both floating-point control words on the present stack, stores the stack pointer
 * in *save and continues on the stack `restore`, which was saved the same way. Control words are loaded only where they
 * differ: that takes as long as all the rest, and threads seldom change them.
 */
void core_fiber_jump(void **save, void *restore);
void core_fiber_first(void); /* what a fresh stack returns into: calls fiber_entry(r12) */

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl core_fiber_jump\n.hidden core_fiber_jump\n.type core_fiber_jump,@function\n"
        "core_fiber_jump:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n  stmxcsr (%rsp)\n  fnstcw 4(%rsp)\n"
        "  movl (%rsp), %eax\n  movzwl 4(%rsp), %ecx\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  cmpl %eax, (%rsp)\n  je 1f\n  ldmxcsr (%rsp)\n"
        "1:\n"
        "  cmpw %cx, 4(%rsp)\n  je 2f\n  fldcw 4(%rsp)\n"
        "2:\n"
        "  addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size core_fiber_jump,.-core_fiber_jump\n"
        ".globl core_fiber_first\n.hidden core_fiber_first\n.type core_fiber_first,@function\n"
        "core_fiber_first:\n"
        "  movq %r12, %rdi\n"
        "  jmp core_fiber_entry\n"
        ".size core_fiber_first,.-core_fiber_first\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");
#else
#error "the fiber carrier is written for x86-64; add core_fiber_jump and core_fiber_first for this machine"
#endif

void core_fiber_entry(struct core_thread *thread) __attribute__((noreturn, visibility("hidden"), used));

static void switch_begin(struct core *core, struct core_thread *from, struct core_thread *to, bool ends)
{
#ifdef SOLO_ASAN
    (void)core;
    __sanitizer_start_switch_fiber(ends ? NULL : &from->asan_fake_stack, to->stack, to->stack_size);
#elif defined(SOLO_TSAN)
    (void)from;
    (void)ends;
    __tsan_switch_to_fiber(to->tsan_fiber, core->visible_handover ? 0 : TSAN_SWITCH_WITHOUT_SYNC);
#else
    (void)core;
    (void)from;
    (void)to;
    (void)ends;
#endif
}

static void switch_finish(struct core_thread *self)
{
#ifdef SOLO_ASAN
    __sanitizer_finish_switch_fiber(self->asan_fake_stack, NULL, NULL);
#else
    (void)self;
#endif
}

void core_fiber_switch(struct core *core, struct core_thread *from, struct core_thread *to)
{
    int *errno_of_carrier = core->errno_of_carrier, saved = *errno_of_carrier;
    solo__self = to->self;
    switch_begin(core, from, to, false);
    core_fiber_jump(&from->stack_pointer, to->stack_pointer);
    switch_finish(from);
    *errno_of_carrier = saved;
}

void core_fiber_entry(struct core_thread *thread)
{
    struct core *core = thread->core;
    switch_finish(thread);
    core_thread_body(core, thread);
    struct core_thread *next = core_next_after_end(core, thread);
    thread->at_base = true;
    core->current = next;
    solo__self = next->self;
    switch_begin(core, thread, next, true);
    core_fiber_jump(&thread->stack_pointer, next->stack_pointer);
    abort(); /* an ended fiber is never switched to */
}

#ifdef SOLO_TSAN
static void make_quiet_fiber(struct core *core)
{
    void *here = __tsan_get_current_fiber();
    core->quiet_fiber = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(core->quiet_fiber, TSAN_SWITCH_WITHOUT_SYNC);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    __tsan_switch_to_fiber(here, TSAN_SWITCH_WITHOUT_SYNC);
}

void core_fiber_quiet_begin(struct core *core)
{
    __tsan_switch_to_fiber(core->quiet_fiber, TSAN_SWITCH_WITHOUT_SYNC);
}

void core_fiber_quiet_end(struct core *core)
{
    __tsan_switch_to_fiber(core->current->tsan_fiber, TSAN_SWITCH_WITHOUT_SYNC);
}
#endif

/* Home and the process's main thread run on a stack that the kit did not make. */
static int adopt_own_stack(struct core_thread *thread)
{
#ifdef SOLO_TSAN
    thread->tsan_fiber = __tsan_get_current_fiber();
#endif
#ifdef SOLO_ASAN
    pthread_attr_t attributes;
    void *bottom = NULL;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &bottom, &thread->stack_size);
        pthread_attr_destroy(&attributes);
        thread->stack = bottom;
    }
#endif
    (void)thread;
    return 0;
}

int core_fiber_make(struct core *core, struct core_thread *thread)
{
#ifdef SOLO_TSAN
    if (core->quiet_fiber == NULL) {
        make_quiet_fiber(core);
    }
#endif
    if (!core->entered && (core->home.stack_size == 0 && core->home.tsan_fiber == NULL)) {
        adopt_own_stack(&core->home);
    }
    if (thread->own_stack) {
        return adopt_own_stack(thread);
    }
    if (thread->stack != NULL) {
        return 0;
    }
    char *memory = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return -ENOMEM;
    }
    mprotect(memory, GUARD_SIZE, PROT_NONE);
    thread->stack = memory + GUARD_SIZE;
    thread->stack_size = STACK_SIZE;
#ifdef SOLO_VALGRIND
    thread->valgrind_stack = VALGRIND_STACK_REGISTER(thread->stack, thread->stack + STACK_SIZE);
#endif
#ifdef SOLO_TSAN
    thread->tsan_fiber = __tsan_create_fiber(0);
#endif
    return 0;
}

/* Prepares the stack as core_fiber_jump leaves one, so that the first switch returns into core_fiber_first. */
void core_fiber_ready(struct core *core, struct core_thread *thread)
{
    (void)core;
    void **top = (void **)(thread->stack + STACK_SIZE);
    *--top = NULL; /* the end of the chain of frames */
    *--top = NULL;
    *--top = NULL;
    *--top = (void *)core_fiber_first; /* 0 mod 16 here, so that the entry sees 8 mod 16, as after a call */
    *--top = NULL;                     /* rbp */
    *--top = NULL;                     /* rbx */
    *--top = thread;                   /* r12 */
    *--top = NULL;                     /* r13 */
    *--top = NULL;                     /* r14 */
    *--top = NULL;                     /* r15 */
    *--top = (void *)(uintptr_t)(0x1f80u | UINT64_C(0x037f) << 32); /* default mxcsr and x87 control word */
    thread->stack_pointer = top;
#ifdef SOLO_ASAN
    thread->asan_fake_stack = NULL;
#endif
#ifdef SOLO_TSAN
    char name[32];
    __tsan_set_fiber_name(thread->tsan_fiber, solo__thread_print_name(thread->self, name, sizeof name));
#endif
}

/* The run ended while this fiber was inside it. Its frames are forgotten. */
void core_fiber_abandon(struct core *core, struct core_thread *thread)
{
    (void)core;
    (void)thread;
#ifdef SOLO_ASAN
    __asan_unpoison_memory_region(thread->stack, thread->stack_size);
#endif
#ifdef SOLO_TSAN
    /* All it did happens before whatever follows the run; its shadow stack cannot be unwound, so it gets a new one. */
    void *home = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(thread->tsan_fiber, TSAN_SWITCH_WITHOUT_SYNC);
    SOLO_ANNOTATE_HAPPENS_BEFORE(&core->end_marker);
    __tsan_switch_to_fiber(home, TSAN_SWITCH_WITHOUT_SYNC);
    SOLO_ANNOTATE_HAPPENS_AFTER(&core->end_marker);
    __tsan_destroy_fiber(thread->tsan_fiber);
    thread->tsan_fiber = __tsan_create_fiber(0);
#endif
}

void core_fiber_free(struct core_thread *thread)
{
    if (thread->stack == NULL || thread->own_stack) {
        return;
    }
#ifdef SOLO_VALGRIND
    VALGRIND_STACK_DEREGISTER(thread->valgrind_stack);
#endif
#ifdef SOLO_TSAN
    __tsan_destroy_fiber(thread->tsan_fiber);
#endif
    munmap(thread->stack - GUARD_SIZE, GUARD_SIZE + STACK_SIZE);
    thread->stack = NULL;
}

void core_fiber_finish(struct core *core)
{
    (void)core;
#ifdef SOLO_TSAN
    if (core->quiet_fiber != NULL) {
        void *here = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(core->quiet_fiber, TSAN_SWITCH_WITHOUT_SYNC);
        SOLO_ANNOTATE_IGNORE_END();
        __tsan_switch_to_fiber(here, TSAN_SWITCH_WITHOUT_SYNC);
        __tsan_destroy_fiber(core->quiet_fiber);
    }
#endif
}
