/*
 * solo_verify_cell.c - calls entry points of an extension where their contracts allow it and where they do not, and
 * judges.
 */
#include "solo_verify.h"
#include <errno.h>
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the finding begins that a wrong answer of an entry point makes. */
static const char verify_broken[] = "contract broken:";

static const char *const context_texts[VERIFY_CONTEXTS] = {"reactor", "worker", "foreign"};

const char *verify_context_text(enum verify_context context)
{
    return context < VERIFY_CONTEXTS ? context_texts[context] : "?";
}

bool verify_allows(enum solo_contract_kind contract, enum verify_context context)
{
    switch (contract) {
    case SOLO_CONTRACT_REACTOR_ONLY: return context == VERIFY_REACTOR;
    case SOLO_CONTRACT_NOT_ON_REACTOR: return context != VERIFY_REACTOR;
    case SOLO_CONTRACT_POOL_ONLY: return context == VERIFY_WORKER;
    case SOLO_CONTRACT_ANY_THREAD:
    default: return true;
    }
}

/* The cell's name in letters that a token may have. One that is too long ends with its hash instead. */
static void name_scenario(struct verify_cell *cell)
{
    uint32_t hash = 2166136261u;
    size_t room = sizeof cell->scenario;
    for (const char *at = cell->name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    }
    (void)snprintf(cell->scenario, room, "%.*s", (int)room - 1, cell->name);
    for (char *at = cell->scenario; *at != '\0'; at++) {
        *at = *at == '@' ? '-' : *at == '+' ? '_' : *at;
    }
    if (strlen(cell->name) >= room) {
        (void)snprintf(cell->scenario + room - 10, 10, "-%08x", (unsigned)hash);
    }
}

bool verify_name(struct verify_cell *cell)
{
    const struct verify_call *calls = cell->calls;
    int size =
        snprintf(cell->name, sizeof cell->name, "%s@%s%s%s%s%s", calls[0].entry->name, context_texts[calls[0].context],
                 cell->call_count > 1 ? "+" : "", cell->call_count > 1 ? calls[1].entry->name : "",
                 cell->call_count > 1 ? "@" : "", cell->call_count > 1 ? context_texts[calls[1].context] : "");
    name_scenario(cell);
    return size > 0 && (size_t)size < sizeof cell->name;
}

/* ---- One schedule ---- */

struct run {
    struct verify_cell *cell;
    struct solo_reactor *reactor;
    void *state;
    unsigned left; /* calls that have not returned; on the reactor thread */
    struct solo_thread *foreign[2];
};

struct turn { /* one call of one run */
    struct run *run;
    unsigned index;
};

static bool is_refusal(int code)
{
    return code == SOLO_EWRONGTHREAD || code == SOLO_EONREACTOR;
}

static void exercise(void *arg)
{
    const struct turn *turn = arg;
    struct verify_cell *cell = turn->run->cell;
    int code = cell->calls[turn->index].entry->exercise(turn->run->state);
    struct verify_tally *tally = cell->tally;
    tally->ran[turn->index]++;
    tally->refused[turn->index] += is_refusal(code);
    tally->last_code[turn->index] = code;
    tally->has_run[turn->index] = true;
}

static void returned(int status, void *arg)
{
    struct run *run = ((const struct turn *)arg)->run;
    (void)status;
    if (--run->left > 0) {
        return;
    }
    if (run->cell->extension->tear_down != NULL) {
        run->cell->extension->tear_down(run->state);
    }
    (void)solo_reactor_stop(run->reactor);
}

static void returned_from_foreign(void *arg)
{
    returned(0, arg);
}

static void on_foreign_thread(void *arg)
{
    exercise(arg);
    (void)solo_reactor_call_from_thread(((const struct turn *)arg)->run->reactor, returned_from_foreign, arg, NULL);
}

static int send(struct turn *turn)
{
    struct run *run = turn->run;
    switch (run->cell->calls[turn->index].context) {
    case VERIFY_WORKER: return solo_reactor_call_in_thread(run->reactor, exercise, turn, returned);
    case VERIFY_FOREIGN: return solo_thread_create(on_foreign_thread, turn, &run->foreign[turn->index]);
    default: return solo_reactor_call_from_thread(run->reactor, exercise, turn, returned);
    }
}

static void begin(void *arg)
{
    struct turn *turns = arg;
    struct run *run = turns[0].run;
    int error = run->cell->extension->set_up(run->reactor, &run->state);
    if (error < 0) {
        run->cell->tally->set_up_error = error;
        (void)solo_reactor_stop(run->reactor);
        return;
    }
    run->left = run->cell->call_count;
    for (unsigned i = 0; i < run->cell->call_count; i++) {
        if (send(&turns[i]) < 0) {
            run->left--;
        }
    }
}

