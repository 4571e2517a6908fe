/*
 * team.c - work goes to the coordinator, from there to a worker, and the worker goes back to the coordinator.
 *
 * Every decision is a piece of the coordinator's work, so no two are made at once. `lock` guards the counters and lists
 * only because other threads read them: statistics, and destroy, which waits. Nothing is called while it is held.
 *
 * Memory is taken when something is accepted: a task carries its way to the coordinator, a member its way to its worker
 * and back, the team that of quit. So no step after acceptance can fail, but for finding a worker: then a task waits in
 * the backlog.
 */
#include "guard.h"
#include "worker_internal.h"
#include "sanitizer/annotate.h"
#include <solo/team.h>
#include <stddef.h>

struct task {
    struct solo__work way; /* first: to the coordinator */
    struct solo_team *team;
    struct task *next; /* in the backlog */
    solo_call_fn fn;
    solo_done_fn done; /* may be NULL */
    void *arg;
    struct solo__provenance provenance;
};

struct member {
    struct solo__work way; /* first: to its worker, and back to the coordinator */
    struct solo_team *team;
    struct solo_worker *worker;
    struct task *task;          /* while it is busy; not valid on its way back */
    struct member *next;        /* among the idle, the busy or the retired */
    struct solo_thread *runner; /* who runs its task now; under the lock */
};

struct request {
    struct solo__work way; /* first */
    struct solo_team *team;
    size_t count;
};

struct solo_team {
    struct solo__object object;
    struct solo_worker *coordinator;
    solo_create_worker_fn create;
    void *create_arg;
    struct solo__work quit_way;

    struct solo_lock lock; /* guards what follows */
    struct solo_gate gate; /* destroy waits here */
    bool has_quit;         /* quit was called */
    bool quitting;         /* the coordinator knows */
    size_t idle_count, busy_count, backlog_count;
    size_t asked; /* tasks and requests that the coordinator has and has not decided about */
    size_t owed;  /* how many busy workers shall still quit; never more than are busy */
    struct member *idle, *busy, *retired;
    struct task *backlog_first, *backlog_last;
};

static void enter(struct solo_team *team)
{
    team->object.world->threads->enter(team->object.world, &team->lock);
}

static void leave(struct solo_team *team)
{
    team->object.world->threads->leave(team->object.world, &team->lock);
}

/* ---- A task's end ---- */

static void end_task(struct task *task, int status)
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

static void run_task(struct task *task)
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
    end_task(task, 0);
    self->work = outer_work;
}

/* ---- Lists, with the lock held ---- */

static void move(struct member *member, struct member **from, struct member **to)
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

static void push_backlog(struct solo_team *team, struct task *task)
{
    task->next = NULL;
    *(team->backlog_last != NULL ? &team->backlog_last->next : &team->backlog_first) = task;
    team->backlog_last = task;
    team->backlog_count++;
}

static struct task *pop_backlog(struct solo_team *team)
{
    struct task *task = team->backlog_first;
    if (task != NULL) {
        team->backlog_first = task->next;
        team->backlog_last = task->next != NULL ? team->backlog_last : NULL;
        team->backlog_count--;
    }
    return task;
}

/* A busy member goes elsewhere. What the team is owed is never more than those that are left can pay. */
static void leave_busy(struct member *member, struct member **to)
{
    struct solo_team *team = member->team;
    move(member, &team->busy, to);
    team->busy_count--;
    team->owed = team->owed < team->busy_count ? team->owed : team->busy_count;
    team->object.world->threads->wake(team->object.world, &team->gate, true);
}

/* The coordinator has one less to decide about. */
static void decided(struct solo_team *team)
{
    enter(team);
    team->asked--;
    team->object.world->threads->wake(team->object.world, &team->gate, true);
    leave(team);
}

/* ---- The coordinator's decisions ---- */

static void run_on_worker(struct solo__work *way, int status);
static void come_back(struct solo__work *way, int status);

/* Hands a task to a member that counts as busy. False: its worker has quit behind the team's back; it is retired. */
static bool hand(struct member *member, struct task *task)
{
    struct solo_team *team = member->team;
    member->task = task;
    member->way.serve = run_on_worker;
    if (solo__worker_give(member->worker, &member->way) == 0) {
        return true;
    }
    enter(team);
    leave_busy(member, &team->retired);
    leave(team);
    return false;
}

/* Takes out the retired that have quit for good, and frees them; else they would pile up until destroy. */
static void reap_retired(struct solo_team *team)
{
    struct solo_world *world = team->object.world;
    enter(team);
    struct member *member = team->retired;
    team->retired = NULL;
    leave(team);
    while (member != NULL) {
        struct member *next = member->next;
        if (solo__worker_is_over(member->worker)) {
            (void)solo_worker_destroy(member->worker);
            world->memory->release(world, member);
        } else {
            enter(team);
            member->next = team->retired;
            team->retired = member;
            leave(team);
        }
        member = next;
    }
}

