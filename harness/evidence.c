/*
 * evidence.c - what the explored schedules prove, in one honest sentence.
 *
 * A search that ended says what it covered. A strategy that draws says how likely the next schedule is a new one: the
 * share of traces, or of orders (order.h), seen exactly once (Good 1953, Turing). It is a share of schedules, not of
 * bugs.
 */
#include "ledger.h"
#include <string.h>

/* 1254 as "1,254". */
static const char *grouped(uint64_t number, char *buffer, size_t size)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    size_t out = 0;
    for (int i = 0; i < length && out + 2 < size; i++) {
        if (i != 0 && (length - i) % 3 == 0) {
            buffer[out++] = ',';
        }
        buffer[out++] = digits[i];
    }
    buffer[out] = '\0';
    return buffer;
}

static void print_failing(const struct solo__ledger *ledger, char *text, size_t size)
{
    char number[32];
    if (ledger->failing == 0) {
        snprintf(text, size, "no failure");
    } else {
        snprintf(text, size, "%s %s", grouped(ledger->failing, number, sizeof number),
                 ledger->failing == 1 ? "fails" : "fail");
    }
}

static const char *plural(uint64_t number)
{
    return number == 1 ? "" : "s";
}

static void print_plain(const struct solo__ledger *ledger, char *text)
{
    snprintf(text, SOLO_EVIDENCE_MAX, "the plain schedule %s; no other was tried",
             ledger->failing == 0 ? "passed" : "fails");
}

/* A search that runs one of each class of schedules that differ only in the order of operations that commute. */
static void print_reduced(const struct solo__region *region, char *text)
{
    const struct solo__ledger *ledger = &region->ledger;
    const struct solo__dpor_state *search = &region->strategy.dpor;
    char number[32];
    char failing[64];
    grouped(ledger->schedules, number, sizeof number);
    print_failing(ledger, failing, sizeof failing);
    if (!search->finished || search->cut) {
        snprintf(text, SOLO_EVIDENCE_MAX, "not exhausted: %s schedule%s tried%s, %s", number, plural(ledger->schedules),
                 search->cut ? ", some too long to vary all of their choices" : "", failing);
    } else if (ledger->failing == 0) {
        snprintf(text, SOLO_EVIDENCE_MAX, "every order of operations that depend on each other passed: %s schedule%s",
                 number, plural(ledger->schedules));
    } else {
        snprintf(text, SOLO_EVIDENCE_MAX,
                 "every order of operations that depend on each other tried: %s schedule%s, %s", number,
                 plural(ledger->schedules), failing);
    }
}

static void print_search(const struct solo__region *region, char *text)
{
    const struct solo__ledger *ledger = &region->ledger;
    const struct solo__dfs_state *search = &region->strategy.dfs;
    const char *unit = search->preemptions ? "preemption" : "delay";
    char number[32];
    char failing[64];
    grouped(ledger->schedules, number, sizeof number);
    print_failing(ledger, failing, sizeof failing);
    char cut[80] = "";
    if (search->cut) {
        char depth[32];
        snprintf(cut, sizeof cut, "; only the first %s choices of a schedule were varied",
                 grouped(SOLO__DFS_DEPTH_MAX, depth, sizeof depth));
    }
    if (search->finished && search->complete && ledger->failing == 0) {
        if (ledger->schedules == 1) {
            snprintf(text, SOLO_EVIDENCE_MAX, "the only schedule passed%s", cut);
        } else {
            snprintf(text, SOLO_EVIDENCE_MAX, "all %s schedules passed%s", number, cut);
        }
    } else if (search->finished && search->complete) {
        snprintf(text, SOLO_EVIDENCE_MAX, "all %s schedule%s tried, %s%s", number, plural(ledger->schedules), failing,
                 cut);
    } else if (search->finished) {
        snprintf(text, SOLO_EVIDENCE_MAX, "exhausted at %s bound %u: %s schedule%s, %s%s", unit,
                 (unsigned)search->delay_bound, number, plural(ledger->schedules), failing, cut);
    } else if (search->delay_bound == SOLO_DELAY_UNBOUNDED) {
        snprintf(text, SOLO_EVIDENCE_MAX, "not exhausted: %s schedule%s tried, %s%s", number, plural(ledger->schedules),
                 failing, cut);
    } else if (search->round == 0) {
        snprintf(text, SOLO_EVIDENCE_MAX, "not exhausted: %s schedule%s tried, %s", number, plural(ledger->schedules),
                 failing);
    } else {
        snprintf(text, SOLO_EVIDENCE_MAX, "exhausted at %s bound %u, in bound %u not: %s schedule%s tried, %s%s", unit,
                 (unsigned)search->round - 1, (unsigned)search->round, number, plural(ledger->schedules), failing, cut);
    }
}

