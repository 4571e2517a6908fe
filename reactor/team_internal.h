/*
 * team_internal.h - a team, its members and their tasks, for the coordinator's side and the caller's.
 *
 * `lock` guards the counters and lists only because other threads read them: statistics, and destroy, which waits.
 * Nothing is called while it is held.
 */
#ifndef SOLO__TEAM_INTERNAL_H
#define SOLO__TEAM_INTERNAL_H

#include "guard.h"
#include "worker_internal.h"
#include <solo/team.h>
#include <stddef.h>

struct solo__task {
    struct solo__work way; /* first: to the coordinator */
    struct solo_team *team;
    struct solo__task *next; /* in the backlog */
    solo_call_fn fn;
    solo_done_fn done; /* may be NULL */
    void *arg;
    struct solo__provenance provenance;
};

struct solo__member {
    struct solo__work way; /* first: to its worker, and back to the coordinator */
    struct solo_team *team;
    struct solo_worker *worker;
    struct solo__task *task;    /* while it is busy; not valid on its way back */
    struct solo__member *next;  /* among the idle, the busy or the retired */
    struct solo_thread *runner; /* who runs its task now; under the lock */
};

struct solo__team_request {
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
    struct solo__member *idle, *busy, *retired;
    struct solo__task *backlog_first, *backlog_last;
};

static inline void solo__team_enter(struct solo_team *team)
{
    team->object.world->threads->enter(team->object.world, &team->lock);
}

static inline void solo__team_leave(struct solo_team *team)
{
    team->object.world->threads->leave(team->object.world, &team->lock);
}

/* ---- team_coordinator.c ---- */

/* The task is done with: its done function is called, or it is dropped; its memory goes. */
void solo__task_end(struct solo__task *task, int status);
/* From one list to another, with the lock held; it need not be on the first. */
void solo__member_move(struct solo__member *member, struct solo__member **from, struct solo__member **to);
/* The oldest task that waits, taken out; NULL: there is none. */
struct solo__task *solo__team_next_in_backlog(struct solo_team *team);
/* Gives the coordinator something to decide about. */
int solo__team_ask(struct solo_team *team, struct solo__work *way);

/* What it decides about: to be served on a task's way, on a request's, and on the team's quit_way. */
void solo__team_coordinate_task(struct solo__work *way, int status);
void solo__team_coordinate_grow(struct solo__work *way, int status);
void solo__team_coordinate_shrink(struct solo__work *way, int status);
void solo__team_coordinate_quit(struct solo__work *way, int status);

#endif
