/*
 * crew.c - who of several processes runs which unit, and when the exploration is over.
 *
 * A worker that is done with its unit waits until that is added to the whole, because its region holds what it saw.
 */
#define _GNU_SOURCE
#include "crew.h"
#include "ledger.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum worker_state { IDLE, BUSY, DONE };

struct worker {
    struct solo__subject subject; /* opened here, run there */
    enum worker_state state;
    uint64_t unit;
    pid_t pid; /* 0: not started */
    int fd;    /* the line to it */
};

struct crew {
    struct solo__subject *whole;
    struct solo__crew_plan *plan;
    struct worker *workers;
    unsigned count;
    uint64_t next; /* unit that is given out next */
    int error;
};

struct order {
    uint64_t first, size; /* without padding: it is sent as it lies in memory */
};

/* ---- A worker ---- */

static int run_unit(struct solo__subject *subject, const struct solo__region *whole, const struct order *order)
{
    struct solo__region *region = subject->region;
    size_t state_size = 0;
    (void)solo_strategy_find(whole->request.strategy, &state_size);
    region->request = whole->request;
    region->request.seed += order->first;
    region->request.schedules_max = order->size;
    region->request.distinct_max = 0;
    region->outcome.number = order->first;
    solo__region_clear_ledger(region, (uint64_t)SOLO__UNIT_MAX * 2);
    memcpy(&region->strategy, &whole->strategy, state_size);
    return subject->explore(subject);
}

static void work(struct worker *worker, const struct solo__region *whole)
{
    struct order order;
    while (recv(worker->fd, &order, sizeof order, 0) == sizeof order) {
        int result = run_unit(&worker->subject, whole, &order);
        if (send(worker->fd, &result, sizeof result, MSG_NOSIGNAL) != sizeof result) {
            break;
        }
    }
    solo__subject_finish(&worker->subject);
    solo__process_leave(0);
}

/* ---- Starting and ending them ---- */

static void dismiss(struct worker *worker)
{
    if (worker->pid > 0) {
        close(worker->fd);
        if (worker->state == BUSY) {
            kill(worker->pid, SIGKILL); /* nobody wants its unit any more */
        }
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        worker->pid = 0;
    }
}

static void close_lines(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        close(crew->workers[i].fd);
    }
}

static int start_worker(struct crew *crew)
{
    struct worker *worker = &crew->workers[crew->count];
    int ends[2];
    int result = solo__subject_copy(&worker->subject, crew->whole);
    if (result < 0) {
        return result;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        result = -errno;
        solo__subject_finish(&worker->subject);
        return result;
    }
    fflush(NULL);
    worker->pid = solo__process_fork(NULL);
    if (worker->pid == 0) {
        (void)setpgid(0, 0); /* Ctrl-C is for the parent, which knows what to do */
        close_lines(crew);
        close(ends[0]);
        worker->fd = ends[1];
        work(worker, crew->whole->region);
    }
    close(ends[1]);
    worker->fd = ends[0];
    crew->count++;
    return worker->pid < 0 ? -EAGAIN : 0;
}

static int start(struct crew *crew)
{
    crew->workers = calloc(crew->plan->jobs, sizeof *crew->workers);
    int result = crew->workers != NULL ? 0 : -ENOMEM;
    while (result == 0 && crew->count < crew->plan->jobs) {
        result = start_worker(crew);
    }
    return result;
}

static void end(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        dismiss(&crew->workers[i]);
        solo__subject_finish(&crew->workers[i].subject);
    }
    free(crew->workers);
}

/* ---- Giving out units ---- */

static void send_order(struct crew *crew, struct worker *worker, uint64_t unit, uint32_t size, uint64_t first)
{
    struct order order = {first, size};
    worker->unit = unit;
    worker->state = BUSY;
    if (send(worker->fd, &order, sizeof order, MSG_NOSIGNAL) != sizeof order) {
        crew->error = -EPIPE;
    }
}

static bool was_stopped(const struct crew *crew)
{
    return __atomic_load_n(&crew->whole->region->ledger.asked_to_stop, __ATOMIC_RELAXED) != 0;
}

static void give_out(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count && !was_stopped(crew); i++) {
        uint64_t first;
        uint32_t size = solo__unit_size(&crew->plan->units, crew->next, &first);
        if (crew->workers[i].state == IDLE && size != 0) {
            send_order(crew, &crew->workers[i], crew->next, size, first);
            crew->next++;
        }
    }
}

