/*
 * report_replay.c - the command that replays a finding, as a shell reads it.
 */
#include "report_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Appends a word of a shell command. A word that does not fit goes to the next line, behind a backslash; a token,
 * which is longer than a line, is broken where it is: a backslash at the end of a line joins what stands before and
 * behind it.
 */
struct command_line {
    char *buffer;
    size_t size, used, column;
};

static void add_raw(struct command_line *line, const char *text, size_t length)
{
    for (size_t i = 0; i < length && line->used + 1 < line->size; i++) {
        line->buffer[line->used++] = text[i];
        line->column = text[i] == '\n' ? 0 : line->column + 1;
    }
    line->buffer[line->used] = '\0';
}

static bool needs_quotes(const char *word)
{
    return word[0] == '\0' ||
           word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")] != '\0';
}

char *solo_report_shell_word(const char *word)
{
    char *text = malloc(strlen(word) * 4 + 3);
    char *to = text;
    if (text == NULL) {
        return NULL;
    }
    if (!needs_quotes(word)) {
        return strcpy(text, word);
    }
    *to++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            memcpy(to, "'\\''", 4);
            to += 4;
        } else {
            *to++ = *word;
        }
    }
    memcpy(to, "'", 2);
    return text;
}

static void add_word(struct command_line *line, const char *word)
{
    size_t length = strlen(word), room = SOLO_REPORT_COLUMNS_MAX - 2;
    if (line->column > 0) {
        if (line->column + 1 + length > room && length <= room) {
            add_raw(line, " \\\n", 3);
        } else {
            add_raw(line, " ", 1);
        }
    }
    bool quotes = false, escaped = false; /* within quotes a backslash joins nothing: they end and begin again */
    for (; length > 0; word++, length--) {
        bool escapes = !quotes && *word == '\\';
        bool is_full = line->column >= (quotes || escapes ? room - 1 : room);
        if (is_full && !escaped && line->column + length > room) {
            add_raw(line, quotes ? "'\\\n'" : "\\\n", quotes ? 4 : 2);
        }
        quotes ^= *word == '\'' && !escaped;
        escaped = escapes && !escaped;
        add_raw(line, word, 1);
    }
}

int solo_report_replay_line(const struct solo_report_context *context, char *buffer, size_t size)
{
    struct command_line line = {buffer, size, 0, 0};
    if (size == 0 || context->token == NULL || context->token[0] == '\0') {
        return -EINVAL;
    }
    add_word(&line, "solo");
    add_word(&line, "replay");
    add_word(&line, context->token);
    if (context->options != NULL && context->options[0] != '\0') {
        add_word(&line, context->options);
    }
    if (context->argv != NULL) {
        add_word(&line, "--");
        for (char *const *word = context->argv; *word != NULL; word++) {
            char *text = solo_report_shell_word(*word);
            if (text == NULL) {
                return -ENOMEM;
            }
            add_word(&line, text);
            free(text);
        }
    }
    if (context->input != NULL) {
        char *text = solo_report_shell_word(context->input);
        if (text == NULL) {
            return -ENOMEM;
        }
        add_word(&line, "<");
        add_word(&line, text);
        free(text);
    }
    return line.used + 1 < size ? 0 : -ENAMETOOLONG;
}
