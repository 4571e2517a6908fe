/*
 * deferred_chain.c - how a chain of callbacks runs, and how one chain waits for another.
 *
 * Invariants. A chain never runs nested in itself: `running` is set while one of its callbacks runs, and what is
 * added meanwhile is only appended. A chain that waits for an inner Deferred, or is paused, does not run. The inner one
 * hands its result to its waiter after the callbacks it had when it was chained, and goes on with an empty value: so
 * its failure counts as handled. Chains go on in a loop, not by recursion, so a chain of any depth needs the same
 * stack.
 *
 * Nothing here takes memory.
 *
 * Source of the behaviours: Twisted's twisted.internet.defer.
 */
#include "deferred_private.h"
#include <assert.h>
#include <stddef.h>

/* ---- Waiting for another ---- */

/*
 * Whether `inner` is `outer` or waits for it, directly or not. Either end of the chain between them would tell; both
 * are looked for at once, because chains that grow at one end are long on one side only.
 */
static bool is_circular(const struct solo_deferred *outer, const struct solo_deferred *inner)
{
    const struct solo_deferred *down = inner, *up = outer;
    while (down != outer && up != inner) {
        down = down->waiting_for;
        up = up->waiter;
        if (down == NULL || up == NULL) {
            return false;
        }
    }
    return true;
}

/* `outer` takes over the public reference of `inner` and either its result or its place as the one who waits for it. */
static void wait_for(struct solo_deferred *outer, struct solo_deferred *inner)
{
    if (solo__deferred_has_result(inner, NULL) && !inner->running) {
        outer->result = inner->result;
        inner->result = solo_value(NULL);
        solo__deferred_release(inner);
        return;
    }
    inner->held = false;
    inner->keepers++; /* the reference just taken over */
    outer->keepers++; /* inner will need its waiter, whoever else lets go of it */
    inner->waiter = outer;
    inner->simple_end = 0;
    inner->waiter_turn = solo__deferred_added(inner);
    outer->waiting_for = inner;
}

static void adopt_other(struct solo_deferred *deferred, struct solo_deferred *inner)
{
    bool circular = solo__deferred_is_alive(inner) && is_circular(deferred, inner);
    if (circular || !solo__deferred_is_alive(inner) || !inner->held || inner->reactor != deferred->reactor) {
        solo__deferred_report_bad_wait(deferred, circular);
        deferred->result = solo_failure(circular ? -EDEADLK : -EINVAL);
        return;
    }
    wait_for(deferred, inner);
}

/*
 * The parts of a result that lies in memory. A processor waits long for what was stored in pieces and is read whole, as
 * results are when they are passed on: looked at like this, they stay whole.
 */
static inline int status_of(const struct solo_result *result)
{
    return *(const volatile int *)&result->status;
}

static inline void *value_of(const struct solo_result *result)
{
    return *(void *const volatile *)&result->value;
}

static inline struct solo_deferred *wait_of(const struct solo_result *result)
{
    return *(struct solo_deferred *const volatile *)&result->wait_for;
}

/* Makes `result` the deferred's result. */
static inline void adopt(struct solo_deferred *deferred, const struct solo_result *result)
{
    struct solo_deferred *inner = wait_of(result);
    if (__builtin_expect(inner != NULL, 0)) {
        adopt_other(deferred, inner);
    } else {
        deferred->result = *result;
    }
}

/* ---- Running ---- */

/* Nothing but inline pairs is there to run, of each only the return address is known, and one thread added them. */
static inline bool is_simple(const struct solo_deferred *deferred)
{
    return deferred->first == NULL && deferred->waiter == NULL && deferred->paused == 0 &&
           deferred->inline_by_others == 0 && deferred->provenance == NULL;
}

/*
 * Written with one store, whatever pieces it comes in, because it is read whole to be passed on. wait_for stays what it
 * was: NULL.
 */
static inline void set_result(struct solo_result *at, int status, void *value)
{
    typedef uint64_t __attribute__((vector_size(16), aligned(8), may_alias)) both;
    static_assert(offsetof(struct solo_result, value) == sizeof(uint64_t), "status and value fill 16 bytes");
    *(both *)at = (both){(uint32_t)status, (uint64_t)(uintptr_t)value};
}

/*
 * Runs inline pairs while that is all there is to do. Most of what a callback costs is waiting for the result that the
 * one before has just stored. So where callbacks hand on what they were given, the next gets what is known already.
 */
static void run_simple(struct solo_deferred *deferred, struct solo__provenance *work)
{
    struct solo_result before = deferred->result, after;
    int status = status_of(&before);
    void *value = value_of(&before);
    uint32_t index = deferred->inline_first, first = index;
    work->by = deferred->made.by;
    work->thread = work->by->number;
    work->count = 1;
    do {
        struct solo__pair *pair = &deferred->pairs[index];
        solo_callback_fn fn = status < 0 ? pair->errback : pair->callback;
        deferred->inline_first = ++index;
        if (__builtin_expect(fn == NULL, 0)) {
            continue;
        }
        work->frames[0] = (uint64_t)(uintptr_t)pair->from;
        after = fn(before, pair->arg);
        struct solo_deferred *inner = wait_of(&after);
        if (__builtin_expect(inner != NULL, 0)) {
            adopt_other(deferred, inner);
            break;
        }
        if (status_of(&after) != status || value_of(&after) != value) {
            status = status_of(&after);
            value = value_of(&after);
            set_result(&before, status, value);
            set_result(&deferred->result, status, value);
        }
    } while (index < deferred->simple_end);
    deferred->ran += index - first;
}

