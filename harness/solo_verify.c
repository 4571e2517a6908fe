/*
 * solo_verify.c - `solo verify`: an extension's entry points against their contracts, as a matrix.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include "solo_verify.h"
#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_CELL = OPTION_OWN, OPTION_TOKEN, SCHEDULES_DEFAULT = 300, PAIRS_OF_CONTEXTS = 5 };

static const struct option long_options[] = {
    COMMAND_COMMON_OPTIONS,
    {"carrier", required_argument, NULL, OPTION_CARRIER},
    {"schedules", required_argument, NULL, OPTION_SCHEDULES},
    {"bound", required_argument, NULL, OPTION_BOUND},
    {"cell", required_argument, NULL, OPTION_CELL},
    {"token", required_argument, NULL, OPTION_TOKEN},
    {NULL, 0, NULL, 0},
};

struct request {
    struct command_options options;
    const char *file, *cell, *token;
    const struct solo_extension *extension;
    struct verify_tally *tally; /* shared with the exploring children */
    struct solo_report *report;
    json_t *cells;       /* --format json: every cell, as it was explored */
    unsigned breaches;   /* cells among them */
    uint64_t schedules;  /* of all cells */
    unsigned tried, cut; /* cells, and those of them that were not searched to their end */
};

/* A row of the matrix: an entry point alone in each context, and the worst of its pairs. */
struct row {
    struct verify_cell alone[VERIFY_CONTEXTS];
    struct verify_cell pairs;
    unsigned pair_count;
};

static int print_help(void)
{
    printf("usage: solo verify [OPTIONS] EXTENSION.so\n"
           "\n"
           "Calls each entry point of an extension (solo/extension.h) from the reactor thread, a pool worker and a\n"
           "foreign thread, alone and in pairs, under many schedules, and compares with the contract it declares.\n"
           "\n"
           "  --schedules N        at most N schedules a cell (%d)\n"
           "  --bound B            at most B delays a schedule (2)\n"
           "  --cell CELL          only this one, with its whole report: ENTRY@CONTEXT[+ENTRY@CONTEXT], where CONTEXT\n"
           "                       is reactor, worker or foreign\n"
           "  --token TOKEN        replay that cell's token\n"
           "  --carrier fiber|token\n"
           "                       virtual threads as fibers, or as real threads that pass a token\n"
           "                       (fiber)\n"
           "%s"
           "\n"
           "Data races are found by the solo command of a ThreadSanitizer build, with an extension built like it.\n"
           "Exit status 1 if a contract is broken.\n",
           SCHEDULES_DEFAULT, command_help_common);
    return EXIT_CLEAN;
}

static int take_arguments(int argc, char **argv, struct request *request)
{
    command_defaults(&request->options);
    request->options.explore.strategy = "dfs";
    request->options.explore.delay_bound = 2;
    request->options.explore.schedules_max = SCHEDULES_DEFAULT;
    int option;
    while ((option = command_next_option("verify", argc, argv, long_options, &request->options)) != -1) {
        switch (option) {
        case OPTION_HELP: return print_help();
        case OPTION_CELL: request->cell = optarg; break;
        case OPTION_TOKEN: request->token = optarg; break;
        default: return EXIT_USAGE;
        }
    }
    if (optind != argc - 1) {
        return command_wrong("verify", "one EXTENSION.so is wanted; see `solo verify --help`");
    }
    if (request->token != NULL && request->cell == NULL) {
        return command_wrong("verify", "--token needs the --cell it belongs to");
    }
    request->file = argv[optind];
    return -1;
}

/* ---- The shared object ---- */

