/*
 * report_json.c - a finding as JSON, by jansson. The keys are documented in report.h and stay.
 */
#include "report_internal.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* jansson refuses what is not UTF-8; a file name or a program's output may be anything. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value);
    if (string != NULL) {
        return string;
    }
    char plain[SOLO_OUTPUT_MAX];
    size_t i = 0;
    for (; value[i] != '\0' && i + 1 < sizeof plain; i++) {
        plain[i] = (unsigned char)value[i] < 0x80 ? value[i] : '?';
    }
    return json_stringn(plain, i);
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        json_object_set_new(object, key, text(value));
    }
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* Sets it unless it is empty; takes over `value`. */
static void set_part(json_t *object, const char *key, json_t *value)
{
    if (json_object_size(value) != 0 || json_array_size(value) != 0) {
        json_object_set_new(object, key, value);
    } else {
        json_decref(value);
    }
}

static json_t *frame_json(const struct solo_frame_text *frame)
{
    json_t *object = json_object();
    set_text(object, "file", frame->file);
    if (frame->line > 0) {
        set_number(object, "line", (uint64_t)frame->line);
    }
    set_text(object, "function", frame->function);
    return object;
}

static json_t *stack_json(const struct solo_frame_text *frames, uint32_t count)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count && i < SOLO_DETAIL_FRAMES_MAX; i++) {
        json_array_append_new(array, frame_json(&frames[i]));
    }
    return array;
}

static void set_contract(json_t *root, const struct solo_violation *violation)
{
    if (violation->contract_file[0] == '\0') {
        return;
    }
    json_t *contract = json_object();
    json_t *place = json_object();
    set_text(contract, "word", solo_contract_kind_name(violation->contract));
    set_text(place, "file", violation->contract_file);
    set_number(place, "line", violation->contract_line);
    set_part(contract, "declared_at", place);
    set_part(root, "contract", contract);
}

static void set_people(json_t *root, const struct solo_violation *violation, const struct solo_detail *detail)
{
    json_t *thread = json_object();
    set_text(thread, "name", violation->thread);
    set_text(thread, "role", violation->role);
    if (violation->thread[0] != '\0') {
        set_number(thread, "number", violation->thread_number);
    }
    set_part(root, "thread", thread);

    json_t *job = json_object();
    set_text(job, "name", violation->job);
    set_text(job, "queued_by", violation->queued_by);
    if (detail != NULL) {
        set_part(job, "stack", stack_json(detail->queued_frames, detail->queued_frame_count));
    }
    set_part(root, "job", job);

    json_t *object = json_object();
    set_text(object, "name", violation->object);
    set_text(object, "owner", violation->owner);
    set_text(object, "owner_bound", violation->owner_bound);
    if (detail != NULL) {
        set_part(object, "stack", stack_json(detail->owner_frames, detail->owner_frame_count));
    }
    set_part(root, "object", object);
}

static json_t *waiters_json(const struct solo_violation *violation)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < violation->waiter_count && i < SOLO_WAITERS_MAX; i++) {
        const struct solo_waiter *waiter = &violation->waiters[i];
        json_t *object = json_object();
        set_text(object, "thread", waiter->thread);
        set_text(object, "waits_for", waiter->object);
        set_text(object, "kind", solo_wait_kind_text(waiter->wait_kind));
        set_text(object, "held_by", waiter->holder);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *steps_json(const struct solo_detail *detail, uint64_t base_ns)
{
    json_t *array = json_array();
    for (uint32_t i = 0; detail != NULL && i < detail->step_count && i < SOLO_DETAIL_STEPS_MAX; i++) {
        const struct solo_step_text *step = &detail->steps[i];
        json_t *object = json_object();
        set_number(object, "step", step->step);
        set_number(object, "clock_ns", step->now_ns - base_ns);
        set_text(object, "thread", step->thread_name);
        set_text(object, "kind", solo_probe_kind_text(step->kind));
        set_text(object, "object", step->object_name);
        set_number(object, "value", step->value);
        json_array_append_new(array, object);
    }
    return array;
}

static uint64_t hash_text(uint64_t hash, const char *value)
{
    for (; *value != '\0'; value++) {
        hash = (hash ^ (unsigned char)*value) * UINT64_C(0x100000001b3);
    }
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

const char *solo__report_fingerprint(const struct solo_violation *violation, const struct solo_detail *detail,
                                     char digits[SOLO__FINGERPRINT_MAX])
{
    char id[8];
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), solo_violation_name(violation->id, id));
    hash = hash_text(hash, violation->function);
    hash = hash_text(hash, violation->role);
    if (detail != NULL && detail->frame_count != 0) {
        hash = hash_text(hash, detail->frames[0].file);
        hash = hash_text(hash, detail->frames[0].function);
    }
    (void)snprintf(digits, SOLO__FINGERPRINT_MAX, "%016llx", (unsigned long long)hash);
    return digits;
}

