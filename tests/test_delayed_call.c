/* test_delayed_call.c - calls at a later time: order, moving, taking back, ids, and very many of them. */
#include "refusing_world.h"
#include "worlds.h"
#include <stdlib.h>

static struct solo_reactor *the_reactor;
static solo_delayed_call_id ids[8];

static solo_delayed_call_id later(uint64_t delay_ns, const char *letter)
{
    solo_delayed_call_id id = 0;
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, delay_ns, note_call, (void *)letter, note_done, &id), 0);
    CU_ASSERT_NOT_EQUAL(id, 0);
    return id;
}

/* Runs until `after_ns` have passed, or a little later. */
static void run_for(uint64_t after_ns)
{
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, after_ns, worlds_stop, the_reactor, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
}

/* ---- Order ---- */

/* All from one reading of the clock. */
static void set_three(void *arg)
{
    (void)arg;
    later(3 * WORLDS_MS, "c");
    later(1 * WORLDS_MS, "a");
    later(2 * WORLDS_MS, "b");
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 4 * WORLDS_MS, worlds_stop, the_reactor, NULL, NULL), 0);
}

static void by_time_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, set_three, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("a=ab=bc=c");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__runs_in_order_of_due_time(void)
{
    worlds_run(by_time_body);
}

static unsigned next_expected;

static void expect_in_order(void *arg)
{
    CU_ASSERT_EQUAL((uintptr_t)arg, next_expected);
    next_expected++;
}

static void equal_body(void)
{
    the_reactor = worlds_reactor();
    next_expected = 0;
    uint64_t now = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &now), 0);
    for (uintptr_t i = 0; i < 100; i++) {
        solo_delayed_call_id id = 0;
        uint64_t due = 0;
        CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, expect_in_order, (void *)i, NULL, &id), 0);
        CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, &due), 0);
        /* In world os the clock goes on between two calls: pull them all to one time. */
        CU_ASSERT_EQUAL(solo_delayed_call_delay(the_reactor, id, (int64_t)(now - due)), 0);
    }
    run_for(0);
    CU_ASSERT_EQUAL(next_expected, 100);
    worlds_destroy(the_reactor);
}

static void test_delayed_call__equal_deadlines_fire_in_creation_order(void)
{
    worlds_run(equal_body);
}

static void set_for_now(void *arg)
{
    note('a');
    later(0, "n");
    (void)arg;
}

static void nested_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, set_for_now, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, "b", NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("ab");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("abn=n");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__set_for_now_by_a_delayed_call_waits_for_the_next_pass(void)
{
    worlds_run(nested_body);
}

static void nested_in_thread_call_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, set_for_now, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("a");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("an=n");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__set_for_now_by_a_thread_call_waits_for_the_next_pass(void)
{
    worlds_run(nested_in_thread_call_body);
}

static void be_slow(void *arg)
{
    note('s');
    solo_sleep(5 * WORLDS_MS);
    (void)arg;
}

static void slow_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, be_slow, NULL, NULL, NULL), 0);
    later(1 * WORLDS_MS, "a");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("s"); /* it became due while the slow one ran, after the time of this pass */
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("sa=a");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__due_is_what_the_time_of_the_pass_says(void)
{
    worlds_run_sim(slow_body, 5);
}

static uint64_t ran_at;

static void remember_now(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &ran_at), 0);
    worlds_stop(the_reactor);
    (void)arg;
}

static void exact_body(void)
{
    the_reactor = worlds_reactor();
    uint64_t start = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &start), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 250 * WORLDS_MS, remember_now, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(ran_at, start + 250 * WORLDS_MS);
    worlds_destroy(the_reactor);
}

static void test_delayed_call__in_world_sim_runs_at_its_very_due_time(void)
{
    worlds_run_sim(exact_body, 5);
}

static void early_body(void)
{
    the_reactor = worlds_reactor();
    uint64_t start = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &start), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 2 * WORLDS_MS, remember_now, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_TRUE(ran_at >= start + 2 * WORLDS_MS);
    worlds_destroy(the_reactor);
}

static void test_delayed_call__never_runs_early(void)
{
    worlds_run(early_body);
}

/* ---- Taking back and moving ---- */

