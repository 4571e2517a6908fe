/* test_worker.c - do, quit and destroy of the three kinds of worker. */
#include "refusing_world.h"

/* Order of work on several threads; one writer at a time, ordered by the worker itself. */
static char order[64];
static size_t ordered;

static void begin_order(void)
{
    ordered = 0;
    order[0] = '\0';
}

static void put(char c)
{
    order[ordered++] = c;
    order[ordered] = '\0';
}

static void work(void *arg)
{
    put(*(const char *)arg);
}

static void done(int status, void *arg)
{
    put(status == 0 ? '=' : status == SOLO_ECLOSING ? 'X' : '?');
    put(*(const char *)arg);
}

static void post(void *semaphore)
{
    (void)solo_semaphore_post(semaphore);
}

static void wait_for(void *semaphore)
{
    (void)solo_semaphore_wait(semaphore, SOLO_NEVER);
}

static struct solo_semaphore *make_semaphore(void)
{
    struct solo_semaphore *semaphore = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &semaphore), 0);
    return semaphore;
}

static struct solo_worker *make(int (*create)(struct solo_worker **))
{
    struct solo_worker *worker = NULL;
    CU_ASSERT_EQUAL_FATAL(create(&worker), 0);
    begin_order();
    return worker;
}

static void give(struct solo_worker *worker, const char *name)
{
    CU_ASSERT_EQUAL(solo_worker_do(worker, work, (void *)name, NULL), 0);
}

/* ---- Every kind ---- */

static int (*const kinds[])(struct solo_worker **) = {solo_thread_worker_create, solo_lock_worker_create,
                                                      solo_memory_worker_create};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void quits_once(void)
{
    for (int i = 0; i < KINDS; i++) {
        struct solo_worker *worker = make(kinds[i]);
        CU_ASSERT_EQUAL(solo_worker_quit(worker), 0);
        CU_ASSERT_EQUAL(solo_worker_quit(worker), SOLO_EALREADYQUIT);
        CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    }
}

static void test_worker__a_second_quit_is_refused(void)
{
    worlds_run(quits_once);
}

static void do_after_quit(void)
{
    for (int i = 0; i < KINDS; i++) {
        struct solo_worker *worker = make(kinds[i]);
        CU_ASSERT_EQUAL(solo_worker_quit(worker), 0);
        CU_ASSERT_EQUAL(solo_worker_do(worker, work, "a", done), SOLO_EALREADYQUIT);
        CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
        CU_ASSERT_STRING_EQUAL(order, "");
    }
    worlds_expect(SOLO006_USE_AFTER_END, KINDS);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO006_USE_AFTER_END)->function, "solo_worker_do");
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO006_USE_AFTER_END)->text, "quit"));
}

static void test_worker__do_after_quit_is_refused_and_reported_with_no_effect(void)
{
    worlds_run(do_after_quit);
}

static void use_after_destroy(void)
{
    struct solo_worker *worker = make(solo_memory_worker_create);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    CU_ASSERT_EQUAL(solo_worker_do(worker, work, "a", NULL), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_worker_quit(worker), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_worker_perform(worker, NULL), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 4);
}

static void test_worker__use_after_destroy_is_named(void)
{
    worlds_run(use_after_destroy);
}

