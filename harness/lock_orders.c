/*
 * lock_orders.c - what becomes of locks that were taken in a circle, when an exploration is over.
 *
 * Each schedule notes the circles it saw (oracle_lock_order.c). One whose deadlock was reached has been reported as
 * that. Where every schedule was tried none of the others can be one. Else some more schedules are directed at them
 * (strategy_locks.c), and what is left then is reported: as possible, since the kit has not seen it.
 */
#include "lock_orders.h"
#include "ledger.h"
#include "unit.h"
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
        if (!solo__is_circle(violation)) {
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

static uint64_t directed_max(const struct solo__subject *subject)
{
    return subject->scenario != NULL ? DIRECTED_SCENARIO : DIRECTED_PROGRAM;
}

static void aim(struct solo__region *region, uint64_t schedules_max)
{
    strcpy(region->request.strategy, "locks");
    region->request.schedules_max = schedules_max;
    region->request.distinct_max = 0;
    region->request.twin_every = 0;
    (void)solo_strategy_prepare(solo_strategy_find("locks", NULL), &region->strategy, 0);
}

/* Runs more schedules, as a part of the same exploration. */
static int direct(struct solo__subject *subject, char *evidence)
{
    struct solo__region *region = subject->region;
    struct solo__ledger *ledger = &region->ledger;
    const struct solo__request wanted = region->request;
    uint64_t schedules = ledger->schedules, failing = ledger->failing;
    ledger->strategy_ended = 0;
    ledger->next = schedules; /* a search that was divided begins some schedules more often */
    aim(region, schedules + directed_max(subject));
    int result = subject->explore(subject);
    region->request = wanted;
    solo__evidence_directed(ledger->schedules - schedules, ledger->failing - failing, evidence);
    return result;
}

/*
 * The same for a share of a search. The shares together have each schedule of the search once and say so: these are
 * counted apart. Each share has others.
 */
static int direct_apart(struct solo__subject *subject, char *evidence)
{
    struct solo__ledger *ledger = &subject->region->ledger;
    uint64_t schedules = directed_max(subject);
    struct solo__subject scout;
    int result = solo__subject_copy(&scout, subject);
    if (result < 0) {
        return result;
    }
    struct solo__region *region = scout.region;
    region->request = subject->region->request;
    region->request.comes_in_pieces = 0;
    region->request.seed += subject->shard * schedules;
    region->outcome.number = 0;
    solo__region_clear_ledger(region, 2 * schedules);
    aim(region, schedules);
    result = scout.explore(&scout);
    if (result == 0) {
        ledger->directed = region->ledger.schedules;
        ledger->directed_failing = region->ledger.failing;
        solo__unit_merge_findings(subject->region, region);
        solo__evidence_directed(ledger->directed, ledger->directed_failing, evidence);
    }
    solo__subject_finish(&scout);
    return result;
}

int solo__lock_orders_settle(struct solo__subject *subject, char evidence[SOLO_EVIDENCE_MAX])
{
    struct solo__region *region = subject->region;
    bool is_share = subject->shards > 1 && !solo__strategy_samples(region->request.strategy);
    bool complete = is_complete(region);
    if (sift(region, complete && !is_share) == 0 || !may_go_on(region)) {
        return 0;
    }
    if (is_share && complete) {
        return 0; /* as the other shares are then, if nothing stops them: put together they know that there is none */
    }
    int result = is_share ? direct_apart(subject, evidence) : direct(subject, evidence);
    (void)sift(region, false);
    return result;
}
