/*
 * oracle_deadlock.c - SOLO004: nobody can run and somebody waits; says who waits for what.
 *
 * Those who wait for each other in a circle come first (wait_cycle.c). The simulation decides that it is a deadlock (a
 * thread waits, without a deadline, for what only another waiter can give); idle waits, a reactor in its poll or a
 * worker without work, never count. A pool whose workers all wait while jobs are queued is said to be wedged, because
 * that is what has to be mended.
 */
#include "oracle_internal.h"
#include "symbolize.h"
#include "wait_cycle.h"
#include <string.h>

static struct oracles *const all = &solo__oracles;

static bool is_idle(unsigned wait_kind)
{
    return wait_kind <= SOLO_WAIT_PEER;
}

static int number_of(const char *name)
{
    char buffer[SOLO_VIOLATION_NAME_MAX];
    for (unsigned i = 0; i < all->threads_seen; i++) {
        if (strcmp(solo_thread_name_of(i, buffer, sizeof buffer), name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Those who are stuck first: the list of a report is cut. Returns how many they are, at least one in a deadlock. */
static uint32_t stuck_first(struct solo_waiter *waiters, uint32_t count)
{
    uint32_t stuck = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_idle(waiters[i].wait_kind)) {
            struct solo_waiter waiter = waiters[i];
            memmove(&waiters[stuck + 1], &waiters[stuck], (i - stuck) * sizeof waiter);
            waiters[stuck++] = waiter;
        }
    }
    return stuck;
}

/* How many of them run jobs of the pool. */
static unsigned count_workers(const struct solo_waiter *waiters, uint32_t stuck)
{
    unsigned workers = 0;
    for (uint32_t i = 0; i < stuck; i++) {
        int number = number_of(waiters[i].thread);
        workers += number >= 0 && all->threads[number].epoch == all->epoch &&
                   all->threads[number].call_queue == SOLO_QUEUE_POOL;
    }
    return workers;
}

/* Where that thread waits: "bank.c:20". */
static void place_of(const char *thread, char *buffer, size_t size)
{
    struct solo_frame_text frame;
    int number = number_of(thread);
    if (!all->names_places || number < 0 || all->threads[number].epoch != all->epoch ||
        !solo__symbolize_place(&all->threads[number].wait_stack, &frame)) {
        return;
    }
    const char *slash = strrchr(frame.file, '/');
    solo__oracle_text(buffer, size, "%s:%d", slash != NULL ? slash + 1 : frame.file, (int)frame.line);
}

/* Instead of "mutex#2" what the program calls it, and the number that the steps show. */
static void name_variables(struct solo_waiter *waiters, uint32_t stuck)
{
    for (uint32_t i = 0; i < stuck && all->names_places; i++) {
        char name[SOLO_VIOLATION_NAME_MAX], number_text[SOLO_VIOLATION_NAME_MAX];
        int number = number_of(waiters[i].thread);
        bool known = number >= 0 && all->threads[number].epoch == all->epoch;
        if (known && solo__wait_variable(all->threads[number].wait_object, name, sizeof name)) {
            memcpy(number_text, waiters[i].object, sizeof number_text);
            ORACLE_TEXT(waiters[i].object, "`%.40s` (%.16s)", name, number_text);
        }
    }
}

static void describe(struct solo_violation *violation, uint32_t stuck, uint32_t cycle, unsigned workers)
{
    const struct solo_waiter *first = &violation->waiters[0];
    if (workers != 0 && all->jobs_queued != 0) {
        violation->amount = all->jobs_queued;
        ORACLE_TEXT(violation->text, "the pool is wedged: %u job%s wait%s, and %u queued job%s nobody can start",
                    workers, workers == 1 ? "" : "s", workers == 1 ? "s" : "", all->jobs_queued,
                    all->jobs_queued == 1 ? "" : "s");
        ORACLE_TEXT(violation->help, "%s",
                    "a job must not wait for another job of its pool: chain them with Deferreds, or give one side a "
                    "worker of its own");
        return;
    }
    char sentence[SOLO_VIOLATION_TEXT_MAX - 32];
    solo__wait_sentence(violation->waiters, stuck, place_of, sentence, sizeof sentence);
    ORACLE_TEXT(violation->text, cycle != 0 ? "deadlock: %s" : "deadlock: %s, and nobody can run", sentence);
    ORACLE_TEXT(
        violation->help, "%s",
        first->wait_kind == SOLO_WAIT_MUTEX
            ? "take locks in one order everywhere, and wait for nothing while holding one"
            : "make sure that whoever must give it can still run: no wait for a thread that waits for this one");
}

/* For a circle of locks: what oracle_lock_order.c says of the same places. */
static uint64_t cycle_number(const struct solo_waiter *waiters, uint32_t length)
{
    uint64_t number = length;
    for (uint32_t i = 0; i < length; i++) {
        int thread = number_of(waiters[i].thread);
        if (waiters[i].wait_kind != SOLO_WAIT_MUTEX || thread < 0 || all->threads[thread].epoch != all->epoch) {
            return 0;
        }
        number += solo__oracle_cycle_part(&all->threads[thread].wait_stack);
    }
    return number;
}

void solo__oracle_deadlock_end(void)
{
    struct solo_violation *violation = solo__oracle_find(SOLO004_DEADLOCK, NULL, NULL);
    if (violation == NULL) {
        return;
    }
    static struct solo_waiter everybody[SOLO_SIM_THREADS_MAX];
    bool deadlock = false;
    size_t count = solo_sim_waiters(everybody, SOLO_SIM_THREADS_MAX, &deadlock);
    uint32_t stuck = stuck_first(everybody, (uint32_t)count);
    uint32_t cycle = solo__wait_cycle_first(everybody, stuck);
    violation->cycle = cycle_number(everybody, cycle);
    violation->waiter_count = (uint32_t)(count < SOLO_WAITERS_MAX ? count : SOLO_WAITERS_MAX);
    memcpy(violation->waiters, everybody, violation->waiter_count * sizeof everybody[0]);
    unsigned workers = count_workers(everybody, stuck);
    stuck = stuck < SOLO_WAITERS_MAX ? stuck : SOLO_WAITERS_MAX;

    const struct solo_waiter *first = &violation->waiters[0];
    const char *function = solo__wait_function(first->wait_kind, first->object);
    const struct solo_contract *contract = function != NULL ? solo_contract_find(function) : NULL;
    ORACLE_TEXT(violation->function, "%s", function != NULL ? function : "");
    if (contract != NULL) {
        ORACLE_TEXT(violation->contract_file, "%s", contract->file);
        violation->contract = (uint32_t)contract->kind;
        violation->contract_line = (uint32_t)contract->line;
    }
    int number = number_of(first->thread);
    ORACLE_TEXT(violation->thread, "%s", first->thread);
    violation->role[0] = violation->job[0] = violation->queued_by[0] = '\0';
    violation->queued_stack.count = 0;
    if (number >= 0 && all->threads[number].epoch == all->epoch) {
        const struct oracle_thread *thread = &all->threads[number];
        violation->thread_number = (uint32_t)number;
        violation->stack = thread->wait_stack;
        violation->object_id = thread->wait_object;
        const struct oracle_thing *job = thread->call != 0 ? solo__oracle_thing(thread->call) : NULL;
        if (job != NULL) {
            solo_object_name(thread->call, violation->job, sizeof violation->job);
            solo_thread_name_of(job->thread, violation->queued_by, sizeof violation->queued_by);
        }
    }
    ORACLE_TEXT(violation->object, "%s", first->object);
    name_variables(violation->waiters, stuck);
    describe(violation, stuck, cycle, workers);
}
