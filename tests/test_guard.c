/* test_guard.c - who may call: first callers, foreign threads, refusals and what they say, policies, hand-over. */
#include "guard.h"
#include "worlds.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Something that a reactor owns, and a reactor-only function. */
struct thing {
    struct solo__object object;
    struct solo__owner owner;
    unsigned touched;
};

static struct thing *make(void)
{
    struct thing *thing = solo__object_make(solo_world_current(), SOLO__TRANSPORT, sizeof *thing, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(thing);
    return thing;
}

static void end(struct thing *thing)
{
    solo__owner_release(&thing->owner);
    solo__object_end(thing);
}

static __attribute__((noinline)) int touch(struct thing *thing)
{
    SOLO__LIVE_OBJECT(solo_transport_write, thing, SOLO__TRANSPORT, SOLO012_TRANSPORT_AFTER_LOST);
    SOLO__REACTOR_ONLY(solo_transport_write, &thing->owner, thing);

    __atomic_add_fetch(&thing->touched, 1, __ATOMIC_RELAXED);
    return 0;
}

static __attribute__((noinline)) int touch_elsewhere(struct thing *thing)
{
    int result = touch(thing);
    __asm__ volatile(""); /* no tail call: this is another place */
    return result;
}

struct attempt {
    struct thing *thing;
    int result;
    char name[SOLO_VIOLATION_NAME_MAX];
};

static void try(void *arg)
{
    struct attempt *attempt = arg;
    attempt->result = touch(attempt->thing);
    solo_thread_name(attempt->name, sizeof attempt->name);
}

static void *try_as_foreign(void *arg)
{
    try(arg);
    return NULL;
}

/* Calls it on another thread; returns what that thread got. */
static int touch_on_another_thread(struct thing *thing)
{
    struct attempt attempt = {.thing = thing};
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(try, &attempt, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    return attempt.result;
}

/* ---- Ownership ---- */

static void the_first_caller_becomes_the_owner(void)
{
    struct thing *thing = make();
    CU_ASSERT_PTR_NULL(solo__owner_thread(&thing->owner));
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_PTR_EQUAL(solo__owner_thread(&thing->owner), solo__self);
    CU_ASSERT_STRING_EQUAL(thing->owner.bound_by, "first call");
    CU_ASSERT_TRUE(thing->owner.bound_stack.count >= 1);
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL(thing->touched, 2);
    end(thing);
}

static void test_guard__the_first_caller_becomes_the_owner(void)
{
    worlds_run(the_first_caller_becomes_the_owner);
}

static void another_thread_is_refused_without_effect(void)
{
    struct thing *thing = make();
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL(touch_on_another_thread(thing), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(thing->touched, 1);
    CU_ASSERT_PTR_EQUAL(solo__owner_thread(&thing->owner), solo__self);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    end(thing);
}

static void test_guard__another_thread_is_refused_without_effect(void)
{
    worlds_run(another_thread_is_refused_without_effect);
}

static void run_binds_anew_and_return_releases(void)
{
    struct thing *thing = make();
    CU_ASSERT_EQUAL(touch(thing), 0);
    solo__owner_bind(&thing->owner, solo__self, "solo_reactor_run", __builtin_frame_address(0),
                     __builtin_return_address(0));
    CU_ASSERT_STRING_EQUAL(thing->owner.bound_by, "solo_reactor_run");
    CU_ASSERT_TRUE(thing->owner.has_run);
    solo__owner_release(&thing->owner);
    CU_ASSERT_PTR_NULL(solo__owner_thread(&thing->owner));
    CU_ASSERT_EQUAL(touch_on_another_thread(thing), 0); /* the next caller owns it */
    CU_ASSERT_EQUAL(touch(thing), SOLO_EWRONGTHREAD);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    end(thing);
}

static void test_guard__run_binds_anew_and_after_release_the_next_caller_owns(void)
{
    worlds_run(run_binds_anew_and_return_releases);
}

struct crowd {
    struct thing *thing;
    unsigned accepted, refused;
};

static void touch_in_a_crowd(void *arg)
{
    struct crowd *crowd = arg;
    int result = touch(crowd->thing);
    __atomic_add_fetch(result == 0 ? &crowd->accepted : &crowd->refused, 1, __ATOMIC_RELAXED);
}

static void one_of_a_crowd_becomes_the_owner(void)
{
    enum { THREADS = 5 };
    struct crowd crowd = {make(), 0, 0};
    struct solo_thread *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(touch_in_a_crowd, &crowd, &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    CU_ASSERT_EQUAL(crowd.accepted, 1);
    CU_ASSERT_EQUAL(crowd.refused, THREADS - 1);
    worlds_expect(SOLO001_WRONG_THREAD, THREADS - 1);
    end(crowd.thing);
}

static void test_guard__exactly_one_of_several_first_callers_becomes_the_owner(void)
{
    worlds_run(one_of_a_crowd_becomes_the_owner);
}

static void test_guard__a_foreign_thread_can_be_the_first_caller_and_can_be_refused(void)
{
    struct attempt mine = {.thing = make()}, theirs = {.thing = make()};
    pthread_t thread;
    worlds_begin(NULL);
    CU_ASSERT_EQUAL(touch(theirs.thing), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, try_as_foreign, &mine), 0);
    CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, try_as_foreign, &theirs), 0);
    CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
    CU_ASSERT_EQUAL(mine.result, 0);
    CU_ASSERT_EQUAL(theirs.result, SOLO_EWRONGTHREAD);
    CU_ASSERT_STRING_EQUAL(theirs.name, "foreign#2");
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->thread, "foreign#2");
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->role, "foreign thread");
    end(mine.thing);
    end(theirs.thing);
}

