/* test_job.c - jobs with a callback, jobs of several pieces, jobs that are taken back. */
#include "refusing_world.h"

static struct solo_reactor *reactor;
static struct solo_pool *pool;
static struct solo_semaphore *inside, *leave;

static void begin(unsigned max)
{
    struct solo_reactor_options options = {.pool_max = max};
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &inside), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &leave), 0);
}

static void end(void)
{
    CU_ASSERT_EQUAL(solo_semaphore_destroy(inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
}

static void run_and_end(void)
{
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    end();
}

static void stop(void *arg)
{
    (void)arg;
    worlds_stop(reactor);
}

static void stay(void *arg)
{
    (void)arg;
    (void)solo_semaphore_post(inside);
    (void)solo_semaphore_wait(leave, SOLO_NEVER);
}

static struct solo_pool_statistics statistics(void)
{
    struct solo_pool_statistics now;
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
    return now;
}

/* ---- A callback on the result ---- */

static struct {
    int told;
    int status;
    void *value;
    bool on_reactor;
    unsigned job_in_callback;
    char work_thread[32], result_thread[32];
} seen;

static struct solo_result answer(void *arg)
{
    (void)solo_thread_name(seen.work_thread, sizeof seen.work_thread);
    return solo_value(arg);
}

static struct solo_result fail(void *arg)
{
    (void)arg;
    return solo_failure(-EIO);
}

static void on_result(struct solo_result result, void *arg)
{
    (void)arg;
    seen.told++;
    seen.status = result.status;
    seen.value = result.value;
    seen.job_in_callback = solo_pool_current_job();
    (void)solo_reactor_is_reactor_thread(reactor, &seen.on_reactor);
    (void)solo_thread_name(seen.result_thread, sizeof seen.result_thread);
}

static void callback_of(solo_work_fn work)
{
    unsigned number = 0;
    memset(&seen, 0, sizeof seen);
    begin(2);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(pool, work, "value", on_result, &number), 0);
    CU_ASSERT_EQUAL(number, 1);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
    run_and_end();
    CU_ASSERT_EQUAL(seen.told, 1);
    CU_ASSERT(!seen.on_reactor);
    CU_ASSERT_EQUAL(seen.job_in_callback, 1);
}

static void callback_body(void)
{
    callback_of(answer);
    CU_ASSERT_EQUAL(seen.status, 0);
    CU_ASSERT_STRING_EQUAL((const char *)seen.value, "value");
    CU_ASSERT_STRING_EQUAL(seen.work_thread, "pool#1");
    CU_ASSERT_STRING_EQUAL(seen.result_thread, "pool#1");
    callback_of(fail);
    CU_ASSERT_EQUAL(seen.status, -EIO);
    CU_ASSERT_PTR_NULL(seen.value);
}

static void test_job__a_callback_gets_the_result_once_on_the_same_worker(void)
{
    worlds_run(callback_body);
}

static struct solo_result odd(void *arg)
{
    (void)arg;
    return (struct solo_result){7, NULL, NULL};
}

static void odd_body(void)
{
    callback_of(odd);
    CU_ASSERT_EQUAL(seen.status, -EINVAL);
}

static void test_job__a_result_that_is_neither_value_nor_failure_is_a_failure(void)
{
    worlds_run(odd_body);
}

static void never_runs_body(void)
{
    memset(&seen, 0, sizeof seen);
    begin(1);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(pool, answer, NULL, on_result, NULL), 0);
    worlds_destroy(reactor);
    end();
    CU_ASSERT_EQUAL(seen.told, 1);
    CU_ASSERT_EQUAL(seen.status, SOLO_ECLOSING);
    CU_ASSERT_STRING_EQUAL(seen.result_thread, "main");
    CU_ASSERT_STRING_EQUAL(seen.work_thread, "");
}

static void test_job__a_callback_of_work_that_never_runs_gets_a_failure_on_the_reactor_thread(void)
{
    worlds_run(never_runs_body);
}

static struct solo_semaphore *back;

static struct solo_result overstay(void *arg)
{
    stay(arg);
    (void)solo_semaphore_post(back);
    return solo_value(NULL);
}

static void stop_when_inside(void *arg)
{
    (void)solo_semaphore_wait(inside, SOLO_NEVER);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, arg, NULL), 0);
}

