/* test_pool_life.c - pools beside the reactor's own, growing and shrinking, and what each worker is said to do. */
#include "refusing_world.h"

static struct solo_reactor *reactor;
static struct solo_pool *pool;
static struct solo_semaphore *inside, *leave;

static void open_gates(void)
{
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &inside), 0);
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &leave), 0);
}

static void close_gates(void)
{
    CU_ASSERT_EQUAL(solo_semaphore_destroy(inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(leave), 0);
}

static struct solo_pool *make(const char *name, unsigned min, unsigned max)
{
    struct solo_pool_options options = {.name = name, .min = min, .max = max};
    struct solo_pool *made = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_pool_create(reactor, &options, &made), 0);
    return made;
}

static void begin(unsigned min, unsigned max)
{
    reactor = worlds_reactor();
    pool = make("db", min, max);
}

static void stop(void *arg)
{
    (void)arg;
    worlds_stop(reactor);
}

static void run_and_destroy(void)
{
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
}

static struct solo_pool_statistics statistics(void)
{
    struct solo_pool_statistics now;
    memset(&now, 0xff, sizeof now);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &now), 0);
    CU_ASSERT_EQUAL(now.idle + now.busy, now.workers);
    return now;
}

static void queue(solo_call_fn fn, void *arg, solo_done_fn done)
{
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, fn, arg, done, NULL), 0);
}

static void stay(void *arg)
{
    (void)arg;
    (void)solo_semaphore_post(inside);
    (void)solo_semaphore_wait(leave, SOLO_NEVER);
}

static void post(void *semaphore)
{
    (void)solo_semaphore_post(semaphore);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* Calls `then` on the reactor thread as soon as `is` holds. */
static struct {
    bool (*is)(void);
    solo_call_fn then;
} awaited;

static void look(void *arg)
{
    if (awaited.is()) {
        awaited.then(arg);
    } else {
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, look, arg, NULL, NULL), 0);
    }
}

static void await(bool (*is)(void), solo_call_fn then)
{
    awaited.is = is;
    awaited.then = then;
    look(NULL);
}

/* ---- Made, used, stopped, destroyed ---- */

static char job_thread[32];
static bool done_on_reactor;

static void where(void *arg)
{
    (void)arg;
    (void)solo_thread_name(job_thread, sizeof job_thread);
}

static void done_where(int status, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(status, 0);
    (void)solo_reactor_is_reactor_thread(reactor, &done_on_reactor);
    worlds_stop(reactor);
}

static void used_body(void)
{
    begin(0, 2);
    queue(where, NULL, done_where);
    run_and_destroy();
    CU_ASSERT_STRING_EQUAL(job_thread, "pool/db#1");
    CU_ASSERT(done_on_reactor);
}

static void test_pool_life__a_pool_of_its_own_runs_jobs_and_ends_with_the_reactor(void)
{
    worlds_run(used_body);
}

static void unnamed_body(void)
{
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_pool_create(reactor, NULL, &pool), 0);
    CU_ASSERT_EQUAL(statistics().min, 0);
    CU_ASSERT_EQUAL(statistics().max, 10);
    queue(where, NULL, done_where);
    run_and_destroy();
    CU_ASSERT_EQUAL(strncmp(job_thread, "pool/", 5), 0);
    CU_ASSERT_PTR_NOT_NULL(strchr(job_thread, '#'));
}

static void test_pool_life__one_without_a_name_or_options_has_a_number(void)
{
    worlds_run(unnamed_body);
}

static void own_pool_done(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, 0);
    post(arg);
}

static void apart_body(void)
{
    open_gates();
    begin(0, 1);
    queue(stay, NULL, done_where); /* this pool is full until the reactor's own has run a job */
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, nothing, leave, own_pool_done), 0);
    run_and_destroy();
    close_gates();
}

static void test_pool_life__a_full_pool_keeps_no_other_pool_waiting(void)
{
    worlds_run(apart_body);
}

static int stop_status;

static void destroy_it(int status, void *arg)
{
    (void)arg;
    stop_status = status;
    note('d');
    CU_ASSERT_EQUAL(statistics().workers, 0);
    CU_ASSERT_EQUAL(statistics().queued, 0);
    CU_ASSERT_EQUAL(solo_pool_destroy(pool), 0);
    worlds_stop(reactor);
}

static void note_ran(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, 0);
    note(*(const char *)arg);
}

