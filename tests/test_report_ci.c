/* test_report_ci.c - what continuous integration reads: JUnit XML and SARIF. */
#include "support.h"
#include <errno.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <solo/report.h>
#include <stdlib.h>
#include <string.h>

static struct runner_output output;
static struct solo_report report; /* too large for the stack */
static struct solo_report_context contexts[2];

/* ---- Documents that are made up ---- */

typedef int (*write_fn)(FILE *out, const char *name, const struct solo_report *report,
                        const struct solo_report_context *contexts);

static char *write_with(write_fn write)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(write(out, "./chat", &report, contexts), 0);
    (void)fclose(out);
    return text;
}

static void make_up(unsigned findings)
{
    memset(&report, 0, sizeof report);
    memset(contexts, 0, sizeof contexts);
    report.verdict = findings != 0 ? SOLO_VERDICT_FINDINGS : SOLO_VERDICT_CLEAN;
    report.schedules = 100;
    report.finding_count = findings;
    strcpy(report.evidence, "100 schedules & <nothing> else");
    report.findings[0].violation.id = SOLO001_WRONG_THREAD;
    strcpy(report.findings[0].violation.function, "solo_transport_write");
    strcpy(report.findings[0].violation.text, "\"bytes\" \001 \377 & <tags>");
    strcpy(report.findings[1].violation.text, "the counter is 3");
    report.findings[1].schedules = 7;
    contexts[0].world = contexts[1].world = "sim";
}

/* The number that an XPath expression has in a document; -1: it is not well-formed. */
static double xpath(const char *text, const char *expression)
{
    double number = -1;
    xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);
    xmlXPathContext *context = document != NULL ? xmlXPathNewContext(document) : NULL;
    if (context != NULL) {
        xmlXPathObject *object = xmlXPathEvalExpression(BAD_CAST expression, context);
        number = object != NULL ? xmlXPathCastToNumber(object) : -1;
        xmlXPathFreeObject(object);
        xmlXPathFreeContext(context);
    }
    xmlFreeDoc(document);
    return number;
}

static void test_report_ci__junit_has_a_case_for_the_exploration_and_one_for_each_finding(void)
{
    make_up(2);
    char *text = write_with(solo_report_explored_junit);
    CU_ASSERT_EQUAL(xpath(text, "/testsuites/testsuite/@tests"), 3);
    CU_ASSERT_EQUAL(xpath(text, "/testsuites/testsuite/@failures"), 2);
    CU_ASSERT_EQUAL(xpath(text, "/testsuites/testsuite/@errors"), 0);
    CU_ASSERT_EQUAL(xpath(text, "count(//testcase[@classname='./chat'])"), 3);
    CU_ASSERT_EQUAL(xpath(text, "count(//testcase[@name='exploration' and not(failure)])"), 1);
    CU_ASSERT_EQUAL(xpath(text, "count(//testcase/failure[@type='SOLO001' and contains(., 'error[SOLO001]')])"), 1);
    CU_ASSERT_EQUAL(xpath(text, "count(//testcase/failure[@type='check' and contains(@message, 'the counter is 3')])"),
                    1);
    CU_ASSERT_EQUAL(xpath(text, "count(//system-out[.='100 schedules & <nothing> else'])"), 1);
    free(text);
}

static void test_report_ci__junit_of_a_clean_exploration_has_no_failure(void)
{
    make_up(0);
    char *text = write_with(solo_report_explored_junit);
    CU_ASSERT_EQUAL(xpath(text, "/testsuites/testsuite/@tests"), 1);
    CU_ASSERT_EQUAL(xpath(text, "count(//failure) + count(//error)"), 0);
    free(text);
}

static void test_report_ci__an_incomplete_exploration_is_an_error_and_no_pass(void)
{
    make_up(0);
    report.verdict = SOLO_VERDICT_INCOMPLETE;
    char *text = write_with(solo_report_explored_junit);
    CU_ASSERT_EQUAL(xpath(text, "/testsuites/testsuite/@errors"), 1);
    CU_ASSERT_EQUAL(xpath(text, "count(//testcase[@name='exploration']/error[@type='incomplete'])"), 1);
    free(text);
    text = write_with(solo_report_explored_sarif);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"executionSuccessful\": false"));
    free(text);
}

static const json_t *at(const json_t *value, const char *key)
{
    return key[0] >= '0' && key[0] <= '9' ? json_array_get(value, (size_t)atoi(key)) : json_object_get(value, key);
}

/* The string at a path such as "runs/0/results/1/ruleId". */
static const char *string_at(const json_t *value, const char *path)
{
    char part[64];
    while (value != NULL && *path != '\0') {
        size_t length = strcspn(path, "/");
        (void)snprintf(part, sizeof part, "%.*s", (int)length, path);
        value = at(value, part);
        path += length + (path[length] == '/');
    }
    const char *text = json_string_value(value);
    return text != NULL ? text : "";
}

