/*
 * names_pool.c - the default resolver: the system's look-up, which blocks, as a job of the reactor's pool.
 *
 * A look-up belongs to two: to its job, which a stop may leave behind running, and to the reactor thread, which hears
 * of the job's end. `stage` says how far the job is; whoever is last gives the memory back. The job writes `found` and
 * `status`, and only the reactor thread what the caller gave.
 */
#include "deferred_private.h"
#include "names_internal.h"
#include <string.h>

enum stage { QUEUED = 0, BEGUN, ENDED, LEFT };

struct look_up {
    struct solo_world *world;
    struct solo_addresses found;
    int status;
    int stage;                      /* enum stage; atomic */
    struct solo_deferred *deferred; /* NULL: nobody wants to know any more */
    struct solo_addresses *wanted;  /* the caller's, until the Deferred has fired */
    char name[];
};

static void release(struct look_up *look_up)
{
    look_up->world->memory->release(look_up->world, look_up);
}

/* On a worker. */
static void run(void *arg)
{
    struct look_up *look_up = arg;
    int queued = QUEUED;
    if (!__atomic_compare_exchange_n(&look_up->stage, &queued, BEGUN, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        return; /* nobody wants to know */
    }
    look_up->status = solo__world_look_up(look_up->world, look_up->name, &look_up->found);
    if (__atomic_exchange_n(&look_up->stage, ENDED, __ATOMIC_ACQ_REL) == LEFT) {
        release(look_up);
    }
}

static struct solo_result result_of(struct look_up *look_up, int status)
{
    if (status < 0 || look_up->status < 0) {
        return solo_failure(status < 0 ? status : look_up->status);
    }
    *look_up->wanted = look_up->found;
    return solo_value(look_up->wanted);
}

/* On the reactor thread, whatever became of the job. */
static void done(int status, void *arg)
{
    struct look_up *look_up = arg;
    struct solo_deferred *deferred = look_up->deferred;
    struct solo_result result = deferred != NULL ? result_of(look_up, status) : solo_failure(SOLO_ECANCELLED);
    if (__atomic_exchange_n(&look_up->stage, LEFT, __ATOMIC_ACQ_REL) != BEGUN) {
        release(look_up);
    }
    if (deferred != NULL) {
        (void)solo__deferred_fire(deferred, result);
        solo__deferred_drop(deferred);
    }
}

/* A queued one is not begun any more. One that timed out in the queue waited for a thread, not for a name. */
static void cancel(struct solo_deferred *deferred, void *arg)
{
    struct look_up *look_up = arg;
    int queued = QUEUED;
    look_up->deferred = NULL;
    bool waited =
        __atomic_compare_exchange_n(&look_up->stage, &queued, ENDED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (waited && solo__deferred_is_late(deferred)) {
        (void)solo__deferred_fire(deferred, solo_failure(SOLO_EPOOLFULL));
    }
    solo__deferred_drop(deferred);
}

int solo__pool_resolve(struct solo_reactor *reactor, const char *name, struct solo_addresses *addresses, void *frame,
                       void *return_address, struct solo_deferred **ret_deferred)
{
    struct solo_world *world = reactor->world;
    struct look_up *look_up = world->memory->allocate(world, sizeof *look_up + strlen(name) + 1);
    if (look_up == NULL) {
        return -ENOMEM;
    }
    memset(look_up, 0, sizeof *look_up);
    strcpy(look_up->name, name); /* NOLINT: there is room, right above */
    look_up->world = world;
    look_up->wanted = addresses;
    struct solo_deferred *deferred;
    int status = solo__deferred_make(reactor, cancel, look_up, frame, return_address, &deferred);
    if (status < 0) {
        release(look_up);
        return status;
    }
    look_up->deferred = deferred;
    solo__deferred_keep(deferred);
    status = solo_reactor_call_in_thread(reactor, run, look_up, done);
    if (status < 0) {
        release(look_up);
        solo__deferred_fire_from(deferred, solo_value(NULL), frame, return_address);
        solo__deferred_drop(deferred);
        solo__deferred_release(deferred);
        return status;
    }
    *ret_deferred = deferred;
    return 0;
}
