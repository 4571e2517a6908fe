/*
 * test_pool_queue.c - jobs that are queued without the lock and claimed several at a time: whatever happens meanwhile,
 * each ends once, and none waits behind one that takes long.
 *
 * World os only: in world sim the chooser decides about each job, and there is nothing to claim.
 */
#include "worlds.h"
#include <errno.h>
#include <semaphore.h>
#include <solo/pool_control.h>
#include <solo/probe.h>
#include <time.h>

enum { MANY = 3000, WORKERS = 2 };

static struct solo_reactor *reactor;
static struct solo_pool *pool;
static struct solo_semaphore *gate;
static uint64_t ran; /* atomic */
static unsigned dones[3];
static unsigned awaited; /* jobs that are to be done before the reactor stops */

static void begin(unsigned min, unsigned max)
{
    struct solo_reactor_options options = {.pool_min = min, .pool_max = max};
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &gate), 0);
    __atomic_store_n(&ran, 0, __ATOMIC_RELAXED);
    memset(dones, 0, sizeof dones);
    awaited = 0;
}

static void end(void)
{
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    struct solo_pool_statistics now;
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
    CU_ASSERT_EQUAL(now.accepted, now.ran + now.handed_back);
    CU_ASSERT_EQUAL(now.ran, __atomic_load_n(&ran, __ATOMIC_RELAXED));
    CU_ASSERT_EQUAL(now.queued, 0);
    CU_ASSERT_EQUAL(now.busy, 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(gate), 0);
}

static void shortly(void *arg)
{
    (void)arg;
    (void)__atomic_add_fetch(&ran, 1, __ATOMIC_RELAXED);
}

static void wait_at_gate(void *arg)
{
    shortly(arg);
    (void)solo_semaphore_wait(gate, SOLO_NEVER);
}

static void open_gate(void *arg)
{
    shortly(arg);
    (void)solo_semaphore_post(gate);
}

static void count_done(int status, void *arg)
{
    (void)arg;
    dones[status == 0 ? 0 : status == SOLO_ECANCELLED ? 1 : 2]++;
    if (dones[0] + dones[1] + dones[2] == awaited) {
        worlds_stop(reactor);
    }
}

static void queue(solo_call_fn fn)
{
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, fn, NULL, count_done, NULL), 0);
}

/* ---- None waits behind one that takes long ---- */

enum { TURNS = 4 };

static unsigned turns_left;

static void queue_a_turn(void);

static void turn_is_over(int status, void *arg)
{
    turns_left--;
    if (turns_left > 0) {
        queue_a_turn();
    }
    count_done(status, arg);
}

/* Makes the workers used to short jobs; then one waits for the job that is queued right behind it. */
static void queue_a_turn(void)
{
    for (int i = 0; i < MANY / TURNS; i++) {
        queue(shortly);
    }
    queue(wait_at_gate);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, open_gate, NULL, turn_is_over, NULL), 0);
    for (int i = 0; i < MANY / TURNS; i++) {
        queue(shortly);
    }
}

static void begin_turns(void *arg)
{
    (void)arg;
    turns_left = TURNS;
    queue_a_turn();
}

static void behind_body(void)
{
    begin(WORKERS, WORKERS);
    awaited = TURNS * (2 * (MANY / TURNS) + 2);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, begin_turns, NULL, NULL), 0);
    end();
    CU_ASSERT_EQUAL(dones[0], awaited);
}

static void test_pool_queue__a_job_behind_one_that_waits_for_it_is_done_by_another_worker(void)
{
    worlds_run_os(behind_body);
}

/* ---- Seen and taken back ---- */

static void cancel_all(void *arg)
{
    (void)arg;
    for (unsigned number = MANY; number >= 1; number--) { /* from the newest: the workers come from the other end */
        int status = solo_pool_cancel(pool, number);
        CU_ASSERT(status == 0 || status == SOLO_EALREADYCALLED);
    }
}

static void queue_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < MANY; i++) {
        queue(shortly);
    }
}

static void cancel_body(void)
{
    begin(WORKERS, WORKERS);
    awaited = MANY;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, queue_many, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, cancel_all, NULL, NULL), 0);
    end();
    CU_ASSERT_EQUAL(dones[0] + dones[1], MANY);
    CU_ASSERT_EQUAL(dones[0], __atomic_load_n(&ran, __ATOMIC_RELAXED));
}

static void test_pool_queue__a_claimed_job_can_still_be_cancelled_and_ends_once(void)
{
    worlds_run_os(cancel_body);
}

static void look_and_hold(void *arg)
{
    static struct solo_pool_job jobs[4];
    static char text[512];
    struct solo_pool_statistics now;
    size_t count;
    (void)arg;
    for (int i = 0; i < 50; i++) {
        CU_ASSERT_EQUAL(solo_pool_hold(pool, true), 0);
        CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
        CU_ASSERT_EQUAL(now.accepted, now.ran + now.queued + now.busy);
        CU_ASSERT_EQUAL(solo_pool_jobs(pool, jobs, 4, &count), 0);
        CU_ASSERT(count >= now.queued);
        CU_ASSERT_EQUAL(solo_pool_dump(pool, text, sizeof text, NULL), 0);
        CU_ASSERT_EQUAL(solo_pool_hold(pool, false), 0);
    }
}

