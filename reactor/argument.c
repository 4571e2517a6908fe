/*
 * argument.c - SOLO005: work that runs with an argument whose memory is dead.
 *
 * A table of a fixed size for all worlds; work beyond it is not watched, and so never reported. It is guarded by a spin
 * flag that is held for the time of a look through it, with nothing announced and nobody called meanwhile. Race
 * detectors do not look at this file (reactor/module.mk): the flag must not order the threads that it watches.
 */
#include "argument.h"
#include "annotate.h"
#include "guard.h"
#include "world_os.h"
#include <solo/memory.h>
#include <solo/thread.h>
#include <stdio.h>
#include <string.h>

enum { ARGUMENTS_MAX = 256 };

unsigned solo__arguments_kept;

/* One piece of queued work. */
struct kept {
    struct solo_world *world;
    uint32_t work;
    uint32_t poster_id;
    struct solo_thread *poster; /* who queued it; in world os it may be gone, so there its id is looked up */
    uint32_t unit, unit_object; /* what its poster was doing, if the argument lies in the frames of that */
    bool on_stack, in_unit;     /* it lies in the poster's stack; in the frames of its unit */
    bool in_loop;               /* the poster was in a loop already */
    bool released;              /* its memory was given back */
    uint16_t released_number;   /* by the thread with this number */
    char released_by[SOLO_VIOLATION_NAME_MAX];
    struct solo_stack released_at;
};

static struct {
    char busy;                          /* the spin flag */
    uintptr_t arguments[ARGUMENTS_MAX]; /* what each points at, apart, to be looked through quickly */
    struct kept kept[ARGUMENTS_MAX];    /* the rest; the first solo__arguments_kept of both are in use */
} all;

static void enter(void)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    while (__atomic_test_and_set(&all.busy, __ATOMIC_ACQUIRE)) {
    }
}

static void leave(void)
{
    __atomic_clear(&all.busy, __ATOMIC_RELEASE);
    SOLO_ANNOTATE_IGNORE_END();
}

void solo__arguments_hold(void)
{
    enter();
}

void solo__arguments_let_go(void)
{
    leave();
}