static void bad_arguments(void)
{
    struct solo_worker *worker = make(solo_memory_worker_create);
    CU_ASSERT_EQUAL(solo_thread_worker_create(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_lock_worker_create(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_memory_worker_create(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_worker_do(NULL, work, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_worker_do(worker, NULL, NULL, done), -EINVAL);
    CU_ASSERT_EQUAL(solo_worker_quit(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_worker_perform(NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_worker_destroy(NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    CU_ASSERT_STRING_EQUAL(order, "");
}

static void test_worker__bad_arguments_are_refused(void)
{
    worlds_run(bad_arguments);
}

static void done_follows_work(void)
{
    for (int i = 0; i < KINDS; i++) {
        struct solo_worker *worker = make(kinds[i]);
        CU_ASSERT_EQUAL(solo_worker_do(worker, work, "a", done), 0);
        CU_ASSERT_EQUAL(solo_worker_do(worker, work, "b", done), 0);
        while (solo_worker_perform(worker, NULL) == 0 && ordered < 6) {
        }
        CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
        CU_ASSERT_STRING_EQUAL(order, "a=ab=b");
    }
}

static void test_worker__done_runs_right_after_its_work(void)
{
    worlds_run(done_follows_work);
}

/* ---- Thread worker ---- */

static void name_thread(void *arg)
{
    (void)solo_thread_name(arg, 32);
}

static void own_thread(void)
{
    char first[32], second[32], mine[32];
    struct solo_worker *worker = make(solo_thread_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(worker, name_thread, first, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_do(worker, name_thread, second, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    CU_ASSERT_STRING_EQUAL(first, "worker#1");
    CU_ASSERT_STRING_EQUAL(second, "worker#1");
    CU_ASSERT_STRING_EQUAL(solo_thread_name(mine, sizeof mine), "main");
}

static void test_worker__thread_worker_runs_its_work_on_one_thread_of_its_own(void)
{
    worlds_run(own_thread);
}

static void thirty_in_order(void)
{
    static const char names[] = "abcdefghijklmnopqrstuvwxyz0123";
    struct solo_worker *worker = make(solo_thread_worker_create);
    for (int i = 0; i < 30; i++) {
        give(worker, &names[i]);
    }
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    CU_ASSERT_STRING_EQUAL(order, names);
}

static void test_worker__thread_worker_is_first_in_first_out(void)
{
    worlds_run(thirty_in_order);
}

static void backlog_before_quit(void)
{
    struct solo_semaphore *gate = make_semaphore();
    struct solo_worker *worker = make(solo_thread_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(worker, wait_for, gate, NULL), 0);
    give(worker, "a");
    CU_ASSERT_EQUAL(solo_worker_do(worker, work, "b", done), 0);
    CU_ASSERT_EQUAL(solo_worker_quit(worker), 0); /* with all three still to do */
    post(gate);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    CU_ASSERT_STRING_EQUAL(order, "ab=b");
    CU_ASSERT_EQUAL(solo_semaphore_destroy(gate), 0);
}

static void test_worker__work_accepted_before_quit_is_always_done(void)
{
    worlds_run(backlog_before_quit);
}

static struct solo_worker *shared_worker;
static int answer;

static void destroy_from_within(void *arg)
{
    (void)arg;
    answer = solo_worker_destroy(shared_worker);
}

static void destroys_itself(void)
{
    struct solo_semaphore *finished = make_semaphore();
    shared_worker = make(solo_thread_worker_create);
    answer = 0;
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, destroy_from_within, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, post, finished, NULL), 0);
    wait_for(finished);
    CU_ASSERT_EQUAL(answer, -EDEADLK);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);

    shared_worker = make(solo_lock_worker_create);
    answer = 0;
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, destroy_from_within, NULL, NULL), 0);
    CU_ASSERT_EQUAL(answer, -EDEADLK);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);

    shared_worker = make(solo_memory_worker_create);
    answer = 0;
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, destroy_from_within, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_perform(shared_worker, NULL), 0);
    CU_ASSERT_EQUAL(answer, -EDEADLK);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(finished), 0);
}

static void test_worker__destroy_from_within_its_own_work_is_refused(void)
{
    worlds_run(destroys_itself);
}

static void give_more(void *arg)
{
    (void)arg;
    put('a');
    give(shared_worker, "c");
    put('b');
}

static void work_gives_work(void)
{
    shared_worker = make(solo_thread_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, give_more, NULL, NULL), 0);
    struct solo_semaphore *finished = make_semaphore();
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, post, finished, NULL), 0);
    wait_for(finished);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
    CU_ASSERT_STRING_EQUAL(order, "abc");
    CU_ASSERT_EQUAL(solo_semaphore_destroy(finished), 0);
}

static void test_worker__work_may_give_its_thread_worker_more_work(void)
{
    worlds_run(work_gives_work);
}

/* Two threads give work at once: each one's own order is kept and nothing is lost. */
static void give_three(void *arg)
{
    const char *names = arg;
    for (int i = 0; i < 3; i++) {
        give(shared_worker, &names[i]);
    }
}

static void is_interleaving(const char *seen, const char *one, const char *other)
{
    const char *parts[] = {one, other};
    CU_ASSERT_EQUAL(strlen(seen), strlen(one) + strlen(other));
    for (int i = 0; i < 2; i++) {
        const char *next = parts[i];
        for (const char *at = seen; *at != '\0'; at++) {
            next += *at == *next;
        }
        CU_ASSERT_EQUAL(*next, '\0');
    }
}

static void two_givers(void)
{
    struct solo_thread *thread = NULL;
    shared_worker = make(solo_thread_worker_create);
    CU_ASSERT_EQUAL(solo_thread_create(give_three, "abc", &thread), 0);
    give_three("123");
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
    is_interleaving(order, "abc", "123");
}

