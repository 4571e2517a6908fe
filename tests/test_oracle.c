/*
 * test_oracle.c - each oracle finds what it is for, and is silent about the near-identical program that is right.
 *
 * Scenarios run on the simulated world with the oracles around each schedule, as the explorer does it; "never"
 * means over many random schedules with time allowed to pass. Where the kit itself would have to be broken to
 * trigger a finding (a lost wake-up), the events are made up.
 */
#include "runner.h"
#include "oracle.h"
#include "self.h"
#include <solo/deferred.h>
#include <solo/expect.h>
#include <solo/explore.h>
#include <solo/pool.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

/* ---- Running a scenario ---- */

struct seen {
    unsigned count;
    int ending;
    struct solo_violation violations[8];
};

static struct seen seen;

static void sink(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    if (seen.count < 8) {
        seen.violations[seen.count] = *violation;
    }
    seen.count++;
}

static void on_ending(int ending, void *arg)
{
    (void)arg;
    solo_oracles_end(ending);
}

static struct solo_sim *make_sim(const char *strategy, void **ret_state)
{
    struct solo_sim_options options = {.let_time_pass = strategy != NULL, .steps_max = 20000};
    struct solo_sim *sim;
    if (strategy != NULL) {
        size_t size;
        options.strategy = solo_strategy_find(strategy, &size);
        options.strategy_state = *ret_state = calloc(1, size);
        CU_ASSERT_FATAL(options.strategy != NULL);
        CU_ASSERT_EQUAL(solo_strategy_prepare(options.strategy, *ret_state, 0), 0);
    }
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, on_ending, NULL);
    return sim;
}

static void run_once(struct solo_sim *sim, uint64_t seed, void (*body)(void *), void *arg)
{
    seen.count = 0;
    solo_violation_reset();
    solo_expectations_reset();
    solo_oracles_begin();
    seen.ending = solo_sim_run(sim, seed, body, arg);
}

/* The plain schedule. */
static void run(void (*body)(void *), void *arg)
{
    struct solo_sim *sim = make_sim(NULL, NULL);
    solo_violation_set_sink(sink, NULL);
    run_once(sim, 1, body, arg);
    solo_violation_set_sink(NULL, NULL);
    solo_sim_destroy(sim);
}

static void show(void)
{
    for (unsigned i = 0; i < seen.count && i < 8; i++) {
        char name[8];
        printf("%s: %s\n", solo_violation_name(seen.violations[i].id, name), seen.violations[i].text);
    }
}

static void expect_none(void (*body)(void *), void *arg)
{
    run(body, arg);
    show();
    CU_ASSERT_EQUAL(seen.count, 0);
}

static const struct solo_violation *expect_one(void (*body)(void *), void *arg, unsigned id)
{
    run(body, arg);
    show();
    CU_ASSERT_EQUAL(seen.count, 1);
    CU_ASSERT_EQUAL_FATAL(seen.violations[0].id, id);
    return &seen.violations[0];
}

/* In how many of `schedules` random schedules the finding is made; any other finding fails the test. */
static unsigned count_random(void (*body)(void *), void *arg, unsigned id, unsigned schedules)
{
    void *state;
    struct solo_sim *sim = make_sim("random", &state);
    unsigned found = 0;
    solo_violation_set_sink(sink, NULL);
    for (unsigned seed = 1; seed <= schedules; seed++) {
        run_once(sim, seed, body, arg);
        for (unsigned i = 0; i < seen.count; i++) {
            CU_ASSERT_EQUAL(seen.violations[i].id, id);
            if (seen.violations[i].id != id) {
                show();
            }
        }
        found += seen.count != 0;
    }
    solo_violation_set_sink(NULL, NULL);
    solo_sim_destroy(sim);
    free(state);
    return found;
}

/* ---- A reactor with something to do ---- */

static struct solo_reactor *reactor;
static struct solo_semaphore *semaphore;
static struct solo_mutex *mutex, *other_mutex;

