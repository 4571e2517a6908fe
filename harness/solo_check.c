/*
 * solo_check.c - `solo check`: one schedule under several tools, and whether they agree.
 *
 * A tool that needs a build of its own gets one from the user; valgrind's tools write XML files, which are read when
 * the run is over. What the kit finds itself must be the same in all runs, because all take the same schedule.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <solo/token.h>
#include <solo/tool_report.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPTION_TSAN = OPTION_OWN, OPTION_ASAN, OPTION_VALGRIND, ARGUMENTS_MAX = 256, IDS = 20 };
#define PATIENCE_NS UINT64_C(300000000000) /* a tool makes a schedule a hundred times slower */

static const struct option long_options[] = {
    COMMAND_COMMON_OPTIONS,
    COMMAND_SCHEDULE_OPTIONS,
    {"tsan", required_argument, NULL, OPTION_TSAN},
    {"asan", required_argument, NULL, OPTION_ASAN},
    {"valgrind", required_argument, NULL, OPTION_VALGRIND},
    {NULL, 0, NULL, 0},
};

struct row {
    const char *tool;
    const char *program; /* instead of the user's; NULL: that one */
    const char *valgrind;
    const char *missing; /* why it does not run; NULL: it runs */
    bool token_carrier;
    /* What came of it. */
    bool ran, same_schedule;
    char problem[SOLO_EVIDENCE_MAX]; /* why it did not run to its end */
    uint64_t trace;
    unsigned kit[IDS];     /* findings of the kit itself, by number */
    unsigned by_tool[IDS]; /* of the tool */
};

enum { PLAIN, TSAN, ASAN, HELGRIND, DRD, MEMCHECK, ROWS };

struct check {
    struct command_options options;
    const char *token;
    const char *folder; /* for XML files */
    struct row rows[ROWS];
};

static int print_help(void)
{
    printf(
        "usage: solo check TOKEN [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
        "\n"
        "Runs the schedule of a token plain, under race detectors and under memory checkers, and prints what each\n"
        "has found. All must take the same schedule; the kit's own findings must be the same in all of them.\n"
        "\n"
        "  --tsan PROGRAM       the program built with -fsanitize=thread; if it uses libsolo, linked with the one\n"
        "                       of make FLAVOUR=tsan\n"
        "  --asan PROGRAM       the program built with -fsanitize=address\n"
        "  --valgrind PROGRAM   the program, linked with the libsolo of make FLAVOUR=valgrind, which tells helgrind\n"
        "                       and drd how work is handed over; memcheck takes it too, and without it the\n"
        "                       program itself\n"
        "\n"
        "A token knows its program by name: each build has that name, in a folder of its own.\n"
        "\n"
        "%s%s",
        command_help_schedule, command_help_common);
    return EXIT_CLEAN;
}

/* ---- Options ---- */

/* -1: no more options here; else the exit code. */
static int take_options(int argc, char **argv, struct check *check)
{
    int option;
    while ((option = command_next_option("check", argc, argv, long_options, &check->options)) != -1) {
        switch (option) {
        case OPTION_HELP: return print_help();
        case OPTION_TSAN: check->rows[TSAN].program = optarg; break;
        case OPTION_ASAN: check->rows[ASAN].program = optarg; break;
        case OPTION_VALGRIND: check->rows[MEMCHECK].program = optarg; break;
        default: return EXIT_USAGE;
        }
    }
    return -1;
}

