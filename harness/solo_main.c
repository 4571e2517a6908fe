/*
 * solo_main.c - the `solo` command: finds the verb and hands over.
 */
#include "solo_command.h"
#include <errno.h>
#include <fcntl.h>
#include <solo/choice.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    command_verb_fn fn;
    const char *what;
} verbs[] = {
    {"run", command_run, "run a program once, on real sockets or simulated, and report what it does wrong"},
    {"explore", command_explore, "run a program under many schedules; give a token for each defect"},
    {"replay", command_replay, "run the schedule of a token again"},
    {"step", command_step, "be the scheduler: choose who goes next, see why others wait, undo"},
    {"check", command_check, "run the schedule of a token under race detectors and memory checkers too"},
    {"verify", command_verify, "call an extension's entry points where their contracts allow it and where not"},
    {"merge", command_merge, "put the results of shards together"},
    {"cc", command_cc, "compile a program so that threads can be switched at memory accesses"},
    {"explain", command_explain, "say what a finding means, or which thread may call a function"},
    {"doctor", command_doctor, "check what works on this machine"},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void print_help(FILE *out)
{
    fputs("usage: solo VERB [OPTIONS] [--] [PROGRAM [ARGUMENTS]]\n"
          "\n"
          "Solo finds broken threading rules in programs on its reactor, in every schedule it can reach.\n"
          "\n",
          out);
    for (unsigned i = 0; i < VERBS; i++) {
        fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].what);
    }
    fputs("\n"
          "`solo VERB --help` has the options of a verb.\n"
          "Exit status: 0 clean, 1 findings, 2 wrong usage, 3 the kit itself failed.\n",
          out);
}

/* Descriptors 0 to 2 that are closed would be given to sockets and files, and then printed into. */
static void occupy_standard_streams(void)
{
    int fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDONLY);
    }
    if (fd > STDERR_FILENO) {
        close(fd);
    }
}

/* What was not written was not said: a verdict that nobody got is no verdict. */
static int finish(const char *verb, int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return command_failed(verb, "cannot write to standard output: %s", strerror(errno));
    }
    return code;
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return finish("", EXIT_CLEAN);
    }
    if (strcmp(word, "--version") == 0) {
        printf("solo " SOLO_COMMAND_VERSION " (choice schema %d)\n", SOLO_CHOICE_SCHEMA);
        return finish("", EXIT_CLEAN);
    }
    for (unsigned i = 0; i < VERBS; i++) {
        if (strcmp(word, verbs[i].name) == 0) {
            return finish(word, verbs[i].fn(argc - 1, argv + 1));
        }
    }
    if (argc < 2) {
        return command_wrong("", "no verb given; see `solo --help`");
    }
    return command_wrong("", "'%s' is not a verb; see `solo --help`", word);
}
