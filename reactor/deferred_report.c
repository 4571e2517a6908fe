/* deferred_report.c - SOLO008: a Deferred fired twice, never fired, or its failure dropped. */
#include "deferred_private.h"

static void stack_of(struct solo_stack *stack, const struct solo_deferred *deferred, unsigned index,
                     const struct solo__origin *origin)
{
    const struct solo__provenance *provenance =
        deferred->provenance != NULL ? &deferred->provenance[index] : (const struct solo__provenance *)0;
    if (provenance == NULL) {
        stack->frames[0] = (uint64_t)(uintptr_t)origin->from;
        stack->count = 1;
        return;
    }
    stack->count = provenance->count;
    for (unsigned i = 0; i < provenance->count; i++) {
        stack->frames[i] = provenance->frames[i];
    }
}

/* It carries where the Deferred was made (queued_...) and first fired (owner_bound, owner_stack). */
static void violation_begin(struct solo_violation *violation, unsigned function, struct solo_deferred *deferred,
                            void *frame, void *return_address)
{
    solo__violation_begin(violation, SOLO008_DEFERRED, function, deferred, frame, return_address);
    solo__thread_print_name(deferred->made.by, violation->queued_by, sizeof violation->queued_by);
    stack_of(&violation->queued_stack, deferred, SOLO__OF_MADE, &deferred->made);
    if (deferred->fired) {
        solo__violation_text(violation->owner_bound, "first fired");
        stack_of(&violation->owner_stack, deferred, SOLO__OF_FIRED, &deferred->fired_at);
    }
}

__attribute__((noinline, cold)) void solo__deferred_report_twice(struct solo_deferred *deferred, void *frame,
                                                                 void *return_address)
{
    struct solo_violation violation;
    violation_begin(&violation, SOLO__FN_solo_deferred_fire, deferred, frame, return_address);
    solo__violation_text(violation.text, "a Deferred that has its result was fired again");
    solo__violation_text(violation.help, "fire it in one place only, or ask solo_deferred_has_result first");
    solo_violation_report(&violation);
}

__attribute__((noinline, cold)) void solo__deferred_report_ended(struct solo_deferred *deferred, int how, void *frame,
                                                                 void *return_address)
{
    struct solo_violation violation;
    violation_begin(&violation, SOLO__FN_solo_deferred_release, deferred, frame, return_address);
    if (how == SOLO__ENDED_UNFIRED) {
        solo__violation_text(violation.text, "a Deferred ended without ever being fired; its callbacks never ran");
        solo__violation_text(violation.help,
                             "fire it with a value or a failure on every path, or cancel it before release");
    } else if (how == SOLO__ENDED_PAUSED) {
        solo__violation_text(violation.text, "a Deferred ended while it was paused; its last callbacks never ran");
        solo__violation_text(violation.help, "take back every solo_deferred_pause with solo_deferred_unpause");
    } else {
        violation.amount = (uint64_t) - (int64_t)deferred->result.status;
        solo__violation_text(violation.text, "a Deferred ended with a failure that no errback handled: %s",
                             solo_error_text(deferred->result.status));
        solo__violation_text(violation.help, "add an errback that handles the failure before the Deferred is released");
    }
    solo_violation_report(&violation);
}

__attribute__((noinline, cold)) void solo__deferred_report_bad_wait(struct solo_deferred *outer, bool circular)
{
    struct solo_violation violation;
    violation_begin(&violation, SOLO__FN_NONE, outer, __builtin_frame_address(0), __builtin_return_address(0));
    solo__violation_text(violation.text, circular
                                             ? "a Deferred would wait for its own result"
                                             : "a Deferred would wait for one that was released or handed on already");
    solo__violation_text(violation.help, "return solo_wait_for with another Deferred whose reference is yours to give");
    solo_violation_report(&violation);
}
