/*
 * test_dependence.c - what commutes and what does not: pairs of programs that differ in one thing.
 *
 * In the first of each pair two operations commute, so the search with reduction needs one schedule less, or one alone;
 * in the second, nearly the same, they do not, and the search finds both outcomes. Plain search agrees with both. Then
 * programs are drawn, whose threads note what they see.
 */
#include "dependence.h"
#include "searches.h"
#include <solo/access.h>
#include <solo/pool_control.h>
#include <solo/solo.h>

enum { THREADS = 3, OPERATIONS = 3, KINDS_OF_OPERATION = 14, LIMIT_NS = 1000, DRAWN_SCHEDULES = 60000 };

#if defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { DRAWN_MAX = 3 };
#else
enum { DRAWN_MAX = 40 };
#endif

static long shared[4];
static uint64_t saw[THREADS + 1]; /* by each thread, and by the loop */
static struct solo_mutex *mutexes[2];
static struct solo_condition *condition;
static struct solo_semaphore *semaphore;

static void see(uintptr_t self, uint64_t value)
{
    saw[self] = (saw[self] ^ value) * UINT64_C(0x9e3779b97f4a7c15) + 7;
    outcome = 0; /* also of a schedule that does not come to its end */
    for (unsigned i = 0; i <= THREADS; i++) {
        put(saw[i]);
    }
}

static void make_all(void)
{
    memset(shared, 0, sizeof shared);
    memset(saw, 0, sizeof saw);
    (void)solo_mutex_create(&mutexes[0]);
    (void)solo_mutex_create(&mutexes[1]);
    (void)solo_condition_create(&condition);
    (void)solo_semaphore_create(0, &semaphore);
}

static void run_threads(const solo_thread_fn *threads, unsigned count)
{
    start_and_join(threads, count);
    for (unsigned i = 0; i <= THREADS; i++) {
        put(saw[i]);
    }
}

static void expect(void (*body)(void *arg), bool let_time_pass, unsigned outcomes, unsigned schedules)
{
    compare(body, let_time_pass, 1);
    CU_ASSERT_EQUAL(reduced.count, outcomes);
    CU_ASSERT_EQUAL(reduced.schedules - reduced.given_up, schedules);
}

/* ---- Locks ---- */

static void add_under_lock(void *arg)
{
    (void)solo_mutex_lock(mutexes[0]);
    shared[0] = shared[0] * 4 + (long)(uintptr_t)arg + 1;
    (void)SOLO_READ(shared[1]); /* a point */
    see((uintptr_t)arg, (uint64_t)shared[0]);
    (void)solo_mutex_unlock(mutexes[0]);
}

static void three_lockers(void *arg)
{
    static const solo_thread_fn threads[] = {add_under_lock, add_under_lock, add_under_lock};
    (void)arg;
    make_all();
    run_threads(threads, 3);
}

/* Whether the others wait for the lock or come when it is free again: six orders, six schedules. */
static void test_dependence__of_a_lock_only_the_order_of_its_owners_counts(void)
{
    search("dpor", three_lockers, false, &reduced);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_EQUAL(reduced.count, 6);
    CU_ASSERT_EQUAL(reduced.schedules - reduced.given_up, 6);
}

static void wait_and_lock_again(void *arg)
{
    (void)solo_mutex_lock(mutexes[0]);
    (void)solo_condition_wait(condition, mutexes[0], SOLO_NEVER);
    shared[0] = shared[0] * 4 + 1;
    see((uintptr_t)arg, (uint64_t)shared[0]);
    (void)solo_mutex_unlock(mutexes[0]);
}

static void signal_and_lock(void *arg)
{
    (void)solo_condition_signal(condition);
    (void)solo_mutex_lock(mutexes[0]);
    shared[0] = shared[0] * 4 + 2;
    see((uintptr_t)arg, (uint64_t)shared[0]);
    (void)solo_mutex_unlock(mutexes[0]);
}

static void woken_and_waker(void *arg)
{
    static const solo_thread_fn threads[] = {wait_and_lock_again, signal_and_lock};
    (void)arg;
    make_all();
    put(3);
    run_threads(threads, 2);
}

