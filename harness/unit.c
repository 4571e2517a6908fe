/* unit.c - cutting an exploration into units, and putting together what they saw. */
#include "unit.h"
#include "ledger.h"
#include "required.h"
#include <string.h>

uint32_t solo__unit_size(const struct solo__units *units, uint64_t index, uint64_t *ret_first)
{
    uint64_t all = units->schedules_max / SOLO__UNIT_MAX;
    uint32_t rest = (uint32_t)(units->schedules_max % SOLO__UNIT_MAX);
    if (index > all / units->shards) {
        return 0; /* and no product below overflows */
    }
    uint64_t number = index * units->shards + units->shard;
    *ret_first = number * SOLO__UNIT_MAX;
    return number < all ? SOLO__UNIT_MAX : number == all ? rest : 0;
}

/* Whether one of the unit's schedules before this one had its trace. */
static bool is_repeated(const struct solo__region *unit, uint64_t index)
{
    for (uint64_t i = 0; i < index; i++) {
        if (((unit->unit_traces[i] ^ unit->unit_traces[index]) & ~UINT64_C(1)) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t solo__unit_wanted(const struct solo__region *whole, const struct solo__region *unit, uint64_t distinct_max)
{
    uint64_t distinct = whole->ledger.traces.distinct;
    uint64_t schedules = unit->ledger.schedules;
    if (distinct_max == 0 || distinct + schedules < distinct_max) {
        return schedules;
    }
    for (uint64_t i = 0; i < schedules && i < SOLO__UNIT_MAX; i++) {
        distinct += !solo__ledger_knows_trace(whole, unit->unit_traces[i]) && !is_repeated(unit, i);
        if (distinct >= distinct_max) {
            return i + 1;
        }
    }
    return schedules;
}

/* ---- Putting together ---- */

static void take_schedule(struct solo__region *whole, uint32_t to, const struct solo__region *unit, uint32_t from)
{
    uint32_t count = unit->ledger.defects[from].answers_count;
    uint32_t kept = count < SOLO__ANSWERS_MAX ? count : SOLO__ANSWERS_MAX;
    memcpy(whole->finding_answers[to], unit->finding_answers[from], kept * sizeof whole->finding_answers[0][0]);
}

static bool is_simpler(const struct solo__defect *one, const struct solo__defect *other)
{
    return one->deviations != other->deviations ? one->deviations < other->deviations : one->steps < other->steps;
}

/* Both have seen the same defect. */
static void merge_known(struct solo__region *whole, uint32_t to, const struct solo__region *unit, uint32_t from)
{
    struct solo__defect *ours = &whole->ledger.defects[to];
    const struct solo__defect *theirs = &unit->ledger.defects[from];
    uint64_t schedules = ours->schedules + theirs->schedules;
    if (is_simpler(theirs, ours)) {
        struct solo__defect before = *ours;
        *ours = *theirs;
        ours->first_schedule = before.first_schedule;
        memcpy(ours->found_by, before.found_by, sizeof ours->found_by);
        take_schedule(whole, to, unit, from);
    }
    ours->schedules = schedules;
}

static void merge_defect(struct solo__region *whole, const struct solo__region *unit, uint32_t from)
{
    struct solo__ledger *ledger = &whole->ledger;
    const struct solo__defect *theirs = &unit->ledger.defects[from];
    for (uint32_t i = 0; i < ledger->defect_count; i++) {
        if (strcmp(ledger->defects[i].signature, theirs->signature) == 0) {
            merge_known(whole, i, unit, from);
            return;
        }
    }
    if (ledger->defect_count == SOLO_FINDINGS_MAX) {
        ledger->lost += theirs->schedules;
        return;
    }
    uint32_t to = ledger->defect_count++;
    ledger->defects[to] = *theirs;
    ledger->defects[to].first_schedule += ledger->schedules;
    take_schedule(whole, to, unit, from);
}

/* A hash that is odd was seen more than once. */
static void merge_set(struct solo__region *whole, const uint64_t *set, uint64_t mask,
                      void (*count)(struct solo__region *region, uint64_t hash))
{
    for (uint64_t slot = 0; slot <= mask; slot++) {
        if (set[slot] != 0) {
            count(whole, set[slot]);
        }
        if (set[slot] & 1) {
            count(whole, set[slot]);
        }
    }
}

void solo__unit_merge_findings(struct solo__region *whole, const struct solo__region *unit)
{
    for (uint32_t i = 0; i < unit->ledger.defect_count; i++) {
        merge_defect(whole, unit, i);
    }
    for (uint32_t i = 0; i < unit->ledger.cycle_count; i++) {
        solo__ledger_add_cycle(&whole->ledger, unit->ledger.cycles[i]);
    }
    whole->ledger.lost += unit->ledger.lost;
}

void solo__unit_merge(struct solo__region *whole, const struct solo__region *unit)
{
    struct solo__ledger *ours = &whole->ledger;
    const struct solo__ledger *theirs = &unit->ledger;
    solo__unit_merge_findings(whole, unit);
    if (theirs->schedules <= SOLO__UNIT_MAX) {
        for (uint64_t i = 0; i < theirs->schedules; i++) {
            solo__ledger_count_trace(whole, unit->unit_traces[i]);
            solo__ledger_count_order(whole, unit->unit_orders[i]);
        }
    } else {
        merge_set(whole, unit->traces, theirs->set_mask, solo__ledger_count_trace);
        merge_set(whole, unit->orders, theirs->set_mask, solo__ledger_count_order);
        ours->traces.full |= theirs->traces.full;
        ours->orders.full |= theirs->orders.full;
    }
    solo__required_merge(ours, theirs);
    ours->schedules += theirs->schedules;
    ours->failing += theirs->failing;
    ours->steps += theirs->steps;
    ours->choices += theirs->choices;
    ours->killed += theirs->killed;
    ours->unending += theirs->unending;
    ours->threads_most = theirs->threads_most > ours->threads_most ? theirs->threads_most : ours->threads_most;
    ours->points_most = theirs->points_most > ours->points_most ? theirs->points_most : ours->points_most;
    ours->next += theirs->next;
    ours->strategy_ended |= theirs->strategy_ended;
    ours->stop |= theirs->stop;
}
