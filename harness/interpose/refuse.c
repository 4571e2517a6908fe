/*
 * refuse.c - what cannot be modelled: it is named, and that ends the schedule.
 *
 * A process that forks has two copies of a world in which one thread at a time may run; a signal runs code where no
 * scheduling point is; a connection to another process waits for what no chooser decides.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <solo/sim.h>
#include <solo/violation.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <spawn.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

void interpose_refuse(const char *call, const char *why)
{
    static struct solo_violation violation;
    solo_violation_begin(&violation, SOLO_NO_VIOLATION, NULL);
    snprintf(violation.function, sizeof violation.function, "%s", call != NULL ? call : "");
    snprintf(violation.text, sizeof violation.text, "unmodelled call%s%s%s: %s", call != NULL ? " `" : "",
             call != NULL ? call : "", call != NULL ? "`" : "", why);
    snprintf(violation.help, sizeof violation.help,
             "the schedule ends here, and what would come after is not explored: see docs/concepts/programs.md");
    (void)solo_violation_report(&violation);
    if (solo_model_world() != NULL) {
        solo_sim_end(SOLO_ENDING_UNMODELLED);
    }
    fprintf(stderr, "solo: %s\n", violation.text);
    abort();
}

/* Outside of a schedule it may go on. */
static void refuse_to(struct solo_world *world, const char *call, const char *why)
{
    if (world != NULL) {
        interpose_refuse(call, why);
    }
}

INTERPOSED pid_t fork(void)
{
    refuse_to(WORLD_OF_CALLER(), "fork", "a schedule is one process");
    return NEXT(fork)();
}

INTERPOSED pid_t _Fork(void)
{
    refuse_to(WORLD_OF_CALLER(), "_Fork", "a schedule is one process");
    return NEXT(_Fork)();
}

INTERPOSED int system(const char *command)
{
    refuse_to(WORLD_OF_CALLER(), "system", "a schedule is one process");
    return NEXT(system)(command);
}

INTERPOSED FILE *popen(const char *command, const char *mode)
{
    refuse_to(WORLD_OF_CALLER(), "popen", "a schedule is one process");
    return NEXT(popen)(command, mode);
}

INTERPOSED int posix_spawn(pid_t *restrict pid, const char *restrict path,
                           const posix_spawn_file_actions_t *restrict actions,
                           const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                           char *const variables[restrict])
{
    refuse_to(WORLD_OF_CALLER(), "posix_spawn", "a schedule is one process");
    return NEXT(posix_spawn)(pid, path, actions, attributes, argv, variables);
}

INTERPOSED int posix_spawnp(pid_t *restrict pid, const char *restrict path,
                            const posix_spawn_file_actions_t *restrict actions,
                            const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                            char *const variables[restrict])
{
    refuse_to(WORLD_OF_CALLER(), "posix_spawnp", "a schedule is one process");
    return NEXT(posix_spawnp)(pid, path, actions, attributes, argv, variables);
}

INTERPOSED int execve(const char *path, char *const argv[], char *const variables[])
{
    refuse_to(WORLD_OF_CALLER(), "execve", "a schedule ends with the program that it began with");
    return NEXT(execve)(path, argv, variables);
}

INTERPOSED int execv(const char *path, char *const argv[])
{
    refuse_to(WORLD_OF_CALLER(), "execv", "a schedule ends with the program that it began with");
    return NEXT(execv)(path, argv);
}

INTERPOSED int execvp(const char *path, char *const argv[])
{
    refuse_to(WORLD_OF_CALLER(), "execvp", "a schedule ends with the program that it began with");
    return NEXT(execvp)(path, argv);
}

INTERPOSED int execvpe(const char *path, char *const argv[], char *const variables[])
{
    refuse_to(WORLD_OF_CALLER(), "execvpe", "a schedule ends with the program that it began with");
    return NEXT(execvpe)(path, argv, variables);
}

/* The C library's functions of a list call execve past the table of symbols. */
enum { EXEC_ARGUMENTS_MAX = 1024 };

static bool list_arguments(const char *first, va_list rest, char *arguments[EXEC_ARGUMENTS_MAX])
{
    size_t count = 0;
    for (const char *argument = first; argument != NULL; argument = va_arg(rest, const char *)) {
        if (count + 1 == EXEC_ARGUMENTS_MAX) {
            errno = E2BIG;
            return false;
        }
        arguments[count++] = (char *)argument;
    }
    arguments[count] = NULL;
    return true;
}

INTERPOSED int execl(const char *path, const char *first, ...)
{
    char *arguments[EXEC_ARGUMENTS_MAX];
    va_list rest;
    refuse_to(WORLD_OF_CALLER(), "execl", "a schedule ends with the program that it began with");
    va_start(rest, first);
    bool listed = list_arguments(first, rest, arguments);
    va_end(rest);
    return listed ? NEXT(execv)(path, arguments) : -1;
}

