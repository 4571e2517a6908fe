/* test_pool.c - jobs, workers, sizes, statistics, and the ways a pool can end. */
#include "refusing_world.h"

static struct solo_reactor *reactor;

static struct solo_semaphore *make_semaphore(void)
{
    struct solo_semaphore *semaphore = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &semaphore), 0);
    return semaphore;
}

static void post(void *semaphore)
{
    (void)solo_semaphore_post(semaphore);
}

static void wait_for(void *semaphore)
{
    (void)solo_semaphore_wait(semaphore, SOLO_NEVER);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void begin(unsigned min, unsigned max)
{
    struct solo_reactor_options options = {.pool_min = min, .pool_max = max};
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
}

static struct solo_pool *the_pool(void)
{
    struct solo_pool *pool = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    return pool;
}

static struct solo_pool_statistics statistics(void)
{
    struct solo_pool_statistics now;
    memset(&now, 0xff, sizeof now);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(the_pool(), &now), 0);
    CU_ASSERT_EQUAL(now.idle + now.busy, now.workers);
    return now;
}

static void queue(solo_call_fn fn, void *arg, solo_done_fn done)
{
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, fn, arg, done), 0);
}

static void stop(void *arg)
{
    (void)arg;
    worlds_stop(reactor);
}

/* As a done function: the job ran, and that was all. */
static void then_stop(int status, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(status, 0);
    worlds_stop(reactor);
}

static void run(void)
{
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
}

static void run_and_destroy(void)
{
    run();
    worlds_destroy(reactor);
}

/* Calls `then` once the pool has this many workers: those that quit need their time, in either world. */
static struct {
    unsigned workers;
    solo_call_fn then;
} awaited;

static void look(void *arg)
{
    if (statistics().workers == awaited.workers) {
        awaited.then(arg);
    } else {
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, look, arg, NULL, NULL), 0);
    }
}

static void await_workers(unsigned workers, solo_call_fn then)
{
    awaited.workers = workers;
    awaited.then = then;
    look(NULL);
}

/* ---- Jobs ---- */

static struct {
    bool job_on_reactor, done_on_reactor;
    unsigned dones, number, number_outside;
    char job_thread[32], done_thread[32];
} met;

static void meet(void *arg)
{
    (void)arg;
    met.number = solo_pool_current_job();
    (void)solo_reactor_is_reactor_thread(reactor, &met.job_on_reactor);
    (void)solo_thread_name(met.job_thread, sizeof met.job_thread);
}

static void met_done(int status, void *arg)
{
    met.dones++;
    met.number_outside = solo_pool_current_job();
    (void)solo_reactor_is_reactor_thread(reactor, &met.done_on_reactor);
    (void)solo_thread_name(met.done_thread, sizeof met.done_thread);
    then_stop(status, arg);
}

static void job_body(void)
{
    memset(&met, 0, sizeof met);
    begin(0, 4);
    queue(meet, NULL, met_done);
    run_and_destroy();
    CU_ASSERT(!met.job_on_reactor);
    CU_ASSERT(met.done_on_reactor);
    CU_ASSERT_EQUAL(met.dones, 1);
    CU_ASSERT_STRING_EQUAL(met.job_thread, "pool#1");
    CU_ASSERT_STRING_EQUAL(met.done_thread, "main");
    CU_ASSERT_EQUAL(met.number, 1);
    CU_ASSERT_EQUAL(met.number_outside, 0);
}

static void test_pool__a_job_runs_on_a_worker_and_its_done_once_on_the_reactor_thread(void)
{
    worlds_run(job_body);
}

static void current_job_in_call(void *arg)
{
    *(unsigned *)arg = solo_pool_current_job();
}

static unsigned numbers[3];

static void numbers_body(void)
{
    begin(0, 1);
    for (int i = 0; i < 3; i++) {
        queue(current_job_in_call, &numbers[i], i == 2 ? then_stop : NULL);
    }
    unsigned here = 99;
    current_job_in_call(&here);
    run_and_destroy();
    CU_ASSERT_EQUAL(here, 0);
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(numbers[i], i + 1);
    }
}

static void test_pool__jobs_are_numbered_in_order_of_acceptance(void)
{
    worlds_run(numbers_body);
}

static void not_begun(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(statistics().ran, 0);
    CU_ASSERT_EQUAL(statistics().workers, 0);
    note('h');
}

static void before_run_body(void)
{
    begin(2, 4);
    queue(nothing, NULL, then_stop);
    CU_ASSERT_EQUAL(statistics().workers, 0);
    CU_ASSERT_EQUAL(statistics().queued, 1);
    not_begun(NULL);
    run_and_destroy();
    noted("h");
}

