/*
 * test_dpor.c - the search with reduction against the plain one: fewer schedules, the same ends.
 *
 * Programs are small enough that plain depth-first search ends. What a schedule leaves behind is summed up in one
 * number; the two searches have to find the same set of them. Some programs are written, most are drawn.
 */
#include "searches.h"
#include <solo/access.h>
#include <solo/solo.h>

enum { THREADS = 3 };

/* Programs that are drawn: fewer where each schedule takes longer. */
#if defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { DRAWN_MAX = 8 };
#else
enum { DRAWN_MAX = 60 };
#endif

/* ---- Memory ---- */

static long shared[4]; /* a word each */
static long seen[2];

static void write_first(void *arg)
{
    (void)arg;
    SOLO_WRITE(shared[0], 1);
}

static void write_both(void *arg)
{
    (void)arg;
    SOLO_WRITE(shared[0], 2);
    SOLO_WRITE(shared[1], 2);
}

static void read_both(void *arg)
{
    (void)arg;
    seen[0] = SOLO_READ(shared[0]);
    seen[1] = SOLO_READ(shared[1]);
}

static void writers_and_reader(void *arg)
{
    static const solo_thread_fn threads[] = {write_first, write_both, read_both};
    (void)arg;
    memset(shared, 0, sizeof shared);
    start_and_join(threads, 3);
    put((uint64_t)(shared[0] * 1000 + shared[1] * 100 + seen[0] * 10 + seen[1]));
}

static void test_dpor__two_writers_and_a_reader(void)
{
    compare(writers_and_reader, false, 1000);
    CU_ASSERT_TRUE(reduced.schedules <= 40);
}

static void write_own(void *arg)
{
    SOLO_WRITE(shared[(uintptr_t)arg], 1);
    SOLO_WRITE(shared[(uintptr_t)arg], 2);
}

static void strangers(void *arg)
{
    static const solo_thread_fn threads[] = {write_own, write_own};
    (void)arg;
    start_and_join(threads, 2);
    put((uint64_t)(shared[0] + shared[1]));
}

static void test_dpor__threads_that_share_nothing_need_one_schedule(void)
{
    compare(strangers, false, 50);
    CU_ASSERT_EQUAL(reduced.schedules, 1);
}

static void read_first_twice(void *arg)
{
    (void)arg;
    (void)SOLO_READ(shared[0]);
    (void)SOLO_READ(shared[0]);
}

static void readers(void *arg)
{
    static const solo_thread_fn threads[] = {read_first_twice, read_first_twice};
    (void)arg;
    start_and_join(threads, 2);
}

static void test_dpor__reads_commute(void)
{
    compare(readers, false, 50);
    CU_ASSERT_EQUAL(reduced.schedules, 1);
}

/* ---- Locks, conditions, semaphores ---- */

static struct solo_mutex *mutexes[2];
static struct solo_condition *condition;
static struct solo_semaphore *semaphore;

static void make_locks(void)
{
    (void)solo_mutex_create(&mutexes[0]);
    (void)solo_mutex_create(&mutexes[1]);
    (void)solo_condition_create(&condition);
    (void)solo_semaphore_create(0, &semaphore);
    memset(shared, 0, sizeof shared);
    memset(seen, 0, sizeof seen);
}

static void lock_in_order(void *arg)
{
    unsigned first = (unsigned)(uintptr_t)arg;
    (void)solo_mutex_lock(mutexes[first]);
    (void)solo_mutex_lock(mutexes[1 - first]);
    SOLO_WRITE(shared[0], SOLO_READ(shared[0]) * 2 + first);
    (void)solo_mutex_unlock(mutexes[1 - first]);
    (void)solo_mutex_unlock(mutexes[first]);
}

static void both_orders(void *arg)
{
    static const solo_thread_fn threads[] = {lock_in_order, lock_in_order};
    (void)arg;
    make_locks();
    put(7);
    start_and_join(threads, 2);
    put((uint64_t)shared[0]);
}

static void test_dpor__finds_the_deadlock_and_both_orders_without_it(void)
{
    compare(both_orders, false, 10);
    CU_ASSERT_EQUAL(reduced.count, 3);
}