static int take_arguments(int argc, char **argv, struct check *check)
{
    struct solo_token token;
    char why[SOLO_TOKEN_WHY_MAX];
    command_defaults(&check->options);
    int code = take_options(argc, argv, check);
    if (code >= 0) {
        return code;
    }
    if (optind >= argc) {
        return command_wrong("check", "no token given; see `solo check --help`");
    }
    check->token = argv[optind++];
    if (solo_token_parse(check->token, &token, why) < 0) {
        return command_wrong("check", "%s", why);
    }
    solo_token_finish(&token);
    code = take_options(argc, argv, check);
    if (code >= 0) {
        return code;
    }
    if (!command_take_program("check", argc, argv, &check->options)) {
        return EXIT_USAGE;
    }
    size_t arguments = 0;
    while (check->options.program[arguments] != NULL) {
        arguments++;
    }
    return arguments > ARGUMENTS_MAX
               ? command_wrong("check", "a program with its arguments is at most %d words, not %zu", ARGUMENTS_MAX,
                               arguments)
               : -1;
}

static bool has_valgrind(void)
{
    const char *folders = getenv("PATH");
    char path[4096];
    while (folders != NULL && *folders != '\0') {
        size_t length = strcspn(folders, ":");
        if (snprintf(path, sizeof path, "%.*s/valgrind", (int)length, folders) < (int)sizeof path &&
            access(path, X_OK) == 0) {
            return true;
        }
        folders += length + (folders[length] == ':');
    }
    return false;
}

static void set_up_rows(struct check *check)
{
    static const char *const names[ROWS] = {"plain", "tsan", "asan", "helgrind", "drd", "memcheck"};
    static const char needs_build[] = "needs --valgrind PROGRAM, with the libsolo of make FLAVOUR=valgrind";
    for (unsigned i = 0; i < ROWS; i++) {
        check->rows[i].tool = names[i];
        check->rows[i].valgrind = i >= HELGRIND ? names[i] : NULL;
        check->rows[i].missing = i >= HELGRIND && !has_valgrind() ? "valgrind is not installed" : NULL;
        check->rows[i].token_carrier = i >= HELGRIND; /* threads and stacks that valgrind knows must be real */
    }
    for (unsigned i = HELGRIND; i <= DRD; i++) {
        check->rows[i].program = check->rows[MEMCHECK].program;
        if (check->rows[i].missing == NULL && check->rows[i].program == NULL) {
            check->rows[i].missing = needs_build;
        }
    }
    check->rows[TSAN].missing =
        check->rows[TSAN].program == NULL ? "needs --tsan PROGRAM, built with -fsanitize=thread" : NULL;
    check->rows[ASAN].missing =
        check->rows[ASAN].program == NULL ? "needs --asan PROGRAM, built with -fsanitize=address" : NULL;
}

/* ---- XML files ---- */

static void count_error(const struct solo_violation *violation, const struct solo_detail *detail, void *arg)
{
    struct row *row = arg;
    (void)detail;
    row->by_tool[violation->id < IDS ? violation->id : 0]++;
}

/*
 * The program's server wrote one too, and every child: each is called <tool>.<process id>. Whoever takes too long over
 * its end is killed and leaves half a file; it ran no schedule.
 */
