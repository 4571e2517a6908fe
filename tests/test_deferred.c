/* test_deferred.c - chains of callbacks and errbacks, waiting for an inner Deferred, cancel, and what SOLO008 finds. */
#include "refusing_world.h"

static struct solo_reactor *reactor;

static struct solo_deferred *make_with(solo_canceller_fn canceller, void *arg)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, canceller, arg, &deferred), 0);
    return deferred;
}

static struct solo_deferred *make(void)
{
    return make_with(NULL, NULL);
}

static void release(struct solo_deferred *deferred)
{
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

/* Notes the argument's first character and gives the argument as the next value. */
static struct solo_result note_value(struct solo_result previous, void *arg)
{
    (void)previous;
    note(*(const char *)arg);
    return solo_value(arg);
}

/* Notes the first character of what the one before returned, and passes it on. */
static struct solo_result note_previous(struct solo_result previous, void *arg)
{
    (void)arg;
    note(previous.value != NULL ? *(const char *)previous.value : '-');
    return previous;
}

/* Notes '!' for a failure and passes it on. */
static struct solo_result note_failure(struct solo_result previous, void *arg)
{
    (void)arg;
    note('!');
    CU_ASSERT_TRUE(previous.status < 0);
    return previous;
}

static struct solo_result fail_with_eio(struct solo_result previous, void *arg)
{
    (void)previous;
    (void)arg;
    note('x');
    return solo_failure(-EIO);
}

/* An errback that handles the failure. */
static struct solo_result handle(struct solo_result previous, void *arg)
{
    (void)previous;
    note('h');
    return solo_value(arg);
}

static void add(struct solo_deferred *deferred, solo_callback_fn callback, solo_callback_fn errback, const char *arg)
{
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, callback, errback, (void *)(uintptr_t)arg), 0);
}

static void fire(struct solo_deferred *deferred, struct solo_result result)
{
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, result), 0);
}

/* Every body begins and ends so. */
static void begin(void)
{
    reactor = worlds_reactor();
}

static void end(void)
{
    worlds_destroy(reactor);
}

/* ---- Callbacks ---- */

static void in_order_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, note_value, NULL, "a");
    add(deferred, note_value, NULL, "b");
    noted("");
    fire(deferred, solo_value("v"));
    noted("ab");
    release(deferred);
    end();
}

static void test_deferred__callbacks_run_in_order_of_addition(void)
{
    worlds_run(in_order_body);
}

static void previous_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    struct solo_result result;
    bool has = true;
    add(deferred, note_previous, NULL, NULL);
    add(deferred, note_value, NULL, "b");
    add(deferred, note_previous, NULL, NULL);
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_FALSE(has);
    fire(deferred, solo_value("v"));
    noted("vbb");
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_TRUE(has);
    CU_ASSERT_STRING_EQUAL(result.value, "b");
    release(deferred);
    end();
}

static void test_deferred__each_callback_gets_what_the_one_before_returned(void)
{
    worlds_run(previous_body);
}

static void late_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    fire(deferred, solo_value("v"));
    add(deferred, note_previous, NULL, NULL);
    noted("v");
    release(deferred);
    end();
}

static void test_deferred__added_after_firing_a_callback_runs_inside_the_add(void)
{
    worlds_run(late_body);
}

static struct solo_result add_more(struct solo_result previous, void *arg)
{
    note('[');
    add(arg, note_value, NULL, "c");
    note(']');
    return previous;
}

static void reentrant_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, add_more, NULL, deferred), 0);
    add(deferred, note_value, NULL, "b");
    fire(deferred, solo_value("v"));
    noted("[]bc");
    release(deferred);
    end();
}

static void test_deferred__added_by_a_running_callback_it_runs_after_the_present_ones_and_never_nested(void)
{
    worlds_run(reentrant_body);
}

static struct solo_result release_it(struct solo_result previous, void *arg)
{
    release(arg);
    return previous;
}

static void release_inside_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, release_it, NULL, deferred), 0);
    add(deferred, note_value, NULL, "b");
    fire(deferred, solo_value("v"));
    noted("b");
    end();
}

static void test_deferred__released_by_its_own_callback_it_still_runs_the_others(void)
{
    worlds_run(release_inside_body);
}

static void pass_on_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, NULL, handle, NULL);
    add(deferred, NULL, NULL, NULL);
    add(deferred, note_previous, NULL, NULL);
    fire(deferred, solo_value("v"));
    noted("v");
    release(deferred);
    end();
}