static void cancel_body(void)
{
    the_reactor = worlds_reactor();
    solo_delayed_call_id a = later(0, "a");
    solo_delayed_call_id b = later(0, "b");
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, a), 0);
    noted("Ca"); /* before cancel returned */
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, a), SOLO_EALREADYCANCELLED);
    run_for(0);
    noted("Cab=b");
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, b), SOLO_EALREADYCALLED);
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, a), SOLO_EALREADYCANCELLED);
    worlds_destroy(the_reactor);
    noted("Cab=b");
}

static void test_delayed_call__cancelled_does_not_run_and_a_second_cancel_says_why(void)
{
    worlds_run(cancel_body);
}

static void all_refuse(solo_delayed_call_id id, int error)
{
    uint64_t due = 77;
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, id), error);
    CU_ASSERT_EQUAL(solo_delayed_call_reset(the_reactor, id, 0), error);
    CU_ASSERT_EQUAL(solo_delayed_call_delay(the_reactor, id, 0), error);
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, &due), error);
    CU_ASSERT_EQUAL(due, 77);
}

static void touch_myself(void *arg)
{
    bool active = true;
    note('m');
    CU_ASSERT_EQUAL(solo_delayed_call_active(the_reactor, ids[0], &active), 0);
    CU_ASSERT_FALSE(active);
    all_refuse(ids[0], SOLO_EALREADYCALLED);
    (void)arg;
}

static void within_body(void)
{
    the_reactor = worlds_reactor();
    bool active = false;
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, touch_myself, NULL, NULL, &ids[0]), 0);
    CU_ASSERT_EQUAL(solo_delayed_call_active(the_reactor, ids[0], &active), 0);
    CU_ASSERT_TRUE(active);
    run_for(0);
    noted("m");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__has_been_called_as_soon_as_it_begins(void)
{
    worlds_run(within_body);
}

static void cancel_second(void *arg)
{
    note('1');
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, ids[1]), 0);
    (void)arg;
}

static void batch_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, cancel_second, NULL, NULL, NULL), 0);
    ids[1] = later(0, "b");
    later(0, "c");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("1Cbc=c");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__may_cancel_another_one_that_is_due_in_the_same_pass(void)
{
    worlds_run(batch_body);
}

static void postpone_others(void *arg)
{
    note('1');
    CU_ASSERT_EQUAL(solo_delayed_call_reset(the_reactor, ids[1], 0), 0);
    CU_ASSERT_EQUAL(solo_delayed_call_delay(the_reactor, ids[3], 0), 0);
    (void)arg;
}

static void postpone_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, postpone_others, NULL, NULL, NULL), 0);
    ids[1] = later(0, "b");
    ids[2] = later(0, "c");
    ids[3] = later(0, "d");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("1c=c"); /* what was moved, even to now, waits for the next pass */
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(worlds.noted, strlen("1c=c") + strlen("b=bd=d"));
    worlds_destroy(the_reactor);
}

static void test_delayed_call__of_the_batch_that_is_moved_waits_for_a_later_pass(void)
{
    worlds_run(postpone_body);
}

static void move_body(void)
{
    the_reactor = worlds_reactor();
    uint64_t now = 0, due = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &now), 0);
    solo_delayed_call_id id = later(5 * WORLDS_MS, "a");
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, &due), 0);
    CU_ASSERT_EQUAL(due, now + 5 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_delayed_call_delay(the_reactor, id, 2 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, &due), 0);
    CU_ASSERT_EQUAL(due, now + 7 * WORLDS_MS); /* from the time it was due */
    CU_ASSERT_EQUAL(solo_delayed_call_delay(the_reactor, id, -(int64_t)(3 * WORLDS_MS)), 0);
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, &due), 0);
    CU_ASSERT_EQUAL(due, now + 4 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_delayed_call_reset(the_reactor, id, 1 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, &due), 0);
    CU_ASSERT_EQUAL(due, now + 1 * WORLDS_MS); /* from now */
    worlds_destroy(the_reactor);
    noted("Xa");
}

static void test_delayed_call__reset_counts_from_now_and_delay_from_the_due_time(void)
{
    worlds_run_sim(move_body, 3);
}

