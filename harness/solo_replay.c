/*
 * solo_replay.c - `solo replay`: the schedule of a token again.
 */
#include "solo_command.h"
#include <solo/token.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_LENIENT = OPTION_OWN, OPTION_TRACE, OPTION_EMIT, OPTION_BESIDE };

static const struct option long_options[] = {
    COMMAND_COMMON_OPTIONS,
    COMMAND_SCHEDULE_OPTIONS,
    {"lenient", no_argument, NULL, OPTION_LENIENT},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"beside", required_argument, NULL, OPTION_BESIDE},
    {"emit-test", required_argument, NULL, OPTION_EMIT},
    {NULL, 0, NULL, 0},
};

struct request {
    struct command_options options;
    bool lenient, trace;
    const char *beside;    /* another token, NULL: none */
    const char *test_file; /* NULL: no test is written */
};

static int print_help(void)
{
    printf("usage: solo replay TOKEN [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
           "\n"
           "Runs the schedule of a token again and reports what it shows. TOKEN is as `solo explore` printed it,\n"
           "or @FILE. Where the program no longer fits the token, the replay stops and says at which choice.\n"
           "\n"
           "  --lenient            go on with plain answers where the token no longer fits\n"
           "  --trace              print every event of the schedule first\n"
           "  --beside TOKEN       print the steps of another schedule beside this one's, from where they part\n"
           "  --emit-test FILE.c   write a CUnit test that fails as long as this schedule shows what it shows\n"
           "%s%s",
           command_help_schedule, command_help_common);
    return EXIT_CLEAN;
}

/* -1: no more options here; else the exit code. */
static int take_options(int argc, char **argv, struct request *request)
{
    int option;
    while ((option = command_next_option("replay", argc, argv, long_options, &request->options)) != -1) {
        switch (option) {
        case OPTION_HELP: return print_help();
        case OPTION_LENIENT: request->lenient = true; break;
        case OPTION_TRACE: request->trace = true; break;
        case OPTION_BESIDE: request->beside = optarg; break;
        case OPTION_EMIT: request->test_file = optarg; break;
        default: return EXIT_USAGE;
        }
    }
    return -1;
}

/* Options may stand before the token and behind it. */
static int take_arguments(int argc, char **argv, struct request *request, const char **ret_token)
{
    command_defaults(&request->options);
    int code = take_options(argc, argv, request);
    if (code >= 0) {
        return code;
    }
    if (optind >= argc) {
        return command_wrong("replay", "no token given; see `solo replay --help`");
    }
    *ret_token = argv[optind++];
    struct solo_token token;
    char why[SOLO_TOKEN_WHY_MAX];
    if (solo_token_parse(*ret_token, &token, why) < 0) {
        return command_wrong("replay", "%s", why);
    }
    solo_token_finish(&token);
    code = take_options(argc, argv, request);
    if (code >= 0) {
        return code;
    }
    return command_take_program("replay", argc, argv, &request->options) ? -1 : EXIT_USAGE;
}

static int print_all(const struct request *request, const struct solo_replay *replay, const char *token)
{
    if (request->trace && replay->trace != NULL && !request->options.json) {
        (void)fwrite(replay->trace, 1, replay->trace_size, stdout);
        fputc('\n', stdout);
    }
    if (request->beside != NULL && !request->options.json) {
        int code = command_print_beside(&request->options, replay, request->beside);
        if (code >= 0) {
            return code;
        }
    }
    int code = command_report_replay(&request->options, replay, token);
    if (replay->diverged_at != 0 && !request->lenient) {
        return command_wrong("replay", "the program no longer fits the token: choice %llu is another one than it was",
                             (unsigned long long)replay->diverged_at);
    }
    if (request->test_file != NULL && !command_emit_test(&request->options, token, replay, request->test_file)) {
        return EXIT_USAGE;
    }
    return code;
}

int command_replay(int argc, char **argv)
{
    struct request request = {.lenient = false};
    const char *token = NULL;
    char why[SOLO_EVIDENCE_MAX] = "";
    int code = take_arguments(argc, argv, &request, &token);
    if (code >= 0) {
        return code;
    }
    struct solo_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL) {
        return command_failed("replay", "out of memory");
    }
    int error = solo_replay_program(request.options.program, token, &request.options.explore, !request.lenient,
                                    request.trace || request.beside != NULL, replay, why);
    code = error < 0 ? command_explorer_error("replay", error, why) : print_all(&request, replay, token);
    free(replay->trace);
    free(replay);
    return code;
}
