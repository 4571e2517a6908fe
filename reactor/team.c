/*
 * team.c - a team is made, is given work, and ends. team_coordinator.c has what becomes of the work.
 *
 * Memory is taken when something is accepted: a task carries its way to the coordinator, a member its way to its worker
 * and back, the team that of quit. So no step after acceptance can fail, but for finding a worker.
 */
#include "team_internal.h"
#include "sanitizer/annotate.h"

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
    team->quit_way.serve = solo__team_coordinate_quit;
    *ret_team = team;
    return 0;
}

static bool has_quit(struct solo_team *team)
{
    solo__team_enter(team);
    bool quit = team->has_quit;
    solo__team_leave(team);
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
    struct solo__task *task = world->memory->allocate(world, sizeof *task);
    if (task == NULL) {
        return -ENOMEM;
    }
    *task =
        (struct solo__task){.way.serve = solo__team_coordinate_task, .team = team, .fn = fn, .done = done, .arg = arg};
    uint32_t id = solo__object_next_id(world, SOLO__WORK);
    solo__provenance_take(&task->provenance, id, __builtin_frame_address(0), __builtin_return_address(0));
    solo__announce(world, SOLO_PROBE_CALL_ACCEPTED, SOLO_ACCESS_WRITE, id, SOLO_QUEUE_WORKER);
    solo__argument_keep(world, id, arg);
    SOLO_ANNOTATE_HAPPENS_BEFORE(task);
    if (solo__team_ask(team, &task->way) < 0) { /* it quit between the look and the acceptance */
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
    struct solo__team_request *request = world->memory->allocate(world, sizeof *request);
    if (request == NULL) {
        return -ENOMEM;
    }
    *request = (struct solo__team_request){.way.serve = serve, .team = team, .count = count};
    int status = solo__team_ask(team, &request->way);
    if (status < 0) {
        world->memory->release(world, request);
    }
    return status;
}

int solo_team_grow(struct solo_team *team, size_t count)
{
    SOLO__LIVE_OBJECT(solo_team_grow, team, SOLO__TEAM, SOLO006_USE_AFTER_END);

    return request_change(team, count, solo__team_coordinate_grow);
}

int solo_team_shrink(struct solo_team *team, size_t count)
{
    SOLO__LIVE_OBJECT(solo_team_shrink, team, SOLO__TEAM, SOLO006_USE_AFTER_END);

    return request_change(team, count, solo__team_coordinate_shrink);
}

int solo_team_get_statistics(struct solo_team *team, struct solo_team_statistics *ret_statistics)
{
    SOLO__LIVE_OBJECT(solo_team_get_statistics, team, SOLO__TEAM, SOLO006_USE_AFTER_END);
    if (ret_statistics == NULL) {
        return -EINVAL;
    }

    solo__team_enter(team);
    *ret_statistics = (struct solo_team_statistics){team->idle_count, team->busy_count, team->backlog_count};
    solo__team_leave(team);
    return 0;
}

static int quit(struct solo_team *team)
{
    solo__team_enter(team);
    bool first = !team->has_quit;
    team->has_quit = true;
    solo__team_leave(team);
    if (!first) {
        return SOLO_EALREADYQUIT;
    }
    if (solo__worker_give(team->coordinator, &team->quit_way) < 0) { /* it quit behind the team's back */
        solo__team_enter(team);
        team->quitting = true;
        solo__team_leave(team);
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
    for (const struct solo__member *member = team->busy; member != NULL; member = member->next) {
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
    solo__team_enter(team);
    while (goes_on(team)) {
        (void)world->threads->wait(world, &team->gate, &team->lock, &why, SOLO_NEVER);
    }
    solo__team_leave(team);
}

static bool runs_here(struct solo_team *team)
{
    bool here = solo__worker_runs_here(team->coordinator);
    solo__team_enter(team);
    for (const struct solo__member *member = team->busy; member != NULL; member = member->next) {
        here = here || (member->runner != NULL && member->runner == solo__self);
    }
    solo__team_leave(team);
    return here;
}

/*
 * Waits for each worker of this list. One that is not called for any more goes to the retired meanwhile. Members stay
 * until the coordinator is gone: it may still hold their way back.
 */
static void destroy_members(struct solo_team *team, struct solo__member **list, struct solo__member **gone)
{
    for (;;) {
        solo__team_enter(team);
        struct solo__member *member = *list;
        solo__team_leave(team);
        if (member == NULL) {
            return;
        }
        (void)solo_worker_destroy(member->worker);
        solo__team_enter(team);
        solo__member_move(member, *list == member ? list : &team->retired, gone);
        solo__team_leave(team);
    }
}

static void destroy_workers(struct solo_team *team)
{
    struct solo_world *world = team->object.world;
    bool decides = !team->coordinator->kind->performs;
    struct solo__member *gone = NULL;
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
        struct solo__member *next = gone->next;
        world->memory->release(world, gone);
        gone = next;
    }
}

int solo_team_destroy(struct solo_team *team)
{
    struct solo__task *task;
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
    while ((task = solo__team_next_in_backlog(team)) != NULL) {
        solo__task_end(task, SOLO_ECLOSING);
    }
    solo__object_end(team);
    return 0;
}