static void test_worker__two_threads_lose_nothing_and_keep_their_own_order(void)
{
    worlds_run(two_givers);
}

/* Quit races with do: whatever do answers is the truth. */
static void quit_it(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_worker_quit(shared_worker), 0);
}

static void quit_against_do(void)
{
    struct solo_thread *thread = NULL;
    shared_worker = make(solo_thread_worker_create);
    CU_ASSERT_EQUAL(solo_thread_create(quit_it, NULL, &thread), 0);
    int status = solo_worker_do(shared_worker, work, "a", done);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
    CU_ASSERT(status == 0 || status == SOLO_EALREADYQUIT);
    CU_ASSERT_STRING_EQUAL(order, status == 0 ? "a=a" : "");
    worlds_expect(SOLO006_USE_AFTER_END, status == 0 ? 0 : 1);
}

static void test_worker__do_that_races_with_quit_is_done_or_refused_never_lost(void)
{
    worlds_run(quit_against_do);
}

/* ---- Lock worker ---- */

static void run_at_once(void)
{
    char name[32] = "";
    struct solo_worker *worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(worker, name_thread, name, NULL), 0);
    CU_ASSERT_STRING_EQUAL(name, "main");
    give(worker, "a");
    CU_ASSERT_STRING_EQUAL(order, "a");
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
}

static void test_worker__lock_worker_runs_work_at_once_in_the_callers_thread(void)
{
    worlds_run(run_at_once);
}

static void nest(void *arg)
{
    (void)arg;
    put('(');
    give(shared_worker, "1");
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, give_more, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, work, "2", done), 0);
    put(')');
}

static void nested_work(void)
{
    shared_worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, nest, NULL, NULL), 0);
    CU_ASSERT_STRING_EQUAL(order, "()1ab2=2c");
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
}

static void test_worker__lock_worker_runs_nested_work_after_the_present_one(void)
{
    worlds_run(nested_work);
}

static void deep(void *arg)
{
    int *left = arg;
    if (--*left > 0) {
        CU_ASSERT_EQUAL(solo_worker_do(shared_worker, deep, left, NULL), 0);
    }
}

static void deep_recursion(void)
{
    int left = 10000; /* as frames they would not fit a virtual thread's stack */
    shared_worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, deep, &left, NULL), 0);
    CU_ASSERT_EQUAL(left, 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
}

static void test_worker__lock_worker_unwinds_recursion_into_a_loop(void)
{
    worlds_run_os(deep_recursion);
    worlds_run_sim(deep_recursion, 1);
}

static void quit_inside(void *arg)
{
    (void)arg;
    put('(');
    give(shared_worker, "1");
    CU_ASSERT_EQUAL(solo_worker_quit(shared_worker), 0);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, work, "2", done), SOLO_EALREADYQUIT);
    put(')');
}

static void quits_while_working(void)
{
    shared_worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, quit_inside, NULL, NULL), 0);
    CU_ASSERT_STRING_EQUAL(order, "()1");
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
    worlds_expect(SOLO006_USE_AFTER_END, 1);
}

static void test_worker__lock_worker_that_quits_while_working_still_does_what_it_accepted(void)
{
    worlds_run(quits_while_working);
}

static void excluded(void *arg)
{
    (void)arg;
    put('<');
    solo_yield(); /* another thread would get in here */
    put('>');
}

static void exclude(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, excluded, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, excluded, NULL, NULL), 0);
}

static void two_lockers(void)
{
    struct solo_thread *thread = NULL;
    shared_worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_thread_create(exclude, NULL, &thread), 0);
    exclude(NULL);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_STRING_EQUAL(order, "<><><><>");
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
}

static void test_worker__lock_worker_runs_one_piece_of_work_at_a_time(void)
{
    worlds_run(two_lockers);
}

static void two_workers(void)
{
    struct solo_worker *outer = make(solo_lock_worker_create);
    shared_worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(outer, nest, NULL, NULL), 0); /* uses the other worker, which is not busy: at once */
    CU_ASSERT_STRING_EQUAL(order, "(1abc2=2)");
    CU_ASSERT_EQUAL(solo_worker_destroy(outer), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
}

static void test_worker__work_of_one_lock_worker_may_use_another(void)
{
    worlds_run(two_workers);
}

struct pair {
    struct solo_semaphore *inside, *leave;
};

static void stay(void *arg)
{
    struct pair *pair = arg;
    post(pair->inside);
    wait_for(pair->leave);
    put('a');
}

static void done_with_pair(int status, void *arg)
{
    (void)arg;
    put(status == 0 ? '.' : '?');
}

