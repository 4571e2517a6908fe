/*
 * violation.h - the one record. Every finding, whoever made it, is one of these.
 *
 * It holds no pointer, so it can be written to shared memory by a process that is about to crash. Fields that do not
 * apply are zero or empty. Terminal text, JSON and every other format are writers over this record (harness).
 */
#ifndef SOLO_VIOLATION_H
#define SOLO_VIOLATION_H

#include <solo/contract.h>
#include <solo/probe.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SOLO_STACK_MAX = 16, SOLO_VIOLATION_NAME_MAX = 64, SOLO_VIOLATION_TEXT_MAX = 512, SOLO_WAITERS_MAX = 16 };

enum solo_violation_id {
    SOLO_NO_VIOLATION = 0,
    SOLO001_WRONG_THREAD = 1,
    SOLO002_REACTOR_BLOCKED = 2,
    SOLO003_BLOCKING_CALL_ON_REACTOR = 3,
    SOLO004_DEADLOCK = 4,
    SOLO005_DEAD_MEMORY = 5,
    SOLO006_USE_AFTER_END = 6,
    SOLO007_CONFINED_SHARED = 7,
    SOLO008_DEFERRED = 8,
    SOLO009_ORDER_BY_SLEEPING = 9,
    SOLO010_LOCK_CONVOY = 10,
    SOLO011_WORK_LOST = 11,
    SOLO012_TRANSPORT_AFTER_LOST = 12,
    SOLO013_NEVER_HAPPENED = 13,
    SOLO014_LOST_WAKEUP = 14,
    SOLO015_LOOP_REENTERED = 15,
    SOLO016_LOCK_ORDER = 16,
    SOLO017_DATA_RACE = 17,
    SOLO018_MEMORY = 18,
    SOLO019_NONDETERMINISM = 19,
};

/* Return addresses, innermost first; as many as were kept. World os without a harness keeps one. */
struct solo_stack {
    uint32_t count;
    uint32_t reserved;
    uint64_t frames[SOLO_STACK_MAX];
};

/* One line of "who waits for what". */
struct solo_waiter {
    char thread[SOLO_VIOLATION_NAME_MAX];
    char object[SOLO_VIOLATION_NAME_MAX]; /* what it waits for */
    char holder[SOLO_VIOLATION_NAME_MAX]; /* which thread holds it or must produce it; "" if unknown */
    uint32_t wait_kind;                   /* enum solo_wait_kind */
    uint32_t reserved;
};

struct solo_violation {
    uint32_t id;                            /* enum solo_violation_id */
    uint32_t count;                         /* how often this same finding was made, at least 1 */
    char function[SOLO_VIOLATION_NAME_MAX]; /* the public function called, "" if none */
    uint32_t contract;                      /* enum solo_contract_kind of that function */
    uint32_t contract_line;
    char contract_file[SOLO_VIOLATION_NAME_MAX]; /* where that contract is declared */
    uint32_t object_id;                          /* the object concerned */
    uint32_t in_set_up;                          /* 1: the reactor has not run yet */
    char object[SOLO_VIOLATION_NAME_MAX];        /* its name, such as "transport#2" */
    char owner[SOLO_VIOLATION_NAME_MAX];         /* the thread that may use it */
    char owner_bound[SOLO_VIOLATION_NAME_MAX];   /* how that thread came to own it: "solo_reactor_run", ... */
    struct solo_stack owner_stack;               /* where */
    char thread[SOLO_VIOLATION_NAME_MAX];        /* the thread that did it */
    char role[SOLO_VIOLATION_NAME_MAX];          /* "reactor", "pool worker", "foreign thread", "peer" */
    uint32_t thread_number;
    uint32_t policy;                         /* enum solo_policy in force: what became of the call */
    struct solo_stack stack;                 /* where it was done */
    char job[SOLO_VIOLATION_NAME_MAX];       /* the queued work that ran there, such as "job#3", "" if none */
    char queued_by[SOLO_VIOLATION_NAME_MAX]; /* the thread that queued that work */
    struct solo_stack queued_stack;          /* and from where */
    uint64_t step;                           /* when: event number */
    uint64_t now_ns;                         /* and world time */
    uint64_t amount; /* id-specific: ns stalled, items lost, jobs waiting, ...; SOLO016: 1 for a lock held while calling
                        out, 0 for locks in a circle */
    char text[SOLO_VIOLATION_TEXT_MAX]; /* what happened, one sentence */
    char help[SOLO_VIOLATION_TEXT_MAX]; /* what to do instead */
    uint32_t waiter_count;
    uint32_t from_tool; /* 0 the kit, 1 TSan, 2 helgrind, 3 drd, 4 memcheck, 5 ASan */
    struct solo_waiter waiters[SOLO_WAITERS_MAX];
    /* SOLO004, SOLO016: the places where locks are taken, as a number that is the same in every schedule */
    uint64_t cycle;
};

/* What the guard does with a call from the wrong thread. */
enum solo_policy {
    SOLO_POLICY_REFUSE = 0, /* it returns SOLO_EWRONGTHREAD and has no effect; default */
    SOLO_POLICY_ABORT,      /* report, then abort() */
    SOLO_POLICY_REPORT,     /* report and let the call through, to watch the damage */
};

typedef void (*solo_violation_sink_fn)(const struct solo_violation *violation, void *arg);

/*
 * Violations go to `sink(violation, arg)` from now on, on the thread that made them; NULL restores the default sink,
 * which prints the first line to standard error. A finding with the same id, function and call site is delivered once;
 * later ones are counted and the count is printed when the process ends. `violation` is valid only during the call.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_violation_set_sink(solo_violation_sink_fn sink, void *arg);

/* 1 if somebody has set a sink: then whoever made a finding leaves it to that to say so. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_violation_has_sink(void);

/*
 * Delivers a violation made elsewhere (an oracle, a lesson) to the sink, subject to the same de-duplication. -EINVAL:
 * NULL, or it has neither an id nor a text.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_violation_report(const struct solo_violation *violation);

/*
 * For findings made outside the kit (an oracle, a lesson): clears the record and fills in id, the contract of
 * `function` (NULL: none) and everything about the calling thread: name, role, stack, the work it runs, who queued
 * that, step and time. The caller adds object, amount, text and help.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_violation_begin(struct solo_violation *violation, unsigned id,
                                                      const char *function);

/* The calling thread's return addresses, innermost first, beginning with this call's own. About 20 ns. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_stack_take(struct solo_stack *ret_stack);

/* How often violations with this id were made since the last reset, those that were only counted included. */
SOLO_ANY_THREAD SOLO_PUBLIC unsigned solo_violation_count(unsigned id);

/* Forgets what was found so far, so that the same finding is delivered again: between schedules of one process. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_violation_reset(void);

/*
 * Sets the guard policy of the whole process. -EINVAL: no such policy. SOLO_POLICY=refuse|abort|report sets the first
 * one.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_guard_set_policy(enum solo_policy policy);
SOLO_ANY_THREAD SOLO_PUBLIC enum solo_policy solo_guard_policy(void);

/* "SOLO001" into a buffer of at least 8 bytes; returns it. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_violation_name(unsigned id, char *buffer);

/* "reactor-only call off the reactor thread", ...: one line per id, "" for an unknown one. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_violation_title(unsigned id);

#ifdef __cplusplus
}
#endif
#endif