static void body(void *arg)
{
    struct run run = {.cell = arg};
    struct turn turns[2] = {{&run, 0}, {&run, 1}};
    if (solo_reactor_create(NULL, &run.reactor) < 0) {
        return;
    }
    (void)solo_reactor_call_when_running(run.reactor, begin, turns, NULL);
    (void)solo_reactor_run(run.reactor);
    for (unsigned i = 0; i < 2; i++) {
        if (run.foreign[i] != NULL) {
            (void)solo_thread_join(run.foreign[i]);
        }
    }
    (void)solo_reactor_destroy(run.reactor);
}

static void forget_last_schedule(void *arg)
{
    struct verify_tally *tally = ((struct verify_cell *)arg)->tally;
    tally->has_run[0] = tally->has_run[1] = false;
}

/* A call that its contract forbids there and that was not refused, or the other way round, fails its schedule. */
static const char *check_refusals(void *arg)
{
    static char text[SOLO_VIOLATION_TEXT_MAX];
    const struct verify_cell *cell = arg;
    for (unsigned i = 0; i < cell->call_count; i++) {
        const struct verify_call *call = &cell->calls[i];
        bool refused = is_refusal(cell->tally->last_code[i]);
        if (cell->tally->has_run[i] && refused == verify_allows(call->entry->contract, call->context)) {
            (void)snprintf(text, sizeof text, "%s `%s` %s in context %s, where its contract, %s, %s it", verify_broken,
                           call->entry->name, refused ? "refused to run" : "ran", context_texts[call->context],
                           solo_contract_kind_name(call->entry->contract), refused ? "allows" : "forbids");
            return text;
        }
    }
    return NULL;
}

struct solo_scenario verify_scenario(struct verify_cell *cell)
{
    return (struct solo_scenario){
        .name = cell->scenario, .set_up = forget_last_schedule, .body = body, .invariant = check_refusals, .arg = cell};
}

/* ---- The judgement ---- */

static enum verify_verdict verdict_of_finding(const struct verify_cell *cell, unsigned id)
{
    switch (id) {
    case SOLO017_DATA_RACE: return VERIFY_RACE;
    case SOLO004_DEADLOCK: return VERIFY_DEADLOCK;
    case SOLO018_MEMORY: return VERIFY_CRASH;
    case SOLO002_REACTOR_BLOCKED:
        for (unsigned i = 0; i < cell->call_count; i++) {
            if (cell->calls[i].context == VERIFY_REACTOR &&
                cell->calls[i].entry->contract == SOLO_CONTRACT_NOT_ON_REACTOR) {
                return VERIFY_NOT_ENFORCED;
            }
        }
        return VERIFY_BLOCKS;
    default: return VERIFY_FINDING;
    }
}

/* The guard's own word about a call that had to be refused is no breach: the refusal is judged by its code. */
static bool is_the_refusal(const struct verify_cell *cell, unsigned id)
{
    if (id != SOLO001_WRONG_THREAD && id != SOLO003_BLOCKING_CALL_ON_REACTOR) {
        return false;
    }
    for (unsigned i = 0; i < cell->call_count; i++) {
        if (!verify_allows(cell->calls[i].entry->contract, cell->calls[i].context)) {
            return true;
        }
    }
    return false;
}

static void judge_codes(struct verify_cell *cell)
{
    for (unsigned i = 0; i < cell->call_count; i++) {
        const struct verify_call *call = &cell->calls[i];
        const struct verify_tally *tally = cell->tally;
        enum verify_verdict verdict;
        if (verify_allows(call->entry->contract, call->context)) {
            verdict = tally->refused[i] > 0 ? VERIFY_REFUSES : VERIFY_AS_DECLARED;
        } else {
            verdict = tally->ran[i] > 0 && tally->refused[i] == tally->ran[i] ? VERIFY_REFUSED : VERIFY_NOT_ENFORCED;
        }
        if (verdict > cell->verdict) {
            cell->verdict = verdict;
        }
    }
}

/* Says no more than the codes do, but it has a token. */
static bool is_wrong_answer(const struct solo_violation *violation)
{
    return violation->id == SOLO_NO_VIOLATION && strncmp(violation->text, verify_broken, strlen(verify_broken)) == 0;
}

