/*
 * scenario.c - schedules of a scenario: a forked child runs many of them in a row.
 *
 * The child's loop makes no system call and formats nothing while schedules pass. When a schedule kills the child, the parent
 * accounts for it and forks the next child, which goes on with the next schedule: all state is in the region.
 */
#define _GNU_SOURCE
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
 * ThreadSanitizer forgets everything after some 8,000 runs in one process (its epochs run out): a race that falls into that gap
 * is missed. So such a process lives shorter.
 */
#ifdef SOLO_TSAN
enum { CHILD_SCHEDULES_MAX = 4000 };
#else
enum { CHILD_SCHEDULES_MAX = 1 << 20 };
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
    if (ending > SOLO_ENDING_NONE && ending != SOLO_ENDING_DIVERGED) {
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

/* A detector reports a race once in a process: the next schedule that shows it needs another one to be counted. */
static bool is_detector_spent(const struct solo__outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        if (outcome->violations[i].id == SOLO017_DATA_RACE) {
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
        if (is_detector_spent(&region->outcome)) {
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

static int child_main(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    struct work work = {.region = region, .scenario = subject->scenario};
    solo__child_redirect(region->request.mode == SOLO__EXPLORE ? -1 : subject->output_fd);
    solo__child_prepare(region);
    (void)on_exit(on_exit_in_the_middle, NULL);
    solo__step_listen(region, subject->answer_fd);
    int result = solo__child_create_sim(region, solo__child_strategy(region), &work.sim);
    if (result == 0) {
        result = region->request.mode == SOLO__EXPLORE ? explore_in_child(&work) : run_schedule(&work);
    }
    fflush(NULL);
    region->child_result = result;
    return 0;
}

/* ---- The parent ---- */

/* Runs a child to its end. Negative: the kit itself failed. */
static int run_child(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    fflush(NULL); /* what is buffered now would be written by both */
    region->outcome.running = 0;
    region->child_result = -EIO;
    pid_t pid = solo__process_fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        solo__process_leave(child_main(subject));
    }
    struct solo__watch watch = {
        .region = region,
        .watchdog_ns = region->request.mode == SOLO__STEP ? 0 : region->request.watchdog_ns,
        .guest_fd = region->request.mode == SOLO__STEP ? subject->ask_fd : -1,
        .serve = subject->serve,
        .tick = solo__subject_tick,
        .arg = subject,
    };
    solo__process_watch(pid, &watch);
    if (region->outcome.running || region->outcome.killed) {
        return 0; /* the program's end, not ours */
    }
    return region->child_result < 0 ? region->child_result : 0;
}

static int explore(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    while (!solo__ledger_is_enough(region)) {
        int result = run_child(subject);
        if (result < 0) {
            return result;
        }
        if (region->outcome.running || region->outcome.killed) {
            region->ledger.next++;
            if (solo__ledger_counts(region)) {
                solo__outcome_close(region);
                (void)solo__ledger_account(region);
            }
            region->ledger.stop = region->ledger.killed >= SOLO__KILLED_MAX;
        }
    }
    return 0;
}

static int run_one(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    solo__capture_rewind(subject->output_fd);
    region->ledger.next = 0;
    int result = run_child(subject);
    if (result == 0) {
        solo__child_account_for(region);
    }
    return result;
}

static void finish(struct solo__subject *subject)
{
    (void)subject; /* no child outlives a call */
}

int solo__scenario_open(struct solo__subject *subject, const struct solo_scenario *scenario)
{
    if (scenario == NULL || scenario->body == NULL || !solo_scenario_name_is_valid(scenario->name)) {
        return -EINVAL;
    }
    subject->scenario = scenario;
    strcpy(subject->name, scenario->name);
    subject->region = solo__region_create(NULL);
    if (subject->region == NULL) {
        return -ENOMEM;
    }
    solo__child_warm_up();
    subject->output_fd = solo__capture_create();
    subject->explore = explore;
    subject->run = run_one;
    subject->finish = finish;
    return 0;
}
