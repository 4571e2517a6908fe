/* test_deferred_list.c - lists, gathered results and races. */
#include "deferreds.h"

enum { MEMBERS = 3 };

static struct solo_deferred *members[MEMBERS];
static struct solo_result results[MEMBERS];

static void make_members(void)
{
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = make();
        results[i] = solo_value(NULL);
    }
}

static struct solo_deferred *list(unsigned options)
{
    struct solo_deferred *deferred = NULL;
    make_members();
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, members, MEMBERS, options, results, &deferred), 0);
    return deferred;
}

static void all_body(void)
{
    begin();
    struct solo_deferred *deferred = list(SOLO_LIST_CONSUME_ERRORS);
    fire(members[2], solo_value("c"));
    fire(members[0], solo_value("a"));
    CU_ASSERT_FALSE(has_result(deferred));
    CU_ASSERT_EQUAL(results[1].status, -EINPROGRESS);
    fire(members[1], solo_failure(-EIO));
    CU_ASSERT_PTR_EQUAL(value_of(deferred), results);
    CU_ASSERT_STRING_EQUAL(results[0].value, "a");
    CU_ASSERT_EQUAL(results[1].status, -EIO);
    CU_ASSERT_STRING_EQUAL(results[2].value, "c");
    release(deferred);
    end();
}

static void test_list__waits_for_all_and_keeps_their_order(void)
{
    worlds_run(all_body);
}

static void empty_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, NULL, 0, 0, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(status_of(deferred), 0);
    release(deferred);
    CU_ASSERT_EQUAL(solo_gather_results(reactor, NULL, 0, 0, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(status_of(deferred), 0);
    release(deferred);
    deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, NULL, 0, SOLO_LIST_FIRE_ON_ONE_CALLBACK, NULL, &deferred),
                    -EINVAL);
    CU_ASSERT_EQUAL(solo_race(reactor, NULL, 0, NULL, &deferred), -EINVAL);
    CU_ASSERT_PTR_NULL(deferred);
    end();
}

static void test_list__without_members_fires_at_once_or_is_refused(void)
{
    worlds_run(empty_body);
}

static void fired_members_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin();
    make_members();
    for (int i = 0; i < MEMBERS; i++) {
        fire(members[i], solo_value(&results[i]));
    }
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, members, MEMBERS, 0, results, &deferred), 0);
    CU_ASSERT_PTR_EQUAL(value_of(deferred), results);
    CU_ASSERT_PTR_EQUAL(results[1].value, &results[1]);
    release(deferred);
    end();
}

static void test_list__of_members_that_have_fired_has_fired(void)
{
    worlds_run(fired_members_body);
}

static void one_callback_body(void)
{
    begin();
    struct solo_deferred *deferred = list(SOLO_LIST_FIRE_ON_ONE_CALLBACK | SOLO_LIST_CONSUME_ERRORS);
    fire(members[0], solo_failure(-EIO));
    CU_ASSERT_FALSE(has_result(deferred));
    fire(members[1], solo_value("b"));
    CU_ASSERT_PTR_EQUAL(value_of(deferred), &results[1]);
    fire(members[2], solo_value("c"));
    CU_ASSERT_EQUAL(results[2].status, -EINPROGRESS); /* not touched any more */
    release(deferred);
    end();
}

static void test_list__fires_on_one_callback(void)
{
    worlds_run(one_callback_body);
}

static void no_callback_body(void)
{
    begin();
    struct solo_deferred *deferred = list(SOLO_LIST_FIRE_ON_ONE_CALLBACK | SOLO_LIST_CONSUME_ERRORS);
    for (int i = 0; i < MEMBERS; i++) {
        fire(members[i], solo_failure(-EIO));
    }
    CU_ASSERT_PTR_EQUAL(value_of(deferred), results);
    CU_ASSERT_EQUAL(results[0].status, -EIO); /* which tells it from a first value */
    release(deferred);
    end();
}

static void test_list__that_waits_for_one_callback_and_has_none_gives_the_failures(void)
{
    worlds_run(no_callback_body);
}

