/*
 * hook_tsan.c - turns each report of ThreadSanitizer into a record, in the program that runs under it: a race is
 * SOLO017; locks in both orders, and misused ones, are SOLO016, as with helgrind.
 *
 * Linked as an object into every program of flavour tsan: the runtime lies in the program and looks for these hooks
 * nowhere else. It runs on the thread that made the second access, inside the detector and with its locks held, so it
 * must not be instrumented, symbolises nothing, and tells the detector to look away while the record is delivered.
 *
 * A process reports a race once, as the detector does by default: a report takes a millisecond, and after it the
 * detector ignores reads of that address anyway until it is freed. Who counts the schedules that show a race gives
 * each its own process. With TSAN_OPTIONS=suppress_equal_stacks=0:suppress_equal_addresses=0 writes that race are
 * delivered every time, and only the detector's own text is kept to the first of them. Where a sink is set there is no
 * text at all, and the program keeps its exit code.
 */
#define _GNU_SOURCE
#include "annotate.h"
#include <solo/thread.h>
#include <solo/tool_report.h>
#include <solo/violation.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In a program of `solo cc --tsan` the kit is there only when the explorer has loaded it (harness/module.mk). */
#ifdef SOLO_HOOK_ALONE
#pragma weak solo_violation_begin
#pragma weak solo_violation_has_sink
#pragma weak solo_violation_report
#else
#include "released.h"
#endif

/* Exported by the runtime, in no public header. `report` is the detector's own. */
int __tsan_get_report_data(void *report, const char **description, int *count, int *stack_count, int *mop_count,
                           int *loc_count, int *mutex_count, int *thread_count, int *unique_tid_count,
                           void **sleep_trace, unsigned long trace_size);
int __tsan_get_report_mop(void *report, unsigned long index, int *tid, void **address, int *size, int *write,
                          int *atomic, void **trace, unsigned long trace_size);
int __tsan_get_report_stack(void *report, unsigned long index, void **trace, unsigned long trace_size);
int __tsan_get_report_thread(void *report, unsigned long index, int *tid, unsigned long *os_id, int *running,
                             const char **name, int *parent_tid, void **trace, unsigned long trace_size);

/* bool __tsan::OnReport(const ReportDesc *, bool): a C++ name, and a weak one, made to be replaced. */
bool solo__tsan_on_report(void *report, bool suppressed) __asm__("_ZN6__tsan8OnReportEPKNS_10ReportDescEb");

const char *__tsan_default_options(void);