static void stop(void *arg)
{
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

static void set_up(unsigned pool_max)
{
    struct solo_reactor_options options = {.pool_max = pool_max, .drain_max_ns = SOLO_NEVER};
    (void)solo_reactor_create(&options, &reactor);
    (void)solo_semaphore_create(0, &semaphore);
    (void)solo_mutex_create(&mutex);
    (void)solo_mutex_create(&other_mutex);
}

static void run_for(uint64_t duration_ns)
{
    (void)solo_reactor_call_later(reactor, duration_ns, stop, NULL, NULL, NULL);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
}

/* ---- SOLO002: the reactor blocked ---- */

static void sleep_two_seconds(void *arg)
{
    (void)arg;
    (void)solo_sleep(2 * S);
    __asm__ volatile(""); /* no tail call: this function is to be seen in the stack */
}

static void sleeping_callback(void *arg)
{
    (void)arg;
    set_up(1);
    (void)solo_reactor_call_from_thread(reactor, sleep_two_seconds, NULL, NULL);
    run_for(5 * S);
}

static void sleeping_job(void *arg)
{
    (void)arg;
    set_up(1);
    (void)solo_reactor_call_in_thread(reactor, sleep_two_seconds, NULL, NULL);
    run_for(5 * S);
}

static void test_oracle__sleep_in_a_callback_blocks_the_reactor_for_exactly_that_long(void)
{
    const struct solo_violation *violation = expect_one(sleeping_callback, NULL, SOLO002_REACTOR_BLOCKED);
    CU_ASSERT_EQUAL(violation->amount, 2 * S);
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_sleep");
    CU_ASSERT_STRING_EQUAL(violation->thread, "main");
    CU_ASSERT_STRING_EQUAL(violation->text, "the reactor was blocked for 2 s inside one callback, asleep");
    CU_ASSERT(violation->contract_line > 0);
    struct solo_frame_text frame;
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&violation->stack, &frame, 1), 1);
    CU_ASSERT_STRING_EQUAL(frame.function, "sleep_two_seconds");
    CU_ASSERT_EQUAL(count_random(sleeping_callback, NULL, SOLO002_REACTOR_BLOCKED, 100), 100);
}

static void test_oracle__sleep_on_a_worker_blocks_nobody(void)
{
    expect_none(sleeping_job, NULL);
    CU_ASSERT_EQUAL(count_random(sleeping_job, NULL, SOLO_NO_VIOLATION, 200), 0);
}

static void sleeping_before_run(void *arg)
{
    (void)arg;
    set_up(1);
    (void)solo_sleep(2 * S);
    run_for(S);
    (void)solo_sleep(2 * S);
}

static void test_oracle__sleep_outside_the_loop_blocks_nobody(void)
{
    expect_none(sleeping_before_run, NULL);
}

static void sleep_twice(void *arg)
{
    (void)arg;
    (void)solo_sleep(30 * MS);
    (void)solo_sleep(12 * MS);
}

static void callback_that_sleeps_twice(void *arg)
{
    (void)arg;
    set_up(1);
    (void)solo_reactor_call_later(reactor, MS, sleep_twice, NULL, NULL, NULL);
    run_for(S);
}

static void test_oracle__what_one_callback_loses_is_added_up(void)
{
    const struct solo_violation *violation = expect_one(callback_that_sleeps_twice, NULL, SOLO002_REACTOR_BLOCKED);
    CU_ASSERT_EQUAL(violation->amount, 42 * MS);
    CU_ASSERT_STRING_EQUAL(violation->text, "the reactor was blocked for 42 ms inside one callback, asleep");
}

static void test_oracle__a_budget_allows_that_much(void)
{
    solo_oracles_set_budget_ns(42 * MS);
    expect_none(callback_that_sleeps_twice, NULL);
    solo_oracles_set_budget_ns(42 * MS - 1);
    (void)expect_one(callback_that_sleeps_twice, NULL, SOLO002_REACTOR_BLOCKED);
    solo_oracles_set_budget_ns(0);
}

static void post_late(void *arg)
{
    (void)arg;
    (void)solo_sleep(S);
    (void)solo_semaphore_post(semaphore);
}

static void post_now(void *arg)
{
    (void)arg;
    (void)solo_semaphore_post(semaphore);
}

static void wait_for_post(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(semaphore, SOLO_NEVER);
}

static void waiting_for(void *job)
{
    solo_call_fn fn;
    memcpy(&fn, job, sizeof fn);
    set_up(1);
    (void)solo_reactor_call_in_thread(reactor, fn, NULL, NULL);
    (void)solo_reactor_call_later(reactor, 1, wait_for_post, NULL, NULL, NULL);
    run_for(5 * S);
}