static void read_files(struct row *row, const char *folder)
{
    unsigned read = 0;
    char half[SOLO_TOOL_WHY_MAX] = "";
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char path[4096], why[SOLO_TOOL_WHY_MAX] = "";
        size_t length = strlen(row->tool);
        if (strncmp(entry->d_name, row->tool, length) != 0 || entry->d_name[length] != '.') {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (solo_tool_report_read(path, count_error, row, NULL, why) == 0) {
            read++;
        } else {
            memcpy(half, why, sizeof half);
        }
        (void)unlink(path);
    }
    if (row->ran && read == 0) {
        (void)snprintf(row->problem, sizeof row->problem, "its report cannot be read: %s", half);
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
}

/* ---- Running ---- */

static void make_arguments(const struct check *check, const struct row *row, char *xml, size_t xml_size,
                           char *arguments[ARGUMENTS_MAX + 8])
{
    static char tools[ROWS][32];
    char *tool = tools[row - check->rows];
    size_t count = 0;
    if (row->valgrind != NULL) {
        (void)snprintf(tool, sizeof tools[0], "--tool=%s", row->valgrind);
        (void)snprintf(xml, xml_size, "--xml-file=%s/%s.%%p", check->folder, row->tool);
        arguments[count++] = "valgrind";
        arguments[count++] = "-q";
        arguments[count++] = "--vgdb=no"; /* it would leave files behind */
        arguments[count++] = tool;
        arguments[count++] = "--xml=yes";
        if (row == &check->rows[MEMCHECK]) {
            arguments[count++] = "--show-leak-kinds=none"; /* a schedule ends wherever it is, and leaves what it has */
        }
        arguments[count++] = xml;
    }
    for (size_t i = 0; check->options.program[i] != NULL; i++) {
        arguments[count++] = i == 0 && row->program != NULL ? (char *)row->program : check->options.program[i];
    }
    arguments[count] = NULL;
}

static void take_replay(struct check *check, struct row *row, const struct solo_replay *replay)
{
    row->ran = true;
    row->trace = replay->trace_hash;
    row->same_schedule = replay->diverged_at == 0 && (row == check->rows || row->trace == check->rows[PLAIN].trace);
    if (replay->diverged_at != 0) {
        (void)snprintf(row->problem, sizeof row->problem, "choice %llu is another one",
                       (unsigned long long)replay->diverged_at);
    }
    for (unsigned i = 0; i < replay->violation_count; i++) {
        unsigned id = replay->violations[i].id < IDS ? replay->violations[i].id : 0;
        (replay->violations[i].from_tool != 0 ? row->by_tool : row->kit)[id]++;
    }
}

/* Returns the explorer's error for this row. */
static int run_row(struct check *check, struct row *row)
{
    char *arguments[ARGUMENTS_MAX + 8];
    char xml[4096];
    struct solo_explore_options explore = check->options.explore;
    struct solo_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL) {
        return -ENOMEM;
    }
    make_arguments(check, row, xml, sizeof xml, arguments);
    explore.carrier = row->token_carrier ? SOLO_CARRIER_TOKEN : explore.carrier;
    explore.watchdog_ns = row != check->rows && explore.watchdog_ns < PATIENCE_NS ? PATIENCE_NS : explore.watchdog_ns;
    int error = solo_replay_program(arguments, check->token, &explore, true, false, replay, row->problem);
    if (error == 0) {
        take_replay(check, row, replay);
    }
    if (row->valgrind != NULL) {
        read_files(row, check->folder);
    }
    free(replay);
    return error;
}

/* The plain run's error is the user's, as in a replay; that of another row is its own. */
static int run_all(struct check *check)
{
    for (unsigned i = 0; i < ROWS; i++) {
        struct row *row = &check->rows[i];
        if (row->missing != NULL) {
            continue;
        }
        if (check->options.explore.progress != NULL) {
            fprintf(stderr, "\r%s ...\033[K", row->tool);
        }
        int error = run_row(check, row);
        if (check->options.explore.progress != NULL) {
            fputs("\r\033[K", stderr);
        }
        if (error < 0 && i == PLAIN) {
            return command_explorer_error("check", error, row->problem);
        }
    }
    return -1;
}

/* ---- What it comes to ---- */

static bool kit_agrees(const struct check *check, const struct row *row)
{
    for (unsigned id = 0; id < IDS; id++) {
        if ((row->kit[id] != 0) != (check->rows[PLAIN].kit[id] != 0)) {
            return false;
        }
    }
    return true;
}

static bool has_found(const struct row *row)
{
    for (unsigned id = 0; id < IDS; id++) {
        if (row->kit[id] + row->by_tool[id] != 0) {
            return true;
        }
    }
    return false;
}

