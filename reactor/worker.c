/*
 * worker.c - do and quit, the same for every kind of worker; thread_worker.c, lock_worker.c and memory_worker.c differ.
 *
 * Invariant: what was accepted ends exactly once, by solo__work_run or by hand_back. Quit only closes the door:
 * `has_quit` is set under the lock under which each kind accepts, so no work slips in behind the last one.
 */
#include "worker_internal.h"
#include "guard.h"
#include "sanitizer/annotate.h"
#include <stddef.h>

struct solo_worker *solo__worker_make(const struct solo__worker_kind *kind, void *created_at)
{
    struct solo_worker *worker = solo__object_make(solo_world_current(), SOLO__WORKER, sizeof *worker, created_at);
    if (worker != NULL) {
        worker->kind = kind;
    }
    return worker;
}

/* ---- Work ---- */

static struct solo__work *work_make(struct solo_world *world, solo_call_fn fn, void *arg, solo_done_fn done)
{
    struct solo__work *work = world->memory->allocate(world, sizeof *work);
    if (work == NULL) {
        return NULL;
    }
    work->next = NULL;
    work->serve = NULL;
    work->fn = fn;
    work->done = done;
    work->arg = arg;
    return work;
}

void solo__work_push(struct solo_worker *worker, struct solo__work *work)
{
    if (worker->last != NULL) {
        worker->last->next = work;
    } else {
        worker->first = work;
    }
    worker->last = work;
}

struct solo__work *solo__work_pop(struct solo_worker *worker)
{
    struct solo__work *work = worker->first;
    if (work != NULL) {
        worker->first = work->next;
        if (worker->first == NULL) {
            worker->last = NULL;
        }
    }
    return work;
}

static void work_end(struct solo_world *world, struct solo__work *work, int status)
{
    solo__argument_forget(world, work->provenance.object);
    if (work->done != NULL) {
        solo__announce(world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_NONE, work->provenance.object,
                       (uint64_t)(int64_t)status);
        work->done(status, work->arg);
    } else if (status < 0) {
        solo__announce(world, SOLO_PROBE_CALL_DROPPED, SOLO_ACCESS_NONE, work->provenance.object,
                       (uint64_t)(int64_t)status);
    }
    world->memory->release(world, work);
}

void solo__work_run(struct solo_worker *worker, struct solo__work *work)
{
    struct solo_world *world = worker->object.world;
    struct solo_thread *self = solo__self_get();
    SOLO_ANNOTATE_HAPPENS_AFTER(work);
    if (work->serve != NULL) {
        work->serve(work, 0);
        return;
    }
    const struct solo__provenance *outer_work = self->work; /* a lock worker runs inside other work */
    self->work = &work->provenance;
    solo__unit_begin(world, work->provenance.object);
    solo__announce(world, SOLO_PROBE_CALL_BEGUN, SOLO_ACCESS_NONE, work->provenance.object, 0);
    solo__argument_run(world, work->provenance.object);
    work->fn(work->arg);
    solo__announce(world, SOLO_PROBE_CALL_ENDED, SOLO_ACCESS_NONE, work->provenance.object, 0);
    solo__unit_end(world);
    work_end(world, work, 0);
    self->work = outer_work;
}

/* What a worker still holds when it is destroyed never runs. */
static void hand_back(struct solo_worker *worker)
{
    struct solo__work *work;
    solo__worker_enter(worker);
    while ((work = solo__work_pop(worker)) != NULL) {
        solo__worker_leave(worker);
        SOLO_ANNOTATE_HAPPENS_AFTER(work);
        if (work->serve != NULL) {
            work->serve(work, SOLO_ECLOSING);
        } else {
            work_end(worker->object.world, work, SOLO_ECLOSING);
        }
        solo__worker_enter(worker);
    }
    solo__worker_leave(worker);
}

/* ---- Do and quit ---- */

static bool has_quit(struct solo_worker *worker)
{
    solo__worker_enter(worker);
    bool quit = worker->has_quit;
    solo__worker_leave(worker);
    return quit;
}