static void stop_pool(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_stop(pool, destroy_it, NULL), 0);
    CU_ASSERT_EQUAL(solo_pool_stop(pool, destroy_it, NULL), SOLO_EALREADYQUIT);
    CU_ASSERT_EQUAL(solo_pool_start(pool), SOLO_EALREADYQUIT);
    CU_ASSERT_EQUAL(solo_pool_grow(pool, 1, NULL), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(solo_pool_call_in_thread(pool, nothing, NULL, note_ran, NULL), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_pool_destroy(pool), -EBUSY); /* nobody was told yet */
}

static void stopped_body(void)
{
    begin(1, 1);
    queue(nothing, "a", note_ran);
    queue(nothing, "a", note_ran);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_pool, NULL, NULL), 0);
    run_and_destroy();
    noted("aad");
    CU_ASSERT_EQUAL(stop_status, 0);
}

static void test_pool_life__a_stopped_pool_runs_its_backlog_tells_and_can_be_destroyed(void)
{
    worlds_run(stopped_body);
}

static void tell_stop(int status, void *arg)
{
    note(status == 0 ? '=' : 'X');
    note(*(const char *)arg);
}

static void never_started_body(void)
{
    begin(0, 1);
    queue(nothing, "a", note_done);
    CU_ASSERT_EQUAL(solo_pool_stop(pool, tell_stop, "s"), 0);
    noted("Xa"); /* no worker ever: handed back at once */
    worlds_run_to_end(reactor);
    noted("Xa=s");
    CU_ASSERT_EQUAL(solo_pool_destroy(pool), -EBUSY); /* the reactor has ended it */
    worlds_destroy(reactor);
}

static void test_pool_life__one_that_never_started_hands_its_jobs_back_when_stopped(void)
{
    worlds_run(never_started_body);
}

static void stop_while_reactor_stops_body(void)
{
    begin(0, 1);
    queue(nothing, NULL, NULL);
    CU_ASSERT_EQUAL(solo_pool_stop(pool, tell_stop, "s"), 0);
    worlds_destroy(reactor); /* never ran */
    noted("=s");
}

static void test_pool_life__destroy_of_the_reactor_tells_whoever_stopped_a_pool(void)
{
    worlds_run(stop_while_reactor_stops_body);
}

static void started_early_body(void)
{
    struct solo_semaphore *ran = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &ran), 0);
    begin(1, 1);
    CU_ASSERT_EQUAL(statistics().workers, 0);
    CU_ASSERT_EQUAL(solo_pool_start(pool), 0);
    CU_ASSERT_EQUAL(solo_pool_start(pool), SOLO_EALREADYRUNNING);
    CU_ASSERT_EQUAL(statistics().workers, 1);
    queue(post, ran, done_where);
    CU_ASSERT_EQUAL(solo_semaphore_wait(ran, SOLO_NEVER), 0); /* the reactor does not run yet */
    run_and_destroy();
    CU_ASSERT(done_on_reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(ran), 0);
}

static void test_pool_life__it_can_be_started_before_the_reactor_runs(void)
{
    worlds_run(started_early_body);
}

static int made_while_stopping;

static void make_too_late(void *arg)
{
    struct solo_pool *late = NULL;
    (void)arg;
    made_while_stopping = solo_pool_create(reactor, NULL, &late);
    CU_ASSERT_PTR_NULL(late);
    post(leave);
}

static void stop_then_make(void *arg)
{
    stop(arg);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, make_too_late, NULL, NULL, NULL), 0);
}

