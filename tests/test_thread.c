/* test_thread.c - solo/thread.h without its locks: create, join, yield, sleep, time and randomness, in both worlds. */
#include <solo/thread.h>
#include "self.h"
#include "refusing_world.h"
#include <pthread.h>

static void set(void *arg)
{
    *(int *)arg = 1;
}

static void nothing(void *arg)
{
    (void)arg;
}

static struct solo_thread *create(solo_thread_fn fn, void *arg)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, arg, &thread), 0);
    return thread;
}

static void join(struct solo_thread *thread)
{
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

/* ---- Create and join ---- */

static void what_a_thread_did_is_seen_after_join(void)
{
    int done = 0;
    join(create(set, &done));
    CU_ASSERT_EQUAL(done, 1);
}

static void test_thread__what_a_thread_did_is_seen_after_join(void)
{
    worlds_run(what_a_thread_did_is_seen_after_join);
}

static void a_thread_is_joined_once(void)
{
    struct solo_thread *thread = create(nothing, NULL);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_thread_join(thread), SOLO_ECLOSED);
}

static void test_thread__a_thread_is_joined_once(void)
{
    worlds_run(a_thread_is_joined_once);
}

struct joiner {
    struct solo_thread *whom;
    int result;
};

static void try_to_join(void *arg)
{
    struct joiner *joiner = arg;
    joiner->result = solo_thread_join(joiner->whom);
}

static void wait_for_semaphore(void *arg)
{
    CU_ASSERT_EQUAL(solo_semaphore_wait(arg, SOLO_NEVER), 0);
}

static void one_of_two_joiners_succeeds(void)
{
    struct solo_semaphore *go = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &go), 0);
    struct solo_thread *thread = create(wait_for_semaphore, go);
    struct joiner first = {thread, 1}, second = {thread, 1};
    struct solo_thread *a = create(try_to_join, &first), *b = create(try_to_join, &second);
    CU_ASSERT_EQUAL(solo_semaphore_post(go), 0);
    join(a);
    join(b);
    CU_ASSERT_TRUE((first.result == 0 && second.result == SOLO_ECLOSED) ||
                   (first.result == SOLO_ECLOSED && second.result == 0));
    CU_ASSERT_EQUAL(solo_semaphore_destroy(go), 0);
}

static void test_thread__exactly_one_of_two_joiners_succeeds(void)
{
    worlds_run(one_of_two_joiners_succeeds);
}

static void join_myself(void *arg)
{
    *(int *)arg = solo_thread_join(solo__self_get());
}

static void a_thread_cannot_join_itself(void)
{
    int result = 0;
    struct solo_thread *thread = create(join_myself, &result);
    join(thread);
    CU_ASSERT_EQUAL(result, -EDEADLK);
}

static void test_thread__a_thread_cannot_join_itself(void)
{
    worlds_run(a_thread_cannot_join_itself);
}

static void bad_arguments_are_refused(void)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL((solo_thread_create)(NULL, NULL, &thread), -EINVAL);
    CU_ASSERT_EQUAL((solo_thread_create)(nothing, NULL, NULL), -EINVAL);
    CU_ASSERT_PTR_NULL(thread);
    CU_ASSERT_EQUAL(solo_thread_join(NULL), -EINVAL);
}

static void test_thread__bad_arguments_are_refused(void)
{
    worlds_run(bad_arguments_are_refused);
}

enum { MANY = 150 };

static void many_threads_at_a_time(void)
{
    static int done[MANY];
    struct solo_thread *threads[MANY];
    memset(done, 0, sizeof done);
    for (unsigned i = 0; i < MANY; i++) {
        threads[i] = create(set, &done[i]);
    }
    for (unsigned i = 0; i < MANY; i++) {
        join(threads[i]);
        CU_ASSERT_EQUAL(done[i], 1);
    }
}

static void test_thread__many_threads_may_live_at_a_time(void)
{
    worlds_run_os(many_threads_at_a_time);
    worlds_run_sim(many_threads_at_a_time, 2);
}