static void stay_in_worker(void *arg)
{
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, stay, arg, done_with_pair), 0);
}

static void destroy_waits(void)
{
    struct pair pair = {make_semaphore(), make_semaphore()};
    struct solo_thread *user = NULL, *poster = NULL;
    shared_worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_thread_create(stay_in_worker, &pair, &user), 0);
    wait_for(pair.inside);
    CU_ASSERT_EQUAL(solo_thread_create(post, pair.leave, &poster), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0); /* while another thread is in the worker */
    CU_ASSERT_STRING_EQUAL(order, "a.");
    CU_ASSERT_EQUAL(solo_thread_join(user), 0);
    CU_ASSERT_EQUAL(solo_thread_join(poster), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(pair.inside), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(pair.leave), 0);
}

static void test_worker__destroy_waits_for_a_thread_inside_a_lock_worker(void)
{
    worlds_run(destroy_waits);
}

/* ---- Memory worker ---- */

static void perform_one_by_one(void)
{
    bool ran = false;
    struct solo_worker *worker = make(solo_memory_worker_create);
    give(worker, "a");
    give(worker, "b");
    CU_ASSERT_STRING_EQUAL(order, "");
    CU_ASSERT_EQUAL(solo_worker_perform(worker, &ran), 0);
    CU_ASSERT(ran);
    CU_ASSERT_STRING_EQUAL(order, "a");
    CU_ASSERT_EQUAL(solo_worker_quit(worker), 0);
    CU_ASSERT_EQUAL(solo_worker_perform(worker, &ran), 0);
    CU_ASSERT(ran);
    CU_ASSERT_STRING_EQUAL(order, "ab");
    CU_ASSERT_EQUAL(solo_worker_perform(worker, &ran), 0);
    CU_ASSERT(!ran);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
}

static void test_worker__memory_worker_performs_exactly_one_piece_at_a_time_also_after_quit(void)
{
    worlds_run(perform_one_by_one);
}

static void added_goes_last(void)
{
    shared_worker = make(solo_memory_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(shared_worker, give_more, NULL, NULL), 0);
    give(shared_worker, "x");
    CU_ASSERT_EQUAL(solo_worker_perform(shared_worker, NULL), 0);
    CU_ASSERT_STRING_EQUAL(order, "ab");
    CU_ASSERT_EQUAL(solo_worker_perform(shared_worker, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_perform(shared_worker, NULL), 0);
    CU_ASSERT_STRING_EQUAL(order, "abxc");
    CU_ASSERT_EQUAL(solo_worker_destroy(shared_worker), 0);
}

static void test_worker__work_added_by_work_goes_to_the_end_and_needs_its_own_perform(void)
{
    worlds_run(added_goes_last);
}

static void handed_back(void)
{
    struct solo_worker *worker = make(solo_memory_worker_create);
    CU_ASSERT_EQUAL(solo_worker_do(worker, work, "a", done), 0);
    CU_ASSERT_EQUAL(solo_worker_do(worker, work, "b", done), 0);
    CU_ASSERT_EQUAL(solo_worker_perform(worker, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_quit(worker), 0);
    CU_ASSERT_STRING_EQUAL(order, "a=a");
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    CU_ASSERT_STRING_EQUAL(order, "a=aXb");
}

static void test_worker__destroy_hands_back_what_was_never_performed(void)
{
    worlds_run(handed_back);
}

static void not_performed(void)
{
    bool ran = true;
    struct solo_worker *worker = make(solo_thread_worker_create);
    CU_ASSERT_EQUAL(solo_worker_perform(worker, &ran), -EINVAL);
    CU_ASSERT(ran);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    worker = make(solo_lock_worker_create);
    CU_ASSERT_EQUAL(solo_worker_perform(worker, &ran), -EINVAL);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
}

static void test_worker__perform_is_for_memory_workers_only(void)
{
    worlds_run(not_performed);
}

/* ---- Any one allocation refused ---- */

static void refused_memory_body(void)
{
    for (int i = 0; i < KINDS; i++) {
        struct solo_worker *worker = NULL;
        size_t accepted = 0;
        begin_order();
        if (kinds[i](&worker) < 0) {
            CU_ASSERT_PTR_NULL(worker);
            continue;
        }
        for (int piece = 0; piece < 3; piece++) {
            int status = solo_worker_do(worker, work, "a", done);
            CU_ASSERT(status == 0 || status == -ENOMEM);
            accepted += status == 0;
        }
        CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
        CU_ASSERT_EQUAL(ordered, (kinds[i] == solo_memory_worker_create ? 2 : 3) * accepted); /* "Xa" or "a=a" each */
    }
}

static void test_worker__whichever_allocation_is_refused_nothing_accepted_is_lost(void)
{
    CU_ASSERT_TRUE(refusing_run(refused_memory_body, REFUSE_FOR_GOOD) > 10);
}

/* ---- What the probe is told ---- */

static struct {
    unsigned accepted, begun, ended, handed_back, dropped;
} seen;

static void count(const struct solo_event *event, void *arg)
{
    (void)arg;
    seen.accepted += event->kind == SOLO_PROBE_CALL_ACCEPTED && event->value == SOLO_QUEUE_WORKER;
    seen.begun += event->kind == SOLO_PROBE_CALL_BEGUN;
    seen.ended += event->kind == SOLO_PROBE_CALL_ENDED;
    seen.handed_back += event->kind == SOLO_PROBE_CALL_HANDED_BACK;
    seen.dropped += event->kind == SOLO_PROBE_CALL_DROPPED;
}

static void watched(void)
{
    memset(&seen, 0, sizeof seen);
    CU_ASSERT_EQUAL(solo_probe_subscribe(count, NULL), 0);
    struct solo_worker *worker = make(solo_memory_worker_create);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_worker_do(worker, work, "a", done), 0);
        give(worker, "b");
    }
    CU_ASSERT_EQUAL(solo_worker_perform(worker, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_perform(worker, NULL), 0);
    CU_ASSERT_EQUAL(solo_worker_destroy(worker), 0);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count, NULL), 0);
    CU_ASSERT_EQUAL(seen.accepted, 4);
    CU_ASSERT_EQUAL(seen.begun, 2);
    CU_ASSERT_EQUAL(seen.ended, 2);
    CU_ASSERT_EQUAL(seen.handed_back, 2); /* one that ran, one that never will */
    CU_ASSERT_EQUAL(seen.dropped, 1);     /* it never will either, and nobody asked */
}