static void refused_body(void)
{
    struct solo_pool_options options = {.name = "0123456789abcdef"};
    open_gates();
    begin(0, 1);
    struct solo_pool *none = NULL, *own = NULL;
    CU_ASSERT_EQUAL(solo_pool_create(reactor, &options, &none), -EINVAL);
    options.name = "";
    CU_ASSERT_EQUAL(solo_pool_create(reactor, &options, &none), -EINVAL);
    options = (struct solo_pool_options){.min = 2, .max = 1};
    CU_ASSERT_EQUAL(solo_pool_create(reactor, &options, &none), -EINVAL);
    options = (struct solo_pool_options){.max = SOLO_POOL_WORKERS_MAX + 1};
    CU_ASSERT_EQUAL(solo_pool_create(reactor, &options, &none), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_create(reactor, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_create(NULL, NULL, &none), -EINVAL);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT_EQUAL(solo_pool_start(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_stop(NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_grow(NULL, 1, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_grow(pool, 1, NULL), SOLO_ENOTRUNNING);
    CU_ASSERT_EQUAL(solo_pool_shrink(NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_destroy(NULL), 0);
    CU_ASSERT_EQUAL(solo_pool_destroy(pool), -EBUSY);
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, &own), 0);
    CU_ASSERT_EQUAL(solo_pool_destroy(own), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_workers(pool, NULL, 1, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pool_dump(pool, NULL, 1, NULL), -EINVAL);
    queue(stay, NULL, NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_then_make, NULL, NULL), 0);
    run_and_destroy();
    CU_ASSERT_EQUAL(made_while_stopping, SOLO_ECLOSING);
    close_gates();
}

static void test_pool_life__what_makes_no_sense_is_refused(void)
{
    worlds_run(refused_body);
}

static struct solo_result answer(void *arg)
{
    return solo_value(arg);
}

static struct solo_result answered(struct solo_result result, void *arg)
{
    (void)arg;
    note(*(const char *)result.value);
    worlds_stop(reactor);
    return solo_value(NULL);
}

static void deferred_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin(0, 1);
    CU_ASSERT_EQUAL(solo_defer_to_thread_pool(pool, answer, "v", &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, answered, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    CU_ASSERT_EQUAL(solo_defer_to_thread_pool(pool, NULL, "v", &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_defer_to_thread_pool(NULL, answer, "v", &deferred), -EINVAL);
    CU_ASSERT_EQUAL(statistics().accepted, 1);
    run_and_destroy();
    noted("v");
}

static void test_pool_life__defer_to_thread_pool_uses_the_given_pool(void)
{
    worlds_run(deferred_body);
}

static int off_thread[5];

static void use_off_thread(void *arg)
{
    (void)arg;
    off_thread[0] = solo_pool_start(pool);
    off_thread[1] = solo_pool_stop(pool, NULL, NULL);
    off_thread[2] = solo_pool_grow(pool, 1, NULL);
    off_thread[3] = solo_pool_shrink(pool, 1);
    off_thread[4] = solo_pool_destroy(pool);
}

static void off_thread_body(void)
{
    begin(0, 1);
    queue(use_off_thread, NULL, done_where);
    run_and_destroy();
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(off_thread[i], SOLO_EWRONGTHREAD);
    }
    worlds_expect(SOLO001_WRONG_THREAD, 5);
}

static void test_pool_life__its_life_belongs_to_the_reactor_thread(void)
{
    worlds_run(off_thread_body);
}

static void many_body(void)
{
    struct solo_pool *pools[3];
    reactor = worlds_reactor();
    for (int i = 0; i < 3; i++) {
        pools[i] = make(NULL, 1, 2);
        for (int job = 0; job < 2; job++) {
            CU_ASSERT_EQUAL(solo_pool_call_in_thread(pools[i], nothing, "a", note_ran, NULL), 0);
        }
    }
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, nothing, "a", note_ran), 0);
    worlds_run_to_end(reactor); /* drains all four */
    noted("aaaaaaa");
    worlds_destroy(reactor);
}

static void test_pool_life__a_stop_of_the_reactor_drains_every_pool(void)
{
    worlds_run(many_body);
}

/* ---- Growing and shrinking ---- */

static bool two_are_left(void)
{
    return statistics().workers == 2;
}

static void shrink(void *arg)
{
    unsigned started = 0;
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_grow(pool, 2, &started), 0);
    CU_ASSERT_EQUAL(started, 2);
    CU_ASSERT_EQUAL(statistics().workers, 3); /* with the one of the minimum */
    CU_ASSERT_EQUAL(solo_pool_grow(pool, 5, &started), 0);
    CU_ASSERT_EQUAL(started, 1); /* the maximum is reached */
    CU_ASSERT_EQUAL(solo_pool_grow(pool, 5, &started), 0);
    CU_ASSERT_EQUAL(started, 0);
    CU_ASSERT_EQUAL(solo_pool_shrink(pool, 2), 0);
    await(two_are_left, stop);
}

static void grow_body(void)
{
    begin(1, 4);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, shrink, NULL, NULL), 0);
    run_and_destroy();
}

static void test_pool_life__it_grows_and_shrinks_by_as_many_as_asked_within_its_limits(void)
{
    worlds_run(grow_body);
}

static bool one_is_left(void)
{
    return statistics().workers == 1;
}