static void print_chance(const struct solo__seen *seen, uint64_t schedules, char *text, size_t size)
{
    double share = (double)seen->singletons / (double)schedules * 100.0;
    if (seen->full) { /* what found no room was new too, and is not among those that were seen once */
        snprintf(text, size, "not known");
    } else if (share < 0.1) {
        snprintf(text, size, "under 0.1%%");
    } else if (share < 1.0) {
        snprintf(text, size, "about %.1f%%", share);
    } else {
        snprintf(text, size, "about %.0f%%", share);
    }
}

/*
 * Orders of synchronisation say more than schedules about a program without data races; about one with them they say
 * nothing, because its accesses are not events. So both are told.
 */
static void print_sample(const struct solo__ledger *ledger, char *text)
{
    char number[32], distinct[32], orders[32], failing[64], new_schedule[32], new_order[32];
    if (ledger->schedules == 0) {
        snprintf(text, SOLO_EVIDENCE_MAX, "no schedule was tried");
        return;
    }
    print_failing(ledger, failing, sizeof failing);
    print_chance(&ledger->traces, ledger->schedules, new_schedule, sizeof new_schedule);
    print_chance(&ledger->orders, ledger->schedules, new_order, sizeof new_order);
    snprintf(text, SOLO_EVIDENCE_MAX,
             "%s schedule%s, %s%s distinct, %s%s order%s of synchronisation, %s; chance that the next one is a new "
             "schedule: "
             "%s, a new order: %s (Good-Turing)",
             grouped(ledger->schedules, number, sizeof number), plural(ledger->schedules),
             ledger->traces.full ? "more than " : "", grouped(ledger->traces.distinct, distinct, sizeof distinct),
             ledger->orders.full ? "more than " : "", grouped(ledger->orders.distinct, orders, sizeof orders),
             plural(ledger->orders.distinct), failing, new_schedule, new_order);
}

void solo__evidence_directed(uint64_t directed, uint64_t failing, char text[SOLO_EVIDENCE_MAX])
{
    size_t length = strlen(text);
    snprintf(text + length, SOLO_EVIDENCE_MAX - length,
             "; %llu more directed at locks taken in a circle, %llu of them fail", (unsigned long long)directed,
             (unsigned long long)failing);
}

bool solo__is_exhausted(const struct solo__region *region)
{
    const union solo__strategy_state *state = &region->strategy;
    if (solo__ledger_has_only_one(&region->ledger)) {
        return true;
    }
    if (solo__strategy_is_bounded(region->request.strategy)) {
        return state->dfs.finished && !state->dfs.cut;
    }
    if (strcmp(region->request.strategy, solo__strategy_dpor.name) == 0) {
        return state->dpor.finished && !state->dpor.cut;
    }
    return strcmp(region->request.strategy, solo__strategy_fifo.name) == 0 && region->ledger.strategy_ended;
}

void solo__evidence(const struct solo__region *region, char text[SOLO_EVIDENCE_MAX])
{
    const struct solo__ledger *ledger = &region->ledger;
    if (solo__ledger_has_only_one(ledger)) {
        snprintf(text, SOLO_EVIDENCE_MAX, "the only schedule %s", ledger->failing == 0 ? "passed" : "fails");
    } else if (solo__strategy_is_bounded(region->request.strategy)) {
        print_search(region, text);
    } else if (strcmp(region->request.strategy, "dpor") == 0) {
        print_reduced(region, text);
    } else if (strcmp(region->request.strategy, "fifo") == 0 && ledger->schedules != 0) {
        print_plain(ledger, text);
    } else {
        print_sample(ledger, text);
    }
    uint64_t unfinished = ledger->killed + ledger->unending;
    size_t length = strlen(text);
    if (solo__ledger_is_endless(region)) {
        char number[32];
        snprintf(text + length, SOLO_EVIDENCE_MAX - length,
                 "; incomplete: none of the first %s schedules came to its end, so no more were tried",
                 grouped(unfinished, number, sizeof number));
        length = strlen(text);
    } else if (unfinished != 0) {
        snprintf(text + length, SOLO_EVIDENCE_MAX - length, "; incomplete: %llu schedule%s stopped before the end",
                 (unsigned long long)unfinished, unfinished == 1 ? " was" : "s were");
        length = strlen(text);
    }
    if (ledger->asked_to_stop != 0) {
        snprintf(text + length, SOLO_EVIDENCE_MAX - length, "; stopped by request");
    }
}
