/*
 * deferred.c - a result that is not there yet, and the chain of callbacks that wait for it.
 *
 * Invariants. A chain never runs nested in itself: `running` is set while one of its callbacks runs, and what is
 * added meanwhile is only appended. A chain that waits for an inner Deferred does not run. The inner one hands its
 * result to its waiter after the callbacks it had when it was chained, and goes on with an empty value: so its
 * failure counts as handled. Chains go on in a loop, not by recursion, so a chain of any depth needs the same stack.
 *
 * Two kinds of reference keep a Deferred: the public one (`held`), which its user gives up or hands to a chain, and
 * those of the kit (`keepers`): who will fire it, the chain that waits for it, and the inner one that it waits for.
 *
 * Memory is taken only when a Deferred is made and when a pair is added.
 *
 * Source of the behaviours: Twisted's twisted.internet.defer.
 */
#include "deferred_internal.h"
#include "guard.h"
#include "reactor_internal.h"

/* A callback and an errback that wait for their turn. */
struct pair {
    struct pair *next;
    solo_callback_fn callback;
    solo_callback_fn errback;
    void *arg;
    struct solo__provenance provenance; /* who added it, and from where */
};

struct solo_deferred {
    struct solo__object object;
    struct solo_reactor *reactor;
    solo_canceller_fn canceller;
    void *canceller_arg;
    struct pair *first, *last;         /* in order of addition */
    struct solo_result result;         /* valid once fired and while not waiting; its wait_for is always NULL */
    struct solo_deferred *waiting_for; /* the inner Deferred that suspends this chain */
    struct solo_deferred *waiter;      /* the outer Deferred whose chain waits for this one */
    struct pair *waiter_after;         /* the last pair before the waiter's turn; NULL: it is the waiter's turn */
    uint32_t keepers;                  /* references of the kit */
    bool held;                         /* the public reference */
    bool fired;
    bool running;
    bool cancelled;  /* somebody asked for it: its failure SOLO_ECANCELLED is no surprise */
    bool cancelling; /* the canceller runs */
    bool swallow;    /* the next firing comes too late and is ignored */
    struct solo__provenance made;
    struct solo__provenance fired_at;
};

enum { ENDED_CLEAN = 0, ENDED_UNHANDLED = 1, ENDED_UNFIRED = 2 }; /* values of DEFERRED_ENDED */

/* ---- Reports ---- */

static void stack_of(struct solo_stack *stack, const struct solo__provenance *provenance)
{
    stack->count = provenance->count;
    for (unsigned i = 0; i < provenance->count; i++) {
        stack->frames[i] = provenance->frames[i];
    }
}

/* Starts a SOLO008: it carries where the Deferred was made (queued_...) and first fired (owner_bound, owner_stack). */
static void violation_begin(struct solo_violation *violation, unsigned function, struct solo_deferred *deferred,
                            void *frame, void *return_address)
{
    solo__violation_begin(violation, SOLO008_DEFERRED, function, deferred, frame, return_address);
    solo__thread_print_name(deferred->made.by, violation->queued_by, sizeof violation->queued_by);
    stack_of(&violation->queued_stack, &deferred->made);
    if (deferred->fired) {
        solo__violation_text(violation->owner_bound, "first fired");
        stack_of(&violation->owner_stack, &deferred->fired_at);
    }
}

static __attribute__((noinline, cold)) void report_fired_twice(struct solo_deferred *deferred, void *frame,
                                                               void *return_address)
{
    struct solo_violation violation;
    violation_begin(&violation, SOLO__FN_solo_deferred_fire, deferred, frame, return_address);
    solo__violation_text(violation.text, "a Deferred that has its result was fired again");
    solo__violation_text(violation.help, "fire it in one place only, or ask solo_deferred_has_result first");
    solo_violation_report(&violation);
}

static __attribute__((noinline, cold)) void report_ended(struct solo_deferred *deferred, int how, void *frame,
                                                         void *return_address)
{
    struct solo_violation violation;
    violation_begin(&violation, SOLO__FN_solo_deferred_release, deferred, frame, return_address);
    if (how == ENDED_UNFIRED) {
        solo__violation_text(violation.text, "a Deferred ended without ever being fired; its callbacks never ran");
        solo__violation_text(violation.help,
                             "fire it with a value or a failure on every path, or cancel it before release");
    } else {
        violation.amount = (uint64_t) - (int64_t)deferred->result.status;
        solo__violation_text(violation.text, "a Deferred ended with a failure that no errback handled: %s",
                             solo_error_text(deferred->result.status));
        solo__violation_text(violation.help, "add an errback that handles the failure before the Deferred is released");
    }
    solo_violation_report(&violation);
}

