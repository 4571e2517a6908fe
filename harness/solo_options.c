/*
 * solo_options.c - options that several verbs understand, and how a wrong one is refused.
 */
#include "solo_command.h"
#include <errno.h>
#include <solo/peer.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCHDOG_DEFAULT_NS UINT64_C(10000000000)

const char command_help_common[] =
    "  --format text|json   how to write findings (text)\n"
    "  --color auto|always|never\n"
    "                       colour in texts; auto: on a terminal without NO_COLOR (auto)\n"
    "  --full               whole stacks, all steps, the program's output\n"
    "  --help               this text\n";

const char command_help_explored_code[] =
    "\n"
    "Exit status: 0 clean, 1 something was reported, 2 wrong usage, 3 it failed, or was stopped (or lacks a\n"
    "shard) before it could tell.\n";

const char command_help_schedule[] =
    "  --peer FILE          play this peer script as the program's clients\n"
    "  --policy refuse|abort|report\n"
    "                       what the guard does with a wrong call (refuse)\n"
    "  --carrier fiber|token\n"
    "                       virtual threads as fibers, or as real threads that pass a token\n"
    "                       (fiber)\n"
    "  --faults N           up to N faults a schedule: refused memory, threads, connections (0)\n"
    "  --steps N            a schedule ends after N steps (1000000)\n"
    "  --time any|idle      any: time may pass while somebody could run; idle: only when\n"
    "                       nobody can (any)\n"
    "  --granularity sync|access\n"
    "                       switch threads at calls only, or also at memory accesses, in a program\n"
    "                       built by `solo cc` (access, if it is)\n"
    "  --watchdog-s N       kill a schedule that takes longer than N s of real time (10)\n";

static int say(const char *verb, const char *format, va_list arguments, int code)
{
    char text[8192];
    fflush(stdout);
    (void)vsnprintf(text, sizeof text, format, arguments);
    for (char *c = text; *c != '\0'; c++) {
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c; /* whatever a file's name is, it is one line */
    }
    fprintf(stderr, "solo%s%s: %s\n", verb[0] != '\0' ? " " : "", verb, text);
    return code;
}

int command_wrong(const char *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int code = say(verb, format, arguments, EXIT_USAGE);
    va_end(arguments);
    return code;
}

int command_failed(const char *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int code = say(verb, format, arguments, EXIT_KIT_FAILED);
    va_end(arguments);
    return code;
}

int command_explorer_error(const char *verb, int error, const char *why)
{
    switch (error) {
    case -ENOENT:
    case -EACCES:
    case -ENOEXEC:
    case -EPROTO:
    case -ELOOP:
    case -ENAMETOOLONG:
    case -ENOTDIR:
    case -ENOTSUP:
    case -EINVAL: return command_wrong(verb, "%s", why);
    default: return command_failed(verb, "%s", why);
    }
}

int command_explored_code(enum solo_verdict verdict, unsigned findings)
{
    return findings != 0 ? EXIT_FINDINGS : verdict == SOLO_VERDICT_CLEAN ? EXIT_CLEAN : EXIT_KIT_FAILED;
}

bool command_number(const char *verb, const char *option, const char *text, uint64_t min, uint64_t max,
                    uint64_t *ret_value)
{
    char *end;
    errno = 0;
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned long long value = strtoull(text, &end, hexadecimal ? 16 : 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min || value > max) {
        (void)command_wrong(verb, "%s: '%s' is not a number from %llu to %llu", option, text, (unsigned long long)min,
                            (unsigned long long)max);
        return false;
    }
    *ret_value = value;
    return true;
}

/* The index of `text` in a list of words that ends with NULL; -1, and a line on standard error. */
static int word_of(const char *verb, const char *option, const char *text, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    fprintf(stderr, "solo %s: %s: '%s' is not one of:", verb, option, text);
    for (int i = 0; words[i] != NULL; i++) {
        fprintf(stderr, "%s %s", i > 0 ? "," : "", words[i]);
    }
    fputc('\n', stderr);
    return -1;
}

void command_defaults(struct command_options *options)
{
    const char *no_colour = getenv("NO_COLOR");
    memset(options, 0, sizeof *options);
    solo_explore_defaults(&options->explore);
    options->explore.progress = isatty(STDERR_FILENO) ? stderr : NULL;
    options->colour = isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
}