/* Whether this finding decides, in front of those before it; the verdict is then its own. */
static bool judge_finding(struct verify_cell *cell, const struct solo_violation *violation)
{
    unsigned id = violation->id;
    if (is_wrong_answer(violation)) {
        return cell->verdict == VERIFY_REFUSES || cell->verdict == VERIFY_NOT_ENFORCED;
    }
    if (is_the_refusal(cell, id)) {
        return !cell->has_finding && !verify_is_breach(cell);
    }
    enum verify_verdict verdict = verdict_of_finding(cell, id);
    if (verdict <= cell->verdict) {
        return false;
    }
    cell->verdict = verdict;
    cell->finding_id = id;
    return true;
}

static void judge_findings(struct verify_cell *cell, const struct solo_report *report)
{
    for (unsigned i = 0; i < report->finding_count; i++) {
        if (judge_finding(cell, &report->findings[i].violation)) {
            cell->finding = report->findings[i];
            cell->has_finding = true;
        }
    }
}

static void begin_judgement(struct verify_cell *cell)
{
    memset(cell->tally, 0, sizeof *cell->tally);
    cell->verdict = VERIFY_UNTRIED;
    cell->finding_id = 0;
    cell->has_finding = false;
}

bool verify_is_breach(const struct verify_cell *cell)
{
    return cell->verdict >= VERIFY_REFUSES;
}

static long answer_plainly(const struct solo_step_view *view, void *arg)
{
    (void)view;
    (void)arg;
    return SOLO_STEP_PLAIN;
}

/* Where no finding has a token, every schedule shows the verdict: the plain one's will do. */
static int take_token(struct verify_cell *cell, const struct solo_explore_options *options)
{
    if (cell->has_finding && verify_is_breach(cell) && cell->finding.token[0] != '\0') {
        memcpy(cell->token, cell->finding.token, sizeof cell->token);
        return 0;
    }
    struct solo_scenario scenario = verify_scenario(cell);
    struct solo_replay *replay = calloc(1, sizeof *replay);
    char why[SOLO_EVIDENCE_MAX];
    int error = replay != NULL ? solo_step_scenario(&scenario, options, answer_plainly, NULL, replay, why) : -ENOMEM;
    if (error == 0) {
        memcpy(cell->token, replay->token, sizeof cell->token);
        free(replay->trace);
    }
    free(replay);
    return error;
}

int verify_cell(struct verify_cell *cell, const struct solo_explore_options *options, struct solo_report *report)
{
    struct solo_scenario scenario = verify_scenario(cell);
    begin_judgement(cell);
    int error = solo_explore(&scenario, options, report);
    if (error < 0) {
        return error;
    }
    if (cell->tally->set_up_error < 0) {
        return cell->tally->set_up_error;
    }
    cell->schedules = report->schedules;
    judge_codes(cell);
    judge_findings(cell, report);
    return take_token(cell, options);
}

int verify_replay(struct verify_cell *cell, const char *token, const struct solo_explore_options *options,
                  struct solo_replay *replay, char why[SOLO_EVIDENCE_MAX])
{
    struct solo_scenario scenario = verify_scenario(cell);
    begin_judgement(cell);
    int error = solo_replay_scenario(&scenario, token, options, true, false, replay, why);
    if (error < 0) {
        return error;
    }
    cell->schedules = 1;
    judge_codes(cell);
    for (unsigned i = 0; i < replay->violation_count; i++) {
        (void)judge_finding(cell, &replay->violations[i]);
    }
    memcpy(cell->token, replay->token, sizeof cell->token);
    return 0;
}

const char *verify_verdict_text(const struct verify_cell *cell, char *buffer, size_t size)
{
    static const char *const texts[] = {
        [VERIFY_UNTRIED] = "-",
        [VERIFY_AS_DECLARED] = "as declared",
        [VERIFY_REFUSED] = "refused",
        [VERIFY_REFUSES] = "REFUSES",
        [VERIFY_NOT_ENFORCED] = "NOT ENFORCED",
        [VERIFY_BLOCKS] = "BLOCKS",
        [VERIFY_FINDING] = "FINDING",
        [VERIFY_RACE] = "RACE",
        [VERIFY_DEADLOCK] = "DEADLOCK",
        [VERIFY_CRASH] = "CRASH",
    };
    if (cell->verdict == VERIFY_FINDING && cell->finding_id != 0) {
        (void)solo_violation_name(cell->finding_id, buffer);
    } else {
        (void)snprintf(buffer, size, "%s", texts[cell->verdict]);
    }
    return buffer;
}
