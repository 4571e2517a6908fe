/*
 * findings.h - defects of the ledger made into findings: shrunk, and replayed strictly in a fresh process.
 */
#ifndef SOLO__FINDINGS_H
#define SOLO__FINDINGS_H

#include "shrink.h"

/* What a token of this request holds for. */
struct solo_limits solo__limits_of(const struct solo__region *region);

/* The token of a schedule; free it. NULL: out of memory, or too many choices. */
char *solo__schedule_token(const struct solo__subject *subject, const struct solo__schedule *schedule);

/*
 * After a strict run: a check that failed only because time passed becomes SOLO009. It runs the plain schedule to know.
 * 0, or the kit's error.
 */
int solo__findings_mark_by_time(struct solo__subject *subject, struct solo_violation *violation);

/* Fills in the report's findings from the ledger, which is gone then. 0, or the kit's error. */
int solo__findings_make(struct solo__subject *subject, const struct solo_explore_options *options,
                        struct solo_report *report);

#endif
