/*
 * explore.c - exploring and replaying, from options to report.
 *
 * What is here holds for scenarios and programs alike (subject.h). An exploration runs schedules, writes its evidence,
 * directs some more at locks that were taken in a circle (lock_orders.c), and then turns each defect into a finding
 * (findings.c).
 */
#include "child.h"
#include "findings.h"
#include "ledger.h"
#include "lock_orders.h"
#include "pieces.h"
#include "step.h"
#include "subject.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STEPS_MAX_DEFAULT = 1000000,
    DISTINCT_MAX_DEFAULT = 1000,
    SAMPLES_MAX_DEFAULT = 10 * DISTINCT_MAX_DEFAULT, /* where there are not so many different ones */
    SEARCH_MAX_DEFAULT = 100000,
};
#define WATCHDOG_DEFAULT_NS UINT64_C(10000000000)

void solo_explore_defaults(struct solo_explore_options *options)
{
    *options = (struct solo_explore_options){
        .strategy = "portfolio", .seed = 1, .delay_bound = 2, .let_time_pass = true, .shrink = true};
}

/* ---- Requests ---- */

static int fill_request(struct solo__region *region, const struct solo_explore_options *options)
{
    const char *strategy = options->strategy != NULL ? options->strategy : "portfolio";
    struct solo__request *request = &region->request;
    if (solo_strategy_find(strategy, NULL) == NULL || options->carrier > SOLO_CARRIER_TOKEN ||
        options->policy > SOLO_POLICY_REPORT || options->jobs > SOLO_JOBS_MAX || options->shards > SOLO_SHARDS_MAX ||
        options->shard > options->shards || (options->shards != 0 && options->shard == 0) ||
        (options->peer_file != NULL && strlen(options->peer_file) >= sizeof request->peer_file)) {
        return -EINVAL;
    }
    memset(request, 0, sizeof *request);
    size_t length = strcspn(strategy, ":");
    memcpy(request->strategy, strategy, length);
    request->strategy_argument =
        solo_strategy_argument(strategy, solo__strategy_is_bounded(strategy) ? options->delay_bound : 0);
    request->mode = SOLO__EXPLORE;
    request->seed = options->seed;
    request->schedules_max = options->schedules_max;
    if (options->schedules_max == 0) {
        bool sample = solo__strategy_samples(strategy);
        request->schedules_max = sample ? SAMPLES_MAX_DEFAULT : SEARCH_MAX_DEFAULT;
        request->distinct_max = sample ? DISTINCT_MAX_DEFAULT : 0;
        if (options->shards > 1) { /* each does its part */
            request->distinct_max = (request->distinct_max + options->shards - 1) / options->shards;
        }
    }
    request->unending_max = solo__strategy_samples(strategy) ? SOLO__UNENDING_MAX : 0;
    request->steps_max = options->steps_max != 0 ? options->steps_max : STEPS_MAX_DEFAULT;
    request->watchdog_ns = options->watchdog_ns != 0 ? options->watchdog_ns : WATCHDOG_DEFAULT_NS;
    request->faults_max = options->faults_max;
    request->carrier = options->carrier;
    request->policy = options->policy;
    request->let_time_pass = options->let_time_pass;
    request->stop_at_first = options->stop_at_first;
    request->twin_every = options->twice_every;
    request->dependences = options->dependences;
    strcpy(request->peer_file, options->peer_file != NULL ? options->peer_file : "");
    return 0;
}

static void subject_init(struct solo__subject *subject)
{
    memset(subject, 0, sizeof *subject);
    subject->output_fd = subject->ask_fd = subject->answer_fd = subject->region_fd = -1;
}

void solo__subject_finish(struct solo__subject *subject)
{
    if (subject->finish != NULL) {
        subject->finish(subject);
    }
    int *const fds[] = {&subject->output_fd, &subject->ask_fd, &subject->answer_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0) {
            close(*fds[i]);
            *fds[i] = -1;
        }
    }
    solo__region_destroy(subject->region);
    subject->region = NULL;
}

int solo__subject_copy(struct solo__subject *copy, const struct solo__subject *subject)
{
    subject_init(copy);
    int result = subject->scenario != NULL ? solo__scenario_open(copy, subject->scenario)
                                           : solo__program_open(copy, subject->argv);
    if (result < 0) {
        solo__subject_finish(copy);
    }
    return result;
}

/* ---- Reports ---- */