static void shrink_to_minimum(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_grow(pool, 3, NULL), 0);
    CU_ASSERT_EQUAL(solo_pool_shrink(pool, 100), 0);
    CU_ASSERT_EQUAL(solo_pool_shrink(pool, 100), 0); /* they are on their way already */
    await(one_is_left, stop);
}

static void minimum_body(void)
{
    begin(1, 4);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, shrink_to_minimum, NULL, NULL), 0);
    run_and_destroy();
}

static void test_pool_life__it_never_shrinks_below_the_minimum(void)
{
    worlds_run(minimum_body);
}

static bool none_is_left(void)
{
    return statistics().workers == 0;
}

static void shrink_busy(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_shrink(pool, 1), 0);
    CU_ASSERT_EQUAL(statistics().workers, 1);
    queue(nothing, "q", note_ran); /* is run before the worker pays its debt */
    post(leave);
    await(none_is_left, stop);
}

static void when_inside(void *arg)
{
    (void)solo_semaphore_wait(inside, SOLO_NEVER);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, (solo_call_fn)(uintptr_t)arg, NULL, NULL), 0);
}

static void run_when_inside(solo_call_fn fn)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(solo_thread_create(when_inside, (void *)(uintptr_t)fn, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

static void busy_body(void)
{
    open_gates();
    begin(0, 1);
    queue(stay, NULL, NULL);
    run_when_inside(shrink_busy);
    worlds_destroy(reactor);
    noted("q");
    close_gates();
}

static void test_pool_life__a_busy_worker_takes_what_is_queued_before_it_quits(void)
{
    worlds_run(busy_body);
}

/* Two jobs meet: a worker that quit without need would leave one of them waiting for ever. */
static void shrink_and_use(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_shrink(pool, 1), 0); /* the one that is busy */
    queue(stay, NULL, NULL);                       /* starts another, which settles that debt */
    (void)solo_semaphore_wait(inside, SOLO_NEVER);
    CU_ASSERT_EQUAL(statistics().workers, 2);
    post(leave);
    post(leave);
    stop(NULL);
}

static void debt_body(void)
{
    open_gates();
    begin(0, 2);
    queue(stay, NULL, NULL);
    run_when_inside(shrink_and_use);
    worlds_destroy(reactor);
    close_gates();
}

static void test_pool_life__what_busy_workers_owe_is_settled_by_new_work(void)
{
    worlds_run(debt_body);
}

/* ---- Who does what ---- */

static char dump[2048];
static struct solo_pool_worker workers[4];
static size_t worker_count, dump_length;

static void describe(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_workers(pool, workers, 4, &worker_count), 0);
    CU_ASSERT_EQUAL(solo_pool_dump(pool, dump, sizeof dump, &dump_length), 0);
    post(leave);
    stop(NULL);
}

static void queue_two(void *arg)
{
    (void)arg;
    queue(stay, NULL, NULL);
    (void)solo_semaphore_wait(inside, SOLO_NEVER); /* one worker is busy, and there will be no other */
    queue(nothing, NULL, NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, describe, NULL, NULL), 0);
}

