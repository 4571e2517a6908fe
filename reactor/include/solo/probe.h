/*
 * probe.h - what happened, said once.
 *
 * Whatever leads to records and traces is announced through one probe call with its kind, thread, object and kind of
 * access. Trace, oracles, statistics and dependence for search subscribe to it and to nothing else. In world `sim` an
 * announcement whose kind is marked [point] is also a scheduling point: the thread may be preempted *before* the
 * operation, and the event is delivered when the thread goes on to execute it. In world `os` without a subscriber an
 * announcement costs one predictable branch.
 *
 * A kind that is marked [told] is for subscribers and nobody else: it is no step of its own, is in no trace and changes
 * no schedule. Its `step` is that of the event before it (0 in world `os`), and it is told only where who queues work
 * keeps all of its frames: in world sim, and under `solo run`.
 */
#ifndef SOLO_PROBE_H
#define SOLO_PROBE_H

#include <solo/choice.h>
#include <solo/contract.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, text, is_point). The order is part of the trace format (SOLO_CHOICE_SCHEMA). */
#define SOLO_PROBE_KINDS(X)                                                                                            \
    X(NONE, "none", 0)                                                                                                 \
    X(THREAD_START, "thread-start", 1) /* object: the new thread */                                                    \
    X(THREAD_BEGIN, "thread-begin", 0) /* first event of a thread */                                                   \
    X(THREAD_END, "thread-end", 0)     /* last event of a thread */                                                    \
    X(THREAD_JOIN, "thread-join", 1)   /* object: the thread waited for */                                             \
    X(YIELD, "yield", 1)               /* solo_yield: a point and nothing else */                                      \
    X(SLEEP, "sleep", 1)               /* value: until when, ns */                                                     \
    X(LOCK, "lock", 1)                 /* object: mutex */                                                             \
    X(LOCKED, "locked", 0)             /* it is now held by this thread; value: 1 if there was a limit to the wait */  \
    X(UNLOCK, "unlock", 0)                                                                                             \
    X(WAIT, "wait", 1)                   /* object: condition or semaphore */                                          \
    X(WAITED, "waited", 0)               /* the wait ended; value: 0 or the error */                                   \
    X(SIGNAL, "signal", 1)               /* condition signalled or semaphore posted; value: 1, or 2 for all */         \
    X(BLOCK, "block", 0)                 /* the thread cannot go on; object: what it waits for, value: wait kind */    \
    X(UNBLOCK, "unblock", 0)             /* it can again; value: 0 or the error */                                     \
    X(REACTOR_STATE, "reactor-state", 0) /* value: enum solo_reactor_state */                                          \
    X(PASS, "pass", 0)                   /* a pass of the loop begins; value: its number */                            \
    X(POLL, "poll", 1)                   /* the reactor is about to poll; value: deadline ns */                        \
    X(POLLED, "polled", 0)               /* the poll returned; value: number of ready descriptors */                   \
    X(WAKE_SENT, "wake-sent", 0)         /* object: the poller's reactor */                                            \
    X(WAKE_SEEN, "wake-seen", 0)                                                                                       \
    X(CALL_ACCEPTED, "call-accepted", 1)       /* object: the call; value: what queue (enum solo_queue) */             \
    X(CALL_BEGUN, "call-begun", 0)             /* its function starts on this thread */                                \
    X(CALL_ENDED, "call-ended", 0)             /* its function returned */                                             \
    X(CALL_HANDED_BACK, "call-handed-back", 0) /* value: status, for its done function or as its caller's answer */    \
    X(CALL_DROPPED, "call-dropped", 0)         /* accepted, and it will never run; value: status */                    \
    X(JOB_WANTED, "job-wanted", 1)             /* a worker is about to take a job; object: the pool */                 \
    X(JOB_FINISHED, "job-finished", 1)         /* a worker is about to report a job; object: the call */               \
    X(TIMER_SET, "timer-set", 0)               /* object: the delayed call; value: due ns */                           \
    X(TIMER_CANCELLED, "timer-cancelled", 0)                                                                           \
    X(CONTRACT, "contract", 1)             /* a guarded call off its thread; value: contract table index */            \
    X(VIOLATION, "violation", 0)           /* value: the SOLO number */                                                \
    X(CALLBACK_BEGUN, "callback-begun", 0) /* the reactor enters a callback; object: what it serves */                 \
    X(CALLBACK_ENDED, "callback-ended", 0)                                                                             \
    X(DEFERRED_MADE, "deferred-made", 0)                                                                               \
    X(DEFERRED_FIRED, "deferred-fired", 0) /* value: status */                                                         \
    X(DEFERRED_ENDED, "deferred-ended", 0) /* released; value: 0 clean, 1 unhandled error, 2 never fired, 3 paused */  \
    X(LISTEN, "listen", 1)                                                                                             \
    X(CONNECT, "connect", 1)                                                                                           \
    X(ACCEPT, "accept", 1)                                                                                             \
    X(READ, "read", 1)   /* object: the stream; value: bytes */                                                        \
    X(WRITE, "write", 1) /* value: bytes */                                                                            \
    X(CLOSE, "close", 1)                                                                                               \
    X(TRANSPORT_STATE, "transport-state", 0) /* value: enum solo_transport_state */                                    \
    X(WORKER_QUIT, "worker-quit", 1)                                                                                   \
    X(OBJECT_MADE, "object-made", 0)                                                                                   \
    X(OBJECT_ENDED, "object-ended", 0)                                                                                 \
    X(EXPECTED, "expected", 0) /* solo_must_happen; value: hash of the name */                                         \
    X(HAPPENED, "happened", 0)                                                                                         \
    X(CONFINED_BOUND, "confined-bound", 0)                                                                             \
    X(CONFINED_USED, "confined-used", 1)                                                                               \
    X(PEER, "peer", 0)               /* a peer script finished a line; value: line number */                           \
    X(CHOICE, "choice", 0)           /* an answer was recorded; object: choice kind, value: chosen option */           \
    X(TIME, "time", 0)               /* virtual time moved; value: ns now */                                           \
    X(ACCESS_READ, "access-read", 1) /* instrumented memory access */                                                  \
    X(ACCESS_WRITE, "access-write", 1)                                                                                 \
    X(JOB_CANCEL, "job-cancel",                                                                                        \
      1) /* somebody is about to take a queued job back; object: the pool, value: its number */                        \
    X(SIGNAL_SENT, "signal-sent", 1) /* somebody is about to send the process a signal; value: its number */           \
    X(INBOX, "inbox", 1)             /* what the program says of a queue; value: enum solo_inbox_step + 256 * count */ \
    X(POOL_DIRECTED, "pool-directed",                                                                                  \
      1) /* a pool's remote control is about to be used; object: the pool, value: a job's number, or 0 */              \
    X(PAIR_ADDED, "pair-added", 0) /* [told] a Deferred is given a pair of callbacks; value: its number */             \
    X(PAIR_BEGUN, "pair-begun", 0) /* [told] one of the pair is called; value: its number, or SOLO_PROBE_CANCELLER */  \
    X(PAIR_ENDED, "pair-ended", 0) /* [told] and has returned */