static void one_errback_body(void)
{
    begin();
    struct solo_deferred *deferred = list(SOLO_LIST_FIRE_ON_ONE_ERRBACK | SOLO_LIST_CONSUME_ERRORS);
    fire(members[1], solo_value("b"));
    fire(members[2], solo_failure(-EIO));
    CU_ASSERT_EQUAL(status_of(deferred), -EIO);
    CU_ASSERT_PTR_EQUAL(value_of(deferred), &results[2]);
    fire(members[0], solo_failure(-EPERM));
    release_handled(deferred);
    end();
}

static void test_list__fails_on_one_errback(void)
{
    worlds_run(one_errback_body);
}

static void unconsumed_body(void)
{
    begin();
    struct solo_deferred *deferred = list(0);
    fire(members[0], solo_value(NULL));
    fire(members[1], solo_failure(-EIO));
    fire(members[2], solo_failure(-EPERM));
    CU_ASSERT_EQUAL(status_of(deferred), 0);
    worlds_expect(SOLO008_DEFERRED, 2);
    release(deferred);
    end();
}

static void test_list__does_not_handle_failures_that_it_does_not_consume(void)
{
    worlds_run(unconsumed_body);
}

static void gather_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin();
    make_members();
    CU_ASSERT_EQUAL(solo_gather_results(reactor, members, MEMBERS, SOLO_LIST_CONSUME_ERRORS, results, &deferred), 0);
    for (int i = 0; i < MEMBERS; i++) {
        fire(members[i], solo_value(&results[i]));
    }
    CU_ASSERT_PTR_EQUAL(value_of(deferred), results);
    release(deferred);
    make_members();
    CU_ASSERT_EQUAL(solo_gather_results(reactor, members, MEMBERS, SOLO_LIST_CONSUME_ERRORS, results, &deferred), 0);
    fire(members[1], solo_failure(-EIO));
    CU_ASSERT_EQUAL(status_of(deferred), -EIO);
    fire(members[0], solo_value(NULL));
    fire(members[2], solo_value(NULL));
    release_handled(deferred);
    end();
}

static void test_gather__gives_all_values_or_the_first_failure(void)
{
    worlds_run(gather_body);
}

