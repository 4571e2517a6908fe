/*
 * annotate.h - what the kit tells race and memory detectors.
 *
 * One set of macros, four back ends, chosen by what the build flavour defines and not by what this file is compiled
 * with, because the scheduler core is never instrumented and still has to speak to the detector of its program:
 *
 *     SOLO_TSAN      ThreadSanitizer. Its state is per fiber: a switch of fibers switches what is said here too.
 *     SOLO_ASAN      AddressSanitizer.
 *     SOLO_VALGRIND  helgrind, drd and memcheck at once. A few nanoseconds each when no tool is running. The harness
 *                    of the plain flavour speaks to them too (SOLO_ANNOTATE_HARNESS): programs of this one load it.
 *     none           nothing; arguments are not evaluated.
 *
 * Only synchronisation that programs really have is said: a lock, an item handed over, start, join. The hand-over
 * between virtual threads is never said, or it would order everything and hide every race (sanitizer/selftest.c).
 *
 * A lock is said as release and acquire on its address, in every back end. The richer lock requests would also find
 * lock-order inversions, but a schedule that ends while somebody holds a lock leaves them wrong for the next one.
 */
#ifndef SOLO__ANNOTATE_H
#define SOLO__ANNOTATE_H

#if (defined(SOLO_TSAN) + defined(SOLO_ASAN) + defined(SOLO_VALGRIND)) > 1
#error "one of SOLO_TSAN, SOLO_ASAN and SOLO_VALGRIND"
#endif

#if defined(SOLO_TSAN)

/* Exported by the runtime, in no public header. */
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_mutex_pre_signal(void *address, unsigned flags);
void __tsan_mutex_post_signal(void *address, unsigned flags);
void __tsan_func_entry(void *return_address);
void __tsan_func_exit(void);
void __tsan_write1_pc(void *address, void *pc);
void __tsan_read_range(void *address, unsigned long size);

#define SOLO_ANNOTATE_HAPPENS_BEFORE(address) __tsan_release((void *)(address))
#define SOLO_ANNOTATE_HAPPENS_AFTER(address) __tsan_acquire((void *)(address))
/*
 * The runtime's own way to look away while a custom mutex signals: it counts, covers plain accesses, intercepted
 * calls such as memcpy, and synchronisation. __tsan_ignore_thread_begin would do the same, and store a stack each
 * time.
 */
#define SOLO_ANNOTATE_IGNORE_BEGIN() __tsan_mutex_pre_signal((void *)0, 0)
#define SOLO_ANNOTATE_IGNORE_END() __tsan_mutex_post_signal((void *)0, 0)
#define SOLO_ANNOTATE_FUNC_ENTRY(return_address) __tsan_func_entry(return_address)
#define SOLO_ANNOTATE_FUNC_EXIT() __tsan_func_exit()
#define SOLO_ANNOTATE_CALL_ON(address) __tsan_write1_pc((void *)(address), __builtin_return_address(0))
#define SOLO_ANNOTATE_READS(address, size) __tsan_read_range((void *)(address), (size))

#elif defined(SOLO_ASAN)

#include <stddef.h>
void __asan_poison_memory_region(void const volatile *address, size_t size);
void __asan_unpoison_memory_region(void const volatile *address, size_t size);

#define SOLO_ANNOTATE_POISON(address, size) __asan_poison_memory_region((address), (size))
#define SOLO_ANNOTATE_UNPOISON(address, size) __asan_unpoison_memory_region((address), (size))

#elif defined(SOLO_VALGRIND) || (defined(SOLO_ANNOTATE_HARNESS) && __has_include(<valgrind/helgrind.h>))

/* helgrind.h and drd.h define the same names; helgrind's requests for order are understood by both. */
#include <valgrind/drd.h>
#undef ANNOTATE_HAPPENS_BEFORE
#undef ANNOTATE_HAPPENS_AFTER
#undef ANNOTATE_NEW_MEMORY
#include <valgrind/helgrind.h>
#include <valgrind/memcheck.h>

#define SOLO__REQUEST(request, a, b) VALGRIND_DO_CLIENT_REQUEST_STMT((request), (a), (b), 0, 0, 0)

#define SOLO_ANNOTATE_HAPPENS_BEFORE(address) SOLO__REQUEST(_VG_USERREQ__HG_USERSO_SEND_PRE, (address), 0)
#define SOLO_ANNOTATE_HAPPENS_AFTER(address) SOLO__REQUEST(_VG_USERREQ__HG_USERSO_RECV_POST, (address), 0)
#define SOLO_ANNOTATE_LOCK_DESTROY(address) SOLO__REQUEST(_VG_USERREQ__HG_USERSO_FORGET_ALL, (address), 0)
/* helgrind has no such request for a thread: what the kit keeps must be PRIVATE as well. */
#define SOLO_ANNOTATE_IGNORE_BEGIN()                                                                                   \
    do {                                                                                                               \
        SOLO__REQUEST(VG_USERREQ__DRD_RECORD_LOADS, 0, 0);                                                             \
        SOLO__REQUEST(VG_USERREQ__DRD_RECORD_STORES, 0, 0);                                                            \
    } while (0)
