/*
 * ledger.c - accounting for schedules that have ended.
 *
 * The passing path is hot: it counts and looks up one hash, and writes nothing else.
 */
#include "ledger.h"
#include "required.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- Violations that the explorer makes ---- */

void solo__outcome_add(struct solo__outcome *outcome, unsigned id, const char *format, ...)
{
    uint32_t slot = outcome->violation_count++;
    if (slot >= SOLO__VIOLATIONS_MAX) {
        return;
    }
    struct solo_violation *violation = &outcome->violations[slot];
    memset(violation, 0, sizeof *violation);
    memset(&outcome->details[slot], 0, sizeof outcome->details[slot]);
    violation->id = id;
    violation->count = 1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(violation->text, sizeof violation->text, format, arguments);
    va_end(arguments);
}

static const char *signal_text(int signal)
{
    switch (signal) {
    case SIGSEGV: return "SIGSEGV (it touched memory that is not there)";
    case SIGBUS: return "SIGBUS (it touched memory that cannot be reached)";
    case SIGABRT: return "SIGABRT (abort, or a failed assertion)";
    case SIGFPE: return "SIGFPE (an arithmetic error)";
    case SIGILL: return "SIGILL (an illegal instruction)";
    case SIGTRAP: return "SIGTRAP (a trap)";
    case SIGKILL: return "SIGKILL (somebody killed it, or memory ran out)";
    default: return NULL;
    }
}

/* The dying child's own words, where it had any; else what its parent saw. */
static void add_death(struct solo__region *region)
{
    struct solo__outcome *outcome = &region->outcome;
    unsigned long long step = (unsigned long long)region->log.events_count;
    const char *words = outcome->signal != 0 ? signal_text(outcome->signal) : NULL;
    uint32_t slot = outcome->violation_count;
    if (outcome->killed) {
        solo__outcome_add(outcome, SOLO_NO_VIOLATION,
                          "unmodelled block after step %llu: the schedule did not go on and was killed", step);
    } else if (outcome->signal != 0 && words != NULL) {
        solo__outcome_add(outcome, SOLO018_MEMORY, "killed by %s after step %llu", words, step);
    } else if (outcome->signal != 0) {
        solo__outcome_add(outcome, SOLO018_MEMORY, "killed by signal %d after step %llu", outcome->signal, step);
    } else if (outcome->last_words) {
        solo__outcome_add(outcome, SOLO018_MEMORY, "%s after step %llu", outcome->dying.text, step);
    } else {
        solo__outcome_add(outcome, SOLO_NO_VIOLATION,
                          "exit with status %d in the middle of a schedule, after step %llu", outcome->exit_status,
                          step);
    }
    if (slot < SOLO__VIOLATIONS_MAX) {
        struct solo_violation *violation = &outcome->violations[slot];
        if (outcome->killed) {
            snprintf(violation->help, sizeof violation->help,
                     "a loop that waits for memory to change has to be built by `solo cc`; a long computation needs "
                     "--watchdog-s");
        }
        if (outcome->last_words) {
            struct solo_violation said = outcome->dying;
            said.id = violation->id;
            memcpy(said.text, violation->text, sizeof said.text);
            memcpy(said.help, violation->help, sizeof said.help);
            *violation = said;
        }
        violation->count = 1;
        violation->step = region->log.events_count;
        violation->now_ns = region->log.now_ns;
    }
}

/*
 * The guard under its policy, or a detector, has reported something and then ended the program: no defect of its own.
 */
static bool is_explained(const struct solo__region *region)
{
    const struct solo__outcome *outcome = &region->outcome;
    bool by_guard = region->request.policy == SOLO_POLICY_ABORT && outcome->signal == SIGABRT &&
                    solo__outcome_reached(outcome) != 0;
    bool by_tool = false;
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        by_tool = by_tool || (outcome->violations[i].from_tool != 0 && outcome->violations[i].id == SOLO018_MEMORY);
    }
    return (by_guard || by_tool) && !outcome->killed;
}

void solo__outcome_close(struct solo__region *region)
{
    struct solo__outcome *outcome = &region->outcome;
    if ((outcome->running || outcome->signal != 0 || outcome->killed) && !is_explained(region)) {
        add_death(region);
    }
    if (outcome->ending == SOLO_ENDING_STEPS) {
        solo__outcome_add(outcome, SOLO_NO_VIOLATION, "the schedule did not end within %llu steps",
                          (unsigned long long)region->request.steps_max);
    }
    if (outcome->diverged_at != 0 && region->request.mode == SOLO__EXPLORE) {
        solo__outcome_add(outcome, SOLO019_NONDETERMINISM,
                          "the same answers led to another choice %u than before: something outside the kit decides",
                          outcome->diverged_at);
    }
    if (solo__outcome_reached(outcome) == 0 && outcome->exited && outcome->exit_status != 0) {
        solo__outcome_add(outcome, SOLO_NO_VIOLATION, "the program exited with status %d", outcome->exit_status);
    }
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        if (outcome->violations[i].step == 0) { /* seen when all was over */
            outcome->violations[i].step = region->log.events_count;
            outcome->violations[i].now_ns = region->log.now_ns;
        }
    }
}

