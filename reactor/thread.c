/* thread.c - solo/thread.h: threads, sleep, time and names, on the tables of whichever world the caller lives in. */
#include <solo/thread.h>
#include "guard.h"
#include <stdio.h>

static struct solo_world *my_world(void)
{
    return solo__self_get()->object.world;
}

int(solo_thread_create)(solo_thread_fn fn, void *arg, struct solo_thread **ret_thread)
{
    if (fn == NULL || ret_thread == NULL) {
        return -EINVAL;
    }

    return solo__thread_start(my_world(), SOLO__ROLE_CHILD, NULL, 0, fn, arg, ret_thread);
}

int solo_thread_join(struct solo_thread *thread)
{
    SOLO__OBJECT(thread, SOLO__THREAD);
    if (thread == solo__self) {
        return -EDEADLK;
    }

    struct solo_world *world = thread->object.world;
    world->threads->enter(world, &thread->lock);
    bool joined = thread->joined;
    thread->joined = 1;
    world->threads->leave(world, &thread->lock);
    return joined ? SOLO_ECLOSED : solo__thread_reap(thread);
}

void solo_yield(void)
{
    solo__announce(my_world(), SOLO_PROBE_YIELD, SOLO_ACCESS_NONE, 0, 0);
}

int solo_sleep(uint64_t duration_ns)
{
    struct solo_world *world = my_world();
    uint64_t now_ns = world->clock->now_ns(world);
    uint64_t until_ns = duration_ns < SOLO_NEVER - now_ns ? now_ns + duration_ns : SOLO_NEVER;
    solo__announce(world, SOLO_PROBE_SLEEP, SOLO_ACCESS_NONE, 0, until_ns);
    if (world->clock->now_ns(world) < until_ns) {
        solo__announce(world, SOLO_PROBE_BLOCK, SOLO_ACCESS_NONE, 0, SOLO_WAIT_SLEEP);
        world->clock->sleep_until(world, until_ns);
        solo__announce(world, SOLO_PROBE_UNBLOCK, SOLO_ACCESS_NONE, 0, 0);
    }
    return 0;
}

uint64_t solo_now(void)
{
    struct solo_world *world = my_world();
    return world->clock->now_ns(world);
}

int solo_random(void *buffer, size_t size)
{
    struct solo_world *world = my_world();
    if (buffer == NULL) {
        return -EINVAL;
    }

    world->memory->random(world, buffer, size);
    return 0;
}

const char *solo_thread_name(char *buffer, size_t size)
{
    if (buffer != NULL && size > 0) {
        solo__thread_print_name(solo__self_get(), buffer, size);
    }
    return buffer;
}

const char *solo_thread_name_of(unsigned number, char *buffer, size_t size)
{
    if (buffer != NULL && size > 0 && !solo__thread_print_number(my_world(), number, buffer, size)) {
        snprintf(buffer, size, "?");
    }
    return buffer;
}