static __attribute__((noinline, cold)) void report_bad_wait(struct solo_deferred *outer, bool circular)
{
    struct solo_violation violation;
    violation_begin(&violation, SOLO__FN_NONE, outer, __builtin_frame_address(0), __builtin_return_address(0));
    solo__violation_text(violation.text, circular
                                             ? "a Deferred would wait for its own result"
                                             : "a Deferred would wait for one that was released or handed on already");
    solo__violation_text(violation.help, "return solo_wait_for with another Deferred whose reference is yours to give");
    solo_violation_report(&violation);
}

/* ---- Life ---- */

int solo__deferred_make(struct solo_reactor *reactor, solo_canceller_fn canceller, void *arg, void *frame,
                        void *return_address, struct solo_deferred **ret_deferred)
{
    struct solo_world *world = reactor->world;
    struct solo_deferred *deferred = solo__object_make(world, SOLO__DEFERRED, sizeof *deferred, return_address);
    if (deferred == NULL) {
        return -ENOMEM;
    }
    deferred->reactor = reactor;
    deferred->canceller = canceller;
    deferred->canceller_arg = arg;
    deferred->held = true;
    solo__provenance_take(&deferred->made, deferred->object.id, frame, return_address);
    solo__announce(world, SOLO_PROBE_DEFERRED_MADE, SOLO_ACCESS_WRITE, deferred->object.id, 0);
    *ret_deferred = deferred;
    return 0;
}

static int how_it_ends(const struct solo_deferred *deferred)
{
    if (!deferred->fired) {
        return ENDED_UNFIRED;
    }
    if (deferred->result.status >= 0 || (deferred->cancelled && deferred->result.status == SOLO_ECANCELLED)) {
        return ENDED_CLEAN;
    }
    return ENDED_UNHANDLED;
}

static void release_pairs(struct solo_deferred *deferred)
{
    struct solo_world *world = deferred->object.world;
    while (deferred->first != NULL) {
        struct pair *pair = deferred->first;
        deferred->first = pair->next;
        world->memory->release(world, pair);
    }
}

/* Ends it if nobody has it any more. */
static void end_if_unused(struct solo_deferred *deferred, void *frame, void *return_address)
{
    if (deferred->held || deferred->keepers > 0) {
        return;
    }
    int how = how_it_ends(deferred);
    if (how != ENDED_CLEAN) {
        report_ended(deferred, how, frame, return_address);
    }
    solo__announce(deferred->object.world, SOLO_PROBE_DEFERRED_ENDED, SOLO_ACCESS_WRITE, deferred->object.id,
                   (uint64_t)how);
    release_pairs(deferred);
    solo__object_end(deferred);
}

void solo__deferred_keep(struct solo_deferred *deferred)
{
    deferred->keepers++;
}

void solo__deferred_drop(struct solo_deferred *deferred)
{
    deferred->keepers--;
    end_if_unused(deferred, __builtin_frame_address(0), __builtin_return_address(0));
}

void solo__deferred_release(struct solo_deferred *deferred)
{
    deferred->held = false;
    end_if_unused(deferred, __builtin_frame_address(0), __builtin_return_address(0));
}

/* ---- The chain ---- */

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
    if (inner->fired && inner->waiting_for == NULL && !inner->running) {
        outer->result = inner->result;
        inner->result = solo_value(NULL);
        solo__deferred_release(inner);
        return;
    }
    inner->held = false;
    inner->keepers++; /* the reference just taken over */
    outer->keepers++; /* inner will need its waiter, whoever else lets go of it */
    inner->waiter = outer;
    inner->waiter_after = inner->last;
    outer->waiting_for = inner;
}

/* Makes `result` the deferred's result. */
static void adopt(struct solo_deferred *deferred, struct solo_result result)
{
    struct solo_deferred *inner = result.wait_for;
    if (inner == NULL) {
        deferred->result = result;
        return;
    }
    bool circular = solo__deferred_is_alive(inner) && is_circular(deferred, inner);
    if (circular || !solo__deferred_is_alive(inner) || !inner->held || inner->reactor != deferred->reactor) {
        report_bad_wait(deferred, circular);
        deferred->result = solo_failure(circular ? -EDEADLK : -EINVAL);
        return;
    }
    wait_for(deferred, inner);
}