/* A replay needs these too, to be the same schedule. */
static void remember(struct command_options *options, const char *name, const char *value)
{
    size_t used = strlen(options->replay_options);
    char *word = solo_report_shell_word(value);
    if (word != NULL) {
        (void)snprintf(options->replay_options + used, sizeof options->replay_options - used, "%s%s %s",
                       used > 0 ? " " : "", name, word);
    }
    free(word);
}

static bool set_strategy(const char *verb, struct command_options *options, const char *name)
{
    if (strcmp(name, "help") == 0) {
        for (unsigned i = 0; solo_strategy_at(i) != NULL; i++) {
            printf("%-10s %s\n", solo_strategy_at(i), solo_strategy_about(i));
        }
        exit(EXIT_CLEAN);
    }
    if (solo_strategy_find(name, NULL) == NULL) {
        size_t length = strcspn(name, ":");
        for (unsigned i = 0; solo_strategy_at(i) != NULL; i++) {
            if (strlen(solo_strategy_at(i)) == length && memcmp(solo_strategy_at(i), name, length) == 0) {
                (void)command_wrong(verb, "--strategy: '%s': '%s' is no number that %s takes", name,
                                    name + length + (name[length] == ':'), solo_strategy_at(i));
                return false;
            }
        }
        fprintf(stderr, "solo %s: --strategy: '%s' is not one of:", verb, name);
        for (unsigned i = 0; solo_strategy_at(i) != NULL; i++) {
            fprintf(stderr, "%s %s", i > 0 ? "," : "", solo_strategy_at(i));
        }
        fputc('\n', stderr);
        return false;
    }
    options->explore.strategy = name;
    return true;
}

static bool set_colour(const char *verb, struct command_options *options, const char *text)
{
    static const char *const words[] = {"never", "always", "auto", NULL};
    int word = word_of(verb, "--color", text, words);
    if (word == 0 || word == 1) {
        options->colour = word == 1;
    }
    return word >= 0;
}

static bool set_number(const char *verb, struct command_options *options, int option, const char *text)
{
    struct solo_explore_options *explore = &options->explore;
    uint64_t value;
    switch (option) {
    case OPTION_SCHEDULES: return command_number(verb, "--schedules", text, 1, UINT64_MAX, &explore->schedules_max);
    case OPTION_SEED: return command_number(verb, "--seed", text, 0, UINT64_MAX, &explore->seed);
    case OPTION_BUDGET:
        options->has_budget = true;
        return command_number(verb, "--budget-ms", text, 0, 1000000000, &options->budget_ms);
    case OPTION_STEPS:
        remember(options, "--steps", text);
        return command_number(verb, "--steps", text, 1, UINT64_C(1) << 40, &explore->steps_max);
    case OPTION_BOUND:
        if (!command_number(verb, "--bound", text, 0, SOLO_DELAY_UNBOUNDED, &value)) {
            return false;
        }
        explore->delay_bound = (unsigned)value;
        options->has_bound = true;
        return true;
    case OPTION_FAULTS:
        remember(options, "--faults", text);
        if (!command_number(verb, "--faults", text, 0, 1000000, &value)) {
            return false;
        }
        explore->faults_max = (uint32_t)value;
        return true;
    case OPTION_TWICE:
        if (!command_number(verb, "--twice", text, 0, UINT32_MAX, &value)) {
            return false;
        }
        explore->twice_every = (uint32_t)value;
        return true;
    default:
        if (!command_number(verb, "--watchdog-s", text, 1, 1000000, &value)) {
            return false;
        }
        if (value * UINT64_C(1000000000) >
            WATCHDOG_DEFAULT_NS) { /* else a replay would kill what the finding did not */
            remember(options, "--watchdog-s", text);
        }
        explore->watchdog_ns = value * UINT64_C(1000000000);
        return true;
    }
}