/* The signal is lost; or either of the two has the lock first. */
static void test_dependence__who_comes_back_from_a_condition_may_be_too_late_for_the_lock(void)
{
    compare(woken_and_waker, false, 1);
    CU_ASSERT_EQUAL(reduced.count, 3);
}

/* ---- Semaphores ---- */

static void post(void *arg)
{
    (void)arg;
    (void)solo_semaphore_post(semaphore);
}

static void wait_for_ever(void *arg)
{
    see((uintptr_t)arg, (uint64_t)solo_semaphore_wait(semaphore, SOLO_NEVER));
}

static void wait_a_while(void *arg)
{
    see((uintptr_t)arg, (uint64_t)solo_semaphore_wait(semaphore, LIMIT_NS));
}

static void look_once(void *arg)
{
    see((uintptr_t)arg, (uint64_t)solo_semaphore_wait(semaphore, 0));
}

static solo_thread_fn taker;

static void poster_and_taker(void *arg)
{
    const solo_thread_fn threads[] = {taker, post};
    (void)arg;
    make_all();
    run_threads(threads, 2);
}

static void test_dependence__to_wait_for_ever_commutes_with_what_ends_it(void)
{
    taker = wait_for_ever;
    expect(poster_and_taker, false, 1, 1);
    expect(poster_and_taker, true, 1, 1);
}

static void test_dependence__to_look_once_does_not(void)
{
    taker = look_once;
    expect(poster_and_taker, false, 2, 2);
}

static void test_dependence__to_wait_with_a_limit_does_not_if_time_may_pass(void)
{
    taker = wait_a_while;
    compare(poster_and_taker, true, 1);
    CU_ASSERT_EQUAL(reduced.count, 2);
    compare(poster_and_taker, false, 1);
    CU_ASSERT_EQUAL(reduced.count, 1);
}

/* ---- Time ---- */

static void read_and_broadcast(void *arg)
{
    see((uintptr_t)arg, (uint64_t)SOLO_READ(shared[0]));
    (void)solo_condition_broadcast(condition);
}

static void write_after_the_limit(void *arg)
{
    wait_a_while(arg);
    SOLO_WRITE(shared[0], 1);
}

static void reader_and_late_writer(void *arg)
{
    static const solo_thread_fn threads[] = {read_and_broadcast, write_after_the_limit};
    (void)arg;
    make_all();
    run_threads(threads, 2);
}