/* Runs the pair whose turn it is, of whichever sort. */
static void run_one(struct solo_deferred *deferred, struct solo__provenance *work)
{
    struct solo__pair_node *node = deferred->first;
    struct solo__pair pair;
    if (node != NULL && node->number == deferred->ran) {
        deferred->first = node->next;
        deferred->last = deferred->first != NULL ? deferred->last : NULL;
        pair = (struct solo__pair){node->callback, node->errback, node->arg, NULL};
        *work = node->provenance;
        if (node->dropped == NULL) {
            deferred->object.world->memory->release(deferred->object.world, node);
        }
    } else {
        unsigned index = deferred->inline_first++;
        pair = deferred->pairs[index];
        bool by_other = (deferred->inline_by_others >> index & 1) != 0;
        work->by = by_other ? deferred->pairs_by[index] : deferred->made.by;
        work->thread = work->by->number;
        work->frames[0] = (uint64_t)(uintptr_t)pair.from;
        work->count = 1;
        if (deferred->provenance != NULL) {
            *work = deferred->provenance[SOLO__OF_PAIRS + index];
        }
    }
    uint64_t number = deferred->ran++;
    solo_callback_fn fn = deferred->result.status < 0 ? pair.errback : pair.callback;
    if (fn != NULL) {
        solo__deferred_tell(deferred, SOLO_PROBE_PAIR_BEGUN, number);
        struct solo_result result = fn(deferred->result, pair.arg);
        solo__deferred_tell(deferred, SOLO_PROBE_PAIR_ENDED, number);
        adopt(deferred, &result);
    }
}

/*
 * The waiter gets the result, and the inner Deferred keeps none. Returns the waiter, with the reference that kept it.
 */
static struct solo_deferred *hand_on(struct solo_deferred *deferred)
{
    struct solo_deferred *waiter = deferred->waiter;
    deferred->waiter = NULL;
    waiter->waiting_for = NULL;
    waiter->result = deferred->result;
    deferred->result = solo_value(NULL);
    deferred->keepers--; /* the waiter's reference; the caller has one too */
    return waiter;
}

/*
 * Runs pairs until none is left or the chain has to wait, with `work` telling who added each. Returns the Deferred
 * whose chain goes on next, or NULL.
 */
static struct solo_deferred *run_pairs(struct solo_deferred *deferred)
{
    struct solo_deferred *next = NULL;
    struct solo_thread *self = solo__self;
    const struct solo__provenance *outer_work = self->work;
    struct solo__provenance work;
    work.object = deferred->object.id;
    work.by = NULL;
    self->work = &work;
    deferred->running = true;
    while (deferred->waiting_for == NULL && deferred->paused == 0) {
        if (deferred->waiter != NULL && deferred->waiter_turn == deferred->ran) {
            next = hand_on(deferred);
        }
        if (deferred->ran == solo__deferred_added(deferred)) {
            break;
        }
        deferred->simple_end = is_simple(deferred) ? deferred->inline_next : 0;
        if (deferred->simple_end != 0) {
            run_simple(deferred, &work);
        } else {
            run_one(deferred, &work);
        }
    }
    deferred->running = false;
    self->work = outer_work;
    return next;
}

static void run_chain(struct solo_deferred *deferred)
{
    deferred->keepers++;
    while (deferred != NULL) {
        struct solo_deferred *next = run_pairs(deferred);
        deferred->keepers--;
        solo__deferred_end_if_unused(deferred, __builtin_frame_address(0), __builtin_return_address(0));
        deferred = next;
    }
}

/*
 * Inside the loop everything that runs user code is a callback of the reactor; what the kit fires may be the
 * outermost one.
 */
void solo__deferred_run(struct solo_deferred *deferred)
{
    struct solo_thread *self = solo__self != NULL ? solo__self : solo__self_get();
    struct solo_reactor *reactor = deferred->reactor;
    if (self->callback_depth > 0 || self->inside != reactor) {
        run_chain(deferred);
        return;
    }
    uint32_t id = deferred->object.id;
    solo__callback_begin(reactor, id);
    run_chain(deferred);
    solo__callback_end(reactor, id);
}

void solo__deferred_fire_with(struct solo_deferred *deferred, const struct solo_result *result, void *frame,
                              void *return_address)
{
    deferred->fired = true;
    solo__deferred_note(deferred, &deferred->fired_at, SOLO__OF_FIRED, frame, return_address);
    solo__announce(deferred->object.world, SOLO_PROBE_DEFERRED_FIRED, SOLO_ACCESS_WRITE, deferred->object.id,
                   (uint64_t)(int64_t)status_of(result));
    deferred->quick_for = solo__deferred_nobody(deferred);
    adopt(deferred, result);
    solo__deferred_run(deferred);
}

void solo__deferred_fire_from(struct solo_deferred *deferred, struct solo_result result, void *frame,
                              void *return_address)
{
    solo__deferred_fire_with(deferred, &result, frame, return_address);
}
