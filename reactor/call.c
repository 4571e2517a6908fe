/*
 * call.c - one accepted call, from its acceptance to its end.
 *
 * Whoever accepts a call takes all the memory that it will ever need; from then on nothing can be refused any more.
 * Whatever happens to it, it is served exactly once, and `done` is called exactly once.
 */
#include "reactor_internal.h"
#include "sanitizer/annotate.h"

void *solo__call_make(struct solo_reactor *reactor, size_t size, enum solo__object_kind kind, solo_call_fn fn,
                      void *arg, solo_done_fn done, void *frame, void *return_address)
{
    struct solo_world *world = reactor->world;
    struct solo__call *call = world->memory->allocate(world, size);
    if (call == NULL) {
        return NULL;
    }
    SOLO_ANNOTATE_PRIVATE(call, size);
    solo__call_init(call, reactor, kind, fn, arg, done, frame, return_address);
    return call;
}

void solo__call_init(struct solo__call *call, struct solo_reactor *reactor, enum solo__object_kind kind,
                     solo_call_fn fn, void *arg, solo_done_fn done, void *frame, void *return_address)
{
    call->next = NULL;
    call->serve = solo__call_serve;
    call->reactor = reactor;
    call->fn = fn;
    call->done = done;
    call->arg = arg;
    solo__provenance_take(&call->provenance, solo__object_next_id(reactor->world, kind), frame, return_address);
}

const struct solo__provenance *solo__call_begun(struct solo__call *call)
{
    const struct solo__provenance *outer_work = solo__self->work;
    solo__self->work = &call->provenance;
    solo__announce(call->reactor->world, SOLO_PROBE_CALL_BEGUN, SOLO_ACCESS_WRITE, call->provenance.object, 0);
    return outer_work;
}

void solo__call_ended(struct solo__call *call, const struct solo__provenance *outer_work)
{
    solo__announce(call->reactor->world, SOLO_PROBE_CALL_ENDED, SOLO_ACCESS_WRITE, call->provenance.object, 0);
    solo__self->work = outer_work;
}

static void announce_end(const struct solo__call *call, enum solo_probe_kind how, int status)
{
    solo__announce(call->reactor->object.world, how, SOLO_ACCESS_WRITE, call->provenance.object,
                   (uint64_t)(int64_t)status);
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
        const struct solo__provenance *outer_work = solo__call_begun(call);
        call->fn(call->arg);
        solo__call_ended(call, outer_work);
    }
    solo__call_done(call, status);
    solo__call_release(call);
    solo__callback_end(reactor, id);
}