/* One more idle member, or NULL: there can be none now. */
static struct member *add_member(struct solo_team *team)
{
    struct solo_world *world = team->object.world;
    struct solo_worker *worker = NULL;
    reap_retired(team);
    struct member *member = world->memory->allocate(world, sizeof *member);
    if (member == NULL || team->create(team->create_arg, &worker) < 0 || worker == NULL) {
        world->memory->release(world, member);
        return NULL;
    }
    *member = (struct member){.team = team, .worker = worker};
    enter(team);
    member->next = team->idle;
    team->idle = member;
    team->idle_count++;
    leave(team);
    return member;
}

static struct member *some_idle(struct solo_team *team)
{
    enter(team);
    struct member *member = team->idle;
    leave(team);
    return member;
}

static bool assign(struct member *member, struct task *task)
{
    struct solo_team *team = member->team;
    enter(team);
    move(member, &team->idle, &team->busy);
    team->idle_count--;
    team->busy_count++;
    leave(team);
    return hand(member, task);
}

/* To an idle worker, else to a new one, else to the backlog. */
static void dispatch(struct solo_team *team, struct task *task)
{
    struct member *member;
    while ((member = some_idle(team)) != NULL) {
        if (assign(member, task)) {
            return;
        }
    }
    member = add_member(team);
    if (member != NULL && assign(member, task)) {
        return;
    }
    enter(team);
    push_backlog(team, task);
    leave(team);
}

static void retire(struct member *member)
{
    struct solo_team *team = member->team;
    enter(team);
    move(member, &team->idle, &team->retired);
    team->idle_count--;
    leave(team);
    (void)solo_worker_quit(member->worker);
}

static struct task *next_in_backlog(struct solo_team *team)
{
    enter(team);
    struct task *task = pop_backlog(team);
    leave(team);
    return task;
}

/* After quit: once nobody is busy nothing more can happen. What is left in the backlog nobody will ever run. */
static void end_if_over(struct solo_team *team)
{
    struct task *task;
    enter(team);
    bool over = team->quitting && team->busy_count == 0;
    team->object.world->threads->wake(team->object.world, &team->gate, true);
    leave(team);
    if (!over) {
        return;
    }
    while ((task = next_in_backlog(team)) != NULL) {
        end_task(task, SOLO_ECLOSING);
    }
    (void)solo_worker_quit(team->coordinator);
}

/* A new member takes from the backlog. */
static void put_to_work(struct member *member)
{
    struct solo_team *team = member->team;
    struct task *task = next_in_backlog(team);
    if (task != NULL && !assign(member, task)) {
        dispatch(team, task);
    }
}

/* Gives the coordinator something to decide about. */
static int ask(struct solo_team *team, struct solo__work *way)
{
    enter(team);
    team->asked++;
    leave(team);
    int status = solo__worker_give(team->coordinator, way);
    if (status < 0) {
        decided(team);
    }
    return status;
}

static void coordinate_task(struct solo__work *way, int status)
{
    struct task *task = (struct task *)way;
    struct solo_team *team = task->team;
    if (status < 0) {
        end_task(task, status);
    } else {
        dispatch(team, task);
    }
    decided(team);
}

static void coordinate_grow(struct solo__work *way, int status)
{
    struct request *request = (struct request *)way;
    struct solo_team *team = request->team;
    struct member *member;
    enter(team);
    team->owed -= request->count < team->owed ? request->count : team->owed;
    leave(team);
    for (size_t i = 0; status == 0 && i < request->count && (member = add_member(team)) != NULL; i++) {
        put_to_work(member);
    }
    team->object.world->memory->release(team->object.world, request);
    decided(team);
}

static void coordinate_shrink(struct solo__work *way, int status)
{
    struct request *request = (struct request *)way;
    struct solo_team *team = request->team;
    struct member *member;
    while (status == 0 && request->count > 0 && (member = some_idle(team)) != NULL) {
        retire(member);
        request->count--;
    }
    enter(team);
    size_t spare = team->busy_count - team->owed;
    team->owed += request->count < spare ? request->count : spare;
    leave(team);
    team->object.world->memory->release(team->object.world, request);
    decided(team);
}

static void coordinate_quit(struct solo__work *way, int status)
{
    struct solo_team *team = (struct solo_team *)((char *)way - offsetof(struct solo_team, quit_way));
    struct member *member;
    if (status < 0) {
        return;
    }
    enter(team);
    team->quitting = true;
    bool needs_one = team->backlog_count > 0 && team->busy_count == 0;
    leave(team);
    if (needs_one && (member = add_member(team)) != NULL) {
        put_to_work(member);
    }
    while ((member = some_idle(team)) != NULL) {
        retire(member);
    }
    end_if_over(team);
}

