/*
 * solo_run.c - `solo run`: a program once, as it is, and what it does wrong on the way.
 *
 * World os: the program gets the harness and reports through a socket (watch.h); its peers, if any, are threads of
 * this process with real sockets. World sim: one schedule, the plain one.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include "watch.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <solo/peer.h>
#include <solo/thread.h>
#include <solo/world.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPTION_FOR = OPTION_OWN, TICK_MS = 20 };
#define PATIENCE_NS UINT64_C(10000000000) /* of a peer with one line of its script */

static const struct option long_options[] = {
    COMMAND_COMMON_OPTIONS,
    COMMAND_SCHEDULE_OPTIONS,
    {"world", required_argument, NULL, OPTION_WORLD},
    {"budget-ms", required_argument, NULL, OPTION_BUDGET},
    {"for-s", required_argument, NULL, OPTION_FOR},
    {NULL, 0, NULL, 0},
};

static int print_help(void)
{
    printf("usage: solo run [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
           "\n"
           "Runs the program once and reports what it does wrong: complete, with who queued the work and from\n"
           "where. In world os reports go to standard error, because standard output is the program's.\n"
           "\n"
           "  --world os|sim       os: real sockets, threads and time; sim: the plain schedule of the simulated\n"
           "                       world (os)\n"
           "  --budget-ms N        world os: a reactor callback that blocks for longer is SOLO002 (off)\n"
           "  --for-s N            world os: end the program after N s, when it is at rest\n"
           "\n"
           "In world os the program goes on until it ends by itself; with --peer until the peers are done and it\n"
           "is at rest. An exit status other than 0 counts as a finding.\n"
           "\n"
           "%s%s",
           command_help_schedule, command_help_common);
    return EXIT_CLEAN;
}

/* ---- World os: starting ---- */

struct watched {
    const struct command_options *options;
    pid_t pid;
    int control;
    bool greeted, ended, program_gone;
    int status;               /* as from waitpid, once program_gone */
    struct solo_peers *peers; /* NULL: none */
    bool peers_playing, told;
    uint64_t end_ns;            /* world time when it is to end; SOLO_NEVER: by itself */
    struct solo_report *report; /* the findings so far */
    struct solo_detail *details;
    uint64_t base_ns;
    struct solo__watch_message message;
};

/* What is loaded into the program: it lies beside the harness library. */
static int find_harness(char *path, size_t size)
{
    Dl_info info;
    char command[4096];
    if (dladdr((void *)(uintptr_t)&solo_report_text, &info) != 0 && strstr(info.dli_fname, ".so") != NULL) {
        char *real = realpath(info.dli_fname, NULL);
        const char *own = real != NULL ? real : info.dli_fname;
        const char *slash = strrchr(own, '/');
        int written = snprintf(path, size, "%.*slibsolo-inside.so", slash != NULL ? (int)(slash + 1 - own) : 0, own);
        free(real);
        return written < (int)size ? 0 : -ENAMETOOLONG;
    }
    ssize_t length = readlink("/proc/self/exe", command, sizeof command - 1);
    if (length < 0) {
        return -errno;
    }
    command[length] = '\0';
    *strrchr(command, '/') = '\0';
    return snprintf(path, size, "%s/../lib/libsolo-inside.so", command) < (int)size ? 0 : -ENAMETOOLONG;
}

static void set_number(const char *name, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    (void)setenv(name, text, 1);
}

/* In the child: becomes the program, or tells why not. */
static void become_program(const struct command_options *options, const char *harness, int control, int error_fd)
{
    static const char *const policies[] = {"refuse", "abort", "report"};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)fcntl(control, F_SETFD, 0);
    set_number("SOLO_CONTROL", (uint64_t)control);
    (void)setenv("SOLO_HARNESS", harness, 1);
    (void)setenv(SOLO__WATCH_VARIABLE, "1", 1);
    (void)setenv("SOLO_PROVENANCE", "full", 1);
    (void)setenv("SOLO_POLICY", policies[options->explore.policy], 1);
    if (options->has_budget) {
        set_number("SOLO_BUDGET_NS", options->budget_ms * UINT64_C(1000000));
    }
    if (options->json) {
        dup2(STDERR_FILENO, STDOUT_FILENO); /* standard output is for the document */
    }
    if (strchr(options->program[0], '/') != NULL) {
        execv(options->program[0], options->program); /* unlike execvp it gives no text to a shell */
    } else {
        execvp(options->program[0], options->program);
    }
    int error = -errno;
    (void)!write(error_fd, &error, sizeof error);
    _exit(127);
}

