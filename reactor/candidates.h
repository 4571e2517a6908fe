/*
 * candidates.h - the addresses at which one attempt to connect may succeed, in the order in which they are tried.
 *
 * IPv6 and IPv4 take turns, IPv6 first, so that a family that does not work here costs one try and not all of them (RFC
 * 8305 begins in the same order).
 */
#ifndef SOLO__CANDIDATES_H
#define SOLO__CANDIDATES_H

#include <solo/address.h>
#include <solo/names.h>
#include <stdbool.h>

struct solo__candidates {
    struct solo_addresses addresses;
    uint16_t port;
    size_t tried;
};

/* How many are left. */
size_t solo__candidates_left(const struct solo__candidates *candidates);

/* The next one; there is one. */
struct solo_address solo__candidates_next(struct solo__candidates *candidates);

#endif