static void test_report_ci__sarif_has_a_rule_for_each_id_and_a_result_for_each_finding(void)
{
    make_up(2);
    char *text = write_with(solo_report_explored_sarif);
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_STRING_EQUAL(string_at(root, "version"), "2.1.0");
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/tool/driver/name"), "solo");
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/tool/driver/rules/0/id"), "SOLO001");
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/tool/driver/rules/1/id"), "check");
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/results/0/ruleId"), "SOLO001");
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/results/1/message/text"), "the counter is 3");
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/results/1/level"), "error");
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/results/1/locations/0/physicalLocation/artifactLocation/uri"),
                           "chat");
    CU_ASSERT_EQUAL(strlen(string_at(root, "runs/0/results/1/partialFingerprints/primaryLocationLineHash")), 16);
    json_decref(root);
    free(text);
}

static void check_uri(const char *file, const char *expected)
{
    static struct solo_detail detail;
    make_up(1);
    memset(&detail, 0, sizeof detail);
    detail.frame_count = 1;
    snprintf(detail.frames[0].file, sizeof detail.frames[0].file, "%s", file);
    contexts[0].detail = &detail;
    char *text = write_with(solo_report_explored_sarif);
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri"),
                           expected);
    json_decref(root);
    free(text);
}

static void test_report_ci__sarif_names_files_by_uris(void)
{
    check_uri("./src/a-b_c.d~e.c", "src/a-b_c.d~e.c");
    check_uri("my files/100%/a#1?.c", "my%20files/100%25/a%231%3F.c");
    check_uri("c:d.c", "c%3Ad.c"); /* else `c` were the scheme */
    check_uri("\303\244\377.c", "%C3%A4%FF.c");
    check_uri("/usr/src/a b.c", "file:///usr/src/a%20b.c");
}

static void test_report_ci__what_is_missing_is_refused(void)
{
    make_up(1);
    static const write_fn writers[] = {solo_report_explored_junit, solo_report_explored_sarif};
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(writers[i](NULL, "a", &report, contexts), -EINVAL);
        CU_ASSERT_EQUAL(writers[i](stdout, NULL, &report, contexts), -EINVAL);
        CU_ASSERT_EQUAL(writers[i](stdout, "a", NULL, contexts), -EINVAL);
        CU_ASSERT_EQUAL(writers[i](stdout, "a", &report, NULL), -EINVAL);
    }
}

/* ---- From the command ---- */

static void explore(const char *options)
{
    support_shell(&output, "%s explore --first --peer lessons/01_wrong_thread/peers.txt %s -- %s",
                  runner_build_path("bin/solo"), options, runner_build_path("lessons/01_wrong_thread/broken"));
}

static void test_report_ci__the_command_writes_both_and_nothing_else(void)
{
    explore("--format junit");
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_EQUAL(xpath(output.text, "/testsuites/testsuite/@failures - count(//failure)"), 0);
    CU_ASSERT_EQUAL(xpath(output.text, "count(//failure[@type='SOLO001' and contains(., 'solo replay solo1.')])"), 1);
    explore("--format sarif");
    CU_ASSERT_EQUAL(output.status, 1);
    json_t *root = json_loads(output.text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_STRING_EQUAL(string_at(root, "runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri"),
                           "lessons/01_wrong_thread/broken.c");
    const json_t *region = json_object_get(
        json_object_get(
            json_array_get(
                json_object_get(
                    json_array_get(json_object_get(json_array_get(json_object_get(root, "runs"), 0), "results"), 0),
                    "locations"),
                0),
            "physicalLocation"),
        "region");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(region, "startLine")), 53);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(region, "startColumn")), 9);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(region, "endColumn")), 29);
    CU_ASSERT_EQUAL(strncmp(string_at(root, "runs/0/results/0/properties/replay"), "solo replay solo1.", 18), 0);
    json_decref(root);
}

static void test_report_ci__verbs_without_an_exploration_refuse_them(void)
{
    support_shell(&output, "%s run --format junit /bin/true", runner_build_path("bin/solo"));
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "'junit' is not one of: text, json"));
}

void suite_report_ci(void)
{
    SOLO_SUITE("report_ci");
    SOLO_TEST(test_report_ci__junit_has_a_case_for_the_exploration_and_one_for_each_finding);
    SOLO_TEST(test_report_ci__junit_of_a_clean_exploration_has_no_failure);
    SOLO_TEST(test_report_ci__an_incomplete_exploration_is_an_error_and_no_pass);
    SOLO_TEST(test_report_ci__sarif_has_a_rule_for_each_id_and_a_result_for_each_finding);
    SOLO_TEST(test_report_ci__sarif_names_files_by_uris);
    SOLO_TEST(test_report_ci__what_is_missing_is_refused);
    SOLO_TEST(test_report_ci__the_command_writes_both_and_nothing_else);
    SOLO_TEST(test_report_ci__verbs_without_an_exploration_refuse_them);
}