INTERPOSED int execlp(const char *path, const char *first, ...)
{
    char *arguments[EXEC_ARGUMENTS_MAX];
    va_list rest;
    refuse_to(WORLD_OF_CALLER(), "execlp", "a schedule ends with the program that it began with");
    va_start(rest, first);
    bool listed = list_arguments(first, rest, arguments);
    va_end(rest);
    return listed ? NEXT(execvp)(path, arguments) : -1;
}

INTERPOSED int execle(const char *path, const char *first, ...)
{
    char *arguments[EXEC_ARGUMENTS_MAX];
    va_list rest;
    refuse_to(WORLD_OF_CALLER(), "execle", "a schedule ends with the program that it began with");
    va_start(rest, first);
    bool listed = list_arguments(first, rest, arguments);
    char *const *variables = listed ? va_arg(rest, char *const *) : NULL;
    va_end(rest);
    return listed ? NEXT(execve)(path, arguments, variables) : -1;
}

INTERPOSED int fexecve(int fd, char *const argv[], char *const variables[])
{
    refuse_to(WORLD_OF_CALLER(), "fexecve", "a schedule ends with the program that it began with");
    return NEXT(fexecve)(fd, argv, variables);
}

INTERPOSED int pthread_cancel(pthread_t thread)
{
    refuse_to(WORLD_OF_CALLER(), "pthread_cancel", "a thread cannot be ended from outside");
    return NEXT(pthread_cancel)(thread);
}

INTERPOSED int sigwait(const sigset_t *restrict set, int *restrict ret_signal)
{
    refuse_to(WORLD_OF_CALLER(), "sigwait", "signals come from outside the schedule");
    return NEXT(sigwait)(set, ret_signal);
}

INTERPOSED int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    refuse_to(WORLD_OF_CALLER(), "sigwaitinfo", "signals come from outside the schedule");
    return NEXT(sigwaitinfo)(set, info);
}

INTERPOSED int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                            const struct timespec *restrict limit)
{
    refuse_to(WORLD_OF_CALLER(), "sigtimedwait", "signals come from outside the schedule");
    return NEXT(sigtimedwait)(set, info, limit);
}

INTERPOSED int sigsuspend(const sigset_t *set)
{
    refuse_to(WORLD_OF_CALLER(), "sigsuspend", "signals come from outside the schedule");
    return NEXT(sigsuspend)(set);
}

INTERPOSED int pause(void)
{
    refuse_to(WORLD_OF_CALLER(), "pause", "signals come from outside the schedule");
    return NEXT(pause)();
}

INTERPOSED unsigned alarm(unsigned seconds)
{
    refuse_to(WORLD_OF_CALLER(), "alarm", "a signal would come in real time");
    return NEXT(alarm)(seconds);
}

INTERPOSED int setitimer(__itimer_which_t which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
    refuse_to(WORLD_OF_CALLER(), "setitimer", "a signal would come in real time");
    return NEXT(setitimer)(which, value, old);
}

INTERPOSED int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict timer)
{
    refuse_to(WORLD_OF_CALLER(), "timer_create", "a signal would come in real time");
    return NEXT(timer_create)(clock, event, timer);
}

INTERPOSED int signalfd(int fd, const sigset_t *set, int flags)
{
    refuse_to(WORLD_OF_CALLER(), "signalfd", "signals come from outside the schedule");
    return NEXT(signalfd)(fd, set, flags);
}

/* The process has two stacks in one frame: a function of ours in between could not return. */
INTERPOSED pid_t vfork(void)
{
    refuse_to(WORLD_OF_CALLER(), "vfork", "a schedule is one process");
    return NEXT(fork)();
}

/* A question whether the thread is there can be answered. */
INTERPOSED int pthread_kill(pthread_t thread, int signal)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world != NULL && signal != 0 && !pthread_equal(thread, pthread_self())) {
        interpose_refuse("pthread_kill", "a signal would interrupt a thread where no scheduling point is");
    }
    return NEXT(pthread_kill)(thread, signal);
}

/* Leaving without exit handlers is an end of the program like any other. */
INTERPOSED void _exit(int status)
{
    if (WORLD_OF_CALLER() != NULL) {
        solo_model_exit(status);
    }
    NEXT(_exit)(status);
    __builtin_unreachable();
}

INTERPOSED void _Exit(int status)
{
    if (WORLD_OF_CALLER() != NULL) {
        solo_model_exit(status);
    }
    NEXT(_Exit)(status);
    __builtin_unreachable();
}

static int quick_status;

/* The first handler that was registered, so the last that runs. */
static void leave_quickly(void)
{
    if (solo_model_world() != NULL) {
        solo_model_exit(quick_status);
    }
}

void interpose_leave_quickly(void)
{
    (void)at_quick_exit(leave_quickly);
}

INTERPOSED void quick_exit(int status)
{
    if (WORLD_OF_CALLER() != NULL) {
        quick_status = status;
    }
    NEXT(quick_exit)(status);
    __builtin_unreachable();
}
