/*
 * child.c - a process that runs schedules, as seen from its inside.
 *
 * A violation is copied to shared memory when it is made, so a crash right after it loses nothing. A process that gets
 * a deadly signal first writes down where it is ("last words"); then the signal kills it as it would have.
 */
#define _GNU_SOURCE
#include "child.h"
#include "ledger.h"
#include "oracle.h"
#include "process.h"
#include "required.h"
#include "sanitizer/annotate.h"
#include "twin.h"
#include <fcntl.h>
#include <signal.h>
#include <solo/expect.h>
#include <solo/model.h>
#include <solo/sim.h>
#include <solo/thread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>
#include <unwind.h>

static struct solo__region *child_region; /* signal handlers have no argument of ours */
static bool muted;

void solo__child_mute(bool mute)
{
    muted = mute;
}

/* ---- Violations ---- */

static void keep_violation(struct solo__region *region, const struct solo_violation *violation)
{
    struct solo__outcome *outcome = &region->outcome;
    uint32_t slot = outcome->violation_count;
    if (slot < SOLO__VIOLATIONS_MAX) {
        outcome->violations[slot] = *violation;
    }
    outcome->violation_count = slot + 1;
}

/* Not in the sink: a detector may hold its locks there. */
void solo__child_take_details(struct solo__region *region)
{
    struct solo__outcome *outcome = &region->outcome;
    uint32_t kept = outcome->violation_count < SOLO__VIOLATIONS_MAX ? outcome->violation_count : SOLO__VIOLATIONS_MAX;
    for (; region->request.keep_events && outcome->details_taken < kept; outcome->details_taken++) {
        uint32_t slot = outcome->details_taken;
        solo_detail_take(&outcome->details[slot], &outcome->violations[slot], region->events, SOLO__EVENTS_MAX,
                         region->log.events_count);
    }
}

static void sink(const struct solo_violation *violation, void *arg)
{
    if (!muted) {
        SOLO_ANNOTATE_IGNORE_BEGIN();
        keep_violation(arg, violation);
        SOLO_ANNOTATE_IGNORE_END();
    }
}

/* ---- Thread names: known only while the thread is there ---- */

static void learn_name(const struct solo_event *event, void *arg)
{
    struct solo__outcome *outcome = &((struct solo__region *)arg)->outcome;
    if (event->thread >= SOLO_SIM_THREADS_MAX) {
        return;
    }
    char *name = outcome->thread_names[event->thread];
    if (event->thread >= outcome->thread_count || name[0] == '\0' || event->kind == SOLO_PROBE_THREAD_BEGIN) {
        solo_thread_name_of(event->thread, name, SOLO__THREAD_NAME_MAX);
    }
    if (event->thread >= outcome->thread_count) {
        outcome->thread_count = event->thread + 1u;
    }
}

static void watch_order(const struct solo_event *event, void *arg)
{
    if (!muted) {
        solo__order_event(&((struct solo__region *)arg)->order, event);
    }
}

/* ---- Last words ---- */

/* Not backtrace(3): that loads a library the first time, and each child would have a copy of it. */
struct walk {
    uint64_t frames[SOLO_STACK_MAX + 8];
    unsigned count;
};

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    uint64_t address = (uint64_t)_Unwind_GetIP(context);
    if (address == 0) { /* where a thread begins, nobody has called */
        return _URC_END_OF_STACK;
    }
    walk->frames[walk->count++] = address;
    return walk->count < SOLO_STACK_MAX + 8 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* The stack below the signal frame: from the interrupted instruction on. */
static void take_stack(struct solo_stack *stack, const ucontext_t *context)
{
    struct walk walk = {.count = 0};
    (void)_Unwind_Backtrace(note_frame, &walk);
    uint64_t interrupted = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
    unsigned first = 0;
    while (first < walk.count && walk.frames[first] != interrupted) {
        first++;
    }
    first = first < walk.count ? first : 0;
    stack->count = 0;
    for (unsigned i = first; i < walk.count && stack->count < SOLO_STACK_MAX; i++) {
        stack->frames[stack->count++] = walk.frames[i];
    }
}

