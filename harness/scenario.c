/*
 * scenario.c - schedules of a scenario, in the explorer's process: it forks a child that runs many of them in a row.
 *
 * When a schedule kills the child, the explorer accounts for it and forks the next one, which goes on with the next
 * schedule. A child that replays for the shrinker stays for the next replay.
 */
#include "scenario.h"
#include "child.h"
#include "ledger.h"
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends the child that waits for another schedule. */
static void dismiss(struct solo__subject *subject)
{
    if (subject->child != 0) {
        close(subject->life_fd);
        while (waitpid(subject->child, NULL, 0) < 0 && errno == EINTR) {
        }
        subject->child = 0;
    }
}

/* Has a child begin with what the request asks for: the one that waits, or a new one. */
static int start_child(struct solo__subject *subject)
{
    if (subject->child != 0 && solo__scenario_child_stays(subject->region) && solo__process_go_on(subject->life_fd)) {
        return 0;
    }
    dismiss(subject);
    if (subject->region->request.keep_events) {
        solo__child_warm_up_names();
    }
    fflush(NULL); /* what is buffered now would be written by both */
    subject->child = solo__process_fork(&subject->life_fd);
    if (subject->child == 0) {
        solo__scenario_child(subject, subject->life_fd);
    }
    if (subject->child < 0) {
        subject->child = 0;
        return -errno;
    }
    return 0;
}

static void watch_child(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    bool steps = region->request.mode == SOLO__STEP;
    struct solo__watch watch = {
        .region = region,
        .watchdog_ns = steps ? 0 : region->request.watchdog_ns,
        .life_fd = subject->life_fd,
        .guest_fd = steps ? subject->ask_fd : -1,
        .serve = subject->serve,
        .tick = solo__subject_tick,
        .arg = subject,
    };
    if (solo__process_watch(subject->child, &watch)) {
        close(subject->life_fd);
        subject->child = 0;
    } else if (solo__scenario_child_is_spent(&region->outcome)) {
        dismiss(subject);
    }
}

/* Runs what the request asks for. Negative: the kit itself failed. */
static int run_child(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    region->outcome.running = 0;
    region->child_result = -EIO;
    int started = start_child(subject);
    if (started < 0) {
        return started;
    }
    watch_child(subject);
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
    dismiss(subject);
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
