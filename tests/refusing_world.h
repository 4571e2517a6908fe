/*
 * refusing_world.h - a world that refuses memory, one request at a time.
 *
 * refusing_run runs a body in both worlds again and again: in the n-th run its n-th request is refused, until a run
 * makes no n-th one; then the same with every request from the n-th on. While the body runs, tables of this file stand
 * in front of its world's own. Afterwards every block that it was given must have been released, but for objects that
 * have ended: those are in quarantine. So in both worlds a leak is found in the run that made it.
 *
 *     static void body(void) { ...; what is refused returns -ENOMEM, and nothing accepted is lost; ... }
 *     static void test_torture__...(void) { refusing_run(body, REFUSE_MEMORY | REFUSE_FOR_GOOD); }
 *
 * A body has to come to its end whatever is refused: for good, what stops its reactor may not need memory.
 */
#ifndef SOLO_TESTS_REFUSING_WORLD_H
#define SOLO_TESTS_REFUSING_WORLD_H

#include "object.h"
#include "worlds.h"
#include <assert.h>

enum { REFUSING_BLOCKS_MAX = 1024, REFUSING_REQUESTS_MAX = 1000, REFUSING_FILES_MAX = 1024, REFUSING_SEEDS = 3 };

/* What is refused. */
enum {
    REFUSE_MEMORY = 0,   /* what the memory table is asked for; always */
    REFUSE_NETWORK = 1,  /* and the kernel's memory: listen, connect, accept, and watching one descriptor more */
    REFUSE_FOR_GOOD = 2, /* also everything from the n-th request on */
    REFUSE_PAIRS = 4,    /* also any two requests, in one world sim: takes the square of the runs */
};

struct refusing_block {
    void *memory;
    size_t size;
};

static struct {
    struct solo_world *world; /* whose tables are replaced now; NULL: none */
    const struct solo_memory_table *memory;
    const struct solo_poll_table *poll;
    const struct solo_network_table *network;
    unsigned first, second; /* the requests to refuse, counted from 1; 0: none */
    bool for_good;          /* and all after the first */
    bool with_network;
    bool watched[REFUSING_FILES_MAX]; /* by descriptor */
    struct solo_lock lock;            /* guards what follows */
    unsigned asked, count;
    struct refusing_block blocks[REFUSING_BLOCKS_MAX];
    worlds_fn body;
    unsigned asked_most; /* in any run since it was cleared */
} refusing;

/* ---- The tables in front ---- */

/* With the lock held: one request more. Whether it is refused. */
static inline bool refusing_request(void)
{
    unsigned number = ++refusing.asked;
    return number == refusing.first || number == refusing.second ||
           (refusing.for_good && refusing.first > 0 && number > refusing.first);
}

static inline void *refusing_allocate(struct solo_world *world, size_t size)
{
    void *memory = NULL;
    world->threads->enter(world, &refusing.lock);
    if (!refusing_request()) {
        memory = refusing.memory->allocate(world, size);
        assert(memory != NULL && refusing.count < REFUSING_BLOCKS_MAX);
        refusing.blocks[refusing.count++] = (struct refusing_block){memory, size};
    }
    world->threads->leave(world, &refusing.lock);
    return memory;
}

/* What an earlier run left in quarantine may be released in this one. */
static inline void refusing_release(struct solo_world *world, void *memory)
{
    world->threads->enter(world, &refusing.lock);
    for (unsigned i = 0; i < refusing.count; i++) {
        if (refusing.blocks[i].memory == memory) {
            refusing.blocks[i] = refusing.blocks[--refusing.count];
            break;
        }
    }
    world->threads->leave(world, &refusing.lock);
    refusing.memory->release(world, memory);
}

static inline void refusing_random(struct solo_world *world, void *buffer, size_t size)
{
    refusing.memory->random(world, buffer, size);
}

static inline bool refusing_is_short(struct solo_world *world)
{
    world->threads->enter(world, &refusing.lock);
    bool is_short = refusing_request();
    world->threads->leave(world, &refusing.lock);
    return is_short;
}

/* Only a descriptor that is not watched yet takes memory. */
static inline int refusing_watch(struct solo_world *world, struct solo_poller *poller, int fd, uint32_t events,
                                 uint64_t key)
{
    assert(fd < REFUSING_FILES_MAX);
    if (fd >= 0 && events != 0 && !refusing.watched[fd] && refusing_is_short(world)) {
        return -ENOMEM;
    }
    int error = refusing.poll->watch(world, poller, fd, events, key);
    if (fd >= 0 && error == 0) {
        refusing.watched[fd] = events != 0;
    }
    return error;
}

static inline int refusing_open(struct solo_world *world, enum solo_open kind, const struct solo_address *local,
                                const struct solo_address *remote, int *ret_fd)
{
    return refusing_is_short(world) ? -ENOMEM : refusing.network->open(world, kind, local, remote, ret_fd);
}

static inline int refusing_accept(struct solo_world *world, int fd, struct solo_address *ret_peer, int *ret_fd)
{
    return refusing_is_short(world) ? -ENOMEM : refusing.network->accept(world, fd, ret_peer, ret_fd);
}