/* 0, or why the program cannot be started. */
static int start(struct watched *watched)
{
    char harness[4096];
    int sockets[2], errors[2], error = find_harness(harness, sizeof harness);
    if (error < 0) {
        return error;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
        return -errno;
    }
    if (pipe2(errors, O_CLOEXEC) < 0) {
        error = -errno;
        close(sockets[0]);
        close(sockets[1]);
        return error;
    }
    fflush(NULL);
    watched->pid = fork();
    if (watched->pid == 0) {
        become_program(watched->options, harness, sockets[1], errors[1]);
    }
    close(sockets[1]);
    close(errors[1]);
    watched->control = sockets[0];
    error = watched->pid < 0 ? -errno : 0;
    if (error == 0 && read(errors[0], &error, sizeof error) == sizeof error) {
        (void)waitpid(watched->pid, NULL, 0);
    }
    close(errors[0]);
    return error;
}

/* ---- World os: what it says ---- */

static struct solo_report_context context_of(const struct watched *watched, unsigned index)
{
    struct solo_report_context context = {
        .detail = &watched->details[index],
        .world = "os",
        .argv = watched->options->program,
        .base_ns = watched->base_ns,
        .colour = watched->options->colour && isatty(STDERR_FILENO),
        .full = watched->options->full,
    };
    return context;
}

static void add_finding(struct watched *watched, const struct solo_violation *violation,
                        const struct solo_detail *detail)
{
    struct solo_report *report = watched->report;
    if (report->finding_count == SOLO_FINDINGS_MAX) {
        report->unlisted++;
        return;
    }
    unsigned index = report->finding_count++;
    report->findings[index].violation = *violation;
    if (detail != NULL) {
        watched->details[index] = *detail;
    }
    if (!watched->options->json) {
        struct solo_report_context context = context_of(watched, index);
        (void)solo_report_text(stderr, violation, &context);
        fputc('\n', stderr);
    }
}

/* A finding of the command itself. */
static void add_own_finding(struct watched *watched, unsigned id, const char *object, const char *text,
                            const char *help)
{
    struct solo_violation violation;
    memset(&violation, 0, sizeof violation);
    violation.id = id;
    violation.count = 1;
    (void)snprintf(violation.object, sizeof violation.object, "%s", object);
    (void)snprintf(violation.text, sizeof violation.text, "%s", text);
    (void)snprintf(violation.help, sizeof violation.help, "%s", help);
    add_finding(watched, &violation, NULL);
}

static void receive(struct watched *watched, const struct solo__watch_message *message)
{
    watched->base_ns = message->base_ns;
    switch (message->kind) {
    case SOLO__WATCH_HELLO: watched->greeted = true; break;
    case SOLO__WATCH_FINDING: add_finding(watched, &message->violation, &message->detail); break;
    case SOLO__WATCH_END:
        watched->ended = true;
        for (unsigned i = 0; i < watched->report->finding_count; i++) {
            struct solo_violation *violation = &watched->report->findings[i].violation;
            violation->count = violation->id < 20 && message->counts[violation->id] > violation->count
                                   ? message->counts[violation->id]
                                   : violation->count;
        }
        break;
    default: break;
    }
}