static void decide_verdict(const struct solo__ledger *ledger, struct solo_report *report)
{
    bool proved = false;
    for (unsigned i = 0; i < report->finding_count; i++) {
        const char *text = report->findings[i].violation.text;
        bool unfinished = report->findings[i].violation.id == SOLO_NO_VIOLATION &&
                          (strncmp(text, "unmodelled ", 11) == 0 || strncmp(text, "the schedule did not end", 24) == 0);
        proved = proved || !unfinished;
    }
    report->verdict = proved ? SOLO_VERDICT_FINDINGS
                      : ledger->killed != 0 || ledger->unending != 0 || ledger->asked_to_stop != 0
                          ? SOLO_VERDICT_INCOMPLETE
                          : SOLO_VERDICT_CLEAN;
}

/* What the strategy's own schedules prove, before its state is used for anything else. */
static void fill_evidence(const struct solo__region *region, struct solo_report *report)
{
    const struct solo__search *search = &region->ledger.search;
    const char *strategy = region->request.strategy;
    bool searches = solo__strategy_is_bounded(strategy) || strcmp(strategy, solo__strategy_dpor.name) == 0;
    report->exhausted = solo__is_exhausted(region);
    report->search = (struct solo_searched){.finished = search->finished != 0,
                                            .complete = search->complete != 0,
                                            .cut = search->cut != 0,
                                            .round = search->round,
                                            .bound = region->request.strategy_argument};
    snprintf(report->search.strategy, sizeof report->search.strategy, "%s", searches ? strategy : "");
    solo__evidence(region, report->evidence);
}

static void fill_report(const struct solo__region *region, struct solo_report *report)
{
    const struct solo__ledger *ledger = &region->ledger;
    report->schedules = ledger->schedules;
    report->distinct = ledger->traces.distinct;
    report->orders = ledger->orders.distinct;
    report->sampled = solo__strategy_samples(region->request.strategy);
    report->threads = ledger->threads_most;
    report->points = ledger->points_most;
    report->failing = ledger->failing;
    report->steps = ledger->steps;
    report->choices = ledger->choices;
    report->unlisted = ledger->lost;
    report->traces_full = ledger->traces.full != 0;
    report->orders_full = ledger->orders.full != 0;
    report->directed = ledger->directed;
    report->directed_failing = ledger->directed_failing;
    report->unfinished = ledger->killed + ledger->unending;
    report->stopped = ledger->asked_to_stop != 0;
    report->required_count = ledger->required_count;
    memcpy(report->required, ledger->required, sizeof report->required);
    report->cycle_count = ledger->cycle_count;
    memcpy(report->cycles, ledger->cycles, sizeof report->cycles);
}

/* One shard's part of a search proves nothing about the rest of it. */
static void narrow_evidence(struct solo_report *report)
{
    char whole[SOLO_EVIDENCE_MAX];
    if (report->search.strategy[0] == '\0' || report->shards == 1) {
        return;
    }
    report->exhausted = false;
    memcpy(whole, report->evidence, sizeof whole);
    if (report->schedules == 0 && report->search.finished) {
        snprintf(whole, sizeof whole, "no schedule of the search was dealt to it");
    }
    snprintf(report->evidence, sizeof report->evidence, "shard %u of %u alone: %.400s", report->shard, report->shards,
             whole);
}

bool solo__subject_is_stopped(const struct solo__subject *subject)
{
    return __atomic_load_n(&subject->region->ledger.asked_to_stop, __ATOMIC_RELAXED) != 0;
}

/* What solo_explore_stop stops; NULL outside an exploration. */
static struct solo__subject *exploring;

bool solo_explore_stop(void)
{
    struct solo__subject *subject = __atomic_load_n(&exploring, __ATOMIC_ACQUIRE);
    if (subject != NULL) {
        __atomic_store_n(&subject->stop_asked, 1, __ATOMIC_RELAXED); /* a checkpoint may be read into the ledger now */
        __atomic_store_n(&subject->region->ledger.asked_to_stop, 1, __ATOMIC_RELAXED);
    }
    return subject != NULL;
}

/*
 * Who stops an exploration often stops the program too, by a signal to the group; that it then does not start is no
 * error.
 */
static int forgive_if_stopped(const struct solo__subject *subject, int result)
{
    return result == -EPROTO && solo__subject_is_stopped(subject) ? 0 : result;
}

