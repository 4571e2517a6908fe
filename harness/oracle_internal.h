/*
 * oracle_internal.h - the state that the oracles share, and what each of them is told.
 *
 * Everything is of a fixed size and stamped with the number of its schedule, so that beginning one clears nothing.
 */
#ifndef SOLO__ORACLE_INTERNAL_H
#define SOLO__ORACLE_INTERNAL_H

#include "oracle.h"
#include <solo/probe.h>
#include <solo/reactor.h>
#include <solo/thread.h>
#include <solo/violation.h>
#include <stdbool.h>

enum {
    SOLO__ORACLE_THREADS_MAX = 256, /* later threads are not watched */
    SOLO__ORACLE_THINGS = 4096,     /* slots for accepted calls and Deferreds that have not ended; a power of two */
    SOLO__ORACLE_WINDOW = 8,        /* slots in which one of them may lie */
    SOLO__ORACLE_REACTORS_MAX = 8,
    SOLO__ORACLE_MUTEXES = 64, /* slots of held mutexes; a power of two */
    SOLO__ORACLE_FINDINGS_MAX = 16,
    SOLO__ORACLE_HELD_MAX = 8, /* locks of one thread */
    SOLO__ORACLE_PLACE_MAX = 64,
    SOLO__ORACLE_DEFERRED = 0xff, /* a thing that is a Deferred, where calls have their queue */
};

struct oracle_thread {
    uint32_t epoch;
    uint16_t callback_depth; /* > 0: inside a reactor callback */
    uint8_t in_loop;         /* inside the loop of a reactor that runs */
    uint8_t wait_kind;       /* enum solo_wait_kind while blocked */
    uint8_t call_queue;      /* enum solo_queue of the call it runs, 0: none */
    uint32_t call;           /* that call */
    uint32_t wait_object;
    uint64_t wait_since_ns;
    uint64_t wait_given_ns; /* when what it waits for was given, 0: not yet */
    uint64_t excused_ns;    /* time of this wait that only the chooser made pass */
    uint64_t sleep_until_ns;
    /* SOLO002: what the present callback has lost so far. */
    uint64_t stalled_ns, longest_ns;
    uint32_t served; /* what the outermost callback serves */
    uint32_t stalled_on;
    uint8_t stalled_by;            /* enum solo_wait_kind of the longest wait */
    struct solo_stack stall_stack; /* where the longest wait was */
    struct solo_stack wait_stack;  /* where it blocks now; kept for waits that are not idle */
};

enum oracle_thing_state { ORACLE_FREE = 0, ORACLE_ACCEPTED, ORACLE_BEGUN };

/* An accepted call or a Deferred that has not ended. */
struct oracle_thing {
    uint32_t id, epoch;
    uint8_t queue; /* enum solo_queue, or SOLO__ORACLE_DEFERRED */
    uint8_t state;
    uint16_t thread; /* who accepted or made it */
    uint64_t step;
};

struct oracle_reactor {
    uint32_t id;
    uint16_t thread;
    uint8_t state; /* enum solo_reactor_state */
    bool has_run, polling, wake_in_flight, destroyed;
    uint64_t poll_deadline_ns;
};

struct oracle_mutex {
    uint32_t id, epoch;
    uint16_t holder;
};

struct oracles {
    bool watching, subscribed;
    bool known_world;  /* the next two are known: the first event was seen */
    bool in_sim, hush; /* hush: the tables overflowed; what did not fit may be missing */
    uint64_t kinds;    /* bits of the event kinds that are looked at; 0 between schedules */
    uint32_t epoch;
    uint64_t budget_ns; /* in force for this schedule */
    uint64_t configured_budget_ns;
    bool budget_configured;
    uint64_t now_ns;             /* of the event before */
    uint64_t thread_choice_step; /* when it was last chosen who runs next */
    unsigned stalled_threads;    /* reactor threads blocked inside a callback */
    unsigned mutex_waiters;      /* pool jobs that wait for a mutex */
    unsigned jobs_queued;        /* accepted by the pool and not begun */
    unsigned calls_open, deferreds_open;
    uint64_t lost_count; /* SOLO011: calls dropped by a stop, with nobody told */
    struct oracle_thing lost_first;
    uint32_t unwoken_call; /* SOLO014: accepted for a reactor by the event before, 0: none */
    uint16_t unwoken_by;
    uint64_t unwoken_step;
    bool lock_used;    /* a lock was taken: solo__oracle_call_out_event is told of what happens */
    bool lock_orders;  /* a thread has taken a second lock: solo__oracle_lock_order_event is told of what happens */
    bool names_places; /* sentences say files, lines and variables: solo_oracles_name_places */
    bool lost_wakeup_found, convoy_found;
    unsigned reactor_count, finding_count;
    unsigned threads_seen; /* 1 + the highest number */
    struct oracle_reactor reactors[SOLO__ORACLE_REACTORS_MAX];
    struct oracle_mutex mutexes[SOLO__ORACLE_MUTEXES];
    struct oracle_thread threads[SOLO__ORACLE_THREADS_MAX];
    struct oracle_thing things[SOLO__ORACLE_THINGS];
    struct solo_violation findings[SOLO__ORACLE_FINDINGS_MAX];
};

extern struct oracles solo__oracles;

/* The thread's state, fresh in a new schedule; NULL beyond the limit. */
struct oracle_thread *solo__oracle_thread(unsigned number);

/* The reactor's state, made if it is new; NULL beyond the limit. */
struct oracle_reactor *solo__oracle_reactor(uint32_t id);

