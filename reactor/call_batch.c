/*
 * call_batch.c - several thread calls in one block of memory: those of one call-many, and runs of single ones.
 *
 * A run: as long as the newest thing in a reactor's queue is a batch that this very thread made, its next call may go
 * there too, in front of nothing and behind everything; it costs a slot and one atomic addition instead of memory and
 * a place in the queue. The order is that of acceptance, because nobody else's call was accepted since: at the moment
 * of looking, the batch was the newest.
 *
 * A batch is shared by the thread that adds to it and by the reactor thread. `state` counts the slots that are filled,
 * and says TAKEN once a pass has fixed what it will serve: an addition that finds it was too late and is made
 * elsewhere. Of LEFT (the thread adds no more) and SERVED, the second one gives the memory back.
 *
 * Runs exist in world os only and while nobody listens to the probe: in a simulation each call keeps its own frames,
 * and between two calls of one thread there is a point where others go first. (test_call_batch__...)
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"

enum {
    COUNT = 0xffffff, /* of `state` */
    TAKEN = 1 << 24,
    LEFT = 1 << 25,
    SERVED = 1 << 26,
    RUN_FIRST = 4, /* slots of a run's first batch */
    RUN_MAX = 32,  /* and of its largest */
};

struct slot {
    solo_call_fn fn;
    void *arg;
    solo_done_fn done;
    uint64_t frame; /* who queued it */
};

struct solo__call_batch {
    struct solo__call call; /* first; its provenance is that of all, with one frame, and of the one being served */
    uint32_t state;         /* atomic */
    uint32_t used;          /* the adding thread's: slots that it has filled */
    uint32_t capacity;
    uint32_t count; /* the reactor thread's: slots that it will serve */
    struct slot slots[];
};

static uint32_t set(struct solo__call_batch *batch, uint32_t bit)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    uint32_t before = __atomic_fetch_or(&batch->state, bit, __ATOMIC_ACQ_REL);
    SOLO_ANNOTATE_IGNORE_END();
    return before;
}

static void release(struct solo__call_batch *batch, struct solo_world *world)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    world->memory->release(world, batch);
    SOLO_ANNOTATE_IGNORE_END();
}

static struct solo__call_batch *make(struct solo_reactor *reactor, uint32_t capacity, uint32_t ids,
                                     void (*serve)(struct solo__call *call, int status), void *frame,
                                     void *return_address)
{
    struct solo_world *world = reactor->world;
    size_t size = sizeof(struct solo__call_batch) + capacity * sizeof(struct slot);
    struct solo__call_batch *batch = world->memory->allocate(world, size);
    if (batch == NULL) {
        return NULL;
    }
    SOLO_ANNOTATE_PRIVATE(batch, size);
    batch->call.serve = serve;
    batch->call.reactor = reactor;
    batch->call.arg = NULL;
    solo__provenance_take(&batch->call.provenance, solo__object_next_ids(world, SOLO__CALL, ids), frame,
                          return_address);
    batch->state = batch->used = batch->count = 0;
    batch->capacity = capacity;
    return batch;
}

/* ---- Serving ---- */

/* As solo__call_serve, for one slot. */
static void serve_slot(struct solo__call_batch *batch, const struct slot *slot, int status)
{
    struct solo_reactor *reactor = batch->call.reactor;
    struct solo__call *call = &batch->call;
    call->fn = slot->fn;
    call->arg = slot->arg;
    call->done = slot->done;
    call->provenance.frames[0] = slot->frame;
    solo__callback_begin(reactor, call->provenance.object);
    if (status == 0) {
        const struct solo__provenance *outer_work = solo__call_begun(call);
        slot->fn(slot->arg);
        solo__call_ended(call, outer_work);
    }
    if (slot->done != NULL || status < 0) {
        solo__call_done(call, status);
    }
    solo__callback_end(reactor, call->provenance.object);
}

/* The same where nobody listens: what is left of it. */
static void serve_quietly(struct solo__call_batch *batch)
{
    struct solo_thread *self = solo__self;
    const struct solo__provenance *outer_work = self->work;
    struct solo__provenance *work = &batch->call.provenance;
    self->work = work;
    self->callback_depth++;
    for (const struct slot *slot = batch->slots, *end = slot + batch->count; slot < end; slot++) {
        SOLO_ANNOTATE_HAPPENS_AFTER(slot);
        work->frames[0] = slot->frame;
        slot->fn(slot->arg);
        if (slot->done != NULL) {
            slot->done(0, slot->arg);
        }
        work->object++;
    }
    self->callback_depth--;
    self->work = outer_work;
}