static void too_many_threads(void)
{
    struct solo_semaphore *go = NULL;
    struct solo_thread *threads[SOLO_SIM_THREADS_MAX], *one_more = NULL;
    unsigned count = 0;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &go), 0);
    while (count < SOLO_SIM_THREADS_MAX && (solo_thread_create)(wait_for_semaphore, go, &threads[count]) == 0) {
        count++;
    }
    CU_ASSERT_EQUAL(count, SOLO_SIM_THREADS_MAX - 1); /* and main */
    CU_ASSERT_EQUAL((solo_thread_create)(wait_for_semaphore, go, &one_more), -EAGAIN);
    CU_ASSERT_PTR_NULL(one_more);
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_semaphore_post(go), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        join(threads[i]);
    }
    join(create(nothing, NULL)); /* there is room again */
    CU_ASSERT_EQUAL(solo_semaphore_destroy(go), 0);
}

static void test_thread__a_simulation_holds_200_threads_and_refuses_the_next(void)
{
    worlds_run_sim(too_many_threads, 1);
}

static void a_refused_start_uses_up_no_name(void)
{
    struct solo_thread *threads[SOLO_SIM_THREADS_MAX], *refused = NULL;
    struct solo_semaphore *go = NULL;
    unsigned count = 0;
    char name[32];
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &go), 0);
    while ((solo_thread_create)(wait_for_semaphore, go, &threads[count]) == 0) {
        count++;
    }
    CU_ASSERT_EQUAL((solo_thread_create)(nothing, NULL, &refused), -EAGAIN);
    CU_ASSERT_EQUAL(solo_semaphore_post(go), 0);
    join(threads[0]);
    threads[0] = create(wait_for_semaphore, go);
    solo__thread_print_name(threads[0], name, sizeof name);
    CU_ASSERT_STRING_EQUAL(name, "main/200");
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_semaphore_post(go), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        join(threads[i]);
    }
}

static void test_thread__a_refused_start_uses_up_no_name(void)
{
    worlds_simulate(a_refused_start_uses_up_no_name, SOLO_CARRIER_FIBER, false, 1);
}

/* ---- Yield ---- */

static char order[8];
static unsigned interleavings;

static void write_twice(void *arg)
{
    strcat(order, arg);
    solo_yield();
    strcat(order, arg);
}

static void yielding_lets_others_go_first(void)
{
    static char a[] = "a", b[] = "b";
    order[0] = '\0';
    struct solo_thread *first = create(write_twice, a), *second = create(write_twice, b);
    join(first);
    join(second);
    CU_ASSERT_EQUAL(strlen(order), 4);
    interleavings |= strcmp(order, "aabb") == 0 ? 1u : strcmp(order, "bbaa") == 0 ? 2u : 4u;
}

static void test_thread__yield_is_a_point_where_others_may_go_first(void)
{
    worlds_run_sim(yielding_lets_others_go_first, 50);
    CU_ASSERT_EQUAL(interleavings, 7); /* one after the other, the other way round, and mixed */
}

/* ---- Time ---- */

static void sleep_takes_at_least_its_time(void)
{
    uint64_t from_ns = solo_now();
    CU_ASSERT_EQUAL(solo_sleep(1000), 0);
    uint64_t to_ns = solo_now();
    CU_ASSERT_TRUE(to_ns - from_ns >= 1000);
    CU_ASSERT_TRUE(worlds.sim == NULL || to_ns - from_ns == 1000);
    CU_ASSERT_EQUAL(solo_sleep(0), 0);
}

static void test_thread__sleep_takes_at_least_its_time_and_in_a_simulation_exactly(void)
{
    worlds_run(sleep_takes_at_least_its_time);
}

struct sleeper {
    uint64_t duration_ns, woke_ns;
};

static void sleep_long(void *arg)
{
    struct sleeper *sleeper = arg;
    CU_ASSERT_EQUAL(solo_sleep(sleeper->duration_ns), 0);
    sleeper->woke_ns = solo_now();
}

static void everybody_wakes_in_time(void)
{
    struct sleeper hour = {3600 * 1000 * WORLDS_MS, 0}, moment = {WORLDS_MS, 0};
    struct solo_thread *late = create(sleep_long, &hour), *early = create(sleep_long, &moment);
    join(late);
    join(early);
    CU_ASSERT_EQUAL(hour.woke_ns, hour.duration_ns);
    CU_ASSERT_EQUAL(moment.woke_ns, moment.duration_ns);
}

