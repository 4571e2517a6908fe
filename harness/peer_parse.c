/*
 * peer_parse.c - reads a peer script, and refuses one that cannot go right.
 *
 * What a peer does is a straight line but for repeats, and whether it is connected at the end of a repeat must be as
 * at its beginning. So it can be told here, for every line, whether there is a connection.
 */
#include "peer_internal.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_SIZE_MAX = 4 << 20 };

static const struct {
    const char *name;
    enum solo__peer_command command;
} commands[] = {
    {"connect", SOLO__PEER_CONNECT},
    {"send", SOLO__PEER_SEND},
    {"expect", SOLO__PEER_EXPECT},
    {"await", SOLO__PEER_AWAIT},
    {"expect-close", SOLO__PEER_EXPECT_CLOSE},
    {"await-close", SOLO__PEER_AWAIT_CLOSE},
    {"close", SOLO__PEER_CLOSE},
    {"abort", SOLO__PEER_ABORT},
    {"close-write", SOLO__PEER_CLOSE_WRITE},
    {"wait", SOLO__PEER_WAIT},
    {"signal", SOLO__PEER_SIGNAL},
    {"repeat", SOLO__PEER_REPEAT},
    {"end", SOLO__PEER_END},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

const char *solo__peer_command_name(enum solo__peer_command command)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].command == command) {
            return commands[i].name;
        }
    }
    return "?";
}

/* READING: it has ended what it sends. */
enum connection { NO_CONNECTION = 0, CONNECTED, READING };

struct parser {
    struct solo_peers *peers;
    char *why;
    const char *next, *end; /* of the text */
    const char *at, *stop;  /* of the present line */
    unsigned line;
    struct {
        size_t repeat;             /* index of its line */
        enum connection connected; /* at its beginning */
    } open[SOLO_PEER_NESTING_MAX];
    size_t depth;
    enum connection connected;
    size_t capacity; /* of peers->lines */
};

static int wrong(struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(struct parser *parser, const char *format, ...)
{
    va_list arguments;
    int size = snprintf(parser->why, SOLO_PEER_WHY_MAX, "%.120s:%u: ", parser->peers->path, parser->line);
    va_start(arguments, format);
    vsnprintf(parser->why + size, SOLO_PEER_WHY_MAX - (size_t)size, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* ---- Words, numbers and texts of a line ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->stop && is_blank(*parser->at)) {
        parser->at++;
    }
    if (parser->at < parser->stop && *parser->at == '#') {
        parser->at = parser->stop;
    }
}

/* The next word; its size is 0 at the end of the line. */
static size_t next_word(struct parser *parser, const char **ret_word)
{
    skip_blanks(parser);
    *ret_word = parser->at;
    while (parser->at < parser->stop && !is_blank(*parser->at)) {
        parser->at++;
    }
    return (size_t)(parser->at - *ret_word);
}

static int at_end_of_line(struct parser *parser)
{
    skip_blanks(parser);
    return parser->at == parser->stop ? 0 : wrong(parser, "more on this line than belongs to the command");
}

static int parse_number(struct parser *parser, const char *what, uint64_t least, uint64_t most, uint64_t *ret_number)
{
    const char *word;
    size_t size = next_word(parser, &word);
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        if (word[i] < '0' || word[i] > '9' || number > most) {
            size = 0;
            break;
        }
        number = number * 10 + (uint64_t)(word[i] - '0');
    }
    if (size == 0 || number < least || number > most) {
        return wrong(parser, "%s must be a number from %llu to %llu", what, (unsigned long long)least,
                     (unsigned long long)most);
    }
    *ret_number = number;
    return 0;
}

/* A name without SIG, or a number. */
static int parse_signal(struct parser *parser, uint64_t *ret_number)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"HUP", SIGHUP},   {"INT", SIGINT},   {"TERM", SIGTERM},
                 {"CHLD", SIGCHLD}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}};
    const char *before = parser->at, *word;
    size_t size = next_word(parser, &word);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == size && memcmp(names[i].name, word, size) == 0) {
            *ret_number = (uint64_t)names[i].number;
            return 0;
        }
    }
    parser->at = before;
    return parse_number(parser, "the signal", 1, SOLO_SIGNAL_MAX, ret_number);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The character of an escape, whose backslash has been read; -1 if there is no such escape. */
