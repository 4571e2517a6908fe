/*
 * token.c - tokens: recorded answers to text and back.
 *
 * Invariant of a parsed or made token: deviations are in strictly rising order of index, each index is below `choices`,
 * and the text of the token parses to the same token. So equal schedules have equal texts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <solo/token.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char kind_letters[] = "TWRJKCF";
static const char check_letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
_Static_assert(sizeof kind_letters - 1 == SOLO_CHOICE_KINDS, "each choice kind has a letter");

char solo_token_kind_letter(unsigned kind)
{
    return kind < SOLO_CHOICE_KINDS ? kind_letters[kind] : '?';
}

char solo_token_check_character(uint16_t check)
{
    return check_letters[check % (sizeof check_letters - 1)];
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

int solo_scenario_name_is_valid(const char *name)
{
    if (name == NULL || name[0] == '\0') {
        return 0;
    }
    size_t length = 0;
    for (; name[length] != '\0'; length++) {
        if (!is_name_character(name[length]) || length >= SOLO_SCENARIO_NAME_MAX - 1) {
            return 0;
        }
    }
    return 1;
}

/* ---- Fingerprint ---- */

static uint32_t fnv(uint32_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT32_C(0x01000193);
    }
    return hash;
}

static uint32_t fnv_number(uint32_t hash, uint64_t number)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    return fnv(hash, bytes, sizeof bytes);
}

uint32_t solo_token_fingerprint(const char *scenario, const struct solo_limits *limits)
{
    uint32_t hash = fnv(UINT32_C(0x811c9dc5), scenario, strlen(scenario) + 1);
    hash = fnv_number(hash, limits->steps_max);
    hash = fnv_number(hash, limits->faults_max);
    hash = fnv_number(hash, limits->let_time_pass);
    return fnv_number(hash, SOLO_CHOICE_SCHEMA);
}

/* ---- From answers ---- */

static uint32_t spacing_of(uint32_t choices)
{
    uint32_t spacing = (choices + SOLO_TOKEN_CHECKS_MAX - 1) / SOLO_TOKEN_CHECKS_MAX;
    return spacing != 0 ? spacing : 1;
}

static uint32_t checks_of(uint32_t choices)
{
    return choices / spacing_of(choices);
}

static uint32_t count_deviations(const struct solo_answer *answers, uint32_t count)
{
    uint32_t deviations = 0;
    for (uint32_t i = 0; i < count; i++) {
        deviations += answers[i].chosen != 0;
    }
    return deviations;
}

int solo_token_make(const char *scenario, const struct solo_limits *limits, const struct solo_answer *answers,
                    uint32_t answers_count, bool open, struct solo_token *ret_token)
{
    if (!solo_scenario_name_is_valid(scenario) || limits == NULL || ret_token == NULL ||
        (answers == NULL && answers_count != 0)) {
        return -EINVAL;
    }
    if (answers_count > SOLO_TOKEN_CHOICES_MAX) {
        return -E2BIG;
    }
    struct solo_token token = {.choice_schema = SOLO_CHOICE_SCHEMA, .choices = answers_count, .open = open};
    strcpy(token.scenario, scenario);
    token.fingerprint = solo_token_fingerprint(scenario, limits);
    token.deviations = calloc(count_deviations(answers, answers_count) + 1, sizeof *token.deviations);
    if (token.deviations == NULL) {
        return -ENOMEM;
    }
    token.spacing = spacing_of(answers_count);
    for (uint32_t i = 0; i < answers_count; i++) {
        if (answers[i].chosen != 0) {
            token.deviations[token.deviation_count++] =
                (struct solo_deviation){i, answers[i].chosen, answers[i].kind, 0};
        }
        if ((i + 1) % token.spacing == 0) {
            token.checks[i / token.spacing] = solo_token_check_character(answers[i].check);
        }
    }
    token.end_check = answers_count != 0 && !open ? answers[answers_count - 1].check : 0;
    *ret_token = token;
    return 0;
}

void solo_token_finish(struct solo_token *token)
{
    if (token != NULL) {
        free(token->deviations);
        token->deviations = NULL;
        token->deviation_count = 0;
    }
}

/* ---- To text ---- */

/* How many deviations from `first` on repeat it with no plain answer in between. */
static uint32_t run_length(const struct solo_token *token, uint32_t first)
{
    const struct solo_deviation *from = &token->deviations[first];
    uint32_t length = 1;
    while (first + length < token->deviation_count) {
        const struct solo_deviation *next = &token->deviations[first + length];
        if (next->index != from->index + length || next->chosen != from->chosen || next->kind != from->kind) {
            break;
        }
        length++;
    }
    return length;
}