/* ---- On a worker, and back ---- */

static void set_runner(struct member *member, struct solo_thread *runner)
{
    enter(member->team);
    member->runner = runner;
    leave(member->team);
}

static void run_on_worker(struct solo__work *way, int status)
{
    struct member *member = (struct member *)way;
    struct solo_team *team = member->team;
    struct task *task = member->task;
    if (status < 0) { /* a memory worker is destroyed with it */
        end_task(task, status);
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
    enter(team);
    leave_busy(member, &team->retired);
    leave(team);
}

/* A worker takes from the backlog before it pays what the team is owed. */
static void come_back(struct solo__work *way, int status)
{
    struct member *member = (struct member *)way;
    struct solo_team *team = member->team;
    if (status < 0) {
        return;
    }
    enter(team);
    struct task *task = pop_backlog(team);
    bool quits = task == NULL && (team->quitting || team->owed > 0);
    if (task == NULL) {
        team->owed -= team->owed > 0;
        leave_busy(member, quits ? &team->retired : &team->idle);
        team->idle_count += !quits;
    }
    leave(team);
    if (task != NULL && !hand(member, task)) {
        dispatch(team, task);
    }
    if (quits) {
        (void)solo_worker_quit(member->worker);
    }
    end_if_over(team);
}

/* ---- Made, used, ended ---- */

int solo_team_create(struct solo_worker *coordinator, solo_create_worker_fn create, void *arg,
                     struct solo_team **ret_team)
{
    SOLO__LIVE_OBJECT(solo_team_create, coordinator, SOLO__WORKER, SOLO006_USE_AFTER_END);
    if (create == NULL || ret_team == NULL) {
        return -EINVAL;
    }

    struct solo_team *team =
        solo__object_make(coordinator->object.world, SOLO__TEAM, sizeof *team, __builtin_return_address(0));
    if (team == NULL) {
        return -ENOMEM;
    }
    team->coordinator = coordinator;
    team->create = create;
    team->create_arg = arg;
    team->quit_way.serve = coordinate_quit;
    *ret_team = team;
    return 0;
}

static bool has_quit(struct solo_team *team)
{
    enter(team);
    bool quit = team->has_quit;
    leave(team);
    return quit;
}

int solo_team_do(struct solo_team *team, solo_call_fn fn, void *arg, solo_done_fn done)
{
    SOLO__LIVE_OBJECT(solo_team_do, team, SOLO__TEAM, SOLO006_USE_AFTER_END);
    if (fn == NULL) {
        return -EINVAL;
    }
    if (has_quit(team)) {
        return solo__refuse_after_quit(team, SOLO__FN_solo_team_do, __builtin_frame_address(0),
                                       __builtin_return_address(0));
    }

    struct solo_world *world = team->object.world;
    struct task *task = world->memory->allocate(world, sizeof *task);
    if (task == NULL) {
        return -ENOMEM;
    }
    *task = (struct task){.way.serve = coordinate_task, .team = team, .fn = fn, .done = done, .arg = arg};
    uint32_t id = solo__object_next_id(world, SOLO__WORK);
    solo__provenance_take(&task->provenance, id, __builtin_frame_address(0), __builtin_return_address(0));
    solo__announce(world, SOLO_PROBE_CALL_ACCEPTED, SOLO_ACCESS_WRITE, id, SOLO_QUEUE_WORKER);
    solo__argument_keep(world, id, arg);
    SOLO_ANNOTATE_HAPPENS_BEFORE(task);
    if (ask(team, &task->way) < 0) { /* it quit between the look and the acceptance */
        solo__announce(world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_NONE, id, (uint64_t)(int64_t)SOLO_EALREADYQUIT);
        solo__argument_forget(world, id);
        world->memory->release(world, task);
        return solo__refuse_after_quit(team, SOLO__FN_solo_team_do, __builtin_frame_address(0),
                                       __builtin_return_address(0));
    }
    return 0;
}

static int request_change(struct solo_team *team, size_t count, void (*serve)(struct solo__work *way, int status))
{
    struct solo_world *world = team->object.world;
    if (has_quit(team)) {
        return SOLO_EALREADYQUIT;
    }
    struct request *request = world->memory->allocate(world, sizeof *request);
    if (request == NULL) {
        return -ENOMEM;
    }
    *request = (struct request){.way.serve = serve, .team = team, .count = count};
    int status = ask(team, &request->way);
    if (status < 0) {
        world->memory->release(world, request);
    }
    return status;
}

int solo_team_grow(struct solo_team *team, size_t count)
{
    SOLO__LIVE_OBJECT(solo_team_grow, team, SOLO__TEAM, SOLO006_USE_AFTER_END);

    return request_change(team, count, coordinate_grow);
}

int solo_team_shrink(struct solo_team *team, size_t count)
{
    SOLO__LIVE_OBJECT(solo_team_shrink, team, SOLO__TEAM, SOLO006_USE_AFTER_END);

    return request_change(team, count, coordinate_shrink);
}

int solo_team_get_statistics(struct solo_team *team, struct solo_team_statistics *ret_statistics)
{
    SOLO__LIVE_OBJECT(solo_team_get_statistics, team, SOLO__TEAM, SOLO006_USE_AFTER_END);
    if (ret_statistics == NULL) {
        return -EINVAL;
    }

    enter(team);
    *ret_statistics = (struct solo_team_statistics){team->idle_count, team->busy_count, team->backlog_count};
    leave(team);
    return 0;
}

static int quit(struct solo_team *team)
{
    enter(team);
    bool first = !team->has_quit;
    team->has_quit = true;
    leave(team);
    if (!first) {
        return SOLO_EALREADYQUIT;
    }
    if (solo__worker_give(team->coordinator, &team->quit_way) < 0) { /* it quit behind the team's back */
        enter(team);
        team->quitting = true;
        leave(team);
    }
    return 0;
}

int solo_team_quit(struct solo_team *team)
{
    SOLO__LIVE_OBJECT(solo_team_quit, team, SOLO__TEAM, SOLO006_USE_AFTER_END);

    solo__announce(team->object.world, SOLO_PROBE_WORKER_QUIT, SOLO_ACCESS_WRITE, team->object.id, 0);
    return quit(team);
}

/* ---- The end ---- */

/* With the lock held: whether there is still something going on by itself. */
static bool goes_on(const struct solo_team *team)
{
    if (team->coordinator->kind->performs) {
        return false;
    }
    for (const struct member *member = team->busy; member != NULL; member = member->next) {
        if (!member->worker->kind->performs) {
            return true;
        }
    }
    return !team->quitting || team->asked > 0;
}

static void wait_for_work(struct solo_team *team)
{
    struct solo_world *world = team->object.world;
    const struct solo_wait why = {SOLO_WAIT_DRAIN, team->object.id, NULL};
    enter(team);
    while (goes_on(team)) {
        (void)world->threads->wait(world, &team->gate, &team->lock, &why, SOLO_NEVER);
    }
    leave(team);
}

static bool runs_here(struct solo_team *team)
{
    bool here = solo__worker_runs_here(team->coordinator);
    enter(team);
    for (const struct member *member = team->busy; member != NULL; member = member->next) {
        here = here || (member->runner != NULL && member->runner == solo__self);
    }
    leave(team);
    return here;
}

/*
 * Waits for each worker of this list. One that is not called for any more goes to the retired meanwhile. Members stay
 * until the coordinator is gone: it may still hold their way back.
 */
static void destroy_members(struct solo_team *team, struct member **list, struct member **gone)
{
    for (;;) {
        enter(team);
        struct member *member = *list;
        leave(team);
        if (member == NULL) {
            return;
        }
        (void)solo_worker_destroy(member->worker);
        enter(team);
        move(member, *list == member ? list : &team->retired, gone);
        leave(team);
    }
}

static void destroy_workers(struct solo_team *team)
{
    struct solo_world *world = team->object.world;
    bool decides = !team->coordinator->kind->performs;
    struct member *gone = NULL;
    if (decides) {
        (void)solo_worker_destroy(team->coordinator); /* first: it may still be about to quit one of the others */
    }
    destroy_members(team, &team->idle, &gone);
    destroy_members(team, &team->busy, &gone);
    destroy_members(team, &team->retired, &gone);
    if (!decides) {
        (void)solo_worker_destroy(team->coordinator); /* last: the others come back to it */
    }
    while (gone != NULL) {
        struct member *next = gone->next;
        world->memory->release(world, gone);
        gone = next;
    }
}

int solo_team_destroy(struct solo_team *team)
{
    struct task *task;
    if (team == NULL) {
        return 0;
    }
    SOLO__LIVE_OBJECT(solo_team_destroy, team, SOLO__TEAM, SOLO006_USE_AFTER_END);
    if (runs_here(team)) {
        return -EDEADLK;
    }

    solo__announce(team->object.world, SOLO_PROBE_WORKER_QUIT, SOLO_ACCESS_WRITE, team->object.id, 0);
    (void)quit(team);
    wait_for_work(team);
    destroy_workers(team);
    while ((task = next_in_backlog(team)) != NULL) {
        end_task(task, SOLO_ECLOSING);
    }
    solo__object_end(team);
    return 0;
}
