/* inbox.c - what a program says about a queue of its own becomes events. Who draws conclusions is the harness. */
#include <solo/inbox.h>
#include "object.h"
#include "self.h"

/* Two threads may say their first word at once. */
static uint32_t id_of(struct solo_inbox *inbox, struct solo_world *world)
{
    uint32_t id = __atomic_load_n(&inbox->object, __ATOMIC_RELAXED);
    if (id == 0) {
        uint32_t made = solo__object_next_id(world, SOLO__INBOX);
        bool first = __atomic_compare_exchange_n(&inbox->object, &id, made, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        id = first ? made : id;
    }
    return id;
}

void solo_inbox_say(struct solo_inbox *inbox, enum solo_inbox_step step, unsigned count)
{
    struct solo_world *world = solo__self_get()->object.world;
    if (inbox == NULL || step < SOLO_INBOX_GIVING || step >= SOLO_INBOX_STEPS) {
        return;
    }

    solo__announce(world, SOLO_PROBE_INBOX, SOLO_ACCESS_WRITE, id_of(inbox, world),
                   (uint64_t)step | (uint64_t)count << 8);
}