/* Whether the harness started this program. So early there are no libc's environment and no intercepted calls yet. */
static bool is_watched(void)
{
    static char block[64 << 10];
    static const char name[] = "SOLO_CONTROL=";
    long file = syscall(SYS_open, "/proc/self/environ", O_RDONLY | O_CLOEXEC);
    long size = 0, got;
    while ((got = syscall(SYS_read, file, block + size, sizeof block - 1 - (size_t)size)) > 0) {
        size += got;
    }
    (void)syscall(SYS_close, file);
    for (long at = 0; at < size; at++) {
        if ((at == 0 || block[at - 1] == '\0') && strncmp(block + at, name, sizeof name - 1) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * TSAN_OPTIONS has the last word. By default a process waits a second at its end, and starts another one to name the
 * frames of its first report, which the harness does better.
 */
const char *__tsan_default_options(void)
{
    return is_watched() ? "atexit_sleep_ms=0:symbolize=0" : "atexit_sleep_ms=0";
}

struct access {
    int thread;
    void *address;
    int size;
    int write;
    int atomic;
    struct solo_stack stack;
};

static void copy_trace(void *const *trace, struct solo_stack *stack)
{
    stack->count = 0;
    while (stack->count < SOLO_STACK_MAX && trace[stack->count] != NULL) {
        stack->frames[stack->count] = (uint64_t)(uintptr_t)trace[stack->count];
        stack->count++;
    }
}

static bool get_access(void *report, unsigned long index, struct access *access)
{
    void *trace[SOLO_STACK_MAX] = {NULL};
    if (__tsan_get_report_mop(report, index, &access->thread, &access->address, &access->size, &access->write,
                              &access->atomic, trace, SOLO_STACK_MAX) == 0) {
        return false;
    }
    copy_trace(trace, &access->stack);
    return true;
}

/* The name that the kit gave to the detector's thread `tid`; "another thread" if it has none. */
static const char *thread_name(void *report, int thread_count, int tid)
{
    for (int i = 0; i < thread_count; i++) {
        const char *name = NULL;
        unsigned long os_id;
        int this_tid = -1, running, parent;
        void *trace[1];
        if (__tsan_get_report_thread(report, (unsigned long)i, &this_tid, &os_id, &running, &name, &parent, trace, 1) !=
                0 &&
            this_tid == tid && name != NULL && name[0] != '\0') {
            return name;
        }
    }
    return tid == 0 ? "main" : "another thread";
}

static const char *kind_text(const struct access *access)
{
    return access->atomic ? (access->write ? "atomic write" : "atomic read") : access->write ? "write" : "read";
}

static void fill_race(struct solo_violation *violation, void *report, int thread_count, const struct access accesses[2])
{
    const struct access *now = &accesses[0], *before = &accesses[1];
    violation->stack = now->stack;
    violation->owner_stack = before->stack;
    violation->amount = (uint64_t)now->size;
    snprintf(violation->owner, sizeof violation->owner, "%s", thread_name(report, thread_count, before->thread));
    snprintf(violation->owner_bound, sizeof violation->owner_bound, "earlier %s of %d byte%s", kind_text(before),
             before->size, before->size == 1 ? "" : "s");
    snprintf(violation->text, sizeof violation->text,
             "a %s of %d byte%s by %s and an earlier %s by %s are not ordered by anything", kind_text(now), now->size,
             now->size == 1 ? "" : "s", violation->thread, kind_text(before), violation->owner);
}

/* "lock-order-inversion (potential deadlock)", "mutex-double-lock", "mutex-bad-unlock", ... */
static bool is_about_locks(const char *description)
{
    return strncmp(description, "lock-", 5) == 0 || strncmp(description, "mutex-", 6) == 0;
}

static void get_stack(void *report, unsigned long index, struct solo_stack *stack)
{
    void *trace[SOLO_STACK_MAX + 1] = {NULL};
    (void)__tsan_get_report_stack(report, index, trace, SOLO_STACK_MAX);
    copy_trace(trace[1] != NULL ? trace + 1 : trace, stack); /* the first one is its own pthread_mutex_lock */
}

/* Each stack is where one of the locks was taken. */
static void fill_locks(struct solo_violation *violation, void *report, int stack_count, const char *description)
{
    if (stack_count > 0) {
        get_stack(report, 0, &violation->stack);
    }
    if (stack_count > 1) {
        get_stack(report, 1, &violation->owner_stack);
    }
    if (strncmp(description, "lock-", 5) == 0) {
        snprintf(violation->text, sizeof violation->text, "%s takes locks in the opposite order to an earlier time",
                 violation->thread);
    } else {
        snprintf(violation->text, sizeof violation->text, "ThreadSanitizer reports: %s", description);
    }
    snprintf(violation->help, sizeof violation->help, "%s", SOLO_TOOL_LOCK_HELP);
}

/* Races seen before in this process, by their two innermost frames. A collision costs a repeated text. */
static bool seen_before(const struct access accesses[2])
{
    static uint64_t seen[1024];
    uint64_t hash = (accesses[0].stack.frames[0] * UINT64_C(0x9e3779b97f4a7c15)) ^
                    (accesses[1].stack.frames[0] * UINT64_C(0xbf58476d1ce4e5b9));
    uint64_t *slot = &seen[hash >> 54];
    bool again = *slot == hash;
    *slot = hash;
    return again;
}

/* Returns true if the detector shall not say it itself. It holds its report lock: one call at a time. */
bool solo__tsan_on_report(void *report, bool suppressed)
{
    static struct solo_violation violation;
    const char *description = "";
    int count, stack_count, mop_count = 0, loc_count, mutex_count, thread_count = 0, unique_count;
    void *trace[1];
    struct access accesses[2] = {{0}, {0}};
#ifdef SOLO_HOOK_ALONE
    if (solo_violation_report == NULL) {
        return suppressed;
    }
#endif
    if (suppressed || __tsan_get_report_data(report, &description, &count, &stack_count, &mop_count, &loc_count,
                                             &mutex_count, &thread_count, &unique_count, trace, 1) == 0) {
        return suppressed;
    }
    bool race = mop_count >= 2 && get_access(report, 0, &accesses[0]) && get_access(report, 1, &accesses[1]);
    if (race && accesses[0].address == (void *)&errno) {
        return true; /* virtual threads that are fibers share it; the switch keeps each its value */
    }
    bool locks = is_about_locks(description);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    solo_violation_begin(&violation, locks ? SOLO016_LOCK_ORDER : SOLO017_DATA_RACE, NULL);
    violation.from_tool = SOLO_TOOL_TSAN;
    snprintf(violation.help, sizeof violation.help, "%s", SOLO_TOOL_RACE_HELP);
    if (locks) {
        fill_locks(&violation, report, stack_count, description);
    } else if (race) {
        fill_race(&violation, report, thread_count, accesses);
    } else {
        snprintf(violation.text, sizeof violation.text, "ThreadSanitizer reports: %s", description);
    }
    (void)solo_violation_report(&violation);
    SOLO_ANNOTATE_IGNORE_END();
    return solo_violation_has_sink() || (race && seen_before(accesses));
}
