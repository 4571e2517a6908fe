/*
 * solo_doctor.c - `solo doctor`: what works on this machine. What the kit cannot do without decides the exit code;
 * tools that some flavours and bridges use are only said to be there or not.
 */
#define _GNU_SOURCE
#include "solo_command.h"
#include <solo/sim.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>

static const struct option long_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"color", required_argument, NULL, OPTION_COLOUR},
    {NULL, 0, NULL, 0},
};

static int print_help(void)
{
    fputs("usage: solo doctor\n"
          "\n"
          "Tries both carriers, the explorer, the symbolizer and the tools that Solo can use, and says what works.\n"
          "Exit status 3 if something that Solo itself needs does not.\n",
          stdout);
    return EXIT_CLEAN;
}

static bool needed_failed;

static void say(bool works, bool needed, const char *what, const char *detail)
{
    printf("%-8s %-24s %s\n", works ? "ok" : needed ? "FAILED" : "missing", what, detail);
    needed_failed |= needed && !works;
}

/* ---- The simulated world ---- */

struct mini {
    struct solo_mutex *mutex;
    bool locked;
    unsigned count;
};

static void add_three(void *arg)
{
    struct mini *mini = arg;
    for (int i = 0; i < 3; i++) {
        if (mini->locked) {
            (void)solo_mutex_lock(mini->mutex);
        }
        unsigned seen = mini->count;
        solo_yield();
        mini->count = seen + 1;
        if (mini->locked) {
            (void)solo_mutex_unlock(mini->mutex);
        }
    }
}

static void two_adders(void *arg)
{
    struct mini *mini = arg;
    struct solo_thread *threads[2];
    mini->count = 0;
    (void)solo_mutex_create(&mini->mutex);
    for (int i = 0; i < 2; i++) {
        (void)solo_thread_create(add_three, mini, &threads[i]);
    }
    for (int i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

/* The trace hash of one schedule on this carrier, 0 if it cannot be run. */
static uint64_t run_on(enum solo_carrier carrier, uint64_t *ret_steps)
{
    struct solo_sim_options options = {.carrier = carrier};
    struct mini mini = {.locked = true};
    struct solo_sim *sim;
    uint64_t hash = 0;
    if (solo_sim_create(&options, &sim) < 0) {
        return 0;
    }
    if (solo_sim_run(sim, 1, two_adders, &mini) == SOLO_ENDING_RETURNED && mini.count == 6) {
        hash = solo_sim_get_log(sim)->trace_hash;
        *ret_steps = solo_sim_get_log(sim)->events_count;
    }
    solo_sim_destroy(sim);
    return hash;
}

static void check_carriers(void)
{
    char detail[128];
    uint64_t steps = 0;
    uint64_t fiber = run_on(SOLO_CARRIER_FIBER, &steps);
    (void)snprintf(detail, sizeof detail, "%llu steps, trace %016llx", (unsigned long long)steps,
                   (unsigned long long)fiber);
    say(fiber != 0, true, "fiber carrier", detail);
    uint64_t token = run_on(SOLO_CARRIER_TOKEN, &steps);
    (void)snprintf(detail, sizeof detail, "%llu steps, trace %016llx", (unsigned long long)steps,
                   (unsigned long long)token);
    say(token != 0, true, "token carrier", detail);
    say(fiber != 0 && fiber == token, true, "same trace on both", "");
}

static const char *check_count(void *arg)
{
    return ((struct mini *)arg)->count == 6 ? NULL : "an update was lost";
}

/* A planted lost update must be found, and its locked twin must pass. */
static void check_explorer(void)
{
    struct mini mini = {.locked = false};
    struct solo_scenario scenario = {.name = "doctor", .body = two_adders, .invariant = check_count, .arg = &mini};
    struct solo_explore_options options;
    struct solo_report *report = calloc(1, sizeof *report);
    char detail[SOLO_EVIDENCE_MAX + 32];
    solo_explore_defaults(&options);
    options.schedules_max = 200;
    int error = report != NULL ? solo_explore(&scenario, &options, report) : -ENOMEM;
    bool found = error == 0 && report->finding_count == 1;
    (void)snprintf(detail, sizeof detail, "%s", error < 0 ? solo_error_text(error) : report->evidence);
    say(found, true, "finds a lost update", detail);
    mini.locked = true;
    error = report != NULL ? solo_explore(&scenario, &options, report) : -ENOMEM;
    (void)snprintf(detail, sizeof detail, "%s", error < 0 ? solo_error_text(error) : report->evidence);
    say(error == 0 && report->finding_count == 0, true, "passes its locked twin", detail);
    free(report);
}

/* ---- Around it ---- */

static void check_symbolizer(void)
{
    struct solo_stack stack;
    struct solo_frame_text frames[SOLO_DETAIL_FRAMES_MAX];
    char detail[256] = "no debug information";
    stack.count = 1;
    stack.frames[0] = (uint64_t)(uintptr_t)&two_adders + 8;
    size_t count = solo_symbolize_stack(&stack, frames, SOLO_DETAIL_FRAMES_MAX);
    bool works = count > 0 && frames[0].line > 0;
    if (works) {
        (void)snprintf(detail, sizeof detail, "%s at %s:%d", frames[0].function, frames[0].file, (int)frames[0].line);
    }
    say(works, false, "symbolizer", detail);
}

static void check_addresses(void)
{
    int now = personality(0xffffffff);
    bool works = now >= 0 && personality((unsigned long)now | ADDR_NO_RANDOMIZE) >= 0;
    if (works) {
        (void)personality((unsigned long)now);
    }
    say(works, false, "fixed addresses",
        works ? "programs replay at the same addresses"
              : "forbidden here: a schedule that depends on addresses may not replay");
}

/* The first line that a command prints, and whether it ended well. */
static void check_tool(const char *name, const char *command, const char *use)
{
    char line[200] = "", detail[320];
    FILE *output = popen(command, "r");
    bool works = output != NULL && fgets(line, sizeof line, output) != NULL;
    while (output != NULL && getc(output) != EOF) {
    }
    works = output != NULL && pclose(output) == 0 && works;
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(detail, sizeof detail, "%s%s%s", works ? line : "", works ? "; " : "", use);
    say(works, false, name, detail);
}

int command_doctor(int argc, char **argv)
{
    struct command_options options;
    command_defaults(&options);
    int option = command_next_option("doctor", argc, argv, long_options, &options);
    if (option != -1) {
        return option == OPTION_HELP ? print_help() : EXIT_USAGE;
    }
    if (optind < argc) {
        return command_wrong("doctor", "takes no arguments");
    }
    check_carriers();
    check_explorer();
    check_symbolizer();
    check_addresses();
    check_tool("clang", "clang --version 2>&1", "checks contracts when it compiles; ThreadSanitizer, AddressSanitizer");
    check_tool("valgrind", "valgrind --version 2>&1", "helgrind, drd, memcheck");
    printf("%s\n", needed_failed ? "something that Solo needs does not work" : "all that Solo needs works");
    return needed_failed ? EXIT_KIT_FAILED : EXIT_CLEAN;
}
