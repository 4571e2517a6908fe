/*
 * sim_poll.c - poll and wake of the simulated world.
 *
 * A poller knows which of its watches may be ready: whatever makes a descriptor ready says so (sim__poll_notify), and a
 * wait that finds one not ready any more forgets it. So a wait looks at what may be ready and at nothing else, however
 * many descriptors are watched. It looks in order of place (sim__place_of), so that the plain order of ready
 * descriptors is lowest first. Where two or more are ready the chooser says which is reported next. Wakes coalesce in
 * one flag. What the waker did before is not ordered before the wait's return: whoever hands work over says so itself
 * (sanitizer/annotate.h).
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include <assert.h>
#include <string.h>

enum { WORD_BITS = 64 };

struct sim_watch {
    struct sim_watch *next; /* of the same descriptor, in another poller */
    struct solo_poller *poller;
    struct sim_descriptor *descriptor;
    uint64_t key;
    uint32_t events;
    int fd;
};

struct solo_poller {
    struct core_gate gate;
    struct sim_watch **watches; /* by place; NULL: none */
    uint64_t *maybe;            /* a bit for each place: its watch may be ready */
    uint32_t capacity;          /* places, a multiple of WORD_BITS */
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

static void set_maybe(struct sim_watch *watch)
{
    uint32_t place = sim__place_of(watch->fd);
    watch->poller->maybe[place / WORD_BITS] |= UINT64_C(1) << place % WORD_BITS;
}

static void take_out(struct sim_watch *watch)
{
    struct solo_poller *poller = watch->poller;
    uint32_t place = sim__place_of(watch->fd);
    assert(place < poller->capacity && poller->watches[place] == watch);
    poller->watches[place] = NULL;
    poller->maybe[place / WORD_BITS] &= ~(UINT64_C(1) << place % WORD_BITS);
}

static void unlink_watch(struct sim_watch *watch)
{
    struct sim_watch **link = &watch->descriptor->watches;
    while (*link != watch) {
        link = &(*link)->next;
    }
    *link = watch->next;
}

static void remove_watch(struct solo_world *world, struct sim_watch *watch)
{
    unlink_watch(watch);
    take_out(watch);
    sim__memory_release(world, watch);
}

static void sim_close(struct solo_world *world, struct solo_poller *poller)
{
    if (poller == NULL) {
        return;
    }
    SOLO_ANNOTATE_IGNORE_BEGIN();
    for (uint32_t place = 0; place < poller->capacity; place++) {
        if (poller->watches[place] != NULL) {
            remove_watch(world, poller->watches[place]);
        }
    }
    sim__memory_release(world, poller->watches);
    SOLO_ANNOTATE_IGNORE_END();
    world->memory->release(world, poller);
}

void sim__poll_forget(struct solo_world *world, struct sim_watch *watches)
{
    while (watches != NULL) {
        struct sim_watch *next = watches->next;
        take_out(watches);
        sim__memory_release(world, watches);
        watches = next;
    }
}

void sim__poll_notify(struct core *core, struct sim_watch *watches, uint32_t ready)
{
    for (; watches != NULL; watches = watches->next) {
        if ((ready & (watches->events | SOLO_HANGUP)) != 0) {
            set_maybe(watches);
            core_wake(core, &watches->poller->gate, true);
        }
    }
}

/* Room for this place: watches and bits are one piece of memory. */
static bool make_room(struct solo_world *world, struct solo_poller *poller, uint32_t place)
{
    uint32_t capacity = poller->capacity > 0 ? poller->capacity : WORD_BITS;
    if (place < poller->capacity) {
        return true;
    }
    while (capacity <= place) {
        capacity *= 2;
    }
    size_t watches_size = capacity * sizeof(struct sim_watch *), size = watches_size + capacity / 8;
    struct sim_watch **watches = sim__memory_take(world, size);
    if (watches == NULL) {
        return false;
    }
    uint64_t *maybe = (uint64_t *)(void *)&watches[capacity];
    memset(watches, 0, size);
    if (poller->capacity > 0) {
        memcpy(watches, poller->watches, poller->capacity * sizeof(struct sim_watch *));
        memcpy(maybe, poller->maybe, poller->capacity / 8);
    }
    sim__memory_release(world, poller->watches);
    poller->watches = watches;
    poller->maybe = maybe;
    poller->capacity = capacity;
    return true;
}

/* The watch of that descriptor, made now; NULL without memory. */
static struct sim_watch *add_watch(struct solo_world *world, struct solo_poller *poller,
                                   struct sim_descriptor *descriptor)
{
    uint32_t place = sim__place_of(descriptor->fd);
    struct sim_watch *watch = make_room(world, poller, place) ? sim__memory_take(world, sizeof *watch) : NULL;
    if (watch != NULL) {
        *watch = (struct sim_watch){descriptor->watches, poller, descriptor, 0, 0, descriptor->fd};
        descriptor->watches = watch;
        poller->watches[place] = watch;
    }
    return watch;
}

static int set_watch(struct solo_world *world, struct solo_poller *poller, int fd, uint32_t events, uint64_t key)
{
    struct sim_descriptor *descriptor = sim__descriptor_find(world, fd);
    if (descriptor == NULL) {
        return -EBADF;
    }
    uint32_t place = sim__place_of(fd);
    struct sim_watch *watch = place < poller->capacity ? poller->watches[place] : NULL;
    if (events == 0) {
        if (watch != NULL) {
            remove_watch(world, watch);
        }
        return 0;
    }
    watch = watch != NULL ? watch : add_watch(world, poller, descriptor);
    if (watch == NULL) {
        return -ENOMEM;
    }
    watch->events = events;
    watch->key = key;
    if ((sim__descriptor_ready(descriptor) & (events | SOLO_HANGUP)) != 0) {
        set_maybe(watch);
        core_wake(core_of(world), &poller->gate, true);
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

static uint32_t ready_of(const struct sim_watch *watch)
{
    return sim__descriptor_ready(watch->descriptor) & (watch->events | SOLO_HANGUP);
}

#ifdef SOLO_TORTURE
/* Nothing became ready unnoticed. */
static void check_maybe(const struct solo_poller *poller)
{
    for (uint32_t place = 0; place < poller->capacity; place++) {
        const struct sim_watch *watch = poller->watches[place];
        bool maybe = (poller->maybe[place / WORD_BITS] >> place % WORD_BITS & 1) != 0;
        assert(watch == NULL ? !maybe : maybe || ready_of(watch) == 0);
    }
}
#else
#define check_maybe(poller) ((void)0)
#endif

/* Fills in a candidate for what is ready in that place; false, and forgotten, if nothing is. */
static bool look_at(struct solo_poller *poller, uint32_t place, struct candidate *found)
{
    const struct sim_watch *watch = poller->watches[place];
    uint32_t events = ready_of(watch);
    if (events == 0) {
        poller->maybe[place / WORD_BITS] &= ~(UINT64_C(1) << place % WORD_BITS);
        return false;
    }
    found->ready = (struct solo_ready){watch->key, events};
    found->signal = NULL;
    found->option = (struct solo_option){.tag = (uint32_t)watch->fd,
                                         .thread = solo__self->number,
                                         .operation = SOLO_PROBE_POLLED,
                                         .access = SOLO_ACCESS_READ,
                                         .object = watch->descriptor->object};
    return true;
}

/* Fills `found` with what is ready, lowest place first, and takes the wake. */
static size_t look(struct solo_world *world, struct solo_poller *poller, struct candidate *found, bool *ret_woken)
{
    size_t count = 0;
    *ret_woken = poller->woken;
    poller->woken = false;
    check_maybe(poller);
    for (uint32_t word = 0; word < poller->capacity / WORD_BITS; word++) {
        for (uint64_t bits = poller->maybe[word]; bits != 0 && count < CANDIDATES_MAX; bits &= bits - 1) {
            count += look_at(poller, word * WORD_BITS + (uint32_t)__builtin_ctzll(bits), &found[count]);
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
