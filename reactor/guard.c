/*
 * guard.c - the slow path of the check that every reactor-only call opens with, and the record of a violation.
 *
 * An owner changes hands rarely; `owner_lock` (a leaf) guards everything in it. Its thread alone is also read by the
 * hot path, without order: whoever owns a reactor sees its own write, and everybody else sees somebody else.
 */
#include "guard.h"
#include <solo/sim.h>
#include <solo/thread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct solo_lock owner_lock;

/* ---- Ownership ---- */

/* Makes `thread` the owner if it is unbound or `anyway`. Whoever had it is unpinned, the new one pinned. */
static void bind(struct solo__owner *owner, struct solo_thread *thread, const char *how, bool by_run, bool anyway,
                 void *frame, void *return_address)
{
    struct solo_world *world = thread->object.world;
    struct solo_stack stack;
    struct solo_thread *unpin = thread;
    solo__stack_take(&stack, frame, return_address);
    solo__thread_pin(thread);
    world->threads->enter(world, &owner_lock);
    struct solo_thread *before = solo__owner_thread(owner);
    if (before == NULL || anyway) {
        unpin = before;
        owner->bound_by = how;
        owner->bound_stack = stack;
        owner->has_run |= by_run;
        __atomic_store_n(&owner->thread, thread, __ATOMIC_RELAXED);
    }
    world->threads->leave(world, &owner_lock);
    if (unpin != NULL) {
        solo__thread_unpin(unpin);
    }
}

void solo__owner_bind(struct solo__owner *owner, struct solo_thread *thread, const char *how, void *frame,
                      void *return_address)
{
    bind(owner, thread, how, true, true, frame, return_address);
}

void solo__owner_release(struct solo__owner *owner)
{
    struct solo_world *world = solo__self_get()->object.world;
    world->threads->enter(world, &owner_lock);
    struct solo_thread *before = solo__owner_thread(owner);
    __atomic_store_n(&owner->thread, NULL, __ATOMIC_RELAXED);
    world->threads->leave(world, &owner_lock);
    if (before != NULL) {
        solo__thread_unpin(before);
    }
}

/* ---- The record ---- */

void solo__violation_text(char *field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(field, SOLO_VIOLATION_TEXT_MAX, format, args);
    va_end(args);
}

static void name_function(struct solo_violation *violation, unsigned function)
{
    const struct solo_contract *row = solo__contract_row(function);
    if (row != NULL) {
        snprintf(violation->function, sizeof violation->function, "%s", row->function);
        snprintf(violation->contract_file, sizeof violation->contract_file, "%s", row->file);
        violation->contract = row->kind;
        violation->contract_line = (uint32_t)row->line;
    }
}

/* The accepted call that runs here, and who queued it. */
static void name_work(struct solo_violation *violation, const struct solo__provenance *work)
{
    solo_object_name(work->object, violation->job, sizeof violation->job);
    solo__thread_print_name(work->by, violation->queued_by, sizeof violation->queued_by);
    violation->queued_stack.count = work->count;
    memcpy(violation->queued_stack.frames, work->frames, work->count * sizeof work->frames[0]);
}

void solo__violation_begin(struct solo_violation *violation, unsigned id, unsigned function, const void *object,
                           void *frame, void *return_address)
{
    struct solo_thread *self = solo__self_get();
    struct solo_world *world = self->object.world;
    memset(violation, 0, sizeof *violation);
    violation->id = id;
    violation->count = 1;
    violation->policy = solo_guard_policy();
    name_function(violation, function);
    if (object != NULL) {
        violation->object_id = solo__object_id(object);
        solo_object_name(violation->object_id, violation->object, sizeof violation->object);
    }
    solo__thread_print_name(self, violation->thread, sizeof violation->thread);
    snprintf(violation->role, sizeof violation->role, "%s", solo__role_text(self));
    violation->thread_number = self->number;
    solo__stack_take(&violation->stack, frame, return_address);
    if (self->work != NULL) {
        name_work(violation, self->work);
    }
    solo__announce(world, SOLO_PROBE_VIOLATION, SOLO_ACCESS_NONE, violation->object_id, id);
    const struct solo_sim_log *log = solo_sim_get_log(solo_sim_current());
    violation->step = log != NULL ? log->events_count : 0;
    violation->now_ns = world->clock->now_ns(world);
}

static void name_owner(struct solo_violation *violation, const struct solo__owner *owner, struct solo_world *world)
{
    world->threads->enter(world, &owner_lock);
    const struct solo_thread *thread = solo__owner_thread(owner);
    if (thread != NULL) {
        solo__thread_print_name(thread, violation->owner, sizeof violation->owner);
    }
    snprintf(violation->owner_bound, sizeof violation->owner_bound, "%s",
             owner->bound_by != NULL ? owner->bound_by : "");
    violation->owner_stack = owner->bound_stack;
    violation->in_set_up = !owner->has_run;
    world->threads->leave(world, &owner_lock);
}