static void earlier_body(void)
{
    the_reactor = worlds_reactor();
    later(1 * WORLDS_MS, "b");
    solo_delayed_call_id id = later(60000 * WORLDS_MS, "a");
    CU_ASSERT_EQUAL(solo_delayed_call_delay(the_reactor, id, INT64_MIN), 0); /* before all times is time 0 */
    run_for(1 * WORLDS_MS);
    noted("a=ab=b");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__moved_before_now_runs_in_the_next_pass(void)
{
    worlds_run(earlier_body);
}

static void equal_again_body(void)
{
    the_reactor = worlds_reactor();
    solo_delayed_call_id a = later(0, "a");
    later(0, "b");
    CU_ASSERT_EQUAL(solo_delayed_call_reset(the_reactor, a, 0), 0);
    run_for(0);
    noted("b=ba=a");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__reset_counts_as_created_anew_among_equal_times(void)
{
    worlds_run(equal_again_body);
}

/* ---- Far away ---- */

static void distant_body(void)
{
    the_reactor = worlds_reactor();
    solo_delayed_call_id id = later(UINT64_MAX, "z");
    uint64_t due = 0;
    bool active = false;
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, &due), 0);
    CU_ASSERT_EQUAL(due, SOLO_NEVER);
    CU_ASSERT_EQUAL(solo_delayed_call_delay(the_reactor, id, INT64_MAX), 0);
    run_for(0);
    noted("Xz");
    CU_ASSERT_EQUAL(solo_delayed_call_active(the_reactor, id, &active), 0);
    CU_ASSERT_FALSE(active);
    worlds_destroy(the_reactor);
    noted("Xz");
}

static void test_delayed_call__a_delay_beyond_all_times_is_kept_and_handed_back_at_the_stop(void)
{
    worlds_run(distant_body);
}

static void late_registration(int status, void *arg)
{
    note(status == SOLO_ECLOSING ? 'X' : '?');
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, arg, NULL, NULL), SOLO_ECLOSING);
}

static void closing_body(void)
{
    the_reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 60000 * WORLDS_MS, note_call, "a", late_registration, NULL),
                    0);
    run_for(0);
    noted("X");
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, note_call, "b", note_done, NULL), SOLO_ECLOSING);
    worlds_destroy(the_reactor);
    noted("X");
}

static void test_delayed_call__none_is_taken_once_the_reactor_has_stopped(void)
{
    worlds_run(closing_body);
}

/* ---- Ids ---- */

static void ids_body(void)
{
    the_reactor = worlds_reactor();
    solo_delayed_call_id cancelled = later(0, "a");
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, cancelled), 0);
    solo_delayed_call_id ran = later(0, "b");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    for (unsigned i = 0; i < 200; i++) { /* their slots are used again several times */
        solo_delayed_call_id id = later(0, "c");
        CU_ASSERT_NOT_EQUAL(id, cancelled);
        CU_ASSERT_NOT_EQUAL(id, ran);
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    }
    all_refuse(cancelled, SOLO_EALREADYCANCELLED);
    all_refuse(ran, SOLO_EALREADYCALLED);
    worlds_destroy(the_reactor);
}

static void test_delayed_call__an_id_is_refused_for_what_it_was_long_after_its_slot_is_used_again(void)
{
    worlds_run(ids_body);
}

static void made_up_body(void)
{
    the_reactor = worlds_reactor();
    bool active = true;
    all_refuse(0, -EINVAL);
    all_refuse(UINT64_MAX, -EINVAL);
    all_refuse(UINT64_C(1) << 32, -EINVAL);
    solo_delayed_call_id id = later(0, "a");
    all_refuse(id + 1, -EINVAL);
    CU_ASSERT_EQUAL(solo_delayed_call_active(the_reactor, id + 1, &active), -EINVAL);
    CU_ASSERT_TRUE(active);
    worlds_destroy(the_reactor);
}

static void test_delayed_call__an_id_that_was_never_given_is_refused(void)
{
    worlds_run(made_up_body);
}

static void arguments_body(void)
{
    the_reactor = worlds_reactor();
    solo_delayed_call_id id = later(0, "a");
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, NULL, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_call_later(NULL, 0, note_call, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(NULL, id), -EINVAL);
    CU_ASSERT_EQUAL(solo_delayed_call_reset(NULL, id, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_delayed_call_delay(NULL, id, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, id, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_delayed_call_active(the_reactor, id, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, NULL, 0, NULL), -EINVAL);
    size_t count = 0;
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, NULL, 1, &count), -EINVAL);
    worlds_destroy(the_reactor);
}

static void test_delayed_call__bad_arguments_are_refused(void)
{
    worlds_run(arguments_body);
}

/* ---- The list ---- */

