/*
 * program.c - schedules of a program: started once as a fork server (program_server.c), then one child of it per schedule.
 *
 * Addresses are the same in every start (where the kernel allows it), because a schedule that depends on them would
 * otherwise not replay. The schedule that is run a second time to check determinism runs in another server, which is started
 * with changing addresses, another environment and another filling of freed memory: what a program must not depend on.
 */
#define _GNU_SOURCE
#include "child.h"
#include "ledger.h"
#include "program_protocol.h"
#include "subject.h"
#include "twin.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELLO_MS = 20000, TICK_MS = 100, LEAVE_MS = 500 };

extern char **environ;

/* ---- Where things are ---- */

/* Letters, digits, '-' and '_' of the program's base name. */
static void name_program(const char *path, char name[SOLO_SCENARIO_NAME_MAX])
{
    const char *base = strrchr(path, '/');
    base = base != NULL ? base + 1 : path;
    size_t length = 0;
    for (; base[length] != '\0' && length < SOLO_SCENARIO_NAME_MAX - 1; length++) {
        char c = base[length];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        name[length] = fine ? c : '_';
    }
    name[length] = '\0';
}

/* Puts "<folder of file>/<below>" into path if it is there. */
static bool is_beside(const char *file, const char *below, char path[SOLO__PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    int length = slash != NULL ? (int)(slash - file) : 1;
    int written = snprintf(path, SOLO__PATH_MAX, "%.*s/%s", length, slash != NULL ? file : ".", below);
    return written > 0 && written < SOLO__PATH_MAX && access(path, R_OK) == 0;
}

/* The harness library: this one, or the one beside the running command. */
static int find_harness(char path[SOLO__PATH_MAX])
{
    Dl_info info;
    char command[SOLO__PATH_MAX];
    if (dladdr((void *)find_harness, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, ".so") != NULL &&
        realpath(info.dli_fname, path) != NULL) {
        return 0;
    }
    ssize_t length = readlink("/proc/self/exe", command, sizeof command - 1);
    if (length <= 0) {
        return -ENOENT;
    }
    command[length] = '\0';
    bool found = is_beside(command, "../lib/libsolo-harness.so", path) || is_beside(command, "libsolo-harness.so", path);
    return found ? 0 : -ENOENT;
}

/* ---- Starting ---- */

/* The environment with the ways in, and without those of an outer explorer. */
struct environment {
    char control[32];
    char harness[SOLO__PATH_MAX + 16];
    char **variables;
};

static bool starts_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static int make_environment(struct environment *environment, int control_fd, bool other)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    environment->variables = calloc(count + 5, sizeof *environment->variables);
    if (environment->variables == NULL) {
        return -ENOMEM;
    }
    char path[SOLO__PATH_MAX];
    int found = find_harness(path);
    if (found < 0) {
        return found;
    }
    snprintf(environment->control, sizeof environment->control, "SOLO_CONTROL=%d", control_fd);
    snprintf(environment->harness, sizeof environment->harness, "SOLO_HARNESS=%s", path);
    size_t used = 0;
    environment->variables[used++] = environment->control;
    environment->variables[used++] = environment->harness;
    if (other) {
        environment->variables[used++] = "MALLOC_PERTURB_=165";
        environment->variables[used++] = "SOLO_OTHER=0123456789abcdef0123456789abcdef0123456789abcdef";
    }
    for (size_t i = 0; i < count; i++) {
        if (!starts_with(environ[i], "SOLO_CONTROL=") && !starts_with(environ[i], "SOLO_HARNESS=") &&
            !(other && starts_with(environ[i], "MALLOC_PERTURB_="))) {
            environment->variables[used++] = environ[i];
        }
    }
    return 0;
}

/*
 * As execvpe, but a file that is no program is refused and not given to a shell. Returns only on failure, with errno: that of the last
 * folder where there was such a file.
 */
