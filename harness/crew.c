/*
 * crew.c - who of several processes runs which unit, and when the exploration is over.
 *
 * A worker that is done with its unit waits until that is added to the whole, because its region holds what it saw.
 * Parts of a search have no known size. They are run piece by piece: the pieces of the part whose turn it is are added
 * as they come, and what follows them is known to the whole, so that it can be saved; a worker whose part comes later
 * goes ahead for a while. So that nobody has to wait for a long part there are more workers than may be busy.
 */
#define _GNU_SOURCE
#include "crew.h"
#include "crew_worker.h"
#include "ledger.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct crew {
    struct solo__subject *whole;
    struct solo__crew_plan *plan;
    struct solo__crew_worker *workers;
    unsigned count, room;
    uint64_t next; /* unit that is given out next */
    int error;
};

static bool is_search(const struct crew *crew)
{
    return crew->plan->division != NULL;
}

static bool was_stopped(const struct crew *crew)
{
    return __atomic_load_n(&crew->whole->region->ledger.asked_to_stop, __ATOMIC_RELAXED) != 0;
}

static uint64_t own_parts(const struct crew *crew)
{
    return solo__division_own(crew->plan->division);
}

/* ---- Starting and ending workers ---- */

static struct solo__crew_worker *start_worker(struct crew *crew)
{
    struct solo__crew_worker *worker = &crew->workers[crew->count];
    int result = solo__crew_worker_start(worker, crew->whole, crew->plan, crew->workers, crew->count);
    crew->count += worker->pid != 0;
    crew->error = crew->error == 0 ? result : crew->error;
    return result == 0 ? worker : NULL;
}

static int start(struct crew *crew)
{
    crew->room = is_search(crew) ? 2 * crew->plan->jobs + 6 : crew->plan->jobs;
    crew->workers = calloc(crew->room, sizeof *crew->workers);
    if (crew->workers == NULL) {
        return -ENOMEM;
    }
    while (crew->error == 0 && crew->count < crew->plan->jobs) {
        (void)start_worker(crew);
    }
    return crew->error;
}

static void end(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        solo__crew_worker_dismiss(&crew->workers[i]);
    }
    free(crew->workers);
}

/* ---- Giving out units ---- */

static void send_order(struct crew *crew, struct solo__crew_worker *worker, const struct solo__crew_order *order)
{
    if (solo__crew_worker_order(worker, order) < 0) {
        crew->error = -EPIPE;
    }
}

static struct solo__crew_worker *busy_with(struct crew *crew, uint64_t unit)
{
    for (unsigned i = 0; i < crew->count; i++) {
        if (crew->workers[i].state != SOLO__WORKER_IDLE && crew->workers[i].unit == unit) {
            return &crew->workers[i];
        }
    }
    return NULL;
}

static unsigned count_busy(const struct crew *crew)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < crew->count; i++) {
        busy += crew->workers[i].state == SOLO__WORKER_BUSY;
    }
    return busy;
}

/* Schedules of a piece of the part whose turn it is, or of one that comes later. */
static uint64_t piece_of(const struct crew *crew)
{
    const struct solo__region *whole = crew->whole->region;
    uint64_t left = whole->request.schedules_max - whole->ledger.schedules;
    return left < SOLO__CREW_PIECE ? left : SOLO__CREW_PIECE;
}

/* What a worker begins its unit with; false: there is no such unit, or not yet. */
static bool order_for(const struct crew *crew, uint64_t unit, struct solo__crew_order *ret_order)
{
    if (!is_search(crew)) {
        uint64_t first = 0;
        uint32_t size = solo__unit_size(&crew->plan->units, unit, &first);
        *ret_order = (struct solo__crew_order){SOLO__CREW_UNIT, first, size, 0};
        return size != 0;
    }
    uint64_t own = own_parts(crew);
    uint64_t round = unit / own;
    bool is_begun = unit == crew->plan->done && crew->whole->region->ledger.search.part_begun;
    *ret_order =
        (struct solo__crew_order){is_begun ? SOLO__CREW_FRONTIER : SOLO__CREW_PART, unit % own, piece_of(crew), round};
    return round == crew->plan->done / own; /* whether there is another round, this one tells */
}