static int explore(struct solo__subject *subject, const struct solo_explore_options *options,
                   struct solo_report *report)
{
    struct solo__region *region = subject->region;
    const struct solo_strategy *strategy = solo_strategy_find(region->request.strategy, NULL);
    memset(report, 0, sizeof *report);
    report->verdict = SOLO_VERDICT_INCOMPLETE;
    subject->progress = options->progress;
    solo__region_clear_ledger(region, region->request.schedules_max < SOLO__SET_MAX ? region->request.schedules_max * 2
                                                                                    : SOLO__SET_MAX);
    (void)solo_strategy_prepare(strategy, &region->strategy, region->request.strategy_argument);
    uint64_t begun = solo__wall_ns();
    subject->begun_ns = begun;
    subject->shard = options->shard;
    subject->shards = options->shards;
    __atomic_store_n(&exploring, subject, __ATOMIC_RELEASE);
    int result = solo__pieces_wanted(options) ? solo__pieces_explore(subject, options) : subject->explore(subject);
    result = forgive_if_stopped(subject, result);
    fill_evidence(region, report);
    result = result == 0 ? solo__lock_orders_settle(subject, report->evidence) : result;
    result = forgive_if_stopped(subject, result);
    report->wall_ns = solo__wall_ns() - begun;
    fill_report(region, report);
    if (result == 0 && options->shards != 0) {
        result = solo__pieces_describe(subject, report);
        narrow_evidence(report);
    }
    struct solo__ledger ledger = region->ledger;
    struct solo_explore_options finding_options = *options;
    finding_options.shrink = options->shrink && ledger.asked_to_stop == 0;
    if (result == 0) {
        result = solo__findings_make(subject, &finding_options, report);
    }
    __atomic_store_n(&exploring, NULL, __ATOMIC_RELEASE);
    if (options->progress != NULL) {
        fputs("\r\033[K", options->progress);
        fflush(options->progress);
    }
    if (result == 0) {
        decide_verdict(&ledger, report);
    }
    return result;
}

/* ---- Replay ---- */

/* The events that are kept, oldest first, in memory that the caller frees. NULL: out of memory. */
static struct solo_event *list_events(const struct solo__region *region, uint64_t count)
{
    struct solo_event *events = malloc((count + 1) * sizeof *events);
    uint64_t first = region->log.events_count - count;
    for (uint64_t i = 0; events != NULL && i < count; i++) {
        events[i] = region->events[(first + i) & (SOLO__EVENTS_MAX - 1)];
    }
    return events;
}

static int write_trace(const struct solo__subject *subject, struct solo_replay *replay)
{
    const struct solo__region *region = subject->region;
    uint64_t all = region->log.events_count;
    uint64_t kept = all < SOLO__EVENTS_MAX ? all : SOLO__EVENTS_MAX;
    struct solo_event *events = list_events(region, kept);
    struct solo_trace trace = {
        .scenario = subject->name,
        .events = events,
        .count = (size_t)kept,
        .left_out = all - kept,
        .thread_names = (const char(*)[SOLO_TRACE_NAME_MAX])region->outcome.thread_names,
        .thread_count = region->outcome.thread_count,
        .ending = (int)region->log.ending,
        .hash = region->log.trace_hash,
    };
    FILE *to = events != NULL ? open_memstream(&replay->trace, &replay->trace_size) : NULL;
    int result = to != NULL ? solo_trace_write(to, &trace, region->request.dependences != 0) : -ENOMEM;
    if (to != NULL && fclose(to) != 0) {
        result = -ENOMEM;
    }
    free(events);
    return result;
}

static int fill_replay(struct solo__subject *subject, bool want_trace, struct solo_replay *replay)
{
    const struct solo__region *region = subject->region;
    const struct solo__outcome *outcome = &region->outcome;
    enum { KEPT = sizeof replay->violations / sizeof replay->violations[0] };
    _Static_assert((int)KEPT == (int)SOLO__VIOLATIONS_MAX, "a replay has room for what is kept of a schedule");
    replay->ending = (int)region->log.ending;
    replay->signal = outcome->signal;
    replay->exit_status = outcome->exit_status;
    replay->trace_hash = region->log.trace_hash;
    replay->diverged_at = outcome->diverged_at;
    replay->steps = region->log.events_count;
    replay->violation_count = outcome->violation_count < KEPT ? outcome->violation_count : KEPT;
    memcpy(replay->violations, outcome->violations, replay->violation_count * sizeof replay->violations[0]);
    memcpy(replay->details, outcome->details, replay->violation_count * sizeof replay->details[0]);
    solo__capture_read(subject->output_fd, replay->output);
    struct solo__schedule ran = {.answers = subject->region->answers,
                                 .answers_count = region->log.answers_count,
                                 .open = outcome->running || region->log.ending == SOLO_ENDING_NONE};
    char *text = ran.answers_count <= SOLO__ANSWERS_MAX ? solo__schedule_token(subject, &ran) : NULL;
    if (text != NULL && strlen(text) < sizeof replay->token) {
        strcpy(replay->token, text);
    }
    free(text);
    return want_trace ? write_trace(subject, replay) : 0;
}