/* What the oracles found before is true even if the schedule has no end. */
static void keep_last_finding(const struct solo_violation *violation, void *arg)
{
    struct solo__outcome *outcome = &((struct solo__region *)arg)->outcome;
    char known[SOLO__SIGNATURE_MAX], signature[SOLO__SIGNATURE_MAX];
    solo__signature(violation, signature);
    for (uint32_t i = 0; i < outcome->violation_count && i < SOLO__VIOLATIONS_MAX; i++) {
        solo__signature(&outcome->violations[i], known);
        if (strcmp(known, signature) == 0) {
            return;
        }
    }
    keep_violation(arg, violation);
}

/* A thread that has yet to begin belongs to no world: outside of one it is main that does not go on. */
static bool has_to_answer(void)
{
    return solo_model_has_turn() && (solo_sim_current() != NULL || gettid() == getpid());
}

static void on_deadly_signal(int signal, siginfo_t *info, void *context)
{
    static volatile sig_atomic_t again;
    struct solo__outcome *outcome = &child_region->outcome;
    if (signal == solo__process_ask_signal() && !has_to_answer()) {
        return; /* this thread waits for its turn, as it should */
    }
    if (outcome->running && !again) {
        again = 1;
        if (!muted) {
            solo_oracles_die(keep_last_finding, child_region);
        }
        solo_violation_begin(&outcome->dying, SOLO018_MEMORY, NULL);
        take_stack(&outcome->dying.stack, context);
        __atomic_store_n(&outcome->last_words, 1, __ATOMIC_RELEASE);
    }
    if (signal == solo__process_ask_signal()) {
        for (;;) {
            (void)syscall(SYS_pause); /* whoever asked kills; pause itself may be a detector's */
        }
    }
    if (info->si_code <= 0) {
        raise(signal); /* it was sent: once more, now that nobody handles it */
    }
    /* SA_RESETHAND: else the instruction runs again, and now it kills. */
}

static void on_sanitizer_death(void)
{
    struct solo__outcome *outcome = &child_region->outcome;
    if (outcome->running && !outcome->last_words && outcome->violation_count == 0) {
        if (!muted) {
            solo_oracles_die(keep_last_finding, child_region);
        }
        solo_violation_begin(&outcome->dying, SOLO018_MEMORY, NULL);
        snprintf(outcome->dying.text, sizeof outcome->dying.text, "a sanitizer found an error and ended the program");
        __atomic_store_n(&outcome->last_words, 1, __ATOMIC_RELEASE);
    }
}

extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

void solo__child_warm_up(void)
{
    static bool warm; /* also in the children of a process that is */
    char name[SOLO_VIOLATION_NAME_MAX];
    if (warm) {
        return;
    }
    warm = true;
    (void)solo_thread_name(name, sizeof name); /* gives this thread an identity with the bounds of its stack */
}

void solo__child_warm_up_names(void)
{
    static bool warm;
    struct solo_stack stack;
    struct solo_frame_text frame;
    if (!warm) {
        warm = true;
        solo_stack_take(&stack);
        (void)solo_symbolize_stack(&stack, &frame, 1);
    }
}

/*
 * AddressSanitizer takes deadly signals itself and says more about them (sanitizer/hook_asan.c); ThreadSanitizer says
 * less.
 */
#ifdef SOLO_ASAN
enum { DETECTOR_EXPLAINS_SIGNALS = 1 };
#else
enum { DETECTOR_EXPLAINS_SIGNALS = 0 };
#endif

void solo__child_prepare_last_words(struct solo__region *region)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    if (child_region != NULL) {
        return;
    }
    child_region = region;
    solo__child_warm_up();
    size_t size = 128 << 10;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) {
        sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = size}, NULL);
    }
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND};
    action.sa_sigaction = on_deadly_signal;
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        struct sigaction before;
        if (sigaction(deadly[i], NULL, &before) == 0 && (before.sa_handler == SIG_DFL || !DETECTOR_EXPLAINS_SIGNALS)) {
            sigaction(deadly[i], &action, NULL);
        }
    }
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(solo__process_ask_signal(), &action, NULL);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(on_sanitizer_death);
    }
}