static void set_schedule(json_t *root, const struct solo_report_context *context)
{
    char command[8192];
    if (context->schedules != 0) {
        json_t *explored = json_object();
        set_number(explored, "total", context->schedules);
        set_number(explored, "failing", context->failing);
        set_part(root, "explored", explored);
    }
    set_text(root, "schedule", context->token);
    set_text(root, "passing_schedule", context->passing_token);
    if (context->token != NULL && solo_report_replay_line(context, command, sizeof command) == 0) {
        set_text(root, "replay", command);
    }
}

static json_t *finding_json(const struct solo_violation *violation, const struct solo_report_context *context)
{
    static const char *const policies[] = {"refuse", "abort", "report"};
    static const char *const tools[] = {"", "tsan", "helgrind", "drd", "memcheck", "asan"};
    const struct solo_detail *detail = context->detail;
    char id[8];
    json_t *root = json_object();
    set_text(root, "id", solo__report_id(violation, id));
    set_text(root, "severity", solo__severity(violation));
    set_text(root, "title", solo_violation_title(violation->id));
    set_text(root, "message", solo__report_or(violation->text, solo_violation_title(violation->id)));
    set_number(root, "count", violation->count != 0 ? violation->count : 1);
    set_text(root, "api", violation->function);
    set_contract(root, violation);
    if (detail != NULL && detail->frame_count != 0) {
        set_part(root, "location", frame_json(&detail->frames[0]));
        set_part(root, "stack", stack_json(detail->frames, detail->frame_count));
    }
    set_people(root, violation, detail);
    set_text(root, "policy", policies[violation->policy < 3 ? violation->policy : 0]);
    set_text(root, "world", context->world);
    set_number(root, "step", violation->step);
    set_number(root, "clock_ns", violation->now_ns - context->base_ns);
    if (violation->amount != 0) {
        set_number(root, "amount", violation->amount);
    }
    set_part(root, "waiters", waiters_json(violation));
    if (violation->cycle != 0 && (violation->id == SOLO004_DEADLOCK || solo__is_circle(violation))) {
        char cycle[17];
        (void)snprintf(cycle, sizeof cycle, "%016llx", (unsigned long long)violation->cycle);
        set_text(root, "cycle", cycle);
    }
    set_part(root, "steps", steps_json(detail, context->base_ns));
    set_schedule(root, context);
    json_t *help = json_array();
    if (violation->help[0] != '\0') {
        json_array_append_new(help, text(violation->help));
    }
    set_part(root, "help", help);
    set_text(root, "tool", tools[violation->from_tool < 6 ? violation->from_tool : 0]);
    char digits[SOLO__FINGERPRINT_MAX];
    set_text(root, "fingerprint", solo__report_fingerprint(violation, detail, digits));
    return root;
}

static int write_out(FILE *out, json_t *root)
{
    int error = json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0 || fputc('\n', out) == EOF ? -EIO : 0;
    json_decref(root);
    return error;
}

int solo_report_json(FILE *out, const struct solo_violation *violation, const struct solo_report_context *context)
{
    if (out == NULL || violation == NULL || context == NULL) {
        return -EINVAL;
    }
    return write_out(out, finding_json(violation, context));
}

