/*
 * team_coordinator.c - who does what: work comes to the coordinator, goes from there to a worker, and the worker comes
 * back to the coordinator.
 *
 * Every decision is a piece of the coordinator's work, so no two are made at once. No step here can fail, but for
 * finding a worker: then a task waits in the backlog.
 */
#include "team_internal.h"
#include "sanitizer/annotate.h"

/* ---- A task's end ---- */

void solo__task_end(struct solo__task *task, int status)
{
    struct solo_world *world = task->team->object.world;
    uint64_t value = (uint64_t)(int64_t)status;
    solo__argument_forget(world, task->provenance.object);
    if (task->done != NULL) {
        solo__announce(world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_NONE, task->provenance.object, value);
        task->done(status, task->arg);
    } else if (status < 0) {
        solo__announce(world, SOLO_PROBE_CALL_DROPPED, SOLO_ACCESS_NONE, task->provenance.object, value);
    }
    world->memory->release(world, task);
}

static void run_task(struct solo__task *task)
{
    struct solo_world *world = task->team->object.world;
    struct solo_thread *self = solo__self_get();
    const struct solo__provenance *outer_work = self->work; /* a lock worker runs inside other work */
    SOLO_ANNOTATE_HAPPENS_AFTER(task);
    self->work = &task->provenance;
    solo__unit_begin(world, task->provenance.object);
    solo__announce(world, SOLO_PROBE_CALL_BEGUN, SOLO_ACCESS_NONE, task->provenance.object, 0);
    solo__argument_run(world, task->provenance.object);
    task->fn(task->arg);
    solo__announce(world, SOLO_PROBE_CALL_ENDED, SOLO_ACCESS_NONE, task->provenance.object, 0);
    solo__unit_end(world);
    solo__task_end(task, 0);
    self->work = outer_work;
}

/* ---- Lists, with the lock held ---- */

void solo__member_move(struct solo__member *member, struct solo__member **from, struct solo__member **to)
{
    while (*from != NULL && *from != member) {
        from = &(*from)->next;
    }
    if (*from != NULL) {
        *from = member->next;
    }
    member->next = *to;
    *to = member;
}

static void push_backlog(struct solo_team *team, struct solo__task *task)
{
    task->next = NULL;
    *(team->backlog_last != NULL ? &team->backlog_last->next : &team->backlog_first) = task;
    team->backlog_last = task;
    team->backlog_count++;
}

static struct solo__task *pop_backlog(struct solo_team *team)
{
    struct solo__task *task = team->backlog_first;
    if (task != NULL) {
        team->backlog_first = task->next;
        team->backlog_last = task->next != NULL ? team->backlog_last : NULL;
        team->backlog_count--;
    }
    return task;
}

/* A busy member goes elsewhere. What the team is owed is never more than those that are left can pay. */
static void leave_busy(struct solo__member *member, struct solo__member **to)
{
    struct solo_team *team = member->team;
    solo__member_move(member, &team->busy, to);
    team->busy_count--;
    team->owed = team->owed < team->busy_count ? team->owed : team->busy_count;
    team->object.world->threads->wake(team->object.world, &team->gate, true);
}

/* The coordinator has one less to decide about. */
static void decided(struct solo_team *team)
{
    solo__team_enter(team);
    team->asked--;
    team->object.world->threads->wake(team->object.world, &team->gate, true);
    solo__team_leave(team);
}

/* ---- The coordinator's decisions ---- */

static void run_on_worker(struct solo__work *way, int status);
static void come_back(struct solo__work *way, int status);

/* Hands a task to a member that counts as busy. False: its worker has quit behind the team's back; it is retired. */
static bool hand(struct solo__member *member, struct solo__task *task)
{
    struct solo_team *team = member->team;
    member->task = task;
    member->way.serve = run_on_worker;
    if (solo__worker_give(member->worker, &member->way) == 0) {
        return true;
    }
    solo__team_enter(team);
    leave_busy(member, &team->retired);
    solo__team_leave(team);
    return false;
}