static void left_behind_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1, .drain_max_ns = 5 * WORLDS_MS};
    struct solo_thread *stopper = NULL;
    memset(&seen, 0, sizeof seen);
    begin(1);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_semaphore_create(0, &back), 0);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(pool, overstay, NULL, on_result, NULL), 0);
    CU_ASSERT_EQUAL(solo_thread_create(stop_when_inside, NULL, &stopper), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(stopper), 0);
    CU_ASSERT_EQUAL(seen.told, 1);
    CU_ASSERT_EQUAL(seen.status, SOLO_ECLOSING);
    CU_ASSERT(seen.on_reactor);
    worlds_destroy(reactor);
    (void)solo_semaphore_post(leave);
    (void)solo_semaphore_wait(back, SOLO_NEVER); /* it comes back, and tells nobody again */
    CU_ASSERT_EQUAL(solo_semaphore_destroy(back), 0);
    CU_ASSERT_EQUAL(seen.told, 1);
    worlds_expect(SOLO004_DEADLOCK, 1);
    end();
}

static void test_job__a_callback_whose_work_outlives_the_pool_is_told_once(void)
{
    worlds_run(left_behind_body);
}

/* ---- Several pieces as one job ---- */

static struct solo_result piece(void *arg)
{
    note(*(const char *)arg);
    return solo_value(NULL);
}

static struct solo_result failing_piece(void *arg)
{
    note(*(const char *)arg);
    return solo_failure(-EPIPE);
}

static int done_status;

static void done_and_stop(int status, void *arg)
{
    done_status = status;
    note(*(const char *)arg);
    worlds_stop(reactor);
}

static void multiple_body(void)
{
    struct solo_work works[] = {{piece, "a"}, {piece, "b"}, {piece, "c"}};
    begin(4);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, works, 3, done_and_stop, "d"), 0);
    memset(works, 0, sizeof works); /* they were copied */
    run_and_end();
    noted("abcd");
    CU_ASSERT_EQUAL(done_status, 0);
}

static void test_job__several_pieces_run_in_order_on_one_worker(void)
{
    worlds_run(multiple_body);
}

static void first_failure_body(void)
{
    const struct solo_work works[] = {{piece, "a"}, {failing_piece, "b"}, {piece, "c"}};
    begin(4);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, works, 3, done_and_stop, "d"), 0);
    run_and_end();
    noted("abd");
    CU_ASSERT_EQUAL(done_status, -EPIPE);
}

static void test_job__the_first_failing_piece_ends_the_rest_and_is_told(void)
{
    worlds_run(first_failure_body);
}

static void multiple_handed_back(int status, void *arg)
{
    (void)arg;
    done_status = status;
}

static void unrun_pieces_body(void)
{
    const struct solo_work works[] = {{piece, "a"}};
    begin(1);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, works, 1, multiple_handed_back, NULL), 0);
    worlds_destroy(reactor);
    end();
    noted("");
    CU_ASSERT_EQUAL(done_status, SOLO_ECLOSING);
}

static void test_job__pieces_that_never_run_are_handed_back(void)
{
    worlds_run(unrun_pieces_body);
}

static void bad_arguments_body(void)
{
    const struct solo_work good = {piece, "a"}, bad = {NULL, "a"};
    begin(1);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(NULL, &good, 1, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, NULL, 1, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, &good, 0, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, &bad, 1, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, &good, SIZE_MAX, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(NULL, stay, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, NULL, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(NULL, answer, NULL, on_result, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(pool, NULL, NULL, on_result, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(pool, answer, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_cancel(NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, 1), -EINVAL);
    CU_ASSERT_EQUAL(statistics().accepted, 0);
    worlds_destroy(reactor);
    end();
}

static void test_job__bad_arguments_are_refused(void)
{
    worlds_run(bad_arguments_body);
}

/* ---- Taken back ---- */

static int dones[3]; /* ran, cancelled, anything else */
static int ran;

static void count_run(void *arg)
{
    (void)arg;
    (void)__atomic_add_fetch(&ran, 1, __ATOMIC_RELAXED);
}

static void count_done(int status, void *arg)
{
    (void)arg;
    dones[status == 0 ? 0 : status == SOLO_ECANCELLED ? 1 : 2]++;
}

static void begin_counting(unsigned max)
{
    ran = dones[0] = dones[1] = dones[2] = 0;
    begin(max);
}

static void cancel_queued_body(void)
{
    unsigned numbers[3];
    begin_counting(1);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, count_run, NULL, count_done, &numbers[i]), 0);
        CU_ASSERT_EQUAL(numbers[i], (unsigned)i + 1);
    }
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, numbers[1]), 0);
    CU_ASSERT_EQUAL(dones[1], 0); /* told later, on the reactor thread */
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, numbers[1]), SOLO_EALREADYCALLED);
    CU_ASSERT_EQUAL(statistics().queued, 2);
    CU_ASSERT_EQUAL(statistics().handed_back, 1);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, numbers[0]), SOLO_EALREADYCALLED);
    worlds_destroy(reactor);
    end();
    CU_ASSERT_EQUAL(ran, 2);
    CU_ASSERT_EQUAL(dones[0], 2);
    CU_ASSERT_EQUAL(dones[1], 1);
    CU_ASSERT_EQUAL(dones[2], 0);
}