static void test_deferred__a_missing_callback_passes_the_value_on(void)
{
    worlds_run(pass_on_body);
}

/* ---- Errbacks ---- */

static void errback_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, fail_with_eio, NULL, NULL);
    add(deferred, note_value, note_failure, "n");
    add(deferred, note_value, handle, "r");
    add(deferred, note_value, note_failure, "y");
    fire(deferred, solo_value(NULL));
    noted("x!hy");
    release(deferred);
    end();
}

static void test_deferred__a_failure_goes_to_errbacks_until_one_returns_a_value(void)
{
    worlds_run(errback_body);
}

static void fire_failure_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, note_value, NULL, "n");
    add(deferred, note_value, handle, "n");
    fire(deferred, solo_failure(-EIO));
    noted("h");
    release(deferred);
    end();
}

static void test_deferred__fired_with_a_failure_it_begins_on_the_errback_side(void)
{
    worlds_run(fire_failure_body);
}

static void no_positive_status_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, (struct solo_result){5, NULL, NULL}), -EINVAL);
    fire(deferred, solo_value(NULL));
    release(deferred);
    end();
}

static void test_deferred__a_status_that_is_no_code_is_refused(void)
{
    worlds_run(no_positive_status_body);
}

/* ---- Firing twice ---- */

static void fire_twice_body(void)
{
    begin();
    for (int first = 0; first < 2; first++) {
        for (int second = 0; second < 2; second++) {
            struct solo_deferred *deferred = make();
            add(deferred, NULL, handle, NULL);
            fire(deferred, first == 0 ? solo_value(NULL) : solo_failure(-EIO));
            CU_ASSERT_EQUAL(solo_deferred_fire(deferred, second == 0 ? solo_value(NULL) : solo_failure(-EIO)),
                            SOLO_EALREADYCALLED);
            release(deferred);
        }
    }
    CU_ASSERT_TRUE(worlds.found >= 1); /* one call site: said once, counted after that */
    CU_ASSERT_EQUAL(worlds.findings[0].id, SOLO008_DEFERRED);
    CU_ASSERT_STRING_EQUAL(worlds.findings[0].function, "solo_deferred_fire");
    CU_ASSERT_STRING_EQUAL(worlds.findings[0].owner_bound, "first fired");
    CU_ASSERT_TRUE(worlds.findings[0].owner_stack.count > 0);
    CU_ASSERT_TRUE(worlds.findings[0].queued_stack.count > 0);
    CU_ASSERT_STRING_EQUAL(worlds.findings[0].queued_by, "main");
    worlds.expected = worlds.found;
    end();
}

static void test_deferred__a_second_firing_is_refused_and_found(void)
{
    worlds_run(fire_twice_body);
}

/* ---- The end of a Deferred ---- */

static void unhandled_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    fire(deferred, solo_failure(-EIO));
    worlds_expect(SOLO008_DEFERRED, 0);
    release(deferred);
    worlds_expect(SOLO008_DEFERRED, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO008_DEFERRED)->text, "no errback"));
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO008_DEFERRED)->object, "deferred#1");
    end();
}

static void test_deferred__a_failure_that_nobody_handled_is_found_when_it_is_released(void)
{
    worlds_run(unhandled_body);
}

static void handled_late_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    fire(deferred, solo_failure(-EIO));
    add(deferred, NULL, handle, NULL);
    release(deferred);
    noted("h");
    end();
}

static void test_deferred__a_failure_handled_before_release_is_no_finding(void)
{
    worlds_run(handled_late_body);
}

static void failing_errback_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, NULL, fail_with_eio, NULL);
    fire(deferred, solo_failure(-EPIPE));
    release(deferred);
    worlds_expect(SOLO008_DEFERRED, 1);
    CU_ASSERT_EQUAL(worlds_finding(SOLO008_DEFERRED)->amount, EIO);
    end();
}

static void test_deferred__a_failing_errback_leaves_its_own_failure(void)
{
    worlds_run(failing_errback_body);
}

static void never_fired_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, note_value, NULL, "n");
    release(deferred);
    worlds_expect(SOLO008_DEFERRED, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO008_DEFERRED)->text, "without ever being fired"));
    noted("");
    end();
}

static void test_deferred__released_without_being_fired_it_is_found(void)
{
    worlds_run(never_fired_body);
}