static void test_oracle__a_wait_in_a_callback_counts_until_the_thing_is_given(void)
{
    solo_call_fn job = post_late;
    const struct solo_violation *violation = expect_one(waiting_for, &job, SOLO002_REACTOR_BLOCKED);
    CU_ASSERT_EQUAL(violation->amount, S - 1);
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_semaphore_wait");
    CU_ASSERT_STRING_EQUAL(violation->text,
                           "the reactor was blocked for 999.999 ms inside one callback, waiting for semaphore#1");
}

/* The giver may be slow, and the waiter slow to go on: that is the chooser's doing. */
static void test_oracle__slowness_that_the_chooser_made_is_not_counted(void)
{
    solo_call_fn job = post_now;
    expect_none(waiting_for, &job);
    CU_ASSERT_EQUAL(count_random(waiting_for, &job, SOLO_NO_VIOLATION, 500), 0);
}

static void lock_briefly(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(mutex);
    solo_yield();
    (void)solo_mutex_unlock(mutex);
}

static void lock_and_sleep(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(mutex);
    (void)solo_sleep(100 * MS);
    (void)solo_mutex_unlock(mutex);
}

static void locking_beside(void *job)
{
    solo_call_fn fn;
    memcpy(&fn, job, sizeof fn);
    set_up(2);
    (void)solo_reactor_call_in_thread(reactor, fn, NULL, NULL);
    (void)solo_reactor_call_in_thread(reactor, fn, NULL, NULL);
    for (uint64_t i = 1; i <= 4; i++) {
        (void)solo_reactor_call_later(reactor, i, lock_briefly, NULL, NULL, NULL);
    }
    run_for(S);
}

static void test_oracle__a_short_lock_shared_with_the_reactor_is_fine(void)
{
    solo_call_fn job = lock_briefly;
    expect_none(locking_beside, &job);
    CU_ASSERT_EQUAL(count_random(locking_beside, &job, SOLO_NO_VIOLATION, 500), 0);
}

static void test_oracle__a_lock_whose_holder_sleeps_blocks_the_reactor(void)
{
    solo_call_fn job = lock_and_sleep;
    const struct solo_violation *violation = expect_one(locking_beside, &job, SOLO002_REACTOR_BLOCKED);
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_mutex_lock");
    CU_ASSERT(violation->amount > 99 * MS && violation->amount <= 200 * MS);
}

/* ---- SOLO004: deadlock ---- */

struct crossing {
    bool same_order;
    struct solo_semaphore *first, *second;
};

static void take_both(struct solo_mutex *a, struct solo_mutex *b, struct solo_semaphore *mine,
                      struct solo_semaphore *theirs)
{
    (void)solo_mutex_lock(a);
    (void)solo_semaphore_post(mine);
    if (theirs != NULL) {
        (void)solo_semaphore_wait(theirs, SOLO_NEVER);
    }
    (void)solo_mutex_lock(b);
    (void)solo_mutex_unlock(b);
    (void)solo_mutex_unlock(a);
}

static void cross(void *arg)
{
    struct crossing *crossing = arg;
    if (crossing->same_order) {
        take_both(mutex, other_mutex, crossing->second, NULL);
    } else {
        take_both(other_mutex, mutex, crossing->second, crossing->first);
    }
}

static void two_locks(void *arg)
{
    struct crossing *crossing = arg;
    struct solo_thread *thread;
    (void)solo_mutex_create(&mutex);
    (void)solo_mutex_create(&other_mutex);
    (void)solo_semaphore_create(0, &crossing->first);
    (void)solo_semaphore_create(0, &crossing->second);
    (void)solo_thread_create(cross, crossing, &thread);
    take_both(mutex, other_mutex, crossing->first, crossing->same_order ? NULL : crossing->second);
    (void)solo_thread_join(thread);
}

static void test_oracle__two_locks_in_both_orders_are_a_deadlock_with_names(void)
{
    struct crossing crossing = {.same_order = false};
    const struct solo_violation *violation = expect_one(two_locks, &crossing, SOLO004_DEADLOCK);
    CU_ASSERT_EQUAL(seen.ending, SOLO_ENDING_DEADLOCK);
    CU_ASSERT_STRING_EQUAL(violation->text,
                           "deadlock: `main` waits in solo_mutex_lock for mutex#2, held by `main/1`, which waits in "
                           "solo_mutex_lock for mutex#1, held by `main`");
    CU_ASSERT_EQUAL(violation->waiter_count, 2);
    CU_ASSERT_STRING_EQUAL(violation->waiters[0].thread, "main");
    CU_ASSERT_STRING_EQUAL(violation->waiters[0].object, "mutex#2");
    CU_ASSERT_STRING_EQUAL(violation->waiters[0].holder, "main/1");
    CU_ASSERT_STRING_EQUAL(violation->waiters[1].thread, "main/1");
    CU_ASSERT_STRING_EQUAL(violation->waiters[1].object, "mutex#1");
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_mutex_lock");
    struct solo_frame_text frame;
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&violation->stack, &frame, 1), 1);
    CU_ASSERT_STRING_EQUAL(frame.function, "take_both");
}

