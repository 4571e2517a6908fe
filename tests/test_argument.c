/*
 * test_argument.c - SOLO005: work that runs with a dead argument is found, and its twin, whose argument lives just long
 * enough, is not.
 *
 * In world os somebody has to listen for work to be watched, as under `solo run`. Nothing here reads dead memory: what
 * is wrong is that the kit has to hand it over.
 */
#include "worlds.h"
#include <solo/explore.h>
#include <solo/memory.h>
#include <solo/probe.h>
#include <solo/worker.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct solo_reactor *the_reactor;
static struct solo_worker *the_worker;
static struct solo_semaphore *the_work_is_over, *the_call_has_run;

static void hear(const struct solo_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void run_heard(worlds_fn body)
{
    CU_ASSERT_EQUAL(solo_probe_subscribe(hear, NULL), 0);
    worlds_run(body);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(hear, NULL), 0);
}

/* What is queued: does not look at its argument. */
static void ignore(void *arg)
{
    (void)arg;
    note('c');
}

static const struct solo_violation *expect_dead(const char *text)
{
    worlds_expect(SOLO005_DEAD_MEMORY, 1);
    const struct solo_violation *violation = worlds_finding(SOLO005_DEAD_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(violation->text, text));
    if (strstr(violation->text, text) == NULL) {
        printf("it says: %s\n", violation->text);
    }
    CU_ASSERT_NOT_EQUAL(violation->stack.count, 0);
    CU_ASSERT_NOT_EQUAL(violation->help[0], '\0');
    return violation;
}

/* ---- Frames of work that has ended ---- */

static void post(struct solo_semaphore *semaphore)
{
    CU_ASSERT_EQUAL(solo_semaphore_post(semaphore), 0);
}

static void wait_for(struct solo_semaphore *semaphore)
{
    CU_ASSERT_EQUAL(solo_semaphore_wait(semaphore, SOLO_NEVER), 0);
}

static void set_up(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_semaphore_create(0, &the_work_is_over), 0);
    CU_ASSERT_EQUAL(solo_semaphore_create(0, &the_call_has_run), 0);
    CU_ASSERT_EQUAL(solo_thread_worker_create(&the_worker), 0);
}

static void tear_down(void)
{
    CU_ASSERT_EQUAL(solo_worker_quit(the_worker), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(the_worker), 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(the_work_is_over), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(the_call_has_run), 0);
}

static void work_is_over(int status, void *arg)
{
    (void)status;
    (void)arg;
    post(the_work_is_over);
}

/* Runs `work` on the worker to its end, and only then what it has queued. */
static void run_work_first(solo_call_fn work)
{
    CU_ASSERT_EQUAL(solo_worker_do(the_worker, work, NULL, work_is_over), 0);
    wait_for(the_work_is_over);
    worlds_run_to_end(the_reactor);
}

static void queue_a_local(void *arg)
{
    char local[32];
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, ignore, &local[8], NULL), 0);
}

static void ended_work_body(void)
{
    set_up();
    run_work_first(queue_a_local);
    noted("c");
    const struct solo_violation *violation = expect_dead("its argument is a local variable of work#1, which has ended");
    CU_ASSERT_STRING_EQUAL(violation->job, "work#1");
    CU_ASSERT_STRING_EQUAL(violation->thread, "worker#1");
    CU_ASSERT_PTR_NOT_NULL(strstr(violation->object, "call#"));
    tear_down();
}

static void test_argument__in_the_frame_of_work_that_has_ended_is_found(void)
{
    run_heard(ended_work_body);
}

static void let_it_go(void *arg)
{
    (void)arg;
    post(the_call_has_run);
}

static void queue_a_local_and_wait(void *arg)
{
    char local[32];
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, ignore, &local[8], NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, let_it_go, arg, NULL), 0);
    wait_for(the_call_has_run);
}

static void queue_stop(int status, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, worlds_stop, the_reactor, NULL), 0);
}