/* ---- Refusals ---- */

static void say_wrong_thread(struct solo_violation *violation, const struct solo_contract *row)
{
    const char *what = violation->object[0] != '\0' ? violation->object : "its reactor";
    solo__violation_text(violation->text, "%s called on %s, but it is %s (%s belongs to %s%s)", violation->function,
                         violation->thread, solo_contract_kind_name((enum solo_contract_kind)violation->contract), what,
                         violation->owner[0] != '\0' ? violation->owner : "no thread now, and never to its pool",
                         violation->in_set_up ? ", in set-up" : "");
    if (row != NULL && row->instead[0] != '\0') {
        solo__violation_text(violation->help, "call %s", row->instead);
    } else {
        solo__violation_text(violation->help,
                             "call it in a function that solo_reactor_call_from_thread takes to the reactor thread");
    }
}

static int refuse(const struct solo_violation *violation, int code)
{
    if (violation != NULL) {
        solo_violation_report(violation);
    }
    if (solo_guard_policy() == SOLO_POLICY_ABORT) {
        abort();
    }
    return code;
}

static int wrong_thread(struct solo__owner *owner, unsigned function, const void *object, void *frame,
                        void *return_address)
{
    int code = solo_guard_policy() == SOLO_POLICY_REPORT ? 0 : SOLO_EWRONGTHREAD;
    struct solo_world *world = solo__self->object.world;
    if (solo__violation_again(SOLO001_WRONG_THREAD, function, return_address)) {
        solo__announce(world, SOLO_PROBE_VIOLATION, SOLO_ACCESS_NONE, solo__object_id(object), SOLO001_WRONG_THREAD);
        return refuse(NULL, code);
    }
    struct solo_violation violation;
    solo__violation_begin(&violation, SOLO001_WRONG_THREAD, function, object, frame, return_address);
    name_owner(&violation, owner, world);
    say_wrong_thread(&violation, solo__contract_row(function));
    return refuse(&violation, code);
}

int solo__guard_slow(struct solo__owner *owner, unsigned function, const void *object, void *frame,
                     void *return_address)
{
    struct solo_thread *self = solo__self_get(); /* a foreign thread gets its identity here */
    for (bool announced = false;; announced = true) {
        if (solo__owner_thread(owner) == NULL && self->serves != owner) {
            bind(owner, self, "first call", false, false, frame, return_address);
        }
        if (solo__owner_thread(owner) == self) {
            return 0;
        }
        if (announced) {
            return wrong_thread(owner, function, object, frame, return_address);
        }
        solo__announce(self->object.world, SOLO_PROBE_CONTRACT, SOLO_ACCESS_WRITE, solo__object_id(object), function);
    }
}

int solo__guard_not_on_reactor(const struct solo__owner *owner, unsigned function, const void *object, void *frame,
                               void *return_address)
{
    struct solo_thread *self = solo__self;
    if (self == NULL || solo__owner_thread(owner) != self) {
        return 0;
    }
    if (solo__violation_again(SOLO003_BLOCKING_CALL_ON_REACTOR, function, return_address)) {
        return refuse(NULL, SOLO_EONREACTOR);
    }
    struct solo_violation violation;
    solo__violation_begin(&violation, SOLO003_BLOCKING_CALL_ON_REACTOR, function, object, frame, return_address);
    name_owner(&violation, owner, self->object.world);
    solo__violation_text(violation.text, "%s called on %s, the reactor thread, where it would wait for itself",
                         violation.function, violation.thread);
    solo__violation_text(violation.help, "call the function directly: this already is the reactor thread");
    return refuse(&violation, SOLO_EONREACTOR);
}

static void say_after_end(struct solo_violation *violation, unsigned kind)
{
    solo__violation_text(violation->text, "%s used %s after it had ended", violation->function, violation->object);
    switch (kind) {
    case SOLO__TRANSPORT:
        solo__violation_text(violation->help,
                             "forget the transport in connection_lost, which is a protocol's last call");
        break;
    case SOLO__WORKER:
        solo__violation_text(violation->help, "give the worker its last work before solo_worker_quit");
        break;
    default:
        solo__violation_text(violation->help, "end the %s after its last use, or clear what still points to it",
                             solo__object_kind_text(kind));
        break;
    }
}

void solo__violation_after_end(unsigned id, unsigned function, const void *object, void *frame, void *return_address)
{
    struct solo_violation violation;
    if (solo__violation_again(id, function, return_address)) {
        return;
    }
    solo__violation_begin(&violation, id, function, object, frame, return_address);
    say_after_end(&violation, ((const struct solo__object *)object)->kind);
    solo_violation_report(&violation);
}
