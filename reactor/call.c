/*
 * call.c - one accepted call, from its acceptance to its end.
 *
 * Whoever accepts a call takes all the memory that it will ever need; from then on nothing can be refused any more.
 * Whatever happens to it, it is served exactly once, and `done` is called exactly once.
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"

/*
 * Ids of thread calls. In world os a thread sets 64 aside, because threads that count together wait for each other;
 * while somebody listens they are in order.
 */
static uint32_t next_id(struct solo_world *world, enum solo__object_kind kind, struct solo_thread *self)
{
    enum { SET_ASIDE = 64 };
    if (kind != SOLO__CALL || solo__world_is_heard(world)) {
        return solo__object_next_id(world, kind);
    }
    if (self->call_ids_left == 0) {
        self->call_ids_next = solo__object_next_ids(world, kind, SET_ASIDE);
        self->call_ids_left = SET_ASIDE;
    }
    self->call_ids_left--;
    return self->call_ids_next++;
}

/* As solo__provenance_take, for the most frequent kind of work: one frame, without a call. */
static inline void take_provenance(struct solo__provenance *provenance, struct solo_thread *self, uint32_t object,
                                   void *frame, void *return_address)
{
    if (solo__provenance_is_full(self)) {
        solo__provenance_take(provenance, object, frame, return_address);
        return;
    }
    provenance->object = object;
    provenance->thread = self->number;
    provenance->count = 1;
    provenance->by = self;
    provenance->frames[0] = (uint64_t)(uintptr_t)return_address;
}

static inline void init(struct solo__call *call, struct solo_reactor *reactor, enum solo__object_kind kind,
                        solo_call_fn fn, void *arg, solo_done_fn done, struct solo_thread *self, void *frame,
                        void *return_address)
{
    call->next = NULL;
    call->serve = solo__call_serve;
    call->reactor = reactor;
    call->fn = fn;
    call->done = done;
    call->arg = arg;
    take_provenance(&call->provenance, self, next_id(reactor->world, kind, self), frame, return_address);
}

void *solo__call_make(struct solo_reactor *reactor, size_t size, enum solo__object_kind kind, solo_call_fn fn,
                      void *arg, solo_done_fn done, void *frame, void *return_address)
{
    struct solo_world *world = reactor->world;
    struct solo_thread *self = solo__self != NULL ? solo__self : solo__self_get();
    if (size == sizeof(struct solo__call) && !solo__provenance_is_full(self)) {
        size = offsetof(struct solo__call, provenance.frames[1]); /* a long queue is bound by the size of its calls */
    }
    struct solo__call *call = world->memory->allocate(world, size);
    if (call == NULL) {
        return NULL;
    }
    SOLO_ANNOTATE_PRIVATE(call, size);
    init(call, reactor, kind, fn, arg, done, self, frame, return_address);
    return call;
}

void solo__call_init(struct solo__call *call, struct solo_reactor *reactor, enum solo__object_kind kind,
                     solo_call_fn fn, void *arg, solo_done_fn done, void *frame, void *return_address)
{
    init(call, reactor, kind, fn, arg, done, solo__self_get(), frame, return_address);
}

static inline const struct solo__provenance *begun(struct solo__call *call)
{
    struct solo_thread *self = solo__self;
    const struct solo__provenance *outer_work = self->work;
    self->work = &call->provenance;
    solo__announce(call->reactor->world, SOLO_PROBE_CALL_BEGUN, SOLO_ACCESS_WRITE, call->provenance.object, 0);
    solo__argument_run(call->reactor->world, call->provenance.object);
    return outer_work;
}

static inline void ended(struct solo__call *call, const struct solo__provenance *outer_work)
{
    solo__announce(call->reactor->world, SOLO_PROBE_CALL_ENDED, SOLO_ACCESS_WRITE, call->provenance.object, 0);
    solo__self->work = outer_work;
}

const struct solo__provenance *solo__call_begun(struct solo__call *call)
{
    return begun(call);
}

void solo__call_ended(struct solo__call *call, const struct solo__provenance *outer_work)
{
    ended(call, outer_work);
}

static void announce_end(const struct solo__call *call, enum solo_probe_kind how, int status)
{
    solo__announce(call->reactor->object.world, how, SOLO_ACCESS_WRITE, call->provenance.object,
                   (uint64_t)(int64_t)status);
    solo__argument_forget(call->reactor->object.world, call->provenance.object);
}

void solo__call_done(struct solo__call *call, int status)
{
    if (call->done != NULL) {
        announce_end(call, SOLO_PROBE_CALL_HANDED_BACK, status);
        const struct solo__provenance *outer_work = solo__self->work;
        solo__self->work = &call->provenance;
        call->done(status, call->arg);
        solo__self->work = outer_work;
    } else if (status < 0) {
        announce_end(call, SOLO_PROBE_CALL_DROPPED, status);
    }
}

void solo__call_release(struct solo__call *call)
{
    struct solo_world *world = call->reactor->object.world;
    world->memory->release(world, call);
}

void solo__call_refused(struct solo__call *call, int status)
{
    announce_end(call, SOLO_PROBE_CALL_HANDED_BACK, status);
}

void solo__call_serve(struct solo__call *call, int status)
{
    struct solo_reactor *reactor = call->reactor;
    uint32_t id = call->provenance.object;

    solo__callback_begin(reactor, id);
    if (status == 0) {
        const struct solo__provenance *outer_work = begun(call);
        call->fn(call->arg);
        ended(call, outer_work);
    }
    if (call->done != NULL || status < 0) {
        solo__call_done(call, status);
    }
    solo__call_release(call);
    solo__callback_end(reactor, id);
}