static void print_deviations(FILE *to, const struct solo_token *token)
{
    if (token->deviation_count == 0) {
        fputs("plain", to);
        return;
    }
    uint32_t next = 0; /* first choice not yet written */
    for (uint32_t i = 0; i < token->deviation_count;) {
        const struct solo_deviation *deviation = &token->deviations[i];
        uint32_t times = run_length(token, i);
        if (i != 0) {
            fputc('_', to);
        }
        if (deviation->index != next) {
            fprintf(to, "%u", (unsigned)(deviation->index - next));
        }
        fprintf(to, "%c%u", solo_token_kind_letter(deviation->kind), (unsigned)deviation->chosen);
        if (times > 1) {
            fprintf(to, "x%u", (unsigned)times);
        }
        next = deviation->index + times;
        i += times;
    }
}

char *solo_token_text(const struct solo_token *token)
{
    if (token == NULL) {
        return NULL;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (to == NULL) {
        return NULL;
    }
    fprintf(to, "solo1.%u.%s.%s.%08x.", (unsigned)token->choice_schema, token->scenario,
            token->granularity == SOLO_GRANULARITY_ACCESS ? "access" : "sync", (unsigned)token->fingerprint);
    print_deviations(to, token);
    fprintf(to, "-%u-", (unsigned)token->choices);
    if (token->open) {
        fputs("open", to);
    } else {
        fprintf(to, "%04x", (unsigned)token->end_check);
    }
    if (token->choices != 0) {
        fprintf(to, "-%s", token->checks);
    }
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- From text ---- */

static int refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (why != NULL) {
        vsnprintf(why, SOLO_TOKEN_WHY_MAX, format, arguments);
    }
    va_end(arguments);
    return -EINVAL;
}

/* Reads a decimal number without sign or leading zeros, at most `max`. */
static bool take_number(const char **at, uint32_t max, uint32_t *ret_number)
{
    const char *c = *at;
    if (*c < '0' || *c > '9' || (c[0] == '0' && c[1] >= '0' && c[1] <= '9')) {
        return false;
    }
    uint64_t number = 0;
    for (; *c >= '0' && *c <= '9'; c++) {
        number = number * 10 + (uint64_t)(*c - '0');
        if (number > max) {
            return false;
        }
    }
    *at = c;
    *ret_number = (uint32_t)number;
    return true;
}

static bool take_hex(const char **at, unsigned digits, uint32_t *ret_number)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (c >= '0' && c <= '9') {
            number = number << 4 | (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            number = number << 4 | (uint32_t)(c - 'a' + 10);
        } else {
            return false;
        }
    }
    *at += digits;
    *ret_number = number;
    return true;
}

static bool take_text(const char **at, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0) {
        return false;
    }
    *at += length;
    return true;
}

static int parse_head(const char **at, struct solo_token *token, char *why)
{
    if (!take_text(at, "solo1.")) {
        return refuse(why, "not a token: it must begin with \"solo1.\"");
    }
    if (!take_number(at, UINT32_MAX, &token->choice_schema) || !take_text(at, ".")) {
        return refuse(why, "not a token: a choice schema number must follow \"solo1.\"");
    }
    size_t length = strcspn(*at, ".");
    if (length == 0 || length >= sizeof token->scenario) {
        return refuse(why, "not a token: the scenario name must have 1 to %d characters", SOLO_SCENARIO_NAME_MAX - 1);
    }
    memcpy(token->scenario, *at, length);
    *at += length;
    if (!solo_scenario_name_is_valid(token->scenario)) {
        return refuse(why, "not a token: a scenario name has only letters, digits, '-' and '_'");
    }
    if (take_text(at, ".access.")) {
        token->granularity = SOLO_GRANULARITY_ACCESS;
    } else if (!take_text(at, ".sync.")) {
        return refuse(why, "not a token: after the scenario name must come \".sync.\" or \".access.\"");
    }
    if (!take_hex(at, 8, &token->fingerprint) || !take_text(at, ".")) {
        return refuse(why, "not a token: the fingerprint must be 8 hexadecimal digits in lower case");
    }
    return 0;
}