struct served {
    struct thing *thing, *other;
};

static void serve_in_its_pool(void *arg)
{
    struct served *served = arg;
    solo__self->serves = &served->thing->owner;
    CU_ASSERT_EQUAL(touch(served->thing), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(touch(served->other), 0); /* another reactor may be a job's own */
    solo__self->serves = NULL;
}

static void a_pool_never_owns_its_reactor(void)
{
    struct served served = {make(), make()};
    struct solo_thread *thread = NULL;
    char text[SOLO_VIOLATION_TEXT_MAX], object[32];
    CU_ASSERT_EQUAL(touch(served.thing), 0);
    solo__owner_release(&served.thing->owner);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(serve_in_its_pool, &served, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    snprintf(text, sizeof text, "(%s belongs to no thread now, and never to its pool",
             solo_object_name(served.thing->object.id, object, sizeof object));
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO001_WRONG_THREAD)->text, text));
    CU_ASSERT_EQUAL(touch(served.thing), 0);
    end(served.thing);
    end(served.other);
}

static void test_guard__a_pool_worker_never_becomes_the_owner_of_its_own_reactor(void)
{
    worlds_run(a_pool_never_owns_its_reactor);
}

/* ---- What a refusal says ---- */

static void the_record_is_complete(void)
{
    struct thing *thing = make();
    char object[32], text[SOLO_VIOLATION_TEXT_MAX];
    solo_object_name(thing->object.id, object, sizeof object);
    solo__owner_bind(&thing->owner, solo__self_get(), "solo_reactor_run", __builtin_frame_address(0),
                     __builtin_return_address(0));
    CU_ASSERT_EQUAL(touch_on_another_thread(thing), SOLO_EWRONGTHREAD);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    const struct solo_violation *violation = worlds_finding(SOLO001_WRONG_THREAD);
    snprintf(text, sizeof text, "solo_transport_write called on main/1, but it is reactor-only (%s belongs to main)",
             object);
    CU_ASSERT_STRING_EQUAL(violation->text, text);
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_transport_write");
    CU_ASSERT_EQUAL(violation->contract, SOLO_CONTRACT_REACTOR_ONLY);
    CU_ASSERT_STRING_EQUAL(violation->contract_file, "solo/transport.h");
    CU_ASSERT_TRUE(violation->contract_line > 0);
    CU_ASSERT_EQUAL(violation->object_id, thing->object.id);
    CU_ASSERT_STRING_EQUAL(violation->object, object);
    CU_ASSERT_STRING_EQUAL(violation->owner, "main");
    CU_ASSERT_STRING_EQUAL(violation->owner_bound, "solo_reactor_run");
    CU_ASSERT_TRUE(violation->owner_stack.count >= 1);
    CU_ASSERT_STRING_EQUAL(violation->thread, "main/1");
    CU_ASSERT_NOT_EQUAL(violation->thread_number, 0);
    CU_ASSERT_TRUE(violation->stack.count >= 1);
    CU_ASSERT_NOT_EQUAL(violation->stack.frames[0], 0);
    CU_ASSERT_EQUAL(violation->in_set_up, 0);
    CU_ASSERT_EQUAL(violation->count, 1);
    CU_ASSERT_EQUAL(violation->policy, SOLO_POLICY_REFUSE);
    CU_ASSERT_NOT_EQUAL(violation->help[0], '\0');
    CU_ASSERT_TRUE(worlds.sim == NULL || violation->step > 0);
    end(thing);
}

