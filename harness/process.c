/*
 * process.c - starting, watching and ending child processes. This is the one place of the explorer that reads the wall
 * clock, and what it reads decides only whether to kill.
 */
#define _GNU_SOURCE
#include "process.h"
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS_MAX = 100, LAST_WORDS_MS = 300 };
#define STUCK_NS UINT64_C(1500000000) /* that long asleep, all of it: it waits for something that will not come */

#define ABSENCE_NS UINT64_C(1000000000) /* ticks are a tenth of that: whoever looks so late was not there */

uint64_t solo__wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

int solo__process_ask_signal(void)
{
    return SIGRTMAX - 3;
}

pid_t solo__process_fork(int *ret_life_fd)
{
    int line[2] = {-1, -1};
    pid_t parent = getpid();
    if (ret_life_fd != NULL && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) < 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(127);
        }
    }
    if (ret_life_fd != NULL) {
        close(line[pid == 0]);
        *ret_life_fd = line[pid != 0];
        if (pid < 0) {
            close(*ret_life_fd);
        }
    }
    return pid;
}

static bool send_byte(int fd)
{
    return send(fd, "", 1, MSG_NOSIGNAL) == 1;
}

bool solo__process_report(int life_fd)
{
    char byte;
    return send_byte(life_fd) && recv(life_fd, &byte, 1, 0) == 1;
}

bool solo__process_go_on(int life_fd)
{
    return send_byte(life_fd);
}

extern void __gcov_dump(void) __attribute__((weak));

void solo__process_leave(int status)
{
    if (__gcov_dump != NULL) {
        __gcov_dump();
    }
    _exit(status);
}

static bool reap(pid_t pid, struct solo__outcome *outcome, int flags)
{
    int status;
    pid_t got;
    do {
        got = waitpid(pid, &status, flags);
    } while (got < 0 && errno == EINTR);
    if (got == 0) {
        return false;
    }
    outcome->signal = got == pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome->exited = got == pid && WIFEXITED(status);
    outcome->exit_status = outcome->exited ? WEXITSTATUS(status) : 0;
    return true;
}

/* Calls fn for each thread of the process, until it returns false. Returns whether it never did. */
static bool each_thread(pid_t pid, bool (*fn)(pid_t pid, pid_t thread))
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    bool all = threads != NULL;
    const struct dirent *entry;
    while (all && (entry = readdir(threads)) != NULL) {
        pid_t thread = (pid_t)atoi(entry->d_name);
        all = thread <= 0 || fn(pid, thread);
    }
    if (threads != NULL) {
        closedir(threads);
    }
    return all;
}

static bool is_asleep(pid_t pid, pid_t thread)
{
    char path[96], text[512];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    FILE *file = fopen(path, "re");
    size_t size = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    text[size] = '\0';
    const char *state = strrchr(text, ')'); /* the name before it may contain anything */
    return state != NULL && state[1] == ' ' && state[2] == 'S';
}

/* Only the thread whose turn it is will speak. */
static bool ask(pid_t pid, pid_t thread)
{
    (void)syscall(SYS_tgkill, pid, thread, solo__process_ask_signal());
    return true;
}

/* The child hangs: it may say where, and is killed. */
static void put_down(pid_t pid, const struct solo__watch *watch)
{
    struct solo__outcome *outcome = &watch->region->outcome;
    outcome->killed = 1;
    outcome->last_words = 0;
    (void)each_thread(pid, ask);
    for (int ms = 0; ms < LAST_WORDS_MS && !__atomic_load_n(&outcome->last_words, __ATOMIC_ACQUIRE); ms += 5) {
        (void)poll(NULL, 0, 5);
    }
    kill(pid, SIGKILL);
    (void)reap(pid, outcome, 0);
}

static int tick_ms(const struct solo__watch *watch)
{
    uint64_t quarter_ms = watch->watchdog_ns / 4000000;
    return watch->watchdog_ns == 0 || quarter_ms > TICK_MS_MAX ? TICK_MS_MAX : (int)quarter_ms + 1;
}

void solo__patience_begin(struct solo__patience *patience, uint64_t now_ns)
{
    *patience = (struct solo__patience){now_ns, now_ns, now_ns};
}

bool solo__patience_is_over(struct solo__patience *patience, uint64_t now_ns, bool went_on, bool is_awake,
                            uint64_t watchdog_ns)
{
    uint64_t gap_ns = now_ns - patience->looked_ns;
    patience->looked_ns = now_ns;
    if (gap_ns > ABSENCE_NS) { /* the child may have been stopped as well, and has had no chance yet */
        patience->since_ns += gap_ns;
        patience->awake_ns += gap_ns;
    }
    patience->since_ns = went_on ? now_ns : patience->since_ns;
    patience->awake_ns = is_awake ? now_ns : patience->awake_ns;
    return now_ns - patience->awake_ns > STUCK_NS || now_ns - patience->since_ns > watchdog_ns;
}

/* What the child's end of the line does. */
enum line { SILENT, DONE, CLOSED };

static enum line wait_a_little(const struct solo__watch *watch, bool *ret_guest_speaks)
{
    struct pollfd fds[2] = {{watch->life_fd, POLLIN, 0}, {watch->guest_fd, POLLIN, 0}};
    char byte;
    (void)poll(fds, 2, tick_ms(watch));
    *ret_guest_speaks = watch->guest_fd >= 0 && (fds[1].revents & (POLLIN | POLLHUP)) != 0;
    if (fds[0].revents == 0) {
        return SILENT;
    }
    return recv(watch->life_fd, &byte, 1, MSG_DONTWAIT) == 1 ? DONE : CLOSED;
}

bool solo__process_watch(pid_t pid, const struct solo__watch *watch)
{
    struct solo__outcome *outcome = &watch->region->outcome;
    uint64_t number = outcome->number;
    struct solo__patience patience;
    solo__patience_begin(&patience, solo__wall_ns());
    outcome->killed = 0;
    for (;;) {
        bool speaks = false;
        enum line line = wait_a_little(watch, &speaks);
        if (line == DONE) {
            return false;
        }
        /* Asked also while the line is open: a child of the child may hold it. */
        if (reap(pid, outcome, line == CLOSED ? 0 : WNOHANG)) {
            return true;
        }
        if (speaks && watch->serve(watch->guest_fd, watch->arg) < 0) {
            kill(pid, SIGKILL);
            (void)reap(pid, outcome, 0);
            return true;
        }
        uint64_t now_number = __atomic_load_n(&outcome->number, __ATOMIC_RELAXED);
        bool went_on = now_number != number;
        number = now_number;
        if (watch->watchdog_ns != 0 &&
            solo__patience_is_over(&patience, solo__wall_ns(), went_on, went_on || !each_thread(pid, is_asleep),
                                   watch->watchdog_ns)) {
            put_down(pid, watch);
            return true;
        }
        if (watch->tick != NULL) {
            watch->tick(watch->arg);
        }
    }
}