/* Runs the first pair on the present result, with `work` telling who added it. */
static void run_first(struct solo_deferred *deferred)
{
    struct pair *pair = deferred->first;
    deferred->first = pair->next;
    if (deferred->first == NULL) {
        deferred->last = NULL;
    }
    solo_callback_fn fn = deferred->result.status < 0 ? pair->errback : pair->callback;
    if (fn != NULL) {
        struct solo_thread *self = solo__self;
        const struct solo__provenance *outer_work = self->work;
        self->work = &pair->provenance;
        struct solo_result result = fn(deferred->result, pair->arg);
        self->work = outer_work;
        adopt(deferred, result);
    }
    if (deferred->waiter_after == pair) {
        deferred->waiter_after = NULL;
    }
    deferred->object.world->memory->release(deferred->object.world, pair);
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
    return waiter;
}

/* Runs pairs until none is left or the chain has to wait. Returns the Deferred whose chain goes on next, or NULL. */
static struct solo_deferred *run_pairs(struct solo_deferred *deferred)
{
    struct solo_deferred *next = NULL;
    deferred->running = true;
    for (;;) {
        if (deferred->waiting_for != NULL) {
            break;
        }
        if (deferred->waiter != NULL && deferred->waiter_after == NULL) {
            next = hand_on(deferred);
            deferred->keepers--; /* the waiter's reference; the caller has one too */
        }
        if (deferred->first == NULL) {
            break;
        }
        run_first(deferred);
    }
    deferred->running = false;
    return next;
}

static void run_chain(struct solo_deferred *deferred)
{
    deferred->keepers++;
    while (deferred != NULL) {
        struct solo_deferred *next = run_pairs(deferred);
        solo__deferred_drop(deferred);
        deferred = next;
    }
}

/*
 * Inside the loop everything that runs user code is a callback of the reactor; what the kit fires may be the
 * outermost one.
 */
static void run_chain_as_callback(struct solo_deferred *deferred)
{
    struct solo_thread *self = solo__self_get();
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

static void fire(struct solo_deferred *deferred, struct solo_result result, void *frame, void *return_address)
{
    deferred->fired = true;
    solo__provenance_take(&deferred->fired_at, deferred->object.id, frame, return_address);
    solo__announce(deferred->object.world, SOLO_PROBE_DEFERRED_FIRED, SOLO_ACCESS_WRITE, deferred->object.id,
                   (uint64_t)(int64_t)result.status);
    adopt(deferred, result);
    run_chain_as_callback(deferred);
}

/* A result that comes too late still owns the Deferred it speaks of. */
static void discard(struct solo_result result)
{
    if (solo__deferred_is_alive(result.wait_for) && result.wait_for->held) {
        solo__deferred_release(result.wait_for);
    }
}

int solo__deferred_fire(struct solo_deferred *deferred, struct solo_result result)
{
    if (deferred->fired) {
        deferred->swallow = false;
        discard(result);
        return SOLO_EALREADYCALLED;
    }
    fire(deferred, result, __builtin_frame_address(0), __builtin_return_address(0));
    return 0;
}

static int add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, void *arg,
               void *frame, void *return_address)
{
    struct solo_world *world = deferred->object.world;
    struct pair *pair = world->memory->allocate(world, sizeof *pair);
    if (pair == NULL) {
        return -ENOMEM;
    }
    pair->next = NULL;
    pair->callback = callback;
    pair->errback = errback;
    pair->arg = arg;
    solo__provenance_take(&pair->provenance, deferred->object.id, frame, return_address);
    if (deferred->last != NULL) {
        deferred->last->next = pair;
    } else {
        deferred->first = pair;
    }
    deferred->last = pair;
    if (deferred->fired && !deferred->running && deferred->waiting_for == NULL) {
        run_chain_as_callback(deferred);
    }
    return 0;
}

int solo__deferred_add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, void *arg)
{
    return add(deferred, callback, errback, arg, __builtin_frame_address(0), __builtin_return_address(0));
}