static void test_pool__a_job_queued_before_run_waits_for_run(void)
{
    worlds_run(before_run_body);
}

static void bad_body(void)
{
    struct solo_pool *pool = NULL;
    struct solo_pool_statistics now;
    begin(0, 1);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(NULL, nothing, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(NULL, &pool), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(NULL, &now), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(the_pool(), NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_adjust_size(NULL, 1, 1), -EINVAL);
    CU_ASSERT_EQUAL(statistics().accepted, 0);
    worlds_destroy(reactor);
}

static void test_pool__bad_arguments_are_refused(void)
{
    worlds_run(bad_body);
}

/* ---- One pool ---- */

static struct solo_pool *found[4];

static void find(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, arg), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, nothing, NULL, NULL), 0);
}

static void one_pool_body(void)
{
    struct solo_thread *threads[3];
    begin(0, 2);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(find, &found[i], &threads[i]), 0);
    }
    find(&found[3]);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
        CU_ASSERT_PTR_EQUAL(found[i], found[3]);
    }
    CU_ASSERT_EQUAL(statistics().queued, 4);
    worlds_run_to_end(reactor);
    CU_ASSERT_EQUAL(statistics().ran, 4);
    worlds_destroy(reactor);
}

static void test_pool__threads_that_make_it_at_once_all_get_the_same_pool(void)
{
    worlds_run(one_pool_body);
}

/* ---- Growing ---- */

static void has_minimum(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(statistics().workers, 2);
    stop(NULL);
}

static void minimum_body(void)
{
    begin(2, 4);
    (void)the_pool();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, has_minimum, NULL, NULL), 0);
    run_and_destroy();
}

static void test_pool__the_minimum_is_started_with_the_reactor(void)
{
    worlds_run(minimum_body);
}

static void late_pool(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(statistics().workers, 3); /* made by this very look */
    stop(NULL);
}

static void late_pool_body(void)
{
    begin(3, 3);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, late_pool, NULL, NULL), 0);
    run_and_destroy();
}

static void test_pool__made_while_the_reactor_runs_it_is_started_at_once(void)
{
    worlds_run(late_pool_body);
}

/* Jobs that say that they are in, and stay until they may go. */
static struct solo_semaphore *inside, *leave;

static void stay(void *arg)
{
    (void)arg;
    post(inside);
    wait_for(leave);
}

static void open_gates(void)
{
    inside = make_semaphore();
    leave = make_semaphore();
}

static void close_gates(void)
{
    CU_ASSERT_EQUAL(solo_semaphore_destroy(inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
}

/* From a thread that is not the reactor's: three in, the fourth has to wait. */
static void watch_growth(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        wait_for(inside);
    }
    struct solo_pool_statistics now = statistics();
    CU_ASSERT_EQUAL(now.workers, 3);
    CU_ASSERT_EQUAL(now.busy, 3);
    CU_ASSERT_EQUAL(now.queued, 1);
    CU_ASSERT_EQUAL(now.accepted, 4);
    for (int i = 0; i < 4; i++) {
        post(leave);
    }
    wait_for(inside);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
}

static void growth_body(void)
{
    struct solo_thread *watcher = NULL;
    open_gates();
    begin(0, 3);
    for (int i = 0; i < 4; i++) {
        queue(stay, NULL, NULL);
    }
    CU_ASSERT_EQUAL(solo_thread_create(watch_growth, NULL, &watcher), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(watcher), 0);
    CU_ASSERT_EQUAL(statistics().ran, 4);
    CU_ASSERT_EQUAL(statistics().workers, 0);
    worlds_destroy(reactor);
    close_gates();
}

static void test_pool__it_grows_when_nobody_is_idle_and_no_further_than_the_maximum(void)
{
    worlds_run(growth_body);
}

static void reuse_again(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(statistics().workers, 1);
    int *left = arg;
    if (--*left > 0) {
        queue(nothing, left, reuse_again);
    } else {
        stop(NULL);
    }
}

static void reuse_body(void)
{
    int left = 5;
    begin(0, 4);
    queue(nothing, &left, reuse_again);
    run_and_destroy();
    CU_ASSERT_EQUAL(left, 0);
}

static void test_pool__a_worker_that_has_reported_is_used_again(void)
{
    worlds_run(reuse_body);
}

/* Each job lets the one before it go: without a worker for every one of them nothing would end. */
static struct solo_semaphore *chain[5];

static void link_of_chain(void *arg)
{
    size_t i = (size_t)((struct solo_semaphore **)arg - chain);
    if (i > 0) {
        post(chain[i - 1]);
    }
    if (i < 4) {
        wait_for(chain[i]);
    }
}

static int ended;

static void stop_after_five(int status, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(status, 0);
    if (++ended == 5) {
        stop(NULL);
    }
}

static void chain_body(void)
{
    ended = 0;
    begin(0, 5);
    for (int i = 0; i < 5; i++) {
        chain[i] = make_semaphore();
        queue(link_of_chain, &chain[i], stop_after_five);
    }
    run_and_destroy();
    CU_ASSERT_EQUAL(ended, 5);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(solo_semaphore_destroy(chain[i]), 0);
    }
}

