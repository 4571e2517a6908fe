/*
 * object.c - identity of kit objects, and the quarantine of those that ended.
 *
 * The header of an ended object stays readable, its body is poisoned for whoever checks memory. In world sim it stays
 * in the world's own quarantine, which only a very long schedule fills. Elsewhere an ended object stays in a ring until
 * SOLO__QUARANTINE_MAX later ones have pushed it out. Threads have a ring of their own and are not poisoned: records
 * name them long after they ended.
 */
#include "object.h"
#include "annotate.h"
#include "self.h"
#include "sim_world.h"
#include <solo/thread.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_BITS = 24, NUMBER_MASK = (1 << NUMBER_BITS) - 1 };

struct ring {
    struct solo__object *slots[SOLO__QUARANTINE_MAX];
    unsigned next; /* counts up for ever */
};

static struct ring objects_ring, threads_ring;

bool solo__world_is_sim(const struct solo_world *world)
{
    return sim__is_sim(world);
}

uint32_t solo__object_next_ids(struct solo_world *world, enum solo__object_kind kind, uint32_t count)
{
    struct solo__object_ids *ids = solo__world_ids(world);
    assert(kind < SOLO__OBJECT_KINDS && count > 0 && count < NUMBER_MASK);
    for (;;) {
        uint32_t last = __atomic_add_fetch(&ids->next[kind], count, __ATOMIC_RELAXED) & NUMBER_MASK;
        if (last >= count) { /* it is not, once in 16 million: no number is 0 */
            return (uint32_t)kind << NUMBER_BITS | (last - count + 1);
        }
    }
}

uint32_t solo__object_next_id(struct solo_world *world, enum solo__object_kind kind)
{
    return solo__object_next_ids(world, kind, 1);
}

void solo__object_begin(struct solo__object *object, struct solo_world *world, enum solo__object_kind kind, size_t size,
                        void *created_at)
{
    solo__object_begin_as(object, solo__object_next_id(world, kind), world, kind, size, created_at);
}

void *solo__object_make(struct solo_world *world, enum solo__object_kind kind, size_t size, void *created_at)
{
    assert(size >= sizeof(struct solo__object) && size <= UINT32_MAX);
    struct solo__object *object = world->memory->allocate(world, size);
    if (object == NULL) {
        return NULL;
    }
    memset(object, 0, size);
    solo__object_begin(object, world, kind, size, created_at);
    return object;
}

/* Puts an object into the ring; returns the one that it pushes out, or NULL. */
static struct solo__object *ring_push(struct ring *ring, struct solo__object *object)
{
    unsigned slot = __atomic_fetch_add(&ring->next, 1, __ATOMIC_RELAXED) % SOLO__QUARANTINE_MAX;
    SOLO_ANNOTATE_HAPPENS_BEFORE(object); /* this file need not be instrumented */
    struct solo__object *out = __atomic_exchange_n(&ring->slots[slot], object, __ATOMIC_ACQ_REL);
    if (out != NULL) {
        SOLO_ANNOTATE_HAPPENS_AFTER(out);
    }
    return out;
}

static void end_thread(struct solo__object *object)
{
    struct solo__object *out = ring_push(&threads_ring, object);
    if (out != NULL) {
        solo__thread_evict((struct solo_thread *)out);
    }
}

static void end_other(struct solo__object *object)
{
    struct solo__object *out = ring_push(&objects_ring, object);
    if (out != NULL) {
        SOLO_ANNOTATE_UNPOISON(out + 1, out->size - sizeof *out);
        out->world->memory->release(out->world, out);
    }
}

void solo__object_end(void *ended)
{
    struct solo__object *object = ended;
    assert(object->state == SOLO__ALIVE && object->size >= sizeof *object);
    __atomic_store_n(&object->state, SOLO__ENDED, __ATOMIC_RELAXED);
    if (object->kind == SOLO__THREAD) {
        if (!sim__is_sim(object->world)) {
            end_thread(object);
        }
        return;
    }
    SOLO_ANNOTATE_POISON(object + 1, object->size - sizeof *object);
    if (sim__is_sim(object->world)) {
        object->world->memory->release(object->world, object); /* which keeps it for long: sim_memory.c */
    } else {
        end_other(object);
    }
}

const char *solo__object_kind_text(unsigned kind)
{
    static const char *const texts[SOLO__OBJECT_KINDS] = {
        [SOLO__NO_OBJECT] = "-",
        [SOLO__REACTOR] = "reactor",
        [SOLO__THREAD] = "thread",
        [SOLO__MUTEX] = "mutex",
        [SOLO__CONDITION] = "condition",
        [SOLO__SEMAPHORE] = "semaphore",
        [SOLO__POOL] = "threadpool", /* "pool#1" is a thread */
        [SOLO__JOB] = "job",
        [SOLO__CALL] = "call",
        [SOLO__DELAYED_CALL] = "delayed-call",
        [SOLO__BLOCKING_CALL] = "blocking-call",
        [SOLO__TRIGGER] = "trigger",
        [SOLO__DEFERRED] = "deferred",
        [SOLO__WORKER] = "worker",
        [SOLO__WORK] = "work",
        [SOLO__PORT] = "port",
        [SOLO__CONNECTOR] = "connector",
        [SOLO__TRANSPORT] = "transport",
        [SOLO__STREAM] = "stream",
        [SOLO__READER] = "descriptor",
        [SOLO__CONFINED] = "confined",
        [SOLO__LOOPING_CALL] = "looping-call",
        [SOLO__COOPERATOR] = "cooperator",
        [SOLO__TASK] = "task",
        [SOLO__INBOX] = "inbox",
        [SOLO__DATAGRAM_PORT] = "datagram-port",
        [SOLO__RECONNECTOR] = "reconnector",
        [SOLO__PUMP] = "pump",
        [SOLO__CONTEXT] = "context",
        [SOLO__TEAM] = "team",
        [SOLO__DEFERRED_LOCK] = "deferred-lock",
        [SOLO__DEFERRED_SEMAPHORE] = "deferred-semaphore",
        [SOLO__DEFERRED_QUEUE] = "deferred-queue",
        [SOLO__RWLOCK] = "rwlock",
        [SOLO__BARRIER] = "barrier",
        [SOLO__ONCE] = "once",
        [SOLO__FUTEX] = "futex",
        [SOLO__FILE] = "file",
        [SOLO__PIPE] = "pipe",
        [SOLO__SOCKET] = "socket",
        [SOLO__EVENTFD] = "eventfd",
        [SOLO__TIMERFD] = "timerfd",
        [SOLO__EPOLL] = "epoll",
        [SOLO__MEMORY] = "memory",
    };
    return kind < SOLO__OBJECT_KINDS && texts[kind] != NULL ? texts[kind] : "?";
}

const char *solo_object_name(uint32_t object, char *buffer, size_t size)
{
    unsigned kind = object >> NUMBER_BITS;
    if (buffer == NULL || size == 0) {
        return buffer;
    }
    if (object == 0) {
        snprintf(buffer, size, "-");
    } else if (kind != SOLO__THREAD || !solo__thread_print_id(solo_world_current(), object, buffer, size)) {
        snprintf(buffer, size, "%s#%u", solo__object_kind_text(kind), object & NUMBER_MASK);
    }
    return buffer;
}