static void set_count(unsigned count)
{
    __atomic_store_n(&solo__arguments_kept, count, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void begin(void)
{
    SOLO_ANNOTATE_PRIVATE(&all, sizeof all);
    SOLO_ANNOTATE_PRIVATE(&solo__arguments_kept, sizeof solo__arguments_kept);
}

/* ---- Accepted ---- */

/* Where in the poster's stack it lies, if it does. A coroutine's stack is none that the kit knows. */
static void place(struct kept *kept, const struct solo_thread *self, uintptr_t argument, uintptr_t frame)
{
    bool stack_known = self->stack_low != 0 && frame >= self->stack_low && frame < self->stack_high;
    kept->on_stack = stack_known && argument >= frame && argument < self->stack_high;
    kept->in_unit = kept->on_stack && self->unit_depth > 0 && argument < self->unit_top;
    kept->in_loop = self->inside != NULL;
    kept->unit = self->unit;
    kept->unit_object = self->unit_object;
}

void solo__argument_watch(struct solo_world *world, uint32_t work, const void *argument, uintptr_t frame)
{
    struct solo_thread *self = solo__self_get();
    enter();
    unsigned count = solo__arguments_kept;
    if (count < ARGUMENTS_MAX) {
        struct kept *kept = &all.kept[count];
        all.arguments[count] = (uintptr_t)argument;
        kept->world = world;
        kept->work = work;
        kept->poster = self;
        kept->poster_id = self->object.id;
        kept->released = false;
        place(kept, self, (uintptr_t)argument, frame);
        set_count(count + 1);
    }
    leave();
}

/* With the flag held. */
static void remove_at(unsigned index)
{
    unsigned last = solo__arguments_kept - 1;
    if (index != last) {
        all.arguments[index] = all.arguments[last];
        all.kept[index] = all.kept[last];
    }
    set_count(last);
}

/* The next one of this work that may be dead, out of the table. False: there is no more. */
static bool take_suspect(const struct solo_world *world, uint32_t work, struct kept *ret_kept, uintptr_t *ret_argument)
{
    bool found = false;
    enter();
    for (unsigned i = 0; i < solo__arguments_kept && !found;) {
        const struct kept *kept = &all.kept[i];
        if (kept->work != work || kept->world != world) {
            i++;
            continue;
        }
        found = kept->released || kept->on_stack;
        if (found) {
            *ret_kept = *kept;
            *ret_argument = all.arguments[i];
        }
        remove_at(i);
    }
    leave();
    return found;
}

void solo__argument_drop(struct solo_world *world, uint32_t work)
{
    enter();
    for (unsigned i = solo__arguments_kept; i-- > 0;) {
        if (all.kept[i].work == work && all.kept[i].world == world) {
            remove_at(i);
        }
    }
    leave();
}

void solo__arguments_clear(const struct solo_world *world)
{
    enter();
    for (unsigned i = solo__arguments_kept; i-- > 0;) {
        if (all.kept[i].world == world) {
            remove_at(i);
        }
    }
    leave();
}

/* ---- Given back ---- */

/* A sanitizer's free has no frame pointer: what lies behind it cannot be told. */
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
enum { RELEASE_HAS_STACK = 0 };
#else
enum { RELEASE_HAS_STACK = 1 };
#endif

static void note_release(struct kept *kept, void *frame, void *return_address)
{
    struct solo_thread *self = solo__self;
    kept->released = true;
    kept->released_at.count = 0;
    kept->released_number = 0;
    snprintf(kept->released_by, sizeof kept->released_by, "a thread without a name");
    if (self != NULL) { /* the kit has met it */
        kept->released_number = self->number;
        solo__thread_print_name(self, kept->released_by, sizeof kept->released_by);
        if (RELEASE_HAS_STACK) {
            solo__stack_take(&kept->released_at, frame, return_address);
        }
    }
}

void solo_memory_released(const void *memory, size_t size)
{
    if (__builtin_expect(__atomic_load_n(&solo__arguments_kept, __ATOMIC_RELAXED) == 0, 1) || memory == NULL) {
        return;
    }
    uintptr_t first = (uintptr_t)memory;
    enter();
    for (unsigned i = 0; i < solo__arguments_kept; i++) {
        if (all.arguments[i] - first < size && !all.kept[i].released) {
            note_release(&all.kept[i], __builtin_frame_address(0), __builtin_return_address(0));
        }
    }
    leave();
}

/* ---- Run ---- */

/* How an argument died; LIVES: nothing is known against it. */
enum death { LIVES = 0, RELEASED, UNIT_ENDED, THREAD_ENDED, RETURNED };

/* Who queued it, NULL if it is gone. In world sim nothing is given back before the schedule ends. */
static const struct solo_thread *poster_of(const struct kept *kept)
{
    if (solo__world_is_sim(kept->world)) {
        return kept->poster;
    }
    const struct solo_thread *thread = solo__thread_of_id(kept->world, kept->poster_id);
    return thread->object.id == kept->poster_id ? thread : NULL;
}

static enum death death_in_stack(const struct kept *kept, uintptr_t argument)
{
    const struct solo_thread *self = solo__self;
    const struct solo_thread *poster = poster_of(kept);
    if (poster == NULL || __atomic_load_n(&poster->ended, __ATOMIC_RELAXED) != 0) {
        return THREAD_ENDED;
    }
    if (kept->in_unit) {
        return __atomic_load_n(&poster->unit, __ATOMIC_RELAXED) != kept->unit ? UNIT_ENDED : LIVES;
    }
    bool below_the_loop = self == poster && !kept->in_loop && self->inside != NULL && argument < self->loop_frame;
    return below_the_loop ? RETURNED : LIVES;
}

static enum death death_of(const struct kept *kept, uintptr_t argument)
{
    return kept->released ? RELEASED : kept->on_stack ? death_in_stack(kept, argument) : LIVES;
}

/* What happened, for a record that says already who queued the work and where. */
static void say_how(struct solo_violation *violation, const struct kept *kept, enum death death)
{
    char unit[SOLO_VIOLATION_NAME_MAX];
    switch (death) {
    case RELEASED:
        solo__violation_text(violation->text, "%s runs with dead memory: its argument was freed before, by `%s`",
                             violation->object, violation->thread);
        return;
    case UNIT_ENDED:
        solo_object_name(kept->unit_object, unit, sizeof unit);
        solo__violation_text(violation->text,
                             "%s runs with dead memory: its argument is a local variable of %s, which has ended",
                             violation->object, unit);
        return;
    case THREAD_ENDED:
        solo__violation_text(violation->text,
                             "%s runs with dead memory: its argument is a local variable of `%s`, which has ended",
                             violation->object, violation->thread);
        return;
    default:
        solo__violation_text(
            violation->text,
            "%s runs with dead memory: its argument is a local variable of a function that has returned",
            violation->object);
        return;
    }
}

/* The place that is shown is where the memory was given up: the free if it is known, else where the work was queued. */
static void report(const struct kept *kept, enum death death)
{
    struct solo_violation violation;
    const struct solo__provenance *work = solo__self->work;
    solo_violation_begin(&violation, SOLO005_DEAD_MEMORY, NULL);
    violation.object_id = kept->work;
    solo_object_name(kept->work, violation.object, sizeof violation.object);
    violation.role[0] = violation.job[0] = '\0';
    if (death == RELEASED) {
        violation.stack = kept->released_at.count > 0 ? kept->released_at : violation.queued_stack;
        violation.thread_number = kept->released_number;
        snprintf(violation.thread, sizeof violation.thread, "%s", kept->released_by);
        solo__violation_text(violation.help, "until the work has run, its argument belongs to it: free it in the done "
                                             "function, or take the work back first");
    } else {
        violation.stack = violation.queued_stack;
        violation.thread_number = work->thread;
        snprintf(violation.thread, sizeof violation.thread, "%s", violation.queued_by);
        violation.queued_by[0] = '\0';
        violation.queued_stack.count = 0;
        if (death == UNIT_ENDED) {
            solo_object_name(kept->unit_object, violation.job, sizeof violation.job);
        }
        solo__violation_text(violation.help, "give queued work memory that lives until it has run: allocate it, and "
                                             "free it in the done function");
    }
    say_how(&violation, kept, death);
    solo_violation_report(&violation);
}

void solo__argument_check(struct solo_world *world, uint32_t work)
{
    struct kept kept;
    uintptr_t argument = 0;
    bool reported = false;
    while (take_suspect(world, work, &kept, &argument)) {
        enum death death = death_of(&kept, argument);
        if (death != LIVES && !reported) {
            report(&kept, death);
            reported = true; /* once for each piece of work */
        }
    }
}
