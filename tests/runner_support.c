/*
 * runner_support.c - what tests call: paths in the build folder, scratch folders, commands.
 */
#define _GNU_SOURCE
#include "runner_private.h"
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATHS_MAX = 16 };

static char scratch[PATH_MAX]; /* of the running test; "" outside one, and until it is asked for */
static const struct runner_test *scratch_test;

static char *next_path(void)
{
    static char paths[PATHS_MAX][PATH_MAX];
    static unsigned next;
    return paths[next++ % PATHS_MAX];
}

const char *runner_build_path(const char *name)
{
    /* The runner is <build>/bin/solo-tests. */
    char program[PATH_MAX];
    char *path = next_path();
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = '\0';
    for (int levels = 0; levels < 2; levels++) {
        char *slash = strrchr(program, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
    }
    if (snprintf(path, PATH_MAX, "%s/%s", program, name) >= PATH_MAX) {
        abort();
    }
    return path;
}

static int delete_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static void delete_scratch(void)
{
    nftw(scratch, delete_one, 8, FTW_DEPTH | FTW_PHYS);
}

void runner_scratch_begin(const struct runner_test *test)
{
    scratch_test = test;
    scratch[0] = '\0';
}

void runner_scratch_end(void)
{
    if (scratch[0] != '\0') {
        delete_scratch();
    }
    scratch_test = NULL;
    scratch[0] = '\0';
}

const char *runner_scratch_path(const char *name)
{
    char *path = next_path();
    if (scratch[0] == '\0') {
        const char *folder = runner_build_path("scratch");
        mkdir(folder, 0777);
        if (snprintf(scratch, sizeof scratch, "%s/%s.%s", folder, scratch_test->suite, scratch_test->name) >=
            PATH_MAX) {
            abort();
        }
        delete_scratch();
        mkdir(scratch, 0777);
    }
    if (snprintf(path, PATH_MAX, "%s/%s", scratch, name) >= PATH_MAX) {
        abort();
    }
    return path;
}

/* A memory file with this content, read from its start. */
static int memory_file(const char *text)
{
    int fd = memfd_create("command", MFD_CLOEXEC);
    size_t size = strlen(text);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0) {
        abort();
    }
    return fd;
}

void runner_command(struct runner_output *output, const char *const argv[], const char *input)
{
    int input_fd = memory_file(input != NULL ? input : ""), output_fd = memory_file(""), status = 0;
    /* Several processes may write: the kernel keeps the shared offset of a memory file right only when it appends. */
    if (fcntl(output_fd, F_SETFL, O_APPEND) != 0) {
        abort();
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(input_fd, STDIN_FILENO);
        dup2(output_fd, STDOUT_FILENO);
        dup2(output_fd, STDERR_FILENO);
        execvp(argv[0], (char *const *)argv);
        dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerrorname_np(errno));
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        abort();
    }
    output->status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    output->size = (size_t)lseek(output_fd, 0, SEEK_END);
    ssize_t kept = pread(output_fd, output->text, sizeof output->text - 1, 0);
    output->text[kept > 0 ? kept : 0] = '\0';
    close(input_fd);
    close(output_fd);
}
