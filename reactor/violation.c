/*
 * violation.c - where findings go: de-duplication, counts, policy and the sink.
 *
 * Violations come from any thread of any world. One spin flag guards the table of findings; it is held for a few dozen
 * instructions, never across a scheduling point or a call of the sink. Race detectors do not look at this file
 * (reactor/module.mk), because the flag must not order the threads whose mistakes it counts.
 */
#include <solo/violation.h>
#include "annotate.h"
#include "guard.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 256, IDS = 20 };

struct finding {
    uint64_t key;
    unsigned count;
    unsigned id;
    bool in_sim; /* its harness counts schedules instead */
    char function[SOLO_VIOLATION_NAME_MAX];
    char thread[SOLO_VIOLATION_NAME_MAX];
};

static struct {
    char busy; /* the spin flag */
    unsigned used;
    unsigned unlisted; /* made when the table was full: counted, not delivered */
    unsigned counts[IDS];
    solo_violation_sink_fn sink;
    void *sink_arg;
    struct finding findings[FINDINGS_MAX];
} all;

static enum solo_policy policy = SOLO_POLICY_REFUSE;

static void print_first_line(const struct solo_violation *violation, void *arg);

static void enter(void)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    while (__atomic_test_and_set(&all.busy, __ATOMIC_ACQUIRE)) {
    }
}

static void leave(void)
{
    __atomic_clear(&all.busy, __ATOMIC_RELEASE);
    SOLO_ANNOTATE_IGNORE_END();
}

/* ---- What counts as the same finding ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* `site` is where it was done; a finding without one is told apart by what it is about. */
static uint64_t key_of(unsigned id, const char *function, uint64_t site)
{
    uint64_t hash = mix(id, site);
    for (const char *at = function; *at != '\0'; at++) {
        hash = mix(hash, (unsigned char)*at);
    }
    return hash;
}

static uint64_t site_of(const struct solo_violation *violation)
{
    if (violation->stack.count > 0) {
        return violation->stack.frames[0];
    }
    return violation->queued_stack.count > 0 ? violation->queued_stack.frames[0] : violation->object_id;
}

/* Both with the flag held. */
static struct finding *find(uint64_t key)
{
    for (unsigned i = 0; i < all.used; i++) {
        if (all.findings[i].key == key) {
            return &all.findings[i];
        }
    }
    return NULL;
}

static void count(unsigned id)
{
    if (id < IDS) {
        all.counts[id]++;
    }
}

bool solo__violation_again(unsigned id, unsigned function, const void *return_address)
{
    const struct solo_contract *row = solo__contract_row(function);
    uint64_t key = key_of(id, row != NULL ? row->function : "", (uint64_t)(uintptr_t)return_address);
    enter();
    struct finding *finding = find(key);
    if (finding != NULL) {
        finding->count++;
        count(id);
    }
    leave();
    return finding != NULL;
}

/* ---- Delivery ---- */

/* Notes it; true if it is new and there was room. */
static bool note(const struct solo_violation *violation, bool in_sim)
{
    uint64_t key = key_of(violation->id, violation->function, site_of(violation) ^ violation->cycle);
    struct finding *finding = find(key);
    count(violation->id);
    if (finding != NULL) {
        finding->count++;
        return false;
    }
    if (all.used == FINDINGS_MAX) {
        all.unlisted++;
        return false;
    }
    finding = &all.findings[all.used++];
    finding->key = key;
    finding->count = 1;
    finding->id = violation->id;
    finding->in_sim = in_sim;
    memcpy(finding->function, violation->function, sizeof finding->function);
    memcpy(finding->thread, violation->thread, sizeof finding->thread);
    return true;
}

int solo_violation_report(const struct solo_violation *violation)
{
    if (violation == NULL || (violation->id == SOLO_NO_VIOLATION && violation->text[0] == '\0')) {
        return -EINVAL;
    }

    bool in_sim = solo__world_is_sim(solo_world_current());
    enter();
    bool is_new = note(violation, in_sim);
    solo_violation_sink_fn sink = all.sink != NULL ? all.sink : print_first_line;
    void *arg = all.sink_arg;
    leave();
    if (is_new) {
        sink(violation, arg);
    }
    return 0;
}

int solo_violation_set_sink(solo_violation_sink_fn sink, void *arg)
{
    enter();
    all.sink = sink;
    all.sink_arg = arg;
    leave();
    return 0;
}

int solo_violation_has_sink(void)
{
    enter();
    int has = all.sink != NULL;
    leave();
    return has;
}

unsigned solo_violation_count(unsigned id)
{
    enter();
    unsigned made = id < IDS ? all.counts[id] : 0;
    leave();
    return made;
}

