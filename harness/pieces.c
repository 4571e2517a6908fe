/* pieces.c - exploring piece by piece, and saving what is known in between. */
#include "pieces.h"
#include "checkpoint.h"
#include "crew.h"
#include "division.h"
#include "hash.h"
#include "ledger.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SEARCH_PIECE = 1024 };              /* schedules */
#define SAVE_EVERY_NS UINT64_C(1000000000) /* of real time; a new defect is saved at once */

struct saving {
    const char *path; /* NULL: nothing is saved */
    uint64_t saved_ns;
};

bool solo__pieces_wanted(const struct solo_explore_options *options)
{
    return options->jobs != 0 || options->shards != 0 || options->checkpoint_file != NULL;
}

static bool is_search(const char *strategy)
{
    return solo__strategy_is_bounded(strategy) || strcmp(strategy, solo__strategy_dpor.name) == 0;
}

static int save(struct solo__subject *subject, uint64_t units_done, struct saving *saving)
{
    int result = saving->path != NULL ? solo__checkpoint_write(saving->path, subject, units_done) : 0;
    saving->saved_ns = solo__wall_ns();
    if (result == -EBUSY) {
        snprintf(subject->why, sizeof subject->why, "checkpoint %.150s: another exploration is writing it",
                 saving->path);
        return -EINVAL;
    }
    if (result < 0) {
        snprintf(subject->why, sizeof subject->why, "checkpoint %.150s: cannot be written: %s", saving->path,
                 strerror(-result));
        return -EINVAL;
    }
    return 0;
}

static bool is_due(const struct saving *saving)
{
    return saving->path != NULL && solo__wall_ns() - saving->saved_ns >= SAVE_EVERY_NS;
}

/* ---- Units ---- */

static int unit_added(struct solo__subject *subject, const struct solo__crew_plan *plan, bool found, void *arg)
{
    return found || is_due(arg) ? save(subject, plan->done, arg) : 0;
}

static int explore_units(struct solo__subject *subject, const struct solo_explore_options *options,
                         struct saving *saving, uint64_t units_done)
{
    struct solo__crew_plan plan = {
        .units = {.schedules_max = subject->region->request.schedules_max,
                  .shard = subject->shard != 0 ? subject->shard - 1 : 0,
                  .shards = subject->shards != 0 ? subject->shards : 1},
        .done = units_done,
        .jobs = options->jobs != 0 ? options->jobs : 1,
        .saved = unit_added,
        .arg = saving,
    };
    int result = solo__crew_explore(subject, &plan);
    bool stopped = subject->region->ledger.asked_to_stop != 0; /* then its last units are not whole, and stay unsaved */
    return result == 0 && !stopped ? save(subject, plan.done, saving) : result;
}

/* ---- Parts of a search ---- */

static int check_division(struct solo__subject *subject, const struct saving *saving, uint64_t hash)
{
    struct solo__search *search = &subject->region->ledger.search;
    if (search->division != 0 && search->division != hash) {
        snprintf(subject->why, sizeof subject->why,
                 "checkpoint %.150s: the program's choices are not those that it had (see `solo explain SOLO019`)",
                 saving->path);
        return -EINVAL;
    }
    search->division = hash;
    return 0;
}

static int explore_parts(struct solo__subject *subject, const struct solo_explore_options *options,
                         struct saving *saving, uint64_t units_done)
{
    struct solo__region *region = subject->region;
    struct solo__division division;
    struct solo__crew_plan plan = {
        .division = &division,
        .done = units_done,
        .jobs = options->jobs != 0 ? options->jobs : 1,
        .saved = unit_added,
        .arg = saving,
    };
    if (solo__ledger_is_enough(region)) {
        solo__division_sum_up(region);
        return 0;
    }
    int result = solo__division_make(subject, &division);
    bool stopped = region->ledger.asked_to_stop != 0; /* then it may be a smaller division than it should be */
    if (result == 0 && !stopped) {
        result = check_division(subject, saving, division.hash);
    }
    if (result == 0 && !stopped && solo__division_own(&division) == 0) {
        region->ledger.search.finished = region->ledger.search.complete = region->ledger.strategy_ended = 1;
    }
    if (result == 0 && !stopped) {
        result = solo__crew_explore(subject, &plan);
    }
    solo__division_finish(&division);
    solo__division_sum_up(region);
    stopped = region->ledger.asked_to_stop != 0;
    return result == 0 && !stopped ? save(subject, plan.done, saving) : result;
}

/* ---- Schedules in a row ---- */

