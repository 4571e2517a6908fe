/*
 * expect.h - what a program declares about itself so that the kit can check it.
 *
 * Must-happen counters keep a pass from being vacuous: what was declared and never happened is SOLO013 at the end.
 * Confined objects are used by one thread: a use on another is SOLO007.
 */
#ifndef SOLO_EXPECT_H
#define SOLO_EXPECT_H

#include <solo/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SOLO_EXPECT_MAX = 64, SOLO_EXPECT_NAME_MAX = 48 };

/* Declares that solo_happened(name) must be called at least `count` times before the program ends. -EINVAL, -ENOSPC. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_must_happen(const char *name, unsigned count);

/* Counts one. A name that was never declared is counted too. -EINVAL, -ENOSPC. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_happened(const char *name);

/* Reads counter `index`; -ENOENT past the last. `name` is at least SOLO_EXPECT_NAME_MAX bytes. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_expectation_at(unsigned index, char *ret_name, unsigned *ret_wanted,
                                                    unsigned *ret_happened);

/* Forgets all counters: between schedules of one process. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_expectations_reset(void);

/* Put one inside an object that one thread at a time may use; zero it first. */
struct solo_confined {
    const void *owner;   /* the thread, as a number; NULL: unbound, the next use binds */
    uint32_t object;     /* id for reports */
    uint32_t generation; /* how often it was bound */
    const char *name;    /* as given to bind, NULL if it never was */
};

/*
 * Binds the object to the calling thread; name is borrowed for ever (a literal). Binding again moves it: an orderly
 * hand-over.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_confined_bind(struct solo_confined *confined, const char *name);

/* States a use. SOLO_EWRONGTHREAD, and SOLO007, on another thread than the one it is bound to. Binds an unbound one. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_confined_use(struct solo_confined *confined);

/* The owner lets go: the next use binds. SOLO_EWRONGTHREAD, and SOLO007, on another thread. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_confined_release(struct solo_confined *confined);

#ifdef __cplusplus
}
#endif
#endif
