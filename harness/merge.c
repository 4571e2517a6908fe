/*
 * merge.c - several documents of `solo explore --shard` into one.
 *
 * The ledger of an exploration is filled from the documents, as if it had run them itself, and says what it proves.
 */
#include "division.h"
#include "ledger.h"
#include "report_internal.h"
#include "required.h"
#include <errno.h>
#include <jansson.h>
#include <solo/merge.h>
#include <stdlib.h>
#include <string.h>

struct merging {
    const char *const *files;
    unsigned count;
    json_t **documents; /* in the order of their shards, NULL: missing */
    unsigned shards;
    const char *exploration;
    struct solo__region *region;
    struct solo_report *report;
    json_t *findings; /* what is kept, by first appearance */
    char *why;
};

static int refuse(struct merging *merging, const char *file, const char *reason)
{
    snprintf(merging->why, SOLO_EVIDENCE_MAX, "%.200s: %.250s", file, reason);
    return -EINVAL;
}

/* ---- Documents ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static uint64_t number_of(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > 0 ? (uint64_t)number : 0;
}

static int place(struct merging *merging, const char *file, json_t *document)
{
    const json_t *shard = json_object_get(document, "shard");
    uint64_t number = number_of(shard, "number");
    uint64_t shards = number_of(shard, "of");
    const char *exploration = text_of(shard, "exploration");
    if (strcmp(text_of(document, "schema"), "solo.report.1") != 0 || number == 0 || number > shards ||
        shards > SOLO_SHARDS_MAX || strlen(text_of(shard, "traces")) % 16 != 0 ||
        strlen(text_of(shard, "orders")) % 16 != 0 || strlen(text_of(shard, "cycles")) % 16 != 0) {
        return refuse(merging, file, "not a result of `solo explore --shard K/N --format json`");
    }
    if (merging->documents == NULL) {
        merging->shards = (unsigned)shards;
        merging->exploration = exploration;
        merging->documents = calloc((size_t)shards, sizeof(json_t *));
    }
    if (merging->documents == NULL) {
        return -ENOMEM;
    }
    if (shards != merging->shards || strcmp(exploration, merging->exploration) != 0) {
        return refuse(merging, file, "belongs to another exploration than the files before it");
    }
    if (merging->documents[number - 1] != NULL) {
        return refuse(merging, file, "this shard was there already");
    }
    merging->documents[number - 1] = json_incref(document);
    return 0;
}

static int read_file(struct merging *merging, const char *file)
{
    json_error_t error;
    FILE *opened = fopen(file, "re");
    if (opened == NULL) {
        return refuse(merging, file, strerror(errno));
    }
    json_t *document = json_loadf(opened, 0, &error);
    (void)fclose(opened);
    if (document == NULL) {
        char reason[JSON_ERROR_TEXT_LENGTH + 40];
        (void)snprintf(reason, sizeof reason, "not JSON: line %d: %s", error.line, error.text);
        return refuse(merging, file, reason);
    }
    int result = place(merging, file, document);
    json_decref(document);
    return result;
}

/* ---- Numbers ---- */

/* A hash that is odd was seen more than once. */
static void add_hashes(struct solo__region *region, const char *digits,
                       void (*count)(struct solo__region *region, uint64_t hash))
{
    for (; digits[0] != '\0'; digits += 16) {
        char one[17] = "";
        memcpy(one, digits, 16);
        uint64_t hash = strtoull(one, NULL, 16);
        count(region, hash);
        if (hash & 1) {
            count(region, hash);
        }
    }
}

static void add_cycle(struct solo__region *region, uint64_t cycle)
{
    solo__ledger_add_cycle(&region->ledger, cycle);
}

static void add_required(struct solo__ledger *ledger, const json_t *document)
{
    struct solo__ledger *theirs = calloc(1, sizeof *theirs);
    size_t index;
    const json_t *entry;
    if (theirs == NULL) {
        return;
    }
    json_array_foreach(json_object_get(document, "required"), index, entry)
    {
        if (theirs->required_count < SOLO_EXPECT_MAX) {
            struct solo_required *required = &theirs->required[theirs->required_count++];
            snprintf(required->name, sizeof required->name, "%s", text_of(entry, "name"));
            required->wanted = (uint32_t)number_of(entry, "wanted");
            required->least = (uint32_t)number_of(entry, "least");
            required->schedules = number_of(entry, "schedules");
        }
    }
    solo__required_merge(ledger, theirs);
    free(theirs);
}

