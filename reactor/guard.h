/*
 * guard.h - the check that every reactor-only call opens with, and the refusal.
 *
 * The hot path is one load of a thread-local variable and one compare. Everything else is out of line: an unbound
 * reactor, a foreign thread, and the violation with its stack, its owner and who queued the work.
 */
#ifndef SOLO__GUARD_H
#define SOLO__GUARD_H

#include "object.h"
#include "self.h"
#include "contract_ids.h" /* generated: SOLO__FN_solo_transport_write, ... are indexes in the contract table */

struct solo__owner {               /* embedded in struct solo_reactor */
    struct solo_thread *thread;    /* who may call; NULL: unbound. Read by any thread without order, pinned */
    const char *bound_by;          /* "first call", "solo_reactor_run" */
    struct solo_stack bound_stack; /* where */
    bool has_run;                  /* false: a violation is "in set-up" */
};

/*
 * Out of line. 0: go on (the caller became the owner, or the policy lets it through); SOLO_EWRONGTHREAD: refuse.
 * `object` is the kit object the call is about. An unbound reactor is bound to its caller, unless that is a worker of
 * its own pool: after a crash, a job that still runs must not take the reactor away from the thread that will destroy
 * it.
 */
int solo__guard_slow(struct solo__owner *owner, unsigned function, const void *object, void *frame,
                     void *return_address);

/*
 * Binds to `thread`, whoever had it, and says how ("solo_reactor_run", a literal) and where. From then on a violation
 * is no longer "in set-up".
 */
void solo__owner_bind(struct solo__owner *owner, struct solo_thread *thread, const char *how, void *frame,
                      void *return_address);
/* Unbound again: the next caller becomes the owner. */
void solo__owner_release(struct solo__owner *owner);

/*
 * Who owns it now, NULL if nobody; for any thread, where it is out of date as soon as it is read unless it is the
 * caller.
 */
static inline struct solo_thread *solo__owner_thread(const struct solo__owner *owner)
{
    return __atomic_load_n(&owner->thread, __ATOMIC_RELAXED);
}

/*
 * For functions that wait for the reactor: 0, or SOLO_EONREACTOR and a SOLO003 if the caller owns it. No policy lets
 * such a call through: it would never return.
 */
int solo__guard_not_on_reactor(const struct solo__owner *owner, unsigned function, const void *object, void *frame,
                               void *return_address);

/*
 * Returns from the calling function with the code if the caller does not own the reactor. The one macro with hidden
 * control flow.
 */
#define SOLO__REACTOR_ONLY(function, owner_, object_)                                                                  \
    do {                                                                                                               \
        struct solo__owner *solo__o = (owner_);                                                                        \
        struct solo_thread *solo__s = solo__self;                                                                      \
        if (__builtin_expect(solo__owner_thread(solo__o) != solo__s || solo__s == NULL, 0)) {                          \
            int solo__e = solo__guard_slow(solo__o, SOLO__FN_##function, (object_), __builtin_frame_address(0),        \
                                           __builtin_return_address(0));                                               \
            if (solo__e < 0) {                                                                                         \
                return solo__e;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/* Rungs of the ladder: return the code if the object is NULL, of another kind or ended. */
#define SOLO__OBJECT(object_, kind_)                                                                                   \
    do {                                                                                                               \
        int solo__e = solo__object_check((object_), (kind_));                                                          \
        if (solo__e < 0) {                                                                                             \
            return solo__e;                                                                                            \
        }                                                                                                              \
    } while (0)

/* As SOLO__OBJECT, and a use after the end is reported as `id` (SOLO006 or SOLO012) first. */
#define SOLO__LIVE_OBJECT(function, object_, kind_, id_)                                                               \
    do {                                                                                                               \
        int solo__e = solo__object_check((object_), (kind_));                                                          \
        if (solo__e == SOLO_ECLOSED) {                                                                                 \
            solo__violation_after_end((id_), SOLO__FN_##function, (object_), __builtin_frame_address(0),               \
                                      __builtin_return_address(0));                                                    \
        }                                                                                                              \
        if (solo__e < 0) {                                                                                             \
            return solo__e;                                                                                            \
        }                                                                                                              \
    } while (0)

/* Of a destroy, which may come after the reactor's, from any thread: nobody owns it then. */
#define SOLO__END_LADDER(function, kind, object_, reactor_)                                                            \
    SOLO__LIVE_OBJECT(function, (object_), (kind), SOLO006_USE_AFTER_END);                                             \
    if (solo__object_check((reactor_), SOLO__REACTOR) == 0) {                                                          \
        SOLO__REACTOR_ONLY(function, &(reactor_)->owner, (object_));                                                   \
    }

/*
 * Starts a violation about the calling thread: id, function with contract, object, thread, role, stack, job, step and
 * time.
 */
void solo__violation_begin(struct solo_violation *violation, unsigned id, unsigned function, const void *object,
                           void *frame, void *return_address);
/* Reports the use of an ended object. */
void solo__violation_after_end(unsigned id, unsigned function, const void *object, void *frame, void *return_address);
/* printf into a violation's text or help field. */
void solo__violation_text(char *field, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether this finding was delivered before; if so it has been counted, and the record need not be made. */
bool solo__violation_again(unsigned id, unsigned function, const void *return_address);

enum { SOLO__FN_NONE = 0xffffff };

/* The row of a contract table index; NULL for SOLO__FN_NONE. */
const struct solo_contract *solo__contract_row(unsigned function);

#endif