#define SOLO_ANNOTATE_IGNORE_END()                                                                                     \
    do {                                                                                                               \
        SOLO__REQUEST(VG_USERREQ__DRD_RECORD_LOADS, 1, 0);                                                             \
        SOLO__REQUEST(VG_USERREQ__DRD_RECORD_STORES, 1, 0);                                                            \
    } while (0)
#define SOLO_ANNOTATE_PRIVATE(address, size)                                                                           \
    do {                                                                                                               \
        SOLO__REQUEST(_VG_USERREQ__HG_ARANGE_MAKE_UNTRACKED, (address), (size));                                       \
        SOLO__REQUEST(VG_USERREQ__DRD_START_SUPPRESSION, (address), (size));                                           \
    } while (0)
#define SOLO_ANNOTATE_POISON(address, size) SOLO__REQUEST(VG_USERREQ__MAKE_MEM_NOACCESS, (address), (size))
#define SOLO_ANNOTATE_UNPOISON(address, size) SOLO__REQUEST(VG_USERREQ__MAKE_MEM_DEFINED, (address), (size))
#define SOLO_ANNOTATE_UNDER_VALGRIND() (RUNNING_ON_VALGRIND != 0)

#endif

/* Release: what this thread did so far happens before whatever follows a later HAPPENS_AFTER of this address. */
#ifndef SOLO_ANNOTATE_HAPPENS_BEFORE
#define SOLO_ANNOTATE_HAPPENS_BEFORE(address) ((void)0)
#define SOLO_ANNOTATE_HAPPENS_AFTER(address) ((void)0)
#endif

/* A lock that the program sees. ACQUIRED once it is ours, RELEASED before it is somebody else's. */
#ifndef SOLO_ANNOTATE_LOCK_DESTROY
#define SOLO_ANNOTATE_LOCK_DESTROY(address) ((void)0)
#endif
#define SOLO_ANNOTATE_LOCK_CREATE(address) ((void)0)
#define SOLO_ANNOTATE_LOCK_ACQUIRED(address) SOLO_ANNOTATE_HAPPENS_AFTER(address)
#define SOLO_ANNOTATE_LOCK_RELEASED(address) SOLO_ANNOTATE_HAPPENS_BEFORE(address)

/* Race detectors ignore the accesses of the calling thread in between. Pairs may nest under TSan only. */
#ifndef SOLO_ANNOTATE_IGNORE_BEGIN
#define SOLO_ANNOTATE_IGNORE_BEGIN() ((void)0)
#define SOLO_ANNOTATE_IGNORE_END() ((void)0)
#endif

/* helgrind and drd never check this memory. TSan needs no such word: what must not be checked is not instrumented. */
#ifndef SOLO_ANNOTATE_PRIVATE
#define SOLO_ANNOTATE_PRIVATE(address, size) ((void)0)
#endif

/* Touching poisoned memory is an error until it is unpoisoned. ASan rounds the start up to 8 bytes. */
#ifndef SOLO_ANNOTATE_POISON
#define SOLO_ANNOTATE_POISON(address, size) ((void)0)
#define SOLO_ANNOTATE_UNPOISON(address, size) ((void)0)
#endif

/* Whether valgrind runs this process, as far as this flavour can tell. */
#ifndef SOLO_ANNOTATE_UNDER_VALGRIND
#define SOLO_ANNOTATE_UNDER_VALGRIND() 0
#endif

/* Puts an uninstrumented public function into TSan's stacks: its caller's frame would be missing otherwise. */
#ifndef SOLO_ANNOTATE_FUNC_ENTRY
#define SOLO_ANNOTATE_FUNC_ENTRY(return_address) ((void)0)
#define SOLO_ANNOTATE_FUNC_EXIT() ((void)0)
#endif

/*
 * In an uninstrumented public function. CALL_ON: two calls on what this byte stands for race unless something orders
 * them; what the engine does with it later is not the program's concern. READS: the call reads memory of the program's.
 */
#ifndef SOLO_ANNOTATE_CALL_ON
#define SOLO_ANNOTATE_CALL_ON(address) ((void)0)
#define SOLO_ANNOTATE_READS(address, size) ((void)0)
#endif

#endif