static void add_ids(char *text, size_t size, const unsigned counts[IDS], const char *by)
{
    char name[8];
    for (unsigned id = 0; id < IDS; id++) {
        size_t used = strlen(text);
        if (counts[id] != 0 && used < size) {
            const char *word = id != 0 ? solo_violation_name(id, name) : "check";
            int length = snprintf(text + used, size - used, "%s%s%s%s", used != 0 ? ", " : "", word,
                                  by[0] != '\0' ? " by " : "", by);
            if (counts[id] > 1 && length > 0 && used + (size_t)length < size) {
                (void)snprintf(text + used + length, size - used - (size_t)length, " (%u times)", counts[id]);
            }
        }
    }
}

static void print_row(const struct row *row)
{
    char found[512] = "";
    if (row->missing != NULL) {
        printf("%-10s %-10s %s\n", row->tool, "not run", row->missing);
        return;
    }
    if (!row->ran) {
        printf("%-10s %-10s %s\n", row->tool, "failed", row->problem);
        return;
    }
    add_ids(found, sizeof found, row->kit, "");
    add_ids(found, sizeof found, row->by_tool, row->tool);
    printf("%-10s %-10s %s%s%s\n", row->tool, row->same_schedule ? "same" : "another",
           found[0] != '\0' ? found : "none", row->problem[0] != '\0' ? "; " : "", row->problem);
}

struct sums {
    unsigned ran, agreeing, failed;
    bool found;
};

static struct sums sum_up(const struct check *check)
{
    struct sums sums = {0};
    for (unsigned i = 0; i < ROWS; i++) {
        const struct row *row = &check->rows[i];
        sums.ran += row->ran;
        sums.agreeing += row->ran && row->same_schedule && kit_agrees(check, row);
        sums.failed += row->missing == NULL && (!row->ran || row->problem[0] != '\0');
        sums.found = sums.found || has_found(row);
    }
    return sums;
}

static void print_table(const struct check *check, const struct sums *sums)
{
    printf("%-10s %-10s %s\n", "tool", "schedule", "findings");
    for (unsigned i = 0; i < ROWS; i++) {
        print_row(&check->rows[i]);
    }
    if (sums->agreeing == sums->ran) {
        printf("agreement: %u run%s, one schedule (trace %016llx), the same findings of the kit\n", sums->ran,
               sums->ran == 1 ? "" : "s", (unsigned long long)check->rows[PLAIN].trace);
    } else {
        printf("agreement: %u of %u runs have the plain run's schedule and findings of the kit\n", sums->agreeing,
               sums->ran);
    }
}

static json_t *ids_json(const unsigned counts[IDS])
{
    json_t *object = json_object();
    char name[8];
    for (unsigned id = 0; id < IDS; id++) {
        if (counts[id] != 0) {
            json_object_set_new(object, id != 0 ? solo_violation_name(id, name) : "check", json_integer(counts[id]));
        }
    }
    return object;
}

static json_t *row_json(const struct row *row)
{
    char trace[20];
    json_t *object = json_object();
    json_object_set_new(object, "tool", json_string(row->tool));
    json_object_set_new(object, "ran", json_boolean(row->ran));
    if (row->missing != NULL || row->problem[0] != '\0') {
        json_object_set_new(object, "why", json_string(row->missing != NULL ? row->missing : row->problem));
    }
    if (row->ran) {
        (void)snprintf(trace, sizeof trace, "%016llx", (unsigned long long)row->trace);
        json_object_set_new(object, "same_schedule", json_boolean(row->same_schedule));
        json_object_set_new(object, "trace", json_string(trace));
        json_object_set_new(object, "kit", ids_json(row->kit));
        json_object_set_new(object, "by_tool", ids_json(row->by_tool));
    }
    return object;
}

static void print_json(const struct check *check, const struct sums *sums)
{
    json_t *root = json_object();
    json_t *rows = json_array();
    for (unsigned i = 0; i < ROWS; i++) {
        json_array_append_new(rows, row_json(&check->rows[i]));
    }
    json_object_set_new(root, "schema", json_string("solo.check.1"));
    json_object_set_new(root, "schedule", json_string(check->token));
    json_object_set_new(root, "agreement", json_boolean(sums->agreeing == sums->ran));
    json_object_set_new(root, "runs", rows);
    (void)json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', stdout);
    json_decref(root);
}