/* The limit is set after the read in the first schedule: to let it pass before, the second thread has to be first. */
static void test_dependence__time_may_pass_before_what_need_not_come_first(void)
{
    expect(reader_and_late_writer, false, 1, 1);
    compare(reader_and_late_writer, true, 1);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

/* ---- Loops ---- */

static struct solo_reactor *reactor;
static unsigned calls_left;

static SOLO_REACTOR_ONLY void serve(void *arg)
{
    see(THREADS, (uintptr_t)arg);
    if (--calls_left == 0) {
        (void)solo_reactor_stop(reactor);
    }
}

static void call_once(void *arg)
{
    (void)solo_reactor_call_from_thread(reactor, serve, (void *)((uintptr_t)arg + 1), NULL);
}

static void run_loop(const solo_thread_fn *threads, unsigned count, unsigned pool_max)
{
    struct solo_reactor_options options = {.pool_max = pool_max};
    struct solo_thread *started[THREADS];
    memset(saw, 0, sizeof saw);
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
    for (unsigned i = 0; i < count; i++) {
        (void)solo_thread_create(threads[i], (void *)(uintptr_t)i, &started[i]);
    }
    (void)solo_reactor_run(reactor);
    for (unsigned i = 0; i < count; i++) {
        (void)solo_thread_join(started[i]);
    }
    (void)solo_reactor_destroy(reactor);
    put(saw[THREADS]);
}

static void one_caller(void *arg)
{
    static const solo_thread_fn threads[] = {call_once};
    (void)arg;
    calls_left = 1;
    run_loop(threads, 1, 1);
}

static void two_callers(void *arg)
{
    static const solo_thread_fn threads[] = {call_once, call_once};
    (void)arg;
    calls_left = 2;
    run_loop(threads, 2, 1);
}

static void test_dependence__a_loop_that_sleeps_commutes_with_the_call_that_wakes_it(void)
{
    compare(one_caller, false, 1);
    CU_ASSERT_EQUAL(reduced.count, 1);
    CU_ASSERT_TRUE(reduced.schedules * 3 <= plain.schedules);
}

static void test_dependence__two_calls_do_not_commute(void)
{
    compare(two_callers, false, 10);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

/* ---- Descriptors ---- */

static int streams[2][2]; /* the loop reads the first end of each */

static void write_to_stream(void *arg)
{
    uintptr_t self = (uintptr_t)arg;
    SOLO_WRITE(shared[self], 1);
    CU_ASSERT_EQUAL(solo_stream_write(streams[self][1], "x", 1), 1);
}

/* What it sees says who has written so far: each of the writers may be the one that wakes the loop. */
static SOLO_REACTOR_ONLY void read_stream(int fd, void *arg)
{
    char byte;
    uintptr_t self = (uintptr_t)arg;
    CU_ASSERT_EQUAL(solo_stream_read(fd, &byte, 1), 1);
    see(THREADS, self * 2 + (uint64_t)SOLO_READ(shared[1 - self]));
    if (--calls_left == 0) {
        (void)solo_reactor_stop(reactor);
    }
}

static void two_streams(void *arg)
{
    struct solo_thread *writers[2];
    (void)arg;
    make_all();
    calls_left = 2;
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, &reactor), 0);
    for (uintptr_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_stream_pair(streams[i]), 0);
        (void)solo_reactor_add_reader(reactor, streams[i][0], read_stream, (void *)i);
        (void)solo_thread_create(write_to_stream, (void *)i, &writers[i]);
    }
    (void)solo_reactor_run(reactor);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(writers[i]);
        (void)solo_reactor_remove_reader(reactor, streams[i][0]);
        (void)solo_stream_close(streams[i][0]);
        (void)solo_stream_close(streams[i][1]);
    }
    (void)solo_reactor_destroy(reactor);
    outcome = 0;
    put(saw[THREADS]);
}

static void test_dependence__two_that_may_wake_a_loop_do_not_commute_although_neither_touches_what_the_other_does(void)
{
    search("random", two_streams, false, &plain);
    search("dpor", two_streams, false, &reduced);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_EQUAL(reduced.count, 4); /* either first, with or without the other one having written */
    for (unsigned i = 0; i < plain.count; i++) {
        CU_ASSERT_TRUE(is_in(&reduced, plain.outcomes[i]));
    }
}

/* ---- Pools ---- */

static unsigned jobs_left;

static SOLO_POOL_ONLY void silent_job(void *arg)
{
    (void)arg;
}

static SOLO_POOL_ONLY void writing_job(void *arg)
{
    SOLO_WRITE(shared[0], SOLO_READ(shared[0]) * 4 + (long)(uintptr_t)arg);
}

static SOLO_REACTOR_ONLY void reported(int status, void *arg)
{
    (void)status;
    see(THREADS, (uintptr_t)arg);
    if (--jobs_left == 0) {
        (void)solo_reactor_stop(reactor);
    }
}

static void queue_two(solo_call_fn job, unsigned pool_max)
{
    struct solo_reactor_options options = {.pool_max = pool_max};
    memset(saw, 0, sizeof saw);
    memset(shared, 0, sizeof shared);
    jobs_left = 2;
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
    (void)solo_reactor_call_in_thread(reactor, job, (void *)1, reported);
    (void)solo_reactor_call_in_thread(reactor, job, (void *)2, reported);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    put(saw[THREADS]);
    put((uint64_t)shared[0]);
}

static void jobs_that_report(void *arg)
{
    (void)arg;
    queue_two(silent_job, 2);
}

static void jobs_of_one_worker(void *arg)
{
    (void)arg;
    queue_two(silent_job, 1);
}

