/*
 * oracle_lock_order.c - SOLO016: locks taken in a circle by threads that nothing keeps apart, in a schedule that did
 * not come to the deadlock.
 *
 * Whenever a thread that holds a lock waits for another, that is an order: held, wanted. A circle of orders of as many
 * threads is a deadlock if all of them can stand at their second lock at once. So it is none where
 *   - one thread takes both orders, for it cannot meet itself;
 *   - all hold one more lock in common, a gate, unless they only read under it;
 *   - two of them only read where they meet: readers do not keep readers out;
 *   - one waits with an attempt or a deadline, and so goes on;
 *   - one is ordered after the other by something else: start and join, signals, queued calls, bytes, other locks.
 *
 * For the last one, who knows of whose orders is kept as vector clocks that count orders only: so nothing has to be
 * known of what happened before a schedule's first order, and a program that never takes a second lock pays for a short
 * list of what each thread holds. What a thread knows by taking the very lock that the circle is about is left out
 * (`before`): that order is the schedule's choice. Objects share clocks by hash: what is mistaken there makes the
 * oracle silent, never wrong.
 */
#include "oracle_internal.h"
#include "annotate.h"
#include "call_site.h"
#include "symbolize.h"
#include "wait_cycle.h"
#include <string.h>

enum {
    HELD_MAX = SOLO__ORACLE_HELD_MAX, /* with more the schedule is not judged */
    NESTERS_MAX = 16,                 /* threads that take orders; later ones are not judged */
    ORDERS_MAX = 128,                 /* kept of a schedule */
    SAME_MAX = 3,      /* kept of those by one thread with the same two locks: the first ones and the last one */
    BUCKETS = 256,     /* clocks of objects; a power of two */
    CIRCLE_MAX = 4,    /* threads */
    CIRCLES_MAX = 4,   /* reported of a schedule */
    LOOKS_MAX = 20000, /* pairs of orders that are looked at */
    CLOCK_MAX = 65535,
};

struct clocks {
    uint16_t of[NESTERS_MAX]; /* by nester: its orders up to this one came before */
};

struct held {
    uint32_t lock;
    bool writes;
    struct clocks before;    /* what the thread knows, but for what it learned by taking this lock */
    struct solo_stack where; /* it was taken, if anybody will read it */
};

struct holder {
    uint32_t epoch;
    uint8_t held_count;
    uint8_t nester; /* from 1; 0: it took no order yet */
    uint16_t clock; /* orders it took */
    struct clocks knows;
    struct held held[HELD_MAX];
};

struct order {
    uint32_t held, wanted;
    uint16_t thread, clock;
    uint8_t nester; /* from 0 */
    bool writes_held, wants_to_write;
    bool calls_out; /* it is a callback that wants the lock, called by a thread that holds the other */
    uint8_t all_count;
    struct {
        uint32_t lock;
        bool writes;
    } all[HELD_MAX]; /* that it held, `held` among them */
    uint64_t step, now_ns;
    struct clocks before;
    struct solo_stack stack;
};

static struct oracles *const all = &solo__oracles;

static struct {
    uint32_t epoch;
    bool blind; /* something did not fit or made no sense: nothing is said about this schedule */
    unsigned nesters, order_count;
    uint32_t bucket_epochs[BUCKETS];
    struct clocks buckets[BUCKETS];
    struct holder holders[SOLO__ORACLE_THREADS_MAX];
    struct order orders[ORDERS_MAX];
} locks;

/* ---- Clocks ---- */

static void join(struct clocks *clocks, const struct clocks *other)
{
    for (unsigned i = 0; i < NESTERS_MAX; i++) {
        clocks->of[i] = other->of[i] > clocks->of[i] ? other->of[i] : clocks->of[i];
    }
}

static struct clocks *bucket_of(uint32_t object)
{
    uint32_t slot = object * 0x9e3779b1u >> 24;
    _Static_assert(BUCKETS == 256, "eight bits");
    if (locks.bucket_epochs[slot] != all->epoch) {
        locks.bucket_epochs[slot] = all->epoch;
        memset(&locks.buckets[slot], 0, sizeof locks.buckets[slot]);
    }
    return &locks.buckets[slot];
}