void solo__child_prepare(struct solo__region *region)
{
    SOLO_ANNOTATE_PRIVATE(region, sizeof *region); /* threads that pass a token write to it in turn */
    (void)solo_guard_set_policy((enum solo_policy)region->request.policy);
    (void)solo_violation_set_sink(sink, region);
    solo__child_prepare_last_words(region);
    if (region->request.keep_events || region->request.twin_every != 0) {
        (void)solo_probe_subscribe(learn_name, region);
    }
    if (region->request.mode == SOLO__EXPLORE) {
        (void)solo_probe_subscribe(watch_order, region);
    }
}

/* ---- Simulations ---- */

const struct solo_strategy *solo__child_strategy(struct solo__region *region)
{
    switch (region->request.mode) {
    case SOLO__REPLAY: return &solo__strategy_replay;
    case SOLO__STEP: return &solo__strategy_interactive;
    case SOLO__TWIN: return NULL; /* solo__child_create_twin */
    default: return solo_strategy_find(region->request.strategy, NULL);
    }
}

void solo__child_ending(int ending, void *arg)
{
    solo_oracles_end(ending); /* here, because the threads that wait are still there */
    if (!muted) {
        solo__required_take(&((struct solo__region *)arg)->outcome);
        solo__child_take_details(arg);
    }
}

static int create_sim(struct solo__region *region, const struct solo_strategy *strategy, void *state,
                      struct solo_sim_log *log, struct solo_sim **ret_sim)
{
    const struct solo__request *request = &region->request;
    struct solo_sim_options options = {
        .carrier = (enum solo_carrier)request->carrier,
        .strategy = strategy,
        .strategy_state = state,
        .let_time_pass = request->let_time_pass != 0,
        .steps_max = request->steps_max,
        .faults_max = request->faults_max,
        .log = log,
    };
    if (strategy == &solo__strategy_dpor) {
        ((struct solo__dpor_state *)state)->time_may_pass = options.let_time_pass;
    }
    int result = solo_sim_create(&options, ret_sim);
    if (result == 0) {
        solo_sim_set_ending_hook(*ret_sim, solo__child_ending, region);
    }
    return result;
}

int solo__child_create_sim(struct solo__region *region, const struct solo_strategy *strategy, struct solo_sim **ret_sim)
{
    region->log.answers = region->answers;
    region->log.answers_max = SOLO__ANSWERS_MAX;
    region->log.events = region->events;
    region->log.events_max = region->request.keep_events ? SOLO__EVENTS_MAX : 0;
    solo__twin_keep_events(region);
    return strategy != NULL ? create_sim(region, strategy, &region->strategy, &region->log, ret_sim) : -EINVAL;
}

int solo__child_create_twin(struct solo__region *region, struct solo_sim **ret_sim)
{
    region->twin_log.answers = region->twin_answers;
    region->twin_log.answers_max = SOLO__ANSWERS_MAX;
    region->twin_log.events = region->twin_events;
    region->twin_log.events_max = SOLO__TWIN_EVENTS_MAX;
    return create_sim(region, &solo__strategy_replay, &region->twin, &region->twin_log, ret_sim);
}

/* ---- A schedule ---- */

void solo__child_begin(struct solo__region *region)
{
    struct solo__outcome *outcome = &region->outcome;
    outcome->ending = SOLO_ENDING_NONE;
    outcome->diverged_at = 0;
    outcome->signal = 0;
    outcome->exit_status = 0;
    outcome->exited = 0;
    outcome->killed = 0;
    outcome->violation_count = 0;
    outcome->details_taken = 0;
    outcome->last_words = 0;
    outcome->thread_count = 0;
    outcome->counter_count = 0;
    outcome->running = 1;
    __atomic_store_n(&outcome->number, outcome->number + 1, __ATOMIC_RELAXED);
    solo__order_begin(&region->order);
    region->log.answers_count = 0;
    region->log.events_count = 0;
    region->log.deviations = 0;
    region->log.ending = SOLO_ENDING_NONE;
    solo_violation_reset();
    solo_expectations_reset();
    solo_oracles_begin();
    solo_oracles_name_places(region->request.keep_events != 0);
}

