/*
 * order.h - which accesses happened before which others: a fingerprint of a schedule that forgets the rest.
 *
 * Two schedules that differ only in the order of operations which do not touch the same object, or only read it, are
 * one and the same to the program (Mazurkiewicz 1977). Each event gets a hash of its own thread's past and of the
 * accesses to its object that it depends on; the fingerprint is the sum of them. Objects are named by who made them and
 * not by number, because numbers follow the total order; words of memory have no name at all. Waiting, passes of a loop
 * that find nothing, and the clock are no difference.
 */
#ifndef SOLO__ORDER_H
#define SOLO__ORDER_H

#include <solo/probe.h>
#include <solo/sim.h>

enum { SOLO__ORDER_OBJECTS = 4096 }; /* slots, a power of two; three quarters are used, later objects have no order */

struct solo__order {
    uint64_t fingerprint;
    uint32_t threads; /* that had an event */
    uint32_t points;  /* events where another thread could have gone on */
    uint32_t schedule, object_count;
    struct {
        uint32_t schedule; /* of which the hash is */
        uint64_t hash;     /* of all that the thread did so far */
    } thread[SOLO_SIM_THREADS_MAX];
    struct {
        uint32_t schedule, id;
        uint64_t name;
        uint64_t written; /* hash of the last write */
        uint64_t read;    /* sum of the hashes of reads since */
    } object[SOLO__ORDER_OBJECTS];
};

/* A schedule begins; zeroed memory needs nothing else. */
void solo__order_begin(struct solo__order *order);
/* Told of every event. */
void solo__order_event(struct solo__order *order, const struct solo_event *event);

#endif
