/*
 * symbolize.c - from return addresses to functions, files and lines, with gcc's libbacktrace, which reads the debug
 * information of every loaded object once, at the first call; where it knows nothing, dladdr's function, or module and
 * offset.
 *
 * The kit's own frames are known by where its sources lie (this file knows its own name), the C library's by its
 * module.
 */
#define _GNU_SOURCE
#include "symbolize.h"
#include <backtrace.h>
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct backtrace_state *state;
static char working_directory[256]; /* with a slash at the end; "" if unknown */
static char kit_root[256];          /* what kit sources begin with, before "reactor/" and "harness/" */
static const void *c_library;

/*
 * What libbacktrace asks instead of dl_iterate_phdr (harness/module.mk). Not among them are the C library and the
 * dynamic linker: where their debug information is installed, reading it takes longer than all else, and their frames
 * are of no use to anybody.
 */
typedef int (*object_fn)(struct dl_phdr_info *info, size_t size, void *arg);
int solo__symbolize_objects(object_fn fn, void *arg);

struct listing {
    object_fn fn;
    void *arg;
};

static int list_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    const struct listing *listing = arg;
    const char *base = strrchr(info->dlpi_name, '/');
    bool is_system = base != NULL && (strncmp(base, "/libc.so.", 9) == 0 || strncmp(base, "/ld-linux", 9) == 0);
    return is_system ? 0 : listing->fn(info, size, listing->arg);
}

int solo__symbolize_objects(object_fn fn, void *arg)
{
    struct listing listing = {fn, arg};
    return dl_iterate_phdr(list_object, &listing);
}

static void ignore_error(void *arg, const char *message, int error)
{
    (void)arg;
    (void)message;
    (void)error;
}

static int starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* As the program's author wrote it, where its own C++ library is there to say so. */
static void write_name(const char *name, char *buffer, size_t size)
{
    typedef char *(*demangle_fn)(const char *name, char *output, size_t *output_size, int *ret_status);
    demangle_fn demangle = starts_with(name, "_Z") ? (demangle_fn)dlsym(RTLD_DEFAULT, "__cxa_demangle") : NULL;
    char *plain = demangle != NULL ? demangle(name, NULL, NULL, NULL) : NULL;
    (void)snprintf(buffer, size, "%s", plain != NULL ? plain : name);
    free(plain);
}

/* Code of the system's that is in the program all the same, as the headers of C++ put locks and threads there. */
static int is_system_header(const char *file)
{
    return starts_with(file, "/usr/include/") || (strstr(file, "/include/") != NULL && strstr(file, "/c++/") != NULL) ||
           strstr(file, "/libsanitizer/") != NULL;
}

/*
 * Of functions that are inlined in each other: the innermost, but those of the system's headers only if there is no
 * other.
 */
static int keep_first(void *arg, uintptr_t pc, const char *file, int line, const char *function)
{
    struct solo_frame_text *frame = arg;
    (void)pc;
    if (function != NULL) {
        write_name(function, frame->function, sizeof frame->function);
    }
    if (file != NULL) {
        (void)snprintf(frame->file, sizeof frame->file, "%s", file);
        frame->line = line;
    }
    return file == NULL || !is_system_header(file);
}

static void look_up(uintptr_t pc, struct solo_frame_text *frame)
{
    memset(frame, 0, sizeof *frame);
    if (state != NULL) {
        (void)backtrace_pcinfo(state, pc, keep_first, ignore_error, frame);
    }
}

static void set_up(void)
{
    if (getcwd(working_directory, sizeof working_directory - 1) != NULL) {
        strcat(working_directory, "/");
    } else {
        working_directory[0] = '\0';
    }
    state = backtrace_create_state(NULL, 1, ignore_error, NULL);

    struct solo_frame_text here;
    look_up((uintptr_t)&solo_symbolize_stack, &here);
    char *part = strstr(here.file, "harness/symbolize.c");
    if (part != NULL) {
        *part = '\0';
        (void)snprintf(kit_root, sizeof kit_root, "%s", here.file);
    }
    Dl_info info;
    if (dladdr((const void *)(uintptr_t)&gnu_get_libc_version, &info) != 0) { /* nobody intercepts that one */
        c_library = info.dli_fbase;
    }
}

static const char *without_dot(const char *path)
{
    return path + (starts_with(path, "./") ? 2 : 0);
}

static int is_kit_file(const char *file)
{
    const char *root = without_dot(kit_root); /* headers may come without the dot where sources have it */
    const char *rest = without_dot(file);
    if (rest[0] == '\0' || !starts_with(rest, root)) {
        return 0;
    }
    rest = without_dot(rest + strlen(root));
    return starts_with(rest, "reactor/") || starts_with(rest, "harness/");
}

/* The C++ library stands between the program and its threads as the C library does. */
static int is_system_library(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name != NULL ? name + 1 : path;
    return starts_with(name, "libstdc++.so.") || starts_with(name, "libc++.so.") || starts_with(name, "libgcc_s.so.");
}