static void wait_for_it(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(mutexes[0]);
    if (SOLO_READ(shared[0]) == 0) { /* not a loop */
        (void)solo_condition_wait(condition, mutexes[0], SOLO_NEVER);
    }
    seen[0] = SOLO_READ(shared[0]);
    (void)solo_mutex_unlock(mutexes[0]);
}

static void say_it(void *arg)
{
    (void)arg;
    SOLO_WRITE(shared[0], 1); /* without the lock: the signal may come before the wait */
    (void)solo_condition_signal(condition);
}

static void signal_and_wait(void *arg)
{
    static const solo_thread_fn threads[] = {wait_for_it, say_it};
    (void)arg;
    make_locks();
    put(8);
    start_and_join(threads, 2);
    put((uint64_t)seen[0]);
}

static void test_dpor__finds_the_lost_signal(void)
{
    compare(signal_and_wait, false, 10);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

static void take_and_note(void *arg)
{
    (void)solo_semaphore_wait(semaphore, SOLO_NEVER);
    SOLO_WRITE(shared[0], SOLO_READ(shared[0]) * 4 + (long)(uintptr_t)arg + 1);
}

static void takers(void *arg)
{
    static const solo_thread_fn threads[] = {take_and_note, take_and_note};
    (void)arg;
    make_locks();
    put(9);
    (void)solo_semaphore_post(semaphore);
    start_and_join(threads, 2);
    put((uint64_t)shared[0]);
}

static void test_dpor__tries_who_gets_the_last_one(void)
{
    compare(takers, false, 5);
}

/* ---- Yields, and threads that are not joined ---- */

static long counter;

static void add_around_yield(void *arg)
{
    (void)arg;
    long value = counter;
    solo_yield();
    counter = value + 1;
}

static void lost_update(void *arg)
{
    static const solo_thread_fn threads[] = {add_around_yield, add_around_yield};
    (void)arg;
    counter = 0;
    start_and_join(threads, 2);
    put((uint64_t)counter);
}

static void test_dpor__a_yield_stands_for_memory_that_nobody_announces(void)
{
    compare(lost_update, false, 5);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

static void leave_threads_behind(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    memset(shared, 0, sizeof shared);
    (void)solo_thread_create(write_first, NULL, &threads[0]);
    (void)solo_thread_create(write_both, NULL, &threads[1]);
    put((uint64_t)(SOLO_READ(shared[0]) * 10 + SOLO_READ(shared[1])));
}

static void test_dpor__what_runs_before_main_returns_is_tried(void)
{
    compare(leave_threads_behind, false, 2);
}

/* ---- Time ---- */

static void write_later(void *arg)
{
    (void)arg;
    (void)solo_sleep(1000);
    SOLO_WRITE(shared[0], 5);
}

static void copy_first(void *arg)
{
    (void)arg;
    SOLO_WRITE(shared[1], SOLO_READ(shared[0]) + 1);
}

static void sleeper(void *arg)
{
    static const solo_thread_fn threads[] = {write_later, copy_first};
    (void)arg;
    memset(shared, 0, sizeof shared);
    start_and_join(threads, 2);
    put((uint64_t)(shared[0] * 10 + shared[1]));
}

static void test_dpor__time_may_pass_at_any_step(void)
{
    compare(sleeper, true, 10);
    CU_ASSERT_EQUAL(reduced.count, 2);
    compare(sleeper, false, 10);
}

static void wait_a_little(void *arg)
{
    (void)arg;
    int result = solo_semaphore_wait(semaphore, 1000);
    SOLO_WRITE(shared[0], result == 0 ? 1 : 2);
}

static void post_once(void *arg)
{
    (void)arg;
    (void)solo_semaphore_post(semaphore);
}

static void post_or_timeout(void *arg)
{
    static const solo_thread_fn threads[] = {wait_a_little, post_once};
    (void)arg;
    make_locks();
    start_and_join(threads, 2);
    put((uint64_t)shared[0]);
}

static void test_dpor__a_timeout_and_what_it_races_with(void)
{
    compare(post_or_timeout, true, 10);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

/* ---- Reactors ---- */

static struct solo_reactor *reactor;
static unsigned notes;
static uint64_t order_of_notes;

static SOLO_REACTOR_ONLY void note(void *arg)
{
    order_of_notes = order_of_notes * 4 + (uintptr_t)arg;
    if (++notes == 2) {
        (void)solo_reactor_stop(reactor);
    }
}

static void post_note(void *arg)
{
    (void)solo_reactor_call_from_thread(reactor, note, (void *)((uintptr_t)arg + 1), NULL);
}

static void make_reactor(void)
{
    struct solo_reactor_options options = {.pool_max = 2};
    notes = 0;
    order_of_notes = 0;
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
}

static void two_posters(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    make_reactor();
    for (uintptr_t i = 0; i < 2; i++) {
        (void)solo_thread_create(post_note, (void *)i, &threads[i]);
    }
    (void)solo_reactor_run(reactor);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
    (void)solo_reactor_destroy(reactor);
    put(order_of_notes);
}

static void test_dpor__thread_calls_from_two_threads(void)
{
    compare(two_posters, false, 5);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

static void note_twice(void *arg)
{
    (void)arg;
    post_note((void *)0);
    post_note((void *)1);
}

static void poster_and_stranger(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    make_reactor();
    (void)solo_thread_create(note_twice, NULL, &threads[0]);
    (void)solo_thread_create(write_own, (void *)1, &threads[1]);
    (void)solo_reactor_run(reactor);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
    (void)solo_reactor_destroy(reactor);
    put(order_of_notes);
}

static void test_dpor__a_thread_that_leaves_the_loop_alone_with_a_tenth_of_the_schedules(void)
{
    compare(poster_and_stranger, false, 10);
    CU_ASSERT_EQUAL(reduced.count, 1);
}

static SOLO_REACTOR_ONLY struct solo_result answer(void *arg)
{
    note(arg);
    return solo_value(arg);
}

static void ask_the_reactor(void *arg)
{
    void *value;
    (void)solo_blocking_call_from_thread(reactor, answer, (void *)((uintptr_t)arg + 1), &value);
}

static void two_who_wait(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    make_reactor();
    for (uintptr_t i = 0; i < 2; i++) {
        (void)solo_thread_create(ask_the_reactor, (void *)i, &threads[i]);
    }
    (void)solo_reactor_run(reactor);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
    (void)solo_reactor_destroy(reactor);
    put(order_of_notes);
}

static void test_dpor__two_blocking_calls_with_a_tenth_of_the_schedules(void)
{
    compare(two_who_wait, false, 10);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

static SOLO_POOL_ONLY void job(void *arg)
{
    (void)arg;
}

static SOLO_REACTOR_ONLY void job_done(int status, void *arg)
{
    (void)status;
    order_of_notes = order_of_notes * 4 + (uintptr_t)arg + 1;
    (void)solo_reactor_stop(reactor);
}

static void one_job(void *arg)
{
    (void)arg;
    make_reactor();
    (void)solo_reactor_call_in_thread(reactor, job, NULL, job_done);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    put(order_of_notes);
}

static void test_dpor__a_job_and_its_report(void)
{
    compare(one_job, false, 2);
}

static SOLO_POOL_ONLY void noting_job(void *arg)
{
    (void)solo_reactor_call_from_thread(reactor, note, arg, NULL);
}

static void two_jobs(void *arg)
{
    (void)arg;
    make_reactor();
    (void)solo_reactor_call_in_thread(reactor, noting_job, (void *)1, NULL);
    (void)solo_reactor_call_in_thread(reactor, noting_job, (void *)2, NULL);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    put(order_of_notes);
}

/*
 * Plain search does not end within thirty times as many schedules; what it has found by then the reduced one has too.
 */
static void test_dpor__two_jobs_on_two_workers_with_a_tenth_of_the_schedules(void)
{
    search("dpor", two_jobs, false, &reduced);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_EQUAL(reduced.count, 2);
    CU_ASSERT_TRUE(reduced.schedules * 10 < 100000);
    search("random", two_jobs, false, &plain);
    for (unsigned i = 0; i < plain.count; i++) {
        CU_ASSERT_TRUE(is_in(&reduced, plain.outcomes[i]));
    }
}

static void call_and_wait(void *arg)
{
    (void)arg;
    solo_thread_fn threads[] = {post_note, post_note};
    make_reactor();
    (void)solo_reactor_call_later(reactor, 1000, note, (void *)3, NULL, NULL);
    struct solo_thread *thread;
    (void)solo_thread_create(threads[0], (void *)0, &thread);
    (void)solo_reactor_run(reactor);
    (void)solo_thread_join(thread);
    (void)solo_reactor_destroy(reactor);
    put(order_of_notes);
}

static void test_dpor__a_delayed_call_against_a_thread_call(void)
{
    compare(call_and_wait, true, 1);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

/* ---- Programs that are drawn ---- */

enum { OPERATIONS = 3 };

static struct {
    uint8_t what, which;
} program[THREADS][OPERATIONS];
static unsigned program_threads;

static void operate(uintptr_t self, unsigned what, unsigned which)
{
    switch (what) {
    case 0: (void)SOLO_READ(shared[which]); break;
    case 1: /* in one atomic step */
        solo_access_write(&shared[which], sizeof shared[which]);
        shared[which] = shared[which] * 3 + (long)self + 1;
        break;
    case 2: seen[0] = seen[0] * 5 + SOLO_READ(shared[which]); break;
    case 3:
        (void)solo_mutex_lock(mutexes[which]);
        shared[2 + which] = shared[2 + which] * 3 + (long)self + 1;
        (void)solo_mutex_unlock(mutexes[which]);
        break;
    case 4: (void)solo_semaphore_post(semaphore); break;
    default: (void)solo_semaphore_wait(semaphore, SOLO_NEVER); break;
    }
}

static void run_program(void *arg)
{
    uintptr_t self = (uintptr_t)arg;
    long kept[OPERATIONS];
    for (unsigned i = 0; i < OPERATIONS; i++) {
        unsigned what = program[self][i].what;
        unsigned which = program[self][i].which;
        kept[i] = what == 2 ? SOLO_READ(shared[which]) : 0;
        if (what != 2) {
            operate(self, what, which);
        }
    }
    for (unsigned i = 0; i < OPERATIONS; i++) {
        seen[0] += kept[i] * (long)(1 + self * OPERATIONS + i) * 17; /* a sum: its order does not matter */
    }
}

static void drawn_program(void *arg)
{
    struct solo_thread *threads[THREADS];
    (void)arg;
    make_locks();
    put(3);
    for (uintptr_t i = 0; i < program_threads; i++) {
        (void)solo_thread_create(run_program, (void *)i, &threads[i]);
    }
    for (unsigned i = 0; i < program_threads; i++) {
        (void)solo_thread_join(threads[i]);
    }
    put((uint64_t)(shared[0] * 1000003 + shared[1] * 10007 + shared[2] * 101 + shared[3] * 11 + seen[0]));
}

static void draw_program(uint64_t seed, unsigned threads, unsigned operations)
{
    uint64_t random = seed;
    program_threads = threads;
    memset(program, 0, sizeof program);
    for (unsigned t = 0; t < threads; t++) {
        for (unsigned i = 0; i < OPERATIONS; i++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            program[t][i].what = i < operations ? (uint8_t)((random >> 33) % 6) : 0;
            program[t][i].which = i < operations ? (random >> 40) & 1 : (uint8_t)(2 + t % 2);
        }
    }
}

static void test_dpor__drawn_programs_of_two_threads_end_alike(void)
{
    unsigned all = 0;
    unsigned tried = 0;
    for (uint64_t seed = 1; seed <= DRAWN_MAX; seed++) {
        draw_program(seed, 2, 3);
        compare(drawn_program, false, 1);
        all += plain.schedules;
        tried += reduced.schedules;
    }
    CU_ASSERT_TRUE(tried * 10 < all);
}

static void test_dpor__drawn_programs_of_three_threads_end_alike(void)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        draw_program(seed * 1000, 3, 1);
        search("dpor", drawn_program, false, &reduced);
        CU_ASSERT_TRUE(reduced.ended);
        search("random", drawn_program, false, &plain); /* plain search would take minutes */
        for (unsigned i = 0; i < plain.count; i++) {
            CU_ASSERT_TRUE(is_in(&reduced, plain.outcomes[i]));
        }
    }
}

/* ---- In the explorer ---- */

static const char *is_two(void *arg)
{
    (void)arg;
    return counter == 2 ? NULL : "an addition was lost";
}

static void test_dpor__findings_come_with_tokens_that_replay(void)
{
    static struct solo_report report;
    struct solo_scenario scenario = {.name = "lost", .body = lost_update, .invariant = is_two};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "dpor";
    CU_ASSERT_EQUAL(solo_explore(&scenario, &options, &report), 0);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_TRUE(report.findings[0].reproduced);
    CU_ASSERT_TRUE(report.exhausted);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "every order of operations that depend on each other tried"));
    scenario.invariant = NULL;
    CU_ASSERT_EQUAL(solo_explore(&scenario, &options, &report), 0);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, "every order of operations that depend on each other passed"));
}