__attribute__((noinline, cold)) int solo__refuse_after_quit(void *object, unsigned function, void *frame,
                                                            void *return_address)
{
    const char *what = ((const struct solo__object *)object)->kind == SOLO__TEAM ? "team" : "worker";
    struct solo_violation violation;
    solo__violation_begin(&violation, SOLO006_USE_AFTER_END, function, object, frame, return_address);
    solo__violation_text(violation.text, "work was given to a %s that has quit; it was refused and will not run", what);
    solo__violation_text(violation.help, "give the %s its last work before solo_%s_quit, or use another %s", what, what,
                         what);
    solo_violation_report(&violation);
    return SOLO_EALREADYQUIT;
}

int solo_worker_do(struct solo_worker *worker, solo_call_fn fn, void *arg, solo_done_fn done)
{
    SOLO__LIVE_OBJECT(solo_worker_do, worker, SOLO__WORKER, SOLO006_USE_AFTER_END);
    if (fn == NULL) {
        return -EINVAL;
    }
    if (has_quit(worker)) {
        return solo__refuse_after_quit(worker, SOLO__FN_solo_worker_do, __builtin_frame_address(0),
                                       __builtin_return_address(0));
    }

    struct solo_world *world = worker->object.world;
    struct solo__work *work = work_make(world, fn, arg, done);
    if (work == NULL) {
        return -ENOMEM;
    }
    uint32_t id = solo__object_next_id(world, SOLO__WORK);
    solo__provenance_take(&work->provenance, id, __builtin_frame_address(0), __builtin_return_address(0));
    solo__announce(world, SOLO_PROBE_CALL_ACCEPTED, SOLO_ACCESS_WRITE, id, SOLO_QUEUE_WORKER);
    solo__argument_keep(world, id, arg);
    SOLO_ANNOTATE_HAPPENS_BEFORE(work);
    if (worker->kind->accept(worker, work) < 0) { /* it quit between the look and the acceptance */
        solo__announce(world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_NONE, id, (uint64_t)(int64_t)SOLO_EALREADYQUIT);
        solo__argument_forget(world, id);
        world->memory->release(world, work);
        return solo__refuse_after_quit(worker, SOLO__FN_solo_worker_do, __builtin_frame_address(0),
                                       __builtin_return_address(0));
    }
    return 0;
}

int solo__worker_give(struct solo_worker *worker, struct solo__work *work)
{
    work->next = NULL; /* it may have been on this way before */
    SOLO_ANNOTATE_HAPPENS_BEFORE(work);
    return worker->kind->accept(worker, work);
}

bool solo__worker_is_over(struct solo_worker *worker)
{
    return worker->kind->is_over == NULL || worker->kind->is_over(worker);
}

bool solo__worker_runs_here(struct solo_worker *worker)
{
    solo__worker_enter(worker);
    bool runs = worker->runner != NULL && worker->runner == solo__self;
    solo__worker_leave(worker);
    return runs;
}

/* Whether this call was the one that closed the door. */
static bool quit_now(struct solo_worker *worker)
{
    solo__worker_enter(worker);
    bool first = !worker->has_quit;
    if (first) {
        worker->has_quit = true;
        worker->kind->quit(worker);
    }
    solo__worker_leave(worker);
    return first;
}

int solo_worker_quit(struct solo_worker *worker)
{
    SOLO__LIVE_OBJECT(solo_worker_quit, worker, SOLO__WORKER, SOLO006_USE_AFTER_END);

    solo__announce(worker->object.world, SOLO_PROBE_WORKER_QUIT, SOLO_ACCESS_WRITE, worker->object.id, 0);
    return quit_now(worker) ? 0 : SOLO_EALREADYQUIT;
}

int solo_worker_destroy(struct solo_worker *worker)
{
    if (worker == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_worker_destroy, worker, SOLO__WORKER, SOLO006_USE_AFTER_END);
    if (solo__worker_runs_here(worker)) {
        return -EDEADLK;
    }

    solo__announce(worker->object.world, SOLO_PROBE_WORKER_QUIT, SOLO_ACCESS_WRITE, worker->object.id, 0);
    (void)quit_now(worker);
    worker->kind->finish(worker);
    hand_back(worker);
    solo__object_end(worker);
    return 0;
}