static void test_oracle__two_locks_in_one_order_are_not(void)
{
    struct crossing crossing = {.same_order = true};
    expect_none(two_locks, &crossing);
    CU_ASSERT_EQUAL(count_random(two_locks, &crossing, SOLO_NO_VIOLATION, 300), 0);
}

static void wedge(void *size)
{
    set_up(*(unsigned *)size);
    (void)solo_reactor_call_in_thread(reactor, wait_for_post, NULL, NULL);
    (void)solo_reactor_call_in_thread(reactor, post_now, NULL, NULL);
    (void)solo_reactor_run(reactor);
}

static void test_oracle__a_job_that_waits_for_a_queued_job_wedges_the_pool(void)
{
    unsigned size = 1;
    const struct solo_violation *violation = expect_one(wedge, &size, SOLO004_DEADLOCK);
    CU_ASSERT_STRING_EQUAL(violation->text, "the pool is wedged: 1 job waits, and 1 queued job nobody can start");
    CU_ASSERT_STRING_EQUAL(violation->thread, "pool#1");
    CU_ASSERT_STRING_EQUAL(violation->job, "job#1");
    CU_ASSERT_STRING_EQUAL(violation->queued_by, "main");
    CU_ASSERT_EQUAL(violation->amount, 1);
    CU_ASSERT_EQUAL(violation->waiters[0].wait_kind, SOLO_WAIT_SEMAPHORE);
}

/* More idle workers than a report has room for, and behind them a thread that waits for what nobody gives. */
static void start_one_that_waits(void *arg)
{
    static struct solo_thread *thread;
    (void)arg;
    (void)solo_thread_create(wait_for_post, NULL, &thread);
}

enum { IDLE_WORKERS = SOLO_WAITERS_MAX + 4 };

static void let_all_go_on(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < IDLE_WORKERS; i++) {
        (void)solo_semaphore_post(semaphore);
    }
}

static void stuck_behind_idle_workers(void *arg)
{
    (void)arg;
    unsigned workers = IDLE_WORKERS;
    struct solo_reactor_options options = {.pool_min = workers, .pool_max = workers, .drain_max_ns = SOLO_NEVER};
    (void)solo_reactor_create(&options, &reactor);
    (void)solo_semaphore_create(0, &semaphore);
    for (unsigned i = 0; i < workers; i++) {
        (void)solo_reactor_call_in_thread(reactor, wait_for_post, NULL, NULL);
    }
    (void)solo_reactor_call_later(reactor, 1 * S, let_all_go_on, NULL, NULL, NULL);
    (void)solo_reactor_call_later(reactor, 2 * S, start_one_that_waits, NULL, NULL, NULL);
    (void)solo_reactor_run(reactor);
}

static void test_oracle__who_is_stuck_comes_before_those_who_are_idle(void)
{
    const struct solo_violation *violation = expect_one(stuck_behind_idle_workers, NULL, SOLO004_DEADLOCK);
    CU_ASSERT_EQUAL(violation->waiter_count, SOLO_WAITERS_MAX);
    CU_ASSERT_EQUAL(violation->waiters[0].wait_kind, SOLO_WAIT_SEMAPHORE);
    CU_ASSERT_STRING_EQUAL(violation->thread, "main/1");
}

static void test_oracle__with_a_worker_for_each_it_does_not(void)
{
    unsigned size = 2;
    expect_none(wedge, &size);
    CU_ASSERT_EQUAL(seen.ending, SOLO_ENDING_QUIET);
}

/* ---- SOLO008: a Deferred that never fires ---- */

static void keep_deferred(void *arg)
{
    struct solo_deferred *deferred;
    (void)solo_deferred_create(reactor, NULL, NULL, &deferred);
    if (*(bool *)arg) {
        (void)solo_deferred_fire(deferred, solo_value(NULL));
        (void)solo_deferred_release(deferred);
    }
}