/* What the program's file begins with is not its author's, and calls main through the C library. */
static int is_start(uintptr_t pc)
{
    enum { START_SIZE = 64 };
    uintptr_t entry = (uintptr_t)getauxval(AT_ENTRY);
    return pc >= entry && pc - entry < START_SIZE;
}

static int is_foreign(uintptr_t pc, const char *file)
{
    Dl_info info;
    return is_system_header(file) || (file[0] == '\0' && is_start(pc)) ||
           (dladdr((const void *)pc, &info) != 0 && (info.dli_fbase == c_library || is_system_library(info.dli_fname)));
}

/* Where frames are not linked, what is found in place of one may be anything. */
static bool is_code(uintptr_t pc)
{
    Dl_info info;
    return dladdr((const void *)pc, &info) != 0;
}

bool solo__symbolize_is_system(uintptr_t pc)
{
    (void)pthread_once(&once, set_up);
    return is_foreign(pc, "");
}

/* "chat+0x1234" */
static void fall_back(uintptr_t pc, struct solo_frame_text *frame)
{
    Dl_info info;
    if (dladdr((const void *)pc, &info) == 0 || info.dli_fname == NULL) {
        (void)snprintf(frame->function, sizeof frame->function, "0x%lx", (unsigned long)pc);
        return;
    }
    if (info.dli_sname != NULL) {
        write_name(info.dli_sname, frame->function, sizeof frame->function);
        return;
    }
    const char *name = strrchr(info.dli_fname, '/');
    (void)snprintf(frame->function, sizeof frame->function, "%.40s+0x%lx", name != NULL ? name + 1 : info.dli_fname,
                   (unsigned long)(pc - (uintptr_t)info.dli_fbase));
}

/* Relative to the working directory where it lies below it, and without "./". */
static void shorten(char *file)
{
    size_t length = strlen(working_directory);
    const char *rest = file;
    if (length > 0 && starts_with(rest, working_directory)) {
        rest += length;
    }
    rest = without_dot(rest);
    memmove(file, rest, strlen(rest) + 1);
}

static void finish(uintptr_t pc, struct solo_frame_text *frame)
{
    if (frame->function[0] == '\0') {
        fall_back(pc, frame);
    }
    shorten(frame->file);
}

size_t solo_symbolize_stack(const struct solo_stack *stack, struct solo_frame_text *frames, size_t max)
{
    if (stack == NULL || frames == NULL || stack->count == 0 || stack->count > SOLO_STACK_MAX) {
        return 0;
    }
    (void)pthread_once(&once, set_up);
    size_t count = 0;
    for (int want_all = 0; count == 0 && want_all < 2; want_all++) {
        for (uint32_t i = 0; i < stack->count && count < max; i++) {
            uintptr_t pc = (uintptr_t)stack->frames[i] - 1; /* inside the call, not after it */
            look_up(pc, &frames[count]);
            bool is_noise = i != 0 && frames[count].file[0] == '\0' && !is_code(pc);
            if (want_all || !(is_noise || is_kit_file(frames[count].file) || is_foreign(pc, frames[count].file))) {
                finish(pc, &frames[count]);
                count++;
            }
        }
    }
    return count;
}

bool solo__symbolize_is_kit(uintptr_t pc)
{
    struct solo_frame_text frame;
    (void)pthread_once(&once, set_up);
    look_up(pc, &frame);
    return is_kit_file(frame.file);
}

bool solo__symbolize_place(const struct solo_stack *stack, struct solo_frame_text *ret_frame)
{
    (void)pthread_once(&once, set_up);
    for (uint32_t i = 0; i < stack->count && i < SOLO_STACK_MAX; i++) {
        uintptr_t pc = (uintptr_t)stack->frames[i] - 1;
        look_up(pc, ret_frame);
        if (ret_frame->file[0] != '\0' && !is_kit_file(ret_frame->file) && !is_foreign(pc, ret_frame->file)) {
            finish(pc, ret_frame);
            return true;
        }
    }
    return false;
}

struct variable {
    uintptr_t address;
    char *buffer;
    size_t size;
    bool found;
};

static void keep_variable(void *arg, uintptr_t pc, const char *name, uintptr_t value, uintptr_t size)
{
    struct variable *variable = arg;
    (void)pc;
    if (name != NULL && size != 0 && variable->address >= value && variable->address - value < size) {
        unsigned long offset = (unsigned long)(variable->address - value);
        char plain[64];
        write_name(name, plain, sizeof plain);
        (void)snprintf(variable->buffer, variable->size, offset != 0 ? "%.40s+%lu" : "%.40s", plain, offset);
        variable->found = true;
    }
}

bool solo__symbolize_variable(const void *address, char *buffer, size_t size)
{
    struct variable variable = {(uintptr_t)address, buffer, size, false};
    (void)pthread_once(&once, set_up);
    if (state != NULL) {
        (void)backtrace_syminfo(state, (uintptr_t)address, keep_variable, ignore_error, &variable);
    }
    return variable.found;
}