static void test_pool__blocked_jobs_do_not_keep_others_waiting_while_there_is_room(void)
{
    worlds_run(chain_body);
}

/* ---- Changing sizes ---- */

static void raise(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_suggest_thread_pool_size(reactor, 2), 0);
}

static void raise_when_in(void *arg)
{
    (void)arg;
    wait_for(inside);
    CU_ASSERT_EQUAL(statistics().queued, 1);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, raise, NULL, NULL), 0);
}

static void raising_body(void)
{
    struct solo_thread *raiser = NULL;
    open_gates();
    begin(0, 1);
    queue(stay, NULL, then_stop);
    CU_ASSERT_EQUAL(solo_thread_create(raise_when_in, NULL, &raiser), 0);
    queue(post, leave, NULL); /* only this lets the first job end */
    run();
    CU_ASSERT_EQUAL(solo_thread_join(raiser), 0);
    worlds_destroy(reactor);
    close_gates();
}

static void test_pool__raising_the_maximum_starts_waiting_work_at_once(void)
{
    worlds_run_os(raising_body);
    worlds_run_sim(raising_body, 0); /* in order of acceptance */
}

static void lowered(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(statistics().busy, 1);
    CU_ASSERT_EQUAL(statistics().idle, 0);
    post(leave);
    stop(NULL);
}

static void lower(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(statistics().workers, 4);
    CU_ASSERT_EQUAL(solo_pool_adjust_size(the_pool(), 0, 1), 0);
    await_workers(1, lowered);
}

static void lower_when_in(void *arg)
{
    (void)arg;
    wait_for(inside);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, lower, NULL, NULL), 0);
}

static void lower_idle_body(void)
{
    struct solo_thread *lowerer = NULL;
    open_gates();
    begin(4, 4);
    queue(stay, NULL, NULL);
    CU_ASSERT_EQUAL(solo_thread_create(lower_when_in, NULL, &lowerer), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(lowerer), 0);
    worlds_destroy(reactor);
    close_gates();
}

static void test_pool__lowering_the_maximum_lets_idle_workers_quit_and_busy_ones_finish(void)
{
    worlds_run(lower_idle_body);
}

static void lower_busy(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_suggest_thread_pool_size(reactor, 1), 0);
    CU_ASSERT_EQUAL(statistics().workers, 3);
    for (int i = 0; i < 3; i++) {
        post(leave);
    }
    await_workers(1, stop);
}

static void lower_when_three_in(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        wait_for(inside);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, lower_busy, NULL, NULL), 0);
}

static void lower_busy_body(void)
{
    struct solo_thread *lowerer = NULL;
    open_gates();
    begin(0, 3);
    for (int i = 0; i < 3; i++) {
        queue(stay, NULL, NULL);
    }
    CU_ASSERT_EQUAL(solo_thread_create(lower_when_three_in, NULL, &lowerer), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(lowerer), 0);
    CU_ASSERT_EQUAL(statistics().ran, 3);
    worlds_destroy(reactor);
    close_gates();
}

static void test_pool__busy_workers_above_the_maximum_quit_when_their_job_ends(void)
{
    worlds_run(lower_busy_body);
}

/* Shrink to one, grow to three again: the names are the lowest free ones. */
static unsigned names_seen;

static void name_and_stay(void *arg)
{
    char name[32];
    (void)solo_thread_name(name, sizeof name);
    for (unsigned i = 1; i <= 3; i++) {
        char wanted[32];
        (void)snprintf(wanted, sizeof wanted, "pool#%u", i);
        if (strcmp(name, wanted) == 0) {
            (void)__atomic_fetch_or(&names_seen, 1u << i, __ATOMIC_RELAXED);
        }
    }
    stay(arg);
}

static void look_at_names(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        wait_for(inside);
    }
    for (int i = 0; i < 3; i++) {
        post(leave);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
}

static struct solo_thread *name_watcher;