static void test_guard__the_record_names_function_contract_object_owner_and_thread(void)
{
    worlds_run_os(the_record_is_complete);
    worlds_run_sim(the_record_is_complete, 3);
}

static void before_run_it_is_in_set_up(void)
{
    struct thing *thing = make();
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL(touch_on_another_thread(thing), SOLO_EWRONGTHREAD);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    const struct solo_violation *violation = worlds_finding(SOLO001_WRONG_THREAD);
    CU_ASSERT_EQUAL(violation->in_set_up, 1);
    CU_ASSERT_STRING_EQUAL(violation->owner_bound, "first call");
    CU_ASSERT_PTR_NOT_NULL(strstr(violation->text, "belongs to main, in set-up)"));
    end(thing);
}

static void test_guard__before_the_reactor_has_run_a_refusal_is_in_set_up(void)
{
    worlds_run(before_run_it_is_in_set_up);
}

static __attribute__((noinline)) int stop_like_a_reactor(struct thing *thing)
{
    SOLO__REACTOR_ONLY(solo_reactor_stop, &thing->owner, thing);
    return 0;
}

static void stop_it(void *arg)
{
    CU_ASSERT_EQUAL(stop_like_a_reactor(arg), SOLO_EWRONGTHREAD);
}

static void the_help_is_the_contracts(void)
{
    struct thing *thing = make();
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(stop_it, thing, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->help,
                           "call solo_reactor_call_from_thread with a function that calls solo_reactor_stop");
    end(thing);
}

static void test_guard__the_help_is_what_the_header_says_to_call_instead(void)
{
    worlds_run(the_help_is_the_contracts);
}

/* ---- Work: who queued what runs here ---- */

static struct solo__provenance queued;

static void try_as_queued_work(void *arg)
{
    solo__self->work = &queued;
    CU_ASSERT_EQUAL(touch(arg), SOLO_EWRONGTHREAD);
    solo__self->work = NULL;
}

static void the_record_says_who_queued_the_work(void)
{
    struct thing *thing = make();
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(touch(thing), 0);
    solo__provenance_take(&queued, (uint32_t)SOLO__JOB << 24 | 3, __builtin_frame_address(0),
                          __builtin_return_address(0));
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(try_as_queued_work, thing, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    const struct solo_violation *violation = worlds_finding(SOLO001_WRONG_THREAD);
    CU_ASSERT_STRING_EQUAL(violation->job, "job#3");
    CU_ASSERT_STRING_EQUAL(violation->queued_by, "main");
    CU_ASSERT_EQUAL(violation->queued_stack.count, queued.count);
    CU_ASSERT_EQUAL(violation->queued_stack.frames[0], queued.frames[0]);
    end(thing);
}

static void test_guard__the_record_says_who_queued_the_work_that_did_it(void)
{
    worlds_run(the_record_says_who_queued_the_work);
}

/* ---- Counting ---- */

static void touch_three_times(void *arg)
{
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(touch(arg), SOLO_EWRONGTHREAD);
    }
    CU_ASSERT_EQUAL(touch_elsewhere(arg), SOLO_EWRONGTHREAD);
}

