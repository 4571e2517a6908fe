/*
 * report_sarif.c - an exploration as SARIF 2.1.0, by jansson: findings where code is reviewed.
 *
 * A finding without a place in the source is put at the program, because readers drop results without one.
 */
#include "report_internal.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* jansson refuses what is not UTF-8. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value);
    char plain[2048];
    size_t i = 0;
    if (string != NULL) {
        return string;
    }
    for (; value[i] != '\0' && i + 1 < sizeof plain; i++) {
        plain[i] = (unsigned char)value[i] < 0x80 ? value[i] : '?';
    }
    return json_stringn(plain, i);
}

static json_t *message(const char *value)
{
    json_t *object = json_object();
    json_object_set_new(object, "text", text(value));
    return object;
}

enum { URI_MAX = 3 * 512 };

/*
 * A path as a URI reference (RFC 3986): from the root with a scheme, every other character that could mean more
 * encoded.
 */
static const char *uri_of(const char *path, char buffer[URI_MAX])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    size_t length = 0;
    if (path[0] == '/') {
        length = (size_t)snprintf(buffer, URI_MAX, "file://");
    }
    for (; *path != '\0' && length + 4 < URI_MAX; path++) {
        bool is_plain = strchr(plain, *path) != NULL;
        length += (size_t)snprintf(buffer + length, URI_MAX - length, is_plain ? "%c" : "%%%02X", (unsigned char)*path);
    }
    buffer[length] = '\0';
    return buffer;
}

/* Paths of the build are relative to where it was made: "./a.c" and "a.c" are one file. */
static json_t *location_json(const char *name, const char *function, const struct solo_detail *detail)
{
    bool known = detail != NULL && detail->frame_count != 0 && detail->frames[0].file[0] != '\0';
    const char *file = known ? detail->frames[0].file : name;
    char uri[URI_MAX];
    while (strncmp(file, "./", 2) == 0) {
        file += 2;
    }
    json_t *artifact = json_object();
    json_object_set_new(artifact, "uri", json_string(uri_of(file, uri)));
    json_int_t line = known && detail->frames[0].line > 0 ? (json_int_t)detail->frames[0].line : 1;
    json_int_t column = known ? (json_int_t)solo__report_column(&detail->frames[0], function, NULL) : 0;
    json_int_t length = column != 0 ? (json_int_t)strlen(function) : 0;
    column = column != 0 ? column : 1;
    json_t *region = json_object();
    json_object_set_new(region, "startLine", json_integer(line));
    json_object_set_new(region, "startColumn", json_integer(column));
    json_object_set_new(region, "endLine", json_integer(line));
    json_object_set_new(region, "endColumn", json_integer(column + (length != 0 ? length : 1)));
    json_t *physical = json_object();
    json_object_set_new(physical, "artifactLocation", artifact);
    json_object_set_new(physical, "region", region);
    json_t *location = json_object();
    json_object_set_new(location, "physicalLocation", physical);
    return location;
}

static const char own_check[] = "a check of the program's own does not hold";

/* The index of the rule with this id, added if it is new. */
static size_t rule_of(json_t *rules, const struct solo_violation *violation)
{
    char id[8];
    const char *word = solo__report_id(violation, id);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        if (strcmp(json_string_value(json_object_get(json_array_get(rules, i), "id")), word) == 0) {
            return i;
        }
    }
    const struct solo_diagnostic *diagnostic = solo_diagnostic_find(violation->id);
    const char *title = solo_violation_title(violation->id);
    json_t *rule = json_object();
    json_object_set_new(rule, "id", text(word));
    json_object_set_new(rule, "shortDescription", message(title[0] != '\0' ? title : own_check));
    json_object_set_new(rule, "fullDescription", message(diagnostic != NULL ? diagnostic->what : own_check));
    json_object_set_new(rule, "help", message(diagnostic != NULL ? diagnostic->right : own_check));
    json_array_append_new(rules, rule);
    return json_array_size(rules) - 1;
}

static json_t *result_json(const char *name, json_t *rules, const struct solo_finding *finding,
                           const struct solo_report_context *context)
{
    char id[8], digits[SOLO__FINGERPRINT_MAX], command[8192];
    const struct solo_violation *violation = &finding->violation;
    json_t *result = json_object();
    size_t rule = rule_of(rules, violation);
    json_object_set_new(result, "ruleId", text(solo__report_id(violation, id)));
    json_object_set_new(result, "ruleIndex", json_integer((json_int_t)rule));
    json_object_set_new(result, "level", json_string(solo__severity(violation)));
    json_object_set_new(result, "message",
                        message(solo__report_or(violation->text, solo_violation_title(violation->id))));
    json_t *locations = json_array();
    json_array_append_new(locations, location_json(name, violation->function, context->detail));
    json_object_set_new(result, "locations", locations);
    json_t *fingerprints = json_object();
    json_object_set_new(fingerprints, "primaryLocationLineHash",
                        text(solo__report_fingerprint(violation, context->detail, digits)));
    json_object_set_new(result, "partialFingerprints", fingerprints);
    json_t *properties = json_object();
    json_object_set_new(properties, "failing", json_integer((json_int_t)finding->schedules));
    if (context->token != NULL && solo_report_replay_line(context, command, sizeof command) == 0) {
        json_object_set_new(properties, "schedule", text(context->token));
        json_object_set_new(properties, "replay", text(command));
    }
    json_object_set_new(result, "properties", properties);
    return result;
}

static json_t *run_json(const char *name, const struct solo_report *report, const struct solo_report_context *contexts)
{
    json_t *rules = json_array();
    json_t *results = json_array();
    for (unsigned i = 0; i < report->finding_count && i < SOLO_FINDINGS_MAX; i++) {
        json_array_append_new(results, result_json(name, rules, &report->findings[i], &contexts[i]));
    }
    json_t *driver = json_object();
    json_object_set_new(driver, "name", json_string("solo"));
    json_object_set_new(driver, "rules", rules);
    json_t *tool = json_object();
    json_object_set_new(tool, "driver", driver);
    json_t *invocation = json_object();
    json_object_set_new(invocation, "executionSuccessful", json_boolean(report->verdict != SOLO_VERDICT_INCOMPLETE));
    json_t *invocations = json_array();
    json_array_append_new(invocations, invocation);
    json_t *properties = json_object();
    json_object_set_new(properties, "evidence", text(report->evidence));
    json_object_set_new(properties, "schedules", json_integer((json_int_t)report->schedules));
    json_t *run = json_object();
    json_object_set_new(run, "tool", tool);
    json_object_set_new(run, "invocations", invocations);
    json_object_set_new(run, "results", results);
    json_object_set_new(run, "properties", properties);
    return run;
}

int solo_report_explored_sarif(FILE *out, const char *name, const struct solo_report *report,
                               const struct solo_report_context *contexts)
{
    if (out == NULL || name == NULL || report == NULL || (contexts == NULL && report->finding_count != 0)) {
        return -EINVAL;
    }

    json_t *runs = json_array();
    json_array_append_new(runs, run_json(name, report, contexts));
    json_t *root = json_object();
    json_object_set_new(root, "$schema", json_string("https://json.schemastore.org/sarif-2.1.0.json"));
    json_object_set_new(root, "version", json_string("2.1.0"));
    json_object_set_new(root, "runs", runs);
    int result = json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0 || fputc('\n', out) == EOF ? -EIO : 0;
    json_decref(root);
    return result;
}
