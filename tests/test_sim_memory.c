/* test_sim_memory.c - the memory of a simulated run: blocks, quarantine, and when it takes no more. */
#include "runner.h"
#include "sim_world.h"
#include <solo/solo.h>
#include <string.h>

static struct solo_world *world;

static void simulate(void (*body)(void *arg))
{
    const struct solo_sim_options options = {.steps_max = UINT64_C(1) << 40};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 1, body, NULL), SOLO_ENDING_RETURNED);
    solo_sim_destroy(sim);
}

static struct solo_sim_memory now(void)
{
    struct solo_sim_memory memory;
    CU_ASSERT_EQUAL(solo_sim_get_memory(solo_sim_current(), &memory), 0);
    return memory;
}

static void *take(size_t size)
{
    void *memory = world->memory->allocate(world, size);
    CU_ASSERT_NOT_EQUAL_FATAL(memory, NULL);
    return memory;
}

/* Releases so much that whatever was released before is out of quarantine. */
static void flush(size_t size)
{
    for (size_t flushed = 0; flushed <= SIM_QUARANTINE_MAX; flushed += size) {
        world->memory->release(world, take(size));
    }
}

static void sizes_body(void *arg)
{
    static const size_t sizes[] = {0,    1,    15,   16,   17,   1023, 1024,   1025,    1280,    1281,
                                   1536, 1537, 2047, 2048, 2049, 5000, 100000, 1 << 20, 3000000, 1 << 24};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    unsigned char *blocks[COUNT];
    (void)arg;
    world = solo_world_current();
    size_t before = now().in_use;
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = take(sizes[i]);
        CU_ASSERT_EQUAL((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        CU_ASSERT(sizes[i] == 0 || (blocks[i][0] == i && blocks[i][sizes[i] - 1] == i));
        world->memory->release(world, blocks[i]);
    }
    world->memory->release(world, NULL);
    CU_ASSERT_EQUAL(now().in_use, before);
    CU_ASSERT_EQUAL(world->memory->allocate(world, SIZE_MAX / 2), NULL);
    CU_ASSERT_EQUAL(world->memory->allocate(world, (size_t)1 << 30), NULL);
}

static void test_sim_memory__blocks_of_all_sizes_are_apart_and_aligned(void)
{
    simulate(sizes_body);
}

static void quarantine_body(void *arg)
{
    (void)arg;
    world = solo_world_current();
    char *first = take(100);
    strcpy(first, "still here");
    world->memory->release(world, first);
    char *second = take(100);
    CU_ASSERT_NOT_EQUAL(second, first);
    CU_ASSERT_STRING_EQUAL(first, "still here");
    flush(4096);
    CU_ASSERT_EQUAL(take(100), first); /* of all sizes in the same block it is the only one that was let out */
    CU_ASSERT_NOT_EQUAL(take(100), first);
}

static void test_sim_memory__what_was_released_is_used_again_late(void)
{
    simulate(quarantine_body);
}

static void plateau_body(void *arg)
{
    (void)arg;
    world = solo_world_current();
    flush(500);
    flush(70000);
    flush(500);
    struct solo_sim_memory early = now();
    for (int i = 0; i < 20; i++) {
        flush(500);
    }
    CU_ASSERT_EQUAL(now().taken, early.taken);
    CU_ASSERT_EQUAL(now().in_use, early.in_use);
}

static void test_sim_memory__the_same_sizes_again_and_again_take_no_more(void)
{
    simulate(plateau_body);
}

static void no_call(void *arg)
{
    (void)arg;
}

/* Kit objects that come and go: the kit itself forgets none. */
static void objects_body(void *arg)
{
    struct solo_reactor *reactor;
    (void)arg;
    size_t before = now().in_use;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &reactor), 0);
    for (int i = 0; i < 1000; i++) {
        struct solo_deferred *deferred;
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 1, no_call, NULL, NULL, NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, no_call, NULL, NULL), 0);
        CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
        CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(NULL)), 0);
        CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
        CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 2), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    CU_ASSERT_EQUAL(now().in_use, before);
}

static void test_sim_memory__objects_that_ended_are_not_in_use(void)
{
    simulate(objects_body);
}

static void test_sim_memory__bad_calls_are_refused(void)
{
    const struct solo_sim_options options = {.steps_max = 0};
    struct solo_sim_memory memory = {1, 2};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_get_memory(NULL, &memory), -EINVAL);
    CU_ASSERT_EQUAL(solo_sim_get_memory(sim, NULL), -EINVAL);
    CU_ASSERT_EQUAL(memory.taken, 1);
    solo_sim_destroy(sim);
}

void suite_sim_memory(void)
{
    SOLO_SUITE("sim_memory");
    SOLO_TEST(test_sim_memory__blocks_of_all_sizes_are_apart_and_aligned);
    SOLO_TEST(test_sim_memory__what_was_released_is_used_again_late);
    SOLO_TEST(test_sim_memory__the_same_sizes_again_and_again_take_no_more);
    SOLO_TEST(test_sim_memory__objects_that_ended_are_not_in_use);
    SOLO_TEST(test_sim_memory__bad_calls_are_refused);
}