static void add_numbers(struct merging *merging, const json_t *document)
{
    struct solo__ledger *ledger = &merging->region->ledger;
    const json_t *shard = json_object_get(document, "shard");
    ledger->schedules += number_of(document, "schedules");
    ledger->failing += number_of(document, "failing");
    ledger->steps += number_of(document, "steps");
    ledger->choices += number_of(document, "choices");
    ledger->unending += number_of(shard, "unfinished");
    ledger->lost += number_of(document, "unlisted");
    ledger->directed += number_of(shard, "directed");
    ledger->directed_failing += number_of(shard, "directed_failing");
    ledger->traces.full |= json_is_true(json_object_get(shard, "traces_full"));
    ledger->orders.full |= json_is_true(json_object_get(shard, "orders_full"));
    ledger->asked_to_stop |= json_is_true(json_object_get(shard, "stopped"));
    add_hashes(merging->region, text_of(shard, "traces"), solo__ledger_count_trace);
    add_hashes(merging->region, text_of(shard, "orders"), solo__ledger_count_order);
    add_hashes(merging->region, text_of(shard, "cycles"), add_cycle);
    uint64_t threads = number_of(document, "threads");
    uint64_t points = number_of(document, "points");
    ledger->threads_most = threads > ledger->threads_most ? (uint32_t)threads : ledger->threads_most;
    ledger->points_most = points > ledger->points_most ? (uint32_t)points : ledger->points_most;
    add_required(ledger, document);
}

/* ---- Findings ---- */

static json_t *find_same(const json_t *findings, const json_t *finding, size_t *ret_index)
{
    size_t index;
    json_t *entry;
    json_array_foreach(findings, index, entry)
    {
        if (strcmp(text_of(entry, "signature"), text_of(finding, "signature")) == 0) {
            *ret_index = index;
            return entry;
        }
    }
    return NULL;
}

/* As the ledger prefers one schedule to another: fewer deviations, then fewer steps. */
static bool is_simpler(const json_t *finding, const json_t *known)
{
    uint64_t deviations = number_of(finding, "deviations");
    uint64_t known_deviations = number_of(known, "deviations");
    return deviations != known_deviations ? deviations < known_deviations
                                          : number_of(finding, "step") < number_of(known, "step");
}

static void add_finding(struct merging *merging, json_t *finding)
{
    size_t index = 0;
    json_t *known = find_same(merging->findings, finding, &index);
    json_t *kept = json_deep_copy(finding);
    if (known == NULL) {
        json_array_append_new(merging->findings, kept);
        return;
    }
    uint64_t failing = number_of(json_object_get(known, "explored"), "failing") +
                       number_of(json_object_get(finding, "explored"), "failing");
    if (is_simpler(finding, known)) {
        json_array_set(merging->findings, index, kept);
        known = kept;
    }
    json_object_set_new(json_object_get(known, "explored"), "failing", json_integer((json_int_t)failing));
    json_decref(kept);
}

static void add_document(struct merging *merging, const json_t *document)
{
    size_t index;
    json_t *finding;
    add_numbers(merging, document);
    json_array_foreach(json_object_get(document, "findings"), index, finding)
    {
        add_finding(merging, finding);
    }
}

/*
 * Locks taken in a circle are no possible deadlock any more where another shard came to it, or where all shards of a
 * search together have tried every schedule.
 */
static void take_out_settled(struct merging *merging)
{
    const struct solo__search *search = &merging->region->ledger.search;
    bool all_tried = search->finished && search->complete && !search->cut && merging->region->ledger.unending == 0;
    for (size_t i = json_array_size(merging->findings); i > 0; i--) {
        const json_t *finding = json_array_get(merging->findings, i - 1);
        uint64_t cycle = strtoull(text_of(finding, "cycle"), NULL, 16);
        if (cycle != 0 && strcmp(text_of(finding, "severity"), "warning") == 0 &&
            (all_tried || solo__ledger_reached(&merging->region->ledger, cycle))) {
            json_array_remove(merging->findings, i - 1);
        }
    }
}

static void set_totals(struct merging *merging)
{
    size_t index;
    json_t *finding;
    uint64_t total = merging->region->ledger.schedules + merging->region->ledger.directed;
    json_array_foreach(merging->findings, index, finding)
    {
        json_t *explored = json_object_get(finding, "explored");
        json_object_set_new(explored, "total", json_integer((json_int_t)total));
    }
}