static void jobs_that_write(void *arg)
{
    (void)arg;
    queue_two(writing_job, 2);
}

/* Who takes which job is a choice of its own, so who comes first to the queue is none. */
static void test_dependence__two_workers_that_take_a_job_each_commute(void)
{
    search("dpor", jobs_that_report, false, &reduced);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_EQUAL(reduced.count, 2); /* the order of their reports */
    CU_ASSERT_TRUE(reduced.schedules <= 300);
}

static void test_dependence__one_worker_takes_them_in_either_order(void)
{
    compare(jobs_of_one_worker, false, 1);
    CU_ASSERT_EQUAL(reduced.count, 2);
}

static void test_dependence__jobs_that_share_memory_run_in_every_order(void)
{
    search("dpor", jobs_that_write, false, &reduced);
    search("random", jobs_that_write, false, &plain);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_EQUAL(reduced.count, 8);
    CU_ASSERT_EQUAL(plain.count, 8); /* four ends of the word, two orders of reports */
    for (unsigned i = 0; i < plain.count; i++) {
        CU_ASSERT_TRUE(is_in(&reduced, plain.outcomes[i]));
    }
}

/* ---- The remote control of a pool ---- */

static struct solo_pool *pool;

static SOLO_REACTOR_ONLY void reported_alone(int status, void *arg)
{
    (void)status;
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

/* Starts the job and looks whether it has finished, which its worker does whenever it likes. */
static void direct_and_look(void *arg)
{
    struct solo_pool_job job = {0, 0, SOLO_JOB_QUEUED};
    size_t count = 0;
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 1, 1), 0);
    CU_ASSERT_EQUAL(solo_pool_jobs(pool, &job, 1, &count), 0);
    see(0, count == 1 ? (uint64_t)job.state : 9);
    CU_ASSERT_EQUAL(solo_pool_hold(pool, false), 0);
}

/* The same without a look. */
static void direct(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_start_job(pool, 1, 1), 0);
    CU_ASSERT_EQUAL(solo_pool_hold(pool, false), 0);
}

static void direct_a_job(solo_thread_fn director)
{
    struct solo_reactor_options options = {.pool_min = 1, .pool_max = 1};
    struct solo_thread *thread = NULL;
    memset(saw, 0, sizeof saw);
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_hold(pool, true), 0);
    (void)solo_reactor_call_in_thread(reactor, silent_job, NULL, reported_alone);
    CU_ASSERT_EQUAL(solo_thread_create(director, NULL, &thread), 0);
    (void)solo_reactor_run(reactor);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    (void)solo_reactor_destroy(reactor);
    put(saw[0]);
}

static void directed_and_looked_at(void *arg)
{
    (void)arg;
    direct_a_job(direct_and_look);
}

static void directed(void *arg)
{
    (void)arg;
    direct_a_job(direct);
}

static void expect_of_directed(void (*body)(void *arg), unsigned outcomes)
{
    search("dpor", body, false, &reduced);
    search("random", body, false, &plain);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_EQUAL(reduced.count, outcomes);
    CU_ASSERT_EQUAL(plain.count, outcomes);
}

static void test_dependence__who_looks_at_a_job_sees_it_finished_or_not(void)
{
    expect_of_directed(directed_and_looked_at, 2);
}

static void test_dependence__who_does_not_look_does_not(void)
{
    expect_of_directed(directed, 1);
}

/* ---- Workers ---- */

static struct solo_worker *worker;

static void work(void *arg)
{
    see(THREADS, (uintptr_t)arg);
}

static void give_one(void *arg)
{
    (void)solo_worker_do(worker, work, (void *)((uintptr_t)arg + 1), NULL);
}

static void givers(unsigned count)
{
    static const solo_thread_fn threads[] = {give_one, give_one};
    make_all();
    (void)solo_thread_worker_create(&worker);
    run_threads(threads, count);
    (void)solo_worker_destroy(worker);
    outcome = 0; /* of the worker's own, which nobody looked at before */
    put(saw[THREADS]);
}

static void one_giver(void *arg)
{
    (void)arg;
    givers(1);
}

