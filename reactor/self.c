/*
 * self.c - thread identities: who is who, how they are called, their start and their end.
 *
 * A thread object lives from before its thread starts until quarantine lets go of it and nobody pins it: owners of
 * reactors and child threads do, because they name it, and because an address that is given to a new thread would pass
 * the guard. In world sim nothing is given back, so nothing is pinned.
 *
 * Each world lists its thread objects, newest first, for whoever has only a number. `list_lock` guards the lists, the
 * links and the pins; it is a leaf.
 */
#include "self.h"
#include "reactor_internal.h"
#include "annotate.h"
#include "world_os.h"
#include <assert.h>
#include <solo/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPARES = 16, NAME_DEPTH_MAX = 8, FIRST_ID = SOLO__THREAD << 24 | 1 };

__thread struct solo_thread *solo__self __attribute__((tls_model("initial-exec"), visibility("hidden")));
/* The same variable under the name by which solo/reactor.h reads it. */
extern __thread struct solo_thread *solo_affinity_self
    __attribute__((alias("solo__self"), tls_model("initial-exec"), visibility("default")));

static struct solo_lock list_lock;
static struct solo_thread main_thread;    /* of world os */
static struct solo_thread spares[SPARES]; /* for foreign threads when memory is refused; they must be named still */
static unsigned spares_used;

/* ---- The list of a world's threads ---- */

static void list_add(struct solo_thread *thread)
{
    struct solo_world *world = thread->object.world;
    struct solo__object_ids *ids = solo__world_ids(world);
    world->threads->enter(world, &list_lock);
    thread->previous = NULL;
    thread->next = ids->threads;
    if (thread->next != NULL) {
        thread->next->previous = thread;
    }
    ids->threads = thread;
    world->threads->leave(world, &list_lock);
}

/* With list_lock held. */
static void list_remove(struct solo_thread *thread)
{
    if (thread->next != NULL) {
        thread->next->previous = thread->previous;
    }
    if (thread->previous != NULL) {
        thread->previous->next = thread->next;
    } else {
        solo__world_ids(thread->object.world)->threads = thread->next;
    }
}

static void give_back(struct solo_thread *thread)
{
    struct solo_world *world = thread->object.world;
    if (thread->parent != NULL) {
        solo__thread_unpin(thread->parent);
    }
    if (thread < spares || thread >= spares + SPARES) {
        world->memory->release(world, thread);
    }
}

/* Changes the pins or evicts, and gives the memory back if nothing needs it any more. */
static void change_pins(struct solo_thread *thread, int by, bool evict)
{
    struct solo_world *world = thread->object.world;
    world->threads->enter(world, &list_lock);
    assert(by >= 0 || thread->pins > 0);
    thread->pins += (uint32_t)by;
    thread->evicted |= evict;
    bool last = thread->pins == 0 && thread->evicted;
    if (last) {
        list_remove(thread);
    }
    world->threads->leave(world, &list_lock);
    if (last) {
        give_back(thread);
    }
}

void solo__thread_pin(struct solo_thread *thread)
{
    if (!solo__world_is_sim(thread->object.world)) {
        change_pins(thread, 1, false);
    }
}

void solo__thread_unpin(struct solo_thread *thread)
{
    if (!solo__world_is_sim(thread->object.world)) {
        change_pins(thread, -1, false);
    }
}

void solo__thread_evict(struct solo_thread *thread)
{
    change_pins(thread, 0, true);
}

/* ---- Identities of threads that the kit did not start ---- */

/* A thread object in memory that is not taken from the world. */
static void fill_in(struct solo_thread *thread)
{
    struct solo_world *world = solo_world_os();
    thread->object.world = world;
    thread->object.kind = SOLO__THREAD;
    thread->object.state = SOLO__ALIVE;
    thread->object.id = solo__object_next_id(world, SOLO__THREAD);
    thread->object.size = sizeof *thread;
}

static struct solo_thread *take_spare(void)
{
    unsigned spare = __atomic_fetch_add(&spares_used, 1, __ATOMIC_RELAXED);
    if (spare >= SPARES) {
        fputs("solo: no memory to tell one thread from another\n", stderr);
        abort();
    }
    fill_in(&spares[spare]);
    return &spares[spare];
}