/* ---- The verdict ---- */

static unsigned add_missing(const struct merging *merging, char *text, size_t size)
{
    unsigned missing = 0;
    size_t length = strlen(text);
    for (unsigned i = 0; i < merging->shards; i++) {
        if (merging->documents[i] == NULL) {
            if (length + 40 < size) {
                length += (size_t)snprintf(text + length, size - length, "%s%u",
                                           missing == 0 ? "; missing: shard " : ", ", i + 1);
            }
            missing++;
        }
    }
    if (missing != 0 && length < size) {
        snprintf(text + length, size - length, " of %u", merging->shards);
    }
    return missing;
}

static bool some_are_incomplete(const struct merging *merging)
{
    bool incomplete = false;
    for (unsigned i = 0; i < merging->shards; i++) {
        const json_t *document = merging->documents[i];
        incomplete = incomplete || (document != NULL && strcmp(text_of(document, "verdict"), "incomplete") == 0);
    }
    return incomplete;
}

/* A shard is no finding's proof of the contrary: one says findings, all say so. */
static bool some_have_findings(const struct merging *merging)
{
    bool findings = false;
    for (unsigned i = 0; i < merging->shards; i++) {
        const json_t *document = merging->documents[i];
        findings = findings || (document != NULL && strcmp(text_of(document, "verdict"), "findings") == 0);
    }
    return findings && json_array_size(merging->findings) != 0; /* or all were settled */
}

/* ---- A search ---- */

/* How far all shards together came: no further than the one that came least far. */
static void add_search(struct merging *merging, const json_t *search, bool is_first)
{
    struct solo__search *all = &merging->region->ledger.search;
    struct solo__request *request = &merging->region->request;
    bool finished = json_is_true(json_object_get(search, "finished"));
    bool complete = json_is_true(json_object_get(search, "complete"));
    uint64_t bound = number_of(search, "bound");
    uint64_t round = !finished ? number_of(search, "round") : complete ? SOLO_DELAY_UNBOUNDED : bound + 1;
    snprintf(request->strategy, sizeof request->strategy, "%s", text_of(search, "strategy"));
    request->strategy_argument = (uint32_t)bound;
    all->finished = finished && (is_first || all->finished);
    all->complete = complete && (is_first || all->complete);
    all->cut |= json_is_true(json_object_get(search, "cut"));
    all->round = is_first || round < all->round ? (uint32_t)round : all->round;
}

/* Leaves its strategy's state as one search would. Nothing: it was none. */
static void add_searches(struct merging *merging)
{
    bool is_first = true;
    for (unsigned i = 0; i < merging->shards; i++) {
        const json_t *shard = json_object_get(merging->documents[i], "shard");
        const json_t *search = json_object_get(shard, "search");
        if (search != NULL) {
            add_search(merging, search, is_first);
            is_first = false;
        }
    }
    for (unsigned i = 0; i < merging->shards && !is_first; i++) {
        if (merging->documents[i] == NULL) {
            struct solo__search *all = &merging->region->ledger.search;
            all->finished = all->complete = all->round = 0;
        }
    }
    if (!is_first) {
        solo__division_sum_up(merging->region);
    }
}

static void fill_report(struct merging *merging)
{
    struct solo_report *report = merging->report;
    const struct solo__ledger *ledger = &merging->region->ledger;
    report->schedules = ledger->schedules;
    report->distinct = ledger->traces.distinct;
    report->orders = ledger->orders.distinct;
    report->sampled = merging->region->request.strategy[0] == '\0';
    report->exhausted = solo__is_exhausted(merging->region);
    report->threads = ledger->threads_most;
    report->points = ledger->points_most;
    report->failing = ledger->failing;
    report->unlisted = ledger->lost;
    report->traces_full = ledger->traces.full != 0;
    report->orders_full = ledger->orders.full != 0;
    report->steps = ledger->steps;
    report->choices = ledger->choices;
    report->required_count = ledger->required_count;
    memcpy(report->required, ledger->required, sizeof report->required);
    report->finding_count = (unsigned)json_array_size(merging->findings);
    solo__evidence(merging->region, report->evidence);
    if (ledger->directed != 0) {
        solo__evidence_directed(ledger->directed, ledger->directed_failing, report->evidence);
    }
    unsigned missing = add_missing(merging, report->evidence, sizeof report->evidence);
    report->verdict = some_have_findings(merging)                    ? SOLO_VERDICT_FINDINGS
                      : missing != 0 || some_are_incomplete(merging) ? SOLO_VERDICT_INCOMPLETE
                                                                     : SOLO_VERDICT_CLEAN;
}

