/*
 * runner_junit.c - the results as JUnit XML, through libxml2's writer. (CUnit's own JUnit mode writes XML that does not
 * parse.)
 *
 * Whatever a test printed goes in: bytes that XML cannot hold (control characters, broken UTF-8) are replaced by '?'.
 */
#include "runner_private.h"
#include <libxml/chvalid.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy fit for XML; free it. */
static xmlChar *clean(const char *text)
{
    size_t size = strlen(text);
    xmlChar *copy = malloc(size + 1), *to = copy;
    if (copy == NULL) {
        abort();
    }
    for (size_t at = 0; at < size;) {
        int bytes = size - at < 4 ? (int)(size - at) : 4;
        int character = xmlGetUTF8Char((const unsigned char *)text + at, &bytes);
        if (character < 0 || !xmlIsCharQ(character)) {
            *to++ = '?';
            at++;
            continue;
        }
        memcpy(to, text + at, (size_t)bytes);
        to += bytes;
        at += (size_t)bytes;
    }
    *to = '\0';
    return copy;
}

static void attribute(xmlTextWriterPtr xml, const char *name, const char *text)
{
    xmlChar *value = clean(text);
    xmlTextWriterWriteAttribute(xml, BAD_CAST name, value);
    free(value);
}

static void element(xmlTextWriterPtr xml, const char *name, const char *message, const char *text)
{
    xmlTextWriterStartElement(xml, BAD_CAST name);
    if (message != NULL) {
        attribute(xml, "message", message);
    }
    xmlChar *value = clean(text);
    xmlTextWriterWriteString(xml, value);
    free(value);
    xmlTextWriterEndElement(xml);
}

static void write_test(xmlTextWriterPtr xml, const struct runner_test *test)
{
    xmlTextWriterStartElement(xml, BAD_CAST "testcase");
    attribute(xml, "classname", test->suite);
    attribute(xml, "name", test->name);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "time", "%.3f", test->seconds);
    if (test->state == RUNNER_FAILED) {
        char first[256];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(test->messages, "\n"), test->messages);
        element(xml, "failure", first, test->messages);
    }
    if (test->state == RUNNER_SKIPPED) {
        element(xml, "skipped", test->messages, "");
    }
    if (test->state == RUNNER_FAILED && test->output != NULL) {
        element(xml, "system-out", NULL, test->output);
    }
    xmlTextWriterEndElement(xml);
}

/* Opens a testsuites or testsuite element over the tests from `at` on that belong to `suite` (NULL: all). */
static void open_suite(xmlTextWriterPtr xml, const char *tag, unsigned at, const char *suite)
{
    unsigned tests = 0, failures = 0, skipped = 0;
    double seconds = 0;
    for (; at < runner_test_count; at++) {
        const struct runner_test *test = &runner_tests[at];
        if (test->state >= RUNNER_PASSED && (suite == NULL || test->suite == suite)) {
            tests++;
            failures += test->state == RUNNER_FAILED;
            skipped += test->state == RUNNER_SKIPPED;
            seconds += test->seconds;
        }
    }
    xmlTextWriterStartElement(xml, BAD_CAST tag);
    attribute(xml, "name", suite != NULL ? suite : "solo");
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "tests", "%u", tests);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "failures", "%u", failures);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "errors", "0");
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "skipped", "%u", skipped);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "time", "%.3f", seconds);
}

int runner_write_junit(const char *file)
{
    xmlTextWriterPtr xml = xmlNewTextWriterFilename(file, 0);
    if (xml == NULL) {
        fprintf(stderr, "solo-tests: cannot write %s\n", file);
        return -1;
    }
    const char *suite = NULL;
    xmlTextWriterSetIndent(xml, 1);
    xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
    open_suite(xml, "testsuites", 0, NULL);
    for (unsigned i = 0; i < runner_test_count; i++) {
        if (runner_tests[i].state < RUNNER_PASSED) {
            continue;
        }
        if (suite != runner_tests[i].suite) {
            if (suite != NULL) {
                xmlTextWriterEndElement(xml);
            }
            suite = runner_tests[i].suite;
            open_suite(xml, "testsuite", i, suite);
        }
        write_test(xml, &runner_tests[i]);
    }
    int written = xmlTextWriterEndDocument(xml); /* closes what is open and flushes */
    xmlFreeTextWriter(xml);
    xmlCleanupParser();
    if (written < 0) {
        fprintf(stderr, "solo-tests: cannot write all of %s\n", file);
        return -1;
    }
    return 0;
}