static struct worker *busy_with(struct crew *crew, uint64_t unit)
{
    for (unsigned i = 0; i < crew->count; i++) {
        if (crew->workers[i].state != IDLE && crew->workers[i].unit == unit) {
            return &crew->workers[i];
        }
    }
    return NULL;
}

/* ---- Putting them together ---- */

/* Adds a unit that is done. Where it has more schedules than wanted, it is run again with fewer. */
static void add_unit(struct crew *crew, struct worker *worker)
{
    struct solo__region *whole = crew->whole->region;
    uint64_t wanted = solo__unit_wanted(whole, worker->subject.region, whole->request.distinct_max);
    if (wanted < worker->subject.region->ledger.schedules) {
        uint64_t first = 0;
        (void)solo__unit_size(&crew->plan->units, worker->unit, &first);
        send_order(crew, worker, worker->unit, (uint32_t)wanted, first);
        return;
    }
    uint32_t known = whole->ledger.defect_count;
    solo__unit_merge(whole, worker->subject.region);
    whole->ledger.stop |= whole->ledger.killed >= SOLO__KILLED_MAX;
    worker->state = IDLE;
    crew->plan->done++;
    if (crew->plan->saved != NULL) {
        bool found = whole->ledger.defect_count != known;
        crew->error = crew->plan->saved(crew->whole, crew->plan, found, crew->plan->arg);
    }
}

static void add_units(struct crew *crew)
{
    struct worker *worker = busy_with(crew, crew->plan->done);
    while (crew->error == 0 && worker != NULL && worker->state == DONE &&
           !solo__ledger_is_enough(crew->whole->region)) {
        add_unit(crew, worker);
        worker = busy_with(crew, crew->plan->done);
    }
}

static void hear(struct crew *crew, struct worker *worker)
{
    int result = -EIO;
    (void)!recv(worker->fd, &result, sizeof result, 0);
    worker->state = DONE;
    if (result < 0 && crew->error == 0) {
        crew->error = result;
        (void)snprintf(crew->whole->why, sizeof crew->whole->why, "one of the processes that share the work failed: %s",
                       result == -EIO ? "it, or the program that it ran, was killed" : solo_error_text(result));
    }
}

static void listen_to_all(struct crew *crew)
{
    struct pollfd fds[SOLO_JOBS_MAX];
    for (unsigned i = 0; i < crew->count; i++) {
        fds[i] = (struct pollfd){crew->workers[i].state == BUSY ? crew->workers[i].fd : -1, POLLIN, 0};
    }
    if (poll(fds, crew->count, 100) <= 0) {
        return;
    }
    for (unsigned i = 0; i < crew->count; i++) {
        if (fds[i].revents != 0) {
            hear(crew, &crew->workers[i]);
        }
    }
}

/* Again and again: a worker that only begins with its unit forgets it. */
static void ask_to_stop(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        struct solo__ledger *ledger = &crew->workers[i].subject.region->ledger;
        __atomic_store_n(&ledger->asked_to_stop, 1, __ATOMIC_RELAXED);
    }
}

/* Asked to stop: whoever is busy ends after the schedule under way, and what was done counts. */
static void add_what_is_there(struct crew *crew)
{
    for (uint64_t unit = crew->plan->done; unit < crew->next && crew->error == 0; unit++) {
        struct worker *worker = busy_with(crew, unit);
        while (worker != NULL && worker->state == BUSY && crew->error == 0) {
            ask_to_stop(crew);
            listen_to_all(crew);
        }
        if (worker != NULL && crew->error == 0) {
            solo__unit_merge(crew->whole->region, worker->subject.region);
            worker->state = IDLE;
        }
    }
}

static bool is_over(const struct crew *crew)
{
    uint64_t first;
    bool none_left = solo__unit_size(&crew->plan->units, crew->plan->done, &first) == 0;
    return crew->error != 0 || none_left || solo__ledger_is_enough(crew->whole->region);
}

int solo__crew_explore(struct solo__subject *whole, struct solo__crew_plan *plan)
{
    struct crew crew = {.whole = whole, .plan = plan, .next = plan->done};
    if (is_over(&crew)) {
        return 0;
    }
    crew.error = start(&crew);
    while (!is_over(&crew)) {
        give_out(&crew);
        listen_to_all(&crew);
        add_units(&crew);
        solo__subject_tick(whole);
    }
    if (crew.error == 0 && was_stopped(&crew)) {
        crew.error = plan->saved != NULL ? plan->saved(whole, plan, true, plan->arg) : 0;
        add_what_is_there(&crew);
    }
    end(&crew);
    return crew.error;
}