static void publish(const struct holder *holder, uint32_t object)
{
    join(bucket_of(object), &holder->knows);
}

static void learn(struct holder *holder, uint32_t object)
{
    const struct clocks *clocks = bucket_of(object);
    join(&holder->knows, clocks);
    for (unsigned i = 0; i < holder->held_count; i++) {
        join(&holder->held[i].before, clocks);
    }
}

/* ---- Who holds what ---- */

static struct holder *holder_of(unsigned thread)
{
    if (thread >= SOLO__ORACLE_THREADS_MAX) {
        locks.blind = true;
        return NULL;
    }
    struct holder *holder = &locks.holders[thread];
    if (holder->epoch != all->epoch) {
        holder->epoch = all->epoch;
        holder->held_count = 0;
        holder->nester = 0;
        holder->clock = 0;
        memset(&holder->knows, 0, sizeof holder->knows);
    }
    return holder;
}

static void begin(void)
{
    locks.epoch = all->epoch;
    locks.blind = false;
    locks.nesters = locks.order_count = 0;
}

/* ---- Orders ---- */

/* Where it is written down: behind the others, or over the last one that is like it. NULL: nowhere. */
static struct order *place_for(unsigned thread, uint32_t held, uint32_t wanted)
{
    struct order *last = NULL;
    unsigned same = 0;
    for (unsigned i = 0; i < locks.order_count; i++) {
        struct order *order = &locks.orders[i];
        if (order->thread == thread && order->held == held && order->wanted == wanted) {
            last = order;
            same++;
        }
    }
    if (same >= SAME_MAX) {
        return last;
    }
    return locks.order_count < ORDERS_MAX ? &locks.orders[locks.order_count++] : NULL;
}

static void add_order(const struct solo_event *event, const struct holder *holder, const struct held *held)
{
    struct order *order = place_for(event->thread, held->lock, event->object);
    if (order == NULL) {
        return;
    }
    order->held = held->lock;
    order->wanted = event->object;
    order->writes_held = held->writes;
    order->wants_to_write = event->access != SOLO_ACCESS_READ;
    order->calls_out = solo__oracle_call_out_is_under(event->thread, held->lock);
    order->thread = event->thread;
    order->nester = (uint8_t)(holder->nester - 1);
    order->clock = holder->clock;
    order->all_count = holder->held_count;
    for (unsigned i = 0; i < holder->held_count; i++) {
        order->all[i].lock = holder->held[i].lock;
        order->all[i].writes = holder->held[i].writes;
    }
    order->step = event->step;
    order->now_ns = event->now_ns;
    order->before = held->before;
    solo_stack_take(&order->stack);
}

/* It has a lock and has waited for another one. */
static void add_orders(const struct solo_event *event, struct holder *holder)
{
    if (holder->nester == 0 && locks.nesters < NESTERS_MAX) {
        holder->nester = (uint8_t)++locks.nesters;
    }
    if (holder->nester == 0 || holder->clock == CLOCK_MAX) {
        return;
    }
    holder->clock++;
    for (unsigned i = 0; i < holder->held_count; i++) {
        if (holder->held[i].lock != event->object) { /* else it reads once more */
            add_order(event, holder, &holder->held[i]);
        }
    }
    holder->knows.of[holder->nester - 1] = holder->clock;
}

void solo__oracle_lock_taken(const struct solo_event *event)
{
    if (locks.epoch != all->epoch) {
        begin();
    }
    struct holder *holder = holder_of(event->thread);
    if (holder == NULL) {
        return;
    }
    if (holder->held_count != 0) {
        if (!all->lock_orders) {
            all->lock_orders = true; /* from now on clocks are kept */
            all->kinds |= solo__oracle_lock_order_kinds;
        }
        if (event->value == 0) {
            add_orders(event, holder);
        }
    }
    if (holder->held_count == HELD_MAX) {
        locks.blind = true;
        return;
    }
    struct held *held = &holder->held[holder->held_count];
    held->lock = event->object;
    held->writes = event->access != SOLO_ACCESS_READ;
    held->before = holder->knows;
    held->where.count = 0;
    if (all->names_places || !all->in_sim) {
        solo_stack_take(&held->where);
    }
    if (all->lock_orders) {
        learn(holder, event->object);
    }
    holder->held_count++;
}