static void use_after_release_body(void)
{
    bool has;
    begin();
    struct solo_deferred *deferred = make();
    fire(deferred, solo_value(NULL));
    release(deferred);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_value, NULL, NULL), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(NULL)), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, NULL), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 5);
    end();
}

static void test_deferred__use_after_release_is_named(void)
{
    worlds_run(use_after_release_body);
}

static void bad_arguments_body(void)
{
    struct solo_deferred *deferred = NULL;
    bool has;
    begin();
    CU_ASSERT_EQUAL(solo_deferred_create(NULL, NULL, NULL, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_add(NULL, note_value, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_fire(NULL, solo_value(NULL)), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_cancel(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_has_result(NULL, &has, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_release(NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_cancel((struct solo_deferred *)reactor), -EINVAL);
    CU_ASSERT_PTR_NULL(deferred);
    end();
}

static void test_deferred__null_and_other_objects_are_refused(void)
{
    worlds_run(bad_arguments_body);
}

static void outlives_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    fire(deferred, solo_value(NULL));
    end();
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_value, NULL, NULL), SOLO_ECLOSED);
    release(deferred);
}

static void test_deferred__outliving_its_reactor_it_can_only_be_released(void)
{
    worlds_run(outlives_body);
}

/* ---- Waiting for an inner Deferred ---- */

static struct solo_result wait_for_it(struct solo_result previous, void *arg)
{
    (void)previous;
    note('w');
    return solo_wait_for(arg);
}

static void chain_body(void)
{
    bool has = true;
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    add(outer, note_previous, NULL, NULL);
    fire(outer, solo_value("o"));
    noted("w");
    CU_ASSERT_EQUAL(solo_deferred_has_result(outer, &has, NULL), 0);
    CU_ASSERT_FALSE(has);
    add(outer, note_value, NULL, "z"); /* waits too */
    fire(inner, solo_value("i"));
    noted("wiz");
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, solo_value(NULL)), SOLO_ECLOSED); /* the chain has used it up */
    worlds_expect(SOLO006_USE_AFTER_END, 1);
    release(outer);
    end();
}

static void test_deferred__a_chain_waits_for_the_inner_one(void)
{
    worlds_run(chain_body);
}

static void chain_fired_body(void)
{
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    fire(inner, solo_value("i"));
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    add(outer, note_previous, NULL, NULL);
    fire(outer, solo_value("o"));
    noted("wi");
    release(outer);
    end();
}

static void test_deferred__an_inner_one_that_has_fired_is_taken_over_at_once(void)
{
    worlds_run(chain_fired_body);
}

static void chain_failure_body(void)
{
    begin();
    for (int fired_before = 0; fired_before < 2; fired_before++) {
        struct solo_deferred *outer = make();
        struct solo_deferred *inner = make();
        if (fired_before) {
            fire(inner, solo_failure(-EIO));
        }
        CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
        add(outer, note_value, handle, "n");
        fire(outer, solo_value("o"));
        if (!fired_before) {
            fire(inner, solo_failure(-EIO));
        }
        release(outer);
    }
    noted("whwh");
    end(); /* and no finding: the inner one's failure was handled by the outer chain */
}

static void test_deferred__the_inner_ones_failure_counts_as_handled(void)
{
    worlds_run(chain_failure_body);
}

static void chain_unhandled_body(void)
{
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    fire(outer, solo_value(NULL));
    release(outer); /* the chain goes on without its user */
    worlds_expect(SOLO008_DEFERRED, 0);
    fire(inner, solo_failure(-EIO));
    worlds_expect(SOLO008_DEFERRED, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO008_DEFERRED)->object, "deferred#1");
    end();
}

static void test_deferred__a_chain_released_while_it_waits_ends_with_the_inner_result(void)
{
    worlds_run(chain_unhandled_body);
}

static void inner_callbacks_body(void)
{
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    add(inner, note_value, NULL, "1");
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    add(outer, note_previous, NULL, NULL);
    fire(outer, solo_value("o"));
    add(inner, note_previous, NULL, NULL); /* after the chaining: finds nothing left */
    fire(inner, solo_value("i"));
    noted("w1-1");
    release(outer);
    end();
}

static void test_deferred__callbacks_added_to_the_inner_one_later_find_no_value(void)
{
    worlds_run(inner_callbacks_body);
}

