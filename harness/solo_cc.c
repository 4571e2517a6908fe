/*
 * solo_cc.c - `solo cc`: the compiler, with scheduling points at memory accesses.
 *
 * The compilers put a call before each access for ThreadSanitizer; linked is a small library of our own instead of the
 * detector (harness/access). gcc finds that library where it looks for its own (-B); clang is told to instrument in a
 * way that its linking does not hear of. With --tsan the detector stays, and clang puts calls of another kind before
 * those of the detector.
 */
#define _GNU_SOURCE
#include "access/points.h"
#include "solo_command.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LENGTH_MAX = 4096, OWN_MAX = 80 };

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
           "  --tsan               ThreadSanitizer as well: a data race in an explored schedule is SOLO017 (clang)\n"
           "  --help               this text\n"
           "\n"
           "-g is added; -O0 or -O1 keep accesses apart that -O2 would put together. The program runs by itself as\n"
           "it would have, a little slower. Do not add -fsanitize=thread: --tsan does.\n");
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
        bool is_result = i > 0 && strcmp(argv[i - 1], "-o") == 0;
        if (is_result) {
            continue;
        }
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

struct compilation {
    const char *compiler;
    bool tsan, clang;
    char **arguments; /* for the compiler, of the user */
    char folder[PATH_LENGTH_MAX];
};

struct words {
    char **word;
    size_t count;
};

/* Never returns memory: this process becomes the compiler. */
static void add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&words->word[words->count], format, arguments) >= 0) {
        words->count++;
    }
    va_end(arguments);
}

/* Atomic operations are functions of the detector's: the linker leads those of the program to ours first. */
static void add_wraps(struct words *words)
{
#define WRAP_(bits, type, name) add(words, "-Wl,--wrap=__tsan_atomic%u_%s", bits, #name);
#define WRAPS_(bits, type)                                                                                             \
    WRAP_(bits, type, load)                                                                                            \
    WRAP_(bits, type, store)                                                                                           \
    ACCESS_CHANGES(WRAP_, bits, type)                                                                                  \
    WRAP_(bits, type, compare_exchange_strong)                                                                         \
    WRAP_(bits, type, compare_exchange_weak)                                                                           \
    WRAP_(bits, type, compare_exchange_val)
    ACCESS_SIZES(WRAPS_)
    add(words, "-Wl,--wrap=pthread_once");
    add(words, "-Wl,--wrap=__cxa_guard_acquire");
    add(words, "-Wl,--wrap=__cxa_guard_release");
    add(words, "-Wl,--wrap=__cxa_guard_abort");
}

static void add_tsan(struct words *words, const struct compilation *compilation)
{
    add(words, "-fsanitize=thread");
    add(words, "-fsanitize-coverage=func,trace-loads,trace-stores");
    if (links(compilation->arguments)) {
        add(words, "%s/tsan_points.o", compilation->folder);
        add(words, "%s/tsan_hook.o", compilation->folder);
        add_wraps(words);
    }
}

static int compile(const struct compilation *compilation)
{
    struct words words = {.count = 0};
    unsigned own = 0;
    while (compilation->arguments[own] != NULL) {
        own++;
    }
    words.word = calloc((size_t)own + OWN_MAX, sizeof *words.word);
    if (words.word == NULL) {
        return command_failed("cc", "out of memory");
    }
    add(&words, "%s", compilation->compiler);
    add(&words, "-g");
    if (compilation->tsan) {
        add_tsan(&words, compilation);
    } else if (compilation->clang) {
        add(&words, "-Xclang");
        add(&words, "-fsanitize=thread");
    } else {
        add(&words, "-B%s/", compilation->folder);
        add(&words, "-fsanitize=thread");
    }
    memcpy(words.word + words.count, compilation->arguments, own * sizeof *words.word);
    words.count += own;
    if (!compilation->tsan && links(compilation->arguments)) {
        add(&words, "%s/libtsan.a", compilation->folder);
    }
    execvp(compilation->compiler, words.word);
    return command_wrong("cc", "%s: %s", compilation->compiler, strerror(errno));
}

int command_cc(int argc, char **argv)
{
    static struct compilation compilation;
    int at = 1;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return argc < 2 ? command_wrong("cc", "nothing to compile; see `solo cc --help`") : print_help();
    }
    compilation.compiler = getenv("CC");
    for (; at < argc && (strcmp(argv[at], "--with") == 0 || strcmp(argv[at], "--tsan") == 0); at++) {
        if (strcmp(argv[at], "--tsan") == 0) {
            compilation.tsan = true;
        } else if (at + 1 < argc) {
            compilation.compiler = argv[++at];
        }
    }
    if (at >= argc) {
        return command_wrong("cc", "--with needs a compiler, and that its arguments; see `solo cc --help`");
    }
    compilation.arguments = argv + at;
    if (compilation.compiler == NULL || compilation.compiler[0] == '\0') {
        bool cxx = is_cxx(compilation.arguments);
        compilation.compiler = compilation.tsan ? (cxx ? "clang++" : "clang") : cxx ? "g++" : "gcc";
    }
    const char *slash = strrchr(compilation.compiler, '/');
    compilation.clang = strncmp(slash != NULL ? slash + 1 : compilation.compiler, "clang", 5) == 0;
    if (compilation.tsan && !compilation.clang) {
        return command_wrong("cc", "--tsan needs clang: %s has no calls before each load and store beside the detector",
                             compilation.compiler);
    }
    if (!find_runtime(compilation.folder)) {
        return command_failed("cc", "%s: the library for memory accesses is not there", compilation.folder);
    }
    return compile(&compilation);
}
