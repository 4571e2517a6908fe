/*
 * oracle_call_out.c - SOLO016: a lock that is held while the kit calls what somebody else registered, and what is
 * called there has to wait.
 *
 * A call of the kit may run callbacks before it returns: solo_deferred_fire runs the chain, as do cancel, unpause, and
 * whatever releases or ends something that a Deferred stands for; solo_reactor_destroy runs done functions. Whoever
 * makes such a call with a lock held does not know what runs under it; whoever wrote the callback does not know of the
 * lock. While the callback only computes, that harms nobody, and nothing is said. It is said where it
 *   - takes another lock: in which order the two are taken is then up to whoever registers callbacks;
 *   - waits for what another thread has to give, off the loop (in the loop that is SOLO002, with a lock or without);
 *   - asks for that very lock, which is refused with -EDEADLK (where it waits for itself, that is SOLO004).
 * Nothing is said of the first two
 *   - if no other thread of the schedule takes the lock that is held, in a way that this one keeps out: nobody waits;
 *   - of a lock that no other thread takes either, is only attempted, or waited for with a deadline;
 *   - of two locks that somebody takes in this order without a callback between them: then the order is known;
 *   - of two locks of a circle that is reported (oracle_lock_order.c), which says so itself;
 * and of all three
 *   - if whoever registered the callback held that lock: who knows of the lock means it;
 *   - if the lock was taken before the loop began to call: it is then the loop's, for as long as the loop runs.
 *
 * One call is one finding, whatever is called there. Tables that are full make it silent about the whole schedule.
 */
#include "oracle_internal.h"
#include "annotate.h"
#include "call_site.h"
#include "wait_cycle.h"
#include <solo/thread.h>
#include <string.h>

enum {
    HELD_MAX = SOLO__ORACLE_HELD_MAX,
    CALLS_MAX = 4,        /* nested, of one thread, under locks; those inside are then judged by the outer ones */
    REGISTERED_MAX = 512, /* with a lock held, in a schedule; a power of two */
    LOCKS_MAX = 256,      /* in a schedule; a power of two */
    WINDOW = 8,           /* slots in which one of these may lie */
    ORDERS_MAX = 64,      /* different ones that are taken without a callback between them */
    SUSPECTS_MAX = 16,    /* kept of a schedule */
    FINDINGS_MAX = 4,     /* reported of a schedule: an error must find room besides */
};

/* A callback that runs, and the locks that its caller holds and whoever registered it did not. */
struct called {
    uint32_t object;
    uint16_t depth;
    uint8_t lock_count;
    uint32_t locks[HELD_MAX];
    struct solo_stack stack; /* where the program called the kit */
};

struct caller {
    uint32_t epoch;
    uint16_t depth; /* callbacks that it is in */
    uint8_t loops;  /* of the locks it holds, those taken before its loop began to call */
    uint8_t call_count;
    struct called calls[CALLS_MAX];
};

struct registered {
    uint32_t epoch, object;
    uint64_t which;
    uint8_t lock_count;
    uint32_t locks[HELD_MAX]; /* that whoever registered it held */
};

/* Which threads take a lock: the first one, and whether there are others. */
struct takers {
    uint16_t first;
    bool any, others;
};

struct lock {
    uint32_t epoch, id;
    struct takers writers, readers;
};

struct pair {
    uint32_t held, wanted;
};

struct suspect {
    struct pair locks; /* wanted: the one that is held, it asks for that; 0: it waits for something else */
    bool writes_held, wants_to_write, harms;
    struct solo_violation violation; /* its cycle: of the place where the program called the kit */
};

static struct oracles *const all = &solo__oracles;

static struct {
    uint32_t epoch;
    bool blind;                /* something did not fit */
    unsigned registered_count; /* and not over */
    unsigned order_count, suspect_count;
    struct caller callers[SOLO__ORACLE_THREADS_MAX];
    struct registered registered[REGISTERED_MAX];
    struct lock locks[LOCKS_MAX];
    struct pair orders[ORDERS_MAX];
    struct suspect suspects[SUSPECTS_MAX];
} out;

/* And LOCK, once a callback was called under a lock. */
#define KIND(name) (UINT64_C(1) << SOLO_PROBE_##name)
const uint64_t solo__oracle_call_out_kinds =
    KIND(PAIR_ADDED) | KIND(PAIR_BEGUN) | KIND(PAIR_ENDED) | KIND(DEFERRED_MADE) | KIND(DEFERRED_ENDED) |
    KIND(CALL_ACCEPTED) | KIND(CALL_ENDED) | KIND(CALL_HANDED_BACK) | KIND(CALL_DROPPED) | KIND(PASS) |
    KIND(CALLBACK_BEGUN) | KIND(CALLBACK_ENDED) | KIND(BLOCK) | KIND(LOCK);

