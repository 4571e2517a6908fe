/*
 * report_page.c - lines of text in the making: cut or broken at 96 columns.
 */
#include "report_internal.h"
#include <stdarg.h>
#include <string.h>

enum { NOTE_INDENT = 13, WRAPPED_MAX = 3 };

void solo__page_cut(struct solo__page *page, const char *text)
{
    if (page->count == SOLO__PAGE_LINES_MAX) {
        return;
    }
    size_t length = strlen(text);
    size_t kept = length <= SOLO_REPORT_COLUMNS_MAX ? length : SOLO_REPORT_COLUMNS_MAX - 3;
    (void)snprintf(page->lines[page->count++], SOLO__LINE_MAX, "%.*s%s", (int)kept, text, kept < length ? "..." : "");
}

void solo__page_line(struct solo__page *page, const char *format, ...)
{
    char text[SOLO__LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    solo__page_cut(page, text);
}

/* How much of `text` fits into `width` columns without breaking a word, if that can be. */
static size_t fitting(const char *text, size_t width)
{
    size_t length = strlen(text);
    if (length <= width) {
        return length;
    }
    for (size_t at = width; at > 0; at--) {
        if (text[at] == ' ') {
            return at;
        }
    }
    return width;
}

void solo__page_wrapped(struct solo__page *page, const char *start, size_t indent, const char *text)
{
    for (int line = 0; line == 0 || *text != '\0'; line++) {
        size_t length = fitting(text, SOLO_REPORT_COLUMNS_MAX - indent);
        if (line == WRAPPED_MAX - 1) { /* the last line is cut, with "..." */
            length = strlen(text);
        }
        solo__page_line(page, "%-*s%.*s", (int)indent, line == 0 ? start : "", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

void solo__page_note(struct solo__page *page, const char *label, const char *format, ...)
{
    char text[SOLO__LINE_MAX], start[32];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)snprintf(start, sizeof start, "     = %s: ", label);
    solo__page_wrapped(page, start, NOTE_INDENT, text);
}

const char *solo__report_number(uint64_t number, char *buffer, size_t size)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            buffer[used++] = ',';
        }
        buffer[used++] = digits[i];
    }
    buffer[used] = '\0';
    return buffer;
}