static void hold_body(void)
{
    begin(WORKERS, WORKERS);
    awaited = MANY;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, queue_many, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, look_and_hold, NULL, NULL), 0);
    end();
    CU_ASSERT_EQUAL(dones[0], MANY);
}

static void test_pool_queue__a_hold_and_a_look_find_every_job_in_its_place(void)
{
    worlds_run_os(hold_body);
}

static void resize(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 40; i++) {
        CU_ASSERT_EQUAL(solo_pool_adjust_size(pool, i % 2, 1 + i % 4), 0);
        CU_ASSERT_EQUAL(solo_pool_shrink(pool, 1), 0);
    }
}

static void resize_body(void)
{
    begin(WORKERS, WORKERS);
    awaited = MANY;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, queue_many, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, resize, NULL, NULL), 0);
    end();
    CU_ASSERT_EQUAL(dones[0], MANY);
}

static void test_pool_queue__whatever_its_size_becomes_each_job_is_done_once(void)
{
    worlds_run_os(resize_body);
}

/* ---- Many who queue, a few at a time ---- */

enum { THREADS = 3, ROUNDS = 300 };

/* Waits for each few before it queues more, so that workers fall asleep and have to be woken again and again. */
static void queue_and_wait(void *arg)
{
    (void)arg;
    for (int round = 0; round < ROUNDS; round++) {
        int few = 1 + round % 5;
        for (int i = 0; i < few; i++) {
            queue(shortly);
        }
        queue(open_gate);
        CU_ASSERT_EQUAL(solo_semaphore_wait(gate, SOLO_NEVER), 0); /* of anybody: as many come as were queued */
    }
}

static void few_body(void)
{
    struct solo_thread *threads[THREADS];
    unsigned each = 0;
    for (int round = 0; round < ROUNDS; round++) {
        each += 2 + (unsigned)round % 5;
    }
    begin(WORKERS, WORKERS);
    awaited = THREADS * each;
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(queue_and_wait, NULL, &threads[i]), 0);
    }
    end();
    CU_ASSERT_EQUAL(dones[0], awaited);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
}

static void test_pool_queue__no_wake_is_lost_however_few_come_at_a_time(void)
{
    worlds_run_os(few_body);
}

/* ---- Quick ones, thick and fast ---- */

enum { WINDOW = 64, MEETERS = 4 };

static unsigned to_queue;
static unsigned met; /* atomic */

/* Returns when as many as there are workers are here at once. */
static void meet(void *arg)
{
    shortly(arg);
    if (__atomic_add_fetch(&met, 1, __ATOMIC_SEQ_CST) % MEETERS == 0) {
        for (int i = 0; i < MEETERS; i++) {
            (void)solo_semaphore_post(gate);
        }
    }
    (void)solo_semaphore_wait(gate, SOLO_NEVER);
}

/* As many are on their way at any time; at the end, and now and then before it, some that need all workers. */
static void queue_next(int status, void *arg)
{
    if (to_queue > 0 && to_queue % (MANY / 4) == 0) {
        for (int i = 0; i < MEETERS; i++) {
            CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, meet, NULL, count_done, NULL), 0);
        }
    }
    if (to_queue > 0) {
        to_queue--;
        CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, shortly, NULL, queue_next, NULL), 0);
    }
    count_done(status, arg);
}

static void queue_window(void *arg)
{
    (void)arg;
    for (int i = 0; i < WINDOW; i++) {
        CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, shortly, NULL, queue_next, NULL), 0);
    }
}

static void thick_body(void)
{
    begin(MEETERS, MEETERS);
    to_queue = MANY;
    met = 0;
    awaited = WINDOW + MANY + 4 * MEETERS;
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(reactor, queue_window, NULL, NULL), 0);
    end();
    CU_ASSERT_EQUAL(dones[0], awaited);
    CU_ASSERT_EQUAL(met, 4 * MEETERS);
}

static void test_pool_queue__long_jobs_among_many_quick_ones_still_run_side_by_side(void)
{
    worlds_run_os(thick_body);
}

/* ---- A stop in the middle ---- */

static unsigned accepted, refused;

static void queue_until_refused(void *arg)
{
    (void)arg;
    for (;;) {
        int status = solo_pool_call_in_thread(pool, shortly, NULL, NULL, NULL);
        if (status < 0) {
            CU_ASSERT_EQUAL(status, SOLO_ECLOSING);
            (void)__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
            return;
        }
        (void)__atomic_add_fetch(&accepted, 1, __ATOMIC_RELAXED);
    }
}

static void stop_soon(void *arg)
{
    if (__atomic_load_n(&accepted, __ATOMIC_RELAXED) > MANY) {
        worlds_stop(reactor);
    } else {
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, stop_soon, arg, NULL, NULL), 0);
    }
}