static void grow_again(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_suggest_thread_pool_size(reactor, 3), 0);
    for (int i = 0; i < 3; i++) {
        queue(name_and_stay, NULL, NULL);
    }
    CU_ASSERT_EQUAL(solo_thread_create(look_at_names, NULL, &name_watcher), 0);
}

static void shrink_first(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_adjust_size(the_pool(), 0, 1), 0);
    await_workers(1, grow_again);
}

static void names_body(void)
{
    names_seen = 0;
    open_gates();
    begin(3, 3);
    (void)the_pool();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, shrink_first, NULL, NULL), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(name_watcher), 0);
    CU_ASSERT_EQUAL(names_seen, 1u << 1 | 1u << 2 | 1u << 3);
    worlds_destroy(reactor);
    close_gates();
}

static void test_pool__workers_have_the_lowest_free_numbers(void)
{
    worlds_run(names_body);
}

static void same_sizes(unsigned min, unsigned max)
{
    CU_ASSERT_EQUAL(statistics().min, min);
    CU_ASSERT_EQUAL(statistics().max, max);
}

static void refused_sizes_body(void)
{
    begin(2, 5);
    CU_ASSERT_EQUAL(solo_pool_adjust_size(the_pool(), 4, 3), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_adjust_size(the_pool(), 0, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_adjust_size(the_pool(), 0, SOLO_POOL_WORKERS_MAX + 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_suggest_thread_pool_size(reactor, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_suggest_thread_pool_size(reactor, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_suggest_thread_pool_size(reactor, SOLO_POOL_WORKERS_MAX + 1), -EINVAL);
    same_sizes(2, 5);
    CU_ASSERT_EQUAL(solo_reactor_suggest_thread_pool_size(reactor, SOLO_POOL_WORKERS_MAX), 0);
    same_sizes(2, SOLO_POOL_WORKERS_MAX);
    CU_ASSERT_EQUAL(solo_pool_adjust_size(the_pool(), 1, 1), 0);
    same_sizes(1, 1);
    CU_ASSERT_EQUAL(statistics().workers, 0); /* not running: only the numbers change */
    worlds_destroy(reactor);
}

static void test_pool__refused_sizes_change_nothing(void)
{
    worlds_run(refused_sizes_body);
}

static int wrong_thread[2];

static void resize_from_worker(void *arg)
{
    (void)arg;
    wrong_thread[0] = solo_pool_adjust_size(the_pool(), 1, 1);
    wrong_thread[1] = solo_reactor_suggest_thread_pool_size(reactor, 1);
}

static void wrong_thread_body(void)
{
    begin(0, 2);
    queue(resize_from_worker, NULL, then_stop);
    run();
    CU_ASSERT_EQUAL(wrong_thread[0], SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(wrong_thread[1], SOLO_EWRONGTHREAD);
    same_sizes(0, 2);
    worlds_destroy(reactor);
    worlds_expect(SOLO001_WRONG_THREAD, 2);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->thread, "pool#1");
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->queued_by, "main");
    CU_ASSERT_EQUAL(strncmp(worlds_finding(SOLO001_WRONG_THREAD)->job, "job#", 4), 0);
}

static void test_pool__sizes_belong_to_the_reactor_thread_and_the_finding_names_the_job(void)
{
    worlds_run(wrong_thread_body);
}

/* ---- Stopping ---- */

static int ran, dones[3]; /* by status: ran, closing, anything else */

static void count_run(void *arg)
{
    (void)arg;
    (void)__atomic_fetch_add(&ran, 1, __ATOMIC_RELAXED);
}

static void count_done(int status, void *arg)
{
    (void)arg;
    dones[status == 0 ? 0 : status == SOLO_ECLOSING ? 1 : 2]++;
}

static void begin_counting(unsigned max)
{
    ran = dones[0] = dones[1] = dones[2] = 0;
    begin(0, max);
}

static void counted(int wanted_ran, int wanted_closing)
{
    CU_ASSERT_EQUAL(ran, wanted_ran);
    CU_ASSERT_EQUAL(dones[0], wanted_ran);
    CU_ASSERT_EQUAL(dones[1], wanted_closing);
    CU_ASSERT_EQUAL(dones[2], 0);
}

static void backlog_body(void)
{
    begin_counting(1);
    for (int i = 0; i < 6; i++) {
        queue(count_run, NULL, count_done);
    }
    worlds_run_to_end(reactor); /* stops in its first pass */
    counted(6, 0);
    CU_ASSERT_EQUAL(statistics().ran, 6);
    CU_ASSERT_EQUAL(statistics().handed_back, 0);
    worlds_destroy(reactor);
    counted(6, 0);
}

static void test_pool__a_stop_runs_the_whole_backlog_first(void)
{
    worlds_run(backlog_body);
}

static void quiet_backlog_body(void)
{
    begin_counting(2);
    for (int i = 0; i < 5; i++) {
        queue(count_run, NULL, NULL); /* nobody asked: nothing but the pool itself tells the reactor that it may end */
    }
    worlds_run_to_end(reactor);
    CU_ASSERT_EQUAL(ran, 5);
    worlds_destroy(reactor);
}

static void test_pool__a_drain_of_jobs_that_report_nothing_wakes_the_reactor(void)
{
    worlds_run(quiet_backlog_body);
}

/* As a call: stops, and calls the argument's function in the next pass, when the pool drains. */
static void stop_then(void *fn)
{
    stop(NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, *(solo_call_fn *)fn, NULL, NULL, NULL), 0);
}

static void let_leave(void *arg)
{
    (void)arg;
    post(leave);
}

static void turning_body(void)
{
    open_gates();
    begin_counting(1);
    queue(wait_for, leave, count_done);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_then, &(solo_call_fn){let_leave}, NULL), 0);
    run();
    CU_ASSERT_EQUAL(dones[0], 1);
    worlds_destroy(reactor);
    close_gates();
}