static void fire_with_wait_body(void)
{
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    add(outer, note_previous, NULL, NULL);
    fire(outer, solo_wait_for(inner));
    noted("");
    fire(inner, solo_value("i"));
    noted("i");
    release(outer);
    end();
}

static void test_deferred__it_can_be_fired_with_another_ones_result(void)
{
    worlds_run(fire_with_wait_body);
}

static void self_wait_body(void)
{
    struct solo_result result;
    bool has = false;
    begin();
    struct solo_deferred *deferred = make();
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, wait_for_it, NULL, deferred), 0);
    fire(deferred, solo_value(NULL));
    worlds_expect(SOLO008_DEFERRED, 1);
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_TRUE(has);
    CU_ASSERT_EQUAL(result.status, -EDEADLK);
    add(deferred, NULL, handle, NULL);
    release(deferred);
    end();
}

static void test_deferred__waiting_for_itself_is_refused(void)
{
    worlds_run(self_wait_body);
}

static void circle_body(void)
{
    begin();
    struct solo_deferred *a = make();
    struct solo_deferred *b = make();
    CU_ASSERT_EQUAL(solo_deferred_add(a, wait_for_it, NULL, b), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(b, wait_for_it, NULL, a), 0);
    add(a, NULL, handle, NULL);
    fire(a, solo_value(NULL)); /* a waits for b */
    fire(b, solo_value(NULL)); /* b would wait for a */
    worlds_expect(SOLO008_DEFERRED, 1);
    noted("wwh");
    release(a);
    end();
}

static void test_deferred__waiting_in_a_circle_is_refused(void)
{
    worlds_run(circle_body);
}

static void given_twice_body(void)
{
    begin();
    struct solo_deferred *inner = make();
    struct solo_deferred *outers[2];
    for (int i = 0; i < 2; i++) {
        outers[i] = make();
        CU_ASSERT_EQUAL(solo_deferred_add(outers[i], wait_for_it, NULL, inner), 0);
        add(outers[i], NULL, handle, NULL);
        fire(outers[i], solo_value(NULL));
    }
    worlds_expect(SOLO008_DEFERRED, 1); /* the first one has it, the second one fails */
    noted("wwh");
    fire(inner, solo_value(NULL));
    for (int i = 0; i < 2; i++) {
        release(outers[i]);
    }
    end();
}

static void test_deferred__a_reference_can_be_given_away_once(void)
{
    worlds_run(given_twice_body);
}

enum { DEPTH = 100000 };

static void deep_body(void)
{
    begin();
    struct solo_deferred *innermost = make();
    struct solo_deferred *outer = innermost;
    for (int i = 0; i < DEPTH; i++) {
        struct solo_deferred *next = make();
        fire(next, solo_wait_for(outer));
        outer = next;
    }
    add(outer, note_previous, NULL, NULL);
    fire(innermost, solo_value("d"));
    noted("d");
    release(outer);
    end();
}

static void test_deferred__a_chain_of_any_depth_needs_no_stack(void)
{
    worlds_run_os(deep_body);
}

/* ---- Cancelling ---- */

static void cancel_plain_body(void)
{
    struct solo_result result;
    bool has;
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, note_value, note_failure, "n");
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    noted("!");
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_EQUAL(result.status, SOLO_ECANCELLED);
    fire(deferred, solo_value("late")); /* the one firing that nobody could stop is swallowed */
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_EQUAL(result.status, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value("later")), SOLO_EALREADYCALLED);
    worlds_expect(SOLO008_DEFERRED, 1);
    release(deferred); /* what was cancelled by its user is no dropped failure */
    end();
}

static void test_deferred__cancelled_it_fails_and_swallows_one_late_firing(void)
{
    worlds_run(cancel_plain_body);
}

static void note_cancel(struct solo_deferred *deferred, void *arg)
{
    (void)deferred;
    note(*(const char *)arg);
}

static void canceller_body(void)
{
    begin();
    struct solo_deferred *deferred = make_with(note_cancel, "c");
    add(deferred, note_value, note_failure, "n");
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    noted("c!");
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value("late")),
                    SOLO_EALREADYCALLED); /* it could have been stopped */
    worlds_expect(SOLO008_DEFERRED, 1);
    release(deferred);
    end();
}

static void test_deferred__with_a_canceller_no_firing_is_swallowed(void)
{
    worlds_run(canceller_body);
}

static void cancel_with_value(struct solo_deferred *deferred, void *arg)
{
    note('c');
    fire(deferred, solo_value(arg));
}

