/*
 * sim_poll.c - poll and wake of the simulated world.
 *
 * A poller keeps its watches in order of descriptor, so that the plain order of ready descriptors is lowest first.
 * Where two or more are ready the chooser says which is reported next. Wakes coalesce in one flag. What the waker did
 * before is not ordered before the wait's return: whoever hands work over says so itself (sanitizer/annotate.h).
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include <assert.h>
#include <string.h>

enum { WATCHES_FIRST = 8 };

struct sim_watch {
    struct sim_watch *next;     /* of the same descriptor, in another poller */
    struct solo_poller *poller; /* NULL: forgotten */
    struct sim_descriptor *descriptor;
    uint64_t key;
    uint32_t events;
    int fd;
};

struct solo_poller {
    struct core_gate gate;
    struct sim_watch **watches; /* in order of fd */
    uint32_t count, capacity;
    bool woken;
    unsigned signals; /* how many it watches */
};

static int sim_open(struct solo_world *world, struct solo_poller **ret_poller)
{
    struct solo_poller *poller = world->memory->allocate(world, sizeof *poller);
    if (poller == NULL) {
        return -ENOMEM;
    }
    memset(poller, 0, sizeof *poller);
    *ret_poller = poller;
    return 0;
}

/* Position of the first watch whose descriptor is not below fd. */
static uint32_t position(const struct solo_poller *poller, int fd)
{
    uint32_t low = 0, high = poller->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (poller->watches[middle]->fd < fd) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void take_out(struct sim_watch *watch)
{
    struct solo_poller *poller = watch->poller;
    uint32_t at = position(poller, watch->fd);
    assert(at < poller->count && poller->watches[at] == watch);
    poller->count--;
    memmove(&poller->watches[at], &poller->watches[at + 1], (poller->count - at) * sizeof poller->watches[0]);
    watch->poller = NULL;
}

static void unlink_watch(struct sim_watch *watch)
{
    struct sim_watch **link = &watch->descriptor->watches;
    while (*link != watch) {
        link = &(*link)->next;
    }
    *link = watch->next;
}

static void sim_close(struct solo_world *world, struct solo_poller *poller)
{
    if (poller == NULL) {
        return;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    while (poller->count > 0) {
        struct sim_watch *watch = poller->watches[poller->count - 1];
        unlink_watch(watch);
        take_out(watch);
    }
    SOLO_ANNOTATE_IGNORE_END();
    world->memory->release(world, poller);
}

void sim__poll_forget(struct sim_watch *watches)
{
    for (; watches != NULL; watches = watches->next) {
        take_out(watches);
    }
}

void sim__poll_notify(struct core *core, struct sim_watch *watches, uint32_t ready)
{
    for (; watches != NULL; watches = watches->next) {
        if ((ready & (watches->events | SOLO_HANGUP)) != 0) {
            core_wake(core, &watches->poller->gate, true);
        }
    }
}

static bool make_room(struct core *core, struct solo_poller *poller)
{
    if (poller->count < poller->capacity) {
        return true;
    }
    uint32_t capacity = poller->capacity > 0 ? poller->capacity * 2 : WATCHES_FIRST;
    struct sim_watch **watches = core_allocate(core, capacity * sizeof(struct sim_watch *));
    if (watches == NULL) {
        return false;
    }
    if (poller->count > 0) {
        memcpy(watches, poller->watches, poller->count * sizeof(struct sim_watch *));
    }
    poller->watches = watches;
    poller->capacity = capacity;
    return true;
}

static int add_watch(struct core *core, struct solo_poller *poller, struct sim_descriptor *descriptor, int fd,
                     uint32_t events, uint64_t key)
{
    struct sim_watch *watch = core_allocate(core, sizeof *watch);
    if (watch == NULL || !make_room(core, poller)) {
        return -ENOMEM;
    }
    struct sim_watch **head = &descriptor->watches;
    *watch = (struct sim_watch){*head, poller, descriptor, key, events, fd};
    *head = watch;
    uint32_t at = position(poller, fd);
    memmove(&poller->watches[at + 1], &poller->watches[at], (poller->count - at) * sizeof poller->watches[0]);
    poller->watches[at] = watch;
    poller->count++;
    return 0;
}

static int set_watch(struct solo_world *world, struct solo_poller *poller, int fd, uint32_t events, uint64_t key)
{
    struct core *core = core_of(world);
    struct sim_descriptor *descriptor = sim__descriptor_find(world, fd);
    if (descriptor == NULL) {
        return -EBADF;
    }
    uint32_t at = position(poller, fd);
    struct sim_watch *watch = at < poller->count && poller->watches[at]->fd == fd ? poller->watches[at] : NULL;
    if (events == 0) {
        if (watch != NULL) {
            unlink_watch(watch);
            take_out(watch);
        }
        return 0;
    }
    if (watch == NULL) {
        int error = add_watch(core, poller, descriptor, fd, events, key);
        if (error < 0) {
            return error;
        }
    } else {
        watch->events = events;
        watch->key = key;
    }
    if ((sim__descriptor_ready(descriptor) & (events | SOLO_HANGUP)) != 0) {
        core_wake(core, &poller->gate, true);
    }
    return 0;
}

static int sim_watch(struct solo_world *world, struct solo_poller *poller, int fd, uint32_t events, uint64_t key)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int result = set_watch(world, poller, fd, events, key);
    SOLO_ANNOTATE_IGNORE_END();
    return result;
}

/* ---- Waiting ---- */

#define SIGNAL_TAG 0x80000000u /* no descriptor has it */
enum { CANDIDATES_MAX = 64 };  /* ready descriptors among which the chooser picks the next one */

struct candidate {
    struct solo_ready ready;
    struct sim_signal *signal; /* NULL: a descriptor */
    struct solo_option option;
};

/* Signals that have come, as if they were descriptors after all others. */
static size_t look_for_signals(struct solo_world *world, struct solo_poller *poller, struct candidate *found,
                               size_t count)
{
    for (uint32_t number = 1; number <= SOLO_SIGNAL_MAX && count < CANDIDATES_MAX; number++) {
        struct sim_signal *signal = &sim_world_of(world)->signals[number];
        if (signal->poller == poller && signal->pending) {
            found[count].ready = (struct solo_ready){signal->key, SOLO_READABLE};
            found[count].signal = signal;
            found[count].option = (struct solo_option){.tag = SIGNAL_TAG | number,
                                                       .thread = solo__self->number,
                                                       .operation = SOLO_PROBE_POLLED,
                                                       .access = SOLO_ACCESS_READ};
            count++;
        }
    }
    return count;
}

/* Fills `found` with what is ready, lowest descriptor first, and takes the wake. */
static size_t look(struct solo_world *world, struct solo_poller *poller, struct candidate *found, bool *ret_woken)
{
    size_t count = 0;
    *ret_woken = poller->woken;
    poller->woken = false;
    for (uint32_t i = 0; i < poller->count && count < CANDIDATES_MAX; i++) {
        const struct sim_watch *watch = poller->watches[i];
        uint32_t events = sim__descriptor_ready(watch->descriptor) & (watch->events | SOLO_HANGUP);
        if (events != 0) {
            found[count].ready = (struct solo_ready){watch->key, events};
            found[count].signal = NULL;
            found[count].option = (struct solo_option){.tag = (uint32_t)watch->fd,
                                                       .thread = solo__self->number,
                                                       .operation = SOLO_PROBE_POLLED,
                                                       .access = SOLO_ACCESS_READ,
                                                       .object = watch->descriptor->object};
            count++;
        }
    }
    return poller->signals > 0 ? look_for_signals(world, poller, found, count) : count;
}

/* Fills `ready` from the candidates, in an order that the chooser gives. */
static size_t report(struct core *core, const struct candidate *found, size_t count, struct solo_ready *ready,
                     size_t ready_max)
{
    const struct candidate *left[CANDIDATES_MAX];
    const struct solo_option *options[CANDIDATES_MAX];
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        left[i] = &found[i];
        options[i] = &found[i].option;
    }
    for (; count > 0 && filled < ready_max; count--) {
        size_t chosen = core_choose(core, SOLO_CHOICE_READY, options, count);
        ready[filled++] = left[chosen]->ready;
        if (left[chosen]->signal != NULL) {
            left[chosen]->signal->pending = false;
        }
        for (size_t i = chosen; i + 1 < count; i++) {
            left[i] = left[i + 1];
            options[i] = options[i + 1];
        }
    }
    return filled;
}