static void test_pool__the_loop_keeps_turning_while_a_stop_drains(void)
{
    worlds_run(turning_body);
}

static int refusals[2];

static void try_again(void *arg)
{
    (void)arg;
    refusals[0] = solo_reactor_call_in_thread(reactor, count_run, NULL, count_done);
    post(leave);
}

static void try_from_worker(void *arg)
{
    wait_for(arg);
    refusals[1] = solo_reactor_call_in_thread(reactor, count_run, NULL, count_done);
}

static void closing_body(void)
{
    open_gates();
    begin_counting(1);
    queue(try_from_worker, leave, NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_then, &(solo_call_fn){try_again}, NULL), 0);
    run();
    CU_ASSERT_EQUAL(refusals[0], SOLO_ECLOSING);
    CU_ASSERT_EQUAL(refusals[1], SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, count_run, NULL, count_done), SOLO_ECLOSING);
    counted(0, 0);
    worlds_destroy(reactor);
    counted(0, 0);
    close_gates();
}

static void test_pool__new_jobs_are_refused_from_the_drain_on_also_from_its_own_workers(void)
{
    worlds_run(closing_body);
}

static void never_run_body(void)
{
    begin_counting(2);
    for (int i = 0; i < 3; i++) {
        queue(count_run, NULL, count_done);
    }
    queue(count_run, NULL, NULL);
    worlds_destroy(reactor);
    counted(0, 3);
}

static void test_pool__jobs_of_a_reactor_that_never_runs_are_handed_back_by_destroy(void)
{
    worlds_run(never_run_body);
}

static void crash(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_crash(reactor), 0);
}

static void crash_when_in(void *arg)
{
    (void)arg;
    wait_for(inside);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, crash, NULL, NULL), 0);
}

static void crash_body(void)
{
    struct solo_thread *crasher = NULL;
    open_gates();
    begin_counting(1);
    queue(stay, NULL, count_done);
    CU_ASSERT_EQUAL(solo_thread_create(crash_when_in, NULL, &crasher), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(crasher), 0);
    queue(count_run, NULL, count_done); /* crashed, not stopping: still accepted, and there is no worker free for it */
    queue(count_run, NULL, count_done);
    CU_ASSERT_EQUAL(statistics().busy, 1);
    CU_ASSERT_EQUAL(statistics().queued, 2);
    post(leave);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(dones[0] + dones[1], 3);
    CU_ASSERT(dones[0] >= 1);
    CU_ASSERT_EQUAL(dones[0], 1 + ran);
    close_gates();
}

static void test_pool__destroy_after_a_crash_waits_for_what_runs_and_hands_back_the_rest(void)
{
    worlds_run(crash_body);
}

/* ---- A stop that cannot drain ---- */

static struct solo_semaphore *left_behind;

static void wedge(void *arg)
{
    (void)arg;
    post(inside);
    wait_for(leave);
    post(left_behind);
}

static void begin_wedged(unsigned max)
{
    struct solo_reactor_options options = {.pool_max = max, .drain_max_ns = 5 * WORLDS_MS};
    open_gates();
    left_behind = make_semaphore();
    ran = dones[0] = dones[1] = dones[2] = 0;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
}

/* Once the job that was left behind has come back. */
static void end_wedged(void)
{
    wait_for(left_behind);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(left_behind), 0);
    close_gates();
}