static void canceller_fires_body(void)
{
    begin();
    struct solo_deferred *deferred = make_with(cancel_with_value, "v");
    add(deferred, note_previous, note_failure, NULL);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    noted("cv");
    release(deferred);
    end();
}

static void test_deferred__a_canceller_may_fire_it_with_a_value(void)
{
    worlds_run(canceller_fires_body);
}

static void cancel_again(struct solo_deferred *deferred, void *arg)
{
    (void)arg;
    note('c');
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
}

static void cancel_again_body(void)
{
    begin();
    struct solo_deferred *deferred = make_with(cancel_again, NULL);
    add(deferred, note_value, note_failure, "n");
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0); /* fired: nothing */
    noted("c!");
    release(deferred);
    end();
}

static void test_deferred__cancelling_again_does_nothing(void)
{
    worlds_run(cancel_again_body);
}

static void cancel_fired_body(void)
{
    begin();
    struct solo_deferred *deferred = make_with(note_cancel, "c");
    fire(deferred, solo_value(NULL));
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    noted("");
    release(deferred);
    end();
}

static void test_deferred__cancelling_a_fired_one_does_nothing(void)
{
    worlds_run(cancel_fired_body);
}

static void cancel_inner_body(void)
{
    begin();
    struct solo_deferred *outer = make_with(note_cancel, "o");
    struct solo_deferred *inner = make_with(note_cancel, "i");
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    add(outer, note_value, note_failure, "n");
    fire(outer, solo_value(NULL));
    CU_ASSERT_EQUAL(solo_deferred_cancel(outer), 0);
    noted("wi!");
    release(outer);
    end();
}

static void test_deferred__cancelling_one_that_waits_cancels_the_inner_one(void)
{
    worlds_run(cancel_inner_body);
}

static void release_in_canceller(struct solo_deferred *deferred, void *arg)
{
    (void)arg;
    release(deferred);
}

static void release_in_canceller_body(void)
{
    begin();
    struct solo_deferred *deferred = make_with(release_in_canceller, NULL);
    add(deferred, note_value, note_failure, "n");
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    noted("!");
    end();
}

static void test_deferred__a_canceller_may_release_it(void)
{
    worlds_run(release_in_canceller_body);
}

/* ---- Pausing ---- */

static void pause_body(void)
{
    bool has = true;
    begin();
    struct solo_deferred *deferred = make();
    add(deferred, note_value, NULL, "a");
    CU_ASSERT_EQUAL(solo_deferred_pause(deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_pause(deferred), 0);
    fire(deferred, solo_value(NULL));
    add(deferred, note_value, NULL, "b");
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, NULL), 0);
    CU_ASSERT_FALSE(has);
    CU_ASSERT_EQUAL(solo_deferred_unpause(deferred), 0);
    noted("");
    CU_ASSERT_EQUAL(solo_deferred_unpause(deferred), 0);
    noted("ab");
    CU_ASSERT_EQUAL(solo_deferred_unpause(deferred), -EINVAL);
    release(deferred);
    end();
}

static void test_deferred__pauses_nest_and_the_last_unpause_runs_the_chain(void)
{
    worlds_run(pause_body);
}

static struct solo_result pause_it(struct solo_result previous, void *arg)
{
    note('p');
    CU_ASSERT_EQUAL(solo_deferred_pause(arg), 0);
    return previous;
}

static void pause_inside_body(void)
{
    begin();
    struct solo_deferred *deferred = make();
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, pause_it, NULL, deferred), 0);
    add(deferred, note_value, NULL, "b");
    fire(deferred, solo_value(NULL));
    noted("p");
    CU_ASSERT_EQUAL(solo_deferred_unpause(deferred), 0);
    noted("pb");
    release(deferred);
    end();
}

static void test_deferred__a_callback_may_pause_its_own_chain(void)
{
    worlds_run(pause_inside_body);
}

static void pause_inner_body(void)
{
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    add(outer, note_previous, NULL, NULL);
    add(inner, note_value, NULL, "i");
    CU_ASSERT_EQUAL(solo_deferred_pause(inner), 0);
    fire(inner, solo_value(NULL));
    fire(outer, solo_value(NULL)); /* the inner one has fired, and yet there is nothing to take over */
    noted("w");
    CU_ASSERT_EQUAL(solo_deferred_unpause(inner), 0);
    noted("wii");
    release(outer);
    end();
}

