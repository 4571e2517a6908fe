/*
 * deferred_list.c - one Deferred for many.
 *
 * A list is there until its last member has a result, however early its own Deferred fired. It keeps each member until
 * then, and its Deferred until that fires; `results` is the caller's, and not touched after it fired.
 */
#include "deferred_private.h"
#include <solo/deferred_list.h>
#include <string.h>

enum {
    RACE = 0x100
}; /* beside enum solo_list_options: the first value cancels the others, and all failing is a failure */

struct list;

struct member {
    struct solo__pair_node node;
    struct list *list;
    struct solo_deferred *deferred; /* NULL once it has a result */
};

struct list {
    struct solo_world *world;
    struct solo_deferred *deferred; /* NULL once it fired */
    struct solo_result *results;
    unsigned options;
    size_t count;
    size_t left;  /* members without a result */
    size_t users; /* who walks along the members now */
    struct member members[];
};

static void release_if_done(struct list *list)
{
    if (list->left == 0 && list->users == 0) {
        list->world->memory->release(list->world, list);
    }
}

static void fire(struct list *list, int status, struct solo_result *value)
{
    struct solo_deferred *deferred = list->deferred;
    list->deferred = NULL;
    (void)solo__deferred_fire(deferred, (struct solo_result){status, value, NULL});
    solo__deferred_drop(deferred);
}

static void cancel_members(struct list *list)
{
    list->users++;
    for (size_t i = 0; i < list->count; i++) {
        if (list->members[i].deferred != NULL) {
            solo__deferred_cancel(list->members[i].deferred);
        }
    }
    list->users--;
}

/* One member more has its result, and it is written down: fires if it is time. */
static void decide(struct list *list, struct solo_result *result)
{
    if (result->status >= 0 && (list->options & SOLO_LIST_FIRE_ON_ONE_CALLBACK) != 0) {
        fire(list, 0, result);
        if ((list->options & RACE) != 0) {
            cancel_members(list);
        }
    } else if (result->status < 0 && (list->options & SOLO_LIST_FIRE_ON_ONE_ERRBACK) != 0) {
        fire(list, result->status, result);
    } else if (list->left == 0) {
        fire(list, (list->options & RACE) != 0 ? list->results[0].status : 0, list->results);
    }
}

static struct solo_result member_has_result(struct solo_result previous, void *arg)
{
    struct member *member = arg;
    struct list *list = member->list;
    struct solo_deferred *deferred = member->deferred;
    bool consumes = (list->options & SOLO_LIST_CONSUME_ERRORS) != 0;
    member->deferred = NULL;
    list->left--;
    list->users++;
    if (list->deferred != NULL) {
        struct solo_result *result = &list->results[member - list->members];
        *result = previous;
        decide(list, result);
    }
    list->users--;
    release_if_done(list);
    solo__deferred_drop(deferred);
    return consumes && previous.status < 0 ? solo_value(NULL) : previous;
}

/* Cannot be: the list keeps the member until its pair has run. */
static void member_dropped(void *arg)
{
    (void)member_has_result(solo_failure(SOLO_ECLOSED), arg);
}

static void cancel(struct solo_deferred *deferred, void *arg)
{
    struct list *list = arg;
    list->users++;
    cancel_members(list);
    list->users--;
    if (list->deferred != NULL) { /* some go on: it fails without them, as soon as this returns */
        list->deferred = NULL;
        solo__deferred_drop(deferred);
    }
    release_if_done(list);
}

/* ---- Making one ---- */

/* Takes over every reference, or none: each must be there once, which giving one twice is not. */
static int take_over(struct solo_reactor *reactor, struct solo_deferred *const *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!solo__deferred_is_alive(members[i]) || members[i]->reactor != reactor ||
            !solo__deferred_take_over(members[i])) {
            while (i > 0) {
                solo__deferred_give_back(members[--i]);
            }
            return -EINVAL;
        }
    }
    return 0;
}

static void give_back(struct solo_deferred *const *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        solo__deferred_give_back(members[i]);
    }
}