void solo__child_end(struct solo__region *region)
{
    region->outcome.ending = region->log.ending;
    region->outcome.running = 0;
}

static uint16_t last_check(const struct solo__region *region)
{
    uint32_t count = region->log.answers_count;
    return count != 0 && count <= SOLO__ANSWERS_MAX ? region->answers[count - 1].check : 0;
}

/* The world is gone: thread names come from what was learned. */
static void name_steps(const struct solo__outcome *outcome, struct solo_detail *detail)
{
    for (uint32_t i = 0; i < detail->step_count && i < SOLO_DETAIL_STEPS_MAX; i++) {
        struct solo_step_text *step = &detail->steps[i];
        if (step->thread < outcome->thread_count && outcome->thread_names[step->thread][0] != '\0') {
            memcpy(step->thread_name, outcome->thread_names[step->thread], sizeof step->thread_name);
        }
    }
}

void solo__child_account_for(struct solo__region *region)
{
    struct solo__outcome *outcome = &region->outcome;
    struct solo__replay_state *replay = &region->strategy.replay;
    if (region->request.mode == SOLO__REPLAY) {
        bool ended = !outcome->running && region->log.ending != SOLO_ENDING_DIVERGED;
        outcome->diverged_at =
            ended ? solo__replay_close(replay, region->log.answers_count, last_check(region)) : replay->diverged_at;
    }
    solo__outcome_close(region);
    uint32_t first = outcome->details_taken;
    solo__child_take_details(region);
    for (uint32_t i = first; i < outcome->details_taken; i++) {
        name_steps(outcome, &outcome->details[i]);
    }
}

/* ---- What it prints ---- */

enum { CAPTURE_MAX = 1 << 20 };

int solo__capture_create(void)
{
    int fd = memfd_create("solo-output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && (ftruncate(fd, CAPTURE_MAX) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void solo__capture_rewind(int fd)
{
    if (fd >= 0) {
        (void)lseek(fd, 0, SEEK_SET);
    }
}

/*
 * The offset is shared with whoever writes: it tells how much was written. Of much both ends are kept: how it began,
 * and what was said before the end.
 */
void solo__capture_read(int fd, char output[SOLO_OUTPUT_MAX])
{
    enum { HEAD = SOLO_OUTPUT_MAX / 2 };
    off_t written = fd >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;
    size_t room = SOLO_OUTPUT_MAX - 1, used = 0;
    if (written > (off_t)room) {
        ssize_t head = pread(fd, output, HEAD, 0);
        used = head > 0 ? (size_t)head : 0;
        used += (size_t)snprintf(output + used, SOLO_OUTPUT_MAX - used, "\n[... cut here ...]\n");
        room -= used;
    }
    size_t size = written > (off_t)room ? room : written > 0 ? (size_t)written : 0;
    ssize_t got = size != 0 ? pread(fd, output + used, size, written - (off_t)size) : 0;
    output[used + (got > 0 ? (size_t)got : 0)] = '\0';
    if (written >= CAPTURE_MAX) { /* and what it said last is not among it */
        static const char rest[] = "\n[... the rest found no room ...]\n";
        memcpy(output + SOLO_OUTPUT_MAX - sizeof rest, rest, sizeof rest);
    }
}

bool solo__child_has_input(void)
{
    struct stat input;
    return fstat(STDIN_FILENO, &input) == 0 && S_ISREG(input.st_mode) && input.st_size != 0 &&
           lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
}

void solo__child_reopen_input(bool empty)
{
    int fd = open(empty ? "/dev/null" : "/proc/self/fd/0", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)dup2(fd, STDIN_FILENO);
        close(fd);
    }
}

void solo__child_redirect(int fd)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    int to = fd >= 0 ? fd : nowhere;
    if (nowhere >= 0 && !solo__child_has_input()) {
        dup2(nowhere, STDIN_FILENO);
    }
    if (to >= 0) {
        dup2(to, STDOUT_FILENO);
        dup2(to, STDERR_FILENO);
    }
    if (nowhere > STDERR_FILENO) {
        close(nowhere);
    }
}