static const char *wrong_table(const struct solo_extension *extension)
{
    if (extension->version != SOLO_EXTENSION_VERSION) {
        return "its version is not one that this command knows";
    }
    if (extension->name == NULL || extension->set_up == NULL || extension->entries == NULL) {
        return "its name, entries or set_up is NULL";
    }
    if (extension->entry_count == 0 || extension->entry_count > SOLO_EXTENSION_ENTRIES_MAX) {
        return "it has no entry, or more than 32";
    }
    for (size_t i = 0; i < extension->entry_count; i++) {
        const struct solo_extension_entry *entry = &extension->entries[i];
        if (entry->name == NULL || entry->exercise == NULL || (unsigned)entry->contract > SOLO_CONTRACT_POOL_ONLY) {
            return "an entry has no name, no exercise or no such contract";
        }
        if (entry->name[0] == '\0' || strlen(entry->name) > 40 ||
            strspn(entry->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
                strlen(entry->name)) {
            return "an entry's name is not made of 1 to 40 letters, digits and '_'";
        }
    }
    return NULL;
}

static int load(struct request *request)
{
    char path[4096];
    struct stat status;
    if (access(request->file, R_OK) != 0 || stat(request->file, &status) != 0) {
        return command_wrong("verify", "%s: %s", request->file, strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) { /* opening a pipe may wait for ever */
        return command_wrong("verify", "%s: not a file", request->file);
    }
    (void)snprintf(path, sizeof path, "%s%s", strchr(request->file, '/') != NULL ? "" : "./", request->file);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return command_wrong("verify", "%s", dlerror());
    }
    request->extension = dlsym(library, "solo_extension");
    if (request->extension == NULL) {
        return command_wrong("verify", "%s: it exports no solo_extension (see solo/extension.h)", request->file);
    }
    const char *wrong = wrong_table(request->extension);
    if (wrong != NULL) {
        return command_wrong("verify", "%s: %s", request->file, wrong);
    }
    request->tally = mmap(NULL, sizeof *request->tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    request->report = malloc(sizeof *request->report);
    if (request->tally == MAP_FAILED || request->report == NULL) {
        return command_failed("verify", "out of memory");
    }
    return -1;
}

/* ---- Cells ---- */

static const struct solo_extension_entry *entry_named(const struct request *request, const char *name, size_t size)
{
    for (size_t i = 0; i < request->extension->entry_count; i++) {
        const struct solo_extension_entry *entry = &request->extension->entries[i];
        if (strlen(entry->name) == size && memcmp(entry->name, name, size) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* Reads "ENTRY@CONTEXT"; returns what follows it, or NULL. */
static const char *parse_call(const struct request *request, const char *text, struct verify_call *call)
{
    const char *at = strchr(text, '@');
    call->entry = at != NULL ? entry_named(request, text, (size_t)(at - text)) : NULL;
    if (call->entry == NULL) {
        return NULL;
    }
    size_t size = strcspn(at + 1, "+");
    for (unsigned context = 0; context < VERIFY_CONTEXTS; context++) {
        const char *word = verify_context_text((enum verify_context)context);
        if (strlen(word) == size && memcmp(word, at + 1, size) == 0) {
            call->context = (enum verify_context)context;
            return at + 1 + size;
        }
    }
    return NULL;
}

static struct verify_cell make_cell(const struct request *request)
{
    return (struct verify_cell){.extension = request->extension, .call_count = 1, .tally = request->tally};
}

static bool parse_cell(const struct request *request, struct verify_cell *cell)
{
    *cell = make_cell(request);
    const char *rest = parse_call(request, request->cell, &cell->calls[0]);
    if (rest != NULL && *rest == '+') {
        cell->call_count = 2;
        rest = parse_call(request, rest + 1, &cell->calls[1]);
    }
    return rest != NULL && *rest == '\0' && verify_name(cell);
}

static json_t *cell_json(const struct verify_cell *cell)
{
    char text[32];
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:s}", "cell", cell->name, "verdict", verify_verdict_text(cell, text, sizeof text),
                  "schedules", (json_int_t)cell->schedules, "token", cell->token);
    if (verify_is_breach(cell) && cell->has_finding) {
        const struct solo_violation *violation = &cell->finding.violation;
        char name[8];
        json_t *finding = json_pack("{s:s}", "text", violation->text);
        if (violation->id != SOLO_NO_VIOLATION) {
            (void)json_object_set_new(finding, "id", json_string(solo_violation_name(violation->id, name)));
        }
        (void)json_object_set_new(object, "finding", finding);
    }
    return object;
}

static int explore_cell(struct request *request, struct verify_cell *cell)
{
    if (!verify_name(cell)) {
        return command_failed("verify", "a cell's name is too long");
    }
    int error = verify_cell(cell, &request->options.explore, request->report);
    if (error < 0) {
        return command_failed("verify", "%s: %s", cell->name, solo_error_text(error));
    }
    request->breaches += verify_is_breach(cell);
    request->schedules += cell->schedules;
    request->tried++;
    request->cut += !request->report->exhausted;
    if (request->options.json) {
        (void)json_array_append_new(request->cells, cell_json(cell));
    }
    return -1;
}

/* Both calls where their contracts allow them, in different contexts or both on threads of their own. */
static bool try_pair(const struct verify_cell *cell)
{
    const struct verify_call *calls = cell->calls;
    return verify_allows(calls[0].entry->contract, calls[0].context) &&
           verify_allows(calls[1].entry->contract, calls[1].context);
}

static void keep_worst(struct row *row, const struct verify_cell *cell)
{
    row->pair_count++;
    if (row->pairs.verdict == VERIFY_UNTRIED || cell->verdict > row->pairs.verdict) {
        uint64_t schedules = row->pairs.schedules;
        row->pairs = *cell;
        row->pairs.schedules = schedules;
    }
    row->pairs.schedules += cell->schedules;
}

static int explore_pairs(struct request *request, struct row *rows, size_t i, size_t j)
{
    static const enum verify_context contexts[PAIRS_OF_CONTEXTS][2] = {
        {VERIFY_WORKER, VERIFY_FOREIGN},  {VERIFY_REACTOR, VERIFY_WORKER}, {VERIFY_WORKER, VERIFY_REACTOR},
        {VERIFY_REACTOR, VERIFY_FOREIGN}, {VERIFY_WORKER, VERIFY_WORKER},
    };
    struct verify_cell *cell = malloc(sizeof *cell);
    if (cell == NULL) {
        return command_failed("verify", "out of memory");
    }
    int code = -1;
    for (unsigned k = 0; k < PAIRS_OF_CONTEXTS && code < 0; k++) {
        *cell = make_cell(request);
        cell->call_count = 2;
        cell->calls[0] = (struct verify_call){&request->extension->entries[i], contexts[k][0]};
        cell->calls[1] = (struct verify_call){&request->extension->entries[j], contexts[k][1]};
        if (!try_pair(cell)) {
            continue;
        }
        code = explore_cell(request, cell);
        if (code < 0) {
            keep_worst(&rows[i], cell);
            if (i != j) {
                keep_worst(&rows[j], cell);
            }
        }
    }
    free(cell);
    return code;
}

static int explore_all(struct request *request, struct row *rows)
{
    size_t count = request->extension->entry_count;
    for (size_t i = 0; i < count; i++) {
        if (isatty(STDERR_FILENO)) {
            fprintf(stderr, "\rsolo verify: entry %zu of %zu", i + 1, count);
        }
        for (unsigned context = 0; context < VERIFY_CONTEXTS; context++) {
            struct verify_cell *cell = &rows[i].alone[context];
            *cell = make_cell(request);
            cell->calls[0] = (struct verify_call){&request->extension->entries[i], (enum verify_context)context};
            int code = explore_cell(request, cell);
            if (code >= 0) {
                return code;
            }
        }
        for (size_t j = 0; j <= i; j++) {
            int code = explore_pairs(request, rows, i, j);
            if (code >= 0) {
                return code;
            }
        }
    }
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%40s\r", "");
    }
    return -1;
}

/* ---- Writing ---- */

/* In lines of at most 96 columns where words are short enough, which a shell reads as one. */
static void print_command(const struct request *request, const struct verify_cell *cell)
{
    printf("    solo verify --cell %s", cell->name);
    if (request->options.explore.carrier == SOLO_CARRIER_TOKEN) {
        printf(" --carrier token");
    }
    char *file = solo_report_shell_word(request->file);
    printf(" \\\n        --token %s \\\n        %s\n", cell->token, file != NULL ? file : request->file);
    free(file);
}

static void print_breach(const struct request *request, const struct verify_cell *cell)
{
    char text[32], line[SOLO_REPORT_COLUMNS_MAX + 1];
    printf("\n%s: %s", cell->name, verify_verdict_text(cell, text, sizeof text));
    switch (cell->verdict) {
    case VERIFY_NOT_ENFORCED: printf(", it did not refuse a call that its contract forbids there\n"); break;
    case VERIFY_REFUSES: printf(", although its contract allows the call\n"); break;
    default: printf("\n"); break;
    }
    if (cell->has_finding && cell->finding.violation.id != SOLO_NO_VIOLATION) {
        printf("    %s\n", solo_report_headline(&cell->finding.violation, line, sizeof line));
    }
    print_command(request, cell);
}

static void print_rows(const struct request *request, const struct row *rows)
{
    printf("%-24s %-26s %-13s %-13s %-13s %s\n", "entry", "contract", "reactor", "worker", "foreign", "in pairs");
    for (size_t i = 0; i < request->extension->entry_count; i++) {
        const struct solo_extension_entry *entry = &request->extension->entries[i];
        char text[32];
        printf("%-24s %-26s", entry->name, solo_contract_kind_name(entry->contract));
        for (unsigned context = 0; context < VERIFY_CONTEXTS; context++) {
            const struct verify_cell *cell = &rows[i].alone[context];
            printf(" %-13s", verify_verdict_text(cell, text, sizeof text));
        }
        printf(" %s\n", verify_verdict_text(&rows[i].pairs, text, sizeof text));
    }
}

/* A pair stands in two rows; its breach is told once. */
static bool printed_before(const struct row *rows, size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (strcmp(rows[i].pairs.name, rows[row].pairs.name) == 0) {
            return true;
        }
    }
    return false;
}

static int print_matrix(const struct request *request, const struct row *rows)
{
    printf("extension %s: %zu entry points\n\n", request->extension->name, request->extension->entry_count);
    print_rows(request, rows);
    for (size_t i = 0; i < request->extension->entry_count; i++) {
        for (unsigned context = 0; context < VERIFY_CONTEXTS; context++) {
            if (verify_is_breach(&rows[i].alone[context])) {
                print_breach(request, &rows[i].alone[context]);
            }
        }
        if (verify_is_breach(&rows[i].pairs) && !printed_before(rows, i)) {
            print_breach(request, &rows[i].pairs);
        }
    }
    printf("\nverdict: %s%s\n", request->breaches == 0 ? "every contract is kept" : "contracts are broken",
#ifdef SOLO_TSAN
           "");
#else
           "; data races were not looked for (this is no ThreadSanitizer build)");
#endif
    const struct solo_explore_options *explore = &request->options.explore;
    printf("evidence: %lu schedules of %u cells, at most %u delays in each", (unsigned long)request->schedules,
           request->tried, explore->delay_bound);
    if (request->cut != 0) {
        printf("; of %u cells only the first %lu", request->cut, (unsigned long)explore->schedules_max);
    }
    fputc('\n', stdout);
    return request->breaches == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
}