static void two_givers(void *arg)
{
    (void)arg;
    givers(2);
}

static void test_dependence__a_worker_of_its_own_thread_commutes_with_whoever_gives_it_work(void)
{
    expect(one_giver, false, 1, 1);
}

static void test_dependence__two_who_give_it_work_do_not(void)
{
    search("dpor", two_givers, false, &reduced);
    CU_ASSERT_TRUE(reduced.ended);
    CU_ASSERT_EQUAL(reduced.count, 2);
    CU_ASSERT_EQUAL(reduced.schedules - reduced.given_up, 2);
}

/* ---- The table ---- */

static unsigned touches_of(unsigned kind, unsigned access, uint64_t value, struct solo__touch *touches)
{
    struct solo_event event = {.kind = (uint8_t)kind, .access = (uint8_t)access, .object = 0x3000001, .value = value};
    struct solo__toucher who = {.works = true};
    return solo__touches(&event, &who, touches);
}

static bool depend(unsigned kind, uint64_t value, unsigned other_kind, uint64_t other_value)
{
    struct solo__touch one[SOLO__TOUCHES_MAX], other[SOLO__TOUCHES_MAX];
    unsigned ones = touches_of(kind, SOLO_ACCESS_WRITE, value, one);
    unsigned others = touches_of(other_kind, SOLO_ACCESS_WRITE, other_value, other);
    for (unsigned i = 0; i < ones * others; i++) {
        const struct solo__touch *a = &one[i % ones], *b = &other[i / ones];
        if (a->key == b->key && solo__ways_conflict(a->way, b->way)) {
            return true;
        }
    }
    return false;
}

static void test_dependence__no_kind_touches_more_than_there_is_room_for(void)
{
    struct solo__touch touches[SOLO__TOUCHES_MAX];
    for (unsigned kind = 0; kind < SOLO_PROBE_KIND_COUNT; kind++) {
        for (uint64_t value = 0; value <= SOLO_QUEUE_HOOK; value++) {
            unsigned count = touches_of(kind, SOLO_ACCESS_WAIT, value, touches);
            CU_ASSERT_TRUE(count <= SOLO__TOUCHES_MAX);
            for (unsigned i = 0; i < count; i++) {
                CU_ASSERT_TRUE(touches[i].way <= SOLO__WRITES);
            }
        }
    }
}

static void test_dependence__what_is_only_counted_commutes_until_somebody_looks(void)
{
    CU_ASSERT_FALSE(depend(SOLO_PROBE_CALL_ENDED, 0, SOLO_PROBE_CALL_ENDED, 0));
    CU_ASSERT_TRUE(depend(SOLO_PROBE_CALL_ENDED, 0, SOLO_PROBE_CALL_ACCEPTED, SOLO_QUEUE_POOL));
    CU_ASSERT_FALSE(depend(SOLO_PROBE_CALL_ENDED, 0, SOLO_PROBE_CALL_ACCEPTED, SOLO_QUEUE_THREAD_CALL));
    CU_ASSERT_TRUE(depend(SOLO_PROBE_WRITE, 0, SOLO_PROBE_POLL, 0));
    CU_ASSERT_FALSE(depend(SOLO_PROBE_CALLBACK_BEGUN, 0, SOLO_PROBE_POLL, 0));
    CU_ASSERT_TRUE(depend(SOLO_PROBE_CALL_ACCEPTED, SOLO_QUEUE_THREAD_CALL, SOLO_PROBE_PASS, 0));
    CU_ASSERT_FALSE(depend(SOLO_PROBE_CALL_ACCEPTED, SOLO_QUEUE_POOL, SOLO_PROBE_PASS, 0));
}

static void footprint_of(uint64_t number, enum solo__way way, struct solo__footprint *footprint)
{
    memset(footprint, 0, sizeof *footprint);
    solo__footprint_touch(footprint, number, way);
}

