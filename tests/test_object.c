/* test_object.c - ids, the first rungs of the ladder, and the quarantine of ended objects. */
#include "object.h"
#include "refusing_world.h"
#include <solo/thread.h>
#include <stdlib.h>

struct thing {
    struct solo__object object;
    char body[40];
};

static struct thing *make(struct solo_world *world, enum solo__object_kind kind)
{
    struct thing *thing = solo__object_make(world, kind, sizeof *thing, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(thing);
    return thing;
}

/* ---- A world os whose memory is counted ---- */

static unsigned allocated, released;
static void *last_released;

static void *counted_allocate(struct solo_world *world, size_t size)
{
    allocated++;
    return solo_world_os()->memory->allocate(world, size);
}

static void counted_release(struct solo_world *world, void *memory)
{
    released++;
    last_released = memory;
    solo_world_os()->memory->release(world, memory);
}

static struct solo_world *counted_world(void)
{
    static const struct solo_memory_table memory = {counted_allocate, counted_release, NULL};
    static struct solo_world world;
    world = *solo_world_os();
    world.memory = &memory;
    allocated = released = 0;
    return &world;
}

/* ---- Identity ---- */

static void ids_count_up_for_each_kind(void)
{
    struct solo_world *world = solo_world_current();
    struct thing *first = make(world, SOLO__PORT);
    struct thing *other = make(world, SOLO__CONNECTOR);
    struct thing *second = make(world, SOLO__PORT);
    CU_ASSERT_EQUAL(second->object.id, first->object.id + 1);
    CU_ASSERT_EQUAL(first->object.id >> 24, SOLO__PORT);
    CU_ASSERT_EQUAL(other->object.id >> 24, SOLO__CONNECTOR);
    solo__object_end(first);
    struct thing *third = make(world, SOLO__PORT);
    CU_ASSERT_EQUAL(third->object.id, second->object.id + 1);
    solo__object_end(second);
    solo__object_end(third);
    solo__object_end(other);
}

static void test_object__ids_count_up_for_each_kind_and_are_never_given_twice(void)
{
    worlds_run(ids_count_up_for_each_kind);
}

static void first_port_is_port_1(void)
{
    struct thing *port = make(solo_world_current(), SOLO__PORT);
    char name[32];
    CU_ASSERT_STRING_EQUAL(solo_object_name(port->object.id, name, sizeof name), "port#1");
    solo__object_end(port);
}

static void test_object__ids_begin_anew_with_every_schedule(void)
{
    worlds_run_sim(first_port_is_port_1, 5);
}

static void test_object__an_id_is_never_0_even_when_the_numbers_come_round(void)
{
    struct solo_world *world = solo_world_os();
    solo__world_ids(world)->next[SOLO__READER] = 0xfffffe;
    CU_ASSERT_EQUAL(solo__object_next_id(world, SOLO__READER), (uint32_t)SOLO__READER << 24 | 0xffffff);
    CU_ASSERT_EQUAL(solo__object_next_id(world, SOLO__READER), (uint32_t)SOLO__READER << 24 | 1);
}

enum { TAKERS = 4, TAKEN_EACH = 500 };
static uint32_t taken[TAKERS * TAKEN_EACH];

static void take_ids(void *arg)
{
    for (unsigned i = 0; i < TAKEN_EACH; i++) {
        ((uint32_t *)arg)[i] = solo__object_next_id(solo_world_os(), SOLO__STREAM);
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void test_object__threads_that_take_ids_at_the_same_time_get_different_ones(void)
{
    struct solo_thread *threads[TAKERS];
    for (unsigned i = 0; i < TAKERS; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(take_ids, &taken[i * TAKEN_EACH], &threads[i]), 0);
    }
    for (unsigned i = 0; i < TAKERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    qsort(taken, TAKERS * TAKEN_EACH, sizeof taken[0], by_value);
    unsigned same = 0;
    for (unsigned i = 1; i < TAKERS * TAKEN_EACH; i++) {
        same += taken[i] == taken[i - 1];
    }
    CU_ASSERT_EQUAL(same, 0);
}

static void test_object__a_new_object_is_clear_and_knows_its_world_kind_and_maker(void)
{
    struct solo_world *world = solo_world_os();
    struct thing *thing = solo__object_make(world, SOLO__JOB, sizeof *thing, &allocated);
    static const char zeros[sizeof thing->body];
    CU_ASSERT_PTR_NOT_NULL_FATAL(thing);
    CU_ASSERT_EQUAL(memcmp(thing->body, zeros, sizeof zeros), 0);
    CU_ASSERT_PTR_EQUAL(thing->object.world, world);
    CU_ASSERT_PTR_EQUAL(thing->object.created_at, &allocated);
    CU_ASSERT_EQUAL(thing->object.kind, SOLO__JOB);
    CU_ASSERT_EQUAL(solo__object_id(thing), thing->object.id);
    CU_ASSERT_EQUAL(solo__object_id(NULL), 0);
    solo__object_end(thing);
}

static void test_object__refused_memory_is_NULL_and_uses_up_no_id(void)
{
    struct solo_world *world = solo_world_os();
    uint32_t before = solo__world_ids(world)->next[SOLO__JOB];
    refusing_begin(1, true);
    CU_ASSERT_PTR_NULL(solo__object_make(world, SOLO__JOB, sizeof(struct thing), NULL));
    refusing_end();
    CU_ASSERT_EQUAL(solo__world_ids(world)->next[SOLO__JOB], before);
}

/* ---- The ladder ---- */

static void the_ladder_tells_three_things_apart(void)
{
    struct thing *thing = make(solo_world_current(), SOLO__PORT);
    CU_ASSERT_EQUAL(solo__object_check(thing, SOLO__PORT), 0);
    CU_ASSERT_EQUAL(solo__object_check(NULL, SOLO__PORT), -EINVAL);
    CU_ASSERT_EQUAL(solo__object_check(thing, SOLO__JOB), -EINVAL);
    solo__object_end(thing);
    CU_ASSERT_EQUAL(solo__object_check(thing, SOLO__PORT), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo__object_check(thing, SOLO__JOB), -EINVAL);
}

static void test_object__the_ladder_tells_no_object_another_kind_and_an_ended_one_apart(void)
{
    worlds_run(the_ladder_tells_three_things_apart);
}

static void test_object__memory_that_never_was_an_object_is_refused(void)
{
    struct solo__object nothing;
    memset(&nothing, 0x5a, sizeof nothing);
    CU_ASSERT_EQUAL(solo__object_check(&nothing, SOLO__PORT), -EINVAL);
    nothing.kind = SOLO__PORT;
    CU_ASSERT_EQUAL(solo__object_check(&nothing, SOLO__PORT), -EINVAL);
}

/* ---- Quarantine ---- */

static void test_object__an_ended_object_is_known_until_the_quarantine_is_full_and_is_then_given_back_once(void)
{
    struct solo_world *world = counted_world();
    struct thing *first = make(world, SOLO__PORT);
    solo__object_end(first);
    for (int i = 1; i < SOLO__QUARANTINE_MAX; i++) {
        solo__object_end(make(world, SOLO__PORT));
    }
    CU_ASSERT_EQUAL(solo__object_check(first, SOLO__PORT), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(released, 0);
    solo__object_end(make(world, SOLO__PORT));
    CU_ASSERT_EQUAL(released, 1);
    CU_ASSERT_PTR_EQUAL(last_released, first);
}

static void test_object__the_quarantine_is_bounded(void)
{
    struct solo_world *world = counted_world();
    for (int i = 0; i < 3 * SOLO__QUARANTINE_MAX; i++) {
        solo__object_end(make(world, SOLO__PORT));
    }
    CU_ASSERT_EQUAL(allocated - released, SOLO__QUARANTINE_MAX);
}

static void more_than_the_quarantine_holds(void)
{
    struct thing *first = make(solo_world_current(), SOLO__PORT);
    solo__object_end(first);
    for (int i = 0; i < 2 * SOLO__QUARANTINE_MAX; i++) {
        struct thing *thing = make(solo_world_current(), SOLO__PORT);
        CU_ASSERT_PTR_NOT_EQUAL(thing, first);
        solo__object_end(thing);
    }
    CU_ASSERT_EQUAL(solo__object_check(first, SOLO__PORT), SOLO_ECLOSED);
}

static void test_object__a_simulation_keeps_every_ended_object_until_its_schedule_ends(void)
{
    worlds_run_sim(more_than_the_quarantine_holds, 2);
}

static void end_many(void *arg)
{
    for (int i = 0; i < 2 * SOLO__QUARANTINE_MAX; i++) {
        solo__object_end(make(solo_world_os(), SOLO__PORT));
    }
    *(bool *)arg = true;
}

static void test_object__threads_may_end_objects_at_the_same_time(void)
{
    struct solo_thread *threads[3];
    bool ended[3] = {false};
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(end_many, &ended[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
        CU_ASSERT_TRUE(ended[i]);
    }
}

/* ---- Names ---- */

static void test_object__every_kind_has_a_name_of_its_own(void)
{
    for (unsigned i = 0; i < SOLO__OBJECT_KINDS; i++) {
        CU_ASSERT_STRING_NOT_EQUAL(solo__object_kind_text(i), "?");
        for (unsigned j = 0; j < i; j++) {
            CU_ASSERT_STRING_NOT_EQUAL(solo__object_kind_text(i), solo__object_kind_text(j));
        }
    }
    CU_ASSERT_STRING_EQUAL(solo__object_kind_text(SOLO__OBJECT_KINDS), "?");
}

static void test_object__names_are_kind_and_number_cut_to_fit(void)
{
    char name[32];
    CU_ASSERT_STRING_EQUAL(solo_object_name((uint32_t)SOLO__TRANSPORT << 24 | 2, name, sizeof name), "transport#2");
    CU_ASSERT_STRING_EQUAL(solo_object_name(0, name, sizeof name), "-");
    CU_ASSERT_STRING_EQUAL(solo_object_name(0xff000001, name, sizeof name), "?#1");
    CU_ASSERT_STRING_EQUAL(solo_object_name((uint32_t)SOLO__TRANSPORT << 24 | 2, name, 6), "trans");
    CU_ASSERT_PTR_NULL(solo_object_name(1, NULL, 5));
}

void suite_object(void)
{
    SOLO_SUITE("object");
    SOLO_TEST(test_object__ids_count_up_for_each_kind_and_are_never_given_twice);
    SOLO_TEST(test_object__ids_begin_anew_with_every_schedule);
    SOLO_TEST(test_object__an_id_is_never_0_even_when_the_numbers_come_round);
    SOLO_TEST(test_object__threads_that_take_ids_at_the_same_time_get_different_ones);
    SOLO_TEST(test_object__a_new_object_is_clear_and_knows_its_world_kind_and_maker);
    SOLO_TEST(test_object__refused_memory_is_NULL_and_uses_up_no_id);
    SOLO_TEST(test_object__the_ladder_tells_no_object_another_kind_and_an_ended_one_apart);
    SOLO_TEST(test_object__memory_that_never_was_an_object_is_refused);
    SOLO_TEST(test_object__an_ended_object_is_known_until_the_quarantine_is_full_and_is_then_given_back_once);
    SOLO_TEST(test_object__the_quarantine_is_bounded);
    SOLO_TEST(test_object__a_simulation_keeps_every_ended_object_until_its_schedule_ends);
    SOLO_TEST(test_object__threads_may_end_objects_at_the_same_time);
    SOLO_TEST(test_object__every_kind_has_a_name_of_its_own);
    SOLO_TEST(test_object__names_are_kind_and_number_cut_to_fit);
}