/* ---- Tables ---- */

static struct caller *caller_of(unsigned thread)
{
    if (thread >= SOLO__ORACLE_THREADS_MAX) {
        return NULL;
    }
    struct caller *caller = &out.callers[thread];
    if (caller->epoch != all->epoch) {
        caller->epoch = all->epoch;
        caller->depth = 0;
        caller->loops = caller->call_count = 0;
    }
    return caller;
}

static void begin(void)
{
    if (out.epoch != all->epoch) {
        out.epoch = all->epoch;
        out.blind = false;
        out.registered_count = out.order_count = out.suspect_count = 0;
    }
}

static bool has(const uint32_t *locks, unsigned count, uint32_t lock)
{
    while (count > 0 && locks[count - 1] != lock) {
        count--;
    }
    return count > 0;
}

/* The slot of this lock, made if it is new; NULL: there is no room. */
static struct lock *lock_of(uint32_t id)
{
    for (unsigned i = 0; i < WINDOW; i++) {
        struct lock *lock = &out.locks[(id + i) & (LOCKS_MAX - 1)];
        if (lock->epoch != all->epoch) {
            *lock = (struct lock){.epoch = all->epoch, .id = id};
        }
        if (lock->id == id) {
            return lock;
        }
    }
    return NULL;
}

/* The slot of what was registered, or a free one if `wants_room`; NULL: there is none. */
static struct registered *registered_of(uint32_t object, uint64_t which, bool wants_room)
{
    for (unsigned i = 0; i < WINDOW; i++) {
        struct registered *at = &out.registered[(object * 31 + (uint32_t)which + i) & (REGISTERED_MAX - 1)];
        bool free = at->epoch != all->epoch;
        if (free ? wants_room : at->object == object && at->which == which) {
            return at;
        }
    }
    return NULL;
}

/* ---- Who registers, and who calls ---- */

static void on_registered(const struct solo_event *event, uint64_t which)
{
    struct oracle_held held[HELD_MAX];
    unsigned count = solo__oracle_held(event->thread, held);
    if (count == 0) {
        return;
    }
    struct registered *at = registered_of(event->object, which, true);
    if (at == NULL) {
        out.blind = true;
        return;
    }
    out.registered_count += at->epoch != all->epoch;
    *at = (struct registered){all->epoch, event->object, which, (uint8_t)count, {0}};
    for (unsigned i = 0; i < count; i++) {
        at->locks[i] = held[i].lock;
    }
}

/* It will not be called any more. */
static void on_over(uint32_t object, uint64_t which)
{
    struct registered *registered = registered_of(object, which, false);
    if (registered != NULL) {
        registered->epoch = 0;
        out.registered_count--;
    }
}

/* Nor will any of those that were registered for this Deferred: it has ended. */
static void on_all_over(uint32_t deferred)
{
    for (unsigned i = 0; i < REGISTERED_MAX && out.registered_count != 0; i++) {
        struct registered *registered = &out.registered[i];
        if (registered->epoch == all->epoch && registered->object == deferred) {
            registered->epoch = 0;
            out.registered_count--;
        }
    }
}

static void on_called(const struct solo_event *event, struct caller *caller, uint64_t which)
{
    struct oracle_held held[HELD_MAX];
    unsigned count = solo__oracle_held(event->thread, held);
    caller->depth++;
    if (caller->call_count == CALLS_MAX) {
        return;
    }
    const struct registered *registered = registered_of(event->object, which, false);
    struct called *call = &caller->calls[caller->call_count];
    call->lock_count = 0;
    for (unsigned i = caller->loops; i < count; i++) {
        if (registered == NULL || !has(registered->locks, registered->lock_count, held[i].lock)) {
            call->locks[call->lock_count++] = held[i].lock;
        }
    }
    if (call->lock_count != 0) {
        call->object = event->object;
        call->depth = caller->depth;
        solo_stack_take(&call->stack);
        caller->call_count++;
        all->kinds |= KIND(LOCK);
    }
}

static void on_returned(struct caller *caller)
{
    if (caller->call_count != 0 && caller->calls[caller->call_count - 1].depth == caller->depth) {
        caller->call_count--;
    }
    caller->depth -= caller->depth != 0;
}