static void one_place_is_reported_once(void)
{
    struct thing *thing = make();
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(touch_three_times, thing, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(worlds.found, 2); /* two places */
    worlds_expect(SOLO001_WRONG_THREAD, 4);
    end(thing);
}

static void test_guard__one_place_is_reported_once_and_counted_after_that(void)
{
    worlds_run(one_place_is_reported_once);
}

static unsigned contracts_seen, violations_seen;

static void watch_guard(const struct solo_event *event, void *arg)
{
    (void)arg;
    if (event->kind == SOLO_PROBE_CONTRACT) {
        CU_ASSERT_STRING_EQUAL(solo_contract_at((unsigned)event->value)->function, "solo_transport_write");
        contracts_seen++;
    } else if (event->kind == SOLO_PROBE_VIOLATION) {
        CU_ASSERT_EQUAL(event->value, SOLO001_WRONG_THREAD);
        violations_seen++;
    }
}

static void touch_twice(void *arg)
{
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(touch(arg), SOLO_EWRONGTHREAD);
    }
}

static void every_refusal_is_announced(void)
{
    struct thing *thing = make();
    struct solo_thread *thread = NULL;
    contracts_seen = violations_seen = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(watch_guard, NULL), 0);
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL(contracts_seen, 0); /* a rightful call says nothing */
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(touch_twice, thing, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(contracts_seen, 2);
    CU_ASSERT_EQUAL(violations_seen, 2);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(watch_guard, NULL), 0);
    worlds_expect(SOLO001_WRONG_THREAD, 2);
    end(thing);
}

static void test_guard__every_refusal_is_announced_and_no_rightful_call_is(void)
{
    worlds_run(every_refusal_is_announced);
}

/* ---- Policies ---- */

static void report_lets_the_call_through(void)
{
    struct thing *thing = make();
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL(solo_guard_set_policy(SOLO_POLICY_REPORT), 0);
    CU_ASSERT_EQUAL(touch_on_another_thread(thing), 0);
    CU_ASSERT_EQUAL(thing->touched, 2);
    CU_ASSERT_EQUAL(solo_guard_set_policy(SOLO_POLICY_REFUSE), 0);
    worlds_expect(SOLO001_WRONG_THREAD, 1);
    CU_ASSERT_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->policy, SOLO_POLICY_REPORT);
    end(thing);
}

static void test_guard__policy_report_says_it_and_lets_the_call_through(void)
{
    worlds_run(report_lets_the_call_through);
}

static void test_guard__policy_abort_says_it_and_aborts(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct thing *thing = make();
        (void)touch(thing);
        (void)solo_guard_set_policy(SOLO_POLICY_ABORT);
        (void)touch_on_another_thread(thing);
        _exit(0);
    }
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_guard__an_unknown_policy_is_refused(void)
{
    enum solo_policy before = solo_guard_policy();
    CU_ASSERT_EQUAL(solo_guard_set_policy((enum solo_policy)17), -EINVAL);
    CU_ASSERT_EQUAL(solo_guard_policy(), before);
}

/* ---- Calls that wait for the reactor ---- */

static __attribute__((noinline)) int wait_for_reactor(struct thing *thing)
{
    int refused = solo__guard_not_on_reactor(&thing->owner, SOLO__FN_solo_blocking_call_from_thread, thing,
                                             __builtin_frame_address(0), __builtin_return_address(0));
    return refused;
}

static void wait_elsewhere(void *arg)
{
    CU_ASSERT_EQUAL(wait_for_reactor(arg), 0);
}

