/* program_children.c - program_children.h, over process.h. */
#define _GNU_SOURCE
#include "program_children.h"
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEAVING_MAX = 4 };

static int control;
static int own_line = -1; /* of each child */
static int open_lines[2] = {-1, -1};
static pid_t leaving[LEAVING_MAX]; /* they have said that they are done; 0: free */
static unsigned leaving_next;

void solo__children_begin(int control_fd)
{
    control = control_fd;
    own_line = fcntl(control_fd, F_DUPFD_CLOEXEC, 0); /* nothing is read from it: it keeps the place */
}

static void note_line(int line)
{
    open_lines[open_lines[0] >= 0] = line;
}

static void forget_line(int line)
{
    open_lines[open_lines[0] != line] = -1;
    close(line);
}

/* In the child: only its own line is left of the server's descriptors, and it is where it always is. */
static void move_in(int line)
{
    dup3(line, own_line, O_CLOEXEC);
    close(line);
    close(control);
    for (unsigned i = 0; i < 2; i++) {
        if (open_lines[i] >= 0) {
            close(open_lines[i]);
        }
    }
}

bool solo__children_fork(struct solo__child *ret_child)
{
    char byte;
    ret_child->pid = solo__process_fork(&ret_child->line);
    if (ret_child->pid > 0) {
        note_line(ret_child->line);
    }
    if (ret_child->pid != 0) {
        return false;
    }
    move_in(ret_child->line);
    if (recv(own_line, &byte, 1, 0) != 1) {
        _exit(0); /* nobody needs it; no tool has anything to say of it either */
    }
    return true;
}

bool solo__children_let_go(const struct solo__child *child)
{
    return solo__process_go_on(child->line);
}

/* It ends by itself. There are never many of them: the oldest has had the time of several schedules. */
static void let_leave(pid_t pid)
{
    pid_t *oldest = &leaving[leaving_next++ % LEAVING_MAX];
    while (*oldest != 0 && waitpid(*oldest, NULL, 0) < 0 && errno == EINTR) {
    }
    *oldest = pid;
}

void solo__children_watch(struct solo__child *child, struct solo__region *region, uint64_t watchdog_ns)
{
    struct solo__watch watch = {.region = region, .watchdog_ns = watchdog_ns, .life_fd = child->line, .guest_fd = -1};
    if (!solo__process_watch(child->pid, &watch)) {
        let_leave(child->pid);
    }
    forget_line(child->line);
    child->pid = 0;
}

void solo__children_drop(struct solo__child *child)
{
    if (child->pid > 0) {
        forget_line(child->line);
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        child->pid = 0;
    }
}

void solo__children_say_done(int status)
{
    (void)solo__process_go_on(own_line);
    solo__process_leave(status);
}
