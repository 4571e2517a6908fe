/*
 * job.c - one job of a pool, from its acceptance to its end.
 *
 * A job is a call that a worker runs and the reactor thread ends. Whatever happens to it, solo__job_end comes exactly
 * once: when its report is served, when it is handed back, or when a stop gives it up. Work that wants more than a
 * done function embeds it (defer.c).
 */
#include "pool_internal.h"
#include "sanitizer/annotate.h"

/* ---- Lists ---- */

/* By age, so that the oldest is first even if two threads accept at once; nearly always the end is the place. */
void solo__job_list_add(struct solo__job_list *list, struct solo__job *job)
{
    struct solo__job *before = list->last;
    while (before != NULL && solo__job_is_older(job->number, before->number)) {
        before = before->previous;
    }
    job->previous = before;
    job->next = before != NULL ? before->next : list->first;
    *(before != NULL ? &before->next : &list->first) = job;
    *(job->next != NULL ? &job->next->previous : &list->last) = job;
}

void solo__job_list_add_first(struct solo__job_list *list, struct solo__job *job)
{
    struct solo__job *after = list->first;
    while (after != NULL && solo__job_is_older(after->number, job->number)) {
        after = after->next;
    }
    job->next = after;
    job->previous = after != NULL ? after->previous : list->last;
    *(job->previous != NULL ? &job->previous->next : &list->first) = job;
    *(after != NULL ? &after->previous : &list->last) = job;
}

void solo__job_list_remove(struct solo__job_list *list, struct solo__job *job)
{
    *(job->previous != NULL ? &job->previous->next : &list->first) = job->next;
    *(job->next != NULL ? &job->next->previous : &list->last) = job->previous;
}

/* ---- Making and ending ---- */

static void run_call(struct solo__job *job)
{
    job->call.fn(job->call.arg);
}

static void end_call(struct solo__job *job, int status)
{
    solo__call_done(&job->call, status);
}

void solo__job_end(struct solo__job *job, int status)
{
    struct solo_reactor *reactor = job->call.reactor;
    uint32_t id = job->call.provenance.object;
    solo__callback_begin(reactor, id);
    struct solo_context *before = solo__context_enter(job->context);
    job->end(job, status);
    (void)solo__context_enter(before);
    solo__callback_end(reactor, id);
}

/* The reactor's turn to hear of it. In its last round too: a job that ran did run, whatever becomes of the reactor. */
static void serve(struct solo__call *call, int status)
{
    struct solo__job *job = solo__job_of(call);
    (void)status;
    solo__job_end(job, job->status);
    solo__job_release(job);
}

void solo__job_hand_back(struct solo__job *job)
{
    serve(&job->call, job->status);
}

/* As ids of thread calls (call.c): in world os a thread sets some aside, unless somebody listens. */
static uint32_t next_id(struct solo_world *world, struct solo_thread *self)
{
    enum { SET_ASIDE = 64 };
    if (solo__world_is_heard(world)) {
        return solo__object_next_id(world, SOLO__JOB);
    }
    if (self->job_ids_left == 0) {
        self->job_ids_next = solo__object_next_ids(world, SOLO__JOB, SET_ASIDE);
        self->job_ids_left = SET_ASIDE;
    }
    self->job_ids_left--;
    return self->job_ids_next++;
}

void *solo__job_make(struct solo_pool *pool, size_t size, solo_call_fn fn, void *arg, solo_done_fn done, void *frame,
                     void *return_address)
{
    struct solo_world *world = pool->reactor->world;
    struct solo_thread *self = solo__self_get();
    if (size == sizeof(struct solo__job) && !solo__provenance_is_full(self)) {
        size =
            offsetof(struct solo__job, call.provenance.frames[1]); /* a long queue is bound by the size of its jobs */
    }
    struct solo__job *job = world->memory->allocate(world, size);
    if (job == NULL) {
        return NULL;
    }
    SOLO_ANNOTATE_PRIVATE(job, size);
    job->call.next = NULL;
    job->call.serve = serve;
    job->call.reactor = pool->reactor;
    job->call.fn = fn;
    job->call.done = done;
    job->call.arg = arg;
    solo__provenance_take(&job->call.provenance, next_id(world, self), frame, return_address);
    job->pool = pool;
    job->run = run_call;
    job->end = end_call;
    job->context = solo__context_keep(self->context);
    job->state = SOLO_JOB_QUEUED;
    job->status = 0;
    job->reports = done != NULL;
    job->report_asked = false;
    return job;
}

void solo__job_release(struct solo__job *job)
{
    struct solo_world *world = job->call.reactor->object.world;
    struct solo_context *context = job->context;
    world->memory->release(world, job);
    solo__context_drop(context);
}

struct solo_result solo__job_result(struct solo_result result)
{
    bool is_good = result.wait_for == NULL && result.status <= 0;
    return is_good ? result : solo_failure(-EINVAL);
}

/* ---- Acceptance ---- */