static json_t *required_json(const struct solo_required *required)
{
    json_t *object = json_object();
    set_text(object, "name", required->name);
    set_number(object, "wanted", required->wanted);
    set_number(object, "least", required->least);
    set_number(object, "schedules", required->schedules);
    return object;
}

/* 16 hexadecimal digits each. */
static void set_hashes(json_t *object, const char *key, const uint64_t *hashes, uint64_t count)
{
    char *digits = malloc((size_t)count * 16 + 1);
    for (uint64_t i = 0; digits != NULL && i < count; i++) {
        (void)snprintf(digits + i * 16, 17, "%016llx", (unsigned long long)hashes[i]);
    }
    json_object_set_new(object, key, json_stringn(digits, digits != NULL ? (size_t)count * 16 : 0));
    free(digits);
}

/* What `solo merge` needs. */
static void set_search(json_t *shard, const struct solo_searched *searched)
{
    json_t *search = json_object();
    set_text(search, "strategy", searched->strategy);
    json_object_set_new(search, "finished", json_boolean(searched->finished));
    json_object_set_new(search, "complete", json_boolean(searched->complete));
    json_object_set_new(search, "cut", json_boolean(searched->cut));
    set_number(search, "bound", searched->bound);
    set_number(search, "round", searched->round);
    set_part(shard, "search", search);
}

static void set_shard(json_t *root, const struct solo_report *report)
{
    if (report->shards == 0) {
        return;
    }
    json_t *shard = json_object();
    set_number(shard, "number", report->shard);
    set_number(shard, "of", report->shards);
    set_number(shard, "unfinished", report->unfinished);
    set_number(shard, "directed", report->directed);
    set_number(shard, "directed_failing", report->directed_failing);
    json_object_set_new(shard, "stopped", json_boolean(report->stopped));
    json_object_set_new(shard, "traces_full", json_boolean(report->traces_full));
    json_object_set_new(shard, "orders_full", json_boolean(report->orders_full));
    set_text(shard, "exploration", report->exploration);
    set_hashes(shard, "traces", report->traces, report->distinct);
    set_hashes(shard, "orders", report->seen_orders, report->orders);
    set_hashes(shard, "cycles", report->cycles, report->cycle_count);
    if (report->search.strategy[0] != '\0') {
        set_search(shard, &report->search);
    }
    set_part(root, "shard", shard);
}

int solo_report_explored_json(FILE *out, const struct solo_report *report, const struct solo_report_context *contexts)
{
    static const char *const verdicts[] = {"clean", "findings", "incomplete", "incomplete"};
    if (out == NULL || report == NULL || (contexts == NULL && report->finding_count != 0)) {
        return -EINVAL;
    }
    json_t *root = json_object();
    set_text(root, "schema", "solo.report.1");
    set_text(root, "verdict", verdicts[report->verdict & 3]);
    set_text(root, "evidence", report->evidence);
    set_number(root, "schedules", report->schedules);
    set_number(root, "distinct", report->distinct);
    set_number(root, "orders", report->orders);
    set_number(root, "threads", report->threads);
    set_number(root, "points", report->points);
    set_number(root, "failing", report->failing);
    set_number(root, "unlisted", report->unlisted);
    set_number(root, "steps", report->steps);
    set_number(root, "choices", report->choices);
    json_object_set_new(root, "exhausted", json_boolean(report->exhausted));
    set_shard(root, report);
    json_t *required = json_array();
    for (unsigned i = 0; i < report->required_count && i < SOLO_EXPECT_MAX; i++) {
        json_array_append_new(required, required_json(&report->required[i]));
    }
    json_object_set_new(root, "required", required);
    json_t *findings = json_array();
    for (unsigned i = 0; i < report->finding_count && i < SOLO_FINDINGS_MAX; i++) {
        json_t *finding = finding_json(&report->findings[i].violation, &contexts[i]);
        set_number(finding, "deviations", report->findings[i].deviations);
        set_text(finding, "signature", report->findings[i].signature);
        json_array_append_new(findings, finding);
    }
    json_object_set_new(root, "findings", findings);
    return write_out(out, root);
}