static int *nowhere;

static void crash_if_first(void *arg)
{
    (void)arg;
    if (SOLO_READ(shared[0]) == 0) {
        *nowhere = 1;
    }
}

static void crash_sometimes(void *arg)
{
    static const solo_thread_fn threads[] = {write_first, crash_if_first};
    (void)arg;
    memset(shared, 0, sizeof shared);
    start_and_join(threads, 2);
}

static void test_dpor__goes_on_after_a_crash(void)
{
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    SOLO_SKIP("a sanitizer reports the crash in its own words");
#endif
    static struct solo_report report;
    struct solo_scenario scenario = {.name = "crash", .body = crash_sometimes};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.strategy = "dpor";
    CU_ASSERT_EQUAL(solo_explore(&scenario, &options, &report), 0);
    CU_ASSERT_EQUAL(report.finding_count, 1);
    CU_ASSERT_TRUE(report.exhausted);
    CU_ASSERT_TRUE(report.failing < report.schedules);
}

static unsigned runs;

static void changes_its_mind(void *arg)
{
    static const solo_thread_fn threads[] = {write_first, write_both, read_both};
    (void)arg;
    start_and_join(threads, runs++ == 0 ? 3 : 2);
}

static void test_dpor__notices_a_program_that_decides_for_itself(void)
{
    runs = 0;
    search("dpor", changes_its_mind, false, &reduced);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_TRUE(reduced.schedules <= 3);
}

