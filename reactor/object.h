/*
 * object.h - identity and life of every kit object.
 *
 * Each object starts with this header. Its id is per kind and per world, given in order of creation, so that names
 * such as "transport#2" are the same in every run of a schedule. An object that has ended keeps its header readable
 * for a while (quarantine): in world sim until so much has ended after it that the schedule is hours long
 * (sim_memory.h); in world os in a bounded ring. So use after the end is named, not undefined.
 */
#ifndef SOLO__OBJECT_H
#define SOLO__OBJECT_H

#include <solo/world.h>

enum solo__object_kind {
    SOLO__NO_OBJECT = 0,
    SOLO__REACTOR,
    SOLO__THREAD,
    SOLO__MUTEX,
    SOLO__CONDITION,
    SOLO__SEMAPHORE,
    SOLO__POOL,
    SOLO__JOB,
    SOLO__CALL, /* thread call */
    SOLO__DELAYED_CALL,
    SOLO__BLOCKING_CALL,
    SOLO__TRIGGER,
    SOLO__DEFERRED,
    SOLO__WORKER,
    SOLO__WORK, /* accepted by a worker */
    SOLO__PORT,
    SOLO__CONNECTOR,
    SOLO__TRANSPORT,
    SOLO__STREAM, /* a descriptor of the network */
    SOLO__READER,
    SOLO__CONFINED,
    SOLO__CONTEXT,
    SOLO__TEAM,
    SOLO__DEFERRED_LOCK,
    SOLO__DEFERRED_SEMAPHORE,
    SOLO__DEFERRED_QUEUE,
    SOLO__DATAGRAM_PORT,
    SOLO__RECONNECTOR,
    SOLO__PUMP,
    SOLO__RWLOCK, /* this one and the following: of libraries that model others (solo/model.h) */
    SOLO__BARRIER,
    SOLO__ONCE,
    SOLO__FUTEX,
    SOLO__FILE,
    SOLO__PIPE,
    SOLO__SOCKET,
    SOLO__EVENTFD,
    SOLO__TIMERFD,
    SOLO__EPOLL,
    SOLO__MEMORY, /* a word of it, announced by an access */
    SOLO__LOOPING_CALL,
    SOLO__COOPERATOR,
    SOLO__TASK, /* of a cooperator */
    SOLO__INBOX,
    SOLO__OBJECT_KINDS
};

enum solo__object_state { SOLO__ALIVE = 0x5010, SOLO__ENDED = 0x501e };

struct solo__object {
    uint32_t id;    /* kind << 24 | number; 0 is no object */
    uint16_t state; /* enum solo__object_state; anything else is not a kit object */
    uint16_t kind;
    struct solo_world *world;
    void *created_at; /* return address of the public call that made it */
    uint32_t size;    /* of the whole object; 0: it was not made by solo__object_make */
    uint32_t reserved;
};

/* How many ended objects of world os keep their headers; as many threads do, beside them. */
#ifdef SOLO_TORTURE
enum { SOLO__QUARANTINE_MAX = 4 };
#else
enum { SOLO__QUARANTINE_MAX = 1024 };
#endif

/* Takes `size` bytes from the world for an object of this kind, clears them and gives it its id. NULL when refused. */
void *solo__object_make(struct solo_world *world, enum solo__object_kind kind, size_t size, void *created_at);

/* The same for `size` bytes that the caller has: fills in the header only. */
void solo__object_begin(struct solo__object *object, struct solo_world *world, enum solo__object_kind kind, size_t size,
                        void *created_at);

/* The object has ended: its memory goes to quarantine. Only the header stays readable. */
void solo__object_end(void *object);

/* Whether this world is a simulation. */
bool solo__world_is_sim(const struct solo_world *world);

/* Next id of a kind, for things without a header of their own. */
uint32_t solo__object_next_id(struct solo_world *world, enum solo__object_kind kind);
/* The first of `count` ids in a row. */
uint32_t solo__object_next_ids(struct solo_world *world, enum solo__object_kind kind, uint32_t count);

/* Its number among the objects of its kind, from 1. */
static inline uint32_t solo__object_number(uint32_t id)
{
    return id & 0xffffff;
}

/* The id of a kind's object with this number: the lower 24 bits of an id. */
static inline uint32_t solo__object_id_of(enum solo__object_kind kind, uint32_t number)
{
    return (uint32_t)kind << 24 | number;
}

static inline uint32_t solo__object_id(const void *object)
{
    return object != NULL ? ((const struct solo__object *)object)->id : 0;
}

/* The first rungs of the entry ladder: 0; -EINVAL (NULL or not such an object); SOLO_ECLOSED (ended). */
static inline int solo__object_check(const void *object, enum solo__object_kind kind)
{
    const struct solo__object *header = (const struct solo__object *)object;
    if (header == NULL || header->kind != kind) {
        return -EINVAL;
    }
    /* Atomic for the sake of wrong programs, which use and end an object on two threads. */
    uint16_t state = __atomic_load_n(&header->state, __ATOMIC_RELAXED);
    if (state != SOLO__ALIVE) {
        return state == SOLO__ENDED ? SOLO_ECLOSED : -EINVAL;
    }
    return 0;
}

/* The same question for a pointer that is an object's or was: true, or ask solo__object_check why not. */
static inline bool solo__object_is_alive(const struct solo__object *object, enum solo__object_kind kind)
{
    typedef uint32_t __attribute__((may_alias)) both; /* state and kind in one look; this machine is little-endian */
    return __atomic_load_n((const both *)&object->state, __ATOMIC_RELAXED) == ((uint32_t)kind << 16 | SOLO__ALIVE);
}

/* As solo__object_begin, with an id that was taken before. */
static inline void solo__object_begin_as(struct solo__object *object, uint32_t id, struct solo_world *world,
                                         enum solo__object_kind kind, size_t size, void *created_at)
{
    typedef uint32_t __attribute__((may_alias)) both; /* in one store, because they are read in one look right after */
    object->id = id;
    *(both *)&object->state = (uint32_t)kind << 16 | SOLO__ALIVE;
    object->world = world;
    object->created_at = created_at;
    object->size = (uint32_t)size;
}

/* "transport" for SOLO__TRANSPORT. */
const char *solo__object_kind_text(unsigned kind);

/* Counters of ids, one set per world; world backends embed one and clear it when a schedule begins. */
struct solo__object_ids {
    uint32_t next[SOLO__OBJECT_KINDS];
    struct solo_thread *threads; /* whose objects are still there, newest first (self.c) */
};
struct solo__object_ids *solo__world_ids(struct solo_world *world);

#endif