static struct solo_thread *make_foreign(void)
{
    static uint32_t labels;
    struct solo_thread *thread = solo__object_make(solo_world_os(), SOLO__THREAD, sizeof *thread, NULL);
    if (thread == NULL) {
        thread = take_spare();
    }
    thread->role = SOLO__ROLE_FOREIGN;
    thread->label = __atomic_add_fetch(&labels, 1, __ATOMIC_RELAXED);
    return thread;
}

static __attribute__((noinline, cold)) struct solo_thread *adopt(void)
{
    uint16_t number = solo__os_thread_number();
    bool is_main = number == 0 && main_thread.object.state != SOLO__ALIVE;
    struct solo_thread *thread = is_main ? &main_thread : make_foreign();
    if (is_main) {
        fill_in(thread);
        thread->role = SOLO__ROLE_MAIN;
    }
    thread->number = number;
    solo__os_stack_bounds(&thread->stack_low, &thread->stack_high);
    list_add(thread);
    solo__self = thread;
    if (!is_main) {
        solo__os_adopt_thread(thread);
    }
    solo__announce(thread->object.world, SOLO_PROBE_THREAD_BEGIN, SOLO_ACCESS_NONE, thread->object.id, 0);
    return thread;
}

struct solo_thread *solo__self_get(void)
{
    struct solo_thread *self = solo__self;
    return __builtin_expect(self != NULL, 1) ? self : adopt();
}

void solo__thread_left(struct solo_thread *thread)
{
    solo__announce(thread->object.world, SOLO_PROBE_THREAD_END, SOLO_ACCESS_NONE, thread->object.id, 0);
    solo__call_batch_leave(thread);
    solo__self = NULL;
    thread->ended = 1;
    solo__object_end(thread);
}

/* ---- Threads that the kit starts ---- */

int solo__thread_start(struct solo_world *world, enum solo__role role, const char *group, uint32_t label,
                       void (*fn)(void *arg), void *arg, struct solo_thread **ret_thread)
{
    struct solo_thread *parent = solo__self_get();
    struct solo_thread *thread = solo__object_make(world, SOLO__THREAD, sizeof *thread, __builtin_return_address(0));
    if (thread == NULL) {
        return -ENOMEM;
    }
    thread->parent = parent;
    thread->role = (uint8_t)role;
    thread->label = role == SOLO__ROLE_CHILD ? parent->children + 1 : label;
    if (group != NULL) {
        snprintf(thread->group, sizeof thread->group, "%s", group);
    }
    thread->fn = fn;
    thread->arg = arg;
    solo__thread_pin(parent);
    list_add(thread);
    solo__announce(world, SOLO_PROBE_THREAD_START, SOLO_ACCESS_WRITE, thread->object.id, 0);
    int started = world->threads->start(world, thread);
    if (started < 0) {
        solo__object_end(thread);
        return started;
    }
    parent->children += role == SOLO__ROLE_CHILD;
    *ret_thread = thread;
    return 0;
}

void solo__thread_main(struct solo_thread *thread)
{
    struct solo_world *world = thread->object.world;
    solo__announce(world, SOLO_PROBE_THREAD_BEGIN, SOLO_ACCESS_NONE, thread->object.id, 0);
    thread->fn(thread->arg);
    solo__thread_ended(thread);
}

void solo__thread_ended(struct solo_thread *thread)
{
    struct solo_world *world = thread->object.world;
    solo__call_batch_leave(thread);
    solo__announce(world, SOLO_PROBE_THREAD_END, SOLO_ACCESS_NONE, thread->object.id, 0);
    SOLO_ANNOTATE_HAPPENS_BEFORE(thread);
    world->threads->enter(world, &thread->lock);
    thread->ended = 1;
    world->threads->wake(world, &thread->gate, true);
    world->threads->leave(world, &thread->lock);
}

bool solo__thread_has_ended(struct solo_thread *thread)
{
    struct solo_world *world = thread->object.world;
    world->threads->enter(world, &thread->lock);
    bool ended = thread->ended;
    world->threads->leave(world, &thread->lock);
    return ended;
}

