/*
 * core_token.c - the token carrier: virtual threads as real threads, of which one at a time has the turn.
 *
 * Never instrumented. The turn is one word a thread, handed over with builtin atomics and a raw futex: neither is known
 * to ThreadSanitizer, helgrind or drd, so they see only the program's own ordering. A mutex here would order the turns
 * and hide every race (tests/sanitizer proves both). All threads share one processor: only one runs at a time anyway.
 */
#define _GNU_SOURCE
#include "core_private.h"
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_SIZE = 1 << 20 };

static solo_model_create_fn create_pthread = pthread_create;
static solo_model_join_fn join_pthread = pthread_join;

void core_token_use(solo_model_create_fn create_fn, solo_model_join_fn join_fn)
{
    create_pthread = create_fn != NULL ? create_fn : pthread_create;
    join_pthread = join_fn != NULL ? join_fn : pthread_join;
}

static void wait_for_turn(struct core_thread *thread)
{
    while (__atomic_load_n(&thread->turn, __ATOMIC_ACQUIRE) == 0) {
        syscall(SYS_futex, &thread->turn, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
    __atomic_store_n(&thread->turn, 0, __ATOMIC_RELAXED);
}

static void give_turn(struct core_thread *thread)
{
    __atomic_store_n(&thread->turn, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &thread->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void core_token_switch(struct core *core, struct core_thread *from, struct core_thread *to)
{
    if (core->visible_handover) {
        SOLO_ANNOTATE_HAPPENS_BEFORE(&core->visible_handover);
    }
    give_turn(to);
    wait_for_turn(from);
    if (from->abandoned) {
        from->abandoned = false;
        _longjmp(from->base, 1);
    }
    if (core->visible_handover) {
        SOLO_ANNOTATE_HAPPENS_AFTER(&core->visible_handover);
    }
}

/* Race detectors call the thread by this name in what they say of it. */
static void tell_name(const struct solo_thread *self)
{
#if defined(SOLO_TSAN) || defined(SOLO_VALGRIND)
    char name[16]; /* the kernel's limit */
    SOLO_ANNOTATE_IGNORE_BEGIN();
    (void)pthread_setname_np(pthread_self(), solo__thread_print_name(self, name, sizeof name));
    SOLO_ANNOTATE_IGNORE_END();
#else
    (void)self;
#endif
}

static void run_once(struct core_thread *thread)
{
    struct core *core = thread->core;
    struct core_thread *volatile next = &core->home;
    if (core->visible_handover) {
        SOLO_ANNOTATE_HAPPENS_AFTER(&core->visible_handover);
    }
    thread->began = true;
    solo__self = thread->self;
    tell_name(thread->self);
    if (_setjmp(thread->base) == 0) {
        core_thread_body(core, thread);
        next = core_next_after_end(core, thread);
        core->current = next;
    } else {
        SOLO_ANNOTATE_HAPPENS_BEFORE(&core->end_marker);
    }
    if (core->visible_handover) {
        SOLO_ANNOTATE_HAPPENS_BEFORE(&core->visible_handover);
    }
    thread->at_base = true;
    give_turn(next);
}

/* The pthread stays where it is until the slot is used again: what it does when it ends is in nobody's order. */
void core_token_leave(struct core *core, struct core_thread *thread)
{
    struct core_thread *next = core_next_after_end(core, thread);
    core->current = next;
    thread->at_base = thread->left = true;
    give_turn(next);
    wait_for_turn(thread); /* for core_token_free */
}

static void *carry(void *arg)
{
    struct core_thread *thread = arg;
    for (;;) {
        wait_for_turn(thread);
        if (thread->quit) {
            return NULL;
        }
        run_once(thread);
    }
}

int core_token_make(struct core *core, struct core_thread *thread)
{
    if (core->entered || thread->left) {
        core_token_free(thread); /* a program's threads begin with fresh thread-local variables, each of them */
    }
    if (thread->has_pthread || thread->own_stack) {
        return 0;
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int error = create_pthread(&thread->pthread, &attributes, carry, thread);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        return -EAGAIN;
    }
    thread->has_pthread = true;
    void *low = NULL;
    if (pthread_getattr_np(thread->pthread, &attributes) == 0) {
        pthread_attr_getstack(&attributes, &low, &thread->stack_size);
        pthread_attr_destroy(&attributes);
    }
    thread->stack = low;
    return 0;
}

/* The run ended while this thread waited for its turn: it unwinds to its base and gives the turn back to home. */
void core_token_abandon(struct core *core, struct core_thread *thread)
{
    if (!thread->has_pthread || !thread->began) {
        return; /* it never had a turn: it still waits at its base */
    }
    thread->abandoned = true;
    give_turn(thread);
    wait_for_turn(&core->home);
}

void core_token_free(struct core_thread *thread)
{
    if (!thread->has_pthread) {
        return;
    }
    thread->quit = true;
    give_turn(thread);
    join_pthread(thread->pthread, NULL);
    thread->has_pthread = thread->quit = thread->left = false;
}

void core_token_pin(void)
{
    cpu_set_t one;
    int processor = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(processor >= 0 ? (unsigned)processor : 0, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}
