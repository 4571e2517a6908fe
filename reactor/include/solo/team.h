/*
 * team.h - several workers behind one door.
 *
 * A team gives each piece of work to an idle worker, else to a new one, else it waits in the backlog. All of its
 * decisions are made by one more worker, the coordinator, one at a time: so a team needs no lock of its own, and with
 * memory workers (worker.h) for both, a test makes every step of it by hand. A team needs no reactor.
 *
 * Which coordinator: a lock worker decides at once, in whichever thread asks; a thread worker on a thread of its own; a
 * memory worker when the test says so.
 *
 * Source: Twisted's twisted._threads.Team. Different on purpose: what never runs is handed back, quit leaves nothing
 * behind, and a debt of shrink is never more than the workers that are busy.
 */
#ifndef SOLO_TEAM_H
#define SOLO_TEAM_H

#include <solo/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_team;

/*
 * Makes one more worker, which then belongs to the team, and returns 0; or a negative code: there can be no more for
 * now. Called by the coordinator, in its context; it must not call the team.
 */
typedef int (*solo_create_worker_fn)(void *arg, struct solo_worker **ret_worker);

struct solo_team_statistics {
    size_t idle, busy; /* workers; one that is done counts as busy until the coordinator has heard of it */
    size_t backlogged; /* pieces of work that the coordinator has seen and that no worker has */
};

#define SOLO_TEAM_ALL SIZE_MAX /* for shrink: all of them */

/*
 * Makes a team without workers. From now on the coordinator belongs to it. It lives until solo_team_destroy. -EINVAL:
 * create or ret_team is NULL, or that is no worker; -ENOMEM; then the coordinator stays the caller's.
 * Runs: create in the coordinator's context.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_team_create(struct solo_worker *coordinator, solo_create_worker_fn create,
                                                 void *arg, struct solo_team **ret_team);

/*
 * Accepts fn(arg) to run once on some worker; done(status, arg), which may be NULL, runs right after it, there; or with
 * SOLO_ECLOSING where quit or destroy gives it up. SOLO_EALREADYQUIT, and SOLO006: the team has quit. -EINVAL, -ENOMEM.
 * Runs: fn, done in a worker's context.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_team_do(struct solo_team *team, solo_call_fn fn, void *arg, solo_done_fn done);

/*
 * Asks for up to `count` more workers; the first refusal ends it. Each takes from the backlog at once. Takes back as
 * much of what shrink is still owed. SOLO_EALREADYQUIT, -ENOMEM.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_team_grow(struct solo_team *team, size_t count);

/*
 * Asks up to `count` workers to quit: idle ones first, and then busy ones when they find no backlog after their work.
 * SOLO_EALREADYQUIT, -ENOMEM.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_team_shrink(struct solo_team *team, size_t count);

/* What the coordinator has decided so far. -EINVAL. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_team_get_statistics(struct solo_team *team,
                                                         struct solo_team_statistics *ret_statistics);

/*
 * No more work is accepted; what was accepted is still done, by a new worker if there is none. Idle workers quit at
 * once, busy ones when the backlog is empty, the coordinator last. With a backlog and no worker to be had, the backlog
 * is handed back. SOLO_EALREADYQUIT: it has quit before. Does not wait, takes no memory.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_team_quit(struct solo_team *team);

/*
 * Quits if need be, waits until all is done that runs by itself (not what memory workers hold: that is handed back),
 * and frees the team, its workers and its coordinator. Accepts NULL. -EDEADLK: called from within its own work.
 * Blocks.
 */
SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_team_destroy(struct solo_team *team);

#ifdef __cplusplus
}
#endif
#endif
