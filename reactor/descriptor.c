/*
 * descriptor.c - waiting for descriptors: the kit's watches, and the users' readers and writers on top of them.
 *
 * A table indexed by descriptor number holds one struct for each descriptor with a reader or a writer.
 */
#include "reactor_internal.h"
#include <solo/descriptor.h>
#include <string.h>

enum { DESCRIPTORS_MIN = 64 };

/* ---- Watches ---- */

/* The poll has reported it, and then it was forgotten: it must not be called. */
void solo__reactor_forget_ready(struct solo_reactor *reactor, const struct solo__watch *watch)
{
    for (size_t i = 0; i < reactor->ready_count; i++) {
        if (reactor->ready[i].key == (uintptr_t)watch) {
            reactor->ready[i].key = 0;
        }
    }
}

int solo__reactor_watch(struct solo_reactor *reactor, struct solo__watch *watch, uint32_t events)
{
    struct solo_world *world = reactor->world;
    if (events == watch->events) {
        return 0;
    }
    int error = world->poll->watch(world, reactor->poller, watch->fd, events, (uintptr_t)watch);
    if (events == 0) {
        solo__reactor_forget_ready(reactor, watch);
        watch->events = 0;
        return 0;
    }
    if (error == 0) {
        watch->events = events;
    }
    return error;
}

/* ---- Readers and writers ---- */

/* One direction of a descriptor. */
struct side {
    solo_descriptor_fn on_ready; /* NULL: nobody */
    void *arg;
    struct solo__provenance provenance;
};

struct solo__descriptor {
    struct solo__watch watch;
    struct solo_reactor *reactor;
    struct side reader, writer;
    bool serving; /* its callbacks run: it is freed after them */
};

static void call_side(struct solo__descriptor *descriptor, const struct side *side)
{
    struct solo_reactor *reactor = descriptor->reactor;
    struct solo_thread *self = solo__self;
    const struct solo__provenance *outer_work = self->work;
    struct side called = *side; /* it may remove itself */
    solo__callback_begin(reactor, called.provenance.object);
    self->work = &called.provenance;
    called.on_ready(descriptor->watch.fd, called.arg);
    self->work = outer_work;
    solo__callback_end(reactor, called.provenance.object);
}

static void release_if_unused(struct solo__descriptor *descriptor)
{
    if (descriptor->reader.on_ready != NULL || descriptor->writer.on_ready != NULL || descriptor->serving) {
        return;
    }
    struct solo_reactor *reactor = descriptor->reactor;
    reactor->descriptors[descriptor->watch.fd] = NULL;
    reactor->world->memory->release(reactor->world, descriptor);
}

/* A hang-up is for whoever waits, in either direction: reading or writing will say what happened. */
static void on_watch(struct solo__watch *watch, uint32_t ready)
{
    struct solo__descriptor *descriptor = (struct solo__descriptor *)watch;
    descriptor->serving = true;
    if ((ready & (SOLO_READABLE | SOLO_HANGUP)) != 0 && descriptor->reader.on_ready != NULL) {
        call_side(descriptor, &descriptor->reader);
    }
    if ((ready & (SOLO_WRITABLE | SOLO_HANGUP)) != 0 && descriptor->writer.on_ready != NULL) {
        call_side(descriptor, &descriptor->writer);
    }
    descriptor->serving = false;
    release_if_unused(descriptor);
}

/* Makes the table large enough for descriptor number `fd`. */
static int make_room(struct solo_reactor *reactor, int fd)
{
    struct solo_world *world = reactor->world;
    size_t size = reactor->descriptors_size != 0 ? reactor->descriptors_size : DESCRIPTORS_MIN;
    if ((size_t)fd < reactor->descriptors_size) {
        return 0;
    }
    while (size <= (size_t)fd) {
        size *= 2;
    }
    struct solo__descriptor **table = world->memory->allocate(world, size * sizeof(struct solo__descriptor *));
    if (table == NULL) {
        return -ENOMEM;
    }
    memset(table, 0, size * sizeof(struct solo__descriptor *));
    if (reactor->descriptors_size > 0) {
        memcpy(table, reactor->descriptors, reactor->descriptors_size * sizeof(struct solo__descriptor *));
    }
    world->memory->release(world, reactor->descriptors);
    reactor->descriptors = table;
    reactor->descriptors_size = size;
    return 0;
}