unsigned solo__oracle_held(unsigned thread, struct oracle_held held[SOLO__ORACLE_HELD_MAX])
{
    const struct holder *holder = thread < SOLO__ORACLE_THREADS_MAX ? &locks.holders[thread] : NULL;
    unsigned count = holder != NULL && holder->epoch == all->epoch ? holder->held_count : 0;
    for (unsigned i = 0; i < count; i++) {
        held[i] = (struct oracle_held){holder->held[i].lock, holder->held[i].writes, &holder->held[i].where};
    }
    return count;
}

bool solo__oracle_locks_are_known(void)
{
    return locks.epoch == all->epoch && !locks.blind;
}

void solo__oracle_lock_given(const struct solo_event *event)
{
    if (locks.epoch != all->epoch) {
        begin();
    }
    struct holder *holder = holder_of(event->thread);
    if (holder == NULL) {
        return;
    }
    unsigned at = holder->held_count;
    while (at > 0 && holder->held[at - 1].lock != event->object) {
        at--;
    }
    if (at == 0) {
        locks.blind = true; /* somebody else's */
        return;
    }
    if (all->lock_orders) {
        publish(holder, event->object);
    }
    for (holder->held_count--; at <= holder->held_count; at++) {
        holder->held[at - 1] = holder->held[at];
    }
}

/* ---- What else puts threads in an order ---- */

#define KIND(name) (UINT64_C(1) << SOLO_PROBE_##name)
#define AT_DESCRIPTORS (KIND(LISTEN) | KIND(CONNECT) | KIND(ACCEPT) | KIND(READ) | KIND(WRITE) | KIND(CLOSE))

/* Bytes come out at another object than they went in at: all descriptors are one. */
enum { DESCRIPTORS = 0xffffffff };

static uint32_t object_of(const struct solo_event *event)
{
    return (AT_DESCRIPTORS >> event->kind & 1) != 0 ? DESCRIPTORS : event->object;
}

/* Not a wake-up of a loop: what the loop does then was queued for it, and that is an event of its own. */
const uint64_t solo__oracle_lock_order_kinds =
    KIND(THREAD_START) | KIND(THREAD_BEGIN) | KIND(THREAD_END) | KIND(THREAD_JOIN) | KIND(WAIT) | KIND(WAITED) |
    KIND(SIGNAL) | KIND(UNBLOCK) | KIND(CALL_ACCEPTED) | KIND(CALL_BEGUN) | KIND(CALL_ENDED) | KIND(CALL_HANDED_BACK) |
    KIND(CALL_DROPPED) | KIND(JOB_FINISHED) | KIND(JOB_CANCEL) | KIND(DEFERRED_FIRED) | KIND(WORKER_QUIT) |
    KIND(CONFINED_BOUND) | KIND(CONFINED_USED) | AT_DESCRIPTORS | KIND(SIGNAL_SENT) | KIND(ACCESS_READ) |
    KIND(ACCESS_WRITE);

void solo__oracle_lock_order_event(const struct solo_event *event, unsigned wait_kind)
{
    struct holder *holder = (solo__oracle_lock_order_kinds >> event->kind & 1) != 0 ? holder_of(event->thread) : NULL;
    if (holder == NULL) {
        return;
    }
    switch (event->kind) {
    case SOLO_PROBE_THREAD_START:
    case SOLO_PROBE_THREAD_END:
    case SOLO_PROBE_WAIT:
    case SOLO_PROBE_SIGNAL: publish(holder, event->object); break;
    case SOLO_PROBE_UNBLOCK:
        if (wait_kind == SOLO_WAIT_MUTEX) {
            break; /* LOCKED is when it has it */
        }
        learn(holder, wait_kind == SOLO_WAIT_DESCRIPTOR ? DESCRIPTORS : event->object);
        break;
    case SOLO_PROBE_THREAD_BEGIN:
    case SOLO_PROBE_THREAD_JOIN:
    case SOLO_PROBE_ACCESS_READ: learn(holder, event->object); break;
    default:
        learn(holder, object_of(event));
        publish(holder, object_of(event));
        break;
    }
}