static void serve_run(struct solo__call *call, int status)
{
    struct solo__call_batch *batch = (struct solo__call_batch *)call;
    struct solo_world *world = call->reactor->object.world;
    if (status == 0 && !solo__world_is_heard(world)) {
        serve_quietly(batch);
    } else {
        for (uint32_t i = 0; i < batch->count; i++, call->provenance.object++) {
            SOLO_ANNOTATE_HAPPENS_AFTER(&batch->slots[i]);
            serve_slot(batch, &batch->slots[i], status);
        }
    }
    if ((set(batch, SERVED) & LEFT) != 0) {
        release(batch, world);
    }
}

void solo__call_batch_take(struct solo__call *call)
{
    if (call->serve == serve_run) {
        struct solo__call_batch *batch = (struct solo__call_batch *)call;
        batch->count = set(batch, TAKEN) & COUNT;
    }
}

/* ---- Runs ---- */

void solo__call_batch_leave(struct solo_thread *thread)
{
    struct solo__call_batch *batch = thread->run;
    if (batch != NULL) {
        thread->run = NULL;
        struct solo_world *world = thread->object.world; /* its reactor may have ended */
        if ((set(batch, LEFT) & SERVED) != 0) {
            release(batch, world);
        }
    }
}

static void fill(struct slot *slot, solo_call_fn fn, void *arg, solo_done_fn done, void *return_address)
{
    slot->fn = fn;
    slot->arg = arg;
    slot->done = done;
    slot->frame = (uint64_t)(uintptr_t)return_address;
    SOLO_ANNOTATE_HAPPENS_BEFORE(slot);
}

/* True: it is accepted, behind what this thread has queued just before. */
static inline bool add_to_run(struct solo_reactor *reactor, struct solo_thread *self, solo_call_fn fn, void *arg,
                              solo_done_fn done, void *return_address)
{
    struct solo__call_batch *batch = self->run;
    if (batch == NULL || batch->used == batch->capacity || !solo__reactor_is_newest(reactor, &batch->call)) {
        return false;
    }
    fill(&batch->slots[batch->used], fn, arg, done, return_address);
    SOLO_ANNOTATE_IGNORE_BEGIN();
    uint32_t before = __atomic_fetch_add(&batch->state, 1, __ATOMIC_RELEASE);
    SOLO_ANNOTATE_IGNORE_END();
    if ((before & TAKEN) != 0) {
        return false;
    }
    batch->used++;
    return true;
}

/*
 * How large the batch should be with which the thread goes on; 0: no batch. Who finds its last call still the newest
 * queues faster than the reactor serves, and the more so, the longer.
 */
static uint32_t next_capacity(struct solo_reactor *reactor, struct solo_thread *self)
{
    const struct solo__call_batch *batch = self->run;
    if (batch != NULL) {
        uint32_t wanted = batch->used == batch->capacity ? 2 * batch->capacity : batch->used;
        return wanted < RUN_FIRST ? 0 : wanted < RUN_MAX ? wanted : RUN_MAX;
    }
    return self->posted != NULL && solo__reactor_is_newest(reactor, self->posted) ? RUN_FIRST : 0;
}

/* ---- The public functions ---- */

static int post(struct solo_reactor *reactor, struct solo__call *call)
{
    solo__call_announce(call, SOLO_QUEUE_THREAD_CALL);
    int error = solo__reactor_post(reactor, call, false);
    if (error < 0) {
        solo__call_refused(call, error);
        solo__call_release(call);
    }
    return error;
}

static int post_alone(struct solo_reactor *reactor, struct solo_thread *self, solo_call_fn fn, void *arg,
                      solo_done_fn done, void *frame, void *return_address)
{
    struct solo__call *call = solo__call_make(reactor, sizeof *call, SOLO__CALL, fn, arg, done, frame, return_address);
    if (call == NULL) {
        return -ENOMEM;
    }
    self->posted = call; /* to be compared with, never looked into */
    return post(reactor, call);
}

