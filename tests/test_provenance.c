/* test_provenance.c - who queued a piece of work and from where: the walk along frame pointers, and where it ends. */
#include "provenance.h"
#include "self.h"
#include "worlds.h"
#include <pthread.h>

static __attribute__((noinline)) void take(struct solo__provenance *provenance)
{
    solo__provenance_take(provenance, 77, __builtin_frame_address(0), __builtin_return_address(0));
}

/* Recurses, so that there are at least `depth` frames; none of them may become a loop or a jump. */
static __attribute__((noinline)) void take_deep(struct solo__provenance *provenance, unsigned depth)
{
    if (depth == 0) {
        take(provenance);
    } else {
        take_deep(provenance, depth - 1);
    }
    __asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void take_stack_deep(struct solo_stack *stack, unsigned depth)
{
    if (depth == 0) {
        solo__stack_take(stack, __builtin_frame_address(0), __builtin_return_address(0));
    } else {
        take_stack_deep(stack, depth - 1);
    }
    __asm__ volatile("" ::: "memory");
}

static void it_says_who_and_what(void)
{
    struct solo__provenance provenance;
    take_deep(&provenance, 3);
    CU_ASSERT_EQUAL(provenance.object, 77);
    CU_ASSERT_EQUAL(provenance.thread, 0);
    CU_ASSERT_PTR_EQUAL(provenance.by, solo__self_get());
    CU_ASSERT_TRUE(provenance.count >= 1);
    CU_ASSERT_NOT_EQUAL(provenance.frames[0], 0);
}

static void test_provenance__it_says_who_queued_what(void)
{
    worlds_run(it_says_who_and_what);
}

static void full_frames_are_kept(void)
{
    struct solo__provenance provenance;
    take_deep(&provenance, 20);
    CU_ASSERT_EQUAL(provenance.count, SOLO__FRAMES);
    for (unsigned i = 2; i < SOLO__FRAMES; i++) { /* all are the one call in take_deep */
        CU_ASSERT_EQUAL(provenance.frames[i], provenance.frames[1]);
    }
}

static void test_provenance__a_simulation_keeps_full_frames(void)
{
    worlds_run_sim(full_frames_are_kept, 2);
    worlds_simulate(full_frames_are_kept, SOLO_CARRIER_TOKEN, false, 1);
}

static void test_provenance__world_os_keeps_one_address_unless_asked_for_all(void)
{
    struct solo__provenance provenance;
    solo__provenance_full = 0;
    take_deep(&provenance, 20);
    CU_ASSERT_EQUAL(provenance.count, 1);
    uint64_t first = provenance.frames[0];
    solo__provenance_full = 1;
    take_deep(&provenance, 20);
    CU_ASSERT_EQUAL(provenance.count, SOLO__FRAMES);
    CU_ASSERT_EQUAL(provenance.frames[0], first);
}

static void a_violations_stack_is_deep(void)
{
    struct solo_stack stack;
    take_stack_deep(&stack, 30);
    CU_ASSERT_EQUAL(stack.count, SOLO_STACK_MAX);
    CU_ASSERT_EQUAL(stack.frames[SOLO_STACK_MAX - 1], stack.frames[1]);
}

static void test_provenance__the_stack_of_a_violation_is_walked_in_both_worlds(void)
{
    worlds_run(a_violations_stack_is_deep);
}

static void walk_from_a_short_stack(void *arg)
{
    struct solo_stack *stack = arg;
    solo__stack_take(stack, __builtin_frame_address(0), __builtin_return_address(0));
}

static void the_walk_ends_at_the_end_of_the_stack(void)
{
    struct solo_thread *thread = NULL;
    struct solo_stack stack;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(walk_from_a_short_stack, &stack, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_TRUE(stack.count >= 1 && stack.count < SOLO_STACK_MAX);
}

static void test_provenance__the_walk_ends_at_the_end_of_the_stack(void)
{
    worlds_run(the_walk_ends_at_the_end_of_the_stack);
}

/* ---- Frames that are not what they should be ---- */

static unsigned walk_frames(uintptr_t *frame)
{
    struct solo_stack stack;
    solo__stack_take(&stack, frame, (void *)0x1234);
    CU_ASSERT_EQUAL(stack.frames[0], 0x1234);
    return stack.count;
}

static void test_provenance__a_frame_pointer_that_leads_astray_ends_the_walk(void)
{
    uintptr_t frames[8] = {0};
    uintptr_t here = (uintptr_t)frames;
    frames[2] = here + 4 * sizeof here; /* a second frame, which leads to a third */
    frames[3] = 0x5678;
    frames[0] = here + 2 * sizeof here;
    frames[5] = 0x9abc;
    CU_ASSERT_EQUAL(walk_frames(frames), 3);
    frames[0] = here; /* to itself */
    CU_ASSERT_EQUAL(walk_frames(frames), 1);
    frames[0] = here - 64; /* down */
    CU_ASSERT_EQUAL(walk_frames(frames), 1);
    frames[0] = here + 17; /* crooked */
    CU_ASSERT_EQUAL(walk_frames(frames), 1);
    frames[0] = 0x7; /* nowhere */
    CU_ASSERT_EQUAL(walk_frames(frames), 1);
    frames[0] = UINTPTR_MAX - 7;
    CU_ASSERT_EQUAL(walk_frames(frames), 1);
    frames[0] = here + 2 * sizeof here;
    frames[3] = 0; /* no return address */
    CU_ASSERT_EQUAL(walk_frames(frames), 1);
}

static void test_provenance__a_frame_off_the_stack_is_not_read(void)
{
    static uintptr_t elsewhere[4];
    CU_ASSERT_EQUAL(walk_frames(elsewhere), 1);
    CU_ASSERT_EQUAL(walk_frames(NULL), 1);
    CU_ASSERT_EQUAL(walk_frames((uintptr_t *)8), 1);
    CU_ASSERT_EQUAL(walk_frames((uintptr_t *)UINTPTR_MAX), 1);
    CU_ASSERT_EQUAL(walk_frames((uintptr_t *)(solo__self_get()->stack_high - 8)), 1);
}

static void test_provenance__without_known_bounds_one_address_is_kept(void)
{
    struct solo_thread *self = solo__self_get();
    struct solo_stack stack;
    self->stack_low = self->stack_high = 0;
    take_stack_deep(&stack, 10);
    CU_ASSERT_EQUAL(stack.count, 1);
}

static void *queue_as_foreign(void *arg)
{
    take(arg);
    return NULL;
}

static void test_provenance__a_foreign_thread_gets_an_identity_to_be_named_by(void)
{
    struct solo__provenance provenance;
    pthread_t thread;
    char name[32];
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, queue_as_foreign, &provenance), 0);
    CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
    CU_ASSERT_NOT_EQUAL(provenance.thread, 0);
    CU_ASSERT_STRING_EQUAL(solo__thread_print_name(provenance.by, name, sizeof name), "foreign#1"); /* in quarantine */
}

void suite_provenance(void)
{
    SOLO_SUITE("provenance");
    SOLO_TEST(test_provenance__it_says_who_queued_what);
    SOLO_TEST(test_provenance__a_simulation_keeps_full_frames);
    SOLO_TEST(test_provenance__world_os_keeps_one_address_unless_asked_for_all);
    SOLO_TEST(test_provenance__the_stack_of_a_violation_is_walked_in_both_worlds);
    SOLO_TEST(test_provenance__the_walk_ends_at_the_end_of_the_stack);
    SOLO_TEST(test_provenance__a_frame_pointer_that_leads_astray_ends_the_walk);
    SOLO_TEST(test_provenance__a_frame_off_the_stack_is_not_read);
    SOLO_TEST(test_provenance__without_known_bounds_one_address_is_kept);
    SOLO_TEST(test_provenance__a_foreign_thread_gets_an_identity_to_be_named_by);
}
