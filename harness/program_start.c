/*
 * program_start.c - starting the program under test as a fork server, in one of three ways, and ending it.
 *
 * Addresses are the same in every start but the OTHER one (where the kernel allows it), because a schedule that depends
 * on them would otherwise not replay.
 */
#define _GNU_SOURCE
#include "program_start.h"
#include "child.h"
#include "process.h"
#include "program_protocol.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELLO_MS = 60000, TICK_MS = 100, LEAVE_MS = 500 };

extern char **environ;

/* ---- Where things are ---- */

void solo__program_name(const char *path, char name[SOLO_SCENARIO_NAME_MAX])
{
    const char *base = strrchr(path, '/');
    base = base != NULL ? base + 1 : path;
    size_t length = 0;
    for (; length < SOLO_SCENARIO_NAME_MAX - 1 && base[length] != '\0'; length++) {
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

/* A library that is loaded into programs: beside the harness library, or where the running command has its own. */
static int find_library(const char *name, char path[SOLO__PATH_MAX], char why[SOLO_EVIDENCE_MAX])
{
    Dl_info info;
    char own[SOLO__PATH_MAX], below[64];
    (void)snprintf(below, sizeof below, "../lib/%s", name);
    if (dladdr((void *)find_library, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, ".so") != NULL &&
        realpath(info.dli_fname, own) != NULL) {
        if (is_beside(own, name, path)) {
            return 0;
        }
    } else {
        ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
        own[length > 0 ? length : 0] = '\0';
        if (is_beside(own, below, path) || is_beside(own, name, path)) {
            return 0;
        }
    }
    (void)snprintf(why, SOLO_EVIDENCE_MAX, "%s, which is loaded into programs, is not beside %.200s", name, own);
    return -ELIBACC;
}

/* ---- Starting ---- */

/* The environment with the ways in, and without those of an outer explorer. */
struct environment {
    char control[32];
    char harness[SOLO__PATH_MAX + 16];
    char tool[1024];
    char preload[2 * SOLO__PATH_MAX];
    char program[SOLO__PATH_MAX + 16];
    char **variables;
    size_t used;
};

static bool starts_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static const char *const replaced[] = {"SOLO_CONTROL=",    "SOLO_HARNESS=", "SOLO_PROGRAM=", "LD_BIND_NOW=",
                                       "MALLOC_PERTURB_=", "ASAN_OPTIONS=", "LD_PRELOAD="};
enum {
    REPLACED_ALWAYS = 3,
    REPLACED_BINDING = REPLACED_ALWAYS,
    REPLACED_OTHER,
    REPLACED_QUIET,
    REPLACED_PLAIN,
    REPLACED = sizeof replaced / sizeof replaced[0]
};

/* AddressSanitizer's options with names switched off, unless the user said something about that. */
static void add_quiet(struct environment *environment)
{
    const char *now = getenv("ASAN_OPTIONS");
    bool said = now != NULL && strstr(now, "symbolize=") != NULL;
    snprintf(environment->tool, sizeof environment->tool, "ASAN_OPTIONS=%s%s%s", now != NULL ? now : "",
             said || now == NULL ? "" : ":", said ? "" : "symbolize=0");
    environment->variables[environment->used++] = environment->tool;
}

/* What is loaded before the program's own libraries, but after its sanitizer, which refuses to come second. */
static int add_preload(struct environment *environment, const char *runtime, const char *library,
                       char why[SOLO_EVIDENCE_MAX])
{
    char path[SOLO__PATH_MAX];
    const char *now = getenv("LD_PRELOAD");
    bool some = now != NULL && now[0] != '\0';
    int found = find_library(library, path, why);
    if (found < 0) {
        return found;
    }
    if (strpbrk(path, " :") != NULL) { /* that is where one library ends for the loader, and no mark takes it back */
        (void)snprintf(why, SOLO_EVIDENCE_MAX,
                       "%.300s cannot be loaded into programs: there is a blank or a colon in its path", path);
        return -ELIBACC;
    }
    snprintf(environment->preload, sizeof environment->preload, "LD_PRELOAD=%s%s%s%s%s", runtime,
             runtime[0] != '\0' ? ":" : "", path, some ? ":" : "", some ? now : "");
    environment->variables[environment->used++] = environment->preload;
    return 0;
}

/* The way into a program that does not use the kit. */
static int add_interposer(struct environment *environment, const struct solo__program_file *file,
                          char why[SOLO_EVIDENCE_MAX])
{
    int found = add_preload(environment, file->runtime, "libsolo-interpose.so", why);
    if (found < 0) {
        return found;
    }
    snprintf(environment->program, sizeof environment->program, "SOLO_PROGRAM=%s", file->path);
    environment->variables[environment->used++] = environment->program;
    environment->variables[environment->used++] = (char *)"LD_BIND_NOW=1"; /* once, not in each schedule's process */
    return 0;
}

static void add_others(struct environment *environment, enum solo__start start, bool is_plain)
{
    bool has_preload = environment->preload[0] != '\0';
    for (size_t i = 0; environ[i] != NULL; i++) {
        unsigned which = 0;
        while (which < REPLACED && !starts_with(environ[i], replaced[which])) {
            which++;
        }
        bool skip = which < REPLACED_ALWAYS || (which == REPLACED_OTHER && start == SOLO__START_OTHER) ||
                    (which == REPLACED_QUIET && start == SOLO__START_QUIET) ||
                    (which == REPLACED_PLAIN && has_preload) || (which == REPLACED_BINDING && is_plain);
        if (!skip) {
            environment->variables[environment->used++] = environ[i];
        }
    }
}

static int make_environment(struct environment *environment, struct solo__subject *subject, int control_fd,
                            enum solo__start start)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char path[SOLO__PATH_MAX];
    int found = find_library("libsolo-inside.so", path, subject->why);
    if (found < 0) {
        return found;
    }
    environment->variables = calloc(count + REPLACED + 2, sizeof *environment->variables);
    if (environment->variables == NULL) {
        return -ENOMEM;
    }
    snprintf(environment->control, sizeof environment->control, "SOLO_CONTROL=%d", control_fd);
    snprintf(environment->harness, sizeof environment->harness, "SOLO_HARNESS=%s", path);
    environment->variables[environment->used++] = environment->control;
    environment->variables[environment->used++] = environment->harness;
    if (start == SOLO__START_OTHER) {
        environment->variables[environment->used++] = "MALLOC_PERTURB_=165";
        environment->variables[environment->used++] = "SOLO_OTHER=0123456789abcdef0123456789abcdef0123456789abcdef";
    } else if (start == SOLO__START_QUIET) {
        add_quiet(environment);
    }
    int added = 0;
    bool is_plain = subject->file.is_plain;
    if (is_plain) {
        added = add_interposer(environment, &subject->file, subject->why);
    } else if (subject->file.takes_preload) { /* without it, what it frees is not heard of, and that is all */
        char why[SOLO_EVIDENCE_MAX];
        (void)add_preload(environment, subject->file.runtime, "libsolo-released.so", why);
    }
    add_others(environment, start, is_plain);
    return added;
}

/*
 * As execvpe, but a file that is no program is refused and not given to a shell. Returns only on failure, with errno:
 * that of the last folder where there was such a file.
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
        int written =
            snprintf(path, sizeof path, "%.*s/%s", length != 0 ? (int)length : 1, length != 0 ? folders : ".", argv[0]);
        if (written > 0 && (size_t)written < sizeof path) {
            execve(path, argv, variables);
            error = errno != ENOENT && errno != ENOTDIR ? errno : error;
        }
        folders += length + (folders[length] == ':');
    }
    errno = error;
}

/* In the forked child: becomes the program, or tells why not. */
static void become_program(char *const argv[], char *const variables[], int control_fd, int output_fd, int error_fd,
                           enum solo__start start)
{
    if (start != SOLO__START_OTHER) {
        int now = personality(0xffffffff);
        (void)personality((unsigned long)now |
                          ADDR_NO_RANDOMIZE); /* may be forbidden: then replays depend on less luck */
    }
    solo__child_redirect(output_fd);
    (void)fcntl(control_fd, F_SETFD, 0);
    (void)setpgid(0, 0); /* what ends or stops the explorer's group is for the explorer: it ends the program */
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

static int start_server(struct solo__subject *subject, struct solo__server *server, enum solo__start start)
{
    int control[2];
    int report[2];
    struct environment environment = {.variables = NULL, .used = 0};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0) {
        return -errno;
    }
    if (pipe2(report, O_CLOEXEC) < 0) {
        close(control[0]);
        close(control[1]);
        return -errno;
    }
    int result = make_environment(&environment, subject, control[1], start);
    fflush(NULL);
    server->pid = result == 0 ? solo__process_fork(NULL) : -1;
    if (server->pid == 0) {
        become_program(subject->argv, environment.variables, control[1], subject->output_fd, report[1], start);
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

int solo__server_receive(struct solo__subject *subject, struct solo__server *server, struct solo__message *message,
                         int limit_ms)
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

/* How long a program may take to get ready: on a machine with much to do, under valgrind, that is long. */
static int patience_ms(const struct solo__subject *subject)
{
    uint64_t watchdog_ms = subject->region->request.watchdog_ns / 1000000;
    return watchdog_ms <= HELLO_MS ? HELLO_MS : watchdog_ms < INT_MAX ? (int)watchdog_ms : INT_MAX;
}

static int receive_soon(struct solo__subject *subject, struct solo__server *server, struct solo__message *message)
{
    int limit_ms = patience_ms(subject);
    int result = solo__server_receive(subject, server, message, limit_ms);
    if (result == -ETIMEDOUT) {
        snprintf(subject->why, sizeof subject->why,
                 "%.200s: was not ready to be explored after %d seconds; --watchdog-s N waits longer", subject->argv[0],
                 limit_ms / 1000);
    }
    return result;
}

static int greet(struct solo__subject *subject, struct solo__server *server)
{
    struct solo__message message;
    int result = receive_soon(subject, server, &message);
    if (result == -ETIMEDOUT) {
        return result;
    }
    if (result < 0 || message.kind != SOLO__HELLO) {
        return -EPROTO; /* it ran to its end, or does something else: it does not use the shared libsolo */
    }
    if (subject->file.uses_kit && message.result < 0) {
        snprintf(
            subject->why, sizeof subject->why,
            "%.200s: is built for ThreadSanitizer, to which its libsolo does not say how work is handed over: link "
            "it with the libsolo that `make FLAVOUR=tsan` builds",
            subject->argv[0]);
        return message.result;
    }
    solo__program_name(message.text, subject->name);
    message = (struct solo__message){.magic = SOLO__REGION_MAGIC, .kind = SOLO__SETUP};
    int fds[SOLO__FDS] = {subject->region_fd, subject->output_fd, subject->answer_fd};
    result = solo__message_send(server->control_fd, &message, fds);
    if (result == 0) {
        result = receive_soon(subject, server, &message);
    }
    if (result == 0 && message.kind == SOLO__REFUSED) {
        snprintf(subject->why, sizeof subject->why, "%s", message.text);
        return message.result < 0 ? message.result : -EPROTO;
    }
    server->ready = result == 0 && message.kind == SOLO__READY;
    return server->ready || result == -ETIMEDOUT ? result : -EPROTO;
}

int solo__server_lost(struct solo__subject *subject, struct solo__server *server)
{
    int status = 0;
    pid_t got = 0;
    for (int ms = 0; got == 0 && ms < LEAVE_MS; ms++) {
        got = waitpid(server->pid, &status, WNOHANG);
        (void)poll(NULL, 0, got == 0 ? 1 : 0);
    }
    if (got == server->pid && WIFSIGNALED(status)) {
        snprintf(subject->why, sizeof subject->why, "%.200s: the process that starts its schedules was killed by SIG%s",
                 subject->argv[0], sigabbrev_np(WTERMSIG(status)) != NULL ? sigabbrev_np(WTERMSIG(status)) : "?");
    } else {
        snprintf(subject->why, sizeof subject->why, "%.200s: the process that starts its schedules has gone",
                 subject->argv[0]);
    }
    if (got == server->pid) {
        close(server->control_fd);
        *server = (struct solo__server){0};
    }
    return -EIO;
}

void solo__server_stop(struct solo__server *server)
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

int solo__server_ensure(struct solo__subject *subject, enum solo__start start)
{
    struct solo__server *server = &subject->servers[start];
    if (server->pid > 0) {
        return 0;
    }
    int result = start_server(subject, server, start);
    if (result == 0) {
        result = greet(subject, server);
    }
    if (result < 0) {
        solo__server_stop(server);
    }
    return result;
}