static int sim_wait(struct solo_world *world, struct solo_poller *poller, uint64_t deadline_ns,
                    struct solo_ready *ready, size_t ready_max, bool *ret_woken)
{
    struct core *core = core_of(world);
    struct solo_wait why = {solo__self->role == SOLO__ROLE_PEER ? SOLO_WAIT_PEER : SOLO_WAIT_POLL, 0, NULL};
    struct candidate found[CANDIDATES_MAX];
    for (;;) {
        bool woken;
        SOLO_ANNOTATE_IGNORE_BEGIN();
        size_t count = look(world, poller, found, &woken);
        SOLO_ANNOTATE_IGNORE_END();
        if (count > 0 || woken || deadline_ns <= core_now(core)) {
            *ret_woken = woken;
            return (int)report(core, found, count, ready, ready_max);
        }
        (void)core_wait(core, &poller->gate, &why, deadline_ns);
    }
}

static void sim_wake(struct solo_world *world, struct solo_poller *poller)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    poller->woken = true;
    core_wake(core_of(world), &poller->gate, true);
    SOLO_ANNOTATE_IGNORE_END();
}

/* ---- Signals ---- */

static int watch_signal(struct solo_world *world, struct solo_poller *poller, int number, bool wanted, uint64_t key)
{
    enum { KILL = 9, STOP = 19 };
    if (number < 1 || number > SOLO_SIGNAL_MAX || number == KILL || number == STOP) {
        return -EINVAL;
    }
    struct sim_signal *signal = &sim_world_of(world)->signals[number];
    if (wanted && signal->poller != NULL) {
        return -EBUSY;
    }
    if (!wanted && signal->poller != poller) {
        return -ENOENT;
    }
    *signal = (struct sim_signal){wanted ? poller : NULL, key, false};
    poller->signals += wanted ? 1 : -1u;
    return 0;
}

static int sim_watch_signal(struct solo_world *world, struct solo_poller *poller, int number, bool wanted, uint64_t key)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    int error = watch_signal(world, poller, number, wanted, key);
    SOLO_ANNOTATE_IGNORE_END();
    return error;
}

static int sim_raise_signal(struct solo_world *world, int number)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_signal *signal = &sim_world_of(world)->signals[number];
    if (signal->poller != NULL) {
        signal->pending = true;
        core_wake(core_of(world), &signal->poller->gate, true);
    }
    SOLO_ANNOTATE_IGNORE_END();
    return 0;
}

const struct solo_poll_table sim__poll_table = {sim_open, sim_close,        sim_watch,       sim_wait,
                                                sim_wake, sim_watch_signal, sim_raise_signal};
