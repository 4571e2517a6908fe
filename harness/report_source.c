/*
 * report_source.c - the code as written, with the place marked.
 */
#include "report_internal.h"
#include <ctype.h>
#include <string.h>

enum { BEFORE = 2, LINE_NUMBER_WIDTH = 4 };

static FILE *open_source(const char *file, const char *directory)
{
    char path[512];
    if (file[0] == '\0') {
        return NULL;
    }
    if (file[0] == '/' || directory == NULL) {
        (void)snprintf(path, sizeof path, "%s", file);
    } else {
        (void)snprintf(path, sizeof path, "%s/%s", directory, file);
    }
    return fopen(path, "r");
}

/*
 * Reads one line with tabs as spaces to multiples of 4 and other control characters as '?'. False at the end of the
 * file.
 */
static bool read_line(FILE *file, char *line, size_t size)
{
    size_t used = 0;
    int c = getc(file);
    if (c == EOF) {
        return false;
    }
    for (; c != EOF && c != '\n'; c = getc(file)) {
        size_t width = c == '\t' ? 4 - used % 4 : 1;
        for (size_t i = 0; i < width && used + 1 < size; i++) {
            line[used++] = c == '\t' ? ' ' : iscntrl(c) ? '?' : (char)c;
        }
    }
    while (used > 0 && (line[used - 1] == ' ' || line[used - 1] == '?')) {
        used--; /* trailing blanks, and the '\r' of a foreign line end */
    }
    line[used] = '\0';
    return true;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Where `function` stands as a word, else the first character that is not blank. */
static size_t find_place(const char *line, const char *function, size_t *ret_length)
{
    size_t length = strlen(function);
    for (const char *at = line; length > 0 && (at = strstr(at, function)) != NULL; at++) {
        if ((at == line || !is_word(at[-1])) && !is_word(at[length])) {
            *ret_length = length;
            return (size_t)(at - line);
        }
    }
    size_t start = strspn(line, " ");
    *ret_length = strlen(line) - start;
    return start;
}

static bool seek_line(FILE *file, int32_t number, char *line, size_t size)
{
    for (int32_t i = 0; i < number; i++) {
        if (!read_line(file, line, size)) {
            return false;
        }
    }
    return true;
}

unsigned solo__report_column(const struct solo_frame_text *frame, const char *function, const char *directory)
{
    char line[SOLO__LINE_MAX];
    size_t length;
    FILE *file = open_source(frame->file, directory);
    bool found = file != NULL && frame->line > 0 && seek_line(file, frame->line, line, sizeof line);
    if (file != NULL) {
        fclose(file);
    }
    return found ? (unsigned)find_place(line, function, &length) + 1 : 0;
}

static void add_caret(struct solo__page *page, const char *line, const char *function, const char *label)
{
    char carets[SOLO__LINE_MAX];
    size_t length;
    size_t place = find_place(line, function, &length);
    if (place + length > SOLO_REPORT_COLUMNS_MAX - 12) {
        length = 1;
    }
    memset(carets, ' ', place);
    memset(carets + place, '^', length);
    carets[place + length] = '\0';
    size_t used = LINE_NUMBER_WIDTH + 3 + place + length;
    if (used + 1 + strlen(label) <= SOLO_REPORT_COLUMNS_MAX) {
        solo__page_line(page, "%*s | %s %s", LINE_NUMBER_WIDTH, "", carets, label);
    } else {
        solo__page_line(page, "%*s | %s", LINE_NUMBER_WIDTH, "", carets);
        solo__page_line(page, "%*s |     %s", LINE_NUMBER_WIDTH, "", label);
    }
}

void solo__report_excerpt(struct solo__page *page, const struct solo_frame_text *frame, const char *function,
                          const char *label, const char *directory)
{
    char line[SOLO__LINE_MAX];
    FILE *file = open_source(frame->file, directory);
    if (file == NULL) {
        return;
    }
    int32_t first = frame->line > BEFORE ? frame->line - BEFORE : 1;
    if (frame->line > 0 && seek_line(file, first - 1, line, sizeof line)) {
        solo__page_line(page, "%*s |", LINE_NUMBER_WIDTH, "");
        int32_t number = first;
        bool more = true;
        for (; number <= frame->line && (more = read_line(file, line, sizeof line)); number++) {
            solo__page_line(page, "%*d | %s", LINE_NUMBER_WIDTH, (int)number, line);
        }
        if (more) {
            add_caret(page, line, function, label);
        }
    }
    fclose(file);
}