static void stop_when_in(void *arg)
{
    (void)arg;
    wait_for(inside);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
}

static void wedged_body(void)
{
    struct solo_thread *stopper = NULL;
    begin_wedged(1);
    queue(wedge, NULL, count_done);
    queue(post, leave, count_done); /* waits for the worker that waits for it */
    CU_ASSERT_EQUAL(solo_thread_create(stop_when_in, NULL, &stopper), 0);
    run();
    CU_ASSERT_EQUAL(solo_thread_join(stopper), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(dones[0] + dones[1], 2);
    const struct solo_violation *finding = worlds_finding(SOLO004_DEADLOCK);
    if (dones[1] == 0) { /* the chooser took the second job first: nothing is wedged */
        CU_ASSERT(worlds.sim != NULL);
        end_wedged();
        return;
    }
    worlds_expect(SOLO004_DEADLOCK, 1);
    CU_ASSERT_EQUAL(finding->amount, 2);
    CU_ASSERT_EQUAL(finding->waiter_count, 1);
    CU_ASSERT_STRING_EQUAL(finding->waiters[0].thread, "pool#1");
    CU_ASSERT_EQUAL(finding->waiters[0].wait_kind, SOLO_WAIT_SEMAPHORE);
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->text, "pool#1 runs job#"));
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->text, "never began: job#"));
    CU_ASSERT_PTR_NOT_NULL(strstr(finding->text, "(queued by main)"));
    post(leave); /* the one left behind comes back and finds nothing but its own */
    end_wedged();
}

static void test_pool__a_wedged_pool_is_reported_by_name_and_left_behind(void)
{
    worlds_run(wedged_body);
}

static void wedged_after_crash_body(void)
{
    begin_wedged(2);
    queue(wedge, NULL, count_done);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, crash, NULL, NULL), 0);
    run();
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(dones[1], 1);
    if (worlds.sim == NULL || worlds.found > 0) {
        worlds_expect(SOLO004_DEADLOCK, 1);
    }
    post(leave);
}

static void test_pool__destroy_does_not_hang_on_a_wedged_job(void)
{
    worlds_run_sim(wedged_after_crash_body, WORLDS_SEEDS);
}

static void dream(void *arg)
{
    (void)arg;
    (void)solo_sleep(1000 * WORLDS_MS);
}

static void slow_body(void)
{
    begin_wedged(1);
    queue(dream, NULL, count_done);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, stop, NULL, NULL, NULL), 0);
    run_and_destroy();
    counted(0, 1);
    worlds_expect(SOLO011_WORK_LOST, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO011_WORK_LOST)->text, "pool#1 runs job#1 (queued by main)"));
}

static void test_pool__a_job_that_only_takes_too_long_is_work_lost(void)
{
    worlds_run_sim(slow_body, WORLDS_SEEDS); /* a second of virtual time */
}

static void late_backlog_body(void)
{
    begin_wedged(1);
    queue(dream, NULL, count_done);
    queue(count_run, NULL, count_done);
    queue(count_run, NULL, count_done);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, stop, NULL, NULL, NULL), 0);
    run_and_destroy();
    CU_ASSERT_EQUAL(dones[0] + dones[1], 3);
    CU_ASSERT_EQUAL(dones[0], ran);
    worlds_expect(SOLO011_WORK_LOST, 1);
    CU_ASSERT_EQUAL(worlds_finding(SOLO011_WORK_LOST)->amount, (uint64_t)(3 - ran));
}

static void test_pool__what_never_began_in_time_is_counted_and_handed_back(void)
{
    worlds_run_sim(late_backlog_body, WORLDS_SEEDS);
}

/* ---- The chooser ---- */

static char order[8];
static unsigned order_used;
static bool orders_seen[6];

static void write_down(void *arg)
{
    order[order_used++] = *(const char *)arg;
    order[order_used] = '\0';
}

static void orders_body(void)
{
    static const char *const all[] = {"abc", "acb", "bac", "bca", "cab", "cba"};
    order_used = 0;
    begin(0, 1);
    queue(write_down, "a", NULL);
    queue(write_down, "b", NULL);
    queue(write_down, "c", NULL);
    worlds_run_to_end(reactor);
    worlds_destroy(reactor);
    for (int i = 0; i < 6; i++) {
        orders_seen[i] = orders_seen[i] || strcmp(order, all[i]) == 0;
    }
}

static void test_pool__in_the_simulation_queued_jobs_may_begin_in_any_order(void)
{
    worlds_run_sim(orders_body, 200);
    for (int i = 0; i < 6; i++) {
        CU_ASSERT(orders_seen[i]);
    }
}