/* The call or Deferred, NULL if it is not open. */
struct oracle_thing *solo__oracle_thing(uint32_t id);

/* Who holds the mutex, NULL if nobody known. */
struct oracle_thread *solo__oracle_holder(uint32_t mutex);

/* Whether a wait is for something that another thread gives: neither idle, nor sleep, which is announced by itself. */
static inline bool solo__oracle_is_wait(unsigned wait_kind)
{
    return wait_kind > SOLO_WAIT_PEER && wait_kind != SOLO_WAIT_SLEEP;
}

/* Whether the thread sleeps or waits: it is not merely slow. */
bool solo__oracle_rests(const struct oracle_thread *thread, uint64_t now_ns);

/* Whether every known reactor has stopped or gone, and at least one of them has run. */
bool solo__oracle_reactors_are_over(void);

/*
 * A place for a finding made by the thread of `event`, or by the calling thread at the end (event NULL), with
 * everything about that thread filled in. NULL: there are enough already.
 */
struct solo_violation *solo__oracle_find(unsigned id, const char *function, const struct solo_event *event);

/* printf into a field of a violation. */
void solo__oracle_text(char *field, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define ORACLE_TEXT(field, ...) solo__oracle_text((field), sizeof(field), __VA_ARGS__)

/* "the function that makes a thread wait like this": solo_sleep, solo_mutex_lock, ...; NULL if none does. */
const char *solo__oracle_waiting_function(unsigned wait_kind);

/* SOLO002: oracle_blocked.c */
void solo__oracle_blocked_callback(const struct solo_event *event, struct oracle_thread *thread);
void solo__oracle_blocked_sleep(const struct solo_event *event, struct oracle_thread *thread);
void solo__oracle_blocked_unblock(const struct solo_event *event, struct oracle_thread *thread);
void solo__oracle_blocked_given(const struct solo_event *event);
void solo__oracle_blocked_time(const struct solo_event *event, bool chosen);
void solo__oracle_blocked_end(void);

/* SOLO004: oracle_deadlock.c */
void solo__oracle_deadlock_end(void);

/* SOLO010: oracle_convoy.c. Called before time moves. */
void solo__oracle_convoy_time(const struct solo_event *event);

/* SOLO008, SOLO011: oracle_work.c */
void solo__oracle_work_dropped(const struct solo_event *event, const struct oracle_thing *call);
void solo__oracle_work_end(int ending);

/* SOLO013: oracle_expect.c */
void solo__oracle_expect_end(void);

/* SOLO014: oracle_wakeup.c. Told of the event after a call was accepted. */
void solo__oracle_wakeup_check(const struct solo_event *event);
void solo__oracle_wakeup_end(void);

/* SOLO014 too: oracle_inbox.c. The second one, in a deadlock: whether a lost wake-up is all there is to it. */
void solo__oracle_inbox_event(const struct solo_event *event);
bool solo__oracle_inbox_deadlock(void);

/* SOLO016: oracle_lock_order.c */
extern const uint64_t solo__oracle_lock_order_kinds; /* bits of the events that it wants to be told of, once it asks */
void solo__oracle_lock_order_prepare(void);
void solo__oracle_lock_taken(const struct solo_event *event);
void solo__oracle_lock_given(const struct solo_event *event);
/* Told of every event besides; wait_kind is what the thread waited for until now. */
void solo__oracle_lock_order_event(const struct solo_event *event, unsigned wait_kind);
void solo__oracle_lock_order_end(void);
/* After that: whether somebody wants the one lock while holding the other in a circle that was found. */
bool solo__oracle_is_in_circle(uint32_t held, uint32_t wanted);

/* The locks that a thread holds, in the order in which it took them; returns how many. */
struct oracle_held {
    uint32_t lock;
    bool writes;
    const struct solo_stack *where; /* it was taken; empty if nobody will read it */
};
unsigned solo__oracle_held(unsigned thread, struct oracle_held held[SOLO__ORACLE_HELD_MAX]);
/* Whether nothing was too much for the tables that say so. */
bool solo__oracle_locks_are_known(void);
/* Its variable, or its number. */
void solo__oracle_name_lock(uint32_t lock, char *buffer, size_t size);
/* " (bank.c:20)", or "" where that is not wanted; returns buffer. */
const char *solo__oracle_place(const struct solo_stack *stack, char buffer[SOLO__ORACLE_PLACE_MAX]);

/* SOLO016 too: oracle_call_out.c. A lock that is held while the kit calls what somebody else registered. */
extern const uint64_t solo__oracle_call_out_kinds; /* wanted since the first lock was taken */
void solo__oracle_call_out_prepare(void);
/* Told of these, and of callbacks, accepted calls and Deferreds made; `thread` as it was before. */
void solo__oracle_call_out_event(const struct solo_event *event, const struct oracle_thread *thread);
/* Before the lock counts as held, or as given back. */
void solo__oracle_call_out_locked(const struct solo_event *event);
void solo__oracle_call_out_unlock(const struct solo_event *event);
/* Whether the thread runs a callback that somebody called while holding this lock. */
bool solo__oracle_call_out_is_under(unsigned thread, uint32_t lock);
/* After solo__oracle_lock_order_end. */
void solo__oracle_call_out_end(void);
/* What the place where a thread waits adds to the number of a circle, which begins with how many they are. */
uint64_t solo__oracle_cycle_part(const struct solo_stack *stack);

#endif