/* The loop itself calls: whatever is held now was taken before. */
static void on_loop(const struct solo_event *event, struct caller *caller)
{
    struct oracle_held held[HELD_MAX];
    caller->loops = (uint8_t)solo__oracle_held(event->thread, held);
}

/*
 * Callbacks of the reactor. The loop's own are no calls under a lock; others are, if it is known when they were
 * registered: accepted calls.
 */
static void on_callback(const struct solo_event *event, struct caller *caller, const struct oracle_thread *thread)
{
    if (thread->callback_depth == 0 && thread->in_loop) {
        on_loop(event, caller);
        caller->depth++;
    } else if (solo__oracle_thing(event->object) != NULL) {
        on_called(event, caller, 0);
    } else {
        caller->depth++;
    }
}

bool solo__oracle_call_out_is_under(unsigned thread, uint32_t lock)
{
    const struct caller *caller = caller_of(thread);
    for (unsigned i = 0; caller != NULL && i < caller->call_count; i++) {
        if (has(caller->calls[i].locks, caller->calls[i].lock_count, lock)) {
            return true;
        }
    }
    return false;
}

/* ---- What is called has to wait ---- */

/* The innermost callback that was called under a lock, and the lock that was taken last of those. */
static const struct called *innermost(const struct solo_event *event, struct oracle_held *ret_held)
{
    struct oracle_held held[HELD_MAX];
    const struct caller *caller = caller_of(event->thread);
    unsigned count = solo__oracle_held(event->thread, held);
    for (unsigned i = caller->call_count; i > 0; i--) {
        for (unsigned j = count; j > 0; j--) {
            if (has(caller->calls[i - 1].locks, caller->calls[i - 1].lock_count, held[j - 1].lock)) {
                *ret_held = held[j - 1];
                return &caller->calls[i - 1];
            }
        }
    }
    return NULL;
}

static void describe(struct solo_violation *violation, const struct called *call, const struct oracle_held *held,
                     const char *what)
{
    char called_at[SOLO__ORACLE_PLACE_MAX], taken_at[SOLO__ORACLE_PLACE_MAX], added_at[SOLO__ORACLE_PLACE_MAX];
    char does_at[SOLO__ORACLE_PLACE_MAX], by[SOLO_VIOLATION_NAME_MAX + SOLO__ORACLE_PLACE_MAX + 16] = "";
    char callback[SOLO_VIOLATION_NAME_MAX];
    solo_object_name(call->object, callback, sizeof callback);
    if (strcmp(violation->job, callback) == 0) {
        ORACLE_TEXT(by, ", registered by `%s`%s,", violation->queued_by,
                    solo__oracle_place(&violation->queued_stack, added_at));
    }
    ORACLE_TEXT(violation->text,
                "lock held while calling out: `%s` holds %s%s and calls the kit%s, where a callback of %s%s %s%s",
                violation->thread, violation->object, solo__oracle_place(held->where, taken_at),
                solo__oracle_place(&call->stack, called_at), callback, by, what,
                solo__oracle_place(&violation->stack, does_at));
    ORACLE_TEXT(violation->help, "%s",
                "unlock first and call then, or hand the work over with solo_reactor_call_from_thread, so that it runs "
                "later; if it is meant, register the callback with the lock held");
}

/* "solo_mutex_lock", or what the program calls it; "" if that is not known. */
static const char *taking_function(uint32_t lock)
{
    char name[SOLO_VIOLATION_NAME_MAX];
    const char *function = solo__wait_is_pthreads(lock)
                               ? solo__wait_function(SOLO_WAIT_MUTEX, solo_object_name(lock, name, sizeof name))
                               : solo__oracle_waiting_function(SOLO_WAIT_MUTEX);
    return function != NULL ? function : "";
}

static bool is_suspected(uint64_t number, uint32_t held, uint32_t wanted)
{
    for (unsigned i = 0; i < out.suspect_count; i++) {
        const struct suspect *suspect = &out.suspects[i];
        if (suspect->violation.cycle == number && suspect->locks.held == held && suspect->locks.wanted == wanted) {
            return true;
        }
    }
    return false;
}