static struct solo__crew_worker *find_idle(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        if (crew->workers[i].state == SOLO__WORKER_IDLE) {
            return &crew->workers[i];
        }
    }
    return crew->count < crew->room ? start_worker(crew) : NULL;
}

/* Whether a worker whose turn has not come may go on with its part. */
static bool may_go_ahead(const struct crew *crew, const struct solo__crew_worker *worker)
{
    const struct solo__ledger *ledger = &worker->subject.region->ledger;
    const struct solo__request *request = &crew->whole->region->request;
    bool failed = request->stop_at_first && ledger->failing != 0;
    return worker->state == SOLO__WORKER_DONE && !ledger->strategy_ended && !failed &&
           ledger->killed < SOLO__KILLED_MAX && ledger->schedules < request->schedules_max &&
           ledger->schedules < SOLO__CREW_AHEAD_MAX;
}

static void go_ahead(struct crew *crew)
{
    const struct solo__crew_order order = {SOLO__CREW_GO_ON, 0, SOLO__CREW_PIECE, 0};
    for (uint64_t unit = crew->plan->done + 1; unit < crew->next && count_busy(crew) < crew->plan->jobs; unit++) {
        struct solo__crew_worker *worker = busy_with(crew, unit);
        if (worker != NULL && may_go_ahead(crew, worker)) {
            send_order(crew, worker, &order);
        }
    }
}

static void give_out(struct crew *crew)
{
    struct solo__crew_order order;
    if (is_search(crew)) {
        go_ahead(crew);
    }
    while (crew->error == 0 && count_busy(crew) < crew->plan->jobs && !was_stopped(crew) &&
           order_for(crew, crew->next, &order)) {
        struct solo__crew_worker *worker = find_idle(crew);
        if (worker == NULL) {
            return;
        }
        worker->unit = crew->next++;
        send_order(crew, worker, &order);
    }
}

/* ---- Putting them together ---- */

static void note_added(struct crew *crew, uint32_t known)
{
    const struct solo__ledger *ledger = &crew->whole->region->ledger;
    if (crew->plan->saved != NULL && crew->error == 0) {
        bool found = ledger->defect_count != known;
        crew->error = crew->plan->saved(crew->whole, crew->plan, found, crew->plan->arg);
    }
}

/* Adds a unit that is done. Where it has more schedules than wanted, it is run again with fewer. */
static void add_unit(struct crew *crew, struct solo__crew_worker *worker)
{
    struct solo__region *whole = crew->whole->region;
    uint64_t wanted = solo__unit_wanted(whole, worker->subject.region, whole->request.distinct_max);
    if (wanted < worker->subject.region->ledger.schedules) {
        struct solo__crew_order order;
        (void)order_for(crew, worker->unit, &order);
        order.size = wanted;
        send_order(crew, worker, &order);
        return;
    }
    uint32_t known = whole->ledger.defect_count;
    solo__unit_merge(whole, worker->subject.region);
    whole->ledger.stop |= whole->ledger.killed >= SOLO__KILLED_MAX;
    worker->state = SOLO__WORKER_IDLE;
    crew->plan->done++;
    note_added(crew, known);
}

/* The part that was added is over. What comes now: another one, another round, or nothing. */
static void end_part(struct crew *crew, const struct solo__region *part)
{
    struct solo__ledger *ledger = &crew->whole->region->ledger;
    const struct solo__dfs_state *dfs = &part->strategy.dfs;
    bool reduced = crew->plan->division->reduced;
    bool bounded = !reduced && dfs->delay_bound != SOLO_DELAY_UNBOUNDED;
    uint32_t diverged_at = reduced ? part->strategy.dpor.diverged_at : dfs->diverged_at;
    ledger->search.cut |= reduced ? part->strategy.dpor.cut : dfs->cut;
    ledger->search.refused |= bounded ? dfs->refused : 0;
    ledger->search.part_begun = 0;
    crew->plan->done++;
    if (diverged_at != 0) {
        ledger->strategy_ended = 1;
    } else if (crew->plan->done % own_parts(crew) == 0) {
        bool beyond = ledger->search.refused != 0;
        if (beyond && ledger->search.round < dfs->delay_bound) {
            ledger->search.round++;
            ledger->search.refused = 0;
        } else {
            ledger->search.finished = ledger->strategy_ended = 1;
            ledger->search.complete = !beyond;
        }
    }
}