static int parse_escape(struct parser *parser)
{
    static const char from[] = "nrt0\\\"", to[] = "\n\r\t\0\\\"";
    char c = parser->at < parser->stop ? *parser->at++ : '\0';
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    if (found != NULL) {
        return (unsigned char)to[found - from];
    }
    if (c == 'x' && parser->stop - parser->at >= 2) {
        int high = hex_digit(parser->at[0]), low = hex_digit(parser->at[1]);
        if (high >= 0 && low >= 0) {
            parser->at += 2;
            return high * 16 + low;
        }
    }
    return -1;
}

static int parse_text(struct parser *parser, struct solo__peer_line *line)
{
    char buffer[SOLO_PEER_TEXT_MAX];
    size_t size = 0;
    skip_blanks(parser);
    if (parser->at == parser->stop || *parser->at++ != '"') {
        return wrong(parser, "a text in double quotes must follow");
    }
    for (;;) {
        if (parser->at == parser->stop) {
            return wrong(parser, "the text has no closing quote");
        }
        int c = (unsigned char)*parser->at++;
        if (c == '"') {
            break;
        }
        if (c == '\\' && (c = parse_escape(parser)) < 0) {
            return wrong(parser, "unknown escape; there are \\n \\r \\t \\0 \\\\ \\\" \\xHH");
        }
        if (size == sizeof buffer) {
            return wrong(parser, "the text has more than %d bytes", SOLO_PEER_TEXT_MAX);
        }
        buffer[size++] = (char)c;
    }
    if (size == 0) {
        return wrong(parser, "the text is empty");
    }
    line->text = malloc(size);
    if (line->text == NULL) {
        return -ENOMEM;
    }
    memcpy(line->text, buffer, size);
    line->size = size;
    return 0;
}

/* ---- Commands ---- */

static int end_repeat(struct parser *parser, struct solo__peer_line *line)
{
    if (parser->depth == 0) {
        return wrong(parser, "end without repeat");
    }
    parser->depth--;
    line->number = parser->open[parser->depth].repeat;
    if (parser->connected != parser->open[parser->depth].connected) {
        return wrong(parser, "a repeat must end as it began, %s",
                     parser->open[parser->depth].connected == NO_CONNECTION ? "not connected"
                     : parser->open[parser->depth].connected == CONNECTED   ? "connected"
                                                                            : "after close-write");
    }
    return 0;
}

static int begin_repeat(struct parser *parser, struct solo__peer_line *line, size_t index)
{
    if (parser->depth == SOLO_PEER_NESTING_MAX) {
        return wrong(parser, "repeats are nested more than %d deep", SOLO_PEER_NESTING_MAX);
    }
    parser->open[parser->depth].repeat = index;
    parser->open[parser->depth].connected = parser->connected;
    parser->depth++;
    return parse_number(parser, "how often", 1, SOLO_PEER_REPEAT_MAX, &line->number);
}

