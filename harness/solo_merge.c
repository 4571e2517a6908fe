/*
 * solo_merge.c - `solo merge`: the results of shards, put together.
 */
#include "solo_command.h"
#include <errno.h>
#include <solo/merge.h>

static const struct option long_options[] = {
    COMMAND_COMMON_OPTIONS,
    {NULL, 0, NULL, 0},
};

static int print_help(void)
{
    printf("usage: solo merge [OPTIONS] FILE...\n"
           "\n"
           "Puts together what `solo explore --shard K/N --format json` wrote for each K, in any order: how many\n"
           "schedules there were, how many different ones, and each defect once. Shards that are missing are named.\n"
           "\n"
           "%s%s",
           command_help_common, command_help_explored_code);
    return EXIT_CLEAN;
}

int command_merge(int argc, char **argv)
{
    struct command_options options;
    enum solo_verdict verdict = SOLO_VERDICT_INCOMPLETE;
    unsigned findings = 0;
    char why[SOLO_EVIDENCE_MAX] = "";
    command_defaults(&options);
    int option;
    while ((option = command_next_option("merge", argc, argv, long_options, &options)) != -1) {
        return option == OPTION_HELP ? print_help() : EXIT_USAGE;
    }
    if (optind >= argc) {
        return command_wrong("merge", "no file given; see `solo merge --help`");
    }
    int error = solo_merge((const char *const *)(argv + optind), (unsigned)(argc - optind), options.json, stdout,
                           &verdict, &findings, why);
    if (error == -EINVAL) {
        return command_wrong("merge", "%s", why);
    }
    if (error < 0) {
        return command_failed("merge", "%s", solo_error_text(error));
    }
    return command_explored_code(verdict, findings);
}
