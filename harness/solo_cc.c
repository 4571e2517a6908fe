/*
 * solo_cc.c - `solo cc`: the compiler, with scheduling points at memory accesses.
 *
 * The compilers put a call before each access for ThreadSanitizer; linked is a small library of our own instead of the
 * detector (harness/access). gcc finds that library where it looks for its own (-B); clang is told to instrument in a
 * way that its linking does not hear of.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LENGTH_MAX = 4096, OWN_MAX = 16 };

static int print_help(void)
{
    printf("usage: solo cc [--with COMPILER] ARGUMENTS OF THE COMPILER\n"
           "\n"
           "Compiles and links C and C++ so that `solo explore` can switch threads before every load, store and\n"
           "atomic operation, and not only at calls: bugs of unlocked and lock-free code are then reached.\n"
           "\n"
           "  solo cc -o prog prog.c -pthread\n"
           "  solo explore -- ./prog\n"
           "\n"
           "  --with COMPILER      gcc, clang, g++, clang++ or a path (CC; else gcc, and g++ for C++)\n"
           "  --help               this text\n"
           "\n"
           "-g is added; -O0 or -O1 keep accesses apart that -O2 would put together. The program runs by itself as\n"
           "it would have, a little slower. Do not add -fsanitize=thread: for data races, build without `solo cc`.\n");
    return EXIT_CLEAN;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_cxx(char *const argv[])
{
    for (unsigned i = 0; argv[i] != NULL; i++) {
        if (ends_with(argv[i], ".cc") || ends_with(argv[i], ".cpp") || ends_with(argv[i], ".cxx")) {
            return true;
        }
    }
    return false;
}

static bool links(char *const argv[])
{
    for (unsigned i = 0; argv[i] != NULL; i++) {
        if (strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "-S") == 0 || strcmp(argv[i], "-E") == 0) {
            return false;
        }
    }
    return true;
}

/* The folder with libtsan.a, which is ours: beside the command's own libraries. */
static bool find_runtime(char path[PATH_LENGTH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_LENGTH_MAX - 64);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    strcat(path, "/../lib/access");
    return access(path, R_OK) == 0;
}

int command_cc(int argc, char **argv)
{
    static char folder[PATH_LENGTH_MAX], prefix[PATH_LENGTH_MAX + 2], library[PATH_LENGTH_MAX + 16];
    const char *compiler = getenv("CC");
    int at = 1;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return argc < 2 ? command_wrong("cc", "nothing to compile; see `solo cc --help`") : print_help();
    }
    if (strcmp(argv[1], "--with") == 0) {
        if (argc < 4) {
            return command_wrong("cc", "--with needs a compiler and its arguments; see `solo cc --help`");
        }
        compiler = argv[2];
        at = 3;
    }
    if (compiler == NULL || compiler[0] == '\0') {
        compiler = is_cxx(argv + at) ? "g++" : "gcc";
    }
    if (!find_runtime(folder)) {
        return command_failed("cc", "%s: the library for memory accesses is not there", folder);
    }
    const char *name = strrchr(compiler, '/') != NULL ? strrchr(compiler, '/') + 1 : compiler;
    bool clang = strncmp(name, "clang", 5) == 0;
    char **command = calloc((size_t)argc + OWN_MAX, sizeof *command);
    unsigned count = 0;
    if (command == NULL) {
        return command_failed("cc", "out of memory");
    }
    (void)snprintf(prefix, sizeof prefix, "-B%s/", folder);
    (void)snprintf(library, sizeof library, "%s/libtsan.a", folder);
    command[count++] = (char *)(uintptr_t)compiler;
    command[count++] = (char *)"-g";
    if (clang) {
        command[count++] = (char *)"-Xclang";
    } else {
        command[count++] = prefix;
    }
    command[count++] = (char *)"-fsanitize=thread";
    for (; argv[at] != NULL; at++) {
        command[count++] = argv[at];
    }
    if (links(argv)) {
        command[count++] = library;
    }
    execvp(compiler, command);
    int error = errno;
    free(command);
    return command_wrong("cc", "%s: %s", compiler, strerror(error));
}
