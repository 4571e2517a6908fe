/*
 * oracle_blocked.c - SOLO002: the reactor thread blocked inside a callback, and nobody was served meanwhile.
 *
 * What counts is world time that the reactor thread itself spent asleep, or waiting for something, between the
 * begin and the end of one outermost callback. Sleep counts from now until its deadline; a wait counts until the
 * thing was given, not until the thread ran again. Time that only the chooser made pass ("a thread may be slow")
 * does not count, unless the waiter waited for a mutex whose holder was itself asleep or waiting: then the program
 * made it.
 */
#include "oracle_internal.h"

static struct oracles *const all = &solo__oracles;

/* "2 s", "1.5 ms": the two largest units would be noise. */
static void print_duration(char *buffer, size_t size, uint64_t ns)
{
    static const struct {
        uint64_t ns;
        const char *unit;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    for (unsigned i = 0; i < 4; i++) {
        if (ns >= units[i].ns || i == 3) {
            uint64_t thousandths = ns % units[i].ns * 1000 / units[i].ns;
            if (thousandths == 0) {
                solo__oracle_text(buffer, size, "%llu %s", (unsigned long long)(ns / units[i].ns), units[i].unit);
            } else {
                solo__oracle_text(buffer, size, "%llu.%03llu %s", (unsigned long long)(ns / units[i].ns),
                                  (unsigned long long)thousandths, units[i].unit);
            }
            return;
        }
    }
}

static void add(struct oracle_thread *thread, uint64_t ns, unsigned wait_kind, uint32_t object,
                const struct solo_stack *stack)
{
    thread->stalled_ns += ns;
    if (ns > thread->longest_ns) {
        thread->longest_ns = ns;
        thread->stalled_by = (uint8_t)wait_kind;
        thread->stalled_on = object;
        if (stack != NULL) {
            thread->stall_stack = *stack;
        } else {
            solo_stack_take(&thread->stall_stack);
        }
    }
}

static void report(struct oracle_thread *thread, const struct solo_event *event)
{
    if (thread->stalled_ns <= all->budget_ns || !thread->in_loop) {
        return;
    }
    const char *function = solo__oracle_waiting_function(thread->stalled_by);
    struct solo_violation *violation = solo__oracle_find(SOLO002_REACTOR_BLOCKED, function, event);
    if (violation == NULL) {
        return;
    }
    char duration[32], object[SOLO_VIOLATION_NAME_MAX];
    print_duration(duration, sizeof duration, thread->stalled_ns);
    violation->amount = thread->stalled_ns;
    violation->stack = thread->stall_stack;
    violation->object_id = thread->stalled_on != 0 ? thread->stalled_on : thread->served;
    solo_object_name(violation->object_id, violation->object, sizeof violation->object);
    ORACLE_TEXT(violation->text, "the reactor was blocked for %s inside one callback%s%s", duration,
                thread->stalled_on != 0 ? ", waiting for " : ", asleep",
                thread->stalled_on != 0 ? solo_object_name(thread->stalled_on, object, sizeof object) : "");
    ORACLE_TEXT(
        violation->help, "%s",
        thread->stalled_by == SOLO_WAIT_SLEEP
            ? "to do something later, use solo_reactor_call_later; to do slow work, solo_defer_to_thread"
            : "let a pool worker wait (solo_defer_to_thread) and have the result called back on the reactor thread");
}

void solo__oracle_blocked_callback(const struct solo_event *event, struct oracle_thread *thread)
{
    if (event->kind == SOLO_PROBE_CALLBACK_BEGUN) {
        if (thread->callback_depth++ == 0) {
            thread->stalled_ns = thread->longest_ns = 0;
            thread->served = event->object;
        }
    } else if (thread->callback_depth > 0 && --thread->callback_depth == 0 && thread->stalled_ns != 0) {
        report(thread, event);
        thread->stalled_ns = 0;
    }
}

void solo__oracle_blocked_sleep(const struct solo_event *event, struct oracle_thread *thread)
{
    if (thread->callback_depth != 0 && event->value > event->now_ns) {
        add(thread, event->value - event->now_ns, SOLO_WAIT_SLEEP, 0, NULL);
    }
}

void solo__oracle_blocked_unblock(const struct solo_event *event, struct oracle_thread *thread)
{
    if (thread->callback_depth == 0) {
        return;
    }
    uint64_t until_ns = thread->wait_given_ns != 0 ? thread->wait_given_ns : event->now_ns;
    uint64_t waited_ns = until_ns - thread->wait_since_ns;
    if (waited_ns > thread->excused_ns) {
        add(thread, waited_ns - thread->excused_ns, thread->wait_kind, thread->wait_object, &thread->wait_stack);
    }
}

/*
 * Something was unlocked, signalled or ended. With one waiter the first gift is its own; with several it may be the
 * last one before it goes on.
 */
void solo__oracle_blocked_given(const struct solo_event *event)
{
    if (all->stalled_threads == 0) {
        return;
    }
    unsigned waiters = 0;
    for (unsigned i = 0; i < all->threads_seen; i++) {
        waiters += all->threads[i].epoch == all->epoch && all->threads[i].wait_kind != SOLO_WAIT_NONE &&
                   all->threads[i].wait_object == event->object;
    }
    for (unsigned i = 0; i < all->threads_seen; i++) {
        struct oracle_thread *thread = &all->threads[i];
        if (thread->epoch == all->epoch && thread->wait_kind != SOLO_WAIT_NONE &&
            thread->wait_object == event->object && (thread->wait_given_ns == 0 || waiters > 1)) {
            thread->wait_given_ns = event->now_ns;
        }
    }
}

void solo__oracle_blocked_time(const struct solo_event *event, bool chosen)
{
    if (!chosen) {
        return;
    }
    for (unsigned i = 0; i < all->threads_seen; i++) {
        struct oracle_thread *thread = &all->threads[i];
        if (thread->epoch != all->epoch || thread->callback_depth == 0 || !solo__oracle_is_wait(thread->wait_kind) ||
            thread->wait_given_ns != 0) {
            continue;
        }
        const struct oracle_thread *holder =
            thread->wait_kind == SOLO_WAIT_MUTEX ? solo__oracle_holder(thread->wait_object) : NULL;
        if (holder == NULL || !solo__oracle_rests(holder, all->now_ns)) {
            thread->excused_ns += event->now_ns - all->now_ns;
        }
    }
}

/* The schedule ended inside a callback: what it has really waited so far counts. */
void solo__oracle_blocked_end(void)
{
    for (unsigned i = 0; i < all->threads_seen; i++) {
        struct oracle_thread *thread = &all->threads[i];
        if (thread->epoch != all->epoch || thread->callback_depth == 0 || thread->stalled_ns == 0) {
            continue;
        }
        uint64_t early_ns = thread->sleep_until_ns > all->now_ns ? thread->sleep_until_ns - all->now_ns : 0;
        thread->stalled_ns -= early_ns < thread->stalled_ns ? early_ns : thread->stalled_ns;
        struct solo_event here = {.now_ns = all->now_ns, .thread = (uint16_t)i};
        report(thread, &here);
    }
}
