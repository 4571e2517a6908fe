/*
 * finding.c - records for findings made outside the kit's own functions: by an oracle, a lesson, a detector's bridge.
 *
 * Unlike the guard's own records these announce nothing, so that they can be filled in while an event is being
 * delivered.
 */
#include "provenance.h"
#include "self.h"
#include <solo/sim.h>
#include <solo/thread.h>
#include <stdio.h>
#include <string.h>

static void name_function(struct solo_violation *violation, const char *function)
{
    const struct solo_contract *contract = function != NULL ? solo_contract_find(function) : NULL;
    if (contract != NULL) {
        snprintf(violation->contract_file, sizeof violation->contract_file, "%s", contract->file);
        violation->contract = contract->kind;
        violation->contract_line = (uint32_t)contract->line;
    }
    snprintf(violation->function, sizeof violation->function, "%s", function != NULL ? function : "");
}

static void name_work(struct solo_violation *violation, const struct solo__provenance *work)
{
    solo_object_name(work->object, violation->job, sizeof violation->job);
    solo__thread_print_name(work->by, violation->queued_by, sizeof violation->queued_by);
    violation->queued_stack.count = work->count;
    memcpy(violation->queued_stack.frames, work->frames, work->count * sizeof work->frames[0]);
}

void solo_violation_begin(struct solo_violation *violation, unsigned id, const char *function)
{
    struct solo_thread *self = solo__self_get();
    struct solo_world *world = self->object.world;
    memset(violation, 0, sizeof *violation);
    violation->id = id;
    violation->count = 1;
    violation->policy = solo_guard_policy();
    name_function(violation, function);
    solo__thread_print_name(self, violation->thread, sizeof violation->thread);
    snprintf(violation->role, sizeof violation->role, "%s", solo__role_text(self));
    violation->thread_number = self->number;
    solo__stack_take(&violation->stack, __builtin_frame_address(0), __builtin_return_address(0));
    if (self->work != NULL) {
        name_work(violation, self->work);
    }
    const struct solo_sim_log *log = solo_sim_get_log(solo_sim_current());
    violation->step = log != NULL ? log->events_count : 0;
    violation->now_ns = world->clock->now_ns(world);
}

void solo_stack_take(struct solo_stack *ret_stack)
{
    solo__stack_take(ret_stack, __builtin_frame_address(0), __builtin_return_address(0));
}
