/* crew_worker.c - starting a worker, what it does with an order, and ending it. */
#define _GNU_SOURCE
#include "crew_worker.h"
#include "division.h"
#include "ledger.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- In the worker ---- */

static int run_unit(struct solo__subject *subject, const struct solo__region *whole,
                    const struct solo__crew_order *order)
{
    struct solo__region *region = subject->region;
    size_t state_size = 0;
    (void)solo_strategy_find(whole->request.strategy, &state_size);
    region->request = whole->request;
    region->request.seed += order->first;
    region->request.schedules_max = order->size;
    region->request.distinct_max = 0;
    region->request.unending_max = order->first == 0 ? whole->request.unending_max : 0; /* of the first ones */
    region->outcome.number = order->first;
    solo__region_clear_ledger(region, (uint64_t)SOLO__UNIT_MAX * 2);
    memcpy(&region->strategy, &whole->strategy, state_size);
    return subject->explore(subject);
}

/* A part of a search, or a piece of one. */
static int run_part(struct solo__subject *subject, const struct solo__region *whole,
                    const struct solo__division *division, const struct solo__crew_order *order)
{
    struct solo__region *region = subject->region;
    region->request = whole->request;
    region->request.comes_in_pieces = 1;
    if (order->kind == SOLO__CREW_GO_ON) {
        int result = solo__ledger_make_room(region, order->size);
        if (result < 0) {
            return result;
        }
    } else {
        solo__region_clear_ledger(region, 2 * order->size);
    }
    if (order->kind == SOLO__CREW_FRONTIER) {
        solo__division_copy_state(region, whole);
    } else if (order->kind == SOLO__CREW_PART) {
        solo__division_begin(division, region, order->first, (uint32_t)order->round);
    }
    if (order->kind == SOLO__CREW_FRONTIER || order->kind == SOLO__CREW_PART) {
        region->outcome.number = order->first; /* or no short part would have a schedule that is run twice */
    }
    region->request.schedules_max = region->ledger.schedules + order->size;
    return subject->explore(subject);
}

static void work(struct solo__crew_worker *worker, const struct solo__region *whole,
                 const struct solo__division *division)
{
    struct solo__crew_order order;
    while (recv(worker->fd, &order, sizeof order, 0) == sizeof order) {
        int result = order.kind == SOLO__CREW_UNIT ? run_unit(&worker->subject, whole, &order)
                                                   : run_part(&worker->subject, whole, division, &order);
        if (send(worker->fd, &result, sizeof result, MSG_NOSIGNAL) != sizeof result) {
            break;
        }
    }
    solo__subject_finish(&worker->subject);
    solo__process_leave(0);
}

/* ---- In the explorer ---- */

int solo__crew_worker_start(struct solo__crew_worker *worker, const struct solo__subject *whole,
                            const struct solo__crew_plan *plan, const struct solo__crew_worker *others,
                            unsigned other_count)
{
    int ends[2];
    int result = solo__subject_copy(&worker->subject, whole);
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
        for (unsigned i = 0; i < other_count; i++) {
            close(others[i].fd);
        }
        close(ends[0]);
        worker->fd = ends[1];
        work(worker, whole->region, plan->division);
    }
    close(ends[1]);
    worker->fd = ends[0];
    return worker->pid < 0 ? -EAGAIN : 0;
}

int solo__crew_worker_order(struct solo__crew_worker *worker, const struct solo__crew_order *order)
{
    worker->state = SOLO__WORKER_BUSY;
    return send(worker->fd, order, sizeof *order, MSG_NOSIGNAL) == sizeof *order ? 0 : -EPIPE;
}

int solo__crew_worker_hear(struct solo__crew_worker *worker)
{
    int result = -EIO;
    (void)!recv(worker->fd, &result, sizeof result, 0);
    worker->state = SOLO__WORKER_DONE;
    return result;
}

void solo__crew_worker_dismiss(struct solo__crew_worker *worker)
{
    if (worker->pid != 0) {
        close(worker->fd);
    }
    if (worker->pid > 0) {
        if (worker->state == SOLO__WORKER_BUSY) {
            kill(worker->pid, SIGKILL); /* nobody wants its unit any more */
        }
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    worker->pid = 0;
    solo__subject_finish(&worker->subject);
}