static void test_job__a_queued_job_can_be_cancelled_and_is_told_so_once(void)
{
    worlds_run(cancel_queued_body);
}

static void cancel_before_run_body(void)
{
    unsigned number;
    begin_counting(1);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, count_run, NULL, count_done, &number), 0);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, count_run, NULL, NULL, &number), 0); /* nobody asked */
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, 2), 0);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, 1), 0);
    worlds_destroy(reactor);
    end();
    CU_ASSERT_EQUAL(ran, 0);
    CU_ASSERT_EQUAL(dones[1], 1);
}

static void test_job__a_cancelled_job_of_a_reactor_that_never_runs_is_told_by_destroy(void)
{
    worlds_run(cancel_before_run_body);
}

static void cancel_running(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(inside, SOLO_NEVER);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, 1), SOLO_EALREADYCALLED);
    (void)solo_semaphore_post(leave);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
}

static void cancel_running_body(void)
{
    struct solo_thread *thread = NULL;
    begin_counting(1);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, stay, NULL, count_done, NULL), 0);
    CU_ASSERT_EQUAL(solo_thread_create(cancel_running, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_destroy(reactor);
    end();
    CU_ASSERT_EQUAL(dones[0], 1);
    CU_ASSERT_EQUAL(dones[1], 0);
}

static void test_job__one_that_has_begun_is_not_cancelled(void)
{
    worlds_run(cancel_running_body);
}

static int cancelled;

static void cancel_all(void *arg)
{
    (void)arg;
    for (unsigned number = 1; number <= 4; number++) {
        (void)__atomic_add_fetch(&cancelled, solo_pool_cancel(pool, number) == 0, __ATOMIC_RELAXED);
    }
}

static void race_body(void)
{
    struct solo_thread *threads[2];
    begin_counting(2);
    cancelled = 0;
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, count_run, NULL, count_done, NULL), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(cancel_all, NULL, &threads[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0); /* starts them, and stops, while both threads cancel */
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    CU_ASSERT_EQUAL(statistics().ran, (uint64_t)ran);
    CU_ASSERT_EQUAL(statistics().handed_back, (uint64_t)cancelled);
    worlds_destroy(reactor);
    end();
    CU_ASSERT_EQUAL(ran + cancelled, 4);
    CU_ASSERT_EQUAL(dones[0], ran);
    CU_ASSERT_EQUAL(dones[1], cancelled);
    CU_ASSERT_EQUAL(dones[2], 0);
}

static int fates[5];

static void counted_race_body(void)
{
    race_body();
    fates[cancelled]++;
}

static void test_job__however_cancel_and_worker_race_each_job_ends_exactly_once(void)
{
    worlds_run(race_body);
    memset(fates, 0, sizeof fates);
    worlds_run_sim(counted_race_body, 300);
    CU_ASSERT(fates[0] > 0); /* the search has seen both ends of it */
    CU_ASSERT(fates[4] > 0);
}

static void cancel_callback_body(void)
{
    unsigned number;
    memset(&seen, 0, sizeof seen);
    begin(1);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(pool, answer, NULL, on_result, &number), 0);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, number), 0);
    CU_ASSERT_EQUAL(seen.told, 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
    run_and_end();
    CU_ASSERT_EQUAL(seen.told, 1);
    CU_ASSERT_EQUAL(seen.status, SOLO_ECANCELLED);
    CU_ASSERT(seen.on_reactor);
}

static void test_job__a_cancelled_job_with_a_callback_is_told_on_the_reactor_thread(void)
{
    worlds_run(cancel_callback_body);
}

static struct solo_result handled(struct solo_result result, void *arg)
{
    CU_ASSERT_EQUAL(result.status, SOLO_ECANCELLED);
    note(*(const char *)arg);
    return solo_value(NULL);
}