static void execute(char *const argv[], char *const variables[])
{
    const char *folders = getenv("PATH");
    if (strchr(argv[0], '/') != NULL || folders == NULL) {
        execve(argv[0], argv, variables);
        return;
    }
    int error = ENOENT;
    while (*folders != '\0') {
        char path[SOLO__PATH_MAX];
        size_t length = strcspn(folders, ":");
        int written = snprintf(path, sizeof path, "%.*s/%s", length != 0 ? (int)length : 1, length != 0 ? folders : ".", argv[0]);
        if (written > 0 && (size_t)written < sizeof path) {
            execve(path, argv, variables);
            error = errno != ENOENT && errno != ENOTDIR ? errno : error;
        }
        folders += length + (folders[length] == ':');
    }
    errno = error;
}

/* In the forked child: becomes the program, or tells why not. */
static void become_program(char *const argv[], char *const variables[], int control_fd, int output_fd, int error_fd, bool other)
{
    if (!other) {
        int now = personality(0xffffffff);
        (void)personality((unsigned long)now | ADDR_NO_RANDOMIZE); /* may be forbidden: then replays depend on less luck */
    }
    solo__child_redirect(output_fd);
    (void)fcntl(control_fd, F_SETFD, 0);
    execute(argv, variables);
    int error = errno;
    (void)!write(error_fd, &error, sizeof error);
    _exit(127);
}