/* ---- Signatures ---- */

/* Copies words, with every run of digits as one '#', so that a changing number does not make another defect. */
static void copy_without_numbers(char *to, size_t size, const char *from)
{
    size_t length = 0;
    for (size_t i = 0; from[i] != '\0' && length + 1 < size; i++) {
        bool digit = from[i] >= '0' && from[i] <= '9';
        bool repeated = digit && i > 0 && from[i - 1] >= '0' && from[i - 1] <= '9';
        if (!repeated) {
            to[length++] = digit ? '#' : from[i];
        }
    }
    to[length] = '\0';
}

/* Who waits for the end of a thread waits for what that one waits for: its kind, whichever of several threads it is. */
static unsigned joined_wait(const struct solo_violation *violation)
{
    uint32_t count = violation->waiter_count < SOLO_WAITERS_MAX ? violation->waiter_count : SOLO_WAITERS_MAX;
    const struct solo_waiter *waiter = &violation->waiters[0];
    for (uint32_t steps = 0; steps < count && waiter->wait_kind == SOLO_WAIT_JOIN; steps++) {
        uint32_t next = 0;
        while (next < count && strcmp(violation->waiters[next].thread, waiter->holder) != 0) {
            next++;
        }
        waiter = next < count ? &violation->waiters[next] : waiter;
    }
    return waiter->wait_kind;
}

void solo__signature(const struct solo_violation *violation, char signature[SOLO__SIGNATURE_MAX])
{
    char words[80] = "";
    if (violation->id == SOLO004_DEADLOCK && violation->waiter_count != 0 &&
        violation->waiters[0].wait_kind == SOLO_WAIT_JOIN) {
        snprintf(signature, SOLO__SIGNATURE_MAX, "SOLO004 %.40s thread %u", violation->function,
                 joined_wait(violation));
        return;
    }
    bool by_place = violation->id == SOLO017_DATA_RACE || violation->id == SOLO016_LOCK_ORDER; /* of a detector */
    bool by_words = violation->id == SOLO_NO_VIOLATION || violation->id == SOLO018_MEMORY || by_place;
    if (by_words) {
        copy_without_numbers(words, sizeof words - 8, violation->text);
    }
    if (violation->id == SOLO_NO_VIOLATION) {
        snprintf(signature, SOLO__SIGNATURE_MAX, "check %s", words);
        return;
    }
    if (solo__is_possible(violation)) {
        snprintf(signature, SOLO__SIGNATURE_MAX, "SOLO%03u %.40s %016llx", (unsigned)violation->id % 1000,
                 violation->function, (unsigned long long)violation->cycle);
        return;
    }
    if (by_place) { /* offsets in a page are the same wherever the code was loaded */
        size_t length = strlen(words);
        snprintf(words + length, sizeof words - length, " %03x %03x", (unsigned)(violation->stack.frames[0] & 0xfff),
                 (unsigned)(violation->owner_stack.frames[0] & 0xfff));
    }
    int kind_length = (int)strcspn(violation->object, "#");
    snprintf(signature, SOLO__SIGNATURE_MAX, "SOLO%03u %.40s %.*s %.16s %s", (unsigned)violation->id % 1000,
             violation->function, kind_length < 16 ? kind_length : 16, violation->object,
             by_words ? "" : violation->role, words);
}

uint32_t solo__outcome_reached(const struct solo__outcome *outcome)
{
    uint32_t reached = outcome->violation_count;
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        reached -= solo__is_possible(&outcome->violations[i]);
    }
    return reached;
}