static void test_worker__the_probe_hears_of_each_piece_of_work_once(void)
{
    worlds_run(watched);
}

void suite_worker(void)
{
    SOLO_SUITE("worker");
    SOLO_TEST(test_worker__a_second_quit_is_refused);
    SOLO_TEST(test_worker__do_after_quit_is_refused_and_reported_with_no_effect);
    SOLO_TEST(test_worker__use_after_destroy_is_named);
    SOLO_TEST(test_worker__bad_arguments_are_refused);
    SOLO_TEST(test_worker__done_runs_right_after_its_work);
    SOLO_TEST(test_worker__thread_worker_runs_its_work_on_one_thread_of_its_own);
    SOLO_TEST(test_worker__thread_worker_is_first_in_first_out);
    SOLO_TEST(test_worker__work_accepted_before_quit_is_always_done);
    SOLO_TEST(test_worker__destroy_from_within_its_own_work_is_refused);
    SOLO_TEST(test_worker__work_may_give_its_thread_worker_more_work);
    SOLO_TEST(test_worker__two_threads_lose_nothing_and_keep_their_own_order);
    SOLO_TEST(test_worker__do_that_races_with_quit_is_done_or_refused_never_lost);
    SOLO_TEST(test_worker__lock_worker_runs_work_at_once_in_the_callers_thread);
    SOLO_TEST(test_worker__lock_worker_runs_nested_work_after_the_present_one);
    SOLO_TEST(test_worker__lock_worker_unwinds_recursion_into_a_loop);
    SOLO_TEST(test_worker__lock_worker_that_quits_while_working_still_does_what_it_accepted);
    SOLO_TEST(test_worker__lock_worker_runs_one_piece_of_work_at_a_time);
    SOLO_TEST(test_worker__work_of_one_lock_worker_may_use_another);
    SOLO_TEST(test_worker__destroy_waits_for_a_thread_inside_a_lock_worker);
    SOLO_TEST(test_worker__memory_worker_performs_exactly_one_piece_at_a_time_also_after_quit);
    SOLO_TEST(test_worker__work_added_by_work_goes_to_the_end_and_needs_its_own_perform);
    SOLO_TEST(test_worker__destroy_hands_back_what_was_never_performed);
    SOLO_TEST(test_worker__perform_is_for_memory_workers_only);
    SOLO_TEST(test_worker__whichever_allocation_is_refused_nothing_accepted_is_lost);
    SOLO_TEST(test_worker__the_probe_hears_of_each_piece_of_work_once);
}
