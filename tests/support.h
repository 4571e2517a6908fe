/*
 * support.h - small helpers of tests that drive scripts. Tests run with the source tree as the current folder.
 */
#ifndef SOLO_TESTS_SUPPORT_H
#define SOLO_TESTS_SUPPORT_H

#include "runner.h"
#include <stdbool.h>
#include <stdio.h>

/* Writes a file below the test's scratch folder, making the folders on the way; returns its path. */
const char *support_write_file(const char *name, const char *text);
/* The same, and it can be executed. */
const char *support_write_script(const char *name, const char *text);
/* The content of a file, terminated; NULL if it cannot be read. Owned by the runner; valid until the next call. */
const char *support_read_file(const char *path);
/* Runs a line of shell. */
void support_shell(struct runner_output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How often `what` is in `text`. */
unsigned support_count(const char *text, const char *what);

#endif