static void with_deferred(void *fires)
{
    set_up(1);
    (void)solo_reactor_call_from_thread(reactor, keep_deferred, fires, NULL);
    run_for(S);
}

static void test_oracle__a_deferred_nobody_fires_is_found_when_the_run_ends(void)
{
    bool fires = false;
    const struct solo_violation *violation = expect_one(with_deferred, &fires, SOLO008_DEFERRED);
    CU_ASSERT_STRING_EQUAL(violation->text, "deferred#1 never fired though the run ended");
    CU_ASSERT_EQUAL(violation->amount, 1);
}

static void test_oracle__a_deferred_that_fired_is_fine(void)
{
    bool fires = true;
    expect_none(with_deferred, &fires);
}

static void idle_with_deferred(void *fires)
{
    set_up(1);
    (void)solo_reactor_call_from_thread(reactor, keep_deferred, fires, NULL);
    (void)solo_reactor_run(reactor);
}

static void test_oracle__a_deferred_of_a_server_that_still_listens_may_yet_fire(void)
{
    bool fires = false;
    expect_none(idle_with_deferred, &fires);
    CU_ASSERT_EQUAL(seen.ending, SOLO_ENDING_QUIET);
}

/* ---- SOLO010: lock convoy ---- */

static void queue_jobs(void *job)
{
    solo_call_fn fn;
    memcpy(&fn, job, sizeof fn);
    set_up(3);
    for (int i = 0; i < 6; i++) {
        (void)solo_reactor_call_in_thread(reactor, fn, NULL, NULL);
    }
    run_for(10 * S);
}

static void test_oracle__jobs_that_wait_for_a_lock_whose_holder_sleeps_are_a_convoy(void)
{
    solo_call_fn job = lock_and_sleep;
    const struct solo_violation *violation = expect_one(queue_jobs, &job, SOLO010_LOCK_CONVOY);
    CU_ASSERT_STRING_EQUAL(violation->text,
                           "lock convoy: 2 jobs wait for mutex#1, the pool is full, and 3 more jobs cannot start");
    CU_ASSERT_EQUAL(violation->amount, 2);
    CU_ASSERT_EQUAL(violation->waiter_count, 2);
    CU_ASSERT_STRING_EQUAL(violation->waiters[0].object, "mutex#1");
    CU_ASSERT_STRING_EQUAL(violation->role, "pool worker");
    CU_ASSERT(violation->stack.count > 0);
}

static void test_oracle__short_contention_is_not_a_convoy(void)
{
    solo_call_fn job = lock_briefly;
    expect_none(queue_jobs, &job);
    CU_ASSERT_EQUAL(count_random(queue_jobs, &job, SOLO_NO_VIOLATION, 500), 0);
}

static void two_sleepers_in_a_pool_with_room(void *arg)
{
    (void)arg;
    set_up(10);
    for (int i = 0; i < 3; i++) {
        (void)solo_reactor_call_in_thread(reactor, lock_and_sleep, NULL, NULL);
    }
    run_for(10 * S);
}

static void test_oracle__waiting_in_a_pool_with_room_is_not_a_convoy(void)
{
    expect_none(two_sleepers_in_a_pool_with_room, NULL);
    CU_ASSERT_EQUAL(count_random(two_sleepers_in_a_pool_with_room, NULL, SOLO_NO_VIOLATION, 300), 0);
}

/* ---- SOLO011: accepted work lost ---- */

static void nothing(void *arg)
{
    (void)arg;
}

static void told(int status, void *arg)
{
    *(int *)arg = status;
}

static int told_status;

static struct solo_deferred *post_once_more(void *arg)
{
    (void)solo_reactor_call_from_thread(reactor, nothing, &told_status, *(bool *)arg ? told : NULL);
    return NULL;
}

static void post_while_stopping(void *with_done)
{
    set_up(1);
    (void)solo_reactor_add_trigger(reactor, SOLO_AFTER, SOLO_SHUTDOWN, post_once_more, with_done, NULL, NULL);
    run_for(MS);
}

static void test_oracle__a_call_that_a_stop_drops_without_a_word_is_lost_work(void)
{
    bool with_done = false;
    const struct solo_violation *violation = expect_one(post_while_stopping, &with_done, SOLO011_WORK_LOST);
    CU_ASSERT_STRING_EQUAL(violation->text,
                           "accepted work was lost: call#1, a thread call of `main`, never ran and nobody was told");
    CU_ASSERT_EQUAL(violation->amount, 1);
}