/* Takes out the retired that have quit for good, and frees them; else they would pile up until destroy. */
static void reap_retired(struct solo_team *team)
{
    struct solo_world *world = team->object.world;
    solo__team_enter(team);
    struct solo__member *member = team->retired;
    team->retired = NULL;
    solo__team_leave(team);
    while (member != NULL) {
        struct solo__member *next = member->next;
        if (solo__worker_is_over(member->worker)) {
            (void)solo_worker_destroy(member->worker);
            world->memory->release(world, member);
        } else {
            solo__team_enter(team);
            member->next = team->retired;
            team->retired = member;
            solo__team_leave(team);
        }
        member = next;
    }
}

/* One more idle member, or NULL: there can be none now. */
static struct solo__member *add_member(struct solo_team *team)
{
    struct solo_world *world = team->object.world;
    struct solo_worker *worker = NULL;
    reap_retired(team);
    struct solo__member *member = world->memory->allocate(world, sizeof *member);
    if (member == NULL || team->create(team->create_arg, &worker) < 0 || worker == NULL) {
        world->memory->release(world, member);
        return NULL;
    }
    *member = (struct solo__member){.team = team, .worker = worker};
    solo__team_enter(team);
    member->next = team->idle;
    team->idle = member;
    team->idle_count++;
    solo__team_leave(team);
    return member;
}

static struct solo__member *some_idle(struct solo_team *team)
{
    solo__team_enter(team);
    struct solo__member *member = team->idle;
    solo__team_leave(team);
    return member;
}

static bool assign(struct solo__member *member, struct solo__task *task)
{
    struct solo_team *team = member->team;
    solo__team_enter(team);
    solo__member_move(member, &team->idle, &team->busy);
    team->idle_count--;
    team->busy_count++;
    solo__team_leave(team);
    return hand(member, task);
}

/* To an idle worker, else to a new one, else to the backlog. */
static void dispatch(struct solo_team *team, struct solo__task *task)
{
    struct solo__member *member;
    while ((member = some_idle(team)) != NULL) {
        if (assign(member, task)) {
            return;
        }
    }
    member = add_member(team);
    if (member != NULL && assign(member, task)) {
        return;
    }
    solo__team_enter(team);
    push_backlog(team, task);
    solo__team_leave(team);
}

static void retire(struct solo__member *member)
{
    struct solo_team *team = member->team;
    solo__team_enter(team);
    solo__member_move(member, &team->idle, &team->retired);
    team->idle_count--;
    solo__team_leave(team);
    (void)solo_worker_quit(member->worker);
}

struct solo__task *solo__team_next_in_backlog(struct solo_team *team)
{
    solo__team_enter(team);
    struct solo__task *task = pop_backlog(team);
    solo__team_leave(team);
    return task;
}

/* After quit: once nobody is busy nothing more can happen. What is left in the backlog nobody will ever run. */
static void end_if_over(struct solo_team *team)
{
    struct solo__task *task;
    solo__team_enter(team);
    bool over = team->quitting && team->busy_count == 0;
    team->object.world->threads->wake(team->object.world, &team->gate, true);
    solo__team_leave(team);
    if (!over) {
        return;
    }
    while ((task = solo__team_next_in_backlog(team)) != NULL) {
        solo__task_end(task, SOLO_ECLOSING);
    }
    (void)solo_worker_quit(team->coordinator);
}

/* A new member takes from the backlog. */
static void put_to_work(struct solo__member *member)
{
    struct solo_team *team = member->team;
    struct solo__task *task = solo__team_next_in_backlog(team);
    if (task != NULL && !assign(member, task)) {
        dispatch(team, task);
    }
}

int solo__team_ask(struct solo_team *team, struct solo__work *way)
{
    solo__team_enter(team);
    team->asked++;
    solo__team_leave(team);
    int status = solo__worker_give(team->coordinator, way);
    if (status < 0) {
        decided(team);
    }
    return status;
}