static void test_deferred__a_chain_waits_for_a_paused_inner_one(void)
{
    worlds_run(pause_inner_body);
}

static void pause_outer_body(void)
{
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    add(outer, note_previous, NULL, NULL);
    fire(outer, solo_value(NULL));
    CU_ASSERT_EQUAL(solo_deferred_pause(outer), 0);
    fire(inner, solo_value("i"));
    noted("w");
    CU_ASSERT_EQUAL(solo_deferred_unpause(outer), 0);
    noted("wi");
    release(outer);
    end();
}

static void test_deferred__a_paused_chain_keeps_the_inner_result_until_it_goes_on(void)
{
    worlds_run(pause_outer_body);
}

static void pause_lost_body(void)
{
    begin();
    struct solo_deferred *lost = make();
    add(lost, note_value, NULL, "n");
    CU_ASSERT_EQUAL(solo_deferred_pause(lost), 0);
    fire(lost, solo_value(NULL));
    release(lost);
    worlds_expect(SOLO008_DEFERRED, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO008_DEFERRED)->text, "paused"));
    struct solo_deferred *idle = make(); /* paused as well, and nothing is lost by it */
    CU_ASSERT_EQUAL(solo_deferred_pause(idle), 0);
    fire(idle, solo_value(NULL));
    release(idle);
    noted("");
    end();
}

static void test_deferred__released_while_paused_with_callbacks_left_it_is_found(void)
{
    worlds_run(pause_lost_body);
}

/* ---- Many callbacks ---- */

static struct solo_result count_in_order(struct solo_result previous, void *arg)
{
    CU_ASSERT_PTR_EQUAL(previous.value, arg);
    return solo_value((char *)arg + 1);
}

static void many_body(void)
{
    enum { MANY = 64 };
    static char numbers[MANY];
    begin();
    struct solo_deferred *deferred = make();
    for (int i = 0; i < MANY / 2; i++) {
        CU_ASSERT_EQUAL(solo_deferred_add(deferred, count_in_order, NULL, &numbers[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_deferred_pause(deferred), 0);
    fire(deferred, solo_value(numbers));
    for (int i = MANY / 2; i < MANY; i++) {
        CU_ASSERT_EQUAL(solo_deferred_add(deferred, count_in_order, NULL, &numbers[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_deferred_unpause(deferred), 0);
    struct solo_result result = solo_value(NULL);
    bool has;
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_PTR_EQUAL(result.value, numbers + MANY);
    release(deferred);
    end();
}

static void test_deferred__more_callbacks_than_it_has_room_for_keep_their_order(void)
{
    worlds_run(many_body);
}

enum { REFILLS = 100 };

struct refill {
    struct solo_deferred *deferred;
    int left;
};

/* Adds two, so that the room is used again and again while the chain runs. */
static struct solo_result refill(struct solo_result previous, void *arg)
{
    struct refill *more = arg;
    for (int i = 0; i < 2 && more->left > 0; i++, more->left--) {
        CU_ASSERT_EQUAL(solo_deferred_add(more->deferred, refill, NULL, more), 0);
    }
    return solo_value((char *)previous.value + 1);
}

static void refill_body(void)
{
    begin();
    static char counted[REFILLS + 1];
    struct refill more = {make(), REFILLS};
    struct solo_result result;
    bool has;
    CU_ASSERT_EQUAL(solo_deferred_add(more.deferred, refill, NULL, &more), 0);
    fire(more.deferred, solo_value(counted));
    CU_ASSERT_EQUAL(solo_deferred_has_result(more.deferred, &has, &result), 0);
    CU_ASSERT_PTR_EQUAL(result.value, counted + REFILLS + 1);
    release(more.deferred);
    end();
}

static void test_deferred__callbacks_that_add_callbacks_are_each_run_once(void)
{
    worlds_run(refill_body);
}

static void reuse_body(void)
{
    enum { MANY = 3000 };
    begin();
    struct solo_deferred *first = make();
    fire(first, solo_value(NULL));
    release(first);
    CU_ASSERT_EQUAL(solo_deferred_release(first), SOLO_ECLOSED); /* still named, not somebody else's */
    for (int i = 0; i < MANY; i++) {
        struct solo_deferred *deferred = make();
        add(deferred, NULL, NULL, NULL);
        fire(deferred, solo_value(NULL));
        release(deferred);
        CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(NULL)), SOLO_ECLOSED);
    }
    worlds_expect(SOLO006_USE_AFTER_END, MANY + 1);
    end();
}

static void test_deferred__its_memory_is_used_again_only_after_others_have_ended(void)
{
    worlds_run_os(reuse_body);
}

/* ---- Threads and events ---- */

static void fire_elsewhere(void *arg)
{
    struct solo_deferred *deferred = arg;
    bool has;
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(NULL)), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_value, NULL, "n"), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, NULL), SOLO_EWRONGTHREAD);
}