static void test_dependence__footprints_conflict_as_their_touches_do(void)
{
    struct solo__footprint reads, adds, writes, all = solo__footprint_of_all();
    footprint_of(100, SOLO__READS, &reads);
    footprint_of(100, SOLO__ADDS, &adds);
    footprint_of(100, SOLO__WRITES, &writes);
    CU_ASSERT_FALSE(solo__footprints_conflict(&reads, &reads));
    CU_ASSERT_FALSE(solo__footprints_conflict(&adds, &adds));
    CU_ASSERT_TRUE(solo__footprints_conflict(&adds, &reads));
    CU_ASSERT_TRUE(solo__footprints_conflict(&reads, &adds));
    CU_ASSERT_TRUE(solo__footprints_conflict(&writes, &adds));
    CU_ASSERT_TRUE(solo__footprints_conflict(&reads, &writes));
    CU_ASSERT_TRUE(solo__footprints_conflict(&writes, &writes));
    CU_ASSERT_TRUE(solo__footprints_conflict(&all, &reads));
    solo__footprint_add(&reads, &adds);
    CU_ASSERT_TRUE(solo__footprints_conflict(&reads, &reads));
}

static void test_dependence__footprints_tell_as_many_keys_apart_as_they_have_bits(void)
{
    for (uint64_t one = 0; one < SOLO__FOOTPRINT_BITS; one++) {
        for (uint64_t other = 0; other < SOLO__FOOTPRINT_BITS; other++) {
            struct solo__footprint a, b;
            footprint_of(one, SOLO__WRITES, &a);
            footprint_of(other, SOLO__WRITES, &b);
            CU_ASSERT_EQUAL(solo__footprints_conflict(&a, &b), one == other);
        }
    }
}

/* ---- Programs that are drawn ---- */

static struct {
    uint8_t what, which;
} program[THREADS][OPERATIONS];
static unsigned program_threads, program_operations;

static void note_under_lock(uintptr_t self, unsigned which)
{
    shared[2 + which] = shared[2 + which] * 3 + (long)self + 1;
    see(self, (uint64_t)shared[2 + which]);
}

static void wait_on_condition(uintptr_t self, unsigned which, uint64_t limit_ns)
{
    (void)solo_mutex_lock(mutexes[which]);
    see(self, (uint64_t)solo_condition_wait(condition, mutexes[which], limit_ns));
    note_under_lock(self, which);
    (void)solo_mutex_unlock(mutexes[which]);
}

static void operate_locked(uintptr_t self, unsigned what, unsigned which)
{
    (void)solo_mutex_lock(mutexes[which]);
    switch (what) {
    case 2: note_under_lock(self, which); break;
    case 3: see(self, (uint64_t)SOLO_READ(shared[which])); break;
    case 11:
        (void)solo_mutex_lock(mutexes[1 - which]);
        note_under_lock(self, 0);
        (void)solo_mutex_unlock(mutexes[1 - which]);
        break;
    default: (void)solo_semaphore_wait(semaphore, SOLO_NEVER); break;
    }
    (void)solo_mutex_unlock(mutexes[which]);
}

static void operate(uintptr_t self, unsigned what, unsigned which)
{
    switch (what) {
    case 0: see(self, (uint64_t)SOLO_READ(shared[which])); break;
    case 1: SOLO_WRITE(shared[which], (long)self + 5); break;
    case 4: post(NULL); break;
    case 5: wait_for_ever((void *)self); break;
    case 6: look_once((void *)self); break;
    case 7: wait_a_while((void *)self); break;
    case 8: wait_on_condition(self, which, SOLO_NEVER); break;
    case 9: (void)solo_condition_signal(condition); break;
    case 10: (void)solo_condition_broadcast(condition); break;
    case 12: wait_on_condition(self, which, LIMIT_NS); break;
    default: operate_locked(self, what, which); break;
    }
}

static void run_program(void *arg)
{
    uintptr_t self = (uintptr_t)arg;
    for (unsigned i = 0; i < program_operations; i++) {
        operate(self, program[self][i].what, program[self][i].which);
    }
}

static void drawn_program(void *arg)
{
    static const solo_thread_fn threads[] = {run_program, run_program, run_program};
    (void)arg;
    make_all();
    run_threads(threads, program_threads);
    put((uint64_t)(shared[0] * 1000003 + shared[1] * 10007 + shared[2] * 101 + shared[3]));
}