/* The first worker is started before the job is accepted, so that a pool without any can refuse it. */
int solo__job_admit(struct solo__job *job)
{
    struct solo_pool *pool = job->pool;
    if (!solo__pool_is_attentive(pool)) { /* there are as many workers as there may be, or it takes no more */
        return 0;
    }
    solo__pool_enter(pool);
    int status = pool->closing ? SOLO_ECLOSING : 0;
    bool first = pool->worker_count == 0 && pool->started;
    solo__pool_leave(pool);
    if (status == 0 && first) {
        status = solo__pool_add_worker(pool, true);
    }
    if (status < 0) {
        solo__job_release(job);
        return status;
    }
    return 0;
}

/* Under the lock, for whoever needs the number, and where somebody has to be woken or started. False: closed. */
static bool put_and_see(struct solo_pool *pool, struct solo__job *job, unsigned *ret_number)
{
    solo__pool_enter(pool);
    bool accepted = solo__pool_put(pool, job);
    solo__pool_settle(pool);
    if (accepted) {
        *ret_number = job->number;
        solo__pool_wake_for_queue(pool);
    }
    bool grows = accepted && solo__pool_wants_worker(pool);
    solo__pool_leave(pool);
    if (grows) {
        (void)solo__pool_start_needed(pool); /* refused: the job is left to the workers there are, or handed back */
    }
    return accepted;
}

/* What was put in the inbox without the lock may have come too late to be seen. */
static void see_to_it(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    solo__pool_settle(pool);
    solo__pool_wake_for_queue(pool);
    bool grows = solo__pool_wants_worker(pool);
    solo__pool_leave(pool);
    if (grows) {
        (void)solo__pool_start_needed(pool);
    }
}

int solo__job_accept(struct solo__job *job, unsigned *ret_number)
{
    struct solo_pool *pool = job->pool;
    unsigned number;
    bool accepted;
    solo__call_announce(&job->call, SOLO_QUEUE_POOL);
    SOLO_ANNOTATE_HAPPENS_BEFORE(job);
    if (ret_number != NULL || solo__pool_is_attentive(pool)) {
        accepted = put_and_see(pool, job, ret_number != NULL ? ret_number : &number);
    } else {
        accepted = solo__pool_put(pool, job);
        if (accepted && solo__pool_is_attentive(pool)) {
            see_to_it(pool);
        }
    }
    if (!accepted) {
        solo__call_refused(&job->call, SOLO_ECLOSING);
        solo__job_release(job);
        return SOLO_ECLOSING;
    }
    return 0;
}

int solo__job_queue(struct solo__job *job, unsigned *ret_number)
{
    int status = solo__job_admit(job);
    return status < 0 ? status : solo__job_accept(job, ret_number);
}

int solo__job_queue_call(struct solo_pool *pool, solo_call_fn fn, void *arg, solo_done_fn done, void *frame,
                         void *return_address, unsigned *ret_number)
{
    struct solo__job *job = solo__job_make(pool, sizeof *job, fn, arg, done, frame, return_address);
    return job != NULL ? solo__job_queue(job, ret_number) : -ENOMEM;
}

int solo_reactor_call_in_thread(struct solo_reactor *reactor, solo_call_fn fn, void *arg, solo_done_fn done)
{
    SOLO__LIVE_OBJECT(solo_reactor_call_in_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (fn == NULL) {
        return -EINVAL;
    }

    struct solo_pool *pool;
    int status = solo__pool_of(reactor, __builtin_return_address(0), &pool);
    if (status < 0) {
        return status;
    }
    return solo__job_queue_call(pool, fn, arg, done, __builtin_frame_address(0), __builtin_return_address(0), NULL);
}

int solo_pool_call_in_thread(struct solo_pool *pool, solo_call_fn fn, void *arg, solo_done_fn done,
                             unsigned *ret_number)
{
    SOLO__LIVE_OBJECT(solo_pool_call_in_thread, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    if (fn == NULL) {
        return -EINVAL;
    }

    return solo__job_queue_call(pool, fn, arg, done, __builtin_frame_address(0), __builtin_return_address(0),
                                ret_number);
}

/* ---- Taking back ---- */

struct solo__job *solo__pool_find_queued(const struct solo_pool *pool, unsigned number)
{
    struct solo__job *first = pool->queue.first, *last = pool->queue.last;
    while (first != NULL && !solo__job_is_older(number, first->number) && !solo__job_is_older(last->number, number)) {
        if (first->number == number) {
            return first;
        }
        if (last->number == number) {
            return last;
        }
        first = first->next;
        last = last->previous;
    }
    return NULL;
}

int solo_pool_cancel(struct solo_pool *pool, unsigned number)
{
    SOLO__LIVE_OBJECT(solo_pool_cancel, pool, SOLO__POOL, SOLO006_USE_AFTER_END);

    solo__announce(pool->object.world, SOLO_PROBE_JOB_CANCEL, SOLO_ACCESS_WRITE, pool->object.id, number);
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    bool given = number != 0 && (number <= pool->last_number || pool->accepted > UINT32_MAX);
    struct solo__job *job = solo__pool_find_queued(pool, number);
    if (job != NULL) {
        solo__pool_withdraw(pool, job, SOLO_ECANCELLED);
        pool->reporting++;
    }
    solo__pool_leave(pool);
    if (job == NULL) {
        return given ? SOLO_EALREADYCALLED : -EINVAL;
    }
    (void)solo__reactor_post(pool->reactor, &job->call, true); /* the stop waits for this: it cannot be refused */
    solo__pool_has_reported(pool);
    return 0;
}