static int post_run(struct solo_reactor *reactor, struct solo_thread *self, uint32_t capacity, solo_call_fn fn,
                    void *arg, solo_done_fn done, void *frame, void *return_address)
{
    struct solo__call_batch *batch = make(reactor, capacity, capacity, serve_run, frame, return_address);
    if (batch == NULL) {
        return -ENOMEM;
    }
    fill(&batch->slots[0], fn, arg, done, return_address);
    batch->used = 1;
    batch->state = 1;
    int error = post(reactor, &batch->call);
    self->run = error == 0 ? batch : NULL;
    return error;
}

int solo_reactor_call_from_thread(struct solo_reactor *reactor, solo_call_fn fn, void *arg, solo_done_fn done)
{
    SOLO__LIVE_OBJECT(solo_reactor_call_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (fn == NULL) {
        return -EINVAL;
    }

    void *frame = __builtin_frame_address(0), *return_address = __builtin_return_address(0);
    struct solo_thread *self = solo__self != NULL ? solo__self : solo__self_get();
    uint32_t capacity = 0;
    if (!solo__world_is_heard(reactor->object.world) && !solo__provenance_is_full(self)) {
        if (add_to_run(reactor, self, fn, arg, done, return_address)) {
            return 0;
        }
        capacity = next_capacity(reactor, self);
    }
    solo__call_batch_leave(self);
    int error = capacity > 0 ? post_run(reactor, self, capacity, fn, arg, done, frame, return_address)
                             : post_alone(reactor, self, fn, arg, done, frame, return_address);
    if (error == SOLO_ECLOSED) {
        SOLO__LIVE_OBJECT(solo_reactor_call_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    }
    return error;
}

/* ---- Many at once ---- */

/* To whoever listens they are one call with one name. */
static void serve_many(struct solo__call *call, int status)
{
    struct solo__call_batch *batch = (struct solo__call_batch *)call;
    struct solo_reactor *reactor = call->reactor;
    struct solo_world *world = reactor->object.world;
    uint32_t id = call->provenance.object;
    bool all_told = true;

    solo__callback_begin(reactor, id);
    const struct solo__provenance *outer_work = status == 0 ? solo__call_begun(call) : NULL;
    for (uint32_t i = 0; status == 0 && i < batch->count; i++) {
        batch->slots[i].fn(batch->slots[i].arg);
        if (batch->slots[i].done != NULL) {
            batch->slots[i].done(0, batch->slots[i].arg);
        }
    }
    if (status == 0) {
        solo__call_ended(call, outer_work);
    }
    for (uint32_t i = 0; status < 0 && i < batch->count; i++) {
        call->arg = batch->slots[i].arg;
        call->done = batch->slots[i].done;
        all_told = all_told && call->done != NULL;
        if (call->done != NULL) {
            solo__call_done(call, status);
        }
    }
    if (!all_told) {
        call->done = NULL;
        solo__call_done(call, status);
    }
    release(batch, world);
    solo__callback_end(reactor, id);
}

int solo_reactor_call_many_from_thread(struct solo_reactor *reactor, const struct solo_thread_call *calls, size_t count)
{
    SOLO__LIVE_OBJECT(solo_reactor_call_many_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (calls == NULL && count > 0) {
        return -EINVAL;
    }
    if (count > SOLO_THREAD_CALLS_MAX) {
        return SOLO_ELIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        if (calls[i].fn == NULL) {
            return -EINVAL;
        }
    }

    if (count == 0) {
        return 0;
    }
    void *frame = __builtin_frame_address(0), *return_address = __builtin_return_address(0);
    struct solo__call_batch *batch = make(reactor, (uint32_t)count, 1, serve_many, frame, return_address);
    if (batch == NULL) {
        return -ENOMEM;
    }
    batch->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        batch->slots[i] = (struct slot){calls[i].fn, calls[i].arg, calls[i].done, 0};
        solo__argument_keep(reactor->object.world, batch->call.provenance.object, calls[i].arg);
    }
    int error = post(reactor, &batch->call);
    if (error == SOLO_ECLOSED) {
        SOLO__LIVE_OBJECT(solo_reactor_call_many_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    }
    return error;
}