static bool set_word(const char *verb, struct command_options *options, int option, const char *text)
{
    static const char *const worlds[] = {"sim", "os", NULL};
    static const char *const policies[] = {"refuse", "abort", "report", NULL};
    static const char *const formats[] = {"text", "json", "junit", "sarif", NULL};
    static const char *const two_formats[] = {"text", "json", NULL};
    static const char *const carriers[] = {"fiber", "token", NULL};
    static const char *const times[] = {"idle", "any", NULL};
    static const char *const granularities[] = {"sync", "access", NULL};
    int word;
    switch (option) {
    case OPTION_WORLD:
        word = word_of(verb, "--world", text, worlds);
        options->in_os = word == 1;
        return word >= 0;
    case OPTION_POLICY:
        word = word_of(verb, "--policy", text, policies);
        options->explore.policy = word > 0 ? (enum solo_policy)word : SOLO_POLICY_REFUSE;
        remember(options, "--policy", text);
        return word >= 0;
    case OPTION_FORMAT:
        word = word_of(verb, "--format", text, strcmp(verb, "explore") == 0 ? formats : two_formats);
        options->json = word == 1;
        options->junit = word == 2;
        options->sarif = word == 3;
        return word >= 0;
    case OPTION_CARRIER:
        word = word_of(verb, "--carrier", text, carriers);
        options->explore.carrier = word > 0 ? SOLO_CARRIER_TOKEN : SOLO_CARRIER_FIBER;
        remember(options, "--carrier", text);
        return word >= 0;
    case OPTION_GRANULARITY:
        word = word_of(verb, "--granularity", text, granularities);
        options->explore.granularity = word == 0 ? SOLO_WANT_SYNC : SOLO_WANT_ACCESS;
        return word >= 0;
    default:
        word = word_of(verb, "--time", text, times);
        options->explore.let_time_pass = word != 0;
        remember(options, "--time", text);
        return word >= 0;
    }
}

/* False: it was wrong, which has been said. */
static bool take_option(const char *verb, struct command_options *options, int option)
{
    switch (option) {
    case OPTION_COLOUR: return set_colour(verb, options, optarg);
    case OPTION_FULL: options->full = true; return true;
    case OPTION_PEER:
        options->explore.peer_file = optarg;
        remember(options, "--peer", optarg);
        return true;
    case OPTION_STRATEGY: return set_strategy(verb, options, optarg);
    case OPTION_WORLD:
    case OPTION_POLICY:
    case OPTION_FORMAT:
    case OPTION_CARRIER:
    case OPTION_GRANULARITY:
    case OPTION_TIME: return set_word(verb, options, option, optarg);
    default: return set_number(verb, options, option, optarg);
    }
}

int command_next_option(const char *verb, int argc, char **argv, const struct option *long_options,
                        struct command_options *options)
{
    opterr = 0;
    for (;;) {
        int at = optind;
        int option = getopt_long(argc, argv, "+:h", long_options, NULL);
        if (option == 'h') {
            return OPTION_HELP;
        }
        if (option == -1 || option == OPTION_HELP || option >= OPTION_OWN) {
            return option;
        }
        if (option == '?' || option == ':') {
            const char *text = argv[optind > at ? optind - 1 : at];
            (void)command_wrong(
                verb, option == ':' ? "option '%s' needs a value" : "unknown option '%s'; see `solo %s --help`", text,
                verb);
            return -2;
        }
        if (!take_option(verb, options, option)) {
            return -2;
        }
    }
}

/*
 * A file can be read again by every schedule; a pipe or a terminal cannot. One without a name, as of a here-document,
 * is read all the same, but no replay line can say so.
 */
static void find_input(char *input, size_t size)
{
    struct stat status, named;
    char folder[4096];
    bool is_file = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode) && status.st_size != 0 &&
                   lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
    ssize_t length = is_file ? readlink("/proc/self/fd/0", input, size - 1) : 0;
    input[length > 0 ? length : 0] = '\0';
    if (length > 0 && (stat(input, &named) < 0 || named.st_ino != status.st_ino || named.st_dev != status.st_dev)) {
        input[0] = '\0';
    }
    size_t prefix = getcwd(folder, sizeof folder) != NULL ? strlen(folder) : 0;
    if (prefix > 1 && strncmp(input, folder, prefix) == 0 && input[prefix] == '/') {
        memmove(input, input + prefix + 1, strlen(input + prefix));
    }
}

bool command_take_program(const char *verb, int argc, char **argv, struct command_options *options)
{
    if (optind >= argc) {
        (void)command_wrong(verb, "no program given; see `solo %s --help`", verb);
        return false;
    }
    options->program = argv + optind;
    if (strcmp(verb, "step") != 0) { /* there it is whoever answers */
        find_input(options->input, sizeof options->input);
    }
    if (options->program[0][0] == '\0') {
        (void)command_wrong(verb, "the program's name is empty");
        return false;
    }
    if (options->explore.peer_file != NULL) {
        struct solo_peers *peers;
        char why[SOLO_PEER_WHY_MAX];
        if (solo_peers_load(options->explore.peer_file, &peers, why) < 0) {
            (void)command_wrong(verb, "%s", why);
            return false;
        }
        solo_peers_free(peers);
    }
    return true;
}
