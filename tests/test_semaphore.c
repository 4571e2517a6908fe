/* test_semaphore.c - the counting semaphore of solo/thread.h, in both worlds. */
#include "self.h"
#include "worlds.h"
#include <limits.h>
#include <solo/thread.h>

static struct solo_semaphore *make(unsigned count)
{
    struct solo_semaphore *semaphore = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(count, &semaphore), 0);
    return semaphore;
}

static void post(struct solo_semaphore *semaphore)
{
    CU_ASSERT_EQUAL(solo_semaphore_post(semaphore), 0);
}

static void take(struct solo_semaphore *semaphore)
{
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, SOLO_NEVER), 0);
}

static void destroy(struct solo_semaphore *semaphore)
{
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), 0);
}

static struct solo_thread *start(solo_thread_fn fn, void *arg)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, arg, &thread), 0);
    return thread;
}

static void join(struct solo_thread *thread)
{
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

/* ---- Counting ---- */

static void it_gives_what_it_has(void)
{
    struct solo_semaphore *semaphore = make(2);
    take(semaphore);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 0), 0);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 0), -ETIMEDOUT);
    post(semaphore);
    post(semaphore);
    take(semaphore);
    take(semaphore);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 0), -ETIMEDOUT);
    destroy(semaphore);
}

static void test_semaphore__it_gives_as_many_as_it_was_given(void)
{
    worlds_run(it_gives_what_it_has);
}

static void it_has_a_limit(void)
{
    struct solo_semaphore *semaphore = make(UINT_MAX - 1);
    post(semaphore);
    CU_ASSERT_EQUAL(solo_semaphore_post(semaphore), SOLO_ELIMIT);
    take(semaphore);
    post(semaphore);
    destroy(semaphore);
}

static void test_semaphore__a_post_beyond_its_limit_is_refused(void)
{
    worlds_run(it_has_a_limit);
}

/* ---- Waiting ---- */

struct ping_pong {
    struct solo_semaphore *ping, *pong;
};

enum { ROUNDS = 5 };

static void answer(void *arg)
{
    struct ping_pong *game = arg;
    for (int i = 0; i < ROUNDS; i++) {
        take(game->ping);
        note('b');
        post(game->pong);
    }
}

static void two_threads_take_turns(void)
{
    struct ping_pong game = {make(0), make(0)};
    struct solo_thread *other = start(answer, &game);
    for (int i = 0; i < ROUNDS; i++) {
        note('a');
        post(game.ping);
        take(game.pong);
    }
    join(other);
    noted("ababababab");
    destroy(game.ping);
    destroy(game.pong);
}

static void test_semaphore__two_threads_take_turns_by_it(void)
{
    worlds_run(two_threads_take_turns);
}

struct crowd {
    struct solo_semaphore *places;
    unsigned inside, most;
};

static void go_in_and_out(void *arg)
{
    struct crowd *crowd = arg;
    take(crowd->places);
    unsigned inside = __atomic_add_fetch(&crowd->inside, 1, __ATOMIC_RELAXED);
    unsigned most = __atomic_load_n(&crowd->most, __ATOMIC_RELAXED);
    while (inside > most &&
           !__atomic_compare_exchange_n(&crowd->most, &most, inside, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    solo_yield();
    __atomic_sub_fetch(&crowd->inside, 1, __ATOMIC_RELAXED);
    post(crowd->places);
}

enum { CROWD = 6, PLACES = 2 };

static void no_more_than_its_count_get_in(void)
{
    struct crowd crowd = {make(PLACES), 0, 0};
    struct solo_thread *threads[CROWD];
    for (unsigned i = 0; i < CROWD; i++) {
        threads[i] = start(go_in_and_out, &crowd);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        join(threads[i]);
    }
    CU_ASSERT_TRUE(crowd.most >= 1 && crowd.most <= PLACES);
    destroy(crowd.places);
}

static void test_semaphore__no_more_than_its_count_get_in_and_all_get_through(void)
{
    worlds_run(no_more_than_its_count_get_in);
}

/* ---- Time ---- */

static void a_wait_times_out(void)
{
    struct solo_semaphore *semaphore = make(0);
    uint64_t from_ns = solo_now();
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 3000), -ETIMEDOUT);
    CU_ASSERT_TRUE(solo_now() - from_ns >= 3000);
    CU_ASSERT_TRUE(worlds.sim == NULL || solo_now() - from_ns == 3000);
    post(semaphore); /* the one that gave up takes nothing later */
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 0), 0);
    destroy(semaphore);
}

static void test_semaphore__a_wait_times_out_and_takes_nothing(void)
{
    worlds_run(a_wait_times_out);
}

static void post_later(void *arg)
{
    solo_sleep(500);
    post(arg);
}

static void a_post_in_time_is_taken(void)
{
    struct solo_semaphore *semaphore = make(0);
    struct solo_thread *other = start(post_later, semaphore);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 1000), 0);
    CU_ASSERT_EQUAL(solo_now(), 500);
    join(other);
    destroy(semaphore);
}

static void test_semaphore__a_post_in_time_is_taken(void)
{
    worlds_run_sim(a_post_in_time_is_taken, WORLDS_SEEDS);
}