static void cancel_deferred_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin(1);
    CU_ASSERT_EQUAL(solo_defer_to_thread(reactor, answer, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, NULL, handled, "c"), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    CU_ASSERT_EQUAL(solo_pool_cancel(pool, 1), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
    run_and_end();
    noted("c");
}

static void test_job__a_deferred_job_cancelled_by_number_fails_its_deferred(void)
{
    worlds_run(cancel_deferred_body);
}

static void find_all_body(void)
{
    enum { JOBS = 9 };
    begin_counting(1);
    for (unsigned first = 1; first <= JOBS; first++) { /* whichever is looked for, it is found among the others */
        for (int i = 0; i < JOBS; i++) {
            CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, count_run, NULL, count_done, NULL), 0);
        }
        unsigned base = (first - 1) * JOBS;
        CU_ASSERT_EQUAL(solo_pool_cancel(pool, base + first), 0);
        CU_ASSERT_EQUAL(solo_pool_cancel(pool, base + first), SOLO_EALREADYCALLED);
        for (unsigned i = 1; i <= JOBS; i++) {
            CU_ASSERT_EQUAL(solo_pool_cancel(pool, base + i), i == first ? SOLO_EALREADYCALLED : 0);
        }
        CU_ASSERT_EQUAL(statistics().queued, 0);
    }
    worlds_destroy(reactor);
    end();
    CU_ASSERT_EQUAL(dones[1], JOBS * JOBS);
}

static void test_job__any_of_many_queued_jobs_is_found(void)
{
    worlds_run_os(find_all_body);
}

/* ---- Any one allocation refused ---- */

static int accepted, told;

static void tell(int status, void *arg)
{
    (void)status;
    (void)arg;
    told++;
}

static void tell_result(struct solo_result result, void *arg)
{
    (void)__atomic_add_fetch(&told, 1, __ATOMIC_RELAXED);
    (void)result;
    (void)arg;
}

static void expect(int status)
{
    CU_ASSERT(status == 0 || status == -ENOMEM);
    accepted += status == 0;
}

static void refused_memory_body(void)
{
    const struct solo_work works[] = {{answer, NULL}, {answer, NULL}};
    unsigned number = 77;
    accepted = told = 0;
    reactor = NULL;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    if (solo_reactor_get_thread_pool(reactor, &pool) == 0) {
        int status = solo_pool_call_in_thread(pool, count_run, NULL, tell, &number);
        expect(status);
        CU_ASSERT_EQUAL(number, status == 0 ? 1 : 77);
        expect(solo_pool_call_in_thread_with_callback(pool, answer, NULL, tell_result, NULL));
        unsigned queued = (unsigned)accepted;
        expect(solo_call_multiple_in_thread(reactor, works, 2, tell, NULL));
        CU_ASSERT_EQUAL(solo_pool_cancel(pool, queued), queued == 0 ? -EINVAL : 0);
    }
    if (solo_reactor_call_from_thread(reactor, stop, NULL, NULL) == 0) {
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(told, accepted);
}

static void test_job__whichever_allocation_is_refused_each_accepted_job_is_told_once(void)
{
    refusing_run(refused_memory_body, REFUSE_MEMORY);
}

void suite_job(void)
{
    SOLO_SUITE("job");
    SOLO_TEST(test_job__a_callback_gets_the_result_once_on_the_same_worker);
    SOLO_TEST(test_job__a_result_that_is_neither_value_nor_failure_is_a_failure);
    SOLO_TEST(test_job__a_callback_of_work_that_never_runs_gets_a_failure_on_the_reactor_thread);
    SOLO_TEST(test_job__a_callback_whose_work_outlives_the_pool_is_told_once);
    SOLO_TEST(test_job__several_pieces_run_in_order_on_one_worker);
    SOLO_TEST(test_job__the_first_failing_piece_ends_the_rest_and_is_told);
    SOLO_TEST(test_job__pieces_that_never_run_are_handed_back);
    SOLO_TEST(test_job__bad_arguments_are_refused);
    SOLO_TEST(test_job__a_queued_job_can_be_cancelled_and_is_told_so_once);
    SOLO_TEST(test_job__a_cancelled_job_of_a_reactor_that_never_runs_is_told_by_destroy);
    SOLO_TEST(test_job__one_that_has_begun_is_not_cancelled);
    SOLO_TEST(test_job__however_cancel_and_worker_race_each_job_ends_exactly_once);
    SOLO_TEST(test_job__a_cancelled_job_with_a_callback_is_told_on_the_reactor_thread);
    SOLO_TEST(test_job__a_deferred_job_cancelled_by_number_fails_its_deferred);
    SOLO_TEST(test_job__any_of_many_queued_jobs_is_found);
    SOLO_TEST(test_job__whichever_allocation_is_refused_each_accepted_job_is_told_once);
}