static void waiting_work_body(void)
{
    set_up();
    CU_ASSERT_EQUAL(solo_worker_do(the_worker, queue_a_local_and_wait, NULL, queue_stop), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("c");
    tear_down();
}

static void test_argument__in_the_frame_of_work_that_waits_for_it_is_fine(void)
{
    run_heard(waiting_work_body);
}

static struct solo_result answer(void *arg)
{
    note('b');
    return solo_value(arg);
}

static void ask_with_a_local(void *arg)
{
    char local[32];
    void *value = NULL;
    (void)arg;
    CU_ASSERT_EQUAL(solo_blocking_call_from_thread(the_reactor, answer, &local[8], &value), 0);
    CU_ASSERT_PTR_EQUAL(value, &local[8]);
}

static void blocking_body(void)
{
    set_up();
    CU_ASSERT_EQUAL(solo_worker_do(the_worker, ask_with_a_local, NULL, queue_stop), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("b");
    tear_down();
}

static void test_argument__of_a_blocking_call_lives_as_long_as_its_caller_waits(void)
{
    run_heard(blocking_body);
}

/* Each way to queue from a callback; the callback has always ended when it runs. */
static unsigned way;
enum { LATER, FROM_THREAD, MANY, WHEN_RUNNING, WAYS };

/* When what was queued before it has run. */
static void stop_soon(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, worlds_stop, the_reactor, NULL, NULL), 0);
}

static void queue_from_a_callback(void *arg)
{
    char local[32];
    struct solo_thread_call calls[2] = {{ignore, arg, NULL}, {ignore, &local[8], NULL}};
    switch (way) {
    case LATER: CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, ignore, &local[8], NULL, NULL), 0); break;
    case FROM_THREAD: CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, ignore, &local[8], NULL), 0); break;
    case MANY: CU_ASSERT_EQUAL(solo_reactor_call_many_from_thread(the_reactor, calls, 2), 0); break;
    case WHEN_RUNNING: CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, ignore, &local[8], NULL), 0); break;
    default: break;
    }
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, stop_soon, NULL, NULL, NULL), 0);
}

static void callback_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, queue_from_a_callback, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    const struct solo_violation *violation = expect_dead("its argument is a local variable of call#");
    CU_ASSERT_EQUAL(strncmp(violation->job, "call#", 5), 0);
    worlds_destroy(the_reactor);
}

static void test_argument__in_the_frame_of_a_callback_is_found_however_it_is_queued(void)
{
    for (way = 0; way < WAYS; way++) {
        run_heard(callback_body);
    }
}

static void stop_when_done(int status, void *arg)
{
    (void)status;
    (void)arg;
    worlds_stop(the_reactor);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void queue_a_job_from_a_callback(void *arg)
{
    char local[32];
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, do_nothing, &local[8], stop_when_done), 0);
}

/* The pool's one worker is held by another job until the callback has ended. */
static void hold_the_worker(void *arg)
{
    (void)arg;
    wait_for(the_call_has_run);
}

static void job_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_semaphore_create(0, &the_call_has_run), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(the_reactor, hold_the_worker, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, queue_a_job_from_a_callback, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, let_it_go, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    (void)expect_dead("job#2 runs with dead memory: its argument is a local variable of call#1, which has ended");
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(the_call_has_run), 0);
}

static void test_argument__of_a_job_in_the_frame_of_a_callback_is_found(void)
{
    run_heard(job_body);
}

/* A memory worker that is made to work inside the callback that gave it the work. */
static void work_at_once(void *arg)
{
    char local[32];
    struct solo_worker *worker = arg;
    CU_ASSERT_EQUAL(solo_worker_do(worker, do_nothing, &local[8], NULL), 0);
    bool ran = false;
    CU_ASSERT_EQUAL(solo_worker_perform(worker, &ran), 0);
    CU_ASSERT_TRUE(ran);
}