/* The rest of a line that needs a connection, or none, and what it leaves. */
static int parse_arguments(struct parser *parser, struct solo__peer_line *line, size_t index)
{
    switch (line->command) {
    case SOLO__PEER_CONNECT:
        if (parser->connected) {
            return wrong(parser, "connect while connected; close first");
        }
        parser->connected = CONNECTED;
        return parse_number(parser, "the port", 1, UINT16_MAX, &line->number);
    case SOLO__PEER_WAIT: return parse_number(parser, "the time in milliseconds", 0, UINT32_MAX, &line->number);
    case SOLO__PEER_SIGNAL: return parse_signal(parser, &line->number);
    case SOLO__PEER_REPEAT: return begin_repeat(parser, line, index);
    case SOLO__PEER_END: return end_repeat(parser, line);
    default: break;
    }
    if (!parser->connected) {
        return wrong(parser, "%s before connect", solo__peer_command_name(line->command));
    }
    if (parser->connected == READING && (line->command == SOLO__PEER_SEND || line->command == SOLO__PEER_CLOSE_WRITE)) {
        return wrong(parser, "%s after close-write", solo__peer_command_name(line->command));
    }
    if (line->command == SOLO__PEER_SEND || line->command == SOLO__PEER_EXPECT || line->command == SOLO__PEER_AWAIT) {
        return parse_text(parser, line);
    }
    if (line->command == SOLO__PEER_CLOSE || line->command == SOLO__PEER_ABORT) {
        parser->connected = NO_CONNECTION;
    } else if (line->command == SOLO__PEER_CLOSE_WRITE) {
        parser->connected = READING;
    }
    return 0;
}

static int end_peer(struct parser *parser)
{
    struct solo_peers *peers = parser->peers;
    if (parser->depth > 0) {
        parser->line = peers->lines[parser->open[parser->depth - 1].repeat].line;
        return wrong(parser, "repeat without end");
    }
    parser->connected = NO_CONNECTION;
    if (peers->count > 0) {
        struct solo__peer *peer = &peers->peers[peers->count - 1];
        peer->count = peers->line_count - peer->first;
    }
    return 0;
}

static int begin_peer(struct parser *parser)
{
    struct solo_peers *peers = parser->peers;
    const char *word;
    int error = end_peer(parser);
    if (error < 0) {
        return error;
    }
    size_t size = next_word(parser, &word);
    if (size == 0 || size >= SOLO_PEER_NAME_MAX) {
        return wrong(parser, "a peer's name must have 1 to %d characters", SOLO_PEER_NAME_MAX - 1);
    }
    for (size_t i = 0; i < size; i++) {
        if ((word[i] < 'a' || word[i] > 'z') && (word[i] < 'A' || word[i] > 'Z') && (word[i] < '0' || word[i] > '9') &&
            word[i] != '-' && word[i] != '_') {
            return wrong(parser, "a peer's name has only letters, digits, '-' and '_'");
        }
    }
    for (size_t i = 0; i < peers->count; i++) {
        if (strlen(peers->peers[i].name) == size && memcmp(peers->peers[i].name, word, size) == 0) {
            return wrong(parser, "there is a peer %s already", peers->peers[i].name);
        }
    }
    if (peers->count == SOLO_PEERS_MAX) {
        return wrong(parser, "more than %d peers", SOLO_PEERS_MAX);
    }
    struct solo__peer *peer = &peers->peers[peers->count++];
    memcpy(peer->name, word, size);
    peer->peers = peers;
    peer->first = peers->line_count;
    return at_end_of_line(parser);
}

static struct solo__peer_line *new_line(struct parser *parser)
{
    struct solo_peers *peers = parser->peers;
    if (peers->line_count == parser->capacity) {
        size_t capacity = parser->capacity > 0 ? parser->capacity * 2 : 64;
        struct solo__peer_line *lines = realloc(peers->lines, capacity * sizeof *lines);
        if (lines == NULL) {
            return NULL;
        }
        peers->lines = lines;
        parser->capacity = capacity;
    }
    struct solo__peer_line *line = &peers->lines[peers->line_count++];
    *line = (struct solo__peer_line){.line = parser->line};
    return line;
}

static int parse_command(struct parser *parser, const char *word, size_t size)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strlen(commands[i].name) == size && memcmp(commands[i].name, word, size) == 0) {
            struct solo__peer_line *line = new_line(parser);
            if (line == NULL) {
                return -ENOMEM;
            }
            line->command = commands[i].command;
            int error = parse_arguments(parser, line, parser->peers->line_count - 1);
            return error < 0 ? error : at_end_of_line(parser);
        }
    }
    return wrong(parser, "unknown command '%.*s'", (int)(size < 40 ? size : 40), word);
}