static void plain_order_body(void)
{
    memset(orders_seen, 0, sizeof orders_seen);
    orders_body();
    CU_ASSERT_STRING_EQUAL(order, "abc");
}

static void test_pool__one_worker_takes_the_oldest_job_first_unless_told_otherwise(void)
{
    worlds_run_os(plain_order_body);
    worlds_run_sim(plain_order_body, 0);
}

static bool names_used[4];

static void use_name(void *arg)
{
    char name[32];
    (void)arg;
    (void)solo_thread_name(name, sizeof name);
    names_used[name[5] - '0'] = true;
}

static void queue_late(void *arg)
{
    (void)arg;
    queue(use_name, NULL, then_stop);
}

static void any_worker_body(void)
{
    begin(3, 3);
    (void)the_pool();
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, queue_late, NULL, NULL, NULL),
                    0); /* all three sleep by then */
    run_and_destroy();
}

static void test_pool__in_the_simulation_any_sleeping_worker_may_get_the_job(void)
{
    worlds_run_sim(any_worker_body, 100);
    CU_ASSERT(names_used[1]);
    CU_ASSERT(names_used[2]);
    CU_ASSERT(names_used[3]);
}

/* ---- No thread to be had ---- */

static struct solo_thread *crowd[SOLO_SIM_THREADS_MAX];

static void find_no_thread(void *arg)
{
    int members = 0;
    (void)arg;
    while (solo_thread_create(wait_for, leave, &crowd[members]) == 0) {
        members++;
    }
    CU_ASSERT(members > 100);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, count_run, NULL, count_done), -EAGAIN);
    CU_ASSERT_EQUAL(statistics().accepted, 0);
    CU_ASSERT_EQUAL(statistics().workers, 0);
    for (int i = 0; i < members; i++) {
        post(leave);
    }
    for (int i = 0; i < members; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(crowd[i]), 0);
    }
    queue(count_run, NULL, count_done);
    stop(NULL);
}

static void no_thread_body(void)
{
    open_gates();
    begin_counting(2);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, find_no_thread, NULL, NULL), 0);
    run_and_destroy();
    counted(1, 0);
    close_gates();
}

static void test_pool__a_job_that_no_thread_can_be_started_for_is_refused_not_lost(void)
{
    worlds_run_sim(no_thread_body, 2);
}

/* ---- Any one allocation refused ---- */

static int accepted_jobs, other_statuses;

static void count_ends(int status, void *arg)
{
    (void)arg;
    dones[status == 0]++;
    other_statuses += status != 0 && status != -ENOMEM;
}

static struct solo_result work(void *arg)
{
    count_run(arg);
    return solo_value(NULL);
}

static struct solo_result count_result(struct solo_result result, void *arg)
{
    count_ends(result.status, arg);
    return solo_value(NULL);
}

/* One refusal at most: what is refused once is granted the next time. */
static void insist_on_stop(void)
{
    int status = solo_reactor_call_from_thread(reactor, stop, NULL, NULL);
    if (status < 0) {
        CU_ASSERT_EQUAL(status, -ENOMEM);
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
    }
}

static void accept_or_refuse(int status)
{
    accepted_jobs += status == 0;
    CU_ASSERT(status == 0 || status == -ENOMEM);
}

static void queue_while_running(void *arg)
{
    (void)arg;
    accept_or_refuse(solo_reactor_call_in_thread(reactor, count_run, NULL, count_ends));
}

static void refused_memory_body(void)
{
    struct solo_reactor_options options = {.pool_max = 2};
    ran = dones[0] = dones[1] = accepted_jobs = other_statuses = 0;
    if (solo_reactor_create(&options, &reactor) < 0) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        accept_or_refuse(solo_reactor_call_in_thread(reactor, count_run, NULL, count_ends));
    }
    struct solo_deferred *deferred = NULL;
    int status = solo_defer_to_thread(reactor, work, NULL, &deferred);
    CU_ASSERT_EQUAL(status == 0, deferred != NULL);
    if (status == 0) {
        while (solo_deferred_add(deferred, count_result, count_result, NULL) < 0) {
        }
        CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    }
    accept_or_refuse(status);
    (void)solo_reactor_call_from_thread(reactor, queue_while_running, NULL, NULL);
    insist_on_stop();
    run_and_destroy();
    CU_ASSERT_EQUAL(dones[0] + dones[1], accepted_jobs);
    CU_ASSERT_EQUAL(dones[1], ran);
    CU_ASSERT_EQUAL(other_statuses, 0);
}