static void test_thread__sleeping_costs_nothing_in_a_simulation(void)
{
    worlds_run_sim(everybody_wakes_in_time, WORLDS_SEEDS);
}

static void sleep_is_announced(const struct solo_event *event, void *arg)
{
    char *seen = arg;
    size_t used = strlen(seen);
    seen[used] = event->kind == SOLO_PROBE_SLEEP     ? 'S'
                 : event->kind == SOLO_PROBE_BLOCK   ? (event->value == SOLO_WAIT_SLEEP ? 'B' : '?')
                 : event->kind == SOLO_PROBE_UNBLOCK ? 'U'
                                                     : '\0';
}

static void a_real_sleep_blocks(void)
{
    char seen[64] = "";
    (void)solo_now();
    CU_ASSERT_EQUAL(solo_probe_subscribe(sleep_is_announced, seen), 0);
    CU_ASSERT_EQUAL(solo_sleep(0), 0);
    CU_ASSERT_STRING_EQUAL(seen, "S");
    seen[0] = '\0';
    CU_ASSERT_EQUAL(solo_sleep(1000000), 0);
    CU_ASSERT_STRING_EQUAL(seen, "SBU");
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(sleep_is_announced, seen), 0);
}

static void test_thread__a_sleep_is_announced_and_blocks_only_if_it_takes_time(void)
{
    worlds_run(a_real_sleep_blocks);
}

static void advance(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_sleep(SOLO_NEVER), 0);
}

static void for_ever(void)
{
    (void)create(advance, NULL);
    CU_ASSERT_EQUAL(solo_sleep(5), 0);
    CU_ASSERT_EQUAL(solo_now(), 5);
}

static void test_thread__to_sleep_for_ever_is_possible(void)
{
    worlds_run_sim(for_ever, 2);
}

/* ---- Randomness ---- */

static uint64_t drawn[4];

static void draw(void)
{
    CU_ASSERT_EQUAL(solo_random(drawn, sizeof drawn), 0);
    CU_ASSERT_EQUAL(solo_random(NULL, 8), -EINVAL);
    CU_ASSERT_EQUAL(solo_random(drawn, 0), 0);
}

static void test_thread__randomness_differs_in_world_os_and_is_the_same_in_each_schedule(void)
{
    uint64_t before[4];
    worlds_run_os(draw);
    memcpy(before, drawn, sizeof drawn);
    worlds_run_os(draw);
    CU_ASSERT_NOT_EQUAL(memcmp(before, drawn, sizeof drawn), 0);
    worlds_simulate(draw, SOLO_CARRIER_FIBER, false, 1);
    memcpy(before, drawn, sizeof drawn);
    worlds_simulate(draw, SOLO_CARRIER_FIBER, true, 3);
    CU_ASSERT_EQUAL(memcmp(before, drawn, sizeof drawn), 0);
    worlds_simulate(draw, SOLO_CARRIER_TOKEN, false, 1);
    CU_ASSERT_EQUAL(memcmp(before, drawn, sizeof drawn), 0);
}

/* ---- Foreign threads may use all of it ---- */

static void *use_as_foreign(void *arg)
{
    struct solo_mutex *mutex = arg;
    CU_ASSERT_EQUAL(solo_mutex_lock(mutex), 0);
    CU_ASSERT_EQUAL(solo_mutex_unlock(mutex), 0);
    CU_ASSERT_EQUAL(solo_sleep(1), 0);
    join(create(nothing, NULL));
    return NULL;
}

static void test_thread__a_thread_that_the_kit_did_not_start_may_use_it(void)
{
    struct solo_mutex *mutex = NULL;
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&mutex), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, use_as_foreign, mutex), 0);
    CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), 0);
}

/* ---- What is announced ---- */