static void wrong_thread_body(void)
{
    struct solo_thread *thread = NULL;
    bool has = true;
    begin();
    struct solo_deferred *deferred = make();
    CU_ASSERT_EQUAL(solo_thread_create(fire_elsewhere, deferred, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_expect(SOLO001_WRONG_THREAD, 5);
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, NULL), 0);
    CU_ASSERT_FALSE(has); /* refused calls had no effect */
    fire(deferred, solo_value(NULL));
    noted("");
    release(deferred);
    end();
}

static void test_deferred__a_foreign_thread_is_refused(void)
{
    worlds_run(wrong_thread_body);
}

static unsigned made, fired, ended[3];

static void count_events(const struct solo_event *event, void *arg)
{
    (void)arg;
    made += event->kind == SOLO_PROBE_DEFERRED_MADE;
    fired += event->kind == SOLO_PROBE_DEFERRED_FIRED;
    if (event->kind == SOLO_PROBE_DEFERRED_ENDED && event->value < 3) {
        ended[event->value]++;
    }
}

static void events_body(void)
{
    begin();
    made = fired = ended[0] = ended[1] = ended[2] = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(count_events, NULL), 0);
    struct solo_deferred *clean = make();
    fire(clean, solo_value(NULL));
    release(clean);
    struct solo_deferred *failed = make();
    fire(failed, solo_failure(-EIO));
    release(failed);
    release(make());
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(count_events, NULL), 0);
    CU_ASSERT_EQUAL(made, 3);
    CU_ASSERT_EQUAL(fired, 2);
    CU_ASSERT_EQUAL(ended[0], 1);
    CU_ASSERT_EQUAL(ended[1], 1);
    CU_ASSERT_EQUAL(ended[2], 1);
    worlds_expect(SOLO008_DEFERRED, 2);
    end();
}

static void test_deferred__its_life_is_announced(void)
{
    worlds_run(events_body);
}

/* ---- Memory ---- */

enum { ROOM = 10 }; /* callbacks for which a Deferred takes no memory but its own */

static void memory_body(void)
{
    struct solo_deferred *none = NULL;
    begin();
    struct solo_deferred *outer = make();
    struct solo_deferred *inner = make();
    struct solo_deferred *cancelled = make();
    struct solo_deferred *full = make();
    refusing_begin(0, false);
    CU_ASSERT_EQUAL(solo_deferred_add(outer, wait_for_it, NULL, inner), 0);
    add(outer, note_previous, NULL, NULL);
    for (int i = 0; i < ROOM; i++) {
        add(full, note_value, NULL, "f");
    }
    CU_ASSERT_EQUAL(refusing.asked, 0); /* they came with room for these */
    fire(outer, solo_value("o"));
    fire(inner, solo_value("i"));
    CU_ASSERT_EQUAL(solo_deferred_cancel(cancelled), 0);
    CU_ASSERT_EQUAL(refusing.asked, 0); /* from acceptance on, nothing can be refused */
    refusing_end();
    noted("wi");
    refusing_begin(1, true);
    CU_ASSERT_EQUAL(solo_deferred_add(full, note_value, NULL, "g"), -ENOMEM);
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &none), -ENOMEM);
    CU_ASSERT_PTR_NULL(none);
    refusing_end();
    noted("wi");
    fire(full, solo_value(NULL));
    noted("wiffffffffff");
    release(full);
    release(outer);
    release(cancelled);
    end();
}

static void test_deferred__firing_and_cancelling_take_no_memory(void)
{
    worlds_run(memory_body);
}

static void unfired_memory_body(void)
{
    begin();
    refusing_begin(0, false);
    struct solo_deferred *deferred = make();
    add(deferred, note_previous, NULL, NULL);
    add(deferred, note_previous, NULL, NULL);
    release(deferred);
    refusing_end(); /* finds what was not given back */
    noted("");
    worlds_expect(SOLO008_DEFERRED, 1);
    end();
}