static void test_pool__whichever_allocation_is_refused_nothing_accepted_is_lost(void)
{
    CU_ASSERT_TRUE(refusing_run(refused_memory_body, REFUSE_MEMORY) > 10);
}

/* ---- Everything is accounted for ---- */

static void more_work(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        (void)solo_reactor_call_in_thread(reactor, count_run, NULL, count_done);
    }
}

static void accounts_body(void)
{
    struct solo_thread *threads[2];
    begin_counting(3);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop, NULL, NULL), 0);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(more_work, NULL, &threads[i]), 0);
    }
    run(); /* and stops while they are at it */
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    struct solo_pool_statistics now = statistics();
    CU_ASSERT_EQUAL(now.accepted, now.ran + now.handed_back);
    CU_ASSERT_EQUAL(now.queued, 0);
    CU_ASSERT_EQUAL(now.workers, 0);
    CU_ASSERT_EQUAL(now.ran, (uint64_t)ran);
    CU_ASSERT_EQUAL(now.accepted, (uint64_t)(dones[0] + dones[1]));
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(now.accepted, (uint64_t)(dones[0] + dones[1]));
}

static void test_pool__whatever_a_stop_meets_each_accepted_job_is_done_exactly_once(void)
{
    worlds_run_os(accounts_body);
    worlds_run_sim(accounts_body, 300);
}

void suite_pool(void)
{
    SOLO_SUITE("pool");
    SOLO_TEST(test_pool__a_job_runs_on_a_worker_and_its_done_once_on_the_reactor_thread);
    SOLO_TEST(test_pool__jobs_are_numbered_in_order_of_acceptance);
    SOLO_TEST(test_pool__a_job_queued_before_run_waits_for_run);
    SOLO_TEST(test_pool__bad_arguments_are_refused);
    SOLO_TEST(test_pool__threads_that_make_it_at_once_all_get_the_same_pool);
    SOLO_TEST(test_pool__the_minimum_is_started_with_the_reactor);
    SOLO_TEST(test_pool__made_while_the_reactor_runs_it_is_started_at_once);
    SOLO_TEST(test_pool__it_grows_when_nobody_is_idle_and_no_further_than_the_maximum);
    SOLO_TEST(test_pool__a_worker_that_has_reported_is_used_again);
    SOLO_TEST(test_pool__blocked_jobs_do_not_keep_others_waiting_while_there_is_room);
    SOLO_TEST(test_pool__raising_the_maximum_starts_waiting_work_at_once);
    SOLO_TEST(test_pool__lowering_the_maximum_lets_idle_workers_quit_and_busy_ones_finish);
    SOLO_TEST(test_pool__busy_workers_above_the_maximum_quit_when_their_job_ends);
    SOLO_TEST(test_pool__workers_have_the_lowest_free_numbers);
    SOLO_TEST(test_pool__refused_sizes_change_nothing);
    SOLO_TEST(test_pool__sizes_belong_to_the_reactor_thread_and_the_finding_names_the_job);
    SOLO_TEST(test_pool__a_stop_runs_the_whole_backlog_first);
    SOLO_TEST(test_pool__a_drain_of_jobs_that_report_nothing_wakes_the_reactor);
    SOLO_TEST(test_pool__the_loop_keeps_turning_while_a_stop_drains);
    SOLO_TEST(test_pool__new_jobs_are_refused_from_the_drain_on_also_from_its_own_workers);
    SOLO_TEST(test_pool__jobs_of_a_reactor_that_never_runs_are_handed_back_by_destroy);
    SOLO_TEST(test_pool__destroy_after_a_crash_waits_for_what_runs_and_hands_back_the_rest);
    SOLO_TEST(test_pool__a_wedged_pool_is_reported_by_name_and_left_behind);
    SOLO_TEST(test_pool__destroy_does_not_hang_on_a_wedged_job);
    SOLO_TEST(test_pool__a_job_that_only_takes_too_long_is_work_lost);
    SOLO_TEST(test_pool__what_never_began_in_time_is_counted_and_handed_back);
    SOLO_TEST(test_pool__in_the_simulation_queued_jobs_may_begin_in_any_order);
    SOLO_TEST(test_pool__one_worker_takes_the_oldest_job_first_unless_told_otherwise);
    SOLO_TEST(test_pool__in_the_simulation_any_sleeping_worker_may_get_the_job);
    SOLO_TEST(test_pool__a_job_that_no_thread_can_be_started_for_is_refused_not_lost);
    SOLO_TEST(test_pool__whichever_allocation_is_refused_nothing_accepted_is_lost);
    SOLO_TEST(test_pool__whatever_a_stop_meets_each_accepted_job_is_done_exactly_once);
}