static void described_body(void)
{
    struct solo_thread *thread = NULL;
    open_gates();
    begin(1, 1);
    CU_ASSERT_EQUAL(solo_thread_create(queue_two, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_destroy(reactor);
    close_gates();
    CU_ASSERT_EQUAL(worker_count, 1);
    CU_ASSERT_EQUAL(workers[0].number, 1);
    CU_ASSERT_EQUAL(workers[0].job, 1);
    CU_ASSERT_STRING_EQUAL(workers[0].thread, "pool/db#1");
    CU_ASSERT_EQUAL(strncmp(workers[0].queued_by, "main/", 5), 0);
    CU_ASSERT(workers[0].queued_from != 0);
    CU_ASSERT(worlds.sim != NULL || workers[0].since_ns != 0); /* virtual time begins with 0 */
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "pool/db: 1 of 1 workers, 0 idle, 1 busy, 1 queued\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "pool/db#1 runs job 1, job#"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "(queued by main/"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "\nqueued: job#"));
    CU_ASSERT_EQUAL(dump_length, strlen(dump));
}

static void test_pool_life__each_worker_is_listed_with_its_job_and_who_queued_it(void)
{
    worlds_run(described_body);
}

static bool idle_now(void)
{
    return statistics().ran == 1;
}

static void describe_idle(void *arg)
{
    (void)arg;
    char little[9];
    memset(little, 'x', sizeof little);
    CU_ASSERT_EQUAL(solo_pool_dump(pool, dump, sizeof dump, &dump_length), 0);
    CU_ASSERT_STRING_EQUAL(dump, "pool/db: 1 of 1 workers, 1 idle, 0 busy, 0 queued\npool/db#1 is idle\n");
    size_t length = 0;
    CU_ASSERT_EQUAL(solo_pool_dump(pool, little, sizeof little, &length), 0);
    CU_ASSERT_STRING_EQUAL(little, "pool/db:");
    CU_ASSERT_EQUAL(length, dump_length);
    CU_ASSERT_EQUAL(solo_pool_dump(pool, NULL, 0, &length), 0);
    CU_ASSERT_EQUAL(length, dump_length);
    CU_ASSERT_EQUAL(solo_pool_workers(pool, workers, 1, &worker_count), 0);
    CU_ASSERT_EQUAL(workers[0].job, 0);
    CU_ASSERT_STRING_EQUAL(workers[0].queued_by, "");
    CU_ASSERT_EQUAL(workers[0].since_ns, 0);
    CU_ASSERT_EQUAL(solo_pool_workers(pool, NULL, 0, &worker_count), 0);
    CU_ASSERT_EQUAL(worker_count, 1);
    stop(NULL);
}

static void then_describe_idle(int status, void *arg)
{
    (void)status;
    (void)arg;
    await(idle_now, describe_idle);
}

static void idle_body(void)
{
    begin(1, 1);
    queue(nothing, NULL, then_describe_idle);
    run_and_destroy();
}

static void test_pool_life__a_dump_is_cut_where_its_buffer_ends_and_says_how_long_it_is(void)
{
    worlds_run(idle_body);
}

static uint64_t begun_ns;

static void sleep_long(void *arg)
{
    (void)arg;
    __atomic_store_n(&begun_ns, solo_now(), __ATOMIC_RELAXED);
    (void)solo_sleep(1500 * WORLDS_MS);
}

static void describe_sleeper(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_pool_dump(pool, dump, sizeof dump, NULL), 0);
    CU_ASSERT_EQUAL(solo_pool_workers(pool, workers, 1, &worker_count), 0);
    CU_ASSERT_EQUAL(workers[0].since_ns, __atomic_load_n(&begun_ns, __ATOMIC_RELAXED));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, ", for 1.250 s\n"));
    stop(NULL);
}

static void since_body(void)
{
    begin(1, 1);
    queue(sleep_long, NULL, NULL);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 1250 * WORLDS_MS, describe_sleeper, NULL, NULL, NULL), 0);
    run_and_destroy();
}

static void test_pool_life__a_dump_says_for_how_long(void)
{
    worlds_run_sim(since_body, 0); /* exact, in the plain schedule */
}

/* ---- Memory refused ---- */

static int accepted, told;

static void count_told(int status, void *arg)
{
    (void)status;
    (void)arg;
    told++;
}

static void grow_and_stop(void *arg)
{
    unsigned started = 77;
    (void)arg;
    int status = solo_pool_grow(pool, 2, &started);
    CU_ASSERT(status == 0 || (status == -ENOMEM && started == 77));
    status = solo_pool_call_in_thread(pool, nothing, NULL, count_told, NULL);
    CU_ASSERT(status == 0 || status == -ENOMEM);
    accepted += status == 0;
    CU_ASSERT_EQUAL(solo_pool_stop(pool, count_told, NULL), 0); /* takes no memory */
    stop(NULL);
}