int solo__outcome_find(const struct solo__outcome *outcome, const char *signature)
{
    char found[SOLO__SIGNATURE_MAX];
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        solo__signature(&outcome->violations[i], found);
        if (strcmp(found, signature) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- Distinct traces and orders: open addressing, never more than three quarters full ---- */

static uint64_t key_of(uint64_t hash)
{
    hash &= ~UINT64_C(1);
    return hash != 0 ? hash : 2;
}

/* Its slot, or the free one where it belongs. */
static uint64_t find_slot(const uint64_t *slots, uint64_t mask, uint64_t key)
{
    uint64_t slot = key >> 8;
    for (;; slot++) {
        uint64_t entry = slots[slot & mask];
        if (entry == 0 || (entry & ~UINT64_C(1)) == key) {
            return slot & mask;
        }
    }
}

static void count_hash(struct solo__seen *seen, uint64_t *slots, uint64_t mask, uint64_t hash)
{
    uint64_t key = key_of(hash);
    uint64_t *entry = &slots[find_slot(slots, mask, key)];
    if (*entry != 0) {
        seen->singletons -= (*entry & 1) == 0;
        *entry |= 1;
    } else if (seen->distinct >= mask / 4 * 3) {
        seen->full = 1;
    } else {
        *entry = key;
        seen->distinct++;
        seen->singletons++;
    }
}

bool solo__ledger_knows_trace(const struct solo__region *region, uint64_t hash)
{
    return region->traces[find_slot(region->traces, region->ledger.set_mask, key_of(hash))] != 0;
}

void solo__ledger_count_trace(struct solo__region *region, uint64_t hash)
{
    count_hash(&region->ledger.traces, region->traces, region->ledger.set_mask, hash);
}

/* The entries of a set, which is emptied. NULL: out of memory. */
static uint64_t *take_entries(uint64_t *slots, uint64_t mask, uint64_t distinct)
{
    uint64_t *entries = malloc((size_t)(distinct + 1) * sizeof *entries);
    uint64_t count = 0;
    for (uint64_t slot = 0; entries != NULL && slot <= mask && count < distinct; slot++) {
        if (slots[slot] != 0) {
            entries[count++] = slots[slot];
        }
    }
    return entries;
}

static void put_entries(uint64_t *slots, uint64_t mask, const uint64_t *entries, uint64_t count)
{
    memset(slots, 0, (mask + 1) * sizeof *slots);
    for (uint64_t i = 0; i < count; i++) {
        slots[find_slot(slots, mask, entries[i] & ~UINT64_C(1))] = entries[i];
    }
}

int solo__ledger_make_room(struct solo__region *region, uint64_t schedules)
{
    struct solo__ledger *ledger = &region->ledger;
    uint64_t slots = ledger->set_mask + 1;
    while (slots < SOLO__SET_MAX && slots / 2 < ledger->schedules + schedules) {
        slots *= 4;
    }
    slots = slots < SOLO__SET_MAX ? slots : SOLO__SET_MAX;
    if (slots == ledger->set_mask + 1) {
        return 0;
    }
    uint64_t *traces = take_entries(region->traces, ledger->set_mask, ledger->traces.distinct);
    uint64_t *orders = take_entries(region->orders, ledger->set_mask, ledger->orders.distinct);
    int result = traces != NULL && orders != NULL ? 0 : -ENOMEM;
    if (result == 0) {
        ledger->set_mask = slots - 1;
        put_entries(region->traces, ledger->set_mask, traces, ledger->traces.distinct);
        put_entries(region->orders, ledger->set_mask, orders, ledger->orders.distinct);
    }
    free(traces);
    free(orders);
    return result;
}

void solo__ledger_count_order(struct solo__region *region, uint64_t fingerprint)
{
    count_hash(&region->ledger.orders, region->orders, region->ledger.set_mask, fingerprint);
}

static void count_schedule(struct solo__region *region)
{
    struct solo__ledger *ledger = &region->ledger;
    const struct solo__order *order = &region->order;
    if (ledger->schedules <= SOLO__UNIT_MAX) {
        region->unit_traces[ledger->schedules - 1] = region->log.trace_hash;
        region->unit_orders[ledger->schedules - 1] = order->fingerprint;
    }
    solo__ledger_count_trace(region, region->log.trace_hash);
    solo__ledger_count_order(region, order->fingerprint);
    ledger->threads_most = order->threads > ledger->threads_most ? order->threads : ledger->threads_most;
    ledger->points_most = order->points > ledger->points_most ? order->points : ledger->points_most;
}

/* ---- Defects ---- */

static void keep_schedule(struct solo__region *region, uint32_t index, const struct solo_violation *violation)
{
    struct solo__defect *defect = &region->ledger.defects[index];
    const struct solo_sim_log *log = &region->log;
    defect->violation = *violation;
    defect->answers_count = log->answers_count;
    defect->deviations = log->deviations;
    defect->steps = log->events_count;
    defect->open = region->outcome.running || log->ending == SOLO_ENDING_NONE;
    uint32_t kept = log->answers_count < SOLO__ANSWERS_MAX ? log->answers_count : SOLO__ANSWERS_MAX;
    memcpy(region->finding_answers[index], region->answers, kept * sizeof region->answers[0]);
}

static bool is_simpler(const struct solo_sim_log *log, const struct solo__defect *defect)
{
    if (log->deviations != defect->deviations) {
        return log->deviations < defect->deviations;
    }
    return log->events_count < defect->steps;
}

bool solo__ledger_reached(const struct solo__ledger *ledger, uint64_t cycle)
{
    for (uint32_t i = 0; i < ledger->cycle_count; i++) {
        if (ledger->cycles[i] == cycle) {
            return true;
        }
    }
    return false;
}

void solo__ledger_add_cycle(struct solo__ledger *ledger, uint64_t cycle)
{
    if (cycle != 0 && ledger->cycle_count < SOLO_CYCLES_MAX && !solo__ledger_reached(ledger, cycle)) {
        ledger->cycles[ledger->cycle_count++] = cycle;
    }
}

static void account_violation(struct solo__region *region, const struct solo_violation *violation)
{
    struct solo__ledger *ledger = &region->ledger;
    char signature[SOLO__SIGNATURE_MAX];
    solo__signature(violation, signature);
    if (violation->id == SOLO004_DEADLOCK) {
        solo__ledger_add_cycle(ledger, violation->cycle);
    }
    if (region->request.target[0] != '\0' && strcmp(signature, region->request.target) == 0) {
        ledger->target_found = 1;
    }
    for (uint32_t i = 0; i < ledger->defect_count; i++) {
        struct solo__defect *defect = &ledger->defects[i];
        if (strcmp(defect->signature, signature) == 0) {
            defect->schedules++;
            if (is_simpler(&region->log, defect)) {
                keep_schedule(region, i, violation);
            }
            return;
        }
    }
    if (ledger->defect_count == SOLO_FINDINGS_MAX) {
        ledger->lost++;
        return;
    }
    uint32_t index = ledger->defect_count;
    struct solo__defect *defect = &ledger->defects[index];
    memset(defect, 0, sizeof *defect);
    strcpy(defect->signature, signature);
    defect->schedules = 1;
    defect->first_schedule = ledger->schedules;
    const struct solo_strategy *strategy = solo_strategy_find(region->request.strategy, NULL);
    snprintf(defect->found_by, sizeof defect->found_by, "%s", solo_strategy_member(strategy, &region->strategy));
    keep_schedule(region, index, violation);
    ledger->defect_count++;
}

/*
 * Whether violation `index` has the same signature as an earlier one of this schedule: a schedule shows a defect once.
 */
static bool is_counted(const struct solo__outcome *outcome, uint32_t index)
{
    char signature[SOLO__SIGNATURE_MAX];
    solo__signature(&outcome->violations[index], signature);
    return solo__outcome_find(outcome, signature) != (int)index;
}

bool solo__ledger_counts(struct solo__region *region)
{
    const struct solo__dfs_state *dfs = &region->strategy.dfs;
    const struct solo__dpor_state *dpor = &region->strategy.dpor;
    if (solo__strategy_is_bounded(region->request.strategy)) {
        region->outcome.diverged_at = dfs->diverged_at;
        return dfs->diverged_at != 0 || !solo__dfs_is_repeat(dfs);
    }
    if (strcmp(region->request.strategy, solo__strategy_dpor.name) == 0) {
        region->outcome.diverged_at = dpor->diverged_at;
        return dpor->diverged_at != 0 || !dpor->redundant;
    }
    return true;
}

bool solo__ledger_account(struct solo__region *region)
{
    struct solo__ledger *ledger = &region->ledger;
    const struct solo__outcome *outcome = &region->outcome;
    ledger->schedules++;
    ledger->steps += region->log.events_count;
    ledger->choices += region->log.answers_count;
    ledger->killed += outcome->killed;
    ledger->unending += outcome->ending == SOLO_ENDING_STEPS || outcome->ending == SOLO_ENDING_UNMODELLED;
    count_schedule(region);
    solo__required_account(ledger, outcome);
    if (outcome->violation_count == 0) {
        return false;
    }
    bool failed = solo__outcome_reached(outcome) != 0;
    ledger->failing += failed;
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        if (!is_counted(outcome, i)) {
            account_violation(region, &outcome->violations[i]);
        }
    }
    return failed;
}

bool solo__ledger_has_only_one(const struct solo__ledger *ledger)
{
    return ledger->schedules == 1 && ledger->choices == 0 && ledger->killed + ledger->unending == 0;
}

bool solo__ledger_is_endless(const struct solo__region *region)
{
    const struct solo__ledger *ledger = &region->ledger;
    uint64_t max = region->request.unending_max;
    return max != 0 && ledger->unending >= max && ledger->unending == ledger->schedules;
}

bool solo__ledger_is_enough(const struct solo__region *region)
{
    const struct solo__ledger *ledger = &region->ledger;
    const struct solo__request *request = &region->request;
    return ledger->stop || __atomic_load_n(&ledger->asked_to_stop, __ATOMIC_RELAXED) != 0 || ledger->strategy_ended ||
           ledger->target_found || ledger->schedules >= request->schedules_max ||
           (request->distinct_max != 0 && ledger->traces.distinct >= request->distinct_max) ||
           (request->stop_at_first && ledger->failing != 0) || solo__ledger_is_endless(region);
}