void solo_violation_reset(void)
{
    enter();
    all.used = 0;
    all.unlisted = 0;
    memset(all.counts, 0, sizeof all.counts);
    leave();
}

/* ---- The default sink: what a program without a harness says ---- */

/* In one piece, so that lines of two threads do not mix. */
static void print_first_line(const struct solo_violation *violation, void *arg)
{
    char name[8];
    const char *what = violation->text[0] != '\0' ? violation->text : solo_violation_title(violation->id);
    (void)arg;
    if (violation->help[0] != '\0') {
        fprintf(stderr, "%s: %s\n    help: %s\n", solo_violation_name(violation->id, name), what, violation->help);
    } else {
        fprintf(stderr, "%s: %s\n", solo_violation_name(violation->id, name), what);
    }
}

__attribute__((destructor)) static void print_counts(void)
{
    if (all.sink != NULL) {
        return;
    }
    for (unsigned i = 0; i < all.used; i++) {
        const struct finding *finding = &all.findings[i];
        char name[8];
        if (finding->count > 1 && !finding->in_sim) {
            fprintf(stderr, "%s: %s%smade %u times in all from that place\n", solo_violation_name(finding->id, name),
                    finding->function, finding->function[0] != '\0' ? ": " : "", finding->count);
        }
    }
    if (all.unlisted > 0) {
        fprintf(stderr, "solo: %u more findings beyond the first %d were not printed\n", all.unlisted, FINDINGS_MAX);
    }
}

/* ---- Policy ---- */

static const char *const policy_names[] = {
    [SOLO_POLICY_REFUSE] = "refuse",
    [SOLO_POLICY_ABORT] = "abort",
    [SOLO_POLICY_REPORT] = "report",
};

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("SOLO_POLICY");
    SOLO_ANNOTATE_PRIVATE(&all, sizeof all);
    SOLO_ANNOTATE_PRIVATE(&policy, sizeof policy);
    if (wanted == NULL || wanted[0] == '\0') {
        return;
    }
    for (unsigned i = 0; i < sizeof policy_names / sizeof policy_names[0]; i++) {
        if (strcmp(wanted, policy_names[i]) == 0) {
            policy = (enum solo_policy)i;
            return;
        }
    }
    fprintf(stderr, "solo: SOLO_POLICY=%s is not refuse, abort or report; refuse it is\n", wanted);
}

int solo_guard_set_policy(enum solo_policy wanted)
{
    if ((unsigned)wanted > SOLO_POLICY_REPORT) {
        return -EINVAL;
    }

    __atomic_store_n(&policy, wanted, __ATOMIC_RELAXED);
    return 0;
}

enum solo_policy solo_guard_policy(void)
{
    return __atomic_load_n(&policy, __ATOMIC_RELAXED);
}

/* ---- Names ---- */

const char *solo_violation_name(unsigned id, char *buffer)
{
    snprintf(buffer, 8, "SOLO%03u", id % 1000);
    return buffer;
}

const char *solo_violation_title(unsigned id)
{
    static const char *const titles[IDS] = {
        [SOLO001_WRONG_THREAD] = "reactor-only call off the reactor thread",
        [SOLO002_REACTOR_BLOCKED] = "the reactor was blocked",
        [SOLO003_BLOCKING_CALL_ON_REACTOR] = "blocking call from thread made on the reactor thread",
        [SOLO004_DEADLOCK] = "deadlock: nobody can run and somebody waits",
        [SOLO005_DEAD_MEMORY] = "posted work uses dead memory",
        [SOLO006_USE_AFTER_END] = "use after quit, stop, close or free",
        [SOLO007_CONFINED_SHARED] = "thread-confined object shared across threads",
        [SOLO008_DEFERRED] = "Deferred fired twice, never fired, or its error dropped",
        [SOLO009_ORDER_BY_SLEEPING] = "order obtained by sleeping or by the wall clock",
        [SOLO010_LOCK_CONVOY] = "lock convoy: jobs waiting for one lock occupy the pool",
        [SOLO011_WORK_LOST] = "accepted work lost at shutdown",
        [SOLO012_TRANSPORT_AFTER_LOST] = "transport used after connection lost",
        [SOLO013_NEVER_HAPPENED] = "the required thing never happened",
        [SOLO014_LOST_WAKEUP] = "lost wake-up: work is queued and the reactor sleeps",
        [SOLO015_LOOP_REENTERED] = "loop re-entered from a callback",
        [SOLO016_LOCK_ORDER] = "lock held while calling out, or locks taken in both orders",
        [SOLO017_DATA_RACE] = "data race",
        [SOLO018_MEMORY] = "memory error or leak",
        [SOLO019_NONDETERMINISM] = "non-determinism: the same schedule gave two traces",
    };
    return id < IDS && titles[id] != NULL ? titles[id] : "";
}