static void test_deferred__one_that_ends_unfired_gives_its_callbacks_back(void)
{
    worlds_run(unfired_memory_body);
}

void suite_deferred(void)
{
    SOLO_SUITE("deferred");
    SOLO_TEST(test_deferred__callbacks_run_in_order_of_addition);
    SOLO_TEST(test_deferred__each_callback_gets_what_the_one_before_returned);
    SOLO_TEST(test_deferred__added_after_firing_a_callback_runs_inside_the_add);
    SOLO_TEST(test_deferred__added_by_a_running_callback_it_runs_after_the_present_ones_and_never_nested);
    SOLO_TEST(test_deferred__released_by_its_own_callback_it_still_runs_the_others);
    SOLO_TEST(test_deferred__a_missing_callback_passes_the_value_on);
    SOLO_TEST(test_deferred__a_failure_goes_to_errbacks_until_one_returns_a_value);
    SOLO_TEST(test_deferred__fired_with_a_failure_it_begins_on_the_errback_side);
    SOLO_TEST(test_deferred__a_status_that_is_no_code_is_refused);
    SOLO_TEST(test_deferred__a_second_firing_is_refused_and_found);
    SOLO_TEST(test_deferred__a_failure_that_nobody_handled_is_found_when_it_is_released);
    SOLO_TEST(test_deferred__a_failure_handled_before_release_is_no_finding);
    SOLO_TEST(test_deferred__a_failing_errback_leaves_its_own_failure);
    SOLO_TEST(test_deferred__released_without_being_fired_it_is_found);
    SOLO_TEST(test_deferred__use_after_release_is_named);
    SOLO_TEST(test_deferred__null_and_other_objects_are_refused);
    SOLO_TEST(test_deferred__outliving_its_reactor_it_can_only_be_released);
    SOLO_TEST(test_deferred__a_chain_waits_for_the_inner_one);
    SOLO_TEST(test_deferred__an_inner_one_that_has_fired_is_taken_over_at_once);
    SOLO_TEST(test_deferred__the_inner_ones_failure_counts_as_handled);
    SOLO_TEST(test_deferred__a_chain_released_while_it_waits_ends_with_the_inner_result);
    SOLO_TEST(test_deferred__callbacks_added_to_the_inner_one_later_find_no_value);
    SOLO_TEST(test_deferred__it_can_be_fired_with_another_ones_result);
    SOLO_TEST(test_deferred__waiting_for_itself_is_refused);
    SOLO_TEST(test_deferred__waiting_in_a_circle_is_refused);
    SOLO_TEST(test_deferred__a_reference_can_be_given_away_once);
    SOLO_TEST(test_deferred__a_chain_of_any_depth_needs_no_stack);
    SOLO_TEST(test_deferred__cancelled_it_fails_and_swallows_one_late_firing);
    SOLO_TEST(test_deferred__with_a_canceller_no_firing_is_swallowed);
    SOLO_TEST(test_deferred__a_canceller_may_fire_it_with_a_value);
    SOLO_TEST(test_deferred__cancelling_again_does_nothing);
    SOLO_TEST(test_deferred__cancelling_a_fired_one_does_nothing);
    SOLO_TEST(test_deferred__cancelling_one_that_waits_cancels_the_inner_one);
    SOLO_TEST(test_deferred__a_canceller_may_release_it);
    SOLO_TEST(test_deferred__pauses_nest_and_the_last_unpause_runs_the_chain);
    SOLO_TEST(test_deferred__a_callback_may_pause_its_own_chain);
    SOLO_TEST(test_deferred__a_chain_waits_for_a_paused_inner_one);
    SOLO_TEST(test_deferred__a_paused_chain_keeps_the_inner_result_until_it_goes_on);
    SOLO_TEST(test_deferred__released_while_paused_with_callbacks_left_it_is_found);
    SOLO_TEST(test_deferred__more_callbacks_than_it_has_room_for_keep_their_order);
    SOLO_TEST(test_deferred__callbacks_that_add_callbacks_are_each_run_once);
    SOLO_TEST(test_deferred__its_memory_is_used_again_only_after_others_have_ended);
    SOLO_TEST(test_deferred__a_foreign_thread_is_refused);
    SOLO_TEST(test_deferred__its_life_is_announced);
    SOLO_TEST(test_deferred__firing_and_cancelling_take_no_memory);
    SOLO_TEST(test_deferred__one_that_ends_unfired_gives_its_callbacks_back);
}
