/* test_pool_control.c - one exact order of jobs and reports, arranged by hand. */
#include "pool_internal.h"
#include "worlds.h"
#include <solo/pool_control.h>

static struct solo_reactor *reactor;
static struct solo_pool *pool;

/* What the jobs and reports do, in the order in which the director lets them. */
static char order[64];
static size_t ordered;
static struct solo_semaphore *happened;

static void clear_order(void)
{
    ordered = 0;
    memset(order, 0, sizeof order);
}

/* From any thread: released, several jobs may run at once. */
static void put(char c)
{
    __atomic_store_n(&order[__atomic_fetch_add(&ordered, 1, __ATOMIC_RELAXED)], c, __ATOMIC_RELAXED);
    (void)solo_semaphore_post(happened);
}

static void await_one(void)
{
    (void)solo_semaphore_wait(happened, SOLO_NEVER);
}

static void job(void *arg)
{
    put(*(const char *)arg);
}

static void done(int status, void *arg)
{
    put(status == 0 ? (char)(*(const char *)arg - 'a' + 'A') : 'X');
}

static void stop(void *arg)
{
    (void)arg;
    worlds_stop(reactor);
}

static void queue(const char *name)
{
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, job, (void *)name, done), 0);
}

/* ---- The stage: the reactor runs on main, the director on a thread of its own ---- */

static void (*play)(void);

static void direct(void *arg)
{
    (void)arg;
    play();
    (void)solo_pool_hold(pool, false);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
}

static struct solo_thread *director;

static void raise_curtain(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_thread_create(direct, NULL, &director), 0);
}

/* Runs `actors` jobs named a, b, ... on a held pool of `max` workers, as `play` says. */
static void stage(unsigned max, int actors, void (*directions)(void))
{
    static const char names[] = "abcdef";
    struct solo_reactor_options options = {.pool_max = max};
    clear_order();
    play = directions;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &happened), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_hold(pool, true), 0);
    for (int i = 0; i < actors; i++) {
        queue(&names[i]);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, raise_curtain, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(director), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(happened), 0);
}

static void expect_job(const struct solo_pool_job *listed, unsigned number, unsigned worker, enum solo_job_state state)
{
    CU_ASSERT_EQUAL(listed->number, number);
    CU_ASSERT_EQUAL(listed->worker, worker);
    CU_ASSERT_EQUAL(listed->state, state);
}

static size_t list(struct solo_pool_job *jobs, size_t jobs_max)
{
    size_t count = 99;
    CU_ASSERT_EQUAL(solo_pool_jobs(pool, jobs, jobs_max, &count), 0);
    return count;
}

/* A job has returned and its report is held: in world os that takes the worker a moment after the job's last word. */
static void await_finished(unsigned number)
{
    for (;;) {
        struct solo_pool_job jobs[8];
        size_t count = list(jobs, 8);
        for (size_t i = 0; i < count; i++) {
            if (jobs[i].number == number && jobs[i].state == SOLO_JOB_FINISHED) {
                return;
            }
        }
        (void)solo_sleep(1); /* a nanosecond: lets the worker go on, in either world */
    }
}

/* ---- Starting ---- */

static void start(unsigned number, unsigned worker)
{
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, number, worker), 0);
    await_one();
}

static void complete(unsigned number)
{
    CU_ASSERT_EQUAL(solo_pool_complete_job(pool, number), 0);
    await_one();
}

static void backwards(void)
{
    start(3, 1);
    start(1, 2);
    start(2, 3);
    CU_ASSERT_STRING_EQUAL(order, "cab");
    complete(2);
    complete(3);
    complete(1);
    CU_ASSERT_STRING_EQUAL(order, "cabBCA");
}

static void exact_order_body(void)
{
    stage(3, 3, backwards);
    CU_ASSERT_STRING_EQUAL(order, "cabBCA");
}

static void test_pool_control__jobs_begin_and_report_in_exactly_the_order_given(void)
{
    worlds_run(exact_order_body);
}

static void one_by_one(void)
{
    struct solo_pool_job jobs[4];
    CU_ASSERT_EQUAL(list(jobs, 4), 3);
    expect_job(&jobs[0], 1, 0, SOLO_JOB_QUEUED);
    expect_job(&jobs[1], 2, 0, SOLO_JOB_QUEUED);
    expect_job(&jobs[2], 3, 0, SOLO_JOB_QUEUED);
    start(2, 2);
    await_finished(2);
    CU_ASSERT_EQUAL(list(jobs, 4), 3);
    expect_job(&jobs[0], 1, 0, SOLO_JOB_QUEUED);
    expect_job(&jobs[1], 2, 2, SOLO_JOB_FINISHED);
    expect_job(&jobs[2], 3, 0, SOLO_JOB_QUEUED);
    CU_ASSERT_EQUAL(list(jobs, 1), 3); /* more than there is room for: counted all the same */
    expect_job(&jobs[0], 1, 0, SOLO_JOB_QUEUED);
    CU_ASSERT_EQUAL(list(NULL, 0), 3);
    complete(2);
    CU_ASSERT_EQUAL(list(jobs, 4), 2);
    expect_job(&jobs[1], 3, 0, SOLO_JOB_QUEUED);
    CU_ASSERT_STRING_EQUAL(order, "bB");
}