static void at_once_body(void)
{
    struct solo_worker *worker = NULL;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_memory_worker_create(&worker), 0);
    work_at_once(worker); /* outside of any callback */
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, work_at_once, worker, NULL), 0);
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(solo_worker_quit(worker), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    worlds_destroy(the_reactor);
}

static void test_argument__of_work_that_runs_inside_its_callers_frame_is_fine(void)
{
    run_heard(at_once_body);
}

/* ---- Frames of functions and threads ---- */

static void thread_body(void)
{
    struct solo_thread *thread;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_thread_create(queue_a_local, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_run_to_end(the_reactor);
    const struct solo_violation *violation =
        expect_dead("its argument is a local variable of `main/1`, which has ended");
    CU_ASSERT_STRING_EQUAL(violation->thread, "main/1");
    worlds_destroy(the_reactor);
}

static void test_argument__in_the_stack_of_a_thread_that_has_ended_is_found(void)
{
    run_heard(thread_body);
}

static void wait_and_stop(void *arg)
{
    queue_a_local_and_wait(arg);
    queue_stop(0, NULL);
}

static void waiting_thread_body(void)
{
    struct solo_thread *thread;
    set_up();
    CU_ASSERT_EQUAL(solo_thread_create(wait_and_stop, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    noted("c");
    tear_down();
}

static void test_argument__in_the_stack_of_a_thread_that_waits_for_it_is_fine(void)
{
    run_heard(waiting_thread_body);
}

__attribute__((noinline)) static void set_out(void)
{
    char local[256];
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, ignore, &local[8], NULL), 0);
    __asm__ volatile(""); /* no tail call: the frame is there while it calls */
}

static void helper_body(void)
{
    the_reactor = worlds_reactor();
    set_out();
    worlds_run_to_end(the_reactor);
    (void)expect_dead("its argument is a local variable of a function that has returned");
    worlds_destroy(the_reactor);
}

static void test_argument__in_the_frame_of_a_function_that_returned_before_the_loop_is_found(void)
{
    run_heard(helper_body);
}

static void own_local_body(void)
{
    char local[256];
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, ignore, &local[8], NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, ignore, local, NULL, NULL), 0);
    worlds_run_to_end(the_reactor);
    noted("cc");
    worlds_destroy(the_reactor);
}

static void test_argument__in_the_frame_that_runs_the_loop_is_fine(void)
{
    run_heard(own_local_body);
}

/* ---- Memory that was given back ---- */

static char *new_block(void)
{
    char *block = malloc(64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    return block;
}

static void queue(void *argument, solo_done_fn done)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, ignore, argument, done), 0);
}

static void freed_body(void)
{
    the_reactor = worlds_reactor();
    char *block = new_block();
    queue(block + 16, NULL);
    free(block);
    char *again = new_block(); /* perhaps at the same place */
    worlds_run_to_end(the_reactor);
    const struct solo_violation *violation = expect_dead("its argument was freed before, by `main`");
    CU_ASSERT_STRING_EQUAL(violation->queued_by, "main");
    CU_ASSERT_STRING_EQUAL(violation->thread, "main");
    free(again);
    worlds_destroy(the_reactor);
}

/* Under valgrind free is the tool's own, and nobody hears of it. */
#ifdef SOLO_VALGRIND
#include <valgrind/valgrind.h>
#define SKIP_UNHEARD_FREES()                                                                                           \
    if (RUNNING_ON_VALGRIND)                                                                                           \
    SOLO_SKIP("valgrind replaces free, and sees the use itself")
#else
#define SKIP_UNHEARD_FREES() ((void)0)
#endif

static void test_argument__freed_before_the_call_runs_is_found(void)
{
    SKIP_UNHEARD_FREES();
    run_heard(freed_body);
}

static void free_argument(int status, void *arg)
{
    (void)status;
    free(arg);
}

static void freed_in_time_body(void)
{
    the_reactor = worlds_reactor();
    queue(new_block(), free_argument);
    char *other = new_block();
    queue(new_block(), free_argument);
    free(other);
    worlds_run_to_end(the_reactor);
    noted("cc");
    worlds_destroy(the_reactor);
}