static void the_owner_must_not_wait_for_itself(void)
{
    struct thing *thing = make();
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(wait_for_reactor(thing), 0); /* nobody owns it yet */
    CU_ASSERT_EQUAL(touch(thing), 0);
    CU_ASSERT_EQUAL(wait_for_reactor(thing), SOLO_EONREACTOR);
    CU_ASSERT_EQUAL(solo_guard_set_policy(SOLO_POLICY_REPORT), 0);
    CU_ASSERT_EQUAL(wait_for_reactor(thing), SOLO_EONREACTOR); /* it would never return */
    CU_ASSERT_EQUAL(solo_guard_set_policy(SOLO_POLICY_REFUSE), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(wait_elsewhere, thing, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_expect(SOLO003_BLOCKING_CALL_ON_REACTOR, 2);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO003_BLOCKING_CALL_ON_REACTOR)->function,
                           "solo_blocking_call_from_thread");
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO003_BLOCKING_CALL_ON_REACTOR)->owner, "main");
    end(thing);
}

static void test_guard__the_owner_must_not_wait_for_itself_under_any_policy(void)
{
    worlds_run(the_owner_must_not_wait_for_itself);
}

/* ---- After the end ---- */

static void use_after_the_end_is_named(void)
{
    struct thing *thing = make();
    char text[SOLO_VIOLATION_TEXT_MAX], object[32];
    CU_ASSERT_EQUAL(touch(thing), 0);
    solo_object_name(thing->object.id, object, sizeof object);
    end(thing);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(touch(thing), SOLO_ECLOSED);
    }
    snprintf(text, sizeof text, "solo_transport_write used %s after it had ended", object);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO012_TRANSPORT_AFTER_LOST)->text, text);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO012_TRANSPORT_AFTER_LOST)->object, object);
    worlds_expect(SOLO012_TRANSPORT_AFTER_LOST, 2);
}

static void test_guard__use_after_the_end_is_named_once_and_counted(void)
{
    worlds_run(use_after_the_end_is_named);
}

static void test_guard__a_null_or_another_object_is_refused_before_anything_is_said(void)
{
    struct thing *other = solo__object_make(solo_world_os(), SOLO__PORT, sizeof *other, NULL);
    worlds_begin(NULL);
    CU_ASSERT_EQUAL(touch(NULL), -EINVAL);
    CU_ASSERT_EQUAL(touch(other), -EINVAL);
    CU_ASSERT_EQUAL(worlds.found, 0);
    solo__object_end(other);
}

void suite_guard(void)
{
    SOLO_SUITE("guard");
    SOLO_TEST(test_guard__the_first_caller_becomes_the_owner);
    SOLO_TEST(test_guard__another_thread_is_refused_without_effect);
    SOLO_TEST(test_guard__run_binds_anew_and_after_release_the_next_caller_owns);
    SOLO_TEST(test_guard__exactly_one_of_several_first_callers_becomes_the_owner);
    SOLO_TEST(test_guard__a_foreign_thread_can_be_the_first_caller_and_can_be_refused);
    SOLO_TEST(test_guard__a_pool_worker_never_becomes_the_owner_of_its_own_reactor);
    SOLO_TEST(test_guard__the_record_names_function_contract_object_owner_and_thread);
    SOLO_TEST(test_guard__before_the_reactor_has_run_a_refusal_is_in_set_up);
    SOLO_TEST(test_guard__the_help_is_what_the_header_says_to_call_instead);
    SOLO_TEST(test_guard__the_record_says_who_queued_the_work_that_did_it);
    SOLO_TEST(test_guard__one_place_is_reported_once_and_counted_after_that);
    SOLO_TEST(test_guard__every_refusal_is_announced_and_no_rightful_call_is);
    SOLO_TEST(test_guard__policy_report_says_it_and_lets_the_call_through);
    SOLO_TEST(test_guard__policy_abort_says_it_and_aborts);
    SOLO_TEST(test_guard__an_unknown_policy_is_refused);
    SOLO_TEST(test_guard__the_owner_must_not_wait_for_itself_under_any_policy);
    SOLO_TEST(test_guard__use_after_the_end_is_named_once_and_counted);
    SOLO_TEST(test_guard__a_null_or_another_object_is_refused_before_anything_is_said);
}
