/*
 * call_site.c - where the program called the kit, or what the kit stands in for.
 *
 * A stack that an oracle takes begins inside the kit. In a program that loads the kit's libraries their addresses tell;
 * in one that the kit was linked into, the debug information does. Places are told apart by their offset in a page,
 * which is the same wherever the code was loaded.
 */
#define _GNU_SOURCE
#include "call_site.h"
#include "symbolize.h"
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unwind.h>

enum { RANGES_MAX = 16 };

static struct {
    pthread_once_t once;
    bool linked_in; /* the kit is a part of the program */
    unsigned count;
    struct {
        uintptr_t first, end;
    } ranges[RANGES_MAX]; /* code of the kit's libraries */
} kit = {.once = PTHREAD_ONCE_INIT, .linked_in = true};

static void add_range(uintptr_t first, uintptr_t end)
{
    uintptr_t here = (uintptr_t)&solo__call_site;
    if (kit.count < RANGES_MAX) {
        kit.ranges[kit.count].first = first;
        kit.ranges[kit.count++].end = end;
        kit.linked_in = kit.linked_in && !(here >= first && here < end);
    }
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    (void)size;
    (void)arg;
    for (unsigned i = 0; slash != NULL && strncmp(slash, "/libsolo", 8) == 0 && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            uintptr_t first = (uintptr_t)(info->dlpi_addr + part->p_vaddr);
            add_range(first, first + (uintptr_t)part->p_memsz);
        }
    }
    return 0;
}

static void find_kit(void)
{
    (void)dl_iterate_phdr(look_at_object, NULL);
}

static bool is_kits(uintptr_t pc)
{
    for (unsigned i = 0; i < kit.count; i++) {
        if (pc >= kit.ranges[i].first && pc < kit.ranges[i].end) {
            return true;
        }
    }
    return kit.linked_in && solo__symbolize_is_kit(pc);
}

uint32_t solo__call_site(const struct solo_stack *stack)
{
    uint32_t count = stack->count < SOLO_STACK_MAX ? stack->count : SOLO_STACK_MAX;
    (void)pthread_once(&kit.once, find_kit);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_kits((uintptr_t)stack->frames[i] - 1)) { /* inside the call, not after it */
            return i;
        }
    }
    return stack->count;
}

void solo__call_site_first(struct solo_stack *stack)
{
    uint32_t first = solo__call_site(stack);
    if (first < stack->count) {
        memmove(stack->frames, stack->frames + first, (stack->count - first) * sizeof stack->frames[0]);
        stack->count -= first;
    }
}

/* ---- Callers beyond a library without frame pointers ---- */

struct walk {
    struct solo_stack *stack;
    uint32_t first; /* the last frame that is known */
    bool met;
};

static _Unwind_Reason_Code add_caller(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    uint64_t address = (uint64_t)_Unwind_GetIP(context);
    if (address == 0 || walk->stack->count == SOLO_STACK_MAX) {
        return _URC_END_OF_STACK;
    }
    if (walk->met) {
        walk->stack->frames[walk->stack->count++] = address;
    } else if (address == walk->stack->frames[walk->first]) {
        walk->met = true;
        walk->stack->count = walk->first + 1;
    }
    return _URC_NO_REASON;
}

void solo__call_site_complete(struct solo_stack *stack)
{
    struct walk walk = {stack, solo__call_site(stack), false};
    if (walk.first < stack->count && solo__symbolize_is_system((uintptr_t)stack->frames[walk.first] - 1)) {
        (void)_Unwind_Backtrace(add_caller, &walk);
    }
}

uint64_t solo__call_site_number(const struct solo_stack *stack)
{
    uint32_t first = solo__call_site(stack);
    return first < stack->count ? 0x1000 | (stack->frames[first] & 0xfff) : 0;
}
