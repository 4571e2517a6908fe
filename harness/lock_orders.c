/*
 * lock_orders.c - what becomes of locks that were taken in a circle, when an exploration is over.
 *
 * Each schedule notes the circles it saw (oracle_lock_order.c). One whose deadlock was reached has been reported as
 * that. Where every schedule was tried none of the others can be one. Else some more schedules are directed at them
 * (strategy_locks.c), and what is left then is reported: as possible, since the kit has not seen it.
 */
#include "lock_orders.h"
#include "ledger.h"
#include <string.h>

enum { DIRECTED_SCENARIO = 200, DIRECTED_PROGRAM = 40 };

/* Whether the search has tried everything there is. To be asked while the strategy's state is there. */
static bool is_complete(const struct solo__region *region)
{
    const struct solo__dfs_state *dfs = &region->strategy.dfs;
    const struct solo__dpor_state *dpor = &region->strategy.dpor;
    const struct solo__ledger *ledger = &region->ledger;
    if (ledger->killed + ledger->unending != 0) {
        return false;
    }
    if (solo__strategy_is_bounded(region->request.strategy)) {
        return dfs->finished && dfs->complete && !dfs->cut;
    }
    return strcmp(region->request.strategy, solo__strategy_dpor.name) == 0 && dpor->finished && !dpor->cut;
}

static void take_out(struct solo__region *region, uint32_t index)
{
    struct solo__ledger *ledger = &region->ledger;
    ledger->defect_count--;
    for (uint32_t i = index; i < ledger->defect_count; i++) {
        uint32_t count = ledger->defects[i + 1].answers_count;
        ledger->defects[i] = ledger->defects[i + 1];
        memcpy(region->finding_answers[i], region->finding_answers[i + 1],
               (count < SOLO__ANSWERS_MAX ? count : SOLO__ANSWERS_MAX) * sizeof region->finding_answers[0][0]);
    }
}

/* Takes out all of them, or those that were reached. Returns how many are left. */
static unsigned sift(struct solo__region *region, bool all)
{
    unsigned left = 0;
    for (uint32_t i = region->ledger.defect_count; i > 0; i--) {
        const struct solo_violation *violation = &region->ledger.defects[i - 1].violation;
        if (!solo__is_possible(violation)) {
            continue;
        }
        if (all || solo__ledger_reached(&region->ledger, violation->cycle)) {
            take_out(region, i - 1);
        } else {
            left++;
        }
    }
    return left;
}

static bool may_go_on(const struct solo__region *region)
{
    const struct solo__ledger *ledger = &region->ledger;
    return !ledger->stop && ledger->asked_to_stop == 0 && !ledger->target_found &&
           !(region->request.stop_at_first && ledger->failing != 0);
}

/* Runs more schedules, as a part of the same exploration. */
static int direct(struct solo__subject *subject, char *evidence)
{
    struct solo__region *region = subject->region;
    struct solo__ledger *ledger = &region->ledger;
    const struct solo__request wanted = region->request;
    uint64_t schedules = ledger->schedules, failing = ledger->failing;
    strcpy(region->request.strategy, "locks");
    region->request.schedules_max = schedules + (subject->scenario != NULL ? DIRECTED_SCENARIO : DIRECTED_PROGRAM);
    region->request.distinct_max = 0;
    region->request.twin_every = 0;
    ledger->strategy_ended = 0;
    ledger->next = schedules; /* a search that was divided begins some schedules more often */
    (void)solo_strategy_prepare(solo_strategy_find("locks", NULL), &region->strategy, 0);
    int result = subject->explore(subject);
    region->request = wanted;
    size_t length = strlen(evidence);
    snprintf(evidence + length, SOLO_EVIDENCE_MAX - length,
             "; %llu more directed at locks taken in a circle, %llu of them fail",
             (unsigned long long)(ledger->schedules - schedules), (unsigned long long)(ledger->failing - failing));
    return result;
}

int solo__lock_orders_settle(struct solo__subject *subject, char evidence[SOLO_EVIDENCE_MAX])
{
    struct solo__region *region = subject->region;
    if (subject->shards > 1 && !solo__strategy_samples(region->request.strategy)) {
        (void)sift(region, false); /* a share of a search: only all of them together know, or may have more schedules */
        return 0;
    }
    if (sift(region, is_complete(region)) == 0 || !may_go_on(region)) {
        return 0;
    }
    int result = direct(subject, evidence);
    (void)sift(region, false);
    return result;
}