/*
 * Adds what was seen of the part whose turn it is since that was done last, and lets its worker go on. Where that is
 * more than is wanted, it is run again from where the whole is.
 */
static void add_piece(struct crew *crew, struct solo__crew_worker *worker)
{
    struct solo__region *whole = crew->whole->region;
    struct solo__region *part = worker->subject.region;
    struct solo__crew_order order;
    if (part->ledger.schedules > whole->request.schedules_max - whole->ledger.schedules) {
        (void)order_for(crew, worker->unit, &order);
        order.size = whole->request.schedules_max - whole->ledger.schedules;
        send_order(crew, worker, &order);
        return;
    }
    uint32_t known = whole->ledger.defect_count;
    bool ended = part->ledger.strategy_ended != 0;
    part->ledger.strategy_ended = 0; /* of the part, not of the whole */
    solo__unit_merge(whole, part);
    whole->ledger.stop |= whole->ledger.killed >= SOLO__KILLED_MAX;
    if (ended) {
        worker->state = SOLO__WORKER_IDLE;
        end_part(crew, part);
    } else {
        solo__division_copy_state(whole, part);
        whole->ledger.search.part_begun = 1;
        order = (struct solo__crew_order){SOLO__CREW_GO_AHEAD, 0, piece_of(crew), 0};
        if (!solo__ledger_is_enough(whole)) {
            send_order(crew, worker, &order);
        }
    }
    note_added(crew, known);
}

static void add_units(struct crew *crew)
{
    struct solo__crew_worker *worker = busy_with(crew, crew->plan->done);
    while (crew->error == 0 && worker != NULL && worker->state == SOLO__WORKER_DONE &&
           !solo__ledger_is_enough(crew->whole->region)) {
        if (is_search(crew)) {
            add_piece(crew, worker);
        } else {
            add_unit(crew, worker);
        }
        worker = busy_with(crew, crew->plan->done);
    }
}

static void hear(struct crew *crew, struct solo__crew_worker *worker)
{
    int result = solo__crew_worker_hear(worker);
    if (result < 0 && crew->error == 0) {
        crew->error = result;
        (void)snprintf(crew->whole->why, sizeof crew->whole->why, "one of the processes that share the work failed: %s",
                       result == -EIO ? "it, or the program that it ran, was killed" : solo_error_text(result));
    }
}

static void listen_to_all(struct crew *crew)
{
    struct pollfd fds[SOLO__WORKERS_MAX];
    for (unsigned i = 0; i < crew->count; i++) {
        bool busy = crew->workers[i].state == SOLO__WORKER_BUSY;
        fds[i] = (struct pollfd){busy ? crew->workers[i].fd : -1, POLLIN, 0};
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
        struct solo__crew_worker *worker = busy_with(crew, unit);
        while (worker != NULL && worker->state == SOLO__WORKER_BUSY && crew->error == 0) {
            ask_to_stop(crew);
            listen_to_all(crew);
        }
        if (worker != NULL && crew->error == 0) {
            worker->subject.region->ledger.strategy_ended = 0;
            solo__unit_merge(crew->whole->region, worker->subject.region);
            worker->state = SOLO__WORKER_IDLE;
        }
    }
}

static bool is_over(const struct crew *crew)
{
    struct solo__crew_order order;
    bool none_left = is_search(crew) ? own_parts(crew) == 0 : !order_for(crew, crew->plan->done, &order);
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