/* ---- Circles ---- */

struct circle {
    const struct order *orders[CIRCLE_MAX];
    unsigned length;
    uint64_t number; /* of its places */
};

struct search {
    struct circle path;
    struct circle found[CIRCLES_MAX];
    unsigned found_count, looks;
};

static bool came_before(const struct order *one, const struct order *other)
{
    return other->before.of[one->nester] >= one->clock;
}

static bool have_gate(const struct order *one, const struct order *other)
{
    for (unsigned i = 0; i < one->all_count; i++) {
        for (unsigned j = 0; j < other->all_count; j++) {
            if (one->all[i].lock == other->all[j].lock && (one->all[i].writes || other->all[j].writes)) {
                return true;
            }
        }
    }
    return false;
}

static bool can_meet(const struct order *one, const struct order *other)
{
    return one->thread != other->thread && !came_before(one, other) && !came_before(other, one) &&
           !have_gate(one, other);
}

/* Whether the first one stands in front of the lock that the other one holds. */
static bool waits_for(const struct order *one, const struct order *other)
{
    return one->wanted == other->held && (one->wants_to_write || other->writes_held);
}

static uint64_t number_of(const struct circle *circle)
{
    uint64_t number = circle->length;
    for (unsigned i = 0; i < circle->length; i++) {
        number += solo__oracle_cycle_part(&circle->orders[i]->stack);
    }
    return number;
}

static void keep(struct search *search)
{
    struct circle *circle = &search->path;
    circle->number = number_of(circle);
    for (unsigned i = 0; i < search->found_count; i++) {
        if (search->found[i].number == circle->number) {
            return;
        }
    }
    if (search->found_count < CIRCLES_MAX) {
        search->found[search->found_count++] = *circle;
    }
}

/* Goes on from the last order of the path. Each circle is found once, from its lock with the lowest id. */
static void extend(struct search *search)
{
    struct circle *path = &search->path;
    const struct order *first = path->orders[0], *last = path->orders[path->length - 1];
    if (path->length > 1 && waits_for(last, first)) {
        keep(search);
        return;
    }
    for (unsigned i = 0; i < locks.order_count && path->length < CIRCLE_MAX && search->looks < LOOKS_MAX; i++) {
        const struct order *next = &locks.orders[i];
        search->looks++;
        bool fits = waits_for(last, next) && next->held > first->held;
        for (unsigned j = 0; j < path->length && fits; j++) {
            fits = can_meet(path->orders[j], next);
        }
        if (fits) {
            path->orders[path->length++] = next;
            extend(search);
            path->length--;
        }
    }
}

/* ---- Saying it ---- */

void solo__oracle_name_lock(uint32_t lock, char *buffer, size_t size)
{
    char variable[SOLO_VIOLATION_NAME_MAX];
    if (all->names_places && solo__wait_variable(lock, variable, sizeof variable)) {
        solo__oracle_text(buffer, size, "`%.40s`", variable);
    } else {
        solo_object_name(lock, buffer, size);
    }
}

const char *solo__oracle_place(const struct solo_stack *stack, char buffer[SOLO__ORACLE_PLACE_MAX])
{
    struct solo_frame_text frame;
    buffer[0] = '\0';
    if (all->names_places && solo__symbolize_place(stack, &frame)) {
        const char *slash = strrchr(frame.file, '/');
        solo__oracle_text(buffer, SOLO__ORACLE_PLACE_MAX, " (%.40s:%d)", slash != NULL ? slash + 1 : frame.file,
                          (int)frame.line);
    }
    return buffer;
}

/* "`a` takes mutex#2 (bank.c:20) while it holds mutex#1" */
static void print_order(const struct order *order, char *buffer, size_t size)
{
    char thread[SOLO_VIOLATION_NAME_MAX], held[SOLO_VIOLATION_NAME_MAX], wanted[SOLO_VIOLATION_NAME_MAX];
    char place[SOLO__ORACLE_PLACE_MAX];
    solo__oracle_name_lock(order->held, held, sizeof held);
    solo__oracle_name_lock(order->wanted, wanted, sizeof wanted);
    solo__oracle_text(buffer, size, "`%s` takes %s%s%s while it holds %s",
                      solo_thread_name_of(order->thread, thread, sizeof thread), wanted,
                      solo__oracle_place(&order->stack, place), order->calls_out ? " in a callback" : "", held);
}