static int wait_for_exec(int error_fd)
{
    int error = 0;
    ssize_t got;
    do {
        got = read(error_fd, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? -error : 0;
}

static int start(struct solo__subject *subject, struct solo__server *server, bool other)
{
    int control[2];
    int report[2];
    struct environment environment = {.variables = NULL};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0) {
        return -errno;
    }
    if (pipe2(report, O_CLOEXEC) < 0) {
        close(control[0]);
        close(control[1]);
        return -errno;
    }
    int result = make_environment(&environment, control[1], other);
    fflush(NULL);
    server->pid = result == 0 ? solo__process_fork() : -1;
    if (server->pid == 0) {
        become_program(subject->argv, environment.variables, control[1], subject->output_fd, report[1], other);
    }
    if (result == 0 && server->pid < 0) {
        result = -errno;
    }
    close(control[1]);
    close(report[1]);
    server->control_fd = control[0];
    if (server->pid < 0) {
        close(control[0]);
        server->pid = 0;
    }
    if (result == 0) {
        result = wait_for_exec(report[0]);
    }
    close(report[0]);
    free(environment.variables);
    return result;
}

/* Waits for the next message, up to limit_ms (-1: for ever); meanwhile questions are answered and progress is shown. */
static int receive(struct solo__subject *subject, struct solo__server *server, struct solo__message *message, int limit_ms)
{
    bool steps = subject->region->request.mode == SOLO__STEP;
    for (int waited = 0; limit_ms < 0 || waited < limit_ms; waited += TICK_MS) {
        struct pollfd fds[2] = {{server->control_fd, POLLIN, 0}, {steps ? subject->ask_fd : -1, POLLIN, 0}};
        int ready = poll(fds, 2, TICK_MS);
        if (ready > 0 && fds[0].revents != 0) {
            return solo__message_receive(server->control_fd, message, NULL);
        }
        if (ready > 0 && fds[1].revents != 0 && subject->serve(subject->ask_fd, subject) < 0) {
            return -EPROTO;
        }
        solo__subject_tick(subject);
    }
    return -ETIMEDOUT;
}

static int greet(struct solo__subject *subject, struct solo__server *server)
{
    struct solo__message message;
    int result = receive(subject, server, &message, HELLO_MS);
    if (result < 0 || message.kind != SOLO__HELLO) {
        return -EPROTO; /* it ran to its end, or does something else: it does not use the shared libsolo */
    }
    message = (struct solo__message){.magic = SOLO__REGION_MAGIC, .kind = SOLO__SETUP};
    int fds[SOLO__FDS] = {subject->region_fd, subject->output_fd, subject->answer_fd};
    result = solo__message_send(server->control_fd, &message, fds);
    if (result == 0) {
        result = receive(subject, server, &message, HELLO_MS);
    }
    if (result == 0 && message.kind == SOLO__REFUSED) {
        snprintf(subject->why, sizeof subject->why, "%s", message.text);
        return message.result < 0 ? message.result : -EPROTO;
    }
    server->ready = result == 0 && message.kind == SOLO__READY;
    return server->ready ? 0 : -EPROTO;
}

/* A server leaves when its line is closed; anything else is killed. */
static void stop(struct solo__server *server)
{
    if (server->pid <= 0) {
        return;
    }
    close(server->control_fd);
    bool gone = false;
    for (int ms = 0; server->ready && !gone && ms < LEAVE_MS; ms++) {
        gone = waitpid(server->pid, NULL, WNOHANG) != 0;
        (void)poll(NULL, 0, gone ? 0 : 1);
    }
    if (!gone) {
        kill(server->pid, SIGKILL);
        while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    *server = (struct solo__server){0};
}

static int ensure(struct solo__subject *subject, struct solo__server *server, bool other)
{
    if (server->pid > 0) {
        return 0;
    }
    int result = start(subject, server, other);
    if (result == 0) {
        result = greet(subject, server);
    }
    if (result < 0) {
        stop(server);
    }
    return result;
}

/* ---- Schedules ---- */

/* Has the server run one schedule. Negative: the kit's own failure. */
static int request_run(struct solo__subject *subject, struct solo__server *server)
{
    struct solo__message message = {.magic = SOLO__REGION_MAGIC, .kind = SOLO__RUN};
    int result = solo__message_send(server->control_fd, &message, NULL);
    if (result == 0) {
        result = receive(subject, server, &message, -1);
    }
    return result == 0 ? message.result : -EIO;
}

static int run_twin(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    uint32_t count = region->log.answers_count;
    if (region->log.ending == SOLO_ENDING_NONE || region->log.ending == SOLO_ENDING_DIVERGED || count > SOLO__ANSWERS_MAX) {
        return 0;
    }
    int result = ensure(subject, &subject->other_server, true);
    if (result < 0) {
        return result;
    }
    solo__replay_load_answers(&region->twin, region->answers, count);
    struct solo__outcome *saved = malloc(sizeof *saved);
    if (saved == NULL) {
        return -ENOMEM;
    }
    *saved = region->outcome;
    region->request.mode = SOLO__TWIN;
    result = request_run(subject, &subject->other_server);
    region->request.mode = SOLO__EXPLORE;
    region->outcome = *saved;
    free(saved);
    if (result == 0) {
        solo__twin_compare(region);
    }
    return result;
}

/* After a schedule: what it was, and whether it counts. */
static int account(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    const struct solo_strategy *strategy = solo_strategy_find(region->request.strategy, NULL);
    if (!region->outcome.running && strategy->end != NULL) {
        strategy->end(&region->strategy, (int)region->outcome.ending);
    }
    region->ledger.next++;
    if (!solo__ledger_counts(region)) {
        return 0;
    }
    int result = solo__twin_is_due(region, region->outcome.number) ? run_twin(subject) : 0;
    solo__outcome_close(region);
    (void)solo__ledger_account(region);
    region->ledger.stop = region->ledger.killed >= SOLO__KILLED_MAX;
    return result;
}

static int explore(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    int result = ensure(subject, &subject->server, false);
    while (result == 0 && !solo__ledger_is_enough(region)) {
        result = request_run(subject, &subject->server);
        if (result == 0 && !region->ledger.strategy_ended) {
            result = account(subject);
        }
    }
    return result;
}

static int run_one(struct solo__subject *subject)
{
    int result = ensure(subject, &subject->server, false);
    return result == 0 ? request_run(subject, &subject->server) : result;
}

static void finish(struct solo__subject *subject)
{
    stop(&subject->server);
    stop(&subject->other_server);
    if (subject->region_fd >= 0) {
        close(subject->region_fd);
        subject->region_fd = -1;
    }
}

int solo__program_open(struct solo__subject *subject, char *const argv[])
{
    if (argv == NULL || argv[0] == NULL || argv[0][0] == '\0') {
        return -EINVAL;
    }
    subject->argv = argv;
    name_program(argv[0], subject->name);
    subject->finish = finish;
    subject->region = solo__region_create(&subject->region_fd);
    if (subject->region == NULL) {
        return -ENOMEM;
    }
    subject->output_fd = solo__capture_create();
    subject->explore = explore;
    subject->run = run_one;
    return subject->output_fd >= 0 ? 0 : -ENOMEM;
}