void solo__team_coordinate_task(struct solo__work *way, int status)
{
    struct solo__task *task = (struct solo__task *)way;
    struct solo_team *team = task->team;
    if (status < 0) {
        solo__task_end(task, status);
    } else {
        dispatch(team, task);
    }
    decided(team);
}

void solo__team_coordinate_grow(struct solo__work *way, int status)
{
    struct solo__team_request *request = (struct solo__team_request *)way;
    struct solo_team *team = request->team;
    struct solo__member *member;
    solo__team_enter(team);
    team->owed -= request->count < team->owed ? request->count : team->owed;
    solo__team_leave(team);
    for (size_t i = 0; status == 0 && i < request->count && (member = add_member(team)) != NULL; i++) {
        put_to_work(member);
    }
    team->object.world->memory->release(team->object.world, request);
    decided(team);
}

void solo__team_coordinate_shrink(struct solo__work *way, int status)
{
    struct solo__team_request *request = (struct solo__team_request *)way;
    struct solo_team *team = request->team;
    struct solo__member *member;
    while (status == 0 && request->count > 0 && (member = some_idle(team)) != NULL) {
        retire(member);
        request->count--;
    }
    solo__team_enter(team);
    size_t spare = team->busy_count - team->owed;
    team->owed += request->count < spare ? request->count : spare;
    solo__team_leave(team);
    team->object.world->memory->release(team->object.world, request);
    decided(team);
}

void solo__team_coordinate_quit(struct solo__work *way, int status)
{
    struct solo_team *team = (struct solo_team *)((char *)way - offsetof(struct solo_team, quit_way));
    struct solo__member *member;
    if (status < 0) {
        return;
    }
    solo__team_enter(team);
    team->quitting = true;
    bool needs_one = team->backlog_count > 0 && team->busy_count == 0;
    solo__team_leave(team);
    if (needs_one && (member = add_member(team)) != NULL) {
        put_to_work(member);
    }
    while ((member = some_idle(team)) != NULL) {
        retire(member);
    }
    end_if_over(team);
}

/* ---- On a worker, and back ---- */

static void set_runner(struct solo__member *member, struct solo_thread *runner)
{
    solo__team_enter(member->team);
    member->runner = runner;
    solo__team_leave(member->team);
}

static void run_on_worker(struct solo__work *way, int status)
{
    struct solo__member *member = (struct solo__member *)way;
    struct solo_team *team = member->team;
    struct solo__task *task = member->task;
    if (status < 0) { /* a memory worker is destroyed with it */
        solo__task_end(task, status);
        return;
    }
    set_runner(member, solo__self_get());
    run_task(task);
    set_runner(member, NULL);
    member->way.serve = come_back;
    if (solo__worker_give(team->coordinator, &member->way) == 0) {
        return;
    }
    (void)solo_worker_quit(member->worker); /* the coordinator has quit: nobody will call for this one again */
    solo__team_enter(team);
    leave_busy(member, &team->retired);
    solo__team_leave(team);
}

/* A worker takes from the backlog before it pays what the team is owed. */
static void come_back(struct solo__work *way, int status)
{
    struct solo__member *member = (struct solo__member *)way;
    struct solo_team *team = member->team;
    if (status < 0) {
        return;
    }
    solo__team_enter(team);
    struct solo__task *task = pop_backlog(team);
    bool quits = task == NULL && (team->quitting || team->owed > 0);
    if (task == NULL) {
        team->owed -= team->owed > 0;
        leave_busy(member, quits ? &team->retired : &team->idle);
        team->idle_count += !quits;
    }
    solo__team_leave(team);
    if (task != NULL && !hand(member, task)) {
        dispatch(team, task);
    }
    if (quits) {
        (void)solo_worker_quit(member->worker);
    }
    end_if_over(team);
}