static void test_oracle__a_call_that_a_stop_hands_back_is_not(void)
{
    bool with_done = true;
    told_status = 0;
    expect_none(post_while_stopping, &with_done);
    CU_ASSERT_EQUAL(told_status, SOLO_ECLOSING);
}

static void leftover_timer(void *arg)
{
    (void)arg;
    set_up(1);
    (void)solo_reactor_call_later(reactor, 100 * S, nothing, NULL, NULL, NULL);
    run_for(MS);
}

static void test_oracle__a_delayed_call_left_over_at_a_stop_is_not_lost_work(void)
{
    expect_none(leftover_timer, NULL);
}

static void never_run(void *arg)
{
    (void)arg;
    set_up(1);
    (void)solo_reactor_call_from_thread(reactor, nothing, NULL, NULL);
    (void)solo_reactor_destroy(reactor);
}

static void test_oracle__a_reactor_that_never_ran_loses_nothing(void)
{
    expect_none(never_run, NULL);
}

/* ---- SOLO013: what must happen ---- */

static void promise(void *keeps)
{
    (void)solo_must_happen("greeted", 2);
    (void)solo_happened("greeted");
    if (*(bool *)keeps) {
        (void)solo_happened("greeted");
    }
    (void)solo_happened("never declared");
}

static void test_oracle__what_must_happen_and_did_not_is_named_with_its_count(void)
{
    bool keeps = false;
    const struct solo_violation *violation = expect_one(promise, &keeps, SOLO013_NEVER_HAPPENED);
    CU_ASSERT_STRING_EQUAL(violation->text, "`greeted` had to happen 2 times and happened 1");
    CU_ASSERT_EQUAL(violation->amount, 1);
}

static void test_oracle__what_must_happen_and_did_is_fine(void)
{
    bool keeps = true;
    expect_none(promise, &keeps);
}

static void promise_and_deadlock(void *arg)
{
    (void)arg;
    (void)solo_must_happen("greeted", 1);
    (void)solo_semaphore_create(0, &semaphore);
    (void)solo_semaphore_wait(semaphore, SOLO_NEVER);
}

static void test_oracle__a_deadlock_is_not_reported_twice_as_what_never_happened(void)
{
    (void)expect_one(promise_and_deadlock, NULL, SOLO004_DEADLOCK);
}

/* ---- SOLO014: lost wake-up, with made-up events ---- */

enum { REACTOR = 1 << 24 | 1, OTHER_REACTOR = 1 << 24 | 2, CALL = 8 << 24 | 1 };

static void say(enum solo_probe_kind kind, uint32_t object, uint64_t value)
{
    solo__announce(solo_world_current(), kind, SOLO_ACCESS_NONE, object, value);
}

struct wakeup {
    uint64_t deadline_ns;
    bool wakes, woken_before, other_awake, refused;
};

static void accept_beside_a_poll(void *arg)
{
    const struct wakeup *wakeup = arg;
    say(SOLO_PROBE_REACTOR_STATE, REACTOR, SOLO_REACTOR_RUNNING);
    if (wakeup->other_awake) {
        say(SOLO_PROBE_REACTOR_STATE, OTHER_REACTOR, SOLO_REACTOR_RUNNING);
    }
    say(SOLO_PROBE_WAKE_SENT, REACTOR, 0);
    if (!wakeup->woken_before) {
        say(SOLO_PROBE_WAKE_SEEN, REACTOR, 0);
    }
    say(SOLO_PROBE_POLL, REACTOR, wakeup->deadline_ns);
    say(SOLO_PROBE_CALL_ACCEPTED, CALL, SOLO_QUEUE_THREAD_CALL);
    if (wakeup->refused) {
        say(SOLO_PROBE_CALL_HANDED_BACK, CALL, (uint64_t)(int64_t)SOLO_ECLOSING);
    }
    if (wakeup->wakes) {
        say(SOLO_PROBE_WAKE_SENT, REACTOR, 0);
    }
    say(SOLO_PROBE_HAPPENED, 0, 0);
}

static void test_oracle__work_queued_for_a_sleeping_reactor_without_a_wake_up_is_found_at_that_step(void)
{
    struct wakeup wakeup = {.deadline_ns = SOLO_NEVER};
    const struct solo_violation *violation = expect_one(accept_beside_a_poll, &wakeup, SOLO014_LOST_WAKEUP);
    CU_ASSERT_STRING_EQUAL(violation->object, "reactor#1");
    CU_ASSERT(strstr(violation->text, "lost wake-up: call#1 is queued, reactor#1 sleeps in its poll") != NULL);
    CU_ASSERT_EQUAL(violation->step, 6);
}