static void cancel_body(void)
{
    begin();
    struct solo_deferred *deferred = list(0);
    fire(members[1], solo_value("b"));
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    CU_ASSERT_EQUAL(status_of(deferred), 0); /* it completes with what its members came to */
    CU_ASSERT_EQUAL(results[0].status, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(results[1].status, 0);
    CU_ASSERT_EQUAL(results[2].status, SOLO_ECANCELLED);
    release(deferred);
    struct solo_deferred *gathered = NULL;
    make_members();
    CU_ASSERT_EQUAL(solo_gather_results(reactor, members, MEMBERS, 0, results, &gathered), 0);
    CU_ASSERT_EQUAL(solo_deferred_cancel(gathered), 0);
    CU_ASSERT_EQUAL(status_of(gathered), SOLO_ECANCELLED);
    release(gathered);
    end();
}

static void test_list__cancelled_cancels_its_members(void)
{
    worlds_run(cancel_body);
}

static void stubborn_body(void)
{
    begin();
    struct solo_deferred *deferred = list(0);
    CU_ASSERT_EQUAL(solo_deferred_pause(members[1]), 0);
    struct solo_deferred *stubborn = members[1];
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    CU_ASSERT_EQUAL(status_of(deferred), SOLO_ECANCELLED); /* one goes on; nobody waits for it */
    CU_ASSERT_EQUAL(results[1].status, -EINPROGRESS);
    release(deferred);
    CU_ASSERT_EQUAL(solo_deferred_unpause(stubborn), 0);
    CU_ASSERT_EQUAL(results[1].status, -EINPROGRESS);
    end();
}

static void test_list__cancelled_does_not_wait_for_a_member_that_goes_on(void)
{
    worlds_run(stubborn_body);
}

static struct solo_deferred *race(void)
{
    struct solo_deferred *deferred = NULL;
    make_members();
    CU_ASSERT_EQUAL(solo_race(reactor, members, MEMBERS, results, &deferred), 0);
    return deferred;
}

static void race_body(void)
{
    begin();
    struct solo_deferred *deferred = race();
    add_note(members[2], "n"); /* behind the list's own: it sees no failure any more */
    fire(members[0], solo_failure(-EIO));
    fire(members[1], solo_value("b"));
    noted("n");
    CU_ASSERT_PTR_EQUAL(value_of(deferred), &results[1]);
    release(deferred);
    struct solo_deferred *lost = race();
    for (int i = MEMBERS - 1; i >= 0; i--) {
        fire(members[i], solo_failure(-EIO - i));
    }
    CU_ASSERT_EQUAL(status_of(lost), -EIO);
    CU_ASSERT_PTR_EQUAL(value_of(lost), results);
    release_handled(lost);
    end();
}

static void test_race__the_first_value_wins_and_the_others_are_cancelled(void)
{
    worlds_run(race_body);
}

static void refused_body(void)
{
    struct solo_deferred *deferred = NULL, *twice[2];
    begin();
    twice[0] = twice[1] = make();
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, twice, 2, 0, results, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, twice, 1, 8, results, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, NULL, 1, 0, results, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_list_create(reactor, twice, 1, 0, NULL, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_race(reactor, twice, 1, results, NULL), -EINVAL);
    CU_ASSERT_PTR_NULL(deferred);
    fire(twice[0], solo_value(NULL)); /* still the caller's */
    release(twice[0]);
    end();
}

static void test_list__refuses_what_is_not_the_callers_to_give(void)
{
    worlds_run(refused_body);
}

static void memory_body(void)
{
    struct solo_deferred *both[2] = {NULL, NULL}, *deferred = NULL;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        (void)solo_deferred_create(reactor, NULL, NULL, &both[i]);
    }
    bool made = both[0] != NULL && both[1] != NULL;
    int status = made ? solo_gather_results(reactor, both, 2, 0, results, &deferred) : -ENOMEM;
    CU_ASSERT_TRUE(status == 0 || (status == -ENOMEM && deferred == NULL));
    for (int i = 0; i < 2; i++) {
        if (both[i] != NULL) {
            fire(both[i], solo_value(NULL));
            if (status < 0) {
                release(both[i]); /* still the caller's */
            }
        }
    }
    if (deferred != NULL) {
        CU_ASSERT_EQUAL(status_of(deferred), 0);
        release(deferred);
    }
    worlds_destroy(reactor);
}

static void test_list__refused_memory_takes_over_nothing(void)
{
    CU_ASSERT_EQUAL(refusing_run(memory_body, REFUSE_FOR_GOOD | REFUSE_PAIRS), 2 + 2 + 2);
}

void suite_deferred_list(void)
{
    SOLO_SUITE("deferred_list");
    SOLO_TEST(test_list__waits_for_all_and_keeps_their_order);
    SOLO_TEST(test_list__without_members_fires_at_once_or_is_refused);
    SOLO_TEST(test_list__of_members_that_have_fired_has_fired);
    SOLO_TEST(test_list__fires_on_one_callback);
    SOLO_TEST(test_list__that_waits_for_one_callback_and_has_none_gives_the_failures);
    SOLO_TEST(test_list__fails_on_one_errback);
    SOLO_TEST(test_list__does_not_handle_failures_that_it_does_not_consume);
    SOLO_TEST(test_gather__gives_all_values_or_the_first_failure);
    SOLO_TEST(test_list__cancelled_cancels_its_members);
    SOLO_TEST(test_list__cancelled_does_not_wait_for_a_member_that_goes_on);
    SOLO_TEST(test_race__the_first_value_wins_and_the_others_are_cancelled);
    SOLO_TEST(test_list__refuses_what_is_not_the_callers_to_give);
    SOLO_TEST(test_list__refused_memory_takes_over_nothing);
}