/* The struct of a descriptor, made now if it has none. NULL: no memory. */
static struct solo__descriptor *descriptor_of(struct solo_reactor *reactor, int fd)
{
    struct solo_world *world = reactor->world;
    if (make_room(reactor, fd) < 0) {
        return NULL;
    }
    struct solo__descriptor *descriptor = reactor->descriptors[fd];
    if (descriptor == NULL) {
        descriptor = world->memory->allocate(world, sizeof *descriptor);
        if (descriptor == NULL) {
            return NULL;
        }
        memset(descriptor, 0, sizeof *descriptor);
        descriptor->watch.fd = fd;
        descriptor->watch.fn = on_watch;
        descriptor->reactor = reactor;
        reactor->descriptors[fd] = descriptor;
    }
    return descriptor;
}

static struct side *side_of(struct solo__descriptor *descriptor, uint32_t direction)
{
    return direction == SOLO_READABLE ? &descriptor->reader : &descriptor->writer;
}

static int add(struct solo_reactor *reactor, int fd, uint32_t direction, solo_descriptor_fn on_ready, void *arg,
               void *frame, void *return_address)
{
    if (fd < 0) {
        return -EBADF;
    }
    struct solo__descriptor *descriptor = descriptor_of(reactor, fd);
    if (descriptor == NULL) {
        return -ENOMEM;
    }
    struct side *side = side_of(descriptor, direction);
    if (side->on_ready != NULL) {
        return -EEXIST;
    }
    int error = solo__reactor_watch(reactor, &descriptor->watch, descriptor->watch.events | direction);
    if (error < 0) {
        release_if_unused(descriptor);
        return error;
    }
    side->on_ready = on_ready;
    side->arg = arg;
    solo__provenance_take(&side->provenance, solo__object_next_id(reactor->world, SOLO__READER), frame, return_address);
    return 0;
}

static int remove_side(struct solo_reactor *reactor, int fd, uint32_t direction)
{
    struct solo__descriptor *descriptor = NULL;
    if (fd >= 0 && (size_t)fd < reactor->descriptors_size) {
        descriptor = reactor->descriptors[fd];
    }
    if (descriptor == NULL || side_of(descriptor, direction)->on_ready == NULL) {
        return -ENOENT;
    }
    side_of(descriptor, direction)->on_ready = NULL;
    (void)solo__reactor_watch(reactor, &descriptor->watch, descriptor->watch.events & ~direction);
    release_if_unused(descriptor);
    return 0;
}

void solo__descriptors_end(struct solo_reactor *reactor)
{
    struct solo_world *world = reactor->world;
    for (size_t fd = 0; fd < reactor->descriptors_size; fd++) {
        if (reactor->descriptors[fd] != NULL) {
            (void)solo__reactor_watch(reactor, &reactor->descriptors[fd]->watch, 0);
            world->memory->release(world, reactor->descriptors[fd]);
        }
    }
    world->memory->release(world, reactor->descriptors);
}

int solo_reactor_add_reader(struct solo_reactor *reactor, int fd, solo_descriptor_fn on_ready, void *arg)
{
    SOLO__LIVE_OBJECT(solo_reactor_add_reader, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_add_reader, &reactor->owner, reactor);
    if (on_ready == NULL) {
        return -EINVAL;
    }

    return add(reactor, fd, SOLO_READABLE, on_ready, arg, __builtin_frame_address(0), __builtin_return_address(0));
}

int solo_reactor_add_writer(struct solo_reactor *reactor, int fd, solo_descriptor_fn on_ready, void *arg)
{
    SOLO__LIVE_OBJECT(solo_reactor_add_writer, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_add_writer, &reactor->owner, reactor);
    if (on_ready == NULL) {
        return -EINVAL;
    }

    return add(reactor, fd, SOLO_WRITABLE, on_ready, arg, __builtin_frame_address(0), __builtin_return_address(0));
}

int solo_reactor_remove_reader(struct solo_reactor *reactor, int fd)
{
    SOLO__LIVE_OBJECT(solo_reactor_remove_reader, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_remove_reader, &reactor->owner, reactor);

    return remove_side(reactor, fd, SOLO_READABLE);
}

int solo_reactor_remove_writer(struct solo_reactor *reactor, int fd)
{
    SOLO__LIVE_OBJECT(solo_reactor_remove_writer, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_remove_writer, &reactor->owner, reactor);

    return remove_side(reactor, fd, SOLO_WRITABLE);
}
