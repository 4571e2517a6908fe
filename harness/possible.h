/* possible.h - findings that name what a schedule makes possible and did not come to: warnings (severity). */
#ifndef SOLO__POSSIBLE_H
#define SOLO__POSSIBLE_H

#include <solo/violation.h>
#include <stdbool.h>

/* A detector's findings are what it says they are. */
static inline bool solo__is_possible(const struct solo_violation *violation)
{
    return violation->id == SOLO016_LOCK_ORDER && violation->from_tool == 0;
}

/* Locks in a circle, of which it may turn out that they are none; not a lock that is held while calling out. */
static inline bool solo__is_circle(const struct solo_violation *violation)
{
    return solo__is_possible(violation) && violation->amount == 0;
}

static inline const char *solo__severity(const struct solo_violation *violation)
{
    return solo__is_possible(violation) ? "warning" : "error";
}

#endif