static int conclude(const struct check *check)
{
    struct sums sums = sum_up(check);
    if (check->options.json) {
        print_json(check, &sums);
    } else {
        print_table(check, &sums);
    }
    return sums.failed != 0 || sums.agreeing != sums.ran ? EXIT_KIT_FAILED : sums.found ? EXIT_FINDINGS : EXIT_CLEAN;
}

/* ---- The folder, whatever becomes of the run ---- */

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof ending_signals[0], REMOVALS_MAX = 100, REMOVAL_PAUSE_MS = 20 };

static volatile pid_t runner; /* who runs the tools; a handler has no argument of ours */

static void pass_on(int signal_number)
{
    (void)kill(runner, signal_number);
}

/* A tool that outlives whoever started it for a moment may still make a file. */
static void remove_folder(const char *folder)
{
    for (int i = 0; i < REMOVALS_MAX; i++) {
        DIR *directory = opendir(folder);
        struct dirent *entry;
        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
        }
        if (directory != NULL) {
            (void)closedir(directory);
        }
        if (rmdir(folder) == 0 || errno != ENOTEMPTY) {
            return;
        }
        (void)poll(NULL, 0, REMOVAL_PAUSE_MS);
    }
}

/* Waits for the runner to end, tidies up, and ends as it did. */
static int tidy_up(const char *folder)
{
    int status = 0;
    while (waitpid(runner, &status, 0) < 0 && errno == EINTR) {
    }
    remove_folder(folder);
    if (WIFSIGNALED(status)) {
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_KIT_FAILED;
}

static void pass_on_signals(void)
{
    struct sigaction before, action = {.sa_handler = pass_on};
    for (size_t i = 0; i < ENDING_SIGNALS; i++) {
        if (sigaction(ending_signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(ending_signals[i], &action, NULL);
        }
    }
}

/* Until somebody is there who removes the folder. */
static void hold_signals(sigset_t *ret_before)
{
    sigset_t ending;
    sigemptyset(&ending);
    for (size_t i = 0; i < ENDING_SIGNALS; i++) {
        (void)sigaddset(&ending, ending_signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &ending, ret_before);
}

/*
 * A child of this process runs the tools, so that one is left to remove their files when Ctrl-C ends the rest. Returns
 * the exit code in this process, -1 in the child.
 */
static int split(struct check *check, const char *folder, const sigset_t *before)
{
    pid_t parent = getpid();
    check->folder = folder;
    (void)fflush(NULL);
    runner = fork();
    if (runner > 0) {
        pass_on_signals();
    } else if (runner == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    (void)sigprocmask(SIG_SETMASK, before, NULL);
    if (runner < 0) {
        (void)rmdir(folder);
        return command_failed("check", "no process for the tools: %s", strerror(errno));
    }
    if (runner == 0 && getppid() != parent) {
        return EXIT_KIT_FAILED;
    }
    return runner > 0 ? tidy_up(folder) : -1;
}

int command_check(int argc, char **argv)
{
    static struct check check;
    int code = take_arguments(argc, argv, &check);
    if (code >= 0) {
        return code;
    }
    const char *parent = getenv("TMPDIR");
    static char folder[4096]; /* as what refers to it */
    sigset_t before;
    hold_signals(&before);
    if (snprintf(folder, sizeof folder, "%s/solo-check-XXXXXX", parent != NULL ? parent : "/tmp") >=
            (int)sizeof folder ||
        mkdtemp(folder) == NULL) {
        return command_failed("check", "no folder for temporary files: %s", strerror(errno));
    }
    code = split(&check, folder, &before);
    if (code >= 0) {
        return code;
    }
    set_up_rows(&check);
    code = run_all(&check);
    return code >= 0 ? code : conclude(&check);
}