static void life_of_a_thread(const struct solo_event *event, void *arg)
{
    char *seen = arg, name[32];
    const char *what = event->kind == SOLO_PROBE_THREAD_START   ? "start"
                       : event->kind == SOLO_PROBE_THREAD_BEGIN ? "begin"
                       : event->kind == SOLO_PROBE_THREAD_END   ? "end"
                       : event->kind == SOLO_PROBE_THREAD_JOIN  ? "join"
                                                                : NULL;
    if (what != NULL) {
        size_t used = strlen(seen);
        snprintf(seen + used, 256 - used, "%s:%s ", what, solo_object_name(event->object, name, sizeof name));
    }
}

static void a_life_is_announced(void)
{
    char seen[256] = "";
    (void)solo_now();
    CU_ASSERT_EQUAL(solo_probe_subscribe(life_of_a_thread, seen), 0);
    join(create(nothing, NULL));
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(life_of_a_thread, seen), 0);
    CU_ASSERT_STRING_EQUAL(seen, "start:main/1 join:main/1 begin:main/1 end:main/1 ");
}

static void test_thread__start_begin_end_and_join_are_announced_with_the_threads_name(void)
{
    worlds_simulate(a_life_is_announced, SOLO_CARRIER_FIBER, false, 1);
    worlds_simulate(a_life_is_announced, SOLO_CARRIER_TOKEN, false, 1);
}

/* ---- Refused memory: every allocation fails once ---- */

static unsigned refused;

/* Counts what was refused, and gives a pointer that must not have been touched then. */
static void check_made(int result, const void *object)
{
    CU_ASSERT_TRUE(result == 0 || result == -ENOMEM);
    CU_ASSERT_EQUAL(result == 0, object != NULL);
    refused += result != 0;
}

static void make_one_of_each(void)
{
    struct solo_mutex *mutex = NULL;
    struct solo_condition *condition = NULL;
    struct solo_semaphore *semaphore = NULL;
    struct solo_thread *thread = NULL;
    refused = 0;
    int result = solo_mutex_create(&mutex);
    check_made(result, mutex);
    result = solo_condition_create(&condition);
    check_made(result, condition);
    result = solo_semaphore_create(0, &semaphore);
    check_made(result, semaphore);
    result = (solo_thread_create)(nothing, NULL, &thread);
    check_made(result, thread);
    if (thread != NULL) {
        join(thread);
    }
    CU_ASSERT_TRUE(refused == refusing_has_refused() || refusing.for_good);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(semaphore), 0);
    CU_ASSERT_EQUAL(solo_condition_destroy(condition), 0);
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), 0);
}

static void test_thread__refused_memory_is_ENOMEM_and_leaves_nothing_behind(void)
{
    CU_ASSERT_EQUAL(refusing_run(make_one_of_each, REFUSE_FOR_GOOD), 4);
}

void suite_thread(void)
{
    SOLO_SUITE("thread");
    SOLO_TEST(test_thread__what_a_thread_did_is_seen_after_join);
    SOLO_TEST(test_thread__a_thread_is_joined_once);
    SOLO_TEST(test_thread__exactly_one_of_two_joiners_succeeds);
    SOLO_TEST(test_thread__a_thread_cannot_join_itself);
    SOLO_TEST(test_thread__bad_arguments_are_refused);
    SOLO_TEST(test_thread__many_threads_may_live_at_a_time);
    SOLO_TEST(test_thread__a_simulation_holds_200_threads_and_refuses_the_next);
    SOLO_TEST(test_thread__a_refused_start_uses_up_no_name);
    SOLO_TEST(test_thread__yield_is_a_point_where_others_may_go_first);
    SOLO_TEST(test_thread__sleep_takes_at_least_its_time_and_in_a_simulation_exactly);
    SOLO_TEST(test_thread__sleeping_costs_nothing_in_a_simulation);
    SOLO_TEST(test_thread__a_sleep_is_announced_and_blocks_only_if_it_takes_time);
    SOLO_TEST(test_thread__to_sleep_for_ever_is_possible);
    SOLO_TEST(test_thread__randomness_differs_in_world_os_and_is_the_same_in_each_schedule);
    SOLO_TEST(test_thread__a_thread_that_the_kit_did_not_start_may_use_it);
    SOLO_TEST(test_thread__start_begin_end_and_join_are_announced_with_the_threads_name);
    SOLO_TEST(test_thread__refused_memory_is_ENOMEM_and_leaves_nothing_behind);
}