static void nearly_for_ever(void)
{
    struct solo_semaphore *semaphore = make(0);
    struct solo_thread *other = start(post_later, semaphore);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, SOLO_NEVER - 1), 0);
    join(other);
    destroy(semaphore);
}

static void test_semaphore__a_timeout_may_be_nearly_for_ever(void)
{
    worlds_run(nearly_for_ever);
}

/* ---- Quiescence ---- */

static void wait_for_ever(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(make(0), SOLO_NEVER);
}

static struct solo_waiter waiter;

static void look_at_waiter(int ending, void *arg)
{
    bool is_deadlock = false;
    (void)ending;
    (void)arg;
    CU_ASSERT_EQUAL(solo_sim_waiters(&waiter, 1, &is_deadlock), 1);
    CU_ASSERT_TRUE(is_deadlock);
}

static void test_semaphore__a_wait_that_nobody_ends_is_a_deadlock_that_names_it(void)
{
    struct solo_sim_options options = {.carrier = SOLO_CARRIER_FIBER};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, look_at_waiter, NULL);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 1, wait_for_ever, NULL), SOLO_ENDING_DEADLOCK);
    CU_ASSERT_STRING_EQUAL(waiter.thread, "main");
    CU_ASSERT_STRING_EQUAL(waiter.object, "semaphore#1");
    CU_ASSERT_STRING_EQUAL(waiter.holder, "");
    CU_ASSERT_EQUAL(waiter.wait_kind, SOLO_WAIT_SEMAPHORE);
    solo_sim_destroy(sim);
}

/* ---- Bad use ---- */

static void wait_here(void *arg)
{
    take(arg);
}

static void not_while_somebody_waits(void)
{
    struct solo_semaphore *semaphore = make(0);
    struct solo_thread *thread = start(wait_here, semaphore);
    solo_sleep(1);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), -EBUSY);
    post(semaphore);
    join(thread);
    destroy(semaphore);
}

static void test_semaphore__it_is_not_destroyed_while_somebody_waits(void)
{
    worlds_run_sim(not_while_somebody_waits, 5);
}

static void after_its_end(void)
{
    struct solo_semaphore *semaphore = make(1);
    destroy(semaphore);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 0), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_semaphore_post(semaphore), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 3);
}

static void test_semaphore__use_after_destroy_is_solo006(void)
{
    worlds_run(after_its_end);
}

static void bad_arguments(void)
{
    CU_ASSERT_EQUAL(solo_semaphore_create(1, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_semaphore_wait(NULL, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_semaphore_post(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(NULL), 0);
    CU_ASSERT_EQUAL(solo_semaphore_post((struct solo_semaphore *)(void *)solo__self_get()), -EINVAL);
}

static void test_semaphore__what_is_no_semaphore_is_refused(void)
{
    worlds_run(bad_arguments);
}

/* ---- What is announced ---- */

static void write_down(const struct solo_event *event, void *arg)
{
    char *seen = arg;
    size_t used = strlen(seen);
    if (event->kind == SOLO_PROBE_WAITED) {
        snprintf(seen + used, 256 - used, "waited=%d ", (int)event->value);
    } else if (event->kind != SOLO_PROBE_TIME) {
        snprintf(seen + used, 256 - used, "%s ", solo_probe_kind_text(event->kind));
    }
}

static void steps_are_announced(void)
{
    struct solo_semaphore *semaphore = make(0);
    char seen[256] = "";
    CU_ASSERT_EQUAL(solo_probe_subscribe(write_down, seen), 0);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 10), -ETIMEDOUT);
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, 0), -ETIMEDOUT);
    post(semaphore);
    take(semaphore);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(write_down, seen), 0);
    CU_ASSERT_STRING_EQUAL(seen, "wait block unblock waited=-110 wait waited=-110 signal wait waited=0 ");
    destroy(semaphore);
}

static void test_semaphore__the_steps_are_announced_and_blocking_only_when_it_happens(void)
{
    worlds_run_sim(steps_are_announced, 1);
}

void suite_semaphore(void)
{
    SOLO_SUITE("semaphore");
    SOLO_TEST(test_semaphore__it_gives_as_many_as_it_was_given);
    SOLO_TEST(test_semaphore__a_post_beyond_its_limit_is_refused);
    SOLO_TEST(test_semaphore__two_threads_take_turns_by_it);
    SOLO_TEST(test_semaphore__no_more_than_its_count_get_in_and_all_get_through);
    SOLO_TEST(test_semaphore__a_wait_times_out_and_takes_nothing);
    SOLO_TEST(test_semaphore__a_post_in_time_is_taken);
    SOLO_TEST(test_semaphore__a_timeout_may_be_nearly_for_ever);
    SOLO_TEST(test_semaphore__a_wait_that_nobody_ends_is_a_deadlock_that_names_it);
    SOLO_TEST(test_semaphore__it_is_not_destroyed_while_somebody_waits);
    SOLO_TEST(test_semaphore__use_after_destroy_is_solo006);
    SOLO_TEST(test_semaphore__what_is_no_semaphore_is_refused);
    SOLO_TEST(test_semaphore__the_steps_are_announced_and_blocking_only_when_it_happens);
}