static int print_json(const struct request *request)
{
    json_t *all = json_pack("{s:s, s:s, s:i, s:O}", "schema", "solo.verify.1", "extension", request->extension->name,
                            "breaches", (int)request->breaches, "cells", request->cells);
    (void)json_dumpf(all, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(all);
    return request->breaches == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
}

/* ---- One cell, with everything ---- */

static void show_finding(const struct request *request, const struct solo_violation *violation,
                         const struct solo_detail *detail)
{
    struct solo_report_context context = {
        .detail = detail, .world = "sim", .colour = request->options.colour, .full = request->options.full};
    if (!request->options.json) {
        (void)solo_report_text(stdout, violation, &context);
    }
}

static int explore_this(struct request *request, struct verify_cell *cell)
{
    int code = explore_cell(request, cell);
    for (unsigned i = 0; code < 0 && i < request->report->finding_count; i++) {
        show_finding(request, &request->report->findings[i].violation, &request->report->findings[i].detail);
    }
    return code;
}

static int replay_this(struct request *request, struct verify_cell *cell)
{
    struct solo_replay *replay = calloc(1, sizeof *replay);
    char why[SOLO_EVIDENCE_MAX] = "";
    if (replay == NULL) {
        return command_failed("verify", "out of memory");
    }
    int code = -1;
    int error = verify_replay(cell, request->token, &request->options.explore, replay, why);
    if (error < 0) {
        code = command_wrong("verify", "%s", why[0] != '\0' ? why : solo_error_text(error));
    } else if (replay->diverged_at != 0) {
        code = command_wrong("verify", "the token no longer fits at choice %lu", (unsigned long)replay->diverged_at);
    } else {
        request->breaches += verify_is_breach(cell);
        if (request->options.json) {
            (void)json_array_append_new(request->cells, cell_json(cell));
        }
        for (unsigned i = 0; i < replay->violation_count; i++) {
            show_finding(request, &replay->violations[i], &replay->details[i]);
        }
        (void)snprintf(request->report->evidence, sizeof request->report->evidence, "a replay of 1 schedule");
    }
    free(replay);
    return code;
}

static int show_cell(struct request *request, struct verify_cell *cell)
{
    if (!parse_cell(request, cell)) {
        return command_wrong("verify", "--cell: '%s' is not ENTRY@CONTEXT or ENTRY@CONTEXT+ENTRY@CONTEXT",
                             request->cell);
    }
    int code = request->token != NULL ? replay_this(request, cell) : explore_this(request, cell);
    if (code >= 0) {
        return code;
    }
    if (request->options.json) {
        return print_json(request);
    }
    char text[32];
    printf("%s: %s\nevidence: %s\nreplay:\n", cell->name, verify_verdict_text(cell, text, sizeof text),
           request->report->evidence);
    print_command(request, cell);
    return request->breaches == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
}

static int verify_one(struct request *request)
{
    struct verify_cell *cell = malloc(sizeof *cell);
    int code = cell != NULL ? show_cell(request, cell) : command_failed("verify", "out of memory");
    free(cell);
    return code;
}

static int verify_all(struct request *request)
{
    struct row *rows = calloc(request->extension->entry_count, sizeof *rows);
    if (rows == NULL) {
        return command_failed("verify", "out of memory");
    }
    int code = explore_all(request, rows);
    if (code < 0) {
        code = request->options.json ? print_json(request) : print_matrix(request, rows);
    }
    free(rows);
    return code;
}

int command_verify(int argc, char **argv)
{
    struct request request = {.file = NULL};
    int code = take_arguments(argc, argv, &request);
    if (code < 0 && (code = load(&request)) < 0) {
        request.cells = json_array();
        code = request.cell != NULL ? verify_one(&request) : verify_all(&request);
        json_decref(request.cells);
    }
    free(request.report);
    return code;
}