/* What a program without access points has to be told. */
static int refuse_accesses(const struct solo__subject *subject, char *why)
{
    snprintf(why, SOLO_EVIDENCE_MAX,
             "%s has no scheduling points at memory accesses: rebuild it with `solo cc -o %s ...`", subject->name,
             subject->name);
    return -ENOTSUP;
}

/* The one that the schedule came to, if it is one. */
static int mark_if_by_time(struct solo__subject *subject, struct solo_replay *replay)
{
    struct solo_violation *reached = NULL;
    for (unsigned i = 0; i < replay->violation_count; i++) {
        bool is_warning = solo__is_possible(&replay->violations[i]);
        if (!is_warning && reached != NULL) {
            return 0;
        }
        reached = is_warning ? reached : &replay->violations[i];
    }
    return reached != NULL ? solo__findings_mark_by_time(subject, reached) : 0;
}

static int replay(struct solo__subject *subject, const char *text, bool strict, bool want_trace,
                  struct solo_replay *ret_replay, char why[SOLO_EVIDENCE_MAX])
{
    struct solo__region *region = subject->region;
    struct solo_limits limits = solo__limits_of(region);
    struct solo_token token;
    int result = solo_token_parse(text, &token, why);
    if (result < 0) {
        return result;
    }
    if (subject->get_ready != NULL) {
        result = subject->get_ready(subject);
    }
    enum solo_granularity granularity = token.granularity;
    if (result == 0 && granularity == SOLO_GRANULARITY_ACCESS && !subject->file.has_accesses) {
        result = refuse_accesses(subject, why);
    }
    token.granularity = SOLO_GRANULARITY_SYNC; /* it is one that this program has */
    result = result < 0 ? result : solo_token_check(&token, subject->name, &limits, why);
    if (result == 0) {
        region->request.granularity = granularity;
        region->request.mode = SOLO__REPLAY;
        region->request.keep_events = 1;
        result = solo__replay_load(&region->strategy.replay, &token, strict);
        result = result == 0 ? subject->run(subject) : result;
    }
    solo_token_finish(&token);
    result = result == 0 ? fill_replay(subject, want_trace, ret_replay) : result;
    if (result == 0 && ret_replay->diverged_at == 0) {
        result = mark_if_by_time(subject, ret_replay);
    }
    return result;
}

static int step(struct solo__subject *subject, solo_step_fn step_fn, void *arg, struct solo_replay *ret_replay)
{
    subject->region->request.mode = SOLO__STEP;
    subject->region->request.keep_events = 1;
    int result = solo__step_run(subject, step_fn, arg);
    return result == 0 ? fill_replay(subject, true, ret_replay) : result;
}

/* ---- The public face ---- */

static int choose_granularity(struct solo__subject *subject, const struct solo_explore_options *options)
{
    bool finest = subject->file.has_accesses && options->granularity != SOLO_WANT_SYNC;
    subject->region->request.granularity = finest ? SOLO_GRANULARITY_ACCESS : SOLO_GRANULARITY_SYNC;
    return options->granularity == SOLO_WANT_ACCESS && !finest ? refuse_accesses(subject, subject->why) : 0;
}

/* Opens one of the two kinds of subject, with its request filled in. */
static int open_subject(struct solo__subject *subject, const struct solo_scenario *scenario, char *const argv[],
                        const struct solo_explore_options *options, const void *ret)
{
    subject_init(subject);
    if (options == NULL || ret == NULL || solo_sim_current() != NULL) {
        return -EINVAL;
    }
    int result = scenario != NULL ? solo__scenario_open(subject, scenario) : solo__program_open(subject, argv);
    result = result == 0 ? fill_request(subject->region, options) : result;
    if (result == 0 && subject->file.is_plain) {
        subject->region->request.carrier = SOLO_CARRIER_TOKEN; /* pthreads and their thread-local storage are real */
    }
    return result == 0 ? choose_granularity(subject, options) : result;
}

/* A name without a slash is looked up in PATH, which surprises whoever means a file that is here. */
static const char *why_not_there(const char *program)
{
    bool is_here = strchr(program, '/') == NULL && access(program, F_OK) == 0;
    return is_here ? "no such program in PATH; for the file in this folder write ./ before it" : "no such program";
}