static void test_argument__freed_by_the_done_function_is_fine(void)
{
    run_heard(freed_in_time_body);
}

static void cancelled_body(void)
{
    solo_delayed_call_id id;
    the_reactor = worlds_reactor();
    char *block = new_block();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, WORLDS_MS, ignore, block, NULL, &id), 0);
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, id), 0);
    free(block);
    worlds_run_to_end(the_reactor);
    noted("");
    worlds_destroy(the_reactor);
}

static void test_argument__of_a_call_that_was_taken_back_may_be_freed(void)
{
    run_heard(cancelled_body);
}

static void moved_body(void)
{
    the_reactor = worlds_reactor();
    char *block = new_block();
    queue(block, NULL);
    uintptr_t before = (uintptr_t)block;
    char *wall = new_block();
    char *moved = realloc(block, 1 << 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(moved);
    worlds_run_to_end(the_reactor);
    if ((uintptr_t)moved != before) {
        (void)expect_dead("its argument was freed before");
    }
    free(moved);
    free(wall);
    worlds_destroy(the_reactor);
}

static void test_argument__in_a_block_that_moved_is_found(void)
{
    SKIP_UNHEARD_FREES();
    run_heard(moved_body);
}

/* An allocator of the program's own: pieces of one block. */
static char pool_of_pieces[4][32];

static void pieces_body(void)
{
    the_reactor = worlds_reactor();
    queue(&pool_of_pieces[1][0], NULL);
    queue(&pool_of_pieces[3][31], NULL);
    solo_memory_released(pool_of_pieces[0], sizeof pool_of_pieces[0]);
    solo_memory_released(pool_of_pieces[2], sizeof pool_of_pieces[2]);
    solo_memory_released(pool_of_pieces[3], sizeof pool_of_pieces[3]);
    solo_memory_released(pool_of_pieces[1], 0);
    solo_memory_released(NULL, 32);
    worlds_run_to_end(the_reactor);
    (void)expect_dead("call#2 runs with dead memory");
    noted("cc");
    worlds_destroy(the_reactor);
}

static void test_argument__in_a_piece_that_a_program_took_back_is_found(void)
{
    run_heard(pieces_body);
}

/* ---- Limits ---- */

static void many_body(void)
{
    enum { MANY_CALLS = 300 };
    the_reactor = worlds_reactor();
    for (unsigned i = 0; i < MANY_CALLS; i++) {
        queue(&pool_of_pieces[0][i < 256 ? 0 : 1], NULL);
    }
    solo_memory_released(&pool_of_pieces[0][1], 1); /* of those beyond the first 256 only */
    worlds_run_to_end(the_reactor);
    CU_ASSERT_EQUAL(worlds.noted, MANY_CALLS);
    worlds_destroy(the_reactor);
}

static void test_argument__beyond_the_first_256_is_not_watched_and_never_reported(void)
{
    run_heard(many_body);
}

static struct solo_result never_run(void *arg)
{
    note('n');
    return solo_value(arg);
}

static void count_result(struct solo_result result, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(result.status, SOLO_ECANCELLED);
}

/* More jobs than are watched, of which none runs; then one call with a dead argument. */
static void taken_back_body(void)
{
    enum { MANY_JOBS = 300 };
    struct solo_pool *pool = NULL;
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(the_reactor, &pool), 0);
    for (unsigned i = 0; i < MANY_JOBS; i++) {
        struct solo_deferred *deferred = NULL;
        unsigned number = 0;
        CU_ASSERT_EQUAL(solo_defer_to_thread(the_reactor, never_run, &pool_of_pieces[0][1], &deferred), 0);
        CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
        CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
        CU_ASSERT_EQUAL(
            solo_pool_call_in_thread_with_callback(pool, never_run, &pool_of_pieces[0][1], count_result, &number), 0);
        CU_ASSERT_EQUAL(solo_pool_cancel(pool, number), 0);
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    }
    queue(&pool_of_pieces[0][0], NULL);
    solo_memory_released(&pool_of_pieces[0][0], 1);
    worlds_run_to_end(the_reactor);
    noted("c");
    (void)expect_dead("its argument was freed before");
    worlds_destroy(the_reactor);
}

