/*
 * deferred_list.h - one Deferred for many: wait for all, for the first, or gather what they give.
 *
 * All three take over the reference of each member, on success only, and give a Deferred of their own. `results` is
 * the caller's array of `count`: it must stay until that Deferred has fired, and is not touched afterwards. An entry
 * is what its member came to; one that has not ended yet has the status -EINPROGRESS. Which entry made the Deferred
 * fire early is told by its value, which points at it - also the value of a failure.
 *
 * A member's failure is still unhandled after a list has seen it, and so SOLO008, unless the list consumes it.
 * Cancelling the Deferred cancels every member without a result; if all of them end at that, the list completes as
 * usual.
 *
 * Source: Twisted's DeferredList, gatherResults and race. Different on purpose: what could never fire is refused.
 */
#ifndef SOLO_DEFERRED_LIST_H
#define SOLO_DEFERRED_LIST_H

#include <solo/deferred.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_reactor;
enum solo_list_options {
    SOLO_LIST_FIRE_ON_ONE_CALLBACK = 1, /* the first value fires it: value &results[i] */
    SOLO_LIST_FIRE_ON_ONE_ERRBACK = 2,  /* the first failure fails it: that status, value &results[i] */
    SOLO_LIST_CONSUME_ERRORS = 4,       /* the members' failures count as handled */
};

/*
 * Waits for all, and then gives `results` as its value. `options` is 0 or a sum of the above. No members: it has fired
 * when this returns. -EINVAL: a member is given twice, was released or given away, or belongs to another reactor; or
 * no members where one callback is to fire it. -ENOMEM.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_deferred_list_create(struct solo_reactor *reactor,
                                                            struct solo_deferred *const *members, size_t count,
                                                            unsigned options, struct solo_result *results,
                                                            struct solo_deferred **ret_deferred);

/*
 * Gives `results` when every member has a value, or fails with the first failure. `options` is 0 or
 * SOLO_LIST_CONSUME_ERRORS. Errors as for solo_deferred_list_create.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_gather_results(struct solo_reactor *reactor,
                                                      struct solo_deferred *const *members, size_t count,
                                                      unsigned options, struct solo_result *results,
                                                      struct solo_deferred **ret_deferred);

/*
 * The first value wins: it gives &results[i], and cancels the others. If all fail, it fails as the first member did,
 * with the value `results`. The members' failures count as handled. -EINVAL also: no members. Other errors as for
 * solo_deferred_list_create.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_race(struct solo_reactor *reactor, struct solo_deferred *const *members,
                                            size_t count, struct solo_result *results,
                                            struct solo_deferred **ret_deferred);

#ifdef __cplusplus
}
#endif
#endif