static void stop_body(void)
{
    struct solo_thread *threads[THREADS];
    begin(WORKERS, WORKERS);
    accepted = refused = 0;
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, stop_soon, NULL, NULL, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(queue_until_refused, NULL, &threads[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    struct solo_pool_statistics now;
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
    CU_ASSERT_EQUAL(now.accepted, accepted);
    CU_ASSERT_EQUAL(now.ran, accepted); /* the backlog is run, not handed back */
    CU_ASSERT_EQUAL(__atomic_load_n(&ran, __ATOMIC_RELAXED), accepted);
    CU_ASSERT_EQUAL(refused, THREADS);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(gate), 0);
}

static void test_pool_queue__a_stop_in_the_middle_runs_all_that_was_accepted(void)
{
    worlds_run_os(stop_body);
}

/* ---- A stop while others have claimed what is left ---- */

#if defined(SOLO_TSAN) || defined(SOLO_VALGRIND)
enum { STOPS = 50 };
#else
enum { STOPS = 10000 };
#endif

static unsigned few;

static void queue_few_and_stop(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < few; i++) {
        queue(shortly);
    }
    worlds_stop(reactor);
}

/* A worker that finds the last of it begun by the other one has to quit: the stop waits for it, and nobody wakes it. */
static void stops_body(void)
{
    for (unsigned i = 0; i < STOPS; i++) {
        begin(WORKERS, WORKERS);
        few = 4 + i % 8;
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, queue_few_and_stop, NULL, NULL), 0);
        end();
        CU_ASSERT_EQUAL(dones[0], few);
    }
}

static void test_pool_queue__no_worker_sleeps_through_a_stop(void)
{
    worlds_run_os(stops_body);
}

/* ---- A stop whose patience ends while a worker reports ---- */

enum { LATE = 300, LATE_NS = 20 * 1000 * 1000 };

static sem_t nobody_posts;

/* The worker is held up for twenty times the stop's patience. */
static void hold_up(const struct solo_event *event, void *arg)
{
    bool *done = arg;
    if (event->kind == SOLO_PROBE_JOB_FINISHED && !__atomic_exchange_n(done, true, __ATOMIC_RELAXED)) {
        struct timespec until;
        CU_ASSERT_EQUAL(clock_gettime(CLOCK_REALTIME, &until), 0);
        until.tv_nsec += LATE_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (sem_timedwait(&nobody_posts, &until) < 0 && errno == EINTR) {
        }
    }
}

/* From here on, because nothing is claimed while somebody listens. */
static void hold_up_from_now_on(void *arg)
{
    shortly(NULL);
    CU_ASSERT_EQUAL(solo_probe_subscribe(hold_up, arg), 0);
}

static void queue_late_and_stop(void *arg)
{
    for (unsigned i = 0; i < 2 * LATE; i++) {
        CU_ASSERT_EQUAL(
            solo_pool_call_in_thread(pool, i == LATE ? hold_up_from_now_on : shortly, arg, count_done, NULL), 0);
    }
    worlds_stop(reactor);
}

static void late_report_body(void)
{
    bool held_up = false;
    struct solo_reactor_options options = {.pool_min = 1, .pool_max = 1, .drain_max_ns = WORLDS_MS};
    CU_ASSERT_EQUAL_FATAL(sem_init(&nobody_posts, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    memset(dones, 0, sizeof dones);
    awaited = 0;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, queue_late_and_stop, &held_up, NULL), 0);
    (void)solo_reactor_run(reactor);
    (void)solo_probe_unsubscribe(hold_up, &held_up); /* a slow machine did not come that far in time */
    worlds_expect(SOLO011_WORK_LOST,
                  1); /* what never began is handed back, and said to be too much for that patience */
    CU_ASSERT_EQUAL(dones[0] + dones[2], 2 * LATE);
    worlds_destroy(reactor);
    (void)sem_destroy(&nobody_posts);
}

static void test_pool_queue__a_job_that_ended_is_reported_however_late_its_worker_is(void)
{
    worlds_run_os(late_report_body);
}

void suite_pool_queue(void)
{
    SOLO_SUITE("pool_queue");
    SOLO_TEST(test_pool_queue__a_job_behind_one_that_waits_for_it_is_done_by_another_worker);
    SOLO_TEST(test_pool_queue__a_claimed_job_can_still_be_cancelled_and_ends_once);
    SOLO_TEST(test_pool_queue__a_hold_and_a_look_find_every_job_in_its_place);
    SOLO_TEST(test_pool_queue__whatever_its_size_becomes_each_job_is_done_once);
    SOLO_TEST(test_pool_queue__no_wake_is_lost_however_few_come_at_a_time);
    SOLO_TEST(test_pool_queue__long_jobs_among_many_quick_ones_still_run_side_by_side);
    SOLO_TEST(test_pool_queue__no_worker_sleeps_through_a_stop);
    SOLO_TEST(test_pool_queue__a_job_that_ended_is_reported_however_late_its_worker_is);
    SOLO_TEST(test_pool_queue__a_stop_in_the_middle_runs_all_that_was_accepted);
}
