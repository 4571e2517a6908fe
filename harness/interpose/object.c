/*
 * object.c - what is known of the program's mutexes, conditions and so on: a side table by kind and address.
 *
 * Numbers are given by first use, so they are the same in every run of a schedule. An object that ended and one that
 * begins at the same address are two.
 */
#include "interpose.h"
#include <string.h>

enum { BUCKETS = 1024 };

static struct interpose_object *buckets[BUCKETS];
static struct interpose_object *spare;

static struct interpose_object **place_of(enum interpose_kind kind, const void *address)
{
    uint64_t hash = ((uintptr_t)address >> 3 ^ (uint64_t)kind << 56) * UINT64_C(0x9e3779b97f4a7c15);
    struct interpose_object **place = &buckets[hash >> 54];
    while (*place != NULL && ((*place)->address != address || (*place)->kind != kind)) {
        place = &(*place)->next;
    }
    return place;
}

static const struct {
    enum solo_model_kind model;
    enum solo_wait_kind wait;
} kinds[INTERPOSE_KINDS] = {
    [INTERPOSE_MUTEX] = {SOLO_MODEL_MUTEX, SOLO_WAIT_MUTEX},
    [INTERPOSE_CONDITION] = {SOLO_MODEL_CONDITION, SOLO_WAIT_CONDITION},
    [INTERPOSE_RWLOCK] = {SOLO_MODEL_RWLOCK, SOLO_WAIT_MUTEX},
    [INTERPOSE_SEMAPHORE] = {SOLO_MODEL_SEMAPHORE, SOLO_WAIT_SEMAPHORE},
    [INTERPOSE_BARRIER] = {SOLO_MODEL_BARRIER, SOLO_WAIT_BARRIER},
    [INTERPOSE_ONCE] = {SOLO_MODEL_ONCE, SOLO_WAIT_ONCE},
    [INTERPOSE_FUTEX] = {SOLO_MODEL_FUTEX, SOLO_WAIT_FUTEX},
    [INTERPOSE_FILE] = {SOLO_MODEL_FILE, SOLO_WAIT_MUTEX},
};

static struct interpose_object *make(enum interpose_kind kind, const void *address)
{
    struct interpose_object *object = spare;
    if (object != NULL) {
        spare = object->next;
        memset(object, 0, sizeof *object);
    } else {
        object = interpose_allocate(sizeof *object);
    }
    object->kind = kind;
    object->address = address;
    object->id = solo_model_object(kinds[kind].model);
    object->why = (struct solo_wait){kinds[kind].wait, object->id, NULL};
    object->fresh = true;
    return object;
}

struct interpose_object *interpose_object_known(enum interpose_kind kind, const void *address)
{
    return *place_of(kind, address);
}

struct interpose_object *interpose_object(enum interpose_kind kind, const void *address)
{
    struct interpose_object **place = place_of(kind, address);
    if (*place == NULL) {
        *place = make(kind, address);
    }
    return *place;
}

struct interpose_object *interpose_object_left(const struct solo_thread *holder, uint32_t id)
{
    struct interpose_object *lowest = NULL;
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct interpose_object *object = buckets[i]; object != NULL; object = object->next) {
            bool left = object->kind == INTERPOSE_MUTEX && object->mutex.robust && object->mutex.holder == holder;
            if (left && object->id > id && (lowest == NULL || object->id < lowest->id)) {
                lowest = object;
            }
        }
    }
    return lowest;
}

void interpose_object_forget(enum interpose_kind kind, const void *address)
{
    struct interpose_object **place = place_of(kind, address);
    struct interpose_object *object = *place;
    if (object == NULL) {
        return;
    }
    *place = object->next;
    if (object->waiters == 0) { /* else somebody still stands at its gate, for ever */
        object->next = spare;
        spare = object;
    }
}

/* For the harness, which knows ids and looks for names: what the object with this id is at; NULL if it has ended. */
INTERPOSED const void *solo_interpose_address_of(uint32_t id);
INTERPOSED const void *solo_interpose_address_of(uint32_t id)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (const struct interpose_object *object = buckets[i]; object != NULL; object = object->next) {
            if (object->id == id) {
                return object->address;
            }
        }
    }
    return NULL;
}

int interpose_wait(struct solo_world *world, struct interpose_object *object, uint64_t deadline_ns)
{
    object->waiters++;
    world->threads->enter(world, &object->lock);
    int result = world->threads->wait(world, &object->gate, &object->lock, &object->why, deadline_ns);
    world->threads->leave(world, &object->lock);
    object->waiters--;
    return result;
}

void interpose_wake(struct solo_world *world, struct interpose_object *object, bool all)
{
    world->threads->enter(world, &object->lock);
    world->threads->wake(world, &object->gate, all);
    world->threads->leave(world, &object->lock);
}