enum solo_probe_kind {
#define SOLO_PROBE_ENUM_(name, text, point) SOLO_PROBE_##name,
    SOLO_PROBE_KINDS(SOLO_PROBE_ENUM_)
#undef SOLO_PROBE_ENUM_
        SOLO_PROBE_KIND_COUNT
};

/* The value of PAIR_BEGUN and PAIR_ENDED where it is the Deferred's canceller that is called. */
#define SOLO_PROBE_CANCELLER UINT64_MAX

/* Which queue a call was accepted by: the value of CALL_ACCEPTED. */
enum solo_queue {
    SOLO_QUEUE_THREAD_CALL = 1, /* call_from_thread */
    SOLO_QUEUE_POOL,            /* call_in_thread, defer_to_thread */
    SOLO_QUEUE_BLOCKING,        /* blocking_call_from_thread */
    SOLO_QUEUE_DELAYED,         /* call_later */
    SOLO_QUEUE_WORKER,          /* worker do */
    SOLO_QUEUE_HOOK,            /* call_when_running and triggers */
};

/* Why a thread is blocked: the value of BLOCK. An idle wait is satisfied at quiescence, any other is not. */
enum solo_wait_kind {
    SOLO_WAIT_NONE = 0,
    SOLO_WAIT_POLL, /* idle: a reactor polls */
    SOLO_WAIT_JOB,  /* idle: a worker waits for work */
    SOLO_WAIT_PEER, /* idle: a peer script waits for a server or for bytes */
    SOLO_WAIT_MUTEX,
    SOLO_WAIT_CONDITION,
    SOLO_WAIT_SEMAPHORE,
    SOLO_WAIT_JOIN,
    SOLO_WAIT_SLEEP,
    SOLO_WAIT_RESULT, /* blocking_call_from_thread waits for the reactor */
    SOLO_WAIT_DRAIN,  /* a stop waits for jobs */
    SOLO_WAIT_BARRIER,
    SOLO_WAIT_ONCE,       /* another thread initialises */
    SOLO_WAIT_DESCRIPTOR, /* a descriptor that only other threads can make ready */
    SOLO_WAIT_FUTEX,
    SOLO_WAIT_STATIC, /* another thread initialises a static variable of C++ */
    SOLO_WAIT_KINDS
};

struct solo_event {
    uint64_t step;   /* number of this event in its schedule, from 1; in world os a running count */
    uint64_t now_ns; /* world time */
    uint64_t value;  /* as the kind says */
    uint32_t object; /* object id, 0 if none */
    uint16_t thread; /* thread number, see solo_thread_name_of */
    uint8_t kind;    /* enum solo_probe_kind */
    uint8_t access;  /* enum solo_access */
};

typedef void (*solo_probe_fn)(const struct solo_event *event, void *arg);

/*
 * From when this returns, `fn(event, arg)` is called for every event of every world in this process, on the thread that
 * announced it. It must be quick, must not call back into the kit except for the readers in this header and solo_now,
 * and keeps `arg` alive until solo_probe_unsubscribe. At most 8 subscribers: -ENOSPC. -EINVAL: fn is NULL.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_probe_subscribe(solo_probe_fn fn, void *arg);

/* Ends the subscription of this pair; -ENOENT if there is none. Call it while no other thread announces. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_probe_unsubscribe(solo_probe_fn fn, void *arg);

/* "call-accepted", ... ; "?" for an unknown kind. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_probe_kind_text(unsigned kind);

/* 1 if an announcement of this kind is a scheduling point. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_probe_kind_is_point(unsigned kind);

/* What kind of wait, in words that fit "waits for ...": "a mutex", "a job", ... */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_wait_kind_text(unsigned wait_kind);

#ifdef __cplusplus
}
#endif
#endif
