/*
 * merge.h - the results of shards, put together into one verdict.
 *
 * Each shard of an exploration (solo_explore_options.shards) writes its result with solo_report_explored_json. Together
 * they say what one process would have said: how many schedules and how many different ones there were, each defect
 * once, and what is missing.
 */
#ifndef SOLO_MERGE_H
#define SOLO_MERGE_H

#include <solo/explore.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads `count` files and writes one result: as solo_report_explored_json does, without `shard`; or as text, in which
 * each finding has its first line, its place and its replay line. A shard that is missing makes the verdict incomplete,
 * unless there are findings. *ret_findings is their number: a schedule that did not end is one, though it proves
 * nothing and the verdict stays incomplete. Of a defect that several shards have found the token with the fewest
 * deviations is kept, of equal ones that of the first shard; the order of the files does not matter. -EINVAL: a file
 * that cannot be read, is no shard's result, belongs to another exploration, or is of a shard that was there already;
 * `why` says which;
 * -ENOMEM; -EIO.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_merge(const char *const files[], unsigned count, bool json, FILE *out,
                                           enum solo_verdict *ret_verdict, unsigned *ret_findings,
                                           char why[SOLO_EVIDENCE_MAX]);

#ifdef __cplusplus
}
#endif
#endif