static void begin(struct list *list, struct solo_deferred *const *members)
{
    list->users++;
    for (size_t i = 0; i < list->count; i++) {
        list->members[i].list = list;
        list->members[i].deferred = members[i];
        list->results[i] = solo_failure(-EINPROGRESS);
    }
    for (size_t i = 0; i < list->count; i++) {
        solo__deferred_append(members[i], &list->members[i].node, member_has_result, member_dropped, &list->members[i]);
    }
    if (list->count == 0) {
        fire(list, 0, list->results);
    }
    list->users--;
    release_if_done(list);
}

static int make(struct solo_reactor *reactor, struct solo_deferred *const *members, size_t count, unsigned options,
                struct solo_result *results, void *frame, void *return_address, struct solo_deferred **ret_deferred)
{
    struct solo_world *world = reactor->world;
    if (count > (SIZE_MAX - sizeof(struct list)) / sizeof(struct member)) {
        return -ENOMEM;
    }
    struct list *list = world->memory->allocate(world, sizeof *list + count * sizeof list->members[0]);
    if (list == NULL) {
        return -ENOMEM;
    }
    memset(list, 0, sizeof *list);
    list->world = world;
    list->results = results;
    list->options = options;
    list->count = list->left = count;
    int status = take_over(reactor, members, count);
    if (status == 0) {
        status = solo__deferred_make(reactor, cancel, list, frame, return_address, &list->deferred);
        if (status < 0) {
            give_back(members, count);
        }
    }
    if (status < 0) {
        world->memory->release(world, list);
        return status;
    }
    *ret_deferred = list->deferred;
    solo__deferred_keep(list->deferred);
    begin(list, members);
    return 0;
}

static bool are_wrong(struct solo_deferred *const *members, size_t count, const struct solo_result *results,
                      struct solo_deferred *const *ret_deferred)
{
    return ret_deferred == NULL || (count > 0 && (members == NULL || results == NULL));
}

int solo_deferred_list_create(struct solo_reactor *reactor, struct solo_deferred *const *members, size_t count,
                              unsigned options, struct solo_result *results, struct solo_deferred **ret_deferred)
{
    const unsigned known = SOLO_LIST_FIRE_ON_ONE_CALLBACK | SOLO_LIST_FIRE_ON_ONE_ERRBACK | SOLO_LIST_CONSUME_ERRORS;
    SOLO__LIVE_OBJECT(solo_deferred_list_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (are_wrong(members, count, results, ret_deferred) || (options & ~known) != 0 ||
        (count == 0 && (options & SOLO_LIST_FIRE_ON_ONE_CALLBACK) != 0)) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_deferred_list_create, &reactor->owner, reactor);

    return make(reactor, members, count, options, results, __builtin_frame_address(0), __builtin_return_address(0),
                ret_deferred);
}

int solo_gather_results(struct solo_reactor *reactor, struct solo_deferred *const *members, size_t count,
                        unsigned options, struct solo_result *results, struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_gather_results, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (are_wrong(members, count, results, ret_deferred) || (options & ~(unsigned)SOLO_LIST_CONSUME_ERRORS) != 0) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_gather_results, &reactor->owner, reactor);

    return make(reactor, members, count, options | SOLO_LIST_FIRE_ON_ONE_ERRBACK, results, __builtin_frame_address(0),
                __builtin_return_address(0), ret_deferred);
}

int solo_race(struct solo_reactor *reactor, struct solo_deferred *const *members, size_t count,
              struct solo_result *results, struct solo_deferred **ret_deferred)
{
    SOLO__LIVE_OBJECT(solo_race, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (are_wrong(members, count, results, ret_deferred) || count == 0) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_race, &reactor->owner, reactor);

    return make(reactor, members, count, RACE | SOLO_LIST_FIRE_ON_ONE_CALLBACK | SOLO_LIST_CONSUME_ERRORS, results,
                __builtin_frame_address(0), __builtin_return_address(0), ret_deferred);
}