static int parse_line(struct parser *parser)
{
    const char *word;
    size_t size = next_word(parser, &word);
    if (size == 0) {
        return 0;
    }
    if (memchr(parser->at - size, '\0', (size_t)(parser->stop - (parser->at - size))) != NULL) {
        return wrong(parser, "not a text file");
    }
    if (size == 4 && memcmp(word, "peer", 4) == 0) {
        return begin_peer(parser);
    }
    if (parser->peers->count == 0) {
        return wrong(parser, "a script begins with 'peer NAME'");
    }
    return parse_command(parser, word, size);
}

static int parse_all(struct parser *parser)
{
    while (parser->next < parser->end) {
        const char *newline = memchr(parser->next, '\n', (size_t)(parser->end - parser->next));
        parser->at = parser->next;
        parser->stop = newline != NULL ? newline : parser->end;
        parser->next = newline != NULL ? newline + 1 : parser->end;
        if (++parser->line > SOLO_PEER_LINES_MAX) {
            return wrong(parser, "more than %d lines", SOLO_PEER_LINES_MAX);
        }
        int error = parse_line(parser);
        if (error < 0) {
            return error;
        }
    }
    return parser->peers->count > 0 ? end_peer(parser) : wrong(parser, "there is no peer in it");
}

int solo_peers_parse(const char *path, const char *text, size_t size, struct solo_peers **ret_peers,
                     char why[SOLO_PEER_WHY_MAX])
{
    if (path == NULL || text == NULL || ret_peers == NULL || why == NULL) {
        return -EINVAL;
    }

    why[0] = '\0';
    struct solo_peers *peers = calloc(1, sizeof *peers);
    int error = peers != NULL && (peers->path = strdup(path)) != NULL ? 0 : -ENOMEM;
    if (error == 0) {
        struct parser parser = {.peers = peers, .why = why, .next = text, .end = text + size};
        error = parse_all(&parser);
    }
    if (error < 0) {
        if (error == -ENOMEM) {
            snprintf(why, SOLO_PEER_WHY_MAX, "%.120s: out of memory", path);
        }
        solo_peers_free(peers);
        return error;
    }
    *ret_peers = peers;
    return 0;
}

/* Reads at most FILE_SIZE_MAX bytes. */
static int read_file(const char *path, char **ret_text, size_t *ret_size)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISFIFO(status.st_mode)) {
        return -ESPIPE; /* opening it may wait for ever, and a script is read more than once */
    }
    FILE *file = fopen(path, "re");
    char *text = malloc(FILE_SIZE_MAX);
    int error = file == NULL ? -errno : text == NULL ? -ENOMEM : 0;
    if (error == 0) {
        *ret_size = fread(text, 1, FILE_SIZE_MAX, file);
        error = ferror(file) ? (errno != 0 ? -errno : -EIO) : *ret_size == FILE_SIZE_MAX ? -EFBIG : 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    if (error < 0) {
        free(text);
        return error;
    }
    *ret_text = text;
    return 0;
}

int solo_peers_load(const char *path, struct solo_peers **ret_peers, char why[SOLO_PEER_WHY_MAX])
{
    char *text = NULL;
    size_t size = 0;
    if (path == NULL || ret_peers == NULL || why == NULL) {
        return -EINVAL;
    }

    errno = 0;
    int error = read_file(path, &text, &size);
    if (error < 0) {
        snprintf(why, SOLO_PEER_WHY_MAX, "%.120s: %s", path,
                 error == -ESPIPE ? "a pipe; a script must be a file" : strerror(-error));
        return error;
    }
    error = solo_peers_parse(path, text, size, ret_peers, why);
    free(text);
    return error;
}

void solo_peers_free(struct solo_peers *peers)
{
    if (peers == NULL) {
        return;
    }
    for (size_t i = 0; i < peers->line_count; i++) {
        free(peers->lines[i].text);
    }
    free(peers->lines);
    free(peers->path);
    free(peers);
}
