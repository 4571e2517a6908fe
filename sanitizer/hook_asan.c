/*
 * hook_asan.c - turns the report of AddressSanitizer into a SOLO018 record before the program dies of it.
 *
 * Linked into every program of flavour asan. It runs on the thread that made the bad access, after the detector has
 * put its report together and before it ends the process, so the record reaches the sink, or the shared memory behind
 * it, in time.
 */
#include "released.h"
#include <solo/tool_report.h>
#include <solo/violation.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* sanitizer/asan_interface.h, which gcc's include folder has and clang's may not. */
void __asan_set_error_report_callback(void (*callback)(const char *text));
int __asan_report_present(void);
void *__asan_get_report_pc(void);
void *__asan_get_report_bp(void);
void *__asan_get_report_address(void);
int __asan_get_report_access_type(void);
size_t __asan_get_report_access_size(void);
const char *__asan_get_report_description(void);
int __asan_get_alloc_stack(void *address, void **trace, size_t size, int *ret_thread);
int __asan_get_free_stack(void *address, void **trace, size_t size, int *ret_thread);

#ifdef SOLO_HOOK_INSIDE
#pragma weak __asan_set_error_report_callback
#pragma weak __asan_report_present
#pragma weak __asan_get_report_pc
#pragma weak __asan_get_report_bp
#pragma weak __asan_get_report_address
#pragma weak __asan_get_report_access_type
#pragma weak __asan_get_report_access_size
#pragma weak __asan_get_report_description
#pragma weak __asan_get_alloc_stack
#pragma weak __asan_get_free_stack
#endif

static void copy_stack(struct solo_stack *stack, void *const *trace, size_t count)
{
    stack->count = count < SOLO_STACK_MAX ? (uint32_t)count : SOLO_STACK_MAX;
    for (uint32_t i = 0; i < stack->count; i++) {
        stack->frames[i] = (uint64_t)(uintptr_t)trace[i];
    }
}

/* The bad access, and its callers by their frame pointers. What does not look like a next frame ends the walk. */
static void take_stack(struct solo_stack *stack)
{
    enum { FRAME_MAX = 64 << 10 };
    const uintptr_t *frame = __asan_get_report_bp();
    stack->frames[0] = (uint64_t)(uintptr_t)__asan_get_report_pc();
    stack->count = 1;
    while (frame != NULL && (uintptr_t)frame % sizeof *frame == 0 && stack->count < SOLO_STACK_MAX && frame[1] != 0) {
        uintptr_t next = frame[0];
        stack->frames[stack->count++] = frame[1];
        frame = next > (uintptr_t)frame && next - (uintptr_t)frame < FRAME_MAX ? (const uintptr_t *)next : NULL;
    }
}

/* Where the block was freed, else where it was allocated. */
static void fill_block(struct solo_violation *violation, void *address)
{
    void *trace[SOLO_STACK_MAX];
    int thread = 0;
    int count = __asan_get_free_stack(address, trace, SOLO_STACK_MAX, &thread);
    const char *what = "block was freed";
    if (count <= 0) {
        count = __asan_get_alloc_stack(address, trace, SOLO_STACK_MAX, &thread);
        what = "block was allocated";
    }
    if (count > 0) {
        int own = count > 1; /* the detector's function comes first */
        copy_stack(&violation->owner_stack, trace + own, (size_t)(count - own));
        snprintf(violation->owner_bound, sizeof violation->owner_bound, "%s", what);
    }
}

static void on_report(const char *text)
{
    static struct solo_violation violation; /* the first report is the last one */
    (void)text;
    solo_violation_begin(&violation, SOLO018_MEMORY, NULL);
    violation.from_tool = SOLO_TOOL_ASAN;
    if (__asan_report_present()) {
        size_t size = __asan_get_report_access_size();
        take_stack(&violation.stack);
        violation.amount = size;
        fill_block(&violation, __asan_get_report_address());
        snprintf(violation.text, sizeof violation.text, "%s: a %s of %zu byte%s by %s", __asan_get_report_description(),
                 __asan_get_report_access_type() ? "write" : "read", size, size == 1 ? "" : "s", violation.thread);
    } else {
        snprintf(violation.text, sizeof violation.text, "AddressSanitizer reports an error, see its own text");
    }
    snprintf(violation.help, sizeof violation.help,
             "keep what queued work uses alive until its done function has run, and free it there");
    (void)solo_violation_report(&violation);
}

static __attribute__((constructor)) void watch(void)
{
#ifdef SOLO_HOOK_INSIDE
    if (__asan_set_error_report_callback == NULL) {
        return;
    }
#endif
    __asan_set_error_report_callback(on_report);
}
