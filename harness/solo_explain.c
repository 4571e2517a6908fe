/*
 * solo_explain.c - `solo explain`: what a finding means, and which thread may call a function.
 */
#include "solo_command.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct option long_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"color", required_argument, NULL, OPTION_COLOUR},
    {NULL, 0, NULL, 0},
};

static int print_help(void)
{
    fputs("usage: solo explain [ID | FUNCTION]\n"
          "\n"
          "  solo explain                      all ids, and all functions with their contract\n"
          "  solo explain SOLO001              what it is, the code that does it, how to do it\n"
          "  solo explain solo_transport_write which thread may call it, and what to call instead\n"
          "\n"
          "  --color auto|always|never\n"
          "  --help               this text\n",
          stdout);
    return EXIT_CLEAN;
}

static const char *bold(const struct command_options *options, bool on)
{
    return !options->colour ? "" : on ? "\033[1m" : "\033[0m";
}

static int explain_all(const struct command_options *options)
{
    char id[8];
    printf("%sFindings%s\n", bold(options, true), bold(options, false));
    for (unsigned i = 0; solo_diagnostic_at(i) != NULL; i++) {
        unsigned number = solo_diagnostic_at(i)->id;
        printf("  %s  %s\n", solo_violation_name(number, id), solo_violation_title(number));
    }
    printf("\n%sFunctions%s\n", bold(options, true), bold(options, false));
    for (unsigned i = 0; solo_contract_at(i) != NULL; i++) {
        const struct solo_contract *contract = solo_contract_at(i);
        printf("  %-40s %s%s\n", contract->function, solo_contract_kind_name(contract->kind),
               contract->blocks ? ", blocks" : "");
    }
    return EXIT_CLEAN;
}

static void explain_diagnostic(const struct command_options *options, const struct solo_diagnostic *diagnostic)
{
    char id[8];
    printf("%s%s: %s%s\n\n%s\n", bold(options, true), solo_violation_name(diagnostic->id, id),
           solo_violation_title(diagnostic->id), bold(options, false), diagnostic->what);
    printf("%sWrong%s\n%s\n", bold(options, true), bold(options, false), diagnostic->wrong);
    printf("%sRight%s\n%s\n", bold(options, true), bold(options, false), diagnostic->right);
    printf("%sTools%s\n%s", bold(options, true), bold(options, false), diagnostic->tools);
}

static void explain_contract(const struct command_options *options, const struct solo_contract *contract)
{
    static const char *const sentences[] = {
        [SOLO_CONTRACT_ANY_THREAD] = "Any thread may call it.",
        [SOLO_CONTRACT_REACTOR_ONLY] =
            "Only the thread that owns the reactor may call it; elsewhere it is refused (SOLO001).",
        [SOLO_CONTRACT_NOT_ON_REACTOR] = "Any thread may call it but the reactor thread, which it would block.",
        [SOLO_CONTRACT_POOL_ONLY] = "Only code that runs on a pool worker may call it.",
    };
    printf("%s%s: %s%s\n\n%s\n", bold(options, true), contract->function, solo_contract_kind_name(contract->kind),
           bold(options, false), sentences[contract->kind & 3]);
    if (contract->blocks) {
        printf("It may block.\n");
    }
    if (contract->instead[0] != '\0') {
        printf("Elsewhere call: %s\n", contract->instead);
    }
    if (contract->runs[0] != '\0') {
        printf("It runs: %s\n", contract->runs);
    }
    printf("Declared at %s:%d.\n", contract->file, contract->line);
}

/* "SOLO001", "solo1" and "1" are the same; 0 if it is not an id. */
static unsigned id_of(const char *word)
{
    if (strncasecmp(word, "SOLO", 4) == 0 && word[4] != '_') {
        word += 4;
    }
    return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0' && strlen(word) <= 3 ? (unsigned)atoi(word) : 0;
}

static const struct solo_contract *find_function(const char *word)
{
    char name[128];
    const struct solo_contract *contract = solo_contract_find(word);
    (void)snprintf(name, sizeof name, "solo_%s", word);
    return contract != NULL ? contract : solo_contract_find(name);
}

int command_explain(int argc, char **argv)
{
    struct command_options options;
    command_defaults(&options);
    int option = command_next_option("explain", argc, argv, long_options, &options);
    if (option != -1) {
        return option == OPTION_HELP ? print_help() : EXIT_USAGE;
    }
    if (optind >= argc) {
        return explain_all(&options);
    }
    const char *word = argv[optind++];
    option = command_next_option("explain", argc, argv, long_options, &options); /* behind it as well */
    if (option != -1) {
        return option == OPTION_HELP ? print_help() : EXIT_USAGE;
    }
    if (optind < argc) {
        return command_wrong("explain", "one id or function at a time");
    }
    const struct solo_diagnostic *diagnostic = solo_diagnostic_find(id_of(word));
    const struct solo_contract *contract = find_function(word);
    if (diagnostic != NULL) {
        explain_diagnostic(&options, diagnostic);
    } else if (contract != NULL) {
        explain_contract(&options, contract);
    } else {
        return command_wrong("explain", "'%s' is neither an id nor a function of the kit; `solo explain` lists them",
                             word);
    }
    return EXIT_CLEAN;
}