static uint64_t draw(uint64_t random)
{
    for (unsigned i = 0; i < program_threads * program_operations; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        program[i / program_operations][i % program_operations].what = (uint8_t)((random >> 33) % KINDS_OF_OPERATION);
        program[i / program_operations][i % program_operations].which = random >> 45 & 1;
    }
    return random;
}

static void compare_drawn(unsigned threads, unsigned operations, bool let_time_pass)
{
    uint64_t random = runner_seed() * 1000003 + threads * 101 + operations;
    program_threads = threads;
    program_operations = operations;
    for (unsigned i = 0; i < DRAWN_MAX; i++) {
        random = draw(random);
        search("dpor", drawn_program, let_time_pass, &reduced);
        CU_ASSERT_TRUE(reduced.ended);
        search_up_to(DRAWN_SCHEDULES, "dfs", drawn_program, let_time_pass, &plain);
        for (unsigned j = 0; j < plain.count; j++) {
            CU_ASSERT_TRUE(is_in(&reduced, plain.outcomes[j]));
        }
        for (unsigned j = 0; j < reduced.count && plain.ended; j++) {
            CU_ASSERT_TRUE(is_in(&plain, reduced.outcomes[j]));
        }
    }
}

static void test_dependence__drawn_programs_of_two_threads_end_alike(void)
{
    compare_drawn(2, 3, false);
}

static void test_dependence__drawn_programs_of_three_threads_end_alike(void)
{
    compare_drawn(3, 1, false);
}

static void test_dependence__drawn_programs_end_alike_if_time_may_pass_at_any_step(void)
{
    compare_drawn(2, 2, true);
}

void suite_dependence(void)
{
    SOLO_SUITE("dependence");
    SOLO_TEST(test_dependence__of_a_lock_only_the_order_of_its_owners_counts);
    SOLO_TEST(test_dependence__who_comes_back_from_a_condition_may_be_too_late_for_the_lock);
    SOLO_TEST(test_dependence__to_wait_for_ever_commutes_with_what_ends_it);
    SOLO_TEST(test_dependence__to_look_once_does_not);
    SOLO_TEST(test_dependence__to_wait_with_a_limit_does_not_if_time_may_pass);
    SOLO_TEST(test_dependence__time_may_pass_before_what_need_not_come_first);
    SOLO_TEST(test_dependence__a_loop_that_sleeps_commutes_with_the_call_that_wakes_it);
    SOLO_TEST(test_dependence__two_calls_do_not_commute);
    SOLO_TEST(test_dependence__two_that_may_wake_a_loop_do_not_commute_although_neither_touches_what_the_other_does);
    SOLO_TEST(test_dependence__two_workers_that_take_a_job_each_commute);
    SOLO_TEST(test_dependence__one_worker_takes_them_in_either_order);
    SOLO_TEST(test_dependence__jobs_that_share_memory_run_in_every_order);
    SOLO_TEST(test_dependence__who_looks_at_a_job_sees_it_finished_or_not);
    SOLO_TEST(test_dependence__who_does_not_look_does_not);
    SOLO_TEST(test_dependence__a_worker_of_its_own_thread_commutes_with_whoever_gives_it_work);
    SOLO_TEST(test_dependence__two_who_give_it_work_do_not);
    SOLO_TEST(test_dependence__no_kind_touches_more_than_there_is_room_for);
    SOLO_TEST(test_dependence__what_is_only_counted_commutes_until_somebody_looks);
    SOLO_TEST(test_dependence__footprints_conflict_as_their_touches_do);
    SOLO_TEST(test_dependence__footprints_tell_as_many_keys_apart_as_they_have_bits);
    SOLO_TEST(test_dependence__drawn_programs_of_two_threads_end_alike);
    SOLO_TEST(test_dependence__drawn_programs_of_three_threads_end_alike);
    SOLO_TEST(test_dependence__drawn_programs_end_alike_if_time_may_pass_at_any_step);
}