static bool calls_out(const struct circle *circle)
{
    bool found = false;
    for (unsigned i = 0; i < circle->length; i++) {
        found = found || circle->orders[i]->calls_out;
    }
    return found;
}

static void describe(struct solo_violation *violation, const struct circle *circle)
{
    char sentence[SOLO_VIOLATION_TEXT_MAX] = "", one[192];
    for (unsigned i = 0; i < circle->length; i++) {
        size_t used = strlen(sentence);
        print_order(circle->orders[i], one, sizeof one);
        solo__oracle_text(sentence + used, sizeof sentence - used, "%s%s",
                          i == 0                    ? ""
                          : i + 1 == circle->length ? ", and "
                                                    : ", ",
                          one);
    }
    ORACLE_TEXT(violation->text, "possible deadlock: %.*s", (int)sizeof violation->text - 32, sentence);
    ORACLE_TEXT(violation->help, "%s",
                calls_out(circle)
                    ? "it was not reached: each went on because the other had not begun, or had done; unlock "
                      "before a call that runs callbacks, for they do not know what their caller holds"
                    : "it was not reached: each went on because the other had not begun, or had done; take locks "
                      "in one order everywhere");
}

/* Who closed the circle speaks first: since then it is known. */
static void turn(struct circle *circle)
{
    unsigned last = 0;
    struct circle before = *circle;
    for (unsigned i = 1; i < circle->length; i++) {
        last = circle->orders[i]->step > circle->orders[last]->step ? i : last;
    }
    for (unsigned i = 0; i < circle->length; i++) {
        circle->orders[i] = before.orders[(i + last) % circle->length];
    }
}

static void report(struct circle *circle)
{
    turn(circle);
    char name[SOLO_VIOLATION_NAME_MAX];
    const struct order *first = circle->orders[0];
    struct solo_event here = {.step = first->step, .now_ns = first->now_ns, .thread = first->thread};
    solo_object_name(first->wanted, name, sizeof name);
    struct solo_violation *violation =
        solo__oracle_find(SOLO016_LOCK_ORDER, solo__wait_function(SOLO_WAIT_MUTEX, name), &here);
    if (violation == NULL) {
        return;
    }
    violation->cycle = circle->number;
    violation->object_id = first->wanted;
    ORACLE_TEXT(violation->object, "%s", name);
    violation->role[0] = violation->job[0] = violation->queued_by[0] = '\0'; /* it is about several threads */
    violation->queued_stack.count = 0;
    violation->stack = first->stack;
    violation->owner_stack = circle->orders[1]->stack;
    solo__call_site_first(&violation->stack);
    solo__call_site_first(&violation->owner_stack);
    describe(violation, circle);
}

static struct search search;

bool solo__oracle_is_in_circle(uint32_t held, uint32_t wanted)
{
    for (unsigned i = 0; i < search.found_count; i++) {
        for (unsigned j = 0; j < search.found[i].length; j++) {
            const struct order *order = search.found[i].orders[j];
            if (order->held == held && order->wanted == wanted) {
                return true;
            }
        }
    }
    return false;
}

void solo__oracle_lock_order_end(void)
{
    search.found_count = search.looks = 0;
    if (locks.epoch != all->epoch || locks.nesters < 2 || locks.blind) {
        return;
    }
    for (unsigned i = 0; i < locks.order_count; i++) {
        search.path.orders[0] = &locks.orders[i];
        search.path.length = 1;
        extend(&search);
    }
    for (unsigned i = 0; i < search.found_count; i++) {
        report(&search.found[i]);
    }
}

uint64_t solo__oracle_cycle_part(const struct solo_stack *stack)
{
    uint64_t hash = (solo__call_site_number(stack) + 1) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 29;
}

void solo__oracle_lock_order_prepare(void)
{
    SOLO_ANNOTATE_PRIVATE(&locks, sizeof locks);
}