static bool append_deviation(struct solo_token *token, uint32_t *capacity, struct solo_deviation deviation)
{
    if (token->deviation_count == *capacity) {
        uint32_t more = *capacity != 0 ? *capacity * 2 : 16;
        struct solo_deviation *grown = realloc(token->deviations, more * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        token->deviations = grown;
        *capacity = more;
    }
    token->deviations[token->deviation_count++] = deviation;
    return true;
}

/* One item: [gap] KIND chosen ["x" times]. */
static int parse_item(const char **at, struct solo_token *token, uint32_t *next, uint32_t *capacity, char *why)
{
    uint32_t gap = 0;
    uint32_t chosen;
    uint32_t times = 1;
    const char *begin = *at;
    if (**at >= '0' && **at <= '9' && (!take_number(at, SOLO_TOKEN_CHOICES_MAX, &gap) || gap == 0)) {
        return refuse(why, "bad token: \"%.12s\" does not begin with a number of plain answers", begin);
    }
    const char *letter = **at != '\0' ? strchr(kind_letters, **at) : NULL;
    if (letter == NULL) {
        return refuse(why, "bad token: \"%.12s\" names no kind of choice (one of %s)", begin, kind_letters);
    }
    *at += 1;
    if (!take_number(at, UINT16_MAX, &chosen) || chosen == 0) {
        return refuse(why, "bad token: \"%.12s\" does not say which option was taken", begin);
    }
    if (**at == 'x') {
        *at += 1;
        if (!take_number(at, SOLO_TOKEN_CHOICES_MAX, &times) || times < 2) {
            return refuse(why, "bad token: \"%.12s\" does not say how often", begin);
        }
    }
    if ((uint64_t)*next + gap + times > SOLO_TOKEN_CHOICES_MAX) {
        return refuse(why, "bad token: more than %d choices", SOLO_TOKEN_CHOICES_MAX);
    }
    for (uint32_t i = 0; i < times; i++) {
        struct solo_deviation deviation = {*next + gap + i, (uint16_t)chosen, (uint8_t)(letter - kind_letters), 0};
        if (!append_deviation(token, capacity, deviation)) {
            return -ENOMEM;
        }
    }
    *next += gap + times;
    return 0;
}

static int parse_deviations(const char **at, struct solo_token *token, char *why)
{
    if (take_text(at, "plain")) {
        return 0;
    }
    uint32_t next = 0;
    uint32_t capacity = 0;
    for (;;) {
        int result = parse_item(at, token, &next, &capacity, why);
        if (result < 0) {
            return result;
        }
        if (!take_text(at, "_")) {
            return 0;
        }
    }
}

static int parse_tail(const char **at, struct solo_token *token, char *why)
{
    uint32_t end_check = 0;
    if (!take_text(at, "-") || !take_number(at, SOLO_TOKEN_CHOICES_MAX, &token->choices) || !take_text(at, "-")) {
        return refuse(why, "bad token: the number of choices is missing after the answers");
    }
    if (token->deviation_count != 0 && token->deviations[token->deviation_count - 1].index >= token->choices) {
        return refuse(why, "bad token: it answers more choices than the %u it has", (unsigned)token->choices);
    }
    token->open = take_text(at, "open");
    if (!token->open && !take_hex(at, 4, &end_check)) {
        return refuse(why, "bad token: the check after the number of choices must be 4 hexadecimal digits or \"open\"");
    }
    token->end_check = (uint16_t)end_check;
    token->spacing = spacing_of(token->choices);
    size_t wanted = checks_of(token->choices);
    if (token->choices != 0 && !take_text(at, "-")) {
        return refuse(why, "bad token: it is cut off before its check characters");
    }
    if (strlen(*at) != wanted || strspn(*at, check_letters) != wanted) {
        return refuse(why, "bad token: it must end with %zu check characters; part of it is missing or changed",
                      wanted);
    }
    memcpy(token->checks, *at, wanted);
    token->checks[wanted] = '\0';
    return 0;
}

/* A text that could have been written shorter is no token: equal schedules have equal texts. */
static int check_canonical(const char *text, const struct solo_token *token, char *why)
{
    char *again = solo_token_text(token);
    if (again == NULL) {
        return -ENOMEM;
    }
    int result = strcmp(again, text) == 0 ? 0 : refuse(why, "bad token: its answers are not in the shortest form");
    free(again);
    return result;
}

static int parse_text(const char *text, struct solo_token *ret_token, char *why)
{
    struct solo_token token;
    memset(&token, 0, sizeof token);
    const char *at = text;
    int result = parse_head(&at, &token, why);
    if (result == 0) {
        result = parse_deviations(&at, &token, why);
    }
    if (result == 0) {
        result = parse_tail(&at, &token, why);
    }
    if (result == 0) {
        result = check_canonical(text, &token, why);
    }
    if (result < 0) {
        solo_token_finish(&token);
        return result;
    }
    *ret_token = token;
    return 0;
}

/* ---- Files ---- */

enum { PATIENCE_MS = 5000 };

/* A pipe whose writer has not written yet: whether it does within PATIENCE_MS. */
static bool waits_for_writer(int fd)
{
    struct pollfd pipe = {fd, POLLIN, 0};
    return poll(&pipe, 1, PATIENCE_MS) > 0;
}

static int read_all(int fd, char **ret_text, char *why, const char *path)
{
    size_t capacity = 4096;
    size_t size = 0;
    char *text = malloc(capacity + 1);
    ssize_t got = 1;
    while (text != NULL && got > 0 && size <= SOLO_TOKEN_FILE_MAX) {
        if (size == capacity) {
            char *grown = realloc(text, capacity * 2 + 1);
            if (grown == NULL) {
                free(text);
                return -ENOMEM;
            }
            text = grown;
            capacity *= 2;
        }
        got = read(fd, text + size, capacity - size);
        if (got < 0 && (errno == EINTR || (errno == EAGAIN && waits_for_writer(fd)))) {
            got = 1; /* nothing yet: once more */
            continue;
        }
        size += got > 0 ? (size_t)got : 0;
    }
    if (text == NULL) {
        return -ENOMEM;
    }
    if (got != 0) {
        free(text);
        return got < 0 ? refuse(why, "cannot read the token file %.150s: %s", path, strerror(errno))
                       : refuse(why, "the token file %.150s is larger than %d bytes", path, SOLO_TOKEN_FILE_MAX);
    }
    text[size] = '\0';
    text[strcspn(text, "\r\n")] = '\0'; /* a nul byte inside ends it too, and the parser then finds it cut off */
    *ret_text = text;
    return 0;
}

static int parse_file(const char *path, struct solo_token *ret_token, char *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without writer is empty, not a hang */
    if (fd < 0) {
        return refuse(why, "cannot read the token file %.150s: %s", path, strerror(errno));
    }
    char *text = NULL;
    int result = read_all(fd, &text, why, path);
    close(fd);
    if (result == 0 && text != NULL) {
        result = parse_text(text, ret_token, why);
        free(text);
    }
    return result;
}

int solo_token_parse(const char *text, struct solo_token *ret_token, char why[SOLO_TOKEN_WHY_MAX])
{
    if (text == NULL || ret_token == NULL) {
        return refuse(why, "no token was given");
    }
    if (text[0] == '@') {
        return parse_file(text + 1, ret_token, why);
    }
    return parse_text(text, ret_token, why);
}

int solo_token_check(const struct solo_token *token, const char *scenario, const struct solo_limits *limits,
                     char why[SOLO_TOKEN_WHY_MAX])
{
    if (token->choice_schema != SOLO_CHOICE_SCHEMA) {
        return refuse(why, "this token was made with choice schema %u and this is choice schema %d: explore again",
                      (unsigned)token->choice_schema, SOLO_CHOICE_SCHEMA);
    }
    if (strcmp(token->scenario, scenario) != 0) {
        return refuse(why, "this token is for \"%s\", not for \"%s\"", token->scenario, scenario);
    }
    if (token->granularity != SOLO_GRANULARITY_SYNC) {
        return refuse(why, "this token needs scheduling points at memory accesses, which this build does not have");
    }
    if (token->fingerprint != solo_token_fingerprint(scenario, limits)) {
        return refuse(
            why, "this token was made with other limits: repeat the steps, faults and time options it was found with");
    }
    return 0;
}

static int write_file(const char *path, const char *text)
{
    FILE *to = fopen(path, "we");
    if (to == NULL) {
        return -errno;
    }
    fprintf(to, "%s\n", text);
    return fclose(to) == 0 ? 0 : -errno;
}

int solo_token_print(const char *text, const char *directory, char *buffer, size_t size)
{
    if (text == NULL || buffer == NULL) {
        return -EINVAL;
    }
    size_t length = strlen(text);
    if (length <= SOLO_TOKEN_PRINT_MAX) {
        if (length >= size) {
            return -ENAMETOOLONG;
        }
        memcpy(buffer, text, length + 1);
        return 0;
    }
    const char *scenario = strchr(text, '.');
    scenario = scenario != NULL ? strchr(scenario + 1, '.') : NULL;
    int name_length = scenario != NULL ? (int)strcspn(++scenario, ".") : 0;
    int written = snprintf(buffer, size, "@%s%ssolo-%.*s-%08x.token", directory != NULL ? directory : "",
                           directory != NULL ? "/" : "", name_length, scenario != NULL ? scenario : "",
                           (unsigned)fnv(UINT32_C(0x811c9dc5), text, length));
    if (written < 0 || (size_t)written >= size) {
        return -ENAMETOOLONG;
    }
    return write_file(buffer + 1, text);
}
