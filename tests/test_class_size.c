/*
 * test_class_size.c - how many schedules are alike, counted from one of them, against all of them, counted one by one.
 *
 * Plain search runs every schedule of a program, and each says how many are alike. No class may have fewer members than
 * one of them says. Where the threads share nothing but memory, and one thread waits once at most, it has just as many.
 */
#include "class_size.h"
#include "draw.h"
#include "estimate.h"
#include "runner.h"
#include <solo/access.h>
#include <solo/solo.h>
#include <string.h>

enum { OPERATIONS = 3, WORDS = 2, PLAIN_MAX = 20000 };

#if defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { DRAWN_MAX = 3 };
#else
enum { DRAWN_MAX = 40 };
#endif

static long words[WORDS];
static struct solo_mutex *mutex;
static struct solo_semaphore *semaphore;
static struct solo_reactor *reactor;

static void begin(struct solo_sim *sim)
{
    (void)sim;
}

static struct estimate_tally tally_of(void (*body)(void *arg))
{
    const struct reduction_case measured = {.body = body, .begin = begin};
    struct estimate_tally tally = {.ended = false};
    CU_ASSERT_TRUE(estimate_tally("dfs", &measured, PLAIN_MAX, &tally));
    CU_ASSERT_EQUAL(tally.overcounted, 0);
    return tally;
}

static void expect_exactly(void (*body)(void *arg), unsigned schedules, unsigned classes)
{
    struct estimate_tally tally = tally_of(body);
    CU_ASSERT_TRUE(tally.ended);
    CU_ASSERT_EQUAL(tally.schedules, schedules);
    CU_ASSERT_EQUAL(tally.classes, classes);
    CU_ASSERT_EQUAL(tally.exact, classes);
}

/* ---- Two threads: main, which joins the other ---- */

static void write_twice(void *arg)
{
    long *word = arg;
    SOLO_WRITE(*word, 1);
    SOLO_WRITE(*word, 2);
}

static void run_beside_main(solo_thread_fn fn, void *arg, solo_thread_fn mine, void *my_arg)
{
    struct solo_thread *thread;
    CU_ASSERT_EQUAL(solo_thread_create(fn, arg, &thread), 0);
    mine(my_arg);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

static void strangers(void *arg)
{
    (void)arg;
    run_beside_main(write_twice, &words[0], write_twice, &words[1]);
}

static void rivals(void *arg)
{
    (void)arg;
    run_beside_main(write_twice, &words[0], write_twice, &words[0]);
}

/*
 * Main has three turns to the other's three, of which the last of main's has to wait or not: as many orders as choose 3
 * of 6, less those that end with a turn of the other, after which main comes without a choice.
 */
static void test_class_size__all_orders_of_what_commutes_are_alike(void)
{
    struct estimate_tally tally = tally_of(strangers);
    expect_exactly(strangers, tally.schedules, 1);
    CU_ASSERT_EQUAL(tally.schedules, 20);
}

static void test_class_size__each_order_of_what_does_not_is_a_class(void)
{
    struct estimate_tally tally = tally_of(strangers);
    expect_exactly(rivals, tally.schedules, 6); /* 2 of 4 writes are main's */
}

/* ---- Waiting ---- */

static void add_under_lock(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(mutex);
    SOLO_WRITE(words[0], words[0] + 1);
    (void)solo_mutex_unlock(mutex);
}

static void lockers(void *arg)
{
    (void)arg;
    (void)solo_mutex_create(&mutex);
    run_beside_main(add_under_lock, NULL, add_under_lock, NULL);
}

static void test_class_size__turns_that_wait_for_a_lock_are_alike_with_later_ones(void)
{
    struct estimate_tally tally = tally_of(lockers);
    CU_ASSERT_TRUE(tally.ended);
    CU_ASSERT_EQUAL(tally.classes, 2);
    CU_ASSERT_EQUAL(tally.schedules, 18);
}

static void post(void *arg)
{
    (void)arg;
    (void)solo_semaphore_post(semaphore);
}

static void wait_for_post(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(semaphore, SOLO_NEVER);
}

static void wait_until_late(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(semaphore, 1000);
}

static void poster_and_waiter(void *arg)
{
    (void)arg;
    (void)solo_semaphore_create(0, &semaphore);
    run_beside_main(post, NULL, wait_for_post, NULL);
}

/* Time passes where nobody can run: who waits in vain has to have come. */
static void nobody_posts(void *arg)
{
    (void)arg;
    (void)solo_semaphore_create(0, &semaphore);
    run_beside_main(wait_until_late, NULL, write_twice, &words[0]);
}

static void test_class_size__a_wait_that_is_ended_may_not_have_been_needed(void)
{
    CU_ASSERT_EQUAL(tally_of(poster_and_waiter).classes, 1);
}

static void test_class_size__a_wait_that_time_ends_was_needed(void)
{
    struct estimate_tally tally = tally_of(nobody_posts);
    CU_ASSERT_TRUE(tally.ended);
    CU_ASSERT_EQUAL(tally.exact, tally.classes);
}

/* ---- Loops ---- */

static SOLO_REACTOR_ONLY void stop(int status, void *arg)
{
    (void)status;
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

static SOLO_POOL_ONLY void job(void *arg)
{
    (void)arg;
}

static void one_job(void *arg)
{
    struct solo_reactor_options options = {.pool_max = 1};
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
    (void)solo_reactor_call_in_thread(reactor, job, NULL, stop);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
}

static void test_class_size__of_a_loop_and_its_pool(void)
{
    struct estimate_tally tally = tally_of(one_job);
    CU_ASSERT_TRUE(tally.ended);
    CU_ASSERT_TRUE(tally.classes * 4 <= tally.schedules);
}

static SOLO_ANY_THREAD void piece(void *arg)
{
    (void)arg;
}

/* Ends of a worker that is alone with its queue: before or after it asks for work, and the second is refused. */
static void one_worker(void *arg)
{
    struct solo_worker *worker;
    (void)arg;
    CU_ASSERT_EQUAL(solo_thread_worker_create(&worker), 0);
    (void)solo_worker_do(worker, piece, NULL, NULL);
    (void)solo_worker_quit(worker);
    (void)solo_worker_destroy(worker);
}

static void test_class_size__of_a_worker_that_is_alone_with_its_queue(void)
{
    struct estimate_tally tally = tally_of(one_worker);
    CU_ASSERT_TRUE(tally.ended);
    CU_ASSERT_TRUE(tally.classes < tally.schedules);
}

/* ---- Programs that are drawn ---- */

static uint8_t program[3][OPERATIONS]; /* of each thread: what it does, 4 times the word */
static bool with_locks;

static void do_program(void *arg)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        uint8_t operation = program[(uintptr_t)arg][i];
        long *word = &words[operation / 4 % WORDS];
        if (operation % 4 == 0 && with_locks) {
            add_under_lock(NULL);
        } else if (operation % 4 == 1 && with_locks) {
            post(NULL);
        } else if (operation % 4 == 2) {
            (void)SOLO_READ(*word);
        } else {
            SOLO_WRITE(*word, 1);
        }
    }
}