static void listing_body(void)
{
    stage(2, 3, one_by_one);
    CU_ASSERT_EQUAL(strlen(order), 6); /* released, everything went on */
}

static void test_pool_control__the_list_says_where_each_job_is(void)
{
    worlds_run(listing_body);
}

static void refusals(void)
{
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 0, 0), -ENOENT);
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 4, 0), -ENOENT);
    CU_ASSERT_EQUAL(solo_pool_complete_job(pool, 1), -ENOENT); /* not started */
    CU_ASSERT_EQUAL(solo_pool_complete_job(pool, 9), -ENOENT);
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 1, 2), -EBUSY); /* one worker at most: there is no second */
    start(1, 1);
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 1, 1), -ENOENT); /* started before */
    await_finished(1);
    complete(1);
    CU_ASSERT_EQUAL(solo_pool_complete_job(pool, 1), -ENOENT); /* reported before */
    CU_ASSERT_STRING_EQUAL(order, "aA");
}

static void refusals_body(void)
{
    stage(1, 2, refusals);
    CU_ASSERT_STRING_EQUAL(order, "aAbB");
}

static void test_pool_control__what_is_not_there_is_refused(void)
{
    worlds_run(refusals_body);
}

static void bad_body(void)
{
    size_t count = 7;
    CU_ASSERT_EQUAL(solo_pool_hold(NULL, true), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_jobs(NULL, NULL, 0, &count), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_start_job(NULL, 1, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_complete_job(NULL, 1), -EINVAL);
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_jobs(pool, NULL, 0, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_jobs(pool, NULL, 1, &count), -EINVAL);
    CU_ASSERT_EQUAL(count, 7);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, stop, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 1, 1), -EBUSY); /* the reactor does not run: there are no workers */
    worlds_destroy(reactor);
}

static void test_pool_control__bad_arguments_are_refused(void)
{
    worlds_run(bad_body);
}

/* ---- A busy worker ---- */

static struct solo_semaphore *leave;

static void stay(void *arg)
{
    put(*(const char *)arg);
    (void)solo_semaphore_wait(leave, SOLO_NEVER);
}

static void keep_one_busy(void)
{
    struct solo_pool_job jobs[2];
    start(1, 1);
    CU_ASSERT_EQUAL(list(jobs, 2), 2);
    expect_job(&jobs[0], 1, 1, SOLO_JOB_STARTED);
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 2, 1), -EBUSY);
    CU_ASSERT_EQUAL(solo_pool_complete_job(pool, 1), 0); /* still running: it will report as soon as it ends */
    CU_ASSERT_EQUAL(solo_semaphore_post(leave), 0);
    await_one();
    CU_ASSERT_STRING_EQUAL(order, "aA");
    start(2, 0);
    CU_ASSERT_STRING_EQUAL(order, "aAb");
}

static void busy_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1};
    clear_order();
    play = keep_one_busy;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &happened), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &leave), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_hold(pool, true), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, stay, "a", done), 0);
    queue("b");
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, raise_curtain, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(director), 0);
    worlds_destroy(reactor);
    CU_ASSERT_STRING_EQUAL(order, "aAbB");
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(happened), 0);
}

static void test_pool_control__a_running_job_may_be_completed_in_advance_and_its_worker_is_busy(void)
{
    worlds_run(busy_body);
}

/* ---- Holding ---- */

static void look_only(void)
{
    struct solo_pool_statistics now;
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
    CU_ASSERT_EQUAL(now.queued, 4);
    CU_ASSERT_EQUAL(now.ran, 0);
    CU_ASSERT_EQUAL(now.busy, 0);
    CU_ASSERT_EQUAL(now.workers, 2); /* they are there and wait for the word */
    CU_ASSERT_STRING_EQUAL(order, "");
}

static void held_body(void)
{
    stage(2, 4, look_only);
    CU_ASSERT_EQUAL(strlen(order), 8);
}

static void test_pool_control__nothing_begins_while_held_and_everything_goes_on_when_released(void)
{
    worlds_run(held_body);
}

static void finish_two(void)
{
    start(1, 0);
    await_finished(1);
    start(2, 0);
    await_finished(2);
    CU_ASSERT_STRING_EQUAL(order, "ab");
}

static void released_body(void)
{
    stage(1, 2, finish_two); /* the release reports both, the oldest first */
    CU_ASSERT_STRING_EQUAL(order, "abAB");
}

static void test_pool_control__a_release_reports_what_was_held_in_order(void)
{
    worlds_run(released_body);
}

/* ---- Stopping a held pool ---- */

static void no_release(void)
{
    start(2, 0);
    await_finished(2);
    start(1, 0);
    complete(2);
    complete(1);
}

