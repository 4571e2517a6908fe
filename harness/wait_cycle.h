/* wait_cycle.h - who waits for whom, as a cycle if it is one, and in a sentence. */
#ifndef SOLO__WAIT_CYCLE_H
#define SOLO__WAIT_CYCLE_H

#include <solo/violation.h>
#include <stdbool.h>
#include <stddef.h>

/* "the function in which a thread waits like this": of the kit, or of the C library in a program without it. */
const char *solo__wait_function(unsigned wait_kind, const char *object);

/*
 * Of `count` waiters that are stuck, puts those who wait for each other in a circle first, in the order in which they
 * wait. Returns how many they are, 0: there is no circle.
 */
uint32_t solo__wait_cycle_first(struct solo_waiter *waiters, uint32_t count);

/*
 * "`a` waits in pthread_mutex_lock for `B` (bank.c:20), held by `b`, which waits in ..." from the first of `count`
 * waiters on. place_of(thread, buffer, size) prints where a thread waits, or nothing.
 */
void solo__wait_sentence(const struct solo_waiter *waiters, uint32_t count,
                         void (*place_of)(const char *thread, char *buffer, size_t size), char *buffer, size_t size);

/* Whether this object id is about something of the C library, and not of the kit. */
bool solo__wait_is_pthreads(uint32_t object);

/* The name that the program gave to what this object id is about: a variable of its own. False: none is known. */
bool solo__wait_variable(uint32_t object, char *buffer, size_t size);

#endif
