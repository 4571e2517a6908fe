/*
 * extension.h - a shared object whose thread-safety contracts can be verified: `solo verify EXTENSION.so`.
 *
 * The shared object exports one symbol, solo_extension: a table of its entry points. Each row states the contract of an
 * entry point and has a small exercise function that calls it once. `solo verify` calls each from the reactor thread,
 * from a pool worker and from a foreign thread, alone and in pairs, under many schedules, and compares what happens
 * with what was declared.
 *
 *     static int exercise_add(void *state) { return counter_add(state, 1); }
 *     static const struct solo_extension_entry entries[] = {
 *         {"counter_add", SOLO_CONTRACT_ANY_THREAD, exercise_add},
 *     };
 *     SOLO_PUBLIC const struct solo_extension solo_extension = {
 *         SOLO_EXTENSION_VERSION, "counter", entries, 1, set_up, tear_down};
 */
#ifndef SOLO_EXTENSION_H
#define SOLO_EXTENSION_H

#include <solo/contract.h>
#include <solo/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;

enum { SOLO_EXTENSION_VERSION = 1, SOLO_EXTENSION_ENTRIES_MAX = 32 };

struct solo_extension_entry {
    const char *name; /* letters, digits and '_' */
    enum solo_contract_kind contract;
    /*
     * Calls the entry point once and returns its code: SOLO_EWRONGTHREAD or SOLO_EONREACTOR if it refused the calling
     * thread, 0 or any other code if it did not.
     */
    int (*exercise)(void *state);
};

/* All of it lives as long as the shared object is loaded. */
struct solo_extension {
    uint32_t version; /* SOLO_EXTENSION_VERSION */
    const char *name;
    const struct solo_extension_entry *entries;
    size_t entry_count;
    /*
     * On the reactor thread of a running reactor, before any entry point is called: 0 and the state that each exercise
     * gets.
     */
    int (*set_up)(struct solo_reactor *reactor, void **ret_state);
    /* On the reactor thread, after the last call has returned. May be NULL. */
    void (*tear_down)(void *state);
};

#ifdef __cplusplus
}
#endif
#endif
