/*
 * scenario_child.c - schedules of a scenario, in the forked child that runs them.
 *
 * The loop makes no system call and formats nothing while schedules pass. Everything it learns is in the region, so the
 * next child goes on where this one dies.
 */
#define _GNU_SOURCE
#include "scenario.h"
#include "child.h"
#include "ledger.h"
#include "oracle.h"
#include "step.h"
#include "subject.h"
#include "twin.h"
#include <errno.h>
#include <stdlib.h>
#include <solo/expect.h>
#include <string.h>
#include <unistd.h>

/*
 * ThreadSanitizer forgets everything after some 8,000 runs in one process (its epochs run out): a race that falls into
 * that gap is missed. So such a process lives shorter.
 */
#ifdef SOLO_TSAN
enum { CHILD_SCHEDULES_MAX = 4000, CHILD_EXPLORES_ON = false };
#else
enum { CHILD_SCHEDULES_MAX = 1 << 20, CHILD_EXPLORES_ON = true };
#endif

struct work {
    struct solo__region *region;
    const struct solo_scenario *scenario;
    struct solo_sim *sim;
    struct solo_sim *twin;
};

/* ---- One schedule, in the child ---- */

static void check_invariant(struct solo__region *region, const struct solo_scenario *scenario)
{
    const char *failure = scenario->invariant != NULL ? scenario->invariant(scenario->arg) : NULL;
    if (failure != NULL) {
        solo__outcome_add(&region->outcome, SOLO_NO_VIOLATION, "%s", failure);
    }
}

/* Runs one schedule to its end. 1: the strategy has nothing left to try; negative: the kit's own error. */
static int run_schedule(struct work *work)
{
    struct solo__region *region = work->region;
    const struct solo_scenario *scenario = work->scenario;
    uint64_t seed = region->request.seed + region->ledger.next;
    solo__child_begin(region);
    if (scenario->set_up != NULL) {
        scenario->set_up(scenario->arg);
    }
    int ending = solo_sim_run(work->sim, seed, scenario->body, scenario->arg);
    if (ending == SOLO_ENDING_RETURNED || ending == SOLO_ENDING_QUIET) { /* else it has no end to check */
        check_invariant(region, scenario);
    }
    if (scenario->tear_down != NULL) {
        scenario->tear_down(scenario->arg);
    }
    solo__child_end(region);
    if (ending == SOLO_ECLOSING) {
        return 1;
    }
    region->ledger.next++;
    return ending < 0 ? ending : 0;
}

/* ---- The same schedule twice ---- */

static void run_twin(struct work *work)
{
    struct solo__region *region = work->region;
    const struct solo_scenario *scenario = work->scenario;
    if (region->log.ending == SOLO_ENDING_DIVERGED || region->log.answers_count > SOLO__ANSWERS_MAX ||
        (work->twin == NULL && solo__child_create_twin(region, &work->twin) < 0)) {
        return;
    }
    solo__replay_load_answers(&region->twin, region->answers, region->log.answers_count);
    solo__child_mute(true);
    region->outcome.running = 1;
    solo_violation_reset();
    solo_expectations_reset();
    solo_oracles_begin();
    if (scenario->set_up != NULL) {
        scenario->set_up(scenario->arg);
    }
    (void)solo_sim_run(work->twin, 0, scenario->body, scenario->arg);
    if (scenario->tear_down != NULL) {
        scenario->tear_down(scenario->arg);
    }
    region->outcome.running = 0;
    solo__child_mute(false);
    solo__twin_compare(region);
}

/* ---- The child ---- */

bool solo__scenario_child_stays(const struct solo__region *region)
{
    const struct solo__request *request = &region->request;
    return request->mode == SOLO__REPLAY
               ? !request->keep_events
               : request->mode == SOLO__EXPLORE && request->comes_in_pieces && CHILD_EXPLORES_ON;
}

/* After a schedule of an exploration. */
static void account(struct work *work)
{
    struct solo__region *region = work->region;
    if (!solo__ledger_counts(region)) {
        return;
    }
    if (solo__twin_is_due(region, region->outcome.number)) {
        run_twin(work);
    }
    solo__outcome_close(region);
    (void)solo__ledger_account(region);
}

/*
 * A detector reports a race, or two locks, once in a process: the next schedule that shows it needs another one to be
 * counted.
 */
bool solo__scenario_child_is_spent(const struct solo__outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        const struct solo_violation *violation = &outcome->violations[i];
        if (violation->id == SOLO017_DATA_RACE || (violation->id == SOLO016_LOCK_ORDER && violation->from_tool != 0)) {
            return true;
        }
    }
    return false;
}

static int explore_in_child(struct work *work)
{
    struct solo__region *region = work->region;
    for (unsigned i = 0; i < CHILD_SCHEDULES_MAX && !solo__ledger_is_enough(region); i++) {
        solo__twin_keep_events(region);
        int result = run_schedule(work);
        if (result == 1) {
            region->ledger.strategy_ended = 1;
            return 0;
        }
        if (result < 0) {
            return result;
        }
        account(work);
        if (solo__scenario_child_is_spent(&region->outcome)) {
            return 0;
        }
    }
    return 0;
}

/* The body called exit: the schedule ends here, before tools look at a process that stopped half way. */
static void on_exit_in_the_middle(int status, void *arg)
{
    (void)arg;
    fflush(NULL);
    solo__process_leave(status);
}

/*
 * What was asked for, and as long as it is told so, more of it: replays while shrinking, and parts of a search, are
 * many and short.
 */
static int run_in_child(struct work *work, int life_fd)
{
    bool explores = work->region->request.mode == SOLO__EXPLORE;
    int result;
    do {
        result = explores ? explore_in_child(work) : run_schedule(work);
        work->region->child_result = result;
        fflush(NULL);
    } while (result == 0 && solo__scenario_child_stays(work->region) && solo__process_report(life_fd));
    return result;
}

void solo__scenario_child(struct solo__subject *subject, int life_fd)
{
    struct solo__region *region = subject->region;
    struct work work = {.region = region, .scenario = subject->scenario};
    bool explores = region->request.mode == SOLO__EXPLORE;
    solo__child_redirect(explores ? -1 : subject->output_fd);
    solo__child_prepare(region);
    (void)on_exit(on_exit_in_the_middle, NULL);
    solo__step_listen(region, subject->answer_fd);
    int result = solo__child_create_sim(region, solo__child_strategy(region), &work.sim);
    if (result == 0) {
        result = run_in_child(&work, life_fd);
    }
    fflush(NULL);
    region->child_result = result;
    solo__process_leave(0);
}
