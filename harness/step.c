/*
 * step.c - somebody outside answers the choices of a schedule.
 *
 * The child writes the question to the region, sends one byte and waits for the answer; the explorer's process calls
 * the user's function. Undo ends the run and begins another, in which the answers that remain are given without asking.
 */
#include "step.h"
#include <errno.h>
#include <solo/thread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- In the child ---- */

static struct solo__region *asking_region;
static int asking_fd = -1;

static void describe(const struct solo_choice *choice, const struct solo_option *option, char *text, size_t size)
{
    char thread[SOLO_VIOLATION_NAME_MAX];
    char object[SOLO_VIOLATION_NAME_MAX];
    solo_thread_name_of(option->thread, thread, sizeof thread);
    solo_object_name(option->object, object, sizeof object);
    if (option->tag == SOLO_TAG_TIME && choice->kind == SOLO_CHOICE_THREAD) {
        snprintf(text, size, "let time pass to the next deadline");
    } else if (choice->kind == SOLO_CHOICE_THREAD || choice->kind == SOLO_CHOICE_WAITER) {
        snprintf(text, size, "%.32s: %s%s%.40s", thread, solo_probe_kind_text(option->operation),
                 option->object != 0 ? " " : "", option->object != 0 ? object : "");
    } else if (choice->kind == SOLO_CHOICE_FAULT) {
        snprintf(text, size, "%s", option == choice->options[0] ? "no fault" : "fault");
    } else if (choice->kind == SOLO_CHOICE_CHUNK) {
        snprintf(text, size, "%u byte%s", (unsigned)option->tag, option->tag == 1 ? "" : "s");
    } else {
        snprintf(text, size, "%.40s", option->object != 0 ? object : thread);
    }
}

static void pose(struct solo__question *question, const struct solo_choice *choice)
{
    question->kind = choice->kind;
    question->thread = choice->thread;
    question->index = choice->index;
    question->step = choice->step;
    question->now_ns = asking_region->log.now_ns;
    question->option_count = (uint32_t)(choice->count < SOLO_STEP_OPTIONS_MAX ? choice->count : SOLO_STEP_OPTIONS_MAX);
    for (uint32_t i = 0; i < question->option_count; i++) {
        question->options[i].option = *choice->options[i];
        describe(choice, choice->options[i], question->options[i].text, sizeof question->options[i].text);
    }
    bool deadlock = false;
    size_t waiters = solo_sim_waiters(question->waiters, SOLO_WAITERS_MAX, &deadlock);
    question->waiter_count = (uint32_t)(waiters < SOLO_WAITERS_MAX ? waiters : SOLO_WAITERS_MAX);
}

static size_t ask(const struct solo_choice *choice, void *arg)
{
    (void)arg;
    pose(&asking_region->question, choice);
    char byte = '?';
    int32_t answer = -1;
    if (send(asking_fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(asking_fd, &answer, sizeof answer, 0) != sizeof answer) {
        return SIZE_MAX;
    }
    return answer >= 0 ? (size_t)answer : SIZE_MAX;
}

void solo__step_listen(struct solo__region *region, int fd)
{
    if (region->request.mode == SOLO__STEP) {
        asking_region = region;
        asking_fd = fd;
        solo__interactive_set_ask(ask, NULL);
    }
}

/* ---- In the explorer ---- */

struct stepping {
    struct solo__subject *subject;
    solo_step_fn step;
    void *arg;
    bool plainly; /* answer 0 from here on */
    bool undo;
};

static long put_to_user(struct stepping *stepping)
{
    const struct solo__region *region = stepping->subject->region;
    const struct solo__question *question = &region->question;
    uint64_t events = region->log.events_count;
    struct solo_trace trace = {
        .scenario = stepping->subject->name,
        .events = region->events,
        .count = events < SOLO__EVENTS_MAX ? (size_t)events : 0,
        .left_out = events < SOLO__EVENTS_MAX ? 0 : events,
        .thread_names = (const char(*)[SOLO_TRACE_NAME_MAX])region->outcome.thread_names,
        .thread_count = region->outcome.thread_count,
        .hash = region->log.trace_hash,
    };
    struct solo_step_view view = {
        .kind = (enum solo_choice_kind)question->kind,
        .index = question->index,
        .step = question->step,
        .now_ns = question->now_ns,
        .thread = question->thread < SOLO_SIM_THREADS_MAX ? region->outcome.thread_names[question->thread] : "?",
        .options = question->options,
        .option_count = question->option_count,
        .waiters = question->waiters,
        .waiter_count = question->waiter_count,
        .trace = &trace,
    };
    return stepping->step(&view, stepping->arg);
}

static int32_t decide(struct stepping *stepping)
{
    const struct solo__question *question = &stepping->subject->region->question;
    while (!stepping->plainly) {
        long answer = put_to_user(stepping);
        if (answer >= 0 && answer < (long)question->option_count) {
            return (int32_t)answer;
        }
        if (answer == SOLO_STEP_PLAIN) {
            stepping->plainly = true;
        } else if (answer == SOLO_STEP_UNDO && question->index == 0) {
            continue;
        } else {
            stepping->undo = answer == SOLO_STEP_UNDO;
            return -1;
        }
    }
    return 0;
}

static int serve(int fd, void *arg)
{
    struct solo__subject *subject = arg;
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    if (got != 1) {
        return got < 0 && errno == EAGAIN ? 0 : -EPIPE;
    }
    int32_t answer = decide(subject->serve_arg);
    return send(fd, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer ? 0 : -EPIPE;
}

int solo__step_run(struct solo__subject *subject, solo_step_fn step, void *arg)
{
    struct solo__interactive_state *state = &subject->region->strategy.interactive;
    struct stepping stepping = {.subject = subject, .step = step, .arg = arg};
    int ends[2];
    if (subject->ask_fd < 0) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
            return -errno;
        }
        subject->ask_fd = ends[0];
        subject->answer_fd = ends[1];
    }
    subject->serve = serve;
    subject->serve_arg = &stepping;
    state->given = 0;
    int result;
    do {
        stepping.undo = false;
        state->stopped = 0;
        result = subject->run(subject);
        if (stepping.undo && state->given > 0) {
            state->given--;
        }
    } while (result == 0 && stepping.undo);
    return result;
}