static void direct_without_release(void *arg)
{
    (void)arg;
    no_release();
}

static void stop_and_direct(void *arg)
{
    stop(arg);
    CU_ASSERT_EQUAL(solo_thread_create(direct_without_release, NULL, &director), 0);
}

static void drain_by_hand_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1};
    clear_order();
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &happened), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_hold(pool, true), 0);
    queue("a");
    queue("b");
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_and_direct, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(director), 0);
    worlds_destroy(reactor);
    CU_ASSERT_STRING_EQUAL(order, "baBA");
    CU_ASSERT_EQUAL(solo_semaphore_destroy(happened), 0);
}

static void nobody_directs_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1, .drain_max_ns = WORLDS_MS};
    clear_order();
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &happened), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_hold(pool, true), 0);
    queue("a");
    queue("b");
    worlds_run_to_end(reactor);
    worlds_destroy(reactor);
    CU_ASSERT_STRING_EQUAL(order, "XX");
    worlds_expect(SOLO011_WORK_LOST, 1);
    CU_ASSERT_EQUAL(worlds_finding(SOLO011_WORK_LOST)->amount, 2);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(happened), 0);
}

static void test_pool_control__a_held_pool_that_nobody_releases_ends_with_its_work_handed_back(void)
{
    worlds_run(nobody_directs_body);
}

static void test_pool_control__a_stopping_pool_can_be_drained_by_hand(void)
{
    worlds_run(drain_by_hand_body);
}

/* ---- Numbers come round ---- */

static void leave_it(void *arg)
{
    (void)arg;
}

static void numbers_body(void)
{
    enum { AROUND = 5 };
    static char letters[AROUND] = "abcde";
    struct solo_reactor_options options = {.pool_max = 1};
    struct solo_reactor *numbered = NULL;
    struct solo_pool *its_pool = NULL;
    struct solo_pool_job jobs[AROUND];
    unsigned numbers[AROUND] = {0};
    size_t count = 0;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &numbered), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(numbered, &its_pool), 0);
    its_pool->last_number = UINT32_MAX - 2; /* as after so many jobs */
    its_pool->accepted = its_pool->handed_back = UINT32_MAX - 2;
    for (int i = 0; i < AROUND; i++) {
        CU_ASSERT_EQUAL(solo_pool_call_in_thread(its_pool, leave_it, &letters[i], note_done, &numbers[i]), 0);
    }
    CU_ASSERT_EQUAL(numbers[0], UINT32_MAX - 1);
    CU_ASSERT_EQUAL(numbers[1], UINT32_MAX);
    CU_ASSERT_EQUAL(numbers[2], 1);
    CU_ASSERT_EQUAL(numbers[4], 3);
    CU_ASSERT_EQUAL(solo_pool_jobs(its_pool, jobs, AROUND, &count), 0);
    CU_ASSERT_EQUAL(count, AROUND);
    for (size_t i = 0; i < count && i < AROUND; i++) {
        CU_ASSERT_EQUAL(jobs[i].number, numbers[i]);
    }
    CU_ASSERT_EQUAL(solo_pool_cancel(its_pool, UINT32_MAX), 0);
    CU_ASSERT_EQUAL(solo_pool_cancel(its_pool, UINT32_MAX), SOLO_EALREADYCALLED);
    CU_ASSERT_EQUAL(solo_pool_cancel(its_pool, 2), 0);
    CU_ASSERT_EQUAL(solo_pool_cancel(its_pool, 0), -EINVAL);
    worlds_run_to_end(numbered);
    CU_ASSERT_EQUAL(strlen(worlds.notes), 2 * AROUND);
    if (worlds.sim == NULL) { /* there a lone worker takes the oldest first */
        noted("CbCd=a=c=e");
    }
    worlds_destroy(numbered);
}

static void test_pool_control__numbers_of_jobs_come_round_and_their_order_stays(void)
{
    worlds_run(numbers_body);
}

void suite_pool_control(void)
{
    SOLO_SUITE("pool_control");
    SOLO_TEST(test_pool_control__numbers_of_jobs_come_round_and_their_order_stays);
    SOLO_TEST(test_pool_control__jobs_begin_and_report_in_exactly_the_order_given);
    SOLO_TEST(test_pool_control__the_list_says_where_each_job_is);
    SOLO_TEST(test_pool_control__what_is_not_there_is_refused);
    SOLO_TEST(test_pool_control__bad_arguments_are_refused);
    SOLO_TEST(test_pool_control__a_running_job_may_be_completed_in_advance_and_its_worker_is_busy);
    SOLO_TEST(test_pool_control__nothing_begins_while_held_and_everything_goes_on_when_released);
    SOLO_TEST(test_pool_control__a_release_reports_what_was_held_in_order);
    SOLO_TEST(test_pool_control__a_held_pool_that_nobody_releases_ends_with_its_work_handed_back);
    SOLO_TEST(test_pool_control__a_stopping_pool_can_be_drained_by_hand);
}