static void test_oracle__a_wake_up_on_its_way_is_enough(void)
{
    struct wakeup sent = {.deadline_ns = SOLO_NEVER, .wakes = true};
    expect_none(accept_beside_a_poll, &sent);
    struct wakeup before = {.deadline_ns = SOLO_NEVER, .woken_before = true};
    expect_none(accept_beside_a_poll, &before);
}

static void test_oracle__a_poll_that_does_not_sleep_needs_no_wake_up(void)
{
    struct wakeup wakeup = {.deadline_ns = 0};
    expect_none(accept_beside_a_poll, &wakeup);
}

static void test_oracle__a_call_that_may_be_for_another_reactor_proves_nothing(void)
{
    struct wakeup wakeup = {.deadline_ns = SOLO_NEVER, .other_awake = true};
    expect_none(accept_beside_a_poll, &wakeup);
}

static void test_oracle__a_refused_call_needs_no_wake_up(void)
{
    struct wakeup wakeup = {.deadline_ns = SOLO_NEVER, .refused = true};
    expect_none(accept_beside_a_poll, &wakeup);
}

static void post_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        (void)solo_reactor_call_from_thread(reactor, nothing, NULL, NULL);
    }
}

static void two_reactor_users(void *arg)
{
    struct solo_thread *threads[2];
    set_up(2);
    (void)solo_reactor_call_in_thread(reactor, post_many, NULL, NULL);
    (void)solo_thread_create(post_many, arg, &threads[0]);
    (void)solo_thread_create(post_many, arg, &threads[1]);
    (void)solo_reactor_call_later(reactor, S, stop, NULL, NULL, NULL);
    (void)solo_reactor_run(reactor);
    (void)solo_thread_join(threads[0]);
    (void)solo_thread_join(threads[1]);
    (void)solo_reactor_destroy(reactor);
}

static void test_oracle__the_kits_own_queue_never_loses_a_wake_up(void)
{
    unsigned found =
        count_random(two_reactor_users, NULL, SOLO011_WORK_LOST, 1000); /* a call may come after the stop */
    CU_ASSERT(found < 1000);
}

/* ---- The tables ---- */

static void accept_very_many(void *arg)
{
    (void)arg;
    set_up(1);
    for (int i = 0; i < 6000; i++) {
        (void)solo_reactor_call_from_thread(reactor, nothing, NULL, NULL);
    }
    run_for(MS);
}

static void test_oracle__more_work_than_the_tables_hold_makes_no_false_alarm(void)
{
    struct solo_sim *sim;
    struct solo_sim_options options = {.steps_max = 1000000};
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, on_ending, NULL);
    solo_violation_set_sink(sink, NULL);
    run_once(sim, 1, accept_very_many, NULL);
    solo_violation_set_sink(NULL, NULL);
    show();
    CU_ASSERT_EQUAL(seen.ending, SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(seen.count, 0);
    solo_sim_destroy(sim);
}

static void nothing_at_all(void *arg)
{
    (void)arg;
}

static void test_oracle__a_schedule_starts_with_nothing_left_of_the_one_before(void)
{
    solo_call_fn job = lock_and_sleep;
    (void)expect_one(queue_jobs, &job, SOLO010_LOCK_CONVOY);
    expect_none(nothing_at_all, NULL);
    (void)expect_one(sleeping_callback, NULL, SOLO002_REACTOR_BLOCKED);
    expect_none(sleeping_job, NULL);
}