bool solo__deferred_is_alive(const struct solo_deferred *deferred)
{
    return solo__object_check(deferred, SOLO__DEFERRED) == 0;
}

bool solo__deferred_has_result(const struct solo_deferred *deferred, struct solo_result *ret_result)
{
    bool has = deferred->fired && deferred->waiting_for == NULL;
    if (has && ret_result != NULL) {
        *ret_result = deferred->result;
    }
    return has;
}

bool solo__deferred_take(struct solo_deferred *deferred, struct solo_result *ret_result)
{
    if (!solo__deferred_has_result(deferred, ret_result)) {
        return false;
    }
    deferred->result = solo_value(NULL);
    return true;
}

/* ---- The public functions ---- */

/* The rungs of every function on a Deferred but release: alive, its reactor alive, the right thread. */
#define CHECK(function, deferred)                                                                                      \
    SOLO__LIVE_OBJECT(function, deferred, SOLO__DEFERRED, SOLO006_USE_AFTER_END);                                      \
    SOLO__OBJECT((deferred)->reactor, SOLO__REACTOR);                                                                  \
    SOLO__REACTOR_ONLY(function, &(deferred)->reactor->owner, deferred)

int solo_deferred_create(struct solo_reactor *reactor, solo_canceller_fn canceller, void *arg,
                         struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_deferred_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (ret_deferred == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_create, &reactor->owner, reactor);

    return solo__deferred_make(reactor, canceller, arg, __builtin_frame_address(0), __builtin_return_address(0),
                               ret_deferred);
}

int solo_deferred_release(struct solo_deferred *deferred)
{
    if (deferred == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_deferred_release, deferred, SOLO__DEFERRED, SOLO006_USE_AFTER_END);
    if (solo__object_check(deferred->reactor, SOLO__REACTOR) ==
        0) { /* else nobody owns it: any thread may give it up */
        SOLO__REACTOR_ONLY(solo_deferred_release, &deferred->reactor->owner, deferred);
    }
    if (!deferred->held) {
        solo__violation_after_end(SOLO006_USE_AFTER_END, SOLO__FN_solo_deferred_release, deferred,
                                  __builtin_frame_address(0), __builtin_return_address(0));
        return SOLO_ECLOSED;
    }

    deferred->held = false;
    end_if_unused(deferred, __builtin_frame_address(0), __builtin_return_address(0));
    return 0;
}

int solo_deferred_add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, void *arg)
{
    CHECK(solo_deferred_add, deferred);

    return add(deferred, callback, errback, arg, __builtin_frame_address(0), __builtin_return_address(0));
}

int solo_deferred_fire(struct solo_deferred *deferred, struct solo_result result)
{
    CHECK(solo_deferred_fire, deferred);
    if (result.status > 0) {
        return -EINVAL;
    }

    if (!deferred->fired) {
        fire(deferred, result, __builtin_frame_address(0), __builtin_return_address(0));
        return 0;
    }
    discard(result);
    if (deferred->swallow) {
        deferred->swallow = false;
        return 0;
    }
    report_fired_twice(deferred, __builtin_frame_address(0), __builtin_return_address(0));
    return SOLO_EALREADYCALLED;
}

int solo_deferred_cancel(struct solo_deferred *deferred)
{
    CHECK(solo_deferred_cancel, deferred);

    deferred->cancelled = true;
    while (deferred->waiting_for != NULL) {
        deferred = deferred->waiting_for;
        deferred->cancelled = true;
    }
    if (deferred->fired || deferred->cancelling) {
        return 0;
    }
    solo__deferred_keep(deferred);
    if (deferred->canceller != NULL) {
        deferred->cancelling = true;
        deferred->canceller(deferred, deferred->canceller_arg);
        deferred->cancelling = false;
    } else {
        deferred->swallow = true;
    }
    if (!deferred->fired) {
        fire(deferred, solo_failure(SOLO_ECANCELLED), __builtin_frame_address(0), __builtin_return_address(0));
    }
    solo__deferred_drop(deferred);
    return 0;
}

int solo_deferred_has_result(struct solo_deferred *deferred, bool *ret_has, struct solo_result *ret_result)
{
    CHECK(solo_deferred_has_result, deferred);
    if (ret_has == NULL) {
        return -EINVAL;
    }

    *ret_has = solo__deferred_has_result(deferred, ret_result);
    return 0;
}