void suite_dpor(void)
{
    SOLO_SUITE("dpor");
    SOLO_TEST(test_dpor__two_writers_and_a_reader);
    SOLO_TEST(test_dpor__threads_that_share_nothing_need_one_schedule);
    SOLO_TEST(test_dpor__reads_commute);
    SOLO_TEST(test_dpor__finds_the_deadlock_and_both_orders_without_it);
    SOLO_TEST(test_dpor__finds_the_lost_signal);
    SOLO_TEST(test_dpor__tries_who_gets_the_last_one);
    SOLO_TEST(test_dpor__a_yield_stands_for_memory_that_nobody_announces);
    SOLO_TEST(test_dpor__what_runs_before_main_returns_is_tried);
    SOLO_TEST(test_dpor__time_may_pass_at_any_step);
    SOLO_TEST(test_dpor__a_timeout_and_what_it_races_with);
    SOLO_TEST(test_dpor__thread_calls_from_two_threads);
    SOLO_TEST(test_dpor__a_thread_that_leaves_the_loop_alone_with_a_tenth_of_the_schedules);
    SOLO_TEST(test_dpor__two_blocking_calls_with_a_tenth_of_the_schedules);
    SOLO_TEST(test_dpor__a_job_and_its_report);
    SOLO_TEST(test_dpor__two_jobs_on_two_workers_with_a_tenth_of_the_schedules);
    SOLO_TEST(test_dpor__a_delayed_call_against_a_thread_call);
    SOLO_TEST(test_dpor__drawn_programs_of_two_threads_end_alike);
    SOLO_TEST(test_dpor__drawn_programs_of_three_threads_end_alike);
    SOLO_TEST(test_dpor__findings_come_with_tokens_that_replay);
    SOLO_TEST(test_dpor__goes_on_after_a_crash);
    SOLO_TEST(test_dpor__notices_a_program_that_decides_for_itself);
}