static inline void refusing_restore(void)
{
    refusing.world->memory = refusing.memory;
    refusing.world->poll = refusing.poll;
    refusing.world->network = refusing.network;
    refusing.world = NULL;
}

/* Puts them in front of the tables of the caller's world. */
static inline void refusing_replace(struct solo_world *world)
{
    static const struct solo_memory_table memory = {refusing_allocate, refusing_release, refusing_random};
    static struct solo_poll_table poll;
    static struct solo_network_table network;
    if (refusing.world == world) {
        refusing_restore(); /* the last schedule did not come to its end */
    }
    refusing.world = world;
    refusing.memory = world->memory;
    refusing.poll = world->poll;
    refusing.network = world->network;
    world->memory = &memory;
    if (refusing.with_network) {
        poll = *world->poll;
        poll.watch = refusing_watch;
        world->poll = &poll;
        network = *world->network;
        network.open = refusing_open;
        network.accept = refusing_accept;
        world->network = &network;
    }
}

/* ---- One body under it ---- */

/* From now on `first` is refused, counted from 1, and if `for_good` all after it; 0: nothing is, but it is counted. */
static inline void refusing_begin(unsigned first, bool for_good)
{
    (void)solo_thread_name((char[2]){0}, 1); /* the caller has its identity before requests are counted */
    refusing.first = first;
    refusing.for_good = for_good;
    refusing.asked = refusing.count = 0;
    memset(refusing.watched, 0, sizeof refusing.watched);
    refusing_replace(solo_world_current());
}

/* Whether anything has been refused in this run. */
static inline bool refusing_has_refused(void)
{
    return refusing.first > 0 && refusing.asked >= refusing.first;
}

/* An object that has ended stays in quarantine for a while. */
static inline bool refusing_is_quarantined(const struct refusing_block *block)
{
    const struct solo__object *object = block->memory;
    return block->size >= sizeof *object && object->size == block->size && object->world == refusing.world &&
           object->state == SOLO__ENDED;
}

/* Nothing is refused any more. Whatever was given has been given back, or has ended. */
static inline void refusing_end(void)
{
    unsigned leaked = 0;
    for (unsigned i = 0; i < refusing.count; i++) {
        if (!refusing_is_quarantined(&refusing.blocks[i])) {
            printf("%zu bytes leaked with requests %u and %u refused\n", refusing.blocks[i].size, refusing.first,
                   refusing.second);
            leaked++;
        }
    }
    CU_ASSERT_EQUAL(leaked, 0);
    refusing_restore();
    if (refusing.asked > refusing.asked_most) {
        refusing.asked_most = refusing.asked;
    }
}

static inline void refusing_body(void)
{
    refusing_begin(refusing.first, refusing.for_good);
    refusing.body();
    refusing_end();
}

/* ---- Each request in turn ---- */

static inline void refusing_in_os(void)
{
    worlds_run_os(refusing_body);
}

static inline void refusing_in_sim(void)
{
    worlds_run_sim(refusing_body, REFUSING_SEEDS);
}

static inline void refusing_on_token(void)
{
    worlds_simulate(refusing_body, SOLO_CARRIER_TOKEN, true, 1);
}

static inline void refusing_in_plain_schedule(void)
{
    worlds_simulate(refusing_body, SOLO_CARRIER_FIBER, false, 1);
}

/* Returns how many requests an undisturbed run makes. */
static inline unsigned refusing_each(worlds_fn run, bool for_good)
{
    refusing.for_good = for_good;
    refusing.second = 0;
    for (refusing.first = 1; refusing.first < REFUSING_REQUESTS_MAX; refusing.first++) {
        refusing.asked_most = 0;
        run();
        if (refusing.asked_most < refusing.first) {
            return refusing.asked_most;
        }
    }
    CU_FAIL("there is no end of requests");
    return 0;
}

static inline void refusing_pairs(worlds_fn run)
{
    unsigned requests = refusing_each(run, false);
    for (unsigned first = 1; first <= requests; first++) {
        refusing.asked_most = REFUSING_REQUESTS_MAX;
        for (unsigned second = first + 1; second <= refusing.asked_most; second++) {
            refusing.first = first;
            refusing.second = second;
            refusing.asked_most = 0;
            run();
        }
    }
    refusing.second = 0;
}

/* Runs the body with each request refused in turn. Returns how many it makes undisturbed, at least. */
static inline unsigned refusing_run(worlds_fn body, unsigned what)
{
    static const worlds_fn worlds_in_turn[] = {refusing_in_os, refusing_in_sim, refusing_on_token};
    unsigned least = REFUSING_REQUESTS_MAX;
    refusing.body = body;
    refusing.with_network = (what & REFUSE_NETWORK) != 0;
    for (size_t i = 0; i < sizeof worlds_in_turn / sizeof worlds_in_turn[0]; i++) {
        unsigned requests = refusing_each(worlds_in_turn[i], false);
        least = requests < least ? requests : least;
        if ((what & REFUSE_FOR_GOOD) != 0) {
            (void)refusing_each(worlds_in_turn[i], true);
        }
    }
    if ((what & REFUSE_PAIRS) != 0) {
        refusing_pairs(refusing_in_plain_schedule);
    }
    return least;
}

#endif
