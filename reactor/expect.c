/*
 * expect.c - what a program declares about itself: must-happen counters and thread-confined objects.
 *
 * The counters belong to the process and are guarded by a leaf lock of whichever world the caller lives in; a process
 * counts for one world at a time. A confined object keeps its owner as a number, the id of its thread, so that the end
 * of that thread leaves nothing dangling in the program's memory.
 */
#include <solo/expect.h>
#include "annotate.h"
#include "guard.h"
#include <solo/thread.h>
#include <string.h>

struct expectation {
    char name[SOLO_EXPECT_NAME_MAX];
    unsigned wanted, happened;
};

static struct {
    struct solo_lock lock;
    unsigned used;
    struct expectation list[SOLO_EXPECT_MAX];
} all;

__attribute__((constructor)) static void begin(void)
{
    SOLO_ANNOTATE_PRIVATE(&all, sizeof all);
}

/* ---- Must-happen counters ---- */

static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: the value is part of traces */
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static bool is_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strnlen(name, SOLO_EXPECT_NAME_MAX) < SOLO_EXPECT_NAME_MAX;
}

/* With the lock held: the counter of this name, made if there is none; NULL if there is no room. */
static struct expectation *find_or_add(const char *name)
{
    for (unsigned i = 0; i < all.used; i++) {
        if (strcmp(all.list[i].name, name) == 0) {
            return &all.list[i];
        }
    }
    if (all.used == SOLO_EXPECT_MAX) {
        return NULL;
    }
    struct expectation *added = &all.list[all.used++];
    memset(added, 0, sizeof *added);
    strcpy(added->name, name);
    return added;
}

static int add(const char *name, enum solo_probe_kind kind, unsigned wanted, unsigned happened)
{
    struct solo_world *world = solo__self_get()->object.world;
    if (!is_name(name)) {
        return -EINVAL;
    }

    solo__announce(world, kind, SOLO_ACCESS_NONE, 0, hash_of(name));
    world->threads->enter(world, &all.lock);
    struct expectation *expectation = find_or_add(name);
    if (expectation != NULL) {
        expectation->wanted = wanted > expectation->wanted ? wanted : expectation->wanted;
        expectation->happened += happened;
    }
    world->threads->leave(world, &all.lock);
    return expectation != NULL ? 0 : -ENOSPC;
}

int solo_must_happen(const char *name, unsigned count)
{
    return add(name, SOLO_PROBE_EXPECTED, count, 0);
}

int solo_happened(const char *name)
{
    return add(name, SOLO_PROBE_HAPPENED, 0, 1);
}

int solo_expectation_at(unsigned index, char *ret_name, unsigned *ret_wanted, unsigned *ret_happened)
{
    struct solo_world *world = solo__self_get()->object.world;
    if (ret_name == NULL || ret_wanted == NULL || ret_happened == NULL) {
        return -EINVAL;
    }

    world->threads->enter(world, &all.lock);
    bool there = index < all.used;
    if (there) {
        strcpy(ret_name, all.list[index].name);
        *ret_wanted = all.list[index].wanted;
        *ret_happened = all.list[index].happened;
    }
    world->threads->leave(world, &all.lock);
    return there ? 0 : -ENOENT;
}

void solo_expectations_reset(void)
{
    struct solo_world *world = solo__self_get()->object.world;
    world->threads->enter(world, &all.lock);
    all.used = 0;
    world->threads->leave(world, &all.lock);
}

/* ---- Confined objects: the fields are read and written without order, because wrong uses race by their nature ---- */

static const void *me(void)
{
    return (const void *)(uintptr_t)solo__self_get()->object.id;
}

static const void *owner_of(const struct solo_confined *confined)
{
    return __atomic_load_n(&confined->owner, __ATOMIC_RELAXED);
}

static uint32_t id_of(struct solo_confined *confined)
{
    return __atomic_load_n(&confined->object, __ATOMIC_RELAXED);
}

static void bind_to_caller(struct solo_confined *confined, struct solo_world *world)
{
    if (id_of(confined) == 0) {
        __atomic_store_n(&confined->object, solo__object_next_id(world, SOLO__CONFINED), __ATOMIC_RELAXED);
    }
    __atomic_add_fetch(&confined->generation, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&confined->owner, me(), __ATOMIC_RELAXED);
    solo__announce(world, SOLO_PROBE_CONFINED_BOUND, SOLO_ACCESS_WRITE, id_of(confined), 0);
}

static int refuse(struct solo_confined *confined, unsigned function, void *frame, void *return_address)
{
    struct solo_violation violation;
    int code = solo_guard_policy() == SOLO_POLICY_REPORT ? 0 : SOLO_EWRONGTHREAD;
    if (solo__violation_again(SOLO007_CONFINED_SHARED, function, return_address)) {
        return code;
    }
    solo__violation_begin(&violation, SOLO007_CONFINED_SHARED, function, NULL, frame, return_address);
    const char *name = __atomic_load_n(&confined->name, __ATOMIC_RELAXED);
    violation.object_id = id_of(confined);
    solo_object_name(violation.object_id, violation.object, sizeof violation.object);
    solo_object_name((uint32_t)(uintptr_t)owner_of(confined), violation.owner, sizeof violation.owner);
    solo__violation_text(violation.text, "%.128s used on %s, but it is confined to %s",
                         name != NULL ? name : violation.object, violation.thread, violation.owner);
    solo__violation_text(violation.help,
                         "let one thread use it; or hand it over: the owner calls solo_confined_release first");
    solo_violation_report(&violation);
    return code;
}

int solo_confined_bind(struct solo_confined *confined, const char *name)
{
    if (confined == NULL || name == NULL) {
        return -EINVAL;
    }

    __atomic_store_n(&confined->name, name, __ATOMIC_RELAXED);
    bind_to_caller(confined, solo__self_get()->object.world);
    return 0;
}

int solo_confined_use(struct solo_confined *confined)
{
    struct solo_world *world = solo__self_get()->object.world;
    if (confined == NULL) {
        return -EINVAL;
    }

    solo__announce(world, SOLO_PROBE_CONFINED_USED, SOLO_ACCESS_WRITE, id_of(confined), 0);
    if (owner_of(confined) == NULL) {
        bind_to_caller(confined, world);
    }
    if (owner_of(confined) != me()) {
        return refuse(confined, SOLO__FN_solo_confined_use, __builtin_frame_address(0), __builtin_return_address(0));
    }
    return 0;
}

int solo_confined_release(struct solo_confined *confined)
{
    if (confined == NULL) {
        return -EINVAL;
    }
    if (owner_of(confined) != NULL && owner_of(confined) != me()) {
        int refused =
            refuse(confined, SOLO__FN_solo_confined_release, __builtin_frame_address(0), __builtin_return_address(0));
        if (refused < 0) {
            return refused;
        }
    }

    __atomic_store_n(&confined->owner, NULL, __ATOMIC_RELAXED);
    return 0;
}