static int explore_in_a_row(struct solo__subject *subject, struct saving *saving)
{
    struct solo__region *region = subject->region;
    uint64_t schedules_max = region->request.schedules_max;
    int result = 0;
    while (result == 0 && !solo__ledger_is_enough(region)) {
        uint64_t left = schedules_max - region->ledger.schedules;
        uint32_t known = region->ledger.defect_count;
        region->request.schedules_max = region->ledger.schedules + (left < SEARCH_PIECE ? left : SEARCH_PIECE);
        result = subject->explore(subject);
        region->request.schedules_max = schedules_max;
        if (result == 0 && (is_due(saving) || region->ledger.defect_count != known)) {
            result = save(subject, 0, saving);
        }
    }
    return result == 0 ? save(subject, 0, saving) : result;
}

/* ---- Both ---- */

/* From where the checkpoint is; without one, makes one, so that a bad path is known now and not hours later. */
static int resume(struct solo__subject *subject, struct saving *saving, uint64_t *ret_units_done)
{
    if (saving->path == NULL) {
        return 0;
    }
    int result = solo__checkpoint_read(saving->path, subject, ret_units_done);
    subject->region->ledger.asked_to_stop = __atomic_load_n(&subject->stop_asked, __ATOMIC_RELAXED);
    subject->region->outcome.number = subject->region->ledger.next;
    subject->begun_with = subject->region->ledger.schedules;
    return result == -ENOENT ? save(subject, 0, saving) : result;
}

int solo__pieces_explore(struct solo__subject *subject, const struct solo_explore_options *options)
{
    const char *strategy = subject->region->request.strategy;
    bool samples = solo__strategy_samples(strategy);
    struct saving saving = {.path = options->checkpoint_file};
    uint64_t units_done = 0;
    if (subject->shards != 0 && !samples && !is_search(strategy)) {
        snprintf(subject->why, sizeof subject->why, "strategy %s tries one schedule and has no shards", strategy);
        return -EINVAL;
    }
    int result = subject->get_ready != NULL ? subject->get_ready(subject) : 0;
    result = result == 0 ? resume(subject, &saving, &units_done) : result;
    if (result < 0) {
        return result;
    }
    return samples               ? explore_units(subject, options, &saving, units_done)
           : is_search(strategy) ? explore_parts(subject, options, &saving, units_done)
                                 : explore_in_a_row(subject, &saving);
}

/* ---- For whoever puts shards together ---- */

static void describe(const struct solo__subject *subject, char text[SOLO_EXPLORATION_MAX])
{
    static const char *const carriers[] = {"fiber", "token"};
    static const char *const policies[] = {"refuse", "abort", "report"};
    const struct solo__request *request = &subject->region->request;
    uint64_t bytes = solo__subject_bytes(subject);
    uint64_t peers = request->peer_file[0] != '\0' ? solo__hash_file(SOLO__HASH_START, request->peer_file) : 0;
    snprintf(text, SOLO_EXPLORATION_MAX,
             "%s %016llx, peers %016llx, strategy %s:%u, seed %llu, schedules %llu, distinct %llu a shard, steps %llu, "
             "faults "
             "%u, time %s, carrier %s, policy %s, %s, division %016llx",
             subject->name, (unsigned long long)bytes, (unsigned long long)peers, request->strategy,
             request->strategy_argument, (unsigned long long)request->seed, (unsigned long long)request->schedules_max,
             (unsigned long long)request->distinct_max, (unsigned long long)request->steps_max, request->faults_max,
             request->let_time_pass ? "any" : "idle", carriers[request->carrier & 1], policies[request->policy % 3],
             request->stop_at_first ? "to the first finding" : "to the end",
             (unsigned long long)subject->region->ledger.search.division);
}

/* The hashes of a set, in memory of their own. NULL: out of it. */
static uint64_t *list_set(const uint64_t *set, uint64_t mask, uint64_t distinct)
{
    uint64_t *list = malloc((size_t)(distinct + 1) * sizeof *list);
    uint64_t count = 0;
    for (uint64_t slot = 0; list != NULL && slot <= mask && count < distinct; slot++) {
        if (set[slot] != 0) {
            list[count++] = set[slot];
        }
    }
    return list;
}

int solo__pieces_describe(const struct solo__subject *subject, struct solo_report *report)
{
    const struct solo__region *region = subject->region;
    report->shard = subject->shard;
    report->shards = subject->shards;
    report->traces = list_set(region->traces, region->ledger.set_mask, region->ledger.traces.distinct);
    report->seen_orders = list_set(region->orders, region->ledger.set_mask, region->ledger.orders.distinct);
    describe(subject, report->exploration);
    return report->traces != NULL && report->seen_orders != NULL ? 0 : -ENOMEM;
}