/* The sentence for an error that nothing else has explained. */
static void explain(const struct solo__subject *subject, int result, char text[SOLO_EVIDENCE_MAX])
{
    const char *reason = solo_error_text(result);
    if (subject->why[0] != '\0' || subject->argv == NULL) {
        snprintf(text, SOLO_EVIDENCE_MAX, "%s", subject->why[0] != '\0' ? subject->why : reason);
        return;
    }
    switch (result) {
    case -ENOENT: reason = why_not_there(subject->argv[0]); break;
    case -EACCES: reason = "it may not be executed"; break;
    case -ENOEXEC: reason = "it is not a program that this machine can execute"; break;
    case -EPROTO: reason = "it ended, or became another program, before its first schedule"; break;
    default: break;
    }
    snprintf(text, SOLO_EVIDENCE_MAX, "%.200s: %s", subject->argv[0], reason);
}

/* Ends a call: releases the subject and leaves one sentence in `why`. */
static int close_subject(struct solo__subject *subject, int result, char *why)
{
    if (result < 0 && why != NULL && why[0] == '\0') {
        explain(subject, result, why);
    }
    solo__subject_finish(subject);
    return result;
}

static int explore_subject(const struct solo_scenario *scenario, char *const argv[],
                           const struct solo_explore_options *options, struct solo_report *ret_report)
{
    struct solo__subject subject;
    int result = open_subject(&subject, scenario, argv, options, ret_report);
    if (result == 0) {
        result = explore(&subject, options, ret_report);
    } else if (ret_report != NULL) {
        memset(ret_report, 0, sizeof *ret_report);
        ret_report->verdict = SOLO_VERDICT_INCOMPLETE;
    }
    if (result < 0 && ret_report != NULL) {
        explain(&subject, result, ret_report->evidence);
    }
    return close_subject(&subject, result, NULL);
}

static int replay_subject(const struct solo_scenario *scenario, char *const argv[], const char *token,
                          const struct solo_explore_options *options, bool strict, bool want_trace,
                          struct solo_replay *ret_replay, char *why)
{
    struct solo__subject subject;
    int result = open_subject(&subject, scenario, argv, options, ret_replay);
    if (why != NULL) {
        why[0] = '\0';
    }
    if (result == 0) {
        memset(ret_replay, 0, sizeof *ret_replay);
        result = replay(&subject, token, strict, want_trace, ret_replay, why);
    }
    return close_subject(&subject, result, why);
}

static int step_subject(const struct solo_scenario *scenario, char *const argv[],
                        const struct solo_explore_options *options, solo_step_fn step_fn, void *arg,
                        struct solo_replay *ret_replay, char *why)
{
    struct solo__subject subject;
    int result = open_subject(&subject, scenario, argv, options, step_fn != NULL ? ret_replay : NULL);
    if (why != NULL) {
        why[0] = '\0';
    }
    if (result == 0) {
        memset(ret_replay, 0, sizeof *ret_replay);
        result = step(&subject, step_fn, arg, ret_replay);
    }
    return close_subject(&subject, result, why);
}

int solo_explore(const struct solo_scenario *scenario, const struct solo_explore_options *options,
                 struct solo_report *ret_report)
{
    return scenario != NULL ? explore_subject(scenario, NULL, options, ret_report) : -EINVAL;
}

int solo_explore_program(char *const argv[], const struct solo_explore_options *options, struct solo_report *ret_report)
{
    return explore_subject(NULL, argv, options, ret_report);
}

int solo_replay_scenario(const struct solo_scenario *scenario, const char *token,
                         const struct solo_explore_options *options, bool strict, bool want_trace,
                         struct solo_replay *ret_replay, char why[SOLO_EVIDENCE_MAX])
{
    return scenario != NULL ? replay_subject(scenario, NULL, token, options, strict, want_trace, ret_replay, why)
                            : -EINVAL;
}

int solo_replay_program(char *const argv[], const char *token, const struct solo_explore_options *options, bool strict,
                        bool want_trace, struct solo_replay *ret_replay, char why[SOLO_EVIDENCE_MAX])
{
    return replay_subject(NULL, argv, token, options, strict, want_trace, ret_replay, why);
}

int solo_step_scenario(const struct solo_scenario *scenario, const struct solo_explore_options *options,
                       solo_step_fn step_fn, void *arg, struct solo_replay *ret_replay, char why[SOLO_EVIDENCE_MAX])
{
    return scenario != NULL ? step_subject(scenario, NULL, options, step_fn, arg, ret_replay, why) : -EINVAL;
}

int solo_step_program(char *const argv[], const struct solo_explore_options *options, solo_step_fn step_fn, void *arg,
                      struct solo_replay *ret_replay, char why[SOLO_EVIDENCE_MAX])
{
    return step_subject(NULL, argv, options, step_fn, arg, ret_replay, why);
}