/* Waits a moment for a message. False when there will be no more. */
static bool listen_a_moment(struct watched *watched)
{
    struct pollfd fd = {watched->control, POLLIN, 0};
    if (poll(&fd, 1, TICK_MS) <= 0) {
        return true;
    }
    ssize_t size = recv(watched->control, &watched->message, sizeof watched->message, MSG_DONTWAIT);
    if (size == (ssize_t)sizeof watched->message && watched->message.magic == SOLO__WATCH_MAGIC) {
        receive(watched, &watched->message);
    }
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

/* ---- World os: peers ---- */

/* The program is to end as soon as it is at rest. */
static void tell_to_end(struct watched *watched)
{
    if (!watched->told) {
        watched->told = true;
        (void)!send(watched->control, "", 1, MSG_NOSIGNAL);
    }
}

static bool some_peer_plays(const struct solo_peers *peers)
{
    struct solo_peer_status status;
    for (size_t i = 0; solo_peers_status(peers, i, &status) == 0; i++) {
        if (status.state == SOLO_PEER_PLAYING) {
            return true;
        }
    }
    return false;
}

/* Threads that still wait for a server that is gone look at the script until this process ends. */
static void release_peers(struct watched *watched)
{
    if (watched->peers != NULL && (!watched->peers_playing || !some_peer_plays(watched->peers))) {
        if (watched->peers_playing) {
            (void)solo_peers_join(watched->peers);
        }
        solo_peers_free(watched->peers);
    }
}

static void tend_peers(struct watched *watched)
{
    if (watched->greeted && solo_now() >= watched->end_ns) {
        tell_to_end(watched);
    }
    if (watched->peers == NULL) {
        return;
    }
    if (watched->greeted && !watched->peers_playing) {
        struct solo_peers_options options = {.patience_ns = PATIENCE_NS};
        watched->peers_playing = solo_peers_start(watched->peers, &options) == 0;
    }
    if (watched->peers_playing && !some_peer_plays(watched->peers)) {
        tell_to_end(watched);
    }
}

static void judge_peers(struct watched *watched)
{
    struct solo_peer_status unmet;
    if (watched->peers != NULL && !solo_peers_finished(watched->peers, &unmet)) {
        char object[SOLO_VIOLATION_NAME_MAX], text[SOLO_VIOLATION_TEXT_MAX];
        (void)snprintf(object, sizeof object, "peer %s", unmet.name);
        (void)snprintf(text, sizeof text, "peer %s: %s", unmet.name, unmet.text);
        add_own_finding(watched, SOLO013_NEVER_HAPPENED, object, text,
                        "see what the server did last on that connection");
    }
}

/* ---- World os: the end ---- */

static void judge_ending(struct watched *watched)
{
    char text[SOLO_VIOLATION_TEXT_MAX];
    int signal = WIFSIGNALED(watched->status) ? WTERMSIG(watched->status) : 0;
    if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
        return; /* somebody wanted that */
    }
    if (signal != 0) {
        const char *name = sigabbrev_np(signal);
        (void)snprintf(text, sizeof text, "the program was killed by SIG%s", name != NULL ? name : "?");
        add_own_finding(watched, SOLO018_MEMORY, "", text,
                        "`solo explore` gives the schedule and the place of a crash");
    } else if (WEXITSTATUS(watched->status) != 0) {
        (void)snprintf(text, sizeof text, "the program ended with exit status %d", WEXITSTATUS(watched->status));
        add_own_finding(watched, SOLO_NO_VIOLATION, "", text, "");
    }
}

static void watch(struct watched *watched)
{
    bool open = true;
    while (!watched->program_gone) {
        if (open) {
            open = listen_a_moment(watched);
        } else {
            (void)poll(NULL, 0, TICK_MS);
        }
        tend_peers(watched);
        watched->program_gone = waitpid(watched->pid, &watched->status, WNOHANG) == watched->pid;
    }
    while (open && recv(watched->control, &watched->message, sizeof watched->message, MSG_DONTWAIT | MSG_PEEK) > 0) {
        open = listen_a_moment(watched); /* what it said last */
    }
}