/* `what` it does, in `function`; `wanted` as in struct suspect. */
static void suspect(const struct solo_event *event, uint32_t wanted, const char *function, const char *what)
{
    struct oracle_held held;
    const struct called *call = innermost(event, &held);
    uint64_t number = call != NULL ? 1 + solo__oracle_cycle_part(&call->stack) : 0;
    if (call == NULL || out.suspect_count == SUSPECTS_MAX || is_suspected(number, held.lock, wanted)) {
        return;
    }
    struct suspect *suspect = &out.suspects[out.suspect_count];
    struct solo_violation *violation = &suspect->violation;
    solo_violation_begin(violation, SOLO016_LOCK_ORDER, function);
    solo_stack_take(&violation->stack);
    solo__call_site_first(&violation->stack);
    violation->cycle = number;
    violation->amount = 1;
    suspect->locks = (struct pair){held.lock, wanted};
    suspect->writes_held = held.writes;
    suspect->wants_to_write = event->access != SOLO_ACCESS_READ;
    violation->step = event->step;
    violation->now_ns = event->now_ns;
    violation->object_id = held.lock;
    solo__oracle_name_lock(held.lock, violation->object, sizeof violation->object);
    ORACLE_TEXT(violation->owner, "%s", violation->thread);
    ORACLE_TEXT(violation->owner_bound, "%s", taking_function(held.lock));
    violation->owner_stack = *held.where;
    solo__call_site_first(&violation->owner_stack);
    describe(violation, call, &held, what);
    out.suspect_count++;
}

static void on_wait(const struct solo_event *event, const struct oracle_thread *thread)
{
    char what[96];
    char name[SOLO_VIOLATION_NAME_MAX];
    if (!solo__oracle_is_wait((unsigned)event->value) || event->value == SOLO_WAIT_MUTEX ||
        thread->callback_depth != 0) {
        return;
    }
    solo_object_name(event->object, name, sizeof name);
    ORACLE_TEXT(what, "waits for %s", solo_wait_kind_text((unsigned)event->value));
    suspect(event, 0, solo__wait_function((unsigned)event->value, name), what);
}

/* Whether the kit's own mutex, which is not taken twice, is asked for by who holds it. */
static bool is_refused(const struct solo_event *event)
{
    return !solo__wait_is_pthreads(event->object) && solo__oracle_call_out_is_under(event->thread, event->object);
}

void solo__oracle_call_out_event(const struct solo_event *event, const struct oracle_thread *thread)
{
    struct caller *caller = caller_of(event->thread);
    if (caller == NULL || thread == NULL) {
        out.blind = true;
        return;
    }
    begin();
    switch (event->kind) {
    case SOLO_PROBE_PAIR_ADDED: on_registered(event, event->value); break;
    case SOLO_PROBE_DEFERRED_MADE: on_registered(event, SOLO_PROBE_CANCELLER); break;
    case SOLO_PROBE_CALL_ACCEPTED: on_registered(event, 0); break;
    case SOLO_PROBE_PASS: on_loop(event, caller); break;
    case SOLO_PROBE_CALLBACK_BEGUN: on_callback(event, caller, thread); break;
    case SOLO_PROBE_PAIR_BEGUN: on_called(event, caller, event->value); break;
    case SOLO_PROBE_PAIR_ENDED:
        on_over(event->object, event->value);
        on_returned(caller);
        break;
    case SOLO_PROBE_DEFERRED_ENDED: on_all_over(event->object); break;
    case SOLO_PROBE_CALLBACK_ENDED: on_returned(caller); break;
    case SOLO_PROBE_CALL_ENDED:
    case SOLO_PROBE_CALL_HANDED_BACK:
    case SOLO_PROBE_CALL_DROPPED: on_over(event->object, 0); break;
    case SOLO_PROBE_BLOCK:
        if (caller->call_count != 0) {
            on_wait(event, thread);
        }
        break;
    case SOLO_PROBE_LOCK:
        if (caller->call_count != 0 && is_refused(event)) {
            suspect(event, event->object, "solo_mutex_lock", "asks for it once more and is refused");
        }
        break;
    default: break;
    }
}

/* ---- Locks ---- */

static void add_taker(struct takers *takers, uint16_t thread)
{
    takers->others = takers->others || (takers->any && takers->first != thread);
    takers->first = takers->any ? takers->first : thread;
    takers->any = true;
}

/* The order of these two is known without any callback. */
static void add_order(uint32_t held, uint32_t wanted)
{
    for (unsigned i = 0; i < out.order_count; i++) {
        if (out.orders[i].held == held && out.orders[i].wanted == wanted) {
            return;
        }
    }
    if (out.order_count == ORDERS_MAX) {
        out.blind = true;
        return;
    }
    out.orders[out.order_count++] = (struct pair){held, wanted};
}