static void refused_memory_body(void)
{
    struct solo_pool_options options = {.name = "db", .min = 1, .max = 4};
    accepted = told = 0;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    pool = NULL;
    int status = solo_pool_create(reactor, &options, &pool);
    CU_ASSERT_EQUAL(status, pool != NULL ? 0 : -ENOMEM);
    if (status == 0 && solo_reactor_call_from_thread(reactor, grow_and_stop, NULL, NULL) == 0) {
        accepted++; /* the stop is told too */
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(told, accepted);
}

static void test_pool_life__whichever_allocation_is_refused_everybody_is_told_once(void)
{
    refusing_run(refused_memory_body, REFUSE_MEMORY);
}

/* ---- Threads that cannot be started ---- */

static unsigned stops_told, ended_jobs, accepted_jobs;

static void count_stop(int status, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(status, 0);
    stops_told++;
}

static void count_ended(int status, void *arg)
{
    (void)status;
    (void)arg;
    ended_jobs++;
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void queue_while_it_stops(void *arg)
{
    (void)arg;
    int status = solo_pool_call_in_thread(pool, do_nothing, NULL, count_ended, NULL);
    CU_ASSERT_TRUE(status == 0 || status == SOLO_ECLOSING || status == -EAGAIN || status == -ENOMEM);
    accepted_jobs = status == 0;
}

static const struct solo_thread_table *real_threads;
static struct solo_thread_table refusing_threads;
static bool no_more_threads; /* atomic */

static int refuse_to_start(struct solo_world *world, struct solo_thread *thread)
{
    return __atomic_load_n(&no_more_threads, __ATOMIC_RELAXED) ? -EAGAIN : real_threads->start(world, thread);
}

/* Somebody queues a job whose worker does not come into being, and meanwhile the pool is stopped. */
static void stop_without_threads_body(void)
{
    struct solo_world *world = solo_world_current();
    struct solo_thread *thread = NULL;
    if (world->threads != &refusing_threads) { /* for all schedules: nobody looks there yet */
        real_threads = world->threads;
        refusing_threads = *real_threads;
        refusing_threads.start = refuse_to_start;
        world->threads = &refusing_threads;
    }
    __atomic_store_n(&no_more_threads, false, __ATOMIC_RELAXED);
    stops_told = ended_jobs = accepted_jobs = 0;
    begin(0, 2);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(queue_while_it_stops, NULL, &thread), 0);
    __atomic_store_n(&no_more_threads, true, __ATOMIC_RELAXED);
    CU_ASSERT_EQUAL(solo_pool_start(pool), 0);
    solo_yield(); /* the worker may be about to be started */
    CU_ASSERT_EQUAL(solo_pool_stop(pool, count_stop, NULL), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    }
    CU_ASSERT_EQUAL(stops_told, 1);
    CU_ASSERT_EQUAL(ended_jobs, accepted_jobs);
    CU_ASSERT_EQUAL(solo_pool_destroy(pool), 0);
    worlds_destroy(reactor);
}

static void test_pool_life__a_stop_is_told_even_if_the_last_worker_could_not_be_started(void)
{
    worlds_run_sim(stop_without_threads_body, 100);
}

void suite_pool_life(void)
{
    SOLO_SUITE("pool_life");
    SOLO_TEST(test_pool_life__a_pool_of_its_own_runs_jobs_and_ends_with_the_reactor);
    SOLO_TEST(test_pool_life__one_without_a_name_or_options_has_a_number);
    SOLO_TEST(test_pool_life__a_full_pool_keeps_no_other_pool_waiting);
    SOLO_TEST(test_pool_life__a_stopped_pool_runs_its_backlog_tells_and_can_be_destroyed);
    SOLO_TEST(test_pool_life__one_that_never_started_hands_its_jobs_back_when_stopped);
    SOLO_TEST(test_pool_life__destroy_of_the_reactor_tells_whoever_stopped_a_pool);
    SOLO_TEST(test_pool_life__it_can_be_started_before_the_reactor_runs);
    SOLO_TEST(test_pool_life__what_makes_no_sense_is_refused);
    SOLO_TEST(test_pool_life__defer_to_thread_pool_uses_the_given_pool);
    SOLO_TEST(test_pool_life__its_life_belongs_to_the_reactor_thread);
    SOLO_TEST(test_pool_life__a_stop_of_the_reactor_drains_every_pool);
    SOLO_TEST(test_pool_life__it_grows_and_shrinks_by_as_many_as_asked_within_its_limits);
    SOLO_TEST(test_pool_life__it_never_shrinks_below_the_minimum);
    SOLO_TEST(test_pool_life__a_busy_worker_takes_what_is_queued_before_it_quits);
    SOLO_TEST(test_pool_life__what_busy_workers_owe_is_settled_by_new_work);
    SOLO_TEST(test_pool_life__each_worker_is_listed_with_its_job_and_who_queued_it);
    SOLO_TEST(test_pool_life__a_dump_is_cut_where_its_buffer_ends_and_says_how_long_it_is);
    SOLO_TEST(test_pool_life__a_dump_says_for_how_long);
    SOLO_TEST(test_pool_life__whichever_allocation_is_refused_everybody_is_told_once);
    SOLO_TEST(test_pool_life__a_stop_is_told_even_if_the_last_worker_could_not_be_started);
}