static void test_oracle__an_end_without_a_begin_says_nothing(void)
{
    seen.count = 0;
    solo_violation_set_sink(sink, NULL);
    solo_oracles_end(SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(seen.count, 0);
}

static void test_oracle__a_schedule_that_was_given_up_is_not_judged(void)
{
    seen.count = 0;
    solo_violation_set_sink(sink, NULL);
    solo_oracles_begin();
    (void)solo_must_happen("greeted", 1);
    solo_oracles_end(SOLO_ENDING_DIVERGED);
    CU_ASSERT_EQUAL(seen.count, 0);
    solo_expectations_reset();
}

/* ---- World os ---- */

static void test_oracle__in_world_os_what_must_happen_and_lost_work_are_watched_too(void)
{
    bool with_done = false;
    seen.count = 0;
    solo_violation_set_sink(sink, NULL);
    solo_oracles_begin();
    (void)solo_must_happen("greeted", 1);
    post_while_stopping(&with_done);
    solo_oracles_end(SOLO_ENDING_NONE);
    show();
    CU_ASSERT_EQUAL_FATAL(seen.count, 2);
    CU_ASSERT_EQUAL(seen.violations[0].id, SOLO011_WORK_LOST);
    CU_ASSERT_EQUAL(seen.violations[1].id, SOLO013_NEVER_HAPPENED);
    solo_expectations_reset();
}

void suite_oracle(void)
{
    SOLO_SUITE("oracle");
    SOLO_TEST(test_oracle__sleep_in_a_callback_blocks_the_reactor_for_exactly_that_long);
    SOLO_TEST(test_oracle__sleep_on_a_worker_blocks_nobody);
    SOLO_TEST(test_oracle__sleep_outside_the_loop_blocks_nobody);
    SOLO_TEST(test_oracle__what_one_callback_loses_is_added_up);
    SOLO_TEST(test_oracle__a_budget_allows_that_much);
    SOLO_TEST(test_oracle__a_wait_in_a_callback_counts_until_the_thing_is_given);
    SOLO_TEST(test_oracle__slowness_that_the_chooser_made_is_not_counted);
    SOLO_TEST(test_oracle__a_short_lock_shared_with_the_reactor_is_fine);
    SOLO_TEST(test_oracle__a_lock_whose_holder_sleeps_blocks_the_reactor);
    SOLO_TEST(test_oracle__two_locks_in_both_orders_are_a_deadlock_with_names);
    SOLO_TEST(test_oracle__two_locks_in_one_order_are_not);
    SOLO_TEST(test_oracle__a_job_that_waits_for_a_queued_job_wedges_the_pool);
    SOLO_TEST(test_oracle__who_is_stuck_comes_before_those_who_are_idle);
    SOLO_TEST(test_oracle__with_a_worker_for_each_it_does_not);
    SOLO_TEST(test_oracle__a_deferred_nobody_fires_is_found_when_the_run_ends);
    SOLO_TEST(test_oracle__a_deferred_that_fired_is_fine);
    SOLO_TEST(test_oracle__a_deferred_of_a_server_that_still_listens_may_yet_fire);
    SOLO_TEST(test_oracle__jobs_that_wait_for_a_lock_whose_holder_sleeps_are_a_convoy);
    SOLO_TEST(test_oracle__short_contention_is_not_a_convoy);
    SOLO_TEST(test_oracle__waiting_in_a_pool_with_room_is_not_a_convoy);
    SOLO_TEST(test_oracle__a_call_that_a_stop_drops_without_a_word_is_lost_work);
    SOLO_TEST(test_oracle__a_call_that_a_stop_hands_back_is_not);
    SOLO_TEST(test_oracle__a_delayed_call_left_over_at_a_stop_is_not_lost_work);
    SOLO_TEST(test_oracle__a_reactor_that_never_ran_loses_nothing);
    SOLO_TEST(test_oracle__what_must_happen_and_did_not_is_named_with_its_count);
    SOLO_TEST(test_oracle__what_must_happen_and_did_is_fine);
    SOLO_TEST(test_oracle__a_deadlock_is_not_reported_twice_as_what_never_happened);
    SOLO_TEST(test_oracle__work_queued_for_a_sleeping_reactor_without_a_wake_up_is_found_at_that_step);
    SOLO_TEST(test_oracle__a_wake_up_on_its_way_is_enough);
    SOLO_TEST(test_oracle__a_poll_that_does_not_sleep_needs_no_wake_up);
    SOLO_TEST(test_oracle__a_call_that_may_be_for_another_reactor_proves_nothing);
    SOLO_TEST(test_oracle__a_refused_call_needs_no_wake_up);
    SOLO_TEST(test_oracle__the_kits_own_queue_never_loses_a_wake_up);
    SOLO_TEST(test_oracle__more_work_than_the_tables_hold_makes_no_false_alarm);
    SOLO_TEST(test_oracle__a_schedule_starts_with_nothing_left_of_the_one_before);
    SOLO_TEST(test_oracle__an_end_without_a_begin_says_nothing);
    SOLO_TEST(test_oracle__a_schedule_that_was_given_up_is_not_judged);
    SOLO_TEST(test_oracle__in_world_os_what_must_happen_and_lost_work_are_watched_too);
}
