/*
 * runner_process.c - runs each test in a child of its own, several at a time, and judges how it ended.
 *
 * A child writes its verdict into memory shared with the parent and its output into an unnamed file, then exits the
 * ordinary way, so that leak checkers and coverage get their turn. The parent waits for signals only, never polls, and
 * kills nothing but the process groups it made.
 */
#define _GNU_SOURCE
#include "runner_private.h"
#include <CUnit/TestRun.h>
#include <execinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct runner_verdict *runner_verdict;

struct slot {
    struct runner_test *test; /* NULL: free */
    struct runner_verdict *verdict;
    pid_t pid;
    int output_fd;
    double begun_s;
    bool asked, killed; /* by our watchdog: first to say where it is, then for good */
};

enum { FRAMES_MAX = 64 };
static const double ANSWER_S = 1; /* how long a hung test has to say where it is */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void add_message(struct runner_verdict *verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_message(struct runner_verdict *verdict, const char *format, ...)
{
    size_t used = strlen(verdict->messages), room = sizeof verdict->messages - used;
    if (used > 0 && room > 1) {
        verdict->messages[used++] = '\n';
        verdict->messages[used] = '\0';
        room--;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(verdict->messages + used, room, format, args);
    va_end(args);
}

void runner_skip(const char *reason)
{
    runner_verdict->skipped = reason;
}

/* Runs one test under CUnit and writes down what it asserted. */
static void run_here(struct runner_test *test, struct runner_verdict *verdict)
{
    runner_verdict = verdict;
    runner_scratch_begin(test);
    CU_run_test(test->cunit_suite, test->cunit_test);
    verdict->asserts = CU_get_number_of_asserts();
    for (CU_pFailureRecord record = CU_get_failure_list(); record != NULL; record = record->pNext) {
        add_message(verdict, "%s:%u: %s", record->strFileName, record->uiLineNumber, record->strCondition);
        verdict->asserts_failed++;
    }
    verdict->finished = true;
    runner_verdict = NULL;
    runner_scratch_end();
}

/* How a test stands after its process ended with `status` (of waitpid). */
static void judge(struct runner_test *test, struct runner_verdict *verdict, int status, bool killed)
{
    if (killed) {
        add_message(verdict, "hung: killed after %.3g s", runner_options.timeout_s);
    } else if (WIFSIGNALED(status)) {
        add_message(verdict, "crashed: %s", strsignal(WTERMSIG(status)));
    } else if (!verdict->finished) {
        add_message(verdict, "ended the process with exit status %d", WEXITSTATUS(status));
    } else if (WEXITSTATUS(status) != 0) {
        add_message(verdict, "exit status %d after the test had finished (a leak or race checker?)",
                    WEXITSTATUS(status));
    } else if (verdict->asserts == 0 && verdict->skipped == NULL) {
        add_message(verdict, "made no assertion");
    }
    test->state = RUNNER_PASSED;
    if (verdict->messages[0] != '\0') {
        test->state = RUNNER_FAILED;
        test->messages = strdup(verdict->messages);
    } else if (verdict->skipped != NULL) {
        test->state = RUNNER_SKIPPED;
        test->messages = strdup(verdict->skipped);
    }
    test->asserts = verdict->asserts;
    test->asserts_failed = verdict->asserts_failed;
}

/* The end of what a child printed. */
static char *read_output(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0) {
        return NULL;
    }
    off_t from = size > RUNNER_OUTPUT_MAX ? size - RUNNER_OUTPUT_MAX : 0;
    char *text = calloc(1, (size_t)(size - from) + 1);
    if (text != NULL && pread(fd, text, (size_t)(size - from), from) < 0) {
        text[0] = '\0';
    }
    return text;
}

/* In a hung child: where its main thread is. Not a safe thing to do in a handler, but the child is lost anyway. */
static void say_where(int signal)
{
    static const char title[] = "hung, with the main thread at (addr2line -fe PROGRAM OFFSET tells the line):\n";
    void *frames[FRAMES_MAX];
    (void)signal;
    if (write(STDERR_FILENO, title, sizeof title - 1) > 0) {
        backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
    }
    _exit(1);
}

static void start(struct slot *slot, struct runner_test *test, const sigset_t *child_mask)
{
    memset(slot->verdict, 0, sizeof *slot->verdict);
    slot->output_fd = memfd_create("output", MFD_CLOEXEC);
    fflush(NULL);
    slot->begun_s = now_s();
    slot->pid = fork();
    if (slot->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        dup2(slot->output_fd, STDOUT_FILENO);
        dup2(slot->output_fd, STDERR_FILENO);
        sigprocmask(SIG_SETMASK, child_mask, NULL);
        signal(SIGQUIT, say_where);
        run_here(test, slot->verdict);
        exit(0);
    }
    if (slot->pid < 0 || slot->output_fd < 0) {
        perror("solo-tests: fork");
        exit(125);
    }
    setpgid(slot->pid, slot->pid); /* here too: whichever comes first */
    slot->test = test;
    slot->asked = slot->killed = false;
    test->state = RUNNER_RUNNING;
}

/* Takes the result if the child has ended; what it may have left behind in its group goes with it. */
static bool collect(struct slot *slot)
{
    siginfo_t info = {0};
    int status;
    if (waitid(P_PID, (id_t)slot->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != slot->pid) {
        return false;
    }
    kill(-slot->pid, SIGKILL);
    waitpid(slot->pid, &status, 0);
    slot->test->seconds = now_s() - slot->begun_s;
    slot->test->output = read_output(slot->output_fd);
    close(slot->output_fd);
    judge(slot->test, slot->verdict, status, slot->asked);
    slot->test = NULL;
    return true;
}

/* Kills what ran out of time; returns how long nothing can run out of time. */
static double watch(struct slot *slots, unsigned count)
{
    double next_s = 3600, now = now_s();
    for (unsigned i = 0; i < count; i++) {
        if (slots[i].test == NULL || slots[i].killed) {
            continue;
        }
        double left_s = slots[i].begun_s + runner_options.timeout_s + (slots[i].asked ? ANSWER_S : 0) - now;
        if (left_s <= 0 && slots[i].asked) {
            slots[i].killed = true;
            kill(-slots[i].pid, SIGKILL);
        } else if (left_s <= 0) {
            slots[i].asked = true;
            kill(slots[i].pid, SIGQUIT);
            next_s = next_s < ANSWER_S ? next_s : ANSWER_S;
        } else if (left_s < next_s) {
            next_s = left_s;
        }
    }
    return next_s;
}

static struct slot *make_slots(unsigned count)
{
    struct slot *slots = calloc(count, sizeof *slots);
    for (unsigned i = 0; slots != NULL && i < count; i++) {
        slots[i].verdict =
            mmap(NULL, sizeof *slots[i].verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (slots[i].verdict == MAP_FAILED) {
            slots = NULL;
        }
    }
    if (slots == NULL) {
        fprintf(stderr, "solo-tests: no memory for %u jobs\n", count);
        exit(125);
    }
    return slots;
}

static void run_in_this_process(void (*on_done)(struct runner_test *test))
{
    struct slot *slot = make_slots(1);
    for (unsigned i = 0; i < runner_test_count; i++) {
        struct runner_test *test = &runner_tests[i];
        if (test->selected) {
            memset(slot->verdict, 0, sizeof *slot->verdict);
            slot->begun_s = now_s();
            run_here(test, slot->verdict);
            test->seconds = now_s() - slot->begun_s;
            judge(test, slot->verdict, 0, false);
            on_done(test);
        }
    }
    munmap(slot->verdict, sizeof *slot->verdict);
    free(slot);
}

static struct runner_test *next_selected(unsigned *at)
{
    while (*at < runner_test_count && !runner_tests[*at].selected) {
        (*at)++;
    }
    return *at < runner_test_count ? &runner_tests[*at] : NULL;
}

int runner_run_all(void (*on_done)(struct runner_test *test))
{
    if (!runner_options.fork) {
        run_in_this_process(on_done);
        return 0;
    }
    sigset_t awaited, child_mask;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGTERM);
    sigprocmask(SIG_BLOCK, &awaited, &child_mask);
    struct slot *slots = make_slots(runner_options.jobs);
    unsigned to_start = 0, to_report = 0, running = 0;
    int signal = 0;
    struct runner_test *test;

    while (signal != SIGINT && signal != SIGTERM) {
        for (unsigned i = 0; i < runner_options.jobs; i++) {
            running -= slots[i].test != NULL && collect(&slots[i]);
            if (slots[i].test == NULL && next_selected(&to_start) != NULL) {
                start(&slots[i], &runner_tests[to_start++], &child_mask);
                running++;
            }
        }
        while ((test = next_selected(&to_report)) != NULL && test->state >= RUNNER_PASSED) {
            on_done(test);
            to_report++;
        }
        if (running == 0) {
            break;
        }
        double wait_s = watch(slots, runner_options.jobs);
        struct timespec wait = {(time_t)wait_s, (long)((wait_s - (double)(time_t)wait_s) * 1e9) + 1};
        signal = sigtimedwait(&awaited, NULL, &wait);
    }
    for (unsigned i = 0; i < runner_options.jobs; i++) {
        if (slots[i].test != NULL) {
            kill(-slots[i].pid, SIGKILL);
            waitpid(slots[i].pid, NULL, 0);
        }
        munmap(slots[i].verdict, sizeof *slots[i].verdict);
    }
    free(slots);
    sigprocmask(SIG_SETMASK, &child_mask, NULL);
    return signal == SIGINT || signal == SIGTERM ? -1 : 0;
}