static void on_another_lock(const struct solo_event *event, const struct caller *caller, const struct oracle_held *held,
                            unsigned count)
{
    char name[SOLO_VIOLATION_NAME_MAX], what[SOLO_VIOLATION_NAME_MAX + 16];
    for (unsigned i = 0; i < count; i++) {
        if (held[i].lock == event->object) {
            return; /* it reads once more */
        }
        if (!solo__oracle_call_out_is_under(event->thread, held[i].lock)) {
            add_order(held[i].lock, event->object);
        }
    }
    if (caller->call_count == 0 || event->value != 0) {
        return;
    }
    solo__oracle_name_lock(event->object, name, sizeof name);
    ORACLE_TEXT(what, "takes %s", name);
    suspect(event, event->object, taking_function(event->object), what);
}

void solo__oracle_call_out_locked(const struct solo_event *event)
{
    struct oracle_held held[HELD_MAX];
    const struct caller *caller = caller_of(event->thread);
    begin();
    struct lock *lock = lock_of(event->object);
    if (caller == NULL || lock == NULL) {
        out.blind = true;
        return;
    }
    add_taker(event->access != SOLO_ACCESS_READ ? &lock->writers : &lock->readers, event->thread);
    unsigned count = solo__oracle_held(event->thread, held);
    if (count != 0) {
        on_another_lock(event, caller, held, count);
    }
}

void solo__oracle_call_out_unlock(const struct solo_event *event)
{
    struct oracle_held held[HELD_MAX];
    struct caller *caller = caller_of(event->thread);
    if (caller == NULL || (caller->loops == 0 && caller->call_count == 0)) {
        return;
    }
    unsigned at = solo__oracle_held(event->thread, held);
    while (at > 0 && held[at - 1].lock != event->object) {
        at--;
    }
    caller->loops -= at != 0 && at <= caller->loops;
    for (unsigned i = 0; i < caller->call_count; i++) {
        struct called *call = &caller->calls[i];
        for (unsigned j = 0; j < call->lock_count; j++) {
            if (call->locks[j] == event->object) { /* taken again, it is the callback's own */
                call->locks[j] = call->locks[--call->lock_count];
            }
        }
    }
}

/* ---- The end ---- */

static bool takes(const struct takers *takers, unsigned thread)
{
    return takers->any && (takers->others || takers->first != thread);
}

/* Whether another thread takes the lock, and this one keeps it out, or it this one. */
static bool is_shared(uint32_t id, unsigned thread, bool writes)
{
    const struct lock *lock = lock_of(id);
    return lock != NULL && (takes(&lock->writers, thread) || (writes && takes(&lock->readers, thread)));
}

static bool is_known_order(const struct pair *locks)
{
    for (unsigned i = 0; i < out.order_count; i++) {
        if (out.orders[i].held == locks->held && out.orders[i].wanted == locks->wanted) {
            return true;
        }
    }
    return false;
}

static bool harms(const struct suspect *suspect)
{
    const struct pair *locks = &suspect->locks;
    unsigned thread = suspect->violation.thread_number;
    if (locks->wanted == locks->held) {
        return true;
    }
    if (!is_shared(locks->held, thread, suspect->writes_held)) {
        return false;
    }
    return locks->wanted == 0 || (is_shared(locks->wanted, thread, suspect->wants_to_write) && !is_known_order(locks) &&
                                  !solo__oracle_is_in_circle(locks->held, locks->wanted));
}

/* Whether another one of the same call is. To mend that call mends all. */
static bool is_said(const struct suspect *suspect)
{
    for (const struct suspect *other = out.suspects; other != suspect; other++) {
        if (other->harms && other->violation.cycle == suspect->violation.cycle) {
            return true;
        }
    }
    return false;
}

void solo__oracle_call_out_end(void)
{
    if (out.epoch != all->epoch || out.blind || !solo__oracle_locks_are_known()) {
        return;
    }
    for (unsigned i = 0, said = 0; i < out.suspect_count && said < FINDINGS_MAX; i++) {
        struct suspect *suspect = &out.suspects[i];
        suspect->harms = harms(suspect);
        struct solo_violation *violation =
            suspect->harms && !is_said(suspect) ? solo__oracle_find(SOLO016_LOCK_ORDER, NULL, NULL) : NULL;
        if (violation != NULL) {
            *violation = suspect->violation;
            said++;
        }
    }
}

void solo__oracle_call_out_prepare(void)
{
    SOLO_ANNOTATE_PRIVATE(&out, sizeof out);
}
