/*
 * solo_verify_cell.c - calls entry points of an extension where their contracts allow it and where they do not, and judges.
 */
#include "solo_verify.h"
#include <solo/solo.h>
#include <stdio.h>
#include <string.h>

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

bool verify_name(struct verify_cell *cell)
{
    const struct verify_call *calls = cell->calls;
    int size =
        snprintf(cell->name, sizeof cell->name, "%s@%s%s%s%s%s", calls[0].entry->name, context_texts[calls[0].context],
                 cell->call_count > 1 ? "+" : "", cell->call_count > 1 ? calls[1].entry->name : "",
                 cell->call_count > 1 ? "@" : "", cell->call_count > 1 ? context_texts[calls[1].context] : "");
    (void)snprintf(cell->scenario, sizeof cell->scenario, "%s", cell->name);
    for (char *at = cell->scenario; *at != '\0'; at++) {
        *at = *at == '@' ? '-' : *at == '+' ? '_' : *at;
    }
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

static void exercise(void *arg)
{
    const struct turn *turn = arg;
    struct verify_cell *cell = turn->run->cell;
    int code = cell->calls[turn->index].entry->exercise(turn->run->state);
    struct verify_tally *tally = cell->tally;
    tally->ran[turn->index]++;
    tally->refused[turn->index] += code == SOLO_EWRONGTHREAD || code == SOLO_EONREACTOR;
    tally->last_code[turn->index] = code;
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

struct solo_scenario verify_scenario(struct verify_cell *cell)
{
    return (struct solo_scenario){.name = cell->scenario, .body = body, .arg = cell};
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

static void judge_findings(struct verify_cell *cell, const struct solo_report *report)
{
    for (unsigned i = 0; i < report->finding_count; i++) {
        const struct solo_finding *finding = &report->findings[i];
        unsigned id = finding->violation.id;
        bool excused = is_the_refusal(cell, id);
        enum verify_verdict verdict = excused ? VERIFY_UNTRIED : verdict_of_finding(cell, id);
        if (verdict > cell->verdict || (!cell->has_finding && excused)) {
            cell->verdict = verdict > cell->verdict ? verdict : cell->verdict;
            cell->finding_id = id;
            cell->finding = *finding;
            cell->has_finding = true;
        }
    }
}

int verify_cell(struct verify_cell *cell, const struct solo_explore_options *options, struct solo_report *report)
{
    struct solo_scenario scenario = verify_scenario(cell);
    memset(cell->tally, 0, sizeof *cell->tally);
    int error = solo_explore(&scenario, options, report);
    if (error < 0) {
        return error;
    }
    if (cell->tally->set_up_error < 0) {
        return cell->tally->set_up_error;
    }
    cell->schedules = report->schedules;
    cell->verdict = VERIFY_UNTRIED;
    cell->has_finding = false;
    judge_codes(cell);
    judge_findings(cell, report);
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
