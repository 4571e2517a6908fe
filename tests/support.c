/*
 * support.c - small helpers of tests that drive scripts.
 */
#include "support.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void make_folders_of(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0777) < 0 && errno != EEXIST) {
            abort();
        }
        *slash = '/';
    }
}

const char *support_write_file(const char *name, const char *text)
{
    const char *path = runner_scratch_path(name);
    make_folders_of(path);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
    return path;
}

const char *support_write_script(const char *name, const char *text)
{
    const char *path = support_write_file(name, text);
    if (chmod(path, 0755) < 0) {
        abort();
    }
    return path;
}

const char *support_read_file(const char *path)
{
    static char text[256 * 1024];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

void support_shell(struct runner_output *output, const char *format, ...)
{
    char line[8192];
    va_list args;
    va_start(args, format);
    if (vsnprintf(line, sizeof line, format, args) >= (int)sizeof line) {
        abort();
    }
    va_end(args);
    const char *argv[] = {"bash", "-c", line, NULL};
    runner_command(output, argv, NULL);
}

unsigned support_count(const char *text, const char *what)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what)) {
        count++;
    }
    return count;
}
