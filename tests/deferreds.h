/* deferreds.h - short words for tests of what is built on Deferreds. Each body runs between begin and end. */
#ifndef SOLO_TESTS_DEFERREDS_H
#define SOLO_TESTS_DEFERREDS_H

#include "refusing_world.h"
#include "worlds.h"

static struct solo_reactor *reactor;

static inline void begin(void)
{
    reactor = worlds_reactor();
}

static inline void end(void)
{
    worlds_destroy(reactor);
}

static inline struct solo_deferred *make(void)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
    return deferred;
}

static inline void fire(struct solo_deferred *deferred, struct solo_result result)
{
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, result), 0);
}

static inline void release(struct solo_deferred *deferred)
{
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

static inline bool has_result(struct solo_deferred *deferred)
{
    bool has = false;
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, NULL), 0);
    return has;
}

/* Its status: 0, or the failure; 1 if it has no result. */
static inline int status_of(struct solo_deferred *deferred)
{
    struct solo_result result = {1, NULL, NULL};
    bool has = false;
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    return result.status;
}

static inline void *value_of(struct solo_deferred *deferred)
{
    struct solo_result result = solo_value(NULL);
    bool has = false;
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_TRUE(has);
    return result.value;
}

/* As a pair: notes the argument's first character for a value, '!' for a failure, which it handles. */
static inline struct solo_result note_it(struct solo_result previous, void *arg)
{
    note(previous.status < 0 ? '!' : *(const char *)arg);
    return previous.status < 0 ? solo_value(NULL) : previous;
}

static inline void add_note(struct solo_deferred *deferred, const char *text)
{
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_it, note_it, (void *)(uintptr_t)text), 0);
}

/* A failure that somebody looked at. */
static inline struct solo_result handle_it(struct solo_result previous, void *arg)
{
    (void)previous;
    (void)arg;
    return solo_value(NULL);
}

static inline void release_handled(struct solo_deferred *deferred)
{
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, NULL, handle_it, NULL), 0);
    release(deferred);
}

#endif