static void two_of_a_kind(void *arg)
{
    (void)arg;
    run_beside_main(do_program, (void *)1, do_program, (void *)0);
}

static void wait_and_do(void *arg)
{
    wait_for_post(NULL);
    SOLO_WRITE(words[(uintptr_t)arg % WORDS], 1);
}

static void post_and_do(void *arg)
{
    post(NULL);
    do_program(arg);
    add_under_lock(NULL);
}

static void drawn_with_locks(void *arg)
{
    (void)arg;
    (void)solo_mutex_create(&mutex);
    (void)solo_semaphore_create(0, &semaphore);
    run_beside_main(wait_and_do, (void *)1, post_and_do, (void *)0);
}

static void draw_program(uint64_t *random)
{
    for (unsigned i = 0; i < 3 * OPERATIONS; i++) {
        program[i / OPERATIONS][i % OPERATIONS] = (uint8_t)solo__draw(random);
    }
}

static void test_class_size__is_exact_for_drawn_programs_that_share_memory(void)
{
    uint64_t random = runner_seed();
    with_locks = false;
    for (unsigned i = 0; i < DRAWN_MAX; i++) {
        draw_program(&random);
        struct estimate_tally tally = tally_of(two_of_a_kind);
        CU_ASSERT_TRUE(tally.ended);
        CU_ASSERT_EQUAL(tally.exact, tally.classes);
    }
}

static void test_class_size__is_never_too_great_for_drawn_programs_with_locks(void)
{
    uint64_t random = runner_seed();
    with_locks = true;
    for (unsigned i = 0; i < DRAWN_MAX; i++) {
        draw_program(&random);
        CU_ASSERT_TRUE(tally_of(drawn_with_locks).ended);
    }
}

void suite_class_size(void);
void suite_class_size(void)
{
    SOLO_SUITE("class_size");
    SOLO_TEST(test_class_size__all_orders_of_what_commutes_are_alike);
    SOLO_TEST(test_class_size__each_order_of_what_does_not_is_a_class);
    SOLO_TEST(test_class_size__turns_that_wait_for_a_lock_are_alike_with_later_ones);
    SOLO_TEST(test_class_size__a_wait_that_is_ended_may_not_have_been_needed);
    SOLO_TEST(test_class_size__a_wait_that_time_ends_was_needed);
    SOLO_TEST(test_class_size__of_a_loop_and_its_pool);
    SOLO_TEST(test_class_size__of_a_worker_that_is_alone_with_its_queue);
    SOLO_TEST(test_class_size__is_exact_for_drawn_programs_that_share_memory);
    SOLO_TEST(test_class_size__is_never_too_great_for_drawn_programs_with_locks);
}