static void test_argument__of_jobs_that_were_taken_back_takes_no_room(void)
{
    run_heard(taken_back_body);
}

static bool enough; /* atomic */

static void release_all_the_time(void *arg)
{
    while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
        solo_memory_released(arg, 1);
    }
}

/* Where one thread runs at a time, whoever waits for the table waits for a whole turn of the other one. */
#ifdef SOLO_VALGRIND
enum { FORKS = 2 };
#else
enum { FORKS = 200 };
#endif

/* The other thread is in the middle of it when this one forks, and is not there in the child. */
static void forking_body(void)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    queue(&pool_of_pieces[0][0], NULL);
    __atomic_store_n(&enough, false, __ATOMIC_RELAXED);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(release_all_the_time, &pool_of_pieces[0][1], &thread), 0);
    for (unsigned i = 0; i < FORKS; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            solo_memory_released(&pool_of_pieces[0][1], 1);
            _exit(0);
        }
        CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
        CU_ASSERT_EQUAL(status, 0);
    }
    __atomic_store_n(&enough, true, __ATOMIC_RELAXED);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_run_to_end(the_reactor);
    noted("c");
    worlds_destroy(the_reactor);
}

static void test_argument__a_child_may_free_whatever_other_threads_did_at_the_fork(void)
{
    CU_ASSERT_EQUAL(solo_probe_subscribe(hear, NULL), 0);
    worlds_run_os(forking_body);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(hear, NULL), 0);
}

static void unheard_body(void)
{
    set_up();
    run_work_first(queue_a_local);
    noted("c");
    tear_down();
}

static void test_argument__in_world_os_nothing_is_watched_while_nobody_listens(void)
{
    worlds_run_os(unheard_body);
}

void suite_argument(void)
{
    SOLO_SUITE("argument");
    SOLO_TEST(test_argument__in_the_frame_of_work_that_has_ended_is_found);
    SOLO_TEST(test_argument__in_the_frame_of_work_that_waits_for_it_is_fine);
    SOLO_TEST(test_argument__of_a_blocking_call_lives_as_long_as_its_caller_waits);
    SOLO_TEST(test_argument__in_the_frame_of_a_callback_is_found_however_it_is_queued);
    SOLO_TEST(test_argument__of_a_job_in_the_frame_of_a_callback_is_found);
    SOLO_TEST(test_argument__of_work_that_runs_inside_its_callers_frame_is_fine);
    SOLO_TEST(test_argument__in_the_stack_of_a_thread_that_has_ended_is_found);
    SOLO_TEST(test_argument__in_the_stack_of_a_thread_that_waits_for_it_is_fine);
    SOLO_TEST(test_argument__in_the_frame_of_a_function_that_returned_before_the_loop_is_found);
    SOLO_TEST(test_argument__in_the_frame_that_runs_the_loop_is_fine);
    SOLO_TEST(test_argument__freed_before_the_call_runs_is_found);
    SOLO_TEST(test_argument__freed_by_the_done_function_is_fine);
    SOLO_TEST(test_argument__of_a_call_that_was_taken_back_may_be_freed);
    SOLO_TEST(test_argument__in_a_block_that_moved_is_found);
    SOLO_TEST(test_argument__in_a_piece_that_a_program_took_back_is_found);
    SOLO_TEST(test_argument__beyond_the_first_256_is_not_watched_and_never_reported);
    SOLO_TEST(test_argument__of_jobs_that_were_taken_back_takes_no_room);
    SOLO_TEST(test_argument__a_child_may_free_whatever_other_threads_did_at_the_fork);
    SOLO_TEST(test_argument__in_world_os_nothing_is_watched_while_nobody_listens);
}