static int conclude(struct watched *watched)
{
    struct solo_report *report = watched->report;
    const struct command_options *options = watched->options;
    if (!watched->greeted) {
        return command_wrong("run",
                             "%s: ended, or became another program, before it used libsolo; this watches programs "
                             "of the kit only, `solo explore` takes any",
                             options->program[0]);
    }
    judge_peers(watched);
    judge_ending(watched);
    if (options->json) {
        struct solo_report_context contexts[SOLO_FINDINGS_MAX];
        for (unsigned i = 0; i < report->finding_count; i++) {
            contexts[i] = context_of(watched, i);
        }
        report->verdict = report->finding_count != 0 ? SOLO_VERDICT_FINDINGS : SOLO_VERDICT_CLEAN;
        (void)snprintf(report->evidence, sizeof report->evidence, "one run in world os");
        (void)solo_report_explored_json(stdout, report, contexts);
    } else {
        fprintf(stderr, "solo run: %u finding%s", report->finding_count, report->finding_count == 1 ? "" : "s");
        if (report->unlisted != 0) {
            fprintf(stderr, "; %llu more had no room", (unsigned long long)report->unlisted);
        }
        fputc('\n', stderr);
    }
    return report->finding_count != 0 ? EXIT_FINDINGS : EXIT_CLEAN;
}

static int cannot_start(const char *program, int error)
{
    char why[SOLO_EVIDENCE_MAX];
    const char *reason = error == -EACCES    ? "it may not be executed"
                         : error == -ENOEXEC ? "it is not a program that this machine can execute"
                         : error != -ENOENT  ? solo_error_text(error)
                         : strchr(program, '/') == NULL && access(program, F_OK) == 0
                             ? "no such program in PATH; for the file in this folder write ./ before it"
                             : "no such program";
    (void)snprintf(why, sizeof why, "%.200s: %s", program, reason);
    return command_explorer_error("run", error, why);
}

/* Starts it, watches it, and judges. */
static int run_watched(struct watched *watched, const struct command_options *options)
{
    char why[SOLO_PEER_WHY_MAX];
    if (options->explore.peer_file != NULL && solo_peers_load(options->explore.peer_file, &watched->peers, why) < 0) {
        return command_wrong("run", "%s", why);
    }
    int error = start(watched);
    if (error < 0) {
        return cannot_start(options->program[0], error);
    }
    signal(SIGINT, SIG_IGN); /* the terminal sends it to both; the program decides */
    signal(SIGQUIT, SIG_IGN);
    watch(watched);
    return conclude(watched);
}

static int run_in_os(const struct command_options *options, uint64_t duration_s)
{
    struct watched *watched = calloc(1, sizeof *watched);
    if (watched == NULL) {
        return command_failed("run", "out of memory");
    }
    watched->options = options;
    watched->end_ns = duration_s != UINT64_MAX ? solo_now() + duration_s * UINT64_C(1000000000) : SOLO_NEVER;
    watched->report = calloc(1, sizeof *watched->report);
    watched->details = calloc(SOLO_FINDINGS_MAX, sizeof *watched->details);
    int code = watched->report != NULL && watched->details != NULL ? run_watched(watched, options)
                                                                   : command_failed("run", "out of memory");
    free(watched->report);
    free(watched->details);
    release_peers(watched);
    free(watched);
    return code;
}

/* ---- World sim ---- */

static long answer_plainly(const struct solo_step_view *view, void *arg)
{
    (void)view;
    (void)arg;
    return SOLO_STEP_PLAIN;
}

static int run_in_sim(const struct command_options *options)
{
    char why[SOLO_EVIDENCE_MAX] = "";
    struct solo_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL) {
        return command_failed("run", "out of memory");
    }
    int error = solo_step_program(options->program, &options->explore, answer_plainly, NULL, replay, why);
    int code;
    if (error < 0) {
        code = command_explorer_error("run", error, why);
    } else {
        if (!options->json) {
            fputs(replay->output, stdout);
            fflush(stdout);
        }
        code = command_report_replay(options, replay, replay->token);
    }
    free(replay->trace);
    free(replay);
    return code;
}

int command_run(int argc, char **argv)
{
    struct command_options options;
    command_defaults(&options);
    options.in_os = true;
    uint64_t duration_s = UINT64_MAX;
    int option;
    while ((option = command_next_option("run", argc, argv, long_options, &options)) != -1) {
        if (option == OPTION_HELP) {
            return print_help();
        }
        if (option != OPTION_FOR || !command_number("run", "--for-s", optarg, 0, 1000000, &duration_s)) {
            return EXIT_USAGE;
        }
    }
    if (!command_take_program("run", argc, argv, &options)) {
        return EXIT_USAGE;
    }
    return options.in_os ? run_in_os(&options, duration_s) : run_in_sim(&options);
}