static void list_in_pass(void *arg)
{
    solo_delayed_call_id listed[4] = {0, 0, 0, 0};
    size_t count = 0;
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, listed, 4, &count), 0);
    CU_ASSERT_EQUAL(count, 2); /* neither the one that runs nor a cancelled one */
    CU_ASSERT_EQUAL(listed[0], ids[1]);
    CU_ASSERT_EQUAL(listed[1], ids[2]);
    note('l');
    (void)arg;
}

static void list_body(void)
{
    the_reactor = worlds_reactor();
    size_t count = 7;
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, NULL, 0, &count), 0);
    CU_ASSERT_EQUAL(count, 0);
    ids[2] = later(50000 * WORLDS_MS, "c");
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, list_in_pass, NULL, NULL, &ids[0]), 0);
    ids[1] = later(0, "b");
    ids[3] = later(1 * WORLDS_MS, "d");
    solo_delayed_call_id listed[4] = {0, 0, 0, 0};
    CU_ASSERT_EQUAL(solo_reactor_delayed_calls(the_reactor, listed, 3, &count), 0);
    CU_ASSERT_EQUAL(count, 4);
    CU_ASSERT_EQUAL(listed[0], ids[0]);
    CU_ASSERT_EQUAL(listed[1], ids[1]);
    CU_ASSERT_EQUAL(listed[2], ids[3]);
    CU_ASSERT_EQUAL(listed[3], 0);
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, ids[3]), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("Cdlb=b");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__the_list_is_in_firing_order_without_the_running_one(void)
{
    worlds_run(list_body);
}

/* ---- Who set it ---- */

static SOLO_REACTOR_ONLY void set_from_a_callback(void *arg)
{
    ids[1] = later(2 * WORLDS_MS, "b");
    (void)arg;
}

static void describe_body(void)
{
    struct solo_delayed_call_origin origin;
    uint64_t due = 0;
    char name[64];
    memset(&origin, 0xff, sizeof origin);
    the_reactor = worlds_reactor();
    ids[0] = later(60000 * WORLDS_MS, "a");
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(the_reactor, set_from_a_callback, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_delayed_call_describe(the_reactor, ids[i], &origin), 0);
        CU_ASSERT_EQUAL(solo_delayed_call_time(the_reactor, ids[i], &due), 0);
        CU_ASSERT_EQUAL(origin.due_ns, due);
        CU_ASSERT_PTR_EQUAL(origin.fn, note_call);
        CU_ASSERT_EQUAL(*(const char *)origin.arg, i == 0 ? 'a' : 'b');
        CU_ASSERT_STRING_EQUAL(origin.set_by, "main");
        CU_ASSERT_TRUE(origin.set_at.count >= 1 && (worlds.sim == NULL || origin.set_at.count > 1));
        CU_ASSERT_NOT_EQUAL(origin.set_at.frames[0], 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(solo_object_name(origin.object, name, sizeof name), "delayed-call#"));
    }
    CU_ASSERT_EQUAL(solo_delayed_call_describe(the_reactor, ids[0], NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, ids[0]), 0);
    origin.object = 7;
    CU_ASSERT_EQUAL(solo_delayed_call_describe(the_reactor, ids[0], &origin), SOLO_EALREADYCANCELLED);
    CU_ASSERT_EQUAL(origin.object, 7);
    worlds_destroy(the_reactor);
}

static void test_delayed_call__says_who_set_it_and_where(void)
{
    worlds_run(describe_body);
}

static void set_and_leave(void *arg)
{
    ids[0] = later(60000 * WORLDS_MS, "a");
    CU_ASSERT_EQUAL(solo_reactor_hand_over(the_reactor), 0);
    (void)arg;
}

static void other_thread_body(void)
{
    struct solo_delayed_call_origin origin;
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, &the_reactor), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(set_and_leave, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(solo_delayed_call_describe(the_reactor, ids[0], &origin), 0);
    CU_ASSERT_STRING_EQUAL(origin.set_by, "main/1");
    worlds_destroy(the_reactor);
}

static void test_delayed_call__set_by_an_earlier_owner_says_so(void)
{
    worlds_run(other_thread_body);
}

/* ---- Memory ---- */

enum { RESERVED = 500, MORE = 1500 };
static unsigned served;

static void count_end(int status, void *arg)
{
    served++;
    (void)status;
    (void)arg;
}