int solo__thread_reap(struct solo_thread *thread)
{
    struct solo_world *world = thread->object.world;
    uint32_t id = thread->object.id;
    solo__announce(world, SOLO_PROBE_THREAD_JOIN, SOLO_ACCESS_READ, id, 0);
    if (!solo__thread_has_ended(thread)) {
        const struct solo_wait why = {SOLO_WAIT_JOIN, id, thread};
        solo__announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, id, SOLO_WAIT_JOIN);
        world->threads->enter(world, &thread->lock);
        while (!thread->ended) {
            (void)world->threads->wait(world, &thread->gate, &thread->lock, &why, SOLO_NEVER);
        }
        world->threads->leave(world, &thread->lock);
        solo__announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, id, 0);
    }
    SOLO_ANNOTATE_HAPPENS_AFTER(thread);
    int joined = world->threads->join(world, thread);
    solo__object_end(thread);
    return joined;
}

/* ---- Names ---- */

/* A child is named after its parents: main/1/2. Beyond NAME_DEPTH_MAX levels the eldest are left out. */
static void print_child(const struct solo_thread *thread, char *buffer, size_t size)
{
    const struct solo_thread *line[NAME_DEPTH_MAX];
    const struct solo_thread *at = thread;
    unsigned depth = 0;
    while (at->role == SOLO__ROLE_CHILD && depth < NAME_DEPTH_MAX) {
        line[depth++] = at;
        at = at->parent;
    }
    if (at->role == SOLO__ROLE_CHILD) {
        snprintf(buffer, size, "...");
    } else {
        solo__thread_print_name(at, buffer, size);
    }
    for (size_t used = strlen(buffer); depth > 0 && used < size;) {
        used += (size_t)snprintf(buffer + used, size - used, "/%u", line[--depth]->label);
    }
}

const char *solo__thread_print_name(const struct solo_thread *thread, char *buffer, size_t size)
{
    static const char *const names[] = {[SOLO__ROLE_POOL] = "pool",
                                        [SOLO__ROLE_WORKER] = "worker",
                                        [SOLO__ROLE_FOREIGN] = "foreign",
                                        [SOLO__ROLE_PEER] = "peer"};
    switch (thread->role) {
    case SOLO__ROLE_MAIN: snprintf(buffer, size, "main"); break;
    case SOLO__ROLE_CHILD: print_child(thread, buffer, size); break;
    default:
        snprintf(buffer, size, "%s%s%s#%u", names[thread->role], thread->group[0] != '\0' ? "/" : "", thread->group,
                 thread->label);
        break;
    }
    return buffer;
}

const char *solo__role_text(const struct solo_thread *thread)
{
    if (thread->inside != NULL) {
        return "reactor";
    }
    switch (thread->role) {
    case SOLO__ROLE_POOL: return "pool worker";
    case SOLO__ROLE_WORKER: return "worker";
    case SOLO__ROLE_PEER: return "peer";
    default: return "foreign thread";
    }
}

static bool has_number(const struct solo_thread *thread, uint32_t number)
{
    return thread->number == number;
}

static bool has_id(const struct solo_thread *thread, uint32_t id)
{
    return thread->object.id == id;
}

static bool print_listed(struct solo_world *world, bool (*fits)(const struct solo_thread *thread, uint32_t what),
                         uint32_t what, char *buffer, size_t size)
{
    world->threads->enter(world, &list_lock);
    const struct solo_thread *thread = solo__world_ids(world)->threads;
    while (thread != NULL && !fits(thread, what)) {
        thread = thread->next;
    }
    if (thread != NULL) {
        solo__thread_print_name(thread, buffer, size);
    }
    world->threads->leave(world, &list_lock);
    return thread != NULL;
}

bool solo__thread_print_number(struct solo_world *world, unsigned number, char *buffer, size_t size)
{
    if (number == 0) { /* in every world; a thread that is not started yet has no number of its own */
        snprintf(buffer, size, "main");
        return true;
    }
    return print_listed(world, has_number, number, buffer, size);
}

struct solo_thread *solo__thread_of_id(struct solo_world *world, uint32_t id)
{
    static struct solo_thread gone = {.role = SOLO__ROLE_FOREIGN};
    world->threads->enter(world, &list_lock);
    struct solo_thread *thread = solo__world_ids(world)->threads;
    while (thread != NULL && thread->object.id != id) {
        thread = thread->next;
    }
    world->threads->leave(world, &list_lock);
    return thread != NULL ? thread : &gone;
}

bool solo__thread_print_id(struct solo_world *world, uint32_t id, char *buffer, size_t size)
{
    if (id == FIRST_ID && solo__world_is_sim(world)) {
        snprintf(buffer, size, "main"); /* made by the scheduler core, before there is a list */
        return true;
    }
    return print_listed(world, has_id, id, buffer, size);
}
