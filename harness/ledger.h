/*
 * ledger.h - what was seen so far: counts, distinct traces, and one entry for each defect.
 *
 * Whoever sees a schedule end accounts for it: the child of a scenario after each schedule, the explorer after a crash
 * and for programs.
 */
#ifndef SOLO__LEDGER_H
#define SOLO__LEDGER_H

#include "possible.h"
#include "region.h"

/*
 * What tells defects apart: id, function, kind of object and role, or the words of a failed check without its numbers.
 */
void solo__signature(const struct solo_violation *violation, char signature[SOLO__SIGNATURE_MAX]);

/* Adds a violation that the explorer itself makes to the schedule's. id 0: a check of the program's own. */
void solo__outcome_add(struct solo__outcome *outcome, unsigned id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds what the ending itself says: a failed check, no end, a search that met another choice, death. */
void solo__outcome_close(struct solo__region *region);

/* Violations of the schedule that it came to: without those that are only possible. */
uint32_t solo__outcome_reached(const struct solo__outcome *outcome);

/* Whether the kept violations of the schedule have one with this signature; its index, or -1. */
int solo__outcome_find(const struct solo__outcome *outcome, const char *signature);

/*
 * After a schedule of an exploration: whether it counts at all (a search repeats some), and, for a search, whether it
 * met another choice than before.
 */
bool solo__ledger_counts(struct solo__region *region);

/* Counts the schedule that just ended. Returns true if it failed. */
bool solo__ledger_account(struct solo__region *region);

/* Adds a circle of locks that was reached; whether it was. */
void solo__ledger_add_cycle(struct solo__ledger *ledger, uint64_t cycle);
bool solo__ledger_reached(const struct solo__ledger *ledger, uint64_t cycle);

/* Adds one trace, or one order of accesses, to those that were seen. */
void solo__ledger_count_trace(struct solo__region *region, uint64_t hash);
void solo__ledger_count_order(struct solo__region *region, uint64_t fingerprint);
/* Makes the sets large enough for so many more schedules. 0 or -ENOMEM. */
int solo__ledger_make_room(struct solo__region *region, uint64_t schedules);
/* Whether this trace was seen already, as far as there was room for what was seen. */
bool solo__ledger_knows_trace(const struct solo__region *region, uint64_t hash);

/* Whether the one schedule that was run had no choice to make, and came to its end: there is no other. */
bool solo__ledger_has_only_one(const struct solo__ledger *ledger);

/* Whether as many schedules as the request bears did not come to their end, and no other was there. */
bool solo__ledger_is_endless(const struct solo__region *region);

/* Whether the exploration is over, by its own limits. */
bool solo__ledger_is_enough(const struct solo__region *region);

/* Whether everything was tried that the strategy was asked for. */
bool solo__is_exhausted(const struct solo__region *region);

/* One honest sentence about what the schedules prove. */
void solo__evidence(const struct solo__region *region, char text[SOLO_EVIDENCE_MAX]);
/* Adds that some more schedules were directed at locks taken in a circle. */
void solo__evidence_directed(uint64_t directed, uint64_t failing, char text[SOLO_EVIDENCE_MAX]);

#endif