/* ---- Writing ---- */

static int write_json(struct merging *merging, FILE *out)
{
    struct solo_report *report = merging->report;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    unsigned findings = report->finding_count;
    report->finding_count = 0; /* they are documents already */
    int result = memory != NULL ? solo_report_explored_json(memory, report, NULL) : -ENOMEM;
    report->finding_count = findings;
    if (memory != NULL && fclose(memory) != 0) {
        result = -ENOMEM;
    }
    json_t *root = result == 0 ? json_loads(text, 0, NULL) : NULL;
    free(text);
    if (root == NULL) {
        return result < 0 ? result : -ENOMEM;
    }
    json_object_set(root, "findings", merging->findings);
    result = json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0 || fputc('\n', out) == EOF ? -EIO : 0;
    json_decref(root);
    return result;
}

static void write_finding(FILE *out, const json_t *finding)
{
    char failing[32], total[32];
    const json_t *location = json_object_get(finding, "location");
    const json_t *explored = json_object_get(finding, "explored");
    const char *severity = text_of(finding, "severity");
    fprintf(out, "%s[%s]: %s\n", severity[0] != '\0' ? severity : "error", text_of(finding, "id"),
            text_of(finding, "message"));
    if (location != NULL) {
        fprintf(out, "   --> %s:%llu\n", text_of(location, "file"), (unsigned long long)number_of(location, "line"));
    }
    fprintf(out, "     = note: %s of %s explored schedules show it\n",
            solo__report_number(number_of(explored, "failing"), failing, sizeof failing),
            solo__report_number(number_of(explored, "total"), total, sizeof total));
    if (text_of(finding, "replay")[0] != '\0') {
        fprintf(out, "replay:\n%s\n", text_of(finding, "replay"));
    }
    fputc('\n', out);
}

static int write_text(struct merging *merging, FILE *out)
{
    size_t index;
    const json_t *finding;
    json_array_foreach(merging->findings, index, finding)
    {
        write_finding(out, finding);
    }
    return solo_report_explored_text(out, merging->report, false);
}

/* ---- All of it ---- */

static int merge(struct merging *merging)
{
    for (unsigned i = 0; i < merging->count; i++) {
        int result = read_file(merging, merging->files[i]);
        if (result < 0) {
            return result;
        }
    }
    solo__region_clear_ledger(merging->region, SOLO__SET_MAX);
    for (unsigned i = 0; i < merging->shards; i++) {
        if (merging->documents[i] != NULL) {
            add_document(merging, merging->documents[i]);
        }
    }
    add_searches(merging);
    take_out_settled(merging);
    set_totals(merging);
    fill_report(merging);
    return 0;
}

static void finish(struct merging *merging)
{
    for (unsigned i = 0; i < merging->shards && merging->documents != NULL; i++) {
        json_decref(merging->documents[i]);
    }
    free(merging->documents);
    json_decref(merging->findings);
    free(merging->report);
    solo__region_destroy(merging->region);
}

int solo_merge(const char *const files[], unsigned count, bool json, FILE *out, enum solo_verdict *ret_verdict,
               unsigned *ret_findings, char why[SOLO_EVIDENCE_MAX])
{
    if (files == NULL || count == 0 || out == NULL || ret_verdict == NULL || ret_findings == NULL || why == NULL) {
        return -EINVAL;
    }
    why[0] = '\0';

    struct merging merging = {.files = files, .count = count, .why = why};
    merging.region = solo__region_create(NULL);
    merging.report = calloc(1, sizeof *merging.report);
    merging.findings = json_array();
    int result =
        merging.region != NULL && merging.report != NULL && merging.findings != NULL ? merge(&merging) : -ENOMEM;
    if (result == 0) {
        result = json ? write_json(&merging, out) : write_text(&merging, out);
    }
    if (result == 0) {
        *ret_verdict = merging.report->verdict;
        *ret_findings = merging.report->finding_count;
    }
    finish(&merging);
    return result;
}