static void reserve_body(void)
{
    struct solo_reactor_options options = {.delayed_calls_reserve = RESERVED};
    unsigned accepted = 0, refused = 0;
    served = 0;
    if (solo_reactor_create(&options, &the_reactor) < 0) {
        CU_ASSERT_TRUE(refusing_has_refused());
        return;
    }
    unsigned asked = refusing.asked;
    for (unsigned i = 0; i < MORE; i++) {
        int error = solo_reactor_call_later(the_reactor, i * WORLDS_MS, note_call, "a", count_end, &ids[0]);
        accepted += error == 0;
        refused += error == -ENOMEM;
        if (i == RESERVED - 1 && worlds.sim == NULL) {
            CU_ASSERT_EQUAL(refusing.asked, asked); /* in world sim stacks are kept, which takes memory */
        }
    }
    CU_ASSERT_EQUAL(accepted + refused, MORE);
    for (unsigned i = 0; i < MORE; i++) { /* needs none */
        asked = refusing.asked;
        CU_ASSERT_EQUAL(refused == MORE ? 0 : solo_delayed_call_reset(the_reactor, ids[0], i * 1000 * WORLDS_MS), 0);
        CU_ASSERT_EQUAL(refusing.asked, asked);
    }
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(served, accepted);
}

static void reserve_in_os(void)
{
    refusing_body();
}

static void test_delayed_call__whichever_allocation_is_refused_what_was_accepted_is_done_once(void)
{
    refusing.body = reserve_body;
    refusing.with_network = false;
    for (int for_good = 0; for_good < 2; for_good++) {
        refusing.for_good = for_good;
        for (refusing.first = 1; refusing.first < 60; refusing.first++) {
            worlds_run_os(reserve_in_os);
        }
    }
    refusing.first = 0;
}

static void test_delayed_call__reserved_ones_need_no_memory(void)
{
    refusing.body = reserve_body;
    refusing.first = 0;
    worlds_run_os(reserve_in_os);
    worlds_simulate(reserve_body, SOLO_CARRIER_FIBER, false, 1);
}

/* ---- Against a model ---- */

enum { MODEL_CALLS = 400, MODEL_ROUNDS = 4000 };

static struct modelled {
    solo_delayed_call_id id;
    uint64_t due, created;
    bool active;
} model[MODEL_CALLS];
static uint64_t model_last_due, model_last_created;

static void run_modelled(void *arg)
{
    struct modelled *call = arg;
    CU_ASSERT_TRUE(call->active);
    CU_ASSERT_TRUE(call->due > model_last_due || (call->due == model_last_due && call->created > model_last_created));
    model_last_due = call->due;
    model_last_created = call->created;
    call->active = false;
}

static uint32_t draw(uint64_t *dice, uint32_t below)
{
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*dice >> 33) % below;
}

static void model_change(uint64_t *dice, uint64_t now, uint64_t *created)
{
    struct modelled *call = &model[draw(dice, MODEL_CALLS)];
    uint64_t delay = draw(dice, 50) * WORLDS_MS;
    if (!call->active) {
        CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, delay, run_modelled, call, NULL, &call->id), 0);
    } else if (draw(dice, 3) == 0) {
        CU_ASSERT_EQUAL(solo_delayed_call_cancel(the_reactor, call->id), 0);
        call->active = false;
        return;
    } else {
        CU_ASSERT_EQUAL(solo_delayed_call_reset(the_reactor, call->id, delay), 0);
    }
    call->active = true;
    call->due = now + delay;
    call->created = ++*created;
}

static void model_body(void)
{
    uint64_t dice = runner_seed(), created = 0, now = 0;
    memset(model, 0, sizeof model);
    the_reactor = worlds_reactor();
    for (unsigned round = 0; round < MODEL_ROUNDS; round++) {
        CU_ASSERT_EQUAL(solo_reactor_now(the_reactor, &now), 0);
        for (unsigned i = 0; i < 8; i++) {
            model_change(&dice, now, &created);
        }
        solo_sleep(draw(&dice, 5) * WORLDS_MS);
        model_last_due = model_last_created = 0;
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
        for (unsigned i = 0; i < MODEL_CALLS; i++) {
            CU_ASSERT_TRUE(!model[i].active || model[i].due > solo_now());
        }
    }
    worlds_destroy(the_reactor);
}

static void test_delayed_call__agrees_with_a_simple_model_under_random_changes(void)
{
    worlds_simulate(model_body, SOLO_CARRIER_FIBER, false, 1);
}

