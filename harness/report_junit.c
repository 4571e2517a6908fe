/*
 * report_junit.c - an exploration as JUnit XML, by libxml2's writer.
 *
 * JUnit knows test cases and not defects: the exploration itself is one, which is in error if it is incomplete, and
 * each finding is one that failed. Times are left out, so that the same result has the same bytes.
 */
#include "report_internal.h"
#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

/* What XML 1.0 has no way to say becomes '?', in place. */
static char *make_fit(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
        if (*c < 0x20 && *c != '\n' && *c != '\t') {
            *c = '?';
        }
    }
    if (!xmlCheckUTF8((const unsigned char *)text)) {
        for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
            *c = *c < 0x80 ? *c : '?';
        }
    }
    return text;
}

static void attribute(xmlTextWriter *writer, const char *name, const char *value)
{
    char *copy = strdup(value);
    if (copy != NULL) {
        (void)xmlTextWriterWriteAttribute(writer, BAD_CAST name, BAD_CAST make_fit(copy));
    }
    free(copy);
}

static void number(xmlTextWriter *writer, const char *name, unsigned value)
{
    (void)xmlTextWriterWriteFormatAttribute(writer, BAD_CAST name, "%u", value);
}

static void begin(xmlTextWriter *writer, const char *name)
{
    (void)xmlTextWriterStartElement(writer, BAD_CAST name);
}

static void end(xmlTextWriter *writer)
{
    (void)xmlTextWriterEndElement(writer);
}

/* The whole report, or its first line where there is no memory for it. */
static char *report_of(const struct solo_violation *violation, const struct solo_report_context *given)
{
    char *text = NULL;
    size_t size = 0;
    struct solo_report_context context = *given;
    context.colour = false;
    FILE *memory = open_memstream(&text, &size);
    if (memory != NULL) {
        (void)solo_report_text(memory, violation, &context);
        (void)fclose(memory);
    }
    return text;
}

static void write_finding(xmlTextWriter *writer, const char *name, const struct solo_finding *finding,
                          const struct solo_report_context *context)
{
    char id[8], line[256], title[512];
    const struct solo_detail *detail = context->detail;
    const char *word = solo__report_id(&finding->violation, id);
    if (detail != NULL && detail->frame_count != 0) {
        (void)snprintf(title, sizeof title, "%s %s:%d", word, detail->frames[0].file, (int)detail->frames[0].line);
    } else {
        (void)snprintf(title, sizeof title, "%s %s", word,
                       solo__report_or(finding->violation.function, solo_violation_title(finding->violation.id)));
    }
    char *text = report_of(&finding->violation, context);
    begin(writer, "testcase");
    attribute(writer, "classname", name);
    attribute(writer, "name", title);
    begin(writer, "failure");
    attribute(writer, "type", word);
    attribute(writer, "message", solo_report_headline(&finding->violation, line, sizeof line));
    (void)xmlTextWriterWriteString(writer, BAD_CAST(text != NULL ? make_fit(text) : line));
    end(writer);
    end(writer);
    free(text);
}

static void write_suite(xmlTextWriter *writer, const char *name, const struct solo_report *report,
                        const struct solo_report_context *contexts)
{
    bool incomplete = report->verdict == SOLO_VERDICT_INCOMPLETE;
    begin(writer, "testsuite");
    attribute(writer, "name", name);
    number(writer, "tests", report->finding_count + 1);
    number(writer, "failures", report->finding_count);
    number(writer, "errors", incomplete);
    begin(writer, "testcase");
    attribute(writer, "classname", name);
    attribute(writer, "name", "exploration");
    if (incomplete) {
        begin(writer, "error");
        attribute(writer, "type", "incomplete");
        attribute(writer, "message", report->evidence);
        end(writer);
    }
    begin(writer, "system-out");
    (void)xmlTextWriterWriteString(writer, BAD_CAST report->evidence);
    end(writer);
    end(writer);
    for (unsigned i = 0; i < report->finding_count && i < SOLO_FINDINGS_MAX; i++) {
        write_finding(writer, name, &report->findings[i], &contexts[i]);
    }
    end(writer);
}

int solo_report_explored_junit(FILE *out, const char *name, const struct solo_report *report,
                               const struct solo_report_context *contexts)
{
    if (out == NULL || name == NULL || report == NULL || (contexts == NULL && report->finding_count != 0)) {
        return -EINVAL;
    }

    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *writer = buffer != NULL ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (writer == NULL) {
        xmlBufferFree(buffer);
        return -ENOMEM;
    }
    (void)xmlTextWriterSetIndent(writer, 1);
    (void)xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
    begin(writer, "testsuites");
    attribute(writer, "name", "solo");
    write_suite(writer, name, report, contexts);
    end(writer);
    (void)xmlTextWriterEndDocument(writer);
    xmlFreeTextWriter(writer);
    size_t size = (size_t)xmlBufferLength(buffer);
    int result = fwrite(xmlBufferContent(buffer), 1, size, out) == size ? 0 : -EIO;
    xmlBufferFree(buffer);
    return result;
}