#if defined(SOLO_TSAN) || defined(SOLO_ASAN) || defined(SOLO_VALGRIND)
enum { VERY_MANY = 100000 }; /* detectors are slow */
#else
enum { VERY_MANY = 1000000 };
#endif

static unsigned fired;
static uint64_t last_due;

static void fire_one(void *arg)
{
    uint64_t due = (uintptr_t)arg;
    if (due < last_due) {
        CU_FAIL("out of order");
    }
    last_due = due;
    fired++;
}

static void very_many_body(void)
{
    solo_delayed_call_id *all = malloc(VERY_MANY * sizeof *all);
    uint64_t dice = runner_seed();
    the_reactor = worlds_reactor();
    fired = 0;
    last_due = 0;
    for (unsigned i = 0; i < VERY_MANY; i++) {
        uint64_t due = draw(&dice, 1000000);
        (void)solo_reactor_call_later(the_reactor, 0, fire_one, (void *)(uintptr_t)due, NULL, &all[i]);
        (void)solo_delayed_call_delay(the_reactor, all[i], INT64_MIN);
        (void)solo_delayed_call_delay(the_reactor, all[i], (int64_t)due); /* long past, and in another order than set */
    }
    for (unsigned i = 0; i < VERY_MANY; i += 2) {
        (void)solo_delayed_call_cancel(the_reactor, all[i]);
    }
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(fired, VERY_MANY / 2);
    worlds_destroy(the_reactor);
    free(all);
}

static void test_delayed_call__very_many_are_set_moved_cancelled_and_run_in_order(void)
{
    worlds_run_os(very_many_body);
}

void suite_delayed_call(void);
void suite_delayed_call(void)
{
    SOLO_SUITE("delayed_call");
    SOLO_TEST(test_delayed_call__runs_in_order_of_due_time);
    SOLO_TEST(test_delayed_call__equal_deadlines_fire_in_creation_order);
    SOLO_TEST(test_delayed_call__set_for_now_by_a_delayed_call_waits_for_the_next_pass);
    SOLO_TEST(test_delayed_call__set_for_now_by_a_thread_call_waits_for_the_next_pass);
    SOLO_TEST(test_delayed_call__due_is_what_the_time_of_the_pass_says);
    SOLO_TEST(test_delayed_call__in_world_sim_runs_at_its_very_due_time);
    SOLO_TEST(test_delayed_call__never_runs_early);
    SOLO_TEST(test_delayed_call__cancelled_does_not_run_and_a_second_cancel_says_why);
    SOLO_TEST(test_delayed_call__has_been_called_as_soon_as_it_begins);
    SOLO_TEST(test_delayed_call__may_cancel_another_one_that_is_due_in_the_same_pass);
    SOLO_TEST(test_delayed_call__of_the_batch_that_is_moved_waits_for_a_later_pass);
    SOLO_TEST(test_delayed_call__reset_counts_from_now_and_delay_from_the_due_time);
    SOLO_TEST(test_delayed_call__moved_before_now_runs_in_the_next_pass);
    SOLO_TEST(test_delayed_call__reset_counts_as_created_anew_among_equal_times);
    SOLO_TEST(test_delayed_call__a_delay_beyond_all_times_is_kept_and_handed_back_at_the_stop);
    SOLO_TEST(test_delayed_call__none_is_taken_once_the_reactor_has_stopped);
    SOLO_TEST(test_delayed_call__an_id_is_refused_for_what_it_was_long_after_its_slot_is_used_again);
    SOLO_TEST(test_delayed_call__an_id_that_was_never_given_is_refused);
    SOLO_TEST(test_delayed_call__bad_arguments_are_refused);
    SOLO_TEST(test_delayed_call__the_list_is_in_firing_order_without_the_running_one);
    SOLO_TEST(test_delayed_call__says_who_set_it_and_where);
    SOLO_TEST(test_delayed_call__set_by_an_earlier_owner_says_so);
    SOLO_TEST(test_delayed_call__whichever_allocation_is_refused_what_was_accepted_is_done_once);
    SOLO_TEST(test_delayed_call__reserved_ones_need_no_memory);
    SOLO_TEST(test_delayed_call__agrees_with_a_simple_model_under_random_changes);
    SOLO_TEST(test_delayed_call__very_many_are_set_moved_cancelled_and_run_in_order);
}
